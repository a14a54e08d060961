# SPDX-License-Identifier: BSD-2-Clause
"""Options that several commands share, and the checks of their values."""

import argparse
import os
import sys

from nova import qemu, tree
from nova.errors import NovaError


HIDDEN = argparse.SUPPRESS
# Minimum memory in MiB for kernel and tour.
MIN_MEMORY = 8


def _columns():
    """Returns the terminal's width, by default 80, as shutil.get_terminal_size() does."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


class Formatter(argparse.RawDescriptionHelpFormatter):
    """A formatter that does not import shutil. argparse makes one for each option, even without
    --help, so this saves time at each start."""

    def __init__(self, prog):
        super().__init__(prog, width=_columns() - 2)


class Parser(argparse.ArgumentParser):
    """A parser that reports errors in one sentence."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def _print_message(self, message, file=None):
        """Prints a message. Raises an error if the output fails, which argparse would ignore."""
        if message:
            (file or sys.stderr).write(message)

    def _check_value(self, action, value):
        """Refuses a value that is not among the choices of its option."""
        if action.choices is not None and value not in action.choices:
            name, can = argparse._get_action_name(action), " or ".join(action.choices)
            raise NovaError(f"{name} can be {can}, not '{value}'. See {self.prog} --help.")

    def _match_argument(self, action, arg_strings_pattern):
        """Refuses an option without a value, and names the value."""
        try:
            return super()._match_argument(action, arg_strings_pattern)
        except argparse.ArgumentError as error:
            if not action.option_strings:
                raise
            value = action.metavar or " or ".join(action.choices or ["a value"])
            raise NovaError(f"{action.option_strings[-1]} needs {value} after it. See {self.prog} "
                            "--help.") from error

    def error(self, message):
        raise NovaError(f"{message}. See {self.prog} --help.")


def number(low, high, unit=""):
    """Returns a parser for whole numbers from LOW to HIGH."""

    def check(text):
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(
                f"'{text}' is not a whole number from {low} to {high}{unit}"
            )
        return int(text)

    return check


def seconds(text):
    """Parses a time limit; fractions are allowed."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time in seconds above 0")
    return value


def cpu_model(text):
    """Parses --cpu; a small number was probably meant for --cpus."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= qemu.MAX_CPUS:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a CPU model; for {int(text)} CPUs write --cpus {int(text)}"
        )
    return text


def add_build(parser, config="release"):
    parser.add_argument(
        "--arch", choices=tree.ARCHES, default="x86_64", help="architecture (x86_64)"
    )
    parser.add_argument(
        "--config", choices=tree.CONFIGS, default=config, help=f"configuration ({config})"
    )
    parser.add_argument("--compiler", choices=tree.COMPILERS, default="gcc", help="compiler (gcc)")


class Default(int):
    """A default number, which a system description may override."""


def add_machine(parser, min_memory=MIN_MEMORY, cpu=qemu.Machine.cpu):
    """Adds the options of the emulated machine. CPU is the default model of QEMU."""
    default = qemu.Machine(kernel=None)
    cpus = number(1, qemu.MAX_CPUS)
    memory = number(min_memory, qemu.MAX_MEMORY, " MiB")
    parser.add_argument(
        "--cpus", type=cpus, default=Default(default.cpus), help="CPUs, 1 to 64 (4)"
    )
    parser.add_argument(
        "--memory",
        type=memory,
        default=Default(default.memory),
        metavar="MIB",
        help="memory in MiB: a roottask needs 8, a system about 9 (256)",
    )
    parser.add_argument(
        "--machine", choices=qemu.MACHINES, default=default.machine, help="machine (q35)"
    )
    parser.add_argument(
        "--cpu",
        type=cpu_model,
        default=cpu,
        metavar="MODEL",
        help=f"CPU model ({cpu}; under Bochs corei7_skylake_x)",
    )
    parser.add_argument(
        "--emulator", choices=qemu.EMULATORS, default=default.emulator, help="emulator (qemu)"
    )
    parser.add_argument(
        "--boot",
        choices=qemu.BOOTS,
        default=default.boot,
        help="by the emulator, or by GRUB from a CD with BIOS or UEFI (direct; Bochs: grub)",
    )
    parser.add_argument(
        "--cmdline", default="serial", metavar="TEXT", help="the kernel's command line (serial)"
    )


def machine(args, kernel, modules, **other):
    """Returns the machine for the options of add_machine(), with OTHER values replaced."""
    names = ("cmdline", "cpus", "memory", "machine", "cpu", "emulator", "boot")
    asked = {name: getattr(args, name) for name in names}
    return qemu.Machine(kernel=kernel, modules=modules, **(asked | other))
