#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Processes of the tool's that give root up: what they get of root's, what other
processes of their user can do to them, and how long root waits for them."""
import ctypes
import fcntl
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import (GID, GOOD, POPBOX, SMALL, UID, Site, eq, has, read_terminal,
                 run, skip, test)

OLD = 12345  # owner of old mail
NOBODY = 65534
STOPPED = "was stopped by another process"
SILENT = "gave no answer for too long"


def status(pid):
    """/proc/PID/status as a dictionary; {} if it is gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file
                        if ":\t" in line)
    except OSError:
        return {}


def below(pid):
    """All processes that descend from one."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            parents.setdefault(status(name).get("PPid"), []).append(int(name))
    found, left = [], [pid]
    while left:
        left = [c for p in left for c in parents.get(str(p), [])]
        found += left
    return found


def dropped(pid, user=None):
    """Those of them that are not root."""
    found = [p for p in below(pid)
             if status(p).get("Uid", "0").split()[0] != "0"]
    return [p for p in found
            if user is None or status(p)["Uid"].split()[0] == str(user)]


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.01)
    raise AssertionError("did not come to pass")


def as_user(user, function):
    """function in a process of that user; was it done?"""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            os._exit(0 if function() else 1)
        except BaseException:
            os._exit(2)
    return os.waitpid(pid, 0)[1] == 0


def old_mail(site, messages=600):
    """Old mail of OLD's that fills a pipe, and the import that copies it."""
    old = site.top + "/old/Maildir"
    for part in ("new", "cur", "tmp"):
        os.makedirs(f"{old}/{part}")
    for number in range(messages):
        with open(f"{old}/new/{number}.x", "w") as file:
            file.write("x\n" * 2000)
    subprocess.run(["chown", "-R", f"{OLD}:{OLD}", site.top + "/old"],
                   check=True)
    with open(site.top + "/old.csv", "w") as file:
        file.write(f"address,maildir\njoe@example.com,{old}\n")
    return ["import", site.top + "/old.csv", "--update", "--maildir"]


def waiting_mail(site, port=9, host="h.org", user=UID):
    """A dial-up customer with a message that waits."""
    site.do("domain", "add", host, "--kind", "dialup", "--handle", "ex1",
            "--host", f"127.0.0.1:{port}")
    path = f"{site.serial}/{host}/Maildir/new/1.x"
    with open(path, "w") as file:
        file.write(f"Return-Path: <s@x.org>\nDelivered-To: {host}-joe@{host}\n"
                   "\nhello\n")
    os.chown(path, UID, GID)


def script(site, name, text):
    path = f"{site.top}/{name}"
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


class Terminal:
    """A command of root's at a terminal, in a session of its own, with something
    of root's in its environment; what it does as another user takes a while."""

    def __init__(self, site, words, program=POPBOX, slow=True):
        prefix = ["strace", "-f", "-o", "/dev/null", "-e", "trace=setresuid",
                  "-e", "inject=setresuid:delay_exit=1500000:when=1"]
        command = [*(prefix if slow else []), program, "-d", site.store, *words]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["OF_ROOT"] = "secret of root"
            # What nohup(1) ignores, the tool goes on ignoring.
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            os.execvp(command[0], command)
        site.processes.append(self)

    def poll(self):
        return None if self.pid else 0

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, seconds=60):
        """All that it showed, and how it ended."""
        shown, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                if not (part := read_terminal(self.fd)):
                    break
                shown += part
        pid, how = os.waitpid(self.pid, 0 if time.monotonic() < end else
                              os.WNOHANG)
        assert pid, f"it goes on: {shown}"
        self.pid = 0
        os.close(self.fd)
        return shown.decode(errors="replace"), how


def commands(site):
    """Each command with a process that gives root up, and who that becomes."""
    copy = old_mail(site, 400)
    waiting_mail(site)
    site.do("backup", site.top + "/backup")
    sleeper = script(site, "sleeper", "#!/bin/sh\nexec sleep 3\n")
    return [
        (["box", "add", "u@example.com", "--no-password"], {UID}),
        (["check"], {UID}),
        (["restore", site.top + "/backup", "--dry-run"], {NOBODY}),
        (copy, {OLD, UID}),
        (["serialmail", "run", "--grace", "0", "--command", sleeper], {UID}),
        (["serialmail", "run", "--grace", "0"], {UID}),
    ]


@test("a process that gives root up has no terminal, no session, no descriptor "
      "and no word of root's environment, and can be looked into by nobody",
      root=True, plain=True)
def of_its_own():
    with Site().joe() as site:
        for words, users in commands(site):
            command = Terminal(site, words)
            seen, least = {}, 2 if "serialmail" in words else 1
            # Two may be of the same user, before that of another is there.
            while not gone([command.pid]) and (
                    len(seen) < least or
                    {user for user, _ in seen.values()} != users):
                for pid in set(dropped(command.pid)) - set(seen):
                    user = uid(pid)
                    if user is not None:
                        seen[pid] = user, lasting(pid)
                time.sleep(0.01)
            command.kill()  # all is seen: no need to wait for what strace delays
            shown, how = command.wait()
            eq({user for user, _ in seen.values()}, users, (words, shown))
            for user, problems in seen.values():
                eq(problems, [], (words, user))


def uid(pid):
    """None: it is gone."""
    user = status(pid).get("Uid")
    return user and int(user.split()[0])


def lasting(pid):
    """What it has that it must not have, and goes on having: one that another
    such process has forked begins as that one."""
    problems = look(pid)
    if problems:
        time.sleep(0.3)
        problems = [p for p in look(pid) if p in problems]
    return problems


def look(pid):
    """What it has that it must not have. Some words and descriptors are those of
    Linux alone, where it execs something else meanwhile."""
    problems = []
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        if fields[4] != "0":
            problems.append(f"terminal {fields[4]}")
        if int(fields[3]) != pid:
            problems.append(f"session {fields[3]}")
        with open(f"/proc/{pid}/environ", "rb") as file:
            words = [w for w in file.read().split(b"\0") if w]
        problems += [w for w in words if not w.startswith(
            (b"PATH=", b"POPBOX_INJECT=", b"PWD=", b"OLDPWD=", b"SHLVL=",
             b"_="))]
        for fd in os.listdir(f"/proc/{pid}/fd"):
            where = os.readlink(f"/proc/{pid}/fd/{fd}")
            if where.startswith("/dev/p") or "/store/" in where:
                problems.append(f"descriptor {fd} {where}")
        if os.stat(f"/proc/{pid}/environ").st_uid != 0 and \
                "sleep" not in status(pid)["Name"] and \
                "sh" not in status(pid)["Name"]:
            problems.append("can be looked into")
    except (FileNotFoundError, ProcessLookupError, KeyError):
        pass
    return problems


@test("a sender cannot type into the terminal of root's shell, nor read it",
      root=True)
def typing():
    with Site().joe() as site:
        waiting_mail(site)
        said = site.top + "/said"
        open(said, "w").close()
        os.chmod(said, 0o666)
        types = script(site, "types", f"""#!{sys.executable}
import fcntl, os, termios
out = open({said!r}, "a")
for name in (0, 1, 2, "/dev/tty"):
    try:
        fd = name if isinstance(name, int) else os.open(name, os.O_RDWR)
        out.write(f"{{name}} {{os.isatty(fd)}}\\n")
        fcntl.ioctl(fd, termios.TIOCSTI, b"x")
        out.write("typed\\n")
    except OSError as error:
        out.write(f"{{name}} {{error.strerror}}\\n")
""")
        command = Terminal(site, ["serialmail", "run", "--command", types],
                           slow=False)
        command.wait()
        with open(said) as file:
            text = file.read()
        for number in range(3):
            has(text, f"{number} False")
        has(text, "/dev/tty No such device")
        assert "typed" not in text, text


@test("what a sender and its server say reaches the terminal line by line, "
      "without control characters, and not without end", root=True)
def cleaned():
    with Site().joe() as site:
        waiting_mail(site)
        noisy = script(site, "noisy", f"""#!{sys.executable}
import os
os.write(2, b"one\\x1b[31m\\ntwo\\x9b\\n")
try:
    while True:
        os.write(2, b"flood\\n" * 1000)
except OSError:
    pass
os.write(1, b"sent 7 failed 8 left 9\\n")
""")
        got = site.popbox("serialmail", "run", "--command", noisy)
        lines = got.err.splitlines()
        eq(lines[:2], ["one?[31m", "two?"])
        assert 1000 < lines.count("flood") < 20000, len(lines)
        has(lines[-1], "h.org: 7 sent, 8 failed, 9 left")


@test("our own sender cannot be looked into from its first instruction",
      root=True, plain=True)
def first_instruction():
    with Site().joe() as site, socket.create_server(("127.0.0.1", 0)) as silent:
        waiting_mail(site, silent.getsockname()[1])
        process = site.start(
            "strace", "-f", "-o", "/dev/null", "-e", "trace=execveat", "-e",
            "inject=execveat:delay_exit=2000000", POPBOX, "-d", site.store,
            "serialmail", "run", stderr=subprocess.DEVNULL)
        # Its new image is there, and nothing of it has run.
        sender = wait_for(lambda: [
            p for p in dropped(process.pid) if status(p)["Name"] != "popbox"
            or "maildirsmtp" in os.readlink(f"/proc/{p}/exe")])[0]

        def looks():
            libc = ctypes.CDLL(None, use_errno=True)
            for what in ("environ", "mem", "maps"):
                try:
                    with open(f"/proc/{sender}/{what}", "rb") as file:
                        file.read(1)
                    return True
                except OSError:
                    pass
            return libc.ptrace(16, sender, 0, 0) == 0
        eq(os.stat(f"/proc/{sender}/environ").st_uid, 0)
        eq(as_user(UID, looks), False)
        process.kill()


def free(path):
    """Does nobody hold its lock?"""
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def gone(pids):
    return not [p for p in pids if status(p).get("State", "Z")[0] != "Z"]


@test("a signal that ends the tool ends all that it has started, and says what "
      "it ended by", root=True, plain=True)
def ends():
    with Site().joe() as site:
        waiting_mail(site)
        sleeper = script(site, "sleeper", "#!/bin/sh\nsleep 77\nexit\n")
        lock = f"{site.serial}/h.org/RELAYHOST"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                       signal.SIGKILL):
            command = Terminal(site, ["serialmail", "run", "--command",
                                      sleeper], slow=False)
            pids = wait_for(lambda: len(dropped(command.pid)) == 3 and
                            dropped(command.pid))
            if number == signal.SIGINT:
                os.write(command.fd, b"\3")
            else:
                os.kill(command.pid, number)
            how = command.wait(20)[1]
            eq(os.WTERMSIG(how), number)
            # What a script has started may outlive a kill -9 of the tool.
            wait_for(lambda: gone(pids[:2] if number == signal.SIGKILL
                                  else pids))
            for pid in pids:
                if not gone([pid]):
                    os.kill(pid, signal.SIGKILL)
            wait_for(lambda: free(lock))
        copy = old_mail(site)
        for words, count in ((copy, 3), (["passwd", "joe@example.com"], 1)):
            box = os.open(site.box_path(), os.O_RDONLY)
            fcntl.flock(box, fcntl.LOCK_EX)  # they wait for it
            command = Terminal(site, words, slow=False)
            pids = wait_for(lambda: len(dropped(command.pid)) == count and
                            dropped(command.pid))
            time.sleep(0.3)  # it asks
            os.write(command.fd, b"\3")
            assert command.wait(20)[1], words
            wait_for(lambda: gone(pids))
            os.close(box)


def stop(pids):
    """Another process of its user stops it."""
    for pid in pids:
        user = int(status(pid)["Uid"].split()[0])
        assert as_user(user, lambda: os.kill(pid, signal.SIGSTOP) is None)


def asks(process):
    """Waits until a command reads its standard input, whatever it asked before;
    all below it that gave root up."""
    def sleeps():
        with open(f"/proc/{process.pid}/syscall") as file:
            return file.read().split()[1:2] == ["0x0"] and \
                status(process.pid)["State"][0] == "S"
    wait_for(sleeps)
    return dropped(process.pid)


@test("a helper that another process of popusr stops ends the command at once, "
      "and sync publishes what it left", root=True)
def stopped_helper():
    with Site().joe() as site:
        process = site.start(POPBOX, "-d", site.store, "box", "add",
                             "u@example.com", "--stdin",
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        stop(asks(process))
        _, err = process.communicate(GOOD.encode() + b"\n", timeout=30)
        eq(process.returncode, 111)
        has(err.decode(), STOPPED)
        eq(site.deliver("u@example.com").rc, 100)
        got = site.popbox("address", "add", "v@example.com", "a@b.example")
        eq(got.rc, 0, got)
        has(got.err, "pending since")
        site.do("sync")
        eq(site.deliver("u@example.com").rc, 0)
        site.sound()


@test("one that is stopped while nobody waits for it does not keep the tool",
      root=True)
def stopped_idle():
    with Site().joe() as site:
        process = site.start(POPBOX, "-d", site.store, "passwd",
                             "joe@example.com", "--stdin",
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        stop(asks(process))
        process.communicate(b"another horse 43 staple\n", timeout=30)
        eq(process.returncode, 0)


@test("a stopped reader, or writer, of old mail ends the copy, and it can be done "
      "again", root=True, plain=True)
def stopped_copy():
    for user in (OLD, UID):
        with Site().joe() as site:
            copy = old_mail(site)
            box = os.open(site.box_path(), os.O_RDONLY)
            fcntl.flock(box, fcntl.LOCK_EX)  # they wait for it
            process = site.start(POPBOX, "-d", site.store, *copy,
                                 stderr=subprocess.PIPE)
            # The helper, the reader, the writer.
            wait_for(lambda: len(dropped(process.pid)) == 3)
            stop(dropped(process.pid, user)[-1:])
            os.close(box)
            _, err = process.communicate(timeout=30)
            eq(process.returncode, 111, err)
            has(err.decode(), STOPPED)
            site.do(*copy)
            eq(site.mails(), 600)


@test("a stopped look at a backup is 111, and says nothing of the backup",
      root=True, plain=True)
def stopped_look():
    with Site().joe() as site:
        site.do("backup", site.top + "/backup")
        command = Terminal(site, ["restore", site.top + "/backup", "--dry-run"])
        stop(wait_for(lambda: dropped(command.pid, NOBODY)))
        shown, how = command.wait(30)
        eq(os.WEXITSTATUS(how), 111)
        has(shown, STOPPED)
        assert "damaged" not in shown, shown


@test("a stopped round is ended, with its senders", root=True)
def stopped_round():
    with Site().joe() as site:
        waiting_mail(site)
        sleeper = script(site, "sleeper", "#!/bin/sh\nexec sleep 77\n")
        process = site.start(POPBOX, "-d", site.store, "serialmail", "run",
                             "--command", sleeper, stderr=subprocess.PIPE)
        pids = wait_for(lambda: len(dropped(process.pid)) == 2 and
                        dropped(process.pid))
        stop(pids[:1])
        _, err = process.communicate(timeout=30)
        eq(process.returncode, 111)
        has(err.decode(), STOPPED)
        wait_for(lambda: gone(pids))


@test("a stopped sender is ended at its time limit", root=True)
def stopped_sender():
    with Site().joe() as site:
        waiting_mail(site)
        sleeper = script(site, "sleeper", "#!/bin/sh\nexec sleep 77\n")
        process = site.start(POPBOX, "-d", site.store, "serialmail", "run",
                             "--limit", "1", "--command", sleeper,
                             stderr=subprocess.PIPE)
        pids = wait_for(lambda: len(dropped(process.pid)) == 2 and
                        dropped(process.pid))
        stop(pids[1:])
        _, err = process.communicate(timeout=60)
        eq(process.returncode, 0)
        has(err.decode(), "ended at its time limit")


def slow(call, seconds, path=None):
    return ("strace", "-f", "-o", "/dev/null", *(("-P", path) if path else ()),
            "-e", f"trace={call}", "-e",
            f"inject={call}:delay_enter={seconds}000000:when=1")


@test("a helper, reader, look or round that only says nothing is ended, too",
      root=True, plain=True)
def silent():
    def silence(command, call, where, part):
        with Site().joe() as site:
            copy = old_mail(site, 3)
            waiting_mail(site)
            words = copy if command == "copy" else command
            where = {"old": site.top + "/old/Maildir/new",
                     "serial": site.serial, None: None}[where]
            start = time.monotonic()
            got = site.popbox(*words, program=SMALL, timeout=60,
                              prefix=slow(call, 9, where))
            eq(got.rc, 111, (words, got))
            has(got.err, SILENT)
            has(got.err, part)
            assert time.monotonic() - start < 50
            site.do(*copy)
            site.do("sync")
            eq(site.mails(), 3)
    # Each waits, so all at a time.
    every = (
        (("box", "add", "u@example.com", "--no-password"), "mkdirat", None, ""),
        ("copy", "getdents64", "old", ""),
        ("copy", "syncfs", None, "write"),
        (("serialmail", "run", "--command", "true"), "openat", "serial",
         "round"))
    with ThreadPoolExecutor(len(every)) as pool:
        list(pool.map(lambda one: silence(*one), every))


@test("one that takes its time and says so is not ended", root=True, plain=True)
def alive():
    with Site().joe() as site:
        copy = old_mail(site, 10)
        got = site.popbox(*copy, program=SMALL, prefix=(
            "strace", "-f", "-o", "/dev/null", "-e", "trace=utimensat",
            "-e", "inject=utimensat:delay_enter=300000"), timeout=60)
        eq(got.rc, 0, got)
        eq(site.mails(), 10)
        waiting_mail(site)
        sleeper = script(site, "sleeper", "#!/bin/sh\nexec sleep 3\n")
        site.do("serialmail", "run", "--command", sleeper, program=SMALL)


def evil(site, function):
    """What a POP server that was broken into does in its Maildir."""
    def there():
        os.chdir(site.box_path())
        function()
        return True
    assert as_user(UID, there) or not os.geteuid() == 0


def deep(levels=300):
    for _ in range(levels):
        os.mkdir("a-directory-with-a-name")
        open("file", "w").close()
        os.chdir("a-directory-with-a-name")


def wide():
    for number in range(300):
        os.makedirs(f"d{number}/e/f")
        os.mkdir(f"popbox-gone-{number}")
        os.mkdir(f"popbox-gone-{number}/x")


def modes():
    for name, mode in (("a", 0), ("b", 0o100), ("c", 0o200), ("d", 0o400),
                       ("e", 0o500), ("f", 0o300)):
        os.makedirs(f"cur/{name}/g/h")
        open(f"cur/{name}/g/file", "w").close()
        os.chmod(f"cur/{name}/g", mode)
        os.chmod(f"cur/{name}", mode)
    os.symlink("/etc", "new/link")
    os.mkfifo("new/pipe")
    os.chmod("tmp", 0)
    os.chmod("..", 0)
    os.chmod(".", 0)


@test("purge removes a box whatever was made in it: at any depth, of any number, "
      "with any mode", root=True)
def purge_trees():
    for tree in (deep, wide, modes):
        with Site().joe() as site:
            path = site.box_path()
            evil(site, tree)
            site.do("box", "del", "joe@example.com", "--yes")
            site.do("purge", "ex1-0001", "--now", "--yes")
            assert not os.path.exists(path), tree
            eq(site.popbox("sync", "--dry-run").rc, 0, tree)
            site.sound()


@test("directories whose rights popusr took from itself get them back, alone and "
      "in large changes", root=True)
def regained():
    with Site().joe() as site:
        handle = os.path.dirname(os.path.dirname(site.box_path()))
        for program, count in ((POPBOX, 1), (SMALL, 20)):
            for part in ("POP", "DOMAINS", "DOMAINS/example.com", "",
                         "POP/ex1-0001"):
                os.chmod(f"{handle}/{part}", 0)
                name = f"u{count}{part.lower().replace('/', '-')}"
                with open(site.top + "/new.csv", "w") as file:
                    file.write("address,hash\n" + "".join(
                        f"{name}{n}@example.com,*\n" for n in range(count)))
                site.do("import", site.top + "/new.csv", program=program)
                site.do("box", "set", "ex1-0001", "--name", part)
                eq(site.deliver(f"{name}0@example.com").rc, 0, part)
            os.chmod(f"{handle}/POP/ex1-0001", 0o700)
        link = f"{handle}/POP/ex1-0002"
        os.rename(link, site.top + "/elsewhere")
        os.symlink(site.top + "/elsewhere", link)
        os.chmod(site.top + "/elsewhere", 0)
        site.popbox("sync", "--full")
        eq(os.stat(site.top + "/elsewhere").st_mode & 0o777, 0,
           "what a link leads to")


@test("who adds files as fast as they are removed holds a purge up for a time, and "
      "nobody else", root=True, plain=True)
def purge_busy():
    with Site().joe() as site:
        filler = subprocess.Popen([sys.executable, "-c", f"""
import os
os.chdir({site.box_path()!r})
os.setgroups([]); os.setgid({GID}); os.setuid({UID})
n = 0
while True:
    n += 1
    for path in (f"x{{n}}", f"d{{n}}/", f"d{{n}}/e/"):
        try:
            os.mkdir(path) if path.endswith("/") else open(path, "w").close()
        except OSError:
            pass
"""])
        site.processes.append(filler)
        site.do("box", "del", "joe@example.com", "--yes")
        start = time.monotonic()
        got = site.popbox("purge", "ex1-0001", "--now", "--yes", program=SMALL,
                          timeout=60, prefix=(
                              "strace", "-f", "-o", "/dev/null", "-e",
                              "trace=unlinkat", "-e",
                              "inject=unlinkat:delay_enter=20000"))
        eq(got.rc, 111, got)
        has(got.err, "there is very much in it")
        assert time.monotonic() - start < 30
        filler.kill()
        filler.wait()
        site.do("sync")
        assert not os.path.exists(site.box_path())


@test("files of popusr's without end are not read whole", root=True, plain=True)
def without_end():
    def small_memory():
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    with Site().joe() as site:
        waiting_mail(site)
        huge = 3 << 30
        relay = f"{site.serial}/h.org"
        targets = [site.domain_path() + "/.qmail-joe",
                   site.domain_path() + "/.qmail-other",
                   relay + "/RELAYHOST", relay + "/.qmail-default"]
        for path in targets:
            open(path, "a").close()
            os.chown(path, UID, GID)
            os.truncate(path, huge)
        for words in (("check",), ("explain", "joe@example.com"),
                      ("address", "list"), ("address", "show",
                                            "joe@example.com")):
            got = site.popbox(*words, preexec=small_memory)
            assert got.rc in (0, 1), (words, got)
        has(site.popbox("check").out, ".qmail-other is larger than")
        site.do("sync", "--full", preexec=small_memory)
        for path in targets:
            assert os.path.getsize(path) < 1000 or "other" in path, path
        copied = site.box_path() + "/.popbox-copied"
        open(copied, "w").close()
        os.chown(copied, UID, GID)
        os.truncate(copied, huge)
        copy = old_mail(site, 3)
        got = site.popbox(*copy, preexec=small_memory)
        eq(got.rc, 111, got)
        has(got.err, "File too large")
        os.unlink(copied)
        os.truncate(site.top + "/old/Maildir/new/1.x", (1 << 30) + 1)
        got = site.popbox(*copy)
        eq(got.rc, 111, got)
        has(got.err, "1.x': File too large")
        eq(site.mails(), 2, "the others are there")


run()
