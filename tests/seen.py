# SPDX-License-Identifier: MIT
"""The table of repeated logins, as checkpw/seen.c lays it out, for tests that look
into it or damage it. It is in the /run of their own that tap.py makes."""
import hashlib
import os
import shutil
import struct
import time

DIR, TABLE, TOLD = "/run/popbox", "/run/popbox/seen", "/run/popbox.told"
HEAD, SETS, WAYS, SET, ENTRY = 4096, 32768, 6, 256, 40
SIZE = HEAD + SETS * SET


def clean():
    """As after a start of the machine."""
    if os.path.isdir(DIR) and not os.path.islink(DIR):
        shutil.rmtree(DIR)
    for path in (DIR, TOLD):
        if os.path.lexists(path):
            os.unlink(path)


def now():
    """Its clock, in milliseconds."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000000


def entries():
    """(offset, milliseconds, digest) of all that are in the table."""
    with open(TABLE, "rb") as file:
        text = file.read()
    found = []
    for at in range(HEAD, SIZE, SET):
        if not any(text[at:at + SET]):
            continue
        for way in range(WAYS):
            place = at + way * ENTRY
            when, *words = struct.unpack_from("=5Q", text, place)
            if when or any(words):
                found.append((place, when, [words[0] ^ when, *words[1:]]))
    return found


def put(place, when, words):
    with open(TABLE, "r+b") as file:
        file.seek(place)
        file.write(struct.pack("=5Q", when, words[0] ^ when, *words[1:]))


def digest(box, hash, password):
    """With the key of the table."""
    with open(TABLE, "rb") as file:
        key = file.read(48)[16:]
    text = b"".join(struct.pack("=Q", len(part)) + part.encode()
                    for part in (box, hash, password))
    return struct.unpack("=4Q", hashlib.blake2b(
        text, key=key, digest_size=32).digest())


def forge(box, hash, password):
    """An entry that nothing was computed for, in the first place of its set."""
    words = digest(box, hash, password)
    put(HEAD + words[0] % SETS * SET, now(), words)


def damage(rnd):
    """A few bits of the key and of what is in use."""
    places = [at + rnd.randrange(ENTRY) for at, *_ in entries()] + \
        [rnd.randrange(16, 48)]
    with open(TABLE, "r+b") as file:
        for at in rnd.sample(places, rnd.randrange(1, len(places) + 1)):
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes((byte ^ 1 << rnd.randrange(8),)))
