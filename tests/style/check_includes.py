# SPDX-License-Identifier: BSD-2-Clause
"""Includes of the kernel point to lower layers only, and a file includes its own header first."""

import re

import sources

SOURCE = "hypervisor/src"
# A folder may include those of its own layer and below. Start-up, console and architecture
# (platform, arch) stand beside the layers: all may include their headers.
LAYERS = (
    ("lib",),
    ("memory",),
    ("object", "space", "sched"),
    ("ipc", "virt", "device"),
    ("hypercall",),
)
LAYER = {folder: number for number, folders in enumerate(LAYERS) for folder in folders}
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def check_file(name, text, has_header):
    """Complaints about a file, named from the kernel's source folder (`ipc/call.c`)."""
    found = []
    included = [match.group(1) for match in map(INCLUDE.match, text.splitlines()) if match]
    own = name[:-2] + ".h"
    if name.endswith(".c") and has_header and included[:1] not in ([own], [own.split("/")[-1]]):
        found.append(f"{SOURCE}/{name}: does not include its own header {own} first")
    layer = LAYER.get(name.split("/")[0])
    if layer is None:
        return found
    for header in included:
        if LAYER.get(header.split("/")[0], 0) > layer:
            found.append(f"{SOURCE}/{name}: includes {header}, which stands above it")
    return found


def check(root, _scratch):
    folder = root / SOURCE
    names = sources.find(folder, (".c", ".h"))
    found = []
    for name in names:
        text = (folder / name).read_text(encoding="utf-8")
        found += check_file(str(name), text, (folder / name).with_suffix(".h").exists())
    return len(names), found


if __name__ == "__main__":
    sources.main(check)
