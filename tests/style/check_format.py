# SPDX-License-Identifier: BSD-2-Clause
"""clang-format has nothing to change in C and C++ files."""

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

    # It takes ten times longer to start than to look at a file.
    return len(names), sum(sources.in_parallel(run, batches(names)), [])


def batches(names):
    """All NAMES, in as many lists as there are processors."""
    count = os.cpu_count() or 1
    return [names[first::count] for first in range(min(count, len(names)))]


if __name__ == "__main__":
    sources.main(check)
