#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The look at the machine before and after a run (tests/machine): whatever a
test could change is seen, undone or not. In a root laid over this machine's."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import over
from tap import TREE, eq, run, skip, test

BIN = "/var/qmail/bin/qmail-queue"
BEFORE = f"""
mkdir -p {os.path.dirname(BIN)} /var/qmail/queue/mess /home/popmail/new
echo program >{BIN} && chmod 4711 {BIN}
echo mail >/home/popmail/new/1
mkdir -p /var/lib/popbox /var/lib/other
"""
CHANGES = {  # what is done: what is named
    "true": [],
    "chown 7 /var/qmail": ["/var/qmail"],
    f"chmod 711 {BIN}": [BIN],
    f"echo another >{BIN}": [BIN],
    f"mv {BIN} {BIN}.x && mv {BIN}.x {BIN}": [os.path.dirname(BIN), BIN],
    "touch /var/qmail/queue/mess/1": ["/var/qmail/queue/mess",
                                      "/var/qmail/queue/mess/1"],
    "groupadd -g 51 popusr": ["/etc/group"],
    "chmod 700 /home/popmail": ["/home/popmail"],
    "rm /home/popmail/new/1": ["/home/popmail/new", "/home/popmail/new/1"],
    "mkdir /var/lib/mine": ["/var/lib/mine"],
    "echo x >/var/lib/popbox/x": ["/var/lib/popbox", "/var/lib/popbox/x"],
    "echo x >/var/lib/other/x": [],
    "ln -s /x /etc/systemd/system/x.service": [
        "/etc/systemd/system", "/etc/systemd/system/x.service"],
}


def sh(script):
    return subprocess.run(["sh", "-euc", script], capture_output=True,
                          text=True)


def within(top):
    over.lay_over(top)
    for change, named in CHANGES.items():
        assert sh("rm -rf /var/qmail/* /home/* /var/lib/popbox\n" +
                  BEFORE).returncode == 0
        # A listing copies nothing, but the first look at a file may.
        for what in ("list", "list"):
            subprocess.run([TREE + "/tests/machine", what, "/run/list"],
                           check=True)
        done = sh(change)
        assert done.returncode == 0, (change, done)
        done = subprocess.run([TREE + "/tests/machine", "compare",
                               "/run/list"], capture_output=True, text=True)
        seen = [line[2:].partition(": was")[0]
                for line in done.stdout.splitlines() if line[0] == "#"]
        if named == ["/etc/group"]:  # and its copies
            seen = [path for path in seen if path == "/etc/group"]
        eq((seen, done.returncode), (named, 1 if named else 0),
           (change, done))


@test("what a test changes on the machine is named, undone or not", root=True,
      plain=True)
def seen():
    got, _ = over.inside(__file__)
    if got.returncode == over.NO_ROOT:
        skip(got.stdout.strip())
    eq(got.returncode, 0, got.stdout + got.stderr)


if "--inside" in sys.argv:
    within(sys.argv[2])
    sys.exit(0)
run()
