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
from central import Host, Server, alike, cluster, follow
from tap import POPBOX, SANITIZED, TREE, eq, has, run, test


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
    for seed in range(1, 2 if SANITIZED else 5):
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


run()
