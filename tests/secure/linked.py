#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the ultravisor contains only the parts of novavmm that docs/manual/secure-trust.md
counts: files of its first folder, and the local APIC. So it contains neither the interface for
enlightened guests, nor another device, nor a loader of guests.

    linked.py PROGRAM LIBRARY SOURCES"""

import re
import subprocess
import sys
from pathlib import Path

COUNTED = {"lapic.c", "lapic_timer.c"}  # files of other folders that the page counts


def symbols(path):
    """Returns {file of the archive, or "": names of its global functions and data}."""
    output = subprocess.run(["nm", "-A", "--defined-only", "-g", path], stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    found = {}
    for line in output.splitlines():
        place, kind, name = line.rsplit(" ", 2)
        member = re.search(r":([a-z0-9_]+[.]c)[.]obj:", place)
        if kind in "TRDB":
            found.setdefault(member[1] if member else "", set()).add(name)
    return found


def main():
    program, library, sources = sys.argv[1:]
    first = {file.name for file in Path(sources).glob("*.c")}
    folders = {file.name: file.parent.name for file in Path(sources).glob("*/*.c")
               if file.name not in first | COUNTED}
    has = symbols(program)[""]
    linked = {member for member, names in symbols(library).items() if names & has}
    complaints = [f"{program} has no {name}: is it the ultravisor?"
                  for name in ("lapic.c", "vcpu.c") if name not in linked]
    complaints += [f"{program} contains {folders[name]}/{name} of novavmm"
                   for name in sorted(linked & set(folders))]
    print("\n".join(complaints) or f"The ultravisor contains {len(linked)} files of novavmm.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
