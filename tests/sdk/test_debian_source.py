# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the libraries' sources that are made from Debian's source packages."""
import hashlib
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401

from nova import debian_source


class DebianSource(unittest.TestCase):
    """A folder whose package has one file and one folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        self.folder = self.work / "made"
        self.recipe = self.work / "recipe"
        self.recipe.write_text("1", encoding="utf-8")
        self.made = 0
        tree = self.work / "thing-1"
        (tree / "src").mkdir(parents=True)
        (tree / "src/a.c").write_text("a", encoding="utf-8")
        (tree / "COPYING").write_text("b", encoding="utf-8")
        with tarfile.open(self.work / "thing.tar.gz", "w:gz") as tar:
            tar.add(tree, "thing-1")
        self.data = (self.work / "thing.tar.gz").read_bytes()
        digest = hashlib.sha256(self.data).hexdigest()
        self.source = debian_source.Source("thing", "thing_1.orig.tar.gz", digest)

    def have(self, data=None):
        """Puts the archive into the folder."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / self.source.archive).write_bytes(data or self.data)

    def make(self, unpacked, folder):
        """Makes the files."""
        self.made += 1
        debian_source.move_parts(unpacked, folder, ("src", "COPYING"))

    def ensure(self):
        """Makes the files unless they exist."""
        debian_source.ensure(self.folder, self.source, [self.recipe], self.make)

    def missing(self, part, **environment):
        """Checks that the source is missing, and returns the sentence."""
        given = []
        with mock.patch.dict("os.environ", {"NOVA_OFFLINE": "", **environment}):
            with self.assertRaises(debian_source.Missing) as caught:
                debian_source.ensure(self.folder, self.source, [self.recipe], self.make,
                                     given.append)
        self.assertRegex(str(caught.exception), r"^[^\n]+\.$")
        self.assertIn(part, str(caught.exception))
        self.assertEqual(given, [str(caught.exception)])
        self.assertFalse((self.folder / "made").exists())

    def test_offline_nothing_is_downloaded(self):
        self.missing("NOVA_OFFLINE is set", NOVA_OFFLINE="1")

    def test_without_the_tool_the_file_is_named(self):
        with mock.patch.object(debian_source, "HELPER", "/absent"):
            self.missing(f"put {debian_source.POOL}/t/thing/thing_1.orig.tar.gz into")

    def test_a_download_that_fails_gives_the_reason(self):
        tool = self.work / "helper"
        tool.write_text("#!/bin/sh\necho 'E: no way'\nexit 100\n", encoding="utf-8")
        tool.chmod(0o755)
        with mock.patch.object(debian_source, "HELPER", str(tool)):
            self.missing("cannot be downloaded (no way)")

    def test_a_damaged_archive_is_removed(self):
        self.have(b"damaged")
        self.missing("was damaged")
        self.assertFalse((self.folder / self.source.archive).exists())

    def test_the_files_are_made_once(self):
        self.have()
        self.ensure()
        self.ensure()
        self.assertEqual(self.made, 1)
        self.assertEqual((self.folder / "src/a.c").read_text(encoding="utf-8"), "a")

    def test_another_recipe_makes_them_again(self):
        self.have()
        self.ensure()
        (self.folder / "src/old.c").write_text("old", encoding="utf-8")
        self.recipe.write_text("2", encoding="utf-8")
        self.ensure()
        self.assertEqual(self.made, 2)
        self.assertFalse((self.folder / "src/old.c").exists())

    def test_files_that_could_not_be_made_are_tried_again(self):
        self.have()
        with mock.patch.object(self, "make", side_effect=debian_source.Missing("no tool.")):
            self.missing("no tool.")
        self.ensure()
        self.assertEqual(self.made, 1)

    def test_the_program_prints_the_reason(self):
        with mock.patch.dict("os.environ", {"NOVA_OFFLINE": "1"}), \
                mock.patch("builtins.print") as printed:
            status = debian_source.main(self.folder, self.source, self.recipe, ("src",))
        self.assertEqual(status, 1)
        self.assertIn("NOVA_OFFLINE", str(printed.call_args.args[0]))

    def test_patches_are_applied(self):
        self.have()
        patch = self.work / "patches/1-name.patch"
        patch.parent.mkdir()
        patch.write_text("--- a/src/a.c\n+++ b/src/a.c\n@@ -1 +1 @@\n-a\n+c\n", encoding="utf-8")
        self.assertEqual(
            debian_source.main(self.folder, self.source, self.recipe, ("src",)), 0)
        self.assertEqual((self.folder / "src/a.c").read_text(encoding="utf-8"), "c")


if __name__ == "__main__":
    unittest.main()
