# SPDX-License-Identifier: BSD-2-Clause
"""Checks that no loaded byte names the folder of the build: `same_anywhere.py KERNEL PATH…`.

A path is a program or a folder of programs.

If a program contained that name, a longer name would move the bytes after it, and change figures
and addresses."""

import re
import sys
from pathlib import Path

from paths import ROOT

from nova import elf, newlib

OWN = str(ROOT).encode()
# The folder of newlib's source or of its objects: the part of a path before /newlib/libc/.
PART_OF_NEWLIB = re.compile(rb"/[^\0]*?(?=/newlib/libc/)")


def folders(kernel):
    """Returns the folders in which the kernel and the C library were compiled, perhaps in another
    tree."""
    if OWN not in kernel.read_bytes():
        sys.exit("The kernel's debug information does not name the tree: look for another name.")
    library = newlib.folder(elf.program_arch(kernel)) / "lib/libc.a"
    found = set(PART_OF_NEWLIB.findall(library.read_bytes()))
    if not found:
        sys.exit(f"{library}'s debug information does not name its source: look for another name.")
    return [OWN, *sorted(found)]


def main(kernel, *paths):
    programs = [kernel]
    for path in paths:
        programs += sorted(path.iterdir()) if path.is_dir() else [path]
    if len(programs) < 10:
        sys.exit(f"There are {len(programs) - 1} programs only.")
    names = folders(kernel)
    for name in names:
        named = [path.name for path in programs if name in b"\0".join(elf.loaded(path))]
        if named:
            sys.exit(f"loaded with {name.decode()} in them: {', '.join(named)}")
    print(f"{len(programs)} programs are the same wherever the tree lies.")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
