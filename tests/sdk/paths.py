# SPDX-License-Identifier: BSD-2-Clause
"""Makes the modules under test importable, and holds the path of the command."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOVA = ROOT / "sdk/bin/nova"

PARTS = ("sdk/lib", "tests/style", "tests/boot", "tests/fuzz", "tests/fuzzer",
         "tests/proofs")
sys.path[:0] = [str(ROOT / part) for part in PARTS]


def copy_part(part, root):
    """Copies a folder of the tree. Other tests may write Python's cache beside it."""
    shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))


def nova(*arguments, **options):
    """Runs the command to its end and keeps its output."""
    return subprocess.run(
        [str(NOVA), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,
    )
