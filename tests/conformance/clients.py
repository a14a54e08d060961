#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks that each case named in clients.tsv exists: behaviour that old programs rely on has a
test."""

import csv
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASE = re.compile(r"^CASE(?:_ON)?\(\s*(\w+),\s*(\w+)", re.MULTILINE)


def main() -> int:
    """Lists the rows whose case does not exist."""
    cases = set()
    for folder in (HERE / "cases", HERE.parent / "stress"):
        for file in folder.glob("*.c"):
            cases.update(" ".join(match) for match in CASE.findall(file.read_text()))
    with open(HERE / "clients.tsv", encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    missing = [row["case"] for row in rows if row["case"] not in cases]
    for case in missing:
        print(f"clients.tsv: there is no case '{case}'")
    return 1 if missing or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
