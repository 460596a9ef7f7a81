#!/usr/bin/env python3
"""The pages say what the programs do, and the programs what the pages say."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import POPBOX, TREE, Site, eq, has, run, skip, test

os.chdir(TREE)


def read(path):
    with open(path) as file:
        return file.read()


def page(path):
    return subprocess.run(["mandoc", "-T", "utf8", "-O", "width=78", path],
                          capture_output=True, check=True, text=True,
                          ).stdout.replace("\b", "\b")


def plain(path):
    """A page as text, without overstriking."""
    return re.sub(r".\x08", "", page(path))


@test("the manual pages have no finding of mandoc's lint")
def lint():
    done = subprocess.run(["mandoc", "-T", "lint", *sorted(
        glob.glob("doc/man/*"))], capture_output=True, text=True)
    eq([line for line in done.stdout.splitlines()
        if "referenced manual not found" not in line], [])


def commands():
    """(words, option names) of every command, from its own help."""
    text = subprocess.run([POPBOX, "help"], capture_output=True,
                          text=True).stdout
    for line in text.splitlines():
        found = re.match(r"  ([a-z]+)(?: ([a-z]+))? ", line)
        if not found:
            continue
        words = [w for w in found.groups() if w]
        for count in (len(words), 1):
            done = subprocess.run([POPBOX, "help", *words[:count]],
                                  capture_output=True, text=True)
            if done.stdout.startswith("usage: popbox " +
                                      " ".join(words[:count])):
                break
        own = done.stdout.split("options of every command")[0]
        yield words[:count], re.findall(r"^  (--?[a-z-]+)", own, re.M)


@test("every command and option stands in popbox(8), and no other")
def described():
    text = plain("doc/man/popbox.8")
    every = set(re.findall(r"^  (--?[a-z-]+)", subprocess.run(
        [POPBOX, "help", "sync"], capture_output=True, text=True
        ).stdout.split("options of every command")[1], re.M))
    count = 0
    for words, options in commands():
        has(text, "popbox " + " ".join(words))
        every |= set(options)
        for option in options:
            has(text, option)
        count += 1
    assert count >= 16, count
    stray = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)) - every
    eq(stray, set(), "options of no command")


@test("every setting stands in popbox-store(5) with its default")
def settings():
    text = plain("doc/man/popbox-store.5")
    source = read("store/config.c")
    rows = re.findall(r'\{\{"(\w+)",', source)
    assert len(rows) >= 12
    for key in rows:
        has(text, key)


@test("every command of README is one")
def readme():
    known = {" ".join(words) for words, _ in commands()}
    nouns = {words.split()[0] for words in known}
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


@test("every rule that check reports stands in popbox-store(5)")
def rules():
    text = plain("doc/man/popbox-store.5")
    source = read("store/check.c")
    numbers = {int(n) for n in re.findall(r"found\(check, (\d+),", source)}
    listed = {int(n) for n in re.findall(r"^ {5,7}(\d+)\. ", text, re.M)}
    assert numbers <= listed, (numbers, listed)
    eq(numbers, set(range(1, max(numbers) + 1)))


run()
