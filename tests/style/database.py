# SPDX-License-Identifier: BSD-2-Clause
"""Makes the compile databases of the style checks: the compiler calls that a build would make."""

import json
import shlex
import subprocess
import sys

ARCHES = ("x86_64", "x86_32")
COMPILERS = ("gcc", "clang")


def folder(scratch, arch, compiler):
    return scratch / f"{arch}-{compiler}"


def make(root, scratch, arch, compiler):
    """Configures a build of the tree, which is never built. Returns the database's entries."""
    build = folder(scratch, arch, compiler)
    command = ["cmake", "-S", str(root), "-B", str(build), "-G", "Ninja"]
    command += ["--toolchain", str(root / f"sdk/cmake/toolchain-{arch}-{compiler}.cmake")]
    command += [f"-DNOVA_ARCH={arch}", "-DNOVA_CONFIG=debug", "-DCMAKE_BUILD_TYPE=Debug"]
    command += ["-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode != 0:
        sys.exit(f"{result.stdout}\nthe tree could not be configured for {arch} with {compiler}")
    return json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))


def flags(entries, prefix):
    """Returns the compiler and its flags, without file names, for the first C file below PREFIX."""
    for entry in entries:
        if entry["file"].startswith(prefix) and entry["file"].endswith(".c"):
            words = shlex.split(entry["command"])
            return words[: words.index("-MD")] if "-MD" in words else words[: words.index("-o")]
    sys.exit(f"no C file below {prefix} is compiled")
