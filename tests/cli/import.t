#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox import: every format and its quirks, all or nothing, undo."""
import csv
import io
import json
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GID, GOOD, POPBOX, UID, Site, eq, has, hasnt, run, skip, test

HEAD = "address,password,handle\n"


def put(site, name, content):
    path = f"{site.top}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes)
                   else content.encode())
    return path


def output(*command, **kw):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          **kw).stdout.strip()


def last(site):
    return len(site.do("log").splitlines())


def addresses(site):
    return {o["address"]: o for o in
            map(json.loads, site.do("--json", "address",
                                    "list").splitlines())}


def boxes(site):
    return {o["box"]: o for o in
            map(json.loads, site.do("--json", "box", "list").splitlines())}


def accepted(site, login, password):
    got = site.popbox("verify", login, "--stdin", input=password + "\n")
    eq(got.rc, 0, f"{login}: {got}")


def counts(site, *args, rc=0):
    got = site.popbox("--json", "import", *args)
    eq(got.rc, rc, got)
    return json.loads(got.out.splitlines()[-1])


@test("a csv makes domains, boxes, addresses and files; each logs in; the same "
      "file again changes nothing")
def simple():
    with Site() as site:
        path = put(site, "new.csv",
                   "Address;Password;Name;Handle;forward;quota\n"
                   'joe@example.com;correct horse;"Joe ""J"" Doe";ex1;;10M\n'
                   "ann@example.com;another one;Ann;ex1;bob@x.org sue@y.org;\n"
                   "*@example.com;;;ex1;joe@example.com;\n"
                   "joe@ex\u00e4mple.org;third word;J\u00f6;ex2;;\n")
        got = site.popbox("import", path)
        eq(got.rc, 0, got)
        has(got.err, "4 created")
        accepted(site, "joe@example.com", "correct horse")
        accepted(site, "joe@xn--exmple-cua.org", "third word")
        accepted(site, "joe@ex\u00e4mple.org", "third word")
        box = boxes(site)["ex1-0001"]
        eq((box["name"], box["quota"]), ('Joe "J" Doe', 10 << 20))
        eq(addresses(site)["ann@example.com"]["forwards"],
           ["bob@x.org", "sue@y.org"])
        for who in ("joe", "ann", "postmaster", "whoever"):
            eq(site.deliver(who + "@example.com").rc, 0, who)
        site.sound()
        before, tree = last(site), site.tree()
        got = counts(site, path)
        eq((got["same"], got["created"], got["entry"]), (4, 0, None))
        eq((last(site), site.tree()), (before, tree))


@test("a dry run says create, change, same and conflict for each row, and "
      "changes nothing")
def dry():
    with Site() as site:
        site.joe()
        before, tree = last(site), site.tree()
        path = put(site, "a.csv", "address,password,name\n"
                   f"joe@example.com,{GOOD},\n"
                   "ann@example.com,brand new word,Ann\n")
        got = site.popbox("import", "--dry-run", path)
        eq(got.rc, 0, got)
        has(got.out, f"{path}:2: same joe@example.com ex1-0001")
        has(got.out, f"{path}:3: create ann@example.com ex1-0002")
        path = put(site, "b.csv", "address,password,name\n"
                   "joe@example.com,another word,Joe\n")
        got = site.fails(100, f"{path}:2: joe@example.com: it is there with "
                         "another password, name (--update", "import",
                         "--dry-run", path)
        got = site.popbox("import", "--dry-run", "--update", "-v", path)
        has(got.out, "change joe@example.com ex1-0001 (password, name)")
        path = put(site, "c.csv", HEAD + "x@new.org,some words,ex9\n")
        got = site.popbox("import", "--dry-run", "-v", path,
                          "--credentials", site.top + "/c", "--generate")
        has(got.out, "/control/rcpthosts: + new.org")
        has(got.out, "POP/ex9-0001/: Maildir")
        eq((last(site), site.tree()), (before, tree))
        assert not os.path.exists(site.top + "/c")


@test("--update changes what differs, and that alone; one command takes all "
      "back that can be")
def update():
    with Site() as site:
        site.joe()
        path = put(site, "u.csv", "address,name,login,delivery,forward,reason\n"
                   "joe@example.com,Joe,off,hold,a@b.org,gone away\n")
        before = site.do("--json", "box", "show", "joe@example.com")
        number = counts(site, path, "--update")["entry"]
        box = json.loads(site.do("--json", "box", "show", "joe@example.com"))
        eq((box["name"], box["login"], box["delivery"], box["reason"]),
           ("Joe", False, "hold", "gone away"))
        eq(box["password_changed"], json.loads(before)["password_changed"])
        eq(addresses(site)["joe@example.com"]["forwards"], ["a@b.org"])
        eq(site.deliver("joe@example.com").rc, 111)
        site.do("undo", str(number))
        accepted(site, "joe@example.com", GOOD)
        box = json.loads(site.do("--json", "box", "show", "joe@example.com"))
        eq((box["name"], box["login"], box["delivery"]), ("", True, "on"))
        site.sound()


@test("with one bad row nothing is changed; each is named by file, line and "
      "reason; --skip-bad takes the others and writes the bad ones")
def bad():
    with Site() as site:
        site.joe()
        rows = [
            "ok@example.com,good words,ex1",
            "no-at-sign,x y z,ex1",
            "joe@example.com,other words,ex1",
            "two words@example.com,x y z,ex1",
            "a@nowhere.org,x y z,",
            "b@example.com,,ex1",
            "c@example.com, leading,ex1",
            "d@example.com,$6$looks$like,ex1",
            "e@example.com,x y z,ex2",
            "f@example.com,x y z,Ex_1",
            "g@example.com,x,y,ex1",
            "default@example.com,x y z,ex1",
            "ok@example.com,good words,ex1",
            "ok@example.com,other words,ex1",
            "h@example.com,\"half",
        ]
        path = put(site, "bad.csv", HEAD + "\n".join(rows) + "\n")
        before, tree = last(site), site.tree()
        got = site.popbox("import", path)
        eq(got.rc, 100, got)
        for line, reason in ((3, "user@domain"), (5, ""), (6, "name its handle"),
                             (7, "no password"), (8, "blank"),
                             (9, "looks like a hash"), (10, "belongs to the "
                             "handle 'ex1'"), (11, "handle"),
                             (12, "too many fields"), (13, "reserved"),
                             (15, "line 2 has other values"),
                             (16, "never ends")):
            lines = [l for l in got.err.splitlines()
                     if f"{path}:{line}: " in l]
            eq(len(lines), 1, f"line {line} in {got.err}")
            has(lines[0], reason)
        has(got.err, "12 rows cannot be imported: nothing was changed")
        eq((last(site), site.tree()), (before, tree))
        skipped = site.top + "/skipped"
        got = site.popbox("import", path, "--skip-bad", skipped)
        eq(got.rc, 1, got)
        has(got.err, f"rows that were rejected: 13 (correct them in "
            f"'{skipped}'")
        has(got.err, "1 created")
        has(got.err, "it is there with another password")
        eq(stat.S_IMODE(os.stat(skipped).st_mode), 0o600)
        with open(skipped) as file:
            text = file.read()
        assert text.startswith(HEAD), text
        eq(len(text.splitlines()), 1 + 13, text)
        hasnt(text, "good words")
        site.sound()
        site.fails(100, "exists", "import", path, "--skip-bad", skipped)
        path = put(site, "bad2.csv", HEAD + "x@example.com,,ex1\n")
        site.fails(2, "standard input", "import", "-", "--skip-bad", "x")


@test("byte order mark, CR LF, tabs, quoted newlines, blank lines, no last "
      "newline: all are read; standard input too")
def quirks():
    with Site() as site:
        good = [
            b"\xef\xbb\xbfaddress,password,handle\r\na@q.org,words one,q\r\n",
            b"ADDRESS\tPassword\tHandle\nb@q.org\twords two\tq",
            b'"address","password","handle"\n\n"c@q.org","comma, words","q"\n',
            b'handle,note,password,address\nq,"line\nbreak",words four,d@q.org'
            b"\n",
            b"local;domain;password;handle\nE;Q.org;words; five\n"
            .replace(b"words; five", b"words five;q"),
        ]
        for number, content in enumerate(good):
            args = ["--ignore-unknown"] if b"note" in content else []
            got = site.popbox("import", "-", *args, input=content)
            eq(got.rc, 0, f"{number}: {got}")
        accepted(site, "a@q.org", "words one")
        accepted(site, "b@q.org", "words two")
        accepted(site, "c@q.org", "comma, words")
        accepted(site, "d@q.org", "words four")
        accepted(site, "e@q.org", "words five")


@test("broken UTF-8, NUL, a lone CR, no header, an unknown column, a "
      "column twice, an empty file: each is refused by line, and says why")
def refused():
    with Site() as site:
        before = last(site)
        for content, why in (
                (b"address,password\na@b.org,\xff\x81 words\n", ":2: it is "
                 "not UTF-8"),
                (b"address,password\na@b.org,x\0y\n", ":2: it has a NUL"),
                (b"address,password\na@b.org,x\ry z\n", ":2: it has a "
                 "carriage return inside"),
                (b"joe@b.org,some words\n", "has no header"),
                (b"address,password,shoe\n", "column 'shoe': the header has "
                 "a column that is not known (--map"),
                (b"address,password,Password\n", "column 'Password': the "
                 "header has this column twice"),
                (b"name,password\nx,y\n", "no column 'address'"),
                (b"", "is empty"),
                (b"address,password\n\"a\"b@c.org,words\n", "a quote stands"),
                (b"address,password\n" + b"a" * 70000 + b",x\n", "65536")):
            got = site.popbox("import", "-", input=content)
            assert got.rc in (100, 2), got
            has(got.err, why)
        eq(last(site), before)
        got = site.popbox("import", "-", input=b"address,password\n")
        eq(got.rc, 0, got)
        hasnt(got.err, "created")
        site.fails(100, "No such file", "import", site.top + "/nowhere.csv")
        site.fails(2, "no format 'x'", "import", "--format", "x", "-")


@test("a line without end is refused, and costs no memory")
def endless():
    size = int(os.environ.get("BIG", 64 << 20))

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
    with Site() as site:
        zeros = subprocess.Popen(["head", "-c", str(size), "/dev/zero"],
                                 stdout=subprocess.PIPE)
        letters = subprocess.Popen(["tr", "\\0", "a"], stdin=zeros.stdout,
                                   stdout=subprocess.PIPE)
        done = subprocess.run(
            [POPBOX, "-d", site.store, "import", "-"], stdin=letters.stdout,
            capture_output=True, preexec_fn=None if "san" in POPBOX else limit)
        for process in (zeros, letters):
            process.stdout.close()
            process.wait()
        eq(done.returncode, 100, done)
        has(done.stderr.decode(), ":1: the line has more than 65536 bytes")


@test("generated passwords are in the file of them alone, which must not "
      "exist; those that are there already are not generated again")
def credentials():
    with Site() as site:
        path = put(site, "g.csv", "address,handle,password\na@g.org,g,\n"
                   "b@g.org,g,given words\n")
        kept = site.top + "/credentials"
        site.fails(100, "it has no password", "import", path)
        site.fails(2, "--credentials FILE", "import", path, "--generate")
        got = site.popbox("import", path, "--generate", "--credentials", kept)
        eq(got.rc, 0, got)
        eq(stat.S_IMODE(os.stat(kept).st_mode), 0o600)
        with open(kept) as file:
            rows = list(csv.DictReader(file))
        eq([r["address"] for r in rows], ["a@g.org"])
        eq(len(rows[0]["password"]), 20)
        accepted(site, "a@g.org", rows[0]["password"])
        accepted(site, "b@g.org", "given words")
        site.fails(100, "File exists", "import", path, "--generate",
                   "--credentials", kept)
        got = site.popbox("import", path, "--generate", "--credentials",
                          kept + "2")
        has(got.err, "2 unchanged")
        assert not os.path.exists(kept + "2")
        path = put(site, "h.csv", "address,handle,hash\nc@g.org,g,*\n")
        site.do("import", path)
        eq(boxes(site)[addresses(site)["c@g.org"]["box"]]["password"], False)


@test("hashes are taken as they are, weak ones wrapped, DES only for those who "
      "insist, those that nobody computes by --locked alone")
def hashes():
    with Site() as site:
        rows = {
            "sha512": output("mkpasswd", "-m", "sha-512", "words sha512"),
            "sha256": output("mkpasswd", "-m", "sha-256", "words sha256"),
            "yes": output("mkpasswd", "-m", "yescrypt", "words yes"),
            "bcrypt": output("htpasswd", "-nbB", "x", "words bcrypt")[2:],
            "md5": output("openssl", "passwd", "-1", "words md5"),
            "ssha": output("doveadm", "pw", "-s", "SSHA512", "-p",
                           "words ssha"),
            "argon": output("doveadm", "pw", "-s", "ARGON2ID", "-p",
                            "words argon"),
        }
        text = "address,hash,handle\n" + "".join(
            f'{name}@h.org,"{value}",h\n' for name, value in rows.items())
        path = put(site, "h.csv", text)
        eq(counts(site, path)["created"], len(rows))
        for name in rows:
            accepted(site, name + "@h.org", "words " + name)
        eq(counts(site, path)["same"], len(rows))
        des = put(site, "des.csv", "address,hash,handle\ndes@h.org," +
                  output("mkpasswd", "-m", "des", "wordsdes") + ",h\n")
        site.fails(100, "--legacy-ok", "import", des)
        site.do("import", "--legacy-ok", des)
        accepted(site, "des@h.org", "wordsdes")
        old = put(site, "old.csv", "address,hash,handle\nnt@h.org," +
                  "{NTLM}0CB6948805F797BF2A82807973B89537,h\n"
                  "pb@h.org," + output("doveadm", "pw", "-s", "PBKDF2", "-p",
                                       "words") + ",h\n")
        site.do("import", old)
        accepted(site, "nt@h.org", "test")
        accepted(site, "pb@h.org", "words")
        eq(counts(site, old)["same"], 2)
        nt = put(site, "nt.csv", "address,hash,handle\nlm@h.org," +
                 "{LANMAN}e52cac67419a9a224a3b108f3fa6cb6d,h\n"
                 "dm@h.org,{DIGEST-MD5}5f4dcc3b5aa765d61d8327deb882cf99,h\n")
        got = site.fails(100, "lm@h.org: the hash is of a scheme that is not "
                         "computed here", "import", nt)
        has(got.err, "dm@h.org: the hash is of a scheme")
        got = site.popbox("import", nt, "--locked")
        has(got.err, "2 boxes without a password now")
        bad = put(site, "bad.csv", "address,hash,handle\nx@h.org,$6$x$y,h\n"
                  "y@h.org,hello,h\n")
        got = site.fails(100, "x@h.org: the hash is malformed", "import", bad)
        has(got.err, "y@h.org: this is no hash")
        both = put(site, "both.csv", "address,hash,password,handle\n"
                   "z@h.org,*,words,h\n")
        site.fails(100, "both a password and a hash", "import", both)


@test("a wrapped hash knows the old one again")
def wrapped_again():
    with Site() as site:
        value = output("mkpasswd", "-m", "sha-512", "words one")
        path = put(site, "w.csv", f"address,hash,handle\na@w.org,{value},w\n")
        site.do("import", path)
        site.do("harden", "--yes")
        eq(counts(site, path)["same"], 1)
        accepted(site, "a@w.org", "words one")
        site.fails(100, "another password", "import", put(
            site, "x.csv", "address,hash,handle\na@w.org," +
            output("mkpasswd", "-m", "sha-512", "words two") + ",w\n"))


@test("boxes keep the numbers that a file names; none is given twice; others "
      "get the next ones")
def numbers():
    with Site() as site:
        path = put(site, "n.csv", "address,hash,handle,box\n"
                   "a@n.org,*,n,\nb@n.org,*,n,n-0007\nc@n.org,*,n,n-0002\n"
                   "d@n.org,*,n,n-0007\n,*,,n-0004\ne@n.org,*,n,m-0003\n")
        eq(counts(site, path)["created"], 6)
        where = {k: v["box"] for k, v in addresses(site).items()}
        eq({k: where[k] for k in where if not k.startswith("post")},
           {"a@n.org": "n-0008", "b@n.org": "n-0007", "c@n.org": "n-0002",
            "d@n.org": "n-0007", "e@n.org": "m-0003"})
        eq(sorted(boxes(site)),
           ["m-0003", "n-0002", "n-0004", "n-0007", "n-0008", "n-0009"])
        site.fails(100, "was given before", "import", put(
            site, "m.csv", "address,hash,box\nx@n.org,*,n-0005\n"))
        site.fails(100, "line 2 has other values", "import", put(
            site, "o.csv", "address,password,box\nx@n.org,words a,n-0020\n"
            "y@n.org,words b,n-0020\n"))
        site.do("domain", "add", "alias.org", "--alias-of", "n.org")
        site.fails(100, "another name of 'n.org'", "import", put(
            site, "p.csv", "address,hash\nx@alias.org,*\n"))
        site.sound()


@test("a whole import is undone by one command, and by --undelete comes back "
      "with the same numbers and its mail")
def undo():
    with Site() as site:
        path = put(site, "v.csv", HEAD + "a@v.org,words a,v\n"
                   "b@v.org,words b,v\nc@w.org,words c,w\n")
        number = counts(site, path)["entry"]
        eq(site.deliver("a@v.org").rc, 0)
        site.do("undo", str(number))
        eq((boxes(site), addresses(site)), ({}, {}))
        eq(site.control("rcpthosts"), "localhost\n")
        eq(site.popbox("verify", "a@v.org", "--stdin",
                       input="words a\n").rc, 1)
        site.fails(100, "--undelete undeletes it", "import", path)
        got = counts(site, path, "--undelete")
        eq((got["undeleted"], got["created"]), (3, 0))
        eq(addresses(site)["a@v.org"]["box"], "v-0001")
        eq(site.mails("v-0001"), 1)
        for who in ("a@v.org", "b@v.org", "c@w.org"):
            accepted(site, who, "words " + who[0])
            eq(site.deliver(who).rc, 0)
        eq(site.deliver("postmaster@v.org").rc, 0)
        site.sound()
        site.do("undo", str(got["entry"]))
        eq(boxes(site), {})


@test("cPanel, Google, Postfixadmin: found from their headers")
def headers():
    with Site() as site:
        sha = output("mkpasswd", "-m", "sha-512", "words joe")
        md5 = output("openssl", "passwd", "-1", "words ann")
        site.do("import", "--handle", "c", put(
            site, "c.csv", "Email,Password,Quota,Domain\n"
            "joe,words joe,250,cp.org\nann@cp.org,words ann,0,\n"))
        eq(boxes(site)["c-0001"]["quota"], 250 << 20)
        accepted(site, "joe@cp.org", "words joe")
        google = put(
            site, "g.csv", "First Name [Required],Last Name [Required],Email "
            "Address [Required],Password [Required],Password Hash Function "
            "[UPLOAD ONLY],Org Unit Path [Required]\n"
            "Joe,Doe,joe@goo.org,words joe,,/\n"
            f"Ann,Lee,ann@goo.org,{md5},crypt,/\n"
            "Bob,B,bob@goo.org,5f4dcc3b5aa765d61d8327deb882cf99,MD5,/\n")
        site.fails(100, ":4: bob@goo.org: the hash is of a scheme", "import",
                   "--handle", "g", google)
        site.do("import", "--handle", "g", "--locked", google)
        eq(boxes(site)["g-0001"]["name"], "Joe Doe")
        accepted(site, "ann@goo.org", "words ann")
        keep = put(site, "k.csv", "Email Address [Required],Password "
                   "[Required]\njoe@goo.org,****\n")
        eq(counts(site, keep)["same"], 1)
        site.do("import", "--handle", "p", put(
            site, "p.csv", "username,password,name,maildir,quota,local_part,"
            "domain,created,modified,active\n"
            f"joe@pfa.org,{sha},Joe,pfa.org/joe/,10240,joe,pfa.org,x,x,1\n"
            f"ann@pfa.org,{{MD5-CRYPT}}{md5},Ann,,0,ann,pfa.org,x,x,0\n"))
        accepted(site, "joe@pfa.org", "words joe")
        eq(site.popbox("verify", "ann@pfa.org", "--stdin",
                       input="words ann\n").rc, 1)
        got = site.popbox("import", put(
            site, "a.csv", "address,goto,domain,created,modified,active\n"
            "joe@pfa.org,joe@pfa.org,pfa.org,x,x,1\n"
            "sales@pfa.org,\"joe@pfa.org,ann@pfa.org\",pfa.org,x,x,1\n"
            "old@pfa.org,joe@pfa.org,pfa.org,x,x,0\n"
            "@pfa.org,joe@pfa.org,pfa.org,x,x,1\n"))
        eq(got.rc, 0, got)
        has(got.err, "an alias of itself")
        has(got.err, "an alias that is not active")
        eq(addresses(site)["sales@pfa.org"]["forwards"],
           ["joe@pfa.org", "ann@pfa.org"])
        assert "*@pfa.org" in addresses(site)
        assert "old@pfa.org" not in addresses(site)


@test("a passwd-file of Dovecot's, and shadow, as their own programs write them")
def passwd_files():
    with Site() as site:
        def pw(scheme, words):
            return output("doveadm", "pw", "-s", scheme, "-p", words)
        path = put(site, "users", "# users\n"
                   f"joe@d.org:{pw('SHA512-CRYPT', 'words joe')}:::::\n"
                   f"ann:{pw('SSHA256', 'words ann')}\n"
                   f"bob:{pw('BLF-CRYPT', 'words bob')}:500:500:Bob,room 1:/h"
                   "/bob::userdb_quota_rule=*:storage=10M nologin=y "
                   "userdb_mail=maildir:/h/bob/mail:INDEX=/x\n"
                   "sue:{PLAIN}words sue::::::\n")
        site.fails(100, ":3: it has no domain", "import", path, "--format",
                   "dovecot", "--handle", "d")
        got = site.popbox("import", path, "--format", "dovecot", "--handle",
                          "d", "--domain", "d.org")
        eq(got.rc, 0, got)
        for who in ("joe", "ann", "sue"):
            accepted(site, who + "@d.org", "words " + who)
        box = boxes(site)["d-0003"]
        eq((box["name"], box["quota"], box["login"]),
           ("Bob", 10 << 20, False))
        sha = output("mkpasswd", "-m", "sha-512", "words joe")
        path = put(site, "shadow", f"joe:{sha}:19000:0:99999:7:::\n"
                   f"ann:!{sha}:19000::::::\nbob:*:1::::::\neve::1::::::\n")
        site.fails(100, ":4: eve@s.org: its password is empty", "import",
                   path, "--handle", "s", "--domain", "s.org")
        site.fails(1, "rejected: 1", "import", path, "--handle", "s",
                   "--domain", "s.org", "--skip-bad", site.top + "/rest")
        accepted(site, "joe@s.org", "words joe")
        eq(site.popbox("verify", "ann@s.org", "--stdin",
                       input="words joe\n").rc, 1)
        site.do("box", "resume", "ann@s.org")
        accepted(site, "ann@s.org", "words joe")
        with open(site.top + "/rest") as file:
            eq(file.read(), "eve::1::::::\n")


@test("a foreign tree that cannot be read to its end is not taken in part",
      root=True, plain=True)
def unread_tree():
    with Site(qmail=False).joe() as site:
        top = vpopmail(site)
        for path in (top, top + "/v.org", top + "/0"):
            got = site.popbox("import", top, "--format", "vpopmail",
                              "--handle", "ex1", "--dry-run", prefix=(
                "strace", "-f", "-o", "/dev/null", "-P", path, "-e",
                "trace=getdents64", "-e", "inject=getdents64:error=EIO"))
            eq(got.rc, 111, (path, got))
            has(got.err, "Input/output error")
        for path in (top + "/v.org", top + "/v.org/vpasswd"):
            got = site.popbox("import", top, "--format", "vpopmail",
                              "--handle", "ex1", "--dry-run", prefix=(
                "strace", "-f", "-o", "/dev/null", "-P", path, "-e",
                "trace=newfstatat", "-e", "inject=newfstatat:error=EIO"))
            eq(got.rc, 111, (path, got))


def vpopmail(site, uid=None):
    md5 = output("openssl", "passwd", "-1", "words joe")
    top = site.top + "/vpopmail/domains"
    where = f"{top}/v.org"
    put(site, "vpopmail/domains/v.org/vpasswd",
        f"postmaster:{md5}:1:0:Postmaster:{where}/postmaster:NOQUOTA:words\n"
        f"joe:{md5}:1:0:Joe Doe:{where}/joe:10485760S,1000C\n"
        f"ann:{md5}:1:2:Ann:{where}/ann:10MB\n")
    put(site, "vpopmail/domains/v.org/.qmail-default",
        "| /home/vpopmail/bin/vdelivermail '' bounce-no-mailbox\n")
    put(site, "vpopmail/domains/v.org/.qmail-sales",
        f"{where}/joe/Maildir/\n&extern@x.org\n")
    put(site, "vpopmail/domains/v.org/.qmail-list:one",
        "|/usr/bin/ezmlm-send /somewhere\n")
    put(site, "vpopmail/domains/0/w.org/vpasswd",
        f"joe:{md5}:1:0:Joe:{top}/0/w.org/joe:NOQUOTA\n")
    put(site, "vpopmail/domains/0/w.org/.qmail-default",
        f"| /home/vpopmail/bin/vdelivermail '' {top}/0/w.org/joe\n")
    os.symlink("/etc/shadow", where + "/.qmail-evil")
    for user, names in (("joe", ["new/1.1.host", "cur/2.2.host:2,S",
                                 "cur/3.3.host,S=6:2,RS"]),
                        ("ann", ["new/4.4.host"])):
        for part in ("cur", "new", "tmp"):
            os.makedirs(f"{where}/{user}/Maildir/{part}", exist_ok=True)
        for name in names:
            put(site, f"vpopmail/domains/v.org/{user}/Maildir/{name}",
                f"Subject: {name}\n\nhello\n")
    os.symlink("/etc/shadow", f"{where}/joe/Maildir/new/9.9.evil")
    if uid is not None:
        subprocess.run(["chown", "-R", "-h", f"{uid}:{uid}", site.top +
                        "/vpopmail"], check=True)
    return top


@test("vpopmail's tree: users, flags, quotas, catch-all, aliases; programs are "
      "listed, links are not followed")
def tree():
    with Site() as site:
        top = vpopmail(site)
        got = site.popbox("import", top, "--handle", "v")
        eq(got.rc, 100, got)
        has(got.err, ".qmail-evil: evil@v.org: Too many levels")
        has(got.err, ".qmail-list:one: skipped: unmanaged: it runs")
        os.unlink(top + "/v.org/.qmail-evil")
        got = site.popbox("import", top, "--handle", "v")
        eq(got.rc, 0, got)
        has(got.err, "mail for unknown users is sent back")
        accepted(site, "joe@v.org", "words joe")
        accepted(site, "joe@w.org", "words joe")
        eq(site.popbox("verify", "ann@v.org", "--stdin",
                       input="words joe\n").rc, 1)
        known = addresses(site)
        eq(known["sales@v.org"]["forwards"], ["joe@v.org", "extern@x.org"])
        eq(known["*@w.org"]["forwards"], ["joe@w.org"])
        assert "*@v.org" not in known and "list.one@v.org" not in known
        box = boxes(site)[known["ann@v.org"]["box"]]
        eq((box["quota"], box["services_off"], box["name"]),
           (10 << 20, ["pop"], "Ann"))
        site.sound()
        site.fails(100, "no directory of a domain", "import", site.top +
                   "/store", "--handle", "v")


@test("--maildir copies the old mail with its file names, as its owner and as "
      "popusr, never twice", root=True)
def old_mail():
    with Site() as site:
        top = vpopmail(site, 4242)
        os.unlink(top + "/v.org/.qmail-evil")
        got = site.popbox("import", top, "--handle", "v", "--maildir")
        eq(got.rc, 0, got)
        has(got.err, "4 messages copied from 2 Maildirs")
        has(got.err, "there is no old mail")
        joe = site.box_path(addresses(site)["joe@v.org"]["box"])
        eq((sorted(os.listdir(joe + "/new")), sorted(os.listdir(joe + "/cur"))),
           (["1.1.host"], ["2.2.host:2,S", "3.3.host,S=6:2,RS"]))
        info = os.stat(joe + "/new/1.1.host")
        eq((info.st_uid, stat.S_IMODE(info.st_mode)), (UID, 0o600))
        eq(int(info.st_mtime),
           int(os.stat(f"{top}/v.org/joe/Maildir/new/1.1.host").st_mtime))
        with open(joe + "/cur/2.2.host:2,S") as file:
            has(file.read(), "Subject: cur/2.2.host")
        os.unlink(joe + "/new/1.1.host")  # he has read and deleted it
        put(site, "vpopmail/domains/v.org/joe/Maildir/new/5.5.host", "late\n")
        os.chown(f"{top}/v.org/joe/Maildir/new/5.5.host", 4242, 4242)
        got = site.popbox("import", top, "--handle", "v", "--maildir")
        has(got.err, "1 message copied from 2 Maildirs\npopbox: 4 messages copied before")
        eq(sorted(os.listdir(joe + "/new")), ["5.5.host"])
        site.sound()
        os.chown(f"{top}/v.org/joe/Maildir", 0, 0)
        got = site.fails(111, "belongs to root", "import", top, "--handle",
                         "v", "--maildir")
        has(got.err, "the mail of 1 box could not be copied")
        os.chown(f"{top}/v.org/joe/Maildir", 4242, 0)
        site.fails(111, "belongs to root", "import", top, "--handle", "v",
                   "--maildir")


def maildir(site, path, uid, names):
    for part in ("cur", "new", "tmp"):
        os.makedirs(f"{site.top}/{path}/{part}")
    for name in names:
        put(site, f"{path}/{name}", f"Subject: {name!r}\n\nhello\n")
    subprocess.run(["chown", "-R", "-h", f"{uid}:{uid}", f"{site.top}/{path}"],
                   check=True)


def copy(site, rc=0, *more):
    path = put(site, "m.csv", "address,hash,handle,maildir\n"
               "joe@m.org,*,m,h/joe/Maildir\n")
    got = site.popbox("import", path, "--maildir", "--maildir-base",
                      site.top, *more)
    eq(got.rc, rc, got)
    return got


@test("--maildir follows no link, and takes nothing that is popusr's: nobody "
      "gets another's mail", root=True)
def no_links():
    with Site() as site:
        maildir(site, "h/ann/Maildir", 4243, ["new/secret"])
        os.makedirs(site.top + "/h/joe")
        os.symlink("../ann/Maildir", site.top + "/h/joe/Maildir")
        has(copy(site, 111).err, "a link is in the way")
        eq(site.mails("m-0001"), 0)
        os.unlink(site.top + "/h/joe/Maildir")
        os.rmdir(site.top + "/h/joe")
        os.symlink("ann", site.top + "/h/joe")
        has(copy(site, 111).err, "a link is in the way")
        os.unlink(site.top + "/h/joe")
        maildir(site, "h/joe/Maildir", UID, ["new/x"])
        has(copy(site, 111).err, "belongs to popusr")
        eq(site.mails("m-0001"), 0)
        site.fails(2, "leave out --no-sync", "import", "-", "--maildir",
                   "--no-sync")


@test("what was copied before something failed is not copied again; one message "
      "that cannot be read holds up no other; names that are none are left",
      root=True)
def partly():
    with Site() as site:
        maildir(site, "h/joe/Maildir", 4242,
                ["new/1.a", "new/2.b", "new/3.c", "cur/4.d:2,S", "cur/a\nb:2,",
                 "cur/:2,S"])
        os.chown(site.top + "/h/joe/Maildir/new/2.b", 0, 0)
        os.chmod(site.top + "/h/joe/Maildir/new/2.b", 0o600)
        got = copy(site, 111)
        has(got.err, "cannot read '" + site.top + "/h/joe/Maildir/new/2.b'")
        has(got.err, "3 messages copied")
        has(got.err, "2 files skipped")
        where = site.box_path("m-0001")
        eq(sorted(os.listdir(where + "/new") + os.listdir(where + "/cur")),
           ["1.a", "3.c", "4.d:2,S"])
        os.unlink(where + "/new/1.a")
        os.chown(site.top + "/h/joe/Maildir/new/2.b", 4242, 4242)
        has(copy(site).err, "1 message copied from 1 Maildir\npopbox: 3 messages")
        eq(sorted(os.listdir(where + "/new")), ["2.b", "3.c"])
        eq(os.listdir(where + "/tmp"), [])


@test("copied mail that cannot be synced is told of, and copied no second time",
      root=True, plain=True)
def unsynced_copies():
    with Site() as site:
        maildir(site, "h/joe/Maildir", 4242, ["new/1.h"])
        path = put(site, "m.csv", "address,hash,handle,maildir\n"
                   "joe@m.org,*,m,h/joe/Maildir\n")
        words = ("import", path, "--maildir", "--maildir-base", site.top)
        got = site.popbox(*words, prefix=(
            "strace", "-f", "-o", "/dev/null", "-e", "trace=syncfs", "-e",
            "inject=syncfs:error=EIO"))
        if "ptrace" in got.err and "not permitted" in got.err:
            skip("no tracing here")
        eq(got.rc, 111, got)
        has(got.err, "Input/output error")
        got = site.popbox(*words)
        eq(got.rc, 0, got)
        eq(os.listdir(site.box_path("m-0001") + "/new"), ["1.h"])


@test("two copies into one box, and copies that are killed, leave each message "
      "once and whole", root=True, plain=True)
def copies():
    with Site() as site:
        names = [f"new/{n}.h" for n in range(150)]
        maildir(site, "h/joe/Maildir", 4242, names)
        copy(site, 0, "--dry-run")
        path = site.top + "/m.csv"
        command = [POPBOX, "-d", site.store, "import", path, "--maildir",
                   "--maildir-base", site.top]
        for delay in (0.02, 0.05, 0.08):
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            process.wait()
        both = [subprocess.Popen(command, stderr=subprocess.DEVNULL)
                for _ in range(2)]
        eq([p.wait() for p in both], [0, 0])
        where = site.box_path("m-0001")
        eq(sorted(os.listdir(where + "/new")), sorted(n[4:] for n in names))
        for name in names:
            with open(f"{where}/{name}") as file:
                eq(file.read(), f"Subject: {name!r}\n\nhello\n")
        eq(os.listdir(where + "/tmp"), [])


@test("in a tree of somebody else's no link and no pipe is followed, domain "
      "directories and vpasswd among them")
def tree_links():
    with Site() as site:
        top = site.top + "/d"
        os.makedirs(top + "/v.org")
        os.symlink("/etc/passwd", top + "/v.org/vpasswd")
        site.fails(100, "a link leads there", "import", top, "--handle", "v",
                   "--locked")
        os.unlink(top + "/v.org/vpasswd")
        os.mkfifo(top + "/v.org/vpasswd")
        site.fails(100, "not a regular file", "import", top, "--handle", "v",
                   timeout=20)
        eq(boxes(site), {})


@test("a box without an address comes back with its handle; numbers have an end; "
      "--generate again is no change; files that are links are refused alike")
def corners():
    with Site() as site:
        path = put(site, "b.csv", "address,box,hash,handle\n,f-0007,*,f\n")
        number = counts(site, path)["entry"]
        site.do("undo", str(number))
        eq(counts(site, path, "--undelete")["undeleted"], 1)
        site.fails(100, "too high a number", "import", put(
            site, "n.csv", "address,box,hash,handle\n"
            "x@f.org,f-4294967294,*,f\n"))
        path = put(site, "g.csv", "address,hash,handle\n"
                   "x@f.org,{NTLM}0CB6948805F797BF2A82807973B89537,f\n")
        more = ["--generate", "--credentials", site.top + "/c1"]
        eq(counts(site, path, *more)["created"], 1)
        more[2] += "2"
        eq(counts(site, path, *more)["same"], 1)
        os.symlink(site.top + "/nowhere", site.top + "/link")
        for dry in (["--dry-run"], []):
            site.fails(100, "File exists", "import", path, "--skip-bad",
                       site.top + "/link", *dry)


def vmailmgr_value(hash_, directory, forwards=(), name="", quota="-",
                   flags=b""):
    return (b"\2" + flags + b"\0" + hash_.encode() + b"\0" +
            directory.encode() + b"\0" +
            b"".join(f.encode() + b"\0" for f in forwards) + b"\0" +
            name.encode() + b"\0" + quota.encode() + b"\0" +
            b"-\0-\0-\0001000000000\0-\0")


def cdb(path, pairs):
    text = b"".join(b"+%d,%d:%s->%s\n" % (len(k), len(v), k, v)
                    for k, v in pairs) + b"\n"
    subprocess.run(["cdb", "-c", path], input=text, check=True)


@test("vmailmgr's passwd.cdb: hashes, forwards, aliases, disabled users")
def vmailmgr():
    with Site() as site:
        md5 = output("openssl", "passwd", "-1", "words joe")
        path = site.top + "/passwd.cdb"
        cdb(path, [
            (b"joe", vmailmgr_value(md5, "./users/joe", ["out@x.org", "ann"],
                                    "Joe", "1000000")),
            (b"ann", vmailmgr_value(md5, "./users/ann", name="Ann",
                                    flags=b"\x08\0")),
            (b"sales", vmailmgr_value("*", "", ["joe", "ann@vm.org"],
                                      flags=b"\x0a\0")),
            (b"+", vmailmgr_value("*", "", ["joe"], flags=b"\x0a\0"))])
        site.fails(2, "--domain D", "import", path, "--handle", "m")
        got = site.popbox("import", path, "--handle", "m", "--domain",
                          "vm.org")
        eq(got.rc, 0, got)
        accepted(site, "joe@vm.org", "words joe")
        accepted(site, "ann@vm.org", "words joe")  # not enabled: no mail
        known = addresses(site)
        eq(boxes(site)[known["ann@vm.org"]["box"]]["delivery"], "off")
        eq(known["joe@vm.org"]["forwards"], ["out@x.org", "ann@vm.org"])
        eq((known["sales@vm.org"]["box"], known["sales@vm.org"]["forwards"]),
           (None, ["joe@vm.org", "ann@vm.org"]))
        eq(known["*@vm.org"]["forwards"], ["joe@vm.org"])
        eq(boxes(site)[known["joe@vm.org"]["box"]]["quota"], 1000000)
        for value in (b"", b"\2", b"\2\x0a", b"\2\0abc", b"\1" + b"x\0" * 9,
                      b"\2\0a\0b\0c\0", b"\2\0a\0b\0\0"):
            cdb(path, [(b"bad", value)])
            site.fails(100, "its entry is", "import", path, "--handle", "m",
                       "--domain", "vm.org")
        put(site, "passwd.cdb", "no cdb at all")
        site.fails(100, "is no cdb", "import", path, "--domain", "vm.org",
                   "--handle", "m")


@test("a site laid out by hand as ours is taken over: boxes, addresses, lists "
      "kept, logins by a second import", root=True)
def take_over():
    with Site() as site:
        for part in ("cur", "new", "tmp"):
            for box in ("ex1-0001", "ex1-0005"):
                os.makedirs(f"{site.box_path(box)}/{part}")
        where = site.domain_path()
        os.makedirs(where)
        os.symlink("/etc", site.box_path("ex1-0003"))
        with open(site.box_path("ex1-0004"), "w"):
            pass
        os.makedirs(where + "/.qmail-dir")
        for name, text in (
                (".qmail-joe", site.box_path() + "/\n"),
                (".qmail-both", "&a@b.org\n" + site.box_path() + "/\n"),
                (".qmail-list", "|/usr/bin/list x\n"),
                (".qmail-out", "# a comment\n&out@x.org\n"),
                (".qmail-BOB", "&out@x.org\n")):
            with open(f"{where}/{name}", "w") as file:
                file.write(text)
        subprocess.run(["chown", "-R", f"{UID}:{GID}", site.home], check=True)
        site.write_control("rcpthosts", "localhost\nexample.com\n"
                           ".example.com\n")
        site.write_control("virtualdomains", "example.com:example.com\n"
                           ".example.com:example.com\n")
        with open(site.qmail + "/users/assign", "w") as file:
            file.write(f"=root:root:0:0:/root:::\n+example.com-:ex1:{UID}:"
                       f"{GID}:{where}:-::\n.\n")
        subprocess.run([site.qmail + "/bin/qmail-newu"], check=True)
        got = site.popbox("import", "--format", "qmail", site.qmail)
        eq(got.rc, 0, got)
        has(got.err, "assign:1: skipped: it is not about a domain")
        has(got.err, ".qmail-list: skipped: unmanaged, and kept")
        has(got.err, ".qmail-BOB: skipped: qmail never reads")
        known = addresses(site)
        eq(known["joe@example.com"]["box"], "ex1-0001")
        eq(known["both@example.com"]["forwards"], ["a@b.org"])
        eq(known["out@example.com"]["forwards"], ["out@x.org"])
        eq(set(boxes(site)) - {"ex1-0006"}, {"ex1-0001", "ex1-0005"})
        for what in ("ex1-0003: skipped: it is no Maildir", "ex1-0004: skip",
                     ".qmail-dir: skipped: it is no regular file"):
            has(got.err, what)
        with open(where + "/.qmail-list") as file:
            eq(file.read(), "|/usr/bin/list x\n")
        eq(site.deliver("joe@example.com").rc, 0)
        site.do("import", "--update", put(
            site, "pw.csv", "address,password\njoe@example.com,words joe\n"))
        accepted(site, "joe@example.com", "words joe")
        eq(counts(site, "--format", "qmail", site.qmail)["created"], 0)
        site.popbox("check", "--repair")  # modes that were made by hand
        eq([f for f in site.findings() if f[0] not in ("foreign", "by-hand")
            and "BOB" not in f[1] and "ex1-0003" not in f[1]
            and "ex1-0004" not in f[1] and ".qmail-dir" not in f[1] and ".qmail-list" not in f[1]], [])


@test("a .qmail file made by hand is not overwritten by an import")
def by_hand():
    with Site() as site:
        site.joe()
        path = site.domain_path() + "/.qmail-list"
        with open(path, "w") as file:
            file.write("|prog\n")
        os.chown(path, UID, GID) if os.geteuid() == 0 else None
        got = site.fails(100, "list@example.com: its .qmail file cannot be "
                         "taken", "import", put(
                             site, "l.csv", "address,hash\n"
                             "list@example.com,*\nann@example.com,*\n"))
        has(got.err, f"'{path}' is an unmanaged file")
        assert "ann@example.com" not in addresses(site)


@test("killed at any moment all rows are there or none, and sync completes the "
      "files")
def kills():
    rows = int(os.environ.get("KILL_ROWS", "300"))
    tries = int(os.environ.get("KILLS", "12"))
    rng = random.Random(5)
    outcomes = set()
    for i in range(tries):
        with Site() as site:
            path = put(site, "k.csv", "address,hash,handle\n" + "".join(
                f"u{n}@k{n % 3}.org,*,k\n" for n in range(rows)))
            process = subprocess.Popen(
                [POPBOX, "-d", site.store, "import", path],
                stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, 0.4 * rows / 300) if i else 0)
            process.kill()
            process.wait()
            count = len([a for a in addresses(site) if a[0] == "u"])
            assert count in (0, rows), count
            outcomes.add(count)
            for n in range(3):
                if f"k{n}.org\n" in site.control("rcpthosts"):
                    eq(site.deliver(f"u{n}@k{n}.org").rc, 0)
            site.do("sync")
            site.sound()
            if not count:
                site.do("import", path)
                site.sound()
            eq(site.deliver("u5@k2.org").rc, 0)
    if tries > 10:
        assert 0 in outcomes, outcomes


@test("a disk that fills up leaves nothing behind", root=True, plain=True)
def full():
    with Site() as site:
        small = site.top + "/small"
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs",
                           small]).returncode:
            skip("cannot mount a tmpfs")
        try:
            os.rename(site.store, site.top + "/old")
            subprocess.run(["cp", "-a", "--sparse=always", site.top + "/old",
                            small + "/store"], check=True)
            os.symlink(small + "/store", site.store)
            path = put(site, "f.csv", "address,hash,handle\n" + "".join(
                f"u{n}@f.org,*,f\n" for n in range(20000)))
            got = site.fails(111, "no space left: nothing was changed",
                             "import", path)
            eq(addresses(site), {})
            eq(site.popbox("check", "--store-only").rc, 0)
        finally:
            subprocess.run(["umount", small], check=True)


@test("an import beside other writers is whole, and theirs is too")
def others():
    with Site() as site:
        site.joe()
        path = put(site, "o.csv", "address,password\n" + "".join(
            f"u{n}@example.com,some words {n}\n" for n in range(60)))
        stop, done = threading.Event(), []

        def write():
            while not stop.is_set():
                done.append(site.popbox("box", "set", "ex1-0001", "--name",
                                        f"n{len(done)}", "--no-sync").rc)
        other = threading.Thread(target=write)
        other.start()
        try:
            codes = []
            for _ in range(5):
                codes.append(site.popbox("import", path).rc)
                if codes[-1] == 0:
                    break
        finally:
            stop.set()
            other.join()
        assert set(codes) <= {0, 111}, codes
        assert set(done) <= {0}, done
        eq(len([a for a in addresses(site) if a[0] == "u"]),
           60 if codes[-1] == 0 else 0)
        site.do("sync")
        site.sound()


@test("what another command changes between the look at the rows and their taking "
      "is looked at again", root=True, plain=True)
def changed_between():
    with Site() as site:
        site.joe()
        path = put(site, "s.csv", f"address,password\njoe@example.com,{GOOD}\n")
        has(site.popbox("import", path).err, "1 unchanged")
        command = site.start(
            "strace", "-o", site.top + "/trace", "-e", "trace=flock", "-e",
            "inject=flock:delay_enter=3000000:when=1", POPBOX, "-d",
            site.store, "import", path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        time.sleep(1.5)  # it has computed joe's hash, and waits to write
        site.do("passwd", "joe@example.com", "--stdin",
                input="quite another sentence\n")
        out, err = command.communicate(timeout=60)
        eq(command.returncode, 100, (out, err))
        has(err, "it is there with another password")
        eq(site.login("joe@example.com", "quite another sentence").rc, 0)


@test("what an import has read is in no core file, and its owner cannot be "
      "traced", root=True, plain=True)
def hidden():
    """In a private installation: there others are the same user."""
    def become():
        os.setgroups([])
        os.setgid(4711)
        os.setuid(4711)

    def of_same_user(*command):
        return subprocess.run(command, preexec_fn=become, cwd="/",
                              capture_output=True).returncode
    with Site(init=False, qmail=False) as site:
        os.chown(site.top, 4711, 4711)
        program = shutil.copy(POPBOX, site.top)  # wherever the tree lies
        eq(of_same_user(program, "-d", site.store, "init", "--uid", "4711",
                        "--gid", "4711", "--home", site.home, "--serialmail",
                        site.serial, "--no-qmail"), 0)
        reader, writer = os.pipe()
        process = subprocess.Popen(
            [program, "-d", site.store, "import", "-"], stdin=reader,
            stderr=subprocess.DEVNULL, preexec_fn=become, cwd="/")
        os.close(reader)
        os.write(writer, HEAD.encode())
        for _ in range(250):
            with open(f"/proc/{process.pid}/limits") as file:
                limits = [l for l in file if l.startswith("Max core")]
            if limits[0].split()[5] == "0":
                break
            time.sleep(0.02)
        eq(limits[0].split()[4:6], ["0", "0"])
        for name in ("environ", "maps", "fd"):
            path = f"/proc/{process.pid}/{name}"
            assert of_same_user("ls" if name == "fd" else "cat", path), name
        # What can be looked at is seen to be.
        other = subprocess.Popen(["sleep", "60"], preexec_fn=become)
        eq(of_same_user("cat", f"/proc/{other.pid}/environ"), 0)
        other.kill()
        other.wait()
        os.close(writer)
        eq(process.wait(), 0)


run()
