# SPDX-License-Identifier: BSD-2-Clause
"""Executes the recipe of docs/start.md for a roottask outside of the tree: `recipe.py ARCH`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from extract import blocks

ROOT = Path(__file__).resolve().parents[2]
GREETING = "Hello from CPU 0 of 4!"


def recipes(text, arch):
    """Returns the shell blocks for ARCH."""
    section = text[text.index("## A roottask from anywhere") :]
    return [block for block in blocks(section, "sh") if f"build/{arch}-" in block]


def main(arch):
    shell = recipes((ROOT / "docs/start.md").read_text(encoding="utf-8"), arch)
    if len(shell) != 1:
        sys.exit(f"docs/start.md has {len(shell)} recipes for {arch} instead of one")
    with tempfile.TemporaryDirectory(prefix="nova test ") as folder:
        tree = Path(folder) / "tree"
        tree.symlink_to(ROOT)  # $N without quotes must work for any path of this tree
        for block in shell:
            print(block)
            result = subprocess.run(
                ["sh", "-e", "-c", block],
                cwd=folder,
                env=dict(os.environ, N="tree"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            print(result.stdout)
            if result.returncode != 0 or GREETING not in result.stdout:
                sys.exit(f"status {result.returncode}")


if __name__ == "__main__":
    main(sys.argv[1])
