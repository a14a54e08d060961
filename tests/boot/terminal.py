# SPDX-License-Identifier: BSD-2-Clause
"""A system on a terminal with simulated keyboard input, for tests that type."""

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "sdk/lib"
CODE = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from nova import boot_list, disk, process; process.die_with_parent()\n"
    "from nova.qemu import Machine, Module; from nova.runner import Runner\n"
    "machine = Machine(sys.argv[2], {modules}, {machine})\n"
    "sys.exit(Runner(machine, {seconds}, sys.stdout.buffer, {interactive}).run().status)\n"
)


def code(modules, machine, seconds, interactive):
    """Returns a Python program that boots sys.argv[2] with MODULES, a Python expression. MACHINE
    are arguments of the class Machine. sys.argv[1] is LIB."""
    return CODE.format(modules=modules, machine=machine, seconds=seconds, interactive=interactive)


class Steps:
    """Input that depends on the output. STEPS are pairs of a pattern and an input. An input is
    typed once its pattern appears in the output after the match of the previous pattern. An
    instance can be the argument KEYS of play()."""

    def __init__(self, steps):
        self.left = list(steps)
        self.heard = []  # the texts that the groups of the patterns have matched
        self.done = 0

    def __call__(self, seen):
        found = self.left and re.search(self.left[0][0], seen[self.done :], re.S)
        if not found:
            return b""
        self.heard.extend(found.groups())
        self.done += found.end()
        return self.left.pop(0)[1]


def play(kernel, boot, modules, keys, machine="cpus=1", seconds=120):
    """Boots KERNEL on MACHINE with MODULES, a Python expression in which sys.argv[3] is BOOT.
    KEYS(seen) returns the next input, or nothing as long as SEEN, the output so far, does not call
    for one. It is called after each output, and each second without output. The run ends after
    SECONDS. Returns all output, and the exit status.
    """
    program = code(modules, machine, seconds, True)
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", program, str(LIB), kernel, boot],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    seen = b""
    while True:
        if select.select([ours], [], [], 1)[0]:
            try:
                data = os.read(ours, 4096)
            except OSError:
                break  # the other end is closed
            if not data:
                break
            seen += data
        typed = keys(seen)
        if typed:
            os.write(ours, typed)
    return seen, running.wait()
