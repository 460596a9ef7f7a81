#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A change is answered by what became of it; what is pending beside it is one
line."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, SMALL, UID, Site, eq, has, hasnt, run, skip, test


def broken(site):
    """No box can be made in ex1's directory; one is added there. Returns the
    path that cannot be made, and what mends it."""
    where = os.path.dirname(site.box_path())
    os.chown(where, 0, 0)
    os.chmod(where, 0o755)
    got = site.popbox("box", "add", "bad@example.com", "--no-password")
    eq(got.rc, 111, got)
    has(got.err, f"cannot make '{site.box_path('ex1-0002')}': Permission")
    has(got.err, "2 of its files could not be written")
    hasnt(got.err, "pending")
    return site.box_path("ex1-0002"), lambda: os.chown(where, UID, GID)


def other(site):
    site.do("domain", "add", "other.net", "--handle", "ot2")
    return site


def lines(got):
    """What it said, but for the number of its own change."""
    return [line for line in got.err.splitlines()
            if not re.fullmatch(r"popbox: change \d+", line)]


def journal(site):
    return [json.loads(line) for line in
            site.do("--json", "log").splitlines()]


def pending(site):
    return json.loads(site.popbox("--json", "status").out)["pending"]


@test("a customer's unusable Maildir changes neither the exit code nor the "
      "messages of another's change, but for one line", root=True)
def others():
    with other(Site().joe()) as site:
        path, mend = broken(site)
        for name in ("a", "b", "c"):
            before = len(journal(site))
            got = site.popbox("box", "add", name + "@other.net",
                              "--no-password")
            eq(got.rc, 0, got)
            eq(len(lines(got)), 1, got)
            has(got.err, "2 changes of ex1 are pending since ")
            has(got.err, "'popbox status' says why")
            hasnt(got.err, path)
            # Its own two: box and address.
            after = journal(site)[before:]
            eq(len(after), 2)
            eq(site.deliver(name + "@other.net").rc, 0)
        # The quiet are told nothing.
        got = site.popbox("-q", "handle", "set", "ot2", "--name", "x")
        eq((got.rc, got.err), (0, ""))


@test("sync tries what is pending again, tells all of it, ends with 111, and "
      "adds nothing to the journal until something changes", root=True)
def sync():
    with other(Site().joe()) as site:
        path, mend = broken(site)
        site.do("box", "add", "a@other.net", "--no-password")
        before = len(journal(site))
        for _ in range(3):
            got = site.popbox("sync")
            eq(got.rc, 111, got)
            has(got.err, path)
            has(got.err, "2 of its files")
            eq(len(journal(site)), before)
        eq(site.popbox("sync", "--dry-run").rc, 1)
        mend()
        eq(site.popbox("sync").rc, 0)
        eq(site.popbox("sync", "--dry-run").rc, 0)
        eq(site.deliver("bad@example.com").rc, 0)
        got = site.popbox("box", "add", "b@other.net", "--no-password")
        eq((got.rc, lines(got)), (0, []))
        site.sound()


@test("what is pending keeps when it failed, of whose command, and why", root=True)
def why():
    with Site().joe() as site:
        path, mend = broken(site)
        rows = pending(site)
        eq([(e["table"], e["object"], e["handle"]) for e in rows],
           [("box", "ex1-0002", "ex1"), ("address", "bad@example.com", "ex1")])
        has(rows[0]["command"], "box add bad@example.com")
        has(rows[0]["why"], path)
        eq(rows[1]["why"], "the Maildir of 'ex1-0002' is not there")
        # The journal has what people did alone; and that can be undone.
        eq([e["op"] for e in journal(site)][-2:], ["add", "add"])
        site.do("undo", str(site.last_entry()))


@test("a new domain waits while other files of its handle are pending, and says "
      "so; a domain that is there already does not", root=True)
def waits():
    with Site().joe() as site:
        path, mend = broken(site)
        got = site.fails(111, "'new.org' takes no mail yet: other changes of "
                              "'ex1' are pending", "domain", "add", "new.org",
                         "--handle", "ex1")
        hasnt(got.err, path)
        hasnt(site.control("rcpthosts"), "new.org")
        why = {p["object"]: p["why"] for p in json.loads(
            site.popbox("--json", "status").out)["pending"]}["new.org"]
        has(got.err, f"popbox: {why}\n")
        has(why, "takes no mail yet: other changes of 'ex1'")
        got = site.popbox("domain", "set", "example.com", "--login", "off")
        eq(got.rc, 0, got)
        mend()
        eq(site.popbox("sync").rc, 0)
        has(site.control("rcpthosts"), "new.org")
        site.sound()


@test("an address that leads to a box without Maildir is told of itself", root=True)
def leads():
    with Site().joe() as site:
        path, mend = broken(site)
        got = site.fails(111, path, "address", "add", "more@example.com",
                         "ex1-0002")
        has(got.err, "2 of its files")
        mend()
        site.do("sync")
        eq(site.deliver("more@example.com").rc, 0)
        eq(site.popbox("sync", "--dry-run").rc, 0)


@test("a file of qmail's that cannot be changed stops domains, and no box of "
      "another customer", root=True)
def files():
    with other(Site().joe()) as site:
        site.do("domain", "add", "new.org", "--handle", "ex1", "--no-sync")
        assign = site.assign()
        with open(site.qmail + "/users/assign", "w") as file:
            file.write("=broken\n.\n")
        got = site.fails(111, "assign", "sync")
        got = site.popbox("box", "add", "a@other.net", "--no-password")
        eq(got.rc, 0, got)
        hasnt(got.err, "assign")
        has(got.err, "1 change of ex1 is pending")
        with open(site.qmail + "/users/assign", "w") as file:
            file.write(assign)
        eq(site.popbox("sync").rc, 0)
        site.sound()


@test("what was left to sync and cannot be published is pending, not the fault "
      "of the change that comes along", root=True)
def left():
    with other(Site().joe()) as site:
        path = site.box_path("ex1-0002")
        os.chown(os.path.dirname(path), 0, 0)
        os.chmod(os.path.dirname(path), 0o755)
        site.do("box", "add", "bad@example.com", "--no-password", "--no-sync")
        got = site.popbox("box", "add", "a@other.net", "--no-password")
        eq(got.rc, 0, got)
        hasnt(got.err, path)
        has(got.err, "2 changes of ex1 are pending")
        has(pending(site)[0]["command"], "bad@example.com")


@test("a purge that cannot be published is pending, and no change to undo; sync "
      "removes it", root=True)
def purged():
    with other(Site().joe()) as site:
        site.do("box", "del", "joe@example.com", "--yes")
        where = os.path.dirname(site.box_path())
        os.chown(where, 0, 0)
        os.chmod(where, 0o755)
        got = site.fails(111, f"cannot remove '{site.box_path()}'", "purge",
                         "ex1-0001", "--now", "--yes")
        eq([p["why"][:15] for p in pending(site)], ["cannot remove '"])
        site.do("handle", "set", "ot2", "--name", "x", env={"SUDO_USER": "ann"})
        eq(site.popbox("sync").rc, 111)
        got = site.fails(2, "handle set ot2 --name x", "undo",
                         env={"SUDO_USER": "ann"})
        os.chown(where, UID, GID)
        site.do("sync")
        assert not os.path.exists(site.box_path())
        site.sound()


@test("what is pending stays as it is, however many changes come, and the journal "
      "has those alone", root=True)
def kept():
    with other(Site().joe()) as site:
        path, mend = broken(site)
        was, before = pending(site), len(journal(site))
        for i in range(15):
            site.do("handle", "set", "ot2", "--name", f"x{i}", program=SMALL)
            site.do("passwd", "joe@example.com", "--generate", program=SMALL)
        eq(pending(site), was)
        eq(len(journal(site)), before + 30)
        mend()
        site.do("sync")
        eq(site.popbox("sync", "--dry-run").rc, 0)
        site.sound()


@test("sync --full keeps what is pending once, and what it alone finds is pending "
      "by its own name", root=True)
def full():
    with Site().joe() as site:
        path, mend = broken(site)
        before = len(journal(site))
        for _ in range(2):
            eq(site.popbox("sync", "--full").rc, 111)
            eq(sorted(p["object"] for p in pending(site)),
               ["bad@example.com", "ex1-0002", "example.com"])
        mend()
        site.do("sync")
        os.rename(site.domain_path(), site.domain_path() + ".moved")
        with open(site.domain_path(), "w"):
            pass
        eq(site.popbox("sync", "--full").rc, 111)
        rows = pending(site)
        eq({p["command"].split(" ", 2)[2] for p in rows}, {"sync --full"})
        has([p["object"] for p in rows], "example.com")
        os.unlink(site.domain_path())
        os.rename(site.domain_path() + ".moved", site.domain_path())
        site.do("sync")
        eq(pending(site), [])
        eq(len(journal(site)), before)
        site.sound()


@test("a purge whose file cannot go stands once in the log, however often it is "
      "tried", root=True)
def purged_once():
    with Site().joe() as site:
        site.do("address", "add", "list@example.com", "ex1-0001")
        site.do("address", "del", "list@example.com", "--yes")
        os.chown(site.domain_path(), 0, 0)
        os.chmod(site.domain_path(), 0o755)
        eq(site.popbox("purge", "list@example.com", "--now", "--yes").rc, 111)
        eq(site.popbox("sync").rc, 111)
        os.chown(site.domain_path(), UID, GID)
        site.do("sync")
        text = site.do("log")
        eq(text.count(" purge address list@example.com "), 1, text)
        hasnt(text, " owed ")
        eq(len([e for e in journal(site) if e["op"] == "purge"]), 1)


def injected(call, what):
    return ("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
            f"inject={call}:{what}")


@test("a helper that ends in the middle names no object that it was not asked "
      "about", plain=True, root=True)
def ended():
    with Site().joe() as site:
        for name in ("a", "b"):
            site.do("address", "add", name + "@example.com", "ex1-0001")
            site.do("address", "del", name + "@example.com", "--yes")
        site.do("purge", "a@example.com", "--now", "--yes", "--no-sync")
        site.do("purge", "b@example.com", "--now", "--yes", "--no-sync")
        got = site.popbox("sync", prefix=injected(
            "unlinkat", "signal=SIGKILL:when=2"))
        eq(got.rc, 111, got)
        has(got.err, "the helper that is popusr has ended")
        has(got.err, "cannot remove the files of 'b@example.com': ")
        hasnt(got.err, ".qmail-a'")
        site.do("sync")
        site.sound()


@test("where the lock of publishing cannot be had, 111 says so, and nothing counts "
      "as done", plain=True)
def no_lock():
    with Site().joe() as site:
        site.do("domain", "add", "new.org", "--handle", "ex1", "--no-sync")
        lock = site.store + "/publish.lock"
        got = site.popbox("sync", prefix=(
            "strace", "-f", "-o", "/dev/null", "-P", lock, "-e", "trace=flock",
            "-e", "inject=flock:error=ENOLCK"))
        if "ptrace" in got.err:
            skip("no tracing here")
        eq(got.rc, 111, got)
        has(got.err, f"cannot lock '{lock}': No locks available")
        hasnt(site.control("rcpthosts"), "new.org")
        site.do("sync")
        has(site.control("rcpthosts"), "new.org")


run()
