# SPDX-License-Identifier: BSD-2-Clause
"""Selects the presets of a run, and the tests of each preset: by tests/presets.tsv, or for --quick.

A test runs where its result can differ. A row holds a pattern of names (or `label:` and a label, or
`folder:` and a pattern of folders), patterns of presets, and the reason. The first row that matches
a test applies. `nova test --all` runs each test on all presets of its row. Without --all, a whole
run runs each test on the presets in ONCE that the row of the test names, or on a substitute. A
preset whose name ends with ! in the row has no substitute: the test runs there, and only there."""

from collections import namedtuple
from fnmatch import fnmatchcase

from nova import tree
from nova.errors import EXIT_FAILED, NovaError

FILE = tree.ROOT / "tests/presets.tsv"
HEADER = ["tests", "presets", "reason"]
# always: the presets of the row whose names end with !
Row = namedtuple("Row", ("pattern", "presets", "reason", "always"), defaults=((),))

# The presets of a whole run without --all cover each width, each configuration and each compiler.
# On SECOND, the preset of the second compiler, only the tests with the label SECOND_LABEL run,
# because the build of all programs takes minutes. The presets in STANDARD also run tests of their
# width that would run on no preset otherwise.
STANDARD = {"x86_64": "x86_64-release", "x86_32": "x86_32-debug"}
SECOND, SECOND_LABEL = "x86_64-release-clang", "conformance"
ONCE = (tree.HOST_PRESET, *STANDARD.values(), SECOND)

# Labels and names of --quick, without the slow checks of the whole tree's sources.
QUICK = {
    "host": (
        "label:unit", "abi-offsets", "abi-layer0-*", "style.text", "style.format", "style.includes",
        "style.names", "docs.links", "docs.tables", "docs.sentences", "docs.tools", "sdk.scope",
        "sdk.tap", "sdk.words",
    ),
    "x86_64-release": ("conformance.*.cpus-[14]",),
    "x86_32-release": ("conformance.*.cpus-[14]",),
}
# The preset in which --quick boots each example once.
QUICK_EXAMPLES = "x86_64-release"


def presets(args):
    """Returns the presets in the order in which their tests run. The host's is the first."""
    if getattr(args, "quick", False):
        return list(QUICK)
    if getattr(args, "coverage", False):
        return coverage_presets(args)
    if is_once(args):
        always = {preset for row in read() for preset in row.always}
        return [*ONCE, *sorted(always.difference(ONCE))]
    chosen = []
    if not (args.arch or args.config or args.compiler):
        chosen.append(tree.HOST_PRESET)
    for compiler in tree.COMPILERS:
        for arch in tree.ARCHES:
            for config in tree.CONFIGS:
                wanted = (args.arch, args.config, args.compiler)
                if any(w and w != h for w, h in zip(wanted, (arch, config, compiler))):
                    continue
                if compiler == "gcc" or _has_clang_kernel(args, arch, config):
                    chosen.append(tree.preset_name(arch, config, compiler))
    return chosen


def is_once(args):
    """Returns whether ARGS ask for all tests, but not on all their presets."""
    options = ("words", "arch", "config", "compiler", "all", "quick", "coverage")
    return not any(getattr(args, name, None) for name in options)


def _has_clang_kernel(args, arch, config):
    """Returns whether a run tests the kernel that clang compiles for ARCH and CONFIG. By default,
    a run tests only one such kernel: the release kernel of the first architecture."""
    return bool(args.config) or (
        config == "release" and (arch == tree.ARCHES[0] or bool(args.arch or args.compiler))
    )


def coverage_presets(args):
    """Returns the preset under QEMU, and the one under Bochs."""
    choice = (args.arch or "x86_64", args.config or "debug", args.compiler or "gcc")
    return [tree.preset_name(*choice), tree.COVERAGE_PRESET]


def read(path=FILE):
    """Returns the rows, in order. If the file is missing, there are none: each test then runs on
    each preset."""
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) != len(HEADER) or not all(fields):
            raise NovaError(f"{path.name}:{number} does not have three fields.", EXIT_FAILED)
        if number > 1:
            words = fields[1].split()
            always = tuple(word[:-1] for word in words if word.endswith("!"))
            presets = tuple(word.rstrip("!") for word in words)
            rows.append(Row(fields[0], presets, fields[2], always))
    return rows


def fits(pattern, test):
    """Returns whether a pattern matches the test's name or folder, or names one of its labels."""
    if pattern.startswith("label:"):
        return pattern.removeprefix("label:") in test.labels
    if pattern.startswith("folder:"):
        return fnmatchcase(test.source, pattern.removeprefix("folder:"))
    return fnmatchcase(test.name, pattern)


def row_of(rows, test):
    """Returns the row that applies to a test, or None."""
    return next((row for row in rows if fits(row.pattern, test)), None)


def runs(rows, test):
    """Returns whether the row of a test has its preset. A test without a row runs on any preset."""
    row = row_of(rows, test)
    return row is None or any(fnmatchcase(test.preset, preset) for preset in row.presets)


def runs_once(rows, test):
    """Returns whether the test runs on its preset in a whole run without --all."""
    row = row_of(rows, test)
    if row and row.always:
        return test.preset in row.always
    if test.preset not in ONCE:
        return False
    presets = [one for one in ONCE if one != SECOND or SECOND_LABEL in test.labels]
    if row is None or any(fnmatchcase(one, pattern) for one in presets for pattern in row.presets):
        return test.preset in presets and runs(rows, test)
    return test.preset == _substitute(row)


def _substitute(row):
    """Returns the preset for tests that would run on no preset of ROW: a standard preset. Its width
    is that of SECOND if the row names SECOND, else that of the row's first preset."""
    named = SECOND if SECOND in row.presets else row.presets[0]
    widths = [arch for arch in tree.ARCHES if fnmatchcase(arch, named.partition("-")[0])]
    return STANDARD[widths[0]]


def is_recorded(test):
    """Returns whether --coverage can run a test on its preset. A test under Bochs needs the preset
    with trace.c. A test under QEMU needs any other preset: there the plugin records."""
    under_bochs = "bochs" in test.labels or ".bochs." in test.name or test.name.endswith("-vmx")
    return under_bochs == (test.preset == tree.COVERAGE_PRESET)


def mistakes(rows, tests, runs=runs):
    """Returns a message for each row that matches none of TESTS, the tests of all presets of a run,
    and for each test that no preset RUNS."""
    used, names, running = set(), set(), set()
    for test in tests:
        row = row_of(rows, test)
        used.add(row)
        names.add(test.name)
        if runs(rows, test):
            running.add(test.name)
    found = [f"no test fits '{row.pattern}'" for row in rows if row not in used]
    return found + [f"no preset runs {name}" for name in sorted(names - running)]


def _example(test):
    """Returns the example that a test boots, or None."""
    above, _, name = test.source.rpartition("/")
    return name if above == "examples" else None


def quick(tests):
    """Returns the tests among TESTS that --quick runs. All TESTS belong to one preset. Of several
    tests that boot the same example, --quick runs only the first."""
    chosen, booted = [], set()
    for test in tests:
        example = _example(test)
        if "endurance" in test.labels:
            continue
        if any(fits(pattern, test) for pattern in QUICK.get(test.preset, ())):
            chosen.append(test)
        elif test.preset == QUICK_EXAMPLES and example and example not in booted:
            booted.add(example)
            chosen.append(test)
    return chosen
