"""A root that is laid over this machine's and thrown away, with namespaces of
its own for mounts, network and processes; and a shell in it, at a terminal of
80 columns."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

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


def cover(top):
    mount("-t", "tmpfs", "tmpfs", top)
    for part in ("upper", "work", "root"):
        os.mkdir(f"{top}/{part}")
    root = top + "/root"
    mount("-t", "overlay", "overlay", "-o",
          f"lowerdir=/,upperdir={top}/upper,workdir={top}/work", root)
    if os.stat(TREE).st_dev != os.stat("/").st_dev:
        for part in ("tree-upper", "tree-work"):
            os.mkdir(f"{top}/{part}")
        os.makedirs(root + TREE, exist_ok=True)
        mount("-t", "overlay", "overlay", "-o",
              f"lowerdir={TREE},upperdir={top}/tree-upper,"
              f"workdir={top}/tree-work", root + TREE)
    mount("-t", "proc", "proc", root + "/proc")
    for name in ("dev", "run"):
        mount("-t", "tmpfs", "tmpfs", f"{root}/{name}", "-o", "mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        open(f"{root}/dev/{name}", "w").close()
        mount("--bind", f"/dev/{name}", f"{root}/dev/{name}")
    os.mkdir(root + "/dev/pts")
    mount("-t", "devpts", "devpts", root + "/dev/pts", "-o",
          "newinstance,ptmxmode=0666,mode=620")
    os.symlink("pts/ptmx", root + "/dev/ptmx")
    os.symlink("/proc/self/fd", root + "/dev/fd")
    os.chroot(root)
    os.chdir(TREE)


def inside(program, *args):
    """The program again, as the first process of new namespaces; it finds an
    empty directory for lay_over behind args. Its output comes back, and what it
    wrote to descriptor 9."""
    top = tempfile.mkdtemp(prefix="popbox-over.")
    with tempfile.TemporaryFile("w+") as file:
        os.dup2(file.fileno(), 9)  # which tap.py keeps for us
        try:
            done = subprocess.run(
                ["unshare", "--mount", "--net", "--pid", "--fork",
                 "--kill-child", "--propagation", "private", sys.executable,
                 os.path.abspath(program), "--inside", *args, top],
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
