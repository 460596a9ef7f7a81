#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names that somebody chose to harm a terminal or to forge a line: of files
below the mail root, on command lines, in files that are imported."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, POPBOX, UID, Site, run, test

ODD = (b"\x1b[2J", b"a\nb", b"a\rb", b"\x9b31m", b"\xc2\x9b31m", b"\xff\xfe",
       "\u202e".encode(), "\u2028".encode(), b"\x7f", b"%s%n", b"q" * 230,
       b"\xed\xa0\x80", b"\xc0\x8a", b"x\npopbox: box 'ex1-0001' deleted")


def printable(site, *words, input=b""):
    """One line a message, all of it printable; --json is for programs."""
    done = subprocess.run([POPBOX, "-d", site.store, *words], input=input,
                          capture_output=True)
    what = (words, done.stdout[:300], done.stderr[:300])
    assert done.returncode in (0, 1, 2, 100, 111), what
    assert b"ended by SIG" not in done.stderr, what
    if "--json" in words:
        for line in done.stdout.decode().split("\n")[:-1]:
            json.loads(line)
        texts = [done.stderr.decode()]
    else:
        texts = [done.stdout.decode(), done.stderr.decode()]
    for text in texts:
        for line in text.split("\n"):
            assert line.replace("\u00a0", " ").isprintable(), what
    for line in done.stderr.decode().split("\n")[:-1]:
        if "--json" in words and line.startswith("{"):
            json.loads(line)
            continue
        assert line.startswith(("popbox: ", "usage: ", "  ", "options", "exit",
                                "'")), what
    assert b"\npopbox: box 'ex1-0001' deleted" not in done.stderr, what


def plant(site):
    box = site.box_path().encode()
    domain = site.domain_path().encode()
    home = site.home.encode()
    dirs = (os.path.dirname(box), os.path.dirname(domain), home, home + b"/e")
    for odd in ODD:
        for path in (domain + b"/.qmail-" + odd, domain + b"/.popbox-tmp" + odd,
                     box + b"/" + odd, box + b"/new/" + odd):
            with open(path, "w") as file:
                file.write("x\n")
        for path in dirs:
            os.makedirs(path + b"/" + odd, exist_ok=True)
    with open(box + b"/.lastlogin", "wb") as file:
        file.write(b"\x1b[2J\n\xff")
    os.chown(box + b"/.lastlogin", UID, GID)


@test("names of files below the mail root, whatever they are, come out as one "
      "printable line")
def files():
    with Site().joe() as site:
        plant(site)
        for flag in ((), ("--json",)):
            for words in (("check",), ("check", "--repair"),
                          ("address", "list", "example.com"),
                          ("domain", "show", "example.com"),
                          ("box", "show", "ex1-0001"), ("box", "list"),
                          ("explain", "joe@example.com"), ("stats", "--mail"),
                          ("handle", "show", "ex1"),
                          ("export", "--format", "json")):
                printable(site, *flag, *words)


@test("whatever stands on a command line is said again as one printable line")
def arguments():
    with Site().joe() as site:
        for odd in ODD:
            for words in (
                    ("box", "show", odd), ("verify", odd, "--stdin"),
                    ("box", "add", odd + b"@example.com", "--no-password"),
                    ("domain", "add", odd, "--handle", "ex1"),
                    ("explain", odd), ("config", "get", odd),
                    ("config", "set", "home", b"/" + odd), ("import", odd),
                    ("restore", odd), ("backup", b"/none/" + odd),
                    ("address", "add", "x@example.com", odd), (odd,),
                    ("box", odd), ("box", b"--" + odd), ("export", odd),
                    ("box", "set", "ex1-0001", "--name", odd), ("box", "list"),
                    ("log",), ("handle", "suspend", "ex1", "--reason", odd),
                    ("handle", "show", "ex1"), ("log", "--object", odd)):
                printable(site, *words)


@test("rows of every format that are refused are named in printable lines")
def rows():
    with Site().joe() as site:
        path = site.top + "/odd"
        for odd in ODD:
            for head in (b"address,password,handle\n",
                         b"address,hash,handle,maildir\n"):
                with open(path, "wb") as file:
                    file.write(head + odd + b"@example.com,x" + odd +
                               b",ex1\nk@example.com,*,ex1,/none/" + odd +
                               b"\n")
                for form in ("csv", "vpopmail", "dovecot", "shadow", "cpanel",
                             "google", "postfixadmin", "sql", "ldif",
                             "vuserinfo", "hestia", "virtualmin", "modoboa"):
                    printable(site, "import", path, "--format", form,
                              "--dry-run")
            printable(site, "import", path, "--maildir", "--update")


def puny(letters):
    return "xn--" + letters.encode("punycode").decode()


# What an A-label may stand for, and what not: controls, direction, no shape,
# private letters, other widths, capitals, decomposed letters, joiners out of
# their place, plain ASCII, a leading mark, letters from both directions, an
# unassigned letter, symbols.
GOOD_LABELS = ("b\u00fccher", "\u043f\u043e\u0447\u0442\u0430", "stra\u00dfe",
               "\u65e5\u672c", "\u05d0\u05d1", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc")
BAD_LABELS = ("a\u009b8mb", "a\u0085b", "a\u202eb", "a\u2066b", "a\u061cb",
              "x\u200fy", "a\u200bb", "a\u00adb", "a\ufeffb", "a\u2028b",
              "a\ue000b", "a\U000e0041b", "\uff41b", "b\u00dccher", "e\u0301x",
              "a\u200cb", "a\u200db", "\u0301ab", "\u05d0b", "a\u0378b",
              "\u2603", "\U0001f600", "a\u2044b", "a\u3002b", "\u212aa")


@test("an A-label is taken only if it encodes back to itself and has letters that "
      "IDNA2008 allows")
def labels():
    with Site(qmail=False) as site:
        for letters in BAD_LABELS:
            name = puny(letters) + ".example"
            for words in (("domain", "add", name, "--handle", "ex1"),
                          ("domain", "add", "sub." + name.upper(), "--handle",
                           "ex1"),
                          ("domain", "rename", "example.com", name),
                          ("import", "-", "--handle", "ex1")):
                got = site.popbox(*words, input=f"address,hash\njoe@{name},*\n")
                assert got.rc in (2, 100), (ascii(letters), words, got)
                printable(site, *words)
        for name in ("xn--example-.com", "xn--abc-.example", "xn--.example",
                     "xn--a.example", "xn--99999999.example", "xn--0.example"):
            site.fails(100, name.lower(), "domain", "add", name, "--handle",
                       "ex1")
        assert site.do("domain", "list", "--json") == "", "none was taken"
        for letters in GOOD_LABELS:
            site.do("domain", "add", puny(letters) + ".example", "--handle",
                    "ex1")
            assert letters in site.do("domain", "list"), ascii(letters)


@test("titles and reasons with letters that are not shown are refused, at every "
      "way in")
def titles():
    with Site(qmail=False).joe() as site:
        for part in ("\x9b8m", "\u202ex", "\u2066x", "\u200fx", "\u2028x",
                     "\u200bx", "\ufeffx", "\ue000x", "\U000e0041x", "\x85",
                     "\u061cx"):
            bad = "n" + part
            for words in (("handle", "set", "ex1", "--name", bad),
                          ("box", "set", "ex1-0001", "--name", bad),
                          ("handle", "suspend", "ex1", "--reason", bad),
                          ("domain", "suspend", "example.com", "--reason", bad),
                          ("box", "suspend", "ex1-0001", "--reason", bad)):
                site.fails(100, "is not UTF-8 of at most", *words)
            for head, row in (("name", bad), ("reason", bad)):
                site.fails(100, "control", "import", "-", input="address,hash,"
                           f"{head}\nk@example.com,*,{row}\n")
        site.do("handle", "set", "ex1", "--name",
                "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc J\u00f6rg \U0001f600")


run()
