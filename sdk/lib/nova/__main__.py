# SPDX-License-Identifier: BSD-2-Clause
"""Starts the command line: `python3 sdk/lib/nova ARGUMENTS`."""

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from nova import cli  # noqa: E402

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
