#!/usr/bin/env python3
"""The picture of doc/FLOW.md, asserted: who includes what, who calls what."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, TREE, eq, run, skip, test

os.chdir(TREE)
PRODUCT = sorted(glob.glob("checkpw/*.[ch]") + glob.glob("store/*.[ch]") +
                 glob.glob("tools/*.[ch]") +
                 glob.glob("tools/maildirsmtp/*.[ch]"))
PUBLIC = {"err.h", "name.h", "store.h", "login.h", "pwhash.h", "secret.h",
          "drop.h", "config.h", "fault.h"}
WRITING = {"store_write.h", "store_whole.h"}


def includes(path):
    with open(path) as file:
        return re.findall(r'^#include ([<"][^>"]+[>"])', file.read(), re.M)


def only(header, *allowed):
    found = {p for p in PRODUCT if header in includes(p)}
    stray = {p for p in found
             if not any(re.fullmatch(a, p) for a in allowed)}
    eq(stray, set(), f"includes {header}")
    assert found, f"nobody includes {header}: the rule is out of date"


@test("only store/db*.c know LMDB")
def lmdb():
    only("<lmdb.h>", r"store/db_private\.h")
    only('"db_private.h"', r"store/db\.c", r"store/db_write\.c",
         r"store/db_copy\.c", r"store/db_walk\.c")
    only('"check_private.h"', r"store/check(_bybox|_parked)?\.c")


@test("only pwhash, secret, record and tally know libsodium, only pwhash "
      "libcrypt, only pwhash_old nettle")
def crypto():
    only("<sodium.h>", r"store/(pwhash|pwhash_make|pwhash_digest|pwhash_old|"
         r"pwhash_foreign|secret|record|tally)\.c")
    for name in ("hmac", "md4", "md5", "pbkdf2", "sha1"):
        only(f"<nettle/{name}.h>", r"store/pwhash_old\.c")
    only("<crypt.h>", r"store/pwhash\.c")


@test("only idn knows libidn2, only json jansson, only cdbfile libcdb")
def edges():
    only("<idn2.h>", r"tools/idn\.c")
    only("<jansson.h>", r"tools/json\.h")
    only("<cdb.h>", r"tools/cdbfile\.c")
    only("<csv.h>", r"tools/csvfile\.c")
    only("<curl/curl.h>", r"tools/maildirsmtp/main\.c")


@test("checkpw and tools never see each other, and see public headers alone")
def folders():
    for path in PRODUCT:
        folder = os.path.dirname(path)
        for header in includes(path):
            name = header.strip('<>"')
            if header[0] == "<" or os.path.exists(f"{folder}/{name}"):
                continue
            allowed = PUBLIC if folder == "checkpw" else PUBLIC | WRITING
            assert name in allowed, f"{path} includes {name}"


@test("calls go down: the store's ground never includes its tables")
def down():
    ground = {"db.c", "db.h", "db_private.h", "db_write.c", "db_write.h",
              "db_copy.c", "db_copy.h", "db_walk.c", "record.c", "record.h", "name.c", "name.h", "err.c", "err.h",
              "config.c", "config_file.c", "config.h", "secret.c", "secret.h", "drop.c",
              "drop.h", "fault.c", "fault.h", "pwhash.c", "pwhash.h", "pwhash_form.c", "pwhash_digest.c",
              "pwhash_wrap.c", "pwhash_make.c", "tally.c", "tally.h"}
    for name in ground:
        for header in includes("store/" + name):
            stray = header.strip('"') in {"row.h", "row_write.h", "store.h",
                                          "store_write.h", "login.h"}
            assert not stray, f"store/{name} includes {header}"


@test("the library neither prints nor exits")
def silent():
    words = re.compile(r"\b(printf|fprintf|puts|perror|exit|_exit|syslog)\(")
    for path in glob.glob("store/*.c"):
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


@test("only child starts what gives root up; what forks beside it stays who it is")
def children():
    eq(callers("drop_to", "tools"), {"child.c"})
    eq(callers("child_drop", "tools"),
       {"child.c", "asuser_child.c", "inspect.c", "mailcopy.c", "round.c"})
    eq(callers("fork", "tools"),
       {"child.c", "backup.c", "bounce.c", "cmd_check.c", "counters.c",
        "notify.c"})


@test("no file of popusr's is read whole, however long it is")
def lengths():
    found = callers("replace_read", "tools")
    eq({name for name in found if name.startswith(("mailroot", "mailcopy"))},
       set())


@test("every header says first what it is for, and compiles alone")
def headers():
    for path in PRODUCT:
        if not path.endswith(".h"):
            continue
        with open(path) as file:
            first = file.readline()
        name = os.path.basename(path)
        assert first.startswith(f"/* {name}: "), f"{path}: {first!r}"
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Istore",
                        "-Wall", "-Werror", "-fsyntax-only", "-x", "c", path],
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
    names = re.findall(r"\b(?!addprefix)([a-z_]+)\b(?!/)", rooms)
    paths = [p for n in names for p in (f"{BUILD}/checkpw/{n}.o",
                                        f"{BUILD}/store/{n}.o")
             if os.path.exists(p)]
    assert len(paths) >= 15, paths
    assert f"{BUILD}/store/db.o" in paths and \
        f"{BUILD}/checkpw/request.o" in paths
    found = undefined("nm", "-u", *paths)
    assert "mdb_get" in found, "nm shows nothing"
    eq(found & WRITES, set())
    # The planted fault: the writer's own object is found out.
    assert WRITES & undefined("nm", "-u", f"{BUILD}/store/db_write.o")


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
                 f"{BUILD}/popbox-maildirsmtp",
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
