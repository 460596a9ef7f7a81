#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Passwords and old hashes are wiped: the tool's own memory is searched for them
while it computes a hash, and when it ends."""
import os
import pty
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from preload import compiled
from tap import GOOD, POPBOX, Site, eq, read_terminal, run, test

SECRET = "Zebra-Canary-7788"
# So that not all of a copy that was left behind is written over by chance.
LONG = SECRET * 14


def search(site, secret):
    """The environment, and what gives {"hash": N, "end": N}."""
    path = site.top + "/leftovers"
    if os.path.exists(path):
        os.unlink(path)
    if isinstance(secret, str):
        secret = secret.encode()
    # A call of a library that is bound late saves all registers on the stack,
    # vectors of memcpy among them.
    env = {"LD_PRELOAD": compiled("leftovers"), "LD_BIND_NOW": "1",
           "LEFTOVERS_OF": bytes(b ^ 0x5a for b in secret).hex(),
           "LEFTOVERS_IN": path}

    def counts():
        with open(path) as file:
            return {w: int(n) for w, n in (line.split() for line in file)}
    return env, counts


def leaves(site, secret, *args, **kw):
    env, counts = search(site, secret)
    got = site.popbox(*args, env=env, **kw)
    return got, counts()


def typed(site, words, answers, env):
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(POPBOX, [POPBOX, "-d", site.store, *words],
                  {**os.environ, **env})
    for answer in answers:
        text = b""
        while not text.endswith(b": "):
            text += os.read(fd, 1000)
        os.write(fd, answer.encode() + b"\n")
    while read_terminal(fd):
        pass
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@test("a password that was typed twice is in memory once while it is hashed, and "
      "nowhere at the end", root=True, plain=True)
def twice():
    with Site().joe() as site:
        env, counts = search(site, SECRET)
        eq(typed(site, ["passwd", "joe@example.com"], [LONG, LONG], env), 0)
        eq(counts(), {"hash": 14, "end": 0})
        env, counts = search(site, SECRET)
        eq(typed(site, ["passwd", "joe@example.com"], [LONG, GOOD], env), 100)
        eq(counts(), {"end": 0}, "of two that differ the first")
        env, counts = search(site, SECRET)
        eq(typed(site, ["passwd", "joe@example.com"], [GOOD, LONG], env), 100)
        eq(counts(), {"end": 0}, "of two that differ the second")


@test("a password is in memory once while it is hashed, wherever it comes from, "
      "and nowhere at the end, whatever comes of it", root=True, plain=True)
def sources():
    with Site().joe() as site:
        file = site.top + "/password"
        with open(file, "w") as out:
            out.write(SECRET + "\n")
        line = SECRET + "\n"
        for args, kw in ((("--stdin",), {"input": line}),
                         (("--file", file), {}), (("--fd", "0"), {"input": line})):
            got, found = leaves(site, SECRET, "passwd", "joe@example.com",
                                *args, **kw)
            eq((got.rc, found), (0, {"hash": 1, "end": 0}), (args, got))
            got, found = leaves(site, SECRET, "verify", "joe@example.com",
                                *args, **kw)
            eq((got.rc, found), (0, {"hash": 1, "end": 0}), (args, got))
        got, found = leaves(site, SECRET, "box", "add", "ann@example.com",
                            "--stdin", input=line)
        eq((got.rc, found), (0, {"hash": 1, "end": 0}), got)
        for refused in (SECRET + "\r", "{CRYPT}$6$" + SECRET,
                        SECRET + " example.com"):
            got, found = leaves(site, SECRET, "passwd", "joe@example.com",
                                "--stdin", input=refused + "\n")
            eq((got.rc, found), (100, {"end": 0}), got)


@test("a weak hash that was wrapped is nowhere in memory at the end", root=True,
      plain=True)
def weak():
    with Site().joe() as site:
        whole = subprocess.run(
            ["openssl", "passwd", "-1", SECRET], capture_output=True,
            text=True, check=True).stdout
        got, found = leaves(site, whole.split("$")[3].strip(), "passwd",
                            "joe@example.com", "--hash-stdin", input=whole)
        eq((got.rc, found["end"]), (0, 0), got)
        whole = subprocess.run(
            ["openssl", "passwd", "-6", SECRET], capture_output=True,
            text=True, check=True).stdout.strip()
        site.do("passwd", "joe@example.com", "--hash-stdin", input=whole)
        got, found = leaves(site, whole.split("$")[3], "harden", "--yes")
        eq(got.rc, 0, got)
        print(f"# harden: {found}")


@test("passwords and weak hashes that an import has read are nowhere in memory "
      "at the end", root=True, plain=True)
def imported():
    whole = subprocess.run(["openssl", "passwd", "-1", "other words"],
                           capture_output=True, text=True,
                           check=True).stdout.strip()
    for secret in (SECRET, whole.split("$")[3]):
        with Site().joe() as site:
            path = site.top + "/f.csv"
            with open(path, "w") as file:
                file.write("address,password,hash\n" + "".join(
                    f"a{n}@example.com,some words {n},\n" for n in range(20)) +
                    f"a@example.com,{SECRET},\nb@example.com,,{whole}\n"
                    f"c@example.com,short,*\nd@@example.com,{SECRET},\n"
                    f"e@@example.com,,{whole}\n")
            for words in (["--dry-run"], [], ["--skip-bad", site.top + "/s"]):
                got, found = leaves(site, secret, "import", path, *words)
                assert got.rc in (1, 100), got  # a row is rejected
                eq(found["end"], 0, got)


DUMPS = (
    ("sql", "CREATE TABLE mailbox (username text, password text, active int);\n"
     "INSERT INTO mailbox VALUES ('a@example.com','%s',1);\n"),
    ("sql", "COPY mailbox (username, password, active) FROM stdin;\n"
     "a@example.com\t%s\t1\n\\.\n"),
    ("ldif", "dn: a\nmail: a@example.com\nuserPassword: %s\n\n"
     "dn: b\nmail: b@example.com\ncn: B\n\n"),
    ("vuserinfo", "name:   a\npasswd: %s\nclear passwd: %s\ngecos: A\n"
     "dir: /v/domains/example.com/a\nquota: NOQUOTA\n"),
    ("hestia", "ACCOUNT='a' MD5='%s' FWD='x@else.example'\n"),
    ("virtualmin", "a:A:%s::1:\n"),
    ("modoboa", "account;a@example.com;%s;A;;1;U;a@example.com;0\n"),
)


@test("nor are those of a dump, whatever its format", root=True, plain=True)
def dumped():
    whole = subprocess.run(["openssl", "passwd", "-1", "other words"],
                           capture_output=True, text=True,
                           check=True).stdout.strip()
    for form, text in DUMPS:
        clear = form in ("virtualmin", "modoboa")
        secret = SECRET if clear else whole.split("$")[3]
        with Site().joe() as site:
            path = site.top + "/dump"
            with open(path, "w", encoding="latin-1") as file:
                file.write(text.replace("%s", SECRET if clear else whole) +
                           "\n")
            for words in (["--dry-run"], []):
                got, found = leaves(site, secret, "import", path, "--format",
                                    form, "--domain", "example.com",
                                    "--handle", "ex1", "--locked", *words)
                eq(got.rc, 0, (form, got))
                eq(found["end"], 0, (form, words))


@test("generated passwords are nowhere in memory at the end but for what was "
      "printed", root=True, plain=True)
def generated():
    with Site().joe() as site:
        path, new = site.top + "/f.csv", site.top + "/new"
        with open(path, "w") as file:
            file.write("address\na@example.com\n")
        # What it is going to be is not known: the file's first line is.
        got, found = leaves(site, "a@example.com,", "import", path,
                            "--generate", "--credentials", new)
        eq((got.rc, found["end"]), (0, 0), got)
        for name in "b", "c":
            site.do("box", "add", name + "@example.com", "--stdin",
                    input=GOOD + "\n")
        got, found = leaves(site, "b@example.com,", "passwd", "--domain",
                            "example.com", "--generate", "--credentials",
                            site.top + "/all", "--yes")
        eq((got.rc, found["end"]), (0, 0), got)


run()
