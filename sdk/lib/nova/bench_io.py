# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench io`: counts the instructions that all programs and the kernel execute for reads: from
a disk, of a file in the cache, of a file on a disk, and by a guest with its monitor. For the reads
from a disk it also counts the instructions of Debian's kernel on a device of the same kind."""

import json
import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nova import (
    bench_alone,
    bench_linux,
    boot_list,
    build,
    disk,
    guest,
    process,
    qemu,
    qemu_plugin,
    table,
    tools,
    tree,
)
from nova.bench_alone import ARCH
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.runner import Runner

SYSTEM = "bench-io"
FILES = "bench-files"
RANDOM = "bench-random"
# The systems of guests: key of the rows, and the monitor.
GUESTS = {"linux-disk": ("guest", "linux"), "bench-guest": ("enlightened", "bench-guest-monitor")}
FOLDER = tree.ROOT / "tests" / "bench"
ROWS = FOLDER / "io.tsv"
SOURCE = FOLDER / "io" / "linux.c"
NUMBERS = (1, 2, 4)
# IO_MANY and the numbers of the operations in tests/bench/io/io.h.
MANY = 2048
ALONE_OP, MANY_OP, URING_OP, ROW_OP = "1", "2", "4", "5"
AGAIN_OP, OTHER_OP, VIEW_OP, RANDOM_OP = "6", "7", "8", "9"
GUEST_OPS = (ALONE_OP, MANY_OP, URING_OP, ROW_OP)
# Parts of 4 KiB in a read of a file.
PARTS = 16
# Sizes in bytes: of a page, of the file of random reads, and of the disk with this file.
PAGE, FILE_BYTES, DISK_BYTES = 4096, 64 << 20, 72 << 20
TIMEOUT = 240
# One tick of the TSC is one instruction. While no CPU runs, the TSC follows the host's time.
# Otherwise a request would exceed the driver's time limit before QEMU's threads complete it.
ICOUNT = ["-icount", "shift=0,sleep=on"]
# These options are for a machine that waits for nothing outside itself. The clock of an idle CPU
# jumps to its next timer, and date, time and random numbers do not come from the host. So each run
# executes the same instructions, regardless of the load of the host.
ICOUNT_CLOSED = ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1"]
MEMORY = 256
# Memory in MiB of the machine whose NOVA runs the guest; the guest has 224 MiB.
MEMORY_GUEST = 512
# A disk without contents, which completes a read at once. It has one queue.
DISK = [
    *("-blockdev", "driver=null-co,node-name=d,size=67108864,read-zeroes=on"),
    *("-device", "virtio-blk-pci,drive=d,disable-legacy=on,num-queues=1"),
]
# Words of the command line of Debian's kernel. With mitigations off, Debian does no work that NOVA
# does not do, too.
WORDS = "mitigations=off cryptomgr.notests quiet run=io+poweroff,-f"
FLAGS = (
    "-O2 -static -nostdlib -ffreestanding -fno-tree-loop-distribute-patterns -fno-pie -no-pie "
    "-fno-stack-protector -mgeneral-regs-only"
).split()
DONE = "clients that have read"
MEMORY_LINE = re.compile(r"memory of the driver: (\d+) bytes and (\d+) of the kernel")


@dataclass
class Row:
    key: str
    limit: float
    goal: float  # goal of the project, or None
    title: str


@dataclass
class Count:
    """One operation: number of executions, all their instructions, and the median and minimum of
    one execution."""

    times: int
    programs: int
    kernel: int
    median: int
    least: int

    def all(self):
        return self.programs + self.kernel


def read_rows(path):
    return [
        Row(key, float(limit), None if goal == "-" else float(goal), title)
        for key, limit, goal, title in table.lines_of(path)
    ]


def read(text):
    """Parses the plugin's output: a Count by the number of its operation."""
    lines = [line.split() for line in text.splitlines() if line.startswith("count ")]
    return {number: Count(*map(int, counts)) for _, number, *counts in lines}


def counts_of(results, console, what, needed, done=DONE, failed="did not read from the disk"):
    """Returns all counts, among them those of the operations NEEDED. If the console lacks DONE,
    raises an error with the sentence WHAT FAILED."""
    if done not in console or not results.exists():
        raise NovaError(f"{what} {failed}:\n{console}", EXIT_FAILED)
    found = read(results.read_text(encoding="utf-8"))
    if set(needed) - set(found):
        raise NovaError(f"{what} did not mark its operations.", EXIT_FAILED)
    return found


def count_options(plugin, results, devices=(), icount=None):
    """Returns QEMU's options for a count with DEVICES. ICOUNT: options of the clock; None: those of
    this module's ICOUNT."""
    words = f"{plugin},out={results},from={bench_linux.KERNEL_FROM:#x}"
    return [*(icount or ICOUNT), *devices, "-plugin", words]


def _with_nova(kernel, boot, cpus, plugin, results):
    extra = count_options(plugin, results, DISK)
    modules = boot_list.read(boot)
    machine = qemu.Machine(kernel=kernel, modules=modules, cpus=cpus, memory=MEMORY, extra=extra)
    console = Runner(machine, TIMEOUT).run().text()
    counts = counts_of(results, console, f"the system with {cpus} CPUs", (ALONE_OP, MANY_OP))
    return counts, memory(console)


def memory(console):
    """Returns the figures of the memory that the driver needs without a session."""
    line = MEMORY_LINE.search(console)
    if not line:
        raise NovaError("the driver did not print its memory.", EXIT_FAILED)
    own, kernel = map(int, line.groups())
    return {"memory": own, "memory_kernel": kernel}


def _file(name, mode, data):
    """Returns a file of an archive for Linux (cpio, newc format)."""
    path = name.encode() + b"\0"
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return b"".join(part + b"\0" * (-len(part) % 4) for part in (head, data))


def initrd_with(folder, name, source):
    """Returns the initrd of the guests with a program for Linux."""
    program, made = folder / name, folder / "initrd"
    command = ["gcc", *FLAGS, f"-I{FOLDER}", "-o", str(program), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NovaError(f"the program for Linux could not be built: {done.stderr}", EXIT_FAILED)
    initrd = guest.file(f"{guest.PREFIX}{ARCH}/initrd")
    archive = _file(f"bin/{name}", 0o100755, program.read_bytes()) + _file("TRAILER!!!", 0, b"")
    made.write_bytes(Path(initrd).read_bytes() + archive)
    return made


def _of_files(kernel, boot, plugin, results):
    machine = qemu.Machine(
        kernel=kernel,
        modules=boot_list.read(boot),
        cpus=1,
        memory=MEMORY,
        extra=count_options(plugin, results),
    )
    console = Runner(machine, TIMEOUT).run().text()
    return counts_of(results, console, "the client of files", (AGAIN_OP, OTHER_OP, VIEW_OP))


def fat_disk(folder):
    """Makes a disk with FAT16 and the file `data`. Each page of the file begins with its number."""
    tools.need({"mkfs.fat": "dosfstools", "mcopy": "mtools"}, "the disk", EXIT_FAILED)
    image, data = folder / "fat.img", folder / "data"
    with data.open("wb") as file:
        for page in range(FILE_BYTES // PAGE):
            file.write(struct.pack("<I", page).ljust(PAGE, b"\0"))
    for command in (
        ["mkfs.fat", "-C", "-F", "16", "-s", "4", "-i", "4e4f5641", image, DISK_BYTES // 1024],
        ["mcopy", "-i", image, data, "::data"],
    ):
        words = [str(word) for word in command]
        tools.output(words, f"{words[0]} could not make the disk", status=EXIT_FAILED)
    data.unlink()
    return image


def _of_random(kernel, boot, plugin, folder):
    results, image = folder / "random", fat_disk(folder)
    options = [
        *("-drive", f"file={image},format=raw,if=none,id=d,readonly=on"),
        *("-device", "virtio-blk-pci,drive=d,disable-legacy=on,num-queues=1"),
    ]
    machine = qemu.Machine(
        kernel=kernel,
        modules=boot_list.read(boot),
        cpus=1,
        memory=MEMORY,
        extra=count_options(plugin, results, options),
    )
    console = Runner(machine, TIMEOUT).run().text()
    counts = counts_of(results, console, "the client of a large file", (RANDOM_OP,))
    return {"file_random": counts[RANDOM_OP].median}


def _of_guest(kernel, boot, monitor, plugin, folder, initrd):
    results = folder / monitor
    modules = disk.with_arguments(boot_list.read(boot), monitor, WORDS)
    modules[-1] = qemu.Module(str(initrd), modules[-1].arguments)
    machine = qemu.Machine(
        kernel=kernel,
        modules=modules,
        cpus=1,
        memory=MEMORY_GUEST,
        extra=count_options(plugin, results, DISK),
    )
    runner = Runner(machine, TIMEOUT)
    runner.waiting = build.still_runs("the guest", TIMEOUT)
    return counts_of(results, runner.run().text(), "the guest", GUEST_OPS)


def _of_linux(plugin, folder, initrd):
    what, results = "Debian's kernel", folder / "linux"
    extra = count_options(plugin, results, DISK)
    text = bench_alone.boot(what, WORDS, initrd, MEMORY, TIMEOUT, extra, qemu.Machine.cpu)
    return counts_of(results, text, what, GUEST_OPS)


def figures(nova, linux):
    """Returns {key: figure} of the counts: NOVA's by the number of CPUs, and those of Linux."""
    # Linux has its least count here, because in some runs its median is a third above that count.
    alone, linux_alone = nova[1][ALONE_OP].median, linux[ALONE_OP].least
    aio, uring = (linux[number].all() / MANY for number in (MANY_OP, URING_OP))
    if not linux_alone or not min(aio, uring):
        raise NovaError("no instruction of Linux was counted.", EXIT_FAILED)
    many = {cpus: counts[MANY_OP].all() / (MANY * cpus) for cpus, counts in nova.items()}
    found = {"alone": alone, "alone_linux": linux_alone}
    found["alone_ratio"] = round(alone / linux_alone, 3)
    found |= {f"many_{cpus}": round(value) for cpus, value in many.items()}
    found |= {"many_aio": round(aio), "many_uring": round(uring)}
    found["many_ratio"] = round(many[1] / min(aio, uring), 3)
    return found


def file_figures(counts):
    """Returns the figures of reads of a file, for each 4 KiB."""
    keys = {"file_read": AGAIN_OP, "file_read_other": OTHER_OP, "file_view": VIEW_OP}
    return {key: round(counts[number].median / PARTS) for key, number in keys.items()}


def guest_figures(inside, linux, name="guest"):
    """Returns the figures of a guest's reads, which include instructions outside of the guest, and
    of the same kernel's reads without NOVA. NAME: key of the rows."""
    found = {}
    for key, number in ((name, ROW_OP), (f"{name}_uring", URING_OP)):
        one, alone = (counts[number].all() / MANY for counts in (inside, linux))
        if not alone:
            raise NovaError("no instruction of Linux was counted.", EXIT_FAILED)
        found |= {key: round(one), f"{key}_linux": round(alone)}
        found[f"{key}_ratio"] = round(one / alone, 3)
    return found


def complaints(rows, found):
    """Returns a message for each figure that is above its limit or was not counted."""
    bad = [f"{row.title}: not counted" for row in rows if row.key not in found]
    return bad + [
        f"{row.title}: {found[row.key]}, the limit is {row.limit:g}"
        for row in rows
        if found.get(row.key, 0) > row.limit
    ]


def text(rows, found, head="instructions of reads"):
    cells = [[head, "figure", "limit", "goal"]]
    for row in rows:
        limit = table.show(row.limit) if row.limit != float("inf") else table.show(None)
        cells.append([row.title, table.show(found.get(row.key)), limit, table.show(row.goal)])
    return "\n".join(table.lines(cells))


def records(rows, found):
    """Returns the rows with their figures for JSON; an infinite limit becomes null."""
    return [
        {
            "key": row.key,
            "title": row.title,
            "figure": found.get(row.key),
            "limit": None if row.limit == float("inf") else row.limit,
            "goal": row.goal,
        }
        for row in rows
    ]


def _count(build_folder):
    kernel, boot = Path(build_folder) / "nova.elf32", boot_list.path(build_folder, SYSTEM)
    with tempfile.TemporaryDirectory(prefix="nova-") as place:
        folder = Path(place)
        plugin = qemu_plugin.compile_plugin("io", folder)
        runs = {
            cpus: _with_nova(kernel, boot, cpus, plugin, folder / str(cpus)) for cpus in NUMBERS
        }
        counts = {cpus: run[0] for cpus, run in runs.items()}
        boot = boot_list.path(build_folder, FILES)
        found = file_figures(_of_files(kernel, boot, plugin, folder / "files"))
        boot = boot_list.path(build_folder, RANDOM)
        found |= _of_random(kernel, boot, plugin, folder)
        initrd = initrd_with(folder, "io", SOURCE)
        linux = _of_linux(plugin, folder, initrd)
        found |= figures(counts, linux) | runs[1][1]
        for system, (name, monitor) in GUESTS.items():
            boot = boot_list.path(build_folder, system)
            inside = _of_guest(kernel, boot, monitor, plugin, folder, initrd)
            found |= guest_figures(inside, linux, name)
        return found


def run(build_folder, as_json=False):
    """Counts and prints. BUILD_FOLDER: folder of kernel and systems; None: they are built."""
    process.die_with_parent()
    if not build_folder:
        preset = tree.preset_name(ARCH, "release")
        build.build(preset, ["nova.elf32", SYSTEM, FILES, RANDOM, *GUESTS])
        build_folder = tree.build_dir(preset)
    return report(read_rows(ROWS), _count(build_folder), WORDS, as_json)


def report(
    rows, found, words, as_json, head="instructions of reads", kernel="with and without NOVA"
):
    """Prints the figures. WORDS are the command line of Debian's kernel, and KERNEL says in which
    counted systems Debian's kernel ran. Returns the status."""
    command_line = f"{bench_alone.WORDS} {words}"
    if as_json:
        print(json.dumps({"command_line": command_line, "rows": records(rows, found)}, indent=1))
    else:
        print(text(rows, found, head))
        print(f"command line of Debian's kernel, {kernel}: {command_line}")
    bad = complaints(rows, found)
    for sentence in bad:
        build.say(sentence)
    return EXIT_FAILED if bad else EXIT_OK
