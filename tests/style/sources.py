# SPDX-License-Identifier: BSD-2-Clause
"""Finds the sources of a tree, and runs a check so that it cannot pass without checking anything.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CODE = (".c", ".h", ".S", ".cc", ".cpp", ".hpp")
OTHER = (".py", ".sh", ".cmake", ".ld", ".inc", ".in", ".nova", ".css", ".pml")
NAMED = ("CMakeLists.txt", ".clang-format", ".clang-tidy", "Doxyfile", "nova", "new", "run")
SKIPPED = ("build", "__pycache__")


def find(root, suffixes, names=()):
    """Returns paths relative to ROOT, sorted; hidden folders except .ci, and build directories, are
    left out."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in SKIPPED and (name == ".ci" or not name.startswith("."))
        ]
        for name in files:
            if name.endswith(suffixes) or name in names:
                found.append((Path(folder) / name).relative_to(root))
    return sorted(found)


def in_parallel(function, items):
    """Returns all results in order, from one thread per processor."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(function, items))


def main(check):
    """Runs CHECK(root, scratch) -> (number of things checked, list of complaints)."""
    looked_at, complaints = check(Path(sys.argv[1]), Path(sys.argv[2]))
    for complaint in complaints:
        print(complaint)
    print(f"{looked_at} looked at, {len(complaints)} complaints")
    sys.exit(1 if complaints or not looked_at else 0)
