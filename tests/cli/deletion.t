#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What becomes of mail for an address or a box that is deleted: said at the
deletion and at the purge, and chosen with --bounce and --keep."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Site, eq, has, hasnt, run, test


def shop(catchall=True):
    """joe has ex1-0001, ann ex1-0002, which is the catch-all's box as well."""
    site = Site().joe()
    site.do("box", "add", "ann@example.com", "--no-password")
    if catchall:
        site.do("address", "add", "*@example.com", "ex1-0002")
    return site


def goes(site, address="joe@example.com"):
    """Where a message goes: a box, or bounced."""
    before = {box: site.mails(box) for box in ("ex1-0001", "ex1-0002")}
    rc = site.deliver(address).rc
    if rc == 100:
        return "bounced"
    eq(rc, 0)
    return next((box for box in before if site.mails(box) and
                 site.mails(box) != before[box]), None)


def purge(site, what):
    return site.popbox("purge", what, "--now", "--yes").err


@test("a deleted address bounces until the purge, then the catch-all takes it, and "
      "both are said")
def address():
    with shop() as site:
        got = site.popbox("address", "del", "joe@example.com", "--yes")
        has(got.err, "mail for it bounces until the purge, and then goes to "
                     "the catch-all")
        eq(goes(site), "bounced")
        has(purge(site, "joe@example.com"), "to the catch-all 1, bounces 0")
        eq(goes(site), "ex1-0002")
    with shop(catchall=False) as site:
        got = site.popbox("address", "del", "joe@example.com", "--yes")
        has(got.err, "mail for it bounces from now on")
        has(purge(site, "joe@example.com"), "to the catch-all 0, bounces 1")
        eq(goes(site), "bounced")


@test("address del --bounce: it bounces after a purge as well, until its own name "
      "is purged")
def address_bounce():
    with shop() as site:
        got = site.popbox("address", "del", "joe@example.com", "--bounce",
                          "--yes")
        has(got.err, "bounces from now on, after the purge as well")
        eq(goes(site), "bounced")
        # Old enough for a purge of all, like another that goes.
        site.do("address", "add", "tmp@example.com", "ex1-0002")
        site.do("address", "del", "tmp@example.com", "--yes")
        site.write_control("queuelifetime", "0\n")
        time.sleep(1.1)
        got = site.popbox("purge", "--older-than", "1h", "--yes")
        has(got.err, "purged: 1 address")
        has(got.err, "goes on bouncing: 1 address ")
        eq(goes(site), "bounced")
        site.sound()
        site.do("sync", "--full")
        eq(goes(site), "bounced")
        has(purge(site, "joe@example.com"), "to the catch-all 1")
        eq(goes(site), "ex1-0002")
        site.sound()


@test("address del --keep: mail goes on into the box until the purge")
def address_keep():
    with shop() as site:
        got = site.popbox("address", "del", "joe@example.com", "--keep",
                          "--yes")
        has(got.err, "mail for it goes where it went until the purge, and "
                     "then goes to the catch-all")
        eq(goes(site), "ex1-0001")
        eq(site.login().rc, 1)
        purge(site, "joe@example.com")
        eq(goes(site), "ex1-0002")


@test("box del keeps mail in the deleted box until the purge, then the catch-all "
      "takes it, and both are said")
def box():
    with shop() as site:
        got = site.popbox("box", "del", "joe@example.com", "--yes")
        has(got.err, "mail for it goes where it went until the purge, and "
                     "then goes to the catch-all")
        eq(goes(site), "ex1-0001")
        has(purge(site, "ex1-0001"), "to the catch-all 1, bounces 0")
        eq(goes(site), "ex1-0002")


@test("box del --bounce: mail bounces from now on and after the purge; the mail "
      "that is there can be had back")
def box_bounce():
    with shop() as site:
        eq(goes(site), "ex1-0001")
        site.do("box", "del", "joe@example.com", "--bounce", "--yes")
        eq(goes(site), "bounced")
        site.do("box", "undelete", "ex1-0001")
        eq(goes(site), "ex1-0001")
        eq(site.mails(), 2)
        site.do("box", "del", "joe@example.com", "--bounce", "--yes")
        got = purge(site, "ex1-0001")
        has(got, "purged: 1 box")
        has(got, "goes on bouncing: 1 address ")
        eq(goes(site), "bounced")
        assert not os.path.exists(site.box_path())
        site.do("sync", "--full")
        eq(goes(site), "bounced")
        site.sound()
        got = site.popbox("explain", "joe@example.com")
        has(got.out + got.err, "deleted")
        # With its domain it goes.
        site.do("domain", "del", "example.com", "--yes")
        purge(site, "example.com")
        assert not os.path.exists(site.domain_path())
        site.sound()


@test("mail that was accepted before has its route, whatever was chosen")
def accepted():
    for option in ([], ["--keep"]):
        with shop() as site:
            site.do("box", "del", "joe@example.com", "--yes", *option)
            before = site.mails()
            for queued, to in ((False, "joe@example.com"),
                               (True, "example.com-joe@example.com")):
                eq(site.deliver(to, queued=queued).rc, 0)
            eq(site.mails(), before + 2)


@test("--bounce and --keep exclude each other; a dry run changes nothing")
def usage():
    with shop() as site:
        for noun in ("address", "box"):
            site.fails(2, "exclude", noun, "del", "joe@example.com",
                       "--bounce", "--keep", "--yes")
            site.do(noun, "del", "joe@example.com", "--bounce", "--dry-run")
        eq(goes(site), "ex1-0001")


@test("undo of a deletion with --bounce brings the address back, as it was")
def undone():
    with shop() as site:
        site.do("address", "del", "joe@example.com", "--bounce", "--yes")
        site.do("undo", str(site.last_entry()))
        eq(goes(site), "ex1-0001")
        site.do("address", "del", "joe@example.com", "--bounce", "--yes")
        # The same address again is no other; another wants the old one purged.
        site.fails(100, "purge", "address", "add", "joe@example.com",
                   "ex1-0002")
        site.do("address", "add", "joe@example.com", "ex1-0001")
        eq(goes(site), "ex1-0001")
        site.sound()


run()
