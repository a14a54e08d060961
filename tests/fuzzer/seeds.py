#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the fuzzer with many seeds and adds up the figures that the boots print.

totals.tsv has a row for each build of the kernel and each commit of hypervisor. The next run of
such a build begins at the first seed that the build has not used. With --record, a plugin of QEMU
(tests/coverage) counts the kernel's instructions and edges, and seeds.tsv gets the seeds that
reached new ones. QEMU derives time from the number of instructions, so a seed always gives the same
run; one processor of the host runs all CPUs in turn. With --host-time, each CPU has a processor, so
the CPUs really run at the same time, but a seed does not repeat exactly. --repeat boots one seed
twice and compares the output."""

import argparse
import fcntl
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "sdk/lib"))

from nova import bochs, coverage, qemu, qemu_plugin, tap  # noqa: E402
from nova.qemu import Machine, Module  # noqa: E402
from nova.runner import Runner  # noqa: E402

TOTALS = HERE / "totals.tsv"
SEEDS = HERE / "seeds.tsv"
HEAD = ("arch", "config", "commit", "first", "next", "boots", "hypercalls", "succeeded", "events",
        "exits")
SEEDS_HEAD = ("arch", "config", "commit", "seed", "cpus", "calls", "new")
TOTAL = re.compile(r"# total: hypercalls (\d+), succeeded (\d+), events (\d+), exits (\d+)")
COUNTED = ["-icount", "shift=3,sleep=off"]


def read(file, head):
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    return [dict(zip(head, line.split("\t"))) for line in lines if line]


def write(file, head, rows):
    lines = ["\t".join(head), *("\t".join(str(row[name]) for name in head) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def commit():
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%h", "--", "hypervisor"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def next_seed(rows, arch, config):
    """Returns the first seed that no earlier run of this build of the kernel has used."""
    used = (int(row["next"]) for row in rows if (row["arch"], row["config"]) == (arch, config))
    return max(used, default=1)


@dataclass
class Boot:
    """Output of a boot and the numbers in it, or the reason why it failed."""

    numbers: tuple = (0, 0, 0, 0)
    complaint: str = ""
    text: str = ""


def boot(folder, seed, cpus, args):
    """Boots the fuzzer of a build. args: calls, timeout, host_time, emulator."""
    under_qemu = args.emulator == "qemu"
    machine = Machine(
        kernel=folder / "nova.elf32",
        modules=[Module(str(folder / "bin/fuzzer"), f"seed={seed} calls={args.calls}")],
        cpus=cpus,
        emulator=args.emulator,
        extra=COUNTED if under_qemu and not args.host_time else [],
    )
    new_runner = Runner if under_qemu else bochs.new_runner
    outcome = new_runner(machine, args.timeout).run()
    text = outcome.text()
    found = TOTAL.search(text)
    passed = tap.parse(text).count(tap.PASSED)
    if outcome.status or not found or passed != 1:
        return Boot(complaint=f"{text}\nseed {seed} on {cpus} CPUs: {outcome.message}")
    return Boot(tuple(map(int, found.groups())), text=text)


class Record:
    """The plugin's map of each kernel's code. It stays until the folder is removed, so later runs
    add to it."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.known = self._bits()
        qemu_plugin.compile_plugin("coverage", self.folder, coverage.SOURCE)
        os.environ[qemu.RECORDING] = str(self.folder)

    def new(self):
        """Returns the number of instructions and edges that no earlier boot has reached."""
        before, self.known = self.known, self._bits()
        return self.known - before

    def _bits(self):
        maps = self.folder.glob("*.map")
        return sum(bin(byte).count("1") for file in maps for byte in file.read_bytes())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=("x86_64", "x86_32"), default="x86_64")
    parser.add_argument("--config", choices=("release", "debug"), default="release")
    parser.add_argument("--calls", type=int, default=50000, help="number of hypercalls per boot")
    parser.add_argument("--cpus", default="1,2,3,4,8", help="numbers of CPUs, in turn")
    parser.add_argument("--boots", type=int, default=10)
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds until a boot fails")
    parser.add_argument("--host-time", action="store_true", help="do not repeat seeds exactly")
    parser.add_argument("--emulator", choices=qemu.EMULATORS, default="qemu")
    parser.add_argument("--repeat", type=int, metavar="SEED", help="only compare two boots of it")
    parser.add_argument("--record", action="store_true", help="keep the seeds that reach new code")
    return parser.parse_args()


def add(name, first, seed, numbers):
    """Adds a boot to its kernel's row. Another run may have changed the rows of other kernels."""
    with TOTALS.open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        totals = read(TOTALS, HEAD)
        row = next((one for one in totals if name.items() <= one.items()), None)
        if row is None:
            row = {**name, "first": first, **dict.fromkeys(HEAD[5:], 0)}
            totals.append(row)
        row["next"], row["boots"] = seed + 1, int(row["boots"]) + 1
        for key, number in zip(HEAD[6:], numbers):
            row[key] = int(row[key]) + number
        write(TOTALS, HEAD, totals)


def build_folder(args):
    return ROOT / "build" / f"{args.arch}-{args.config}"


def cpus_of(args):
    return [int(word) for word in args.cpus.split(",")]


def repeat(args):
    """Boots a seed twice on each number of CPUs. Returns 0 if the outputs are equal."""
    for count in cpus_of(args):
        one, two = (boot(build_folder(args), args.repeat, count, args) for _ in range(2))
        if one.complaint or two.complaint:
            print(one.complaint or two.complaint)
            return 1
        if one.text != two.text:
            print(f"Two boots of seed {args.repeat} on {count} CPUs differ:", one.text, two.text,
                  sep="\n")
            return 1
        print(f"seed {args.repeat}, {count} CPUs: two boots with {one.numbers[0]} hypercalls each "
              "are equal")
    return 0


def run(args, record):
    folder, cpus = build_folder(args), cpus_of(args)
    seeds = read(SEEDS, SEEDS_HEAD)
    config = args.config + (" under Bochs" if args.emulator == "bochs" else "")
    first = next_seed(read(TOTALS, HEAD), args.arch, config)
    name = {"arch": args.arch, "config": config, "commit": commit()}
    for seed in range(first, first + args.boots):
        count = cpus[seed % len(cpus)]
        done = boot(folder, seed, count, args)
        if done.complaint:
            print(done.complaint)
            return 1
        new = record.new() if record else 0
        if new:
            seeds.append({**name, "seed": seed, "cpus": count, "calls": args.calls, "new": new})
            write(SEEDS, SEEDS_HEAD, seeds)
        add(name, first, seed, done.numbers)
        print(f"seed {seed}, {count} CPUs: {done.numbers[0]} hypercalls, new {new}", flush=True)
    return 0


def main():
    args = arguments()
    if args.repeat is not None:
        return repeat(args)
    return run(args, Record(ROOT / "build/fuzzer") if args.record else None)


if __name__ == "__main__":
    sys.exit(main())
