# SPDX-License-Identifier: BSD-2-Clause
"""The input of `nova bench`, figures above their limits, and the format of a table."""

import contextlib
import io
import re
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import paths
from nova import (
    bench,
    bench_floor,
    bench_history,
    bench_io,
    bench_linux,
    bench_options,
    bench_parts,
    bench_readme,
    bench_trace,
    cli,
    elf,
    table,
    tree,
)
from nova.errors import NovaError

ROWS = [
    table.Row("call", "instructions", 222, 150, 172, 160, 180, "median", "a call"),
    table.Row("boot", "instructions", None, None, None, 50, 60, None, "boot"),
]

# Keys of the figures on the page about speculation, and their names there.
MITIGATED = (
    ("call_same_pd", "call and reply in one PD"),
    ("call_other_pd", "call and reply between two PDs"),
    ("ud_eip", "#UD and its reply"),
    ("page_fault", "page fault answered by a pager"),
    ("sm_up", "semaphore up"),
    ("guest_cpuid", "a guest's CPUID exit, with its VMM in another PD"),
)


class Comparison(unittest.TestCase):
    def above(self, found, arch="x86_64", all_needed=True):
        return bench.complaints(ROWS, arch, found, all_needed)

    def test_a_figure_at_its_limit_is_good_and_one_above_is_not(self):
        self.assertEqual(self.above({"call": 160, "boot": 50}), [])
        bad = ["a call (call): 161 instructions, the limit is 160"]
        self.assertEqual(self.above({"call": 161, "boot": 50}), bad)
        self.assertEqual(self.above({"call": 180, "boot": 60}, "x86_32"), [])
        self.assertEqual(len(self.above({"call": 181, "boot": 61}, "x86_32")), 2)

    def test_a_figure_that_was_not_counted_is_a_failure(self):
        self.assertEqual(self.above({"call": 100}), ["boot (boot): not counted"])
        self.assertEqual(self.above({"call": 100}, all_needed=False), [])

    def compare(self, found, *options):
        """Returns the exit status, the output, and the published files of a comparison."""
        args = cli.parse(["bench", "--arch=x86_64", *options])
        published = []
        with (
            mock.patch.object(bench.build, "say") as say,
            mock.patch.object(bench, "_this_build", return_value="a build"),
            mock.patch.object(bench, "_read_figures", return_value={"x86_64": {"call": 1}}),
            mock.patch.object(bench, "_write_plots"),
            mock.patch.object(bench, "_write_figures", lambda _, found: published.append(found)),
        ):
            status = bench._compare(args, ROWS, found)
        return status, [call.args[0] for call in say.call_args_list], published

    def test_a_figure_that_changes_below_its_limit_needs_no_other_file(self):
        for call in (90, 159, 160):
            self.assertEqual(self.compare({"call": call, "boot": 50}), (0, [], []))

    def test_the_remedy_is_printed_after_the_figure_above_its_limit(self):
        status, said, _ = self.compare({"call": 161, "boot": 50})
        self.assertEqual((status, len(said)), (1, 2))
        self.assertEqual(said[0], "a call (call): 161 instructions, the limit is 160")
        self.assertIn("--trace KEY lists", said[1])
        self.assertEqual(self.compare({"call": 100}, "--kernel=k")[0], 0)

    def test_published_figures_are_those_counted_with_the_build(self):
        for call, status in ((100, 0), (161, 1)):
            found = {"call": call, "boot": 50}
            done, _, published = self.compare(found, "--update")
            self.assertEqual(done, status)
            self.assertEqual(published[0]["x86_64"], found)
            self.assertEqual(published[0][bench.COUNTED], {"": {"x86_64": "a build"}})

    def test_a_figure_below_its_floor_is_a_failure(self):
        with mock.patch.object(bench.bench_floor, "complaints", return_value=["too few"]):
            status, said, _ = self.compare({"call": 100, "boot": 50})
        self.assertEqual((status, said), (1, ["too few"]))

    def test_a_test_shows_no_table(self):
        for arguments, shown in (([], "text"), (["--json"], '"records"'), (["--programs=p"], "")):
            args = cli.parse(["bench", *arguments])
            with contextlib.redirect_stdout(io.StringIO()) as out:
                bench._show(args, "records", "text")
            self.assertEqual(out.getvalue().strip(), shown)

    def test_a_build_is_named_by_compiler_and_emulator(self):
        self.assertRegex(bench._this_build(), "gcc .*QEMU emulator version")


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

    def test_figures_that_another_kernel_counted_before_it_failed_are_kept(self):
        error = bench_parts.Unfinished("it ended", "bench call 161\n# halted\n")
        self.assertEqual(self.parts(False, error), {"call": 161, "image": 7})
        with self.assertRaises(bench_parts.Unfinished):
            self.parts(True, error)
        with self.assertRaises(bench_parts.Unfinished):
            self.parts(False, bench_parts.Unfinished("it ended", "# halted\n"))
        whole = bench_parts.count(False, [lambda: {"call": 1}, lambda: {"image": 7}])
        self.assertEqual(whole, ({"call": 1, "image": 7}, True))

    def test_the_table_and_the_program_agree_about_means(self):
        rows = [table.Row("call", "instructions", None, None, None, 1, 1, "mean", "a call")]
        bench_parts.check_means(rows, "mean call\nbench call 1\n")
        bench_parts.check_means(rows, "another kernel has no such case\n")
        for text in ("bench call 1\n", "mean call\nbench call 1\nmean other\nbench other 2\n"):
            with self.assertRaisesRegex(NovaError, "disagrees about means: (call|other)[.]"):
                bench_parts.check_means(rows, text)


class Options(unittest.TestCase):
    def check(self, text):
        bench_options.check(cli.parse(["bench", *text.split()]), ["sm_up", "new"], ["sm_up"])

    def test_options_that_go_together_are_accepted(self):
        for text in (
            *("", "--json --update --arch x86_32", "linux", "io", "--release 0.2", "--trace new"),
            "io --json",
            *("--trace --json --update", "--trace sm_up --arch x86_32", "--scale --update"),
            *("--trace sm_up --summary", "--trace sm_up,new", "--update", "--cpus --update"),
        ):
            self.check(text)

    def test_an_option_that_would_have_no_effect_is_refused(self):
        for text, words in (
            ("--trace --scale", "--scale does not go with --trace, which takes --arch, --kernel"),
            ("--cpus --scale", "--cpus does not go with --scale"),
            ("--trace sm_up --json", "--json does not go with --trace KEY, which"),
            ("--trace sm_up --update", "--update does not go with --trace KEY, which"),
            ("--release 0.2 --update", "--update does not go with --release, which takes no other"),
            ("--release 0.2 --arch x86_64", "--arch does not go with --release"),
            ("--release 0.2 --trace", "--trace does not go with --release"),
            ("--release x<y&z", "'x<y&z' is not a release name: use letters"),
            ("--release=", "'' is not a release name"),
            ("linux --json", "--json does not go with linux"),
            ("io --update", "--update does not go with io, which takes --json"),
            ("linux --arch x86_64", "--arch does not go with linux"),
            ("lynx", "'lynx' is not understood"),
            ("--trace sm_upp", "'sm_upp' is not an operation .* mean 'sm_up'. There are sm_up[.]"),
            ("--trace sm_up,up", "'up' is not an operation with a trace"),
            ("--trace sm_up,", "'' is not an operation with a trace"),
            ("--trace --summary", "--summary does not go with --trace, which"),
            ("--summary", "--summary applies to one operation"),
            ("--trace=", "'' is not an operation with a trace"),
        ):
            with self.subTest(text), self.assertRaisesRegex(NovaError, words):
                self.check(text)


class Projects(unittest.TestCase):
    def said_in(self, folder):
        with contextlib.chdir(folder), mock.patch.object(bench.build, "say") as say:
            bench._warn_of_project()
        return [call.args[0] for call in say.call_args_list]

    def test_a_project_is_not_accepted_as_a_row_to_count(self):
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
    def test_only_lines_that_begin_with_the_word_are_read(self):
        text = "bench call 12\nbench word 1.50\n# bench x y z\ncount sm 4\n"
        self.assertEqual(bench_parts.values(text, "bench"), {"call": 12, "word": 1.5})

    def test_the_rows_and_the_figures_fit_together(self):
        rows = table.read_rows(bench.ROWS)
        keys = {row.key for row in rows}
        self.assertEqual(len(keys), len(rows))
        self.assertTrue({row.unit for row in rows} <= set(table.UNITS))
        figures = bench._read_figures()
        limits = bench_trace.read_limits(bench.TRACE_LIMITS)
        builds, columns = figures.pop(bench.COUNTED), len(bench_trace.COLUMNS)
        self.assertEqual(set(builds), {"", " --trace", " --scale", " --cpus", " secure"})
        for trace in figures.pop(bench_trace.SECTION).values():
            self.assertEqual(set(trace), set(limits))
            self.assertEqual({len(counts) for counts in trace.values()}, {columns})
        self.assertEqual({len(most) for most in limits.values()}, {columns})
        self.assertLessEqual(set(limits), keys)
        self.assertEqual(set(figures), set(tree.ARCHES))
        for part in figures.values():
            self.assertEqual(set(part), keys)

    def test_every_row_has_limits_above_its_floor(self):
        model = bench_floor.read(bench.FLOORS)
        for row in table.read_rows(bench.ROWS):
            for arch in tree.ARCHES:
                self.assertGreater(row.limit_for(arch), model.floor(row.key, arch) or 0, row.key)

    def test_the_page_shows_the_figures_that_are_published(self):
        rows = table.read_rows(bench.ROWS)
        page = bench.PAGE.read_text(encoding="utf-8")
        self.assertEqual(bench.page_with(page, rows, bench._read_figures()), page)

    def test_the_readme_shows_published_figures(self):
        page = bench_readme.PAGE.read_text(encoding="utf-8")
        self.assertEqual(bench_readme.page_with(page, bench._read_figures()), page)
        keys = {row.key for row in table.read_rows(bench.ROWS)}
        self.assertLessEqual({key for key, _text in bench_readme.SHOWN}, keys)

    def test_the_page_about_speculation_shows_published_figures(self):
        page = (tree.ROOT / "docs/kernel/speculation.md").read_text(encoding="utf-8")
        shown = re.findall(r"^\| (.+) \| [\d,]+ \| ([\d,]+) \| [\d,]+ \|$", page, re.MULTILINE)
        figures = bench._read_figures()["x86_64"]
        self.assertEqual(shown, [(text, f"{figures[key]:,}") for key, text in MITIGATED])

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

    def test_operations_have_the_names_that_the_program_printed(self):
        self.assertEqual(self.counts, {"call": [90, 0, 2, 0, 0, 20, 9]})
        self.assertEqual(self.paths, {"call": [0xFFFF, 0xA0]})

    def test_one_locked_instruction_above_the_limit_is_a_failure(self):
        limits = {"call": [0, 2, 0, 0, 20, 9]}
        self.assertEqual(bench_trace.complaints(ROWS, limits, self.counts), [])
        self.counts["call"][1] = 1
        bad = bench_trace.complaints(ROWS, limits, self.counts)
        self.assertEqual(bad, ["a call (call): 1 (locked), above the limit of 0"])

    def test_a_row_that_was_not_counted_or_has_no_limit_is_a_failure(self):
        self.assertEqual(len(bench_trace.complaints(ROWS, {"call": [0] * 6}, {})), 1)
        bad = bench_trace.complaints(ROWS, {}, self.counts)
        self.assertEqual(bad, ["a call (call): tests/bench/trace.tsv has no limits for it"])

    def test_several_boots_give_the_fewest_locks_and_the_mean_of_the_other_counts(self):
        boots = [
            ({"call": [90, 9, 2, 0, 0, 20, 9]}, {"call": [1, 2, 3]}),
            ({"call": [92, 10, 2, 0, 0, 24, 9]}, {"call": [1, 2]}),
        ]
        counts, paths = bench_trace.combine(boots)
        self.assertEqual(counts, {"call": [91, 9, 2, 0, 0, 22, 9]})
        self.assertEqual(paths, {"call": [1, 2, 3]})


class History(unittest.TestCase):
    TEXT = "# a comment\nkey\t0.1\t0.2\ncall\t-\t90\ngone\t7\t7\n"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "history.tsv"
        self.path.write_text(self.TEXT, encoding="utf-8")

    def test_a_new_release_is_added_as_the_last_column(self):
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

    def test_a_label_may_contain_any_characters(self):
        chart = bench_history.Chart("c", "Title", ("call",))
        text = bench_history.plot(chart, ["x<y&z"], {"call": [90]})
        self.assertIn("x<y&z", "".join(ElementTree.fromstring(text).itertext()))

    def release(self, name, found):
        """Returns the output when a build with these figures is kept as a release."""
        args = cli.parse(["bench", "--release", name])
        with (
            mock.patch.multiple(bench, HISTORY=self.path, PLOTS=self.path.parent),
            mock.patch.object(bench.tree, "ROOT", self.path.parent),
            mock.patch.object(bench, "_count_table", return_value=(found, True)),
            mock.patch.object(bench.build, "say") as say,
        ):
            self.assertEqual(bench._run_release(args, []), 0)
        return say.call_args.args[0]

    def test_the_command_reports_which_release_it_writes_and_where(self):
        found = bench._read_figures()["x86_64"]
        cases = (("0.2", "replacing the figures of 0.2"), ("0.3", "adding .* figures as 0.3"))
        for name, words in cases:
            said = self.release(name, found | {"call_same_pd": 123})
            self.assertRegex(said, f"{words}: written to history.tsv and to ")
            names, figures = bench_history.read(self.path)
            self.assertEqual((names[-1], figures["call_same_pd"][-1]), (name, 123))
            self.assertTrue((self.path.parent / "calls.svg").exists())

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

    def test_the_last_point_of_a_plot_is_the_published_figure(self):
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

    def test_the_plots_are_those_of_the_figures(self):
        for path, text in bench.all_plots().items():
            ElementTree.fromstring(text)
            self.assertEqual(path.read_text(encoding="utf-8"), text, path)


class Table(unittest.TestCase):
    def test_a_difference_is_shown_in_percent(self):
        lines = table.text(ROWS, {"call": 100}, {"call": 90}, "x86_64").splitlines()
        self.assertEqual(len(lines), 2)
        cells = ["call", "90", "100", "-10.0", "%", "160", "150", "222"]
        self.assertEqual(lines[1].split()[2:], cells)
        narrow = table.text(ROWS, {"call": 100}, {"call": 90}, "x86_32").splitlines()
        self.assertEqual(narrow[1].split()[2:], [*cells[:5], "180", "172"])

    def test_a_target_of_x86_32_is_15_percent_above_that_of_x86_64_or_a_number_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.tsv"
            numbers = ("45 15% 50 60 mean", "1.5 15% 2 2 -", "9 7 10 9 -")
            lines = ("\t".join(["a", "bytes", "-", *line.split(), "it"]) for line in numbers)
            path.write_text("\n".join(lines))
            rows = table.read_rows(path)
        self.assertEqual([row.target_for("x86_32") for row in rows], [51, 1.72, 7])
        self.assertEqual([row.target_for("x86_64") for row in rows], [45, 1.5, 9])
        self.assertEqual([row.full_title() for row in rows], ["it (mean)", "it", "it"])
        self.assertEqual([row.limit_for("x86_32") for row in rows], [60, 2, 9])
        record = table.records(rows, {}, {})[0]
        self.assertEqual((record["target_x86_32"], record["sample"]), (51, "mean"))

    def test_the_page_has_the_floor_beside_each_figure_in_instructions(self):
        figures = {"x86_64": {"call": 200}, "x86_32": {"call": 230}}
        page = f"{table.BEGIN}\n{table.END}\n"
        floors = {"x86_64": 70, "x86_32": 34}
        lines = table.write_page(page, ROWS, figures, lambda key, arch: floors[arch]).splitlines()
        cells = [cell.strip() for cell in lines[3].split("|")[2:-1]]
        expected = ["200", "70", "150", "160", "222", "230", "34", "172", "180"]
        self.assertEqual(cells, expected)
        self.assertEqual(lines[5], "| bytes | x86_64 | limit | 2012 | x86_32 | limit |")

    def test_a_page_without_marks_is_refused(self):
        with self.assertRaisesRegex(NovaError, "no place for the table"):
            table.write_page("no place\n", ROWS, {}, None)


class Sections(unittest.TestCase):
    def test_no_elf_file_is_refused(self):
        with self.assertRaisesRegex(NovaError, "not an ELF file"):
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
    WITH = {"host": 200, "guest": 1000, "entries": 10, "start": 150}
    TEXT = "section 0 times 0 host 200 guest 1000 entries 3 start 150\n"
    TEXT += "exit 0x7b 2 20\nexit 0x400 1 30\n"

    def test_the_cost_of_the_host_is_given_per_exit_and_as_a_share_of_all_instructions(self):
        found = bench_linux.figures(self.WITH, {"host": 1000, "guest": 0, "entries": 0})
        self.assertEqual(found["instructions before the first entry"], 150)
        self.assertEqual(found["host instructions per exit after it"], 5)
        self.assertEqual(found["per cent of them outside the guest"], 16.7)
        self.assertEqual(found["ratio"], 1.2)

    def test_exits_are_grouped_by_reason_and_the_most_expensive_reason_comes_first(self):
        found = bench_linux.read(self.TEXT)
        exits = [(one.reason, one.times, one.each()) for one in found["exits"]]
        self.assertEqual(exits, [("nested page fault", 1, 30), ("port", 2, 10)])
        self.assertEqual((found["host"], found["start"]), (200, 150))

    def test_parts_that_are_not_the_whole_are_refused(self):
        with self.assertRaisesRegex(NovaError, "do not sum up to the host's"):
            bench_linux.read(self.TEXT.replace("2 20", "2 21"))
        with self.assertRaisesRegex(NovaError, "numbers of guest exits and entries differ"):
            bench_linux.read(self.TEXT.replace("2 20", "1 20"))

    def test_an_exit_that_ends_in_another_section_belongs_to_the_whole(self):
        one = self.TEXT.replace("2 20", "1 8")
        other = one + "section 2 times 1 host 12 guest 9 entries 0 start 0\nexit 0x7b 1 24\n"
        found = bench_linux.read_sections(other)
        self.assertEqual({number: each["guest"] for number, each in found.items()}, {0: 1000, 2: 9})
        self.assertEqual([one.reason for one in found[2]["exits"]], ["port"])
        for text in (one, other.replace("1 24", "1 25"), other.replace("1 24", "2 24")):
            with self.assertRaises(NovaError):
                bench_linux.read_sections(text)

    def test_an_exit_without_a_reason_or_a_name_is_reported(self):
        text = self.TEXT.replace("0x7b", "0x4ff").replace("0x400", "0x8c")
        reasons = [one.reason for one in bench_linux.read(text)["exits"]]
        self.assertEqual(reasons, ["exit 0x8c", bench_linux.UNSEEN])

    def test_a_guest_that_was_never_entered_has_no_figure(self):
        with self.assertRaisesRegex(NovaError, "no guest was entered"):
            bench_linux.figures({**self.WITH, "entries": 0}, {"host": 1})

    def test_a_guest_that_did_not_reach_its_shell_has_no_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results"
            results.write_text(self.TEXT)
            count = bench_linux._counts
            self.assertEqual(count(results, "/ # ready", "it")["guest"], 1000)
            with self.assertRaisesRegex(NovaError, "it did not reach its shell"):
                count(results, f"Command line: {bench_linux.WORDS}", "it")


class InputAndOutput(unittest.TestCase):
    TEXT = (
        "count 1 64 100 300 {alone} {alone}\ncount 2 1 {many} 0 7 7\n"
        "count 4 1 {uring} 0 7 7\n"
        "code 0x1 7 90\n"
    )

    def counts(self, alone, many, uring=0):
        return bench_io.read(self.TEXT.format(alone=alone, many=many, uring=uring))

    def figures(self):
        nova = {cpus: self.counts(300, cpus * 2048 * 80) for cpus in (1, 2)}
        return bench_io.figures(nova, self.counts(1000, 2048 * 900, 2048 * 800))

    def test_a_count_has_programs_kernel_and_the_median(self):
        count = self.counts(5, 6)["1"]
        self.assertEqual((count.times, count.all(), count.median), (64, 400, 5))

    def test_figures_are_per_read_and_the_ratio_is_to_the_better_way_of_linux(self):
        found = self.figures()
        self.assertEqual((found["alone"], found["alone_ratio"]), (300, 0.3))
        self.assertEqual((found["many_1"], found["many_2"]), (80, 80))
        self.assertEqual((found["many_aio"], found["many_uring"]), (900, 800))
        self.assertEqual(found["many_ratio"], 0.1)

    def test_a_figure_that_is_absent_or_above_its_limit_is_reported(self):
        rows = [bench_io.Row(key, limit, None, key) for key, limit in
                (("alone", 299), ("many_1", 80), ("many_4", 80))]
        self.assertEqual(
            bench_io.complaints(rows, self.figures()),
            ["many_4: not counted", "alone: 300, the limit is 299"],
        )
        self.assertIn("0.35", bench_io.text(bench_io.read_rows(bench_io.ROWS), self.figures()))

    def test_linux_that_was_not_counted_has_no_figure(self):
        with self.assertRaisesRegex(NovaError, "no instruction of Linux"):
            bench_io.figures({1: self.counts(1, 1)}, self.counts(0, 1, 1))

    def test_a_system_that_did_not_read_has_no_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results"
            results.write_text("count 1 64 100 300 5 4\n")
            with self.assertRaisesRegex(NovaError, "it did not read from the disk:"):
                bench_io.counts_of(results, "panic", "it", ("1",))
            with self.assertRaisesRegex(NovaError, "it did not mark its operations"):
                bench_io.counts_of(results, bench_io.DONE, "it", ("1", "2"))

    def test_figures_of_a_file_are_for_each_page_of_a_read(self):
        lines = (f"count {number} 64 1 1 {median} 5\n" for number, median in
                 ((6, 16 * 527), (7, 16 * 870), (8, 16 * 390 + 3)))
        self.assertEqual(
            bench_io.file_figures(bench_io.read("".join(lines))),
            {"file_read": 527, "file_read_other": 870, "file_view": 390},
        )

    def test_each_page_of_the_disk_for_random_reads_begins_with_the_number_of_the_page(self):
        with tempfile.TemporaryDirectory() as folder, \
             mock.patch.object(bench_io, "FILE_BYTES", 64 << 10):
            image = bench_io.fat_disk(Path(folder))
            data = subprocess.run(["mcopy", "-i", image, "::data", "-"], check=True,
                                  stdout=subprocess.PIPE).stdout
        self.assertEqual(len(data), 64 << 10)
        self.assertEqual(list(struct.unpack("<16I", b"".join(
            data[at:at + 4] for at in range(0, len(data), bench_io.PAGE)))), list(range(16)))

    def test_a_disk_that_cannot_be_made_is_named(self):
        with tempfile.TemporaryDirectory() as folder, \
             mock.patch.object(bench_io, "FILE_BYTES", 2 << 20), \
             mock.patch.object(bench_io, "DISK_BYTES", 1 << 20):
            with self.assertRaisesRegex(NovaError, "could not make the disk"):
                bench_io.fat_disk(Path(folder))

    def test_figures_of_a_guest_have_the_instructions_outside(self):
        def counts(row, uring):
            return bench_io.read(f"count 5 1 {row} 2048 7 7\ncount 4 1 {uring} 0 7 7\n")

        found = bench_io.guest_figures(counts(2048 * 299, 2048 * 90), counts(2048 * 149, 2048 * 60))
        self.assertEqual((found["guest"], found["guest_linux"]), (300, 150))
        self.assertEqual((found["guest_ratio"], found["guest_uring_ratio"]), (2, 1.5))
        with self.assertRaisesRegex(NovaError, "no instruction of Linux"):
            bench_io.guest_figures(counts(1, 1), counts(1, 0))

    def test_records_name_each_row_with_its_limit_and_goal(self):
        rows = bench_io.read_rows(bench_io.ROWS)
        records = {one["key"]: one for one in bench_io.records(rows, {"file_view": 390})}
        view, linux = records["file_view"], records["guest_linux"]
        self.assertEqual((view["figure"], view["limit"], view["goal"]), (390, 390, 400))
        self.assertEqual((linux["figure"], linux["limit"], linux["goal"]), (None, None, None))
        self.assertEqual(len(records), len(rows))

    def test_the_memory_of_the_driver_is_read_from_the_console(self):
        line = "virtio-blk: memory of the driver: 4096 bytes and 512 of the kernel\n"
        self.assertEqual(bench_io.memory(line), {"memory": 4096, "memory_kernel": 512})
        with self.assertRaisesRegex(NovaError, "did not print its memory"):
            bench_io.memory("")


if __name__ == "__main__":
    unittest.main()
