# SPDX-License-Identifier: BSD-2-Clause
"""The command line of `nova`: finds the command, and turns errors into a sentence and a status."""

import errno
import os
import pwd
import sys

from nova import (
    bench,
    boot_test,
    build,
    conformance,
    debug,
    docs,
    doctor,
    errors,
    image,
    install,
    new,
    newlib,
    options,
    package,
    places,
    process,
    project,
    run,
    testing,
    tree,
)

# What has a command; boot-test is what the tests call, newlib what CMake calls.
MODULES = (
    run,
    debug,
    image,
    testing,
    new,
    install,
    package,
    conformance,
    bench,
    docs,
    doctor,
    boot_test,
    newlib,
)
SOURCE_ONLY = ("install", "package", "conformance", "bench", "newlib")


def _build(args):
    found = project.needed()
    if found:
        folder = found.build(args.arch, args.config, args.compiler)
        build.say(f"all is built in {folder}")
        return errors.EXIT_OK
    preset = tree.preset_name(args.arch, args.config, args.compiler)
    build.build(preset)
    kernel = tree.kernel(preset)
    if not kernel.exists():
        raise errors.NovaError("the build made no kernel.", errors.EXIT_FAILED)
    build.say(f"the kernel is {kernel.relative_to(tree.ROOT)}")
    return errors.EXIT_OK


def _add_build(commands):
    parser = commands.add_parser(
        "build",
        prog="nova build",
        usage="nova build [OPTION…]",
        help="build a project, or the kernel, the library and the examples",
        description="Builds everything for one architecture into build/ARCH-CONFIG: the project\n"
        "around the current folder, or in NOVA's tree\n"
        "nova.elf32 (what QEMU's -kernel takes), nova.elf (with symbols), bin/.",
        formatter_class=options.Formatter,
    )
    options.add_build(parser)
    parser.set_defaults(function=_build)


def _parser():
    parser = options.Parser(
        prog="nova",
        description=places.HELP.read_text(encoding="utf-8"),
        formatter_class=options.Formatter,
        usage="nova [--help] [--version] COMMAND …",
    )
    parser.add_argument("--version", action="version", version=f"nova {places.version()}")
    commands = parser.add_subparsers(title=None, metavar="COMMAND", help=options.HIDDEN)
    for module in MODULES:
        module.add_parser(commands)
    _add_build(commands)
    return parser, commands.choices


def parse(argv):
    """The arguments of a command line. What stands after -- belongs to QEMU."""
    split = argv.index("--") if "--" in argv else len(argv)
    parser, known = _parser()
    if argv and not argv[0].startswith("-") and argv[0] not in known:
        hint = errors.meant(argv[0], known)
        raise errors.NovaError(f"there is no command '{argv[0]}'.{hint} See nova --help.")
    if argv and argv[0] in SOURCE_ONLY:
        places.need_source(argv[0])
    args, unknown = parser.parse_known_args(argv[:split])
    if unknown:
        words = " ".join(unknown)
        own = known[argv[0]]._option_string_actions if argv[0] in known else ()
        hint = errors.meant(unknown[0].partition("=")[0], own)
        raise errors.NovaError(f"'{words}' is not understood.{hint} See nova {argv[0]} --help.")
    args.qemu = argv[split + 1 :]
    if not hasattr(args, "function"):
        raise errors.NovaError("which command? See nova --help.")
    if args.qemu and args.function not in (run.run, debug.debug):
        raise errors.NovaError("arguments for QEMU, after --, go with nova run and debug only.")
    return args


def _owner(path):
    """Somebody else who owns the first part of PATH that exists, as part of a sentence."""
    while path and not os.path.lexists(path):
        path = os.path.dirname(path)
    try:
        owner = os.stat(path or ".").st_uid
        if owner == os.getuid():
            return ""
        name = pwd.getpwuid(owner).pw_name
        return f"; it belongs to {name}, who can delete it or give it to you"
    except (OSError, KeyError):
        return ""


def _system_error(error):
    """A sentence on what the operating system refused."""
    reason = error.strerror or str(error)
    if error.filename is None:
        written = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
        return f"the output cannot be written: {reason}." if written else f"{reason}."
    name = os.path.relpath(error.filename, places.ROOT)
    name = str(error.filename) if name.startswith("..") else name
    owner = _owner(str(error.filename)) if isinstance(error, PermissionError) else ""
    return f"{name} cannot be used: {reason}{owner}."


def _give_up_output():
    """What is still to be written goes nowhere, so that the end of Python does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())


def _complain(sentence):
    try:
        print(f"nova: {sentence}", file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody can be told


def _run(argv):
    try:
        args = parse(argv)
        return args.function(args)
    except build.BuildError as error:
        sys.stderr.write(error.output)
        _complain(error)
        return error.status
    except errors.NovaError as error:
        _complain(error)
        return error.status
    except KeyboardInterrupt:
        return 130


def main(argv):
    process.open_streams()
    process.leave_on_sigterm()
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _complain("nobody reads the output any more.")
    except OSError as error:
        _complain(_system_error(error))
    finally:
        _give_up_output()
    return errors.EXIT_USAGE
