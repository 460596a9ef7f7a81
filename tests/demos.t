#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The demos, as `make demo` and `make demo-dialup` run them."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import QMAIL, TREE, eq, has, hasnt, run, test


def shown(name):
    done = subprocess.run(
        [f"{TREE}/tests/{name}", *(["--qmail", QMAIL] if QMAIL else [])],
        capture_output=True, text=True, timeout=200,
        stdin=subprocess.DEVNULL)
    eq(done.returncode, 0, done.stdout + done.stderr)
    return done.stdout


@test("make demo goes through, with the real programs if there are any",
      plain=True)
def demo():
    text = shown("demo")
    has(text, "\nthe demo worked\n")
    hasnt(text, "not running")
    (has if QMAIL else hasnt)(text, "qmail-inject")
    (hasnt if QMAIL else has)(text, "/bin/deliver")


@test("make demo-dialup goes through likewise", plain=True)
def dialup():
    text = shown("demo-dialup")
    has(text, "\n== 0 messages wait\n")
    hasnt(text, "not running")
    (has if QMAIL else hasnt)(text, "Received: (qmail ")


run()
