# SPDX-License-Identifier: BSD-2-Clause
"""Writes an image of an example with `nova image`, and starts machines from it: `image_boot.py
ARCH`."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import paths
from nova import qemu

ARCH = ["--arch", "x86_64"]
MACHINE = [qemu.PROGRAM, "-machine", "q35", "-accel", "tcg", "-cpu", "qemu64", "-smp", "2"]
MACHINE += ["-m", "256", "-display", "none", "-nic", "none", "-no-reboot", "-serial", "stdio"]
MACHINE += ["-monitor", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
UEFI = ["-bios", qemu.UEFI]
SECONDS = 240


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="nova test ")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.image = Path(cls.folder.name) / "hello.iso"
        cls.written = paths.nova("image", "hello", *ARCH, "-o", str(cls.image))

    def boots(self, *arguments, says="Hello from CPU"):
        done = subprocess.run(
            [*MACHINE, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=SECONDS, check=False,
        )
        text = done.stdout.decode("utf-8", "replace")
        self.assertEqual(done.returncode, 1, text)  # the system wrote 0 to the exit device
        self.assertIn(says, text)
        self.assertIn("NOVA: 2 CPUs;", text)  # serial is on the kernel's command line

    def test_it_says_what_it_wrote(self):
        self.assertEqual(self.written.returncode, 0, self.written.stderr)
        self.assertRegex(self.written.stderr, r"hello\.iso is written: \d+\.\d MiB, for BIOS and")
        self.assertIn("sudo dd if=", self.written.stdout)
        self.assertEqual([file.name for file in self.image.parent.iterdir()], ["hello.iso"])

    def test_bios_starts_it_from_cd(self):
        self.boots("-boot", "d", "-cdrom", str(self.image))

    def test_a_system_comes_with_its_programs_and_description(self):
        with tempfile.TemporaryDirectory() as folder:
            image = Path(folder) / "server.iso"
            written = paths.nova("image", "server", *ARCH, "-o", str(image))
            self.assertEqual(written.returncode, 0, written.stderr)
            self.boots("-boot", "d", "-cdrom", str(image), says="client: 1 and 3, then 10")

    def test_bios_starts_it_from_a_disk(self):
        self.boots("-drive", f"file={self.image},format=raw,snapshot=on")

    def test_uefi_starts_it_from_cd(self):
        self.boots(*UEFI, "-cdrom", str(self.image))

    def test_uefi_starts_it_from_a_disk(self):
        self.boots(*UEFI, "-drive", f"file={self.image},format=raw,snapshot=on")

    def test_a_place_that_cannot_be_is_one_sentence(self):
        folder = Path(self.folder.name)
        for place, words in ((folder, "is a folder"), (folder / "no/x.iso", "there is no folder"),
                             ("/dev/null", "is not a file")):
            result = paths.nova("image", "hello", "-o", str(place))
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertRegex(result.stderr, rf"\Anova: [^\n]*{words}[^\n]*\.\n\Z")


if __name__ == "__main__":
    ARCH[1] = sys.argv[1]
    unittest.main(argv=sys.argv[:1], verbosity=2)
