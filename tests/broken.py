# SPDX-License-Identifier: MIT
"""Commands that are killed or refused by the system half-way: what a site must
be like afterwards. For tests/cli/crash.t and the deep harnesses."""
import re
import subprocess

from tap import Site, eq, skip

# The calls between which a kill can make a difference.
CALLS = ("mkdir", "mkdirat", "rename", "renameat", "unlinkat", "write",
         "pwrite64", "pwritev", "fsync", "fdatasync", "ftruncate", "fchmod",
         "fchown", "openat", "kill", "pidfd_send_signal", "sendto", "flock")


def undeliverable(site, domain, by_mx=False):
    """What is missing of an accepted domain's mail, as qmail would look."""
    if domain not in site.control("rcpthosts").split("\n"):
        return None
    done = subprocess.run(
        [site.tools + "/deliver", "s@x.org", "postmaster@" + domain],
        input=b"hello\n", capture_output=True)
    if done.returncode == 111 and "first line of .qmail is blank" in \
            done.stderr.decode():
        return None  # held: qmail keeps it
    if done.returncode == 99 and by_mx:
        return None
    return done.stderr.decode() if done.returncode else None


def relative(site):
    """The tree without the names of this run, without mail and cdb."""
    found = {}
    for path, (mode, uid, gid, content) in site.tree().items():
        if "/new/" in path or path.endswith(
                ("/cdb", "/cdb.tmp", "/.lastlogin")):
            continue
        found[path.replace(site.top, "")] = (
            mode, uid, gid, content.replace(site.top.encode(), b""))
    return found


def prepared(setup):
    site = Site().joe()
    for words in setup:
        site.do(*words)
    return site


def count_calls(command, setup=(), calls=CALLS):
    """How often a command makes each of CALLS, itself and its helper."""
    with prepared(setup) as site:
        trace = site.top + "/trace"
        got = site.popbox(*command, prefix=(
            "strace", "-f", "-o", trace, "-e", "trace=" + ",".join(calls)))
        if got.rc != 0:
            skip("no tracing here: " + got.err[:80])
        counts = {}
        with open(trace) as file:
            for line in file:
                name = re.match(r"\d+ +(\w+)\(", line)
                if name:
                    counts[name.group(1)] = counts.get(name.group(1), 0) + 1
        return counts, relative(site)


def kill_at(command, call, when, finished, untouched, setup=(), login=(0,)):
    with prepared(setup) as site:
        site.popbox(*command, prefix=(
            "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
            f"inject={call}:signal=SIGKILL:when={when}"))
        for domain in ("example.com", "new.org"):
            missing = undeliverable(site, domain,
                                    "backup" in str((command, setup)))
            assert not missing, f"{call} {when}: accepted, but {missing}"
        # Mail that was routed before arrives, or is held; but for a purge.
        queued = site.deliver("example.com-joe@example.com", queued=True)
        assert queued.rc == 0 or command[0] == "purge" or (
            queued.rc == 111 and "hold" in command), \
            f"{call} {when}: queued before: {queued}"
        rc = site.login().rc
        assert rc in login, f"{call} {when}: a login after the kill: {rc}"
        site.do("sync")
        after = relative(site)
        left = [p for p in after if "popbox-tmp" in p]
        eq(left, [], f"{call} {when}: temporaries")
        assert after in (finished, untouched), \
            f"{call} {when}: neither finished nor untouched"
        site.sound()
        return after == finished


def calls_of(trace):
    """How often each process of a trace (`strace -f -o`) makes which call
    before its last execve that worked; of a call the most of any process,
    because strace counts each by itself."""
    counts, lines = {}, {}
    with open(trace, errors="replace") as file:
        for line in file:
            found = re.match(r"(\d+) +(\w+)\(", line)
            if found:
                lines.setdefault(found.group(1), []).append(
                    (found.group(2), line))
    for mine in lines.values():
        last = max((i for i, (name, line) in enumerate(mine)
                    if name == "execve" and line.rstrip().endswith("= 0")
                    and i > 0), default=len(mine))
        here = {}
        for name, _ in mine[:last]:
            here[name] = here.get(name, 0) + 1
        for name, count in here.items():
            counts[name] = max(counts.get(name, 0), count)
    return counts
