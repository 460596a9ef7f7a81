#!/usr/bin/env python3
"""Files as people have them: spreadsheets in their words and languages, exports of
panels and tables, and what stands around a text in them."""
import csv
import io
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, Site, eq, has, hasnt, run, test

WORDS = "long words of joe"


def bring(site, text, *words, rc=0):
    path = site.top + "/brought"
    with open(path, "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)
    got = site.popbox("import", path, "--handle", "ex1", "--locked", *words)
    eq(got.rc, rc, (text, got))
    return got


def exported(site):
    return {row["address"]: row for row in csv.DictReader(
        io.StringIO(site.do("export", "--format", "csv")))}


def plain():
    return Site(qmail=False)


HEADERS = (
    "E-Mail,Kennwort,Vorname,Nachname", "Mail address;Passwort;Full name",
    "User\tPassword\tName", "Login,Password,Display Name",
    "Courriel,Mot de passe,Nom complet", "e_mail,PWD,Real-Name",
    "Correo electrónico;Contraseña;Nombre completo",
    "Email,Password,First name,Last name", "Postfach;Kennwort;Anzeigename",
    "Username,Passwd,Name", "E-mailadres,Wachtwoord,Name",
)


@test("columns in other words and languages are ours")
def headers():
    for header in HEADERS:
        between = next(c for c in ",;\t" if c in header)
        names = ["Joe", "Doe"] if header.count(between) == 3 else ["Joe Doe"]
        with plain() as site:
            bring(site, header + "\n" + between.join(
                ["joe@w.example", WORDS, *names]) + "\n")
            eq(exported(site)["joe@w.example"]["name"], "Joe Doe", header)
            eq(site.login("joe@w.example", WORDS).rc, 0, header)


@test("a column named login is a switch beside addresses, and has them where "
      "nothing else does")
def login():
    with plain() as site:
        bring(site, "address,login,hash\njoe@w.example,off,*\n")
        eq(exported(site)["joe@w.example"]["login"], "off")
        bring(site, "login,hash\nann@w.example,*\n")
        assert "ann@w.example" in exported(site)


@test("titles, a line sep=, and the empty rows and columns of a spreadsheet are "
      "passed over; what stands below no name is not")
def padding():
    for text in ("sep=;\r\naddress;password;\r\njoe@w.example;" + WORDS +
                 ";\r\n;;\r\n",
                 "Our mail boxes,,\n,,\naddress,password,\njoe@w.example," +
                 WORDS + ",\n , ,\n",
                 "Users of example\n\naddress\tpassword\njoe@w.example\t" +
                 WORDS + "\n",
                 "address,password\njoe@w.example," + WORDS + ",,,\n"):
        with plain() as site:
            got = bring(site, text)
            has(got.err, "1 created")
            eq(site.login("joe@w.example", WORDS).rc, 0, text)
    with plain() as site:
        got = bring(site, "address,password,\njoe@w.example,x,y\n", rc=100)
        has(got.err, "a field below a column without a name is not empty")
        got = bring(site, "address,hash\njoe@w.example,*,y\n", rc=100)
        has(got.err, "too many fields")


@test("blanks, no-break spaces, mailto:, a name before the address, a final dot and a "
      "database's NULL are none of a field's; a password is what it is")
def around():
    nbsp = "\u00a0"
    for address in (" joe@w.example ", f"{nbsp}joe@w.example{nbsp}",
                    f"joe{nbsp}@w.example", "joe@ w.example", "joe@w.example.",
                    "mailto:joe@w.example", "Joe Doe <joe@w.example>",
                    "<joe@w.example>", "\ufeffjoe@w.example"):
        with plain() as site:
            bring(site, "address,hash,name,quota\n" + f'"{address}", * '
                  ",NULL,\\N\n")
            row = exported(site)["joe@w.example"]
            eq((row["name"], row["quota"]), ("", ""), address)
    with plain() as site:
        bring(site, "address,password\njoe@w.example,two  blanks \n")
        eq(site.login("joe@w.example", "two  blanks ").rc, 0)
        eq(site.login("joe@w.example", "two  blanks").rc, 1)


@test("blanks and carriage returns around a hash are not of it, wherever it comes "
      "from")
def hashes():
    made = subprocess.run(["openssl", "passwd", "-6", GOOD], text=True,
                          capture_output=True, check=True).stdout.strip()
    with plain() as site:
        site.do("domain", "add", "w.example", "--handle", "ex1")
        for name, text in (("a", made + "\r\n"), ("b", made + " \n"),
                           ("c", f" {made}\n")):
            site.do("box", "add", name + "@w.example", "--hash-stdin",
                    input=text)
            eq(site.login(name + "@w.example").rc, 0, text)
        bring(site, f"address,hash\nd@w.example,{made} \n")
        bring(site, f"e@w.example:{made} :::::\n", "--format", "dovecot")
        for name in "de":
            eq(site.login(name + "@w.example").rc, 0, name)


SIZES = (
    ("500MB", 500 << 20), ("500 MB", 500 << 20), ("1.5G", 3 << 29),
    ("1,5 GB", 3 << 29), ("1.25GiB", 5 << 28), ("2048K", 2 << 20),
    ("0.5m", 1 << 19), ("1T", 1 << 40), ("100", 100), ("7 B", 7),
    *((word, 0) for word in ("unlimited", "none", "-1", "0", "-", "NoQuota")),
)


@test("a size means the same in every command and every file")
def sizes():
    with plain() as site:
        site.joe()
        def quota():
            return json.loads(site.do("--json", "box", "show",
                                      "joe@example.com"))["quota"]
        for text, want in SIZES:
            site.do("box", "set", "joe@example.com", "--quota=" + text)
            eq(quota(), want, text)
            site.do("box", "set", "joe@example.com", "--quota", "3M")
            bring(site, f'address,quota\njoe@example.com,"{text}"\n',
                  "--update")
            eq(quota(), want, text)
        for text in ("1,500", "1,500 MB", "1.5", "1e6", "M", "5X", "-2", "1.5.5G",
                     "99999999999G", "1 000"):
            site.fails(2, "is no size like", "box", "set", "joe@example.com",
                       "--quota=" + text)
            got = bring(site, f'address,quota\njoe@example.com,"{text}"\n',
                        "--update", rc=100)
            has(got.err, "a quota is a size like")


@test("a column that is not known is named, with both ways on; --map takes one")
def mapped():
    text = f"Who,Secret,Name,Shoe size\njoe@w.example,{WORDS},Joe,42\n"
    with plain() as site:
        got = bring(site, "Who,Secret,Shoe size\nx,y,z\n", rc=100)
        has(got.err, "none of the columns is known (--map")
        hasnt(got.err, "no header")
        got = bring(site, text, rc=100)
        has(got.err, "has no column 'address'")
        got = bring(site, text, "--map", "Who=address,Secret=password", rc=100)
        has(got.err, "column 'Shoe size'")
        has(got.err, "--ignore-unknown")
        for wrong in ("Who", "Who=x", "=,", "Who=address,Secret"):
            has(bring(site, text, "--map", wrong, rc=100).err,
                "--map wants THEIRS=OURS")
        bring(site, text, "--map", "who = address, SECRET=password",
              "--ignore-unknown")
        eq(site.login("joe@w.example", WORDS).rc, 0)


@test("--handles says domain by domain whose they are; the file is right as a whole, "
      "or nothing is changed")
def handles():
    with plain() as site:
        path, text = site.top + "/handles", "address,hash\n" + "".join(
            f"joe@{d}.example,*\n" for d in ("a", "b", "c", "m\u00fcnchen"))
        def says(content, *words, rc=0):
            with open(path, "w") as file:
                file.write(content)
            return bring(site, text, "--handles", path, *words, rc=rc)
        for content, why in (
                ("", "has no header domain,handle"),
                ("domain,customer\n", "has no header domain,handle"),
                ("domain,handle,x\n", "has no header domain,handle"),
                ("domain,handle\nb.example\n", "handles:2: it has not the two"),
                ("domain,handle\n-,k\n", "handles:2: "),
                ("domain,handle\nb.example,9k\n", "handles:2: "),
                ("domain,handle\nb.example,k\nB.Example,l\n",
                 "handles:3: this domain has another handle")):
            has(says(content, rc=100).err, why)
        eq(site.do("--json", "domain", "list"), "")
        site.fails(100, "cannot read", "import", site.top + "/brought",
                   "--handles", site.top + "/none")
        says("Handle;Domain\nhb; b.example.\nhm;M\u00dcNCHEN.example\n\n"
             "hz;z.example\nhb;b.example\n")
        eq({r["domain"]: r["handle"] for r in map(json.loads, site.do(
            "--json", "domain", "list").splitlines())},
           {"a.example": "ex1", "b.example": "hb", "c.example": "ex1",
            "xn--mnchen-3ya.example": "hm"})
        got = says("domain,handle\nb.example,other\n", rc=100)
        has(got.err, "the domain 'b.example' belongs to the handle 'hb'")


@test("a passwd-file without --format is recognised; with it those of "
      "docker-mailserver and OpenSMTPD are read, too")
def passwd_files():
    made = subprocess.run(["openssl", "passwd", "-6", GOOD], text=True,
                          capture_output=True, check=True).stdout.strip()
    for text in (f"joe@w.example:{{SHA512-CRYPT}}{made}::::::\n",
                 f"joe@w.example|{{SHA512-CRYPT}}{made}\n",
                 f"joe@w.example\t{made}\n", f"joe@w.example  {made}\n"):
        with plain() as site:
            has(bring(site, text, rc=100).err, "--format dovecot")
            bring(site, text, "--format", "dovecot")
            eq(site.login("joe@w.example").rc, 0, text)


@test("tables and lists of other programs: their columns, their quotas and flags, "
      "their other names of domains")
def tables():
    with plain() as site:
        bring(site, "username,password,name,storagebasedirectory,quota,active\n"
              "a@w.example,*,A,/var/vmail,100,1\n"
              "b@w.example,*,B,/var/vmail,0,0\n")
        bring(site, "pw_name\tpw_domain\tpw_passwd\tpw_gid\tpw_gecos\tpw_shell\n"
              "c\tw.example\t*\t0\tC\t10485760S,1000C\n"
              "d\tw.example\t*\t2\tD\tNOQUOTA\n")
        bring(site, "User Name,First Name,Last Name,Display Name,Office\n"
              "e@w.example,E,Last,E. Last,12\n")
        bring(site, "Alias;To;\"Deliver to the local mailbox.\";Active\n"
              "f@w.example;a@w.example,x@else.example;0;1\n"
              "g@w.example;a@w.example;0;0\n")
        rows = exported(site)
        eq([rows[n + "@w.example"]["quota"] for n in "abcd"],
           ["104857600", "", "10485760", ""])
        eq([rows[n + "@w.example"]["login"] for n in "abcd"],
           ["on", "off", "on", "off"])
        eq(rows["e@w.example"]["name"], "E. Last")
        has(rows["f@w.example"]["forward"], "x@else.example")
        assert "g@w.example" not in rows
        got = bring(site, "alias_domain,target_domain,created,active\n"
                    "al.example,w.example,2020,1\noff.example,w.example,2020,0\n")
        has(got.err, "not active")
        bring(site, "address,goto,domain,active\n"
              "@too.example,@w.example,too.example,1\n")
        for name in ("al.example", "too.example"):
            has(site.do("--json", "domain", "show", name),
                '"alias_of":"w.example"')
        site.fails(1, "off.example", "domain", "show", "off.example")


def brought_name(site, text, *words, rc=0):
    got = bring(site, text, *words, rc=rc)
    return got, exported(site).get("joe@w.example", {}).get("name")


@test("an encoding is found by its byte order mark, or by bytes that are not UTF-8, "
      "or said; the summary names it")
def encodings():
    text = "address;hash;name\r\njoe@w.example;*;J\u00f6rg Gro\u00df \u20ac\r\n"
    for name, mark, said in (
            ("utf-8", b"", None), ("utf-8", b"\xef\xbb\xbf", None),
            ("utf-16-le", b"\xff\xfe", ", utf-16le"),
            ("utf-16-be", b"\xfe\xff", ", utf-16be"),
            ("cp1252", b"", ", windows-1252, since it is not UTF-8")):
        with plain() as site:
            got, name_there = brought_name(site, mark + text.encode(name))
            eq(name_there, "J\u00f6rg Gro\u00df \u20ac", name)
            has(got.err, "brought: read as csv" + (said or "\n"))
    for name, word in (("utf-16-le", "utf-16"), ("utf-16-be", "UTF-16BE"),
                       ("latin-1", "latin-1"), ("latin-1", "ISO8859-1"),
                       ("cp1252", "windows-1252"), ("utf-8", "UTF-8")):
        with plain() as site:
            got, name_there = brought_name(
                site, text.replace("\u20ac", "\u00a7").encode(name),
                "--encoding", word)
            eq(name_there, "J\u00f6rg Gro\u00df \u00a7", (name, word))
            hasnt(got.err, "since it is")


@test("a file that is in two encodings, or not in the one that was said, is refused "
      "by line, and standard input is read as a file is")
def two_encodings():
    head = b"address,hash,name\nann@w.example,*,%b\njoe@w.example,*,%b\n"
    utf8, latin = "\u00f6".encode(), "\u00f6 l".encode("latin-1")
    for first, then, words, why in (
            (utf8, latin, (), "3: it is not UTF-8, as the text before it is"),
            (latin, utf8, (), "3: it is UTF-8, and the text before it is not"),
            (b"x", b"\x81\xf6", (), "3: it is not UTF-8"),
            (b"x", latin, ("--encoding", "utf-8"), "3: it is not UTF-8"),
            (b"x", b"\x81", ("--encoding", "windows-1252"),
             "3: it is not Windows-1252")):
        with plain() as site:
            has(bring(site, head % (first, then), *words, rc=100).err, why)
    with plain() as site:
        wrong = head.replace(b",", b";") % (b"x", b"y")
        got = bring(site, wrong.decode().encode("utf-16-le")[:-1] + b"\xd8",
                    "--encoding", "utf-16", rc=100)
        has(got.err, "it is not UTF-16")
        has(bring(site, wrong.decode().encode("utf-16-le"), rc=100).err,
            "say --encoding utf-16")
        site.fails(2, "no encoding 'utf-7' (there are utf-8", "import", "-",
                   "--encoding", "utf-7")
        site.do("import", "-", "--handle", "ex1", input=head % (latin, latin))
        eq(exported(site)["joe@w.example"]["name"], "\u00f6 l")


@test("bad rows are said in the order of their lines, each with what is wrong in it, "
      "and never a password")
def in_order():
    with plain() as site:
        site.do("domain", "add", "taken.example", "--handle", "other")
        text = ("address,password,quota,login,delivery,forward,handle\n"
                "a@taken.example,long words of a,,,,,ex1\n"
                "b@w.example,long words of b,5 apples,,,,\n"
                "not an address,long words of c,,,,,\n"
                "d@w.example,$6$salt$secretsecret,,,,,\n"
                "e@w.example,long words of e,,maybe,,,\n"
                "f@taken.example,long words of f,,,,,ex1\n"
                "g@w.example,long words of g,,,later,,\n"
                "h@w.example,,,,,nobody,\n")
        got = bring(site, text, rc=100)
        lines = [line.split("brought:", 1)[1] for line in got.err.splitlines()
                 if "brought:" in line and "read as" not in line]
        eq([int(line.split(":")[0]) for line in lines], list(range(2, 10)))
        for line, value in ((3, "5 apples"), (4, "not an address"),
                            (6, "maybe"), (8, "later"), (9, "nobody")):
            has(lines[line - 2], f"'{value}': ")
        hasnt(got.err, "secretsecret")
        hasnt(got.err, "long words")


run()
