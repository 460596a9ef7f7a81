#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Completion: what the tool offers, and what real shells make of it."""
import contextlib
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, GOOD, TREE, UID, GID, Site, eq, has, hasnt, run, skip, test

SCRIPTS = TREE + "/tools/completion"


class Shop(Site):
    """Two customers; the shells below see its store and our programs."""

    def __init__(self):
        super().__init__(qmail=False)
        self.do("domain", "add", "example.com", "example.org", "--handle",
                "ex1")
        self.do("domain", "add", "other.net", "--handle", "oz")
        for name in ("joe@example.com", "jo.ann@example.com", "joe@other.net"):
            self.do("box", "add", name, "--no-password")
        os.makedirs(self.top + "/shell/etc")
        self.env = {"PATH": f"{BUILD}:{os.environ['PATH']}", "TERM": "dumb",
                    "HOME": self.top + "/shell", "POPBOX_STORE": self.store,
                    "LC_ALL": "C.UTF-8"}

    def words(self, *words):
        """What may become of the last one, without descriptions."""
        result = self.popbox("complete", "--", *words)
        eq((result.rc, result.err), (0, ""), words)
        return [line.split("\t")[0] for line in result.out.splitlines()]


@test("the words of the table are offered: nouns, verbs, options, values")
def table_words():
    with Shop() as shop:
        has(shop.words(""), "serialmail")
        eq(shop.words("ad"), ["address"])
        eq(shop.words("--json", "-q", "box", "un"), ["undelete"])
        eq(shop.words("passwd", "--g"), ["--generate"])
        eq(shop.words("box", "list", "--js"), ["--json"])
        eq(shop.words("box", "set", "--delivery", ""), ["on", "off", "hold"])
        eq(shop.words("box", "set", "--delivery=o"),
           ["--delivery=on", "--delivery=off"])
        eq(shop.words("domain", "add", "--kind", "di"), ["dialup"])
        eq(shop.words("log", "--table", "b"), ["box"])
        eq(shop.words("config", "set", "argon2_p"), ["argon2_passes"])
        eq(shop.words("help", "box", "sh"), ["show"])
        eq(shop.words("--no", "x", "y"), [])
        eq(shop.words("nonsense", ""), [])
        eq(shop.words("box", "nonsense", ""), [])
        eq(shop.words("sync", ""), [])
        eq(shop.words("help", "al"), ["all"])
        eq(shop.words("box", "list", "--hash", "sha5"), ["sha512crypt"])
        eq(shop.words("import", "--format", "vp"), ["vpopmail"])
        eq(shop.words("export", "--format=j"), ["--format=json"])
        eq(shop.words("domain", "list", "--columns", "domain,k"),
           ["domain,kind"])
        eq(shop.words("box", "list", "--sort", "-last-l"), ["-last-login"])
        eq(shop.words("address", "list", "--sort=f"), ["--sort=forwards"])
        has(shop.do("complete", "--", "domain", "add", "--from", ""),
            "\tfiles\n")


@test("names of the store are offered where they belong")
def names():
    with Shop() as shop:
        eq(shop.words("handle", "show", ""), ["ex1", "oz"])
        eq(shop.words("domain", "list", "--handle", "o"), ["oz"])
        eq(shop.words("domain", "rename", "example.o"), ["example.org"])
        eq(shop.words("address", "list", "o"), ["other.net"])
        eq(shop.words("box", "show", "ex"),
           ["ex1-0000", "ex1-0001", "ex1-0002"])
        eq(shop.words("passwd", "oz-00"), ["oz-0000", "oz-0001"])
        eq(shop.words("passwd", "jo"), ["jo.ann@example.com",
                                        "joe@example.com", "joe@other.net"])
        eq(shop.words("address", "add", "x@other.net", "joe@"),
           ["joe@example.com", "joe@other.net"])
        eq(shop.words("verify", "ex1-0001"), ["ex1-0001"])
        eq(shop.words("box", "show", "--", "ex1-0002"), ["ex1-0002"])


@test("a name that is to be made is not offered, but the domain behind its @")
def new_names():
    with Shop() as shop:
        eq(shop.words("handle", "add", ""), [])
        eq(shop.words("domain", "add", ""), [])
        eq(shop.words("box", "add", "jo"), [])
        eq(shop.words("box", "add", "new@o"), ["new@other.net"])
        eq(shop.words("address", "rename", "joe@other.net", "new@o"),
           ["new@other.net"])
        eq(shop.words("box", "undelete", ""), [])


@test("words that no name can begin with are answered with nothing")
def odd_words():
    with Shop() as shop:
        for word in ("x" * 400, "x" * 70 + "@", "@", "@example.com", "-",
                     "ex1-x", "ex1-99999999999", "ex1-00000", "j\xf6e@",
                     "joe@" + "x" * 300, "-0", "a b", "'", "\x01"):
            for words in (("box", "show"), ("handle", "show"),
                          ("domain", "show"), ("box", "add"),
                          ("address", "rename", "x")):
                if word == "-":
                    continue
                eq(shop.words(*words, word), [], (words, word))


@test("box numbers of every length are found by their first digits")
def numbers():
    with Shop() as shop:
        # Numbers beyond 9999 by the store's own rule: what is next is kept.
        for _ in range(12):
            shop.do("box", "add", "--no-password",
                    f"b{_}@example.com")
        eq(shop.words("box", "show", "ex1-001"),
           [f"ex1-001{n}" for n in range(5)])
        eq(shop.words("box", "show", "ex1-0012"), ["ex1-0012"])
        eq(shop.words("box", "show", "ex1-1"), [])


@test("more than fifty names are a handful, and are said not to be all")
def many():
    with Shop() as shop:
        shop.do("domain", "add", "--from", "-", "--handle", "ex1", "--kind",
                "backup", input="".join(f"many{n:03}.org\n"
                                        for n in range(60)))
        got = shop.words("domain", "show", "ma")
        eq(got, [f"many{n:03}.org" for n in range(50)] + ["ma"])
        eq(len(shop.words("domain", "show", "many01")), 10)
        # None of the first fifty domains is other.net.
        eq(shop.words("box", "show", "joe@o"), ["joe@other.net"])


@test("without a store, or where it may not be read, nothing is said")
def silent():
    with Shop() as shop:
        eq(shop.words("-d", "/nowhere", "handle", "show", ""), [])
        eq(shop.words("-d", "", "handle", "show", ""), [])
        with open(shop.store + "/config", "a") as file:
            file.write("nonsense = 1\n")
        eq(shop.words("handle", "show", ""), [])
        eq(shop.words("handle", "sho"), ["show"])


@test("whoever may not read the store learns no name of it", root=True)
def forbidden():
    with Shop() as shop:
        os.chmod(shop.top, 0o755)
        shutil.copy(BUILD + "/popbox", shop.top)
        for words, want in ((("handle", "show", ""), ""),
                            (("handle", "sho"), "show\tshow one customer\n")):
            done = subprocess.run(
                [shop.top + "/popbox", "-d", shop.store, "complete", "--",
                 *words], capture_output=True, text=True, user=UID,
                group=GID, extra_groups=[], cwd="/")
            eq((done.returncode, done.stdout, done.stderr), (0, want, ""))


@test("completion reads a store and changes nothing in its directory")
def no_trace():
    with Shop() as shop:
        def state():
            return {name: os.stat(f"{shop.store}/{name}").st_mtime_ns
                    for name in os.listdir(shop.store)}
        os.unlink(shop.store + "/lock.mdb")
        before = state()
        eq(shop.words("handle", "show", "e"), ["ex1"])
        eq(state(), before)


def bash_function(shop, line):
    """The function as readline calls it: words cut at blanks and @ = : ."""
    words = re.findall(r"[@=:]+|[^\s@=:]+", line)
    if line[-1].isspace():
        words.append("")
    # Of its word breaks readline leaves the @ with what follows.
    text = "@" * ("@" in words[-2:]) + words[-1].strip("@=:")
    script = f"""
        . {SCRIPTS}/popbox.bash
        COMP_LINE=$1 COMP_POINT=${{#1}} text=$2; shift 2
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _popbox popbox "$text"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", line,
                           text, *words], capture_output=True, text=True,
                          env=shop.env)
    eq((done.returncode, done.stderr), (0, ""), line)
    return done.stdout.split()


@test("bash: the function offers what fits behind the last cut of the word")
def bash():
    with Shop() as shop:
        for line, want in (
                ("popbox do", ["domain"]),
                ("popbox handle show ", ["ex1", "oz"]),
                ("popbox domain show exa", ["example.com", "example.org"]),
                ("popbox passwd jo.", ["jo.ann@example.com"]),
                ("popbox passwd joe@", ["@example.com", "@other.net"]),
                ("popbox passwd joe@o", ["@other.net"]),
                ("popbox box set --delivery=", ["on", "off", "hold"]),
                ("popbox box set --delivery=h", ["hold"]),
                ("popbox  -d /nowhere  domain  show  ex", []),
                ("popbox domain add 'a b' --kind r", ["relay"]),
                ("popbox verify zz", [])):
            eq(bash_function(shop, line), want, line)


class Terminal:
    """A shell at a terminal, to which one types."""

    def __init__(self, shop, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(shop.top + "/shell")
            os.execvpe(command[0], command, shop.env)
        self.text = ""

    def read(self, until, seconds=60):
        end = time.monotonic() + seconds
        while not re.search(until, self.text):
            left = end - time.monotonic()
            assert left > 0, f"{until!r} does not come: {self.text!r}"
            if select.select([self.fd], [], [], left)[0]:
                self.text += os.read(self.fd, 65536).decode("utf-8", "replace")

    def line(self, text):
        self.text = ""
        os.write(self.fd, text.encode() + b"\r")
        # The echo of what is typed has quotes where the answer has none.
        self.read("<<done>>" if "done" in text else "")

    def tab(self, text):
        """The command line that TAB makes of text: echoed by the shell."""
        self.text = ""
        os.write(self.fd, text.encode() + b"\t")
        os.write(self.fd, b"\x01echo '<''<' \x05'>''>'\r")
        self.read(r"(?s)\n<< .*>>|^<< .*>>")
        return re.findall(r"<< (.*?)>>", self.text, re.S)[-1]

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


KEYS = (("popbox han", "popbox handle "),
        ("popbox domain show exam", "popbox domain show example."),
        ("popbox passwd joe@o", "popbox passwd joe@other.net "),
        ("popbox passwd jo.", "popbox passwd jo.ann@example.com "),
        ("popbox domain add x.org --kin", "popbox domain add x.org --kind "),
        ("popbox box show ex1-00", "popbox box show ex1-000"),
        ("popbox handle show zz", "popbox handle show zz"),
        ("popbox domain add --from et", "popbox domain add --from etc/"))


def typed(shop, setup, *command):
    terminal = Terminal(shop, *command)
    try:
        terminal.line(setup + "; echo '<<'done'>>'")
        for keys, want in KEYS:
            got = terminal.tab(keys)
            # zsh takes its slash or blank away with the next key.
            eq(got.rstrip("/ "), want.rstrip("/ "), keys)
            hasnt(terminal.text, "error")
            hasnt(terminal.text, "not found")
    finally:
        terminal.close()


@test("bash: TAB at a terminal completes nouns, names, options and files")
def bash_terminal():
    with Shop() as shop:
        typed(shop, f". {SCRIPTS}/popbox.bash", "bash", "--norc",
              "--noprofile", "-i")


@test("zsh: TAB at a terminal completes nouns, names, options and files")
def zsh_terminal():
    if not shutil.which("zsh"):
        skip("zsh is not installed")
    with Shop() as shop:
        typed(shop, f"fpath=({SCRIPTS} $fpath); autoload -U compinit; "
              "compinit -u -D; bindkey -e; unsetopt zle_bracketed_paste",
              "zsh", "-f", "-i")


# Letters of a local part that mean something to a shell, and their names.
HOSTILE = ("a`pwn`", "b|pwn", "c&pwn", "d$shell", "u'pwn", "f{pwn}", "g!!",
           "h??", "~i", "#k", "l=pwn", "m^x", "n%pwn", "q''|pwn", "-r`pwn`",
           "$shell", "x{1}", "s+`pwn`")


class Hostile(Shop):
    """Addresses that would run pwn, if a shell ran them; another command shows
    how it was called."""

    def __init__(self):
        super().__init__()
        rows = "".join(f'"{name}@e.org",ex1,*\n' for name in HOSTILE)
        self.do("import", "-", input="address,handle,hash\n" + rows)
        self.bin = self.top + "/bin"
        os.mkdir(self.bin)
        for name in ("pwn", "pwn@e.org", "xpwn", "@e.org"):
            self.program(name, f"echo yes >>{self.top}/pwned")
        self.program("popbox", f'[ "$1" = complete ] && exec {BUILD}/popbox "$@"; '
                     f"printf '<%s>' \"$@\" >{self.top}/words")
        self.env["PATH"] = self.bin + ":" + self.env["PATH"]
        self.env["shell"] = "`pwn`"

    def program(self, name, text):
        with open(f"{self.bin}/{name}", "w") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(f"{self.bin}/{name}", 0o755)

    def enter(self, terminal, keys, end=""):
        """TAB, Enter: what the command got."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.top + "/words")
        terminal.text = ""
        os.write(terminal.fd, keys.encode() + b"\t")
        os.write(terminal.fd, end.encode() + b"\r")
        terminal.line("echo '<<'done'>>'")
        assert not os.path.exists(self.top + "/pwned"), (keys, terminal.text)
        try:
            with open(self.top + "/words") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def all(self, setup, *command, quote):
        """Each name from its first letters, quoted as one would type them."""
        terminal = Terminal(self, *command)
        try:
            terminal.line(setup + "; echo '<<'done'>>'")
            for name in HOSTILE:
                for length in (1, 2):
                    typed = "".join(quote(c) for c in name[:length])
                    got = self.enter(terminal, "popbox box show -- " + typed)
                    eq(got, f"<box><show><--><{name}@e.org>", (name, typed))
        finally:
            terminal.close()


def backslash(letter):
    return letter if letter.isalnum() or letter in "-+%=" else "\\" + letter


@test("bash: no name of the store is run, and the command gets it as it is",
      plain=True)
def bash_hostile():
    with Hostile() as shop:
        shop.all(f". {SCRIPTS}/popbox.bash; PS1='# '", "bash", "--norc",
                 "--noprofile", "-i", quote=backslash)
        # Behind a quote that is open, only what needs none is offered.
        terminal = Terminal(shop, "bash", "--norc", "--noprofile", "-i")
        terminal.line(f". {SCRIPTS}/popbox.bash; echo '<<'done'>>'")
        for name in HOSTILE:
            for mark in ("'", '"'):
                if name[0] in "`'$!":
                    continue
                shop.enter(terminal, f"popbox box show -- {mark}{name[0]}",
                           mark)
        terminal.close()


@test("zsh: no name of the store is run, and the command gets it as it is",
      plain=True)
def zsh_hostile():
    if not shutil.which("zsh"):
        skip("zsh is not installed")
    with Hostile() as shop:
        shop.all(f"fpath=({SCRIPTS} $fpath); autoload -U compinit; "
                 "compinit -u -D; bindkey -e; unsetopt zle_bracketed_paste",
                 "zsh", "-f", "-i", quote=backslash)


@test("fish: every name of the store is offered as it is, whatever it begins with",
      plain=True)
def fish_hostile():
    if not shutil.which("fish"):
        skip("fish is not installed")
    with Hostile() as shop:
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {SCRIPTS}/popbox.fish; "
             "complete -C 'popbox box show -- '"],
            capture_output=True, text=True, env=shop.env)
        found = done.stdout.splitlines()
        for name in HOSTILE:
            has(found, name + "@e.org")
        assert not os.path.exists(shop.top + "/pwned")


@test("fish: complete offers what the tool says")
def fish():
    if not shutil.which("fish"):
        skip("fish is not installed")
    with Shop() as shop:
        for line, want in (
                ("popbox do", "domain\n"),
                ("popbox domain show exa", "example.com\nexample.org\n"),
                ("popbox passwd joe@o", "joe@other.net\n"),
                ("popbox box set --delivery=h", "--delivery=hold\n"),
                ("popbox log --ta",
                 "--table\tonly of handle, domain, box or address\n"),
                ("popbox verify zz", ""),
                ("popbox domain add --from et", "etc/\n")):
            done = subprocess.run(
                ["fish", "--no-config", "-c",
                 f"source {SCRIPTS}/popbox.fish; complete -C '{line}'"],
                capture_output=True, text=True, env=shop.env,
                cwd=shop.top + "/shell")
            eq((done.stdout, done.stderr), (want, ""), line)


run()
