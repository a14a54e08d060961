#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system whose driver ends again and again, and checks in QEMU's trace how the service pci
resets the disk: reset.py WAY TRACE COMMAND...

WAY is `function` (function level reset) or `power` (D3hot, then D0). TRACE is the file to which
QEMU writes its trace of pci_cfg_write.
"""
import re
import subprocess
import sys

COMMAND = 0x4
DECODES_AND_MASTER = 0x7
# Offsets that QEMU gives to the capabilities of its virtio disk below a root port.
FUNCTION, FUNCTION_RESET = 0x48, 0x8000  # device control
POWER, D3HOT = 0x80, 0x3  # power management control
LEAST = 20


def resets(writes):
    """Returns the numbers of resets by function and by power, and a set of complaints.
    WRITES: (offset, value) of each write."""
    found, wrong, command, last = {"function": 0, "power": 0}, set(), 0, (0, 0)
    for offset, value in writes:
        way = {(FUNCTION, FUNCTION_RESET): "function", (POWER, D3HOT): "power"}.get(
            (offset, value & (FUNCTION_RESET if offset == FUNCTION else D3HOT)))
        if way:
            found[way] += 1
            if command & DECODES_AND_MASTER:
                wrong.add("the function is reset while it may access memory, or be accessed")
        if last == (POWER, D3HOT) and (offset, value & D3HOT) != (POWER, 0):
            wrong.add("the function stays in D3hot")
        command = value if offset == COMMAND else command
        last = (offset, value & D3HOT) if offset == POWER else (offset, value)
    return found, wrong


def main():
    """Returns the status."""
    way, trace, *command = sys.argv[1:]
    status = subprocess.run(command, check=False).returncode
    if status:
        return status
    with open(trace, encoding="utf-8") as file:
        writes = re.findall(r"^pci_cfg_write virtio-blk-pci \S+ @0x(\w+) <- 0x(\w+)", file.read(),
                            re.MULTILINE)
    found, wrong = resets((int(offset, 16), int(value, 16)) for offset, value in writes)
    print(f"reset.py: {found['function']} resets by function, {found['power']} by power")
    other = "function" if way == "power" else "power"
    if found[way] < LEAST or found[other]:
        wrong.add(f"there are not at least {LEAST} resets, all by {way}")
    for sentence in sorted(wrong):
        print(f"reset.py: {sentence}")
    return bool(wrong)


sys.exit(main())
