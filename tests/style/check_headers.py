# SPDX-License-Identifier: BSD-2-Clause
"""Checks that each header of the kernel compiles alone, also if it is included twice. A header is
compiled for each of its architectures: with gcc for one, and with clang for the other. One compiler
for each is enough, because both find the same missing includes.

tests/abi has this test for the public headers, in C and C++.
"""

import subprocess

import database
import sources

KERNEL = "hypervisor/src"


def for_arch(header, arch):
    """Returns whether a header is for ARCH, that is, not in the folder of another architecture."""
    others = [other for other in database.ARCHES if other != arch]
    return not any(other in header.parts for other in others)


def jobs(root, scratch, arch, compiler):
    """Yields all compilations for one architecture and compiler: (name, command, header)."""
    entries = database.make(root, scratch, arch, compiler)
    command = database.flags(entries, str(root / KERNEL))
    return [
        (f"{KERNEL}/{header} {arch} {compiler}", [*command, "-x", "c"], root / KERNEL / header)
        for header in sources.find(root / KERNEL, (".h",))
        if for_arch(header, arch)
    ]


def compile_alone(job):
    what, command, header = job
    result = subprocess.run(
        [*command, "-fsyntax-only", "-"],
        input=f'#include "{header}"\n#include "{header}"\n',
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return [] if result.returncode == 0 else [f"{what}:\n{result.stdout.rstrip()}"]


def check(root, scratch):
    found = []
    for arch, compiler in zip(database.ARCHES, database.COMPILERS):
        found += jobs(root, scratch, arch, compiler)
    return len(found), sum(sources.in_parallel(compile_alone, found), [])


if __name__ == "__main__":
    sources.main(check)
