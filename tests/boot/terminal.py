# SPDX-License-Identifier: BSD-2-Clause
"""A system on a terminal with simulated keyboard input, for tests that type."""

import fcntl
import os
import pty
import re
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
    "sys.exit(Runner(machine, {seconds}, sys.stdout.buffer, True).run().status)\n"
)


class Steps:
    """Input that depends on the output. STEPS are pairs of a pattern and an input. The input is
    typed once the pattern has appeared after the pattern of the previous pair. An instance can be
    the argument KEYS of play()."""

    def __init__(self, steps):
        self.left = list(steps)
        self.heard = []  # the groups of all patterns that have appeared
        self.done = 0

    def __call__(self, seen):
        found = self.left and re.search(self.left[0][0], seen[self.done :], re.S)
        if not found:
            return b""
        self.heard.extend(found.groups())
        self.done += found.end()
        return self.left.pop(0)[1]


def play(kernel, boot, modules, keys, machine="cpus=1", seconds=120):
    """Boots KERNEL on MACHINE with MODULES, an expression in which BOOT is sys.argv[3]. KEYS(seen)
    returns the next input once SEEN has been shown, or nothing. The run ends after SECONDS. Returns
    all output, and the status.
    """
    code = CODE.format(modules=modules, machine=machine, seconds=seconds)
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", code, str(LIB), kernel, boot],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    seen = b""
    while True:
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
