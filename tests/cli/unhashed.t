#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What cannot be hashed or computed is not stored: when memory is missing, when
libcrypt does not know a scheme, when a store has such a hash from elsewhere."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from preload import compiled
from tap import FILL, GOOD, POPBOX, Site, eq, has, hasnt, run, some, test


def output(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout.strip()


def nohash(site, **how):
    return {"LD_PRELOAD": compiled("nohash", "-ldl"),
            **{"NOHASH_" + key.upper(): value for key, value in how.items()}}


def put(site, name, text):
    path = f"{site.top}/{name}"
    with open(path, "w") as file:
        file.write(text)
    return path


def verdicts(site, password, count):
    return [site.popbox("verify", f"u{i}@example.com", "--stdin",
                        input=password.format(i) + "\n").rc
            for i in range(count)]


@test("an import in which memory is missing for one hash stores none, whichever "
      "it is and whatever became of the others", plain=True)
def one_fails():
    with Site().joe() as site:
        path = put(site, "f.csv", "address,password\n" + "".join(
            f"u{i}@example.com,Long-Words-{i}\n" for i in range(8)))
        before = site.do("--json", "log")
        for number in range(1, 9):
            got = site.fails(111, "nothing was changed", "import", path,
                             env=nohash(site, fail=str(number), slow="yes"))
            has(got.err, "no memory")
            eq(site.do("--json", "log"), before, number)
        site.do("import", path)
        eq(verdicts(site, "Long-Words-{}", 8), [0] * 8)
        newer = put(site, "g.csv", "address,password\n" + "".join(
            f"u{i}@example.com,Newer-Words-{i}\n" for i in range(8)))
        before = site.do("--json", "log")
        # Of each row one computation asks whether what is there fits.
        for number in (1, 2, 5, 8, 15, 16):
            site.fails(111, "nothing was changed", "import", newer, "--update",
                       env=nohash(site, fail=str(number), slow="yes"))
            eq(site.do("--json", "log"), before, number)
        eq(verdicts(site, "Long-Words-{}", 8), [0] * 8, "the old ones still")


@test("harden in which memory is missing for one hash says 111 and wraps all the "
      "next time", plain=True)
def harden_fails():
    with Site().joe() as site:
        for i in range(6):
            site.do("box", "add", f"u{i}@example.com", "--hash-stdin",
                    input=output("openssl", "passwd", "-6", f"Words-{i}"))
        for number in range(1, 7):
            site.fails(111, "run 'popbox harden' again", "harden", "--yes",
                       env=nohash(site, fail=str(number), slow="yes"))
            eq(site.do("harden", "--dry-run").split(), ["sha512crypt", "6"])
        site.do("harden", "--yes")
        eq(site.do("harden", "--dry-run"), "")
        eq(verdicts(site, "Words-{}", 6), [0] * 6)


@test("a file with a row that is rejected changes nothing, whichever allocation "
      "fails: it ends with 100 or 111", plain=True)
def bad_row():
    library = {}
    with Site(argon2_kib="8").joe() as site:
        site.do("domain", "add", "two.example", "--handle", "ex2")
        site.do("domain", "add", "al.example", "--alias-of", "example.com")
        library = {"LD_PRELOAD": compiled("deep/nomalloc"),
                   "FAIL_MARK": site.top + "/mark"}
        before = site.do("--json", "log")
        for name, bad in (("owner", "bob@two.example,ex1,*"),
                          ("alias", "bob@al.example,ex1,*"),
                          ("none", "bob@new.example,,*"),
                          ("form", "bob@two.example,ex1,x")):
            path = put(site, name, "address,handle,hash\nann@example.com,ex1,*\n"
                       + bad + "\n")
            # Before 20 it has not begun; a dry run judges rows as any does.
            for words in ((), ("--dry-run",))[name != "owner":]:
                for at in some(range(20, 75), 4):
                    got = site.popbox("import", path, "--no-sync", *words,
                                      env={**library, "FAIL_AT": str(at)})
                    assert got.rc in (100, 111), (name, words, at, got)
        eq(site.do("--json", "log"), before)


@test("a row is not rejected because memory is missing: --skip-bad takes all good "
      "rows or none", plain=True)
def skip_bad():
    with Site(argon2_kib="8").joe() as site:
        library = {"LD_PRELOAD": compiled("deep/nomalloc"),
                   "FAIL_MARK": site.top + "/mark"}
        path = put(site, "f.csv", "address,handle,hash\nann@new.example,ex1,*\n"
                   "bob@new.example,ex1,*\n")
        for at in some(range(20, 90, 2), 4):
            skipped = site.top + "/skipped"
            got = site.popbox("import", path, "--no-sync", "--dry-run",
                              "--skip-bad", skipped,
                              env={**library, "FAIL_AT": str(at)})
            if got.rc == 0:
                has(got.err, "2 created")
            else:
                eq(got.rc, 111, (at, got))


@test("a hash that libcrypt does not compute here is not stored, wherever it "
      "comes from", plain=True)
def unknown_scheme():
    gost = output("mkpasswd", "-m", "gost-yescrypt", GOOD)
    with Site().joe() as site:
        env = nohash(site, scheme="$gy$")
        before = site.do("--json", "log")
        site.fails(111, "nothing was changed", "passwd", "joe@example.com",
                   "--hash-stdin", input=gost + "\n", env=env)
        site.fails(111, "nothing was changed", "box", "add", "x@example.com",
                   "--hash-stdin", input=gost + "\n", env=env)
        path = put(site, "f.csv", "address,hash\na@example.com,*\n"
                   f"b@example.com,{gost}\n")
        for words in ((), ("--dry-run",)):
            got = site.fails(111, "nothing was changed", "import", path, *words,
                             env=env)
            has(got.err, "f.csv:3")
        eq(site.do("--json", "log"), before)
        site.do("import", path)
        site.do("backup", site.top + "/b", "--only", "b@example.com")
        site.fails(111, "nothing was changed", "restore", site.top + "/b",
                   "--yes", env=env)


@test("an import whose file of new passwords or of bad rows cannot be synced "
      "changes nothing, and leaves neither", plain=True)
def unsynced():
    with Site().joe() as site:
        path = put(site, "f.csv", "address,hash\na@example.com,\n"
                   "b@example.com,hello\n")
        new, bad = site.top + "/new", site.top + "/bad"
        before = site.do("--json", "log")
        for name in ("/new", "/bad"):
            site.fails(111, "cannot write", "import", path, "--generate",
                       "--credentials", new, "--skip-bad", bad,
                       env=nohash(site, fsync=name))
            eq(site.do("--json", "log"), before)
            assert not os.path.exists(new) and not os.path.exists(bad)


@test("a password that is changed while an import compares it is looked at again",
      plain=True)
def stale():
    with Site().joe() as site:
        path = put(site, "f.csv", f"address,password\njoe@example.com,{GOOD}\n")
        eq(site.popbox("import", path).rc, 0, "the same")
        other = put(site, "other", "Quite-Other-Words\n")
        site.fails(100, "another password", "import", path, env=nohash(
            site, first=f"{POPBOX} -q -d {site.store} passwd joe@example.com "
            f"--file {other}"))
        eq(site.login(password="Quite-Other-Words").rc, 0)


@test("a password of as many bytes as password_min is taken, one less is weak",
      plain=True)
def least():
    with Site(password_min="14").joe() as site:
        site.fails(100, "password_min", "passwd", "joe@example.com", "--stdin",
                   input="Qz7-kunterbun\n")
        site.do("passwd", "joe@example.com", "--stdin",
                input="Qz7-kunterbunt\n")


@test("settings that each are in range, and together make hashes that no login "
      "computes, are refused; no password is set by them")
def beyond():
    with Site(argon2_kib="262144", argon2_passes="3") as site:
        site.fails(100, "argon2_kib times argon2_passes", "config", "set",
                   "argon2_passes", "4")
        site.do("config", "set", "argon2_kib", "8")
        site.do("config", "set", "argon2_passes", "64")
        site.fails(100, "argon2_kib times argon2_passes", "config", "set",
                   "argon2_kib", "12289")
        site.do("config", "set", "argon2_kib", "12288")
    with Site().joe() as site:
        site.settings({"argon2_kib": "12289", "argon2_passes": "64"})
        before = site.do("--json", "log")
        site.fails(111, "lower the setting", "passwd", "joe@example.com",
                   "--stdin", input=GOOD + "x\n")
        md5 = output("openssl", "passwd", "-1", GOOD)
        site.fails(111, "lower the setting", "passwd", "joe@example.com",
                   "--hash-stdin", input=md5 + "\n")
        path = put(site, "f.csv", f"address,password,hash\na@example.com,{GOOD},"
                   f"\nb@example.com,,{md5}\n")
        site.fails(111, "lower the setting", "import", path)
        eq(site.do("--json", "log"), before)
        eq(site.login().rc, 0, "old hashes still open")
        eq(site.login("nobody@example.com").rc, 1, "the decoy is computed")


@test("a store with a hash that no login computes: check says so and looks at the "
      "files all the same; backup and restore name the box and take it; a new "
      "password mends it")
def rule():
    for bad in ("*", "$6$cut", output("openssl", "passwd", "-1", GOOD)):
        with Site().joe() as site:
            subprocess.run([FILL, site.store, "ex1", "example.com", "u", "1",
                            bad], check=True, stderr=subprocess.DEVNULL)
            site.do("sync")
            got = site.popbox("--json", "check")
            rows = [json.loads(line) for line in got.out.splitlines()]
            eq(got.rc, 1)
            eq([(r["rule"], r["object"]) for r in rows if r["rule"]],
               [(15, "ex1-0002")])
            hasnt(got.err, "not looked at")
            os.unlink(site.domain_path() + "/.qmail-joe")
            words = {w for w, _ in site.findings()}
            assert "store" in words and len(words) > 1, words
            site.do("sync", "--full")
            got = site.popbox("backup", site.top + "/b")
            eq((got.rc, got.err.count("rule 15")), (0, 1), got)
            has(got.err, "ex1-0002")
            got = site.popbox("restore", site.top + "/b", "--yes")
            eq((got.rc, got.err.count("rule 15")), (0, 1), got)
            got = site.popbox("restore", site.top + "/b", "--dry-run")
            eq((got.rc, got.err.count("rule 15")), (0, 1), got)
            site.do("box", "del", "ex1-0002", "--yes")
            eq(site.popbox("check", "--store-only").rc, 1, "deleted, but there")
            site.do("box", "undelete", "ex1-0002")
            site.do("passwd", "ex1-0002", "--stdin", input=GOOD + "\n")
            site.do("check", "--store-only")


run()
