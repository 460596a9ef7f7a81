#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sites that vpopmail's and vmailmgr's own commands make, moved in: what each
address did before, asked of the old programs, it does after, or it is named; and
qmail-pop3d says the same of each login's mail, and of each Maildir.

	VPOPMAIL=DIR	a directory like /home/vpopmail, with bin and etc
	VMAILMGR=DIR	a directory with vsetup, vadduser, vchattr, vdeliver and
			checkvpw

Each runs in a root laid over this machine's, where the old program finds itself at
its usual place; nothing of the machine is changed."""
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guide_sites
import over
from oldsites import WORDS
from tap import BUILD, run, skip, test

INJECT = """#!/bin/sh
# Notes its recipients: vdelivermail hands all forwards to it.
shift
printf '%s\\n' "$@" >>/tmp/forwarded
cat >/dev/null
"""
QUEUE = """#!/usr/bin/env python3
# The same for vdeliver, which speaks to qmail-queue.
import os
os.read(0, 65536)
for part in os.read(1, 65536).split(b"\\0"):
    if part[:1] == b"T":
        open("/tmp/forwarded", "ab").write(part[1:] + b"\\n")
"""
MESSAGE = "/tmp/message"


def do(*words, **kw):
    done = subprocess.run(words, capture_output=True, text=True, **kw)
    assert done.returncode == 0, (words, done)
    return done.stdout


def maildirs(top):
    """How many messages each Maildir below has."""
    return {path: len(os.listdir(path + "/new") + os.listdir(path + "/cur"))
            for path, dirs, _ in os.walk(top) if "new" in dirs and
            "cur" in dirs}


class Pop:
    """A conversation with a POP server."""

    def __init__(self, command, **kw):
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, **kw)
        self.line()

    def line(self):
        return self.server.stdout.readline().decode()

    def ask(self, words):
        """Does the answer begin with +OK?"""
        self.server.stdin.write(words.encode() + b"\r\n")
        self.server.stdin.flush()
        return self.line().startswith("+OK")

    def rows(self, command):
        assert self.ask(command), command
        return dict(line.split(maxsplit=1)
                    for line in iter(self.line, ".\r\n"))

    def mail(self):
        """{unique identifier: bytes} of all messages."""
        names, sizes = self.rows("UIDL"), self.rows("LIST")
        assert names.keys() == sizes.keys(), (names, sizes)
        return {names[n].strip(): int(sizes[n]) for n in names}

    def end(self):
        self.server.communicate(timeout=60)


POP3D = "/var/qmail/bin/qmail-pop3d"


def login(checker, address, reads=False, env=None):
    """The mail of a login, by qmail-popup; None if it is refused. reads: what
    is new is that no more, as after any QUIT."""
    pop = Pop(["/var/qmail/bin/qmail-popup", "pop.example.com", *checker],
              env={**os.environ, **(env or {})})
    mail = pop.mail() if pop.ask("USER " + address) and \
        pop.ask("PASS " + WORDS) else None
    if mail is not None and reads:
        pop.ask("QUIT")
    pop.end()
    return mail


def kept(top, owner):
    """What qmail-pop3d says of every Maildir below, by whose it is; without those
    that are empty."""
    found = {}
    for path, count in maildirs(top).items():
        if count:
            user = os.stat(path).st_uid
            pop = Pop([POP3D, path], cwd="/", user=user, group=user,
                      extra_groups=[])
            found[owner(path)] = pop.mail()
            pop.end()
    return found


def older_mail(maildir):
    """Read, answered and new, two of them of the same second."""
    for name in ("cur/1000000000.1.pop:2,RS", "cur/1000000001.2.pop,S=9:2,",
                 "new/1000000001.3.pop"):
        path = f"{maildir}/{name}"
        guide_sites.put(path, "Subject: old\n\n" + name + "\n")
        os.utime(path, (int(name[4:14]),) * 2)


def settle(top):
    """Waits until no file is of this second: qmail-pop3d does not show it."""
    newest = max(os.stat(os.path.join(where, name)).st_mtime
                 for where, _, names in os.walk(top) for name in names)
    while time.time() < int(newest) + 1:
        time.sleep(0.05)


class Old:
    """The old site, and how qmail-local would ask it."""

    def __init__(self, home, uid, top, owner):
        self.home, self.uid, self.top, self.owner = home, uid, top, owner

    def dotqmail(self, local):
        ext = local.replace(".", ":")
        names = [ext] + [ext[:i + 1] + "default" for i in
                         range(len(ext) - 1, -1, -1) if ext[i] == "-"]
        for name in names + ["default"]:
            path = f"{self.home}/.qmail-{name}"
            if os.path.exists(path):
                with open(path) as file:
                    return file.read()
        return None

    def program(self, line, local, domain):
        env = {"EXT": local, "HOST": domain, "USER": "old", "SENDER": "s@x.org",
               "HOME": self.home, "PATH": os.environ["PATH"],
               "RPLINE": "Return-Path: <s@x.org>\n",
               "UFLINE": "From s@x.org Thu Jan  1 00:00:00 1970\n",
               "DTLINE": f"Delivered-To: x-{local}@{domain}\n"}
        with open(MESSAGE) as message:
            return subprocess.run(
                ["sh", "-c", line], stdin=message, env=env, cwd=self.home,
                user=self.uid, group=self.uid, extra_groups=[],
                capture_output=True).returncode

    def mail_for(self, local, domain):
        """What becomes of a message in the end: what is deferred is tried again,
        as vdeliver wants it of the second one in a second."""
        for _ in range(3):
            got = self.tried(local, domain)
            if got[0] != 111:
                break
            time.sleep(1)
        return got

    def tried(self, local, domain):
        """(code, boxes, addresses elsewhere)."""
        text = self.dotqmail(local)
        if text is None:
            return 100, set(), set()
        open("/tmp/forwarded", "w").close()
        os.chmod("/tmp/forwarded", 0o666)
        before, boxes, code = maildirs(self.top), set(), 0
        forwards = set()
        for line in text.splitlines():
            if line.startswith("|"):
                code = code or self.program(line[1:], local, domain)
            elif line.endswith("/"):
                boxes.add(self.owner(os.path.normpath(
                    os.path.join(self.home, line))))
            elif line and line[0] != "#":
                forwards.add(line.lstrip("&"))
        after = maildirs(self.top)
        boxes |= {self.owner(p) for p in after if after[p] > before.get(p, 0)}
        with open("/tmp/forwarded") as file:
            forwards |= set(file.read().split())
        code = {0: 0, 99: 0, 100: 100}.get(code, 111)
        if not code and not boxes and not forwards:
            code = "thrown away"
        return (code, boxes, forwards) if code in (0, "thrown away") else \
            (code, set(), set())


def popbox(*words, code=0):
    done = subprocess.run(["popbox", *words], capture_output=True, text=True)
    assert done.returncode == code, (words, done)
    return done


def rows(*words):
    return [json.loads(l) for l in popbox("--json", *words).stdout.splitlines()]


def mail_now(address, owners):
    done = subprocess.run(["/var/qmail/bin/deliver", "-n", "s@x.org", address],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    boxes, forwards = set(), set()
    for line in done.stdout.splitlines():
        word, _, target = line.partition(" ")
        if word == "target" and target.startswith("/"):
            boxes.add(owners[target.rstrip("/")])
        elif word == "target":
            forwards.add(target)
    return done.returncode, boxes, forwards


def flat(address, ask, seen=()):
    """What becomes of an address in the end: forwards within the site are
    followed."""
    code, boxes, forwards = ask(address)
    boxes, out = set(boxes), set()
    for forward in forwards:
        inner = ask(forward) if forward not in seen else None
        if inner is None:
            out.add(forward)
        else:
            _, more, further = flat(forward, ask, (*seen, address))
            boxes |= more
            out |= further
    return code, boxes, out


def login_now(address):
    return login(["/usr/local/sbin/popbox-checkpw", POP3D, "."], address,
                 env={"TCPREMOTEIP": "192.0.2.7"})


def compare(before, was_kept, said):
    """Compares what is with what was; its figures. before: of each address what
    it did, and what its login found. was_kept: what each Maildir had."""
    owners, bad = {}, []
    settle("/home/popmail")
    for row in rows("address", "list"):
        if row["box"]:
            handle = row["box"].split("-")[0]
            owners[f"/home/popmail/{handle[0]}/{handle}/POP/{row['box']}"] = \
                row["address"]
    def was(address):
        return before[address][0] if address in before else None

    def now(address):
        return mail_now(address, owners) if address in before else None
    for address, (mail, read) in before.items():
        local = address.partition("@")[0]
        named = any(part in said for part in (
            f"{address}: not imported", f".qmail-{local.replace('.', ':')}: skipped",
            ".qmail-default: skipped: mail for unknown users was thrown away"
            if mail[0] == "thrown away" else "\0"))
        if flat(address, now) != flat(address, was) and not named:
            bad.append((address, flat(address, now), flat(address, was)))
        reads = login_now(address)
        if reads != read:
            bad.append((address, "login", reads, read))
    is_kept = kept("/home/popmail", owners.get)
    bad += [(who, is_kept.get(who), was_kept.get(who))
            for who in {*is_kept, *was_kept}
            if is_kept.get(who) != was_kept.get(who)]
    assert not bad, "\n".join(map(str, bad)) + "\n" + said
    logins = [mail for _, mail in before.values() if mail is not None]
    return f"{len(before)} addresses, {len(logins)} logins, " \
        f"{sum(map(len, is_kept.values()))} unique identifiers, of which " \
        f"logins see {sum(map(len, logins))}"


def prepare():
    for name in ("vpopmail", "exnet", "popusr"):
        subprocess.run(["userdel", name], capture_output=True)
    os.makedirs("/tmp", exist_ok=True)
    guide_sites.qmail()
    shutil.copy(BUILD + "/qmail/deliver", "/var/qmail/bin")
    for name, text in (("qmail-inject", INJECT), ("qmail-queue", QUEUE)):
        guide_sites.put("/var/qmail/bin/" + name, text, 0o755)
    guide_sites.put(MESSAGE, "Subject: x\n\nhello\n")
    guide_sites.store(joe=False)


def asked(old, top, addresses, checks):
    """All that is asked of the old site, before anything changes. Every other
    login has read its mail."""
    mail = {a: old[a.partition("@")[2]].mail_for(*a.split("@"))
            for a in addresses}
    settle(top)
    return {a: (mail[a], checks(a, number % 2 == 0))
            for number, a in enumerate(addresses)}


def vchkpw(address, reads):
    return login(["/home/vpopmail/bin/vchkpw", POP3D, "Maildir"], address,
                 reads, {"TCPLOCALPORT": "110", "TCPREMOTEIP": "192.0.2.7"})


def vpopmail_users():
    do("groupadd", "-g", "889", "vchkpw")
    do("useradd", "-u", "889", "-g", "889", "-M", "-d", "/home/vpopmail",
       "vpopmail")
    do("cp", "-a", os.environ["VPOPMAIL"], "/home/vpopmail")
    shutil.rmtree("/home/vpopmail/domains", ignore_errors=True)
    os.makedirs("/home/vpopmail/domains")
    do("chown", "-R", "889:889", "/home/vpopmail")


def vpopmail_made():
    """The domains, by vpopmail's own commands; the addresses to ask about."""
    def v(name, *words):
        return do("/home/vpopmail/bin/" + name, *words)
    top, names = "/home/vpopmail/domains", {}
    for domain, *how in (("first.example",),
                         ("second.example", "-e", "catch@far.example"),
                         ("third.example",), ("fourth.example",)):
        v("vadddomain", *how, domain, WORDS)
        names[domain] = ["postmaster", "nobody"]
    guide_sites.put(f"{top}/fourth.example/.qmail-default",
                    "| /home/vpopmail/bin/vdelivermail '' bounce-no-mailbox\n")
    for name, flag in (("joe", None), ("nopop", "-p"), ("gone", "-b"),
                       ("noimap", "-i"), ("nosmtp", "-s"), ("fwd", None),
                       ("copy", None), ("vac", None), ("both", None)):
        v("vadduser", "-c", name, name + "@first.example", WORDS)
        names["first.example"].append(name)
        if flag:
            v("vmoduser", flag, name + "@first.example")
    home = top + "/first.example"
    for name, text in (("fwd", "&out@far.example\n"),
                       ("copy", f"{home}/copy/Maildir/\n&out@far.example\n"),
                       ("vac", f"| true vacation\n{home}/vac/Maildir/\n")):
        guide_sites.put(f"{home}/{name}/.qmail", text)
    for alias, target in (("sales", "&joe@first.example"),
                          ("sales", "out@far.example"),
                          ("both", "out@far.example"),
                          ("one", "joe@first.example")):
        v("valias", "-i", target, alias + "@first.example")
        names["first.example"].append(alias)
    for number in range(1, 121):
        v("vadduser", "-n", f"user{number}@second.example", WORDS)
        names["second.example"].append(f"user{number}")
    v("vmkpasswd", "second.example")
    v("vadduser", "joe@third.example", WORDS)
    v("vadduser", "over@third.example", WORDS)
    v("vmoduser", "-o", "over@third.example")
    v("vmoddomlimits", "-g", "p", "third.example")
    names["third.example"] += ["joe", "over"]
    v("vaddaliasdomain", "first.example", "alias.example")
    names["alias.example"] = ["joe", "nopop", "fwd", "sales", "nobody"]
    for name in ("first.example/joe", "first.example/nopop",
                 "third.example/joe"):
        older_mail(f"{top}/{name}/Maildir")
    do("chown", "-R", "889:889", top)
    return {f"{n}@{d}": None for d in names for n in names[d]}, names


def inside_vpopmail():
    vpopmail_users()
    addresses, names = vpopmail_made()
    top = "/home/vpopmail/domains"

    def owner(path):
        parts = path.removeprefix(top + "/").split("/")
        return f"{parts[-2]}@{parts[0]}"
    old = {d: Old(f"{top}/{d}", 889, top, owner) for d in names}
    old["alias.example"] = old["first.example"]
    hashed = [d for d in os.listdir(top + "/second.example") if len(d) == 1]
    assert hashed, "no hashed directories of users"
    before = asked(old, top, addresses, vchkpw)
    was_kept = kept(top, owner)
    got = popbox("import", top, "--handle", "v", "--maildir")
    figures = compare(before, was_kept, got.stderr)
    mails = sum(maildirs(top).values())
    copied = sum(maildirs("/home/popmail").values())
    assert mails == copied > 100, (mails, copied)
    print(f"{figures}, {copied} messages")


def checkvpw(address, reads):
    return login(["/usr/local/bin/checkvpw", POP3D, "Maildir"], address, reads)


def inside_vmailmgr():
    do("useradd", "-m", "-u", "900", "exnet")
    for name in os.listdir(os.environ["VMAILMGR"]):
        shutil.copy(f"{os.environ['VMAILMGR']}/{name}", "/usr/local/bin")
    home = "/home/exnet"

    def v(*words):
        return do(*words, cwd=home, user=900, group=900, extra_groups=[],
                  input=f"{WORDS}\n{WORDS}\n",
                  env={"HOME": home, "USER": "exnet", "PATH": "/usr/local/bin"
                       ":/usr/bin:/bin"})
    for name in ("rcpthosts", "virtualdomains"):
        with open("/var/qmail/control/" + name, "a") as file:
            for domain in ("net.example", "info.example"):
                file.write(domain + (":exnet\n" if name[0] == "v" else "\n"))
    v("vsetup")
    for words in (["joe"], ["j.doe"], ["-f", "out@far.example", "-f", "joe",
                                       "fwd"],
                  ["off"], ["-f", "joe", "offf"], ["old"], ["quota"]):
        v("vadduser", *words)
    v("vadduser", "-D", "-P", "-f", "joe", "-f", "out@far.example", "sales")
    v("vadduser", "-D", "-P", "-f", "joe", "+")
    v("vchattr", "-E", "0", "off")
    v("vchattr", "-E", "0", "offf")
    v("vchattr", "-e", "1000000000", "old")
    v("vchattr", "-Q", "1000000", "quota")
    for name, text in ((".qmail-hand", "&out@far.example\n"),
                       (".qmail-joebox", "./users/joe/\n")):
        guide_sites.put(f"{home}/{name}", text)
    for name in ("joe", "old"):
        older_mail(f"{home}/users/{name}")
    do("chown", "-R", "900:900", home)
    local = ["joe", "j.doe", "fwd", "off", "offf", "old", "quota", "sales",
             "postmaster", "root", "mailer-daemon", "nobody", "hand",
             "joebox"]

    def owner(path):
        return os.path.basename(path).replace(":", ".") + "@net.example"
    old = {d: Old(home, 900, home + "/users", owner)
           for d in ("net.example", "info.example")}
    # vdeliver leaves a forward without a domain to the domain it is in, and
    # one of an alias stays in that.
    before = asked(old, home + "/users", [
        *(f"{n}@net.example" for n in local), "joe@info.example",
        "hand@info.example"], checkvpw)
    was_kept = kept(home + "/users", owner)
    got = popbox("import", home, "--domain", "net.example", "--handle", "m",
                 "--maildir")
    figures = compare(before, was_kept, got.stderr)
    mails = sum(maildirs(home + "/users").values())
    copied = sum(maildirs("/home/popmail").values())
    assert mails == copied > 5, (mails, copied)
    print(f"{figures}, {copied} messages")


def inside(which, top):
    over.lay_over(top)
    prepare()
    {"vpopmail": inside_vpopmail, "vmailmgr": inside_vmailmgr}[which]()
    return 0


def moved(which, variable):
    if not os.environ.get(variable):
        skip(f"no {which} is named: {variable}=DIRECTORY does so")
    got, _ = over.inside(__file__, which)
    if got.returncode == over.NO_ROOT:
        skip(got.stdout.strip())
    assert got.returncode == 0, "\n" + got.stdout + got.stderr
    print("# " + got.stdout.strip())


@test("a site of vpopmail's own making: each address and login is as before, or is "
      "named, and all mail is copied", root=True, plain=True)
def vpopmail():
    moved("vpopmail", "VPOPMAIL")


@test("a site of vmailmgr's own making: each address and login is as before, or is "
      "named, and all mail is copied", root=True, plain=True)
def vmailmgr():
    moved("vmailmgr", "VMAILMGR")


if "--inside" in sys.argv:
    sys.exit(inside(*sys.argv[2:4]))
run()
