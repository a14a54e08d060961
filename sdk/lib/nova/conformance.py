# SPDX-License-Identifier: BSD-2-Clause
"""`nova conformance`: runs the conformance suite on this or another kernel, and sums it up."""

import re
import sys
from dataclasses import dataclass

from nova import bochs, build, elf, not_raised, options, process, tap, tree
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.qemu import Machine, Module

FOLDER = tree.ROOT / "tests/conformance"
PROGRAM = "conformance"
TIMEOUT = 900
# Areas that apply only to a kernel with a certain command line.
SPECIAL = {"shortage": "kmem=4M"}
# Areas with cases that need a CPU without virtualization also boot on this CPU model of QEMU.
PLAIN_CPU = "qemu64,-svm"
ON_PLAIN_CPU = ("create",)
# Devices for the cases of interrupts; other cases do not notice them.
DEVICES = (
    *("-device", "edu,addr=4", "-device", "edu,addr=8", "-device", "nvme,serial=nova"),
    *("-global", "hpet.msi=on"),
)
RESULTS = (tap.PASSED, tap.FAILED, tap.NOT_RAISED, tap.NOT_RUN)
NAMED = re.compile(r"((\w+): [^\[]*?) *\[([^\]]*)\]$")

DESCRIPTION = """\
Boots the conformance suite on this tree's kernel, or with --kernel on any kernel
that claims the interface, and prints a table by section of the specification.
NAME is an area of cases (a file of tests/conformance/cases); without NAME all run.

A case that the machine cannot raise (another CPU, an exception that QEMU lacks) is
`not raised here`: neither passed nor failed. tests/conformance/not-raised.tsv
lists which cases may be missing, and where; any other missing case counts as failed.

Exit status: 0 if at least one case passed, none failed and none is `not run`, else 1;
2 for wrong usage."""


def add_parser(commands):
    parser = commands.add_parser(
        "conformance",
        prog="nova conformance",
        help="test a kernel against the specification",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova conformance [OPTION…] [NAME]…",
    )
    parser.add_argument("words", nargs="*", metavar="NAME", help="areas of cases (all)")
    parser.add_argument("--kernel", metavar="FILE", help="test this kernel instead")
    parser.add_argument("--tap", action="store_true", help="print TAP instead of the table")
    options.add_build(parser)
    options.add_machine(parser)
    parser.add_argument(
        "--timeout", type=options.seconds, metavar="S", default=TIMEOUT,
        help=f"stop a boot after S seconds ({TIMEOUT})",
    )
    parser.set_defaults(function=run, cmdline="")


@dataclass
class Case:
    """A case of the suite with its result."""

    name: str
    area: str
    ids: list
    result: str
    reason: str
    notes: list


def areas():
    return sorted(file.stem for file in (FOLDER / "cases").glob("*.c"))


def boots(names, cmdline, cpu):
    """Returns (kernel command line, CPU model, areas) of each boot; no areas: all."""
    plain = [name for name in names if name not in SPECIAL]
    found = [(cmdline, cpu, plain)] if plain or not names else []
    for area, words in SPECIAL.items():
        if not names or area in names:
            found.append((f"{cmdline} {words}".strip(), cpu, [area]))
    areas_on_plain = [area for area in ON_PLAIN_CPU if not names or area in names]
    if areas_on_plain and cpu == Machine.cpu:
        found.append((cmdline, PLAIN_CPU, areas_on_plain))
    return found


def cases(text, rows, words):
    """Returns the cases of one boot and the problems of its stream. ROWS list the cases that may be
    missing on a platform that WORDS describe."""
    stream = tap.parse(text)
    found = []
    for case in stream.cases:
        match = NAMED.match(case.name)
        name, area, ids = match.groups() if match else (case.name, "", "")
        result, reason = case.result, case.reason
        if result == tap.NOT_RAISED and not not_raised.allowed(rows, reason, words):
            result, reason = tap.FAILED, f"must be raised here, but {reason}"
        found.append(Case(name, area, ids.split(), result, reason, case.notes))
    return found, stream.problems


def merge(first, second):
    """Merges the results of two boots. If only the second boot could raise a case, its result
    replaces the result of the first boot."""
    by_name = {case.name: case for case in first}
    for case in second:
        before = by_name.get(case.name)
        if before is None or before.result == tap.NOT_RAISED:
            by_name[case.name] = case
    return list(by_name.values())


def foreign_statements(arch):
    """Returns the ids of statements about the other architecture."""
    other = {"x86-64": "x86-32", "x86-32": "x86-64"}[arch.replace("_", "-")]
    lines = (FOLDER / "spec-statements.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    return {row[0] for row in rows if row[2] == other}


def section(statement):
    """Returns the section of the table to which a statement belongs."""
    if statement[0].isalpha():
        return statement[0]
    return re.match(r"\d+\.\d+", statement).group(0)


def titles():
    lines = (FOLDER / "sections.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines[1:])


def _count(found, result):
    return sum(case.result == result for case in found)


def table(found, arch):
    """Returns the counts per section and in total; a case counts in each section that it names."""
    parts = {key: [] for key in titles()}
    foreign = foreign_statements(arch)
    for case in found:
        for key in {section(statement) for statement in case.ids if statement not in foreign}:
            parts[key].append(case)
    width = max(len(title) for title in titles().values())
    head = f"{'section':<{width + 6}}" + "".join(f"{name:>{len(name) + 3}}" for name in RESULTS)
    lines = [head, "-" * len(head)]
    for key, title in titles().items():
        counts = [_count(parts[key], result) for result in RESULTS]
        if any(counts):
            lines.append(_row(f"{key:<5} {title}", counts, width))
    lines += ["-" * len(head), _row("cases", [_count(found, r) for r in RESULTS], width)]
    return "\n".join(lines)


def _row(title, counts, width):
    columns = [f"{count or '·':>{len(name) + 3}}" for name, count in zip(RESULTS, counts)]
    return f"{title:<{width + 6}}" + "".join(columns)


def stream(found):
    """Returns all boots as one TAP stream."""
    lines = ["TAP version 13", f"1..{len(found)}"]
    for number, case in enumerate(found, start=1):
        good = case.result in (tap.PASSED, tap.NOT_RAISED)
        line = f"{'ok' if good else 'not ok'} {number} - {case.name} [{' '.join(case.ids)}]"
        if case.result == tap.NOT_RAISED:
            line += f" # SKIP {tap.NOT_RAISED}: {case.reason}"
        lines.append(line)
        if not good:
            lines += [f"  # {note}" for note in _why(case)]
    return "\n".join(lines)


def _why(case):
    return ([case.reason] if case.reason else []) + (case.notes or [case.result])


def _boot(args, kernel, program, cmdline, cpu, names):
    words = " ".join(f"area={name}" for name in names)
    extra = list(DEVICES) if args.emulator == "qemu" else []
    other = {"cmdline": cmdline, "cpu": cpu, "extra": extra}
    machine = options.machine(args, kernel, [Module(program, words)], **other)
    outcome = bochs.new_runner(machine, args.timeout).run()
    foreign = args.kernel is not None
    platform = not_raised.platform(machine, args.arch, machine.emulator, foreign)
    found, problems = cases(outcome.text(), not_raised.read(), platform)
    # The suite itself reports failed cases with status 1.
    if outcome.status not in (EXIT_OK, EXIT_FAILED) and outcome.message:
        problems.insert(0, outcome.message)
    return found, problems


def _run_all(args, kernel, preset):
    found, problems = [], []
    for cmdline, cpu, names in boots(args.words, args.cmdline, args.cpu):
        if cpu != args.cpu and args.emulator != "qemu":
            continue
        build.say(f"booting {' '.join(names) or 'all areas'} on {args.cpus} CPUs")
        more, trouble = _boot(args, kernel, tree.program(preset, PROGRAM), cmdline, cpu, names)
        found = merge(found, more)
        problems += trouble
    return found, problems


def _check(args):
    for name in args.words:
        if name not in areas():
            raise NovaError(f"there is no area '{name}'; there are: {', '.join(areas())}.")
    if args.kernel is None:
        return
    if (args.emulator, args.boot) == ("qemu", "direct"):
        elf.check_kernel(args.kernel)
    else:
        elf.read_start(args.kernel, "kernel")


def run(args):
    process.die_with_parent()
    _check(args)
    preset = tree.preset_name(args.arch, args.config, args.compiler)
    build.build(preset, [PROGRAM] + ([] if args.kernel else ["nova.elf32"]))
    found, problems = _run_all(args, args.kernel or tree.kernel(preset), preset)
    if args.tap:
        print(stream(found))
    else:
        for case in found:
            if case.result in (tap.FAILED, tap.NOT_RUN):
                print(f"{case.result}: {case.name}")
                print("\n".join(f"    {note}" for note in _why(case)))
        print(table(found, args.arch))
    for problem in problems:
        build.say(problem)
    sys.stdout.flush()
    bad = _count(found, tap.FAILED) + _count(found, tap.NOT_RUN)
    return EXIT_OK if _count(found, tap.PASSED) and not bad and not problems else EXIT_FAILED
