# SPDX-License-Identifier: BSD-2-Clause
"""Walks over instructions without a hypervisor, then in a guest, and compares the outcomes.

guest.py ARCH KERNEL MONITOR WALKER PREDICT FIRST LEAST COUNT: walks over COUNT instructions at
CPL 3 and at CPL 0 with the seeds FIRST, FIRST + 1, … until at least LEAST instructions were
executed. To continue a run, begin with the next seed. intercepted.tsv lists the differences.
"""

import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sdk/lib"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import intercepted  # noqa: E402

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

SECONDS = 1800  # time limit of a boot, also on a busy host
HEADER, RECORD, OUTCOME = 24, "<15sBIIBBBBBBBBiBBBB", 16
LINE = re.compile(r"^walk ((?:[0-9a-f]+ ){14})$", re.MULTILINE)
EXECUTED = re.compile(r"^executed ([0-9a-f]+) $", re.MULTILINE)
PRINTED = 30


class Outcome(NamedTuple):
    """Outcome of one instruction in the walker. IP is relative to the instruction's first byte."""

    vector: int
    ip: int
    error: int
    registers: int
    memory: int
    fpu: int

    def __str__(self):
        return (f"event {self.vector} at +{self.ip}, error code {self.error:#x}, "
                f"{self.registers:08x} {self.memory:08x} {self.fpu:08x}")


class Difference(NamedTuple):
    """An instruction whose outcome in the guest differs."""

    record: tuple
    level: int
    plain: Outcome
    guest: Outcome

    def __str__(self):
        code = self.record[0][:self.record[1] or 15].hex(" ")
        return f"CPL {self.level}, mode {self.record[4]}, {code}:\n  {self.plain}\n  {self.guest}"


def executed(text):
    """Returns the number of instructions that the walker has executed, or None."""
    found = EXECUTED.search(text)
    return int(found[1], 16) if found else None


def differences(text, records):
    """Returns the differences that the walker has printed."""
    found = []
    for line in LINE.findall(text):
        numbers = [int(word, 16) for word in line.split()]
        record = struct.unpack_from(RECORD, records, HEADER + numbers[0] * struct.calcsize(RECORD))
        found.append(Difference(record, numbers[1], Outcome(*numbers[2:8]),
                                Outcome(*numbers[8:])))
    return found


def run(machine):
    """Returns the console of a machine."""
    return Runner(machine, SECONDS).run().text()


def walk(folder, kernel, monitor, walker):
    """Walks twice. Returns the number of outcomes and the differences, or a message."""
    outcomes = folder / "outcomes"
    extra = ["-debugcon", f"file:{outcomes}"]
    plain = run(Machine(walker, [folder / "records"], cpus=1, memory=128, machine="pc",
                        extra=extra))
    count = executed(plain)
    if not count or outcomes.stat().st_size != count * OUTCOME:
        return f"without a hypervisor the walk did not end:\n{plain}"
    guest = run(Machine(kernel, [monitor, folder / "walker", folder / "records", outcomes],
                        cpus=1, memory=512))
    if executed(guest) != count:
        return f"in the guest the walk did not end:\n{guest[-4000:]}"
    return count, differences(guest, (folder / "records").read_bytes())


def judge(found, rows):
    """Prints the differences that no row lists; returns their number."""
    wrong = [difference for difference in found if not intercepted.explains(rows, difference)]
    for difference in wrong[:PRINTED]:
        print(difference)
    return len(wrong)


def main():
    arch, kernel, monitor, walker, predict = sys.argv[1:6]
    seed, least, count = map(int, sys.argv[6:])
    rows = intercepted.rows(arch)
    total = wrong = listed = 0
    while total < least:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "walker").write_bytes(Path(walker).read_bytes())
            with open(folder / "records", "wb") as file:
                subprocess.run([predict, arch, str(seed), str(count)], stdout=file, check=True)
            result = walk(folder, kernel, monitor, folder / "walker")
        if isinstance(result, str):
            sys.exit(f"seed {seed}: {result}")
        total += result[0]
        listed += len(result[1])
        wrong += judge(result[1], rows)
        print(f"seed {seed}: {result[0]} instructions, {len(result[1])} differences", flush=True)
        seed += 1
    unused = [row["opcode"] for row in rows if not row["used"]]
    print(f"{total} instructions, {listed} differences, {wrong} of them not listed, "
          f"rows without a difference: {', '.join(unused) or 'none'}; the next seed is {seed}")
    sys.exit(1 if wrong or unused or total < least else 0)


if __name__ == "__main__":
    main()
