#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Addresses that are suspended, and those that expire."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, hasnt, run, test

JOE = "joe@example.com"


def show(site, address=JOE):
    return json.loads(site.do("--json", "address", "show", address))


def end(site, address=JOE):
    """The address expires in a second, which passes."""
    site.do("address", "set", address, "--expires", "+1s")
    time.sleep(1.1)


@test("mail for a suspended address bounces, that for its box's others does not")
def suspends():
    with Site() as site:
        site.joe()
        site.do("address", "add", "j@example.com", JOE)
        has(site.popbox("address", "suspend", JOE, "--reason",
                        "left in May").err, "mail for it bounces")
        eq(site.deliver(JOE).rc, 100)
        has(site.deliver(JOE).err, "This address does not take mail")
        eq(site.deliver("j@example.com").rc, 0)
        eq(site.login().rc, 0, "its login is as before")
        one = show(site)
        eq((one["delivery"], one["reason"], one["expires"],
            one["delivery_holds"], one["delivery_by"]),
           ("off", "left in May", None, "off",
            {"table": "address", "name": JOE}))
        has(site.do("address", "show", JOE), "delivery off: address " + JOE)
        has(site.do("address", "show", JOE), ", reason: left in May")
        eq([json.loads(line)["address"] for line in site.do(
            "--json", "address", "list", "--suspended").splitlines()], [JOE])
        has(site.do("address", "list", "--columns", "address,delivery,reason"),
            "left in May")
        result = site.fails(1, "delivery is off", "explain", JOE)
        has(result.out, "delivery of address joe@example.com is off since")
        has(result.out, "reason: left in May")
        site.sound()
        site.do("sync", "--full")
        eq(site.deliver(JOE).rc, 100)
        has(site.popbox("address", "suspend", JOE, "--reason",
                        "left in May").err, "nothing had to be changed")
        site.do("address", "resume", JOE)
        eq(site.deliver(JOE).rc, 0)
        eq(show(site)["reason"], None)
        site.do("undo", str(site.last_entry()))
        eq(show(site)["reason"], "left in May")
        eq(site.deliver(JOE).rc, 100)
        site.fails(100, "no such address", "address", "suspend",
                   "jim@example.com")
        site.sound()


@test("where an address leads and that it is suspended are two things")
def keeps():
    with Site() as site:
        site.joe()
        site.do("address", "suspend", JOE, "--reason", "x")
        site.do("address", "set", JOE, "a@example.org")
        eq((show(site)["delivery"], show(site)["forwards"]),
           ("off", ["a@example.org"]))
        eq(site.deliver(JOE).rc, 100)
        site.do("address", "rename", JOE, "joy@example.com")
        eq(show(site, "joy@example.com")["reason"], "x")
        site.do("address", "del", "joy@example.com", "--yes")
        site.do("undo", str(site.last_entry()))
        eq(show(site, "joy@example.com")["reason"], "x")
        site.do("backup", site.top + "/saved")
        site.do("address", "resume", "joy@example.com")
        site.do("restore", site.top + "/saved", "--yes")
        eq(show(site, "joy@example.com")["reason"], "x")
        eq([json.loads(line)["reason"] for line in site.do(
            "export", "--format", "json").splitlines()
            if '"joy@example.com"' in line], ["x"])
        site.sound()


@test("sync suspends what has expired, and nothing before that")
def expires():
    with Site() as site:
        site.joe()
        site.do("address", "set", JOE, "--expires", "+30d")
        at = show(site)["expires"]
        has(site.do("address", "show", JOE), "expires  " + at)
        has(site.do("address", "list", "--expiring", "--columns",
                    "address,expires"), at)
        site.do("sync")
        eq(site.deliver(JOE).rc, 0)
        eq(json.loads(site.popbox("--json", "status").out)["expiring"], 0)
        end(site)
        eq(site.deliver(JOE).rc, 0, "no sync has been")
        eq([word for word, _ in site.findings()], ["expired"])
        status = site.popbox("--json", "status")
        eq(status.rc, 1)
        eq(json.loads(status.out)["expired"], 1)
        has(site.popbox("status").out, "joe@example.com expired at")
        has(site.fails(1, "has expired", "sync", "--dry-run").err,
            "would bounce")
        eq(show(site)["delivery"], "on")
        has(site.popbox("sync").err, "address 'joe@example.com' has expired")
        eq(site.deliver(JOE).rc, 100)
        has(show(site)["reason"], "expired at ")
        eq(json.loads(site.popbox("--json", "status").out)["expired"], 0)
        hasnt(site.popbox("sync").err, "expired")
        site.sound()
        has(site.popbox("address", "set", JOE, "--expires", "+1d").err,
            "it is suspended")
        eq(json.loads(site.popbox("--json", "status").out)["expiring"], 0)
        site.do("address", "resume", JOE)
        one = show(site)
        eq((one["delivery"], one["reason"]), ("on", None))
        has(site.popbox("status").out, "joe@example.com expires at")
        eq(json.loads(site.popbox("--json", "status").out)["expiring"], 1)
        eq(site.deliver(JOE).rc, 0)
        site.do("address", "set", JOE, "--expires", "never")
        eq(show(site)["expires"], None)
        eq(json.loads(site.popbox("--json", "status").out)["expiring"], 0)


@test("each of several addresses expires at its own time, in whatever order they "
      "were given")
def several():
    with Site() as site:
        site.joe()
        for name, when in (("far", "+30d"), ("b", "+9s"), ("a", "+1s")):
            site.do("address", "add", name + "@example.com", "ex1-0001",
                    "--expires", when)
        last = time.time() + 9
        time.sleep(1.1)
        for name in "a", "b":
            has(site.popbox("sync").err, f"'{name}@example.com' has expired")
            eq([show(site, n + "@example.com")["delivery"]
                for n in ("a", "b", "far")],
               ["off", "on" if name == "a" else "off", "on"])
            time.sleep(max(0.0, last + 0.1 - time.time()))
        hasnt(site.popbox("sync").err, "expired")


@test("who resumes what has expired takes its end away, and undo brings it back")
def resumed():
    with Site() as site:
        site.joe()
        site.do("address", "add", "t@example.com", JOE, "--expires", "+1s")
        time.sleep(1.1)
        site.do("sync")
        eq(show(site, "t@example.com")["delivery"], "off")
        site.do("address", "resume", "t@example.com")
        eq(show(site, "t@example.com")["expires"], None)
        site.do("sync")
        eq(site.deliver("t@example.com").rc, 0)
        site.do("undo", str(site.last_entry()))
        eq(show(site, "t@example.com")["delivery"], "off")
        site.sound()


@test("an end is found after a restore, an undo and an undelete")
def found():
    with Site() as site:
        site.joe()
        end(site)
        site.do("backup", site.top + "/saved")
        site.do("address", "set", JOE, "--expires", "never")
        site.do("restore", site.top + "/saved", "--yes")
        has(site.popbox("sync").err, "has expired")
        site.do("undo", str(site.last_entry()))
        has(site.popbox("sync").err, "has expired", )
        site.do("address", "resume", JOE)
        end(site)
        site.do("box", "del", JOE, "--yes")
        hasnt(site.popbox("sync").err, "has expired")
        site.do("box", "undelete", JOE)
        has(site.popbox("sync").err, "has expired")
        site.sound()


@test("an end is a moment to come")
def refused():
    with Site() as site:
        site.joe()
        for text in ("tomorrow", "30d", "", "+", "+x", "2027-13-01", "-5d",
                     "+9999999999999999d"):
            eq(site.popbox("address", "set", JOE, "--expires", text).rc, 2,
               text)
        site.fails(100, "not in the future", "address", "set", JOE,
                   "--expires", "2020-01-01")
        site.fails(2, "nothing to set", "address", "set", JOE)
        site.do("address", "set", JOE, "--expires", "2199-01-01")
        eq(show(site)["expires"], "2199-01-01T00:00:00Z")
        site.do("address", "set", JOE, "--expires", "2199-01-01T12:00:00Z",
                "a@example.org")
        eq((show(site)["expires"], show(site)["forwards"], show(site)["box"]),
           ("2199-01-01T12:00:00Z", ["a@example.org"], None))


@test("a suspended catch-all of a domain with an extension bounces no tag")
def catchall():
    with Site() as site:
        site.joe()
        site.do("address", "add", "*@example.com", JOE)
        site.do("domain", "set", "example.com", "--extension", "+")
        site.do("address", "suspend", "*@example.com")
        eq(site.deliver("jim@example.com").rc, 100)
        eq(site.handed("joe+x@example.com"), (0, [JOE]))
        has(site.do("address", "show", "*@example.com"), "delivery off")
        site.sound()


run()
