# SPDX-License-Identifier: BSD-2-Clause
"""Reads boot lists, in which nova_add_roottask() and nova_add_system() name the files to boot."""

import os
from pathlib import Path

from nova.errors import EXIT_FAILED, NovaError
from nova.qemu import Module

# Prefix of the names of guests' files. It is defined here because the module guest imports many
# others, and few boots have a guest.
GUEST = "guest:"


def path(build_dir, name):
    return Path(build_dir) / "boot" / f"{name}.boot"


def names(build_dir):
    """Returns the names that can be booted from a build."""
    return sorted(file.stem for file in (Path(build_dir) / "boot").glob("*.boot"))


def is_program(build_dir, name):
    """Returns whether a build has a program of this name; it need not be bootable."""
    return (Path(build_dir) / "boot" / f"{name}.program").exists()


def description_of(modules):
    """Returns the system description among boot MODULES, the roottask first, or None. Like init,
    takes the module whose name is the first argument of the roottask. If there is no such module,
    takes the first module *.nova: a roottask other than init has arguments of its own."""
    words = modules[0].arguments.split()[:1] if modules else []
    files = [os.path.basename(module.file) for module in modules]
    for number, file in enumerate(files[1:], 1):
        if [file] == words:
            return modules[number]
    return next((one for one in modules if str(one.file).endswith(".nova")), None)


def description(build_dir, name):
    """Returns the file with the description of the system NAME in a build. Returns None if the
    build has no boot list of this name, or if the list has no description. Creates no files."""
    try:
        lines = path(build_dir, name).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    parts = [line.partition("\t") for line in filter(None, lines)]
    found = description_of([Module(file, arguments) for file, _, arguments in parts])
    return Path(found.file) if found else None


def read(file, own=()):
    """Returns the boot modules, the roottask first. OWN: names of files that the user gives as
    modules. A guest file that one of them replaces is not created; its module has no folder."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise NovaError(f"{file} is missing: build the project first.", EXIT_FAILED) from error
    parts = [line.partition("\t") for line in filter(None, lines)]
    names = [name for name, _, _ in parts]
    skipped = _replaced(names, own)
    made = iter(_files([name for name in names if name not in skipped]))
    return [
        Module(os.path.basename(name) if name in skipped else str(next(made)), arguments)
        for name, _, arguments in parts
    ]


def _files(names):
    """Returns the files of NAMES. Creates missing files of guests."""
    if not any(name.startswith(GUEST) for name in names):
        return names
    from nova import guest

    return guest.files(names)


def _replaced(names, own):
    """Returns the guest files in a boot list's NAMES that files in OWN replace: those for whose
    name OWN has at least as many files as the boot list."""
    base = [os.path.basename(name) for name in names[1:]]
    return {
        name
        for name in names[1:]
        if name.startswith(GUEST)
        and list(own).count(os.path.basename(name)) >= base.count(os.path.basename(name))
    }
