# SPDX-License-Identifier: BSD-2-Clause
"""`nova test`: builds every preset, runs the tests and counts those that really ran."""

import argparse
import compileall
import itertools
import os
import re
import sys
import time
from dataclasses import dataclass, field

from nova import again, build, ctest, errors, jobs, lanes, needs, options, parts, places, project
from nova import scope, tap, tree

LABELS = ("unit", "fuzz", "abi", "boot", "runtime", "conformance", "stress", "bochs", "guest")
LABELS += ("bench", "stretch", "fuzzer", "models", "proofs", "traps", "style", "sdk", "docs")
LABELS += ("enlightened", "secure")
# Labels that take too long for every run.
NAMED_ONLY_LABELS = ("endurance",)
SHOWN_LINES = 120
SHOWN_FAILURES = 50

IN_PROJECT = """\
Builds the project around the current folder and runs its tests, or those that a LABEL
or a NAME selects (NAME also selects the tests whose names continue with . or -).
Where there is no project, NAME is an example of an installed SDK, or the beginning of
several examples' names: secure selects secure-hello, secure-linux and secure-two.
A test has the labels of its nova_add_boot_test(… LABELS …), by default boot.
One with the label endurance runs only by that label or by its exact name.
"""
IN_TREE = f"""\
In a project of your own: builds it and runs its tests. In NOVA's tree:
builds what the tests need and runs them, or those that a LABEL or a NAME selects
(NAME also selects the tests whose names continue with . or -).
Labels: {', '.join(LABELS)}.
endurance takes an hour and more. It runs only by that label or by the exact names of its
tests.
mutation runs only when named. It shows that a test, or a check of the debug kernel, detects
each of many one-line faults of the kernel and the libraries. `nova test mutation WORD…`
selects the faults whose names contain a WORD; --record writes the tests that detected them
into tests/mutation/caught.tsv.
Without arguments, the command uses three kernels, and each test runs on at least one of
them. With --all, or chosen by a LABEL, a test runs on all kernels where its result can
differ, according to tests/presets.tsv. A test chosen by its NAME or the beginning of its
name runs on every chosen preset. So does a test chosen by a LABEL, if --config or
--compiler is given.
"""
DESCRIPTION = f"""\

When at most {again.MOST} tests failed, each runs once more at the end, alone: a test that
passes then is listed as `passed only when run again alone` and counts as passed.
A program of unit tests is listed, too, if it failed but each of its tests passed alone.
Lines with `failed` name the first {SHOWN_FAILURES} failed tests and cases.
The last line is `N passed, N failed`, also after an interrupt; the line before says
how many did not run. A preset that cannot be built counts as one failed test. Exit
status: 0 if at least one test passed, none failed and none is listed as `not run`,
else 1; 2 for wrong usage."""


def _elsewhere():
    """Returns whether the tests are those of a user's project."""
    try:
        return bool(places.INSTALLED or project.here(foreign_too=False))
    except OSError:  # the current folder is gone
        return False


def _description():
    """Returns the description for a user's project, or the one for NOVA's tree."""
    return (IN_PROJECT if _elsewhere() else IN_TREE) + DESCRIPTION


def add_parser(commands):
    parser = commands.add_parser(
        "test",
        prog="nova test",
        help="build everything and run the tests",
        description=_description(),
        formatter_class=options.Formatter,
        usage="nova test [OPTION…] [LABEL | NAME]…",
    )
    parser.add_argument("words", nargs="*", metavar="LABEL | NAME", help="which tests (all)")
    if not _elsewhere():
        parser.add_argument(
            "--quick", action="store_true",
            help="run what every commit must pass, in four minutes: unit tests, quick checks, "
            "conformance, examples",
        )
        parser.add_argument(
            "--all", action="store_true",
            help="run each test on every kernel where its result can differ: five kernels instead "
            "of three, in about twice the time",
        )
        parser.add_argument(
            "--coverage", action="store_true",
            help="also count the kernel's lines and branches that ran (docs/kernel/coverage.md)",
        )
        parser.add_argument(
            "--record", action="store_true",
            help="with mutation: write the tests that detected each fault into "
            "tests/mutation/caught.tsv",
        )
    parser.add_argument("--arch", choices=tree.ARCHES, help="only the tests of this architecture")
    parser.add_argument(
        "--config", choices=tree.CONFIGS, help="only the tests of this configuration"
    )
    parser.add_argument(
        "--compiler", choices=tree.COMPILERS, help="only the tests of this compiler"
    )
    parser.set_defaults(function=run)


@dataclass
class Totals:
    passed: int = 0
    failed: int = 0
    not_raised: int = 0
    not_built: list = field(default_factory=list)  # presets; each counts as a failure
    not_run: list = field(default_factory=list)
    again: list = field(default_factory=list)  # tests that passed only alone
    failures: list = field(default_factory=list)  # names of failed tests and cases
    cases: set = field(default_factory=set)  # names of passed tests, without their presets
    times: parts.Parts = field(default_factory=parts.Parts)

    def add(self, result, name):
        if result == tap.PASSED:
            self.passed += 1
        elif result == tap.FAILED:
            self.fail(name)
        elif result == tap.NOT_RAISED:
            self.not_raised += 1
        else:
            self.not_run.append(name)

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)

    def status(self):
        good = self.passed and not self.failed and not self.not_run
        return errors.EXIT_OK if good else errors.EXIT_FAILED


def _is_named(test, words):
    """Returns whether a word that is not just a label selects the test."""
    return any(word not in LABELS and test.selected_by(word) for word in words)


def _in_scope(rows, test, args):
    """Returns whether a test runs on its preset. It always does if ARGS have its name or the
    beginning of its name, or if they have any words and also a configuration or a compiler."""
    chosen = args.words and (args.config or args.compiler)
    return bool(chosen) or _is_named(test, args.words) or scope.runs(rows, test)


def _chosen(tests, words):
    """Returns the tests that WORDS select; without WORDS, all tests except long ones. Only its
    exact name or its label selects a long test."""
    chosen = []
    for test in tests:
        long = set(test.labels) & set(NAMED_ONLY_LABELS)
        if long and any(word == test.name or word in long for word in words):
            chosen.append(test)
        elif not long and (not words or any(test.selected_by(word) for word in words)):
            chosen.append(test)
    return chosen


def select(tests, args):
    if getattr(args, "quick", False):
        return scope.quick(tests)
    if getattr(args, "coverage", False):
        return _chosen([test for test in tests if scope.is_recorded(test)], args.words)
    rows = scope.read()
    if scope.is_once(args):
        return _chosen([test for test in tests if scope.runs_once(rows, test)], [])
    return _chosen([test for test in tests if _in_scope(rows, test, args)], args.words)


def _worth_building(listed, args):
    """Returns whether a test of the host preset is selected, or a test not built yet may be."""
    if not args.words:
        return True
    return bool(select(listed, args)) or any(test.is_placeholder() for test in listed)


def _build_failure(error, preset, totals):
    sys.stdout.write(error.output)
    print(f"nova: {error}", flush=True)
    totals.not_built.append(preset)
    totals.failed += 1


def _texts():
    """Yields names and contents of the files that describe tests."""
    for part in ("tests", "examples", "templates", "docs"):
        for file in sorted((tree.ROOT / part).rglob("*")):
            if file.is_file() and file.suffix in (".txt", ".c", ".cc", ".tsv", ".md"):
                yield file.stem
                yield file.read_text(encoding="utf-8", errors="replace")


def _check_plausible(words):
    """Refuses impossible names at once, because the names themselves are known only after minutes
    of building. The characters . - / separate the parts of a name. Each part occurs in the
    sources, perhaps with a capital letter, except the number of CPUs, which CMake generates."""
    text = "\n".join(_texts()).lower() if words else ""
    for word in words:
        parts = [part for part in re.split(r"[.\-/ ]", word.lower()) if part]
        written = [part for part in parts if not re.fullmatch(r"\d+cpu", part)]
        if not written or any(part not in text for part in written):
            raise _unknown(word)


def _unknown(word):
    return errors.NovaError(
        f"no test or label is called '{word}'. Labels: {', '.join(LABELS)}. To list the tests of a "
        "label: ctest --test-dir build/PRESET -N -L LABEL."
    )


def _list_tests(args, totals):
    """Configures all presets and builds the preset of the host. Returns {preset: all its tests},
    without the presets that failed."""
    from nova import newlib  # which an installed SDK lacks

    wanted = scope.presets(args)
    arches = [arch for arch in tree.ARCHES if any(name.startswith(arch) for name in wanted)]
    listed = {}
    with newlib.Beside(arches) as libraries:
        for preset in wanted:
            try:
                _list_tests_of(preset, args, totals, listed)
            except build.BuildError as error:
                _build_failure(error, preset, totals)
    totals.times.add("C library: build", libraries.seconds, libraries.processors())
    return {preset: [test for test in tests if not test.is_placeholder()]
            for preset, tests in listed.items()}


def _list_tests_of(preset, args, totals, listed):
    """Adds the tests of PRESET to LISTED."""
    with totals.times.measure(f"{preset}: configuration"):
        build.configure(preset)
    tests = ctest.list_tests(preset)
    if preset == tree.HOST_PRESET and _worth_building(tests, args):
        with totals.times.measure(f"{preset}: build"):
            build.build(preset)
        tests = ctest.list_tests(preset)  # now with the tests in programs of unit tests
    listed[preset] = tests


def _prepare(args, totals, selected, begin):
    """Builds what the tests need. When all tests are known, fills in SELECTED, the tests to run of
    each preset. Calls BEGIN(preset) for each preset when its tests can run."""
    _check_plausible(args.words)
    listed = _list_tests(args, totals)
    for preset, tests in listed.items():
        chosen = select(tests, args)
        if chosen:
            selected[preset] = chosen
    if not totals.not_built:
        known = [test for tests in listed.values() for test in tests]
        _check_words(args.words, known)
        if scope.is_once(args):
            _check_scope(known, totals, scope.runs_once)
        elif args.all:
            _check_scope(known, totals, scope.runs)
    kernels = [preset for preset in listed if preset != tree.HOST_PRESET]
    kernels = [preset for preset in kernels if preset in selected or not args.words]
    begin(tree.HOST_PRESET)
    for preset in kernels:
        try:
            with totals.times.measure(f"{preset}: build"):
                build.build(preset, needs.targets(selected.get(preset)))
        except build.BuildError as error:
            _build_failure(error, preset, totals)
            selected.pop(preset, None)
        begin(preset)


def _check_scope(known, totals, runs):
    """Counts as failures: rows of scope.FILE that match no test, and tests that no preset RUNS.
    KNOWN has the tests of all presets of the run."""
    for sentence in scope.mistakes(scope.read(), known, runs):
        totals.fail(f"{scope.FILE.name}: {sentence}")


def _check_words(words, known):
    for word in words:
        if not any(test.selected_by(word) for test in known):
            raise errors.NovaError(f"no test or label of the chosen presets is called '{word}'.")
        _check_long(word, known)


def _check_long(word, known):
    """Rejects a word that matches only long tests but is not the exact name or the label of one."""
    names = {test.name for test in known if test.selected_by(word)}
    if not _chosen(known, [word]):
        raise errors.NovaError(
            f"'{word}' selects only tests that take long: name them exactly "
            f"({', '.join(sorted(names))}) or their label ({', '.join(NAMED_ONLY_LABELS)})."
        )


def _check_project_words(words, known):
    """Rejects unknown words with a list of the project's tests, which are few."""
    names = sorted({test.name for test in known})
    labels = sorted({label for test in known for label in test.labels})
    for word in words:
        if not any(test.selected_by(word) for test in known):
            raise errors.NovaError(
                f"no test or label of the project is called '{word}'."
                f"{errors.meant(word, names + labels)} Its tests: {', '.join(names)}; "
                f"labels: {', '.join(labels) or 'none'}."
            )
        _check_long(word, known)


def _prepare_projects(found, args):
    """Builds a user's project, or examples. The error of a failed build ends the run."""
    choice = (args.arch or "x86_64", args.config or "release", args.compiler or "gcc")
    preset = tree.preset_name(*choice)
    known = [test for one in found for test in ctest.list_tests(preset, one.build(*choice))]
    if not known:
        raise errors.NovaError(
            "the project has no tests: add enable_testing() and nova_add_boot_test() to its "
            "CMakeLists.txt.",
            errors.EXIT_FAILED,
        )
    _check_project_words(args.words, known)
    return {preset: _chosen(known, args.words)}


class Progress:
    """Prints one line for each test that ended."""

    def __init__(self):
        self.total = 0
        self.done = 0
        self.ended = {}  # results of the tests so far

    def __call__(self, test, result):
        self.done += 1
        self.ended[(test.preset, test.name)] = result
        width = len(str(self.total))
        print(
            f"[{self.done:{width}}/{self.total}] {test.preset} {test.name} … "
            f"{result} {test.seconds:.1f} s",
            flush=True,
        )


def _show_output(test):
    lines = test.output.rstrip().splitlines()
    print(f"--- {test.preset} {test.name}: {test.result} {test.reason}".rstrip())
    if len(lines) > SHOWN_LINES:
        log = test.folder / "Testing" / f"{test.name.replace(os.sep, '-')}.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text(test.output, encoding="utf-8")
        print(f"(the last {SHOWN_LINES} of {len(lines)} lines; all are in {log})")
    _show_last(lines)


def _show_last(lines):
    for line in lines[-SHOWN_LINES:]:
        print(f"    {line}")


def _count(test, totals):
    """Adds the result of a test, or of each case of its TAP stream, to TOTALS."""
    name = f"{test.preset} {test.name}"
    if not test.is_tap or test.result == tap.NOT_RUN:
        totals.add(test.result, name)
        if test.result == tap.PASSED:
            totals.cases.add(test.name)
        return
    stream = tap.parse(test.output)
    for case in stream.cases:
        totals.add(case.result, f"{name} {case.number} {case.name}")
        if case.result == tap.PASSED:
            totals.cases.add(f"{test.name} {case.name}")
    # If the run failed for a reason other than a failed case, this reason is a separate failure.
    if test.result == tap.FAILED and (stream.good() or stream.problems):
        totals.fail(f"{name}: {test.reason or 'the run itself'}")
    elif not stream.cases:
        totals.fail(f"{name}: no case ran")


def _lanes(progress, ran):
    """Returns the lanes in which tests run. Adds to RAN each test whose result is complete."""

    def on_end(job):
        for test in job.tests:
            if test.result != tap.PASSED:
                _show_output(test)
            ran.add((test.preset, test.name))
        sys.stdout.flush()

    return lanes.Lanes(progress, on_end)


def _compile_modules():
    """Compiles the modules of `nova` that have changed, because each boot loads some of them.
    Python keeps what it compiles only if PYTHONDONTWRITEBYTECODE is not set."""
    compileall.compile_dir(tree.ROOT / "sdk/lib/nova", maxlevels=0, quiet=2)


def _build_and_run(args, totals, selected, progress, running):
    """Fills in SELECTED and runs the tests in it. The tests of a preset begin when it is built,
    while other presets are still being built."""

    def begin(preset):
        progress.total = sum(len(tests) for tests in selected.values())
        running.add(jobs.of(selected.get(preset, [])))

    _compile_modules()
    _prepare(args, totals, selected, begin)
    running.finish()


def _note_times(selected, totals, spans):
    """Adds the times of each preset's tests to the parts of the run, and stores the time of each
    test for later runs."""
    for preset, span in spans.items():
        totals.times.add(f"{preset}: tests", span.end - span.start, span.processors)
    for tests in selected.values():
        ctest.note_costs(tests)


def _run_again(selected, totals):
    """Runs failed tests again, alone: a busy host rarely makes a test fail twice."""
    for test in again.candidates(test for tests in selected.values() for test in tests):
        print(f"nova: {test.preset} {test.name} runs again, alone", flush=True)
        with totals.times.measure("failed tests again"):
            passed = again.run(test)
        if passed:
            totals.again.append(f"{test.preset} {test.name}")
        else:
            _show_output(test)


def _show_programs(selected, totals):
    """Reports programs of unit tests that failed though each of their tests passed alone."""
    for cases in (cases for tests in selected.values() for cases in jobs.programs(tests)):
        if cases[0].common is None or any(test.result != tap.PASSED for test in cases):
            continue
        name = f"{cases[0].preset} {os.path.basename(cases[0].program[1])}"
        print(f"--- {name}: failed, but each of its tests passed alone")
        _show_last(cases[0].common.rstrip().splitlines())
        totals.again.append(name)


def _show_times(selected, totals, start):
    """Prints how long each part took, except after a single short test."""
    lines = totals.times.lines()
    if sum(len(tests) for tests in selected.values()) < 2 or not lines:
        return
    print("nova: the parts took")
    for line in lines:
        print(f"    {line}")
    print(f"nova: {parts.unused_since(start)}")
    print("nova: by label, the processor seconds and the number of the tests")
    for preset, tests in selected.items():
        print(f"    {preset}: {parts.by_label(tests)}")
    print(f"nova: {len(totals.cases)} different cases passed, however many presets ran them")


def _finish(totals, start):
    """Prints the lines that close every run."""
    for preset in totals.not_built:
        print(f"could not be built, which is a failure: {preset}, whose tests did not run")
    for name in totals.not_run:
        print(f"not run: {name}")
    if totals.not_raised:
        print(f"{totals.not_raised} cases `{tap.NOT_RAISED}`, as allowed: the machine of their run "
              "lacks what they need")
    for name in totals.failures[:SHOWN_FAILURES]:
        print(f"failed: {name}")
    if len(totals.failures) > SHOWN_FAILURES:
        print(f"failed: {len(totals.failures) - SHOWN_FAILURES} more")
    for name in totals.again:
        print(f"passed only when run again alone: {name}")
    print(f"nova: the tests took {time.monotonic() - start:.0f} s")
    if totals.not_run:
        print(f"{len(totals.not_run)} not run, which is not a success")
    print(f"{totals.passed} passed, {totals.failed} failed", flush=True)


def _count_all(selected, ran, progress, totals):
    """Counts all tests. If a run of CTest was interrupted, the cases of its tests were not read. In
    this case, each test of the run that has ended counts as one test, with its result in
    PROGRESS."""
    for preset, tests in selected.items():
        for test in tests:
            if (preset, test.name) in ran:
                _count(test, totals)
            else:
                result = progress.ended.get((preset, test.name), tap.NOT_RUN)
                totals.add(result, f"{preset} {test.name}")


def _show_failed(selected, ran, progress):
    """Prints the output of the failed tests of an interrupted run of CTest. The output of all
    other failed tests was shown already."""
    for preset, tests in selected.items():
        for test in tests:
            ended = progress.ended.get((preset, test.name))
            if (preset, test.name) in ran or ended != tap.FAILED:
                continue
            test.result = tap.FAILED
            test.output = ctest.output_so_far(test)
            _show_output(test)


def _check_alone(args):
    """Refuses --quick and --all together with other arguments."""
    given = [name for name in ("quick", "all") if getattr(args, name, False)]
    if not given:
        return
    if args.words or args.arch or args.config or args.compiler or args.coverage or given[1:]:
        raise errors.NovaError(
            f"--{given[0]} chooses tests and presets itself: give no other arguments."
        )


def _projects(args):
    """Returns the project here, or the examples that the words name; none in NOVA's tree."""
    if places.INSTALLED and args.words and not project.here():
        found, args.words = project.examples(args.words), []
        return found
    here = project.needed()
    return [here] if here else []


def run(args):
    found = _projects(args)
    _check_alone(args)
    if "mutation" in args.words and not found:
        from nova import mutation  # which an installed SDK lacks

        return mutation.run([word for word in args.words if word != "mutation"], args.record)
    if getattr(args, "record", False):
        raise errors.NovaError("--record goes with mutation only.")
    if getattr(args, "coverage", False):
        return _run_recorded(args)
    return _run(args, found)


def _run_recorded(args):
    """Runs the tests under QEMU and Bochs, and the kernel's unit tests if they are chosen, and
    reports which code of the kernel ran."""
    from nova import coverage  # which an installed SDK lacks

    coverage.begin()
    status = errors.EXIT_OK
    if not args.words or "unit" in args.words:
        status = coverage.run_unit_tests()
    words = [word for word in args.words if word != "unit"]
    if words or not args.words:
        status = _run(argparse.Namespace(**(vars(args) | {"words": words})), None) or status
    coverage.report([*scope.coverage_presets(args)])
    return status


def _run(args, found):
    totals = Totals()
    start = time.monotonic()
    selected, ran = {}, set()
    progress = Progress()
    running = _lanes(progress, ran)
    try:
        with running:
            if found:
                selected = _prepare_projects(found, args)
                known = [test for tests in selected.values() for test in tests]
                progress.total = len(known)
                for _, built in itertools.groupby(known, lambda test: test.folder):
                    running.add(jobs.of(list(built)))
                running.finish()
            else:
                _build_and_run(args, totals, selected, progress, running)
        _note_times(selected, totals, running.spans)
        if not found or progress.total > 1:  # the only test of a project has already run alone
            _run_again(selected, totals)
        _show_programs(selected, totals)
    except (KeyboardInterrupt, SystemExit):
        _show_failed(selected, ran, progress)
        print("nova: interrupted", flush=True)
        _note_times(selected, totals, running.spans)
        _count_all(selected, ran, progress, totals)
        _show_times(selected, totals, start)
        _finish(totals, start)
        raise
    _count_all(selected, ran, progress, totals)
    _show_times(selected, totals, start)
    _finish(totals, start)
    return totals.status()
