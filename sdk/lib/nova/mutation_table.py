# SPDX-License-Identifier: BSD-2-Clause
"""The table of the tests that catch the mutations, tests/mutation/caught.tsv."""

from dataclasses import dataclass

from nova import tree
from nova.errors import EXIT_FAILED, NovaError

FILE = tree.ROOT / "tests/mutation/caught.tsv"
HEADER = "mutation\ttest\treason"
SURVIVES = "survives"
OPEN = "not recorded"  # the mutation was caught before the table existed


@dataclass
class Row:
    """A mutation: the first test that caught it; or SURVIVES, with the reason; or OPEN."""

    name: str
    test: str
    reason: str

    def survives(self):
        return self.test == SURVIVES

    def is_open(self):
        return self.test == OPEN


def parse(text):
    """Returns the rows by the mutations' names."""
    rows = {}
    header, *lines = text.splitlines() or [""]
    if header != HEADER:
        raise NovaError(f"caught.tsv does not begin with '{HEADER}'.", EXIT_FAILED)
    for number, line in enumerate(lines, start=2):
        fields = line.split("\t")
        if len(fields) != 3 or not fields[0] or not fields[1]:
            raise NovaError(f"caught.tsv:{number} is not name, test and reason.", EXIT_FAILED)
        row = Row(*fields)
        if row.name in rows:
            raise NovaError(f"caught.tsv:{number}: '{row.name}' has a second row.", EXIT_FAILED)
        if row.survives() != bool(row.reason):
            raise NovaError(
                f"caught.tsv:{number}: a mutation that survives, and no other, needs a reason.",
                EXIT_FAILED,
            )
        rows[row.name] = row
    return rows


def read():
    return parse(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def text_of(rows, names):
    """Returns the table's text, in the order of the list of mutations."""
    found = (rows[name] for name in names if name in rows)
    return "\n".join([HEADER, *(f"{row.name}\t{row.test}\t{row.reason}" for row in found)]) + "\n"


def write(rows, names):
    FILE.write_text(text_of(rows, names), encoding="utf-8")
