# SPDX-License-Identifier: BSD-2-Clause
"""The parts of a machine, and the QEMU command line that creates it."""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from nova.errors import NovaError, no_model
from nova.record import Record

PROGRAM = "qemu-system-x86_64"
MACHINES = ("q35", "pc")
EMULATORS = ("qemu", "bochs")
BOOTS = ("direct", "grub", "uefi")
UEFI = "/usr/share/ovmf/OVMF.fd"
MAX_CPUS = 64
# The environment variable that names the folder of `nova test --coverage`.
RECORDING = "NOVA_COVERAGE"
MAX_MEMORY = 1 << 20
# QEMU prints such a line about its own CPU models at every start.
NOISE = b"TCG doesn't support requested feature"
NO_MODEL = re.compile("unable to find CPU model '(.*)'")
LOCKED = re.compile(r'Failed to get .*lock.* Is another process using the image \[(.*)\]')
NO_FLAG = re.compile(r"Property '.*-cpu\.(.*?)' not found")
PORT_TAKEN = re.compile(r"Could not set up host forwarding rule '\w+:[^:]*:(\d+)-")
NO_MEMORY = re.compile("cannot set up guest memory '.*': ")
MODEL = re.compile(r"^x86 (?!\S+-v\d+ )(\S+)", re.MULTILINE)  # CPU models without their versions
# The multiboot loader ends the name of a file (kernel or module) at the first of these characters.
BLANKS = " \t"


class Module(NamedTuple):
    """A boot module: the file, and its command line, which follows the file's name."""

    file: str
    arguments: str = ""


def parse_module(text):
    """Returns the Module of a text 'FILE ARGUMENTS', where FILE may be in quotation marks. The
    closing mark is one before a blank or at the end, so that an apostrophe within the name does not
    end the name."""
    text = text.strip()
    if text[:1] in ("'", '"'):
        end = re.compile(rf"{text[0]}(?=[{BLANKS}]|$)").search(text, 1)
        at = end.start() if end else text.find(text[0], 1)
        if at < 0:
            raise NovaError(f"the module {text} has a quote that does not end.")
        file, arguments = text[1:at], text[at + 1 :]
    else:
        file, *rest = text.split(maxsplit=1) or [""]
        arguments = rest[0] if rest else ""
    if not file:
        raise NovaError("--module needs a file name.")
    return Module(file, arguments.strip())


class Machine(Record):
    """One machine with its kernel and boot modules; memory in MiB."""

    kernel: Path
    modules: list = list  # list of Module or of files, the roottask first
    cmdline: str = ""
    cpus: int = 4
    memory: int = 256
    machine: str = "q35"
    cpu: str = "qemu64,+svm,+npt"
    extra: list = list  # further arguments for the emulator
    emulator: str = "qemu"
    boot: str = "direct"  # or "grub" or "uefi": GRUB from a CD, with BIOS or UEFI
    multiboot: int = 0  # version that GRUB uses; 0: the newest that the kernel understands
    disc: Path = None  # image of the CD

    def __init__(self, *values, **named):
        super().__init__(*values, **named)
        if self.emulator == "bochs":
            self.boot = "grub"
        self.modules = [
            module if isinstance(module, Module) else Module(str(module))
            for module in self.modules
        ]

    def names(self):
        """Returns the files of the kernel and the modules."""
        return [str(self.kernel), *(str(module.file) for module in self.modules)]


# The default of `nova run` and `nova debug`: programs that make keys need RDRAND. The CPUs of tests
# and of `nova bench` have RDRAND only if a test names it, because runs without random numbers can
# be repeated.
CPU_OF_RUNS = f"{Machine.cpu},+rdrand"


def has_blank(name):
    return any(blank in str(name) for blank in BLANKS)


def _link(name, folder, number):
    """Returns a name without blanks for the file NAME: that of a link in FOLDER if necessary."""
    if not has_blank(name):
        return name
    link = Path(folder) / str(number) / Path(name).name.translate(str.maketrans(BLANKS, "__"))
    link.parent.mkdir()
    link.symlink_to(os.path.abspath(name))
    return str(link)


def _renamed(machine, rename):
    modules = [
        Module(rename(str(module.file), number), module.arguments)
        for number, module in enumerate(machine.modules)
    ]
    return machine.changed(kernel=rename(str(machine.kernel), "kernel"), modules=modules)


def without_blanks(machine, folder):
    """Returns MACHINE with file names that the multiboot loader understands."""
    if has_blank(folder):
        raise NovaError(
            f"the folder for temporary files, {folder}, has a blank in its name: "
            "set TMPDIR to a folder without one."
        )
    return _renamed(machine, lambda name, number: _link(name, folder, number))


def relative(machine, folder):
    """Returns MACHINE with names relative to FOLDER for the files in FOLDER."""

    def rename(name, _number):
        name = os.path.abspath(name)
        inside = os.path.commonpath([name, folder]) == str(folder)
        return os.path.relpath(name, folder) if inside else name

    return _renamed(machine, rename)


def initrd(modules):
    """Returns the value of -initrd for the modules: separated by commas, with the commas in their
    names and arguments doubled."""
    texts = (" ".join(filter(None, (str(file), text))) for file, text in modules)
    return ",".join(text.replace(",", ",,") for text in texts)


def _accelerator(machine):
    """Returns the words that choose QEMU's accelerator, unless the user chose one."""
    return [] if {"-accel", "--accel"} & set(machine.extra) else ["-accel", "tcg"]


def _hardware(machine):
    return [
        PROGRAM,
        *("-machine", machine.machine, *_accelerator(machine), "-cpu", machine.cpu),
        *("-smp", str(machine.cpus), "-m", f"{machine.memory}M"),
        *("-display", "none", "-nic", "none", "-no-reboot"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"),
    ]


def _software(machine):
    if machine.boot != "direct":
        firmware = ["-bios", UEFI] if machine.boot == "uefi" else []
        return [*firmware, "-boot", "d", "-cdrom", str(machine.disc), *machine.extra]
    command = ["-kernel", str(machine.kernel)]
    if machine.cmdline:
        command += ["-append", machine.cmdline]
    if machine.modules:
        command += ["-initrd", initrd(machine.modules)]
    return command + list(machine.extra)


def _recording(machine):
    """Returns the plugin that records which code of the kernel runs, for `nova test --coverage`."""
    if RECORDING not in os.environ:
        return []
    from nova import coverage  # which an installed SDK lacks

    return coverage.plugin(machine.kernel)


CONSOLE = ("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console")


def arguments(machine, control_fd, interactive):
    """Returns the command line. QEMU waits for commands on CONTROL_FD (QMP) before the first
    instruction."""
    if interactive:
        console = ["-serial", "mon:stdio"]
    else:
        console = [*CONSOLE, "-monitor", "none"]
    control = ["-S", "-chardev", f"socket,id=control,fd={control_fd}"]
    control += ["-mon", "chardev=control,mode=control"]
    return _hardware(machine) + console + control + _software(machine) + _recording(machine)


def debug_arguments(machine, socket):
    """Returns the command line with gdb's stub at SOCKET. QEMU keeps the machine for inspection
    after a reset or power-off."""
    socket = str(socket).replace(",", ",,")  # else a comma ends the value
    stub = ["-S", "-no-shutdown", "-chardev", f"socket,id=gdb,path={socket},server=on,wait=off"]
    stub += ["-gdb", "chardev:gdb"]
    return _hardware(machine) + [*CONSOLE, "-monitor", "none"] + stub + _software(machine)


def models():
    """Returns the CPU models of QEMU."""
    told = subprocess.run([PROGRAM, "-cpu", "help"], capture_output=True, text=True, check=False)
    return MODEL.findall(told.stdout)


def complaint(output):
    """Returns QEMU's error output as one line."""
    lines = [line for line in bytes(output).splitlines() if NOISE not in line]
    return b" ".join(lines).decode("utf-8", "replace") or "it gave no reason."


def not_started(output):
    """Returns a sentence about a QEMU that did not start, from its error output."""
    said = complaint(output)
    model = NO_MODEL.search(said)
    if model:
        return no_model("QEMU", model.group(1), models())
    flag = NO_FLAG.search(said)
    if flag:
        return (
            f"QEMU's CPUs have no feature '{flag.group(1)}', which --cpu names; "
            f"{PROGRAM} -cpu help lists those that they have."
        )
    locked = LOCKED.search(said)
    if locked:
        return (
            f"the image {locked.group(1)} is open in another QEMU, or attached twice: end the "
            "other run, or attach the image once."
        )
    taken = PORT_TAKEN.search(said)
    if taken:
        return (
            f"port {taken.group(1)} of this machine is in use, or you may not use it: name another "
            "one, of 1024 or more."
        )
    if NO_MEMORY.search(said):
        return (
            "this host has too little memory for the machine: name fewer MiB, with --memory or in "
            "the section 'machine' of the description."
        )
    return f"QEMU did not start: {said}"


def by_hand(machine):
    """Returns the command with which a user boots MACHINE by hand."""
    return _hardware(machine) + ["-serial", "mon:stdio"] + _software(machine)
