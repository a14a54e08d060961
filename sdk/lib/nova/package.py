# SPDX-License-Identifier: BSD-2-Clause
"""`nova package`: the SDK as a .deb and as a .tar.gz, made by CPack from an installation."""

import os
import shutil
import tempfile
from pathlib import Path

from nova import build, docs, install, options, places, tree
from nova.errors import EXIT_OK, NovaError

OUT = tree.ROOT / "build/package"
DESCRIPTION_FILE = tree.ROOT / "sdk/packaging/cpack.cmake"
# Folder of the .deb's files, and links to them.
DEB_PREFIX = "opt/nova"
LINKS = (
    ("usr/bin/nova", "../../opt/nova/bin/nova"),
    ("usr/lib/cmake/Nova", "../../../opt/nova/lib/cmake/Nova"),
)

DESCRIPTION = """\
Builds the SDK and packs it, into build/package:

nova-VERSION.tar.gz       to unpack anywhere
nova_VERSION_amd64.deb    for Debian, in /opt/nova, with /usr/bin/nova"""


def add_parser(commands):
    parser = commands.add_parser(
        "package",
        prog="nova package",
        help="build the SDK and pack it into a .deb and a .tar.gz",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova package [OPTION…]",
    )
    parser.add_argument(
        "--from", dest="prefix", metavar="PREFIX", help="pack this installation, build nothing"
    )
    parser.add_argument("--to", metavar="DIR", help="where the packages go (build/package)")
    parser.set_defaults(function=run)


def _check_apart(prefix, to):
    """Refuses a folder for the packages inside of the packed installation, which would then be
    copied into itself."""
    if to.resolve().is_relative_to(Path(prefix).resolve()):
        raise NovaError(f"--to names {to}, a folder inside of {prefix}: name one outside of it.")


def _permit(folder):
    """Lets all users read the files of FOLDER, whatever the umask of an installation was."""
    for place, _, files in os.walk(folder):
        for file in (place, *(os.path.join(place, name) for name in files)):
            if not os.path.islink(file):
                mode = os.stat(file).st_mode
                os.chmod(file, mode & 0o755 | (0o755 if mode & 0o100 else 0o644))


def _stage(folder, prefix):
    """Creates in FOLDER the files of the .deb, with paths relative to /. Returns their version."""
    target = folder / DEB_PREFIX
    if prefix is None:
        docs.ensure()
        install.into(target, install.presets())
    else:
        if not (Path(prefix) / "share/nova/version").exists():
            raise NovaError(f"there is no SDK in {prefix}: nova install PREFIX makes one.")
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(prefix, target, symlinks=True, ignore=ignore)
    for name, place in LINKS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(place)
    _permit(folder)
    if prefix is None:
        return places.version()
    return (target / "share/nova/version").read_text(encoding="utf-8").strip()


def _pack(generator, folder, to, name, version):
    command = ["cpack", "--config", str(DESCRIPTION_FILE), "-G", generator, "-B", str(to)]
    command += ["-D", f"CPACK_INSTALLED_DIRECTORIES={folder};/"]
    command += ["-D", f"CPACK_PACKAGE_VERSION={version}"]
    command += ["-D", f"CPACK_PACKAGE_FILE_NAME={name}"]
    build.step(command, f"packing {name} failed.")
    shutil.rmtree(to / "_CPack_Packages", ignore_errors=True)


def run(args):
    to = Path(args.to or OUT).absolute()
    if args.prefix is not None:
        _check_apart(args.prefix, to)
    os.umask(0o022)  # for folders that CMake and CPack make
    with build.alone(to), tempfile.TemporaryDirectory(prefix="stage-", dir=to) as stage:
        root = Path(stage) / "root"
        version = _stage(root, args.prefix)
        for generator, folder, name, suffix in (
            ("DEB", root, f"nova_{version}_amd64", "deb"),
            ("TGZ", root / DEB_PREFIX, f"nova-{version}", "tar.gz"),
        ):
            _pack(generator, folder, to, name, version)
            build.say(f"made {to / name}.{suffix}")
    return EXIT_OK
