# SPDX-License-Identifier: BSD-2-Clause
"""The table of counted figures: its rows, and how it is kept, and shown as text, records and a
page."""

import json
from dataclasses import dataclass

from nova.errors import NovaError

BEGIN = "<!-- figures: written by nova bench --update -->"
END = "<!-- end of the figures -->"
OFF = "instructions with interrupts off"
UNITS = ("instructions", "bytes", OFF)
# Units whose targets are bounds that must be kept; those of others are aims.
BOUNDED = ("bytes", OFF)


# The architecture of those of a page's tables that show one.
SHOWN = "x86_64"
# What follows a row's title in the table for people.
NOTES = {"bytes": " (bytes)", OFF: " (interrupts off)"}


@dataclass
class Row:
    key: str
    unit: str
    reference: float  # of the implementation of 2012
    target: float  # for x86_64
    tolerance: float  # percent by which it may get worse
    title: str

    def __str__(self):
        """Title and key, as sentences name a row."""
        return f"{self.title} ({self.key})"


def _number(text):
    if text == "-":
        return None
    return float(text) if "." in text else int(text)


def lines_of(path):
    """The fields of each line of a file of rows; # begins a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def read_rows(path):
    return [
        Row(key, unit, *map(_number, numbers), title)
        for key, unit, *numbers, title in lines_of(path)
    ]


def _show(value):
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _difference(old, new):
    if old is None or new is None or old == new:
        return "" if old == new and old is not None else "–"
    return f"{(new - old) * 100 / old:+.1f} %" if old else f"{new:+}"


def records(rows, checked_in, found):
    return [
        {
            "key": row.key,
            "operation": row.title,
            "unit": row.unit,
            "figure": found.get(row.key),
            "checked_in": checked_in.get(row.key),
            "figure_2012": row.reference,
            "target_x86_64": row.target,
        }
        for row in rows
    ]


def dumps(figures, levels=3):
    """JSON with a line for each figure, or for each dictionary LEVELS down."""
    return _dumps(figures, levels, "") + "\n"


def _dumps(value, levels, indent):
    if not levels or not isinstance(value, dict):
        return json.dumps(value)
    inner = indent + "  "
    entries = (f"{inner}{json.dumps(k)}: {_dumps(v, levels - 1, inner)}" for k, v in value.items())
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"


def lines(cells, texts=1):
    """Aligned lines of cells: the first so many columns to the left, the others to the right."""
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    for line in cells:
        pairs = list(zip(line, widths))
        first = [cell.ljust(width) for cell, width in pairs[:texts]]
        rest = [cell.rjust(width) for cell, width in pairs[texts:]]
        yield "  ".join([*first, *rest]).rstrip()


def text(rows, checked_in, found, arch):
    """The table for people; on x86_64 with the figure of 2012 and the target."""
    head = ["figure", "checked in", "difference", "2012", "target"]
    cells = [[f"operation ({arch})", "key", *head]]
    for row in rows:
        old, new = checked_in.get(row.key), found.get(row.key)
        if old is None and new is None:
            continue
        title = row.title + NOTES.get(row.unit, "")
        line = [title, row.key, _show(new), _show(old), _difference(old, new)]
        cells.append(line + [_show(row.reference), _show(row.target)])
    if arch != "x86_64":
        cells = [line[:5] for line in cells]
    return "\n".join(lines(cells, texts=2))


def markdown(cells, texts=1):
    """A page's table: the first so many columns to the left, the others to the right."""
    head, *rest = (f"| {' | '.join(line)} |" for line in cells)
    rule = "|---" * texts + "|---:" * (len(cells[0]) - texts) + "|"
    return "\n".join([head, rule, *rest])


def _page_table(rows, figures, unit):
    wide, narrow = figures.get("x86_64", {}), figures.get("x86_32", {})
    cells = [[unit, "x86_64", "target", "2012", "x86_32"]]
    for row in rows:
        if row.unit == unit and (row.key in wide or row.key in narrow):
            shown = (wide.get(row.key), row.target, row.reference, narrow.get(row.key))
            cells.append([row.title, *map(_show, shown)])
    return markdown(cells)


def replace_between(page, begin, end, shown):
    """The text of a page with what stands between two marks replaced."""
    if begin not in page or end not in page:
        raise NovaError(f"the page has no place for the table: the lines {begin} and {end}.")
    head, tail = page.split(begin)[0], page.split(end)[1]
    return f"{head}{begin}\n{shown}\n{end}{tail}"


def write_page(page, rows, figures):
    """The text of a page with the figures between its two marks."""
    tables = [_page_table(rows, figures, unit) for unit in UNITS]
    return replace_between(page, BEGIN, END, "\n\n".join(tables))
