#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a caller may leave behind in the process: closed descriptors, ignored and
blocked signals, a umask; and locks that others hold."""
import fcntl
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import BUILD, GOOD, POPBOX, PREPARES, Site, eq, has, run, skip, table, test

COMMANDS = (
    ("domain", "add", "new.org", "--handle", "ex1"),
    ("box", "add", "ann@example.com", "--no-password"),
    ("sync", "--full"),
    ("backup", "BACKUP"),
    ("restore", "BACKUP", "--dry-run"),
    ("check", "--store-only"),
    ("stats", "--mail"),
    ("export", "--format", "json"),
    ("serialmail", "run", "--grace", "0", "--command", "true"),
    ("log",),
)


def commands(site, preexec):
    for command in COMMANDS:
        words = [site.top + "/backup" if w == "BACKUP" else w for w in command]
        got = site.popbox(*words, preexec=preexec)
        eq(got.rc, 0, f"{preexec.__name__}: {command}: {got}")
    got = site.popbox("check", preexec=preexec)
    eq(got.rc, 1, got)  # qmail-send does not run
    site.sound()
    eq(site.login().rc, 0)


@test("every command works where the caller ignores or blocks all signals")
def signals():
    def ignoring():
        for number in signal.valid_signals() - {9, 19}:
            if number < 32:
                signal.signal(number, signal.SIG_IGN)

    def blocking():
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    for preexec in (ignoring, blocking):
        with Site().joe() as site:
            commands(site, preexec)


@test("closed descriptors never mix the store in: nothing is read from it as a "
      "password, no message is written over it")
def closed():
    for mask in range(1, 8):
        def closing():
            for fd in range(3):
                if mask >> fd & 1:
                    os.close(fd)
        with Site().joe() as site:
            commands(site, closing)
            got = site.popbox("verify", "joe@example.com", "--stdin",
                              input="wrong one\n", preexec=closing)
            eq(got.rc, 2 if mask & 1 else 1, got)
            got = site.popbox("box", "show", "none@example.com",
                              preexec=closing)
            eq(got.rc, 1, got)
            site.sound()


@test("modes are what they should be under every umask")
def umasks():
    with Site().joe() as site:
        want = {path.replace(site.top, ""): mode for path, (mode, *_) in
                site.tree().items() if "cdb" not in path}
    for mask in (0, 0o077):
        with Site(init=False) as site:
            os.umask(mask)
            try:
                site.init()
                site.joe()
                site.do("backup", site.top + "/backup")
            finally:
                os.umask(0o022)
            eq({path.replace(site.top, ""): mode for path, (mode, *_) in
                site.tree().items() if "cdb" not in path}, want, oct(mask))
            eq(os.stat(site.top + "/backup").st_mode & 0o7777, 0o600)
            eq(os.stat(site.store).st_mode & 0o7777, 0o700)
            site.do("config", "set", "refuse_delay_ms", "0")
            eq(site.login().rc, 0)
            site.sound()


@test("an empty password, none and one that is too long end verify with 2")
def no_password():
    with Site().joe() as site:
        for text in ("", "\n", "x" * 5000):
            got = site.popbox("verify", "joe@example.com", "--stdin",
                              input=text)
            assert got.rc in (1, 2) and (got.out or got.err), got


@test("a lock on a box that somebody does not give back holds up the copy of "
      "its old mail for ten seconds, not for ever", root=True)
def held():
    with Site().joe() as site:
        for part in ("cur", "new", "tmp"):
            os.makedirs(f"{site.top}/old/{part}")
        with open(site.top + "/old/new/1.a", "w") as file:
            file.write("hello\n")
        subprocess.run(["chown", "-R", "4242:4242", site.top + "/old"],
                       check=True)
        with open(site.top + "/old.csv", "w") as file:
            file.write("address,hash,handle,maildir\n"
                       f"joe@example.com,*,ex1,{site.top}/old\n")
        words = ("import", site.top + "/old.csv", "--maildir", "--update")
        box = os.open(site.box_path(), os.O_RDONLY)
        fcntl.flock(box, fcntl.LOCK_EX)
        start = time.monotonic()
        got = site.popbox(*words)
        eq(got.rc, 111, got)
        has(got.err, f"cannot write '{site.box_path()}': Device or resource "
            "busy")
        assert 9 < time.monotonic() - start < 40
        os.close(box)
        site.do(*words)
        eq(site.mails(), 1)


def no_limit():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)


def typed(site, *words, answers):
    """A command at a terminal that may leave core files; the keyboard ends it
    (Ctrl-\\). Its wait status."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(site.top)
        no_limit()
        os.execv(POPBOX, [POPBOX, "-d", site.store, *words])
    for answer in answers:
        seen = b""
        while not seen.endswith(b": "):
            seen += os.read(terminal, 1000)
        os.write(terminal, answer)
    if answers and not answers[-1].endswith(b"\n"):
        time.sleep(0.2)  # the last one is not a line yet
    else:
        while not os.read(terminal, 1000).endswith(b": "):
            pass
    os.write(terminal, b"\x1c")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return status


@test("a password that was typed is in no core file", plain=True)
def no_core():
    with Site().joe() as site:
        for words, answers in (
                (("passwd", "joe@example.com"), [b"zebra canary 7788\n"]),
                (("verify", "joe@example.com"), [b"zebra canary"]),
                (("box", "add", "ann@example.com"), [b"zebra canary 7788\n"])):
            status = typed(site, *words, answers=answers)
            assert os.WIFSIGNALED(status), (words, status)
            eq(os.WTERMSIG(status), signal.SIGQUIT, words)
            eq(os.WCOREDUMP(status), False, words)
            eq([n for n in os.listdir(site.top) if "core" in n], [], words)


@test("every command is sealed against core files and tracing before it opens or "
      "reads anything", plain=True)
def sealed():
    with Site(qmail=False) as site:
        rows = [[POPBOX, "-d", site.store, row["noun"],
                 *([row["verb"]] if row["verb"] else []),
                 *["x" for word in row["operands"].split() if word[0] != "["]]
                for row in table()]
        rows += [[POPBOX], [POPBOX, "--version"],
                 [BUILD + "/popbox-maildirsmtp", "x"]]
        trace = site.top + "/trace"
        for words in rows:
            subprocess.run(["strace", "-o", trace, "-e",
                            "trace=openat,open,read,prctl,prlimit64,setrlimit",
                            *words], stdin=subprocess.DEVNULL, timeout=60,
                           capture_output=True, preexec_fn=no_limit,
                           cwd=site.top)  # `backup x` makes a file
            if not os.path.exists(trace):
                skip("no tracing here")
            with open(trace) as file:
                calls = file.read().splitlines()
            # The loader reads libraries and its cache.
            own = [c for c in calls if not re.search(
                r'"(/proc/sys|/sys|/etc/ld\.so|/lib|/usr/lib|/etc/ssl)', c) and
                r"\177ELF" not in c]
            marks = (r"RLIMIT_CORE, \{rlim_cur=0, rlim_max=0\}",
                     r"PR_SET_DUMPABLE, SUID_DUMP_DISABLE",
                     r"\b(open|openat|read)\(")
            core, trace_off, looks = (
                next((i for i, c in enumerate(own) if re.search(mark, c)), 1000)
                for mark in marks)
            assert max(core, trace_off) < min(looks, 999), (words, own[:10])


run()
