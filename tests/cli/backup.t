#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Backups of a store at work, the way back, and what strange files can do."""
import json
import os
import random
import re
import resource
import shutil
import signal
import stat
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, GOOD, POPBOX, UID, Site, eq, has, hasnt, run, skip, test


def backup(site, name="backup"):
    path = f"{site.top}/{name}"
    site.do("backup", path)
    return path


# Where no store is, the settings come from the backup, and they are not the
# defaults: every site of a test has its own directories.
TAKE = "--take-settings"


def stats(site, kind):
    return [row for row in map(json.loads, site.do("--json", "stats")
                               .splitlines()) if row["stats"] == kind]


def store_id(site):
    return stats(site, "store")[0]["id"]


def kept(site):
    """The stores that were replaced."""
    where = os.path.dirname(site.store)
    return sorted(where + "/" + n for n in os.listdir(where) if ".before-" in n)


def leftovers(site):
    """Everything beside the store that no finished command leaves."""
    return [name for name in os.listdir(site.top)
            if "popbox-tmp" in name or "popbox-restore" in name]


def elsewhere(site, name="other"):
    """The same site, with a store that is not there yet."""
    site.store = f"{site.top}/{name}"
    return site


class Writer:
    """Changes a store flat out: a password, a title, an address."""

    def __init__(self, site, no_sync=False):
        self.site, self.stop, self.done, self.odd = site, False, 0, []
        self.no_sync = ["--no-sync"] if no_sync else []
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.stop:
            got = self.site.popbox("box", "set", "ex1-0001", "--name",
                                   f"number {self.done}", *self.no_sync)
            self.done += got.rc == 0
            if got.rc not in (0, 111):
                self.odd.append(got)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.stop = True
        self.thread.join()


@test("a backup is for root alone, of one piece, and says what it is")
def plain_backup():
    with Site().joe() as site:
        got = site.popbox("backup", site.top + "/b",
                          preexec=lambda: os.umask(0) and None)
        eq((got.rc, got.out), (0, ""))
        has(got.err, "password hashes")
        info = os.lstat(site.top + "/b")
        eq(stat.S_IMODE(info.st_mode), 0o600)
        eq(info.st_uid, os.geteuid())
        eq(leftovers(site), [])
        # Compacted: far below the store's own file.
        assert info.st_size < os.stat(site.store + "/data.mdb").st_size / 10


@test("twenty backups beside a flat-out writer are sound, and log in elsewhere")
def hot():
    with Site().joe() as site:
        for i in range(30):
            site.do("box", "add", f"b{i}@example.com", "--no-password",
                    "--no-sync")
        seen, whole = set(), site.store
        with Writer(site, no_sync=True) as writer:
            for i in range(20):
                before = writer.done
                path = backup(site, f"hot{i}")
                seen.add(writer.done > before)
        eq(writer.odd, [])
        assert True in seen, "no change was made during any backup"
        titles = []
        for i in range(20):
            elsewhere(site, f"other{i}")
            site.do("restore", f"{site.top}/hot{i}", TAKE, "--no-sync")
            eq(site.popbox("check", "--store-only").rc, 0)
            eq(site.login().rc, 0)
            eq(site.login(password="wrong one here").rc, 1)
            titles.append(json.loads(site.do("--json", "box", "show",
                                             "ex1-0001"))["name"])
        numbers = [int(t.split()[1]) for t in titles if t]
        eq(numbers, sorted(numbers), "each backup is later than the one before")
        site.store = whole
        site.do("sync")
        site.sound()
        print(f"# {writer.done} changes meanwhile")


@test("a file that is there, whatever it is, is never written over")
def taken():
    with Site().joe() as site:
        path = site.top + "/b"
        for make in (lambda: open(path, "w").write("mine"),
                     lambda: os.mkdir(path), lambda: os.mkfifo(path),
                     lambda: os.symlink("/nowhere/else", path)):
            make()
            before = os.lstat(path)
            for only in ([], ["--only", "joe@example.com"]):
                site.fails(100, "there already", "backup", path, *only)
            eq(os.lstat(path).st_ino, before.st_ino)
            eq(leftovers(site), [])
            os.rmdir(path) if stat.S_ISDIR(before.st_mode) else os.unlink(path)
        site.fails(100, "no name of a file", "backup", site.top + "/")
        site.fails(111, "No such file", "backup", site.top + "/none/b")
        site.fails(100, "too long", "backup", site.top + "/" + "x" * 250)


@test("where others could put something in its place no backup is written",
      root=True)
def strange_directory():
    with Site().joe() as site:
        site.fails(100, "others than root", "backup", site.home + "/b")
        os.mkdir(site.top + "/open")
        os.chmod(site.top + "/open", 0o777)
        site.fails(100, "others than root", "backup", site.top + "/open/b")
        os.chmod(site.top + "/open", 0o1777)
        site.do("backup", site.top + "/open/b")
        eq(os.listdir(site.top + "/open"), ["b"])
        # A directory of root's in one of popusr's, who may put a link to
        # another one of root's there.
        os.mkdir(site.home + "/roots")
        site.fails(100, "others than root", "backup", site.home + "/roots/b")
        os.rmdir(site.home + "/roots")
        os.mkdir(site.top + "/elsewhere")
        link = site.top + "/open/link"
        os.symlink(site.top + "/elsewhere", site.home + "/roots")
        os.symlink("../elsewhere", link)
        os.chown(link, UID, GID, follow_symlinks=False)
        site.fails(100, "others than root", "backup", site.home + "/roots/b")
        site.fails(100, "others than root", "backup", link + "/b")
        os.chown(link, 0, 0, follow_symlinks=False)
        site.do("backup", link + "/../elsewhere/./b")
        eq(os.listdir(site.top + "/elsewhere"), ["b"])
        os.symlink("loop", site.top + "/loop")
        site.fails(111, "Too many levels", "backup", site.top + "/loop/b")


@test("a full disk leaves nothing of a backup or a restore behind", root=True)
def full():
    with Site().joe() as site:
        small = site.top + "/small"
        os.mkdir(small)
        path = backup(site)
        need = os.stat(path).st_size
        failed = {"backup": 0, "restore": 0}
        for pages in range(1, 2 * need // 4096 + 20):
            if subprocess.run(["mount", "-t", "tmpfs", "-o",
                               f"size={pages * 4096},mode=755", "tmpfs",
                               small]).returncode:
                skip("no mounting here")
            try:
                got = site.popbox("backup", small + "/b")
                if got.rc == 0:
                    os.unlink(small + "/b")
                else:
                    eq(got.rc, 111, (pages, got))
                    failed["backup"] += 1
                    has(got.err, "No space left")
                eq(os.listdir(small), [], pages)
                whole, site.store = site.store, small + "/store"
                got = site.popbox("restore", path, TAKE, "--no-sync")
                if got.rc == 0:
                    eq(site.login().rc, 0)
                else:
                    eq(got.rc, 111, (pages, got))
                    failed["restore"] += 1
                    has(got.err, "No space left")
                    eq(os.listdir(small), [], pages)
                site.store = whole
            finally:
                subprocess.run(["umount", small], check=True)
        eq(site.login().rc, 0)
        assert failed["backup"] >= need // 4096 - 1, failed
        assert failed["restore"] > failed["backup"], failed
        print(f"# {failed}")


@test("nor is one with a row that is not as it was written, whose pages are whole",
      plain=True)
def damaged_row():
    with Site().joe() as site:
        site.do("box", "set", "ex1-0001", "--name", "Zebra Quagga")
        with open(site.store + "/data.mdb", "rb") as file:
            data = file.read()
        assert b"Zebra" in data
        with open(site.store + "/data.mdb", "wb") as file:
            file.write(data.replace(b"Zebra", b"Zebro"))
        got = site.popbox("backup", site.top + "/b")
        eq(got.rc, 111, got)
        has(got.err, "the store is damaged")
        eq(leftovers(site), [])


@test("a store whose pages are damaged is not backed up, and no backup appears",
      plain=True)
def damaged_source():
    random.seed(5)
    refused = 0
    with Site().joe() as site:
        with open(site.store + "/data.mdb", "rb") as file:
            good = file.read()
        used = stats(site, "store")[0]
        end = (used["used"] + used["freed"]) // 4096
        for i in range(80):
            data = bytearray(good)
            if i % 2:
                at = random.randrange(2, end) * 4096
                data[at:at + 4096] = os.urandom(4096)
            else:
                data[random.randrange(2 * 4096, end * 4096)] ^= \
                    1 << random.randrange(8)
            with open(site.store + "/data.mdb", "wb") as file:
                file.write(data)
            got = site.popbox("backup", site.top + "/b")
            assert got.rc in (0, 111), got
            eq(leftovers(site), [])
            if got.rc == 0:  # a page that nothing uses
                os.unlink(site.top + "/b")
            else:
                refused += 1
                assert not os.path.exists(site.top + "/b"), got
                assert "damaged" in got.err or "verify" in got.err, got
    assert refused >= 10, refused
    print(f"# {refused} of 80 refused")


CALLS = ("openat", "write", "pwrite64", "pwritev", "fsync", "fdatasync",
         "renameat2", "rename", "ftruncate", "unlinkat", "mkdir", "flock",
         "mmap", "clone", "clone3", "fchmod", "close_range")


def count(site, *command):
    """How often the command, without its children, makes each of CALLS."""
    trace = site.top + "/trace"
    got = site.popbox(*command, prefix=("strace", "-o", trace, "-e",
                                        "trace=" + ",".join(CALLS)))
    if got.rc != 0:
        skip("no tracing here: " + got.err[:80])
    counts = {}
    with open(trace) as file:
        for line in file:
            name = re.match(r"(\w+)\(", line)
            if name:
                counts[name.group(1)] = counts.get(name.group(1), 0) + 1
    return counts


def spread(counts, many):
    """Up to so many ordinals of each call, the first and last among them."""
    for call, last in counts.items():
        step = max(1, last // many)
        for when in sorted({*range(1, last + 1, step), last}):
            yield call, when


def kill_at(site, call, when, *command):
    site.popbox(*command, prefix=(
        "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
        f"inject={call}:signal=SIGKILL:when={when}"))


@test("a backup that is killed at any call leaves a whole file or none; the next "
      "one takes its temporary away", plain=True)
def killed_backup():
    with Site().joe() as site:
        counts = count(site, "backup", site.top + "/b")
        tried, there = 0, 0
        for call, when in spread(counts, 12):
            if os.path.exists(site.top + "/b"):
                os.unlink(site.top + "/b")
            kill_at(site, call, when, "backup", site.top + "/b")
            tried += 1
            if os.path.exists(site.top + "/b"):
                there += 1
                site.do("restore", site.top + "/b", "--dry-run")
                os.unlink(site.top + "/b")
            deadline = time.time() + 10  # a child ends with its parent
            while site.popbox("backup", site.top + "/b").rc == 111:
                assert time.time() < deadline, f"{call} {when}"
            eq(leftovers(site), [], f"{call} {when}")
        eq(site.login().rc, 0)
        print(f"# {tried} kills, {there} after the name was given")


@test("a restore that is killed at any call leaves one of the two stores in its "
      "place, and never takes one away", plain=True)
def killed_restore():
    with Site(qmail=False).joe() as site:
        old = backup(site, "old")
        site.do("box", "add", "ann@example.com", "--no-password")
        new = backup(site, "new")
        counts = count(site, "restore", old, "--yes")
        tried, places = 0, {True: 0, False: 0}
        for call, when in spread(counts, 6):
            for path in kept(site):
                shutil.rmtree(path)
            site.do("restore", new, "--yes")
            for path in kept(site):
                shutil.rmtree(path)
            was = store_id(site)
            kill_at(site, call, when, "restore", old, "--yes")
            tried += 1
            eq(site.login().rc, 0, f"{call} {when}: a login")
            eq(site.popbox("check", "--store-only").rc, 0, f"{call} {when}")
            same = store_id(site) == was
            places[same] += 1
            if not same:
                eq(len(kept(site)), 1, f"{call} {when}: the old one is kept")
            # What is owed is owed still, and a temporary goes with the next.
            site.do("sync")
            eq(site.popbox("restore", old, "--yes").rc, 0, f"{call} {when}")
            eq(leftovers(site), [], f"{call} {when}")
            eq(store_id(site) == was, False)
        assert places[True] and places[False], places
        print(f"# {tried} kills, {places[False]} with the new store in place")


def flipped(good):
    """One bit of a byte that is not 0: most of a page is."""
    data = bytearray(good)
    at = random.choice([i for i, byte in enumerate(data) if byte])
    data[at] ^= 1 << random.randrange(8)
    return bytes(data)


def broken(good):
    """(what, bytes) of files that are no sound backup."""
    yield "empty", b""
    yield "one byte", b"\0"
    yield "text", b"handle,box\n" * 1000
    yield "random", os.urandom(65536)
    yield "zeroes", bytes(65536)
    for part in (1, 4095, 4096, 8192, 12288, len(good) // 2, len(good) - 4096,
                 len(good) - 1):
        yield f"cut to {part}", good[:part]
    for page in range(len(good) // 4096):
        data = bytearray(good)
        data[page * 4096:page * 4096 + 4096] = os.urandom(4096)
        yield f"page {page} is noise", bytes(data)
        data[page * 4096:page * 4096 + 4096] = bytes(4096)
        yield f"page {page} is zero", bytes(data)
    for _ in range(150):
        yield "a flipped bit", flipped(good)


@test("a damaged, cut or foreign file is refused, and the store stays as it is")
def damaged_file():
    random.seed(7)
    with Site().joe() as site:
        with open(backup(site), "rb") as file:
            good = file.read()
        was, path = store_id(site), site.top + "/strange"
        refused = taken = 0
        for what, data in broken(good):
            with open(path, "wb") as file:
                file.write(data)
            got = site.popbox("restore", path, "--dry-run")
            assert got.rc in (0, 100, 111), (what, got)
            if got.rc == 0:  # bytes that nothing reads
                assert what == "a flipped bit" or "page" in what, what
                taken += 1
                continue
            refused += 1
            has(got.err, path)
            if refused % 12 == 0:  # the same without --dry-run
                got = site.popbox("restore", path, "--yes")
                assert got.rc in (100, 111), (what, got)
                eq(leftovers(site), [], what)
        eq((store_id(site), kept(site), site.login().rc), (was, [], 0))
        assert refused > 100, refused
        print(f"# {refused} refused, {taken} whose damage nothing reads")


@test("what a damaged backup gives, if it gives anything, is what was in it")
def damaged_content():
    random.seed(11)
    with Site(qmail=False).joe() as site:
        with open(backup(site), "rb") as file:
            good = file.read()
        def accounts():
            return [site.do("--json", *words) for words in
                    (("box", "list"), ("address", "list"), ("log",),
                     ("domain", "list"), ("handle", "list"))]
        want, given = accounts(), 0
        whole = site.store
        for i in range(60):
            with open(site.top + "/strange", "wb") as file:
                file.write(flipped(good))
            elsewhere(site, f"o{i}")
            if site.popbox("restore", site.top + "/strange", TAKE,
                           "--no-sync").rc == 0:
                given += 1
                eq(accounts(), want)
                eq(site.login().rc, 0)
        site.store = whole
        assert given, "no damage was harmless: nothing was compared"


@test("a pipe, a link, a directory, a device and a huge sparse file do no harm")
def odd_files():
    with Site().joe() as site:
        good, was = backup(site), store_id(site)
        path = site.top + "/odd"
        for what, make, say in (
                ("pipe", lambda: os.mkfifo(path), "regular"),
                ("link", lambda: os.symlink(good, path), "symbolic link"),
                ("directory", lambda: os.mkdir(path), "regular"),
                ("none", lambda: None, "No such file")):
            make()
            got = site.popbox("restore", path, "--yes", timeout=10)
            eq(got.rc, 100, what)
            has(got.err, say)
            if what != "none":
                os.rmdir(path) if what == "directory" else os.unlink(path)
        site.fails(100, "regular", "restore", "/dev/zero", "--yes")
        for data in (b"", open(good, "rb").read()):
            with open(path, "wb") as file:
                file.write(data)
                file.truncate(1 << 40)
            start = time.time()
            got = site.popbox("restore", path, "--dry-run")
            # The second one is a sound store with a hole behind it.
            eq(got.rc, 0 if data else 100, got.err)
            assert time.time() - start < 20
        eq((store_id(site), kept(site), leftovers(site)), (was, [], []))


@test("a file that claims more pages than it has is refused, whatever it claims",
      plain=True)
def claims():
    with Site().joe() as site:
        with open(backup(site), "rb") as file:
            good = file.read()
        path = site.top + "/claims"
        # mm_last_pg and mm_mapsize of both meta pages, LMDB 0.9.
        for last in (1 << 20, 1 << 36, (1 << 52) - 1, (1 << 64) - 1):
            for size in (0, 1 << 30, 1 << 46):
                data = bytearray(good)
                for meta in (16, 4096 + 16):
                    struct.pack_into("<Q", data, meta + 120, last)
                    struct.pack_into("<Q", data, meta + 16, size)
                with open(path, "wb") as file:
                    file.write(data)
                    file.truncate(1 << 34)
                got = site.popbox("restore", path, "--yes", "--no-sync")
                assert got.rc in (100, 111), (last, size, got)
        eq((kept(site), leftovers(site), site.login().rc), ([], [], 0))


@test("who looks at a strange file is nobody, with no descriptor of the store",
      root=True, plain=True)
def nobody():
    with Site().joe() as site:
        path, trace = backup(site), site.top + "/trace"
        got = site.popbox("restore", path, "--yes", prefix=(
            "strace", "-f", "-y", "-o", trace, "-e",
            "trace=setresuid,openat,close_range,prlimit64,mmap,execve"))
        if got.rc != 0:
            skip("no tracing here: " + got.err[:80])
        with open(trace) as file:
            lines = file.read().splitlines()
        lookers = {line.split()[0] for line in lines
                   if "/proc/self/fd/" in line and "openat" in line}
        assert lookers, "nobody opened the copy"
        for pid in lookers:
            mine = [line for line in lines if line.split()[0] == pid]
            first = next(i for i, line in enumerate(mine)
                         if "/proc/self/fd/" in line)
            before = "\n".join(mine[:first])
            has(before, "setresuid(65534, 65534, 65534)")
            has(before, "close_range")
            has(before, "RLIMIT_AS")
            has(before, "RLIMIT_CPU")
        # Root maps the new store and never the backup.
        for line in lines:
            if "mmap" in line and ("source" in line or path in line):
                assert line.split()[0] in lookers, line


@test("a restore where no store is brings accounts, settings and mail roots")
def empty_machine():
    with Site().joe() as site:
        site.do("config", "set", "password_min", "14")
        site.do("box", "suspend", "joe@example.com")
        path, was = backup(site), store_id(site)
        logged = site.do("log")
        for where in (site.store, site.home, site.serial):
            shutil.rmtree(where)
        for part in ("rcpthosts", "virtualdomains"):
            site.write_control(part, "localhost\n" if part[0] == "r" else "")
        got = site.popbox("restore", path, TAKE)
        eq((got.rc, got.out), (0, ""), got.err)
        hasnt(got.err, "kept")
        eq(site.do("config", "get", "password_min"), "14\n")
        eq(stat.S_IMODE(os.stat(site.store).st_mode), 0o700)
        eq(os.stat(site.home).st_uid, UID)
        has(site.control("rcpthosts"), "example.com")
        eq(site.deliver("joe@example.com").rc, 0)
        eq(site.mails(), 1)
        eq(site.login().rc, 1)  # suspended, as it was
        site.do("box", "resume", "joe@example.com")
        eq(site.login().rc, 0)
        eq(site.do("log")[:len(logged)], logged)
        assert store_id(site) != was
        site.sound()


@test("a file without settings is taken only where there are some")
def without_settings():
    with Site().joe() as site:
        path = site.top + "/raw"
        shutil.copy(site.store + "/data.mdb", path)
        whole = site.store
        elsewhere(site)
        site.fails(100, "no settings", "restore", path)
        assert not os.path.exists(site.store)
        eq(leftovers(site), [])
        site.store = whole
        site.do("restore", path, "--yes")
        eq(site.login().rc, 0)


@test("a restore over a store asks, keeps the settings and the old store, and says "
      "where")
def over():
    with Site().joe() as site:
        path, was = backup(site), store_id(site)
        site.do("config", "set", "password_min", "12")
        site.do("box", "add", "ann@example.com", "--no-password")
        site.fails(2, "--yes", "restore", path)
        eq(site.do("restore", path, "--dry-run").count("\n"), 1)
        eq((store_id(site), kept(site)), (was, []))
        got = site.popbox("restore", path, "--yes")
        eq(got.rc, 0, got.err)
        place, = kept(site)
        has(got.err, place)
        eq(site.do("config", "get", "password_min"), "12\n")
        eq(site.popbox("box", "show", "ann@example.com").rc, 1)
        new = store_id(site)
        assert new != was
        site.store, whole = place, site.store
        eq(store_id(site), was)
        eq(site.popbox("box", "show", "ann@example.com").rc, 0)
        site.store = whole
        # And back again: an exchange as well.
        site.do("restore", path, "--yes")
        eq(len(kept(site)), 2)
        assert store_id(site) not in (new, was)


@test("a damaged, even a missing data file is replaced, its settings stay")
def over_damage():
    for damage in (lambda p: os.unlink(p), lambda p: open(p, "wb").write(b"x"),
                   lambda p: open(p, "wb").write(bytes(65536))):
        with Site().joe() as site:
            path = backup(site)
            damage(site.store + "/data.mdb")
            eq(site.login().rc, 111)
            site.do("restore", path, "--yes")
            eq(site.login().rc, 0)
            site.sound()


@test("a directory of somebody else's is no place for a store")
def other_place():
    with Site().joe() as site:
        path = backup(site)
        elsewhere(site)
        os.mkdir(site.store)
        with open(site.store + "/letters", "w") as file:
            file.write("dear")
        site.fails(100, "neither empty", "restore", path, "--yes")
        eq(os.listdir(site.store), ["letters"])
        os.unlink(site.store + "/letters")
        site.do("restore", path, TAKE)
        os.mkdir(site.top + "/deep")
        os.symlink(site.store, site.top + "/link")
        site.store = site.top + "/link"
        site.do("restore", path, "--yes")
        assert os.path.islink(site.store), "a link to the store stays one"
        eq(len([n for n in os.listdir(site.top) if ".before-" in n]), 1)


@test("a number that the backup does not know is not given again")
def numbers():
    with Site().joe() as site:
        path = backup(site)
        site.do("box", "add", "ann@example.com", "--stdin", input=GOOD + "1\n")
        eq(site.deliver("ann@example.com").rc, 0)
        site.do("domain", "add", "late.org", "--handle", "late")
        site.do("box", "add", "x@late.org", "--no-password")
        site.do("restore", path, "--yes")
        has(site.do("box", "add", "new@example.com", "--no-password"),
            "ex1-0003")
        site.do("domain", "add", "again.org", "--handle", "late")
        has(site.do("box", "add", "y@again.org", "--no-password"), "late-0003")
        eq(site.mails("ex1-0003"), 0)
        eq(site.mails("ex1-0002"), 1)
        found = {word for word, _ in site.findings()}
        assert "stray-box" in found, found


@test("logins and a writer go on while the store is replaced")
def live():
    with Site(qmail=False).joe() as site:
        path = backup(site)
        answers, stop = {}, threading.Event()

        def log_in():
            while not stop.is_set():
                got = site.login(timeout=30)
                answers.setdefault(got.rc, []).append(got)

        thread = threading.Thread(target=log_in)
        thread.start()
        codes = {}
        with Writer(site) as writer:
            for i in range(12):
                got = site.popbox("restore", path, "--yes")
                codes[got.rc] = codes.get(got.rc, 0) + 1
                if got.rc == 111:
                    assert "try again" in got.err or "publish" in got.err, got
        stop.set()
        thread.join()
        eq(writer.odd, [])
        eq(set(answers), {0}, answers.get(111) or answers.get(1))
        assert codes.get(0, 0) >= 6, codes
        assert len(answers[0]) > 20 and writer.done, (answers, writer.done)
        eq(site.popbox("check", "--store-only").rc, 0)
        eq(len(kept(site)), codes[0])
        site.do("sync")
        print(f"# {len(answers[0])} logins, {writer.done} changes, {codes}")


@test("a writer that waited while the store was replaced says try again")
def waiting_writer():
    with Site(qmail=False).joe() as site:
        path = backup(site)
        import fcntl
        gate = os.open(site.store, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(gate, fcntl.LOCK_EX)
        writer = site.start(POPBOX, "-d", site.store, "box", "set", "ex1-0001",
                            "--name", "lost", stderr=subprocess.PIPE)
        time.sleep(1)  # it has opened the store and stands at the gate
        os.rename(site.store, site.top + "/moved")
        shutil.copytree(site.top + "/moved", site.store)
        os.close(gate)
        _, err = writer.communicate(timeout=20)
        eq(writer.returncode, 111)
        has(err.decode(), "try again")
        hasnt(site.do("--json", "box", "show", "ex1-0001"), "lost")
        site.store = site.top + "/moved"
        hasnt(site.do("--json", "box", "show", "ex1-0001"), "lost")


@test("who follows the journal of a store that was replaced is told to come again")
def follower():
    with Site(qmail=False).joe() as site:
        path = backup(site)
        log = site.start(POPBOX, "-d", site.store, "--json", "log", "--follow",
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        json.loads(log.stdout.readline())
        site.do("restore", path, "--yes")
        _, err = log.communicate(timeout=20)
        eq(log.returncode, 111)
        has(err.decode(), "try again")


@test("two restores at once: one does it, the other says so")
def two():
    with Site(qmail=False).joe() as site:
        path = backup(site)
        os.mkdir(site.store + ".popbox-restore", 0o700)
        import fcntl
        lock = os.open(site.store + ".popbox-restore/publish.lock",
                       os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        site.fails(111, "in use", "restore", path, "--yes")
        os.close(lock)
        site.do("restore", path, "--yes")
        eq(leftovers(site), [])


@test("one box goes into a file and comes back: deleted, changed, purged")
def one_box():
    with Site().joe() as site:
        site.do("box", "set", "joe@example.com", "--name", "Joe",
                "--quota", "2G", "--messages", "9", "--delivery", "hold",
                "--reason", "why")
        site.do("address", "add", "j@example.com", "ex1-0001", "a@b.org")
        path = site.top + "/joe"
        site.do("backup", path, "--only", "joe@example.com")
        eq(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path) as file:
            record = json.loads(file.read())
        has(record["hash"], "$argon2id$")
        eq([a["address"] for a in record["addresses"]],
           ["j@example.com", "joe@example.com"])
        def state():
            box = json.loads(site.do("--json", "box", "show", "ex1-0001"))
            return ({k: box[k] for k in ("name", "quota", "messages", "login",
                                         "delivery", "reason", "addresses",
                                         "password")},
                    site.do("address", "show", "j@example.com").split(
                        " since ")[0])
        want = state()
        ways = {
            "changed": lambda: (
                site.do("passwd", "joe@example.com", "--stdin",
                        input="another horse 43\n"),
                site.do("box", "set", "ex1-0001", "--name", "x", "--quota",
                        "none", "--messages", "3", "--login", "off", "--delivery", "on"),
                site.do("address", "set", "j@example.com", "ex1-0001")),
            "deleted": lambda: site.do("box", "del", "ex1-0001", "--yes"),
            "purged": lambda: (
                site.do("box", "del", "ex1-0001", "--yes"),
                site.do("purge", "joe@example.com", "--now", "--yes"),
                site.do("purge", "ex1-0001", "--now", "--yes")),
        }
        for what, way in ways.items():
            way()
            before = site.tree()
            has(site.do("restore", path, "--dry-run"), "ex1-0001")
            eq(site.tree(), before, "--dry-run")
            has(site.popbox("restore", path).err, "2 addresses")
            eq(state(), want, what)
            eq(site.login().rc, 0, what)
            site.sound()
        entries = site.do("log")
        site.do("restore", path)
        eq(site.do("log"), entries, "the same again is no change")


@test("a box that was brought back can be sent away by undo")
def undone():
    with Site().joe() as site:
        path = site.top + "/joe"
        site.do("backup", path, "--only", "ex1-0001")
        site.do("box", "del", "ex1-0001", "--yes")
        site.do("restore", path)
        eq(site.login().rc, 0)
        site.do("undo", str(site.last_entry()))
        eq(site.login().rc, 1)
        site.sound()


@test("one box in the way of others is refused, with what is in the way")
def conflicts():
    with Site().joe() as site:
        path = site.top + "/joe"
        site.do("backup", path, "--only", "joe@example.com")
        site.do("box", "add", "ann@example.com", "--no-password")
        site.do("address", "set", "joe@example.com", "ex1-0002")
        log = site.do("log")
        site.fails(100, "leads to ex1-0002 now", "restore", path)
        eq(site.do("log"), log)
        site.fails(100, "no such", "backup", path + "2", "--only", "ex1-0077")
        site.fails(100, "ex1", "backup", path + "2", "--only", "ex1")
        assert not os.path.exists(path + "2")
    with Site() as site:
        site.do("domain", "add", "example.org", "--handle", "zz1")
        with open(site.top + "/joe", "w") as file:
            file.write(RECORD)
        site.fails(100, "no handle 'ex1'", "restore", site.top + "/joe")
        site.do("handle", "add", "ex1")
        site.fails(100, "no domain 'example.com'", "restore", site.top + "/joe")
        site.do("domain", "add", "example.com", "--handle", "ex1")
        site.do("restore", site.top + "/joe")
        eq(site.login(password="whatever").rc, 1)


RECORD = json.dumps({
    "popbox_box": 1, "box": "ex1-0007", "name": "", "quota": 0, "login": True,
    "delivery": "on", "reason": None, "hash": "",
    "addresses": [{"address": "joe@example.com", "box": "ex1-0007",
                   "forwards": []}]}) + "\n"


@test("a record that says something else is refused by what is wrong")
def records():
    with Site().joe() as site:
        path = site.top + "/record"
        def refused(why, text):
            with open(path, "w") as file:
                file.write(text)
            log = site.do("log")
            got = site.fails(100, why, "restore", path)
            hasnt(got.err, "$1$")
            eq(site.do("log"), log)
        def change(**values):
            return json.dumps({**json.loads(RECORD), **values})
        refused("no JSON", "{")
        refused("no JSON", RECORD[:-9])
        refused("no JSON", '{"popbox_box":1,"popbox_box":1}')
        refused("no box that", "{}")
        refused("no box that", change(popbox_box=2))
        refused("is no text", change(box=7))
        refused("record", change(box="../../etc"))
        refused("'quota'", change(quota="1G"))
        refused("'quota'", change(quota=-1))
        refused("'messages'", change(messages=-1))
        refused("'messages'", change(messages="9"))
        refused("'login'", change(login="on"))
        refused("'delivery'", change(delivery="maybe"))
        refused("control", change(name="a\nb"))
        refused("200", change(reason="x" * 201))
        refused("hash", change(hash="secret"))
        refused("never stored", change(hash=subprocess.run(
            ["openssl", "passwd", "-1", "x"], capture_output=True, text=True,
            check=True).stdout.strip()))
        refused("'hash' is none", change(hash="{PLAIN}correct horse"))
        refused("'addresses'", change(addresses={}))
        refused("text", change(addresses=[{"address": 1}]))
        refused("record", change(addresses=[{"address": "a@b@c"}]))
        refused("'forwards'", change(addresses=[
            {"address": "joe@example.com", "forwards": "a@b.org"}]))
        refused("forward", change(addresses=[
            {"address": "joe@example.com", "forwards": [5]}]))
        refused("record", change(addresses=[
            {"address": "joe@example.com", "forwards": ["|sh"]}]))


@test("stats counts customers, hashes, passwords, logins, mail, rows and bytes")
def counted():
    with Site().joe() as site:
        site.do("domain", "add", "example.org", "--handle", "ex1")
        site.do("domain", "add", "two.org", "--handle", "two")
        site.do("box", "add", "a@two.org", "--hash-stdin", input=subprocess.run(
            ["openssl", "passwd", "-1", "-stdin"], input=b"some words 77\n",
            capture_output=True, check=True).stdout)
        site.do("box", "add", "b@two.org", "--hash-stdin", input=subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"], input=b"some words 77\n",
            capture_output=True, check=True).stdout)
        site.do("box", "set", "b@two.org", "--quota", "3M")
        site.do("box", "suspend", "b@two.org")
        eq(site.login().rc, 0)
        eq(site.deliver("joe@example.com").rc, 0)
        rows = {r["handle"]: r for r in stats(site, "customer")}
        eq(rows["ex1"], {
            "stats": "customer", "handle": "ex1", "domains": 2, "boxes": 2,
            "login_off": 0, "no_password": 1, "never": 1, "quota": 0, "full": 0,
            "mail": None})
        eq([rows["two"][k] for k in ("domains", "boxes", "login_off",
                                     "no_password", "never", "quota")],
           [1, 3, 1, 1, 3, 3 << 20])
        eq({r["scheme"]: r["boxes"] for r in stats(site, "hash")},
           {"none": 2, "argon2id": 1, "sha512crypt": 1, "wrapped": 1})
        ages = {r["within"]: r for r in stats(site, "age")}
        eq((ages["today"]["password_set"], ages["never"]["password_set"]),
           (3, 2))
        eq((ages["today"]["last_login"], ages["never"]["last_login"]), (1, 4))
        for days, name in ((0.9, "today"), (1.1, "7 days"), (8, "30 days"),
                           (31, "90 days"), (91, "365 days"),
                           (366, "longer ago")):
            at = time.time() - days * 86400
            os.utime(site.box_path() + "/.lastlogin", (at, at))
            ages = {r["within"]: r for r in stats(site, "age")}
            eq(ages[name]["last_login"], 1, name)
        sizes = {r["table"]: r["rows"] for r in stats(site, "table")}
        eq((sizes["handle"], sizes["box"], sizes["address"]), (2, 5, 6))
        size = stats(site, "store")[0]
        eq(size["file"], os.stat(site.store + "/data.mdb").st_size)
        assert 0 < size["used"] < size["file"], size
        eq(size["journal"], sizes["journal"])
        mail = json.loads(site.do("--json", "stats", "--mail", "--handle",
                                  "ex1").splitlines()[0])
        there = sum(os.stat(site.box_path() + "/new/" + n).st_size
                    for n in os.listdir(site.box_path() + "/new"))
        eq(mail["mail"], there)
        assert there
        text = site.do("stats", "--handle", "two")
        has(text, "CUSTOMER")
        hasnt(text, "ex1")
        has(text, "3.0 MiB")
        has(site.do("stats"), "(all)")
        site.do("handle", "suspend", "two")
        eq({r["handle"]: r["login_off"] for r in stats(site, "customer")},
           {"ex1": 0, "two": 3})
        site.fails(100, "no such handle", "stats", "--handle", "zz9")


@test("a last login that cannot be read is said, and the rest is counted")
def unreadable():
    with Site().joe() as site:
        os.symlink("/etc/passwd", site.box_path() + "/.lastlogin")
        got = site.popbox("--json", "stats")
        eq(got.rc, 111)
        has(got.err, ".lastlogin")
        has(got.out, '"boxes":2')
        os.unlink(site.box_path() + "/.lastlogin")
        shutil.rmtree(site.box_path() + "/new")
        os.symlink("/etc", site.box_path() + "/new")
        got = site.popbox("--json", "stats", "--mail")
        eq(got.rc, 111)
        has(got.err, "/new")


@test("a store of today's format has nothing to upgrade, one of tomorrow's is "
      "refused")
def upgrade():
    with Site().joe() as site:
        got = site.popbox("upgrade")
        eq(got.rc, 0)
        has(got.err, "nothing to do")
        # A store in which the number of the format is another one, as the
        # unit test of the steps leaves it.
        maker = os.path.dirname(POPBOX) + "/unit/test_whole"
        if not os.path.exists(maker):
            skip("the unit tests are not built")
        subprocess.run([maker, "--newer", site.store], check=True)
        site.fails(111, "newer", "upgrade")
        site.fails(111, "another format", "box", "list")
        site.fails(111, "another format", "box", "add", "x@example.com",
                   "--no-password")
        eq(site.login().rc, 111)
        # A backup of it is one, all the same.
        path = backup(site)
        site.fails(100, "another format", "restore", path, "--yes")


run()
