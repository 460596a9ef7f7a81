# SPDX-License-Identifier: MIT
"""A network of one machine, for the harness genuine: names that resolve, and an
SMTP server at each address that notes who was sent to it. In a network namespace of
its own, so that the ports are free and nothing leaves it."""
import collections
import contextlib
import re
import socket
import struct
import subprocess
import threading

PORTS = (25, 26)
MX = "127.0.9.9"  # of every domain
HOSTS = {"m.org": "127.0.1.1", "mail.example.net": "127.0.1.2",
         "UPPER.org": "127.0.1.3"}
A, MX_TYPE = 1, 15


def address_of(name):
    """The A record of any name; None: it has none."""
    if name.endswith(".mx"):
        return MX
    return {host.lower(): ip for host, ip in HOSTS.items()}.get(name.lower())


def place(target):
    """(ip, port) to which a host of control/smtproutes, as written, leads."""
    if target == "mx":
        return MX, 25
    host, colon, port = target.partition(":")
    number = re.match(r"\d+", port)
    literal = re.fullmatch(r"\[([\d.]+)\]", host)
    ip = literal[1] if literal else address_of(host)
    return ip, int(number[0]) if number else 0 if colon else 25


def name_in(packet):
    """The name that is asked for, and where it ends."""
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels), at + 1


def answer(packet):
    name, end = name_in(packet)
    kind = struct.unpack("!H", packet[end:end + 2])[0]
    data = b""
    if kind == MX_TYPE:
        data = struct.pack("!H", 1) + b"\3any\2mx\0"
    elif kind == A and address_of(name):
        data = socket.inet_aton(address_of(name))
    head = packet[:2] + struct.pack("!HHHHH", 0x8180, 1, bool(data), 0, 0)
    if not data:
        return head + packet[12:end + 4]
    return head + packet[12:end + 4] + b"\xc0\x0c" + \
        struct.pack("!HHIH", kind, 1, 60, len(data)) + data


class Net:
    """came: {token of the message: [(recipient, (ip, port))]}."""

    def __init__(self, resolv):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        with open(resolv, "w") as file:
            file.write("nameserver 127.0.0.1\noptions timeout:5\n")
        subprocess.run(["mount", "--bind", resolv, "/etc/resolv.conf"],
                       check=True)
        self.came = collections.defaultdict(list)
        self.start(self.names, socket.SOCK_DGRAM, 53)
        for port in PORTS:
            self.start(self.mail, socket.SOCK_STREAM, port)

    @staticmethod
    def start(serve, kind, port):
        listening = socket.socket(socket.AF_INET, kind)
        listening.bind(("0.0.0.0", port))
        threading.Thread(target=serve, args=(listening,), daemon=True).start()

    @staticmethod
    def names(listening):
        while True:
            packet, peer = listening.recvfrom(2000)
            listening.sendto(answer(packet), peer)

    def mail(self, listening):
        listening.listen(100)
        while True:
            talk, _ = listening.accept()
            threading.Thread(target=self.talk, args=(talk,),
                             daemon=True).start()

    def talk(self, talk):
        recipients, where = [], talk.getsockname()
        # qmail-remote does not read what is said to its QUIT.
        with contextlib.suppress(OSError), talk, \
                talk.makefile("rwb") as file:
            def say(text):
                file.write(text + b"\r\n")
                file.flush()
            say(b"220 x")
            for line in file:
                word = line[:4].upper()
                if word == b"RCPT":
                    recipients.append(line.decode("latin-1"))
                if word != b"DATA":
                    say(b"221 x" if word == b"QUIT" else b"250 x")
                    continue
                say(b"354 x")
                text = self.text(file)
                token = re.search(r"^X-Token: (\d+)", text, re.M)
                self.came[int(token[1])].append((recipients, where))
                say(b"250 x")

    @staticmethod
    def text(file):
        lines = []
        for line in file:
            if line == b".\r\n":
                break
            lines.append(line.decode("latin-1"))
        return "".join(lines)
