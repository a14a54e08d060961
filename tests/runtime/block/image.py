#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes an image of blocks of 512 bytes, in which each 32-bit word contains its own index.

image.py FILE BLOCKS [gpt|damaged]

With gpt, the image has a table with the partitions boot (blocks 64 to 563), log (600 to 799) and
data (800 to 979). With damaged, the image has this table, but its first header is damaged.
"""
import struct
import sys
import zlib

ENTRIES = [(64, 563, "boot"), (600, 799, "log"), (800, 979, "data")]


def header(own, other, entries_at, entries, blocks):
    """Returns a header of the partition table, as a block."""
    fields = [b"EFI PART", 0x10000, 92, 0, 0, own, other, 34, blocks - 34, bytes(range(16)),
              entries_at, 128, 128, zlib.crc32(entries)]
    form = "<8sIIIIQQQQ16sQIII"
    fields[3] = zlib.crc32(struct.pack(form, *fields))
    return struct.pack(form, *fields).ljust(512, b"\0")


def main():
    blocks = int(sys.argv[2])
    kind = sys.argv[3] if len(sys.argv) > 3 else ""
    image = bytearray()
    for number in range(blocks):
        image += struct.pack("<128I", *range(number * 128, number * 128 + 128))
    if kind:
        record = struct.pack("<BxxxBxxxII", 0, 0xEE, 1, blocks - 1)
        image[0:512] = bytes(446) + record + bytes(48) + b"\x55\xaa"
        entries = b""
        for i, (first, last, name) in enumerate(ENTRIES):
            entries += struct.pack("<16s16sQQQ72s", b"type" * 4, bytes([i] * 16), first, last, 0,
                                   name.encode("utf-16-le"))
        entries = entries.ljust(128 * 128, b"\0")
        image[1024:1024 + len(entries)] = entries
        image[512:1024] = header(1, blocks - 1, 2, entries, blocks)
        image[(blocks - 33) * 512:(blocks - 1) * 512] = entries
        image[(blocks - 1) * 512:] = header(blocks - 1, 1, blocks - 33, entries, blocks)
    if kind == "damaged":
        image[512 + 40] ^= 1
    with open(sys.argv[1], "wb") as file:
        file.write(image)


main()
