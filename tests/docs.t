#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What README and the pages of doc/ name is there, and what is there is named.
The manual has tests of its own, in manual.t."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import TREE, eq, run, table, test

os.chdir(TREE)


def read(path):
    with open(path) as file:
        return file.read()


def plain(path):
    """A page as text, without overstriking."""
    return re.sub(r".\x08", "", subprocess.run(
        ["mandoc", "-T", "utf8", "-O", "width=78", path], capture_output=True,
        check=True, text=True).stdout)


@test("every command of README is one")
def readme():
    known = {f"{row['noun']} {row['verb']}" for row in table()}
    nouns = {row["noun"] for row in table()}
    for line in re.findall(r"^\| `popbox ([^`]+)`", read("README.md"), re.M):
        words = line.replace("\\|", "|").split()
        verbs = words[1].split("|") if len(words) > 1 else []
        assert words[0] in nouns, line
        for verb in verbs:
            if verb.islower():
                assert f"{words[0]} {verb}" in known, line


@test("every page that README names is there, and every page is named")
def pages():
    text = read("README.md")
    named = set(re.findall(r"\((doc/[^)]+)\)", text))
    for path in named:
        assert os.path.exists(path), path
    there = {p for p in glob.glob("doc/*") if os.path.isfile(p)}
    eq(there - named, set(), "pages that README does not name")


@test("every file that FLOW.md names for a change is there")
def flow():
    rows = re.findall(r"^\| [^|]+ \| (.*[`/].*) \|$",
                      read("doc/FLOW.md").split("## To change X")[1], re.M)
    assert len(rows) > 15, rows
    for row in rows:
        folder = ""
        for name in re.findall(r"[`]?([\w/*]+(?:\.[a-z0-9]+)+|[\w/]+/)[`]?", row):
            name = name.replace("NOUN", "box")
            if "/" in name:
                folder = os.path.dirname(name)
            else:
                name = f"{folder}/{name}"
            assert glob.glob(name), f"{name} in: {row}"


@test("every rule that check reports stands in popbox-store(5)")
def rules():
    text = plain("doc/man/popbox-store.5")
    source = "".join(read(path) for path in glob.glob("store/check*.c"))
    numbers = {int(n) for n in re.findall(r"found\w*\(check, (\d+),", source)}
    listed = {int(n) for n in re.findall(r"^ {5,7}(\d+)\. ", text, re.M)}
    assert numbers <= listed, (numbers, listed)
    eq(numbers, set(range(1, max(numbers) + 1)))


run()
