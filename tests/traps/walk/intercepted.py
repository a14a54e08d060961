# SPDX-License-Identifier: BSD-2-Clause
"""Reads intercepted.tsv: the instructions whose outcome in a guest of novavmm differs.

`sees` is `values` (the same event, other registers or memory), an event's number, or `on` (the
guest continues after the instruction, at the invalid instruction there).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import exceptions  # noqa: E402
import table  # noqa: E402

FILE = Path(__file__).resolve().parent / "intercepted.tsv"
HEADER = "opcode levels modes sees source what".split()
MODES = ("64", "compat", "32")
UD = 6


def rows(arch=None):
    """Returns the rows for an architecture, with their opcodes."""
    found = []
    for row in table.read(FILE, HEADER):
        if arch and not any(table.MODES[mode] == arch for mode in row["modes"].split()):
            continue
        found.append({**row, "opcodes": exceptions.opcodes(row), "used": 0})
    return found


def middle_field(record):
    """Returns the middle field of the ModRM after the prefixes and the opcode."""
    code, mode, number = record[0], record[4], record[8]
    at = 0
    while code[at] in b"\x66\x67\xf0\xf2\xf3\x26\x2e\x36\x3e\x64\x65" or (
            mode == 0 and code[at] & 0xf0 == 0x40):
        at += 1
    return code[at + (1, 2, 3, 3, 1)[number]] >> 3 & 7


def is_of(row, difference):
    """Returns whether a row is about the instruction of a difference."""
    record = difference.record
    if str(difference.level) not in row["levels"].split():
        return False
    if MODES[record[4]] not in row["modes"].split():
        return False
    return any((number, byte) == (record[8], record[9]) and reg in (None, middle_field(record))
               for number, byte, reg in row["opcodes"])


def shows(sees, difference):
    """Returns whether the guest has seen what a row says."""
    plain, guest = difference.plain, difference.guest
    if sees == "values":
        return plain[:3] == guest[:3]
    if sees == "on":
        return guest.vector == UD and guest.ip == difference.record[1]
    return guest.vector == int(sees) and guest.ip == 0


def explains(found, difference):
    """Returns whether a row lists the difference, and counts that it does."""
    for row in found:
        if is_of(row, difference) and any(shows(sees, difference) for sees in row["sees"].split()):
            row["used"] += 1
            return True
    return False
