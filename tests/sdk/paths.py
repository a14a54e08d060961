# SPDX-License-Identifier: BSD-2-Clause
"""Makes the modules under test importable, and holds the path of the command."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOVA = ROOT / "sdk/bin/nova"

sys.path[:0] = [str(ROOT / part) for part in ("sdk/lib", "tests/style", "tests/boot")]


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
