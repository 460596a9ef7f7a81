#!/usr/bin/env python3
"""The tool at a terminal: tables fit, help goes where it belongs, and wrong
words are answered with the right ones."""
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import POPBOX, Site, eq, has, hasnt, run, table, test

LONG = "a-rather-long-name.of-a-domain.somewhere.example.org"


def terminal(site, columns, *args, env=None):
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
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:
            break
        if not more:
            break
        text += more
    os.close(master)
    process.wait()
    return text.decode().replace("\r\n", "\n")


def shop():
    site = Site(qmail=False)
    site.do("domain", "add", "example.com", LONG, "münchen.example",
            "--handle", "ex1")
    site.do("box", "add", "joe@" + LONG, "--no-password", "--name",
            "Jörg Müller with a name as long as anybody's, really")
    return site


@test("tables fit the terminal: what is too long is cut, and says so")
def fits():
    with shop() as site:
        for columns in (64, 70, 80, 100):
            for words in (("box", "list"), ("domain", "list"),
                          ("address", "list"), ("handle", "list")):
                lines = terminal(site, columns, *words).splitlines()
                assert len(lines) > 1 and max(map(len, lines)) <= columns, \
                    (columns, lines)
        text = terminal(site, 64, "box", "list")
        has(text, "joe@a-rathe..")
        has(text, "\nex1-0001")
        # Where there is room nothing is cut.
        text = terminal(site, 200, "box", "list")
        has(text, f"joe@{LONG} ")
        has(text, "anybody's, really\n")


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
                hasnt(terminal(site, 80, *words, env=env), "\x1b")


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
                      ("domain", "add", "example.com", "--handle", "ex1")):
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


run()
