# SPDX-License-Identifier: BSD-2-Clause
"""Tells before the boot whether a file can be a program of the chosen architecture."""

from nova.errors import NovaError

CLASS_BITS = {1: 32, 2: 64}
MACHINES = {"x86_32": (32, 3), "x86_64": (64, 62)}


def read_start(path, what):
    """The first bytes of a file that has to be a readable one."""
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except OSError as error:
        raise NovaError(f"the {what} {path} cannot be read: {error.strerror}.") from error


def check_program(path, arch):
    """Raises NovaError unless PATH is an ELF program for ARCH."""
    head = read_start(path, "roottask")
    if len(head) < 20 or head[:4] != b"\x7fELF":
        raise NovaError(f"the roottask {path} is no ELF file.")
    bits = CLASS_BITS.get(head[4])
    machine = int.from_bytes(head[18:20], "little")
    for name, key in MACHINES.items():
        if key == (bits, machine):
            if name != arch:
                raise NovaError(f"the roottask {path} is for {name}: use --arch {name}.")
            return
    raise NovaError(f"the roottask {path} is for another kind of machine than {arch}.")
