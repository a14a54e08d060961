# SPDX-License-Identifier: BSD-2-Clause
"""`nova test` in a small tree of its own: it counts exactly the tests that ran."""

import argparse
import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import build, ctest, errors, tap, testing

GOOD = """add_test(NAME unit.good COMMAND echo fine)
set_tests_properties(unit.good PROPERTIES LABELS unit)
"""
BAD = 'add_test(NAME unit.bad COMMAND sh -c "echo what happened; exit 1")\n'
SKIPPED = """add_test(NAME unit.skipped COMMAND sh -c "exit 77")
set_tests_properties(unit.skipped PROPERTIES SKIP_RETURN_CODE 77)
"""
DISABLED = """add_test(NAME unit.disabled COMMAND true)
set_tests_properties(unit.disabled PROPERTIES DISABLED ON)
"""
# Fails the first time. From then on it passes, unless another test of this kind runs at the same
# time.
ONCE = """add_test(NAME unit.{0} COMMAND sh -c
  "test -e {0} || {{ touch {0} && exit 1; }}; mkdir lock && sleep 0.5 && rmdir lock")
"""
# Two tests of a GoogleTest program.
PROGRAM = """foreach(case one two)
  add_test(NAME unit.${case} COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/program" --gtest_filter=a.${case})
endforeach()
"""
BROKEN = 'add_custom_target(broken ALL COMMAND sh -c "echo the reason && exit 1")\n'
# Passes when a file appears within 20 seconds.
WAITS = """import pathlib, sys, time
for _ in range(200):
    if pathlib.Path(sys.argv[1]).exists():
        sys.exit(0)
    time.sleep(0.1)
sys.exit("nothing came")
"""
LOST = "add_test(NAME unit.lost COMMAND /does/not/exist)\n"


# The small tree has fewer presets: each costs seconds in every run.
FEWER = {
    'ARCHES = ("x86_64", "x86_32")': 'ARCHES = ("x86_32",)',
    'CONFIGS = ("debug", "release")': 'CONFIGS = ("release",)',
}
FEWER_OF_A_RUN = {
    '"x86_64-release", "x86_32": "x86_32-debug"': '"x86_32-release", "x86_32": "x86_32-release"',
    'SECOND, SECOND_LABEL = "x86_64-release-clang", "conformance"':
        'SECOND, SECOND_LABEL = "x86_32-release-clang", "unit"',
    'ONCE = (tree.HOST_PRESET, *STANDARD.values(), SECOND)':
        'ONCE = (tree.HOST_PRESET, "x86_32-release", SECOND)',
}


class Tree(unittest.TestCase):
    """Makes a small tree with presets for the host and, with both compilers, for the release kernel
    of x86_32. They are configured from scratch only once, because that takes long."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name) / "a tree"
        cls.root.mkdir()
        for name in ("CMakeLists.txt", "CMakePresets.json"):
            shutil.copy(paths.ROOT / name, cls.root / name)
        paths.copy_part("sdk", cls.root)
        cls.remove_presets(cls.root / "sdk/lib/nova/tree.py", FEWER)
        cls.remove_presets(cls.root / "sdk/lib/nova/scope.py", FEWER_OF_A_RUN)
        # The C library takes minutes to build and is not needed here.
        (cls.root / "build").mkdir()
        (cls.root / "build/newlib").symlink_to(paths.ROOT / "build/newlib")

    @staticmethod
    def remove_presets(file, lines):
        text = file.read_text(encoding="utf-8")
        for line, fewer in lines.items():
            assert line in text, line
            text = text.replace(line, fewer)
        file.write_text(text, encoding="utf-8")

    def setUp(self):
        """Removes what earlier tests left."""
        for place in (self.root, *(self.root / "build").iterdir()):
            if place.name != "newlib":
                shutil.rmtree(place / "tests", ignore_errors=True)
        (self.root / "tests/unit").mkdir(parents=True)

    def describe(self, description):
        (self.root / "tests/unit/CMakeLists.txt").write_text(description, encoding="utf-8")

    def run_tests(self, description, *words):
        self.describe(description)
        original, paths.NOVA = paths.NOVA, self.root / "sdk/bin/nova"
        try:
            return paths.nova("test", *words, cwd=self.root)
        finally:
            paths.NOVA = original

    def ends(self, result, line, status):
        said = result.stdout + (result.stderr or "")
        self.assertEqual(result.stdout.splitlines()[-1], line, said)
        self.assertEqual(result.returncode, status)

    def test_passing(self):
        result = self.run_tests(GOOD)
        self.ends(result, "1 passed, 0 failed", 0)
        self.assertRegex(result.stdout, r"\[1/1\] host unit\.good … passed \d")

    def test_the_modules_are_compiled_once(self):
        """Each boot loads some of these modules."""
        shutil.rmtree(self.root / "sdk/lib/nova/__pycache__", ignore_errors=True)
        self.ends(self.run_tests(GOOD), "1 passed, 0 failed", 0)
        folder = self.root / "sdk/lib/nova"
        compiled = {file.name.partition(".")[0] for file in (folder / "__pycache__").iterdir()}
        self.assertEqual(compiled, {file.stem for file in folder.glob("*.py")})

    def test_failing_shows_the_output(self):
        result = self.run_tests(GOOD + BAD)
        self.ends(result, "1 passed, 1 failed", 1)
        self.assertIn("what happened", result.stdout)
        self.assertIn("failed: host unit.bad", result.stdout.splitlines()[-4:-1])

    def test_all_lines_of_a_long_output_are_in_a_file(self):
        result = self.run_tests('add_test(NAME unit.long COMMAND sh -c "seq 500; exit 1")\n')
        self.assertNotIn("\n    1\n", result.stdout)
        file = re.search(r"the last \d+ of 500 lines; all are in (.*)\)", result.stdout).group(1)
        self.assertTrue(Path(file).read_text(encoding="utf-8").startswith("1\n2\n"))

    def test_a_test_that_passes_only_when_run_again_alone_is_reported(self):
        result = self.run_tests(GOOD + ONCE.format("first") + ONCE.format("second"))
        self.ends(result, "3 passed, 0 failed", 0)
        lines = result.stdout.splitlines()
        for name in ("first", "second"):
            self.assertIn(f"passed only when run again alone: host unit.{name}", lines[-4:-1])
        self.assertNotIn("again alone: host unit.good", result.stdout)

    def test_a_program_that_fails_though_each_of_its_tests_passes_alone_is_reported(self):
        program = self.root / "tests/unit/program"
        for script, line, status, shown in (
            ("a.one:*) echo what happened; exit 1", "2 passed, 0 failed", 0, 1),
            ("a.one*) echo what happened; exit 1", "1 passed, 1 failed", 1, 0),
        ):
            program.write_text(f"#!/bin/sh\ncase ${{1#*=}} in {script};; esac\n", encoding="utf-8")
            program.chmod(0o700)
            result = self.run_tests(PROGRAM)
            self.ends(result, line, status)
            for said in ("passed only when run again alone: host program\n",
                         "host program: failed, but each of its tests passed alone\n"
                         "    what happened\n"):
                self.assertEqual(result.stdout.count(said), shown, result.stdout)

    def test_settings_of_googletest_do_not_reach_a_test_that_runs_alone(self):
        with mock.patch.dict(os.environ, GTEST_TOTAL_SHARDS="2"):
            result = self.run_tests("add_test(NAME unit.one COMMAND printenv GTEST_TOTAL_SHARDS)\n")
        self.ends(result, "0 passed, 1 failed", 1)

    def test_a_test_that_fails_twice_has_failed(self):
        result = self.run_tests(BAD + ONCE.format("first"))
        self.ends(result, "1 passed, 1 failed", 1)
        self.assertNotIn("again alone: host unit.bad", result.stdout)

    def test_more_failures_than_twenty_are_not_run_again(self):
        result = self.run_tests("".join(ONCE.format(f"t{number}") for number in range(21)))
        self.ends(result, "0 passed, 21 failed", 1)

    def test_a_test_whose_preparation_failed_once_runs_again_too(self):
        needs = """set_tests_properties(unit.first PROPERTIES FIXTURES_SETUP it)
set_tests_properties(unit.good PROPERTIES FIXTURES_REQUIRED it)
"""
        self.ends(self.run_tests(GOOD + ONCE.format("first") + needs), "2 passed, 0 failed", 0)

    def test_a_test_that_did_not_run_is_named_and_not_a_success(self):
        for name, description in (("skipped", SKIPPED), ("disabled", DISABLED), ("lost", LOST)):
            with self.subTest(name=name):
                result = self.run_tests(GOOD + description)
                self.ends(result, "1 passed, 0 failed", 1)
                self.assertIn(f"not run: host unit.{name}\n", result.stdout)
                self.assertRegex(result.stdout, r"\n1 not run, [^\n]*\n[^\n]*\n\Z")

    def test_no_test_at_all_is_not_a_success(self):
        self.ends(self.run_tests(""), "0 passed, 0 failed", 1)

    def test_labels_and_names_select(self):
        self.ends(self.run_tests(GOOD + BAD, "unit.good"), "1 passed, 0 failed", 0)
        labelled = 'set_tests_properties(unit.bad PROPERTIES LABELS "slow;other")\n'
        self.ends(self.run_tests(GOOD + BAD + labelled, "other"), "0 passed, 1 failed", 1)
        self.ends(self.run_tests(GOOD + BAD, "unit"), "1 passed, 1 failed", 1)

    def test_the_second_compiler_runs_the_tests_named_with_it(self):
        test = ctest.Test("x86_64-release-clang", 1, "stress.ipc.cpus-1", ["stress"], True)
        for words, compiler, chosen in (
            ([], None, []),
            (["stress"], None, []),
            ([], "clang", []),
            (["stress"], "clang", [test]),
        ):
            args = argparse.Namespace(words=words, compiler=compiler, config=None)
            self.assertEqual(testing.select([test], args), chosen)

    def test_the_longest_tests_begin_first_even_in_the_first_run(self):
        shutil.rmtree(self.root / "build/host/Testing", ignore_errors=True)
        slow = "add_test(NAME unit.slow COMMAND sleep 1)\n"
        limit = "set_tests_properties(unit.slow PROPERTIES TIMEOUT 1000)\n"
        many = "".join(f"add_test(NAME unit.n{n} COMMAND sleep 1)\n" for n in range(8))
        result = self.run_tests(many + slow + limit)
        self.ends(result, "9 passed, 0 failed", 0)
        ended = re.findall(r"host (unit\.\w+) … passed", result.stdout)
        self.assertIn("unit.slow", ended[: len(ended) // 2])

    def test_a_run_says_how_long_its_parts_took(self):
        result = self.run_tests(GOOD + "add_test(NAME unit.slow COMMAND sleep 1)\n")
        self.assertRegex(result.stdout, r"\n    host: tests +\d+ s, +\d+ s of processors\n")
        # A test that sleeps uses no processor.
        self.assertRegex(result.stdout, r"\n    host: (?=.*\(none\) 0 s \(1\)).*unit 0 s \(1\)")
        self.assertRegex(result.stdout, r"\nnova: \d+ of \d+ s of processors were not used by this")
        self.assertIn("\nnova: 2 different cases passed, however many presets", result.stdout)

    def test_a_name_that_cmake_makes_in_small_letters_is_known(self):
        made = GOOD.replace("unit.good", "unit.${part}")
        self.assertNotEqual(made, GOOD)
        small = "string(TOLOWER Capital part)\n"
        self.ends(self.run_tests(small + made, "unit.capital"), "1 passed, 0 failed", 0)

    def test_endurance_runs_only_when_it_is_named(self):
        labelled = 'set_tests_properties(unit.bad PROPERTIES LABELS endurance)\n'
        self.ends(self.run_tests(GOOD + BAD + labelled), "1 passed, 0 failed", 0)
        self.ends(self.run_tests(GOOD + BAD + labelled, "endurance"), "0 passed, 1 failed", 1)

    def test_endurance_is_not_named_by_the_beginning_of_a_name_or_another_label(self):
        labelled = GOOD + BAD
        labelled += 'set_tests_properties(unit.bad PROPERTIES LABELS "unit;endurance")\n'
        self.ends(self.run_tests(labelled, "unit"), "1 passed, 0 failed", 0)
        self.ends(self.run_tests(labelled, "unit.bad"), "0 passed, 1 failed", 1)
        self.ends(self.run_tests(labelled, "unit", "endurance"), "1 passed, 1 failed", 1)

    def test_a_word_that_fits_only_endurance_tests_is_refused_with_the_names_to_use(self):
        long = BAD.replace("unit.bad", "unit.bad.long")
        long += "set_tests_properties(unit.bad.long PROPERTIES LABELS endurance)\n"
        result = self.run_tests(GOOD + long, "unit.bad")
        self.assertEqual(result.returncode, 2)
        self.assertIn("name them exactly (unit.bad.long) or their label (endurance)", result.stderr)

    def test_an_unknown_word_is_wrong_usage(self):
        result = self.run_tests(GOOD, "unit.good", "nothing")
        self.assertEqual(result.returncode, 2)
        self.assertIn("'nothing'", result.stderr)

    def test_an_unknown_word_is_refused_before_anything_is_built(self):
        before = self.configured()
        self.assertEqual(self.run_tests(GOOD, "frobnicate").returncode, 2)
        self.assertEqual(self.configured(), before)

    def configured(self):
        """Returns the time at which each preset was configured."""
        found = (self.root / "build").glob("*/build.ninja")
        return {file: file.stat().st_mtime_ns for file in found}

    def test_interrupted_tests_end_with_what_they_have(self):
        slow = 'add_test(NAME unit.slow COMMAND sleep 60)\n'
        self.describe(GOOD + slow)
        process = subprocess.Popen(
            [str(self.root / "sdk/bin/nova"), "test"], stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL, cwd=self.root,
        )
        with process:
            lines = [process.stdout.readline()]
            self.assertIn("unit.good … passed", lines[0])
            process.terminate()
            lines += process.stdout.read().splitlines()
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)
        self.assertIn("not run: host unit.slow", lines)
        self.assertEqual(lines[-2:], ["1 not run, which is not a success", "1 passed, 0 failed"])

    def test_interrupted_tests_show_the_output_of_those_that_failed(self):
        self.describe(BAD + 'add_test(NAME unit.slow COMMAND sleep 60)\n')
        process = subprocess.Popen(
            [str(self.root / "sdk/bin/nova"), "test"], stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL, cwd=self.root,
        )
        with process:
            self.assertIn("unit.bad … failed", process.stdout.readline())
            process.terminate()
            lines = process.stdout.read().splitlines()
        self.assertIn("--- host unit.bad: failed", lines)
        self.assertIn("    what happened", lines)

    def test_a_build_folder_that_was_copied_is_configured_again(self):
        self.run_tests(GOOD)
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder) / "other"
            shutil.copytree(self.root, other, symlinks=True)
            (other / "tests/unit/CMakeLists.txt").write_text(BAD, encoding="utf-8")
            result = subprocess.run(
                [str(other / "sdk/bin/nova"), "test", "unit"], stdout=subprocess.PIPE, text=True,
                stderr=subprocess.STDOUT, cwd=other, check=False,
            )
        self.assertIn("host was copied from another place and is configured again", result.stdout)
        self.ends(result, "0 passed, 1 failed", 1)

    def test_a_build_that_fails_is_a_failure(self):
        result = self.run_tests(GOOD + BROKEN)
        self.ends(result, "0 passed, 1 failed", 1)
        self.assertIn("the reason", result.stdout)
        self.assertIn("could not be built, which is a failure: host, whose", result.stdout)

    def forget_configurations(self):
        """Lets each preset be configured again: a configuration skips a folder that does not exist,
        and CMake does not notice when the folder is made later."""
        for stamp in (self.root / "build").glob(f"*/{build.STAMP}"):
            stamp.unlink()

    def test_the_hosts_tests_begin_before_the_kernels_are_built(self):
        self.forget_configurations()
        mark, script = self.root / "build/mark", self.root / "tests/boot/waits.py"
        script.parent.mkdir()
        script.write_text(WAITS, encoding="utf-8")
        (self.root / "tests/boot/CMakeLists.txt").write_text(
            f'add_custom_target(waits ALL COMMAND "${{NOVA_PYTHON}}" "{script}" "{mark}")\n'
            "add_test(NAME boot.good COMMAND echo fine)\n"
            "set_tests_properties(boot.good PROPERTIES LABELS unit)\n", encoding="utf-8",
        )
        result = self.run_tests(f'add_test(NAME unit.marks COMMAND touch "{mark}")\n')
        self.ends(result, "3 passed, 0 failed", 0)

    def test_builds_that_fail_beside_a_test_that_passes_are_failures(self):
        self.forget_configurations()
        (self.root / "tests/boot").mkdir()
        (self.root / "tests/boot/CMakeLists.txt").write_text(BROKEN, encoding="utf-8")
        result = self.run_tests(GOOD)
        self.ends(result, "1 passed, 2 failed", 1)
        self.assertIn("a failure: x86_32-release-clang, whose", result.stdout)


def finished(output, result=tap.PASSED):
    return ctest.Test("p", 1, "t", [], True, result, 0.0, output)


class TapCounts(unittest.TestCase):
    def count(self, test):
        totals = testing.Totals()
        testing._count(test, totals)
        return totals.passed, totals.failed, len(totals.not_run)

    def test_each_case_counts(self):
        self.assertEqual(self.count(finished("1..2\nok 1\nok 2\n")), (2, 0, 0))
        self.assertEqual(self.count(finished("1..2\nok 1\nnot ok 2\n", tap.FAILED)), (1, 1, 0))

    def test_missing_cases_are_not_run(self):
        self.assertEqual(self.count(finished("1..3\nok 1\n", tap.FAILED)), (1, 0, 2))

    def test_a_failure_beside_good_cases_counts(self):
        self.assertEqual(self.count(finished("1..1\nok 1\n", tap.FAILED)), (1, 1, 0))

    def test_no_stream_is_a_failure_even_if_the_test_passed(self):
        self.assertEqual(self.count(finished("", tap.PASSED)), (0, 1, 0))

    def test_a_failure_is_named_with_its_case_or_its_reason(self):
        totals = testing.Totals()
        testing._count(finished("1..2\nok 1\nnot ok 2 - two\n", tap.FAILED), totals)
        testing._count(finished("1..1\nok 1\n", tap.FAILED), totals)
        testing._count(finished("", tap.PASSED), totals)
        names = ["p t 2 two", "p t: the run itself", "p t: no case ran"]
        self.assertEqual(totals.failures, names)
        self.assertEqual(totals.failed, 3)

    def test_many_failures_are_counted_instead_of_named(self):
        totals = testing.Totals()
        for number in range(testing.SHOWN_FAILURES + 2):
            totals.fail(f"test {number}")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            testing._finish(totals, 0)
        lines = out.getvalue().splitlines()
        self.assertEqual(lines[0], "failed: test 0")
        shown = lines[testing.SHOWN_FAILURES - 1 : testing.SHOWN_FAILURES + 1]
        self.assertEqual(shown, ["failed: test 49", "failed: 2 more"])

    def test_a_test_that_did_not_run_has_no_cases(self):
        self.assertEqual(self.count(finished("", tap.NOT_RUN)), (0, 0, 1))


class Words(unittest.TestCase):
    def test_a_name_with_the_number_of_its_cpus_is_plausible(self):
        testing._check_plausible(["linux-smp-2cpu", "vmm.bad-guests-4cpu"])

    def test_a_word_that_stands_nowhere_is_not(self):
        for word in ("linux-smqp", "2cpu"):
            with self.assertRaises(errors.NovaError):
                testing._check_plausible([word])


if __name__ == "__main__":
    unittest.main()
