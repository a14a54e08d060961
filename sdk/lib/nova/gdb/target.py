# SPDX-License-Identifier: BSD-2-Clause
"""The machine as gdb sees it: the kernel's memory, the debug information, CPUs, symbols."""

import re
from pathlib import Path

import gdb

from nova.gdb.paging import KernelMemory, Physical
from nova.gdb.view import Field, Layout, Trouble, Unreadable

# Packet to QEMU that switches a mode on (1) or off (0). While the mode is on, `m` packets use
# physical addresses.
PHYSICAL_MODE = "Qqemu.PhyMemMode:"
RECEIVED = re.compile(r'received: "([^"]*)"')
GIB_BITS = 30
CR0_PG = 1 << 31
SYMBOL = re.compile(r"(\S+)(?: \+ (\d+))? in section \S+(?: of (.*))?")
# Types that are read as numbers. An array of them is one field with a count.
NUMBERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_BOOL,
           gdb.TYPE_CODE_CHAR)
STRUCTURES = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)


def _fields(of, prefix, offset, into):
    """Collects the fields of a structure and, by path, those of nested structures."""
    for field in of.fields():
        if not hasattr(field, "bitpos"):
            continue
        kind, count = field.type.strip_typedefs(), 1
        at, path = offset + field.bitpos // 8, prefix + (field.name or "")
        while kind.code == gdb.TYPE_CODE_ARRAY:
            low, high = kind.range()
            count *= high - low + 1
            kind = kind.target().strip_typedefs()
        signed = kind.code == gdb.TYPE_CODE_INT and bool(kind.is_signed)
        if kind.code in NUMBERS or kind.code in STRUCTURES:
            into[path] = Field(at, kind.sizeof, signed, count)
        if kind.code in STRUCTURES and count == 1:
            _fields(kind, f"{path}." if field.name else prefix, at, into)


def _packet(text):
    """Returns QEMU's answer to a packet of gdb's protocol."""
    try:
        answer = RECEIVED.search(gdb.execute(f"maintenance packet {text}", to_string=True))
    except gdb.error as error:
        raise Trouble(f"gdb cannot read memory: {error}") from None
    return answer.group(1) if answer else ""


def _read_physical(address, size):
    if _packet(f"{PHYSICAL_MODE}1") != "OK":
        raise Trouble("this QEMU does not show physical memory; install version 4.2 or later")
    try:
        return bytes.fromhex(_packet(f"m{address:x},{size:x}"))
    except ValueError:
        raise Unreadable(f"there is no physical memory at {address:#x}") from None
    finally:
        _packet(f"{PHYSICAL_MODE}0")


class Target:
    """The access of listings to the kernel. PROGRAM is the roottask's file."""

    def __init__(self, program):
        self.program = program
        self.layouts = {}
        self.word = self.layout("list").fields["next"].size
        self.physical = Physical(_read_physical)
        self.image = self.address("image_text_start") >> GIB_BITS << GIB_BITS
        self.memory = KernelMemory(
            self.physical, self.word, (self.address("image_text_start"), self.address("image_end")),
            self.image, self.address("kernel_root_phys"),
        )

    def forget(self):
        """Discards what was read for the last command, because memory may have changed."""
        self.physical.forget()

    def layout(self, struct):
        if struct not in self.layouts:
            try:
                found = gdb.lookup_type(f"struct {struct}").strip_typedefs()
            except gdb.error:
                raise Trouble(f"the kernel's file has no debug information on {struct}") from None
            fields = {}
            _fields(found, "", 0, fields)
            self.layouts[struct] = Layout(found.sizeof, fields)
        return self.layouts[struct]

    def read(self, address, size):
        return self.memory.read(address, size)

    def address(self, symbol):
        try:
            return int(gdb.parse_and_eval(f"&{symbol}"))
        except gdb.error:
            raise Trouble(f"the kernel's file has no symbol {symbol}") from None

    def number(self, symbol):
        """Returns a variable's value, 0 if it cannot be read."""
        try:
            size = gdb.parse_and_eval(f"&{symbol}").type.target().sizeof
            return int.from_bytes(self.read(self.address(symbol), size), "little")
        except (gdb.error, Unreadable):
            return 0

    def value(self, text):
        try:
            return int(gdb.parse_and_eval(text))
        except gdb.error as error:
            raise ValueError(text) from error

    def is_kernel(self, address):
        return address >= self.image or address >> 63 == 1

    def _threads(self):
        """Returns gdb's threads by QEMU's CPU number, which is the local APIC ID."""
        return {thread.ptid[1] - 1: thread for thread in gdb.selected_inferior().threads()}

    def thread_of(self, cpu):
        thread = self._threads().get(cpu["arch.apic_id"])
        return thread.num if thread else None

    def apic_of_selected(self):
        thread = gdb.selected_thread()
        return thread.ptid[1] - 1 if thread else None

    def _is_in_guest(self):
        """Returns whether the selected CPU uses a guest's page tables, or none."""
        if not int(gdb.parse_and_eval("$cr0")) & CR0_PG:
            return True
        return not self.memory.is_mapped_by(int(gdb.parse_and_eval("$cr3")))

    def live_ip(self, cpu, guest):
        """Returns the ip of a CPU that is in user mode or, with GUEST, in a guest."""
        thread = self._threads().get(cpu["arch.apic_id"])
        before = gdb.selected_thread()
        if not thread or not before:
            return None
        try:
            thread.switch()
            ip = gdb.newest_frame().pc()
            wanted = self._is_in_guest() if guest else not self.is_kernel(ip)
            return ip if wanted else None
        except gdb.error:
            return None
        finally:
            before.switch()

    def _symbol(self, address):
        try:
            text = gdb.execute(f"info symbol {address:#x}", to_string=True)
        except gdb.error:
            return None
        return SYMBOL.match(text)

    def symbol(self, address):
        """Returns `function+offset`, or "" if unknown."""
        match = self._symbol(address)
        if not match:
            return ""
        return match.group(1) + (f"+{match.group(2)}" if match.group(2) else "")

    def is_root_symbol(self, address):
        """Returns whether the name of an address comes from the roottask's file. If gdb reports no
        file, returns True."""
        match = self._symbol(address)
        file = match.group(3) if match else None
        return not file or Path(file) == Path(self.program or "")
