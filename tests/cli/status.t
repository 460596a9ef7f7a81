#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox status: is all well? On one screen, and by the exit code."""
import datetime
import fcntl
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, UID, Site, eq, has, needs_mounts, run, skip, test


def shown(site, *args, rc=0):
    """What it prints: at most 24 lines of 80 columns."""
    got = site.popbox("status", *args)
    eq(got.rc, rc, got)
    lines = got.out.splitlines()
    assert len(lines) <= 24, got.out
    assert max(map(len, lines)) <= 80, got.out
    return got.out


def said(text, label):
    """The lines of a label, joined."""
    found, at = [], False
    for line in text.splitlines():
        at = line.startswith(label + " ") or (at and line.startswith(" "))
        if at:
            found.append(line[12:].strip())
    return " ".join(found)


def row(site, *args):
    return json.loads(site.popbox("--json", "status", *args).out)


def stamp(ago, form="%Y-%m-%dT%H:%M:%S.123456+00:00"):
    when = datetime.datetime.now(datetime.timezone.utc) - \
        datetime.timedelta(seconds=ago)
    return when.strftime(form)


@test("a site where all is well: exit 0, and nothing is to do")
def well():
    with Site(qmail=False).joe() as site:
        text = shown(site)
        has(said(text, "store"), "handles 1, domains 1, boxes 2, addresses 2")
        eq(said(text, "pending"), "nothing")
        eq(said(text, "qmail-send"), "this store has no qmail")
        has(said(text, "published"), stamp(0, "%Y-%m-%d"))
        eq(said(text, "backup"), "unknown")
        eq(said(text, "to do"), "nothing")
        got = row(site)
        eq((got["pending"], got["to_do"], got["qmail_send"]), ([], [], "none"))
        site.do("backup", site.top + "/backup")
        has(said(shown(site), "backup"), stamp(0, "%Y-%m-%d"))


@test("what is pending is shown with whose it is, since when and why, and ends "
      "with 1", root=True)
def pending():
    with Site(qmail=False).joe() as site:
        where = os.path.dirname(site.box_path())
        os.chown(where, 0, 0)
        os.chmod(where, 0o755)
        for i in range(6):
            eq(site.popbox("box", "add", f"b{i}@example.com", "--no-password",
                           env={"SUDO_USER": "ann"}).rc, 111)
        text = shown(site, rc=1)
        has(said(text, "pending"), "12 changes since 2")
        has(said(text, "pending"), "box ex1-0002 of ex1, by ann: cannot make")
        has(said(text, "pending").replace(" ", ""),
            f"'{site.box_path('ex1-0002')}':Permissiondenied")
        has(said(text, "pending"), "and 9 more: popbox --json status")
        has(said(text, "to do"), "'popbox sync'")
        got = row(site)
        eq(len(got["pending"]), 12)
        first = got["pending"][0]
        eq((first["object"], first["handle"], first["actor"]),
           ("ex1-0002", "ex1", "ann"))
        has(first["command"], "box add b0@example.com")
        os.chown(where, UID, GID)
        site.do("sync")
        shown(site)


@test("changes that were never published end with 1, unless somebody is at it")
def unpublished():
    with Site(qmail=False).joe() as site:
        site.do("box", "add", "ann@example.com", "--no-password", "--no-sync")
        text = shown(site, rc=1)
        has(said(text, "unpublished"), " since ")
        has(said(text, "to do"), "changes are not published: 'popbox sync'")
        with open(site.store + "/publish.lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            has(said(shown(site), "unpublished"), "being published now")
        eq(row(site)["publishing"], False)
        site.do("sync")
        shown(site)


@test("qmail-send: runs with its pid, does not run, is not known")
def send():
    with Site(standins=True).joe() as site:
        has(said(shown(site, rc=1), "to do"), "qmail-send is not running")
        eq(row(site)["qmail_send"], "stopped")
        process = site.send()
        has(said(shown(site), "qmail-send"), f"runs, pid {process.pid}")
        eq((row(site)["qmail_send"], row(site)["qmail_send_pid"]),
           ("runs", process.pid))
        process.end()


@test("suspended and deleted things are counted, with when purge takes the next")
def counted():
    with Site(qmail=False).joe() as site:
        site.do("domain", "add", "b.org", "c.org", "--handle", "ot2")
        site.do("domain", "suspend", "b.org")
        site.do("handle", "suspend", "ex1")
        site.do("box", "del", "joe@example.com", "--yes")
        site.do("domain", "del", "c.org", "--yes")
        text = shown(site)
        has(said(text, "suspended"), "handles 1, domains 1")
        has(said(text, "deleted"), "domains 1, addresses 2, boxes 1")
        soon = datetime.datetime.now(datetime.timezone.utc) + \
            datetime.timedelta(days=7)
        has(said(text, "deleted"), "takes 0 now, the next at "
            + soon.strftime("%Y-%m-%d"))
        got = row(site)
        eq((got["handles_suspended"], got["domains_suspended"],
            got["domains_deleted"], got["boxes_deleted"], got["purge_now"]),
           (1, 1, 1, 1, 0))
        site.do("purge", "c.org", "--now", "--yes")
        eq(row(site)["domains_deleted"], 0)


LINE = "popbox-checkpw{}: {} ip=192.0.2.7 {}user=joe@example.com\n"


@test("logins of the last hour are counted in a log of syslogd or multilog, by "
      "reason; what a user typed counts for nothing")
def logins():
    with Site(qmail=False).joe() as site:
        path = site.top + "/mail.log"
        forms = {
            "rfc": lambda ago: stamp(ago) + " host ",
            "old": lambda ago: datetime.datetime.fromtimestamp(
                time.time() - ago).strftime("%b %e %H:%M:%S host "),
            "tai": lambda ago: "@%016x00000000 " % (
                2 ** 62 + 10 + int(time.time() - ago)),
        }
        for pid in ("", "[77]"):
            for form in forms.values():
                with open(path, "w") as file:
                    for ago, word, reason in (
                            (7200, "refuse", "reason=mismatch "),
                            (3000, "refuse", "reason=mismatch "),
                            (2000, "refuse", "reason=unknown "),
                            (1000, "refuse", "reason=mismatch "),
                            (4000, "accept", "box=ex1-0001 "),
                            (100, "accept", "box=ex1-0001 ")):
                        file.write(form(ago) + LINE.format(pid, word, reason))
                    file.write(form(90) + "other[3]: refuse ip=1\n")
                    file.write("no time popbox-checkpw: refuse ip=1.2.3.4\n")
                text = shown(site, "--log", path)
                has(said(text, "logins"), "1 accepted, 3 refused (mismatch 2, "
                    "unknown 1) in the last hour, by " + path)
        eq(row(site, "--log", path)["logins"],
           {"source": path, "cut": False, "accepted": 1, "refused": 3,
            "failed": 0, "reasons": {"mismatch": 2, "unknown": 1}})
        with open(path, "a") as file:
            file.write(stamp(5) + " host popbox-checkpw: error ip=192.0.2.7 "
                       'reason="store: busy" user=a\n')
        text = shown(site, "--log", path, rc=1)
        has(said(text, "logins"), "1 ended without a verdict")
        has(said(text, "to do"), "see the log")


@test("a log that cannot be read is said, with the reason, and is no fault")
def unread():
    with Site(qmail=False).joe() as site:
        has(said(shown(site), "logins"), "unknown: logins are logged to "
            "standard error")
        eq(row(site)["logins"], None)
        has(said(shown(site, "--log", site.top + "/no"), "logins"),
            "No such file")
        os.mkfifo(site.top + "/pipe")
        for path in (site.top + "/pipe", site.top, "/dev/zero"):
            has(said(shown(site, "--log", path), "logins"),
                "it is not a regular file")


@test("what the program really logs is counted")
def real():
    with Site(qmail=False).joe() as site:
        path = site.top + "/log"
        with open(path, "w") as file:
            for password in ("wrong", "correct horse 42 staple"):
                for line in site.login(password=password).err.splitlines():
                    file.write(stamp(1) + " host " + line + "\n")
        has(said(shown(site, "--log", path), "logins"),
            "1 accepted, 1 refused (mismatch 1)")


@test("without a log file the journal is asked, by journalctl alone; one that fails "
      "is said", root=True)
def journal():
    needs_mounts()
    if not os.path.exists("/usr/bin/journalctl"):
        skip("no journalctl here")
    with Site(qmail=False, log="syslog").joe() as site:
        fake, asked = site.top + "/journalctl", site.top + "/asked"
        within = ("unshare", "--mount", "sh", "-c",
                  "mount -t tmpfs tmpfs /var/log && mkdir /var/log/journal && "
                  f"mount --bind {fake} /usr/bin/journalctl && exec \"$@\"",
                  "sh")
        for code, want in ((0, "1 accepted, 2 refused (mismatch 2) in the last "
                               "hour, by journalctl"),
                           (1, "unknown: '/usr/bin/journalctl' failed")):
            with open(fake, "w") as file:
                file.write(f"#!/bin/sh\necho \"$*\" >{asked}\n"
                           "echo 'accept ip=192.0.2.7 box=ex1-0001 user=a'\n"
                           "echo 'refuse ip=192.0.2.7 reason=mismatch user=a'\n"
                           "echo 'refuse ip=192.0.2.7 reason=mismatch user=b'\n"
                           "echo 'x refuse ip=192.0.2.7'\n"
                           f"exit {code}\n")
            os.chmod(fake, 0o755)
            got = site.popbox("status", prefix=within)
            eq(got.rc, 0, got)
            has(said(got.out, "logins"), want)
        with open(asked) as file:
            words = file.read().split()
        eq(words[:-1], ["-q", "--no-pager", "-o", "cat", "-t",
                        "popbox-checkpw", "--since"])
        assert abs(int(words[-1][1:]) + 3600 - time.time()) < 100, words


@test("a store that is not there is 111")
def none():
    with Site(qmail=False, init=False) as site:
        eq(site.popbox("status").rc, 111)


run()
