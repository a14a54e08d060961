# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench interference`: counts how much each hypercall of a PD with one CPU and a small
account costs other PDs. Plugins of QEMU count the kernel's instructions on the CPUs of the others,
and the longest stretch with interrupts off."""

import json
from dataclasses import dataclass
from pathlib import Path

from nova import build, process, qemu_plugin, table, tree
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.qemu import Machine
from nova.qemu_plugin import ICOUNT
from nova.runner import Runner

PROGRAM = "bench-interference"
ROWS = tree.ROOT / "tests" / "bench" / "interference.tsv"
FIGURES = tree.ROOT / "tests" / "bench" / "interference.json"
PAGE = tree.ROOT / "docs" / "promises.md"
BEGIN = "<!-- interference: written by nova bench interference --update -->"
END = "<!-- end of the interference -->"
CPUS = 3  # the attacker's, a thread's, a guest's
TIMEOUT = 120
FIELDS = ("stretch", "thread", "guest", "bytes", "events")
HEADS = (
    "a more urgent thread on its CPU waits at most",
    "a thread on another CPU",
    "a guest on another CPU",
    "another account, bytes",
    "the guest's events",
)
WIDTHS = {"x86_64": "x86-64", "x86_32": "x86-32"}


@dataclass
class Row:
    key: str
    limits: dict  # by field
    title: str


def read_rows(path=ROWS):
    rows = []
    for key, stretch, thread, guest, title in table.lines_of(path):
        limits = (int(stretch), int(thread), int(guest), 0, 0)
        rows.append(Row(key, dict(zip(FIELDS, limits)), title))
    return rows


def _numbers(console, word):
    """Returns the numbers of the lines `WORD KEY NUMBER`, by key."""
    rows = (line.split() for line in console.splitlines() if line.startswith(word + " "))
    return {key: int(number) for _, key, number in rows}


def read(console, cpus, runs):
    """Returns {key: {field: figure}} from the program's lines and the results of both plugins."""
    operations = qemu_plugin.told_names(console)
    marks = qemu_plugin.told_names(console, "mark")
    told = {word: _numbers(console, word) for word in ("times", "bytes", "events")}
    found = {key: dict.fromkeys(FIELDS, 0) for key in told["times"]}
    for line in cpus.splitlines():
        _, number, cpu, instructions, *_ = line.split()
        field = {"1": "thread", "2": "guest"}.get(cpu)
        key = operations.get(number)
        if key in found and field:
            found[key][field] = round(int(instructions) / told["times"][key])
    for line in runs.splitlines():
        _, number, length, *_ = line.split()
        if marks.get(number) in found:
            found[marks[number]]["stretch"] = int(length)
    for key, figures in found.items():
        figures.update((word, told[word][key]) for word in ("bytes", "events"))
    return found


def complaints(rows, found):
    """Returns a message for each figure above its limit or not counted, and for each operation
    without a row."""
    bad = [f"{key} has no row" for key in found if key not in {row.key for row in rows}]
    for row in rows:
        if row.key not in found:
            bad.append(f"{row.title}: not counted")
            continue
        for field, limit in row.limits.items():
            figure = found[row.key][field]
            if figure > limit:
                bad.append(f"{row.title}, {field}: {figure}, the limit is {limit}")
        if not found[row.key]["stretch"]:
            bad.append(f"{row.title}: the stretch was not counted")
    return bad


def cells(rows, found, arch):
    head = [f"the attacker repeats ({WIDTHS[arch]})", *HEADS]
    body = [[row.title, *(str(found[row.key][field]) for field in FIELDS)]
            for row in rows
            if row.key in found]
    return [head, *body]


def write_page(page, rows, figures):
    """Returns the text of a page with the table of the architecture that pages show."""
    shown = cells(rows, figures[table.SHOWN], table.SHOWN)
    return table.replace_between(page, BEGIN, END, table.markdown(shown))


def _boot(kernel, program, plugin, results):
    extra = [*ICOUNT, "-plugin", plugin]
    machine = Machine(kernel=kernel, modules=[str(program)], cpus=CPUS, extra=extra)
    runner = Runner(machine, TIMEOUT)
    runner.waiting = build.still_runs("the count of interference", TIMEOUT)
    outcome = runner.run()
    if not results.exists() or "not ok" in outcome.text():
        message = f"the count of interference did not end:\n{outcome.text()}"
        raise NovaError(message, EXIT_FAILED)
    return outcome.text(), results.read_text(encoding="utf-8")


def _count(kernel, program, kernel_from):
    with qemu_plugin.compiled("cpus", kernel_from) as (plugin, results):
        console, cpus = _boot(kernel, program, plugin, results)
    with qemu_plugin.compiled("runs", kernel_from) as (plugin, results):
        _, runs = _boot(kernel, program, plugin, results)
    return read(console, cpus, runs)


def run(args, kernel_from):
    """Counts and prints. Publishes the figures with --update."""
    process.die_with_parent()
    programs = Path(args.programs) if args.programs else None
    if not programs:
        preset = tree.preset_name(args.arch, "release")
        build.build(preset, ["nova.elf32", PROGRAM])
        programs = tree.build_dir(preset) / "bin"
    rows = read_rows()
    kernel = Path(args.kernel) if args.kernel else programs.parent / "nova.elf32"
    found = _count(kernel, programs / PROGRAM, kernel_from)
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(table.lines(cells(rows, found, args.arch))))
    bad = complaints(rows, found)
    for sentence in bad:
        build.say(f"above its limit: {sentence}")
    if bad:
        return EXIT_FAILED
    if args.update:
        figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
        figures[args.arch] = found
        FIGURES.write_text(table.dumps(figures), encoding="utf-8")
        page = write_page(PAGE.read_text(encoding="utf-8"), rows, figures)
        PAGE.write_text(page, encoding="utf-8")
    return EXIT_OK
