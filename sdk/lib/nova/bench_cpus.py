# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench --cpus`: operations that several CPUs execute at the same time, operations of one CPU
on another, and the kernel's start. A plugin of QEMU counts each CPU's instructions in the kernel,
and the cache lines that the CPUs share."""

import contextlib
from dataclasses import dataclass

from nova import elf, qemu_plugin, table
from nova.errors import EXIT_FAILED, NovaError

PROGRAM = "bench-cpus"
NUMBERS = (1, 2, 4)
# The constant TIMES of tests/bench/cases/cpus.c.
TIMES = 1000
# The plugin's name for the time before the roottask.
BOOT = "255"
BEGIN = "<!-- cpus: written by nova bench --cpus --update -->"
END = "<!-- end of the CPUs -->"
# Sizes in MiB, of memory and of the kernel's pool, with which the start is counted on one CPU. The
# size of the pool is always given (kmem=). Its default is a sixteenth of the memory: with it, the
# cost of mapping the pool would grow with the memory, but this cost has a row of its own.
SMALL, LARGE_MEMORY, LARGE_POOL = (256, 4), (4096, 4), (4096, 512)
# Numbers of further modules. Each adds a memory descriptor to the HIP.
FEW, MANY = 0, 25
# The key of a figure of a larger machine.
MORE = "more"
COUNTS = ("instructions", "locked", "shared_lines")


@dataclass
class Row:
    operation: str
    whose: str  # which CPUs: first or others
    fewest: int  # lowest number of CPUs
    factor: float  # limit, as a multiple of the figure with that number of CPUs
    shared: str
    locked: str
    title: str

    @property
    def key(self):
        return f"{self.operation} {self.whose}"


def read_rows(path):
    return [
        Row(operation, whose, int(fewest), float(factor), *marks, title)
        for operation, whose, fewest, factor, *marks, title in table.lines_of(path)
    ]


def read(results, console):
    """Returns {operation and CPU: [instructions, locked, shared]} of one machine. The figure of the
    other CPUs is their maximum."""
    names = {BOOT: "boot"} | qemu_plugin.told_names(console)
    found = {}
    for line in results.splitlines():
        _, number, cpu, instructions, locked, _, shared = line.split()
        times = 1 if number == BOOT else TIMES
        counts = [round(int(instructions) / times), round(int(locked) / times), int(shared)]
        key = f"{names[number]} {'first' if cpu == '0' else 'others'}"
        found[key] = [max(pair) for pair in zip(counts, found.get(key, counts))]
    return found


@contextlib.contextmanager
def _machines(boot, program, kernel_from):
    """Yields a function MACHINE(cpus, sizes, modules), which boots a machine and returns its
    counts. BOOT(cpus, memory, pool, modules, plugin) returns the console's text; if modules is not
    None, the program ends at once."""
    entry = f"entry={elf.entry(program):#x}"
    with qemu_plugin.compiled("cpus", kernel_from, entry) as (plugin, results):

        def machine(cpus, sizes, modules=None):
            console = boot(cpus, *sizes, modules, plugin)
            if not results.exists():
                raise NovaError("the count of CPUs is empty: the machine did not end.", EXIT_FAILED)
            return read(results.read_text(encoding="utf-8"), console)

        yield machine


def count_boot(boot, program, kernel_from):
    """Returns the kernel's instructions up to the roottask's first instruction, on one CPU."""
    with _machines(boot, program, kernel_from) as machine:
        return machine(1, SMALL, FEW)["boot first"][0]


def count(boot, program, kernel_from):
    """Returns the figures of all machines."""
    found = {}
    with _machines(boot, program, kernel_from) as machine:
        for cpus in NUMBERS:
            for key, counts in machine(cpus, SMALL).items():
                found.setdefault(key, {})[str(cpus)] = counts
            # The first CPU wakes the others one by one, so its figure is per woken CPU.
            if cpus > 2:
                counts = found["cpus_wake first"][str(cpus)]
                counts[:2] = [round(value / (cpus - 1)) for value in counts[:2]]
        small = found["boot first"]["1"]
        for key, sizes, modules in (
            ("boot_memory", LARGE_MEMORY, FEW),
            ("boot_pool", LARGE_POOL, FEW),
            ("boot_modules", SMALL, MANY),
        ):
            found[f"{key} first"] = {"1": small, MORE: machine(1, sizes, modules)["boot first"]}
    return found


def _bad_of_row(row, figures):
    base = figures.get(str(row.fewest))
    if not base or len(figures) < 2:
        yield f"{row.key}: not counted"
        return
    for number, (instructions, locked, shared) in figures.items():
        name = f"{row.key}, {number} CPUs" if number != MORE else row.key
        if (number == MORE or int(number) > row.fewest) and instructions > base[0] * row.factor:
            yield f"{name}: {instructions}, more than {row.factor:g} times {base[0]}"
        if row.locked == "no" and locked:
            yield f"{name}: {locked} locked instructions"
        if row.shared == "no" and shared:
            yield f"{name}: {shared} lines that CPUs share"
        if row.shared == "yes" and number != "1" and not shared:
            yield f"{name}: no shared line was found, so the plugin does not work"


def complaints(rows, found):
    """Returns a message for each figure above its limit in cpus.tsv."""
    return [bad for row in rows for bad in _bad_of_row(row, found.get(row.key, {}))]


def records(rows, found, published):
    """Returns the records of --json: each row with each number of CPUs, or on a larger machine
    ("more")."""
    return [
        {
            "key": row.key,
            "operation": row.title,
            "cpus": 1 if number == MORE else int(number),
            "larger": number == MORE,
            **dict(zip(COUNTS, counts)),
            "published": dict(zip(COUNTS, published.get(row.key, {}).get(number, ()))),
            "factor_bound": row.factor,
        }
        for row in rows
        for number, counts in found.get(row.key, {}).items()
    ]


def _tables(rows, found, arch):
    """Returns two tables of cells: the figures of each number of CPUs, and the figures of the start
    on a small and a larger machine."""
    title = f"instructions in the kernel ({arch})"
    cpus = [[title, "1 CPU", "2", "4", "locked", "shared lines"]]
    sizes = [[title, f"{SMALL[0]} MiB, pool of {SMALL[1]} MiB, one module", "more"]]
    for row in rows:
        figures = found.get(row.key, {})
        if MORE in figures:
            sizes.append([row.title, *(str(figures[name][0]) for name in ("1", MORE))])
        elif figures:
            instructions = [figures.get(str(number), [None])[0] for number in NUMBERS]
            # Locks and shared lines of the kernel's start do not slow down any operation.
            last = figures[str(NUMBERS[-1])][1:] if row.operation != "boot" else [None, None]
            cpus.append([row.title, *map(table.show, [*instructions, *last])])
    return cpus, sizes


def text(rows, found, arch):
    return "\n\n".join("\n".join(table.lines(cells)) for cells in _tables(rows, found, arch))


def write_page(page, rows, figures):
    """Returns the text of a page with the tables of one architecture between its two marks."""
    tables = _tables(rows, figures.get(table.SHOWN, {}), table.SHOWN)
    return table.replace_between(page, BEGIN, END, "\n\n".join(map(table.markdown, tables)))
