#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tool at a terminal: tables fit, help goes where it belongs, and wrong
words are answered with the right ones."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, POPBOX, Site, eq, has, hasnt, read_terminal, run, table, test

LONG = "a-rather-long-name.of-a-domain.somewhere.example.org"


def terminal(site, columns, *args, env=None, code=0):
    """What a terminal of so many columns shows of stdout."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([POPBOX, "-d", site.store, *args],
                               stdin=slave, stdout=slave, stderr=slave,
                               env={**os.environ, "TERM": "xterm",
                                    **(env or {})})
    os.close(slave)
    text = b""
    while more := read_terminal(master):
        text += more
    os.close(master)
    eq(process.wait(), code, text)
    return text.decode().replace("\r\n", "\n")


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def shop():
    site = Site(qmail=False)
    site.do("domain", "add", "example.com", LONG, "münchen.example",
            "--handle", "ex1")
    site.do("box", "add", "joe@" + LONG, "--no-password", "--name",
            "Jörg Müller with a name as long as anybody's, really")
    return site


@test("tables fit the terminal: texts are cut, and say so, then columns are left "
      "out from the right; an address is never cut")
def fits():
    with shop() as site:
        long = len("postmaster@" + LONG) + len("  ex1-0000  FORWARDS")
        for columns in (64, 70, 80, 100, 120):
            for words in (("box", "list"), ("domain", "list"),
                          ("address", "list"), ("handle", "list")):
                lines = terminal(site, columns, *words).splitlines()
                assert len(lines) > 1 and max(map(len, lines)) <= \
                    max(columns, long), (columns, lines)
                if words[0] != "handle":
                    has("\n".join(lines), LONG)
        eq(terminal(site, 64, "box", "list").split("\n")[0].split(),
           ["BOX", "ADDRESS"])
        eq(terminal(site, 89, "box", "list").split("\n")[0].split(),
           ["BOX", "ADDRESS", "LOGIN"])
        eq(terminal(site, 108, "box", "list").split("\n")[0].split(),
           ["BOX", "ADDRESS", "LOGIN", "DELIVERY", "PASSWORD"])
        has(terminal(site, 114, "box", "list"), "Jörg Mülle..\n")
        # What was asked for is shown in any case.
        has(terminal(site, 64, "box", "list", "--columns", "name,box"),
            "really  ex1-0001\n")
        # Where there is room nothing is cut.
        text = terminal(site, 200, "box", "list")
        has(text, f"joe@{LONG} ")
        has(text, "anybody's, really\n")


@test("of many forwards whole ones are shown, and how many there are more")
def names():
    with shop() as site:
        site.do("address", "add", "all@example.com",
                *(f"somebody{i}@elsewhere{i}.example" for i in range(20)))
        lines = terminal(site, 140, "address", "list").splitlines()
        line, = [line for line in lines if line.startswith("all@")]
        assert re.search(r" somebody1@elsewhere1\.example \+18$", line), line
        assert len(line) <= 140
        lines = terminal(site, 40, "address", "list").splitlines()
        line, = [line for line in lines if line.startswith("all@")]
        assert line.endswith(" somebody0@elsewhere0.example +19"), line
        eq(site.do("address", "list", "example.com").count("@elsewhere"), 20)


@test("a table that no terminal reads is not cut")
def whole():
    with shop() as site:
        text = site.do("box", "list")
        has(text, f"joe@{LONG} ")
        has(text, "anybody's, really\n")


@test("columns stand below each other in UTF-8 too")
def aligned():
    with shop() as site:
        lines = site.do("domain", "list").splitlines()
        eq(len({line.index("ex1") for line in lines[1:]}), 1)


@test("nobody's output has colours or other sequences, whatever the terminal")
def plain():
    with shop() as site:
        for env in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
            for words in (("box", "list"), ("help",), ("log",), ("check",),
                          ("box", "show", "ex1-0001"), ("nonsense",)):
                code = 2 if words == ("nonsense",) else 0
                hasnt(terminal(site, 80, *words, env=env, code=code), "\x1b")


@test("help is one screen with every noun on it once; help all has every command")
def overview():
    with Site(qmail=False) as site:
        lines = site.do("help").splitlines()
        assert len(lines) <= 24 and max(map(len, lines)) <= 80, lines
        nouns = [noun for line in lines[1:-1] for noun in line[9:23].split()]
        table = {row["noun"] for row in objects(site.do("--json", "help"))}
        eq(sorted(nouns), sorted(table - {"complete", "help"}))
        every = site.do("help", "all")
        for row in objects(site.do("--json", "help")):
            has(every, f"\n  {row['noun']} {row['verb'] or ''}".rstrip())


@test("help that was asked for is data; help that was not goes to stderr")
def help_channels():
    with shop() as site:
        for words in (("-h",), ("help",), ("box", "-h"), ("box", "--help"),
                      ("box", "add", "-h")):
            result = site.popbox(*words)
            eq((result.rc, result.err), (0, ""), words)
            has(result.out, "usage: popbox")
        for words in ((), ("box",), ("box", "-x"), ("box", "add"),
                      ("handle", "add", "a", "b")):
            result = site.popbox(*words)
            eq((result.rc, result.out), (2, ""), words)
            has(result.err, "usage: popbox")


@test("a noun, verb, option or setting almost right is answered with the right "
      "one")
def meant():
    with shop() as site:
        for words, want in ((("dmain", "list"), "domain"),
                            (("bx", "list"), "box"),
                            (("domain", "lits"), "list"),
                            (("domain", "list", "--handl"), "--handle"),
                            (("domain", "list", "--jsno"), "--json"),
                            (("--jsn", "domain", "list"), "--json"),
                            (("passwd", "ex1-0001", "--genrate"),
                             "--generate")):
            site.fails(2, f"did you mean '{want}'?", *words)
        site.fails(100, "did you mean 'argon2_kib'?", "config", "get",
                   "argon_kib")
        site.fails(100, "did you mean 'argon2_passes'?", "config", "set",
                   "argon2_passs", "1")
        site.fails(100, "did you mean 'gid'?", "config", "get", "gidd")
        for words in (("nonsense",), ("domain", "nonsense"),
                      ("domain", "list", "-x"), ("domain", "list", "--foo")):
            result = site.popbox(*words)
            eq(result.rc, 2)
            hasnt(result.err, "did you mean")


@test("a domain almost right is answered with the right one, and none else")
def domains():
    with shop() as site:
        want = "popbox: did you mean 'example.com'?\n"
        for words in (("domain", "show", "exmaple.com"),
                      ("domain", "del", "example.co", "--yes"),
                      ("box", "show", "joe@exampl.com"),
                      ("box", "add", "new@example.con", "--no-password"),
                      ("address", "show", "joe@examplee.com"),
                      ("address", "list", "exampel.com"),
                      ("passwd", "joe@example.con", "--no-password")):
            result = site.popbox(*words)
            assert result.rc in (1, 100), result
            has(result.err, want)
            eq(result.out, "")
        has(site.popbox("domain", "show", "munchen.example").err, "no domain")
        has(site.popbox("domain", "show", "xn--mnchen-3yb.example").err,
            "'xn--mnchen-3ya.example'?")
        for words in (("domain", "show", "elsewhere.org"),
                      ("box", "show", "who@example.com"),
                      ("box", "show", "ex1-0099"), ("handle", "show", "ex"),
                      ("domain", "add", "example.com", "--handle", "ex1"),
                      # What is added is new, and typed right.
                      ("box", "add", "joi@example.com", "--hash-stdin"),
                      ("address", "add", "joi@example.com", "nobody@")):
            hasnt(site.popbox(*words).err, "did you mean")
        hasnt(site.popbox("-q", "domain", "show", "exmaple.com").err, "mean")


@test("without an operand or with too many, the usage of the command is shown")
def operands():
    with shop() as site:
        for row in table():
            words = [w for w in (row["noun"], row["verb"]) if w]
            result = site.popbox(*words, *["x"] * 65)
            eq(result.rc, 2, words)
            has(result.err, "too many operands")


class Terminal:
    """popbox as the foreground job of a terminal, as after a shell's fork."""

    def __init__(self, site, columns, *args, **env):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.alarm(60)  # ends popbox, should it wait for ever
            fcntl.ioctl(0, termios.TIOCSWINSZ,
                        struct.pack("HHHH", 24, columns, 0, 0))
            # As slow on many cores as on one, so that there is a bar.
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            os.environ.update(TERM="xterm", **env)
            os.execv(POPBOX, [POPBOX, "-d", site.store, *args])

    def until(self, pattern, seconds=30):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, (pattern, self.seen)
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            self.seen += os.read(self.fd, 4096)

    def type(self, text):
        os.write(self.fd, text)

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        """Its exit code, and what stands on the screen."""
        while more := read_terminal(self.fd):
            self.seen += more
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code, screen(self.seen.decode())


def screen(text):
    """The lines that are left: \\r goes back, \\033[K clears to the end."""
    lines, at = [""], 0
    for part in re.findall(r"\x1b\[K|.", text, re.S):
        if part == "\x1b[K":
            lines[-1] = lines[-1][:at]
        elif part == "\r":
            at = 0
        elif part == "\n":
            lines.append("")
            at = 0
        else:
            lines[-1] = lines[-1][:at] + part + lines[-1][at + 1:]
            at += 1
    return lines


def width(text):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def many(site, rows, who="user"):
    """A file of so many cleartext passwords."""
    path = site.top + "/many.csv"
    with open(path, "w") as file:
        file.write("address,password\n")
        for i in range(rows):
            file.write(f"{who}{i}@example.com,some words {i}\n")
    return path


@test("wide, combining and cut characters: the columns stand below each other")
def wide():
    with Site(qmail=False) as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        for local, name in (("a", "\u5c71\u7530\u592a\u90ce"),
                            ("b", "Jo\u0308rg"), ("c", "plain"),
                            ("d", "\u5c71\u7530" * 20), ("e", "\U0001f600 ok")):
            site.do("box", "add", local + "@example.com", "--no-password",
                    "--name", name)
            site.do("handle", "add", "x" + local, "--name", name)
        for columns in (64, 80, 200):
            lines = terminal(site, columns, "box", "list").splitlines()
            assert max(map(width, lines)) <= columns, lines
            lines = terminal(site, columns, "handle", "list").splitlines()
            assert max(map(width, lines)) <= columns, lines
            # REASON stands behind the name.
            where = {width(line[:line.rstrip().rindex(" ") + 1])
                     for line in lines}
            eq(len(where), 1, lines)


@test("a terminal that does not say how wide it is is as wide as COLUMNS")
def narrow():
    with shop() as site:
        wide, = {terminal(site, 0, "box", "list"), site.do("box", "list")}
        has(wide, "anybody's, really")
        text = terminal(site, 0, "box", "list", env={"COLUMNS": "90"})
        eq(text, terminal(site, 90, "box", "list"))
        eq(site.do("box", "list", env={"COLUMNS": "90"}), wide)


@test("Ctrl-C at a prompt for a password: nothing is changed, that is said, and "
      "the terminal echoes again")
def prompt():
    with Site(qmail=False) as site:
        site.joe()
        for words in (("passwd", "joe@example.com"),
                      ("box", "add", "new@example.com")):
            before = site.do("log")
            at = Terminal(site, 80, *words)
            at.until(b"New password: ")
            assert not at.echoes()
            at.type(b"half a pass\x03")
            at.until(b"interrupted")
            assert at.echoes()
            code, lines = at.end()
            eq(code, -signal.SIGINT)
            has(lines, "popbox: interrupted: nothing was changed")
            hasnt("".join(lines), "half")
            eq(site.do("log"), before)
        eq(site.popbox("verify", "joe@example.com", "--stdin",
                       input=GOOD).rc, 0)


@test("Ctrl-C in an import before its commit: nothing is changed, that is said, "
      "and the bar is cleared")
def before_commit():
    with Site(qmail=False, argon2_kib=65536, argon2_passes=4) as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        before = site.do("log")
        for key, number in ((b"\x03", signal.SIGINT), (None, signal.SIGTERM)):
            at = Terminal(site, 80, "import", many(site, 2000))
            at.until(rb"\[#* *\] \d+/2000")
            if key:
                at.type(key)
            else:
                os.kill(at.pid, number)
            code, lines = at.end()
            eq(code, -number)
            eq([l for l in lines if l and "read as csv" not in l],
               ["popbox: interrupted: nothing was changed"])
            eq(site.do("log"), before)
        site.do("import", many(site, 3))


@test("Ctrl-C while qmail's files are brought in step: the store is changed, "
      "that is said, and sync finishes it")
def after_commit():
    with Site() as site:
        site.joe()
        newu = site.qmail + "/bin/qmail-newu"
        os.rename(newu, newu + ".real")
        with open(newu, "w") as file:
            file.write("#!/bin/sh\necho waits >/dev/tty\nexec sleep 30\n")
        os.chmod(newu, 0o755)
        at = Terminal(site, 80, "domain", "add", "example.org", "--handle",
                      "ex1")
        at.until(b"waits")
        at.type(b"\x03")
        code, lines = at.end()
        eq(code, -signal.SIGINT)
        has("\n".join(lines), "popbox: interrupted: the store is changed, "
            "qmail's files are not: run 'popbox sync'")
        hasnt(site.control("rcpthosts"), "example.org")
        at = Terminal(site, 80, "sync")
        at.until(b"waits")
        at.type(b"\x03")
        has("\n".join(at.end()[1]), "interrupted: run 'popbox sync' again")
        os.rename(newu + ".real", newu)
        site.do("sync")
        has(site.control("rcpthosts"), "example.org")
        site.sound()


@test("where Ctrl-C is ignored, as below nohup, it goes on being ignored")
def ignored():
    with Site(qmail=False) as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        process = subprocess.Popen(
            [POPBOX, "-d", site.store, "box", "add", "a@example.com",
             "--stdin"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.SIG_IGN))
        time.sleep(0.3)  # it reads its standard input by then
        process.send_signal(signal.SIGINT)
        err = process.communicate(GOOD.encode())[1]
        eq((process.returncode, err), (0, b"popbox: change 5\n"))


@test("a progress bar fits the terminal, and is gone when the work is done; a "
      "dumb terminal has none")
def bar():
    with Site(qmail=False, argon2_kib=65536, argon2_passes=4) as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        for columns in (40, 80, 200):
            at = Terminal(site, columns, "import",
                          many(site, 24, f"user{columns}-"))
            code, lines = at.end()
            eq(code, 0, lines)
            drawn = re.findall(r"\r([^\r\n\x1b]+)\x1b\[K",
                               at.seen.decode())
            assert all(len(line) < columns for line in drawn), drawn
            assert drawn and drawn[0].startswith("hashing [#"), at.seen
            hasnt("".join(lines), "[#")
            eq([l for l in lines if l][-1][:8], "popbox: ")
        at = Terminal(site, 80, "import", many(site, 24), TERM="dumb")
        eq(at.end()[0], 0)
        hasnt(at.seen.decode(), "\x1b")


run()
