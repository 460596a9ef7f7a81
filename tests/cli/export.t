#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox export and harden: what goes out, and what comes back."""
import json
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dovecot import Dovecot
from tap import GOOD, POPBOX, ROOT, UID, GID, Site, eq, has, hasnt, run, skip, \
    test

STORES = int(os.environ.get("EXPORTS", "20"))
LETTERS = ["a", "B", " ", ",", ";", "\t", '"', "'", "=", "+", "@", "\u00e4",
           "\u65e5", "x", "-", "#", ":"]


def random_csv(rng):
    """Accounts with everything a row can say."""
    lines = ["address,box,hash,name,quota,handle,forward,login,delivery,"
             "reason"]
    taken, numbers = set(), {}

    def field(text):
        return '"' + text.replace('"', '""') + '"'

    def title():
        text = "".join(rng.choice(LETTERS) for _ in range(rng.randrange(9)))
        return text.replace("\t", " ")
    hashes = ["*", "$6$saltsalt$" + "a" * 85 + ".",
              "$argon2id$v=19$m=1024,t=1,p=1$1wKhLIsA29CkaYcq7NnRGQ$"
              "obmE4GpCVcFhkSYv1dOEWO3e48TfpuNZCdY/laVkoW4"]
    for _ in range(rng.randrange(1, 25)):
        number = rng.randrange(4)
        domain, handle = f"d{number}.org", f"h{number % 2}"
        local = rng.choice(["*", "postmaster", "joe", "a.b", "x+y", "q'r",
                            f"u{rng.randrange(99)}"])
        address = f"{local}@{domain}"
        if address in taken:
            continue
        taken.add(address)
        forwards = " ".join(f"F{rng.randrange(9)}@out{i}.org"
                            for i in range(rng.randrange(3)))
        if forwards and rng.random() < .3:
            lines.append(f"{address},,,,,{handle},{forwards},,,")
            continue
        box = f"{handle}-{rng.randrange(1, 30):04d}"
        if box not in numbers:
            numbers[box] = (
                f'"{rng.choice(hashes)}",{field(title())},'
                f'{rng.choice(["", "1000", "5K", "2G"])}',
                f'{rng.choice(["on", "off"])},'
                f'{rng.choice(["on", "off", "hold"])},{field(title())}')
        lines.append(f"{address},{box},{numbers[box][0]},{handle},{forwards},"
                     f"{numbers[box][1]}")
        if rng.random() < .1:
            alone = f"{handle}-{rng.randrange(40, 60):04d}"
            if alone not in numbers:
                numbers[alone] = None
                lines.append(f",{alone},*,alone,,{handle},,on,on,")
    return "\n".join(lines) + "\n"


@test("export, import, export again are the same bytes")
def identity():
    with Site(init=False, qmail=False) as site:
        def popbox(name, *args, input=""):
            done = subprocess.run(
                [POPBOX, "-d", f"{site.top}/{name}", *args],
                input=input.encode(), capture_output=True)
            eq(done.returncode, 0, f"{args}: {done}\n{input}")
            return done.stdout.decode()
        for seed in range(STORES):
            text = random_csv(random.Random(seed))
            for name in ("one", "two"):
                popbox(name, "init", "--uid", str(UID), "--gid", str(GID),
                       "--home", site.home, "--serialmail", site.serial,
                       "--no-qmail")
            popbox("one", "import", "-", "--no-sync", input=text)
            first = popbox("one", "export")
            popbox("two", "import", "-", "--no-sync", input=first)
            eq(popbox("two", "export"), first, f"seed {seed}")
            if seed % 10 == 0:
                got = popbox("two", "--json", "import", "-", "--no-sync",
                             input=first)
                eq(json.loads(got)["created"], 0)
            for name in ("one", "two"):
                shutil.rmtree(f"{site.top}/{name}")


@test("the export of one domain or handle has what is theirs; of none that is "
      "there, it is refused")
def parts():
    with Site() as site:
        site.joe()
        site.do("domain", "add", "b.org", "--handle", "ex2")
        site.do("box", "add", "ann@b.org", "--no-password")
        site.do("domain", "add", "r.org", "--handle", "ex2", "--kind", "relay",
                "--host", "h.r.org")
        got = site.popbox("export", "example.com")
        has(got.out, "joe@example.com,ex1-0001")
        hasnt(got.out, "b.org")
        got = site.popbox("export", "ex2")
        has(got.out, "ann@b.org,ex2-0001,*,")
        hasnt(got.out, "example.com")
        has(got.err, "r.org: skipped: it is a domain of kind relay")
        site.fails(100, "not found", "export", "no.org")
        site.fails(100, "not found", "export", "no9")
        site.fails(2, "no format", "export", "--format", "xml")
        site.fails(2, "--group needs --output", "export", "--group", "0")
        site.fails(2, "needs the format csv", "export", "--spreadsheet",
                   "--format", "json")
        rows = [json.loads(line) for line in
                site.do("export", "--format", "json").splitlines()]
        kinds = [r["type"] for r in rows]
        eq({k: kinds.count(k) for k in set(kinds)},
           {"handle": 2, "domain": 3, "box": 4, "address": 4})
        assert [r["hash"] for r in rows if r.get("box") == "ex1-0001" and
                r["type"] == "box"][0].startswith("$argon2id$")
        rows = [json.loads(line) for line in site.do(
            "export", "--format", "json", "b.org").splitlines()]
        eq({r["type"] for r in rows}, {"domain", "box", "address"})


@test("--spreadsheet guards what a spreadsheet would run")
def spreadsheet():
    with Site(qmail=False) as site:
        site.do("domain", "add", "s.org", "--handle", "s")
        for who, title in (("a", "=cmd|' /C calc'!A0"), ("b", "+1"),
                           ("c", "-1"), ("d", "@SUM(A1)"), ("e", "fine = x")):
            site.do("box", "add", who + "@s.org", "--no-password",
                    "--name=" + title)
        text = site.do("export", "--spreadsheet")
        for title in ("'=cmd|' /C calc'!A0", "'+1", "'-1", "'@SUM(A1)",
                      ",fine = x"):
            has(text, title)
        hasnt(site.do("export"), "'+1")


@test("--output replaces a file as one, for root and a group alone; where it "
      "cannot be written the old one stays")
def out_file():
    with Site() as site:
        site.joe()
        path = site.top + "/users"
        site.do("export", "--output", path)
        eq(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        before = os.stat(path).st_ino
        if ROOT:
            site.do("export", "--output", path, "--group", "8")
            info = os.stat(path)
            eq((info.st_gid, stat.S_IMODE(info.st_mode)), (8, 0o640))
            assert info.st_ino != before
            site.fails(100, "no group", "export", "--output", path, "--group",
                       "nobody-here")
        with open(path) as file:
            text = file.read()
        has(text, "joe@example.com")
        site.fails(100, "not found", "export", "no.org", "--output", path)
        site.fails(111, "No such file", "export", "--output",
                   site.top + "/no/where")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        site.fails(111, "cannot write", "export", "--output", path,
                   preexec=limit)
        with open(path) as file:
            eq(file.read(), text)
        eq([n for n in os.listdir(site.top) if "tmp" in n], [])
        got = site.popbox("export", prefix=("sh", "-c",
                                            '"$@" >/dev/full', "sh"))
        eq(got.rc, 111, got)


@test("what a format cannot carry is named, with exit code 1; the rest is "
      "written")
def named():
    with Site() as site:
        site.joe()
        md5 = subprocess.run(["openssl", "passwd", "-1", "words"], check=True,
                             capture_output=True, text=True).stdout
        sha = subprocess.run(["mkpasswd", "-m", "sha-512", "words"], check=True,
                             capture_output=True, text=True).stdout
        site.do("box", "add", "md5@example.com", "--hash-stdin", input=md5)
        site.do("box", "add", "sha@example.com", "--hash-stdin", input=sha)
        site.do("address", "add", "out@example.com", "a@b.org")
        got = site.popbox("export", "--format", "dovecot")
        eq(got.rc, 1, got)
        has(got.err, "md5@example.com: skipped: its hash is wrapped")
        has(got.err, "out@example.com: skipped: it is an address")
        hasnt(got.out, "md5@")
        has(got.out, "joe@example.com:{ARGON2ID}$argon2id$")
        has(got.out, "sha@example.com:{SHA512-CRYPT}$6$")
        got = site.popbox("export", "--format", "vpopmail", "example.com")
        eq(got.rc, 1, got)
        has(got.err, "joe@example.com: skipped: its hash is none of crypt(3)")
        has(got.out, f"sha:{sha.strip()}:1:0::/home/vpopmail/domains/"
            "example.com/sha:NOQUOTA")
        site.fails(2, "about one domain", "export", "--format", "vpopmail")
        with Site() as other:
            path = other.top + "/vpasswd"
            with open(path, "w") as file:
                file.write(got.out)
            other.do("import", path, "--handle", "v", "--domain",
                     "example.com", "--locked")
            eq(other.popbox("verify", "sha@example.com", "--stdin",
                            input="words\n").rc, 0)


EXPORTED = """
passdb {{
  driver = passwd-file
  args = username_format=%u {top}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {top}/users
}}
"""


@test("Dovecot serves POP3 and IMAP from the exported file; who is suspended or has "
      "expired stays out, and so does who has a service off, by that service",
      root=True, plain=True)
def dovecot():
    with Site() as site:
        site.joe()
        sha = subprocess.run(["mkpasswd", "-m", "sha-512", "words sha"],
                             check=True, capture_output=True,
                             text=True).stdout
        site.do("box", "add", "sha@example.com", "--hash-stdin", input=sha)
        site.do("box", "add", "off@example.com", "--stdin", input=GOOD + "\n")
        site.do("box", "suspend", "off@example.com")
        for who, option in (("pop", ("--login", "pop=off")),
                            ("imap", ("--login", "imap=off,smtp=off")),
                            ("gone", ("--expires", "+1s"))):
            site.do("box", "add", who + "@example.com", "--stdin",
                    input=GOOD + "\n")
            site.do("box", "set", who + "@example.com", *option)
        time.sleep(1.1)
        site.do("domain", "add", "alias.org", "--alias-of", "example.com")
        for who in ("joe", "sha"):
            eq(site.deliver(who + "@example.com").rc, 0)
        name = os.listdir(site.box_path() + "/new")[0]
        site.do("export", "--format", "dovecot", "--output",
                site.top + "/users", "--group", "dovecot")
        with Dovecot(site, EXPORTED.format(top=site.top)) as server:
            for login, password in (("joe@example.com", GOOD),
                                    ("joe@alias.org", GOOD),
                                    ("ex1-0001", GOOD),
                                    ("sha@example.com", "words sha")):
                client = server.pop(login, password)
                eq(client.stat()[0], 1, login)
                if login.startswith("joe"):
                    eq(client.uidl()[1], [b"1 " + name.encode()])
                client.quit()
                client = server.imap(login, password)
                eq(client.select()[1], [b"1"], login)
                client.logout()
            for login, password in (("joe@example.com", "wrong words"),
                                    ("off@example.com", GOOD),
                                    ("gone@example.com", GOOD),
                                    ("pop@example.com", GOOD)):
                eq(server.pop(login, password), None, login)
            assert server.imap("pop@example.com", GOOD)
            assert server.pop("imap@example.com", GOOD)
            eq(server.imap("imap@example.com", GOOD), None)
        # What popbox wrote it reads again.
        with Site(qmail=False) as other:
            with open(site.top + "/users") as file:
                lines = [line for line in file if "@example.com:" in line]
            other.do("import", "-", "--format", "dovecot", "--handle", "ex1",
                     input="".join(lines))
            show = [json.loads(other.do("--json", "box", "show",
                                        who + "@example.com"))
                    for who in ("pop", "imap", "joe")]
            eq([one["services_off"] for one in show],
               [["pop"], ["smtp", "imap"], []])


@test("harden wraps cheap hashes, asks before, and goes on where it was ended")
def harden():
    with Site(qmail=False) as site:
        def hashed(method, words):
            return subprocess.run(["mkpasswd", "-m", method, words],
                                  check=True, capture_output=True,
                                  text=True).stdout.strip()
        rows = [f'a{i}@h.org,"{hashed("sha-512", "words " + str(i))}",h'
                for i in range(3)]
        rows += [f'b@h.org,"{hashed("sha-256", "words b")}",h',
                 f'y@h.org,"{hashed("yescrypt", "words y")}",h',
                 f'c@h.org,"{hashed("bcrypt", "words c")}",h']
        site.do("import", "-", "--no-sync", input="address,hash,handle\n" +
                "\n".join(rows) + "\n")
        eq(site.do("harden", "--dry-run").split(),
           ["sha512crypt", "3", "sha256crypt", "1"])
        site.fails(2, "wrap 4 hashes", "harden")
        shown = json.loads(site.do("--json", "box", "show", "b@h.org"))
        got = site.popbox("harden", "--yes")
        has(got.err, "wrapped in argon2id: 4 hashes")
        eq(got.out, "")
        has(site.popbox("harden", "--yes").err, "no hash is weak")
        again = json.loads(site.do("--json", "box", "show", "b@h.org"))
        eq(again["password_changed"], shown["password_changed"])
        for who, words in (("a0", "0"), ("a2", "2"), ("b", "b"), ("y", "y"),
                           ("c", "c")):
            eq(site.popbox("verify", who + "@h.org", "--stdin",
                           input=f"words {words}\n").rc, 0, who)
            eq(site.popbox("verify", who + "@h.org", "--stdin",
                           input=f"words {words}x\n").rc, 1, who)
        has(site.popbox("harden", "--yes", "--bcrypt").err, "wrapped in argon2id: 1 hash")
        has(site.popbox("export", "--format", "dovecot").err,
            "c@h.org: skipped: its hash is wrapped")
        eq(site.popbox("check", "--store-only").rc, 0)


@test("a harden that is killed leaves each hash old or wrapped, never another")
def harden_kill():
    with Site(qmail=False, argon2_kib="8192") as site:
        value = subprocess.run(["mkpasswd", "-m", "sha-512", "words"],
                               check=True, capture_output=True,
                               text=True).stdout.strip()
        site.do("import", "-", "--no-sync", input="address,hash,handle\n" +
                "".join(f'a{i}@h.org,"{value}",h\n' for i in range(1200)))
        for _ in range(3):
            process = subprocess.Popen([POPBOX, "-d", site.store, "harden",
                                        "--yes"], stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0.5, 4))
            process.kill()
            process.wait()
            eq(site.popbox("check", "--store-only").rc, 0)
        rows = [json.loads(line) for line in
                site.do("export", "--format", "json").splitlines()]
        starts = {r["hash"][:6] for r in rows if r["type"] == "box" and
                  r["hash"]}
        assert starts <= {"$wrap$", value[:6]}, starts
        site.do("harden", "--yes")
        for i in (0, 600, 1199):
            eq(site.popbox("verify", f"a{i}@h.org", "--stdin",
                           input="words\n").rc, 0)


run()
