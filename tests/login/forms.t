#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a login may look like, and what each of its ambiguities leads to."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, hasnt, run, test

OTHER = "another 42 horses"


def who(site, login, password=GOOD, **env):
    """The canonical user of a login, or its exit code."""
    got = site.login(login, password, program=("sh", "-c", "echo $USER"),
                     env=env)
    return got.out.strip() if got.rc == 0 else got.rc


@test("@ % / and : stand between user and domain, any case, last occurrence")
def separators():
    with Site().joe() as site:
        for login in ("joe@example.com", "joe%example.com", "joe/example.com",
                      "joe:example.com", "JOE%Example.com"):
            eq(who(site, login), "joe@example.com", login)
        for login in ("joe#example.com", "joe!example.com", "joe example.com",
                      "joe%", "%example.com", "joe%%example.com",
                      "joe@x@example.com", "x/joe@example.com"):
            eq(who(site, login), 1, login)


@test("the separators are a setting, tried in its order")
def setting():
    with Site(separators="#@").joe() as site:
        eq(who(site, "joe#example.com"), "joe@example.com")
        eq(who(site, "joe@example.com"), "joe@example.com")
        eq(who(site, "joe%example.com"), 1)
        for bad in ("", "a", "@@", "@.", "-", "@ ", "\u00fc"):
            site.fails(100, "separator" if bad else "empty", "config", "set",
                       "separators", bad)


@test("a local part may hold a separator: the first domain of the store decides")
def ambiguous():
    with Site().joe() as site:
        site.do("box", "add", "joe%b.org@example.com", "--stdin",
                input=OTHER + "\n")
        # Nothing called b.org is in the store, so @ decides in both.
        eq(who(site, "joe%b.org@example.com", OTHER), "joe%b.org@example.com")
        eq(who(site, "joe@example.com%b.org"), 1)
        site.do("domain", "add", "b.org", "--handle", "ex1")
        site.do("box", "add", "joe@b.org", "--stdin", input=OTHER + " b\n")
        # @ comes first in the setting and is followed by a domain.
        eq(who(site, "joe%b.org@example.com", OTHER), "joe%b.org@example.com")
        eq(who(site, "joe%b.org@gateway.net", OTHER + " b"), 1)
        # Not a domain behind @, but one behind %.
        eq(who(site, "joe%b.org", OTHER + " b"), "joe@b.org")
        # A domain of the store decides even if the user is not in it.
        eq(who(site, "ann%b.org@example.com"), 1)


@test("without a separator: box name, then local address, then the default")
def bare():
    with Site().joe() as site:
        site.do("domain", "add", "b.org", "--handle", "b2")
        site.do("box", "add", "joe@b.org", "--stdin", input=OTHER + "\n")
        eq(who(site, "joe"), 1)
        site.do("config", "set", "default_domain", "example.com")
        eq(who(site, "joe"), "joe@example.com")
        site.do("domain", "set", "b.org", "--ip", "192.0.2.1")
        eq(who(site, "joe", OTHER, TCPLOCALIP="192.0.2.1"), "joe@b.org")
        eq(who(site, "joe", GOOD, TCPLOCALIP="192.0.2.1"), 1)
        eq(who(site, "joe", GOOD, TCPLOCALIP="192.0.2.9"), "joe@example.com")
        eq(who(site, "joe", GOOD, TCPLOCALIP="nonsense"), "joe@example.com")
        eq(who(site, "joe", GOOD, TCPLOCALIP=""), "joe@example.com")
        # With a separator the address of the server does not matter.
        eq(who(site, "joe@example.com", TCPLOCALIP="192.0.2.1"),
           "joe@example.com")
        # A box's name is a box's name, in any domain.
        eq(who(site, "ex1-0001", TCPLOCALIP="192.0.2.1"), "joe@example.com")
        site.do("box", "add", "ex1-0001@example.com", "--stdin",
                input=OTHER + "\n")
        eq(who(site, "ex1-0001"), "joe@example.com")
        site.do("config", "set", "login_by_box", "no")
        eq(who(site, "ex1-0001", OTHER), "ex1-0001@example.com")
        site.fails(100, "has letters", "config", "set", "default_domain",
                   "b\u00fccher.example")


@test("local addresses: one form, one domain each, taken back with none")
def local_ip():
    with Site().joe() as site:
        site.do("domain", "add", "b.org", "--handle", "ex1")
        site.do("domain", "set", "example.com", "--ip", "2001:DB8:0::1")
        shown = json.loads(site.do("domain", "show", "example.com", "--json"))
        eq(shown["ip"], "2001:db8::1")
        eq(who(site, "joe", TCPLOCALIP="2001:db8::1"), "joe@example.com")
        eq(who(site, "joe", TCPLOCALIP="2001:0db8:0:0::1"), "joe@example.com")
        site.fails(100, "is that of the domain 'example.com'", "domain",
                   "set", "b.org", "--ip", "2001:db8::1")
        for bad in ("", "1.2.3", "1.2.3.4.5", "b.org", "::g", "1.2.3.4/8"):
            site.fails(100, "not an IP address", "domain", "set", "b.org",
                       "--ip", bad)
        site.fails(2, "nothing to set", "domain", "set", "b.org")
        site.fails(100, "not found", "domain", "set", "no.org", "--ip",
                   "192.0.2.1")
        site.sound()
        site.do("domain", "set", "example.com", "--ip", "192.0.2.1")
        eq(who(site, "joe", TCPLOCALIP="2001:db8::1"), 1)
        eq(who(site, "joe", TCPLOCALIP="192.0.2.1"), "joe@example.com")
        site.do("domain", "set", "example.com", "--ip", "none")
        eq(who(site, "joe", TCPLOCALIP="192.0.2.1"), 1)
        site.do("domain", "set", "b.org", "--ip", "192.0.2.1")
        eq(len(site.do("domain", "list", "--json").splitlines()), 2)
        site.sound()
        got = site.popbox("verify", "joe", "--local-ip", "192.0.2.1",
                          "--stdin", input=GOOD)
        eq(got.rc, 1)


@test("an alias domain has its target's boxes, mail and logins")
def alias():
    with Site().joe() as site:
        site.do("domain", "add", "new.example", "--alias-of", "example.com")
        eq(who(site, "joe@new.example"), "joe@example.com")
        has(site.control("rcpthosts"), "new.example\n.new.example\n")
        has(site.control("virtualdomains"),
            "new.example:example.com\n.new.example:example.com\n")
        hasnt(site.assign(), "new.example")
        assert not os.path.exists(site.domain_path("new.example"))
        shown = json.loads(site.do("domain", "show", "new.example", "--json"))
        eq((shown["kind"], shown["alias_of"], shown["handle"]),
           ("alias", "example.com", "ex1"))
        done = subprocess.run([site.tools + "/deliver", "s@x.org",
                               "joe@new.example"], input=b"hello\n",
                              capture_output=True)
        eq(done.returncode, 0, done.stderr)
        eq(len(os.listdir(site.box_path() + "/new")), 1)
        site.fails(100, "no domain 'no.org'", "domain", "add", "c.example",
                   "--alias-of", "no.org")
        site.fails(100, "not of kind pop", "domain", "add", "c.example",
                   "--alias-of", "new.example")
        site.fails(2, "from its target", "domain", "add", "c.example",
                   "--alias-of", "example.com", "--handle", "ex1")
        site.fails(100, "not of kind pop", "box", "add", "a@new.example",
                   "--no-password")
        has(site.do("domain", "add", "d.example", "--alias-of", "example.com",
                    "--dry-run"), "virtualdomains: + d.example:example.com")
        site.sound()
        before = site.tree()
        site.do("sync", "--full")
        after = site.tree()
        eq({p: v for p, v in after.items() if not p.endswith("/cdb")},
           {p: v for p, v in before.items() if not p.endswith("/cdb")})


@test("an internationalised domain logs in under both its spellings")
def idn():
    with Site() as site:
        site.do("domain", "add", "b\u00fccher.example", "--handle", "ex1")
        site.do("box", "add", "joe@b\u00fccher.example", "--stdin",
                input=GOOD + "\n")
        for login in ("joe@b\u00fccher.example", "joe@xn--bcher-kva.example",
                      "joe%XN--bcher-kva.EXAMPLE"):
            eq(who(site, login), "joe@xn--bcher-kva.example", login)
        # In capitals, in parts, in both, and of East Asian width.
        for login in ("joe@B\u00dcCHER.example", "joe@bu\u0308cher.example",
                      "JOE@BU\u0308CHER.EXAMPLE", "joe@XN--BCHER-KVA.example",
                      "joe%B\u00fccher.Example", "joe@b\u00fccher\u3002example",
                      "joe@\uff42\u00fccher.\uff25xample"):
            eq(who(site, login), "joe@xn--bcher-kva.example", login)
            out = site.do("verify", login, "--stdin", input=GOOD + "\n")
            has(out, "user=joe@xn--bcher-kva.example")
        for login in ("joe@bucher.example", "joe@bu\u0301cher.example",
                      "joe@bu\u0308\u0308cher.example", "joe@\u0308.example",
                      "joe@b\u00fc\u00adcher.example"):
            eq(who(site, login), 1, login)
        # The same letters in the default domain, and one that is ASCII.
        site.do("domain", "add", "example.com", "--handle", "ex1")
        site.do("box", "add", "joe@example.com", "--stdin", input=GOOD + "\n")
        eq(who(site, "joe@\uff45xample.com"), "joe@example.com")
        eq(who(site, "joe@b\u00fccher.exampl"), 1)
        eq(who(site, b"joe@b\xfccher.example"), 1)


run()
