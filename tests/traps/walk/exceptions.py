# SPDX-License-Identifier: BSD-2-Clause
"""Reads exceptions.tsv: `exceptions.py FILE` writes its rows as a C table.

An opcode is its map and its byte, as `0F 01`, with `/N` for one value of the ModRM's middle field.
`allowed` holds further events, `on` (the instruction is executed) and `runs` (an instruction that
must be invalid is executed).
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import table  # noqa: E402

FILE = Path(__file__).resolve().parent / "exceptions.tsv"
HEADER = "opcode emulators allowed version source what".split()
OPCODE = re.compile(r"(?:(0F|0F38|0F3A|VEX) )?([0-9A-F]{2})(?:-([0-9A-F]{2}))?(?:/([0-7]))?")
MAPS = (None, "0F", "0F38", "0F3A", "VEX")
OPCODES = 1024  # number of opcodes in the four maps
MOST = 0.03
# Opcodes without a prediction: hints of MPX, far branches, returns, branches by an operand, and
# XABORT, XBEGIN and XEND among the opcodes of groups. They count as exceptions of each emulator.
UNPREDICTED = {(1, 0x1a), (1, 0x1b), (1, 0x01)} | {
    (0, byte) for byte in (0x9a, 0xc2, 0xc3, 0xc6, 0xc7, 0xca, 0xcb, 0xea, 0xff)}
NAMES = {"on": 31, "any": 30, "runs": 29}


def rows():
    """Returns the rows of the table."""
    return table.read(FILE, HEADER)


def opcodes(row):
    """Returns (map, byte, middle field or None) of each opcode of a row."""
    found = []
    for text in row["opcode"].split("; "):
        match = OPCODE.fullmatch(text)
        if not match:
            raise table.TableError(f"exceptions.tsv: '{text}' is not an opcode")
        name, first, last, reg = match.groups()
        found += [(MAPS.index(name), byte, None if reg is None else int(reg))
                  for byte in range(int(first, 16), int(last or first, 16) + 1)]
    return found


def errors():
    """Returns a message for each emulator with too many exceptions."""
    found = []
    for emulator in table.EMULATORS:
        count = len({opcode[:2] for row in rows() if emulator in row["emulators"].split()
                     for opcode in opcodes(row)} | UNPREDICTED)
        if count > OPCODES * MOST:
            found.append(f"exceptions.tsv: {count} opcodes of {emulator}, more than 3 %")
    return found


def main():
    lines = []
    for row in rows():
        emulators = sum(1 << table.EMULATORS.index(name) for name in row["emulators"].split())
        allowed = sum(1 << NAMES.get(word, int(word) if word.isdigit() else 0)
                      for word in row["allowed"].split())
        lines += [f"        {{{emulators:#x}, {number}, {byte:#x}, "
                  f"{0xff if reg is None else reg}, {allowed:#x}u}},\n"
                  for number, byte, reg in opcodes(row)]
    Path(sys.argv[1]).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
