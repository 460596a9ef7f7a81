# SPDX-License-Identifier: MIT
"""A part of the harness genuine, where a copy of qmail lies over the real one and
nothing of the network is another's:

    genuine_worker.py ADDRESSES SEED NOTED BUILD

Prints an object a line: what is bad, and at the end the figures."""
import collections
import json
import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from genuine_net import Net, place  # noqa: E402
from genuine_qmail import Endless, Kept, Mail, answers, logged  # noqa: E402
from genuine_setups import Machine  # noqa: E402


# With these it does not claim to know what comes of the mail.
UNTOLD = ("not for popusr's eyes", "and the shell gets it")


def told(site, address):
    """({step: its last text}, all texts, last line); None: to popbox it is no
    address."""
    got = site.popbox("--json", "explain", address)
    if got.rc == 100:
        return None
    lines = [json.loads(line) for line in got.out.splitlines()]
    end = lines.pop() if lines and "verdict" in lines[-1] else \
        {"verdict": got.err, "targets": []}
    return {line["step"]: line["text"] for line in lines}, \
        [line["text"] for line in lines], end


def fates(found, kept, token, number):
    """What becomes of a message's recipients, in the words of explain."""
    return {fate(found, kept, token, one) for one in found[number]}


def fate(found, kept, token, one):
    if one.result != "success":
        return "bounced" if one.result == "failure" else "deferred"
    if one.channel == "remote":
        return "remote"
    here = kept.get((token, one.to))
    if here:
        return "delivered" if here[0][1] == tap.UID else "local"
    if one.children() is None or one.programs():
        return "lost"  # whoever the user is
    below = fates(found, kept, token, one.children())
    if below & {"delivered", "remote"}:
        return "delivered"
    return "lost" if "lost" in below else "local" if "local" in below else \
        "deferred" if "deferred" in below else "bounced"


def plain(text):
    """As popbox prints what strangers wrote."""
    return re.sub(r"[^ -~]", "?", text)


def to(address):
    """Domains have no letter case."""
    local, at, domain = plain(address).rpartition("@")
    return "to " + local + at + (domain.lower() if at else domain)


def where(target, home):
    """A target of explain's as what is seen afterwards."""
    if target[:1] == "|":
        marked = re.search(r"/marks/(\w+)", target)
        return "mark " + marked[1] if marked else None
    if not target.startswith(("/", ".")):
        return to(target)
    path = os.path.realpath(os.path.join(home, target))
    return path + "/" if target.endswith("/") else path


def seen_at(path):
    marked = re.search(r"/marks/(\w+)", path)
    return "mark " + marked[1] if marked else plain(path)


def head(path):
    try:
        with open(path, "rb") as file:
            return file.read(300)
    except (OSError, TypeError):
        return ""


class Judge:
    def __init__(self):
        self.net = None
        self.tried = 0
        self.seen = collections.Counter()

    def bad(self, what):
        print(json.dumps({"bad": what}), flush=True)

    def look(self, site, setup, name):
        """All addresses of a set-up."""
        said = answers(site.qmail, setup.addresses)
        self.alias = site.qmail + "/alias"
        watched = Kept(site.top, self.alias)
        with Mail(site, setup.default) as mail:
            walks = {a: told(site, a) for a in setup.addresses}
            numbers = {}
            if mail.runs:
                numbers = {a: mail.send(a, token) for token, a in
                           enumerate(setup.addresses) if said[a] == "250"}
            try:
                found = mail.all()
            except Endless:
                return
            forwards = mail.wanted
            if not mail.runs:
                setup.notes.append(mail.said())
        kept = watched.found()
        for token, address in enumerate(setup.addresses):
            if not walks[address]:
                continue
            wrong = self.one(walks[address], said[address],
                             (found, kept, forwards, token,
                              numbers.get(address)))
            self.tried += 1
            if wrong:
                steps = walks[address][0]
                self.bad(f"{name} {address}: {wrong}; {setup.told()} "
                         f"{head(steps.get('file'))} {steps}")
        self.net.came.clear()

    def one(self, walk, said, came):
        """What is wrong, or None."""
        steps, texts, end = walk
        found, kept, forwards, token, number = came
        verdict = end["verdict"]
        if said == "553" or said == "421" or number is None:
            real = {"553": "refused"}.get(said, "deferred")
            self.seen[real] += 1
            return None if verdict == real else \
                f"{real} (smtpd {said}), explain says {verdict}"
        first = found[number][0]
        real = fate(found, kept, token, first)
        self.seen[real] += 1
        if any(part in text for text in texts for part in UNTOLD):
            return None
        if verdict != real and not (real == "lost" and
                                    verdict in ("delivered", "local")):
            return f"{real} ({first.channel} {first.to} {first.text}), " \
                f"explain says {verdict} {end['broken']}"
        return self.routed(steps, first) or \
            self.targets(steps, end, first, token, kept, forwards)

    @staticmethod
    def routed(steps, first):
        match = re.search(r": (.*) as user", steps.get("assigned", ""))
        if match and logged(match[1]).replace("?", "_") != \
                first.to.rpartition("@")[0].replace("?", "_"):
            return f"routed to {first.to}, explain says {match[1]}"
        return None

    def targets(self, steps, end, first, token, kept, forwards):
        if first.result != "success":
            return None
        if first.channel == "remote":
            real = {at for recipients, at in self.net.came[token]
                    if any(f"<{first.to}>" in logged(r) for r in recipients)}
            claimed = {place(t) for t in end["targets"]}
        else:
            home = re.search(r", in (.*), extension",
                             steps.get("assigned", ""))
            home = home[1] if home else self.alias
            claimed = [where(target, home) for target in end["targets"]]
            claimed = sorted(filter(None, claimed))
            real = sorted([seen_at(path) for path, _ in
                           kept.get((token, first.to), [])] +
                          [to(address) for address in
                           forwards.get(first.children(), [])])
        return None if real == claimed else \
            f"went to {real}, explain says {claimed}"

    def end(self):
        print(json.dumps({"tried": self.tried, "seen": self.seen}))


def main(addresses, seed, noted, build):
    tap.POPBOX = build + "/popbox"
    judge, dice = Judge(), random.Random(seed)
    machine = Machine(dice, noted)
    judge.net = Net(machine.top + "/resolv.conf")
    number = 0
    while judge.tried < addresses:
        site, setup = machine.next()
        judge.look(site, setup, f"{seed}/{number}")
        number += 1
    judge.end()
    machine.close()


main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
