# SPDX-License-Identifier: BSD-2-Clause
"""Walks over instructions under QEMU, and compares the kernel's registers before and after.

machine.py ARCH KERNEL ROOTTASK PREDICT SEED COUNT: the debug registers, the tables of descriptors,
CR4 and EFER must be the same, whatever the walk has executed. The third module keeps the machine
running after a walk that passed.
"""

import re
import subprocess
import sys
import tempfile

sys.path.insert(0, __file__.rpartition("/")[0])

import endure  # noqa: E402

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

BEGINS, ENDS = b"# run 1 ", b"# the walk has passed"
KEPT = re.compile(r"\b(GDT|IDT|LDT|TR|CR4|EFER|DR[0-367]) *=( *[0-9a-f]+(?: [0-9a-f]{8})*)")
REGISTERS = 12


class Reader(Runner):
    """Reads the registers at the first and the last line of the walk."""

    def __init__(self, machine):
        super().__init__(machine, endure.SECONDS)
        self.found = []

    def line(self, text):
        if text.startswith((BEGINS, ENDS)):
            self.ask("info registers")

    def answer(self, text):
        self.found.append(dict(KEPT.findall(text)))
        self.finished = len(self.found) == 2


def main():
    arch, kernel, roottask, predict, seed, count = sys.argv[1:]
    with tempfile.NamedTemporaryFile(suffix=".walk") as module:
        subprocess.run([predict, arch, seed, count], stdout=module, check=True)
        modules = [roottask, module.name, module.name]
        reader = Reader(Machine(kernel, modules, cmdline=endure.CMDLINE, cpus=1))
        outcome = reader.run()
    if len(reader.found) != 2:
        sys.exit(f"{len(reader.found)} readings, {outcome.message}\n{outcome.text()}")
    before, after = reader.found
    changed = [f"{name} was {before[name]}, is {after.get(name)}" for name in before
               if before[name] != after.get(name)]
    print("\n".join(changed))
    print(f"{len(before)} registers, {len(changed)} changed: {before}")
    sys.exit(1 if changed or len(before) != REGISTERS else 0)


if __name__ == "__main__":
    main()
