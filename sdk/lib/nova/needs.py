# SPDX-License-Identifier: BSD-2-Clause
"""Finds the build targets that tests need: the built files that their commands, their property
REQUIRED_FILES and the boot lists of their systems name.

A preset then builds these only. If one test does not say what it needs, the preset builds all."""

import os
import re
import subprocess

LISTS = (".boot",)  # files of the configuration that name programs, see nova_write_boot_list()
CHECKED = ".checked"  # suffix of the mark that a check of a program leaves


def targets(tests):
    """Returns the targets that TESTS, all of one build, need; (): all."""
    if not tests:
        return ()
    folder = tests[0].folder
    known = _known(folder)
    found = set()
    for test in tests:
        needed = _of_test(test, known)
        if not needed:
            return ()
        found |= needed
    return tuple(sorted(found | {name + CHECKED for name in found} & known))


def _known(folder):
    """Returns the names of all targets of a build."""
    command = ["ninja", "-C", str(folder), "-t", "targets", "all"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {line.rpartition(": ")[0] for line in result.stdout.splitlines()}


def _of_test(test, known):
    """Returns the targets of a test, none if it does not say them."""
    texts = [*test.command, *test.properties.get("REQUIRED_FILES", [])]
    paths = [path for text in texts for path in _paths(text, test.folder)]
    if any((test.folder / path).is_dir() for path in paths):
        return set()
    found = set()
    for path in paths:
        if path.endswith(LISTS):
            found |= _of_system(test.folder, path, known)
        else:
            found |= {path} & known
    return found


def _of_system(folder, path, known):
    """Returns the targets of a system: its own, which has the same name, and its programs."""
    name = os.path.splitext(os.path.basename(path))[0]
    text = (folder / path).read_text(encoding="utf-8")
    return {name, *_paths(text, folder)} & known


def _paths(text, folder):
    """Returns the paths below the build directory that TEXT names, relative to it."""
    found = re.findall(re.escape(str(folder)) + r"(?![-\w])/*([^\s,;=\"']*)", text)
    return [os.path.normpath(path or ".") for path in found]
