# SPDX-License-Identifier: BSD-2-Clause
"""clang-format has nothing to change in C and C++ files."""

import subprocess

import sources

FORMATTED = (".c", ".h", ".cc", ".cpp", ".hpp")


def check(root, _scratch):
    names = sources.find(root, FORMATTED)

    def run(name):
        result = subprocess.run(
            ["clang-format", "--dry-run", "-Werror", "--ferror-limit=3", str(name)],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return [] if result.returncode == 0 else [result.stdout.rstrip()]

    return len(names), sum(sources.in_parallel(run, names), [])


if __name__ == "__main__":
    sources.main(check)
