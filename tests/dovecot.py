# SPDX-License-Identifier: MIT
"""Debian's Dovecot as a test runs it: POP3 and IMAP on ports of its own."""
import imaplib
import os
import poplib
import socket
import time

from tap import skip

PROGRAM = "/usr/sbin/dovecot"
CONFIG = """
protocols = pop3 imap
base_dir = {top}/run
state_dir = {top}/state
log_path = {top}/dovecot.log
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {internal}
default_login_user = {internal}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain login
# Whoever was refused waits longer each time, but for tests.
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
pop3_uidl_format = %f
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
{more}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Dovecot:
    """Of a site, with databases as in more, until the block ends."""

    def __init__(self, site, more):
        if not os.path.exists(PROGRAM):
            skip("no dovecot")
        self.log = site.top + "/dovecot.log"
        self.ports = {poplib.POP3: free_port(), imaplib.IMAP4: free_port()}
        with open(site.top + "/dovecot.conf", "w") as file:
            file.write(CONFIG.format(top=site.top, pop=self.ports[poplib.POP3],
                                     imap=self.ports[imaplib.IMAP4], more=more,
                                     internal="dovecot", group="dovecot"))
        self.server = site.start(PROGRAM, "-F", "-c",
                                 site.top + "/dovecot.conf")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.server.terminate()
        self.server.wait(20)

    def connect(self, kind):
        for _ in range(100):
            try:
                return kind("127.0.0.1", self.ports[kind])
            except OSError:
                time.sleep(0.1)
        with open(self.log) as file:
            raise AssertionError(file.read())

    def pop(self, login, password):
        """A session, or None if the login is refused."""
        client = self.connect(poplib.POP3)
        client.user(login)
        try:
            client.pass_(password)
        except poplib.error_proto:
            return None
        return client

    def imap(self, login, password):
        client = self.connect(imaplib.IMAP4)
        try:
            client.login(login, password)
        except imaplib.IMAP4.error:
            return None
        return client
