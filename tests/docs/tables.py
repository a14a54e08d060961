# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/manual/reference.md come from the rows of the headers: `tables.py ROOT` checks
that they are up to date, `tables.py ROOT --update` writes them anew. What a system description can
say is told in docs/manual/systems.md: all of it.

A table stands between the comments `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk/lib"))

from nova import doc_rows  # noqa: E402

PAGE = "docs/manual/reference.md"
ABI = "hypervisor/abi/nova/abi"
HEADERS = (f"{ABI}/hypercall.h", f"{ABI}/status.h", f"{ABI}/mtd.h", f"{ABI}/event.h")
HEADERS += ("libnova/include/nova/event.h",)
SYSTEMS = "docs/manual/systems.md"
DESCRIPTION = "roottask/system/description.h"
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def hypercall(number, name, function, section):
    shown = "extension" if section == "extension" else f"section {section}"
    return number, f"`NOVA_{name}`", function, shown


def event(prefix):
    return lambda number, name, text: (number, f"`{prefix}{name}`", text)


# Name of the table: (rows, head, what makes the cells of a line out of those of a row).
TABLES = {
    "hypercalls": (
        "NOVA_HYPERCALL_ROWS", ("number", "constant", "hypercall", "specification"), hypercall),
    "statuses": ("NOVA_STATUS_ROWS", ("number", "constant", "says"), event("NOVA_")),
    "mtd": ("NOVA_MTD_ROWS", ("bit", "constant", "state that it moves"), event("NOVA_MTD_")),
    "exceptions": ("NOVA_EXCEPTION_ROWS", ("number", "constant", "event"), event("NOVA_EXC_")),
    "vmx": ("NOVA_VMX_ROWS", ("number", "constant", "event"), event("NOVA_VMX_")),
    "svm": ("NOVA_SVM_ROWS", ("number", "constant", "event"), event("NOVA_SVM_")),
}


def table(name, rows):
    macro, head, cells = TABLES[name]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(cells(*row))} |" for row in rows[macro]]
    return "\n".join(lines) + "\n"


def filled(text, rows):
    """The page with all its tables as the rows say; KeyError for a table that nobody knows."""

    def replace(match):
        return match.group(1) + table(match.group(2), rows) + match.group(3)

    return TABLE.sub(replace, text)


def unexplained(page, rows):
    """The properties of programs that the page about system descriptions does not tell of."""
    return [row[1] for row in rows["NOVA_SYSTEM_PROPERTY_ROWS"] if f"\n| `{row[1]} " not in page]


def main(root, update):
    page = root / PAGE
    before = page.read_text(encoding="utf-8")
    names = [name for _, name, _ in TABLE.findall(before)]
    if sorted(names) != sorted(TABLES):
        sys.exit(f"{PAGE} has the tables {', '.join(names)} instead of {', '.join(TABLES)}")
    after = filled(before, doc_rows.read(*(root / header for header in HEADERS)))
    if update:
        page.write_text(after, encoding="utf-8")
    elif before != after:
        sys.exit(f"{PAGE} is out of date: python3 tests/docs/tables.py . --update")
    missing = unexplained((root / SYSTEMS).read_text(encoding="utf-8"),
                          doc_rows.read(root / DESCRIPTION))
    if missing:
        sys.exit(f"{SYSTEMS} does not explain {', '.join(missing)}")
    print(f"{len(names)} tables")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--update" in sys.argv[2:])
