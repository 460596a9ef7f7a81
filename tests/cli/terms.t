#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Logins that end by a date, at box, domain and handle, and services that are off:
how they are set, shown, listed, undone, moved and copied."""
import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, hasnt, run, test

JOE = "joe@example.com"
OBJECTS = (("box", "ex1-0001"), ("domain", "example.com"), ("handle", "ex1"))


def show(site, noun="box", name="ex1-0001"):
    return json.loads(site.do("--json", noun, "show", name))


def listed(site, *options):
    return [json.loads(line)["box"] for line in
            site.do("--json", "box", "list", *options).splitlines()]


def in_days(number):
    at = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(days=number)
    return at.strftime("%Y-%m-%d")


@test("--expires takes a date, a time, a span and never, at each level; the past is "
      "refused; undo brings back what was")
def sets():
    with Site(qmail=False) as site:
        site.joe()
        for noun, name in OBJECTS:
            eq(show(site, noun, name)["expires"], None)
            said = site.popbox(noun, "set", name, "--expires", "2199-01-31").err
            has(said, f"expires of {name}: never -> 2199-01-31T00:00:00Z")
            has(site.do(noun, "show", name), "2199-01-31T00:00:00Z")
            has(site.do(noun, "list", "--columns", "expires"), "2199-01-31")
            site.do(noun, "set", name, "--expires", "2199-01-31T12:00:00Z")
            site.do(noun, "set", name, "--expires", "+30d")
            eq(show(site, noun, name)["expires"][:10], in_days(30))
            site.do("undo", "--yes")
            eq(show(site, noun, name)["expires"], "2199-01-31T12:00:00Z")
            site.do(noun, "set", name, "--expires", "never")
            eq(show(site, noun, name)["expires"], None)
            for text in ("tomorrow", "30d", "+x", ""):
                eq(site.popbox(noun, "set", name, "--expires", text).rc, 2, text)
            site.fails(100, "is not in the future", noun, "set", name,
                       "--expires", "2020-01-01")
            for text in ("pop", "pop=no", "pop=off,", "ftp=off", ",pop=off"):
                site.fails(2, "--login takes on, off or a list", noun, "set",
                           name, "--login", text)
        site.do("handle", "add", "new", "--expires", "+1d")
        site.do("domain", "add", "new.example", "--handle", "new", "--expires",
                "+2d")
        site.do("box", "add", "pat@new.example", "--no-password", "--expires",
                "+3d")
        for number, (noun, name) in enumerate(
                (("handle", "new"), ("domain", "new.example"),
                 ("box", "pat@new.example")), 1):
            eq(show(site, noun, name)["expires"][:10], in_days(number))
        eq(show(site, "box", "pat@new.example")["login_expires"][:10], in_days(1))
        site.sound()


@test("from then on nobody logs in by what has expired; mail is taken; the lists and "
      "status say so; resume ends that")
def ends():
    with Site() as site:
        site.joe()
        site.do("box", "add", "ann@example.com", "--stdin", input=GOOD + "\n")
        for noun, name in OBJECTS:
            site.do(noun, "set", name, "--expires", "+1h")
            eq(site.login().rc, 0)
            want = ["ex1-0001"] if noun == "box" else \
                ["ex1-0000", "ex1-0001", "ex1-0002"]
            eq(listed(site, "--expiring", "14d"), want, noun)
            eq(listed(site, "--expiring", "5m"), [])
            eq(listed(site, "--expired"), [])
            eq(listed(site, "--suspended"), [])
            has(site.do(noun, "show", name), "on until ")
            site.do(noun, "set", name, "--expires", "+1s")
            time.sleep(1.1)
            has(site.log_line(site.login()), "reason=expired user=joe@example.com")
            eq(site.deliver(JOE).rc, 0)
            eq(listed(site, "--expired"), want, noun)
            eq(listed(site, "--suspended"), want, noun)
            eq(listed(site, "--expiring", "14d"), [])
            has(site.do(noun, "show", name), f"off: {noun} {name} expired at ")
            has(site.do(noun, "list"), "expired")
            text = site.popbox("explain", JOE)
            has(text.out, "refused: expired")
            has(text.out, f"login of {noun} {name} expired at ")
            status = json.loads(site.popbox("--json", "status").out)
            eq(sum(status["logins_expired"].values()), int(noun != "box"))
            if noun != "box":
                has(site.popbox("status").out, "logins expired: ")
            site.do(noun, "resume", name)
            eq(show(site, noun, name)["expires"], None)
            eq(site.login().rc, 0)
        site.fails(2, "exclude each other", "box", "list", "--expired",
                   "--expiring", "1d")
        site.fails(2, "takes a span", "box", "list", "--expiring", "soon")
        eq(site.popbox("box", "suspend", "--expiring", "1d", "--yes").rc, 0)
        site.sound()


@test("ends and services come along: a domain that is renamed, moved or becomes "
      "another kind, a box in a backup of its own, a deletion undone")
def along():
    with Site(qmail=False) as site:
        site.joe()
        site.do("domain", "set", "example.com", "--expires", "2199-01-31",
                "--login", "imap=off")
        site.do("domain", "rename", "example.com", "two.example")
        site.do("domain", "move", "two.example", "--handle", "ex2")
        one = show(site, "domain", "two.example")
        eq((one["expires"], one["services_off"], one["handle"]),
           ("2199-01-31T00:00:00Z", ["imap"], "ex2"))
        site.do("domain", "set", "two.example", "--kind", "relay", "--host",
                "mx.far.example", "--yes")
        eq(show(site, "domain", "two.example")["services_off"], ["imap"])
        site.do("undo", "--yes")
        box = show(site, "box", "joe@two.example")["box"]
        site.do("box", "set", box, "--expires", "2199-02-01", "--login",
                "smtp=off,webmail=off")
        copy = site.top + "/box.popbox"
        site.do("backup", copy, "--only", box)
        site.do("box", "del", box, "--yes")
        site.do("undo", "--yes")
        one = show(site, "box", box)
        eq((one["expires"], one["services_off"]),
           ("2199-02-01T00:00:00Z", ["smtp", "webmail"]))
        whole = site.top + "/whole.popbox"
        site.do("backup", whole)
        with Site(qmail=False) as other:
            other.do("restore", whole, "--yes")
            one = show(other, "box", box)
            eq((one["expires"], one["services_off"]),
               ("2199-02-01T00:00:00Z", ["smtp", "webmail"]))
            other.sound()
        site.sound()


@test("a csv says until when, and brings it; what has neither is as before")
def csv():
    with Site(qmail=False) as site:
        site.joe()
        site.do("box", "set", JOE, "--expires", "2199-01-31", "--login",
                "smtp=off")
        text = site.do("export")
        has(text.splitlines()[0], ",reason,expires")
        has(text, ",smtp=off,on,,2199-01-31T00:00:00Z,,")
        has(site.popbox("import", "-", input=text).err, "2 unchanged")
        with Site(qmail=False) as other:
            other.do("import", "-", input=text)
            eq(other.do("export"), text)
            head = "address,expires,login\n"
            other.fails(100, "with another expires", "import", "-",
                        input=head + f"{JOE},2199-02-01,\n")
            other.do("import", "-", "--update",
                     input=head + f"{JOE},never,on\n")
            one = show(other)
            eq((one["expires"], one["services_off"]), (None, ["smtp"]))
            other.do("import", "-", "--update",
                     input=head + f"{JOE},,\"smtp=on,imap=off\"\n")
            eq(show(other)["services_off"], ["imap"])
            for cell in ("soon", "0", "2199-13-01"):
                other.fails(100, "expires is a date like", "import", "-",
                            input=head + f"{JOE},{cell},\n")
            other.fails(100, "login is on, off, or a list", "import", "-",
                        input=head + f"{JOE},,pop\n")
        got = site.popbox("export", "--format", "dovecot")
        eq(got.rc, 1)
        has(got.err, "joe@example.com: its logins expire: such a file cannot")
        hasnt(site.popbox("export", "--format", "json").err, "expire")


run()
