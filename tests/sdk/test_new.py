# SPDX-License-Identifier: BSD-2-Clause
"""`nova new`, and the commands' messages about folders that are not projects. Builds nothing."""

import errno
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import cli, new
from nova.errors import NovaError

SENTENCE = r"\Anova: [^\n]+[.]\n\Z"
FOREIGN = "cmake_minimum_required(VERSION 3.25)\nproject(theirs NONE)\n"


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nova test ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def nova(self, *arguments):
        return paths.nova(*arguments, cwd=self.folder)

    def refuses(self, *arguments, says):
        result = self.nova(*arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertRegex(result.stderr, SENTENCE)
        self.assertIn(says, result.stderr)
        return result.stderr


class New(Folder):
    def test_a_copy_has_the_name_of_its_folder(self):
        self.assertEqual(self.nova("new", "bare", "deep/mine").returncode, 0)
        text = (self.folder / "deep/mine/CMakeLists.txt").read_text(encoding="utf-8")
        self.assertIn("\nproject(mine LANGUAGES C)\n", text)
        theirs = paths.ROOT / "templates/bare/main.c"
        self.assertEqual((self.folder / "deep/mine/main.c").read_bytes(), theirs.read_bytes())

    def test_a_read_only_template_becomes_a_project_that_can_be_changed(self):
        template = self.folder / "templates/bare"
        shutil.copytree(paths.ROOT / "templates/bare", template)
        (template / "tool").write_text("#!/bin/sh\n", encoding="utf-8")
        (template / "part").mkdir()
        (template / "part/file").touch()
        for file in template.rglob("*"):
            file.chmod(0o555 if file.is_dir() or file.name == "tool" else 0o444)
        template.chmod(0o555)
        args = cli.parse(["new", "bare", str(self.folder / "mine")])
        with mock.patch.object(new.places, "TEMPLATES", template.parent), \
                mock.patch.object(new.build, "say"):
            self.assertEqual(new.run(args), 0)
        made = self.folder / "mine"
        for file in (made, *made.rglob("*")):
            self.assertTrue(file.stat().st_mode & 0o200, file)
        self.assertTrue((made / "tool").stat().st_mode & 0o100)
        self.assertFalse((made / "part/file").stat().st_mode & 0o111)

    def test_an_error_leaves_no_part_of_a_project(self):
        args = cli.parse(["new", "bare", str(self.folder / "mine")])
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with mock.patch.object(new.shutil, "copyfile", side_effect=full), \
                mock.patch.object(new.shutil, "copy2", side_effect=full):
            with self.assertRaisesRegex(NovaError, "cannot be copied: No space left on device[.]$"):
                new.run(args)
        with mock.patch.object(Path, "write_text", side_effect=full):
            self.assertRaises(OSError, new.run, args)
        self.assertEqual(list(self.folder.iterdir()), [])

    def next_step(self, folder, path):
        """Returns the command that the message names for booting the project."""
        environment = {**os.environ, "PATH": path}
        result = paths.nova("new", "bare", folder, cwd=self.folder, env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        told = re.fullmatch(rf"nova: {folder} is created; next: cd {folder}, (.+) run, \1 test\n",
                            result.stderr)
        self.assertTrue(told, result.stderr)
        return told[1]

    def test_the_next_step_is_a_command_that_can_be_called(self):
        path = os.environ["PATH"]
        other = self.folder / "bin"
        other.mkdir()
        (other / "nova").write_text("#!/bin/sh\nexit 7\n", encoding="utf-8")
        (other / "nova").chmod(0o755)
        self.assertEqual(self.next_step("called", f"{paths.NOVA.parent}:{path}"), "nova")
        told = self.next_step("masked", f"{other}:{path}")
        help_ = subprocess.run(["sh", "-c", f"{told} run --help"], cwd=self.folder / "masked",
                               stdout=subprocess.PIPE, text=True, check=True)
        self.assertIn("nova run", help_.stdout)

    def test_the_monitor_has_as_many_lines_as_its_chapter_says(self):
        chapter = (paths.ROOT / "docs/manual/vmm.md").read_text(encoding="utf-8")
        lines = (paths.ROOT / "templates/vmm/main.c").read_text(encoding="utf-8").count("\n")
        self.assertTrue(chapter.startswith(f"# Write a VMM in {lines} lines\n"))
        self.assertIn(f"has {lines} lines", chapter)

    def test_an_existing_folder_is_left_alone(self):
        (self.folder / "mine").mkdir()
        self.refuses("new", "bare", "mine", says="exists already")
        self.assertEqual(list((self.folder / "mine").iterdir()), [])

    def test_a_file_is_left_alone(self):
        (self.folder / "mine").write_text("mine", encoding="utf-8")
        self.refuses("new", "bare", "mine", says="exists already")

    def test_an_unknown_template_is_reported_with_those_that_exist(self):
        self.refuses("new", "fancy", "mine", says="There are: bare")
        self.refuses("new", "sevice", "mine", says="Did you mean 'service'? There are: bare")
        self.refuses("new", "../examples/hello", "mine", says="there is no template")
        self.assertFalse((self.folder / "mine").exists())

    def test_names_that_cmake_does_not_take(self):
        allowed = "use the letters A to Z and a to z, digits, and _ - . +, a letter first."
        for reason, names in (
            (allowed, ("my project", "1st", "a;b", "${X}", "_a", "grün", "a\"b", "a(b)")),
            ("CMake has a target of this name.", ("test", "all")),
            ("CMake takes it for the value 'false'.", ("no", "Off", "n", "a-NOTFOUND")),
        ):
            for name in names:
                with self.subTest(name=name):
                    self.refuses("new", "bare", name,
                                 says=f"'{name}' is not a valid project name: {reason}")
                self.assertFalse((self.folder / name).exists())

    def test_a_name_may_have_each_allowed_character(self):
        self.assertEqual(self.nova("new", "bare", "Az09_-.+").returncode, 0)

    def test_every_template_has_at_most_ten_lines_of_cmake(self):
        for file in (paths.ROOT / "templates").glob("*/CMakeLists.txt"):
            lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line]
            self.assertLessEqual(len(lines), 10, file)

    def test_every_example_is_a_project_of_its_own(self):
        for file in (paths.ROOT / "examples").glob("*/CMakeLists.txt"):
            text = file.read_text(encoding="utf-8")
            for words in (f"project({file.parent.name} ", "find_package(Nova REQUIRED)"):
                self.assertIn(f"\n{words}", text, file)
            for words in ("NOVA_ROOT", "../"):
                self.assertNotIn(words, text, f"{file} needs what a copy of it does not have")

    def test_the_help_lists_every_template(self):
        text = self.nova("new", "--help").stdout
        for file in (paths.ROOT / "templates").glob("*/CMakeLists.txt"):
            self.assertRegex(text, rf"\n  {file.parent.name} +\w")


class Foreign(Folder):
    """A project without NOVA is not built; the command reports it."""

    def setUp(self):
        super().setUp()
        (self.folder / "CMakeLists.txt").write_text(FOREIGN, encoding="utf-8")

    def test_run_build_and_test_say_what_to_do(self):
        for command in ("run", "build", "test"):
            with self.subTest(command=command):
                self.refuses(command, says="lacks find_package(Nova)")
        self.assertFalse((self.folder / "build").exists())

    def test_a_subfolder_belongs_to_the_foreign_project(self):
        (self.folder / "part").mkdir()
        self.refuses("run", "./part", says="is not a project")
        result = paths.nova("build", cwd=self.folder / "part")
        self.assertEqual(result.returncode, 2)
        self.assertIn("lacks find_package(Nova)", result.stderr)


class NoProject(Folder):
    def test_a_folder_that_is_not_there(self):
        self.refuses("run", "./nothing", says="./nothing")

    def test_a_file_without_a_project(self):
        (self.folder / "CMakeLists.txt").write_text("# nothing yet\n", encoding="utf-8")
        self.refuses("run", says="is not a project")

    def test_a_folder_without_a_project(self):
        (self.folder / "empty").mkdir()
        self.refuses("run", "empty", says="is not a project")

    def test_an_unknown_name(self):
        self.refuses("run", "nothing", says="no example 'nothing'. The examples are blocks")
        said = self.refuses("run", "helo", says="there is no example 'helo'. Did you mean 'hello'?")
        self.assertIn(f"The examples are in {paths.ROOT / 'examples'}.", said)


if __name__ == "__main__":
    unittest.main()
