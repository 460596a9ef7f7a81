#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox: every command, every exit code, what it prints."""
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import (GID, GOOD, POPBOX, UID, Result, Site, eq, has, hasnt,
                 on_terminal, run, table, test)


def listing(text):
    return [json.loads(line) for line in text.splitlines()]


@test("init makes a store for root alone, and the roots for popusr")
def init():
    with Site() as site:
        eq(stat.S_IMODE(os.stat(site.store).st_mode), 0o700)
        for name in ("data.mdb", "lock.mdb"):
            eq(stat.S_IMODE(os.stat(f"{site.store}/{name}").st_mode), 0o600)
        for root in (site.home, site.serial):
            info = os.stat(root)
            eq((info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)),
               (UID, GID, 0o755))
        eq([n for n in os.listdir(site.top) if "new" in n], [])


@test("init refuses where a store is, and what is not its own")
def init_refuses():
    with Site(init=False) as site:
        args = ["init", "--uid", str(UID), "--gid", str(GID), "--home",
                site.home, "--serialmail", site.serial]
        site.fails(100, "there is no qmail in", *args, "--qmail",
                   site.top + "/nowhere")
        site.fails(2, "--uid N and --gid N", "init", "--uid", "5")
        site.fails(100, "no user 'nobody-here'", "init", "--user",
                   "nobody-here")
        site.fails(100, "not an absolute path", *args[:5], "--home", "rel",
                   "--no-qmail")
        site.fails(100, "number is out of range", "init", "--uid", "0",
                   "--gid", "1", "--no-qmail")
        assert not os.path.exists(site.store)
        os.mkdir(site.store)
        with open(site.store + "/precious", "w"):
            pass
        site.fails(100, "not an empty directory", *args, "--no-qmail")
        os.unlink(site.store + "/precious")
        site.do(*args, "--no-qmail")
        before = site.tree()
        site.fails(100, "there is a store", *args, "--no-qmail")
        eq(site.tree(), before)


@test("init takes a mount point, for the store and for the mail roots",
      root=True)
def init_mounted():
    with Site(init=False) as site:
        mounted = []
        try:
            for path in (site.store, site.home, site.serial):
                os.mkdir(path)
                if subprocess.run(["mount", "-t", "tmpfs", "-o",
                                   "mode=0755,size=2g", "x", path],
                                  capture_output=True).returncode:
                    skip("no mounting here")
                mounted.append(path)
                os.mkdir(path + "/lost+found", 0o700)
            init = ["init", "--uid", str(UID), "--gid", str(GID), "--home",
                    site.home, "--serialmail", site.serial, "--no-qmail"]
            with open(site.home + "/precious", "w"):
                pass
            site.fails(100, "belongs to uid 0", *init)
            os.unlink(site.home + "/precious")
            with open(site.store + "/precious", "w"):
                pass
            site.fails(100, "not an empty directory", *init)
            os.unlink(site.store + "/precious")
            # What an init leaves there that was killed.
            os.mkdir(site.store + "/.popbox-new")
            for name in ("config", ".popbox-new/data.mdb"):
                with open(f"{site.store}/{name}", "w") as file:
                    file.write("x")
            site.do(*init)
            eq(sorted(os.listdir(site.store))[:2], ["config", "data.mdb"])
            assert ".popbox-new" not in os.listdir(site.store)
            eq(os.stat(site.store).st_mode & 0o777, 0o700)
            site.joe().sound()
            eq(site.login().rc, 0)
            site.do("backup", site.top + "/copy")
            site.fails(100, "is a mount point", "restore", site.top + "/copy")
        finally:
            for path in mounted:
                subprocess.run(["umount", "-l", path], check=True)


@test("init refuses a mail root of somebody else", root=True)
def init_roots():
    with Site(init=False) as site:
        args = ["init", "--uid", str(UID), "--gid", str(GID), "--home",
                site.home, "--serialmail", site.serial, "--no-qmail"]
        os.mkdir(site.home)
        site.fails(100, "belongs to uid 0", *args)
        os.chown(site.home, UID, GID)
        os.chmod(site.home, 0o777)
        site.fails(100, "not to popusr", *args)
        os.rmdir(site.home)
        os.symlink("/tmp", site.home)
        site.fails(100, "is not a directory", *args)
        os.unlink(site.home)
        open_place = site.top + "/open"
        os.mkdir(open_place)
        os.chmod(open_place, 0o777)
        site.fails(100, "could be replaced", *args[:6],
                   open_place + "/home", *args[7:])
        assert not os.path.exists(site.store)
        site.do(*args)


@test("without a store every command says where it looked, with 111")
def no_store():
    with Site(init=False) as site:
        for args in (("domain", "list"), ("domain", "add", "a.org",
                     "--handle", "x"), ("box", "list"), ("sync",), ("log",),
                     ("config", "list"), ("verify", "a@b.c", "--stdin"),
                     ("check",)):
            got = site.fails(111, "no store in", *args)
            has(got.err, site.store)


@test("config set says what has to be moved by hand before where or whose the "
      "mail is changes, and asks")
def config_moves():
    with Site() as site:
        site.do("config", "set", "home", site.home + "-empty")
        site.do("config", "set", "home", site.home)
        site.joe()
        for key, value, text in (
                ("home", "/new", f"'mv -T {site.home} /new'"),
                ("serialmail", "/new", f"'mv -T {site.serial} /new'"),
                ("qmail", "/new", f"stay in '{site.qmail}/control'"),
                ("uid", "99", f"'chown -Rh --from={UID} 99 {site.home} "
                              f"{site.serial}'"),
                ("gid", "99", f"'chown -Rh --from=:{GID} :99 ")):
            was = site.do("config", "get", key)
            got = site.fails(2, text, "config", "set", key, value)
            has(got.err, "say --yes")
            has(got.err, "'popbox sync --full'")
            eq(site.do("config", "get", key), was)
            site.do("config", "set", key, was.strip())
            site.do("config", "set", key, value, "--yes")
            eq(site.do("config", "get", key), value + "\n")
            site.do("config", "set", key, was.strip(), "--yes")
        rc, seen = on_terminal(site, ["config", "set", "home", "/new"],
                               [b"n\n"])
        eq(rc, 100)
        has(seen, f"change 'home' from '{site.home}' to '/new'? [y/N]")
        os.rename(site.home, site.home + "2")
        site.do("config", "set", "home", site.home + "2", "--yes")
        site.do("sync", "--full")
        site.home += "2"
        site.sound()
        eq(site.login().rc, 0)
        eq(site.deliver("joe@example.com").rc, 0)
        eq(site.mails(), 1)


@test("config lists, gets and sets, and keeps the comments")
def config():
    with Site() as site:
        path = site.store + "/config"
        with open(path, "a") as file:
            file.write("# by hand\npassword_min=11")
        eq(site.do("config", "get", "password_min"), "11\n")
        site.do("config", "set", "password_min", "12")
        site.do("config", "set", "assign_user", "popusr")
        with open(path) as file:
            text = file.read()
        has(text, "# by hand\npassword_min = 12\nassign_user = popusr\n")
        eq(site.do("config", "get", "password_min"), "12\n")
        has(site.do("config", "list"), "refuse_delay_ms = 0\n")
        has(site.do("config", "list", "-v"),
            "# memory of a new password hash, in KiB [19456]\n")
        keys = {o["key"] for o in listing(site.do("config", "list", "--json"))}
        assert {"uid", "home", "log"} <= keys
        site.fails(100, "did you mean 'password_min'", "config", "set",
                   "pasword_min", "3")
        site.fails(100, "no setting", "config", "get", "shoe_size")
        site.fails(100, "out of range", "config", "set", "password_min", "0")
        site.fails(100, "not a number", "config", "set", "password_min", "x")
        with open(path) as file:
            eq(file.read(), text)
        with open(path, "a") as file:
            file.write("nonsense\n")
        got = site.fails(111, "the line has not the form", "domain", "list")
        has(got.err, f"config:{len(text.splitlines()) + 1}: ")


@test("domain add makes handle, postmaster and box 0000; then comes 0001")
def domain_add():
    with Site() as site:
        site.do("domain", "add", "Example.COM", "--handle", "ex1")
        eq(site.do("box", "add", "joe@example.com", "--no-password"),
           "joe@example.com ex1-0001\n")
        shown = json.loads(site.do("box", "show", "postmaster@example.com",
                                   "--json"))
        eq((shown["box"], shown["password"]), ("ex1-0000", False))
        site.do("domain", "add", "example.org", "--handle", "ex1")
        shown = json.loads(site.do("box", "show", "ex1-0000", "--json"))
        eq(shown["addresses"], ["postmaster@example.com",
                                "postmaster@example.org"])
        eq(site.do("box", "add", "a@example.org", "--no-password"),
           "a@example.org ex1-0002\n")
        site.do("domain", "add", "other.net", "--handle", "ot2",
                "--no-subdomains")
        domains = listing(site.do("domain", "list", "--json"))
        eq([(d["domain"], d["handle"], d["subdomains"]) for d in domains],
           [("example.com", "ex1", True), ("example.org", "ex1", True),
            ("other.net", "ot2", False)])
        eq(len(listing(site.do("domain", "list", "--json", "--handle",
                               "ot2"))), 1)
        has(site.do("domain", "show", "example.com"), "addresses   2\n")
        site.fails(1, "there is no domain 'no.org'", "domain", "show",
                   "no.org")


@test("what a change prints as JSON is what show prints then")
def changed_json():
    with Site().joe() as site:
        time.sleep(1)  # times have seconds
        for noun, name in (("handle", "ex1"), ("domain", "example.com"),
                           ("box", "ex1-0001")):
            for words in (["suspend", name, "--reason", "unpaid"],
                          ["set", name, "--delivery", "hold"],
                          ["resume", name]):
                got = json.loads(site.do("--json", noun, *words))
                show = json.loads(site.do("--json", noun, "show", name))
                assert got.pop("entry") > 0
                eq(got, {key: show[key] for key in got}, words)
                assert got["changed"] > got["created"], got


@test("what domain add prints as JSON is what domain show prints then, but for "
      "the switches of other levels")
def added_json():
    with Site().joe() as site:
        for words in (["a.org", "b.org", "--handle", "ex1"],
                      ["c.org", "--alias-of", "example.com"],
                      ["d.org", "--handle", "ex1", "--kind", "relay",
                       "--host", "mail.d.org:26"]):
            for row in listing(site.do("--json", "domain", "add", *words)):
                shown = json.loads(site.do("--json", "domain", "show",
                                           row["domain"]))
                eq({k: shown[k] for k in shown if not k.startswith(
                    ("login_", "delivery_"))},
                   {k: row[k] for k in row if k != "entry"})
                eq((row["login"], row["delivery"]), (True, "on"))


@test("--postmaster leads to a box, to the box of an address, or elsewhere")
def postmaster():
    with Site().joe() as site:
        for domain, target, file in (
                ("a.org", "ex1-0001", site.box_path() + "/\n"),
                ("b.org", "joe@example.com", site.box_path() + "/\n"),
                ("c.org", "root@elsewhere.net", "&root@elsewhere.net\n")):
            site.do("domain", "add", domain, "--handle", "ex1",
                    "--postmaster", target)
            path = site.domain_path(domain) + "/.qmail-postmaster"
            with open(path) as made:
                eq(made.read(), file)
            eq(stat.S_IMODE(os.stat(path).st_mode),
               0o744 if file[0] == "&" else 0o644)
        site.fails(100, "there is no box 'ex1-0077'", "domain", "add",
                   "d.org", "--handle", "ex1", "--postmaster", "ex1-0077")
        site.fails(100, "neither a box", "domain", "add", "d.org", "--handle",
                   "ex1", "--postmaster", "nonsense")
        # Without --postmaster a handle without a box 0000 does as its first
        # domain does.
        site.do("domain", "add", "n1.net", "--handle", "new", "--postmaster",
                "root@elsewhere.net")
        site.do("domain", "add", "n2.net", "--handle", "new")
        with open(site.domain_path("n2.net", "new") +
                  "/.qmail-postmaster") as made:
            eq(made.read(), "&root@elsewhere.net\n")


BAD_DOMAINS = [
    ("", "empty"), (".example.org", "dot"), ("example.org.", "dot"),
    ("exa mple.org", "has letters"), ("example.org\n", "has letters"),
    ("a:b.org", "has letters"), ("#a.org", "has letters"),
    ("../etc", "dot"), ("a/b", "has letters"), ("-a.org", "'-'"),
    ("a" * 64 + ".org", "63"), ("a." * 127 + "org", "253"),
    ("192.0.2.7", "number"), ("*.org", "has letters"), ("a@b.org", "has "),
]


@test("a domain that is none is refused with 100 and changes nothing")
def bad_domains():
    with Site().joe() as site:
        before = site.tree(), site.do("log", "--json")
        for domain, why in BAD_DOMAINS:
            site.fails(100, why, "domain", "add", "--handle", "ex1", "--",
                       domain)
        for domain in ("example.com-x.net", "example.com"):
            site.fails(100, "'example.com'", "domain", "add", domain,
                       "--handle", "ex1")
        for handle in ("", "1a", "../x", "a-b", "a" * 16, "EX 1", "a/b"):
            site.fails(100, "handle", "domain", "add", "new.org", "--handle",
                       handle)
        site.fails(2, "use --handle", "domain", "add", "new.org")
        site.fails(2, "kind 'shop'", "domain", "add", "new.org", "--handle",
                   "ex1", "--kind", "shop")
        eq((site.tree(), site.do("log", "--json")), before)


@test("an internationalised domain has one store name and both spellings")
def idn():
    with Site() as site:
        site.do("domain", "add", "B\u00fccher.example", "--handle", "ex1")
        shown = json.loads(site.do("domain", "show", "xn--bcher-kva.example",
                                   "--json"))
        eq((shown["domain"], shown["utf8"]),
           ("xn--bcher-kva.example", "b\u00fccher.example"))
        has(site.do("domain", "list"), "b\u00fccher.example")
        site.fails(100, "already", "domain", "add", "b\u00fccher.example",
                   "--handle", "ex1")
        has(site.control("rcpthosts"), "xn--bcher-kva.example\n")
        site.fails(100, "domain", "domain", "add", "xn--\u00fc.example",
                   "--handle", "ex1")


BAD_LOCALS = ["", "a/b", "../x", "a b", "a:b", ".a", "a.", "a..b", "default",
              "owner", "list-owner", "x-default", "a" * 65, "a\nb", "a\"b",
              "\u00fc", "a@b", "a,b", "\\a"]


@test("a local part that is none, or is reserved, is refused with 100")
def bad_locals():
    with Site().joe() as site:
        before = site.tree(), site.do("log", "--json")
        for local in BAD_LOCALS:
            site.fails(100, "", "box", "add", "--no-password", "--",
                       local + "@example.com")
        site.fails(100, "no domain 'no.org'", "box", "add", "a@no.org",
                   "--no-password")
        site.fails(100, "no handle 'zz'", "box", "add", "a@example.com",
                   "--no-password", "--handle", "zz")
        site.fails(100, "already", "box", "add", "JOE@example.com",
                   "--no-password")
        site.fails(100, "UTF-8", "box", "add", "b@example.com",
                   "--no-password", "--name", "a\nb")
        eq((site.tree(), site.do("log", "--json")), before)


@test("a catch-all is .qmail-default, a dot is a colon")
def special_names():
    with Site().joe() as site:
        site.do("box", "add", "*@example.com", "--no-password")
        site.do("box", "add", "Joe.Doe@example.com", "--no-password")
        names = sorted(os.listdir(site.domain_path()))
        eq(names, [".qmail-default", ".qmail-joe", ".qmail-joe:doe",
                   ".qmail-postmaster"])


@test("box list shows, filters and prints JSON, box show tells all")
def box_list():
    with Site().joe() as site:
        site.do("domain", "add", "other.net", "--handle", "ot2")
        site.do("box", "add", "ann@other.net", "--no-password", "--name",
                "Ann \u00c5ngstr\u00f6m", "--handle", "ex1")
        text = site.do("box", "list")
        has(text, "BOX       ADDRESS")
        has(text, "ex1-0001  joe@example.com")
        boxes = listing(site.do("box", "list", "--json"))
        eq([b["box"] for b in boxes],
           ["ex1-0000", "ex1-0001", "ex1-0002", "ot2-0000"])
        eq([b["box"] for b in listing(site.do("box", "list", "--json",
            "--handle", "ot2"))], ["ot2-0000"])
        eq([b["address"] for b in listing(site.do("box", "list", "--json",
            "--domain", "other.net"))],
           ["ann@other.net", "postmaster@other.net"])
        shown = json.loads(site.do("box", "show", "ann@other.net", "--json"))
        eq((shown["name"], shown["maildir"], shown["handle"]),
           ("Ann \u00c5ngstr\u00f6m", site.box_path("ex1-0002"), "ex1"))
        has(site.do("box", "show", "joe@example.com"), site.box_path())
        site.fails(1, "there is no such", "box", "show", "no@example.com")
        site.fails(1, "there is no such", "box", "show", "ex1-0099")
        site.fails(100, "named as printed", "box", "show", "ex1")


@test("thousands of boxes are listed whole")
def long_list():
    with Site(qmail=False) as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        for i in range(140):
            site.do("box", "add", f"u{i}@example.com", "--no-password",
                    "--no-sync", "-q")
        site.do("sync")
        eq(len(listing(site.do("box", "list", "--json"))), 141)
        eq(len(site.do("box", "list").splitlines()), 142)
        entries = listing(site.do("log", "--json"))
        eq([e["number"] for e in entries], list(range(1, len(entries) + 1)))


@test("a password comes from stdin, a descriptor, a file, or is generated")
def sources():
    with Site().joe() as site:
        def verify(password, rc=0):
            got = site.popbox("verify", "joe@example.com", "--stdin",
                              input=password + "\n")
            eq(got.rc, rc, got)
        site.do("passwd", "joe@example.com", "--stdin", input="first of 5 trams\n")
        verify("first of 5 trams")
        with open(site.top + "/pw", "w") as file:
            file.write("second of 5 trams\nnot this line\n")
        site.do("passwd", "ex1-0001", "--file", site.top + "/pw")
        verify("second of 5 trams")
        reader, writer = os.pipe()
        os.write(writer, b"third of 5 trams")
        os.close(writer)
        done = Result(subprocess.run(
            [POPBOX, "-d", site.store, "passwd", "ex1-0001", "--fd",
             str(reader)], pass_fds=(reader,), capture_output=True))
        os.close(reader)
        eq(done.rc, 0, done)
        verify("third of 5 trams")
        made = site.do("passwd", "ex1-0001", "--generate").strip()
        assert re.fullmatch(r"[a-zA-Z2-9]{20}", made), made
        verify(made)
        made = site.do("passwd", "ex1-0001", "--generate", "32").strip()
        eq(len(made), 32)
        line = site.do("box", "add", "gen@example.com", "--generate=12")
        eq(len(line.split()), 3)
        eq(len(line.split()[2]), 12)
        site.do("passwd", "ex1-0001", "--no-password")
        verify(made, 1)
        site.fails(2, "one source", "passwd", "ex1-0001", "--stdin",
                   "--generate")
        site.fails(2, "length from 12", "passwd", "ex1-0001", "--generate=5")
        site.fails(2, "no terminal", "passwd", "ex1-0001")
        site.fails(100, "cannot open", "passwd", "ex1-0001", "--file",
                   site.top + "/none")
        site.fails(111, "cannot read", "passwd", "ex1-0001", "--fd", "77")
        site.fails(2, "not a descriptor", "passwd", "ex1-0001", "--fd", "x")
        site.fails(100, "no password in", "passwd", "ex1-0001", "--stdin")
        site.fails(100, "there is no such", "passwd", "no@example.com",
                   "--generate")


@test("a password is never an argument")
def argument():
    with Site().joe() as site:
        for command in (["passwd", "joe@example.com", "secret123456"],
                        ["box", "add", "ann@example.com", "secret123456"],
                        ["verify", "joe@example.com", "secret123456"]):
            site.fails(2, "never an argument", *command)
        site.fails(2, "no option '--password'", "passwd", "joe@example.com",
                   "--password", "secret123456")
        eq(site.popbox("verify", "joe@example.com", "--stdin",
                       input=GOOD).rc, 0)


WEAK = [("tiny9", "password_min"), ("password1234", "tried first"),
        ("x-joe-x-9-tram", "contains the local part") , ("my example tram", "contains the domain"),
        ("some ex1 and 7 more", "contains the handle"), ("aaaaaaaaaaaa", "tried first")]
UNUSABLE = [(" leading blank 42", "blank"), ("cr in\r the middle", "CR"),
            ("nul in\0 the middle", "CR, LF or NUL"), ("", "empty"), ("a" * 256, "255"),
            ("a" * 2000, "bytes"), ("$6$salt$" + "a" * 85 + ".", "looks like a hash"),
            ("$argon2id$nonsense", "looks like a hash")]


@test("weak passwords want --force, unusable ones are refused for good")
def policy():
    with Site().joe() as site:
        for password, why in WEAK:
            got = site.fails(100, why, "passwd", "joe@example.com", "--stdin",
                             input=password + "\n")
            has(got.err, "--force")
            hasnt(got.err, password)
        for password, why in UNUSABLE:
            got = site.fails(100, why, "passwd", "joe@example.com", "--stdin",
                             "--force", input=password + "\n")
            if password:
                hasnt(got.err, password)
        eq(site.popbox("verify", "joe@example.com", "--stdin",
                       input=GOOD).rc, 0)
        site.do("passwd", "joe@example.com", "--stdin", "--force",
                input="tiny9\n")
        eq(site.popbox("verify", "joe@example.com", "--stdin",
                       input="tiny9").rc, 0)


@test("on a terminal a password is asked for twice, without echo")
def terminal():
    with Site().joe() as site:
        rc, seen = on_terminal(site, ["passwd", "joe@example.com"],
                               [b"five quiet trams\n"] * 2)
        eq(rc, 0, seen)
        hasnt(seen, "quiet trams")
        eq(site.popbox("verify", "joe@example.com", "--stdin",
                       input="five quiet trams").rc, 0)
        rc, seen = on_terminal(site, ["passwd", "joe@example.com"],
                               [b"six quiet trams\n", b"other trams 66\n"])
        eq(rc, 100)
        has(seen, "differ")
        rc, seen = on_terminal(site, ["verify", "joe@example.com"],
                               [b"five quiet trams\n"])
        eq(rc, 0)
        # Ctrl-C, at once and however often.
        for _ in range(30):
            rc, seen = on_terminal(site, ["passwd", "joe@example.com"],
                                   [b"\x03"])
            eq(rc, -2, seen)
        # Where the caller has it ignored it is no answer.
        rc, seen = on_terminal(site, ["verify", "joe@example.com"],
                               [b"\x03five quiet trams\n"], signal.SIG_IGN)
        eq(rc, 0, seen)


@test("verify gives the login's verdict: 0, 1 or 111")
def verify():
    with Site().joe() as site:
        for name, password, rc, text in (
                ("joe@example.com", GOOD, 0,
                 "accept box=ex1-0001 user=joe@example.com\n"),
                ("ex1-0001", GOOD, 0,
                 "accept box=ex1-0001 user=joe@example.com\n"),
                ("joe@example.com", "wrong", 1, "refuse: mismatch\n"),
                ("no@example.com", GOOD, 1, "refuse: unknown\n"),
                ("postmaster@example.com", GOOD, 1, "refuse: no-password\n")):
            got = site.popbox("verify", name, "--stdin", input=password)
            eq((got.rc, got.out), (rc, text), got)
        got = site.popbox("verify", "joe@example.com", "--stdin", "--json",
                          input=GOOD)
        eq(json.loads(got.out)["verdict"], "accept")


@test("the journal says who did what and when, and never a secret")
def journal():
    with Site().joe() as site:
        before = len(listing(site.do("log", "--json")))
        made = site.do("passwd", "joe@example.com", "--generate",
                       env={"SUDO_USER": "alice"}).strip()
        text = site.do("log", "--json")
        entry = listing(text)[-1]
        eq(entry["number"], before + 1)
        eq((entry["op"], entry["table"], entry["object"], entry["actor"]),
           ("password", "box", "ex1-0001", "alice"))
        has(entry["command"], "passwd joe@example.com --generate")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["time"])
        for secret in (made, GOOD, "argon2id", "$"):
            hasnt(text, secret)
        eq(len(listing(site.do("log", "--json", "--since", str(before)))), 1)
        eq(len(listing(site.do("log", "--json", "--since", "2020-01-31"))),
           before + 1)
        eq(site.do("log", "--since", "2999-01-31T00:00:00Z"), "")
        eq(len(listing(site.do("log", "--json", "--object",
                               "joe@example.com"))), 1)
        site.fails(2, "neither the number", "log", "--since", "tomorrow")
        groups = [e["group"] for e in listing(text)][:4]
        eq(groups, [1, 1, 1, 1], "one command, one group")


@test("--dry-run shows the store's and the files' changes and makes none")
def dry_run():
    with Site().joe() as site:
        before = site.tree(), site.do("log", "--json")
        out = site.do("domain", "add", "new.org", "--handle", "ex1",
                      "--dry-run")
        for part in ("store: add domain new.org",
                     "store: add address postmaster@new.org",
                     "DOMAINS/new.org/: directory",
                     "rcpthosts: + new.org", "rcpthosts: + .new.org",
                     "virtualdomains: + new.org:new.org",
                     "assign: + +new.org-:ex1:"):
            has(out, part)
        out = site.do("box", "add", "ann@example.com", "--generate",
                      "--dry-run")
        has(out, "store: add box ex1-0002")
        has(out, "POP/ex1-0002/: Maildir")
        has(out, f".qmail-ann: {site.box_path('ex1-0002')}/")
        hasnt(out, "joe")
        has(site.do("passwd", "ex1-0001", "--generate", "--dry-run"),
            "store: password box ex1-0001")
        eq((site.tree(), site.do("log", "--json")), before)
        eq(site.popbox("sync", "--dry-run").rc, 0)


@test("check finds nothing in a sound store, and what is flipped in another")
def check():
    with Site().joe() as site:
        site.sound()
        with open(site.store + "/data.mdb", "rb") as file:
            data = file.read()
        assert b"argon2id" in data
        with open(site.store + "/data.mdb", "r+b") as file:
            for where in range(len(data)):
                if data[where:where + 8] == b"argon2id":
                    file.seek(where)
                    file.write(b"brgon2id")
        got = site.popbox("check")
        eq(got.rc, 1, got)
        has(got.out, "the row of the box is damaged (rule 1)")
        finding = json.loads(site.popbox("check", "--json").out.splitlines()[0])
        eq(finding["rule"], 1)
        eq(site.login().rc, 111)
        eq(site.popbox("verify", "joe@example.com", "--stdin",
                       input=GOOD).rc, 111)


@test("help is there for every command, and wrong usage ends with 2")
def usage():
    with Site(init=False) as site:
        assert len(table()) >= 16
        for row in table():
            words = [w for w in (row["noun"], row["verb"]) if w]
            has(site.do(*words, "-h"), "usage: popbox " + " ".join(words))
            has(site.do("help", *words), "usage: popbox")
        has(site.do("--version"), "popbox ")
        has(site.do("-h"), "usage:")
        eq(site.popbox().rc, 2)
        site.fails(2, "did you mean 'domain'", "domian", "list")
        site.fails(2, "did you mean 'add'", "domain", "ad", "x.org")
        site.fails(2, "did you mean '--handle'", "domain", "add", "x.org",
                   "--handel", "x")
        site.fails(2, "no command 'frobnicate'", "frobnicate")
        site.fails(2, "wants H", "domain", "add", "x.org", "--handle")
        site.fails(2, "and '--dry-run' is another option", "domain", "add",
                   "x.org", "--handle", "--dry-run")
        site.fails(2, "and '--json' is another option", "import",
                   "--skip-bad", "--json", "/dev/null")
        site.fails(2, "which domain", "domain", "add", "--handle", "x")
        site.fails(2, "too many", "domain", "show", "a.org", "b.org")
        site.fails(2, "takes no value", "domain", "list", "--json=1")
        eq(site.popbox("domain").rc, 2)
        eq(site.popbox("domain", "-h").rc, 0)


@test("output that nobody takes is an error, not a success")
def full_stdout():
    with Site().joe() as site:
        with open("/dev/full", "w") as full:
            done = subprocess.run([POPBOX, "-d", site.store, "domain", "list"],
                                  stdout=full, stderr=subprocess.PIPE)
        eq(done.returncode, 111)
        has(done.stderr.decode(), "cannot write to standard output")


@test("the store's directory comes from -d or POPBOX_STORE")
def store_dir():
    with Site().joe() as site:
        done = subprocess.run([POPBOX, "domain", "list"], capture_output=True,
                              env={**os.environ, "POPBOX_STORE": site.store})
        eq(done.returncode, 0)
        has(done.stdout.decode(), "example.com")
        done = subprocess.run([POPBOX, "domain", "list", "-d", site.store],
                              capture_output=True)
        eq(done.returncode, 0)


run()
