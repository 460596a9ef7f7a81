#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How popbox finds the running qmail-send, whatever became of its file."""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Site, eq, has, hasnt, needs_mounts, run, test


class Sending(Site):
    """A site whose qmail-send runs; words() are the times it read its files."""

    def __init__(self, **settings):
        super().__init__(standins=True, **settings)
        self.send = self.bin + "/qmail-send"
        self.log = self.qmail + "/send.log"

    def run(self, *command, words=1, **kw):
        process = self.start(*(command or (self.send,)), **kw)
        self.wait(words)
        return process

    def words(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log) as file:
            return [line.split()[0] for line in file]

    def wait(self, count):
        for _ in range(500):
            if len(self.words()) >= count:
                return
            time.sleep(0.02)
        raise AssertionError(f"qmail-send read {self.words()}, not {count}")

    def add(self, name, *args, **kw):
        return self.popbox("domain", "add", name, "--handle", "ex1", *args,
                           **kw)

    def told(self, name="two.example"):
        """A change is published, and the process reads its files again."""
        before = len(self.words())
        got = self.add(name)
        eq(got.rc, 0, got)
        hasnt(got.err, "not running")
        self.wait(before + 1)
        eq(self.popbox("check").out, "")

    def pending(self, name, part, **kw):
        """A change fails, and qmail takes no mail for the name."""
        got = self.add(name, **kw)
        eq(got.rc, 111, got)
        has(got.err, part)
        has(got.err, "run 'popbox sync'")
        hasnt(self.control("rcpthosts"), name)
        eq(self.popbox("sync", "--dry-run").rc, 1)


def copy(path):
    """The file is another one now, with the same bytes."""
    shutil.copy(path, path + ".new")
    os.rename(path + ".new", path)


def replace(site):
    copy(site.send)


def replace_twice(site):
    copy(site.send)
    copy(site.send)


def remove(site):
    os.unlink(site.send)


def keep_as(name):
    def keep(site):
        os.rename(site.send, f"{site.qmail}/bin/{name}")
        shutil.copy(f"{site.qmail}/bin/{name}", site.send)
    return keep


def replace_bin(site):
    os.rename(site.qmail + "/bin", site.qmail + "/bin.old")
    shutil.copytree(site.qmail + "/bin.old", site.qmail + "/bin")


def remove_old_bin(site):
    replace_bin(site)
    shutil.rmtree(site.qmail + "/bin.old")


CHANGES = {"replaced": replace, "replaced twice": replace_twice,
           "removed": remove, "kept as qmail-send.old": keep_as("qmail-send.old"),
           "kept as old-send": keep_as("old-send"),
           "in a bin that was replaced": replace_bin,
           "in a bin that was removed": remove_old_bin}


@test("a qmail-send whose program was replaced, moved or removed is told")
def upgraded():
    for what, change in CHANGES.items():
        with Sending() as site:
            site.run()
            site.told("one.example")
            change(site)
            try:
                site.told()
            except AssertionError as why:
                raise AssertionError(f"the program was {what}: {why}") from why
            eq(site.words(), ["start", "hup", "hup"], what)


@test("a qmail-send is told after symbolic links to it were switched")
def switched():
    for part in ("", "/bin"):
        with Sending() as site:
            link = site.qmail + part
            os.rename(link, site.top + "/old")
            os.symlink(site.top + "/old", link)
            if part:  # the stand-in's home is where its bin lies
                for name in ("control", "users"):
                    os.symlink(f"{site.qmail}/{name}", f"{site.top}/{name}")
                site.log = site.top + "/send.log"
            else:
                site.log = site.top + "/old/send.log"
            site.run()
            site.told("one.example")
            shutil.copytree(site.top + "/old", site.top + "/new",
                            symlinks=True)
            os.unlink(link)
            os.symlink(site.top + "/new", link)
            site.told()


@test("a qmail-send that works in qmail's queue is told, wherever it came from")
def by_queue():
    with Sending() as site:
        os.makedirs(site.top + "/other/bin")
        os.symlink(site.qmail + "/control", site.top + "/other/control")
        shutil.copy(site.send, site.top + "/other/bin/qmail-send")
        site.log = site.top + "/other/send.log"
        site.run(site.top + "/other/bin/qmail-send",
                 cwd=site.qmail + "/queue")
        site.told()


@test("the qmail-send of another qmail, or only of that name, gets no signal")
def strangers():
    with Sending() as site, Sending() as other:
        other.run()
        os.mkdir(site.top + "/home.of.joe")
        mine = site.top + "/home.of.joe/qmail-send"
        shutil.copy("/bin/sleep", mine)
        sleeps = site.start(mine, "300")
        copy(other.send)
        copy(mine)
        got = site.add("one.example")
        eq(got.rc, 0, got)
        has(got.err, "qmail-send is not running")
        has(site.popbox("check").out, "qmail-send is not running")
        eq(other.words(), ["start"])
        eq(sleeps.poll(), None)


@test("a dead qmail-send whose parent has not noticed does not count")
def zombie():
    with Sending() as site:
        process = site.run()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        has(site.add("one.example").err, "qmail-send is not running")


def with_trigger(site):
    os.makedirs(site.qmail + "/queue/lock")
    os.mkfifo(site.qmail + "/queue/lock/trigger")
    return site.qmail + "/queue/lock/trigger"


@test("where qmail-send runs and its process is not found, a change stays "
      "pending")
def hidden():
    with Sending() as site:
        trigger = with_trigger(site)
        has(site.add("one.example").err, "qmail-send is not running")
        eq(site.popbox("sync", "--dry-run").rc, 0)
        reader = os.open(trigger, os.O_RDONLY | os.O_NONBLOCK)
        site.pending("two.example", "qmail-send is running, but its process "
                     "was not found")
        has(site.popbox("check").out, "its process was not found")
        eq(os.read(reader, 1), b"")  # nothing was written
        # The way out that the message names.
        site.do("config", "set", "qmail_hup", f"touch {site.top}/told")
        site.do("sync")
        assert os.path.exists(site.top + "/told")
        has(site.control("rcpthosts"), "two.example")
        hasnt(site.popbox("check").out, "its process was not found")
        site.do("config", "set", "qmail_hup", "")
        os.close(reader)
        has(site.add("three.example").err, "qmail-send is not running")


@test("a file in the trigger's place is neither opened nor believed")
def no_trigger():
    with Sending() as site:
        trigger = with_trigger(site)
        os.unlink(trigger)
        os.symlink(site.top + "/made", trigger)
        site.pending("one.example", "cannot find out whether qmail-send")
        has(site.popbox("check").out, "cannot find out whether qmail-send")
        assert not os.path.exists(site.top + "/made")


@test("where the queue is none qmail-send does not run")
def no_queue():
    for made in ("queue/lock", None):
        with Sending() as site:
            if made:
                open(f"{site.qmail}/{made}", "w").close()
            else:
                os.makedirs(site.qmail + "/queue/lock")
            has(site.add("one.example").err, "qmail-send is not running")
            eq(site.popbox("sync", "--dry-run").rc, 0)


@test("without /proc it is unknown whether qmail-send runs, unless its queue "
      "says so", root=True, plain=True)  # sanitizers need /proc themselves
def no_proc():
    needs_mounts()
    bare = ("unshare", "--mount", "sh", "-c",
            'mount -t tmpfs tmpfs /proc && exec "$@"', "sh")
    with Sending() as site:
        with open(site.qmail + "/bin/qmail-newu", "w") as file:
            file.write("#!/bin/sh\n")  # the stand-in needs /proc itself
        site.pending("one.example", "cannot find out whether qmail-send",
                     prefix=bare)
        with_trigger(site)
        got = site.popbox("sync", prefix=bare)
        eq(got.rc, 0, got)
        has(got.err, "qmail-send is not running")


@test("a process that may not be signalled leaves the change pending",
      root=True)
def forbidden():
    with Sending() as site:
        os.chmod(site.qmail, 0o777)  # for the stand-in's log
        site.run("setpriv", "--reuid", "7", "--clear-groups", site.send)
        site.pending("one.example", "cannot send HUP to qmail-send",
                     prefix=("setpriv", "--bounding-set", "-kill"))
        eq(site.words(), ["start"])
        site.do("sync")
        site.wait(2)


@test("a qmail-send with the same paths in another root gets no signal",
      root=True)
def contained():
    needs_mounts()
    with Sending() as site:
        inner = ("unshare", "--mount", "sh", "-c",
                 'mount -t tmpfs tmpfs "$1" && exec "$2"', "sh",
                 site.qmail + "/control", site.send)
        site.run(*inner)
        has(site.add("one.example").err, "qmail-send is not running")
        eq(site.words(), ["start"])


run()
