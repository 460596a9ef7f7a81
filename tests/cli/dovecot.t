#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The setting dovecot_dir: a passwd-file for each domain, written by the change that
touches it."""
import os
import poplib
import smtplib
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dovecot import Dovecot, free_port
from tap import GOOD, POPBOX, SMALL, TREE, Site, eq, has, hasnt, run, skip, test


class Served(Site):
    """joe, and a directory for Dovecot. Its group is one that is here."""

    def __init__(self, group="daemon", **settings):
        super().__init__(**settings)
        self.dir = self.top + "/dovecot"
        os.mkdir(self.dir, 0o755)
        self.joe()
        self.do("config", "set", "dovecot_group", group)
        self.do("config", "set", "dovecot_dir", self.dir)
        self.do("sync", "--full")

    def files(self):
        return sorted(os.listdir(self.dir))

    def lines(self, domain="example.com"):
        """{user: his password field}."""
        with open(f"{self.dir}/{domain}") as file:
            return {line.split(":")[0]: line.split(":")[1]
                    for line in file.read().splitlines()}

    def users(self, domain="example.com"):
        return sorted(self.lines(domain))

    def exported(self, *domain):
        out = self.popbox("export", "--format", "dovecot", *domain).out
        return sorted(line for line in out.splitlines() if "@" in line)

    def written(self):
        """All lines of all files."""
        found = []
        for name in self.files():
            with open(f"{self.dir}/{name}") as file:
                found += file.read().splitlines()
        return sorted(found)

    def whole(self):
        """The files say what export does."""
        eq(self.written(), self.exported())
        hasnt(self.popbox("check").out, "(dovecot")


LOCKED = "{CRYPT}*"


@test("each change writes the files that it touches: boxes, passwords, switches, "
      "aliases, deletions, undo", root=True)
def changes():
    with Served() as site:
        do = site.do
        eq(site.files(), ["example.com"])
        info = os.stat(site.dir + "/example.com")
        eq((stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid), (0o640, 0, 1))
        was = site.lines()["joe@example.com"]
        has(was, "{ARGON2ID}$argon2id$")
        site.whole()
        do("passwd", "joe@example.com", "--stdin", input="another words 77\n")
        now = site.lines()["joe@example.com"]
        assert now != was
        site.whole()
        do("box", "add", "ann@example.com", "--no-password")
        eq(site.lines()["ann@example.com"], LOCKED)
        do("domain", "add", "alias.example", "--alias-of", "example.com")
        eq(site.users("alias.example"), ["ann@alias.example", "joe@alias.example",
                                         "postmaster@alias.example"])
        for noun, name in (("box", "joe@example.com"), ("domain", "example.com"),
                           ("handle", "ex1")):
            do(noun, "suspend", name)
            eq(site.lines()["joe@example.com"], LOCKED, noun)
            eq(site.lines("alias.example")["joe@alias.example"], LOCKED, noun)
            site.whole()
            do(noun, "resume", name)
            eq(site.lines()["joe@example.com"], now, noun)
        do("domain", "suspend", "alias.example")
        eq(site.lines("alias.example")["joe@alias.example"], LOCKED)
        eq(site.lines()["joe@example.com"], now)
        do("domain", "resume", "alias.example")
        do("address", "add", "j@example.com", "ex1-0001")
        has(site.users("alias.example"), "j@alias.example")
        do("address", "add", "*@example.com", "ex1-0001")
        do("address", "rename", "j@example.com", "jo@example.com")
        site.whole()
        do("box", "set", "joe@example.com", "--quota", "10M")
        has("\n".join(site.written()), "userdb_quota_rule=*:bytes=10485760")
        site.whole()
        do("box", "del", "ann@example.com", "--yes")
        hasnt(site.users(), "ann@example.com")
        do("undo", "--yes")
        has(site.users(), "ann@example.com")
        do("domain", "del", "alias.example", "--yes")
        eq(site.files(), ["example.com"])
        do("undo", "--yes")
        eq(site.files(), ["alias.example", "example.com"])
        site.whole()
        # No other kind of domain has one.
        do("domain", "add", "relay.example", "--kind", "relay", "--host", "m.org",
           "--handle", "ex1")
        do("domain", "add", "other.org", "--handle", "ex2")
        do("address", "add", "x@other.org", "ex1-0001")
        eq(site.files(), ["alias.example", "example.com", "other.org"])
        do("passwd", "joe@example.com", "--stdin", input="third words 88 now\n")
        assert site.lines("other.org")["x@other.org"] == \
            site.lines()["joe@example.com"] != now
        site.whole()
        do("domain", "rename", "other.org", "new.org")
        has(site.users("new.org"), "x@new.org")
        site.whole()


@test("an import, a move to another customer and a purge leave the files as the "
      "store is, in one part or in many", root=True)
def large():
    for program in (POPBOX, SMALL):
        with Served() as site:
            path = site.top + "/rows.csv"
            with open(path, "w") as file:
                file.write("address,hash,handle\n" + "".join(
                    f"u{n}@d{n % 3}.org,{{SHA256}}{'A' * 43}=,ex{n % 3 + 1}\n"
                    for n in range(150)))
            site.do("import", path, program=program)
            eq(site.files(), ["d0.org", "d1.org", "d2.org", "example.com"])
            site.whole()
            site.do("domain", "move", "example.com", "--handle", "ex9", program=program)
            with open(site.dir + "/example.com") as file:
                has(file.read(), "/e/ex9/POP/ex9-0001")
            site.whole()
            site.do("domain", "del", "d1.org", "--yes", program=program)
            eq(site.files(), ["d0.org", "d2.org", "example.com"])
            site.do("purge", "--now", "d1.org", "--yes", program=program)
            site.whole()


@test("without the setting a password makes no work, and no file", root=True)
def without():
    with Site().joe() as site:
        site.do("passwd", "joe@example.com", "--stdin", input="another words 77\n")
        eq(site.do("sync", "--dry-run"), "")
        site.do("box", "suspend", "joe@example.com", "--no-sync")
        eq(site.do("sync", "--dry-run"), "")
        hasnt(site.popbox("check").out, "(dovecot")
    with Served() as site:
        site.do("box", "suspend", "joe@example.com", "--no-sync")
        assert site.lines()["joe@example.com"] != LOCKED
        got = site.popbox("sync", "--dry-run")
        has(got.out, site.dir + "/example.com: logins")
        site.do("sync")
        site.whole()


@test("new passwords of many, and harden, reach the files", root=True)
def many():
    with Served() as site:
        for name in ("ann", "bob"):
            site.do("box", "add", name + "@example.com", "--hash-stdin",
                    input="{SHA256}" + "A" * 43 + "=\n")
        was = site.lines()
        site.do("passwd", "--handle", "ex1", "--generate", "--credentials",
                site.top + "/new", "--yes")
        now = site.lines()
        assert all(was[name] != now[name] for name in was)
        site.whole()


@test("a dry run names the files and changes none", root=True)
def dry():
    with Served() as site:
        before = site.written()
        got = site.do("passwd", "joe@example.com", "--stdin", "--dry-run",
                      input="another words 77\n")
        has(got, site.dir + "/example.com: logins")
        got = site.do("domain", "add", "new.org", "--handle", "ex2", "--dry-run")
        has(got, site.dir + "/new.org: file")
        got = site.do("domain", "del", "example.com", "--yes", "--dry-run")
        has(got, site.dir + "/example.com: - file")
        eq(site.written(), before)
        eq(site.files(), ["example.com"])


@test("check finds files that are changed, missing, open to others, or of no domain, "
      "and --repair repairs them", root=True)
def check():
    with Served() as site:
        path = site.dir + "/example.com"

        def found(part):
            got = site.popbox("check")
            eq(got.rc, 1, got)
            has(got.out, part)
            has(got.out, "(dovecot, --repair repairs it)")
            site.popbox("check", "--repair")
            site.whole()
        with open(path, "a") as file:
            file.write("eve@example.com:{PLAIN}x:0:0::/::\n")
        found(path + " is not what the store says")
        os.unlink(path)
        found(path + " is missing")
        os.chmod(path, 0o644)
        found(path + " is not what the store says")
        with open(site.dir + "/gone.org", "w") as file:
            file.write("x\n")
        open(site.dir + "/README", "w").close()
        found(site.dir + "/gone.org is the file of no domain")
        eq(site.files(), ["README", "example.com"])
        os.unlink(site.dir + "/README")
        os.chmod(site.dir, 0o777)
        got = site.popbox("check")
        has(got.out, "can be written by others than root")


@test("a directory or a group that is not there keeps the change pending, and a sync "
      "finishes it", root=True)
def failing():
    with Served() as site:
        os.rename(site.dir, site.dir + ".away")
        got = site.popbox("passwd", "joe@example.com", "--stdin",
                          input="another words 77\n")
        eq(got.rc, 111, got)
        has(got.err, f"cannot write below '{site.dir}': No such file")
        has(site.popbox("status").out, "No such file")
        eq(site.popbox("sync").rc, 111)
        os.rename(site.dir + ".away", site.dir)
        site.do("config", "set", "dovecot_group", "nogroupatall")
        has(site.popbox("sync").err, "no group of the setting dovecot_group")
        site.do("config", "set", "dovecot_group", "daemon")
        site.do("sync")
        site.whole()
        eq(site.popbox("status").out.count("No such"), 0)
        # Something else in the place of one file keeps that one back.
        os.mkdir(site.dir + "/other.org")
        got = site.popbox("domain", "add", "other.org", "--handle", "ex2")
        eq(got.rc, 111, got)
        has(got.err, "something else stands in its place")
        hasnt(open(site.qmail + "/control/rcpthosts").read(), "other.org")
        os.rmdir(site.dir + "/other.org")
        site.do("sync")
        has(open(site.qmail + "/control/rcpthosts").read(), "other.org")


@test("a file that takes the place of one of the same second has another, since "
      "Dovecot looks at no more than that", root=True)
def seconds():
    with Served() as site:
        path = site.dir + "/example.com"
        times = [int(os.stat(path).st_mtime)]
        for word in ("one words 1234", "two words 1234", "six words 1234"):
            size = os.stat(path).st_size
            site.do("passwd", "joe@example.com", "--stdin", input=word + "\n")
            eq(os.stat(path).st_size, size)
            times.append(int(os.stat(path).st_mtime))
        eq(len(set(times)), 4)
        eq(times, sorted(times))


@test("what Dovecot cannot compute has no password that fits, and sync --full names "
      "it", root=True)
def wrapped():
    with Served() as site:
        site.do("box", "add", "old@example.com", "--hash-stdin",
                input=subprocess.run(
                    ["openssl", "passwd", "-1", "-salt", "abcdefgh", "old words"],
                    check=True, capture_output=True, text=True).stdout)
        site.do("harden", "--yes")
        eq(site.lines()["old@example.com"], LOCKED)
        got = site.popbox("sync", "--full")
        has(got.err, "old@example.com: Dovecot cannot compute its hash")
        eq(got.rc, 0)


def later():
    """Dovecot looks at a file once in a second."""
    time.sleep(1.1)


LIVE = """
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = username_format=%u {dir}/%d
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {dir}/%d
}}
"""


@test("Dovecot serves POP3 and IMAP by the files: a reset, a new box and a suspension "
      "count at the next login, without a restart", root=True, plain=True)
def dovecot():
    with Served(group="dovecot") as site:
        site.do("domain", "add", "alias.org", "--alias-of", "example.com")
        eq(site.deliver("joe@example.com").rc, 0)
        with Dovecot(site, LIVE.format(dir=site.dir)) as server:
            for login in ("joe@example.com", "joe@alias.org", "JOE@EXAMPLE.COM"):
                client = server.pop(login, GOOD)
                eq(client.stat()[0], 1, login)
                client.quit()
                client = server.imap(login, GOOD)
                eq(client.select()[1], [b"1"], login)
                client.logout()
            for login in ("ann@example.com", "joe@other.org", "joe",
                          "joe@../../etc"):
                eq(server.pop(login, GOOD), None, login)
            old = GOOD
            for n in range(3):
                new = f"words of reset {n}"
                # Two in one second; what was read in between does not stay.
                for word in (f"other words {n}", new):
                    site.do("passwd", "joe@example.com", "--stdin",
                            input=word + "\n")
                    server.pop("joe@example.com", GOOD)
                later()
                eq(server.pop("joe@example.com", old), None, n)
                eq(server.pop("joe@example.com", f"other words {n}"), None, n)
                server.pop("joe@example.com", new).quit()
                server.imap("joe@alias.org", new).logout()
                old = new
            site.do("domain", "add", "other.org", "--handle", "ex2")
            site.do("box", "add", "ann@other.org", "--stdin", input=GOOD + "\n")
            server.pop("ann@other.org", GOOD).quit()
            site.do("handle", "suspend", "ex2")
            later()
            eq(server.imap("ann@other.org", GOOD), None)
            site.do("handle", "resume", "ex2")
            later()
            server.imap("ann@other.org", GOOD).logout()
            site.do("box", "del", "ann@other.org", "--yes")
            later()
            eq(server.pop("ann@other.org", GOOD), None)



LMTP = """
protocols = pop3 imap lmtp
postmaster_address = postmaster@example.com
hostname = mail.example.com
service lmtp {{
  inet_listener lmtp {{
    port = {port}
  }}
}}
"""


@test("Dovecot's LMTP delivers by the files, also to who may not log in, and refuses "
      "whom no file has", root=True, plain=True)
def lmtp():
    if not os.path.exists("/usr/lib/dovecot/lmtp"):
        skip("no lmtp of dovecot")
    with Served(group="dovecot") as site:
        port = free_port()
        with Dovecot(site, LIVE.format(dir=site.dir) + LMTP.format(port=port)) as \
                server:
            server.connect(poplib.POP3).quit()
            client = smtplib.LMTP("127.0.0.1", port)
            text = "Subject: one\n\nx\n"
            eq(client.sendmail("s@x.org", ["joe@example.com"], text), {})
            site.do("box", "suspend", "joe@example.com")
            later()
            eq(client.sendmail("s@x.org", ["joe@example.com"], text), {})
            try:
                client.sendmail("s@x.org", ["ann@example.com"], text)
                raise AssertionError("delivered")
            except smtplib.SMTPRecipientsRefused as refused:
                eq(refused.recipients["ann@example.com"][0], 550)
            client.quit()
        eq(len(os.listdir(site.box_path() + "/new")), 2)


@test("the example for Dovecot is what the tests use", root=True)
def example():
    with open(TREE + "/doc/examples/dovecot/popbox-files.conf") as file:
        text = "".join(line for line in file if not line.startswith("#"))
    has(LIVE.format(dir="/etc/dovecot/popbox"), text)


run()
