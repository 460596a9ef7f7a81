#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several hosts with one central database: PostgreSQL of the test's own."""
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import central
import tap
from central import NEW, Host, Server, accepts, alike, cluster, follow, reset, until
from pages import blocks, json_part
from tap import GOOD, POPBOX, SANITIZED, eq, has, hasnt, run, test


@test("a reset on one host is used on another, which follows; a box comes with its "
      "Maildir", root=True)
def seen():
    with cluster("a", "b") as (pg, a, b):
        process = follow(b)
        until(lambda: pg.sql("SELECT name FROM popbox.host") == "b")
        eq(reset(a).rc, 0)
        until(lambda: accepts(b, NEW))
        eq(accepts(b, GOOD), False)
        a.do("box", "add", "ann@example.com", "--stdin", input=GOOD + "\n")
        until(lambda: os.path.isdir(b.box_path("ex1-0002") + "/new"))
        until(lambda: accepts(b, GOOD, "ann@example.com"))
        # The other way, beside the follower of the same host.
        eq(reset(b, GOOD).rc, 0)
        process.terminate()
        process.wait()
        alike(a, b)
        rows = [line.split("|") for line in pg.sql(
            "SELECT number, after, host FROM popbox.change ORDER BY number"
        ).splitlines()]
        eq([row[0] for row in rows[:-1]], [row[1] for row in rows[1:]])
        eq([row[2] for row in rows], ["", "a", "a", "a", "b"])


@test("popbox-central is another user, without root's rights, and writes nothing",
      root=True)
def confined():
    with cluster("a") as (pg, a):
        process = follow(a)
        until(lambda: pg.sql("SELECT name FROM popbox.host") == "a")
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            child, = file.read().split()
        with open(f"/proc/{child}/status") as file:
            text = file.read()
        eq(re.search(r"Name:\s+(\S+)", text).group(1), "popbox-central")
        eq(set(re.search(r"Uid:\s+(.*)", text).group(1).split()), {"65534"})
        eq(set(re.search(r"CapEff:\s+(\S+)", text).group(1)), {"0"})
        has(text, "NoNewPrivs:\t1")
        left = {os.readlink(f"/proc/{child}/fd/{fd}").split(":")[0]
                for fd in os.listdir(f"/proc/{child}/fd")}
        # With sanitizers what they find is said to the caller.
        eq(left - ({"pipe"} if SANITIZED else set()), {"/dev/null", "socket"})
        eq(open(f"/proc/{child}/cmdline").read(), "popbox-central\0")
        with open(f"/proc/{child}/environ") as file:
            hasnt(file.read(), "POPBOX")
        process.kill()
        until(lambda: not os.path.exists(f"/proc/{child}"))
        text = subprocess.run(["ldd", POPBOX], capture_output=True,
                              text=True).stdout
        hasnt(text, "libpq")


@test("a copy is changed by nothing but its central database; one that leaves is a "
      "store of its own", root=True)
def leave():
    with cluster("a", "b") as (pg, a, b):
        before = b.dump()
        b.do("config", "set", "central", "", "--yes")
        b.fails(100, "this store is a copy of a central database", "box", "add",
                "x@example.com", "--no-password")
        eq(b.dump(), before)
        b.do("config", "set", "central", pg.conninfo(), "--yes")
        b.do("backup", b.top + "/backup")
        b.fails(100, "'popbox cluster leave'", "restore", b.top + "/backup",
                "--yes")
        b.fails(2, "--yes", "cluster", "leave")
        b.do("cluster", "leave", "--yes")
        eq(b.do("config", "get", "central"), "\n")
        b.do("box", "add", "x@example.com", "--no-password")
        b.fails(100, "no copy", "cluster", "leave", "--yes")
        a.do("cluster", "check")
        b.fails(2, "has accounts of its own", "cluster", "join",
                pg.conninfo())
        b.do("cluster", "join", pg.conninfo(), "--yes")
        alike(a, b)


@test("init: once, with a synchronous standby or --one-server; one that was killed "
      "before its end goes on where it was", root=True)
def init():
    central.needs()
    with Server() as pg, Host("a") as a, Host("b") as b:
        a.joe()
        shutil.copytree(a.store, a.store + ".kept")
        a.fails(111, "--one-server", "cluster", "init", pg.conninfo())
        eq(pg.sql("SELECT count(*) FROM pg_namespace WHERE nspname = "
                  "'popbox'"), "0")
        b.fails(111, "is no central database of popbox", "cluster", "join",
                pg.conninfo())
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        a.fails(100, "already", "cluster", "init", pg.conninfo(),
                "--one-server")
        b.joe()
        b.fails(111, "there is a central database in it already", "cluster",
                "init", pg.conninfo(), "--one-server")
        shutil.rmtree(a.store)
        os.rename(a.store + ".kept", a.store)
        os.chmod(a.store, 0o700)
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        eq(reset(a).rc, 0)
        a.do("cluster", "check")


@test("init of an empty store, and a host that is there from the beginning", root=True)
def empty():
    central.needs()
    with Server() as pg, Host("a") as a, Host("b") as b:
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        b.do("cluster", "join", pg.conninfo())
        b.joe()
        alike(a, b)
        has(a.do("box", "list"), "ex1-0001")


@test("cluster status: each host with its change; one that is silent, or has other "
      "settings, ends with 1", root=True)
def status():
    with cluster("a", "b") as (pg, a, b):
        for host in (a, b):
            host.do("follow", "--once")
        text = a.do("cluster", "status")
        last = pg.sql("SELECT max(number) FROM popbox.change")
        has(text, f"this host stands at change {last}")
        rows = [json.loads(line) for line in
                a.do("--json", "cluster", "status").splitlines()]
        eq([(row["host"], row["change"], row["pending"], row["wrong"])
            for row in rows], [("a", int(last), 0, ""), ("b", int(last), 0, "")])
        words = set(re.findall(r"[a-z]+", json_part("popbox-cluster.8")))
        eq(set(rows[0]) - words, set(), "not in the page")
        b.settings({"separators": "%"})
        b.do("follow", "--once")
        got = a.popbox("cluster", "status")
        eq(got.rc, 1)
        has(got.out, "settings")
        b.settings({"separators": "@%/:"})
        b.do("follow", "--once")
        time.sleep(1.1)
        eq(a.popbox("cluster", "status", "--max-lag", "0").rc, 1)
        a.fails(100, "no number", "cluster", "status", "--max-lag", "x")


@test("undo, import, a suspension and a purge reach the other host, files too", root=True)
def others():
    with cluster("a", "b", qmail=True) as (pg, a, b):
        a.do("import", "-", input="address,hash\n" + "".join(
            f"i{n}@example.com,*\n" for n in range(300)))
        b.do("follow", "--once")
        assert os.path.isdir(b.box_path("ex1-0300"))
        a.do("undo", str(a.last_entry()), "--yes")
        b.do("follow", "--once")
        hasnt(b.do("address", "list"), "i7@example.com")
        a.do("handle", "suspend", "ex1")
        b.do("follow", "--once")
        eq(accepts(b, GOOD), False)
        a.do("domain", "del", "example.com", "--yes")
        b.do("follow", "--once")
        hasnt(b.control("rcpthosts"), "example.com")
        a.do("purge", "--now", "--yes", "example.com")
        a.do("purge", "--now", "--yes", "ex1-0001")
        b.do("follow", "--once")
        assert not os.path.exists(b.box_path("ex1-0001"))
        eq(b.control("virtualdomains"), "")
        alike(a, b)
        b.do("check", "--store-only")


@test("limits and the scope of a batch hold for a change that is sent away", root=True)
def settled():
    with cluster("a", "b") as (pg, a, b):
        a.do("domain", "add", "other.org", "--handle", "ot2")
        a.do("handle", "set", "ex1", "--max-boxes", "2")
        b.fails(100, "ex1", "box", "add", "x@example.com", "--no-password")
        lines = "".join(json.dumps({"command": command}) + "\n" for command in (
            ["passwd", "joe@example.com", "--generate"],
            ["address", "add", "x@other.org", "a@b.org"],
            ["cluster", "leave", "--yes"]))
        before = pg.sql("SELECT max(number) FROM popbox.change")
        b.popbox("batch", "--scope", "ex1", input=lines)
        hasnt(b.do("address", "list"), "x@other.org")
        has(b.do("config", "get", "central"), "host=")
        alike(a, b)


@test("a failover: acknowledged is what the standby has, also where the wait for it was "
      "cancelled; a host that saw what was lost takes all rows anew", root=True)
def failover():
    central.needs()
    with Server("synchronous_commit = off") as pg, \
            Server(standby_of=pg, name="two") as two, Host("a") as a, \
            Host("b") as b:
        pg.confirm("ANY 1 (two)")
        a.joe()
        conninfo = f"host={pg.top},{two.top} dbname=popbox user=owner"
        a.do("cluster", "init", conninfo)
        b.do("cluster", "join", conninfo)
        two.kill()
        process = subprocess.Popen(
            [POPBOX, "-d", a.store, "passwd", "joe@example.com", "--stdin"],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        a.processes.append(process)
        process.stdin.write(NEW + "\n")
        process.stdin.close()
        waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        until(lambda: pg.sql(waits))
        eq(b.do("follow", "--once"), "")
        eq(accepts(b, NEW), False)  # it is not seen
        pg.sql(f"SELECT pg_cancel_backend(({waits}))")
        until(lambda: b.do("follow", "--once") == "" and accepts(b, NEW))
        time.sleep(0.5)
        eq(process.poll(), None, "acknowledged, and no standby has it")
        pg.kill()
        two.start()
        two.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        two.promote()
        # It is not there, and so it is made again, with another token.
        said = process.stderr.read()
        eq(process.wait(), 0, said)
        eq(accepts(a, NEW), True)
        lost = b.popbox("follow", "--once").err
        has(lost, "the central database has lost: it was made anew")
        alike(a, b)


@test("popbox cluster schema is what init makes", root=True)
def schema():
    central.needs()
    with Server() as pg, Host("a") as a:
        pg.sql(a.do("cluster", "schema"))
        a.joe()
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        a.do("cluster", "check")


@test("each command about the central database ends with each code of its row",
      root=True)
def codes():
    seen = {}

    def ran(host, *args):
        words = [word for word in args if not word.startswith(("-", "host="))]
        code = host.popbox(*args).rc
        seen.setdefault(" ".join(words), {2}).add(code)
        return code
    central.needs()
    with Server() as pg, Host("a") as a, Host("b") as b:
        for command in (("cluster", "status"), ("cluster", "check"),
                        ("cluster", "leave", "--yes"), ("cluster", "tidy"),
                        ("follow", "--once")):
            eq(ran(a, *command), 100)
        for verb in ("init", "join"):
            eq(a.popbox("cluster", verb, "").rc, 100)
            seen["cluster " + verb] = {2, 100}
            eq(ran(a, "cluster", verb, "host=/nowhere"), 111)
        eq(ran(a, "cluster", "schema"), 0)
        seen["cluster schema"].add(111)  # codes.t
        eq(ran(a, "cluster", "init", pg.conninfo(), "--one-server"), 0)
        eq(ran(b, "cluster", "join", pg.conninfo()), 0)
        for command in (("follow", "--once"), ("cluster", "status"),
                        ("cluster", "check"), ("cluster", "tidy")):
            eq(ran(b, *command), 0)
        a.do("handle", "add", "ex1")
        pg.sql("INSERT INTO popbox.host VALUES ('old', 0, 0, '0', now() - "
               "interval '1 day', '')")
        eq(ran(b, "cluster", "status"), 1)
        b.do("follow", "--once")
        pg.sql("UPDATE popbox.row SET row = NULL WHERE tab = 1")
        eq(ran(b, "cluster", "check"), 1)
        pg.stop()
        for command in (("follow", "--once"), ("cluster", "status"),
                        ("cluster", "check"), ("cluster", "tidy")):
            eq(ran(b, *command), 111)
        eq(ran(b, "cluster", "leave", "--yes"), 0)
        os.rename(b.store, b.store + ".away")
        eq(ran(b, "cluster", "leave", "--yes"), 111)
        os.rename(b.store + ".away", b.store)
    rows = {" ".join(filter(None, (row["noun"], row["verb"]))):
            {int(code) for code in row["exit_codes"].split()}
            for row in tap.table() if row["noun"] in ("cluster", "follow")}
    eq(seen, rows)


@test("the EXAMPLES of popbox-cluster(8) and popbox-follow(8) do what they say",
      root=True)
def pages():
    central.needs()
    count = 0
    with Server() as pg, Host("a") as a, Host("b") as b:
        for page in ("popbox-cluster.8", "popbox-follow.8"):
            for block in blocks(page):
                for line in block.splitlines():
                    host = b if line.startswith("b# ") else a
                    line = line.removeprefix("a# ").removeprefix("b# ")
                    line = re.sub(r"'host=[^']*'", f"'{pg.conninfo()}'", line)
                    if "init" in line:
                        line += " --one-server"
                    want = re.search(r"# exits (\d+)$", line)
                    done = subprocess.run(
                        ["sh", "-c", f"popbox() {{ {POPBOX} -d {host.store} "
                         f'"$@"; }}; {line}'], capture_output=True, text=True)
                    eq(done.returncode, int(want[1]) if want else 0,
                       (line, done))
                    count += 1
    assert count > 5, count


run()
