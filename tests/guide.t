#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
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
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guide_sites
import over
from tap import QMAIL, TREE, eq, run, skip, test

GUIDE = TREE + "/doc/guide"
NOT_RUN_MOST = 8  # blocks of the whole guide that may be marked so


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


def walk(path):
    """All blocks of a chapter; what did not come as written."""
    shell, bad, wrote = over.Shell(), [], {}
    for block in blocks(path):
        if block.file:
            os.makedirs(os.path.dirname(block.file), exist_ok=True)
            with open(block.file, "w") as file:
                file.write(block.text)
        if not block.runs:
            continue
        steps, text = block.steps(), ""
        for number, (command, want) in enumerate(steps, 1):
            guide_sites.settle()
            code, came = shell.do(command, block.types)
            came = over.tidy(came)
            fits = matches(over.tidy(want), came)
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


def inside(chapter, top):
    over.lay_over(top)
    guide_sites.prepare(chapter)
    bad, wrote = walk(f"{GUIDE}/{chapter}")
    over.give(repr(wrote))
    for text in bad:
        print(text)
    print(f"{len(wrote)} blocks were run")
    return 1 if bad else 0


def chapters():
    return sorted(name for name in os.listdir(GUIDE) if name.endswith(".md"))


def elsewhere():
    if QMAIL and QMAIL != "/var/qmail":
        skip(f"{QMAIL} is not where the guide has qmail")


def chapter_test(chapter):
    @test(f"the guide, {chapter}: every block does what is written",
          root=True, plain=True)
    def one():
        elsewhere()
        got, _ = over.inside(__file__, chapter)
        if got.returncode == over.NO_ROOT:
            skip(got.stdout.strip())
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


@test("every link of the guide leads to a page that is there")
def links():
    for chapter in sorted(os.listdir(GUIDE)):
        with open(f"{GUIDE}/{chapter}") as file:
            found = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read())
        for link in found:
            assert os.path.exists(f"{GUIDE}/{link}"), f"{chapter}: {link}"


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


@test("doc/CAPTURES.md is what `make captures` makes now", root=True, plain=True)
def captures():
    elsewhere()
    done = subprocess.run([TREE + "/tests/captures"], capture_output=True,
                          text=True)
    if done.returncode == over.NO_ROOT:
        skip(done.stderr.strip().splitlines()[0])
    eq((done.returncode, done.stderr), (0, ""))
    with open(TREE + "/doc/CAPTURES.md") as file:
        want = file.read().splitlines()
    came = done.stdout.splitlines()
    for number, (line, now) in enumerate(zip(want, came), 1):
        eq(now, line, f"doc/CAPTURES.md:{number}")
    eq(len(came), len(want), "lines")


if "--inside" in sys.argv:
    sys.exit(inside(*sys.argv[2:4]))
if sys.argv[1:2] == ["--write"]:
    got, wrote = over.inside(__file__, sys.argv[2])
    print(got.stdout + got.stderr)
    rewrite(f"{GUIDE}/{sys.argv[2]}", ast.literal_eval(wrote))
    sys.exit(0)
for name in chapters():
    if any(block.runs for block in blocks(f"{GUIDE}/{name}")):
        chapter_test(name)
run()
