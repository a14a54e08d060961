# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the functions that run programs of the host."""

import unittest

import paths
from nova import tools
from nova.errors import EXIT_FAILED, NovaError


class Tools(unittest.TestCase):
    def refused(self, command, sentence, status=2):
        with self.assertRaises(NovaError) as caught:
            tools.output(["sh", "-c", command], "no disk", status=status)
        self.assertEqual(str(caught.exception), sentence)
        self.assertEqual(caught.exception.status, status)

    def test_output_of_a_program_is_returned(self):
        self.assertEqual(tools.output(["sh", "-c", "echo one; echo two >&2"], "x"), "one\n")
        self.assertEqual(tools.output(["pwd"], "x", folder="/"), "/\n")

    def test_the_message_of_a_failure_has_one_line_of_the_errors(self):
        self.refused("echo one >&2; echo two >&2; exit 1", "no disk: two")
        self.refused("echo E: one >&2; echo two >&2; exit 1", "no disk: one", EXIT_FAILED)
        self.refused("exit 1", "no disk: no reason given")

    def test_a_program_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(NovaError, "no disk: mkfs.none cannot be started: No such"):
            tools.output(["mkfs.none"], "no disk")

    def test_a_missing_program_is_named_with_its_package(self):
        tools.need({"sh": "dash"}, "all")
        with self.assertRaises(NovaError) as caught:
            tools.need({"sh": "dash", "mkfs.none": "nothing"}, "the disk", EXIT_FAILED)
        sentence = "mkfs.none, which makes the disk, is missing: apt-get install nothing."
        self.assertEqual(str(caught.exception), sentence)
        self.assertEqual(caught.exception.status, EXIT_FAILED)

    def test_programs_in_sbin_are_found(self):
        tools.need({"mke2fs": "e2fsprogs"}, "disks")


if __name__ == "__main__":
    unittest.main()
