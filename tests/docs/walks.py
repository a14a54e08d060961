# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the tables of walks.md, models.md and speculation.md name functions of the named
files, that the names of functions in the other pages about the kernel exist, and that models.md
lists the faults that tests/models tries: `walks.py ROOT`."""

import re
import sys
from pathlib import Path

MODELS = "docs/kernel/models.md"
PAGES = ("docs/kernel/walks.md", "docs/kernel/speculation.md", MODELS)
ROW = re.compile(r"^\| `(\w+)` \| `([\w/.]+)` \|", re.MULTILINE)
NAMED = re.compile(r"`(\w+)` \(`([\w/.]+)`\)")
INSIDE = re.compile(r"`([a-z]+_\w+)`")
FAULT = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
TRIED = re.compile(r"^// fails:.* (\w+) -> [\w-]+$", re.MULTILINE)
PREFIXES = ("nova_",)  # of libnova, not of the kernel
CALLED = re.compile(r"`([A-Za-z_]\w*)\(\)`")
OF_OTHERS = ("msix_table_mmio_write", "tcg_handle_interrupt")  # of QEMU
SOURCES = (".c", ".h", ".S", ".cc", ".py", ".pml", ".txt", ".inc", ".ld", ".cmake")


def is_defined(name, text):
    """Returns whether a source defines a function, a label or a table of that name."""
    function = rf"(?m)^(?!\s)(?!.*;\s*$).*\b{name}\(|^{name}:|^(?!\s|extern).*\b{name}\[.*\]"
    return re.search(function, text) is not None


def complaints(name_of_page, page, read, everything):
    """Returns a message for each wrong name. READ(file) is the text of a file or None."""
    found = []
    for name, file in ROW.findall(page) + NAMED.findall(page):
        text = read(file)
        if text is None:
            found.append(f"{name_of_page}: there is no hypervisor/src/{file}")
        elif not is_defined(name, text):
            found.append(f"{name_of_page}: {name} is not defined in hypervisor/src/{file}")
    for name in sorted(set(INSIDE.findall(page))):
        if not name.startswith(PREFIXES) and not name.endswith("_") and name not in everything:
            found.append(f"{name_of_page}: {name} is not a name of the kernel")
    return found


def unknown(name_of_page, page, everything):
    """Returns a message for each name of a function that no source of the tree has."""
    names = set(CALLED.findall(page) + INSIDE.findall(page))
    return [
        f"{name_of_page}: no source has the name {name}"
        for name in sorted(names)
        if name not in everything and not name.endswith("_") and name not in OF_OTHERS
    ]


def words_of(paths):
    """Returns the words of files."""
    words = set()
    for path in paths:
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return words


def wrong_faults(page, models):
    """Returns a message for each fault that the page names but no model tries, or vice versa."""
    told = set(FAULT.findall(page))
    tried = {fault for model in models for fault in TRIED.findall(model)}
    return [f"the fault {name} is only in the page" for name in sorted(told - tried)] + [
        f"the fault {name} is only in a model" for name in sorted(tried - told)
    ]


def main(root):
    source = root / "hypervisor" / "src"
    words = words_of(path for path in source.rglob("*") if path.suffix in (".c", ".h", ".S"))
    everything = words_of(
        path
        for folder in ("hypervisor", "libnova", "roottask", "sdk", "tests")
        for path in (root / folder).rglob("*")
        if path.suffix in SOURCES or path.name == "CMakeLists.txt"
    )

    def read(file):
        path = source / file
        return path.read_text(encoding="utf-8") if path.exists() else None

    models = [path.read_text(encoding="utf-8") for path in (root / "tests/models").glob("*.pml")]
    found, rows = [], 0
    for name in PAGES:
        page = (root / name).read_text(encoding="utf-8")
        found += complaints(name, page, read, words)
        rows += len(ROW.findall(page))
    found += wrong_faults((root / MODELS).read_text(encoding="utf-8"), models)
    for path in [*sorted((root / "docs/kernel").glob("*.md")), root / "tests/README.md"]:
        name = str(path.relative_to(root))
        found += unknown(name, path.read_text(encoding="utf-8"), everything)
    print("\n".join(found))
    print(f"{rows} rows, {len(found)} complaints")
    sys.exit(1 if found or not rows else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
