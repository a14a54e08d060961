#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks whether the code of a program, its executable bytes, stays within a limit."""
import re
import subprocess
import sys


def code_bytes(path):
    """Returns the size of the executable segments in memory, with their padding, from readelf."""
    listing = subprocess.run(["readelf", "-lW", path], text=True, capture_output=True, check=True)
    sizes = []
    for line in listing.stdout.splitlines():
        segment = re.match(r"\s+LOAD\s+(?:0x\w+\s+){4}(0x\w+)\s+([RWE ]+?)\s+0x", line)
        if segment and "E" in segment.group(2):
            sizes.append(int(segment.group(1), 16))
    if not sizes:
        sys.exit(f"{path} has no executable segment.")
    return sum(sizes)


def main():
    path, most, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    size = code_bytes(path)
    print(f"{path}: {size} bytes of code; the limit is {most}, the test expects '{wanted}'")
    return 0 if (size <= most) == (wanted == "fits") else 1


if __name__ == "__main__":
    sys.exit(main())
