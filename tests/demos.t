#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The demos, as `make demo`, `make demo-dialup` and `make demo-cluster` run them."""
import glob
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import central
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


def of_demo():
    """Processes that have something of a cluster's demo in their arguments, and
    its directories."""
    found = glob.glob("/tmp/popbox-demo.*/tls")
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        if "/tests/demo-cluster\0" in text or \
                re.search(r"/tmp/popbox-demo\.\w+/db", text):
            found.append(text)
    return found


def reaches(what, seconds=120):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, of_demo()
        time.sleep(0.05)


@test("make demo-cluster goes through and leaves nothing; if it is killed, all of its "
      "processes end", root=True, plain=True, deep=True)
def cluster():
    central.needs()
    eq(of_demo(), [])
    done = subprocess.run([TREE + "/tests/demo-cluster", "300"],
                          capture_output=True, text=True, timeout=400,
                          stdin=subprocess.DEVNULL)
    eq(done.returncode, 0, done.stdout + done.stderr)
    text = done.stdout
    for part in ("300 created", "this host only follows",
                 "nothing was changed; logins go on",
                 "newest password: False; with that of before the cut: True",
                 "\nthe demo worked, in "):
        has(text, part)
    checks = re.findall(r"\d+ rows are those of the central database, at "
                        r"change \d+", text)
    eq((len(checks), len(set(checks))), (3, 1), text)
    eq(of_demo(), [])
    process = subprocess.Popen([TREE + "/tests/demo-cluster"],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)
    reaches(lambda: any("/bin/postgres\0" in text for text in of_demo()))
    process.send_signal(signal.SIGKILL)
    process.wait()
    reaches(lambda: not any(text[0] != "/" or "\0" in text
                            for text in of_demo()))
    for path in glob.glob("/tmp/popbox-demo.*/tls"):
        subprocess.run(["rm", "-rf", os.path.dirname(path)], check=True)


run()
