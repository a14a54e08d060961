# SPDX-License-Identifier: BSD-2-Clause
"""Checks with small texts that the check of cited tests finds tests that no longer exist."""

import unittest

import decisions


class Decisions(unittest.TestCase):
    SOURCES = (
        ("ipc", 'CASE(ipc, a_call_returns, "3")\n'),
        ("message", 'EDU_CASE(a_message_arrives, "5")\n'),
        ("wake_test", "TEST(wake, is_in_order)\nTEST_F(wakes, are_two)\n"),
        ("test_checks", "def test_a_word_is_found(self):\n"),
    )

    def missing(self, page):
        return decisions.missing(page, decisions.tests(self.SOURCES, "sm_up\tinstructions\n"))

    def test_tests_that_exist_are_good(self):
        page = (
            "[ipc: a_call_returns; unit, wake: is_in_order,\n    are_*] [wakes: are_two]\n"
            "[message: a_message_arrives; bench: sm_up; sdk.checks: a_word_*; stretch.storm]\n"
        )
        self.assertEqual(self.missing(page), [])
        self.assertEqual(len(list(decisions.cited(page))), 7)

    def test_a_test_that_is_gone_or_of_another_file_is_found(self):
        self.assertIn("a_call_fails of ipc", self.missing("[ipc: a_call_fails]")[0])
        self.assertEqual(len(self.missing("[ipc: a_call_returns, is_in_order]")), 1)
        self.assertEqual(len(self.missing("[unit, wake: gone_*]")), 1)
        self.assertEqual(len(self.missing("[sdk.checks: no_word_is_found]")), 1)

    def test_a_stale_name_in_another_page_is_found(self):
        found = decisions.tests(self.SOURCES, "")
        self.assertEqual(decisions.stale("page", "`wake.is_in_order`, `ec.c_d`", found), [])
        self.assertIn("is_late of wake", decisions.stale("page", "`wake.is_late`", found)[0])

    def test_a_number_of_two_decisions_is_found(self):
        page = "9. **A.** Of 2.\n10. **B.** 10. is not at the start\n    10. here\n"
        self.assertEqual(decisions.repeated(page), [])
        self.assertIn("2 decisions have the number 9", decisions.repeated(page + "9. **C.**")[0])

    def test_text_of_another_decision_is_found(self):
        page = "9. **A.** Of 2. [models;\n    boot.cpus]\n10. **B.** [boot]\n    - `a`\n"
        self.assertEqual(decisions.damaged(page), [])
        self.assertIn("the rest", decisions.damaged(page + "    [boot]\n    the rest\n")[0])

    def test_links_cite_nothing(self):
        self.assertEqual(self.missing("[see: a_page_of_mine](page.md), `x[a_b: c_d]`"), [])


if __name__ == "__main__":
    unittest.main()
