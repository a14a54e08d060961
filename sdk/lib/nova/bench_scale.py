# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench --scale`: the cost of operations while 1, 10, 1,000 and 100,000 objects of a kind
exist. No cost may grow by more than its factor in tests/bench/scale.tsv."""

from dataclasses import dataclass, field

from nova import table

PROGRAM = "bench-scale"
# Sizes in MiB for 80,000 threads: of the pool, and of a machine whose memory below 4 GiB holds the
# pool.
POOL = 512
MEMORY = 1024
# The program with the plugin takes half a minute alone.
TIMEOUT = 280
# Meaning of the marks that the program sets for the plugin `runs`, and the key under which the
# figures contain the longest stretch of each mark.
MARKS = {"1": "while all the objects are revoked", "2": "in all other operations beside them"}
STRETCHES = "interrupts_off"
NUMBERS = ("1", "10", "1,000", "100,000")
BEGIN = "<!-- scale: written by nova bench --scale --update -->"
END = "<!-- end of the scale -->"


@dataclass
class Subject:
    """A kind of object of which many exist, or an operation that is measured beside these
    objects."""

    key: str
    factor: float
    title: str
    beside: dict = field(default_factory=dict)  # {key of a kind: its limits}

    def limits(self, thing):
        """Returns the limit while objects of this key's kind exist."""
        return self.beside.get(thing, self)


def read_subjects(path):
    """Returns the kinds of objects and the operations in a file of limits."""
    things, operations = [], {}
    for word, key, factor, title in table.lines_of(path):
        subject = Subject(key, None if factor == "-" else float(factor), title)
        operation, _, thing = key.partition(" beside ")
        if word == "beside":
            things.append(subject)
        elif thing:
            operations[operation].beside[thing] = subject
        else:
            operations[key] = subject
    return things, list(operations.values())


def read(console):
    """Returns {kind: {operation: pairs}} of the lines `scale THING OPERATION NUMBER FIGURE`."""
    found = {}
    for line in console.splitlines():
        word, *fields = line.split() or [""]
        if word == "scale" and len(fields) == 4:
            thing, operation, number, figure = fields
            pairs = found.setdefault(thing, {}).setdefault(operation, [])
            pairs.append([int(number), int(figure)])
    return found


def read_stretches(results):
    """Returns {mark: the longest stretch of kernel instructions with interrupts off}."""
    found = {}
    for line in results.splitlines():
        _, mark, length, *_ = line.split()
        if mark in MARKS:
            found[MARKS[mark]] = int(length)
    return found


def growth(pairs):
    """Returns the greatest figure with more than one object, as a factor of the figure with one."""
    return max(figure for _, figure in pairs[1:]) / pairs[0][1]


def complaints(things, operations, found, bound):
    """Returns a message for each operation that grows too much, or was not counted, and for
    stretches with interrupts off above the bound."""
    bad = []
    stretches = found.get(STRETCHES, {})
    for what in MARKS.values():
        if not 0 < stretches.get(what, 0) <= bound:
            length = stretches.get(what, "no")
            bad.append(f"{what}: {length} instructions with interrupts off, bound {bound}")
    for thing in things:
        for operation in operations:
            pairs = found.get(thing.key, {}).get(operation.key, [])
            if len(pairs) != len(NUMBERS):
                bad.append(f"{operation.key} beside {thing.key}: not counted")
            elif growth(pairs) > operation.limits(thing.key).factor:
                figures = ", ".join(str(figure) for _, figure in pairs)
                bad.append(
                    f"{operation.key} beside {thing.key} grows: {figures}, "
                    f"more than {operation.limits(thing.key).factor:g} times the first"
                )
    return bad


def records(things, operations, found, published, bound):
    """Returns the records of --json: each operation with each kind, and the stretches."""
    counted = [
        {
            "thing": thing.key,
            "key": operation.key,
            "operation": operation.title,
            "beside": [number for number, _ in pairs],
            "instructions": [figure for _, figure in pairs],
            "published": [figure for _, figure in old.get(operation.key, [])],
            "factor": round(growth(pairs), 4),
            "factor_bound": operation.limits(thing.key).factor,
        }
        for thing in things
        for old in [published.get(thing.key, {})]
        for operation in operations
        for pairs in [found.get(thing.key, {}).get(operation.key)]
        if pairs
    ]
    stretches = [
        {
            "key": STRETCHES,
            "operation": what,
            "instructions": length,
            "published": published.get(STRETCHES, {}).get(what),
            "bound": bound,
        }
        for what, length in found.get(STRETCHES, {}).items()
    ]
    return counted + stretches


def _stretches(found, bound, arch):
    yield [f"longest with interrupts off ({arch})", "instructions", "bound"]
    for what, length in found.get(STRETCHES, {}).items():
        yield [what, str(length), str(bound)]


def text(things, operations, found, bound, arch):
    cells = [[f"beside this number of objects ({arch})", *NUMBERS, "most", "may be"]]
    for thing in things:
        cells.append([f"{thing.title}:", *[""] * (len(NUMBERS) + 2)])
        for operation in operations:
            pairs = found.get(thing.key, {}).get(operation.key)
            if pairs:
                figures = [str(figure) for _, figure in pairs]
                factors = [f"{growth(pairs):.2f}", f"{operation.limits(thing.key).factor:g}"]
                cells.append([f"  {operation.title}", *figures, *factors])
    tables = (cells, list(_stretches(found, bound, arch)))
    return "\n\n".join("\n".join(table.lines(part)) for part in tables)


def write_page(page, things, operations, bound, figures):
    """Returns the text of a page with each operation and the kind with which it grows most, and the
    longest stretches with interrupts off."""
    found = figures.get(table.SHOWN, {})
    cells = [[f"instructions ({table.SHOWN})", "grows most beside", *NUMBERS, "factor", "may be"]]
    for operation in operations:
        choice = [thing for thing in things if operation.key in found.get(thing.key, {})]
        if not choice:
            continue
        worst = max(choice, key=lambda thing: growth(found[thing.key][operation.key]))
        pairs = found[worst.key][operation.key]
        line = [operation.title, worst.title, *(str(figure) for _, figure in pairs)]
        factors = [f"{growth(pairs):.2f}", f"{operation.limits(worst.key).factor:g}"]
        cells.append([*line, *factors])
    stretches = list(_stretches(found, bound, table.SHOWN))
    shown = table.markdown(cells, texts=2) + "\n\n" + table.markdown(stretches)
    return table.replace_between(page, BEGIN, END, shown)
