#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Vacation replies: what the store says, the files that come of it, and what
popbox-vacation answers, with a qmail-queue that keeps what it gets; on a genuine qmail
with its own."""
import fcntl
import glob
import json
import os
import quopri
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from oldsites import MD5, Vpopmail, put, vmailmgr_cdb, vmailmgr_value
from tap import BUILD, GID, QMAIL, UID, Result, Site, eq, has, hasnt, run, skip, test

TEXT = "I am away until Monday.\nGrüße, Joe"
QUEUE = """#!/bin/sh
d={sent}
cat >$d/$$.message; exec 0<&1; tr '\\0' '|' >$d/$$.envelope
"""


class Away(Site):
    """joe@example.com, who is away, and popbox-vacation where popusr can run it."""

    def __init__(self, *words, text=TEXT + "\n", **settings):
        super().__init__(standins=True, **settings)
        self.joe()
        shutil.copy(BUILD + "/popbox-vacation", self.top + "/popbox-vacation")
        self.settings({"vacation_program": self.top + "/popbox-vacation"})
        self.sent = self.top + "/sent"
        os.mkdir(self.sent)
        os.chmod(self.sent, 0o777)
        self.put_queue(QUEUE.format(sent=self.sent))
        self.text = self.top + "/text"
        self.put_text(text)
        if words is not None:
            self.away(*words)

    def put_queue(self, script):
        with open(self.bin + "/qmail-queue", "w") as file:
            file.write(script)
        os.chmod(self.bin + "/qmail-queue", 0o755)

    def put_text(self, text):
        with open(self.text, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def away(self, *words):
        return self.do("box", "set", "joe@example.com", "--vacation", self.text, *words)

    def line(self, box="ex1-0001"):
        return (f"|{self.top}/popbox-vacation {self.box_path(box)} "
                f"{self.qmail}/bin/qmail-queue || exit 0")

    def qmail_file(self, local="joe", domain="example.com"):
        with open(f"{self.domain_path(domain)}/.qmail-{local}") as file:
            return file.read().splitlines()

    def file(self, name="vacation", box="ex1-0001"):
        return f"{self.box_path(box)}/{name}"

    def read(self, name="vacation", box="ex1-0001"):
        with open(self.file(name, box)) as file:
            return file.read()

    def mail(self, *fields, sender="ann@x.org", to="joe@example.com", recipient=None):
        """A message by way of the stand-in of qmail-local."""
        text = "\n".join((f"To: {to}", "Message-ID: <1@x.org>", *fields,
                          "", "Lunch?", ""))
        got = Result(subprocess.run(
            [self.tools + "/deliver", sender, recipient or "joe@example.com"],
            input=text.encode(), capture_output=True))
        eq(got.rc, 0, got.out + got.err)
        return got

    def answers(self):
        """[(envelope, header, text)] of what was sent since the last time."""
        got = []
        for path in sorted(glob.glob(self.sent + "/*.message")):
            with open(path) as file:
                head, body = file.read().split("\n\n", 1)
            with open(path[:-8] + ".envelope") as file:
                envelope = file.read()
            got.append((envelope, head,
                        quopri.decodestring(body.encode()).decode()))
            os.remove(path)
        return got

    def delivered(self):
        return len(os.listdir(self.box_path() + "/new"))


@test("a vacation reply is a line behind the Maildir's and a file in the box; turned off "
      "neither is there", root=True)
def published():
    with Away("--until", "2099-01-01") as site:
        eq(site.qmail_file(), [site.box_path() + "/", site.line()])
        eq(site.read(), "0 4070908800\n" + TEXT)
        info = os.stat(site.file())
        eq((info.st_uid, info.st_mode & 0o7777), (UID, 0o600))
        site.sound()
        site.do("box", "set", "joe@example.com", "--vacation", "none")
        eq(site.qmail_file(), [site.box_path() + "/"])
        assert not os.path.lexists(site.file())
        site.sound()
        site.do("undo", str(site.last_entry()))
        eq(site.read(), "0 4070908800\n" + TEXT)
        eq(site.qmail_file(), [site.box_path() + "/", site.line()])
        site.do("box", "set", "joe@example.com", "--from", "+1d", "--until", "never")
        has(site.read(), TEXT)
        assert site.read().split()[1] == "0", site.read()
        site.do("address", "add", "doe@example.com", "ex1-0001")
        eq(site.qmail_file("doe"), [site.box_path() + "/", site.line()])
        site.sound()


@test("a person who writes to the user gets one answer a week, which says that it is one",
      root=True)
def answered():
    with Away() as site:
        site.mail("Subject: Lunch?")
        (envelope, head, body), = site.answers()
        eq(envelope, "F|Tann@x.org||")
        eq(body, TEXT + "\n")
        for field in ("From: joe@example.com", "To: ann@x.org",
                      "Subject: Auto: Lunch?", "In-Reply-To: <1@x.org>",
                      "Auto-Submitted: auto-replied",
                      "Content-Type: text/plain; charset=utf-8"):
            has("\n" + head + "\n", f"\n{field}\n")
        site.mail()
        eq(site.answers(), [])
        site.mail(sender="bob@x.org")
        eq(len(site.answers()), 1)
        eq(site.delivered(), 3)
        with open(site.file("vacation-seen"), "r+b") as file:
            seen = file.read()
            eq(len(seen), 32)
            file.seek(8)
            file.write((int(time.time()) - 7 * 86400).to_bytes(8, "little"))
        site.mail()
        eq(len(site.answers()), 1)
        # Off and on again: nobody was answered.
        site.do("box", "set", "joe@example.com", "--vacation", "none")
        assert not os.path.lexists(site.file("vacation-seen"))
        site.away()
        site.mail()
        eq(len(site.answers()), 1)


@test("lists, bounces, bulk, programs, the user himself and mail that does not name him "
      "get no answer, and are delivered", root=True)
def silent():
    with Away() as site:
        count = 0
        for sender, fields in (
                ("", ()), ("#@[]", ()), ("owner-l@x.org", ()), ("l-request@x.org", ()),
                ("MAILER-DAEMON@x.org", ()), ("joe@example.com", ()),
                ("ann@x.org", ("List-Id: <l.x.org>",)),
                ("ann@x.org", ("Precedence: bulk",)),
                ("ann@x.org", ("Auto-Submitted: auto-replied",))):
            site.mail(*fields, sender=sender)
            count += 1
        site.mail(to="all@example.com")
        eq(site.answers(), [])
        eq(site.delivered(), count + 1)


@test("a reply is given between its times alone", root=True)
def times():
    with Away("--from", "+1h") as site:
        site.mail()
        eq(site.answers(), [])
        site.do("box", "set", "ex1-0001", "--from", "now", "--until", "+1h")
        site.mail()
        eq(len(site.answers()), 1)
        text = site.read().split("\n", 1)[1]
        with open(site.file(), "w") as file:
            file.write(f"0 {int(time.time())}\n{text}")
        site.mail(sender="bob@x.org")
        eq(site.answers(), [])


@test("what is addressed to any address of the box, an alias domain's too, is answered",
      root=True)
def addresses():
    with Away() as site:
        site.do("address", "add", "joe.doe@example.com", "ex1-0001")
        site.do("domain", "add", "alias.org", "--alias-of", "example.com")
        for number, address in enumerate(("joe@example.com", "joe.doe@example.com",
                                          "joe@alias.org", "JOE@Example.com")):
            site.mail(sender=f"{number}@x.org", to=address, recipient=address)
            eq(len(site.answers()), 1, address)


@test("whatever fails, the message is delivered once and no bounce comes", root=True)
def failures():
    with Away() as site:
        def fails(reason, sender="ann@x.org"):
            before = site.delivered()
            done = site.mail(sender=sender)
            has(done.out + done.err, reason)
            eq(site.delivered(), before + 1)
            eq(site.answers(), [])

        site.put_queue("#!/bin/sh\nexit 53\n")
        fails("exited 53", "a@x.org")
        site.put_queue("#!/bin/sh\nkill -9 $$\n")
        fails("by a signal", "b@x.org")
        os.remove(site.bin + "/qmail-queue")
        fails("exited 127", "c@x.org")
        site.put_queue(QUEUE.format(sent=site.sent))
        os.remove(site.file())
        fails("there is no text")
        for make in (lambda path: os.symlink("/etc/passwd", path), os.mkdir, os.mkfifo):
            make(site.file())
            fails("not answered: vacation: ")
            has(site.popbox("check").out, "vacation")
            site.popbox("check", "--repair")
            eq(site.read(), "0 0\n" + TEXT)
            site.sound()
            os.remove(site.file())
        site.do("sync", "--full")
        os.remove(site.file("vacation-seen"))
        for make in (lambda path: os.symlink("/etc/passwd", path), os.mkdir, os.mkfifo):
            make(site.file("vacation-seen"))
            fails("not answered: vacation-seen: ")
            (os.rmdir if os.path.isdir(site.file("vacation-seen"))
             else os.remove)(site.file("vacation-seen"))
        with open(site.file("vacation-seen"), "w") as file:
            os.chown(file.fileno(), UID, GID)
            fcntl.flock(file, fcntl.LOCK_EX)
            fails("Device or resource busy")
        os.chmod(site.top + "/popbox-vacation", 0)
        fails("")
        os.remove(site.top + "/popbox-vacation")
        fails("")
        has(site.popbox("check").out, "vacation-program")


@test("a text is UTF-8 of at most 7168 bytes; ends of lines are one way", root=True)
def texts():
    with Away() as site:
        def bad(text, why):
            site.put_text(text)
            site.fails(100, why, "box", "set", "joe@example.com", "--vacation", site.text)

        bad(b"", "is empty")
        bad(b" \n\t\n", "is empty")
        bad(b"\xff\xfe", "is not UTF-8")
        bad(b"a\0b", "has a control character")
        bad(b"a\x1b[2J", "has a control character")
        bad(b"x" * 7169, "has more than 7168 bytes")
        bad(b"x" * 100000, "has more than 7168 bytes")
        eq(site.read(), "0 0\n" + TEXT)
        site.put_text("\ufeffa\r\nb\r\n" + "ä" * 3580)
        site.away()
        eq(site.read(), "0 0\na\nb\n" + "ä" * 3580)
        site.do("box", "set", "ex1-0001", "--vacation-text", "Back soon.")
        eq(site.read(), "0 0\nBack soon.")
        site.do("box", "set", "ex1-0001", "--vacation-text", "none")
        site.fails(100, "has no vacation reply", "box", "set", "ex1-0001", "--until", "+1d")
        site.fails(2, "exclude each other", "box", "set", "ex1-0001", "--vacation", "none",
                   "--vacation-text", "x")
        site.fails(111, "cannot read", "box", "set", "ex1-0001", "--vacation", "/nothing")
        site.fails(2, "--until takes a date", "box", "set", "ex1-0001", "--until", "soon")
        site.fails(100, "is not in the future", "box", "set", "ex1-0001", "--vacation-text",
                   "x", "--until", "2020-01-01")
        site.fails(100, "end before it begins", "box", "set", "ex1-0001", "--vacation-text",
                   "x", "--from", "+2d", "--until", "+1d")


@test("show, list, log and explain say it; deletion, undo and a move take it along",
      root=True)
def shown():
    with Away("--until", "2099-01-01") as site:
        row = json.loads(site.do("box", "show", "ex1-0001", "--json"))
        eq((row["vacation"], row["vacation_from"], row["vacation_until"]),
           (TEXT, None, "2099-01-01T00:00:00Z"))
        has(site.do("box", "show", "ex1-0001"), "I am away until Monday.")
        has(site.do("explain", "joe@example.com"), "vacation")
        site.do("box", "del", "ex1-0001", "--yes")
        site.do("undo", str(site.last_entry()))
        eq(site.read(), "0 4070908800\n" + TEXT)
        eq(site.qmail_file(), [site.box_path() + "/", site.line()])
        site.do("handle", "add", "ex2")
        site.do("domain", "move", "example.com", "--handle", "ex2")
        eq(site.read(box="ex2-0001"), "0 4070908800\n" + TEXT)
        site.sound()


@test("an export and an import carry it, empty and into a store that has others", root=True)
def exported():
    with Away("--until", "2099-01-01") as site, Site() as other:
        csv = site.do("export")
        has(csv, ',"' + TEXT + '",,2099-01-01T00:00:00Z\n')
        with open(other.top + "/csv", "w") as file:
            file.write(csv)
        other.do("import", other.top + "/csv", "--handle", "ex1")
        eq(other.do("export"), csv)
        row = json.loads(other.do("box", "show", "joe@example.com", "--json"))
        eq((row["vacation"], row["vacation_until"]), (TEXT, "2099-01-01T00:00:00Z"))
        with open(other.box_path() + "/vacation") as file:
            eq(file.read(), "0 4070908800\n" + TEXT)
        with open(other.top + "/csv", "w") as file:
            file.write("address,vacation,vacation_from\n"
                       "joe@example.com,Back soon.,2030-01-01\n")
        has(other.popbox("import", other.top + "/csv").err, "another vacation")
        other.do("import", other.top + "/csv", "--update")
        with open(other.box_path() + "/vacation") as file:
            eq(file.read(), "1893456000 0\nBack soon.")
        with open(other.top + "/csv", "w") as file:
            file.write("address,vacation\njoe@example.com,none\n")
        other.do("import", other.top + "/csv", "--update")
        assert not os.path.lexists(other.box_path() + "/vacation")
        with open(other.top + "/csv", "w") as file:
            file.write("address,vacation_from\njoe@example.com,soon\n")
        has(other.popbox("import", other.top + "/csv").err, "no date like")


@test("qmailadmin's and vmailmgr's replies are taken with their text, or named", root=True)
def foreign():
    with Site() as site:
        old = Vpopmail(site)
        old.domain("w.example")
        for name in ("joe", "ann", "tim"):
            home = old.path("w.example", name)
            old.user("w.example", name, qmail=(
                f"| /usr/bin/autorespond 86400 3 {home}/vacation/message {home}/vacation\n"
                f"{home}/Maildir/\n"))
        old.file("w.example", "joe/vacation/message",
                 "From: joe@w.example\nSubject: Away\n\n" + TEXT + "\n")
        put(site, "vpopmail/domains/w.example/ann/vacation/message", b"From: x\n\n\xe4\n")
        old.done()
        said = site.popbox("import", old.top, "--handle", "v")
        eq(said.rc, 0, said)
        has(said.err, "ann/vacation/message is not UTF-8")
        has(said.err, "tim/vacation/message is not there")
        row = json.loads(site.do("box", "show", "joe@w.example", "--json"))
        eq(row["vacation"], TEXT)
        with open(f"{site.domain_path('w.example', 'v')}/.qmail-joe") as file:
            has(file.read(), "/popbox-vacation ")
        with open(f"{site.domain_path('w.example', 'v')}/.qmail-ann") as file:
            hasnt(file.read(), "|")
    with Site() as site:
        home = site.top + "/exnet"
        os.makedirs(home + "/users/joe/autoresponse")
        vmailmgr_cdb(home + "/passwd.cdb", [("joe", vmailmgr_value(MD5, "./users/joe"))])
        with open(home + "/users/joe/autoresponse/message.txt", "w") as file:
            file.write(TEXT)
        site.do("import", home, "--handle", "m", "--domain", "w.example")
        row = json.loads(site.do("box", "show", "joe@w.example", "--json"))
        eq(row["vacation"], TEXT)


@test("a genuine qmail-local delivers, runs the line, and a genuine qmail-queue takes the "
      "answer; without the program the message is delivered once", root=True)
def genuine():
    if not QMAIL:
        skip("there is no genuine qmail")
    with Site() as site:
        site.joe()
        shutil.copy(BUILD + "/popbox-vacation", site.top + "/popbox-vacation")
        site.settings({"vacation_program": site.top + "/popbox-vacation"})
        site.do("box", "set", "joe@example.com", "--vacation-text", TEXT)

        def local(sender):
            message = site.top + "/message"
            with open(message, "w") as file:
                file.write("To: joe@example.com\nSubject: Lunch?\n\nLunch?\n")
            with open(message) as file:
                return Result(subprocess.run(
                    [site.qmail + "/bin/qmail-local", "--", "popusr",
                     site.domain_path("example.com"), "ex1-example.com-joe", "-", "joe",
                     "example.com", sender, "./Mailbox"], stdin=file,
                    capture_output=True, user=UID, group=GID, extra_groups=[]))

        def queued(part):
            return [path for path in glob.glob(f"{site.qmail}/queue/{part}/**",
                                               recursive=True) if os.path.isfile(path)]

        box = site.box_path() + "/new"
        got = local("ann@x.org")
        eq(got.rc, 0, got)
        has(got.out, "popbox-vacation: answered")
        mess, = queued("mess")
        with open(mess) as file:
            text = file.read()
        has(text, "\nTo: ann@x.org\nSubject: Auto: Lunch?\n")
        has(text, "\nAuto-Submitted: auto-replied\n")
        todo, = queued("todo")
        with open(todo, "rb") as file:
            has(file.read().decode(), "F\0Tann@x.org\0")
        eq(len(os.listdir(box)), 1)
        has(local("ann@x.org").out, "within 7 days")
        eq(len(queued("mess")), 1)
        has(local("").out, "it is a bounce")
        os.remove(site.top + "/popbox-vacation")
        got = local("bob@x.org")
        eq(got.rc, 0, got)
        eq(len(os.listdir(box)), 4)


run()
