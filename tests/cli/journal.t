#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox: the journal read by people: the last entries, times as people say
them, and an undo of what one has just done."""
import datetime
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import POPBOX, Site, eq, has, hasnt, on_terminal, run, test


def numbers(site, *words, **kw):
    return [json.loads(line)["number"]
            for line in site.do("--json", "log", *words, **kw).splitlines()]


@test("log -n prints the last entries that the other options let through")
def last_entries():
    with Site() as site:
        site.joe()
        for name in ("a", "b", "c"):
            site.do("handle", "set", "ex1", "--name", name)
        every = numbers(site)
        eq(numbers(site, "-n", "2"), every[-2:])
        eq(numbers(site, "-n", "9999"), every)
        handles = numbers(site, "--table", "handle")
        assert handles != every
        eq(numbers(site, "--table", "handle", "-n", "3"), handles[-3:])
        eq(numbers(site, "--table", "box", "-n", "1"),
           numbers(site, "--table", "box")[-1:])
        for bad in ("0", "-1", "x", "1000001"):
            site.fails(2, "-n", "log", "-n", bad)


@test("log -n with --follow goes on behind the last entries")
def last_and_follow():
    with Site() as site:
        site.joe()
        log = site.start(POPBOX, "-d", site.store, "--json", "log", "-n", "1",
                         "--follow", stdout=-1)
        first = json.loads(log.stdout.readline())["number"]
        eq(first, numbers(site)[-1])
        site.do("handle", "set", "ex1", "--name", "x")
        eq(json.loads(log.stdout.readline())["number"], first + 1)


@test("log takes yesterday, today and a time ago")
def times_of_people():
    with Site() as site:
        site.joe()
        every = numbers(site)
        for since in ("today", "yesterday", "1d", "2h", "10m"):
            if since == "today" and time.gmtime().tm_hour == 0:
                continue  # midnight may have passed since
            eq(numbers(site, "--since", since), every, since)
            eq(numbers(site, "--until", since), [], since)
        time.sleep(2.1)
        eq(numbers(site, "--since", "1s"), [], "all is older than a second")
        for bad in ("tomorrow", "3x", "d", "99999999999999999999d", "-1d"):
            site.fails(2, "--since", "log", "--since", bad)


@test("log --local prints and reads times of this machine's zone")
def local_times():
    with Site() as site:
        site.joe()
        zone = {"TZ": "XYZ-9"}  # nine hours before UTC
        here = site.do("log", "--local", "-n", "1", env=zone)
        utc = site.do("log", "-n", "1", env=zone)
        has(here, "+09:00")
        has(utc, "Z ")
        a = datetime.datetime.fromisoformat(here.split()[1])
        b = datetime.datetime.fromisoformat(utc.split()[1].replace("Z", "+00:00"))
        eq(a, b)
        every = numbers(site)
        later = (a + datetime.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
        before = (a - datetime.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
        eq(numbers(site, "--local", "--since", later, env=zone), [])
        eq(numbers(site, "--local", "--since", before, env=zone), every)
        eq(numbers(site, "--since", before + "Z", env=zone), [],
           "without --local the same digits are UTC, nine hours ahead")


@test("each change says its number, by which undo reverts it; what changes "
      "nothing says so")
def numbered():
    with Site().joe() as site:
        def number(*words):
            got = site.popbox(*words)
            eq(got.rc, 0, got)
            last = got.err.splitlines()[-1]
            assert re.fullmatch(r"popbox: change \d+", last), got
            return int(last.split()[-1])

        groups = []
        for words in (("handle", "set", "ex1", "--name", "A"),
                      ("domain", "add", "b.org", "c.org", "--handle", "ex1"),
                      ("domain", "suspend", "b.org"),
                      ("box", "add", "ann@b.org", "--no-password"),
                      ("box", "set", "ann@b.org", "--name", "Ann"),
                      ("address", "add", "x@b.org", "ann@b.org"),
                      ("address", "rename", "x@b.org", "y@b.org"),
                      ("passwd", "ann@b.org", "--generate"),
                      ("address", "del", "y@b.org", "--yes"),
                      ("box", "del", "ann@b.org", "--yes"),
                      ("box", "undelete", "ann@b.org"),
                      ("domain", "del", "c.org", "--yes")):
            groups.append(number(*words))
        undone = number("undo", str(groups[-1]))
        groups.append(undone)
        has(site.do("domain", "list"), "c.org")
        log = [json.loads(line) for line in
               site.do("--json", "log").splitlines()]
        have = [e["group"] for e in log]
        for group in groups:
            assert group in have, (group, have)
        eq(undone, have[-1])
        got = site.popbox("handle", "set", "ex1", "--name", "A")
        has(got.err, "nothing had to be changed")
        hasnt(got.err, "popbox: change ")
        # In JSON it is the member entry, of an object of its own at need.
        got = json.loads(site.do("--json", "box", "suspend", "ann@b.org"))
        eq(got["entry"], have[-1] + (log[-1]["number"] - have[-1]) + 1)
        got = json.loads(site.do("--json", "box", "suspend", "ann@b.org"))
        eq(got["entry"], None)
        got = json.loads(site.do("--json", "box", "del", "ann@b.org", "--yes"))
        site.do("undo", str(got["entry"]))
        has(site.do("box", "list"), "ann@b.org")
        got = site.popbox("-q", "box", "resume", "ann@b.org")
        eq(got.err, "")


@test("undo without a number reverts the caller's last change, after it was shown")
def undo_last():
    with Site() as site:
        site.joe()
        before = site.do("--json", "handle", "show", "ex1")
        site.do("handle", "set", "ex1", "--name", "mine",
                env={"SUDO_USER": "ann"})
        site.do("box", "set", "ex1-0001", "--name", "theirs",
                env={"SUDO_USER": "bob"})
        number = site.last_entry()
        refused = site.fails(2, "--yes", "undo", env={"SUDO_USER": "ann"})
        has(refused.err, "handle set ex1 --name mine")
        has(refused.err, f"{number - 1}")
        hasnt(refused.err, "theirs")
        got = site.popbox("undo", "--dry-run", env={"SUDO_USER": "ann"})
        eq(got.rc, 0, got)
        eq(site.last_entry(), number)
        got = site.popbox("undo", "--yes", env={"SUDO_USER": "ann"})
        eq(got.rc, 0, got)
        has(got.err, "handle set ex1 --name mine")
        names = [json.loads(text)["name"] for text in
                 (before, site.do("--json", "handle", "show", "ex1"))]
        eq(names, ["", ""])
        eq(json.loads(site.do("--json", "box", "show", "ex1-0001"))["name"],
           "theirs")


@test("undo without a number shows a large change in part, and says how much more")
def undo_large():
    with Site() as site:
        site.joe()
        with open(site.top + "/many.csv", "w") as file:
            file.write("address,forward\n")
            file.writelines(f"u{i}@example.com,x@y.example\n"
                            for i in range(30))
        site.do("import", site.top + "/many.csv")
        got = site.fails(2, "--yes", "undo")
        has(got.err, "more")
        assert len(got.err.splitlines()) < 20, got.err
        site.do("undo", "--yes")
        site.fails(1, "", "address", "show", "u7@example.com")


@test("undo without a number asks on a terminal, and no is no")
def undo_asks():
    with Site() as site:
        site.joe()
        site.do("handle", "set", "ex1", "--name", "mine")
        number = site.last_entry()
        code, text = on_terminal(site, ("undo",), [b"n\n"])
        eq(code, 100)
        has(text, "handle set ex1 --name mine")
        eq(site.last_entry(), number)
        code, text = on_terminal(site, ("undo",), [b"y\n"])
        eq(code, 0, text)
        assert site.last_entry() > number


@test("undo without a number: who changed nothing is told so")
def undo_nothing():
    with Site() as site:
        site.joe()
        site.fails(100, "no change of 'nobodys'", "undo", "--yes",
                   env={"SUDO_USER": "nobodys"})


run()
