# SPDX-License-Identifier: BSD-2-Clause
"""QEMU as the benchmarks use it: ticks are instructions, and plugins count (tests/bench/plugin)."""

import contextlib
import subprocess
import tempfile
from pathlib import Path

from nova import tree
from nova.errors import EXIT_FAILED, NovaError

# One tick of the TSC is one instruction.
ICOUNT = ["-icount", "shift=0,sleep=off"]
FOLDER = tree.ROOT / "tests" / "bench" / "plugin"


def compile_plugin(name, folder, sources=FOLDER):
    """Compiles a plugin into a folder. Returns the library."""
    library = Path(folder) / f"{name}.so"
    command = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(library), str(sources / f"{name}.c")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NovaError(f"the plugin could not be compiled: {result.stderr}", EXIT_FAILED)
    return library


@contextlib.contextmanager
def compiled(name, kernel_from, *options):
    """Compiles a plugin for the duration of a block. Yields QEMU's options for it, with the address
    at which the kernel begins, and the plugin's output file."""
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        library, results = compile_plugin(name, folder), Path(folder) / name
        words = (library, f"out={results}", f"from={kernel_from:#x}", *options)
        yield ",".join(map(str, words)), results


def told_names(console, word="operation"):
    """Returns {number: key} of the lines in which a program names the plugin's numbers."""
    told = (line.split() for line in console.splitlines() if line.startswith(word + " "))
    return {number: key for _, number, key in told}
