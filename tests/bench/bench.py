# SPDX-License-Identifier: MIT
"""What the benches share: rows, interleaved runs, sites and machines.

A bench is an executable tests/bench/NAME [SIZE], SIZE being 1 for its usual
length, that prints one JSON object a line on its standard output (`row`), and
whatever else it has to say on the other one:

    figure      what was measured, a sentence
    value       a number, in `unit`
    floor       what stands beside it in the same run, or null
    floor_name  what that is
    ratio       value / floor, or null
    goal        what was to be reached, or null: of the ratio where there is
                one, of the value otherwise
    of          "value" where the goal is the value's though there is a ratio
    least       true where the goal is a least, not a most
    spread      how far apart the middle half of what was measured lies, as a
                share of its median, or null
    runs        how often
    counted     true for figures that are exact: instructions, system calls
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tap  # noqa: E402
from tap import BUILD, FILL, ROOT, TREE, Site  # noqa: E402

SIZE = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
DYNAMIC = TREE + "/build/dynamic/popbox-checkpw"


def row(figure, value, unit, floor=None, floor_name="", goal=None,
        spread=None, runs=1, counted=False, of=None, least=False):
    line = {"figure": figure, "value": value, "unit": unit, "floor": floor,
            "floor_name": floor_name,
            "ratio": value / floor if floor else None, "goal": goal,
            "spread": spread, "runs": runs, "counted": counted}
    if of:
        line["of"] = of
    if least:
        line["least"] = True
    print(json.dumps(line), flush=True)


def chat(text):
    print("# " + text, file=sys.stderr, flush=True)


def spread(values):
    """The middle half of them: one turn that something else disturbed says
    nothing of the others."""
    middle = statistics.median(values)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle if middle else None


def interleaved(runs, *works):
    """Each work() in turns, first one and then the other first, so that what
    the machine does beside falls on all alike; what each returned."""
    took = [[] for _ in works]
    for run in range(runs):
        order = list(enumerate(works))
        for at, work in order if run % 2 else reversed(order):
            took[at].append(work())
    return took


def timed_row(figure, unit, measured, floors, **kw):
    """A row of medians, with the spread of the ratios of each turn."""
    ratios = [a / b for a, b in zip(measured, floors)]
    row(figure, statistics.median(measured), unit,
        floor=statistics.median(floors), spread=spread(ratios),
        runs=len(measured), **kw)


def seconds(*command, **kw):
    """The wall time of a command that must work."""
    start = time.monotonic()
    subprocess.run(command, check=True, **{"stdout": subprocess.DEVNULL, **kw})
    return time.monotonic() - start


def cpu(*command, **kw):
    """The processor time of a command and its children."""
    def used():
        use = resource.getrusage(resource.RUSAGE_CHILDREN)
        return use.ru_utime + use.ru_stime
    start = used()
    subprocess.run(command, check=True, **{"stdout": subprocess.DEVNULL, **kw})
    return used() - start


def need_root(name):
    if not ROOT:
        sys.exit(f"tests/bench/{name}: only root can become popusr")


def filled(site, count, hash="", prefix="u", domain="example.com",
           handle="ex1", published=False):
    """So many boxes with an address each, in one change that is not
    published, or is marked as if it were."""
    subprocess.run([FILL, site.store, handle, domain, prefix, str(count),
                    *([hash] if hash or published else []),
                    *(["published"] if published else [])], check=True)


def large(count, hash="", **settings):
    """A site without qmail, with joe and `count` boxes beside him."""
    site = Site(qmail=False, log="none", **settings)
    site.do("domain", "add", "example.com", "--handle", "ex1")
    filled(site, count, hash)
    return site


def joe(site, hash, login="joe@example.com"):
    """Joe with that hash, and his Maildir."""
    site.do("box", "add", login, "--hash-stdin", "--no-sync",
            input=hash + "\n")
    number = site.do("--json", "box", "show", login)
    box = json.loads(number)["box"]
    os.makedirs(site.box_path(box))
    for where in (site.home, *(os.path.join(at, name) for at, dirs, _ in
                               os.walk(site.home) for name in dirs)):
        os.chown(where, tap.UID, tap.GID)
