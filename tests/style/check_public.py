# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the VMM library includes only its own headers and the public ones of the parts below
it."""

import re

import sources

LIBRARY = "roottask/vmm"
OWN = ("roottask/vmm/src", "roottask/vmm/include")
PUBLIC = ("roottask/include", "libnova/include", "hypervisor/abi")
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
PRIVATE_PATH = re.compile(r"\.\./src|roottask/src|hypervisor/src")


def check_file(name, text, exists):
    """Returns complaints about a source; EXISTS(path) is true if the tree has that file."""
    found = []
    for line in text.splitlines():
        match = INCLUDE.match(line)
        if match and not any(exists(f"{folder}/{match[1]}") for folder in OWN + PUBLIC):
            found.append(f'{name}: includes "{match[1]}", which is not a public header')
    return found


def check(root, _scratch):
    names = sources.find(root / LIBRARY, (".c", ".h"))
    found = []
    for name in names:
        text = (root / LIBRARY / name).read_text(encoding="utf-8")
        found += check_file(f"{LIBRARY}/{name}", text, lambda path: (root / path).exists())
    recipe = (root / LIBRARY / "CMakeLists.txt").read_text(encoding="utf-8")
    if PRIVATE_PATH.search(recipe):
        found.append(f"{LIBRARY}/CMakeLists.txt: names a private folder of another part")
    return len(names), found


if __name__ == "__main__":
    sources.main(check)
