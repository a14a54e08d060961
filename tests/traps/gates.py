# SPDX-License-Identifier: BSD-2-Clause
"""Reads the interrupt descriptor table of a running kernel through QEMU's monitor, and the entry
points in its ELF file.

gates.py ARCH KERNEL ROOTTASK; the roottask prints `ready` and keeps running. Beside KERNEL is the
ELF file with its symbols.
"""

import re
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova import elf  # noqa: E402
from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

GATES = 256
USER_GATES = {3, 4}
FATAL = {2, 8, 18}  # NMI, double fault, machine check
DEBUG = 1
# Exceptions whose error code the CPU pushes (SDM 3A, table 6-1; APM 2, table 8-1).
PUSHED = {8, 10, 11, 12, 13, 14, 17, 21, 29, 30}
INTERRUPT_GATE, TASK_GATE = 14, 5
WORDS = {"x86_64": 4, "x86_32": 2}  # number of 32-bit words of a gate
KERNEL_CODE = 8
ENDBR = 4  # bytes of an entry point that gates skip: QEMU does not track indirect branches
ENTRY_LIMIT = 8  # maximum bytes of the pushes, with the first byte of the jump


@dataclass
class Gate:
    """A gate's fields."""

    selector: int
    kind: int
    dpl: int
    present: bool
    offset: int
    stack: int  # number of the interrupt stack in the TSS, or 0


class Reader(Runner):
    """Asks for the registers, then for the table, once the roottask runs."""

    arch = None
    limit = None
    table = None

    def line(self, text):
        if text == b"ready":
            self.ask("info registers")

    def answer(self, text):
        if self.limit is None:
            base, limit = re.search(r"\bIDT=\s*([0-9a-f]+) ([0-9a-f]+)", text).groups()
            self.limit = int(limit, 16)
            self.ask(f"x /{GATES * WORDS[self.arch]}wx 0x{base}")
        else:
            self.table = text
            self.finished = True


def gates(text, arch):
    """Returns the gates of a dump."""
    words = [int(word, 16) for line in text.splitlines() if ":" in line
             for word in re.findall(r"0x([0-9a-f]{8})\b", line.partition(":")[2])]
    step = WORDS[arch]
    found = []
    for at in range(0, len(words), step):
        low, high = words[at:at + 2]
        offset = low & 0xffff | high & 0xffff0000
        if step == 4:
            offset |= words[at + 2] << 32
        found.append(Gate(low >> 16, high >> 8 & 0x1f, high >> 13 & 3, bool(high >> 15 & 1),
                          offset, high & 7 if step == 4 else 0))
    return found


def gate_complaints(found, arch):
    """Lists gates that differ from the page docs/kernel/traps.md."""
    complaints = [] if len(found) == GATES else [f"{len(found)} gates"]
    for vector, gate in enumerate(found):
        task = arch == "x86_32" and vector in FATAL
        stack = (vector in FATAL or vector == DEBUG) and arch == "x86_64"
        expected = {"present": True, "dpl": 3 if vector in USER_GATES else 0,
                    "kind": TASK_GATE if task else INTERRUPT_GATE}
        if not task:
            expected["selector"] = KERNEL_CODE
        complaints += [f"gate {vector}: {name} is {getattr(gate, name)}, not {value}"
                       for name, value in expected.items() if getattr(gate, name) != value]
        if bool(gate.stack) != stack:
            complaints.append(f"gate {vector}: interrupt stack {gate.stack}")
    return complaints


def symbol(path, name):
    """Returns the address of a symbol."""
    table = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    return int(re.search(rf"^([0-9a-f]+) \w {name}$", table, re.MULTILINE).group(1), 16)


def entry_points(path, arch):
    """Returns the addresses in the kernel's table of entry points, after their ENDBR."""
    size, letter = (8, "Q") if arch == "x86_64" else (4, "I")
    data = elf.bytes_at(path, symbol(path, "entry_vectors"), GATES * size)
    return [address + ENDBR for address in struct.unpack(f"<{GATES}{letter}", data)]


def pushes(code):
    """Returns the numbers that the instructions at an entry point push."""
    found = []
    while code and code[0] in (0x6a, 0x68):
        size = 1 if code[0] == 0x6a else 4
        found.append(int.from_bytes(code[1:1 + size], "little", signed=True))
        code = code[1 + size:]
    if not code or code[0] not in (0xeb, 0xe9):
        return None
    return found


def entry_complaints(path, addresses):
    """Lists entry points that do not push the macro's numbers: 0 unless the CPU pushes an error
    code, then the vector."""
    complaints = []
    for vector, address in enumerate(addresses):
        expected = [vector] if vector in PUSHED else [0, vector]
        pushed = pushes(elf.bytes_at(path, address, ENTRY_LIMIT))
        if pushed != expected:
            complaints.append(f"entry {vector}: pushes {pushed}, not {expected}")
    if len(set(addresses)) != GATES:
        complaints.append("two vectors share an entry point")
    return complaints


def offset_complaints(found, addresses, arch):
    """Lists gates that do not lead to the entry point of their vector."""
    return [f"gate {vector}: leads to {gate.offset:#x}, not {address:#x}"
            for vector, (gate, address) in enumerate(zip(found, addresses))
            if gate.kind == INTERRUPT_GATE and gate.offset != address]


def main():
    arch, kernel, roottask = sys.argv[1:]
    Reader.arch = arch
    reader = Reader(Machine(kernel, [roottask], cpus=2), 60)
    outcome = reader.run()
    if reader.table is None:
        sys.exit(f"the table could not be read: {outcome.message}\n{outcome.text()}")
    symbols = Path(kernel).with_name("nova.elf")
    found, addresses = gates(reader.table, arch), entry_points(symbols, arch)
    complaints = gate_complaints(found, arch) + entry_complaints(symbols, addresses)
    complaints += offset_complaints(found, addresses, arch)
    if reader.limit != GATES * WORDS[arch] * 4 - 1:
        complaints.append(f"the table's limit is {reader.limit:#x}")
    print("\n".join(complaints))
    print(f"{len(found)} gates, {len(complaints)} complaints")
    sys.exit(1 if complaints or not found else 0)


if __name__ == "__main__":
    main()
