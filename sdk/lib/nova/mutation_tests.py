# SPDX-License-Identifier: BSD-2-Clause
"""The tests that may catch a mutation: programs of unit tests on the host, areas of the conformance
suite, boot tests. Each kind builds what it needs, stops at the first failure and can run one test
alone."""

import os
import re
import subprocess

from nova import conformance, jobs, process, tree
from nova.bochs import BochsRunner
from nova.errors import EXIT_OK, EXIT_TIMEOUT, NovaError
from nova.qemu import EMULATORS, Machine, Module
from nova.runner import STOP_LINE, Runner

CONFIG = "release"
TIMEOUT = 75  # seconds; a fault that makes the run hang also counts as caught
UNIT_TIMEOUT = 300
SOUND_TIMEOUT = 600
UNIT = "unit-"  # prefix of the names of the host's programs
BEGUN = re.compile(r"^\[ RUN      \] (\S+)", re.M)
FAILED = re.compile(r"^\[  FAILED  \] ([^\s,]+)", re.M)
CASE = re.compile(r"(\w+): ([\w ]+)")


class FirstFailure:
    """A run of the suite that stops at the first failed case."""

    failure = None

    def line(self, text):
        if text.startswith((b"not ok", b"Bail out!")):
            self.failure = text.decode("utf-8", "replace").split(" [")[0]
            self.finished = True


class FirstOfQemu(FirstFailure, Runner):
    """A run under QEMU that stops at the first failed case."""


class FirstOfBochs(FirstFailure, BochsRunner):
    """A run under Bochs that stops at the first failed case."""


RUNNERS = dict(zip(EMULATORS, (FirstOfQemu, FirstOfBochs)))
# Runners for a mutation that must stop the kernel. A failed case does not end such a run.
WHOLE = dict(zip(EMULATORS, (Runner, BochsRunner)))


def machines(kernel, program, cpus, areas, emulator="qemu", case=None):
    """Yields the machine of each boot that the areas need. With CASE, only this case runs."""
    of_qemu = emulator == "qemu"
    for cmdline, cpu, names in conformance.boots(areas, "", Machine.cpu):
        words = " ".join(f"area={name}" for name in names) + (f" case={case}" if case else "")
        if of_qemu or cpu == Machine.cpu:
            yield Machine(
                kernel=kernel, modules=[Module(program, words)], cmdline=cmdline, cpus=cpus,
                cpu=cpu, extra=list(conformance.DEVICES) if of_qemu else [], emulator=emulator,
            )


def stop_line(outcome, words):
    """Returns the message of a kernel that stopped as expected, or None."""
    lines = outcome.text().splitlines()
    if STOP_LINE.decode() not in lines:
        return None
    return next((line for line in lines if line.startswith("NOVA: ") and words in line), None)


def verdict(runner, outcome):
    """Returns the case that caught the mutation, or None."""
    if runner.failure:
        return runner.failure.partition(" - ")[2] or runner.failure
    # runner.timed_out is also true if the suite has ended, but Bochs did not end by itself.
    if outcome.status == EXIT_TIMEOUT:
        return "conformance: no end in time"
    if outcome.status != EXIT_OK:
        return f"conformance: {outcome.message or 'the suite did not end'}"
    return None


class Areas:
    """Areas of the conformance suite."""

    def __init__(self, copy, kind, areas, stop="", timeout=TIMEOUT):
        self.copy, self.kind, self.areas, self.stop = copy, kind, areas, stop
        self.timeout = timeout

    def names(self):
        return [f"{' '.join(map(str, self.kind))} {area}" for area in self.areas]

    def _boot(self, areas, case=None):
        preset, arch, cpus, emulator = self.kind
        with_program = tree.preset_name(arch, CONFIG)
        self.copy.build(preset, ["nova.elf32"])
        self.copy.build(with_program, [conformance.PROGRAM])
        program = self.copy.program(with_program, conformance.PROGRAM)
        for machine in machines(self.copy.kernel(preset), program, cpus, areas, emulator, case):
            runner = (WHOLE if self.stop else RUNNERS)[emulator](machine, self.timeout)
            outcome = runner.run()
            caught = stop_line(outcome, self.stop) if self.stop else verdict(runner, outcome)
            if caught:
                return caught
        return None

    def run(self):
        """Returns the first failed case of these areas, the expected stop of the kernel, or None if
        the mutation was not caught."""
        caught = self._boot(self.areas)
        return f"stop: {self.stop}" if caught and self.stop else caught

    def again(self, known):
        """Runs the case KNOWN alone. Returns it if it is in these areas and fails, else None."""
        match = CASE.fullmatch(known)
        if self.stop or not match or match.group(1) not in self.areas:
            return None
        caught = self._boot([match.group(1)], match.group(2).replace(" ", "_"))
        return known if caught == known else None


def failed_unit(output):
    """Returns the first test that failed, according to the output of the program. If the program
    ended early, this is the last test that it began."""
    failed = FAILED.search(output)
    return failed.group(1) if failed else (BEGUN.findall(output) or ["did not run"])[-1]


class Unit:
    """A program of unit tests on the host, PROGRAM, or only the tests of it that a filter of
    GoogleTest selects, PROGRAM:FILTER."""

    def __init__(self, copy, name):
        self.copy, self.name = copy, name
        self.program, _, self.filter = name.partition(":")

    def names(self):
        return [self.name]

    def _run(self, selected):
        """Returns the first test that failed, or None."""
        folder = self.copy.folder(tree.HOST_PRESET)
        self.copy.build(tree.HOST_PRESET, [self.program])
        [path] = [name for name in self.copy.targets(tree.HOST_PRESET)
                  if name.endswith("/" + self.program)]
        command = [str(folder / path), "--gtest_fail_fast", f"--gtest_filter={selected}"]
        output, status = _execute(command, folder, UNIT_TIMEOUT)
        return f"{self.program} {failed_unit(output)}" if status else None

    def run(self):
        return self._run(self.filter or "*")

    def again(self, known):
        program, _, name = known.partition(" ")
        if program != self.program:
            return None
        return self._run(name)


class Boot:
    """A test of the release build that CTest knows."""

    def __init__(self, copy, preset, name):
        self.copy, self.preset, self.name = copy, preset, name

    def names(self):
        return [f"{self.preset} {self.name}"]

    def _entry(self):
        entry = self.copy.tests(self.preset).get(self.name)
        if not entry:
            raise NovaError(f"{self.preset} has no test '{self.name}'.")
        return entry

    def run(self):
        entry = self._entry()
        self.copy.build(self.preset, needed(self.copy, self.preset, entry["command"]))
        properties = {item["name"]: item["value"] for item in entry.get("properties", [])}
        _, status = _execute(
            entry["command"], properties.get("WORKING_DIRECTORY", self.copy.folder(self.preset)),
            float(properties.get("TIMEOUT", SOUND_TIMEOUT)),
        )
        return self.name if status else None

    def again(self, known):
        return self.run() if known == self.name else None


def needed(copy, preset, command):
    """Returns the targets that a test's command names: files below the build folder, and systems by
    their boot lists."""
    folder, known = str(copy.folder(preset).resolve()) + os.sep, copy.targets(preset)
    found = {"nova.elf32"}
    for word in command:
        for path in re.findall(re.escape(folder) + r"([^' ]+)", word):
            stem = re.sub(r"^boot/(.*)\.boot$", r"\1", path)
            found |= {name for name in (path, stem) if name in known}
    return sorted(found)


def _execute(command, folder, timeout):
    """Runs a command. Returns its output and its status, which is 1 after a timeout."""
    with jobs.Group(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
        preexec_fn=process.die_with_parent,
    ) as running:
        try:
            return running.communicate(timeout=timeout)[0], running.returncode
        except subprocess.TimeoutExpired:
            running.kill()
            return running.communicate()[0], 1
        except BaseException:
            running.kill()
            raise


def suites(copy, mutation):
    """Returns the tests that run for a mutation, the fastest first."""
    units = [name for name in mutation.tests if name.startswith(UNIT)]
    boots = [name for name in mutation.tests if not name.startswith(UNIT)]
    found = [Unit(copy, name) for name in units]
    if mutation.areas:
        found.append(Areas(copy, mutation.kind(), mutation.areas, mutation.stop))
    preset = tree.preset_name(mutation.arch, CONFIG)
    return found + [Boot(copy, preset, name) for name in boots]


def _all(copy, mutations):
    """Returns all tests that the mutations use, with the areas of one kind of machine together."""
    areas, others = {}, {}
    for mutation in mutations:
        for suite in suites(copy, mutation):
            if isinstance(suite, Areas):
                areas.setdefault((suite.kind, bool(suite.stop)), set()).update(suite.areas)
            else:
                others[suite.names()[0]] = suite
    # The unchanged kernel must not stop, so any message of a stop ("NOVA: ") is an error.
    return list(others.values()) + [
        Areas(copy, kind, sorted(names), "NOVA: " if stops else "", SOUND_TIMEOUT)
        for (kind, stops), names in sorted(areas.items())
    ]


def sound(copy, mutations):
    """Returns whether the unchanged tree passes all tests that the mutations use. A test that fails
    without a mutation proves nothing. A test that passed in an earlier run of the same tree does
    not run again."""
    passed = copy.passed()
    for suite in _all(copy, mutations):
        new = [name for name in suite.names() if name not in passed]
        if not new:
            continue
        if isinstance(suite, Areas):
            suite.areas = [name.split()[-1] for name in new]
        caught = suite.run()
        if caught:
            print(f"the tree itself fails in {', '.join(new)}: {caught}")
            return False
        copy.note_passed(new)
    return True
