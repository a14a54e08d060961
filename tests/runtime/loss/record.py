# SPDX-License-Identifier: BSD-2-Clause
"""The record of a boot's writes and flushes, and the disks that a loss of power could have left.

QEMU's filter `blklogwrites` writes the record in the format of Linux's dm-log-writes: a superblock,
then entries, each followed by its data; all are aligned to the size of a sector.
"""
import random
import struct

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
SECTOR = 512


class Write:
    """A write or a discard. `kept` is true if it survives without a flush."""

    def __init__(self, offset, data, kept):
        self.offset, self.data, self.kept = offset, data, kept


def read(name):
    """Returns the entries of a record: a Write, or None for a flush."""
    with open(name, "rb") as file:
        data = file.read()
    magic, version, count, sector = struct.unpack_from("<QQQI", data)
    if magic != MAGIC or version != 1 or sector < SECTOR or sector & (sector - 1):
        raise ValueError(f"{name} is not a record of writes")
    at, entries = sector, []
    for _ in range(count):
        first, sectors, flags, _ = struct.unpack_from("<QQQQ", data, at)
        at += sector
        if flags & FLUSH:
            entries.append(None)
        if flags & MARK or not sectors:
            continue
        size = sectors * sector
        if flags & DISCARD:
            content = b"\xa5" * size
        else:
            content = data[at:at + size]
            at += size
        if len(content) != size:
            raise ValueError(f"{name} ends within an entry")
        entries.append(Write(first * sector, content, bool(flags & FUA)))
    return entries


def _apply(image, offset, data):
    image[offset:offset + len(data)] = data


def _parts(write, chance):
    """Returns the parts of a write that reached the disk: all, none, or some of its sectors."""
    fate = chance.random()
    if write.kept or fate < 0.5:
        return [(write.offset, write.data)]
    if fate < 0.85 or len(write.data) == SECTOR:
        return []
    return [(write.offset + at, write.data[at:at + SECTOR])
            for at in range(0, len(write.data), SECTOR) if chance.random() < 0.5]


def images(base, entries, count, seed):
    """Makes COUNT disks from the disk BASE. Yields each disk with the number of entries up to the
    last flush, and with the number of entries before the loss of power.

    A disk has all writes before a flush, and a subset of the writes between it and the loss, in any
    order. The losses are spread over the flushes: each flush has one if there are fewer than COUNT
    flushes.
    """
    chance = random.Random(seed)
    starts = [0, *(at + 1 for at, entry in enumerate(entries) if entry is None)]
    ends = [*(at - 1 for at in starts[1:]), len(entries)]
    turns = sorted(i % len(starts) for i in range(count))
    image, done = bytearray(base), 0
    for turn in turns:
        start, end = starts[turn], ends[turn]
        for entry in entries[done:start]:
            if entry is not None:
                _apply(image, entry.offset, entry.data)
        done = start
        cut = chance.randint(start, end)
        parts = []
        for write in entries[start:cut]:
            parts += _parts(write, chance)
        chance.shuffle(parts)
        left = bytearray(image)
        for offset, data in parts:
            _apply(left, offset, data)
        yield left, start, cut
