#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""joe+tag@ of a domain with --extension +: delivery, switches, explain, undo."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, UID, Site, eq, has, run, test


def default(site):
    with open(site.domain_path() + "/.qmail-default") as file:
        return file.read()


def gets(site, address, *targets):
    """Where a message to the address goes; each forward once more."""
    eq(site.handed(address), (0, list(targets)), address)


@test("a tag reaches the address that is before the plus, and nobody else")
def reaches():
    with Site() as site:
        site.joe()
        eq(site.deliver("joe+news@example.com").rc, 100, "off by default")
        has(site.fails(1, "no .qmail file fits", "explain",
                       "joe+news@example.com").out, "bounced")
        site.do("domain", "set", "example.com", "--extension", "+")
        has(site.do("domain", "show", "example.com"), "extension   +\n")
        eq(json.loads(site.do("domain", "show", "example.com", "--json"))
           ["extension"], "+")
        for tag in ("joe+news", "JOE+a.b", "joe+a-b", "joe+", "joe++x",
                    "joe+a+b", "joe+a default", "joe+'\"$(id)`*"):
            gets(site, tag + "@example.com",
                 tag.split("+")[0] + "@example.com")
        gets(site, "joe+x@sub.example.com", "joe@sub.example.com")
        eq(site.deliver("joe@example.com").rc, 0)
        eq(site.mails(), 1)
        for none in ("jim", "+joe", "+", "+joe+x"):
            eq(site.deliver(none + "@example.com").rc, 100, none)
        gets(site, "jim+x@example.com", "jim@example.com")
        site.sound()
        site.do("sync", "--full")
        site.sound()


@test("explain follows a tag to the box, and says when there is none")
def explained():
    with Site() as site:
        site.joe()
        site.do("domain", "set", "example.com", "--extension", "+")
        out = site.do("explain", "joe+news@example.com")
        has(out, "joe+news is an extension of joe")
        has(out, site.box_path())
        has(out, "mail       delivered")
        result = site.fails(1, "no such address", "explain",
                            "jim@example.com")
        has(result.out, "mail       bounced")
        has(site.fails(1, "no such address", "explain",
                       "jim+x@example.com").out, "mail       bounced")
        os.unlink(site.domain_path() + "/.qmail-default")
        has(site.fails(1, "", "explain", "joe+news@example.com").out,
            ".qmail-default is missing")
        eq([one for one, _ in site.findings()], ["file"])
        site.popbox("check", "--repair")
        site.sound()
        site.do("explain", "joe+news@example.com")


@test("an address with a plus of its own, and the catch-all, go on as before")
def beside():
    with Site() as site:
        site.joe()
        site.do("address", "add", "*@example.com", "all@example.org")
        site.do("address", "add", "joe+own@example.com", "own@example.org")
        site.do("domain", "set", "example.com", "--extension", "+")
        gets(site, "joe+own@example.com", "own@example.org")
        gets(site, "joe+x@example.com", "joe@example.com")
        gets(site, "jim@example.com", "all@example.org")
        gets(site, "+x@example.com", "all@example.org")
        site.sound()
        site.do("address", "del", "*@example.com", "--yes")
        eq(site.deliver("jim@example.com").rc, 100)
        gets(site, "joe+x@example.com", "joe@example.com")
        site.sound()
        site.do("purge", "*@example.com", "--now", "--yes")
        eq(site.deliver("jim@example.com").rc, 100)
        gets(site, "joe+x@example.com", "joe@example.com")
        site.sound()
        site.do("address", "add", "*@example.com", "all@example.org")
        gets(site, "jim@example.com", "all@example.org")
        gets(site, "joe+x@example.com", "joe@example.com")
        site.sound()


@test("a held catch-all holds no mail with a tag, and a held box does")
def held():
    with Site() as site:
        site.joe()
        site.do("box", "add", "all@example.com", "--no-password")
        site.do("address", "add", "*@example.com", "all@example.com")
        site.do("domain", "set", "example.com", "--extension", "+")
        site.do("box", "set", "all@example.com", "--delivery", "hold")
        eq(site.deliver("jim@example.com").rc, 111)
        gets(site, "joe+x@example.com", "joe@example.com")
        has(site.fails(1, "on hold", "explain", "jim@example.com").out,
            "mail       deferred")
        site.do("explain", "joe+x@example.com")
        site.do("box", "set", "all@example.com", "--delivery", "off")
        eq(site.deliver("jim@example.com").rc, 100)
        gets(site, "joe+x@example.com", "joe@example.com")
        site.do("box", "set", "joe@example.com", "--delivery", "hold")
        eq(site.deliver("joe@example.com").rc, 111)
        has(site.fails(1, "on hold", "explain", "joe+x@example.com").out,
            "mail       deferred")
        site.sound()


@test("it goes as it came: none, undo, deletion and purge leave nothing")
def ends():
    with Site() as site:
        site.joe()
        path = site.domain_path() + "/.qmail-default"
        site.do("domain", "set", "example.com", "--extension", "+")
        has(site.popbox("domain", "set", "example.com", "--extension",
                        "+").err, "nothing")
        site.do("domain", "set", "example.com", "--extension", "none")
        assert not os.path.exists(path)
        eq(json.loads(site.do("domain", "show", "example.com", "--json"))
           ["extension"], None)
        site.do("undo", str(site.last_entry()))
        gets(site, "joe+x@example.com", "joe@example.com")
        site.do("undo", str(site.last_entry()))
        assert not os.path.exists(path)
        site.do("domain", "set", "example.com", "--extension", "+")
        site.do("domain", "rename", "example.com", "new.example")
        gets(site, "joe+x@new.example", "joe@new.example")
        site.sound()
        site.do("domain", "del", "new.example", "--yes")
        site.sound()
        for name in ("example.com", "new.example"):
            site.do("purge", name, "--now", "--yes")
        for name in ("example.com", "new.example"):
            path = site.domain_path(name)
            eq(os.listdir(path) if os.path.exists(path) else [], [], name)
        site.sound()


@test("a file made by hand, another kind and another sign are refused")
def refused():
    with Site() as site:
        site.joe()
        path = site.domain_path() + "/.qmail-default"
        with open(path, "w") as file:
            file.write("&someone@example.org\n")
        os.chmod(path, 0o644)
        os.chown(path, UID, GID)
        site.fails(100, "unmanaged", "domain", "set", "example.com",
                   "--extension", "+")
        eq(default(site), "&someone@example.org\n")
        site.do("domain", "set", "example.com", "--extension", "+", "--adopt")
        gets(site, "joe+x@example.com", "joe@example.com")
        with open(path + ".by-hand") as file:
            eq(file.read(), "&someone@example.org\n")
        site.fails(2, "takes + or none", "domain", "set", "example.com",
                   "--extension", "-")
        site.do("domain", "add", "r.example", "--kind", "relay", "--host",
                "mx.r.example", "--handle", "ex1")
        site.fails(100, "no addresses to extend", "domain", "set", "r.example",
                   "--extension", "+")
        site.do("domain", "add", "a.example", "--alias-of", "example.com")
        site.fails(100, "set it for 'example.com'", "domain", "set",
                   "a.example", "--extension", "+")
        gets(site, "joe+x@a.example", "joe@a.example")
        site.do("explain", "joe+x@a.example")
        site.do("domain", "del", "a.example", "--yes")
        site.do("domain", "set", "example.com", "--kind", "relay", "--host",
                "mx.example.com", "--yes")
        eq(json.loads(site.do("domain", "show", "example.com", "--json"))
           ["extension"], None)
        site.sound()


@test("a tag is no login, and forwards to one are followed")
def around():
    with Site() as site:
        site.joe()
        site.do("domain", "set", "example.com", "--extension", "+")
        eq(site.login("joe+x@example.com").rc, 1)
        site.do("address", "add", "a@example.com", "joe+list@example.com")
        has(site.do("explain", "a@example.com"), site.box_path())
        site.fails(100, "", "address", "add", "b@example.com",
                   "jim+list@example.com")
        site.fails(100, "", "address", "set", "a@example.com",
                   "a+again@example.com")
        eq(site.popbox("address", "list", "example.com").out.count("hand"), 0)


@test("a backup keeps it, and a csv says what it cannot keep")
def kept():
    with Site() as site:
        site.joe()
        site.do("domain", "set", "example.com", "--extension", "+")
        site.do("backup", site.top + "/saved")
        site.do("domain", "set", "example.com", "--extension", "none")
        site.do("restore", site.top + "/saved", "--yes")
        gets(site, "joe+x@example.com", "joe@example.com")
        site.sound()


run()
