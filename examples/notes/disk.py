#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes a disk of 16 MiB with one partition, which has a FAT16 file system: disk.py FILE.

The file system has the folder `home` and, outside of it, the file `secret.txt`. The tools mkfs.fat
and mtools make such a disk, too.
"""
import struct
import sys

FIRST, BLOCKS = 2048, 30720  # the partition
TABLE_BLOCKS, ROOT_ENTRIES = 60, 512
ROOT = 1 + 2 * TABLE_BLOCKS  # block of the root, which follows the tables
DATA = ROOT + ROOT_ENTRIES * 32 // 512


def entry(name, attributes, cluster, size=0):
    """Returns an entry of a folder."""
    return struct.pack("<11sB10xHHHI", name.encode().ljust(11), attributes, 0, 0x5A21, cluster,
                       size)


def put(disk, block, content):
    """Writes at a block of the partition."""
    at = (FIRST + block) * 512
    disk[at:at + len(content)] = content


disk = bytearray((FIRST + BLOCKS) * 512)
disk[446:462] = struct.pack("<BxxxBxxxII", 0, 0x0E, FIRST, BLOCKS)
disk[510:512] = b"\x55\xaa"
put(disk, 0, struct.pack("<3s8sHBHBHHBHHHIIBBBI11s8s", b"\xeb\x3c\x90", b"NOVA", 512, 2, 1, 2,
                         ROOT_ENTRIES, BLOCKS, 0xF8, TABLE_BLOCKS, 32, 2, FIRST, 0, 0x80, 0, 0x29,
                         0x4E4F5641, b"NO NAME    ", b"FAT16   "))
put(disk, 0, bytes(disk[FIRST * 512:FIRST * 512 + 510]) + b"\x55\xaa")
for table in range(2):
    put(disk, 1 + table * TABLE_BLOCKS, struct.pack("<4H", 0xFFF8, 0xFFFF, 0xFFFF, 0xFFFF))
SECRET = b"not for all\n"
put(disk, ROOT, entry("HOME", 0x10, 2) + entry("SECRET  TXT", 0x20, 3, len(SECRET)))
put(disk, DATA, entry(".", 0x10, 2) + entry("..", 0x10, 0))
put(disk, DATA + 2, SECRET)
with open(sys.argv[1], "wb") as file:
    file.write(disk)
