#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills, full disks, and others at work at the same time."""
import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from broken import count_calls, kill_at, prepared, relative
from tap import (GID, POPBOX, UID, Site, eq, has, hasnt, run, skip, some,
                 test)

@test("killed at any call, sync leaves the change finished or untouched",
      plain=True)
def kills():
    with Site().joe() as site:
        untouched = relative(site)
    tried, done = 0, set()
    for command in (("domain", "add", "new.org", "--handle", "ex1"),
                    ("box", "add", "ann@example.com", "--no-password")):
        counts, finished = count_calls(command)
        assert sum(counts.values()) > 20, counts
        for call, count in counts.items():
            # strace counts each process by itself, so some ordinals are
            # never reached; those runs end finished.
            for when in some(range(1, count + 1), 12):
                done.add(kill_at(command, call, when, finished, untouched))
                tried += 1
    eq(done, {True, False}, "kills before and after the commit")
    print(f"# {tried} kills")


@test("killed at any call of a removal or rename, the same", plain=True)
def removals():
    calls = ("rename", "renameat", "unlinkat", "rmdir", "pwritev", "fsync",
             "fdatasync", "mkdirat")
    gone = ("domain", "del", "example.com", "--yes")
    relay = ("domain", "set", "example.com", "--kind", "relay", "--host",
             "a.org", "--yes")
    hold = ("handle", "set", "ex1", "--delivery", "hold")
    tried, done = 0, set()
    for command, setup in (
            (("domain", "rename", "example.com", "new.org", "--keep"), ()),
            (gone, ()), (hold, ()),
            (("domain", "add", "new.org", "--handle", "ex1", "--kind",
              "dialup"), ()),
            (relay, ()), (("domain", "set", "example.com", "--kind",
                           "backup"), (relay,)),
            (("domain", "set", "new.org", "--kind", "pop"),
             (("domain", "add", "new.org", "--handle", "ex1", "--kind",
               "relay", "--host", "a.org"),)),
            (("purge", "example.com", "--now", "--yes"), (gone,))):
        with prepared(setup) as site:
            untouched = relative(site)
        counts, finished = count_calls(command, setup, calls)
        assert finished != untouched, command
        for call, count in counts.items():
            for when in some(range(1, count + 1, 1 + count // 8), 8):
                done.add(kill_at(command, call, when, finished, untouched,
                                 setup, login=(0, 1)))
                tried += 1
    eq(done, {True, False}, "kills before and after the commit")
    print(f"# {tried} kills")


@test("an answer of the helper's that is lost is not taken for the next one",
      plain=True)
def lost_answer():
    rename = ("domain", "rename", "example.com", "new.org", "--keep")
    with Site().joe() as site:
        site.do(*rename)
        finished = relative(site)
    for when in range(2, 8):
        with Site().joe() as site:
            got = site.popbox(*rename, prefix=(
                "strace", "-f", "-o", "/dev/null", "-e", "trace=recvfrom",
                "-e", f"inject=recvfrom:error=ENOMEM:when={when}"))
            eq(got.rc, 111, (when, got))
            site.do("sync")
            eq(relative(site), finished, when)


def unlisted(path):
    """strace words: this directory cannot be read to its end."""
    return ("strace", "-f", "-o", "/dev/null", "-P", path, "-e",
            "trace=getdents64", "-e", "inject=getdents64:error=EIO")


@test("a directory that cannot be read to its end is not taken for an empty one",
      root=True, plain=True)
def unread_directory():
    with Site().joe() as site:
        def at(path, rc, *words, says="Input/output error"):
            got = site.popbox(*words, prefix=unlisted(path))
            eq(got.rc, rc, (words, got))
            has(got.err, says)

        # A file made by hand: an import leaves it alone.
        path = site.domain_path() + "/.qmail-q"
        with open(path, "w") as file:
            file.write("by hand@x.org\n")
        os.chown(path, UID, GID)
        with open(site.top + "/rows", "w") as file:
            file.write("address,hash\nq@example.com,*\n")
        at(site.domain_path(), 100, "import", site.top + "/rows",
           says="its .qmail file cannot be taken over")
        with open(path) as file:
            eq(file.read(), "by hand@x.org\n")
        at(site.domain_path(), 111, "address", "list", "example.com")
        # Boxes and domains that nobody knows.
        at(os.path.dirname(site.box_path()), 111, "check")
        at(site.domain_path(), 111, "check")
        os.mkdir(site.top + "/empty")
        got = subprocess.run(
            [*unlisted(site.top + "/empty"), POPBOX, "-d", site.top + "/empty",
             "init", "--no-qmail", "--uid", str(UID), "--gid", str(GID)],
            capture_output=True)
        eq(got.returncode, 111, got)
        # Mail that waits for a customer who dials in.
        site.do("domain", "add", "h.org", "--kind", "dialup", "--handle", "ex1",
                "--host", "127.0.0.1")
        waits = site.serial + "/h.org/Maildir/new"
        with open(waits + "/1", "w") as file:
            file.write("Subject: x\n\nhello\n")
        os.chown(waits + "/1", UID, GID)
        site.do("domain", "del", "h.org", "--yes")
        at(waits, 111, "purge", "h.org", "--now", "--yes")
        eq(os.listdir(waits), ["1"])
        at(waits, 111, "sync")
        eq(os.listdir(waits), ["1"])


@test("one directory of root's below the mail root keeps nothing else from being "
      "looked at and mended", root=True)
def lost_found():
    with Site().joe() as site:
        for path in (site.home + "/lost+found", site.home + "/e/old",
                     site.home + "/x"):
            os.mkdir(path, 0o700)
        os.chmod(site.box_path(), 0o1700)
        found = site.findings()
        eq({word for word, _ in found}, {"sticky", "unreadable"})
        assert not any("lost+found" in text for _, text in found), found
        got = site.popbox("check", "--repair")
        eq(got.rc, 1, got)
        eq(os.stat(site.box_path()).st_mode & 0o7777, 0o700)


@test("qmail's files that cannot be read now are no reason to refuse a domain",
      root=True, plain=True)
def control_later():
    with Site().joe() as site:
        for name in ("rcpthosts", "virtualdomains", "locals"):
            for error in ("EMFILE", "ENOMEM", "EIO"):
                got = site.popbox(
                    "domain", "add", "new.org", "--handle", "ex1", prefix=(
                        "strace", "-f", "-o", "/dev/null", "-P", name, "-P",
                        f"{site.qmail}/control/{name}", "-e", "trace=openat",
                        "-e", f"inject=openat:error={error}"))
                eq(got.rc, 111, (name, error, got))
                hasnt(site.do("domain", "list"), "new.org")


@test("what there are no descriptors for is neither damaged nor not there",
      root=True, plain=True)
def descriptors():
    with Site().joe() as site:
        cdb = site.qmail + "/users/cdb"
        for path, says, words in (
                (cdb, "cannot read '", ("import", cdb, "--format", "vmailmgr",
                                        "--domain", "example.com")),
                (cdb, "the output is not whole", ("check",))):
            got = site.popbox(*words, prefix=(
                "strace", "-f", "-o", "/dev/null", "-P", path, "-e",
                "trace=openat", "-e", "inject=openat:error=EMFILE"))
            eq(got.rc, 111, (words, got))
            has(got.err, says)
            hasnt(got.out, "damaged")


@test("a command that faults says of its change what is true", root=True,
      plain=True)
def fault_says():
    said = set()
    with Site().joe() as site:
        site.may_fault = True
        for number in range(1, 12):
            name = f"n{number}@example.com"
            got = site.popbox("box", "add", name, "--no-password", prefix=(
                "strace", "-o", "/dev/null", "-e", "trace=flock,fdatasync",
                "-e", f"inject=flock,fdatasync:signal=SEGV:when={number}"))
            if got.rc == 0:
                break
            eq(got.rc, 111, got)
            there = site.popbox("address", "show", name).rc == 0
            line = got.err.splitlines()[-1]
            has(line, "ended by SIGSEGV: ")
            if "nothing was changed" in line:
                assert not there, (number, line)
            elif "the store is changed" in line:
                assert there, (number, line)
            said.add(line.split("run 'popbox check')")[1])
        assert number > 3
    print(f"# {said}")
    assert any("nothing was changed" in s for s in said) and len(said) > 1


@test("killed at any moment, an acknowledged box is there", plain=True)
def acknowledged():
    with Site().joe() as site:
        known = []
        for i in range(12):
            process = subprocess.Popen(
                ["sh", "-c", 'i=0; while i=$((i+1)) && [ $i -lt 50 ]; do '
                 f'"{POPBOX}" -d "{site.store}" -q box add r{i}x$i@example.com '
                 '--no-password || exit; done'], stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(0.03 + 0.05 * i)
            os.killpg(process.pid, signal.SIGKILL)
            known += [line.split()[0] for line in
                      process.communicate()[0].decode().splitlines()]
        site.do("sync")
        assert known
        for address in known:
            site.do("box", "show", address)
        site.sound()


@test("a name that qmail-newu or qmail-newmrh gives, or purge takes away, is on "
      "the disk before nothing is owed of it", plain=True)
def names_synced():
    with Site().joe() as site:
        site.do("config", "set", "rcpthosts_max", "1")
        site.do("domain", "add", "dial.org", "--handle", "ex1", "--kind",
                "dialup")

        def synced(directory, last, *words):
            """Behind the last call of such a line."""
            trace = site.top + "/trace"
            got = site.popbox(*words, prefix=(
                "strace", "-f", "-y", "-s", "300", "-o", trace, "-e",
                "trace=rename,rmdir,unlinkat,fsync,fdatasync"))
            if "ptrace" in got.err:
                skip("no tracing here: " + got.err[:80])
            eq(got.rc, 0, got)
            with open(trace) as file:
                lines = list(file)
            at = max(i for i, line in enumerate(lines) if last in line)
            rest = lines[at:]
            mark = [i for i, line in enumerate(rest) if "data.mdb>" in line]
            assert any(" fsync(" in line and f"{directory}>" in line
                       for line in rest[:mark[0]]), rest

        new = ("domain", "add", "new.org", "--handle", "ex1")
        synced("/users", 'users/cdb") = 0', *new)
        synced("/control", '/morercpthosts.cdb") = 0', "domain", "add",
               "newer.org", "--handle", "ex1")
        site.do("domain", "del", "dial.org", "--yes")
        synced("/serialmail", '/dial.org", AT_REMOVEDIR) = 0', "purge",
               "dial.org", "--now", "--yes")
        site.do("domain", "del", "example.com", "--yes")
        synced("/POP", '/ex1-0001", AT_REMOVEDIR) = 0', "purge", "ex1-0001",
               "--now", "--yes")
        synced("/DOMAINS", '/example.com") = 0', "purge", "example.com",
               "--now", "--yes")


@test("what init makes is on the disk, names included, when it says so",
      plain=True)
def init_synced():
    with Site(init=False) as site:
        trace = site.top + "/trace"
        got = site.popbox(
            "init", "--uid", str(UID), "--gid", str(GID), "--home", site.home,
            "--serialmail", site.serial, "--no-qmail", prefix=(
                "strace", "-f", "-y", "-o", trace, "-e",
                "trace=openat,mkdir,rename,fsync,pwrite64"))
        if "ptrace" in got.err:
            skip("no tracing here: " + got.err[:80])
        eq(got.rc, 0, got)
        with open(trace) as file:
            lines = list(file)

        def synced(path, behind):
            at = max(i for i, line in enumerate(lines) if behind in line)
            assert any(" fsync(" in line and f"<{path}>" in line
                       for line in lines[at:]), (path, lines[at:])

        synced(site.home, f'mkdir("{site.home}"')
        synced(site.top, f'mkdir("{site.serial}"')
        synced(site.store + ".popbox-new", "data.mdb>")
        synced(site.top, f'"{site.store}") = 0')


@test("what is as it should be, perhaps by a run that was killed, is on the disk "
      "before nothing is owed of it", plain=True)
def same_synced():
    with Site().joe() as site:
        site.do("domain", "add", "dial.org", "--handle", "ex1", "--kind",
                "dialup")
        before = site.tree()
        trace = site.top + "/trace"
        got = site.popbox("sync", "--full", prefix=(
            "strace", "-f", "-y", "-o", trace, "-e", "trace=fsync"))
        if "ptrace" in got.err:
            skip("no tracing here: " + got.err[:80])
        eq(got.rc, 0, got)
        with open(trace) as file:
            synced = file.read()
        for path in (site.qmail + "/control", site.qmail + "/users",
                     site.domain_path(), os.path.dirname(site.domain_path()),
                     os.path.dirname(site.box_path()), site.box_path(),
                     site.serial, site.serial + "/dial.org",
                     site.serial + "/dial.org/Maildir"):
            has(synced, f"<{path}>")
        now = site.tree()
        eq({p for p in before if before[p] != now.get(p) and
            not p.endswith("cdb")}, set(), "sync --full changed files")


@test("two at once: all changes are made, all files are published")
def together():
    with Site().joe() as site:
        failures = []

        def add(letter):
            for i in range(12):
                got = site.popbox("box", "add", f"{letter}{i}@example.com",
                                  "--no-password")
                if got.rc != 0:
                    failures.append(got)
        threads = [threading.Thread(target=add, args=(c,)) for c in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eq(failures, [])
        eq(site.popbox("sync", "--dry-run").rc, 0)
        eq(len([n for n in os.listdir(site.domain_path())]), 38)
        numbers = [json.loads(line)["box"] for line in
                   site.do("box", "list", "--json").splitlines()]
        eq(len(set(numbers)), 38)


@test("a second publisher leaves its work to the first and says so")
def publishing():
    import fcntl
    with Site().joe() as site:
        with open(site.store + "/publish.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            got = site.popbox("box", "add", "a@example.com", "--no-password")
            eq(got.rc, 0)
            has(got.err, "another popbox is publishing")
            # A password reset never waits for publishing.
            site.do("passwd", "joe@example.com", "--generate")
        assert not os.path.exists(site.domain_path() + "/.qmail-a")
        site.do("sync")
        assert os.path.exists(site.domain_path() + "/.qmail-a")


@test("what is committed while another publishes is published by that one, "
      "after a second look")
def look_again():
    with Site().joe() as site:
        newu, go = site.qmail + "/bin/qmail-newu", site.top + "/go"
        os.mkfifo(go)
        os.rename(newu, newu + ".real")
        with open(newu, "w") as file:
            file.write(f"#!/bin/sh\nread line <{go}\nexec \"$0.real\"\n")
        os.chmod(newu, 0o755)
        first = site.start(POPBOX, "-d", site.store, "domain", "add", "new.org",
                           "--handle", "ex1", stderr=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL)
        with open(go, "w") as file:  # from here on it waits in qmail-newu
            got = site.popbox("box", "add", "a@example.com", "--no-password")
            eq(got.rc, 0)
            has(got.err, "another popbox is publishing")
            assert not os.path.exists(site.domain_path() + "/.qmail-a")
            file.write("\n")
        eq(first.wait(), 0)
        assert os.path.exists(site.domain_path() + "/.qmail-a")
        site.sound()


@test("a writer that holds the store for ever is answered with 111")
def busy():
    import fcntl
    with Site().joe() as site:
        fd = os.open(site.store, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        site.fails(111, "another popbox holds the store", "passwd",
                   "joe@example.com", "--generate")
        eq(site.login().rc, 0)
        os.close(fd)


@test("logins are right while the store is being written to", plain=True)
def reading():
    with Site().joe() as site:
        stop, codes = threading.Event(), []

        def write():
            while not stop.is_set():
                codes.append(site.popbox("passwd", "ex1-0000",
                                         "--generate").rc)
        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(150):
                eq(site.login().rc, 0)
                eq(site.login(password="wrong").rc, 1)
                eq(site.login("no@example.com").rc, 1)
        finally:
            stop.set()
            thread.join()
        eq(set(codes), {0})
        assert len(codes) > 9, len(codes)


def limit_files(size):
    def before():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return before


@test("files that cannot grow: 111, a clear message, nothing lost")
def file_size():
    with Site().joe() as site:
        sizes = [os.path.getsize(site.store + "/data.mdb") + 4096 * n
                 for n in (-1000, -1010, -1020)] + [0, 10, 100, 4096]
        for size in sizes:
            before = site.do("log", "--json")
            got = site.popbox("domain", "add", "new.org", "--handle", "ex1",
                              preexec=limit_files(size))
            assert got.rc in (0, 111), (size, got)
            if got.rc == 111:
                assert got.err, size
            if site.do("log", "--json") == before:
                continue
            site.do("sync")
            has(site.control("rcpthosts"), "new.org")
            break
        eq(site.login().rc, 0)
        site.sound()


@test("a full disk: 111, a clear message, nothing acknowledged is lost",
      root=True)
def full_disk():
    with Site(init=False) as site:
        small = site.top + "/small"
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs",
                           small]).returncode:
            skip("cannot mount a tmpfs")
        try:
            site.store = small + "/store"
            site.init()
            site.do("domain", "add", "example.com", "--handle", "ex1")
            with open(small + "/filler", "wb") as file:
                space = os.statvfs(small)
                file.write(b"x" * (space.f_bavail * space.f_bsize - 200000))
            known, failed = [], None
            for i in range(400):
                got = site.popbox("box", "add", f"u{i}@example.com",
                                  "--no-password", "--no-sync", "-q", "--name",
                                  "n" * 200)
                if got.rc:
                    failed = got
                    break
                known.append(got.out.split()[0])
            assert failed, "the disk did not fill"
            eq(failed.rc, 111)
            has(failed.err, "no space left")
            for address in known[:3] + known[-3:]:
                site.do("box", "show", address)
            eq(site.findings("--store-only"), [])
        finally:
            subprocess.run(["umount", small], check=True)


@test("a store that is cut, flipped or of another format is never guessed at",
      plain=True)
def damaged():
    import random
    random.seed(7)
    with Site().joe() as site:
        path = site.store + "/data.mdb"
        with open(path, "rb") as file:
            whole = file.read()
        used = len(whole.rstrip(b"\0"))
        codes = set()
        for i in range(150):
            data = bytearray(whole)
            if i % 3 == 0:
                del data[random.randrange(used):]
            else:
                for _ in range(1 + i % 4):
                    data[random.randrange(used)] ^= 1 << random.randrange(8)
            with open(path, "wb") as file:
                file.write(data)
            right = site.login(program=("sh", "-c", "echo $POPBOX_BOX"))
            assert right.rc in (0, 1, 111), right
            if right.rc == 0:
                eq(right.out, "ex1-0001\n")
            codes.add(right.rc)
            wrong = site.login(password="wrong")
            assert wrong.rc in (1, 111), wrong
            got = site.popbox("check")
            assert got.rc in (0, 1, 111), got
        assert {0, 111} <= codes, codes
        with open(path, "wb") as file:
            file.write(whole)
        eq(site.login().rc, 0)


@test("a table whose name is damaged is missed, also one that came late")
def table_name():
    with Site().joe() as site:
        site.do("box", "del", "joe@example.com", "--yes")
        path = site.store + "/data.mdb"
        with open(path, "rb") as file:
            whole = file.read()
        for name in (b"parked", b"by-owner", b"pending"):
            assert name in whole, name
            with open(path, "wb") as file:
                file.write(whole.replace(name, name[:-1] + b"f"))
            got = site.popbox("check", "--store-only")
            eq(got.rc, 1, got)
            has(got.out, "a table has a name that is none")
        with open(path, "wb") as file:
            file.write(whole)
        site.do("check", "--store-only")


@test("a table whose flags are damaged is none, also if it is empty")
def table_flags():
    with Site().joe() as site:
        site.do("box", "del", "joe@example.com", "--yes")
        site.do("purge", "ex1-0001", "--now", "--yes")
        path = site.store + "/data.mdb"
        with open(path, "rb") as file:
            whole = file.read()
        for name in (b"parked", b"handle", b"meta"):
            for flag in (1, 2, 4, 5, 6):  # LMDB's, from MDB_REVERSEKEY on
                data = bytearray(whole)
                # The key of a table's row; behind it md_pad and md_flags.
                for found in re.finditer(name + rb"\0{6}.{2}\0{4}", whole, re.S):
                    data[found.start() + len(name) + 4] ^= 1 << flag
                assert data != whole, name
                with open(path, "wb") as file:
                    file.write(data)
                got = site.popbox("check", "--store-only")
                assert got.rc in (1, 111) and "damaged" in got.out + got.err, \
                    (name, flag, got)
        with open(path, "wb") as file:
            file.write(whole)
        site.do("check", "--store-only")


@test("a walk through a damaged tree ends: no empty key, none twice")
def rounds():
    import struct

    def empty_key(page):
        node = struct.unpack_from("<H", page, 16)[0]
        struct.pack_into("<H", page, node + 6, 0)

    def key_twice(page):
        page[16:18] = page[18:20]

    with Site().joe() as site:
        path = site.store + "/data.mdb"
        with open(path, "rb") as file:
            whole = file.read()
        tried, codes = 0, set()
        for at in range(8192, len(whole), 4096):
            flags, lower = struct.unpack_from("<HH", whole, at + 10)
            if flags != 2 or lower < 20:
                continue  # no leaf of two nodes
            for damage in (empty_key, key_twice):
                page = bytearray(whole[at:at + 4096])
                damage(page)
                with open(path, "wb") as file:
                    file.write(whole[:at] + page + whole[at + 4096:])
                got = site.popbox("check", "--store-only", timeout=10)
                assert got.rc in (0, 1, 111), got
                codes.add(got.rc)  # 0 where the page is an old one
                tried += 1
        assert tried > 8 and 1 in codes, (tried, codes)


@test("each row of meta is looked at")
def meta():
    with Site().joe() as site:
        path = site.store + "/data.mdb"
        with open(path, "rb") as file:
            whole = file.read()
        for word in (b"by_owner", b"id", b"journal_upto"):
            # The row's record begins with its version, 1.
            damaged, at = bytearray(whole), -1
            while (at := whole.find(word + b"\x01", at + 1)) >= 0:
                damaged[at + len(word) + 3] ^= 1
            assert damaged != whole, word
            with open(path, "wb") as file:
                file.write(damaged)
            got = site.popbox("check", "--store-only")
            eq(got.rc, 1, got)
            has(got.out, word.decode() + ": the row of meta is damaged")


@test("a file of a purged domain that cannot be removed is removed by sync",
      plain=True)
def purge_fails():
    codes = set()
    for when in range(1, 7):
        with Site().joe() as site:
            site.do("domain", "del", "example.com", "--yes")
            got = site.popbox(
                "purge", "example.com", "--now", "--yes", prefix=(
                    "strace", "-f", "-o", "/dev/null", "-e", "trace=unlinkat",
                    "-e", f"inject=unlinkat:error=EIO:when={when}"))
            codes.add(got.rc)
            if got.rc:
                has(got.err, "Input/output error")
                hasnt(got.err, "unmanaged")
            site.do("sync")
            eq(site.findings(), [])
            assert not os.path.exists(site.home + "/e/ex1/DOMAINS/example.com")
    eq(codes, {0, 111})


@test("a search in a damaged page ends", root=True, plain=True)
def search_ends():
    """One that says to have more keys than fit: LMDB would look for ever."""
    import struct
    with Site().joe() as site:
        site.may_fault = True
        path = site.store + "/data.mdb"
        with open(path, "rb") as file:
            whole = file.read().rstrip(b"\0")
        logins, checks, others, ended = set(), set(), set(), set()
        for at in range(8192, len(whole), 4096):
            page = bytearray(whole[at:at + 4096].ljust(16, b"\0"))
            struct.pack_into("<HH", page, 10, 0x22, 1)  # flags, lower
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(page)
            logins.add(site.login(timeout=10).rc)
            checks.add(site.popbox("check", "--store-only", timeout=10).rc)
            for words in (("box", "list"), ("export",), ("sync",),
                          ("box", "add", "new@example.com", "--no-password")):
                got = site.popbox(*words, timeout=10)
                others.add(got.rc)
                if "ended by SIG" in got.err:
                    ended.add(" ".join(words[:2]))
                    # glibc may have said something of its own before.
                    line = got.err.splitlines()[-1]
                    has(line, "a page of the store is damaged, or popbox has "
                              "a defect (run 'popbox check')")
                    eq(": nothing was changed" in line or
                       ": the store is changed" in line, "add" in words)
            with open(path, "r+b") as file:
                file.write(whole)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(site.domain_path() + "/.qmail-new")
        eq(logins, {0, 111})
        eq(checks, {0, 1})
        eq(others, {0, 111})
        eq(ended, {"box list", "box add", "export", "sync"})
        eq(site.login().rc, 0)


@test("whatever a power cut leaves of LMDB's lock file, it holds nobody up")
def lock_file():
    with Site().joe() as site:
        path = site.store + "/lock.mdb"
        with open(path, "rb") as file:
            whole = file.read()
        noise = bytes((i * 167 + 13) % 256 for i in range(len(whole)))
        for at, left in enumerate((
                b"", b"x", bytes(len(whole)), noise, whole[:100],
                whole[:64] + noise[64:], noise[:64] + whole[64:],
                whole + noise, b"\xff" * len(whole))):
            with open(path, "wb") as file:
                file.write(left)
            eq(site.login().rc, 0)
            site.do("box", "list")
            with open(path, "wb") as file:
                file.write(left)
            site.do("box", "add", f"new{at}@example.com", "--no-password",
                    timeout=20)
            site.do("check", "--store-only")
        eq(site.do("box", "list").count("new"), 9)


run()
