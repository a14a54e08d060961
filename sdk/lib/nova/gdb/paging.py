# SPDX-License-Identifier: BSD-2-Clause
"""Reads the kernel's memory without a CPU: through its own page tables, in physical memory. A CPU
in a guest uses the guest's tables, which may map other memory at the kernel's addresses."""

from nova.gdb.view import Unreadable

PAGE_BITS = 12
INDEX_BITS = 9
PRESENT, LARGE = 1, 1 << 7
ADDRESS = ((1 << 52) - 1) >> PAGE_BITS << PAGE_BITS
# For each word size in bytes: number of levels, and bits of CR3 that hold the root's address.
LEVELS = {4: 3, 8: 4}
ROOT = {4: 0xFFFFFFE0, 8: ADDRESS}
BLOCK = 1024


class Physical:
    """Physical memory, read once in blocks by READ(address, size) and kept until `forget`."""

    def __init__(self, read):
        self._read = read
        self.blocks = {}

    def forget(self):
        self.blocks.clear()

    def read(self, address, size):
        found = b""
        for start in range(address // BLOCK * BLOCK, address + size, BLOCK):
            if start not in self.blocks:
                self.blocks[start] = self._read(start, BLOCK)
            found += self.blocks[start]
        return found[address % BLOCK:][:size]

    def word(self, address, size=8):
        return int.from_bytes(self.read(address, size), "little")


def translate(physical, root, word, address):
    """Returns (physical address, bytes from there to the page's end) of ADDRESS by the tables at
    ROOT, for a word size in bytes; raises Unreadable where nothing is mapped."""
    table = root & ROOT[word]
    for level in reversed(range(LEVELS[word])):
        bits = PAGE_BITS + INDEX_BITS * level
        entry = physical.word(table + (address >> bits & (1 << INDEX_BITS) - 1) * 8)
        if not entry & PRESENT:
            break
        table = entry & ADDRESS
        if level == 0 or (entry & LARGE and level < LEVELS[word] - 1):
            offset = address & (1 << bits) - 1
            return (table >> bits << bits) + offset, (1 << bits) - offset
    raise Unreadable(f"there is no memory at {address:#x}")


class KernelMemory:
    """The kernel's addresses. Those of its IMAGE, [first, last), lie in physical memory as in the
    file, at a fixed distance. The page tables whose root's address is stored at ROOT translate all
    others."""

    def __init__(self, physical, word, image, distance, root):
        self.physical = physical
        self.word = word
        self.image = image
        self.distance = distance
        self.root = root

    def _place(self, address):
        first, last = self.image
        if first <= address < last:
            return address - self.distance, last - address
        root = self.physical.word(self.root - self.distance)
        return translate(self.physical, root, self.word, address)

    def read(self, address, size):
        if address < 0 or address + size > 1 << 8 * self.word:
            raise Unreadable(f"there is no memory at {address:#x}")
        found = b""
        while len(found) < size:
            at, left = self._place(address + len(found))
            found += self.physical.read(at, min(left, size - len(found)))
        return found

    def is_mapped_by(self, root):
        """Returns whether the page tables at ROOT are the kernel's: whether they map its image."""
        first = self.image[0]
        try:
            return translate(self.physical, root, self.word, first)[0] == first - self.distance
        except Unreadable:
            return False
