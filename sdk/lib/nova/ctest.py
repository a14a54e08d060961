# SPDX-License-Identifier: BSD-2-Clause
"""Asks CTest for its tests and runs some of them. Results come from its JUnit file."""

import json
import os
import re
import subprocess
import threading
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from nova import parts, process, tap, tree

# One more than the number of processors, because some tests mostly wait.
JOBS = (os.cpu_count() or 1) + 1
OUTPUT_LIMIT = str(16 << 20)
DONE = re.compile(r"\s*\d+/\d+ Test\s+#(\d+): .*?\s([\d.]+) sec")
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
        tests.append(test)
    return tests


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


def run_tests(tests, on_done, jobs=JOBS, on_start=None):
    """Runs TESTS, all of one build, JOBS at a time. Fills in each test as it ends and calls
    ON_DONE(test). Calls ON_START(process) when CTest runs. Returns the seconds of processors."""
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
        with _reaping:
            used = parts.processors()
            running.wait()
            used = parts.processors() - used
            parts.set_apart(used)
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
