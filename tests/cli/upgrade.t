#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A store of an older format: logins go on, everything else waits for `popbox
upgrade`, and nothing that was pending is forgotten."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, POPBOX, UID, Site, eq, has, hasnt, run, skip, test

MAKER = os.path.dirname(POPBOX) + "/unit/test_pending"


def older(site):
    """The store as a popbox of format 1 would have left it."""
    if not os.path.exists(MAKER):
        skip("the unit tests are not built")
    subprocess.run([MAKER, "--older", site.store], check=True)


def pending(site):
    return json.loads(site.popbox("--json", "status").out)["pending"]


@test("a store of format 1 takes logins, and every command says how to upgrade it")
def waits():
    with Site().joe() as site:
        older(site)
        for words in (("box", "list"), ("status",), ("sync",), ("check",),
                      ("box", "add", "x@example.com", "--no-password")):
            site.fails(111, "is of format 1, this popbox needs format 2", *words)
            site.fails(111, "run 'popbox upgrade'", *words)
        eq(site.login().rc, 0)
        eq(site.login(password="wrong").rc, 1)
        got = site.popbox("upgrade")
        eq(got.rc, 0, got)
        has(got.err, f"as it was, it is in '{site.store}.format-1.backup'")
        eq(site.login().rc, 0)
        has(site.popbox("upgrade").err, "nothing to do")
        eq(site.popbox("sync", "--dry-run").rc, 0)
        site.sound()


@test("what was not published is pending after the upgrade, purges as well")
def pends():
    with Site().joe() as site:
        site.do("domain", "add", "old.org", "--handle", "ex1")
        site.do("box", "add", "a@old.org", "--no-password")
        box = site.box_path("ex1-0002")
        site.do("domain", "del", "old.org", "--yes")
        site.do("purge", "old.org", "--now", "--yes", "--no-sync")
        site.do("purge", "ex1-0002", "--now", "--yes", "--no-sync")
        site.do("domain", "add", "new.org", "--handle", "ex1", "--no-sync")
        site.do("box", "add", "b@new.org", "--no-password", "--no-sync")
        site.do("box", "set", "joe@example.com", "--delivery", "off",
                "--no-sync")
        before = len(site.do("log").splitlines())
        older(site)
        site.do("upgrade")
        assert os.path.exists(box)
        site.do("sync")
        assert not os.path.exists(box)
        assert not os.path.exists(site.domain_path("old.org"))
        has(site.control("rcpthosts"), "new.org\n")
        eq(site.deliver("b@new.org").rc, 0)
        eq(site.deliver("joe@example.com").rc, 100)
        eq(len(site.do("log").splitlines()), before)
        site.sound()


@test("what could not be published keeps its reason over the upgrade", root=True)
def keeps():
    with Site().joe() as site:
        where = os.path.dirname(site.box_path())
        os.chown(where, 0, 0)
        os.chmod(where, 0o755)
        eq(site.popbox("box", "add", "bad@example.com",
                       "--no-password").rc, 111)
        was = pending(site)
        eq(len(was), 2)
        older(site)
        site.do("upgrade")
        # What format 1 wrote into the journal beside changes is none.
        hasnt(site.do("log"), "owed")
        has([json.loads(line)["op"] for line in
             site.do("--json", "log").splitlines()], "owed")
        site.fails(2, "box add bad@example.com", "undo")
        is_now = pending(site)
        eq([(p["object"], p["why"]) for p in is_now],
           [(p["object"], p["why"]) for p in was])
        site.do("handle", "set", "ex1", "--name", "x")
        os.chown(where, UID, GID)
        site.do("sync")
        eq(pending(site), [])
        site.sound()


@test("an upgrade that was ended after its backup makes another one, and goes on")
def again():
    with Site().joe() as site:
        older(site)
        with open(site.store + ".format-1.backup", "w"):
            pass
        got = site.popbox("upgrade")
        eq(got.rc, 0, got)
        has(got.err, ".format-1.backup.2'")


@test("a backup of format 1 is restored, and what it had not removed goes")
def restored():
    with Site().joe() as site:
        site.do("box", "add", "a@example.com", "--no-password")
        site.do("box", "del", "a@example.com", "--yes")
        box = site.box_path("ex1-0002")
        site.do("purge", "ex1-0002", "--now", "--yes", "--no-sync")
        older(site)
        site.do("upgrade")
        backup = site.store + ".format-1.backup"
        site.do("sync")
        assert not os.path.exists(box)
        os.makedirs(box)
        os.chown(box, UID, GID)
        site.do("restore", backup, "--yes", "--no-sync")
        assert json.loads(site.popbox("--json",
                                      "status").out)["unpublished"] > 0
        got = site.popbox("sync", "--dry-run")
        eq(got.rc, 1, got)
        has(got.out, site.box_path())
        site.do("sync")
        assert not os.path.exists(box)
        eq(site.login().rc, 0)
        eq(json.loads(site.popbox("--json", "status").out)["unpublished"], 0)
        site.sound()


run()
