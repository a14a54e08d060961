# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench enlightened`: counts the instructions that operations of a guest with the hypercall
interface need outside the guest, and Debian's start and work with and without the interface."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nova import bench_io, bench_linux, boot_list, build, process, qemu, qemu_plugin, tree
from nova.bench_alone import ARCH
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.runner import Runner

GUEST, FLUSHES = "bench-enlightened", "bench-flush"
LINUX, PLAIN = "enlightened-linux", "linux"
SMP, PLAIN_SMP = "enlightened-smp", "linux-smp"
ROWS = bench_io.FOLDER / "enlightened.tsv"
WORK = bench_io.FOLDER / "enlightened" / "work.c"
OVER = "the work is over"
WORK_SECTION = 1  # the section of the plugin's counts that WORK marks
NOTHING = "nothing"
OPERATIONS = (
    *("cpuid", "refused", "signal", "list_1", "list_201"),
    *("list_256", "set_128", "reads", "writes"),
    *("time_page", "time_msr", "time_port"),
    *("end_page", "end_msr", "end_memory", "timer", "apic_timer"),
)
# Calls with the maximum number of elements that the VMM performs at once.
STRETCHES = ("list_256", "set_128", "reads", "writes")
FLUSH_WAYS = ("calls", "interrupts")
ALL_DONE = "all guests halted"
TIMES = 1000
FURTHER = 200  # elements of list_201 beyond the first
TIMEOUT = 240


@dataclass
class Place:
    """Files that the boots share: the build, the plugin, a folder for its outputs, and the initrd
    with the program of WORK."""

    build: Path
    plugin: Path
    folder: Path
    initrd: Path

    def boot(self, system, words, done, cpus=1):
        """Boots a system. Returns the plugin's counts of each section."""
        results = self.folder / "results"
        results.unlink(missing_ok=True)
        modules = boot_list.read(boot_list.path(self.build, system))
        modules[0] = qemu.Module(modules[0].file, words)
        modules = [self._with_work(module) for module in modules]
        extra = bench_io.count_options(self.plugin, results)
        kernel = self.build / "nova.elf32"
        machine = qemu.Machine(kernel=kernel, modules=modules, cpus=cpus, extra=extra)
        runner = Runner(machine, TIMEOUT)
        runner.waiting = build.still_runs("the guest", TIMEOUT)
        console = runner.run().text()
        if done not in console.replace(words, "") or not results.exists():
            raise NovaError(f"the guest did not end ({words}):\n{console}", EXIT_FAILED)
        return bench_linux.read_sections(results.read_text(encoding="utf-8"))

    def _with_work(self, module):
        if Path(module.file).name != "initrd":
            return module
        return qemu.Module(str(self.initrd), module.arguments)

    def debian(self, system, word, cpus=1):
        """Boots Debian, which runs the program of WORK. Returns the counts of Debian's start and
        end, and the counts of the work."""
        found = self.boot(system, f"quiet run=work,{word}+poweroff,-f", OVER, cpus)
        if WORK_SECTION not in found:
            raise NovaError(f"Debian did no work ({word}).", EXIT_FAILED)
        return found[0], found[WORK_SECTION]


def each(counts, base, times):
    """Returns the cost of one execution: instructions outside and inside the guest, and exits."""
    return {
        "outside": round((counts["host"] - base["host"]) / times),
        "inside": round((counts["guest"] - base["guest"]) / times),
        "exits": round((counts["entries"] - base["entries"]) / times, 1),
    }


def outside(counts):
    """Returns the instructions outside the guest after its first entry."""
    return counts["host"] - counts["start"]


def work_figures(key, work):
    """Returns the figures of Debian's work. WORK: counts of the work, with and without the
    interface."""
    there = [outside(counts) for counts in work]
    if min(there) <= 0:
        raise NovaError(f"Debian did no work ({key}).", EXIT_FAILED)
    return {
        f"{key}_with": there[0],
        f"{key}_without": there[1],
        key: round(there[0] / there[1], 2),
    }


def flush_figures(flushes):
    """Returns the figures of flushes of three virtual processors."""
    calls, interrupts = (flushes[way] for way in FLUSH_WAYS)
    return {
        "flush_calls": calls["exits"],
        "flush_interrupts": interrupts["exits"],
        "flush": round(calls["exits"] / interrupts["exits"], 2),
        "flush_outside": round(calls["outside"] / interrupts["outside"], 2),
    }


def figures(one, debian):
    """Returns the figures of operations, by their names, and of Debian with and without the
    interface."""
    cpuid = one["cpuid"]["outside"]
    # The interrupt and its delivery are the same in all three cases.
    ended = {key: one[f"end_{key}"] for key in ("page", "msr", "memory")}
    by_page = ended["page"]["outside"]
    return {
        "cpuid": cpuid,
        "refused": round(one["refused"]["outside"] / cpuid, 2),
        "signal": round(one["signal"]["outside"] / cpuid, 2),
        "element": round((one["list_201"]["outside"] - one["list_1"]["outside"]) / FURTHER, 1),
        "stretch": max(one[name]["outside"] for name in STRETCHES),
        "time_page_exits": one["time_page"]["exits"],
        "time_page": one["time_page"]["inside"],
        "time_msr_exits": one["time_msr"]["exits"],
        "time_port_exits": one["time_port"]["exits"],
        "time_msr": one["time_msr"]["outside"],
        "time_port": one["time_port"]["outside"],
        "end_page_exits": round(1 + ended["page"]["exits"] - ended["msr"]["exits"], 1),
        "end_msr": round((ended["msr"]["outside"] - by_page) / cpuid, 2),
        "end_memory": ended["memory"]["outside"] - by_page,
        "timer": one["timer"]["outside"],
        "apic_timer": one["apic_timer"]["outside"],
        "timer_ratio": round(one["timer"]["outside"] / one["apic_timer"]["outside"], 2),
        "debian_exits": debian[0]["entries"],
        "debian_plain_exits": debian[1]["entries"],
        "debian": round(outside(debian[0]) / outside(debian[1]), 2),
    }


def _each(place, system, names, cpus=1):
    """Counts the operations of a guest in one boot. Returns the cost of each."""
    words = (NOTHING, *names)
    counts = place.boot(system, " ".join((str(TIMES), *words)), ALL_DONE, cpus)
    missing = [name for number, name in enumerate(words, 1) if number not in counts]
    if missing:
        raise NovaError(f"{system} did not do {', '.join(missing)}.", EXIT_FAILED)
    return {name: each(counts[number], counts[1], TIMES) for number, name in enumerate(names, 2)}


def _count(build_folder):
    with tempfile.TemporaryDirectory(prefix="nova-") as name:
        folder = Path(name)
        plugin = qemu_plugin.compile_plugin("guest", folder)
        initrd = bench_io.initrd_with(folder, "work", WORK)
        place = Place(Path(build_folder), plugin, folder, initrd)
        one = _each(place, GUEST, OPERATIONS)
        found = flush_figures(_each(place, FLUSHES, FLUSH_WAYS, 4))
        debian, sleeps = zip(*(place.debian(name, "sleeps") for name in (LINUX, PLAIN)))
        _, threads = zip(*(place.debian(name, "threads", 2) for name in (SMP, PLAIN_SMP)))
        found |= figures(one, debian) | work_figures("sleeps", sleeps)
        return found | work_figures("threads", threads), debian


def _print_exits(debian):
    for counts, what in zip(debian, ("with", "without")):
        head = f"Debian {what} the interface, by the reason of exits"
        print(f"\n{head:50}{'exits':>12}{'all':>12}")
        for exits in counts["exits"]:
            print(f"{exits.reason:50}{exits.times:>12}{exits.instructions:>12}")


def run(build_folder, as_json=False):
    """Counts and prints. BUILD_FOLDER: folder of kernel and guests; None: they are built."""
    process.die_with_parent()
    if not build_folder:
        preset = tree.preset_name(ARCH, "release")
        build.build(preset, ["nova.elf32", GUEST, FLUSHES, LINUX, PLAIN, SMP, PLAIN_SMP])
        build_folder = tree.build_dir(preset)
    rows = bench_io.read_rows(ROWS)
    found, debian = _count(build_folder)
    if as_json:
        print(json.dumps({"rows": bench_io.records(rows, found)}, indent=1))
    else:
        print(bench_io.text(rows, found, "a guest with the hypercall interface"))
        _print_exits(debian)
    bad = bench_io.complaints(rows, found)
    for sentence in bad:
        build.say(sentence)
    return EXIT_FAILED if bad else EXIT_OK
