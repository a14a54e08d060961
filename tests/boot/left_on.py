# SPDX-License-Identifier: BSD-2-Clause
"""Boots a kernel whose loader has left page tables with five levels switched on (CR4.LA57), as
loaders of 64-bit mode may do.

left_on.py KERNEL ROOTTASK; the roottask prints `end`. The loader's part is code that a copy of the
kernel's image executes first.
"""

import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.bochs import new_runner  # noqa: E402
from nova.qemu import Machine  # noqa: E402

PAGE = 0x1000
PLACE = 0x300000  # above the kernel
CODE = bytes.fromhex(
    "89c1"  # mov %eax, %ecx: the loader's magic number
    "0f20e0"  # mov %cr4, %eax
    "0d00100000"  # or $CR4_LA57, %eax
    "0f22e0"  # mov %eax, %cr4
    "89c8"  # mov %ecx, %eax
    "e9"  # jmp
)
PT_LOAD, PT_GNU_STACK = 1, 0x6474E551
HEADER_SIZE = 32


def with_code_first(image):
    """Returns the image with CODE at its entry: a segment in place of the stack's header."""
    entry, headers = struct.unpack_from("<II", image, 24)
    (count,) = struct.unpack_from("<H", image, 44)
    code = CODE + struct.pack("<i", entry - (PLACE + len(CODE) + 4))
    for i in range(count):
        at = headers + i * HEADER_SIZE
        if struct.unpack_from("<I", image, at)[0] != PT_GNU_STACK:
            continue
        padded = image + bytes(-len(image) % PAGE)
        result = bytearray(padded + code)
        struct.pack_into("<8I", result, at, PT_LOAD, len(padded), PLACE, PLACE, len(code),
                         len(code), 5, PAGE)
        struct.pack_into("<I", result, 24, PLACE)
        return result
    sys.exit("the image has no header of the stack")


def main():
    kernel, roottask = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        file = Path(folder) / "nova.elf32"
        file.write_bytes(with_code_first(Path(kernel).read_bytes()))
        machine = Machine(file, [roottask], cpus=2, cpu="max", cmdline="serial")
        outcome = new_runner(machine, 60).run()
    print(outcome.text())
    sys.exit(0 if "\nend\n" in outcome.text() and "\ncpus 2\n" in outcome.text() else 1)


if __name__ == "__main__":
    main()
