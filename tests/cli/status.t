#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox status: is all well? On one screen, and by the exit code."""
import datetime
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, TREE, UID, Site, eq, has, hasnt, needs_mounts, run, skip, test


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


SAMPLE = re.compile(r'(popbox_[a-z_]+)(\{[a-z]+="[ -~]*"\})? (\d+)$')


def metrics(site, *args):
    """The samples of stats --prometheus, by name and label, each line being one of
    the format, each name with its HELP and TYPE before it, once."""
    got = site.popbox("stats", "--prometheus", *args)
    eq((got.rc, got.err), (0, ""), got)
    samples, family, seen = {}, None, set()
    assert got.out.endswith("\n")
    for line in got.out.splitlines():
        if line.startswith("# HELP "):
            family, words = line.split(" ", 3)[2:]
            assert family not in seen and words, line
            seen.add(family)
        elif line.startswith("# TYPE "):
            eq(line, f"# TYPE {family} gauge")
        else:
            name, label, value = SAMPLE.fullmatch(line).groups()
            eq(name, family)
            key = name[len("popbox_"):] + (label or "").replace('"', "")
            assert key not in samples, line
            samples[key] = int(value)
    return samples


def with_manual(samples):
    """The page names each metric, and no other."""
    with open(TREE + "/doc/man/popbox-stats.8") as file:
        told = set(re.findall(r"\bpopbox_(\w+)", file.read()))
    eq({key.split("{")[0] for key in samples} - told, set())
    return told


@test("stats --prometheus: what there is, what is pending, the last backup, hashes, as "
      "metrics that the manual names")
def prometheus():
    with Site(standins=True).joe() as site:
        site.do("box", "add", "ann@example.com", "--no-password")
        site.do("box", "suspend", "ann@example.com")
        site.do("box", "del", "joe@example.com", "--yes")
        got = metrics(site)
        told = with_manual(got)
        for key, value in (
                ("handles", 1), ("handles_suspended", 0), ("domains", 1),
                ("boxes", 2), ("boxes_login_off", 1), ("addresses", 2),
                ("boxes_without_password", 2), ("boxes_by_hash{scheme=none}", 2),
                ("deleted{object=box}", 1), ("deleted{object=domain}", 0),
                ("pending_changes{state=failed}", 0),
                ("pending_changes{state=untried}", 0),
                ("pending_age_seconds", 0),
                ("last_backup_timestamp_seconds", 0), ("addresses_expired", 0),
                ("qmail_send_running", 0)):
            eq(got[key], value, key)
        now = time.time()
        for key in ("last_publish", "collected"):
            assert now - 600 < got[key + "_timestamp_seconds"] < now + 2, key
        eq(got["store_bytes{part=file}"],
           os.stat(site.store + "/data.mdb").st_size)
        site.do("backup", site.top + "/backup")
        site.do("handle", "suspend", "ex1")
        site.do("box", "add", "bob@example.com", "--no-password", "--no-sync")
        process = site.send()
        got = metrics(site, "--log", "/dev/null/no")
        process.end()
        eq(got["login_log_readable"], 0)
        hasnt(str(got), "logins_last_hour")
        eq((got["boxes_login_off"], got["handles_suspended"],
            got["qmail_send_running"]), (3, 1, 1))
        assert got["pending_changes{state=untried}"] > 0
        assert got["last_backup_timestamp_seconds"] > now - 60
        with open(site.top + "/log", "w") as file:
            file.write("")
        eq(told - {k.split("{")[0] for k in metrics(site, "--log",
                                                    site.top + "/log")}, set())


@test("stats --prometheus says how old the oldest pending change is", root=True)
def prometheus_age():
    with Site(qmail=False).joe() as site:
        where = os.path.dirname(site.box_path())
        os.chown(where, 0, 0)
        os.chmod(where, 0o755)
        eq(site.popbox("box", "add", "b@example.com", "--no-password").rc, 111)
        time.sleep(1.1)
        got = metrics(site)
        assert got["pending_changes{state=failed}"] > 0
        assert 0 < got["pending_age_seconds"] < 900, got
        os.chown(where, UID, GID)
        site.do("sync")
        eq(metrics(site)["pending_age_seconds"], 0)


@test("stats --prometheus: lines that anybody wrote into the log spoil nothing")
def prometheus_log():
    with Site(qmail=False).joe() as site:
        path = site.top + "/mail.log"
        with open(path, "wb") as file:
            for what in ("accept ip=192.0.2.7 x", "error ip=192.0.2.7 x",
                         "refuse ip=1.2.3.4 reason=mismatch user=x",
                         "refuse ip=1.2.3.4 reason=mismatch user=y",
                         "refuse ip=1.2.3.4 reason=other user=y",
                         'refuse ip=1.2.3.4 reason=a"b user=y',
                         "refuse ip=1.2.3.4 reason=a\\ user=y",
                         "refuse ip=1.2.3.4 reason=\xe4\x1b user=y",
                         "refuse ip=1.2.3.4 reason= user=y",
                         "refuse ip=1.2.3.4 user=y"):
                file.write((stamp(5) + " host popbox-checkpw: " + what +
                            "\n").encode("latin-1"))
        got = metrics(site, "--log", path)
        eq({k: v for k, v in got.items() if "log" in k and "hour" in k}, {
            "logins_last_hour{verdict=accept}": 1,
            "logins_last_hour{verdict=refuse}": 8,
            "logins_last_hour{verdict=error}": 1,
            "refused_logins_last_hour{reason=mismatch}": 2,
            "refused_logins_last_hour{reason=other}": 6})


@test("promtool finds no fault in stats --prometheus")
def promtool():
    if not shutil.which("promtool"):
        skip("promtool is not installed")
    with Site(qmail=False).joe() as site:
        text = site.do("stats", "--prometheus")
        done = subprocess.run(["promtool", "check", "metrics"], input=text,
                              capture_output=True, text=True)
        eq((done.returncode, done.stdout + done.stderr), (0, ""))
        # It would find one.
        assert subprocess.run(["promtool", "check", "metrics"], input=text * 2,
                              capture_output=True, text=True).returncode


@test("stats --prometheus counts the whole store in its own format: other options "
      "are refused")
def prometheus_usage():
    with Site(qmail=False) as site:
        for args in (("--handle", "ex1"), ("--mail",)):
            site.fails(2, "leave out", "stats", "--prometheus", *args)
        site.fails(2, "leave out", "--json", "stats", "--prometheus")
        site.fails(2, "needs --prometheus", "stats", "--log", "/x")


run()
