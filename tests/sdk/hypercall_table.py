# SPDX-License-Identifier: BSD-2-Clause
"""The table by which a kernel is entered says what its handlers[] says: `hypercall_table.py ELF`.

The kernel's tests on the host go by handlers[]; programs go by the table."""

import struct
import subprocess
import sys
from pathlib import Path

from paths import ROOT

from nova import doc_rows, elf

HEADER = ROOT / "hypervisor/abi/nova/abi/hypercall.h"
NUMBERS, IDS = 16, 256
# sm_ctrl's up, and its down without further flags, have handlers of their own.
SEMAPHORES = {0x0B: "hypercall_sm_up", 0x1B: "hypercall_sm_down"}
# What may leave without returning.
LONG = {"call", "assign_pci", "assign_gsi", "extension"}
# On x86-32 arguments 4 and 5 of these have to be saved first.
FIVE = {"create_pd", "create_ec", "create_sc", "create_pt"}
JUMPS = {0xE9: "<i", 0xEB: "<b"}


class Kernel:
    """What a kernel's file has at the places that its symbols name."""

    def __init__(self, path):
        self.path = path
        self.is_32 = elf.program_arch(path) == "x86_32"
        self.places = {}
        lines = subprocess.run(["nm", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        for address, _, name in map(str.split, lines.splitlines()):
            if name == "handlers" and name in self.places:
                sys.exit(f"{path} has more than one handlers[].")
            self.places[name] = int(address, 16)

    def place(self, name):
        if name not in self.places:
            sys.exit(f"{self.path} has no {name}.")
        return self.places[name]

    def words(self, name, count):
        word = "<I" if self.is_32 else "<Q"
        data = elf.bytes_at(self.path, self.place(name), struct.calcsize(word) * count)
        return [value for (value,) in struct.iter_unpack(word, data)]

    def jumps(self, name):
        """Where the code of a function may jump to."""
        start = self.place(name)
        size = min(place for place in self.places.values() if place > start) - start
        code = elf.bytes_at(self.path, start, size)
        found = set()
        for at, byte in enumerate(code):
            offset = JUMPS.get(byte)
            after = at + 1 + struct.calcsize(offset) if offset else size + 1
            if after <= size:
                found.add(start + after + struct.unpack_from(offset, code, at + 1)[0])
        return found


def expected(kernel, names, handlers, number):
    """Where a low byte of the identifier has to go."""
    name = names.get(number % NUMBERS)
    handler = handlers[number % NUMBERS]
    if handler == 0:
        return kernel.place("entry_invalid")
    if number in SEMAPHORES:
        return kernel.place(SEMAPHORES[number])
    if name == "reply":
        return kernel.place("entry_reply")
    if name in LONG:
        return kernel.place("entry_long")
    if name in FIVE and kernel.is_32:
        return kernel.place("entry_" + name)
    return handler


def complaints(kernel, names, handlers, table):
    """A sentence for each low byte that goes elsewhere, and for each handler of another number."""
    found = []
    for number, handler in enumerate(handlers):
        own = kernel.place("hypercall_" + names[number]) if number in names else 0
        if handler != own:
            found.append(f"handlers[{number:#x}] is {handler:#x} and not {own:#x}.")
    for number, place in enumerate(table):
        wanted = expected(kernel, names, handlers, number)
        if place != wanted:
            found.append(f"{number:#x} goes to {place:#x} and not to {wanted:#x}.")
    for name in sorted(FIVE) if kernel.is_32 else ():
        if kernel.place("hypercall_" + name) not in kernel.jumps("entry_" + name):
            found.append(f"entry_{name} does not go to hypercall_{name}.")
    return found


def main(path):
    rows = doc_rows.read(HEADER)["NOVA_HYPERCALL_ROWS"]
    names = {int(number, 0): function for number, _, function, _ in rows}
    kernel = Kernel(path)
    handlers, table = kernel.words("handlers", NUMBERS), kernel.words("hypercall_table", IDS)
    if len(handlers) != NUMBERS or len(table) != IDS or len(names) + 1 != NUMBERS:
        sys.exit(f"{path} has {len(table)} entries for {len(handlers)} numbers.")
    wrong = complaints(kernel, names, handlers, table)
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{IDS} entries are those of {len(names)} hypercalls.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
