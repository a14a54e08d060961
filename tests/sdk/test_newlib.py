# SPDX-License-Identifier: BSD-2-Clause
"""The conditions under which the C library is built, and the messages if that is impossible."""

import hashlib
import io
import json
import shlex
import tarfile
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import cli, newlib, newlib_patches
from nova.errors import NovaError


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

    def test_a_built_library_serves_without_the_package(self):
        self.package()
        newlib.ensure("x86_64")
        self.archive.unlink()
        newlib.ensure("x86_64")
        self.assertEqual(len(self.built), 1)

    def beside(self, text, *arches):
        """Returns newlib.Beside whose processes run a shell's TEXT; $0 is the architecture."""
        self.package()
        command = staticmethod(lambda arch: ["sh", "-c", text, arch])
        for patch in (mock.patch.object(newlib.Beside, "command", command),
                      mock.patch.object(newlib.build, "say")):
            patch.start()
            self.addCleanup(patch.stop)
        return newlib.Beside(arches)

    def test_missing_libraries_are_built_beside_other_work_at_the_same_time(self):
        place = shlex.quote(str(self.root))
        meet = f"cd {place} && touch begun-$0 && until test -e go; do sleep 0.01; done; touch $0"
        with self.beside(meet, "x86_64", "x86_32") as libraries:
            limit = time.monotonic() + 60
            while not all((self.root / f"begun-{arch}").exists() for arch in libraries.arches):
                self.assertLess(time.monotonic(), limit)
                time.sleep(0.01)
            (self.root / "go").touch()
        self.assertEqual(libraries.arches, ["x86_64", "x86_32"])
        self.assertTrue((self.root / "x86_64").exists() and (self.root / "x86_32").exists())
        self.assertGreater(libraries.seconds, 0)
        self.assertGreater(libraries.processors(), 0)

    def test_only_missing_libraries_are_built_beside_other_work(self):
        self.package()
        newlib.ensure("x86_64")
        self.assertEqual(self.beside("exit 1", "x86_64", "x86_32").arches, ["x86_32"])
        self.archive.unlink()
        self.assertEqual(newlib.Beside(["x86_32"]).arches, [])

    def test_an_error_of_the_other_work_ends_the_processes_beside_it(self):
        began = time.monotonic()
        with self.assertRaises(KeyboardInterrupt), self.beside("sleep 60 & wait", "x86_32"):
            raise KeyboardInterrupt
        self.assertLess(time.monotonic() - began, 30)

    def test_the_command_beside_other_work_builds_a_library(self):
        words = newlib.Beside.command("x86_32")
        with mock.patch.object(newlib, "ensure") as ensured:
            args = cli.parse(words[2:])
            args.function(args)
        ensured.assert_called_once_with("x86_32")

    def test_a_missing_package_is_named(self):
        self.assertIn("apt-get install newlib-source", self.refused(newlib.ensure, "x86_64"))

    def test_a_damaged_source_is_not_built(self):
        self.package(stated="0" * 32)
        self.assertIn("--reinstall newlib-source", self.refused(newlib.ensure, "x86_64"))
        self.assertEqual(self.built, [])

    def test_an_unknown_version_is_refused(self):
        with tarfile.open(self.archive, "w:xz") as tar:
            texts = newlib_patches.read()
            for name in sorted({one[0] for text in texts for one in newlib_patches.hunks(text)}):
                entry = tarfile.TarInfo(f"newlib/{name}")
                tar.addfile(entry, io.BytesIO())
        self.assertIn("3.3.0", self.refused(newlib._unpack, self.archive, self.root / "to"))

    def test_patches_are_in_the_order_of_their_numbers(self):
        names = ["1-one.patch", "2-two.patch", "10-ten.patch"]
        for name in reversed(names):
            (self.root / name).touch()
        self.assertEqual([file.name for file in newlib_patches.files(self.root)], names)

    def test_a_recipe_that_builds_the_same_is_not_built_again(self):
        self.package()
        newlib.ensure("x86_64")
        stamp = newlib.folder("x86_64") / newlib.STAMP
        built = json.loads(stamp.read_text(encoding="utf-8"))
        same = {built["recipe"]: "an earlier one"}
        stamp.write_text(json.dumps(dict(built, recipe="an earlier one")), encoding="utf-8")
        with mock.patch.object(newlib, "SAME", same):
            newlib.ensure("x86_64")
        self.assertEqual(len(self.built), 1)
        with mock.patch.object(newlib, "_build") as again:
            newlib.ensure("x86_64")
        again.assert_called_once()

    def test_a_half_written_stamp_counts_as_none(self):
        self.package()
        newlib.folder("x86_64").mkdir(parents=True)
        (newlib.folder("x86_64") / newlib.STAMP).write_text("{", encoding="utf-8")
        with mock.patch.object(newlib, "_build") as build:
            newlib.ensure("x86_64")
        build.assert_called_once()


class Patches(unittest.TestCase):
    PATCH = """Why.

--- a/one.c
+++ b/one.c
@@ -2,2 +2,3 @@
 two
-three
+drei
+vier
@@ -6,1 +7,0 @@
--- a
--- a/two.c
+++ b/two.c
@@ -1,1 +1,1 @@
-a
+b
"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, one):
        (self.folder / "one.c").write_text(one, encoding="utf-8")
        (self.folder / "two.c").write_text("a\n", encoding="utf-8")

    def test_all_hunks_of_all_files_are_applied(self):
        self.write("one\ntwo\nthree\nfour\n\f\n-- a\nend\n")
        newlib_patches.apply(self.folder, [self.PATCH])
        text = (self.folder / "one.c").read_text(encoding="utf-8")
        self.assertEqual(text, "one\ntwo\ndrei\nvier\nfour\n\f\nend\n")
        self.assertEqual((self.folder / "two.c").read_text(encoding="utf-8"), "b\n")

    def test_a_line_that_differs_or_moved_is_refused(self):
        for one in ("one\ntwo\n3\nfour\n\f\n-- a\n", "two\nthree\nfour\n\f\n-- a\n"):
            self.write(one)
            with self.assertRaisesRegex(NovaError, "one.c is not that of newlib 3.3.0"):
                newlib_patches.apply(self.folder, [self.PATCH])

    def test_each_patch_says_why_and_changes_something(self):
        texts = newlib_patches.read()
        self.assertEqual(len(texts), 6)
        for text in texts:
            self.assertRegex(text, r"\A[A-Za-z][^\n]+(\n[^\n]+)*[.]\n\n--- a/")
            self.assertTrue(newlib_patches.hunks(text))


if __name__ == "__main__":
    unittest.main()
