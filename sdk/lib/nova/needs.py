# SPDX-License-Identifier: BSD-2-Clause
"""Finds the build targets that tests need: the built files that their commands, their property
REQUIRED_FILES and the boot lists of their systems name.

A preset then builds only these targets. If a test does not name the targets that it needs, the
preset builds all."""

import os
import re

from nova import build

BOOT_LIST = ".boot"  # suffix of a file of the configuration, see nova_write_boot_list()
CHECKED = ".checked"  # suffix of the mark that a check of a program leaves


def targets(tests):
    """Returns the targets that TESTS, all of one build, need. () means all targets."""
    if not tests:
        return ()
    known = build.known_targets(tests[0].folder)
    folders = {"."}.union(*map(_parents, known))
    found = set()
    for test in tests:
        needed = _of_test(test, known, folders)
        if not needed:
            return ()
        found |= needed
    return tuple(sorted(found | {name + CHECKED for name in found} & known))


def _of_test(test, known, folders):
    """Returns the targets that a test names, which may be none. A test that names a folder may use
    each file in it."""
    texts = [*test.command, *test.properties.get("REQUIRED_FILES", [])]
    paths = [path for text in texts for path in _paths(text, test.folder)]
    if folders.intersection(paths):
        return set()
    found = known.intersection(paths)
    for path in paths:
        if path.endswith(BOOT_LIST):
            found |= _of_system(test.folder / path, test.folder) & known
    return found


def _of_system(boot_list, folder):
    """Returns the names of a system's target, which has the name of the boot list, and of its
    files."""
    if not boot_list.exists():
        return set()
    return {boot_list.stem, *_paths(boot_list.read_text(encoding="utf-8"), folder)}


def _parents(name):
    """Returns the folders above a target."""
    parts = name.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}


def _paths(text, folder):
    """Returns the paths below the build directory that TEXT names, relative to it."""
    found = re.findall(re.escape(str(folder)) + r"(?![-\w])/*([^\s,;=\"']*)", text)
    return [os.path.normpath(path or ".") for path in found]
