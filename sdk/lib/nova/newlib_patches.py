# SPDX-License-Identifier: BSD-2-Clause
"""Applies patches to the source of a library, in the order of the numbers in their names. The
patches are the kit's changes to newlib (sdk/newlib/*.patch) and to other libraries.

A hunk must match the source line by line: patches are not applied to another version."""

import re

from nova import tree
from nova.errors import NovaError

FOLDER = tree.ROOT / "sdk/newlib"
TARGET = re.compile(r"\+\+\+ b/(\S+)")
HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


def files(folder=FOLDER):
    """Returns the files of patches, NUMBER-NAME.patch, in order."""
    return sorted(folder.glob("*.patch"), key=lambda file: int(file.name.partition("-")[0]))


def read(folder=FOLDER):
    """Returns the text of each patch, in order."""
    return [file.read_text(encoding="utf-8") for file in files(folder)]


def hunks(text):
    """Returns (file, number of the first line, old lines, new lines) of each hunk of a patch."""
    found, name = [], None
    for line in text.splitlines():
        if target := TARGET.match(line):
            name = target[1]
        elif hunk := HUNK.match(line):
            found.append((name, int(hunk[1]), [], []))
        elif found and line[:1] in ("-", " ", "+") and not line.startswith("--- a/"):
            if line[0] != "+":
                found[-1][2].append(line[1:])
            if line[0] != "-":
                found[-1][3].append(line[1:])
    return found


def _patched(lines, changes):
    """Returns LINES with all CHANGES of one patch to one file; None if one does not match."""
    for first, old, new in sorted(changes, reverse=True):
        if lines[first - 1 : first - 1 + len(old)] != old:
            return None
        lines[first - 1 : first - 1 + len(old)] = new
    return lines


def apply(source, patches, version="newlib 3.3.0"):
    """Changes the files in the folder SOURCE, which must contain the source of VERSION."""
    for text in patches:
        changes = {}
        for name, *change in hunks(text):
            changes.setdefault(name, []).append(change)
        for name, wanted in changes.items():
            lines = (source / name).read_text(encoding="utf-8").split("\n")
            lines = _patched(lines, wanted)
            if lines is None:
                raise NovaError(f"{name} is not that of {version}, which the kit supports.")
            (source / name).write_text("\n".join(lines), encoding="utf-8")
