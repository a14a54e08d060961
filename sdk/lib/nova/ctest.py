# SPDX-License-Identifier: BSD-2-Clause
"""Asks CTest for its tests, and reads the results of those that CTest runs, from its JUnit file."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from nova import tap, tree

# One more than the number of processors, because some tests mostly wait.
JOBS = (os.cpu_count() or 1) + 1
OUTPUT_LIMIT = str(16 << 20)
DONE = re.compile(r"\s*\d+/\d+ Test\s+#(\d+): .*?\s([\d.]+) sec")
FILTER = "--gtest_filter="
# Properties that gtest_discover_tests() sets. A test with any other property runs alone.
PLAIN = {"LABELS", "SKIP_REGULAR_EXPRESSION", "WORKING_DIRECTORY"}
# CTest's record of the seconds of earlier runs, by which the longest tests begin first.
COSTS = "Testing/Temporary/CTestCostData.txt"
COST = re.compile(r"(?P<name>.*) (?P<count>\d+) (?P<seconds>\d+(\.\d+)?(e[-+]\d+)?)")
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
    source: str = ""  # folder of the CMakeLists.txt that adds it, relative to the root
    limit: float = 0.0  # time limit in seconds
    processors: float = 0.0  # used processor seconds
    cost: float = 0.0  # expected seconds: those of earlier runs, else the limit
    command: list = ()
    properties: dict = field(default_factory=dict)  # CMake's properties, by name
    case: str = ""  # the test's name in a GoogleTest program
    program: tuple = ()  # that program: the folder to run in, and the command without the case
    common: str | None = None  # output of a process with all chosen cases, if that process failed

    def is_placeholder(self):
        """Returns whether this is CTest's entry for a GoogleTest program that is not built yet.
        After the build, CTest lists the program's tests instead."""
        return self.name.endswith("_NOT_BUILT")

    def selected_by(self, word):
        begins = self.name.startswith((word + ".", word + "-"))
        return begins or word == self.name or word in self.labels


def list_tests(preset, folder=None):
    """Returns the tests of a build directory, by default of the build directory of the tree's
    PRESET."""
    folder = folder or tree.build_dir(preset)
    command = ["ctest", "--test-dir", str(folder), "--show-only=json-v1"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    tests, costs = [], _costs(folder)
    for number, entry in enumerate(json.loads(result.stdout)["tests"], start=1):
        properties = {item["name"]: item["value"] for item in entry.get("properties", [])}
        words = entry.get("command", [])
        is_tap = "boot-test" in words and "--tap" in words
        labels = properties.get("LABELS", [])
        test = Test(preset, number, entry["name"], labels, is_tap, folder=folder)
        test.source = os.path.relpath(properties.get("WORKING_DIRECTORY", folder), folder)
        test.limit = float(properties.get("TIMEOUT", 0))
        test.cost = costs.get(test.name, test.limit)
        test.command, test.properties = words, properties
        _take_case(test, words, properties)
        tests.append(test)
    return tests


def _take_case(test, command, properties):
    """Records the program of a test that gtest_discover_tests() has added."""
    if len(command) > 1 and command[1].startswith(FILTER) and PLAIN.issuperset(properties):
        test.case = command[1].removeprefix(FILTER)
        test.program = (properties.get("WORKING_DIRECTORY"), command[0], *command[2:])


def _costs(folder):
    """Returns the seconds of each test that ran earlier in a build."""
    try:
        lines = (folder / COSTS).read_text(encoding="utf-8").partition("---\n")[0].splitlines()
    except OSError:
        return {}
    found = filter(None, map(COST.fullmatch, lines))  # an interrupted run may leave half a line
    return {row["name"]: float(row["seconds"]) for row in found if int(row["count"])}


def note_costs(tests):
    """Records the seconds of TESTS that passed, as CTest does for the tests that it runs."""
    for folder in {test.folder for test in tests}:
        known = _costs(folder)
        for test in (test for test in tests if test.folder == folder):
            if test.result == tap.PASSED:
                known[test.name] = test.seconds
        lines = [f"{name} 1 {seconds:g}\n" for name, seconds in known.items()]
        file = folder / COSTS
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = file.with_suffix(".new")  # an interrupt must not leave half of the file
        whole.write_text("".join(lines) + "---\n", encoding="utf-8")
        os.replace(whole, file)


def _junit(test):
    return test.folder / "Testing/junit.xml"


def command(tests, jobs):
    """Returns the command that runs TESTS, all of one build, JOBS at a time."""
    _junit(tests[0]).unlink(missing_ok=True)
    words = ["ctest", "--test-dir", str(tests[0].folder), "-j", str(jobs)]
    words += ["-I", "0,0,0," + ",".join(str(test.number) for test in tests)]
    words += ["--test-output-size-passed", OUTPUT_LIMIT, "--test-output-size-failed"]
    return [*words, OUTPUT_LIMIT, "--output-junit", str(_junit(tests[0]))]


def follow(lines, tests, on_done):
    """Calls ON_DONE(test, result) for each test whose end CTest reports in its output."""
    by_number = {test.number: test for test in tests}
    for line in lines:
        match = DONE.match(line)
        test = by_number.pop(int(match.group(1)), None) if match else None
        if test:
            test.seconds = float(match.group(2))
            on_done(test, _glance(line))


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
    """Returns the result that a progress line shows. The final result is in the JUnit file."""
    if " Passed " in line:
        return tap.PASSED
    return tap.NOT_RUN if "Not Run" in line or "Skipped" in line else tap.FAILED


def fill_in(tests):
    """Fills in TESTS that CTest ran, from its file with their results."""
    junit = _junit(tests[0])
    if not junit.exists():
        return
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
