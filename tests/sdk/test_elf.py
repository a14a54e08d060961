# SPDX-License-Identifier: BSD-2-Clause
"""Files that are no program for the chosen architecture are refused with a sentence."""

import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import elf
from nova.errors import NovaError


def header(bits, machine):
    return b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9) + b"\2\0" + bytes([machine, 0]) + bytes(44)


class Elf(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = Path(self.folder.name) / "program"

    def refused(self, content, arch, words):
        self.file.write_bytes(content)
        with self.assertRaisesRegex(NovaError, words):
            elf.check_program(self.file, arch)

    def test_programs_of_both_architectures_are_taken(self):
        for arch, content in (("x86_64", header(2, 62)), ("x86_32", header(1, 3))):
            self.file.write_bytes(content)
            elf.check_program(self.file, arch)

    def test_the_other_architecture_is_named(self):
        self.refused(header(1, 3), "x86_64", "--arch x86_32")
        self.refused(header(2, 62), "x86_32", "--arch x86_64")

    def test_x32_and_arm_are_another_kind(self):
        self.refused(header(1, 62), "x86_64", "another kind")
        self.refused(header(2, 183), "x86_64", "another kind")

    def test_text_empty_and_cut_files_are_no_elf(self):
        for content in (b"", b"#!/bin/sh\n", header(2, 62)[:10]):
            self.refused(content, "x86_64", "no ELF file")

    def test_missing_file_and_folder_cannot_be_read(self):
        for path in (self.file, Path(self.folder.name)):
            with self.assertRaisesRegex(NovaError, "cannot be read"):
                elf.check_program(path, "x86_64")


if __name__ == "__main__":
    unittest.main()
