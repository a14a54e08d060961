#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system, and plugs a disk into its machine while the firmware assigns addresses:
plugged.py DEVICE COMMAND...

DEVICE is a list of properties for QEMU's command device_add. The kernel finds the disk, but the
firmware has assigned no addresses to the registers of the disk.
"""
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from control import LIMIT_S, Control

STEP_S = 0.01


def is_assigned(control):
    """Returns whether the firmware has assigned an address to a device."""
    return any(region["address"] > 0 for bus in control.order("query-pci")
               for device in bus["devices"] for region in device["regions"])


def plug(path, properties):
    """Plugs the disk when the firmware has assigned the first address. By then the firmware has
    already listed the functions, so it does not see the disk. Until then the machine runs in small
    steps."""
    control = Control(path)
    limit = time.monotonic() + LIMIT_S
    while not is_assigned(control):
        if time.monotonic() > limit:
            raise RuntimeError("the firmware assigns no address")
        control.order("cont")
        time.sleep(STEP_S)
        control.order("stop")
    control.order("device_add", **properties)
    control.order("cont")


def main():
    """Runs the command and plugs the disk. Returns the exit status."""
    device, *command = sys.argv[1:]
    properties = dict(word.split("=") for word in f"driver={device}".split(","))
    plugged = False
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        path = Path(folder) / "control"
        command += ["--qemu=-S", "--qemu=-qmp", f"--qemu=unix:{path},server=on,wait=off"]
        with subprocess.Popen(command) as process:
            try:
                plug(path, properties)
                plugged = True
            except (OSError, RuntimeError) as error:
                print(f"plugged.py: {error}")
    return process.returncode or not plugged


sys.exit(main())
