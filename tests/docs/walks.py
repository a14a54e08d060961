# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the walks of docs/kernel/walks.md name functions of the named files: `walks.py ROOT`.
"""

import re
import sys
from pathlib import Path

PAGE = "docs/kernel/walks.md"
ROW = re.compile(r"^\| `(\w+)` \| `([\w/.]+)` \|", re.MULTILINE)
NAMED = re.compile(r"`(\w+)` \(`([\w/.]+)`\)")
INSIDE = re.compile(r"`([a-z]+_\w+)`")
PREFIXES = ("nova_",)  # of libnova, not of the kernel


def is_defined(name, text):
    """Returns whether a source defines a function, a label or a table of that name."""
    function = rf"(?m)^(?!\s)(?!.*;\s*$).*\b{name}\(|^{name}:|^(?!\s|extern).*\b{name}\[.*\]"
    return re.search(function, text) is not None


def complaints(page, read, everything):
    """Returns a message for each wrong name. READ(file) is the text of a file or None."""
    found = []
    for name, file in ROW.findall(page) + NAMED.findall(page):
        text = read(file)
        if text is None:
            found.append(f"{PAGE}: there is no hypervisor/src/{file}")
        elif not is_defined(name, text):
            found.append(f"{PAGE}: {name} is not defined in hypervisor/src/{file}")
    for name in sorted(set(INSIDE.findall(page))):
        if not name.startswith(PREFIXES) and not name.endswith("_") and name not in everything:
            found.append(f"{PAGE}: {name} is not a name of the kernel")
    return found


def main(root):
    source = root / "hypervisor" / "src"
    files = [path for path in source.rglob("*") if path.suffix in (".c", ".h", ".S")]
    words = set()
    for path in files:
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    page = (root / PAGE).read_text(encoding="utf-8")

    def read(file):
        path = source / file
        return path.read_text(encoding="utf-8") if path.exists() else None

    found = complaints(page, read, words)
    print("\n".join(found))
    print(f"{len(ROW.findall(page))} rows, {len(found)} complaints")
    sys.exit(1 if found or not ROW.findall(page) else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
