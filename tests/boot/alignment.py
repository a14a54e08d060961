# SPDX-License-Identifier: BSD-2-Clause
"""Reads the flags of an idle CPU whose last thread had AC set: the kernel must have cleared AC,
because a set AC disables SMAP.

alignment.py KERNEL ROOTTASK; the roottask prints `ready` when CPU 1 is idle after such a thread.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

CPU_1 = re.compile(
    r"CPU#1\b.*?[ER]FL=([0-9a-f]+).*?CPL=(\d).*?HLT=(\d).*?CR4=([0-9a-f]+)", re.DOTALL
)
AC = 0x40000
CR4_SMAP = 0x200000


class Alignment(Runner):
    """Asks for the registers once the roottask is ready."""

    said = ""
    tries = 50  # a busy host may show CPU 1 just before it halts

    def line(self, text):
        if text == b"ready":
            self.ask("info registers -a")

    def answer(self, text):
        self.said = text
        self.tries -= 1
        found = CPU_1.search(text)
        if self.tries and found and found[3] != "1":
            self.ask("info registers -a")
        else:
            self.finished = True


def main():
    kernel, roottask = sys.argv[1:]
    run = Alignment(Machine(Path(kernel), [roottask], cpus=2, cpu="max"), 60)
    run.run()
    found = CPU_1.search(run.said)
    if not found:
        print(f"CPU 1 is not among the registers:\n{run.said}")
        sys.exit(1)
    flags, cr4 = int(found[1], 16), int(found[4], 16)
    print(f"CPU 1: flags 0x{flags:x}, CPL {found[2]}, halted {found[3]}, CR4 0x{cr4:x}")
    good = not flags & AC and found[2] == "0" and found[3] == "1" and cr4 & CR4_SMAP
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
