# SPDX-License-Identifier: MIT
"""PostgreSQL servers of a test's own, each in a temporary directory, as an unprivileged
user: on a Unix socket, or with TLS on a port of 127.0.0.1; and hosts that share one.
A server can be the standby of another. The machine's own server, if there is one, is
not touched."""
import contextlib
import glob
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import tap

PROGRAMS = max(glob.glob("/usr/lib/postgresql/*/bin"), default=None,
               key=lambda p: int(p.split("/")[-2]))
CENTRAL = os.path.join(tap.BUILD, "popbox-central")
OTHER = "nobody"  # popbox-central runs as this one
NEW = "another good one 77"


def needs():
    if not tap.ROOT:
        tap.skip("not root")
    if not PROGRAMS or not os.path.exists(PROGRAMS + "/initdb"):
        tap.skip("PostgreSQL is not installed")
    if not os.path.exists(CENTRAL):
        tap.skip("popbox-central is not built")


def user():
    """Whoever is neither root nor OTHER: the server's data are his."""
    for name in ("postgres", "daemon"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    return tap.skip("no user for a server")


class Server:
    """standby_of: another Server, whose commits then can wait for this one, by its
    name (`confirm`). prefix: words before the server's own, such as nsenter's."""

    def __init__(self, *settings, standby_of=None, name="standby", prefix=()):
        self.user = user()
        self.name, self.prefix = name, prefix
        self.top = tempfile.mkdtemp(prefix="popbox-pg.")
        self.data = self.top + "/data"
        self.process = None
        os.chmod(self.top, 0o755)
        os.chown(self.top, self.user.pw_uid, self.user.pw_gid)
        if standby_of:
            self.copy_of(standby_of)
        else:
            self.run("initdb", "-D", self.data, "-A", "trust", "-U", "owner",
                     "-E", "UTF8", "--locale=C", "-N")
        self.settings = settings
        self.configure()
        self.start()
        if not standby_of:
            self.sql("CREATE DATABASE popbox", dbname="postgres")

    def configure(self):
        with open(self.data + "/postgresql.conf", "a") as file:
            file.write(f"""
listen_addresses = ''
unix_socket_directories = '{self.top}'
shared_buffers = '16MB'
max_connections = 40
fsync = off
log_line_prefix = '%m [%p] %u '
timezone = 'UTC'
""" + "".join(line + "\n" for line in self.settings))

    def copy_of(self, primary):
        self.run("pg_basebackup", "-D", self.data, "-R", "-c", "fast", "-X",
                 "stream", "-d", f"host={primary.top} user=owner "
                 f"application_name={self.name}")

    def rejoin(self, primary):
        """The standby of whoever was promoted meanwhile; what it had is lost."""
        shutil.rmtree(self.data)
        self.copy_of(primary)
        self.configure()
        self.start()

    def confirm(self, names):
        """Each commit waits until one of these standbys has it; "" for none."""
        self.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.sql("SELECT pg_reload_conf()")
        for _ in range(600):
            if not names or self.sql("SELECT 1 FROM pg_stat_replication WHERE "
                                     "sync_state IN ('sync', 'quorum')"):
                return self
            time.sleep(0.05)
        raise AssertionError("no standby confirms")

    def promote(self):
        self.sql("SELECT pg_promote(true, 60)")
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()
        shutil.rmtree(self.top, ignore_errors=True)

    def as_user(self, words, *options):
        return ["setpriv", *options, f"--reuid={self.user.pw_uid}",
                f"--regid={self.user.pw_gid}", "--clear-groups", *words]

    def run(self, program, *args):
        done = subprocess.run(
            self.as_user([f"{PROGRAMS}/{program}", *args]), cwd=self.top,
            capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
        tap.eq(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def start(self):
        with open(self.top + "/log", "ab") as log:
            self.process = subprocess.Popen(
                # Whoever kills the test kills the server.
                [*self.prefix,
                 *self.as_user([PROGRAMS + "/postgres", "-D", self.data],
                               "--pdeathsig=QUIT")],
                cwd=self.top, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin"}, start_new_session=True)
        for _ in range(600):
            if self.process.poll() is not None:
                break
            if os.path.exists(self.data + "/postmaster.pid"):
                with open(self.data + "/postmaster.pid") as file:
                    if file.read().split("\n")[-2:-1] == ["ready   "]:
                        return self
            time.sleep(0.05)
        with open(self.top + "/log") as log:
            raise AssertionError("PostgreSQL does not start: " + log.read())

    def stop(self):
        """As its administrator does, at once."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def kill(self):
        """All of its processes, as where the power fails."""
        if self.process is None or self.process.poll() is not None:
            return
        # Each process of it has a group of its own; all have one session.
        session = self.process.pid
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                if int(fields[3]) == session:
                    os.kill(int(path.split("/")[2]), signal.SIGKILL)
            except OSError:
                pass
        self.process.wait()
        if os.path.exists(self.data + "/postmaster.pid"):
            os.unlink(self.data + "/postmaster.pid")

    def sql(self, text, dbname="popbox", role="owner"):
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
             self.top, "-U", role, "-d", dbname, "-c", text],
            capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def conninfo(self, role="owner", more=""):
        return f"host={self.top} dbname=popbox user={role}{more}"


class Link:
    """A host's way to a server, at the socket in its directory: "open", "cut" (what is
    connected ends, and nothing connects), or "held" (nothing gets through)."""

    def __init__(self, server, directory):
        self.server, self.dir, self.now = server, directory, "open"
        self.ends, self.listener = set(), None
        os.mkdir(directory)
        self.listen()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.state("cut")

    def listen(self):
        path = self.dir + "/.s.PGSQL.5432"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen()
        threading.Thread(target=self.accept, args=(self.listener,),
                         daemon=True).start()

    def state(self, now):
        was, self.now = self.now, now
        if now != "cut" and was == "cut":
            self.listen()
        if now != "cut" or was == "cut":
            return
        for end in (self.listener, *self.ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self.serve, args=(client,),
                                 daemon=True).start()

    def serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server, \
                contextlib.suppress(OSError):
            server.connect(self.server.top + "/.s.PGSQL.5432")
            self.ends |= {client, server}
            try:
                while self.pump(client, server):
                    pass
            finally:
                self.ends -= {client, server}

    def pump(self, client, server):
        for end in select.select([client, server], [], [])[0]:
            data = end.recv(65536)
            while self.now == "held":
                time.sleep(0.01)
            if not data or self.now == "cut":
                return False
            (server if end is client else client).sendall(data)
        return True


class Host(tap.Site):
    """A host of a cluster, by its name for the others."""

    def __init__(self, name, **settings):
        super().__init__(qmail=settings.pop("qmail", False),
                         standins=settings.pop("standins", True),
                         central_user=OTHER, host=name, **settings)
        self.name = name

    def dump(self):
        """The rows that hosts share, byte for byte, by table."""
        done = subprocess.run(["mdb_dump", "-a", self.store], check=True,
                              capture_output=True, text=True)
        tables, name = {}, None
        lines = iter(done.stdout.splitlines())
        for line in lines:
            if line.startswith("database="):
                name = line[len("database="):]
                tables[name] = {}
            elif line.startswith(" "):
                tables[name][bytes.fromhex(line)] = bytes.fromhex(next(lines))
        del tables["pending"]
        tables["meta"] = {word: row for word, row in tables["meta"].items()
                          if word in (b"central", b"by_owner")}
        return tables


@contextlib.contextmanager
def cluster(*names, **settings):
    """A server, and hosts; the first has joe and makes the central database."""
    needs()
    with contextlib.ExitStack() as stack:
        pg = stack.enter_context(Server())
        hosts = [stack.enter_context(Host(name, **settings))
                 for name in names]
        hosts[0].joe()
        hosts[0].do("cluster", "init", pg.conninfo(), "--one-server")
        for host in hosts[1:]:
            host.do("cluster", "join", pg.conninfo())
            host.do("sync")
        yield (pg, *hosts)


def reset(host, password=NEW, login="joe@example.com", **kw):
    return host.popbox("passwd", login, "--stdin", input=password + "\n", **kw)


def accepts(host, password, login="joe@example.com"):
    return host.login(login, password).rc == 0


def follow(host):
    process = subprocess.Popen([tap.POPBOX, "-d", host.store, "follow"],
                               stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    host.processes.append(process)
    return process


def until(what, seconds=60):
    """Waits for it; how long that took."""
    start = time.monotonic()
    while not what():
        assert time.monotonic() < start + seconds, "it does not come"
        time.sleep(0.02)
    return time.monotonic() - start


def alike(*hosts):
    for host in hosts:
        host.do("follow", "--once")
    first = hosts[0].dump()
    for host in hosts[1:]:
        tap.eq(host.dump(), first, f"{hosts[0].name} and {host.name}")
    for host in hosts:
        host.do("cluster", "check")
