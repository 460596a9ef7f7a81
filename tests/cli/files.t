#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files as people have them: spreadsheets in their words and languages, exports of
panels and tables, and what stands around a text in them."""
import base64
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
        eq([rows[n + "@w.example"]["messages"] for n in "abcd"],
           ["", "", "1000", ""])
        eq([rows[n + "@w.example"]["login"] for n in "abcd"],
           ["on", "off", "on", "pop=off"])
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


def hashed(password=GOOD):
    return subprocess.run(["openssl", "passwd", "-6", password], text=True,
                          capture_output=True, check=True).stdout.strip()


MYSQL = """-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `admin`;
CREATE TABLE `admin` (`username` varchar(255), `password` varchar(255));
INSERT INTO `admin` VALUES ('root@w.example','secret');
CREATE TABLE `alias` (
  `address` varchar(255) NOT NULL,
  `goto` text NOT NULL,
  `domain` varchar(255) NOT NULL DEFAULT '(none),',
  `active` tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (`address`),
  KEY `domain` (`domain`)
) ENGINE=InnoDB;
LOCK TABLES `alias` WRITE;
INSERT INTO `alias` VALUES ('joe@w.example','joe@w.example,copy@else.example',\
'w.example',1),('ann@w.example','ann@w.example','w.example',1),\
('team@w.example','joe@w.example,ann@w.example','w.example',1),\
('bob@w.example','bob@else.example','w.example',1),\
('@w.example','ann@w.example','w.example',1),\
('old@w.example','ann@w.example','w.example',0),\
('gone@w.example','gone@w.example','w.example',1);
CREATE TABLE `alias_domain` (`alias_domain` varchar(255), `target_domain`
  varchar(255), `active` int);
INSERT INTO `alias_domain` VALUES ('al.example','w.example',1);
CREATE TABLE `mailbox` (
  `username` varchar(255) NOT NULL,
  `password` varchar(255) NOT NULL,
  `name` varchar(255) NOT NULL,
  `maildir` varchar(255) NOT NULL,
  `quota` bigint(20) NOT NULL DEFAULT 0,
  `active` tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (`username`)
);
INSERT INTO `mailbox` VALUES ('joe@w.example','%s','Joe \\'D\\' O''Ne\u00f6l','w/joe/',\
1048576,1),('ann@w.example','{SHA512-CRYPT}%s','Ann',NULL,0,0),\
('bob@w.example','%s','Bob','',0,1);
"""

POSTGRES = """--
-- PostgreSQL database dump
--
SET standard_conforming_strings = on;
CREATE FUNCTION public.merge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO mailbox VALUES ('never@w.example'); END; $$;
CREATE TABLE public.mailbox (
    username character varying(255) NOT NULL,
    password character varying(255) DEFAULT ''::character varying NOT NULL,
    active boolean DEFAULT true NOT NULL
);
COPY public.mailbox (username, password, name, quota, active) FROM stdin;
joe@w.example\t%s\tJoe \\\\ Doe\t1048576\tt
ann@w.example\t{SHA512-CRYPT}%s\t\\N\t0\tf
\\.

INSERT INTO public.alias (address, goto, active) VALUES
  ('team@w.example', 'joe@w.example,ann@w.example', true),
  ('joe@w.example', E'joe@w.example', true);
"""


@test("a dump of mysqldump: mailboxes, aliases and other names of domains, in whichever "
      "order its tables are; what is of one account becomes one")
def mysql():
    with plain() as site:
        dump = MYSQL.replace("\\\n", "") % (hashed(), hashed(), hashed())
        got = bring(site, dump)
        has(got.err, "brought: read as sql")
        has(got.err, "tables that are passed over: admin")
        has(got.err, "alias:7: skipped: an alias of itself")
        has(got.err, "alias:6: skipped: an alias that is not active")
        rows = exported(site)
        eq(rows["joe@w.example"]["name"], "Joe 'D' O'Ne\u00f6l")
        eq(rows["joe@w.example"]["quota"], "1048576")
        eq(rows["joe@w.example"]["forward"], "copy@else.example")
        eq(rows["joe@w.example"]["delivery"], "on")
        eq(rows["bob@w.example"]["forward"], "bob@else.example")
        eq(rows["bob@w.example"]["delivery"], "off")
        eq((rows["ann@w.example"]["login"], rows["ann@w.example"]["delivery"]),
           ("off", "off"))
        eq(rows["team@w.example"]["forward"], "joe@w.example ann@w.example")
        eq(rows["*@w.example"]["forward"], "ann@w.example")
        assert not {"old@w.example", "gone@w.example"} & set(rows)
        has(site.do("--json", "domain", "show", "al.example"),
            '"alias_of":"w.example"')
        eq(site.login("joe@w.example").rc, 0)
        eq(site.login("bob@w.example").rc, 0)
        eq(site.login("ann@w.example").rc, 1)
        hasnt(bring(site, dump).err, "created")
        latin = dump.encode("latin-1")
        has(bring(site, latin).err, "windows-1252")


@test("a dump of pg_dump: COPY, its escapes and NULLs, booleans; what functions say "
      "is not a row")
def postgres():
    with plain() as site:
        bring(site, POSTGRES % (hashed(), hashed()))
        rows = exported(site)
        eq(set(rows) - {"postmaster@w.example"},
           {n + "@w.example" for n in ("joe", "ann", "team")})
        eq(rows["ann@w.example"]["login"], "off")
        eq(rows["joe@w.example"]["delivery"], "on")
        eq(site.login("joe@w.example").rc, 0)


@test("tables of vpopmail and iRedMail in a dump, and several rows of forwardings of one "
      "address")
def other_tables():
    with plain() as site:
        bring(site, "INSERT INTO vpopmail (pw_name, pw_domain, pw_passwd, pw_gid, "
              "pw_gecos, pw_shell) VALUES ('joe', 'w.example', '%s', 2, 'Joe', "
              "'10485760S,1000C'), ('ann', 'w.example', '%s', 0, '', 'NOQUOTA');"
              % (hashed(), hashed()))
        eq(exported(site)["joe@w.example"]["quota"], "10485760")
        eq(site.login("joe@w.example").rc, 1)
        eq(site.login("ann@w.example").rc, 0)
        bring(site, "pw_name,pw_domain,pw_passwd,pw_gid,pw_gecos,pw_dir,pw_shell,"
              f"pw_clear_passwd\nbob,w.example,,0,B,/nowhere/bob,NOQUOTA,{WORDS}\n"
              f"cat,w.example,{hashed()},0,C,/nowhere/cat,NOQUOTA,{WORDS}\n")
        eq(site.login("bob@w.example", WORDS).rc, 0)
        eq(site.login("cat@w.example").rc, 0)
        eq(site.login("cat@w.example", WORDS).rc, 1)
    with plain() as site:
        got = bring(site, "CREATE TABLE alias (address text, accesspolicy text, "
              "active int); INSERT INTO alias VALUES ('x@w.example','public',1);\n"
              "INSERT INTO forwardings (address, forwarding, active) VALUES "
              "('joe@w.example','joe@w.example',1),('list@w.example',"
              "'a@else.example',1),('joe@w.example','b@else.example',1),"
              "('list@w.example','c@else.example',1);\nINSERT INTO mailbox "
              "(username, password, storagebasedirectory, quota, active) VALUES "
              f"('joe@w.example','{hashed()}','/var/vmail',100,1);\n")
        has(got.err, "passed over: alias")
        rows = exported(site)
        eq(rows["joe@w.example"]["quota"], "104857600")
        eq(rows["joe@w.example"]["forward"], "b@else.example")
        eq(rows["joe@w.example"]["delivery"], "on")
        eq(rows["list@w.example"]["forward"], "a@else.example c@else.example")


@test("bad rows of a dump are counted in their table, and --skip-bad writes them as "
      "statements that are read back")
def bad_of_dump():
    with plain() as site:
        text = ("INSERT INTO mailbox (username, password, name, quota, active) "
                "VALUES ('a@w.example','%s','A',0,1),('no address','*','it''s "
                "a \\\\ name',0,1),('c@w.example','*','C','much',1);" % hashed())
        got = bring(site, text, rc=100)
        has(got.err, "brought:mailbox:2: 'no address': ")
        has(got.err, "brought:mailbox:3: c@w.example: 'much': a quota is")
        skipped = site.top + "/skipped"
        bring(site, text, "--skip-bad", skipped, rc=1)
        with open(skipped) as file:
            again = file.read()
        eq(again.count("INSERT INTO mailbox (username, password"), 2)
        bring(site, again.replace("no address", "b@w.example").replace(
            "much", "5M"))
        eq(exported(site)["b@w.example"]["name"], "it's a \\ name")
        for wrong, why in (
                (text[:-8], "it ends inside of"),
                ("CREATE TABLE admin (a int); INSERT INTO admin VALUES (1);",
                 "has no rows of a table mailbox"),
                ("INSERT INTO mailbox VALUES ('x');",
                 "mailbox:1: the columns of its table are not known"),
                ("INSERT INTO mailbox (id, password) VALUES (1, 2);",
                 "table 'mailbox': ")):
            has(bring(site, wrong, rc=100).err, why)
        bring(site, "USE mail;\n" + text[:text.index("),(")] + ");",
              "--format", "sql")


@test("LDIF, vuserinfo -D, Hestia's files and Virtualmin's lists are found by their "
      "content, and other addresses of an account lead to it")
def told_in_pairs():
    coded = base64.b64encode(("{CRYPT}" + hashed()).encode()).decode()
    ldif = ("dn: ou=people\nou: people\n\ndn: uid=joe\ncn:: SsO2cmc=\n"
            "mail: joe@w.example\nmailAlternateAddress: j@w.example\n"
            f"userPassword:: {coded[:40]}\n {coded[40:]}\n")
    vuserinfo = (f"name:   joe\npasswd: {hashed()}\nclear passwd: \n"
                 "comment/gecos: J\u00f6rg\nuid:    0\ngid:    0\nflags:  0\n"
                 "dir: /home/vpopmail/domains/w.example/joe\nquota: NOQUOTA\n")
    hestia = (f"ACCOUNT='joe' ALIAS='j' AUTOREPLY='no' FWD='' FWD_ONLY='' "
              f"MD5='{{SHA512-CRYPT}}{hashed()}' QUOTA='unlimited' "
              "SUSPENDED='no'\n")
    virtualmin = ("joe\n    Domain: w.example\n    Unix username: joe\n"
                  f"    Real name: J\u00f6rg\n    Encrypted password: {hashed()}\n"
                  "    Disabled: No\n    Email address: joe@w.example\n"
                  "    Extra addresses: j@w.example\n")
    for text, name, more in (
            (ldif, "ldif", ()), (vuserinfo, "vuserinfo", ()),
            (hestia, "hestia", ("--domain", "w.example")),
            (virtualmin, "virtualmin", ())):
        with plain() as site:
            got = bring(site, text, *more)
            has(got.err, "brought: read as " + name)
            rows = exported(site)
            eq(site.login("joe@w.example").rc, 0, name)
            if name != "hestia":
                eq(rows["joe@w.example"]["name"], "J\u00f6rg", name)
            if name != "vuserinfo":
                eq((rows["j@w.example"]["forward"], rows["j@w.example"]["box"]),
                   ("joe@w.example", ""), name)
        with plain() as site:
            bring(site, text, "--format", name, *more)
            got = bring(site, text.replace("joe@w", "j o e@w").replace(
                "'joe'", "'j o e'").replace(":   joe", ":   j o e"), *more,
                rc=100)
            has(got.err, "brought:")
            has(got.err, "j o e")


@test("Modoboa's csv tells record by record what it is; a forward and an account of one "
      "address become one")
def modoboa():
    with plain() as site:
        text = (f"domain; w.example; 0; 0; True\r\n"
                f"account;joe@w.example;{{SHA512-CRYPT}}{hashed()};J\u00f6rg;Doe;"
                "True;SimpleUsers;joe@w.example;100;\r\n"
                f"account;ann@w.example;{WORDS};Ann;;yes;SimpleUsers;"
                "ann@w.example;0\r\n"
                f"account;bob@w.example;{hashed()};Bob;;False;SimpleUsers;"
                "bob@w.example;0\r\n"
                f"account;admin;{hashed()};A;;True;SuperAdmins;;0\r\n"
                "alias;team@w.example;True;joe@w.example;x@else.example\r\n"
                "alias;off@w.example;False;joe@w.example\r\n"
                "forward;joe@w.example;True;copy@else.example;joe@w.example\r\n"
                "forward;ann@w.example;True;ann@else.example\r\n"
                "domainalias;al.example;w.example;True\r\n")
        got = bring(site, text)
        has(got.err, "read as modoboa")
        has(got.err, ":1: skipped: a domain")
        has(got.err, ":5: skipped: a login without an address")
        has(got.err, ":7: skipped: an alias that is not active")
        rows = exported(site)
        eq(rows["joe@w.example"]["name"], "J\u00f6rg Doe")
        eq(rows["joe@w.example"]["quota"], "104857600")
        eq((rows["joe@w.example"]["forward"], rows["joe@w.example"]["delivery"]),
           ("copy@else.example", "on"))
        eq((rows["ann@w.example"]["forward"], rows["ann@w.example"]["delivery"]),
           ("ann@else.example", "off"))
        eq(rows["team@w.example"]["forward"], "joe@w.example x@else.example")
        eq(rows["bob@w.example"]["login"], "off")
        eq(site.login("joe@w.example").rc, 0)
        eq(site.login("ann@w.example", WORDS).rc, 0)
        has(site.do("--json", "domain", "show", "al.example"),
            '"alias_of":"w.example"')
        has(bring(site, text + "mailbox;x\n", rc=100).err,
            ":11: its first field is none of account")
        has(bring(site, "x;y\n", "--format", "modoboa", rc=100).err, ":1: ")


@test("Virtualmin's batch file, of the domain that is said")
def virtualmin_batch():
    with plain() as site:
        text = (f"joe:J\u00f6rg Doe:{WORDS}:1:1:1024:j@w.example,info@w.example:"
                "x@else.example:mysql joe\nftp:Ftp:some words here:1:0:0\n"
                f"ann:Ann:{WORDS}::1:\n")
        got = bring(site, text, "--format", "virtualmin", "--domain",
                    "w.example")
        has(got.err, ":2: skipped: it is of no address")
        rows = exported(site)
        eq((rows["joe@w.example"]["name"], rows["joe@w.example"]["quota"],
            rows["joe@w.example"]["forward"]),
           ("J\u00f6rg Doe", "1048576", "x@else.example"))
        eq(rows["info@w.example"]["forward"], "joe@w.example")
        for name in ("joe", "ann"):
            eq(site.login(name + "@w.example", WORDS).rc, 0)


@test("tables as a database's program prints them, with bars and rules: Plesk's passwords "
      "and any other")
def boxed():
    rule = "+-----------------+-------+------------------+\n"
    with plain() as site:
        got = bring(site, rule + "|     address     | flags |     password     |\n"
                    + rule + f"| joe@w.example   |       | {WORDS}|\n"
                    f"| ann@w.example   |       | {hashed()} |\n"
                    "| bob@w.example   |       | $AES-128-CBC$x$y |\n" + rule)
        has(got.err, "read as csv (Plesk)")
        eq(site.login("joe@w.example", WORDS).rc, 0)
        eq(site.login("ann@w.example").rc, 0)
        eq(site.login("bob@w.example").rc, 1)
        bring(site, f"mail_name\tname\tpassword\ttype\ncat\tw.example\t{WORDS}\t"
              f"plain\ndog\tw.example\t{hashed()}\tcrypt\n")
        eq(site.login("cat@w.example", WORDS).rc, 0)
        eq(site.login("dog@w.example").rc, 0)
        bring(site, "| address | hash | name |\n|  eve@w.example | * | E |\n")
        eq(exported(site)["eve@w.example"]["name"], "E")


@test("cPanel's directory of a domain, or of all: shadow, passwd and quota")
def cpanel_tree():
    with plain() as site:
        for domain in ("w.example", "v.example"):
            where = f"{site.top}/etc/{domain}"
            os.makedirs(where)
            for name, text in (
                    ("shadow", f"joe:{hashed()}:16000::::::\nann:!!{hashed()}:"
                     "16000::::::\n"),
                    ("passwd", "joe:x:1001:1001::/home/u/mail/w/joe:"
                     "/bin/noshell\n"),
                    ("quota", "joe:262144000\nann:0\n")):
                with open(f"{where}/{name}", "w") as file:
                    file.write(text)
        os.mkdir(site.top + "/etc/x.example")
        path = site.top + "/etc/w.example"
        got = site.popbox("import", path, "--handle", "ex1", "--dry-run")
        eq(got.rc, 0, got)
        has(got.err, "read as cpanel")
        has(got.out, "joe@w.example")
        hasnt(got.out, "v.example")
        site.do("import", site.top + "/etc", "--format", "cpanel", "--handle",
                "ex1")
        rows = exported(site)
        for domain in ("w.example", "v.example"):
            eq(rows["joe@" + domain]["quota"], "262144000")
            eq(rows["ann@" + domain]["login"], "off")
            eq(site.login("joe@" + domain).rc, 0)
            eq(site.login("ann@" + domain).rc, 1)
        site.fails(100, "has no shadow, and no directory", "import",
                   site.top + "/etc/x.example", "--format", "cpanel")
        os.rename(path + "/shadow", path + "/real")
        os.symlink("real", path + "/shadow")
        got = site.popbox("import", path, "--format", "cpanel")
        eq(got.rc, 100, got)
        os.remove(path + "/shadow")
        os.rename(path + "/real", path + "/shadow")
        os.remove(path + "/quota")
        os.symlink("/etc/passwd", path + "/quota")
        site.fails(100, "cannot read", "import", path, "--format", "cpanel")


@test("a line that cannot be read spoils the entry that it is in, and no other")
def pairs_by_entry():
    with plain() as site:
        entry = "dn: uid=%s\nmail: %s@w.example\ncn: %s\nuserPassword: {CRYPT}*\n\n"
        text = (entry % ("a", "a", "A")).encode() + \
            (entry % ("b", "b", "x\u00f6y")).encode() + \
            (entry % ("c", "c", "C")).encode().replace(b"cn: C", b"cn: \x81\xf6") + \
            (entry % ("d", "d", "D" * 70000)).encode() + \
            (entry % ("e", "e", "E")).encode()
        got = bring(site, text, rc=100)
        has(got.err, "brought:11: c@w.example: it is not UTF-8")
        has(got.err, "brought:16: the line has more than 65536")
        has(got.err, "2 rows cannot be imported")
        skipped = site.top + "/skipped"
        bring(site, text, "--skip-bad", skipped, rc=1)
        eq(set(exported(site)) - {"postmaster@w.example"},
           {n + "@w.example" for n in "abe"})
        with open(skipped, "rb") as file:
            assert file.read().startswith(b"dn: uid=c\nmail: c@w.example\n")
        vuserinfo = "".join(
            f"name:   {n}\npasswd: *\nflags:  {flags}\ngecos: G\ndir: /v/domains/"
            f"w.example/{n}\nquota: NOQUOTA\n" for n, flags in
            (("f", "0"), ("g", "x"), ("h", "0")))
        got = bring(site, vuserinfo, rc=100)
        has(got.err, "brought:7: g@w.example: its flags are not a number")
        has(got.err, "1 row cannot")


@test("Hestia's file is of the domain that it is named by")
def hestia_name():
    with plain() as site:
        path = site.top + "/w.example.conf"
        with open(path, "w") as file:
            file.write(f"ACCOUNT='joe' ALIAS='' FWD='' MD5='{hashed()}'\n")
        site.do("import", path, "--handle", "ex1")
        eq(site.login("joe@w.example").rc, 0)


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
            "use --encoding utf-16")
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
