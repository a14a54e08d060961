# SPDX-License-Identifier: BSD-2-Clause
"""The input of `nova bench --scale` and `nova bench --cpus`, and figures above their limits."""

import unittest

import paths  # finds nova
from nova import bench, bench_cpus, bench_scale, table


class Scale(unittest.TestCase):
    THINGS = [bench_scale.Subject("pages", None, "pages")]
    OPERATIONS = [bench_scale.Subject("call", 1.02, "a call")]
    RUNS = "run 0 99 0xa 0xb\nrun 1 50 0xa 0xb\nrun 2 60 0xa 0xb\n"

    def complaints(self, *figures):
        lines = [f"scale pages call {10**i} {value}\n" for i, value in enumerate(figures)]
        found = bench_scale.read("".join(lines) + "scale of\n\n")
        found[bench_scale.STRETCHES] = bench_scale.read_stretches(self.RUNS)
        return bench_scale.complaints(self.THINGS, self.OPERATIONS, found, 70)

    def test_figures_within_their_factor_are_good(self):
        self.assertEqual(self.complaints(100, 102, 99, 102), [])

    def test_a_figure_that_grows_at_any_point_is_reported(self):
        self.assertIn("100, 103, 100, 100", self.complaints(100, 103, 100, 100)[0])
        self.assertIn("100, 100, 100, 103", self.complaints(100, 100, 100, 103)[0])

    def test_an_operation_may_have_other_limits_beside_one_kind_of_object(self):
        limits = bench_scale.Subject("call beside pages", 1.1, "why")
        operation = bench_scale.Subject("call", 1.02, "a call", {"pages": limits})
        things = [*self.THINGS, bench_scale.Subject("portals", None, "portals")]
        pairs = [[10**i, figure] for i, figure in enumerate((100, 109, 100, 100))]
        found = {"pages": {"call": pairs}, "portals": {"call": pairs}}
        bad = bench_scale.complaints(things, [operation], found, 70)
        self.assertEqual([line.split(" grows")[0] for line in bad[2:]], ["call beside portals"])
        bounds = [
            (record["thing"], record["factor_bound"])
            for record in bench_scale.records(things, [operation], found, {}, 70)
        ]
        self.assertEqual(bounds, [("pages", 1.1), ("portals", 1.02)])

    def test_limits_beside_one_kind_of_object_are_read_with_their_operation(self):
        things, operations = bench_scale.read_subjects(bench.SCALE_ROWS)
        keys = {thing.key for thing in things}
        others = {operation.key: operation for operation in operations if operation.beside}
        self.assertIn("timer", others)
        for operation in others.values():
            self.assertLessEqual(operation.beside.keys(), keys)
            for limits in operation.beside.values():
                self.assertGreater(limits.factor, operation.factor)

    def test_an_interrupts_off_stretch_that_is_too_long_or_missing_is_reported(self):
        self.RUNS = "run 2 71 0xa 0xb\n"
        bad = self.complaints(100, 100, 100, 100)
        self.assertEqual([sentence.split(": ")[1][:3] for sentence in bad], ["no ", "71 "])

    def test_a_figure_that_was_not_counted_is_reported(self):
        self.assertEqual(self.complaints(100, 100, 100), ["call beside pages: not counted"])

    def test_json_has_things_factors_and_published_figures(self):
        found = {"pages": {"call": [[1, 100], [10, 105]]}, bench_scale.STRETCHES: {"x": 7}}
        old = {"pages": {"call": [[1, 99], [10, 100]]}}
        call, stretch = bench_scale.records(self.THINGS, self.OPERATIONS, found, old, 70)
        self.assertEqual((call["beside"], call["instructions"]), ([1, 10], [100, 105]))
        self.assertEqual((call["published"], call["factor"]), ([99, 100], 1.05))
        self.assertEqual((stretch["instructions"], stretch["bound"]), (7, 70))
        self.assertIsNone(stretch["published"])

    def test_published_figures_keep_the_limits(self):
        subjects = bench_scale.read_subjects(bench.SCALE_ROWS)
        bound = bench.stretch_bound(table.read_rows(bench.ROWS))
        figures = bench._read_figures(bench.SCALE_FIGURES)
        self.assertEqual(set(figures), {"x86_64", "x86_32"})
        for found in figures.values():
            self.assertEqual(bench_scale.complaints(*subjects, found, bound), [])
        text = bench.SCALE_FIGURES.read_text(encoding="utf-8")
        self.assertEqual(table.dumps(figures), text)


class Cpus(unittest.TestCase):
    CONSOLE = "operation 1 call\n"
    LINES = ("1 0 186000 0 21 0", "1 1 186000 0 21 0", "1 2 187000 1000 21 2", "255 0 9 1 0 0")
    RESULTS = "".join(f"cpu {line}\n" for line in LINES)

    def row(self, whose="first", shared="no", locked="no"):
        return bench_cpus.Row("call", whose, 1, 1, shared, locked, "a call")

    def complaints(self, row, one, four):
        return bench_cpus.complaints([row], {row.key: {"1": one, "4": four}})

    def test_the_worst_of_the_other_cpus_is_taken(self):
        found = bench_cpus.read(self.RESULTS, self.CONSOLE)
        self.assertEqual(found["call first"], [186, 0, 0])
        self.assertEqual(found["call others"], [187, 1, 2])
        self.assertEqual(found["boot first"], [9, 1, 0])

    def test_a_row_that_costs_the_same_and_shares_nothing_is_good(self):
        self.assertEqual(self.complaints(self.row(), [186, 0, 0], [186, 0, 0]), [])

    def test_one_more_instruction_lock_or_shared_line_is_reported(self):
        for counts in ([187, 0, 0], [186, 1, 0], [186, 0, 1]):
            self.assertEqual(len(self.complaints(self.row(), [186, 0, 0], counts)), 1)

    def test_a_row_that_must_share_but_shows_no_sharing_is_reported(self):
        row = self.row(shared="yes", locked="-")
        self.assertEqual(len(self.complaints(row, [186, 0, 0], [186, 2, 0])), 1)
        self.assertEqual(self.complaints(row, [186, 0, 0], [186, 2, 3]), [])

    def test_json_has_rows_machines_and_published_figures(self):
        row = self.row()
        found = {row.key: {"1": [186, 0, 1], "more": [190, 0, 0]}}
        one, more = bench_cpus.records([row], found, {row.key: {"1": [185, 0, 1]}})
        self.assertEqual((one["cpus"], one["larger"], one["shared_lines"]), (1, False, 1))
        self.assertEqual(one["published"]["instructions"], 185)
        self.assertEqual((more["larger"], more["instructions"]), (True, 190))
        self.assertEqual(more["published"], {})

    def test_a_row_that_was_not_counted_is_reported(self):
        self.assertEqual(bench_cpus.complaints([self.row()], {}), ["call first: not counted"])

    def test_published_figures_keep_the_limits(self):
        rows = bench_cpus.read_rows(bench.CPUS_ROWS)
        figures = bench._read_figures(bench.CPUS_FIGURES)
        self.assertEqual(set(figures), {"x86_64", "x86_32"})
        for found in figures.values():
            self.assertEqual(bench_cpus.complaints(rows, found), [])
        text = bench.CPUS_FIGURES.read_text(encoding="utf-8")
        self.assertEqual(table.dumps(figures, levels=2), text)


if __name__ == "__main__":
    unittest.main()
