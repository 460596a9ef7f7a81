#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox check: damage is planted, one kind at a time, found by its name, and
mended where that loses nothing."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, UID, Site, eq, has, hasnt, run, test


def whole():
    """Of everything something, with more domains than rcpthosts takes."""
    site = Site(rcpthosts_max="3").joe()
    add = ("domain", "add")
    site.do(*add, "al.org", "--alias-of", "example.com")
    site.do(*add, "r.org", "--kind", "relay", "--host", "m.org", "--handle",
            "ex1")
    site.do(*add, "h.org", "--kind", "dialup", "--handle", "ex1")
    site.do(*add, "gone.org", "--handle", "ex1")
    site.do("address", "add", "*@example.com", "a@b.org")
    site.do("domain", "del", "gone.org", "--yes")
    return site


def append(name, line):
    def damage(site):
        with open(f"{site.qmail}/{name}", "a", newline="") as file:
            file.write(line)
    return damage


def edit(name, old, new):
    def damage(site):
        path = f"{site.qmail}/{name}"
        with open(path, newline="") as file:
            text = file.read()
        assert old in text, (name, old, text)
        with open(path, "w", newline="") as file:
            file.write(text.replace(old, new, 1))
    return damage


def mode(path, bits):
    return lambda site: os.chmod(path(site), bits)


def owner(path):
    return lambda site: os.chown(path(site), 12345, 12345)


def unlink(path):
    return lambda site: os.unlink(path(site))


def rmdir(path):
    return lambda site: os.rmdir(path(site))


def write(path, text="", mine=True):
    def damage(site):
        with open(path(site), "w", newline="") as file:
            file.write(text)
        if mine:
            os.chown(path(site), UID, GID)
    return damage


def mkdir(path):
    return lambda site: os.makedirs(path(site))


def link(path):
    def damage(site):
        os.unlink(path(site))
        os.symlink("/etc/hostname", path(site))
    return damage


def box(part=""):
    return lambda site: site.box_path() + part


def domain(part=""):
    return lambda site: site.domain_path() + part


def serial(part=""):
    return lambda site: site.serial + part


def qmail(part):
    return lambda site: f"{site.qmail}/{part}"


def owner_of_mail(site):
    write(box("/new/1.mail"), "Subject: x\n")(site)
    os.chown(site.box_path() + "/new", 0, 0)


def store(part=""):
    return lambda site: site.store + part


# (what is done, the word of the finding, is it mended)
DAMAGE = [
    (edit("control/rcpthosts", "example.com\n", ""), "line-missing", True),
    (edit("control/morercpthosts", "r.org\n", ""), "line-missing", True),
    (append("control/rcpthosts", "gone.org\n"), "line-left", True),
    (append("control/morercpthosts", ".gone.org\n"), "line-left", True),
    (append("control/rcpthosts", "x.org\r\n"), "line-crlf", False),
    (append("control/rcpthosts", " y.org\n"), "line-blank", False),
    (unlink(qmail("control/rcpthosts")), "open-relay", False),
    (mode(qmail("control/rcpthosts"), 0o666), "writable", False),
    (mode(qmail("control/rcpthosts"), 0o600), "readable", False),
    (owner(qmail("control/rcpthosts")), "owner", False),
    (edit("control/virtualdomains", "example.com:example.com\n", ""),
     "line-missing", True),
    (edit("control/virtualdomains", "al.org:example.com", "al.org:alias"),
     "line-wrong", True),
    (append("control/virtualdomains", "r.org:alias-r\n"), "line-left", True),
    (append("control/virtualdomains", "nocolon\n"), "line-form", False),
    (edit("control/smtproutes", "r.org:m.org", "r.org:n.org"), "line-wrong",
     True),
    (unlink(qmail("control/smtproutes")), "line-missing", True),
    (append("control/locals", "example.com\n"), "locals", False),
    (edit("users/assign", ":ex1:", ":nobody:"), "line-wrong", True),
    (edit("users/assign", "+h.org-", "+hh.org-"), "line-missing", True),
    (edit("users/assign", ".\n", ""), "assign-end", False),
    (edit("users/assign", "+h.org-", "# c\n+h.org-"), "line-form", False),
    (unlink(qmail("users/cdb")), "cdb-missing", True),
    (write(qmail("users/cdb"), "x" * 3000, False), "cdb-damaged", True),
    (edit("users/assign", "+h.org-", "=me:a:1:1:/a:-::\n+h.org-"),
     "cdb-stale", True),
    (unlink(qmail("control/morercpthosts.cdb")), "cdb-missing", True),
    (append("control/morercpthosts", "z.org\n"), "cdb-stale", True),
    (write(qmail("control/rcpthosts.popbox-tmp"), "x", False), "temporary",
     True),
    (write(qmail("users/cdb.tmp"), "x", False), "temporary", True),
    (write(store("/config.popbox-tmp"), "x", False), "temporary", True),
    (rmdir(box("/tmp")), "maildir", True),
    (lambda s: os.rename(s.box_path(), s.box_path() + "x"), "stray-box",
     False),
    (mode(box(), 0o755), "private", True),
    (mode(box("/new"), 0o750), "private", True),
    (owner(box("/cur")), "owner", True),
    (owner_of_mail, "owner", False),
    (mode(box("/new"), 0o500), "rights", True),
    (mode(box("/tmp"), 0o600), "rights", True),
    (mode(box("/cur"), 0), "rights", True),
    (mode(box(), 0), "rights", True),
    (mode(domain(), 0o300), "rights", True),
    (mode(domain("/.qmail-joe"), 0o200), "rights", True),
    (mode(serial("/h.org/Maildir/new"), 0o500), "rights", True),
    (mode(domain(), 0o777), "writable", True),
    (mode(domain(), 0o1755), "sticky", True),
    (owner(domain()), "owner", False),
    (lambda s: os.rename(s.domain_path(), s.domain_path() + "x"),
     "stray-domain", False),
    (unlink(domain("/.qmail-joe")), "file", True),
    (write(domain("/.qmail-joe"), "/tmp/else/\n"), "file", True),
    (write(domain("/.qmail-joe"), ""), "empty", True),
    (lambda s: write(domain("/.qmail-joe"), s.box_path() + "/\r\n")(s),
     "crlf", True),
    (mode(domain("/.qmail-joe"), 0o664), "writable", True),
    (mode(domain("/.qmail-default"), 0o644), "mode", True),
    (write(domain("/.qmail-Joe"), "x\n"), "unread", False),
    (write(domain("/.qmail-j.d"), "x\n"), "unread", False),
    (link(domain("/.qmail-joe")), "irregular", True),
    (write(domain("/.popbox-tmp"), "x"), "temporary", True),
    (write(domain("/.popbox-tmp.qmail-joe"), "x"), "temporary", True),
    (unlink(serial("/h.org/RELAYHOST")), "file", True),
    (write(serial("/h.org/RELAYHOST"), "else.org\n"), "file", True),
    (write(serial("/h.org/.qmail-default"), "./Mailbox\n"), "file", True),
    (rmdir(serial("/h.org/Maildir/cur")), "maildir", True),
    (mkdir(serial("/stray.org")), "stray-dialup", False),
    (mode(serial(), 0o777), "writable", True),
    (mode(store(), 0o755), "store-mode", True),
    (mode(store("/data.mdb"), 0o644), "store-mode", True),
    (owner(store("/lock.mdb")), "store-owner", False),
    (lambda s: s.do("handle", "set", "ex1", "--delivery", "hold",
                    "--no-sync"), "owed", True),
]


@test("0 findings on an undamaged tree, with qmail-send running, and 1 without")
def undamaged():
    with whole() as site:
        got = site.popbox("check")
        eq(got.rc, 1)
        has(got.out, "qmail-send is not running")
        send = site.send()
        got = site.popbox("check")
        eq((got.rc, got.out), (0, ""))
        has(got.err, "no problem found")
        send.end()
        has(site.popbox("check").out, "qmail-send is not running")


@test("a new password owes nothing to any file")
def password_owes():
    with Site().joe() as site:
        site.do("passwd", "joe@example.com", "--generate")
        site.sound()
        site.do("box", "add", "ann@example.com", "--no-password", "--no-sync")
        has(str(site.findings("--store-only") + site.findings()), "'owed'")
        site.do("sync")
        site.sound()


@test("each kind of damage is found by its name, mended where it can be",
      root=True)
def planted():
    mended = 0
    with whole() as site:
        site.sound()
    for number, (damage, word, mends) in enumerate(DAMAGE):
        with whole() as site:
            damage(site)
            found = site.findings()
            assert word in {w for w, _ in found}, (number, word, found)
            before = site.tree()
            site.findings()
            eq(site.tree(), before, "a look changes nothing")
            site.popbox("check", "--repair")
            left = {w for w, _ in site.findings()}
            eq(word in left, not mends, (number, word, left))
            if mends:
                eq(left, set(), (number, word))
                mended += 1
    print(f"# {len(DAMAGE)} kinds of damage, {mended} of them mended")
    assert len(DAMAGE) >= 40


@test("check --repair prints each problem that it repaired, then how many remain",
      root=True)
def repair_says():
    with Site().joe() as site:
        site.do("box", "add", "ann@example.com", "--no-password")
        cur = site.box_path() + "/cur"
        os.chmod(site.box_path(), 0o1700)
        os.chmod(site.box_path("ex1-0002"), 0o1700)
        stray = os.path.dirname(site.box_path()) + "/ex1-0777"
        os.mkdir(stray)
        found = site.popbox("check")
        eq(found.rc, 1)
        has(found.err, "4 problems found")  # qmail-send does not run, either
        got = site.popbox("check", "--repair")
        eq(got.rc, 1, got)
        repaired = [line for line in got.out.splitlines()
                    if line.startswith("repaired: ")]
        eq(len(repaired), 2, got)
        has(repaired[0] + repaired[1], site.box_path())
        has(repaired[0] + repaired[1], site.box_path("ex1-0002"))
        rest = [line for line in got.out.splitlines() if line not in repaired]
        eq(len(rest), 2, got)
        has("".join(rest), stray)
        hasnt("".join(rest), "--repair repairs it")
        has(got.err, "2 repaired, 2 remaining")
        os.rmdir(stray)
        os.chmod(site.box_path(), 0o1700)
        rows = [json.loads(line) for line in
                site.popbox("--json", "check", "--repair").out.splitlines()]
        eq([(r["check"], r.get("repaired")) for r in rows
            if r["check"] != "qmail-send"], [("sticky", True)])
        site.sound()
        assert os.path.isdir(cur)


@test("check --repair keeps a copy of a .qmail file that somebody edited, and says "
      "where; nothing is overwritten if it cannot", root=True)
def repair_keeps():
    with Site().joe() as site:
        path = site.domain_path() + "/.qmail-joe"
        with open(path) as file:
            ours = file.read()
        for text, copy in (("&me@far.org\n", ".by-hand"),
                           ("&you@far.org\n", ".2.by-hand")):
            with open(path, "w") as file:
                file.write(text)
            got = site.popbox("check", "--repair")
            has(got.err, f"'{path}' said something else than the store: a "
                         f"copy is kept as '{path}{copy}'")
            eq(open(path).read(), ours)
            eq(open(path + copy).read(), text)
        eq(len(os.listdir(os.path.dirname(path))), 4)
        # Its mode alone, and a file that is missing, leave no copy.
        os.chmod(path, 0o600)
        site.popbox("check", "--repair")
        os.unlink(path)
        site.popbox("check", "--repair")
        eq(len(os.listdir(os.path.dirname(path))), 4)
        site.sound()
        for number in range(3, 100):
            os.link(path, f"{path}.{number}.by-hand")
        with open(path + ".new", "w") as file:
            file.write("&last@far.org\n")
        os.rename(path + ".new", path)
        got = site.popbox("check", "--repair")
        eq(got.rc, 1, got)
        has(got.err, "cannot keep a copy of")
        eq(open(path).read(), "&last@far.org\n")


@test("a repair that fails does not say that the store is changed", root=True)
def repair_fails():
    with Site().joe() as site:
        path = site.domain_path() + "/.qmail-joe"
        os.unlink(path)
        os.mkdir(path)
        for words in (("check", "--repair"), ("sync", "--full")):
            got = site.popbox(*words)
            assert got.rc in (1, 111), got
            has(got.err, "of its files could not be written")
            hasnt(got.err, "is changed")
        got = site.popbox("address", "set", "joe@example.com", "x@far.org")
        eq(got.rc, 111, got)
        has(got.err, "the store is changed, but")


@test("a damaged store is said first, and no file is compared with it")
def store_first():
    with whole() as site:
        with open(site.store + "/data.mdb", "r+b") as file:
            data = file.read()
            file.seek(0)
            file.write(data.replace(b"r.org", b"q.org"))
        got = site.popbox("check", "--repair")
        eq(got.rc, 1)
        has(got.out, "(rule 1)")
        has(got.err, "files were not looked at")
        site.fails(2, "popbox restore", "check", "--repair", "--store-only")


@test("check --repair --fix-locals takes a domain out of control/locals")
def locals_():
    with whole() as site:
        site.write_control("locals", "localhost\nr.org\n")
        eq([w for w, _ in site.findings()], ["locals"])
        site.popbox("check", "--repair", "--fix-locals")
        site.sound()
        eq(site.control("locals"), "localhost\n")


run()
