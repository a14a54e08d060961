#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system whose service `files` crashes, and checks the disk with the host's tools.

crash.py SYSTEM FAT IMAGE COMMAND...

fsck.fat may find the results of a crash in the middle of a change: lost clusters, a wrong count of
free clusters, copies of the table that differ, and clusters after the end of a file. The files of
the clients of crash.c have the content that was flushed last.
"""
import re
import subprocess
import sys
from pathlib import Path

import disk

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "loss"))
import judge_rounds  # noqa: E402

CLIENTS = ("one", "two", "three")
NAMES = 5


def content_of(number):
    """Returns the data that crash.c writes."""
    return disk.expected(number, 600 + number * 389 % 5400)


def complaints(image):
    """Returns the output of fsck.fat without the permitted sentences."""
    part = Path(image + ".part")
    part.write_bytes(Path(image).read_bytes()[disk.FIRST * 512:])
    lines = subprocess.run(["fsck.fat", "-n", part], env=disk.ENVIRONMENT, text=True, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.split("\n")
    part.unlink()
    return [line for line in lines if not judge_rounds.ALLOWED.match(line) and
            not judge_rounds.LONGER.match(line) and not judge_rounds.CUT.match(line) and
            not line.startswith(str(part))]


def main():
    """Returns the status."""
    _, fat, image, *command = sys.argv[1:]
    place = disk.make(image, fat)
    for client in CLIENTS:
        disk.run("mmd", "-i", place, f"::{client}")
    output = subprocess.run(command, check=False, text=True, errors="replace",
                            stdout=subprocess.PIPE)
    print(output.stdout)
    if output.returncode:
        return output.returncode
    wrong = complaints(image)
    for client in CLIENTS:
        count = re.search(rf"^{client}: (\d+) files were replaced", output.stdout, re.MULTILINE)
        last = int(count[1]) if count else 0
        wrong += [] if last else [f"{client} has replaced no file"]
        for number in range(max(1, last - NAMES + 1), last + 1):
            name = f"{client}/a file with the number {number % NAMES}"
            if disk.run("mtype", "-i", place, "::" + name) != content_of(number):
                wrong.append(name)
    if disk.run("mtype", "-i", place, "::secret.txt") != b"outside\n":
        wrong.append("secret.txt")
    print("crash.py:", *(wrong or ["the disk is as expected"]), sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
