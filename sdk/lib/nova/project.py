# SPDX-License-Identifier: BSD-2-Clause
"""Configures and builds a user's project: a folder with a CMakeLists.txt that finds the SDK."""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nova import attached, boot_list, build, explain, places, tree
from nova.errors import EXIT_FAILED, NovaError, meant

DESCRIPTION = "CMakeLists.txt"
PROJECT = re.compile(r"^\s*project\s*\(", re.MULTILINE | re.IGNORECASE)
USES_NOVA = re.compile(r"^\s*find_package\s*\(\s*Nova\b", re.MULTILINE | re.IGNORECASE)
# Characters in a folder's path that CMake or Ninja misread in some places.
ODD = re.compile(r'["#$*;<>?\[\\\]|\x00-\x1f]')
CXX = {"gcc": "g++", "clang": "clang++"}


@dataclass
class Project:
    """A project. FOLDER contains the sources, OUT a build directory for each preset."""

    folder: Path
    out: Path

    def build_dir(self, preset):
        return self.out / preset

    def uses_nova(self):
        """Returns whether the CMakeLists.txt of FOLDER, or one in a subfolder, uses the SDK."""
        files = [self.folder / DESCRIPTION, *self.folder.glob(f"*/{DESCRIPTION}")]
        return any(_says(file, USES_NOVA) for file in files)

    def names(self, arch, config, compiler):
        """Configures the project. Returns the names of its bootable programs and systems."""
        _prepare_sdk(arch, config)
        folder = self.build_dir(tree.preset_name(arch, config, compiler))
        with build.alone(folder):
            self._configure(folder, arch, config, compiler)
        return boot_list.names(folder)

    def build(self, arch, config, compiler):
        """Builds the project. Returns the build directory."""
        _prepare_sdk(arch, config)
        name = self._name(arch, config, compiler)
        folder = self.build_dir(tree.preset_name(arch, config, compiler))
        with build.alone(folder):
            self._configure(folder, arch, config, compiler)
            build.say(f"building {name}")
            command = ["cmake", "--build", str(folder), "-j", str(os.cpu_count() or 1)]
            progress = build.Progress(f"building {name}")
            try:
                build.step(command, f"building {name} failed.", progress, self.folder)
            except build.BuildError as error:
                libraries = places.PREFIX / "lib" / tree.preset_name(arch, config)
                hint = explain.undefined(error.output, libraries)
                text = f"{error} {hint[0].upper()}{hint[1:]}" if hint else str(error)
                text += _about_path(self.folder)
                raise build.BuildError(text, explain.building(error.output)) from error
        return folder

    def _name(self, *choice):
        return f"{self.folder.name} for {tree.preset_name(*choice)}"

    def _configure(self, folder, arch, config, compiler):
        """Configures the build directory FOLDER. If the command, the SDK or the compiler has
        changed, configures from scratch and removes what was built. CMake and Ninja themselves
        detect changed files, but not that the SDK or the project has moved, that another SDK with
        old times of files is in its place, or that the compiler's headers have moved."""
        name = self._name(arch, config, compiler)
        command = ["cmake", "-S", str(self.folder), "-B", str(folder)]
        if shutil.which("ninja"):
            command += ["-G", "Ninja"]
        command += _choices(arch, config, compiler)
        stamp = folder / build.STAMP
        wanted = "\n".join([*command, *_origin(arch, config, compiler)])
        failed = f"configuring {name} failed.{_about_path(self.folder)}"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            self._step(_refresh(folder), failed)
            return
        used = any((folder / file).exists() for file in ("build.ninja", "Makefile"))
        (folder / "CMakeCache.txt").unlink(missing_ok=True)
        stamp.unlink(missing_ok=True)
        build.say(f"configuring {name}")
        self._step(command, failed)
        if used:
            self._step(["cmake", "--build", str(folder), "--target", "clean"], failed)
        stamp.write_text(wanted, encoding="utf-8")

    def _step(self, command, failed):
        try:
            build.step(command, failed, None, self.folder)
        except build.BuildError as error:
            raise build.BuildError(failed, explain.configuring(error.output)) from error


def _about_path(folder):
    """Returns a sentence after a blank if the path of FOLDER has characters with a meaning for
    CMake or Ninja, which do not protect them everywhere, else "". Many such projects can be built,
    so it is not an error."""
    odd = sorted(set(ODD.findall(str(folder))))
    if not odd:
        return ""
    listed = " ".join(one if one.isprintable() else repr(one)[1:-1] for one in odd)
    return (f" The folder's path contains {listed} which CMake or Ninja may misread: if the lines "
            "above name no other reason, move the project.")


def _refresh(folder):
    """Returns the command that reconfigures after changes and builds nothing."""
    target = "build.ninja" if (folder / "build.ninja").exists() else "cmake_check_build_system"
    return ["cmake", "--build", str(folder), "--target", target]


def _compiler_headers(compiler):
    """Returns the folder of the compiler's own headers, whose name has the compiler's version."""
    command = [compiler, "-print-file-name=include"]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    except OSError:
        return ""  # CMake reports that the compiler is missing


def _origin(arch, config, compiler):
    """Returns lines that differ for another compiler or another installed SDK. A package restores
    the times of last changes, so an installation is known by the time of its status change."""
    lines = [_compiler_headers(compiler)]
    if places.INSTALLED:
        library = places.PREFIX / "lib" / tree.preset_name(arch, config) / "libnova.a"
        lines += [places.version(), str(library.stat().st_ctime_ns if library.exists() else 0)]
    return lines


def _prepare_sdk(arch, config):
    """Installs the SDK of a source tree; for an installed SDK, rejects missing parts."""
    if places.INSTALLED:
        places.kernel_folder(arch, config)
    else:
        from nova import install  # an installed SDK lacks this module

        install.into(places.PREFIX, [tree.preset_name(arch, config)])


def _choices(arch, config, compiler):
    return [
        f"-DNova_DIR={places.PREFIX / 'lib/cmake/Nova'}",
        f"-DNOVA_ARCH={arch}",
        f"-DNOVA_CONFIG={config}",
        f"-DCMAKE_C_COMPILER={compiler}",
        f"-DCMAKE_CXX_COMPILER={CXX[compiler]}",
        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
    ]


def _says(file, pattern):
    try:
        return bool(pattern.search(file.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return False


def _out(folder):
    """Returns the folder for the build directories of a project. For the SDK's own examples it is
    in the user's cache, because the SDK may be read-only."""
    if not places.INSTALLED or places.SHARE not in folder.parents:
        return folder / "build"
    sdk = hashlib.sha256(os.fsencode(places.HOME)).hexdigest()[:12]
    return places.cache() / sdk / folder.name


def at(folder):
    """Returns the project in FOLDER. Refuses a folder without a project that uses the SDK."""
    if not os.path.isdir(folder):
        raise NovaError(f"there is no folder {folder}.")
    folder = Path(folder).resolve()
    if not _says(folder / DESCRIPTION, PROJECT):
        raise NovaError(
            f"{folder} is not a project: it has no {DESCRIPTION} with project(…); "
            "nova new TEMPLATE DIR creates one."
        )
    found = Project(folder, _out(folder))
    if not found.uses_nova():
        raise NovaError(
            f"{folder / DESCRIPTION} lacks find_package(Nova): go to a project that has it "
            "(nova new TEMPLATE DIR creates one), or to NOVA's own tree."
        )
    return found


def here(foreign_too=True):
    """Returns the project around the current folder, or None; NOVA's own tree is not a project.
    Raises an error for a project that does not use the SDK, and for a CMakeLists.txt in the current
    folder that belongs to no project; with FOREIGN_TOO false, returns None in these cases."""
    start = Path.cwd()
    for folder in (start, *start.parents):
        if not places.INSTALLED and folder == tree.ROOT:
            return None
        if _says(folder / DESCRIPTION, PROJECT):
            found = Project(folder, _out(folder))
            return at(folder) if foreign_too or found.uses_nova() else None
    if foreign_too and (start / DESCRIPTION).exists():
        return at(start)
    return None


def needed():
    """Returns the project around the current folder, for commands that need a project if the SDK is
    installed."""
    found = here()
    if not found and places.INSTALLED:
        raise NovaError("there is no project here: nova new TEMPLATE DIR creates one.")
    return found


def examples(words):
    """Returns the installed examples that WORDS name: each word a whole name, or its beginning."""
    known, found = places.examples(), []
    for word in words:
        named = [name for name in known if name == word or name.startswith(f"{word}-")]
        if not named:
            raise NovaError(
                f"there is no project here, and no example is called '{word}'."
                f"{meant(word, known)} An installed SDK has the tests of its examples only; they "
                f"are in {places.EXAMPLES}. NOVA's source tree has all others."
            )
        found += named
    return [at(places.EXAMPLES / name) for name in dict.fromkeys(found)]


def choose(folder, name):
    """Returns the name of the program or system to boot from the build directory FOLDER: NAME, or
    by default the only one that `nova run` boots without options for devices."""
    known = attached.plain(boot_list.names(folder))
    if not known:
        raise NovaError(
            "the project has nothing to boot: add nova_add_roottask() or nova_add_system() to its "
            f"{DESCRIPTION}.",
            EXIT_FAILED,
        )
    if name is None and len(known) > 1:
        names = ", ".join(known)
        raise NovaError(f"the project has more than one program to boot; name one of {names}.")
    return name or known[0]
