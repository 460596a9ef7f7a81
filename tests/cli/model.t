#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random sequences of commands against a model of the store that is as simple
as can be: after each command the listings, the logins and the published files
are what the model says, and so is the exit code. Then everything is undone.

    MODEL=1000 tests/cli/model.t     that many sequences; SEED=5 begins there
"""
import copy
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, SANITIZED, Site, eq, run, test

SEQUENCES = int(os.environ.get("MODEL") or (2 if SANITIZED else 8))
STEPS = 25
SEED = int(os.environ.get("SEED", "1"))
HANDLES = ("ex1", "ot2", "zz")
DOMAINS = ("a.org", "b.org", "a.org-x.net", "c.example", "d.example")
LOCALS = ("joe", "ann", "j.d", "postmaster", "*")
HOSTS = ("one.test", "two.test")
LOCAL_KINDS = ("pop", "dialup")
SERVICES = ("pop", "smtp", "imap", "webmail")
STATE = ("login", "delivery", "reason", "expires", "services_off")
FOREIGN = ("Bob@else.where", "x@y.test")
DELIVERY = ("on", "off", "hold")


class Refused(Exception):
    pass


def need(condition):
    if not condition:
        raise Refused


def state():
    return {"login": True, "delivery": "on", "reason": None, "messages": 0,
            "expires": None, "services_off": []}


def both(*switches):
    return "off" if "off" in switches else \
        "hold" if "hold" in switches else "on"


class Model:
    """What the store holds. Names are (local, domain) and (handle, number)."""

    def __init__(self):
        self.handles, self.domains = {}, {}
        self.boxes, self.addresses = {}, {}
        self.old = {"handles": {}, "domains": {}, "boxes": {},
                    "addresses": {}}
        self.pair = {}  # the box that a box was, or has become, by a move
        self.taken = {}  # what the deletions of a step took, in order
        self.step = 0

    # -- what commands do; each returns nothing or is Refused --

    def handle_add(self, name):
        need(name not in self.handles)
        was = self.old["handles"].pop(name, None)
        self.handles[name] = {**state(), "next": was["next"] if was else 1}

    def handle_del(self, name):
        need(name in self.handles)
        need(not any(d["handle"] == name for d in self.domains.values()))
        need(not any(b[0] == name for b in self.boxes))
        self.old["handles"][name] = self.handles.pop(name)

    def prefix_free(self, name):
        old = {n for n, _ in self.old["domains"]}
        for other in {*self.domains, *old} - {name}:
            need(not name.startswith(other + "-"))
            need(not other.startswith(name + "-"))

    def insert(self, name, row):
        """A row under a name that may have been several things before."""
        need(name not in self.domains)
        self.prefix_free(name)
        if row["kind"] == "alias":
            need(row["target"] in self.domains)
            need(self.domains[row["target"]]["kind"] == "pop")
        for (other, kind), was in list(self.old["domains"].items()):
            if other != name:
                continue
            same = all(row[k] == was[k]
                       for k in ("kind", "handle", "target", "host"))
            if kind == "backup" or (kind, row["kind"]) == (
                    "relay", "backup") or (same and
                                           kind not in LOCAL_KINDS):
                del self.old["domains"][other, kind]
            else:
                need(kind != row["kind"])
                need(row["kind"] not in LOCAL_KINDS or
                     kind not in ("pop", "dialup", "alias"))
        self.domains[name] = row

    def domain_add(self, name, handle, target, kind, host):
        if handle not in self.handles:
            self.handle_add(handle)
        self.insert(name, {**state(), "handle": handle, "kind": kind,
                           "target": None, "host": host,
                           "below": kind != "dialup"})
        if kind == "pop":
            self.postmaster(name, handle, target)

    def postmaster(self, name, handle, target):
        where = ("postmaster", name)
        if target:
            address = self.aim(where, [target])
            self.put(where, address)
            self.judge(where, True)
            return
        self.put(where, self.postmaster_of(handle))

    def postmaster_of(self, handle):
        if (handle, 0) in self.boxes:
            return {"box": (handle, 0), "forwards": []}
        for other in sorted(self.domains):
            if self.domains[other]["handle"] == handle and \
                    ("postmaster", other) in self.addresses:
                return copy.deepcopy(self.addresses["postmaster", other])
        return {"box": self.new_box(handle, True), "forwards": []}

    def alias_add(self, name, target):
        need(target in self.domains)
        self.insert(name, {**state(), "kind": "alias", "target": target,
                           "handle": self.domains[target]["handle"],
                           "host": None, "below": True})

    def domain_kind(self, name, kind, host):
        need(name in self.domains)
        was = dict(self.domains[name])
        need(was["kind"] != "alias")
        if kind == was["kind"]:
            if kind != "relay" and kind != "dialup":
                return
            self.domains[name]["host"] = host or was["host"]
            return
        self.domain_del(name)
        self.insert(name, {
            **was, "kind": kind, "host": host, "below": kind != "dialup",
            "messages": 0,
            "delivery": was["delivery"] if kind in LOCAL_KINDS else "on"})
        if kind == "pop":
            self.postmaster(name, was["handle"], None)

    def domain_del(self, name, keep=False):
        need(name in self.domains)
        need(not any(d["target"] == name for d in self.domains.values()))
        for where in sorted(a for a in self.addresses if a[1] == name):
            box = self.addresses[where]["box"]
            self.park_address(where, False)
            if box and not keep and not any(
                    a["box"] == box for a in self.addresses.values()):
                self.park_box(box)
        self.park_domain(name)

    def park_domain(self, name):
        row = self.domains.pop(name)
        self.old["domains"][name, row["kind"]] = row

    def dialup(self, row):
        handle = self.handles.get(row["handle"], state())
        return {"off": "bounce", "hold": "hold", "on": "on"}[
            both(row["delivery"], handle["delivery"])]

    def domain_rename(self, name, new, keep):
        need(name in self.domains)
        row = self.domains[name]
        if not keep:
            self.move(lambda f: "@".join((f.split("@")[0], new))
                      if f.split("@")[1] == name else f)
        self.insert(new, dict(row))
        for where in sorted(a for a in self.addresses if a[1] == name):
            self.put((where[0], new), self.addresses[where])
            self.park_address(where, False)
        for other in self.domains.values():
            if other["target"] == name:
                other["target"] = new
        self.park_domain(name)
        if keep:
            self.insert(name, {
                **state(), "handle": row["handle"], "kind": "alias",
                "target": row["target"] or new, "host": None,
                "below": row["below"]})

    def domain_move(self, name, handle):
        need(name in self.domains)
        row = self.domains[name]
        need(row["kind"] != "alias" and row["handle"] != handle)
        if handle not in self.handles:
            self.handle_add(handle)
        was, first = row["handle"], ("postmaster", name)
        self.leave_postmaster(first, was, handle)
        row["handle"] = handle
        for other in self.domains.values():
            if other["target"] == name:
                other["handle"] = handle
        for where in [first] * (first in self.addresses) + sorted(
                (a for a in self.addresses if a[1] == name), key=by_key):
            box = self.addresses[where]["box"]
            if box and box[0] == was:
                self.move_box(box, name, handle)

    def leave_postmaster(self, first, was, handle):
        """The box of several domains' postmaster stays with the others."""
        now = self.addresses.get(first)
        if not now or not now["box"] or now["box"][0] != was or not any(
                a["box"] == now["box"] and w[1] != first[1]
                for w, a in self.addresses.items()):
            return
        gets = self.postmaster_of(handle)
        now["box"] = gets["box"]
        now["forwards"] = now["forwards"] or gets["forwards"]

    def move_box(self, box, name, handle):
        need(all(w[1] == name for w, a in self.addresses.items()
                 if a["box"] == box))
        new = self.new_box(handle, box[1] == 0)
        self.boxes[new] = dict(self.boxes[box])
        for address in self.addresses.values():
            if address["box"] == box:
                address["box"] = new
        self.pair[new], self.pair[box] = box, new
        self.park_box(box)

    def new_box(self, handle, postmaster=False):
        need(handle in self.handles)
        number = self.handles[handle]["next"]
        if postmaster and number == 1 and (handle, 0) not in self.boxes:
            number = 0
        self.handles[handle]["next"] = max(number + 1,
                                           self.handles[handle]["next"])
        self.boxes[handle, number] = {**state(), "password": None}
        return (handle, number)

    def box_add(self, where, handle, password):
        need(where[1] in self.domains)
        need(self.domains[where[1]]["kind"] == "pop")
        need(where not in self.addresses)
        box = self.new_box(handle or self.domains[where[1]]["handle"])
        self.boxes[box]["password"] = password
        self.put(where, {"box": box, "forwards": []})

    def box_del(self, box):
        need(box in self.boxes)
        for where in sorted(self.addresses):
            row = self.addresses[where]
            if row["box"] != box:
                continue
            need(where[0] != "postmaster" or row["forwards"])
            if row["forwards"]:
                self.change(where, {**row, "box": None})
            else:
                self.park_address(where, False)
        self.park_box(box)
        self.leave(False)

    def park_box(self, box):
        self.handles[box[0]]["next"] = max(2, self.handles[box[0]]["next"])
        self.old["boxes"][box] = (self.boxes.pop(box), self.step)

    def box_undelete(self, box):
        need(box in self.old["boxes"])
        need(self.mail_of(box) == box)
        row, step = self.old["boxes"].pop(box)
        need(box[0] in self.handles)
        self.boxes[box] = row
        back = set()
        for where, was, left in self.taken.get(step, ()):
            domain = self.domains.get(where[1])
            if self.old["addresses"].get(where, (0, 0, 0))[2] != step or \
                    not domain or domain["kind"] != "pop":
                continue
            if was["box"] == box if left is None else \
                    was["box"] == box != left["box"]:
                back.add(where)
            elif left is None and not was["box"] and any(
                    self.resolve(f) in back for f in was["forwards"]):
                back.add(where)
            if where in back:
                self.addresses[where] = self.old["addresses"].pop(where)[0]
        for where, was, left in self.taken.get(step, ()):
            now = self.addresses.get(where)
            if left is None or not now:
                continue
            if was["box"] == box != left["box"]:
                now["box"] = now["box"] or box
            for i, f in enumerate(was["forwards"]):
                if f not in left["forwards"] + now["forwards"] and \
                        self.resolve(f) in back:
                    before = [g for g in was["forwards"][:i]
                              if g in now["forwards"]]
                    now["forwards"].insert(
                        now["forwards"].index(before[-1]) + 1 if before
                        else 0, f)
        for where in back:
            now = self.addresses[where]
            now["forwards"] = [f for f in now["forwards"]
                               if not self.deleted(f, step)]

    # -- forwards inside the site --

    def resolve(self, forward):
        """(local, domain) of the row; "dead" or "out"."""
        local, name = forward.split("@")
        domain = self.domains.get(name)
        if not domain:
            return "dead" if any(n == name for n, _ in self.old["domains"]) \
                else "out"
        name = domain["target"] or name
        if self.domains[name]["kind"] != "pop":
            return "out"
        for where in ((local, name), ("*", name)):
            if where in self.addresses:
                return where
            if where in self.old["addresses"]:
                return "dead"
        return "dead"

    def deleted(self, forward, step=None):
        """By this step, or an earlier one?"""
        name = forward.split("@")[1]
        name = self.domains.get(name, {}).get("target") or name
        if name not in self.domains or self.resolve(forward) != "dead":
            return False
        for where in ((forward.split("@")[0], name), ("*", name)):
            if where in self.old["addresses"]:
                return self.old["addresses"][where][2] == (step or self.step)
        return False

    def change(self, where, row):
        self.taken.setdefault(self.step, []).append(
            (where, copy.deepcopy(self.addresses[where]), row))
        self.addresses[where] = copy.deepcopy(row)

    def leave(self, bounce):
        """No address leads to what this step has deleted."""
        again = True
        while again:
            again = False
            for where in [a for a, row in self.addresses.items()
                          if any(map(self.deleted, row["forwards"]))]:
                row = self.addresses[where]
                left = [f for f in row["forwards"] if not self.deleted(f)]
                if row["box"] or left:
                    self.change(where, {**row, "forwards": left})
                else:
                    need(where[0] != "postmaster")
                    self.park_address(where, bounce)
                    again = True

    def move(self, new):
        for row in self.addresses.values():
            row["forwards"] = list(dict.fromkeys(map(new, row["forwards"])))

    def on(self, where):
        """The addresses that it leads to."""
        return [w for w in map(self.resolve, self.addresses[where]["forwards"])
                if isinstance(w, tuple)]

    def loops(self, where, way=()):
        return where in way or any(self.loops(w, (*way, where))
                                   for w in self.on(where))

    def judge(self, where, dead):
        need(not dead or "dead" not in map(
            self.resolve, self.addresses[where]["forwards"]))
        need(not self.loops(where))

    def findings(self):
        """Rule and address of what check finds."""
        out = []
        for where, row in self.addresses.items():
            out += [(16, where) for f in row["forwards"]
                    if self.resolve(f) == "dead"]
            seen, todo = set(), self.on(where)
            while todo:
                w = todo.pop()
                if w not in seen:
                    seen.add(w)
                    todo += self.on(w)
            out += [(17, where)] * (where in seen)
        return sorted((rule, text(where)) for rule, where in out)

    def aim(self, where, targets):
        """Boxes as pairs, addresses as texts."""
        box, forwards = None, []

        def forward(text):
            if text not in forwards:
                forwards.append(text)
        for target in targets:
            if isinstance(target, tuple):
                if box and box != target:
                    others = [a for a in sorted(self.addresses, key=by_key)
                              if self.addresses[a] ==
                              {"box": target, "forwards": []} and
                              a != where and a[0] != "*"]
                    need(others)
                    forward("@".join(others[0]))
                box = box or target
                continue
            local, domain = target.split("@")
            ours = self.domains.get(domain)
            if ours and ours["kind"] == "alias":
                domain = ours["target"]
            need((local, domain) != where)
            row = self.addresses.get((local, domain))
            if row and row["box"] and not row["forwards"] and \
                    box in (None, row["box"]):
                box = row["box"]
            else:
                forward(target)
        return {"box": box, "forwards": forwards}

    def put(self, where, address):
        """A new address: not where another one is parked."""
        need(where not in self.addresses)
        need(where[1] in self.domains)
        need(self.domains[where[1]]["kind"] == "pop")
        need(address["box"] is None or address["box"] in self.boxes)
        was = self.old["addresses"].pop(where, None)
        need(not was or was[0] == address)
        self.addresses[where] = copy.deepcopy(address)

    def address_add(self, where, targets):
        self.put(where, self.aim(where, targets))
        self.judge(where, True)

    def address_set(self, where, targets):
        need(where in self.addresses)
        row = self.aim(where, targets)
        need(row["box"] is None or row["box"] in self.boxes)
        self.addresses[where] = row
        self.judge(where, True)

    def address_rename(self, where, new, keep):
        need(where in self.addresses)
        self.put(new, self.addresses[where])
        need(keep or where[0] != "postmaster")
        if not keep:
            self.move(lambda f: f if self.resolve(f) != where else
                      "@".join((f.split("@")[0] if new[0] == "*" else new[0],
                                new[1])))
            self.park_address(where, False)
        self.judge(new, False)

    def address_del(self, where):
        need(where in self.addresses and where[0] != "postmaster")
        self.park_address(where, True)
        self.leave(True)

    def park_address(self, where, bounce):
        self.taken.setdefault(self.step, []).append(
            (where, copy.deepcopy(self.addresses[where]), None))
        self.old["addresses"][where] = (self.addresses.pop(where), bounce,
                                        self.step)

    def purge_domain(self, name):
        found = [a for a in self.old["addresses"] if a[1] == name]
        kinds = [n for n in self.old["domains"] if n[0] == name]
        need(found or kinds)
        for kind in kinds:
            del self.old["domains"][kind]
        for where in found:
            del self.old["addresses"][where]

    def purge_box(self, box):
        found = [a for a, (row, _, _) in self.old["addresses"].items()
                 if row["box"] == box]
        need(found or box in self.old["boxes"])
        for where in found:
            del self.old["addresses"][where]
        self.old["boxes"].pop(box, None)

    def set(self, table, name, **values):
        need(name in table)
        table[name].update(values)

    # -- what is to be seen of it --

    def files(self):
        """Lines of qmail's files, the .qmail files with their lines, and
        the dial-up directories with their two."""
        old = self.old["domains"]
        rcpt, virtual, routes, assign = set(), set(), set(), set()
        qmail, dialups = {}, {}
        for name, row in self.domains.items():
            rcpt |= {name, "." + name} if row["below"] else {name}
        for name in {*self.domains, *(n for n, _ in old)}:
            row = self.domains.get(name)
            for kind in ("pop", "dialup", "alias"):
                row = row or old.get((name, kind))
            if row and row["kind"] not in ("relay", "backup"):
                virtual |= {f"{dot}{name}:{row['target'] or name}"
                            for dot in ["", "."][:1 + row["below"]]}
        for name, row in [*self.domains.items(),
                          *((n, r) for (n, _), r in old.items())]:
            if row["kind"] in LOCAL_KINDS:
                assign.add((name, row["handle"]))
            if row["kind"] == "relay":
                routes |= {f"{dot}{name}:{row['host']}"
                           for dot in ["", "."][:1 + row["below"]]}
            if row["kind"] == "dialup":
                dialups[name] = (row["host"] or name, self.dialup(row))
        for name, row in self.domains.items():
            if row["kind"] == "dialup":
                dialups[name] = (row["host"] or name, self.dialup(row))
        for where, row in self.addresses.items():
            qmail[where] = self.lines(where, row, False)
        for where, (row, bounce, _) in self.old["addresses"].items():
            qmail[where] = self.lines(where, row, bounce)
        return rcpt, virtual, routes, assign, qmail, dialups

    def lines(self, where, row, bounce):
        domain = self.domains.get(where[1])
        if not domain or domain["kind"] != "pop":
            domain = self.old["domains"][where[1], "pop"]
        handle = self.handles.get(domain["handle"], state())
        every = both(domain["delivery"], handle["delivery"])
        of = "on"
        if row["box"]:
            name = self.mail_of(row["box"])
            box = self.boxes.get(name) or self.old["boxes"][name][0]
            owner = self.handles.get(name[0], state())
            of = both(box["delivery"], owner["delivery"])
        with_box = row["box"] and of != "off"
        if bounce or every == "off" or (not with_box and
                                        not row["forwards"]):
            return ["bounce"]
        out = [""] if every == "hold" or (with_box and of == "hold") else []
        if with_box:
            limit = self.held(name)
            out += [f"quota {limit}"] * (limit > 0)
            out.append("%s-%04d" % self.mail_of(row["box"]))
            if box.get("vacation"):
                out.append("answers")
        return out + ["&" + f for f in row["forwards"]]

    def held(self, box):
        """How many messages a box may have: of a deleted one its own alone."""
        if box not in self.boxes:
            return self.old["boxes"][box][0]["messages"]
        return self.boxes[box]["messages"] or max(
            [self.domains[w[1]]["messages"] for w, a in self.addresses.items()
             if a["box"] == box], default=0) or \
            self.handles[box[0]]["messages"]

    def mail_of(self, box):
        """What was deleted leads to where its box has gone since."""
        at = box
        for _ in range(16):
            if at in self.boxes:
                return at
            at = self.pair.get(at)
        return box

    def accepts(self, where):
        domain = self.domains.get(where[1])
        named = domain
        if domain and domain["kind"] == "alias":
            where = (where[0], domain["target"])
            domain = self.domains[domain["target"]]
        row = self.addresses.get(where)
        if not domain or not row or not row["box"] or where[0] == "*":
            return False
        box = self.boxes[row["box"]]
        return bool(box["password"]) and all(
            x["login"] and "pop" not in x["services_off"] for x in (named, domain, box,
                                 self.handles[row["box"][0]],
                                 self.handles[domain["handle"]]))


def by_key(where):
    return where[1] + "\0" + where[0]


def text(name):
    return "%s-%04d" % name if isinstance(name[1], int) else "@".join(name)


class Play:
    """One site and one model, and commands for both."""

    def __init__(self, site, dice):
        self.site, self.dice, self.model = site, dice, Model()

    def pick(self, names, others=()):
        """Mostly something that is there."""
        names = sorted(names)
        if names and (not others or self.dice.random() < 0.8):
            return self.dice.choice(names)
        return self.dice.choice(others) if others else None

    def handle(self):
        return self.pick(self.model.handles, HANDLES)

    def domain(self):
        return self.pick(self.model.domains, DOMAINS)

    def box(self):
        return self.pick(self.model.boxes, (("ex1", 0), ("ot2", 3)))

    def address(self):
        return self.pick(self.model.addresses, [
            (self.dice.choice(LOCALS), self.domain())])

    def new_address(self):
        return (self.dice.choice(LOCALS), self.domain())

    def targets(self):
        kinds = [self.box, lambda: self.dice.choice(FOREIGN),
                 lambda: "@".join(self.pick(
                     [a for a in self.model.addresses if a[0] != "*"],
                     [("joe", "a.org")]))]
        return [self.dice.choice(kinds)()
                for _ in range(self.dice.choice((1, 1, 2)))]

    def host(self, kind):
        if kind == "relay" or (kind == "dialup" and self.dice.random() < 0.5):
            host = self.dice.choice(HOSTS)
            return host, ["--host", host]
        return None, []

    def command(self):
        """(words, the model's call, its arguments)"""
        m, dice = self.model, self.dice
        kind = dice.choice(
            "handle-add handle-del domain-add domain-add alias-add domain-del "
            "domain-rename domain-kind domain-move domain-move box-add "
            "box-add box-add box-del box-undelete "
            "address-add address-add address-set address-rename address-del "
            "purge-domain purge-box set set set switch quota quota "
            "terms terms vacation".split())
        if kind == "handle-add":
            h = dice.choice(HANDLES)
            return ["handle", "add", h], m.handle_add, (h,)
        if kind == "handle-del":
            h = self.handle()
            return ["handle", "del", h, "--yes"], m.handle_del, (h,)
        if kind == "domain-add":
            d, h = dice.choice(DOMAINS), dice.choice(HANDLES)
            k = dice.choice(("pop",) * 4 + ("relay", "backup", "dialup"))
            t = self.targets()[0] if k == "pop" and dice.random() < 0.3 \
                else None
            host, more = self.host(k)
            if t:
                more += ["--postmaster", t if isinstance(t, str) else text(t)]
            return ["domain", "add", d, "--handle", h, "--kind", k, *more], \
                m.domain_add, (d, h, t, k, host)
        if kind == "domain-kind":
            d = self.domain()
            k = dice.choice(("pop", "relay", "backup", "dialup"))
            host, more = self.host(k)
            return ["domain", "set", d, "--kind", k, *more, "--yes"], \
                m.domain_kind, (d, k, host)
        if kind == "alias-add":
            d, t = dice.choice(DOMAINS), self.domain()
            return ["domain", "add", d, "--alias-of", t], m.alias_add, (d, t)
        if kind == "domain-del":
            d, keep = self.domain(), dice.random() < 0.3
            return ["domain", "del", d, "--yes",
                    *["--keep-boxes"] * keep], m.domain_del, (d, keep)
        if kind == "domain-rename":
            d, new, keep = self.domain(), dice.choice(DOMAINS), \
                dice.random() < 0.5
            return ["domain", "rename", d, new, *["--keep"] * keep], \
                m.domain_rename, (d, new, keep)
        if kind == "domain-move":
            d, h = self.domain(), dice.choice(HANDLES)
            return ["domain", "move", d, "--handle", h], m.domain_move, (d, h)
        if kind == "box-add":
            a, h = self.new_address(), None
            if dice.random() < 0.2:
                h = self.handle()
            p = GOOD if dice.random() < 0.7 else None
            return ["box", "add", text(a), *(["--handle", h] if h else []),
                    "--stdin" if p else "--no-password"], m.box_add, (a, h, p)
        if kind == "box-del":
            b = self.box()
            return ["box", "del", text(b), "--yes"], m.box_del, (b,)
        if kind == "box-undelete":
            b = self.pick(m.old["boxes"], (("ex1", 1),))
            return ["box", "undelete", text(b)], m.box_undelete, (b,)
        if kind in ("address-add", "address-set"):
            verb = kind.split("-")[1]
            a = self.new_address() if verb == "add" else self.address()
            t = self.targets()
            call = m.address_add if verb == "add" else m.address_set
            return ["address", verb, text(a), *[
                x if isinstance(x, str) else text(x) for x in t]], call, (a, t)
        if kind == "address-rename":
            a, new, keep = self.address(), self.new_address(), \
                dice.random() < 0.4
            return ["address", "rename", text(a), text(new),
                    *["--keep"] * keep], m.address_rename, (a, new, keep)
        if kind == "address-del":
            a = self.address()
            return ["address", "del", text(a), "--yes"], m.address_del, (a,)
        if kind == "purge-domain":
            d = self.pick({n for n, _ in m.old["domains"]}, DOMAINS)
            return ["purge", d, "--now", "--yes"], m.purge_domain, (d,)
        if kind == "purge-box":
            b = self.pick(m.old["boxes"], (("ex1", 1),))
            return ["purge", text(b), "--now", "--yes"], m.purge_box, (b,)
        nouns = (("handle", "handles", self.handle()),
                 ("domain", "domains", self.domain()),
                 ("box", "boxes", self.box()))
        noun, table, name = nouns[2] if kind == "vacation" else dice.choice(nouns)
        word = name if isinstance(name, str) else text(name)
        if kind == "switch":
            off = dice.random() < 0.5
            values = {"login": not off, "reason": "r" if off else None}
            words = [noun, "suspend" if off else "resume", word,
                     *(["--reason", "r"] if off else [])]
        elif kind == "quota":
            values = {"messages": dice.choice((0, 0, 10, 20, 30))}
            words = [noun, "set", word, "--messages",
                     str(values["messages"] or "none")]
            if noun == "domain" and m.domains.get(name, {}).get(
                    "kind") != "pop":
                table = None  # it has no boxes
        elif kind == "vacation":
            values = {"vacation": dice.choice((None, "Away.", "Back soon."))}
            words = ["box", "set", word, "--vacation-text",
                     values["vacation"] or "none"]
        elif kind == "terms":
            service, off = dice.choice(SERVICES), dice.random() < 0.6
            was = getattr(m, table).get(name, state())["services_off"]
            ends = dice.choice((None, "2199-01-31", "2299-01-31"))
            values = {"services_off": [
                s for s in SERVICES if (off if s == service else s in was)],
                      "expires": ends and ends + "T00:00:00Z"}
            words = [noun, "set", word, "--login",
                     service + ("=off" if off else "=on"), "--expires",
                     ends or "never"]
        else:
            values = {"delivery": dice.choice(DELIVERY)}
            words = [noun, "set", word, "--delivery", values["delivery"]]
            if noun == "domain" and m.domains.get(name, {}).get(
                    "kind") not in LOCAL_KINDS:
                table = None  # no mail of its own is delivered
        return words, lambda: m.set(
            getattr(m, table) if table else {}, name, **values), ()

    def step(self):
        words, call, args = self.command()
        before = copy.deepcopy(self.model.__dict__)
        self.model.step += 1
        want = 0
        try:
            call(*args)
        except Refused:
            want = 100
            self.model.__dict__.clear()
            self.model.__dict__.update(before)
        got = self.site.popbox(*words, input=GOOD + "\n")
        if got.rc != want:
            raise AssertionError(f"{words}: {got}, the model says {want}")
        self.look(words)
        return words, want == 0, before

    # -- comparing --

    def rows(self, noun):
        return [json.loads(line) for line in
                self.site.do("--json", noun, "list").splitlines()]

    def look(self, words):
        m = self.model
        state_of = STATE
        eq({r["handle"]: {k: r[k] for k in state_of}
            for r in self.rows("handle")},
           {n: {k: r[k] for k in state_of} for n, r in m.handles.items()},
           words)
        eq({r["domain"]: (r["handle"], r["kind"], r["alias_of"], r["host"],
                          *[r[k] for k in state_of])
            for r in self.rows("domain")},
           {n: (r["handle"], r["kind"], r["target"], r["host"],
                *[r[k] for k in state_of]) for n, r in m.domains.items()},
           words)
        eq({r["box"]: (r["password"], r["vacation"], *[r[k] for k in state_of])
            for r in self.rows("box")},
           {text(n): (bool(r["password"]), r.get("vacation"), *[r[k] for k in state_of])
            for n, r in m.boxes.items()}, words)
        eq({r["address"]: (r["box"], r["forwards"])
            for r in self.rows("address")},
           {text(n): (r["box"] and text(r["box"]), r["forwards"])
            for n, r in m.addresses.items()}, words)
        self.look_files(words)
        self.look_logins(words)

    def look_files(self, words):
        site = self.site
        rcpt, virtual, routes, assign, qmail, dialups = self.model.files()
        eq(set(site.control("rcpthosts").split()) - {"localhost"}, rcpt,
           words)
        if os.path.exists(site.qmail + "/control/virtualdomains"):
            eq(set(site.control("virtualdomains").split()), virtual, words)
        if os.path.exists(site.qmail + "/control/smtproutes"):
            eq(set(site.control("smtproutes").split()), routes, words)
        else:
            eq(routes, set(), words)
        if os.path.exists(site.qmail + "/users/assign"):
            found = {line.split(":")[0].strip("+")[:-1] + ":" +
                     line.split(":")[1] for line in
                     site.assign().splitlines() if line != "."}
            eq(found, {f"{d}:{h}" for d, h in assign}, words)
        there = {}
        for top, _, files in os.walk(site.home):
            for name in files:
                if name.startswith(".qmail-"):
                    with open(top + "/" + name) as file:
                        there[os.path.basename(top), name] = [
                            "quota " + line.split()[-1].rstrip("C")
                            if "/popbox-quota " in line else
                            "answers" if "/popbox-vacation " in line else
                            "bounce" if line.startswith("|") else
                            os.path.basename(line.rstrip("/"))
                            if line.startswith("/") else line
                            for line in file.read().splitlines()]
        eq(there, {(d, ".qmail-" + ("default" if l == "*" else
                                    l.replace(".", ":"))): lines
                   for (l, d), lines in qmail.items()}, words)
        eq({d: self.dialup(f"{site.serial}/{d}")
            for d in os.listdir(site.serial)}, dialups, words)
        for box in {*self.model.boxes, *self.model.old["boxes"]}:
            if box in self.model.boxes or box not in self.model.pair:
                assert os.path.isdir(site.box_path(text(box)) + "/new"), box
        for box in self.model.boxes:
            path = site.box_path(text(box)) + "/maildirsize"
            limit = self.model.held(box)
            if limit:
                with open(path) as file:
                    eq(file.readline(), f"{limit}C\n", (words, box))
            else:
                assert not os.path.exists(path), (words, box)

    @staticmethod
    def dialup(path):
        with open(path + "/RELAYHOST") as host, \
                open(path + "/.qmail-default") as qmail:
            return host.read().strip(), {
                "./Maildir/\n": "on", "\n./Maildir/\n": "hold"}.get(
                    qmail.read(), "bounce")

    def look_logins(self, words):
        names = [(l, d) for l in LOCALS for d in DOMAINS]
        for where in self.dice.sample(names, 2) + [
                self.pick(self.model.addresses, [("joe", "a.org")])]:
            eq(self.site.login("@".join(where)).rc,
               0 if self.model.accepts(where) else 1, (words, where))


def play(seed, undo):
    with Site() as site:
        p = Play(site, random.Random(seed))
        done, last = [], 0
        for _ in range(STEPS):
            words, changed, before = p.step()
            number = site.last_entry()
            if changed and number != last:
                done.append((words, before, number))
            last = number
        got = site.popbox("--json", "check", "--store-only")
        found = [json.loads(line) for line in got.out.splitlines()]
        eq(sorted((row["rule"], row["object"]) for row in found),
           p.model.findings(), "findings")
        if not found:
            site.sound()
        before = site.tree()
        site.do("sync", "--full")
        tree = site.tree()
        eq({k for k in tree if tree[k] != before.get(k)} |
           set(before) - set(tree), set(), "sync --full changes")
        if undo:
            take_back(p, done)


def take_back(p, done):
    """From the last change on, as far as a purge lets."""
    for words, before, number in reversed(done):
        if words[0] == "purge":
            p.site.fails(100, "cannot come back", "undo", str(number))
            return
        p.site.do("undo", str(number))
        rows = listed(p)
        p.model.__dict__.clear()
        p.model.__dict__.update(before)
        eq(rows, wanted(p), f"undo of {words}")


def listed(p):
    out = []
    for noun in ("handle", "domain", "box", "address"):
        for row in p.rows(noun):
            if noun == "box":
                del row["address"]
            out.append({k: v for k, v in row.items() if k in (
                "handle", "domain", "box", "address", "login", "delivery",
                "reason", "kind", "alias_of", "host", "password",
                "forwards", "expires", "services_off")})
    return out


def wanted(p):
    m = p.model
    keep = STATE
    out = [{"handle": n, **{k: r[k] for k in keep}}
           for n, r in sorted(m.handles.items())]
    out += [{"domain": n, "handle": r["handle"], "kind": r["kind"],
             "alias_of": r["target"], "host": r["host"], **{k: r[k] for k in keep}}
            for n, r in sorted(m.domains.items())]
    out += [{"box": text(n), "handle": n[0], "password": bool(r["password"]),
             **{k: r[k] for k in keep}} for n, r in sorted(m.boxes.items())]
    out += [{"address": text(n), "box": r["box"] and text(r["box"]),
             "forwards": r["forwards"], "delivery": "on", "reason": None,
             "expires": None}
            for n, r in sorted(m.addresses.items(),
                               key=lambda item: by_key(item[0]))]
    return out


def sequences(undo):
    for seed in range(SEED, SEED + SEQUENCES):
        try:
            play(seed, undo)
        except AssertionError as why:
            raise AssertionError(f"SEED={seed}: {why}") from None


@test("random commands do to store, logins and files what a simple model says")
def forward():
    sequences(False)


@test("and undo takes each back, from the last one on")
def backward():
    sequences(True)


run()
