# SPDX-License-Identifier: BSD-2-Clause
"""Writes the contents of a further ACPI table for QEMU, without its header: tables.py KIND FILE."""

import struct
import sys
from pathlib import Path

MIB = 1 << 20


def window(phys, first=0, last=0, segment=0):
    """Returns an MCFG's entry: configuration space of some buses."""
    return struct.pack("<QHBBI", phys, segment, first, last, 0)


def mcfg(*windows):
    return bytes(8) + b"".join(windows)


def hpet(phys, space=0):
    return struct.pack("<IBBBBQBHB", 0x8086A201, space, 64, 0, 0, phys, 0, 0x80, 0)


KINDS = {
    "mcfg_in_memory": mcfg(window(MIB)),
    "mcfg_at_the_local_apic": mcfg(window(0xFEE00000)),
    "mcfg_over_the_io_apic": mcfg(window(0xF0000000, 0, 255)),
    "mcfg_beyond_all": mcfg(window(1 << 52)),
    "mcfg_around_the_end": mcfg(window((1 << 64) - MIB, 0, 255)),
    "mcfg_misaligned": mcfg(window(0xE0001000)),
    "mcfg_where_nothing_is": mcfg(window(0xD0000000, 0, 255)),
    "mcfg_backwards": mcfg(window(0xE0000000, 7, 3)),
    "mcfg_of_another_segment": mcfg(window(MIB, segment=7)),
    "mcfg_empty": b"",
    "mcfg_cut": mcfg(window(MIB))[:-1],
    "mcfg_long": mcfg(*(window(MIB * n) for n in range(1, 500))),
    "hpet_in_memory": hpet(2 * MIB),
    "hpet_nowhere": hpet(0),
    "hpet_in_ports": hpet(0x608, space=1),
    "hpet_beyond_all": hpet((1 << 64) - 1),
    "hpet_cut": hpet(0xFED00000)[:-1],
}


def main():
    kind, name = sys.argv[1:]
    Path(name).write_bytes(KINDS[kind])


if __name__ == "__main__":
    main()
