# SPDX-License-Identifier: BSD-2-Clause
"""What a machine is made of, and the QEMU command line that makes it."""

from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = "qemu-system-x86_64"
MACHINES = ("q35", "pc")
MAX_CPUS = 64
MIN_MEMORY = 4
MAX_MEMORY = 1 << 20


@dataclass
class Machine:
    """One machine with its kernel and boot modules; memory in MiB."""

    kernel: Path
    modules: list = field(default_factory=list)  # "FILE ARGUMENTS", the roottask first
    cmdline: str = ""
    cpus: int = 4
    memory: int = 256
    machine: str = "q35"
    cpu: str = "qemu64"
    extra: list = field(default_factory=list)  # further QEMU arguments


def initrd(modules):
    """The modules as -initrd wants them: separated by commas, a comma of their own doubled."""
    return ",".join(module.replace(",", ",,") for module in modules)


def _hardware(machine):
    return [
        PROGRAM,
        *("-machine", machine.machine, "-accel", "tcg", "-cpu", machine.cpu),
        *("-smp", str(machine.cpus), "-m", f"{machine.memory}M"),
        *("-display", "none", "-nic", "none", "-no-reboot"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"),
    ]


def _software(machine):
    command = ["-kernel", str(machine.kernel)]
    if machine.cmdline:
        command += ["-append", machine.cmdline]
    if machine.modules:
        command += ["-initrd", initrd(machine.modules)]
    return command + list(machine.extra)


def arguments(machine, control_fd, interactive):
    """The command line. QEMU waits for orders on CONTROL_FD (QMP) before the first instruction."""
    if interactive:
        console = ["-serial", "mon:stdio"]
    else:
        console = ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        console += ["-monitor", "none"]
    control = ["-S", "-chardev", f"socket,id=control,fd={control_fd}"]
    control += ["-mon", "chardev=control,mode=control"]
    return _hardware(machine) + console + control + _software(machine)


def by_hand(machine):
    """The same machine for somebody who wants to look at it alone."""
    return _hardware(machine) + ["-serial", "mon:stdio"] + _software(machine)
