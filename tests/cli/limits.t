#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many boxes, addresses and domains a handle may have: refused beyond that,
whichever way they come."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, hasnt, run, test


def bring(site, text, *words):
    with open(site.top + "/b.csv", "w") as file:
        file.write(text)
    return site.popbox("import", site.top + "/b.csv", *words)


def counts(site, handle="ex1"):
    return [line.split()[1:] for line in
            site.do("handle", "show", handle).splitlines()
            if line.split()[0] in ("domains", "boxes", "addresses")]


@test("a handle has no more boxes than its limit; the message says how many there are, "
      "and what changes that", root=True)
def boxes():
    with Site().joe() as site:
        said = site.popbox("handle", "set", "ex1", "--max-boxes", "3").err
        has(said, "max_boxes of ex1: none -> 3\n")
        site.do("box", "add", "ann@example.com", "--generate")
        eq(counts(site), [["1"], ["3", "of", "3"], ["3"]])
        before = site.tree(), site.last_entry()
        site.fails(100, "the handle 'ex1' has 3 boxes and may have 3; it would "
                   "have 4 ('popbox handle set ex1 --max-boxes N' changes "
                   "that)", "box", "add",
                   "bob@example.com", "--generate")
        eq((site.tree(), site.last_entry()), before)
        site.do("box", "del", "ann@example.com", "--yes")
        site.do("box", "add", "bob@example.com", "--generate")
        site.fails(100, "may have 3", "box", "undelete", "ex1-0002")
        site.do("handle", "set", "ex1", "--max-boxes", "none")
        site.do("box", "undelete", "ex1-0002")
        site.sound()
        # One that is below what there is takes nothing away.
        site.do("handle", "set", "ex1", "--max-boxes", "2")
        site.fails(100, "has 4 boxes and may have 2; it would have 5", "box", "add",
                   "carl@example.com", "--generate")
        site.do("box", "set", "bob@example.com", "--name", "Bob")
        row = json.loads(site.do("--json", "handle", "show", "ex1"))
        eq((row["max_boxes"], row["max_addresses"], row["max_domains"]),
           (2, 0, 0))
        for text in ("0", "-1", "x", "1000000001", ""):
            site.fails(2, "--max-boxes takes a number", "handle", "set", "ex1",
                       "--max-boxes=" + text)


@test("addresses are those of all its domains, domains those of every kind", root=True)
def others():
    with Site().joe() as site:
        site.do("handle", "set", "ex1", "--max-addresses", "4",
                "--max-domains", "3")
        site.do("domain", "add", "two.org", "--handle", "ex1", "--postmaster",
                "ex1-0000")
        site.do("address", "add", "sales@two.org", "joe@example.com")
        site.fails(100, "has 4 addresses and may have 4", "address", "add",
                   "info@example.com", "joe@example.com")
        site.fails(100, "has 4 addresses and may have 4", "box", "add",
                   "info@example.com", "--generate")
        site.do("domain", "add", "alias.org", "--alias-of", "example.com")
        site.fails(100, "has 3 domains and may have 3", "domain", "add",
                   "relay.org", "--handle", "ex1", "--kind", "backup")
        eq(counts(site), [["3", "of", "3"], ["2"], ["4", "of", "4"]])
        site.do("domain", "del", "alias.org", "--yes")
        number = site.last_entry()
        site.do("domain", "add", "relay.org", "--handle", "ex1", "--kind",
                "backup")
        site.fails(100, "may have 3", "undo", str(number), "--yes")
        site.do("address", "set", "sales@two.org", "ex1-0001")
        site.do("address", "rename", "sales@two.org", "info@two.org")
        site.do("domain", "rename", "two.org", "three.org")
        eq(counts(site), [["3", "of", "3"], ["2"], ["4", "of", "4"]])
        site.sound()


@test("an import is refused as a whole, also where it adds several at once", root=True)
def imports():
    with Site().joe() as site:
        rows = "address,password\n" + "".join(
            f"b{n}@example.com,{GOOD}\n" for n in range(5))
        site.do("handle", "set", "ex1", "--max-boxes", "6")
        before = site.tree(), site.last_entry()
        for dry in ((), ("--dry-run",)):
            got = bring(site, rows, *dry)
            eq(got.rc, 100)
            has(got.err, "the handle 'ex1' has 2 boxes and may have 6; it would have 7")
            eq((site.tree(), site.last_entry()), before)
        site.do("handle", "set", "ex1", "--max-boxes", "7")
        eq(bring(site, rows).rc, 0)
        eq(counts(site), [["1"], ["7", "of", "7"], ["7"]])
        eq(bring(site, rows.replace(GOOD, GOOD + "2"), "--update").rc, 0)


@test("a domain that moves counts for its new handle, with boxes and addresses",
      root=True)
def moves():
    for limit, most in (("--max-boxes", 3), ("--max-addresses", 3),
                        ("--max-domains", 2)):
        with Site().joe() as site:
            site.do("domain", "add", "two.org", "--handle", "new")
            site.do("handle", "set", "new", limit, str(most - 1))
            words = ("domain", "move", "example.com", "--handle", "new")
            before = site.tree()
            site.fails(100, "the handle 'new' has 1 ", *words)
            eq(site.tree(), before)
            site.do("handle", "set", "new", limit, str(most))
            site.do(*words)
            site.sound()


@test("a limit is undone, and set again", root=True)
def undone():
    with Site().joe() as site:
        site.do("handle", "set", "ex1", "--max-domains", "1")
        number = site.last_entry()
        hasnt(site.popbox("undo", str(number)).err, "qmail")
        site.do("domain", "add", "two.org", "--handle", "ex1")
        site.do("undo", str(site.last_entry() - 2), "--yes")


run()
