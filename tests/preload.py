# SPDX-License-Identifier: MIT
"""Small libraries that a test preloads into the tool, which links dynamically.
The sanitizers' build wants its own library first, so such tests are plain."""
import atexit
import functools
import os
import shutil
import subprocess
import tempfile

from tap import TREE


@functools.cache
def compiled(source, *flags):
    """The library of tests/SOURCE.c, made once for all tests of a file."""
    top = tempfile.mkdtemp(prefix="popbox-preload.")
    atexit.register(shutil.rmtree, top, True)
    os.chmod(top, 0o755)  # programs of popusr load it
    path = f"{top}/{os.path.basename(source)}.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-w", *flags, "-o",
                    path, f"{TREE}/tests/{source}.c"], check=True)
    return path
