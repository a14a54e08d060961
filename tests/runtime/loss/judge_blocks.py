# SPDX-License-Identifier: BSD-2-Clause
"""Judges disks that blocks.c wrote: after the write of a round's number to block 0, no block of the
round may be lost."""
import functools
import struct

SECTOR = 512
WORDS = SECTOR // 4
MAGIC = 0x4C6F7373


@functools.lru_cache(maxsize=None)
def _round_of(data, number):
    """Returns the round that wrote a block: 0 if none has; None if the block is not whole."""
    words = struct.unpack("<128I", data)
    if not any(words):
        return 0
    rest = [number * WORDS + i + words[2] * 7 for i in range(3, WORDS)]
    return words[2] if words[:2] == (MAGIC, number) and list(words[3:]) == rest else None


class Judge:
    """Judges disks. wanted[n] has, for each block, the last round that wrote the block and was
    acknowledged within the first n entries of the record."""

    def __init__(self, base, entries, _folder):
        self.blocks = len(base) // SECTOR
        self.wanted = [{}]
        written, self.promises = {}, 0
        for entry in entries:
            wanted = self.wanted[-1]
            # QEMU merges writes of adjacent blocks.
            for at in range(0, len(entry.data) if entry else 0, SECTOR):
                number = (entry.offset + at) // SECTOR
                found = _round_of(entry.data[at:at + SECTOR], number)
                if number:
                    written[number] = found
                else:
                    wanted, self.promises = dict(written), self.promises + 1
            self.wanted.append(wanted)

    def judge(self, image, _start, cut):
        """Returns a sentence about a bad disk; None for a good one."""
        wanted = self.wanted[cut]
        view = memoryview(image)
        for number in range(1, self.blocks):
            found = _round_of(bytes(view[number * SECTOR:(number + 1) * SECTOR]), number)
            if found is None:
                return f"block {number} is not whole"
            if found < wanted.get(number, 0):
                return f"block {number} has round {found} instead of {wanted[number]}"
        return None
