# SPDX-License-Identifier: BSD-2-Clause
"""The copy of the tree in which `nova test mutation` breaks and builds. It stays in
build/mutation: the next run builds only what changed since."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from nova import build, tree

FOLDER = tree.ROOT / "build/mutation"
LEFT_OUT = ("build", "__pycache__")
SOUND = "sound.txt"  # tests that passed in the unchanged copy
QUICK = "quick.ninja"  # builds without a check whether the build must be configured again


def _files(root):
    """Yields the paths of the tree's files, relative to ROOT."""
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in LEFT_OUT and not f.startswith(".")]
        for name in files:
            path = Path(folder, name)
            if not name.startswith(".") and name != SOUND and path.is_file():
                yield path.relative_to(root)


def bring_up_to_date(source, copy):
    """Makes the files of COPY equal to the files of SOURCE. Returns the paths of the files that
    changed. The other files keep their times, so that nothing else is built again."""
    wanted = set(_files(source))
    changed = set(_files(copy)) - wanted
    for path in changed:
        (copy / path).unlink()
    for path in wanted:
        data = (source / path).read_bytes()
        target = copy / path
        if target.exists() and target.read_bytes() == data:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        shutil.copymode(source / path, target)
        changed.add(path)
    return changed


def quick(text):
    """Returns the text of a build.ninja without two steps that take longer than a build of one
    file: the search for new sources, and the lists of unit tests."""
    kept, left_out = [], False
    for line in text.splitlines():
        if line.startswith("build "):
            outputs = line.partition(": ")[0]
            left_out = outputs == "build build.ninja" or "erify" in outputs and "lobs" in outputs
        elif line and not line.startswith(" "):
            left_out = False
        if line.startswith("  POST_BUILD = ") and "TEST_TARGET=" in line:
            line = "  POST_BUILD = :"
        if not left_out:
            kept.append(line)
    return "\n".join(kept) + "\n"


class Copy:
    """The copy, which one run at a time uses."""

    def __init__(self, folder=FOLDER):
        self.root = folder
        self.lock = None
        self.configured = set()
        self.known = {}  # Ninja's targets, by preset
        self.listed = {}  # CTest's tests, by preset

    def __enter__(self):
        self.lock = build.alone(self.root)
        self.lock.__enter__()
        changed = bring_up_to_date(tree.ROOT, self.root)
        if changed:
            (self.root / SOUND).unlink(missing_ok=True)
        if any(path.name.startswith(("CMakePresets", "toolchain-")) for path in changed):
            # These are the only changes that Ninja itself does not notice.
            for file in self.root.glob("build/*/build.ninja"):
                file.unlink()
        (self.root / "build").mkdir(exist_ok=True)
        newlib = self.root / "build/newlib"
        if not newlib.exists():
            # Building the C library takes minutes, and it contains no mutation.
            newlib.symlink_to(tree.ROOT / "build/newlib")
        return self

    def __exit__(self, *error):
        self.lock.__exit__(*error)

    def folder(self, preset):
        """Returns the build folder of a preset."""
        return self.root / "build" / preset

    def kernel(self, preset):
        return self.folder(preset) / "nova.elf32"

    def program(self, preset, name):
        return self.folder(preset) / "bin" / name

    def _configure(self, preset):
        """Configures a preset once in a run. Mutations neither add nor remove a file of the
        copy."""
        if preset in self.configured:
            return
        folder, failed = self.folder(preset), f"configuring the copy's {preset} failed."
        if not (folder / "build.ninja").exists():
            build.step(["cmake", "--preset", preset], failed, folder=self.root)
        build.step(["ninja", "build.ninja"], failed, folder=folder)
        text = (folder / "build.ninja").read_text(encoding="utf-8")
        (folder / QUICK).write_text(quick(text), encoding="utf-8")
        self.configured.add(preset)

    def build(self, preset, targets):
        """Builds some targets of a preset."""
        self._configure(preset)
        command = ["ninja", "-f", QUICK, "-j", "2", *targets]
        build.step(command, f"building the copy's {preset} failed.", folder=self.folder(preset))

    def targets(self, preset):
        """Returns the names of all targets of a preset."""
        if preset not in self.known:
            self._configure(preset)
            self.known[preset] = build.known_targets(self.folder(preset))
        return self.known[preset]

    def tests(self, preset):
        """Returns CTest's entries of a preset by the tests' names."""
        if preset not in self.listed:
            self._configure(preset)
            command = ["ctest", "--test-dir", f"build/{preset}", "--show-only=json-v1"]
            output = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            text = subprocess.run(command, cwd=self.root, check=True, **output).stdout
            self.listed[preset] = {entry["name"]: entry for entry in json.loads(text)["tests"]}
        return self.listed[preset]

    def passed(self):
        """Returns the tests that are known to pass in the unchanged copy."""
        try:
            return set((self.root / SOUND).read_text(encoding="utf-8").splitlines())
        except OSError:
            return set()

    def note_passed(self, names):
        with open(self.root / SOUND, "a", encoding="utf-8") as file:
            file.write("".join(f"{name}\n" for name in names))
