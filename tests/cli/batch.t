#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox batch: commands as JSON, one a line, and what a delegated administrator
cannot do with them."""
import itertools
import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, POPBOX, Site, eq, has, hasnt, run, some, table, test

JOE, BOX = "joe@example.com", "ex1-0001"


def line(*words, id=None, password=None, hash=None, **options):
    """One line, as an object."""
    made = {"command": list(words),
            "options": {k.replace("_", "-"): v for k, v in options.items()}}
    for name, value in (("id", id), ("password", password), ("hash", hash)):
        if value is not None:
            made[name] = value
    return made


def raw(site, data, *args, **kw):
    """Exit code and answers."""
    got = site.popbox("batch", *args, input=data, **kw)
    eq(got.err, "")
    return got.rc, [json.loads(text) for text in got.out.splitlines()]


def batch(site, *lines, args=(), **kw):
    return raw(site, "".join(json.dumps(one) + "\n" for one in lines), *args,
               **kw)


def one(site, made, *args):
    """The only answer; its code is the process's."""
    rc, (answer,) = batch(site, made, args=args)
    eq(rc, answer["code"])
    return answer


def words(answer):
    return [error["code"] for error in answer["errors"]]


@test("each line is answered in its turn, with its id, what --json prints, notes, "
      "errors and the exit code")
def answers():
    with Site().joe() as site:
        rc, got = batch(
            site, line("box", "add", "b@example.com", id=1, name="B",
                       no_password=True),
            line("box", "show", "b@example.com", id="two \u00e9 \x1b"),
            line("box", "show", "c@example.com", id=-3),
            line("address", "add", "c@example.com", "b@example.com", "x@y.org"))
        eq([a["id"] for a in got], [1, "two \u00e9 \x1b", -3, None])
        eq([a["code"] for a in got], [0, 0, 1, 0])
        eq(rc, 1)
        eq(got[0]["result"][0]["box"], "ex1-0002")
        shown = json.loads(site.do("--json", "box", "show", "ex1-0002"))
        eq(shown["name"], "B")
        eq((words(got[2]), got[2]["errors"][0]["object"]),
           (["unknown"], "c@example.com"))
        eq(got[3]["result"][0]["forwards"], ["x@y.org"])
        eq(set(got[3]), {"id", "result", "notes", "errors", "code"})
        log = [json.loads(l) for l in site.do("--json", "log").splitlines()]
        # A change of its own each, with the command that made it.
        eq(got[0]["result"][0]["entry"], log[-3]["group"])
        eq(log[-1]["command"], "batch address add c@example.com b@example.com "
           "x@y.org")
        site.do("undo", str(got[3]["result"][0]["entry"]), "--yes")
        site.sound()


@test("passwords and hashes stand in members, and the box logs in with them")
def passwords():
    with Site().joe() as site:
        new = "quiet lamp 77 harbour"
        rc, got = batch(site, line("passwd", JOE, password=new),
                        line("box", "add", "ann@example.com", password=GOOD),
                        line("passwd", JOE, password="joe"),
                        line("verify", JOE, password=new),
                        line("verify", JOE, password="wrong"))
        eq([a["code"] for a in got], [0, 0, 100, 0, 1])
        eq(words(got[2]), ["weak"])
        eq(got[3]["result"][0]["verdict"], "accept")
        eq(site.login(password=new).rc, 0)
        eq(site.login("ann@example.com").rc, 0)
        made = subprocess.run(["mkpasswd", "-m", "sha-512", new + "x"],
                              capture_output=True, text=True, check=True)
        eq(one(site, line("passwd", JOE, hash=made.stdout.strip()))["code"], 0)
        eq(site.login(password=new + "x").rc, 0)
        got = one(site, line("passwd", JOE, generate=24))
        eq(len(got["result"][0]["password"]), 24)
        eq(site.login(password=got["result"][0]["password"]).rc, 0)
        for wrong in (line("passwd", JOE), line("passwd", JOE, stdin=True),
                      line("passwd", JOE, fd=0), line("passwd", JOE, fd=5),
                      line("box", "show", JOE, password=GOOD),
                      line("passwd", JOE, password=GOOD, generate=True),
                      {"command": ["passwd", JOE], "password": 5},
                      {"command": ["passwd", JOE], "password": GOOD, "hash": "*"}):
            eq(words(one(site, wrong)), ["usage"], wrong)
        for text in ("a\nbcdefghijkl", "", "x" * 5000):
            eq(one(site, line("passwd", JOE, password=text))["code"], 100, text)
        assert not [e for e in site.do("log") if GOOD in e]


@test("a line that is none is answered with what is wrong, and the next one is "
      "done")
def faults():
    deep = "[" * 30000
    bad = ['{"command": ["status"]', "[]", "5", "null", '"x"', deep,
           '{"command": []}', '{"command": "status"}', '{"command": [5]}',
           '{"command": ["box", null]}', '{"command": ["x"], "more": 1}',
           '{"command": ["a"], "command": ["b"]}', '{"command": ["a\\u0000b"]}',
           '{"command": ["status"]} x', '{"command": ["status"], "options": []}',
           '{"command": ["status"], "options": {"x": 1.5}}',
           '{"command": ["status"], "options": {"x": {}}}',
           '{"command": ["status"], "options": {"-x": 1}}',
           '{"command": ["status"], "options": {"": 1}}',
           '{"command": ["status"], "options": {"x=y": "1"}}',
           json.dumps({"command": ["x"] * 67}), '{"id": 1.5, "command": ["x"]}',
           json.dumps({"id": "x" * 257, "command": ["status"]}),
           '{"id": [1], "command": ["x"]}',
           '{"id": "a\x7f", "command": ["status"]}',
           '{"id": 99999999999999999999, "command": ["x"]}',
           json.dumps({"command": ["x"], "options":
                       {f"o{i}": True for i in range(25)}}),
           '{"command": ["\ud800"]}', "\x00", "x" * 65537, "{" + " " * 70000 + "}"]
    with Site().joe() as site:
        data = b"".join(text.encode("utf-8", "surrogatepass") + b"\n"
                        for text in bad)
        data += b'\xff\xfe{}\n{"command": ["\xc3"]}\n'
        rc, got = raw(site, data + b"\n \t\r\n" +
                      json.dumps(line("box", "show", JOE, id="good")).encode())
        eq(len(got), len(bad) + 3)
        eq([words(a) for a in got[:-1]], [["usage"]] * (len(bad) + 2))
        eq((got[-1]["id"], got[-1]["code"], rc), ("good", 0, 2))
        # A fault in a line with an id is told with it.
        eq(one(site, {"id": "a", "command": []})["id"], "a")
        # The longest line there may be.
        eq(raw(site, json.dumps(line("box", "show", JOE)).ljust(65536))[0], 0)
        # Hardly a line, and none at all.
        eq(raw(site, ""), (0, []))
        eq(raw(site, "\n\n"), (0, []))


@test("an operand that looks like an option is an operand, and options of the "
      "process are none of a line's")
def options():
    with Site().joe() as site:
        eq(words(one(site, line("box", "show", "--json"))), ["invalid"])
        for name in ("json", "no-input", "help", "version"):
            eq(words(one(site, line("status", **{name: True}))), ["usage"], name)
        eq(words(one(site, line("status", d="/tmp"))), ["usage"])
        eq(words(one(site, line("status", nonsense=1))), ["usage"])
        eq(words(one(site, line("status", "x"))), ["usage"])
        eq(words(one(site, line("boxx", "show"))), ["usage"])
        eq(words(one(site, line("box"))), ["usage"])
        eq(one(site, line("box", "set", JOE, name=False, quota="1M"))["code"], 0)
        got = one(site, line("box", "set", JOE, quota="2M", dry_run=True))
        assert got["result"] and isinstance(got["result"][0], str), got
        # What asks is told that nobody is there.
        eq(words(one(site, line("box", "del", JOE))), ["usage"])
        eq(one(site, line("box", "del", JOE, yes=True))["code"], 0)


@test("a failed line does not stop the others, but with --stop it does; the exit "
      "code is the highest of all")
def stops():
    lines = [line("box", "show", JOE), line("box", "show", "x@example.com"),
             line("box", "set", "x@example.com", name="x"),
             line("box", "show", JOE)]
    with Site().joe() as site:
        rc, got = batch(site, *lines)
        eq((rc, [a["code"] for a in got]), (100, [0, 1, 100, 0]))
        rc, got = batch(site, *lines, args=["--stop"])
        eq((rc, [a["code"] for a in got]), (1, [0, 1]))


# Those that a batch refuses, each with its reason.
NEVER = {"init", "import", "export", "check", "serialmail run", "harden",
         "backup", "restore", "upgrade", "tune", "complete", "help", "batch",
         "poppassd", "breach build"}


def name(row):
    return " ".join(filter(None, (row["noun"], row["verb"])))


@test("each command of the table is run or refused by name")
def whole_table():
    with Site().joe() as site:
        refused = set()
        for row in table():
            least = row["operands"].count(" ") + 1 if row["operands"] and \
                row["operands"][0] != "[" else 0
            before = site.last_entry()
            got = one(site, line(*name(row).split(),
                                 *["x@none.example"] * least))
            text = " ".join(e["error"] for e in got["errors"])
            if "is no command of a batch" in text:
                refused.add(name(row))
                eq((got["code"], site.last_entry()), (2, before))
        eq(refused, NEVER)
        eq(words(one(site, line("log", follow=True))), ["usage"])


class Talk:
    """A batch that goes on."""

    def __init__(self, site, *args):
        self.process = site.start(POPBOX, "-d", site.store, "batch", *args,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)

    def say(self, *args, **kw):
        self.process.stdin.write(json.dumps(line(*args, **kw)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        return self.process.wait(60)

    def children(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return file.read().split()


@test("an answer comes before the next line is there; other settings, another "
      "store and a helper that was killed are seen", root=True)
def goes_on():
    with Site().joe() as site:
        site.do("backup", site.top + "/taken")
        talk = Talk(site)
        eq(talk.say("box", "show", JOE, id=1)["id"], 1)
        site.do("config", "set", "password_min", "20")
        got = talk.say("passwd", JOE, password="sixteen or so ab")
        eq(words(got), ["weak"])
        eq(talk.say("config", "set", "password_min", "10")["code"], 0)
        eq(talk.say("passwd", JOE, password="sixteen or so ab")["code"], 0)
        # A change by somebody else is seen, too.
        site.do("box", "add", "ann@example.com", "--no-password")
        eq(talk.say("box", "show", "ann@example.com")["code"], 0)
        site.do("restore", site.top + "/taken", "--yes")
        eq(talk.say("box", "show", "ann@example.com")["code"], 1)
        eq(talk.say("box", "add", "eve@example.com", no_password=True)["code"], 0)
        eq(site.popbox("box", "show", "eve@example.com").rc, 0)
        helpers = [pid for pid in talk.children()
                   if open(f"/proc/{pid}/status").read().count("\nUid:\t510")]
        eq(len(helpers), 1)
        os.kill(int(helpers[0]), signal.SIGKILL)
        eq(talk.say("box", "add", "bob@example.com", no_password=True)["code"],
           111)
        eq(talk.say("box", "add", "bob2@example.com", no_password=True)["code"],
           0)
        eq(talk.end(), 111)
        site.do("sync")


@test("the process that reads the lines is nobody, has two descriptors, and may "
      "ask the kernel for nothing else", root=True, plain=True)
def reader():
    with Site().joe() as site:
        talk = Talk(site)
        talk.say("box", "show", JOE)
        found = []
        for pid in talk.children():
            with open(f"/proc/{pid}/status") as file:
                status = dict(re.findall(r"^(\w+):\t(.*)$", file.read(), re.M))
            if status["Uid"].split()[0] == "65534":
                fds = sorted(os.listdir(f"/proc/{pid}/fd"), key=int)
                found.append((status["Seccomp"], status["NoNewPrivs"],
                              status["CapEff"], len(fds)))
                reader = pid
        eq(found, [("2", "1", "0" * 16, 5)])
        # Whoever kills it has ended the batch, which does not take that for the end.
        os.kill(int(reader), signal.SIGKILL)
        eq(talk.process.wait(60), 111)


@test("lines that come in pieces, and answers that nobody takes", root=True)
def pieces():
    with Site().joe() as site:
        talk = Talk(site)
        text = json.dumps(line("box", "show", JOE))
        for part in (text[:9], text[9:], "\n", text + "\n" + text[:5]):
            talk.process.stdin.write(part)
            talk.process.stdin.flush()
        talk.process.stdin.write(text[5:])
        out = talk.process.communicate(timeout=60)[0]
        eq([json.loads(l)["code"] for l in out.splitlines()], [0, 0, 0])
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [POPBOX, "-d", site.store, "batch"], stdout=full,
                input=(text + "\n").encode() * 3, stderr=subprocess.PIPE)
        eq(done.returncode, 111)


def scoped_site():
    """ex1 has example.com and second.com, ex2 has other.org; joe is ex1's, ann
    ex2's; eve of ex1 has an address in either domain; shared@example.com leads to
    ann's box; ann's other address forwards to joe."""
    site = Site().joe()
    site.do("domain", "add", "second.com", "--handle", "ex1")
    site.do("domain", "add", "other.org", "--handle", "ex2")
    site.do("domain", "add", "alias.org", "--alias-of", "other.org")
    site.do("box", "add", "ann@other.org", "--no-password")        # ex2-0001
    site.do("box", "add", "eve@example.com", "--no-password")      # ex1-0002
    site.do("address", "add", "eve@second.com", "ex1-0002")
    site.do("box", "add", "sam@second.com", "--no-password")       # ex1-0003
    site.do("address", "add", "shared@example.com", "ex2-0001")
    site.do("address", "add", "follows@other.org", "ann@other.org", JOE,
            "keep@other.example", "--force")
    site.do("box", "add", "gone@other.org", "--no-password")       # ex2-0002
    site.do("box", "del", "gone@other.org", "--yes")
    return site


def scoped(site, scope, *lines):
    return batch(site, *lines, args=["--scope", scope])[1]


def everything(site):
    return site.do("--json", "log"), site.tree()


@test("within its scope a delegated administrator keeps boxes, addresses and "
      "passwords", root=True)
def inside():
    for scope in ("ex1", "example.com"):
        with scoped_site() as site:
            got = scoped(
                site, scope,
                line("box", "add", "new@example.com", name="N", generate=True),
                line("box", "show", "new@example.com"),
                line("passwd", JOE, password="quiet lamp 77 harbour"),
                line("box", "suspend", JOE, reason="away"),
                line("box", "resume", BOX),
                line("box", "set", JOE, name="Joe"),
                line("box", "list"), line("box", "list", domain="example.com"),
                line("domain", "show", "example.com"),
                line("address", "add", "info@example.com", JOE, "x@y.org"),
                line("address", "set", "info@example.com", "new@example.com"),
                line("address", "suspend", "info@example.com"),
                line("address", "resume", "info@example.com"),
                line("address", "rename", "info@example.com", "i@example.com"),
                line("address", "show", "i@example.com"),
                line("address", "list", "example.com"),
                line("address", "del", "i@example.com", yes=True),
                line("box", "del", "new@example.com", yes=True),
                line("box", "undelete", "new@example.com"))
            eq([(a["code"], a["errors"]) for a in got],
               [(0, [])] * len(got), scope)
            undo = got[5]["result"][0]["entry"]
            eq(scoped(site, scope, line("undo", str(undo), yes=True))[0]["code"],
               0)
            has(site.do("log"), f"batch --scope {scope} box set joe@example.com")
            site.sound()
            more = [line("handle", "show", "ex1"), line("domain", "list"),
                    line("box", "show", "sam@second.com"),
                    line("box", "suspend", handle="ex1", match="sam", yes=True)]
            want = 0 if scope == "ex1" else 100
            eq([a["code"] for a in scoped(site, scope, *more)], [want] * 4, scope)


@test("lists within a scope show nothing of others", root=True)
def lists():
    for scope, boxes in (("ex1", {"ex1-0000", BOX, "ex1-0002", "ex1-0003"}),
                         ("example.com", {"ex1-0000", BOX, "ex1-0002"})):
        with scoped_site() as site:
            got = scoped(site, scope, line("box", "list"),
                         line("box", "list", match="0"),
                         line("box", "list", never=True))
            for answer in got:
                eq({row["box"] for row in answer["result"]}, boxes, scope)
            outside = scoped(site, scope, line("box", "list", handle="ex2"),
                             line("box", "list", domain="other.org"),
                             line("box", "list", domain="none.org"),
                             line("box", "list", handle="zz9"),
                             line("address", "list"),
                             line("address", "list", "other.org"),
                             line("domain", "list", handle="ex2"))
            eq([words(a) for a in outside], [["scope"]] * 7)
            if scope == "ex1":
                got = scoped(site, scope, line("domain", "list"))[0]
                eq({row["domain"] for row in got["result"]},
                   {"example.com", "second.com"})


# Ways to get at others' objects with commands that a scope has.
ATTACKS = [
    line("box", "add", "x@other.org", no_password=True),
    line("box", "add", "x@alias.org", no_password=True),
    line("box", "add", "x@example.com", handle="ex2", no_password=True),
    line("box", "add", "x@example.com", no_password=True, adopt=True),
    line("box", "add", "x@example.com", file="/etc/shadow"),
    line("box", "add", "x@example.com", hash="$5$x$y"),
    line("box", "add", "x@example.com", password="x", force=True),
    line("box", "show", "ex2-0001"), line("box", "show", "ann@other.org"),
    line("box", "show", "ex2-0099"), line("box", "show", "who@other.org"),
    line("box", "show", "shared@example.com"),
    line("box", "set", "ex2-0001", name="x"),
    line("box", "set", JOE, quota="none"), line("box", "set", JOE, login="on"),
    line("box", "set", match="ann", handle="ex2", name="x", yes=True),
    line("box", "suspend", "ex2-0001"),
    line("box", "suspend", "shared@example.com"),
    line("box", "resume", "ex2-0001"), line("box", "del", "ex2-0001", yes=True),
    line("box", "del", "shared@example.com", yes=True),
    line("box", "del", JOE, yes=True, dry_run=True),
    line("box", "undelete", "ex2-0002"), line("box", "undelete", "gone@other.org"),
    line("passwd", "ex2-0001", generate=True),
    line("passwd", "ann@other.org", generate=True),
    line("passwd", "shared@example.com", generate=True),
    line("passwd", JOE, file="/etc/shadow"),
    line("passwd", match="joe", generate=True, yes=True, credentials="/tmp/x"),
    line("passwd", JOE, password="x", force=True),
    line("address", "add", "x@other.org", JOE),
    line("address", "add", "x@example.com", "ex2-0001"),
    line("address", "add", "x@example.com", JOE, "ex2-0001"),
    line("address", "add", "x@example.com", "ann@other.org"),
    line("address", "add", "x@example.com", JOE, "who@other.org"),
    line("address", "add", "x@example.com", "ann@alias.org"),
    line("address", "add", "x@example.com", JOE, adopt=True),
    line("address", "add", "x@example.com", JOE, no_sync=True),
    line("address", "set", JOE, "ex2-0001"), line("address", "set", "ann@other.org", JOE),
    line("address", "set", "shared@example.com", JOE),
    line("address", "suspend", "ann@other.org"),
    line("address", "resume", "follows@other.org"),
    line("address", "rename", "ann@other.org", "ann@example.com"),
    line("address", "rename", JOE, "joe@other.org"),
    line("address", "del", "ann@other.org", yes=True),
    line("address", "del", "shared@example.com", yes=True),
    line("address", "show", "ann@other.org"),
    line("address", "show", "shared@example.com"),
    line("domain", "show", "other.org"), line("domain", "show", "none.org"),
    line("domain", "show", "alias.org"), line("handle", "show", "ex2"),
    line("handle", "show", "zz9"), line("undo", yes=True),
    line("undo", "999999", yes=True), line("undo", "x", yes=True),
]


@test("with no command does a delegated administrator see or change what is "
      "outside of the scope", root=True)
def outside():
    with scoped_site() as site:
        entries = [json.loads(l) for l in site.do("--json", "log").splitlines()]
        undo = [line("undo", str(e["number"]), yes=True) for e in entries
                if e["table"] in ("handle", "domain") or "ex2" in
                json.dumps(e) or "other.org" in json.dumps(e)]
        before = everything(site)
        for scope in ("ex1", "example.com"):
            for made, got in zip(ATTACKS + undo,
                                 scoped(site, scope, *ATTACKS, *undo)):
                eq((words(got), got["code"], got["result"], got["notes"]),
                   (["scope"], 100, [], []), (scope, made))
                # Nothing is told but what was asked.
                text = got["errors"][0]["error"]
                asked = json.dumps(made)
                for secret in ("ann", "gone", "keep@", "alias", "ex2-000"):
                    assert secret not in text or secret in asked, (made, text)
        eq(everything(site), before)


@test("every command of the table is refused with what is others', whatever its "
      "options", root=True)
def attacked():
    theirs = ["ex2", "other.org", "ann@other.org", "ex2-0001"]
    with scoped_site() as site:
        before, tried = everything(site), 0
        for scope in ("ex1", "example.com"):
            lines = []
            for row in table():
                for operand in theirs:
                    lines.append(line(*name(row).split(), operand))
                    lines.append(line(*name(row).split(), JOE, operand))
                lines.append(line(*name(row).split()))
                for option in row["options"]:
                    value = "ex2" if option["value"] else True
                    for operands in ([], [theirs[2]], [JOE, theirs[3]]):
                        lines.append(line(*name(row).split(), *operands, **{
                            "yes": True, option["option"].lstrip("-"): value}))
            got = scoped(site, scope, *lines)
            eq(len(got), len(lines))
            for made, answer in zip(lines, got):
                if answer["code"] == 0:  # a filter was given the scope's own
                    assert made["command"] in (["box", "list"], ["domain", "list"],
                                               ["box", "set"], ["box", "suspend"],
                                               ["box", "resume"],
                                               ["box", "del"]), (made, answer)
                    text = json.dumps(answer)
                    hasnt(text, "other.org")
                    hasnt(text, "ex2")
                else:
                    assert set(words(answer)) <= {"scope", "usage", "unknown",
                                                  "invalid"}, (made, answer)
                    for error in answer["errors"]:
                        hasnt(error["error"], "keep@")
                        hasnt(error["error"], "gone@")
            tried += len(lines)
        after = everything(site)
        mine = [json.loads(l) for l in after[0].splitlines()][
            len(before[0].splitlines()):]
        for entry in mine:
            eq(entry["table"], "box", entry)
            assert entry["object"].startswith("ex1-"), entry
        print(f"# {tried} lines")
        assert tried > 1500, tried


# What is another customer's, and what nobody has.
TWINS = (("ex2", "zz9"), ("other.org", "none.org"), ("alias.org", "none.org"),
         ("ann@other.org", "who@other.org"), ("ann@other.org", "ann@none.org"),
         ("ann@alias.org", "ann@none.org"), ("gone@other.org", "who@other.org"),
         ("ex2-0001", "ex2-0099"), ("ex2-0001", "zz9-0001"), ("ex2-0002", "ex2-0099"))
# A forward leads out of this site, and so not to another customer's address of it
# (SECURITY.md).
FORWARDS = {"address add", "address set"}


def twin_lines(name_):
    """Each command of the table, with a name in each place where one can stand."""
    for row in table():
        verb = name(row).split()
        for operands in ([name_], [JOE, name_], [name_, JOE],
                         ["new@example.com", name_], [JOE, JOE, name_]):
            yield line(*verb, *operands, yes=True)
            yield line(*verb, *operands)
        for option in row["options"]:
            if option["value"]:
                for operands in ([], [JOE], ["new@example.com"], ["example.com"]):
                    yield line(*verb, *operands, **{
                        "yes": True, option["option"].lstrip("-"): name_})
            else:
                yield line(*verb, name_, **{option["option"].lstrip("-"): True})


def plain(answer, name_):
    """An answer without the name that was asked for, and without what is new each
    time."""
    text = json.dumps([answer[k] for k in ("code", "errors", "notes", "result")])
    text = re.sub(r"(?<![\w.-])" + re.escape(name_) + r"(?![\w.-])", "NAME", text)
    for part in filter(None, name_.split("@")):
        text = re.sub(r"(?<![\w.-])" + re.escape(part) + r"(?![\w-])", "PART", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", re.sub(
        r"\b[A-HJ-NP-Za-km-z2-9]{20}\b", "GENERATED", text))


@test("what another customer has and what nobody has are answered alike, by every "
      "command and in every place", root=True)
def twins():
    tried, alike, differ = 0, 0, []
    for scope, (theirs, nobodys) in some(
            itertools.product(("ex1", "example.com"), TWINS), 8):
        with scoped_site() as one_, scoped_site() as two:
            made = list(twin_lines(theirs)), list(twin_lines(nobodys))
            got = scoped(one_, scope, *made[0]), scoped(two, scope, *made[1])
            for made_, a, b in zip(made[0], *got):
                tried += 1
                alike += words(a) == ["scope"]
                if plain(a, theirs) != plain(b, nobodys) and not (
                        " ".join(made_["command"][:2]) in FORWARDS and
                        "@" in theirs and theirs in made_["command"][3:]):
                    differ.append((scope, theirs, nobodys, made_,
                                   plain(a, theirs), plain(b, nobodys)))
    eq(len(differ), 0, differ[:3])
    print(f"# {tried} lines, and {alike} refused by their scope alone")
    assert tried > 1000 and alike > tried / 8, (tried, alike)


@test("what a command would change outside as well is refused by the transaction",
      root=True)
def guarded():
    with scoped_site() as site:
        before = everything(site)
        # joe's address is a forward of follows@other.org, from which it would be
        # taken out.
        for scope in ("ex1", "example.com"):
            got = scoped(site, scope,
                         line("address", "del", JOE, bounce=True, yes=True))[0]
            eq((words(got), got["code"]), (["scope"], 100), got)
            hasnt(json.dumps(got), "other.org")
        # eve's box has an address in another domain, shared's is of another
        # handle: filters find them.
        for made in (line("box", "suspend", match="eve", yes=True),
                     line("box", "suspend", domain="example.com", yes=True),
                     line("box", "del", match="eve", yes=True)):
            got = scoped(site, "example.com", made)[0]
            eq((words(got), got["code"]), (["scope"], 100), made)
        eq(everything(site), before)
        eq(scoped(site, "ex1", line("box", "suspend", match="eve",
                                    yes=True))[0]["code"], 0)
        # A handle's switches are above a box's: resume does not pass them.
        site.do("handle", "suspend", "ex1")
        scoped(site, "ex1", line("box", "resume", JOE))
        eq(site.login().rc, 1)


@test("a scope that is not there, or no name, ends the batch before a line is "
      "read")
def no_scope():
    with Site().joe() as site:
        for scope, rc in (("zz9", 100), ("none.org", 100), ("", 100), ("a b", 100),
                          ("ex1-0001", 100)):
            got = site.popbox("batch", "--scope", scope, input="{}\n")
            eq((got.rc, got.out), (rc, ""), scope)


run()
