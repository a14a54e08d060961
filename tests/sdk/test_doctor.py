# SPDX-License-Identifier: BSD-2-Clause
"""The findings of `nova doctor` on machines that lack something, in a faked environment."""

import json
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import paths
from nova import doctor

SHELL = ("sh", "cat", "dirname", "readlink", "env")
BUILD = ("gcc", "g++", "make", "cmake", "ninja")
RUN = "qemu-system-x86_64"
STATES = (doctor.OK, doctor.MISSING, doctor.ODD)


class Machine(unittest.TestCase):
    """The command, with a PATH of few programs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bin = Path(folder.name)
        for name in SHELL:
            (self.bin / name).symlink_to(shutil.which(name))
        (self.bin / "python3").symlink_to(sys.executable)

    def add(self, *names):
        for name in names:
            (self.bin / name).symlink_to(shutil.which(name))

    def script(self, name, text):
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def run_it(self, *arguments, **variables):
        environment = {"PATH": str(self.bin), "HOME": "/", **variables}
        return paths.nova("doctor", *arguments, env=environment)

    def found(self, **variables):
        result = self.run_it("--json", **variables)
        return {one["name"]: one for one in json.loads(result.stdout)}, result.returncode

    def test_a_machine_that_can_build_and_run_is_ok(self):
        self.add(*BUILD, RUN)
        found, status = self.found()
        self.assertEqual(status, 0)
        for name in ("host", "python", "build", "run", "qemu version", "kvm", "qemu plugins"):
            self.assertEqual(found[name]["state"], "ok", found[name])
        for one in found.values():
            self.assertIn(one["state"], STATES)
            self.assertEqual(set(one), {"name", "state", "needed", "text", "remedy"})
            self.assertTrue(one["state"] == "ok" or one["remedy"] or "known" in one["text"], one)

    def test_the_missing_library_for_sealed_images_is_named(self):
        self.add(*BUILD, RUN)
        (self.bin / "python3").unlink()
        self.script("python3", 'case "$*" in *cryptography*) exit 1 ;; esac\n'
                    f'exec "{sys.executable}" "$@"')
        found, _ = self.found()
        self.assertEqual(found["secure"]["state"], doctor.MISSING)
        self.assertEqual(found["secure"]["remedy"], "apt-get install python3-cryptography")
        self.assertIn("crypt", found)  # cryptsetup, which is optional for images

    def test_a_missing_tool_is_named_with_its_package_and_nothing_is_installed(self):
        self.script("apt-get", 'echo installing >> "$0.log"')
        self.add(*(name for name in BUILD if name != "ninja"))
        result = self.run_it()
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"(?m)^missing  build +.*ninja-build runs the build\n"
                                        r" +-> apt-get install ninja-build$")
        self.assertRegex(result.stdout, r"(?m)^missing  run .*\n +-> .*qemu-system-x86$")
        self.assertRegex(result.stdout, r"(?m)^missing  debug .*\n +-> .*gdb$")
        self.assertIn("cannot work yet: build, run.", result.stdout)
        self.assertFalse((self.bin / "apt-get.log").exists())

    def test_the_script_reports_a_machine_without_python(self):
        (self.bin / "python3").unlink()
        result = self.run_it()
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"\Amissing  python  .*\n +-> apt-get install python3\n\Z")

    def test_the_status_is_0_if_only_optional_packages_are_missing(self):
        self.add(*BUILD, RUN)
        result = self.run_it()
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertRegex(result.stdout, r"(?m)^missing  debug ")
        self.assertIn("nova installs the other packages", result.stdout)

    def test_versions_that_are_too_old_or_unknown_are_odd(self):
        self.add(*(name for name in BUILD if name != "gcc"), RUN)
        self.script("gcc", "echo gcc version 9.4.0")
        self.script("gdb", "exit 3")
        found, status = self.found()
        self.assertEqual(found["gcc version"]["state"], "odd")
        self.assertEqual(found["gcc version"]["remedy"], "install 10 or newer")
        self.assertEqual(found["gdb version"]["state"], "odd")
        self.assertEqual(status, 0)

    def test_a_cmake_that_cannot_read_the_project_is_as_good_as_missing(self):
        self.add(*(name for name in BUILD if name != "cmake"), RUN)
        self.script("cmake", "echo cmake version 3.22.1")
        found, status = self.found()
        self.assertEqual(found["cmake version"]["state"], "missing")
        self.assertEqual(found["cmake version"]["remedy"], "install 3.25 or newer")
        self.assertEqual(status, 1)

    def test_a_qemu_without_features_that_the_tests_use_is_odd(self):
        self.add(*BUILD)
        self.script("qemu-system-x86_64", "echo QEMU emulator version 5.2.0")
        found, status = self.found()
        self.assertEqual(status, 0)
        for name in ("qemu version", "qemu plugins", "qemu svm"):
            self.assertEqual(found[name]["state"], "odd", found[name])

    def test_an_unusual_locale_temporary_folder_and_path_are_odd(self):
        self.add(*BUILD, RUN)
        blank = self.bin / "a b"
        blank.mkdir()
        found, _ = self.found(LC_ALL="de_DE.ISO-8859-1", TMPDIR=str(blank),
                              PATH=f"{self.bin}:.:")
        for name in ("locale", "temporary", "path"):
            self.assertEqual(found[name]["state"], "odd", found[name])

    def test_an_unknown_argument_is_refused(self):
        self.assertEqual(self.run_it("now").returncode, 2)


class Parts(unittest.TestCase):
    def patch(self, place, name, value):
        original = getattr(place, name)
        setattr(place, name, value)
        self.addCleanup(setattr, place, name, original)

    def one(self, part):
        return next(iter(part))

    def test_an_unsupported_host_is_reported_as_missing(self):
        self.patch(doctor.platform, "machine", lambda: "riscv64")
        found = self.one(doctor.host())
        self.assertEqual((found.state, found.needed), (doctor.MISSING, True))
        self.assertIn("riscv64", found.text)

    def test_little_disk_space_and_a_read_only_tree_are_odd(self):
        self.patch(doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 1 << 20))
        self.patch(doctor.os, "access", lambda *_: False)
        found = list(doctor.disk())
        self.assertEqual([one.state for one in found[:2]], [doctor.ODD, doctor.ODD])

    def test_little_memory_is_odd(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("MemTotal: 9999999 kB\nMemAvailable:   4096 kB\n")
            file.flush()
            found = self.one(doctor.memory(file.name))
        self.assertEqual(found.state, doctor.ODD)
        self.assertIn("4 MiB are available", found.text)
        self.assertEqual(self.one(doctor.memory("/does/not/exist")).state, doctor.ODD)

    def test_a_terminal_without_a_name_is_odd(self):
        self.patch(sys.stdout, "isatty", lambda: True)
        self.patch(os, "environ", {"TERM": "dumb", "PATH": "/bin"})
        found = {one.name: one for one in doctor.surroundings()}
        self.assertEqual(found["terminal"].state, doctor.ODD)

    def test_versions_are_read_out_of_sentences(self):
        self.assertEqual(doctor.version("GNU gdb (Debian 13.1-3) 13.1"), (13, 1))
        self.assertEqual(doctor.version("QEMU emulator version 7.2.22 (Debian)"), (7, 2, 22))
        self.assertEqual(doctor.version("no number"), ())

    def test_a_command_that_is_missing_or_hangs_has_an_empty_output(self):
        self.assertEqual(doctor._output(["/does/not/exist"]), "")
        self.patch(doctor, "SECONDS", 0.1)
        self.assertEqual(doctor._output(["sleep", "100"]), "")

    def test_lines_are_aligned(self):
        found = [doctor.Finding("a", "ok", "b"), doctor.Finding("long", "missing", "c", "d")]
        self.assertEqual(list(doctor.text(found)),
                         ["ok       a     b", "missing  long  c", "               -> d"])


if __name__ == "__main__":
    unittest.main()
