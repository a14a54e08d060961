# SPDX-License-Identifier: BSD-2-Clause
"""Seals the images of secure guests when a system is booted: their command line has the arguments
of that run.

A boot list names `sealed:FILE`, a tab, and the file of a guest that the build made (or nothing).
FILE has lines of a key and a value: kernel, initrd, command-line, memory, vcpus, debug (without a
value), phrase, and any number of lines `secret NAME=FILE`. `guest:NAME` in place of a file is one
of nova.guest."""

import os
import subprocess
import sys
from pathlib import Path

from nova import process
from nova.errors import NovaError
from nova.qemu import Module

PREFIX = "sealed:"
IMAGE = "sealed.img"
ARCH = "x86_64"
KEYS = ("kernel", "initrd", "command-line", "memory", "vcpus", "debug", "phrase", "secret")


def has_any(modules):
    """Returns whether a module is an image that must be sealed."""
    return any(str(module.file).startswith(PREFIX) for module in modules)


def file_name(file):
    """Returns the name by which programs find the boot module FILE of a boot list."""
    return IMAGE if str(file).startswith(PREFIX) else os.path.basename(file)


def check_arch(modules, arch):
    """Refuses secure guests for a kernel that does not run them."""
    if has_any(modules) and arch != ARCH:
        raise NovaError(f"only the {ARCH} kernel runs secure guests: leave out --arch {arch}.")


def _read(path):
    """Returns {key: value} of the file PATH; the value of `secret` is a list."""
    found = {"secret": []}
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NovaError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        key, _, value = line.strip().partition(" ")
        if not key or key.startswith("#"):
            continue
        if key not in KEYS:
            raise NovaError(f"{path}:{number}: '{key}' is not a key; known are "
                            f"{', '.join(KEYS)}.")
        if key == "secret":
            found[key].append(value.strip())
        else:
            found[key] = value.strip()
    return found


def _file(name, folder):
    """Returns the path of a file that a description names."""
    from nova import guest

    if name.startswith(guest.PREFIX):
        return str(guest.file(f"{guest.PREFIX}{ARCH}/{name[len(guest.PREFIX):]}"))
    return str(folder / name)


def command(path, kernel, arguments, public, out):
    """Returns the arguments of `nova seal` for the description PATH."""
    read, folder = _read(path), Path(path).parent
    line = " ".join(filter(None, (read.get("command-line", ""), arguments)))
    if not kernel and "kernel" not in read:
        raise NovaError(f"{path} names no kernel: write a line 'kernel FILE'.")
    words = ["--kernel", kernel or _file(read["kernel"], folder)]
    if "initrd" in read:
        words += ["--initrd", _file(read["initrd"], folder)]
    if line:
        words += [f"--command-line={line}"]
    for key in ("memory", "vcpus"):
        if key in read:
            words += [f"--{key}", read[key]]
    if "debug" in read:
        words.append("--debug")
    if "phrase" in read:
        words += ["--disk-phrase-file", _file(read["phrase"], folder)]
    for secret in read["secret"]:
        name, equals, file = secret.partition("=")
        words += ["--secret", name + equals + (_file(file, folder) if file else "")]
    return [*words, "--machine", str(public), "--out", str(out)]


def _seal(path, kernel, arguments):
    """Returns the file of a new image."""
    from nova import guest

    public = guest.file(f"{guest.PREFIX}{ARCH}/machine.key").with_name("machine.pub")
    out = process.keep_folder() / IMAGE
    # Boot tests run without the folder of packages, in which python3-cryptography is.
    words = [sys.executable, "-X", "utf8", str(Path(__file__).parent), "seal",
             *command(path, kernel, arguments, public, out)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        text = done.stdout.decode("utf-8", "replace").strip().removeprefix("nova: ")
        raise NovaError(f"{os.path.basename(path)} cannot be sealed: {text}")
    return out


def resolve(modules, arguments):
    """Returns MODULES with a new file for each image that must be sealed. Its guest gets ARGUMENTS,
    which may be None."""
    return [
        Module(str(_seal(module.file[len(PREFIX):], module.arguments, arguments or "")), "")
        if str(module.file).startswith(PREFIX)
        else module
        for module in modules
    ]
