# SPDX-License-Identifier: BSD-2-Clause
"""Judges disks, with each type of FAT, on which ../files/client.c replaced files. fsck.fat may find
only lost clusters and a wrong count of free clusters. The copies of the table may differ only where
they were written since the last flush. Only a file that changed since then may have clusters after
its end. Files that were flushed must be whole."""
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import tables
from judge_files import SECTOR, expected

ENVIRONMENT = os.environ | {"MTOOLS_SKIP_CHECK": "1"}
ROUNDS_MIN = 20
ALLOWED = re.compile(r"fsck\.fat |\s*Reclaimed|Free cluster summary|\s*Auto-correcting|FATs differ|"
                     r"\s*Using first FAT|Leaving filesystem|/|$")
LONGER = re.compile(r"  File size is \d+ bytes, cluster chain length is > \d+ bytes\.")
CUT = re.compile(r"  Truncating file to \d+ bytes\.")


def changing(last):
    """Returns the pattern of the files that client.c can change after a completed round."""
    names = "journal|load/new.tmp" if last < 0 else f"load/new.tmp|load/other {last % 3}"
    return re.compile(f"/home/({names})$", re.IGNORECASE)


def complaints(image, last):
    """Returns the output of fsck.fat without the permitted sentences."""
    may_be_longer = changing(last)
    lines = subprocess.run(["/usr/sbin/fsck.fat", "-n", image], env=ENVIRONMENT, text=True,
                           check=False, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT).stdout.split("\n")
    return [line for i, line in enumerate(lines)
            if not ALLOWED.match(line) and not line.startswith(str(image)) and
            not (LONGER.match(line) and may_be_longer.match(lines[i - 1])) and
            not (CUT.match(line) and LONGER.match(lines[i - 1]))]


def content_of(number):
    """Returns the data that client.c writes in a round."""
    return expected(number, 600 + number * 389 % 9000)


def missing(image, folder, last):
    """Returns the numbers of the rounds whose files are damaged, among the six rounds that end with
    round LAST."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["mcopy", "-s", "-n", "-Q", "-i", image, "::home/load", folder],
                   env=ENVIRONMENT, check=False, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    found = {path.name: path.read_bytes() for path in (folder / "load").glob("*")}
    wrong = []
    for number in range(max(0, last - 5), last + 1):
        names = [f"a file with the number {number % 7}"] + ["new.tmp"] * (number == last)
        if not any(found.get(name) == content_of(number) for name in names):
            wrong.append(number)
    return wrong


class Judge:
    """Judges disks. last[n] is the last round whose end is reported by the first n entries of the
    record; -1: none."""

    def __init__(self, base, entries, folder):
        (first,) = struct.unpack_from("<I", base, 446 + 8)
        self.place, self.entries = first * SECTOR, entries
        self.image, self.folder = Path(folder) / "part", Path(folder) / "files"
        self.last, self.promises = [-1], 0
        for entry in entries:
            match = entry and re.match(rb"round (\d+) is lasting\0", entry.data)
            self.last.append(max(self.last[-1], int(match[1])) if match else self.last[-1])
            self.promises += bool(match)
        if self.promises < ROUNDS_MIN:
            sys.exit(f"loss.py: only {self.promises} rounds are in the record")

    def judge(self, disk, start, cut):
        """Returns a sentence about a bad disk; None for a good one."""
        part, last = memoryview(disk)[self.place:], self.last[cut]
        self.image.write_bytes(part)
        wrong = [f"round {number} is not whole"
                 for number in missing(self.image, self.folder, last)]
        wrong += complaints(self.image, last)
        differ = tables.difference(part, self.place, self.entries[start:cut])
        wrong += [differ] if differ else []
        return f"round {last}: {'; '.join(wrong)}" if wrong else None
