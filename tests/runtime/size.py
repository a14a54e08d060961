# SPDX-License-Identifier: BSD-2-Clause
"""Checks that a program's code and data, .bss included, do not exceed a limit in bytes: size.py
FILE LIMIT."""

import struct
import sys

PT_LOAD = 1
# By ELF class: offset and format of the fields e_phoff, e_phentsize and e_phnum of the ELF header,
# and of the flags and the size in memory in a program header.
LAYOUT = {
    1: {"table": ("<I", 28), "sizes": ("<HH", 42), "flags": 24, "memory": ("<I", 20)},
    2: {"table": ("<Q", 32), "sizes": ("<HH", 54), "flags": 4, "memory": ("<Q", 40)},
}


def segments(image):
    """Returns flags and sizes in memory of an ELF file's segments."""
    layout = LAYOUT[image[4]]
    (table,) = struct.unpack_from(*_at(layout["table"], image))
    size, count = struct.unpack_from(*_at(layout["sizes"], image))
    for header in range(table, table + size * count, size):
        (kind,) = struct.unpack_from("<I", image, header)
        (flags,) = struct.unpack_from("<I", image, header + layout["flags"])
        (memory,) = struct.unpack_from(*_at(layout["memory"], image, header))
        if kind == PT_LOAD:
            yield flags, memory


def _at(place, image, base=0):
    return place[0], image, base + place[1]


def main(name, limit):
    with open(name, "rb") as file:
        found = list(segments(file.read()))
    for flags, memory in found:
        rights = "".join(c if flags & bit else "-" for c, bit in (("r", 4), ("w", 2), ("x", 1)))
        print(f"{rights} {memory} bytes")
    total = sum(memory for _, memory in found)
    print(f"{total} bytes of {limit}")
    return 0 if found and 0 < total <= limit else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
