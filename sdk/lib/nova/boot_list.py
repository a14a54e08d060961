# SPDX-License-Identifier: BSD-2-Clause
"""Reads boot lists: which files nova_add_roottask() and nova_add_system() want to be booted."""

from pathlib import Path

from nova import guest
from nova.errors import EXIT_FAILED, NovaError
from nova.qemu import Module


def path(build_dir, name):
    return Path(build_dir) / "boot" / f"{name}.boot"


def names(build_dir):
    """What can be booted from a build."""
    return sorted(file.stem for file in (Path(build_dir) / "boot").glob("*.boot"))


def is_program(build_dir, name):
    """Whether a build has a program of this name, which may be none to be booted."""
    return (Path(build_dir) / "boot" / f"{name}.program").exists()


def read(file):
    """The boot modules, the roottask first."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise NovaError(f"{file} is missing: build the project first.", EXIT_FAILED) from error
    modules = []
    for line in filter(None, lines):
        name, _, arguments = line.partition("\t")
        modules.append(Module(str(guest.file(name)), arguments))
    return modules
