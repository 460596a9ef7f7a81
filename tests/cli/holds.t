#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every listing shows what holds of all switches, and where it comes from."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, hasnt, run, test

ANN = {"SUDO_USER": "ann"}


def rows(site, *args):
    return [json.loads(line) for line in
            site.do("--json", *args).splitlines()]


def cell(text, name, column):
    """Of the row that begins with name."""
    lines = text.splitlines()
    at = re.search(r"\b" + column + r"\b", lines[0]).start()
    return next(line[at:].split("  ")[0] for line in lines
                if line.split()[0] == name)


def line(text, word):
    return next(each[len(word):].strip() for each in text.splitlines()
                if each.startswith(word + " "))


def shop():
    """joe has ex1-0001, pat ex1-0002, in example.com; bob ot2-0001 in
    other.net."""
    site = Site(qmail=False).joe()
    site.do("box", "add", "pat@example.com", "--no-password")
    site.do("domain", "add", "other.net", "--handle", "ot2")
    site.do("box", "add", "bob@other.net", "--no-password")
    return site


@test("a box under a suspended handle is shown as off everywhere, with whom, "
      "since when and why")
def handle():
    with shop() as site:
        eq(line(site.do("box", "show", "joe@example.com"), "login"), "on")
        site.do("handle", "suspend", "ex1", "--reason", "unpaid", env=ANN)
        # Nothing that comes later is taken for the suspension.
        site.do("handle", "set", "ex1", "--name", "First", env={
            "SUDO_USER": "bert"})
        want = r"off: handle ex1 is suspended since " \
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, by ann, reason: unpaid"
        for words in (("box", "show", "joe@example.com"),
                      ("address", "show", "joe@example.com"),
                      ("domain", "show", "example.com"),
                      ("handle", "show", "ex1")):
            text = line(site.do(*words), "login")
            assert re.fullmatch(want, text), (words, text)
        text = site.do("box", "list")
        eq(cell(text, "ex1-0001", "LOGIN"), "off (handle)")
        eq(cell(text, "ot2-0001", "LOGIN"), "on")
        eq(cell(site.do("domain", "list"), "example.com", "LOGIN"),
           "off (handle)")
        eq(cell(site.do("handle", "list"), "ex1", "LOGIN"), "off")
        text = site.do("address", "list")
        eq(cell(text, "joe@example.com", "LOGIN"), "off (handle)")
        eq(cell(text, "bob@other.net", "LOGIN"), "on")
        by = {"table": "handle", "name": "ex1"}
        for words in (("box", "list"), ("domain", "list"),
                      ("address", "list")):
            found = {(r["login_holds"], str(r["login_by"]))
                     for r in rows(site, *words)}
            eq(found, {(False, str(by)), (True, "None")}, words)
        for words in (("box", "show", "joe@example.com"),
                      ("domain", "show", "example.com"),
                      ("address", "show", "joe@example.com")):
            row, = rows(site, *words)
            eq((row["login_holds"], row["login_by"]), (False, by), words)
        # The own switch of the box stays what it is.
        eq(row.get("login", True), True)
        export = [r for r in rows(site, "export", "--format", "json")
                  if r["type"] == "box"]
        eq({(r["handle"], r["login"], r["login_holds"]) for r in export},
           {("ex1", True, False), ("ot2", True, True)})


@test("--suspended lists what cannot log in at whatever level, and nothing else")
def suspended():
    with shop() as site:
        def boxes():
            return [r["box"] for r in rows(site, "box", "list",
                                           "--suspended")]
        eq(boxes(), [])
        site.do("box", "suspend", "pat@example.com")
        eq(boxes(), ["ex1-0002"])
        site.do("domain", "suspend", "other.net")
        eq(boxes(), ["ex1-0002", "ot2-0000", "ot2-0001"])
        eq([r["domain"] for r in rows(site, "domain", "list",
                                      "--suspended")], ["other.net"])
        site.do("handle", "suspend", "ex1")
        eq(len(boxes()), 5)
        eq([r["domain"] for r in rows(site, "domain", "list",
                                      "--suspended")],
           ["example.com", "other.net"])
        # The nearest level is named.
        text = site.do("box", "list")
        eq(cell(text, "ex1-0002", "LOGIN"), "off")
        eq(cell(text, "ex1-0001", "LOGIN"), "off (handle)")
        eq(cell(text, "ot2-0001", "LOGIN"), "off (domain)")
        # Whoever is listed is refused, and nobody else.
        has(site.popbox("verify", "joe@example.com", "--stdin",
                        input=GOOD + "\n").out, "handle-suspended")


@test("an alias domain is shown as off with its target, and the box by name")
def alias():
    with shop() as site:
        site.do("domain", "add", "one.alias", "--alias-of", "example.com")
        site.do("domain", "suspend", "example.com")
        text = line(site.do("domain", "show", "one.alias"), "login")
        has(text, "off: domain example.com is suspended since ")
        has(line(site.do("box", "show", "ex1-0001"), "login"),
            "off: domain example.com is suspended since ")
        site.do("domain", "resume", "example.com")
        site.do("domain", "suspend", "one.alias")
        eq(line(site.do("box", "show", "ex1-0001"), "login"), "on")


@test("delivery that is off or held is shown with the level that says so")
def delivery():
    with shop() as site:
        site.do("domain", "set", "example.com", "--delivery", "hold", env=ANN)
        text = line(site.do("box", "show", "joe@example.com"), "delivery")
        assert re.fullmatch(r"hold: domain example.com since \S+, by ann",
                            text), text
        eq(cell(site.do("box", "list"), "ex1-0001", "DELIVERY"),
           "hold (domain)")
        site.do("address", "add", "joe@other.net", "ex1-0001")
        eq(line(site.do("box", "show", "joe@example.com"), "delivery"), "on")
        has(line(site.do("address", "show", "joe@example.com"), "delivery"),
            "hold: domain example.com")
        site.do("box", "set", "ex1-0001", "--delivery", "off")
        has(line(site.do("address", "show", "joe@other.net"), "delivery"),
            "off: box ex1-0001")
        # Its forwards go on.
        site.do("address", "set", "joe@other.net", "ex1-0001", "a@b.example")
        eq(line(site.do("address", "show", "joe@other.net"), "delivery"),
           "on")
        row = next(r for r in rows(site, "address", "list")
                   if r["address"] == "joe@example.com")
        eq(cell(site.do("address", "list"), "joe@example.com", "DELIVERY"),
           "off (box)")
        eq((row["delivery_holds"], row["delivery_by"]["name"]),
           ("off", "ex1-0001"))


@test("stats counts whoever cannot log in")
def stats():
    with shop() as site:
        site.do("domain", "suspend", "other.net")
        found = {r["handle"]: r["login_off"] for r in
                 rows(site, "stats") if r["stats"] == "customer"}
        eq(found, {"ex1": 0, "ot2": 2})
        site.do("handle", "suspend", "ex1")
        found = {r["handle"]: r["login_off"] for r in
                 rows(site, "stats") if r["stats"] == "customer"}
        eq(found, {"ex1": 3, "ot2": 2})


@test("who suspended it is found in a long journal, and among changes of the same "
      "second")
def journal():
    with shop() as site:
        site.do("handle", "suspend", "ex1", env=ANN)
        for i in range(40):
            site.do("handle", "set", "ot2", "--name", f"x{i}")
        for i in range(3):
            site.do("handle", "set", "ex1", "--name", f"x{i}")
        has(line(site.do("box", "show", "ex1-0001"), "login"), ", by ann")
        site.do("handle", "resume", "ex1")
        site.do("handle", "suspend", "ex1", env={"SUDO_USER": "bert"})
        has(line(site.do("box", "show", "ex1-0001"), "login"), ", by bert")


@test("a box whose addresses are all suspended gets no mail, and the lists say so; "
      "one that is on is enough")
def address_off():
    with shop() as site:
        site.do("address", "add", "p@example.com", "pat@example.com")
        site.do("address", "suspend", "pat@example.com", "--reason", "left")
        eq(cell(site.do("box", "list"), "ex1-0002", "DELIVERY"), "on")
        site.do("address", "suspend", "p@example.com")
        text = site.do("box", "list")
        eq(cell(text, "ex1-0002", "DELIVERY"), "off (address)")
        eq(cell(text, "ex1-0001", "DELIVERY"), "on")
        text = line(site.do("box", "show", "ex1-0002"), "delivery")
        assert text.startswith("off: address p"), text
        row = rows(site, "box", "show", "ex1-0002")[0]
        eq((row["delivery_holds"], row["delivery_by"]["table"],
            row["login_holds"]), ("off", "address", True))
        site.do("address", "resume", "p@example.com")
        eq(line(site.do("box", "show", "ex1-0002"), "delivery"), "on")


run()
