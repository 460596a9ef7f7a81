"""Sites of other programs, laid out as their own commands lay them out, and what
popbox has of them after an import."""
import json
import os
import subprocess

from tap import eq

WORDS = "old words 42"  # everybody's password


def output(*command, **kw):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          **kw).stdout.strip()


MD5 = output("openssl", "passwd", "-1", "-salt", "ab", WORDS)
SHA = output("openssl", "passwd", "-6", "-salt", "ab", WORDS)


def put(site, name, content):
    path = f"{site.top}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes)
                   else content.encode())
    return path


def rows(site, *words):
    return map(json.loads, site.do("--json", *words).splitlines())


def addresses(site):
    return {o["address"]: o for o in rows(site, "address", "list")}


def boxes(site):
    return {o["box"]: o for o in rows(site, "box", "list")}


def domains(site):
    return {o["domain"]: o for o in rows(site, "domain", "list")}


def state(site, address):
    """(login, delivery) of the box behind an address."""
    box = boxes(site)[addresses(site)[address]["box"]]
    return box["login"], box["delivery"]


def counts(site, *args, rc=0):
    got = site.popbox("--json", "import", *args)
    eq(got.rc, rc, got)
    return json.loads(got.out.splitlines()[-1])


def verify(site, login, words):
    return site.popbox("verify", login, "--stdin", input=words + "\n")


def accepts(site, login, words=WORDS):
    got = verify(site, login, words)
    eq(got.rc, 0, f"{login}: {got}")


def refuses(site, login, words=WORDS):
    got = verify(site, login, words)
    eq(got.rc, 1, f"{login}: {got}")
