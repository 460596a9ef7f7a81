# SPDX-License-Identifier: MIT
"""Sites of other programs, laid out as their own commands lay them out, and what
popbox has of them after an import."""
import json
import os
import subprocess

from tap import eq

WORDS = "old words 42"  # everybody's password


def output(*command, **kw):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          **kw).stdout.strip()


MD5 = output("openssl", "passwd", "-1", "-salt", "ab", WORDS)
SHA = output("openssl", "passwd", "-6", "-salt", "ab", WORDS)


def put(site, name, content):
    path = f"{site.top}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes)
                   else content.encode())
    return path


def rows(site, *words):
    return map(json.loads, site.do("--json", *words).splitlines())


def addresses(site):
    return {o["address"]: o for o in rows(site, "address", "list")}


def boxes(site):
    return {o["box"]: o for o in rows(site, "box", "list")}


def domains(site):
    return {o["domain"]: o for o in rows(site, "domain", "list")}


def state(site, address):
    """(login, delivery) of the box behind an address."""
    box = boxes(site)[addresses(site)[address]["box"]]
    return box["login"], box["delivery"]


def counts(site, *args, rc=0):
    got = site.popbox("--json", "import", *args)
    eq(got.rc, rc, got)
    return json.loads(got.out.splitlines()[-1])


def verify(site, login, words):
    return site.popbox("verify", login, "--stdin", input=words + "\n")


def accepts(site, login, words=WORDS):
    got = verify(site, login, words)
    eq(got.rc, 0, f"{login}: {got}")


def refuses(site, login, words=WORDS):
    got = verify(site, login, words)
    eq(got.rc, 1, f"{login}: {got}")


class Old:
    """What an old site did with an address: may its owner log in; whose boxes
    and which addresses elsewhere get its mail; else 100, and what popbox says
    of it where it cannot do the same."""

    def __init__(self, login=None, boxes=(), out=(), rc=0, named=None):
        self.login, self.boxes, self.out = login, set(boxes), set(out)
        self.rc, self.named = rc, named


def mail_for(site, address, depth=0):
    """(code, boxes by their addresses, addresses elsewhere) now."""
    assert depth < 9, address
    owner = {site.box_path(o["box"]): o["address"]
             for o in addresses(site).values() if o["box"]}
    got = subprocess.run([site.tools + "/deliver", "-n", "s@x.org", address],
                         input=b"Subject: x\n\nx\n", capture_output=True)
    boxes_, out = set(), set()
    if got.returncode:
        return got.returncode, boxes_, out
    for line in got.stdout.decode().splitlines():
        word, _, target = line.partition(" ")
        if word != "target":
            continue
        if target.startswith("/"):
            boxes_.add(owner[target.rstrip("/")])
        elif target.rpartition("@")[2] in domains(site):
            _, more, further = mail_for(site, target, depth + 1)
            boxes_ |= more
            out |= further
        else:
            out.add(target)
    return 0, boxes_, out


def compare(site, olds, said, words=WORDS):
    """Every address of the old site: as it was, or named."""
    for address, old in olds.items():
        rc, boxes_, out = mail_for(site, address)
        if old.named:
            assert any(old.named in line for line in said.splitlines()), \
                f"{address}: {old.named!r} is not said: {said}"
        else:
            eq((rc, boxes_, out), (old.rc, old.boxes, old.out), address)
        if old.login is not None:
            (accepts if old.login else refuses)(site, address, words)


def maildir(path, *messages):
    for part in ("cur", "new", "tmp"):
        os.makedirs(f"{path}/{part}", exist_ok=True)
    for name in messages:
        with open(f"{path}/{name}", "w") as file:
            file.write("Subject: old mail\n\nIt came before.\n")


class Vpopmail:
    """The files that vpopmail 5.6 writes, described in its own words: a line of
    vpasswd and a Maildir for each user, .qmail-default with vdelivermail, one
    line in rcpthosts, virtualdomains and users/assign for each domain, and the
    same for an alias, whose line of users/assign has the real domain's
    directory."""

    def __init__(self, site, mail=False):
        self.site, self.mail, self.olds = site, mail, {}
        self.top = site.top + "/vpopmail/domains"
        self.vpasswd, self.lines = {}, {"rcpthosts": ["localhost"],
                                        "virtualdomains": [], "assign": []}

    def path(self, domain, part=""):
        return f"{self.top}/{domain}{'/' + part if part else ''}"

    def file(self, domain, name, text):
        put(self.site, f"vpopmail/domains/{domain}/{name}", text)

    def route(self, name, real):
        self.lines["rcpthosts"].append(name)
        self.lines["virtualdomains"].append(f"{name}:{name}")
        self.lines["assign"].append(
            f"+{name}-:{real}:889:889:{self.path(real)}:-::")

    def domain(self, name, default="bounce-no-mailbox"):
        self.vpasswd[name] = ""
        self.route(name, name)
        self.file(name, ".qmail-default",
                  f"| /home/vpopmail/bin/vdelivermail '' {default}\n")
        self.user(name, "postmaster", flags=0)

    def user(self, domain, name, flags=0, quota="NOQUOTA", below="",
             qmail=None, old=None):
        home = self.path(domain, below + name)
        maildir(home + "/Maildir", *([f"new/1000000001.{name}.host"]
                                     if self.mail else []))
        self.vpasswd[domain] += \
            f"{name}:{SHA}:1:{flags}:{name}:{home}:{quota}\n"
        self.file(domain, "vpasswd", self.vpasswd[domain])
        if qmail is not None:
            self.file(domain, f"{below}{name}/.qmail", qmail)
        address = f"{name}@{domain}"
        self.olds[address] = old or Old(not flags & 2, [address])
        return home

    def alias(self, domain, name, text, old):
        self.file(domain, ".qmail-" + name.replace(".", ":"), text)
        self.olds[f"{name}@{domain}"] = old

    def done(self, owner=None):
        for name in ("rcpthosts", "virtualdomains"):
            self.site.write_control(name, "\n".join(self.lines[name]) + "\n")
        with open(self.site.qmail + "/users/assign", "w") as file:
            file.write("\n".join(self.lines["assign"] + ["."]) + "\n")
        subprocess.run([self.site.qmail + "/bin/qmail-newu"], check=True)
        if owner:
            subprocess.run(["chown", "-R", "-h", owner,
                            self.site.top + "/vpopmail"], check=True)


def vpopmail_site(site, mail=False):
    """Several domains, with one of everything."""
    v = Vpopmail(site, mail)
    v.domain("first.example", default="delete")
    first = lambda name, **kw: v.user("first.example", name, **kw)
    joe = first("joe", quota="10485760S,1000C")
    first("nopop", flags=2)
    first("gone", flags=0x10, qmail="&never@far.example\n",
          old=Old(True, rc=100))
    first("fwd", qmail="&out@far.example\n",
          old=Old(True, out=["out@far.example"]))
    first("copy", qmail="./Maildir/\n# a comment\nout@far.example\n",
          old=Old(True, ["copy@first.example"], ["out@far.example"]))
    first("vac", qmail=f"| /usr/bin/autorespond 1 2\n"
          f"{v.path('first.example')}/vac/Maildir/\n",
          old=Old(True, named="vac/.qmail runs a program: | /usr/bin/autor"))
    first("hush", qmail="# nothing\n",
          old=Old(True, named="hush/.qmail throws all mail away"))
    first("both")
    v.alias("first.example", "both", "&out@far.example\n",
            Old(True, out=["out@far.example"]))
    v.alias("first.example", "sales", f"{joe}/Maildir/\n&out@far.example\n"
            "copy@first.example\n",
            Old(None, ["joe@first.example", "copy@first.example"],
                ["out@far.example"]))
    v.alias("first.example", "j.doe", f"{joe}/Maildir/\n",
            Old(None, ["joe@first.example"]))
    v.alias("first.example", "host", "joe\n", Old(None, out=["joe@localhost"]))
    v.alias("first.example", "hole", "# nothing\n",
            Old(named=".qmail-hole: skipped: its mail was thrown away"))
    v.alias("first.example", "list", "|/usr/bin/ezmlm-send /l\n",
            Old(named=".qmail-list: skipped: unmanaged: it runs a "))
    v.alias("first.example", "other", f"{v.path('second.example')}/0/u101"
            "/Maildir/\n", Old(None, ["u101@second.example"]))
    v.file("first.example", ".qmail-pre-default", "&pre@far.example\n")
    v.olds["pre-x@first.example"] = Old(
        named=".qmail-pre-default: skipped: it is for all addresses that")
    v.olds["nobody@first.example"] = Old(
        named="first.example/.qmail-default: skipped: mail for unknown users "
        "was thrown away (delete)")
    v.domain("second.example", default="catch@far.example")
    for n in range(1, 106):
        v.user("second.example", f"u{n}", below="0/" if n > 98 else "")
    v.olds["nobody@second.example"] = Old(out=["catch@far.example"])
    v.domain("third.example", default=v.path("third.example", "joe"))
    v.olds["postmaster@third.example"].login = False
    v.user("third.example", "joe",
           old=Old(False, ["joe@third.example"]))
    v.user("third.example", "free", flags=0x2000)
    v.olds["nobody@third.example"] = Old(None, ["joe@third.example"])
    v.file("third.example", ".qmailadmin-limits", "maxpopaccounts: 100\n"
           "maxaliases: -1\nquota: 0\ndisable_pop\nperm_account: 0\n")
    v.domain("fourth.example")
    v.olds["nobody@fourth.example"] = Old(rc=100)
    v.route("alias.example", "first.example")
    v.lines["rcpthosts"].append("old.example")  # as 5.4 has it: by a link
    v.lines["virtualdomains"].append("old.example:old.example")
    os.symlink("first.example", v.path("old.example"))
    v.lines["assign"].append("+old.example-:old.example:889:889:" +
                             v.path("old.example") + ":-::")
    for name in ("alias.example", "old.example"):
        for who in ("joe", "nopop", "copy", "sales"):
            v.olds[f"{who}@{name}"] = v.olds[f"{who}@first.example"]
    return v


def vmailmgr_value(hash_, directory, forwards=(), name="", quota="-",
                   expiry="-", mailbox=True, enabled=True):
    """An entry of version 2, as vadduser and vchattr write it."""
    texts = [hash_, directory, *forwards, "", name, quota, "-", "-", "-",
             "1000000000", expiry]
    return bytes([2, 10, mailbox, 8, enabled, 0]) + \
        b"".join(t.encode() + b"\0" for t in texts)


def vmailmgr_vsetup():
    """What vsetup puts in: its own aliases, with a box each."""
    return [(name, vmailmgr_value("*", "users/" + name, ["postmaster@"]))
            for name in ("mailer-daemon", "postmaster", "root")]


def vmailmgr_cdb(path, pairs):
    text = b"".join(b"+%d,%d:%s->%s\n" % (len(k), len(v), k.encode(), v)
                    for k, v in pairs) + b"\n"
    subprocess.run(["cdb", "-c", path], input=text, check=True)


def vmailmgr_site(site):
    """A home with one of everything; its domain is example.net, and example.info
    leads there too. Who is whose is in the old site's terms. Returns its path
    and what became of each address."""
    home = site.top + "/exnet"
    box = lambda name: f"./users/{name.replace('.', ':')}"
    pairs = vmailmgr_vsetup() + [
        ("joe", vmailmgr_value(MD5, box("joe"), name="Joe", quota="1000000")),
        ("j.doe", vmailmgr_value(MD5, box("j.doe"))),
        ("fwd", vmailmgr_value(MD5, box("fwd"), ["out@far.example", "joe"])),
        ("off", vmailmgr_value(MD5, box("off"), enabled=False)),
        ("offf", vmailmgr_value(MD5, box("offf"), ["joe"], enabled=False)),
        ("old", vmailmgr_value(MD5, box("old"), ["joe"],
                               expiry="1000000000")),
        ("ends", vmailmgr_value(MD5, box("ends"), expiry="4000000000")),
        ("clear", vmailmgr_value("$0$" + WORDS, box("clear"))),
        ("both", vmailmgr_value(MD5, box("both"))),
        ("sales", vmailmgr_value("*", box("sales"),
                                 ["joe", "out@far.example"], mailbox=False)),
        ("gone", vmailmgr_value("*", box("gone"), ["joe"], mailbox=False,
                                expiry="1000000000")),
        ("hole", vmailmgr_value("*", box("hole"), mailbox=False)),
        ("one", b"\1" + vmailmgr_value(MD5, box("one"))[6:]),
        ("past", f":{MD5}:./users/past".encode()),
        ("pastfwd", b":*:&joe,out@far.example"),
        ("+", vmailmgr_value("*", box("+"), ["joe"], mailbox=False))]
    os.makedirs(home)
    vmailmgr_cdb(home + "/passwd.cdb", pairs)
    for name, text in ((".qmail-default", "|/usr/local/bin/vdeliver\n"),
                       (".qmail-team", "&joe@example.net\n./users/j:doe/\n"),
                       (".qmail-both", "|/usr/local/bin/vdeliver\n"
                        "&out@far.example\n"),
                       (".qmail-prog", "|/usr/bin/prog\n")):
        put(site, "exnet/" + name, text)
    at = lambda name: name + "@example.net"
    me = {"postmaster@localhost"}
    olds = {at(n): Old(False, [at(n)], me)
            for n in ("mailer-daemon", "postmaster", "root")}
    olds |= {at(n): Old(True, [at(n)])
             for n in ("joe", "j.doe", "clear", "one", "past")}
    olds |= {
        at("fwd"): Old(True, [at("fwd"), at("joe")], ["out@far.example"]),
        at("off"): Old(True, rc=100, named="off@example.net: not imported: its "
                       "mail was thrown away (not enabled)"),
        at("offf"): Old(True, [at("joe")]),
        at("old"): Old(False, rc=100),
        at("ends"): Old(True, named="ends@example.net: not imported: it expires"),
        at("both"): Old(True, [at("both")], ["out@far.example"]),
        at("sales"): Old(None, [at("joe")], ["out@far.example"]),
        at("gone"): Old(named="skipped: it is an alias that has expired"),
        at("hole"): Old(named="skipped: it leads nowhere"),
        at("pastfwd"): Old(None, [at("joe")], ["out@far.example"]),
        at("nobody"): Old(None, [at("joe")]),
        at("team"): Old(None, [at("joe"), at("j.doe")]),
        at("prog"): Old(named=".qmail-prog: skipped: unmanaged: it runs")}
    for name in ("joe", "fwd", "sales", "old"):
        olds[name + "@example.info"] = olds[at(name)]
    site.write_control("rcpthosts",
                       "localhost\nexample.net\nexample.info\n")
    site.write_control("virtualdomains",
                       "example.net:exnet\nexample.info:exnet\n")
    with open(site.qmail + "/users/assign", "w") as file:
        file.write(f"+exnet-:exnet:900:900:{home}:-::\n.\n")
    subprocess.run([site.qmail + "/bin/qmail-newu"], check=True)
    return home, olds
