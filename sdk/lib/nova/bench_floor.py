# SPDX-License-Identifier: BSD-2-Clause
"""The floor of each figure: the instructions of the way into the kernel, out of it and into other
address spaces, found in the trace of the operation. Nothing of what was asked for is in them."""

import bisect

from nova import table

BEGIN = "<!-- floor: written by nova bench --trace --update -->"
END = "<!-- end of the floor -->"
SHOWN = "x86_64"
# Functions of the kernel's assembly, which enter it, leave it, and enter guests.
WAYS = ("entry_", "leave_by_", "leave_to_", "continue_on_empty_stack", "svm_enter", "vmx_e")
# A load of CR3: the value, and the load.
PER_CR3 = 2


def count(path, symbols, cr3):
    """The floor of a path of addresses, by the kernel's sorted symbols and its loads of CR3."""
    starts = [address for address, _ in symbols]
    names = (symbols[bisect.bisect_right(starts, address) - 1][1] for address in path)
    return sum(name.startswith(WAYS) for name in names) + PER_CR3 * cr3


def write_page(page, rows, figures, floors):
    """The text of a page with the floors of one architecture between its two marks."""
    cells = [[f"instructions ({SHOWN})", "figure", "floor", "above it"]]
    for row in rows:
        figure = figures.get(SHOWN, {}).get(row.key)
        floor = floors.get(SHOWN, {}).get(row.key)
        if figure is not None and floor is not None:
            cells.append([row.title, str(figure), str(floor), str(figure - floor)])
    return table.replace_between(page, BEGIN, END, table.markdown(cells))
