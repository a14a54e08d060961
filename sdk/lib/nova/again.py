# SPDX-License-Identifier: BSD-2-Clause
"""Runs tests that failed once more, each alone: a busy host fails a test by accident, not twice."""

from dataclasses import replace

from nova import ctest, tap

# More failures than this are not an accident.
MOST = 20
# CTest's word on a test whose preparation, a test of its own, failed.
UNPREPARED = "Fixture dependency failed"


def _wanted(test):
    return test.result == tap.FAILED or test.reason.startswith(UNPREPARED)


def candidates(tests):
    """Those of TESTS that run again; none when too many failed."""
    found = [test for test in tests if _wanted(test)]
    return found if len(found) <= MOST else []


def run(test):
    """Whether TEST passes alone. Only a second run that ended replaces the first one."""
    second = replace(test, result=tap.NOT_RUN, output="", reason="")
    ctest.run_tests([second], lambda *_: None, jobs=1)
    if second.result == tap.NOT_RUN:
        return False
    vars(test).update(vars(second))
    return test.result == tap.PASSED
