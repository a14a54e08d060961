# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench enlightened`: counts the instructions that operations of a guest with the hypercall
interface need outside the guest, and Debian's start with and without the interface."""

import json
import tempfile
from pathlib import Path

from nova import bench_io, bench_linux, boot_list, build, process, qemu, qemu_plugin, tree
from nova.bench_alone import ARCH
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.qemu_plugin import ICOUNT
from nova.runner import Runner

GUEST = "bench-enlightened"
LINUX, PLAIN = "enlightened-linux", "linux"
ROWS = tree.ROOT / "tests" / "bench" / "enlightened.tsv"
NOTHING = "nothing"
OPERATIONS = (
    *("cpuid", "refused", "signal", "list_1", "list_201", "list_256"),
    *("time_page", "time_msr", "time_port"),
    *("end_page", "end_msr", "end_memory", "timer", "apic_timer"),
)
TIMES = 1000
FURTHER = 200  # elements of list_201 beyond the first
TIMEOUT = 240


def _boot(kernel, boot, words, plugin, results, done):
    """Boots with the plugin. Returns its counts."""
    modules = boot_list.read(boot)
    modules[0] = qemu.Module(modules[0].file, words)
    option = f"{plugin},out={results},from={bench_linux.KERNEL_FROM:#x}"
    extra = [*ICOUNT, "-plugin", option]
    machine = qemu.Machine(kernel=kernel, modules=modules, cpus=1, extra=extra)
    runner = Runner(machine, TIMEOUT)
    runner.waiting = build.still_runs("the guest", TIMEOUT)
    console = runner.run().text()
    if done not in console.replace(words, "") or not results.exists():
        raise NovaError(f"the guest did not end ({words}):\n{console}", EXIT_FAILED)
    return bench_linux.read(results.read_text(encoding="utf-8"))


def each(counts, base, times):
    """Returns the cost of one execution: instructions outside and inside the guest, and exits."""
    return {
        "outside": round((counts["host"] - base["host"]) / times),
        "inside": round((counts["guest"] - base["guest"]) / times),
        "exits": round((counts["entries"] - base["entries"]) / times, 1),
    }


def figures(one, debian, plain):
    """Returns the figures of operations, by their names, and of Debian."""
    cpuid = one["cpuid"]["outside"]
    # The interrupt and its delivery are the same in all three cases.
    ended = {key: one[f"end_{key}"] for key in ("page", "msr", "memory")}
    by_page = ended["page"]["outside"]
    outside = [counts["host"] - counts["start"] for counts in (debian, plain)]
    return {
        "cpuid": cpuid,
        "refused": round(one["refused"]["outside"] / cpuid, 2),
        "signal": round(one["signal"]["outside"] / cpuid, 2),
        "element": round((one["list_201"]["outside"] - one["list_1"]["outside"]) / FURTHER, 1),
        "stretch": one["list_256"]["outside"],
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
        "debian_exits": debian["entries"],
        "debian_plain_exits": plain["entries"],
        "debian": round(outside[0] / outside[1], 2),
    }


def _count(build_folder):
    kernel = Path(build_folder) / "nova.elf32"
    with tempfile.TemporaryDirectory(prefix="nova-") as place:
        folder = Path(place)
        plugin = qemu_plugin.compile_plugin("guest", folder)
        boot = boot_list.path(build_folder, GUEST)
        base = _boot(kernel, boot, f"{NOTHING} {TIMES}", plugin, folder / NOTHING, "it halted")
        one = {}
        for name in OPERATIONS:
            words = f"{name} {TIMES}"
            one[name] = each(
                _boot(kernel, boot, words, plugin, folder / name, "it halted"), base, TIMES
            )
        debian = [
            _boot(
                *(kernel, boot_list.path(build_folder, name), bench_linux.WORDS),
                *(plugin, folder / name, "ready"),
            )
            for name in (LINUX, PLAIN)
        ]
        return figures(one, *debian), debian


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
        build.build(preset, ["nova.elf32", GUEST, LINUX, PLAIN])
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
        build.say(f"above its limit: {sentence}")
    return EXIT_FAILED if bad else EXIT_OK
