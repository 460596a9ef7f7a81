# SPDX-License-Identifier: MIT
"""What is there before a chapter of the guide begins: qmail's stand-ins or the
real programs at /var/qmail, a mail log, and the sites that move in. Only ever
called in the root that guide.t has laid over this machine's."""
import fcntl
import glob
import os
import select
import shutil
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time

import genuine
import over
from oldsites import vmailmgr_cdb, vmailmgr_value, vmailmgr_vsetup
from tap import BUILD, QMAIL

INJECT = """#!/bin/sh
# Delivers at once, by qmail's rules; qmail-pop3d hides mail of this second.
/var/qmail/bin/deliver root@pop.example.com "$@" && exec sleep 1.1
"""
INJECT_REAL = """#!/bin/sh
# Comes back when qmail-send has delivered.
/var/qmail/bin/qmail-inject.real "$@" || exit
for try in $(seq 100); do
	sleep 0.1
	[ -n "$(find /var/qmail/queue/mess /var/qmail/queue/todo -type f)" ] || break
done
exec sleep 1.1
"""


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def shell(*words, **kw):
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          **kw).stdout.strip()


def network():
    """Loopback, and the address of a customer's host on it."""
    with socket.socket() as s:
        for name, address in ((b"lo", "127.0.0.1"), (b"lo:1", "192.0.2.25")):
            fcntl.ioctl(s, 0x8916, struct.pack(  # SIOCSIFADDR
                "16sHH4s8x", name, socket.AF_INET, 0,
                socket.inet_aton(address)))
            fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", name,  # SIOCSIFFLAGS
                                               0x49))
    with open("/etc/hosts", "w") as file:
        file.write("127.0.0.1 localhost\n192.0.2.25 mail.customer.example\n")


log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log_lock = threading.Lock()


def settle():
    """Waits until all that was logged is in the file."""
    while True:
        with log_lock:
            if not select.select([log], [], [], 0)[0]:
                return
        time.sleep(0.01)


def mail_log():
    """What syslogd does with the facility mail."""
    log.bind("/dev/log")
    os.chmod("/dev/log", 0o666)
    open("/var/log/mail.log", "w").close()

    def take():
        while True:
            select.select([log], [], [])
            with log_lock, open("/var/log/mail.log", "a") as file:
                text = log.recv(2048).decode("utf-8", "replace")
                file.write("Jan 31 12:00:00 pop " + text.partition(">")[2] +
                           "\n")
    threading.Thread(target=take, daemon=True).start()


def qmail():
    bin_ = "/var/qmail/bin"
    os.makedirs("/var/qmail", exist_ok=True)
    if QMAIL:
        shell("cp", "-a", genuine.PRISTINE + "/.", "/var/qmail")
        os.rename(bin_ + "/qmail-inject", bin_ + "/qmail-inject.real")
    else:
        for part in ("control", "users"):
            os.makedirs("/var/qmail/" + part)
        shutil.copytree(BUILD + "/qmail", bin_)
    put(bin_ + "/qmail-inject", INJECT_REAL if QMAIL else INJECT, 0o755)
    for name in ("me", "locals", "rcpthosts"):
        put("/var/qmail/control/" + name, "pop.example.com\n")
    subprocess.Popen([bin_ + "/qmail-start", "./Mailbox"] if QMAIL
                     else [bin_ + "/qmail-send"], cwd="/",
                     env={"PATH": bin_ + ":/usr/bin:/bin"},
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def installed():
    for name in ("popbox", "popbox-checkpw", "popbox-askpw",
                 "popbox-quota", "popbox-rcptcheck", "popbox-vacation",
                 "popbox-maildirsmtp"):
        shutil.copy(f"{BUILD}/{name}", "/usr/local/sbin/" + name)


def popusr():
    shell("groupadd", "-g", "51", "popusr")
    shell("useradd", "-u", "510", "-g", "51", "-M", "-d", "/home/popmail",
          "-s", "/bin/false", "popusr")


def store(joe=True):
    installed()
    popusr()
    shell("popbox", "init")
    # Tests need not burn what an attacker shall.
    shell("popbox", "config", "set", "refuse_delay_ms", "0")
    if not joe:  # an import is not to last until its bar is drawn
        shell("popbox", "config", "set", "argon2_kib", "1024")
        return
    shell("popbox", "domain", "add", "example.com", "--handle", "ex1")
    for who in ("joe", "ann"):
        shell("popbox", "box", "add", who + "@example.com", "--stdin",
              input="correct horse 42 staple\n")


def maildir(path, *messages):
    for part in ("cur", "new", "tmp"):
        os.makedirs(f"{path}/{part}")
    for name in messages:
        put(f"{path}/{name}", "Subject: old mail\n\nIt came before.\n")


def vpopmail():
    """example.net with four users, an alias, the usual .qmail-default, and an
    alias domain."""
    shell("groupadd", "-g", "889", "vchkpw")
    shell("useradd", "-u", "889", "-g", "889", "-M", "-d", "/home/vpopmail",
          "vpopmail")
    top = "/home/vpopmail/domains/example.net"
    md5 = shell("openssl", "passwd", "-1", "joes old password")
    sha = shell("openssl", "passwd", "-6", "anns old password")
    put(top + "/vpasswd",
        f"ann:{sha}:1:2:Ann:{top}/ann:NOQUOTA\n"
        f"bob:{sha}:1:4:Bob:{top}/bob:NOQUOTA\n"
        f"joe:{md5}:1:0:Joe Doe:{top}/joe:10485760S,1000C\n"
        f"postmaster:{md5}:1:0:Postmaster:{top}/postmaster:NOQUOTA\n")
    put(top + "/.qmail-default",
        "| /home/vpopmail/bin/vdelivermail '' bounce-no-mailbox\n")
    put(top + "/.qmail-sales", f"{top}/joe/Maildir/\n&extern@example.org\n")
    put(top + "/bob/.qmail", "&bob@elsewhere.example\n")
    maildir(top + "/joe/Maildir", "new/1000000001.1.pop",
            "cur/1000000000.2.pop:2,S")
    maildir(top + "/ann/Maildir", "new/1000000002.3.pop")
    maildir(top + "/bob/Maildir")
    maildir(top + "/postmaster/Maildir")
    shell("chown", "-R", "-h", "vpopmail:vchkpw", "/home/vpopmail")
    names = ("example.net", "example.info")
    put("/var/qmail/control/rcpthosts",
        "".join(n + "\n" for n in ("pop.example.com", *names)))
    put("/var/qmail/control/virtualdomains",
        "".join(f"{n}:{n}\n" for n in names))
    put("/var/qmail/users/assign",
        "".join(f"+{n}-:example.net:889:889:{top}:-::\n" for n in names) +
        ".\n")
    shell("/var/qmail/bin/qmail-newu")


def vmailmgr():
    """example.net and its alias example.info, of the Unix user exnet."""
    shell("useradd", "-m", "-u", "900", "exnet")
    md5 = shell("openssl", "passwd", "-1", "joes old password")
    vmailmgr_cdb("/home/exnet/passwd.cdb", [
        *vmailmgr_vsetup(),
        ("joe", vmailmgr_value(md5, "./users/joe", name="Joe Doe")),
        ("ann", vmailmgr_value(md5, "./users/ann", name="Ann",
                               enabled=False)),
        ("old", vmailmgr_value(md5, "./users/old", expiry="1000000000")),
        ("sales", vmailmgr_value("*", "./users/sales",
                                 ["joe", "extern@example.org"],
                                 mailbox=False))])
    maildir("/home/exnet/users/joe", "new/1000000001.1.pop")
    for name in ("ann", "old", "mailer-daemon", "postmaster", "root"):
        maildir("/home/exnet/users/" + name)
    put("/home/exnet/.qmail-default", "|/usr/bin/vdeliver\n")
    put("/home/exnet/.qmail-team", "&joe@example.net\n./users/ann/\n")
    shell("chown", "-R", "-h", "exnet:", "/home/exnet")
    put("/var/qmail/control/rcpthosts",
        "pop.example.com\nexample.net\nexample.info\n")
    put("/var/qmail/control/virtualdomains",
        "example.net:exnet\nexample.info:exnet\n")


def by_hand():
    """Numbered Maildirs below /home/popmail, made with an editor."""
    top = "/home/popmail/e/ex7"
    domain = top + "/DOMAINS/example.net"
    for number, who in enumerate(("joe", "ann")):
        box = f"{top}/POP/ex7-{number + 1:04d}"
        maildir(box, "new/1000000001.1.pop")
        put(f"{domain}/.qmail-{who}", box + "/\n")
    put(domain + "/.qmail-sales", "&joe@example.net\n&ann@example.net\n")
    put(domain + "/.qmail-list", "|/usr/local/bin/list-of-ours\n")
    shell("chown", "-R", "-h", "popusr:popusr", "/home/popmail")
    put("/var/qmail/control/rcpthosts", "pop.example.com\nexample.net\n")
    put("/var/qmail/control/virtualdomains", "example.net:example.net\n")
    put("/var/qmail/users/assign",
        f"+example.net-:ex7:510:51:{domain}:-::\n.\n")
    shell("/var/qmail/bin/qmail-newu")


class Customer(socketserver.StreamRequestHandler):
    """As much of SMTP as taking a message needs."""

    def handle(self):
        self.wfile.write(b"220 mail.customer.example\r\n")
        body = False
        for line in self.rfile:
            word = line[:4].upper().strip()
            if body:
                body = line != b".\r\n"
                if body:
                    continue
            if word == b"DATA":
                body = True
                self.wfile.write(b"354 go on\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


def customer():
    """His host: it is on the line now."""
    server = socketserver.ThreadingTCPServer(("192.0.2.25", 25), Customer)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def prepare(chapter):
    network()
    mail_log()
    qmail()
    os.makedirs("/var/backups", exist_ok=True)
    if chapter == "from-vpopmail.md":
        store(joe=False)
        vpopmail()
    elif chapter == "from-vmailmgr.md":
        store(joe=False)
        vmailmgr()
    elif chapter == "by-hand.md":
        store(joe=False)
        by_hand()
    elif chapter == "dial-up.md":
        store()
        customer()
    elif chapter == "cluster.md":
        if not glob.glob("/usr/lib/postgresql/15/bin/initdb"):
            print("PostgreSQL is not installed here")
            sys.exit(over.NO_ROOT)
        store()
        shutil.copy(BUILD + "/popbox-central", "/usr/local/sbin/")
    elif chapter == "recipes.md":
        store()
