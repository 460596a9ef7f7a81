#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hosts that share a mail root: one makes Maildirs, the others await them. PostgreSQL
of the test's own."""
import contextlib
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from central import accepts, alike, cluster, follow, until
from tap import GOOD, eq, has, hasnt, run, test


@contextlib.contextmanager
def shared():
    """Host a makes, host b awaits; both have a's mail roots."""
    with cluster("a", "b", qmail=True) as (pg, a, b):
        for root in (b.home, b.serial):
            os.rmdir(root) if not os.listdir(root) else os.rename(root, root + ".own")
        b.settings({"home": a.home, "serialmail": a.serial, "mailroot": "await"})
        b.home, b.serial = a.home, a.serial
        b.do("sync", "--full")
        yield pg, a, b


def state(host):
    return [host.control(name) for name in ("rcpthosts", "virtualdomains")]


def clean(*hosts):
    for host in hosts:
        eq(host.popbox("check").out, "qmail-send is not running: no mail is "
           "delivered (qmail-send)\n")


@test("a host that awaits opens no domain before its Maildirs are there, and makes none; "
      "then it opens it without a message between the two", root=True)
def awaits():
    with shared() as (pg, a, b):
        has(b.control("rcpthosts"), "example.com")
        a.do("domain", "add", "new.example", "--handle", "nw1", "--no-sync")
        a.do("box", "add", "ann@new.example", "--stdin", "--no-sync",
             input=GOOD + "\n")
        got = b.popbox("follow", "--once")
        eq(got.rc, 111, got)
        hasnt(b.control("rcpthosts"), "new.example")
        assert not os.path.exists(b.box_path("nw1-0001"))
        assert accepts(b, GOOD)  # others go on
        got = b.popbox("sync")
        eq(got.rc, 111, got)
        has(got.err, "await the host that makes Maildirs")
        has(" ".join(b.popbox("status").out.split()),
            "the host that makes Maildirs has not made it yet")
        # Part of a Maildir is not a Maildir.
        a.do("sync")
        os.rename(a.box_path("nw1-0001") + "/cur", a.top + "/cur")
        eq(b.popbox("sync").rc, 111)
        hasnt(b.control("rcpthosts"), "new.example")
        os.rename(a.top + "/cur", a.box_path("nw1-0001") + "/cur")
        b.do("follow", "--once")
        has(b.control("rcpthosts"), "new.example")
        assert accepts(b, GOOD, "ann@new.example")
        eq(state(b), state(a))


@test("popbox follow on a host that awaits looks again each second", root=True)
def follows():
    with shared() as (pg, a, b):
        process = follow(b)
        a.do("domain", "add", "new.example", "--handle", "nw1", "--no-sync")
        a.do("box", "add", "ann@new.example", "--no-password", "--no-sync")
        until(lambda: "nw1" in b.do("handle", "list"))
        time.sleep(2)
        hasnt(b.control("rcpthosts"), "new.example")
        a.do("sync")
        took = until(lambda: "new.example" in b.control("rcpthosts"))
        assert took < 20, took
        process.terminate()
        eq(process.communicate()[1], "", "it is no error, and said by nobody")


@test("a box that is added on a host that awaits: exit 0 and a note, and all is there "
      "when the maker has come to it", root=True)
def from_there():
    with shared() as (pg, a, b):
        got = b.popbox("box", "add", "ann@example.com", "--stdin",
                       input=GOOD + "\n")
        eq(got.rc, 0, got)
        has(got.err, "await the host that makes Maildirs")
        assert not os.path.exists(a.box_path("ex1-0002"))
        a.do("follow", "--once")
        b.do("follow", "--once")
        assert accepts(b, GOOD, "ann@example.com")
        alike(a, b)


@test("removals and renames are the maker's: a host that awaits only closes", root=True)
def removals():
    with shared() as (pg, a, b):
        for command in (("domain", "del", "example.com", "--yes"),
                        ("purge", "--now", "--yes", "example.com"),
                        ("purge", "--now", "--yes", "ex1-0001")):
            b.do(*command)
        hasnt(b.control("rcpthosts"), "example.com")
        assert os.path.isdir(a.box_path("ex1-0001") + "/new")
        assert os.path.isdir(f"{a.home}/e/ex1/DOMAINS/example.com")
        a.do("follow", "--once")
        assert not os.path.exists(a.box_path("ex1-0001"))
        assert not os.path.exists(f"{a.home}/e/ex1/DOMAINS/example.com")
        b.do("follow", "--once")
        b.do("domain", "add", "one.example", "--handle", "on1")
        b.do("box", "add", "x@one.example", "--no-password")
        a.do("follow", "--once")
        b.do("follow", "--once")
        b.do("domain", "move", "one.example", "--handle", "tw2")
        assert os.path.isdir(f"{a.home}/o/on1/DOMAINS/one.example")
        eq(b.popbox("sync").rc, 111)
        a.do("follow", "--once")
        assert os.path.isdir(f"{a.home}/t/tw2/DOMAINS/one.example")
        b.do("follow", "--once")
        alike(a, b)
        clean(a)


@test("a mail root that is gone is no Maildir that is not made yet: it is named, and "
      "nothing is opened", root=True)
def gone():
    with shared() as (pg, a, b):
        a.do("domain", "add", "new.example", "--handle", "nw1")
        a.do("box", "add", "ann@new.example", "--no-password")
        os.rename(a.home, a.home + ".away")
        got = b.popbox("follow", "--once")
        eq(got.rc, 111)
        has(got.err, "is not there (is it mounted?)")
        hasnt(b.control("rcpthosts"), "new.example")
        has(b.control("rcpthosts"), "example.com")
        os.rename(a.home + ".away", a.home)
        b.do("follow", "--once")
        has(b.control("rcpthosts"), "new.example")


@test("two hosts that both make below one mail root disturb each other in nothing",
      root=True)
def two_makers():
    with shared() as (pg, a, b):
        b.settings({"mailroot": "make"})
        hosts = [follow(host) for host in (a, b)]

        def work(host, i):
            for j in range(6):
                host.do("box", "add", f"{host.name}{i}{j}@example.com",
                        "--no-password")
        threads = [threading.Thread(target=work, args=(host, 0))
                   for host in (a, b)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for process in hosts:
            process.terminate()
            process.wait()
        alike(a, b)
        clean(a, b)
        left = [name for _, _, names in os.walk(a.home) for name in names
                if "popbox-tmp" in name]
        eq(left, [])


@test("cluster status: who makes and who awaits; the settings that differ by name, those "
      "of the mail root where it is shared; that nobody makes", root=True)
def told():
    with shared() as (pg, a, b):
        for host in (a, b):
            host.do("follow", "--once")
        rows = [json.loads(line) for line in
                a.do("--json", "cluster", "status").splitlines()]
        eq([(row["host"], row["mailroot"], row["settings"]) for row in rows],
           [("a", "make", ""), ("b", "await", "")])
        b.settings({"separators": "%", "home": b.home + "x"})
        b.popbox("follow", "--once")
        got = a.popbox("cluster", "status")
        eq(got.rc, 1)
        has(got.err, "the setting 'separators' of 'b' is '%', here it is '@%/:'")
        has(got.err, "the setting 'home' of 'b' is ")
        b.settings({"separators": "@%/:", "mailroot": "make"})
        b.popbox("follow", "--once")
        hasnt(a.popbox("cluster", "status").err, "the setting")
        for host in (a, b):
            host.settings({"mailroot": "await", "home": a.home})
            host.do("follow", "--once")
        got = a.popbox("cluster", "status")
        eq(got.rc, 1)
        has(got.err, "no host makes Maildirs")


@test("300 boxes at once: a host that awaits opens their domain when the last is there",
      root=True)
def many():
    with shared() as (pg, a, b):
        a.do("domain", "add", "new.example", "--handle", "nw1", "--no-sync")
        a.do("import", "-", "--no-sync", input="address,hash\n" + "".join(
            f"i{n}@new.example,*\n" for n in range(300)))
        eq(b.popbox("follow", "--once").rc, 111)
        a.do("sync")
        os.rename(a.box_path("nw1-0300"), a.top + "/kept")
        eq(b.popbox("sync").rc, 111)
        hasnt(b.control("rcpthosts"), "new.example")
        os.rename(a.top + "/kept", a.box_path("nw1-0300"))
        b.do("sync")
        has(b.control("rcpthosts"), "new.example")


run()
