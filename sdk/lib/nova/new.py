# SPDX-License-Identifier: BSD-2-Clause
"""`nova new`: copies a template into a new folder, and names the project after the folder."""

import os
import re
import shlex
import shutil
import tempfile
from pathlib import Path

from nova import build, options, places
from nova.errors import EXIT_OK, NovaError, meant

# Names that CMake gives to targets of its own.
RESERVED = ("all", "clean", "edit_cache", "help", "install", "package", "rebuild_cache", "test")
# Words that CMake takes for a false value, in any case.
FALSE = ("false", "ignore", "n", "no", "off")
PROJECT = re.compile(r"^project\([^\s)]+", re.MULTILINE)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]*")


def _summary(name):
    """Returns the first sentence of the template's README."""
    text = (places.TEMPLATES / name / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", text.split("\n\n")[1]).split(": ")[0].split(". ")[0].rstrip(".")


def add_parser(commands):
    names = places.templates()
    listed = "\n".join(f"  {name:10} {_summary(name)}" for name in names)
    parser = commands.add_parser(
        "new",
        prog="nova new",
        help="begin a project from a template",
        description="Copies a template into the folder DIR, which gets the project's name. "
        f"Templates:\n\n{listed}\n\nA plain copy of the template's folder works, too.",
        formatter_class=options.Formatter,
        usage="nova new TEMPLATE DIR",
    )
    parser.add_argument("template", metavar="TEMPLATE", help=f"one of {', '.join(names)}")
    parser.add_argument("folder", metavar="DIR", help="a folder that does not exist yet")
    parser.set_defaults(function=run)


def _refusal(name):
    """Returns why NAME cannot be the name of a project, "" if it can."""
    if not NAME.fullmatch(name):
        return "use the letters A to Z and a to z, digits, and _ - . +, a letter first"
    if name in RESERVED:
        return "CMake has a target of this name"
    if name.lower() in FALSE or name.lower().endswith("-notfound"):
        return "CMake takes it for the value 'false'"
    return ""


def _check(template, folder):
    if template not in places.templates():
        known = places.templates()
        raise NovaError(
            f"there is no template '{template}'.{meant(template, known)} "
            f"There are: {', '.join(known)}."
        )
    if folder.exists() or folder.is_symlink():
        raise NovaError(f"{folder} exists already: name a folder that does not.")
    reason = _refusal(folder.name)
    if reason:
        raise NovaError(f"'{folder.name}' is not a valid project name: {reason}.")


def _command():
    """Returns the command `nova` in a form that works in any folder, because the command of a
    source tree is usually not in PATH."""
    file = places.HOME / "bin/nova"
    found = shutil.which("nova")
    return "nova" if found and Path(found).resolve() == file else shlex.quote(str(file))


def _copy(source, target):
    """Copies a file of a template, which may be read-only, to a file that the user can change."""
    try:
        shutil.copyfile(source, target)
        os.chmod(target, os.stat(target).st_mode | os.stat(source).st_mode & 0o111)
    except OSError as error:
        raise NovaError(f"the project cannot be created, because {source} cannot be copied: "
                        f"{error.strerror}.") from error


def _make(template, folder):
    """Copies the TEMPLATE into FOLDER and gives the project the name of FOLDER."""
    ignore = shutil.ignore_patterns("build")
    shutil.copytree(template, folder, ignore=ignore, copy_function=_copy)
    for place, _, _ in os.walk(folder):
        os.chmod(place, os.stat(place).st_mode | 0o200)
    description = folder / "CMakeLists.txt"
    text = description.read_text(encoding="utf-8")
    description.write_text(PROJECT.sub(f"project({folder.name}", text, count=1), encoding="utf-8")


def run(args):
    folder = Path(args.folder).absolute()
    _check(args.template, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # In a temporary folder first, so that an error leaves no part of a project.
    with tempfile.TemporaryDirectory(prefix=".nova-", dir=folder.parent) as place:
        _make(places.TEMPLATES / args.template, Path(place) / folder.name)
        (Path(place) / folder.name).rename(folder)
    nova = _command()
    go = f"cd {shlex.quote(str(args.folder))}"
    build.say(f"{args.folder} is created; next: {go}, {nova} run, {nova} test")
    return EXIT_OK
