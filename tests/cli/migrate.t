#!/usr/bin/env python3
"""Moving in from another program: what its flags mean, its alias domains, its
users' own .qmail files. Whatever is not taken is named."""
import csv
import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Site, eq, has, hasnt, run, test
from oldsites import (MD5, SHA, WORDS, accepts, addresses, boxes, counts, put,
                      refuses, state)


@test("mailcow's and Postfixadmin's active: 0 is neither logins nor mail, 2 is mail "
      "without logins; any other word is refused")
def active():
    with Site() as site:
        rows = "username,password,name,quota,local_part,domain,active\n"
        for who, flag in (("on", "1"), ("off", "0"), ("half", "2"),
                          ("true", "t"), ("false", "f"), ("none", "")):
            rows += f"{who}@p.org,{SHA},,0,{who},p.org,{flag}\n"
        site.do("import", put(site, "a.csv", rows), "--handle", "p")
        for who, want in (("on", (True, "on")), ("off", (False, "off")),
                          ("half", (False, "on")), ("true", (True, "on")),
                          ("false", (False, "off")), ("none", (True, "on"))):
            eq(state(site, who + "@p.org"), want, who)
        eq(counts(site, site.top + "/a.csv")["same"], 6)
        site.fails(100, ":2: x@p.org: active is 1, 0, or 2", "import", put(
            site, "b.csv", "username,password,active\n"
            f"x@p.org,{SHA},9\n"), "--handle", "p")
        site.do("import", put(site, "c.csv", "address,goto,active\n"
                              "hidden@p.org,on@p.org,2\n"
                              "old@p.org,on@p.org,0\n"))
        eq(addresses(site)["hidden@p.org"]["forwards"], ["on@p.org"])
        assert "old@p.org" not in addresses(site)


@test("Google's suspended and archived users have neither logins nor mail; a new "
      "status outweighs the old one")
def status():
    with Site() as site:
        head = ("Email Address [Required],Password [Required],Password Hash "
                "Function [UPLOAD ONLY],Status [READ ONLY],New Status [UPLOAD "
                "ONLY]\n")
        path = put(site, "g.csv", head +
                   f"on@g.org,{SHA},crypt,Active,\n"
                   f"off@g.org,{SHA},crypt,Suspended,\n"
                   f"old@g.org,{SHA},crypt,Archived,\n"
                   f"back@g.org,{SHA},crypt,Suspended,Active\n")
        site.do("import", path, "--handle", "g")
        for who, want in (("on", (True, "on")), ("off", (False, "off")),
                          ("old", (False, "off")), ("back", (True, "on"))):
            eq(state(site, who + "@g.org"), want, who)
        site.fails(100, "the status is none of", "import", put(
            site, "h.csv", head + f"x@g.org,{SHA},crypt,Asleep,\n"))


@test("vpopmail's bits: no POP and bounce are taken, all others are named, row by "
      "row")
def bits():
    with Site() as site:
        rows, says = "", {0: None, 2: None, 0x10: None, 0x2000: None,
                          1: "password changes", 4: "webmail", 8: "IMAP",
                          0x20: "relaying", 0x40: "dial-up", 0x80: "V_USER0",
                          0x100: "V_USER1", 0x200: "V_USER2",
                          0x400: "V_USER3", 0x800: "SMTP",
                          0x1000: "administrator", 0x4000: "SpamAssassin",
                          0x8000: "spam is deleted", 0x10000: "administrator",
                          0x20000: ".qmail", 0x40000: "maildrop",
                          0x80000: "unknown flags 0x80000"}
        for bit in says:
            rows += f"u{bit}:{SHA}:1:{bit}:U:/v/u{bit}:NOQUOTA\n"
        path = put(site, "vpasswd", rows)
        got = site.popbox("import", path, "--domain", "b.org", "--handle", "b")
        eq(got.rc, 0, got)
        for number, (bit, said) in enumerate(says.items(), 1):
            lines = [l for l in got.err.splitlines()
                     if f"vpasswd:{number}: " in l]
            eq(len(lines), 0 if said is None else 1, (bit, got.err))
            if said:
                has(lines[0], f"u{bit}@b.org: not taken: ")
                has(lines[0], said)
            eq(state(site, f"u{bit}@b.org"),
               (bit != 2, "off" if bit == 0x10 else "on"), bit)
        has(got.err, "17 rows have something that is not taken")
        eq(counts(site, path, "--domain", "b.org")["noted"], 17)


def days(date):
    return (date - datetime.date(1970, 1, 1)).days


@test("shadow's marks: a lock, an expiry date that has passed, a password that has "
      "expired are no logins; a later date is named; mail is taken all the same")
def shadow():
    with Site() as site:
        today = days(datetime.datetime.now(datetime.timezone.utc).date())
        path = put(site, "shadow",
                   f"on:{SHA}:19000:0:99999:7:::\n"
                   f"locked:!{SHA}:19000:0:99999:7:::\n"
                   f"gone:{SHA}:19000:0:99999:7::{today - 1}:\n"
                   f"ends:{SHA}:19000:0:99999:7::{today + 9}:\n"
                   f"stale:{SHA}:{today - 90}:0:30:7:10::\n"
                   f"fresh:{SHA}:{today - 20}:0:30:7:10::\n"
                   f"must:{SHA}:0:0:99999:7:::\n")
        got = site.popbox("import", path, "--handle", "s", "--domain", "s.org")
        eq(got.rc, 0, got)
        for who, login in (("on", True), ("locked", False), ("gone", False),
                           ("ends", True), ("stale", False), ("fresh", True),
                           ("must", True)):
            eq(state(site, who + "@s.org"), (login, "on"), who)
        has(got.err, ":4: ends@s.org: not taken: it expires on ")
        has(got.err, ":7: must@s.org: not taken: the password must be changed")
        has(boxes(site)[addresses(site)["gone@s.org"]["box"]]["reason"],
            "expired on ")


@test("Dovecot's extra fields: nologin is taken; what else logins or delivery "
      "depend on is named without its value, where that may be a secret")
def dovecot():
    with Site() as site:
        path = put(site, "users",
                   f"no@d.org:{SHA}::::::nologin\n"
                   f"yes@d.org:{SHA}::::::nologin=no userdb_uid=5\n"
                   f"net@d.org:{SHA}::::::allow_nets=192.0.2.0/24\n"
                   f"px@d.org:{SHA}::::::proxy=y host=192.0.2.1 pass=hidden\n"
                   f"any@d.org:{SHA}::::::nopassword=y nologins=1\n")
        got = site.popbox("import", path, "--format", "dovecot", "--handle",
                          "d")
        eq(got.rc, 0, got)
        for who in ("no", "yes", "net", "px", "any"):
            eq(state(site, who + "@d.org"), (who != "no", "on"), who)
        has(got.err, ":3: net@d.org: not taken: logins from 192.0.2.0/24 alone")
        has(got.err, ":4: px@d.org: not taken: the field 'proxy'; the field "
            "'host'; the field 'pass'")
        hasnt(got.err, "hidden")
        has(got.err, ":5: any@d.org: not taken: any password was accepted "
            "(nopassword); the field 'nologins'")
        refuses(site, "any@d.org", "whatever words")


@test("--generate makes no password for whoever is suspended")
def generate():
    with Site() as site:
        kept = site.top + "/new"
        site.do("import", put(site, "x.csv", "address,login,handle\n"
                              "on@x.org,on,x\noff@x.org,off,x\n"),
                "--generate", "--credentials", kept)
        with open(kept) as file:
            eq([r["address"] for r in csv.DictReader(file)], ["on@x.org"])
        eq(boxes(site)[addresses(site)["off@x.org"]["box"]]["password"], False)


@test("passwords shorter than password_min are listed, each once")
def short():
    with Site(password_min="12") as site:
        got = site.popbox("import", put(
            site, "x.csv", "address,password,handle\na@x.org,shortish,x\n"
            "b@x.org,correct horse 42,x\nc@x.org,brief one,x\n"))
        eq(got.rc, 0, got)
        lines = [l for l in got.err.splitlines() if "is shorter than" in l]
        eq([l.split(": ")[2] for l in lines], ["a@x.org", "c@x.org"], got.err)
        hasnt(got.err, "shortish")
        has(got.err, "'password_min': 2, accepted as they are")


run()
