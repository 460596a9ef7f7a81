#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox explain: the way of a message and a login, and its first broken link.

    EXPLAIN=5000 tests/cli/explain.t differ    that many generated set-ups
"""
import json
import os
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import (GID, GOOD, ROOT, SANITIZED, UID, Send, Site, eq, has, hasnt,
                 needs_mounts, run, test)

SETUPS = int(os.environ.get("EXPLAIN") or (20 if SANITIZED else 150))


def walk(site, address, rc=None):
    """The steps and the conclusion."""
    got = site.popbox("--json", "explain", address)
    lines = [json.loads(line) for line in got.out.splitlines()]
    if rc is not None:
        eq(got.rc, rc, (address, got))
    return {s["step"]: s for s in lines[:-1]}, lines[-1]


@test("a message and a login that work are walked from file to file")
def works():
    with Site().joe() as site:
        text = site.do("explain", "joe@example.com")
        for part in ("accepted   control/rcpthosts line 2: example.com",
                     "routed     control/virtualdomains line 1: "
                     "example.com:example.com",
                     "assigned   users/cdb: example.com-joe as user ex1",
                     "file       " + site.domain_path() + "/.qmail-joe",
                     "delivers   " + site.box_path() + "/",
                     "login      ex1-0001: with its password, last login never",
                     "mail       delivered"):
            has(text, part)
        eq(site.login().rc, 0)
        has(site.do("explain", "Joe@x.example.com"), "mail       delivered")
        has(site.do("explain", "joe@example.com"), "from 192.0.2.7")
        steps, end = walk(site, "joe@example.com", 0)
        eq((end["verdict"], end["targets"], end["broken"]),
           ("delivered", [site.box_path() + "/"], None))
        site.do("box", "suspend", "ex1-0001")
        has(walk(site, "joe@example.com", 0)[0]["login"]["text"],
            "box-suspended")


@test("what we lack memory or descriptors to look at is no broken link",
      root=True, plain=True)
def unsure():
    with Site().joe() as site:
        for name in ("users/cdb", "users/assign", "control/rcpthosts",
                     "control/morercpthosts.cdb"):
            address = "joe@example.org" if "more" in name else \
                "joe@example.com"
            got = site.popbox("explain", address, prefix=(
                "strace", "-f", "-o", "/dev/null", "-e", "trace=openat",
                "-P", f"{site.qmail}/{name}", "-P", name,
                "-e", "inject=openat:error=EMFILE"))
            eq(got.rc, 111, (name, got))
            has(got.err, "cannot look any further: Too many open files")
            hasnt(got.out, "morercpthosts")
            hasnt(got.out, "BROKEN")


@test("the first broken link is named, whatever it is")
def broken():
    def unlink(path):
        return lambda site: os.unlink(path(site))

    def rcpt(site):
        site.write_control("rcpthosts", "localhost\n")

    def local(site):
        site.write_control("locals", "example.com\n")

    def virtual(site):
        site.write_control("virtualdomains", "example.com:alias-x\n")

    def assign(site):
        with open(site.qmail + "/users/assign", "w") as file:
            file.write("+example.com-:x:1:1:/x:-::\n.\n")

    def sticky(site):
        os.chmod(site.domain_path(), 0o1755)

    def open_(site):
        os.chmod(site.domain_path(), 0o777)

    def empty(site):
        open(site.domain_path() + "/.qmail-joe", "w").close()

    def crlf(site):
        with open(site.domain_path() + "/.qmail-joe", "w",
                  newline="") as file:
            file.write(site.box_path() + "/\r\n")

    def maildir(site):
        os.rmdir(site.box_path() + "/tmp")

    def directory(site):
        os.unlink(site.qmail + "/control/locals")
        os.mkdir(site.qmail + "/control/locals")

    def unread(site):
        os.unlink(site.qmail + "/users/assign")
        os.mkdir(site.qmail + "/users/assign")

    for change, part, verdict in (
            (unread, "users/assign cannot be read: Invalid argument",
             "delivered"),
            (rcpt, "neither in control/rcpthosts", "refused"),
            (unlink(lambda s: s.qmail + "/control/rcpthosts"),
             "takes mail for every domain", "delivered"),
            (local, "control/locals line 1", None),
            (virtual, "no entry for 'alias-x-joe'", None),
            (assign, "users/assign line 1 says something else", "delivered"),
            (unlink(lambda s: s.qmail + "/users/cdb"),
             "something else than users/cdb", None),
            (sticky, "sticky bit", "deferred"),
            (open_, "writable by everybody", "deferred"),
            (unlink(lambda s: s.domain_path() + "/.qmail-joe"),
             "no .qmail file fits", "bounced"),
            (empty, "is empty", "delivered"), (crlf, "carriage return",
                                               "delivered"),
            (maildir, "/tmp: No such file", "deferred"),
            (directory, "control/locals: Invalid argument: the mail waits",
             "deferred"),
            (lambda s: s.do("box", "set", "ex1-0001", "--delivery", "hold"),
             "delivery is on hold", "deferred"),
            (lambda s: s.do("box", "set", "ex1-0001", "--delivery", "off"),
             "delivery is off", "bounced")):
        with Site().joe() as site:
            change(site)
            end = walk(site, "joe@example.com", 1)[1]
            has(end["broken"], part)
            # Where alias gets it, what comes of it is this machine's matter.
            eq(end["verdict"], verdict or
               stand_in(site, "joe@example.com")[0], part)
            has(site.popbox("explain", "joe@example.com").err,
                "first broken link: ")


@test("relays, backups, dial-up hosts, forwards, strangers")
def others():
    with Site(rcpthosts_max="0").joe() as site:
        add = ("domain", "add")
        site.do(*add, "r.org", "--kind", "relay", "--host", "m.org:26",
                "--handle", "ex1")
        site.do(*add, "b.org", "--kind", "backup", "--handle", "ex1")
        site.do(*add, "h.org", "--kind", "dialup", "--handle", "ex1")
        site.do("address", "add", "f@example.com", "ex1-0001",
                "Bob@else.where")
        eq(walk(site, "a@r.org", 0)[1]["targets"], ["m.org:26"])
        eq(walk(site, "a@x.b.org", 0)[1]["targets"], ["mx"])
        eq(walk(site, "Any@h.org", 0)[1]["targets"],
           [site.serial + "/h.org/Maildir/"])
        eq(walk(site, "f@example.com", 0)[1]["targets"],
           [site.box_path() + "/", "Bob@else.where"])
        has(walk(site, "a@r.org", 0)[0]["accepted"]["text"],
            "morercpthosts.cdb: r.org")
        eq(walk(site, "who@nowhere.org", 1)[1]["verdict"], "refused")
        site.fails(100, "address 'x'", "explain", "x")


@test("a domain in control/me is local where control/locals is missing")
def me():
    with Site().joe() as site:
        site.write_control("me", "Example.com\n")
        walk(site, "joe@example.com", 0)
        os.unlink(site.qmail + "/control/locals")
        has(walk(site, "joe@example.com", 1)[1]["broken"],
            "control/locals is missing, and control/me")
        os.unlink(site.qmail + "/control/me")
        deferred(site, "control/me and control/smtpgreeting are missing: "
                 "qmail-smtpd")
        site.write_control("smtpgreeting", "x\n")
        deferred(site, "qmail-send does not start")


def deferred(site, part, address="joe@example.com"):
    end = walk(site, address, 1)[1]
    eq(end["verdict"], "deferred", part)
    has(end["broken"], part)


@test("each of qmail's programs waits where it lacks a name or cannot read a file "
      "of its own")
def waits():
    with Site().joe() as site:
        control = site.qmail + "/control/"
        site.do("domain", "add", "r.org", "--kind", "relay", "--host", "m.org",
                "--handle", "ex1")
        os.unlink(control + "me")
        deferred(site, "smtpgreeting are missing: qmail-smtpd goes no further")
        site.write_control("smtpgreeting", "x\n")
        walk(site, "joe@example.com", 0)
        deferred(site, "helohost are missing: qmail-remote goes no further",
                 "a@r.org")
        site.write_control("helohost", "x\n")
        walk(site, "a@r.org", 0)
        for name in ("databytes", "queuelifetime", "percenthack"):
            os.mkdir(control + name)
            deferred(site, f"control/{name}: Invalid argument")
            os.rmdir(control + name)
        os.mkdir(control + "timeoutremote")
        walk(site, "joe@example.com", 0)
        deferred(site, "control/timeoutremote: Invalid argument", "a@r.org")


@test("what qmail's users may not read is no file of theirs", root=True)
def closed():
    with Site(rcpthosts_max="2").joe() as site:
        for name, user in (("rcpthosts", "qmaild"), ("badmailfrom", "qmaild"),
                           ("morercpthosts.cdb", "qmaild"),
                           ("envnoathost", "qmails"), ("locals", "qmails")):
            path = f"{site.qmail}/control/{name}"
            made = not os.path.exists(path)
            if made:
                site.write_control(name, "x.org\n")
            os.chmod(path, 0o600)
            deferred(site, f"{path} cannot be read by {user}")
            os.unlink(path) if made else os.chmod(path, 0o644)
            walk(site, "joe@example.com", 0)


@test("a control file that is a link, /dev/null or a pipe is read as qmail does")
def links():
    with Site().joe() as site:
        path = site.qmail + "/control/locals"
        os.rename(path, path + ".kept")
        os.symlink("locals.kept", path)
        walk(site, "joe@example.com", 0)
        os.unlink(path)
        os.symlink("/dev/null", path)
        walk(site, "joe@example.com", 0)
        os.unlink(path)
        os.mkfifo(path)
        walk(site, "joe@example.com", 0)
        os.unlink(path)
        os.symlink("locals", path)
        deferred(site, "control/locals: Too many levels")


@test("a host of smtproutes that no host can have bounces the mail")
def no_host():
    with Site().joe() as site:
        site.write_control("rcpthosts", "r.org\n")
        for host, part in (("m.org\r", "a carriage return ends the line"),
                           (" m.org", "no host has such a name"),
                           (":26", "no host has such a name")):
            site.write_control("smtproutes", f"r.org:{host}\n")
            end = walk(site, "a@r.org", 1)[1]
            eq(end["verdict"], "bounced", host)
            has(end["broken"], part)
            eq(stand_in(site, "a@r.org")[0], "bounced")
        site.write_control("smtproutes", "r.org:m.org:26\r\n")
        eq(walk(site, "a@r.org", 0)[1]["targets"], ["m.org:26?"])


@test("lines with a NUL, programs with a carriage return, a forward to nothing: "
      "what comes of them is what qmail-local makes of them")
def odd_lines():
    with Site().joe() as site:
        path = site.domain_path() + "/.qmail-joe"
        site.write_control("me", "local.org\n")
        site.write_control("locals", "local.org\n")
        box = site.box_path() + "/"
        for text, verdict, targets in (
                ("&a@b.org\0c@d.org\n", "remote", ["a@b.org"]),
                (box + "\0x\n", "deferred", []),
                (box + "\n\0\n\0x\n", "delivered", [box]),
                ("\0x\n" + box + "\n", "deferred", []),
                ("|true\r\n", "delivered", ["|true?"])):
            with open(path, "w", newline="") as file:
                file.write(text)
            end = walk(site, "joe@example.com", 1)[1]
            eq((end["verdict"], end["targets"]),
               ("delivered" if verdict == "remote" else verdict, targets),
               text)
        has(end["broken"], "a carriage return ends the line, and the shell")
        with open(path, "w") as file:
            file.write("&\n")
        got = site.popbox("explain", "joe@example.com")
        has(got.out, "qmail-lspawn throws the mail away")
        has(got.out, "mail       delivered")


@test("a home that qmail-getpw cannot come to makes no user", root=True,
      plain=True)
def closed_home():
    needs_mounts()
    with Site().joe() as site:
        home, users = site.top + "/shut/jim", site.top + "/passwd"
        os.makedirs(home)
        os.chown(home, 4242, GID)
        with open("/etc/passwd") as file:
            rows = [row for row in file if not row.startswith("qmailp:")]
        with open(users, "w") as file:
            file.writelines([*rows, "qmailp:x:4241:4241::/:/bin/false\n",
                             f"jim:x:4242:{GID}::{home}:/bin/false\n"])
        site.write_control("locals", "local.org\n")
        site.write_control("rcpthosts", "local.org\nexample.com\n")
        site.do("address", "add", "f@example.com", "jim@local.org")

        def assigned(address="jim@local.org"):
            got = site.popbox("explain", address, prefix=(
                "unshare", "--mount", "sh", "-c",
                'mount --bind "$0" /etc/passwd && exec "$@"', users))
            return got.out
        has(assigned(), "qmail-getpw: jim as user jim")
        os.chmod(site.top + "/shut", 0o700)
        hasnt(assigned(), "as user jim")
        os.chmod(site.top + "/shut", 0o711)
        has(assigned(), "as user jim")
        os.chmod(home, 0o700)
        has(assigned("f@example.com"),
            "jim@local.org: local, not for popusr's eyes")


@test("s/qmail's users/assign.cdb is read like users/cdb")
def sqmail():
    with Site() as site:
        newu = site.bin + "/qmail-newu"
        os.rename(newu, newu + "-other")
        with open(newu, "w") as file:  # as that of s/qmail ends
            file.write(f"""#!/bin/sh
{newu}-other && mv {site.qmail}/users/cdb {site.qmail}/users/assign.cdb
""")
        os.chmod(newu, 0o755)
        site.joe().sound()
        has(walk(site, "joe@example.com", 0)[0]["assigned"]["text"],
            "users/assign.cdb: example.com-joe as user ex1")
        site.do("domain", "add", "second.org", "--handle", "ex1")
        walk(site, "postmaster@second.org", 0)
        os.truncate(site.qmail + "/users/assign.cdb", 20)
        has(str(site.findings()), "users/assign.cdb is damaged")
        eq(walk(site, "joe@example.com", 1)[1]["verdict"], "deferred")
        site.popbox("check", "--repair")
        site.sound()
        # What qmail left there before is not taken for what s/qmail reads.
        with open(site.qmail + "/users/cdb", "w"):
            pass
        os.utime(site.qmail + "/users/cdb", (1, 1))
        site.sound()
        walk(site, "joe@example.com", 0)


@test("what the store wants otherwise is said, with the command that repairs it")
def store_differs():
    def lines(name, *gone):
        def change(site):
            path = f"{site.qmail}/{name}"
            with open(path) as file:
                kept = [x for x in file if x.strip() not in gone]
            with open(path, "w") as file:
                file.writelines(kept)
        return change

    def catch_all(site):
        site.do("box", "add", "all@example.com", "--no-password")
        site.do("address", "add", "*@example.com", "all@example.com")
        os.unlink(site.domain_path() + "/.qmail-joe")

    def other_key(site):
        site.write_control("virtualdomains", site.control("virtualdomains") +
                           "joe@example.com:example.com-x\n")

    def other_text(site):
        with open(site.domain_path() + "/.qmail-joe", "a") as file:
            file.write("&somebody@else.org\n")

    repair = "popbox check --repair"
    for change, part, command in (
            (lines("control/virtualdomains", "example.com:example.com"),
             "virtualdomains: the line 'example.com:example.com'",
             repair),
            (lines("control/rcpthosts", ".example.com"),
             "rcpthosts: the line '.example.com' is missing", repair),
            (catch_all, ".qmail-joe is missing", repair),
            (other_key, "no .qmail file fits", None),
            (other_text, "says something else than the store", repair),
            (lambda s: os.chmod(s.domain_path() + "/.qmail-joe", 0o600),
             "has mode 0600, not 0644", repair)):
        with Site().joe() as site:
            change(site)
            end = walk(site, "joe@example.com", 1)[1]
            has(end["broken"], part)
            if command:
                has(end["broken"], f"'{command}'")
                site.popbox(*command.split()[1:])
                walk(site, "joe@example.com", 0)
    with Site().joe() as site:
        site.do("box", "add", "new@example.com", "--no-password", "--no-sync")
        has(walk(site, "new@example.com", 1)[0]["store"]["text"],
            "'popbox sync --full'")
        site.do("sync")
        walk(site, "new@example.com", 0)


@test("a Maildir that popusr cannot write defers the mail: explain and check "
      "say so, --repair mends", root=True)
def unwritable():
    for how, part in ((0o500, "new"), (0o500, "tmp"), (0o300, "cur"),
                      (0o000, "cur"), (0o600, "tmp"), (0, ""), (0o400, ""),
                      ("root", "new"), ("root", "tmp"), ("root", "cur")):
        with Site().joe() as site:
            path = f"{site.box_path()}/{part}".rstrip("/")
            if how == "root":
                os.chown(path, 0, 0)
            else:
                os.chmod(path, how)
            taken = site.deliver("joe@example.com").rc == 0
            eq(taken, part == "cur", (how, part))
            end = walk(site, "joe@example.com", 0 if taken else 1)[1]
            eq(end["verdict"], "delivered" if taken else "deferred")
            assert any(path in what for _, what in site.findings()), \
                (how, part, site.findings())
            site.popbox("check", "--repair")
            site.sound()
            walk(site, "joe@example.com", 0)
            eq(site.deliver("joe@example.com").rc, 0)


@test("forwards inside the site are followed to their ends, loops and dead "
      "ones named")
def follows():
    with Site().joe() as site:
        def add(*words):
            site.do("address", "add", *words)
        add("a@example.com", "b@later.example")
        add("b@example.com", "a@example.com")
        add("self@example.com", "Self@later.example")
        site.do("domain", "add", "later.example", "--alias-of", "example.com")
        add("two@example.com", "jeo@example.com", "--force")
        add("one@example.com", "two@example.com", "out@else.org")
        add("dead@example.com", "two@example.com")
        add("fine@example.com", "Out@else.org")
        add("good@example.com", "one@else.org", "fine@example.com")
        for name, verdict, part in (
                ("a", "bounced", "a@example.com: bounced: the message came "
                                 "through"),
                ("self", "bounced", "looping"),
                ("one", "delivered", "jeo@example.com: bounced: no .qmail"),
                ("dead", "bounced", "jeo@example.com: bounced: no .qmail")):
            end = walk(site, name + "@example.com", 1)[1]
            has(end["broken"], part)
            eq(end["verdict"], verdict, name)
        walk(site, "good@example.com", 0)
        site.do("domain", "add", "two.example", "--handle", "ex2")
        add("all@two.example", "fine@example.com")
        add("wait@example.com", "all@two.example")
        walk(site, "wait@example.com", 0)
        site.do("domain", "set", "two.example", "--delivery", "hold")
        end = walk(site, "wait@example.com", 1)[1]
        eq(end["verdict"], "deferred")
        has(end["broken"], "all@two.example: deferred")


@test("a switch that is off is named with its level, time, who and why; so is "
      "what was deleted")
def history():
    with Site().joe() as site:
        site.do("box", "set", "ex1-0001", "--delivery", "hold", "--reason",
                "on a journey", env={"SUDO_USER": "eve"})
        site.do("handle", "suspend", "ex1", "--reason", "unpaid")
        site.do("box", "set", "ex1-0001", "--name", "Joe")
        got = site.popbox("explain", "joe@example.com").out
        has(got, "login of handle ex1 is off since 2")
        has(got, "'popbox handle resume ex1' turns it on")
        has(got, "'popbox box set ex1-0001 --delivery on' turns it on")
        has(got, "refused: handle-suspended")
        has(got, "reason: unpaid")
        has(got, "delivery of box ex1-0001 is on hold since 2")
        has(got, "by eve (")
        has(got, "reason: on a journey")
        site.do("handle", "resume", "ex1")
        hasnt(site.popbox("explain", "joe@example.com").out, "handle ex1")
        site.do("address", "add", "sales@example.com", "x@else.org")
        site.do("address", "del", "sales@example.com", "--yes",
                env={"SUDO_USER": "eve"})
        got = walk(site, "sales@example.com", 1)[0]["deleted"]["text"]
        has(got, "address sales@example.com was deleted 2")
        has(got, "by eve (")
        number = site.last_entry()
        has(got, f"'popbox undo {number}' undeletes it")
        site.do("undo", str(number))
        hasnt(site.popbox("explain", "sales@example.com").out, "deleted")
        hasnt(site.popbox("explain", "never@example.com").out, "deleted")
        site.do("domain", "del", "example.com", "--yes")
        has(walk(site, "joe@example.com", 1)[0]["deleted"]["text"],
            "domain example.com was deleted 2")


@test("without a qmail explain looks at the .qmail file and the box")
def no_qmail():
    with Site(qmail=False).joe() as site:
        steps, end = walk(site, "joe@example.com", 0)
        eq(steps["file"]["text"], site.domain_path() + "/.qmail-joe")
        eq(end["targets"], [site.box_path() + "/"])
        eq(walk(site, "jeo@example.com", 1)[1]["verdict"], "bounced")
        eq(walk(site, "x@else.org", 0)[1]["verdict"], "remote")
        site.do("box", "set", "joe@example.com", "--delivery", "off")
        end = walk(site, "joe@example.com", 1)[1]
        eq(end["verdict"], "bounced")
        has(end["broken"], "delivery is off")
        site.do("box", "set", "joe@example.com", "--delivery", "on")
        site.do("address", "add", "f@example.com", "g@example.com",
                "--force")
        has(walk(site, "f@example.com", 1)[1]["broken"], "g@example.com")
        os.rmdir(site.box_path() + "/new")
        end = walk(site, "joe@example.com", 1)[1]
        eq(end["verdict"], "deferred")
        os.unlink(site.domain_path() + "/.qmail-joe")
        has(walk(site, "joe@example.com", 1)[1]["broken"], "no .qmail file")


OTHER = 65534 if ROOT else UID  # no mail of popusr's
LOCALS = ("joe", "JOE", "j.d", "joe-ext", "a-b-c", "nobody", "Bob")
DOMAINS = ("example.com", "sub.example.com", "other.org", "EXAMPLE.com",
           "deep.sub.example.com")
KEYS = ("example.com", ".example.com", "sub.example.com", "Example.COM",
        ".com", "other.org", ".org", "x.org", "joe@example.com",
        "Bob@other.org", "")
IDS = ("example.com", "other", "example.com-joe", "user", "", "a")
PREFIXES = ("+example.com-", "+example.com-joe-", "=example.com-joe", "+",
            "+other-", "=user-bob", "+a", "+user-", "+EXAMPLE.com-j")
FILES = ("joe", "default", "joe-default", "j:d", "bob", "ext", "a-b-default",
         "a-default", "Bob", "j.d", "joe-ext", "d", "b-c")


def lines(dice, make, most=6):
    """A control file with the noise that people put into them."""
    out = ""
    for _ in range(dice.randrange(most)):
        out += dice.choice(("", "", "", "", "#", "# c\n", "\n", " ")) + \
            make() + dice.choice(("", "", "", " ", "\t", "\r")) + "\n"
    return out if dice.random() < 0.9 else out.rstrip("\n")


def setup(site, dice):
    control = site.qmail + "/control/"
    for name in ("rcpthosts", "locals", "virtualdomains", "smtproutes"):
        if os.path.exists(control + name):
            os.unlink(control + name)
    site.write_control("rcpthosts", lines(
        dice, lambda: dice.choice([k for k in KEYS if "@" not in k])) +
        dice.choice(("", ".com\n.org\n", ".com\n.org\n")))
    if dice.random() < 0.3:
        site.write_control("locals", lines(
            dice, lambda: dice.choice(KEYS[:7]), 3))
    if dice.random() < 0.95:
        site.write_control("virtualdomains", lines(
            dice, lambda: dice.choice(KEYS) + dice.choice(
                (":", ":", ":", ":", " :", "")) + dice.choice(IDS), 9))
    if dice.random() < 0.5:
        site.write_control("smtproutes", lines(
            dice, lambda: dice.choice(KEYS) + ":" + dice.choice(
                ("", "m.org", "[192.0.2.1]:26"))))
    homes = [site.home + "/w1", site.home + "/w2", site.home + "/gone"]
    with open(site.qmail + "/users/assign", "w") as file:
        for _ in range(dice.randrange(7)):
            uid = UID if dice.random() < 0.85 else OTHER
            file.write(dice.choice(PREFIXES) + f":u:{uid}:{GID}:" +
                       dice.choice(homes) + ":" + dice.choice(
                           ("-", "-", "-", "")) + ":" +
                       dice.choice(("", "", "joe", "a-")) + ":\n")
        file.write(".\n")
    subprocess.run([site.bin + "/qmail-newu"], check=True)
    for home in homes[:2]:
        shutil.rmtree(home, ignore_errors=True)
        os.mkdir(home)
        for name in dice.sample(FILES, dice.randrange(len(FILES))):
            path = f"{home}/.qmail-{name}"
            with open(path, "w", newline="") as file:
                file.write(content(site, dice))
            os.chmod(path, dice.choice((0o644, 0o644, 0o644, 0o744, 0o666)))
            os.chown(path, UID, GID)
        os.chmod(home, dice.choice((0o755, 0o755, 0o755, 0o755, 0o1755,
                                    0o777)))
        os.chown(home, UID, GID)


def content(site, dice):
    good, torn = site.box_path() + "/", site.home + "/torn/"
    return "".join(dice.choice(
        (good + "\n", good + "\n", "&a@b.org\n", "c@d.org\n", "# c\n", "\n",
         torn + "\n", "./Mailbox\n", good + "\r\n", "|program x\n",
         f"|{site.qmail}/bin/bouncesaying 'no'\n", good + " \n",
         "+list\n", "./none/\n")) for _ in range(dice.randrange(4)))


def stand_in(site, address):
    """(verdict, targets) of tests/qmail/deliver -n."""
    done = subprocess.run([site.tools + "/deliver", "-n", "s@x.org", address],
                          capture_output=True)
    out = done.stdout.decode()
    said = [line.split(" ", 1) for line in out.split("\n") if line]
    targets = [line[1] for line in said if line[0] in ("target", "remote")]
    if done.returncode == 0:
        kept = [t for t in targets if t[0] in "/|." or t == "default"]
        other = kept and ["uid", str(UID)] not in said
        return ("remote" if out.startswith("remote ") else
                "local" if other else "delivered"), targets
    return {99: ("remote", ["mx"]), 111: ("deferred", None)}.get(
        done.returncode,
        ("refused" if b"553" in done.stderr else "bounced", None))


@test("explain says of generated set-ups what qmail's programs do: no differ")
def differ():
    dice = random.Random(int(os.environ.get("SEED", "1")))
    seen = {}
    with Site().joe() as site:
        os.makedirs(site.home + "/torn/new")
        for number in range(SETUPS):
            setup(site, dice)
            for _ in range(4):
                address = dice.choice(LOCALS) + "@" + dice.choice(DOMAINS)
                verdict, targets = stand_in(site, address)
                end = walk(site, address)[1]
                eq(end["verdict"], verdict, (number, address, end))
                if targets is not None:
                    eq(end["targets"], [t.replace("\r", "?")
                                        for t in targets],
                       (number, address, end))
                seen[verdict] = seen.get(verdict, 0) + 1
    print("# " + ", ".join(f"{n} {v}" for v, n in sorted(seen.items())))
    if SETUPS < 100:
        return
    eq(set(seen) | {"local"} - {"local" if ROOT else None},
       {"delivered", "remote", "local", "deferred", "bounced", "refused"})


@test("what explain and check say of a Maildir of another user's mends it, and a "
      "missing line of rcpthosts has its command, too", root=True)
def next_steps():
    with Site().joe() as site:
        new = site.box_path() + "/new"
        os.chown(new, 0, 0)
        os.chmod(new, 0o755)
        has(site.popbox("explain", "joe@example.com").out,
            "('popbox check' says how to repair it)")
        got = site.popbox("check").out
        has(got, "only an empty one can be replaced")
        has(got, "(owner, --repair repairs it)")
        with open(new + "/mail", "w") as file:
            file.write("mail")
        got = site.popbox("check").out
        hasnt(got, "(owner, --repair")
        command = re.search(r"'(chown -Rh \S+ \S+/new)'", got).group(1)
        subprocess.run(command.split(), check=True)
        site.popbox("check", "--repair")  # the mode, and the mail's
        eq(site.popbox("explain", "joe@example.com").rc, 0)
        control = site.qmail + "/control/rcpthosts"
        with open(control) as file:
            lines = file.read()
        with open(control, "w") as file:
            file.write(lines.replace("example.com\n", ""))
        got = site.popbox("explain", "joe@example.com")
        has(got.out, "'popbox check --repair' repairs it")
        site.popbox("check", "--repair")
        eq(site.popbox("explain", "joe@example.com").rc, 0)


@test("that qmail-send is not running is said, with what to do; a command that is "
      "printed quotes what a shell would read")
def stopped():
    with Site(standins=True).joe() as site:
        site.do("address", "add", "*@example.com", "joe@example.com")
        site.do("address", "add", "it's@example.com", "joe@example.com")
        for name in ("*", "it's"):
            site.do("address", "suspend", name + "@example.com")
        steps, end = walk(site, "any@example.com", 1)
        has(steps["waits"]["text"], "qmail-send is not running")
        has(steps["waits"]["text"], site.qmail + "/rc")
        has(steps["switch"]["text"], "address resume '*@example.com'")
        has(walk(site, "it's@example.com", 1)[0]["switch"]["text"],
            "address resume 'it'\\''s@example.com'")
        send = Send(site)
        eq("waits" in walk(site, "joe@example.com", 0)[0], False)
        send.end()


@test("a number of deliveries that is 0 and a missing control/me are found by explain "
      "and by check, with what to do")
def nothing_goes():
    with Site(standins=True).joe() as site:
        site.do("domain", "add", "r.org", "--kind", "relay", "--host",
                "mx.r.org", "--handle", "ex1")
        for name, address in (("local", "joe@example.com"),
                              ("remote", "x@r.org")):
            before = walk(site, address)[1]["verdict"]
            for text in ("0\n", "00", "0 \n"):
                site.write_control("concurrency" + name, text)
                steps, end = walk(site, address, 1)
                eq(end["verdict"], "deferred", (name, text))
                has(steps["waits"]["text"], "restart qmail-send")
                eq(site.findings(), [("concurrency", f"control/concurrency{name}"
                                      " is 0: qmail-send starts no delivery "
                                      "(remove it, then restart qmail-send)")])
            for text in ("10\n", "", "x\n"):
                site.write_control("concurrency" + name, text)
                eq(walk(site, address, 0)[1]["verdict"], before, (name, text))
                site.sound()
        os.unlink(site.qmail + "/control/me")
        eq([word for word, _ in site.findings()], ["me"])
        has(walk(site, "joe@example.com", 1)[1]["broken"],
            "put the name of this host into control/me")


@test("what is broken below the mail root is answered with the command that says how "
      "to repair it", root=True)
def below():
    with Site().joe() as site:
        os.chmod(site.domain_path(), 0o777)
        has(walk(site, "joe@example.com", 1)[1]["broken"],
            "'popbox check' says how to repair it")
        site.popbox("check", "--repair")
        walk(site, "joe@example.com", 0)


run()
