# SPDX-License-Identifier: BSD-2-Clause
"""Presets whose tests run one after the other, without a pause between them."""

import threading
import unittest
from unittest import mock

import paths  # noqa: F401
from nova import ctest, lanes, tap

LIMIT = 20  # seconds that something may take to happen


def tests_of(preset, count):
    return [ctest.Test(preset, n, f"t{n}", [], False) for n in range(count)]


class Lanes(unittest.TestCase):
    """CTest is replaced by a function of the preset, which calls `done` for each test."""

    def setUp(self):
        self.presets = {}
        self.began = {name: threading.Event() for name in "abc"}
        self.ended, self.lines = [], []

    def run_tests(self, tests, on_done, on_start):
        preset = tests[0].preset
        process = mock.Mock()
        on_start(process)
        self.began[preset].set()
        rest = iter(tests)
        self.presets[preset](lambda: on_done(next(rest), tap.PASSED), process)
        return 1.5

    def run_presets(self, **counts):
        with mock.patch.object(ctest, "run_tests", self.run_tests):
            lanes.run(
                [tests_of(preset, count) for preset, count in counts.items()],
                lambda test, result: self.lines.append((test.preset, test.name, result)),
                lambda lane: self.ended.append((lane.tests[0].preset, lane.processors)),
            )

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


if __name__ == "__main__":
    unittest.main()
