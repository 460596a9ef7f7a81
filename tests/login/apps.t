#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""App passwords: made and revoked by the tool, taken by the login program, by the
verdict for others, and by `verify`."""
import json
import os
import re
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import CHECKPW, GID, GOOD, UID, Site, eq, has, hasnt, record, run, test

JOE = "joe@example.com"


def shop(**settings):
    site = Site(qmail=False, **{"refuse_delay_ms": "0", **settings})
    site.joe()
    return site


def make(site, name, *options, box=JOE):
    return site.do("passwd", box, "--app", name, *options).strip()


def reason(got):
    found = re.search(r"refuse .*reason=(\S+)", got.err)
    return found.group(1) if found else None


def app(site, name, box=JOE):
    shown = json.loads(site.do("--json", "box", "show", box))
    found = [a for a in shown["app_passwords"] if a["name"] == name]
    return found[0] if found else None


def verdict(site, password, service="smtp", client=b""):
    return subprocess.run(
        [CHECKPW, "-d", site.store, "--service", service, "--verdict"],
        input=record(JOE, password, b"x") + client, capture_output=True,
        env={"PATH": "/usr/bin:/bin", "TCPREMOTEIP": "192.0.2.9"})


@test("an app password is random, is printed once, and logs in beside the box's own",
      root=True)
def made():
    with shop() as site:
        phone, pad = make(site, "phone"), make(site, "Pad")
        for one in (phone, pad):
            eq(bool(re.fullmatch("[a-zA-Z2-9]{24}", one)), True, one)
        eq(phone != pad, True)
        for password, said in ((phone, " app=phone user="),
                               (pad, " app=pad user="), (GOOD, " user=")):
            got = site.login(password=password)
            eq(got.rc, 0, got)
            has(got.err, "accept ip=192.0.2.7 box=ex1-0001" + said + JOE)
        eq(reason(site.login(password=phone + "x")), "mismatch")
        eq(reason(site.login(password=phone[:-1])), "mismatch")
        eq(site.popbox("verify", JOE, "--stdin", input=phone + "\n").out,
           f"accept box=ex1-0001 app=phone user={JOE}\n")
        got = json.loads(site.popbox("--json", "verify", JOE, "--stdin",
                                     input=GOOD + "\n").out)
        eq(got["app"], None)
        # Neither it nor its digest is anywhere that is shown.
        shown = site.do("log") + site.do("--json", "log") + \
            site.do("box", "show", JOE)
        hasnt(shown, phone)
        eq(site.findings("--store-only"), [])


@test("one that was revoked is refused from then on, login_cache or not", root=True)
def revoked():
    with shop(login_cache="3600") as site:
        phone, pad = make(site, "phone"), make(site, "pad")
        eq(site.login(password=phone).rc, 0)
        eq(site.login(password=phone).rc, 0)
        site.do("passwd", JOE, "--app", "phone", "--revoke")
        eq(reason(site.login(password=phone)), "mismatch")
        eq(site.login(password=pad).rc, 0)
        eq(app(site, "phone"), None)
        eq(make(site, "phone") != phone, True)


@test("one for some services is refused by the others, and one that has ended by all",
      root=True)
def terms():
    with shop() as site:
        smtp = make(site, "mailer", "--service", "smtp,imap")
        old = make(site, "old", "--expires", "+1s")
        new = make(site, "new", "--expires", "2099-01-01")
        eq(reason(site.login(password=smtp)), "app-service-off")
        eq(site.login(password=new).rc, 0)
        eq(verdict(site, smtp).stdout[:7], b"accept\t")
        eq(verdict(site, smtp, "imap").stdout[:7], b"accept\t")
        eq(verdict(site, smtp, "webmail").stdout, b"refuse\n")
        eq(verdict(site, smtp, "other").stdout, b"refuse\n")
        eq(verdict(site, new, "other").stdout[:7], b"accept\t")
        while site.login(password=old).rc == 0:
            time.sleep(0.2)
        eq(reason(site.login(password=old)), "app-expired")
        eq(app(site, "mailer")["services"], ["smtp", "imap"])
        eq(app(site, "new")["expires"], "2099-01-01T00:00:00Z")
        site.do("box", "suspend", JOE)
        eq(reason(site.login(password=new)), "box-suspended")


@test("--apps-only bars the box's own password from POP and SMTP, whatever the table "
      "of repeated logins has", root=True)
def only():
    with shop(login_cache="3600") as site:
        phone = make(site, "phone")
        eq(site.login().rc, 0)
        got = site.popbox("box", "set", JOE, "--apps-only", "on")
        hasnt(got.err, "no app password")
        for password in (GOOD, "wrong"):
            eq(reason(site.login(password=password)), "apps-only")
            eq(verdict(site, password).stdout, b"refuse\n")
        eq(site.login(password=phone).rc, 0)
        eq(verdict(site, GOOD, "webmail").stdout[:7], b"accept\t")
        eq(verdict(site, GOOD, "imap").stdout[:7], b"accept\t")
        has(site.do("box", "show", JOE),
            "password          yes, app passwords only for POP and SMTP\n")
        site.do("passwd", JOE, "--app", "phone", "--revoke")
        has(site.popbox("box", "set", JOE, "--apps-only", "on").err,
            "no app password: nobody can log in by POP or SMTP")
        site.do("box", "set", JOE, "--apps-only", "off")
        eq(site.login().rc, 0)


@test("a box without a password of its own may have app passwords alone", root=True)
def alone():
    with shop() as site:
        site.do("box", "add", "may@example.com", "--no-password")
        phone = make(site, "phone", box="may@example.com")
        eq(site.login("may@example.com", phone).rc, 0)
        eq(reason(site.login("may@example.com", "x" + phone)), "no-password")
        eq(reason(site.login("nobody@example.com", phone)), "unknown")


@test("the last use is a file of popusr's in the box, an hour exact, and box show "
      "has it", root=True)
def last():
    with shop() as site:
        phone = make(site, "phone")
        pad = make(site, "pad", "--service", "smtp")
        path = site.box_path() + "/.lastapp-1"
        eq((app(site, "phone")["last_use"], app(site, "phone")["last_ip"]),
           (None, None))
        has(site.do("box", "show", JOE), "app password      phone, never used\n")
        eq(site.login(password=phone).rc, 0)
        st = os.lstat(path)
        eq((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o600, UID, GID))
        with open(path) as file:
            eq(file.read(), "192.0.2.7\n")
        eq(app(site, "phone")["last_ip"], "192.0.2.7")
        has(site.do("box", "show", JOE), " from 192.0.2.7\n")
        # Young: it is left alone.
        with open(path, "w") as file:
            file.write("192.0.2.1\n")
        eq(site.login(password=phone).rc, 0)
        eq(app(site, "phone")["last_ip"], "192.0.2.1")
        # By the verdict too, where nothing else is written.
        os.unlink(site.box_path() + "/.lastlogin")
        eq(verdict(site, pad).stdout[:7], b"accept\t")
        eq(app(site, "pad")["last_ip"], "192.0.2.9")
        eq(os.path.exists(site.box_path() + "/.lastlogin"), False)
        has(site.do("box", "show", JOE),
            "app password      pad, only by smtp, last used ")
        # Another one of that number has not been used.
        site.do("passwd", JOE, "--app", "phone", "--revoke")
        os.utime(path, (time.time() - 100,) * 2)
        phone = make(site, "laptop")
        eq(app(site, "laptop")["last_use"], None)
        eq(site.login(password=phone).rc, 0)
        eq(app(site, "laptop")["last_ip"], "192.0.2.7")
        # What stands in the way stops no login.
        os.unlink(path)
        os.mkdir(path)
        eq(site.login(password=phone).rc, 0)


@test("they move, are deleted, come back and are restored with their box", root=True)
def kept():
    with shop() as site:
        site.do("box", "add", "may@example.com", "--no-password")
        phone = make(site, "phone", "--service", "pop", box="may@example.com")
        site.do("domain", "move", "example.com", "--handle", "new")
        eq(site.login("may@example.com", phone).rc, 0)
        site.do("box", "del", "may@example.com", "--yes")
        eq(site.login("may@example.com", phone).rc, 1)
        site.do("box", "undelete", "may@example.com")
        eq(site.login("may@example.com", phone).rc, 0)
        eq(site.findings("--store-only"), [])
        copy = site.top + "/copy"
        site.do("backup", copy)
        site.do("passwd", "may@example.com", "--app", "phone", "--revoke")
        eq(site.login("may@example.com", phone).rc, 1)
        site.do("restore", copy, "--yes")
        eq(site.login("may@example.com", phone).rc, 0)
        eq(app(site, "phone", "may@example.com")["services"], ["pop"])
        eq(site.findings("--store-only"), [])


@test("one box's backup has them, json has them with their digests, and other exports "
      "say that they do not", root=True)
def copies():
    with shop() as site:
        phone = make(site, "phone", "--service", "pop", "--expires", "2099-01-01")
        pad = make(site, "pad")
        site.do("box", "set", JOE, "--apps-only", "on")
        one = site.top + "/one"
        site.do("backup", one, "--only", JOE)
        was = site.do("--json", "box", "show", JOE)
        site.do("passwd", JOE, "--app", "pad", "--revoke")
        site.do("passwd", JOE, "--app", "phone", "--revoke")
        site.do("box", "set", JOE, "--apps-only", "off")
        eq(site.login(password=pad).rc, 1)
        site.do("restore", one, "--yes")
        eq((site.login(password=pad).rc, site.login(password=phone).rc,
            reason(site.login())), (0, 0, "apps-only"))
        now, was = (json.loads(text)["app_passwords"] for text in
                    (site.do("--json", "box", "show", JOE), was))
        eq([{k: a[k] for k in ("name", "services", "created", "expires")}
            for a in now],
           [{k: a[k] for k in ("name", "services", "created", "expires")}
            for a in was])
        # Nothing differs: the journal has no entry of it.
        before = site.last_entry()
        site.do("restore", one, "--yes")
        eq(site.last_entry(), before)
        # A box that is gone for good comes back with them.
        site.do("box", "del", JOE, "--yes")
        site.do("restore", one, "--yes")
        eq(site.login(password=phone).rc, 0)
        with open(one) as file:
            text = file.read()
        for bad, good in (('"app_salt":"', '"app_salt":"0'),
                          ('"digest":"', '"digest":"g'),
                          ('"name":"pad"', '"name":"zz"'),
                          ('"number":1', '"number":21')):
            assert bad in text, bad
            with open(site.top + "/bad", "w") as file:
                file.write(text.replace(bad, good))
            site.fails(100, "'app_passwords' is no list of app passwords",
                       "restore", site.top + "/bad", "--yes")
        rows = [json.loads(row) for row in
                site.do("export", "--format", "json").splitlines()]
        box = [row for row in rows if row.get("box") == "ex1-0001" and
               row["type"] == "box"][0]
        eq((len(box["app_salt"]), [len(a["digest"]) for a in
                                   box["app_passwords"]]), (64, [32, 32]))
        for form in ("csv", "dovecot"):
            has(site.popbox("export", "--format", form).err,
                "ex1-0001: its app passwords are skipped")
        has(site.do("export", "--format", "dovecot"), "allow_nets")


@test("undo revokes one that was made, lifts --apps-only, and brings none back",
      root=True)
def undone():
    with shop() as site:
        phone = make(site, "phone")
        number = site.last_entry()
        site.do("box", "set", JOE, "--name", "Joe", "--apps-only", "on")
        eq(site.login().rc, 1)
        site.do("undo", "--yes")
        eq(site.login().rc, 0)
        site.do("undo", str(number))
        eq(site.login(password=phone).rc, 1)
        site.fails(100, "an app password that was revoked cannot come back: it is "
                   "not kept ('popbox passwd --app phone' makes another)", "undo",
                   str(site.last_entry()))
        make(site, "phone")
        one = site.last_entry()
        site.do("passwd", JOE, "--app", "phone", "--revoke")
        make(site, "phone")
        site.fails(100, "was changed since", "undo", str(one))


@test("the journal says who made and revoked which, and the names alone", root=True)
def journal():
    with shop() as site:
        make(site, "phone", "--service", "pop")
        entry = json.loads(site.do("--json", "log", "-n", "1"))
        eq(entry["op"], "set")
        has(entry["command"], f" passwd {JOE} --app phone --service pop")
        eq(entry["before"]["app_passwords"], [])
        eq([a["name"] for a in entry["after"]["app_passwords"]], ["phone"])
        eq(sorted(entry["after"]["app_passwords"][0]),
           ["created", "expires", "name", "services"])
        site.do("passwd", JOE, "--app", "phone", "--revoke")
        has(site.do("log", "-n", "1"), f' passwd {JOE} --app phone --revoke"')


@test("what is no app password is refused with the next step, and nothing is made",
      root=True)
def refused():
    with shop() as site:
        phone = make(site, "phone")
        for rc, part, words in (
                (100, "has an app password 'phone' already",
                 (JOE, "--app", "PHONE")),
                (100, "the box has no app password 'pad'",
                 (JOE, "--app", "pad", "--revoke")),
                (100, "is no name for an app password", (JOE, "--app", "a b")),
                (100, "is no name for an app password", (JOE, "--app", "")),
                (2, "--service takes a list like pop,smtp",
                 (JOE, "--app", "pad", "--service", "pop,ftp")),
                (2, "do not go together",
                 (JOE, "--app", "pad", "--revoke", "--service", "pop")),
                (2, "do not go together", (JOE, "--app", "pad", "--stdin")),
                (2, "do not go together", (JOE, "--app", "pad", "--generate=30")),
                (2, "--revoke is for an app password", (JOE, "--revoke")),
                (2, "--service is for an app password",
                 (JOE, "--generate", "--service", "pop")),
                (2, "--app is for one box",
                 ("--handle", "ex1", "--app", "pad", "--yes")),
                (100, "there is no such address", ("x@example.com", "--app", "pad"))):
            site.fails(rc, part, "passwd", *words)
        site.fails(2, "--apps-only takes on or off", "box", "set", JOE,
                   "--apps-only", "yes")
        eq(len(json.loads(site.do("--json", "box", "show", JOE))
               ["app_passwords"]), 1)
        for number in range(19):
            make(site, f"n{number}")
        site.fails(100, "the box has 20 app passwords, which is the most it may "
                   "have", "passwd", JOE, "--app", "more")
        got = site.popbox("passwd", JOE, "--app", "phone", "--revoke", "--dry-run")
        eq(got.rc, 0, got)
        eq(site.login(password=phone).rc, 0)


@test("batch makes and revokes them, for a customer too", root=True)
def batch():
    with shop() as site:
        lines = "".join(json.dumps(line) + "\n" for line in (
            {"command": ["passwd", JOE],
             "options": {"app": "phone", "service": "pop"}},
            {"command": ["passwd", JOE],
             "options": {"app": "phone", "revoke": True}},
            {"command": ["passwd", JOE], "options": {"app": "pad"}},
            {"command": ["box", "set", JOE],
             "options": {"apps-only": "on"}}))
        for words in (("batch",), ("batch", "--scope", "ex1")):
            got = site.popbox(*words, input=lines)
            print("# " + got.out.replace("\n", "\n# ")[:1500])
            pad = re.findall(r'"password": ?"([a-zA-Z2-9]{24})"', got.out)[-1]
            eq(site.login(password=pad).rc, 0)
            site.do("passwd", JOE, "--app", "pad", "--revoke")


run()
