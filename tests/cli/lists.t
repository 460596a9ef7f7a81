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


run()
