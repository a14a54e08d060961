# SPDX-License-Identifier: BSD-2-Clause
"""Measures how long the parts of a test run take: elapsed time, and time on the processors."""

import contextlib
import os
import resource
import time
from collections import defaultdict
from dataclasses import dataclass


def processors():
    """Returns the processor time of all processes that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def own():
    """Returns the processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def unused(seconds, used, count):
    """Returns a line about the time on COUNT processors that a run of SECONDS did not use, because
    other programs used it or the processors were idle. USED: the run's own processor time, in
    seconds."""
    whole = seconds * count
    return f"{max(0, whole - used):.0f} of {whole:.0f} s of processors were not used by this run"


def unused_since(start):
    """Returns the line of unused() for a run that began at START, by the monotonic clock."""
    return unused(time.monotonic() - start, processors() + own(), os.cpu_count() or 1)


# Seconds that are included in processors() but measured separately, by the threads that ran the
# processes.
_apart = 0.0


def set_apart(used):
    """Excludes seconds of processor time from the part that measure() measures at this time."""
    global _apart
    _apart += used


@dataclass
class Part:
    name: str
    seconds: float = 0.0
    processors: float = 0.0  # seconds, of all processors together


class Parts:
    """The measured parts, in the order in which they began."""

    def __init__(self):
        self.parts = {}

    @contextlib.contextmanager
    def measure(self, name):
        """Adds the time of the context to the part of that name."""
        part = self.parts.setdefault(name, Part(name))
        start, used = time.monotonic(), processors() - _apart
        try:
            yield
        finally:
            part.seconds += time.monotonic() - start
            part.processors += processors() - _apart - used

    def add(self, name, seconds, used):
        """Adds a part that was measured elsewhere, because other parts ran at the same time."""
        part = self.parts.setdefault(name, Part(name))
        part.seconds += seconds
        part.processors += used

    def lines(self):
        """Returns a line for each part that took at least half a second."""
        told = [part for part in self.parts.values() if part.seconds >= 0.5]
        width = max((len(part.name) for part in told), default=0)
        return [
            f"{part.name:{width}}  {part.seconds:6.0f} s, {part.processors:6.0f} s of processors"
            for part in told
        ]


def by_label(tests):
    """Returns a line that sums up the processor seconds of tests by their first label."""
    seconds, count = defaultdict(float), defaultdict(int)
    for test in tests:
        label = test.labels[0] if test.labels else "(none)"
        seconds[label] += test.processors
        count[label] += 1
    order = sorted(seconds, key=seconds.get, reverse=True)
    return ", ".join(f"{label} {seconds[label]:.0f} s ({count[label]})" for label in order)
