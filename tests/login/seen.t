#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Repeated logins (setting login_cache): the slow hash is skipped and nothing
else is; the table is used only where root alone can have made it. It is in
/run/popbox, in a /run of these tests' own (tap.py)."""
import os
import re
import shutil
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import seen
import tap
from seen import DIR, HEAD, SETS, SIZE, SET, TABLE, TOLD, WAYS, clean, \
    entries, forge, now, put
from tap import GOOD, UID, Site, eq, has, hasnt, run, skip

WRONG = "never the 77 right one"


def test(sentence, plain=True):
    """As root, with a /run of its own, without a table before and after."""
    def mark(function):
        def alone():
            if not tap.APART:
                skip("no /run of its own here")
            clean()
            try:
                function()
            finally:
                clean()
        return tap.test(sentence, root=True, plain=plain)(alone)
    return mark


def site(**settings):
    return Site(qmail=False, **{"argon2_kib": "4096", "login_cache": "3600",
                                **settings})


def trace(where, password=GOOD, login="joe@example.com", limit=(), **kw):
    """One login and its system calls. limit: words of prlimit(1)."""
    path = where.top + "/trace"
    got = where.login(login, password, prefix=(
        "strace", "-e", "signal=none", "-o", path, *limit), **kw)
    if "PTRACE" in got.err and "not permitted" in got.err:
        skip("no tracing here")
    with open(path) as file:
        return got, file.read().splitlines()


def is_hash(call):
    """The hash's memory, 4 MiB and a little."""
    return re.match(r"mmap\(NULL, 4[12]\d{5}, PROT_READ\|PROT_WRITE, "
                    r"MAP_PRIVATE\|MAP_ANONYMOUS", call)


def slow(where, password=GOOD, login="joe@example.com", rc=0, notes=0, **kw):
    """Was the slow hash computed in this login?"""
    got, calls = trace(where, password, login, **kw)
    eq(got.rc, rc, got)
    lines = [line for line in got.err.splitlines() if ": note " in line]
    eq(len(lines), notes, got)
    return any(is_hash(call) for call in calls)


@test("a repeated login skips the slow hash, a wrong password never does")
def repeated():
    with site().joe() as where:
        assert slow(where)
        for _ in range(3):
            assert not slow(where)
        assert slow(where, WRONG, rc=1)
        assert slow(where, GOOD + " ", rc=1)
        assert not slow(where)
        # Under each of its names it is the same box.
        assert not slow(where, login="ex1-0001")
        assert slow(where, "", rc=1)


@test("an accepted login that was repeated writes the line that it always did", plain=False)
def line():
    with site().joe() as where:
        lines = {where.log_line(where.login()) for _ in range(3)}
        eq(lines, {"popbox-checkpw: accept ip=192.0.2.7 box=ex1-0001 "
                   "user=joe@example.com"})


@test("only an accepted slow hash is written down", plain=False)
def written():
    with site().joe() as where:
        where.do("box", "add", "off@example.com", "--stdin", input=GOOD + "\n")
        where.do("box", "suspend", "off@example.com")
        for login, password in (("joe@example.com", WRONG),
                                ("off@example.com", GOOD),
                                ("nobody@example.com", GOOD)):
            eq(where.login(login, password).rc, 1)
        eq(entries(), [])
        before = now()
        eq(where.login().rc, 0)
        (place, when, words), = entries()
        assert before <= when <= now(), (before, when)
        eq(place, HEAD + words[0] % SETS * SET)
        # A repeated login does not make it younger.
        eq(where.login().rc, 0)
        eq(entries(), [(place, when, words)])


@test("a new password and a new hash count at once; the old one is refused")
def reset():
    with site().joe() as where:
        slow(where)
        assert not slow(where)
        new = "fresh words 98 of mine"
        where.do("passwd", "ex1-0001", "--stdin", input=new + "\n")
        assert slow(where, GOOD, rc=1)
        assert slow(where, new)
        assert not slow(where, new)
        # The same password, with another salt.
        where.do("passwd", "ex1-0001", "--stdin", input=new + "\n")
        assert slow(where, new)


@test("each switch refuses a login that was accepted before, and takes the time "
      "of the slow hash")
def suspended():
    with site().joe() as where:
        slow(where)
        for noun, name in (("box", "ex1-0001"), ("domain", "example.com"),
                           ("handle", "ex1")):
            assert not slow(where)
            where.do(noun, "suspend", name)
            assert slow(where, rc=1), noun
            has(where.login().err, f"reason={noun}-suspended")
            where.do(noun, "resume", name)
        assert not slow(where)
        where.do("box", "del", "ex1-0001", "--yes")
        eq(where.login().rc, 1)


def hash_of(where):
    return re.search(r"\$argon2id\$[^\"\s]+", where.do("export"))[0]


@test("a digest is BLAKE2b-256, with the key of the table, of box, hash and "
      "password, each behind its length")
def digest():
    with site().joe() as where:
        slow(where)
        (place, when, words), = entries()
        eq(tuple(words), seen.digest("ex1-0001", hash_of(where), GOOD))
        # So a test can make an entry of its own: nothing else is looked at.
        forge("ex1-0001", hash_of(where), WRONG)
        assert not slow(where, WRONG)
        where.do("box", "suspend", "ex1-0001")
        assert slow(where, WRONG, rc=1)


@test("boxes with the same password, and with the same hash, are not taken for "
      "each other")
def apart():
    with site().joe() as where:
        where.do("box", "add", "ann@example.com", "--hash-stdin",
                 input=hash_of(where) + "\n")
        slow(where)
        assert slow(where, login="ann@example.com")
        assert not slow(where, login="ann@example.com")
        eq(len(entries()), 2)


@test("an entry ends login_cache seconds after the slow hash")
def aged():
    with site().joe() as where:
        slow(where)
        assert not slow(where)
        (place, when, words), = entries()
        # The setting counts as it is now.
        where.settings({"login_cache": "1"})
        put(place, now() - 1001, words)
        assert slow(where)
        # The new one is beside it.
        eq(len(entries()), 2)
        time.sleep(1.1)
        assert slow(where)
        where.settings({"login_cache": "3600"})
        assert not slow(where)


@test("an entry of the future, of another time or torn is none")
def torn():
    with site().joe() as where:
        slow(where)
        (place, when, words), = entries()
        put(place, now() + 60000, words)
        assert slow(where)  # and takes the place of the one of the future
        (again, when, words), = entries()
        eq(again, place)
        assert not slow(where)
        for at in range(5):
            with open(TABLE, "r+b") as file:
                file.seek(place)
                text = bytearray(file.read(40))
                text[at * 8] ^= 1
                file.seek(place)
                file.write(text)
            assert slow(where), at
            with open(TABLE, "r+b") as file:
                file.seek(HEAD)
                file.write(bytes(SIZE - HEAD))
            put(place, when, words)
            assert not slow(where), at


@test("login_cache = 0: no table is made, and one that is there is not used")
def off():
    with site(login_cache="0").joe() as where:
        for _ in range(2):
            assert slow(where)
        assert not os.path.exists(DIR)
        where.settings({"login_cache": "3600"})
        slow(where)
        assert not slow(where)
        where.settings({"login_cache": "0"})
        got, calls = trace(where)
        assert any(map(is_hash, calls))
        hasnt("".join(calls), "/run")


@test("root makes directory and table for itself alone, whatever the umask is")
def made():
    with site().joe() as where:
        for umask in (0o022, 0, 0o777):
            clean()
            old = os.umask(umask)
            try:
                eq(where.login().rc, 0)
            finally:
                os.umask(old)
            for path, mode in ((DIR, stat.S_IFDIR | 0o700),
                               (TABLE, stat.S_IFREG | 0o600)):
                info = os.lstat(path)
                eq((info.st_mode, info.st_uid, info.st_gid), (mode, 0, 0))
            eq(os.listdir(DIR), ["seen"])
            assert os.stat(TABLE).st_blocks * 512 >= SIZE  # nothing lacks later
            assert not os.path.exists(TOLD)
            with open(TABLE, "rb") as file:
                key = file.read(48)[16:]
            assert len(set(key)) > 8, key
        assert not slow(where)


@test("who makes the table and who finds it give the POP server the same signals")
def signals():
    with site(confine="off").joe() as where:
        first, second = (where.login(program=(
            "grep", "^Sig", "/proc/self/status")).out for _ in range(2))
        has(first, "SigIgn:")
        eq(first, second)


@test("each table has another key", plain=False)
def keys():
    found = set()
    with site().joe() as where:
        for _ in range(3):
            clean()
            eq(where.login().rc, 0)
            with open(TABLE, "rb") as file:
                found.add(file.read(48))
            (_, _, words), = entries()
            found.add(tuple(words))
    eq(len(found), 6)


def content():
    with open(TABLE, "rb") as file:
        return file.read()


def chmod(path, mode):
    return lambda: os.chmod(path, mode)


def swap(path, other):
    """A link in its place."""
    def work():
        os.rename(path, other)
        os.symlink(other, path)
    return work


def rewrite(text):
    def work():
        with open(TABLE, "r+b") as file:
            file.write(text)
    return work


UNUSED = (
    ("the table is another user's", lambda: os.chown(TABLE, UID, 0)),
    ("the group may read it", chmod(TABLE, 0o640)),
    ("others may write to it", chmod(TABLE, 0o602)),
    ("it has a second name", lambda: os.link(TABLE, DIR + "/more")),
    ("it is a link", swap(TABLE, DIR + "/other")),
    ("it is a byte longer", lambda: os.truncate(TABLE, SIZE + 1)),
    ("it is cut", lambda: os.truncate(TABLE, SIZE - 1)),
    ("it is empty", lambda: os.truncate(TABLE, 0)),
    ("it begins with something else", rewrite(b"popbox seen 2\n")),
    ("its head is gone", rewrite(bytes(48))),
    ("it is a pipe", lambda: (os.unlink(TABLE), os.mkfifo(TABLE, 0o600))),
    ("it is a directory", lambda: (os.unlink(TABLE), os.mkdir(TABLE, 0o600))),
    ("the directory is another user's", lambda: os.chown(DIR, UID, 0)),
    ("the group may write to the directory", chmod(DIR, 0o770)),
    ("others may write to the directory", chmod(DIR, 0o1777)),
    ("the directory is a link", swap(DIR, "/run/popbox.other")),
    ("the directory is a file", lambda: (shutil.rmtree(DIR),
                                         open(DIR, "w").close())),
)


@test("a table that root alone did not make, or that is damaged, is not used: "
      "one line once, and the login is as right as without")
def unused():
    with site().joe() as where:
        for name, work in UNUSED:
            clean()
            shutil.rmtree("/run/popbox.other", ignore_errors=True)
            slow(where)
            assert not slow(where), name
            work()
            kept = os.path.isfile(TABLE) and content()
            assert slow(where, notes=1), name
            assert slow(where, notes=0), name
            assert slow(where, WRONG, rc=1), name
            assert not kept or content() == kept, name


@test("the line names the file and what is wrong with it, and no login", plain=False)
def told():
    with site().joe() as where:
        slow(where)
        os.chmod(TABLE, 0o644)
        got = where.login()
        eq(got.err.splitlines()[0],
           'popbox-checkpw: note reason="login_cache is not used: '
           '/run/popbox/seen is not root\'s alone, mode 0600"')
        for work, why in (
                (lambda: os.chown(DIR, UID, 0),
                 "others than root may write to /run/popbox"),
                (lambda: os.truncate(TABLE, 0), "/run/popbox/seen is damaged"),
                (lambda: (os.unlink(TABLE), os.symlink("x", TABLE)),
                 "/run/popbox/seen cannot be opened: Too many levels of "
                 "symbolic links")):
            clean()
            where.login()
            work()
            eq(where.login().err.splitlines()[0], 'popbox-checkpw: note reason='
               f'"login_cache is not used: {why}"')
        clean()
        where.login()
        os.chmod(TABLE, 0o644)
        got = where.login()
        has(got.err.splitlines()[1], ": accept ")
        info = os.lstat(TOLD)
        eq((info.st_mode & 0o777, info.st_size), (0o600, 0))


@test("a table in a directory on a disk is neither made nor used")
def disk():
    kind = subprocess.run(["stat", "-f", "-c", "%T", tap.TREE],
                          capture_output=True, text=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        skip("the tree is in memory")
    with site().joe() as where:
        there = tap.TREE + "/build/seen-on-disk"
        shutil.rmtree(there, ignore_errors=True)
        try:
            os.mkdir(there, 0o700)
        except OSError as why:
            skip(f"the tree cannot be written to: {why}")
        try:
            os.mkdir(DIR, 0o700)
            subprocess.run(["mount", "--bind", there, DIR], check=True)
            assert slow(where, notes=1)
            assert slow(where)
            eq(os.listdir(DIR), [])
            subprocess.run(["umount", DIR], check=True)
            clean()
            slow(where)  # a good one, brought onto the disk
            shutil.copy(TABLE, there + "/seen")
            os.chmod(there + "/seen", 0o600)
            subprocess.run(["mount", "--bind", there, DIR], check=True)
            assert slow(where, notes=1)
            assert slow(where)
        finally:
            subprocess.run(["umount", DIR], stderr=subprocess.DEVNULL)
            shutil.rmtree(there)


@test("where no table can be made, logins are right and slow: no room, a limit "
      "on files, /run read-only, no /run/popbox")
def unmakable():
    with site().joe() as where:
        os.mkdir(DIR, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700",
                        "tmpfs", DIR], check=True)
        got = where.login()
        eq(got.rc, 0)
        has(got.err, "/run/popbox/seen cannot be made: No space left on device")
        assert slow(where)
        eq(os.listdir(DIR), [])
        subprocess.run(["umount", DIR], check=True)
        clean()
        # A table that cannot be made costs a line, not the login.
        for _ in range(2):
            assert slow(where, notes=1 - os.path.exists(TOLD),
                        limit=("prlimit", "--fsize=1048576"))
        eq(os.listdir(DIR), [])
        clean()
        subprocess.run(["mount", "-o", "remount,ro", "/run"], check=True)
        try:
            for _ in range(2):
                assert slow(where)
        finally:
            subprocess.run(["mount", "-o", "remount,rw", "/run"], check=True)
        assert slow(where)
        assert not slow(where)


@test("a full set loses its oldest entry")
def full():
    with site().joe() as where:
        slow(where)
        (place, when, words), = entries()
        first = HEAD + words[0] % SETS * SET
        for way in range(WAYS):
            put(first + way * 40, now() - 1000 * (3 if way == 4 else 1),
                [words[0] ^ SETS * (way + 1), 1, 2, 3])
        assert slow(where)
        found = {at: digest for at, _, digest in entries()}
        eq(len(found), WAYS)
        eq(found[first + 4 * 40], words)
        assert not slow(where)


@test("logins that come at once make one table, and all are right")
def at_once():
    with site().joe() as where:
        for _ in range(3):
            clean()
            words = [[tap.CHECKPW, "-d", where.store, "true"]] * 8
            running = []
            for command in words:
                reader, writer = os.pipe()
                os.write(writer, tap.record("joe@example.com", GOOD))
                os.close(writer)
                with tap.as_third(reader):
                    running.append(subprocess.Popen(
                        command, close_fds=False, stderr=subprocess.PIPE))
                os.close(reader)
            for process in running:
                err = process.communicate()[1].decode()
                eq(process.returncode, 0, err)
                hasnt(err, ": note ")
            eq(os.listdir(DIR), ["seen"])
            assert not slow(where)


@test("many boxes: each has its own entry", plain=False)
def many():
    with site(argon2_kib="64").joe() as where:
        for i in range(40):
            where.do("box", "add", f"b{i}@example.com", "--stdin",
                     input=f"password 77 of {i}\n")
        for _ in range(2):
            for i in range(40):
                eq(where.login(f"b{i}@example.com",
                               f"password 77 of {i}").rc, 0)
        eq(len(entries()), 40)
        for i in range(40):
            eq(where.login(f"b{i}@example.com",
                           f"password 77 of {(i + 1) % 40}").rc, 1)


def index(calls, pattern):
    found = [i for i, call in enumerate(calls) if re.search(pattern, call)]
    assert found, f"no call like {pattern}"
    return found[0]


@test("the table is opened by root, sealed while the request is read, writable "
      "only after an accepted slow hash, and gone before the POP server")
def order():
    with site().joe() as where:
        slow(where)
        for password, hit, rc in ((GOOD, True, 0), (WRONG, False, 1)):
            got, calls = trace(where, password)
            eq(got.rc, rc)
            opened = index(calls, r'^openat\(\d+, "seen"')
            fd = re.search(r"= (\d+)$", calls[opened])[1]
            mapped = index(calls, rf"^mmap\(NULL, {SIZE}, PROT_NONE, "
                                  rf"MAP_SHARED, {fd}, 0\)")
            closed = opened + index(calls[opened:], rf"^close\({fd}\)")
            drop = index(calls, r"^setresuid\(\d+, \d+, \d+\)")
            read = index(calls, r'^read\(3, "joe')
            data = index(calls, r"^open.*data\.mdb")
            shut = data + index(calls[data:], r"^close\("
                                + re.search(r"= (\d+)$", calls[data])[1] + r"\)")
            read_only = index(calls, rf"^mprotect\(0x\w+, {SIZE}, PROT_READ\)")
            assert opened < mapped < closed < drop < read < shut < read_only
            eq([call for call in calls[read_only:] if re.match(
                r"mprotect\(0x\w+, 4096, .*PROT_WRITE", call)], [])
            if hit:
                gone = index(calls, rf"^munmap\(0x\w+, {SIZE}\)")
                assert read_only < gone < index(calls, r'^execve\("/bin/sh|'
                                                r'^execve\("/usr/bin/sh')
        clean()
        got, calls = trace(where)
        hashed = max(i for i, call in enumerate(calls) if is_hash(call))
        # Of the table only a page is there while the hash is computed.
        unsealed = index(calls, rf"^mprotect\(0x\w+, {SIZE}, PROT_READ\)")
        gone = [int(found[1]) for call in calls[unsealed:hashed]
                if (found := re.match(r"munmap\(0x\w+, (\d+)\) += 0", call))]
        eq((len(gone), sum(gone)), (2, SIZE - 4096))
        kept = index(calls, r"^mprotect\(0x\w+, 4096, PROT_READ\|PROT_WRITE\)")
        exec = max(i for i, call in enumerate(calls)
                   if call.startswith("execve("))
        page = re.search(r"mprotect\((0x\w+)", calls[kept])[1]
        gone = kept + index(calls[kept:], rf"^munmap\({page}, 4096\)")
        assert hashed < kept < gone < exec, (hashed, kept, gone, exec)


@test("a private installation, not started as root, has no table")
def private():
    with site() as where:
        where.do("domain", "add", "example.com", "--handle", "ex1")
        where.do("box", "add", "joe@example.com", "--stdin", input=GOOD + "\n")
        for top, dirs, files in os.walk(where.store):
            for path in [top, *(os.path.join(top, f) for f in files)]:
                os.chown(path, UID, 51)
        got = where.login(prefix=("setpriv", f"--reuid={UID}", "--regid=51",
                                  "--clear-groups"))
        eq(got.rc, 0, got)
        hasnt(got.err, ": note ")
        assert not os.path.exists(DIR)


run()
