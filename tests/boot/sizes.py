# SPDX-License-Identifier: BSD-2-Clause
"""Boots hello with many sizes of memory, most of them around multiples of 1 GiB.

sizes.py ARCH KERNEL HELLO MACHINE; MACHINE is q35, pc, or uefi (q35 with UEFI firmware).
"""

import subprocess
import sys
from pathlib import Path

NOVA = Path(__file__).resolve().parents[2] / "sdk/lib/nova"
GIB = 1024  # MiB
SMALLEST = 7
BOOTS = {"q35": 280, "pc": 280, "uefi": 40}
UEFI_SMALLEST = 64


def sizes(count, smallest):
    """Returns sizes in MiB: small ones, some around each boundary up to 4 GiB, and large ones."""
    result = list(range(smallest, smallest + count // 8))
    around = count * 5 // 8 // 4
    for boundary in (1, 2, 3, 4):
        # A pool is a sixteenth of the memory, so it crosses the boundary if the size exceeds the
        # boundary by at most this span.
        span = boundary * GIB // 15 + 16
        result += [boundary * GIB - 8 + (span + 8) * i // around for i in range(around)]
    left = count - len(result)
    return result + [4 * GIB + (16 * GIB + 64) * (i + 1) // left for i in range(left)]


def boots(arch, kernel, hello, machine, size):
    """Returns whether hello prints its line with this much memory."""
    uefi = machine == "uefi"
    command = [sys.executable, "-S", NOVA, "boot-test", f"--name=size.{size}", "--arch", arch]
    command += ["--kernel", kernel, "--roottask", hello, f"--memory={size}", "--timeout=120"]
    command += [f"--machine={'q35' if uefi else machine}", f"--boot={'uefi' if uefi else 'direct'}"]
    command += ["--cmdline=serial", "--expect=^Hello from CPU 0"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(f"{size} MiB on {machine}:")
        print(done.stdout.decode(errors="replace")[-2000:], flush=True)
    return done.returncode == 0


def main():
    arch, kernel, hello, machine = sys.argv[1:]
    smallest = UEFI_SMALLEST if machine == "uefi" else SMALLEST
    tried = sizes(BOOTS[machine], smallest)
    bad = [size for size in tried if not boots(arch, kernel, hello, machine, size)]
    print(f"{len(tried) - len(bad)} of {len(tried)} sizes boot; not: {bad}")
    return bool(bad)


sys.exit(main())
