# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench --trace`: what the number of instructions does not tell. A plugin of QEMU looks at
what the kernel executes between the two readings of each operation."""

import itertools

from nova import qemu_plugin, table
from nova.errors import EXIT_FAILED, NovaError

# What the plugin counts, in its order, behind the instructions.
COLUMNS = ("locked", "CR3", "serialising", "MSR", "lines", "written")
HEAD = ("instructions", *COLUMNS)
BEGIN = "<!-- trace: written by nova bench --trace --update -->"
END = "<!-- end of the trace -->"
# Where figures.json keeps it, beside the figures of each architecture.
SECTION = "trace"
# What no shape of a tree makes more of: it may not grow at all.
EXACT = ("locked", "CR3", "serialising", "MSR")
# Percent of lines more where trees are searched, of whose shapes a few boots tell.
TREE_LINES = 15


def read(results, console):
    """What the plugin wrote, by the names that the program told: counts, paths, and how often each
    address was executed in the mean of all rounds."""
    names = qemu_plugin.told_names(console)
    counts, paths, means = {}, {}, {}
    for line in results.read_text(encoding="utf-8").splitlines():
        word, number, *values = line.split()
        if number not in names:
            continue
        if word == "trace":
            counts[names[number]] = [int(value) for value in values]
        elif word == "path":
            paths[names[number]] = [int(value, 16) for value in values]
        else:
            rounds, *values = values
            pairs = zip(values[::2], values[1::2])
            means[names[number]] = {int(at, 16): int(n) / int(rounds) for at, n in pairs}
    return counts, paths, means


def count(run, kernel_from):
    """Compiles the plugin, runs the program, and reads both."""
    with qemu_plugin.compiled("trace", kernel_from) as (plugin, results):
        found = read(results, run(plugin))
    if not found[0]:
        raise NovaError("the trace is empty: the program named no operation.", EXIT_FAILED)
    return found


def _mean(boots):
    """Of several {address: times} one."""
    found = {}
    for address, times in itertools.chain.from_iterable(boot.items() for boot in boots):
        found[address] = found.get(address, 0) + times / len(boots)
    return found


def combine(traces):
    """Of what several boots traced: of counts that are exact the fewest, as a sample may do work
    that was put off, of all else the mean; the paths of the first; the mean of all rounds."""
    counts = {}
    for key in traces[0][0]:
        columns = zip(*(boot[0][key] for boot in traces))
        pairs = zip(HEAD, columns)
        counts[key] = [
            min(values) if name in EXACT else round(sum(values) / len(values))
            for name, values in pairs
        ]
    means = {key: _mean([boot[2][key] for boot in traces]) for key in traces[0][2]}
    return counts, traces[0][1], means


def _row_complaints(row, old, new):
    """What of one row's counts is worse than it was."""
    if new is None:
        yield f"{row}: a trace is checked in, but there was none"
        return
    lines = TREE_LINES if row.tolerance > table.TOLERANCE else row.tolerance
    for name, before, now in zip(COLUMNS, old, new[1:]):
        if table.is_worse(before, now, 0 if name in EXACT else lines):
            yield f"{row}: {now} instead of {before} ({name})"


def complaints(rows, checked_in, found):
    """A sentence for each count that is worse than it was, or is not there any more."""
    return [
        sentence
        for row, old, new in table.pairs(rows, checked_in, found)
        if old is not None
        for sentence in _row_complaints(row, old, new)
    ]


def records(rows, checked_in, found):
    return [
        {"key": row.key, "operation": row.title, **dict(zip(HEAD, found[row.key]))}
        | {"checked_in": dict(zip(COLUMNS, checked_in.get(row.key, ())))}
        for row in rows
        if row.key in found
    ]


def text(rows, found, arch):
    cells = [[f"in the kernel ({arch})", "key", *HEAD]]
    cells += [[row.title, row.key, *map(str, found[row.key])] for row in rows if row.key in found]
    return "\n".join(table.lines(cells, texts=2))


def update(file, figures, arch, found):
    """Checks in the counts of COLUMNS."""
    figures.setdefault(SECTION, {})[arch] = found
    file.write_text(table.dumps(figures), encoding="utf-8")


def write_page(page, rows, figures):
    """The text of a page with the trace between its two marks."""
    wide, narrow = (figures.get(SECTION, {}).get(arch, {}) for arch in ("x86_64", "x86_32"))
    cells = [["x86_64 (x86_32)", *COLUMNS]]
    for row in rows:
        if row.key in wide:
            other = narrow.get(row.key, ["–"] * len(COLUMNS))
            pairs = zip(wide[row.key], other)
            cells.append([row.title, *(f"{a} ({b})" if a != b else str(a) for a, b in pairs)])
    return table.replace_between(page, BEGIN, END, table.markdown(cells))
