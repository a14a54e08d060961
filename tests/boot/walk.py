# SPDX-License-Identifier: BSD-2-Clause
"""Reads the page tables of a running system through QEMU's monitor and checks the access rights.

walk.py ARCH KERNEL ROOTTASK; the roottask prints `ready` and runs on.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

KERNEL_HALF = {"x86_64": 1 << 63, "x86_32": 0xC0000000}
IMAGE_START, IMAGE_END = 0x400000, 0x800000
LARGE = 2 << 20
SMALL = 4 << 10
FRAME_BITS = (1 << 52) - 1
# address: frame, then a letter for each bit that is set: no-execute, global, large, dirty, …
ENTRY = re.compile(r"([0-9a-f]+): ([0-9a-f]+) ([X-])[G-]([P-])[D-][A-][C-][T-]([U-])([W-])")


@dataclass
class Page:
    address: int
    frame: int
    size: int
    user: bool
    write: bool
    execute: bool

    def __str__(self):
        rights = ("w" if self.write else "-") + ("x" if self.execute else "-")
        return f"{self.address:#x} (frame {self.frame:#x}, {rights}{' user' * self.user})"


# Bits that must be set on a CPU that has all features (SDM 3A, 2.5; 2.2.1).
REGISTER_BITS = {
    "CR0": {"WP": 16, "PG": 31},
    "CR4": {"UMIP": 11, "SMEP": 20, "SMAP": 21},
    "EFER": {"NXE": 11},
}


class Walk(Runner):
    """Asks for the page tables, then for the registers, once the roottask runs."""

    tables = None
    registers = None

    def line(self, text):
        if text == b"ready":
            self.ask("info tlb")

    def answer(self, text):
        if self.tables is None:
            self.tables = text
            self.ask("info registers")
        else:
            self.registers = text
            self.finished = True


def missing_bits(registers):
    """Returns the protections that the kernel has not enabled."""
    found = []
    for name, bits in REGISTER_BITS.items():
        match = re.search(rf"\b{name}=([0-9a-f]+)", registers)
        value = int(match.group(1), 16) if match else 0
        found += [f"{name}.{bit} is not set" for bit, at in bits.items() if not value >> at & 1]
    return found


def parse(tables):
    pages = []
    for line in tables.splitlines():
        match = ENTRY.match(line.strip())
        if not match:
            sys.exit(f"not understood: {line}")
        address, frame, no_execute, large, user, write = match.groups()
        size = LARGE if large == "P" else SMALL
        place = (int(address, 16), int(frame, 16) & FRAME_BITS, size)
        pages.append(Page(*place, user == "U", write == "W", no_execute == "-"))
    return pages


def complaints(pages, half):
    """Lists forbidden mappings, and the absence of those without which the walk would prove
    nothing."""
    kernel = [page for page in pages if page.address >= half]
    user = [page for page in pages if page.address < half]
    found = [f"writable and executable: {page}" for page in pages if page.write and page.execute]
    found += [f"accessible in user mode: {page}" for page in kernel if page.user]
    found += [f"the kernel's, below its half: {page}" for page in user if not page.user]

    frames = {page.frame // SMALL + part for page in kernel for part in range(page.size // SMALL)}
    image = [page for page in user if IMAGE_START <= page.address < IMAGE_END]
    found += [f"seen by the kernel: {page}" for page in image if page.frame // SMALL in frames]

    for name, pages_there in (
        ("executable kernel page", [page for page in kernel if page.execute]),
        ("writable kernel page", [page for page in kernel if page.write]),
        ("executable page of the roottask", [page for page in image if page.execute]),
        ("writable page of the roottask", [page for page in image if page.write]),
    ):
        if not pages_there:
            found.append(f"no {name} was seen")
    return found


def main():
    arch, kernel, roottask = sys.argv[1:]
    walk = Walk(Machine(kernel, [roottask], cpus=2, cpu="max"), 60)
    outcome = walk.run()
    print(outcome.text())
    if walk.tables is None or walk.registers is None:
        sys.exit(f"the page tables could not be read: {outcome.message}")
    pages = parse(walk.tables)
    found = complaints(pages, KERNEL_HALF[arch]) + missing_bits(walk.registers)
    for complaint in found:
        print(complaint)
    print(f"{len(pages)} pages, {len(found)} complaints")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
