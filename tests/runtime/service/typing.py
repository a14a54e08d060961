# SPDX-License-Identifier: BSD-2-Clause
"""Somebody at the keyboard of the log service: two programs read lines, a key switches."""

import fcntl
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

LIB = Path(__file__).resolve().parents[3] / "sdk/lib"
CODE = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from nova import boot_list, process; process.die_with_parent()\n"
    "from nova.qemu import Machine; from nova.runner import Runner\n"
    "machine = Machine(sys.argv[2], boot_list.read(sys.argv[3]), cpus=1)\n"
    "sys.exit(Runner(machine, 120, sys.stdout.buffer, True).run().status)\n"
)
# What is typed when so many texts have been seen.
STEPS = (
    (b"type a line, please", 2, b"\x14"),
    (b"the keyboard is now for", 1, b"ome\x7f\x7fne\r"),
    (b"the keyboard is now for", 2, b"two\r"),
)


def play(kernel, boot):
    """What the terminal shows, and the status."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", CODE, str(LIB), kernel, boot],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    seen = b""
    steps = list(STEPS)
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:
            break  # the other end is closed
        if not data:
            break
        seen += data
        if steps and seen.count(steps[0][0]) >= steps[0][1]:
            os.write(ours, steps.pop(0)[2])
    return seen, running.wait(), len(steps)


def main():
    seen, status, left = play(*sys.argv[1:])
    first, second = seen.find(b"got <one>"), seen.find(b"got <two>")
    print(f"two lines were typed: status {status}, {left} left")
    if status or left or not 0 <= first < second:
        sys.stdout.write(seen.decode("utf-8", "replace"))
        sys.exit(1)


if __name__ == "__main__":
    main()
