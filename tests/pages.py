# SPDX-License-Identifier: MIT
"""The manual's pages as tests want them, and a site on which their EXAMPLES are
typed."""
import glob
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

from tap import (CHECKPW, GID, GOOD, POPBOX, TREE, UID, Site, has,
                 read_terminal, skip, table)

os.chdir(TREE)
MAN = "doc/man"
NO_PAGE = {"help", "complete"}  # they stand in popbox(8)


def read(path):
    with open(path) as file:
        return file.read()


def names():
    return sorted(os.path.basename(p) for p in glob.glob(MAN + "/*"))


def source(name):
    return read(f"{MAN}/{name}")


class Planted:
    """As long as it lasts, one page says something else."""

    def __init__(self, name, old, new):
        self.fault = name, old, new

    def __enter__(self):
        global MAN
        name, old, new = self.fault
        text = source(name)
        has(text, old)
        self.kept, self.top = MAN, tempfile.mkdtemp()
        MAN = shutil.copytree(self.kept, self.top + "/man")
        with open(f"{MAN}/{name}", "w") as file:
            file.write(text.replace(old, new))

    def __exit__(self, *exception):
        global MAN
        MAN = self.kept
        shutil.rmtree(self.top)


def missed(check, name, old, new):
    """Does the check not find what is planted into a page?"""
    with Planted(name, old, new):
        try:
            check()
        except (AssertionError, KeyError):
            return False
    return True


_plain = {}


def plain(name, width=78):
    """A page as text, without overstriking."""
    key = (MAN, name, width)
    if key not in _plain:
        _plain[key] = re.sub(r".\x08", "", subprocess.run(
            ["mandoc", "-T", "utf8", "-O", f"width={width}", f"{MAN}/{name}"],
            capture_output=True, check=True, text=True).stdout)
    return _plain[key]


def sections(name, width=78):
    """Heading -> text."""
    parts = re.split(r"^([A-Z][A-Z ]+)$", plain(name, width), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def json_part(name):
    """The subsection JSON of a page, or None."""
    found = re.search(r"^   JSON\n((?:     .*\n|\n)*)", plain(name), re.M)
    return found and found[1]


def flat(text):
    return " ".join(text.split())


def nouns():
    return list(dict.fromkeys(row["noun"] for row in table()
                              if row["noun"] not in NO_PAGE))


def rows_of(noun):
    return [row for row in table() if row["noun"] == noun]


def options_of(noun):
    return {o["option"] for row in rows_of(noun) for o in row["options"]}


class Desk(Site):
    """A site as an administrator has it before a page's EXAMPLES: joe in
    example.com, qmail-send running, and the files that examples speak of."""

    PLACES = {  # what a page says, and what it is here
        "/home/vpopmail": "/vpopmail", "/home/popmail": "/home",
        "/home/serialmail": "/serialmail", "/var/backups": "/backups",
        "/etc/dovecot": "/dovecot", "/root/": "/desk/", "/srv/": "/srv/",
        "/var/lib/popbox": "/store",
    }

    def __init__(self):
        super().__init__()
        self.joe()
        self.scripts = self.top + "/examples-bin"
        for name in ("backups", "dovecot", "srv", "vpopmail", "desk"):
            os.mkdir(f"{self.top}/{name}")
        os.mkdir(self.scripts)
        # init finds its roots and qmail below this site.
        self.script("popbox", f"""
            case " $* " in
            *" init "*) set -- "$@" --uid {UID} --gid {GID} ;;
            esac
            [ "$1" = init ] && set -- "$@" --home {self.top}/new-home \
                --serialmail {self.top}/new-dial --qmail {self.qmail}
            exec {POPBOX} "$@"
            """)
        self.script("popbox-checkpw",
                    f'exec {CHECKPW} -d {self.store} "$@"\n')
        for name in ("groupadd", "useradd", "tcpserver", "softlimit"):
            self.script(name, "exit 0\n")
        self.write("new.csv", "address,password,handle\nlea@example.com,,\n"
                   "max@example.edu,four words of max,ex5\n")
        self.write("old.csv", "address\nold@example.com\n")
        for name in ("pwned-passwords-sha1.txt", "words.txt"):
            self.write(f"{self.top}/srv/{name}", "seven words\nletmein now\n")
        self.write("secret", "words of a secret\n")
        self.write("lines.json",
                   '{"command": ["box", "list"]}\n{"command": ["status"]}\n')
        domain = self.top + "/vpopmail/domains/example.org"
        os.makedirs(domain + "/pat/Maildir/new")
        os.makedirs(domain + "/pat/Maildir/cur")
        self.write(domain + "/vpasswd", "pat:" + subprocess.run(
            ["mkpasswd", "-m", "sha-512", "words of pat"], text=True,
            check=True, capture_output=True).stdout.strip() +
            f":1:0:Pat:{domain}/pat:NOQUOTA:\n")
        self.write(domain + "/pat/Maildir/new/1.a", "Subject: old\n\nold\n")
        os.symlink("example.org", self.top + "/vpopmail/domains/example.net")
        subprocess.run(["chown", "-R", "89:89", domain], check=True)
        super().send()

    def script(self, name, text):
        self.write(f"{self.scripts}/{name}", "#!/bin/sh\n" + text)
        os.chmod(f"{self.scripts}/{name}", 0o755)

    def write(self, name, text):
        with open(os.path.join(self.top, "desk", name), "w") as file:
            file.write(text)

    def type(self, line):
        """A command line at a terminal, by somebody who answers: its exit
        code and what the terminal showed."""
        for there, here in self.PLACES.items():
            line = line.replace(there, self.top + here)
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.top + "/desk")
            os.environ.update(PATH=f"{self.scripts}:{os.environ['PATH']}",
                              POPBOX_STORE=self.store, TERM="dumb")
            os.execv("/bin/sh", ["sh", "-c", line])
        shown, answered = b"", 0
        while True:
            if not select.select([fd], [], [], 60)[0]:
                raise AssertionError(f"{line}: does not end: {shown!r}")
            if not (more := read_terminal(fd)):
                break
            shown += more
            asked = shown[answered:]
            if re.search(rb"(?:assword|Again): $", asked):
                os.write(fd, GOOD.encode() + b"\n")
                answered = len(shown)
            elif asked.endswith(b"[y/N] "):
                os.write(fd, b"y\n")
                answered = len(shown)
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def blocks(name):
    """The literal blocks of EXAMPLES, lines that end in a backslash joined."""
    text = source(name).split(".Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
    for block in re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed", text + "\n",
                            re.M):
        yield block.replace("\\e", "\\").replace("\\\n", " ").replace(
            "|\n", "| ").replace("\\&", "")


def before(site, name):
    """What a page takes for granted beside that."""
    if name in ("popbox-init.8", "popbox-intro.7"):
        site.store = site.top + "/another"
    if name == "popbox-intro.7":
        for part, text in (("rcpthosts", "localhost\n"),
                           ("virtualdomains", "")):
            site.write_control(part, text)
        os.unlink(site.qmail + "/users/assign")
    if name == "popbox-harden.8":
        site.do("box", "add", "pat@example.com", "--hash-stdin",
                input=subprocess.run(["mkpasswd", "-m", "sha-512", "words"],
                                     check=True, capture_output=True).stdout)
    if name == "popbox-restore.8":
        site.do("backup", site.top + "/backups/popbox.2026-01-31")
