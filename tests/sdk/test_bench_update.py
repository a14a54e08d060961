# SPDX-License-Identifier: BSD-2-Clause
"""What `nova bench --update` checks in: figures do not drift, however often it is given."""

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import bench, bench_cpus, bench_scale, bench_trace, cli, table
from nova.bench_update import Counted


class Updates(unittest.TestCase):
    """The commands, on files of their own. What counts is replaced by what it would find."""

    ROW = table.Row("call", "instructions", None, None, None, 4, "mean", "a call")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "checked-in.json"
        self.paths = Path(folder.name) / "paths.json"
        files = {name: self.file for name in ("FIGURES", "SCALE_FIGURES", "CPUS_FIGURES")}
        for patch in (
            mock.patch.multiple(bench, PATHS=self.paths, **files),
            mock.patch.multiple(bench, _write_page=mock.DEFAULT, _write_plots=mock.DEFAULT),
            mock.patch.object(bench, "_show"),
            mock.patch.object(bench, "paths_complaints", return_value=[]),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def check_in(self, figures):
        self.file.write_text(json.dumps({"x86_64": figures}), encoding="utf-8")

    def checked_in(self):
        return json.loads(self.file.read_text(encoding="utf-8"))["x86_64"]

    def update(self, options, run):
        """Exit status and what is said of `nova bench --update` with such options."""
        args = cli.parse(["bench", "--arch=x86_64", "--update", *options.split()])
        with mock.patch.object(bench.build, "say") as say:
            status = run(args)
        return status, [call.args[0] for call in say.call_args_list]

    def count(self, options, found):
        figures = bench._read_figures()
        return self.update(options, lambda args: bench._compare(args, [self.ROW], figures, found))

    def test_two_updates_in_a_row_that_are_a_little_worse_add_nothing(self):
        self.check_in({"call": 603})
        for found in (607, 615):
            said = self.count("", {"call": found})
            self.assertEqual(said, (0, [f"kept: a call (call): 603, found {found}"]))
            self.assertEqual(self.checked_in(), {"call": 603})

    def test_what_is_meant_is_written_and_named_however_little_it_is_worse(self):
        self.check_in({"call": 603})
        for old, found in ((603, 607), (607, 612)):
            status, said = self.count("--worse", {"call": found})
            self.assertEqual(said, [f"taken: a call (call): {found}, {old} was checked in"])
            self.assertEqual((status, self.checked_in()), (0, {"call": found}))
        _, said = self.count("--worse", {"call": 700})
        self.assertEqual([sentence.split(":")[0] for sentence in said[:2]], ["worse", "taken"])
        self.assertEqual(self.checked_in(), {"call": 700})

    def test_what_is_better_or_new_is_written(self):
        self.check_in({})
        self.assertEqual(self.count("", {"call": 603}), (0, []))
        self.assertEqual(self.count("", {"call": 600}), (0, []))
        self.assertEqual(self.checked_in(), {"call": 600})

    def test_counts_of_a_trace_stay_and_functions_are_what_is(self):
        section = {"x86_64": {"call": [0, 2, 0, 0, 20, 9]}}
        self.file.write_text(json.dumps({bench_trace.SECTION: section}), encoding="utf-8")
        self.paths.write_text(json.dumps({"x86_64": {"call": {"outer": 60}}}), encoding="utf-8")
        for lines in (21, 22):
            found = ({"call": [99, 0, 1, 0, 0, lines, 8]}, {"call": {"outer": lines}})
            with mock.patch.object(bench, "_traces", return_value=found):
                row = table.Row("call", "instructions", None, None, None, 8, "mean", "a call")
                done = self.update("--trace", lambda args, r=row: bench._run_trace(args, [r]))
            self.assertEqual(done, (0, [f"kept: a call (call), lines: 20, found {lines}"]))
            counts = bench._read_figures()[bench_trace.SECTION]["x86_64"]
            self.assertEqual(counts, {"call": [0, 1, 0, 0, 20, 8]})
            self.assertEqual(bench._read_figures(bench.PATHS)["x86_64"]["call"]["outer"], lines)

    def test_counts_of_cpus_stay(self):
        checked_in = bench._read_figures(bench.FOLDER / "cpus.json")["x86_64"]
        key, number = "cpus_wake first", "4"
        instructions, *others = checked_in[key][number]
        self.check_in(checked_in)
        for more in (1, 2):
            found = json.loads(json.dumps(checked_in))
            found[key][number][0] += more
            with (
                mock.patch.object(bench, "_cpus_machine", return_value=()),
                mock.patch.object(bench_cpus, "count", return_value=found),
                mock.patch.object(bench, "_built") as built,
            ):
                built.return_value.__enter__.return_value = (None, None)
                status, said = self.update("--cpus", lambda args: bench._run_cpus(args, []))
            place = f"{key}, {number}, instructions"
            told = f"kept: {place}: {instructions}, found {instructions + more}"
            self.assertEqual((status, said), (0, [told]))
            self.assertEqual(self.checked_in()[key][number], [instructions, *others])

    def test_figures_beside_many_things_stay(self):
        checked_in = bench._read_figures(bench.FOLDER / "scale.json")["x86_64"]
        self.check_in(checked_in)
        for factor in (1.01, 1.02):
            found = json.loads(json.dumps(checked_in))
            for key in ("call", "lookup_memory"):
                number, figure = found["pages"][key][1]
                found["pages"][key][1] = [number, int(figure * factor)]
            rows = table.read_rows(bench.ROWS)
            with mock.patch.object(bench, "_count_scale", return_value=found):
                status, said = self.update("--scale", lambda args: bench._run_scale(args, rows))
            self.assertEqual((status, len(said)), (0, 2))
            self.assertTrue(all(sentence.startswith("kept: pages, ") for sentence in said))
            self.assertEqual(self.checked_in(), checked_in)


class Choices(unittest.TestCase):
    """What is taken of figures of each form."""

    def choice(self, old, new, worse_too=False, **more):
        return Counted({"a": old}, {"a": new}, **more).choice(worse_too)

    def test_each_number_of_a_list_is_a_figure(self):
        found, told = self.choice([5, 5, 5], [4, 6, 5], columns=("x", "y", "z"))
        self.assertEqual((found, told), ({"a": [4, 5, 5]}, ["kept: a, y: 5, found 6"]))

    def test_each_number_of_an_exact_series_is_a_figure(self):
        old, new = [[1, 100], [10, 100]], [[1, 90], [10, 101], [100, 101]]
        found, told = self.choice(old, new)
        self.assertEqual(found, {"a": [[1, 90], [10, 100], [100, 101]]})
        self.assertEqual(told, ["kept: a, 10: 100, found 101"])

    def test_a_series_whose_numbers_are_not_exact_is_a_figure_as_a_whole(self):
        old, new = [[1, 100], [10, 200]], [[1, 90], [10, 230]]
        found, told = self.choice(old, new, wholes=[("a",)])
        self.assertEqual((found, told), ({"a": old}, ["kept: a: 100, 200, found 90, 230"]))
        found, told = self.choice(old, new, worse_too=True, wholes=[("a",)])
        taken = ["taken: a: 90, 230, 100, 200 was checked in"]
        self.assertEqual((found, told), ({"a": new}, taken))
        better = [[1, 90], [10, 215]]
        self.assertEqual(self.choice(old, better, wholes=[("a",)]), ({"a": better}, []))

    def test_a_mixed_series_grows_no_more_than_the_one_that_grows_more(self):
        old, new = [[1, 100], [10, 102]], [[1, 99], [10, 103]]
        found, _ = self.choice(old, new)
        self.assertEqual(found, {"a": [[1, 99], [10, 102]]})
        self.assertLess(bench_scale.growth(found["a"]), bench_scale.growth(new))


if __name__ == "__main__":
    unittest.main()
