#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox: lists of boxes by filter, and one change of all boxes that fit."""
import csv
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, GOOD, UID, Site, eq, has, hasnt, on_terminal, run, test

HASH = "$5$rounds=1000$abcdefgh$W9b6LCs2QMhQTdIiTnQDl7EZKoSlmVSOwKhCpK8M4fB"


def four():
    """joe with a password and a login, ann, sue and bob without; two domains."""
    site = Site().joe()
    site.do("domain", "add", "other.org", "--handle", "ot2")
    for name in ("ann@example.com", "sue@example.com", "bob@other.org"):
        site.do("box", "add", name, "--no-password", "--name",
                "Person " + name[:3].upper())
    site.do("address", "add", "sales@other.org", "ann@example.com")
    eq(site.login().rc, 0)
    return site


def boxes(site, *options):
    return [json.loads(line)["box"] for line in
            site.do("--json", "box", "list", *options).splitlines()]


def hashes(site):
    """As they are in the store."""
    return site.do("export")


def change_numbers(site):
    return [json.loads(line)["number"] for line in
            site.do("--json", "log").splitlines()]


def aged(site, box, days):
    path = site.box_path(box) + "/.lastlogin"
    if not os.path.exists(path):
        with open(path, "w"):
            pass
        os.chown(path, UID, GID)
    then = os.stat(path).st_mtime - days * 86400
    os.utime(path, (then, then))


@test("box list finds boxes by the scheme of their hash, and by a text in any "
      "of their names")
def lists():
    with four() as site:
        site.do("passwd", "sue@example.com", "--hash-stdin", input=HASH + "\n")
        eq(boxes(site, "--hash", "sha256crypt"), ["ex1-0003"])
        eq(boxes(site, "--hash", "argon2id"), ["ex1-0001"])
        eq(boxes(site, "--hash", "none"),
           ["ex1-0000", "ex1-0002", "ot2-0000", "ot2-0001"])
        site.fails(2, "no scheme 'md4'", "box", "list", "--hash", "md4")
        eq(boxes(site, "--match", "ANN"), ["ex1-0002"])
        eq(boxes(site, "--match", "person b"), ["ot2-0001"])
        eq(boxes(site, "--match", "sales@"), ["ex1-0002"], "its other address")
        eq(boxes(site, "--match", "ot2-"), ["ot2-0000", "ot2-0001"])
        eq(boxes(site, "--match", "0", "--domain", "other.org", "--hash",
                 "none"), ["ex1-0002", "ot2-0000", "ot2-0001"])
        site.fails(2, "wants a text", "box", "list", "--match", "")


@test("a box that nobody ever logged into is idle since it was made")
def idle():
    with four() as site:
        eq(boxes(site, "--idle", "1"), [])
        aged(site, "ex1-0001", 10)
        eq(boxes(site, "--idle", "9"), ["ex1-0001"])
        eq(boxes(site, "--idle", "11"), [])


@test("suspend, resume and set take a filter: one change, one undo, a question "
      "with the count")
def sets():
    with four() as site:
        got = site.fails(2, "suspend 2 boxes?", "box", "suspend", "--match",
                         "person", "--domain", "example.com")
        has(got.err, "--yes")
        eq(boxes(site, "--suspended"), [])
        rc, seen = on_terminal(site, ["box", "suspend", "--match", "person"],
                               [b"y\n"])
        eq(rc, 0)
        has(seen, "suspend 3 boxes? [y/N]")
        has(seen, "3 boxes suspended")
        eq(boxes(site, "--suspended"), ["ex1-0002", "ex1-0003", "ot2-0001"])
        got = site.popbox("box", "set", "--match", "person", "--login", "off",
                          "--handle", "ot2", "--yes")
        has(got.err, "0 boxes set, 1 unchanged")
        hasnt(got.err, "undo")
        site.do("undo", "--yes")
        eq(boxes(site, "--suspended"), [])
        got = json.loads(site.do("--json", "box", "set", "--handle", "ot2",
                                 "--delivery", "off", "--yes"))
        eq((got["boxes"], got["changed"]), (2, 2))
        eq(got["entry"], change_numbers(site)[-2], "the first of the change")
        eq(site.deliver("bob@other.org").rc, 100, "and it is published")
        site.do("box", "suspend", "--handle", "ot2", "--yes")
        site.do("box", "resume", "--suspended", "--yes")
        eq(boxes(site, "--suspended"), [])
        site.sound()


@test("a dry run lists which boxes fit, and changes nothing")
def dry():
    with four() as site:
        before = change_numbers(site)
        for command in (("box", "suspend"), ("box", "del"),
                        ("passwd", "--generate", "--credentials",
                         site.top + "/new")):
            out = site.do(*command, "--match", "person", "--dry-run")
            eq(out.splitlines()[:3], ["ex1-0002 ann@example.com",
                                      "ex1-0003 sue@example.com",
                                      "ot2-0001 bob@other.org"], command)
            has(out, "store: ")
        eq(change_numbers(site), before)
        assert not os.path.exists(site.top + "/new")


@test("del takes a filter, leaves a postmaster's box alone and names it")
def dels():
    with four() as site:
        before = boxes(site)
        got = site.popbox("box", "del", "--domain", "example.com", "--yes")
        eq(got.rc, 0)
        has(got.err, "box 'ex1-0000' stays")
        has(got.err, "3 boxes deleted")
        eq(boxes(site), ["ex1-0000", "ot2-0000", "ot2-0001"])
        site.do("undo", "--yes")
        eq(boxes(site), before)
        eq(site.login().rc, 0)
        site.sound()


@test("passwd takes a filter: each box gets a password of its own, which is in "
      "the file and logs in")
def passwords():
    with four() as site:
        path = site.top + "/new"
        site.fails(2, "wants --generate and --credentials", "passwd",
                   "--match", "person")
        site.fails(2, "is for one box", "passwd", "--match", "person",
                   "--stdin", input=GOOD)
        site.fails(2, "needs a filter", "passwd", "ex1-0001",
                   "--generate", "--credentials", path)
        got = site.popbox("passwd", "--match", "person", "--generate=16",
                          "--credentials", path, "--yes")
        eq((got.rc, got.out), (0, ""))
        has(got.err, "3 boxes")
        eq(os.stat(path).st_mode & 0o777, 0o600)
        with open(path) as file:
            rows = list(csv.DictReader(file))
        eq([row["address"] for row in rows],
           ["ann@example.com", "sue@example.com", "bob@other.org"])
        eq(len({row["password"] for row in rows}), 3)
        for row in rows:
            eq(len(row["password"]), 16)
            eq(site.login(row["address"], row["password"]).rc, 0)
        eq(site.login().rc, 0, "joe's is his old one")
        groups = {json.loads(line)["group"] for line in
                  site.do("--json", "log").splitlines()
                  if json.loads(line)["op"] == "password"}
        eq(len(groups), 2, "joe's first, and all of these")
        site.fails(100, "is there already", "passwd", "--match", "person",
                   "--generate", "--credentials", path, "--yes")


@test("where the store cannot be changed no file of passwords is left")
def no_file():
    with four() as site:
        path = site.top + "/new"
        before = hashes(site)
        got = site.popbox("passwd", "--match", "person", "--generate",
                          "--credentials", path, "--yes",
                          prefix=("strace", "-f", "-o", "/dev/null", "-e",
                                  "trace=pwrite64,pwritev,writev", "-e",
                                  "inject=pwrite64,pwritev:error=EIO"))
        eq(got.rc, 111)
        eq(hashes(site), before)
        assert not os.path.exists(path), got


@test("a last login that is not known stops a change, and is not taken for "
      "never")
def unknown():
    with four() as site:
        before = boxes(site)
        os.rename(site.home, site.home + ".away")
        os.mkdir(site.home)
        os.chown(site.home, UID, GID)
        for option in (("--never",), ("--idle", "1")):
            got = site.popbox("box", "del", *option, "--yes")
            eq(got.rc, 111, got)
            has(got.err, "nothing was changed")
        os.rmdir(site.home)
        os.rename(site.home + ".away", site.home)
        eq(boxes(site), before)
        os.mkdir(site.box_path("ex1-0002") + "/.lastlogin")
        got = site.popbox("box", "suspend", "--never", "--yes")
        eq(got.rc, 111, got)
        eq(boxes(site, "--suspended"), [])


@test("a list of many boxes has each one's last login, whatever numbers are missing, "
      "and as box show has it")
def each():
    with Site().joe() as site:
        path = site.top + "/many.csv"
        with open(path, "w") as file:
            file.write("address,hash\n" + "".join(
                f"u{i}@example.com,*\n" for i in range(600)))
        site.do("import", path)
        for n in (1, 2, 3, 255, 256, 257, 258, 259, 512, 513, 601):
            aged(site, f"ex1-{n:04}", n)
        for name in ("u5@example.com", "u300@example.com"):
            site.do("box", "del", name, "--yes")
            site.do("purge", name, "--now", "--yes")
        rows = dict(line.split(",")[:2] for line in site.do(
            "box", "list", "--csv", "--columns",
            "box,last-login").splitlines()[1:])
        eq(len(rows), 600)
        eq(sum(v != "" for v in rows.values()), 11)
        for box, last in rows.items():
            if last or box[-1] == "9":
                shown = json.loads(site.do("--json", "box", "show", box))
                eq(shown["last_login"] or "", last, box)
        eq(len(boxes(site, "--never")), 589)
        eq(boxes(site, "--idle", "550"), ["ex1-0601"])


@test("a command takes one box or a filter, and says which when it gets neither "
      "or both")
def which():
    with four() as site:
        for command in (("box", "del"), ("box", "suspend"), ("box", "resume"),
                        ("box", "set", "--name", "x"),
                        ("passwd", "--generate")):
            site.fails(2, "which box?", *command)
            site.fails(2, "not both", *command, "ex1-0001", "--never")
        got = site.popbox("box", "suspend", "--handle", "zz9", "--yes")
        eq(got.rc, 0)
        has(got.err, "no box fits: nothing was changed")
        has(got.err, "there is no 'zz9'")


run()
