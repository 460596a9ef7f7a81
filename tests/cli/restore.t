#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a restore decides: box numbers, settings, and when it may take the place
of a store. What its file may be is in backup.t."""
import contextlib
import fcntl
import json
import os
import pty
import shutil
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import (GID, GOOD, POPBOX, UID, Site, eq, has, hasnt, read_terminal,
                 run, skip, test)

TAKE = "--take-settings"


def backup(site, name="backup"):
    site.do("backup", f"{site.top}/{name}")
    return f"{site.top}/{name}"


def add(site, address, *words):
    """The box that a new address got."""
    return site.do("box", "add", address, "--no-password", *words).split()[-1]


def make(site, box, mode=0o700):
    """A directory as popusr could make it."""
    path = site.box_path(box)
    os.mkdir(path, mode)
    os.chown(path, UID, GID)


def next_box(site, handle="ex1"):
    return json.loads(site.do("--json", "handle", "show", handle))["next_box"]


@contextlib.contextmanager
def publisher(site):
    """Somebody publishes: a restore waits with everything done but its end."""
    lock = os.open(site.store + "/publish.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def holds(process, path):
    """Has the process opened it?"""
    fds = f"/proc/{process.pid}/fd"
    with contextlib.suppress(FileNotFoundError):
        for fd in os.listdir(fds):
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"{fds}/{fd}") == path:
                    return True
    return False


def waiting(site, path):
    """A restore that waits for the publisher."""
    process = site.start(POPBOX, "-d", site.store, "restore", path, "--yes",
                         stderr=subprocess.PIPE)
    deadline = time.time() + 60
    while not holds(process, site.store + "/publish.lock"):
        assert process.poll() is None and time.time() < deadline
        time.sleep(0.01)
    return process


def ended(process, rc=0):
    _, err = process.communicate(timeout=60)
    eq(process.returncode, rc, err)
    return err.decode()


@test("a restore says what is in the store now")
def told():
    with Site().joe() as site:
        path = backup(site)
        site.do("box", "add", "late@example.com", "--no-password")
        got = site.popbox("restore", path, "--yes")
        eq(got.rc, 0, got)
        has(got.err, f"popbox: '{path}': 1 handle, 1 domain, 2 boxes, 2 addresses; the "
            "journal has ")


@test("a number given while a restore was under way is not given again")
def race():
    with Site().joe() as site:
        path = backup(site)
        with publisher(site):
            restore = waiting(site, path)
            eq(add(site, "ann@example.com", "--no-sync"), "ex1-0002")
            site.do("domain", "add", "late.org", "--handle", "late",
                    "--no-sync")
        ended(restore)
        eq(site.popbox("box", "show", "ann@example.com").rc, 1)
        eq(add(site, "bob@example.com"), "ex1-0003")
        # late-0000, postmaster's, had no Maildir yet.
        site.do("domain", "add", "again.org", "--handle", "late")
        has(site.do("address", "show", "postmaster@again.org"), "late-0002")


@test("counters go on over a restore where no directory says so: of boxes that were "
      "purged, of deleted handles, of a handle's box 0000 alone")
def counters():
    with Site(qmail=False).joe() as site:
        path = backup(site)
        site.do("handle", "add", "none")
        site.do("handle", "add", "gone")
        site.do("domain", "add", "gone.org", "--handle", "gone")
        add(site, "a@gone.org")
        site.do("domain", "add", "zero.org", "--handle", "zero")
        eq(next_box(site, "zero"), 1)
        for who in ("ann", "bob"):
            add(site, who + "@example.com")
        site.do("box", "del", "bob@example.com", "--yes")
        site.do("purge", "bob@example.com", "--now", "--yes")
        site.do("purge", "ex1-0003", "--now", "--yes")
        site.do("domain", "del", "gone.org", "--yes")
        site.do("handle", "del", "gone", "--yes")
        shutil.rmtree(site.home)
        os.mkdir(site.home, 0o755)
        os.chown(site.home, UID, GID)
        # A second restore knows what the first one took over.
        for _ in range(2):
            site.do("restore", path, "--yes")
            eq(next_box(site), 4)
        eq(add(site, "new@example.com"), "ex1-0004")
        # The order of numbers: postmaster's first.
        for handle, want in (("gone", "gone-0002"), ("zero", "zero-0002"),
                             ("none", "none-0000")):
            site.do("domain", "add", f"new.{handle}.org", "--handle", handle)
            has(site.do("address", "show", f"postmaster@new.{handle}.org"),
                want)


@test("what popusr can name moves no counter and takes no number but its own")
def named():
    with Site().joe() as site:
        path = backup(site)
        for number in ("999999999", "4294967293", "4294967294", "4294967295",
                       "0005"):
            make(site, "ex1-" + number)
        os.symlink("/nowhere", site.box_path("ex1-0003"))
        with open(site.box_path("ex1-0006"), "w"):
            pass
        for name in ("ex1-00004", "ex2-0004", "ex1-4", "ex1-0004.x"):
            os.mkdir(f"{site.home}/e/ex1/POP/{name}")
        eq(add(site, "ann@example.com"), "ex1-0002")
        site.do("restore", path, "--yes")
        eq(next_box(site), 3)
        eq([add(site, f"u{i}@example.com") for i in range(3)],
           ["ex1-0004", "ex1-0007", "ex1-0008"])
        eq(next_box(site), 9)
        # Where the counter is at its end, that is the reason.
        with open(site.top + "/f.csv", "w") as file:
            file.write("address,box,hash\n"
                       "z@example.com,ex1-999999999,*\n")
        site.do("import", site.top + "/f.csv")
        eq(add(site, "y@example.com"), "ex1-1000000000")


@test("without the store that gave them, numbers with a Maildir are not given: "
      "behind any link of the administrator's, in gaps, by every command",
      root=True)
def without_store():
    for part in ("e", "e/ex1", "e/ex1/POP"):
        with Site().joe() as site:
            where = f"{site.home}/{part}"
            shutil.move(where, site.top + "/disk2")
            os.symlink(site.top + "/disk2", where)
            path = backup(site)
            for i in range(2, 8):
                eq(add(site, f"u{i}@example.com"), f"ex1-000{i}")
            eq(site.deliver("u5@example.com").rc, 0)
            site.do("domain", "add", "late.org", "--handle", "late")
            # What is purged leaves a gap.
            for i in (3, 6):
                site.do("box", "del", f"u{i}@example.com", "--yes")
                site.do("purge", f"u{i}@example.com", "--now", "--yes")
                site.do("purge", f"ex1-000{i}", "--now", "--yes")
            shutil.rmtree(site.store)
            for name in ("rcpthosts", "virtualdomains"):
                site.write_control(name, "")
            os.unlink(site.qmail + "/users/assign")
            site.do("restore", path, TAKE)
            eq(add(site, "a@example.com"), "ex1-0003", part)
            with open(site.top + "/f.csv", "w") as file:
                file.write("address,handle,hash\n" + "".join(
                    f"{a},ex1,*\n" for a in ("b@example.com", "c@example.com",
                                             "d@example.com")))
            site.do("import", site.top + "/f.csv")
            eq([json.loads(site.do("--json", "address", "show",
                                   f"{c}@example.com"))["box"] for c in "bcd"],
               ["ex1-0006", "ex1-0008", "ex1-0009"], part)
            site.do("domain", "add", "again.org", "--handle", "late")
            has(site.do("address", "show", "postmaster@again.org"),
                "late-0001")
            eq([site.mails(f"ex1-000{i}") for i in (3, 5, 6, 8, 9)],
               [0, 1, 0, 0, 0], part)


@test("where it is not known whether a number has a Maildir, no box is added",
      root=True)
def unknown():
    with Site().joe() as site:
        log = site.do("log")
        boxes = f"{site.home}/e/ex1/POP"
        with open(site.top + "/f.csv", "w") as file:
            file.write("address,hash\nz@example.com,*\n")
        os.rename(boxes, site.top + "/kept")
        for what, way in (
                ("Permission denied",
                 lambda: (os.mkdir(boxes, 0), os.chown(boxes, 0, 0))),
                ("Not a directory", lambda: open(boxes, "w").close()),
                ("Too many levels", lambda: os.symlink("POP", boxes))):
            way()
            for words in (("box", "add", "ann@example.com", "--no-password"),
                          ("import", site.top + "/f.csv")):
                got = site.fails(111, what, *words)
                has(got.err, boxes)
                has(got.err, "nothing was changed")
                has(site.fails(111, what, *words, "--dry-run").err, boxes)
            os.rmdir(boxes) if what[0] == "P" else os.unlink(boxes)
        eq(site.do("log"), log)
        os.rename(site.top + "/kept", boxes)
        eq(add(site, "ann@example.com"), "ex1-0002")


@test("a damaged store that is replaced tells what numbers it still can, and the "
      "restore says so", plain=True)
def damaged():
    for damage in (lambda data: os.truncate(data, 8192),
                   lambda data: open(data, "r+b").write(b"x" * 65536),
                   os.unlink):
        with Site().joe() as site:
            path = backup(site)
            eq(add(site, "ann@example.com"), "ex1-0002")
            damage(site.store + "/data.mdb")
            site.may_fault = True
            got = site.popbox("restore", path, "--yes")
            eq(got.rc, 0, got)
            has(got.err, "which box numbers it gave")
            eq(add(site, "bob@example.com"), "ex1-0003")


def evil(site, **settings):
    """A backup with settings of a stranger, and a place without a store."""
    site.settings(settings)
    path = backup(site, "evil")
    site.store = site.top + "/new"
    return path


@test("no setting that leads root is taken from a backup unless it was shown and "
      "agreed to: --yes is not enough")
def settings():
    with Site(standins=True).joe() as site:
        mark = site.top + "/mark"
        path = evil(site, qmail_hup=f"/usr/bin/touch {mark}", confine="off",
                    popusr="root", assign_user="popusr",
                    confine_read="/usr /home", password_min="14")
        before = site.tree()
        for words in ((), ("--yes",), ("--yes", "-q"), ("--no-sync", "--yes")):
            got = site.fails(2, TAKE, "restore", path, *words)
            for key in ("uid", "gid"):
                assert (f"{key} = " in got.err) == (
                    {"uid": UID, "gid": GID}[key] !=
                    {"uid": 510, "gid": 51}[key]), got
            for line in (f"qmail_hup = /usr/bin/touch {mark}",
                         f"qmail = {site.qmail}", f"home = {site.home}",
                         f"serialmail = {site.serial}", "confine = off",
                         "popusr = root", "assign_user = popusr",
                         "confine_read = /usr /home"):
                has(got.err, line)
            hasnt(got.err, "password_min")
            assert not os.path.exists(site.store)
        assert not os.path.exists(mark)
        eq(site.tree(), before)
        out = site.do("restore", path, "--dry-run")
        has(out, f"settings: qmail_hup = /usr/bin/touch {mark}\n")
        assert not os.path.exists(site.store)
        got = site.popbox("restore", path, TAKE)
        eq(got.rc, 0, got)
        has(got.err, "qmail_hup = ")
        eq(site.do("config", "get", "password_min"), "14\n")
        # Where there is a store its own settings stay, and nothing is asked.
        os.unlink(mark)
        site.do("config", "set", "qmail_hup", "")
        hasnt(site.popbox("restore", path, "--yes").err, "qmail_hup")
        eq(site.do("config", "get", "qmail_hup"), "\n")
        assert not os.path.exists(mark)


@test("a store without its settings' file asks for those of the backup as well")
def settings_lost():
    with Site().joe() as site:
        path = backup(site)
        os.unlink(site.store + "/config")
        site.fails(2, TAKE, "restore", path, "--yes")
        site.fails(2, "--yes", "restore", path, TAKE)
        site.do("restore", path, "--yes", TAKE)
        eq(site.login().rc, 0)


@test("at a terminal the settings are shown and asked about, whatever --yes says")
def asked():
    for answer, rc in ((b"n\n", 100), (b"y\n", 0)):
        with Site(qmail=False).joe() as site:
            path = evil(site)
            pid, terminal = pty.fork()
            if pid == 0:
                os.execv(POPBOX, [POPBOX, "-d", site.store, "restore", path,
                                  "--yes"])
            seen = b""
            while b"[y/N]" not in seen:
                seen += os.read(terminal, 1000)
            os.write(terminal, answer)
            while read_terminal(terminal):
                pass
            _, status = os.waitpid(pid, 0)
            os.close(terminal)
            eq(os.waitstatus_to_exitcode(status), rc)
            eq(os.path.exists(site.store), rc == 0)
            has(seen.decode(), "home = " + site.home)


@test("a setting that is set while a restore is under way is in effect afterwards")
def config_kept():
    with Site().joe() as site:
        path = backup(site)
        with publisher(site):
            restore = waiting(site, path)
            site.do("config", "set", "confine", "strict")
        ended(restore)
        eq(site.do("config", "get", "confine"), "strict\n")
        # The helper is another one than the settings say by now.
        for key, value in (("home", site.top + "/elsewhere"),
                           ("serialmail", site.top + "/elsewhere"),
                           ("uid", str(UID + 1)), ("gid", str(GID + 1))):
            with open(site.store + "/config") as file:
                before = file.read()
            with publisher(site):
                restore = waiting(site, path)
                site.settings({key: value})
            has(ended(restore, 111), "try again")
            with open(site.store + "/config") as file:
                has(file.read(), f"{key} = {value}\n")
            with open(site.store + "/config", "w") as file:
                file.write(before)
        eq(len([n for n in os.listdir(site.top) if ".before-" in n]), 1)


@test("a setting is never set in a store that was replaced meanwhile, and never "
      "beside a restore's end: it is tried again")
def config_late():
    with Site(qmail=False).joe() as site:
        gate = os.open(site.store, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(gate, fcntl.LOCK_EX)
        setting = site.start(POPBOX, "-d", site.store, "config", "set",
                             "confine", "strict", stderr=subprocess.PIPE)
        while not holds(setting, site.store):
            time.sleep(0.01)
        time.sleep(0.3)
        eq(setting.poll(), None, "it waits for whoever holds the store")
        os.rename(site.store, site.top + "/moved")
        shutil.copytree(site.top + "/moved", site.store)
        os.close(gate)
        has(ended(setting, 111), "try again")
        eq(site.do("config", "get", "confine"), "auto\n")
        site.store = site.top + "/moved"
        eq(site.do("config", "get", "confine"), "auto\n")


@test("a restore waits for who publishes, and after ten seconds says try again")
def publishes():
    with Site(qmail=False).joe() as site:
        path = backup(site)
        with publisher(site):
            start = time.monotonic()
            site.fails(111, "another popbox publishes", "restore", path,
                       "--yes")
            assert time.monotonic() - start > 9
        eq([n for n in os.listdir(site.top) if ".before-" in n or
            "popbox-restore" in n], [])
        gate = os.open(site.store, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(gate, fcntl.LOCK_EX)
        site.fails(111, "another popbox holds the store", "restore", path,
                   "--yes")
        os.close(gate)
        eq([n for n in os.listdir(site.top) if ".before-" in n or
            "popbox-restore" in n], [])
        site.do("restore", path, "--yes")


@test("a restore that waited while another store came in the place of the one it "
      "waits for says try again")
def replaced():
    with Site(qmail=False).joe() as site:
        path = backup(site)
        with publisher(site):
            restore = waiting(site, path)
            site.fails(111, "in use", "restore", path, "--yes")
            os.rename(site.store, site.top + "/moved")
            shutil.copytree(site.top + "/moved", site.store)
        has(ended(restore, 111), "try again")
        eq([n for n in os.listdir(site.top) if ".before-" in n or
            "popbox-restore" in n], [])


@test("a draft that somebody else made, or may write to, is not used")
def foreign_draft():
    with Site(qmail=False).joe() as site:
        path = backup(site)
        draft = site.store + ".popbox-restore"
        def prepared(mode, uid=None):
            os.mkdir(draft)
            os.chmod(draft, mode)
            if uid is not None:
                os.chown(draft, uid, GID)
        ways = [lambda: prepared(0o755), lambda: prepared(0o770),
                lambda: prepared(0o701)]
        if os.geteuid() == 0:
            ways.append(lambda: prepared(0o700, UID))
        for way in ways:
            way()
            site.fails(111, "not ours", "restore", path, "--yes")
            eq(os.path.exists(draft + "/data.mdb"), False)
            shutil.rmtree(draft)
        os.symlink(site.home, draft)
        site.fails(111, draft, "restore", path, "--yes")
        eq(os.listdir(site.home), ["e"])
        os.unlink(draft)
        # What a killed run left is used, and goes.
        prepared(0o700)
        with open(draft + "/data.mdb", "w") as file:
            file.write("left")
        site.do("restore", path, "--yes")
        assert not os.path.exists(draft)
        eq(stat.S_IMODE(os.stat(site.store).st_mode), 0o700)


@test("a backup that cannot be read, or for whose copy there is no room, is no "
      "restore: 111, and nothing is changed", root=True, plain=True)
def no_copy():
    with Site().joe() as site:
        path = backup(site)
        add(site, "ann@example.com")
        copy = site.store + ".popbox-restore/source"
        for place, call, error in ((path, "pread64", "EIO"),
                                   (copy, "pwrite64", "ENOSPC"),
                                   (copy, "pwrite64", "EIO"),
                                   (copy, "ftruncate", "EFBIG")):
            got = site.popbox("restore", path, "--yes", timeout=60,
                              prefix=("strace", "-o", site.top + "/trace",
                                      "-P", place, "-e",
                                      f"inject={call}:error={error}"))
            if "not permitted" in got.err:
                skip("no tracing here")
            eq(got.rc, 111, (call, error, got))
            with open(site.top + "/trace") as file:
                has(file.read(), "INJECTED")
            eq(site.login("ann@example.com").rc, 1)
            assert not os.path.exists(copy)
            site.sound()


# What each of the children that read a stranger's store asks for, in this order,
# before it opens the store.
GIVEN_UP = ("PR_SET_PDEATHSIG", "PR_SET_DUMPABLE", "setgroups(1, [65534])",
            "setresuid(65534, 65534, 65534)", "PR_SET_NO_NEW_PRIVS, 1",
            "RLIMIT_CPU, {", "RLIMIT_FSIZE, {rlim_cur=0, rlim_max=0}",
            "RLIMIT_AS, {", "openat(")


@test("who reads a backup for root is nobody, with no file to write, and limits of "
      "time and memory, before its store is opened", root=True, plain=True)
def given_up():
    with Site().joe() as site:
        trace = site.top + "/trace"
        got = site.popbox(
            "restore", backup(site), "--dry-run",
            prefix=("strace", "-f", "-y", "-o", trace, "-e",
                    "trace=prlimit64,prctl,setresuid,setgroups,openat"))
        if "not permitted" in got.err:
            skip("no tracing here")
        eq(got.rc, 0, got)
        with open(trace) as file:
            lines = [line for line in file if "/source>" in line or
                     "openat" not in line]
        child = next(line.split()[0] for line in lines if "setgroups" in line)
        calls = [line.split(None, 1)[1] for line in lines
                 if line.startswith(child + " ") and " = -1 " not in line]
        at = 0
        for want in GIVEN_UP:
            while at < len(calls) and want not in calls[at]:
                assert not calls[at].startswith("openat("), (want, calls)
                at += 1
            assert at < len(calls), (want, calls)


run()
