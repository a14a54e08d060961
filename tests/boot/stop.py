# SPDX-License-Identifier: BSD-2-Clause
"""Sends an NMI to a running system and reads what the kernel says as it stops.

stop.py KERNEL ROOTTASK LINE WHERE: the NMI comes when the console shows LINE; WHERE is `user` or
`kernel`, whichever the CPU is in then.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

EXPECTED = {
    "user": [r"^NOVA: NMI \(vector 2\) in user mode \(CPU 0\)$", r"called from nowhere in the"],
    "kernel": [r"^NOVA: NMI \(vector 2\) in the kernel \(CPU 0\)$", r"called from 0x[0-9a-f]"],
}
ALWAYS = [r"^NOVA: ip 0x[0-9a-f]+ cs 0x", r"^NOVA: ax 0x", r" cr3 0x[0-9a-f]+ ", r"^NOVA: stopped$"]


class Stop(Runner):
    """Asks for the NMI once the line is there."""

    def __init__(self, machine, timeout, wanted):
        super().__init__(machine, timeout)
        self.wanted = wanted

    def line(self, text):
        if self.wanted in text:
            self.ask("nmi")

    def answer(self, text):
        pass


def main():
    kernel, roottask, wanted, where = sys.argv[1:]
    machine = Machine(kernel, [roottask], cpus=1, cmdline="serial")
    outcome = Stop(machine, 30, wanted.encode()).run()
    text = outcome.text()
    print(text)
    missing = [line for line in EXPECTED[where] + ALWAYS if not re.search(line, text, re.MULTILINE)]
    for line in missing:
        print(f"not said: {line}")
    if outcome.status != 3:
        print(f"exit status {outcome.status} instead of 3")
    sys.exit(1 if missing or outcome.status != 3 else 0)


if __name__ == "__main__":
    main()
