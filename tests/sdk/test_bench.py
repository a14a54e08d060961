# SPDX-License-Identifier: BSD-2-Clause
"""What `nova bench` reads, what it calls worse, and how it shows a table."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import paths
from nova import (
    bench,
    bench_history,
    bench_linux,
    bench_options,
    bench_parts,
    bench_trace,
    cli,
    elf,
    table,
)
from nova.errors import NovaError

ROWS = [
    table.Row("call", "instructions", 222, 150, 172, 2, "median", "a call"),
    table.Row("boot", "instructions", None, None, None, 2, None, "boot"),
]


class Comparison(unittest.TestCase):
    def worse(self, old, new, all_needed=True):
        return bench.complaints(ROWS, "x86_64", old, new, all_needed)

    def test_two_percent_are_tolerated_and_not_more(self):
        self.assertEqual(self.worse({"call": 100}, {"call": 102}), [])
        bad = ["a call (call): 103 instead of 100, 2 % more are allowed"]
        self.assertEqual(self.worse({"call": 100}, {"call": 103}), bad)

    def test_what_is_better_by_more_than_two_percent_is_told(self):
        for new, told in ((98, []), (97, ["a call (call): 97 instead of 100"])):
            self.assertEqual(bench.improvements(ROWS, {"call": 100}, {"call": new}), told)
        self.assertEqual(bench.improvements(ROWS, {"call": 100}, {}), [])

    def test_the_remedy_follows_what_is_worse_or_better(self):
        for new, arguments, status, words in (
            (103, [], 1, ["worse: a call (call)", "--trace KEY lists", "--update --worse checks"]),
            (97, [], 0, ["better: a call (call)", "--update checks in"]),
            (100, [], 0, []),
            (103, ["--kernel=k"], 1, ["worse: a call (call)", "--trace KEY lists"]),
            (97, ["--kernel=k"], 0, []),
        ):
            args = cli.parse(["bench", "--arch=x86_64", *arguments])
            with mock.patch.object(bench.build, "say") as say:
                figures = {"x86_64": {"call": 100}}
                self.assertEqual(bench._compare(args, ROWS, figures, {"call": new}), status)
            said = [call.args[0] for call in say.call_args_list]
            self.assertEqual(len(said), len(words))
            for sentence, word in zip(said, words):
                self.assertIn(word, sentence)

    def test_what_is_worse_is_checked_in_only_if_it_is_meant(self):
        refusal = ["worse: a call (call)", "nothing is written: give --worse, too", "--trace KEY"]
        for old, new, options, status, words in (
            (100, 102, "--update", 0, ["kept: a call (call): 100, found 102"]),
            (100, 103, "--update", 1, refusal),
            (150, 151, "--update", 1, refusal),
            (100, 103, "--update --worse", 0, ["worse: a call", "taken: a call", "--trace KEY"]),
            (100, 97, "--update", 0, ["better: a call (call)"]),
        ):
            args = cli.parse(["bench", "--arch=x86_64", *options.split()])
            figures = {"x86_64": {"call": old}}
            with (
                self.subTest(f"{old} {new} {options}"),
                mock.patch.object(bench, "_update") as update,
                mock.patch.object(bench.build, "say") as say,
            ):
                self.assertEqual(bench._compare(args, ROWS, figures, {"call": new}), status)
                self.assertEqual(update.called, status == 0)
                said = [call.args[0] for call in say.call_args_list]
                self.assertEqual(len(said), len(words))
                for sentence, word in zip(said, words):
                    self.assertIn(word, sentence)

    def test_a_test_shows_no_table(self):
        for arguments, shown in (([], "text"), (["--json"], '"records"'), (["--programs=p"], "")):
            args = cli.parse(["bench", *arguments])
            with contextlib.redirect_stdout(io.StringIO()) as out:
                bench._show(args, "records", "text")
            self.assertEqual(out.getvalue().strip(), shown)

    def test_a_target_that_was_met_stays_met(self):
        bad = ["a call (call): 151 misses the target of 150, which 150 met"]
        self.assertEqual(self.worse({"call": 150}, {"call": 151}), bad)
        self.assertEqual(self.worse({"call": 151}, {"call": 152}), [])
        narrow = bench.complaints(ROWS, "x86_32", {"call": 172}, {"call": 173}, True)
        self.assertEqual(narrow, ["a call (call): 173 misses the target of 172, which 172 met"])
        self.assertEqual(bench.complaints(ROWS, "x86_32", {"call": 150}, {"call": 151}, True), [])

    def test_a_figure_that_is_gone_is_worse(self):
        self.assertEqual(len(self.worse({"call": 100}, {})), 1)

    def test_another_kernel_may_lack_figures(self):
        self.assertEqual(self.worse({"call": 100}, {}, all_needed=False), [])

    def test_a_bound_is_kept_whatever_is_checked_in(self):
        rows = [table.Row("image", "bytes", None, 100, 90, 2, None, "an image")]
        for arch, bound in (("x86_64", 100), ("x86_32", 90)):
            kept, passed = {"image": bound}, {"image": bound + 1}
            self.assertEqual(bench.complaints(rows, arch, kept, kept, True), [])
            bad = bench.complaints(rows, arch, passed, passed, True)
            told = f"an image (image): {bound + 1} bytes, above the bound of {bound}"
            self.assertEqual(bad, [told])
            self.assertEqual(bench.complaints(rows, arch, {}, passed, True), [told])

    def test_what_is_checked_in_keeps_the_bounds(self):
        figures = bench._read_figures()
        for row in table.read_rows(bench.ROWS):
            if row.unit in table.BOUNDED:
                for arch in ("x86_64", "x86_32"):
                    self.assertLessEqual(figures[arch][row.key], row.target_for(arch), row.key)

    def test_the_boot_is_a_figure_as_others(self):
        self.assertEqual(len(self.worse({"boot": 100}, {})), 1)
        self.assertEqual(len(self.worse({"boot": 100}, {"boot": 103})), 1)


class Boots(unittest.TestCase):
    def test_a_figure_is_the_mean_of_all_boots(self):
        runs = [{"call": 161, "word": 1.4}, {"call": 161, "word": 1.41}, {"call": 163, "gone": 1}]
        self.assertEqual(bench_parts.mean(runs[:2]), {"call": 161, "word": 1.4})
        self.assertEqual(bench_parts.mean(runs), {"call": 162})

    def test_a_boot_without_a_figure_is_a_failure(self):
        with self.assertRaisesRegex(NovaError, "without a figure"):
            bench_parts.operations([], lambda boot: "bench call 1\n" if boot else "bench x\n")

    def parts(self, own, error):
        def fails():
            raise error

        with mock.patch.object(bench.build, "say") as say:
            found, complete = bench_parts.count(own, [fails, lambda: {"image": 7}])
        self.assertIn("incomplete: it ended", say.call_args.args[0])
        self.assertFalse(complete)
        return found

    def test_what_another_kernel_did_before_it_failed_is_kept(self):
        error = bench_parts.Unfinished("it ended", "bench call 161\n# halted\n")
        self.assertEqual(self.parts(False, error), {"call": 161, "image": 7})
        with self.assertRaises(bench_parts.Unfinished):
            self.parts(True, error)
        with self.assertRaises(bench_parts.Unfinished):
            self.parts(False, bench_parts.Unfinished("it ended", "# halted\n"))
        whole = bench_parts.count(False, [lambda: {"call": 1}, lambda: {"image": 7}])
        self.assertEqual(whole, ({"call": 1, "image": 7}, True))

    def test_what_is_a_mean_is_what_the_program_says(self):
        rows = [table.Row("call", "instructions", None, None, None, 2, "mean", "a call")]
        bench_parts.check_means(rows, "mean call\nbench call 1\n")
        bench_parts.check_means(rows, "another kernel has no such case\n")
        for text in ("bench call 1\n", "mean call\nbench call 1\nmean other\nbench other 2\n"):
            with self.assertRaisesRegex(NovaError, "wrong about means: (call|other)[.]"):
                bench_parts.check_means(rows, text)


class Options(unittest.TestCase):
    def check(self, text):
        bench_options.check(cli.parse(["bench", *text.split()]), ["sm_up", "new"], ["sm_up"])

    def test_what_goes_together_is_taken(self):
        for text in (
            *("", "--json --update --arch x86_32", "linux", "--release 0.2", "--trace new"),
            *("--trace --json --update", "--trace sm_up --arch x86_32", "--scale --update"),
            *("--trace sm_up --summary", "--update --worse", "--cpus --update --worse"),
        ):
            self.check(text)

    def test_what_would_have_no_effect_is_refused(self):
        for text, words in (
            ("--trace --scale", "--scale does not go with --trace, which takes --arch, --kernel"),
            ("--cpus --scale", "--cpus does not go with --scale"),
            ("--trace sm_up --json", "--json does not go with --trace KEY, which"),
            ("--trace sm_up --update", "--update does not go with --trace KEY, which"),
            ("--release 0.2 --update", "--update does not go with --release, which takes no other"),
            ("--release 0.2 --arch x86_64", "--arch does not go with --release"),
            ("--release 0.2 --trace", "--trace does not go with --release"),
            ("--release x<y&z", "'x<y&z' names no release: take letters"),
            ("--release=", "'' names no release"),
            ("linux --json", "--json does not go with linux"),
            ("linux --arch x86_64", "--arch does not go with linux"),
            ("lynx", "'lynx' is not understood"),
            ("--trace sm_upp", "'sm_upp' is no operation .* mean 'sm_up'. There are sm_up[.]"),
            ("--trace --summary", "--summary does not go with --trace, which"),
            ("--summary", "--summary is of one operation"),
            ("--worse", "--worse is what --update may check in"),
            ("--scale --worse", "--worse is what --update may check in"),
            ("--release 0.2 --worse", "--worse does not go with --release"),
            ("--trace=", "'' is no operation with a trace"),
        ):
            with self.subTest(text), self.assertRaisesRegex(NovaError, words):
                self.check(text)


class Projects(unittest.TestCase):
    def said_in(self, folder):
        with contextlib.chdir(folder), mock.patch.object(bench.build, "say") as say:
            bench._warn_of_project()
        return [call.args[0] for call in say.call_args_list]

    def test_a_project_is_not_taken_for_what_is_counted(self):
        self.assertEqual(self.said_in(paths.ROOT / "tests"), [])
        with tempfile.TemporaryDirectory() as folder:
            text = "project(mine LANGUAGES C)\nfind_package(Nova REQUIRED)\n"
            (Path(folder) / "CMakeLists.txt").write_text(text, encoding="utf-8")
            said = self.said_in(folder)
        self.assertEqual(len(said), 1)
        page, title = bench.PAGE.read_text(encoding="utf-8"), said[0].split("`")[1]
        self.assertIn(f"\n## {title}\n", page)


class Names(unittest.TestCase):
    def test_a_kernel_boots_under_the_same_name_whatever_its_file_is_called(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("nova.elf32", "k32", "bench"):
                file = Path(folder) / name
                with bench._short_names(file, Path("/programs")) as (kernel, programs):
                    self.assertEqual((str(kernel), str(programs)), ("nova.elf32", "."))
                    self.assertEqual(kernel.readlink(), file)
                    self.assertEqual((programs / "bench").readlink(), Path("/programs/bench"))


class Reading(unittest.TestCase):
    def test_only_lines_of_the_word_count(self):
        text = "bench call 12\nbench word 1.50\n# bench x y z\ncount sm 4\n"
        self.assertEqual(bench_parts.values(text, "bench"), {"call": 12, "word": 1.5})

    def test_the_rows_and_the_figures_fit_together(self):
        rows = table.read_rows(bench.ROWS)
        keys = {row.key for row in rows}
        self.assertEqual(len(keys), len(rows))
        self.assertTrue({row.unit for row in rows} <= set(table.UNITS))
        figures = bench._read_figures()
        for part in (*figures.pop(bench_trace.SECTION).values(), *figures.values()):
            self.assertTrue(part)
            self.assertLessEqual(set(part), keys)

    def test_the_page_shows_the_figures_that_are_checked_in(self):
        rows = table.read_rows(bench.ROWS)
        page = bench.PAGE.read_text(encoding="utf-8")
        self.assertEqual(bench.page_with(page, rows, bench._read_figures()), page)

    def test_the_file_of_figures_is_written_as_it_is_read(self):
        text = bench.FIGURES.read_text(encoding="utf-8")
        self.assertEqual(table.dumps(bench._read_figures()), text)


class Trace(unittest.TestCase):
    CONSOLE = "operation 1 call\n# a line\noperation 2 other\n"
    RESULTS = (
        "trace 1 90 0 2 0 0 20 9\npath 1 ffff a0\nall 1 4 ffff 4 a0 5 b0 1\n"
        "trace 7 1 1 1 1 1 1 1\npath 7 1\nall 7 1 1 1\n"
    )

    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results"
            results.write_text(self.RESULTS, encoding="utf-8")
            self.counts, self.paths, self.means = bench_trace.read(results, self.CONSOLE)

    def test_operations_go_by_the_names_that_the_program_told(self):
        self.assertEqual(self.counts, {"call": [90, 0, 2, 0, 0, 20, 9]})
        self.assertEqual(self.paths, {"call": [0xFFFF, 0xA0]})
        self.assertEqual(self.means, {"call": {0xFFFF: 1, 0xA0: 1.25, 0xB0: 0.25}})

    def test_one_locked_instruction_more_is_worse(self):
        old = {"call": [0, 2, 0, 0, 20, 9]}
        self.assertEqual(bench_trace.complaints(ROWS, old, self.counts), [])
        self.counts["call"][1] = 1
        bad = bench_trace.complaints(ROWS, old, self.counts)
        self.assertEqual(bad, ["a call (call): 1 instead of 0 (locked)"])

    def test_what_no_tree_makes_more_of_is_exact_whatever_the_row(self):
        rows = [table.Row("call", "instructions", None, None, None, 8, "mean", "a call")]
        old = {"call": [50, 50, 50, 50, 100, 100]}
        worse = {"call": [0, 51, 51, 51, 51, 115, 115]}
        bad = bench_trace.complaints(rows, old, worse)
        self.assertEqual(len(bad), 4)
        self.assertTrue(all("51 instead of 50" in sentence for sentence in bad))

    def test_of_several_boots_the_fewest_locks_and_the_mean_of_lines_count(self):
        boots = [
            ({"call": [90, 9, 2, 0, 0, 20, 9]}, {"call": [1, 2, 3]}, {"call": {1: 1, 2: 1.5}}),
            ({"call": [92, 10, 2, 0, 0, 24, 9]}, {"call": [1, 2]}, {"call": {1: 1, 3: 0.5}}),
        ]
        counts, paths, means = bench_trace.combine(boots)
        self.assertEqual(counts, {"call": [91, 9, 2, 0, 0, 22, 9]})
        self.assertEqual(paths, {"call": [1, 2, 3]})
        self.assertEqual(means, {"call": {1: 1, 2: 0.75, 3: 0.25}})

    def test_an_operation_without_a_trace_is_worse(self):
        self.assertEqual(len(bench_trace.complaints(ROWS, {"call": [0] * 6}, {})), 1)


class History(unittest.TestCase):
    TEXT = "# a comment\nkey\t0.1\t0.2\ncall\t-\t90\ngone\t7\t7\n"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "history.tsv"
        self.path.write_text(self.TEXT, encoding="utf-8")

    def test_a_release_is_a_further_column(self):
        text = bench_history.with_release(self.path, "0.3", {"call": 1.5, "new": 4})
        self.assertEqual(
            text,
            "# a comment\nkey\t0.1\t0.2\t0.3\ncall\t-\t90\t1.5\nnew\t-\t-\t4\ngone\t7\t7\t-\n",
        )

    def test_the_last_release_can_be_counted_again_and_no_other(self):
        text = bench_history.with_release(self.path, "0.2", {"call": 80, "gone": 7})
        self.assertEqual(text, self.TEXT.replace("90", "80"))
        with self.assertRaisesRegex(NovaError, "name a release that comes after 0.2"):
            bench_history.with_release(self.path, "0.1", {})

    def test_a_name_of_whatever_characters_is_a_label(self):
        chart = bench_history.Chart("c", "Title", ("call",))
        text = bench_history.plot(chart, ["x<y&z"], {"call": [90]})
        self.assertIn("x<y&z", "".join(ElementTree.fromstring(text).itertext()))

    def release(self, name, found):
        """What is said when a build with these figures is kept as a release."""
        args = cli.parse(["bench", "--release", name])
        with (
            mock.patch.multiple(bench, HISTORY=self.path, PLOTS=self.path.parent),
            mock.patch.object(bench.tree, "ROOT", self.path.parent),
            mock.patch.object(bench, "_count_table", return_value=(found, True)),
            mock.patch.object(bench.build, "say") as say,
        ):
            self.assertEqual(bench._run_release(args, []), 0)
        return say.call_args.args[0]

    def test_who_keeps_a_release_is_told_what_is_written(self):
        found = bench._read_figures()["x86_64"]
        for name, words in (("0.2", "replacing the figures of 0.2"), ("0.3", "adding .* 0.3")):
            said = self.release(name, found)
            self.assertRegex(said, f"{words}: written to history.tsv and to ")
            self.assertEqual(bench_history.read(self.path)[0][-1], name)
            self.assertTrue((self.path.parent / "calls.svg").exists())

    def test_figures_of_another_build_are_no_release(self):
        figures = bench._read_figures()["x86_64"]
        call = figures["call_same_pd"]
        without = {key: value for key, value in figures.items() if key != "boot"}
        for found, words in (
            (figures | {"call_same_pd": 1}, f"call_same_pd: 1, checked in {call}[)]: check in"),
            (figures | {"call_same_pd": call + 1}, f"call_same_pd: {call + 1}, checked in {call}"),
            (without, f"boot: -, checked in {figures['boot']}"),
            (without | {"new": 7}, ", and 1 more[)]: check in what `nova bench --update --worse`"),
        ):
            with self.assertRaisesRegex(NovaError, words) as caught:
                self.release("0.3", found)
            self.assertEqual(caught.exception.status, 1)
        self.assertEqual(self.path.read_text(encoding="utf-8"), self.TEXT)

    def test_a_curve_begins_with_its_first_figure(self):
        names, figures = bench_history.read(self.path)
        chart = bench_history.Chart("c", "Title", ("call", "gone"))
        text = bench_history.plot(chart, names, figures)
        self.assertEqual(text.count("<circle"), 3)
        self.assertIn(">90 call</text>", text)

    def test_labels_do_not_overlap_and_stay_in_the_picture(self):
        step = bench_history.LABEL_HEIGHT
        self.assertEqual(bench_history._spread([10, 100, 101], 200), [10, 100, 100 + step])
        bottom = [200 - 2 * step, 200 - step, 200]
        self.assertEqual(bench_history._spread([195, 199, 199], 200), bottom)

    def test_the_last_point_of_a_plot_is_what_is_checked_in(self):
        charts = bench_history.CHARTS
        bench_history.CHARTS = (bench_history.Chart("c", "Title", ("call", "new"), "bytes"),)
        try:
            text = bench_history.plots(self.path, {"call": 80, "new": 5})["c.svg"]
        finally:
            bench_history.CHARTS = charts
        for expected in (">Title: bytes, x86_64<", ">80 call<", ">5 new<", ">now<"):
            self.assertIn(expected, text)

    def test_every_figure_in_bytes_or_instructions_has_a_curve(self):
        plotted = {key for chart in bench_history.CHARTS for key in chart.keys}
        rows = table.read_rows(bench.ROWS)
        self.assertEqual({row.key for row in rows if row.unit != table.OFF} - plotted, set())
        for chart in bench_history.CHARTS:
            self.assertLessEqual(len(chart.keys), len(bench_history.COLOURS))

    def test_the_plots_are_those_of_the_history(self):
        for path, text in bench.history_plots().items():
            ElementTree.fromstring(text)
            self.assertEqual(path.read_text(encoding="utf-8"), text, path)


class Table(unittest.TestCase):
    def test_a_difference_is_shown_in_percent(self):
        lines = table.text(ROWS, {"call": 100}, {"call": 90}, "x86_64").splitlines()
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines[1].split()[2:], ["call", "90", "100", "-10.0", "%", "150", "222"])
        narrow = table.text(ROWS, {"call": 100}, {"call": 90}, "x86_32").splitlines()
        self.assertEqual(narrow[1].split()[2:], ["call", "90", "100", "-10.0", "%", "172"])

    def test_targets_of_x86_32_are_15_percent_above_or_their_own(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.tsv"
            numbers = ("45 15% 2 mean", "1.5 15% 2 -", "9 7 2 -")
            lines = ("\t".join(["a", "bytes", "-", *line.split(), "it"]) for line in numbers)
            path.write_text("\n".join(lines))
            rows = table.read_rows(path)
        self.assertEqual([row.target_for("x86_32") for row in rows], [51, 1.72, 7])
        self.assertEqual([row.target_for("x86_64") for row in rows], [45, 1.5, 9])
        self.assertEqual([row.full_title() for row in rows], ["it (mean)", "it", "it"])
        record = table.records(rows, {}, {})[0]
        self.assertEqual((record["target_x86_32"], record["sample"]), (51, "mean"))

    def test_the_page_has_the_floor_beside_each_figure_in_instructions(self):
        figures = {"x86_64": {"call": 200}, "x86_32": {"call": 230}}
        page = f"{table.BEGIN}\n{table.END}\n"
        floors = {"x86_64": 70, "x86_32": 34}
        lines = table.write_page(page, ROWS, figures, lambda key, arch: floors[arch]).splitlines()
        cells = [cell.strip() for cell in lines[3].split("|")[2:-1]]
        targets = [str(ROWS[0].target), str(ROWS[0].reference), str(ROWS[0].target_x86_32)]
        self.assertEqual(cells, ["200", "70", *targets[:2], "230", "34", targets[2]])
        self.assertEqual(lines[5], "| bytes | x86_64 | target | 2012 | x86_32 | target |")

    def test_a_page_without_marks_is_refused(self):
        with self.assertRaisesRegex(NovaError, "no place for the table"):
            table.write_page("no place\n", ROWS, {}, None)


class Sections(unittest.TestCase):
    def test_no_elf_file_is_refused(self):
        with self.assertRaisesRegex(NovaError, "no ELF file"):
            elf.section_sizes(Path(paths.__file__))

    def test_sections_that_are_cut_off_or_have_no_names_are_refused(self):
        data = Path("/bin/true").read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "program"
            for content in (data[:-100], data[:62] + b"\xff\x7f" + data[64:]):
                path.write_bytes(content)
                with self.assertRaisesRegex(NovaError, "cannot be read as an ELF file"):
                    elf.section_sizes(path)

    def test_the_sizes_of_a_real_program_are_found(self):
        self.assertGreater(elf.section_sizes(Path("/bin/true").resolve())[".text"], 0)
        self.assertTrue(elf.segments(Path("/bin/true").resolve()))


class Linux(unittest.TestCase):
    WITH = {"host": 200, "guest": 1000, "entries": 10}

    def test_the_host_s_share_is_per_exit_and_of_all(self):
        found = bench_linux.figures(self.WITH, {"host": 1000, "guest": 0, "entries": 0})
        self.assertEqual(found["host instructions per exit"], 20)
        self.assertEqual(found["per cent of them outside the guest"], 16.7)
        self.assertEqual(found["ratio"], 1.2)

    def test_a_guest_that_was_never_entered_is_no_figure(self):
        with self.assertRaisesRegex(NovaError, "no guest was entered"):
            bench_linux.figures({**self.WITH, "entries": 0}, {"host": 1})

    def test_what_did_not_come_to_its_shell_is_no_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results"
            results.write_text("host 1 guest 2 entries 3")
            count = bench_linux._counts
            self.assertEqual(count(results, "/ # ready", "it")["guest"], 2)
            with self.assertRaisesRegex(NovaError, "it did not come to its shell"):
                count(results, f"Command line: {bench_linux.WORDS}", "it")


if __name__ == "__main__":
    unittest.main()
