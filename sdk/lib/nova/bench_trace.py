# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench --trace`: properties that the number of instructions does not show. A plugin of QEMU
examines the kernel's instructions between the two readings of the TSC around each operation."""

from nova import qemu_plugin, table
from nova.errors import EXIT_FAILED, NovaError

# The plugin's columns after the instructions.
COLUMNS = ("locked", "CR3", "serialising", "MSR", "lines", "written")
HEAD = ("instructions", *COLUMNS)
BEGIN = "<!-- trace: written by nova bench --trace --update -->"
END = "<!-- end of the trace -->"
# The key in figures.json, beside the figures of each architecture.
SECTION = "trace"
# Columns that do not depend on the shape of a tree.
EXACT = ("locked", "CR3", "serialising", "MSR")


def read(results, console):
    """Parses the plugin's output. Returns {name: counts} and {name: path}, with the names that the
    program printed."""
    names = qemu_plugin.told_names(console)
    counts, paths = {}, {}
    for line in results.read_text(encoding="utf-8").splitlines():
        word, number, *values = line.split()
        if number not in names:
            continue
        if word == "trace":
            counts[names[number]] = [int(value) for value in values]
        else:
            paths[names[number]] = [int(value, 16) for value in values]
    return counts, paths


def count(run, kernel_from):
    """Compiles the plugin, runs the program, and parses the output of both."""
    with qemu_plugin.compiled("trace", kernel_from) as (plugin, results):
        found = read(results, run(plugin))
    if not found[0]:
        raise NovaError("the trace is empty: the program named no operation.", EXIT_FAILED)
    return found


def combine(traces):
    """Merges the traces of several boots. Returns the minimum of each exact count, because a sample
    may include deferred work; the mean of each other count; and the paths of the first boot."""
    counts = {}
    for key in traces[0][0]:
        columns = zip(*(boot[0][key] for boot in traces))
        pairs = zip(HEAD, columns)
        counts[key] = [
            min(values) if name in EXACT else round(sum(values) / len(values))
            for name, values in pairs
        ]
    return counts, traces[0][1]


def read_limits(path):
    """Returns {key: the limit of each of COLUMNS}. The limits apply to both architectures."""
    return {key: [int(most) for most in limits] for key, *limits in table.lines_of(path)}


def complaints(rows, limits, found):
    """Returns a message for each count that is above its limit, was not counted, or has no limit.
    """
    bad = []
    for row, most, counts in table.pairs(rows, limits, found):
        if counts is None:
            bad.append(f"{row}: not counted")
        elif most is None:
            bad.append(f"{row}: tests/bench/trace.tsv has no limits for it")
        else:
            bad += [
                f"{row}: {count} ({name}), above the limit of {limit}"
                for name, count, limit in zip(COLUMNS, counts[1:], most)
                if count > limit
            ]
    return bad


def records(rows, published, limits, found):
    return [
        {"key": row.key, "operation": row.title, **dict(zip(HEAD, found[row.key]))}
        | {"published": dict(zip(COLUMNS, published.get(row.key, ())))}
        | {"limit": dict(zip(COLUMNS, limits.get(row.key, ())))}
        for row in rows
        if row.key in found
    ]


def text(rows, found, arch):
    cells = [[f"in the kernel ({arch})", "key", *HEAD]]
    cells += [[row.title, row.key, *map(str, found[row.key])] for row in rows if row.key in found]
    return "\n".join(table.lines(cells, texts=2))


def write_page(page, rows, figures):
    """Returns the text of a page with the trace between its two marks."""
    wide, narrow = (figures.get(SECTION, {}).get(arch, {}) for arch in ("x86_64", "x86_32"))
    cells = [["x86_64 (x86_32)", *COLUMNS]]
    for row in rows:
        if row.key in wide:
            other = narrow.get(row.key, ["–"] * len(COLUMNS))
            pairs = zip(wide[row.key], other)
            cells.append([row.title, *(f"{a} ({b})" if a != b else str(a) for a, b in pairs)])
    return table.replace_between(page, BEGIN, END, table.markdown(cells))
