#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is on the disk before what relies on it: in which order commands write,
sync, rename and tell qmail, as their system calls show it; and that a sync that
fails is never a success."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, UID, Site, eq, has, hasnt, run, skip, test

CALLS = ("rename,renameat,renameat2,linkat,mkdir,mkdirat,unlink,unlinkat,rmdir,"
         "fsync,fdatasync,syncfs,msync,execve,pidfd_send_signal")
NEW = ("domain", "add", "new.org", "--handle", "ex1")
DIALUP = ("domain", "add", "dial.org", "--handle", "ex1", "--kind", "dialup")
MAILDIR = ("make {0}/Maildir", "sync {0}", "make {0}/Maildir/tmp",
           "make {0}/Maildir/new", "make {0}/Maildir/cur", "sync {0}/Maildir")


def trace(site, words, *more, **kw):
    """(how it ended, the lines of strace)"""
    path = site.top + "/trace"
    got = site.popbox(*words, prefix=("strace", "-f", "-y", "-s", "300", "-o",
                                      path, *more), **kw)
    if "ptrace" in got.err and "not permitted" in got.err:
        skip("no tracing here")
    with open(path, errors="replace") as file:
        return got, list(file)


def paths_of(line):
    """Of a call: each name, behind the directory before it."""
    found, where = [], ""
    for directory, name in re.findall(r'\d+<([^>]*)>|AT_FDCWD<[^>]*>|"([^"]*)"',
                                      line[:line.rfind(" = ")]):
        if name:
            found.append(name if name.startswith("/") else f"{where}/{name}")
        where = directory or where
    return found or [where]


def events(site, lines):
    """sync PATH, name PATH, make PATH, remove PATH, run PROGRAM, HUP: what the
    tool and its helper did, without what qmail's programs do."""
    found, others = [], set()
    for line in lines:
        match = re.match(r"(\d+) +(\w+)\((.*)\) += 0\b", line)
        if not match:
            continue
        process, call = match.group(1), match.group(2)
        paths = [p.replace(site.top + "/", "") for p in paths_of(line)]
        if call == "execve" and "qmail/bin/" in paths[0]:
            others.add(process)
            found.append("run " + os.path.basename(paths[0]))
        if process in others or call == "execve":
            continue
        word = {"m": "make", "u": "remove"}.get(call[0], "name")
        if "sync" in call:
            word = "sync"
        elif call == "pidfd_send_signal":
            word, paths = "HUP", [""]
        elif call == "rmdir":
            word = "remove"
        found.append(f"{word} {paths[-1]}".strip())
    return found


def does(site, words, *want, **kw):
    """The command does all this, in this order, and no more of it."""
    got, lines = trace(site, words, "-e", "trace=" + CALLS, **kw)
    eq(got.rc, 0, got)
    eq(events(site, lines), [*want], words)
    return got


def replaced(path):
    """A file written anew beside the old one."""
    where, name = os.path.split(path)
    temporary = name + ".popbox-tmp" if where.startswith("qmail") else \
        ".popbox-tmp" + (name if name != "RELAYHOST" and
                         "serialmail" not in where else "")
    return (f"sync {where}/{temporary}", f"name {path}", f"sync {where}")


def with_qmail():
    """joe's site, on which qmail-send runs."""
    site = Site(standins=True).joe()  # all below one directory
    site.send()
    return site


STORED = "sync store/data.mdb"
NEWU = ("run qmail-newu", "sync qmail/users")
NEWMRH = ("run qmail-newmrh", "sync qmail/control")
HERE = "home/e/ex1/DOMAINS/new.org"


@test("the roots of mail are on the disk, with their names, before init says so",
      plain=True)
def roots():
    with Site(init=False, standins=True) as site:
        got, lines = trace(site, (
            "init", "--home", site.top + "/far/home", "--serialmail",
            site.top + "/serialmail", "--qmail", site.qmail,
            "--uid", str(UID), "--gid", str(GID)), "-e", "trace=" + CALLS)
        eq(got.rc, 100, got)  # there is no far
        os.mkdir(site.top + "/far")
        got, lines = trace(site, (
            "init", "--home", site.top + "/far/home", "--serialmail",
            site.top + "/serialmail", "--qmail", site.qmail,
            "--uid", str(UID), "--gid", str(GID)), "-e", "trace=" + CALLS)
        eq(got.rc, 0, got)
        done = " ".join(events(site, lines)) + " "
        has(done, "make far/home sync far/home sync far ")
        has(done, f"make serialmail sync serialmail sync {site.top} make ")


@test("a new domain is on the disk step by step: directory, .qmail files, "
      "users/assign, users/cdb, virtualdomains, and rcpthosts before the mark",
      plain=True)
def domain_add():
    with with_qmail() as site:
        does(site, NEW, STORED, "make " + HERE, "sync home/e/ex1/DOMAINS",
             *replaced(HERE + "/.qmail-postmaster"),
             *replaced("qmail/users/assign"), *NEWU,
             *replaced("qmail/control/virtualdomains"), "HUP",
             *replaced("qmail/control/rcpthosts"), STORED)


@test("a domain that is deleted leaves rcpthosts on the disk before anything "
      "else; purge takes its route, then its lines, then its files", plain=True)
def domain_del():
    with with_qmail() as site:
        site.do(*NEW)
        got, lines = trace(site, ("domain", "del", "new.org", "--yes"), "-e",
                           "trace=" + CALLS)
        eq(got.rc, 0, got)
        eq(events(site, lines)[:4],
           [STORED, *replaced("qmail/control/rcpthosts")])
        does(site, ("purge", "new.org", "--now", "--yes"), STORED,
             "sync qmail/control",  # rcpthosts is as it should be
             *replaced("qmail/control/virtualdomains"), "HUP",
             *replaced("qmail/users/assign"), *NEWU,
             f"remove {HERE}/.qmail-postmaster", "sync " + HERE,
             "remove " + HERE, "sync home/e/ex1/DOMAINS", STORED)


@test("beyond rcpthosts_max a domain is on the disk in morercpthosts and in its "
      "cdb before the mark, and leaves both", plain=True)
def more():
    with with_qmail() as site:
        site.do("config", "set", "rcpthosts_max", "1")
        _, lines = trace(site, NEW, "-e", "trace=" + CALLS)
        last = [*replaced("qmail/control/morercpthosts"), *NEWMRH, STORED]
        eq(events(site, lines)[-len(last):], last)
        _, lines = trace(site, ("domain", "del", "new.org", "--yes"), "-e",
                         "trace=" + CALLS)
        first = [STORED, "sync qmail/control",  # rcpthosts is as it should be
                 *replaced("qmail/control/morercpthosts"), *NEWMRH]
        eq(events(site, lines)[:len(first)], first)


@test("a relay's route is on the disk before its domain is accepted, and goes "
      "after it", plain=True)
def relay():
    with with_qmail() as site:
        _, lines = trace(site, (*NEW, "--kind", "relay", "--host", "a.org"),
                         "-e", "trace=" + CALLS)
        eq([e for e in events(site, lines) if e.startswith("name")],
           ["name qmail/control/smtproutes", "name qmail/control/rcpthosts"])
        has(" ".join(events(site, lines)), " ".join(
            replaced("qmail/control/smtproutes")))
        site.do("domain", "del", "new.org", "--yes")
        _, lines = trace(site, ("purge", "new.org", "--now", "--yes"), "-e",
                         "trace=" + CALLS)
        eq(events(site, lines)[-4:],
           [*replaced("qmail/control/smtproutes"), STORED])


@test("a dial-up domain is on the disk, directory, Maildir and files, before "
      "qmail's files name it", plain=True)
def dialup():
    with with_qmail() as site:
        where = "serialmail/dial.org"
        does(site, DIALUP, STORED, "sync qmail/control", "make " + where,
             "sync serialmail", *(line.format(where) for line in MAILDIR),
             *replaced(where + "/RELAYHOST"),
             *replaced(where + "/.qmail-default"),
             *replaced("qmail/users/assign"), *NEWU,
             *replaced("qmail/control/virtualdomains"), "HUP",
             *replaced("qmail/control/rcpthosts"), STORED)


@test("a file that a command makes is on the disk, and its name, before it is told",
      plain=True)
def made():
    with with_qmail() as site:
        for name, syncs, words in (
                ("all", 2, ("backup", site.top + "/all")),
                ("one", 1, ("backup", site.top + "/one", "--only", "ex1-0001")),
                ("out", 1, ("export", "--output", site.top + "/out"))):
            does(site, words, *[f"sync .{name}.popbox-tmp"] * syncs,
                 "name " + name, "sync " + site.top)


@test("a box and its address are on the disk before the mark, and so is what "
      "purge takes away of them", plain=True)
def box():
    with with_qmail() as site:
        domain = "home/e/ex1/DOMAINS/example.com"
        mail = "home/e/ex1/POP/ex1-0002"
        does(site, ("box", "add", "ann@example.com", "--no-password"), STORED,
             "make " + mail, "sync home/e/ex1/POP", f"make {mail}/tmp",
             f"make {mail}/new", f"make {mail}/cur", "sync " + mail,
             *replaced(domain + "/.qmail-ann"), STORED)
        site.do("address", "add", "b@example.com", "ex1-0001")
        site.do("address", "del", "b@example.com", "--yes")
        site.do("box", "del", "ann@example.com", "--yes")
        for gone, parent, name in ((f"{domain}/.qmail-b", domain,
                                    "b@example.com"),
                                   (mail, "home/e/ex1/POP", "ex1-0002")):
            _, lines = trace(site, ("purge", name, "--now", "--yes"), "-e",
                             "trace=" + CALLS)
            eq(events(site, lines)[-3:],
               ["remove " + gone, "sync " + parent, STORED])


@test("what purge finds gone already is gone on the disk as well: whoever removed "
      "it may not have synced", plain=True)
def gone():
    with with_qmail() as site:
        site.do(*DIALUP)
        site.do("address", "add", "b@example.com", "ex1-0001")
        site.do("address", "del", "b@example.com", "--yes")
        site.do("box", "del", "ex1-0001", "--yes")
        site.do("domain", "del", "dial.org", "--yes")
        domain = "home/e/ex1/DOMAINS/example.com"
        for path, parent, name in (
                (f"{domain}/.qmail-b", domain, "b@example.com"),
                ("home/e/ex1/POP/ex1-0001", "home/e/ex1/POP", "ex1-0001"),
                ("serialmail/dial.org", "serialmail", "dial.org")):
            subprocess.run(["rm", "-r", f"{site.top}/{path}"], check=True)
            got, lines = trace(site, ("purge", name, "--now", "--yes"), "-e",
                               "trace=" + CALLS)
            eq(got.rc, 0, got)
            has(" ".join(events(site, lines)) + " ",
                f"sync {parent} ")
            hasnt(" ".join(events(site, lines)), "remove " + path)


@test("a store that is restored is on the disk, with its settings, before it takes "
      "the old one's place, and that it did is, before any file follows it; what "
      "cannot be synced is not restored", plain=True)
def restored():
    with Site().joe() as site:
        backup = site.top + "/backup"
        site.do("backup", backup)
        got, lines = trace(site, ("restore", backup, "--yes"), "-e", "trace="
                           "pwrite64,writev,fsync,fdatasync,renameat2")
        eq(got.rc, 0, got)
        done = [line.split(None, 1)[1] for line in lines if " = -1 " not in line]
        moved = [i for i, line in enumerate(done) if "renameat2(" in line]
        data = [i for i, line in enumerate(done[:moved[0]])
                if ".popbox-restore/data.mdb>" in line]
        assert done[data[-1]].startswith("fdatasync"), done[data[-1]]
        has(" ".join(done[data[-1]:moved[0]]), ".popbox-restore/config")
        has(done[moved[0] - 1], f"fsync(4<{site.store}.popbox-restore>")
        has(done[moved[-1] + 1], f"<{site.top}>)")
        site.do("box", "add", "ann@example.com", "--no-password")
        for call, path in (("fdatasync", "store.popbox-restore/data.mdb"),
                           ("fsync", "store.popbox-restore")):
            got, lines = trace(
                site, ("restore", backup, "--yes"), "-P",
                f"{site.top}/{path}", "-e",
                f"inject={call}:error=EIO:when=" + str(
                    2 if call == "fdatasync" else 1))
            assert any("INJECTED" in line for line in lines), call
            eq(got.rc, 111, got)
            site.do("box", "show", "ann@example.com")
            site.sound()


@test("an import's files of passwords and of bad rows are on the disk, and their "
      "names, before it is told; where they cannot be synced nothing is stored",
      plain=True)
def import_files():
    def words(site):
        with open(site.top + "/new.csv", "w") as file:
            file.write("address,password,handle\nann@example.com,,\n"
                       "bob@example.com,,no-handle-of-it!\n")
        os.makedirs(site.top + "/a"), os.makedirs(site.top + "/b")
        return ("import", site.top + "/new.csv", "--generate", "--credentials",
                site.top + "/a/new", "--skip-bad", site.top + "/b/bad")
    names = ("a/new", "a", "b/bad", "b")
    with Site().joe() as site:
        got, lines = trace(site, words(site), "-e", "trace=fsync")
        eq(got.rc, 1, got)
        eq([p for p in (paths_of(line)[0].replace(site.top + "/", "")
                        for line in lines if "sync(" in line) if p in names],
           [*names])
    for name in names:
        with Site().joe() as site:
            before = site.popbox("--json", "box", "list").out
            got, _ = trace(site, words(site), "-P", f"{site.top}/{name}", "-e",
                           "inject=fsync:error=EIO")
            eq(got.rc, 111, (name, got))
            eq(site.popbox("--json", "box", "list").out, before)
            eq(os.listdir(site.top + "/a") + os.listdir(site.top + "/b"), [])


def synced_by(words, setup):
    """What a command syncs: (its name below the site, the how many-th time)."""
    with Site().joe() as site:
        for line in setup:
            site.do(*line)
        got, lines = trace(site, words, "-e", "trace=fsync,syncfs,fdatasync")
        eq(got.rc, 0, got)
        names = [paths_of(line)[0].replace(site.top + "/", "")
                 for line in lines if "sync(" in line]
        return [(name, names[:at + 1].count(name))
                for at, name in enumerate(names) if "cdb.tmp" not in name]


GONE = ("domain", "del", "new.org", "--yes")
CHANGES = (
    (NEW, ()), (DIALUP, ()), (GONE, (NEW,)),
    ((*NEW, "--kind", "relay", "--host", "a.org"), ()),
    (("purge", "new.org", "--now", "--yes"), (NEW, GONE)),
    (("domain", "rename", "example.com", "new.org"), ()),
    (("box", "add", "ann@example.com", "--no-password"), ()),
    (("address", "set", "joe@example.com", "a@b.org"), ()),
    (("sync", "--full"), (DIALUP,)),
)


@test("whatever a change cannot sync, it says, with 111, and sync finishes it",
      plain=True)
def sync_fails():
    for words, setup in CHANGES:
        tried = synced_by(words, setup)
        assert ("store/data.mdb", 1) in tried or words[0] == "sync", words
        for name, number in tried:
            with Site().joe() as site:
                for line in setup:
                    site.do(*line)
                got, lines = trace(
                    site, words, "-P", os.path.join(site.top, name), "-e",
                    f"inject=fsync,fdatasync,syncfs:error=EIO:when={number}")
                what = f"{' '.join(words)}: {name}, {number}: {got}"
                assert any("INJECTED" in line for line in lines), what
                eq(got.rc, 111, what)
                site.do("sync")
                eq(site.popbox("sync", "--dry-run").rc, 0)
                site.sound()



@test("what is written for Dovecot and Postfix is on the disk, with its name, and so is "
      "what a run before had named or removed", root=True, plain=True)
def others():
    with with_qmail() as site:
        for key in ("dovecot", "postfix"):
            os.mkdir(f"{site.top}/{key}", 0o755)
            site.do("config", "set", key + "_dir", f"{site.top}/{key}")
        site.do("config", "set", "dovecot_group", "daemon")
        site.do("sync", "--full")

        def done(*words, **kw):
            got, lines = trace(site, words, "-e", "trace=" + CALLS, **kw)
            eq(got.rc, 0, got)
            return " ".join(events(site, lines)) + " "
        said = done("passwd", "joe@example.com", "--stdin",
                    input="another words 77\n")
        has(said, "sync dovecot/.popbox-tmp name dovecot/example.com sync dovecot ")
        hasnt(said, "postfix")
        said = done("address", "add", "x@example.com", "joe@example.com")
        has(said, "sync postfix/recipients.cdb.popbox-tmp name "
            "postfix/recipients.cdb sync postfix ")
        hasnt(said, "name postfix/domains.cdb")
        eq(said.count("sync postfix "), 3)
        said = done("sync", "--full")
        hasnt(said, "name dovecot")
        has(said, "sync dovecot ")
        eq(said.count("sync postfix "), 3)
        site.do("domain", "add", "y.org", "--handle", "ex1")
        site.do("domain", "del", "y.org", "--yes", "--no-sync")
        os.unlink(site.top + "/dovecot/y.org")
        has(done("sync"), "sync dovecot ")


run()
