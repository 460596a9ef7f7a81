#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Dial-up deliveries: popbox serialmail run and popbox-maildirsmtp, against a
real SMTP server on loopback (aiosmtpd)."""
import asyncio
import fcntl
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import BUILD, GID, POPBOX, SANITIZED, UID, Site, eq, has, run, test
from aiosmtpd.controller import Controller

PREFIX = "h.org-"


class Server:
    """Takes mail, or answers as its rules say. Recipients choose: a local part
    that is a number is answered with it."""

    def __init__(self, tls=None, drop_at=None):
        self.mails, self.sessions, self.drop_at = [], set(), drop_at
        self.controller = Controller(
            self, hostname="127.0.0.1", port=0, tls_context=tls,
            require_starttls=tls is not None, ready_timeout=10)

    def __enter__(self):
        # A port of its own: the controller wants a number.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.controller.port = self.port
        self.controller.start()
        return self

    def __exit__(self, *exception):
        self.controller.stop()

    async def handle_RCPT(self, server, session, envelope, address, options):
        code = address.split("@")[0]
        if code.isdigit():
            return f"{code} said by the test"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.drop_at is not None and len(self.mails) >= self.drop_at:
            server.transport.close()
            await asyncio.sleep(0.1)
            return "421 gone"
        self.sessions.add(session.peer)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos,
                           bytes(envelope.content)))
        return "250 OK"


def dialup(site, port, name="h.org"):
    """A dial-up domain whose host is our server; its Maildir."""
    site.do("domain", "add", name, "--kind", "dialup", "--handle", "ex1",
            "--host", f"127.0.0.1:{port}")
    return f"{site.serial}/{name}/Maildir"


def put(maildir, number, to="joe", sender="s@x.org", body="hello\n",
        prefix=PREFIX):
    path = f"{maildir}/new/{1000000000 + number}.{number}.test"
    with open(path, "wb") as file:
        file.write(f"Return-Path: <{sender}>\nDelivered-To: {prefix}{to}@"
                   f"h.org\nSubject: {number}\n\n{body}".encode())
    os.chown(path, UID, GID)


def waiting(maildir):
    return sorted(os.listdir(maildir + "/new") + os.listdir(maildir + "/cur"))


def round_(site, *words, **kw):
    got = site.popbox("serialmail", "run", "--grace", "0", *words, **kw)
    eq(got.rc, 0, got)
    return got


@test("what waits is sent over one connection, envelope and lines as they were")
def delivers():
    with Site() as site, Server() as server:
        maildir = dialup(site, server.port)
        eq(site.deliver("Any.Body@h.org").rc, 0)
        put(maildir, 1, body=".dot\n..two\nlast without newline")
        put(maildir, 2, sender="", body="a\r\nb\n")
        os.rename(f"{maildir}/new/1000000002.2.test",
                  f"{maildir}/cur/1000000002.2.test:2,S")
        got = round_(site)
        has(got.err, "h.org: 3 sent, 0 failed, 0 left")
        eq(waiting(maildir), [])
        eq(len(server.sessions), 1, "one connection")
        eq({(m[0], tuple(m[1])) for m in server.mails},
           {("s@x.org", ("joe@h.org",)), ("<>", ("joe@h.org",)),
            ("s@x.org", ("Any.Body@h.org",))})
        bodies = {m[2] for m in server.mails}
        assert b"Subject: 1\r\n\r\n.dot\r\n..two\r\nlast without newline\r\n" \
            in bodies, bodies
        assert b"Subject: 2\r\n\r\na\r\nb\r\n" in bodies, bodies
        eq(round_(site).err, "", "nothing waits")


@test("4xx stays; 5xx, and what is no message for this host, is put apart with "
      "its reason; the others go")
def refused():
    with Site() as site, Server() as server:
        maildir = dialup(site, server.port)
        os.unlink(site.bin + "/qmail-inject")  # nobody can be told
        put(maildir, 1, prefix="other-")
        put(maildir, 2, sender="two words")
        for number, to in enumerate(("a", "450", "550", "b", "421", "c"), 3):
            put(maildir, number, to)
        got = round_(site, "--json")
        row = json.loads(got.out)
        eq(len(server.mails), row["sent"])
        eq((row["domain"], row["failed"]), ("h.org", 3))
        names = [f"100000000{n}.{n}.test" for n in (1, 2, 5)]
        eq(sorted(os.listdir(maildir + "/failed")),
           sorted(names + [name + ".reason" for name in names]))
        with open(maildir + "/failed/1000000005.5.test.reason") as file:
            has(file.read(), "550")
        has(got.err, "does not begin with the prefix")
        has(got.err, "has a blank")
        round_(site)
        # 421 is the server's good-bye: what comes behind it waits.
        eq([n.split(".")[1] for n in waiting(maildir)],
           ["4", "7", "8"])


@test("5xx is told to the sender by qmail-inject, where there is one to tell")
def bounces():
    with Site() as site, Server() as server:
        maildir = dialup(site, server.port)
        put(maildir, 1, "550", body="what was said\n")
        put(maildir, 2, "550", sender="")
        put(maildir, 3)
        got = round_(site)
        has(got.err, "h.org: 1 sent, 2 failed, 0 left")
        (sender, recipients, text), = site.queued()  # none of a bounce
        eq((sender, recipients), ("", ["s@x.org"]))
        for part in ("To: <s@x.org>\n", "<550@h.org>:\n", "550",
                     "Subject: 1\n\nwhat was said"):
            has(text, part)
        eq(text.count("Delivered-To"), 0)
        eq([n for n in os.listdir(maildir + "/failed")
            if "reason" not in n], ["1000000002.2.test"])


@test("the sender tells of a bounce once, and speaks to nobody else, where the "
      "caller ignores SIGCHLD and has closed its descriptors")
def bare_sender():
    def before():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.close(0)
        os.close(2)
    with Site() as site, Server() as server:
        maildir = dialup(site, server.port)
        put(maildir, 1, "550")
        put(maildir, 2, prefix="other-")  # a complaint
        put(maildir, 3)
        done = subprocess.run(
            [BUILD + "/popbox-maildirsmtp", maildir, PREFIX,
             f"127.0.0.1:{server.port}", "localhost"],
            stdout=subprocess.PIPE, preexec_fn=before, text=True, env={
                **os.environ,
                "POPBOX_INJECT": site.bin + "/qmail-inject"})
        eq(done.stdout, "sent 1 failed 2 left 0\n")
        eq(len(site.queued()), 1)
        eq(waiting(maildir), [])
        eq(sorted(os.listdir(maildir + "/failed")),
           ["1000000002.2.test", "1000000002.2.test.reason"])


@test("a server that is down or goes in the middle costs no message")
def down():
    with Site() as site:
        with Server(drop_at=2) as server:
            maildir = dialup(site, server.port)
            for number in range(6):
                put(maildir, number)
            round_(site)
            eq(len(server.mails), 2)
            eq(len(waiting(maildir)), 4)
        got = round_(site)
        has(got.err, "0 sent, 0 failed, 4 left")
        site.do("domain", "set", "h.org", "--host", "127.0.0.1:1")
        has(round_(site).err, "4 left")
        with Server() as server:
            site.do("domain", "set", "h.org", "--host",
                    f"127.0.0.1:{server.port}")
            round_(site)
            eq(len(server.mails), 4)
            eq(waiting(maildir), [])


@test("a RELAYHOST that is no host is never a word of a command: no sender is "
      "started, and the mail stays", root=True)
def no_host():
    with Site() as site:
        maildir = dialup(site, 9)
        put(maildir, 1)
        for text in ("-v", "-oX:25", "--", "", "\n", "a b", "$(id)", "a/b",
                     "a@b.org"):
            with open(os.path.dirname(maildir) + "/RELAYHOST", "w") as file:
                file.write(text + "\n")
            got = site.popbox("serialmail", "run", "--command", "/bin/true")
            eq(got.rc, 111, text)
            has(got.err, "h.org/RELAYHOST' names no host")
            eq(len(waiting(maildir)), 1)


@test("STARTTLS is used where it is offered")
def starttls():
    with Site() as site:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-keyout", site.top + "/key", "-out", site.top + "/cert", "-days",
             "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(site.top + "/cert", site.top + "/key")
        with Server(tls=context) as server:
            maildir = dialup(site, server.port)
            put(maildir, 1)
            round_(site)
            eq(len(server.mails), 1, "the server takes none without")


@test("a held lock, another round, and idle customers are passed over at once")
def locks():
    with Site() as site, Server() as server:
        maildir = dialup(site, server.port)
        put(maildir, 1)
        for path in (maildir, os.path.dirname(maildir) + "/RELAYHOST"):
            fd = os.open(path, os.O_RDONLY)
            fcntl.flock(fd, fcntl.LOCK_EX)
            eq(round_(site).err, "")
            os.close(fd)
        fd = os.open(site.serial, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        has(round_(site).err, "another round is under way")
        os.close(fd)
        eq(len(server.mails), 0)
        idle = 100 if SANITIZED else 1000
        with open(site.top + "/list", "w") as file:
            file.writelines(f"idle{n}.org\n" for n in range(idle))
        site.do("domain", "add", "--from", site.top + "/list", "--kind",
                "dialup", "--handle", "ex1")
        start = time.monotonic()
        site.do("serialmail", "run", "--grace", "30")
        assert time.monotonic() - start < 25, "grace only between starts"
        eq(len(server.mails), 1)


@test("killed in the middle nothing is lost, and doubled only what was unread",
      plain=True)
def killed():
    with Site() as site, Server() as server:
        maildir = dialup(site, server.port)
        kills = 8
        for number in range(120):
            put(maildir, number)
        for turn in range(kills):
            process = subprocess.Popen(
                [POPBOX, "-d", site.store, "serialmail", "run", "--grace",
                 "0"], stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(0.02 + 0.012 * turn)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for _ in range(3):
            time.sleep(0.2)
            round_(site)
        eq(waiting(maildir), [])
        subjects = [m[2].split(b"\r\n")[0] for m in server.mails]
        eq(len(set(subjects)), 120, "every message arrived")
        assert len(subjects) <= 120 + kills, len(subjects)


@test("many messages to many hosts, side by side, each sender within its time",
      plain=True)
def many():
    with Site() as site, Server() as server:
        boxes = [dialup(site, server.port, f"c{n}.org") for n in range(4)]
        for number in range(1000):
            put(boxes[number % 4], number, prefix=f"c{number % 4}.org-")
        got = round_(site, "--jobs", "3")
        eq(got.err.count("250 sent, 0 failed, 0 left"), 4, got)
        eq(len(server.mails), 1000)
        put(boxes[0], 1)
        got = site.popbox("serialmail", "run", "--command", "/nowhere/x")
        eq(got.rc, 111)
        has(got.err, "cannot run the sender")
        script = site.top + "/slow"
        with open(script, "w") as file:
            file.write("#!/bin/sh\nexec sleep 60\n")
        os.chmod(script, 0o755)
        start = time.monotonic()
        got = round_(site, "--limit", "1", "--command", script)
        has(got.err, "ended at its time limit")
        assert time.monotonic() - start < 20
        for words in (("--jobs", "0"), ("--grace", "x"), ("--limit", "0"),
                      ("--command", "")):
            eq(site.popbox("serialmail", "run", *words).rc, 2)


@test("the sender alone: usage, a directory that is none")
def alone():
    program = BUILD + "/popbox-maildirsmtp"
    done = subprocess.run([program], capture_output=True, text=True)
    eq(done.returncode, 2)
    has(done.stderr, "DIR PREFIX RELAYHOST HELO")
    done = subprocess.run([program, "/nowhere", "p-", "h", "me"],
                          capture_output=True, text=True)
    eq(done.returncode, 111)
    has(done.stderr, "No such file")


run()
