# SPDX-License-Identifier: BSD-2-Clause
"""Boot media: a CD image with GRUB, the kernel and its modules, for BIOS or UEFI."""

import contextlib
import shutil
import struct
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from nova.errors import NovaError

PROGRAM = "grub-mkrescue"
GRUB_FOLDERS = {"grub": "/usr/lib/grub/i386-pc", "uefi": "/usr/lib/grub/x86_64-efi"}
GRUB_PACKAGES = {"grub": "grub-pc-bin", "uefi": "grub-efi-amd64-bin"}
GRUB_MODULES = {"grub": "normal iso9660 biosdisk multiboot multiboot2"}
GRUB_MODULES["uefi"] = "normal iso9660 part_gpt multiboot multiboot2"
TIMEOUT = 120

# A multiboot 2 header is aligned and lies in the first part of the file (specification, 3.1.1).
HEADER_MAGIC = 0xE85250D6
HEADER_ALIGN = 8
HEADER_END = 32768


def multiboot(kernel):
    """The newest multiboot version that the kernel's file understands."""
    start = Path(kernel).read_bytes()[:HEADER_END]
    for at in range(0, len(start) - HEADER_ALIGN, HEADER_ALIGN):
        if struct.unpack_from("<I", start, at)[0] == HEADER_MAGIC:
            return 2
    return 1


def _quote(text):
    """Words as GRUB's shell takes them over unchanged."""
    words = text.split()
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def grub_config(kernel, version, cmdline, modules):
    """A menu of one entry. MODULES: pairs of the file on the CD and the command line."""
    suffix = "2" if version == 2 else ""
    lines = [f"multiboot{suffix} {kernel} {_quote(cmdline)}".rstrip()]
    lines += [f"module{suffix} {file} {_quote(text)}".rstrip() for file, text in modules]
    entry = "".join(f"  {line}\n" for line in lines)
    return f"set timeout=0\nmenuentry 'NOVA' {{\n{entry}}}\n"


def _copy(source, target, what):
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise NovaError(f"the {what} {source} cannot be read: {error.strerror}.") from error


def _fill(machine, tree):
    """Writes what the CD holds. A module's command line begins with its file, as QEMU's does."""
    (tree / "boot/grub").mkdir(parents=True)
    _copy(machine.kernel, tree / "boot/kernel", "kernel")
    modules = []
    for number, module in enumerate(machine.modules):
        _copy(module.file, tree / f"boot/module{number}", "module")
        modules.append((f"/boot/module{number}", f"{module.file} {module.arguments}"))
    version = machine.multiboot or multiboot(machine.kernel)
    config = grub_config("/boot/kernel", version, machine.cmdline, modules)
    (tree / "boot/grub/grub.cfg").write_text(config, encoding="utf-8")


def _make(machine, folder):
    tree = folder / "tree"
    image = folder / "nova.iso"
    _fill(machine, tree)
    if not Path(GRUB_FOLDERS[machine.boot]).is_dir():
        raise NovaError(f"GRUB is missing: apt-get install {GRUB_PACKAGES[machine.boot]}.")
    command = [PROGRAM, "-d", GRUB_FOLDERS[machine.boot], "--fonts=", "--locales=", "--themes="]
    command += [f"--install-modules={GRUB_MODULES[machine.boot]}", "-o", str(image), str(tree)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    except OSError as error:
        raise NovaError(f"{PROGRAM} is missing: apt-get install grub-common xorriso.") from error
    if done.returncode or not image.exists():
        text = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise NovaError(f"{PROGRAM} failed: {text[-1] if text else 'it gave no reason.'}")
    return image


@contextlib.contextmanager
def prepared(machine):
    """The machine with the medium that it boots from, which lasts as long as the context."""
    if machine.boot == "direct":
        yield machine
        return
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        yield replace(machine, disc=_make(machine, Path(folder)))
