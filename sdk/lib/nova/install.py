# SPDX-License-Identifier: BSD-2-Clause
"""`nova install`: builds the SDK for all architectures and configurations, and copies it."""

import os
import tempfile
from pathlib import Path

from nova import build, docs, options, places, tree
from nova.errors import EXIT_OK, NovaError

# Targets to build before an installation.
TARGET = "nova-sdk"

DESCRIPTION = """\
Builds headers, libraries, kernels and tools for both architectures and both
configurations (debug and release), and the manual. Copies them into the folder PREFIX,
which can be moved afterwards.
PREFIX/bin/nova does not need the source tree.

--arch and --config install only a part. The command calls CMake:
cmake --install build/ARCH-CONFIG --prefix PREFIX."""


def add_parser(commands):
    parser = commands.add_parser(
        "install",
        prog="nova install",
        help="build the SDK and install it into a folder",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova install [OPTION…] PREFIX",
    )
    parser.add_argument("prefix", metavar="PREFIX", help="the folder; created if necessary")
    parser.add_argument("--arch", choices=tree.ARCHES, help="only this architecture")
    parser.add_argument("--config", choices=tree.CONFIGS, help="only this configuration")
    parser.set_defaults(function=run)


def presets(arch=None, config=None):
    """Returns the presets of an SDK. All use gcc: clang can link libraries that gcc built."""
    return [
        tree.preset_name(a, c)
        for a in tree.ARCHES
        for c in tree.CONFIGS
        if arch in (None, a) and config in (None, c)
    ]


def into(prefix, wanted):
    """Builds and installs the presets WANTED into PREFIX."""
    for preset in wanted:
        build.build(preset, [TARGET])
    with build.alone(tree.ROOT / "build/install"):
        for preset in wanted:
            command = ["cmake", "--install", str(tree.build_dir(preset)), "--prefix", str(prefix)]
            build.step(command, f"installing {preset} failed.")


def _make_folder(prefix):
    """Makes the folder of an installation, so that a wrong name is reported before the long
    build."""
    if prefix.exists() and not prefix.is_dir():
        raise NovaError(f"{prefix} is a file: name a folder.")
    prefix.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=prefix):
        pass


def run(args):
    places.need_source("install")
    prefix = Path(os.path.abspath(args.prefix))
    _make_folder(prefix)
    docs.ensure()
    into(prefix, presets(args.arch, args.config))
    build.say(f"the SDK is installed: {prefix / 'bin/nova'} --help lists its commands")
    return EXIT_OK
