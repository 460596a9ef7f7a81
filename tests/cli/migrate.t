#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Moving in from another program: what its flags mean, its alias domains, its
users' own .qmail files. Whatever is not taken is named."""
import csv
import datetime
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Site, eq, has, hasnt, run, test
from oldsites import (MD5, SHA, WORDS, Old, Vpopmail, accepts, addresses,
                      boxes, compare, counts, domains, put, refuses, state,
                      vmailmgr_cdb, vmailmgr_site, vmailmgr_value,
                      vmailmgr_vsetup, vpopmail_site)


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
        site.fails(100, ":2: x@p.org: '9': active is 1, 0, or 2", "import", put(
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


def off_by(site, address):
    return boxes(site)[addresses(site)[address]["box"]]["services_off"]


@test("vpopmail's bits: no POP, SMTP, IMAP, webmail and bounce are taken, all others "
      "are named, row by row")
def bits():
    with Site() as site:
        rows, says = "", {0: None, 2: None, 0x10: None, 0x2000: None,
                          1: "password changes", 4: None, 8: None,
                          0x20: "relaying", 0x40: "dial-up", 0x80: "V_USER0",
                          0x100: "V_USER1", 0x200: "V_USER2",
                          0x400: "V_USER3", 0x800: None,
                          0x80e: None,
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
                has(lines[0], f"u{bit}@b.org: not imported: ")
                has(lines[0], said)
            eq(state(site, f"u{bit}@b.org"),
               (bit != 0x80e, "off" if bit == 0x10 else "on"), bit)
            eq(off_by(site, f"u{bit}@b.org"),
               {2: ["pop"], 4: ["webmail"], 8: ["imap"],
                0x800: ["smtp"]}.get(bit, []), bit)
        has(got.err, "rows imported in part: 14 (see above)")
        eq(counts(site, path, "--domain", "b.org")["noted"], 14)
        got = site.popbox("export", "b.org", "--format", "vpopmail")
        flags = {l.split(":")[0]: int(l.split(":")[3])
                 for l in got.out.splitlines()}
        for bit in (2, 4, 8, 0x800, 0x80e, 0x10):
            eq(flags[f"u{bit}"], bit)


def days(date):
    return (date - datetime.date(1970, 1, 1)).days


@test("shadow's marks: a lock, an expiry date that has passed, a password that has "
      "expired are no logins; a later date is the box's; mail is taken all the same")
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
        ends = boxes(site)[addresses(site)["ends@s.org"]["box"]]["expires"]
        eq(days(datetime.date.fromisoformat(ends[:10])), today + 9)
        hasnt(got.err, ":4: ends@s.org")
        has(got.err, ":7: must@s.org: not imported: the password must be changed")
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
        has(got.err, ":3: net@d.org: not imported: logins from 192.0.2.0/24 alone")
        has(got.err, ":4: px@d.org: not imported: the field 'proxy'; the field "
            "'host'; the field 'pass'")
        hasnt(got.err, "hidden")
        has(got.err, ":5: any@d.org: not imported: any password was accepted "
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


@test("a vpopmail site moves in: each of its addresses is delivered and logged in as "
      "before, or is named; its alias domains, its users' own .qmail")
def vpopmail():
    with Site() as site:
        old = vpopmail_site(site)
        old.done()
        got = site.popbox("import", old.top, "--handle", "v")
        eq(got.rc, 0, got)
        compare(site, old.olds, got.err)
        for name in ("alias.example", "old.example"):
            eq((domains(site)[name]["kind"], domains(site)[name]["alias_of"]),
               ("alias", "first.example"))
        eq(boxes(site)[addresses(site)["joe@first.example"]["box"]]["quota"],
           10485760)
        has(got.err, ".qmailadmin-limits: skipped: limits that popbox does "
            "not have: maxpopaccounts\n")
        has(got.err, "gone@first.example: not imported: ")
        site.sound()
        eq(site.findings(), [])
        before = site.tree()
        got = counts(site, old.top, "--handle", "v")
        eq((got["created"], got["changed"], got["refused"]), (0, 0, 0))
        eq(site.tree(), before)


@test("lines of qmail's files that lead into the old site are replaced by its "
      "import; any other line that contradicts is refused as ever")
def yields():
    with Site() as site:
        old = Vpopmail(site)
        old.domain("a.example")
        old.domain("b.example")
        old.done()
        elsewhere = site.assign().replace(old.path("b.example") + ":",
                                          "/somewhere/else:")
        with open(site.qmail + "/users/assign", "w") as file:
            file.write(elsewhere)
        before = site.control("virtualdomains"), site.assign()
        got = site.popbox("import", old.top, "--handle", "v")
        eq(got.rc, 100, got)
        has(got.err, "line 2 says '+b.example-:")
        hasnt(got.err, "line 1 says")
        eq((site.control("virtualdomains"), site.assign()), before)
        got = site.popbox("import", old.top, "--handle", "v", "--domain",
                          "a.example", "--dry-run")
        eq(got.rc, 0, got)
        has(got.err, "lines of the old site in qmail's files that would be "
            "replaced: 1")
        eq(site.assign(), before[1])
        site.do("import", old.top, "--handle", "v", "--domain", "a.example")
        has(site.assign(), site.domain_path("a.example", "v") + ":-::")
        has(site.assign(), "/somewhere/else:")


@test("one domain of a tree goes to a handle of its own, with its aliases and its "
      ".qmail files, by its name or by its directory")
def one_domain():
    for args in (["TOP", "--domain", "first.example"],
                 ["TOP/first.example"]):
        with Site() as site:
            old = vpopmail_site(site)
            old.done()
            args = [a.replace("TOP", old.top) for a in args]
            site.do("import", *args, "--handle", "one")
            known = {n: o["handle"] for n, o in domains(site).items()}
            # A link in the tree is no part of the domain's own directory.
            eq(known, {"first.example": "one", "alias.example": "one",
                       "old.example": "one"}, args)
            eq(addresses(site)["sales@first.example"]["forwards"],
               ["joe@first.example", "out@far.example", "copy@first.example"])
            site.fails(100, "no directory of the domain 'x.example'", "import",
                       old.top, "--domain", "x.example", "--handle", "one")


@test("an import makes no wildcard that qmail's files did not have, and keeps those "
      "they had; --subdomains and --no-subdomains say otherwise")
def wildcards():
    def new(site):
        return {n: o["subdomains"] for n, o in domains(site).items()}
    with Site() as site:
        old = Vpopmail(site)
        for name in ("plain.example", "wide.example"):
            old.domain(name)
        old.lines["rcpthosts"].append(".wide.example")
        old.lines["virtualdomains"].append(".wide.example:wide.example")
        old.done()
        site.do("import", old.top, "--handle", "v")
        eq(new(site), {"plain.example": False, "wide.example": True})
        hasnt(site.control("rcpthosts"), ".plain.example")
        eq(site.deliver("joe@host.plain.example").rc, 100)
        site.do("import", put(site, "x.csv", "address,hash,handle\n"
                              "a@csv.example,*,c\n"))
        eq(new(site)["csv.example"], False)
        site.do("import", "--subdomains", put(
            site, "y.csv", "address,hash,handle\na@all.example,*,c\n"))
        eq(new(site)["all.example"], True)
        has(site.control("virtualdomains"), ".all.example:all.example\n")
        site.fails(2, "say --subdomains or --no-subdomains", "import",
                   site.top + "/y.csv", "--subdomains", "--no-subdomains")
    with Site() as site:
        old = Vpopmail(site)
        old.domain("wide.example")
        old.lines["rcpthosts"].append(".wide.example")
        old.lines["virtualdomains"].append(".wide.example:wide.example")
        old.done()
        got = site.popbox("import", old.top, "--handle", "v",
                          "--no-subdomains")
        eq(got.rc, 100, got)  # the old lines say otherwise
        has(got.err, "says '.wide.example'")


@test("rows of a tree that are rejected come as a csv, which is corrected and "
      "imported")
def corrected():
    with Site() as site:
        old = Vpopmail(site)
        old.domain("a.example")
        old.domain("b.example")
        old.user("b.example", "two words", flags=2, quota="1000S")
        old.alias("a.example", "bad", "&not an address\n&good@far.example\n",
                  None)
        old.done()
        rest = site.top + "/rest.csv"
        site.fails(1, "rejected: 2", "import", old.top, "--handle", "v",
                   "--skip-bad", rest)
        with open(rest) as file:
            rows = {r["address"]: r for r in csv.DictReader(file)}
        eq(set(rows), {"two words@b.example", "bad@a.example"})
        bad = rows["two words@b.example"]
        eq((bad["hash"], bad["quota"], bad["login"], bad["maildir"]),
           (SHA, "1000", "pop=off", old.path("b.example",
                                         "two words/Maildir")))
        has(rows["bad@a.example"]["forward"], "good@far.example")
        with open(rest) as file:
            text = file.read().replace("two words@", "two.words@") \
                .replace("not an address ", "")
        site.do("import", put(site, "again.csv", text))
        eq(addresses(site)["bad@a.example"]["forwards"], ["good@far.example"])
        eq(state(site, "two.words@b.example"), (True, "on"))
        eq(off_by(site, "two.words@b.example"), ["pop"])


@test("the old mail of users in hashed directories, of users with their own .qmail, "
      "and of a tree that was copied to another place", root=True)
def old_mail():
    with Site() as site:
        old = vpopmail_site(site, mail=True)
        old.done("889:889")
        got = site.popbox("import", old.top, "--handle", "v", "--maildir")
        eq(got.rc, 0, got)
        for who in ("joe@first.example", "fwd@first.example",
                    "u105@second.example", "joe@third.example"):
            box = addresses(site)[who]["box"]
            eq(os.listdir(site.box_path(box) + "/new"),
               [f"1000000001.{who.split('@')[0]}.host"], who)
    with Site() as site:
        old = Vpopmail(site, mail=True)
        old.domain("a.example")
        old.user("a.example", "joe", below="0/", qmail="&x@far.example\n")
        old.done("889:889")
        os.rename(site.top + "/vpopmail", site.top + "/copied")
        site.write_control("virtualdomains", "")
        site.write_control("rcpthosts", "localhost\n")
        with open(site.qmail + "/users/assign", "w") as file:
            file.write(".\n")
        site.do("import", site.top + "/copied/domains", "--handle", "v",
                "--maildir")
        box = addresses(site)["joe@a.example"]["box"]
        eq(os.listdir(site.box_path(box) + "/new"), ["1000000001.joe.host"])
        eq(addresses(site)["joe@a.example"]["forwards"], ["x@far.example"])


@test("a vmailmgr site moves in: what vsetup made, users not enabled and expired, the "
      ".qmail files beside them; further domains that lead there are aliases")
def vmailmgr():
    for part in ("", "/passwd.cdb"):
        with Site() as site:
            home, olds = vmailmgr_site(site)
            got = site.fails(2, "example.net, example.info (use --domain D",
                             "import", home + part, "--handle", "m")
            got = site.popbox("import", home + part, "--handle", "m",
                              "--domain", "example.net")
            eq(got.rc, 0, got)
            compare(site, olds, got.err)
            eq(domains(site)["example.info"]["alias_of"], "example.net")
            has(got.err, "old@example.net: not imported: its forwards, since it "
                "has expired")
            box = boxes(site)[addresses(site)["old@example.net"]["box"]]
            eq((box["login"], box["delivery"], box["reason"]),
               (False, "off", "expired on 2001-09-09"))
            has(site.control("virtualdomains"), "example.info:example.net\n")
            site.sound()
            eq(counts(site, home + part, "--handle", "m", "--domain",
                      "example.net")["created"], 0)


@test("the domain of a passwd.cdb is the one that qmail's files lead there; a forward "
      "to this host is refused where its name is not known")
def vmailmgr_domain():
    with Site() as site:
        home, _ = vmailmgr_site(site)
        site.write_control("virtualdomains", "example.net:exnet\n")
        site.do("import", home, "--handle", "m")
        eq(list(domains(site)), ["example.net"])
    with Site(qmail=False) as site:
        os.makedirs(site.top + "/m")
        vmailmgr_cdb(site.top + "/m/passwd.cdb", vmailmgr_vsetup())
        site.fails(100, "a forward is to this host, whose name qmail's files "
                   "do not say", "import", site.top + "/m", "--domain",
                   "m.example", "--handle", "m")


@test("rows of a passwd.cdb that are rejected come as a csv, which is corrected and "
      "imported")
def vmailmgr_corrected():
    with Site() as site:
        os.makedirs(site.top + "/m")
        vmailmgr_cdb(site.top + "/m/passwd.cdb", [
            ("joe", vmailmgr_value(MD5, "./users/joe", ["a b@x.org"], "Joe",
                                   enabled=False)),
            ("cut", b"\2\0abc"),
            ("+", vmailmgr_value("*", "./users/+", ["..@x.org"],
                                 mailbox=False)),
            ("ann", vmailmgr_value(MD5, "./users/ann"))])
        rest = site.top + "/rest.csv"
        site.fails(1, "rejected: 3", "import", site.top + "/m", "--domain",
                   "m.example", "--handle", "m", "--skip-bad", rest)
        with open(rest) as file:
            text = file.read()
        rows = {r["address"]: r for r in csv.DictReader(text.splitlines())}
        eq(set(rows), {"joe@m.example", "cut@m.example", "*@m.example"})
        eq((rows["joe@m.example"]["hash"], rows["joe@m.example"]["name"],
            rows["joe@m.example"]["delivery"],
            rows["joe@m.example"]["maildir"]),
           (MD5, "Joe", "off", site.top + "/m/users/joe"))
        text = text.replace("a b@x.org", "ab@x.org") \
            .replace("..@x.org", "x@x.org").replace("cut@m.example,,,",
                                                    "cut@m.example,,*,")
        site.do("import", put(site, "again.csv", text))
        eq(state(site, "joe@m.example"), (True, "off"))
        eq(addresses(site)["*@m.example"]["forwards"], ["x@x.org"])
        accepts(site, "joe@m.example")


run()
