# SPDX-License-Identifier: BSD-2-Clause
"""`nova seal` given files of another kind or damaged ones: what the message names, and its
remedy."""

import subprocess
import unittest
from pathlib import Path

import sealing
import test_seal


class Files(test_seal.Folder):
    """A folder with a sealed image."""

    def setUp(self):
        super().setUp()
        self.image = self.sealed("--disk-phrase-file", self.path("phrase"))


class Kernels(Files):
    def compiled(self, name, *words):
        """Returns the file NAME, which gcc makes from a program with WORDS."""
        source = self.file("guest.S", b".globl _start\n_start: hlt\n")
        subprocess.run(["gcc", "-o", self.path(name), source, *words], check=True)
        return name

    def refused_kernel(self, name):
        return self.refused(*self.words(kernel=name)).removeprefix(f"the kernel {self.path(name)} ")

    def test_an_object_file_must_be_linked(self):
        self.assertEqual(self.refused_kernel(self.compiled("guest.o", "-c")),
                         "cannot be sealed: it is an object file: link it.")

    def test_a_file_without_addresses_must_be_linked_for_some(self):
        words = ["-nostdlib", "-static-pie"]
        self.assertEqual(self.refused_kernel(self.compiled("pie", *words)),
                         "cannot be sealed: it is position independent or a shared object: link it "
                         "with -static -no-pie, at 1 MiB or above "
                         "(-Wl,-Ttext-segment=0x200000).")
        self.sealed(kernel=self.compiled("pie", *words, "-Wl,-Ttext-segment=0x200000"))
        words = ["-nostdlib", "-static", "-no-pie", "-Wl,-Ttext-segment=0x10000"]
        self.assertRegex(self.refused_kernel(self.compiled("low", *words)),
                         "link it at another address [(]ld -Ttext-segment=0x200000[)][.]$")

    def test_a_cut_or_empty_file_must_be_built_again(self):
        for data, said in ((sealing.elf()[:40], "it is truncated; build or copy it again."),
                           (sealing.linux()[:2000], "it is truncated; build or copy it again."),
                           (b"", "it is empty; build or copy it again.")):
            self.file("cut", data)
            self.assertEqual(self.refused_kernel("cut"), f"cannot be sealed: {said}")


class Keys(Files):
    def test_a_damaged_key_must_be_copied_again(self):
        for name, words in (("machine.key", ["seal", self.image, "--check"]),
                            ("machine.pub", [*self.words(), "--machine"])):
            data = Path(self.path(f"two/{name}")).read_bytes()
            for cut in (data[:40], data[:5], b"", data + b"x"):
                self.assertRegex(self.refused(*words, self.file("cut", cut)),
                                 f"^the (private|public) key {self.path('cut')} is damaged, with "
                                 f"{len(cut)} bytes instead of 48: copy it again from the {name} "
                                 "that nova machine-key made[.]$")

    def test_a_file_that_is_not_a_key_is_named(self):
        for path, said in ((self.image, "is a sealed image: name the machine.pub of a machine."),
                           (self.path("one"), f"is a folder: name the file {self.path('one')}/"
                                              "machine.pub."),
                           (self.path("one/machine.key"), "is the other half of a key pair: name "
                                                          "machine.pub.")):
            self.assertEqual(self.refused(*self.words(), "--machine", path),
                             f"the public key {path} {said}")


if __name__ == "__main__":
    unittest.main()
