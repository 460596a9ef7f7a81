#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Publishing in bulk: parts, and many files durable at once. The program here
is the one with small limits: parts of 40 items, more than 8 are many, two
file systems are kept in mind."""
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import FILL, GID, POPBOX, SMALL, UID, Site, eq, has, hasnt, run, \
    skip, test

MANY = 100

# syncfs waits for whatever everybody has written to the disk; in memory there
# is nothing to wait for, and what is tested here is the order.
MEMORY = "/dev/shm"
if os.access(MEMORY, os.W_OK) and \
        not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
    tempfile.tempdir = MEMORY


def fill(site, domain, count=MANY, handle="ex1", prefix="u"):
    """So many boxes with addresses u0, u1, ..., in one change, all owed."""
    subprocess.run([FILL, site.store, handle, domain, prefix, str(count)],
                   check=True)


def large(site, count=MANY):
    """A domain that is new and one that is accepted, with much to publish."""
    site.joe()
    site.do("domain", "add", "new.org", "--handle", "ex1", "--no-sync")
    fill(site, "new.org", count)
    fill(site, "example.com", count // 2, prefix="v")
    return site


def sync(site, **kw):
    return site.popbox("sync", program=SMALL, **kw)


def injected(call, what):
    return ("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
            f"inject={call}:{what}")


def traced(site, calls, program=SMALL):
    path = site.top + "/trace"
    got = site.popbox("sync", program=program, prefix=(
        "strace", "-f", "-y", "-s", "300", "-o", path, "-e",
        "trace=" + calls))
    if got.rc != 0:
        skip("no tracing here: " + got.err[:80])
    with open(path) as file:
        return file.read().splitlines()


def names(site, domain):
    try:
        return sorted(os.listdir(site.domain_path(domain)))
    except FileNotFoundError:
        return []


def whole(site, count=MANY):
    """All of it is there, and the domain is accepted."""
    eq(names(site, "new.org"), sorted(
        [".qmail-postmaster"] + [f".qmail-u{i}" for i in range(count)]))
    eq(len(names(site, "example.com")), 2 + count // 2)
    eq(len(os.listdir(site.home + "/e/ex1/POP")), 2 + count + count // 2)
    has(site.control("rcpthosts"), "new.org\n")
    eq(site.deliver("u7@new.org").rc, 0)
    eq(site.popbox("sync", "--dry-run").rc, 0)
    site.sound()


def promise(site, what, count=MANY):
    """Of what is accepted everything can be delivered; and no file, accepted
    or not, is less than whole or names a Maildir that is not there."""
    for domain in ("new.org", "example.com"):
        accepted = domain in site.control("rcpthosts").split("\n")
        there = [n for n in names(site, domain) if n.startswith(".qmail-")]
        if accepted and domain == "new.org":
            eq(len(there), count + 1, what)
        for name in there:
            with open(f"{site.domain_path(domain)}/{name}") as file:
                text = file.read()
            assert re.fullmatch(
                re.escape(site.home) + r"/e/ex1/POP/ex1-\d{4}/\n", text), \
                f"{what}: {name}: {text!r}"
            for part in ("cur", "new", "tmp"):
                assert stat.S_ISDIR(os.stat(text[:-1] + part).st_mode), what
        if accepted:
            eq(site.deliver("postmaster@" + domain).rc, 0, what)


STATE = ("store", "home", "serialmail", "qmail/control", "qmail/users")


def copy(site, source, target):
    for part in STATE:
        shutil.rmtree(f"{site.top}{target}/{part}", ignore_errors=True)
        os.makedirs(os.path.dirname(f"{site.top}{target}/{part}"),
                    exist_ok=True)
        subprocess.run(["cp", "-a", f"{site.top}{source}/{part}",
                        f"{site.top}{target}/{part}"], check=True)


def commits(lines):
    return sum("data.mdb" in line for line in lines)


@test("a large change is published in parts, and the last opens its domain; the "
      "journal is none of them")
def parts():
    with large(Site()) as site:
        before = len(site.do("log").splitlines())
        eq(sync(site).rc, 0)
        whole(site)
        eq(sync(site).rc, 0)
        eq(len(site.do("log").splitlines()), before)


@test("a dial-up domain in a large change has its directory and files")
def dialup():
    with Site().joe() as site:
        site.do("domain", "add", "dial.org", "--handle", "ex1", "--kind", "dialup",
                "--no-sync")
        fill(site, "example.com", 30)
        eq(sync(site).rc, 0)
        where = site.serial + "/dial.org"
        eq(sorted(os.listdir(where)), [".qmail-default", "Maildir", "RELAYHOST"])
        has(site.control("rcpthosts"), "dial.org\n")
        site.sound()


@test("more than ten thousand items go in parts with the limits as shipped",
      plain=True)
def shipped():
    with large(Site(), 6000) as site:
        # Three of 10,000, and the domain.
        eq(commits(traced(site, "fdatasync", program=POPBOX)), 3)
        whole(site, 6000)


@test("sync --full writes nothing where all is said already")
def full():
    with large(Site()) as site:
        eq(sync(site).rc, 0)
        before = {p: os.stat(p).st_ino for p in site.tree()
                  if "/.qmail-" in p}
        eq(site.popbox("sync", "--full", program=SMALL).rc, 0)
        eq({p: os.stat(p).st_ino for p in before}, before)
        whole(site)


@test("killed anywhere in a large change, and again in the sync after it: at "
      "no instant is accepted what cannot be delivered, and sync finishes",
      plain=True)
def kills():
    calls = {"mkdirat": 16, "openat": 24, "write": 12, "renameat": 16,
             "rename": 3, "syncfs": 40, "sendmsg": 10, "recvfrom": 10,
             "fdatasync": 12, "pwrite64": 6, "fchmod": 8, "fsync": 8}
    codes, tried = set(), 0
    with large(Site(standins=True)) as site:  # copied with its qmail
        copy(site, "", "/kept")
        lines = traced(site, ",".join(calls))
        counts = {call: sum(f" {call}(" in line for line in lines)
                  for call in calls}
        whens = [(call, when) for call, spread in calls.items()
                 for when in range(1, counts[call] + 1,
                                   1 + counts[call] // spread)]
        for call, when in whens:
            where = f"{call} {when}"
            copy(site, "/kept", "")
            rc = sync(site, prefix=injected(
                call, f"signal=SIGKILL:when={when}")).rc
            assert rc in (0, 111, -9, 128 + 9), (where, rc)
            codes.add(rc)
            promise(site, where)
            if when % 2:
                sync(site, prefix=injected(
                    call, f"signal=SIGKILL:when={1 + when // 2}"))
                promise(site, where + ", and again")
            eq(sync(site).rc, 0, where)
            whole(site)
            tried += 1
    # Both ends were killed: the helper, then 111, and the tool itself.
    assert 111 in codes and codes & {-9, 137}, codes
    assert tried > 100, tried
    print(f"# {tried} kills")


@test("what was done before a kill is not done again", plain=True)
def resumed():
    with large(Site()) as site:
        # Two syncs a part: the 13th is of the seventh part. All boxes are done
        # by then, and some of the files.
        sync(site, prefix=injected("syncfs", "signal=SIGKILL:when=13"))
        done = sum(n.startswith(".qmail-") for n in names(site, "new.org"))
        assert 20 < done < MANY, done
        lines = traced(site, "mkdirat,renameat")
        assert not [line for line in lines if "mkdirat(" in line and
                    "/POP/" in line], lines
        named = [line for line in lines if "/.qmail-" in line or
                 '".qmail-' in line]
        left = MANY + 1 - done
        assert len(named) <= left + 4, (len(named), left)
        whole(site)


@test("the order on the disk: temporaries, syncfs, renames, syncfs, mark; "
      "rcpthosts last", plain=True)
def order():
    with large(Site()) as site:
        lines = traced(site, "openat,syncfs,renameat,rename,fdatasync,mkdirat")
        word = []
        for line in lines:
            created = "O_CREAT" in line
            assert not (created and '".qmail-' in line), line
            if "mkdirat(" in line and "EEXIST" not in line:
                word.append("d")
            elif created and ".popbox-tmp.qmail-" in line:
                word.append("w")
            elif " syncfs(" in line:
                word.append("s")
            elif "renameat(" in line and ".qmail-" in line:
                word.append("r")
            elif "renameat(" in line and "rcpthosts" in line:
                word.append("O")
            elif " fdatasync(" in line and "data.mdb" in line:
                word.append("m")
        text = re.sub(r"(.)\1*", r"\1", "".join(word))
        assert re.fullmatch(r"(dsm){3,}(d?wsrsm){4,}Om", text), text
        eq(text.count("O"), 1)


@test("a disk that fills up below one handle does not stop the others",
      root=True)
def full_disk():
    with Site().joe() as site:
        site.do("domain", "add", "full.org", "--handle", "fu2", "--no-sync")
        site.do("domain", "add", "new.org", "--handle", "zz3", "--no-sync")
        fill(site, "full.org", 100, "fu2", "f")
        fill(site, "new.org", 100, "zz3", "u")
        disk = site.home + "/f/fu2"
        os.makedirs(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "nr_inodes=450,"
                           f"mode=0755,uid={UID},gid={GID}", "tmpfs",
                           disk]).returncode:
            skip("cannot mount a tmpfs")
        os.chown(site.home + "/f", UID, GID)
        try:
            got = sync(site)
            eq(got.rc, 111)
            has(got.err, "No space left on device")
            has(got.err, "then run 'popbox sync'")
            hasnt(got.err, "zz3-")
            has(site.control("rcpthosts"), "new.org\n")
            hasnt(site.control("rcpthosts"), "full.org\n")
            eq(len(os.listdir(site.home + "/z/zz3/DOMAINS/new.org")), 101)
            names_there = os.listdir(disk + "/DOMAINS/full.org")
            assert 0 < len(names_there) < 101, names_there
            for name in names_there:
                with open(f"{disk}/DOMAINS/full.org/{name}") as file:
                    assert os.path.isdir(file.read().strip() + "cur"), name
            subprocess.run(["mount", "-o", "remount,nr_inodes=20000", disk],
                           check=True)
            eq(sync(site).rc, 0)
            has(site.control("rcpthosts"), "full.org\n")
            eq(len(os.listdir(disk + "/DOMAINS/full.org")), 101)
            site.sound()
        finally:
            subprocess.run(["umount", disk], check=True)


@test("of many that fail each is named once", root=True)
def each_named():
    with Site().joe() as site:
        fill(site, "example.com", 12)
        where = os.path.dirname(site.box_path())
        os.chown(where, 0, 0)
        os.chmod(where, 0o755)
        got = sync(site)
        eq(got.rc, 111, got)
        eq(re.findall(r"cannot make '(.*)': Permission denied", got.err),
           [site.box_path(f"ex1-{n:04}") for n in range(2, 14)])


@test("an address waits for a box that failed in a part before it")
def waits():
    with Site().joe() as site:
        with open(site.box_path("ex1-0003"), "w"):
            pass  # stands where the second box should be
        fill(site, "example.com", 30)
        site.do("address", "add", "other@example.com", "ex1-0003", "--no-sync")
        fill(site, "example.com", 30, prefix="v")
        got = sync(site)
        eq(got.rc, 111)
        has(got.err, site.box_path("ex1-0003"))
        there = names(site, "example.com")
        hasnt(there, ".qmail-u1")
        hasnt(there, ".qmail-other")
        has(there, ".qmail-v29")
        os.unlink(site.box_path("ex1-0003"))
        eq(sync(site).rc, 0)
        eq(site.deliver("other@example.com").rc, 0)
        site.sound()


@test("a purge that falls into parts takes every file and the directory")
def purged():
    with large(Site()) as site:
        eq(sync(site).rc, 0)
        site.do("domain", "del", "new.org", "--yes")
        eq(len(names(site, "new.org")), MANY + 1)
        eq(site.popbox("purge", "new.org", "--now", "--yes",
                       program=SMALL).rc, 0)
        assert not os.path.exists(site.domain_path("new.org"))
        hasnt(site.control("virtualdomains"), "new.org")
        site.sound()


@test("sync --full does what is owed as well: what was purged goes")
def purged_full():
    with large(Site()) as site:
        eq(sync(site).rc, 0)
        site.do("domain", "del", "new.org", "--yes")
        site.do("purge", "new.org", "--now", "--yes", "--no-sync")
        eq(site.popbox("sync", "--full", program=SMALL).rc, 0)
        assert not os.path.exists(site.domain_path("new.org"))
        eq(site.popbox("sync", "--dry-run").rc, 0)
        site.sound()


@test("a helper that ends is 111, and nothing of that part counts as done",
      plain=True)
def helper():
    with large(Site()) as site:
        got = sync(site, prefix=injected("syncfs", "signal=SIGKILL:when=1"))
        eq(got.rc, 111)
        has(got.err, "the helper that is popusr has ended")
        has(got.err, "run 'popbox sync'")
        hasnt(names(site, "new.org"), ".qmail-u0")
        eq(sync(site).rc, 0)
        whole(site)


@test("a disk that cannot be synced: 111, nothing is renamed, no temporary "
      "stays; and the next sync mends it", plain=True)
def unsynced():
    for when, seen in ((11, False), (12, True)):
        with large(Site()) as site:
            got = sync(site, prefix=injected(
                "syncfs", f"error=EIO:when={when}+1"))
            if "strace" in got.err:
                skip("no tracing here")
            eq(got.rc, 111)
            has(got.err, "cannot write to the disks")
            there = names(site, "new.org")
            eq(".qmail-u0" in there, seen)
            eq([n for n in there if "tmp" in n], [])
            hasnt(site.control("rcpthosts"), "new.org")
            promise(site, "not synced")
            eq(sync(site).rc, 0)
            whole(site)


@test("letters on disks of their own are synced each, and those too many are "
      "made durable one by one", root=True, plain=True)
def disks():
    with Site() as site:
        mounts = []
        try:
            for letter in "abc":
                disk = f"{site.top}/disk-{letter}"
                os.mkdir(disk)
                if subprocess.run(
                        ["mount", "-t", "tmpfs", "-o", "mode=0755,"
                         f"uid={UID},gid={GID}", "tmpfs", disk]).returncode:
                    skip("cannot mount a tmpfs")
                mounts.append(disk)
                os.symlink(disk, f"{site.home}/{letter}")
                site.do("domain", "add", letter + ".org", "--handle",
                        letter + "1", "--no-sync")
                fill(site, letter + ".org", 5, letter + "1")
            site.do("address", "add", "far@c.org", "b1-0001", "--no-sync")
            lines = traced(site, "syncfs,fsync,renameat,mkdirat")
            far = min(i for i, line in enumerate(lines) if " fsync(" in line and
                      ".popbox-tmp.qmail-" in line and "/disk-c/" in line)
            for letter, alone in (("a", False), ("b", False), ("c", True)):
                disk = f"<{site.top}/disk-{letter}/"
                synced = [i for i, line in enumerate(lines)
                          if " syncfs(" in line and disk in line]
                single = [i for i, line in enumerate(lines)
                          if " fsync(" in line and disk in line and
                          ".popbox-tmp.qmail-u" in line]
                eq(len(synced), 0 if alone else len(synced), letter)
                assert alone or len(synced) >= 2, letter
                eq(len(single), 5 if alone else 0, letter)
                eq(len(os.listdir(f"{site.top}/disk-{letter}/{letter}1/"
                                  f"DOMAINS/{letter}.org")), 7 if alone else 6)
                if not alone:  # a file of another disk may name these boxes
                    made = [i for i, line in enumerate(lines)
                            if " mkdirat(" in line and disk in line and "/POP>" in line]
                    assert any(made[-1] < i < far for i in synced), letter
                has(site.control("rcpthosts"), letter + ".org\n")
            site.sound()
        finally:
            for disk in mounts:
                subprocess.run(["umount", disk], check=True)


run()
