#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""popbox-checkpw alone: verdicts, exit codes, the log line, descriptors."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from oldhashes import by_crypt
from tap import (CHECKPW, GID, GOOD, POPBOX, ROOT, SANITIZED, UID, Result, Site,
                 eq, has, hasnt, needs_mounts, record, run, skip, test)

READ_PROC = "/bin /usr /lib /lib64 /etc /proc"  # to look at descriptors
SHOW = ("sh", "-c", "id -u; id -g; id -G; pwd; env; ls -l /proc/self/fd")


@test("a right password runs the program as popusr in the Maildir")
def accept():
    with Site(confine_read=READ_PROC).joe() as site:
        got = site.login(program=SHOW)
        eq(got.rc, 0, got)
        lines = got.out.splitlines()
        eq(lines[:4], [str(UID), str(GID), lines[2], site.box_path()])
        if ROOT:
            eq(lines[2], str(GID), "supplementary groups")
        for text in ("USER=joe@example.com", f"HOME={site.box_path()}",
                     "SHELL=/bin/false", f"MAILDIR={site.box_path()}",
                     "POPBOX_BOX=ex1-0001", "POPBOX_HANDLE=ex1",
                     "POPBOX_DOMAIN=example.com", "TCPREMOTEIP=192.0.2.7"):
            assert text in lines, text
        eq(site.log_line(got), "popbox-checkpw: accept ip=192.0.2.7 "
                               "box=ex1-0001 user=joe@example.com")


@test("the address may be written in any letter case, the password may not")
def letter_case():
    with Site().joe() as site:
        eq(site.login("JOE@Example.COM").rc, 0)
        eq(site.login(password=GOOD.upper()).rc, 1)
        eq(site.login(password=GOOD + " ").rc, 1)
        eq(site.login(password=" " + GOOD).rc, 1)


@test("a box's own name logs in, unless the setting forbids it")
def by_box():
    with Site().joe() as site:
        got = site.login("ex1-0001", program=("sh", "-c", "echo $USER"))
        eq((got.rc, got.out), (0, "joe@example.com\n"))
        site.do("config", "set", "login_by_box", "no")
        eq(site.login("ex1-0001").rc, 1)
        eq(site.login().rc, 0)


REFUSED = [
    ("joe@example.com", "wrong", "mismatch"),
    ("joe@example.com", "", "mismatch"),
    ("ann@example.com", GOOD, "unknown"),
    ("joe@other.example", GOOD, "unknown"),
    ("postmaster@example.com", GOOD, "no-password"),
    ("postmaster@example.com", "", "no-password"),
    ("ex1-0009", GOOD, "unknown"),
    ("ex1-0000", GOOD, "no-password"),
    ("", GOOD, "unknown"),
    ("", "", "unknown"),
    ("@", GOOD, "unknown"),
    ("joe@", GOOD, "unknown"),
    ("@example.com", GOOD, "unknown"),
    ("joe", GOOD, "unknown"),
    ("*@example.com", GOOD, "unknown"),
    ("joe@example.com@example.com", GOOD, "unknown"),
    ("joe@@example.com", GOOD, "unknown"),
    ("joe@example.com.", GOOD, "unknown"),
    (" joe@example.com", GOOD, "unknown"),
    ("joe@example.com ", GOOD, "unknown"),
    ("joe\n@example.com", GOOD, "unknown"),
    ("../joe@example.com", GOOD, "unknown"),
    ("ex1-00001", GOOD, "unknown"),
    ("ex1-1", GOOD, "unknown"),
    ("j" * 200 + "@example.com", GOOD, "unknown"),
    ("joe@" + "e" * 300, GOOD, "unknown"),
    (b"joe\xff\xfe@example.com", GOOD, "unknown"),
    (b"\x01\x1b[2J@example.com", GOOD, "unknown"),
]


@test("everything else is refused with 1, and the program never runs")
def refuse():
    with Site().joe() as site:
        for login, password, reason in REFUSED:
            got = site.login(login, password, program=("echo", "RUN"))
            eq((got.rc, got.out), (1, ""), (login, got))
            line = site.log_line(got)
            has(line, f"refuse ip=192.0.2.7 reason={reason} user=")
            hasnt(got.err, GOOD)


@test("the log is one printable line whatever the client sent")
def log_line():
    with Site().joe() as site:
        for login in (b"a\nb", b"a\rb", b'a" reason="accept', b"a b=c",
                      b"\xff" * 100, b"a" * 400, b"\\x41", b"%s%n",
                      b"x\npopbox-checkpw: accept ip=1.2.3.4 box=a-0001"):
            line = site.log_line(site.login(login, "x"))
            assert line.isprintable(), line
            user = line.split(" user=")[1]
            assert len(user) <= 128 and " " not in user and '"' not in user
            eq(line.split(" user=")[0], "popbox-checkpw: refuse "
               "ip=192.0.2.7 reason=unknown")
        for ip in ("1.2.3.4 reason=x", "", "::1::", "localhost", "a\nb"):
            line = site.log_line(site.login("x", "x",
                                            env={"TCPREMOTEIP": ip}))
            has(line, "ip=- ")
        line = site.log_line(site.login(env={"TCPREMOTEIP": "2001:db8::7"}))
        has(line, "ip=2001:db8::7 ")


@test("records that are too short or too long end with 2")
def malformed():
    with Site().joe() as site:
        for raw in (b"", b"joe@example.com", b"joe@example.com\0",
                    b"joe@example.com\0" + GOOD.encode() + b"\0",
                    b"joe@example.com\0" + GOOD.encode() + b"\0stamp",
                    b"\0\0", b"x" * 512, b"x" * 513):
            got = site.login(raw=raw, program=("echo", "RUN"))
            eq((got.rc, got.out), (2, ""), raw[:40])
            has(site.log_line(got), "error ip=192.0.2.7 reason=\"request: ")
        head = record("joe@example.com", GOOD, b"")
        fits = head[:-1] + b"t" * (512 - len(head)) + b"\0"
        eq(len(fits), 512)
        eq(site.login(raw=fits).rc, 0)
        eq(site.login(raw=fits[:-1] + b"t\0").rc, 2)
        # The interface of checkpassword allows more data behind the stamp.
        eq(site.login(raw=head + b"more").rc, 0)


@test("no program, a wrong option and a closed descriptor 3 end with 2")
def misused():
    with Site().joe() as site:
        got = site.login(program=())
        eq(got.rc, 2)
        has(got.err, "usage: popbox-checkpw")
        eq(site.login(program=("-x", "true")).rc, 2)
        eq(site.login(program=("-d",)).rc, 2)
        got = site.login(close=(3,))
        eq(got.rc, 2)
        has(got.err, "descriptor 3 is closed")
    if not os.path.exists("/var/lib/popbox"):  # the default store
        for program in (("/bin/true",), ("/bin/echo", "x")):
            done = subprocess.run([CHECKPW, *program], capture_output=True,
                                  close_fds=False,
                                  preexec_fn=lambda: os.dup2(0, 3))
            eq(done.returncode, 111, done)
    done = subprocess.run([CHECKPW, "--version"], capture_output=True)
    eq(done.returncode, 0)
    assert done.stdout.startswith(b"popbox-checkpw "), done.stdout
    with open("/dev/full", "w") as full:  # output that nobody takes
        eq(subprocess.run([CHECKPW, "--version"], stdout=full).returncode, 111)


@test("a record that nobody ends is given up after ten seconds with 111")
def late():
    with Site().joe() as site:
        got = site.login(raw=b"joe@example.com\0pass", hold=True)
        eq(got.rc, 111)
        assert got.seconds > 9.5, got.seconds
        has(site.log_line(got), "did not end in time")


@test("descriptors 0 to 3 closed in all 16 ways never mix the store in")
def closed():
    show = ("sh", "-c", 'ls -l /proc/$$/fd >"$OUT"; exit 0')
    with Site(log="none", confine="off").joe() as site:
        out = site.top + "/out"
        os.makedirs(out)
        os.chmod(out, 0o777)
        with open(site.store + "/data.mdb", "rb") as file:
            before = file.read()
        for mask in range(16):
            close = [fd for fd in range(4) if mask >> fd & 1]
            path = f"{out}/{mask}"
            got = site.login(close=close, program=show, env={"OUT": path})
            if 3 in close:
                eq(got.rc, 2, close)
                assert not os.path.exists(path)
                continue
            eq(got.rc, 0, (close, got))
            with open(path) as file:
                text = file.read()
            hasnt(text, site.store)
            wrong = site.login(password="x", close=close)
            eq(wrong.rc, 1, close)
        with open(site.store + "/data.mdb", "rb") as file:
            assert file.read() == before, "the store was written to"


def missing(site):
    shutil.rmtree(site.store)


def no_database(site):
    os.unlink(site.store + "/data.mdb")


def empty_database(site):
    os.truncate(site.store + "/data.mdb", 0)


def cut_database(site):
    os.truncate(site.store + "/data.mdb", 12288)


def odd_cut(site):
    os.truncate(site.store + "/data.mdb", 5000)


def garbage(site):
    with open(site.store + "/data.mdb", "r+b") as file:
        file.write(os.urandom(20000))


def no_config(site):
    os.unlink(site.store + "/config")


def bad_config(site):
    with open(site.store + "/config", "a") as file:
        file.write("shoe_size = 42\n")


def open_config(site):
    os.chmod(site.store + "/config", 0o666)


def link_config(site):
    os.rename(site.store + "/config", site.store + "/config.real")
    os.symlink("config.real", site.store + "/config")


def root_config(site):
    with open(site.store + "/config") as file:
        text = file.read()
    with open(site.store + "/config", "w") as file:
        file.write(text.replace(f"uid = {UID}", "uid = 0"))


def huge_config(site):
    with open(site.store + "/config", "a") as file:
        file.write("# more\n" * 10000)


def foreign_config(site):
    os.chown(site.store + "/config", UID + 7, -1) if ROOT else \
        huge_config(site)


def open_store(site):
    os.chmod(site.store, 0o777)


def pipe_database(site):
    os.unlink(site.store + "/data.mdb")
    os.mkfifo(site.store + "/data.mdb")


def link_database(site):
    os.rename(site.store + "/data.mdb", site.store + "/real")
    os.symlink("real", site.store + "/data.mdb")


def meta_flip(site):
    with open(site.store + "/data.mdb", "r+b") as file:
        file.seek(4139)
        file.write(b"\xad")


def flipped_hash(site):
    with open(site.store + "/data.mdb", "r+b") as file:
        data = file.read()
        file.seek(0)
        file.write(data.replace(b"$argon2id$", b"$argon2ie$"))


def no_maildir(site):
    shutil.rmtree(site.box_path())


def link_maildir(site):
    os.rename(site.box_path(), site.box_path() + ".moved")
    os.symlink(site.box_path() + ".moved", site.box_path())


def sealed_maildir(site):
    os.chmod(site.box_path(), 0o600)


def file_maildir(site):
    shutil.rmtree(site.box_path())
    with open(site.box_path(), "w"):
        pass


@test("what cannot be told ends with 111, for the right password and a wrong")
def cannot_tell():
    for damage in (missing, flipped_hash, no_database, empty_database, cut_database,
                   odd_cut, garbage, pipe_database, link_database, no_config, bad_config, open_config,
                   link_config, root_config, huge_config, foreign_config,
                   open_store):
        with Site().joe() as site:
            damage(site)
            for password in (GOOD, "wrong"):
                got = site.login(password=password, program=("echo", "RUN"),
                                 prefix=())
                eq((got.rc, got.out), (111, ""), (damage.__name__, got))


@test("a Maildir that is missing or no directory ends an accepted login with 111")
def maildir():
    for damage in (no_maildir, link_maildir, file_maildir, sealed_maildir):
        with Site().joe() as site:
            damage(site)
            got = site.login(program=("echo", "RUN"))
            eq((got.rc, got.out), (111, ""), (damage.__name__, got))
            has(site.log_line(got), "error ip=192.0.2.7 reason=\"maildir: ")
            eq(site.login(password="wrong").rc, 1)


@test("a program that is not there ends with 111 and one line")
def program():
    with Site().joe() as site:
        for name in ("no-such-program", "/no/such/program", site.home):
            got = site.login(program=(name,))
            eq(got.rc, 111, name)
        # A directory of that name does not hide the program behind it.
        os.makedirs(site.top + "/path/sh")
        got = site.login(env={"PATH": site.top + "/path:" +
                              os.environ["PATH"]})
        eq(got.rc, 0, got)
        site.log_line(site.login(program=("/etc",)))
        has(site.log_line(site.login(program=("no-such-program",))),
            "reason=\"program: No such file")
        # The longest path there is; with one more it must not be cut to another.
        longest = "/" * (4095 - len("bin/sh")) + "bin/sh"
        eq(site.login(program=(longest, "-c", "exit 0")).rc, 0)
        got = site.login(program=(longest + "X", "-c", "exit 0"))
        eq(got.rc, 111)
        has(site.log_line(got), "program: File name too long")
        # None at all, and none that a path can name.
        for name, why in (("", "No such file"),
                          ("x" * 5000, "No such file"),
                          ("/" + "x" * 5000, "File name too long"),
                          ("/" * 5000 + "bin/sh", "File name too long"),
                          ("/etc/passwd", "Permission denied")):
            got = site.login(program=(name,))
            eq(got.rc, 111, name[:20])
            has(site.log_line(got), "reason=\"program: " + why)


@test("without PATH, or with one whose parts are too long, the program is looked "
      "for where execvp would")
def no_path():
    with Site().joe() as site:
        prefix = ("env", "-u", "PATH")
        eq(site.login(program=("sh", "-c", "exit 0"), prefix=prefix).rc, 0)
        eq(site.login(program=("no-such",), prefix=prefix).rc, 111)
        path = "/" + "x" * 5000 + ":" + os.environ["PATH"]
        eq(site.login(program=("sh", "-c", "exit 0"), env={"PATH": path}).rc, 0)
        got = site.login(program=("sh",), env={"PATH": path.split(":")[0]})
        eq(got.rc, 111)
        has(site.log_line(got), "program: No such file")


@test("a run script that names the Maildir is told so, unless there is one in it")
def run_script():
    with Site().joe() as site:
        names = ("Maildir", "./Maildir", "Maildir/", "./Maildir/")
        for name in names:
            got = site.login(program=("echo", name))
            eq((got.rc, got.out), (111, ""), name)
            has(site.log_line(got), "run script: argument 'Maildir', it must "
                "be '.' here")
        eq(site.login(program=("echo", "./x")).out, "./x\n")
        os.mkdir(site.box_path() + "/Maildir")
        for name in names:
            eq(site.login(program=("echo", name)).out, name + "\n")


@test("a store whose path is too long for its files is 111, and said")
def long_store():
    with Site().joe() as site:
        room = 4095 - len(site.store)
        eq(site.login(store="/" * (room - 20) + site.store).rc, 0)
        got = site.login(store="/" * (room - 4) + site.store)
        eq(got.rc, 111)
        has(site.log_line(got), "store: File name too long")
        # Without settings nobody knows where the log is.
        eq(site.login(store="/" * (room + 1) + site.store).rc, 111)


@test("a program named by a relative path is the run script's, not the Maildir's")
def relative():
    with Site().joe() as site:
        for where, text in ((site.top, "mine"), (site.box_path(), "popusr's")):
            with open(where + "/run", "w") as file:
                file.write(f"#!/bin/sh\npwd; echo {text}\n")
            os.chmod(where + "/run", 0o755)
        here = ("env", "-C", site.top)
        for name, path in (("./run", os.environ["PATH"]),
                           ("run", ".:" + os.environ["PATH"]),
                           ("run", ":" + os.environ["PATH"])):
            got = site.login(program=(name,), prefix=here, env={"PATH": path})
            eq((got.rc, got.out), (0, site.box_path() + "\nmine\n"), name)
        os.unlink(site.top + "/run")
        eq(site.login(program=("./run",), prefix=here).rc, 111)


@test("a fault in a damaged store is 111 and a line, even if signals are blocked",
      plain=True)
def fault():
    with Site().joe() as site:
        meta_flip(site)
        for prefix in ((), ("env", "--block-signal")):
            for password in (GOOD, "wrong"):
                got = site.login(password=password, prefix=prefix)
                eq(got.rc, 111, (prefix, got))
                has(site.log_line(got), "error ip=")


@test("a log that nobody reads or that may not grow costs the line alone",
      plain=True)
def lost_log():
    with Site().joe() as site:
        for password, rc in ((GOOD, 0), ("wrong", 1)):
            reader, writer = os.pipe()
            os.write(writer, record("joe@example.com", password))
            os.close(writer)
            gone, deaf = os.pipe()
            os.close(gone)

            def before():
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.dup2(reader, 3)
                os.set_inheritable(3, True)
            done = subprocess.run(
                [CHECKPW, "-d", site.store, "sh", "-c", "exit 0"],
                stderr=deaf, preexec_fn=before, close_fds=False)
            eq(done.returncode, rc)
            os.close(reader)
            os.close(deaf)


@test("hashes that other programs made are verified, dear ones cost nothing")
def schemes():
    with Site().joe() as site:
        for setting in ("$y$j75$saltsalt", "$2b$05$abcdefghijklmnopqrstuu",
                        "$6$rounds=1000$saltsalt", "$5$rounds=1000$saltsalt"):
            hashed = by_crypt("p\u00e4ss word", setting)
            site.do("passwd", "joe@example.com", "--hash-stdin", input=hashed)
            eq(site.login(password="p\u00e4ss word").rc, 0, setting)
            eq(site.login(password="p\u00e4ss worD").rc, 1, setting)
            eq(site.login(password="").rc, 1, setting)
        dear = by_crypt(GOOD, "$5$rounds=1000000$ab")
        site.do("passwd", "joe@example.com", "--hash-stdin", input=dear)
        eq(site.login().rc, 0)
        # A stranger's long password does not buy more of our time.
        got = site.login(password="x" * 400)
        eq(got.rc, 111)
        has(site.log_line(got), "beyond the cost caps")
        for bad in ("$6$rounds=999999999$s$" + "a" * 85 + ".",
                    "$2b$31$" + "a" * 21 + "u" + "a" * 31, "$1$salt$" + "a" * 22, "{SSHA}x"):
            site.fails(100, "cannot be used", "passwd", "joe@example.com",
                       "--hash-stdin", input=bad)


@test("too little memory is 111, never 1, for every limit", plain=True)
def memory():
    with Site(argon2_kib="19456", argon2_passes="1").joe() as site:
        site.do("box", "add", "y@example.com", "--hash-stdin",
                input=by_crypt(GOOD, "$y$j9T$saltsalt"))
        seen = set()
        for mebibytes in list(range(4, 64, 3)) + [100, 200, 400]:
            for login in ("joe@example.com", "y@example.com"):
                got = site.login(login, limit=mebibytes << 20)
                # Below a few MiB the kernel cannot even load the program.
                assert got.rc in (0, 111, -9, -11, 127), (mebibytes, got)
                assert mebibytes < 16 or got.rc in (0, 111), (mebibytes, got)
                wrong = site.login(login, "wrong", limit=mebibytes << 20)
                assert wrong.rc != 0, (mebibytes, wrong)
                seen.add(got.rc)
        assert {0, 111} <= seen, f"the limits did not bite: {seen}"


@test("no class of refusal is answered before the deadline")
def deadline():
    with Site(refuse_delay_ms="300").joe() as site:
        for login, password in (("joe@example.com", "wrong"),
                                ("ann@example.com", "wrong"),
                                ("joe@other.org", "wrong"),
                                ("\x01", "wrong"),
                                ("postmaster@example.com", "wrong")):
            got = site.login(login, password)
            eq(got.rc, 1)
            assert got.seconds >= 0.29, (login, got.seconds)
        assert site.login().rc == 0
        # No more than a refusal tells what cannot be told about the password.
        if SANITIZED:
            return  # it needs more memory than any limit
        site.settings({"argon2_kib": "262144"})
        got = site.login("ann@example.com", "wrong",
                         prefix=("prlimit", "--as=100000000"))
        eq(got.rc, 111, got)
        assert got.seconds >= 0.29, got.seconds


def reachable(site, program):
    """A copy where every user may reach it; this tree may be root's alone."""
    return shutil.copy(program, site.top)


@test("a caller that is neither root nor popusr gets 111", root=True)
def not_root():
    with Site().joe() as site:
        os.chmod(site.store, 0o755)
        os.chmod(site.store + "/data.mdb", 0o644)

        def become():
            os.setgroups([])
            os.setgid(12345)
            os.setuid(12345)
        reader, writer = os.pipe()
        os.write(writer, record("joe@example.com", GOOD))
        os.close(writer)

        def before():
            os.dup2(reader, 3)
            os.set_inheritable(3, True)
            become()
        done = Result(subprocess.run(
            [reachable(site, CHECKPW), "-d", site.store, "echo", "RUN"],
            capture_output=True,
            preexec_fn=before, close_fds=False))
        os.close(reader)
        eq((done.rc, done.out), (111, ""), done)
        has(done.err, "error ip=")


@test("whoever could be root again, or is popusr by half, gets 111", root=True,
      plain=True)
def half_dropped():
    def ends(why, *how):
        got = site.login(program=("echo", "RUN"), prefix=("setpriv", *how))
        eq((got.rc, got.out), (111, ""), (how, got))
        has(site.log_line(got), why)

    with Site().joe() as site:
        for path in (site.store, site.store + "/config",
                     site.store + "/data.mdb"):
            os.chown(path, UID, GID)
        us = ("--reuid", str(UID), "--regid", str(GID), "--clear-groups")
        eq(site.login(prefix=("setpriv", *us)).rc, 0)
        for cap in ("setuid", "setgid"):
            ends("root could be had again", *us, "--inh-caps", "+" + cap,
                 "--ambient-caps", "+" + cap)
        neither = "not started as root and not as popusr"
        ends(neither, *us[:2], "--regid", str(GID + 1), "--clear-groups")
        ends(neither, "--reuid", str(UID), "--rgid", str(GID + 1),
             "--egid", str(GID), "--clear-groups")
        os.chmod(site.store, 0o755)
        os.chmod(site.store + "/config", 0o644)
        os.chmod(site.store + "/data.mdb", 0o644)
        ends(neither, "--ruid", str(UID + 1), "--euid", str(UID), *us[2:])


@test("a private installation works without root", root=True)
def private():
    """Everything, the tool too, as the one user whose store it is."""
    with Site(init=False, standins=True) as site:
        os.chown(site.top, 4711, 4711)
        subprocess.run(["chown", "-R", "4711:4711", site.qmail], check=True)

        def become():
            os.setgroups([])
            os.setgid(4711)
            os.setuid(4711)
        for args, data in (
                (("init", "--uid", "4711", "--gid", "4711", "--home",
                  site.home, "--serialmail", site.serial, "--qmail",
                  site.qmail), b""),
                (("domain", "add", "example.com", "--handle", "ex1"), b""),
                (("box", "add", "joe@example.com", "--stdin"),
                 GOOD.encode())):
            got = Result(subprocess.run(
                [reachable(site, POPBOX), "-d", site.store, *args],
                input=data, capture_output=True, preexec_fn=become,
                cwd="/"))
            eq(got.rc, 0, got)
        reader, writer = os.pipe()
        os.write(writer, record("joe@example.com", GOOD))
        os.close(writer)

        def before():
            os.dup2(reader, 3)
            os.set_inheritable(3, True)
            become()
        done = Result(subprocess.run(
            [reachable(site, CHECKPW), "-d", site.store, "id", "-u"],
            capture_output=True,
            preexec_fn=before, close_fds=False))
        os.close(reader)
        eq((done.rc, done.out), (0, "4711\n"), done)


# A /dev of its own: on this machine's somebody else may listen.
OWN_DEV = ("unshare", "--mount", "sh", "-c",
           'mount --bind /dev/shm "$0/shm" && mount --rbind "$0" /dev || exit '
           '77; exec "$@"')


@test("syslog gets the same line", root=True)
def syslog():
    import socket
    needs_mounts()
    with Site(log="syslog").joe() as site, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        dev = site.top + "/dev"
        os.makedirs(dev + "/shm")  # where the store may be
        server.bind(dev + "/log")
        os.chmod(dev + "/log", 0o666)
        server.settimeout(10)
        for password, want in (
                (GOOD, "<22>popbox-checkpw: accept ip=192.0.2.7 "
                 "box=ex1-0001 user=joe@example.com"),
                ("wrong", "<21>popbox-checkpw: refuse ip=192.0.2.7 "
                 "reason=mismatch user=joe@example.com")):
            got = site.login(password=password,
                             prefix=(*OWN_DEV, dev))
            if got.rc == 77:
                skip("no mounting here")
            eq(server.recv(2000).decode(), want)
        # A daemon that hangs costs a second, not the login.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)
            filler.connect(dev + "/log")
            try:
                while True:
                    filler.send(b"x")
            except BlockingIOError:
                pass
            got = site.login(prefix=(*OWN_DEV, dev))
            eq(got.rc, 0)
            assert 0.9 < got.seconds < 5, got.seconds


run()
