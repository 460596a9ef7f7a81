#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breached passwords: a filter of them, and everywhere a person sets a password."""
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import (BUILD, GOOD, POPBOX, SMALL, WHOLE, Site, eq, has, hasnt, run,
                 test)

JOE, KNOWN, NEW = "joe@example.com", "lamp harbour 99 onion", "quiet lamp 77 harbour"
LONG = "x" * 300


def sha1(word):
    if isinstance(word, str):
        word = word.encode()
    return hashlib.sha1(word).hexdigest().upper()


def words(count):
    return [f"word number {i}" for i in range(count)]


def sums(of, ordered=True, form="{}:7\r\n"):
    lines = [sha1(word) for word in of]
    return "".join(form.format(line) for line in
                   (sorted(lines) if ordered else lines)).encode()


def put(site, name, data):
    with open(f"{site.top}/{name}", "wb") as file:
        file.write(data)
    return f"{site.top}/{name}"


def filtered(count=500, **settings):
    """A site that asks a filter in which KNOWN is."""
    site = Site(qmail=False, **settings).joe()
    path = put(site, "list", sums([KNOWN, *words(count)]))
    site.filter = site.top + "/filter"
    site.do("breach", "build", path, "--output", site.filter)
    site.settings({"breached": site.filter})
    return site


def sets(site, password, *options):
    return site.popbox("passwd", JOE, "--stdin", *options, input=password + "\n")


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Filter:
    """A reader after popbox-breached(5) alone."""

    def __init__(self, path):
        self.bytes = read(path)
        head = self.bytes[:256]
        eq(head[:16], b"popbox-breached\n")
        (self.version, self.bits, self.scale, self.entries, self.data,
         self.built) = struct.unpack("<IIQQQQ", head[16:56])
        self.source = head[56:184].split(b"\0")[0].decode()
        self.buckets = -(-self.scale // 128)
        self.at = 256 + 8 * (self.buckets + 1)
        eq(len(self.bytes), self.at + self.data)
        self.index = [n >> 24 for n in struct.unpack(
            f"<{self.buckets + 1}Q", self.bytes[256:self.at])]

    def places(self, bucket):
        part = self.bytes[self.at + self.index[bucket]:
                          self.at + self.index[bucket + 1]]
        bits = "".join(f"{byte:08b}" for byte in part)
        found, at, place = set(), 0, 0
        while "0" in bits[at:]:
            ones = bits.index("0", at) - at
            at += ones + 1
            place += (ones << self.bits) + int(bits[at:at + self.bits], 2)
            at += self.bits
            found.add(place)
            place += 1
        return found

    def has(self, word):
        key = int(sha1(word)[:16], 16)
        value = key * (self.scale << self.bits) >> 64
        return value % (1 << 24) in self.places(value >> 24)


@test("a list of sums, in order or not, in any case, with counts or without, or of "
      "words, becomes one and the same filter, which has all of them")
def lists():
    with Site(qmail=False) as site:
        of = words(300)
        made = []
        for name, data, more in (
                ("ordered", sums(of), ()),
                ("mixed", sums(of, ordered=False), ()),
                ("small", sums(of).lower(), ()),
                ("bare", sums(of, form="{}\n"), ()),
                ("no end", sums(of).rstrip(), ()),
                ("blank lines", b"\n\r\n" + sums(of) + b"\n\n", ()),
                ("twice", sums(of) + sums(of), ()),
                ("words", "\n".join(of).encode(), ()),
                ("dos", "\r\n".join(of).encode() + b"\r\n", ()),
                ("marked", b"\xef\xbb\xbf" + "\n".join(of).encode(), ()),
                ("told", "\n".join(of).encode(), ("--words",))):
            path = put(site, "list", data)
            site.do("breach", "build", path, "--output", site.top + "/f", *more)
            made.append((name, read(site.top + "/f")[256:]))
        eq([n for n, data in made if data != made[0][1]], [])
        made = Filter(site.top + "/f")
        eq((made.version, made.bits, made.scale, made.source),
           (1, 17, 300, "list"))
        eq([w for w in of if not made.has(w)], [])
        eq([w for w in ("a", "b", "word number 300") if made.has(w)], [])
        # Sums of sums: words that look like a list of them.
        path = put(site, "list", sums(of))
        site.do("breach", "build", path, "--output", site.top + "/g", "--words")
        assert Filter(site.top + "/g").has(sha1("word number 7") + ":7")


@test("lines that can be no password are skipped and counted; standard input is a "
      "list, too")
def skipped():
    with Site(qmail=False) as site:
        data = "\n".join(["first word", " begins with a blank", LONG, "x" * 600,
                          "x" * 70000, "", "x" * 255, "a\0b", "last"])
        got = json.loads(site.do("--json", "breach", "build", "-", "--output",
                                 site.top + "/f", input=data))
        eq((got["entries"], got["lines"], got["skipped"]), (3, 9, 5))
        made = Filter(site.top + "/f")
        eq((made.source, made.has("x" * 255), made.has("last"),
            made.has("x" * 256)), ("standard input", True, True, False))


@test("a list that does not fit into memory gives the same filter, however its "
      "lines are ordered")
def large():
    with Site(qmail=False) as site:
        of = words(20000)
        seen = set()
        for ordered in (True, False):
            path = put(site, "list", sums(of + of[:7000], ordered=ordered))
            for program in (POPBOX, SMALL):
                site.do("breach", "build", path, "--output", site.top + "/f",
                        program=program)
                seen.add(frozenset(
                    (b, frozenset(made.places(b))) for made in
                    [Filter(site.top + "/f")] for b in (0, 1, made.buckets - 1)
                    if made.scale == 20000))
        assert len(seen) <= 2, len(seen)
        site.do("config", "set", "breached", site.top + "/f")
        site.do("breach", "show", "--verify")


@test("a list that is none, or a part of one, changes nothing: the message has the "
      "line")
def bad_lists():
    with filtered() as site:
        before = read(site.filter)
        good = sums(words(100))
        for data, part in (
                (good + b"0123\n", "list:101: no SHA-1 sum"),
                (good + sha1("x").encode() + b":\n", "list:101: no SHA-1 sum"),
                (good + sha1("x").encode() + b":7x\n",
                 "list:101: no SHA-1 sum"),
                (good + sha1("x").encode() + b"00\n", "list:101: no SHA-1 sum"),
                (good + b"x" * 100000, "list:101: no SHA-1 sum"),
                (b"8846F7EAEE8FB117AD06BDD830B7586C:3\r\n",
                 "list:1: this is a list of NT hashes"),
                (b"", "has no password in it"), (b"\n\n", "has no password"),
                (b"\0\0\0\n" * 50, "has no password in it"),
                (b"".join(b"%08X%032X:1\n" % (i, i) for i in range(20000)),
                 "not spread as SHA-1 sums are"),
                (good + b"".join(b"%016X%024X:1\n" % (i << 40, i)
                                 for i in range(5000)),
                 "not spread as SHA-1 sums are")):
            path = put(site, "list", data)
            site.fails(100, part, "breach", "build", path, "--output",
                       site.filter)
            eq(read(site.filter), before, data[:60])
        half = sums(words(20000)).split(b"\r\n")[:10000]
        site.fails(100, "take the whole list", "breach", "build", "-",
                   "--output", site.filter, input=b"\r\n".join(half))
        site.fails(100, "No such file", "breach", "build", site.top + "/none",
                   "--output", site.filter)
        site.fails(100, "Is a directory", "breach", "build", site.top,
                   "--output", site.filter)
        eq(read(site.filter), before)
        eq(sorted(os.listdir(site.top)), ["filter", "home", "list",
                                          "serialmail", "store"])


@test("a filter replaces a filter, damaged or not, and nothing else; without a "
      "place it lies beside the store, and nobody asks it yet")
def places():
    with filtered() as site:
        path = put(site, "list", sums(words(10)))
        site.do("breach", "build", path)
        eq(json.loads(site.do("--json", "breach", "show"))["entries"], 10)
        with open(site.filter, "r+b") as file:
            file.seek(100)
            file.write(b"\xff")
        site.do("breach", "build", path)
        other = put(site, "other", b"somebody's file")
        site.fails(100, "is no filter of breached passwords", "breach", "build",
                   path, "--output", other)
        eq(read(other), b"somebody's file")
        os.symlink("filter", site.top + "/link")
        site.fails(100, "is no filter", "breach", "build", path, "--output",
                   site.top + "/link")
        site.do("config", "set", "breached", "none")
        site.fails(1, "no filter of breached passwords is set", "breach", "show")
        done = site.popbox("breach", "build", path)
        has(done.err, f"popbox config set breached {site.store}-breached")
        eq(os.stat(site.store + "-breached").st_mode & 0o7777, 0o600)
        site.do("config", "set", "breached", site.store + "-breached")
        shown = json.loads(site.do("--json", "breach", "show", "--verify"))
        eq((shown["path"], shown["entries"], shown["source"]),
           (site.store + "-breached", 10, "list"))
        eq(shown["bytes"], os.path.getsize(site.store + "-breached"))


@test("a full disk leaves the filter that was there")
def no_room():
    with filtered() as site:
        before = read(site.filter)
        path = put(site, "list", sums(words(20000)))
        for blocks in (1, 60, 200):
            got = site.popbox(
                "breach", "build", path, "--output", site.filter,
                prefix=("sh", "-c", f"ulimit -f {blocks}; trap '' XFSZ; "
                        'exec "$@"', "sh"))
            eq(got.rc, 111, got)
            has(got.err, "nothing was changed")
            eq(read(site.filter), before)
        eq(sorted(os.listdir(site.top)), ["filter", "home", "list",
                                          "serialmail", "store"])


@test("a breached password is refused by passwd, box add and batch as a weak one is; "
      "--force takes it; one that is made is not asked about")
def refused():
    with filtered() as site:
        got = sets(site, KNOWN)
        eq(got.rc, 100)
        has(got.err, "one of those that were breached")
        hasnt(got.err + got.out, KNOWN)
        eq(site.login(password=GOOD).rc, 0)
        site.fails(100, "were breached", "box", "add", "ann@example.com",
                   "--stdin", input=KNOWN + "\n")
        site.fails(1, "", "box", "show", "ann@example.com")
        line = json.dumps({"command": ["passwd", JOE], "password": KNOWN})
        answer = json.loads(site.popbox("batch", input=line + "\n").out)
        eq((answer["code"], answer["errors"][0]["code"]), (100, "weak"))
        eq(sets(site, NEW).rc, 0)
        eq(site.login(password=NEW).rc, 0)
        eq(sets(site, KNOWN, "--force").rc, 0)
        eq(site.login(password=KNOWN).rc, 0)
        os.unlink(site.filter)
        site.do("passwd", JOE, "--generate")
        site.do("passwd", JOE, "--no-password")
        site.do("breach", "build", put(site, "list", sums([NEW])), "--output",
                site.filter)
        eq((sets(site, KNOWN).rc, sets(site, NEW).rc), (0, 100),
           "the filter of now is asked")
        site.do("config", "set", "breached", "none")
        eq(sets(site, NEW).rc, 0)


BROKEN = (
    ("missing", lambda path: os.unlink(path), "No such file"),
    ("empty", lambda path: os.truncate(path, 0), "is no filter"),
    ("short", lambda path: os.truncate(path, os.path.getsize(path) - 1),
     "length"),
    ("long", lambda path: open(path, "ab").write(b"x"), "length"),
    ("no filter", lambda path: open(path, "wb").write(b"x" * 5000),
     "is no filter"),
    ("writable", lambda path: os.chmod(path, 0o622), "others may write"),
    ("a directory", lambda path: (os.unlink(path), os.mkdir(path)),
     "not a regular file"),
    ("a pipe", lambda path: (os.unlink(path), os.mkfifo(path)),
     "not a regular file"),
    ("a link", lambda path: (os.rename(path, path + ".x"),
                             os.symlink(path + ".x", path)),
     "Too many levels"),
)


@test("a filter that is missing, damaged, foreign or not safe: 111, no password is "
      "set, and the message and status say what to do")
def broken():
    for name, harm, part in BROKEN:
        with filtered() as site:
            harm(site.filter)
            before = site.do("--json", "log")
            got = sets(site, NEW)
            eq(got.rc, 111, (name, got))
            has(got.err, part)
            has(got.err, "popbox breach build")
            has(got.err, "popbox config set breached none")
            eq(sets(site, NEW, "--force").rc, 111, name)
            eq(site.popbox("box", "add", "ann@example.com", "--stdin",
                           input=NEW + "\n").rc, 111)
            path = put(site, "f.csv", f"address,password\nb@example.com,{NEW}\n"
                       .encode())
            site.fails(111, part, "import", path)
            eq(site.do("--json", "log"), before, name)
            site.fails(1 if name == "missing" else 111, part, "breach", "show")
            has(site.popbox("status").out, "no password can be set")
            eq(site.login().rc, 0, "logins do not ask")


@test("a filter of another user, or in a directory of another, is not believed",
      root=True)
def owners():
    with filtered() as site:
        os.chown(site.filter, 510, 51)
        eq(sets(site, NEW).rc, 111)
        has(sets(site, NEW).err, "belongs neither to root")
        os.chown(site.filter, 0, 0)
        eq(sets(site, NEW).rc, 0)
        os.chown(site.top, 510, 51)
        has(sets(site, NEW).err, "others than root could put")
        path = put(site, "list", sums(words(9)))
        site.fails(100, "others than root", "breach", "build", path, "--output",
                   site.filter)
        os.chown(site.top, 0, 0)


@test("each byte of a filter that changes is found by whoever reads it, and says "
      "neither yes nor no")
def flipped():
    with filtered(3) as site:
        whole = read(site.filter)
        for at in range(0, len(whole), 1 if WHOLE else 7):
            data = bytearray(whole)
            data[at] ^= 1 << at % 8
            with open(site.filter, "wb") as file:
                file.write(data)
            got = site.popbox("breach", "show", "--verify")
            eq(got.rc, 111, (at, got))
            # There is one bucket, and each question reads it.
            eq(sets(site, NEW).rc, 111, at)


def poppassd(site, new):
    done = subprocess.run(
        [POPBOX, "-d", site.store, "poppassd"], capture_output=True, text=True,
        input=f"user {JOE}\r\npass {GOOD}\r\nnewpass {new}\r\nquit\r\n",
        env={**os.environ, "TCPREMOTEIP": "192.0.2.7"}, timeout=180)
    return done.returncode, done.stdout, done.stderr


@test("a user who sets a breached password over poppassd is told so; without the "
      "filter he is asked to try later, and the log says why")
def over_poppassd():
    with filtered() as site:
        rc, out, err = poppassd(site, KNOWN)
        eq(rc, 100, err)
        has(out, "500 this password is weak: it is one of those that were "
            "breached")
        hasnt(out, "setting")
        has(err, "popbox-poppassd: weak ip=192.0.2.7 box=ex1-0001")
        eq(poppassd(site, NEW)[0], 0)
        site.do("passwd", JOE, "--stdin", input=GOOD + "\n")
        os.unlink(site.filter)
        rc, out, err = poppassd(site, NEW)
        eq(rc, 111, err)
        has(out, "500 not changed for now")
        has(err, "error ip=192.0.2.7 reason=new-password-not-judged")
        eq(site.login().rc, 0)


@test("an import takes breached passwords and names them, or rejects them with "
      "--refuse-breached; a dry run says the same")
def imported():
    with filtered() as site:
        path = put(site, "f.csv", f"address,password\na@example.com,{KNOWN}\n"
                   f"b@example.com,{NEW}\nc@example.com,word number 3\n"
                   .encode())
        for more in (("--dry-run",), ()):
            got = site.popbox("import", path, *more)
            eq(got.rc, 0, got)
            has(got.err, "f.csv:2: a@example.com: the password is one of those "
                "that were breached")
            has(got.err, "passwords that were breached: 2, accepted")
            hasnt(got.err + got.out, KNOWN)
        eq(site.login("a@example.com", KNOWN).rc, 0)
        path = put(site, "g.csv", read(path).replace(b"@", b".2@"))
        got = site.fails(100, "g.csv:2", "import", path, "--refuse-breached")
        has(got.err, "g.csv:4")
        hasnt(got.err, "g.csv:3")
        got = site.popbox("import", path, "--refuse-breached", "--skip-bad",
                          site.top + "/bad.csv")
        eq(got.rc, 1, got)
        eq(site.login("b.2@example.com", NEW).rc, 0)
        eq(site.popbox("box", "show", "a.2@example.com").rc, 1)
        eq(read(site.top + "/bad.csv").count(b"\n"), 3)


@test("nothing remembers who has a breached password: neither the store, the journal "
      "nor stats")
def forgotten():
    with filtered() as site, Site(qmail=False).joe() as other:
        for one in (site, other):
            path = put(one, "f.csv", f"address,password\na@example.com,{KNOWN}\n"
                       .encode())
            one.do("import", path)
        hasnt(site.do("--json", "log"), "breach")
        hasnt(site.do("--json", "stats"), "breach")
        eq(len(site.do("--json", "log")), len(other.do("--json", "log")) +
           len(site.do("--json", "log").splitlines()) *
           (len(site.top) - len(other.top)))


@test("who reads the list is nobody, and may ask for nothing but reading and "
      "writing", root=True, plain=True)
def confined():
    with Site(qmail=False) as site:
        reader, writer = os.pipe()
        process = subprocess.Popen(
            [POPBOX, "-d", site.store, "breach", "build", "-", "--output",
             site.top + "/f"], stdin=reader, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        os.close(reader)
        try:
            child = None
            while not child or "Seccomp:\t2" not in status(child):
                assert process.poll() is None
                child = next(iter(children(process.pid)), None)
            text = status(child)
            has(text, "Uid:\t65534\t65534\t65534\t65534")
            has(text, "NoNewPrivs:\t1")
            os.write(writer, sums(words(5)))
        finally:
            os.close(writer)
            process.communicate(timeout=60)
        eq((process.returncode, Filter(site.top + "/f").scale), (0, 5))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def status(pid):
    with open(f"/proc/{pid}/status") as file:
        return file.read()


@test("two that build one filter: the second says so and changes nothing; a killed "
      "one leaves the old filter, and the next removes what it left")
def two():
    with filtered() as site:
        before = read(site.filter)
        reader, writer = os.pipe()
        process = subprocess.Popen(
            [POPBOX, "-d", site.store, "breach", "build", "-"], stdin=reader,
            stderr=subprocess.PIPE)
        os.close(reader)
        try:
            while not os.path.exists(site.top + "/.filter.popbox-tmp") or \
                    not children(process.pid):
                assert process.poll() is None
            site.fails(111, "another popbox is writing it", "breach", "build",
                       site.top + "/list")
            process.kill()
            process.communicate(timeout=60)
        finally:
            os.close(writer)
        eq(read(site.filter), before)
        site.do("breach", "build", site.top + "/list")
        eq(sorted(os.listdir(site.top)), ["filter", "home", "list",
                                          "serialmail", "store"])


@test("of ten million passwords all are known, and of ten million others fewer than "
      "one in 100,000", plain=True, deep=True)
def ten_millions():
    done = subprocess.run([BUILD + "/unit/test_breached"], capture_output=True,
                          text=True, env={**os.environ,
                                          "BREACHED_ENTRIES": "10000000"})
    eq(done.returncode, 0, done.stdout + done.stderr)


run()
