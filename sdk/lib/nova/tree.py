# SPDX-License-Identifier: BSD-2-Clause
"""Locations in the source tree and its build directories."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# The folder in which Python finds this package.
LIBRARY = Path(__file__).resolve().parents[1]
# The command that users call.
SCRIPT = LIBRARY.parent / "bin/nova"

ARCHES = ("x86_64", "x86_32")
CONFIGS = ("debug", "release")
COMPILERS = ("gcc", "clang")
HOST_PRESET = "host"
# The presets that `nova test --coverage` boots under Bochs, and builds for the host.
COVERAGE_PRESET = "x86_64-coverage"
COVERAGE_HOST_PRESET = "host-coverage"


def preset_name(arch, config, compiler="gcc"):
    """Returns the name of a preset, which is also that of its build directory."""
    return f"{arch}-{config}" + ("" if compiler == "gcc" else f"-{compiler}")


def build_dir(preset):
    return ROOT / "build" / preset


def kernel(preset):
    """Returns the path of the image that QEMU's -kernel accepts."""
    return build_dir(preset) / "nova.elf32"


def program(preset, name):
    return build_dir(preset) / "bin" / name


def examples():
    """Returns the names of the examples, each a folder with a build description."""
    return sorted(file.parent.name for file in (ROOT / "examples").glob("*/CMakeLists.txt"))


def version():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(r"project\(nova VERSION ([0-9.]+)", text).group(1)
