# SPDX-License-Identifier: BSD-2-Clause
"""Compares the text of a running kernel with its image. The kernel may have changed its text only
at the sites of arch/x86/speculation.h, and only in the way that the treatments require.

sites.py ARCH KERNEL ROOTTASK COMPILER; the roottask prints `ready` and keeps running. The script
also looks for the masks of indices that programs choose, in the disassembly of the image. In a
kernel of gcc (GNU), they must be in exactly the functions that docs/kernel/speculation.md lists;
addr2line does not find functions that clang has inlined.
"""

import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova import bench_listing  # noqa: E402
from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

SITE = struct.Struct("<iiBBBB")  # struct site of speculation.c
JUMP = 5  # bytes of a call or jump
NOP = 0x90
CALL = 0xE8
# The stubs that the places of the text must reach, by kind of site. A kind can have several, such
# as one for each way of return or for each vendor.
STUBS = {
    0: {"guarded_hypercall", "guarded_trap"},
    1: {"cleared_sysret", "cleared_sysexit", "cleared_iret"},
    2: {"guarded_svm_exit", "guarded_vmx_exit"},
    3: {"speculation_switch"},
}
# With mitigations=full, the actions that the slots call.
SLOTS = {
    "entry_ibpb": "speculation_ibpb",
    "entry_ibrs": "speculation_ibrs",
    "entry_stack": "speculation_fill_return_stack",
    "entry_history": "speculation_overwrite_history",
    "guest_ibpb": "speculation_ibpb",
    "guest_ibrs": "speculation_ibrs",
    "guest_stack": "speculation_fill_return_stack",
    "guest_history": "speculation_overwrite_history",
    "guest_divide": "speculation_divide",
}
RETURN_STACK = 32  # number of entries, on the CPUs that have the most
# The masks that checked_index() of lib/bits.h applies, by architecture: to CPU numbers, to indices
# of a table of selectors, and to indices of the words with the CPUs of a limit.
MASKS = {"x86_64": {0x3F, 0x1FF, 0x1}, "x86_32": {0x3F, 0x3FF, 0x1}}
MASKED = re.compile(r"^\| `(\w+)` \| `[\w/.]+` \| [^|]+ \| masked ", re.MULTILINE)
PAGE = Path(__file__).resolve().parents[2] / "docs/kernel/speculation.md"
MASK_WITHIN = 12  # maximum number of instructions from the place that the image names to the AND
MASK = re.compile(r"\tand +\$(0x[0-9a-f]+),%(\w+)$")
WRITE = re.compile(r"\t(?!test|cmp|bt |push|j)\w+ .*%(\w+)$")  # writes the register named last
REGISTER = re.compile(r"[er]?(1\d|[89]|[a-d](?=[xhl])|si|di|bp|sp)")  # one match for all widths


def tool(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Image:
    """The kernel's image: symbols, and the bytes of its sections."""

    def __init__(self, file):
        self.file = file
        rows = [line.split() for line in tool("nm", file).splitlines()]
        self.at = {row[2]: int(row[0], 16) for row in rows if len(row) == 3}
        self.names = {address: name for name, address in self.at.items()}
        self.headers = {}
        for line in tool("objdump", "-h", file).splitlines():
            match = re.match(r" *\d+ (\S+) +([0-9a-f]+) +([0-9a-f]+) ", line)
            if match:
                self.headers[match[1]] = (int(match[3], 16), int(match[2], 16))

    def section(self, name, *options):
        """Returns the address and the bytes of a section. OPTIONS are those of objcopy."""
        with tempfile.NamedTemporaryFile() as out:
            tool("objcopy", "-O", "binary", "-j", name, *options, self.file, out.name)
            return self.headers[name][0], Path(out.name).read_bytes()

    def sites(self):
        """Yields (address, stub, kind, opcode, size) of each site."""
        for name, (start, size) in self.headers.items():
            first, end = self.at["speculation_sites"], self.at["speculation_sites_end"]
            if start <= first < start + size:
                base, data = self.section(name)
                for place in range(first, end, SITE.size):
                    at, stub, kind, opcode, length, _ = SITE.unpack_from(data, place - base)
                    yield place + at, place + 4 + stub, kind, opcode, length


class Reader(Runner):
    """Saves the text of the running kernel."""

    def __init__(self, machine, start, size, file):
        super().__init__(machine, 60)
        self.command = f'memsave {start:#x} {size} "{file}"'
        self.saved = False

    def line(self, text):
        if text == b"ready":
            self.ask(self.command)

    def answer(self, text):
        self.saved = True
        self.finished = True


def running_text(kernel, roottask, mode, start, size):
    """Boots the kernel and returns its text in memory."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "text"
        machine = Machine(kernel, [roottask], cpus=1, cpu="max", cmdline=f"mitigations={mode}")
        reader = Reader(machine, start, size, file)
        outcome = reader.run()
        if not reader.saved or not file.exists():
            sys.exit(f"the kernel's text could not be read: {outcome.message}")
        return file.read_bytes()


def expected_text(image, start, text):
    """Returns the text that the image must have after mitigations=full has changed it, and
    complaints."""
    text = bytearray(text)
    found = []
    kinds = set()

    def write(at, opcode, to):
        offset = to - (at + JUMP)
        text[at - start : at - start + JUMP] = struct.pack("<Bi", opcode, offset)

    for at, stub, kind, opcode, size in image.sites():
        kinds.add(kind)
        if image.names.get(stub) not in STUBS.get(kind, ()):
            found.append(f"the site at {at:#x} of kind {kind} leads to {stub:#x}")
        write(at, opcode, stub)
        text[at - start + JUMP : at - start + size] = bytes([NOP]) * (size - JUMP)
    if kinds != set(STUBS):
        found.append(f"there are only sites of the kinds {sorted(kinds)}")
    for slot, action in SLOTS.items():
        write(image.at[f"speculation_slot_{slot}"], CALL, image.at[action])
    return bytes(text), found


def differences(start, wanted, seen, image):
    """Names the functions in which two texts differ, at most ten."""
    places = [start + i for i, pair in enumerate(zip(wanted, seen)) if pair[0] != pair[1]]
    functions = set()
    for place in places:
        address = max(address for address in image.names if address <= place)
        functions.add(image.names[address])
    return sorted(functions)[:10]


def listed(text):
    """Returns the instructions of a disassembly: (address, text after a tab)."""
    found = re.findall(r"^ *([0-9a-f]+):(\t.*)$", text, re.MULTILINE)
    return [(int(at, 16), line.rstrip()) for at, line in found]


def instructions(image, name):
    """Returns the disassembly of a function: mnemonics with operands."""
    text = tool("objdump", "-d", "--no-show-raw-insn", f"--disassemble={name}", image.file)
    return [line.strip() for _, line in listed(text)]


def action_complaints(image):
    """Returns complaints about actions that lack the instructions which treat their flaw."""
    found = []
    calls = [i for i in instructions(image, "speculation_fill_return_stack") if "call" in i]
    if len(calls) != RETURN_STACK:
        found.append(f"the return stack is filled by {len(calls)} calls")
    for name in ("speculation_ibpb", "speculation_ibrs", "speculation_l1d_flush"):
        if not any(i.startswith("wrmsr") for i in instructions(image, name)):
            found.append(f"{name} does not write an MSR")
    if not any(i.startswith("div") for i in instructions(image, "speculation_divide")):
        found.append("speculation_divide does not divide")
    for name in ("speculation_verw", *STUBS[1] & image.at.keys()):
        if not any("verw" in i for i in instructions(image, name)):
            found.append(f"{name} has no VERW")
    return found


def followed(image, at):
    """Returns the instructions from an address on, and follows the first unconditional jump."""
    found = []
    for _ in range(2):
        end = f"--stop-address={at + 16 * MASK_WITHIN}"
        text = tool("objdump", "-d", "--no-show-raw-insn", f"--start-address={at}", end, image.file)
        found += listed(text)[: MASK_WITHIN - len(found)]
        jumps = [i for i, (_, line) in enumerate(found) if line.startswith("\tjmp ")]
        target = re.match(r"\tjmp +([0-9a-f]+)", found[jumps[0]][1]) if jumps else None
        if not target:
            break
        at = int(target[1], 16)
        del found[jumps[0] :]
    return found


def mask_of(lines, masks):
    """Returns the mask and the address of the first AND with one of MASKS whose register still has
    its value from the first line, or None. The index is in that register."""
    written = set()
    for at, line in lines:
        mask, write = MASK.match(line), WRITE.match(line)
        if line.startswith("\tret"):
            return None
        if mask and int(mask[1], 16) in masks and REGISTER.match(mask[2])[1] not in written:
            return int(mask[1], 16), at
        if write and REGISTER.match(write[1]):
            written.add(REGISTER.match(write[1])[1])
    return None


def listed_complaints(image, masks, page):
    """Returns complaints unless the page lists exactly the functions that call checked_index().
    masks: addresses of the ANDs, which are parts of checked_index()."""
    text = tool("addr2line", "-afi", "-e", image.file, *map(hex, masks))
    frames = bench_listing.read_frames(text)
    names = [[name for name, _ in frames[at] if name != "checked_index"] for at in masks]
    wanted, found = set(MASKED.findall(page)), {one[0] for one in names}
    return [f"{name} has a mask, and speculation.md no row" for name in sorted(found - wanted)] + [
        f"{name} has no mask, and speculation.md a row" for name in sorted(wanted - found)]


def mask_complaints(image, arch, compiler):
    """Returns complaints about places of checked_index() that do not mask the index."""
    _, data = image.section(".masks", "--set-section-flags=.masks=alloc")
    last = (1 << (64 if arch == "x86_64" else 32)) - 1
    found, masks = [], {}
    for place in range(0, len(data), 4):
        at = place + int.from_bytes(data[place : place + 4], "little", signed=True) & last
        mask = mask_of(followed(image, at), MASKS[arch])
        if mask is None:
            found.append(f"no mask follows {at:#x}")
        else:
            masks[mask[1]] = mask[0]
    if set(masks.values()) != MASKS[arch]:
        found.append(f"the masks are {sorted(map(hex, set(masks.values())))}")
    if compiler == "GNU":
        found += listed_complaints(image, masks, PAGE.read_text(encoding="utf-8"))
    return found


def main():
    arch, kernel, roottask, compiler = sys.argv[1:]
    image = Image(Path(kernel).with_suffix(".elf"))
    start, text = image.section(".text")
    wanted, found = expected_text(image, start, text)
    found += action_complaints(image) + mask_complaints(image, arch, compiler)
    for mode, right in (("off", text), ("auto", text), ("full", wanted)):
        seen = running_text(kernel, roottask, mode, start, len(text))
        places = differences(start, right, seen, image)
        if len(seen) != len(right) or places:
            found.append(f"with mitigations={mode} the text is wrong in {', '.join(places)}")
    count = sum(1 for _ in image.sites())
    for complaint in found:
        print(complaint)
    print(f"{arch}: {count} sites, {len(found)} complaints")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
