#!/usr/bin/env python3
"""Addresses that lead to other addresses of the site: groups, what deletions and
renames do to them, forwards that lead nowhere, and loops."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Site, eq, has, hasnt, run, test


def site_of(*names, qmail=False):
    """example.com of ex1 with a box for each name, ex1-0001 first."""
    site = Site(qmail=qmail)
    site.do("domain", "add", "example.com", "--handle", "ex1")
    for name in names:
        site.do("box", "add", name + "@example.com", "--no-password")
    return site


def leads(site, address):
    """Where an address leads: box, then forwards; None: it is not there."""
    got = site.popbox("--json", "address", "show", address)
    if got.rc == 1:
        return None
    row = json.loads(got.out)
    return ([row["box"]] if row["box"] else []) + row["forwards"]


@test("undelete puts a box back into each group that it was in, as undo does")
def undelete():
    with site_of("joe", "ann") as site:
        site.do("address", "add", "team@example.com", "joe@example.com",
                "x@b.org", "y@b.org")
        site.do("address", "add", "all@example.com", "joe@example.com",
                "ann@example.com")
        before = site.do("--json", "address", "list")
        site.do("box", "del", "joe@example.com", "--yes")
        eq(leads(site, "team@example.com"), ["x@b.org", "y@b.org"])
        change = str(site.last_entry())
        got = site.popbox("box", "undelete", "joe@example.com")
        has(got.err, "with 1 addresses, and in 2 groups again")
        eq(site.do("--json", "address", "list"), before)
        site.do("undo", str(site.last_entry()))
        eq(leads(site, "team@example.com"), ["x@b.org", "y@b.org"])
        site.do("undo", change)
        eq(site.do("--json", "address", "list"), before)


@test("undelete names each address that it cannot put back, and why")
def undelete_lost():
    with site_of("joe", "ann") as site:
        site.do("domain", "add", "b.org", "--handle", "ex1")
        for name in ("one", "two", "three"):
            site.do("address", "add", name + "@example.com", "joe@example.com",
                    "x@c.org")
        for name in ("also", "same"):
            site.do("address", "add", name + "@example.com",
                    "joe@example.com")
        site.do("address", "add", "joe@b.org", "joe@example.com")
        site.do("box", "del", "ex1-0001", "--yes")
        site.do("address", "rename", "one@example.com", "uno@example.com")
        site.do("address", "set", "two@example.com", "ann@example.com")
        site.do("purge", "also@example.com", "--now", "--yes")
        site.do("purge", "same@example.com", "--now", "--yes")
        site.do("address", "add", "same@example.com", "ann@example.com")
        site.do("domain", "del", "b.org", "--yes")
        got = site.popbox("box", "undelete", "ex1-0001")
        eq(got.rc, 0)
        for text in ("'joe@b.org' is not back: there is no domain 'b.org'",
                     "'one@example.com' led to it and is gone",
                     "'two@example.com' led to it and leads to 'ex1-0002' now",
                     "'also@example.com' is not back: it was purged",
                     "'same@example.com' was added anew and leads elsewhere"):
            has(got.err, "address " + text)
        has(got.err, "with 1 addresses, and in 1 group again")
        eq(leads(site, "three@example.com"), ["ex1-0001", "x@c.org"])
        eq(site.popbox("check", "--store-only").rc, 0)


run()
