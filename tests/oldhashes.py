# SPDX-License-Identifier: MIT
"""Hashes as other programs make them, by those programs where they are here."""
import base64
import ctypes
import hashlib
import hmac
import os
import shutil
import subprocess


def by_crypt(password, setting):
    """What the machine's libcrypt makes, crypt(3). Python has no module for it
    from 3.13 on."""
    lib = ctypes.CDLL("libcrypt.so.1")
    lib.crypt.restype = ctypes.c_char_p
    lib.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    made = lib.crypt(password.encode(), setting.encode())
    return made.decode() if made else None


def by_program(program, password):
    """A fresh hash, or None where the program is missing."""
    if not shutil.which(program[0]):
        return None
    if program[0] == "argon2":
        done = subprocess.run(program, input=password, capture_output=True,
                              text=True, check=True)
    else:
        done = subprocess.run([*program, password], capture_output=True,
                              text=True, check=True)
    text = done.stdout.strip()
    return text.split(":", 1)[1] if program[0] == "htpasswd" else text


def b64(data, plus="+", end="="):
    return base64.b64encode(data).decode().replace("+", plus).rstrip("=") + \
        end * (-len(data) % 3 if end else 0)


def phpass(password, log=8, salt=b"saltsalt"):
    """Portable PHP password hashing, from its description."""
    digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    sum_ = hashlib.md5(salt + password).digest()
    for _ in range(1 << log):
        sum_ = hashlib.md5(sum_ + password).digest()
    text = ""
    for at in range(0, 16, 3):
        part = sum_[at:at + 3]
        bits = int.from_bytes(part, "little")
        text += "".join(digits[bits >> 6 * i & 63]
                        for i in range(len(part) + 1))
    return digits[log] + salt.decode() + text


def scram(kind, word, salt, rounds=4096):
    salted = hashlib.pbkdf2_hmac(kind, word, salt, rounds)

    def keyed(text):
        return hmac.new(salted, text, kind).digest()
    stored = hashlib.new(kind, keyed(b"Client Key")).digest()
    return f"{rounds},{b64(salt)},{b64(stored)},{b64(keyed(b'Server Key'))}"


def computed(kind, word, rounds=1200):
    """(word is bytes) those that Python computes itself."""
    salt = os.urandom(9)
    text = salt.hex()[:8]
    digest = {"MD5": "md5", "LDAP-MD5": "md5", "SHA": "sha1", "SHA256": "sha256",
              "SHA512": "sha512"}
    salted = {"SMD5": "md5", "SSHA": "sha1", "SSHA256": "sha256",
              "SSHA512": "sha512"}
    if kind in digest:
        return f"{{{kind}}}" + b64(hashlib.new(digest[kind], word).digest())
    if kind in salted:
        return f"{{{kind}}}" + b64(
            hashlib.new(salted[kind], word + salt).digest() + salt)
    if kind == "PLAIN-MD5":
        return "{PLAIN-MD5}" + hashlib.md5(word).hexdigest()
    if kind == "phpass":
        return "$P$" + phpass(word, salt=text.encode())
    if kind.startswith("SCRAM"):
        return f"{{{kind}}}" + scram(kind[6:].replace("-", "").lower(), word,
                                     salt)
    name = kind.split(" ")[1]
    made = hashlib.pbkdf2_hmac(name, word, salt, rounds)
    if kind.startswith("passlib"):
        tag = "" if name == "sha1" else "-" + name
        return f"$pbkdf2{tag}${rounds}${b64(salt, '.', '')}${b64(made, '.', '')}"
    made = hashlib.pbkdf2_hmac(name, word, text.encode(), rounds)
    if kind.startswith("django"):
        return f"pbkdf2_{name}${rounds}${text}${b64(made)}"
    assert kind.startswith("werkzeug"), kind
    return f"pbkdf2:{name}:{rounds}${text}${made.hex()}"


COMPUTED = ("MD5", "LDAP-MD5", "SHA", "SHA256", "SHA512", "SMD5", "SSHA",
            "SSHA256", "SSHA512", "PLAIN-MD5", "phpass", "SCRAM-SHA-1",
            "SCRAM-SHA-256", "passlib sha1", "passlib sha256", "passlib sha512",
            "django sha1", "django sha256", "werkzeug sha256", "werkzeug sha512")

PROGRAMS = (
    ("openssl", "passwd", "-1"), ("openssl", "passwd", "-5"),
    ("openssl", "passwd", "-6"), ("openssl", "passwd", "-apr1"),
    ("mkpasswd", "-m", "yescrypt"), ("mkpasswd", "-m", "gost-yescrypt"),
    ("mkpasswd", "-m", "scrypt"), ("mkpasswd", "-R", "5", "-m", "bcrypt"),
    ("mkpasswd", "-R", "5", "-m", "bcrypt-a"),
    ("htpasswd", "-nbB", "-C", "5", "x"),
    ("argon2", "0123456789abcdef", "-id", "-m", "10", "-e"),
    ("argon2", "8 bytes.", "-i", "-p", "2", "-m", "11", "-e"),
    ("doveadm", "pw", "-s", "CRAM-MD5", "-p"),
    ("doveadm", "pw", "-s", "PBKDF2", "-p"),
    ("doveadm", "pw", "-s", "SSHA512.hex", "-p"),
    ("doveadm", "pw", "-s", "SHA256-CRYPT", "-p"),
)


def schemes():
    """[(name, function of a password)] of all that can be made here."""
    found = [(kind, lambda password, kind=kind:
              computed(kind, password.encode())) for kind in COMPUTED]
    for program in PROGRAMS:
        if shutil.which(program[0]):
            found.append((" ".join(program), lambda password, program=program:
                          by_program(program, password)))
    return found
