# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench`: counts instructions, and bytes of objects and of the image, and compares the counts
with their limits."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from nova import (
    bench_cpus,
    bench_enlightened,
    bench_floor,
    bench_history,
    bench_interference,
    bench_io,
    bench_net,
    bench_linux,
    bench_listing,
    bench_options,
    bench_parts,
    bench_readme,
    bench_scale,
    bench_secure,
    bench_trace,
    build,
    elf,
    options,
    process,
    project,
    qemu,
    qemu_plugin,
    table,
    tree,
)
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.qemu import Machine, Module
from nova.qemu_plugin import ICOUNT
from nova.runner import Runner

FOLDER = tree.ROOT / "tests" / "bench"
ROWS = FOLDER / "rows.tsv"
FIGURES = FOLDER / "figures.json"
SCALE_ROWS = FOLDER / "scale.tsv"
SCALE_FIGURES = FOLDER / "scale.json"
FLOORS = FOLDER / "floor.tsv"
TRACE_LIMITS = FOLDER / "trace.tsv"
HISTORY = FOLDER / "history.tsv"
CPUS_ROWS = FOLDER / "cpus.tsv"
CPUS_FIGURES = FOLDER / "cpus.json"
PAGE = tree.ROOT / "docs" / "performance.md"
OWN = f"`Counting in a program of your own` in {tree.ROOT}/docs/performance.md"
PLOTS = tree.ROOT / "docs" / bench_history.FOLDER
CONFIG = "release"
KERNEL = "nova.elf32"
TIMEOUT = 120
DEFAULT_ARCH = "x86_64"
# Two sizes of the kernel's pool in MiB; the size of an object follows from the number of further
# objects that the second pool holds.
POOLS = (4, 8)
# Number of boots whose mean is the trace.
TRACE_BOOTS = 4
PROGRAMS = ("bench", "bench-memory", "bench-windows", bench_scale.PROGRAM, bench_cpus.PROGRAM)
# Start of the kernel's half of the address space.
KERNEL_FROM = {"x86_64": 0xFFFF800000000000, "x86_32": 0xC0000000}
SECTIONS = (".boot", ".text", ".rodata", ".data", ".bss")

# The key in figures.json under which the conditions of each table are kept, and the page's marks
# for them.
COUNTED = "counted with"
COUNTED_BEGIN = "<!-- counted with: written by nova bench --update -->"
COUNTED_END = "<!-- end of counted with -->"

DESCRIPTION = """\
Counts instructions per operation on the release kernel (QEMU's -icount, one CPU),
bytes of kernel memory per object and bytes of the image, and compares them with
their limits in tests/bench/rows.tsv.

Exit status: 0 if no figure is above its limit or below its floor, and all were
counted, else 1; 2 for wrong usage. docs/performance.md has a table of the
limits of --trace, --scale, --cpus, linux and io, docs/promises.md a table of the
limits of interference."""


def add_parser(commands):
    parser = commands.add_parser(
        "bench",
        prog="nova bench",
        help="count instructions per operation",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage=f"nova bench [OPTION…] [{'|'.join(bench_options.WHATS)}]",
    )
    parser.add_argument(
        "what",
        nargs="?",
        metavar="|".join(bench_options.WHATS),
        help="linux: count the example linux up to its shell instead, and its kernel without NOVA; "
        "io: count reads from a disk, from a file and by a guest instead, and those of Debian's "
        "kernel; net: count frames over a switch, and datagrams and a stream over two cards "
        "instead, and those of Debian's kernel; enlightened: count a guest with the hypercall "
        "interface instead, and Debian with and without it; secure: count a secure guest instead, "
        "and Debian as a secure and as a normal guest; interference: count what a PD costs "
        "others by each hypercall instead",
    )
    parser.add_argument("--arch", choices=tree.ARCHES, help=f"architecture ({DEFAULT_ARCH})")
    parser.add_argument(
        "--kernel",
        metavar="FILE",
        help="count on this kernel instead: the file for QEMU, such as a build folder's nova.elf32",
    )
    parser.add_argument(
        "--trace",
        nargs="?",
        const=bench_options.ALL,
        metavar="KEY",
        help="count costs that instructions hide instead (locked ones, loads of CR3, cache "
        "lines …); with the KEY of a row: every instruction of that operation, and how many "
        "belong to each function; with KEY,KEY…: the same for each, in one boot. All counts are "
        "of one sample: the first one with the median of instructions",
    )
    parser.add_argument(
        "--summary", action="store_true", help="with --trace KEY: only the functions"
    )
    parser.add_argument(
        "--mitigations",
        choices=("off", "auto", "full"),
        help="count the operations, or trace one, with this option of the kernel; there are no "
        "limits then",
    )
    parser.add_argument(
        "--scale",
        action="store_true",
        help="count operations beside 1, 10, 1,000 and 100,000 objects of a kind instead",
    )
    parser.add_argument(
        "--cpus",
        action="store_true",
        help="count operations of several CPUs at one time or on each other, and the boot, instead",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--update",
        action="store_true",
        help="publish this build's figures: write tests/bench/figures.json and the pages",
    )
    parser.add_argument(
        "--release",
        metavar="NAME",
        help="count, and keep the figures as those of a release",
    )
    # For tests of a build, which already has the programs.
    parser.add_argument("--programs", metavar="FOLDER", help=options.HIDDEN)
    parser.set_defaults(function=run)


def _machine(kernel, program, **more):
    return Machine(kernel=kernel, modules=[str(program)], cpus=1, **more)


def _console(machine, what, all_needed=True, timeout=TIMEOUT):
    runner = Runner(machine, timeout)
    runner.waiting = build.still_runs(what, timeout)
    outcome = runner.run()
    text = outcome.text()
    if outcome.status != EXIT_OK and all_needed:
        sys.stderr.write(text if text.endswith("\n") or not text else text + "\n")
        why = outcome.message or f"the system ended with status {outcome.value}."
        raise bench_parts.Unfinished(f"{what} failed: {why}{_other_arch(machine)}", text)
    return text


def _other_arch(machine):
    """Returns a question to follow a failure if kernel and program seem to be for different CPUs.
    """
    arch = elf.kernel_arch(machine.kernel)
    fits = arch in (None, elf.program_arch(Path(machine.modules[0].file)))
    return "" if fits else f" Do you mean --arch {arch}?"


def _count_operations(args, kernel, programs, boot, what, plugin=()):
    """Returns the console of one of several boots. Each boot has a machine with a longer serial
    number, so the firmware takes longer and the kernel starts later. The shapes of the kernel's
    trees depend on the start time."""
    serial = "x" * 8 * (boot + 1)
    extra = [*ICOUNT, "-smbios", f"type=1,serial={serial}", *plugin]
    more = {"cmdline": f"serial mitigations={args.mitigations}"} if args.mitigations else {}
    return _console(_machine(kernel, programs / "bench", extra=extra, **more), what)


def _memory(kernel, programs):
    """Returns the bytes of each object. Raises Unfinished if the kernel stops when its memory is
    used up."""
    program = programs / "bench-memory"

    def numbers(size):
        machine = _machine(kernel, program, cmdline=f"kmem={size}M", extra=ICOUNT)
        return bench_parts.values(_console(machine, "the count"), "count")

    small, large = map(numbers, POOLS)
    extra = (POOLS[1] - POOLS[0]) << 20
    found = {key: extra / (large[key] - small[key]) for key in large if large[key] > small[key]}
    if "ec_and_sc" in found:
        found["sc"] = found.pop("ec_and_sc") - found["ec"]
    return {f"memory_{key}": round(value) for key, value in found.items()}


def _count_runs(kernel, program, arch, what, timeout=TIMEOUT, **more):
    """Returns the console of a program, and the plugin's output about stretches with interrupts
    off."""
    with qemu_plugin.compiled("runs", KERNEL_FROM[arch]) as (plugin, results):
        machine = _machine(kernel, program, extra=[*ICOUNT, "-plugin", plugin], **more)
        return _console(machine, what, timeout=timeout), results.read_text(encoding="utf-8")


def _interrupts_off(kernel, programs, arch):
    """Returns the longest stretch of each operation; the program numbers them, the plugin measures
    them."""
    console, runs = _count_runs(kernel, programs / "bench-windows", arch, "the count of stretches")
    names = qemu_plugin.told_names(console, "mark")
    found = {}
    for line in runs.splitlines():
        _, number, length, *_ = line.split()
        if number in names:
            found[names[number]] = int(length)
    return found


def _image(kernel):
    sizes = elf.section_sizes(kernel)
    return {"image_" + name[1:]: sizes[name] for name in SECTIONS if name in sizes}


@contextlib.contextmanager
def _short_names(kernel, programs):
    """Enters a temporary folder in which the files have equal names for every kernel. The kernel
    reads the files' paths at boot, and the length of a path affects all later figures."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        files = {KERNEL: kernel} | {name: programs / name for name in PROGRAMS}
        for name, file in files.items():
            (Path(folder) / name).symlink_to(file.resolve())
        os.chdir(folder)
        try:
            yield Path(KERNEL), Path()
        finally:
            os.chdir(before)


@contextlib.contextmanager
def _built(args):
    """Yields the kernel and the folder of the programs, built unless the arguments name them."""
    if args.programs:
        programs = Path(args.programs)
    else:
        preset = tree.preset_name(args.arch, CONFIG)
        build.build(preset, [KERNEL, *PROGRAMS])
        programs = tree.build_dir(preset) / "bin"
    kernel = Path(args.kernel or programs.parent / KERNEL)
    with _short_names(kernel, programs) as names:
        yield names


def _count_table(args, rows):
    """Returns the figures of all rows, and whether all counts ended well."""
    with _built(args) as (kernel, programs):
        found, complete = _figures(args, rows, kernel, programs)
    unknown = set(found) - {row.key for row in rows}
    if unknown:
        raise NovaError(f"tests/bench/rows.tsv lacks {', '.join(sorted(unknown))}.", EXIT_FAILED)
    return found, complete


def _figures(args, rows, kernel, programs):

    def one_boot(boot):
        return _count_operations(args, kernel, programs, boot, "the benchmark")

    if args.mitigations:
        return bench_parts.operations(rows, one_boot), True
    machine = _cpus_machine(args, kernel, programs)
    counts = (
        lambda: bench_parts.operations(rows, one_boot),
        lambda: _image(kernel),
        lambda: _memory(kernel, programs),
        lambda: {"boot": bench_cpus.count_boot(*machine)},
        lambda: _interrupts_off(kernel, programs, args.arch),
    )
    return bench_parts.count(_is_own_kernel(args), counts)


def _read_figures(path=None):
    path = path or FIGURES
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _traces(args, rows):
    """Returns the counts of --trace, and the text of the requested operations or None."""
    with _built(args) as (kernel, programs):

        def run_with(boot):
            return lambda plugin: _count_operations(
                args, kernel, programs, boot, "the trace", ["-plugin", plugin]
            )

        boots = 1 if args.trace is not bench_options.ALL else TRACE_BOOTS
        counts, paths = bench_trace.combine(
            [bench_trace.count(run_with(boot), KERNEL_FROM[args.arch]) for boot in range(boots)]
        )
        if args.trace is bench_options.ALL:
            return counts, None
        keys = args.trace.split(bench_options.COMMA)
        for key in keys:
            if key not in paths:
                raise bench_options.no_trace(key, paths)
        chosen = {key: paths[key] for key in keys}
        linked = bench_listing.with_symbols(kernel)
        return counts, bench_listing.paths_text(chosen, linked, args.summary)


def _is_own_kernel(args):
    return not args.kernel or bool(args.programs)


def page_with(page, rows, figures):
    """Returns the text of the page with the tables of these figures, and of the figures that have a
    file of their own."""
    model = bench_floor.read(FLOORS)
    page = table.write_page(page, rows, figures, model.floor)
    counted = [["table", "architecture", "counted with"]]
    for name, builds in figures.get(COUNTED, {}).items():
        counted += [[f"`nova bench{name}`", arch, built] for arch, built in builds.items()]
    shown = table.markdown(counted, texts=3)
    page = table.replace_between(page, COUNTED_BEGIN, COUNTED_END, shown)
    page = bench_floor.write_page(page, rows, model, figures)
    page = bench_trace.write_page(page, rows, figures)
    subjects = bench_scale.read_subjects(SCALE_ROWS)
    bound = stretch_bound(rows)
    page = bench_scale.write_page(page, *subjects, bound, _read_figures(SCALE_FIGURES))
    page = bench_cpus.write_page(page, bench_cpus.read_rows(CPUS_ROWS), _read_figures(CPUS_FIGURES))
    return bench_secure.write_page(page, _read_figures(bench_secure.FIGURES))


def _write_page(rows, figures):
    page = page_with(PAGE.read_text(encoding="utf-8"), rows, figures)
    PAGE.write_text(page, encoding="utf-8")
    bench_readme.write(figures)


def _show(args, records, text):
    """Prints the figures. A test prints only those above their limits."""
    if args.json:
        print(json.dumps(records, indent=2))
    elif not args.programs:
        print(text)


def _first_line(*command):
    """Returns the first line of a command's output, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0] if not done.returncode else ""


def _this_build():
    """Returns the conditions of the figures: the commit, the compiler and the emulator."""
    describe = ("git", "-C", str(tree.ROOT), "describe", "--always", "--dirty=, changed")
    parts = (_first_line(*describe), _first_line("gcc", "--version"),
             _first_line(qemu.PROGRAM, "--version"))
    return "; ".join(part for part in parts if part)


def _end(args, option, bad, write):
    """Reports BAD, a sentence for each figure, and returns the exit status. With --update, WRITE
    publishes this build's figures, even above their limits."""
    for sentence in bad:
        build.say(sentence)
    if args.update:
        figures = _read_figures()
        figures.setdefault(COUNTED, {}).setdefault(option, {})[args.arch] = _this_build()
        write(figures)
    return EXIT_FAILED if bad else EXIT_OK


def _run_trace(args, rows):
    counts, more = _traces(args, rows)
    if args.trace is not bench_options.ALL:
        print(more)
        return EXIT_OK
    limits = bench_trace.read_limits(TRACE_LIMITS)
    published = _read_figures().get(bench_trace.SECTION, {}).get(args.arch, {})
    records = bench_trace.records(rows, published, limits, counts)
    _show(args, records, bench_trace.text(rows, counts, args.arch))
    if not _is_own_kernel(args):
        limits = {key: most for key, most in limits.items() if key in counts}

    def write(figures):
        # numbers[0], the instructions, is in the table of `nova bench` without --trace.
        found = {key: numbers[1:] for key, numbers in counts.items()}
        figures.setdefault(bench_trace.SECTION, {})[args.arch] = found
        _write_figures(rows, figures)

    return _end(args, " --trace", bench_trace.complaints(rows, limits, counts), write)


def _count_scale(args):
    """Counts figures and stretches in one run: the plugin does not affect the clock, which counts
    instructions."""
    more = {"cmdline": f"kmem={bench_scale.POOL}M", "memory": bench_scale.MEMORY}
    with _built(args) as (kernel, programs):
        console, runs = _count_runs(kernel, programs / bench_scale.PROGRAM, args.arch,
                                    "the count beside many objects", bench_scale.TIMEOUT, **more)
    found = bench_scale.read(console)
    return {**found, bench_scale.STRETCHES: bench_scale.read_stretches(runs)}


def stretch_bound(rows):
    """Returns the kernel's promised maximum of instructions with interrupts off."""
    return max(row.limit for row in rows if row.unit == table.OFF)


def _run_scale(args, rows):
    things, operations = bench_scale.read_subjects(SCALE_ROWS)
    bound = stretch_bound(rows)
    found = _count_scale(args)
    published = _read_figures(SCALE_FIGURES).get(args.arch, {})
    records = bench_scale.records(things, operations, found, published, bound)
    _show(args, records, bench_scale.text(things, operations, found, bound, args.arch))
    bad = bench_scale.complaints(things, operations, found, bound)
    return _end(args, " --scale", bad, partial(_update_file, SCALE_FIGURES, rows, args.arch, found))


def _cpus_machine(args, kernel, programs):
    """Returns the function that boots a machine whose CPUs are counted, the program, and the
    address at which the kernel begins."""
    program = programs / bench_cpus.PROGRAM

    def boot(cpus, memory, pool, more_modules, plugin):
        starts_only = more_modules is not None
        # No area of cases has this name, so the program ends at once.
        modules = [Module(str(program), "area=none" if starts_only else "")]
        modules += [Module(str(program))] * (more_modules or 0)
        extra = [*ICOUNT, "-plugin", plugin]
        sizes = {"memory": memory, "cmdline": f"kmem={pool}M"}
        machine = Machine(kernel=kernel, modules=modules, cpus=cpus, extra=extra, **sizes)
        return _console(machine, "the count of CPUs", all_needed=not starts_only)

    return boot, program, KERNEL_FROM[args.arch]


def _run_cpus(args, rows):
    cpus_rows = bench_cpus.read_rows(CPUS_ROWS)
    with _built(args) as (kernel, programs):
        found = bench_cpus.count(*_cpus_machine(args, kernel, programs))
    published = _read_figures(CPUS_FIGURES).get(args.arch, {})
    records = bench_cpus.records(cpus_rows, found, published)
    _show(args, records, bench_cpus.text(cpus_rows, found, args.arch))
    bad = bench_cpus.complaints(cpus_rows, found)
    write = partial(_update_file, CPUS_FIGURES, rows, args.arch, found, levels=2)
    return _end(args, " --cpus", bad, write)


def _run_secure(args, rows, folder):
    secure_rows, found = bench_io.read_rows(bench_secure.ROWS), bench_secure.count(folder)
    records = {"command_line": bench_secure.WORDS, "rows": bench_secure.records(secure_rows, found)}
    _show(args, records, bench_secure.text(secure_rows, found))
    bad = bench_io.complaints(secure_rows, found)
    write = partial(_update_file, bench_secure.FIGURES, rows, args.arch, found, levels=2)
    return _end(args, " secure", bad, write)


def _write_figures(rows, figures):
    """Publishes FIGURES, which contain more than one table, with the page."""
    FIGURES.write_text(table.dumps(figures), encoding="utf-8")
    _write_page(rows, figures)
    _write_plots()


def _update_file(path, rows, arch, found, figures, levels=3):
    """Publishes FOUND in a file of its own, and its conditions in FIGURES."""
    of_file = _read_figures(path)
    of_file[arch] = found
    path.write_text(table.dumps(of_file, levels), encoding="utf-8")
    _write_figures(rows, figures)


def _update(rows, arch, found, figures):
    figures[arch] = {row.key: found[row.key] for row in rows if row.key in found}
    _write_figures(rows, figures)


def all_plots():
    """Returns {file: text} of the plots of all releases and of the published figures."""
    found = bench_history.plots(HISTORY, _read_figures()[bench_history.ARCH])
    found |= bench_secure.plots(_read_figures(bench_secure.FIGURES))
    return {PLOTS / name: text for name, text in found.items()}


def _write_plots():
    for path, plot in all_plots().items():
        path.write_text(plot, encoding="utf-8")


def _run_release(args, rows):
    names = bench_history.read(HISTORY)[0]
    bench_history.check_name(args.release, names)
    found = _count_table(args, rows)[0]
    again = names[-1] == args.release
    what = "replacing the figures of" if again else "adding this build's figures as"
    where = f"{HISTORY.relative_to(tree.ROOT)} and to {PLOTS.relative_to(tree.ROOT)}/*.svg"
    build.say(f"{what} {args.release}: written to {where}")
    text = bench_history.with_release(HISTORY, args.release, found)
    HISTORY.write_text(text, encoding="utf-8")
    _write_plots()
    return EXIT_OK


def complaints(rows, arch, found, all_needed):
    """Returns a message for each figure that is above its limit, or was not counted."""
    bad = []
    for row in rows:
        figure, limit = found.get(row.key), row.limit_for(arch)
        if figure is None and all_needed:
            bad.append(f"{row}: not counted")
        elif figure is not None and figure > limit:
            bad.append(f"{row}: {figure} {row.unit}, the limit is {limit}")
    return bad


def _compare(args, rows, found):
    """Reports figures above their limits and how to find the cause, and returns the exit status."""
    bad = complaints(rows, args.arch, found, _is_own_kernel(args))
    below = bench_floor.complaints(bench_floor.read(FLOORS), found, args.arch)
    for sentence in below:
        build.say(sentence)
    status = _end(args, "", bad, partial(_update, rows, args.arch, found))
    if bad:
        command = f"nova bench --arch {args.arch} --trace KEY"
        build.say(f"{command} lists the instructions of an operation")
    return EXIT_FAILED if below else status


def _warn_of_project():
    """Reports, in a project, that the figures are those of NOVA's kernel, because users might
    expect figures of the project."""
    if project.here(foreign_too=False):
        build.say(f"this counts NOVA's kernel, not the project here; {OWN} describes how to count "
                  "the instructions of a program")


def run(args):
    rows = table.read_rows(ROWS)
    traced = _read_figures().get(bench_trace.SECTION, {}).get(DEFAULT_ARCH, {})
    bench_options.check(args, [row.key for row in rows], traced)
    args.arch = args.arch or DEFAULT_ARCH
    if args.what == "interference":
        return bench_interference.run(args, KERNEL_FROM[args.arch])
    if args.what:
        folder = Path(args.programs).parent if args.programs else None
        if args.what == "linux":
            return bench_linux.run(folder)
        if args.what == "secure":
            return _run_secure(args, rows, folder)
        counts = {"io": bench_io, "net": bench_net, "enlightened": bench_enlightened}
        return counts[args.what].run(folder, args.json)
    process.die_with_parent()
    _warn_of_project()
    if args.release is not None:
        return _run_release(args, rows)
    if args.trace is not None:
        return _run_trace(args, rows)
    if args.scale:
        return _run_scale(args, rows)
    if args.cpus:
        return _run_cpus(args, rows)
    found, complete = _count_table(args, rows)
    published = _read_figures().get(args.arch, {})
    records = table.records(rows, published, found)
    records = bench_floor.add_to_records(records, bench_floor.read(FLOORS), args.arch)
    _show(args, records, table.text(rows, published, found, args.arch))
    if args.mitigations:
        return EXIT_OK
    status = _compare(args, rows, found)
    return status if complete else EXIT_FAILED
