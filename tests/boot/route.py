# SPDX-License-Identifier: BSD-2-Clause
"""Reads the I/O APIC of a running system through QEMU's monitor: destination and mode of each pin.

route.py KERNEL ROOTTASK; the roottask routes pins 16 to 19 to CPUs 0 to 3 and prints `ready`.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

PIN = re.compile(
    r"pin (\d+)\s+0x[0-9a-f]+ dest=(\d+) vec=(\d+)\s+active-(hi|lo)\s+(edge|level)\s+(masked)?"
)
PINS = 24
FIRST_VECTOR = 0x30
ROUTED = {16: 0, 17: 1, 18: 2, 19: 3}  # pin: CPU
LEVEL_HIGH = (5, 9, 10, 11)  # QEMU's overrides


def expected(pin):
    """Returns the expected state of a pin: CPU, vector, polarity, trigger, masked."""
    if pin in LEVEL_HIGH:
        how = ("hi", "level")
    else:
        how = ("hi", "edge") if pin < 16 else ("lo", "level")
    return (ROUTED.get(pin, 0), FIRST_VECTOR + pin, *how, pin not in ROUTED)


def read(text):
    """Returns {pin: its state as the monitor shows it}."""
    return {
        int(pin): (int(cpu), int(vector), polarity, trigger, bool(masked))
        for pin, cpu, vector, polarity, trigger, masked in PIN.findall(text)
    }


class Route(Runner):
    """Asks for the state of the interrupt controllers once the roottask is ready."""

    said = ""

    def line(self, text):
        if text == b"ready":
            self.ask("info pic")

    def answer(self, text):
        self.said = text
        self.finished = True


def main():
    kernel, roottask = sys.argv[1:]
    run = Route(Machine(Path(kernel), [roottask], cpus=4), 30)
    run.run()
    found = read(run.said)
    wrong = [pin for pin in range(PINS) if found.get(pin) != expected(pin)]
    for pin in wrong:
        print(f"pin {pin}: {found.get(pin)} instead of {expected(pin)}")
    print(f"{len(found)} pins")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
