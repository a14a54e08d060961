# SPDX-License-Identifier: BSD-2-Clause
"""Types at the keyboard of the log service: two programs each read a line, and Ctrl-T gives the
keyboard to the next program."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boot"))
import terminal

# A pattern in the output, and the input that is then typed.
STEPS = (
    (b"type a line, please.*type a line, please", b"\x14"),
    (b"keyboard input now goes to", b"ome\x7f\x7fne\r"),
    (b"keyboard input now goes to", b"two\r"),
)

# The log drops a Ctrl-T while no program reads. A program can print its text and then not run for a
# while. So Ctrl-T is typed again if it has had no effect for this number of seconds.
AGAIN = 5


class Keys(terminal.Steps):
    """The input of STEPS."""

    def __init__(self):
        super().__init__(STEPS)
        self.typed_at = 0

    def __call__(self, seen):
        """Returns the next input, or nothing."""
        typed = super().__call__(seen)
        waits = len(self.left) == len(STEPS) - 1
        if not typed and waits and time.monotonic() - self.typed_at >= AGAIN:
            typed = STEPS[0][1]
        if typed:
            self.typed_at = time.monotonic()
        return typed


def play(kernel, boot):
    """Returns the terminal's output, the status, and the number of steps left."""
    keys = Keys()
    seen, status = terminal.play(kernel, boot, "boot_list.read(sys.argv[3])", keys)
    return seen, status, len(keys.left)


def main():
    seen, status, left = play(*sys.argv[1:])
    first, second = seen.find(b"got <one>"), seen.find(b"got <two>")
    print(f"two lines were typed: status {status}, {left} left")
    if status or left or not 0 <= first < second:
        sys.stdout.write(seen.decode("utf-8", "replace"))
        sys.exit(1)


if __name__ == "__main__":
    main()
