# SPDX-License-Identifier: BSD-2-Clause
"""Makes an SDK. One half is installed from a copy of the tree, which is then moved away.

The copy stays in build/ for the next time, so that only changed files are built again. The other
half comes from the tree's own build folder, which the tests of that preset use, too: no text file
may name that folder, and sdk.same-anywhere compares the loaded bytes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import paths
from nova import build, docs, guest, install, tree
from nova.errors import NovaError

PLACE = paths.ROOT / "build/installed sdk"
SOURCE = PLACE / "source"
AWAY = PLACE / "source that moved away"
PREFIX = PLACE / "the prefix"
NOVA = PREFIX / "bin/nova"
IGNORED = ("build", "__pycache__", ".git", ".cache")
OF_COPY, OF_TREE = ("x86_32", "release"), ("x86_64", "release")
PRESETS = (OF_COPY, OF_TREE)


def _files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in IGNORED]
        yield from (Path(folder, name).relative_to(root) for name in names)


def _same(one, other):
    return other.exists() and one.stat().st_mtime == other.stat().st_mtime


def copy_tree():
    """Makes SOURCE a copy of the tree; unchanged files keep their times."""
    PLACE.mkdir(parents=True, exist_ok=True)
    if AWAY.exists():
        AWAY.rename(SOURCE)
    wanted = set(_files(paths.ROOT))
    for name in set(_files(SOURCE)) - wanted:
        (SOURCE / name).unlink()
    for name in wanted:
        if not _same(paths.ROOT / name, SOURCE / name):
            (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(paths.ROOT / name, SOURCE / name)
    newlib = paths.ROOT / "build/newlib"
    if newlib.exists():  # takes minutes to build, and its code is not ours
        shutil.copytree(newlib, SOURCE / "build/newlib", symlinks=True, dirs_exist_ok=True)


def copy_manual():
    """Copies the HTML that docs.symbols has left, with its times: the copy of the tree makes the
    HTML again only if a page has changed since."""
    if (docs.OUTPUT / "html/index.html").exists():
        shutil.rmtree(SOURCE / "build/docs", ignore_errors=True)
        with build.alone(docs.OUTPUT):
            shutil.copytree(docs.OUTPUT / "html", SOURCE / "build/docs/html")


def fetch_guests():
    """Downloads the software of example guests once, for all tests of the tree. Other guests of the
    tree need programs that a machine for this test may lack."""
    named = set()
    examples = paths.ROOT / "examples"
    for file in (*examples.glob("*/CMakeLists.txt"), *examples.glob("*/*.seal")):
        named.update(re.findall(r"\bguest:([\w.+-]+)", file.read_text(encoding="utf-8")))
    assert named, "no example names a guest's file"
    for arch, _ in PRESETS:
        for what in sorted(named):
            try:
                guest.file(f"{guest.PREFIX}{arch}/{what}")
            except NovaError as error:
                print(f"the examples with guests will fail: {error}")


def check_no_place(folder, place):
    """Checks that no text file of the installation names the location of the tree. Debug
    information may name it."""
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            assert b"\0" in content or os.fsencode(place) not in content, f"{file} names {place}"


def install_from_tree():
    """Installs the half that is built in the tree itself."""
    preset = tree.preset_name(*OF_TREE)
    build.build(preset, [install.TARGET])
    subprocess.run(["cmake", "--install", tree.build_dir(preset), "--prefix", PREFIX], check=True)
    check_no_place(PREFIX, paths.ROOT)


def install_from_copy():
    """Installs the other half, and the files that both share, by the command of the copy."""
    arch, config = OF_COPY
    command = [SOURCE / "sdk/bin/nova", "install", PREFIX, "--arch", arch, "--config", config]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


def check_plain_cmake():
    """Checks that `cmake --install` alone makes no HTML, and reports that."""
    html, hidden = SOURCE / "build/docs/html", SOURCE / "build/docs/hidden"
    html.rename(hidden)
    try:
        result = subprocess.run(
            ["cmake", "--install", SOURCE / "build" / tree.preset_name(*OF_COPY),
             "--prefix", PLACE / "no html"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
        )
    finally:
        hidden.rename(html)
    assert "without its HTML: sdk/bin/nova docs makes that" in result.stdout, result.stdout
    shutil.rmtree(PLACE / "no html")


def compile_modules():
    """Compiles Python's modules, so that no test writes compiled files: tests in parallel read the
    installation."""
    command = [sys.executable, "-m", "compileall", "-q", PREFIX / "lib/nova"]
    subprocess.run(command, check=True)


def main():
    copy_tree()
    copy_manual()
    shutil.rmtree(PREFIX, ignore_errors=True)
    install_from_tree()
    install_from_copy()
    check_plain_cmake()
    compile_modules()
    SOURCE.rename(AWAY)
    fetch_guests()


if __name__ == "__main__":
    sys.exit(main())
