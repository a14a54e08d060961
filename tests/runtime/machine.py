# SPDX-License-Identifier: BSD-2-Clause
"""Checks that `nova run` gives a system the machine of its description, unless an option overrides
it: `machine.py SDK ARCH CONFIG COMPILER DESCRIPTION`. The description's machine has 3 CPUs and 96
MiB."""

import argparse
import sys

sys.path.insert(0, f"{sys.argv[1]}/lib")

from nova import described, options, places  # pylint: disable=wrong-import-position
from nova.qemu import Module  # pylint: disable=wrong-import-position


def machine(*words):
    """Returns CPUs and MiB for a command line."""
    parser = argparse.ArgumentParser()
    options.add_machine(parser)
    args = parser.parse_args(words)
    modules = [Module("init"), Module(sys.argv[5])]
    return described.machine(modules, args.cpus, args.memory, places.system_tool(*sys.argv[2:5]))


found = [machine(), machine("--cpus", "2"), machine("--memory", "64"), machine("--cpus", "4")]
wanted = [(3, 96), (2, 96), (3, 64), (4, 96)]
print(found)
sys.exit(found != wanted)
