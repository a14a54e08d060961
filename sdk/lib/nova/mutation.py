# SPDX-License-Identifier: BSD-2-Clause
"""`nova test mutation`: breaks the kernel at one place at a time, and shows that the conformance
suite, or a check of the debug kernel, detects each fault. Works on a copy of the tree."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from nova import build, conformance, process, tree
from nova.bochs import BochsRunner
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.qemu import EMULATORS, Machine, Module
from nova.runner import STOP_LINE, Runner

FILE = tree.ROOT / "tests/mutation/mutations.txt"
CONFIG = "release"
CHECKED = "debug"
TIMEOUT = 75  # a fault that hangs the run is caught, too
SOUND_TIMEOUT = 600
KEYS = ("name", "file", "function", "pattern", "new", "areas")
OPTIONAL = {"arch": "x86_64", "cpus": "4", "emulator": "qemu", "stop": ""}
COPIED = ("CMakeLists.txt", "CMakePresets.json", "hypervisor", "sdk", "libnova")


@dataclass
class Mutation:
    """A piece of code in one function, its replacement, and the areas of cases that must detect
    it."""

    name: str
    file: str
    function: str  # or macro, or label of assembly
    pattern: str
    new: str
    areas: list
    arch: str
    cpus: int
    emulator: str
    stop: str  # part of the message with which the debug kernel stops, or nothing

    def preset(self):
        """Returns the preset whose kernel is mutated."""
        return tree.preset_name(self.arch, CHECKED if self.stop else CONFIG)

    def kind(self):
        """The machine that boots it."""
        return self.preset(), self.arch, self.cpus, self.emulator


def parse(text):
    """Returns the mutations of a file: paragraphs of `key: value` lines; # begins a comment."""
    found = []
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        values = dict(OPTIONAL)
        for line in lines:
            key, _, value = line.partition(":")
            if key not in KEYS and key not in OPTIONAL:
                raise NovaError(f"mutations.txt: '{line}' has no known key.", EXIT_FAILED)
            values[key] = value.strip()
        missing = [key for key in KEYS if key not in values]
        if missing:
            raise NovaError(f"mutations.txt: '{lines[0]}' lacks {', '.join(missing)}.", EXIT_FAILED)
        if values["emulator"] not in EMULATORS:
            raise NovaError(f"mutations.txt: '{lines[0]}' has no known emulator.", EXIT_FAILED)
        values["areas"] = values["areas"].split()
        values["cpus"] = int(values["cpus"])
        found.append(Mutation(**values))
    return found


def _definitions(text, name):
    """Finds the definitions of a function, a macro or a label of assembly: pairs of begin and end.
    """
    name = re.escape(name)
    shapes = (
        rf"^\w[^;{{}}]*?\b{name}\([^;{{}}]*^\{{$.*?^\}}",
        rf"^#define {name}\b(?:[^\n]*\\\n)*[^\n]*",
        rf"^(?:{name}:|\.macro {name}\b).*?(?=^\w|^\.endm|\Z)",
    )
    found = (match for shape in shapes for match in re.finditer(shape, text, re.M | re.S))
    return [match.span() for match in found]


def _pattern(text):
    """Returns the regular expression of a piece of code, with any blanks, even line ends, between
    words and signs."""
    tokens = re.findall(r"\w+|[^\w\s]", text)
    expression = r"\s*".join(map(re.escape, tokens))
    # A token must not match a part of a longer word.
    begin, end = (r"\b" if re.match(r"\w", tokens[at]) else "" for at in (0, -1))
    return re.compile(begin + expression + end)


def apply(mutation, text):
    """Returns TEXT with the pattern replaced in the function. Raises NovaError unless it occurs
    exactly once."""
    where = f"{mutation.function} of {mutation.file}"
    spans = _definitions(text, mutation.function)
    pattern = _pattern(mutation.pattern)
    places = {match.span() for span in spans for match in pattern.finditer(text, *span)}
    if not spans:
        wrong = f"there is no {where}"
    elif len(places) != 1:
        wrong = f"'{mutation.pattern}' occurs {len(places)} times in {where}, not once"
    elif mutation.new == mutation.pattern:
        wrong = "it changes nothing"
    else:
        [(begin, end)] = places
        return text[:begin] + mutation.new + text[end:]
    raise NovaError(
        f"mutation '{mutation.name}': {wrong}; update tests/mutation/mutations.txt.",
        EXIT_FAILED,
    )


class FirstFailure:
    """A run of the suite that stops at the first failed case."""

    failure = None

    def line(self, text):
        if text.startswith((b"not ok", b"Bail out!")):
            self.failure = text.decode("utf-8", "replace").split(" [")[0]
            self.finished = True


class FirstOfQemu(FirstFailure, Runner):
    """Under QEMU."""


class FirstOfBochs(FirstFailure, BochsRunner):
    """Under Bochs."""


RUNNERS = dict(zip(EMULATORS, (FirstOfQemu, FirstOfBochs)))
WHOLE = dict(zip(EMULATORS, (Runner, BochsRunner)))  # of a kernel that is to stop


def stop_line(outcome, words):
    """Returns the message of a kernel that stopped as expected, or None."""
    lines = outcome.text().splitlines()
    if STOP_LINE.decode() not in lines:
        return None
    return next((line for line in lines if line.startswith("NOVA: ") and words in line), None)


def _verdict(runner, outcome):
    """Returns the case that caught the mutation, or None."""
    if runner.failure:
        return runner.failure.partition(" - ")[2] or runner.failure
    if outcome.status != EXIT_OK:
        return outcome.message or "the suite did not end"
    return None


class Bench:
    """A copy of the tree in which kernels are broken and built."""

    def __init__(self, folder):
        self.root = Path(folder)
        for name in COPIED:
            source = tree.ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.root / name)
        (self.root / "build").mkdir()
        # The C library takes minutes to build, and no mutation is in it.
        (self.root / "build/newlib").symlink_to(tree.ROOT / "build/newlib")
        self.configured = set()

    def kernel(self, preset):
        return self.root / "build" / preset / "nova.elf32"

    def _command(self, *command):
        result = subprocess.run(
            command, cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False,
        )
        if result.returncode:
            raise build.BuildError(
                f"{command[0]} failed in the copy.", result.stdout.decode("utf-8", "replace")
            )

    def build(self, preset):
        if preset not in self.configured:
            self._command("cmake", "--preset", preset)
            self.configured.add(preset)
        self._command("cmake", "--build", f"build/{preset}", "-j", "2", "--target", "nova.elf32")

    def boot(self, kind, areas, timeout=TIMEOUT, stop=""):
        """Returns the failure in these areas, or None; or the message with which the kernel
        stopped."""
        preset, arch, cpus, emulator = kind
        program = tree.program(tree.preset_name(arch, CONFIG), conformance.PROGRAM)
        for machine in machines(self.kernel(preset), program, cpus, areas, emulator):
            runner = (WHOLE if stop else RUNNERS)[emulator](machine, timeout)
            outcome = runner.run()
            caught = stop_line(outcome, stop) if stop else _verdict(runner, outcome)
            if caught:
                return caught
        return None

    def judge(self, mutation):
        """Returns the case or check that caught the mutation, or None when it survived."""
        path = self.root / mutation.file
        original = path.read_text(encoding="utf-8")
        path.write_text(apply(mutation, original), encoding="utf-8")
        try:
            self.build(mutation.preset())
            return self.boot(mutation.kind(), mutation.areas, stop=mutation.stop)
        finally:
            path.write_text(original, encoding="utf-8")


def machines(kernel, program, cpus, areas, emulator="qemu"):
    """Returns the machine of each boot that the areas need."""
    of_qemu = emulator == "qemu"
    for cmdline, cpu, names in conformance.boots(areas, "", Machine.cpu):
        words = " ".join(f"area={name}" for name in names)
        if of_qemu or cpu == Machine.cpu:
            yield Machine(
                kernel=kernel, modules=[Module(program, words)], cmdline=cmdline, cpus=cpus,
                cpu=cpu, extra=list(conformance.DEVICES) if of_qemu else [], emulator=emulator,
            )


def _select(mutations, words):
    chosen = [m for m in mutations if not words or any(word in m.name for word in words)]
    if not chosen:
        raise NovaError(f"no mutation's name contains '{words[0]}'.")
    return chosen


def _sound(bench, mutations):
    """Returns whether the unchanged kernel passes all used areas; otherwise the test would prove
    nothing."""
    for kind in sorted({m.kind() for m in mutations}):
        preset, _, cpus, emulator = kind
        those = [m for m in mutations if m.kind() == kind]
        areas = sorted({area for m in those for area in m.areas})
        bench.build(preset)
        # In a kernel that must not stop, any line of a stop is an error.
        caught = bench.boot(kind, areas, SOUND_TIMEOUT, "NOVA: " if those[0].stop else "")
        if caught:
            print(f"{preset}'s kernel itself fails with {cpus} CPUs under {emulator}: {caught}")
            return False
    return True


def _judge(bench, mutation):
    """A mutation that the compiler refuses proves nothing, so it counts as a survivor."""
    try:
        return bench.judge(mutation)
    except build.BuildError as error:
        sys.stdout.write(error.output)
        return None


def run(words):
    """Judges the mutations whose names contain one of WORDS (all), and prints a table."""
    process.die_with_parent()
    mutations = _select(parse(FILE.read_text(encoding="utf-8")), words)
    for arch in sorted({mutation.arch for mutation in mutations}):
        build.build(tree.preset_name(arch, CONFIG), [conformance.PROGRAM])
    survived = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nova-mutation-") as folder:
        bench = Bench(folder)
        if not _sound(bench, mutations):
            print("0 passed, 1 failed")
            return EXIT_FAILED
        print(f"{'':3} {'mutation':<62} {'':<8} by")
        for number, mutation in enumerate(mutations, start=1):
            caught = _judge(bench, mutation)
            survived += caught is None
            verdict = "caught" if caught else "SURVIVED"
            print(f"{number:3} {mutation.name:<62} {verdict:<8} {caught or ''}".rstrip())
            sys.stdout.flush()
    print(f"nova: the mutations took {time.monotonic() - start:.0f} s")
    print(f"{len(mutations) - survived} passed, {survived} failed", flush=True)
    return EXIT_FAILED if survived else EXIT_OK
