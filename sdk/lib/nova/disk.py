# SPDX-License-Identifier: BSD-2-Clause
"""`nova run --disk FILE`: attaches a file as a disk."""

import argparse
import os
import shlex
import stat
from pathlib import Path

from nova import boot_list, description, process
from nova.errors import NovaError
from nova.qemu import Module

SECTOR = 512


class One(argparse.Action):
    """The option --disk: one file, whose name is not empty."""

    def __call__(self, parser, namespace, values, option_string=None):
        if not values:
            raise argparse.ArgumentError(self, "the name of the file is empty")
        if getattr(namespace, self.dest, None) is not None:
            raise argparse.ArgumentError(
                self, "the machine has one such disk; attach others with QEMU's options after --"
            )
        setattr(namespace, self.dest, values)


def check(name, emulator="qemu"):
    """Refuses a file that cannot be a disk."""
    if emulator != "qemu":
        raise NovaError("only QEMU supports --disk: leave out --emulator bochs.")
    try:
        status = os.stat(name)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISBLK(status.st_mode)):
            raise NovaError(f"the disk {name} is neither a regular file nor a block device.")
        with open(name, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
    except FileNotFoundError as error:
        made = f"create it with 'truncate -s 16M {shlex.quote(str(name))}'"
        raise NovaError(f"the disk {name} does not exist: {made}.") from error
    except OSError as error:
        raise NovaError(f"the disk {name} cannot be used: {error.strerror}.") from error
    if not size:
        raise NovaError(f"the disk {name} is empty: enlarge it, such as with 'truncate -s 16M'.")
    if size % SECTOR:
        raise NovaError(
            f"the disk {name} has {size} {'byte' if size == 1 else 'bytes'}, which is not a "
            f"multiple of {SECTOR}: enlarge it with 'truncate -s %{SECTOR}'."
        )


def arguments(name):
    """Returns QEMU's arguments for the disk. Blocks that are discarded become holes of the file."""
    # In a name without a folder, QEMU takes the letters before a colon for a protocol.
    file = os.path.join(".", name) if ":" in str(name) else str(name)
    file = file.replace(",", ",,")
    return [
        *("-drive", f"file={file},format=raw,if=none,id=nova-disk,discard=unmap"),
        *("-device", "virtio-blk-pci,drive=nova-disk,disable-legacy=on"),
    ]


def _quoted(word):
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _described(text, program, words):
    """Returns the text of a description in which PROGRAM has WORDS as further arguments."""
    lines, start = text.splitlines(), None
    for at, line in enumerate(lines):
        if description.begins(line, "program", program):
            start = at
        elif start is not None and description.begins(line, "arguments"):
            lines[at] = description.with_words(line, map(_quoted, words))
            return "\n".join(lines) + "\n"
        elif start is not None and description.section(line):
            break
    if start is None:
        raise NovaError(f"the description has no program {program} for --arguments.")
    lines.insert(start + 1, " ".join(["       ", "arguments", *map(_quoted, words)]))
    return "\n".join(lines) + "\n"


def with_arguments(modules, program, text):
    """Returns the boot modules of a system whose PROGRAM gets further arguments: the description is
    replaced by a copy."""
    found, module = list(modules), boot_list.description_of(modules)
    if module:
        made = process.keep_folder() / os.path.basename(module.file)
        with open(module.file, encoding="utf-8", errors="surrogateescape") as file:
            described = _described(file.read(), program, text.split())
        made.write_text(described, encoding="utf-8", errors="surrogateescape")
        found[modules.index(module)] = Module(str(made), module.arguments)
    return found
