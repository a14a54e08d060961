# SPDX-License-Identifier: BSD-2-Clause
"""Checks the records of the walk: coverage.py ARCH PREDICT SEED DAILY COUNT.

The first DAILY records must contain each opcode of the four maps in each mode. COUNT records must
contain each middle field of the ModRM of opcode groups, with a register and with memory. No record
may have a prediction that was once wrong.
"""

import struct
import subprocess
import sys
import tempfile
from typing import NamedTuple

from exceptions import UNPREDICTED

HEADER, RECORD = 24, "<15sBI20x"
MODES = {"x86_64": ("64", "compat"), "x86_32": ("32",)}
MODE_NAMES = ("64", "compat", "32")
MODE_AT = 24  # offset in a record
PREFIXES = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x64, 0x65, 0x26, 0x2e, 0x36, 0x3e}
REX = set(range(0x40, 0x50))
# Opcodes that lead to other maps, and IRET.
LEFT_OUT = {(0, 0x0f), (0, 0xcf), (1, 0x38), (1, 0x3a)}
# Groups of the SDM's table A-6, without those of VEX.
GROUPS = {(0, n) for n in (0x80, 0x81, 0x82, 0x83, 0x8f, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0, 0xd1, 0xd2,
                           0xd3, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xf6, 0xf7, 0xfe,
                           0xff)}
GROUPS |= {(1, n) for n in (0x00, 0x01, 0x0d, 0x18, 0x71, 0x72, 0x73, 0xae, 0xb9, 0xba, 0xc7)}
FORMS = 16  # middle fields, each with a register and with memory
ANY, GOES_ON = 1 << 30, 1 << 31


class Instruction(NamedTuple):
    """A record's mode, map, opcode, and the bytes after the opcode."""

    mode: str
    map: int
    opcode: int
    prefixes: bytes
    rest: bytes
    length: int
    allowed: int


def instruction(record):
    """Returns the parts of a record."""
    code, length, allowed = struct.unpack(RECORD, record)
    mode = MODE_NAMES[record[MODE_AT]]
    at = 0
    while code[at] in PREFIXES or (mode == "64" and code[at] in REX):
        at += 1
    prefixes, number = code[:at], 0
    if code[at] == 0x0f:
        number = {0x38: 2, 0x3a: 3}.get(code[at + 1], 1)
        at += 1 if number == 1 else 2
    return Instruction(mode, number, code[at], prefixes, code[at + 1:], length, allowed)


def opcodes(mode):
    """Returns the opcodes that the walk must contain in a mode."""
    every = {(number, byte) for number in range(4) for byte in range(256)} - LEFT_OUT
    return every - {(0, byte) for byte in PREFIXES | (REX if mode == "64" else set())}


def wrong(found):
    """Returns what makes a prediction wrong, or None."""
    if (found.map, found.opcode) == (1, 0xf7) and found.length and not found.allowed & GOES_ON:
        return "a mask of MASKMOVQ that is zero may access nothing"
    if found.allowed & ANY and (found.map, found.opcode) not in UNPREDICTED:
        return "only an opcode that counts as an exception has no prediction"
    no_base = found.rest[0] & 0xc7 == 0x04 and found.rest[1] & 7 == 5
    rex = any(byte in REX and byte & 1 for byte in found.prefixes)
    modrm = (found.map, found.opcode) in {(0, 0x01), (0, 0x03), (0, 0x89), (0, 0x8b), (1, 0xaf)}
    if found.mode == "64" and 0x67 in found.prefixes and rex and no_base and modrm and found.length:
        return "Zydis takes R13 as the base of an address that has none"
    return None


def complaints(arch, records, daily):
    """Returns messages about the records."""
    text = []
    seen = {mode: set() for mode in MODES[arch]}
    forms = {(mode, *group): set() for mode in MODES[arch] for group in GROUPS}
    for at in range(len(records)):
        found = instruction(records[at])
        if at < daily:
            seen[found.mode].add((found.map, found.opcode))
        if (found.mode, found.map, found.opcode) in forms:
            form = (found.rest[0] >> 3 & 7, found.rest[0] >= 0xc0)
            forms[found.mode, found.map, found.opcode].add(form)
        if wrong(found):
            text.append(f"record {at}, {found}: {wrong(found)}")
    text += [f"{mode}: map {number}, opcode {byte:02x} is not in the first {daily} records"
             for mode, known in seen.items() for number, byte in sorted(opcodes(mode) - known)]
    text += [f"{where}: {FORMS - len(known)} forms do not occur"
             for where, known in forms.items() if len(known) != FORMS]
    return text


def main():
    arch, predict, seed, daily, count = sys.argv[1:]
    with tempfile.TemporaryFile() as file:
        subprocess.run([predict, arch, seed, count], stdout=file, check=True)
        file.seek(0)
        data = file.read()
    size = struct.calcsize(RECORD)
    records = [data[at:at + size] for at in range(HEADER, len(data), size)]
    found = complaints(arch, records, int(daily))
    print("\n".join(found[:30]))
    print(f"{len(records)} records, {len(found)} complaints")
    sys.exit(1 if found or len(records) < int(count) else 0)


if __name__ == "__main__":
    main()
