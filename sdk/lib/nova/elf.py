# SPDX-License-Identifier: BSD-2-Clause
"""Checks before the boot whether a file can be a program of the chosen architecture, or a
kernel."""

import contextlib
import os
import stat
import struct
from pathlib import Path

from nova.errors import NovaError

CLASS_BITS = {1: 32, 2: 64}
MACHINES = {"x86_32": (32, 3), "x86_64": (64, 62)}
# Formats for each class. Header: entry, offsets, sizes and counts. Segment: type, offset, virtual
# and physical address, size in the file and in memory. Section: name, type, address, offset, size.
HEADER = {1: "<24xIII6xHHHHH", 2: "<24xQQQ6xHHHHH"}
SEGMENT = {1: "<IIIIII", 2: "<I4xQQQQQ"}
SECTION = {1: "<II4xIII", 2: "<II8xQQQ"}
MAGIC = b"\x7fELF"
# A multiboot header: its first word, and the size of the part of a file that must contain it.
MULTIBOOT = struct.pack("<I", 0x1BADB002)
SEARCHED = 8192
# Start addresses of the kernels. The file of the x86-64 kernel for QEMU contains only the lower
# halves of the kernel's addresses.
X86_32_KERNEL = 0xC0000000
X86_64_KERNEL = 0x80000000
LOAD = 1
INTERPRETER = 3
EXECUTABLE = 2
# Kinds of files that are not EXECUTABLE, with the remedy.
OTHER_TYPES = {
    1: "an object file: link it",
    3: "position independent or a shared object: link it with -static -no-pie",
    4: "a core dump",
}


def read_start(path, what):
    """Returns the first bytes of a regular file, which must be readable. Does not open a pipe: that
    would wait for a writer, and a pipe's bytes can be read only once."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # the error of a folder comes from open()
            with open(path, "rb") as file:
                return file.read(64)
    except OSError as error:
        raise NovaError(f"the {what} {path} cannot be read: {error.strerror}.") from error
    raise NovaError(f"the {what} {path} is not a regular file: copy its content into one.")


def _arch(head):
    """Returns the architecture in the header of a file, None if it is unknown."""
    key = (CLASS_BITS.get(head[4]), int.from_bytes(head[18:20], "little"))
    return next((name for name, known in MACHINES.items() if known == key), None)


def _check_machine(path, arch, head):
    own = _arch(head)
    if own is None:
        raise NovaError(f"the roottask {path} is for another kind of machine than {arch}.")
    if own != arch:
        raise NovaError(f"the roottask {path} is for {own}: use --arch {own}.")


def _segment_fields(data):
    """Returns the fields of each segment. Raises struct.error or OverflowError if they are
    missing."""
    kind = data[4]
    _, offset, _, size, count = struct.unpack_from(HEADER[kind], data)[:5]
    return [
        struct.unpack_from(SEGMENT[kind], data, offset + size * number) for number in range(count)
    ]


def _headers(path, what, data):
    """Returns the fields of each segment of a complete file."""
    try:
        segments = _segment_fields(data)
    except (OverflowError, struct.error):
        raise NovaError(f"the {what} {path} is truncated: its headers are missing.") from None
    for segment in segments:
        end = segment[1] + segment[4]
        if segment[0] == LOAD and end > len(data):
            raise NovaError(
                f"the {what} {path} is truncated: it has {len(data)} of at least {end} bytes."
            )
    return segments


def _check_segments(path, data):
    """Rejects a file that is truncated or linked dynamically."""
    types = [segment[0] for segment in _headers(path, "roottask", data)]
    if LOAD not in types:
        raise NovaError(f"the roottask {path} has no loadable segment.")
    if INTERPRETER in types:
        raise NovaError(f"the roottask {path} needs dynamic libraries: link it with -static.")


def check_program(path, arch):
    """Raises NovaError unless PATH is a complete ELF program for ARCH."""
    if not path:
        raise NovaError("--roottask needs a file name.")
    head = read_start(path, "roottask")
    if len(head) < 20 or head[:4] != MAGIC:
        raise NovaError(f"the roottask {path} is not an ELF file.")
    _check_machine(path, arch, head)
    kind = int.from_bytes(head[16:18], "little")
    if kind != EXECUTABLE:
        what = OTHER_TYPES.get(kind, "not a program")
        raise NovaError(f"the roottask {path} is {what}.")
    with open(path, "rb") as file:
        _check_segments(path, file.read())


def _has_multiboot(data):
    """Returns whether there is a multiboot header: the sum of its first three words is 0."""
    for at in range(0, min(len(data), SEARCHED) - 11, 4):
        if data.startswith(MULTIBOOT, at):
            if sum(struct.unpack_from("<III", data, at)) & 0xFFFFFFFF == 0:
                return True
    return False


def check_kernel(path):
    """Raises NovaError unless PATH is a complete kernel that QEMU's -kernel accepts."""
    if not str(path):
        raise NovaError("--kernel needs a file name.")
    read_start(path, "kernel")
    data = Path(path).read_bytes()
    if not _has_multiboot(data):
        raise NovaError(f"{path} is not a multiboot kernel: use a build folder's nova.elf32.")
    if data[:4] == MAGIC:
        if CLASS_BITS.get(data[4]) != 32:
            raise NovaError(
                f"the kernel {path} is a 64-bit file, which QEMU rejects: use the 32-bit file of "
                "the same kernel, nova.elf32."
            )
        _headers(path, "kernel", data)


def kernel_arch(path):
    """Returns the architecture that the addresses of a kernel for QEMU indicate, or None."""
    if not path.read_bytes().startswith(MAGIC):
        return None
    highest = max((virtual for virtual, _ in segments(path)), default=0)
    if highest < X86_64_KERNEL:
        return None
    return "x86_32" if highest >= X86_32_KERNEL else "x86_64"


def program_arch(path):
    """Returns the architecture of a program, None if it is unknown."""
    return _arch(_read(path)[0])


@contextlib.contextmanager
def _reading(path):
    """Turns errors about a truncated or damaged file into a sentence."""
    try:
        yield
    except (OSError, LookupError, OverflowError, ValueError, struct.error) as error:
        raise NovaError(f"{path} cannot be read as an ELF file.") from error


def _read(path):
    """Returns a file's bytes, its class, and the fields of its header."""
    with _reading(path):
        data = path.read_bytes()
        if data[:4] != MAGIC:
            raise NovaError(f"{path} is not an ELF file.")
        return data, data[4], struct.unpack_from(HEADER[data[4]], data)


def entry(path):
    """Returns the address of a program's first instruction."""
    return _read(path)[2][0]


def _loaded(path):
    """Yields (virtual address, bytes in memory, content in the file) of each loaded segment."""
    data = _read(path)[0]
    with _reading(path):
        fields = _segment_fields(data)
    for kind, offset, virtual, _, size, memory in fields:
        if kind == LOAD:
            yield virtual, memory, data[offset : offset + size]


def segments(path):
    """Returns (virtual address, bytes in memory) of each loaded segment."""
    return [(virtual, memory) for virtual, memory, _ in _loaded(path)]


def loaded(path):
    """Returns the bytes in the file of each loaded segment."""
    return [data for _, _, data in _loaded(path)]


def bytes_at(path, address, count):
    """Returns COUNT bytes of a program at a virtual address, b"" if the file has none."""
    for virtual, _, data in _loaded(path):
        if virtual <= address and address + count <= virtual + len(data):
            return data[address - virtual : address - virtual + count]
    return b""


def section_sizes(path):
    """Returns the size of each named section in bytes."""
    data, kind, header = _read(path)
    _, _, offset, _, _, size, count, names = header
    sizes = {}
    with _reading(path):
        sections = [
            struct.unpack_from(SECTION[kind], data, offset + size * i) for i in range(count)
        ]
        table = sections[names][3] if sections else 0
        for name, _, _, _, length in sections:
            end = data.index(b"\0", table + name)
            sizes[data[table + name : end].decode("ascii", "replace")] = length
    return sizes
