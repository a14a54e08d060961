# SPDX-License-Identifier: BSD-2-Clause
"""Jobs of `nova test`: a test alone, the tests of a GoogleTest program together, or CTest."""

import os
import stat
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import ctest, jobs, tap

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
        test.command, test.properties = command, dict.fromkeys(properties, str(self.folder))
        ctest._take_case(test, command, test.properties)
        return test

    def run_all(self, rest):
        """Returns the numbers of the tests that ended in a common process, and of those that run
        alone."""
        program = self.folder / "program"
        program.write_text(PROGRAM.format(rest), encoding="utf-8")
        program.chmod(stat.S_IRWXU)
        together, alone = [], []

        def done(test, result):
            self.assertEqual((test.result, result), (tap.PASSED, tap.PASSED))
            together.append(test.number)

        for job in jobs.of(self.tests):
            remaining = [job]
            if isinstance(job, jobs.Program):
                remaining = job.run(done, lambda _: None)[1]
                self.assertLessEqual({test.number for test in job.tests}, set(together))
            alone += [test.number for job in remaining for test in job.tests]
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
            with mock.patch.object(jobs, "PROGRAM_LIMIT", 0.5):
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

    def test_tests_of_a_program_that_is_missing_run_alone(self):
        self.tests = [self.entry(n, str(n), f"a.{n}") for n in (1, 2)]
        for test in self.tests:
            test.program = (str(self.folder), "/no/such/program")
        self.assertEqual(self.run_all(""), ([], [1, 2]))


class Singles(unittest.TestCase):
    """Tests that run as CTest would run them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.done = []

    def entry(self, script, **properties):
        test = ctest.Test("host", 1, "t", [], False, folder=self.folder)
        test.command = ["/bin/sh", "-c", script]
        test.properties = {"WORKING_DIRECTORY": str(self.folder), **properties}
        test.limit = float(properties.get("TIMEOUT", 0))
        return test

    def run_one(self, script, **properties):
        """Runs a test of a shell's script. Returns its result and its output."""
        test = self.entry(script, **properties)
        (job,) = jobs.of([test])
        self.assertIsInstance(job, jobs.Single)
        self.used, rest = job.run(lambda _, result: self.done.append(result), lambda _: None)
        self.assertEqual(rest, [])
        self.assertEqual(self.done.pop(), test.result)
        self.reason = test.reason
        return test.result, test.output

    def test_the_exit_status_decides(self):
        self.assertEqual(self.run_one("echo a; echo b >&2"), (tap.PASSED, "a\nb\n"))
        self.assertEqual(self.run_one("exit 3"), (tap.FAILED, ""))
        self.assertEqual(self.run_one("kill -SEGV $$")[0], tap.FAILED)

    def test_it_runs_in_its_folder_with_its_environment(self):
        said = self.run_one('echo "$PWD $WORD"', ENVIRONMENT=["WORD=one=two"])[1]
        self.assertEqual(said, f"{self.folder} one=two\n")

    def test_python_is_the_interpreter_of_this_run_even_if_a_script_hides_it(self):
        script = self.folder / "python3"
        script.write_text("#!/bin/sh\nexit 3\n")
        script.chmod(0o755)
        with mock.patch.dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}"):
            result = self.run_one("python3 -c 'import sys; print(sys.executable)'")
        self.assertEqual(result, (tap.PASSED, f"{sys.executable}\n"))

    def test_a_pattern_to_pass_replaces_the_status_but_not_a_signal(self):
        wanted = {"PASS_REGULAR_EXPRESSION": ["no", "^four\n.*end\n$"]}
        self.assertEqual(self.run_one("echo four; echo the end; exit 1", **wanted)[0], tap.PASSED)
        self.assertEqual(self.run_one("echo four; echo the end; echo", **wanted)[0], tap.FAILED)
        self.assertEqual(self.run_one("echo five", **wanted)[0], tap.FAILED)
        self.assertEqual(self.run_one("echo no; kill -SEGV $$", **wanted)[0], tap.FAILED)

    def test_a_pattern_to_fail_wins_over_one_to_pass(self):
        wanted = {"PASS_REGULAR_EXPRESSION": ["good"], "FAIL_REGULAR_EXPRESSION": ["ERROR: |bad"]}
        self.assertEqual(self.run_one("echo good", **wanted)[0], tap.PASSED)
        self.assertEqual(self.run_one("echo good; echo bad", **wanted)[0], tap.FAILED)

    def test_a_pattern_to_skip_means_that_it_did_not_run(self):
        wanted = {"SKIP_REGULAR_EXPRESSION": [r"\[  SKIPPED \]"]}
        self.assertEqual(self.run_one("echo '[  SKIPPED ] x'", **wanted)[0], tap.NOT_RUN)
        self.assertEqual(self.run_one("echo 'SKIPPED'", **wanted)[0], tap.PASSED)

    def test_one_that_does_not_end_is_stopped_with_its_children(self):
        start = time.monotonic()
        self.assertEqual(self.run_one("echo a; sleep 20 & sleep 20", TIMEOUT=0.5),
                         (tap.FAILED, "a\n"))
        self.assertEqual(self.reason, "no end within 0.5 s")
        self.assertLess(time.monotonic() - start, 10)

    def test_a_child_in_its_own_session_that_keeps_the_output_open_delays_no_end(self):
        start = time.monotonic()
        with mock.patch.object(jobs, "KEPT_OPEN", 0.5):
            self.assertEqual(self.run_one("echo a; setsid sleep 20 & sleep 20", TIMEOUT=0.5),
                             (tap.FAILED, "a\n"))
        self.assertLess(time.monotonic() - start, 10)

    def test_a_limit_that_expires_after_the_end_changes_nothing(self):
        running = jobs.start(["/bin/true"], "/", dict(os.environ))
        jobs.output_of(running, lambda _: None, 20)
        running.expire()
        self.assertEqual((running.timed_out, running.stopped), (False, False))

    def test_its_time_on_the_processors_is_its_own(self):
        self.run_one("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
        self.assertGreater(self.used, 0.05)
        self.run_one("sleep 0.3")
        self.assertLess(self.used, 0.05)

    def test_one_that_ends_with_the_run_has_no_result(self):
        test = self.entry("sleep 20")
        jobs.Single(test).run(self.fail, lambda process: process.kill())
        self.assertEqual((test.result, self.done), (tap.NOT_RUN, []))

    def test_processors_and_locks_are_those_of_the_job(self):
        (job,) = jobs.of([self.entry("true", PROCESSORS=2, RESOURCE_LOCK=["it"])])
        self.assertEqual((job.width, job.locks), (2, {"it"}))

    def test_ctest_runs_those_with_other_properties_or_patterns(self):
        for name, value in (
            ("WILL_FAIL", True), ("SKIP_RETURN_CODE", 77), ("FIXTURES_SETUP", ["it"]),
            ("PASS_REGULAR_EXPRESSION", ["a{1}"]), ("PASS_REGULAR_EXPRESSION", [r"\d"]),
            ("FAIL_REGULAR_EXPRESSION", ["a$b"]),
        ):
            (job,) = jobs.of([self.entry("true", **{name: value})])
            self.assertIsInstance(job, jobs.Batch, name)
        missing = self.entry("true")
        missing.command = ["/does/not/exist"]
        single = jobs.Single(missing)
        (job,) = single.run(self.fail, lambda _: None)[1]
        self.assertIsInstance(job, jobs.Batch)
        self.assertEqual((single.tests, job.tests), ([], [missing]))

    def test_ctest_also_runs_what_its_tests_depend_on(self):
        tests = [self.entry("true") for _ in range(3)]
        tests[2].properties["DEPENDS"] = ["first"]
        for number, name in enumerate(("first", "second", "third"), start=1):
            tests[number - 1].number, tests[number - 1].name = number, name
        *singles, batch = jobs.of(tests)
        self.assertEqual([test.name for job in singles for test in job.tests], ["second"])
        self.assertEqual([test.name for test in batch.tests], ["first", "third"])
        self.assertEqual(batch.width, 1)
        self.assertEqual(jobs.of([tests[0], tests[2]])[0].width, ctest.JOBS)

    def test_times_of_earlier_runs_are_kept(self):
        first, second = self.entry("true"), self.entry("true")
        first.result, first.seconds, second.name = tap.PASSED, 2.5, "u v"
        ctest.note_costs([first, second])
        second.result, second.seconds = tap.PASSED, 4
        ctest.note_costs([second])
        self.assertEqual(ctest._costs(self.folder), {"t": 2.5, "u v": 4})

    def test_a_test_that_did_not_run_before_has_no_time(self):
        file = self.folder / ctest.COSTS
        file.parent.mkdir(parents=True)
        file.write_text("a 0 0\nb 2 1.5\n---\na\n", encoding="utf-8")
        self.assertEqual(ctest._costs(self.folder), {"b": 1.5})

    def test_a_record_of_times_that_is_cut_is_read_as_far_as_it_goes(self):
        file = self.folder / ctest.COSTS
        file.parent.mkdir(parents=True)
        file.write_text("a b 1 1e-05\nc 2 3\nd 2", encoding="utf-8")
        self.assertEqual(ctest._costs(self.folder), {"a b": 0.00001, "c": 3})


if __name__ == "__main__":
    unittest.main()
