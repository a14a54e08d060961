# SPDX-License-Identifier: BSD-2-Clause
"""The floor of each figure: the number of instructions that any kernel of the interface needs. A
file lists the floors with a reason for each number. They do not depend on our kernel's
instructions."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from nova import table
from nova.errors import NovaError
from nova.tree import ARCHES

BEGIN = "<!-- floor: written by nova bench --update -->"
END = "<!-- end of the floor -->"
USE_BEGIN = "<!-- first use: written by nova bench --update -->"
USE_END = "<!-- end of the first use -->"
# The cost of clearing memory.
CLEARED = ("page", "root", "tables")
# The cost of a PD and its first use: rows that are added, and a row that is subtracted.
PD, FIRST_EC, EC = "create_pd", "create_first_ec", "create_ec"
FIRST_USE = {
    "create PD": ((PD,), ()),
    "create the first EC of a PD": ((FIRST_EC,), ()),
    "both": ((PD, FIRST_EC), ()),
    "first use: the first EC, minus the cost of a further EC": ((FIRST_EC,), (EC,)),
    "create PD and first use": ((PD, FIRST_EC), (EC,)),
}


@dataclass
class Part:
    of: str
    counts: dict  # counts by architecture
    reason: str


@dataclass
class Model:
    parts: list = field(default_factory=list)
    rows: dict = field(default_factory=dict)  # {key: {class: number of times}}

    def cost(self, name, arch):
        return sum(part.counts[arch] for part in self.parts if part.of == name)

    def floor(self, key, arch):
        """Returns the floor of a row; None if none is stated."""
        if key not in self.rows:
            return None
        return sum(times * self.cost(name, arch) for name, times in self.rows[key].items())

    def cleared(self, key, arch):
        """Returns the part of a row's floor that clears memory."""
        made_of = self.rows[key].items()
        return sum(times * self.cost(name, arch) for name, times in made_of if name in CLEARED)


def read(path):
    model = Model()
    for word, name, *rest in table.lines_of(path):
        if word == "part":
            *counts, reason = rest
            model.parts.append(Part(name, dict(zip(ARCHES, map(int, counts))), reason))
        else:
            made_of = (part.split() for part in rest[0].split(", "))
            model.rows[name] = {of: int(times) for times, of in made_of}
    known = {part.of for part in model.parts}
    for key, made_of in model.rows.items():
        for of in made_of:
            if of not in known:
                raise NovaError(f"{path.name}: {key} is made of '{of}', which has no parts.")
    return model


def complaints(model, found, arch):
    """Returns a message for each figure below the model's minimum."""
    bad = []
    for key in model.rows:
        floor = model.floor(key, arch)
        if key in found and found[key] < floor:
            bad.append(f"{key}: {found[key]} is below its floor, {floor}: one of them is wrong")
    return bad


def add_to_records(records, model, arch):
    return [record | {"floor": model.floor(record["key"], arch)} for record in records]


def classes_table(model):
    """Returns the components of the classes."""
    cells = [["class", "instructions", *ARCHES]]
    last = Counter(part.of for part in model.parts)
    for part in model.parts:
        last[part.of] -= 1
        cells.append([f"`{part.of}`", part.reason, *(str(part.counts[arch]) for arch in ARCHES)])
        if not last[part.of] and sum(p.of == part.of for p in model.parts) > 1:
            sums = (f"**{model.cost(part.of, arch)}**" for arch in ARCHES)
            cells.append([f"`{part.of}`", "all", *sums])
    return table.markdown(cells, texts=2)


def rows_table(model, rows):
    """Returns the components of the rows."""
    cells = [["operation", "made of"]]
    for row in rows:
        if row.key in model.rows:
            made_of = ", ".join(f"{times} `{of}`" for of, times in model.rows[row.key].items())
            cells.append([row.title, made_of])
    return table.markdown(cells, texts=2)


def first_use_table(model, figures):
    """Returns the cost of a PD and its first use, and the part of it that clears memory."""
    parts = ("", ": floor", ": for clearing")
    cells = [["instructions", *(f"{arch}{part}" for arch in ARCHES for part in parts)]]
    for title, (added, subtracted) in FIRST_USE.items():
        numbers = []
        for arch in ARCHES:
            floor, cleared = (partial(of, arch=arch) for of in (model.floor, model.cleared))
            for value in (figures[arch].get, floor, cleared):
                numbers.append(sum(map(value, added)) - sum(map(value, subtracted)))
        cells.append([title, *map(str, numbers)])
    return table.markdown(cells)


def write_page(page, rows, model, figures):
    """Returns the text of a page with the model, and with a PD's first use, each between its two
    marks."""
    shown = f"{classes_table(model)}\n\n{rows_table(model, rows)}"
    page = table.replace_between(page, BEGIN, END, shown)
    return table.replace_between(page, USE_BEGIN, USE_END, first_use_table(model, figures))
