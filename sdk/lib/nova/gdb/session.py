# SPDX-License-Identifier: BSD-2-Clause
"""Begins a session in gdb for `nova debug`, and runs the commands of a script."""

from pathlib import Path

import gdb

from nova.gdb import commands
from nova.gdb.view import Trouble

HINT = "`nova` lists the commands for the kernel's objects, `continue` lets the machine run"


def _say(sentence):
    print(f"nova: {sentence}", flush=True)


def _is_over():
    return not gdb.selected_inferior().threads()


class _Stop(gdb.Breakpoint):
    """A location at which the machine stops once."""

    def __init__(self, place):
        super().__init__(place, internal=True)
        self.silent = True
        self.was_hit = False

    def stop(self):
        self.was_hit = True
        return True


def _run_to(entry):
    """Lets the machine run up to the roottask's first instruction."""
    first = _Stop(f"*{entry:#x}")
    last = _Stop("kernel_stop")
    try:
        gdb.execute("continue", to_string=True)
    except gdb.error as error:
        if not _is_over():
            raise
        raise Trouble(f"the machine ended before the roottask began ({error})") from None
    finally:
        found = (first.was_hit, last.was_hit)
        first.delete()
        last.delete()
    if found[1]:
        _say("the kernel stopped here, before the roottask began: `backtrace` shows why.")
    elif not found[0]:
        _say("something stopped the machine before the roottask began.")


def _suppress(word):
    """Sets whether gdb suppresses its report of each stop; older versions always report."""
    try:
        gdb.execute(f"set suppress-cli-notifications {'on' if word else 'off'}")
    except gdb.error:
        pass


def begin(options):
    """Connects, loads symbols and runs the machine to the start of the session."""
    # Without "breakpoint pending off", gdb only prints a line for a breakpoint at an unknown
    # function, and the command does not fail.
    for setting in ("confirm off", "pagination off", "width 0", "breakpoint pending off"):
        gdb.execute(f"set {setting}")
    _suppress(True)
    if hasattr(gdb.events, "gdb_exiting"):  # older versions end the machine a moment later
        gdb.events.gdb_exiting.connect(_end_machine)
    try:
        commands.register(options["program"], options["modules"])
        gdb.execute(f"target remote {options['socket']}", to_string=True)
        if options["entry"] is None:
            # Allows breakpoints in programs that are not in memory yet: gdb reads their code from
            # the file.
            gdb.execute("set trust-readonly-sections on")
        else:
            _run_to(options["entry"])
    except (Trouble, gdb.error) as error:
        _say(f"{str(error).rstrip('.')}.")
        gdb.execute("quit 2")
    finally:
        _suppress(False)
    if not options["batch"]:
        where = "first instruction" if options["entry"] is None else "roottask's first instruction"
        _say(f"the machine is stopped at the {where}; {HINT}.")


def _end_machine(_event=None):
    """Ends the machine, which would otherwise continue after gdb exits."""
    try:
        if not _is_over():
            gdb.execute("kill", to_string=True)
    except gdb.error:
        pass # the machine has ended before


def _leave(status):
    _end_machine()
    gdb.execute(f"quit {status}")


def script(lines, batch, ended):
    """Runs commands up to the first one that fails. With BATCH, leaves gdb after that command, or
    after the last one. The file ENDED marks that the system has ended."""
    for number, line in enumerate(lines):
        try:
            gdb.execute(line)
        except gdb.error as error:
            if _is_over():
                Path(ended).touch()
                left = len(lines) - number - 1
                _say("the system has ended" + (f"; not run: {left} more." if left else "."))
                break
            _say(f"'{line}' failed: {str(error).rstrip('.')}.")
            if batch:
                _leave(1)
            return
    if batch:
        _leave(0)
