# SPDX-License-Identifier: MIT
"""A real qmail, of which tests/covered has laid a copy over the real one: makes
the copy what it was, starts its qmail-send, and reads its queue."""
import os
import re
import shutil
import signal
import subprocess
import time

PRISTINE = os.environ.get("POPBOX_PRISTINE")


def state(top):
    """Every path with mode, owner, size and time."""
    found = {}
    for where, dirs, files in os.walk(top):
        for name in [".", *dirs, *files]:
            path = os.path.join(where, name)
            info = os.lstat(path)
            found[os.path.relpath(path, top)] = (
                info.st_mode, info.st_uid, info.st_gid,
                info.st_size if name in files else 0,
                info.st_mtime_ns if name in files else 0)
    return found


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def restore(qmail):
    """Every test begins with the programs, the queue and the empty control
    files that the first began with."""
    assert PRISTINE and os.path.ismount(qmail), f"{qmail} is not covered"
    if state(qmail) == state(PRISTINE):
        return
    for name in os.listdir(qmail):
        remove(os.path.join(qmail, name))
    subprocess.run(["cp", "-a", PRISTINE + "/.", qmail], check=True)


class Send:
    """The running qmail-send; reads() says how often it read its files."""

    def __init__(self, site, traced=True):
        self.site = site
        self.log = site.top + "/send.trace"
        with open(site.top + "/send.log", "wb") as log:
            self.process = site.start(
                site.qmail + "/bin/qmail-start", "./Mailbox", "cat",
                stdout=log, stderr=log, cwd="/",
                env={"PATH": f"{site.qmail}/bin:/usr/bin:/bin"})
        self.wait(lambda: "status:" in self.said())
        self.pid = self.process.pid  # qmail-start becomes qmail-send
        if not traced:
            return
        self.tracer = site.start("strace", "-o", self.log, "-e",
                                 "trace=open,openat", "-p", str(self.pid),
                                 stderr=subprocess.DEVNULL)
        self.wait(lambda: self.traced())

    @staticmethod
    def wait(done):
        for _ in range(500):
            if done():
                return
            time.sleep(0.02)
        raise AssertionError("qmail-send does not go on")

    def traced(self):
        with open(f"/proc/{self.pid}/status") as file:
            return not re.search(r"TracerPid:\s0\n", file.read())

    def said(self):
        with open(self.site.top + "/send.log") as file:
            return file.read()

    def reads(self):
        """Its start counts as one."""
        with open(self.log) as file:
            return 1 + sum('"control/virtualdomains"' in line for line in file)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def queued(qmail):
    """What qmail-queue took: (sender, recipients, text) of each message."""
    found = []
    for name, path in sorted(numbered(qmail + "/queue/todo").items()):
        with open(path, "rb") as file:
            rows = file.read().decode().split("\0")
        sender = [row[1:] for row in rows if row[:1] == "F"][0]
        recipients = [row[1:] for row in rows if row[:1] == "T"]
        with open(numbered(qmail + "/queue/mess")[name],
                  errors="replace") as file:
            found.append((sender, recipients, file.read()))
    return found


def numbered(top):
    """{number: path}; a queue may be split into directories, or not."""
    return {int(name): os.path.join(where, name)
            for where, _, names in os.walk(top) for name in names}
