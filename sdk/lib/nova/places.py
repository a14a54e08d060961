# SPDX-License-Identifier: BSD-2-Clause
"""Locations of the SDK's parts: in a source tree, which builds them, or in an installed SDK."""

import os
import re
from pathlib import Path

from nova import tree
from nova.errors import NovaError

# The folder of bin/ and lib/: sdk/ of a source tree, or the prefix of an installation.
HOME = Path(__file__).resolve().parents[2]
SHARE = HOME / "share/nova"
INSTALLED = (SHARE / "version").exists()
# The root folder: error messages name files relative to it.
ROOT = HOME if INSTALLED else tree.ROOT
# A source tree installs itself here for projects outside of it.
PREFIX = HOME if INSTALLED else tree.ROOT / "build/sdk"


def cache():
    """Returns the folder in the user's cache for files that can be created again. The standard says
    that a relative path in XDG_CACHE_HOME has no effect."""
    found = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(found):
        found = os.path.expanduser("~/.cache")
    if found.startswith("~"):
        raise NovaError("the user has no home folder: set XDG_CACHE_HOME to a folder.")
    return Path(found) / "nova"


def guests():
    """Returns the folder with the files of example guests, created on first use."""
    return cache() / "guest" if INSTALLED else tree.ROOT / "build/guest"


# The first page of an installed manual.
MANUAL = HOME / "share/doc/nova/html/index.html"
PAGES = SHARE / "docs/index.md"
HELP = HOME / "lib/nova/help.txt"
EXAMPLES = (SHARE if INSTALLED else tree.ROOT) / "examples"
TEMPLATES = (SHARE if INSTALLED else tree.ROOT) / "templates"


def version():
    if INSTALLED:
        return (SHARE / "version").read_text(encoding="utf-8").strip()
    return tree.version()


def _folders(place):
    return sorted(file.parent.name for file in place.glob("*/CMakeLists.txt"))


def examples():
    """Returns the names of the examples, each a folder with a build description."""
    return _folders(EXAMPLES)


def example_of(system):
    """Returns the example that has a further system or roottask of this name, besides the one with
    the example's own name. Returns None if there is no such example."""
    call = re.compile(r"(?:nova_add_(?:system|roottask)\(\s*|set\(name )"
                      rf"{re.escape(system)}[\s)]")
    files = ((name, EXAMPLES / name / "CMakeLists.txt") for name in examples())
    return next((name for name, file in files
                 if call.search(file.read_text(encoding="utf-8", errors="replace"))), None)


def templates():
    return _folders(TEMPLATES)


def kernel_folder(arch, config, compiler="gcc"):
    """Returns the folder of nova.elf32 and nova.elf. An installed SDK has only the kernels of one
    compiler."""
    if not INSTALLED:
        return tree.build_dir(tree.preset_name(arch, config, compiler))
    folder = SHARE / tree.preset_name(arch, config)
    if not (folder / "nova.elf32").exists():
        known = sorted(file.parent.name for file in SHARE.glob("*/nova.elf32"))
        if not known:
            raise NovaError("this SDK contains no kernel: install the SDK again.")
        raise NovaError(
            f"this SDK has no kernel for {arch} {config}, only for {', '.join(known)}"
            f"{_remedy(arch, known)}."
        )
    return folder


def _remedy(arch, known):
    """Returns the options that choose a KNOWN preset, preferably of the same ARCH."""
    presets = [tuple(name.rsplit("-", 1)) for name in known]
    has_arch, config = min(presets, key=lambda preset: preset[0] != arch)
    other = "" if has_arch == arch else f"--arch {has_arch} "
    return f": write {other}--config {config}"


def kernel(arch, config, compiler="gcc"):
    """Returns the path of the image that QEMU's -kernel accepts."""
    return kernel_folder(arch, config, compiler) / "nova.elf32"


def system_tool(arch, config, compiler="gcc"):
    """Returns the path of the program that checks descriptions, or None if it is not built."""
    built = tree.build_dir(tree.preset_name(arch, config, compiler)) / "host/nova-system"
    for tool in (PREFIX / "bin/nova-system",) if INSTALLED else (built, PREFIX / "bin/nova-system"):
        if tool.exists():
            return tool
    return None


def need_source(command):
    """Rejects commands that only a source tree supports."""
    if INSTALLED:
        raise NovaError(
            f"nova {command} works in NOVA's source tree only: type sdk/bin/nova {command} there. "
            "An installed SDK has no sources of the kernel."
        )
