# SPDX-License-Identifier: BSD-2-Clause
"""The few figures that the README shows. They are the published ones of docs/performance.md."""

from nova import table, tree

PAGE = tree.ROOT / "README.md"
BEGIN = "<!-- figures: written by nova bench --update -->"
END = "<!-- end of figures -->"
ARCH = "x86_64"
# Keys of tests/bench/rows.tsv, and their names in the README.
SHOWN = (
    ("call_same_pd", "call and reply"),
    ("call_other_pd", "call and reply, between two protection domains"),
    ("sm_up", "semaphore up, without a waiter"),
    ("wake_higher", "semaphore up that wakes a more urgent thread, until that thread waits again"),
    ("page_fault", "page fault, with the pager's answer and the page"),
    ("delegate_page", "delegation of a page, with its call"),
    ("guest_cpuid", "exit of a guest, with the monitor's answer"),
    ("boot", "boot, from the kernel's entry to the roottask's first instruction, one CPU"),
)


def page_with(page, figures):
    """Returns the text of the README with these figures."""
    counted = figures.get(ARCH, {})
    rows = [["operation", "instructions"]]
    rows += [[text, f"{counted[key]:,}"] for key, text in SHOWN if key in counted]
    return table.replace_between(page, BEGIN, END, table.markdown(rows))


def write(figures):
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), figures), encoding="utf-8")
