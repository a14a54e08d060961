# SPDX-License-Identifier: BSD-2-Clause
"""The build directory of a user's project: when it is configured from scratch and cleaned."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import build, places, project

CHOICE = ("x86_64", "release", "gcc")


class Configured(unittest.TestCase):
    """A project with an installed SDK, whose tools are only recorded."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)
        self.sdk = self.folder / "sdk"
        self.out = self.folder / "out"
        self.out.mkdir()
        self.headers = "/usr/lib/gcc/x86_64-linux-gnu/12/include"
        self.put_sdk("1.0")
        values = {"INSTALLED": True, "PREFIX": self.sdk, "SHARE": self.sdk / "share/nova"}
        for name, value in values.items():
            self.patch(places, name, value)
        self.patch(project, "_compiler_headers", lambda compiler: self.headers, create=True)
        self.patch(build, "say", lambda text: None)
        self.patch(build, "step", self.step)

    def patch(self, where, name, value, **options):
        patch = mock.patch.object(where, name, value, **options)
        patch.start()
        self.addCleanup(patch.stop)

    def put_sdk(self, version):
        """Installs the SDK with old times, as a package does."""
        for name, text in (("share/nova/version", version),
                           ("lib/x86_64-release/libnova.a", "library")):
            file = self.sdk / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.write_text(text, encoding="utf-8")
            os.utime(file, (10 ** 9, 10 ** 9))

    def step(self, command, *_):
        self.steps.append("configure" if "-S" in command else command[-1])
        if "-S" in command:
            (self.out / "build.ninja").touch()

    def configure(self):
        self.steps = []
        project.Project(self.folder, self.folder)._configure(self.out, *CHOICE)
        return self.steps

    def test_a_new_build_directory_is_not_cleaned(self):
        self.assertEqual(self.configure(), ["configure"])

    def test_without_a_change_only_the_description_is_checked(self):
        self.configure()
        self.assertEqual(self.configure(), ["build.ninja"])

    def test_another_sdk_at_the_same_path_is_built_from_scratch(self):
        self.configure()
        for version in ("1.0", "1.1"):
            self.put_sdk(version)
            self.assertEqual(self.configure(), ["configure", "clean"])
            self.assertEqual(self.configure(), ["build.ninja"])

    def test_another_version_of_the_compiler_is_built_from_scratch(self):
        self.configure()
        self.headers = "/usr/lib/gcc/x86_64-linux-gnu/13/include"
        self.assertEqual(self.configure(), ["configure", "clean"])
        self.assertEqual(self.configure(), ["build.ninja"])

    def test_a_cleaning_that_failed_is_repeated(self):
        self.configure()
        self.put_sdk("1.1")

        def fail(command, *_):
            self.step(command)
            if command[-1] == "clean":
                raise build.BuildError("no", "")

        with mock.patch.object(build, "step", fail), self.assertRaises(build.BuildError):
            self.configure()
        self.assertEqual(self.configure(), ["configure", "clean"])


class OddPath(unittest.TestCase):
    def failed(self, folder):
        """Returns the sentence about a project in FOLDER that cannot be configured."""
        found = project.Project(Path(folder), Path("/absent"))
        error = build.BuildError("no", "")
        with mock.patch.object(build, "step", side_effect=error), \
                mock.patch.object(build, "say"), \
                mock.patch.object(project, "_origin", return_value=[]), \
                self.assertRaises(build.BuildError) as caught:
            found._configure(Path("/absent"), "x86_64", "release", "gcc")
        return str(caught.exception)

    def test_odd_characters_are_named_if_the_configuration_fails(self):
        plain = "configuring mine for x86_64-release failed."
        self.assertEqual(self.failed("/a b/c'\u00fc(d)/mine"), plain)
        self.assertEqual(
            self.failed("/a;b\"\n/mine"),
            f'{plain} The folder\'s path contains \\n " ; which CMake or Ninja may misread: if the '
            "lines above name no other reason, move the project.")


class Compiler(unittest.TestCase):
    def test_the_folder_of_its_headers_is_known(self):
        self.assertRegex(project._compiler_headers("gcc"), "^/.*/include$")
        self.assertEqual(project._compiler_headers("no-such-compiler"), "")


if __name__ == "__main__":
    unittest.main()
