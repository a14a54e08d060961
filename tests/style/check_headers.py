# SPDX-License-Identifier: BSD-2-Clause
"""Each header compiles alone, and twice: all in C, the public ones in C++, gcc and clang."""

import subprocess

import database
import sources

KERNEL = "hypervisor/src"
# Folder of the public headers, and whose flags they are compiled with.
PUBLIC = (("hypervisor/abi", "libnova"), ("libnova/include", "libnova"))
CXX = {"gcc": "g++", "clang": "clang++"}
C_ONLY = ("-Wstrict-prototypes", "-Wmissing-prototypes")


def for_arch(header, arch):
    """Whether a header in a folder of an architecture is this one's."""
    others = [other for other in database.ARCHES if other != arch]
    return not any(other in header.parts for other in others)


def cxx(command, compiler):
    """The same compilation in C++."""
    words = [word for word in command[1:] if word not in C_ONLY and not word.startswith("-std=")]
    return [CXX[compiler], *words, "-std=c++17"]


def jobs(root, scratch, arch, compiler):
    """All compilations for one architecture and compiler: (what it is, command, header)."""
    entries = database.make(root, scratch, arch, compiler)
    found = []

    def add(folder, owner, public):
        command = database.flags(entries, str(root / owner))
        for header in sources.find(root / folder, (".h",)):
            if not for_arch(header, arch):
                continue
            what = f"{folder}/{header} {arch} {compiler}"
            found.append((f"{what} C", [*command, "-x", "c"], root / folder / header))
            if public:
                as_cxx = [*cxx(command, compiler), "-x", "c++"]
                found.append((f"{what} C++", as_cxx, root / folder / header))

    add(KERNEL, KERNEL, False)
    for folder, owner in PUBLIC:
        add(folder, owner, True)
    return found


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
    for arch in database.ARCHES:
        for compiler in database.COMPILERS:
            found += jobs(root, scratch, arch, compiler)
    return len(found), sum(sources.in_parallel(compile_alone, found), [])


if __name__ == "__main__":
    sources.main(check)
