# SPDX-License-Identifier: BSD-2-Clause
"""Types at the keyboard of the log service: two programs each read a line, and Ctrl-T gives the
keyboard to the next program."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boot"))
import terminal

# A text, how many times the output must contain it, and the input that is then typed.
STEPS = (
    (b"type a line, please", 2, b"\x14"),
    (b"keyboard input now goes to", 1, b"ome\x7f\x7fne\r"),
    (b"keyboard input now goes to", 2, b"two\r"),
)


def play(kernel, boot):
    """Returns the terminal's output, the status, and the number of steps left."""
    steps = list(STEPS)

    def keys(seen):
        if steps and seen.count(steps[0][0]) >= steps[0][1]:
            return steps.pop(0)[2]
        return b""

    seen, status = terminal.play(kernel, boot, "boot_list.read(sys.argv[3])", keys)
    return seen, status, len(steps)


def main():
    seen, status, left = play(*sys.argv[1:])
    first, second = seen.find(b"got <one>"), seen.find(b"got <two>")
    print(f"two lines were typed: status {status}, {left} left")
    if status or left or not 0 <= first < second:
        sys.stdout.write(seen.decode("utf-8", "replace"))
        sys.exit(1)


if __name__ == "__main__":
    main()
