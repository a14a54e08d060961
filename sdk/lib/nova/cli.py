# SPDX-License-Identifier: BSD-2-Clause
"""The command line of `nova`: finds the command, and turns errors into a sentence and a status."""

import errno
import importlib
import os
import pwd
import sys

from nova import build, errors, options, places, process

# The module of each command, loaded only for that command, because loading all takes longer than
# booting a test. Tests call boot-test and stretch-test, CMake calls newlib.
MODULES = {
    "run": "run",
    "debug": "debug",
    "image": "image",
    "test": "testing",
    "new": "new",
    "install": "install",
    "package": "package",
    "conformance": "conformance",
    "bench": "bench",
    "docs": "manual",
    "machine-key": "machine_key",
    "seal": "seal",
    "doctor": "doctor",
    "boot-test": "boot_test",
    "stretch-test": "stretch",
    "newlib": "newlib",
    "build": "make",
}
# Commands that an installed SDK lacks: sdk/cmake/NovaInstall.cmake leaves out their modules.
SOURCE_ONLY = ("install", "package", "conformance", "bench", "newlib", "stretch-test")
FOR_QEMU = ("run", "debug")


def _parser(argv):
    """Returns the parser of the whole command line and those of the commands that ARGV may mean."""
    parser = options.Parser(
        prog="nova",
        description=places.HELP.read_text(encoding="utf-8"),
        formatter_class=options.Formatter,
        usage="nova [--help] [--version] COMMAND …",
    )
    parser.add_argument("--version", action="version", version=f"nova {places.version()}")
    commands = parser.add_subparsers(
        title=None, prog="nova", metavar="COMMAND", help=options.HIDDEN
    )
    there = [name for name in MODULES if not (places.INSTALLED and name in SOURCE_ONLY)]
    for name in argv[:1] if argv[:1] and argv[0] in there else there:
        importlib.import_module(f"nova.{MODULES[name]}").add_parser(commands)
    return parser, commands.choices


def _join_words(args, unknown):
    """Adds the words after an option to the words before it, because argparse accepts only one
    group. Returns the words that are still unknown."""
    words = getattr(args, "words", None)
    if words is None or any(word.startswith("-") for word in unknown):
        return unknown
    words += unknown
    return []


def parse(argv):
    """Parses a command line. Arguments after -- belong to QEMU."""
    split = argv.index("--") if "--" in argv else len(argv)
    if argv and argv[0] in SOURCE_ONLY:
        places.need_source(argv[0])
    parser, known = _parser(argv)
    if argv and not argv[0].startswith("-") and argv[0] not in known:
        hint = errors.meant(argv[0], known)
        raise errors.NovaError(f"there is no command '{argv[0]}'.{hint} See nova --help.")
    first = argv[0].partition("=")[0] if split else ""
    if first.startswith("--") and first not in parser._option_string_actions:
        raise errors.NovaError(
            f"'{argv[0]}' is not an option that precedes the command. See nova --help."
        )
    args, unknown = parser.parse_known_args(argv[:split])
    unknown = _join_words(args, unknown)
    if unknown:
        words = " ".join(unknown)
        if not any(word.startswith("-") for word in unknown):
            raise errors.NovaError(
                f"nova {argv[0]} takes no further word, but '{words}' follows. "
                f"See nova {argv[0]} --help."
            )
        own = known[argv[0]]._option_string_actions if argv[0] in known else ()
        hint = errors.meant(unknown[0].partition("=")[0], own)
        raise errors.NovaError(f"'{words}' is not understood.{hint} See nova {argv[0]} --help.")
    args.qemu = argv[split + 1 :]
    if not hasattr(args, "function"):
        raise errors.NovaError("which command? See nova --help.")
    if args.qemu and argv[0] not in FOR_QEMU:
        raise errors.NovaError("only nova run and nova debug take arguments for QEMU after --.")
    return args


def _owner(path):
    """Returns, as part of a sentence, the other user who owns the first existing part of PATH."""
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


def _is_folder_gone():
    """Returns whether the current folder was deleted."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _system_error(error):
    """Returns a sentence about an error of the operating system."""
    if _is_folder_gone():
        return "the current folder was deleted: go to another folder."
    reason = error.strerror or str(error)
    if error.filename is None:
        written = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
        return f"the output cannot be written: {reason}." if written else f"{reason}."
    name = os.path.relpath(error.filename, places.ROOT)
    name = str(error.filename) if name.startswith("..") else name
    owner = _owner(str(error.filename)) if isinstance(error, PermissionError) else ""
    return f"{name} cannot be used: {reason}{owner}."


def _text_error(error):
    """Returns a sentence about a text that cannot be decoded or encoded."""
    around = error.object[max(error.start - 20, 0):error.end + 20]
    return f"the text or name {around!r} is not in UTF-8: convert it, or rename the file."


def _give_up_output():
    """Discards pending output, so that Python does not complain at its exit."""
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
        pass  # the output is closed


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
        return errors.EXIT_INTERRUPTED


def main(argv):
    process.open_streams()
    process.leave_on_sigterm()
    try:
        try:
            return _run(argv)
        finally:
            process.remove_folders()
            sys.stdout.flush()
    except BrokenPipeError:
        _complain("the output is closed, because its reader has ended.")
    except OSError as error:
        _complain(_system_error(error))
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        _complain(_text_error(error))
    except MemoryError:
        _complain("this computer has too little free memory: end other programs.")
    finally:
        _give_up_output()
    return errors.EXIT_USAGE
