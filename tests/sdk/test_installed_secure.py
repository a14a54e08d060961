# SPDX-License-Identifier: BSD-2-Clause
"""Secure guests by the installed SDK, without the source tree it came from. In test_installed,
Examples.test_with_gcc only builds these examples, and Templates tests the template secure-vmm."""

import unittest

import test_installed
from installed import NOVA

OWN_IMAGE = ("--module", "sealed.img")
OWN_KEY = ("--module", "keys/machine.key")
LINUX = "run=dmesg|grep,Memory.[Ee]ncryption+mount+cat,/secret/motd+poweroff,-f"


class Secure(test_installed.Projects):
    def test_a_sealed_image_runs_on_its_machine_only(self):
        self.call(NOVA, "new", "secure-vmm", "mine")
        self.call(NOVA, "build", cwd=self.folder / "mine")
        guest = self.folder / "mine/build/x86_64-release/sealed-guest"
        self.call(NOVA, "machine-key", "keys")
        self.call(NOVA, "seal", "--kernel", guest, "--memory", "8",
                  "--machine", "keys/machine.pub", "--out", "sealed.img")
        text = self.call(NOVA, "seal", "sealed.img", "--check", "keys/machine.key")
        self.assertIn("sealed.img is in order", text)
        text = self.call(NOVA, "run", "./mine", *OWN_IMAGE, *OWN_KEY)
        self.assertIn("The secure guest says: My monitor cannot read my memory.", text)
        result = self.attempt(NOVA, "run", "./mine", *OWN_IMAGE)  # with the project's own key
        self.assertEqual(result.returncode, 1)
        self.assertIn("the image is not sealed for this machine", result.stdout)
        self.assertIn("The guest has not become secure; see the reason above.",
                      result.stdout)

    def test_the_examples_need_no_option(self):
        text = self.call(NOVA, "run", "secure-hello")
        self.assertIn("The secure guest says: Hello from a secure guest.", text)
        text = self.call(NOVA, "run", "secure-two", "--arguments", "attack=bit")
        self.assertRegex(text, r"It made [1-9]\d* tries, and 0 had a wrong outcome[.]")
        text = self.call(NOVA, "run", "secure-linux", "--arguments", LINUX)
        for line in ("Memory Encryption Features active: AMD SEV",
                     "system is using DMA bounce buffers", "/dev/mapper/secret on /secret",
                     "This line was on the encrypted disk."):
            self.assertIn(line, text)

    def test_without_a_project_it_tests_the_examples_that_words_name(self):
        text = self.call(NOVA, "test", "hello", "log")
        for name in ("hello", "log-lines"):
            self.assertRegex(text, rf"\] x86_64-release {name}\S* … passed")
        self.assertRegex(text, r"\n[2-9] passed, 0 failed\n\Z")
        self.refuses("test", "hello", "secur", says="Did you mean 'secure-")
        self.assertEqual([file.name for file in self.folder.iterdir()], ["home"])


if __name__ == "__main__":
    unittest.main()
