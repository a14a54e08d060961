#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system whose client makes 32 reads at once, and holds back the first one in QEMU's disk
until the others have ended: held.py COMMAND...
"""
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from control import LIMIT_S, Control

OTHERS = 31  # reads besides the one that is held back
PATIENCE_S = 3  # time for completions to reach the client; below the driver's limit of 10 s


def hold(path):
    """Holds back the first read. Returns True if all others have ended meanwhile."""
    control = Control(path)
    control.disk("break read_aio first")
    control.order("cont")
    limit = time.monotonic() + LIMIT_S
    while control.reads() < OTHERS and time.monotonic() < limit:
        time.sleep(0.2)
    time.sleep(PATIENCE_S)
    held = control.reads() == OTHERS
    control.disk("resume first")
    return held


def main():
    """Returns the status."""
    command, held = sys.argv[1:], False
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        path = Path(folder) / "control"
        command += ["--qemu=-S", "--qemu=-qmp", f"--qemu=unix:{path},server=on,wait=off"]
        with subprocess.Popen(command) as process:
            try:
                held = hold(path)
            except (OSError, RuntimeError) as error:
                print(f"held.py: {error}")
    if not process.returncode and not held:
        print("held.py: the others did not end while the first read was held back")
    return process.returncode or not held


sys.exit(main())
