#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is left of passwords and hashes in a process: its memory is looked into,
right before it runs another program or ends."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap
from tap import CHECKPW, GOOD, POPBOX, Site, as_third, eq, hasnt, record, \
    run, skip, test

CALLS = {"execve": 59, "exit_group": 231, "munmap": 11, "clock_nanosleep": 230,
         "close": 3, "read": 0} if os.uname().machine == "x86_64" else \
    {"execve": 221, "exit_group": 94, "munmap": 215, "clock_nanosleep": 115,
     "close": 57, "read": 63}
WRONG = "never the 77 right one"


def memory(pid):
    """All that the process can write, and so has written."""
    parts = []
    with open(f"/proc/{pid}/maps") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            low, high, mode = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if mode[:2] != "rw" or "[vvar" in line:
                continue
            low, high = int(low, 16), int(high, 16)
            mem.seek(low)
            try:
                parts.append(mem.read(high - low))
            except OSError:
                pass  # a file that was cut
    return b"\0".join(parts)


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


class Stopped:
    """A command, held at a system call of its own."""

    def __init__(self, command, call, when, input=None, third=None, limit=(),
                 env=None):
        self.call = CALLS[call]
        # Not the processes that it starts: it would wait for each of them.
        words = ["strace", "-o", "/dev/null", "-e",
                 f"inject={call}:delay_enter=6000000:when={when}", *limit,
                 *command]
        reader, writer = os.pipe()
        os.write(writer, third or b"")
        os.close(writer)
        with as_third(reader):
            self.strace = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, close_fds=False,
                env={**os.environ, "TCPREMOTEIP": "192.0.2.7", **(env or {})})
        os.close(reader)
        if input is not None:
            self.strace.stdin.write(input.encode())
        self.strace.stdin.close()
        self.program = os.path.realpath(command[0])

    def held(self):
        """The process, while strace delays that call, and the call with its
        arguments: strace stops it at each call, but sleeps for this one alone."""
        try:
            with open(f"/proc/{self.strace.pid}/task/{self.strace.pid}/"
                      "children") as file:
                for pid in file.read().split():
                    if os.readlink(f"/proc/{pid}/exe") != self.program:
                        continue
                    with open(f"/proc/{pid}/syscall") as where:
                        line = where.read()
                    if line.split()[0] == str(self.call) and \
                            state(pid) == "t" and state(self.strace.pid) == "S":
                        return int(pid), line
        except (OSError, IndexError):
            pass
        return None

    def wait(self):
        """Its process number; None: it ended without the call."""
        end, before = time.monotonic() + 60, None
        while time.monotonic() < end:
            now = self.held()
            if now and now == before:
                return now[0]
            before = now
            if self.strace.poll() is not None:
                return None
            time.sleep(0.01)
        raise AssertionError("it neither stops nor ends")

    def end(self, pid):
        if pid:
            os.kill(pid, 9)
        self.strace.kill()
        self.strace.wait()
        for pipe in (self.strace.stdout, self.strace.stderr):
            pipe.close()


def look(command, call, secrets, when=1, mapped=None, **how):
    """Which of the secrets are in the memory of the command at that call;
    mapped: and no file of that name."""
    stopped = Stopped(command, call, when, **how)
    pid = stopped.wait()
    try:
        assert pid, f"{command} does not come to {call} {when}"
        if mapped:
            with open(f"/proc/{pid}/maps") as maps:
                hasnt(maps.read(), mapped)
        text = memory(pid)
        return {name for name, secret in secrets.items()
                if (secret if isinstance(secret, bytes) else
                    secret.encode()) in text}
    finally:
        stopped.end(pid)


def hash_of(site, box="ex1-0001"):
    """The last part: what was computed."""
    line = [each for each in site.do("export").splitlines() if box in each][0]
    return re.search(r"\$([A-Za-z0-9+/.]{20,})[\",]", line)[1]


def login(site, call, password=GOOD, name="joe@example.com", raw=None,
          program=("true",), secrets=None, **how):
    secrets = secrets or {"password": password, "hash": hash_of(site)}
    return look([CHECKPW, "-d", site.store, *program], call, secrets,
                third=record(name, password) if raw is None else raw, **how)


@test("looking works: password and hash are seen while a login has them",
      root=True, plain=True)
def control():
    with Site().joe() as site:
        seen = set()
        for when in range(1, 20):
            seen |= login(site, "close", when=when)
            if len(seen) == 2:
                return
        raise AssertionError(f"only {seen} in all of it")


HASHES = {"argon2id": None, "yescrypt": "yescrypt", "sha512crypt": "sha-512",
          "bcrypt": "bcrypt"}


@test("an accepted login has neither password nor hash when the POP server "
      "begins, whatever the hash is", root=True, plain=True)
def accepted():
    for scheme, method in HASHES.items():
        with Site(confine="strict").joe() as site:
            if method:
                line = subprocess.run(
                    ["mkpasswd", "-s", "-m", method], input=GOOD, check=True,
                    capture_output=True, text=True).stdout
                site.do("passwd", "ex1-0001", "--hash-stdin", input=line)
            eq(login(site, "execve"), set(), scheme)


@test("a repeated login has neither, nor the key of the table, and the table is "
      "no more mapped", root=True, plain=True)
def repeated():
    if not tap.APART:
        skip("no /run of its own here")
    with Site(confine="strict", login_cache="3600").joe() as site:
        for _ in range(2):  # one that writes its entry, one that finds it
            secrets = {"password": GOOD, "hash": hash_of(site)}
            eq(login(site, "execve", secrets=secrets), set())
        with open("/run/popbox/seen", "rb") as file:
            key = file.read(48)[16:]
        eq(login(site, "execve", secrets={"key": key}, mapped="/run/popbox"),
           set())


@test("a refusal has neither while it waits, nor at its end", root=True, plain=True)
def refused():
    with Site(refuse_delay_ms="700").joe() as site:
        site.do("box", "add", "off@example.com", "--stdin", input=GOOD + "\n")
        site.do("box", "suspend", "off@example.com")
        for name, password, box in (
                ("joe@example.com", WRONG, "ex1-0001"),
                ("off@example.com", GOOD, "ex1-0002"),
                ("nobody@example.com", GOOD, "ex1-0001")):
            secrets = {"password": password, "hash": hash_of(site, box)}
            for call in ("clock_nanosleep", "exit_group"):
                eq(login(site, call, password, name, secrets=secrets), set(),
                   (name, call))


@test("neither is left by a login that ends in an error", root=True, plain=True)
def errors():
    with Site().joe() as site:
        good = record("joe@example.com", GOOD)
        eq(login(site, "exit_group", program=("/no/such",)), set(), "program")
        eq(login(site, "exit_group", raw=good + b"x" * 600), set(), "long")
        eq(login(site, "exit_group", raw=good[:-8]), set(), "short")
        os.rename(site.box_path(), site.box_path() + ".not")
        eq(login(site, "exit_group"), set(), "maildir")


def tool(site, words, secrets, **how):
    return look([POPBOX, "-d", site.store, *words], "exit_group", secrets,
                **how)


@test("the tool's commands leave neither", root=True, plain=True)
def commands():
    with Site(qmail=False).joe() as site:
        new = "fresh words 98 of mine"
        # LMDB keeps the pages that it wrote, with the hashes in them, until the
        # process ends; a command that only reads has none.
        secrets = {"password": new}
        for words, input in (
                (("passwd", "ex1-0001", "--stdin"), new + "\n"),
                (("verify", "ex1-0001", "--stdin"), new + "\n"),
                (("verify", "nobody@example.com", "--stdin"), new + "\n"),
                (("passwd", "nobody@example.com", "--stdin"), new + "\n"),
                (("box", "add", "a@example.com", "--stdin"), new + "\n"),
                (("box", "add", "a@example.com", "--stdin"), new + "\n"),
                (("import", "-", "--handle", "ex1"),
                 f"address,password\nb@example.com,{new}\n"),
                (("import", "-", "--handle", "ex1"),
                 f"address,password\nb@@example.com,{new}\n")):
            eq(tool(site, words, secrets, input=input), set(), words)
        secrets = {"hash": hash_of(site)}
        for words in (("box", "show", "ex1-0001"), ("export",), ("box", "list"),
                      ("check",), ("stats",), ("export", "--format", "json"),
                      ("export", "--format", "dovecot")):
            eq(tool(site, words, secrets), set(), words)


run()
