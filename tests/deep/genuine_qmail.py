# SPDX-License-Identifier: MIT
"""A genuine qmail at work, for the harness genuine: what its programs do with one
message to each address, as qmail-send's log, the Maildirs and the network say.

tests/covered has laid a copy over the installation. In that copy qmail-queue
has tests/deep/noted.c before it; nothing else is changed."""
import collections
import os
import re
import shutil
import subprocess
import time

SENDER = "#@[]"  # to which qmail-send sends no bounce
MOST = 400       # messages of a set-up; beyond, it is left out
START = re.compile(r"starting delivery (\d+): msg (\d+) to (local|remote) (.*)")
ENDED = re.compile(r"delivery (\d+): (success|failure|deferral): (.*)")
INFO = re.compile(r"info msg (\d+): bytes \d+ from <.*> qp (\d+) ")


def logged(address):
    """As qmail-send's log has it."""
    return re.sub(r"[^!-$&-~]", "_", address)


class Endless(Exception):
    """More messages come of a set-up than can be waited for."""


def prepare(qmail, noted):
    """The copy, once: with what notes the forwards."""
    os.rename(qmail + "/bin/qmail-queue", qmail + "/bin/qmail-queue.real")
    shutil.copy(noted, qmail + "/bin/qmail-queue")
    os.chmod(qmail + "/bin/qmail-queue", 0o755)
    os.mkdir(qmail + "/notes")
    os.chmod(qmail + "/notes", 0o1777)


def session(qmail, addresses):
    """What qmail-smtpd says to each, until it ends the session."""
    talk = "HELO x\r\nMAIL FROM:<s@x.org>\r\n" + "".join(
        f"RCPT TO:<{address}>\r\n" for address in addresses) + "QUIT\r\n"
    done = subprocess.run(
        ["setpriv", "--reuid", "qmaild", "--regid", "nofiles",
         "--clear-groups", qmail + "/bin/qmail-smtpd"], input=talk.encode(),
        capture_output=True, env={"TCPREMOTEIP": "192.0.2.7"}, timeout=60)
    lines = done.stdout.decode("latin-1").split("\r\n")
    said = [line[:3] for line in lines if re.match(r"\d{3} ", line)]
    return said[3:3 + len(addresses)] if said[0] == "220" else \
        said * len(addresses)


def answers(qmail, addresses):
    """What it says to each: 250, 553, or 421 when it takes none now."""
    said = {}
    while len(said) < len(addresses):
        rest = addresses[len(said):]
        said.update(zip(rest, session(qmail, rest)))
    return said


class Delivery:
    """of one recipient: where to, and what came of it."""

    def __init__(self, channel, to):
        self.channel, self.to = channel, to
        self.result = self.text = None

    def programs(self):
        """Did it run one? A program need not leave a mark; condredirect that
        hands a message on is a forward."""
        found = re.search(r"did_\d+\+\d+\+(\d+)", self.text or "")
        handed = "condredirect:_qp_" in (self.text or "")
        return found is not None and int(found[1]) > handed

    def children(self):
        """The number of the message that it forwarded, or None."""
        found = re.search(r"(?:/|condredirect:_)qp_(\d+)/", self.text or "")
        return int(found[1]) if found else None


class Mail:
    """A qmail that runs; `with Mail(...) as mail`."""

    def __init__(self, site, default):
        self.qmail, self.log = site.qmail, site.top + "/send.log"
        self.wanted = {}  # number of the message: its recipients
        for name in os.listdir(self.qmail + "/notes"):
            os.unlink(f"{self.qmail}/notes/{name}")
        self.empty_queue()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.qmail + "/bin/qmail-start", default], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                env={"PATH": f"{self.qmail}/bin:/usr/bin:/bin"})
        while "status:" not in self.said() and self.process.poll() is None:
            time.sleep(0.002)
        self.runs = self.process.poll() is None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()
        self.empty_queue()

    def empty_queue(self):
        for part in ("bounce", "info", "intd", "local", "mess", "remote",
                     "todo"):
            for where, _, names in os.walk(f"{self.qmail}/queue/{part}"):
                for name in names:
                    os.unlink(f"{where}/{name}")

    def said(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def send(self, address, token):
        """Hands a message to the real qmail-queue; its number."""
        text, envelope = os.pipe(), os.pipe()
        os.write(text[1], f"X-Token: {token}\n\nhello\n".encode())
        os.write(envelope[1], f"F{SENDER}\0T{address}\0\0".encode())
        for pair in (text, envelope):
            os.close(pair[1])
        pid = os.posix_spawn(
            self.qmail + "/bin/qmail-queue.real", ["qmail-queue"], {},
            file_actions=[(os.POSIX_SPAWN_DUP2, text[0], 0),
                          (os.POSIX_SPAWN_DUP2, envelope[0], 1)])
        for pair in (text, envelope):
            os.close(pair[0])
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code == 0, f"qmail-queue: {code}"
        self.wanted[pid] = [address]
        return pid

    def noted(self):
        for name in os.listdir(self.qmail + "/notes"):
            if name.isdigit() and int(name) not in self.wanted:
                with open(f"{self.qmail}/notes/{name}", "rb") as file:
                    parts = file.read().decode("latin-1").split("\0")
                self.wanted[int(name)] = [p[1:] for p in parts if p[:1] == "T"]

    def deliveries(self):
        """{number: [Delivery]}, as far as the log has them."""
        number_of, started = {}, {}
        found = collections.defaultdict(list)
        for line in self.said().splitlines():
            if match := INFO.match(line):
                number_of[match[1]] = int(match[2])
            elif match := START.match(line):
                started[match[1]] = Delivery(match[3], match[4])
                found[number_of[match[2]]].append(started[match[1]])
            elif match := ENDED.match(line):
                started[match[1]].result = match[2]
                started[match[1]].text = match[3]
        return found

    def all(self, seconds=60):
        """The same when every message has got its first answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.deliveries()
            self.noted()
            if len(self.wanted) > MOST:
                raise Endless
            if all(len(found[number]) >= len(to) and
                   all(d.result for d in found[number])
                   for number, to in self.wanted.items()):
                return found
            time.sleep(0.01)
        raise AssertionError("qmail-send does not end: " + self.said()[-2000:])


class Kept:
    """What was written below some directories since this was made."""

    def __init__(self, *tops):
        self.tops = tops
        self.before = dict(self.files())

    def files(self):
        for top in self.tops:
            for where, _, names in os.walk(top):
                for name in names:
                    path = f"{where}/{name}"
                    info = os.lstat(path)
                    yield path, (info.st_size, info.st_mtime_ns)

    def found(self):
        """{(token, recipient): [(place, uid)]}; a Maildir ends in a slash."""
        came = collections.defaultdict(list)
        for path, state in self.files():
            if self.before.get(path) == state or os.path.islink(path):
                continue
            with open(path, errors="replace") as file:
                text = file.read()
            uid = os.stat(path).st_uid
            parts = os.path.realpath(path).rsplit("/", 2)
            place = parts[0] + "/" if parts[1] == "new" else \
                os.path.realpath(path)
            for one in re.split(r"^From .*\n", text, flags=re.M):
                token = re.search(r"^X-Token: (\d+)$", one, re.M)
                to = re.search(r"^Delivered-To: (.*)$", one, re.M)
                if token and to:
                    came[int(token[1]), logged(to[1])].append((place, uid))
        return came
