# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench interference`: counts what each hypercall of an attacker costs other PDs. The
attacker is a PD with one CPU and a small account. Plugins of QEMU count the kernel's instructions
on the CPUs of the other PDs, and the longest time in which the kernel lets no other thread run."""

import json
from dataclasses import dataclass
from pathlib import Path

from nova import bench_listing, build, process, qemu_plugin, table, tree
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.qemu import Machine, Module
from nova.qemu_plugin import ICOUNT
from nova.runner import Runner

PROGRAM = "bench-interference"
ROWS = tree.ROOT / "tests" / "bench" / "interference.tsv"
FIGURES = tree.ROOT / "tests" / "bench" / "interference.json"
PAGE = tree.ROOT / "docs" / "promises.md"
BEGIN = "<!-- interference: written by nova bench interference --update -->"
END = "<!-- end of the interference -->"
CPUS = 3  # one for the attacker, one for a thread, one for a guest
TIMEOUT = 400
NOTHING = "compute"  # the operation of an attacker that makes no hypercall
FIELDS = ("wait", "server", "thread", "busy", "guest", "receiver", "bytes", "events")
TOLD = FIELDS[-3:]  # the fields that the program prints
NONE = FIELDS[-2:]  # the fields that must be 0
# The kernel needs this much memory because the receiver's account is so large that no message
# exhausts it.
CMDLINE = "kmem=96M"
# Functions of the kernel that keep the CPU from other threads, with the plugin's option for each.
# keep: no other thread runs in the interrupt windows inside the function. next: no other thread
# runs in the first window after the function.
KEEPS = {
    "interrupt_window": "keep",
    "chain_end": "keep",
    "sched_catch_up_with_ends": "next",
}
HEADS = (
    "longest wait of a more urgent thread on its CPU",
    "longest wait of such a thread for a server that the attacker calls",
    "a thread on another CPU that computes",
    "a thread there that makes hypercalls",
    "a guest on another CPU",
    "the receiver's account, bytes for a message",
    "another account, bytes",
    "the guest's events",
)
DEVICES = ("-device", "amd-iommu,intremap=on", "-device", "edu")
WIDTHS = {"x86_64": "x86-64", "x86_32": "x86-32"}


@dataclass
class Row:
    key: str
    limits: dict  # limits by field
    title: str


def read_rows(path=ROWS):
    rows = []
    for key, *limits, title in table.lines_of(path):
        limits = (*map(int, limits), 0, 0)
        rows.append(Row(key, dict(zip(FIELDS, limits, strict=True)), title))
    return rows


def _numbers(console, word):
    """Returns the numbers of the lines `WORD KEY NUMBER`, by key."""
    rows = (line.split() for line in console.splitlines() if line.startswith(word + " "))
    return {key: int(number) for _, key, number in rows}


def _busy(console, cpus):
    """Returns, by key, how many instructions one execution of an operation adds to the busy
    thread's hypercalls. The operation NOTHING shows how many instructions a pair of hypercalls
    takes if nothing disturbs it."""
    operations = qemu_plugin.told_names(console)
    pairs, times = _numbers(console, "pairs"), _numbers(console, "times")
    rows = (line.split() for line in cpus.splitlines())
    counts = {operations.get(row[1]): int(row[3]) for row in rows if row[2] == "1"}
    if not pairs.get(NOTHING) or NOTHING not in counts:
        return {}
    pair = counts[NOTHING] / pairs[NOTHING]
    more = {key: counts[key] - pair * pairs[key] for key in pairs if counts.get(key)}
    return {key: max(0, round(number / times[key])) for key, number in more.items()}


def read(console, cpus, runs, busy=("", ""), server=""):
    """Returns {key: {field: figure}} from the program's lines and the results of both plugins.
    BUSY: lines and results of the boot in which the thread on the second CPU makes hypercalls.
    SERVER: lines of the boot in which a more urgent thread calls the attacker's server."""
    operations = qemu_plugin.told_names(console)
    marks = qemu_plugin.told_names(console, "mark")
    told = {word: _numbers(console, word) for word in ("times", *TOLD)}
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
            found[marks[number]]["wait"] = int(length)
    pairs, waits = _busy(*busy), _numbers(server, "server")
    for key, figures in found.items():
        figures["server"] = waits.get(key, 0)
        figures["busy"] = pairs.get(key)
        figures.update((word, told[word][key]) for word in TOLD)
    return found


def complaints(rows, found):
    """Returns a message for each figure that is above its limit or was not counted, and for each
    operation without a row."""
    bad = [f"{key} has no row" for key in found if key not in {row.key for row in rows}]
    for row in rows:
        if row.key not in found:
            bad.append(f"{row.title}: not counted")
            continue
        for field, limit in row.limits.items():
            figure = found[row.key][field]
            needed = field == "wait" or field in ("server", "receiver") and limit
            if figure is None or needed and not figure:
                bad.append(f"{row.title}, {field}: not counted")
            elif figure > limit:
                bad.append(f"{row.title}, {field}: {figure}, the limit is {limit}")
    return bad


def cells(rows, found, arch):
    """Returns the table: after each figure its limit, except after those that must be 0."""
    head = [f"the attacker repeats ({WIDTHS[arch]})"]
    for field, title in zip(FIELDS, HEADS):
        head += [f"{title} (limit 0)"] if field in NONE else [title, "limit"]
    body = []
    for row in rows:
        if row.key not in found:
            continue
        body.append([row.title])
        for field in FIELDS:
            body[-1].append(str(found[row.key][field]))
            body[-1] += [] if field in NONE else [str(row.limits[field])]
    return [head, *body]


def write_page(page, rows, figures):
    """Returns the text of a page with the table of the architecture that pages show."""
    shown = cells(rows, figures[table.SHOWN], table.SHOWN)
    return table.replace_between(page, BEGIN, END, table.markdown(shown))


def _boot(kernel, module, plugin=None, results=None):
    """Returns the program's lines, and the plugin's results."""
    extra = [*ICOUNT, *DEVICES, *(("-plugin", plugin) if plugin else ())]
    machine = Machine(kernel=kernel, modules=[module], cmdline=CMDLINE, cpus=CPUS, extra=extra)
    runner = Runner(machine, TIMEOUT)
    runner.waiting = build.still_runs("the count of interference", TIMEOUT)
    outcome = runner.run()
    text = outcome.text()
    if "not ok" in text or "\nok" not in text or results and not results.exists():
        raise NovaError(f"the count of interference did not end:\n{text}", EXIT_FAILED)
    return text, results.read_text(encoding="utf-8") if results else ""


def keep_options(listing):
    """Returns the options of the plugin `runs` for KEEPS, from the output of `nm -S`."""
    found = {}
    for line in listing.splitlines():
        match line.split():
            case [address, size, _, name] if name in KEEPS:
                found[name] = int(address, 16), int(size, 16)
    missing = set(KEEPS) - set(found)
    if missing:
        raise NovaError(f"the kernel has no function {min(missing)}.", EXIT_FAILED)
    return [
        f"{KEEPS[name]}={first:#x}-{first + size:#x}" for name, (first, size) in found.items()
    ]


def _count(kernel, program, kernel_from):
    listing = bench_listing.output("nm", "-S", bench_listing.with_symbols(kernel))
    with qemu_plugin.compiled("cpus", kernel_from) as (plugin, results):
        console, cpus = _boot(kernel, Module(program), plugin, results)
    with qemu_plugin.compiled("cpus", kernel_from) as (plugin, results):
        busy = _boot(kernel, Module(program, "busy=1"), plugin, results)
    server, _ = _boot(kernel, Module(program, "server=1"))
    keeps = keep_options(listing)
    with qemu_plugin.compiled("runs", kernel_from, *keeps) as (plugin, results):
        _, runs = _boot(kernel, Module(program), plugin, results)
    return read(console, cpus, runs, busy, server)


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
        build.say(sentence)
    if bad:
        return EXIT_FAILED
    if args.update:
        figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
        figures[args.arch] = found
        FIGURES.write_text(table.dumps(figures), encoding="utf-8")
        page = write_page(PAGE.read_text(encoding="utf-8"), rows, figures)
        PAGE.write_text(page, encoding="utf-8")
    return EXIT_OK
