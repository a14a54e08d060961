# SPDX-License-Identifier: BSD-2-Clause
"""Reruns failed tests, each alone: a busy host may make a test fail once, but not twice."""

from dataclasses import replace

from nova import jobs, tap

# If more tests than this fail, a busy host is not the cause.
MOST = 20
# CTest's result for a test whose fixture (a separate test) failed.
UNPREPARED = "Fixture dependency failed"


def _wanted(test):
    return test.result == tap.FAILED or test.reason.startswith(UNPREPARED)


def candidates(tests):
    """Returns the TESTS to run again; none if too many failed."""
    found = [test for test in tests if _wanted(test)]
    return found if len(found) <= MOST else []


def run(test):
    """Returns whether TEST passes alone. The second result replaces the first one only if the
    second run ended."""
    second = replace(test, result=tap.NOT_RUN, output="", reason="")
    jobs.run_alone(second)
    if second.result == tap.NOT_RUN:
        return False
    vars(test).update(vars(second))
    return test.result == tap.PASSED
