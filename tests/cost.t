#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What logins and changes cost, counted, beside what they cost when that was
last written down (tests/data/costs). More than a tenth more is a loss; more
than a tenth less is a gain that is to be kept: write it down with

    tests/cost.t --write

A sync fewer or more always fails: a missing one may be a promise that is
broken, and says so.

Instructions are counted by valgrind, whose processor is the same everywhere
(tests/cost.py); system calls, syncs and bytes by strace; page faults by the
kernel. The libraries' own share changes with their version, page faults with
the kernel: figures from others are not compared, and the test says so.
"""
import json
import os
import platform
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import central
import cost
import tap
from tap import GOOD, TREE, Site, eq, run, skip, test

FILE = TREE + "/tests/data/costs"
DYNAMIC = TREE + "/build/dynamic/popbox-checkpw"
SLACK = 0.1
WRITE = "--write" in sys.argv
if WRITE:
    sys.argv.remove("--write")
measured = {}


def where():
    """What the figures depend on."""
    return {"libc": platform.libc_ver()[1], "machine": platform.machine(),
            "kernel": platform.release()}


def kept():
    """{name: {figure: number}}, and where they were measured."""
    figures = {}
    with open(FILE) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, words = line.split(":")
                words = words.split()
                figures[name] = dict(zip(words[::2], words[1::2]))
    return figures, figures.pop("where")


def write():
    with open(FILE, "w") as file:
        file.write("# Made by tests/cost.t --write, which says what they "
                   "are.\n")
        for name, figures in {"where": where(), **measured}.items():
            file.write(name + ":" + "".join(
                f" {key} {value}" for key, value in figures.items()) + "\n")


def judge(name, figures, wanted, there):
    """What is wrong with the figures of one command."""
    wrong = []
    for key, value in figures.items():
        want = int(wanted.get(key, -1))
        if key == "faults" and there["kernel"] != platform.release():
            print(f"# page faults not compared: the kernel is not "
                  f"{there['kernel']}")
            continue
        slack = 0 if key == "syncs" else want * SLACK
        if abs(value - want) <= slack:
            continue
        what = "worse" if value > want else "better: write the new figure down"
        if key == "syncs" and value < want:
            what = "a file or name is not synced any more: find out whether " \
                "a power cut loses it, and write the new figure down only if not"
        wrong.append(f"{name}: {value} {key}, was {want}: {what} "
                     "(tests/cost.t --write)")
    return wrong


def compare(name, **figures):
    measured[name] = figures
    print(f"# {name}: " + ", ".join(f"{value} {key}" for key, value
                                    in figures.items()))
    if WRITE:
        return
    wanted, there = kept()
    here = where()
    for key in ("machine", "libc"):
        if there[key] != here[key]:
            skip(f"written down for {key} {there[key]}, not {here[key]}")
    eq(judge(name, figures, wanted[name], there), [], "costs")


def tools():
    for name in ("valgrind", "strace"):
        if not shutil.which(name):
            skip(f"no {name}")


def login(name, program, password, end, apps=0, **settings):
    """The second login: the first of an hour writes .lastlogin. password None: one
    of so many app passwords."""
    tools()
    before, tap.CHECKPW = tap.CHECKPW, program
    try:
        with Site(log="syslog", confine="off", qmail=False,
                  **settings) as site:
            site.do("domain", "add", "example.com", "--handle", "ex1")
            cost.cheap(site)
            made = [site.popbox("passwd", "joe@example.com", "--app",
                                f"app-{i:02}").out.strip()
                    for i in range(apps)]
            password = made[apps // 2] if password is None else password
            eq(site.login().rc, 0)
            if end == "execve":
                eq(site.login(password=password).rc, 0)

            def work(prefix, env=None):
                site.login(password=password, program=("/bin/true",),
                           bare=True, prefix=prefix, env=env)
            trace = cost.traced(site, work)
            _, faults, code = cost.faults(
                "joe@example.com", password,
                (program, "-d", site.store, "/bin/true"))
            eq(code, 0 if end == "execve" else 1)
            compare(name, instructions=cost.instructions(
                site, work, end, leave_out=("pwhash_verify",)),
                calls=trace.upto("execve") if end == "execve"
                else trace.count - 1, written=trace.written, faults=faults)
    finally:
        tap.CHECKPW = before


def dynamic():
    if not os.path.exists(DYNAMIC):
        skip("build/dynamic is not built")
    return DYNAMIC


def calls(site, work):
    """The system calls of a command, in order, and its whole trace."""
    trace = cost.traced(site, work)
    with open(site.top + "/trace", errors="replace") as file:
        return trace.names, file.read()


@test("without a central database nothing is done for one; with one a login makes the "
      "same system calls", root=True, plain=True)
def without_central():
    tools()
    with Site(qmail=False) as site:
        site.joe()
        _, text = calls(site, lambda prefix: site.do(
            "passwd", "joe@example.com", "--stdin", input=GOOD + "\n",
            prefix=prefix))
        for word in ("popbox-central", "libpq", "AF_INET", "/etc/passwd"):
            eq(word in text, False, word)
    central.needs()
    with central.Server() as pg, central.Host("a") as site:
        site.joe()
        eq(site.login().rc, 0)  # .lastlogin is written

        def work(prefix):
            eq(site.login(program=("/bin/true",), bare=True,
                          prefix=prefix).rc, 0)
        alone, text = calls(site, work)
        assert len(alone) > 50, text
        site.do("cluster", "init", pg.conninfo(), "--one-server")
        copy, text = calls(site, work)
        eq(copy, alone)
        for word in ("popbox-central", "PGSQL", "AF_INET"):
            eq(word in text, False, word)
        pg.stop()
        eq(calls(site, work)[0], alone)


@test("a login that is accepted costs what it did", root=True, plain=True)
def accept():
    login("login accepted", tap.CHECKPW, GOOD, "execve")


@test("a repeated login costs what it did, and a login that is refused beside "
      "the table", root=True, plain=True)
def repeated():
    if not tap.APART:
        skip("no /run of its own here")
    login("login repeated", tap.CHECKPW, GOOD, "execve", login_cache="3600")
    login("login refused, with a table", tap.CHECKPW, "wrong", "exit",
          login_cache="3600")


def beside(name, other, most):
    """Instructions of the one by those of the other, both just counted."""
    one, two = (measured[n]["instructions"] for n in (name, other))
    print(f"# {name}: {one / two:.3f} x {other}")
    eq(one <= most * two, True, (name, one, two))


@test("20 app passwords cost a login with the box's own nearly nothing, and a "
      "login with one of them costs no more than the cheapest hash",
      root=True, plain=True)
def apps():
    login("login accepted", tap.CHECKPW, GOOD, "execve")
    login("login accepted, 20 apps", tap.CHECKPW, GOOD, "execve", apps=20)
    beside("login accepted, 20 apps", "login accepted", 1.05)
    login("login by an app", tap.CHECKPW, None, "execve", apps=20)
    login("login by the only app", tap.CHECKPW, None, "execve", apps=1)
    beside("login by an app", "login accepted", 1.15)
    beside("login by the only app", "login accepted", 1.15)


@test("a login that is refused costs what it did", root=True, plain=True)
def refuse():
    login("login refused", tap.CHECKPW, "wrong", "exit")


@test("so does one of the dynamic program that is accepted", root=True,
      plain=True)
def accept_dynamic():
    login("login accepted, dynamic", dynamic(), GOOD, "execve")


@test("and one of the dynamic program that is refused", root=True, plain=True)
def refuse_dynamic():
    login("login refused, dynamic", dynamic(), "wrong", "exit")


@test("a recipient that is asked for costs no more than a login without its hash",
      root=True, plain=True)
def recipient():
    tools()
    program = tap.BUILD + "/popbox-rcptcheck"
    with Site(qmail=False, log="syslog") as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        cost.cheap(site)

        def work(prefix, env=None):
            done = subprocess.run(
                [*prefix, program, "-d", site.store, "--serve"],
                input=b"joe@example.com", capture_output=True,
                env={"PATH": "/usr/bin:/bin", **(env or {})})
            eq(done.stdout, b"there\n", done)
        trace = cost.traced(site, work)
        compare("recipient", instructions=cost.instructions(site, work, "exit"),
                calls=trace.count - 1, written=trace.written)
        eq(measured["recipient"]["instructions"] <=
           1.1 * int(kept()[0]["login accepted"]["instructions"]), True)


def change(name, work):
    """A command of the tool that can be repeated: work(popbox, prefix)."""
    tools()
    with Site() as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        cost.cheap(site)

        def one(prefix=(), env=None):
            got = work(lambda *args, **kw: site.popbox(
                *args, prefix=prefix, env=env, **kw))
            eq(got.rc, 0, got)
        one()
        trace = cost.traced(site, one)
        compare(name, instructions=cost.instructions(
            site, one, leave_out=("pwhash_make", "pwhash_verify")),
            calls=trace.count, syncs=trace.syncs, written=trace.written)


@test("adding a box and publishing it costs what it did", root=True,
      plain=True)
def box_add():
    names = iter("abcdefgh")
    change("box add", lambda popbox: popbox(
        "box", "add", next(names) + "@example.com", "--hash-stdin",
        input="{SHA256}" + "A" * 43 + "=\n"))


@test("setting a password costs what it did, its hash aside", root=True,
      plain=True)
def passwd():
    change("passwd", lambda popbox: popbox(
        "passwd", "joe@example.com", "--stdin", input=GOOD + "\n"))


@test("a sync of nothing costs what it did", root=True, plain=True)
def sync():
    change("sync of nothing", lambda popbox: popbox("sync"))


def imported(site, rows, prefix, env=None, start=[0]):
    """So many new accounts with hashes, read and written, not published."""
    start[0] += 1
    path = f"{site.top}/rows{start[0]}.csv"
    with open(path, "w") as file:
        file.write("address,hash\n")
        for i in range(rows):
            file.write(f"n{start[0]}x{i:04}@example.com,"
                       "{SHA256}" + "A" * 43 + "=\n")
    got = site.popbox("import", path, "--no-sync", prefix=prefix, env=env)
    eq(got.rc, 0, got)


@test("a row of an import costs what it did", root=True, plain=True)
def import_row():
    tools()
    with Site(qmail=False) as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        counts = []
        for rows in (100, 500):
            trace = cost.traced(site, lambda prefix: imported(
                site, rows, prefix))
            counts.append((cost.instructions(
                site, lambda prefix, env: imported(site, rows, prefix, env)),
                trace.written))
        (less, small), (more, large) = counts
        compare("import, a row", instructions=(more - less) // 400,
                written=(large - small) // 400)


@test("a tenth more is told as worse, a tenth less as a gain to write down")
def planted():
    there = {"kernel": platform.release()}
    for value, want in ((112, "worse"), (88, "write the new figure down")):
        wrong = judge("x", {"calls": value}, {"calls": "100"}, there)
        assert len(wrong) == 1 and want in wrong[0], wrong
    eq(judge("x", {"calls": 109}, {"calls": "100"}, there), [])
    # What no figure was written down for is told.
    eq(len(judge("x", {"new": 1}, {}, there)), 1)
    # And a costlier program is seen by what counts.
    with Site(qmail=False) as site:
        def work(more):
            return lambda prefix: subprocess.run(
                [*prefix, "sh", "-c", "cd /; " * more], check=True)
        one = cost.traced(site, work(1)).count
        assert cost.traced(site, work(20)).count > one + 18


@test("one sync fewer fails, as a file that may be lost, and one more fails")
def planted_sync():
    there = {"kernel": platform.release()}
    wanted = {"syncs": "20"}
    for value, want in ((19, "not synced any more"), (21, "worse")):
        wrong = judge("x", {"syncs": value}, wanted, there)
        assert len(wrong) == 1 and want in wrong[0], wrong
    eq(judge("x", {"syncs": 20}, wanted, there), [])
    eq(len(judge("x", {"syncs": 1}, {"syncs": "0"}, there)), 1)


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout.splitlines()


@test("the bench tells a goal that is missed, and compares two runs")
def tables():
    def rows(name, calls):
        path = f"{site.top}/{name}.json"
        with open(path, "w") as file:
            json.dump({"machine": {}, "rows": [
                {"figure": "a thing", "value": calls, "unit": "calls",
                 "floor": 50, "floor_name": "bare", "ratio": calls / 50,
                 "goal": 2, "spread": None, "runs": 1, "counted": True}]},
                file)
        return path
    with Site(qmail=False, init=False) as site:
        one, other = rows("one", 100), rows("other", 150)
        sys.path.insert(0, TREE + "/tests/bench")
        import report
        for path, want in ((one, True), (other, False)):
            with open(path) as file:
                row = json.load(file)["rows"][0]
            eq(report.reached(row), want)
            eq(report.reached({**row, "least": True}), True)
            eq(report.reached({**row, "of": "value"}), False)
            eq(report.reached({**row, "goal": None}), None)
        got = lines(TREE + "/tests/bench/compare", one, other)
        eq(got[2].split("|")[1:5],
           [" a thing ", " 100 calls ", " 150 calls  ", " 1.500 x "])


run()
if WRITE:
    write()
