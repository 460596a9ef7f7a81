#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every exit code that the command table names is seen, and doc/COMMANDS.md is
what the table says."""
import contextlib
import os
import pty
import random
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from preload import compiled
from tap import (GID, GOOD, POPBOX, TREE, UID, WHOLE, Site, eq, read_terminal, run,
                 table, test)

BOX, JOE, DOMAIN = "ex1-0001", "joe@example.com", "example.com"

# What makes each command end with each code, on a site with example.com, a
# box for joe, and a deleted box for ann. Wrong usage (2) and a store that is
# not there (111) are the same for all and come below.
WAYS = {
    "init": {0: [], 100: "again"},
    "config list": {0: []},
    "config get": {0: ["uid"], 100: ["uidd"]},
    "config set": {0: ["log", "none"], 100: ["log", "loud"]},
    "handle add": {0: ["new7"], 100: ["ex1"]},
    "handle show": {0: ["ex1"], 1: ["zz9"], 100: ["9z"]},
    "handle list": {0: []},
    "handle set": {0: ["ex1", "--login", "on"],
                   100: ["zz9", "--login", "on"]},
    "handle suspend": {0: ["ex1"], 100: ["zz9"]},
    "handle resume": {0: ["ex1"], 100: ["zz9"]},
    "handle del": {0: ["free", "--yes"], 100: ["ex1", "--yes"]},
    "domain add": {0: ["x.org", "--handle", "ex1"],
                   100: [DOMAIN, "--handle", "ex1"]},
    "domain set": {0: [DOMAIN, "--ip", "none"], 100: [DOMAIN, "--ip", "1"]},
    "domain list": {0: [], 100: ["--handle", "9z"]},
    "domain show": {0: [DOMAIN], 1: ["no.org"], 100: ["x..org"]},
    "domain rename": {0: [DOMAIN, "y.org"], 100: ["no.org", "y.org"]},
    "domain move": {0: [DOMAIN, "--handle", "ex9"],
                    100: ["no.org", "--handle", "ex9"]},
    "domain suspend": {0: [DOMAIN], 100: ["no.org"]},
    "domain resume": {0: [DOMAIN], 100: ["no.org"]},
    "domain del": {0: [DOMAIN, "--yes"], 100: ["no.org", "--yes"]},
    "box add": {0: ["new@" + DOMAIN, "--no-password"],
                100: [JOE, "--no-password"]},
    "box list": {0: [], 100: ["--handle", "9z"]},
    "box show": {0: [BOX], 1: ["ex1-0099"], 100: ["ex1"]},
    "box set": {0: [BOX, "--name", "x"], 100: ["ex1-0099", "--name", "x"]},
    "box suspend": {0: [BOX], 100: ["ex1-0099"]},
    "box resume": {0: [BOX], 100: ["ex1-0099"]},
    "box del": {0: [BOX, "--yes"], 100: ["ex1-0099", "--yes"]},
    "box undelete": {0: ["ex1-0002"], 100: [BOX]},
    "address add": {0: ["x@" + DOMAIN, BOX], 100: [JOE, BOX]},
    "address set": {0: [JOE, "a@b.org"], 100: ["x@" + DOMAIN, BOX]},
    "address suspend": {0: [JOE], 100: ["x@" + DOMAIN]},
    "address resume": {0: [JOE], 100: ["x@" + DOMAIN]},
    "address rename": {0: [JOE, "j@" + DOMAIN], 100: ["x@" + DOMAIN, JOE]},
    "address list": {0: [], 1: ["no.org"], 100: ["x..org"]},
    "address show": {0: [JOE], 1: ["x@" + DOMAIN], 100: ["x@"]},
    "address del": {0: [JOE, "--yes"], 100: ["x@" + DOMAIN, "--yes"]},
    "passwd": {0: [BOX, "--stdin"], 100: ["ex1-0099", "--stdin"]},
    "verify": {0: [JOE, "--stdin"], 1: ["x@" + DOMAIN, "--stdin"]},
    "breach build": {0: "a list", 100: "no list"},
    "breach show": {0: "a filter", 1: []},
    "import": {0: "good csv", 1: "half csv", 100: "bad csv"},
    "export": {0: [], 1: "wrapped", 100: ["no.org"]},
    "harden": {0: ["--yes"], 100: "asked"},
    "sync": {0: [], 1: ["--dry-run"]},
    "check": {0: [], 1: "damaged"},
    "serialmail run": {0: []},
    "explain": {0: [JOE], 1: ["who@no.org"], 100: ["who"]},
    "search": {0: ["joe"], 1: ["nobody"]},
    "log": {0: []},
    "undo": {0: ["1-last"], 100: ["999"]},
    "purge": {0: ["--yes"], 100: [DOMAIN, "--yes"]},
    "backup": {0: ["new"], 100: ["taken"]},
    "restore": {0: ["taken", "--yes"], 100: ["nowhere"]},
    "status": {0: [], 1: "unpublished"},
    "stats": {0: [], 100: ["--handle", "zz9"]},
    "upgrade": {0: []},
    "tune": {0: ["--target", "1"]},
    "poppassd": {0: "right dialogue", 1: "wrong dialogue",
                 100: "weak dialogue"},
    "batch": {0: "one line", 1: "no line", 100: "refused line"},
    "complete": {0: ["--", "box", "s"]},
    "help": {0: []},
}

# What wants a central database: cluster.t has one, and sees their codes.
ELSEWHERE = {
    "cluster init": ["host=/tmp"], "cluster join": ["host=/tmp"],
    "cluster leave": [], "cluster status": [], "cluster check": [],
    "cluster schema": [], "cluster tidy": [], "follow": ["--once"],
}


def name(row):
    return row["noun"] + (" " + row["verb"] if row["verb"] else "")


class Sites(contextlib.ExitStack):
    """Sites for one command each, which are put back to what they were rather than
    made anew. qmail: commands that want one, beside explain."""

    def __init__(self, qmail=(), **kw):
        super().__init__()
        self.qmail, self.kw, self.free = ("explain", *qmail), kw, {}

    def made(self, qmail, hashes):
        site = self.enter_context(Site(qmail=qmail, **self.kw)).joe()
        site.do("box", "add", "ann@example.com", "--no-password")
        site.do("box", "del", "ann@example.com", "--yes")
        site.do("handle", "add", "free")
        for who, method in hashes:
            site.do("box", "add", who + "@example.com", "--hash-stdin",
                    input=subprocess.run(
                        ["mkpasswd", "-m", method, "words"], check=True,
                        capture_output=True).stdout)
        site.keep()
        return site

    @contextlib.contextmanager
    def of(self, words, code):
        kind = words in self.qmail, \
            (("sha", "sha-512"), ("md5", "md5crypt")) \
            if words in ("export", "harden") else ()  # one weak, one wrapped
        free = self.free.setdefault(kind, [])
        try:
            site = free.pop()
        except IndexError:
            site = self.made(*kind)
        if words == "sync" and code == 1:
            site.do("handle", "set", "ex1", "--delivery", "hold", "--no-sync")
        if words == "check" and code == 1:
            with open(site.store + "/data.mdb", "r+b") as file:
                data = file.read()
                file.seek(0)
                file.write(data.replace(b"example.com", b"exbmple.com"))
        yield site
        site.back()
        free.append(site)


def full_disk():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def on_terminal(site, words, answer):
    """A command that asks, on a terminal of its own, and what it ends with."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(POPBOX, [POPBOX, "-d", site.store, *words.split()])
    os.write(fd, answer)
    while read_terminal(fd):
        pass
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


SPECIAL = {
    "good csv": (["-"], "address,hash\nnew@example.com,*\n"),
    "bad csv": (["-"], "address,hash\nnew@example.com,hello\n"),
    "wrapped": (["--format", "dovecot"], ""),
    "right dialogue": ([], f"user {JOE}\npass {GOOD}\nnewpass quiet lamp 77\n"),
    "wrong dialogue": ([], f"user {JOE}\npass x\nnewpass quiet lamp 77\n"),
    "weak dialogue": ([], f"user {JOE}\npass {GOOD}\nnewpass short\n"),
    "a list": (["-"], "seven words\nletmein now\n"),
    "no list": (["-"], ""),
    "one line": ([], '{"command": ["box", "show", "ex1-0001"]}\n'),
    "no line": ([], '{"command": ["box", "show", "ex1-0099"]}\n'),
    "refused line": ([], '{"command": ["domain", "show", "x..org"]}\n'),
}


def command(site, words, code, args):
    """The command line and what it reads."""
    text = GOOD + "\n"
    if isinstance(args, str) and args in SPECIAL:
        args, text = SPECIAL[args]
    if args == "half csv":
        args = [site.top + "/half.csv", "--skip-bad", site.top + "/bad.csv"]
        with open(args[0], "w") as file:
            file.write("address,hash\nnew@example.com,*\nx@example.com,y\n")
    if words == "init":
        site.store = site.top + "/other" if code == 0 else site.store
        args = ["--uid", str(UID), "--gid", str(GID), "--home", site.home,
                "--serialmail", site.serial, "--no-qmail"]
    if args == "a filter":
        site.do("breach", "build", "-", input="letmein now\n")
        site.do("config", "set", "breached", site.store + "-breached")
        args = []
    if args == ["1-last"]:
        args = [str(site.last_entry())]
    if args == "unpublished":
        site.do("handle", "set", "ex1", "--delivery", "hold", "--no-sync")
    if args in ("damaged", "unpublished"):
        args = []
    if words in ("backup", "restore"):
        args = [site.top + "/" + args[0], *args[1:]]
        site.do("backup", site.top + "/taken")
    return (*words.split(), *args), text


def outcome(sites, words, code, args):
    with sites.of(words, code) as site:
        if args == "asked":
            return on_terminal(site, words, b"n\n")
        line, text = command(site, words, code, args)
        return site.popbox(*line, input=text).rc


def small():
    resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))


class NoMemory:
    """The n-th allocation of a command fails, or of popusr's child alone."""

    def __init__(self, site, child=False):
        self.child = {"FAIL_CHILD": "yes"} if child else {}
        self.mark = site.top + "/mark"
        self.preloaded = compiled("deep/nomalloc")

    def run(self, site, n, line, text):
        """What came of it; None: it has fewer than n."""
        if os.path.exists(self.mark):
            os.unlink(self.mark)
        # What tune could compute takes far longer than what it allocates.
        got = site.popbox(*line, input=text, preexec=small if line == (
            "tune", "--target", "1") else None, env={
            "LD_PRELOAD": self.preloaded, "FAIL_AT": str(n),
            "FAIL_MARK": self.mark, **self.child})
        with open(self.mark, "rb") as mark:
            return got if mark.read() == b"x" else None


def without_memory(sites, words, child):
    """Every allocation at first, then fewer and fewer; the site as it was whenever
    the command has done something. How many were tried. `make check` tries few,
    each time others."""
    share = 6 if words in ("box set", "import", "export", "restore") else 2
    more = 1 if WHOLE else 3
    n, tried = 1, 0
    while True:
        with sites.of(words, 0) as site:
            line, text = command(site, words, 0, WAYS[words][0])
            if words == "address add":  # it says the same
                path = site.domain_path() + "/.qmail-x"
                with open(path, "w") as file:
                    file.write(site.box_path() + "/\n")
                os.chown(path, UID, GID)
            how, done = NoMemory(site, child), False
            while not done:
                got = how.run(site, n, line, text)
                if not got:
                    return tried
                what = f"{words}: allocation {n}: {got}"
                # What was done though it ended with 111 is refused next.
                again = got.rc not in (0, 111) and \
                    site.popbox(*line, input=text)
                assert not again or again.rc == got.rc, what
                assert got.rc in (0, 1) or got.err.startswith("popbox: ") or \
                    got.out.startswith("cannot tell: ") or \
                    got.err.startswith("popbox-poppassd: error ") or \
                    '"code":111}' in got.out or \
                    got.err.startswith('{"error":'), what
                if got.rc == 1:  # what it finds is there
                    eq(got.out, again.out, what)
                done, tried = got.rc != 111, tried + 1
                n += random.randrange(1, 2 * more) + more * n // share
            site.do("sync")
            eq(site.popbox("check", "--store-only").rc, 0, what)


@test("every command ends with each exit code that its row names, when it must",
      plain=True)
def each():
    with Sites() as sites:
        every_code(sites)


def every_code(sites):
    eq({name(row) for row in table()}, set(WAYS) | set(ELSEWHERE))
    for row in table():
        words = name(row)
        if words in ELSEWHERE:
            continue
        special = sorted(set(WAYS[words]) | {2, 111})
        eq([int(c) for c in row["exit_codes"].split()], special, words)
        for code, args in WAYS[words].items():
            eq(outcome(sites, words, code, args), code, f"{words} {args}")


@test("wrong usage is 2 for every command, and changes nothing", plain=True)
def usage():
    with Site().joe() as site:
        before = site.tree(), site.do("--json", "log")
        for row in table():
            words = name(row).split()
            operands = ["x@y.org"] * len(row["operands"].split())
            eq(site.popbox(*words, *operands, "--nonsense").rc, 2, words)
            eq(site.popbox(*words, *operands * 99, "a", "b", "c").rc, 2, words)
        eq((site.tree(), site.do("--json", "log")), before)


@test("a store that is not there, or a full disk, is 111 for every command",
      plain=True)
def later():
    with Site().joe() as site:
        site.do("backup", site.top + "/taken")
        for row in table():
            words = name(row)
            if words in ("help", "complete", "cluster schema"):  # need no store
                with open("/dev/full", "wb") as full:
                    eq(subprocess.run([POPBOX, *words.split()], stdout=full,
                                      stderr=subprocess.PIPE).returncode, 111)
                continue
            args = ELSEWHERE[words] if words in ELSEWHERE else WAYS[words][0]
            if words == "init":
                site.store = site.top + "/other"
                eq(site.popbox("init", "--uid", str(UID), "--gid", str(GID),
                               "--home", site.home, "--serialmail",
                               site.serial, "--no-qmail",
                               preexec=full_disk).rc, 111)
                assert not os.path.exists(site.store)
                continue
            if words == "restore":  # it makes one where none is
                site.store = site.top + "/third"
                eq(site.popbox("restore", site.top + "/taken",
                               preexec=full_disk).rc, 111)
                assert not os.path.exists(site.store)
                continue
            site.store = site.top + "/nowhere"
            args = ["5"] if args == ["1-last"] else args
            args = ["-"] if args in ("good csv", "a list") else args
            args = [] if isinstance(args, str) else args
            eq(site.popbox(*words.split(), *args, input=GOOD + "\n").rc, 111,
               words)


@test("for want of memory no command says no, or that something is bad: 111, or "
      "all is done", plain=True)
def no_memory():
    for child in (False, True):
        # Several at a time, and there is one real qmail.
        with Sites(("check", "domain add", "import", "sync"),
                   standins=True) as sites, ThreadPoolExecutor(4) as pool:
            tried = dict(zip(WAYS, pool.map(
                lambda words: without_memory(sites, words, child), WAYS)))
        if child:
            assert tried["address add"] and tried["check"], tried
        else:
            assert tried["import"] > (10 if WHOLE else 3), tried
            assert min(tried.values()) >= 1, tried


@test("what is printed as JSON is whole, or the code says that it is not",
      plain=True)
def whole_json():
    with Site().joe() as site:
        how, wrong = NoMemory(site), []
        for words in ("box list", "box show ex1-0001", "log", "config list",
                      "stats", "check --store-only", "domain list"):
            line = ("--json", *words.split())
            whole, n = site.popbox(*line), 1
            while got := how.run(site, n, line, ""):
                if (got.rc, got.out) != (0, whole.out) and got.rc != 111:
                    wrong.append((words, n, got))
                n += 1 + n // 20
            assert n > 20, (words, n)
        eq(wrong[:3], [])


@test("doc/COMMANDS.md is what tests/commands makes of the table")
def generated():
    made = subprocess.run([TREE + "/tests/commands", POPBOX], check=True,
                          capture_output=True, text=True).stdout
    with open(TREE + "/doc/COMMANDS.md") as file:
        assert file.read() == made, \
            "run: tests/commands build/popbox >doc/COMMANDS.md"


run()
