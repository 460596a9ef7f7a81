#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads and writes that do less than was asked (tests/short.c)."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from preload import compiled
from tap import Site, eq, run, test


def made(site, env):
    """A site made with this environment; its files, and what an export says."""
    def do(*words, **kw):
        got = site.popbox(*words, env=env, **kw)
        eq(got.rc, 0, (words, got))
        return got.out

    do("domain", "add", "example.com", "--handle", "ex1")
    do("box", "add", "joe@example.com", "--stdin", input="two words, one password")
    do("address", "add", "sales@example.com", "joe@example.com", "ann@example.org")
    do("address", "add", "*@example.com", "joe@example.com")
    do("domain", "add", "example.net", "--handle", "ex1", "--kind", "relay",
       "--host", "mail.example.net")
    do("import", "-", input="address,password\n" + "".join(
        f"a{n}@example.com,password number {n}\n" for n in range(40)))
    do("config", "set", "refuse_delay_ms", "0")
    do("backup", site.top + "/backup")
    do("box", "del", "a7@example.com", "--yes")
    do("restore", site.top + "/backup", "--yes")
    do("sync", "--full")
    site.sound()
    do("export", "--output", site.top + "/export")
    files = {path.replace(site.top, ""): (mode, content.replace(
        site.top.encode(), b"")) for path, (mode, _, _, content) in
        site.tree().items()}
    with open(site.top + "/export") as file:  # without the hashes
        files["export"] = [line.split(",")[:2] for line in file]
    return files


@test("a read or write that does half of what was asked changes nothing but its "
      "number", root=True, plain=True)
def halves():
    with Site() as site:
        plain = made(site, None)
    with Site() as site:
        notes = site.top + "/notes"
        env = {"LD_PRELOAD": compiled("short", "-ldl", "-D_GNU_SOURCE"),
               "SHORT_NOTES": notes}
        cut = made(site, env)
        eq(cut, plain)
        assert os.path.getsize(notes) > 100, os.path.getsize(notes)
        eq(site.login("a7@example.com", "password number 7").rc, 0)
        eq(site.login("joe@example.com", "two words, one password").rc, 0)


run()
