#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
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
        has(got.err, "with 1 address, and in 2 groups again")
        eq(site.do("--json", "address", "list"), before)
        site.do("undo", str(site.last_entry()))
        eq(leads(site, "team@example.com"), ["x@b.org", "y@b.org"])
        site.do("undo", change)
        eq(site.do("--json", "address", "list"), before)


@test("import --undelete puts boxes back into the groups that each deletion took "
      "them from, however many boxes it deleted")
def undelete_import():
    with site_of("a", "b", "c", "d") as site:
        add = ("address", "add")
        site.do(*add, "team@example.com", "a@example.com", "b@example.com",
                "x@b.org")
        site.do(*add, "pair@example.com", "a@example.com", "b@example.com")
        site.do(*add, "other@example.com", "a@example.com")
        site.do(*add, "rest@example.com", "c@example.com", "d@example.com")
        site.do("box", "suspend", "a@example.com")
        site.do("box", "suspend", "b@example.com")
        before = site.do("--json", "address", "list")
        site.do("box", "del", "c@example.com", "--yes")
        site.do("box", "del", "--suspended", "--yes")
        eq(leads(site, "team@example.com"), ["x@b.org"])
        eq(leads(site, "pair@example.com"), None)
        eq(leads(site, "rest@example.com"), ["d@example.com"])
        path = site.top + "/back.csv"
        with open(path, "w") as file:
            file.write("address,hash\na@example.com,*\nb@example.com,*\n"
                       "c@example.com,*\n")
        dry = site.popbox("import", path, "--undelete", "--dry-run")
        has(dry.err, "undeleted boxes would have 4 places in groups again")
        eq(leads(site, "team@example.com"), ["x@b.org"])
        got = site.popbox("import", path, "--undelete")
        eq(got.rc, 0, got)
        has(got.err, "undeleted boxes have 4 places in groups again")
        eq(site.do("--json", "address", "list"), before)
        site.do("undo", "--yes")
        eq(leads(site, "team@example.com"), ["x@b.org"])
        site.do("address", "del", "team@example.com", "--yes")
        got = site.popbox("import", path, "--undelete")
        has(got.err, "address 'team@example.com' led to")
        eq(site.popbox("check", "--store-only").rc, 0)


@test("undelete names each address that it cannot put back, and why")
def undelete_lost():
    with site_of("joe", "ann") as site:
        site.do("domain", "add", "b.org", "--handle", "ex1")
        for name in ("one", "two", "three"):
            site.do("address", "add", name + "@example.com", "joe@example.com",
                    "x@c.org")
        for name in ("also", "same", "gone"):
            site.do("address", "add", name + "@example.com",
                    "joe@example.com")
        site.do("address", "add", "joe@b.org", "joe@example.com")
        site.do("box", "del", "ex1-0001", "--yes")
        site.do("address", "rename", "one@example.com", "uno@example.com")
        site.do("address", "set", "two@example.com", "ann@example.com")
        site.do("purge", "also@example.com", "--now", "--yes")
        site.do("purge", "same@example.com", "--now", "--yes")
        site.do("address", "add", "same@example.com", "ann@example.com")
        site.do("purge", "gone@example.com", "--now", "--yes")
        site.do("address", "add", "gone@example.com", "ann@example.com")
        site.do("address", "del", "gone@example.com", "--yes")
        site.do("domain", "del", "b.org", "--yes")
        got = site.popbox("box", "undelete", "ex1-0001")
        eq(got.rc, 0)
        for text in ("'joe@b.org' was not undeleted: there is no domain 'b.org'",
                     "'one@example.com' led to it and was deleted",
                     "'two@example.com' led to it and leads to 'ex1-0002' now",
                     "'also@example.com' was not undeleted: it was purged",
                     "'same@example.com' exists and leads elsewhere",
                     "'gone@example.com' was not undeleted: it was added "
                     "again and deleted since then"):
            has(got.err, "address " + text)
        has(got.err, "with 1 address, and in 1 group again")
        eq(leads(site, "three@example.com"), ["ex1-0001", "x@c.org"])
        eq(site.popbox("check", "--store-only").rc, 0)


@test("an address that leads to a group reaches all of it, also when the group "
      "changes")
def group_of_group():
    with site_of("a", "b", "c", qmail=True) as site:
        add = ("address", "add")
        site.do(*add, "team@example.com", "a@example.com", "b@example.com")
        site.do(*add, "all@example.com", "team@example.com")
        eq(leads(site, "team@example.com"), ["ex1-0001", "b@example.com"])
        eq(leads(site, "all@example.com"), ["team@example.com"])
        eq(site.login("all@example.com").rc, 1)
        got = site.deliver("all@example.com")
        eq((got.rc, got.out), (0, "forward team@example.com\n"))
        # Alone, by another name, and beside a box.
        site.do("domain", "add", "al.org", "--alias-of", "example.com")
        site.do("domain", "add", "two.org", "--handle", "ex2")
        site.do(*add, "all@two.org", "team@al.org")
        eq(leads(site, "all@two.org"), ["team@al.org"])
        site.do(*add, "both@example.com", "c@example.com", "team@example.com")
        eq(leads(site, "both@example.com"), ["ex1-0003", "team@example.com"])
        # What leads to one box leads to that box.
        site.do(*add, "first@example.com", "a@al.org")
        eq(leads(site, "first@example.com"), ["ex1-0001"])
        # A forward alone is a group of one; it may lead elsewhere tomorrow.
        site.do(*add, "out@example.com", "x@b.org")
        site.do(*add, "on@example.com", "out@example.com")
        eq(leads(site, "on@example.com"), ["out@example.com"])
        site.sound()


@test("a second box is reached by an address of its own, not by its group's")
def second_box():
    with site_of("a", "b") as site:
        site.do("address", "add", "ab@example.com", "b@example.com",
                "a@example.com")
        site.do("address", "add", "team@example.com", "ex1-0001", "ex1-0002")
        eq(leads(site, "team@example.com"), ["ex1-0001", "b@example.com"])
        site.do("address", "del", "b@example.com", "--yes")
        site.fails(100, "no address by which it alone", "address", "set",
                   "team@example.com", "ex1-0001", "ex1-0002")


@test("a deleted box leaves each group, whichever place it had; undelete and undo "
      "put it back there")
def box_del():
    with site_of("a", "b", "c") as site:
        add = ("address", "add")
        site.do("domain", "add", "two.org", "--handle", "ex2")
        site.do("domain", "add", "al.org", "--alias-of", "example.com")
        site.do(*add, "ab@example.com", "a@example.com", "b@example.com",
                "x@b.org")
        site.do(*add, "ba@example.com", "b@example.com", "a@example.com")
        site.do(*add, "cba@two.org", "c@example.com", "b@al.org",
                "a@example.com")
        site.do(*add, "team@example.com", "b@example.com", "b@al.org")
        site.do(*add, "first@example.com", "x@b.org", "b@example.com")
        site.do("address", "set", "first@example.com", "ba@example.com",
                "x@b.org")
        before = site.do("--json", "address", "list")
        for way in ("undelete", "undo"):
            got = site.fails(2, "delete the box 'ex1-0002'", "box", "del",
                             "b@example.com")
            for text in ("'ab@example.com': no longer leads to 'b@example.com'",
                         "'cba@two.org': no longer leads to 'b@al.org'"):
                has(got.err, "address " + text)
            eq(site.do("--json", "address", "list"), before)
            site.do("box", "del", "b@example.com", "--yes")
            number = str(site.last_entry())
            eq(leads(site, "ab@example.com"), ["ex1-0001", "x@b.org"])
            eq(leads(site, "ba@example.com"), ["a@example.com"])
            eq(leads(site, "cba@two.org"), ["ex1-0003", "a@example.com"])
            eq(leads(site, "team@example.com"), None)
            eq(site.popbox("check", "--store-only").rc, 0)
            if way == "undo":
                site.do("undo", number)
            else:
                site.do("box", "undelete", "ex1-0002")
            eq(site.do("--json", "address", "list"), before)


@test("boxes that are deleted by a filter leave each group in the same change")
def by_filter():
    with site_of("a", "b", "c") as site:
        site.do("domain", "add", "two.org", "--handle", "ex2")
        for name in ("d", "e"):
            site.do("box", "add", name + "@two.org", "--no-password")
        site.do("address", "add", "abcde@example.com", "a@example.com",
                "e@two.org", "b@example.com", "d@two.org", "c@example.com")
        site.do("address", "add", "de@example.com", "d@two.org", "e@two.org")
        site.do("address", "add", "on@example.com", "de@example.com")
        before = site.do("--json", "address", "list")
        words = ("box", "del", "--handle", "ex2")
        for more, code in (((), 2), (("--yes",), 0)):
            got = site.popbox(*words, *more)
            eq(got.rc, code)
            for text in ("'abcde@example.com': no longer leads to 'e@two.org'",
                         "'abcde@example.com': no longer leads to 'd@two.org'",
                         "'de@example.com': deleted, as it leads nowhere else"):
                has(got.err, "address " + text)
        eq(leads(site, "abcde@example.com"),
           ["ex1-0001", "b@example.com", "c@example.com"])
        eq(leads(site, "de@example.com"), None)
        number = str(site.last_entry())
        got = site.popbox("box", "undelete", "ex2-0001")
        has(got.err, "address 'de@example.com' leads no more to 'e@two.org'")
        eq(leads(site, "abcde@example.com"),
           ["ex1-0001", "b@example.com", "d@two.org", "c@example.com"])
        eq(leads(site, "de@example.com"), ["ex2-0001"])
        eq(leads(site, "on@example.com"), ["de@example.com"])
        undone = str(site.last_entry())
        got = site.popbox("box", "undelete", "ex2-0002")
        has(got.err, "address 'de@example.com' exists and leads elsewhere "
                     "('popbox address set' changes it)")
        eq(leads(site, "abcde@example.com"),
           ["ex1-0001", "e@two.org", "b@example.com", "d@two.org",
            "c@example.com"])
        eq(site.popbox("check", "--store-only").rc, 0)
        for entry in (str(site.last_entry()), undone, number):
            site.do("undo", entry)
        eq(site.do("--json", "address", "list"), before)


@test("what leads only to what is deleted goes with it, and comes back with it")
def chain():
    with site_of("a", "b") as site:
        add = ("address", "add")
        site.do(*add, "one@example.com", "a@example.com", "x@b.org")
        site.do("address", "set", "one@example.com", "x@b.org", "y@b.org")
        site.do(*add, "two@example.com", "one@example.com")
        site.do(*add, "three@example.com", "two@example.com")
        site.do(*add, "more@example.com", "b@example.com", "three@example.com")
        before = site.do("--json", "address", "list")
        got = site.popbox("address", "del", "one@example.com", "--yes")
        for name in ("two", "three"):
            has(got.err, f"address '{name}@example.com': deleted, as it leads "
                         "nowhere else")
            eq(leads(site, name + "@example.com"), None)
        eq(leads(site, "more@example.com"), ["ex1-0002"])
        site.do("undo", str(site.last_entry()))
        eq(site.do("--json", "address", "list"), before)
        # A postmaster is not deleted.
        site.do("address", "set", "postmaster@example.com", "three@example.com")
        site.fails(100, "'postmaster@example.com' leads to it, and must lead "
                        "somewhere", "address", "del", "two@example.com",
                   "--yes")


@test("a renamed address is followed by what leads to it, and undo takes that back")
def rename():
    with site_of("a", "b") as site:
        add = ("address", "add")
        site.do("domain", "add", "al.org", "--alias-of", "example.com")
        site.do(*add, "team@example.com", "a@example.com", "b@example.com")
        site.do(*add, "all@example.com", "team@example.com", "x@b.org")
        site.do(*add, "also@example.com", "y@b.org", "team@al.org",
                "team@example.com")
        before = site.do("--json", "address", "list")
        got = site.popbox("address", "rename", "team@example.com",
                          "crew@example.com")
        has(got.err, "address 'all@example.com' leads to 'crew@example.com' now, "
                     "not to 'team@example.com'")
        eq(leads(site, "all@example.com"), ["crew@example.com", "x@b.org"])
        eq(leads(site, "also@example.com"), ["y@b.org", "crew@example.com"])
        eq(site.popbox("check", "--store-only").rc, 0)
        site.do("undo", str(site.last_entry()))
        eq(site.do("--json", "address", "list"), before)
        site.do("address", "rename", "team@example.com", "crew@example.com",
                "--keep")
        eq(leads(site, "all@example.com"), ["team@example.com", "x@b.org"])
        # A catch-all is followed by what falls to it.
        site.do(*add, "*@example.com", "a@example.com")
        site.do("domain", "add", "two.org", "--handle", "ex1")
        site.do(*add, "far@two.org", "any@example.com")
        site.do("address", "rename", "*@example.com", "*@two.org")
        eq(leads(site, "far@two.org"), ["any@two.org"])
        eq(site.popbox("check", "--store-only").rc, 0)


@test("a renamed domain is followed by what leads into it; a deleted one is asked "
      "about with each forward that leads there")
def domains():
    with site_of("a", "b") as site:
        add = ("address", "add")
        site.do("domain", "add", "two.org", "--handle", "ex2")
        site.do(*add, "team@example.com", "a@example.com", "b@example.com")
        site.do(*add, "all@two.org", "team@example.com",
                "team@host.example.com")
        before = site.do("--json", "address", "list")
        got = site.popbox("domain", "rename", "example.com", "example.net")
        has(got.err, "address 'all@two.org' leads to 'team@example.net' now")
        eq(leads(site, "all@two.org"), ["team@example.net",
                                        "team@host.example.net"])
        eq(leads(site, "team@example.net"), ["ex1-0001", "b@example.net"])
        eq(site.popbox("check", "--store-only").rc, 0)
        site.do("undo", str(site.last_entry()))
        eq(site.do("--json", "address", "list"), before)
        got = site.fails(2, "delete the domain", "domain", "del", "example.com")
        has(got.err, "address 'all@two.org': 'team@example.com', to which it "
                     "leads, leaves the site after 'popbox purge'")
        has(got.err, "'team@host.example.com', to which")
        site.do("domain", "del", "example.com", "--yes")
        eq(leads(site, "all@two.org"), ["team@example.com",
                                        "team@host.example.com"])
        got = site.popbox("check", "--store-only")
        eq(got.rc, 1)
        has(got.out, "all@two.org: it leads to 'team@example.com': that domain "
                     "was deleted, and its mail does not leave this site until "
                     "'popbox purge' ('popbox address set' changes it) (rule 16)")
        site.do("undo", str(site.last_entry()))
        eq(site.do("--json", "address", "list"), before)
        eq(site.popbox("check", "--store-only").rc, 0)


@test("undo names what leads to an address that it deletes")
def undo():
    with site_of("a", "b") as site:
        site.do("address", "add", "new@example.com", "a@example.com",
                "b@example.com")
        number = str(site.last_entry())
        site.do("address", "add", "all@example.com", "new@example.com")
        got = site.popbox("undo", number)
        eq(got.rc, 0)
        has(got.err, "address 'all@example.com': 'new@example.com', to which it "
                     "leads, is deleted")


@test("a loop is refused with the way it takes, and never taken")
def loop():
    with site_of("a") as site:
        add, put = ("address", "add"), ("address", "set")
        site.do(*add, "one@example.com", "x@b.org")
        site.do(*add, "two@example.com", "one@example.com")
        site.do(*add, "three@example.com", "two@example.com")
        text = ("one@example.com leads to three@example.com leads to "
                "two@example.com leads back to one@example.com")
        for force in ((), ("--force",)):
            site.fails(100, text, *put, "one@example.com", "three@example.com",
                       *force)
            site.fails(100, "*@example.com leads back to itself", *add,
                       "*@example.com", "nobody@example.com", *force)
        site.do("domain", "add", "al.org", "--alias-of", "example.com")
        site.fails(100, "leads back to two@example.com", *put,
                   "two@example.com", "three@al.org", "a@example.com")
        for number in range(9):
            site.do(*add, f"n{number}@example.com",
                    f"n{number - 1}@example.com" if number else "x@b.org")
        site.fails(100, "n0@example.com leads to n8@example.com leads to "
                        "n7@example.com leads to ... leads to n1@example.com "
                        "leads back to n0@example.com", *put,
                   "n0@example.com", "n8@example.com")
        # Two ways to one box are none.
        site.do(*add, "twice@example.com", "two@example.com",
                "one@example.com")
        eq(site.popbox("check", "--store-only").rc, 0)


@test("a target that is not there is refused, unless it may come later")
def dead():
    with site_of("joe") as site:
        add = ("address", "add")
        site.do("address", "add", "was@example.com", "x@b.org")
        site.do("address", "del", "was@example.com", "--yes")
        for target, why in (("jeo@example.com", "has no such address"),
                            ("x@host.example.com", "has no such address"),
                            ("was@example.com", "was deleted")):
            for verb, name in (("add", "typo"), ("set", "joe")):
                site.fails(100, f"'{target}' leads nowhere: that ", "address",
                           verb, name + "@example.com", target, "y@b.org")
        site.fails(100, "leads nowhere", "domain", "add", "two.org", "--handle",
                   "ex1", "--postmaster", "jeo@example.com")
        site.do(*add, "early@example.com", "late@example.com", "--force")
        got = site.popbox("check", "--store-only")
        eq((got.rc, got.out), (1, "early@example.com: it leads to "
           "'late@example.com': that domain of this site has no such address "
           "and no catch-all ('popbox address set' changes it) (rule 16)\n"))
        eq(json.loads(site.popbox("--json", "check", "--store-only").out)[
            "rule"], 16)
        site.do("box", "add", "late@example.com", "--no-password")
        eq(site.popbox("check", "--store-only").rc, 0)
        # What another address leads to is not this one's fault.
        site.do("address", "set", "early@example.com", "x@b.org",
                "much-later@example.com", "--force")
        site.do(*add, "on@example.com", "early@example.com")
        site.do(*add, "*@example.com", "joe@example.com")
        site.do(*add, "any@example.com", "who@example.com", "y@b.org")


@test("a target that is almost an address is named; a new address is not taken for "
      "one")
def meant():
    with site_of("joe") as site:
        for verb, name in (("add", "jo@"), ("set", "joe@")):
            got = site.fails(100, "did you mean 'joe@example.com'?", "address",
                             verb, name + "example.com", "jeo@example.com")
            eq(got.err.count("did you mean"), 1)
        got = site.fails(100, "leads nowhere", "address", "add",
                         "jos@example.com", "nobody@example.com",
                         "x@example.con")
        hasnt(got.err, "did you mean")
        got = site.fails(100, "hash", "box", "add", "jos@example.com",
                         "--hash-stdin", input="{SSHA}YWJj\n")
        hasnt(got.err, "did you mean")
        site.fails(100, "did you mean 'example.com'?", "box", "add",
                   "jos@exmaple.com", "--no-password")


@test("check finds a loop that came about in another way, at each address of it")
def check_loop():
    with site_of("a") as site:
        site.do("domain", "add", "two.org", "--handle", "ex1")
        site.do("address", "add", "b@example.com", "c@three.org")
        site.do("address", "add", "in@example.com", "b@example.com")
        site.do("domain", "add", "three.org", "--handle", "ex1")
        site.do("address", "add", "*@three.org", "x@four.org")
        site.do("domain", "add", "four.org", "--alias-of", "example.com")
        got = site.popbox("check", "--store-only")
        has(got.out, "*@three.org: it leads to 'x@four.org'")
        site.do("box", "add", "*@example.com", "--no-password")
        eq(site.popbox("check", "--store-only").rc, 0)
        number = str(site.last_entry())
        site.do("undo", number)
        site.do("purge", "*@example.com", "--now", "--yes")
        site.do("address", "add", "*@example.com", "y@five.org")
        site.do("domain", "add", "five.org", "--alias-of", "three.org")
        got = site.popbox("check", "--store-only")
        eq(got.rc, 1)
        eq(sorted(got.out.splitlines()), [
            "*@example.com: loop: *@example.com leads to *@three.org leads back "
            "to *@example.com (rule 17)",
            "*@three.org: loop: *@three.org leads to *@example.com leads back to "
            "*@three.org (rule 17)"])
        has(site.popbox("check").out, "rule 17")


@test("import judges forwards when all rows are in: what comes later in the file is "
      "there, loops and dead targets are not taken")
def imports():
    with site_of("joe") as site:
        path = site.top + "/rows.csv"

        def rows(*lines):
            with open(path, "w") as file:
                file.write("address,hash,forward\n" + "\n".join(lines) + "\n")

        rows("one@example.com,,two@example.com", "two@example.com,,new@two.org",
             "new@two.org,*,", "pm@example.com,,postmaster@two.org")
        site.do("import", path, "--handle", "ex1")
        eq(leads(site, "one@example.com"), ["two@example.com"])
        rows("bad@example.com,,jeo@example.com", "x@example.com,,y@example.com",
             "y@example.com,,x@example.com", "good@example.com,*,",
             "on@example.com,,bad@example.com")
        got = site.fails(100, "rows.csv:2: bad@example.com: 'jeo@example.com' "
                              "leads nowhere", "import", path)
        for line, name, other in ((3, "x", "y"), (4, "y", "x")):
            has(got.err, f"rows.csv:{line}: {name}@example.com: it would be a "
                         "loop, and qmail bounces a looping message: "
                         f"{name}@example.com leads to {other}@example.com")
        hasnt(got.err, "rows.csv:6")
        eq(leads(site, "good@example.com"), None)
        got = site.fails(100, "loop", "import", path, "--force")
        hasnt(got.err, "bad@")
        eq(site.popbox("import", path, "--skip-bad", site.top + "/bad").rc, 1)
        with open(site.top + "/bad") as file:
            eq([line.split("@")[0] for line in file][1:],
               ["bad", "x", "y", "on"])
        assert leads(site, "good@example.com")
        rows("bad@example.com,,jeo@example.com")
        site.do("import", path, "--force")
        site.do("import", path)  # nothing new
        eq(site.popbox("check", "--store-only").rc, 1)


run()
