# SPDX-License-Identifier: BSD-2-Clause
"""Checks that clang-format would not change any C or C++ file."""

import os
import subprocess

import sources

FORMATTED = (".c", ".h", ".cc", ".cpp", ".hpp")


def check(root, _scratch):
    names = sources.find(root, FORMATTED)

    def run(batch):
        result = subprocess.run(
            ["clang-format", "--dry-run", "-Werror", "--ferror-limit=3", *map(str, batch)],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return [] if result.returncode == 0 else [result.stdout.rstrip()]

    # clang-format takes ten times longer to start than to read a file.
    return len(names), sum(sources.in_parallel(run, batches(names)), [])


def batches(names):
    """Splits NAMES into as many lists as there are processors."""
    count = os.cpu_count() or 1
    return [names[first::count] for first in range(min(count, len(names)))]


if __name__ == "__main__":
    sources.main(check)
