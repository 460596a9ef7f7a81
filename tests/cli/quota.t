#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Quotas: what box, domain and handle say, the files that come of it, and what
popbox-quota does at each delivery, beside Dovecot and qmail-pop3d."""
import glob
import imaplib
import json
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dovecot import Dovecot
from tap import (BUILD, GID, GOOD, QMAIL, SMALL, UID, Result, Site, eq, has,
                 hasnt, run, skip, test)

PROGRAM = BUILD + "/popbox-quota"


class Box(Site):
    """joe@example.com, and popbox-quota where popusr can run it."""

    def __init__(self, *quota, **settings):
        super().__init__(**settings)
        self.joe()
        shutil.copy(PROGRAM, self.top + "/popbox-quota")
        self.settings({"quota_program": self.top + "/popbox-quota",
                       "quota_warn": "0", **settings})
        if quota:
            self.do("box", "set", "joe@example.com", *quota)

    def size(self, box="ex1-0001"):
        """The lines of maildirsize."""
        with open(self.box_path(box) + "/maildirsize") as file:
            return file.read().splitlines()

    def has_size(self, box="ex1-0001"):
        return os.path.lexists(self.box_path(box) + "/maildirsize")

    def qmail_file(self, local="joe", domain="example.com"):
        with open(f"{self.domain_path(domain)}/.qmail-{local}") as file:
            return file.read().splitlines()

    def used(self, box="ex1-0001"):
        """(bytes, messages) by maildirsize, and really."""
        rows = [[int(n) for n in line.split()] for line in self.size(box)[1:]]
        path = self.box_path(box)
        files = glob.glob(path + "/new/*") + glob.glob(path + "/cur/*")
        return ((sum(r[0] for r in rows), sum(r[1] for r in rows)),
                (sum(os.path.getsize(f) for f in files), len(files)))

    def send_to(self, size=0, recipient="joe@example.com"):
        """One message of about so many bytes."""
        return Result(subprocess.run(
            [self.tools + "/deliver", "s@x.org", recipient],
            input=b"Subject: x\n\n" + b"x" * size + b"\n",
            capture_output=True))

    def quota(self, *words, size=10, age=0, env=None, stdin=None):
        """popbox-quota alone, as popusr."""
        message = self.top + "/message"
        with open(message, "wb") as file:
            file.write(b"x" * size)
        os.utime(message, (time.time() - age,) * 2)
        with open(message, "rb") as file:
            return Result(subprocess.run(
                [self.top + "/popbox-quota", *words],
                stdin=stdin or file, capture_output=True, user=UID, group=GID,
                extra_groups=[], env=env or {}))


def line(site, limit, box="ex1-0001", options=""):
    return [f"|{site.top}/popbox-quota{options} {site.box_path(box)} {limit}",
            site.box_path(box) + "/"]


@test("a quota is a line before the Maildir's and a file in the box; without one "
      "neither is there", root=True)
def published():
    with Box() as site:
        eq(site.qmail_file(), [site.box_path() + "/"])
        assert not site.has_size()
        said = site.popbox("box", "set", "joe@example.com", "--quota", "500M",
                           "--messages", "10000").err
        has(said, "quota of ex1-0001: none -> 500M\n")
        has(said, "messages of ex1-0001: none -> 10000\n")
        eq(site.qmail_file(), line(site, "524288000S,10000C"))
        eq(site.size(), ["524288000S,10000C", "0 0"])
        info = os.stat(site.box_path() + "/maildirsize")
        eq((info.st_uid, info.st_mode & 0o7777), (UID, 0o600))
        site.sound()
        site.do("box", "set", "joe@example.com", "--quota", "none")
        eq(site.qmail_file(), line(site, "10000C"))
        eq(site.size()[0], "10000C")
        site.do("box", "set", "joe@example.com", "--messages", "none")
        eq(site.qmail_file(), [site.box_path() + "/"])
        assert not site.has_size()
        site.sound()
        site.do("undo", str(site.last_entry()))
        eq(site.size()[0], "10000C")
        site.fails(2, "--messages takes a number", "box", "set", "ex1-0001",
                   "--messages", "many")


@test("a box has its own quota, else the largest of its domains', else its handle's; "
      "all its addresses and its file say so", root=True)
def levels():
    with Box() as site:
        site.do("domain", "add", "two.org", "--handle", "ex1", "--postmaster",
                "ex1-0000")
        site.do("address", "add", "j@two.org", "ex1-0001")
        both = (("joe", "example.com"), ("j", "two.org"))

        def all_say(limit):
            for local, domain in both:
                eq(site.qmail_file(local, domain),
                   line(site, limit) if limit else [site.box_path() + "/"])
            eq(site.size()[0] if limit else site.has_size(), limit or False)
            site.sound()

        all_say(None)
        site.do("handle", "set", "ex1", "--quota", "1M", "--messages", "5")
        all_say("1048576S,5C")
        eq(site.size("ex1-0000")[0], "1048576S,5C")
        site.do("domain", "set", "two.org", "--quota", "2M")
        all_say("2097152S,5C")
        site.do("domain", "set", "example.com", "--quota", "3M")
        all_say("3145728S,5C")
        eq(site.size("ex1-0000")[0], "3145728S,5C")
        site.do("box", "set", "joe@example.com", "--quota", "4K")
        all_say("4096S,5C")
        site.do("box", "set", "joe@example.com", "--quota", "none")
        site.do("domain", "set", "example.com", "--quota", "none")
        all_say("2097152S,5C")
        site.do("address", "del", "j@two.org", "--yes")
        eq(site.qmail_file(), line(site, "1048576S,5C"))
        site.sound()
        site.do("undo", str(site.last_entry()))
        all_say("2097152S,5C")
        site.do("handle", "set", "ex1", "--messages", "none", "--quota", "none")
        all_say("2097152S")
        site.do("domain", "set", "two.org", "--quota", "none")
        all_say(None)
        site.fails(100, "has no boxes of its own", "domain", "set",
                   "--kind", "backup", "--quota", "5M", "two.org", "--yes")


@test("a new box below a quota has it at once; one that is deleted and undeleted, too",
      root=True)
def later_boxes():
    with Box() as site:
        site.do("handle", "set", "ex1", "--quota", "1M")
        site.do("box", "add", "ann@example.com", "--generate")
        eq(site.size("ex1-0002"), ["1048576S", "0 0"])
        eq(site.qmail_file("ann"), line(site, "1048576S", "ex1-0002"))
        site.do("box", "del", "ann@example.com", "--yes")
        site.sound()
        site.do("handle", "set", "ex1", "--quota", "none")
        site.do("box", "undelete", "ex1-0002")
        assert not site.has_size("ex1-0002")
        site.sound()


@test("a box that moves to another handle has what holds there, and back again",
      root=True)
def moved():
    with Box() as site:
        site.do("handle", "add", "new")
        site.do("handle", "set", "ex1", "--messages", "5")
        site.do("domain", "move", "example.com", "--handle", "new")
        number = site.last_entry()

        def box():
            return json.loads(site.do("--json", "address", "show",
                                      "joe@example.com"))["box"]

        assert not site.has_size(box())
        site.sound()
        site.do("undo", str(number))
        eq(site.size()[0], "5C")
        site.sound()
        site.do("handle", "set", "new", "--messages", "7")
        site.do("domain", "move", "example.com", "--handle", "new")
        eq(site.size(box())[0], "7C")
        site.sound()


@test("a dry run shows both, and changes neither", root=True)
def dry():
    with Box() as site:
        before = site.tree()
        out = site.do("box", "set", "joe@example.com", "--quota", "5M",
                      "--dry-run")
        has(out, f"{site.box_path()}/maildirsize: 5242880S\n")
        has(out, f"{site.top}/popbox-quota ")
        eq(site.tree(), before)
        site.do("box", "set", "joe@example.com", "--quota", "5M")
        has(site.do("box", "set", "joe@example.com", "--quota", "none",
                    "--dry-run"), "maildirsize: - file\n")


@test("with many boxes it is the same, and a sync goes on after it was killed",
      root=True)
def many():
    with Box() as site:
        rows = "address,password\n" + "".join(
            f"b{n}@example.com,{GOOD}\n" for n in range(30))
        with open(site.top + "/b.csv", "w") as file:
            file.write(rows)
        site.do("import", site.top + "/b.csv", program=SMALL)
        site.do("handle", "set", "ex1", "--quota", "1M", "--no-sync")
        site.do("sync", program=SMALL)
        for n in range(2, 32):
            eq(site.size(f"ex1-{n:04}"), ["1048576S", "0 0"])
        site.sound()
        site.do("handle", "set", "ex1", "--quota", "none", program=SMALL)
        assert not any(site.has_size(f"ex1-{n:04}") for n in range(32))
        site.sound()


@test("mail is delivered up to the quota, then it comes back with 5.2.2; one message "
      "that is larger than the box comes back with 5.2.3", root=True)
def delivers():
    with Box("--quota", "2000") as site:
        eq(site.send_to(800).rc, 0)
        eq(site.send_to(800).rc, 0)
        by_file, real = site.used()
        eq(by_file, real)
        got = site.send_to(800)
        eq(got.rc, 100)
        if not QMAIL:
            has(got.out, "the mailbox of this recipient is full. (#5.2.2)")
        got = site.send_to(3000)
        eq(got.rc, 100)
        if not QMAIL:
            has(got.out, "larger than the mailbox of this recipient may be. "
                         "(#5.2.3)")
        eq(site.mails(), 2)
        eq(site.send_to(10).rc, 0)
    with Box("--messages", "2") as site:
        eq([site.send_to().rc for _ in range(3)], [0, 0, 100])


@test("what POP deletes and what IMAP expunges makes room at once", root=True)
def deletions():
    with Box("--quota", "2000") as site:
        eq([site.send_to(800).rc for _ in range(3)], [0, 0, 100])
        mails = glob.glob(site.box_path() + "/new/*")
        os.remove(mails[0])  # qmail-pop3d says it nowhere
        eq([site.send_to(800).rc for _ in range(2)], [0, 100])
        eq(*site.used())


@test("a delivery that fails afterwards is recorded, and refuses nobody", root=True)
def fails_later():
    with Box("--quota", "2000") as site:
        os.rename(site.box_path() + "/new", site.box_path() + "/gone")
        for _ in range(5):
            eq(site.send_to(800).rc, 111)
        os.rename(site.box_path() + "/gone", site.box_path() + "/new")
        eq([site.send_to(800).rc for _ in range(3)], [0, 0, 100])
        eq(*site.used())


@test("a maildirsize that is missing, damaged, hostile or huge is counted anew, and "
      "nothing else is written to", root=True)
def damaged():
    with Box("--quota", "2000") as site:
        path = site.box_path() + "/maildirsize"
        victim = site.top + "/victim"
        with open(victim, "w") as file:
            file.write("9S\n1 1\n")
        os.chown(victim, UID, GID)

        def write(text):
            with open(path, "w") as file:
                file.write(text)
            os.chown(path, UID, GID)

        for plant in (lambda: None, lambda: write(""), lambda: write("junk"),
                      lambda: write("9999999S\n0 0\n"),
                      lambda: write("2000S\n-9 -9\n"),
                      lambda: write("2000S\n0 0\n" * 5000),
                      lambda: write("\0" * 100000),
                      lambda: os.symlink(victim, path),
                      lambda: os.link(victim, path),
                      lambda: os.mkfifo(path),
                      lambda: os.symlink("/dev/zero", path)):
            for name in glob.glob(site.box_path() + "/new/*"):
                os.remove(name)
            if os.path.lexists(path):
                os.remove(path)
            plant()
            eq([site.send_to(800).rc for _ in range(3)], [0, 0, 100])
            eq(site.size()[0], "2000S")
            eq(*site.used())
        with open(victim) as file:
            eq(file.read(), "9S\n1 1\n")
        os.remove(path)
        os.mkdir(path)
        for name in glob.glob(site.box_path() + "/new/*"):
            os.remove(name)
        eq([site.send_to(800).rc for _ in range(3)], [0, 0, 100])
        eq([f[0] for f in site.findings()], ["quota"])
        site.popbox("check", "--repair")
        eq(*site.used())
        site.sound()


@test("deliveries at once are all recorded, and at most those on their way are missed",
      root=True)
def at_once():
    with Box("--quota", "20K", "--messages", "1000") as site:
        codes = []

        def some():
            for _ in range(8):
                codes.append(site.send_to(800).rc)

        threads = [threading.Thread(target=some) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eq(set(codes), {0, 100})
        _, real = site.used()
        eq(codes.count(0), real[1])
        assert 20480 - 900 < real[0] < 20480 + 4 * 900, real
        eq(site.send_to(2000).rc, 100)
        eq(*site.used())


@test("popbox-quota says what is wrong with its line, and the mail waits", root=True)
def usage():
    with Box() as site:
        box = site.box_path()
        for words, why in (((), "a Maildir and its limit are needed"),
                           ((box,), "a Maildir and its limit are needed"),
                           ((box, "5"), "the limit is not like"),
                           ((box, "0S"), "the limit is not like"),
                           (("-g", "x", box, "5S"), "no such option"),
                           (("-w", "101", box, "5S"), "no such option"),
                           (("-x", box, "5S"), "no such option"),
                           ((site.top + "/none", "50S"), "No such file"),
                           ((site.top + "/message", "50S"), "Not a directory")):
            got = site.quota(*words)
            eq(got.rc, 111, words)
            has(got.err, why)
        os.symlink(box, site.top + "/link")
        eq(site.quota(site.top + "/link", "50S").rc, 111)
        got = site.quota(box, "50S", stdin=subprocess.DEVNULL)
        eq(got.rc, 111)
        has(got.err, "standard input is not a message's file")
        has(site.quota("--version").out, "popbox-quota ")
        eq(site.size() if site.has_size() else None, None)
        env = {"RPLINE": "Return-Path: <a>\n", "DTLINE": "Delivered-To: b\n"}
        eq(site.quota(box, "100S", env=env).rc, 0)
        eq(site.size(), ["100S", "0 0", f"{10 + 17 + 16} 1"])


@test("mail for a full box waits for quota_grace, then it comes back", root=True)
def grace():
    with Box("--messages", "1", quota_grace="3600") as site:
        eq(site.qmail_file(), line(site, "1C", options=" -g 3600"))
        eq(site.send_to().rc, 0)
        got = site.send_to()
        eq(got.rc, 111)
        if not QMAIL:
            has(got.out, "(#4.2.2)")
        words = ("-g", "3600", site.box_path(), "1C")
        eq(site.quota(*words, age=3590).rc, 111)
        got = site.quota(*words, age=3600)
        eq(got.rc, 100)
        has(got.out, "(#5.2.2)")
        words = ("-g", "3600", site.box_path(), "5S")
        eq(site.quota(*words).rc, 100)  # it never will fit
        # A file's clock can be ahead of the program's.
        eq(site.quota(site.box_path(), "1C", age=-5).rc, 100)


@test("a setting of quotas is in the files after sync --full", root=True)
def settings():
    with Box("--messages", "1") as site:
        site.do("config", "set", "quota_warn", "80")
        eq([f[0] for f in site.findings()], ["file"])
        site.do("sync", "--full")
        eq(site.qmail_file(), line(site, "1C", options=" -w 80"))
        site.sound()
        site.do("config", "set", "quota_program",
                site.top + "/nowhere/popbox-quota", "--yes")
        site.do("sync", "--full")
        found = site.findings()
        eq([f[0] for f in found], ["quota-program"])
        has(found[0][1], f"popusr cannot run {site.top}/nowhere/popbox")
        eq(site.send_to().rc, 111)
        got = site.popbox("explain", "joe@example.com")
        has(got.out, "quota      BROKEN: ")


@test("a box that is almost full gets one warning a day, of which the size counts",
      root=True)
def warns():
    with Box("--quota", "10K", quota_warn="80") as site:
        eq([site.send_to(4000).rc for _ in range(2)], [0, 0])
        eq(site.mails(), 2)
        eq(site.send_to(100).rc, 0)
        mails = glob.glob(site.box_path() + "/new/*warning*")
        eq((len(mails), site.mails()), (1, 4))
        with open(mails[0]) as file:
            text = file.read()
        has(text, "To: joe@example.com\n")
        has(text, "From: postmaster@example.com\n")
        has(text, "Subject: Your mailbox is almost full (8")
        eq(os.stat(mails[0]).st_uid, UID)
        eq(*site.used())
        eq(site.send_to(100).rc, 0)
        eq(site.mails(), 5)
        old = time.time() - 90000
        os.utime(site.box_path() + "/quotawarn", (old, old))
        eq(site.send_to(100).rc, 0)
        eq(site.mails(), 7)
        site.sound()


@test("show, list and stats say what a box holds, and how much of it is used",
      root=True)
def shown():
    with Box("--quota", "2000") as site:
        site.do("box", "add", "ann@example.com", "--generate")
        site.do("handle", "set", "ex1", "--messages", "10")
        eq([site.send_to(800).rc for _ in range(2)], [0, 0])
        used = site.used()[0]
        row = json.loads(site.do("--json", "box", "show", "joe@example.com"))
        eq((row["quota"], row["messages"], row["limit_bytes"],
            row["limit_messages"], row["used_bytes"], row["used_messages"],
            row["used_percent"]),
           (2000, 0, 2000, 10, *used, used[0] * 100 // 2000))
        text = site.do("box", "show", "joe@example.com")
        has(text, "quota             2000, 10 messages (by its domain or "
                  "handle)\n")
        has(text, f"used              {used[0]} bytes in 2 messages, "
                  f"{used[0] * 100 // 2000}%\n")
        has(site.do("handle", "show", "ex1"), "quota       10 messages\n")
        hasnt(site.do("domain", "show", "example.com"), "quota")
        rows = [json.loads(r) for r in
                site.do("--json", "box", "list", "--over", "80%").splitlines()]
        eq([r["box"] for r in rows], ["ex1-0001"])
        eq(site.do("box", "list", "--over", "80", "--csv", "--columns",
                   "box,limit,used,percent").splitlines()[1:],
           [f'ex1-0001,"2000, 10 messages",{used[0]},{used[0] * 100 // 2000}'])
        eq(site.do("--json", "box", "list", "--over", "90%"), "")
        stats = json.loads(site.do("--json", "stats").splitlines()[0])
        eq((stats["quota"], stats["full"]), (2000, 0))
        site.do("box", "set", "joe@example.com", "--messages", "2")
        stats = json.loads(site.do("--json", "stats").splitlines()[0])
        eq(stats["full"], 1)
        os.remove(glob.glob(site.box_path() + "/new/*")[0])  # as POP does
        eq(site.do("--json", "box", "list", "--over", "80%"), "")
        site.fails(2, "--over takes a percentage", "box", "list", "--over",
                   "much")


@test("Dovecot's and vpopmail's files say what holds for a box, as soon as it does",
      root=True)
def exported():
    with Box("--messages", "7") as site:
        site.do("handle", "set", "ex1", "--quota", "1M")
        has(site.do("export", "example.com", "--format", "dovecot"),
            " userdb_quota_rule=*:bytes=1048576:messages=7\n")
        got = site.popbox("export", "example.com", "--format", "vpopmail").out
        has(got, "/postmaster:1048576S\n")
        got = site.popbox("export", "example.com")
        eq(got.rc, 0, got)
        has(got.out.splitlines()[0], ",expires,messages,")
        has(got.out, ",on,on,,,7,,,\n")
        files = site.top + "/dovecot"
        os.mkdir(files)
        site.settings({"dovecot_dir": files, "dovecot_group": "root"})
        site.do("sync", "--full")

        def text():
            with open(files + "/example.com") as file:
                return file.read()

        has(text(), " userdb_quota_rule=*:bytes=1048576:messages=7\n")
        site.do("domain", "set", "example.com", "--quota", "2M")
        has(text(), " userdb_quota_rule=*:bytes=2097152:messages=7\n")
        site.do("handle", "set", "ex1", "--quota", "none")
        site.do("domain", "set", "example.com", "--quota", "none")
        has(text(), " userdb_quota_rule=*:messages=7\n")
        site.do("box", "set", "joe@example.com", "--messages", "none")
        hasnt(text(), "userdb_quota_rule")
        site.sound()


@test("explain says how full the box is, and that mail for a full one bounces",
      root=True)
def explained():
    with Box("--messages", "2") as site:
        if QMAIL:
            skip("a real qmail says what it does itself")
        eq(site.send_to().rc, 0)
        got = site.popbox("explain", "joe@example.com").out
        has(got, "1 messages, 50% of 2C")
        has(got, "mail       delivered")
        eq(site.send_to().rc, 0)
        got = site.popbox("explain", "joe@example.com").out
        has(got, "100% of 2C: it is full")
        has(got, "mail       bounced")


DOVECOT = """
mail_location = maildir:%h
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = maildir:User quota
}}
namespace inbox {{
  inbox = yes
  separator = .
}}
passdb {{
  driver = passwd-file
  args = {top}/users
}}
userdb {{
  driver = passwd-file
  args = {top}/users
}}
"""


@test("Dovecot keeps the same file: its limit is ours, what it appends and expunges "
      "counts", root=True)
def dovecot():
    with Box("--quota", "8000") as site:
        with open(site.top + "/users", "w") as file:
            file.write(f"joe:{{PLAIN}}{GOOD}:{UID}:{GID}::{site.box_path()}::\n")
        os.chmod(site.top + "/users", 0o644)
        with Dovecot(site, DOVECOT.format(top=site.top)) as server:
            eq([site.send_to(900).rc for _ in range(4)], [0] * 4)
            client = server.imap("joe", GOOD)
            eq(client.select("INBOX")[1], [b"4"])
            eq(client.getquotaroot("INBOX")[1][1],
               [b'"User quota" (STORAGE 4 8)'])
            client.create("Sent")
            eq(client.append("Sent", "", "", b"Subject: y\r\n\r\n" +
                             b"y" * 900)[0], "OK")
            by_file, real = site.used()
            assert by_file[0] > real[0] + 900 and by_file[1] == 5, by_file
            eq([site.send_to(900).rc for _ in range(3)], [0, 0, 0])
            eq(site.send_to(900).rc, 100)
            eq(client.append("Sent", "", "", b"x" * 3000)[0], "NO")
            client.noop()
            client.store("1:3", "+FLAGS", "\\Deleted")
            client.expunge()
            eq([site.send_to(900).rc for _ in range(3)], [0, 0, 0])
            eq(site.send_to(900).rc, 100)
            client.logout()
        eq(site.size()[0], "8000S")
        row = json.loads(site.do("--json", "box", "show", "joe@example.com"))
        eq(row["used_messages"], 8)
        site.sound()


@test("a limit of messages comes with a csv, from vpopmail and from Dovecot, and goes "
      "with none", root=True)
def imported():
    def limit(site):
        return json.loads(site.do("--json", "box", "show",
                                  "joe@example.com"))["messages"]
    with Box("--messages", "7") as site:
        path = site.top + "/again"
        line = "joe:*:1:0:Joe:/x:1048576S,30C"
        for options, text, want in (
                (("--update",), "address,messages\njoe@example.com,9\n", 9),
                (("--update",), "address,messages\njoe@example.com,none\n", 0),
                (("--update", "--format", "vpopmail", "--domain",
                  "example.com"), line + "\n", 30),
                (("--update", "--format", "dovecot"),
                 "joe@example.com:*::::::userdb_quota_rule=*:bytes=1048576:"
                 "messages=12\n", 12)):
            with open(path, "w") as file:
                file.write(text)
            site.do("import", path, *options, "--locked")
            eq(limit(site) or 0, want, text)
        for text in ("many", "-2", "9999999999999999999"):
            with open(path, "w") as file:
                file.write(f"address,messages\njoe@example.com,{text}\n")
            site.fails(100, "a limit of messages is a number", "import", path,
                       "--update")
        eq(limit(site), 12)
        with open(path, "w") as file:
            file.write(site.do("export"))
        with Site() as other:
            other.do("import", path)
            eq(other.do("export"), site.do("export"))


run()
