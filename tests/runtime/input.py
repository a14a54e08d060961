# SPDX-License-Identifier: BSD-2-Clause
"""Checks that a roottask gets its standard input from the first byte: `input.py KERNEL ROOTTASK`.
Without `serial`, the kernel neither prints nor initialises the port."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))
import terminal


def lines(kernel, roottask, options):
    """Returns the output of a run with the kernel's OPTIONS, and its exit status."""
    machine = f"cmdline={options!r}, cpus=1"
    program = terminal.code("[Module(sys.argv[3])]", machine, 60, False)
    done = subprocess.run(
        [sys.executable, "-c", program, str(terminal.LIB), kernel, roottask],
        input=b"first line\nsecond line\n", stdout=subprocess.PIPE, check=False,
    )
    return done.stdout, done.returncode


def main():
    failed = False
    for options in ("serial", ""):
        output, status = lines(*sys.argv[1:], options)
        good = status == 0 and b"got <first line>" in output and b"got <second line>" in output
        print(f"with the options '{options}': status {status}, {output.decode(errors='replace')}")
        failed |= not good
    sys.exit(failed)


if __name__ == "__main__":
    main()
