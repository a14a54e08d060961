# SPDX-License-Identifier: BSD-2-Clause
"""Runs the tests of several presets, one preset after the other. The next preset begins while the
last tests of the previous one are still running, so that no processor is idle. The host's tests run
in parallel with these presets, one at a time. They start before the kernels are built."""

import threading
import time

from nova import ctest

# If a preset has fewer tests left than this, the next preset begins.
FEW = 2


class Lane(threading.Thread):
    """The tests of one preset, JOBS at a time."""

    def __init__(self, tests, on_done, jobs):
        super().__init__(daemon=True)
        self.tests, self.on_done, self.jobs = tests, on_done, jobs
        self.left = len(tests)
        self.few = threading.Event()  # set when fewer than FEW of its tests are left
        self.ended = threading.Event()
        self.seconds = self.processors = 0.0
        self.error = None
        self.processes = []
        self.stopping = False

    def run(self):
        start = time.monotonic()
        try:
            self._leave(0)
            self.processors = ctest.run_tests(
                self.tests, self._take_test, self.jobs, on_start=self._take_process
            )
        except BaseException as error:  # the main thread raises it again
            self.error = error
        self.seconds = time.monotonic() - start
        self.few.set()
        self.ended.set()

    def _take_process(self, process):
        self.processes.append(process)
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
        for process in list(self.processes):
            process.kill()
        self.ended.wait()


class Lanes:
    """A context in which tests run. Calls ON_DONE(test, result) for each test that ended, one call
    at a time, and ON_END(lane) for each list of tests that ended."""

    def __init__(self, on_done, on_end):
        self.on_end = on_end
        self.beside = None
        self.running = []
        lock = threading.Lock()

        def done(test, result):
            with lock:
                on_done(test, result)

        self.on_done = done

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for lane in [*self.running, *filter(None, [self.beside])]:
            lane.stop()

    def begin_beside(self, tests):
        """Starts TESTS, which run one at a time and in parallel with those of run()."""
        self.beside = Lane(tests, self.on_done, 1)
        self.beside.start()

    def run(self, presets):
        """Runs PRESETS, which are lists of tests, at most two at a time. Skips the list that
        begin_beside() started. Waits for all of them."""
        beside = self.beside and self.beside.tests
        for tests in presets:
            if tests is beside:
                continue
            if self.running:
                self.running[-1].few.wait()
            while len(self.running) > 1:
                self._end(self.running[0])
            self.running.append(Lane(tests, self.on_done, self._jobs()))
            self.running[-1].start()
        while self.running:
            self._end(self.running[0])
        if self.beside:
            self._end(self.beside)

    def _jobs(self):
        """Returns the number of tests to run at a time; one less while the host's tests run."""
        return ctest.JOBS - (self.beside is not None and not self.beside.ended.is_set())

    def _end(self, lane):
        """Waits for the end of a lane and reports it."""
        lane.ended.wait()
        if lane is self.beside:
            self.beside = None
        else:
            self.running.remove(lane)
        if lane.error:
            raise lane.error
        self.on_end(lane)
