#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kinds of domain: pop, relay, backup, dialup; and the files of each."""
import json
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, UID, Site, eq, has, hasnt, run, skip, test


def read(path):
    with open(path, newline="") as file:
        return file.read()


def dialup(site, host="host.example.com", *more):
    site.do("domain", "add", host, "--kind", "dialup", "--handle", "ex1",
            *more)
    return f"{site.serial}/{host}"


@test("the set-up of an ISP comes out byte for byte")
def exact():
    with Site() as site:
        site.write_control("rcpthosts", "")
        site.joe()
        path = dialup(site)
        eq(site.control("rcpthosts"),
           "example.com\n.example.com\nhost.example.com\n")
        eq(site.control("virtualdomains"),
           "host.example.com:host.example.com\n"
           "example.com:example.com\n.example.com:example.com\n")
        eq(site.assign(),
           f"+example.com-:ex1:{UID}:{GID}:{site.domain_path()}:-::\n"
           f"+host.example.com-:ex1:{UID}:{GID}:{path}:-::\n.\n")
        eq(read(site.domain_path() + "/.qmail-joe"), site.box_path() + "/\n")
        eq(read(path + "/RELAYHOST"), "host.example.com\n")
        eq(read(path + "/.qmail-default"), "./Maildir/\n")
        for name, mode in (("", 0o755), ("/RELAYHOST", 0o644),
                           ("/.qmail-default", 0o644), ("/Maildir", 0o700),
                           ("/Maildir/new", 0o700), ("/Maildir/cur", 0o700),
                           ("/Maildir/tmp", 0o700)):
            info = os.stat(path + name)
            eq((stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid),
               (mode, UID, GID), name)
        eq(site.deliver("anybody@host.example.com").rc, 0)
        eq(site.deliver("joe@example.com").rc, 0)
        eq(site.deliver("joe@other.example.com").rc, 0, "below example.com")
        mail, = os.listdir(path + "/Maildir/new")
        has(read(f"{path}/Maildir/new/{mail}"),
            "Delivered-To: host.example.com-anybody@host.example.com\n")
        eq(site.popbox("sync", "--dry-run").rc, 0)
        before = site.tree()
        site.do("sync", "--full")
        eq(site.tree(), before)


@test("a relay is accepted and routed, a backup accepted alone")
def relay():
    with Site() as site:
        site.do("domain", "add", "r.org", "--kind", "relay", "--host",
                "mail.r.org:2525", "--handle", "ex1")
        site.do("domain", "add", "ip.org", "--kind", "relay", "--host",
                "192.0.2.9", "--handle", "ex1", "--no-subdomains")
        site.do("domain", "add", "b.org", "--kind", "backup", "--handle",
                "ex1")
        eq(site.control("rcpthosts"), "localhost\nr.org\n.r.org\nip.org\n"
                                      "b.org\n.b.org\n")
        eq(site.control("smtproutes"), "r.org:mail.r.org:2525\n"
           ".r.org:mail.r.org:2525\nip.org:[192.0.2.9]\n")
        assert not os.path.exists(site.qmail + "/control/virtualdomains")
        eq(site.assign() if os.path.exists(site.qmail + "/users/assign")
           else ".\n", ".\n")
        eq(site.deliver("a@r.org").out, "remote mail.r.org:2525\n")
        eq(site.deliver("a@x.r.org").out, "remote mail.r.org:2525\n")
        eq(site.deliver("a@ip.org").out, "remote [192.0.2.9]\n")
        eq(site.deliver("a@x.ip.org").rc, 100)
        eq(site.deliver("a@b.org").rc, 99)
        row = json.loads(site.do("--json", "domain", "show", "r.org"))
        eq((row["kind"], row["host"], row["port"]),
           ("relay", "mail.r.org", 2525))
        has(site.do("domain", "show", "ip.org"), "host        192.0.2.9")
        site.do("domain", "set", "r.org", "--host", "new.r.org")
        eq(site.deliver("a@r.org").out, "remote new.r.org\n")
        site.do("domain", "set", "r.org", "--no-subdomains")
        eq(site.deliver("a@x.r.org").rc, 100)
        eq(site.control("smtproutes"), "r.org:new.r.org\n"
                                       "ip.org:[192.0.2.9]\n")
        site.do("domain", "set", "r.org", "--subdomains")
        eq(site.deliver("a@x.r.org").out, "remote new.r.org\n")
        site.fails(100, "is not of kind pop", "box", "add", "joe@b.org",
                   "--no-password")
        site.fails(100, "is delivered here", "domain", "set", "b.org",
                   "--delivery", "off")


@test("what does not go together is refused before anything is changed")
def refused():
    with Site().joe() as site:
        site.write_control("smtproutes", "r.org:elsewhere\n")
        site.write_control("virtualdomains", site.control("virtualdomains") +
                           "b.org:alias-b\n")
        before = site.tree(), site.do("--json", "log")
        add = ("domain", "add")
        for code, part, words in (
                (100, "smtproutes' line 1", ("r.org", "--kind", "relay",
                                             "--host", "x.org")),
                (100, "virtualdomains' line 3", ("b.org", "--kind", "backup")),
                (2, "say --host", ("x.org", "--kind", "relay")),
                (2, "has no host", ("x.org", "--kind", "backup", "--host",
                                    "y.org")),
                (2, "has no host", ("x.org", "--host", "y.org")),
                (2, "is not known", ("x.org", "--kind", "pos")),
                (2, "--alias-of", ("x.org", "--kind", "alias")),
                (2, "only a pop domain", ("x.org", "--kind", "backup",
                                          "--postmaster", "a@b.org")),
                (2, "say --subdomains or", ("x.org", "--subdomains",
                                            "--no-subdomains")),
                (100, "the port", ("x.org", "--kind", "relay", "--host",
                                   "a.org:0")),
                (100, "a name or an IPv4", ("x.org", "--kind", "relay",
                                            "--host", "a b"))):
            site.fails(code, part, *add, *words, "--handle", "ex1")
            eq((site.tree(), site.do("--json", "log")), before, words)
        site.do("domain", "add", "al.org", "--alias-of", "example.com")
        site.fails(100, "is an alias", "domain", "set", "al.org", "--kind",
                   "pop")
        site.fails(100, "is an alias of it", "domain", "set", "example.com",
                   "--kind", "backup", "--yes")


@test("a directory made by hand is taken if it says the same, or when asked")
def by_hand():
    with Site() as site:
        path = f"{site.serial}/h.org"
        os.mkdir(path)
        with open(path + "/RELAYHOST", "w") as file:
            file.write("other.org\n")
        for name in (path, path + "/RELAYHOST"):
            os.chown(name, UID, GID)
        words = ("domain", "add", "h.org", "--kind", "dialup", "--handle",
                 "ex1")
        site.fails(100, "its RELAYHOST says something else", *words)
        site.do(*words, "--host", "other.org")
        eq(read(path + "/RELAYHOST"), "other.org\n")
        site.do("domain", "set", "h.org", "--host", "next.org:26")
        eq(read(path + "/RELAYHOST"), "next.org:26\n")


@test("a domain in control/locals is refused, or taken out when asked")
def locals_():
    with Site() as site:
        site.write_control("locals", "localhost\nExample.com\nother\n")
        for kind in (("pop",), ("dialup",), ("backup",),
                     ("relay", "--host", "x.org")):
            site.fails(100, "locals' line 2", "domain", "add", "example.com",
                       "--handle", "ex1", "--kind", *kind)
        site.do("domain", "add", "example.com", "--handle", "ex1",
                "--fix-locals")
        eq(site.control("locals"), "localhost\nother\n")
        # No name that this machine has, as a user or below ~alias.
        site.do("box", "add", "jane.doe@example.com", "--no-password")
        eq(site.deliver("jane.doe@example.com").rc, 0)
        # Somebody puts it back: sync takes it out when asked.
        site.write_control("locals", "example.com\n")
        assert site.deliver("jane.doe@example.com").rc in (100, 111)
        site.do("sync", "--full", "--fix-locals")
        eq(site.control("locals"), "")


@test("control/me is refused like control/locals where that is missing")
def me():
    with Site() as site:
        site.write_control("me", "Example.com\nother.org\n")
        os.unlink(site.qmail + "/control/locals")
        site.do("domain", "add", "other.org", "--handle", "ex1")
        before = site.tree()
        site.fails(100, "control/locals' is missing", "domain", "add",
                   "example.com", "--handle", "ex1")
        eq(site.tree(), before)
        site.do("domain", "add", "example.com", "--handle", "ex1",
                "--fix-locals")
        eq(site.control("locals"), "")
        site.sound()
        walked = site.popbox("explain", "postmaster@example.com")
        eq(walked.rc, 0, walked)
        os.unlink(site.qmail + "/control/locals")
        has(str(site.findings()), "control/me (control/locals is missing)")
        site.popbox("check", "--repair", "--fix-locals")
        eq(site.control("locals"), "")


@test("what qmail-newu refuses in users/assign is refused before the change")
def assign_form():
    for line, part in (("# a comment\n", "line 2 is a comment"),
                       ("\n", "line 2 is blank"),
                       ("+x-:a:1:1:/x\n", "line 2 has too few colons"),
                       ("# a:b:c\n", "line 2 is a comment"),
                       (":a:1:1:/x:-::\n", "line 2 begins with a colon"),
                       ("+a\0-:a:1:1:/x:-::\n", "line 2 has a NUL"),
                       ("nothing\n", "line 2 has no colon")):
        with Site() as site:
            path = site.qmail + "/users/assign"
            with open(path, "w") as file:
                file.write("=ok:a:1:1:/x:-::\n" + line + ".\n")
            newu = subprocess.run([site.bin + "/qmail-newu"],
                                  capture_output=True)
            eq(newu.returncode, 111, line)
            site.fails(100, part, "domain", "add", "example.com", "--handle",
                       "ex1")
            hasnt(site.do("domain", "list"), "example.com")
            has(str(site.findings()), "qmail-newu refuses the file")


@test("a setting rcpthosts_max that changes moves lines with sync --full")
def moves():
    with Site() as site:
        site.write_control("rcpthosts", "# ours\nlocalhost\n")
        for i in range(4):
            site.do("domain", "add", f"d{i}.org", "--handle", "ex1",
                    "--no-subdomains")
        every = {f"d{i}.org" for i in range(4)}

        def where():
            path = site.qmail + "/control/morercpthosts"
            more = site.control("morercpthosts") if os.path.exists(path) \
                else ""
            return site.control("rcpthosts"), set(more.split())

        for limit, kept in (("3", 2), ("0", 0), ("2", 1), ("50", 4),
                            ("1", 0)):
            site.do("config", "set", "rcpthosts_max", limit)
            site.do("sync", "--full")
            first, more = where()
            assert first.startswith("# ours\nlocalhost\n"), first
            ours = set(first.split()) & every
            eq(len(ours), kept, limit)
            eq(more, every - ours, limit)
            site.sound()
            for name in every:
                eq(site.popbox("explain", f"postmaster@{name}").rc, 0, name)


@test("beyond rcpthosts_max domains are in morercpthosts, and leave it")
def more():
    with Site(rcpthosts_max="4") as site:
        for number in range(4):
            site.do("domain", "add", f"d{number}.org", "--handle", "ex1")
        eq(site.control("rcpthosts"), "localhost\nd0.org\n.d0.org\nd1.org\n")
        eq(site.control("morercpthosts"), ".d1.org\nd2.org\n.d2.org\nd3.org\n"
                                          ".d3.org\n")
        for number in range(4):
            eq(site.deliver(f"postmaster@d{number}.org").rc, 0)
            eq(site.deliver(f"postmaster@x.d{number}.org").rc, 0)
        site.do("domain", "del", "d1.org", "--yes")
        site.do("domain", "del", "d2.org", "--yes")
        eq(site.deliver("postmaster@d1.org").rc, 100)
        eq(site.deliver("postmaster@x.d1.org").rc, 100)
        eq(site.deliver("postmaster@d2.org").rc, 100)
        eq(site.control("morercpthosts"), "d3.org\n.d3.org\n")
        site.do("domain", "add", "d5.org", "--handle", "ex1")
        eq(site.control("rcpthosts"), "localhost\nd0.org\n.d0.org\nd5.org\n")
        eq(site.popbox("sync", "--dry-run").rc, 0)
        has(site.do("domain", "add", "d6.org", "--handle", "ex1",
                    "--dry-run"), "/control/morercpthosts: + d6.org")
        before = site.tree()
        site.do("sync", "--full")
        eq(site.tree(), before)
        os.unlink(site.bin + "/qmail-newmrh")
        got = site.popbox("domain", "add", "d7.org", "--handle", "ex1")
        eq(got.rc, 111)
        has(got.err, "qmail-newmrh")
        eq(site.popbox("sync", "--dry-run").rc, 1)


@test("from kind to kind: what is on its way arrives, what comes goes anew")
def change():
    with Site().joe() as site:
        queued = "example.com-joe@example.com"
        words = ("domain", "set", "example.com", "--kind")
        site.fails(2, "say --yes", *words, "backup")
        site.do(*words, "relay", "--host", "mail.ex", "--yes")
        eq(site.deliver("joe@example.com").out, "remote mail.ex\n")
        eq(site.deliver(queued, queued=True).rc, 0)
        eq(site.mails(), 1)
        eq(site.login().rc, 1, "its boxes are deleted")
        site.fails(100, "may be on its way", *words, "dialup")
        site.fails(100, "may be on its way", *words, "pop")
        site.do(*words, "backup")
        eq(site.deliver("joe@example.com").rc, 99)
        eq(site.deliver(queued, queued=True).rc, 0)
        eq(site.control("smtproutes"), "")
        before = site.tree()
        site.do("sync", "--full")
        eq(site.tree(), before)
        site.do("purge", "example.com", "--now", "--yes")
        eq(site.deliver("joe@example.com").rc, 99, "it still is a backup")
        assert not os.path.exists(site.domain_path())
        hasnt(site.assign(), "example.com")
        site.do(*words, "dialup", "--host", "dial.ex")
        eq(site.deliver("joe@example.com").rc, 0)
        eq(read(site.serial + "/example.com/RELAYHOST"), "dial.ex\n")
        site.do("domain", "set", "example.com", "--delivery", "hold")
        eq(site.deliver("joe@example.com").rc, 111)
        site.do("domain", "set", "example.com", "--delivery", "on")
        site.do("handle", "set", "ex1", "--delivery", "off")
        eq(site.deliver("joe@example.com").rc, 100)
        site.do("handle", "set", "ex1", "--delivery", "on")
        # Mail that waits is not purged away.
        site.do("domain", "del", "example.com", "--yes")
        eq(site.deliver(queued, queued=True).rc, 0)
        got = site.popbox("purge", "example.com", "--now", "--yes")
        eq(got.rc, 0)
        has(got.err, "has mail that waits")
        path = site.serial + "/example.com"
        eq(sorted(os.listdir(path)), ["Maildir", "RELAYHOST"])
        eq([word for word, _ in site.findings()], ["stray-dialup"])


@test("mail on its way to a deleted domain that dials in goes by its handle's "
      "switch, whatever has the name since")
def deleted_dialup():
    with Site() as site:
        queued = "dial.example-joe@dial.example"

        def goes(code):
            eq(site.deliver(queued, queued=True).rc, code)
            before = site.tree()
            site.do("sync", "--full")
            eq(site.tree(), before)
        site.do("domain", "add", "dial.example", "--handle", "ex1", "--kind",
                "dialup")
        site.do("domain", "del", "dial.example", "--yes")
        for switch, code in (("off", 100), ("hold", 111), ("on", 0)):
            site.do("handle", "set", "ex1", "--delivery", switch)
            goes(code)
        site.do("domain", "add", "dial.example", "--handle", "ot2", "--kind",
                "relay", "--host", "mail.example")
        site.do("handle", "set", "ex1", "--delivery", "off")
        goes(100)
        site.do("undo", "--yes")
        goes(0)
        site.do("handle", "set", "ex1", "--delivery", "off")
        site.do("handle", "del", "ex1", "--yes")
        goes(0)  # whose handle is gone, has its own switch alone
        site.do("undo", "--yes")
        goes(100)


@test("kinds are undone, and a changed domain keeps its address and reason")
def undo():
    with Site().joe() as site:
        site.do("domain", "set", "example.com", "--ip", "192.0.2.1")
        site.do("domain", "suspend", "example.com", "--reason", "r")
        before = site.tree()
        site.do("domain", "set", "example.com", "--kind", "relay", "--host",
                "m.org", "--yes")
        row = json.loads(site.do("--json", "domain", "show", "example.com"))
        eq((row["ip"], row["login"], row["reason"]), ("192.0.2.1", False, "r"))
        site.do("undo", str(site.last_entry()))
        site.do("domain", "resume", "example.com")
        eq(site.login().rc, 0)
        eq(site.deliver("joe@example.com").rc, 0)
        has(site.control("smtproutes"), "example.com:m.org\n")
        site.do("purge", "example.com", "--now", "--yes")
        eq(site.control("smtproutes"), "")
        after = {k: v for k, v in site.tree().items()
                 if not k.endswith(("/smtproutes", "/.lastlogin", "/cdb"))
                 and "/new/" not in k}
        eq(after, {k: v for k, v in before.items() if k in after})
        site.sound()


@test("of a name that was several kinds each is purged without the others")
def several():
    with Site() as site:
        add = ("domain", "add", "m.org", "--handle", "ex1")
        site.do(*add)
        site.do("domain", "set", "m.org", "--kind", "relay", "--host",
                "one.org", "--yes")
        site.do("domain", "del", "m.org", "--yes")
        eq(site.control("virtualdomains"), "m.org:m.org\n.m.org:m.org\n")
        site.fails(100, "may be on its way", *add)
        site.fails(100, "may be on its way", *add, "--kind", "relay",
                   "--host", "two.org")
        site.do(*add, "--kind", "relay", "--host", "one.org")
        eq(site.deliver("a@m.org").out, "remote one.org\n")
        site.do("purge", "m.org", "--now", "--yes")
        eq(site.deliver("a@m.org").out, "remote one.org\n")
        site.do("domain", "set", "m.org", "--kind", "pop")
        eq(site.deliver("postmaster@m.org").rc, 0)
        eq(site.deliver("postmaster@m.org").rc, 0)
        site.do("purge", "m.org", "--now", "--yes")
        eq(site.deliver("postmaster@m.org").rc, 0)
        site.sound()


@test("a list of domains is one change and one publish, all or none")
def many():
    count = 1500
    with Site() as site:
        names = [f"d{n}.example" for n in range(count)]
        path = site.top + "/list"
        with open(path, "w") as file:
            file.write("# all of them\n" + "\n".join(names) + "\n\n")
        before = site.tree(), site.do("--json", "log")
        with open(path + ".bad", "w") as file:
            file.write("good.org\nbad..org\nx y\n")
        got = site.fails(100, f"{path}.bad:2:", "domain", "add", "--from",
                         path + ".bad", "--handle", "ex1")
        has(got.err, f"{path}.bad:3:")
        site.fails(100, "there is a domain 'd7.example' already", "domain",
                   "add", "d7.example", "--from", path, "--handle", "ex1")
        site.fails(2, "which domain", "domain", "add", "--handle", "ex1")
        site.fails(100, "cannot open", "domain", "add", "--from", "/nowhere",
                   "--handle", "ex1")
        eq((site.tree(), site.do("--json", "log")), before)
        trace = site.top + "/trace"
        got = site.popbox("domain", "add", "--from", "-", "--handle", "ex1",
                          input="\n".join(names), prefix=(
                              "strace", "-f", "-o", trace, "-e",
                              "trace=renameat,rename,execve"))
        eq(got.rc, 0, got.err[-300:])
        has(got.err, f"{count} domains added")
        with open(trace) as file:
            text = file.read()
        for name in ("rcpthosts", "virtualdomains", "assign"):
            eq(text.count(f'"{name}.popbox-tmp"'), 1, name)
        eq(text.count(f'execve("{site.bin}/qmail-newu"'), 1)
        eq(len({e["group"] for e in map(json.loads, site.do(
            "--json", "log").splitlines())}), 1)
        for name in names[::400]:
            eq(site.deliver("postmaster@" + name).rc, 0)
        site.sound()
        site.do("undo", str(site.last_entry()))
        eq(site.control("rcpthosts"), "localhost\n")


@test("--dry-run shows the directory of a dial-up domain and where its mail would "
      "go, and makes none")
def rehearsed():
    with Site().joe() as site:
        got = site.popbox("domain", "add", "dial.org", "--handle", "ex1", "--kind",
                          "dialup", "--host", "mx.dial.org", "--dry-run")
        eq(got.rc, 0, got)
        has(got.out, f"{site.serial}/dial.org/: directory\n")
        has(got.out, f"{site.serial}/dial.org/RELAYHOST: mx.dial.org")
        assert not os.path.exists(site.serial + "/dial.org")
        got = site.popbox("domain", "add", "new.org", "--handle", "ex1", "--dry-run")
        has(got.out, "/DOMAINS/new.org/: directory\n")
        hasnt(got.out, site.serial)


run()
