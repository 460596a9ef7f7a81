#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One system call of a login fails: which one, and what comes of it. That no
answer is ever wrong, whatever fails, tests/deep/faults tries."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, run, skip, test

PROGRAM = ("/bin/sh", "-c", "echo ran")
GOES_ON = (0, "ran\n", "accept ip=192.0.2.7")
UNREAD = (111, "", None)  # the settings say where the log is


def cannot_tell(why):
    return (111, "", why)


class Calls:
    """The calls of a login as they are when nothing fails; below: the command
    that runs it."""

    def __init__(self, site, below=(), **kw):
        self.site, self.kw = site, {"program": PROGRAM, **kw}
        self.strace = (*below, "strace", "-y", "-o")
        path = site.top + "/trace"
        got = site.login(**self.kw, prefix=(*self.strace, path))
        if "PTRACE" in got.err and "not permitted" in got.err:
            skip("no tracing here")
        with open(path) as file:
            self.lines = list(file)

    def when(self, pattern):
        """The first call that looks like this: its name, and the how many-th
        of that name it is."""
        for at, line in enumerate(self.lines):
            if re.search(pattern, line):
                name = line.split("(")[0]
                return name, sum(before.startswith(name + "(")
                                 for before in self.lines[:at + 1])
        raise AssertionError(f"no call like {pattern}")

    def fails(self, pattern, how, rc, out, line):
        """The login when that call ends like this, whose last line of the log
        has this in it; None: there is no line."""
        name, number = self.when(pattern)
        if name == "execve":
            number -= 1  # the first is strace's own
        if os.path.exists(self.site.box_path() + "/.lastlogin"):
            os.unlink(self.site.box_path() + "/.lastlogin")
        how = how if "=" in how else "error=" + how
        got = self.site.login(**self.kw, prefix=(
            *self.strace, "/dev/null", "-e", f"trace={name}", "-e",
            f"inject={name}:{how}:when={number}"))
        what = f"{name} {number} {how}"
        eq((got.rc, got.out), (rc, out), (what, got))
        logged = [text for text in got.err.splitlines()
                  if text.startswith("popbox-checkpw: ")]
        if line is None:
            eq(logged, [], what)
        else:
            has(logged[-1], line)
        return got


def try_all(site, cases, **kw):
    calls = Calls(site, **kw)
    for pattern, how, (rc, out, line) in cases:
        calls.fails(pattern, how, rc, out, line)


@test("descriptors that cannot be looked at or filled: 111, before anything else",
      plain=True)
def descriptors():
    with Site().joe() as site:
        try_all(site, ((r"^poll\(\[\{fd=0", "EINTR", GOES_ON),
                       (r"^poll\(\[\{fd=0", "ENOMEM", (111, "", None))))
        try_all(site, ((r'"/dev/null", O_RDONLY', "EMFILE", (111, "", None)),
                       (r'"/dev/null", O_RDONLY', "retval=9", (111, "", None))),
                close=(0,))


@test("settings and store that cannot be read: 111, and which of them",
      plain=True)
def files():
    config = r"</\S*/store/config>"
    data = r"</\S*/store/data\.mdb>"
    broken = "Input/output error"
    with Site().joe() as site:
        try_all(site, (
            (r'^open.*/store", O_', "EMFILE", UNREAD),
            (r'fstat.*</\S*/store>, ', "EIO", UNREAD),
            (r'^open.*, "config"', "ENOENT", UNREAD),
            (r'^open.*, "config"', "EIO", UNREAD),
            (r'fstat.*' + config, "EIO", UNREAD),
            (r'^read.*' + config, "EIO", UNREAD),
            (r'^read.*' + config, "EINTR", GOES_ON),
            (r'stat.*"/\S*/store/data\.mdb"', "EIO",
             cannot_tell("store: " + broken)),
            (r'^open.*/store/data\.mdb', "ENFILE",
             cannot_tell("store: Too many open files in system")),
            (r'^pread64.*' + data, "EIO", cannot_tell("store: " + broken)),
            (r'^mmap.*' + data, "ENOMEM",
             cannot_tell("store: Cannot allocate memory")),
            (r'^fcntl.*' + data + r", F_SETFD", "EBADF",
             cannot_tell("store: Bad file descriptor")),
            (r'^(new)?fstat(at)?\(.*' + data, "EIO",
             cannot_tell("store: " + broken)),
            # The lock is the second proof; the last transaction the first.
            (r'^flock.*' + data, "EINTR", GOES_ON),
            (r'^flock.*' + data, "ENOLCK", GOES_ON),
        ))


@test("privileges that cannot be given up, or that come back: 111, as root reads "
      "nothing of a stranger's", root=True, plain=True)
def privileges():
    again = "root could be had again after dropping it"
    with Site().joe() as site:
        try_all(site, (
            (r"^setgroups", "ENOMEM",
             cannot_tell("cannot drop supplementary groups: Cannot allocate")),
            (r"^setgroups", "EPERM",
             cannot_tell("not started as root and not as popusr")),
            (r"^setresgid\(\d", "EAGAIN",
             cannot_tell("cannot become the group of popusr: Resource")),
            (r"^setresuid\(\d", "EAGAIN",
             cannot_tell("cannot become popusr: Resource")),
            (r"^setresuid\(\d", "retval=0", cannot_tell("not started as root")),
            (r"^setresgid\(\d", "retval=0", cannot_tell("not started as root")),
            (r"^getresuid", "EFAULT", cannot_tell("not started as root")),
            (r"^getresgid", "EFAULT", cannot_tell("not started as root")),
            (r"^setresuid\(-1, 0", "retval=0", cannot_tell(again)),
            (r"^setresgid\(-1, 0", "retval=0", cannot_tell(again)),
            (r"^prctl\(PR_SET_DUMPABLE", "EINVAL",
             cannot_tell("cannot forbid tracing: Invalid")),
            (r"limit.*RLIMIT_CORE, \{", "EPERM",
             cannot_tell("cannot forbid core files: Operation")),
        ))


@test("a record that cannot be read is 111; one that is interrupted is read on",
      plain=True)
def record():
    unreadable = "request: it cannot be read: "
    with Site().joe() as site:
        try_all(site, (
            (r"^poll\(\[\{fd=3", "EINTR", GOES_ON),
            (r"^poll\(\[\{fd=3", "ENOMEM",
             cannot_tell(unreadable + "Cannot allocate")),
            (r'^read\(3.*"joe', "EINTR", GOES_ON),
            (r'^read\(3.*"joe', "EAGAIN", GOES_ON),
            (r'^read\(3.*"joe', "EIO", cannot_tell(unreadable + "Input/out")),
        ))


@test("no memory for the hash is 111, and a clock that is interrupted waits on",
      plain=True)
def decision():
    with Site(argon2_kib="19456", refuse_delay_ms="999").joe() as site:
        memory = r"^mmap\(NULL, (199\d{5}|2\d{7}), PROT_READ\|PROT_WRITE"
        nothing = cannot_tell("password: no memory for the hash")
        try_all(site, ((memory, "ENOMEM", nothing),))
        calls = Calls(site, password="wrong")
        eq(calls.fails(memory, "ENOMEM", *nothing).seconds > 0.99, True)
        got = calls.fails(r"^clock_nanosleep", "EINTR", 1, "",
                          "refuse ip=192.0.2.7 reason=mismatch")
        assert got.seconds > 0.99, got.seconds


@test("a Maildir, a program or walls that fail at the last moment: 111, and the "
      "program does not run", plain=True)
def entering():
    with Site(log="stderr").joe() as site:
        try_all(site, (
            (r'^open.*/POP/ex1-0001"', "EMFILE",
             cannot_tell("maildir: Too many open files")),
            (r"^fchdir", "EACCES", cannot_tell("maildir: Permission denied")),
            (r'^open.*"/usr", O_\S*PATH', "EMFILE",
             cannot_tell("cannot confine (landlock_add_rule): Too many")),
            (r'^open.*"/dev/null", O_\S*PATH', "ENOENT", GOES_ON),
            (r'^execve\("/bin/sh"', "ENOEXEC",
             cannot_tell("program: Exec format error")),
        ))
        os.symlink("/bin", site.top + "/bin")
        try_all(site, ((r'^readlink.*/bin"', "EIO",
                        cannot_tell("program: Input/output error")),),
                program=("bin/sh", "-c", "echo ran"),
                below=("env", "-C", site.top))


@test("a last login that cannot be noted costs nothing, and leaves no half of an "
      "address", plain=True)
def lastlogin():
    with Site().joe() as site:
        note = site.box_path() + "/.lastlogin"
        calls = Calls(site)
        for pattern, how in ((r'^open.*"\.lastlogin"', "EROFS"),
                             (r'^write.*"192\.0\.2\.7\\n"', "ENOSPC"),
                             (r'^write.*"192\.0\.2\.7\\n"', "retval=3")):
            calls.fails(pattern, how, *GOES_ON)
            assert not os.path.exists(note), (pattern, how)
        # One of tomorrow says nothing: it is written anew.
        eq(site.login(program=PROGRAM).rc, 0)
        os.utime(note, (time.time() + 86400,) * 2)
        eq(site.login(program=PROGRAM).rc, 0)
        assert os.stat(note).st_mtime <= time.time()


@test("a line of the log that is interrupted is written, one that fails costs "
      "the line alone", plain=True)
def log():
    with Site().joe() as site:
        line = r'^write\(2.*accept'
        try_all(site, ((line, "EINTR", GOES_ON),
                       (line, "EIO", (0, "ran\n", None))))
        site.do("config", "set", "log", "syslog")
        for password, end in ((GOOD, (0, "ran\n", None)),
                              ("wrong", (1, "", None))):
            try_all(site, ((r"^socket\(AF_UNIX", "EMFILE", end),
                           (r"^sendto", "EAGAIN", end),
                           (r"^sendto", "ECONNREFUSED", end)),
                    password=password)


run()
