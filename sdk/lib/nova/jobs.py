# SPDX-License-Identifier: BSD-2-Clause
"""The jobs of a test run. A job is one process. It runs one test, all chosen tests of a
GoogleTest program, or CTest. CTest runs the tests that have properties unknown here."""

import contextlib
import os
import re
import select
import shutil
import subprocess
import sys
import threading
import time
from collections import defaultdict

from nova import ctest, forks, parts, process, tap

# The line of GoogleTest about a test that passed. It may also have the values of parameters.
GOOD = re.compile(r"^\[       OK \] (\S+?)(?:, where .*)? \((\d+) ms\)$", re.MULTILINE)
# Properties of a test that Single reads. CTest runs each test that has any other property.
KNOWN = {"LABELS", "WORKING_DIRECTORY", "TIMEOUT", "PROCESSORS", "ENVIRONMENT", "RESOURCE_LOCK"}
PATTERNS = ("PASS_REGULAR_EXPRESSION", "FAIL_REGULAR_EXPRESSION", "SKIP_REGULAR_EXPRESSION")
# A pattern of CMake that has the same meaning in Python, except for its last $.
COMMON = re.compile(r"(?:[^\\{}$]|\\[][().*+?^$|])*\$?")
# Settings of GoogleTest in the environment: with some of them, a program runs no test and passes.
SETTINGS = "GTEST_"
# Maximum time in seconds of the tests of one program together.
PROGRAM_LIMIT = 900
# Maximum time in seconds of a test without a TIMEOUT; CTest has the same default.
LIMIT = 1500
# Maximum time in seconds, after the limit, in which other processes may keep a test's output open.
KEPT_OPEN = 5
# Expected seconds of a GoogleTest program per test, before the first run.
CASE_COST = 1.0


def environment():
    """Returns the variables for tests: those of this process except the SETTINGS of GoogleTest.
    Tests that call `python3` get the interpreter of this process. The `python3` in PATH may be a
    script that searches for an interpreter at each call, which takes longer than some tests."""
    kept = {name: os.environ[name] for name in os.environ if not name.startswith(SETTINGS)}
    found = shutil.which("python3")
    if found and not os.path.samefile(found, sys.executable):
        kept["PATH"] = os.pathsep.join((os.path.dirname(sys.executable), kept["PATH"]))
    return kept


class Group(process.Leader, subprocess.Popen):
    """A process that starts here, with its own process group."""

    def __init__(self, *args, **options):
        super().__init__(*args, start_new_session=True, **options)

    def wait_counted(self):
        """Waits for the end of the process. Returns the processor seconds that it used."""
        _, status, usage = os.wait4(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        used = usage.ru_utime + usage.ru_stime
        parts.set_apart(used)
        return used


def start(command, folder, variables, **options):
    """Starts a process whose output can be read."""
    return Group(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        **options,
    )


@contextlib.contextmanager
def _followed(running, on_start):
    """A context that calls ON_START(process) and yields the output. An exception ends the process.
    """
    with running:
        try:
            on_start(running)
            yield running.stdout
        except BaseException:
            running.kill()
            raise


def _read_until(stream, end):
    """Returns what can be read from STREAM until it ends or the monotonic clock reaches END."""
    pieces = []
    ready = select.poll()  # unlike select(), with any file descriptor
    ready.register(stream, select.POLLIN)
    while ready.poll(max(0, end - time.monotonic()) * 1000):
        piece = os.read(stream.fileno(), 1 << 16)
        if not piece:
            break
        pieces.append(piece)
    text = b"".join(pieces).decode(errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def output_of(running, on_start, limit):
    """Waits for a process, at most LIMIT seconds. Returns its output and its processor seconds.
    A child in a session of its own survives the end of the process. If it keeps the output open,
    this function stops reading KEPT_OPEN seconds after the limit."""
    end = time.monotonic() + limit + KEPT_OPEN
    timer = threading.Timer(limit, running.expire)
    timer.start()
    try:
        with _followed(running, on_start) as output:
            return _read_until(output, end), running.wait_counted()
    finally:
        timer.cancel()


class Job:
    """TESTS that one process runs."""

    width = 1  # number of processors that it uses
    locks = frozenset()  # names of resources that only one job at a time may use

    def __init__(self, tests):
        self.tests, self.preset = tests, tests[0].preset
        self.cost = sum(test.cost for test in tests)  # expected seconds

    def run(self, on_done, on_start, server=None):
        """Runs the tests and fills them in. Calls ON_DONE(test, result) for each test that ended,
        and ON_START(process). A forks.Server may start the process. Returns the seconds of
        processors, and jobs with the tests that remain."""
        raise NotImplementedError

    def pass_on(self):
        """Takes the tests out of this job and returns them, for other jobs to run."""
        tests, self.tests = self.tests, []
        return tests

    def charge(self, used):
        """Divides processor seconds among the tests in proportion to their times."""
        whole = sum(test.seconds for test in self.tests)
        for test in self.tests:
            test.processors = used * test.seconds / whole if whole else 0.0


class Single(Job):
    """A test with known properties only, judged as CTest judges it."""

    def __init__(self, test):
        super().__init__([test])
        self.width = int(test.properties.get("PROCESSORS", 1))
        self.locks = frozenset(test.properties.get("RESOURCE_LOCK", ()))

    def run(self, on_done, on_start, server=None):
        test = self.tests[0]
        pairs = (pair.partition("=") for pair in test.properties.get("ENVIRONMENT", ()))
        variables = environment() | {name: value for name, _, value in pairs}
        began = time.monotonic()
        folder = test.properties.get("WORKING_DIRECTORY", str(test.folder))
        words = server and forks.words_of(test.command)
        try:
            if words:
                running = server.start(words, folder, variables)
            else:
                running = start(test.command, folder, variables, stderr=subprocess.STDOUT)
        except OSError:  # CTest reports that the program is missing
            return 0.0, [Batch(self.pass_on())]
        output, used = output_of(running, on_start, test.limit or LIMIT)
        if running.stopped and not running.timed_out:
            return used, []  # the whole test run is ending
        test.seconds, test.output = time.monotonic() - began, output
        test.result = judge(test, running.returncode, output)
        if running.timed_out:
            test.result, test.reason = tap.FAILED, f"no end within {test.limit or LIMIT:g} s"
        on_done(test, test.result)
        return used, []


def _matches(test, kind, output):
    patterns = (_translated(text) for text in test.properties.get(kind, ()))
    return any(re.search(pattern, output, re.DOTALL) for pattern in patterns)


def _translated(text):
    """Returns Python's form of a COMMON pattern of CMake, where $ is the end of the whole text."""
    return text[:-1] + r"\Z" if re.search(r"(?<!\\)\$\Z", text) else text


def judge(test, status, output):
    """Returns the result of a test by its exit status and its output, in CTest's order."""
    required, wrong, skipped = (_matches(test, kind, output) for kind in PATTERNS)
    if status < 0:
        return tap.FAILED  # a signal ended it
    if skipped:
        return tap.NOT_RUN
    good = required if PATTERNS[0] in test.properties else status == 0
    return tap.PASSED if good and not wrong else tap.FAILED


class Program(Job):
    """Tests of one GoogleTest program. If the program fails, each runs again in its own process."""

    def __init__(self, tests):
        super().__init__(tests)
        self.cost = self.cost or CASE_COST * len(tests)

    def run(self, on_done, on_start, server=None):
        folder, program, *words = self.tests[0].program
        cases = ":".join(test.case for test in self.tests)
        command = [program, ctest.FILTER + cases, *words, "--gtest_color=no"]
        try:
            running = start(command, folder, environment(), stderr=subprocess.STDOUT)
        except OSError:
            return 0.0, [Single(test) for test in self.pass_on()]
        output, used = output_of(running, on_start, PROGRAM_LIMIT)
        good = {name: int(duration) / 1000 for name, duration in GOOD.findall(output)}
        if running.returncode != 0 or running.stopped:
            good = {}
            for test in self.tests:
                test.common = output
        passed = [test for test in self.tests if test.case in good]
        rest = [Single(test) for test in self.tests if test.case not in good]
        self.tests = passed  # other jobs run the rest
        for test in passed:
            test.result, test.seconds = tap.PASSED, good[test.case]
            on_done(test, tap.PASSED)
        return used, rest


class Batch(Job):
    """Tests of one build that CTest runs, `width` at a time."""

    def __init__(self, tests, width=1):
        super().__init__(tests)
        self.width = width
        # Only one process at a time may use CTest's files in the build folder.
        self.locks = frozenset([f"CTest in {tests[0].folder}"])

    def run(self, on_done, on_start, server=None):
        running = start(ctest.command(self.tests, self.width), None, environment(),
                        stderr=subprocess.DEVNULL, preexec_fn=process.die_with_parent)
        with _followed(running, on_start) as lines:
            ctest.follow(lines, self.tests, on_done)
            used = running.wait_counted()
        ctest.fill_in(self.tests)
        return used, []


def programs(tests):
    """Returns lists of tests of the same GoogleTest program, the longest first."""
    found = defaultdict(list)
    for test in tests:
        if test.program:
            found[test.program].append(test)
    return sorted((cases for cases in found.values() if len(cases) > 1), key=len, reverse=True)


def _is_known(test):
    """Returns whether Single can run a test."""
    texts = (text for kind in PATTERNS for text in test.properties.get(kind, ()))
    return (
        bool(test.command)
        and KNOWN.union(PATTERNS).issuperset(test.properties)
        and all(COMMON.fullmatch(text) for text in texts)
    )


def of(tests):
    """Returns the jobs that run TESTS, all of one build. CTest also runs the tests that its tests
    depend on. It runs several at a time if there are no other tests."""
    common = [Program(cases) for cases in programs(tests)]
    taken = {test.number for job in common for test in job.tests}
    rest = [test for test in tests if test.number not in taken]
    named = {name for test in rest for name in test.properties.get("DEPENDS", ())}
    strange = [test for test in rest if test.name in named or not _is_known(test)]
    taken.update(test.number for test in strange)
    found = common + [Single(test) for test in rest if test.number not in taken]
    if strange:
        found.append(Batch(strange, 1 if found else ctest.JOBS))
    return found


def run_alone(test):
    """Runs one test without others. The caller's test is filled in if the run ended."""
    waiting = of([test])
    while waiting:
        waiting += waiting.pop().run(lambda *_: None, lambda _: None)[1]
