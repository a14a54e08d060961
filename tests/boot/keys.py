# SPDX-License-Identifier: BSD-2-Clause
"""The tour on a terminal: it waits for a key after each screen, and q ends it."""

import fcntl
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "sdk/lib"
PROMPT = b"any key goes on"
CODE = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from nova import process; process.die_with_parent()\n"
    "from nova.qemu import Machine, Module; from nova.runner import Runner\n"
    "machine = Machine(sys.argv[2], [Module(sys.argv[3], 'pause')], cpus=1)\n"
    "sys.exit(Runner(machine, 60, sys.stdout.buffer, True).run().status)\n"
)


def play(kernel, tour, keys):
    """What the terminal shows when the keys are pressed, one at each prompt, and the status."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", CODE, str(LIB), kernel, tour],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    seen = b""
    pressed = 0
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:
            break  # the other end is closed
        if not data:
            break
        seen += data
        if seen.count(PROMPT) > pressed and pressed < len(keys):
            os.write(ours, keys[pressed : pressed + 1])
            pressed += 1
    return seen, running.wait(), pressed


def main():
    kernel, tour = sys.argv[1:]
    seen, status, pressed = play(kernel, tour, b"   \r nx")
    all_screens = status == 0 and pressed == 7 and b"== 8/8" in seen
    print(f"a key after each screen: status {status}, {pressed} keys")
    ended, status, pressed = play(kernel, tour, b" q")
    print(f"q after the second: status {status}, {pressed} keys")
    early = status == 0 and pressed == 2 and b"== 3/8" not in ended and b"That was" in ended
    if not (all_screens and early):
        sys.stdout.write((seen + ended).decode("utf-8", "replace"))
        sys.exit(1)


if __name__ == "__main__":
    main()
