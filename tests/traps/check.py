# SPDX-License-Identifier: BSD-2-Clause
"""Checks the tables of this folder, and the manual's table that is generated from them: `check.py
ROOT`.

`check.py ROOT --write` writes the column `seen` of outcomes.tsv and the manual's table. Each case
that statements.tsv names is a test, a group or a row of outcomes.tsv; each fault changes a row.
"""

import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import table

sys.path.insert(0, str(Path(__file__).resolve().parent / "walk"))

import exceptions as walk_exceptions  # noqa: E402

STATEMENTS = "tests/traps/statements.tsv"
STATEMENTS_HEADER = "number speaker case where statement".split()
PAGE = "docs/manual/traps.md"
BEGIN, END = "<!-- rows of tests/traps/outcomes.tsv -->", "<!-- end of the rows -->"
UNSEEN_PAGE, UNSEEN = "docs/kernel/traps.md", "## Rows that no emulator shows"
UNSEEN_ROW = re.compile(r"^\| ([^|]*`[^|]*) \|", re.MULTILINE)
CASES = ("tests/traps/cells.c", "tests/traps/variants.c", "tests/traps/walk/walk.c")
CASE = re.compile(r"(?:CASE|CASE_ON|GROUP)\((?:traps, )?(\w+),")
BOOTS = ("tests/traps/CMakeLists.txt",)
UNITS = "tests/unit/kernel/entry_test.cc"
UNIT = re.compile(r"^TEST\((\w+), (\w+)\)", re.MULTILINE)
BOOT = re.compile(r"add_test\(NAME ([\w.-]+)")

# Rows of the manual's table; the other rows vary these.
SHOWN = ("int3", "into", "call", "int", "int1", "int80", "syscall", "sysenter", "ud", "bound")
VENDORS = {"both": "both", "amd": "AMD", "intel": "Intel"}
MODES = {"64": "64-bit", "compat": "compatibility", "32": "x86-32"}


def tests(root):
    """Returns the set of cases that a statement may name."""
    found = set()
    for path in CASES:
        if (root / path).exists():
            found |= {f"case {name}" for name in CASE.findall((root / path).read_text("utf-8"))}
    for path in BOOTS:
        found |= {f"test {name}" for name in BOOT.findall((root / path).read_text("utf-8"))}
    units = UNIT.findall((root / UNITS).read_text("utf-8"))
    return found | {f"unit {suite}.{name}" for suite, name in units}


def statement_errors(root, rows, known):
    """Returns messages about statements.tsv."""
    known = known | {f"row {row['row']}" for row in rows}
    known |= {f"group {row['group']}" for row in rows}
    found = []
    path = root / STATEMENTS
    for number, row in enumerate(table.read(path, STATEMENTS_HEADER), 1):
        if row["number"] != str(number):
            found.append(f"{STATEMENTS}: {row['number']} is not number {number}")
        if row["case"] == "stated":
            page, _, words = row["where"].partition(": ")
            if not (root / page).exists() or words not in (root / page).read_text("utf-8"):
                found.append(f"{STATEMENTS}: number {number}: {page} does not say '{words}'")
        elif row["case"] != "next":
            found += [f"{STATEMENTS}: number {number}: {case} does not exist"
                      for case in row["case"].split("; ") if case not in known]
    return found


def row_errors(rows, faults):
    """Returns messages about outcomes.tsv and faults.tsv."""
    found = []
    names = [row["row"] for row in rows]
    found += [f"outcomes.tsv: {name} occurs twice" for name in set(names) if names.count(name) > 1]
    for row in rows:
        seen = " ".join(table.seen(row, faults)) or "none"
        if row["seen"] != seen:
            found.append(f"outcomes.tsv: {row['row']} is seen on: {seen}")
    found += [f"faults.tsv: '{fault['rows']}' changes no row" for fault in faults
              if not changes(fault, rows)]
    return found


def changes(fault, rows):
    """Returns whether a fault changes a row in one of its modes, on some emulator."""
    return any(table.applies(fault, row, mode, emulator) and table.instead(row, fault) != row
               for row in rows for mode in row["modes"].split() for emulator in table.EMULATORS)


def unseen_errors(root, rows):
    """Returns messages about the page's list of the rows that no emulator shows."""
    section = (root / UNSEEN_PAGE).read_text("utf-8").partition(UNSEEN)[2].partition("\n## ")[0]
    patterns = re.findall(r"`([^`]+)`", " ".join(UNSEEN_ROW.findall(section)))
    names = [row["row"] for row in rows if row["seen"] == "none"]
    found = [f"{UNSEEN_PAGE}: {name} is not in the list of rows that no emulator shows"
             for name in names if not any(fnmatchcase(name, pattern) for pattern in patterns)]
    unused = [pattern for pattern in patterns
              if not any(fnmatchcase(name, pattern) for name in names)]
    return found + [f"{UNSEEN_PAGE}: an emulator shows all rows of '{pattern}'"
                    for pattern in unused]


def with_seen(rows, faults):
    """Returns the text of outcomes.tsv with its last column."""
    lines = ["\t".join(table.HEADER)]
    for row in rows:
        row["seen"] = " ".join(table.seen(row, faults)) or "none"
        lines.append("\t".join(row[name] for name in table.HEADER))
    return "\n".join(lines) + "\n"


def shown_event(row):
    """Returns an outcome's event for the manual."""
    event = row["event"]
    return {"none": "–", "refused": "hypercall: `BAD_HYP`"}.get(event, event)


def differs(row, faults):
    """Returns whether an emulator shows an outcome that differs in more than its flags."""
    shown = [table.outcome(row, mode, emulator, faults)
             for mode in row["modes"].split() for emulator in table.EMULATORS]
    return any({**other, "flags": row["flags"]} != row for other in shown if other)


def manual_rows(rows, faults):
    """Returns the lines of the manual's table."""
    names = ("code", "with", "mode", "CPU", "event", "IP", "error code", "QUAL 1", "flags", "then",
             "source")
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for row in rows:
        if row["group"] not in SHOWN:
            continue
        modes = ", ".join(MODES[mode] for mode in row["modes"].split())
        reply = {"-": "continues", "on": "continues", "again": "again"}[row["reply"]]
        code = row["code"].replace("{target}", "…")
        given = "–" if row["with"] == "-" else row["with"].replace("~", "\\~")
        error, qual, flags = (row[name].replace("-", "–") for name in ("error", "qual", "flags"))
        event = shown_event(row) + (" \\*" if differs(row, faults) else "")
        fields = [f"`{code}`", given, modes, VENDORS[row["vendors"]], event, row["ip"],
                  error, qual, flags, reply, row["source"]]
        lines.append("| " + " | ".join(fields).replace("n&~3", "n & ~3") + " |")
    return "\n".join(lines)


def manual_with(text, rows, faults):
    """Returns the manual's page with its table."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n\n" + manual_rows(rows, faults) + "\n\n" + END + rest.split(END)[1]


def main():
    root = Path(sys.argv[1])
    rows, faults = table.load()
    page = root / PAGE
    if "--write" in sys.argv[2:]:
        table.OUTCOMES.write_text(with_seen(rows, faults), encoding="utf-8")
        page.write_text(manual_with(page.read_text("utf-8"), rows, faults), encoding="utf-8")
    found = walk_exceptions.errors() + row_errors(rows, faults)
    found += statement_errors(root, rows, tests(root)) + unseen_errors(root, rows)
    if manual_with(page.read_text("utf-8"), rows, faults) != page.read_text("utf-8"):
        found.append(f"{PAGE}: its table is not that of outcomes.tsv: run check.py . --write")
    print("\n".join(found) or f"{len(rows)} rows, {len(table.cells(rows, faults))} cells")
    return 1 if found or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
