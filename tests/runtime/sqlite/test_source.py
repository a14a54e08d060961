# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the files that replace a missing source of SQLite, and of the sentences about it."""
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import source


class SourceTest(unittest.TestCase):
    """The folder of the source."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "sqlite"
        self.made = 0

    def make(self, _archive, folder):
        """Makes the files without SQLite."""
        self.made += 1
        for name in source.MADE:
            (folder / name).write_text(name, encoding="utf-8")

    def missing(self, part):
        """Checks that the files are missing, and that the header contains the reason."""
        reason = source.ensure(self.folder)
        self.assertRegex(reason or "", r"^[^\n]+\.$")
        self.assertIn(part, reason)
        self.assertEqual((self.folder / "sqlite3.c").read_bytes(), b"")
        self.assertFalse((self.folder / "sqlite3.h").exists())
        self.assertFalse((self.folder / "made").exists())
        header = (self.folder / source.REASON).read_text(encoding="utf-8")
        self.assertEqual(header, f'#define REASON "{reason}"\n')

    def have(self):
        """Puts an archive into the folder, whose sum is accepted."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / source.ARCHIVE).write_bytes(b"archive")
        return mock.patch.multiple(
            source, make=self.make,
            SUM="0eb3e36bfb24dcd9bb1d1bece1531216b59539a8fde17ee80224af0653c92aa3")

    def test_offline_nothing_is_downloaded(self):
        with mock.patch.dict("os.environ", {"NOVA_OFFLINE": "1"}):
            self.missing("NOVA_OFFLINE is set")

    def test_without_the_tool_the_file_is_named(self):
        with mock.patch.object(source.debian_source, "HELPER", "/absent"), mock.patch.dict(
            "os.environ", {"NOVA_OFFLINE": ""}
        ):
            self.missing(f"put {source.PLACE} into")

    def test_a_download_that_fails_gives_the_reason(self):
        tool = self.folder.parent / "helper"
        tool.write_text("#!/bin/sh\necho 'E: no way'\nexit 100\n", encoding="utf-8")
        tool.chmod(0o755)
        with mock.patch.object(source.debian_source, "HELPER", str(tool)), mock.patch.dict(
            "os.environ", {"NOVA_OFFLINE": ""}
        ):
            self.missing("cannot be downloaded (no way)")

    def test_a_damaged_archive_is_not_used(self):
        self.have()
        self.missing("was damaged")
        self.assertFalse((self.folder / source.ARCHIVE).exists())

    def test_without_tcl_the_package_is_named(self):
        with self.have(), mock.patch.object(source, "make", MAKE), mock.patch.object(
            source.shutil, "which", lambda name: None
        ):
            self.missing("apt-get install tcl")

    def test_it_is_made_once(self):
        with self.have():
            self.assertIsNone(source.ensure(self.folder))
            self.assertIsNone(source.ensure(self.folder))
        self.assertEqual(self.made, 1)
        self.assertFalse((self.folder / source.REASON).exists())

    def test_it_is_made_after_it_was_missing(self):
        with mock.patch.dict("os.environ", {"NOVA_OFFLINE": "1"}):
            self.missing("NOVA_OFFLINE is set")
        with self.have():
            self.assertIsNone(source.ensure(self.folder))
        self.assertFalse((self.folder / source.REASON).exists())
        self.assertEqual((self.folder / "sqlite3.h").read_text(encoding="utf-8"), "sqlite3.h")


MAKE = source.make

if __name__ == "__main__":
    unittest.main()
