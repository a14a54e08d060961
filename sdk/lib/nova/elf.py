# SPDX-License-Identifier: BSD-2-Clause
"""Tells before the boot whether a file can be a program of the chosen architecture."""

import struct

from nova.errors import NovaError

CLASS_BITS = {1: 32, 2: 64}
MACHINES = {"x86_32": (32, 3), "x86_64": (64, 62)}
# Of each class: entry, offsets, sizes and counts in the file's header; type, offset, virtual,
# physical, file size and memory size of a segment; name, type, address, offset, size of a section.
HEADER = {1: "<24xIII6xHHHHH", 2: "<24xQQQ6xHHHHH"}
SEGMENT = {1: "<IIIIII", 2: "<I4xQQQQQ"}
SECTION = {1: "<II4xIII", 2: "<II8xQQQ"}
LOAD = 1


def read_start(path, what):
    """The first bytes of a file that has to be a readable one."""
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except OSError as error:
        raise NovaError(f"the {what} {path} cannot be read: {error.strerror}.") from error


def check_program(path, arch):
    """Raises NovaError unless PATH is an ELF program for ARCH."""
    head = read_start(path, "roottask")
    if len(head) < 20 or head[:4] != b"\x7fELF":
        raise NovaError(f"the roottask {path} is no ELF file.")
    bits = CLASS_BITS.get(head[4])
    machine = int.from_bytes(head[18:20], "little")
    for name, key in MACHINES.items():
        if key == (bits, machine):
            if name != arch:
                raise NovaError(f"the roottask {path} is for {name}: use --arch {name}.")
            return
    raise NovaError(f"the roottask {path} is for another kind of machine than {arch}.")


def _read(path):
    """A file's bytes, its class, and the fields of its header."""
    try:
        data = path.read_bytes()
        if data[:4] != b"\x7fELF":
            raise NovaError(f"{path} is no ELF file.")
        return data, data[4], struct.unpack_from(HEADER[data[4]], data)
    except (OSError, KeyError, IndexError, struct.error) as error:
        raise NovaError(f"{path} cannot be read as an ELF file.") from error


def entry(path):
    """The address of a program's first instruction."""
    return _read(path)[2][0]


def segments(path):
    """(physical address, virtual address, bytes) of each loaded segment."""
    data, kind, header = _read(path)
    _, offset, _, size, count = header[:5]
    found = []
    for at in range(offset, offset + size * count, size):
        word, _, virtual, physical, _, memory = struct.unpack_from(SEGMENT[kind], data, at)
        if word == LOAD:
            found.append((physical, virtual, memory))
    return found


def section_sizes(path):
    """The bytes of each named section."""
    data, kind, header = _read(path)
    _, _, offset, _, _, size, count, names = header
    sections = [
        struct.unpack_from(SECTION[kind], data, offset + size * i) for i in range(count)
    ]
    if not sections:
        return {}
    table = sections[names][3]
    sizes = {}
    for name, _, _, _, length in sections:
        end = data.index(b"\0", table + name)
        sizes[data[table + name : end].decode("ascii", "replace")] = length
    return sizes
