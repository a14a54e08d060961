# SPDX-License-Identifier: BSD-2-Clause
"""The list of mutations matches the tree, the table of tests that catch them matches the list, and
code is replaced only at its place."""

import re
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

import paths  # noqa: F401
from nova import conformance, mutation, mutation_copy, mutation_table, mutation_tests, tree
from nova.errors import EXIT_FAILED, EXIT_OK, EXIT_TIMEOUT, NovaError
from nova.qemu import Machine
from nova.runner import Outcome

ONE = (
    "# why\nname: a b\nfile: x.c\nfunction: one\npattern: a = f(1)\nnew: a = 2\n"
    "areas: ipc hip\ncpus: 1\n"
)
# Maximum number of rows in the table that wait for a run with --record.
MOST_OPEN = 0
OTHER = "static void two(int a)\n{\n        a = f(1);\n}\n"


class Mutations(unittest.TestCase):
    def test_a_paragraph_is_a_mutation(self):
        found = mutation.parse("# comment\n\n" + ONE + "\n" + ONE)
        self.assertEqual(len(found), 2)
        self.assertEqual((found[0].name, found[0].areas, found[0].cpus), ("a b", ["ipc", "hip"], 1))
        self.assertEqual((found[0].arch, found[0].emulator), ("x86_64", "qemu"))

    def test_a_missing_or_unknown_line_is_refused(self):
        for text in (ONE.replace("new", "now"), ONE.replace("name: a b\n", ""),
                     ONE + "emulator: boch\n", ONE.replace("areas: ipc hip\n", "")):
            with self.assertRaises(NovaError):
                mutation.parse(text)

    def broken(self, body, head="void one(int a)"):
        """Returns the new text of a function beside another one."""
        one = mutation.parse(ONE)[0]
        done = mutation.apply(one, f"{OTHER}\n{head}\n{{\n{body}\n}}\n\n{OTHER}")
        self.assertEqual(done.count("f(1)"), 2)
        return done.split(f"{head}\n{{\n")[1].split("\n}\n")[0]

    def test_the_pattern_is_replaced_in_its_function_only(self):
        self.assertEqual(self.broken("  a = f(1);"), "  a = 2;")
        self.assertEqual(self.broken("  b(); a = f(1); c();"), "  b(); a = 2; c();")
        head = "static int\none(int a,\n    int b)"
        self.assertEqual(self.broken("  a = f(1);", head), "  a = 2;")

    def test_blanks_and_ends_of_lines_do_not_matter(self):
        self.assertEqual(self.broken("\ta  =\n\t\tf( 1 ) ;"), "\ta = 2 ;")

    def refused(self, text, words):
        with self.assertRaisesRegex(NovaError, f"mutation 'a b': {words}; update .*mutations.txt"):
            mutation.apply(mutation.parse(ONE)[0], text)

    def test_a_pattern_that_matches_no_place_or_several_is_one_error(self):
        self.refused(OTHER, "there is no one of x.c")
        self.refused("void one(int a);\n", "there is no one of x.c")
        once = "a = f(1);"
        for body, times in (("", 0), (f"b{once}", 0), ("a = f(12);", 0), (once + once, 2)):
            words = f"'a = f.1.' occurs {times} times in one of x.c, not once"
            self.refused(f"void one(int a)\n{{\n{body}\n}}\n", words)

    def test_a_mutation_that_changes_nothing_is_refused(self):
        one = mutation.parse(ONE.replace("a = 2", "a = f(1)"))[0]
        with self.assertRaisesRegex(NovaError, "it changes nothing"):
            mutation.apply(one, OTHER.replace("two", "one"))

    def test_macros_and_labels_of_assembly_are_functions_too(self):
        for text in ("#define one(x) \\\n        a = f(1)\n#define b a = f(1)\n",
                     "two:\n  a = f(1)\none:\n  a = f(1)\nthree:\n  a = f(1)\n",
                     ".macro one\n  a = f(1)\n.endm\n  a = f(1)\n"):
            done = mutation.apply(mutation.parse(ONE)[0], text)
            self.assertEqual(done.count("a = 2"), 1)
            self.assertEqual(done.split("a = 2")[0].count("f(1)"), text.startswith("two"))

    def test_areas_are_booted_on_the_machines_that_they_need(self):
        boots = list(mutation_tests.machines("kernel", "program", 4, ["limit", "shortage"]))
        self.assertEqual([one.modules[0].arguments for one in boots],
                         ["area=limit", "area=shortage"])
        self.assertEqual([one.cmdline for one in boots], ["", "kmem=4M"])
        self.assertEqual({(one.cpus, one.cpu) for one in boots}, {(4, Machine.cpu)})

    def test_vmx_is_booted_under_bochs_without_devices_of_qemu(self):
        one = mutation.parse(ONE + "emulator: bochs\n")[0]
        boots = list(mutation_tests.machines("kernel", "program", 1, ["create"], one.emulator))
        self.assertEqual([(boot.emulator, boot.extra) for boot in boots], [("bochs", [])])
        runner = mutation_tests.RUNNERS[one.emulator]
        self.assertTrue(issubclass(runner, mutation_tests.BochsRunner))

    def test_a_mutation_that_must_stop_the_kernel_is_built_for_debug(self):
        plain, stops = mutation.parse(ONE + "\n" + ONE + "stop: assertion 'a' failed\n")
        self.assertEqual(plain.preset(), "x86_64-release")
        self.assertEqual(stops.preset(), "x86_64-debug")

    def test_only_the_timeout_status_means_that_a_run_did_not_end_in_time(self):
        runner = mutation_tests.FirstOfBochs(Machine(kernel="k", modules=[], emulator="bochs"))
        runner.timed_out = True  # Bochs does not end by itself
        verdicts = {status: mutation_tests.verdict(runner, Outcome(status, "odd", b""))
                    for status in (EXIT_OK, EXIT_FAILED, EXIT_TIMEOUT)}
        self.assertEqual(verdicts, {
            EXIT_OK: None, EXIT_FAILED: "conformance: odd",
            EXIT_TIMEOUT: "conformance: no end in time",
        })

    def test_a_kernel_has_stopped_if_the_sentence_and_the_stop_are_there(self):
        def verdict(console):
            return mutation_tests.stop_line(Outcome(1, "", console), "assertion 'a'")

        line = b"NOVA: assertion 'a' failed at x.c:1 (CPU 0)\r\n"
        self.assertEqual(verdict(line + b"NOVA: stopped\r\n"), line.decode().strip())
        for console in (line, b"NOVA: stopped\n", b"NOVA: b\nNOVA: stopped\n", b"x " + line):
            self.assertIsNone(verdict(console))

    def test_one_case_is_booted_alone(self):
        [boot] = mutation_tests.machines("kernel", "program", 4, ["ipc"], case="a_call")
        self.assertEqual(boot.modules[0].arguments, "area=ipc case=a_call")

    def test_every_mutation_of_the_list_fits_the_tree(self):
        found = mutation.parse(mutation.FILE.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(found), 250)
        self.assertGreaterEqual(sum(bool(one.stop) for one in found), 10)
        self.assertEqual(len({one.name for one in found}), len(found))
        for one in found:
            with self.subTest(mutation=one.name):
                text = (tree.ROOT / one.file).read_text(encoding="utf-8")
                self.assertNotEqual(mutation.apply(one, text), text)
                self.assertIn(one.component(), mutation.COMPONENTS.values())
                self.assertIn(one.arch, tree.ARCHES)
                self.assertLessEqual(set(one.areas), set(conformance.areas()))


class FakeSuite:
    """Simulates a suite of tests. A run of all tests returns FAILS. A single test fails if it is in
    ALONE."""

    def __init__(self, fails=None, alone=()):
        self.fails, self.alone, self.runs = fails, alone, 0

    def run(self):
        self.runs += 1
        return self.fails

    def again(self, known):
        return known if known in self.alone else None


class Judging(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "x.c").write_text("void one(void)\n{\n  a = f(1);\n}\n", encoding="utf-8")
        self.addCleanup(setattr, mutation_tests, "suites", mutation_tests.suites)

    def judge(self, suites, known=None):
        mutation_tests.suites = lambda copy, one: suites
        return mutation.judge(self, mutation.parse(ONE)[0], known)

    def test_no_suite_runs_after_the_first_one_that_fails(self):
        suites = [FakeSuite(), FakeSuite("b"), FakeSuite("c")]
        self.assertEqual(self.judge(suites), "b")
        self.assertEqual([suite.runs for suite in suites], [1, 1, 0])
        self.assertIsNone(self.judge([FakeSuite()]))

    def test_the_test_that_caught_the_mutation_last_time_runs_first_and_alone(self):
        suites = [FakeSuite("a"), FakeSuite("b", alone=["b"])]
        self.assertEqual(self.judge(suites, "b"), "b")
        self.assertEqual([suite.runs for suite in suites], [0, 0])
        self.assertEqual(self.judge(suites, "gone"), "a")

    def test_the_file_is_mutated_during_the_run_and_restored_afterwards(self):
        file = self.root / "x.c"
        before = file.read_text(encoding="utf-8")
        suite = FakeSuite()
        suite.run = lambda: file.read_text(encoding="utf-8")
        self.assertIn("a = 2", self.judge([suite]))
        self.assertEqual(file.read_text(encoding="utf-8"), before)


class Tests(unittest.TestCase):
    def test_unit_tests_run_before_areas_and_boots(self):
        one = mutation.parse(ONE + "tests: runtime.sync.cpus-4 unit-kernel\n")[0]
        kinds = [type(suite) for suite in mutation_tests.suites(None, one)]
        self.assertEqual(kinds, [mutation_tests.Unit, mutation_tests.Areas, mutation_tests.Boot])

    def test_a_filter_takes_some_of_a_programs_tests(self):
        suite = mutation_tests.Unit(None, "unit-kernel:dma.*:elf.*")
        self.assertEqual((suite.program, suite.filter), ("unit-kernel", "dma.*:elf.*"))
        self.assertIsNone(suite.again("unit-platform acpi.a"))

    def test_the_first_test_of_a_program_that_failed_or_crashed_is_named(self):
        begun = "[ RUN      ] A.one\n[       OK ] A.one (0 ms)\n[ RUN      ] A.two\n"
        self.assertEqual(mutation_tests.failed_unit(begun), "A.two")
        failed = begun + "[  FAILED  ] A.two, where x = 1 (0 ms)\n[ RUN      ] A.three\n"
        self.assertEqual(mutation_tests.failed_unit(failed), "A.two")
        self.assertEqual(mutation_tests.failed_unit(""), "did not run")

    def test_a_program_that_hangs_ends_with_its_children(self):
        start = time.monotonic()
        found = mutation_tests._execute(["sh", "-c", "echo a; sleep 20; true"], "/", 0.5)
        self.assertEqual(found, ("a\n", 1))
        self.assertLess(time.monotonic() - start, 10)

    def test_files_that_a_boot_test_names_are_built(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = mutation_copy.Copy(Path(folder))
            copy.known["p"] = {"nova.elf32", "bin/a", "system", "boot/system.boot", "bin/x"}
            at = copy.folder("p").resolve()
            command = ["nova", f"--roottask={at}/bin/a", f"'{at}/boot/system.boot' y", "bin/x"]
            self.assertEqual(mutation_tests.needed(copy, "p", command),
                             ["bin/a", "boot/system.boot", "nova.elf32", "system"])


class CopyOfTheTree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source, self.copy = Path(folder.name, "source"), Path(folder.name, "copy")
        for name, text in (("a/x.c", "1"), ("y", "2"), ("build/z", "3"), (".git/z", "4")):
            (self.source / name).parent.mkdir(parents=True, exist_ok=True)
            (self.source / name).write_text(text, encoding="utf-8")
        self.copy.mkdir()

    def update(self):
        return mutation_copy.bring_up_to_date(self.source, self.copy)

    def test_it_has_the_sources_and_no_build(self):
        self.assertTrue(self.update())
        files = [path for path in self.copy.rglob("*") if path.is_file()]
        self.assertEqual({str(path.relative_to(self.copy)) for path in files}, {"a/x.c", "y"})

    def test_a_file_that_did_not_change_is_not_touched(self):
        self.update()
        before = (self.copy / "y").stat().st_mtime_ns
        (self.source / "a/x.c").write_text("5", encoding="utf-8")
        self.assertTrue(self.update())
        self.assertEqual((self.copy / "a/x.c").read_text(encoding="utf-8"), "5")
        self.assertEqual((self.copy / "y").stat().st_mtime_ns, before)
        self.assertFalse(self.update())

    def test_a_file_that_stayed_broken_or_is_gone_from_the_tree_is_mended(self):
        self.update()
        (self.copy / "a/x.c").write_text("broken", encoding="utf-8")
        (self.source / "y").unlink()
        self.assertTrue(self.update())
        self.assertEqual((self.copy / "a/x.c").read_text(encoding="utf-8"), "1")
        self.assertFalse((self.copy / "y").exists())

    def test_a_quick_build_neither_configures_nor_lists_tests(self):
        text = ("rule X\nbuild CMakeFiles/cmake.verify_globs: G | f\n  pool = console\n"
                "build a.o: C a.c\n  FLAGS = 1\nbuild unit: L a.o\n"
                "  POST_BUILD = cd x && cmake -D TEST_TARGET=unit y\n"
                "build b: L a.o\n  POST_BUILD = objcopy b\n"
                "build build.ninja: R CMakeFiles/cmake.verify_globs | CMakeLists.txt\n  pool = x\n"
                "build all: phony b\n")
        self.assertEqual(mutation_copy.quick(text), (
            "rule X\nbuild a.o: C a.c\n  FLAGS = 1\nbuild unit: L a.o\n  POST_BUILD = :\n"
            "build b: L a.o\n  POST_BUILD = objcopy b\nbuild all: phony b\n"))

    def test_passed_tests_are_forgotten_when_the_tree_changed(self):
        self.update()
        copy = mutation_copy.Copy(self.copy)
        copy.note_passed(["unit-a", "x86_64 4 qemu ipc"])
        self.assertEqual(copy.passed(), {"unit-a", "x86_64 4 qemu ipc"})
        self.assertFalse(self.update())


class Table(unittest.TestCase):
    HEAD = mutation_table.HEADER + "\n"

    def test_it_is_read_and_written(self):
        text = self.HEAD + "b\tsurvives\twhy\na\tipc: x y\t\n"
        rows = mutation_table.parse(text)
        self.assertTrue(rows["b"].survives())
        self.assertFalse(rows["a"].survives())
        self.assertEqual(mutation_table.text_of(rows, ["b", "new", "a"]), text)

    def test_a_line_that_is_not_a_row_is_refused(self):
        for text in ("a\tb\n", self.HEAD + "a\tb\n", self.HEAD + "a\tb\t\na\tc\t\n",
                     self.HEAD + "a\tsurvives\t\n", self.HEAD + "a\tb\twhy\n"):
            with self.assertRaises(NovaError):
                mutation_table.parse(text)

    def test_a_mutation_that_survives_for_a_recorded_reason_is_not_a_failure(self):
        row = mutation_table.Row("a", mutation_table.SURVIVES, "why")
        self.assertEqual(mutation.verdict("x", None), ("caught", False))
        self.assertEqual(mutation.verdict(None, row), ("survives", False))
        self.assertEqual(mutation.verdict(None, None), ("SURVIVED", True))


class CheckedIn(unittest.TestCase):
    """The list and the table of the tree."""

    @classmethod
    def setUpClass(cls):
        cls.list = mutation.parse(mutation.FILE.read_text(encoding="utf-8"))
        cls.table = mutation_table.read()

    def test_the_table_has_each_mutation_once_in_the_order_of_the_list(self):
        self.assertEqual(list(self.table), [one.name for one in self.list])

    def test_enough_are_caught(self):
        """The tests catch at least 95 % of the kernel's mutations, 90 % of libnova's, and 85 % of
        the others."""
        whole, caught = Counter(), Counter()
        for one in self.list:
            whole[one.component()] += 1
            caught[one.component()] += not self.table[one.name].survives()
        for part, count in whole.items():
            share = {"kernel": 95, "libnova": 90}.get(part, 85)
            self.assertGreaterEqual(100 * caught[part], share * count, part)
        self.assertEqual(set(whole), set(mutation.COMPONENTS.values()))

    def test_each_recorded_test_runs_for_its_mutation(self):
        units = sources("tests/unit", "*.cc")
        cases = sources("tests/conformance/cases", "*.c")
        for one in self.list:
            row = self.table[one.name]
            with self.subTest(mutation=one.name, test=row.test):
                known = row.survives() or row.is_open()
                self.assertTrue(known or is_there(one, row.test, units, cases))

    def test_the_number_of_rows_to_record_only_falls(self):
        still_open = sum(row.is_open() for row in self.table.values())
        self.assertLessEqual(still_open, MOST_OPEN)


def sources(folder, pattern):
    """Returns the text of all files of a folder."""
    files = sorted((tree.ROOT / folder).rglob(pattern))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def is_there(one, test, units, cases):
    """Returns whether a test exists and is one of a mutation's tests."""
    case = mutation_tests.CASE.fullmatch(test)
    if test == f"stop: {one.stop}" and one.stop or test in one.tests:
        return True
    if test.startswith("conformance: "):
        return bool(one.areas)
    if case:
        return case.group(1) in one.areas and case.group(2).replace(" ", "_") in cases
    program, _, name = test.partition(" ")
    suite, _, unit = name.partition(".")
    # A parameterised test has a prefix and a number around its names.
    suite, unit = suite.rpartition("/")[2], unit.partition("/")[0]
    words = rf"TEST(_F|_P)?\(\s*{re.escape(suite)},\s*{re.escape(unit)}\)"
    programs = [entry.partition(":")[0] for entry in one.tests]
    return program in programs and bool(re.search(words, units))


if __name__ == "__main__":
    unittest.main()
