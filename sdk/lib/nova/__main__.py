# SPDX-License-Identifier: BSD-2-Clause
"""Starts the command line: `python3 sdk/lib/nova ARGUMENTS`."""

import _signal  # part of the interpreter: importing `signal` takes longer

# Until the command can handle ctrl-c, it just ends the process. Python would print a traceback.
_BEFORE = _signal.getsignal(_signal.SIGINT)
if _BEFORE is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from nova import cli, errors  # noqa: E402


def main():
    """Runs the command, and then ignores ctrl-c, for which Python would only print a traceback
    while it ends."""
    try:
        signal.signal(signal.SIGINT, _BEFORE)
        sys.exit(cli.main(sys.argv[1:]))
    except KeyboardInterrupt:  # during the command's clean-up
        sys.exit(errors.EXIT_INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
