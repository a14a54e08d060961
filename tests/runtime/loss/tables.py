# SPDX-License-Identifier: BSD-2-Clause
"""Compares the copies of the table of a FAT file system of any type."""
import struct


def difference(part, place, writes):
    """Returns a sentence about copies that differ in a sector that none of the writes has reached;
    None: there is no such sector.

    PART is the file system, which begins at byte PLACE of the disk. WRITES are the entries of the
    record since the last flush: a loss of power can keep the write of one copy only.
    """
    size, _, reserved, copies = struct.unpack_from("<HBHB", part, 11)
    length = struct.unpack_from("<H", part, 22)[0] or struct.unpack_from("<I", part, 36)[0]
    tables = [bytes(part[(reserved + i * length) * size:(reserved + (i + 1) * length) * size])
              for i in range(copies)]
    if tables.count(tables[0]) == copies:
        return None
    written = {at // size for write in writes
               for at in range(write.offset - place, write.offset - place + len(write.data), 512)}
    for number in range(length):
        sectors = [table[number * size:(number + 1) * size] for table in tables]
        places = {reserved + i * length + number for i in range(copies)}
        if sectors.count(sectors[0]) != copies and not places & written:
            return f"the copies of sector {number} of the table differ without a write"
    return None
