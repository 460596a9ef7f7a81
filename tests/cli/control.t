#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qmail's files: what popbox writes, keeps and refuses; HUP and newu."""
import os
import shutil
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import (GID, GOOD, POPBOX, QMAIL, UID, Site, eq, has, hasnt, run,
                 skip, test)


@test("the set-up of the manual comes out byte for byte")
def exact():
    with Site() as site:
        site.write_control("rcpthosts", "")
        site.joe()
        eq(site.control("rcpthosts"), "example.com\n.example.com\n")
        eq(site.control("virtualdomains"),
           "example.com:example.com\n.example.com:example.com\n")
        eq(site.assign(), f"+example.com-:ex1:{UID}:{GID}:"
                          f"{site.domain_path()}:-::\n.\n")
        with open(site.domain_path() + "/.qmail-joe") as file:
            eq(file.read(), site.box_path() + "/\n")
        for path, mode in ((site.box_path(), 0o700),
                           (site.box_path() + "/new", 0o700),
                           (site.domain_path(), 0o755),
                           (site.domain_path() + "/.qmail-joe", 0o644)):
            info = os.stat(path)
            eq((stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid),
               (mode, UID, GID), path)


@test("the assign line may name popusr instead of the handle")
def assign_user():
    with Site(assign_user="popusr", popusr="popmail") as site:
        site.do("domain", "add", "example.com", "--handle", "ex1")
        has(site.assign(), f"+example.com-:popmail:{UID}:")


@test("what is not ours stays byte for byte, mode and owner too")
def foreign():
    with Site() as site:
        rcpt = "# mine\n\nlocalhost\n.other.org \t\nBIG.example"
        virtual = "joe@localhost:joe\n# example.com:x\n:catch\r\n"
        assign = "=root:alias:1:1:/x:::\n.\nbehind the dot\n"
        site.write_control("rcpthosts", rcpt)
        site.write_control("virtualdomains", virtual)
        path = site.qmail + "/users/assign"
        with open(path, "w", newline="") as file:
            file.write(assign)
        os.chmod(path, 0o640)
        os.chown(site.qmail + "/control/rcpthosts", UID, GID)
        site.do("domain", "add", "example.com", "--handle", "ex1")
        eq(site.control("rcpthosts"), rcpt + "\nexample.com\n.example.com\n")
        eq(site.control("virtualdomains"), virtual +
           "example.com:example.com\n.example.com:example.com\n")
        eq(site.assign(), assign.replace(
            ".\nbehind", f"+example.com-:ex1:{UID}:{GID}:"
            f"{site.domain_path()}:-::\n.\nbehind"))
        eq(stat.S_IMODE(os.stat(path).st_mode), 0o640)
        eq(os.stat(site.qmail + "/control/rcpthosts").st_uid, UID)


@test("identical lines are adopted, contradicting ones refused by their line")
def contradictions():
    with Site() as site:
        site.write_control("rcpthosts", "localhost\nExample.com\n")
        site.write_control("virtualdomains", "example.com:example.com\n")
        site.do("domain", "add", "example.com", "--handle", "ex1")
        eq(site.control("rcpthosts"), "localhost\nExample.com\n.example.com\n")
        for name, text, line in (
                ("virtualdomains", "x:y\nnew.org:alias-new\n", 2),
                ("virtualdomains", ".NEW.org:somebody\n", 1),
                ("virtualdomains", "new.org:new.org\r\n", 1),
                ("rcpthosts", "localhost\nnew.org\r\n", 2)):
            before = site.control(name)
            site.write_control(name, text)
            tree = site.tree(), site.do("log", "--json")
            got = site.fails(100, f"line {line} says", "domain", "add",
                             "new.org", "--handle", "ex1")
            has(got.err, "nothing was changed")
            eq((site.tree(), site.do("log", "--json")), tree)
            site.write_control(name, before)
        site.write_control("locals", "localhost\nnew.org\n")
        site.fails(100, "control/locals' line 2", "domain", "add", "new.org",
                   "--handle", "ex1")
        site.write_control("locals", "localhost\n")
        site.do("domain", "add", "new.org", "--handle", "ex1")


def broken(site, path, change):
    """One state of a file in which nothing may be added."""
    change(path)
    tree = site.do("log", "--json")
    got = site.popbox("domain", "add", "new.org", "--handle", "ex1")
    eq(got.rc, 100, (path, got))
    has(got.err, path.rsplit("/", 1)[1])
    eq(site.do("log", "--json"), tree)


@test("files that are missing, no files, or have no end are refused before")
def unusable():
    def link(path):
        os.rename(path, path + ".real")
        os.symlink(path + ".real", path)

    def directory(path):
        if os.path.exists(path):
            os.unlink(path)
        os.mkdir(path)

    def pipe(path):
        if os.path.exists(path):
            os.unlink(path)
        os.mkfifo(path)

    def endless(path):
        with open(path, "w") as file:
            file.write("=a:b:1:1:/:::\n")
    for name, change in (("control/rcpthosts", os.unlink),
                         ("control/rcpthosts", link),
                         ("control/rcpthosts", pipe),
                         ("control/virtualdomains", directory),
                         ("control/virtualdomains", pipe),
                         ("users/assign", directory),
                         ("users/assign", link),
                         ("users/assign", endless)):
        with Site().joe() as site:
            broken(site, f"{site.qmail}/{name}", change)
    with Site().joe() as site:
        os.rename(site.qmail + "/users", site.qmail + "/users.away")
        site.fails(100, "users/assign", "domain", "add", "new.org",
                   "--handle", "ex1")


@test("qmail-newu failing or absent: the store has it, rcpthosts not, sync mends")
def newu():
    with Site().joe() as site:
        program = site.bin + "/qmail-newu"
        for damage in ("#!/bin/sh\nexit 111\n", "#!/bin/sh\nkill -9 $$\n",
                       None):
            name = f"d{len(damage or '')}.org"
            os.rename(program, program + ".real")
            if damage:
                with open(program, "w") as file:
                    file.write(damage)
                os.chmod(program, 0o755)
            got = site.fails(111, "run 'popbox sync'", "domain", "add", name,
                             "--handle", "ex1")
            has(got.err, "qmail-newu")
            hasnt(site.control("rcpthosts"), name)
            hasnt(site.control("virtualdomains"), name)
            eq(site.popbox("sync", "--dry-run").rc, 1)
            site.fails(111, "popbox sync", "sync")
            if damage:
                os.unlink(program)
            os.rename(program + ".real", program)
            site.do("sync")
            has(site.control("rcpthosts"), name)
            eq(site.popbox("sync", "--dry-run").rc, 0)


@test("qmail-send reads the new table because of a HUP, and of nothing else")
def hup():
    with Site() as site:
        send = site.send()

        def reads(count):
            for _ in range(200):
                if send.reads() >= count:
                    break
                time.sleep(0.02)
            eq(send.reads(), count)
        got = site.popbox("domain", "add", "example.com", "--handle", "ex1")
        eq(got.rc, 0)
        hasnt(got.err, "not running")
        reads(2)
        if not QMAIL:
            with open(site.qmail + "/send.table") as file:
                eq(file.read(),
                   "example.com:example.com\n.example.com:example.com\n")
        # No change of a domain, no HUP.
        site.do("box", "add", "a@example.com", "--no-password")
        eq(send.reads(), 2)
        site.do("config", "set", "qmail_hup",
                f"{site.top}/hup one  two")
        with open(site.top + "/hup", "w") as file:
            file.write(f'#!/bin/sh\necho "$@" >{site.top}/called\n')
        os.chmod(site.top + "/hup", 0o755)
        site.do("domain", "add", "b.org", "--handle", "ex1")
        with open(site.top + "/called") as file:
            eq(file.read(), "one two\n")
        site.do("config", "set", "qmail_hup", "/no/such/command")
        site.fails(111, "/no/such/command", "domain", "add", "c.org",
                   "--handle", "ex1")
        hasnt(site.control("rcpthosts"), "c.org")


@test("a process that is another program by the time it would get its HUP "
      "gets none", plain=True)
def hup_again():
    with Site(standins=True) as site:
        program = site.bin + "/qmail-send"
        shutil.copy("/bin/sh", program)
        other = site.start(program, "-c", "read line; exec sleep 600",
                           stdin=subprocess.PIPE)
        path = site.top + "/pid"
        popbox = site.start(
            "strace", "--seccomp-bpf", "-f", "-o", "/dev/null", "-e",
            "trace=pidfd_open", "-e", "inject=pidfd_open:delay_enter=3000000",
            "sh", "-c", f"echo $$ >{path}; exec \"$@\"", "sh", POPBOX, "-d",
            site.store, "domain", "add", "example.com", "--handle", "ex1",
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        if not held(popbox, path):
            has(popbox.communicate()[1].decode(), "not permitted")
            skip("no tracing here")
        other.stdin.write(b"\n")
        other.stdin.flush()
        wait_until(lambda: os.readlink(f"/proc/{other.pid}/exe") != program)
        popbox.communicate()
        eq(other.poll(), None, "another program got a HUP")


def held(process, path):
    """Is the traced process, whose number path will say, held back at a call?
    False: it ended before."""
    stopped = 0
    while process.poll() is None and stopped < 10:
        try:
            with open(path) as file:
                number = file.read().strip()
            with open(f"/proc/{number}/stat") as file:
                state = file.read().rpartition(")")[2].split()[0]
            stopped = stopped + 1 if state == "t" else 0
        except FileNotFoundError:
            pass
        time.sleep(0.02)
    return stopped == 10


def wait_until(true):
    for _ in range(500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("what was waited for did not come")


@test("users/cdb is what the assign file says, read by another program")
def cdb():
    with Site().joe() as site:
        done = subprocess.run(
            ["cdb", "-q", site.qmail + "/users/cdb", "!example.com-"],
            capture_output=True)
        eq(done.stdout.split(b"\0")[:4],
           [b"ex1", str(UID).encode(), str(GID).encode(),
            site.domain_path().encode()])


@test("mail reaches the box it is for, any other bounces")
def deliver():
    with Site().joe() as site:
        for recipient, rc in (("joe@example.com", 0), ("JOE@example.com", 0),
                              ("joe@host.example.com", 0),
                              ("postmaster@example.com", 0),
                              ("ann@example.com", 100),
                              ("joe@other.org", 100)):
            done = subprocess.run(
                [site.tools + "/deliver", "s@x.org", recipient],
                input=b"hello\n", capture_output=True)
            eq(done.returncode, rc, (recipient, done.stderr))
        eq(len(os.listdir(site.box_path() + "/new")), 3)
        eq(len(os.listdir(site.box_path("ex1-0000") + "/new")), 1)


@test("a .qmail file made by hand is never overwritten")
def by_hand():
    with Site().joe() as site:
        path = site.domain_path() + "/.qmail-list"
        with open(path, "w") as file:
            file.write("|ezmlm-send\n")
        before = site.do("log", "--json")
        site.fails(100, "unmanaged", "box", "add", "list@example.com",
                   "--no-password")
        with open(path) as file:
            eq(file.read(), "|ezmlm-send\n")
        eq(site.do("log", "--json"), before)
        os.unlink(path)
        os.symlink("/etc/passwd", path)
        site.fails(100, "not a regular file", "box", "add",
                   "list@example.com", "--no-password")


@test("sync --full puts back what was lost or changed by hand")
def full():
    with Site().joe() as site:
        before = site.tree()
        os.unlink(site.domain_path() + "/.qmail-joe")
        with open(site.domain_path() + "/.qmail-postmaster", "w") as file:
            file.write("")
        for part in ("cur", "new", "tmp"):
            os.rmdir(f"{site.box_path()}/{part}")
        os.rmdir(site.box_path())
        site.write_control("virtualdomains", "x:y\n")
        site.do("sync")
        assert site.tree() != before
        site.do("sync", "--full")
        site.write_control("virtualdomains",
                           site.control("virtualdomains")[4:])
        eq(site.tree(), before)


@test("root touches nothing below the mail root, the helper does it as popusr",
      root=True, plain=True)
def helper():
    with Site().joe() as site:
        trace = site.top + "/trace"
        for command in (("domain", "add", "new.org", "--handle", "ex1"),
                        ("box", "add", "ann@example.com", "--no-password"),
                        ("box", "show", "joe@example.com"),
                        ("sync", "--full"), ("check",)):
            got = site.popbox(*command, prefix=(
                "strace", "-f", "-o", trace, "-e",
                "trace=%file,%process,setresuid"))
            eq(got.rc, 1 if command[0] == "check" else 0, got)
            dropped, touched = set(), 0
            with open(trace) as file:
                for line in file:
                    pid, call = line.split(None, 1)
                    if f"setresuid({UID}, {UID}, {UID})" in call:
                        dropped.add(pid)
                    if f'"{site.home}' in call and "execve" not in call:
                        touched += 1
                        assert pid in dropped, (command, call)
            assert touched or command[0] == "box" and \
                command[1:2] != ("add",), command


@test("links and pipes in the helper's way are errors, never followed",
      root=True)
def in_the_way():
    with Site().joe() as site:
        target = site.top + "/precious"
        os.mkdir(target)
        os.chmod(target, 0o777)  # even where popusr could write
        secret = target + "/secret"
        with open(secret, "w") as file:
            file.write("root's\n")
        os.chown(secret, 0, 0)
        os.chmod(secret, 0o600)
        pop, domain = site.box_path("ex1-0002"), site.domain_path()
        os.symlink(target, pop)
        has(site.do("box", "add", "a@example.com", "--no-password"),
            "ex1-0003")  # a number that has anything is passed over
        os.unlink(pop)
        site.do("sync")
        os.symlink(secret, domain + "/.popbox-tmp.qmail-b")
        site.do("box", "add", "b@example.com", "--no-password")
        os.symlink(secret, domain + "/.qmail-c")
        site.fails(100, "not a regular file", "box", "add", "c@example.com",
                   "--no-password")
        os.mkfifo(domain + "/.qmail-d")
        site.fails(100, "not a regular file", "box", "add", "d@example.com",
                   "--no-password")
        os.rename(domain, domain + ".away")
        os.symlink(target, domain)
        site.fails(100, "cannot take", "box", "add", "e@example.com",
                   "--no-password")
        site.fails(111, domain, "sync", "--full")
        os.unlink(domain)
        os.rename(domain + ".away", domain)
        site.do("sync", "--full")
        with open(secret) as file:
            eq(file.read(), "root's\n")
        eq(os.listdir(target), ["secret"])


@test("without qmail the Maildirs and .qmail files are made, and no more")
def no_qmail():
    with Site(qmail=False).joe() as site:
        assert os.path.exists(site.domain_path() + "/.qmail-joe")
        eq(site.login().rc, 0)
        eq(sorted(os.listdir(site.top)), ["home", "serialmail", "store"])


@test("what cannot be made is said, owed, and does not stop the others")
def owed():
    with Site().joe() as site:
        site.do("domain", "add", "other.net", "--handle", "ot2", "--no-sync")
        site.do("domain", "add", "third.net", "--handle", "th3", "--no-sync")
        # Something stands where ot2's directory should be.
        os.makedirs(site.home + "/o", exist_ok=True)
        os.chown(site.home + "/o", UID, GID)
        with open(site.home + "/o/ot2", "w"):
            pass
        got = site.fails(111, "run 'popbox sync'", "sync")
        has(got.err, "/o/ot2")
        has(site.control("rcpthosts"), "third.net")
        hasnt(site.control("rcpthosts"), "other.net")
        os.unlink(site.home + "/o/ot2")
        site.do("sync")
        has(site.control("rcpthosts"), "other.net")
        eq(site.popbox("sync", "--dry-run").rc, 0)
        site.sound()


run()
