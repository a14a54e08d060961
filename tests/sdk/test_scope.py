# SPDX-License-Identifier: BSD-2-Clause
"""tests/presets.tsv: the presets of each test, and the tests of --quick."""

import argparse
import tempfile
import unittest
from fnmatch import fnmatchcase
from pathlib import Path

import paths
from nova import ctest, errors, scope, testing, tree

GCC = ("x86_64-release", "x86_32-release", "x86_64-debug", "x86_32-debug")
CLANG = ("x86_64-release-clang",)
ON_REQUEST = ("x86_32-release-clang",)


def named(name, preset, *labels, source=""):
    return ctest.Test(preset, 1, name, list(labels), False, source=source)


def where(name, *labels, source=""):
    """Returns the presets that run a test."""
    rows = scope.read()
    return {
        preset for preset in (*GCC, *CLANG)
        if scope.runs(rows, named(name, preset, *labels, source=source))
    }


class Rows(unittest.TestCase):
    def test_each_row_names_presets_that_exist(self):
        known = {*GCC, *CLANG, *ON_REQUEST, tree.HOST_PRESET}
        for row in scope.read():
            for pattern in row.presets:
                with self.subTest(row=row.pattern, pattern=pattern):
                    self.assertTrue([one for one in known if fnmatchcase(one, pattern)])

    def test_the_presets_are_those_of_a_run_with_all(self):
        args = argparse.Namespace(arch=None, config=None, compiler=None, words=[], all=True)
        self.assertEqual({*GCC, *CLANG, tree.HOST_PRESET}, set(scope.presets(args)))

    def test_a_run_without_all_has_each_width_each_configuration_and_each_compiler(self):
        args = argparse.Namespace(arch=None, config=None, compiler=None, words=[], all=False)
        self.assertEqual(
            scope.presets(args),
            ["host", "x86_64-release", "x86_32-debug", "x86_64-release-clang", "x86_32-release",
             "x86_64-debug"],
        )

    def test_a_preset_with_an_exclamation_mark_is_never_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "presets.tsv"
            file.write_text("tests\tpresets\treason\na\tx86_64-debug! x86_32-debug\twhy\n",
                            encoding="utf-8")
            rows = scope.read(file)
        self.assertEqual(rows[0].presets, ("x86_64-debug", "x86_32-debug"))
        found = {one for one in GCC if scope.runs_once(rows, named("a", one))}
        self.assertEqual(found, {"x86_64-debug"})
        self.assertTrue(scope.runs(rows, named("a", "x86_32-debug")))

    def test_a_run_without_all_takes_the_presets_of_the_row_or_the_one_of_its_width(self):
        for presets, expected in (
            ("*-release *-debug", {"x86_64-release", "x86_32-debug"}),
            ("x86_64-release x86_32-release", {"x86_64-release"}),
            ("x86_64-debug x86_32-debug", {"x86_32-debug"}),
            ("x86_64-debug", {"x86_64-release"}),
            ("x86_32-release x86_64-release-clang", {"x86_64-release"}),
            ("x86_64-release x86_64-release-clang", {"x86_64-release"}),
            ("x86_32-release x86_64-debug", {"x86_32-debug"}),
        ):
            rows = [scope.Row("a", tuple(presets.split()), "why")]
            with self.subTest(presets=presets):
                self.assertEqual(
                    {one for one in scope.ONCE if scope.runs_once(rows, named("a", one))}, expected
                )
        for one in scope.ONCE:
            self.assertEqual(scope.runs_once([], named("a", one)), one != scope.SECOND)

    def test_a_run_without_all_has_the_conformance_suite_of_the_second_compiler(self):
        for presets, expected in (
            ("*-clang", {"x86_64-release-clang"}),
            ("x86_32-debug *-clang", {"x86_32-debug", "x86_64-release-clang"}),
        ):
            rows = [scope.Row("label:conformance", tuple(presets.split()), "why")]
            found = {one for one in scope.ONCE
                     if scope.runs_once(rows, named("a", one, "conformance"))}
            self.assertEqual(found, expected)

    def test_each_name_that_a_row_has_runs_without_all(self):
        for row in scope.read():
            found = [one for one in (*scope.ONCE, *row.always)
                     if scope.runs_once([row._replace(pattern="a")], named("a", one))]
            self.assertTrue(found, row.pattern)

    def test_a_request_for_a_width_or_the_compiler_chooses_the_other_clang_kernel(self):
        for chosen in ({"arch": "x86_32"}, {"compiler": "clang"}):
            args = argparse.Namespace(**{"arch": None, "config": None, "compiler": None, **chosen})
            self.assertLessEqual(set(ON_REQUEST), set(scope.presets(args)))

    def test_the_first_row_that_fits_decides(self):
        rows = [
            scope.Row("a.b", ("x",), "why"), scope.Row("a.*", ("y",), "why"),
            scope.Row("label:l", ("z",), "why"), scope.Row("folder:f/*", ("v*",), "why"),
        ]
        for test, runs in (
            (named("a.b", "x"), True), (named("a.b", "y"), False), (named("a.c", "y"), True),
            (named("b", "z", "k", "l"), True), (named("b", "y", "l"), False),
            (named("b", "w"), True), (named("c", "v1", source="f/g"), True),
            (named("c", "w", source="f/g"), False),
        ):
            with self.subTest(test=test):
                self.assertEqual(scope.runs(rows, test), runs)

    def test_a_row_that_fits_no_test_and_a_test_without_a_preset_are_mistakes(self):
        rows = [scope.Row("a", ("x",), "why"), scope.Row("label:l", ("y",), "why")]
        tests = [named("a", "x"), named("a", "y"), named("b", "x", "k")]
        self.assertEqual(scope.mistakes(rows, tests), ["no test fits 'label:l'"])
        tests.append(named("c", "x", "l"))
        self.assertEqual(scope.mistakes(rows, tests), ["no preset runs c"])
        self.assertEqual(scope.mistakes(rows, [*tests, named("c", "y", "l")]), [])

    def test_a_mistake_is_among_the_failures_at_the_end_of_a_run(self):
        totals = testing.Totals()
        testing._check_scope([named("no row fits this", "x86_64-release")], totals, scope.runs)
        self.assertEqual(totals.failed, len(totals.failures))
        self.assertIn("presets.tsv: no test fits 'secure.stub'", totals.failures)
        self.assertEqual(totals.status(), errors.EXIT_FAILED)

    def test_each_test_of_the_host_runs_there(self):
        known = ctest.list_tests(tree.HOST_PRESET)
        rows = scope.read()
        self.assertGreater(len(known), 100)
        self.assertEqual([test.name for test in known if not scope.runs(rows, test)], [])

    def test_a_row_without_a_reason_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "presets.tsv"
            file.write_text("tests\tpresets\treason\na\tb\n", encoding="utf-8")
            with self.assertRaisesRegex(errors.NovaError, "presets.tsv:2 does not have three"):
                scope.read(file)

    def test_cases_of_conformance_run_on_both_widths_with_each_kernel(self):
        groups = (paths.ROOT / "tests/conformance/CMakeLists.txt").read_text(encoding="utf-8")
        for line in groups.splitlines():
            if not line.startswith("nova_add_conformance("):
                continue
            group = line.partition("(")[2].split()[0]
            cpus = line.partition(" CPUS ")[2].split("AREAS")[0].split() or ["1", "4"]
            cpus = [number for number in cpus if number.isdigit()]
            presets = [where(f"conformance.{group}.cpus-{n}", "conformance") for n in cpus]
            with self.subTest(group=group):
                everywhere = set.union(*presets)
                if group in ("large",):  # the rounds of this group take long
                    self.assertEqual(everywhere, {"x86_64-release", "x86_32-debug"})
                    continue
                if "4" in cpus:  # the whole suite
                    everywhere |= where("stretch.conformance.cpus-4", "stretch")
                self.assertLessEqual(set(GCC), everywhere)
                if "1" in cpus:
                    self.assertLessEqual(set(CLANG), everywhere)

    def test_programs_over_the_runtime_run_on_each_preset(self):
        """sdk.installed-examples boots examples that clang has compiled."""
        tests = where("runtime.sync.cpus-4", "runtime") | where("runtime.sync.cpus-1", "runtime")
        examples = where("hello-4cpu", "boot", source="examples/hello")
        self.assertEqual(tests | examples, {*GCC, *CLANG})
        for presets, compilers in ((tests, {"clang"}), (examples, set())):
            words = {word for preset in presets for word in preset.split("-")}
            self.assertLessEqual({"x86_64", "x86_32", "release", "debug", *compilers}, words)

    def test_a_long_run_on_few_cpus_has_other_presets_than_on_four(self):
        for name in ("runtime.service-crowd.{}cpu", "runtime.cpu-sets.{}cpu"):
            few, four = (where(name.format(n), "boot", "runtime") for n in (1, 4))
            self.assertFalse(few & four)
            words = {word for preset in few | four for word in preset.split("-")}
            self.assertLessEqual({"x86_64", "x86_32", "release", "debug", "clang"}, words)

    def test_storms_run_on_each_kernel(self):
        found = {one for n in (1, 2, 4) for one in where(f"stress.storm.cpus-{n}", "stress")}
        self.assertEqual(found | where("stretch.storm.cpus-4", "stretch"), set(GCC))


class Choice(unittest.TestCase):
    def selected(self, test, *words, **chosen):
        args = {"arch": None, "config": None, "compiler": None, "quick": False, **chosen}
        return testing.select([test], argparse.Namespace(words=list(words), **args)) == [test]

    def test_a_name_or_a_chosen_kernel_overrules_the_rows(self):
        test = named("sdk.recipe", "x86_32-debug", "sdk")
        self.assertFalse(self.selected(test))
        self.assertFalse(self.selected(test, "sdk"))
        self.assertFalse(self.selected(test, config="debug"))
        self.assertTrue(self.selected(test, "sdk.recipe"))
        self.assertTrue(self.selected(test, "sdk", config="debug"))
        self.assertFalse(self.selected(test, "docs", config="debug"))

    def test_all_and_words_overrule_the_choice_of_one_kernel(self):
        test = named("boot.size.x", "x86_32-release", "boot")
        self.assertFalse(self.selected(test))
        self.assertTrue(self.selected(test, all=True))
        self.assertTrue(self.selected(test, "boot"))

    def test_quick_and_all_are_chosen_alone(self):
        for words in (["unit"], ["--arch", "x86_64"], ["--config", "debug"], ["--coverage"]):
            for option in ("--quick", "--all"):
                result = paths.nova("test", option, *words)
                self.assertEqual(result.returncode, 2)
                self.assertIn(f"{option} chooses tests and presets itself", result.stderr)
        self.assertEqual(paths.nova("test", "--quick", "--all").returncode, 2)

    def test_quick_builds_the_host_and_one_kernel_of_each_width(self):
        args = argparse.Namespace(words=[], quick=True)
        self.assertEqual(
            scope.presets(args), ["host", "x86_64-release", "x86_32-release"]
        )

    def test_quick_runs_conformance_and_each_example_once(self):
        tests = [
            named("hello-1cpu", "x86_64-release", "boot", source="examples/hello"),
            named("hello-4cpu", "x86_64-release", "boot", source="examples/hello"),
            named("hello-long", "x86_64-release", "endurance", source="examples/long"),
            named("conformance.ipc.cpus-1", "x86_64-release", "conformance"),
            named("conformance.ipc.cpus-4", "x86_64-release", "conformance"),
            named("conformance.ipc.bochs-1", "x86_64-release", "bochs"),
            named("stress.storm.cpus-4", "x86_64-release", "stress"),
        ]
        names = [test.name for test in scope.quick(tests)]
        self.assertEqual(
            names, ["hello-1cpu", "conformance.ipc.cpus-1", "conformance.ipc.cpus-4"]
        )
        other = [named(test.name, "x86_32-release", source=test.source) for test in tests]
        self.assertEqual([test.name for test in scope.quick(other)], names[1:])
        host = [named("kernel.x", "host", "unit"), named("style.tidy", "host", "style")]
        self.assertEqual([test.name for test in scope.quick(host)], ["kernel.x"])

    def test_the_tests_that_quick_names_exist(self):
        descriptions = "".join(
            (paths.ROOT / f"tests/{part}/CMakeLists.txt").read_text(encoding="utf-8")
            for part in ("style", "docs", "sdk")
        )
        for name in scope.QUICK["host"]:
            if not name.startswith(("label:", "abi-")):
                self.assertIn(name.partition(".")[2], descriptions)


if __name__ == "__main__":
    unittest.main()
