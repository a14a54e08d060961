# SPDX-License-Identifier: BSD-2-Clause
"""The table of counted figures: its rows, their files, and their output as text, records and a
page."""

import json
from dataclasses import dataclass

from nova.errors import NovaError

BEGIN = "<!-- figures: written by nova bench --update -->"
END = "<!-- end of the figures -->"
OFF = "instructions with interrupts off"
UNITS = ("instructions", "bytes", OFF)


# The architecture of tables that show only one architecture.
SHOWN = "x86_64"
# Text after a row's title in the printed table.
NOTES = {"bytes": " (bytes)", OFF: " (interrupts off)"}
# Default target for x86_32 in rows.tsv, in percent above that for x86_64.
ABOVE = "15%"
MEAN = "mean"


@dataclass
class Row:
    key: str
    unit: str
    reference: float  # figure of the implementation of 2012
    target: float  # target for x86_64
    target_x86_32: float
    limit: float  # limit for x86_64: a figure above it is a failure
    limit_x86_32: float
    sample: str  # how a figure is taken from rounds: median or mean; None: there are no rounds
    title: str

    def __str__(self):
        """Returns title and key, which are the name of a row in messages."""
        return f"{self.title} ({self.key})"

    def target_for(self, arch):
        return self.target if arch == "x86_64" else self.target_x86_32

    def limit_for(self, arch):
        return self.limit if arch == "x86_64" else self.limit_x86_32

    def full_title(self):
        return f"{self.title} ({MEAN})" if self.sample == MEAN else self.title


def _number(text):
    if text == "-":
        return None
    return float(text) if "." in text else int(text)


def lines_of(path):
    """Returns the fields of each line of a file of rows, without comments, which begin with #."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def _narrow_target(text, target):
    """Returns the x86_32 target that TEXT states. If TEXT is the constant ABOVE, a percentage, this
    is TARGET plus that percentage of TARGET, rounded down."""
    if text != ABOVE:
        return _number(text)
    percent = 100 + int(ABOVE.rstrip("%"))
    if isinstance(target, int):
        return target * percent // 100
    return int(target * percent) / 100


def read_rows(path):
    rows = []
    for key, unit, reference, target, narrow, *limits, sample, title in lines_of(path):
        wide = _number(target)
        targets = (wide, _narrow_target(narrow, wide))
        sample = None if sample == "-" else sample
        numbers = (_number(reference), *targets, *map(_number, limits))
        rows.append(Row(key, unit, *numbers, sample, title))
    return rows


def pairs(rows, published, found):
    """Yields (row, published figure, new figure) of each row with at least one of the figures. A
    missing figure is None."""
    for row in rows:
        old, new = published.get(row.key), found.get(row.key)
        if (old, new) != (None, None):
            yield row, old, new


def show(value):
    """Returns the text of a value for a table's cell; a dash for None."""
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _difference(old, new):
    if old is None or new is None or old == new:
        return "" if old == new and old is not None else "–"
    return f"{(new - old) * 100 / old:+.1f} %" if old else f"{new:+}"


def records(rows, published, found):
    return [
        {
            "key": row.key,
            "operation": row.title,
            "unit": row.unit,
            "figure": found.get(row.key),
            "published": published.get(row.key),
            "figure_2012": row.reference,
            "target_x86_64": row.target,
            "target_x86_32": row.target_x86_32,
            "limit_x86_64": row.limit,
            "limit_x86_32": row.limit_x86_32,
            "sample": row.sample,
        }
        for row in rows
    ]


def dumps(figures, levels=3):
    """Returns JSON with a line for each figure. The dictionaries in the first LEVELS levels have a
    line for each entry; a dictionary in a deeper level has one line."""
    return _dumps(figures, levels, "") + "\n"


def _dumps(value, levels, indent):
    if not levels or not isinstance(value, dict):
        return json.dumps(value)
    inner = indent + "  "
    entries = (f"{inner}{json.dumps(k)}: {_dumps(v, levels - 1, inner)}" for k, v in value.items())
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"


def lines(cells, texts=1):
    """Yields lines of padded cells. The first TEXTS columns are left-aligned, the others
    right-aligned."""
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    for line in cells:
        pairs = list(zip(line, widths))
        first = [cell.ljust(width) for cell, width in pairs[:texts]]
        rest = [cell.rjust(width) for cell, width in pairs[texts:]]
        yield "  ".join([*first, *rest]).rstrip()


def text(rows, published, found, arch):
    """Returns the printed table; on x86_64 with the figure of 2012."""
    head = ["figure", "published", "difference", "limit", "target", "2012"]
    cells = [[f"operation ({arch})", "key", *head]]
    for row, old, new in pairs(rows, published, found):
        title = row.full_title() + NOTES.get(row.unit, "")
        line = [title, row.key, show(new), show(old), _difference(old, new)]
        bounds = [row.limit_for(arch), row.target_for(arch), row.reference]
        cells.append(line + [show(bound) for bound in bounds])
    if arch != "x86_64":
        cells = [line[:-1] for line in cells]
    return "\n".join(lines(cells, texts=2))


def markdown(cells, texts=1, last_texts=0):
    """Returns a page's table. The first TEXTS and the last LAST_TEXTS columns are left-aligned, the
    others right-aligned."""
    head, *rest = (f"| {' | '.join(line)} |" for line in cells)
    numbers = len(cells[0]) - texts - last_texts
    rule = "|---" * texts + "|---:" * numbers + "|---" * last_texts + "|"
    return "\n".join([head, rule, *rest])


def _page_table(rows, figures, unit, floor):
    wide, narrow = figures.get("x86_64", {}), figures.get("x86_32", {})
    bounds = ["floor", "target", "limit"] if unit == UNITS[0] else ["limit"]
    cells = [[unit, "x86_64", *bounds, "2012", "x86_32", *bounds]]
    for row in rows:
        if row.unit == unit and (row.key in wide or row.key in narrow):
            cells.append([row.full_title()])
            for arch, found in (("x86_64", wide), ("x86_32", narrow)):
                shown = [found.get(row.key), row.limit_for(arch)]
                if unit == UNITS[0]:
                    shown[1:1] = [floor(row.key, arch), row.target_for(arch)]
                shown += [row.reference] if arch == "x86_64" else []
                cells[-1] += map(show, shown)
    return markdown(cells)


def replace_between(page, begin, end, shown):
    """Returns the text of a page with the part between two marks replaced."""
    if begin not in page or end not in page:
        raise NovaError(f"the page has no place for the table: add the lines {begin} and {end}.")
    head, tail = page.split(begin)[0], page.split(end)[1]
    return f"{head}{begin}\n{shown}\n{end}{tail}"


def write_page(page, rows, figures, floor):
    """Returns the text of a page with the figures between its two marks. FLOOR(key, arch) returns
    the floor of a row."""
    tables = [_page_table(rows, figures, unit, floor) for unit in UNITS]
    return replace_between(page, BEGIN, END, "\n\n".join(tables))
