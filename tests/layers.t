#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The picture of doc/FLOW.md, asserted: who includes what, who calls what."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, TREE, eq, run, skip, test

os.chdir(TREE)
PRODUCT = sorted(path for part in ("checkpw", "store", "tools")
                 for path in glob.glob(part + "/**/*.[ch]", recursive=True))
PUBLIC = {"store/err.h", "store/name.h", "store/store.h", "store/login.h",
          "store/hash/pwhash.h", "store/secret.h", "store/drop.h",
          "store/config.h", "store/cores.h", "store/fault.h",
          "store/path.h"}
WRITING = {"store/store_write.h", "store/store_whole.h", "store/store_draft.h",
           "store/writeset.h"}

# What each folder may include beside itself and the store's public headers:
# all that stands below it. Folders of one line do not know each other.
TOOL = (
    ("cli/cmd",),
    ("cli",),
    ("backup", "transfer", "check", "dialup", "breach"),
    ("publish",),
    ("accounts",),
    ("central",),
    ("qmail", "popusr"),
    ("maildir",),
    ("base",),
)
# Programs of their own, and what they take beside store/.
ALONE = {"askpw": {"base/inherited.h", "base/ask.h"},
         "centralpg": {"base/inherited.h", "base/frames.h",
                       "base/central_schema.h"},
         "maildirsmtp": {"base/inherited.h"},
         "quota": {"base/inherited.h", "base/mail_date.h", "maildir/maildirsize.h",
                   "maildir/usage.h"},
         "vacation": {"base/inherited.h", "base/mail_date.h", "base/utf8.h",
                      "maildir/vacation_file.h"},
         "rcptcheck": {"base/inherited.h", "base/ask.h", "accounts/resolve.h",
                       "qmail/dotqmail.h", "qmail/dotqmail_lines.h",
                       "qmail/route.h"}}
LEVEL = {folder: level for level, line in enumerate(TOOL) for folder in line}


def includes(path):
    with open(path) as file:
        return re.findall(r'^#include ([<"][^>"]+[>"])', file.read(), re.M)


def only(header, *allowed):
    found = {p for p in PRODUCT if header in includes(p)}
    stray = {p for p in found
             if not any(re.fullmatch(a, p) for a in allowed)}
    eq(stray, set(), f"includes {header}")
    assert found, f"nobody includes {header}: the rule is out of date"


@test("only store/db/ knows LMDB")
def lmdb():
    only("<lmdb.h>", r"store/db/db_private\.h")
    only('"db_private.h"', r"store/db/db(_write|_writeset|_copy|_walk)?\.c")
    only('"check_private.h"', r"store/check(_bybox|_parked)?\.c")


@test("only pwhash, secret, record and tally know libsodium, only pwhash "
      "libcrypt, only pwhash_old nettle")
def crypto():
    only("<sodium.h>", r"store/(hash/pwhash(_make|_digest|_old|_foreign)?|"
         r"secret|record|tally)\.c")
    for name in ("hmac", "md4", "md5", "pbkdf2", "sha1"):
        only(f"<nettle/{name}.h>", r"store/hash/pwhash_old\.c")
    only("<crypt.h>", r"store/hash/pwhash\.c")


@test("only idn knows libidn2, only json jansson, only cdbfile libcdb")
def edges():
    only("<idn2.h>", r"tools/base/idn\.c")
    only("<jansson.h>", r"tools/base/json\.h")
    only("<cdb.h>", r"tools/qmail/cdbfile\.c")
    only("<csv.h>", r"tools/transfer/csvfile\.c")
    only("<curl/curl.h>", r"tools/maildirsmtp/main\.c")
    only("<libpq-fe.h>", r"tools/centralpg/pg(_\w+)?\.[ch]")


def arrows(path, text=None):
    """The project's headers that a file includes, by their path below the
    top, or below tools/ where they are there."""
    folder = os.path.dirname(path)
    for header in re.findall(r'^#include "([^"]+)"',
                             text or open(path).read(), re.M):
        yield os.path.relpath(f"{folder}/{header}", "tools") if (
            "/" not in header and folder.startswith("tools")) else \
            f"{folder}/{header}" if "/" not in header else header


def stray(path, text=None):
    """The headers that a file includes and may not."""
    part, _, inside = path.partition("/")
    mine = os.path.dirname(inside)
    for header in arrows(path, text):
        theirs = os.path.dirname(header)
        if part == "store":
            allowed = header.startswith("store/")
        elif part == "checkpw":
            allowed = theirs == "checkpw" or header in PUBLIC
        elif header.startswith(("store/", "checkpw/")):
            allowed = header in PUBLIC | WRITING
        elif mine in ("", theirs):
            allowed = True
        elif mine in ALONE:
            allowed = header in ALONE[mine]
        else:
            allowed = LEVEL[theirs] > LEVEL[mine] and not (
                inside.startswith("popusr/child") and theirs != "base")
        if not allowed:
            yield header


@test("each folder includes itself and those below it, and public headers alone")
def folders():
    for path in PRODUCT:
        eq(list(stray(path)), [], path)
    eq({os.path.dirname(p)[6:] for p in PRODUCT if p.startswith("tools/")},
       set(LEVEL) | set(ALONE) | {""})


@test("an include that goes up is found in each folder")
def planted():
    above = {folder: TOOL[level - 1][0] for folder, level in LEVEL.items()
             if level}
    headers = {os.path.dirname(p)[6:]: p[6:] for p in PRODUCT
               if p.startswith("tools/") and p.endswith(".h")}
    for folder in above:
        there = headers.get(above[folder], "cli/cmd/commands.h")
        eq(list(stray(f"tools/{folder}/planted.c", f'#include "{there}"\n')),
           [there])
    for folder in ("backup", "qmail"):
        other = {"backup": "transfer/import.h", "qmail": "popusr/asuser.h"}
        eq(list(stray(f"tools/{folder}/planted.c",
                      f'#include "{other[folder]}"\n')), [other[folder]])
    for path, header in (("checkpw/planted.c", "store/store_write.h"),
                         ("checkpw/planted.c", "base/say.h"),
                         ("store/planted.c", "base/say.h"),
                         ("tools/base/planted.c", "store/row.h"),
                         *((f"tools/{folder}/planted.c", "base/say.h")
                           for folder in ALONE)):
        eq(list(stray(path, f'#include "{header}"\n')), [header])


@test("calls go down: the store's ground never includes its tables")
def down():
    ground = [path for path in PRODUCT if re.match(
        r"store/(db/|hash/|(record|name|err|config|config_file|secret|drop|"
        r"fault|tally)\.)", path)]
    assert len(ground) > 25, ground
    for path in ground:
        for header in includes(path):
            assert os.path.basename(header.strip('"')) not in {
                "row.h", "row_write.h", "store.h", "store_write.h",
                "login.h"}, f"{path} includes {header}"


@test("the library neither prints nor exits")
def silent():
    words = re.compile(r"\b(printf|fprintf|puts|perror|exit|_exit|syslog)\(")
    for path in glob.glob("store/**/*.c", recursive=True):
        with open(path) as file:
            found = words.search(file.read())
        assert not found, f"{path}: {found}"


@test("nobody calls what the style guide rules out")
def ruled_out():
    words = re.compile(r"\b(strcpy|strcat|sprintf|strncpy|strncat|atoi|strtok"
                       r"|gets|system|popen|alloca)\s*\(")
    for path in PRODUCT:
        with open(path) as file:
            found = words.search(file.read())
        assert not found, f"{path}: {found}"


def callers(call, folder):
    found = set()
    for path in glob.glob(folder + "/**/*.c", recursive=True):
        with open(path) as file:
            if re.search(r"\b" + call + r"\(", file.read()):
                found.add(os.path.basename(path))
    return found


@test("no function has more than 60 lines")
def short():
    found = []
    for path in glob.glob(TREE + "/**/*.c", recursive=True):
        if path.startswith(TREE + "/build/"):
            continue
        with open(path) as file:
            for head, body in re.findall(
                    r"(?m)^((?:[a-z].*\n(?:[\t ].*\n)*))(\{\n(?:.*\n)*?\})$",
                    file.read()):
                lines = head.count("\n") + body.count("\n") + 1
                if lines > 60:
                    found.append((lines, path, head.split("\n")[0]))
    eq(found, [])


@test("only child starts what gives root up; what forks beside it stays who it is")
def children():
    eq(callers("drop_to", "tools"), {"child.c", "main.c"})  # of rcptcheck
    eq(callers("child_drop", "tools"),
       {"child.c", "asuser_child.c", "central.c", "confined.c", "probe.c", "mailcopy.c",
        "round.c", "poppassd.c"})
    eq(callers("fork", "tools"),
       {"child.c", "backup.c", "bounce.c", "cmd_check.c", "counters.c",
        "notify.c", "queue.c"})


@test("no file of popusr's is read whole, however long it is")
def lengths():
    found = callers("replace_read", "tools")
    eq({name for name in found if name.startswith(("mailroot", "mailcopy"))},
       set())


LICENCE = "/* SPDX-License-Identifier: MIT */\n"


@test("every source file names its licence, which is that of LICENSE")
def licence():
    with open("LICENSE") as file:
        eq(file.readline(), "MIT License\n")
    for path in PRODUCT:
        with open(path) as file:
            eq(file.readline(), LICENCE, path)


@test("every header says first what it is for, and compiles alone")
def headers():
    for path in PRODUCT:
        if not path.endswith(".h"):
            continue
        with open(path) as file:
            first = file.readlines()[1]
        name = os.path.basename(path)
        assert first.startswith(f"/* {name}: "), f"{path}: {first!r}"
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-I.", "-Itools",
                        "-I/usr/include/postgresql", "-Wall", "-Werror",
                        "-fsyntax-only", "-x", "c", path],
                       check=True)


WRITES = {"mdb_put", "mdb_del", "mdb_txn_commit", "mdb_cursor_put",
          "mdb_cursor_del", "mdb_drop", "mdb_env_copy2", "mdb_env_copyfd2"}


def undefined(*command):
    text = subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout
    return {line.split()[-1].split("@")[0] for line in text.splitlines()
            if " U " in line or line.lstrip().startswith("U ")}


@test("no object of the login program calls what writes the database")
def objects():
    with open("Makefile") as file:
        text = file.read().replace("\\\n", " ")
    rooms = re.search(r"^LOGIN\s*=(.*)$", text, re.M).group(1)
    paths = [f"{BUILD}/{folder}{name}.o"
             for folder, names in re.findall(r"addprefix ([\w/]+),([^)]*)", rooms)
             for name in names.split()]
    assert len(paths) >= 15, paths
    assert f"{BUILD}/store/db/db.o" in paths and \
        f"{BUILD}/checkpw/request.o" in paths
    found = undefined("nm", "-u", *paths)
    assert "mdb_get" in found, "nm shows nothing"
    eq(found & WRITES, set())
    # The planted fault: the writer's own object is found out.
    assert WRITES & undefined("nm", "-u", f"{BUILD}/store/db/db_write.o")


@test("the dynamic login program imports nothing that writes the database")
def dynamic():
    path = "build/dynamic/popbox-checkpw"
    if not os.path.exists(path):
        skip("build/dynamic is not built")
    found = undefined("nm", "-D", "-u", path)
    assert "mdb_get" in found, "nm shows nothing"
    eq(found & WRITES, set())


@test("the programs are hardened: PIE, full RELRO, no executable stack, canaries")
def hardening():
    for path in (f"{BUILD}/popbox", f"{BUILD}/popbox-checkpw",
                 f"{BUILD}/popbox-maildirsmtp", f"{BUILD}/popbox-askpw",
                 f"{BUILD}/popbox-rcptcheck",
                 f"{BUILD}/popbox-quota", f"{BUILD}/popbox-vacation",
                 f"{BUILD}/popbox-central",
                 "build/dynamic/popbox-checkpw"):
        text = subprocess.run(["readelf", "-hlWd", path], check=True,
                              capture_output=True, text=True).stdout
        assert re.search(r"Type:\s+DYN", text), path
        assert "GNU_RELRO" in text, path
        assert re.search(r"GNU_STACK.* RW ", text), path
        assert "INTERP" not in text or re.search(r"\bNOW\b", text), path
        symbols = subprocess.run(["nm", path], capture_output=True,
                                 text=True).stdout
        assert "__stack_chk_fail" in symbols, path


run()
