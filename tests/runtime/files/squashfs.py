#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes a disk for squashfs.c with mksquashfs: squashfs.py FILE."""
import subprocess
import sys
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "folder").mkdir()
    (Path(folder) / "many").mkdir()
    lines = "".join(f"{i}\n" for i in range(1, 40001))
    (Path(folder) / "folder/numbers").write_text(lines, encoding="ascii")
    for i in range(500):
        (Path(folder) / f"many/file {i}").write_text(str(i), encoding="ascii")
    subprocess.run(["mksquashfs", folder, sys.argv[1], "-noappend", "-all-root", "-no-progress",
                    "-quiet", "-comp", "lz4"], check=True)
