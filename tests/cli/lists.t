#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox: what every list can do: columns, order, limit, csv; names as people
write them, and the address that stands for a box."""
import csv
import io
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Site, eq, has, run, test

LISTS = (("handle", "list"), ("domain", "list"), ("box", "list"),
         ("address", "list"))


def shop():
    site = Site().joe()
    site.do("domain", "add", "münchen.example", "--handle", "ex1")
    site.do("domain", "add", "other.org", "--handle", "ot2")
    site.do("box", "add", "sue@münchen.example", "--no-password", "--name",
            'Sue, "the boss"')
    site.do("box", "add", "ann@other.org", "--no-password", "--name", "Ann")
    site.do("handle", "set", "ot2", "--name", "Other; or not")
    return site


def rows(site, *words):
    return list(csv.DictReader(io.StringIO(site.do(*words, "--csv"))))


def objects(site, *words):
    return [json.loads(line) for line in
            site.do("--json", *words).splitlines()]


@test("each list is csv, sorted, and limited; --json too is sorted and limited")
def all_lists():
    with shop() as site:
        for words in LISTS:
            every = rows(site, *words)
            noun = words[0]
            names = [row[noun] for row in every]
            eq(len(names), len(site.do(*words).splitlines()) - 1, words)
            eq([row[noun] for row in rows(site, *words, "--limit", "1")],
               names[:1], words)
            back = [row[noun] for row in
                    rows(site, *words, "--sort", "-" + noun)]
            eq(back, sorted(names, reverse=True), words)
            eq([row[noun] for row in rows(site, *words, "--sort", "-" + noun,
                                          "--limit", "2")], back[:2], words)
            eq(len(objects(site, *words, "--limit", "1")), 1)
            eq(objects(site, *words, "--sort", "-" + noun),
               sorted(objects(site, *words), reverse=True,
                      key=lambda o: back[::-1].index(shown(o[noun]))), words)


def shown(name):
    return name.replace("xn--mnchen-3ya", "münchen")


@test("a value with commas and quotes comes back out of csv as it was")
def quoting():
    with shop() as site:
        eq({row["box"]: row["name"] for row in rows(site, "box", "list")}
           ["ex1-0002"], 'Sue, "the boss"')
        eq(rows(site, "handle", "list")[1]["name"], "Other; or not")


@test("--columns says which, in which order; rows alike keep their order")
def columns():
    with shop() as site:
        eq(site.do("box", "list", "--columns", "name,box", "--csv", "--sort",
                   "login").splitlines(),
           ["name,box", "postmaster,ex1-0000", ",ex1-0001",
            '"Sue, ""the boss""",ex1-0002', "postmaster,ot2-0000",
            "Ann,ot2-0001"])
        eq(site.login().rc, 0)
        text = site.do("box", "list", "--columns", "last-login,box,last-ip")
        eq(text.splitlines()[0].split("  ")[0], "LAST LOGIN")
        has(text, "Z  ex1-0001  192.0.2.7\n")
        eq([row["box"] for row in rows(site, "box", "list", "--sort",
                                       "-last-login", "--limit", "1")],
           ["ex1-0001"], "a column that is not shown can be sorted by")
        got = site.fails(2, "has no column 'x'", "box", "list", "--columns",
                         "box,x")
        has(got.err, "address")
        site.fails(2, "twice", "domain", "list", "--columns",
                   "domain,kind,domain")
        site.fails(2, "has no column ''", "handle", "list", "--sort", "-")
        site.fails(2, "--limit", "address", "list", "--limit", "0")
        for option in (("--csv",), ("--columns", "box")):
            site.fails(2, "--json", "--json", "box", "list", *option)


@test("numbers in names count as numbers where a list is sorted")
def numbers():
    with shop() as site:
        for number in (2, 10, 9):
            site.do("address", "add", f"u{number}@other.org", "ot2-0001")
        eq([row["address"] for row in rows(site, "address", "list",
                                           "other.org", "--sort", "address")],
           ["ann@other.org", "postmaster@other.org", "u2@other.org",
            "u9@other.org", "u10@other.org"])


@test("a sorted list with a limit is the beginning of the whole one, however "
      "long that is")
def long():
    with shop() as site:
        for number in range(150):
            site.do("handle", "add", f"h{number * 37 % 150}", "--name",
                    str(number * 53 % 150))
        every = [row["handle"] for row in
                 rows(site, "handle", "list", "--sort", "-name")]
        eq(len(every), 152)
        for limit in (1, 20, 33, 64, 151, 500):
            eq([row["handle"] for row in
                rows(site, "handle", "list", "--sort", "-name", "--limit",
                     str(limit))], every[:limit], limit)


@test("a box is shown by its own address: not the catch-all, not postmaster's, "
      "not one in another customer's domain, not one that forwards too")
def best():
    with shop() as site:
        def address(box, *more):
            return {row["box"]: row["address"] for row in
                    rows(site, "box", "list", *more)}[box]

        site.do("address", "add", "*@example.com", "ex1-0001")
        eq(address("ex1-0001"), "joe@example.com")
        eq(address("ex1-0001", "--domain", "example.com"), "joe@example.com")
        site.do("address", "set", "postmaster@example.com", "ex1-0001")
        eq(address("ex1-0001"), "joe@example.com")
        eq(address("ex1-0001", "--domain", "example.com"), "joe@example.com")
        site.do("domain", "add", "aaa.org", "--handle", "ot2")
        site.do("address", "add", "abe@aaa.org", "ex1-0001")
        eq(address("ex1-0001"), "joe@example.com")
        eq(address("ex1-0001", "--domain", "aaa.org"), "abe@aaa.org")
        site.do("address", "add", "all@example.com", "ex1-0001",
                "who@elsewhere.example")
        eq(address("ex1-0001"), "joe@example.com")
        site.do("address", "del", "joe@example.com", "--yes")
        eq(address("ex1-0001"), "all@example.com")
        eq(objects(site, "box", "list", "--match", "ex1-0001")[0]["address"],
           "all@example.com")


@test("names of other scripts are in lists as people write them, and in show and "
      "--json as the mail system does")
def written():
    with shop() as site:
        ascii = "xn--mnchen-3ya.example"
        site.do("address", "add", "far@other.org", "x@" + ascii, "--force")
        has(site.do("domain", "list"), "\nmünchen.example")
        has(site.do("box", "list"), "sue@münchen.example")
        has(site.do("address", "list"), "sue@münchen.example")
        eq([row["forwards"] for row in rows(site, "address", "list",
                                            "other.org")
            if row["address"] == "far@other.org"], ["x@münchen.example"])
        for words in LISTS[1:]:
            assert "ü" not in site.do("--json", *words).replace(
                '"utf8":"münchen', ""), words
        has(site.do("domain", "show", "münchen.example"), ascii)
        has(site.do("box", "show", "sue@münchen.example"), "sue@" + ascii)
        eq([row["box"] for row in rows(site, "box", "list", "--match",
                                       "@MÜNCHEN".lower())],
           ["ex1-0000", "ex1-0002"])


def found(site, *words):
    return [(o["kind"], o["name"], o["found_in"], o["text"])
            for o in objects(site, "search", *words)]


@test("search finds a text in each field of each kind, in either case, once each: "
      "names first, then addresses that begin with it")
def searched():
    with shop() as site:
        site.do("address", "add", "away@example.com", "x@Far.joes.net")
        site.do("address", "add", "mr.joe@example.com", "sue@münchen.example",
                "y@far.net")
        site.do("domain", "add", "joe.example", "--alias-of", "example.com")
        site.do("domain", "add", "relay.org", "--handle", "ex1", "--kind",
                "relay", "--host", "joes.host.net")
        site.do("domain", "set", "example.com", "--ip", "192.0.2.7")
        site.do("box", "suspend", "ann@other.org", "--reason", "Joe's bill")
        eq(found(site, "JOE"), [
            ("domain", "joe.example", "domain", "alias"),
            ("domain", "relay.org", "host", "joes.host.net"),
            ("address", "joe@example.com", "address", "ex1-0001"),
            ("box", "ot2-0001", "reason", "Joe's bill"),
            ("address", "away@example.com", "forward", "x@far.joes.net"),
            ("address", "mr.joe@example.com", "address",
             "ex1-0002 and 1 more")])
        eq(found(site, "or not"), [("handle", "ot2", "name", "Other; or not")])
        eq(found(site, "192.0.2"),
           [("domain", "example.com", "ip", "192.0.2.7")])
        eq(found(site, "example.com"), [
            ("domain", "example.com", "domain", "pop"),
            ("domain", "joe.example", "target", "example.com")])
        eq(found(site, "münch"), [
            ("domain", "xn--mnchen-3ya.example", "domain", "pop")])
        eq([f[1] for f in found(site, "e@münch", "--kind", "address")],
           ["sue@xn--mnchen-3ya.example"])
        eq(found(site, "boss"), [("box", "ex1-0002", "name",
                                  'Sue, "the boss"')])
        eq([f[:2] for f in found(site, "ex1-00", "--kind", "box")],
           [("box", "ex1-0000"), ("box", "ex1-0001"), ("box", "ex1-0002")])


@test("search finds what is deleted, last and with the time, until it is purged; and "
      "says when it finds nothing")
def deleted():
    with shop() as site:
        site.do("address", "add", "joe.x@example.com", "x@far.org")
        site.do("address", "del", "joe.x@example.com", "--yes")
        site.do("domain", "del", "other.org", "--yes")
        site.do("handle", "del", "ot2", "--yes")
        got = objects(site, "search", "o")
        gone = [o["name"] for o in got if o["deleted"]]
        eq(gone, ["ot2", "other.org", "ot2-0000", "joe.x@example.com",
                  "postmaster@other.org"])
        eq(sum(o["name"] == "joe@example.com" for o in got), 1)
        eq([o["name"] for o in got][-len(gone):], gone)
        site.do("purge", "joe.x@example.com", "--now", "--yes")
        got = site.popbox("search", "joe.x@example")
        eq((got.rc, got.out.splitlines()[1:]), (1, []))
        has(got.err, "nothing has 'joe.x@example' in it")
        site.fails(2, "--kind takes", "search", "x", "--kind", "boxes")
        site.fails(2, "which text?", "search", "")


@test("search of many domains finds each address that begins with the text, in "
      "handfuls, and no other twice")
def many():
    with Site() as site:
        path = site.top + "/f.csv"
        with open(path, "w") as file:
            file.write("address,hash,handle\n")
            for i in range(60):
                for name in ("joe", "joe2", "jo", "xjoe"):
                    file.write(f"{name}@d{i:02}.org,*,h\n")
        site.do("import", path)
        names = [o["name"] for o in objects(site, "search", "joe")]
        eq(len(names), len(set(names)))
        eq(names, [f"{n}@d{i:02}.org" for i in range(60)
                   for n in ("joe", "joe2")] +
           [f"xjoe@d{i:02}.org" for i in range(60)])
        eq([o["name"] for o in objects(site, "search", "joe@d1")],
           [f"joe@d1{i}.org" for i in range(10)] +
           [f"xjoe@d1{i}.org" for i in range(10)])
        eq([o["name"] for o in objects(site, "search", "joe", "--limit", "7")],
           names[:7])


run()
