#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is installed is all there, works from there, and goes again."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import TREE, eq, has, make, run, test

os.chdir(TREE)
PROGRAMS = ("popbox", "popbox-checkpw", "popbox-askpw", "popbox-quota", "popbox-rcptcheck",
            "popbox-vacation", "popbox-maildirsmtp")


class Dest:
    """A directory that stands for the root of a machine."""

    def __init__(self, *words):
        self.words = words

    def __enter__(self):
        self.top = tempfile.mkdtemp(prefix="popbox-install.")
        self.words += (f"DESTDIR={self.top}",)
        make("install", *self.words)
        return self

    def __exit__(self, *exception):
        shutil.rmtree(self.top)

    def files(self):
        """Every file below, with its mode."""
        found = {}
        for where, _, names in os.walk(self.top):
            for name in names:
                path = os.path.join(where, name)
                found[path[len(self.top):]] = os.lstat(path).st_mode & 0o7777
        return found


def expected(prefix="/usr/local", man=None):
    man = man or prefix + "/share/man"
    found = {f"{prefix}/sbin/{p}": 0o755 for p in PROGRAMS}
    found[f"{prefix}/sbin/{PROGRAMS[-1]}"] = 0o711  # see the Makefile
    share = prefix + "/share"
    for path in (f"{share}/bash-completion/completions/popbox",
                 f"{share}/zsh/site-functions/_popbox",
                 f"{share}/fish/vendor_completions.d/popbox.fish"):
        found[path] = 0o644
    for path in glob.glob("doc/examples/**", recursive=True) + \
            glob.glob("doc/guide/*"):
        if os.path.isfile(path):
            found[f"{share}/doc/popbox/{path[4:]}"] = \
                os.stat(path).st_mode & 0o755
    for page in glob.glob("doc/man/*.[578]"):
        found[f"{man}/man{page[-1]}/{os.path.basename(page)}"] = 0o644
    return found


@test("install brings what its list says, and uninstall takes all of it away")
def whole():
    with Dest() as dest:
        eq(dest.files(), expected())
        make("uninstall", *dest.words)
        eq(dest.files(), {})
        assert not os.path.exists(dest.top + "/usr/local/share/doc/popbox")


@test("install follows PREFIX and MANDIR, and leaves other people's files")
def elsewhere():
    with Dest("PREFIX=/opt/pop", "MANDIR=/opt/man") as dest:
        eq(dest.files(), expected("/opt/pop", "/opt/man"))
        other = dest.top + "/opt/pop/sbin/other"
        with open(other, "w"):
            pass
        make("uninstall", *dest.words)
        eq(list(dest.files()), ["/opt/pop/sbin/other"])


@test("the installed programs run, and their pages can be read")
def works():
    with Dest() as dest:
        local = dest.top + "/usr/local"
        for name in PROGRAMS[:-1]:
            has(subprocess.run([f"{local}/sbin/{name}", "--version"],
                               capture_output=True, text=True,
                               check=True).stdout, name + " ")
        eq(subprocess.run([f"{local}/sbin/{PROGRAMS[-1]}"],
                          capture_output=True).returncode, 2)
        for page in glob.glob(f"{local}/share/man/man?/*"):
            subprocess.run(["mandoc", "-W", "error", page], check=True,
                           capture_output=True)


@test("a program that is installed over another is there at every moment")
def replaced():
    with Dest() as dest:
        path = dest.top + "/usr/local/sbin/popbox-checkpw"
        size = os.stat(path).st_size
        odd, looks, over = [], 0, threading.Event()

        def look():
            nonlocal looks
            while not over.is_set():
                looks += 1
                try:
                    if os.stat(path).st_size != size:
                        odd.append("cut")
                except FileNotFoundError:
                    odd.append("missing")

        watcher = threading.Thread(target=look)
        watcher.start()
        for _ in range(5):
            make("install", *dest.words)
        over.set()
        watcher.join()
        assert looks > 100, looks
        eq(set(odd), set())
        eq(dest.files(), expected())


run()
