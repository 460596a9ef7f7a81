#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A broken POP server behind the walls: what it can and cannot do.

The program that is run in place of the POP server, tests/qmail/attack.c, tries
everything it can think of. The table says from which version of Landlock on
each attack is stopped; strict stops some on every version.
"""
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, ROOT, UID, Site, eq, has, run, skip, test

NEVER = 99
# name: (the first version of Landlock that stops it, does strict stop it)
ATTACKS = {
    "stat": (NEVER, False),
    "read": (2, True), "write": (2, True), "create": (2, True),
    "list": (2, True), "link-in": (2, True), "symlink": (2, True),
    "rename-in": (2, True), "rename-out": (2, True), "mkdir": (2, True),
    "rmdir": (2, True), "unlink": (2, True), "shadow-root": (2, True),
    "tmp": (2, True),
    "truncate": (3, True),
    "chmod": (NEVER, True), "chown": (NEVER, True), "utimes": (NEVER, True),
    "kill": (6, True), "prlimit": (NEVER, True),
    "proc-mem": (2, True), "proc-environ": (2, True), "vm-read": (2, True),
    "pidfd-getfd": (2, True), "ptrace": (2, True),
    "tcp-connect": (4, True), "tcp-bind": (4, True),
    "udp": (NEVER, True), "unix-path": (NEVER, True),
    "unix-abstract": (6, True), "device": (5, False), "own-run": (2, True),
}
OWN = {"own-write", "own-move", "own-read", "own-list", "own-delete",
       "own-cut", "own-dirs", "own-exec", "own-null", "own-signal",
       "own-system", "own-bin"}
# The second program's. A call that this kernel does not have at all, or that is
# forbidden to everybody here, cannot be seen to be stopped; that strict has each
# of them in its list is shown by tests/unit/test_confine.c.
CALLS = {
    "sig-setown": (6, True), "sig-setown-ex": (6, True),
    "sig-fiosetown": (6, True), "sig-siocspgrp": (6, True),
    "sig-notify": (6, True), "sig-lease": (6, True),
    "f-setown": (NEVER, True), "f-setsig": (NEVER, True),
    "f-setlease": (NEVER, True), "f-notify": (NEVER, True),
    "o-async": (NEVER, True), "fioasync": (NEVER, True),
    "tiocsti": (NEVER, True), "tiocspgrp": (NEVER, True),
    "tiocnotty": (NEVER, True),
    "tkill": (6, True), "tgkill": (6, True), "sigqueue": (6, True),
    "tgsigqueue": (6, True), "pidfd-open": (NEVER, True),
    "pidfd-signal": (6, True), "mrelease": (NEVER, True),
    "vm-write": (2, True),
    "setpriority": (NEVER, True), "setaffinity": (NEVER, True),
    "setscheduler": (NEVER, True), "setparam": (NEVER, True),
    "setattr": (NEVER, True), "ioprio": (NEVER, True),
    "migrate-pages": (2, True), "move-pages": (2, True), "kcmp": (2, True),
    "io-uring": (NEVER, True), "io-uring-enter": (NEVER, True),
    "io-uring-register": (NEVER, True), "userfaultfd": (NEVER, True),
    "perf": (NEVER, True), "keyctl": (NEVER, True), "add-key": (NEVER, True),
    "personality": (NEVER, True), "unshare": (NEVER, True),
    "clone-user": (NEVER, True), "clone-parent": (NEVER, True),
    "setns": (NEVER, True), "fsmount": (NEVER, True), "x32": (NEVER, True),
    "int80": (NEVER, True),
    "shm": (NEVER, True), "sem": (NEVER, True), "msg": (NEVER, True),
    "mq": (NEVER, True), "socketpair": (NEVER, True),
    "setxattr": (NEVER, True), "fsetxattr": (NEVER, True),
    "removexattr": (NEVER, True), "inotify": (NEVER, True),
    "handle": (NEVER, True), "fchmod": (NEVER, True),
    "fchown": (NEVER, True), "ftruncate": (NEVER, True),
    "fifo": (2, True), "socket-file": (2, True), "own-symlink": (2, True),
}


def landlock():
    """The kernel's version of Landlock, 0 without."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, libc.syscall(444, None, 0, 1))


def as_popusr():
    os.setgroups([])
    os.setgid(GID)
    os.setuid(UID)


def attack(site, mode, inject=()):
    """What each attack came to, from joe's box against ann's."""
    site.do("config", "set", "confine", mode)
    ann = site.box_path("ex1-0002")
    for name in ("mail", "mail2", "mail3"):
        path = f"{ann}/new/{name}"
        with open(path, "w") as file:
            file.write("secret\n")
        os.chown(path, UID, GID)
        os.chmod(path, 0o600)
    os.mkdir(ann + "/empty")
    os.chown(ann + "/empty", UID, GID)
    victim = site.start("sleep", "60", preexec_fn=as_popusr,
                        stdin=subprocess.DEVNULL)
    tcp = socket.create_server(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(site.top + "/socket")
    os.chmod(site.top + "/socket", 0o777)
    unix.listen()
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind("\0" + site.top + "/abstract")
    abstract.listen()
    prefix = ("strace", "-f", "-o", "/dev/null", *inject) if inject else ()
    got = site.login(program=(site.tools + "/attack", ann, str(victim.pid),
                              str(tcp.getsockname()[1]), unix.getsockname(),
                              site.top + "/abstract"), prefix=prefix)
    for each in (tcp, unix, abstract):
        each.close()
    victim.kill()
    victim.wait()
    if got.rc != 0:
        return got
    found = dict(line.split() for line in got.out.splitlines())
    eq({n: found.pop(n) for n in OWN}, {n: "done" for n in OWN},
       "what every POP server does")
    eq(set(found), set(ATTACKS), "attacks tried")
    return found


def clear(directory):
    for name in os.listdir(directory):
        os.unlink(f"{directory}/{name}")


def calls(site, mode, inject=()):
    """The same of the second program."""
    site.do("config", "set", "confine", mode)
    clear(site.box_path("ex1-0001") + "/tmp")  # of the run before
    mail = site.box_path("ex1-0002") + "/new/mail"
    os.makedirs(os.path.dirname(mail), exist_ok=True)
    with open(mail, "w") as file:
        file.write("secret\n")
    os.chown(mail, UID, GID)
    victims = [site.start("sleep", "60", preexec_fn=as_popusr,
                          stdin=subprocess.DEVNULL) for _ in range(7)]
    pair = socket.socketpair()
    low = 200  # one behind the other, and not in the way
    for fd, end in enumerate(pair, low):
        os.dup2(end.fileno(), fd)  # inheritable
    prefix = ("strace", "-f", "-o", "/dev/null", *inject) if inject else ()
    got = site.login(program=(site.tools + "/attack_calls", mail, str(low),
                              *(str(v.pid) for v in victims)),
                     prefix=prefix)
    for end in pair:
        end.close()
    os.close(low)
    os.close(low + 1)
    eq(got.rc, 0, got)
    found = dict(line.split() for line in got.out.splitlines())
    eq(set(found), set(CALLS), "attacks tried")
    eq([n for n in found if found[n] == "EEXIST"], [], "stopped by nobody")
    ways = [name for name in found if name.startswith("sig-")]
    for name, victim in zip(ways, victims):
        try:
            died = victim.wait(0.5 if found[name] == "done" else 0)
            eq(died, -signal.SIGKILL, name)
        except subprocess.TimeoutExpired:
            if found[name] == "done":
                found[name] = "lives"
    for victim in victims:
        victim.kill()
        victim.wait()
    return found


HERE = set()  # calls that get through without walls


def judge_calls(found, version, strict):
    wrong = []
    for name in HERE:
        first, by_strict = CALLS[name]
        stopped = version >= first or (strict and by_strict)
        if (found[name] != "done") != stopped:
            wrong.append((name, found[name]))
    eq(wrong, [], f"Landlock {version}, strict {strict}")


def judge(found, version, strict):
    wrong = []
    for name, (first, by_strict) in ATTACKS.items():
        stopped = version >= first or (strict and by_strict)
        if (found[name] != "done") != stopped:
            wrong.append((name, found[name]))
    eq(wrong, [], f"Landlock {version}, strict {strict}")


def sites(**settings):
    site = Site(standins=True, **settings).joe()
    site.do("box", "add", "ann@example.com", "--no-password")
    return site


def injected(version):
    """As if the kernel had this version; 0: none."""
    how = f"retval={version}" if version else "error=EOPNOTSUPP"
    return ("-e", f"inject=landlock_create_ruleset:{how}:when=1")


@test("without walls every attack gets through: the attacks are real",
      root=True, plain=True)
def off():
    with sites() as site:
        judge(attack(site, "off"), 0, False)


@test("auto and require stop what this kernel's Landlock knows", root=True,
      plain=True)
def here():
    version = landlock()
    if version < 2:
        skip("no Landlock here")
    print(f"# Landlock {version}")
    for mode in ("auto", "require"):
        with sites() as site:
            judge(attack(site, mode), version, False)


@test("strict stops all but a look at names, on every version of Landlock",
      root=True, plain=True)
def strict():
    if landlock() < 2:
        skip("no Landlock here")
    with sites() as site:
        judge(attack(site, "strict"), landlock(), True)


# What a kernel may lack or forbid to all; the others must get through.
MAY_LACK = {"mrelease", "migrate-pages", "move-pages", "kcmp",
            "io-uring", "io-uring-enter", "io-uring-register", "userfaultfd",
            "perf", "keyctl", "add-key", "unshare", "clone-user", "fsmount",
            "x32", "int80", "setxattr", "fsetxattr", "removexattr", "mq",
            "shm", "sem", "msg", "sig-lease", "sig-notify"}


@test("no call of a broken POP server signals others, nor reaches the kernel in "
      "ways that it does not need: strict stops them on every version",
      root=True, plain=True)
def more():
    with sites() as site:
        found = calls(site, "off")
        HERE.update(name for name in found if found[name] == "done")
        print("# not here:", {n: found[n] for n in CALLS.keys() - HERE})
        eq(CALLS.keys() - HERE - MAY_LACK, set(), "attacks are real")
        if landlock() < 2:
            skip("no Landlock here")
        for mode in ("auto", "strict"):
            judge_calls(calls(site, mode), landlock(), mode == "strict")
        for version in range(2, landlock()):
            for mode in ("auto", "strict"):
                judge_calls(calls(site, mode, injected(version)), version,
                            mode == "strict")


@test("the same on Linux 6.1 and others in between, as far as it can be played",
      root=True, plain=True)
def older():
    for version in range(2, landlock()):
        for mode in ("auto", "strict"):
            with sites() as site:
                # Landlock's own rules for ptrace do not depend on what it is
                # asked for.
                judge(attack(site, mode, injected(version)), version,
                      mode == "strict")


@test("without Landlock auto goes on, require and strict end as cannot tell",
      root=True, plain=True)
def none():
    for version in (0, 1):
        with sites() as site:
            judge(attack(site, "auto", injected(version)), 0, False)
        for mode in ("require", "strict"):
            with sites() as site:
                got = attack(site, mode, injected(version))
                eq(got.rc, 111)
                has(site.log_line(got), "confine wants Landlock")


@test("walls that cannot be built are no login, never one without them",
      root=True, plain=True)
def failing():
    if landlock() < 2:
        skip("no Landlock here")
    for mode, call, error, when in (
            ("auto", "landlock_create_ruleset", "EPERM", 1),
            ("auto", "landlock_create_ruleset", "ENOMEM", 2),
            ("auto", "landlock_add_rule", "ENOMEM", 1),
            ("auto", "landlock_add_rule", "EPERM", 3),
            ("auto", "landlock_restrict_self", "E2BIG", 1),
            ("strict", "landlock_restrict_self", "EPERM", 1)):
        with sites() as site:
            got = attack(site, mode, ("-e", f"inject={call}:error={error}:"
                                      f"when={when}"))
            eq(got.rc, 111, f"{mode} {call} {error}")
            has(site.log_line(got), "cannot confine")
    with sites() as site:
        site.do("config", "set", "confine", "strict")
        for when in range(1, 5):  # dumpable, is it there, no_new_privs, filter
            got = site.login(prefix=(
                "strace", "-f", "-o", "/dev/null", "-e",
                f"inject=prctl:error=EINVAL:when={when}"))
            eq(got.rc, 111, f"prctl {when}")


@test("a list of readable paths that covers the mail root is refused")
def covers():
    with sites() as site:
        for path in (site.home, os.path.dirname(site.home)):
            site.do("config", "set", "confine_read", f"/usr {path}")
            got = site.login()
            eq(got.rc, 111)
            has(site.log_line(got), "confine_read covers home")
        site.do("config", "set", "confine_read", f"/usr /bin /lib /lib64 "
                f"/etc {site.home}x")
        eq(site.login().rc, 0)
        site.fails(100, "absolute path", "config", "set", "confine_read",
                   "/usr lib")
        site.fails(100, "ends in a blank", "config", "set", "confine_read",
                   "/usr ")
        site.fails(100, "none of those", "config", "set", "confine", "maybe")


@test("SMTP AUTH's `true`, scripts and dynamic programs run behind the walls")
def programs():
    with sites() as site:
        script = site.top + "/script"
        with open(script, "w") as file:
            file.write("#!/bin/sh\nls new >/dev/null && echo ran\n")
        os.chmod(script, 0o755)
        for mode in ("auto", "strict"):
            site.do("config", "set", "confine", mode)
            eq(site.login(program=("true",)).rc, 0)
            eq(site.login(program=(script,)).out, "ran\n")
            eq(site.login(program=("ls", ".")).out, "cur\nnew\ntmp\n")


run()
