# SPDX-License-Identifier: BSD-2-Clause
"""The tour on a terminal: it waits for a key after each screen, and q ends it."""

import sys

import terminal

PROMPT = b"any other key continues"


def play(kernel, tour, keys):
    """Presses KEYS, one at each prompt. Returns the output, the status, and the number of keys that
    were pressed."""
    left = list(keys)

    def key(seen):
        if left and seen.count(PROMPT) > len(keys) - len(left):
            return bytes([left.pop(0)])
        return b""

    seen, status = terminal.play(kernel, tour, "[Module(sys.argv[3], 'pause')]", key)
    return seen, status, len(keys) - len(left)


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
