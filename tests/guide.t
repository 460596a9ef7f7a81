#!/usr/bin/env python3
"""The guide, run as it is written: each chapter of doc/guide/ in a root of its
own, laid over this machine's and thrown away afterwards, so that its commands
stand there with /var/qmail, /home/popmail and port 110 as people type them.

A block begins ```console: lines with `# ` are typed at a shell with a
terminal of 80 columns, what follows each is what must come. `...` stands for
anything in a line, and on a line of its own for any lines. Other words behind
console:
	exits=N		its last command ends so; all others with 0
	types=WORD	typed where a prompt asks (each time it asks)
	not-run: WHY	not run
```FORMAT file=PATH: the block is that file. Any other block is not run, and
must say not-run: WHY.

With --write CHAPTER.md, what came is written into the chapter.
"""
import ast
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

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guide_sites
from tap import BUILD, QMAIL, TREE, eq, run, skip, test

GUIDE = TREE + "/doc/guide"
NOT_RUN_MOST = 8  # blocks of the whole guide that may be marked so
MARK = re.compile(rb"\x01(\d+)\x02")


class Block:
    def __init__(self, line, info, text):
        self.line, self.text = line, text
        self.why = info.partition("not-run:")[2].strip() or None
        words = [] if self.why else info.split()
        self.file = self.types = None
        self.exits = 0
        self.runs = bool(words) and words[0] == "console"
        for word in words[1:]:
            name, _, value = word.partition("=")
            if name == "file":
                self.file = value
            elif name == "exits":
                self.exits = int(value)
            elif name == "types":
                self.types = value.replace("_", " ")
            else:
                raise AssertionError(f"line {line}: what is {word!r}?")

    def steps(self):
        """(command, what must come), one after the other."""
        steps = []
        for line in self.text.splitlines():
            if line.startswith("# "):
                steps.append([line[2:], []])
            elif line.startswith("> ") and not steps[-1][1]:
                steps[-1][0] += "\n" + line[2:]
            else:
                steps[-1][1].append(line)
        return steps


def blocks(path):
    found, fence = [], None
    with open(path) as file:
        for number, line in enumerate(file, 1):
            if fence is None and line.startswith("```"):
                fence = (number, line[3:].strip(), [])
            elif line.startswith("```"):
                found.append(Block(*fence[:2], "".join(fence[2])))
                fence = None
            elif fence:
                fence[2].append(line)
    assert fence is None, f"{path}:{fence[0]}: the block has no end"
    return found


def matches(want, came):
    """`...` is anything in a line; alone on one, any lines."""
    if not want:
        return not came
    if want[0].strip() == "...":
        return any(matches(want[1:], came[i:]) for i in range(len(came) + 1))
    if not came:
        return False
    pattern = ".*".join(re.escape(p) for p in want[0].rstrip().split("..."))
    return re.fullmatch(pattern, came[0].rstrip()) is not None and \
        matches(want[1:], came[1:])


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
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def walk(path):
    """All blocks of a chapter; what did not come as written."""
    shell, bad, wrote = Shell(), [], {}
    for block in blocks(path):
        if block.file:
            os.makedirs(os.path.dirname(block.file), exist_ok=True)
            with open(block.file, "w") as file:
                file.write(block.text)
        if not block.runs:
            continue
        steps, text = block.steps(), ""
        for number, (command, want) in enumerate(steps, 1):
            code, came = shell.do(command, block.types)
            came = tidy(came)
            fits = matches(tidy(want), came)
            text += "# " + command.replace("\n", "\n> ") + "\n"
            text += "".join(l + "\n" for l in (want if fits else came))
            expected = block.exits if number == len(steps) else 0
            if not fits or code != expected:
                bad.append(f"line {block.line}: {command}\nexit code {code}, "
                           f"want {expected}; what came:\n" +
                           "\n".join(came) + "\nwhat was written:\n" +
                           "\n".join(want))
        wrote[block.line] = text
    return bad, wrote


def rewrite(path, wrote):
    lines, out, inside = open(path).read().splitlines(True), [], False
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            inside = not inside and number in wrote
            out.append(line + (wrote[number] if inside else ""))
        elif not inside:
            out.append(line)
    with open(path, "w") as file:
        file.writelines(out)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def lay_over(top):
    """A root that is this machine's, in which everything can be changed."""
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


def inside(chapter, top):
    """As the first process of the namespaces."""
    lay_over(top)
    guide_sites.prepare(chapter)
    bad, wrote = walk(f"{GUIDE}/{chapter}")
    if "--write" in sys.argv:
        with os.fdopen(9, "w") as out:
            out.write(repr(wrote))
    for text in bad:
        print(text)
    print(f"{len(wrote)} blocks were run")
    return 1 if bad else 0


def in_namespaces(chapter, *more):
    top = tempfile.mkdtemp(prefix="popbox-guide.")
    try:
        return subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
             "--propagation", "private", sys.executable,
             os.path.abspath(__file__), "--inside", chapter, top, *more],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            pass_fds=[9] if more else [])
    finally:
        os.rmdir(top)


def chapters():
    return sorted(name for name in os.listdir(GUIDE) if name.endswith(".md"))


def chapter_test(chapter):
    @test(f"the guide, {chapter}: every block does what is written",
          root=True, plain=True)
    def one():
        if QMAIL:
            skip("with stand-ins alone")
        got = in_namespaces(chapter)
        if got.returncode:
            raise AssertionError("\n" + got.stdout + got.stderr)


@test("every block of the guide is run, is a file, or says why it is not run")
def marked():
    not_run = 0
    for chapter in chapters():
        for block in blocks(f"{GUIDE}/{chapter}"):
            assert block.runs or block.file or block.why, \
                f"{chapter}:{block.line} is not run, and does not say why"
            not_run += block.why is not None
            assert not block.runs or block.steps(), chapter
    assert not_run <= NOT_RUN_MOST, f"{not_run} blocks are not run"


@test("what is written is compared: another word, a line more or less, is seen")
def compared():
    for want, came, good in ((["a ... c"], ["a b c"], True),
                             (["a ... c"], ["a b d"], False),
                             (["a"], ["a", "b"], False),
                             (["a", "..."], ["a", "b"], True),
                             (["...", "c"], ["a", "b", "c"], True),
                             (["...", "c"], ["a", "b"], False),
                             ([], ["a"], False), (["a"], [], False),
                             (["x.y"], ["xzy"], False)):
        eq(matches(want, came), good, (want, came))


if "--inside" in sys.argv:
    sys.exit(inside(*sys.argv[2:4]))
if sys.argv[1:2] == ["--write"]:
    reader, writer = os.pipe()
    os.dup2(writer, 9)
    os.close(writer)
    got = in_namespaces(sys.argv[2], "--write")
    os.close(9)
    print(got.stdout + got.stderr)
    rewrite(f"{GUIDE}/{sys.argv[2]}",
            ast.literal_eval(open(reader).read()))
    sys.exit(0)
for name in chapters():
    if any(block.runs for block in blocks(f"{GUIDE}/{name}")):
        chapter_test(name)
run()
