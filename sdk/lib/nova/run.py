# SPDX-License-Identifier: BSD-2-Clause
"""`nova run`: boots an example, or any roottask, on the terminal."""

import os
import sys
import tempfile
from pathlib import Path

from nova import build, elf, options, tree
from nova.errors import NovaError
from nova.qemu import Machine
from nova.runner import Runner

DEFAULT = "tour"
# The multiboot loader ends a module's file name at the first of these.
BLANKS = " \t"

DESCRIPTION = """\
Boots an example (without NAME: the tour), or with --roottask any roottask.
On a terminal ctrl-a x leaves the machine, and ctrl-a c changes to QEMU's monitor.

Exit status: 0 the roottask ended the system with 0 (or it was switched off),
1 it ended it with another value, 2 wrong usage or environment, 3 the kernel
stopped or the machine reset itself, 124 the time limit of --timeout."""


def add_parser(commands):
    parser = commands.add_parser(
        "run",
        prog="nova run",
        help="boot an example or a roottask under QEMU",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova run [OPTION…] [NAME | --roottask FILE [--module 'FILE ARGS']…] "
        "[-- QEMU ARGUMENTS]",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="an example (tour)")
    parser.add_argument("--roottask", metavar="FILE", help="boot this ELF file instead")
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        metavar="'FILE ARGS'",
        help="a further boot module, may be repeated",
    )
    options.add_build(parser)
    options.add_machine(parser)
    parser.add_argument(
        "--timeout", type=options.seconds, metavar="S", help="cut the run off after S seconds"
    )
    parser.set_defaults(function=run)


def _roottask(args):
    """Checks what is to be booted. Returns the file (None: an example) and the target to build."""
    if args.roottask is not None:
        if args.name is not None:
            raise NovaError("give either an example's name or --roottask, not both.")
        elf.check_program(args.roottask, args.arch)
        return args.roottask, None
    name = args.name or DEFAULT
    known = tree.examples()
    if name not in known:
        raise NovaError(f"there is no example '{name}'; there are: {', '.join(known) or 'none'}.")
    return None, name


def _check_modules(modules):
    for module in modules:
        words = module.split(maxsplit=1)
        if not words:
            raise NovaError("--module needs a file name.")
        elf.read_start(words[0], "module")


def module_file(path, folder):
    """A name for PATH without blanks, if need be a link in FOLDER."""
    path = str(path)
    if not any(blank in path for blank in BLANKS):
        return path
    link = Path(folder) / Path(path).name.translate({ord(blank): "_" for blank in BLANKS})
    link.symlink_to(os.path.abspath(path))
    return str(link)


def _on_terminal():
    """Whether the console can have the terminal: both ends are one, and it is ours now."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return os.tcgetpgrp(0) == os.getpgrp()


def run(args):
    file, example = _roottask(args)
    _check_modules(args.module)
    preset = tree.preset_name(args.arch, args.config, args.compiler)
    build.build(preset, ["nova.elf32"] + ([example] if example else []))

    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        roottask = module_file(file or tree.program(preset, example), folder)
        machine = Machine(
            kernel=tree.kernel(preset),
            modules=[roottask, *args.module],
            cmdline=args.cmdline,
            cpus=args.cpus,
            memory=args.memory,
            machine=args.machine,
            cpu=args.cpu,
            extra=args.qemu,
        )
        interactive = _on_terminal()
        if interactive:
            build.say("starting QEMU; ctrl-a x leaves it")
        outcome = Runner(machine, args.timeout, sys.stdout.buffer, interactive).run()
    if outcome.message:
        build.say(outcome.message)
    return outcome.status
