# SPDX-License-Identifier: MIT
"""Changes under the eyes of qmail's programs (tests/deep/observer/): the changes
that are tried, and what may be seen while they are made. For the harnesses
instants and powercut.

Mail has three stations, and time passes between them: qmail-smtpd takes it by
rcpthosts, qmail-send routes it once by the table that it read at its start or
HUP, qmail-lspawn and qmail-local deliver it by users/cdb and the .qmail files.
So a message that was accepted at one instant is asked about at every later one,
with every route that it may have been given by then.
"""
import os
import subprocess
from copy import copy
from glob import glob

from deep import BUILD, DEEP, TREE, compiled
from snapshot import Snapshot
from tap import SMALL

OBSERVER = DEEP + "/observer"

# Two customers; a catch-all, so that mail could fall to it.
BASE = (("domain", "add", "other.org", "--handle", "ex2"),
        ("box", "add", "kim@other.org", "--no-password"),
        ("address", "add", "list@example.com", "a@b.org"),
        ("address", "add", "*@example.com", "ex1-0000"))
ADDRESSES = ("joe@example.com", "postmaster@example.com", "list@example.com",
             "ann@example.com", "x@example.com", "joe@sub.example.com",
             "joe@new.org", "postmaster@new.org", "nobody@new.org",
             "kim@other.org", "nobody@other.org", "u3@example.com")
IDS = ("example.com", "new.org")

DEL = ("domain", "del", "example.com", "--yes")
NEW = ("domain", "add", "new.org", "--handle", "ex1")
ANN = ("box", "add", "ann@example.com", "--no-password")
RELAY = ("domain", "set", "example.com", "--kind", "relay", "--host", "a.org",
         "--yes")
CSV = "TOP/rows.csv"


class Change:
    """A command, what was done before it, and, checked by word, what becomes of
    an address's mail at the end (None: not accepted). queued: addresses and ids
    of mail that was routed long before. also: what else may become of mail that
    was accepted and not routed. leaves: findings of check that it may end in."""

    def __init__(self, words, setup=(), end=None, small=False, queued=(),
                 also=None, leaves=()):
        self.words = words
        self.setup = setup
        self.end = end or {}
        self.small = small  # the program with small limits
        self.queued = queued
        self.also = also or {}
        self.leaves = leaves

    def __str__(self):
        words = self.words
        if words == ("sync",):
            words = (*self.setup[-1], "+ sync")
        return " ".join(words) + (" (small)" if self.small else "")


JOE = "joe@example.com"
CHANGES = (
    Change(NEW, end={"postmaster@new.org": "box", "nobody@new.org": "bounce"}),
    Change((*NEW, "--kind", "relay", "--host", "a.org"),
           end={"joe@new.org": "host"}),
    Change((*NEW, "--kind", "backup"), end={"joe@new.org": "mx"}),
    Change((*NEW, "--kind", "dialup"), end={"joe@new.org": "box"}),
    Change((*NEW[:3], "--alias-of", "example.com"),
           end={"joe@new.org": "box"}),
    Change(NEW, (("config", "set", "rcpthosts_max", "2"),),
           end={"postmaster@new.org": "box"}),
    Change(("domain", "rename", "example.com", "new.org"),
           end={"joe@new.org": "box", JOE: None}),
    Change(("domain", "rename", "example.com", "new.org", "--keep"),
           end={"joe@new.org": "box", JOE: "box"}),
    Change(DEL, end={JOE: None}),
    Change(("domain", "del", "example.com", "--keep-boxes", "--yes"),
           end={JOE: None}),
    Change(("undo", "last"), (DEL,), end={JOE: "box"}),
    Change(("purge", "example.com", "--now", "--yes"), (DEL,),
           end={JOE: None}, queued=((JOE, "example.com"),)),
    Change(("undo", "last"), (NEW,), end={"joe@new.org": None}),
    Change(RELAY, end={JOE: "host"}),
    Change(("domain", "set", "example.com", "--kind", "backup", "--yes"),
           (RELAY,), end={JOE: "mx"}),
    Change(("domain", "set", "new.org", "--kind", "pop"),
           ((*NEW, "--kind", "relay", "--host", "a.org"),),
           end={"postmaster@new.org": "box"}),
    Change(("domain", "set", "example.com", "--no-subdomains"),
           end={JOE: "box", "joe@sub.example.com": None},
           also={"joe@sub.example.com": "mx"}),
    Change(("domain", "set", "example.com", "--delivery", "off"),
           end={JOE: "bounce"}),
    Change(("handle", "set", "ex1", "--delivery", "hold"),
           end={JOE: "defer"}),
    Change(("handle", "suspend", "ex1"), end={JOE: "box"}),
    Change(ANN, end={"ann@example.com": "box"}),
    Change(("box", "set", JOE, "--delivery", "off"), end={JOE: "bounce"}),
    Change(("box", "del", JOE, "--yes"), end={JOE: "box"}),
    Change(("box", "undelete", "ex1-0001"), (("box", "del", JOE, "--yes"),),
           end={JOE: "box"}),
    Change(("purge", "ex1-0001", "--now", "--yes"),
           (("box", "del", JOE, "--yes"),)),
    Change(("address", "add", "x@example.com", "a@b.org", "ex1-0001"),
           end={"x@example.com": "box"}),
    Change(("address", "set", "list@example.com", "c@d.org"),
           end={"list@example.com": "forward"}),
    Change(("address", "set", "list@example.com", "ex1-0001"),
           end={"list@example.com": "box"}),
    Change(("address", "rename", JOE, "x@example.com"),
           end={"x@example.com": "box", JOE: "box"}),
    Change(("address", "rename", JOE, "x@example.com", "--keep"),
           end={"x@example.com": "box", JOE: "box"}),
    Change(("address", "del", JOE, "--yes"), end={JOE: "bounce"}),
    Change(("purge", JOE, "--now", "--yes"),
           (("address", "del", JOE, "--yes"),)),
    Change(("passwd", JOE, "--generate"), end={JOE: "box"}),
    Change(("sync",), (ANN + ("--no-sync",), NEW + ("--no-sync",)),
           end={"ann@example.com": "box", "postmaster@new.org": "box"}),
    Change(("sync", "--full"), end={JOE: "box"}, leaves=("temporary",)),
    Change(("import", CSV, "--handle", "ex1", "--locked"),
           end={"u3@example.com": "box"}, small=True),
    Change(("import", CSV, "--handle", "ex1", "--locked"),
           end={"u3@example.com": "box"}),
    Change(("restore", "TOP/backup", "--yes"), (("backup", "TOP/backup"), ANN),
           leaves=("stray-box", "temporary")),
    Change(("check", "--repair"), end={JOE: "box"}, leaves=("temporary",)),
    Change(("purge", "new.org", "--now", "--yes"),
           ((*NEW, "--kind", "dialup"), ("domain", "del", "new.org", "--yes"))),
)


def published_later(change):
    """The same with --no-sync, and the sync that makes up for it."""
    if change.words[0] in ("passwd", "sync", "check", "restore", "import",
                           "undo"):
        return []
    return [Change(("sync",), (*change.setup, (*change.words, "--no-sync")),
                   change.end, change.small, change.queued, change.also)]


def build_observer():
    """Static, so that a fork of it, one for each look into a store, is cheap."""
    compiled("observer", "-static",
             *sorted(glob(TREE + "/tests/deep/observer/*.c")),
             BUILD + "/tools/qmail/route.o", BUILD + "/tools/qmail/cdbfile.o",
             *glob(BUILD + "/store/**/*.o", recursive=True), "-lcdb", "-llmdb", "-lsodium",
             "-lcrypt", "-lnettle")


class View:
    """What qmail's programs said at one instant."""

    def __init__(self, lines):
        self.smtp, self.route, self.mail = {}, {}, {}
        for line in lines:
            word, what, answer = line.split("\t", 2)
            getattr(self, word)[what] = answer

    def outcome(self, route):
        """Of a message that was routed so."""
        return self.mail[route[6:]] if route.startswith("local ") else route

    def fate(self, address):
        """Of one that comes now; None: not accepted."""
        return self.outcome(self.route[address]) \
            if self.smtp[address] == "yes" else None


class Log:
    """What `observer step` wrote: events ("view", View, call), ("file", path,
    content or None), ("op", words), in order."""

    def __init__(self, path):
        self.events = []
        self.instants = self.status = None
        with open(path) as file:
            for line in file:
                words = line.split()
                if words[0] == "view":
                    self.take_view(file, words[2])
                elif words[0] == "instants":
                    self.instants, self.status = map(int, words[1:])
                else:
                    self.events.append(("op", words))
        self.ops = [e[1] for e in self.events if e[0] == "op"]
        views = [e[1] for e in self.events if e[0] == "view"]
        self.before, self.after = views[0], views[-1]

    def __add__(self, later):
        log = copy(self)
        log.events = self.events + later.events
        log.ops = self.ops + later.ops
        log.after = later.after
        log.instants += later.instants
        return log

    def take_view(self, file, call):
        lines, files = [], []
        for line in file:
            if line == ".\n":
                break
            parts = line.rstrip("\n").split("\t")
            if parts[0] == "file":
                files.append(("file", parts[1], (
                    int(parts[2], 8), parts[3], parts[4],
                    bytes.fromhex(parts[5]))))
            elif parts[0] == "gone":
                files.append(("file", parts[1], None))
            else:
                lines.append(line.rstrip("\n"))
        self.events += files + [("view", View(lines), call)]


class Judge:
    """What may become of mail during one change."""

    def __init__(self, log, change):
        self.before, self.after = log.before, log.after
        self.also = change.also
        self.first = {(a, self.before.route[a]) for a in self.before.smtp
                      if self.before.smtp[a] == "yes"}
        self.accepted = {a for a, _ in self.first}
        self.first |= {(a, f"local {i}-{a}") for a, i in change.queued}
        self.live = set(self.first)
        self.table = self.before.route  # of the running qmail-send

    def allowed(self, address, route):
        fates = {view.fate(address) for view in (self.before, self.after)}
        fates.add(self.also.get(address))
        if (address, route) in self.first:
            fates |= {self.before.outcome(route), self.after.outcome(route)}
        return fates

    def hup(self, view):
        self.table = view.route

    def see(self, view, restarted=False):
        """What is wrong at an instant; who was accepted is remembered."""
        for address, answer in view.smtp.items():
            if answer not in (self.before.smtp[address],
                              self.after.smtp[address]):
                yield f"qmail-smtpd says {answer} to {address}"
            if answer != "no":
                self.accepted.add(address)
        for address in self.accepted:
            if not restarted:
                self.live.add((address, self.table[address]))
            self.live.add((address, view.route[address]))
        for address, route in sorted(self.live):
            wrong = self.judge(view, address, route, restarted)
            if wrong:
                yield wrong

    def crashed(self, view):
        """What is wrong after a power cut: qmail has been started again, and
        mail that was accepted before is on its disk."""
        other = copy(self)
        other.accepted, other.live = set(self.accepted), set(self.live)
        return list(other.see(view, restarted=True))

    def judge(self, view, address, route, restarted):
        if route.startswith("local ") and route[6:] not in view.mail:
            return f"{address}: the route '{route}' was not foreseen"
        fate, allowed = view.outcome(route), self.allowed(address, route)
        if fate in allowed:
            return None
        # After a power cut mail may wait for the next sync, and for that alone.
        if restarted and fate.startswith("defer ") and \
                fate != "defer users/cdb damaged":
            return None
        return f"{address}, {route}: {fate}, not one of {allowed}"


class Files:
    """That no file is seen missing, empty or half-written."""

    def __init__(self, log):
        self.first, self.last = {}, {}
        begun = False
        for event in log.events:
            if event[0] == "view":
                begun = True
            elif event[0] == "file":
                if not begun:
                    self.first[event[1]] = event[2]
                self.last[event[1]] = event[2]

    def see(self, path, content):
        ends = [f.get(path) for f in (self.first, self.last)]
        if content in ends:
            return None
        if content is None:
            return f"{path} is missing"
        texts = [end[3] if end else b"" for end in ends]
        text = content[3]
        if not text and b"" not in texts:
            return f"{path} is empty"
        name = os.path.basename(path)
        if name.endswith("cdb"):
            return None  # the look-ups tell whether it is whole
        if name.startswith(".qmail") or name == "RELAYHOST":
            return f"{path} is neither as before nor as after: {content}"
        lines = [set(t.split(b"\n")) for t in (*texts, text)]
        if text and not text.endswith(b"\n"):
            return f"{path} ends within a line"
        if not lines[2] <= lines[0] | lines[1]:
            return f"{path} has lines of neither: {text}"
        if not lines[0] & lines[1] <= lines[2]:
            return f"{path} lost lines that stay: {text}"
        return None


class Eyes:
    """`observer look`: asked about the site as it is."""

    def __init__(self, scene):
        self.process = subprocess.Popen(
            [OBSERVER, "look", scene.view, scene.site.store], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == ".\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise SystemExit("the observer has ended")

    def view(self):
        return View(self.ask("look"))

    def store(self):
        return self.ask("store")[0]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def write_view(site, addresses):
    """The questions that the observer asks of a site; their file's name."""
    path = site.top + ".view"
    with open(path, "w") as file:
        file.write(f"top {site.top}\nqmail {site.qmail}\n"
                   f"home {site.home}\nserial {site.serial}\n")
        for address in addresses:
            file.write(f"address {address}\n")
            for name in dict.fromkeys((*IDS, address.split("@")[1])):
                file.write(f"queued {name}-{address}\n")
    return path


class Scene(Snapshot):
    """The site of a change, with qmail-send running and a view file."""

    def __init__(self, change):
        super().__init__(BASE + tuple(change.setup))
        self.change = change
        site = self.site
        with open(site.top + "/rows.csv", "w") as file:
            file.write("address\n" + "".join(f"u{i}@example.com\n"
                                             for i in range(60)))
        self.take()
        self.words = tuple(
            str(site.last_entry()) if w == "last" else
            w.replace("TOP", site.top) for w in change.words)
        self.view = write_view(site, ADDRESSES)
        self.log = site.top + ".log"

    def step(self, build=BUILD, last=0, words=None):
        """Makes the change, observed; its Log. last: it is killed behind so
        many operations on the disk."""
        program = SMALL.replace(BUILD, build, 1) if self.change.small \
            else build + "/popbox"
        send = subprocess.Popen([self.site.bin + "/qmail-send"])
        try:
            got = self.site.popbox(
                *(words or self.words), program=program, timeout=300,
                prefix=(OBSERVER, "step", self.view, self.log, str(last)))
        finally:
            send.kill()
            send.wait()
        if got.rc != 0 and not last:
            raise SystemExit(f"{self.change}: {got}")
        return Log(self.log)

    def __exit__(self, *exception):
        super().__exit__(*exception)
        for path in (self.view, self.log):
            if os.path.exists(path):
                os.unlink(path)
