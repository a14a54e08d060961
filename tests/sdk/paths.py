# SPDX-License-Identifier: BSD-2-Clause
"""Makes the modules under test importable, and says where the command is."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOVA = ROOT / "sdk/bin/nova"

sys.path[:0] = [str(ROOT / part) for part in ("sdk/lib", "tests/style", "tests/boot")]


def nova(*arguments, **options):
    """Runs the command to its end and keeps what it says."""
    return subprocess.run(
        [str(NOVA), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,
    )
