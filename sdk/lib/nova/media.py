# SPDX-License-Identifier: BSD-2-Clause
"""Boot media: a CD image with GRUB, the kernel and its modules, for BIOS or UEFI."""

import contextlib
import errno
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from nova.errors import NovaError

PROGRAM = "grub-mkrescue"
GRUB_FOLDERS = {"grub": "/usr/lib/grub/i386-pc", "uefi": "/usr/lib/grub/x86_64-efi"}
GRUB_PACKAGES = {"grub": "grub-pc-bin", "uefi": "grub-efi-amd64-bin"}
GRUB_MODULES = {"grub": "normal iso9660 biosdisk multiboot multiboot2"}
GRUB_MODULES["uefi"] = "normal iso9660 part_gpt multiboot multiboot2"
TIMEOUT = 120
# Seconds in which a user at a real machine can edit the kernel's command line.
MENU_SECONDS = 2

# A multiboot 2 header is aligned and lies in the first part of the file (specification, 3.1.1).
HEADER_MAGIC = 0xE85250D6
HEADER_ALIGN = 8
HEADER_END = 32768


def multiboot(kernel):
    """Returns the newest multiboot version that the kernel's file supports."""
    start = Path(kernel).read_bytes()[:HEADER_END]
    for at in range(0, len(start) - HEADER_ALIGN, HEADER_ALIGN):
        if struct.unpack_from("<I", start, at)[0] == HEADER_MAGIC:
            return 2
    return 1


def _quote(text):
    """Quotes words so that GRUB's shell does not change them."""
    words = text.split()
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def grub_config(kernel, version, cmdline, modules, seconds=0):
    """Returns a menu of one entry, shown for SECONDS. MODULES: pairs of the file on the CD and the
    command line."""
    suffix = "2" if version == 2 else ""
    lines = [f"multiboot{suffix} {kernel} {_quote(cmdline)}".rstrip()]
    lines += [f"module{suffix} {file} {_quote(text)}".rstrip() for file, text in modules]
    entry = "".join(f"  {line}\n" for line in lines)
    return f"set timeout={seconds}\nmenuentry 'NOVA' {{\n{entry}}}\n"


def _no_room():
    return NovaError(f"the folder for temporary files, {tempfile.gettempdir()}, is full: free "
                     "space there, or set TMPDIR to a folder with more space.")


def _copy(source, target, what):
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_room() from error
        raise NovaError(f"the {what} {source} cannot be read: {error.strerror}.") from error


def _fill(machine, tree, name=str, seconds=0):
    """Writes the files of the CD. A module's command line begins with the NAME of its file, as in
    QEMU."""
    (tree / "boot/grub").mkdir(parents=True)
    _copy(machine.kernel, tree / "boot/kernel", "kernel")
    modules = []
    for number, module in enumerate(machine.modules):
        _copy(module.file, tree / f"boot/module{number}", "module")
        modules.append((f"/boot/module{number}", f"{name(module.file)} {module.arguments}"))
    version = machine.multiboot or multiboot(machine.kernel)
    config = grub_config("/boot/kernel", version, machine.cmdline, modules, seconds)
    (tree / "boot/grub/grub.cfg").write_text(config, encoding="utf-8")


def _write(tree, image, boots):
    """Creates the IMAGE of a TREE for one boot method (or both, a hybrid)."""
    for boot in boots:
        if not Path(GRUB_FOLDERS[boot]).is_dir():
            raise NovaError(f"GRUB is missing: apt-get install {GRUB_PACKAGES[boot]}.")
    command = [PROGRAM, "--fonts=", "--locales=", "--themes="]
    if len(boots) == 1:  # otherwise it uses all installed boot methods
        command += ["-d", GRUB_FOLDERS[boots[0]], f"--install-modules={GRUB_MODULES[boots[0]]}"]
    command += ["-o", str(image), str(tree)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    except OSError as error:
        raise NovaError(f"{PROGRAM} is missing: apt-get install grub-common xorriso.") from error
    except subprocess.TimeoutExpired as error:
        raise NovaError(f"{PROGRAM} did not end within {TIMEOUT} s: end other programs, or boot "
                        "smaller modules.") from error
    if done.returncode or not image.exists():
        text = done.stderr.decode("utf-8", "replace").strip().splitlines()
        if any(os.strerror(errno.ENOSPC) in line for line in text):
            raise _no_room()
        raise NovaError(f"{PROGRAM} failed: {text[-1] if text else 'it gave no reason.'}")
    return image


def _name_on_medium(file):
    """Returns the name as one word, because a blank would end it."""
    return "_".join(Path(file).name.split())


def _make(machine, folder):
    _fill(machine, folder / "tree")
    return _write(folder / "tree", folder / "nova.iso", [machine.boot])


def _copy_as(mode, source, target):
    """Copies a file to a new file with MODE, which the user's mask may restrict."""
    target.unlink(missing_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(handle, "wb") as file, open(source, "rb") as data:
        shutil.copyfileobj(data, file)


def make_hybrid(machine, image, mode=0o666):
    """Writes an image that BIOS and UEFI start, from CD or disk."""
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        tree = Path(folder) / "tree"
        _fill(machine, tree, _name_on_medium, MENU_SECONDS)
        made = _write(tree, Path(folder) / "nova.iso", list(GRUB_FOLDERS))
        # Written to a temporary name first, so that there is never a partial image.
        part = image.with_name(f".{image.name}.part")
        try:
            _copy_as(mode, made, part)
            part.replace(image)
        finally:
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def prepared(machine):
    """Yields the machine with its boot medium, which exists as long as the context."""
    if machine.boot == "direct":
        yield machine
        return
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        yield machine.changed(disc=_make(machine, Path(folder)))
