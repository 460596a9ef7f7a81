#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hashes that other programs make, taken with --hash-stdin and logged in by."""
import hashlib
import json
import os
import resource
import secrets
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from oldhashes import b64, by_program as make, phpass
from tap import GOOD, SANITIZED, Site, eq, has, hasnt, run, skip, test

PROGRAMS = (
    [("openssl", "passwd", f) for f in ("-1", "-5", "-6")] +
    [("mkpasswd", "-m", m) for m in (
        "yescrypt", "gost-yescrypt", "scrypt", "sha512crypt", "sha256crypt",
        "md5crypt", "descrypt")] +
    [("mkpasswd", "-R", "5", "-m", m) for m in ("bcrypt", "bcrypt-a")] +
    [("htpasswd", "-nbB", "-C", "5", "x")] +
    [("argon2", "0123456789abcdef", "-id", "-m", "10", "-e"),
     ("argon2", "8 bytes.", "-i", "-p", "2", "-m", "11", "-e")] +
    [("doveadm", "pw", "-s", s, "-p") for s in (
        "SSHA256", "SSHA512.hex", "SHA512", "SHA256-CRYPT")])


@test("hashes of other programs, made just now, log in")
def fresh():
    used = set()
    with Site().joe() as site:
        for program in PROGRAMS:
            password = "p" + secrets.token_hex(4)[:7]
            text = make(program, password)
            if not text:
                continue
            used.add(program[0])
            got = site.popbox("passwd", "joe@example.com", "--hash-stdin",
                              "--legacy-ok", input=text + "\n")
            eq(got.rc, 0, f"{program}: {text}: {got}")
            weak = program[-1] in ("-1", "md5crypt", "descrypt")
            (has if weak else hasnt)(got.err, "wrapped in argon2id")
            eq(site.login(password=password).rc, 0, f"{program}: {text}")
            eq(site.login(password=password[:-1] + "~").rc, 1, f"{program}")
    if not used:
        skip("no program here that makes hashes")
    print("# made by " + " ".join(sorted(used)))


def old_hashes(password):
    """What programs that are left for popbox have in their tables."""
    word, salt = password.encode(), b"NaCl salt\0\xff"
    def stretched(kind, salt=salt, rounds=1200):
        return hashlib.pbkdf2_hmac(kind, word, salt, rounds)
    md5, sha = hashlib.md5(word), hashlib.sha1(word)
    yield "{MD5}" + b64(md5.digest())
    yield "{LDAP-MD5}" + b64(md5.digest())
    yield "{PLAIN-MD5}" + md5.hexdigest()
    yield "{plain-md5.b64}" + b64(md5.digest())
    yield "{SMD5}" + b64(hashlib.md5(word + salt).digest() + salt)
    yield "{SHA}" + b64(sha.digest())
    yield "{SHA1.hex}" + sha.hexdigest().upper()
    yield "{SSHA}" + b64(hashlib.sha1(word + salt).digest() + salt)
    yield "{SSHA}" + b64(hashlib.sha1(word + salt).digest() + salt, end="")
    yield "{SSHA.HEX}" + (hashlib.sha1(word + salt).digest() + salt).hex()
    yield "{SSHA-512}" + b64(hashlib.sha512(word + salt).digest() + salt)
    yield "$P$" + phpass(word)
    yield "$H$" + phpass(word)
    for kind, tag in (("sha1", ""), ("sha256", "-sha256"), ("sha512", "-sha512")):
        yield f"$pbkdf2{tag}$1200${b64(salt, '.', '')}$" + \
            b64(stretched(kind), ".", "")
        yield f"{{PBKDF2{tag.upper()}}}1200${b64(salt, '.', '')}$" + \
            b64(stretched(kind), ".", "")
        yield f"pbkdf2:{kind}:1200$NaCl$" + stretched(kind, b"NaCl").hex()
    yield "pbkdf2_sha256$1200$NaCl$" + b64(stretched("sha256", b"NaCl"))
    yield "pbkdf2_sha1$1200$NaCl$" + b64(stretched("sha1", b"NaCl"))
    yield "{PBKDF2}$1$NaCl$1200$" + stretched("sha1", b"NaCl").hex()
    for scheme in ("SSHA", "SMD5", "SHA", "LDAP-MD5", "PLAIN-MD5", "CRAM-MD5",
                   "PBKDF2", "SCRAM-SHA-1", "SCRAM-SHA-256", "MD5-CRYPT"):
        text = make(("doveadm", "pw", "-s", scheme, "-p"), password)
        if text:
            yield text
    if len(word) < 60:
        yield make(("openssl", "passwd", "-apr1"), password)


# MD4 is in no library that tests have: made once by another program.
NT = "8846f7eaee8fb117ad06bdd830b7586c"  # of "password"


@test("what nobody should hash with any more logs in, wrapped: MD5, SHA-1, NT, "
      "CRAM-MD5, PBKDF2, SCRAM, phpass, apr1, in every way of writing them")
def old():
    tried = 0
    with Site(qmail=False).joe() as site:
        def check(text, password):
            got = site.popbox("passwd", "joe@example.com", "--hash-stdin",
                              input=text + "\n")
            eq(got.rc, 0, (text, password, got))
            (hasnt if text.startswith("{SSHA-512}") else has)(
                got.err, "wrapped in argon2id")
            eq(site.login(password=password).rc, 0, text)
            eq(site.login(password=password + "~").rc, 1, text)
        for password in ("quite a secret", "p\u00e4ss Word{42} \U0001f600",
                         "long " * 30):
            for text in old_hashes(password):
                check(text, password)
                tried += 1
        for text in ("{NT}", "{NTLM}", "$3$$"):
            check(text + NT, "password")
        with open(site.store + "/data.mdb", "rb") as file:
            data = file.read()
        assert b"$wrap${NT}$argon2id$" in data
        eq(site.popbox("check", "--store-only").rc, 0)
        site.fails(100, "looks like a hash", "passwd", "joe@example.com",
                   "--stdin", input="pbkdf2_sha256$1$a$b\n")
    print(f"# {tried} hashes")


@test("a weak hash lies wrapped in the store, and nowhere as it was")
def at_rest():
    with Site().joe() as site:
        inner = "MmFWWMTAUzKJ5C8TfG/xe/"
        site.do("passwd", "joe@example.com", "--hash-stdin",
                input=f"$1$jmTogLq1${inner}\n")
        eq(site.login(password="p\u00e4ss Word{42}").rc, 0)
        with open(site.store + "/data.mdb", "rb") as file:
            data = file.read()
        assert b"$wrap$$1$jmTogLq1$$argon2id$" in data
        assert inner.encode() not in data


@test("what is no hash of ours is refused by name, with the next step")
def refused():
    with Site().joe() as site:
        for text, part in (
                ("xlA066N2f9tKE", "--legacy-ok"),
                ("{SSHA}c2FsdA==", "malformed"),
                ("{LANMAN}e52cac67419a9a22", "LANMAN"),
                ("{PLAIN}secret words", "--stdin"),
                ("{PBKDF2}$1$salt$4096$aabb", "malformed"),
                (f"{{PBKDF2}}$1$salt$1000001${'a' * 40}", "cost caps"),
                ("5f4dcc3b5aa765d61d8327deb882cf99", "MD5"),
                ("$6$rounds=9999999$salt$" + "a" * 85 + ".", "cost caps"),
                ("$6$cut", "malformed"),
                ("hello world", "--no-password"),
                ("$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz0123.",
                 "cost caps")):
            site.fails(100, part, "passwd", "joe@example.com", "--hash-stdin",
                       input=text + "\n")
        eq(site.login().rc, 0, "the old password still is")
        site.fails(100, "looks like a hash", "passwd", "joe@example.com",
                   "--stdin", input="{SSHA256}84wVFwR2ZrdYJEuxnO9wdHvfSC+q\n")
        site.do("passwd", "joe@example.com", "--stdin",
                input=secrets.token_hex(16) + "\n")


@test("tune measures, names the hardest cost within the target, changes nothing")
def tune():
    with Site() as site:
        before = site.do("config", "list")
        got = site.popbox("--json", "tune", "--target", "10000")
        rows = [json.loads(line) for line in got.out.splitlines()]
        eq([r["argon2_kib"] for r in rows if r["now"]], [1024])
        assert all(r["ms"] > 0 and r["logins_per_second"] > 0 for r in rows)
        has(got.err, "argon2_kib 262144")
        has(got.err, "'refuse_delay_ms' (0) should be greater")
        site.fails(2, "milliseconds from 1", "tune", "--target", "soon")
        eq(site.do("config", "list"), before)
        # What cannot be had is said, not counted as quick.
        got = site.popbox("tune", preexec=None if SANITIZED else
                          lambda: resource.setrlimit(
                              resource.RLIMIT_AS, (120 << 20,) * 2))
        has(got.out, "LOGINS/S")
        assert SANITIZED or "no memory" in got.out, got


@test("a new password with letters outside of ASCII is taken with a warning, or "
      "refused by a setting, at every way in")
def letters():
    with Site(qmail=False).joe() as site:
        odd = "h\u00fctte words long"
        ways = ((("passwd", "joe@example.com", "--stdin"), odd + "\n"),
                (("box", "add", "a@example.com", "--stdin"), odd + "\n"),
                (("import", "-"), f"address,password\nb@example.com,{odd}\n"))
        for words, input in ways:
            got = site.popbox(*words, input=input)
            eq(got.rc, 0, got)
            has(got.err, "outside of ASCII")
            has(got.err, "clients")
        for name in ("joe", "a", "b"):
            eq(site.login(name + "@example.com", odd).rc, 0)
            # What a mail program of the other kind sends is another password.
            eq(site.login(name + "@example.com", odd.encode("latin-1")).rc, 1)
        got = site.popbox("verify", "joe@example.com", "--stdin",
                          input=odd + "\n")
        hasnt(got.err, "ASCII")
        site.do("config", "set", "password_letters", "ascii")
        for words, input in (*ways, ((*ways[0][0], "--force"), ways[0][1])):
            words = tuple(w.replace("a@", "c@") for w in words)
            site.fails(100, "'password_letters' forbids", *words,
                       input=input.replace("b@", "d@"))
        eq(site.login("joe@example.com", odd).rc, 0, "what is there stays")
        for letter in ("\x7f", "~"):
            site.do("passwd", "joe@example.com", "--stdin",
                    input=f"all of 42 {letter} letters\n")
        site.do("passwd", "joe@example.com", "--generate")
        site.fails(100, "none of those", "config", "set", "password_letters",
                   "some")


run()
