# SPDX-License-Identifier: BSD-2-Clause
"""Secure guests by the installed SDK, without the source tree it came from. Of test_installed,
Examples.test_with_gcc only builds these examples, and Templates tests the template secure-vmm."""

import unittest

import test_installed
from installed import NOVA

OWN_IMAGE = ("--module", "sealed.img")
OWN_KEY = ("--module", "keys/machine.key")


class Secure(test_installed.Installed):
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

    def test_the_examples_need_no_option(self):
        text = self.call(NOVA, "run", "secure-hello")
        self.assertIn("The secure guest says: Hello from a secure guest.", text)
        text = self.call(NOVA, "run", "secure-two", "--arguments", "attack=bit")
        self.assertRegex(text, r"It made [1-9]\d* tries, and 0 had a wrong outcome[.]")


if __name__ == "__main__":
    unittest.main()
