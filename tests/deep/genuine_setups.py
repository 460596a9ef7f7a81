# SPDX-License-Identifier: MIT
"""Set-ups for the harness genuine: sites by popbox, damaged by hand, and sites by
hand alone, with the noise that people put into files."""
import os
import shutil
import subprocess
import tempfile

from genuine_net import HOSTS
from genuine_qmail import prepare
from tap import GID, UID, Site

EACH = 20   # addresses of a set-up
KEPT = 8    # set-ups of a site
OTHER = 4242
LOCALS = ("joe", "joe", "bob", "user", "user-sales", "bob-list", "JOE", "j.d",
          "joe-ext", "a-b-c", "nobody", "Bob", "sales",
          "joe-ext-more", "postmaster", "a-", "user-joe", "default",
          "x-default", "joe%other.org", "bob%sub.example.com%hack.org", "j+e",
          "shut", "room", "u" * 31, "U" * 32 + "-x", "joe.", "off", "hold",
          "list", "r00t", "root", "alias", "j=e", "joe-owner", "joe+tag",
          "JOE+a.b", "bob+", "+x", "sales+a-b", "j.d+x+y", "nobody+x")
DOMAINS = ("example.com", "sub.example.com", "other.org", "EXAMPLE.com",
           "deep.sub.example.com", "hack.org", "mail.site.example",
           "alias.example", "relay.example", "backup.example", "dial.example",
           "nowhere.example", "x.hack.org")
KNOWN = ("joe@example.com", "joe+tag@example.com", "joe+a+b@example.com",
         "bob+x@other.org", "sales@example.com", "sales@other.org",
         "bob@other.org", "j.d@example.com", "off@example.com",
         "hold@other.org", "a-b-c@other.org", "list@example.com",
         "joe@alias.example", "joe@sub.example.com", "sales@alias.example",
         "postmaster@other.org", "who@relay.example", "who@x.relay.example",
         "who@backup.example", "who@dial.example", "Sales@EXAMPLE.com")
KEYS = ("example.com", ".example.com", "sub.example.com", "Example.COM",
        ".com", "other.org", ".org", "hack.org", "joe@example.com",
        "Bob@other.org", "", ".example", "mail.site.example", "joe@hack.org",
        "sales@SUB.example.com", "alias.example", ".hack.org")
IDS = ("example.com", "other", "example.com-joe", "user", "", "a", "alias",
       "joe", "Bob", "bob-x")
VIRTUAL = ("example.com:example.com\n.example.com:example.com\n",
           "other.org:other\nexample.com:joe\nalias.example:example.com\n",
           "example.com:user\nother.org:joe\n:bob-x\n")
PREFIXES = ("+example.com-", "+example.com-joe-", "=example.com-joe", "+",
            "+other-", "=user-bob", "+a", "+user-", "+EXAMPLE.com-j", "=joe",
            "+joe-", "=alias-joe")
FILES = ("joe", "nobody", "joe-ext", "x-default", "j+e", "room", "list",
         "r00t", "default", "joe-default", "j:d", "bob", "ext", "a-b-default",
         "a-default", "Bob", "j.d", "joe-ext", "d", "b-c", "sales", "", "joe:",
         "a-", "postmaster", "joe-owner", "j=e", "joe%other:org")
PROGRAM = '|{ echo "Delivered-To: $RECIPIENT"; grep X-Token; } ' \
    '>>MARKS/%s.$$'
NUMBERS = ("0", "", "x", "-1", " 510", "510x", "+510", "00510")


def chance(dice, of_a_hundred):
    return dice.random() * 100 < of_a_hundred


def noisy(dice, rows):
    """A control file with these rows and what else gets into one."""
    out = ""
    for row in rows:
        if chance(dice, 6):
            row = row.upper()
        out += dice.choice(("",) * 12 + ("#", "# c\n", "\n", " ", "  \n")) + \
            row + dice.choice(("",) * 12 + (" ", "\t", "\r", " \t ")) + "\n"
        if chance(dice, 8):
            out += row + "\n"
    return out if chance(dice, 90) else out.rstrip("\n")


class Setup:
    def __init__(self, how, dice):
        self.how, self.notes = how, []
        known = 50 if how == "by popbox" else 10
        self.addresses = sorted({
            dice.choice(KNOWN) if chance(dice, known) else
            f"{dice.choice(LOCALS)}@{dice.choice(DOMAINS[:7] * 2 + DOMAINS)}"
            for _ in range(EACH)})
        self.default = dice.choice(("./Mailbox", "./Mailbox", "./Maildir/",
                                    "", "&away@far.example", "# none",
                                    "|exit 0", "./Maildir/\n&b@far.example"))

    def told(self):
        return f"[{self.how}: {', '.join(self.notes)}]"


class Machine:
    """What of the machine the set-ups change, all of it laid over it."""

    def __init__(self, dice, noted):
        self.dice, self.noted = dice, noted
        self.top = tempfile.mkdtemp(prefix="popbox-genuine.")
        os.chmod(self.top, 0o755)
        with open("/etc/passwd") as file:
            self.users = file.read()
        with open(self.top + "/passwd", "w") as file:
            file.write(self.users)
        subprocess.run(["mount", "--bind", self.top + "/passwd",
                        "/etc/passwd"], check=True)
        with open(self.top + "/elsewhere", "w") as file:
            file.write("&elsewhere@far.example\n")
        self.site, self.left = None, 0

    def close(self):
        if self.site:
            self.site.__exit__()
        shutil.rmtree(self.top, ignore_errors=True)

    def next(self):
        """A site that is as a set-up wants it."""
        if not self.left:
            self.fresh()
        self.left -= 1
        by_hand = self.left % 2
        setup = Setup("by hand" if by_hand else "by popbox", self.dice)
        self.restore()
        self.accounts()
        if by_hand:
            By(self, setup).hand()
        else:
            By(self, setup).damage()
        return self.site, setup

    def fresh(self):
        if self.site:
            self.site.__exit__()
        self.left = KEPT
        self.site = site = Site()
        prepare(site.qmail, self.noted)
        self.marks, self.users_top = site.top + "/marks", site.top + "/users"
        os.mkdir(self.marks)
        os.chmod(self.marks, 0o1777)
        by_popbox(site, self.dice)
        self.saved = self.site.top + "/saved"
        for part, path in self.parts().items():
            subprocess.run(["cp", "-a", path, f"{self.saved}-{part}"],
                           check=True)

    def parts(self):
        qmail = self.site.qmail
        return {"home": self.site.home, "serial": self.site.serial,
                "control": qmail + "/control", "users": qmail + "/users",
                "alias": qmail + "/alias"}

    def restore(self):
        for part, path in self.parts().items():
            shutil.rmtree(path, ignore_errors=True)
            subprocess.run(["cp", "-a", f"{self.saved}-{part}", path],
                           check=True)
        for path in (self.users_top, self.site.home + "/w"):
            shutil.rmtree(path, ignore_errors=True)
        for name in os.listdir(self.marks):
            os.unlink(f"{self.marks}/{name}")

    def accounts(self):
        """Users of the system: some own their homes, some do not."""
        top, dice = self.users_top, self.dice
        os.makedirs(top + "/closed")
        rows = ""
        for number, name in enumerate(("joe", "user", "other", "bob", "shut",
                                       "room", "u" * 31, "u" * 32, "Bob")):
            uid = UID if name == "other" else OTHER + number
            home = f"{top}/{'closed/' if name == 'room' else ''}{name}"
            owner = uid if chance(dice, 80) else 0
            rows += f"{name}:x:{uid}:{GID}::{home}:/bin/false\n"
            if chance(dice, 90):
                fill(self, home, owner if owner else 0, uid)
        os.chmod(top + "/closed", dice.choice((0o755, 0o700, 0o711)))
        with open(self.top + "/passwd", "w") as file:
            file.write(self.users + (rows if chance(dice, 80) else ""))


def maildir(path, uid, mode=0o700):
    for part in ("", "/new", "/cur", "/tmp"):
        os.mkdir(path + part)
        os.chown(path + part, uid, GID)
        os.chmod(path + part, mode)


def fill(machine, home, owner, uid):
    """A home with .qmail files, as people leave them."""
    dice = machine.dice
    os.mkdir(home)
    if chance(dice, 80):
        dotqmail(machine, home + "/.qmail-default", uid)
    maildir(home + "/Maildir", uid, dice.choice((0o700, 0o755, 0o755)))
    for name in dice.sample(FILES, dice.randrange(len(FILES) * 2 // 3)):
        dotqmail(machine, f"{home}/.qmail{'-' if name else ''}{name}", uid)
    if chance(dice, 30):
        with open(home + "/Mailbox", "w"):
            pass
        os.chown(home + "/Mailbox", uid, GID)
        os.chmod(home + "/Mailbox", dice.choice((0o600, 0o644, 0o400)))
    os.chown(home, owner, GID)
    os.chmod(home, dice.choice((0o755,) * 9 + (
        0o1755, 0o777, 0o775, 0o711, 0o700, 0o555, 0o644)))


def dotqmail(machine, path, uid):
    dice = machine.dice
    kind = dice.randrange(40)
    if os.path.lexists(path):
        return
    if kind == 0:
        os.mkdir(path)
        return
    if kind < 3:
        os.symlink(dice.choice(("/none", path, path + "x", "/none/",
                                machine.top + "/elsewhere")), path)
        return
    with open(path, "w", newline="") as file:
        file.write(content(machine))
    os.chown(path, dice.choice((uid,) * 9 + (0, OTHER)), GID)
    os.chmod(path, dice.choice((0o644,) * 18 + (
        0o744, 0o744, 0o755, 0o666, 0o664, 0o600, 0o000, 0o444, 0o400, 0o654)))


def content(machine):
    """Lines, mostly sound ones."""
    dice, site = machine.dice, machine.site
    good, torn = site.box_path() + "/", site.home + "/torn/"
    rows = (good,) * 8 + (
        "./Maildir/", "./Maildir/", "./Mailbox", "./new/../Maildir/",
        torn, site.home + "/held/", site.home + "/others/", "./none/",
        "./none/box", good.rstrip("/"), site.home + "/box", "/none",
        "&a@far.example", "away@far.example", "& a@far.example", "&",
        "&joe@example.com", "&bob@other.org", "sales@sub.example.com",
        "&joe%other.org@hack.org", "&nohost", "nohost%x.example@hack.org",
        "# c", "", " ", "+list", "+other", "|",
        PROGRAM.replace("MARKS", machine.marks) % dice.choice("ab"),
        f"|{site.qmail}/bin/bouncesaying 'no'", "|exit 0", "\0",
        good + "\0x", "&a@far.example\0b", ":x", "x y@far.example")
    out = ""
    for _ in range(dice.choice((0, 1, 1, 1, 1, 2, 2, 3))):
        row, end = dice.choice(rows), dice.choice(
            ("",) * 15 + (" ", "\t", "\r", "\r "))
        if row in ("|", "|exit 0"):
            end = end.strip("\r ")  # the shell's matter, and not predicted
        out += row + end + "\n"
    return out if chance(dice, 90) else out.rstrip("\n")


class By:
    """One set-up."""

    def __init__(self, machine, setup):
        self.machine, self.setup = machine, setup
        self.site, self.dice = machine.site, machine.dice
        self.control = self.site.qmail + "/control/"
        self.torn()

    def note(self, text):
        self.setup.notes.append(text)

    def torn(self):
        """Maildirs that take no mail, one way or the other."""
        home = self.site.home
        for name in ("torn", "held", "others"):
            shutil.rmtree(f"{home}/{name}", ignore_errors=True)
            maildir(f"{home}/{name}", OTHER if name == "others" else UID)
        os.rmdir(home + "/torn/tmp")
        os.chmod(home + "/held/new", 0o500)

    def lines(self, make, most=6):
        return noisy(self.dice, [make() for _ in
                                 range(self.dice.randrange(most))])

    def gone(self, name):
        path = self.control + name
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)

    def write(self, name, text, whole=False):
        """A control file, seldom as it should not be."""
        dice, path = self.dice, self.control + name
        self.gone(name)
        if not whole and chance(dice, 2):
            os.symlink(dice.choice((path + ".kept", path + ".kept",
                                    path + ".kept", "/none", path,
                                    "/dev/null")), path)
            self.note(name + " -> " + os.readlink(path))
            path += ".kept"
        if not whole and chance(dice, 0.7):
            self.note(name + " is a directory")
            os.mkdir(path)
            return
        with open(path, "w", newline="") as file:
            file.write(text)
        if not whole and chance(dice, 2):
            os.chmod(path, dice.choice((0o600, 0o640, 0o604)))
            shutil.chown(path, dice.choice(("root", "qmails", "qmaild")),
                         dice.choice(("root", "qmail", "nofiles")))
            info = os.stat(path)
            self.note(f"{name} is {oct(info.st_mode)} {info.st_uid}:"
                      f"{info.st_gid}")

    def hand(self):
        dice = self.dice
        for name in os.listdir(self.control):
            os.unlink(self.control + name)
        wide = dice.choice(("",) + 7 * (".com\n.org\n.example\n",))
        if chance(dice, 95):
            self.write("rcpthosts", self.lines(lambda: dice.choice(
                [k for k in KEYS if "@" not in k])) + wide)
        if chance(dice, 30):
            self.more()
        if chance(dice, 93):
            self.write("me", dice.choice(
                ("mail.site.example\n",) * 5 + (
                    "Example.com\n", "# c\nother.org\n", "", "\n",
                    "mail.site.example \t\nx\n", "other.org\r\n")))
        if chance(dice, 60):
            self.write("locals", self.lines(
                lambda: dice.choice(KEYS[:7] + KEYS[12:13]), 3))
        self.routes()
        self.assign()
        self.homes()

    def more(self):
        self.write("morercpthosts", self.lines(
            lambda: dice_of(self, KEYS, "@")), whole=True)
        subprocess.run([self.site.bin + "/qmail-newmrh"], check=True)
        cdb = self.control + "morercpthosts.cdb"
        if chance(self.dice, 10):
            os.truncate(cdb, self.dice.choice((0, 20, 2048)))
            self.note("morercpthosts.cdb cut")
        elif chance(self.dice, 10):
            os.chmod(cdb, 0o600)
            self.note("morercpthosts.cdb closed")

    def routes(self):
        dice = self.dice
        if chance(dice, 95):
            self.write("virtualdomains", self.lines(
                lambda: dice.choice(KEYS) + dice.choice(
                    (":",) * 6 + (" :", "")) + dice.choice(IDS), 9) +
                dice.choice(("", *VIRTUAL, *VIRTUAL)))
        if chance(dice, 50):
            self.write("smtproutes", self.lines(
                lambda: dice.choice(KEYS) + ":" + dice.choice(
                    ("", "m.org", "[127.0.1.9]:26", "m.org:26", "UPPER.org",
                     "mail.example.net", "m.org:26x", "m.org:25:26"))))
        if chance(dice, 40):
            self.write("percenthack", self.lines(
                lambda: dice.choice(("hack.org", "x.hack.org", "other.org"))))
        if chance(dice, 20):
            self.write("envnoathost", dice.choice(
                ("example.com\n", "other.org \nx\n", "", "# c\nother.org\n",
                 "hack.org\r\n")))
        for name, text in (("smtpgreeting", "x\n"), ("queuelifetime", "9\n"),
                           ("databytes", "99999\n"), ("helohost", "x.org\n"),
                           ("timeoutsmtpd", "60\n"), ("bouncehost", "x\n"),
                           ("badmailfrom", "@bad.example\n")):
            if chance(dice, 8):
                self.write(name, text)

    def assign(self):
        """users/assign, mostly one that qmail-newu takes."""
        dice, home = self.dice, self.site.home
        homes = (home + "/w/1", home + "/w/1", home + "/w/2", home + "/w/no",
                 home + "/w/shut/in", home + "/w/file", "w/1")
        text = ""
        if chance(dice, 75):
            text = f"+example.com-:u:{UID}:{GID}:{home}/w/1:-::\n" \
                f"+other-:u:{UID}:{GID}:{home}/w/2:-::\n"
        for _ in range(dice.randrange(6)):
            uid = str(UID) if chance(dice, 88) else str(OTHER) if \
                chance(dice, 60) else dice.choice(NUMBERS)
            text += dice.choice(PREFIXES) + f":u:{uid}:{GID}:" + \
                dice.choice(homes) + ":" + dice.choice("-----+").replace(
                    "+", "") + ":" + dice.choice(("", "", "joe", "a-")) + \
                ":" + dice.choice(("",) * 9 + ("\r", "x:y")) + "\n"
            text += dice.choice(("",) * 30 + ("# c\n", "\n"))
        users = self.site.qmail + "/users/"
        with open(users + "assign", "w", newline="") as file:
            file.write(text + dice.choice((".\n",) * 12 + (".", "")))
        if chance(dice, 95):
            subprocess.run([self.site.bin + "/qmail-newu"],
                           capture_output=True)
        self.cdb()

    def cdb(self):
        dice, cdb = self.dice, self.site.qmail + "/users/cdb"
        if not os.path.exists(cdb):
            return
        if chance(dice, 3):
            os.unlink(cdb)
            self.note("no users/cdb")
        elif chance(dice, 3):
            os.truncate(cdb, dice.choice((0, 20, 2048, 2050)))
            self.note("users/cdb cut")
        elif chance(dice, 2):
            os.chmod(cdb, 0)

    def homes(self):
        top = self.site.home + "/w"
        shutil.rmtree(top, ignore_errors=True)
        os.mkdir(top)
        os.mkdir(top + "/shut")
        for name in ("1", "2", "shut/in"):
            owner = UID if chance(self.dice, 80) else OTHER
            fill(self.machine, f"{top}/{name}", owner, owner)
        os.chmod(top + "/shut", self.dice.choice((0o755, 0o700)))
        with open(top + "/file", "w"):
            pass
        for _ in range(self.dice.randrange(6)):
            name = self.dice.choice(FILES)
            dotqmail(self.machine, f"{self.site.qmail}/alias/.qmail-{name}",
                     os.stat(self.site.qmail + "/alias").st_uid)

    def damage(self):
        """What somebody does to a site that popbox made."""
        for _ in range(self.dice.choice((0, 0, 1, 1, 2, 3))):
            how = self.dice.choice((self.control_noise, self.control_line,
                                    self.file_noise, self.file_mode,
                                    self.file_gone, self.box_noise,
                                    self.cdb_noise, self.routes_by_hand))
            how()

    def control_noise(self):
        names = [n for n in os.listdir(self.control)
                 if "cdb" not in n and os.path.isfile(self.control + n)]
        name = self.dice.choice(names)
        with open(self.control + name, newline="") as file:
            rows = file.read().split("\n")[:-1]
        text = noisy(self.dice, rows)
        if chance(self.dice, 10):
            text = text.replace("\n", "\r\n")
        self.note("noise in " + name)
        self.write(name, text)

    def control_line(self):
        name = self.dice.choice(("rcpthosts", "virtualdomains", "smtproutes",
                                 "locals"))
        row = self.dice.choice(KEYS)
        if name in ("virtualdomains", "smtproutes"):
            row += ":" + self.dice.choice(IDS[:6] if name[0] == "v" else
                                          ("", "m.org", "[127.0.1.9]:26"))
        if os.path.isdir(self.control + name):
            return
        with open(self.control + name, "a") as file:
            file.write(row + "\n")
        self.note(f"{name} + {row}")

    def routes_by_hand(self):
        name = self.dice.choice(("me", "locals", "rcpthosts", "smtproutes",
                                 "virtualdomains"))
        self.gone(name)
        self.note("no " + name)

    def published(self):
        """A .qmail file of the site, and its directory."""
        found = [f"{where}/{name}" for where, _, names in
                 os.walk(self.site.home) for name in names
                 if name.startswith(".qmail") and
                 not os.path.islink(f"{where}/{name}")]
        return self.dice.choice(sorted(found))

    def file_noise(self):
        path = self.published()
        with open(path, "w", newline="") as file:
            file.write(content(self.machine))
        self.note("other text in " + os.path.basename(path))

    def file_mode(self):
        path = self.published()
        if chance(self.dice, 40):
            path = os.path.dirname(path)
        mode = self.dice.choice((0o600, 0o744, 0o744, 0o666, 0o000, 0o1755, 0o777))
        os.chmod(path, mode)
        if chance(self.dice, 30):
            os.chown(path, self.dice.choice((0, OTHER)), 0)
        self.note(f"{os.path.basename(path)} {oct(mode)}")

    def file_gone(self):
        path = self.published()
        os.unlink(path)
        self.note("no " + os.path.basename(path))
        if chance(self.dice, 50):
            dotqmail(self.machine, path, UID)

    def box_noise(self):
        path = self.site.box_path() + self.dice.choice(
            ("", "/new", "/tmp", "/cur"))
        if not os.path.exists(path):
            return
        how = self.dice.randrange(3)
        if how == 0:
            os.chmod(path, self.dice.choice((0o500, 0o000, 0o300, 0o755)))
        elif how == 1:
            os.chown(path, self.dice.choice((0, OTHER)), GID)
        else:
            shutil.rmtree(path)
        self.note("box " + path[-4:])

    def cdb_noise(self):
        self.dice.choice((self.cdb, self.assign))()
        self.homes()
        self.note("users/assign")


def dice_of(by, keys, without):
    return by.dice.choice([key for key in keys if without not in key])


def by_popbox(site, dice):
    """A site with all kinds of domains and addresses."""
    site.write_control("me", "mail.site.example\n")
    site.write_control("locals", "mail.site.example\n")
    site.write_control("virtualdomains", "")
    site.joe()
    add, more = ("domain", "add"), ("address", "add")
    words = [
        (*add, "other.org", "--handle", "ex2"),
        (*add, "alias.example", "--alias-of", "example.com"),
        (*add, "relay.example", "--kind", "relay", "--host",
         dice.choice(("m.org", "127.0.1.9:26")), "--handle", "ex1"),
        (*add, "backup.example", "--kind", "backup", "--handle", "ex1"),
        (*add, "dial.example", "--kind", "dialup", "--handle", "ex1"),
        ("box", "add", "bob@other.org", "--no-password"),
        ("box", "add", "off@example.com", "--no-password"),
        ("box", "set", "off@example.com", "--delivery", "off"),
        ("box", "add", "hold@other.org", "--no-password"),
        ("box", "set", "hold@other.org", "--delivery", "hold"),
        (*more, "sales@example.com", "ex1-0001", "a@far.example"),
        (*more, "sales@other.org", "joe@example.com", "bob@other.org"),
        (*more, "list@example.com", "list@other.org"),
        (*more, "list@other.org", "gone@example.com"),
        (*more, "j.d@example.com", "off@example.com", "hold@other.org"),
        (*more, "a-b-c@other.org", "nobody@nowhere.example"),
        (*more, dice.choice(("*@other.org", "x@other.org")), "ex2-0001"),
    ]
    if chance(dice, 30):
        words.append(("domain", "set", "other.org", "--delivery",
                      dice.choice(("hold", "off"))))
    if chance(dice, 30):
        words.append(("box", "del", "joe@example.com", "--yes"))
    if chance(dice, 30):
        words.append(("domain", "set", "example.com", "--no-subdomains"))
    for name in ("example.com", "other.org"):
        if chance(dice, 40):
            words.append(("domain", "set", name, "--extension", "+"))
    for row in words:
        loose = ("--force",) if row[:2] == more else ()  # to what comes later
        got = site.popbox(*row, *loose)
        assert got.rc in (0, 111), (row, got)  # no qmail-send
