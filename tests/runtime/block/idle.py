#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system whose client sleeps, and counts the instructions of its programs in that time:
idle.py PLUGIN FROM COMMAND...

PLUGIN is the source of the plugin for QEMU, FROM the address where the kernel begins.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

OPERATION = "3"  # IO_OP_IDLE
# Maximum number of instructions: the client's own ones between its marks, before and after its
# sleep.
MOST = 200


def main():
    """Returns the status."""
    source, kernel_from, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        plugin, results = Path(folder) / "io.so", Path(folder) / "counts"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", plugin, source], check=True)
        words = f"{plugin},out={results},from={kernel_from},profile={OPERATION}"
        command += ["--qemu=-plugin", f"--qemu={words}"]
        status = subprocess.run(command, check=False).returncode
        lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    if status:
        return status
    counts = [line.split() for line in lines if line.startswith(f"count {OPERATION} ")]
    if len(counts) != 1:
        print("idle.py: the plugin has not seen the marks")
        return 1
    programs = int(counts[0][3])
    print(f"idle.py: {programs} instructions of programs while the client slept, at most {MOST}")
    if programs > MOST:
        print("\n".join(line for line in lines if line.startswith("code ")))
        return 1
    return 0


sys.exit(main())
