# SPDX-License-Identifier: MIT
"""Rows of benches: running them, and tables of what they print."""
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# `growth` takes an hour and has its own pages: tests/bench/growth.
ALL = ("login", "logins", "publish", "change", "check", "bulk", "cluster")


def one(name, size, where=HERE):
    print(f"== {name}", file=sys.stderr, flush=True)
    process = subprocess.Popen([f"{where}/{name}", size],
                               stdout=subprocess.PIPE, text=True)
    rows = [{"bench": name, **json.loads(line)} for line in process.stdout
            if line.startswith("{")]
    return rows, process.wait()


def number(value):
    if value is None:
        return ""
    if isinstance(value, int) or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def reached(row):
    """True, False, or None where there is no goal."""
    if row.get("goal") is None:
        return None
    by_value = row.get("of") == "value" or row["ratio"] is None
    got = row["value"] if by_value else row["ratio"]
    return got >= row["goal"] if row.get("least") else got <= row["goal"]


def goal(row):
    if row.get("goal") is None:
        return ""
    by_value = row.get("of") == "value" or row["ratio"] is None
    return (">= " if row.get("least") else "<= ") + number(row["goal"]) + \
        ("" if by_value else " x")


def cells(row):
    verdict = {True: "reached", False: "MISSED", None: ""}[reached(row)]
    floor = number(row["floor"]) + (f" ({row['floor_name']})"
                                    if row["floor"] is not None else "")
    return (row["figure"], f"{number(row['value'])} {row['unit']}", floor,
            f"{row['ratio']:.2f} x" if row["ratio"] is not None else "",
            f"{row['spread']:.0%}" if row["spread"] is not None else
            "exact" if row["counted"] else "", goal(row), verdict)


def table(rows, out=sys.stdout):
    """The rows as a table that is one in Markdown as well."""
    head = ("figure", "value", "floor", "ratio", "spread", "goal", "")
    lines = [cells(row) for row in rows]
    widths = [max(len(line[i]) for line in [head, *lines])
              for i in range(len(head))]
    for line in [head, tuple("-" * w for w in widths), *lines]:
        print("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths))
              + " |", file=out)


def machine():
    """Where it was measured."""
    def read(path):
        try:
            with open(path) as file:
                return file.read()
        except OSError:
            return ""
    cpus = [line.split(":", 1)[1].strip()
            for line in read("/proc/cpuinfo").splitlines()
            if line.startswith("model name")]
    where = tempfile.gettempdir()
    kind = subprocess.run(["stat", "-f", "-c", "%T", where],
                          capture_output=True, text=True).stdout.strip()
    memory = read("/proc/meminfo").split()
    return {"cpu": cpus[0] if cpus else platform.machine(),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "system": platform.libc_ver()[0] + " " + platform.libc_ver()[1],
            "memory_gib": round(int(memory[1]) / 2**20) if memory else None,
            "files": kind, "load": os.getloadavg()[0],
            "time": time.strftime("%Y-%m-%d %H:%M")}
