#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox: changes of what is there, and what becomes of mail on its way."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import (GID, GOOD, POPBOX, SMALL, UID, Site, eq, has, hasnt, run,
                 test)

SAYS = "does not take mail"


def listing(text):
    return [json.loads(line) for line in text.splitlines()]


def two():
    """example.com with boxes for joe and ann, and a catch-all to ann."""
    site = Site().joe()
    site.do("box", "add", "ann@example.com", "--no-password")
    site.do("address", "add", "*@example.com", "ex1-0002")
    return site


def levels(site):
    return (("handle", "ex1"), ("domain", "example.com"),
            ("box", "joe@example.com"))


@test("delivery off bounces and hold defers, at each of three levels")
def delivery():
    with two() as site:
        for noun, name in levels(site):
            site.do(noun, "set", name, "--delivery", "off")
            got = site.deliver("joe@example.com")
            eq(got.rc, 100, noun)
            has(got.out + got.err, SAYS)
            eq(site.login().rc, 0, "a login is another matter")
            site.do(noun, "set", name, "--delivery", "hold")
            eq(site.deliver("joe@example.com").rc, 111, noun)
            eq(site.mails(), 0)
            site.do(noun, "set", name, "--delivery", "on")
            eq(site.deliver("joe@example.com").rc, 0, noun)
            eq(site.mails(), 1)
            for mail in os.listdir(site.box_path() + "/new"):
                os.unlink(site.box_path() + "/new/" + mail)
        eq(site.mails("ex1-0002"), 0, "nothing fell to the catch-all")
        eq(site.popbox("sync", "--dry-run").rc, 0)


@test("off at one level is not undone by on at another")
def anded():
    with two() as site:
        site.do("handle", "set", "ex1", "--delivery", "off")
        site.do("box", "set", "joe@example.com", "--delivery", "hold")
        eq(site.deliver("joe@example.com").rc, 100)
        site.do("handle", "set", "ex1", "--delivery", "on")
        eq(site.deliver("joe@example.com").rc, 111)
        site.do("domain", "set", "example.com", "--delivery", "off")
        eq(site.deliver("joe@example.com").rc, 100)


@test("a box that is off leaves the forwards of its addresses")
def off_forwards():
    with two() as site:
        site.do("address", "add", "sales@example.com", "ex1-0001",
                "Bob@Elsewhere.Example")
        site.do("box", "set", "ex1-0001", "--delivery", "off")
        got = site.deliver("sales@example.com")
        eq((got.rc, got.out), (0, "forward Bob@elsewhere.example\n"))
        eq(site.mails(), 0)
        site.do("domain", "set", "example.com", "--delivery", "off")
        eq(site.deliver("sales@example.com").rc, 100)


@test("login off at each of three levels, suspend with a reason and resume")
def login():
    with two() as site:
        for noun, name in levels(site):
            site.do(noun, "suspend", name, "--reason", "not paid")
            got = site.login()
            eq(got.rc, 1)
            has(site.log_line(got), f"reason={noun}-suspended")
            eq(site.deliver("joe@example.com").rc, 0, "mail still comes")
            row = listing(site.do("--json", noun, "show", name))[0]
            eq((row["login"], row["reason"]), (False, "not paid"))
            site.do(noun, "resume", name)
            row = listing(site.do("--json", noun, "show", name))[0]
            eq((row["login"], row["reason"]), (True, None))
            eq(site.login().rc, 0)
            site.do(noun, "set", name, "--login", "off")
            eq(site.login().rc, 1)
            site.do(noun, "set", name, "--login", "on")
            eq(site.login().rc, 0)
        site.do("domain", "suspend", "example.com")
        eq(site.login("ex1-0001").rc, 1, "by its own name as little")


@test("of a domain that leads to another customer's box both handles count")
def crossed():
    with two() as site:
        site.do("domain", "add", "other.org", "--handle", "ot2")
        site.do("address", "add", "joe@other.org", "ex1-0001")
        eq(site.login("joe@other.org").rc, 0)
        site.do("handle", "suspend", "ot2")
        eq(site.login("joe@other.org").rc, 1)
        eq(site.login().rc, 0)
        site.do("handle", "resume", "ot2")
        site.do("handle", "suspend", "ex1")
        eq(site.login("joe@other.org").rc, 1)
        site.do("handle", "resume", "ex1")
        for handle in ("ot2", "ex1"):
            site.do("handle", "set", handle, "--delivery", "hold")
            eq(site.deliver("joe@other.org").rc, 111, handle)
            site.do("handle", "set", handle, "--delivery", "on")
        eq(site.deliver("joe@other.org").rc, 0)


@test("set says what is set, changes nothing twice, and refuses bad values")
def sets():
    with two() as site:
        site.do("box", "set", "joe@example.com", "--name", "J\u00f6", "--quota",
                "2G")
        row = listing(site.do("--json", "box", "show", "ex1-0001"))[0]
        eq((row["name"], row["quota"]), ("J\u00f6", 2 << 30))
        site.do("box", "set", "ex1-0001", "--quota", "1M")
        before = site.last_entry()
        site.do("box", "set", "ex1-0001", "--quota", "1M")
        site.do("handle", "set", "ex1", "--login", "on")
        site.do("domain", "set", "example.com", "--ip", "none")
        eq(site.last_entry(), before)
        eq(site.login().rc, 0, "the password stays")
        site.do("handle", "set", "ex1", "--name", "Example Ltd")
        has(site.do("handle", "show", "ex1"), "Example Ltd")
        for noun, name in levels(site):
            site.fails(2, "nothing to set", noun, "set", name)
            site.fails(2, "takes on, off or a list", noun, "set", name, "--login", "x")
            site.fails(2, "on, off or hold", noun, "set", name, "--delivery",
                       "x")
            site.fails(100, "without control", noun, "set", name, "--reason",
                       "a\nb")
        site.fails(2, "no size", "box", "set", "ex1-0001", "--quota", "2X")
        site.fails(100, "no such box", "box", "set", "ex1-0099", "--quota",
                   "1M")
        site.do("domain", "add", "example.net", "--alias-of", "example.com")
        site.fails(100, "no mail of its own", "domain", "set", "example.net",
                   "--delivery", "off")


@test("a deleted box gets the mail that is on its way, and comes back whole")
def box_del():
    with two() as site:
        site.do("address", "add", "info@example.com", "joe@example.com",
                "bob@x.org")
        site.do("box", "del", "joe@example.com", "--yes")
        eq(site.login().rc, 1)
        eq(site.login("ex1-0001").rc, 1)
        eq(site.popbox("box", "show", "ex1-0001").rc, 1)
        hasnt(site.do("box", "list"), "ex1-0001")
        eq(site.deliver("example.com-joe@example.com", queued=True).rc, 0)
        eq(site.mails(), 1)
        eq(site.mails("ex1-0002"), 0)
        got = site.deliver("info@example.com")
        eq((got.rc, got.out), (0, "forward bob@x.org\n"))
        site.sound()
        has(site.do("--json", "box", "undelete", "joe@example.com"),
            '"ex1-0001"')
        eq(site.login().rc, 0, "with its password")
        eq(site.deliver("joe@example.com").rc, 0)
        eq(site.mails(), 2)
        site.fails(100, "no such box was deleted", "box", "undelete",
                   "ex1-0001")
        site.fails(100, "postmaster@example.com leads to it", "box", "del",
                   "ex1-0000", "--yes")
        eq(site.popbox("sync", "--dry-run").rc, 0)


@test("a deleted address bounces, and does not fall to the catch-all")
def address_del():
    with two() as site:
        site.do("address", "del", "joe@example.com", "--yes")
        got = site.deliver("joe@example.com")
        eq(got.rc, 100)
        has(got.out + got.err, SAYS)
        eq(site.login().rc, 1)
        eq(site.login("ex1-0001").rc, 0, "the box stays")
        site.fails(100, "keeps its postmaster", "address", "del",
                   "postmaster@example.com", "--yes")
        site.fails(100, "no such address", "address", "del",
                   "nobody@example.com", "--yes")
        site.fails(100, "was deleted on", "address", "add", "joe@example.com",
                   "ex1-0002")
        site.do("address", "add", "joe@example.com", "ex1-0001")
        eq(site.deliver("joe@example.com").rc, 0)
        eq(site.mails(), 1)
        site.do("address", "del", "*@example.com", "--yes")
        eq(site.deliver("nobody@example.com").rc, 100)
        eq(site.mails("ex1-0002"), 0)
        site.sound()


@test("an address leads where it is set, in all forms of a target")
def targets():
    with two() as site:
        site.do("address", "add", "a@example.com", "ann@example.com")
        site.do("address", "add", "b@example.com", "ex1-0001", "ex1-0002",
                "Bob@X.org", "bob@x.org", "Bob@X.org")
        row = listing(site.do("--json", "address", "show", "b@example.com"))[0]
        eq((row["address"], row["box"], row["forwards"]),
           ("b@example.com", "ex1-0001",
            ["a@example.com", "Bob@x.org"]))
        site.do("address", "add", "c@example.com", "x@b\u00fccher.example")
        has(site.do("address", "show", "c@example.com"),
            "x@xn--bcher-kva.example")
        site.do("address", "set", "c@example.com", "ex1-0002")
        eq(site.deliver("c@example.com").rc, 0)
        eq(site.mails("ex1-0002"), 1)
        site.do("domain", "add", "example.net", "--alias-of", "example.com")
        site.do("address", "set", "c@example.com", "joe@example.net")
        has(site.do("address", "show", "c@example.com"), "ex1-0001")
        for why, target in (("lead to itself", "d@example.com"),
                            ("neither a box", "nothing"),
                            ("a local part has", "a b@x.org"),
                            ("a domain has", "|prog@x.org\n"),
                            ("a domain has", "a@b c"),
                            ("no box 'ex1-0077'", "ex1-0077")):
            site.fails(100, why, "address", "add", "d@example.com", target)
        many = [f"{'x' * 60}{i}@example.org" for i in range(60)]
        site.do("address", "add", "list@example.com", *many)
        site.fails(2, "too many operands", "address", "add", "l@example.com",
                   *many, *many)
        long = [f"{'y' * 60}{i}@{'z' * 60}.{'z' * 60}.org" for i in range(60)]
        site.fails(100, "bytes of forwards", "address", "add",
                   "l@example.com", *long)
        site.fails(100, "no such address", "address", "set",
                   "nobody@example.com", "ex1-0001")
        site.fails(100, "there is no domain", "address", "add", "x@nowhere.org",
                   "ex1-0001")
        site.sound()
        eq(len(site.do("address", "list", "--forwards").splitlines()), 3)


@test("a renamed address: mail on its way to the old one reaches the box")
def address_rename():
    with two() as site:
        site.do("address", "rename", "joe@example.com", "joseph@example.com")
        eq(site.login("joseph@example.com").rc, 0)
        eq(site.login().rc, 1)
        eq(site.deliver("example.com-joe@example.com", queued=True).rc, 0)
        eq(site.deliver("joseph@example.com").rc, 0)
        eq(site.mails(), 2)
        site.do("address", "rename", "joseph@example.com", "joe@example.com",
                "--keep")
        eq(site.login("joseph@example.com").rc, 0)
        eq(site.login().rc, 0)
        site.fails(100, "already", "address", "rename", "joe@example.com",
                   "ann@example.com")
        site.fails(100, "keeps its postmaster", "address", "rename",
                   "postmaster@example.com", "pm@example.com")


@test("a renamed domain: boxes stay, mail on its way arrives, the old name ends")
def domain_rename():
    with two() as site:
        site.do("domain", "set", "example.com", "--ip", "192.0.2.1")
        site.do("domain", "add", "alias.org", "--alias-of", "example.com")
        site.do("domain", "rename", "example.com", "new.example")
        eq(site.login("joe@new.example").rc, 0)
        eq(site.login().rc, 1)
        eq(site.login("joe", env={"TCPLOCALIP": "192.0.2.1"}).rc, 0)
        eq(site.login("joe@alias.org").rc, 0)
        eq(site.deliver("joe@new.example").rc, 0)
        eq(site.deliver("joe@alias.org").rc, 0)
        eq(site.deliver("joe@example.com").rc, 100)
        eq(site.deliver("example.com-joe@example.com", queued=True).rc, 0)
        eq(site.mails(), 3)
        site.sound()
        site.fails(100, "may be on its way", "domain", "add", "example.com",
                   "--handle", "ot2")
        site.fails(100, "users/assign would mix", "domain", "add",
                   "example.com-x.org", "--handle", "ot2")
        site.do("domain", "rename", "new.example", "third.org", "--keep")
        eq(site.deliver("joe@new.example").rc, 0)
        eq(site.login("joe@new.example").rc, 0)
        eq(site.deliver("new.example-joe@new.example", queued=True).rc, 0)
        eq(site.deliver("joe@alias.org").rc, 0)
        eq(site.mails(), 6)
        site.do("domain", "rename", "alias.org", "alias.net")
        eq(site.deliver("joe@alias.net").rc, 0)
        eq(site.deliver("joe@alias.org").rc, 100)
        site.sound()
        eq(site.popbox("sync", "--dry-run").rc, 0)
        before = site.tree()
        site.do("sync", "--full")
        eq(site.tree(), before, "sync --full finds it all as it should be")


@test("a deleted domain: no more mail and logins, what is on its way arrives")
def domain_del():
    with two() as site:
        site.do("domain", "add", "example.net", "--alias-of", "example.com")
        site.fails(100, "is an alias of it", "domain", "del", "example.com",
                   "--yes")
        site.do("domain", "del", "example.net", "--yes")
        site.do("domain", "del", "example.com", "--yes")
        eq(site.control("rcpthosts"), "localhost\n")
        eq(site.login().rc, 1)
        eq(site.login("ex1-0001").rc, 1)
        eq(site.deliver("example.com-joe@example.com", queued=True).rc, 0)
        eq(site.mails(), 1)
        eq(site.do("--json", "box", "list"), "")
        eq(site.do("--json", "address", "list"), "")
        before = site.tree()
        site.do("sync", "--full")
        eq(site.tree(), before)
        site.do("purge", "--yes")
        eq(site.tree(), before, "it is too young")
        site.do("purge", "example.com", "--now", "--yes")
        # It goes to ~alias, which bounces it, or defers it where it is missing.
        assert site.deliver("example.com-joe@example.com",
                            queued=True).rc in (100, 111)
        assert not os.path.exists(site.domain_path())
        eq(site.control("virtualdomains"), "example.net:example.com\n"
           ".example.net:example.com\n")
        eq(site.assign(), ".\n")
        eq(site.mails(), 1, "the Maildir has its own time")
        site.do("purge", "example.net", "--now", "--yes")
        site.do("purge", "ex1-0001", "--now", "--yes")
        eq(site.mails(), None)
        eq(site.control("virtualdomains"), "")
        site.sound()


@test("what was made and deleted before it was ever published is published")
def never_published():
    for count, program in ((1, None), (20, SMALL)):  # one by one, and in bulk
        with Site() as site:
            def good(*args):
                got = site.popbox(*args, program=program)
                eq(got.rc, 0, got)
            good("domain", "add", "new.org", "--handle", "ex1", "--no-sync")
            good("domain", "add", "host.org", "--handle", "ex1", "--kind",
                 "dialup", "--no-sync")
            for i in range(count):
                good("box", "add", f"u{i}@new.org", "--no-password",
                     "--no-sync")
            good("box", "del", "u0@new.org", "--yes", "--no-sync")
            good("domain", "del", "new.org", "--yes", "--no-sync")
            good("domain", "del", "host.org", "--yes", "--no-sync")
            good("sync")
            found = site.popbox("check").out
            hasnt(found, "owed")
            hasnt(found, "missing")
            good("purge", "new.org", "--now", "--yes")
            hasnt(site.popbox("check").out, "owed")


@test("a domain with --keep-boxes leaves its boxes")
def keep_boxes():
    with two() as site:
        site.do("domain", "del", "example.com", "--keep-boxes", "--yes")
        eq(site.login("ex1-0001").rc, 0)
        eq(len(listing(site.do("--json", "box", "list"))), 3)


@test("numbers of a handle are never given twice, even after it was deleted")
def numbers():
    with two() as site:
        site.fails(100, "still has the domain", "handle", "del", "ex1", "--yes")
        site.do("domain", "del", "example.com", "--keep-boxes", "--yes")
        site.fails(100, "still has the box", "handle", "del", "ex1", "--yes")
        for number in range(3):
            site.do("box", "del", f"ex1-{number:04}", "--yes")
        site.do("handle", "del", "ex1", "--yes")
        eq(site.popbox("handle", "show", "ex1").rc, 1)
        site.do("purge", "example.com", "--now", "--yes")
        site.do("domain", "add", "example.com", "--handle", "ex1",
                "--postmaster", "root@x.org")
        has(site.do("box", "add", "joe@example.com", "--no-password"),
            "ex1-0003")


@test("purge goes by age, and by qmail's queuelifetime")
def purge_ages():
    with two() as site:
        site.do("box", "del", "joe@example.com", "--yes")
        has(site.popbox("purge", "--yes").err, "nothing to purge")
        site.fails(100, "old enough", "purge", "ex1-0001", "--yes")
        site.fails(2, "--now wants the name", "purge", "--now", "--yes")
        site.fails(2, "no time span", "purge", "--older-than", "soon")
        site.write_control("queuelifetime", "0\n")
        time.sleep(1.1)
        site.do("purge", "--yes")
        eq(site.mails(), 0, "the Maildir stays for 30 days")
        assert not os.path.exists(site.domain_path() + "/.qmail-joe")
        site.fails(2, "say --yes", "purge", "--older-than", "0")
        site.do("purge", "--older-than", "0", "--yes")
        eq(site.mails(), None)
        site.fails(100, "or it is purged", "box", "undelete", "ex1-0001")
        site.fails(100, "cannot come back", "undo", str(site.last_entry()))


@test("what was deleted in this very second is not purged by its age before the "
      "next")
def purge_same_second():
    with two() as site:
        site.write_control("queuelifetime", "0\n")
        site.do("domain", "add", "other.org", "--handle", "ex1")
        for _ in range(20):
            time.sleep(1.01 - time.time() % 1)
            second = int(time.time())
            site.do("domain", "del", "other.org", "--yes")
            site.do("box", "del", "joe@example.com", "--yes")
            got = site.popbox("purge", "--older-than", "0", "--yes")
            if int(time.time()) == second:
                has(got.err, "nothing to purge")
                return
            site.do("undo", "--yes")
            site.do("undo", "--yes")
        raise AssertionError("it never took less than a second")


@test("what is purged leaves unmanaged files where they are")
def purge_foreign():
    with two() as site:
        path = site.domain_path() + "/.qmail-list"
        with open(path, "w") as file:
            file.write("|list-manager\n")
        os.chown(path, UID, GID)
        site.do("domain", "del", "example.com", "--yes")
        got = site.popbox("purge", "example.com", "--now", "--yes")
        eq(got.rc, 0)
        has(got.err, "has unmanaged files")
        eq(os.listdir(site.domain_path()), [".qmail-list"])
        eq(site.popbox("sync", "--dry-run").rc, 0)


@test("a .qmail file made by hand is kept, listed, and adopted when asked")
def foreign():
    with two() as site:
        for name, text in ((".qmail-list", "|list-manager\n"),
                           (".qmail-Never", "x\n")):
            with open(f"{site.domain_path()}/{name}", "w") as file:
                file.write(text)
            os.chown(file.name, UID, GID)
        text = site.do("address", "list", "example.com")
        has(text, "list@example.com  unmanaged file: .qmail-list")
        has(text, "unmanaged file without an address: .qmail-Never")
        rows = [r for r in listing(site.do("--json", "address", "list",
                                           "example.com")) if "file" in r]
        eq({(r["address"], r["file"]) for r in rows},
           {("list@example.com", ".qmail-list"), (None, ".qmail-Never")})
        site.fails(100, "--adopt", "address", "add", "list@example.com",
                   "ex1-0001")
        site.do("address", "add", "list@example.com", "ex1-0001", "--adopt",
                "--dry-run")
        has(open(f"{site.domain_path()}/.qmail-list").read(), "list-manager")
        site.do("address", "add", "list@example.com", "ex1-0001", "--adopt")
        has(open(f"{site.domain_path()}/.qmail-list.by-hand").read(),
            "list-manager")
        eq(site.deliver("list@example.com").rc, 0)
        eq(site.popbox("address", "list", "nowhere.org").rc, 1)


@test("a file that is adopted again has a copy of its own: none is replaced")
def adopted_again():
    with two() as site:
        path = f"{site.domain_path()}/.qmail-list"
        for text in ("|first\n", "|second\n", "|third\n"):
            with open(path, "w") as file:
                file.write(text)
            os.chown(path, UID, GID)
            site.do("address", "add", "list@example.com", "ex1-0001",
                    "--adopt")
            site.do("address", "del", "list@example.com", "--yes")
            site.do("purge", "list@example.com", "--now", "--yes")
        eq([open(path + end).read() for end in
            (".by-hand", ".2.by-hand", ".3.by-hand")],
           ["|first\n", "|second\n", "|third\n"])
        site.sound()


@test("destructive verbs want --yes where there is nobody to ask")
def yes():
    with two() as site:
        before = site.tree(), site.do("--json", "log")
        for words in (("box", "del", "joe@example.com"),
                      ("address", "del", "joe@example.com"),
                      ("domain", "del", "example.com"),
                      ("handle", "del", "ex1")):
            site.fails(2, "say --yes", *words)
            eq((site.tree(), site.do("--json", "log")), before)
        for words in (("box", "del", "joe@example.com"),
                      ("domain", "del", "example.com"),
                      ("domain", "rename", "example.com", "x.org"),
                      ("address", "set", "joe@example.com", "ex1-0002")):
            has(site.do(*words, "--dry-run"), "store: ")
            eq((site.tree(), site.do("--json", "log")), before)


def snapshot(site):
    """All that there is, without when it was changed."""
    rows = []
    for noun in ("handle", "domain", "box", "address"):
        for row in listing(site.do("--json", noun, "list")):
            row.pop("changed", None)
            row.pop("next_box", None)
            rows.append(row)
    return rows


@test("undo takes back every kind of change, and undo of undo makes it again")
def undo():
    with two() as site:
        site.do("domain", "add", "alias.org", "--alias-of", "example.com")
        for words in (("handle", "add", "nw3"),
                      ("handle", "set", "ex1", "--name", "N"),
                      ("handle", "suspend", "ex1"),
                      ("domain", "add", "other.org", "--handle", "ot2"),
                      ("domain", "set", "example.com", "--ip", "192.0.2.1"),
                      ("domain", "rename", "example.com", "new.org"),
                      ("domain", "rename", "example.com", "newer.org",
                       "--keep"),
                      ("domain", "del", "alias.org", "--yes"),
                      ("box", "add", "new@example.com", "--generate"),
                      ("box", "set", "ex1-0001", "--delivery", "hold"),
                      ("box", "del", "ex1-0001", "--yes"),
                      ("address", "add", "x@example.com", "ex1-0001"),
                      ("address", "set", "joe@example.com", "a@b.org"),
                      ("address", "rename", "joe@example.com",
                       "j@example.com"),
                      ("address", "del", "joe@example.com", "--yes")):
            before = snapshot(site)
            site.do(*words)
            after = snapshot(site)
            assert before != after, words
            site.do("undo", str(site.last_entry()))
            eq(snapshot(site), before, words)
            eq(site.login().rc, 0, words)
            eq(site.deliver("joe@example.com").rc, 0, words)
            site.do("undo", str(site.last_entry()))
            eq(snapshot(site), after, words)
            site.do("undo", str(site.last_entry()))
            eq(snapshot(site), before, words)
            site.sound()


STATE = (("--login", "off"), ("--delivery", "hold"), ("--reason", "why"))
# Each field that a change can touch; the first one of each is taken back, with
# each of the others changed since.
FIELDS = (
    (("handle", "set", "ex1"), ("--name", "N"), ("--quota", "5M"),
     ("--messages", "7"), ("--max-boxes", "7"), ("--max-addresses", "70"),
     ("--max-domains", "7"), *STATE),
    (("domain", "set", "example.com"), ("--ip", "192.0.2.1"),
     ("--no-subdomains",), ("--kind", "backup", "--yes"), ("--quota", "5M"),
     ("--messages", "7"), *STATE),
    (("domain", "set", "relay.org"), ("--host", "b.org"), ("--host", "b.org:26"),
     ("--host", "c.org:25"), ("--subdomains",)),
    (("box", "set", "ex1-0001"), ("--name", "N"), ("--quota", "5M"), ("--messages", "7"),
     ("--vacation-text", "Away."), *STATE),
    (("address", "set", "joe@example.com"), ("a@b.org",), ("a@b.or",),
     ("a@b.com",), ("ex1-0001", "a@b.org"), ("ex1-0000",)),
)


@test("undo refuses when another field was changed since, and works once that is "
      "taken back")
def undo_fields():
    for words, first, *others in FIELDS:
        for other in others:
            with two() as site:
                site.do("domain", "add", "relay.org", "--handle", "ex1",
                        "--kind", "relay", "--host", "a.org",
                        "--no-subdomains")
                before = snapshot(site)
                site.do(*words, *first)
                number = site.last_entry()
                middle = snapshot(site)
                site.do(*words, *other)
                since = site.last_entry()
                site.fails(100, f"changed since, by entry {since}", "undo",
                           str(number))
                site.do("undo", str(since))
                eq(snapshot(site), middle, (words, other))
                site.do("undo", str(number))
                eq(snapshot(site), before, (words, other))


@test("undo refuses what cannot be taken back, and says why")
def undo_refuses():
    with two() as site:
        site.do("box", "set", "ex1-0001", "--name", "A")
        first = site.last_entry()
        site.do("box", "set", "ex1-0001", "--name", "B")
        second = site.last_entry()
        site.fails(100, f"changed since, by entry {second}", "undo",
                   str(first))
        site.do("passwd", "ex1-0001", "--stdin", input=GOOD + "2\n")
        site.fails(100, "password reset cannot be undone", "undo",
                   str(site.last_entry()))
        site.do("undo", str(second))
        site.do("undo", str(first))
        site.fails(100, "no such entry", "undo", "9999")
        site.fails(2, "not the number", "undo", "x")
        site.fails(100, "numbered from 1", "undo", "0")
        site.fails(100, "still has the", "undo", "1")


@test("the last login is noted once an hour, whatever stands in its place")
def lastlogin():
    with two() as site:
        path = site.box_path() + "/.lastlogin"
        has(site.do("box", "show", "ex1-0001"), "last login        never")
        eq(site.login().rc, 0)
        eq(open(path).read(), "192.0.2.7\n")
        info = os.stat(path)
        eq((info.st_uid, info.st_gid, info.st_mode & 0o777),
           (UID, GID, 0o600))
        row = listing(site.do("--json", "box", "show", "ex1-0001"))[0]
        eq(row["last_ip"], "192.0.2.7")
        assert row["last_login"]
        os.utime(path, (info.st_mtime - 3500,) * 2)
        then = os.stat(path).st_mtime
        eq(site.login().rc, 0)
        eq(os.stat(path).st_mtime, then, "younger than an hour")
        os.utime(path, (info.st_mtime - 3700,) * 2)
        eq(site.login(env={"TCPREMOTEIP": "x\ny"}).rc, 0)
        eq(open(path).read(), "-\n")
        secret = site.top + "/secret"
        open(secret, "w").write("precious")
        os.chmod(secret, 0o666)
        for make in (lambda: os.symlink(secret, path),
                     lambda: os.mkfifo(path), lambda: os.link(secret, path)):
            os.unlink(path)
            make()
            eq(site.login().rc, 0)
            eq(open(path).read(), "192.0.2.7\n")
            eq(open(secret).read(), "precious")
        os.unlink(path)
        os.mkdir(path)
        eq(site.login().rc, 0)


@test("boxes are listed by handle, domain, switches and last login")
def lists():
    with two() as site:
        site.do("domain", "add", "other.org", "--handle", "ot2")
        site.do("handle", "add", "zz9")
        eq(site.login().rc, 0)

        def boxes(*words):
            return [r["box"] for r in listing(site.do("--json", "box", "list",
                                                      *words))]
        every = ["ex1-0000", "ex1-0001", "ex1-0002", "ot2-0000"]
        eq(boxes(), every)
        eq(boxes("--handle", "ex1"), every[:3])
        eq(boxes("--handle", "ot2"), every[3:])
        eq(boxes("--handle", "zz9"), [])
        eq(boxes("--never"), ["ex1-0000", "ex1-0002", "ot2-0000"])
        eq(boxes("--idle", "1"), [])
        path = site.box_path() + "/.lastlogin"
        os.utime(path, (os.stat(path).st_mtime - 10 * 86400,) * 2)
        eq(boxes("--idle", "9"), ["ex1-0001"])
        eq(boxes("--idle", "9", "--domain", "other.org"), [])
        eq(boxes("--idle", "11"), [])
        site.do("box", "suspend", "ex1-0002")
        site.do("handle", "suspend", "ot2")
        site.do("domain", "suspend", "other.org")
        eq(boxes("--suspended"), ["ex1-0002", "ot2-0000"])
        for noun, name in (("handle", "ot2"), ("domain", "other.org")):
            eq([r[noun] for r in listing(site.do("--json", noun, "list",
                                                 "--suspended"))], [name])
        has(site.do("box", "list", "--never"), "LAST LOGIN")
        site.fails(2, "number of days", "box", "list", "--idle", "soon")


@test("the journal is filtered by object, table, actor and time, and followed")
def journal():
    with two() as site:
        def log(*words):
            return listing(site.do("--json", "log", *words))
        eq({e["object"] for e in log("--table", "box")},
           {"ex1-0000", "ex1-0001", "ex1-0002"})
        eq(log("--actor", "nobody-here"), [])
        eq(log("--until", "2020-01-01"), [])
        eq(len(log("--until", "2099-01-01")), len(log()))
        entry = log("--object", "joe@example.com")[-1]
        eq((entry["before"], entry["after"]["box"]), (None, "ex1-0001"))
        site.do("address", "set", "joe@example.com", "ex1-0002",
                env={"SUDO_USER": "alice"})
        entry = log("--actor", "alice")[-1]
        eq((entry["op"], entry["before"]["box"], entry["after"]["box"]),
           ("set", "ex1-0001", "ex1-0002"))
        site.fails(2, "--table 'x'", "log", "--table", "x")
        site.fails(2, "--until 'x'", "log", "--until", "x")
        follow = site.start(POPBOX, "-d", site.store, "--json", "log",
                            "--since", str(entry["number"]), "--follow",
                            stdout=subprocess.PIPE)
        site.do("handle", "set", "ex1", "--name", "followed")
        seen = json.loads(follow.stdout.readline())
        eq(seen["after"]["name"], "followed")
        follow.terminate()
        follow.wait()
        follow.stdout.close()


@test("set says what was set to what")
def what_to_what():
    with Site() as site:
        site.joe()
        site.do("box", "set", "ex1-0001", "--quota", "100M")
        said = site.popbox("box", "set", "ex1-0001", "--quota", "500 MB",
                           "--login", "off", "--reason", "why").err
        has(said, "popbox: quota of ex1-0001: 100M -> 500M\n")
        has(said, "popbox: login of ex1-0001: on -> off\n")
        has(said, "popbox: reason of ex1-0001: none -> why\n")
        hasnt(said, "changed of")
        has(site.popbox("box", "set", "ex1-0001", "--quota", "none").err,
            "quota of ex1-0001: 500M -> none\n")
        said = site.popbox("box", "set", "ex1-0001", "--quota", "none").err
        has(said, "nothing had to be changed")
        hasnt(said, " -> ")
        has(site.popbox("handle", "set", "ex1", "--delivery", "hold").err,
            "delivery of ex1: on -> hold\n")
        has(site.popbox("domain", "set", "example.com", "--ip",
                        "192.0.2.1").err, "ip of example.com: none -> 192.0.2.1")
        said = site.popbox("address", "set", "joe@example.com", "a@b.org",
                           "b@b.org").err
        has(said, "box of joe@example.com: ex1-0001 -> none\n")
        has(said, "forwards of joe@example.com: none -> a@b.org b@b.org\n")
        got = site.popbox("--json", "box", "set", "ex1-0001", "--name", "J")
        hasnt(got.err, "->")


@test("a target named twice is one, and several in one word are told apart")
def twice():
    with Site() as site:
        site.joe()
        site.do("address", "add", "j@example.com", "joe@example.com")
        site.do("address", "add", "g@example.com", "joe@example.com",
                "JOE@Example.com", "ex1-0001", "j@example.com",
                "A@b.org", "a@B.ORG")
        row = json.loads(site.do("--json", "address", "show", "g@example.com"))
        eq((row["box"], row["forwards"]), ("ex1-0001", ["A@b.org"]))
        for word in ("a@b.org,c@d.org", "a@b.org c@d.org", "a@b.org; c@d.org",
                     "joe@example.com, ex1-0001", "ex1-0001,ex1-0002"):
            site.fails(100, "these are several", "address", "set",
                       "g@example.com", word)
        site.fails(100, "a local part has", "address", "set", "g@example.com",
                   "a(@b.org")


run()
