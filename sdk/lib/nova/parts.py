# SPDX-License-Identifier: BSD-2-Clause
"""How long the parts of a test run take: by the clock, and on the processors."""

import contextlib
import resource
import time
from collections import defaultdict
from dataclasses import dataclass


def _processors():
    """Seconds that the processes took which have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass
class Part:
    name: str
    seconds: float = 0.0
    processors: float = 0.0  # seconds, of all processors together


class Parts:
    """What was measured, in the order in which it began."""

    def __init__(self):
        self.parts = {}

    @contextlib.contextmanager
    def measure(self, name):
        """Adds what is done in the context to the part of that name."""
        part = self.parts.setdefault(name, Part(name))
        start, used = time.monotonic(), _processors()
        try:
            yield
        finally:
            part.seconds += time.monotonic() - start
            part.processors += _processors() - used

    def lines(self):
        """A line for each part that took at least half a second."""
        told = [part for part in self.parts.values() if part.seconds >= 0.5]
        width = max((len(part.name) for part in told), default=0)
        return [
            f"{part.name:{width}}  {part.seconds:6.0f} s, {part.processors:6.0f} s of processors"
            for part in told
        ]


def by_label(tests):
    """A line that sums up the seconds of tests by their first label; they ran side by side."""
    seconds, count = defaultdict(float), defaultdict(int)
    for test in tests:
        label = test.labels[0] if test.labels else "(none)"
        seconds[label] += test.seconds
        count[label] += 1
    order = sorted(seconds, key=seconds.get, reverse=True)
    return ", ".join(f"{label} {seconds[label]:.0f} s ({count[label]})" for label in order)
