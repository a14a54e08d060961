# SPDX-License-Identifier: BSD-2-Clause
"""Asks CTest for its tests and runs some of them. Results come from its JUnit file. Tests of one
GoogleTest program run in one process. If it fails, CTest runs each of them in a process."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nova import parts, process, tap, tree

# One more than the number of processors, because some tests mostly wait.
JOBS = (os.cpu_count() or 1) + 1
OUTPUT_LIMIT = str(16 << 20)
DONE = re.compile(r"\s*\d+/\d+ Test\s+#(\d+): .*?\s([\d.]+) sec")
FILTER = "--gtest_filter="
# What GoogleTest prints of a test that passed, with the values of its parameters perhaps.
GOOD = re.compile(r"^\[       OK \] (\S+?)(?:, where .*)? \((\d+) ms\)$", re.MULTILINE)
# Properties that gtest_discover_tests() sets; a test with another one runs alone.
PLAIN = {"LABELS", "SKIP_REGULAR_EXPRESSION", "WORKING_DIRECTORY"}
# Settings of GoogleTest in the environment: with some of them, a program runs no test and passes.
SETTINGS = "GTEST_"
# Maximum time in seconds of the tests of one program together.
PROGRAM_LIMIT = 900
WORDS = {"run": tap.PASSED, "fail": tap.FAILED, "notrun": tap.NOT_RUN, "disabled": tap.NOT_RUN}


@dataclass
class Test:
    """A test of one preset and, after its run, the result."""

    preset: str
    number: int
    name: str
    labels: list
    is_tap: bool
    result: str = tap.NOT_RUN
    seconds: float = 0.0
    output: str = ""
    reason: str = ""
    folder: Path = None  # the build directory
    source: str = ""  # the folder whose description adds it, below the tree's root
    limit: float = 0.0  # in seconds
    case: str = ""  # name in a GoogleTest program
    program: tuple = ()  # that program: its folder to run in, and its command without the case
    common: str | None = None  # output of a process with all chosen cases, if that process failed

    def is_placeholder(self):
        """Returns whether this is CTest's entry for a GoogleTest program that is not built yet.
        After the build, CTest lists the program's tests instead."""
        return self.name.endswith("_NOT_BUILT")

    def selected_by(self, word):
        begins = self.name.startswith((word + ".", word + "-"))
        return begins or word == self.name or word in self.labels


def list_tests(preset, folder=None):
    """Returns the tests of a build directory, by default that of a preset of the tree."""
    folder = folder or tree.build_dir(preset)
    command = ["ctest", "--test-dir", str(folder), "--show-only=json-v1"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    tests = []
    for number, entry in enumerate(json.loads(result.stdout)["tests"], start=1):
        properties = {item["name"]: item["value"] for item in entry.get("properties", [])}
        is_tap = "boot-test" in entry.get("command", []) and "--tap" in entry["command"]
        labels = properties.get("LABELS", [])
        test = Test(preset, number, entry["name"], labels, is_tap, folder=folder)
        test.source = os.path.relpath(properties.get("WORKING_DIRECTORY", folder), folder)
        test.limit = float(properties.get("TIMEOUT", 0))
        _take_case(test, entry.get("command", []), properties)
        tests.append(test)
    return tests


def _take_case(test, command, properties):
    """Records the program of a test that gtest_discover_tests() has added."""
    if len(command) > 1 and command[1].startswith(FILTER) and PLAIN.issuperset(properties):
        test.case = command[1].removeprefix(FILTER)
        test.program = (properties.get("WORKING_DIRECTORY"), command[0], *command[2:])


def _guess_costs(folder, tests):
    """CTest starts the longest tests first, by the seconds of earlier runs. Before the first run it
    uses the time limits instead."""
    known = folder / "Testing/Temporary/CTestCostData.txt"
    if not known.exists():
        known.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{test.name} 0 {test.limit:g}\n" for test in tests)
        known.write_text(lines + "---\n", encoding="utf-8")


# Held while a process is waited for, so that its processor time is not added to that of others.
_reaping = threading.Lock()


def _wait(running):
    """Waits for a process that has closed its output. Returns its seconds of processors."""
    with _reaping:
        used = parts.processors()
        running.wait()
        used = parts.processors() - used
        parts.set_apart(used)
    return used


def programs(tests):
    """Returns lists of tests of the same GoogleTest program, the longest first."""
    found = defaultdict(list)
    for test in tests:
        if test.program:
            found[test.program].append(test)
    return sorted((cases for cases in found.values() if len(cases) > 1), key=len, reverse=True)


class Group(subprocess.Popen):
    """A process with its own process group: kill() also ends its children, such as death tests."""

    stopped = False

    def __init__(self, *args, **options):
        super().__init__(*args, start_new_session=True, **options)

    def kill(self):
        if self.returncode is None:  # else the number of the group may be in use again
            self.stopped = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def _environment():
    return {name: os.environ[name] for name in os.environ if not name.startswith(SETTINGS)}


def _run_program(tests, on_start):
    """Runs tests of one program in one process. Returns those that passed, none if the process
    failed, and the seconds of processors."""
    folder, program, *words = tests[0].program
    command = [program, FILTER + ":".join(test.case for test in tests), *words]
    try:
        running = Group(
            [*command, "--gtest_color=no"],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=process.die_with_parent,
        )
    except OSError:  # CTest reports that the program is missing
        return [], 0.0
    output, used = _output_of(running, on_start)
    seconds = {name: int(time) / 1000 for name, time in GOOD.findall(output)}
    if running.returncode != 0 or running.stopped:
        for test in tests:
            test.common = output
        return [], used
    good = [test for test in tests if test.case in seconds]
    for test in good:
        test.result, test.seconds = tap.PASSED, seconds[test.case]
    return good, used


def _output_of(running, on_start):
    """Waits for a program of tests, at most PROGRAM_LIMIT seconds. Returns its output and its
    seconds of processors."""
    timer = threading.Timer(PROGRAM_LIMIT, running.kill)
    timer.start()
    with running:
        try:
            if on_start:
                on_start(running)
            output = running.stdout.read()
            return output, _wait(running)
        except BaseException:
            running.kill()
            raise
        finally:
            timer.cancel()


def _run_programs(tests, on_done, jobs, on_start):
    """Runs tests of GoogleTest programs, one process for each program. Returns the tests that
    remain: those of other programs and those that did not pass. Also returns the seconds of
    processors."""
    passed, used = set(), 0.0
    with ThreadPoolExecutor(jobs) as pool:
        for good, seconds in pool.map(lambda cases: _run_program(cases, on_start),
                                      programs(tests)):
            used += seconds
            passed.update(test.number for test in good)
            for test in good:
                on_done(test, tap.PASSED)
    return [test for test in tests if test.number not in passed], used


def run_tests(tests, on_done, jobs=JOBS, on_start=None):
    """Runs TESTS, all of one build, JOBS at a time. Fills in each test as it ends and calls
    ON_DONE(test). Calls ON_START(process) for each process that runs tests. Returns the seconds of
    processors."""
    remaining, used = _run_programs(tests, on_done, jobs, on_start)
    if remaining:
        used += _run_with_ctest(remaining, on_done, jobs, on_start)
    return used


def _run_with_ctest(tests, on_done, jobs, on_start):
    """Runs TESTS as run_tests() does, each in a process of its own."""
    folder = tests[0].folder
    _guess_costs(folder, tests)
    junit = folder / "Testing" / "junit.xml"
    junit.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", str(folder), "-j", str(jobs)]
    command += ["-I", "0,0,0," + ",".join(str(test.number) for test in tests)]
    command += ["--test-output-size-passed", OUTPUT_LIMIT, "--test-output-size-failed"]
    command += [OUTPUT_LIMIT, "--output-junit", str(junit)]
    by_number = {test.number: test for test in tests}
    with subprocess.Popen(
        command,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
        preexec_fn=process.die_with_parent,
    ) as running:
        try:
            if on_start:
                on_start(running)
            for line in running.stdout:
                match = DONE.match(line)
                test = by_number.pop(int(match.group(1)), None) if match else None
                if test:
                    test.seconds = float(match.group(2))
                    on_done(test, _glance(line))
        except BaseException:
            running.kill()
            raise
        used = _wait(running)
    if junit.exists():
        _fill_in(junit, tests)
    return used


def output_so_far(test):
    """Returns, from CTest's log, the output of a test that ended before CTest was terminated."""
    for name in ("LastTest.log.tmp", "LastTest.log"):
        try:
            log = (test.folder / "Testing/Temporary" / name).read_text("utf-8", "replace")
        except OSError:
            continue
        return _output_in(log, test.name)
    return ""


def _output_in(log, name):
    found = re.search(
        rf"^\d+/\d+ Testing: {re.escape(name)}$.*?^Output:\n-+\n(.*?)^<end of output>", log,
        re.MULTILINE | re.DOTALL,
    )
    return found.group(1) if found else ""


def _glance(line):
    """Returns the result for the progress line. The valid result is in the JUnit file."""
    if " Passed " in line:
        return tap.PASSED
    return tap.NOT_RUN if "Not Run" in line or "Skipped" in line else tap.FAILED


def _fill_in(junit, tests):
    cases = {case.get("name"): case for case in ElementTree.parse(junit).getroot().iter("testcase")}
    for test in tests:
        case = cases.get(test.name)
        if case is None:
            continue
        test.result = WORDS.get(case.get("status"), tap.FAILED)
        test.output = case.findtext("system-out") or ""
        skipped = case.find("skipped")
        if skipped is not None:
            test.reason = skipped.get("message", "")
