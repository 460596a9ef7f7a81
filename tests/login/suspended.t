#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""May this box log in under this name? Everybody must give the same answer: the
login program, verify, explain and every export."""
import csv
import io
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, hasnt, run, test


class Shop(Site):
    """joe of ex1 has an address in a domain of ex2 as well, pat only there; both
    domains have an alias; ann has no address."""

    def __init__(self):
        super().__init__(qmail=False)
        self.joe()  # ex1-0001
        self.do("domain", "add", "two.example", "--handle", "ex2")
        self.do("domain", "add", "one.alias", "--alias-of", "example.com")
        self.do("domain", "add", "two.alias", "--alias-of", "two.example")
        self.do("address", "add", "joe@two.example", "ex1-0001")
        for name in ("pat", "ann"):  # ex1-0002, ex1-0003
            self.do("box", "add", name + "@example.com", "--stdin",
                    input=GOOD + "\n")
        self.do("address", "add", "pat@two.example", "ex1-0002")
        for name in ("pat", "ann"):
            self.do("address", "del", name + "@example.com", "--yes")


NAMES = {
    "joe@example.com": {"ex1-0001", "example.com", "ex1"},
    "joe@one.alias": {"ex1-0001", "one.alias", "example.com", "ex1"},
    "joe@two.example": {"ex1-0001", "two.example", "ex1", "ex2"},
    "joe@two.alias": {"ex1-0001", "two.alias", "two.example", "ex1", "ex2"},
    "pat@two.example": {"ex1-0002", "two.example", "ex1", "ex2"},
    "pat@two.alias": {"ex1-0002", "two.alias", "two.example", "ex1", "ex2"},
    "ex1-0002": {"ex1-0002", "two.example", "ex1", "ex2"},
    "ex1-0003": {"ex1-0003", "ex1"},
}
# By the name of its box joe logs in as long as one of his addresses would.
EITHER = ({"ex1-0001", "example.com", "ex1"},
          {"ex1-0001", "two.example", "ex1", "ex2"})


def allowed(name, off):
    if name == "ex1-0001":
        return any(not needs & off for needs in EITHER)
    return not NAMES[name] & off


def noun(thing):
    return "box" if "-" in thing else "domain" if "." in thing else "handle"


def same(site, off, expired=False):
    """All of them, for these switches, or what has expired instead."""
    reasons = {}
    for name in [*NAMES, "ex1-0001"]:
        want = allowed(name, off)
        got = site.login(name)
        eq(got.rc, 0 if want else 1, (name, off, got))
        reason = re.search(r"reason=(\S+)", got.err)
        reasons[name] = reason and reason[1]
        if not want and expired:
            eq(reason[1], "expired", (name, off))
        elif not want:
            eq(reason[1].split("-")[1], "suspended", (name, off))
            assert noun([t for t in off][0]) in reason[1] or len(off) > 1
        verdict = json.loads(site.popbox("--json", "verify", name, "--stdin",
                                         input=GOOD + "\n").out)
        eq(verdict["verdict"], "accept" if want else "refuse", (name, off))
        eq(verdict["reason"], reasons[name], (name, off))
        if "@" in name:
            text = site.popbox("explain", name).out
            has(text, reasons[name] or "with its password")
    lines = site.do("export", "--format", "dovecot").splitlines()
    found = {line.split(":")[0]: line.split(":")[1] for line in lines}
    for name in [*NAMES, "ex1-0001"]:
        eq(found[name] != "{CRYPT}*", allowed(name, off), (name, off))
    got = site.popbox("export")
    rows = csv.DictReader(io.StringIO(got.out))
    found = {row["address"] or row["box"]: row for row in rows}
    lost = set()
    for name in found.keys() & NAMES.keys():
        box = allowed(found[name]["box"], off)
        eq(found[name]["login"], "on" if box or expired else "off", (name, off))
        eq(bool(found[name]["expires"]), expired and not box, (name, off))
        if box and not allowed(name, off):
            lost.add(name)
            has(got.err, f"{name}: {reasons[name]}, although its box is not")
    eq(got.rc, 1 if lost else 0, (off, got.err))


def agree(*cases, expired=False):
    with Shop() as site:
        same(site, set())
        for off in cases:
            for thing in off:
                site.do(noun(thing), *(("set", thing, "--expires", "+1s")
                                       if expired else ("suspend", thing)))
            if expired:
                time.sleep(1.1)
            same(site, off, expired)
            for thing in off:
                site.do(noun(thing), "resume", thing)


@test("whichever box is suspended, login, verify, explain and each export say the "
      "same of every name")
def boxes():
    agree({"ex1-0001"}, {"ex1-0002"}, {"ex1-0003"})


@test("whichever domain or alias is suspended, all say the same of every name")
def domains():
    agree({"example.com"}, {"two.example"}, {"one.alias"}, {"two.alias"},
          {"example.com", "two.example"})


@test("whichever handle is suspended, alone or with others, all say the same of "
      "every name")
def handles():
    agree({"ex1"}, {"ex2"}, {"example.com", "ex2"}, {"ex2", "two.example"},
          {"ex1-0001", "ex2"})


@test("whatever has expired, box, domain, alias or handle, all say the same of every "
      "name")
def expired():
    agree({"ex1-0001"}, {"ex1-0003"}, {"example.com"}, {"two.alias"}, {"ex1"},
          {"ex2"}, {"ex1-0001", "ex2"}, expired=True)


SERVICES = ("pop", "smtp", "imap", "webmail")


@test("a service that is off at one level is off, whatever the others say; login, "
      "verify, show and the exports say the same")
def services():
    with Shop() as site:
        off = {"ex1-0001": "smtp", "example.com": "imap", "one.alias": "pop",
               "ex2": "webmail"}
        for thing, service in off.items():
            site.do(noun(thing), "set", thing, "--login", service + "=off")
        for name, needs in NAMES.items():
            want = {service for thing, service in off.items() if thing in needs}
            for service in SERVICES:
                got = site.popbox("--json", "verify", name, "--stdin",
                                  "--service", service, input=GOOD + "\n")
                one = json.loads(got.out)
                eq((got.rc, one["reason"]),
                   (1, "service-off") if service in want else (0, None),
                   (name, service))
            got = site.login(name)
            eq(got.rc, int("pop" in want), name)
            if "pop" in want:
                has(got.err, "reason=service-off")
            elif "@" in name and want:
                has(site.popbox("explain", name).out, "not by ")
        # By the name of the box: what is off for all of its addresses.
        show = json.loads(site.do("--json", "box", "show", "ex1-0001"))
        eq((show["login"], show["services_off"], show["login_services"]),
           (True, ["smtp"], ["pop", "imap", "webmail"]))
        has(site.do("box", "show", "ex1-0001"), "on, not by smtp\n")
        has(site.do("box", "list"), " not smtp ")
        show = json.loads(site.do("--json", "domain", "show", "one.alias"))
        eq(show["login_services"], ["smtp", "webmail"])
        got = site.popbox("export", "--format", "dovecot")
        lines = {line.split(":")[0]: line for line in got.out.splitlines()}
        has(lines["joe@example.com"], ";^(smtp|submission|imap)$;")
        has(lines["joe@one.alias"], ";^(pop3|smtp|submission|imap)$;")
        hasnt(lines["ex1-0003"], "allow_nets")
        has(got.err, "joe@two.example: its logins by webmail are off")
        got = site.popbox("export")
        has(got.err, "joe@two.example: some services are off, although its box")
        rows = {row["address"]: row for row in
                csv.DictReader(io.StringIO(got.out))}
        eq(rows["joe@example.com"]["login"], "smtp=off")
        eq(rows["pat@two.example"]["login"], "webmail=off")
        with Site(qmail=False) as other:
            other.do("import", "-", input=got.out)
            eq(json.loads(other.do("--json", "box", "show", "ex1-0002"))[
                "services_off"], ["webmail"])
        has(site.popbox("import", "-", input=got.out).err, "6 unchanged")
        site.do("box", "set", "ex1-0001", "--login", "smtp=on,webmail=off")
        site.do("handle", "set", "ex1", "--login",
                ",".join(s + "=off" for s in SERVICES))
        eq(site.login("ex1-0003").rc, 1)
        eq(json.loads(site.do("--json", "handle", "show", "ex1"))["login"], True)


@test("by box name one logs in under the first address that is allowed")
def address():
    with Shop() as site:
        show = ("sh", "-c", "echo $USER $POPBOX_DOMAIN")
        for off, want in ((None, "joe@example.com example.com"),
                          ("example.com", "joe@two.example two.example"),
                          ("two.example", "joe@example.com example.com")):
            if off:
                site.do("domain", "suspend", off)
            eq(site.login("ex1-0001", program=show).out.strip(), want, off)
            if off:
                site.do("domain", "resume", off)
        eq(site.login("ex1-0003", program=show).out.strip(), "ex1-0003")
        for name in ("a", "z"):  # several addresses at the suspended domain
            site.do("address", "add", name + "@example.com", "ex1-0001")
        site.do("domain", "suspend", "example.com")
        eq(site.login("ex1-0001", program=show).out.strip(),
           "joe@two.example two.example")
        site.do("handle", "suspend", "ex2")
        has(site.login("ex1-0001").err, "reason=domain-suspended")


@test("a catch-all that leads to a box is no name, but its domain counts for the "
      "box's own")
def catch_all():
    with Shop() as site:
        site.do("address", "add", "*@two.example", "ex1-0003")
        eq(site.login("ex1-0003").rc, 0)
        site.do("domain", "suspend", "two.example")
        eq(site.login("ex1-0003").rc, 1)


@test("vpopmail gets all kinds of logins switched off, and a new store from a csv "
      "keeps who is suspended out")
def carried():
    with Shop() as site:
        site.do("handle", "suspend", "ex2")
        site.do("passwd", "ex1-0002", "--hash-stdin",
                input="$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/"
                "jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/\n")
        lines = site.popbox("export", "--format", "vpopmail",
                            "two.example").out.splitlines()
        flags = {each.split(":")[0]: int(each.split(":")[3])
                 for each in lines}
        eq(flags["pat"], 0x02 | 0x04 | 0x08 | 0x800)
        # postmaster has no password and is suspended all the same.
        eq(flags["postmaster"], 0x02 | 0x04 | 0x08 | 0x800)
        got = site.popbox("export")
        eq(got.rc, 1)
        has(got.err, "joe@two.example: handle-suspended")
        site.do("address", "del", "joe@two.example", "--yes")
        text = site.do("export")
        with Site(qmail=False) as other:
            other.do("import", "-", input=text)
            eq(other.login("joe@example.com").rc, 0)
            for name in ("pat@two.example", "ex1-0002"):
                has(other.login(name).err, "reason=box-suspended")
        # Into the store where it came from it changes nothing; a switch of the
        # box itself is made by --update alone.
        has(site.popbox("import", "-", input=text).err, "5 unchanged")
        site.do("handle", "resume", "ex2")
        has(site.login("pat@two.example").err, "reason=mismatch")
        site.fails(100, "another login", "import", "-", input=text)
        site.do("import", "-", "--update", input=text)
        has(site.login("pat@two.example").err, "reason=box-suspended")


run()
