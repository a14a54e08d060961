# SPDX-License-Identifier: BSD-2-Clause
"""The build targets that tests need (sdk/lib/nova/needs.py)."""

import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import ctest, needs, tap

RULES = """rule make
  command = touch $out
build nova.elf32: make
build bin/init: make
build bin/hello: make
build bin/hello.checked: make bin/hello
build bin/other: make
build data.img: make
build system: phony bin/init data.img
build system-guest: phony
"""


class Needs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="build")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        (self.folder / "build.ninja").write_text(RULES, encoding="utf-8")
        (self.folder / "boot").mkdir()
        (self.folder / "boot/system.boot").write_text(
            f"{self.folder}/bin/init\targuments\nguest:x86_64/vmlinuz\n"
            f"sealed:/sources/guest.seal\t{self.folder}/bin/other\n", encoding="utf-8",
        )

    def made(self, *command, **properties):
        command = [word.replace("BUILD", str(self.folder)) for word in command]
        test = ctest.Test("p", 1, "t", [], True, tap.NOT_RUN, 0.0, "", command=command)
        test.folder, test.properties = self.folder, properties
        return test

    def targets(self, *tests):
        return set(needs.targets(tests))

    def test_the_targets_are_the_files_that_commands_name_and_the_checks_of_programs(self):
        hello = self.made("nova", "--kernel=BUILD/nova.elf32", "BUILD/bin/./hello,2", "--cpus", "1")
        self.assertEqual(self.targets(hello), {"nova.elf32", "bin/hello", "bin/hello.checked"})

    def test_the_targets_of_several_tests_are_united(self):
        found = self.targets(self.made("BUILD/nova.elf32"), self.made("BUILD/data.img"))
        self.assertEqual(found, {"nova.elf32", "data.img"})

    def test_the_targets_of_a_system_are_the_system_and_its_programs(self):
        found = self.targets(self.made("nova", "--list", "BUILD/boot/system.boot"))
        self.assertEqual(found, {"system", "bin/init", "bin/other"})

    def test_required_files_of_a_test_are_targets(self):
        test = self.made("script", "x86_64", REQUIRED_FILES=[f"{self.folder}/bin/init"])
        self.assertEqual(self.targets(test), {"bin/init"})

    def test_all_targets_are_built_if_the_files_of_a_test_are_unknown(self):
        for words in (("script", "x86_64"), ("script", "BUILD"), ("script", "BUILD/bin"),
                      ("script", "BUILD/made-by-the-test"), ("script", "BUILD-clang/bin/init"),
                      ("nova", "--list", "BUILD/boot/absent.boot"),
                      ("nova", "--kernel", "BUILD/nova.elf32", "--programs", "BUILD/bin")):
            with self.subTest(words=words):
                found = self.targets(self.made("BUILD/bin/init"), self.made(*words))
                self.assertEqual(found, set())

    def test_all_targets_are_built_if_no_tests_are_given(self):
        self.assertEqual(needs.targets([]), ())
        self.assertEqual(needs.targets(None), ())


if __name__ == "__main__":
    unittest.main()
