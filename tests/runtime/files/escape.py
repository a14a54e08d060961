#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots clients that try to see more than their folder, and checks the disk.

escape.py escape|nested FAT IMAGE COMMAND...
"""
import subprocess
import sys

import disk

LEFT = {"escape": ["home/out.txt", "out/in.txt", "read/in.txt", "secret.txt"],
        "nested": ["home/in.txt", "out/held", "out/in.txt", "out/inner", "read/in.txt",
                   "secret.txt"]}


def main():
    """Returns the status."""
    kind, fat, image, *command = sys.argv[1:]
    place = disk.make(image, fat)
    disk.run("mmd", "-i", place, "::out", "::out/inner")
    disk.run("mcopy", "-i", place, "-", "::out/in.txt", text=b"inside\n")
    status = subprocess.run(command, check=False).returncode
    if status:
        return status
    wrong = disk.damage(image)
    names = disk.run("mdir", "-/", "-b", "-i", place, "::").decode().split()
    found = sorted(name.removeprefix("::/") for name in names if not name.endswith("/"))
    wrong += [] if found == LEFT[kind] else found
    if disk.run("mtype", "-i", place, "::secret.txt") != b"outside\n":
        wrong.append("secret.txt has another content")
    print("escape.py:", *(wrong or ["the disk is as expected"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
