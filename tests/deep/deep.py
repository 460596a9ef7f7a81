# SPDX-License-Identifier: MIT
"""What the deep harnesses share: one line of figures each, and planted faults.

A harness is a program `tests/deep/NAME [SIZE]`; SIZE, 1 unless given, says how
many times its usual length. It ends in the line

    NAME: tried N, bad N, planted fault found (what)

and fails when anything was bad or the planted fault was not found.
"""
import ast
import concurrent.futures
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from tap import BUILD, TREE  # noqa: E402

DEEP = os.path.join(TREE, "build", "deep")
SIZE = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
JOBS = os.cpu_count() or 1


class Group:
    """The processes of `spread` count into it, too."""

    def __init__(self, name, shown=20):
        self.name = name
        self.shown = shown  # so many of what is bad are printed
        self.counts = multiprocessing.Array("Q", 2)  # tried, bad
        self.planted = []  # (found, what)
        self.gaps = []
        self.start = time.monotonic()

    @property
    def tried(self):
        return self.counts[0]

    @property
    def found_bad(self):
        return self.counts[1]

    def tries(self, count=1):
        with self.counts.get_lock():
            self.counts[0] += count

    def bad(self, what):
        with self.counts.get_lock():
            self.counts[1] += 1
            if self.counts[1] <= self.shown:
                print(f"# {self.name}: bad: {what}"[:400], flush=True)

    def note(self, text):
        print(f"# {self.name}: {text}", flush=True)

    def gap(self, text):
        """What could not be tried here: said, and not counted."""
        self.gaps.append(text)
        self.note("not tried: " + text)

    def plant(self, found, what):
        self.planted.append((bool(found), what))
        if not found:
            self.note("planted fault not found: " + what)

    def end(self):
        good = bool(self.planted) and all(found for found, _ in self.planted)
        what = "; ".join(w for f, w in self.planted if good or not f) or "none"
        self.note(f"{time.monotonic() - self.start:.0f} seconds")
        print(f"{self.name}: tried {self.tried}, bad {self.found_bad}, "
              f"planted fault {'found' if good else 'NOT FOUND'} ({what})",
              flush=True)
        sys.exit(0 if good and not self.found_bad and self.tried else 1)


def share(work, items, jobs=JOBS):
    """work(item) for each, several at a time; what they return, in order."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(work, items))


_spread = None  # (work, items), for the processes of spread


def _one_of_spread(number):
    work, items = _spread
    return work(items[number])


def spread(work, items, jobs=JOBS):
    """The same in processes, for work much of which is Python's own."""
    global _spread
    _spread = work, list(items)
    with concurrent.futures.ProcessPoolExecutor(
            jobs, multiprocessing.get_context("fork")) as pool:
        return list(pool.map(_one_of_spread, range(len(_spread[1]))))


def compiled(name, *words):
    """A C program for the harnesses; its path. words: sources and options."""
    os.makedirs(DEEP, exist_ok=True)
    out = f"{DEEP}/{name}"
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall",
                    "-Wextra", "-Werror", f"-I{TREE}", f"-I{TREE}/tools",
                    "-o", out, *words], check=True)
    return out


def patched(path, old, new, text=None):
    """The text of a source file with one check removed; text: it was patched before.
    The place must be there exactly once, else the harness is out of date, and
    fails."""
    if text is None:
        with open(os.path.join(TREE, path)) as file:
            text = file.read()
    if text.count(old) != 1:
        raise SystemExit(f"{path}: {text.count(old)} times {old!r}: the "
                         "planted fault does not apply")
    return text.replace(old, new)


def planted_build(name, path, old, new, also=(), san=False, more=()):
    """A whole build in which one source file is a patched one; its directory,
    for tap.BUILD. Only what depends on that file is compiled again. also: more
    of (path, old, new). more: what else make shall make there. san: of the sanitizers' build, which then
    is in san/ there. PLANT=no: the harness ends here."""
    if os.environ.get("PLANT") == "no":
        raise SystemExit(0)
    texts = {}
    for where, was, is_now in ((path, old, new), *also):
        texts[where] = patched(where, was, is_now, texts.get(where))
    top = os.path.join(DEEP, "plant", name)
    shutil.rmtree(top, ignore_errors=True)
    where = "/san" if san else ""
    os.makedirs(top + "/build" + where)
    for part in ("checkpw", "store", "tools"):
        shutil.copytree(f"{TREE}/{part}", f"{top}/{part}")
        shutil.copytree(f"{BUILD}{where}/{part}", f"{top}/build{where}/{part}")
    shutil.copy2(TREE + "/Makefile", top)
    shutil.copy2(f"{BUILD}{where}/flags", f"{top}/build{where}")
    for source, text in texts.items():
        with open(f"{top}/{source}", "w") as file:
            file.write(text)
    done = subprocess.run(["make", "-C", top, "all", *more, *(["SAN=1"] if san else [])], capture_output=True,
                          text=True)
    if done.returncode:
        raise SystemExit(f"the planted fault {name} does not build: "
                         + done.stdout + done.stderr)
    return top + "/build"


class Programs:
    """`with Programs(build):` sites run the programs of that build."""

    def __init__(self, build):
        self.build = build

    def __enter__(self):
        self.before = tap.POPBOX, tap.CHECKPW
        tap.POPBOX = self.build + "/popbox"
        tap.CHECKPW = self.build + "/popbox-checkpw"

    def __exit__(self, *exception):
        tap.POPBOX, tap.CHECKPW = self.before


def login_modules():
    """The source files of the login program, as the Makefile has them."""
    with open(TREE + "/Makefile") as file:
        text = file.read().replace("\\\n", " ")
    modules = re.search(r"^LOGIN\s*=(.*)$", text, re.M).group(1)
    lists = re.findall(r"addprefix ([\w/]+)/,([^)]*)\)", modules)
    return {f"{where}/{name}.c" for where, names in lists
            for name in names.split()}


def sentences(path):
    """(function, sentence) of each test of a file, in its order."""
    with open(path) as file:
        tree = ast.parse(file.read())
    for node in tree.body:
        for mark in getattr(node, "decorator_list", ()):
            if isinstance(mark, ast.Call) and mark.func.id == "test":
                yield node.name, mark.args[0].value


def trace_calls(trace):
    """The system calls of a trace made with `strace -f -o`, in order, as
    (process, name)."""
    calls = []
    with open(trace, errors="replace") as file:
        for line in file:
            found = re.match(r"(\d+) +(\w+)\(", line)
            if found:
                calls.append((int(found.group(1)), found.group(2)))
    return calls
