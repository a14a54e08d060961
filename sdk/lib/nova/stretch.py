# SPDX-License-Identifier: BSD-2-Clause
"""`stretch-test`, the command of the label stretch: boots a roottask under a plugin of QEMU, which
finds each CPU's longest stretch of instructions with interrupts off. Compares this stretch with the
bound that the kernel promises."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nova import bench_listing, conformance, process, qemu_plugin, tap, tree
from nova.errors import EXIT_FAILED, EXIT_OK
from nova.qemu import Machine, Module
from nova.runner import Runner

BOUND = 32000
# Start of the kernel's half of the address space.
KERNEL_FROM = {"x86_64": 0xFFFF800000000000, "x86_32": 0xC0000000}
# Maximum numbers of functions in a report: of a stretch, and of a call stack.
SHOWN = 4
DEEPEST = 6
WORDS = ("begin", "end", "hot")


@dataclass
class Stretch:
    """One stretch, as the plugin wrote it."""

    cpu: int
    length: int
    waited: int
    first: int
    last: int
    begin: list = field(default_factory=list)  # call stack at its start, innermost function last
    end: list = field(default_factory=list)
    hot: dict = field(default_factory=dict)  # {address: instructions}
    case: str = ""  # case of the suite that was running

    def addresses(self):
        return [self.first, self.last, *self.begin, *self.end, *self.hot]


def read_stretch(line):
    """Parses a line `above` or `longest`."""
    fields = line.split()[1:]
    numbers = [int(text, base) for text, base in zip(fields, (10, 10, 10, 16, 16))]
    found, part = Stretch(*numbers), None
    for text in fields[len(numbers) :]:
        if text in WORDS:
            part = text
        elif part == "hot":
            address, count = text.split(":")
            found.hot[int(address, 16)] = int(count)
        else:
            getattr(found, part).append(int(text, 16))
    return found


def read(text):
    """Returns the longest stretch of each CPU, and {cpu: its longest wait within a stretch}."""
    lines = [line for line in text.splitlines() if line]
    longest = [read_stretch(line) for line in lines if line.startswith("longest ")]
    waited = (line.split()[1:] for line in lines if line.startswith("waited "))
    return longest, {int(cpu): int(most) for cpu, most in waited}


def _calls(names, calls, last):
    """Returns a stack as text: the functions, the innermost last."""
    found = []
    for address in [*calls, last]:
        name = names.source(address)
        if found[-1:] != [name]:
            found.append(name)
    more = "… > " if len(found) > DEEPEST else ""
    return more + " > ".join(found[-DEEPEST:])


def describe(stretch, names):
    """Describes where a stretch began and ended, and its functions."""
    functions = Counter()
    for address, count in stretch.hot.items():
        functions[names.source(address)] += count
    most = ", ".join(f"{name} {count}" for name, count in functions.most_common(SHOWN))
    return (
        f"begins in {_calls(names, stretch.begin, stretch.first)}, "
        f"ends in {_calls(names, stretch.end, stretch.last)}; "
        f"most instructions are in {most or '–'}"
    )


def complaints(longest, above, bound, names):
    """Returns a message about the longest stretch above the bound, for each CPU and case. ABOVE
    holds stretches of known cases, LONGEST the longest one of each CPU."""
    worst = {}
    known = {(one.cpu, one.length) for one in above}
    late = [one for one in longest if one.length > bound and (one.cpu, one.length) not in known]
    for one in [*above, *late]:
        place = one.cpu, f"in the case '{one.case}'" if one.case else "after the last case"
        if place not in worst or worst[place].length < one.length:
            worst[place] = one
    return [
        f"CPU {cpu}: {one.length} instructions with interrupts off, the bound is {bound}; "
        f"{when}; {describe(one, names)}"
        for (cpu, when), one in worst.items()
    ]


def unfit(stream):
    """Returns a message if most cases of a suite fail, because then the code to be measured does
    not run. The plugin slows everything down, so cases may miss a deadline: each_failed() returns
    the arguments to run them again."""
    passed, failed = stream.count(tap.PASSED), stream.count(tap.FAILED)
    return [f"only {passed} of {passed + failed} cases passed"] if passed < failed else []


def each_failed(stream):
    """Returns the arguments with which the suite runs only the cases that failed."""
    words = []
    for case in stream.cases:
        if case.result == tap.FAILED:
            area, _, name = case.name.partition(" [")[0].partition(": ")
            words += [f"area={area}", f"case={name.replace(' ', '_')}"]
    return " ".join(dict.fromkeys(words))


def run_failed_again(machine, stream, timeout):
    """Runs the failed cases again, without the plugin. Returns a message for each case that fails
    again."""
    words = each_failed(stream)
    if not words:
        return []
    first = machine.modules[0]
    machine.modules = [first._replace(arguments=words), *machine.modules[1:]]
    text = Runner(machine, timeout).run().text()
    print(f"\nagain, without the plugin:\n{text}")
    again = tap.parse(text)
    bad = [f"TAP: {problem}" for problem in again.problems]
    bad += [f"fails without the plugin, too: {case.name}" for case in again.cases
            if case.result == tap.FAILED]
    return bad if again.cases else [*bad, "no case ran again"]


class Watcher:
    """Reads the plugin's output for a case when the console reports the end of the case."""

    def __init__(self, results):
        self.results = results  # file to which the plugin writes the stretches above the bound
        self.offset, self.above = 0, []

    def __call__(self, line):
        if not line.startswith((b"ok ", b"not ok ")):
            return
        case = line.decode("utf-8", "replace").partition(" - ")[2].split(" [")[0]
        for text in self._new_lines():
            stretch = read_stretch(text)
            stretch.case = case
            self.above.append(stretch)

    def _new_lines(self):
        if not self.results.exists():
            return []
        text = self.results.read_text(encoding="utf-8")[self.offset :]
        whole = text[: text.rfind("\n") + 1]
        self.offset += len(whole)
        return whole.splitlines()


def add_parser(commands):
    parser = commands.add_parser("stretch-test", prog="nova stretch-test", add_help=False)
    parser.add_argument("--arch", choices=tree.ARCHES, required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--roottask", required=True)
    parser.add_argument("--arguments", default="")
    parser.add_argument("--cpus", type=int, required=True)
    parser.add_argument("--cmdline", default="")
    parser.add_argument("--memory", type=int, default=Machine.memory)
    parser.add_argument("--qemu", dest="extra", action="append")  # instead of the suite's devices
    parser.add_argument("--bound", type=int, default=BOUND)
    parser.add_argument("--above", action="store_true")  # requires a stretch above the bound
    parser.add_argument("--each", action="store_true")  # each case must pass, at least without the
                                                        # plugin
    parser.add_argument("--timeout", type=float, required=True)
    parser.set_defaults(function=run)


def run(args):
    process.die_with_parent()
    machine = Machine(
        kernel=args.kernel, modules=[Module(args.roottask, args.arguments)], cpus=args.cpus,
        cmdline=args.cmdline, memory=args.memory, extra=list(args.extra or conformance.DEVICES),
    )
    bound = f"bound={args.bound}"
    with qemu_plugin.compiled("stretch", KERNEL_FROM[args.arch], bound) as (plugin, results):
        plain, machine.extra = machine.extra, [*machine.extra, "-plugin", plugin]
        runner = Runner(machine, args.timeout)
        runner.listener = watcher = Watcher(results.with_suffix(".above"))
        outcome = runner.run()
        text = results.read_text(encoding="utf-8") if results.exists() else ""
    sys.stdout.write(outcome.text())
    longest, waited = read(text)
    stream = tap.parse(outcome.text())
    bad = [f"TAP: {problem}" for problem in stream.problems]
    bad += unfit(stream)
    if not stream.cases or outcome.status not in (EXIT_OK, EXIT_FAILED):
        bad.append(f"exit status {outcome.status} {outcome.message}")
    elif args.each:
        machine.extra = plain
        bad += run_failed_again(machine, stream, args.timeout)
    if len(longest) != args.cpus:
        bad.append(f"stretches of {len(longest)} CPUs were counted instead of {args.cpus}")
    kernel = bench_listing.with_symbols(Path(args.kernel))
    every = [address for one in [*longest, *watcher.above] for address in one.addresses()]
    names = bench_listing.names_of(kernel, every)
    print()
    for one in longest:
        print(
            f"CPU {one.cpu}: longest stretch {one.length} instructions, longest wait within a "
            f"stretch {waited.get(one.cpu, 0)}; {describe(one, names)}"
        )
    above = complaints(longest, watcher.above, args.bound, names)
    if args.above:
        above = [] if above else [f"no stretch is above {args.bound} instructions"]
    bad += above
    for sentence in bad:
        print(f"stretch-test: {sentence}")
    return EXIT_FAILED if bad else EXIT_OK
