# SPDX-License-Identifier: BSD-2-Clause
"""Counts the kernel's instructions up to the roottask's first, by a trace of single steps."""

import contextlib
import os
import select
import subprocess
import time

from nova import elf, process, qemu
from nova.errors import EXIT_FAILED, EXIT_TIMEOUT, NovaError

TIMEOUT = 300
HIGH_HALF = 0xFFFFFFFF00000000


def _filters(kernel, entry):
    """The ranges to be traced: the kernel, where it is loaded and where it runs, and ENTRY."""
    ranges = {(entry, 1)}
    for physical, virtual, size in elf.segments(kernel):
        ranges |= {(physical, size), (virtual, size)}
        # QEMU takes a 64-bit kernel as a 32-bit file, which has only half of the address.
        ranges.add((virtual | HIGH_HALF, size))
    return ",".join(f"{start:#x}+{size:#x}" for start, size in sorted(ranges))


def _count_lines(descriptor, mark):
    """Lines before the one that holds MARK."""
    lines = 0
    rest = b""
    deadline = time.monotonic() + TIMEOUT
    while True:
        if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
            raise NovaError(f"the roottask did not start within {TIMEOUT} s.", EXIT_TIMEOUT)
        data = os.read(descriptor, 1 << 20)
        if not data:
            raise NovaError("the machine ended before the roottask began.", EXIT_FAILED)
        data = rest + data
        end = data.find(mark)
        if end >= 0:
            return lines + data.count(b"\n", 0, end)
        last = data.rfind(b"\n") + 1
        lines += data.count(b"\n", 0, last)
        rest = data[last:]


def count(machine, kernel, roottask):
    entry = elf.entry(roottask)
    reader, writer = os.pipe()
    try:
        machine.extra = machine.extra + [
            *("-singlestep", "-d", "exec,nochain", "-D", f"/dev/fd/{writer}"),
            *("-dfilter", _filters(kernel, entry)),
        ]
        running = subprocess.Popen(
            qemu.by_hand(machine),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writer],
            preexec_fn=process.die_with_parent,
        )
    finally:
        os.close(writer)
    with contextlib.closing(os.fdopen(reader, "rb", buffering=0)), running:
        try:
            return _count_lines(reader, f"/{entry:016x}/".encode())
        finally:
            running.kill()
