#!/usr/bin/env python3
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
            assert line.isprintable(), what
    for line in done.stderr.decode().split("\n")[:-1]:
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
                             "google", "postfixadmin"):
                    printable(site, "import", path, "--format", form,
                              "--dry-run")
            printable(site, "import", path, "--maildir", "--update")


run()
