#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a command costs when the store grows: instructions of the tool and its
helper, counted by callgrind, in a small store and in a larger one. Counts, not
times, so that a busy machine changes nothing."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import cost
from tap import BUILD, Site, eq, run, skip, test

FILL = BUILD + "/bench/fill"
HASH = "$5$rounds=1000$abcdefgh$W9b6LCs2QMhQTdIiTnQDl7EZKoSlmVSOwKhCpK8M4fB"


def instructions(site, *args, want=0):
    if not shutil.which("valgrind"):
        skip("valgrind is not installed")

    def work(prefix, env):
        got = site.popbox(*args, prefix=prefix, env=env, timeout=120)
        eq(got.rc, want, got)
    return cost.instructions(site, work)


def filled(domains, boxes):
    """A store of so many, of which nothing is published."""
    site = Site(qmail=False)
    subprocess.run([FILL, site.store, str(domains), str(boxes), HASH],
                   check=True)
    return site


def flat(*args, most=1.15):
    """The same in a store of 1,000 boxes and in one of 20,000."""
    counts = []
    for size in (1, 20):
        with filled(10 * size, 1000 * size) as site:
            counts.append(instructions(site, *args))
    ratio = counts[1] / counts[0]
    print(f"# {' '.join(args)}: {counts[0]} and {counts[1]}: {ratio:.2f} x")
    assert ratio <= most, ratio


@test("a list of one domain's boxes costs what it lists, not what the store "
      "holds", plain=True)
def list_domain():
    flat("box", "list", "--domain", "d0000005.example")


@test("a list of one handle's boxes costs what it lists", plain=True, deep=True)
def list_handle():
    with filled(10, 1000) as site:  # all of one handle
        small = instructions(site, "box", "list", "--handle", "h0000000")
    with filled(200, 20000) as site:
        large = instructions(site, "box", "list", "--handle", "h0000010")
    assert large <= small * 1.15, (small, large)


@test("a list of one handle's domains, a look at a handle, and an export of "
      "one cost what they show", plain=True, deep=True)
def of_handle():
    flat("domain", "list", "--handle", "h0000000")
    flat("handle", "show", "h0000000")
    flat("export", "h0000000", "--format", "dovecot")


@test("a new box, a password, a switch and a look cost the same in a store "
      "twenty times as large", plain=True, deep=True)
def one_box():
    flat("box", "add", "new@d0000005.example", "--no-password", "--no-sync")
    flat("box", "set", "u000005@d0000005.example", "--delivery", "off",
         "--no-sync")
    flat("passwd", "u000005@d0000005.example", "--no-password")
    flat("box", "show", "u000005@d0000005.example")
    flat("sync")


def rows(count, local):
    lines = ["address,handle,hash"]
    for i in range(count):
        lines.append(f"{local}@d{i:05}.example,h{i // 10:05},{HASH}")
    return "\n".join(lines) + "\n"


def per_domain(count, local, sign="d"):
    """Instructions for a domain: of an import, and of taking it back."""
    with Site(qmail=False) as site:
        path = site.top + "/rows.csv"
        with open(path, "w") as file:
            file.write(rows(count, "joe"))
        imported = instructions(site, "import", path, "--no-sync")
        # Each handle has numbers and a postmaster now, not in box 0000.
        with open(path, "w") as file:
            file.write(rows(count, local).replace("@d", "@e"))
        again = instructions(site, "import", path, "--no-sync")
        undone = instructions(site, "undo", str(site.last_entry()),
                              "--no-sync")
        eq(site.popbox("check", "--store-only").rc, 0)
        return [n / count for n in (imported, again, undone)]


@test("an import of many domains, with postmasters to be made, and its undo "
      "cost the same for each domain", plain=True, deep=True)
def many_domains():
    small, large = per_domain(100, "joe"), per_domain(1000, "joe")
    print(f"# {small} {large}")
    for few, many in zip(small, large):
        assert many <= few * 1.15, (small, large)


@test("an import into a domain that has .qmail files looks at its directory, not "
      "at each row's file", root=True, plain=True)
def one_look():
    calls = []
    for count in (20, 520):
        with Site(qmail=False).joe() as site:
            path = site.top + "/rows.csv"
            with open(path, "w") as file:
                file.write("address,hash\n" + "".join(
                    f"u{i}@example.com,{HASH}\n" for i in range(count)))
            calls.append(cost.traced(site, lambda prefix: site.do(
                "import", path, "--no-sync", prefix=prefix)).count)
    print(f"# {calls}")
    # A row looks twice whether its number has a directory, and no more.
    assert calls[1] < calls[0] + 2 * 500 + 250, calls


def switch_of(count):
    """So many boxes switched beside as many deleted addresses; for each."""
    with Site(qmail=False) as site:
        path = site.top + "/rows.csv"

        def load(sign, delivery, *options):
            lines = rows(count, "joe").replace("@d", "@" + sign).splitlines()
            with open(path, "w") as file:
                file.write("".join(
                    f"{line},{delivery if i else 'delivery'}\n"
                    for i, line in enumerate(lines)))
            site.do("import", path, "--no-sync", *options)

        load("d", "on")
        change = str(site.last_entry())
        site.do("sync")
        site.do("undo", change, "--no-sync")
        load("e", "on")
        site.do("sync")
        load("e", "off", "--update")
        return instructions(site, "sync") / count


@test("a switch of many boxes beside many deleted addresses costs the same "
      "for each box", plain=True, deep=True)
def switches():
    small, large = switch_of(50), switch_of(500)
    print(f"# {small} {large}")
    assert large <= small * 1.15, (small, large)


run()
