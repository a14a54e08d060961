#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system that writes to a disk, and looks at the disk: disk.py FROM IMAGE COMMAND...

FROM is an image of image.py; the system replaces each word by its complement.
"""
import shutil
import subprocess
import sys


def main():
    """Returns the status."""
    source, image, *command = sys.argv[1:]
    shutil.copyfile(source, image)
    status = subprocess.run(command, check=False).returncode
    if status:
        return status
    with open(source, "rb") as file:
        wanted = bytes(byte ^ 0xFF for byte in file.read())
    with open(image, "rb") as file:
        found = file.read()
    wrong = [n for n in range(len(wanted) // 512)
             if found[n * 512:n * 512 + 512] != wanted[n * 512:n * 512 + 512]]
    if wrong or len(found) != len(wanted):
        print(f"disk.py: {len(wrong)} blocks are not as they were written; first: {wrong[:1]}")
        return 1
    print(f"disk.py: all {len(wanted) // 512} blocks are as they were written")
    return 0


sys.exit(main())
