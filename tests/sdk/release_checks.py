# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the release kernel has none of the debug kernel's checks: `release_checks.py ELF
CONFIG`.

A debug kernel must have all of them, which proves that the names here are those of the checks."""

import subprocess
import sys
from pathlib import Path

SYMBOLS = ("lock_check_taking", "lock_check_dropping", "poison_free", "poison_take")
SENTENCES = (b"assertion '%s' failed at", b"was written after it was freed", b"against the order")


def main():
    path, config = sys.argv[1:]
    lines = subprocess.run(["nm", path], stdout=subprocess.PIPE, text=True, check=True).stdout
    names = {line.split()[-1].split(".")[0] for line in lines.splitlines() if line.strip()}
    stripped = Path(f"{path}.stripped")
    subprocess.run(["objcopy", "--strip-all", path, stripped], check=True)
    image = stripped.read_bytes()
    stripped.unlink()
    found = [name for name in SYMBOLS if name in names]
    found += [sentence.decode() for sentence in SENTENCES if sentence in image]
    count = len(found)
    if config == "release" and found:
        sys.exit(f"{path} has checks of the debug kernel: {', '.join(found)}.")
    if config == "debug" and count != len(SYMBOLS) + len(SENTENCES):
        sys.exit(f"{path} lacks checks; it has only: {', '.join(found)}.")


main()
