# SPDX-License-Identifier: BSD-2-Clause
"""`boot-test`, the command that nova_add_boot_test() calls: boots once and compares the run with
the test's requirements."""

import os
import re
import shlex
import sys
import time
from pathlib import Path

from nova import (
    attached,
    boot_list,
    boot_modules,
    described,
    disk,
    hang,
    not_raised,
    options,
    process,
    qemu,
    tap,
    tree,
)
from nova.errors import EXIT_TIMEOUT, NovaError
from nova.qemu import Module, parse_module
from nova.runner import Runner


def add_parser(commands):
    parser = commands.add_parser(
        "boot-test", prog="nova boot-test", add_help=False, formatter_class=options.Formatter
    )
    parser.add_argument("--name")  # the test's name, for complaints
    parser.add_argument("--arch", choices=tree.ARCHES, required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--roottask")
    parser.add_argument("--arguments", default="")
    parser.add_argument("--list", metavar="FILE")  # a boot list instead of a roottask
    # The disk of the system NAME-disk and the card of NAME-net, as for `nova run NAME`.
    parser.add_argument("--disk", metavar="FILE")
    parser.add_argument("--net", action="store_true")
    parser.add_argument("--system-tool", metavar="FILE")  # the tool that reads a system's machine
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--timeout", type=options.seconds, default=60.0)
    parser.add_argument("--expect", action="append", default=[])
    parser.add_argument("--reject", action="append", default=[])
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--qemu", dest="extra", action="append", default=[])
    parser.add_argument("--multiboot", type=int, default=0)
    options.add_machine(parser, min_memory=1)  # a test may use too little memory on purpose
    parser.set_defaults(function=run, cmdline="")  # the kernel prints nothing unless the test
                                                   # requests it


def check_patterns(args):
    """Rejects invalid regular expressions before anything boots."""
    test = f"the test '{args.name}'" if args.name else "the test"
    for keyword, patterns in (("EXPECT", args.expect), ("REJECT", args.reject)):
        for pattern in patterns:
            try:
                re.compile(pattern, re.MULTILINE)
            except re.error as error:
                raise NovaError(
                    f"{test}: {keyword} '{pattern}' is not a regular expression: "
                    f"{error}. To match a special character literally, write \\\\ before it in "
                    f"CMakeLists.txt, such as \\\\( for a parenthesis."
                ) from error


def find_in_order(patterns, text):
    """Returns the first pattern that does not follow the ones before it, or None. A pattern that
    begins with a look-ahead, for lines in any order, is tried only at the end of the previous
    match. A search, which tries it at each character, could take hours to fail in a long text."""
    position = 0
    for pattern in patterns:
        one = re.compile(pattern, re.MULTILINE)
        find = one.match if pattern.startswith("(?=") else one.search
        match = find(text, position)
        if not match:
            return pattern
        position = match.end()
    return None


def complaints(args, outcome, words=frozenset()):
    """Returns each deviation of the run from the test's requirements; WORDS describe its
    platform."""
    found = []
    text = outcome.text()
    if outcome.status != args.status:
        why = f": {outcome.message}" if outcome.message else ""
        found.append(f"exit status {outcome.status} instead of {args.status}{why}")
    missing = find_in_order(args.expect, text)
    if missing is not None:
        found.append(f"expected, but not in the output (or not in this order): {missing}")
    for pattern in args.reject:
        match = re.search(pattern, text, re.MULTILINE)
        if match:
            found.append(f"must not be in the output: {match.group(0)}")
    if args.tap:
        found += tap_complaints(tap.parse(text), not_raised.read(), words)
    return found


def tap_complaints(stream, rows, words):
    """Returns complaints about a TAP stream. ROWS list the cases that need not be raised."""
    found = [f"TAP: {problem}" for problem in stream.problems]
    for case in stream.cases:
        if case.result == tap.NOT_RAISED:
            if not not_raised.allowed(rows, case.reason, words):
                found.append(f"must be raised here, but {case.reason}: {case.name}")
        elif case.result != tap.PASSED:
            found.append(f"case {case.number} {case.result}: {case.name}")
    return found


def by_hand(machine):
    """Returns a shell command that boots the machine by hand. It is correct only if no blank is in
    the names below the files' common folder."""
    change = ""
    if any(qemu.has_blank(name) for name in machine.names()):
        folder = os.path.commonpath([os.path.abspath(name) for name in machine.names()])
        folder = folder if os.path.isdir(folder) else os.path.dirname(folder)
        change = f"cd {shlex.quote(folder)} && "
        machine = qemu.relative(machine, folder)
    return change + " ".join(shlex.quote(word) for word in qemu.by_hand(machine))


def with_lasting_files(machine, args):
    """Returns the machine with each boot module that vanishes when this command ends, such as a
    sealed image, replaced by a copy. For a boot list, the copies are in Testing/NAME of the build
    folder."""
    name = (args.name or Path(args.list or "test").stem).replace(os.sep, "-")
    folder, modules = Path(args.list or ".").absolute().parent.parent / "Testing" / name, []
    for module in machine.modules:
        if process.is_kept(module.file):
            import shutil  # loads many modules, which few boots need

            folder.mkdir(parents=True, exist_ok=True)
            module = module._replace(file=shutil.copy(module.file, folder))
        modules.append(module)
    return machine.changed(modules=modules)


def further_module(text, arch):
    """Returns the module for an argument of --module; `guest:NAME` is the guest file of that name,
    for ARCH."""
    module = parse_module(text)
    if not module.file.startswith(boot_list.GUEST):
        return module
    from nova import guest

    name = module.file[len(boot_list.GUEST) :]
    return module._replace(file=guest.file(f"{guest.PREFIX}{arch}/{name}"))


def _runner(machine, args):
    """Returns the runner for the machine's emulator; loads that of Bochs only for Bochs. The runner
    reports the state of a machine that hangs only under QEMU, and only if the test does not expect
    the time limit."""
    if machine.emulator != "qemu":
        from nova import bochs

        return bochs.new_runner(machine, args.timeout)
    if args.status == EXIT_TIMEOUT:
        return Runner(machine, args.timeout)
    return hang.HangRunner(machine, args.timeout, args.arch, args.name or "test")


def _modules(args):
    """Returns the boot modules."""
    modules, program = [Module(args.roottask)] if args.roottask else [], None
    if args.list:
        modules = boot_list.read(args.list)
        stem = os.path.basename(args.list).removesuffix(".boot")
        program = re.sub(r"(-disk)?(-net)?$", "", stem) if attached.of(args) else None
    further = [further_module(text, args.arch) for text in args.module]
    return boot_modules.complete(modules, further, args.arguments or None, program)


def run(args):
    check_patterns(args)
    process.die_with_parent()
    modules = _modules(args)
    devices = disk.arguments(args.disk) if args.disk else []
    args.extra = [*devices, *(attached.card([]) if args.net else []), *args.extra]
    cpus, memory = described.machine(modules, args.cpus, args.memory, args.system_tool)
    other = {"cpus": cpus, "memory": memory, "extra": args.extra, "multiboot": args.multiboot}
    machine = options.machine(args, args.kernel, modules, **other)
    start = time.monotonic()
    runner = _runner(machine, args)
    outcome = runner.run()
    sys.stdout.write(outcome.text())
    report = runner.report()
    if report:
        print(f"\nboot-test: the machine at its time limit:\n{report}")
    found = complaints(args, outcome, not_raised.platform(machine, args.arch, machine.emulator))
    print(f"\nboot-test: ended with status {outcome.status} after {time.monotonic() - start:.1f} s")
    for complaint in found:
        print(f"boot-test: {complaint}")
    if found and machine.boot == "direct":
        print(f"boot-test: by hand: {by_hand(with_lasting_files(machine, args))}")
    return 1 if found else 0
