# SPDX-License-Identifier: BSD-2-Clause
"""When the C library is built, and what is said when it cannot be."""

import hashlib
import io
import json
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import newlib
from nova.errors import NovaError
from nova.newlib_patches import PATCHES


class Newlib(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.sources = self.root / "sources"
        self.sources.mkdir()
        self.archive = self.sources / "newlib-3.3.0.tar.xz"
        self.sums = self.root / "sums"
        self.built = []
        for name, value in (
            ("SOURCES", self.sources),
            ("SUMS", self.sums),
            ("folder", lambda arch: self.root / "built" / arch),
            ("_build", self.build),
        ):
            patch = mock.patch.object(newlib, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def build(self, arch, archive, wanted):
        self.built.append((arch, archive))
        newlib.folder(arch).mkdir(parents=True)
        (newlib.folder(arch) / newlib.STAMP).write_text(json.dumps(wanted), encoding="utf-8")

    def package(self, content=b"source", stated=None):
        self.archive.write_bytes(content)
        stated = stated or hashlib.md5(content).hexdigest()
        self.sums.write_text(f"{stated}  {self.archive.relative_to('/')}\n", encoding="utf-8")

    def refused(self, call, *arguments):
        with self.assertRaises(NovaError) as caught:
            call(*arguments)
        sentence = str(caught.exception)
        self.assertRegex(sentence, r"^[^\n]+\.$")
        return sentence

    def test_it_is_built_where_no_path_has_a_blank(self):
        with newlib._work("x86_64") as work:
            self.assertEqual(work, self.root / "built/x86_64.work")
        self.assertFalse(work.exists())
        blank = lambda arch: self.root / "with a blank" / arch
        with mock.patch.object(newlib, "folder", blank), newlib._work("x86_64") as work:
            self.assertNotIn(" ", str(work))
            self.assertTrue(work.is_dir())
        self.assertFalse(work.exists())
        with mock.patch.object(newlib, "folder", blank), mock.patch.object(
            newlib.tempfile, "tempdir", str(self.root / "a b")
        ):
            (self.root / "a b").mkdir()
            self.assertIn("TMPDIR=/tmp", self.refused(newlib._work("x86_64").__enter__))

    def test_it_is_built_once(self):
        self.package()
        for _ in range(3):
            newlib.ensure("x86_64")
        self.assertEqual(self.built, [("x86_64", self.archive)])

    def test_each_architecture_has_its_own(self):
        self.package()
        newlib.ensure("x86_64")
        newlib.ensure("x86_32")
        self.assertEqual([arch for arch, _ in self.built], ["x86_64", "x86_32"])

    def test_another_source_is_built_again(self):
        self.package()
        newlib.ensure("x86_64")
        self.package(b"a newer one")
        with mock.patch.object(newlib, "_build") as again:
            newlib.ensure("x86_64")
        again.assert_called_once()

    def test_another_recipe_is_built_again(self):
        self.package()
        newlib.ensure("x86_64")
        with mock.patch.object(newlib, "FLAGS", ["-O3"]), mock.patch.object(
            newlib, "_build"
        ) as again:
            newlib.ensure("x86_64")
        again.assert_called_once()

    def test_what_was_built_serves_without_the_package(self):
        self.package()
        newlib.ensure("x86_64")
        self.archive.unlink()
        newlib.ensure("x86_64")
        self.assertEqual(len(self.built), 1)

    def test_a_missing_package_is_named(self):
        self.assertIn("apt-get install newlib-source", self.refused(newlib.ensure, "x86_64"))

    def test_a_damaged_source_is_not_built(self):
        self.package(stated="0" * 32)
        self.assertIn("--reinstall newlib-source", self.refused(newlib.ensure, "x86_64"))
        self.assertEqual(self.built, [])

    def test_an_unknown_version_is_refused(self):
        with tarfile.open(self.archive, "w:xz") as tar:
            for name in sorted({name for name, _, _ in PATCHES}):
                entry = tarfile.TarInfo(f"newlib/{name}")
                tar.addfile(entry, io.BytesIO())
        self.assertIn("3.3.0", self.refused(newlib._unpack, self.archive, self.root / "to"))

    def test_a_half_written_stamp_counts_as_none(self):
        self.package()
        newlib.folder("x86_64").mkdir(parents=True)
        (newlib.folder("x86_64") / newlib.STAMP).write_text("{", encoding="utf-8")
        with mock.patch.object(newlib, "_build") as build:
            newlib.ensure("x86_64")
        build.assert_called_once()


if __name__ == "__main__":
    unittest.main()
