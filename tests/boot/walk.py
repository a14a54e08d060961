# SPDX-License-Identifier: BSD-2-Clause
"""Reads the page tables of a running system through QEMU's monitor and checks the access rights.

walk.py ARCH KERNEL ROOTTASK; the roottask prints `ready` and keeps running. Each page of the kernel
half must be one that docs/kernel/memory-layout.md names, with the rights that it names.
"""

import re
import subprocess
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
CPUS = 2
POOL = 8 << 20  # kmem=
STACK_PAGES = 5
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


# The parts of the kernel half (hypervisor/src/arch/<a>/layout.h): start, end, size of pages.
REGIONS = {
    "x86_64": {
        "image": (0xFFFFFFFF80000000, 0xFFFFFFFFC0000000, SMALL),
        "pool": (0xFFFF800000000000, 0xFFFF810000000000, LARGE),
        "window": (0xFFFF810000000000, 0xFFFF810000200000, SMALL),
        "blocks": (0xFFFFFFFFC0000000, 0xFFFFFFFFC0400000, SMALL),
        "devices": (0xFFFFFFFFC0400000, 0xFFFFFFFFC0600000, SMALL),
    },
    "x86_32": {
        "image": (0xC0000000, 0xD0000000, SMALL),
        "pool": (0xD0000000, 0xF0000000, LARGE),
        "window": (0xF0000000, 0xF0200000, SMALL),
        "blocks": (0xF0400000, 0xF0800000, SMALL),
        "devices": (0xF0800000, 0xF0A00000, SMALL),
    },
}
BITMAP = 0x10000, 0x13000  # the pages of the window that are read-only


class Walk(Runner):
    """Asks for the page tables, then for the registers and the TSSs, once the roottask runs."""

    tables = None
    registers = None
    tasks = None

    def line(self, text):
        if text == b"ready":
            self.ask("info tlb")

    def answer(self, text):
        if self.tables is None:
            self.tables = text
            self.ask("info registers -a")
        elif self.registers is None:
            self.registers = text
            # The TSSs of both CPUs are adjacent.
            self.ask(f"x /{CPUS * TSS_STRIDE // 4}xw {min(segment_bases(text, 'TR')):#x}")
        else:
            self.tasks = text
            self.finished = True


TSS_STRIDE = 128


def segment_bases(registers, name):
    """Returns the bases of TR, GDT or IDT, one for each CPU."""
    selector = "" if name in ("GDT", "IDT") else "[0-9a-f]{4} "
    return [int(b, 16) for b in re.findall(rf"\b{name} ?= *{selector}([0-9a-f]+)", registers)]


def words_of(answer):
    """Returns the words that the monitor's command x printed."""
    lines = re.findall(r"^[0-9a-f]+: (.*)$", answer.replace("\r", ""), re.MULTILINE)
    return [int(word, 16) for line in lines for word in line.split()]


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
    """Lists forbidden mappings, and kinds of pages that must exist but were not seen: without them
    the walk would prove nothing."""
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


def region_complaints(pages, half, regions):
    """Lists pages of the kernel that lie in no region, or do not have the page size of their
    region."""
    found = []
    for page in pages:
        sizes = [size for start, end, size in regions.values() if start <= page.address < end]
        if page.address >= half and sizes != [page.size]:
            found.append(f"in no region of the kernel, or of another size: {page}")
    return found


def pages_of(pages, region):
    start, end, _ = region
    return [page for page in pages if start <= page.address < end]


def symbols(kernel):
    """Returns the addresses of the kernel's symbols."""
    text = subprocess.run(["nm", kernel], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in text.splitlines()]
    return {row[2]: int(row[0], 16) for row in rows if len(row) == 3}


def image_complaints(pages, regions, at):
    """Lists pages of the image with wrong rights, and further mappings through which a read-only
    page of the image could be written."""
    text, data = at["image_text_end"], at["image_rodata_end"]
    image = pages_of(pages, regions["image"])
    found = []
    for page in image:
        write, execute = page.address >= data, page.address < text
        if page.write != write or page.execute != execute:
            found.append(f"wrong rights in the image: {page}")
    addresses = {page.address for page in image}
    for address in range(at["image_text_start"], at["image_end"], SMALL):
        if address not in addresses:
            found.append(f"a page of the image is not mapped: {address:#x}")
    fixed = {page.frame for page in image if not page.write}
    for page in pages:
        frames = range(page.frame, page.frame + page.size, SMALL)
        if page.write and any(frame in fixed for frame in frames):
            found.append(f"a writable mapping of read-only memory of the image: {page}")
    return found


def memory_complaints(pages, regions):
    """Lists errors of the pool's mapping: the pool must be mapped once, and nothing beyond it.
    Blocks and window must use the pool's frames."""
    pool = pages_of(pages, regions["pool"])
    found = []
    if sum(page.size for page in pool) != POOL:
        found.append(f"{len(pool)} pages of {LARGE} bytes are mapped for a pool of {POOL} bytes")
    frames = {page.frame + part for page in pool for part in range(0, page.size, SMALL)}
    if len(frames) * SMALL != POOL:
        found.append("a frame of the pool is mapped twice there")
    for name in ("window", "blocks"):
        for page in pages_of(pages, regions[name]):
            if page.frame not in frames:
                found.append(f"not of the pool, in the {name}: {page}")
    seen = {}
    for page in pages_of(pages, regions["blocks"]):
        if page.frame in seen:
            found.append(f"a frame in two places of the blocks: {page}")
        seen[page.frame] = page
    start = regions["window"][0]
    for page in pages_of(pages, regions["window"]):
        fixed = BITMAP[0] <= page.address - start < BITMAP[1]
        if page.write == fixed:
            found.append(f"wrong rights in the window: {page}")
    return found


def stack_complaints(pages, registers, tasks, arch):
    """Lists emergency stacks and kernel stacks of CPUs that do not end at an unmapped page."""
    mapped = {page.address for page in pages if page.size == SMALL}
    tables = segment_bases(registers, "GDT")
    found = []
    if len(tables) != CPUS or len(tasks) != CPUS * TSS_STRIDE // 4:
        return ["the registers or the TSSs of the CPUs were not understood"]
    for cpu in range(CPUS):
        task = tasks[cpu * TSS_STRIDE // 4 :]
        emergency = tables[cpu] & -SMALL
        stack = emergency + 2 * SMALL
        if emergency not in mapped or emergency - SMALL in mapped:
            found.append(f"CPU {cpu}: the emergency stacks at {emergency:#x} have no guard")
        if stack - SMALL in mapped or stack + STACK_PAGES * SMALL in mapped:
            found.append(f"CPU {cpu}: the kernel stack at {stack:#x} has no guard")
        if any(stack + i * SMALL not in mapped for i in range(STACK_PAGES)):
            found.append(f"CPU {cpu}: the kernel stack at {stack:#x} is too short")
        # x86-64: IST1 to IST3. The stack of x86-32's task for fatal events lies before the GDT.
        ends = [task[i] | task[i + 1] << 32 for i in (9, 11, 13)] if arch == "x86_64" else []
        for end in ends:
            if not emergency < end < emergency + SMALL:
                found.append(f"CPU {cpu}: the stack at {end:#x} is not in the guarded page")
    return found


def table_complaints(pages, registers, at):
    """Reports an IDT that does not lie in the read-only part of the image."""
    bases = set(segment_bases(registers, "IDT"))
    if len(bases) != 1 or not at["image_text_end"] <= min(bases) < at["image_rodata_end"]:
        return [f"the IDT is at {', '.join(hex(base) for base in bases)}, which is not read-only"]
    return []


def main():
    arch, kernel, roottask = sys.argv[1:]
    regions = REGIONS[arch]
    machine = Machine(kernel, [roottask], cpus=CPUS, cpu="max", cmdline=f"kmem={POOL >> 20}M")
    walk = Walk(machine, 60)
    outcome = walk.run()
    print(outcome.text())
    if walk.tasks is None:
        sys.exit(f"the page tables could not be read: {outcome.message}")
    pages = parse(walk.tables)
    at = symbols(Path(kernel).with_suffix(".elf"))
    half = KERNEL_HALF[arch]
    found = complaints(pages, half) + missing_bits(walk.registers)
    found += region_complaints(pages, half, regions)
    found += image_complaints(pages, regions, at) + memory_complaints(pages, regions)
    found += stack_complaints(pages, walk.registers, words_of(walk.tasks), arch)
    found += table_complaints(pages, walk.registers, at)
    for complaint in found:
        print(complaint)
    print(f"{len(pages)} pages, {len(found)} complaints")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
