# SPDX-License-Identifier: BSD-2-Clause
"""What `nova bench` reads, what it calls worse, and how it shows a table."""

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import paths
from nova import (
    bench,
    bench_cpus,
    bench_history,
    bench_linux,
    bench_options,
    bench_scale,
    bench_trace,
    boot_count,
    cli,
    elf,
    table,
)
from nova.errors import NovaError

ROWS = [
    table.Row("call", "instructions", 222, 150, 2, "a call"),
    table.Row("boot", "instructions", None, None, 2, "boot"),
]


class Comparison(unittest.TestCase):
    def worse(self, old, new, all_needed=True):
        return bench.complaints(ROWS, old, new, all_needed)

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
            (103, [], 1, ["worse: a call (call)", "--trace KEY lists", "--update checks in"]),
            (97, [], 0, ["better: a call (call)", "--update checks in"]),
            (100, [], 0, []),
            (103, ["--kernel=k"], 1, ["worse: a call (call)", "--trace KEY lists"]),
            (97, ["--kernel=k"], 0, []),
        ):
            args = cli.parse(["bench", "--arch=x86_64", *arguments])
            with mock.patch.object(bench.build, "say") as say:
                self.assertEqual(bench._compare(args, ROWS, {"call": 100}, {"call": new}), status)
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

    def test_a_figure_that_is_gone_is_worse(self):
        self.assertEqual(len(self.worse({"call": 100}, {})), 1)

    def test_another_kernel_may_lack_figures(self):
        self.assertEqual(self.worse({"call": 100}, {}, all_needed=False), [])

    def test_a_bound_is_kept_whatever_is_checked_in(self):
        rows = [table.Row("image", "bytes", None, 100, 2, "an image")]
        self.assertEqual(bench.complaints(rows, {"image": 100}, {"image": 100}, True), [])
        bad = bench.complaints(rows, {"image": 101}, {"image": 101}, True)
        self.assertEqual(bad, ["an image (image): 101 bytes, above the bound of 100"])

    def test_what_is_checked_in_keeps_the_bounds(self):
        figures = bench._read_figures()
        for row in table.read_rows(bench.ROWS):
            if row.unit in table.BOUNDED:
                for arch in ("x86_64", "x86_32"):
                    self.assertLessEqual(figures[arch][row.key], row.target, row.key)

    def test_the_boot_is_counted_only_when_asked_for(self):
        self.assertEqual(self.worse({"boot": 100}, {}), [])
        self.assertEqual(len(self.worse({"boot": 100}, {"boot": 200})), 1)


class Options(unittest.TestCase):
    def check(self, text):
        bench_options.check(cli.parse(["bench", *text.split()]), ["sm_up", "new"], ["sm_up"])

    def test_what_goes_together_is_taken(self):
        for text in (
            *("", "--json --update --arch x86_32", "linux", "--release 0.2", "--trace new"),
            *("--trace --json --update", "--trace sm_up --arch x86_32", "--scale --update"),
            "--trace sm_up --summary",
        ):
            self.check(text)

    def test_what_would_have_no_effect_is_refused(self):
        for text, words in (
            ("--trace --scale", "--scale does not go with --trace, which takes --arch, --kernel"),
            ("--cpus --scale", "--cpus does not go with --scale"),
            ("--trace --boot", "--boot does not go with --trace"),
            ("--scale --boot", "--boot does not go with --scale"),
            ("--cpus --boot", "--boot does not go with --cpus"),
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
        self.assertEqual(bench._values(text, "bench"), {"call": 12, "word": 1.5})

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
    RESULTS = "trace 1 90 0 2 0 0 20 9\npath 1 ffff a0\ntrace 7 1 1 1 1 1 1 1\npath 7 1\n"

    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results"
            results.write_text(self.RESULTS, encoding="utf-8")
            self.counts, self.paths = bench_trace.read(results, self.CONSOLE)

    def test_operations_go_by_the_names_that_the_program_told(self):
        self.assertEqual(self.counts, {"call": [90, 0, 2, 0, 0, 20, 9]})
        self.assertEqual(self.paths, {"call": [0xFFFF, 0xA0]})

    def test_one_locked_instruction_more_is_worse(self):
        old = {"call": [0, 2, 0, 0, 20, 9]}
        self.assertEqual(bench_trace.complaints(ROWS, old, self.counts), [])
        self.counts["call"][1] = 1
        bad = bench_trace.complaints(ROWS, old, self.counts)
        self.assertEqual(bad, ["a call (call): 1 instead of 0 (locked)"])

    def test_an_operation_without_a_trace_is_worse(self):
        self.assertEqual(len(bench_trace.complaints(ROWS, {"call": [0] * 6}, {})), 1)


class Scale(unittest.TestCase):
    THINGS = [bench_scale.Subject("pages", None, "pages")]
    OPERATIONS = [bench_scale.Subject("call", 1.02, "a call")]
    RUNS = "run 0 99 0xa 0xb\nrun 1 50 0xa 0xb\nrun 2 60 0xa 0xb\n"

    def complaints(self, *figures):
        lines = [f"scale pages call {10**i} {value}\n" for i, value in enumerate(figures)]
        found = bench_scale.read("".join(lines) + "scale of\n\n")
        found[bench_scale.STRETCHES] = bench_scale.read_stretches(self.RUNS)
        return bench_scale.complaints(self.THINGS, self.OPERATIONS, found, 70)

    def test_what_stays_within_its_factor_is_good(self):
        self.assertEqual(self.complaints(100, 102, 99, 102), [])

    def test_what_grows_is_worse_wherever_it_does(self):
        self.assertIn("100, 103, 100, 100", self.complaints(100, 103, 100, 100)[0])
        self.assertIn("100, 100, 100, 103", self.complaints(100, 100, 100, 103)[0])

    def test_a_stretch_above_the_bound_or_none_is_worse(self):
        self.RUNS = "run 2 71 0xa 0xb\n"
        bad = self.complaints(100, 100, 100, 100)
        self.assertEqual([sentence.split(": ")[1][:3] for sentence in bad], ["no ", "71 "])

    def test_a_number_that_was_not_counted_is_worse(self):
        self.assertEqual(self.complaints(100, 100, 100), ["call beside pages: not counted"])

    def test_what_is_checked_in_keeps_the_limits(self):
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

    def test_of_the_other_cpus_the_worst_counts(self):
        found = bench_cpus.read(self.RESULTS, self.CONSOLE)
        self.assertEqual(found["call first"], [186, 0, 0])
        self.assertEqual(found["call others"], [187, 1, 2])
        self.assertEqual(found["boot first"], [9, 1, 0])

    def test_what_costs_the_same_and_shares_nothing_is_good(self):
        self.assertEqual(self.complaints(self.row(), [186, 0, 0], [186, 0, 0]), [])

    def test_an_instruction_a_lock_or_a_line_more_is_worse(self):
        for counts in ([187, 0, 0], [186, 1, 0], [186, 0, 1]):
            self.assertEqual(len(self.complaints(self.row(), [186, 0, 0], counts)), 1)

    def test_an_instrument_that_sees_no_sharing_is_worse(self):
        row = self.row(shared="yes", locked="-")
        self.assertEqual(len(self.complaints(row, [186, 0, 0], [186, 2, 0])), 1)
        self.assertEqual(self.complaints(row, [186, 0, 0], [186, 2, 3]), [])

    def test_what_was_not_counted_is_worse(self):
        self.assertEqual(bench_cpus.complaints([self.row()], {}), ["call first: not counted"])

    def test_what_is_checked_in_keeps_the_limits(self):
        rows = bench_cpus.read_rows(bench.CPUS_ROWS)
        figures = bench._read_figures(bench.CPUS_FIGURES)
        self.assertEqual(set(figures), {"x86_64", "x86_32"})
        for found in figures.values():
            self.assertEqual(bench_cpus.complaints(rows, found), [])
        text = bench.CPUS_FIGURES.read_text(encoding="utf-8")
        self.assertEqual(table.dumps(figures, levels=2), text)


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

    def test_who_keeps_a_release_is_told_what_is_written(self):
        for name, words in (("0.2", "replacing the figures of 0.2"), ("0.3", "adding .* 0.3")):
            args = cli.parse(["bench", "--release", name])
            with (
                mock.patch.multiple(bench, HISTORY=self.path, PLOTS=self.path.parent),
                mock.patch.object(bench.tree, "ROOT", self.path.parent),
                mock.patch.object(bench.build, "say") as say,
            ):
                self.assertEqual(bench._run_release(args), 0)
            self.assertRegex(say.call_args.args[0], f"{words}: written to history.tsv and to ")
            self.assertEqual(bench_history.read(self.path)[0][-1], name)
            self.assertTrue((self.path.parent / "calls.svg").exists())

    def test_a_curve_begins_with_its_first_figure(self):
        names, figures = bench_history.read(self.path)
        chart = bench_history.Chart("c", "Title", ("call", "gone"))
        text = bench_history.plot(chart, names, figures)
        self.assertEqual(text.count("<circle"), 3)
        self.assertIn(">90 call</text>", text)

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
        self.assertEqual(lines[1].split()[2:], ["call", "90", "100", "-10.0", "%", "222", "150"])

    def test_a_page_without_marks_is_refused(self):
        with self.assertRaisesRegex(NovaError, "no place for the table"):
            table.write_page("no place\n", ROWS, {})


class Boot(unittest.TestCase):
    def count(self, trace, mark=b"/40/"):
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb", buffering=0):
            os.write(writer, trace)
            os.close(writer)
            return boot_count._count_lines(reader, mark)

    def test_lines_before_the_mark_are_counted(self):
        self.assertEqual(self.count(b"[/20/]\n[/21/]\n[/40/]\n[/22/]\n"), 2)

    def test_a_trace_without_the_mark_is_refused(self):
        with self.assertRaisesRegex(NovaError, "ended before"):
            self.count(b"[/20/]\n")


class Sections(unittest.TestCase):
    def test_no_elf_file_is_refused(self):
        with self.assertRaisesRegex(NovaError, "no ELF file"):
            elf.section_sizes(Path(paths.__file__))

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
