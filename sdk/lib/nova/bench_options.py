# SPDX-License-Identifier: BSD-2-Clause
"""Checks which options of `nova bench` go together, before anything is built."""

import re

from nova import elf
from nova.errors import NovaError, meant

# The default of --trace without a KEY.
ALL = object()
# Between the KEYs of --trace.
COMMA = ","
# Words that make the command count something other than the table.
WHATS = ("linux", "io", "net", "enlightened", "secure", "interference")
COUNT = ("--arch", "--kernel", "--json", "--update")
RELEASE = re.compile("[0-9A-Za-z.-]+")
# Options that count something other than the table or do something else, and the options that go
# with each.
MODES = {
    "linux": (),
    "io": ("--json",),
    "net": ("--json",),
    "enlightened": ("--json",),
    "secure": ("--json", "--update"),
    "interference": COUNT,
    "--release": (),
    "--trace KEY": ("--arch", "--kernel", "--summary", "--mitigations"),
    "--trace": COUNT,
    "--scale": COUNT,
    "--cpus": COUNT,
    "--mitigations": ("--arch", "--kernel", "--json"),
}
OPTIONS = ("--release", "--trace", "--scale", "--cpus", "--summary", "--mitigations", *COUNT)


def _given(args):
    """Returns the word and the given options."""
    given = [name for name in OPTIONS if getattr(args, name[2:]) not in (None, False)]
    if args.trace not in (None, ALL):
        given[given.index("--trace")] = "--trace KEY"
    return [args.what, *given] if args.what else given


def no_trace(key, known):
    """Returns the error for a KEY that is not among the KNOWN operations with a trace."""
    listed = ", ".join(sorted(known))
    hint = meant(key, known)
    return NovaError(f"'{key}' is not an operation with a trace.{hint} There are {listed}.")


def check(args, rows, traced):
    """Raises NovaError if an option in ARGS would have no effect. ROWS: the keys of the table;
    TRACED: those that have a trace."""
    if args.what not in (None, *WHATS):
        raise NovaError(f"'{args.what}' is not understood. See nova bench --help.")
    given = _given(args)
    mode = next((mode for mode in MODES if mode in given), None)
    takes = MODES.get(mode)
    wrong = next((name for name in given if mode and name not in (mode, *takes)), None)
    if wrong:
        allowed = f"takes {', '.join(takes)}" if takes else "takes no other option"
        raise NovaError(f"{wrong} does not go with {mode}, which {allowed}.")
    if args.release is not None and not RELEASE.fullmatch(args.release):
        raise NovaError(
            f"'{args.release}' is not a release name: use letters, digits, dots, hyphens."
        )
    if args.summary and mode != "--trace KEY":
        raise NovaError("--summary applies to one operation: give --trace a KEY, too.")
    if args.kernel is not None:
        elf.check_kernel(args.kernel)
        if args.update:
            raise NovaError("--update publishes this tree's own kernel: leave out --kernel.")
    # A new row has no trace yet.
    keys = args.trace.split(COMMA) if "--trace KEY" in given else ()
    for key in keys:
        if key not in rows:
            raise no_trace(key, traced)
