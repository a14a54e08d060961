# SPDX-License-Identifier: BSD-2-Clause
"""The plugin output that the tests of the label stretch read, and the complaints of these tests."""

import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import stretch, tap
from nova.bench_listing import Names

LINE = "0 {length} 12 10 31 begin 10 20 end hot 20:500 30:40 11:7"
NAMES = Names([(0x10, "entry"), (0x20, "revoke"), (0x30, "leave")], {})


class Lines(unittest.TestCase):
    def test_a_stretch_has_its_stacks_and_its_functions(self):
        one = stretch.read_stretch("longest " + LINE.format(length=700))
        self.assertEqual((one.cpu, one.length, one.waited), (0, 700, 12))
        self.assertEqual((one.first, one.last, one.begin, one.end), (0x10, 0x31, [0x10, 0x20], []))
        self.assertEqual(one.hot, {0x20: 500, 0x30: 40, 0x11: 7})

    def test_names_show_where_it_began_and_ended(self):
        told = stretch.describe(stretch.read_stretch("longest " + LINE.format(length=700)), NAMES)
        self.assertIn("begins in entry > revoke > entry, ends in leave", told)
        self.assertIn("most instructions are in revoke 500, leave 40, entry 7", told)

    def test_a_deep_stack_shows_its_innermost_calls(self):
        calls = [0x10, 0x20] * 5
        self.assertEqual(stretch._calls(NAMES, calls, 0x30).count(" > "), stretch.DEEPEST)
        self.assertTrue(stretch._calls(NAMES, calls, 0x30).endswith("entry > revoke > leave"))

    def test_each_cpu_has_a_longest_stretch_and_a_waiting_time(self):
        longest, waited = stretch.read(f"longest {LINE.format(length=9)}\nwaited 0 77\n")
        self.assertEqual(([one.length for one in longest], waited), ([9], {0: 77}))


class Cases(unittest.TestCase):
    def test_a_suite_of_which_most_cases_fail_measures_nothing(self):
        good = tap.parse("1..3\nok 1 - a: b\nok 2 - a: c\nnot ok 3 - a: d\n")
        bad = tap.parse("1..3\nok 1 - a: b\nnot ok 2 - a: c\nnot ok 3 - a: d\n")
        self.assertEqual(stretch.unfit(good), [])
        self.assertEqual(stretch.unfit(bad), ["only 1 of 3 cases passed"])

    def test_just_the_cases_that_failed_run_again(self):
        stream = tap.parse("1..4\nok 1 - a: b\nnot ok 2 - a: c d [X-Y 1.2]\nok 3 - e: f\n"
                           "not ok 4 - a: g [X]\n")
        self.assertEqual(stretch.each_failed(stream), "area=a case=c_d case=g")
        self.assertEqual(stretch.each_failed(tap.parse("1..1\nok 1 - a: b\n")), "")


class Complaints(unittest.TestCase):
    def complaints(self, length, above=()):
        longest = [stretch.read_stretch("longest " + LINE.format(length=length))]
        return stretch.complaints(longest, above, 32000, NAMES)

    def test_a_stretch_as_long_as_the_bound_is_good_and_a_longer_one_is_not(self):
        self.assertEqual(self.complaints(32000), [])
        bad = self.complaints(32001)
        self.assertEqual(len(bad), 1)
        self.assertIn("CPU 0: 32001 instructions with interrupts off, the bound is 32000", bad[0])

    def test_the_case_of_a_stretch_is_the_next_one_that_ends(self):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "stretch.above"
            watcher = stretch.Watcher(results)
            watcher(b"ok 1 - create: a portal [3.1]")
            results.write_text(f"above {LINE.format(length=32001)}\nabove 0 33", encoding="utf-8")
            watcher(b"# no case ends here")
            watcher(b"ok 2 - revoke: all of it [4.2]")
            watcher(b"ok 3 - revoke: nothing [4.2]")
        self.assertEqual([one.case for one in watcher.above], ["revoke: all of it"])
        [told] = self.complaints(32001, watcher.above)
        self.assertIn("; in the case 'revoke: all of it'; begins", told)
        self.assertEqual(len(self.complaints(32002, watcher.above)), 2)
        self.assertIn("; after the last case; begins", self.complaints(32002, watcher.above)[1])

    def test_the_longest_stretch_of_a_case_is_reported(self):
        above = [stretch.read_stretch("above " + LINE.format(length=n)) for n in (33000, 34000)]
        self.assertEqual(len(self.complaints(34000, above)), 1)
        self.assertIn("34000 instructions", self.complaints(34000, above)[0])


if __name__ == "__main__":
    unittest.main()
