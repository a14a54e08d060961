# SPDX-License-Identifier: BSD-2-Clause
"""Types at the keyboard of the log service: two programs each read a line, and Ctrl-T gives the
keyboard to the next program."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boot"))
import terminal

# A text, how many times the output must contain it, and the input that is then typed.
STEPS = (
    (b"type a line, please", 2, b"\x14"),
    (b"keyboard input now goes to", 1, b"ome\x7f\x7fne\r"),
    (b"keyboard input now goes to", 2, b"two\r"),
)


# The log drops a Ctrl-T while no program reads. A program can print its text and then not run for a
# while. So Ctrl-T is typed again if it has had no effect for this number of seconds.
AGAIN = 5


class Keys:
    """The input of STEPS."""

    def __init__(self):
        self.left = list(STEPS)
        self.switched = 0  # time of the last Ctrl-T

    def __call__(self, seen):
        """Returns the next input, or nothing."""
        if self.left and seen.count(self.left[0][0]) >= self.left[0][1]:
            self.switched = time.monotonic()
            return self.left.pop(0)[2]
        if len(self.left) == len(STEPS) - 1 and time.monotonic() - self.switched >= AGAIN:
            self.switched = time.monotonic()
            return STEPS[0][2]
        return b""


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
