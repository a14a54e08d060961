# SPDX-License-Identifier: BSD-2-Clause
"""The TAP reader does not trust the stream: missing results are failures."""

import time
import unittest

import paths  # noqa: F401
from nova import tap


def results(text):
    return [case.result for case in tap.parse(text).cases]


class Tap(unittest.TestCase):
    def test_a_complete_stream_is_good(self):
        stream = tap.parse("1..2\nok 1 - a\nok 2 - b\n")
        self.assertTrue(stream.good())
        self.assertEqual([case.name for case in stream.cases], ["a", "b"])

    def test_the_plan_may_come_last_and_other_lines_between(self):
        self.assertTrue(tap.parse("boot\r\nok 1 - a\r\n# why\nfoo ok 7\n1..1\n").good())

    def test_not_ok_is_a_failure(self):
        stream = tap.parse("1..2\nok 1\nnot ok 2 - b\n")
        self.assertFalse(stream.good())
        self.assertEqual(results("1..2\nok 1\nnot ok 2 - b\n"), [tap.PASSED, tap.FAILED])

    def test_not_ok_with_an_excuse_is_a_failure_too(self):
        self.assertEqual(results("1..1\nnot ok 1 - b # SKIP later\n"), [tap.FAILED])

    def test_skipped_is_not_run(self):
        self.assertEqual(results("1..1\nok 1 - b # skip no such CPU\n"), [tap.NOT_RUN])
        self.assertFalse(tap.parse("1..1\nok 1 # SKIP\n").good())

    def test_cases_not_raised_here_are_counted_separately_with_their_reason(self):
        stream = tap.parse("1..2\nok 1 - a\nok 2 - b [1-2] # SKIP not raised here: no such CPU\n")
        self.assertEqual([case.result for case in stream.cases], [tap.PASSED, tap.NOT_RAISED])
        self.assertEqual(stream.cases[1].reason, "no such CPU")
        self.assertEqual(stream.cases[1].name, "b [1-2]")
        self.assertTrue(stream.good())

    def test_a_run_in_which_every_case_was_not_raised_is_not_a_success(self):
        self.assertFalse(tap.parse("1..1\nok 1 - b # SKIP not raised here: x\n").good())

    def test_a_failure_keeps_its_notes(self):
        stream = tap.parse("1..2\nnot ok 1 - a\n  # a.c:7 x: expected 1\n# run\nok 2 - b\n")
        self.assertEqual([case.notes for case in stream.cases], [["a.c:7 x: expected 1"], []])

    def test_a_case_that_is_planned_but_missing_counts_as_not_run(self):
        text = "1..3\nok 1\nok 3\n"
        self.assertEqual(results(text), [tap.PASSED, tap.NOT_RUN, tap.PASSED])
        self.assertFalse(tap.parse(text).good())

    def test_nothing_at_all_is_not_a_success(self):
        self.assertFalse(tap.parse("").good())
        self.assertFalse(tap.parse("1..0\n").good())

    def test_no_plan_is_not_a_success(self):
        self.assertFalse(tap.parse("ok 1\n").good())

    def test_more_cases_than_planned_is_not_a_success(self):
        self.assertFalse(tap.parse("1..1\nok 1\nok 2\n").good())

    def test_a_case_twice_is_not_a_success(self):
        self.assertFalse(tap.parse("1..2\nok 1\nok 1\nok 2\n").good())

    def test_two_plans_are_not_a_success(self):
        self.assertFalse(tap.parse("1..1\nok 1\n1..1\n").good())

    def test_bail_out_is_not_a_success(self):
        self.assertFalse(tap.parse("1..1\nok 1\nBail out! disk full\n").good())

    def test_cases_without_numbers_are_counted(self):
        self.assertTrue(tap.parse("1..2\nok - a\nok - b\n").good())

    def test_absurd_numbers_do_not_fill_the_memory(self):
        self.assertFalse(tap.parse("1..99999999999\nok 1\n").good())
        self.assertFalse(tap.parse("1..1\nok 1\nok 99999999999\n").good())

    def test_a_number_of_too_many_digits_is_named(self):
        digits = "9" * 5000
        for text, problem in (
            (f"1..{digits}\nok 1\n", "the number of cases of a plan has 5000 digits"),
            (f"1..1\nok {digits} - a\nok 1\n", "the number of a case has 5000 digits"),
            (f"1..1\nnot ok {digits}\nok 1\n", "the number of a case has 5000 digits"),
        ):
            with self.subTest(problem=problem):
                stream = tap.parse(text)
                self.assertFalse(stream.good())
                self.assertIn(problem, stream.problems[0])

    def test_cases_without_numbers_follow_the_largest_number(self):
        stream = tap.parse("1..5\nok 4 - a\nok 2 - b\nok - c\n")
        self.assertEqual(stream.cases[4].name, "c")
        self.assertEqual(tap.parse("1..2\nok 99999999999\nok - a\n").cases[0].name, "a")

    def test_cases_without_numbers_are_read_in_linear_time(self):
        start = time.process_time()
        self.assertTrue(tap.parse("ok - a\n" * 100000 + "1..100000\n").good())
        self.assertLess(time.process_time() - start, 10)

    def test_a_word_that_begins_like_ok_is_not_a_case(self):
        self.assertEqual(results("1..1\nokay 1\n"), [tap.NOT_RUN])


if __name__ == "__main__":
    unittest.main()
