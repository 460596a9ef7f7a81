# SPDX-License-Identifier: MIT
"""Small libraries that a test preloads into the tool, which links dynamically.
The sanitizers' build wants its own library first, so such tests are plain."""
import os
import subprocess

from tap import TREE


def compiled(site, source, *flags):
    """The library of tests/SOURCE.c, in the site's directory."""
    path = f"{site.top}/{os.path.basename(source)}.so"
    if not os.path.exists(path):
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-w", *flags, "-o",
                        path, f"{TREE}/tests/{source}.c"], check=True)
    return path
