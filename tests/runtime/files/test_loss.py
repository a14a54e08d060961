# SPDX-License-Identifier: BSD-2-Clause
"""Tests of what loss.py accepts from fsck.fat."""
import subprocess
import unittest
from unittest import mock

import loss

LONGER = """fsck.fat 4.2 (2021-01-31)
{path}
  File size is 3000 bytes, cluster chain length is > 3072 bytes.
  Truncating file to 3000 bytes.

Leaving filesystem unchanged.
image: 3 files, 13/8095 clusters"""


class ComplaintsTest(unittest.TestCase):
    """Only a file that changed since the last flush has a longer chain."""

    def complaints(self, text, last):
        """Returns what loss.py says about an output of fsck.fat after a round."""
        result = subprocess.CompletedProcess([], 1, stdout=text)
        with mock.patch("subprocess.run", return_value=result):
            return loss.complaints("image", last)

    def test_longer_chains_need_a_change(self):
        for path, last, good in (("/home/load/new.tmp", 5, True), ("/home/journal", -1, True),
                                 ("/HOME/load/other 2", 5, True), ("/home/journal", 5, False),
                                 ("/home/load/other 1", 5, False), ("/home/in.txt", -1, False),
                                 ("/home/load/a file with the number 5", 5, False)):
            found = self.complaints(LONGER.format(path=path), last)
            self.assertEqual(not found, good, f"{path}: {found}")

    def test_other_damage_is_found(self):
        damage = "/home/load/new.tmp\n  Contains a free cluster"
        self.assertEqual(len(self.complaints(damage, 5)), 1)
        self.assertEqual(self.complaints("FATs differ but appear to be intact.\n", 5), [])


if __name__ == "__main__":
    unittest.main()
