# SPDX-License-Identifier: BSD-2-Clause
"""Starts the command line: `python3 sdk/lib/nova ARGUMENTS`."""

import os
import signal
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from nova import cli, errors  # noqa: E402


def main():
    """Runs the command, and then ignores ctrl-c, for which Python would only print a traceback
    while it ends."""
    try:
        sys.exit(cli.main(sys.argv[1:]))
    except KeyboardInterrupt:  # during the command's clean-up
        sys.exit(errors.EXIT_INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
