#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The settings validrcptto, sqmail_recipients and postfix_dir: which recipients there
are, as files that qmail-smtpd with a patch, s/qmail's and Debian's Postfix read.

    SQMAIL=/tmp/sqmail/bin tests/cli/maps.t s/qmail

asks s/qmail's own qmail-smtpd, built for /var/qmail.
"""
import ctypes
import glob
import os
import random
import re
import shutil
import smtplib
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(
    __file__))), *part) for part in ((), ("deep",), ("login",))]
from dovecot import free_port
from genuine_setups import by_popbox
from tap import (BUILD, GID, POPBOX, ROOT, SMALL, TREE, UID, Site, eq, has,
                 hasnt, run, skip, test)

SQMAIL = os.environ.get("SQMAIL")
SETUPS = int(os.environ.get("MAPS", "4"))


class Mapped(Site):
    """joe, and both settings."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.dir = self.top + "/postfix"
        os.mkdir(self.dir, 0o755)
        self.joe()
        self.on()

    def on(self):
        self.do("config", "set", "validrcptto", "yes")
        self.do("config", "set", "sqmail_recipients", "yes")
        self.do("config", "set", "postfix_dir", self.dir)
        self.do("sync", "--full")

    def map(self, name):
        """{key: value}."""
        return content(f"{self.dir}/{name}.cdb")

    def valid(self):
        return set(content(self.qmail + "/control/validrcptto.cdb")) - {
            "@localhost"}  # of a stand-in's rcpthosts

    def listed(self):
        """The lines of control/recipients."""
        with open(self.qmail + "/control/recipients") as file:
            return file.read().splitlines()

    def full(self):
        """A look at everything finds nothing to do."""
        before = [self.map(m) for m in ("domains", "recipients", "forwards")], \
            self.valid(), self.listed()
        hasnt(self.popbox("check").out, "(maps")
        self.do("sync", "--full")
        eq(([self.map(m) for m in ("domains", "recipients", "forwards")],
            self.valid(), self.listed()), before)


def content(path):
    """A cdb as tinycdb reads it."""
    if not shutil.which("cdb"):
        skip("no cdb of tinycdb")
    out = subprocess.run(["cdb", "-d", path], check=True,
                         capture_output=True).stdout
    found = {}
    while out.startswith(b"+"):
        sizes, _, rest = out[1:].partition(b":")
        key, value = map(int, sizes.split(b","))
        found[rest[:key].decode()] = rest[key + 2:key + 2 + value].decode()
        out = rest[key + value + 3:]
    return found


def sqmail_takes(site, address):
    """What s/qmail's README.recipients says of the lines of control/recipients and the
    files that they name."""
    address = address.lower()
    local, domain = address.split("@")
    keys = [":" + address]
    if "-" in local:
        keys.append(f":{local.split('-')[0]}-@{domain}")
    with open(site.qmail + "/control/recipients") as file:
        lines = [line.strip() for line in file]
    for line in lines:
        about, colon, path = line.partition(":")
        if line in ("!*", "!" + domain):
            return True
        if not line or line.startswith(("#", "!")) or "|" in line:
            continue
        if not colon:
            path = line
        elif about not in ("*", "@" + domain) and (
                about.startswith("@") or not ("." + domain).endswith("." + about)):
            continue
        found = content(f"{site.qmail}/{path}")
        if any(key in found for key in keys):
            return True
        if colon and about != "*":
            return False  # no "!*" is asked for it
    return False


def said(site, address):
    """Has popbox-rcptcheck such a recipient?"""
    return subprocess.run([BUILD + "/popbox-rcptcheck", "-d", site.store, "--serve"],
                          input=address.encode(), capture_output=True,
                          check=True).stdout == b"there\n"


@test("each change brings the maps along: addresses, catch-alls, aliases, forwards, "
      "switches, kinds, unmanaged files, deletions", root=True)
def changes():
    with Mapped() as site:
        do = site.do
        both = {"joe@example.com", "postmaster@example.com"}
        eq(site.map("domains"), {"example.com": "pop"})
        eq(set(site.map("recipients")), both)
        eq(site.valid(), both)
        eq(site.map("forwards"), {})
        do("domain", "add", "alias.example", "--alias-of", "example.com")
        has(site.map("recipients"), "joe@alias.example")
        do("address", "add", "f@example.com", "out@far.example", "two@far.example")
        eq(site.map("forwards"), {
            "f@example.com": "out@far.example, two@far.example",
            "f@alias.example": "out@far.example, two@far.example"})
        do("address", "add", "b@example.com", "ex1-0001", "out@far.example")
        eq(site.map("forwards")["b@example.com"], "b@example.com, out@far.example")
        site.full()
        # A catch-all, and what is in its way.
        do("address", "add", "*@example.com", "ex1-0001")
        has(site.valid(), "@example.com")
        has(site.map("recipients"), "@alias.example")
        eq(site.map("forwards")["@example.com"], "b@example.com")
        eq(site.map("forwards")["joe@example.com"], "joe@example.com")
        do("address", "del", "*@example.com", "--yes")
        do("purge", "--now", "*@example.com", "--yes")
        hasnt(site.valid(), "@example.com")
        hasnt(site.map("forwards"), "@example.com")
        do("box", "set", "joe@example.com", "--delivery", "off")
        hasnt(site.valid(), "joe@example.com")
        eq(site.map("forwards")["b@example.com"], "out@far.example")
        do("box", "set", "joe@example.com", "--delivery", "hold")
        has(site.valid(), "joe@example.com")
        do("box", "set", "joe@example.com", "--delivery", "on")
        do("handle", "set", "ex1", "--delivery", "off")
        eq(site.valid(), set())
        do("handle", "set", "ex1", "--delivery", "on")
        site.full()
        do("domain", "add", "relay.example", "--kind", "relay", "--host", "m.org",
           "--handle", "ex2")
        do("domain", "add", "dial.example", "--kind", "dialup", "--handle", "ex2")
        eq({k: v for k, v in site.map("domains").items() if k[0] in "rd"},
           {"relay.example": "relay", "dial.example": "dialup"})
        assert {"@relay.example", "@dial.example"} <= site.valid()
        do("domain", "set", "dial.example", "--delivery", "off")
        hasnt(site.valid(), "@dial.example")
        do("domain", "set", "example.com", "--extension", "+")
        has(site.valid(), "@example.com")
        do("domain", "set", "example.com", "--extension", "none")
        hasnt(site.valid(), "@example.com")
        # A deleted address takes no mail; that of a deleted box does until its purge.
        do("address", "del", "f@example.com", "--yes")
        hasnt(site.valid(), "f@example.com")
        hasnt(site.map("forwards"), "f@example.com")
        do("box", "add", "ann@example.com", "--no-password")
        do("box", "del", "ann@example.com", "--yes")
        eq("ann@example.com" in site.valid(), said(site, "ann@example.com"))
        do("purge", "--now", "ann@example.com", "--yes")
        hasnt(site.valid(), "ann@example.com")
        do("domain", "del", "alias.example", "--yes")
        hasnt(site.map("domains"), "alias.example")
        hasnt(site.map("recipients"), "joe@alias.example")
        site.full()


@test("unmanaged .qmail files and domains that others put into rcpthosts are there "
      "after a look at everything", root=True)
def unmanaged():
    with Mapped() as site:
        def put(name):
            path = f"{site.domain_path()}/.qmail-{name}"
            with open(path, "w") as file:
                file.write("&x@far.example\n")
            os.chown(path, UID, GID)
        put("list")
        put("j:d")
        put("joe.by-hand")
        with open(site.qmail + "/control/rcpthosts", "a") as file:
            file.write("local.example\n.example.net\n# x\n")
        has(site.popbox("check").out, "the key 'list@example.com' is missing")
        site.do("sync", "--full")
        assert {"list@example.com", "j.d@example.com", "@local.example"} <= \
            site.valid()
        hasnt(site.map("recipients"), "@local.example")
        hasnt("".join(site.valid()), "by-hand")
        site.full()
        put("list-default")
        site.do("address", "add", "x@example.com", "joe@example.com")
        assert {"@example.com", "@local.example"} <= site.valid()


@test("check finds a map that is missing, damaged or changed, and --repair writes it",
      root=True)
def check():
    with Mapped() as site:
        path = site.qmail + "/control/validrcptto.cdb"
        before = site.valid()
        for spoil, part in (
                (lambda: os.unlink(path), path + " is missing or damaged"),
                (lambda: open(path, "w").write("x"), path + " is missing or damaged"),
                (lambda: subprocess.run(["cdb", "-c", path], check=True,
                                        input=b"+1,1:a->b\n\n"),
                 path + ": the key 'joe@example.com' is missing")):
            spoil()
            has(site.popbox("check").out, part)
            site.popbox("check", "--repair")
            eq(site.valid(), before)
            spoil()
            site.do("box", "add", f"n{len(before)}@example.com", "--no-password")
            before = site.valid()
            if "the key" not in part:
                assert len(before) > 2
        site.do("sync", "--full")
        hasnt(site.valid(), "a")
        site.full()


@test("a directory that is not there keeps the change pending; a dry run says what "
      "the maps would get", root=True)
def failing():
    with Mapped() as site:
        got = site.do("box", "add", "ann@example.com", "--no-password", "--dry-run")
        has(got, site.dir + "/recipients.cdb: + ann@example.com\n")
        has(got, "/control/validrcptto.cdb: + ann@example.com\n")
        hasnt(got, ": - ")
        site.do("address", "add", "f@example.com", "out@far.example")
        got = site.do("address", "set", "f@example.com", "two@far.example",
                      "--dry-run")
        has(got, site.dir + "/forwards.cdb: + f@example.com\n")
        hasnt(got, "recipients.cdb: ")
        got = site.do("domain", "del", "example.com", "--yes", "--dry-run")
        has(got, site.dir + "/domains.cdb: - example.com\n")
        has(got, site.dir + "/recipients.cdb: - joe@example.com\n")
        os.rename(site.dir, site.dir + ".away")
        got = site.popbox("box", "add", "ann@example.com", "--no-password")
        eq(got.rc, 111, got)
        has(got.err, f"cannot write '{site.dir}/domains.cdb': No such file")
        os.rename(site.dir + ".away", site.dir)
        site.do("sync")
        has(site.map("recipients"), "ann@example.com")
        # What nobody can list is taken whole, until it can be.
        site.do("sync", "--full")
        home = site.domain_path()
        os.rename(home, home + ".away")
        open(home, "w").close()
        got = site.popbox("box", "set", "ann@example.com", "--delivery", "off")
        eq(got.rc, 111)
        has(site.valid(), "@example.com")
        os.unlink(home)
        os.rename(home + ".away", home)
        site.do("sync", "--full")
        hasnt(site.valid(), "@example.com")
        site.do("box", "set", "ann@example.com", "--delivery", "on")
        # Of a password no map says anything, and none is written.
        was = os.stat(site.dir + "/recipients.cdb").st_ino
        site.do("passwd", "joe@example.com", "--stdin", input="another words 77\n")
        site.do("address", "set", "joe@example.com", "ex1-0001", "x@far.example")
        eq(os.stat(site.dir + "/recipients.cdb").st_ino, was)
        has(site.map("forwards"), "joe@example.com")


@test("an import makes the same maps in one part and in many", root=True)
def parts():
    found = []
    for program in (POPBOX, SMALL):
        with Mapped() as site:
            path = site.top + "/rows.csv"
            with open(path, "w") as file:
                file.write("address,hash,handle\n" + "".join(
                    f"u{n}@d{n % 3}.org,*,ex{n % 3 + 1}\n" for n in range(150)))
            site.do("import", path, program=program)
            eq(len(site.map("domains")), 4)
            assert len(site.valid()) > 152
            found.append(site.valid())
            site.full()
    eq(*found)


@test("a map refuses none that delivery takes, but for hosts below a domain", root=True)
def setups():
    dice = random.Random(int(os.environ.get("SEED", "2")))
    path = TREE + "/tests/login/rcptcheck.t"
    login = {"__name__": "rcptcheck", "__file__": path}
    with open(path) as file:
        exec(compile(file.read().rsplit("\nrun()", 1)[0], path, "exec"), login)
    for _ in range(SETUPS):
        with Site() as site:
            by_popbox(site, dice)
            for n, name in ((1, "example.com"), (2, "other.org")):
                for file in dice.sample(login["FILES"], dice.randrange(12)):
                    login["strange"](site, dice,
                                     f"{site.home}/e/ex{n}/DOMAINS/{name}/"
                                     f".qmail-{file}")
            site.dir = site.top + "/postfix"
            os.mkdir(site.dir, 0o755)
            Mapped.on(site)
            valid = Mapped.valid(site)
            for address in login["addresses"](dice):
                local, domain = address.lower().split("@")
                if login["answer"](site, address)[0] in ("there", "later"):
                    assert sqmail_takes(site, address), address
                whole = "@" + domain in valid
                taken = whole or f"{local}@{domain}" in valid
                said = login["answer"](site, address)[0]
                if said in ("there", "later") and domain != "x.relay.example":
                    assert taken, (address, said)


@test("s/qmail's lines: domains of which every address is taken, those with addresses, "
      "the rest; an administrator's lines stay before them", root=True)
def sqmail():
    with Mapped() as site:
        do, path = site.do, site.qmail + "/control/recipients"
        one = "@example.com:users/popbox-recipients.cdb"
        eq(site.listed(), ["!localhost", one, "!*"])
        eq(content(site.qmail + "/users/popbox-recipients.cdb"),
           {":joe@example.com": "", ":postmaster@example.com": ""})
        with open(path, "w") as file:
            file.write("# ours\nlocal.example|/bin/pam\n!mine.example\n!*\n\n")
        with open(site.qmail + "/control/rcpthosts", "a") as file:
            file.write("local.example\nother.example\n")
        do("sync", "--full")
        lines = ["# ours", "local.example|/bin/pam", "", "!localhost",
                 "!mine.example", "!other.example", one, "!*"]
        eq(site.listed(), lines)
        do("domain", "add", "relay.example", "--kind", "relay", "--host", "m.org",
           "--handle", "ex2")
        do("domain", "add", "alias.example", "--alias-of", "example.com")
        eq(site.listed(), lines[:6] + [
            "!relay.example", "@alias.example:users/popbox-recipients.cdb", one, "!*"])
        takes = lambda *addresses: [a for a in addresses if sqmail_takes(site, a)]
        some = ("joe@example.com", "JOE@Alias.Example", "who@relay.example",
                "x@a.example.com", "x@other.example", "ann@example.com",
                "ann@alias.example")
        eq(takes(*some), list(some[:5]))
        got = do("address", "add", "*@example.com", "ex1-0001", "--dry-run")
        has(got, path + ": + !example.com\n")
        has(got, path + ": - " + one + "\n")
        do("address", "add", "*@example.com", "ex1-0001")
        eq(takes(*some), list(some))
        do("address", "del", "*@example.com", "--yes")
        do("purge", "--now", "*@example.com", "--yes")
        eq(takes(*some), list(some[:5]))
        do("domain", "del", "relay.example", "--yes")
        do("domain", "del", "alias.example", "--yes")
        eq(site.listed(), lines)
        site.full()
        # A file that is missing, or a line that is.
        for spoil, part in ((lambda: os.unlink(path), "missing or damaged"),
                            (lambda: site.listed() and open(path, "w").close(),
                             f"{path}: the line '{one}' is missing")):
            spoil()
            has(site.popbox("check").out, part)
            site.popbox("check", "--repair")
            has(site.listed(), one)
            site.full()


@test("where a domain becomes one of which every address is taken, or no longer is, a "
      "kill at any rename leaves lines and a file that refuse nobody", root=True,
      plain=True)
def sqmail_order():
    whole = ("address", "add", "*@example.com", "ex1-0001")
    for command, before in (
            (("domain", "set", "example.com", "--kind", "relay", "--host", "m.org",
              "--keep-boxes", "--yes"), None),
            (whole, None), (("address", "del", "*@example.com", "--yes"), whole)):
        for at in range(1, 60):
            with Mapped() as site:
                if before:
                    site.do(*before)
                site.may_fault = True
                got = site.popbox(*command, prefix=(
                    "strace", "-f", "-qq", "-o", "/dev/null", "-e",
                    "trace=/rename.*", "-e",
                    f"inject=/rename.*:signal=KILL:when={at}"))
                assert sqmail_takes(site, "joe@example.com"), (command, at)
                site.do("sync")
                assert sqmail_takes(site, "joe@example.com"), (command, at)
                if got.rc == 0:
                    break
        assert 3 < at < 59, at


@test("s/qmail's own qmail-smtpd takes and refuses as the files say", root=True,
      plain=True)
def genuine_sqmail():
    if not SQMAIL:
        skip("SQMAIL names no directory with s/qmail's programs")
    with Mapped() as site:
        site.do("domain", "add", "alias.example", "--alias-of", "example.com")
        site.do("domain", "add", "all.example", "--handle", "ex1")
        site.do("address", "add", "*@all.example", "joe@example.com")
        site.do("address", "add", "list@example.com", "joe@example.com")
        with open(site.qmail + "/control/me", "w") as file:
            file.write("mx.site.example\n")
        os.makedirs("/var/qmail", exist_ok=True)
        for address, want in (
                ("joe@example.com", 250), ("JOE@Alias.Example", 250),
                ("who@all.example", 250), ("x@a.example.com", 250),
                ("list@example.com", 250), ("list-x@example.com", 550),
                ("ann@example.com", 550), ("ann@alias.example", 550),
                ("joe@else.example", 553)):
            out = subprocess.run(
                ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /var/qmail && '
                 'exec "$1"', site.qmail, SQMAIL + "/qmail-smtpd"],
                input=f"EHLO x.org\r\nMAIL FROM:<s@x.org>\r\nRCPT TO:<{address}>\r\n"
                "QUIT\r\n", capture_output=True, text=True,
                env={**os.environ, "TCPREMOTEIP": "192.0.2.7", "TCPLOCALIP":
                     "192.0.2.1", "TCPREMOTEHOST": "x.org", "TCPLOCALHOST": "mx",
                     "TCPLOCALPORT": "25"}).stdout
            codes = [line[:3] for line in out.splitlines() if line[3:4] == " "]
            eq(codes[3], str(want), (address, out))


MAIN = """
compatibility_level = 3.6
queue_directory = {top}/spool
data_directory = {top}/data
maillog_file_prefixes = {top}
maillog_file = {top}/maillog
myhostname = mx.site.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
relay_domains = cdb:{dir}/domains
relay_recipient_maps = cdb:{dir}/recipients
virtual_alias_maps = cdb:{dir}/forwards
relay_transport = smtp:[127.0.0.1]:{sink}
default_transport = smtp:[127.0.0.1]:{sink}
"""


def own_network():
    """This process and all that it starts have a loopback of their own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not ROOT or libc.unshare(0x40000000):
        skip("no network namespace here")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Postfix:
    """Debian's, with files of its own, until the block ends."""

    def __init__(self, site):
        if not os.path.exists("/usr/sbin/postfix") or \
                not glob.glob("/usr/lib/postfix/postfix-cdb.so*"):
            skip("no postfix with postfix-cdb")
        own_network()
        self.site, self.port, self.sink = site, free_port(), free_port()
        self.top = site.top + "/pf"
        self.conf = self.top + "/conf"
        for name in ("", "/conf", "/spool", "/data", "/sunk"):
            os.mkdir(self.top + name)
        shutil.chown(self.top + "/data", "postfix")
        os.chmod(self.top, 0o755)
        os.chmod(self.top + "/sunk", 0o777)
        with open(self.conf + "/main.cf", "w") as file:
            file.write(MAIN.format(top=self.top, dir=site.dir, sink=self.sink))
        with open("/etc/postfix/master.cf") as file:
            text = file.read()
        text = re.sub(r"^smtp +inet .*", f"127.0.0.1:{self.port} inet n - n - - smtpd",
                      text, count=1, flags=re.M)
        text = re.sub(r"^(\w+ +unix +\S+ +\S+ +)y", r"\1n", text, flags=re.M)
        with open(self.conf + "/master.cf", "w") as file:
            file.write(text)
        for name in ("dynamicmaps.cf", "dynamicmaps.cf.d", "postfix-files",
                     "postfix-files.d"):
            if os.path.exists("/etc/postfix/" + name):
                os.symlink("/etc/postfix/" + name, f"{self.conf}/{name}")
        self.sunk = site.start("/usr/sbin/smtp-sink", "-u", "nobody", "-d", self.top + "/sunk/%M.",
                               f"127.0.0.1:{self.sink}", "20")

    def run(self, *words):
        return subprocess.run([words[0], "-c", self.conf, *words[1:]],
                              capture_output=True, text=True)

    def __enter__(self):
        got = self.run("postfix", "start")
        if got.returncode:
            with open(self.top + "/maillog") as file:
                raise AssertionError((got, file.read()))
        return self

    def __exit__(self, *exception):
        self.run("postfix", "stop")

    def rcpt(self, address):
        """The code of RCPT."""
        for _ in range(100):
            try:
                with smtplib.SMTP("127.0.0.1", self.port) as client:
                    client.ehlo()
                    client.mail("s@x.org")
                    return client.rcpt(address)[0]
            except OSError:
                time.sleep(0.1)
        raise AssertionError("nobody listens")

    def send(self, address):
        """Where a message goes: the recipients at the next host."""
        for path in glob.glob(self.top + "/sunk/*"):
            os.unlink(path)
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            eq(client.sendmail("s@x.org", [address], "Subject: x\n\nx\n"), {})
        found = set()
        for _ in range(100):
            for path in glob.glob(self.top + "/sunk/*"):
                with open(path) as file:
                    found |= set(re.findall(r"X-Rcpt-Args: <(.*?)>", file.read()))
            if found:
                time.sleep(0.3)
                return found
            time.sleep(0.1)
        raise AssertionError("no message came")


@test("Debian's Postfix in front takes whom the maps have, refuses others, forwards, "
      "and sees a change without a restart", root=True, plain=True)
def postfix():
    with Mapped() as site:
        site.do("domain", "add", "alias.example", "--alias-of", "example.com")
        site.do("address", "add", "f@example.com", "out@far.example")
        site.do("domain", "add", "relay.example", "--kind", "relay", "--host",
                "m.org", "--handle", "ex2")
        with Postfix(site) as server:
            for key, name, want in (
                    ("joe@example.com", "recipients", "OK"),
                    ("example.com", "domains", "pop"),
                    ("f@example.com", "forwards", "out@far.example"),
                    ("ann@example.com", "recipients", "")):
                got = server.run("postmap", "-q", key, f"cdb:{site.dir}/{name}")
                eq(got.stdout.strip(), want, (key, got.stderr))
            for address, code in (
                    ("joe@example.com", 250), ("JOE@Alias.Example", 250),
                    ("who@relay.example", 250), ("f@example.com", 250),
                    ("ann@example.com", 550), ("ann@alias.example", 550),
                    ("joe@else.example", 554)):
                eq(server.rcpt(address), code, address)
            eq(server.send("joe@example.com"), {"joe@example.com"})
            eq(server.send("f@alias.example"), {"out@far.example"})
            site.do("box", "add", "ann@example.com", "--no-password")
            site.do("box", "set", "joe@example.com", "--delivery", "off")
            for _ in range(50):  # a server that was asked looks again
                if server.rcpt("ann@example.com") == 250:
                    break
                time.sleep(0.2)
            eq(server.rcpt("ann@example.com"), 250)
            eq(server.rcpt("joe@example.com"), 550)


run()
