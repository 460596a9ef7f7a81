#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What somebody who is new here writes, and what is answered."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, POPBOX, TREE, Site, eq, has, hasnt, run, table, test


def shop():
    site = Site(qmail=False)
    site.do("domain", "add", "example.com", "--handle", "smith")
    site.do("box", "add", "joe@example.com", "--no-password")
    return site


@test("the commands of vpopmail, vmailmgr and Unix are answered with ours")
def foreign():
    with shop() as site:
        for words, want in (("vadduser joe@example.com", "box add"),
                            ("adduser", "box add"), ("vpasswd x", "passwd"),
                            ("vdeluser x", "box del"),
                            ("vadddomain x", "domain add"),
                            ("vaddalias a b", "address add"),
                            ("listvdomain x", "address list"),
                            ("vconvert", "import"), ("user list", "box"),
                            ("alias add a b", "address"),
                            ("list", "box list"), ("login", "verify"),
                            ("repair", "check --repair"),
                            ("version", "--version")):
            site.fails(2, f"did you mean 'popbox {want}'?", *words.split())
        for words, want in (("box create x", "add"), ("box new x", "add"),
                            ("box delete x", "del"), ("box info x", "show"),
                            ("domain remove x", "del"),
                            ("domain disable x", "suspend"),
                            ("address move a b", "rename"),
                            ("config show", "list"),
                            ("box rename a b", "popbox address rename"),
                            ("box passwd a", "popbox passwd"),
                            ("handle rename a b", "popbox handle set HANDLE "
                             "--name TEXT")):
            site.fails(2, f"did you mean '{want}'?", *words.split())
        for words, want in (("box list --verbose", "-v"),
                            ("box del ex1-0001 --force", "--yes"),
                            ("box del ex1-0001 -y", "--yes"),
                            ("box add a@b.org --random", "--generate"),
                            ("purge --older 3d", "--older-than"),
                            ("sync -n", "--dry-run"),
                            ("domain list -j", "--json")):
            site.fails(2, f"did you mean '{want}'?", *words.split())
        # An option that the command has not is not offered.
        hasnt(site.fails(2, "no option '-n'", "box", "list", "-n").err, "mean")


@test("every word that is offered for another is a command, verb or option")
def offered():
    with open(TREE + "/tools/cli/synonym.c") as file:
        text = file.read()
    known = {" ".join(w for w in (row["noun"], row["verb"]) if w)
             for row in table()}
    nouns = {row["noun"] for row in table()}
    verbs = {row["verb"] for row in table()}
    options = {o["option"] for row in table() for o in row["options"]}
    for part in text.split("static const struct synonym ")[1:4]:
        rows = re.findall(r'\{"([^"]+)", "([^"]+)",', part)
        assert len(rows) > 10, part
        for word, meaning in rows:
            if part.startswith("options"):
                assert meaning in options | {"-v", "-q", "-d", "--json",
                                             "--version"}, meaning
                continue
            full = [w for w in meaning.replace("popbox ", "").split()
                    if re.fullmatch("[a-z]+", w)]
            if part.startswith("nouns"):
                assert word not in nouns, word
                assert not full or full[0] in nouns, meaning
                assert len(full) < 2 or " ".join(full) in known, meaning
            elif meaning.startswith("popbox "):
                assert " ".join(full[:2]) in known or full[0] in nouns, meaning
            else:
                assert meaning in verbs, meaning


@test("a handle, box or address almost right is answered with the right one")
def names():
    with shop() as site:
        for words, want in ((("handle", "show", "smtih"), "smith"),
                            (("handle", "del", "smit", "--yes"), "smith"),
                            (("box", "show", "smiht-0001"), "smith-0001"),
                            (("passwd", "smth-0001", "--no-password"),
                             "smith-0001"),
                            (("address", "show", "postmatser@example.com"),
                             "postmaster@example.com"),
                            (("address", "del", "joee@example.com", "--yes"),
                             "joe@example.com"),
                            (("export", "exmaple.com"), "example.com")):
            got = site.popbox(*words)
            assert got.rc in (1, 100), got
            has(got.err, f"did you mean '{want}'?")
        # What is there is not in doubt, and a box that is not is not offered.
        hasnt(site.popbox("box", "show", "smiht-0077").err, "mean")
        hasnt(site.popbox("handle", "show", "jones").err, "mean")


@test("a list below a name that is not there says so; a new handle is called "
      "new")
def absent():
    with shop() as site:
        for words, name in ((("box", "list", "--handle", "smiht"), "smiht"),
                            (("box", "list", "--domain", "exmaple.com"),
                             "exmaple.com"),
                            (("domain", "list", "--handle", "smiht"), "smiht"),
                            (("address", "list", "--handle", "smiht"),
                             "smiht")):
            got = site.popbox(*words)
            eq(got.rc, 0)
            has(got.err, f"popbox: there is no '{name}'\n")
            has(got.err, "did you mean")
        for words in (("box", "list", "--handle", "smith"),
                      ("box", "list", "--domain", "example.com"),
                      ("box", "list")):
            eq(site.popbox(*words).err, "")
        got = site.popbox("domain", "add", "a.org", "--handle", "smiht")
        has(got.err, "for the new handle 'smiht'")
        got = site.popbox("domain", "add", "b.org", "--handle", "smith")
        has(got.err, "for handle 'smith'")


@test("a password on the command line is answered with why not, and is not "
      "repeated")
def password():
    with shop() as site:
        for words in (("passwd", "joe@example.com", "s3cret pass"),
                      ("box", "add", "a@example.com", "s3cret pass"),
                      ("box", "add", "a@example.com", "--password",
                       "s3cret pass"),
                      ("passwd", "joe@example.com", "--pass=s3cret pass"),
                      ("verify", "joe@example.com", "-p", "s3cret pass")):
            got = site.fails(2, "a password is never an argument", *words)
            hasnt(got.out + got.err, "s3cret")
        hasnt(site.do("log"), "s3cret")


@test("a setting that is out of range or none of the choices is answered with "
      "what there is")
def settings():
    with shop() as site:
        for key, value, want in (
                ("argon2_passes", "65", "(from 1 to 64)"),
                ("password_min", "0", "(from 1 to 255)"),
                ("uid", "root", "is not a number (from 1 to 4294967294)"),
                ("log", "file", "(syslog, stderr or none)"),
                ("login_by_box", "maybe", "(no or yes)"),
                ("confine", "on", "(auto, require, strict or off)"),
                ("home", "popmail", "absolute path")):
            has(site.fails(100, f"popbox: {key} '{value}': ", "config", "set",
                           key, value).err, want)


@test("who is not root is told to be, and where a store is missing what makes "
      "one", root=True)
def not_root():
    def nobody(*args):
        return subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534",
             "--clear-groups", "/proc/self/fd/3", "-d", site.store, *args],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            preexec_fn=lambda: os.dup2(program, 3), close_fds=False)

    # The tree may lie where nobody else may look: by descriptor it is reached.
    program = os.open(POPBOX, os.O_RDONLY)
    with shop() as site:
        for words in (("box", "list"), ("sync",), ("verify", "a@b.org"),
                      ("config", "get", "uid"), ("backup", "x")):
            got = nobody(*words)
            eq(got.returncode, 111, got)
            has(got.stderr, "run popbox as root")
        got = nobody("init", "--uid", "65534", "--gid", "65534",
                     "--no-qmail", "--home", site.top + "/popmail")
        eq(got.returncode, 100, got)
        has(got.stderr, "run popbox as root")
    with Site(qmail=False, init=False) as site:
        got = site.fails(111, "no store in", "box", "list")
        has(got.err, "(make one with 'popbox init', or name it with -d)")
    os.close(program)


@test("what is there already, or still has something, is answered with the "
      "command that shows it")
def next_steps():
    with shop() as site:
        for rc, want, words in (
                (100, "('popbox stats' shows it", ("init", "--uid", "510",
                                                   "--gid", "51",
                                                   "--no-qmail", "--home",
                                                   site.home, "--serialmail",
                                                   site.serial)),
                (100, "'popbox address show'", ("box", "add",
                                                "joe@example.com",
                                                "--no-password")),
                (100, "'popbox address set'", ("address", "add",
                                               "joe@example.com", "a@b.org")),
                (100, "'popbox box list'", ("address", "add",
                                            "x@example.com", "smith-0077")),
                (100, "'popbox domain list --handle smith'",
                 ("handle", "del", "smith", "--yes")),
                (100, "(popbox handle add jones)",
                 ("box", "add", "x@example.com", "--handle", "jones",
                  "--no-password")),
                (100, "'popbox domain list'", ("domain", "rename", "no.org",
                                               "new.org")),
                (100, "'popbox domain list'", ("domain", "add", "b.org",
                                               "--alias-of", "no.org")),
                (100, "'popbox handle list'", ("export", "nobody")),
                (2, "not both", ("init", "--qmail", "/q", "--no-qmail")),
                (2, "box show: too few operands", ("box", "show")),
                (2, "sync: too many operands", ("sync", "now")),
                (2, "('popbox help box' shows", ("box", "nonsense"))):
            site.fails(rc, want, *words)
        site.do("address", "add", "sales@example.com", "joe@example.com")
        number = [l.split()[0] for l in site.do("log").splitlines()
                  if "smith-0001" in l][0]
        got = site.fails(100, "", "undo", number)
        has(got.err, "'popbox log --since")
        os.mkdir(site.top + "/full")
        open(site.top + "/full/file", "w").close()
        got = subprocess.run(
            [POPBOX, "-d", site.top + "/full", "init", "--uid", "510", "--gid",
             "51", "--no-qmail", "--home", site.home, "--serialmail",
             site.serial], capture_output=True, text=True)
        eq(got.returncode, 100)
        has(got.stderr, "(name another with -d)")


@test("where qmail is gone, or the store is no store, that is said, with "
      "what to do")
def gone():
    with Site() as site:
        site.do("config", "set", "qmail", site.top + "/gone")
        got = site.fails(100, "is qmail there? the setting 'qmail' says where",
                         "domain", "add", "example.com", "--handle", "smith")
        has(got.err, "nothing was changed")
        site.do("config", "set", "qmail", site.qmail)
        with open(site.store + "/data.mdb", "w") as file:
            file.write("x")
        for words in (("box", "list"), ("check",), ("stats",)):
            got = site.fails(111, "popbox: the store in ", *words)
            has(got.err, "'popbox restore' puts a backup in its place")


run()
