#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox poppassd: users change their own password over port 106's dialogue."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, POPBOX, Site, eq, has, hasnt, run, skip, test

JOE, NEW = "joe@example.com", "quiet lamp 77 harbour"


class Done:
    def __init__(self, process, out, err, took):
        self.rc, self.out, self.err, self.took = (process.returncode,
                                                  out.decode(), err.decode(), took)
        self.codes = [int(l[:3]) for l in self.out.splitlines()]


def raw(site, data, ip="192.0.2.7", env=None, prefix=(), more=()):
    """What one connection sends, all at once."""
    start = time.monotonic()
    process = subprocess.Popen(
        [*prefix, POPBOX, "-d", site.store, "poppassd", *more], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "TCPREMOTEIP": ip, **(env or {})})
    out, err = process.communicate(data, timeout=180)
    return Done(process, out, err, time.monotonic() - start)


def change(site, old=GOOD, new=NEW, user=JOE, **kw):
    return raw(site, f"user {user}\r\npass {old}\r\nnewpass {new}\r\nquit\r\n"
               .encode(), **kw)


@test("the right old password sets the new one, as the user's own act")
def right():
    with Site().joe() as site:
        got = change(site)
        eq((got.rc, got.codes), (0, [200, 300, 200, 200, 200]), got.err)
        assert got.out.endswith("\r\n"), got.out
        eq(site.login(password=NEW).rc, 0)
        eq(site.login(password=GOOD).rc, 1)
        entry = json.loads(site.do("--json", "log").splitlines()[-1])
        eq((entry["actor"], entry["command"], entry["op"], entry["object"]),
           (JOE, "poppassd from 192.0.2.7", "password", "ex1-0001"))
        has(got.err, "popbox-poppassd: changed ip=192.0.2.7 box=ex1-0001 "
            "user=joe@example.com\n")
        eq(change(site, old=NEW, new=GOOD, user="ex1-0001").rc, 0)
        eq(change(site, ip="2001:db8::7", new=NEW).rc, 0)
        has(site.do("log"), "poppassd from 2001:db8::7")
        eq(change(site, old=NEW, new=GOOD, ip="x;y z").rc, 0)
        has(site.do("log"), "poppassd from -")
        # A child wipes the environment, where the store's directory may stand,
        # and the address by which a login without a domain is told.
        site.do("domain", "set", "example.com", "--ip", "192.0.2.1")
        done = subprocess.run(
            [POPBOX, "poppassd"], capture_output=True, env={
                **os.environ, "POPBOX_STORE": site.store,
                "TCPLOCALIP": "192.0.2.1"},
            input=f"user joe\npass {GOOD}\nnewpass {NEW}\n".encode())
        eq(done.returncode, 0, done)
        eq(site.login(password=NEW).rc, 0)
        site.sound()


@test("whoever is refused a login is refused here, by one text, and nothing changes")
def refused():
    with Site().joe() as site:
        site.do("box", "add", "ann@example.com", "--no-password")
        site.do("box", "add", "off@example.com", "--stdin", input=GOOD)
        site.do("box", "suspend", "off@example.com")
        before, texts = site.do("--json", "log"), set()
        for user, old, reason in (
                (JOE, "wrong", "mismatch"), ("who@example.com", GOOD, "unknown"),
                ("joe@none.org", GOOD, "unknown"), ("joe", GOOD, "unknown"),
                ("ann@example.com", GOOD, "no-password"),
                ("off@example.com", GOOD, "box-suspended"),
                ("off@example.com", "wrong", "box-suspended")):
            got = change(site, old=old, user=user)
            eq((got.rc, got.codes), (1, [200, 300, 200, 500, 200]), user)
            texts.add(got.out.splitlines()[3])
            has(got.err, f"refuse ip=192.0.2.7 reason={reason} user={user}")
            eq(site.login(user, old).rc, 1)
        eq(len(texts), 1)
        site.do("handle", "suspend", "ex1")
        eq(change(site).rc, 1)
        site.do("handle", "resume", "ex1")
        eq([json.loads(l)["op"] for l in site.do("--json", "log").splitlines()][
            len(before.splitlines()):], ["set", "set"])


@test("every refusal is answered no earlier than refuse_delay_ms after it was "
      "asked")
def delay():
    with Site(refuse_delay_ms="700").joe() as site:
        for user, old in ((JOE, "wrong"), ("who@example.com", GOOD),
                          ("who@none.org", "x")):
            got = change(site, old=old, user=user)
            eq(got.rc, 1)
            assert got.took >= 0.7, got.took


@test("a service that is off for a box cannot change its password; the log names the "
      "service")
def service():
    with Site().joe() as site:
        site.do("box", "set", JOE, "--login", "webmail=off")
        webmail = ("--service", "webmail")
        got = change(site, more=webmail)
        eq((got.rc, got.codes), (1, [200, 300, 200, 500, 200]), got.err)
        has(got.err, "popbox-poppassd: refuse ip=192.0.2.7 reason=service-off "
            "service=webmail user=joe@example.com\n")
        eq(change(site, more=("--service", "smtp")).rc, 0)
        site.do("box", "set", JOE, "--login", "webmail=on")
        got = change(site, old=NEW, new=GOOD, more=webmail)
        has(got.err, "changed ip=192.0.2.7 box=ex1-0001 service=webmail user=")
        for name in ("", "x y", "x" * 17, "Webmail"):
            got = raw(site, b"quit\n", more=("--service", name))
            eq(got.rc, 2, name)
            has(got.err, "--service: up to 16 of a-z, 0-9 and -")


def judged(process):
    """Waits until the judge of this connection has reported and ended."""
    for _ in range(600):
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            pids = file.read().split()
        for pid in pids:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        time.sleep(0.05)
    raise AssertionError("the judge did not end")


@test("an administrator's reset between the check of the old password and the change "
      "stays: the change is not made, and no answer calls the old password wrong")
def reset():
    with Site().joe() as site:
        process = subprocess.Popen([POPBOX, "-d", site.store, "poppassd"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        assert process.stdout.readline().startswith(b"200 ")
        process.send_signal(signal.SIGSTOP)
        process.stdin.write(f"user {JOE}\npass {GOOD}\nnewpass {NEW}\nquit\n"
                            .encode())
        process.stdin.flush()
        judged(process)
        site.do("passwd", JOE, "--stdin", input="reset by an admin 5\n")
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=180)
        eq(process.returncode, 111, err)
        hasnt(out.decode(), "200 password changed")
        has(out.decode(), "500 not changed for now, please try again later")
        has(err.decode(), "error ip=- reason=changed-meanwhile user=joe@example.com")
        eq(site.login(password="reset by an admin 5").rc, 0)
        eq(site.login(password=NEW).rc, 1)
        hasnt(site.do("log"), "poppassd")
        site.sound()


@test("a new password is judged as popbox passwd does, and the answer says why")
def weak():
    with Site().joe() as site:
        for new, why in (("short", "shorter than 10"), ("xxjoexxyyzz", "local part"),
                         ("my example pass", "domain's name"),
                         ("$1$abcdefgh$" + "x" * 22, "looks like a hash"),
                         ("x" * 300, "")):
            got = change(site, new=new)
            eq((got.rc, got.codes), (100, [200, 300, 200, 500, 200]), new)
            has(got.out.splitlines()[3], why)
            hasnt(got.out, "--")  # what an administrator would do
            has(got.err, "weak ip=")
        eq(site.login().rc, 0)
        site.do("config", "set", "password_letters", "ascii")
        got = change(site, new="q\u00fcet lamp 77 harbour")
        eq(got.rc, 100)
        has(got.out, "letters outside of ASCII")


@test("the dialogue: any case and order, other line ends, blanks of a password; "
      "one change a connection; what is no line")
def dialogue():
    with Site().joe() as site:
        new = "  two blanks before"
        eq(site.popbox("passwd", JOE, "--stdin", input=new).rc, 100)  # POP cannot
        new = "blanks behind it  "
        got = raw(site, f"USER {JOE}\nPass {GOOD}\nNEWPASS {new}\nQUIT\n".encode())
        eq((got.rc, got.codes), (0, [200, 300, 200, 200, 200]))
        eq(site.login(password=new).rc, 0)
        for data, codes in (
                (b"", [200]), (b"quit\r\n", [200, 200]), (b"QUIT", [200]),
                (b"pass x\r\nnewpass y\r\nquit\r\n", [200, 500, 500, 200]),
                (b"user a\r\nnewpass y\r\nquit\r\n", [200, 300, 500, 200]),
                (b"user a\r\npass b\r\nuser c\r\nnewpass d\r\n",
                 [200, 300, 200, 300, 500]),
                (b"user\r\nuser \r\nuserx a\r\npassw x\r\nhelp\r\n\r\n",
                 [200, 500, 500, 500, 500, 500, 500]),
                (b"user a\0b\r\n", [200, 500]),
                (b"user " + b"x" * 385 + b"\r\n", [200, 500]),
                (b"user " + b"x" * 384 + b"\r\n", [200, 300]),
                (b"user " + b"x" * 600 + b"\r\nquit\r\n", [200]),
                (b"noop\r\n" * 40, [200] + [500] * 17)):
            got = raw(site, data)
            eq((got.rc, got.codes), (0, codes), data[:80])
        got = raw(site, f"user {JOE}\npass {new}\nnewpass {NEW}\nuser {JOE}\n"
                  f"pass {NEW}\n".encode())
        eq(got.codes, [200, 300, 200, 200, 500])
        # What is sent cannot forge a field of the log.
        got = change(site, user='x" reason=mismatch user=y')
        eq(got.err.count(" user="), 1, got.err)


@test("root reads no byte of the client's; who does is nobody or popusr", root=True,
      plain=True)
def traced():
    if not shutil.which("strace"):
        skip("no strace")
    with Site().joe() as site:
        got = change(site, prefix=["strace", "-f", "-o", site.top + "/trace",
                                   "-s", "2000", "-e",
                                   "trace=read,write,setresuid,setuid,setreuid,"
                                   "recvfrom,recvmsg,pread64"])
        eq(got.rc, 0, got.err)
        with open(site.top + "/trace") as file:
            lines = [line.split(None, 1) for line in file]
        first = lines[0][0]
        dropped = {}
        for pid, call in lines:
            found = re.match(r"set(?:res|re)?uid\((\d+)", call)
            if found:
                dropped.setdefault(pid, int(found[1]))
            if call.startswith("read(") and (GOOD in call or NEW in call):
                assert dropped.get(pid), (pid, call)
            if pid == first:
                assert GOOD not in call and NEW not in call, call
        assert {65534, 510} <= set(dropped.values()), dropped


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@test("Roundcube's driver changes a password through tcpserver, and again",
      root=True)
def roundcube():
    if not shutil.which("tcpserver"):
        skip("no tcpserver")
    with Site().joe() as site:
        number = port()
        site.start("tcpserver", "-R", "-H", "-l", "0", "127.0.0.1", str(number),
                   POPBOX, "-d", site.store, "poppassd",
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def connect():
            end = time.monotonic() + 30
            while True:
                try:
                    return socket.create_connection(("127.0.0.1", number))
                except ConnectionRefusedError:
                    assert time.monotonic() < end
                    time.sleep(0.05)

        def save(old, new):
            """Each answer before the next line; 2 or 3, but 2 in the end; gone
            without a quit."""
            with connect() as s, s.makefile("rb") as answers:
                line = answers.readline()
                assert re.match(rb"2\d\d", line), line
                for words, wanted in ((f"user {JOE}", rb"[23]\d\d"),
                                      (f"pass {old}", rb"[23]\d\d"),
                                      (f"newpass {new}", rb"2\d\d")):
                    s.sendall(words.encode() + b"\r\n")
                    line = answers.readline()
                    if not re.match(wanted, line):
                        return line
            return None

        eq(save(GOOD, NEW), None)
        eq(site.login(password=NEW).rc, 0)
        has(save(GOOD, NEW).decode(), "500 user name or old password is wrong")
        has(save(NEW, "joe").decode(), "500 this password is weak")
        eq(save(NEW, GOOD), None)
        eq(site.login(password=GOOD).rc, 0)
        has(site.do("log"), "poppassd from 127.0.0.1")


@test("a store that is not there, damaged or held, is a temporary answer and 111")
def later():
    with Site().joe() as site:
        os.rename(site.store + "/data.mdb", site.store + "/away")
        got = change(site)
        eq(got.rc, 111)
        os.rename(site.store + "/away", site.store + "/data.mdb")
        with open(site.store + "/data.mdb", "r+b") as file:
            data = file.read()
            file.seek(0)
            file.write(data.replace(b"$argon2id$", b"$argon2ix$"))
        got = change(site)
        eq(got.rc, 111)
        hasnt(got.out, "200 password changed")
        hasnt(got.out, "wrong")


run()
