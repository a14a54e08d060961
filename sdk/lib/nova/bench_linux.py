# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench linux`: what the example linux costs until its guest's shell has answered, counted in
instructions, and what the same kernel costs without NOVA."""

import subprocess
import tempfile
from pathlib import Path

from nova import boot_list, build, guest, process, qemu, qemu_plugin, tree
from nova.errors import EXIT_FAILED, EXIT_OK, NovaError
from nova.qemu_plugin import ICOUNT
from nova.runner import Runner

ARCH = "x86_64"
TIMEOUT = 240
# The guest's memory in the example, and the words that both kernels get.
MEMORY = 112
WORDS = "quiet run=echo,ready+poweroff,-f"
ALONE = "console=ttyS0 reboot=k panic=-1 no_timer_check tsc=reliable"
# So many times the instructions of the kernel alone are allowed.
MOST = 1.3


def _counts(results, console, what):
    """What the plugin wrote, if the guest's shell answered."""
    if "ready" not in console.replace(WORDS, "") or not results.exists():
        raise NovaError(f"{what} did not come to its shell:\n{console}", EXIT_FAILED)
    fields = results.read_text(encoding="utf-8").split()
    return {name: int(count) for name, count in zip(fields[::2], fields[1::2])}


def _with_nova(kernel, boot, plugin, folder):
    results = folder / "with"
    modules = boot_list.read(boot)
    modules[0] = qemu.Module(modules[0].file, WORDS)
    extra = [*ICOUNT, "-plugin", f"{plugin},out={results}"]
    machine = qemu.Machine(kernel=kernel, modules=modules, cpus=1, extra=extra)
    runner = Runner(machine, TIMEOUT)
    runner.waiting = build.still_runs("the guest", TIMEOUT)
    return _counts(results, runner.run().text(), "the guest")


def _alone(plugin, folder):
    results = folder / "alone"
    command = [qemu.PROGRAM, "-machine", "q35", "-accel", "tcg", "-cpu", "qemu64", "-smp", "1"]
    command += ["-m", str(MEMORY), "-display", "none", "-nic", "none", "-no-reboot"]
    command += ["-serial", "stdio", "-monitor", "none", *ICOUNT]
    command += ["-plugin", f"{plugin},out={results}"]
    for option, name in (("-kernel", "vmlinuz"), ("-initrd", "initrd")):
        command += [option, guest.file(f"{guest.PREFIX}{ARCH}/{name}")]
    command += ["-append", f"{ALONE} {WORDS}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NovaError(f"the kernel alone took longer than {TIMEOUT} s.", EXIT_FAILED) from error
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    return _counts(results, text, "the kernel alone")


def figures(with_nova, alone):
    """What the two counts say: name, value, as text."""
    host, inside = with_nova["host"], with_nova["guest"]
    if not with_nova["entries"] or not alone["host"]:
        raise NovaError("no guest was entered, or nothing was counted.", EXIT_FAILED)
    return {
        "exits": with_nova["entries"],
        "host instructions per exit": round(host / with_nova["entries"]),
        "per cent of them outside the guest": round(100 * host / (host + inside), 1),
        "instructions in millions": round((host + inside) / 1e6),
        "of the kernel alone": round(alone["host"] / 1e6),
        "ratio": round((host + inside) / alone["host"], 3),
    }


def run(build_folder):
    """Counts and prints. BUILD_FOLDER: where kernel and example are; None: they are built."""
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
    if found["ratio"] > MOST:
        build.say(f"worse: {found['ratio']} times the instructions, above {MOST}")
        return EXIT_FAILED
    return EXIT_OK
