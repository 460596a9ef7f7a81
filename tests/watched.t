#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Passwords and hashes are wiped by whoever had them: as each function of the
programs ends, its frame is searched for them, and so is memory that is given back
(tests/watched.c). What later calls would write over by chance is seen as well."""
import base64
import binascii
import json
import os
import pty
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap
from oldsites import MD5, SHA, WORDS, Vpopmail, put, vmailmgr_site, vpopmail_site
from preload import compiled
from tap import GOOD, TREE, Site, eq, has, run, skip, test

BUILT = TREE + "/build/watched"
NEW = "Zebra-Canary-7788-Quagga"
LINES, LINE = 4096, 32  # as tests/watched.c has them


def parts(hash_):
    """What nobody may leave of a hash: the end of its text, and its sum as bytes."""
    tail = hash_[-20:] if len(hash_) > 40 else hash_[-12:]
    found = [tail.encode()]
    text = re.split(r"[$}]", hash_)[-1]
    for decode in (bytes.fromhex,
                   lambda t: base64.b64decode(t + "=" * (-len(t) % 4), validate=True)):
        try:
            found.append(decode(text)[:16])
            break
        except (ValueError, binascii.Error):
            pass
    return found


class Watched(Site):
    """A site whose commands are watched for secrets."""

    def secret(self, *secrets):
        self.watch = [s if isinstance(s, bytes) else s.encode() for s in secrets]

    def environment(self):
        path = self.top + "/found"
        if os.path.exists(path):
            os.unlink(path)
        masked = [bytes(b ^ 0x5a for b in secret).hex()
                  for secret in self.watch]
        # A call that is bound late saves all registers on the stack, vectors of
        # memcpy among them.
        return {"LD_PRELOAD": compiled("watched",
                                       "-fno-omit-frame-pointer"),
                "LD_BIND_NOW": "1",
                "WATCHED_OF": ",".join(masked), "WATCHED_IN": path}

    def found(self, program):
        """Each as (what, function, where)."""
        with open(self.top + "/found", "rb") as file:
            text = file.read()
        count = int.from_bytes(text[:8], "little")
        rows = {text[8 + LINE * n:8 + LINE * (n + 1)].split(b"\n")[0].decode()
                for n in range(min(count, LINES))}
        got = []
        for row in sorted(rows):
            what, at = row.split()
            got.append((what, *subprocess.run(
                ["addr2line", "-f", "-s", "-e", program, "0x" + at], check=True,
                capture_output=True, text=True).stdout.split()))
        return got

    def clean(self, rc, *words, program=BUILT + "/popbox", **kw):
        got = self.popbox(*words, env=self.environment(), program=program, **kw)
        eq(got.rc, rc, (words, got))
        eq(self.found(program), [], (words, got))
        return got

    def clean_login(self, rc, *words, but=(), **kw):
        before = tap.CHECKPW
        tap.CHECKPW = BUILT + "/popbox-checkpw"
        try:
            got = self.login(*words, env=self.environment(), **kw)
            eq(got.rc, rc, (words, got))
            eq([row for row in self.found(tap.CHECKPW)
                if row[:2] not in but], [], (words, got))
        finally:
            tap.CHECKPW = before

    def hash_of(self, box="ex1-0001"):
        rows = [json.loads(line) for line in
                self.do("export", "--format", "json").splitlines()]
        return [r["hash"] for r in rows if r.get("box") == box and r.get("hash")][0]


def built():
    tap.make("-s", "watched")


def hashes():
    """(password, hash) of all schemes. A short password may lie anywhere by chance."""
    with open(TREE + "/tests/data/hashes") as file:
        for line in file:
            _, password, hash_ = line.rstrip("\n").split("\t")
            if len(password) >= 8:
                yield password, hash_


@test("a function that leaves a password or a hash behind is found", root=True, plain=True)
def planted():
    with Watched() as site:
        path = site.top + "/planted"
        with open(path + ".c", "w") as file:
            file.write("""
#include <stdlib.h>
#include <string.h>
static void leaves(const char *text) { char own[100]; strcpy(own, text); }
static void wipes(const char *text)
{ char own[100]; strcpy(own, text); explicit_bzero(own, sizeof own); }
static void gives(const char *text) { char *own = malloc(100); strcpy(own, text); free(own); }
static void grows(const char *text)
{ char *own = malloc(100); strcpy(own, text); own = realloc(own, 2000);
explicit_bzero(own, 2000); free(own); }
int main(int c, char **v)
{ (void)c; wipes(v[1]); leaves(v[1]); gives(v[1]); grows(v[1]); return 0; }
""")
        subprocess.run(["gcc", "-O0", "-g1", "-finstrument-functions", "-o", path,
                        path + ".c"], check=True)
        site.secret(NEW)
        subprocess.run([path, NEW], check=True,
                       env={**os.environ, **site.environment()})
        eq([row[:2] for row in site.found(path)],
           [("frame", "leaves"), ("heap", "gives"), ("heap", "grows")])


@test("the login program's functions wipe password and hash, whatever comes of it",
      root=True, plain=True)
def logins():
    built()
    with Watched(refuse_delay_ms="1").joe() as site:
        site.secret(GOOD, *parts(site.hash_of()))
        site.clean_login(0)
        site.clean_login(0, "ex1-0001")
        site.secret(NEW, *parts(site.hash_of()))
        site.clean_login(1, "joe@example.com", NEW)
        site.clean_login(1, "nobody@example.com", NEW)
        site.clean_login(1, "ex1-0001@example.com", NEW)
        site.secret(GOOD, *parts(site.hash_of()))
        site.clean_login(111, program=("/no/such",))
        site.do("box", "suspend", "ex1-0001")
        site.clean_login(1)
        site.do("box", "del", "ex1-0001", "--yes")
        site.clean_login(1)


@test("so do those of a repeated login, and of one that is refused beside the table",
      root=True, plain=True)
def repeated():
    built()
    if not tap.APART:
        skip("no /run of its own here")
    with Watched(refuse_delay_ms="1", login_cache="3600").joe() as site:
        site.secret(GOOD, *parts(site.hash_of()))
        for _ in range(2):
            site.clean_login(0)
        eq(os.path.getsize("/run/popbox/seen"), 4096 + (8 << 20))
        # The key stays in the table alone, which is given back whole.
        with open("/run/popbox/seen", "rb") as file:
            site.secret(file.read(48)[16:])
        site.clean_login(0, but=[("map", "seen_close")])
        site.secret(NEW, *parts(site.hash_of()))
        site.clean_login(1, "joe@example.com", NEW)
        site.clean_login(1, "nobody@example.com", NEW)


def each_hash(site):
    """A box for each scheme: (box, password, hash as it was, as it is)."""
    rows, seen = [], set()
    for password, hash_ in hashes():
        kind = hash_[:9], "p=1$" in hash_
        if kind in seen or len(hash_) < 20:
            continue
        seen.add(kind)
        rows.append((password, hash_))
    text = "address,hash\n" + "".join(
        f'a{n}@example.com,"{h}"\n' for n, (_, h) in enumerate(rows))
    site.secret(*(parts(h)[0] for _, h in rows[:8]))
    site.clean(0, "import", "-", "--legacy-ok", input=text)
    said = {r["address"].split("@")[0]: r for line in
            site.do("--json", "address", "list").splitlines()
            for r in [json.loads(line)]}
    for n, (password, hash_) in enumerate(rows):
        box = said[f"a{n}"]["box"]
        yield box, password, hash_, site.hash_of(box)


@test("so they do with a hash of each scheme, wrapped or not; and verify, harden and "
      "passwd do", root=True, plain=True)
def schemes():
    built()
    with Watched().joe() as site:
        for box, password, was, now in each_hash(site):
            secrets = {*parts(was), *parts(now)}
            # NTLM's sum is that of another form, CRAM-MD5's of two more.
            site.secret(password, password.encode("utf-16-le"),
                        *(bytes(b ^ pad for b in password.encode())
                          for pad in (0x36, 0x5c)), *secrets)
            site.clean_login(0, box, password)
            site.secret(NEW, *secrets)
            site.clean_login(1, box, NEW)
            site.clean(1, "verify", box, "--stdin", input=NEW + "\n")
            site.secret(*secrets)
            site.clean(0, "passwd", box, "--hash-stdin", "--legacy-ok",
                       input=was + "\n")


@test("the tool's functions wipe a password and its hash, wherever the password "
      "comes from and whatever comes of it", root=True, plain=True)
def passwords():
    built()
    with Watched().joe() as site:
        file = site.top + "/password"
        with open(file, "w") as out:
            out.write(NEW + "\n")
        line = {"input": NEW + "\n"}
        for words, kw in ((("--stdin",), line), (("--file", file), {}),
                          (("--fd", "0"), line)):
            for command in "passwd", "verify":
                site.secret(NEW, *parts(site.hash_of()))
                site.clean(0, command, "joe@example.com", *words, **kw)
        site.clean(1, "verify", "joe@example.com", "--stdin", input=GOOD + "\n")
        site.secret(NEW)
        site.clean(1, "verify", "nobody@example.com", "--stdin", **line)
        site.clean(100, "passwd", "nobody@example.com", "--stdin", **line)
        site.clean(0, "box", "add", "ann@example.com", "--stdin", **line)
        site.clean(100, "box", "add", "ann@example.com", "--stdin", **line)
        for refused in (NEW + "\r", "{CRYPT}$6$" + NEW, NEW + " example.com"):
            site.clean(100, "passwd", "joe@example.com", "--stdin",
                       input=refused + "\n")
        site.clean(100, "passwd", "joe@example.com", "--hash-stdin",
                   input="$6$" + NEW + "$" + NEW + "\n")
        for words in ("--generate",), ("--no-password",):
            site.secret(*parts(site.hash_of()))
            site.clean(0, "passwd", "joe@example.com", *words)
            site.do("passwd", "joe@example.com", "--stdin", **line)
        site.clean(0, "passwd", "--domain", "example.com", "--generate",
                   "--credentials", site.top + "/new", "--yes")


def typed(site, answers, *words):
    """On a terminal; what it ended with."""
    pid, fd = pty.fork()
    if pid == 0:
        program = BUILT + "/popbox"
        os.execve(program, [program, "-d", site.store, *words],
                  {**os.environ, **site.environment()})
    for answer in answers:
        text = b""
        while not text.endswith(b": "):
            text += os.read(fd, 1000)
        os.write(fd, answer.encode() + b"\n")
    while tap.read_terminal(fd):
        pass
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@test("they wipe a password that was typed, and the one that was typed again",
      root=True, plain=True)
def on_terminal():
    built()
    with Watched().joe() as site:
        for rc, answers in ((0, (NEW, NEW)), (100, (NEW, GOOD)), (100, (GOOD, NEW)),
                            (100, (NEW + " joe", NEW + " joe"))):
            site.secret(NEW)
            eq(typed(site, answers, "passwd", "joe@example.com"), rc, answers)
            eq(site.found(BUILT + "/popbox"), [], answers)


@test("they wipe the hash that a command reads, changes or writes", root=True,
      plain=True)
def commands():
    built()
    with Watched().joe() as site:
        hash_ = site.hash_of()
        site.secret(*parts(hash_))
        one, all_ = site.top + "/one", site.top + "/all"
        site.do("domain", "add", "example.net", "--handle", "ex1")
        for rc, words in (
                (0, ("export",)), (0, ("export", "--format", "json")),
                (0, ("export", "--format", "dovecot")),
                (1, ("export", "example.com", "--format", "vpopmail")),
                (0, ("export", "--spreadsheet", "--output", site.top + "/out")),
                (0, ("box", "list", "--hash", "argon2id")),
                (0, ("box", "show", "ex1-0001")),
                (0, ("--json", "box", "show", "ex1-0001")),
                (0, ("stats",)), (0, ("harden", "--yes")),
                (0, ("tune", "--target", "10")),
                (0, ("box", "set", "ex1-0001", "--name", "Joe")),
                (0, ("box", "set", "ex1-0001", "--login", "off")),
                (0, ("box", "set", "--domain", "example.com", "--login", "on",
                     "--yes")),
                (0, ("explain", "joe@example.com")),
                (0, ("address", "add", "j@example.net", "ex1-0001")),
                (0, ("undo", "--yes")),
                (0, ("handle", "suspend", "ex1")),
                (0, ("handle", "resume", "ex1")),
                (0, ("domain", "rename", "example.com", "example.org")),
                (0, ("backup", one, "--only", "ex1-0001")),
                (0, ("backup", all_)),
                (0, ("backup", site.top + "/two", "--only", "joe@example.org")),
                (0, ("box", "set", "ex1-0001", "--name", "Joey")),
                (0, ("restore", one, "--yes")), (1, ("check",)),
                (0, ("box", "del", "ex1-0001", "--yes")), (1, ("check",)),
                (0, ("box", "undelete", "ex1-0001")),
                (0, ("box", "del", "ex1-0001", "--yes")), (0, ("undo", "--yes")),
                (0, ("box", "del", "ex1-0001", "--yes")),
                (0, ("restore", one, "--yes")), (0, ("restore", all_, "--yes")),
                (0, ("domain", "del", "example.org", "--yes")),
                (0, ("undo", "--yes")),
                (0, ("box", "del", "ex1-0001", "--yes")),
                (0, ("purge", "ex1-0001", "--now", "--yes"))):
            site.clean(rc, *words)


@test("harden wipes what it wraps", root=True, plain=True)
def harden():
    built()
    hash_ = next(h for _, h in hashes() if h.startswith("$2b$"))
    with Watched().joe() as site:
        site.do("passwd", "joe@example.com", "--hash-stdin", input=hash_ + "\n")
        site.secret(*parts(hash_))
        site.clean(0, "harden", "--bcrypt", "--yes")
        assert site.hash_of().startswith("$wrap$"), site.hash_of()


# Files of other programs that are told by their content.
TEXTS = {
    "sql": "CREATE TABLE `mailbox` (\n  `username` varchar(255),\n"
           "  `password` varchar(255),\n  `name` varchar(255),\n"
           "  `maildir` varchar(255),\n  `quota` bigint,\n  `active` tinyint\n);\n"
           f"INSERT INTO `mailbox` VALUES ('joe@w.example','{SHA}','J','',0,1),"
           f"('ann@w.example','{{SHA512-CRYPT}}{SHA}','A',NULL,0,0);\n",
    "ldif": f"dn: uid=joe\nmail: joe@w.example\nuserPassword: {{CRYPT}}{MD5}\n",
    "vuserinfo": f"name:   joe\npasswd: {MD5}\nclear passwd: {WORDS}\n"
                 "comment/gecos: Joe\nuid:    0\ngid:    0\nflags:  0\n"
                 "dir: /home/vpopmail/domains/w.example/joe\nquota: NOQUOTA\n",
    "hestia": "ACCOUNT='joe' ALIAS='j' AUTOREPLY='no' FWD='' FWD_ONLY='' "
              f"MD5='{{MD5-CRYPT}}{MD5}' QUOTA='unlimited' SUSPENDED='no'\n",
    "virtualmin": "joe\n    Domain: w.example\n    Unix username: joe\n"
                  f"    Encrypted password: {MD5}\n    Disabled: No\n"
                  "    Email address: joe@w.example\n"}


def site_of(site, name):
    """What is imported, and how."""
    if name == "shadow":
        return [put(site, name, f"joe:{MD5}:19000:0:99999:7:::\n"
                    f"ann:!{MD5}:19000:0:99999:7:::\n"), "--handle", "s",
                "--domain", "s.org"]
    if name == "dovecot":
        return [put(site, name, f"joe@d.org:{MD5}::::::\n"
                    f"ann@d.org:{{PLAIN}}{WORDS}::::::\n"), "--format", name,
                "--handle", "d"]
    if name in TEXTS:
        return [put(site, name, TEXTS[name]), "--handle", "w", "--domain",
                "w.example"]
    if name == "rejects":
        old = Vpopmail(site)
        old.domain("b.example")
        old.user("b.example", "two words")
        old.done()
        return [old.top, "--handle", "v", "--skip-bad", site.top + "/bad"]
    if name == "csv":
        return [put(site, name, "address,password,hash,name\n"
                    f"joe@c.org,{WORDS},,Joe\nann@c.org,,{MD5},Ann\n"
                    f"bad@@c.org,{WORDS},,\nbad@@c.org,,{MD5},\n"
                    f'"quoted"@c.org,"{WORDS}",,"A ""b"""\n'), "--handle", "c",
                "--skip-bad", site.top + "/bad"]
    if name == "vpopmail":
        old = vpopmail_site(site)
        old.done()
        return [old.top, "--handle", "v"]
    home, _ = vmailmgr_site(site)
    return [home, "--handle", "m", "--domain", "example.net"]


@test("an import wipes passwords and hashes, whatever it reads and whatever it "
      "refuses", root=True, plain=True)
def imports():
    built()
    for name in ("vpopmail", "vmailmgr", "shadow", "dovecot", "csv", "rejects",
                 *TEXTS):
        with Watched() as site:
            site.secret(*parts(MD5), *parts(SHA), WORDS)
            words = site_of(site, name)
            for more in (["--dry-run"], [], ["--update"]):
                if os.path.exists(site.top + "/bad"):
                    os.unlink(site.top + "/bad")
                got = site.clean(name in ("csv", "rejects"), "import", *words,
                                 *more)
                has(got.err, "2 created" if name in ("shadow", "dovecot") and
                    not more else "")



@test("what is written for Dovecot leaves no hash behind, nor does comparing it",
      root=True, plain=True)
def dovecot():
    built()
    with Watched() as site:
        site.joe()
        where = site.top + "/dovecot"
        os.mkdir(where, 0o755)
        site.do("config", "set", "dovecot_group", "daemon")
        site.do("config", "set", "dovecot_dir", where)
        site.secret(*parts(site.hash_of()), GOOD)
        site.clean(0, "sync", "--full")
        site.clean(0, "sync", "--full")
        site.clean(0, "box", "suspend", "joe@example.com", "--dry-run")
        site.clean(0, "box", "suspend", "joe@example.com")
        site.clean(0, "box", "resume", "joe@example.com")
        got = site.popbox("check", env=site.environment(),
                          program=BUILT + "/popbox")
        eq(site.found(BUILT + "/popbox"), [], got)
        site.secret(NEW, *site.watch)
        site.clean(0, "passwd", "joe@example.com", "--stdin", input=NEW + "\n")
        site.clean(0, "passwd", "joe@example.com", "--stdin", input=GOOD + " x\n")


run()
