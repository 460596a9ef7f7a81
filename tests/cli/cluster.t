#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several hosts with one central database: PostgreSQL of the test's own."""
import contextlib
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import central
import tap
from central import OTHER, Host, Server
from pages import blocks, json_part
from tap import GOOD, POPBOX, SANITIZED, TREE, eq, has, hasnt, run, skip, test

NEW = "another good one 77"


@contextlib.contextmanager
def cluster(*names, **settings):
    """A server, and hosts; the first has joe and makes the central database."""
    central.needs()
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
    process = subprocess.Popen([POPBOX, "-d", host.store, "follow"],
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
        eq(host.dump(), first, f"{hosts[0].name} and {host.name}")
    for host in hosts:
        host.do("cluster", "check")


@test("a reset on one host is used on another, which follows; a box comes with its "
      "Maildir", root=True)
def seen():
    with cluster("a", "b") as (pg, a, b):
        process = follow(b)
        until(lambda: pg.sql("SELECT name FROM popbox.host") == "b")
        eq(reset(a).rc, 0)
        until(lambda: accepts(b, NEW))
        eq(accepts(b, GOOD), False)
        a.do("box", "add", "ann@example.com", "--stdin", input=GOOD + "\n")
        until(lambda: os.path.isdir(b.box_path("ex1-0002") + "/new"))
        until(lambda: accepts(b, GOOD, "ann@example.com"))
        # The other way, beside the follower of the same host.
        eq(reset(b, GOOD).rc, 0)
        process.terminate()
        process.wait()
        alike(a, b)
        rows = [line.split("|") for line in pg.sql(
            "SELECT number, after, host FROM popbox.change ORDER BY number"
        ).splitlines()]
        eq([row[0] for row in rows[:-1]], [row[1] for row in rows[1:]])
        eq([row[2] for row in rows], ["", "a", "a", "a", "b"])


@test("popbox-central is another user, without root's rights, and writes nothing",
      root=True)
def confined():
    with cluster("a") as (pg, a):
        process = follow(a)
        until(lambda: pg.sql("SELECT name FROM popbox.host") == "a")
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            child, = file.read().split()
        with open(f"/proc/{child}/status") as file:
            text = file.read()
        eq(re.search(r"Name:\s+(\S+)", text).group(1), "popbox-central")
        eq(set(re.search(r"Uid:\s+(.*)", text).group(1).split()), {"65534"})
        eq(set(re.search(r"CapEff:\s+(\S+)", text).group(1)), {"0"})
        has(text, "NoNewPrivs:\t1")
        left = {os.readlink(f"/proc/{child}/fd/{fd}").split(":")[0]
                for fd in os.listdir(f"/proc/{child}/fd")}
        # With sanitizers what they find is said to the caller.
        eq(left - ({"pipe"} if SANITIZED else set()), {"/dev/null", "socket"})
        eq(open(f"/proc/{child}/cmdline").read(), "popbox-central\0")
        with open(f"/proc/{child}/environ") as file:
            hasnt(file.read(), "POPBOX")
        process.kill()
        until(lambda: not os.path.exists(f"/proc/{child}"))
        text = subprocess.run(["ldd", POPBOX], capture_output=True,
                              text=True).stdout
        hasnt(text, "libpq")


@test("without the central database logins and files go on, changes end with 111 and "
      "change nothing; then all goes on", root=True)
def away():
    with cluster("a", "b") as (pg, a, b):
        b.do("box", "add", "ann@example.com", "--no-password", "--no-sync")
        pg.stop()
        before = b.dump()
        start = time.monotonic()
        got = reset(b)
        assert time.monotonic() - start < 30, "not within some seconds"
        eq(got.rc, 111)
        has(got.err, "the central database cannot be reached")
        has(got.err, "nothing was changed; logins go on")
        eq(b.dump(), before)
        eq((accepts(b, GOOD), accepts(b, NEW)), (True, False))
        has(b.do("box", "list"), "ex1-0001")
        b.do("sync")  # files of this host, which were pending
        assert os.path.isdir(b.box_path("ex1-0002"))
        b.fails(111, "cannot be reached", "follow", "--once")
        b.fails(111, "cannot be reached", "cluster", "status")
        # Nor without the program that asks.
        b.do("config", "set", "central_user", "absent", "--yes")
        assert accepts(b, GOOD)
        b.do("sync")
        b.fails(111, "no user 'absent'", "box", "del", "ann@example.com", "--yes")
        b.do("config", "set", "central_user", OTHER, "--yes")
        process = follow(b)
        has(process.stderr.readline(), "cannot be reached")
        pg.start()
        has(process.stderr.readline(), "is reached again")
        eq(reset(a).rc, 0)
        until(lambda: accepts(b, NEW))
        process.terminate()
        process.wait()
        alike(a, b)


def model():
    """model.t, without running it."""
    with open(TREE + "/tests/cli/model.t") as file:
        text = file.read()
    kept = list(tap._tests)
    space = {"__file__": TREE + "/tests/cli/model.t", "__name__": "model"}
    exec(compile(text.rsplit("\nrun()", 1)[0], "model.t", "exec"), space)
    tap._tests[:] = kept
    return space


@test("random commands on two hosts: each has the same rows, byte for byte, and the "
      "files that a simple model wants, however much one pull brings", root=True)
def random_commands():
    central.needs()
    space = model()
    for seed in range(1, 2 if SANITIZED else 5):
        with Server() as pg, Host("a", qmail=True) as a, \
                Host("b", qmail=True) as b:
            a.do("cluster", "init", pg.conninfo(), "--one-server")
            b.do("cluster", "join", pg.conninfo())
            dice = random.Random(seed)
            play = space["Play"](a, dice)
            for _ in range(25):
                play.site, other = (a, b) if dice.random() < 0.7 else (b, a)
                play.site.do("follow", "--once")
                words, *_ = play.step()
                if dice.random() < 0.5:
                    other.do("follow", "--once")
                    play.site = other
                    play.look(words)
            alike(a, b)
            for host in (a, b):
                play.site = host
                play.look("the end")
                tree = host.tree()
                host.do("sync", "--full")
                eq(host.tree(), tree, f"SEED={seed}: sync --full changes")


@test("two hosts that add the same address: one of them does", root=True)
def same_address():
    with cluster("a", "b", "c", "d") as (pg, *hosts):
        for i in range(3):
            ran = [subprocess.Popen(
                [POPBOX, "-d", host.store, "box", "add",
                 f"box{i}@example.com", "--no-password"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True) for host in hosts]
            said = [process.communicate()[1] for process in ran]
            eq(sorted(process.returncode for process in ran),
               [0, 100, 100, 100], said)
        alike(*hosts)


@test("many hosts at once: every change that was acknowledged is there, in one chain",
      root=True)
def crowd():
    with cluster("a", "b", "c", "d") as (pg, *hosts):
        said = {}

        def work(host, i):
            for j in range(5):
                name = f"{host.name}{i}{j}@example.com"
                said[name] = host.popbox("box", "add", name, "--no-password",
                                         "--no-sync")
        threads = [threading.Thread(target=work, args=(host, i))
                   for host in hosts for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eq({name: got for name, got in said.items() if got.rc}, {})
        alike(*hosts)
        listed = hosts[3].do("address", "list")
        for name in said:
            has(listed, name)
        eq(pg.sql("WITH RECURSIVE c AS (SELECT number FROM popbox.change WHERE "
                  "after IS NULL UNION ALL SELECT n.number FROM popbox.change n "
                  "JOIN c ON n.after = c.number) SELECT count(*) FROM c"),
           pg.sql("SELECT count(*) FROM popbox.change"))


class Proxy:
    """Between popbox-central and the server: passes on so many bytes of one
    direction, of connections from the first on, and then cuts that one."""

    def __init__(self, pg, top):
        self.pg, self.dir = pg, top + "/proxy"
        os.mkdir(self.dir)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.dir + "/.s.PGSQL.5432")
        os.chmod(self.dir + "/.s.PGSQL.5432", 0o777)
        self.listener.listen()
        self.left = {"up": None, "down": None}
        self.passed = {"up": 0, "down": 0}
        threading.Thread(target=self.accept, daemon=True).start()

    def conninfo(self):
        return f"host={self.dir} dbname=popbox user=owner"

    def cut(self, way, after):
        self.left = {"up": None, "down": None, way: after}
        self.passed = {"up": 0, "down": 0}

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.pg.top + "/.s.PGSQL.5432")
            while self.pump(client, server):
                pass
        except OSError:
            pass
        client.close()
        server.close()

    def pump(self, client, server):
        for end in select.select([client, server], [], [])[0]:
            way, other = ("up", server) if end is client else ("down", client)
            data = end.recv(65536)
            left = self.left[way]
            if left is not None and len(data) >= left:
                other.sendall(data[:left])
                self.left[way] = None
                return False
            if left is not None:
                self.left[way] -= len(data)
            self.passed[way] += len(data)
            if not data:
                return False
            other.sendall(data)
        return True


@test("a connection that is cut anywhere: what the tool says of its change is what the "
      "central database has", root=True)
def cut():
    with cluster("a", "b") as (pg, a, b):
        proxy = Proxy(pg, a.top)
        a.do("config", "set", "central", proxy.conninfo(), "--yes")
        proxy.cut("up", 10 ** 9)
        eq(reset(a, "password number 0").rc, 0)
        sizes = dict(proxy.passed)
        assert min(sizes.values()) > 500, sizes
        # Some of all, and each of the last: the commit and its answer.
        step = 40 if SANITIZED else 1
        last, outcomes, i = "password number 0", {}, 0
        for way in ("up", "down"):
            points = [*range(1, sizes[way] - 45, 61 * step),
                      *range(sizes[way] - 45, sizes[way], step)]
            for point in points:
                i += 1
                word = f"password number {i}"
                before = int(pg.sql("SELECT count(*) FROM popbox.change"))
                proxy.cut(way, point)
                got = reset(a, word)
                outcomes[got.rc, way, point > sizes[way] - 20] = True
                proxy.cut("up", 10 ** 9)
                if got.rc == 0:
                    last = word
                else:
                    has(got.err, "nothing was changed")
                b.do("follow", "--once")
                assert accepts(b, last), (way, point, sizes, got)
                eq(accepts(b, word), got.rc == 0, (way, point, sizes, got))
                # Made once: the second try knows what became of the first.
                eq(int(pg.sql("SELECT count(*) FROM popbox.change")) - before,
                   got.rc == 0, (way, point, sizes, got))
        # A commit whose answer was lost is settled, not told as a failure.
        if not SANITIZED:
            assert (0, "down", True) in outcomes and \
                (111, "down", False) in outcomes and \
                (111, "up", False) in outcomes, outcomes
        a.do("config", "set", "central", pg.conninfo(), "--yes")
        alike(a, b)


@test("a server that dies while it commits: the tool says what is true", root=True)
def dies():
    with cluster("a") as (pg, a):
        for i in range(2 if SANITIZED else 6):
            process = subprocess.Popen(
                [POPBOX, "-d", a.store, "passwd", "joe@example.com", "--stdin"],
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            word = f"password number {i}"
            process.stdin.write(word + "\n")
            process.stdin.close()
            time.sleep(0.01 * i)
            pg.kill()
            pg.start()
            said = process.stderr.read()
            rc = process.wait()
            assert rc in (0, 111), said
            a.do("follow", "--once")
            hasnt(said, "answer was lost")
            eq(accepts(a, word), rc == 0, (i, said))


@test("a fork, a gap and a second beginning are refused by the database; a front "
      "changes nothing, an administrator deletes nothing", root=True)
def chain():
    with cluster("a") as (pg, a):
        last = int(pg.sql("SELECT max(number) FROM popbox.change"))

        def refused(sql, why, role="owner"):
            try:
                pg.sql(sql, role=role)
            except RuntimeError as error:
                has(str(error), why)
            else:
                raise AssertionError(sql)
        insert = "INSERT INTO popbox.change (number, after, token, host) " \
            "VALUES ({}, {}, decode(repeat('11', 16), 'hex'), 'x')"
        refused(insert.format(last + 9, 0), "change_after_key")  # a fork
        refused(insert.format(last + 9, last + 5), "foreign key")  # a gap
        refused(insert.format(last + 9, last + 9), "check constraint")
        refused(insert.format(-1, "NULL"), "check constraint")
        refused(insert.format(last, last - 1), "duplicate key")
        refused("INSERT INTO popbox.site (one, id, format) VALUES "
                "(false, '\\x00', 2)", "check constraint")
        pg.sql("CREATE ROLE front LOGIN IN ROLE popbox_front; "
               "CREATE ROLE admin LOGIN IN ROLE popbox_admin")
        for sql in ("UPDATE popbox.row SET row = NULL",
                    "SELECT 1 FROM popbox.site FOR UPDATE",
                    insert.format(last + 1, last)):
            refused(sql, "permission denied", "front")
        for sql in ("DELETE FROM popbox.row", "DELETE FROM popbox.change",
                    "UPDATE popbox.change SET host = ''"):
            refused(sql, "permission denied", "admin")
        a.do("config", "set", "central", pg.conninfo("front"), "--yes")
        got = reset(a)
        eq(got.rc, 111)
        has(got.err, "this host only follows")
        a.do("follow", "--once")
        a.do("config", "set", "central", pg.conninfo("admin"), "--yes")
        eq(reset(a).rc, 0)


@test("a row that somebody changed by hand is never taken: the follower says so and "
      "serves what it has", root=True)
def damaged():
    with cluster("a", "b") as (pg, a, b):
        for sql in ("UPDATE popbox.row SET row = set_byte(row, 5, "
                    "get_byte(row, 5) # 1) WHERE tab = 3 AND number = "
                    "(SELECT max(number) FROM popbox.change)",
                    "DELETE FROM popbox.row WHERE tab = 6 AND number = "
                    "(SELECT max(number) FROM popbox.change)",
                    "UPDATE popbox.row SET tab = 99 WHERE tab = 3 AND number = "
                    "(SELECT max(number) FROM popbox.change)",
                    "UPDATE popbox.row SET key = key || '\\x00' WHERE tab = 3 AND "
                    "number = (SELECT max(number) FROM popbox.change)"):
            eq(reset(a, NEW).rc, 0)
            before = b.dump()
            pg.sql("CREATE TABLE kept AS SELECT * FROM popbox.row")
            pg.sql(sql)
            b.fails(111, "damaged, or a change is missing", "follow", "--once")
            eq(b.dump(), before)
            assert accepts(b, GOOD)
            eq(a.popbox("cluster", "check").rc, 1)
            pg.sql("DELETE FROM popbox.row; INSERT INTO popbox.row SELECT * "
                   "FROM kept; DROP TABLE kept")
            b.do("follow", "--once")
            assert accepts(b, NEW)
            eq(reset(a, GOOD).rc, 0)
            alike(a, b)


@test("a host that stands on a change which was lost with its server notices, and is "
      "made anew", root=True)
def dead_branch():
    with cluster("a", "b") as (pg, a, b):
        eq(reset(a, NEW).rc, 0)
        alike(a, b)
        pg.stop()
        shutil.copytree(pg.data, pg.data + ".kept")
        subprocess.run(["chown", "-R", f"{pg.user.pw_uid}:{pg.user.pw_gid}",
                        pg.data + ".kept"], check=True)
        pg.start()
        eq(reset(a, "the lost password 5").rc, 0)
        b.do("follow", "--once")
        pg.stop()
        shutil.rmtree(pg.data)
        os.rename(pg.data + ".kept", pg.data)
        os.chmod(pg.data, 0o700)
        pg.start()
        # The same number, another change.
        got = a.popbox("passwd", "joe@example.com", "--stdin",
                       input="the second one 66\n")
        eq(got.rc, 0, got)
        assert accepts(b, "the lost password 5")
        got = b.popbox("follow", "--once")
        eq(got.rc, 0, got)
        has(got.err, "has lost: it was made anew")
        eq((accepts(b, "the second one 66"), accepts(b, "the lost password 5")),
           (True, False))
        alike(a, b)


@test("a follower that is killed anywhere leaves its copy whole, and goes on", root=True)
def killed():
    with cluster("a", "b") as (pg, a, b):
        dice = random.Random(3)
        for i in range(4 if SANITIZED else 25):
            a.do("box", "add", f"k{i}@example.com", "--no-password",
                 "--no-sync")
            process = follow(b)
            time.sleep(dice.random() * 0.06)
            process.kill()
            process.wait()
        b.do("check", "--store-only")
        alike(a, b)
        b.do("check")


@test("a copy is changed by nothing but its central database; one that leaves is a "
      "store of its own", root=True)
def leave():
    with cluster("a", "b") as (pg, a, b):
        before = b.dump()
        b.do("config", "set", "central", "", "--yes")
        b.fails(100, "this store is a copy of a central database", "box", "add",
                "x@example.com", "--no-password")
        eq(b.dump(), before)
        b.do("config", "set", "central", pg.conninfo(), "--yes")
        b.do("backup", b.top + "/backup")
        b.fails(100, "'popbox cluster leave'", "restore", b.top + "/backup",
                "--yes")
        b.fails(2, "--yes", "cluster", "leave")
        b.do("cluster", "leave", "--yes")
        eq(b.do("config", "get", "central"), "\n")
        b.do("box", "add", "x@example.com", "--no-password")
        b.fails(100, "no copy", "cluster", "leave", "--yes")
        a.do("cluster", "check")
        b.fails(2, "has accounts of its own", "cluster", "join",
                pg.conninfo())
        b.do("cluster", "join", pg.conninfo(), "--yes")
        alike(a, b)


@test("init: once, with a synchronous standby or --one-server; one that was killed "
      "before its end goes on where it was", root=True)
def init():
    central.needs()
    with Server() as pg, Host("a") as a, Host("b") as b:
        a.joe()
        shutil.copytree(a.store, a.store + ".kept")
        a.fails(111, "--one-server", "cluster", "init", pg.conninfo())
        eq(pg.sql("SELECT count(*) FROM pg_namespace WHERE nspname = "
                  "'popbox'"), "0")
        b.fails(111, "is no central database of popbox", "cluster", "join",
                pg.conninfo())
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        a.fails(100, "already", "cluster", "init", pg.conninfo(),
                "--one-server")
        b.joe()
        b.fails(111, "there is a central database in it already", "cluster",
                "init", pg.conninfo(), "--one-server")
        shutil.rmtree(a.store)
        os.rename(a.store + ".kept", a.store)
        os.chmod(a.store, 0o700)
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        eq(reset(a).rc, 0)
        a.do("cluster", "check")


@test("init of an empty store, and a host that is there from the beginning", root=True)
def empty():
    central.needs()
    with Server() as pg, Host("a") as a, Host("b") as b:
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        b.do("cluster", "join", pg.conninfo())
        b.joe()
        alike(a, b)
        has(a.do("box", "list"), "ex1-0001")


@test("a conninfo with a password, without TLS to another machine, or that is none is "
      "refused", root=True)
def conninfos():
    central.needs()
    with Host("a") as a:
        for conninfo, why in (
                ("host=/tmp password=x", "has a password"),
                ("host=db.example.com", "sslmode=verify-full"),
                ("host=/tmp,db.example.com", "sslmode=verify-full"),
                ("hostaddr=192.0.2.1", "sslmode=verify-full"),
                ("host=db.example.com sslmode=require", "not verify-full"),
                ("service=x", "names a service"),
                ("hots=x", "invalid connection option")):
            a.fails(111, why, "cluster", "join", conninfo)
        a.fails(100, "is empty", "cluster", "join", "")
        a.settings({"central_user": "no-such-user"})
        a.fails(111, "useradd", "cluster", "join", "host=/tmp")
        a.settings({"central_user": "root"})
        a.fails(111, "a user of its own", "cluster", "join", "host=/tmp")
        a.fails(100, "no central database", "cluster", "status")
        a.fails(100, "no central database", "follow", "--once")


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def certificates(top):
    """A CA, and by it a server's and a client's."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", top + "/ca.key",
            "-out", top + "/ca.crt", "-subj", "/CN=ca", "-days", "2")
    for name, subject in (("server", "localhost"), ("client", "owner")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", f"{top}/{name}.key", "-out",
                f"{top}/{name}.csr", "-subj", f"/CN={subject}")
        openssl("x509", "-req", "-in", f"{top}/{name}.csr", "-CA",
                top + "/ca.crt", "-CAkey", top + "/ca.key",
                "-CAcreateserial", "-out", f"{top}/{name}.crt", "-days", "2")


@test("TLS: the server's name is verified, the client has a certificate; several hosts "
      "are tried", root=True)
def tls():
    central.needs()
    if not shutil.which("openssl"):
        skip("openssl is not installed")
    with Server() as pg, Host("a") as a:
        a.joe()
        certificates(pg.top)
        for name in ("server", "client"):
            os.chmod(f"{pg.top}/{name}.key", 0o600)
        os.chown(pg.top + "/server.key", pg.user.pw_uid, pg.user.pw_gid)
        shutil.chown(pg.top + "/client.key", OTHER)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        pg.stop()
        with open(pg.data + "/postgresql.conf", "a") as file:
            file.write(f"listen_addresses = '127.0.0.1'\nport = {port}\n"
                       f"ssl = on\nssl_cert_file = '{pg.top}/server.crt'\n"
                       f"ssl_key_file = '{pg.top}/server.key'\n"
                       f"ssl_ca_file = '{pg.top}/ca.crt'\n")
        with open(pg.data + "/pg_hba.conf", "w") as file:
            file.write("hostssl all all 127.0.0.1/32 cert\n")
        pg.start()
        keys = f"port={port} dbname=popbox user=owner sslmode=verify-full " \
            f"sslrootcert={pg.top}/ca.crt sslcert={pg.top}/client.crt " \
            f"sslkey={pg.top}/client.key"
        a.fails(111, "does not match host name", "cluster", "init",
                "hostaddr=127.0.0.1 host=db.example.com " + keys,
                "--one-server")
        a.fails(111, "certificate", "cluster", "init",
                "hostaddr=127.0.0.1 host=localhost " + keys.replace(
                    "client.crt", "absent.crt"), "--one-server")
        # The first does not answer.
        keys = keys.replace(f"port={port}", f"port=1,{port}").replace(
            f"sslrootcert={pg.top}/", f"sslrootcert={pg.top}/")
        conninfo = "hostaddr=127.0.0.1,127.0.0.1 host=localhost,localhost " + \
            keys
        if len(conninfo) > 255:
            skip("the temporary directory's name is too long")
        a.do("cluster", "init", conninfo, "--one-server")
        eq(reset(a).rc, 0)
        a.do("cluster", "check")


@test("cluster status: each host with its change; one that is silent, or has other "
      "settings, ends with 1", root=True)
def status():
    with cluster("a", "b") as (pg, a, b):
        for host in (a, b):
            host.do("follow", "--once")
        text = a.do("cluster", "status")
        last = pg.sql("SELECT max(number) FROM popbox.change")
        has(text, f"this host stands at change {last}")
        rows = [json.loads(line) for line in
                a.do("--json", "cluster", "status").splitlines()]
        eq([(row["host"], row["change"], row["pending"], row["wrong"])
            for row in rows], [("a", int(last), 0, ""), ("b", int(last), 0, "")])
        words = set(re.findall(r"[a-z]+", json_part("popbox-cluster.8")))
        eq(set(rows[0]) - words, set(), "not in the page")
        b.settings({"separators": "%"})
        b.do("follow", "--once")
        got = a.popbox("cluster", "status")
        eq(got.rc, 1)
        has(got.out, "settings")
        b.settings({"separators": "@%/:"})
        b.do("follow", "--once")
        time.sleep(1.1)
        eq(a.popbox("cluster", "status", "--max-lag", "0").rc, 1)
        a.fails(100, "no number", "cluster", "status", "--max-lag", "x")


@test("undo, import, a suspension and a purge reach the other host, files too", root=True)
def others():
    with cluster("a", "b", qmail=True) as (pg, a, b):
        a.do("import", "-", input="address,hash\n" + "".join(
            f"i{n}@example.com,*\n" for n in range(300)))
        b.do("follow", "--once")
        assert os.path.isdir(b.box_path("ex1-0300"))
        a.do("undo", str(a.last_entry()), "--yes")
        b.do("follow", "--once")
        hasnt(b.do("address", "list"), "i7@example.com")
        a.do("handle", "suspend", "ex1")
        b.do("follow", "--once")
        eq(accepts(b, GOOD), False)
        a.do("domain", "del", "example.com", "--yes")
        b.do("follow", "--once")
        hasnt(b.control("rcpthosts"), "example.com")
        a.do("purge", "--now", "--yes", "example.com")
        a.do("purge", "--now", "--yes", "ex1-0001")
        b.do("follow", "--once")
        assert not os.path.exists(b.box_path("ex1-0001"))
        eq(b.control("virtualdomains"), "")
        alike(a, b)
        b.do("check", "--store-only")


@test("limits and the scope of a batch hold for a change that is sent away", root=True)
def settled():
    with cluster("a", "b") as (pg, a, b):
        a.do("domain", "add", "other.org", "--handle", "ot2")
        a.do("handle", "set", "ex1", "--max-boxes", "2")
        b.fails(100, "ex1", "box", "add", "x@example.com", "--no-password")
        lines = "".join(json.dumps({"command": command}) + "\n" for command in (
            ["passwd", "joe@example.com", "--generate"],
            ["address", "add", "x@other.org", "a@b.org"],
            ["cluster", "leave", "--yes"]))
        before = pg.sql("SELECT max(number) FROM popbox.change")
        b.popbox("batch", "--scope", "ex1", input=lines)
        hasnt(b.do("address", "list"), "x@other.org")
        has(b.do("config", "get", "central"), "host=")
        alike(a, b)


@test("a failover: acknowledged is what the standby has, also where the wait for it was "
      "cancelled; a host that saw what was lost takes all rows anew", root=True)
def failover():
    central.needs()
    with Server("synchronous_commit = off") as pg, \
            Server(standby_of=pg, name="two") as two, Host("a") as a, \
            Host("b") as b:
        pg.confirm("ANY 1 (two)")
        a.joe()
        conninfo = f"host={pg.top},{two.top} dbname=popbox user=owner"
        a.do("cluster", "init", conninfo)
        b.do("cluster", "join", conninfo)
        two.kill()
        process = subprocess.Popen(
            [POPBOX, "-d", a.store, "passwd", "joe@example.com", "--stdin"],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        a.processes.append(process)
        process.stdin.write(NEW + "\n")
        process.stdin.close()
        waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        until(lambda: pg.sql(waits))
        eq(b.do("follow", "--once"), "")
        eq(accepts(b, NEW), False)  # it is not seen
        pg.sql(f"SELECT pg_cancel_backend(({waits}))")
        until(lambda: b.do("follow", "--once") == "" and accepts(b, NEW))
        time.sleep(0.5)
        eq(process.poll(), None, "acknowledged, and no standby has it")
        pg.kill()
        two.start()
        two.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        two.promote()
        # It is not there, and so it is made again, with another token.
        said = process.stderr.read()
        eq(process.wait(), 0, said)
        eq(accepts(a, NEW), True)
        lost = b.popbox("follow", "--once").err
        has(lost, "the central database has lost: it was made anew")
        alike(a, b)


@test("popbox cluster schema is what init makes", root=True)
def schema():
    central.needs()
    with Server() as pg, Host("a") as a:
        pg.sql(a.do("cluster", "schema"))
        a.joe()
        a.do("cluster", "init", pg.conninfo(), "--one-server")
        a.do("cluster", "check")


@test("each command about the central database ends with each code of its row",
      root=True)
def codes():
    seen = {}

    def ran(host, *args):
        words = [word for word in args if not word.startswith(("-", "host="))]
        code = host.popbox(*args).rc
        seen.setdefault(" ".join(words), {2}).add(code)
        return code
    central.needs()
    with Server() as pg, Host("a") as a, Host("b") as b:
        for command in (("cluster", "status"), ("cluster", "check"),
                        ("cluster", "leave", "--yes"), ("follow", "--once")):
            eq(ran(a, *command), 100)
        for verb in ("init", "join"):
            eq(a.popbox("cluster", verb, "").rc, 100)
            seen["cluster " + verb] = {2, 100}
            eq(ran(a, "cluster", verb, "host=/nowhere"), 111)
        eq(ran(a, "cluster", "schema"), 0)
        seen["cluster schema"].add(111)  # codes.t
        eq(ran(a, "cluster", "init", pg.conninfo(), "--one-server"), 0)
        eq(ran(b, "cluster", "join", pg.conninfo()), 0)
        for command in (("follow", "--once"), ("cluster", "status"),
                        ("cluster", "check")):
            eq(ran(b, *command), 0)
        a.do("handle", "add", "ex1")
        pg.sql("INSERT INTO popbox.host VALUES ('old', 0, 0, '0', now() - "
               "interval '1 day', '')")
        eq(ran(b, "cluster", "status"), 1)
        b.do("follow", "--once")
        pg.sql("UPDATE popbox.row SET row = NULL WHERE tab = 1")
        eq(ran(b, "cluster", "check"), 1)
        pg.stop()
        for command in (("follow", "--once"), ("cluster", "status"),
                        ("cluster", "check")):
            eq(ran(b, *command), 111)
        eq(ran(b, "cluster", "leave", "--yes"), 0)
        os.rename(b.store, b.store + ".away")
        eq(ran(b, "cluster", "leave", "--yes"), 111)
        os.rename(b.store + ".away", b.store)
    rows = {" ".join(filter(None, (row["noun"], row["verb"]))):
            {int(code) for code in row["exit_codes"].split()}
            for row in tap.table() if row["noun"] in ("cluster", "follow")}
    eq(seen, rows)


@test("for want of memory nothing is half done: 111, or all is", root=True, plain=True)
def no_memory():
    with cluster("a", "b") as (pg, a, b):
        library, mark = a.top + "/nomalloc.so", a.top + "/mark"
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library,
                        TREE + "/tests/deep/nomalloc.c"], check=True)
        for host, args in ((a, ("passwd", "joe@example.com", "--stdin")),
                           (b, ("follow", "--once")),
                           (b, ("cluster", "check")),
                           (b, ("cluster", "join", pg.conninfo()))):
            n, tried = 1, 0
            while True:
                with open(mark, "w"):
                    pass
                got = host.popbox(*args, input=NEW + "\n", env={
                    "LD_PRELOAD": library, "FAIL_AT": str(n),
                    "FAIL_MARK": mark})
                with open(mark) as file:
                    if file.read() != "x":
                        break
                assert got.rc in (0, 111), (args, n, got)
                n, tried = n + 1 + n // 6, tried + 1
            assert tried > 5, (args, tried)
            b.do("check", "--store-only")
        alike(a, b)


@test("the EXAMPLES of popbox-cluster(8) and popbox-follow(8) do what they say",
      root=True)
def pages():
    central.needs()
    count = 0
    with Server() as pg, Host("a") as a, Host("b") as b:
        for page in ("popbox-cluster.8", "popbox-follow.8"):
            for block in blocks(page):
                for line in block.splitlines():
                    host = b if line.startswith("b# ") else a
                    line = line.removeprefix("a# ").removeprefix("b# ")
                    line = re.sub(r"'host=[^']*'", f"'{pg.conninfo()}'", line)
                    if "init" in line:
                        line += " --one-server"
                    want = re.search(r"# exits (\d+)$", line)
                    done = subprocess.run(
                        ["sh", "-c", f"popbox() {{ {POPBOX} -d {host.store} "
                         f'"$@"; }}; {line}'], capture_output=True, text=True)
                    eq(done.returncode, int(want[1]) if want else 0,
                       (line, done))
                    count += 1
    assert count > 5, count


run()
