# SPDX-License-Identifier: MIT
"""The changes that are made to fail or killed, for the harnesses faults and
kills: where in each that can be, and what it makes when nothing is in its way."""
import errno
import os
import re
import subprocess

from broken import relative
from deep import DEEP, TREE, compiled
from observed import CHANGES, Change, Scene

STRIKE = DEEP + "/strike"
NUMBERS = {}  # of system calls

# Not those that end in a finding of check; a killed `config set` may.
PLAIN = [c for c in CHANGES if not c.small and not c.leaves] + \
    [Change(("config", "set", "password_min", "12"), leaves=("temporary",))]


def build_strike():
    """Static, because it is started for each try."""
    compiled("strike", "-static", TREE + "/tests/deep/strike.c",
             TREE + "/tests/deep/observer/step.c")
    macros = subprocess.run(
        ["gcc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c",
         "/dev/null"], check=True, capture_output=True, text=True).stdout
    NUMBERS.update(re.findall(r"#define __NR_(\w+) (\d+)", macros))


def strike(site, call, when, error=None):
    """What a command begins with whose call number `when` of that name shall
    fail with that error, or be a kill -9."""
    return (STRIKE, site.top + "/struck", NUMBERS[call], str(when),
            str(getattr(errno, error) if error else 0))


def was_struck(site):
    return os.path.getsize(site.top + "/struck") > 0


def state(site):
    """The tree, and the settings, which lie outside of it."""
    with open(site.store + "/config") as file:
        return {**relative(site), "config": file.read().replace(site.top, "")}


class Case:
    """A scene's change, as it goes unhindered. points: of a trace made with
    `strace -f -o`. logins: how a login ends before it and after it."""

    def __init__(self, scene, points_of):
        self.scene, self.change, self.site = scene, scene.change, scene.site
        trace = self.site.top + "/trace"
        self.logins = {self.site.login().rc}
        scene.restore()
        self.untouched = state(self.site)
        self.site.do(*scene.words, prefix=("strace", "-f", "-o", trace))
        self.points = points_of(trace)
        self.finished = state(self.site)
        self.entries = self.site.last_entry()
        self.logins.add(self.site.login().rc)

    def is_finished(self):
        return state(self.site) == self.finished

    def ends_well(self):
        """It is whole, or as if it had never been begun."""
        return state(self.site) in (self.finished, self.untouched)
