#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes a disk with an empty FAT16 file system in partition 1, and partition 2 for marks: disk.py
FILE."""
import struct
import subprocess
import sys

from judge_files import BLOCKS, FIRST, MARK, SECTOR

with open(sys.argv[1], "wb") as disk:
    disk.truncate((MARK + 8) * SECTOR)
    disk.seek(446)
    disk.write(struct.pack("<BxxxBxxxII", 0, 0x0E, FIRST, BLOCKS))
    disk.write(struct.pack("<BxxxBxxxII", 0, 0xDA, MARK, 8))
    disk.seek(510)
    disk.write(b"\x55\xaa")
subprocess.run(["/usr/sbin/mkfs.fat", "-F", "16", "-s", "1", "-i", "4e4f5641", "--offset",
                str(FIRST), sys.argv[1], str(BLOCKS // 2)], check=True, stdout=subprocess.DEVNULL,
               stderr=subprocess.DEVNULL)
