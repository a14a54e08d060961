# SPDX-License-Identifier: BSD-2-Clause
"""Guests, keys and random bytes for tests of sealed images."""

import hashlib
import struct

import paths  # noqa: F401 (makes the package importable)
from nova import machine_key, seal_blob, seal_guest, seal_image

MIB = 1 << 20
PAGE = 4096


class Repeatable:
    """A source of random bytes that repeat in each run: hashes of a seed and a counter."""

    def __init__(self, seed=b"test"):
        self.seed, self.count = seed, 0

    def __call__(self, length):
        self.count += 1
        block = self.seed + struct.pack("<I", self.count)
        return hashlib.shake_256(block).digest(length)


def linux(units=None, body=3000, **fields):
    """Returns a file that looks like a 64-bit bzImage, with one sector of setup."""
    data = bytearray(1024 + body)
    units = body // 16 if units is None else units
    known = {"setup": ("<B", 0x1F1, 1), "units": ("<I", 0x1F4, units),
             "flag": ("<H", 0x1FE, 0xAA55), "jump": ("<H", 0x200, 0x66EB),
             "magic": ("<4s", 0x202, b"HdrS"), "version": ("<H", 0x206, 0x20F),
             "loadflags": ("<B", 0x211, 1), "initrd_max": ("<I", 0x22C, 0x7FFFFFFF),
             "alignment": ("<I", 0x230, 0x200000), "extended": ("<H", 0x236, 1),
             "line_max": ("<I", 0x238, 2047), "preferred": ("<Q", 0x258, MIB),
             "init": ("<I", 0x260, 2 * MIB)}
    for name, (form, offset, value) in known.items():
        struct.pack_into(form, data, offset, fields.get(name, value))
    for at in range(1024, len(data)):
        data[at] = at % 251
    return bytes(data)


def table(signature, content):
    """Returns an ACPI table."""
    data = bytearray(struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(content), 1, 0, b"NOVA",
                                 b"TEST", 1, b"NOVA", 1) + content)
    data[9] = -sum(data) % 256
    return bytes(data)


def acpi(old=False):
    """Returns small ACPI tables: root pointer, XSDT (or RSDT if OLD), FADT, FACS and DSDT."""
    at = seal_image.ACPI_AT
    form = "<I" if old else "<Q"
    root = bytearray(struct.pack("<8sB6sBIIQBxxx", b"RSD PTR ", 0, b"NOVA", 0 if old else 2,
                                 at + 0x40, 36, 0 if old else at + 0x40, 0))
    root[8] = -sum(root[:20]) % 256
    root[32] = -sum(root) % 256
    data = bytearray(0x300)
    for offset, content in (
        (0, root), (0x40, table(b"RSDT" if old else b"XSDT", struct.pack(form, at + 0x80))),
        (0x80, table(b"FACP", struct.pack("<II", at + 0x200, at + 0x280).ljust(208, b"\0"))),
        (0x200, b"FACS" + struct.pack("<I", 64)), (0x280, table(b"DSDT", b"code")),
    ):
        data[offset:offset + len(content)] = content
    return bytes(data)


def elf(segments=((0x200000, b"\xf4" * 100, 5000),), entry=0x200010, bits=2, machine=62):
    """Returns an ELF file. A segment is a triple: address, content, number of bytes in memory."""
    offset = 64 + 56 * len(segments)
    head = seal_guest.ELF_HEADER.pack(
        b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9), 2, machine, 1, entry, 64, 0, 0, 64, 56,
        len(segments), 0, 0, 0)
    rows, body = b"", b""
    for address, content, in_memory in segments:
        rows += seal_guest.ELF_SEGMENT.pack(1, 5, offset + len(body), address, address,
                                            len(content), in_memory, PAGE)
        body += content
    return head + rows + body


def keys(count=1):
    """Returns pairs of a private and a public key."""
    random = Repeatable(b"machine")
    pairs = []
    for _ in range(count):
        private = random(32)
        pairs.append((private, machine_key.public_of(private)))
    return pairs


def policy(**others):
    """Returns a Content for seal_image.build()."""
    given = {"flags": 0, "vcpus": 2, "memory": 16 * MIB, "entry": MIB + 0x200, "params": 0,
             "tables": 0, "blob": 0, "parts": (), "phrase": b"swordfish",
             "secrets": {b"token": b"1234", b"empty": b""}}
    return seal_blob.Content(**(given | others))


def image(publics, kernel=None, line=b"console=hvc0", initrd=b"initrd" * 900, acpi=b"RSD PTR ",
          random=None, **others):
    """Returns the bytes of a small image."""
    wanted = policy(**others)
    found = seal_guest.read_kernel("vmlinuz", kernel or linux())
    loaded = seal_guest.place(found, line, initrd, acpi, wanted.memory)
    return seal_image.build(wanted._replace(entry=found.entry), loaded, publics,
                            random or Repeatable())


def content(**others):
    """Returns the content of a small image's blob."""
    (pair,) = keys()
    found = seal_blob.open_blob(seal_image.blob_of(image([pair[1]])), pair[0])
    return found._replace(**others)
