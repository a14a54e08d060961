# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the kernel's segments leave no gap in physical memory: `image_gaps.py ELF…`.

A boot loader treats a gap as free memory and may put command lines of modules there. They would lie
in pages of the kernel's image, which the roottask cannot map."""

import re
import subprocess
import sys

PAGE = 4096
LOAD = re.compile(r"^ +LOAD +\S+ +\S+ +(0x\w+) +\S+ +(0x\w+)", re.MULTILINE)


def segments(path):
    """Returns the physical addresses (begin, end) of each loaded segment."""
    text = subprocess.run(
        ["readelf", "-lW", path], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    found = [(int(begin, 16), int(size, 16)) for begin, size in LOAD.findall(text)]
    return sorted((begin, begin + size) for begin, size in found)


def gaps(path):
    """Returns a message for each gap."""
    found = segments(path)
    if len(found) < 2:
        return [f"{path} has {len(found)} loaded segments, which cannot be all."]
    return [
        f"{path}: nothing is loaded from {end:#x} to {begin:#x}, between two segments."
        for (_, end), (begin, _) in zip(found, found[1:])
        if begin != end
    ] + ([f"{path} does not end with a page."] if found[-1][1] % PAGE else [])


def main():
    found = [sentence for path in sys.argv[1:] for sentence in gaps(path)]
    print("\n".join(found))
    sys.exit(1 if found or len(sys.argv) < 2 else 0)


main()
