# SPDX-License-Identifier: BSD-2-Clause
"""Reads outcomes.tsv and faults.tsv, and makes a cell of each row, mode and value.

`table.py x86_64|x86_32 FILE` writes the cells of an architecture as a C table."""

import re
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUTCOMES, FAULTS = HERE / "outcomes.tsv", HERE / "faults.tsv"
HEADER = ("group row code modes vendors with event ip error qual flags reply source seen").split()
FAULTS_HEADER = "rows modes emulators instead version source what".split()

MODES = {"64": "x86_64", "compat": "x86_64", "32": "x86_32"}
EMULATORS = ("qemu-amd", "qemu-intel", "bochs-amd", "bochs-intel")
FLAGS = {"RF": 0x10000, "OF": 0x800, "TF": 0x100}
EVENTS = {"none": "NOTHING", "hypercall": "HYPERCALL", "refused": "HYPERCALL"}
QUALS = {"-": "QUAL_0", "0": "QUAL_0", "after": "QUAL_AFTER", "absent": "QUAL_ABSENT",
         "stack": "QUAL_STACK", "stack32": "QUAL_STACK_32", "bx16": "QUAL_BX_16",
         "bp+di16": "QUAL_BP_DI_16"}
REPLIES = {"-": "REPLY_NONE", "on": "REPLY_ON", "again": "REPLY_AGAIN"}
WORDS = ("n", "of", "step", "call", "sel", "ax", "si", "bounds", "words", "bx", "sp", "end", "top",
         "delta")
PLACES = {"absent": "PLACE_BEFORE_ABSENT", "nx": "PLACE_BEFORE_DATA"}
POINTERS = {"absent": "POINTER_ABSENT", "noncanonical": "POINTER_NON_CANONICAL",
            "kernel": "POINTER_KERNEL"}


class TableError(Exception):
    """A table that cannot be used."""


@dataclass
class Cell:
    """One instruction in one mode, and what each emulator shows."""

    row: dict
    mode: str
    value: int
    code: list
    options: dict
    outcomes: list = field(default_factory=list)  # one for each emulator; None: not on this vendor

    @property
    def name(self):
        number = "" if self.value is None else f" {self.value:02X}"
        return f"{self.row['row']}{number} {self.mode}"


def read(path, header):
    """Returns the rows of a table as dictionaries."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if lines[0].split("\t") != header:
        raise TableError(f"{path.name}: the first line is not '{' '.join(header)}'")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != len(header) or not all(fields):
            raise TableError(f"{path.name}:{number}: not {len(header)} fields")
        rows.append(dict(zip(header, fields)))
    return rows


def values(text):
    """Returns the numbers of a list such as 00-02,05."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first, 16), int(last or first, 16) + 1)
    return found


def number(text, n):
    """Returns the value of an error code: a number, `8n+2` or `n&~3`."""
    formula = re.fullmatch(r"(\d+)n\+(\d+)", text)
    if formula:
        return int(formula[1]) * n + int(formula[2])
    return n & ~3 if text == "n&~3" else int(text, 0)


def options(text):
    """Returns the words of the column `with` as a dictionary."""
    words = [] if text == "-" else text.split()
    return dict((word.partition("=")[0], word.partition("=")[2]) for word in words)


def code_bytes(text, n):
    """Returns the bytes of an instruction; the word {target} becomes four elements None."""
    found = []
    for word in text.split():
        if word == "{target}":
            found += [None] * 4
        else:
            found.append(n if word == "nn" else int(word, 16))
    return found


def instead(row, fault):
    """Returns the row as an emulator's fault changes it."""
    changed = dict(row)
    for word in fault["instead"].split():
        name, _, value = word.partition("=")
        if value.startswith("-") and value != "-":
            kept = [flag for flag in changed[name].split() if flag != value[1:]]
            changed[name] = " ".join(kept) or "-"
        else:
            changed[name] = value.replace("+", " ") if name == "flags" else value
    return changed


def outcome(row, mode, emulator, faults):
    """Returns the row as an emulator shows it in a mode, or None on the other vendor."""
    if row["vendors"] not in ("both", emulator.rpartition("-")[2]):
        return None
    for fault in faults:
        if fault["emulators"] != "-" and applies(fault, row, mode, emulator):
            row = instead(row, fault)
    return row


def applies(fault, row, mode, emulator):
    return (any(fnmatchcase(row["row"], pattern) for pattern in fault["rows"].split())
            and mode in fault["modes"].split() and emulator in fault["emulators"].split())


def cells(rows, faults):
    """Returns the cells of all rows."""
    found = []
    for row in rows:
        given = options(row["with"])
        for mode in row["modes"].split():
            for n in values(given["n"]) if "n" in given else [None]:
                cell = Cell(row, mode, n, code_bytes(row["code"], n), given)
                cell.outcomes = [outcome(row, mode, emulator, faults) for emulator in EMULATORS]
                found.append(cell)
    return found


def seen(row, faults):
    """Returns the emulators that show a row as it is written, in all its modes."""
    return [emulator for emulator in EMULATORS
            if all(outcome(row, mode, emulator, faults) == row for mode in row["modes"].split())]


def c_outcome(cell, row):
    """Returns the initializer of a struct outcome."""
    if row is None or row["event"] == "skip":
        return "{.event = SKIPPED}"
    event = EVENTS.get(row["event"], row["event"])
    place, _, offset = row["ip"].partition("+")
    where = {"at": "IP_AT", "": "IP_AT", "after": "IP_AFTER", "target": "IP_TARGET"}[place]
    flags = sum(FLAGS[flag] for flag in row["flags"].split() if flag != "-")
    error = 0 if row["error"] == "-" else number(row["error"], cell.value)
    fields = [f".event = {event}", f".ip = {where}"]
    fields += [f".offset = {offset}"] if offset else []
    fields += [f".error = {error:#x}"] if error else []
    fields += [f".qual = {QUALS[row['qual']]}"] if row["qual"] not in "-0" else []
    fields += [f".flags = {flags:#x}"] if flags else []
    fields += [f".reply = {REPLIES[row['reply']]}"] if row["reply"] != "-" else []
    return "{" + ", ".join(fields) + "}"


def c_options(cell):
    """Returns the initializers of a cell's initial state."""
    given, fields = cell.options, []
    for name in given:
        if name not in WORDS:
            raise TableError(f"{cell.row['row']}: '{name}' is unknown")
    flags = ("of" in given) * FLAGS["OF"] + ("step" in given) * FLAGS["TF"]
    fields += [f".flags = {flags:#x}"] if flags else []
    if "sel" in given:
        fields.append(f".sel = {cell.value if given['sel'] == 'n' else int(given['sel'], 16):#x}")
    fields += [f".ax = {int(given['ax'], 16):#x}u, .has_ax = true"] if "ax" in given else []
    fields += [f".si = 0x{given['si']}"] if "si" in given else []
    for name, size in (("bounds", 4), ("words", 2)):
        if name in given:
            low, high = (int(value) for value in given[name].split(","))
            fields.append(f".low = {low}, .high = {high}, .bound_size = {size}")
    fields += [f".bx = {POINTERS[given['bx']]}"] if "bx" in given else []
    fields += [f".sp = {POINTERS[given['sp']]}"] if "sp" in given else []
    fields += [f".place = {PLACES[given['end']]}"] if "end" in given else []
    fields += [f".top = 0x{given['top']}"] if "top" in given else []
    fields += [f".delta = {given['delta']}"] if "delta" in given else []
    fields += [".call = true"] if "call" in given else []
    return fields


def c_cell(cell):
    """Returns the initializer of a cell."""
    at = cell.code.index(None) if None in cell.code else 0
    code = ", ".join(f"{byte or 0:#04x}" for byte in cell.code)
    fields = [f'.name = "{cell.name}"', f'.group = "{cell.row["group"]}"',
              f".mode = MODE_{cell.mode.upper()}", f".code = {{{code}}}",
              f".size = {len(cell.code)}"]
    fields += [f".target_at = {at}"] if at else []
    fields += c_options(cell)
    results = ", ".join(c_outcome(cell, row) for row in cell.outcomes)
    return "        {" + ", ".join(fields) + f",\n         .outcome = {{{results}}}}},\n"


def load():
    """Returns the rows of both tables."""
    return read(OUTCOMES, HEADER), read(FAULTS, FAULTS_HEADER)


def main():
    arch, path = sys.argv[1:]
    found = [c_cell(cell) for cell in cells(*load()) if MODES[cell.mode] == arch]
    Path(path).write_text("".join(found), encoding="utf-8")


if __name__ == "__main__":
    main()
