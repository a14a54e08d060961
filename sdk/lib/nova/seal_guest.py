# SPDX-License-Identifier: BSD-2-Clause
"""Places a guest's software in its memory, as novavmm's loader does: a 64-bit bzImage of Linux or a
64-bit ELF file, its initrd, boot parameters and ACPI tables. Linux's Documentation/x86/boot.rst
describes the setup header and the boot parameters."""

import struct

from nova import elf, seal_image
from nova.errors import NovaError
from nova.seal_blob import (
    ACPI, COMMAND_LINE, INITRD, KERNEL, MEMORY_MAX, PAGE, PARAMS,
)
from nova.seal_image import Loaded, whole_pages

RAM_END = 0xA0000
RAM_BEGIN = 0x100000
SECTOR = 512
# Fields of the setup header: offset, format.
SETUP_SECTORS = (0x1F1, "<B")
UNITS = (0x1F4, "<I")
BOOT_FLAG = (0x1FE, "<H")
JUMP = (0x201, "<B")
MAGIC = (0x202, "<4s")
VERSION = (0x206, "<H")
INITRD_MAX = (0x22C, "<I")
EXTENDED_FLAGS = (0x236, "<H")
LINE_MAX = (0x238, "<I")
PREFERRED = (0x258, "<Q")
INIT_BYTES = (0x260, "<I")
HEADER_BEGIN, HEADER_END = 0x1F1, 0x268
VERSION_MIN = 0x20C
EXTENDED_64 = 1
ENTRY_64 = 0x200
UNIT = 16
# Fields of the boot parameters.
LOADER = 0x210
INITRD_AT = 0x218
LINE_AT = 0x228
RSDP_AT = 0x70
MEMORY_KIB = 0x1E0
E820_COUNT = 0x1E8
E820 = 0x2D0
E820_RAM, E820_RESERVED = 1, 2
# MiB of memory with which Linux boots, and of the smallest bounce buffers that it tries to
# allocate. An option of its command line sets their size.
LINUX_LEAST, LINUX_BUFFERS = 128, 32
BUFFERS_OPTION = b"swiotlb="
LOADER_UNKNOWN = 0xFF
# A flat guest has no header, so the limits are Linux's.
FLAT_LINE_MAX = 2047
FLAT_INITRD_MAX = 0x7FFFFFFF

ELF_MAGIC = b"\x7fELF"
ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
ELF_SEGMENT = struct.Struct("<IIQQQQQQ")
ELF_64, X86_64, LOAD, SHARED = 2, 62, 1, 3
ELF_BYTES_MAX = 256 << 20
TRUNCATED = "it is truncated; build or copy it again"


class Kernel:
    """A kernel in the guest's memory: its part, entry, the end of the memory that it uses before it
    has read the memory map, and its setup header (empty: it is not Linux)."""

    def __init__(self, part, entry, end, header=b""):
        self.part, self.entry, self.end, self.header = part, entry, end, header
        self.line_max = _get(header, LINE_MAX) if header else FLAT_LINE_MAX
        self.initrd_max = _get(header, INITRD_MAX) if header else FLAT_INITRD_MAX


def _get(data, field):
    offset, form = field
    return struct.unpack_from(form, data, offset)[0]


def _refuse(path, reason):
    return NovaError(f"the kernel {path} cannot be sealed: {reason}.")


def _linux(path, data):
    if _get(data, VERSION) < VERSION_MIN or not _get(data, EXTENDED_FLAGS) & EXTENDED_64:
        raise _refuse(path, "it has no 64-bit entry point; use a 64-bit kernel")
    begin = ((_get(data, SETUP_SECTORS) or 4) + 1) * SECTOR
    if begin + _get(data, UNITS) * UNIT >= len(data) + UNIT or begin + ENTRY_64 >= len(data):
        raise _refuse(path, TRUNCATED)
    at = _get(data, PREFERRED)
    if at < RAM_BEGIN or at % PAGE or at >= MEMORY_MAX:
        raise _refuse(path, "it must be loaded at an address at which guests have no memory; "
                             "configure it with CONFIG_PHYSICAL_START=0x1000000")
    part = Loaded(KERNEL, at, whole_pages(data[begin:]))
    end = at + max(_get(data, INIT_BYTES), len(data))
    return Kernel(part, at + ENTRY_64, end, data[:HEADER_END])


def _misplaced(path, kind):
    """Returns the refusal of an ELF file with a segment where a guest has no memory."""
    if kind == SHARED:
        return _refuse(path, f"it is {elf.OTHER_TYPES[kind]}, at 1 MiB or above "
                             "(-Wl,-Ttext-segment=0x200000)")
    return _refuse(path, "a segment is at an address below 1 MiB or above 3 GiB; link it at "
                         "another address (ld -Ttext-segment=0x200000)")


def _segments(path, data):
    """Returns the segments of an ELF file: address, content, bytes in memory."""
    if len(data) < ELF_HEADER.size:
        raise _refuse(path, TRUNCATED)
    head = ELF_HEADER.unpack_from(data)
    if head[0][4] != ELF_64 or head[2] != X86_64:
        raise _refuse(path, "it is an ELF file, but not for x86-64; compile it for x86-64")
    kind, entry, offset, size, count = head[1], head[4], head[5], head[9], head[10]
    # A position-independent file can still have the addresses of a guest's memory.
    if kind in elf.OTHER_TYPES and kind != SHARED:
        raise _refuse(path, f"it is {elf.OTHER_TYPES[kind]}")
    if size != ELF_SEGMENT.size or offset + count * size > len(data):
        raise _refuse(path, TRUNCATED)
    found = []
    for i in range(count):
        row, _, at, _, physical, in_file, in_memory, _ = ELF_SEGMENT.unpack_from(
            data, offset + i * size)
        if row != LOAD or not in_memory:
            continue
        if at + in_file > len(data) or in_file > in_memory:
            raise _refuse(path, TRUNCATED)
        if physical < RAM_BEGIN or physical + in_memory > MEMORY_MAX:
            raise _misplaced(path, kind)
        found.append((physical, data[at:at + in_file], in_memory))
    if not found:
        raise _refuse(path, "it has no segment; link it as an executable file")
    return entry, sorted(found)


def _flat(path, data):
    entry, segments = _segments(path, data)
    begin = segments[0][0] & -PAGE
    end = max(at + len(content) for at, content, _ in segments)
    if end - begin > ELF_BYTES_MAX:
        raise _refuse(path, "its segments are more than 256 MiB apart; link them closer together")
    image = bytearray(max(end - begin, 1))
    last = 0
    for at, content, in_memory in segments:
        if at < last:
            raise _refuse(path, "two segments overlap; link it again")
        image[at - begin:at - begin + len(content)] = content
        last = at + in_memory
    if not begin <= entry < end:
        raise _refuse(path, "its entry point is in no segment; link it with -e SYMBOL")
    return Kernel(Loaded(KERNEL, begin, whole_pages(bytes(image))), entry, last)


def read_kernel(path, data):
    """Returns the kernel in a file."""
    if data[:4] == ELF_MAGIC:
        return _flat(path, data)
    if len(data) >= HEADER_END and _get(data, BOOT_FLAG) == 0xAA55 and _get(data, MAGIC) == b"HdrS":
        return _linux(path, data)
    if not data:
        raise _refuse(path, "it is empty; build or copy it again")
    raise _refuse(path, "it is neither a bzImage of Linux nor an ELF file; use one of them")


def _mib(count):
    return -(-count // (1 << 20))


def _linux_least(kernel, initrd):
    """Returns the MiB of memory that Linux needs: for itself, bounce buffers, INITRD, and its
    files."""
    least = max(LINUX_LEAST, _mib(kernel.end) + LINUX_BUFFERS + 2 * _mib(len(initrd)))
    return least + least % 2


def _remedy(kernel, needs, initrd):
    """Returns the end of a sentence about a guest whose parts need a number of MiB. Linux needs
    memory besides its own parts."""
    if not kernel.header:
        return f": write --memory {needs + needs % 2}"
    least = _linux_least(kernel, initrd)
    return f", and Linux at least {least} in all: write --memory {least}"


def warning(kernel, line, initrd, memory):
    """Returns a warning about a memory with room for all parts, but not for Linux's work, or
    None."""
    least = _linux_least(kernel, initrd)
    if not kernel.header or memory >= least << 20 or BUFFERS_OPTION in line:
        return None
    return (f"with {memory >> 20} MiB of memory, Linux can panic for lack of bounce buffers: write "
            f"--memory {least}.")


def _place_initrd(kernel, data, memory):
    """Returns the address of an initrd, as high as possible, so that the kernel can grow."""
    end = min(memory, kernel.initrd_max + 1)
    at = (end - len(data)) & -PAGE
    least = (kernel.end + PAGE - 1) & -PAGE
    if at < least:
        needs = _mib(least + len(whole_pages(data)))
        raise NovaError(f"the guest's memory is too small for kernel and initrd: they need "
                        f"{needs} MiB{_remedy(kernel, needs, data)}.")
    return at


def _params(kernel, initrd, memory, has_acpi):
    """Returns the boot parameters (zero page)."""
    page = bytearray(PAGE)
    if kernel.header:
        end = min(0x202 + _get(kernel.header, JUMP), HEADER_END)
        page[HEADER_BEGIN:end] = kernel.header[HEADER_BEGIN:end]
    page[LOADER] = LOADER_UNKNOWN
    struct.pack_into("<II", page, INITRD_AT, *initrd)
    struct.pack_into("<I", page, LINE_AT, seal_image.COMMAND_LINE_AT)
    struct.pack_into("<Q", page, RSDP_AT, seal_image.ACPI_AT if has_acpi else 0)
    struct.pack_into("<I", page, MEMORY_KIB, (memory - RAM_BEGIN) >> 10)
    ranges = ((0, RAM_END, E820_RAM), (RAM_END, RAM_BEGIN, E820_RESERVED),
              (RAM_BEGIN, memory, E820_RAM))
    page[E820_COUNT] = len(ranges)
    for i, (begin, end, kind) in enumerate(ranges):
        struct.pack_into("<QQI", page, E820 + 20 * i, begin, end - begin, kind)
    return bytes(page)


def place(kernel, line, initrd, acpi, memory):
    """Returns the parts of a guest except its start page, in the order of their addresses. INITRD
    and ACPI are empty if there is none."""
    if len(line) > min(kernel.line_max, FLAT_LINE_MAX):
        raise NovaError(f"the command line has {len(line)} bytes, more than "
                        f"{min(kernel.line_max, FLAT_LINE_MAX)}: shorten it.")
    used = max(kernel.end, kernel.part.address + len(kernel.part.data))
    if used > memory:
        raise NovaError(f"the guest's memory is too small for its kernel, which needs "
                        f"{_mib(used)} MiB{_remedy(kernel, _mib(used), initrd)}.")
    if len(acpi) > seal_image.ACPI_END - seal_image.ACPI_AT:
        raise NovaError("the ACPI tables have more than 128 KiB, for which there is no room: use "
                        "smaller tables.")
    at = _place_initrd(kernel, initrd, memory) if initrd else 0
    parts = [
        Loaded(PARAMS, seal_image.PARAMS_AT,
               _params(kernel, (at, len(initrd)), memory, bool(acpi))),
        Loaded(COMMAND_LINE, seal_image.COMMAND_LINE_AT, whole_pages(line + b"\0")),
    ]
    if acpi:
        parts.append(Loaded(ACPI, seal_image.ACPI_AT, whole_pages(acpi)))
    parts.append(kernel.part)
    if initrd:
        parts.append(Loaded(INITRD, at, whole_pages(initrd)))
    return parts
