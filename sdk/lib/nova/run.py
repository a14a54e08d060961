# SPDX-License-Identifier: BSD-2-Clause
"""`nova run`: boots a user's project, an example, or any roottask, on the terminal."""

import os
import sys

from nova import (
    attached,
    boot_list,
    boot_modules,
    build,
    cmdline,
    console_output,
    described,
    disk,
    elf,
    explain,
    faults,
    options,
    places,
    project,
    qemu,
    sealed,
    shortage,
    tree,
)
from nova.bochs import new_runner
from nova.errors import NovaError, meant
from nova.qemu import Module, parse_module

DEFAULT = "tour"
# The tour's command line if a user can press a key.
PAUSE = "pause"
NAMES = {"qemu": "QEMU", "bochs": "Bochs"}
# QEMU's arguments for a debugger. It may inspect the machine after the roottask has ended.
DEBUGGING = ("-s", "-S", "-gdb")

DESCRIPTION = """\
Boots NAME: a program or system of the project around the current folder, an
example, or the project in a folder. The default is the project here, or the tour
if there is none. --roottask boots any roottask.
On a terminal ctrl-a x leaves the machine, and ctrl-a c changes to QEMU's monitor;
Bochs has no monitor.

Exit status: 0 the roottask ended the system with 0 (or it was switched off),
1 the roottask ended it with another value, or the build failed, for example because
of a mistake in a description, 2 wrong usage or environment, 3 the kernel stopped, the
machine reset itself or the roottask's first thread was shut down, 124 the time limit
of --timeout.

The kernel prints messages only if its command line has serial, which is the default.
Without serial nothing reports that the roottask was shut down, and the run continues.
With -s, -S or -gdb for QEMU the run always continues."""


def add_parser(commands):
    parser = commands.add_parser(
        "run",
        prog="nova run",
        help="boot a project, an example or a roottask under QEMU",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova run [OPTION…] [NAME | DIR | --roottask FILE [--module 'FILE ARGS']…] "
        "[-- QEMU ARGUMENTS]",
    )
    add_programs(parser)
    options.add_build(parser)
    options.add_machine(parser, cpu=qemu.CPU_OF_RUNS)
    parser.add_argument(
        "--disk", metavar="FILE", action=disk.One, help="a disk for an example that can use one; "
        "it keeps what is written"
    )
    parser.add_argument(
        "--net", action="store_true", help="a network card for an example that can use one, on a "
        "network of QEMU's own"
    )
    parser.add_argument(
        "--forward", metavar="KIND:PORT:PORT", action="append", default=[], help="with --net, a "
        "port of this machine that leads to one of the program, such as tcp:8080:80; may be "
        "repeated"
    )
    parser.add_argument(
        "--timeout", type=options.seconds, metavar="S", help="end the run after S seconds"
    )
    parser.set_defaults(function=run)


def add_programs(parser):
    """Adds the options that choose the parts of a boot."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to boot (tour)")
    parser.add_argument("--roottask", metavar="FILE", help="boot this ELF file instead")
    parser.add_argument(
        "--arguments", metavar="TEXT", help="command line of the booted program, after its name"
    )
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        metavar="'FILE ARGS'",
        help="a further boot module, or a replacement for the one with this file name; may be "
        "repeated; a name with blanks in quotes of its own",
    )


def _check(args):
    """Checks the arguments before a build."""
    if args.roottask is not None:
        if args.name is not None:
            raise NovaError("give either a name or --roottask, not both.")
        elf.check_program(args.roottask, args.arch)
        for kind in attached.of(args):
            option = kind.option.split()[0]
            raise NovaError(f"{option} needs the name of a system with a driver, not --roottask.")
    if getattr(args, "forward", None) and not args.net:
        raise NovaError("--forward needs --net.")
    if _disk(args):
        disk.check(args.disk, args.emulator)
    if attached.NET in attached.of(args):
        attached.card(args.forward, args.emulator)  # refuses wrong ports before the build


def _disk(args):
    """Returns the file of --disk; some commands do not have this option."""
    return getattr(args, "disk", None)


def _able(found, args, name=None):
    """Returns the project FOUND. Raises an error if the chosen kernel cannot run its system
    NAME."""
    sealed.check_project(found.folder, name, args.arch)
    return found


def _find(args):
    """Returns (project, None, []), (project, name in the project, all its names), or (None,
    example, [])."""
    name = args.name
    if name is None:
        found = project.here()
        return (_able(found, args), None, []) if found else (None, DEFAULT, [])
    if os.sep in name or name in (".", ".."):
        return _able(project.at(name), args), None, []
    found = project.here(foreign_too=False)
    if found:
        _able(found, args, name)
    own = found.names(args.arch, args.config, args.compiler) if found else []
    if name in own:
        return found, name, own
    examples = places.examples()
    if name in examples:
        return None, name, []
    if os.path.isdir(name):
        return _able(project.at(name), args), None, []
    raise NovaError(_unknown(name, args, found, own, examples))


def _unknown(name, args, found, own, examples):
    """Returns a sentence about an unknown NAME."""
    if found:
        out = found.build_dir(tree.preset_name(args.arch, args.config, args.compiler))
        if boot_list.is_program(out, name):
            return (
                f"'{name}' is a program that a system starts: boot {' or '.join(own) or 'one'}, or "
                f"it alone as the roottask, with --roottask {os.path.relpath(out / 'bin' / name)}."
            )
    example = places.example_of(name)
    if example:
        given = attached.options_of(name.removeprefix(example))
        remedy = f"run it in that folder, {places.EXAMPLES / example}"
        if given:
            remedy = f"write nova run {example} {given}"
        return f"'{name}' is a system of the example {example}: {remedy}."
    hint = meant(name, own) or meant(name, examples)
    listed = f"the examples are {', '.join(examples) or 'none'}."
    if hint:
        listed = f"the examples are in {places.EXAMPLES}."
    if not found:
        return f"there is no example '{name}'.{hint} T{listed[1:]}"
    has = f"has {', '.join(own)}" if own else "has nothing to boot"
    return (
        f"neither the project {found.folder.name} nor the SDK has '{name}'.{hint} The project "
        f"{has}; {listed}"
    )


def _first(names):
    """Returns the name of the only system among NAMES that has no options for devices, or None. The
    folder of a project may have another name."""
    known = attached.plain(names)
    return known[0] if len(known) == 1 else None


def _build(args, own):
    """Builds the program to boot; modules with a name among OWN need not exist. Returns kernel,
    boot modules and whether it is an example. Sets the name in ARGS."""
    choice = (args.arch, args.config, args.compiler)
    found, name, names = (None, None, []) if args.roottask else _find(args)
    is_example = bool(name) and not found
    place = found.folder if found else places.EXAMPLES / (name or "")
    if is_example:
        sealed.check_example(place, args.arch)
    kinds = attached.of(args)
    lists = found.build_dir(tree.preset_name(*choice)) if found else None
    if found and not name:
        names = found.names(*choice)
    program = name or _first(names) or place.name
    if not args.roottask and not args.qemu:
        for sentence in attached.missing(program, place, kinds, names, lists):
            build.say(sentence)
    if kinds:
        args.program = program  # the program that gets --arguments
        name = attached.system(program, place, kinds, names, lists)
    if is_example and places.INSTALLED:
        found = project.at(place)
    if found:
        folder = found.build(*choice)
        args.name = project.choose(folder, name)
        modules = boot_list.read(boot_list.path(folder, args.name), own)
        check_modules(modules[1:], own)
        return places.kernel(args.arch, args.config), modules, is_example
    if not places.INSTALLED:
        build.build(tree.preset_name(*choice), ["nova.elf32"] + ([name] if name else []))
    kernel = places.kernel(*choice)
    if args.roottask:
        return kernel, [Module(args.roottask)], False
    args.name = name
    folder = tree.build_dir(tree.preset_name(*choice))
    return kernel, boot_list.read(boot_list.path(folder, name), own), is_example


def _modules(texts):
    modules = [parse_module(text) for text in texts]
    for text, module in zip(texts, modules):
        if not os.path.exists(module.file) and os.path.exists(text):
            raise NovaError(
                f"the module '{text}' has blanks in its name: put quotes of its own around it, "
                f"""--module "'{text}' ARGUMENTS"."""
            )
        elf.read_start(module.file, "module")
        if not os.path.getsize(module.file):
            raise NovaError(f"the module {module.file} is empty, and the kernel ignores such a "
                            "file: copy or make the file again, or leave it out.")
    return modules


def check_modules(modules, own):
    """Refuses boot modules of a project that have vanished, or become useless, since its build.
    Modules with a name among OWN are replaced."""
    for file in (module.file for module in modules if sealed.file_name(module.file) not in own):
        is_sealed = file.startswith(sealed.PREFIX)
        what = sealed.DESCRIPTION if is_sealed else "boot module"
        file = file.removeprefix(sealed.PREFIX)
        if not os.path.exists(file):
            out = ("SEALED out of nova_add_system()" if is_sealed
                   else "it out of the project's CMakeLists.txt")
            raise NovaError(f"the {what} {file} is missing: create it again, or take {out}.")
        elf.read_start(file, what)
        if not is_sealed and not os.path.getsize(file):  # an empty description has defaults
            raise NovaError(f"the {what} {file} is empty: write something into it.")


def warn_of_modules(name, modules, further):
    """Yields warnings about the user's modules. A program may open any name, so this is not an
    error. But a program without modules of its own probably needs the given modules."""
    known = [sealed.file_name(module.file) for module in modules[1:]]
    given = [os.path.basename(module.file) for module in further]
    for file in dict.fromkeys(given if known else ()):
        if file not in known:
            listed = ", ".join(dict.fromkeys(known))
            yield f"{name} has no module '{file}'; its modules are {listed}"
        elif given.count(file) > known.count(file):
            count = given.count(file)
            yield f"{count} modules are called {file}; a program that opens one gets the first"


def refuse_twins(modules, further):
    """Refuses two modules of the user with one name in a system: init would refuse them."""
    if not any(str(module.file).endswith(".nova") for module in (*modules, *further)):
        return
    given = [os.path.basename(module.file) for module in further]
    for file in given:
        if given.count(file) > 1:
            raise NovaError(f"{given.count(file)} modules are called {file}, and the programs of a "
                            "system find modules by their names: leave out all but one.")


# Minimum memory in MiB that kernel and BIOS need in addition to the boot modules.
LEAST_BESIDE = 4


def check_room(modules, memory):
    """Refuses a machine of MEMORY MiB if the boot modules alone would fill it."""
    size = sum(os.path.getsize(module.file) for module in modules if os.path.exists(module.file))
    size = (size + (1 << 20) - 1) >> 20
    need = size + LEAST_BESIDE
    if need > memory:
        raise NovaError(
            f"the boot modules have {size} MiB, too much for a machine of {memory} "
            f"MiB: use --memory {need} or more, because the programs need memory, too."
        )


def _on_terminal():
    """Returns whether the console can use the terminal: standard input and output are terminals,
    and this process is in the foreground of its session's terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # the terminal of another session, as after setsid
        return False


def prepare(args, pause=""):
    """Builds the program to boot. Returns the machine and the roottask's file. The tour's command
    line gets PAUSE, a word that other examples do not know."""
    _check(args)
    further = _modules(args.module)
    warning = cmdline.warning(args.cmdline)
    if warning:
        build.say(warning)
    own = [os.path.basename(module.file) for module in further]
    kernel, modules, is_example = _build(args, own)
    refuse_twins(modules, further)
    sealed.check_names(modules, further)
    for warning in warn_of_modules(args.name or "the roottask", modules, further):
        build.say(warning)
    program, arguments = modules[0].file, args.arguments
    if arguments is None and is_example and pause and args.name == DEFAULT:
        arguments = f"{modules[0].arguments} {pause}".strip()
    sealed.check_arch(modules, args.arch)
    with_devices = args.program if attached.of(args) else None
    modules = boot_modules.complete(modules, further, arguments, with_devices)
    warning = sealed.warning(modules, further)
    if warning:
        build.say(f"warning: {warning}. The system boots nevertheless.")
    tool = places.system_tool(args.arch, args.config, args.compiler)
    cpus, memory = described.machine(modules, args.cpus, args.memory, tool)
    other = {"cpus": cpus, "memory": memory, "extra": [*_attached(args), *args.qemu]}
    return options.machine(args, kernel, modules, **other), program


def _attached(args):
    """Returns QEMU's arguments for the devices that the options name."""
    extra = disk.arguments(args.disk) if _disk(args) else []
    return extra + (attached.card(args.forward, args.emulator) if attached.NET in attached.of(args)
                    else [])


def run(args):
    interactive = _on_terminal()
    machine, program = prepare(args, PAUSE if interactive else "")
    check_room(machine.modules, machine.memory)
    if interactive:
        build.say(f"starting {NAMES[args.emulator]}; ctrl-a x leaves it")
    watch = not any(word in DEBUGGING for word in args.qemu)
    out = sys.stdout.buffer
    lines = console_output.Lines(out)
    echo = out if sys.stdout.isatty() else lines
    runner = new_runner(machine, args.timeout, echo, interactive, watch)
    runner.keeps_all = False
    reports = faults.Reports(machine.modules, build.say)
    short = shortage.Shortage(program)
    runner.listener = lambda line: (reports.line(line), short.line(line))
    outcome = runner.run()
    lines.end()
    reports.end()
    message = explain.shut_down(runner.shut_down, program) if runner.shut_down else outcome.message
    if message:
        build.say(message)
    remedy = short.sentence(machine.memory) if outcome.status else None
    if remedy:
        build.say(remedy)
    return outcome.status
