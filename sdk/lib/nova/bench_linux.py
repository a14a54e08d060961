# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench linux`: counts the instructions of the example linux until its guest's shell has
answered, and the instructions of the guest's kernel without NOVA."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from nova import bench_alone, boot_list, build, guest, process, qemu, qemu_plugin, tree
from nova.bench_alone import ARCH
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.qemu_plugin import ICOUNT
from nova.runner import Runner

TIMEOUT = 240
# The guest's memory in the example.
MEMORY = 112
# Words of the command line of both kernels, which test their cryptography, unlike the kernels of
# the examples.
WORDS = "quiet cryptomgr.notests=0 run=echo,ready+poweroff,-f"
# Permitted factor over the instructions of the kernel alone.
MOST = 1.08
KERNEL_FROM = 0xFFFF800000000000
# The plugin's name for an exit whose code it did not see.
UNKNOWN = 0x4FF
UNSEEN = "not seen"
HYPERCALL = "hypercall"
# SVM's codes of exits (APM 2, C) that occur in these guests.
REASONS = {
    **{code: f"write of CR{code - 0x10}" for code in range(0x10, 0x20)},
    **{code: f"read of CR{code}" for code in range(0x10)},
    **{code: f"read of DR{code - 0x20}" for code in range(0x20, 0x30)},
    **{code: f"write of DR{code - 0x30}" for code in range(0x30, 0x40)},
    **{code: f"exception {code - 0x40}" for code in range(0x40, 0x60)},
    0x60: "interrupt of the machine",
    0x64: "interrupt window",
    0x72: "CPUID",
    0x78: "HLT",
    0x7B: "port",
    0x7C: "MSR",
    0x81: HYPERCALL,
    0x89: "WBINVD",
    0x400: "nested page fault",
}


@dataclass
class Exits:
    """Exits for one reason."""

    reason: str
    times: int
    instructions: int

    def each(self):
        return round(self.instructions / self.times)


def _counts(results, console, what):
    """Returns the plugin's output, if the guest's shell answered."""
    if "ready" not in console.replace(WORDS, "") or not results.exists():
        raise NovaError(f"{what} did not reach its shell:\n{console}", EXIT_FAILED)
    return read(results.read_text(encoding="utf-8"))


def read(text):
    """Parses the plugin's output for a system without marks."""
    return read_sections(text)[0]


def read_sections(text):
    """Parses the plugin's output: for each section its counts by name, and the exits by reason, the
    most expensive first. Raises NovaError if the parts do not sum up to the whole."""
    found = {}
    for line in text.splitlines():
        word, *fields = line.split()
        if word == "exit":
            found[number]["exits"].append(_exits(*fields))
        elif word == "section":
            number = int(fields[0])
            found[number] = dict(zip(fields[1::2], map(int, fields[2::2]))) | {"exits": []}
    _check_sums(found.values())
    for counts in found.values():
        counts["exits"].sort(key=lambda one: -one.instructions)
    return found


def _exits(code, times, instructions):
    reason = REASONS.get(int(code, 16), f"exit {code}")
    reason = UNSEEN if int(code, 16) == UNKNOWN else reason
    return Exits(reason, int(times), int(instructions))


def _check_sums(sections):
    """Checks the sums of all sections together, because an exit can begin in one section and end in
    another one."""
    exits = [one for counts in sections for one in counts["exits"]]
    entries, start, host = (
        sum(counts[name] for counts in sections) for name in ("entries", "start", "host")
    )
    if sum(one.times for one in exits) != entries:
        raise NovaError("the numbers of guest exits and entries differ.", EXIT_FAILED)
    if exits and start + sum(one.instructions for one in exits) != host:
        raise NovaError("start-up and exits do not sum up to the host's instructions.", EXIT_FAILED)


def _with_nova(kernel, boot, plugin, folder):
    results = folder / "with"
    modules = boot_list.read(boot)
    modules[0] = qemu.Module(modules[0].file, WORDS)
    extra = [*ICOUNT, "-plugin", f"{plugin},out={results},from={KERNEL_FROM:#x}"]
    machine = qemu.Machine(kernel=kernel, modules=modules, cpus=1, extra=extra)
    runner = Runner(machine, TIMEOUT)
    runner.waiting = build.still_runs("the guest", TIMEOUT)
    return _counts(results, runner.run().text(), "the guest")


def _alone(plugin, folder):
    what, results = "the kernel alone", folder / "alone"
    initrd = guest.file(f"{guest.PREFIX}{ARCH}/initrd")
    extra = [*ICOUNT, "-plugin", f"{plugin},out={results}"]
    text = bench_alone.boot(what, WORDS, initrd, MEMORY, TIMEOUT, extra)
    return _counts(results, text, what)


def figures(with_nova, alone):
    """Returns {name: value} from the two counts."""
    host, inside = with_nova["host"], with_nova["guest"]
    if not with_nova["entries"] or not alone["host"]:
        raise NovaError("no guest was entered, or nothing was counted.", EXIT_FAILED)
    exits = with_nova["entries"]
    return {
        "exits": exits,
        "instructions before the first entry": with_nova["start"],
        "host instructions per exit after it": round((host - with_nova["start"]) / exits),
        "per cent of them outside the guest": round(100 * host / (host + inside), 1),
        "instructions in millions": round((host + inside) / 1e6),
        "of the kernel alone": round(alone["host"] / 1e6),
        "ratio": round((host + inside) / alone["host"], 3),
    }


def run(build_folder):
    """Counts and prints. BUILD_FOLDER: folder of kernel and example; None: they are built."""
    process.die_with_parent()
    if not build_folder:
        preset = tree.preset_name(ARCH, "release")
        build.build(preset, ["nova.elf32", "linux"])
        build_folder = tree.build_dir(preset)
    folder = Path(build_folder)
    with tempfile.TemporaryDirectory(prefix="nova-") as place:
        plugin = qemu_plugin.compile_plugin("guest", place)
        with_nova = _with_nova(
            folder / "nova.elf32", folder / "boot/linux.boot", plugin, Path(place)
        )
        found = figures(with_nova, _alone(plugin, Path(place)))
    for name, value in found.items():
        print(f"{name:40}{value:>12}")
    print(f"\n{'host instructions by the reason of exits':40}{'exits':>12}{'all':>12}{'each':>12}")
    for one in with_nova["exits"]:
        print(f"{one.reason:40}{one.times:>12}{one.instructions:>12}{one.each():>12}")
    if any(one.reason == UNSEEN for one in with_nova["exits"]):
        build.say("the reason of some exits is unknown: this QEMU or this kernel hides it")
        return EXIT_FAILED
    if found["ratio"] > MOST:
        build.say(f"worse: {found['ratio']} times the instructions, above {MOST}")
        return EXIT_FAILED
    return EXIT_OK
