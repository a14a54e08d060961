# SPDX-License-Identifier: BSD-2-Clause
"""Runs the jobs of all presets from one queue, the longest first. So no processor is idle before
the queue is empty. The jobs of a preset enter the queue when the preset is built. While kernels are
built, one job at a time runs beside the compilers. Further jobs run while processors are idle,
because some tests mostly wait."""

import os
import threading
import time
from dataclasses import dataclass

from nova import ctest, forks

# Maximum number of further jobs, and seconds between two looks at the processors.
FURTHER = 2
LOOK = 1.0
MOMENT = 0.3  # seconds for CTest to write its log
# When more than MANY processors are idle, one more further job may run; when fewer than FEW are
# idle, one fewer.
MANY, FEW = 0.5, 0.1


class Idle:
    """Measures how many processors of the host are idle."""

    def __init__(self, file="/proc/stat"):
        self.file = file
        self.seconds, self.time = self._read(), time.monotonic()

    def _read(self):
        """Returns the seconds that all processors together were idle since the host started."""
        try:
            with open(self.file, encoding="ascii") as lines:
                fields = lines.readline().split()
        except OSError:
            return 0.0  # not Linux: 0, so no further jobs run
        # idle, or waiting for a disk
        return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")

    def processors(self):
        """Returns the mean number of idle processors since the last call."""
        before, since = self.seconds, self.time
        self.seconds, self.time = self._read(), time.monotonic()
        return (self.seconds - before) / max(self.time - since, 0.001)


@dataclass
class Span:
    """The time during which tests of a preset ran, by the monotonic clock, and the seconds of
    processors that they used."""

    start: float
    end: float = 0.0
    processors: float = 0.0


class Lanes:
    """A context in which jobs run, on COUNT processors and FURTHER ones at most. Calls
    ON_DONE(test, result) for each test that ended and ON_END(job) for each job, one call at a
    time."""

    def __init__(self, on_done, on_end, count=ctest.JOBS, idle=None):
        self.on_done, self.on_end, self.count = on_done, on_end, count
        self.limit = 1  # number of processors that jobs may take now
        self.further = 0  # part of the limit: further jobs that idle processors allow
        self.idle = idle or Idle()
        self.queue, self.busy = [], {}  # the process of each running job, None before it starts
        self.closed = self.stopping = False
        self.error = None
        self.spans = {}
        self.changed = threading.Condition()
        self.reporting = threading.Lock()
        self.over = threading.Event()
        self.threads, self.servers = [], []

    def __enter__(self):
        self.servers = [forks.Server() for _ in range(self.count + FURTHER)]
        work = [(self._work, (server,)) for server in self.servers] + [(self._look, ())]
        self.threads = [threading.Thread(target=target, args=arguments, daemon=True)
                        for target, arguments in work]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        """Ends the jobs that still run. CTest reports the end of a test before its log has the
        test's output, so it gets a moment to write the output."""
        try:
            if kind and self.busy:
                time.sleep(MOMENT)
        finally:
            self._stop()
        for thread in self.threads:
            thread.join()
        for server in self.servers:
            server.close()

    def add(self, jobs):
        """Adds jobs to the queue."""
        with self.changed:
            self.queue = sorted(self.queue + jobs, key=lambda job: job.cost, reverse=True)
            self.changed.notify_all()

    def finish(self):
        """Runs the jobs on all processors and waits until all have ended. After this call begins,
        the caller may add no job."""
        with self.changed:
            self.limit = self.count + self.further
            self.closed = True
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.stopping or not (self.queue or self.busy))
        if self.error:
            raise self.error

    def _stop(self):
        with self.changed:
            self.stopping = True
            for process in filter(None, self.busy.values()):
                process.kill()
            self.changed.notify_all()
        self.over.set()

    def _look(self):
        """Adapts the limit to the number of idle processors, every LOOK seconds, in a thread."""
        while not self.over.wait(LOOK):
            idle = self.idle.processors()
            with self.changed:
                change = 1 if idle > MANY else -1 if idle < FEW else 0
                further = min(max(self.further + change, 0), FURTHER)
                self.limit += further - self.further
                self.further = further
                self.changed.notify_all()

    def _width(self, job):
        """Returns the number of processors that a job takes."""
        return min(job.width, self.limit)

    def _next(self):
        """Returns the job to start now, or None. A job that needs more processors than are free
        waits for them, and shorter jobs wait with it. A job that needs a resource of another
        job does not make the others wait."""
        held = {lock for job in self.busy for lock in job.locks}
        free = self.limit - sum(self._width(job) for job in self.busy)
        job = next((job for job in self.queue if not held.intersection(job.locks)), None)
        return job if job and self._width(job) <= free else None

    def _take(self):
        """Waits for a job and returns it, or None at the end of the run."""
        with self.changed:
            while not self.stopping:
                job = self._next()
                if job:
                    self.queue.remove(job)
                    self.busy[job] = None
                    self.spans.setdefault(job.preset, Span(time.monotonic()))
                    return job
                if self.closed and not (self.queue or self.busy):
                    break
                self.changed.wait()
        return None

    def _work(self, server):
        """Runs jobs, one after the other, in a thread. SERVER starts their boots."""
        job = self._take()
        while job:
            try:
                self._run(job, server)
            except BaseException as error:  # the main thread raises it again
                self.error = self.error or error
                self._stop()
            with self.changed:
                del self.busy[job]
                self.changed.notify_all()
            job = self._take()

    def _run(self, job, server):
        def started(process):
            with self.changed:
                self.busy[job] = process
                if self.stopping:
                    process.kill()

        span = self.spans[job.preset]
        try:
            used, remaining = job.run(self._report, started, server)
        finally:
            with self.reporting:
                span.end = time.monotonic()
        job.charge(used)
        with self.reporting:
            span.processors += used
            if not self.stopping:
                self.on_end(job)
        self.add(remaining)

    def _report(self, test, result):
        with self.reporting:
            self.on_done(test, result)
