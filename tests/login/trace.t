#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The order of a login, asserted on its system calls."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import GOOD, ROOT, UID, Site, eq, has, hasnt, run, skip, test


def trace(site, password=GOOD, program=("/bin/sh", "-c", "exit 0"), **kw):
    """The calls of one login, as strace writes them."""
    path = site.top + "/trace"
    got = site.login(password=password, program=program,
                     prefix=("strace", "-f", "-o", path), **kw)
    if "PTRACE" in got.err and "not permitted" in got.err:
        skip("no tracing here")
    with open(path) as file:
        calls = [re.sub(r"^\d+ +", "", line) for line in file]
    return got, calls


def index(calls, pattern, last=False):
    found = [i for i, call in enumerate(calls) if re.search(pattern, call)]
    assert found, f"no call like {pattern}"
    return found[-1] if last else found[0]


def inheritable(fd):
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False  # that of the listing itself


@test("descriptor 3 is first read after the privilege is gone for good",
      root=True, plain=True)
def drop_first():
    with Site().joe() as site:
        got, calls = trace(site)
        eq(got.rc, 0, got)
        drop = index(calls, rf"^setresuid\({UID}, {UID}, {UID}\) += 0")
        read = index(calls, r"^read\(3, \"joe")
        assert drop < read, (drop, read)
        assert index(calls, r"^setgroups\(1") < \
            index(calls, r"^setresgid") < drop
        # Asked for root once more, and refused.
        refused = index(calls, r"^setresuid\(-1, 0, -1\) += -1 EPERM")
        assert drop < refused < read
        assert index(calls, r"^prctl\(PR_SET_DUMPABLE, ") < read
        assert index(calls, r"^prlimit64\(0, RLIMIT_CORE|^setrlimit\("
                            r"RLIMIT_CORE") < read
        # Before that nothing touched descriptor 3 but the look that it is
        # there.
        for call in calls[:drop]:
            assert not re.match(r"(read|pread64|recvfrom|poll)\(3", call), call


@test("the lock file is never opened, and the store never for writing",
      plain=True)
def no_lock():
    with Site().joe() as site:
        for password in (GOOD, "wrong"):
            _, calls = trace(site, password)
            opens = [c for c in calls if re.match(r"open(at)?\(", c)]
            assert any("/data.mdb" in c and "O_RDONLY" in c for c in opens), \
                opens
            for call in opens:
                hasnt(call, "lock.mdb")
                if site.store in call:
                    assert not re.search("O_RDWR|O_WRONLY|O_CREAT", call), call
            text = "".join(calls)
            hasnt(text, "pwrite64(")
            hasnt(text, "ftruncate(")


@test("the store is closed before the hash is computed", plain=True)
def close_first():
    with Site(argon2_kib="19456").joe() as site:
        got, calls = trace(site)
        eq(got.rc, 0)
        data = index(calls, r"^open.*data\.mdb")
        fd = re.search(r"= (\d+)$", calls[data].strip()).group(1)
        # Of this very file: its number stood for others before.
        closed = data + index(calls[data:], rf"^close\({fd}\)")
        # The hash's memory: one map of about 19 MiB.
        memory = index(calls, r"^mmap\(NULL, (199\d{5}|2\d{7}), PROT_READ\|"
                              r"PROT_WRITE")
        assert closed < memory, (closed, memory)


@test("the program finds the caller's descriptors and none of ours",
      plain=True)
def descriptors():
    with Site(log="stderr", confine_read="/bin /usr /lib /lib64 /etc /proc"
              ).joe() as site:
        with open(site.top + "/extra", "w") as extra:
            os.set_inheritable(extra.fileno(), True)
            got = site.login(program=("/bin/sh", "-c", "ls -l /proc/$$/fd"))
            found = {line.split(" -> ")[0].split()[-1]
                     for line in got.out.splitlines() if " -> " in line}
            ours = {name for name in os.listdir("/proc/self/fd")
                    if int(name) > 3 and inheritable(int(name))}
            eq(found, {"0", "1", "2"} | ours)
            assert str(extra.fileno()) in found
            hasnt(got.out, site.store)


@test("nothing of the locale, the time zone or the user database is read",
      root=True, plain=True)  # from the drop on only root may trace it
def lean():
    with Site().joe() as site:
        _, calls = trace(site)
        text = "".join(calls[:index(calls, r"^execve\(\"/bin/sh\"")])
        for part in ("locale", "gconv", "nsswitch", "/etc/passwd",
                     "localtime", "/etc/ld.so"):
            hasnt(text, part)


@test("a login stays within its budget of system calls", root=True, plain=True)
def budget():
    with Site(log="syslog", confine="off").joe() as site:
        # The first login of an hour writes .lastlogin: five calls more.
        eq(site.login().rc, 0)
        got, calls = trace(site)
        eq(got.rc, 0)
        # Less the exec that began it, and the two that get and give back
        # the hash's memory.
        count = index(calls, r"^execve\(\"/bin/sh\"") - 3
        print(f"# {count} system calls up to the exec")
        assert count <= 60, count


run()
