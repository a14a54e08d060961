# SPDX-License-Identifier: BSD-2-Clause
"""clang-tidy finds nothing in the C files of x86_64; what it looks for is in .clang-tidy."""

import subprocess

import database
import sources

ARCH = "x86_64"
COMPILER = "clang"


def check(root, scratch):
    entries = database.make(root, scratch, ARCH, COMPILER)
    files = sorted({entry["file"] for entry in entries if entry["file"].endswith(".c")})

    def run(file):
        result = subprocess.run(
            ["clang-tidy", "--quiet", "-p", str(database.folder(scratch, ARCH, COMPILER)), file],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        return [] if result.returncode == 0 else [result.stdout.rstrip() or result.stderr.rstrip()]

    return len(files), sum(sources.in_parallel(run, files), [])


if __name__ == "__main__":
    sources.main(check)
