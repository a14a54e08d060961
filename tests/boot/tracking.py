# SPDX-License-Identifier: BSD-2-Clause
"""Checks the kernel's indirect-branch tracking (arch/x86/tracking.h).

tracking.py image ARCH KERNEL: in the image, the functions whose addresses are taken begin with
ENDBR, no other place has one, and the only table for jumps is that of the hypercalls.

tracking.py seeds ARCH KERNEL ROOTTASK: boots kernels under Bochs in which one ENDBR is missing.
Each of these kernels must stop with #CP at that place. With mitigations=off, a kernel without all
of these ENDBRs must run. The roottask, which must use each of these places, ends the system with
status 0.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.bochs import new_runner  # noqa: E402
from nova.qemu import Machine  # noqa: E402

CPU = "tigerlake"  # the only model of Bochs with tracking
WORD = {"x86_64": 8, "x86_32": 4}
ENDBR = {"x86_64": bytes.fromhex("f30f1efa"), "x86_32": bytes.fromhex("f30f1efb")}
NOP = bytes.fromhex("0f1f4000")
THREAD = Path(__file__).resolve().parents[2] / "hypervisor/src/arch/x86_64/thread.h"
VECTORS = 256
# Taken addresses of text that are not the targets of indirect branches.
NOT_TARGETS = {
    "start_high": "reached before tracking is on",
    "vmx_exit": "reached by an exit of a guest, after which the CPU expects no ENDBR",
    "image_text_start": "a boundary",
}
ACTION = re.compile(r"speculation_")  # called directly, by patched text
# One place of each kind: a continuation, entries of the hypercall table, an entry of the IDT, and
# the entry from user mode, here of CPU 0.
SEEDS = ("resume_interrupted", "entry_call", "hypercall_create_sm", "vector", "entry")
PAGE_FAULT = 14
CONTROL_PROTECTION = (21, 3)  # vector and error code
DOUBLE_FAULT = (8, 0)
TRACKED = "\nNOVA: overwritten pointers to the kernel's functions: indirect-branch tracking.\n"


def tool(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Image:
    """The kernel's image: its symbols, sections and instructions."""

    def __init__(self, arch, kernel):
        self.arch = arch
        self.elf = Path(kernel).with_suffix(".elf")
        self.data = self.elf.read_bytes()
        self.sections = self.read_sections(self.elf)
        rows = [line.split() for line in tool("nm", self.elf).splitlines()]
        self.at = {row[2]: int(row[0], 16) for row in rows if len(row) == 3}
        start, size, _ = self.sections[".text"]
        self.functions = {}  # names of each address
        for name, address in self.at.items():
            if start <= address < start + size:
                self.functions.setdefault(address, set()).add(name)

    @staticmethod
    def read_sections(file):
        """Returns {name: (address, size, offset in the file)}."""
        row = r"^ *\d+ (\S+) +([0-9a-f]+) +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) .*\n(.*)$"
        return {
            name: (int(address, 16), int(size, 16), int(offset, 16))
            for name, size, address, offset, flags in re.findall(
                row, tool("objdump", "-h", file), re.MULTILINE)
            if "CONTENTS" in flags and "ALLOC" in flags
        }

    def words(self, address, count):
        """Returns words of the image's data."""
        size = WORD[self.arch]
        for start, length, offset in self.sections.values():
            if start <= address < start + length:
                at = offset + address - start
                return [int.from_bytes(self.data[at + i : at + i + size], "little")
                        for i in range(0, count * size, size)]
        raise ValueError(f"{address:#x} is in no section")

    def vectors(self):
        return self.words(self.at["entry_vectors"], VECTORS)

    def user_entries(self):
        """Returns the addresses of the entries from user mode. On x86-64 each CPU has one."""
        first = self.at["entry_hypercall"]
        if self.arch == "x86_32":
            return [first]
        size = int(re.search(r"THREAD_ENTRY_SIZE (\d+)", THREAD.read_text())[1])
        return [first + i * size for i in range(64)]

    def text(self):
        return tool("objdump", "-d", "--no-show-raw-insn", "-j", ".text", self.elf)

    def taken_in_data(self):
        """Yields addresses of functions that words of the data contain."""
        for name, (start, size, _) in self.sections.items():
            if name != ".text":
                count = size // WORD[self.arch]
                yield from set(self.words(start, count)) & self.functions.keys()

    def taken_in_text(self, text):
        """Yields addresses of functions that immediate operands and LEA contain."""
        for value in re.findall(r"\$(0x[0-9a-f]+)|\blea .*# ([0-9a-f]+)", text):
            address = int(value[0] or value[1], 16)
            if self.arch == "x86_64" and address >> 31 == 1:
                address |= 0xFFFFFFFF << 32  # a sign-extended operand
            if address in self.functions:
                yield address


def image_complaints(image):
    text = image.text()
    taken = {*image.taken_in_data(), *image.taken_in_text(text)}
    for address in list(taken):
        names = image.functions[address]
        if names & NOT_TARGETS.keys() or any(ACTION.match(name) for name in names):
            taken.discard(address)
    targets = {*taken, *image.vectors(), *image.user_entries()}
    marks = {int(at, 16) for at in re.findall(r"^ *([0-9a-f]+):\tendbr", text, re.MULTILINE)}

    def names(addresses):
        return ", ".join(
            "/".join(image.functions.get(at, {f"{at:#x}"})) for at in sorted(addresses))

    found = []
    if targets - marks:
        found.append(f"no ENDBR at {names(targets - marks)}")
    if marks - targets:
        found.append(f"an ENDBR but no taken address at {names(marks - targets)}")
    table = image.at["hypercall_table"]
    for line in re.findall(r"\t((?:notrack )?(?:jmp|call) +\*.*\(,.*)$", text, re.MULTILINE):
        offset = int(re.search(r"\*(-?0x[0-9a-f]+)\(", line)[1], 16)
        if (offset - table) & 0xFFFFFFFF:
            found.append(f"a table other than that of the hypercalls: {line}")
    if "notrack" in text:
        found.append("a branch without tracking")
    return found, len(taken)


def address_of(image, seed):
    if seed == "vector":
        return image.vectors()[PAGE_FAULT]
    return image.user_entries()[-1] if seed == "entry" else image.at[seed]


def boot(kernel, roottask, mode):
    """Returns whether the roottask has ended the system with status 0, and the console."""
    machine = Machine(kernel, [roottask], cpus=1, emulator="bochs", cpu=CPU,
                      cmdline=f"serial mitigations={mode}")
    outcome = new_runner(machine, 60).run()
    return outcome.value == 0, outcome.text()


def without_endbr(image, kernel, addresses, file):
    """Writes a kernel to FILE, with a NOP in place of each ENDBR at the addresses."""
    _, _, offset = image.read_sections(kernel)[".text"]
    data = bytearray(Path(kernel).read_bytes())
    for address in addresses:
        at = offset + address - image.sections[".text"][0]
        if data[at : at + 4] != ENDBR[image.arch]:
            sys.exit(f"no ENDBR at {address:#x}")
        data[at : at + 4] = NOP
    file.write_bytes(data)


def seed_complaint(arch, seed, address, text):
    """Returns what is wrong with the end of a kernel without the ENDBR of a seed, or None."""
    stop = re.search(r"^NOVA: .*\(vector (\d+)\) in the kernel.*\nNOVA: ip (0x[0-9a-f]+) .* "
                     r"error (0x[0-9a-f]+) ", text, re.MULTILINE)
    # SYSCALL does not change the stack pointer, and SMAP forbids a push of the frame of #CP on the
    # user's stack.
    wanted = DOUBLE_FAULT if (arch, seed) == ("x86_64", "entry") else CONTROL_PROTECTION
    if stop and (int(stop[1]), int(stop[3], 16)) == wanted and int(stop[2], 16) == address:
        return None
    return f"without the ENDBR of {seed} at {address:#x}:\n{text}"


def seeds(image, kernel, roottask):
    ended, text = boot(kernel, roottask, "auto")
    if not ended or TRACKED not in text:
        return [f"with each ENDBR:\n{text}"]
    found = []
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        file = Path(folder) / "nova.elf32"
        places = {seed: address_of(image, seed) for seed in SEEDS}
        for seed, address in places.items():
            without_endbr(image, kernel, [address], file)
            found.append(seed_complaint(image.arch, seed, address, boot(file, roottask, "auto")[1]))
        without_endbr(image, kernel, places.values(), file)
        ended, text = boot(file, roottask, "off")
        if not ended or TRACKED in text:
            found.append(f"with mitigations=off, without these ENDBRs:\n{text}")
    return [complaint for complaint in found if complaint]


def main():
    what, arch, kernel, *more = sys.argv[1:]
    image = Image(arch, kernel)
    if what == "image":
        found, count = image_complaints(image)
        print(f"{arch}: {count} functions whose addresses are taken")
    else:
        found = seeds(image, kernel, *more)
        print(f"{arch}: {len(SEEDS)} seeds")
    for complaint in found:
        print(complaint)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
