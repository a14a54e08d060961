# SPDX-License-Identifier: BSD-2-Clause
"""`nova test mutation`: breaks the tree at one place at a time, and shows that a test, or a check
of the debug kernel, detects each fault. Works on a copy of the tree, which stays for the next
run."""

import re
import sys
import time
from collections import Counter
from dataclasses import dataclass

from nova import build, mutation_table, mutation_tests, process, tree
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.mutation_copy import Copy
from nova.qemu import EMULATORS

FILE = tree.ROOT / "tests/mutation/mutations.txt"
CONFIG = "release"
CHECKED = "debug"
KEYS = ("name", "file", "function", "pattern", "new")
OPTIONAL = {
    "areas": "", "tests": "", "arch": "x86_64", "cpus": "4", "emulator": "qemu", "stop": "",
}
# The parts of the tree that are mutated, by their folders; the first match counts.
COMPONENTS = {
    "hypervisor/": "kernel", "libnova/": "libnova", "roottask/vmm/": "VMM library",
    "roottask/": "runtime",
}


@dataclass
class Mutation:
    """A piece of code in one function, its replacement, and the tests that must detect it."""

    name: str
    file: str
    function: str  # function, macro, or label of assembly
    pattern: str
    new: str
    areas: list  # areas of cases of the conformance suite
    tests: list  # programs of the host's unit tests, with filters, and names of boot tests
    arch: str
    cpus: int
    emulator: str
    stop: str  # part of the message with which the debug kernel stops, or nothing

    def preset(self):
        """Returns the preset whose kernel runs the cases of the areas."""
        return tree.preset_name(self.arch, CHECKED if self.stop else CONFIG)

    def kind(self):
        """Returns the machine on which the cases of the areas run."""
        return self.preset(), self.arch, self.cpus, self.emulator

    def component(self):
        """Returns the part of the tree that is mutated, or None."""
        return next((c for folder, c in COMPONENTS.items() if self.file.startswith(folder)), None)


def _mutation(lines):
    values = dict(OPTIONAL)
    for line in lines:
        key, _, value = line.partition(":")
        if key not in KEYS and key not in OPTIONAL:
            raise NovaError(f"mutations.txt: '{line}' has no known key.", EXIT_FAILED)
        values[key] = value.strip()
    missing = [key for key in KEYS if key not in values]
    if missing:
        raise NovaError(f"mutations.txt: '{lines[0]}' lacks {', '.join(missing)}.", EXIT_FAILED)
    if not values["areas"] and not values["tests"]:
        raise NovaError(f"mutations.txt: '{lines[0]}' lacks areas or tests.", EXIT_FAILED)
    if values["emulator"] not in EMULATORS:
        raise NovaError(f"mutations.txt: '{lines[0]}' has no known emulator.", EXIT_FAILED)
    values["areas"] = values["areas"].split()
    values["tests"] = values["tests"].split()
    values["cpus"] = int(values["cpus"])
    return Mutation(**values)


def parse(text):
    """Returns the mutations of a file: paragraphs of `key: value` lines; # begins a comment."""
    paragraphs = (
        [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        for paragraph in text.split("\n\n")
    )
    return [_mutation(lines) for lines in paragraphs if lines]


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


def _select(mutations, words):
    chosen = [m for m in mutations if not words or any(word in m.name for word in words)]
    if not chosen:
        raise NovaError(f"no mutation's name contains '{words[0]}'.")
    # one file after the other, so that less has to be compiled again
    return sorted(chosen, key=lambda m: (m.kind(), m.file))


def judge(copy, mutation, known=None):
    """Returns the test that caught the mutation, or None when it survived. KNOWN is the test that
    caught it last time. It runs first; the others run only if it does not catch the mutation."""
    path = copy.root / mutation.file
    original = path.read_text(encoding="utf-8")
    path.write_text(apply(mutation, original), encoding="utf-8")
    try:
        suites = mutation_tests.suites(copy, mutation)
        if known:
            caught = next(filter(None, (suite.again(known) for suite in suites)), None)
            if caught:
                return caught
        return next(filter(None, (suite.run() for suite in suites)), None)
    finally:
        path.write_text(original, encoding="utf-8")


def _judge(copy, mutation, known):
    """Returns the result of judge(). A mutation that the compiler refuses proves nothing, so it
    counts as a survivor."""
    try:
        return judge(copy, mutation, known)
    except build.BuildError as error:
        sys.stdout.write(error.output)
        return None


def verdict(caught, row):
    """Returns the word for a mutation, and whether it is a failure."""
    if caught:
        return "caught", False
    if row and row.survives():
        return "survives", False  # for the reason in the table
    return "SURVIVED", True


def _sum_up(counts):
    """Prints how many mutations of each part were caught."""
    for component in COMPONENTS.values():
        caught, missed = counts[component, True], counts[component, False]
        if caught or missed:
            print(f"nova: {component}: {caught} of {caught + missed} caught")


def run(words, record=False):
    """Judges the mutations whose names contain one of WORDS (all mutations if there are no words),
    and prints a table. With RECORD, writes the test that caught each of them into
    tests/mutation/caught.tsv."""
    process.die_with_parent()
    listed = parse(FILE.read_text(encoding="utf-8"))
    mutations = _select(listed, words)
    table = mutation_table.read()
    failed, counts = 0, Counter()
    start = time.monotonic()
    with Copy() as copy:
        if not mutation_tests.sound(copy, mutations):
            print("0 passed, 1 failed")
            return EXIT_FAILED
        print(f"{'':3} {'mutation':<62} {'':<8} by")
        for number, mutation in enumerate(mutations, start=1):
            row = table.get(mutation.name)
            caught = _judge(copy, mutation, row and row.test)
            word, bad = verdict(caught, row)
            failed += bad
            counts[mutation.component(), bool(caught)] += 1
            print(f"{number:3} {mutation.name:<62} {word:<8} {caught or ''}".rstrip())
            sys.stdout.flush()
            if record and caught:
                table[mutation.name] = mutation_table.Row(mutation.name, caught, "")
                mutation_table.write(table, [one.name for one in listed])
    _sum_up(counts)
    print(f"nova: the mutations took {time.monotonic() - start:.0f} s")
    print(f"{len(mutations) - failed} passed, {failed} failed", flush=True)
    return EXIT_FAILED if failed else EXIT_OK
