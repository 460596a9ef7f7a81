#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The stand-ins for qmail's programs beside the real ones: the same input, the
same answers. Skipped where no real qmail is given (QMAIL=)."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genuine
from tap import QMAIL, UID, Site, eq, run, skip, test


def both(ask):
    """ask(site) of a site with stand-ins and of one with the real programs."""
    if not QMAIL:
        skip("no real qmail is given (QMAIL=/var/qmail)")
    answers = []
    for standins in (True, False):
        with Site(init=False, standins=standins) as site:
            answers.append(ask(site))
    eq(*map(len, answers))
    differ = [f"stand-in {standin!r}\nreal     {real!r}"
              for standin, real in zip(*answers) if standin != real]
    assert answers[0] and not differ, "\n" + "\n".join(differ)


def said(site, done):
    """Exit code and both outputs, without the site's own paths."""
    def plain(data):
        text = data.decode("latin-1").replace(site.qmail, "QMAIL")
        return re.sub(r"<\d+\.\d+@", "<STAMP@", text)
    return done.returncode, plain(done.stdout), plain(done.stderr)


def call(site, *words, **kw):
    return said(site, subprocess.run(words, capture_output=True, timeout=30,
                                     **kw))


def dump(path):
    """A cdb in its order, or None."""
    if not os.path.exists(path):
        return None
    return subprocess.run(["cdb", "-d", path], check=True,
                          capture_output=True).stdout


LINE = "+a.org-:u:1:2:/h:-::\n"
ASSIGNS = [
    ".\n", LINE + ".\n", "=joe:u:1:2:/h:::\n.\n", LINE, "", "\n.\n",
    "# c\n.\n", LINE + "\n" + LINE + ".\n", "+a:u:1:2:/h:-:\n.\n",
    "+a:u:1:2:/h:-::more:and\n.\n", "+A.Org-:U:1:2:/H:-:EXT:\n.\n",
    LINE + LINE.replace("/h", "/i") + ".\n", "+:alias:1:2:/h:-::\n.\n",
    "=joe:u:1:2:/h:::\n=joe:v:1:2:/h:::\n+joe:w:1:2:/h:::\n.\n",
    LINE + ".x\n" + "+b-:u:1:2:/h:-::\n.\n", LINE + ".", LINE[:-1],
    LINE.replace("\n", "\r\n") + ".\r\n", "a.org:u:1:2:/h:-::\n.\n",
    "+a\0b:u:1:2:/h:-::\n.\n", "+a-:x:y:z:/h:-::\n.\n",
    "+a+:u:1:2:/h:-::\n+b-:u:1:2:/h:-::\n+c.:u:1:2:/h:-::\n.\n",
    " +a-:u:1:2:/h:-::\n.\n", "+a-:u:1:2:/h:-::\n \n.\n",
    "+a-:u:1:2:/h:-:: \n.\n", "+" + "x" * 300 + "-:u:1:2:/h:-::\n.\n",
    "".join(f"+d{n}.org-:u:{n}:2:/h:-::\n" for n in range(300)) + ".\n",
]


@test("qmail-newu rejects and makes the same", root=True, plain=True)
def newu():
    def ask(site):
        for text in ASSIGNS:
            users = site.qmail + "/users"
            with open(users + "/assign", "w", newline="") as file:
                file.write(text)
            yield text, call(site, site.bin + "/qmail-newu"), \
                dump(users + "/cdb"), os.path.exists(users + "/cdb.tmp")
        os.unlink(users + "/assign")
        yield call(site, site.bin + "/qmail-newu")
    both(lambda site: list(ask(site)))


MORE = ["", "a.org\n", "A.Org\n.a.org\n", "# c\na.org\n\n", "a.org", " a.org\n",
        "a.org \t\n", "a.org\na.org\n", "a.org\r\n", "a:b\n", "#\n \n",
        "a.org\0b\n", "x" * 300 + "\n",
        "".join(f"d{n}.org\n" for n in range(300))]


@test("qmail-newmrh makes the same", root=True, plain=True)
def newmrh():
    def ask(site):
        for text in MORE:
            site.write_control("morercpthosts", text)
            yield text, call(site, site.bin + "/qmail-newmrh"), \
                dump(site.qmail + "/control/morercpthosts.cdb")
        os.unlink(site.qmail + "/control/morercpthosts")
        yield call(site, site.bin + "/qmail-newmrh")
    both(lambda site: list(ask(site)))


@test("bouncesaying says the same at the same place", root=True, plain=True)
def bouncesaying():
    def ask(site):
        return [call(site, site.bin + "/bouncesaying", *words, input=b"x\n")
                for words in ([], ["no"], [""], ["no", "true"],
                              ["no", "false"], ["no", "sh", "-c", "exit 99"],
                              ["no", "sh", "-c", "exit 100"],
                              ["no", "sh", "-c", "exit 111"],
                              ["no", "sh", "-c", "kill -9 $$"],
                              ["no", "sh", "-c", "cat; echo e >&2"],
                              ["no", "/no/such"])]
    both(ask)


@test("condredirect hands a message on after the same programs", root=True,
      plain=True)
def condredirect():
    def ask(site):
        for words in ([], ["a@x.org"], ["a@x.org", "true"],
                      ["a@x.org", "false"], ["a@x.org", "cat"],
                      *(["a@x.org", "sh", "-c", f"exit {code}"]
                        for code in (2, 99, 100, 111)),
                      ["a@x.org", "sh", "-c", "kill -9 $$"],
                      ["a@x.org", "/no/such"]):
            before = site.queued()
            with tempfile.TemporaryFile() as message:
                message.write(b"Subject: x\n\nhello\n")
                message.seek(0)
                code, out, err = call(
                    site, site.bin + "/condredirect", *words, stdin=message,
                    env={"PATH": os.environ["PATH"], "SENDER": "s@x.org",
                         "DTLINE": "Delivered-To: b@x.org\n"})
            went = re.findall("^forward (.*)$", out, re.M)
            for queued in site.queued():
                if queued not in before:
                    went += queued[1]
            yield words, code, went
    both(lambda site: list(ask(site)))


CHILD = "od -An -c <&3; echo end; exit {}"
TALKS = [
    "", "\r\n", "QUIT\r\n", "quit\n", "USER\r\nUSER \r\nUSER joe\r\n",
    "PASS x\r\n",
    "PASS\r\nQUIT x\r\nUSER joe\r\n", "USER joe\r\nPASS\r\nPASS \r\nQUIT\r\n",
    "USER joe\r\nPASS secret\r\n", "user joe\npass secret\n",
    "USER   joe x \r\nPASS   two  words \t\r\nQUIT\r\n",
    "USER joe\r\r\nPASS a\rb\r\n", "USER j\xf6e\r\nPASS \xe4\xff\r\n",
    "USER a\0b\r\nPASS c\0d\r\n", "USER joe\r\nUSER ann\r\nPASS x\r\n",
    "APOP joe 0123456789abcdef\r\n", "APOP joe\r\nAPOP\r\nQUIT\r\n",
    "APOP joe a b c\r\n", "APOP  joe  x\r\n", "STAT\r\nCAPA\r\nNOOP\r\n",
    "USERS joe\r\nUSER joe\r\nPASSW x\r\nQUITS\r\n",
    "USER joe\r\nPASS " + "x" * 3000 + "\r\n", "USER joe\r\nPASS unfinished",
    "USER\tjoe\r\nPASS\tx\r\n", " USER joe\r\n",
]


@test("qmail-popup hands on and answers the same", root=True, plain=True)
def popup():
    def ask(site):
        for ends in ("0", "1", "111", "0; kill -9 $$"):
            for talk in TALKS if ends == "0" else TALKS[7:8]:
                child = CHILD.format(ends) if ends != "0; kill -9 $$" else \
                    "kill -9 $$"
                yield talk, ends, call(
                    site, site.bin + "/qmail-popup", "pop.example.com", "sh",
                    "-c", child, input=talk.encode("latin-1"))
        yield call(site, site.bin + "/qmail-popup", "x")
        yield call(site, site.bin + "/qmail-popup")

    both(lambda site: [spaced(row) for row in ask(site)])


def spaced(row):
    """od's columns as text, without the numbers of the stamp."""
    def text(part):
        if not isinstance(part, str):
            return part
        joined = re.sub(r"\n? {3}| (?=\\)", "", part)
        return re.sub(r"<[\d\s]+\.[\d\s]+@", "<STAMP@", joined)
    return tuple(tuple(map(text, part)) if isinstance(part, tuple) else part
                 for part in row)


SESSIONS = [
    "", "QUIT\r\n", "STAT\r\nLIST\r\nUIDL\r\nLAST\r\nNOOP\r\nQUIT\r\n",
    "LIST 1\r\nLIST 3\r\nLIST 9\r\nLIST 0\r\nLIST x\r\nLIST -1\r\nQUIT\r\n",
    "UIDL 1\r\nUIDL 2\r\nUIDL 9\r\nUIDL x\r\n", "RETR 1\r\nRETR 2\r\nRETR 3\r\n",
    "RETR\r\nRETR 9\r\nRETR 0\r\n", "TOP 1 0\r\nTOP 1 1\r\nTOP 2 1\r\nTOP 2 99\r\n",
    "TOP 1\r\nTOP\r\nTOP 1 x\r\n", "stat\nretr 1\nquit\n",
    "DELE 1\r\nLIST\r\nSTAT\r\nUIDL\r\nLIST 1\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n",
    "DELE 2\r\nRSET\r\nLIST\r\nQUIT\r\n", "DELE 1\r\nDELE 2\r\nSTAT\r\n",
    "DELE 1\r\nTOP 1 1\r\nUIDL 1\r\nQUIT\r\n", "QUI\r\nNOOP x\r\nRSET x\r\n",
    "LIST 99999999999999999999\r\nUIDL 01\r\n", "RETR 1\r\nQUIT", "STAT\r\r\n",
    "RETR 2\r\nLAST\r\nRSET\r\nLAST\r\nQUIT\r\n", "CAPA\r\nXYZ\r\nUSER a\r\n",
    "\r\n", "LIST  2\r\nSTAT \r\n", "RETR 1 2\r\nLIST 1x\r\n",
    "DELE\r\nDELE 0\r\nDELE 9\r\n", "DELE 1\r\n",
]
MAIL = {"cur/1000000000.1.h:2,S": "Subject: a\n\nbody\n.dot\n..two\nlast",
        "new/1000000001.2.h": "Subject: b\nX: y\n\none\n\ntwo\nthree\n",
        "new/1000000002.3.h": "\r\n.\r\n", "new/.hidden": "x\n"}


def maildir(site):
    path = site.top + "/m"
    shutil.rmtree(path, ignore_errors=True)
    for part in ("new", "cur", "tmp"):
        os.makedirs(f"{path}/{part}")
    for number, (name, text) in enumerate(MAIL.items()):
        with open(f"{path}/{name}", "w", newline="") as file:
            file.write(text)
        os.utime(f"{path}/{name}", (1000000000 + number,) * 2)
    with open(path + "/new/3000000000.9.h", "w") as file:
        file.write("from the next hour\n")
    os.utime(path + "/new/3000000000.9.h", (time.time() + 3600,) * 2)
    subprocess.run(["chown", "-R", f"{UID}:51", path], check=True)
    return path


@test("qmail-pop3d answers the same and leaves the same", root=True, plain=True)
def pop3d():
    def ask(site):
        program = ("setpriv", "--reuid", str(UID), "--clear-groups",
                   site.bin + "/qmail-pop3d")
        for talk in SESSIONS:
            path = maildir(site)
            got = call(site, *program, ".", input=talk.encode(), cwd=path)
            yield talk, got, sorted(
                os.path.relpath(os.path.join(where, name), path)
                for where, _, names in os.walk(path) for name in names)
        yield call(site, *program, "none", input=b"", cwd=path)
        yield call(site, *program, input=b"", cwd=path)
        shutil.rmtree(path + "/cur")
        yield call(site, *program, ".", input=b"QUIT\r\n", cwd=path)
        yield call(site, site.bin + "/qmail-pop3d", ".", input=b"", cwd=path)
    both(lambda site: list(ask(site)))


@test("qmail-inject takes the same envelope and message", root=True, plain=True)
def inject():
    def ask(site):
        for words in (["-f", "", "--", "a@x.org"],
                      ["-f", "s@x.org", "a@x.org", "b@y.org"],
                      ["-f", "", "--", "-fwho@x.org"]):
            for text in ("Subject: x\n\nbody\n", "Subject: x\n\nno newline"):
                got = call(site, site.bin + "/qmail-inject", "-a", *words,
                           input=text.encode())
                sender, recipients, came = genuine.queued(site.qmail)[-1]
                yield words, got, sender, recipients, \
                    came.partition("\n\n")[2], "Subject: x\n" in came
    both(lambda site: list(ask(site)))


run()
