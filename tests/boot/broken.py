# SPDX-License-Identifier: BSD-2-Clause
"""Makes unusual and broken roottasks from a good one: broken.py GOOD KIND OUTPUT."""

import struct
import sys
from dataclasses import dataclass

PT_LOAD = 1
READ, WRITE, EXECUTE = 4, 2, 1
SHARED = 0x800
SHIFT = 0x123
FAR = 0x200003
KERNEL_ADDRESS = {32: 0xC0000000, 64: 0xFFFFFFFF80000000}


@dataclass
class Segment:
    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int


class Elf:
    """The header fields of a file that this tool changes, and its program headers."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.bits = 64 if data[4] == 2 else 32
        self.entry_at, self.entry_format = 24, "<Q" if self.bits == 64 else "<I"
        if self.bits == 64:
            self.table, size, count = *struct.unpack_from("<Q", data, 32), 56, data[56]
            self.format = "<IIQQQQQQ"
            self.order = ("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align")
        else:
            self.table, size, count = *struct.unpack_from("<I", data, 28), 32, data[44]
            self.format = "<IIIIIIII"
            self.order = ("type", "offset", "vaddr", "paddr", "filesz", "memsz", "flags", "align")
        self.segments = []
        for number in range(count):
            values = struct.unpack_from(self.format, data, self.table + number * size)
            self.segments.append(Segment(**dict(zip(self.order, values))))

    def set_entry(self, address):
        struct.pack_into(self.entry_format, self.data, self.entry_at, address)

    def with_flag(self, flag):
        return next(s for s in self.segments if s.type == PT_LOAD and s.flags & flag)

    def write(self):
        for number, segment in enumerate(self.segments):
            values = [getattr(segment, name) for name in self.order]
            place = self.table + number * struct.calcsize(self.format)
            struct.pack_into(self.format, self.data, place, *values)
        return bytes(self.data)


def text(_):
    return b"#!/bin/sh\necho this is not a program\n" * 100


def empty(_):
    return b"\n"


def short_header(elf):
    return bytes(elf.data[:20])


def truncated(elf):
    """Cuts the file inside of its last segment."""
    last = elf.with_flag(WRITE)
    return elf.write()[: last.offset + last.filesz // 2]


def other_machine(elf):
    struct.pack_into("<H", elf.data, 18, 183)
    return elf.write()


def other_class(elf):
    """Exchanges the classes of 32 and 64 bits."""
    elf.data[4] ^= 3
    return bytes(elf.data)


def no_program(elf):
    """Makes the file a relocatable one."""
    struct.pack_into("<H", elf.data, 16, 1)
    return elf.write()


def far_table(elf):
    """Places the program headers outside of the file."""
    place, layout = (32, "<Q") if elf.bits == 64 else (28, "<I")
    struct.pack_into(layout, elf.data, place, (1 << elf.bits) - 0x20)
    return bytes(elf.data)


def many_headers(elf):
    struct.pack_into("<H", elf.data, 56 if elf.bits == 64 else 44, 0xFFFF)
    return bytes(elf.data)


def overlap(elf):
    data = elf.with_flag(WRITE)
    data.vaddr = data.paddr = elf.with_flag(EXECUTE).vaddr
    return elf.write()


def beyond_file(elf):
    elf.with_flag(WRITE).offset = len(elf.data) - 0x800 & ~0xFFF
    elf.with_flag(WRITE).filesz += 0x100000
    elf.with_flag(WRITE).memsz += 0x100000
    return elf.write()


def kernel_address(elf):
    elf.with_flag(WRITE).vaddr = KERNEL_ADDRESS[elf.bits]
    return elf.write()


def wrapping(elf):
    elf.with_flag(WRITE).vaddr = (1 << elf.bits) - 0x1000
    return elf.write()


def huge(elf):
    elf.with_flag(WRITE).memsz = (1 << (elf.bits - 1)) - 1
    return elf.write()


def larger_in_file(elf):
    """Makes a segment larger in the file than in memory."""
    elf.with_flag(WRITE).memsz = elf.with_flag(WRITE).filesz // 2
    return elf.write()


def entry_outside(elf):
    elf.set_entry(0x1000)
    return elf.write()


def all_rights(elf):
    """Makes all segments writable and executable, as those of programs of 2012. The result is
    valid."""
    for segment in elf.segments:
        segment.flags = READ | WRITE | EXECUTE
    return elf.write()


def odd_offsets(elf):
    """Moves the segments to places in the file that do not depend on their addresses. The result is
    valid."""
    first = min(s.offset for s in elf.segments if s.type == PT_LOAD)
    for segment in elf.segments:
        segment.offset += SHIFT
        segment.align = 1
    data = elf.write()
    return data[:first] + b"\xcc" * SHIFT + data[first:]


def shared_page(elf):
    """Places the end of one segment and the start of the next in one page. The result is valid."""
    loaded = (segment for segment in elf.segments if segment.type == PT_LOAD)
    _, first, second = sorted(loaded, key=lambda segment: segment.vaddr)  # constants and data
    first.filesz = first.memsz = first.filesz - SHARED
    for name in ("offset", "vaddr", "paddr"):
        setattr(second, name, getattr(second, name) - SHARED)
    second.filesz = second.memsz = second.filesz + SHARED
    second.align = 1
    return elf.write()


def bss(elf):
    """Removes the zeros at the end of the data from the segment's part in the file, and puts other
    bytes there. The result is valid."""
    data = elf.with_flag(WRITE)
    content = bytes(elf.data[data.offset : data.offset + data.filesz])
    kept = len(content.rstrip(b"\0"))
    start, end = data.offset + kept, data.offset + data.filesz
    elf.data[start:end] = b"\xcc" * (end - start)
    data.filesz = kept
    return elf.write()


def far_headers(elf):
    """Places the program headers at the end of a large file, as some tools do. The result is valid.
    """
    place, layout = (32, "<Q") if elf.bits == 64 else (28, "<I")
    elf.data += bytes(max(FAR - len(elf.data), 0))
    elf.table = len(elf.data)
    elf.data += bytes(len(elf.segments) * struct.calcsize(elf.format))
    struct.pack_into(layout, elf.data, place, elf.table)
    return elf.write()


KINDS = {
    function.__name__: function
    for function in (
        *(text, empty, short_header, truncated, other_machine, no_program, far_table),
        *(many_headers, overlap, beyond_file, kernel_address, wrapping, huge, larger_in_file),
        *(other_class, entry_outside, all_rights, odd_offsets, shared_page, bss),
        far_headers,
    )
}


def main():
    good, kind, output = sys.argv[1:]
    with open(good, "rb") as file:
        elf = Elf(file.read())
    content = KINDS[kind](elf)
    with open(output, "wb") as file:
        file.write(content)


if __name__ == "__main__":
    main()
