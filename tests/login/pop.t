#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The whole way: tcpserver, qmail-popup, popbox-checkpw, qmail-pop3d, and
clients that people use."""
import os
import poplib
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import CHECKPW, GOOD, QMAIL, Site, eq, has, run, skip, test


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(site, apop=True):
    """Starts the server of README; returns its port. Its log is a file."""
    port = free_port()
    program = (f"{site.qmail}/bin/qmail-pop3d", ".")
    env = dict(os.environ) if apop else {**os.environ, "NO_APOP": "1"}
    site.log = site.top + "/log"
    site.aged = []
    with open(site.log, "wb") as log:
        site.start("tcpserver", "-R", "-H", "-l", "0", "127.0.0.1", str(port),
                   f"{site.qmail}/bin/qmail-popup", "pop.example.com", CHECKPW,
                   "-d", site.store, *program, stderr=log, env=env,
                   stdin=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return port
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("tcpserver does not listen")


def lines(site):
    with open(site.log) as file:
        return [line for line in file.read().splitlines()
                if line.startswith("popbox-checkpw: ")]


def deliver(site, recipient="joe@example.com", text="hello over there"):
    """Through rcpthosts, virtualdomains, users/cdb, .qmail to the Maildir;
    then as old as a mail must be to be shown, each newer than those before,
    since qmail-pop3d orders by time alone."""
    done = subprocess.run(
        [f"{site.tools}/deliver", "sender@other.org", recipient],
        input=f"Subject: a test\n\n{text}\n".encode(), capture_output=True)
    eq(done.returncode, 0, done.stderr)
    for where, _, files in os.walk(site.home):
        for name in files:
            path = f"{where}/{name}"
            if where.endswith("/new") and path not in site.aged:
                site.aged.append(path)
                os.utime(path, (time.time() - 600 + len(site.aged),) * 2)


@test("curl fetches a message that was delivered by qmail's own rules")
def curl():
    """curl insists on APOP where the greeting offers it, which a store of
    hashes cannot answer: see the stand-in's NO_APOP."""
    if QMAIL:
        skip("the real greeting offers APOP, and curl insists on it")
    with Site().joe() as site:
        port = serve(site, apop=False)
        deliver(site)
        done = subprocess.run(
            ["curl", "-sS", "--user", f"joe@example.com:{GOOD}",
             f"pop3://127.0.0.1:{port}/1"], capture_output=True, timeout=30)
        eq(done.returncode, 0, done.stderr)
        has(done.stdout.decode(), "hello over there")
        has(done.stdout.decode(),
            "Delivered-To: example.com-joe@example.com")
        done = subprocess.run(
            ["curl", "-sS", "--user", "joe@example.com:wrong",
             f"pop3://127.0.0.1:{port}/1"], capture_output=True, timeout=30)
        assert done.returncode != 0
        got = lines(site)
        eq(len(got), 2, got)
        has(got[0], "accept ip=127.0.0.1 box=ex1-0001 user=joe@example.com")
        has(got[1], "refuse ip=127.0.0.1 reason=mismatch")


@test("python's poplib lists, reads and deletes, by address and by box name")
def pop():
    with Site().joe() as site:
        port = serve(site)
        deliver(site, text="first")
        deliver(site, text="second\n.\n.dots")
        client = poplib.POP3("127.0.0.1", port, timeout=30)
        client.user("ex1-0001")
        client.pass_(GOOD)
        eq(client.stat()[0], 2)
        body = b"\n".join(client.retr(2)[1]).decode()
        has(body, "second\n.\n.dots")
        eq(len(client.uidl()[1]), 2)
        client.dele(1)
        client.quit()
        client = poplib.POP3("127.0.0.1", port, timeout=30)
        client.user("JOE@Example.com")
        client.pass_(GOOD)
        eq(client.stat()[0], 1)
        client.quit()
        eq(len(os.listdir(site.box_path() + "/cur")), 1)


@test("mpop fetches into a mailbox")
def mpop():
    if not shutil.which("mpop"):
        skip("mpop is not installed")
    with Site().joe() as site:
        port = serve(site)
        deliver(site, text="for mpop")
        rc = site.top + "/mpoprc"
        with open(rc, "w") as file:
            file.write(f"account a\nhost 127.0.0.1\nport {port}\ntls off\n"
                       f"auth user\nuser joe@example.com\n"
                       f"passwordeval printf '%s' '{GOOD}'\n"
                       f"uidls_file {site.top}/uidls\n"
                       f"delivery mbox {site.top}/mbox\n")
        os.chmod(rc, 0o600)
        done = subprocess.run(["mpop", "-C", rc, "a"], capture_output=True,
                              timeout=60)
        eq(done.returncode, 0, done)
        with open(site.top + "/mbox") as file:
            has(file.read(), "for mpop")


@test("every failure looks the same to the client")
def same_answer():
    with Site().joe() as site:
        port = serve(site)
        answers = set()
        for login, password in (("joe@example.com", "x"), ("nobody@x.y", "x"),
                                ("ex1-0000", "x"), ("j" * 600, "x"),
                                ("\u00fc", "x")):
            with socket.create_connection(("127.0.0.1", port)) as client:
                file = client.makefile("rwb")
                file.readline()
                file.write(f"USER {login}\r\nPASS {password}\r\n".encode())
                file.flush()
                file.readline()
                answers.add(file.readline())
        shutil.rmtree(site.box_path())
        client = poplib.POP3("127.0.0.1", port, timeout=30)
        client.user("joe@example.com")
        try:
            client.pass_(GOOD)
        except poplib.error_proto as error:
            answers.add(error.args[0] + b"\r\n")
        eq(answers, {b"-ERR authorization failed\r\n"})


@test("an APOP login is refused like any other that does not match")
def apop():
    with Site().joe() as site:
        port = serve(site)
        client = poplib.POP3("127.0.0.1", port, timeout=30)
        try:
            client.apop("joe@example.com", GOOD)
            raise AssertionError("APOP was accepted")
        except poplib.error_proto:
            pass
        has(lines(site)[0], "reason=mismatch")


def session(client, results, together):
    client.user("joe@example.com")
    client.pass_(GOOD)
    results.append(client.stat()[0])
    # QUIT moves mail from new/ to cur/, past anyone who is still scanning.
    together.wait(60)
    client.quit()


@test("eight clients at once are all served")
def together():
    results, barrier = [], threading.Barrier(8)
    with Site().joe() as site:
        port = serve(site)
        deliver(site)
        clients = [poplib.POP3("127.0.0.1", port, timeout=60)
                   for _ in range(8)]
        threads = [threading.Thread(target=session, args=(client, results,
                                                           barrier))
                   for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eq(results, [1] * 8)


run()
