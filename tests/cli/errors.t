#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox: errors for programs: with --json one object a line, on stderr, with a
word that tells what exit code 100 does not."""
import fcntl
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, run, test


def errors(site, rc, *words, **kw):
    got = site.popbox("--json", *words, **kw)
    eq(got.rc, rc, (words, got))
    eq(got.out, "", words)
    every = [json.loads(line) for line in got.err.splitlines()]
    for one in every:
        eq(set(one), {"error", "code", "object"}
           if "error" in one else {"note"}, words)
    return [one for one in every if "error" in one]


def word(site, rc, *words, **kw):
    # Of several the one that has a kind.
    last = [e for e in errors(site, rc, *words, **kw)
            if e["code"] != "failed"][-1]
    return last["code"], last["object"]


@test("an error is a JSON object with a word for its kind and the name it is "
      "about")
def kinds():
    with Site().joe() as site:
        joe = "joe@example.com"
        eq(word(site, 100, "box", "add", joe, "--no-password"),
           ("exists", joe))
        eq(word(site, 100, "domain", "add", "example.com", "--handle", "ex1"),
           ("exists", "example.com"))
        eq(word(site, 100, "box", "set", "ann@example.com", "--name", "x"),
           ("unknown", "ann@example.com"))
        eq(word(site, 100, "box", "add", "a@no.org", "--no-password"),
           ("unknown", "a@no.org"))
        eq(word(site, 100, "passwd", "ex1-0099", "--generate"),
           ("unknown", "ex1-0099"))
        eq(word(site, 1, "box", "show", "ex1-0099"), ("unknown", "ex1-0099"))
        eq(word(site, 1, "domain", "show", "no.org"), ("unknown", "no.org"))
        eq(word(site, 1, "handle", "show", "zz9"), ("unknown", "zz9"))
        eq(word(site, 1, "address", "show", "no@example.com"),
           ("unknown", "no@example.com"))
        eq(word(site, 100, "handle", "del", "ex1", "--yes"),
           ("in_use", "ex1"))
        eq(word(site, 100, "box", "add", "a b@example.com", "--no-password"),
           ("invalid", "a b@example.com"))
        eq(word(site, 100, "passwd", joe, "--stdin", input="short\n"),
           ("weak", joe))
        eq(word(site, 2, "box", "del", joe), ("usage", joe))
        eq(word(site, 2, "box", "show"), ("usage", None))
        eq(word(site, 2, "box", "list", "--nonsense"), ("usage", None))
        eq(word(site, 2, "nonsense"), ("usage", None))
        path = site.top + "/there"
        with open(path, "w"):
            pass
        eq(word(site, 100, "backup", path)[0], "exists")


@test("what is not a refusal has its word too: no store, no right, a store that "
      "is held")
def later():
    with Site(init=False) as site:
        eq(word(site, 111, "box", "list")[0], "later")
    with Site().joe() as site:
        user = ("setpriv", "--reuid", "12345", "--clear-groups", "--regid",
                "12345")
        if os.geteuid() == 0:
            eq(word(site, 111, "box", "list", prefix=user)[0], "denied")
        # The gate of writers is a lock on the store's directory.
        held = os.open(site.store, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        eq(word(site, 111, "box", "suspend", "ex1-0001")[0], "busy")
        os.close(held)


@test("what is said beside is a note; marks and quotes are as they should be")
def notes():
    with Site().joe() as site:
        got = site.popbox("--json", "passwd", "joe@example.com", "--generate")
        eq(got.rc, 0)
        eq([list(json.loads(line)) for line in got.err.splitlines()],
           [["note"]])
        row = json.loads(got.out)
        eq((row["box"], site.login(password=row["password"]).rc),
           ("ex1-0001", 0), got)
        got = site.popbox("--json", "passwd", "joe@example.com",
                          "--no-password")
        eq(json.loads(got.out)["password"], None, got)
        odd = 'x"\\\u00fc\x07'
        one, = errors(site, 100, "box", "show", odd)
        eq(one["object"], 'x"\\\u00fc?')
        has(one["error"], 'x"\\\u00fc?')


@test("a password that is too short is told how long it must be")
def short():
    with Site().joe() as site:
        site.fails(100, "shorter than 10 characters", "passwd",
                   "joe@example.com", "--stdin", input="x7!Kq\n")
        site.do("config", "set", "password_min", "23")
        got = site.fails(100, "shorter than 23 characters", "passwd",
                         "joe@example.com", "--stdin", input=GOOD[:20] + "\n")
        has(got.err, "password_min")


@test("an import's rows that are refused are named with file and line, in the order "
      "of their lines, and the end has the kind")
def rows():
    with Site().joe() as site:
        path = site.top + "/f.csv"
        with open(path, "w") as file:
            file.write("address,password\n"
                       "z@nowhere.org,correct-horse-9\n"
                       "ann@example.com,correct-horse-9\n"
                       "bad@@x,correct-horse-9\n")
        every = errors(site, 100, "import", path)
        eq([e["object"] for e in every],
           [f"{path}:{line}" for line in (2, 4)] + [path])
        has(every[1]["error"], "'bad@@x'")
        eq([e["code"] for e in every], ["failed"] * 2 + ["invalid"])


run()
