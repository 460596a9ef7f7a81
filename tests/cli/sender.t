#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""popbox-maildirsmtp against servers that answer as each test says: what goes
over the wire, which answer decides what, and who is told of a refusal."""
import os
import re
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import BUILD, Site, eq, has, hasnt, run, test

SENDER = BUILD + "/popbox-maildirsmtp"
END = b"END OF DATA"


class Script:
    """answer(connection, line) gives the reply to a line, or to END; None
    closes the connection. Counts connections from 1; keeps what came."""

    def __init__(self, answer=None, greet=lambda connection: b"220 hi\r\n"):
        self.answer = answer or (lambda connection, line: plain(line))
        self.greet, self.lines, self.data = greet, [], []

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        # Closed under a thread that is about to accept, its descriptor could be
        # the next server's by then.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(60)
        self.socket.close()

    def serve(self):
        connection = 0
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            connection += 1
            try:
                with client, client.makefile("rb") as file:
                    self.talk(connection, client, file)
            except OSError:
                pass

    def talk(self, connection, client, file):
        client.sendall(self.greet(connection))
        for line in file:
            self.lines.append(line)
            reply = self.answer(connection, line)
            if reply is None:
                return
            client.sendall(reply)
            if reply.startswith(b"354"):
                data = [b"\r\n"]
                while data[-1] != b".\r\n" or \
                        not data[-2].endswith(b"\r\n"):
                    data.append(file.readline())
                    if not data[-1]:
                        return
                self.data.append(b"".join(data[1:]))
                reply = self.answer(connection, END)
                if reply is None:
                    return
                client.sendall(reply)


def plain(line):
    """What a server says that takes everything."""
    word = line[:4].upper()
    return b"354 go on\r\n" if word == b"DATA" else \
        b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n"


def but(**replies):
    """... but for the lines that begin with a word, or END."""
    def answer(connection, line):
        for word, reply in replies.items():
            if line == END if word == "END" else \
                    line.upper().startswith(word.encode()):
                return reply(connection) if callable(reply) else reply
        return plain(line)
    return answer


def letter(sender=b"s@x.org", to=b"joe@h.org", body=b"Subject: x\n\nhello\n"):
    return b"Return-Path: <" + sender + b">\nDelivered-To: h.org-" + to + \
        b"\n" + body


class Maildir:
    def __init__(self, site, *letters):
        self.path = site.top + "/m"
        self.site = site
        self.inject = site.bin + "/qmail-inject"
        for part in ("new", "cur", "tmp"):
            os.makedirs(f"{self.path}/{part}")
        for number, text in enumerate(letters):
            with open(f"{self.path}/new/{self.name(number)}", "wb") as file:
                file.write(text)

    @staticmethod
    def name(number):
        return f"{1000000000 + number}.{number}.t"

    def send(self, server, prefix=()):
        """Counts that the sender said: sent, failed, left."""
        self.done = subprocess.run(
            [*prefix, SENDER, self.path, "h.org-",
             f"127.0.0.1:{server.port}", "me.example"], capture_output=True,
            timeout=120, env={**os.environ, "POPBOX_INJECT": self.inject})
        counts = tuple(int(n) for n in re.findall(rb"\d+", self.done.stdout))
        eq(len(counts), 3, self.done)
        eq(self.done.returncode, 111 if counts[1] or counts[2] else 0,
           self.done)
        return counts

    def waiting(self):
        return sorted(os.listdir(self.path + "/new"))

    def failed(self):
        """Messages that were put apart, with their reasons."""
        found = {}
        for name in os.listdir(self.path + "/failed"):
            if not name.endswith(".reason"):
                with open(f"{self.path}/failed/{name}.reason") as file:
                    found[name] = file.read()
        return found

    def told(self):
        """Sender and recipients of what qmail-inject took."""
        return [(sender, to) for sender, to, _ in self.site.queued()]


@test("nobody is told of a refused bounce, of qmail's double bounces neither")
def double_bounce():
    with Site() as site, Script(but(RCPT=b"550 no\r\n")) as server:
        maildir = Maildir(site, letter(b""), letter(b"#@[]"),
                          letter(b"list-@x.org-@[]"), letter(b"a@x.org"))
        eq(maildir.send(server), (0, 4, 0))
        eq(maildir.told(), [("", ["a@x.org"])])
        eq(sorted(maildir.failed()), [maildir.name(n) for n in range(3)])


@test("a sender that begins with a hyphen is an address of qmail-inject's")
def hyphen():
    with Site() as site, Script(but(RCPT=b"550 no\r\n")) as server:
        maildir = Maildir(site, letter(b"-fwho@evil.example"))
        eq(maildir.send(server), (0, 1, 0))
        eq(maildir.told(), [("", ["-fwho@evil.example"])])
        eq(maildir.waiting(), [])


@test("a message that can never be sent is put apart with the reason, and the "
      "others go")
def never():
    with Site() as site, Script() as server:
        texts = {
            b"": "does not begin with Return-Path",
            b"Subject: x\n\nhello\n": "does not begin with Return-Path",
            b"Return-Path: <s@x.org>\nDelivered-To: k.org-joe@h.org\n\nx\n":
            "does not begin with the prefix",
            letter(b"two words"): "has a blank",
            letter("jörg@x.org".encode()): "beyond ASCII",
            letter(to="jörg@x.org".encode()): "beyond ASCII",
            letter(to=b"joe>@h.org"): "bracket",
            letter(b"s" * 2000): "too long",
        }
        maildir = Maildir(site, *texts, letter())
        os.mkdir(f"{maildir.path}/new/1000000100.dir")
        os.symlink("/etc/passwd", f"{maildir.path}/new/1000000101.link")
        os.mkfifo(f"{maildir.path}/new/1000000102.pipe")
        with open(f"{maildir.path}/new/1000000103.big", "wb") as file:
            file.write(letter())
            file.truncate((1 << 30) + 1)
        eq(maildir.send(server), (1, len(texts) + 4, 0))
        eq(maildir.waiting(), [])
        failed = maildir.failed()
        for number, (text, why) in enumerate(texts.items()):
            has(failed[maildir.name(number)], why)
            has(maildir.done.stderr.decode(), why)
        for name in ("1000000100.dir", "1000000101.link", "1000000102.pipe"):
            has(failed[name], "no regular file")
        has(failed["1000000103.big"], "larger than")
        eq(len(server.data), 1)


@test("a message that cannot be read at the moment stays, and is named",
      plain=True)
def unreadable():
    with Site() as site, Script() as server:
        maildir = Maildir(site, letter(), letter(b"t@x.org"))
        path = f"{maildir.path}/new/{maildir.name(0)}"
        eq(maildir.send(server, ("strace", "-o", "/dev/null", "-P", path,
                                 "-P", f"new/{maildir.name(0)}", "-e",
                                 "trace=openat,read", "-e",
                                 "inject=openat:error=EMFILE")), (1, 0, 1))
        has(maildir.done.stderr.decode(), "Too many open files")
        eq(maildir.waiting(), [maildir.name(0)])
        eq(maildir.send(server, ("strace", "-o", "/dev/null", "-P", path,
                                 "-e", "trace=read", "-e",
                                 "inject=read:error=EIO")), (0, 0, 1))
        has(maildir.done.stderr.decode(), "Input/output error")
        eq(maildir.waiting(), [maildir.name(0)])


@test("any answer of 2xx to the message itself means that it was taken")
def other_success():
    for reply in (b"250 ok\r\n", b"251 ok\r\n", b"299-well\r\n299 done\r\n"):
        with Site() as site, Script(but(END=reply)) as server:
            maildir = Maildir(site, letter(), letter(b"t@x.org"))
            eq(maildir.send(server), (2, 0, 0), reply)
            eq(maildir.waiting(), [])
            eq(len(server.data), 2, "each once")


@test("2xx where another answer is due means nothing for the message")
def success_elsewhere():
    for replies in ({"DATA": b"250 ok\r\n"}, {"END": b"354 go on\r\n"},
                    {"END": b"150 wait\r\n"}, {"END": None}):
        with Site() as site, Script(but(**replies)) as server:
            maildir = Maildir(site, letter())
            eq(maildir.send(server)[:2], (0, 0), replies)
            eq(maildir.waiting(), [maildir.name(0)], replies)


@test("5xx refuses a message at each of its steps, be it as short as it may; "
      "before its first step nothing is said of it")
def refusals():
    for step in ("MAIL", "RCPT", "DATA", "END"):
        with Site() as site, Script(but(**{step: b"554 no\r\n"})) as server:
            maildir = Maildir(site, letter(body=b""), letter(b"t@x.org"))
            eq(maildir.send(server), (0, 2, 0), step)
            eq(len(maildir.told()), 2, step)
            eq(maildir.waiting(), [], step)
    for replies in ({"EHLO": b"554 no\r\n", "HELO": b"554 no\r\n"}, {}):
        with Site() as site, Script(
                but(**replies), greet=lambda connection:
                b"220 hi\r\n" if replies else b"554 go away\r\n") as server:
            maildir = Maildir(site, letter(), letter(b"t@x.org"))
            eq(maildir.send(server), (0, 0, 2), replies)
            eq(len(maildir.waiting()), 2)
            assert not os.path.exists(maildir.path + "/failed")


@test("4xx at each step leaves this message alone; 421 leaves all of them")
def later():
    for step in ("MAIL", "RCPT", "DATA", "END"):
        for code, sent in ((b"450", 1), (b"421", 0)):
            turn = []

            def once(connection):
                turn.append(step)
                return code + b" later\r\n" if len(turn) == 1 else \
                    b"354 go on\r\n" if step == "DATA" else b"250 ok\r\n"
            with Site() as site, Script(but(**{step: once})) as server:
                maildir = Maildir(site, letter(), letter(b"t@x.org"))
                eq(maildir.send(server), (sent, 0, 2 - sent), (step, code))
                eq(maildir.waiting(), [maildir.name(n)
                                       for n in range(2 - sent)])


@test("an answer to one message is none to the next")
def fresh_answer():
    def gone(connection):
        return b"550 no\r\n" if connection == 1 and not server.rcpt else None
    with Site() as site, Script() as server:
        server.rcpt = []
        server.answer = but(RCPT=lambda connection: b"550 no\r\n"
                            if not server.rcpt.append(1) and
                            len(server.rcpt) == 1 else None)
        maildir = Maildir(site, letter(), letter(b"t@x.org"))
        eq(maildir.send(server), (0, 1, 1))
        eq(maildir.waiting(), [maildir.name(1)])
    with Site() as site, Script(
            but(MAIL=lambda connection: b"250 ok\r\n" if connection == 1
                and not server.data else None), greet=lambda connection:
            b"220 hi\r\n" if connection == 1 else b"554 no\r\n") as server:
        maildir = Maildir(site, letter(), letter(b"t@x.org"),
                          letter(b"u@x.org"))
        eq(maildir.send(server), (1, 0, 2))
        eq(len(maildir.waiting()), 2)


@test("nothing but CR LF ends a line on the wire, and each dot at the start of "
      "one is doubled")
def line_ends():
    bodies = {
        b"a\n.\nMAIL FROM:<e@x>\n..two\n": b"a\r\n..\r\nMAIL FROM:<e@x>\r\n"
                                            b"...two\r\n",
        b"a\r\n.\r\nb\r\n": b"a\r\n..\r\nb\r\n",
        b"a\r.\rb\r": b"a . b \r\n",
        b"a\r\r\n.\n\r.\n\r": b"a \r\n..\r\n .\r\n \r\n",
        b"\n\r\n\n": b"\r\n\r\n\r\n",
        b".": b"..\r\n",
        b"": b"",
        b"x" * 20000 + b"\r" + b"y" * 70000 + b"\n.\n":
        b"x" * 20000 + b" " + b"y" * 70000 + b"\r\n..\r\n",
        b"\n." * 50000: b"\r\n.." * 50000 + b"\r\n",
        b"\r" * 70001: b" " * 70001 + b"\r\n",
    }
    with Site() as site, Script() as server:
        maildir = Maildir(site, *(letter(body=b"Subject: t\n\n" + body)
                                  for body in bodies),
                          letter(body=b".first\n"))
        eq(maildir.send(server), (len(bodies) + 1, 0, 0))
        for got, want in zip(server.data, bodies.values()):
            eq(got, b"Subject: t\r\n\r\n" + want + b".\r\n")
        eq(server.data[-1], b"..first\r\n.\r\n")


@test("a refusal tells the sender the reason and how his message began")
def bounce_text():
    with Site() as site, Script(but(RCPT=b"550 no\r\n")) as server:
        maildir = Maildir(
            site, letter(b"a@x.org", body=b"Subject: one\n\nbody one\n"),
            letter(b"b@x.org", body=b"Subject: two\n\n" + b"long\n" * 100000))
        eq(maildir.send(server), (0, 2, 0))
        first, second = [text for _, _, text in site.queued()]
        for part in ("From: <MAILER-DAEMON@me.example>\n", "To: <a@x.org>\n",
                     "<joe@h.org>:\n", "550", "Subject: one\n\nbody one\n"):
            has(first, part)
        hasnt(first, "Delivered-To")
        hasnt(first, "left out")
        has(second, "Subject: two\n\nlong\nlong\n")
        assert len(second) < 200000, len(second)
        has(second, "\n--- The rest of the message is left out.\n")


@test("who was not told keeps the message: a qmail-inject that fails, is ended, "
      "is missing or does not read to the end has told nobody")
def not_told():
    for script in ("#!/bin/sh\ncat >/dev/null\nexit 111\n",
                   "#!/bin/sh\ncat >/dev/null\nkill -9 $$\n", None,
                   "#!/bin/sh\nsleep 0.5\nexit 0\n"):
        with Site() as site, Script(but(RCPT=b"550 no\r\n")) as server:
            # As long as a pipe is, and a little more, which goes last.
            maildir = Maildir(site, letter(body=b"x\n" * 32900))
            maildir.inject = site.top + "/inject"
            if script:
                with open(maildir.inject, "w") as file:
                    file.write(script)
                os.chmod(maildir.inject, 0o755)
            eq(maildir.send(server), (0, 1, 0), script)
            has(maildir.failed()[maildir.name(0)], "550")


@test("a reason is on the disk before its message is moved",
      plain=True)
def reason_first():
    with Site() as site, Script(but(RCPT=b"550 no\r\n")) as server:
        maildir = Maildir(site, letter(b""))
        trace = site.top + "/trace"
        eq(maildir.send(server, ("strace", "-y", "-o", trace, "-e",
                                 "trace=fsync,renameat,renameat2,rename")),
           (0, 1, 0))
        with open(trace) as file:
            calls = [line.split("=")[0] for line in file
                     if "failed" in line]
        eq([call[:5] for call in calls], ["fsync", "renam"], calls)
        has(calls[0], ".reason")


@test("what cannot be put apart stays where it was",
      plain=True)
def not_apart():
    for call, when in (("mkdirat", 1), ("fsync", 1), ("renameat", 1)):
        with Site() as site, Script(but(RCPT=b"550 no\r\n")) as server:
            maildir = Maildir(site, letter(b""))
            maildir.send(server, (
                "strace", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                f"inject={call}:error=EIO:when={when}"))
            eq(maildir.waiting(), [maildir.name(0)], call)
            has(maildir.done.stderr.decode(), "Input/output error")


@test("a message that was sent and cannot be removed ends the run, so that no "
      "other is sent twice as well", plain=True)
def not_removed():
    with Site() as site, Script() as server:
        maildir = Maildir(site, letter(), letter(b"t@x.org"))
        eq(maildir.send(server, (
            "strace", "-o", "/dev/null", "-e", "trace=unlinkat", "-e",
            "inject=unlinkat:error=EIO")), (1, 0, 1))
        has(maildir.done.stderr.decode(), "was sent, but cannot be removed")
        eq(len(server.data), 1)


@test("names of files reach the terminal without control characters")
def names():
    with Site() as site, Script() as server:
        maildir = Maildir(site)
        with open(maildir.path + "/new/1\x1b[31m\x9b", "wb") as file:
            file.write(b"x")
        eq(maildir.send(server), (0, 1, 0))
        eq([c for c in maildir.done.stderr if c < 32 and c != 10 or c > 126],
           [])


run()
