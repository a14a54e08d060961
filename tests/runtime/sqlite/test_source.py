# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the files that replace a missing source of SQLite."""
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import source


def make(unpacked, folder):
    """Makes the files without SQLite."""
    del unpacked
    for name in source.MADE:
        (folder / name).write_text(name, encoding="utf-8")
    (folder / source.REASON).unlink(missing_ok=True)


class SourceTest(unittest.TestCase):
    """The folder of the source."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def missing(self):
        """Checks that the files are empty, and that the header has the reason."""
        with mock.patch.dict("os.environ", {"NOVA_OFFLINE": "1"}):
            reason = source.ensure(self.folder)
        self.assertIn("NOVA_OFFLINE is set", reason)
        self.assertEqual((self.folder / "sqlite3.c").read_bytes(), b"")
        self.assertFalse((self.folder / "sqlite3.h").exists())
        header = (self.folder / source.REASON).read_text(encoding="utf-8")
        self.assertEqual(header, f'#define REASON "{reason}"\n')

    def test_without_the_source_the_files_are_empty(self):
        self.missing()

    def test_the_files_are_made_after_the_source_was_missing(self):
        self.missing()
        with mock.patch.object(source.debian_source, "_make",
                               lambda folder, source, function: function(None, folder)), \
                mock.patch.object(source, "make", make):
            self.assertIsNone(source.ensure(self.folder))
        self.assertFalse((self.folder / source.REASON).exists())
        self.assertEqual((self.folder / "sqlite3.h").read_text(encoding="utf-8"), "sqlite3.h")

    def test_without_tcl_the_package_is_named(self):
        with mock.patch.object(source.shutil, "which", lambda name: None):
            with self.assertRaisesRegex(source.Missing, r"apt-get install tcl\.$"):
                source.make(self.folder, self.folder)


if __name__ == "__main__":
    unittest.main()
