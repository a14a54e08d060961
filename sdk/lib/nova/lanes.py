# SPDX-License-Identifier: BSD-2-Clause
"""Runs the tests of several presets, one preset after the other. The next one begins when the last
test of the one before is still running, so that no processor waits for it."""

import threading
import time

from nova import ctest

# A preset with fewer tests left than this makes room for the next one.
FEW = 2


class Lane(threading.Thread):
    """The tests of one preset, which CTest runs."""

    def __init__(self, tests, on_done):
        super().__init__(daemon=True)
        self.tests, self.on_done = tests, on_done
        self.left = len(tests)
        self.few = threading.Event()  # tests of it are left
        self.ended = threading.Event()
        self.seconds = self.processors = 0.0
        self.error = self.process = None
        self.stopping = False

    def run(self):
        start = time.monotonic()
        try:
            self._leave(0)
            self.processors = ctest.run_tests(
                self.tests, self._take_test, on_start=self._take_process
            )
        except BaseException as error:  # run() raises it again
            self.error = error
        self.seconds = time.monotonic() - start
        self.few.set()
        self.ended.set()

    def _take_process(self, process):
        self.process = process
        if self.stopping:
            process.kill()

    def _take_test(self, test, result):
        self.on_done(test, result)
        self._leave(1)

    def _leave(self, ended):
        self.left -= ended
        if self.left < FEW:
            self.few.set()

    def stop(self):
        self.stopping = True
        if self.process:
            self.process.kill()
        self.ended.wait()


def run(presets, on_done, on_end):
    """Runs PRESETS, lists of tests, at most two at a time. Calls ON_DONE(test, result) for each
    test that ended, one call at a time, and ON_END(lane) for each list, in order."""
    lock = threading.Lock()

    def done(test, result):
        with lock:
            on_done(test, result)

    running = []

    def end_first():
        lane = running[0]
        lane.ended.wait()
        running.pop(0)
        if lane.error:
            raise lane.error
        on_end(lane)

    try:
        for tests in presets:
            if running:
                running[-1].few.wait()
            while len(running) > 1:
                end_first()
            running.append(Lane(tests, done))
            running[-1].start()
        while running:
            end_first()
    finally:
        for lane in running:
            lane.stop()
