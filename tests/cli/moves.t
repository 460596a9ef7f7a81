#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A domain, with its boxes and their mail, moves to another handle."""
import json
import os
import random
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from broken import relative
from tap import GID, UID, Site, eq, has, hasnt, run, skip, test

MOVE = ("domain", "move", "example.com", "--handle", "new")


def full():
    """joe with mail, ann, an alias, forwards, a group, a catch-all, and a list
    that somebody made by hand."""
    site = Site().joe()
    site.do("box", "add", "ann@example.com", "--no-password", "--name", "Ann")
    site.do("box", "set", "ann@example.com", "--quota", "5M")
    site.do("box", "suspend", "ann@example.com", "--reason", "unpaid")
    site.do("domain", "add", "example.net", "--alias-of", "example.com")
    site.do("address", "add", "j.doe@example.com", "joe@example.com")
    site.do("address", "add", "away@example.com", "x@far.org")
    site.do("address", "add", "*@example.com", "joe@example.com")
    for name in ("joe@example.com", "joe@example.com"):
        eq(site.deliver(name).rc, 0)
    path = site.domain_path() + "/.qmail-list"
    with open(path, "w") as file:
        file.write("&someone@far.org\n")
    os.chown(path, UID, GID)
    return site


def box(site, name):
    """The rows of a box, but for its name and when it was changed."""
    shown = json.loads(site.do("--json", "box", "show", name))
    return {k: v for k, v in shown.items() if k not in
            ("box", "handle", "changed", "maildir", "login_by")}


def uidl(site, name):
    return sorted(os.listdir(site.box_path(name) + "/new"))


@test("a domain moves with its boxes: numbers of the new handle, and all else "
      "stays, mail by its names; the old numbers are said")
def moves():
    with full() as site:
        mail = uidl(site, "ex1-0001")
        eq(len(mail), 2)
        for login in ("joe@example.com", "joe@example.net", "ex1-0001"):
            eq(site.login(login).rc, 0, login)
        before = [box(site, n) for n in ("ex1-0001", "ex1-0002")]
        got = site.popbox(*MOVE)
        eq(got.rc, 0, got)
        has(got.err, "domain 'example.com' belongs to the new handle 'new' "
                     "now, with 3 boxes and 6 addresses")
        has(got.err, "box 'ex1-0001' is 'new-0001' now: a login as "
                     "'ex1-0001' is refused")
        eq([box(site, n) for n in ("new-0001", "new-0002")], before)
        eq(uidl(site, "new-0001"), mail)
        eq(os.path.lexists(site.box_path("ex1-0001")), False)
        eq(os.path.lexists(site.domain_path()), False)
        eq(open(site.domain_path(handle="new") + "/.qmail-list").read(),
           "&someone@far.org\n")
        for login, rc in (("joe@example.com", 0), ("joe@example.net", 0),
                          ("new-0001", 0), ("ex1-0001", 1)):
            eq(site.login(login).rc, rc, login)
        for name in ("joe", "j.doe", "anything"):
            eq(site.deliver(name + "@example.com").rc, 0, name)
        eq(site.deliver("joe@example.net").rc, 0)
        eq(len(uidl(site, "new-0001")), 6)
        eq([json.loads(x)["handle"] for x in
            site.do("--json", "domain", "list").splitlines()], ["new"] * 2)
        has(site.assign(), "/n/new/DOMAINS/example.com:")
        hasnt(site.assign(), "/ex1/")
        site.sound()
        # No number of the old handle is given again.
        site.do("domain", "add", "b.org", "--handle", "ex1")
        shown = json.loads(site.do("--json", "box", "add", "x@b.org",
                                   "--no-password"))
        assert shown["box"] > "ex1-0002", shown


@test("the answer in JSON; a dry run says everything and changes nothing")
def dry():
    with full() as site:
        tree, last = site.tree(), site.last_entry()
        got = site.popbox(*MOVE, "--dry-run")
        eq(got.rc, 0, got)
        has(got.out, f"{site.box_path('new-0001')}/: moved from "
                     f"{site.box_path('ex1-0001')}/")
        has(got.out, "/n/new/DOMAINS/example.com/: moved from ")
        has(got.err, "box 'ex1-0002' is 'new-0002' now")
        eq((site.tree(), site.last_entry()), (tree, last))
        rows = [json.loads(line) for line in
                site.do("--json", *MOVE).splitlines()]
        eq((rows[0]["domain"], rows[0]["handle"]), ("example.com", "new"))
        eq(rows[1:], [{"box": "new-0000", "was": "ex1-0000"},
                      {"box": "new-0001", "was": "ex1-0001"},
                      {"box": "new-0002", "was": "ex1-0002"}])


@test("one undo takes it all back, mail and files as well; and can be undone")
def undone():
    with full() as site:
        before = relative(site)
        number = site.last_entry() + 1
        site.do(*MOVE)
        after = relative(site)
        eq(site.deliver("joe@example.com").rc, 0)
        site.do("undo", str(number))
        eq(len(uidl(site, "ex1-0001")), 3)
        now = relative(site)
        # The empty directories of a handle stay, as they do elsewhere.
        eq({k: v for k, v in now.items() if "/n" not in k[:9]},
           {k: v for k, v in before.items()})
        for login, rc in (("joe@example.com", 0), ("ex1-0001", 0),
                          ("new-0001", 1)):
            eq(site.login(login).rc, rc, login)
        site.sound()
        site.do("undo", str(first_of_last(site)))
        eq(relative(site), after | {k: v for k, v in relative(site).items()
                                    if "/e/ex1" in k})
        eq(len(uidl(site, "new-0001")), 3)
        site.sound()


def first_of_last(site):
    entries = [json.loads(x) for x in site.do("--json", "log").splitlines()]
    return [e for e in entries if e["op"] != "owed"][-1]["group"]


@test("a box with addresses in a domain that stays is refused, and they are "
      "named; with that domain it moves")
def staying():
    with full() as site:
        site.do("domain", "add", "b.org", "--handle", "ex1")
        site.do("address", "add", "joe@b.org", "ex1-0001")
        tree, last = site.tree(), site.last_entry()
        got = site.fails(100, "box 'ex1-0001' also has the address "
                              "'joe@b.org'", *MOVE)
        hasnt(got.err, "ex1-0002")
        has(got.err, "nothing was changed")
        eq((site.tree(), site.last_entry()), (tree, last))
        site.do("domain", "move", "example.com", "b.org", "--handle", "new")
        eq(site.login("joe@b.org").rc, 0)
        site.sound()


@test("a box of another handle stays where it is, and its address leads to it")
def others():
    with full() as site:
        site.do("domain", "add", "c.org", "--handle", "ot2")
        site.do("box", "add", "carl@c.org", "--no-password")
        number = site.do("--json", "address", "show", "carl@c.org")
        name = json.loads(number)["box"]
        site.do("address", "add", "carl@example.com", name)
        site.do(*MOVE)
        eq(json.loads(site.do("--json", "address", "show",
                              "carl@example.com"))["box"], name)
        eq(site.deliver("carl@example.com").rc, 0)
        eq(site.mails(name), 1)
        site.sound()


@test("what it refuses: an alias, the same handle, no such domain, no handle")
def refuses():
    with full() as site:
        site.fails(100, "goes with its domain", "domain", "move",
                   "example.net", "--handle", "new")
        site.fails(100, "already", "domain", "move", "example.com",
                   "--handle", "ex1")
        site.fails(100, "there is no domain", "domain", "move", "no.org",
                   "--handle", "new")
        site.fails(2, "--handle", "domain", "move", "example.com")
        site.sound()


@test("domains of the other kinds move: one that is dialled in, a relay")
def kinds():
    with full() as site:
        site.do("domain", "add", "host.example.org", "--kind", "dialup",
                "--handle", "ex1")
        site.do("domain", "add", "r.org", "--kind", "relay", "--host",
                "mx.r.org", "--handle", "ex1")
        site.do("handle", "add", "new")
        site.do("handle", "set", "new", "--delivery", "hold")
        eq(site.deliver("a@host.example.org").rc, 0)
        got = site.popbox("domain", "move", "host.example.org", "r.org",
                          "--handle", "new")
        eq(got.rc, 0, got)
        has(got.err, "2 domains belong to handle 'new' now")
        # The switch of the new handle holds.
        eq(site.deliver("a@host.example.org").rc, 111)
        waiting = site.serial + "/host.example.org/Maildir/new"
        eq(len(os.listdir(waiting)), 1)
        site.do(*MOVE)
        eq(site.deliver("joe@example.com").rc, 111)
        eq(site.deliver("away@example.com").rc, 111)
        site.do("handle", "set", "new", "--delivery", "on")
        eq(site.deliver("joe@example.com").rc, 0)
        site.sound()


@test("a Maildir that is missing, one that popusr put in its place, a link for "
      "the Maildir: refused before anything changes", root=True)
def obstacles():
    with full() as site:
        path, aside = site.box_path("ex1-0001"), site.top + "/aside"
        os.rename(path, aside)
        got = site.fails(100, f"the Maildir '{path}' is not there", *MOVE)
        has(got.err, "popbox sync --full")
        os.symlink(aside, path)
        site.fails(100, f"'{path}' is no directory", *MOVE)
        os.unlink(path)
        os.rename(aside, path)
        os.makedirs(site.domain_path(handle="new"))
        site.fails(100, "DOMAINS/example.com' is there already", *MOVE)
        shutil.rmtree(site.home + "/n")
        eq(site.login().rc, 0)
        site.do(*MOVE)
        site.sound()


def kill_it(site, call, when):
    return site.popbox(*MOVE, prefix=(
        "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
        f"inject={call}:signal=SIGKILL:when={when}"))


@test("popusr's link in the place of the new Maildir is not followed: the box is "
      "pending, its mail stays where it was, and sync moves it", root=True)
def planted():
    with full() as site:
        canary = site.top + "/canary"
        os.mkdir(canary, 0o777)
        os.chmod(canary, 0o777)
        site.do(*MOVE, "--no-sync")
        where = site.box_path("new-0001")
        os.makedirs(os.path.dirname(where))
        for name in (where, os.path.dirname(where), site.home + "/n/new",
                     site.home + "/n"):
            if name == where:
                os.symlink(canary, name)
            os.chown(name, UID, GID, follow_symlinks=False)
        got = site.popbox("sync")
        eq(got.rc, 111, got)
        has(got.err, f"cannot move '{site.box_path('ex1-0001')}' to "
                     f"'{where}'")
        eq(os.listdir(canary), [])
        eq(len(uidl(site, "ex1-0001")), 2)
        eq(site.login().rc, 111)
        # Mail goes on into the Maildir that is still to be moved.
        eq(site.deliver("joe@example.com").rc, 0)
        # Not even a purge takes it.
        got = site.popbox("purge", "ex1-0001", "--now", "--yes")
        eq(got.rc, 0, got)
        has(got.err, "has not moved to another handle yet")
        os.unlink(where)
        site.do("sync")
        eq(len(uidl(site, "new-0001")), 3)
        eq(site.login().rc, 0)
        site.sound()


@test("mail that comes meanwhile waits in the queue or arrives, none is lost")
def meanwhile():
    with full() as site:
        site.do(*MOVE, "--no-sync")
        # Files as before: the old way still stands.
        eq(site.deliver("joe@example.com").rc, 0)
        os.makedirs(os.path.dirname(site.box_path("new-0001")))
        os.rename(site.box_path("ex1-0001"), site.box_path("new-0001"))
        for where, _, _ in os.walk(site.home + "/n"):
            os.chown(where, UID, GID)
        # The Maildir is gone, its file not yet anew: deferred.
        eq(site.deliver("joe@example.com").rc, 111)
        site.do("sync")
        eq(site.deliver("joe@example.com").rc, 0)
        eq(len(uidl(site, "new-0001")), 4)
        site.sound()


@test("killed at any call, sync leaves it finished or untouched, and no mail is "
      "lost", plain=True)
def kills():
    with full() as site:
        untouched = relative(site)
        trace = site.top + "/trace"
        calls = ("renameat", "fsync", "pwritev", "fdatasync", "unlinkat",
                 "rename", "sendto", "sendmsg")
        got = site.popbox(*MOVE, prefix=(
            "strace", "-f", "-o", trace, "-e", "trace=" + ",".join(calls)))
        if got.rc:
            skip("no tracing here")
        finished = relative(site)
        text = open(trace).read()
    seen, tried = set(), 0
    for call in calls:
        count = text.count(" " + call + "(")
        for when in range(1, count + 1, 1 + count // 12):
            with full() as site:
                kill_it(site, call, when)
                assert site.login().rc in (0, 111), (call, when)
                assert site.deliver("joe@example.com").rc in (0, 111)
                site.do("sync")
                now = relative(site)
                assert now in (finished, untouched), (call, when)
                moved = now == finished
                seen.add(moved)
                name = "new-0001" if moved else "ex1-0001"
                assert len(uidl(site, name)) >= 2, (call, when)
                eq(site.login().rc, 0, (call, when))
                eq(site.deliver("joe@example.com").rc, 0)
                site.sound()
                tried += 1
    eq(seen, {True, False})
    assert tried > 20, tried
    print(f"# {tried} kills")


@test("what was deleted stays with the old handle, and keeps its mail: an "
      "undeleted box, an address that is deleted while its box moves")
def deleted():
    with full() as site:
        site.do("box", "add", "old@example.com", "--no-password")
        site.do("box", "del", "old@example.com", "--yes")
        site.do("address", "del", "j.doe@example.com", "--keep", "--yes")
        site.do(*MOVE)
        # For mail on its way the deleted address leads to where the mail is.
        eq(site.deliver("j.doe@example.com").rc, 0)
        eq(len(uidl(site, "new-0001")), 3)
        site.do("box", "undelete", "ex1-0003")
        eq(site.deliver("old@example.com").rc, 0)
        eq(site.mails("ex1-0003"), 1)
        site.fails(100, "is 'new-0001' now", "box", "undelete", "ex1-0001")
        # One that moved and was then deleted comes back.
        site.do("box", "del", "ann@example.com", "--yes")
        site.do("box", "undelete", "new-0002")
        site.sound()


@test("the old number's record is purged later, and takes no mail along")
def purged():
    with full() as site:
        site.do(*MOVE)
        site.do("purge", "ex1-0001", "--now", "--yes")
        eq(len(uidl(site, "new-0001")), 2)
        site.do("sync", "--full")
        eq(len(uidl(site, "new-0001")), 2)
        site.sound()


@test("moved on twice, and a store from a backup between, find the mail")
def again():
    with full() as site:
        site.do(*MOVE)
        backup = site.top + "/backup"
        site.do("backup", backup)
        site.do("domain", "move", "example.com", "--handle", "third")
        eq(len(uidl(site, "third-0001")), 2)
        site.sound()
        site.do("undo", str(first_of_last(site)))
        site.do("domain", "move", "example.com", "--handle", "ex1")
        eq(site.login("joe@example.com").rc, 0)
        eq(len(uidl(site, "ex1-0004")), 2)
        site.sound()


@test("a deleted address and a first number know their box over two moves: mail on "
      "its way arrives where the mail is, and the number does not come back")
def over_two():
    with full() as site:
        site.do("address", "del", "j.doe@example.com", "--keep", "--yes")
        site.do(*MOVE)
        site.do("domain", "move", "example.com", "--handle", "third")
        eq(site.deliver("j.doe@example.com").rc, 0)
        eq(len(uidl(site, "third-0001")), 3)
        for old in ("ex1-0001", "new-0001"):
            site.fails(100, "is 'third-0001' now", "box", "undelete", old)
        site.do("box", "set", "third-0001", "--delivery", "off")
        eq(site.deliver("j.doe@example.com").rc, 100)
        site.sound()


@test("1,000 boxes move at once, and back")
def thousand():
    with Site().joe() as site:
        rows = "".join(f"u{i}@example.com,*\n" for i in range(1000))
        with open(site.top + "/in.csv", "w") as file:
            file.write("address,hash\n" + rows)
        site.do("import", site.top + "/in.csv")
        eq(site.deliver("u7@example.com").rc, 0)
        got = site.popbox(*MOVE)
        eq(got.rc, 0, got)
        has(got.err, "with 1002 boxes and ")
        eq(len(os.listdir(os.path.dirname(site.box_path("new-0001")))), 1002)
        eq(os.listdir(os.path.dirname(site.box_path())), [])
        eq(site.deliver("u7@example.com").rc, 0)
        site.sound()
        site.do("undo", str(first_of_last(site)))
        eq(len(os.listdir(os.path.dirname(site.box_path()))), 1002)
        site.sound()


@test("a backup of the time after a move, restored after its undo, finds the mail, and "
      "one of the time before it, restored after it")
def restored():
    with full() as site:
        site.do("backup", site.top + "/before")
        site.do(*MOVE)
        site.do("backup", site.top + "/after")
        site.do("undo", str(first_of_last(site)))
        eq(site.deliver("joe@example.com").rc, 0)
        site.do("restore", site.top + "/after", "--yes")
        eq(len(uidl(site, "new-0001")), 3)
        eq(site.login().rc, 0)
        eq(site.deliver("joe@example.com").rc, 0)
        site.sound()
        # That one knows nothing of a move: the mail is where the other put it.
        site.do("restore", site.top + "/before", "--yes")
        eq(site.login().rc, 0)
        eq(len(uidl(site, "new-0001")), 4)
        assert any("new-0001" in text for _, text in site.findings())


def mail_below(site):
    return sorted(name for where, _, names in os.walk(site.home)
                  for name in names if where.endswith("/new"))


@test("moves between other changes, undone or not, leave the files as the store says, "
      "and every message once")
def mixed():
    for seed in range(int(os.environ.get("MOVES", "3"))):
        draw = random.Random(seed)
        with full() as site:
            site.do("domain", "add", "b.org", "--handle", "ot2")
            site.do("box", "add", "bob@b.org", "--no-password")
            site.do("address", "add", "team@b.org", "joe@example.com",
                    "bob@b.org")
            for name in ("ann@example.com", "bob@b.org"):
                eq(site.deliver(name).rc, 0)
            mail = mail_below(site)
            done = []
            for step in range(20):
                words = draw.choice((
                    ("domain", "move", "example.com", "b.org", "--handle"),
                    ("domain", "move", "example.com", "--handle"),
                    ("domain", "move", "b.org", "--handle"),
                    ("box", "del", "ann@example.com", "--yes"),
                    ("box", "undelete", "ann@example.com"),
                    ("box", "del", "bob@b.org", "--yes"),
                    ("box", "undelete", "bob@b.org"),
                    ("address", "del", "j.doe@example.com", "--yes"),
                    ("address", "add", "j.doe@example.com",
                     "joe@example.com"),
                    ("handle", "set", "new", "--delivery", "hold"),
                    ("undo", str(first_of_last(site)))))
                if words[-1] == "--handle":
                    words += (draw.choice(("ex1", "ot2", "new")),)
                got = site.popbox(*words)
                assert got.rc in (0, 100), (seed, step, words, got)
                done.append((words, got.rc))
                eq(site.findings()[:3], [], (seed, done))
                eq(mail_below(site), mail, (seed, done))
            site.do("sync", "--full")
            eq(site.findings()[:3], [], (seed, done))


def leaving(site, *handle):
    """A domain beside example.com, and what moving example.com says."""
    site.do("domain", "add", "b.org", "--handle", "ex1")
    return site.popbox("domain", "move", "example.com", "--handle", *handle)


@test("a customer's domains share the postmaster's box: a domain that leaves them "
      "leaves it to them, and gets that of its new handle; one undo")
def postmasters():
    with full() as site:
        site.do("domain", "add", "b.org", "--handle", "ex1")
        got = site.popbox(*MOVE)
        eq(got.rc, 0, got)
        has(got.err, "postmaster@example.com leads to box 'new-0000' now: "
                     "box 'ex1-0000' stays with the other domains")
        has(got.err, "with 2 boxes and 6 addresses")
        for name in ("example.com", "b.org"):
            eq(site.deliver("postmaster@" + name).rc, 0)
        eq((site.mails("new-0000"), site.mails("ex1-0000")), (1, 1))
        site.sound()
        site.do("undo", str(first_of_last(site)))
        eq(site.login("joe@example.com").rc, 0)
        eq(site.deliver("postmaster@example.com").rc, 0)
        eq((site.mails("new-0000"), site.mails("ex1-0000")), (1, 2))
        site.sound()


@test("a postmaster that leaves its box leads where those of the new handle's domains "
      "do, and keeps its own forwards; in JSON as well")
def joins():
    with full() as site:
        site.do("domain", "add", "c.org", "--handle", "new",
                "--postmaster", "root@far.org")
        site.do("domain", "add", "b.org", "--handle", "ex1")
        got = json.loads(site.do("--json", *MOVE).splitlines()[-1])
        eq(got, {"address": "postmaster@example.com", "box": None,
                 "was": "ex1-0000"})
        with open(site.domain_path(handle="new") +
                  "/.qmail-postmaster") as file:
            eq(file.read(), "&root@far.org\n")
        site.do("undo", str(first_of_last(site)))
        site.do("address", "set", "postmaster@example.com", "ex1-0000",
                "own@far.org")
        site.do("domain", "del", "c.org", "--yes")
        site.do("domain", "add", "d.org", "--handle", "new")
        got = site.popbox(*MOVE).err
        shown = json.loads(site.do("--json", "address", "show",
                                   "postmaster@example.com"))
        eq(shown["forwards"], ["own@far.org"])
        has(got, f"leads to box '{shown['box']}' now")
        eq(shown["box"][:4], "new-")
        site.sound()


@test("several domains that leave their postmaster's box get one new box, also where "
      "the handle has given numbers")
def several():
    with full() as site:
        site.do("handle", "add", "new")
        site.do("domain", "add", "once.org", "--handle", "new")
        site.do("box", "add", "x@once.org", "--no-password")
        site.do("domain", "del", "once.org", "--yes")
        for name in ("b.org", "c.org"):
            site.do("domain", "add", name, "--handle", "ex1")
        site.do("domain", "move", "b.org", "c.org", "--handle", "new")
        rows = [json.loads(site.do("--json", "address", "show",
                                   "postmaster@" + n))["box"]
                for n in ("b.org", "c.org")]
        eq(rows[0], rows[1])
        eq(rows[0] in ("new-0000", "ex1-0000"), False, rows)
        eq(site.mails("ex1-0000"), 0)
        site.sound()

run()
