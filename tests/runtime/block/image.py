#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes an image whose blocks of 512 bytes carry their numbers: image.py FILE BLOCKS."""
import struct
import sys

with open(sys.argv[1], "wb") as file:
    for number in range(int(sys.argv[2])):
        file.write(struct.pack("<128I", *range(number * 128, number * 128 + 128)))
