# SPDX-License-Identifier: MIT
"""Tests as sentences, printed as TAP, and a site to run them on.

A test file is a Python program: functions marked @test, then run(). Each test
makes its own Site: a store, a mail root and a qmail home below one temporary
directory that is removed afterwards.
"""
import contextlib
import ctypes
import json
import os
import pty
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import genuine

BUILD = os.environ.get("POPBOX_BUILD") or os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build")
TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
POPBOX = os.path.join(BUILD, "popbox")
SMALL = os.path.join(BUILD, "small/popbox")  # the same with small limits
FILL = os.path.join(BUILD, "bench/fill")
CHECKPW = os.path.join(BUILD, "popbox-checkpw")
SANITIZED = os.path.basename(BUILD) == "san"
# Where the sanitizers' programs are looked at, what only prepares is done by
# the plain ones, which start six times as fast; and so are the stand-ins.
PREPARES = os.path.join(TREE, "build/popbox") if SANITIZED else None
STANDINS = os.path.join(TREE, "build/qmail") if SANITIZED else \
    os.path.join(BUILD, "qmail")
ROOT = os.geteuid() == 0
QMAIL = os.environ.get("POPBOX_QMAIL")  # a real installation, or None
UID, GID = (510, 51) if ROOT else (os.geteuid(), os.getegid())
GOOD = "correct horse 42 staple"



def apart():
    """The login program keeps a table in /run/popbox: this process and all that
    it starts have a /run of their own. False where that cannot be."""
    libc = ctypes.CDLL(None, use_errno=True)
    newns, record, slave = 0x20000, 0x4000, 0x80000
    return ROOT and libc.unshare(newns) == 0 and \
        libc.mount(b"none", b"/", None, record | slave, None) == 0 and \
        libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, b"mode=755") == 0


APART = apart()
_tests = []

# Descriptors 3 to 9 stay ours, so that nothing else takes their numbers.
while os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) < 9:
    pass


class Skip(Exception):
    """Raised by a test that cannot run here; its text says why."""


# `make deep` says so: loops that `make check` runs in part are run whole.
WHOLE = bool(os.environ.get("POPBOX_WHOLE"))


def test(sentence, root=False, plain=False, deep=False):
    """root: needs to be root. plain: not with sanitizers. deep: long, and run by
    `make deep` alone."""
    def mark(function):
        _tests.append((sentence, function, root, plain, deep))
        return function
    return mark


def some(items, share):
    """The rounds of a long loop: in `make deep` all, else one in so many, each time
    others."""
    items = list(items)
    if WHOLE or not items:
        return items
    return items[random.randrange(min(share, len(items)))::share]


def skip(why):
    raise Skip(why)


def needs_mounts():
    """For a test that mounts something for itself alone: not below a chroot."""
    done = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs",
                           "tmpfs", "/mnt"], capture_output=True, text=True)
    if done.returncode:
        skip("no mounts here: " + done.stderr.strip())


LONGEST = int(os.environ.get("LONGEST", "900"))  # seconds; a test that hangs is one that failed


def _too_long(number, frame):
    raise AssertionError(f"not done after {LONGEST} seconds")


def _one(number, sentence, function, root, plain, deep):
    try:
        if deep and not WHOLE:
            skip("long: make deep runs it")
        if root and not ROOT:
            skip("not root")
        if plain and SANITIZED:
            skip("not with sanitizers")
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(LONGEST)
        function()
    except Skip as why:
        print(f"ok {number} - {sentence} # SKIP {why}")
        return
    except Exception:
        print(f"not ok {number} - {sentence}")
        for line in traceback.format_exc().splitlines():
            print("# " + line)
        return
    finally:
        signal.alarm(0)
    print(f"ok {number} - {sentence}")


def run():
    # A shell that starts a test in the background has it ignore these.
    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    wanted = sys.argv[1:]
    chosen = [t for t in _tests if not wanted or any(w in t[0] for w in wanted)]
    print(f"1..{len(chosen)}", flush=True)
    for number, item in enumerate(chosen, 1):
        _one(number, *item)
        sys.stdout.flush()


def eq(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def hasnt(text, part):
    if part in text:
        raise AssertionError(f"{part!r} is in {text!r}")


def make(*words):
    """make in the tree: not with the options of the make that runs the tests,
    but with its variables (CC=clang), or it would compile all anew."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    _, dashes, variables = os.environ.get("MAKEFLAGS", "").partition("-- ")
    if dashes:
        env["MAKEFLAGS"] = dashes + variables
    done = subprocess.run(["make", *words], cwd=TREE, capture_output=True,
                          text=True, env=env)
    eq(done.returncode, 0, done.stdout + done.stderr)


class Result:
    def __init__(self, done, seconds=0.0):
        self.rc = done.returncode
        self.out = done.stdout.decode("utf-8", "backslashreplace")
        self.err = done.stderr.decode("utf-8", "backslashreplace")
        self.seconds = seconds

    def __repr__(self):
        return f"rc={self.rc} out={self.out!r} err={self.err!r}"


def record(login, password, stamp=b"<1.2@host>"):
    """What qmail-popup writes to descriptor 3."""
    def to_bytes(text):
        return text if isinstance(text, bytes) else text.encode()
    return to_bytes(login) + b"\0" + to_bytes(password) + b"\0" + stamp + b"\0"


_third = threading.Lock()


@contextlib.contextmanager
def as_third(fd):
    """Who is started meanwhile finds fd as its descriptor 3. That it is made
    here, not in the child, lets Python start the child without a copy of
    itself, which takes several times as long."""
    with _third:
        saved = os.dup(3)
        os.dup2(fd, 3)
        try:
            yield
        finally:
            os.dup2(saved, 3, inheritable=False)
            os.close(saved)


_table = []


def table():
    """The tool's own table of commands."""
    if not _table:
        text = subprocess.run([POPBOX, "--json", "help"], check=True,
                              capture_output=True, text=True).stdout
        _table.extend(json.loads(line) for line in text.splitlines())
    return _table


def declared(args, rc):
    """Whatever a test does: no command ends with a code that its row in the
    table does not name. Deaths by a signal are another matter."""
    if not 0 <= rc < 126:
        return
    words = [a for a in args if not a.startswith("-")]
    for row in table():
        if words and row["noun"] == words[0] and \
                row["verb"] in (None, *words[1:2]):
            assert str(rc) in row["exit_codes"].split(), \
                f"popbox {' '.join(args)}: exit code {rc} is not declared"


def read_terminal(fd):
    """What came at a terminal's other end; b"" when that is closed. The kernel
    may say that it is closed before it hands over what was written last, so a
    second look decides."""
    for _ in range(2):
        try:
            return os.read(fd, 65536)
        except OSError:
            pass
    return b""


def on_terminal(site, args, answers, interrupt=signal.SIG_DFL):
    """(exit code, what was seen) of popbox on a terminal of its own, where each
    prompt gets the next answer. Whoever runs the tests may have Ctrl-C
    ignored; here it is what interrupt says."""
    pid, fd = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, interrupt)
        signal.alarm(60)  # ends popbox, should it wait for ever
        os.execv(POPBOX, [POPBOX, "-d", site.store, *args])
    seen, waiting = b"", list(answers)
    while part := read_terminal(fd):
        seen += part
        if waiting and seen.endswith((b": ", b"[y/N] ")):
            os.write(fd, waiting.pop(0))
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


class Send:
    """The stand-in for qmail-send; reads() says how often it read its files."""

    def __init__(self, site):
        self.log = site.qmail + "/send.log"
        self.process = site.start(site.bin + "/qmail-send")
        self.pid = self.process.pid
        for _ in range(500):
            if self.reads():
                return
            time.sleep(0.02)
        raise AssertionError("qmail-send does not start")

    def reads(self):
        """Its start counts as one."""
        if not os.path.exists(self.log):
            return 0
        with open(self.log) as file:
            return len(file.readlines())

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Site:
    """A store with its mail root and, unless qmail=False, a qmail home.
    standins: no real qmail, whatever the others have. bin is where qmail's
    programs are, tools where those of the tests are."""

    may_fault = False  # its store is damaged: a fault of the tool is none

    def __init__(self, qmail=True, init=True, standins=False, **settings):
        self.top = tempfile.mkdtemp(prefix="popbox-test.")
        os.chmod(self.top, 0o755)
        self.store = self.top + "/store"
        self.home = self.top + "/home"
        self.serial = self.top + "/serialmail"
        self.qmail = None
        self.processes = []
        if qmail:
            self.make_qmail(standins)
        if init:
            self.init()
            # Whoever tests a login tests its hash.
            settings = {"log": "stderr", "refuse_delay_ms": "0",
                        "login_cache": "0",
                        "argon2_kib": "1024", "argon2_passes": "1",
                        **settings}
            self.settings(settings)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.top, ignore_errors=True)
        shutil.rmtree(self.top + ".kept", ignore_errors=True)

    def make_qmail(self, standins):
        """Stand-ins in a home of their own; or the copy of the real qmail that
        tests/covered has laid over it."""
        if QMAIL and not standins:
            self.qmail = QMAIL
            genuine.restore(QMAIL)
            self.make_tools()
        else:
            self.qmail = self.top + "/qmail"
            for part in ("control", "users"):
                os.makedirs(f"{self.qmail}/{part}")
            self.tools = self.qmail + "/bin"
            shutil.copytree(STANDINS, self.tools)
            for part in ("queue", "queue/mess", "queue/todo"):
                os.mkdir(f"{self.qmail}/{part}")
                os.chmod(f"{self.qmail}/{part}", 0o777)
        self.bin = self.qmail + "/bin"
        self.write_control("rcpthosts", "localhost\n")
        self.write_control("locals", "localhost\n")
        self.write_control("me", "localhost\n")

    def make_tools(self):
        """Programs that are not of qmail, beside links to its files."""
        self.tools = self.top + "/tools/bin"
        os.makedirs(self.tools)
        for name in os.listdir(STANDINS):
            if not os.path.exists(f"{self.qmail}/bin/{name}"):
                shutil.copy(f"{STANDINS}/{name}", self.tools)
        for part in ("control", "users"):
            os.symlink(f"{self.qmail}/{part}", f"{self.top}/tools/{part}")

    def keep(self):
        """What its files are now is what back() makes of them again; not those of a
        real qmail."""
        self.kept = self.top + ".kept", self.store
        subprocess.run(["cp", "-a", self.top, self.kept[0]], check=True)

    def back(self):
        subprocess.run(["sh", "-c", 'rm -rf "$1" && cp -a "$2" "$1"', "sh",
                        self.top, self.kept[0]], check=True)
        self.store = self.kept[1]

    def queued(self):
        """What was given to qmail-inject: (sender, recipients, text)."""
        return genuine.queued(self.qmail)

    def send(self, traced=True):
        """Starts qmail-send: see Send. traced: reads() will be asked."""
        real = self.qmail == QMAIL
        return genuine.Send(self, traced) if real else Send(self)

    def init(self):
        where = ["--qmail", self.qmail] if self.qmail else ["--no-qmail"]
        self.do("init", "--uid", str(UID), "--gid", str(GID), "--home",
                self.home, "--serialmail", self.serial, *where,
                program=PREPARES)

    def settings(self, wanted):
        """What `config set` would write, key by key."""
        with open(self.store + "/config", "r+") as file:
            kept = [line for line in file
                    if line.split(" = ")[0] not in wanted]
            file.seek(0)
            file.truncate()
            file.writelines(kept + [f"{key} = {value}\n"
                                    for key, value in wanted.items()])

    def write_control(self, name, text):
        with open(f"{self.qmail}/control/{name}", "w", newline="") as file:
            file.write(text)

    def control(self, name):
        with open(f"{self.qmail}/control/{name}", newline="") as file:
            return file.read()

    def assign(self):
        with open(f"{self.qmail}/users/assign", newline="") as file:
            return file.read()

    def popbox(self, *args, input=b"", prefix=(), preexec=None, timeout=180,
               env=None, program=None, cwd=None):
        if isinstance(input, str):
            input = input.encode()
        done = subprocess.run(
            [*prefix, program or POPBOX, "-d", self.store, *args], input=input,
            capture_output=True, timeout=timeout, preexec_fn=preexec, cwd=cwd,
            env={**os.environ, **(env or {})})
        declared(args, done.returncode)
        result = Result(done)
        assert self.may_fault or "ended by SIG" not in result.err, \
            f"popbox {' '.join(args)}: {result}"
        return result

    def do(self, *args, **kw):
        """A command that must work; its output."""
        result = self.popbox(*args, **kw)
        if result.rc != 0:
            raise AssertionError(f"popbox {' '.join(args)}: {result}")
        return result.out

    def fails(self, rc, part, *args, **kw):
        """A command that must end with this code and say that."""
        result = self.popbox(*args, **kw)
        if result.rc != rc or part not in result.err:
            raise AssertionError(
                f"popbox {' '.join(args)}: {result}, want rc={rc} and {part!r}")
        return result

    def joe(self):
        """example.com with a box for joe."""
        self.do("domain", "add", "example.com", "--handle", "ex1",
                program=PREPARES)
        self.do("box", "add", "joe@example.com", "--stdin", input=GOOD + "\n",
                program=PREPARES)
        return self

    def login(self, login="joe@example.com", password=GOOD, raw=None,
              program=("sh", "-c", "exit 0"), close=(), limit=None, env=None,
              store=None, hold=False, prefix=(), timeout=180, bare=False):
        """Runs the login program with the record on descriptor 3. close:
        descriptors that it finds closed. hold: nobody ends the record. bare:
        an environment as small as tcpserver's."""
        data = record(login, password) if raw is None else raw
        reader, writer = os.pipe()
        command = [*prefix, CHECKPW, "-d", store or self.store, *program]

        def before():
            for fd in close:
                os.close(fd)
            if limit:
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

        start = time.monotonic()
        with as_third(reader):
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, close_fds=False,
                preexec_fn=before if close or limit else None,
                env={**({"PATH": os.environ["PATH"]} if bare else os.environ),
                     "TCPREMOTEIP": "192.0.2.7", **(env or {})})
        os.close(reader)
        try:
            if data:
                os.write(writer, data)
        except BrokenPipeError:
            pass
        if not hold:
            os.close(writer)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        if hold:
            os.close(writer)
        done = subprocess.CompletedProcess(command, process.returncode, out,
                                           err)
        return Result(done, time.monotonic() - start)

    def log_line(self, result):
        """The one line of the log; and there must be one."""
        lines = [line for line in result.err.splitlines()
                 if line.startswith("popbox-checkpw: ")]
        eq(len(lines), 1, f"log lines of {result}")
        return lines[0]

    def box_path(self, box="ex1-0001"):
        handle = box.split("-")[0]
        return f"{self.home}/{handle[0]}/{handle}/POP/{box}"

    def domain_path(self, domain="example.com", handle="ex1"):
        return f"{self.home}/{handle[0]}/{handle}/DOMAINS/{domain}"

    def deliver(self, recipient, queued=False):
        """One message the whole way; queued: it was routed before, and the
        recipient is ID-LOCAL@DOMAIN. 0 delivered, 100 bounced, 111 deferred.
        """
        flag = ["--queued"] if queued else []
        return Result(subprocess.run(
            [self.tools + "/deliver", *flag, "s@x.org", recipient],
            input=b"Subject: x\n\nhello\n", capture_output=True))

    def handed(self, recipient):
        """The same; and the addresses that a message is handed to: deliver says
        it, or the real condredirect gives it to the real qmail-queue."""
        before = self.queued()
        result = self.deliver(recipient)
        to = [line.removeprefix("forward ")
              for line in result.out.splitlines()]
        for message in self.queued():
            if message not in before:
                to += message[1]
        return result.rc, to

    def mails(self, box="ex1-0001"):
        try:
            return len(os.listdir(self.box_path(box) + "/new"))
        except FileNotFoundError:
            return None

    def findings(self, *args):
        """What `check` finds, as (word, text), but that qmail-send does not
        run, as it does in few tests."""
        got = self.popbox("--json", "check", *args)
        rows = [json.loads(line) for line in got.out.splitlines()]
        # What ended half-way has found nothing, and says so by its code.
        eq(got.rc, 1 if rows else 0, got)
        return [(r["check"], r["finding"]) for r in rows
                if r["check"] != "qmail-send"]

    def sound(self):
        eq(self.findings()[:3], [], "findings")

    def last_entry(self):
        """The number of the journal's last change."""
        entries = [json.loads(line) for line in
                   self.do("--json", "log").splitlines()]
        return ([0] + [e["number"] for e in entries
                       if e["op"] != "owed"])[-1]

    def start(self, *command, **kw):
        process = subprocess.Popen(command, **kw)
        self.processes.append(process)
        return process

    def tree(self):
        """Every path of the mail root and of qmail's files, with mode, owner
        and content: what publishing made."""
        found = {}
        tops = [self.home, self.serial]
        if self.qmail:
            tops += [self.qmail + "/control", self.qmail + "/users"]
        for top in tops:
            for where, dirs, files in os.walk(top):
                for name in dirs + files:
                    path = os.path.join(where, name)
                    info = os.lstat(path)
                    content = b""
                    if stat.S_ISREG(info.st_mode):
                        with open(path, "rb") as file:
                            content = file.read()
                    found[path] = (info.st_mode, info.st_uid, info.st_gid,
                                   content)
        return found
