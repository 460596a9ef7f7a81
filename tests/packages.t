#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What make installs for the demos and tests: tests/packages, in a root that is
laid over this machine's, with a package of our own and an apt-get that knows it
alone."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import over
from tap import TREE, eq, run, skip, test

FILES = {
    "DEBIAN/control": """Package: popbox-try
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: a service for a test
""",
    # As debhelper makes it, in short; nothing of it may stop the installation.
    "DEBIAN/postinst": """#!/bin/sh
update-rc.d popbox-try defaults
deb-systemd-helper enable popbox-try.service
invoke-rc.d popbox-try start
deb-systemd-invoke start popbox-try.service
# As PostgreSQL's, which makes a database cluster where it finds none.
ls /etc/postgresql/99/*/postgresql.conf >/found || mkdir -p /etc/postgresql/99/main
exit 0
""",
    "etc/init.d/popbox-try": """#!/bin/sh
### BEGIN INIT INFO
# Provides: popbox-try
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: try
### END INIT INFO
echo "$1" >>/started
""",
    "lib/systemd/system/popbox-try.service": """[Service]
ExecStart=/bin/touch /started
[Install]
WantedBy=multi-user.target
Alias=popbox-other.service
""",
    "lib/systemd/system/popbox-mine.service": """[Service]
ExecStart=/bin/true
[Install]
WantedBy=multi-user.target
""",
}
POLICY = "/usr/sbin/policy-rc.d"


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def enabled():
    """Everything that would start at the next boot."""
    done = subprocess.run("find /etc/systemd/system -type l; "
                          "find /etc/rc?.d -name 'S*'", shell=True,
                          capture_output=True, text=True)
    return set(done.stdout.splitlines())


def within(apt, policy, name, top):
    over.lay_over(top)
    os.makedirs("/etc/systemd/system", exist_ok=True)
    for path, text in FILES.items():
        write("/try/" + path, text.replace("e: popbox-try", "e: " + name),
              0o755 if "DEBIAN/p" in path or "init.d" in path else 0o644)
    os.environ["PATH"] = "/fake:/usr/sbin:/usr/bin:/sbin:/bin"
    subprocess.run(["dpkg-deb", "-b", "/try", "/try.deb"], check=True,
                   stdout=subprocess.DEVNULL)
    # One that the administrator has enabled.
    write("/lib/systemd/system/popbox-mine.service",
          FILES["lib/systemd/system/popbox-mine.service"])
    os.makedirs("/etc/systemd/system/multi-user.target.wants", exist_ok=True)
    os.symlink("/lib/systemd/system/popbox-mine.service", "/etc/systemd/system"
               "/multi-user.target.wants/popbox-mine.service")
    write("/fake/apt-get", apt, 0o755)
    if os.path.exists(POLICY):
        os.unlink(POLICY)
    if policy:
        write(POLICY, policy, 0o755)
    before = enabled()
    assert any("popbox-mine" in path for path in before), before
    done = subprocess.run([TREE + "/tests/packages", name],
                          capture_output=True, text=True)
    print("code", done.returncode)
    print("installed", subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status}", name],
        capture_output=True, text=True).stdout)
    print("new", sorted(enabled() - before))
    print("gone", sorted(before - enabled()))
    print("started", os.path.exists("/started"))
    print("policy", open(POLICY).read() if os.path.exists(POLICY) else None,
          os.path.exists(POLICY + ".kept"))
    print("clusters", os.path.exists("/etc/postgresql/99"))


def packages(apt, policy="", name="popbox-try"):
    got, _ = over.inside(__file__, apt, policy, name)
    if got.returncode == over.NO_ROOT:
        skip(got.stdout.strip())
    eq(got.returncode, 0, got.stdout + got.stderr)
    *lines, clusters = got.stdout.splitlines()
    eq(clusters, f"clusters {not name.startswith('postgresql')}")
    return lines


WORKS = "#!/bin/sh\nexec dpkg -i /try.deb\n"


@test("a service that comes with a package is neither started nor enabled, and "
      "one that was enabled stays so", root=True, plain=True)
def services():
    eq(packages(WORKS),
       ["code 0", "installed install ok installed", "new []", "gone []",
        "started False", "policy None False"])


@test("an administrator's own policy-rc.d is back afterwards, and does not start "
      "what is installed", root=True, plain=True)
def policy():
    eq(packages(WORKS, "#!/bin/sh\nexit 0\n")[2:],
       ["new []", "gone []", "started False", "policy #!/bin/sh", "exit 0",
        " False"])


@test("an installation that fails leaves nothing enabled or started either",
      root=True, plain=True)
def fails():
    eq(packages("#!/bin/sh\ndpkg -i /try.deb\nexit 100\n")[::2],
       ["code 1", "new []", "started False"])


@test("PostgreSQL's package makes no database cluster, and nothing of its "
      "configuration is left", root=True, plain=True)
def no_cluster():
    eq(packages(WORKS, name="postgresql-99"),
       ["code 0", "installed install ok installed", "new []", "gone []",
        "started False", "policy None False"])


if "--inside" in sys.argv:
    within(*sys.argv[2:])
    sys.exit(0)
run()
