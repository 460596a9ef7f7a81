#!/usr/bin/env python3
"""popbox explain: the way of a message and a login, and its first broken link.

    EXPLAIN=5000 tests/cli/explain.t differ    that many generated set-ups
"""
import json
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import (GID, GOOD, QMAIL, SANITIZED, UID, Site, eq, has, hasnt, run,
                 test)

SETUPS = int(os.environ.get("EXPLAIN") or (20 if SANITIZED else 150))


def walk(site, address, rc=None):
    """The steps and the conclusion."""
    got = site.popbox("--json", "explain", address)
    lines = [json.loads(line) for line in got.out.splitlines()]
    if rc is not None:
        eq(got.rc, rc, (address, got))
    return {s["step"]: s for s in lines[:-1]}, lines[-1]


@test("a message and a login that work are walked from file to file")
def works():
    with Site().joe() as site:
        text = site.do("explain", "joe@example.com")
        for part in ("accepted   control/rcpthosts line 2: example.com",
                     "routed     control/virtualdomains line 1: "
                     "example.com:example.com",
                     "assigned   users/cdb: example.com-joe as user ex1",
                     "file       " + site.domain_path() + "/.qmail-joe",
                     "delivers   " + site.box_path() + "/",
                     "login      ex1-0001: with its password, last never",
                     "mail       delivered"):
            has(text, part)
        eq(site.login().rc, 0)
        has(site.do("explain", "Joe@x.example.com"), "mail       delivered")
        has(site.do("explain", "joe@example.com"), "from 192.0.2.7")
        steps, end = walk(site, "joe@example.com", 0)
        eq((end["verdict"], end["targets"], end["broken"]),
           ("delivered", [site.box_path() + "/"], None))
        site.do("box", "suspend", "ex1-0001")
        has(walk(site, "joe@example.com", 0)[0]["login"]["text"],
            "box-suspended")


@test("what we lack memory or descriptors to look at is no broken link",
      root=True, plain=True)
def unsure():
    with Site().joe() as site:
        for name in ("users/cdb", "users/assign", "control/rcpthosts",
                     "control/morercpthosts.cdb"):
            address = "joe@example.org" if "more" in name else \
                "joe@example.com"
            got = site.popbox("explain", address, prefix=(
                "strace", "-f", "-o", "/dev/null", "-e", "trace=openat",
                "-P", f"{site.qmail}/{name}", "-P", name,
                "-e", "inject=openat:error=EMFILE"))
            eq(got.rc, 111, (name, got))
            has(got.err, "cannot look any further: Too many open files")
            hasnt(got.out, "morercpthosts")
            hasnt(got.out, "BROKEN")


@test("the first broken link is named, whatever it is")
def broken():
    def unlink(path):
        return lambda site: os.unlink(path(site))

    def rcpt(site):
        site.write_control("rcpthosts", "localhost\n")

    def local(site):
        site.write_control("locals", "example.com\n")

    def virtual(site):
        site.write_control("virtualdomains", "example.com:alias-x\n")

    def assign(site):
        with open(site.qmail + "/users/assign", "w") as file:
            file.write("+example.com-:x:1:1:/x:-::\n.\n")

    def sticky(site):
        os.chmod(site.domain_path(), 0o1755)

    def open_(site):
        os.chmod(site.domain_path(), 0o777)

    def empty(site):
        open(site.domain_path() + "/.qmail-joe", "w").close()

    def crlf(site):
        with open(site.domain_path() + "/.qmail-joe", "w",
                  newline="") as file:
            file.write(site.box_path() + "/\r\n")

    def maildir(site):
        os.rmdir(site.box_path() + "/tmp")

    def pipe(site):
        os.unlink(site.qmail + "/control/locals")
        os.mkfifo(site.qmail + "/control/locals")

    def unread(site):
        os.unlink(site.qmail + "/users/assign")
        os.mkfifo(site.qmail + "/users/assign")

    for change, part, verdict in (
            (unread, "users/assign cannot be read: Invalid argument",
             "delivered"),
            (rcpt, "neither in control/rcpthosts", "refused"),
            (unlink(lambda s: s.qmail + "/control/rcpthosts"),
             "takes mail for every domain", "delivered"),
            (local, "control/locals line 1", "local"),
            (virtual, "no entry for 'alias-x-joe'", "bounced"),
            (assign, "users/assign line 1 says something else", "delivered"),
            (unlink(lambda s: s.qmail + "/users/cdb"),
             "something else than users/cdb", "bounced"),
            (sticky, "sticky bit", "deferred"),
            (open_, "writable by everybody", "deferred"),
            (unlink(lambda s: s.domain_path() + "/.qmail-joe"),
             "no .qmail file fits", "bounced"),
            (empty, "is empty", "delivered"), (crlf, "carriage return",
                                               "delivered"),
            (maildir, "/tmp: No such file", "deferred"),
            (pipe, "control/locals: Invalid argument: the mail waits",
             "deferred"),
            (lambda s: s.do("box", "set", "ex1-0001", "--delivery", "hold"),
             "delivery is on hold", "deferred"),
            (lambda s: s.do("box", "set", "ex1-0001", "--delivery", "off"),
             "delivery is off", "bounced")):
        with Site().joe() as site:
            change(site)
            end = walk(site, "joe@example.com", 1)[1]
            has(end["broken"], part)
            eq(end["verdict"], verdict, part)
            has(site.popbox("explain", "joe@example.com").err,
                "first broken link: ")


@test("relays, backups, dial-up hosts, forwards, strangers")
def others():
    with Site(rcpthosts_max="0").joe() as site:
        add = ("domain", "add")
        site.do(*add, "r.org", "--kind", "relay", "--host", "m.org:26",
                "--handle", "ex1")
        site.do(*add, "b.org", "--kind", "backup", "--handle", "ex1")
        site.do(*add, "h.org", "--kind", "dialup", "--handle", "ex1")
        site.do("address", "add", "f@example.com", "ex1-0001",
                "Bob@else.where")
        eq(walk(site, "a@r.org", 0)[1]["targets"], ["m.org:26"])
        eq(walk(site, "a@x.b.org", 0)[1]["targets"], ["mx"])
        eq(walk(site, "Any@h.org", 0)[1]["targets"],
           [site.serial + "/h.org/Maildir/"])
        eq(walk(site, "f@example.com", 0)[1]["targets"],
           [site.box_path() + "/", "Bob@else.where"])
        has(walk(site, "a@r.org", 0)[0]["accepted"]["text"],
            "morercpthosts.cdb: r.org")
        eq(walk(site, "who@nowhere.org", 1)[1]["verdict"], "refused")
        site.fails(100, "address 'x'", "explain", "x")


LOCALS = ("joe", "JOE", "j.d", "joe-ext", "a-b-c", "nobody", "Bob")
DOMAINS = ("example.com", "sub.example.com", "other.org", "EXAMPLE.com",
           "deep.sub.example.com")
KEYS = ("example.com", ".example.com", "sub.example.com", "Example.COM",
        ".com", "other.org", ".org", "x.org", "joe@example.com",
        "Bob@other.org", "")
IDS = ("example.com", "other", "example.com-joe", "user", "", "a")
PREFIXES = ("+example.com-", "+example.com-joe-", "=example.com-joe", "+",
            "+other-", "=user-bob", "+a", "+user-", "+EXAMPLE.com-j")
FILES = ("joe", "default", "joe-default", "j:d", "bob", "ext", "a-b-default",
         "a-default", "Bob", "j.d", "joe-ext", "d", "b-c")


def lines(dice, make, most=6):
    """A control file with the noise that people put into them."""
    out = ""
    for _ in range(dice.randrange(most)):
        out += dice.choice(("", "", "", "", "#", "# c\n", "\n", " ")) + \
            make() + dice.choice(("", "", "", " ", "\t", "\r")) + "\n"
    return out if dice.random() < 0.9 else out.rstrip("\n")


def setup(site, dice):
    control = site.qmail + "/control/"
    for name in ("rcpthosts", "locals", "virtualdomains", "smtproutes"):
        if os.path.exists(control + name):
            os.unlink(control + name)
    site.write_control("rcpthosts", lines(
        dice, lambda: dice.choice([k for k in KEYS if "@" not in k])) +
        dice.choice(("", ".com\n.org\n", ".com\n.org\n")))
    if dice.random() < 0.3:
        site.write_control("locals", lines(
            dice, lambda: dice.choice(KEYS[:7]), 3))
    if dice.random() < 0.95:
        site.write_control("virtualdomains", lines(
            dice, lambda: dice.choice(KEYS) + dice.choice(
                (":", ":", ":", ":", " :", "")) + dice.choice(IDS), 9))
    if dice.random() < 0.5:
        site.write_control("smtproutes", lines(
            dice, lambda: dice.choice(KEYS) + ":" + dice.choice(
                ("", "m.org", "[192.0.2.1]:26"))))
    homes = [site.home + "/w1", site.home + "/w2", site.home + "/gone"]
    with open(site.qmail + "/users/assign", "w") as file:
        for _ in range(dice.randrange(7)):
            file.write(dice.choice(PREFIXES) + f":u:{UID}:{GID}:" +
                       dice.choice(homes) + ":" + dice.choice(
                           ("-", "-", "-", "")) + ":" +
                       dice.choice(("", "", "joe", "a-")) + ":\n")
        file.write(".\n")
    subprocess.run([site.tools + "/qmail-newu"], check=True)
    for home in homes[:2]:
        shutil.rmtree(home, ignore_errors=True)
        os.mkdir(home)
        for name in dice.sample(FILES, dice.randrange(len(FILES))):
            path = f"{home}/.qmail-{name}"
            with open(path, "w", newline="") as file:
                file.write(content(site, dice))
            os.chmod(path, dice.choice((0o644, 0o644, 0o644, 0o744, 0o666)))
            os.chown(path, UID, GID)
        os.chmod(home, dice.choice((0o755, 0o755, 0o755, 0o755, 0o1755,
                                    0o777)))
        os.chown(home, UID, GID)


def content(site, dice):
    good, torn = site.box_path() + "/", site.home + "/torn/"
    return "".join(dice.choice(
        (good + "\n", good + "\n", "&a@b.org\n", "c@d.org\n", "# c\n", "\n",
         torn + "\n", "./Mailbox\n", good + "\r\n", "|program x\n",
         f"|{site.qmail}/bin/bouncesaying 'no'\n", good + " \n",
         "+list\n", "./none/\n")) for _ in range(dice.randrange(4)))


def stand_in(site, address):
    """(verdict, targets) of tests/qmail/deliver -n."""
    done = subprocess.run([site.tools + "/deliver", "-n", "s@x.org", address],
                          capture_output=True)
    out = done.stdout.decode()
    targets = [line.split(" ", 1)[1] for line in out.split("\n")
               if line.startswith(("target ", "remote "))]
    if done.returncode == 0:
        return ("remote" if out.startswith("remote ") else
                "delivered"), targets
    return {99: ("remote", ["mx"]), 98: ("local", None),
            111: ("deferred", None)}.get(
                done.returncode,
                ("refused" if b"553" in done.stderr else "bounced", None))


@test("explain says of generated set-ups what qmail's programs do: no differ")
def differ():
    dice = random.Random(int(os.environ.get("SEED", "1")))
    seen = {}
    with Site().joe() as site:
        os.makedirs(site.home + "/torn/new")
        for number in range(SETUPS):
            setup(site, dice)
            for _ in range(4):
                address = dice.choice(LOCALS) + "@" + dice.choice(DOMAINS)
                verdict, targets = stand_in(site, address)
                end = walk(site, address)[1]
                eq(end["verdict"], verdict, (number, address, end))
                if targets is not None:
                    eq(end["targets"], [t.replace("\r", "?")
                                        for t in targets],
                       (number, address, end))
                seen[verdict] = seen.get(verdict, 0) + 1
    print("# " + ", ".join(f"{n} {v}" for v, n in sorted(seen.items())))
    if SETUPS < 100:
        return
    eq(set(seen), {"delivered", "remote", "local", "deferred", "bounced",
                   "refused"})


run()
