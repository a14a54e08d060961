# SPDX-License-Identifier: BSD-2-Clause
"""Files that are not programs for the chosen architecture are refused with a message."""

import os
import struct
import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import elf
from nova.errors import NovaError


def header(bits, machine, kind=2):
    """Returns the header of a file without segments."""
    start = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9) + bytes([kind, 0, machine, 0])
    return start + bytes(44)


def program(types=(elf.LOAD,), size=100):
    """Returns a 64-bit program with a segment of each type, which extends to the file's end."""
    start = 64 + 56 * len(types)
    data = bytearray(header(2, 62)[:64])
    struct.pack_into("<Q", data, 32, 64)
    struct.pack_into("<HHH", data, 52, 64, 56, len(types))
    for kind in types:
        data += struct.pack("<IIQQQQQQ", kind, 5, start, 0x400000, 0, size, size, 4096)
    return bytes(data) + bytes(size)


class Elf(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = Path(self.folder.name) / "program"

    def test_a_pipe_or_device_is_refused_unopened(self):
        os.mkfifo(self.file)
        for file in (self.file, "/dev/zero"):
            with self.assertRaisesRegex(NovaError, "^the module .* is not a regular file: "):
                elf.read_start(file, "module")
        with self.assertRaisesRegex(NovaError, "cannot be read: Is a directory[.]$"):
            elf.read_start(self.folder.name, "module")

    def refused(self, content, arch, words):
        self.file.write_bytes(content)
        with self.assertRaisesRegex(NovaError, words):
            elf.check_program(self.file, arch)

    def test_programs_of_both_architectures_are_taken(self):
        self.file.write_bytes(program())
        elf.check_program(self.file, "x86_64")
        small = bytearray(header(1, 3)[:52])
        struct.pack_into("<I", small, 28, 52)
        struct.pack_into("<HHH", small, 40, 52, 32, 1)
        self.file.write_bytes(small + struct.pack("<8I", elf.LOAD, 0, 0, 0, 52, 52, 5, 4096))
        elf.check_program(self.file, "x86_32")

    def test_a_file_that_was_cut_off_is_refused(self):
        self.refused(program()[:-1], "x86_64", "truncated: it has 219 of at least 220 bytes")
        far = bytearray(program())
        struct.pack_into("<Q", far, 32, 2**64 - 1)
        for content in (program()[:100], bytes(far)):
            self.refused(content, "x86_64", "truncated: its headers are missing")
            for read in (elf.segments, elf.loaded, lambda path: elf.bytes_at(path, 0, 1)):
                with self.assertRaisesRegex(NovaError, "cannot be read as an ELF file"):
                    read(self.file)

    def test_loaded_segments_are_found_by_their_addresses(self):
        self.file.write_bytes(program((elf.LOAD, 0), 7) + b"rest")
        self.assertEqual(elf.segments(self.file), [(0x400000, 7)])
        self.assertEqual(elf.loaded(self.file), [bytes(7)])
        for address, count, found in ((0x400000, 7, bytes(7)), (0x400005, 3, b""), (5, 1, b"")):
            self.assertEqual(elf.bytes_at(self.file, address, count), found)

    def test_a_file_that_is_not_a_static_program_is_refused(self):
        self.refused(header(2, 62, kind=1), "x86_64", "an object file")
        self.refused(header(2, 62, kind=3), "x86_64", "-no-pie")
        self.refused(header(2, 62, kind=9), "x86_64", "not a program")
        self.refused(header(2, 62), "x86_64", "no loadable segment")
        self.refused(program((elf.INTERPRETER, elf.LOAD)), "x86_64", "-static")

    def test_the_other_architecture_is_named(self):
        self.refused(header(1, 3), "x86_64", "--arch x86_32")
        self.refused(header(2, 62), "x86_32", "--arch x86_64")

    def test_x32_and_arm_are_another_kind(self):
        self.refused(header(1, 62), "x86_64", "another kind")
        self.refused(header(2, 183), "x86_64", "another kind")

    def test_text_empty_and_cut_files_are_not_elf(self):
        for content in (b"", b"#!/bin/sh\n", header(2, 62)[:10]):
            self.refused(content, "x86_64", "not an ELF file")

    def test_missing_file_and_folder_cannot_be_read(self):
        for path in (self.file, Path(self.folder.name)):
            with self.assertRaisesRegex(NovaError, "cannot be read"):
                elf.check_program(path, "x86_64")


def kernel(place=0, virtual=0x80201000, size=100):
    """Returns a 32-bit kernel of one segment with a multiboot header at a given offset."""
    data = bytearray(header(1, 3)[:52])
    struct.pack_into("<I", data, 28, 52)
    struct.pack_into("<HHH", data, 40, 52, 32, 1)
    data += struct.pack("<8I", elf.LOAD, 84, virtual, 0x201000, place + size, place + size, 5, 4096)
    words = (0x1BADB002, 3, -(0x1BADB002 + 3) & 0xFFFFFFFF)
    return bytes(data) + bytes(place) + struct.pack("<III", *words) + bytes(size - 12)


class Kernel(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "kernel"

    def refused(self, content, words):
        self.file.write_bytes(content)
        with self.assertRaisesRegex(NovaError, words):
            elf.check_kernel(self.file)

    def test_a_kernel_for_qemu_is_taken(self):
        self.file.write_bytes(kernel())
        elf.check_kernel(self.file)

    def test_a_file_without_multiboot_header_is_refused_with_its_name(self):
        far = kernel(elf.SEARCHED)
        wrong = kernel().replace(struct.pack("<I", 3), struct.pack("<I", 4))
        for content in (b"", b"root:x:0:0\n" * 9, program(), far, wrong):
            self.refused(content, f"{self.file} is not a multiboot kernel: use .*nova.elf32")

    def test_a_64_bit_file_and_one_that_was_cut_off_are_refused(self):
        self.refused(program() + kernel(), "is a 64-bit file.*nova.elf32")
        self.refused(kernel()[:-1], "kernel .* is truncated: it has 183 of at least 184 bytes")

    def test_no_name_and_no_file_are_refused(self):
        for path, words in (("", "needs a file name"), (self.file, "cannot be read")):
            with self.assertRaisesRegex(NovaError, words):
                elf.check_kernel(path)

    def test_the_addresses_show_the_architecture(self):
        places = ((0x80201000, "x86_64"), (0xC0201000, "x86_32"), (0x100000, None))
        for virtual, arch in places:
            self.file.write_bytes(kernel(virtual=virtual))
            self.assertEqual(elf.kernel_arch(self.file), arch)

    def test_a_kernel_that_is_not_an_elf_file_has_no_architecture(self):
        self.file.write_bytes(kernel()[84:])
        elf.check_kernel(self.file)
        self.assertIsNone(elf.kernel_arch(self.file))


if __name__ == "__main__":
    unittest.main()
