#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes an empty disk of 1 MiB with the partition `counter`: disk.py FILE."""
import struct
import sys
import zlib

BLOCKS, FIRST, LAST = 2048, 64, 1087


def header(own, other, entries_at, entries):
    """Returns a header of a GUID partition table."""
    fields = [b"EFI PART", 0x10000, 92, 0, 0, own, other, 34, BLOCKS - 34, bytes(range(16)),
              entries_at, 128, 128, zlib.crc32(entries)]
    fields[3] = zlib.crc32(struct.pack("<8sIIIIQQQQ16sQIII", *fields))
    return struct.pack("<8sIIIIQQQQ16sQIII", *fields).ljust(512, b"\0")


disk = bytearray(BLOCKS * 512)
table = struct.pack("<16s16sQQQ72s", bytes(range(1, 17)), bytes(range(2, 18)), FIRST, LAST, 0,
                    "counter".encode("utf-16-le")).ljust(128 * 128, b"\0")
disk[446:462] = struct.pack("<BxxxBxxxII", 0, 0xEE, 1, BLOCKS - 1)
disk[510:512] = b"\x55\xaa"
disk[512:1024] = header(1, BLOCKS - 1, 2, table)
disk[1024:1024 + len(table)] = table
disk[-33 * 512:-512] = table
disk[-512:] = header(BLOCKS - 1, 1, BLOCKS - 33, table)
with open(sys.argv[1], "wb") as file:
    file.write(disk)
