#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recipients at SMTP time: popbox-rcptcheck asks `popbox-rcptcheck --serve`, which
says of an address what delivery then does.

    RCPTCHECK=500 tests/login/rcptcheck.t set-ups    that many generated set-ups
"""
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(
    __file__))), *part) for part in ((), ("deep",))]
from genuine_setups import FILES, by_popbox, chance
from tap import (BUILD, GID, GOOD, ROOT, SANITIZED, UID, Result, Site, as_third, eq,
                 has, run, skip, test)

RCPTCHECK = BUILD + "/popbox-rcptcheck"
NOBODY = 65534
SETUPS = int(os.environ.get("RCPTCHECK") or (2 if SANITIZED else 8))
# What explain says of mail, and what the service may say of its address then.
SAME = {"delivered": {"there"}, "remote": {"there"}, "local": {"there"},
        "bounced": {"none"}, "refused": {"none"}, "deferred": {"there", "later"}}


def answer(site, address, **more):
    """What the service says of an address, and on stderr."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [RCPTCHECK, "-d", site.store, "--serve"], stdin=theirs, stdout=theirs,
            stderr=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}, **more)
        theirs.close()
        with contextlib.suppress(BrokenPipeError):  # it may be gone
            ours.sendall(address.encode())
        ours.shutdown(socket.SHUT_WR)
        said = ""
        with contextlib.suppress(ConnectionResetError):
            said = ours.makefile().read()
        error = process.stderr.read().decode()
        process.stderr.close()
        code = process.wait()
    eq(code, 0 if said in ("there\n", "none\n", "foreign\n") else code or -1,
       (address, said, error))
    return said.strip(), error


def says(site, address, want):
    eq(answer(site, address), (want, ""), address)


class Shop(Site):
    """joe, and a service that answers at a socket."""

    def __init__(self):
        if not shutil.which("s6-ipcserver"):
            skip("s6-ipcserver is not installed")
        super().__init__()
        self.joe()
        self.path, self.log = self.top + "/rcpt", self.top + "/log"
        with open(self.log, "wb") as log:
            self.server = self.start("s6-ipcserver", "-a", "0666", self.path,
                                     RCPTCHECK, "-d", self.store, "--serve",
                                     stderr=log)
        for _ in range(400):
            if os.path.exists(self.path):
                break
            time.sleep(0.05)

    def logged(self):
        with open(self.log) as file:
            return [line for line in file.read().splitlines()
                    if line.startswith("popbox-rcptcheck:")]


def call(*words, user=NOBODY, **env):
    """popbox-rcptcheck as another user, descriptor 3 as it is here."""
    return Result(subprocess.run(
        [RCPTCHECK, *words], user=user if ROOT else None, capture_output=True,
        close_fds=False, env=env))


def module(path, raw, **more):
    """As s/qmail runs it for a line of control/recipients."""
    reader, writer = os.pipe()
    os.write(writer, raw)
    os.close(writer)
    with as_third(reader):
        os.close(reader)
        return call(path, **more)


@test("a module for s/qmail's recipients: 0 there, 1 not there or not popbox's, 111 "
      "unknown; the address is on descriptor 3, as qmaild has it", root=True)
def sqmail():
    with Shop() as site:
        for address, code in (("joe@example.com", 0), ("JOE@Example.COM", 0),
                              ("ann@example.com", 1), ("joe@else.example", 1),
                              ("joe", 1), ("@example.com", 1)):
            got = module(site.path, address.encode() + b"\0\0\0")
            eq((got.rc, got.out, got.err), (code, "", ""), address)
            eq(module(site.path, address.encode()).rc, code, address)
        eq(module(site.path, b"").rc, 2)
        eq(module(site.path, b"x" * 1000).rc, 111)
        eq(module(site.path, b"x" * 999).rc, 1)
        eq(site.logged(), [])


@test("a program for RCPTCHECK: 0, 100 and 111, no argument, the address in the "
      "environment; what is not popbox's is left to rcpthosts", root=True)
def rcptcheck():
    with Shop() as site:
        ask = {"POPBOX_RCPTCHECK": site.path, "SENDER": ""}
        for address, code in (("joe@example.com", 0), ("ann@example.com", 100),
                              ("joe@else.example", 0), ("joe", 0)):
            got = call(**ask, RECIPIENT=address)
            eq((got.rc, got.out, got.err), (code, "", ""), address)
        eq(call(**ask, RECIPIENT="").rc, 111)
        eq(call(**ask, RECIPIENT="x" * 1000).rc, 111)
        # Any other code of such a program is taken for 0.
        os.unlink(site.path)
        got = call(**ask, RECIPIENT="joe@example.com")
        eq(got.rc, 111)
        has(got.err, f"popbox-rcptcheck: {site.path}: No such file or directory")


@test("no service, no store, a store that is damaged: nobody is refused", root=True)
def away():
    with Shop() as site:
        data = site.store + "/data.mdb"
        os.rename(data, data + ".away")
        got = module(site.path, b"ann@example.com")
        eq((got.rc, got.out), (111, ""))
        has(got.err, "the service: it cannot tell; its log says why")
        eq(site.logged(), ["popbox-rcptcheck: store: not found"])
        os.rename(data + ".away", data)
        eq(module(site.path, b"ann@example.com").rc, 1)
        os.chmod(site.path, 0o600)
        got = module(site.path, b"ann@example.com")
        eq(got.rc, 111)
        has(got.err, "Permission denied")
        with open(data, "r+b") as file:
            file.truncate(8192)
        eq(answer(site, "ann@example.com")[0] in ("", "later"), True)
        os.chmod(site.store + "/config", 0o000)
        with open(site.store + "/config", "a") as file:
            file.write("what = ever\n")
        has(answer(site, "ann@example.com")[1], "popbox-rcptcheck: config: ")
        for words in (("-x",), ("a", "b"), ("-d", site.store), ("--serve", "x")):
            got = call(*words)
            eq((got.rc, got.out), (2, ""), words)
            has(got.err, "usage: popbox-rcptcheck [SOCKET]")
        has(call("--version").out, "popbox-rcptcheck ")


@test("the service is popusr before it reads an address", root=True, plain=True)
def dropped():
    with Site().joe() as site:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            service = site.start(RCPTCHECK, "-d", site.store, "--serve",
                                 stdin=theirs, stdout=theirs)
            theirs.close()
            for _ in range(400):
                with open(f"/proc/{service.pid}/status") as file:
                    status = file.read()
                if f"Uid:\t{UID}\t{UID}\t{UID}\t{UID}" in status:
                    break
                time.sleep(0.02)
            has(status, f"Uid:\t{UID}\t{UID}\t{UID}\t{UID}")
            has(status, f"Gid:\t{GID}\t{GID}\t{GID}\t{GID}")
            ours.sendall(b"joe@example.com")
            ours.shutdown(socket.SHUT_WR)
            eq(ours.makefile().read(), "there\n")


@test("catch-alls, aliases, hosts below a domain, extensions, forwards, switches and "
      "deletions are judged as delivery does")
def kinds():
    with Site().joe() as site:
        do = site.do
        do("domain", "add", "other.org", "--handle", "ex2")
        do("domain", "add", "alias.example", "--alias-of", "example.com")
        do("domain", "add", "relay.example", "--kind", "relay", "--host", "m.org",
           "--handle", "ex1")
        do("domain", "add", "dial.example", "--kind", "dialup", "--handle", "ex1")
        says(site, "joe@alias.example", "there")
        says(site, "ann@alias.example", "none")
        says(site, "joe@host.example.com", "there")
        says(site, "ann@host.example.com", "none")
        do("domain", "set", "example.com", "--no-subdomains")
        says(site, "joe@host.example.com", "foreign")
        for address in ("who@relay.example", "who@dial.example"):
            says(site, address, "there")
        do("domain", "set", "dial.example", "--delivery", "off")
        says(site, "who@dial.example", "none")
        says(site, "joe+tag@example.com", "none")
        do("domain", "set", "example.com", "--extension", "+")
        says(site, "joe+tag@example.com", "there")
        says(site, "joe+tag@alias.example", "there")
        says(site, "ann+tag@example.com", "none")
        says(site, "ann@example.com", "none")
        do("address", "add", "*@example.com", "joe@example.com")
        says(site, "ann@example.com", "there")
        says(site, "joe+tag@example.com", "there")
        # Forwards inside the site are followed, also in a circle.
        do("address", "add", "f@other.org", "gone@other.org", "--force")
        says(site, "f@other.org", "none")
        do("address", "add", "g@other.org", "gone@other.org", "x@far.example",
           "--force")
        says(site, "g@other.org", "there")
        do("address", "add", "a@other.org", "b@other.org", "--force")
        with open(site.domain_path("other.org", "ex2") + "/.qmail-b", "w") as file:
            file.write("&a@other.org\n")
        says(site, "a@other.org", "none")
        do("address", "add", "c@other.org", "joe@alias.example")
        says(site, "c@other.org", "there")
        # No mail comes back by a switch of the login or a hold.
        do("box", "suspend", "joe@example.com")
        says(site, "joe@example.com", "there")
        do("box", "set", "joe@example.com", "--delivery", "hold")
        says(site, "joe@example.com", "there")
        do("box", "set", "joe@example.com", "--delivery", "off")
        says(site, "joe@example.com", "none")
        says(site, "c@other.org", "none")
        do("box", "set", "joe@example.com", "--delivery", "on")
        do("address", "suspend", "c@other.org")
        says(site, "c@other.org", "none")
        do("address", "resume", "c@other.org")
        says(site, "c@other.org", "there")
        do("address", "del", "*@example.com", "--yes")
        do("domain", "del", "other.org", "--yes")
        says(site, "c@other.org", "none")
        says(site, "x@else.example", "foreign")


@test("unmanaged .qmail files count as qmail-local finds them")
def unmanaged():
    with Site().joe() as site:
        home = site.domain_path()

        def put(name, text, mode=0o644):
            with open(f"{home}/.qmail-{name}", "w") as file:
                file.write(text)
            os.chown(file.name, UID, GID)
            os.chmod(file.name, mode)
        put("list", "|/usr/bin/ezmlm list\n")
        put("list-default", "|/usr/bin/ezmlm list\n")
        put("j:d", "&x@far.example\n")
        put("no", f"|{site.qmail}/bin/bouncesaying 'no'\n")
        put("held", "\n&x@far.example\n")
        put("open", "&x@far.example\n", 0o666)
        put("x", "|/bin/true\n", 0o744)
        put("empty", "")
        put("comment", "# nothing\n")
        os.mkdir(home + "/.qmail-dir")
        os.symlink("/nowhere", home + "/.qmail-link")
        for local, want in (("list", "there"), ("list-a-b", "there"),
                            ("LIST-a@b", "there"), ("list-", "there"),
                            ("lists", "none"), ("j.d", "there"), ("J:D", "there"),
                            ("no", "none"), ("held", "there"), ("empty", "there"),
                            ("comment", "there"), ("dir", "none"), ("link", "none"),
                            ("dir/../list", "none"), ("x" * 300, "none"),
                            ("\xe4", "none")):
            says(site, local + "@example.com", want)
        for local, why in (("open", "it is writable by everybody"),
                           ("x", "it may only forward, and has other lines")):
            said, error = answer(site, local + "@example.com")
            eq((said, error), ("later",
                               f"popbox-rcptcheck: a .qmail file: {why}\n"))
        os.chmod(home, 0o1755)
        eq(answer(site, "joe@example.com")[0], "later")
        os.rename(home, home + ".away")
        said, error = answer(site, "joe@example.com")
        eq((said, error), ("later", "popbox-rcptcheck: a domain's directory: "
                           "No such file or directory\n"))


@test("a chain and a fan of forwards without an end are judged in no time")
def bounded():
    with Site().joe() as site:
        for n in range(60):
            with open(f"{site.domain_path()}/.qmail-c{n}", "w") as file:
                file.write(f"&c{n + 1}@example.com\n")
            with open(f"{site.domain_path()}/.qmail-f{n}", "w") as file:
                file.write("".join(f"&f{m}@example.com\n" for m in range(60)))
        says(site, "c59@example.com", "none")
        says(site, "c45@example.com", "none")
        says(site, "c0@example.com", "there")  # beyond what is followed
        answer(site, "f0@example.com")


def delivered(site, address):
    """Whether qmail's programs deliver a message there: True, False, or None where
    they hand it on, or it waits."""
    done = subprocess.run([site.tools + "/deliver", "-n", "s@x.org", address],
                          capture_output=True, text=True)
    targets = [line.split(" ", 1)[1] for line in done.stdout.splitlines()
               if line.startswith("target ")]
    if done.returncode in (99, 111) or done.stdout.startswith("remote "):
        return None
    if done.returncode == 0:
        return True if [t for t in targets if t[0] in "/|." or t == "default"] \
            else None
    return False


def explained(site, address):
    got = site.popbox("--json", "explain", address)
    assert got.out, (address, got)
    return json.loads(got.out.splitlines()[-1])


@test("what the service says of generated set-ups is what becomes of mail there",
      root=True)
def setups():
    dice = random.Random(int(os.environ.get("SEED", "1")))
    tried = {}
    for _ in range(SETUPS):
        with Site() as site:
            by_popbox(site, dice)
            domains = [site.home + f"/e/ex{n}/DOMAINS/{name}" for n, name in
                       ((1, "example.com"), (2, "other.org"))]
            for home in domains:
                for name in dice.sample(FILES, dice.randrange(12)):
                    strange(site, dice, f"{home}/.qmail-{name}")
            for address in addresses(dice):
                end = explained(site, address)
                said = answer(site, address)[0]
                allowed = SAME[end["verdict"]]
                if said == "foreign":
                    assert address.endswith("foreign.example"), address
                    continue
                assert said in allowed, (address, said, end, domains)
                does = delivered(site, address)
                assert does is None or (said == "there") == does, (address, said)
                tried[said, end["verdict"]] = tried.get(
                    (said, end["verdict"]), 0) + 1
    print("# " + ", ".join(f"{n} {v}/{s}" for (s, v), n in sorted(tried.items())))
    if SETUPS > 5:
        eq({s for s, _ in tried}, {"there", "none", "later"})


def strange(site, dice, path):
    """A file as people have them, where popbox has none."""
    if os.path.lexists(path):
        return
    rows = (site.box_path() + "/",) * 3 + (
        "&a@far.example", "&joe@example.com", "bob@other.org",
        "&nobody@example.com", "&sales@alias.example", "# c", "", "+list",
        "|/bin/true", f"|{site.qmail}/bin/bouncesaying 'no'", "./Mailbox")
    with open(path, "w") as file:
        for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
            file.write(dice.choice(rows) + dice.choice(("",) * 9 + (" ", "\t")) +
                       "\n")
    os.chown(path, UID, GID)
    os.chmod(path, dice.choice((0o644,) * 9 + (0o744, 0o666, 0o000)))


def addresses(dice):
    local = ("joe", "JOE", "bob", "ann", "sales", "list", "j.d", "off", "hold",
             "joe-ext", "joe-ext-more", "joe+tag", "JOE+a.b", "+x", "a-b-c",
             "a-x", "x-y-z", "nobody", "default", "postmaster", "room", "j+e",
             "x-", "sales+a-b", "list-x")
    domain = ("example.com", "other.org", "alias.example", "relay.example",
              "backup.example", "dial.example", "EXAMPLE.com",
              "mail.foreign.example", "x.relay.example")
    for _ in range(40):
        name = dice.choice(domain[:2] if chance(dice, 70) else domain)
        yield dice.choice(local) + "@" + name


run()
