#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Debian package: built, judged by lintian, installed by dpkg, used, removed
and purged, in a root of its own that lies over this one and is gone
afterwards."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import over
from tap import GOOD, TREE, eq, has, hasnt, make, run, skip, test

os.chdir(TREE)
_built = []


def package():
    if not _built:
        make("deb")
        _built.extend(glob.glob("build/deb/popbox_*.deb"))
        eq(len(_built), 1)
    return _built[0]


def inside(script):
    """What a script says that runs in a root of its own."""
    got, _ = over.inside(__file__, os.path.abspath(package()), script)
    if got.returncode == over.NO_ROOT:
        skip(got.stdout.strip())
    eq(got.returncode, 0, got.stdout + got.stderr)
    return got.stdout


def within(deb, script, top):
    over.lay_over(top)
    shutil.copy(deb, "/popbox.deb")
    os.execve("/bin/sh", ["sh", "-euc", script], {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive"})


INSTALL = "dpkg -i /popbox.deb >/dev/null\n"
STORE = f"""
popbox init --no-qmail 2>/dev/null
popbox config set log stderr
popbox domain add example.com --handle ex1 2>/dev/null
echo '{GOOD}' | popbox box add joe@example.com --stdin 2>/dev/null
"""


@test("the package is built, and lintian finds nothing")
def lintian():
    done = subprocess.run(["lintian", "--allow-root", "--fail-on",
                           "error,warning", package()], capture_output=True,
                          text=True)
    eq((done.returncode, done.stdout), (0, ""))


@test("the login program of the package is linked dynamically, and no path of "
      "this machine or of /usr/local is in it")
def content():
    with tempfile.TemporaryDirectory() as top:
        subprocess.run(["dpkg-deb", "-x", package(), top], check=True)
        has(subprocess.run(["readelf", "-d", top + "/usr/sbin/popbox-checkpw"],
                           check=True, capture_output=True,
                           text=True).stdout, "[liblmdb.so.0]")
        for where, _, names in os.walk(top):
            for name in names:
                with open(os.path.join(where, name), "rb") as file:
                    data = file.read()
                for path in (TREE.encode(), b"/usr/local"):
                    if name == "README.md" and path == b"/usr/local":
                        continue  # tells of make install
                    assert path not in data, (name, path)


@test("the same source and time make the same package")
def reproducible():
    def digest():
        return subprocess.run(["sha256sum", package()], capture_output=True,
                              check=True, text=True).stdout
    first = digest()
    _built.clear()
    eq(digest(), first)


@test("installed, it has popusr and an empty directory, and no store", root=True)
def installed():
    out = inside(INSTALL + """
        stat -c '%a %U' /var/lib/popbox
        ls -A /var/lib/popbox
        getent passwd popusr | cut -d: -f1,5,6,7
        id -gn popusr
        popbox --version
        popbox handle list 2>&1 || echo code $?
    """).splitlines()
    eq(out[:4], ["700 root", "popusr:popbox boxes,,,:/nonexistent:"
                 "/usr/sbin/nologin", "popusr", out[3]])
    has(out[3], "popbox ")
    has(out[4], "popbox init")
    eq(out[5], "code 111")


@test("installed, it takes logins; removed and purged, the store, the mail and "
      "their owner stay", root=True)
def used():
    out = inside(INSTALL + STORE + f"""
        printf 'joe@example.com\\0{GOOD}\\0x\\0' >/record
        popbox-checkpw sh -c 'pwd; id -un' 3</record 2>&1
        dpkg -r popbox >/dev/null
        test ! -e /usr/sbin/popbox
        dpkg -P popbox 2>&1 | grep kept
        ls /var/lib/popbox
        stat -c '%U' /home/popmail
        dpkg -i /popbox.deb >/dev/null
        popbox box list | tail -n 1
    """)
    has(out, "accept ip=- box=ex1-0001 user=joe@example.com")
    has(out, "\n/home/popmail/e/ex1/POP/ex1-0001\npopusr\n")
    has(out, "popbox: the store in /var/lib/popbox and popusr are kept\n")
    has(out, "config\ndata.mdb\n")
    has(out, "\npopusr\n")
    has(out, "ex1-0001")


@test("purged without a store, nothing of it is left", root=True)
def purged():
    out = inside("""
        list() { find /etc /usr /var/lib/popbox -xdev 2>/dev/null |
            grep -i -e popbox -e popusr | grep -v ^/usr/share/doc/popbox$ |
            grep -v /tests/ || :; }
        list >/before
        """ + INSTALL + """
        list | grep -c popbox
        dpkg -P popbox >/dev/null 2>&1
        list | diff /before - || :
        getent passwd popusr || echo no popusr
    """).splitlines()
    assert int(out[0]) > 10, out
    eq(out[1:], ["no popusr"])


@test("popusr is never taken away while files are his, nor one made by hand",
      root=True)
def kept():
    out = inside(INSTALL + """
        mkdir /srv/elsewhere && chown popusr /srv/elsewhere
        dpkg -P popbox 2>&1 | grep kept
        getent passwd popusr | cut -d: -f1
        rmdir /srv/elsewhere
        deluser --quiet --system popusr >/dev/null 2>&1
        useradd -u 510 -M -s /bin/false popusr
        dpkg -i /popbox.deb >/dev/null
        dpkg -P popbox >/dev/null 2>&1
        getent passwd popusr | cut -d: -f3
    """)
    eq(out, "popbox: popusr is kept, who owns files\npopusr\n510\n")


@test("an upgrade keeps the store and popusr's number", root=True)
def upgraded():
    out = inside(INSTALL + STORE + """
        id -u popusr >/before
        dpkg -i /popbox.deb >/dev/null
        id -u popusr | diff /before -
        popbox check --store-only && echo sound
    """)
    has(out, "sound")


if "--inside" in sys.argv:
    within(*sys.argv[2:])
@test("the package popbox-cluster alone links libpq, makes its user, and has what "
      "popbox does not", root=True)
def cluster():
    package()
    deb, = glob.glob("build/deb/popbox-cluster_*.deb")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on",
                           "error,warning", deb], capture_output=True,
                          text=True)
    eq((done.returncode, done.stdout), (0, ""))

    def field(path, name):
        return subprocess.run(["dpkg-deb", "-f", path, name], check=True,
                              capture_output=True, text=True).stdout
    hasnt(field(package(), "Depends"), "libpq5")
    has(field(deb, "Depends"), "libpq5")
    has(field(deb, "Depends"), "popbox (= ")
    text = subprocess.run(["dpkg-deb", "-c", deb], check=True,
                          capture_output=True, text=True).stdout
    has(text, "./usr/sbin/popbox-central\n")
    has(text, "./usr/share/man/man8/popbox-central.8.gz")
    hasnt(subprocess.run(["dpkg-deb", "-c", package()], check=True,
                         capture_output=True, text=True).stdout,
          "popbox-central")


run()
