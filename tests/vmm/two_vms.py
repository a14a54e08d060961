# SPDX-License-Identifier: BSD-2-Clause
"""Types at the terminal of two guests: talks to one, switches to the other and talks to it. Then it
switches one guest off and makes the other one panic. The other guest gets a new machine three times
and panics in each. Only the guest that was switched off has ended well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))
import terminal

PROMPT = rb"/ # [^\n]*$"
# QEMU's terminal adds one carriage return to the guest's own line end.
END = rb"\r\r\n"
PANIC = b"echo c >/proc/sysrq-trigger\r"
SECONDS = 240
# Pairs of a pattern and an input, which is typed once the pattern appears after the previous one.
STEPS = (
    (PROMPT, b"echo here is $who; date\r"),
    (rb"\nhere is (left|right)" + END + rb".* UTC 20[2-6]\d" + END + PROMPT, b"\x14"),
    (rb"--- (left|right) .*" + PROMPT, b"echo and here is $who\r"),
    (rb"\nand here is (left|right)" + END + PROMPT, b"\x14"),
    (rb"--- (left|right) ", b"echo it is still $who; poweroff -f\r"),
    (
        rb"\nit is still (left|right)" + END + rb".*--- (left|right) .*" + PROMPT,
        PANIC,
    ),
    *((PROMPT, PANIC) for _ in range(3)),
)


def main(kernel, boot):
    keys = terminal.Steps(STEPS)
    seen, status = terminal.play(
        kernel, boot, "boot_list.read(sys.argv[3])", keys, "cpus=2, memory=384", SECONDS
    )
    # The guests that spoke, in order, with the name that each switch showed.
    names = [name.decode() for name in keys.heard]
    one, other = names[0] if names else "", names[1] if len(names) > 1 else ""
    right = names == [one, other, other, one, one, other] and one != other
    ends = (
        f"The guest {one} switched itself off.",
        f"init: {one} ended with status 0",
        f"The guest {other} reset itself.",
        f"init: {other} ended with status 1",
    )
    missing = [end for end in ends if end not in seen.decode("utf-8", "replace")]
    spoke = " ".join(names)
    print(f"status {status}, {len(keys.left)} steps left, spoke: {spoke}, not said: {missing}")
    if status != 1 or keys.left or not right or missing:
        sys.stdout.write(seen.decode("utf-8", "replace"))
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
