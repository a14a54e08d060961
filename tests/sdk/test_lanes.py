# SPDX-License-Identifier: BSD-2-Clause
"""One queue of jobs for all presets, and the times that a run reports."""

import tempfile
import threading
import time
import unittest
from unittest import mock

import paths  # noqa: F401
from nova import ctest, jobs, lanes, parts, tap

LIMIT = 20  # maximum time in seconds for each event


class Work(jobs.Job):
    """A job with one test, which the function ACT runs instead of a process."""

    def __init__(self, preset, name, act, cost=1.0, width=1, locks=()):
        test = ctest.Test(preset, 1, name, [], False, cost=cost)
        super().__init__([test])
        self.act, self.width, self.locks = act, width, frozenset(locks)
        self.began = threading.Event()

    def run(self, on_done, on_start, server=None):
        self.process = mock.Mock()
        on_start(self.process)
        self.began.set()
        remaining = self.act(self) or []
        on_done(self.tests[0], tap.PASSED)
        return 1.5, remaining


class Lanes(unittest.TestCase):
    """Functions replace the processes of the jobs."""

    def setUp(self):
        self.lines, self.ended = [], []

    def new_lanes(self, count=2):
        self.idle = mock.Mock(processors=lambda: 0.0)
        return lanes.Lanes(
            lambda test, result: self.lines.append((test.preset, test.name, result)),
            lambda job: self.ended.append(job.tests[0].name), count, self.idle,
        )

    def run_jobs(self, *jobs_to_run, count=2):
        with self.new_lanes(count) as running:
            running.add(list(jobs_to_run))
            running.finish()
        return running

    def wait_for(self, job):
        self.assertTrue(job.began.wait(LIMIT), f"{job.tests[0].name} did not begin")

    def test_the_longest_of_all_presets_begin_first(self):
        costs = {"short": 1.0, "longest": 9.0, "long": 5.0}
        work = [Work(f"of {name}", name, lambda _: None, cost) for name, cost in costs.items()]
        running = self.run_jobs(*work, count=1)
        self.assertEqual(self.ended, ["longest", "long", "short"])
        self.assertEqual(self.lines[0], ("of longest", "longest", tap.PASSED))
        self.assertEqual({name: span.processors for name, span in running.spans.items()},
                         {f"of {name}": 1.5 for name in costs})

    def test_a_job_begins_as_soon_as_another_one_ends(self):
        last = Work("b", "last", lambda _: None, 1.0)
        first = Work("a", "first", lambda _: self.wait_for(last), 9.0)
        self.run_jobs(first, Work("a", "second", lambda _: None, 5.0), last)
        self.assertEqual(sorted(self.ended), ["first", "last", "second"])

    def test_one_job_at_a_time_runs_beside_builds(self):
        second = Work("a", "second", lambda _: None, 1.0)

        def act(_):
            self.assertFalse(second.began.wait(0.2), "two jobs run beside a build")

        first = Work("a", "first", act, 9.0)
        with self.new_lanes() as running:
            running.add([first, second])
            self.wait_for(second)
            running.finish()
        self.assertEqual(self.ended, ["first", "second"])

    def test_further_jobs_run_while_processors_are_idle(self):
        ends = threading.Event()
        work = [Work("a", str(number), lambda _: self.assertTrue(ends.wait(LIMIT)))
                for number in range(2 + lanes.FURTHER)]

        def number_of_jobs(running, wanted):
            deadline = time.monotonic() + LIMIT
            while len(running.busy) != wanted and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.1)  # time for one job too many to begin
            return len(running.busy)

        with mock.patch.object(lanes, "LOOK", 0.01), self.new_lanes(1) as running:
            self.idle.processors = lambda: 0.3
            running.add(work)
            self.assertEqual(number_of_jobs(running, 1), 1)
            self.idle.processors = lambda: 0.9
            self.assertEqual(number_of_jobs(running, 1 + lanes.FURTHER), 1 + lanes.FURTHER)
            self.idle.processors = lambda: 0.0
            while running.further:
                time.sleep(0.01)
            self.assertEqual(running.limit, 1)
            ends.set()
            running.finish()
        self.assertEqual(len(self.ended), len(work))

    def test_idle_time_is_that_of_all_processors(self):
        with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
            def write(idle, disk):
                file.seek(0)
                file.write(f"cpu  5 0 9 {idle} {disk} 0 7 0 0 0\ncpu0 5 0 9 {idle} 1 0 7 0 0 0\n")
                file.flush()

            ticks = lanes.os.sysconf("SC_CLK_TCK")
            write(100, 10)
            with mock.patch.object(lanes.time, "monotonic", lambda: 50.0):
                idle = lanes.Idle(file.name)
            write(100 + 2 * ticks, 10 + ticks)
            with mock.patch.object(lanes.time, "monotonic", lambda: 52.0):
                self.assertAlmostEqual(idle.processors(), 1.5)
        self.assertEqual(lanes.Idle("/does/not/exist").processors(), 0.0)

    def test_a_job_waits_for_the_processors_that_it_needs(self):
        wide = Work("a", "wide", lambda _: None, 5.0, width=2)

        def act(_):
            self.assertFalse(wide.began.wait(0.2), "the processors are not free")

        self.run_jobs(Work("a", "first", act, 9.0), wide, Work("a", "last", lambda _: None, 1.0))
        self.assertEqual(self.ended, ["first", "wide", "last"])

    def test_a_job_that_needs_more_processors_than_there_are_runs(self):
        self.run_jobs(Work("a", "wide", lambda _: None, width=9))
        self.assertEqual(self.ended, ["wide"])

    def test_a_job_waits_for_a_resource_and_others_do_not(self):
        second = Work("b", "second", lambda _: None, 5.0, locks=["it", "other"])
        third = Work("b", "third", lambda _: None, 1.0)

        def act(_):
            self.wait_for(third)
            self.assertFalse(second.began.is_set(), "the resource is in use")

        self.run_jobs(Work("a", "first", act, 9.0, locks=["it"]), second, third)
        self.assertEqual(sorted(self.ended), ["first", "second", "third"])

    def test_tests_that_remain_run_as_further_jobs(self):
        rest = Work("a", "rest", lambda _: None)
        self.run_jobs(Work("a", "first", lambda _: [rest]), count=1)
        self.assertEqual(self.ended, ["first", "rest"])

    def test_an_error_ends_the_other_jobs_and_is_raised(self):
        killed = threading.Event()

        def second(job):
            job.process.kill.side_effect = killed.set
            self.assertTrue(killed.wait(LIMIT))

        other = Work("b", "second", second)

        def first(_):
            self.wait_for(other)
            raise OSError("no CTest")

        never = Work("b", "never", lambda _: None, 0.5)
        with self.assertRaisesRegex(OSError, "no CTest"):
            self.run_jobs(Work("a", "first", first), other, never)
        self.assertTrue(killed.is_set())
        self.assertFalse(never.began.is_set())

    def test_the_time_of_a_job_with_an_error_counts(self):
        def act(_):
            raise OSError("no CTest")

        running = self.new_lanes()
        with self.assertRaisesRegex(OSError, "no CTest"), running:
            running.add([Work("a", "first", act)])
            running.finish()
        span = running.spans["a"]
        self.assertGreaterEqual(span.end, span.start)

    def test_an_error_elsewhere_ends_the_jobs(self):
        killed = threading.Event()

        def act(job):
            job.process.kill.side_effect = killed.set
            job.ready.set()
            self.assertTrue(killed.wait(LIMIT))

        host = Work("host", "host", act)
        host.ready = threading.Event()
        with self.assertRaisesRegex(OSError, "no compiler"), self.new_lanes() as running:
            running.add([host])
            self.assertTrue(host.ready.wait(LIMIT))
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


if __name__ == "__main__":
    unittest.main()
