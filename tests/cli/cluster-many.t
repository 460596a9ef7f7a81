#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many hosts and administrators at once: PostgreSQL of the test's own."""
import os
import random
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import central
import tap
from central import Host, Server, accepts, alike, cluster
from tap import GOOD, POPBOX, TREE, eq, has, run, some, test


def model():
    """model.t, without running it."""
    with open(TREE + "/tests/cli/model.t") as file:
        text = file.read()
    kept = list(tap._tests)
    space = {"__file__": TREE + "/tests/cli/model.t", "__name__": "model"}
    exec(compile(text.rsplit("\nrun()", 1)[0], "model.t", "exec"), space)
    tap._tests[:] = kept
    return space


@test("random commands on two hosts: each has the same rows, byte for byte, and the "
      "files that a simple model wants, however much one pull brings", root=True)
def random_commands():
    central.needs()
    space = model()
    for seed in some(range(1, 5), 4):
        with Server() as pg, Host("a", qmail=True) as a, \
                Host("b", qmail=True) as b:
            a.do("cluster", "init", pg.conninfo(), "--one-server")
            b.do("cluster", "join", pg.conninfo())
            dice = random.Random(seed)
            play = space["Play"](a, dice)
            for _ in range(25):
                play.site, other = (a, b) if dice.random() < 0.7 else (b, a)
                play.site.do("follow", "--once")
                words, *_ = play.step()
                if dice.random() < 0.5:
                    other.do("follow", "--once")
                    play.site = other
                    play.look(words)
            alike(a, b)
            for host in (a, b):
                play.site = host
                play.look("the end")
                tree = host.tree()
                host.do("sync", "--full")
                eq(host.tree(), tree, f"SEED={seed}: sync --full changes")


@test("two hosts that add the same address: one of them does", root=True)
def same_address():
    with cluster("a", "b", "c", "d") as (pg, *hosts):
        for i in range(3):
            ran = [subprocess.Popen(
                [POPBOX, "-d", host.store, "box", "add",
                 f"box{i}@example.com", "--no-password"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True) for host in hosts]
            said = [process.communicate()[1] for process in ran]
            eq(sorted(process.returncode for process in ran),
               [0, 100, 100, 100], said)
        alike(*hosts)


@test("many hosts at once: every change that was acknowledged is there, in one chain",
      root=True)
def crowd():
    with cluster("a", "b", "c", "d") as (pg, *hosts):
        said = {}

        def work(host, i):
            for j in range(5):
                name = f"{host.name}{i}{j}@example.com"
                said[name] = host.popbox("box", "add", name, "--no-password",
                                         "--no-sync")
        threads = [threading.Thread(target=work, args=(host, i))
                   for host in hosts for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eq({name: got for name, got in said.items() if got.rc}, {})
        alike(*hosts)
        listed = hosts[3].do("address", "list")
        for name in said:
            has(listed, name)
        eq(pg.sql("WITH RECURSIVE c AS (SELECT number FROM popbox.change WHERE "
                  "after IS NULL UNION ALL SELECT n.number FROM popbox.change n "
                  "JOIN c ON n.after = c.number) SELECT count(*) FROM c"),
           pg.sql("SELECT count(*) FROM popbox.change"))


@test("two administrators on two hosts at once: import, undo, harden, purge and backup; "
      "each does what it says, and both hosts are alike", root=True)
def two_administrators():
    with cluster("a", "b") as (pg, a, b):
        weak = subprocess.run(["mkpasswd", "-m", "sha-512", GOOD], check=True,
                              capture_output=True, text=True).stdout.strip()

        def both(*commands):
            """One command on each host, at the same time."""
            ran = [subprocess.Popen(
                [POPBOX, "-d", host.store, *words], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                for host, words, _ in commands]
            said = [None, None]

            def talk(i):
                said[i] = ran[i].communicate(commands[i][2])
            threads = [threading.Thread(target=talk, args=(i,)) for i in (0, 1)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return [(process.returncode, said[i][1])
                    for i, process in enumerate(ran)]

        def rows(name):
            return "address,hash\n" + "".join(
                f"{name}{n}@example.com,{weak}\n" for n in range(150))
        codes = both((a, ("import", "-", "--no-sync"), rows("a")),
                     (b, ("import", "-", "--no-sync"), rows("b")))
        eq([code for code, _ in codes], [0, 0], codes)
        b.do("follow", "--once")
        a.do("follow", "--once")
        for name in ("a149@example.com", "b149@example.com"):
            has(a.do("address", "list"), name)
            has(b.do("address", "list"), name)
        # Both wrap the same hashes: each is wrapped once.
        codes = both((a, ("harden", "--yes"), ""), (b, ("harden", "--yes"), ""))
        assert all(code in (0, 111) for code, _ in codes), codes
        for host in (a, b):
            host.do("harden", "--yes")
            assert accepts(host, GOOD, "a7@example.com")
            assert accepts(host, GOOD, "b7@example.com")
        alike(a, b)
        # A backup is one state, whatever the other does meanwhile.
        last = a.last_entry()
        codes = both((a, ("backup", a.top + "/kept"), ""),
                     (b, ("address", "del", "b7@example.com", "--yes"), ""))
        eq([code for code, _ in codes], [0, 0], codes)
        a.do("follow", "--once")
        # One of two that undo the same change does.
        codes = both((a, ("undo", str(last + 1), "--yes"), ""),
                     (b, ("undo", str(last + 1), "--yes"), ""))
        assert sorted(code for code, _ in codes)[0] == 0, codes
        for host in (a, b):
            host.do("follow", "--once")
            has(host.do("address", "list"), "b7@example.com")
        a.do("domain", "del", "example.com", "--yes")
        codes = both((a, ("purge", "--now", "--yes", "example.com"), ""),
                     (b, ("purge", "--now", "--yes", "example.com"), ""))
        assert sorted(code for code, _ in codes)[0] == 0, codes
        alike(a, b)


run()
