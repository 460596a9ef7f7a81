#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples of doc/examples, run with what Debian has of their programs.
They are copied, and only paths, ports and users are changed on the way."""
import glob
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import central
import seen
import tap
from tap import (BUILD, CHECKPW, GOOD, POPBOX, QMAIL, SANITIZED, TREE, Site, as_third,
                 eq, has, hasnt, record, run, skip, test)

EXAMPLES = TREE + "/doc/examples"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


class Example(Site):
    """A site with joe, the default hash, and an example's files."""

    def __init__(self, files, *changes, **settings):
        super().__init__(argon2_kib=19456, argon2_passes=2, **settings)
        self.joe()
        self.port = free_port()
        self.where = self.top + "/example"
        shutil.copytree(f"{EXAMPLES}/{files}", self.where)
        changes = ((r"/usr/local/sbin/popbox-checkpw",
                    f"{CHECKPW} -d {self.store}"),
                   (r"/var/qmail/", f"{self.qmail}/"), *changes)
        left = {change for change, _ in changes}
        for path in glob.glob(self.where + "/**", recursive=True):
            if not os.path.isfile(path):
                continue
            with open(path) as file:
                text = file.read()
            for change, to in changes:
                text, count = re.subn(change, to.replace("PORT",
                                                         str(self.port)), text)
                left -= {change} if count else set()
            with open(path, "w") as file:
                file.write(text)
        eq(left, set(), "what the example does not have")

    def connect(self, source="127.0.0.1"):
        for _ in range(100):
            try:
                return socket.create_connection(
                    ("127.0.0.1", self.port), 20, (source, 0))
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise AssertionError("nobody listens")

    def logged(self, part):
        """Waits for a line in the log that the logger writes."""
        text = ""
        for _ in range(100):
            for path in glob.glob(self.where + "/**/current", recursive=True):
                with open(path) as file:
                    text = file.read()
            if part in text:
                return
            time.sleep(0.05)
        raise AssertionError(f"{part!r} is not in {text!r}")


def talk(connection, password=GOOD):
    """One POP session; the answer to the password, and to STAT."""
    with connection, connection.makefile("rwb") as file:
        has(file.readline(), b"+OK")
        answers = []
        for line in (b"USER joe@example.com", b"PASS " + password.encode(),
                     b"STAT", b"QUIT"):
            file.write(line + b"\r\n")
            file.flush()
            answers.append(file.readline().decode().strip())
            if answers[-1].startswith("-"):
                break
    return answers[1:3]


LISTEN = (r" 0 110 ", " 127.0.0.1 PORT ")


def supervised(site):
    eq(talk(site.connect())[1], "+OK 0 0")
    has(talk(site.connect("127.0.0.5"), "wrong")[0], "-ERR")
    site.logged("accept ip=127.0.0.1 box=ex1-0001 user=joe@example.com")
    site.logged("refuse ip=127.0.0.5 reason=mismatch user=joe@example.com")


@test("daemontools: the service serves, logs, and comes back when it is ended",
      root=True, plain=True)
def daemontools():
    needs("svscan", "tcpserver")
    with Example("daemontools", LISTEN, (r"setuidgid log ", "")) as site:
        scan = site.start("svscan", site.where, stderr=subprocess.DEVNULL)
        parts = [f"{site.where}/pop3", f"{site.where}/pop3/log"]
        try:
            supervised(site)
            subprocess.run(["svc", "-t", parts[0]], check=True)
            time.sleep(0.2)
            supervised(site)
        finally:
            scan.terminate()
            scan.wait()
            subprocess.run(["svc", "-dx", *parts], check=True)
            for _ in range(100):
                if subprocess.run(["svok", parts[0]]).returncode:
                    break
                time.sleep(0.05)


@test("s6: the service serves, logs, and comes back when it is ended",
      root=True, plain=True)
def s6():
    needs("s6-svscan", "tcpserver")
    with Example("s6", LISTEN, (r"s6-setuidgid log ", "")) as site:
        for name in ("verdict", "rcptcheck"):
            shutil.rmtree(f"{site.where}/{name}")
        scan = site.start("s6-svscan", site.where, stderr=subprocess.DEVNULL)
        try:
            supervised(site)
            subprocess.run(["s6-svc", "-wr", "-t", site.where + "/pop3"],
                           check=True, stderr=subprocess.DEVNULL)
            supervised(site)
        finally:
            subprocess.run(["s6-svscanctl", "-t", site.where], check=True)
            scan.wait(20)


@test("stunnel: over TLS too the log has the client's address", root=True,
      plain=True)
def stunnel():
    needs("stunnel", "tcpserver", "openssl")
    with Example("stunnel", (r" 0 995 ", " 127.0.0.1 PORT "),
                 (r"/etc/stunnel/", "../"),
                 (r"/etc/ssl/private/pop.example.com.pem", "../cert")) as site:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-subj", "/CN=pop.example.com", "-days", "2", "-keyout",
             site.where + "/cert", "-out", site.where + "/public"],
            check=True, capture_output=True)
        with open(site.where + "/public") as public, \
                open(site.where + "/cert", "a") as cert:
            cert.write(public.read())
        with open(site.where + "/current", "wb") as log:
            site.start("./run", cwd=site.where + "/pop3s", stdout=log,
                       stderr=log, stdin=subprocess.DEVNULL)
        client = ssl.create_default_context(cafile=site.where + "/public")
        for source, password, want in (("127.0.0.1", GOOD, "accept"),
                                       ("127.0.0.5", "wrong", "refuse")):
            with site.connect(source) as connection:
                talk(client.wrap_socket(connection,
                                        server_hostname="pop.example.com"),
                     password)
            site.logged(f"{want} ip={source} ")


def unit(path):
    """Keys of a unit file to their last value."""
    with open(path) as file:
        return dict(re.findall(r"^(\w+)=(.*)$", file.read(), re.M))


@test("systemd finds no fault in the units")
def units():
    needs("systemd-analyze")
    with Site(qmail=False, init=False) as site:
        for path in glob.glob(EXAMPLES + "/systemd/*"):
            with open(path) as file, \
                    open(f"{site.top}/{os.path.basename(path)}", "w") as to:
                to.write(re.sub("/usr/local/sbin/popbox(-status-mail|-metrics)? ",
                                "/bin/true ", file.read()))
        paths = sorted(glob.glob(site.top + "/popbox-*.*"))
        eq(len(paths), 19)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no",
                               *paths], capture_output=True, text=True)
        eq((done.returncode, done.stderr), (0, ""))
        with open(paths[0], "a") as file:
            file.write("Nonsense=1\n")
        has(subprocess.run(["systemd-analyze", "verify", "--man=no", paths[0]],
                           capture_output=True, text=True).stderr, "Nonsense")


def remembered(site, work):
    """work() is a login that is remembered, with the unit's few capabilities."""
    if not tap.APART:
        return
    seen.clean()
    site.settings({"login_cache": "3600"})
    work()
    eq(len(seen.entries()), 1)
    seen.clean()


@test("systemd: a connection's service, run as its unit says, serves and logs",
      root=True, plain=True)
def systemd():
    """systemd itself does not run here: its part is played, with REMOTE_ADDR
    (systemd.exec(5)), the socket as 0 and 1, capabilities and limits."""
    needs("setpriv")
    with Example("systemd") as site, socket.socket() as server:
        keys = unit(site.where + "/popbox-pop3@.service")
        socket_keys = unit(site.where + "/popbox-pop3.socket")
        eq((socket_keys["Accept"], keys["StandardInput"],
            keys["StandardOutput"]), ("yes", "socket", "socket"))
        server.bind(("127.0.0.1", site.port))
        server.listen()
        caps = [c[4:].lower() for c in keys["CapabilityBoundingSet"].split()]
        limit = int(keys["LimitDATA"].removesuffix("M")) << 20

        def one(source, password, want):
            client = site.connect(source)
            connection, (address, _) = server.accept()
            command = keys["ExecStart"].removeprefix("-").replace(
                "${REMOTE_ADDR}", address).split()
            with connection, open(site.where + "/current", "ab") as log:
                service = site.start(
                    "prlimit", f"--data={limit}", "setpriv",
                    "--bounding-set=-all,+" + ",+".join(caps), *command,
                    stdin=connection, stdout=connection, stderr=log,
                    env={"PATH": "/usr/bin:/bin", "REMOTE_ADDR": address})
            answer = talk(client, password)
            service.wait(20)
            eq(len(answer), 2 if want == "accept" else 1, answer)
            site.logged(f"{want} ip={source} ")
        one("127.0.0.1", GOOD, "accept")
        one("127.0.0.5", "wrong", "refuse")
        remembered(site, lambda: one("127.0.0.1", GOOD, "accept"))


@test("the status is mailed when something wants a hand, and not otherwise")
def status():
    with Site(standins=True).joe() as site:
        path = site.top + "/popbox-status-mail"
        with open(EXAMPLES + "/systemd/popbox-status-mail") as file, \
                open(path, "w") as to:
            to.write(file.read().replace(
                "/usr/local/sbin/popbox ", f"{POPBOX} -d {site.store} "
            ).replace("/var/qmail/", site.qmail + "/"))

        def mailed():
            subprocess.run(["sh", path, "admin@example.org"], check=True)
            return site.queued()
        (_, recipients, text), = mailed()
        eq(recipients, ["admin@example.org"])
        has(text, "exit code 1")
        has(text, "qmail-send is not running")
        process = site.send()
        eq(len(mailed()), 1)
        process.end()


@test("the metrics appear whole under their name, readable by all; what failed leaves "
      "the last ones there and nothing else")
def metrics():
    with Site(qmail=False).joe() as site:
        path, where = site.top + "/popbox-metrics", site.top + "/collector"
        os.mkdir(where)
        with open(EXAMPLES + "/systemd/popbox-metrics") as file, \
                open(path, "w") as to:
            to.write(file.read().replace("/usr/local/sbin/popbox ",
                                         f"{POPBOX} -d {site.store} "))
        subprocess.run(["sh", path, where], check=True)
        subprocess.run(["sh", path, where], check=True)
        eq(os.listdir(where), ["popbox.prom"])
        eq(os.stat(where + "/popbox.prom").st_mode & 0o777, 0o644)
        with open(where + "/popbox.prom") as file:
            text = file.read()
        has(text, "\npopbox_boxes 2\n")
        has(text, "\npopbox_collected_timestamp_seconds ")
        os.rename(site.store, site.store + ".away")
        eq(subprocess.run(["sh", path, where], stderr=subprocess.DEVNULL)
           .returncode, 111)
        os.rename(site.store + ".away", site.store)
        eq(os.listdir(where), ["popbox.prom"])
        with open(where + "/popbox.prom") as file:
            eq(file.read(), text)


@test("every alert rule speaks of metrics that there are, and promtool takes them")
def rules():
    path = EXAMPLES + "/prometheus/popbox.rules.yml"
    with open(path) as file:
        used = set(re.findall(r"\bpopbox_\w+", file.read()))
    with open(TREE + "/doc/man/popbox-stats.8") as file:
        eq(used - set(re.findall(r"\bpopbox_\w+", file.read())), set())
    assert len(used) > 5, used
    needs("promtool")
    done = subprocess.run(["promtool", "check", "rules", path],
                          capture_output=True, text=True)
    eq(done.returncode, 0, done)


@test("a limit as the run scripts have it lets logins through whatever the size "
      "of the store; softlimit -m would not", root=True, plain=True)
def limits():
    needs("softlimit")
    with Example("daemontools", LISTEN) as site:
        with open(site.where + "/pop3/run") as file:
            limit = re.search(r"softlimit -d (\d+)", file.read()).group(1)

        def code(option, bytes):
            return site.login(prefix=("softlimit", option, str(bytes))).rc

        eq(code("-d", limit), 0)
        eq(code("-m", limit), 0)
        site.do("domain", "add", "--from", "-", "--kind", "backup",
                "--handle", "ex1", "--no-sync", input="".join(
                    f"{n}.{'x' * 60}.{'y' * 60}.{'z' * 60}.org\n"
                    for n in range(60000)))
        size = os.stat(site.store + "/data.mdb").st_size
        assert size > 60 << 20, size  # with its hole
        eq(code("-d", limit), 0)
        eq(code("-m", limit), 111)
        # The floor: what the hash alone takes.
        eq(code("-d", 19456 << 10), 111)


def as_nobody(site, command, password):
    """As qmail-smtpd runs its checkpassword program: another user, and the
    record on descriptor 3."""
    reader, writer = os.pipe()
    os.write(writer, record("joe@example.com", password))
    os.close(writer)

    with as_third(reader):
        done = subprocess.run(
            command, user="nobody", group="nogroup", extra_groups=[],
            close_fds=False, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, env={"PATH": "/usr/bin:/bin", "TCPREMOTEIP": "192.0.2.9"})
    os.close(reader)
    return done


@test("SMTP AUTH: another user's program asks the service, whose directory keeps "
      "others out", root=True, plain=True)
def smtp_auth():
    needs("s6-svscan", "s6-ipcserver")
    with Example("s6", (r"/run/popbox-verdict", "../socket"),
                 (r"id -g qmaild", "id -g nobody"), (r"s6-setuidgid log ", "")
                 ) as site:
        for name in ("pop3", "rcptcheck"):
            shutil.rmtree(f"{site.where}/{name}")
        with open(EXAMPLES + "/smtp-auth/run") as file:
            command = re.search(r"(/usr/local/sbin/popbox-askpw .*)$", file.read(),
                                re.M)[1].split()
        where = site.where + "/socket"
        command[0] = f"{BUILD}/{os.path.basename(command[0])}"
        command = [word.replace("/run/popbox-verdict", where)
                   for word in command]
        scan = site.start("s6-svscan", site.where, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                if os.path.exists(where + "/socket"):
                    break
                time.sleep(0.05)
            done = as_nobody(site, command, GOOD)
            eq((done.returncode, done.stderr), (0, ""))
            site.logged("accept ip=192.0.2.9 box=ex1-0001 service=smtp peer=65534 ")
            eq(as_nobody(site, command, "wrong").returncode, 1)
            site.do("box", "set", "ex1-0001", "--login", "smtp=off")
            eq(as_nobody(site, command, GOOD).returncode, 1)
            site.do("box", "set", "ex1-0001", "--login", "smtp=on")
            os.chown(where, 0, 0)
            done = as_nobody(site, command, GOOD)
            eq(done.returncode, 111)
            has(done.stderr, "Permission denied")
        finally:
            subprocess.run(["s6-svscanctl", "-t", site.where], check=True)
            scan.wait(20)


@test("recipients: qmail-smtpd's user asks the service, by RCPTCHECK; its directory "
      "keeps others out", root=True, plain=True)
def recipients():
    needs("s6-svscan", "s6-ipcserver")
    with Example("s6", (r"/run/popbox-rcptcheck", "../socket"),
                 (r"id -g qmaild", "id -g nobody"), (r"s6-setuidgid log ", ""),
                 (r"/usr/local/sbin/popbox-rcptcheck",
                  f"{BUILD}/popbox-rcptcheck -d ../../store")) as site:
        for name in ("pop3", "verdict"):
            shutil.rmtree(f"{site.where}/{name}")
        with open(EXAMPLES + "/rcptcheck/run") as file:
            program = re.search(r"^RCPTCHECK=/usr/local/sbin(/.*)$", file.read(),
                                re.M)[1]
        where = site.where + "/socket"

        def code(address):
            return subprocess.run(
                [BUILD + program], user="nobody", group="nogroup", extra_groups=[],
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={"RECIPIENT": address,
                     "POPBOX_RCPTCHECK": where + "/socket"}).returncode
        scan = site.start("s6-svscan", site.where, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                if os.path.exists(where + "/socket"):
                    break
                time.sleep(0.05)
            eq((code("joe@example.com"), code("jo@example.com")), (0, 100))
            os.rename(site.domain_path(), site.domain_path() + ".away")
            eq(code("jo@example.com"), 111)
            site.logged("a domain's directory: No such file or directory")
            os.chown(where, 0, 0)
            eq(code("joe@example.com"), 111)
        finally:
            subprocess.run(["s6-svscanctl", "-t", site.where], check=True)
            scan.wait(20)


@test("systemd: a question's service, run as its unit says, answers and logs",
      root=True, plain=True)
def verdict_unit():
    """systemd's part is played, as above."""
    needs("setpriv")
    with Example("systemd") as site:
        keys = unit(site.where + "/popbox-verdict@.service")
        socket_keys = unit(site.where + "/popbox-verdict.socket")
        eq((socket_keys["Accept"], keys["StandardInput"],
            keys["StandardOutput"]), ("yes", "socket", "socket"))
        caps = [c[4:].lower() for c in keys["CapabilityBoundingSet"].split()]
        # Else it could not make its table, nor would the next find it.
        eq((keys["RuntimeDirectory"], keys["RuntimeDirectoryPreserve"]),
           ("popbox", "yes"))

        def one(password, want):
            client, connection = socket.socketpair()
            with client, connection, open(site.where + "/current", "ab") as log:
                service = site.start(
                    "prlimit", f"--data={40 << 20}", "setpriv",
                    "--bounding-set=-all,+" + ",+".join(caps),
                    *keys["ExecStart"].removeprefix("-").split(),
                    stdin=connection, stdout=connection, stderr=log,
                    env={"PATH": "/usr/bin:/bin"})
                connection.close()
                client.sendall(record("joe@example.com", password))
                client.shutdown(socket.SHUT_WR)
                has(client.makefile().read(), want)
            service.wait(20)
            site.logged(want.split()[0] + " ip=- ")
        right = "accept\tjoe@example.com\tex1-0001\t"
        one(GOOD, right)
        one("wrong", "refuse\n")
        remembered(site, lambda: one(GOOD, right))


@test("systemd: the service of a recipient, run as its unit says, answers",
      root=True, plain=True)
def recipient_unit():
    needs("setpriv")
    with Example("systemd") as site:
        keys = unit(site.where + "/popbox-rcptcheck@.service")
        eq((unit(site.where + "/popbox-rcptcheck.socket")["Accept"],
            keys["StandardInput"], keys["StandardOutput"]),
           ("yes", "socket", "socket"))
        caps = [c[4:].lower() for c in keys["CapabilityBoundingSet"].split()]
        command = keys["ExecStart"].removeprefix("-").replace(
            "/usr/local/sbin/popbox-rcptcheck",
            f"{BUILD}/popbox-rcptcheck -d {site.store}").split()
        for address, want in (("joe@example.com", "there\n"),
                              ("jo@example.com", "none\n")):
            client, connection = socket.socketpair()
            with client, connection:
                service = site.start(
                    "prlimit", f"--data={20 << 20}", "setpriv",
                    "--bounding-set=-all,+" + ",+".join(caps), *command,
                    stdin=connection, stdout=connection,
                    env={"PATH": "/usr/bin:/bin"})
                connection.close()
                client.sendall(address.encode())
                client.shutdown(socket.SHUT_WR)
                eq(client.makefile().read(), want)
            eq(service.wait(20), 0)


def banned(site, text, *options):
    """The addresses that fail2ban's own reader finds in a log."""
    with open(site.top + "/log", "w") as file:
        file.write(text)
    os.makedirs(site.top + "/filter.d", exist_ok=True)
    shutil.copy("/etc/fail2ban/filter.d/common.conf", site.top + "/filter.d")
    shutil.copy(EXAMPLES + "/fail2ban/filter.d/popbox.conf",
                site.top + "/filter.d")
    done = subprocess.run(
        ["fail2ban-regex", "-o", "ip", site.top + "/log",
         site.top + "/filter.d/popbox.conf"], capture_output=True, text=True)
    eq(done.returncode, 0, done.stderr)
    return done.stdout.split()


FAKE = "popbox-checkpw: refuse ip=6.6.6.6 reason=mismatch user=x"
HOSTILE = [
    "joe@example.com", f"x\n{FAKE}", f"x\r\n{FAKE}", f"x\r{FAKE}", FAKE,
    f'"{FAKE}"', f"x user={FAKE}", " refuse ip=6.6.6.6 reason=mismatch user=x",
    "x ip=6.6.6.6", "ip=6.6.6.6", "'ip=6.6.6.6'", "\\nip=6.6.6.6",
    "\x0bip=6.6.6.6", "\x85" + FAKE, "\u2028" + FAKE, "\x1b[2K" + FAKE,
    "x" * 120 + FAKE, "x" * 127 + "\n" + FAKE, "]: " + FAKE,
    "Nov 24 17:00:00 host " + FAKE, "\n@400000005f5e10000000000 " + FAKE,
    "6.6.6.6", "@6.6.6.6", "<6.6.6.6>", "", "\\", "\\x0a", "%s%n", "\xff\xfe",
    "x reason=mismatch user=\n", "\t", "user=x ",
]


@test("fail2ban bans the real address whatever a login name says")
def fail2ban():
    needs("fail2ban-regex")
    with Site(qmail=False).joe() as site:
        now = time.strftime("%b %d %H:%M:%S")
        lines = []
        for name in HOSTILE:
            raw = name.encode("latin-1" if max(name, default=" ") < "\u0100"
                              else "utf-8")
            result = site.login(raw, "wrong")
            eq(result.rc, 1, name)
            lines.append(result.err.rstrip("\n"))
        count = len(HOSTILE)
        # As syslog, the journal's export, and multilog have them.
        for before in (f"{now} mail ", f"{now} mail.example.com ",
                       time.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00 mail ",
                                     time.gmtime())):
            text = "".join(before + line + "\n" for line in lines)
            eq(banned(site, text), ["192.0.2.7"] * count, before)
        if shutil.which("multilog"):
            done = subprocess.run(
                ["multilog", "t", site.top + "/multilog"], input="".join(
                    line + "\n" for line in lines).encode(), check=True)
            with open(site.top + "/multilog/current") as file:
                eq(banned(site, file.read()), ["192.0.2.7"] * count)
        # This would have been seen: a name that came through as it is.
        eq(banned(site, f"{now} mail {lines[0]}\n{now} mail {FAKE}\n"),
           ["192.0.2.7", "6.6.6.6"])


@test("fail2ban passes over accepted and suspended logins, errors, and clients "
      "without an address; it knows IPv6")
def fail2ban_others():
    needs("fail2ban-regex")
    with Site(qmail=False).joe() as site:
        now = time.strftime("%b %d %H:%M:%S mail ")

        def line(**kw):
            return now + site.login(**kw).err.rstrip("\n") + "\n"

        text = line() + line(password="no", env={"TCPREMOTEIP": "nonsense"})
        text += line(raw=b"x" * 600)
        site.do("box", "suspend", "joe@example.com")
        text += line()
        for word in ("accept", "ip=- reason=mismatch", "box-suspended"):
            has(text, word)
        eq(banned(site, text), [])
        six = line(login="who@example.com", env={"TCPREMOTEIP": "2001:db8::7"})
        eq(banned(site, six), ["2001:db8::7"])


@test("fail2ban takes the jail")
def fail2ban_jail():
    needs("fail2ban-client")
    with Site(qmail=False, init=False) as site:
        etc = site.top + "/etc"
        shutil.copytree("/etc/fail2ban", etc)
        for path in glob.glob(etc + "/jail.d/*"):
            os.unlink(path)
        with open(EXAMPLES + "/fail2ban/jail.d/popbox.conf") as file:
            jail = file.read()
        has(jail, "/var/log/mail.log")
        with open(etc + "/jail.d/popbox.conf", "w") as file:
            file.write(jail.replace("/var/log/mail.log", "/dev/null"))
        shutil.copy(EXAMPLES + "/fail2ban/filter.d/popbox.conf",
                    etc + "/filter.d")
        done = subprocess.run(["fail2ban-client", "-c", etc, "-d"],
                              capture_output=True, text=True)
        eq(done.returncode, 0, done.stderr)
        has(done.stdout, "'popbox', 'addfailregex'"
            if "'addfailregex'" in done.stdout else "popbox")
        has(done.stdout, "popbox-checkpw")


@test("poppassd's run script serves a change of a password on loopback", root=True)
def poppassd():
    needs("tcpserver")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(EXAMPLES + "/poppassd/run") as file:
        script = file.read()
    has(script, " 127.0.0.1 106 ")
    with Site(qmail=False).joe() as site:
        script = script.replace(" 106 ", f" {port} ").replace(
            "/usr/local/sbin/popbox", f"{POPBOX} -d {site.store}")
        site.start("sh", "-c", script, stdout=subprocess.DEVNULL)
        for _ in range(600):
            try:
                client = socket.create_connection(("127.0.0.1", port))
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        new = "quiet lamp 77 inn"
        with client:
            client.sendall(f"user joe@example.com\r\npass {GOOD}\r\n"
                           f"newpass {new}\r\nquit\r\n".encode())
            answers = client.makefile().read()
        eq([line[:3] for line in answers.splitlines()],
           ["200", "300", "200", "200", "200"])
        eq(site.login(password=new).rc, 0)


@test("fail2ban bans who guesses old passwords at poppassd")
def fail2ban_poppassd():
    needs("fail2ban-regex")
    with Site(qmail=False).joe() as site:
        got = site.popbox("poppassd", env={"TCPREMOTEIP": "192.0.2.9"}, input=
                          "user joe@example.com\npass no\nnewpass quiet lamp 7\n")
        line = time.strftime("%b %d %H:%M:%S mail ") + got.err
        has(line, "popbox-poppassd: refuse ip=192.0.2.9 reason=mismatch")
        eq(banned(site, line), ["192.0.2.9"])
        got = site.popbox("poppassd", "--service", "webmail",
                          env={"TCPREMOTEIP": "192.0.2.8"}, input=
                          "user joe@example.com\npass no\nnewpass quiet lamp 7\n")
        line = time.strftime("%b %d %H:%M:%S mail ") + got.err
        has(line, "reason=mismatch service=webmail user=joe@example.com")
        eq(banned(site, line), ["192.0.2.8"])


@test("fail2ban bans who guesses passwords by SMTP AUTH, where the line names the "
      "service and the asker")
def fail2ban_verdict():
    needs("fail2ban-regex")
    with Site(qmail=False).joe() as site:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            process = subprocess.Popen(
                [CHECKPW, "-d", site.store, "--service", "smtp", "--verdict"],
                stdin=theirs, stdout=theirs, stderr=subprocess.PIPE)
            theirs.close()
            ours.sendall(b"joe@example.com\0wrong\0\x00192.0.2.7\0smtp\0")
            ours.shutdown(socket.SHUT_WR)
            err = process.communicate(timeout=60)[1].decode()
        has(err, "reason=mismatch service=smtp peer=")
        line = time.strftime("%b %d %H:%M:%S mail ") + err
        eq(banned(site, line), ["192.0.2.7"], err)


@test("the forced command of the batch example keeps one customer's boxes; the "
      "client passes commands and passwords on")
def batch():
    with open(EXAMPLES + "/batch/authorized_keys") as file:
        command = re.search(r'command="([^"]+)"', file.read())[1]
    with Site(qmail=False).joe() as site:
        command = command.replace("/usr/local/sbin/popbox",
                                  f"{POPBOX} -d {site.store}")

        def remote(*words, input=""):
            done = subprocess.run(
                [EXAMPLES + "/batch/popbox-remote", *words], text=True,
                input=input, capture_output=True,
                env={**os.environ, "POPBOX_REMOTE": command})
            return done.returncode, json.loads(done.stdout)

        needs("jq")
        eq(remote("box", "show", "joe@example.com")[0], 0)
        eq(remote("passwd", "joe@example.com", input="quiet lamp 77 inn\n")[0], 0)
        eq(site.login(password="quiet lamp 77 inn").rc, 0)
        rc, answer = remote("handle", "list")
        eq((rc, answer["errors"][0]["code"]), (100, "scope"))
        eq(remote("box", "show", "x@example.com")[0], 1)


@test("Ansible's task adds the boxes that are missing, changes nothing the second time, and "
      "fails where a box cannot be")
def ansible():
    needs("ansible-playbook")
    with open(EXAMPLES + "/batch/ansible.yml") as file:
        play = file.read()
    with Site(qmail=False).joe() as site:
        argv = ", ".join([POPBOX, "-d", site.store])
        assert "[/usr/local/sbin/popbox, batch]" in play
        play = play.replace("/usr/local/sbin/popbox", argv).replace(
            "become: true", "become: false")  # it is root already

        def runs(text):
            path = site.top + "/play.yml"
            with open(path, "w") as file:
                file.write(text)
            done = subprocess.run(
                ["ansible-playbook", "-i", "mail,", "-c", "local", "-e",
                 "ansible_python_interpreter=/usr/bin/python3", path],
                capture_output=True, text=True, timeout=300, env={
                    **os.environ, "HOME": site.top, "ANSIBLE_NOCOLOR": "1",
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
            recap = re.search(r"^mail +: (.*)$", done.stdout, re.M)
            assert recap, done
            return done.returncode, dict(
                part.split("=") for part in recap[1].split()), done.stdout

        rc, count, out = runs(play)
        eq((rc, count["changed"], count["failed"]), (0, "1", "0"), out)
        eq(json.loads(site.do("--json", "box", "show", "ann@example.com"))["name"],
           "Ann")
        rc, count, out = runs(play)
        eq((rc, count["changed"], count["failed"]), (0, "0", "0"), out)
        before = site.do("box", "list")
        rc, count, out = runs(play.replace("ann@example.com", "ann@none.example"))
        eq((rc, count["failed"]), (2, "1"), out)
        has(out, "none.example")
        eq(site.do("box", "list"), before)


@test("the lines that the task for Ansible makes add the boxes that are missing")
def ansible():
    with open(EXAMPLES + "/batch/ansible.yml") as file:
        text = file.read()
    boxes = [dict(re.findall(r"(\w+): ([^,}]+)", line))
             for line in re.findall(r"^ +- \{(address.*)\}$", text, re.M)]
    eq(len(boxes), 2)
    made = re.search(r"\{\{ (\{.*\}) \| to_json \}\}", text)[1]
    with Site(qmail=False).joe() as site:
        lines = ""
        for box in boxes:  # what to_json makes of it
            lines += re.sub(r"\bbox\.(\w+)", lambda m: json.dumps(box[m[1]]),
                            made) + "\n"
        got = site.popbox("batch", input=lines)
        eq([json.loads(l)["code"] for l in got.out.splitlines()], [100, 0])
        eq(json.loads(got.out.splitlines()[0])["errors"][0]["code"], "exists")
        eq(got.rc, 100)


@test("follow: the run script and the unit run the same, which takes changes of another "
      "host", root=True, plain=True)
def follows():
    central.needs()
    with open(EXAMPLES + "/follow/run") as file:
        script = file.read()
    command = re.search(r"^exec (/usr.*)$", script, re.M).group(1)
    eq(unit(EXAMPLES + "/systemd/popbox-follow.service")["ExecStart"], command)
    with central.Server() as pg, central.Host("a") as a, \
            central.Host("b") as b:
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        b.do("cluster", "join", pg.conninfo())
        b.start("sh", "-c", script.replace(
            "/usr/local/sbin/popbox", f"{tap.POPBOX} -d {b.store}"))
        a.joe()
        for _ in range(600):
            if b.login().rc == 0:
                break
            time.sleep(0.05)
        eq(b.login().rc, 0)
        done = subprocess.run(unit(EXAMPLES + "/systemd/popbox-cluster.service")[
            "ExecStart"].replace("/usr/local/sbin/popbox",
                                 f"{tap.POPBOX} -d {b.store}").split())
        eq(done.returncode, 0)


@test("Patroni: PostgreSQL takes the example's parameters, and reads its lines of pg_hba "
      "and the guide's", root=True, plain=True)
def patroni():
    central.needs()
    with open(EXAMPLES + "/patroni/popbox.yml") as file:
        text = file.read()
    settings = [f"{name} = '{value}'" for part in re.findall(
        r"^ +parameters:\n((?: +.*\n)+?)(?= {0,6}\w|\S)", text, re.M)
        for name, value in re.findall(r'^ +(\w+): "?(\w+)"?$', part, re.M)
        if name != "ssl"]
    for must in ("log_parameter_max_length_on_error", "synchronous_commit"):
        has(str(settings), must)
    has(text, "synchronous_mode_strict: true")
    lines = re.findall(r"^ +- ((?:local|hostssl) .*)$", text, re.M)
    with open(TREE + "/doc/guide/cluster.md") as file:
        lines += re.findall(r"^(hostssl.*)$", file.read(), re.M)
    eq(len(lines), 6)
    with central.Server(*settings) as pg:
        for setting in settings:
            name, value = setting.replace("'", "").split(" = ")
            eq(pg.sql("SELECT reset_val FROM pg_settings WHERE name = "
                      f"'{name}'"), value)
        with open(pg.data + "/pg_hba.conf", "a") as file:
            file.writelines(line + "\n" for line in lines)
        before = pg.sql("SELECT count(*) FROM pg_hba_file_rules")
        # TLS is not on in this one, which it says of each line.
        eq(pg.sql("SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL "
                  "AND error !~ 'SSL is disabled'"), "")
        assert int(before) > 6, before


@test("every file of the examples is named in their list, and scripts are sound")
def listed():
    with open(EXAMPLES + "/README.md") as file:
        text = file.read()
    for path in glob.glob(EXAMPLES + "/*/*"):
        name = os.path.relpath(path, EXAMPLES)
        parts = name.split("/")
        assert f"`{parts[0]}/" in text and (
            parts[0] != "systemd" or f"{parts[1].split('.')[0]}" in text), name
    for path in glob.glob(EXAMPLES + "/**/run", recursive=True):
        subprocess.run(["sh", "-n", path], check=True)
        assert os.access(path, os.X_OK), path


run()
