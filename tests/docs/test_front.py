# SPDX-License-Identifier: BSD-2-Clause
"""The checker of the pages at the top of the tree finds errors. Small texts test each check."""

import sys
import unittest

import front


class Front(unittest.TestCase):
    def test_empty_lines_and_comments_are_not_code(self):
        text = "/* a\n * b */\nint a; /* c */\n\n// d\nint b; // e\n"
        self.assertEqual(front.lines_of_code([text, "int c;\n"]), 3)

    def test_the_totals_of_the_map_are_found(self):
        text = "| 2.1 | 9 | 9 | 0 | 0 |\n| all | 1091 | 1062 | 0 | 29 |\n"
        self.assertEqual(front.statements(text), ["1,091", "1,062", "29"])

    def test_another_number_and_a_missing_sentence_are_found(self):
        expected = {r"has ([\d,]+) lines": "19,000"}
        self.assertEqual(front.differences("a", "It has\n19,000 lines.", expected), [])
        self.assertIn("19,000", front.differences("a", "It has 18,000 lines.", expected)[0])
        self.assertIn("nothing", front.differences("a", "It is small.", expected)[0])

    def test_another_order_of_folders_is_found(self):
        text = "Calls go down:\n`lib ← memory,\narch ← object`."
        self.assertEqual(front.wrong_order(text, ("lib", "memory", "arch", "object")), [])
        self.assertEqual(len(front.wrong_order(text, ("lib", "arch", "memory", "object"))), 1)
        self.assertEqual(len(front.wrong_order("no order", ("lib",))), 1)

    def test_an_entry_of_two_lines_is_found(self):
        self.assertEqual(front.long_entries("## A\n\n- one\n- two\n"), [])
        found = front.long_entries("- one\n- two\n  lines\n  and more\n- three\n")
        self.assertEqual(found, ["CHANGELOG.md:2: the entry takes more than one line"])

    def test_an_entry_that_a_release_has_twice_is_found(self):
        text = "## B\n\n- one\n- two\n\n### Fixed\n\n{}\n## A\n\n- one\n"
        self.assertEqual(front.doubled_entries(text.format("- three")), [])
        self.assertEqual(front.doubled_entries(text.format("- one")),
                         ["CHANGELOG.md:8: the release has this entry already"])


if __name__ == "__main__":
    sys.exit(unittest.main())
