#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the EXAMPLES of the manual's pages say one can do is done, on a site;
and what --json prints is what the pages say."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pages import (NO_PAGE, Desk, before, blocks, json_part, missed, names,
                   sections)
from tap import GID, GOOD, UID, Site, eq, run, test


def follow(name):
    """Does what the EXAMPLES of a page say, in their order."""
    count = 0
    with Desk() as site:
        before(site, name)
        for block in blocks(name):
            for line in block.splitlines():
                line = re.sub(r"^\S+ \S+ \S+ \S+ \S+ root /usr/local/sbin/",
                              "", line)  # cron's
                line = line.replace("\\0secret\\0", f"\\0{GOOD}\\0")
                want = re.search(r"# exits (\d+)$", line)
                code, shown = site.type(line)
                eq(code, int(want[1]) if want else 0,
                   f"{name}: {line}: {shown.decode(errors='replace')}")
                count += 1
    return count


@test("every command line of the EXAMPLES does what the page says, with the "
      "exit code that it says", root=True)
def examples():
    count = 0
    # Those are not the tool; sender.t, verdict.t, quota.t, vacation.t and rcptcheck.t run
    # them, and cluster.t has a central database.
    others = ("popbox-maildirsmtp.8", "popbox-askpw.8", "popbox-quota.8",
              "popbox-vacation.8", "popbox-rcptcheck.8", "popbox-central.8",
              "popbox-cluster.8", "popbox-follow.8")
    for name in names():
        if name.endswith((".8", ".7")) and name not in others:
            count += follow(name)
    assert count > 80, count


@test("the examples of popbox.conf(5) and popbox-csv(5) are taken as they are",
      root=True)
def files():
    with Desk() as site:
        for line in next(blocks("popbox.conf.5")).splitlines():
            key, value = line.split(" = ")
            site.do("config", "set", key, value)
    with Site() as site:
        with open(site.top + "/a.csv", "w") as file:
            file.write(next(blocks("popbox-csv.5")))
        site.do("import", site.top + "/a.csv")
        site.do("address", "show", "sales@example.com")


@test("an example that no longer works is found", root=True)
def broken_example():
    assert not missed(lambda: follow("popbox-undo.8"), "popbox-undo.8",
                      "popbox undo 12\n", "popbox undo 99\n")


# Commands whose JSON is looked at, one after the other on one site; "FILE" is a
# new one.
PRINTED = [
    "handle add free", "handle set free --name x", "handle suspend free",
    "handle list", "handle show ex1", "domain add x.org --handle ex1",
    "domain set x.org --ip none", "domain list", "domain show x.org",
    "box add a@x.org --generate", "box set a@x.org --quota 1M",
    "passwd a@x.org --app phone", "box list --never", "box show a@x.org", "address add b@x.org a@x.org",
    "address list x.org", "address show b@x.org", "passwd a@x.org --generate",
    "verify a@x.org --file secret", "config list", "log", "check",
    "explain a@x.org", "search a@", "stats --mail", "status", "tune --target 1",
    "serialmail run",
    "harden --dry-run", "export --format json",
    "import new.csv --generate --credentials FILE --dry-run",
    "import ../vpopmail --handle v --dry-run", "help undo", "complete -- un",
    "breach build WORDS --words --output FILTER",
]


def objects():
    """Page -> the names of all JSON that its commands print."""
    seen = {}
    with Desk() as site:
        before(site, "popbox-harden.8")
        with open(site.domain_path() + "/.qmail-list", "w") as file:
            file.write("|true\n")
        site.do("domain", "add", "dial.org", "--handle", "ex1", "--kind",
                "dialup", "--host", "127.0.0.1:1")
        message = site.serial + "/dial.org/Maildir/new/1.a"
        with open(message, "w") as file:
            file.write("Return-Path: <a@b.org>\n"
                       "Delivered-To: dial.org-a@dial.org\n\nx\n")
        os.chown(message, UID, GID)
        for line in PRINTED + ["address list example.com"]:
            noun = line.split()[0]
            page = "popbox.8" if noun in NO_PAGE else f"popbox-{noun}.8"
            line = line.replace("FILE", site.top + "/letters")
            line = line.replace("WORDS", site.top + "/srv/words.txt")
            line = line.replace("FILTER", site.top + "/filter")
            out = site.popbox("--json", *line.split(), cwd=site.top + "/desk",
                              input=GOOD).out
            assert out, line
            for row in out.splitlines():
                row = json.loads(row)
                keys = set(row)
                inner = (row.get("options") or row.get("app_passwords") or
                         row.get("addresses"))
                for inner in inner if isinstance(inner, list) else []:
                    keys |= set(inner) if isinstance(inner, dict) else set()
                seen.setdefault(page, set()).update(keys)
        site.do("config", "set", "breached", site.top + "/filter")
        seen["popbox-breach.8"] |= set(json.loads(site.do(
            "--json", "breach", "show")))
        site.do("passwd", "joe@example.com", "--app", "phone")
        site.do("backup", site.top + "/one", "--only", "joe@example.com")
        one = json.load(open(site.top + "/one"))
        seen["popbox-backup.8"] = set(one) | set(one["addresses"][0])
    return seen


_objects = {}


def printed():
    if not _objects:  # the planted fault is in a page, not in the program
        _objects.update(objects())
    pointed = set().union(*(_objects[f"popbox-{noun}.8"] for noun in (
        "handle", "domain", "box", "address")))
    has_part = {name for name in names() if json_part(name)}
    # cluster.t has a central database, and looks at that page.
    eq(has_part ^ set(_objects), {"popbox-export.8", "popbox-cluster.8"},
       "pages with JSON")
    for name, keys in _objects.items():
        text = json_part(name) or sections(name)["DESCRIPTION"]
        words = set(re.findall(r"[a-z][a-z0-9_]+", text))
        if name in ("popbox-export.8", "popbox-backup.8"):
            keys = keys - pointed
        # popbox(8) says once what each change prints.
        eq(keys - words - {"entry"}, set(), f"{name} lacks names of JSON")
        named = {w for w in words if "_" in w and json_part(name)}
        eq(named - keys, set(), f"{name}: names that no JSON has")


test("every name that --json prints stands in the page, and no other",
     root=True)(printed)


@test("a name that no JSON has is found in a page", root=True)
def stray_name():
    assert not missed(printed, "popbox-stats.8", "login_off", "login_out")


run()
