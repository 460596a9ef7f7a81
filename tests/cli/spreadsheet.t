#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A migration out of a spreadsheet: accounts with old hashes of every kind, in a csv as
LibreOffice Calc writes it."""
import csv
import io
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from oldhashes import schemes
from tap import Site, eq, has, run, test

FIRST = ("J\u00f6rg", "Zo\u00eb", "Fran\u00e7ois", "Bob")
LAST = ("O'Neil", "Doe, Jr.", "Stra\u00dfe; Haus", 'Ludwig "Lu" Gro\u00df',
        "Smith")
HEAD = ("E-Mail", "Hash", "Vorname", "Nachname", "Quota MB")


def accounts(each):
    """[(address, hash, first name, last name, MB, password)]"""
    rows = []
    for name, make in schemes():
        for _ in range(each):
            i = len(rows)
            password = f"old {i * 7919} words"
            rows.append((f"user{i}@d{i % 3}.example", make(password),
                         FIRST[i % len(FIRST)], LAST[i % len(LAST)],
                         i % 7 * 100, password))
    return rows


def sheet(rows, between, encoding, always):
    """As Calc writes texts: in quotes where that is asked for or needed, quotes twice,
    numbers as they are; its lines end in LF; UTF-16 has a byte order mark."""
    def field(value):
        text = str(value)
        quoted = isinstance(value, str) and (
            always or any(c in text for c in between + '"\n'))
        return '"' + text.replace('"', '""') + '"' if quoted else text
    lines = [("Mailboxen der Firma", "", "", "", ""), HEAD,
             *(row[:5] for row in rows)]
    text = "".join(between.join(map(field, line)) + "\n" for line in lines)
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    return mark + text.encode(encoding)


WAYS = ((",", "utf-8", True, "read as csv\n"),
        (";", "cp1252", True, ", windows-1252, since it is not UTF-8"),
        (";", "latin-1", False, ", windows-1252, since it is not UTF-8"),
        ("\t", "utf-16-le", False, ", utf-16le"))


@test("with each separator and encoding all accounts, names and quotas arrive; a dry run "
      "says so before, the file again changes nothing, and every old password logs in")
def migration():
    rows = accounts(1)
    assert len(rows) >= 20, "too few schemes can be made here"
    for way, (between, encoding, always, said) in enumerate(WAYS):
        with Site(qmail=False) as site:
            path = site.top + "/mail.csv"
            with open(path, "wb") as file:
                file.write(sheet(rows, between, encoding, always))
            words = ("import", path, "--handle", "ex1")
            got = site.popbox(*words, "--dry-run")
            eq(got.rc, 0, got)
            has(got.err, f"it would be: {len(rows)} created")
            got = site.popbox(*words)
            eq(got.rc, 0, got)
            has(got.err, said)
            has(got.err, f"{len(rows)} created")
            there = {row["address"]: row for row in csv.DictReader(
                io.StringIO(site.do("export", "--format", "csv")))}
            for address, _, first, last, mb, _ in rows:
                eq(there[address]["name"], f"{first} {last}")
                eq(int(there[address]["quota"] or 0), mb << 20)
            has(site.popbox(*words).err, f"{len(rows)} unchanged")
            # All in the first, and some in each: a login of each costs.
            for row in rows[way::1 if way == 0 else 9]:
                eq(site.login(row[0], row[5]).rc, 0, row)
            eq(site.login(rows[way][0], rows[way][5] + "~").rc, 1)
    print(f"# {len(rows)} schemes")


run()
