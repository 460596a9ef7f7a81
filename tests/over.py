# SPDX-License-Identifier: MIT
"""A root that is laid over this machine's and thrown away, with namespaces of
its own for mounts, network and processes, and without what the machine itself
has of qmail and popbox; and a shell in it, at a terminal of 80 columns."""
import fcntl
import glob
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time

from genuine import PRISTINE
from tap import TREE

MARK = re.compile(rb"\x01(\d+)\x02")


class Shell:
    """Somebody at a terminal, as root, in the tree."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile",
                                    "--noediting", "+m", "-i"],
                      {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
                       "HOME": "/root", "TERM": "xterm", "USER": "root",
                       "LC_ALL": "C.UTF-8", "HISTFILE": "/dev/null"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, 80, 0, 0))
        self.do("stty -echo; set +o histexpand; PS2=; PS1=$'\\001$?\\002'")

    def do(self, command, types=None, seconds=60):
        """(code, lines)."""
        os.write(self.fd, command.encode() + b"\n")
        came, end = b"", time.monotonic() + seconds
        while True:
            ready = select.select([self.fd], [], [], 0.5)[0]
            if ready:
                came += os.read(self.fd, 65536)
            elif types and came.endswith(b": "):
                os.write(self.fd, types.encode() + b"\n")
                came += b"\x03"  # not asked again for the same prompt
            mark = MARK.search(came)
            if mark:
                text = came[:mark.start()].decode().replace("\x03", "")
                # What was erased, as progress is on a slow machine, is gone.
                text = re.sub(r"[^\n]*\x1b\[K", "", text)
                return int(mark[1]), text.replace("\r", "").splitlines()
            if time.monotonic() > end:
                raise AssertionError(f"{command!r} waits: {came!r}")


def tidy(lines):
    """Without empty lines at the end, and without a progress bar: it comes on a
    slow machine alone, and ends where the line is cleared."""
    lines = [line.rpartition("\033[K")[2] for line in lines]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def mount(*words):
    subprocess.run(["mount", *words], check=True)  # says why it cannot


NO_ROOT = 77  # what a program within ends with where nothing can be laid over


def lay_over(top):
    """A root that is this machine's, in which everything can be changed."""
    try:
        cover(top)
    except subprocess.CalledProcessError as why:
        print(why.cmd, "is not possible here")
        sys.exit(NO_ROOT)


DISKS = ("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs",
         "overlay")
EMPTY = ("/home", "/var/qmail")  # covered by empty directories


def below(path, tops):
    return any(path == top or path.startswith(top + "/") for top in tops)


def disks():
    """Directories on file systems of their own, such as /var, and the tree."""
    found = {TREE} if os.stat(TREE).st_dev != os.stat("/").st_dev or \
        below(TREE, EMPTY) else set()
    with open("/proc/self/mounts") as file:
        for line in file:
            path, kind = line.split()[1:3]
            path = path.encode().decode("unicode_escape")
            if kind in DISKS and os.path.isdir(path) and not below(
                    path, ("/proc", "/sys", "/dev", "/run", *EMPTY)):
                found.add(path)
    return sorted(found - {"/"})


def lay(path, top, number, root):
    """Changes to path, seen at root, go to a directory below top."""
    for part in ("upper", "work"):
        os.mkdir(f"{top}/{part}{number}")
    os.makedirs(root, exist_ok=True)
    mount("-t", "overlay", "overlay", "-o",
          f"lowerdir={path},upperdir={top}/upper{number},"
          f"workdir={top}/work{number}", root)


def cover(top):
    mount("-t", "tmpfs", "tmpfs", top)
    root, more = top + "/root", disks()
    lay("/", top, 0, root)
    for path in EMPTY:
        if os.path.isdir(root + path):
            mount("-t", "tmpfs", "tmpfs", root + path, "-o", "mode=755")
    for number, path in enumerate(more, 1):
        if not below(path, [top]):
            lay(path, top, number, root + path)
    mount("-t", "proc", "proc", root + "/proc")
    for name in ("dev", "run"):
        mount("-t", "tmpfs", "tmpfs", f"{root}/{name}", "-o", "mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        open(f"{root}/dev/{name}", "w").close()
        mount("--bind", f"/dev/{name}", f"{root}/dev/{name}")
    os.mkdir(root + "/dev/shm", 0o1777)  # TMPDIR may be there
    os.chmod(root + "/dev/shm", 0o1777)
    os.mkdir(root + "/dev/pts")
    mount("-t", "devpts", "devpts", root + "/dev/pts", "-o",
          "newinstance,ptmxmode=0666,mode=620")
    os.symlink("pts/ptmx", root + "/dev/ptmx")
    os.symlink("/proc/self/fd", root + "/dev/fd")
    if PRISTINE:
        os.makedirs(root + PRISTINE)
        mount("--bind", PRISTINE, root + PRISTINE)
    os.chroot(root)
    os.chdir(TREE)
    forget()


NAMES = ("popusr", "popmail", "vpopmail", "vchkpw", "exnet")
NUMBERS = ("510", "51", "889", "900")


def forget():
    """What a machine has that popbox or its peers run on is not there."""
    if subprocess.run(["dpkg-query", "-W", "popbox"],
                      capture_output=True).returncode == 0:
        subprocess.run(["dpkg", "--purge", "popbox"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for pattern in ("/var/lib/popbox*", "/usr/sbin/popbox*",
                    "/usr/local/sbin/popbox*", "/var/backups/popbox*"):
        for path in glob.glob(pattern):
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
    for name in ("passwd", "shadow", "group", "gshadow"):
        with open("/etc/" + name) as file:
            lines = file.readlines()
        with open("/etc/" + name, "w") as file:
            file.writelines(line for line in lines
                            if not ours(line.rstrip("\n").split(":"), name))


def ours(fields, name):
    return fields[0] in NAMES or \
        name in ("passwd", "group") and fields[2] in NUMBERS


def inside(program, *args):
    """The program again, as the first process of new namespaces; it finds an
    empty directory for lay_over behind args. Its output comes back, and what it
    wrote to descriptor 9."""
    spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
              "--propagation", "private"]
    probe = subprocess.run([*spaces, "true"], capture_output=True, text=True)
    if probe.returncode:  # below a chroot, in a container
        probe.returncode = NO_ROOT
        probe.stdout = "no namespaces here: " + probe.stderr
        return probe, ""
    top = tempfile.mkdtemp(prefix="popbox-over.")
    with tempfile.TemporaryFile("w+") as file:
        os.dup2(file.fileno(), 9)  # which tap.py keeps for us
        try:
            done = subprocess.run(
                [*spaces, sys.executable, os.path.abspath(program),
                 "--inside", *args, top],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                pass_fds=[9])
        finally:
            os.rmdir(top)
        file.seek(0)
        return done, file.read()


def give(text):
    """From within, to whoever called inside()."""
    with os.fdopen(9, "w") as out:
        out.write(text)
