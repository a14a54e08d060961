#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the disk of the soak: disk.py FILE MKFS.FAT MKE2FS.

Partition 1 has a FAT16 file system for the service `files`, partition 2 an ext4 one for the guest.
"""
import os
import struct
import subprocess
import sys

BLOCK = 512
FAT_FIRST, FAT_BLOCKS = 2048, 32768
EXT_FIRST, EXT_BLOCKS = FAT_FIRST + FAT_BLOCKS, 32768


def run(*command):
    """Runs a tool without its output."""
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def make_partition(image, command, first, blocks):
    """Makes a file system in a file of its own, and copies it to its place."""
    part = image + ".part"
    with open(part, "wb") as file:
        file.truncate(blocks * BLOCK)
    run(*command, part)
    with open(part, "rb") as source, open(image, "r+b") as disk:
        disk.seek(first * BLOCK)
        disk.write(source.read())
    os.unlink(part)


def main():
    """Writes the table and both file systems."""
    image, fat, ext = sys.argv[1:]
    with open(image, "wb") as disk:
        disk.truncate((EXT_FIRST + EXT_BLOCKS) * BLOCK)
        disk.seek(446)
        disk.write(struct.pack("<BxxxBxxxII", 0, 0x0E, FAT_FIRST, FAT_BLOCKS))
        disk.write(struct.pack("<BxxxBxxxII", 0, 0x83, EXT_FIRST, EXT_BLOCKS))
        disk.seek(510)
        disk.write(b"\x55\xaa")
    make_partition(image, (fat, "-F", 16, "-s", 4, "-i", "4e4f5641"), FAT_FIRST, FAT_BLOCKS)
    make_partition(image, (ext, "-q", "-t", "ext4"), EXT_FIRST, EXT_BLOCKS)


main()
