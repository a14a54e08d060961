# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench enlightened`: figures of operations, of flushes and of Debian's work, and limits."""

import unittest
from unittest import mock

import paths  # noqa: F401
from nova import bench_enlightened, bench_io
from nova.errors import NovaError


class Enlightened(unittest.TestCase):
    BASE = {"host": 1000, "guest": 50, "entries": 10, "start": 600}
    FLUSHES = {
        "calls": {"outside": 100, "inside": 7, "exits": 4.0},
        "interrupts": {"outside": 200, "inside": 7, "exits": 10.0},
    }
    WORK = ({"host": 300, "start": 0}, {"host": 610, "start": 10})

    def test_a_figure_is_the_cost_of_one_operation_without_the_cost_of_an_empty_run(self):
        counts = {"host": 201000, "guest": 7050, "entries": 1010}
        each = bench_enlightened.each(counts, self.BASE, 1000)
        self.assertEqual(each, {"outside": 200, "inside": 7, "exits": 1.0})

    def figures(self, page_exits):
        one = {name: {"outside": 200, "inside": 7, "exits": 1.0}
               for name in bench_enlightened.OPERATIONS}
        one["list_201"] = {"outside": 8200, "inside": 7, "exits": 1.0}
        one["end_page"] = {"outside": 100, "inside": 7, "exits": page_exits}
        one["end_msr"] = {"outside": 300, "inside": 7, "exits": 3.0}
        return bench_enlightened.figures(one, (self.BASE, {**self.BASE, "host": 1400}))

    def test_ratios_are_to_cpuid_and_to_debian_without_the_interface(self):
        found = self.figures(2.0)
        self.assertEqual((found["refused"], found["element"], found["end_msr"]), (1, 40, 1))
        self.assertEqual((found["end_page_exits"], found["debian"]), (0, 0.5))
        found |= bench_enlightened.flush_figures(self.FLUSHES)
        for key in ("sleeps", "threads"):
            found |= bench_enlightened.work_figures(key, self.WORK)
        rows = bench_io.read_rows(bench_enlightened.ROWS)
        self.assertEqual({row.key for row in rows}, set(found))

    def test_a_flush_is_compared_by_its_exits(self):
        found = bench_enlightened.flush_figures(self.FLUSHES)
        self.assertEqual((found["flush"], found["flush_outside"]), (0.4, 0.5))

    def test_work_is_compared_by_the_instructions_outside_the_guest(self):
        found = bench_enlightened.work_figures("work", self.WORK)
        self.assertEqual(found, {"work_with": 300, "work_without": 600, "work": 0.5})
        with self.assertRaisesRegex(NovaError, "Debian did no work .work."):
            bench_enlightened.work_figures("work", (self.WORK[0], {"host": 10, "start": 10}))

    def test_the_cost_of_the_empty_section_is_subtracted_from_each_operation(self):
        counts = {number: {"host": cost, "guest": 0, "entries": 0}
                  for number, cost in enumerate((7000, 1000, 3000, 6000))}
        place = mock.Mock(boot=mock.Mock(return_value=counts))
        found = bench_enlightened._each(place, "guest", ("one", "two"))
        self.assertEqual([found[name]["outside"] for name in ("one", "two")], [2, 5])
        self.assertEqual(place.boot.call_args.args[1], "1000 nothing one two")
        with self.assertRaisesRegex(NovaError, "guest did not do three[.]"):
            bench_enlightened._each(place, "guest", ("one", "two", "three"))

    def test_the_start_and_the_work_are_counted_separately(self):
        place = bench_enlightened.Place(*4 * [None])
        with mock.patch.object(bench_enlightened.Place, "boot", return_value={0: "start"}):
            with self.assertRaisesRegex(NovaError, "Debian did no work .sleeps."):
                place.debian("linux", "sleeps")
            bench_enlightened.Place.boot.return_value[1] = "work"
            self.assertEqual(place.debian("linux", "sleeps"), ("start", "work"))

    def test_an_exit_at_the_end_of_an_interrupt_is_a_complaint(self):
        rows = [row for row in bench_io.read_rows(bench_enlightened.ROWS)
                if row.key == "end_page_exits"]
        self.assertEqual(bench_io.complaints(rows, self.figures(2.0)), [])
        self.assertEqual(len(bench_io.complaints(rows, self.figures(3.0))), 1)


if __name__ == "__main__":
    unittest.main()
