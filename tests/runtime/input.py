# SPDX-License-Identifier: BSD-2-Clause
"""Checks that a roottask gets its standard input from the first byte: `input.py SDK KERNEL
ROOTTASK`. Without `serial`, the kernel neither prints nor initialises the port."""

import subprocess
import sys

CODE = (
    "import sys; sys.path.insert(0, sys.argv[1] + '/lib')\n"
    "from nova import process; process.die_with_parent()\n"
    "from nova.qemu import Machine, Module; from nova.runner import Runner\n"
    "machine = Machine(sys.argv[2], [Module(sys.argv[3])], cpus=1, cmdline=sys.argv[4])\n"
    "sys.exit(Runner(machine, 60, sys.stdout.buffer).run().status)\n"
)


def lines(options):
    """Returns the output of a run with the kernel's OPTIONS, and its exit status."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *sys.argv[1:], options],
        input=b"first line\nsecond line\n", stdout=subprocess.PIPE, check=False,
    )
    return done.stdout, done.returncode


failed = 0
for words in ("serial", ""):
    output, status = lines(words)
    good = status == 0 and b"got <first line>" in output and b"got <second line>" in output
    print(f"with the options '{words}': status {status}, {output.decode(errors='replace')}")
    failed += not good
sys.exit(failed != 0)
