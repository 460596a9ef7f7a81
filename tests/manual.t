#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual and the programs say the same, compared both ways. What its
EXAMPLES do is in pages-run.t."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pages
from pages import (NO_PAGE, flat, missed, names, nouns, options_of, plain, read,
                   rows_of, sections, source)
from tap import BUILD, POPBOX, Site, eq, has, run, table, test

# Options that are told once, and where.
SHARED = {
    "popbox.8": {"--dry-run", "--no-sync", "--yes", "--adopt", "--fix-locals",
                 "--login", "--delivery", "--reason", "--columns", "--sort",
                 "--limit", "--csv"},
    "popbox-passwd.8": {"--stdin", "--fd", "--file", "--generate",
                        "--hash-stdin", "--legacy-ok", "--no-password",
                        "--force"},
}


def everywhere():
    """Options that every command takes."""
    text = subprocess.run([POPBOX, "help", "sync"], capture_output=True,
                          text=True).stdout
    return set(re.findall(r"^  (--?[a-z-]+)", text.split(
        "options of every command")[1], re.M))


def clean():
    done = subprocess.run(["mandoc", "-T", "lint"] +
                          [f"{pages.MAN}/{name}" for name in names()],
                          capture_output=True, text=True)
    eq([line for line in done.stdout.splitlines()
        if "referenced manual not found" not in line], [])
    for name in names():
        eq([line for line in plain(name).splitlines() if len(line) > 80], [],
           f"{name}: lines too long for 80 columns")


def whole():
    order = ["NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "FILES",
             "EXIT STATUS", "EXAMPLES", "DIAGNOSTICS", "SEE ALSO", "CAVEATS"]
    for name in names():
        there = list(sections(name))
        eq(there, [s for s in order if s in there], f"{name}: sections")
        want = {"NAME", "DESCRIPTION", "EXAMPLES", "SEE ALSO"}
        if name.endswith(".8"):
            want |= {"SYNOPSIS", "EXIT STATUS"}
        eq(want - set(there), set(), f"{name} lacks")
        title = flat(sections(name)["NAME"])
        found = re.match(r"(\S+) [—–] (.+)", title)
        eq(found and found[1], name.rsplit(".", 1)[0], "NAME")
        assert 15 < len(found[2]) < 70 and "pop" in title.lower(), title


# What an administrator would ask apropos(1) for, and a page that it shall name.
ASKED = {
    "password": "popbox-passwd", "backup": "popbox-restore",
    "mail": "popbox-explain", "domain": "popbox-domain", "box": "popbox-box",
    "login": "popbox-checkpw", "journal": "popbox-log",
    "settings": "popbox.conf", "customers": "popbox-handle",
    "hash": "popbox-harden", "deleted": "popbox-purge",
    "dial": "popbox-serialmail", "accounts": "popbox-import",
    "wrong": "popbox-check", "suspend": "popbox-handle",
    "find": "popbox-search", "breached": "popbox-breach",
}


def asked():
    """The database that apropos(1) reads, made of these pages."""
    with tempfile.TemporaryDirectory() as top:
        for name in names():
            where = f"{top}/man{name[-1]}"
            os.makedirs(where, exist_ok=True)
            shutil.copy(f"{pages.MAN}/{name}", where)
        subprocess.run(["/usr/sbin/makewhatis", top], check=True,
                       capture_output=True)
        for word, page in ASKED.items():
            out = subprocess.run(["mapropos", "-M", top, word], text=True,
                                 capture_output=True).stdout
            assert page + "(" in out, (word, out)


def paged():
    eq({f"popbox-{noun}.8" for noun in nouns()} - set(names()), set(),
       "nouns without a page")
    own = {"popbox.8", "popbox-checkpw.8", "popbox-askpw.8",
           "popbox-central.8", "popbox-maildirsmtp.8",
           "popbox-quota.8", "popbox-rcptcheck.8", "popbox-vacation.8"}
    eq({name for name in names() if name.endswith(".8")} - own -
       {f"popbox-{noun}.8" for noun in nouns()}, set(), "pages of no noun")
    general = source("popbox.8")
    told = re.findall(r"^\.It Cm ([a-z]+)", general, re.M)
    for row in table():
        assert row["noun"] in told, row["noun"]
        if row["noun"] in NO_PAGE:
            continue
        has(general, f".Xr popbox-{row['noun']} 8")
        # A noun with many verbs lists them.
        entry = re.search(rf"^\.It Cm {row['noun']}\b(.*\n.*)", general, re.M)
        if row["verb"]:
            assert re.search(rf"\b{row['verb']}\b", entry[1]), row
    for name in names():
        if name not in ("popbox.8",):
            text = plain("popbox.8") + plain("popbox-intro.7")
            page, section = name.rsplit(".", 1)
            has(text, f"{page}({section})")


def synopsis():
    for noun in nouns():
        want = " ".join(" ".join(
            ["popbox", noun, row["verb"] or "", row["operands"]] +
            [f"[{o['option']} {o['value'] or ''}]" for o in row["options"]])
            for row in rows_of(noun))
        got = sections(f"popbox-{noun}.8")["SYNOPSIS"]

        def tokens(text):
            return re.sub(r"[\[\]|]", " ", text.replace("...", " ...")
                          ).lower().split()
        eq(tokens(got), tokens(want), f"SYNOPSIS of popbox-{noun}(8)")


def other_usage():
    """The programs that have no table say it themselves."""
    for name in ("popbox-checkpw", "popbox-askpw", "popbox-maildirsmtp",
                 "popbox-quota", "popbox-rcptcheck", "popbox-vacation"):
        said = subprocess.run([f"{BUILD}/{name}"], capture_output=True,
                              text=True).stderr
        usage = re.search(rf"^(?:usage: |{name}: usage: )?({name} .*)", said,
                          re.M)
        assert usage, said
        lines = [line.split() for line in re.findall(
            rf"{name}[^\n]*", sections(f"{name}.8")["SYNOPSIS"].lower())]
        assert usage[1].lower().split() in lines, (usage[1], lines)


def described():
    for noun in nouns():
        name = f"popbox-{noun}.8"
        body = source(name)
        body = body[body.index(".Sh DESCRIPTION"):
                    body.index(".Sh EXIT STATUS")]
        verbs = [row["verb"] for row in rows_of(noun)]
        for verb in verbs:
            if len(verbs) > 1 and f"Cm {noun} {verb}" not in body:
                raise AssertionError(f"{name} does not tell of {verb}")
        told = set()
        for line in re.findall(r"^\.(?:It|Pq|Op)? ?(Fl .*)", body, re.M):
            told |= flags(line)
        for option in options_of(noun) - told:
            where = [page for page, shared in SHARED.items()
                     if option in shared and page != name and
                     f".Xr {page[:-2]} 8" in body]
            assert where, f"{name} does not tell of {option}"
        items = set()
        for line in re.findall(r"^\.It (Fl .*)", body, re.M):
            items |= flags(line)
        eq(items - options_of(noun), set(), f"{name}: options of no command")
    for page, shared in SHARED.items():
        text = source(page)
        for option in shared:
            assert re.search(rf"^\.It Fl {option[1:]}\b", text, re.M), \
                f"{page}: {option}"


def flags(line):
    """The options in a line that begins with Fl: `Fl -a , -b Ar x`, `Fl n`."""
    return {"-" + word for word in line.split() if re.match(r"--?[a-z]", word)
            } | {"-" + letter for letter in
                 re.findall(r"\bFl ([a-z])\b", line)}


def strays():
    known = everywhere() | {o["option"] for row in table()
                            for o in row["options"]}
    others = {"--version", "--verdict", "--service", "--serve",
              "--dovecot"}  # of other programs
    for name in names():
        text = plain(name)
        stray = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text))
        eq(stray - known - others, set(), f"{name}: options of no command")
    general = plain("popbox.8")
    for option in everywhere():
        has(general, option)


def codes():
    everything = set()
    for noun in nouns():
        want = {code for row in rows_of(noun)
                for code in row["exit_codes"].split()}
        everything |= want
        got = re.findall(r"^ {5}(\d+) ",
                         sections(f"popbox-{noun}.8")["EXIT STATUS"], re.M)
        eq(got, sorted(want, key=int), f"EXIT STATUS of popbox-{noun}(8)")
    eq(set(re.findall(r"^ {5}(\d+) ", sections("popbox.8")["EXIT STATUS"],
                      re.M)), everything)


def linked():
    there = set(names())
    for name in names():
        for page, section in re.findall(r"Xr (popbox\S*) (\d)",
                                        source(name)):
            assert f"{page}.{section}" in there, \
                f"{name}: there is no {page}({section})"


def settings():
    text = plain("popbox.conf.5", 1000)
    roff = source("popbox.conf.5")
    chosen = set(re.findall(r'\{\{"(\w+)",[^{}]*\},\s*\.kind = CHOICE,',
                            read("store/config.c")))
    assert len(chosen) >= 4, chosen
    with Site(qmail=False) as site:
        keys = [json.loads(line) for line in
                site.do("--json", "config", "list").splitlines()]
        eq(re.findall(r"^\.It Cm (\w+)$", roff, re.M),
           [key["key"] for key in keys], "settings in their order")
        for key in keys:
            entry = re.search(
                rf"^ {{5}}{key['key']}((?: +.*)?\n(?: {{9}}.*\n)*)", text, re.M)
            assert entry, key
            entry = flat(entry[1])
            assert entry.lower().startswith(
                key["meaning"].lower().rstrip(".") + "."), entry
            default = key["default"] or "empty"
            assert re.search(rf"(?i)\bdefault ‘?{re.escape(default)}[’.]",
                             entry), (key, entry)
            if key["key"] in chosen:
                choices(site, key["key"], roff)
            else:
                bounds(site, key["key"], entry)


def choices(site, key, roff):
    """The words that the page allows are those that the tool allows."""
    row = re.search(rf'\{{\{{"{key}",.*?\.kind = CHOICE, .*?\{{(".*?")\}}\}}',
                    read("store/config.c").split("enum { SETTINGS")[0], re.S)
    want = set(re.findall(r'"(\w+)"', row[1]))
    entry = roff.split(f"\n.It Cm {key}\n")[1].split("\n.It ")[0]
    entry = entry.split("Default")[0].split("default")[0]
    eq(set(re.findall(r"^\.Cm (\w+)", entry, re.M)), want, f"choices of {key}")
    for value in sorted(want):
        site.do("config", "set", key, value)


def bounds(site, key, entry):
    """The range that the page tells is the one that the tool keeps."""
    found = re.search(r"number from (\d+) to (\d+)", entry)
    if not found:
        eq(site.popbox("config", "set", key, "\x01").rc, 100, key)
        return
    low, high = int(found[1]), int(found[2])
    if key == "argon2_passes":  # of the least memory: the two have a cap
        site.do("config", "set", "argon2_kib", "8")
    for value, code in ((low, 0), (high, 0), (high + 1, 100), (low - 1, 100)):
        eq(site.popbox("config", "set", "--", key, str(value)).rc, code,
           f"{key} = {value}")
    with open(site.store + "/config") as file:  # as it was
        kept = [line for line in file
                if not line.startswith((key + " ", "argon2_kib "))]
    with open(site.store + "/config", "w") as file:
        file.writelines(kept)


def pointers():
    def last(*words):
        return subprocess.run([POPBOX, *words], capture_output=True,
                              text=True).stdout.splitlines()[-1]
    for row in table():
        words = [w for w in (row["noun"], row["verb"]) if w]
        page = "popbox(8)" if row["noun"] in NO_PAGE else \
            f"popbox-{row['noun']}(8)"
        for line in (last("help", *words), last(*words, "-h"),
                     last("help", words[0])):
            assert line.endswith("see " + page), (words, line)
        assert f"{page[:-3]}.8" in names()
    has(last("help"), "see popbox-intro(7)")
    has(last("help", "all"), "see popbox-intro(7)")
    assert "popbox-intro.7" in names()


def diagnostics():
    """The reasons of the login program's log."""
    sources = "".join(read(p) for p in glob.glob("checkpw/*.c") +
                      [f"store/{room}.c" for room in
                       ("drop", "login", "err", "hash/pwhash")])
    text = flat(plain("popbox-checkpw.8"))
    reasons = set(re.findall(r'(?:reason|login_no_password\[\]) = '
                             '"([a-z-]+)"', read("store/login.c")))
    reasons |= {"mismatch"}
    assert len(reasons) >= 6
    known = set(re.findall(r'(?:return|why =|NULL :) "([^"]+)"', "".join(
        read(p) for p in ("store/drop.c", "checkpw/confine.c",
                          "checkpw/confine_calls.c", "checkpw/request.c",
          "checkpw/seen.c"))))
    known -= {"request: unknown answer"}
    known |= {what + ": " for what in re.findall(
        r'(?:cannot_tell|failed)\(run, "([a-z ]+)"', read("checkpw/main.c"))}
    verdicts = re.findall(r'return "([^"]+)"', read("store/hash/pwhash.c").split(
        "pwhash_text")[1].split("\n}")[0])
    known |= {"password: " + v for v in verdicts
              if v not in ("match", "mismatch", "unknown answer")}
    for reason in reasons | known:
        part = re.sub(r"cannot confine \(.*", "cannot confine (", reason)
        assert part in text, f"popbox-checkpw(8) does not explain {reason!r}"
    told = re.findall(r'^\.(?:It|Dq) "?([^"\n]+?)"?(?: [,.])?$', source(
        "popbox-checkpw.8").split(".Sh DIAGNOSTICS")[1], re.M)
    assert len(told) > 25, told
    for item in told:
        part = re.sub(r"^(?:store|password|run script): ", "",
                      item.split("...")[0].rstrip(": "))
        assert part in sources, f"the program never says {item!r}"


def refusals():
    """What popbox(8) says of common messages is said."""
    said = re.sub(r'"\s*\n\s*"', "", "".join(read(p) for p in glob.glob(
        "tools/**/*.c", recursive=True) + glob.glob("store/**/*.c",
                                                    recursive=True)))
    items = re.findall(r'^\.It "(.+)"$', source("popbox.8"), re.M)
    assert len(items) >= 10
    for item in items:
        for part in re.split(r"\.\.\.|'[^' ]+'|line \d", item):
            if len(part.strip()) > 3:
                assert part.strip() in said, f"popbox never says {item!r}"


def quoted():
    """Commands in running text are commands."""
    known = {(row["noun"], row["verb"]) for row in table()}
    plainly = {noun for noun, verb in known if verb is None}
    count = 0
    for name in names():
        text = flat(plain(name))
        for line in re.findall(r"‘popbox ([a-z][^’]*)’", text):
            words = line.split()
            pair = (words[0], words[1] if len(words) > 1 else None)
            assert words[0] in plainly or pair in known, f"{name}: {line}"
            row = [r for r in table() if r["noun"] == words[0] and
                   r["verb"] in (None, pair[1])][0]
            for word in words[1:]:
                if word.startswith("--"):
                    assert word in {o["option"] for o in row["options"]}, line
            count += 1
    assert count > 30, count


COMPARISONS = [
    ("no page has a finding of mandoc's lint, or a line over 80 columns",
     clean, "popbox-log.8", ".Sh EXIT STATUS", ".Sh EXIT STATUS\n.Bogus"),
    ("every page has NAME, DESCRIPTION, EXAMPLES, SEE ALSO in their order, "
     "those of commands also SYNOPSIS and EXIT STATUS",
     whole, "popbox-undo.8", ".Sh EXAMPLES", ".Sh EXAMPLE"),
    ("every noun has a page, every page a noun; popbox(8) leads to all",
     paged, "popbox.8", "del, undelete, list", "del, list"),
    ("apropos finds the page that somebody looks for", asked,
     "popbox-log.8", "print the journal: who", "print who"),
    ("SYNOPSIS says exactly what the command table says",
     synopsis, "popbox-purge.8", ".Op Fl -now\n", ""),
    ("SYNOPSIS of the other programs says what their usage says",
     other_usage, "popbox-maildirsmtp.8", ".Ar dir prefix", ".Ar prefix dir"),
    ("every verb and option is told in its page, or in the one it names",
     described, "popbox-export.8", ".It Fl -group Ar g", ".It Ar g"),
    ("no page tells of an option that no command has",
     strays, "popbox-check.8", "which mails the problems", "which mails --problems"),
    ("EXIT STATUS lists the codes of the command table, no more, no less",
     codes, "popbox-verify.8", ".It 1\n", ".It 100\n"),
    ("every page of ours that a page refers to is there",
     linked, "popbox-csv.5", ".Xr popbox-import 8", ".Xr popbox-imports 8"),
    ("popbox.conf(5) has every setting with its meaning, default and range",
     settings, "popbox.conf.5", "from 0 to 30000", "from 0 to 40000"),
    ("popbox-checkpw(8) explains every reason that the log can have, and no "
     "other", diagnostics, "popbox-checkpw.8", '.It "store: busy"',
     '.It "store: lazy"'),
    ("the messages that popbox(8) explains are the tool's",
     refusals, "popbox.8", "another popbox is publishing",
     "somebody publishes"),
    ("commands in running text are commands of the tool",
     quoted, "popbox-intro.7", "popbox address set", "popbox address let"),
]

for sentence, check, *_ in COMPARISONS:
    test(sentence)(check)
test("help of a noun ends with its page, help of all with popbox-intro(7)")(
    pointers)


@test("each of these comparisons finds a fault planted into a page")
def planted():
    eq([sentence for sentence, check, *fault in COMPARISONS
        if missed(check, *fault)], [], "not found")


run()
