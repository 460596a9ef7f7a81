#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A central database that fails, and what is not to be taken from it: PostgreSQL of
the test's own."""
import os
import random
import resource
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
from central import NEW, OTHER, Host, Server, accepts, alike, cluster, follow, reset, until
from preload import compiled
from tap import GOOD, POPBOX, SANITIZED, eq, has, hasnt, run, skip, some, test


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
            for point in some(points, 4):
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


@test("for want of memory nothing is half done: 111, or all is", root=True, plain=True)
def no_memory():
    with cluster("a", "b") as (pg, a, b):
        library, mark = compiled("deep/nomalloc"), a.top + "/mark"
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


@test("tables of another popbox, rows of another format, another site: each is said, and "
      "nothing is taken", root=True)
def others_tables():
    with cluster("a", "b") as (pg, a, b):
        eq(reset(a).rc, 0)
        before = b.dump()
        for column, value, why in (
                ("schema", "schema + 1", "those of another popbox"),
                ("format", "format + 1", "another format"),
                ("id", "decode(repeat('55', 16), 'hex')", "another site")):
            pg.sql(f"ALTER TABLE popbox.site ADD kept text; UPDATE popbox.site SET "
                   f"kept = {column}::text, {column} = {value}")
            b.fails(111, why, "follow", "--once")
            got = reset(b)
            eq(got.rc, 111)
            has(got.err, why)
            has(got.err, "nothing was")
            eq(b.dump(), before)
            assert accepts(b, GOOD)
            kind = "bytea" if column == "id" else "integer"
            pg.sql(f"UPDATE popbox.site SET {column} = kept::{kind}; ALTER TABLE "
                   f"popbox.site DROP kept")
        b.do("follow", "--once")
        assert accepts(b, NEW)


@test("a database that is not there, a role that may not log in, and rights that are "
      "taken away: each is named; logins go on", root=True)
def no_rights():
    with cluster("a") as (pg, a):
        for more, why in (("dbname=absent", 'database "absent" does not exist'),
                          ("user=nobody_there", 'role "nobody_there" does not')):
            word = more.split("=")[0]
            text = " ".join(part for part in pg.conninfo().split()
                            if not part.startswith(word + "=")) + " " + more
            a.do("config", "set", "central", text, "--yes")
            got = reset(a)
            eq(got.rc, 111)
            has(got.err, why)
            has(got.err, "nothing was changed")
            assert accepts(a, GOOD)
        pg.sql("CREATE ROLE front LOGIN IN ROLE popbox_front; "
               "REVOKE SELECT ON popbox.row FROM popbox_front")
        a.do("config", "set", "central", pg.conninfo("front"), "--yes")
        a.fails(111, "permission denied", "follow", "--once")
        assert accepts(a, GOOD)


@test("cluster tidy forgets deleted rows and silent hosts; a host that was away for a "
      "month takes all rows anew, and is alike", root=True)
def month():
    with cluster("a", "b", "c") as (pg, a, b, c):
        for i in range(3):
            a.do("box", "add", f"t{i}@example.com", "--no-password")
        for host in (a, b, c):
            host.do("follow", "--once")
        for i in range(3):
            a.do("address", "del", f"t{i}@example.com", "--yes")
        for host in (a, b):
            host.do("follow", "--once")
        gone = "SELECT count(*) FROM popbox.row WHERE row IS NULL"
        assert int(pg.sql(gone)) >= 3
        a.do("cluster", "tidy")  # c has not taken them yet
        assert int(pg.sql(gone)) >= 3
        pg.sql("UPDATE popbox.host SET seen = now() - interval '31 days' "
               "WHERE name = 'c'")
        has(a.popbox("cluster", "tidy").err, "1 silent host forgotten")
        eq(pg.sql(gone), "0")
        eq(pg.sql("SELECT name FROM popbox.host ORDER BY name"), "a\nb")
        has(a.popbox("cluster", "tidy").err, "0 deleted rows gone")
        b.do("follow", "--once")
        has(c.do("address", "list"), "t1@example.com")
        got = c.popbox("follow", "--once")
        eq(got.rc, 0, got)
        has(got.err, "its copy was made anew")
        hasnt(c.do("address", "list"), "t1@example.com")
        alike(a, b, c)
        eq(reset(c).rc, 0)
        # A role that may not, and a connection string of one that may.
        pg.sql("CREATE ROLE admin LOGIN IN ROLE popbox_admin")
        a.do("config", "set", "central", pg.conninfo("admin"), "--yes")
        a.fails(111, "permission denied", "cluster", "tidy")
        a.do("cluster", "tidy", pg.conninfo())
        a.do("cluster", "check")


@test("Ctrl-C at any time: what the tool says is what the central database has",
      root=True)
def interrupted():
    with cluster("a") as (pg, a):
        dice = random.Random(5)
        for i in range(3 if SANITIZED else 12):
            name = f"c{i}@example.com"
            process = subprocess.Popen(
                [POPBOX, "-d", a.store, "box", "add", name, "--no-password",
                 "--no-sync"], stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True)
            time.sleep(dice.random() * 0.08)
            process.send_signal(signal.SIGINT)
            said = process.communicate()[1]
            a.do("follow", "--once")
            there = name in a.do("address", "list")
            if process.returncode == 0:
                assert there, (name, said)
            if "nothing was changed" in said:
                assert not there, (name, said)
        eq(reset(a).rc, 0)
        a.do("cluster", "check")


@test("a backup put back in the central database is a branch that died: hosts say what "
      "was lost, and are made anew", root=True)
def put_back():
    with cluster("a", "b") as (pg, a, b):
        kept = subprocess.run(
            ["pg_dump", "-h", pg.top, "-U", "owner", "-Fc", "popbox"], check=True,
            capture_output=True).stdout
        eq(reset(a, NEW).rc, 0)
        b.do("follow", "--once")
        pg.sql("DROP SCHEMA popbox CASCADE")
        b.fails(111, "no central database of popbox", "follow", "--once")
        assert accepts(b, NEW)
        subprocess.run(["pg_restore", "-h", pg.top, "-U", "owner", "-d", "popbox"],
                       check=True, input=kept, capture_output=True)
        got = b.popbox("follow", "--once")
        eq(got.rc, 0, got)
        has(got.err, "has lost: it was made anew")
        assert accepts(b, GOOD)
        alike(a, b)
        eq(reset(b).rc, 0)
        alike(a, b)


def full_disk():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@test("no space on a host: its copy stays as it was, logins go on, and all goes on when "
      "there is room; a change of its own is made or not, and it says which", root=True)
def no_space():
    with cluster("a", "b") as (pg, a, b):
        a.do("import", "-", "--no-sync", input="address,hash\n" + "".join(
            f"i{n}@example.com,*\n" for n in range(50)))
        before = b.dump()
        got = b.popbox("follow", "--once", preexec=full_disk)
        eq(got.rc, 111)
        eq(b.dump(), before)
        assert accepts(b, GOOD)
        got = reset(b, preexec=full_disk)
        eq(got.rc, 111)
        b.do("follow", "--once")
        alike(a, b)
        eq(accepts(b, NEW), "the change is made" in got.err, got)


run()
