# SPDX-License-Identifier: MIT
"""What a command costs, counted: the same on every machine, but for what is
said at each. Used by the bench and by the guards of tests/cost.t.
"""
import base64
import glob
import hashlib
import os
import re
import subprocess
import tempfile

from tap import BUILD, GOOD

SYNCS = ("fsync", "fdatasync", "syncfs", "msync")
WRITES = ("write", "pwrite64", "writev", "pwritev", "pwritev2",
          "copy_file_range", "sendfile")


class Traced:
    """A command's system calls: `count` all of them, `syncs` those that wait
    for the disk, `written` the bytes that went to files, `names` in order."""

    def __init__(self, path):
        self.names, self.syncs, self.written = [], 0, 0
        with open(path, errors="replace") as file:
            for line in file:
                self.take(re.sub(r"^\d+ +", "", line))
        self.count = len(self.names)

    def take(self, line):
        found = re.match(r"(\w+)\(|<\.\.\. (\w+) resumed>", line)
        if not found:
            return
        name = found.group(1) or found.group(2)
        if found.group(1):
            self.names.append(name)
        result = re.search(r"= (-?\d+)", line[line.rfind(")"):])
        if name in SYNCS and found.group(1):
            self.syncs += 1
        if name in WRITES and result and re.search(r"^\w+\(\d+</", line):
            self.written += max(0, int(result.group(1)))

    def upto(self, name):
        """So many until that call for the last time, without the exec that
        began it all."""
        return len(self.names) - 1 - self.names[::-1].index(name) - 1


def traced(site, work):
    """work(prefix) runs a command that begins with prefix."""
    path = site.top + "/trace"
    work(("strace", "-f", "-y", "-e", "signal=none", "-o", path))
    return Traced(path)


# Valgrind's processor is always the same one of Intel's, as long as the real
# one has AVX2; the tunables take away what differs between those that have and
# those that have not.
PLAIN = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-BMI2,-ERMS"}


def profile(site, work, until=None, leave_out=()):
    """The callgrind files of work(prefix, env). until: only what comes before
    that function is called. leave_out: without these functions and what they
    call. A child begins with what its parent has counted, so that is written
    down and begun anew at each fork."""
    top = tempfile.mkdtemp(prefix="callgrind.", dir=site.top)
    os.chmod(top, 0o777)  # what has become popusr writes there, too
    work(("valgrind", "-q", "--vgdb=no", "--tool=callgrind",
          f"--callgrind-out-file={top}/%p",
          "--dump-before=" + (until or "fork"),
          *("--toggle-collect=" + name for name in leave_out),
          # After those, which would begin with nothing collected.
          "--collect-atstart=yes"), PLAIN)
    found = glob.glob(top + ("/*.1" if until else "/*"))
    return [path for path in found if os.path.getsize(path)]


def total(path):
    with open(path, errors="replace") as file:
        for line in file:
            if line.startswith("totals: "):
                return int(line.split()[1])
    return 0


def instructions(site, work, until=None, leave_out=()):
    """Those of a command, and of the processes that it forks; not of programs
    that it runs."""
    return sum(total(p) for p in profile(site, work, until, leave_out))


def by_function(path):
    """{function: (its own, with all that it calls)} of one callgrind file."""
    found = {}
    for at, option in enumerate(("no", "yes")):
        text = subprocess.run(
            ["callgrind_annotate", "--auto=no", "--threshold=100",
             "--inclusive=" + option, path], capture_output=True, text=True,
            check=True).stdout
        for line in text.splitlines():
            row = re.match(r" *([\d,]+) \( *[\d.]+%\) +\S*?:([\w.']+)", line)
            if row:
                pair = found.setdefault(row.group(2).split(".")[0], [0, 0])
                number = int(row.group(1).replace(",", ""))
                pair[at] = pair[at] + number if not at else \
                    max(pair[at], number)
    return found


def faults(login, password, program, count=9):
    """(seconds of processor time, page faults, exit code) of one login, the
    median of so many."""
    text = subprocess.run([BUILD + "/bench/spawn", str(count), login, password,
                           *program], check=True, capture_output=True,
                          text=True).stdout
    ns, number, code = text.split()
    return int(ns) / 1e9, int(number), int(code)


def cheap_hash():
    """One SHA-256 of GOOD."""
    return "{SHA256}" + base64.b64encode(
        hashlib.sha256(GOOD.encode()).digest()).decode()


def cheap(site, login="joe@example.com"):
    """Joe with a hash that costs next to nothing."""
    site.do("box", "add", login, "--hash-stdin", input=cheap_hash() + "\n")
