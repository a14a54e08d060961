# SPDX-License-Identifier: BSD-2-Clause
"""Presets whose tests run one after the other, without a pause between them, beside the host's."""

import os
import stat
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import ctest, lanes, parts, tap

LIMIT = 20  # maximum time in seconds for each event


def tests_of(preset, count):
    return [ctest.Test(preset, n, f"t{n}", [], False) for n in range(count)]


class Lanes(unittest.TestCase):
    """CTest is replaced by a function of the preset, which calls `done` for each test."""

    def setUp(self):
        self.presets = {}
        self.began = {name: threading.Event() for name in "abc"}
        self.ended, self.lines, self.jobs = [], [], {}

    def run_tests(self, tests, on_done, jobs, on_start):
        preset = tests[0].preset
        self.jobs[preset] = jobs
        process = mock.Mock()
        on_start(process)
        self.began[preset].set()
        rest = iter(tests)
        self.presets[preset](lambda: on_done(next(rest), tap.PASSED), process)
        return 1.5

    def new_lanes(self):
        return lanes.Lanes(
            lambda test, result: self.lines.append((test.preset, test.name, result)),
            lambda lane: self.ended.append((lane.tests[0].preset, lane.processors)),
        )

    def run_presets(self, beside=None, **counts):
        """Runs numbers of tests of the presets, one of them BESIDE the others."""
        tests = {preset: tests_of(preset, count) for preset, count in counts.items()}
        with mock.patch.object(ctest, "run_tests", self.run_tests), self.new_lanes() as running:
            if beside:
                running.begin_beside(tests[beside])
                self.wait_for(beside)
            running.run(tests.values())

    def wait_for(self, preset):
        self.assertTrue(self.began[preset].wait(LIMIT), f"{preset} did not begin")

    def test_the_next_preset_begins_when_one_test_is_left(self):
        def first(done, _):
            done()
            self.assertFalse(self.began["b"].wait(0.2), "two tests are left")
            done()
            self.wait_for("b")
            done()

        self.presets = {"a": first, "b": lambda done, _: done()}
        self.run_presets(a=3, b=1)
        self.assertEqual(self.ended, [("a", 1.5), ("b", 1.5)])
        self.assertEqual(len(self.lines), 4)

    def test_at_most_two_presets_run_at_a_time(self):
        def first(done, _):
            self.wait_for("b")
            self.assertFalse(self.began["c"].wait(0.2), "c began as the third")
            done()

        self.presets = {name: lambda done, _: done() for name in "bc"}
        self.presets["a"] = first
        self.run_presets(a=1, b=1, c=1)
        self.assertEqual([preset for preset, _ in self.ended], ["a", "b", "c"])

    def test_an_error_ends_the_other_preset_and_is_raised(self):
        killed = threading.Event()

        def first(done, _):
            self.wait_for("b")
            raise OSError("no CTest")

        def second(done, process):
            process.kill.side_effect = killed.set
            self.assertTrue(killed.wait(LIMIT))

        self.presets = {"a": first, "b": second}
        with self.assertRaisesRegex(OSError, "no CTest"):
            self.run_presets(a=1, b=1)
        self.assertTrue(killed.is_set())

    def test_a_preset_runs_beside_the_others_one_test_at_a_time(self):
        def host(done, _):
            done()
            self.wait_for("b")
            done()

        self.presets = {"a": host, "b": lambda done, _: done(), "c": lambda done, _: done()}
        self.run_presets(beside="a", a=2, b=1, c=1)
        self.assertEqual([preset for preset, _ in self.ended], ["b", "c", "a"])
        self.assertEqual(self.jobs["a"], 1)
        self.assertEqual(self.jobs["b"], ctest.JOBS - 1)

    def test_after_the_end_of_the_one_beside_the_others_have_its_job(self):
        self.presets = {name: lambda done, _: done() for name in "ab"}
        tests = {preset: tests_of(preset, 1) for preset in "ab"}
        with mock.patch.object(ctest, "run_tests", self.run_tests), self.new_lanes() as running:
            running.begin_beside(tests["a"])
            self.assertTrue(running.beside.ended.wait(LIMIT))
            running.run(tests.values())
        self.assertEqual(self.jobs, {"a": 1, "b": ctest.JOBS})
        self.assertEqual(sorted(preset for preset, _ in self.ended), ["a", "b"])

    def test_an_error_elsewhere_ends_the_one_beside(self):
        killed = threading.Event()

        def host(_, process):
            process.kill.side_effect = killed.set
            self.assertTrue(killed.wait(LIMIT))

        self.presets = {"a": host}
        with mock.patch.object(ctest, "run_tests", self.run_tests):
            with self.assertRaisesRegex(OSError, "no compiler"), self.new_lanes() as running:
                running.begin_beside(tests_of("a", 1))
                self.wait_for("a")
                raise OSError("no compiler")
        self.assertTrue(killed.is_set())


class Times(unittest.TestCase):
    def test_time_that_a_lane_used_during_a_build_does_not_count_for_the_build(self):
        times = parts.Parts()
        with mock.patch.object(parts, "processors", side_effect=[10.0, 25.0]):
            with times.measure("build"):
                parts.set_apart(9.0)
        self.assertEqual(times.parts["build"].processors, 6.0)

    def test_the_time_that_a_run_left_unused(self):
        line = "{} of 20 s of processors were not used by this run"
        self.assertEqual(parts.unused(10, 12, 2), line.format(8))
        self.assertEqual(parts.unused(10, 21, 2), line.format(0))
        with mock.patch.object(parts.os, "cpu_count", lambda: 4):
            with mock.patch.object(parts.time, "monotonic", lambda: 50.0):
                with mock.patch.object(parts, "processors", lambda: 30.0):
                    with mock.patch.object(parts, "own", lambda: 2.0):
                        found = parts.unused_since(45.0)
        self.assertEqual(found, line.format(0))
        with mock.patch.object(parts.time, "monotonic", lambda: 50.0):
            with mock.patch.object(parts, "processors", lambda: 1.0):
                self.assertGreater(int(parts.unused_since(0.0).split()[0]), 20)


PROGRAM = """#!/bin/sh
echo "$1 $2 $3" >> runs
echo "[       OK ] a.one (3 ms)"
echo "[       OK ] a/0.two, where GetParam() = 4-byte object (1500 ms)"
{}
"""


class Programs(unittest.TestCase):
    """Tests of a GoogleTest program, which is a script here."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.tests = [self.entry(n, f"unit {case}", case)
                      for n, case in enumerate(("a.one", "a/0.two", "b.three"), start=1)]

    def entry(self, number, name, case, properties=("WORKING_DIRECTORY", "LABELS")):
        test = ctest.Test("host", number, name, [], False, folder=self.folder)
        command = [str(self.folder / "program"), f"--gtest_filter={case}", "--also"]
        ctest._take_case(test, command, dict.fromkeys(properties, str(self.folder)))
        return test

    def run_all(self, rest, jobs=2):
        """Returns the numbers of the tests that ended in a common process, and those left to CTest.
        """
        program = self.folder / "program"
        program.write_text(PROGRAM.format(rest), encoding="utf-8")
        program.chmod(stat.S_IRWXU)
        together, alone, lock = [], [], threading.Lock()

        def done(test, result):
            self.assertEqual((test.result, result), (tap.PASSED, tap.PASSED))
            with lock:
                together.append(test.number)

        def run_alone(tests, *_):
            alone.extend(test.number for test in tests)
            return 0.0

        with mock.patch.object(ctest, "_run_with_ctest", run_alone):
            ctest.run_tests(self.tests, done, jobs)
        return sorted(together), sorted(alone)

    def runs(self):
        return (self.folder / "runs").read_text(encoding="utf-8").splitlines()

    def test_one_process_runs_them(self):
        self.assertEqual(self.run_all('echo "[       OK ] b.three (0 ms)"'), ([1, 2, 3], []))
        self.assertEqual(
            self.runs(), ["--gtest_filter=a.one:a/0.two:b.three --also --gtest_color=no"])
        self.assertEqual([test.seconds for test in self.tests], [0.003, 1.5, 0])

    def test_one_that_did_not_pass_runs_alone(self):
        self.assertEqual(self.run_all('echo "[  SKIPPED ] b.three (0 ms)"'), ([1, 2], [3]))
        self.assertEqual(self.run_all('echo "x[       OK ] b.three (0 ms)"'), ([1, 2], [3]))

    def test_all_run_alone_if_the_process_fails(self):
        for end in ("exit 1", "kill -SEGV $$"):
            rest = f'echo "[       OK ] b.three (0 ms)"; {end}'
            self.assertEqual(self.run_all(rest), ([], [1, 2, 3]))
            self.assertEqual(self.tests[0].result, tap.NOT_RUN)

    def test_a_program_that_hangs_is_stopped_with_its_children(self):
        for rest in ("sleep 20; true", "sleep 20 &"):
            start = time.monotonic()
            with mock.patch.object(ctest, "PROGRAM_LIMIT", 0.5):
                self.assertEqual(self.run_all(rest), ([], [1, 2, 3]))
            self.assertLess(time.monotonic() - start, 10, rest)

    def test_settings_of_googletest_in_the_environment_have_no_effect(self):
        with mock.patch.dict(os.environ, GTEST_TOTAL_SHARDS="2"):
            self.assertEqual(self.run_all('exit "${GTEST_TOTAL_SHARDS:-0}"'), ([1, 2], [3]))

    def test_others_run_alone(self):
        self.tests = [
            self.entry(1, "x", "a.one"),
            self.entry(2, "y", "a/0.two", ("WORKING_DIRECTORY", "ENVIRONMENT")),
            ctest.Test("host", 3, "z", [], False, folder=self.folder),
        ]
        self.assertEqual(self.run_all("exit 1"), ([], [1, 2, 3]))
        self.assertFalse((self.folder / "runs").exists())

    def test_a_program_that_is_missing_is_left_to_ctest(self):
        self.tests = [self.entry(n, str(n), f"a.{n}") for n in (1, 2)]
        for test in self.tests:
            test.program = (str(self.folder), "/no/such/program")
        self.assertEqual(self.run_all(""), ([], [1, 2]))


if __name__ == "__main__":
    unittest.main()
