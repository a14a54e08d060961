# SPDX-License-Identifier: BSD-2-Clause
"""The command line of `nova`: finds the command, and turns errors into a sentence and a status."""

import sys

from nova import bench, boot_test, build, conformance, errors, options, process, run, testing, tree

DESCRIPTION = """\
Builds, runs and tests the NOVA microhypervisor and what runs on it.

  run [NAME]            boot an example, without NAME the tour
  run --roottask FILE   boot a roottask that was built elsewhere
  build                 build the kernel, the library and the examples
  test [LABEL|NAME…]    build everything and run the tests
  conformance           test a kernel against the specification, section by section
  bench                 count instructions per operation, compare with what is checked in

`nova COMMAND --help` tells more."""


# boot-test is what the tests call; it is not for people.
COMMANDS = ("run", "build", "test", "conformance", "bench", "boot-test")


def _build(args):
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
        help="build the kernel, the library and the examples",
        description="Builds everything for one architecture into build/ARCH-CONFIG:\n"
        "nova.elf32 (what QEMU's -kernel takes), nova.elf (with symbols), bin/.",
        formatter_class=options.Formatter,
    )
    options.add_build(parser)
    parser.set_defaults(function=_build)


def _parser():
    parser = options.Parser(
        prog="nova",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova [--help] [--version] COMMAND …",
    )
    parser.add_argument("--version", action="version", version=f"nova {tree.version()}")
    commands = parser.add_subparsers(title=None, metavar="COMMAND", help=options.HIDDEN)
    for module in (run, testing, conformance, bench, boot_test):
        module.add_parser(commands)
    _add_build(commands)
    return parser


def _parse(argv):
    """What stands after -- belongs to QEMU."""
    split = argv.index("--") if "--" in argv else len(argv)
    if argv and not argv[0].startswith("-") and argv[0] not in COMMANDS:
        raise errors.NovaError(f"there is no command '{argv[0]}'. See nova --help.")
    args = _parser().parse_args(argv[:split])
    args.qemu = argv[split + 1 :]
    if not hasattr(args, "function"):
        raise errors.NovaError("which command? See nova --help.")
    if args.qemu and args.function is not run.run:
        raise errors.NovaError("arguments for QEMU, after --, go with nova run only.")
    return args


def main(argv):
    process.leave_on_sigterm()
    try:
        args = _parse(argv)
        return args.function(args)
    except build.BuildError as error:
        sys.stderr.write(error.output)
        print(f"nova: {error}", file=sys.stderr)
        return error.status
    except errors.NovaError as error:
        print(f"nova: {error}", file=sys.stderr)
        return error.status
    except BrokenPipeError:
        return errors.EXIT_FAILED
    except KeyboardInterrupt:
        return 130
