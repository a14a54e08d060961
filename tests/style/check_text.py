# SPDX-License-Identifier: BSD-2-Clause
"""SPDX line, length of lines and files, and words that must not stay, in every source file."""

import re

import sources

SPDX = "SPDX-License-Identifier: BSD-2-Clause"
MAX_BYTES = 100
MAX_LINES = 600
# Written so that this file does not find itself.
LEFT_OPEN = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


def check_lines(name, lines):
    """All complaints about one file."""
    found = []
    first = lines[1:2] if lines and lines[0].startswith("#!") else lines[:1]
    if not first or SPDX not in first[0]:
        found.append(f"{name}:1: the first line does not say {SPDX}")
    if len(lines) > MAX_LINES:
        found.append(f"{name}: {len(lines)} lines, more than {MAX_LINES}: two files are in it")
    for number, line in enumerate(lines, start=1):
        where = f"{name}:{number}"
        length = len(line.encode())
        if length > MAX_BYTES:
            found.append(f"{where}: {length} bytes, more than {MAX_BYTES}")
        if line != line.rstrip():
            found.append(f"{where}: blanks at the end of the line")
        if "\t" in line:
            found.append(f"{where}: a tabulator")
        if LEFT_OPEN.search(line):
            found.append(f"{where}: something was left open")
    return found


def check(root, _scratch):
    names = sources.find(root, sources.CODE + sources.OTHER, sources.NAMED)
    found = []
    for name in names:
        text = (root / name).read_text(encoding="utf-8")
        if text and not text.endswith("\n"):
            found.append(f"{name}: no line end at the end of the file")
        found += check_lines(name, text.splitlines())
    return len(names), found


if __name__ == "__main__":
    sources.main(check)
