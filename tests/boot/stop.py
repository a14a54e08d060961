# SPDX-License-Identifier: BSD-2-Clause
"""Sends an NMI or a machine check to a running system and reads the kernel's output as it stops.

stop.py KERNEL ROOTTASK LINE EVENT WHERE: EVENT (`nmi`, `mce`) comes when the console shows LINE;
WHERE is the mode of the CPU at that time: `user`, `kernel` or `guest`. An NMI that comes while a
guest runs is for the host: the kernel reports it as an NMI in the kernel, not as an event.
"""

import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

# Commands of QEMU's monitor. Arguments of `mce`: CPU, bank, status (uncorrected, valid), MCG
# status, address, miscellaneous information.
ORDERS = {"nmi": "nmi", "mce": "mce 0 1 0xbd00000000000000 5 0 0"}
# On x86-32, NMI and machine check share a task gate, which does not distinguish them.
EVENTS = {"nmi": r"NMI \(vector 2\)", "mce": r"(machine check \(vector 18\)|NMI \(vector 2\))"}
EXPECTED = {
    "user": [r"^NOVA: {} in user mode \(CPU 0\)$", r"called from nowhere in the"],
    "kernel": [r"^NOVA: {} in the kernel \(CPU 0\)$", r"called from 0x[0-9a-f]"],
}
# The NMI comes after STGI, where the kernel's stack is empty, or a little later, while the kernel
# handles an interrupt of the host.
EXPECTED["guest"] = [EXPECTED["kernel"][0], r"called from (nowhere in the kernel|0x[0-9a-f])"]
OTHER = {"user": "kernel", "kernel": "user", "guest": "user"}
TRIES = 5
ENTRY = 0.3  # seconds from the line to the guest's entry, also on a busy machine
ALWAYS = [r"^NOVA: ip 0x[0-9a-f]+ cs 0x", r"^NOVA: ax 0x", r" cr3 0x[0-9a-f]+ ", r"^NOVA: stopped$"]


class Stop(Runner):
    """Requests the event once the line has appeared."""

    def __init__(self, machine, timeout, wanted, order, pause):
        super().__init__(machine, timeout)
        self.wanted = wanted
        self.order = order
        self.pause = pause

    def line(self, text):
        if self.wanted in text:
            time.sleep(self.pause)
            self.ask(self.order)

    def answer(self, text):
        pass


def stop(kernel, roottask, wanted, event, where):
    """Tries several times: an interrupt may come just before the NMI, so that the NMI finds the CPU
    in another mode. Such an attempt does not count."""
    for _ in range(TRIES):
        machine = Machine(kernel, [roottask], cpus=1, cmdline="serial")
        pause = ENTRY if where == "guest" else 0
        outcome = Stop(machine, 30, wanted.encode(), ORDERS[event], pause).run()
        elsewhere = EXPECTED[OTHER[where]][0].format(EVENTS[event])
        if not re.search(elsewhere, outcome.text(), re.MULTILINE):
            break
    return outcome


def main():
    kernel, roottask, wanted, event, where = sys.argv[1:]
    outcome = stop(kernel, roottask, wanted, event, where)
    text = outcome.text()
    print(text)
    expected = [line.format(EVENTS[event]) for line in EXPECTED[where]] + ALWAYS
    missing = [line for line in expected if not re.search(line, text, re.MULTILINE)]
    for line in missing:
        print(f"not said: {line}")
    if outcome.status != 3:
        print(f"exit status {outcome.status} instead of 3")
    sys.exit(1 if missing or outcome.status != 3 else 0)


if __name__ == "__main__":
    main()
