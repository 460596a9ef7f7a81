#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A verdict for who is not root: popbox-askpw hands the record to `popbox-checkpw
--verdict` over a Unix socket, as s6-ipcserver serves it."""
import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dovecot import Dovecot
from tap import (BUILD, CHECKPW, GID, GOOD, TREE, UID, Result, Site, as_third, eq,
                 has, hasnt, record, run, skip, test)

ASKPW = BUILD + "/popbox-askpw"
SQMAIL = os.environ.get("SQMAIL")  # a directory with s/qmail's qmail-smtpd
NOBODY = 65534
ANSWERS = {0: "accept\tjoe@example.com\tex1-0001\t", 1: "refuse\n", 111: "error\n"}
# What the program behind a login says of itself.
SAYS = ("sh", "-c", 'echo "$USER $POPBOX_BOX $HOME $MAILDIR"; id -u; pwd')


class Shop(Site):
    """joe, and a service that answers at a socket."""

    def __init__(self, *options, **settings):
        super().__init__(qmail=False, **settings)
        self.joe()
        self.path = self.top + "/verdict"
        self.log = self.top + "/log"
        self.serve(*options)

    def serve(self, *options):
        if not shutil.which("s6-ipcserver"):
            skip("s6-ipcserver is not installed")
        with open(self.log, "ab") as log:
            self.server = self.start(
                "s6-ipcserver", "-a", "0666", self.path, CHECKPW, "-d",
                self.store, *options, "--verdict", stderr=log)
        until(lambda: os.path.exists(self.path))

    def logged(self):
        with open(self.log) as file:
            return [line for line in file.read().splitlines()
                    if line.startswith("popbox-checkpw:")]


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def start(raw, *words, path, user=NOBODY, env=None, options=()):
    """popbox-askpw as that user, with the record on descriptor 3."""
    reader, writer = os.pipe()
    with as_third(reader):
        process = subprocess.Popen(
            [ASKPW, *options, path, *words], stdin=subprocess.DEVNULL, cwd="/",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False,
            user=user if os.geteuid() == 0 else None,
            env={"PATH": "/usr/bin:/bin", "TCPREMOTEIP": "192.0.2.9",
                 **(env or {})})
    os.close(reader)
    try:
        os.write(writer, raw)
    except BrokenPipeError:
        pass
    os.close(writer)
    return process


def ask(site, login="joe@example.com", password=GOOD, *words, raw=None, path=None,
        **more):
    raw = record(login, password) if raw is None else raw
    process = start(raw, *(words or SAYS), path=path or site.path, **more)
    out, err = process.communicate(timeout=100)
    return Result(subprocess.CompletedProcess([], process.returncode, out, err))


@test("an accepted login runs the program, as the user who asked; the log says who "
      "asked, for whom, and from where", root=True)
def accepted():
    with Shop("--service", "smtp") as site:
        got = ask(site)
        eq((got.rc, got.err), (0, ""), got)
        maildir = f"{site.home}/e/ex1/POP/ex1-0001"
        eq(got.out.splitlines(),
           [f"joe@example.com ex1-0001 {maildir} {maildir}", str(NOBODY), "/"])
        eq(site.logged(), ["popbox-checkpw: accept ip=192.0.2.9 box=ex1-0001 "
                           f"service=smtp peer={NOBODY} user=joe@example.com"])
        # The program's own code is the answer to who asked.
        eq(ask(site, "joe@example.com", GOOD, "sh", "-c", "exit 7").rc, 7)


@test("what the login program refuses is refused, at the same moment; nothing runs",
      root=True)
def refused():
    with Shop(refuse_delay_ms="300") as site:
        site.do("domain", "add", "off.example", "--handle", "ex2")
        site.do("box", "add", "ann@off.example", "--stdin", input=GOOD + "\n")
        site.do("handle", "suspend", "ex2")
        for login, password, reason in (
                ("joe@example.com", "wrong", "mismatch"),
                ("nobody@example.com", GOOD, "unknown"),
                ("ann@off.example", GOOD, "handle-suspended"),
                ("", "", "unknown")):
            began = time.monotonic()
            got = ask(site, login, password)
            assert time.monotonic() - began >= 0.3
            eq((got.rc, got.out, got.err), (1, "", ""), login)
            eq(site.logged()[-1], "popbox-checkpw: refuse ip=192.0.2.9 "
               f"reason={reason} peer={NOBODY} user={login or '-'}")


@test("no service, no store, a service that ends: cannot tell, and nothing runs",
      root=True)
def away():
    with Shop() as site:
        data = site.store + "/data.mdb"
        os.rename(data, data + ".away")
        got = ask(site)
        eq((got.rc, got.out), (111, ""))
        has(got.err, "; its log says why")
        has(site.logged()[-1], 'error ip=- reason="store: not found" peer=')
        os.rename(data + ".away", data)
        eq(ask(site).rc, 0)
        # Its rights are the socket's.
        os.chmod(site.path, 0o600)
        got = ask(site)
        eq((got.rc, got.out), (111, ""))
        has(got.err, f"popbox-askpw: {site.path}: Permission denied")
        site.server.terminate()
        site.server.wait()
        got = ask(site, user=0)
        eq((got.rc, got.out), (111, ""))
        has(got.err, "Connection refused")
        os.unlink(site.path)
        has(ask(site).err, "No such file or directory")
        got = ask(site, path="/" + "x" * 200)
        eq(got.rc, 111)
        has(got.err, "File name too long")


class Fake:
    """A service that answers what it is told, and keeps what it was sent."""

    def __init__(self, answer, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        self.sent = b""
        self.thread = threading.Thread(target=self.one, args=(answer,))
        self.thread.start()

    def one(self, answer):
        with self.socket, self.socket.accept()[0] as peer:
            while more := peer.recv(4096):
                self.sent += more
            peer.sendall(answer)


def answered(answer, **more):
    """askpw's result, and what it had sent."""
    with Site(qmail=False, init=False) as site:
        fake = Fake(answer, site.top + "/fake")
        got = ask(site, path=site.top + "/fake", user=os.geteuid(), **more)
        fake.thread.join()
        return got, fake.sent


@test("an answer is one whole line, or it is none")
def answers():
    good = b"accept\tjoe@example.com\tex1-0001\t/home/x\n"
    eq(answered(good)[0].out.splitlines()[0],
       "joe@example.com ex1-0001 /home/x /home/x")
    eq(answered(b"refuse\n")[0].rc, 1)
    for bad in (b"", b"a", b"refuse", b"refuse\n\n", b"Refuse\n", b"error\n",
                b"accept\n", b"accept\t\n", good[:-1], good + b"x", good + good,
                good.replace(b"\tex1-0001", b""), good.replace(b"joe", b"\0"),
                good.replace(b"/home/x", b""), good.replace(b"joe@example.com", b""),
                good.replace(b"/x", b"/x\ty"), good.replace(b"joe", b"j\n"),
                b"accept joe ex1-0001 /home/x\n", b"x" * 5000,
                b"accept\tj\tb\t/" + b"x" * 5000 + b"\n"):
        got, _ = answered(bad)
        eq((got.rc, got.out), (111, ""), bad)
        has(got.err, "popbox-askpw: the service: ")


@test("the client's address goes along, where there is room for it; nothing else of "
      "the environment does")
def client():
    raw = record("joe@example.com", GOOD)
    eq(answered(b"refuse\n")[1], raw + b"192.0.2.9\0")
    eq(answered(b"refuse\n", env={"TCPREMOTEIP": ""})[1], raw + b"\0")
    # What may follow the three fields stays behind.
    eq(answered(b"refuse\n", raw=raw + b"more")[1], raw + b"192.0.2.9\0")
    full = record("joe@example.com", "x" * (512 - len(record("joe@example.com", ""))))
    eq(answered(b"refuse\n", raw=full)[1], full)


@test("an address that is none is not logged: the log's lines stay whole", root=True)
def forged():
    with Shop() as site:
        for forged_ip in ("x user=root", "192.0.2.1 reason=x", "1" * 300,
                          "192.0.2.7\npopbox-checkpw: accept", ""):
            eq(ask(site, env={"TCPREMOTEIP": forged_ip}).rc, 0)
            eq(site.logged()[-1], "popbox-checkpw: accept ip=- box=ex1-0001 "
               f"peer={NOBODY} user=joe@example.com")
        eq(ask(site, env={"TCPREMOTEIP": "2001:db8::1"}).rc, 0)
        has(site.logged()[-1], "accept ip=2001:db8::1 box=")


@test("wrong use is answered with 2: no program, no record, one that is too long or "
      "has too few fields")
def misuse():
    with Site(qmail=False, init=False) as site:
        for raw in (b"", b"joe\0x", b"joe\0x\0y", b"x" * 512):
            got = ask(site, raw=raw, path="/nowhere")
            eq((got.rc, got.out), (2, ""), raw)
            has(got.err, "fewer than three NULs")
        got = ask(site, raw=record("joe", "x" * 510), path="/nowhere")
        eq(got.rc, 2)
        has(got.err, "longer than 512 bytes")
        for words in ((), ("/nowhere",), ("--help",), ("-x", "/nowhere", "true")):
            got = subprocess.run([ASKPW, *words], capture_output=True, text=True)
            eq(got.returncode, 2, words)
            has(got.stderr, "usage: popbox-askpw [--service NAME | --dovecot] SOCKET prog")
        got = subprocess.run([ASKPW, "/nowhere", "true"], capture_output=True,
                             text=True)
        eq(got.returncode, 2)
        has(got.stderr, "descriptor 3 is closed")
        got = subprocess.run([ASKPW, "--version"], capture_output=True, text=True)
        eq(got.returncode, 0)
        has(got.stdout, "popbox-askpw ")
        got, _ = answered(b"accept\tj\tb\t/\n", env={"PATH": "/nowhere"})
        eq((got.rc, got.out), (111, ""))
        has(got.err, "popbox-askpw: sh: No such file")


@test("a service that does not answer is waited for a minute, and no longer",
      root=True)
def silent():
    with Site(qmail=False, init=False) as site:
        trace = site.top + "/trace"
        got = subprocess.run(["strace", "-o", trace, "-e", "trace=alarm,setitimer,"
                              "connect", ASKPW, "/nowhere", "true"],
                             input=record("joe", "x"), capture_output=True,
                             preexec_fn=lambda: os.dup2(0, 3), close_fds=False)
        eq(got.returncode, 111, got.stderr)
        with open(trace) as file:
            calls = file.read().splitlines()
        # Set before the first thing that may wait.
        assert re.match(r"alarm\(60\)|setitimer\(ITIMER_REAL, .*tv_sec=60,",
                        calls[0]), calls
        assert calls[1].startswith("connect("), calls
    with Site(qmail=False, init=False) as site:
        path = site.top + "/silent"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            process = start(record("joe", "x"), "true", path=path,
                            user=os.geteuid())
            peer, _ = listener.accept()
            with peer:
                while peer.recv(4096):
                    pass
                process.send_signal(signal.SIGALRM)
                out, err = process.communicate(timeout=20)
        eq((process.returncode, out), (111, b""))
        eq(err, b"popbox-askpw: no answer in 60 seconds\n")


def converse(site, data, end=True):
    """What the service answers to bytes."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(30)
        peer.connect(site.path)
        peer.sendall(data)
        if end:
            peer.shutdown(socket.SHUT_WR)
        answer = b""
        while more := peer.recv(4096):
            answer += more
        return answer.decode()


@test("a login is judged by the switch of the service that asks: of the command line, "
      "of the record, else pop; one without a switch needs any that is on")
def services():
    with Shop() as site:
        raw = record("joe@example.com", GOOD) + b"192.0.2.1\0"

        def told(service=None, data=raw):
            return converse(site, data + (service.encode() + b"\0" if service
                                          else b"")).split("\t")[0].strip()
        site.do("box", "set", "ex1-0001", "--login", "smtp=off,pop=off")
        for service, want in ((None, "refuse"), ("pop", "refuse"),
                              ("pop3", "refuse"), ("smtp", "refuse"),
                              ("submission", "refuse"), ("imap", "accept"),
                              ("webmail", "accept"), ("ftp", "accept"),
                              ("No Service", "refuse"), ("x" * 17, "refuse")):
            eq(told(service), want, service)
        has(site.logged()[-1], "reason=service-off peer=")
        eq(converse(site, raw + b"imap"), ANSWERS[1], "no NUL")
        site.do("box", "set", "ex1-0001", "--login", "imap=off,webmail=off")
        for service in ("imap", "ftp", None):
            eq(told(service), "refuse", service)
        site.do("box", "set", "ex1-0001", "--login", "pop=on")
        eq(told(), "accept")
        eq(told("ftp"), "accept")
        # popbox-askpw says it, with the client's address or without.
        for ip in ("192.0.2.7", ""):
            env = {"SERVICE": "imap", "TCPREMOTEIP": ip}
            for options, code in (((), 0), (("--service", "imap"), 1),
                                  (("--service", "pop"), 0),
                                  (("--dovecot",), 1)):
                process = start(record("joe@example.com", GOOD), "true",
                                options=options, path=site.path,
                                user=os.geteuid(), env=env)
                process.communicate(timeout=60)
                eq(process.returncode, code, (ip, options))
            has(site.logged()[-1], f"ip={ip or '-'} reason=service-off "
                "service=imap peer=")
        for options in (("--service",), ("--dovecot",), ("--imap",)):
            process = start(record("joe@example.com", GOOD), "true",
                            options=options, path=site.path,
                            user=os.geteuid(), env={})
            process.communicate(timeout=60)
            eq(process.returncode, 2, options)
        # What does not fit is no login by another service.
        long = b"joe@example.com\0" + b"x" * 487 + b"\0stamp\0"
        process = start(long, "true", options=("--service", "webmail"),
                        path=site.path, user=os.geteuid(), env={})
        eq(process.communicate(timeout=60)[1][:45],
           b"popbox-askpw: request: longer than 512 bytes\n")
    with Shop("--service", "smtp") as site:
        site.do("box", "set", "ex1-0001", "--login", "smtp=off")
        eq(converse(site, record("joe@example.com", GOOD) + b"-\0imap\0"),
           ANSWERS[1])
        has(site.logged()[-1], "reason=service-off service=smtp peer=")


@test("the service answers every record with one line, and a torn one with error")
def records():
    with Shop() as site:
        raw = record("joe@example.com", GOOD)
        maildir = f"{site.home}/e/ex1/POP/ex1-0001\n"
        eq(converse(site, raw), ANSWERS[0] + maildir)
        for more in (b"192.0.2.1\0", b"x", b"\0", b"192.0.2.1\0x\0"):
            eq(converse(site, raw + more), ANSWERS[0] + maildir, more)
        for at in range(len(raw)):
            eq(converse(site, raw[:at]), ANSWERS[111], raw[:at])
        with contextlib.suppress(ConnectionResetError):  # it reads no further
            eq(converse(site, raw + b"x" * 500), ANSWERS[111])
        has(site.logged()[-1], "longer than 512 bytes")
        eq(converse(site, record("joe@example.com", "wrong")), ANSWERS[1])
        # A box has no address: it is called by its name.
        site.do("address", "del", "joe@example.com", "--yes")
        eq(converse(site, record("ex1-0001", GOOD)),
           "accept\tex1-0001\tex1-0001\t" + maildir)


@test("whoever asks and does not end, or does not wait for the answer, has his own "
      "process alone, which ends")
def slow():
    with Shop() as site:
        began = time.monotonic()
        eq(converse(site, b"joe@example.com\0", end=False), ANSWERS[111])
        assert 9 < time.monotonic() - began < 29
        has(site.logged()[-1], 'error ip=- reason="request: it did not end in time"')
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(site.path)
                peer.sendall(record("joe@example.com", GOOD))
        until(lambda: len(site.logged()) == 6)
        eq(converse(site, record("joe@example.com", "wrong")), ANSWERS[1])


@test("--verdict runs no program, --service is a word of the log")
def words():
    with Site(qmail=False).joe() as site:
        for args in (("--verdict", "true"), ("--service", "smtp"),
                     ("--service", "smtp", "true"),
                     ("--service", "", "--verdict"),
                     ("--service", "a b", "--verdict"),
                     ("--service", "x" * 17, "--verdict"),
                     ("--service", "Ä", "--verdict")):
            got = subprocess.run([CHECKPW, "-d", site.store, *args], text=True,
                                 stdin=subprocess.DEVNULL, capture_output=True)
            eq(got.returncode, 2, args)
            has(got.stderr, "--verdict")
            eq(got.stdout, "", args)
        # Through a pipe nobody is known.
        got = subprocess.run([CHECKPW, "-d", site.store, "--verdict"],
                             input=record("joe@example.com", GOOD),
                             capture_output=True,
                             env={**os.environ, "TCPREMOTEIP": "192.0.2.7"})
        eq(got.returncode, 0)
        has(got.stdout.decode(), ANSWERS[0])
        eq(got.stderr.decode(), "popbox-checkpw: accept ip=192.0.2.7 box=ex1-0001 "
           "user=joe@example.com\n")
        hasnt(got.stderr.decode(), "peer")


@test("Dovecot asks at each login: a reset and a suspension count at once, wrapped "
      "hashes open, and the log has the client's address", root=True, plain=True)
def dovecot():
    with Shop() as site:
        site.do("box", "add", "old@example.com", "--hash-stdin", input=output(
            "openssl", "passwd", "-1", "-salt", "abcdefgh", "old words"))
        site.do("harden")
        with open(f"{site.home}/e/ex1/POP/ex1-0001/new/1.x", "w") as file:
            file.write("Subject: one\n\n")
        os.chown(file.name, UID, GID)
        with open(TREE + "/doc/examples/dovecot/popbox.conf") as file:
            more = file.read()
        for was, now in (("/usr/local/sbin/popbox-askpw", ASKPW),
                         ("/run/popbox-verdict/socket", site.path),
                         ("userdb_uid=popusr userdb_gid=popusr",
                          f"userdb_uid={UID} userdb_gid={GID}")):
            assert was in more
            more = more.replace(was, now)
        with Dovecot(site, more) as server:
            client = server.pop("joe@example.com", GOOD)
            eq(client.uidl()[1], [b"1 1.x"])
            client.quit()
            client = server.imap("ex1-0001", GOOD)
            eq(client.select()[1], [b"1"])
            client.logout()
            has(site.logged()[-1], "accept ip=127.0.0.1 box=ex1-0001 "
                "service=imap peer=")
            client = server.pop("old@example.com", "old words")
            eq(client.stat()[0], 0)
            client.quit()
            eq(server.pop("joe@example.com", "wrong"), None)
            eq(server.pop("nobody@example.com", GOOD), None)
            site.do("passwd", "joe@example.com", "--stdin", input="another words\n")
            eq(server.pop("joe@example.com", GOOD), None)
            server.pop("joe@example.com", "another words").quit()
            for off, on in (("imap", "pop"), ("pop", "imap")):
                site.do("box", "set", "ex1-0001", "--login",
                        f"{off}=off,{on}=on")
                here = {"imap": server.imap, "pop": server.pop}
                eq(here[off]("joe@example.com", "another words"), None, off)
                has(site.logged()[-1], "reason=service-off service=" +
                    {"imap": "imap", "pop": "pop3"}[off])
                assert here[on]("joe@example.com", "another words"), on
            site.do("box", "set", "ex1-0001", "--login", "pop=on")
            site.do("box", "suspend", "ex1-0001")
            eq(server.imap("joe@example.com", "another words"), None)
            has(site.logged()[-1], "reason=box-suspended service=imap")


@test("a record without a time stamp, as s/qmail's qmail-smtpd sends it, is judged")
def no_stamp():
    with Shop() as site:
        for raw, code in ((f"joe@example.com\0{GOOD}\0", 0),
                          ("joe@example.com\0no\0", 1), ("joe@example.com\0no", 2),
                          ("joe@example.com\0\0", 1), ("\0\0", 1)):
            eq(ask(site, raw=raw.encode()).rc, code, raw)


@test("s/qmail's own qmail-smtpd, which is not root, lets users in by AUTH", root=True,
      plain=True)
def genuine_auth():
    if not SQMAIL:
        skip("SQMAIL names no directory with s/qmail's programs")
    os.makedirs("/var/qmail", exist_ok=True)
    with Shop("--service", "smtp") as site:
        qmail = site.top + "/qm"
        os.makedirs(qmail + "/control")
        with open(qmail + "/control/me", "w") as file:
            file.write("mx.site.example\n")
        os.chmod(site.top, 0o755)

        def auth(user, password):
            plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            out = subprocess.run(
                ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /var/qmail && '
                 f'exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups '
                 '"$@"', qmail, SQMAIL + "/qmail-smtpd", ASKPW, site.path, "true"],
                input=f"EHLO x.org\r\nAUTH PLAIN {plain}\r\nQUIT\r\n",
                capture_output=True, text=True, env={
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SMTPAUTH": "",
                    "TCPREMOTEIP": "192.0.2.9", "TCPLOCALIP": "192.0.2.1",
                    "TCPREMOTEHOST": "x.org", "TCPLOCALHOST": "mx",
                    "TCPLOCALPORT": "587"}).stdout
            return [l[:3] for l in out.splitlines() if l[3:4] == " "][2], out

        for user, password, code in (
                ("joe@example.com", GOOD, "235"), ("joe@example.com", "no", "535"),
                ("who@example.com", GOOD, "535")):
            got, out = auth(user, password)
            eq(got, code, out)
        site.do("box", "set", "joe@example.com", "--login", "smtp=off")
        eq(auth("joe@example.com", GOOD)[0], "535")
        site.do("box", "set", "joe@example.com", "--login", "on")
        has(site.logged()[0], "accept ip=192.0.2.9 box=ex1-0001 service=smtp "
            f"peer={NOBODY} user=joe@example.com")


run()
