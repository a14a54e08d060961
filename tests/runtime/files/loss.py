#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system that writes files, and makes the disks that a loss of power could have left.

loss.py FAT IMAGES EXPECTED IMAGE COMMAND...

As ../loss/loss.py, but with disks of mkfs.fat of each type of FAT, which mtools read. fsck.fat may
find lost clusters and a wrong count of free clusters. Copies of the table differ only where they
were written since the last flush, only a file that changed since may have clusters after its end,
and files that client.c has flushed are whole. EXPECTED is `whole`, or `broken` if a disk must lack
such a file.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import disk

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "loss"))
import record  # noqa: E402
import tables  # noqa: E402

ALLOWED = re.compile(r"fsck\.fat |\s*Reclaimed|Free cluster summary|\s*Auto-correcting|FATs differ|"
                     r"\s*Using first FAT|Leaving filesystem|/|$")
LONGER = re.compile(r"  File size is \d+ bytes, cluster chain length is > \d+ bytes\.")
CUT = re.compile(r"  Truncating file to \d+ bytes\.")


def changing(last):
    """Returns the pattern of the files that client.c can change after a round is lasting."""
    names = "journal|load/new.tmp" if last < 0 else f"load/new.tmp|load/other {last % 3}"
    return re.compile(f"/home/({names})$", re.IGNORECASE)


def complaints(image, last):
    """Returns what fsck.fat says beyond what is allowed."""
    may_be_longer = changing(last)
    lines = subprocess.run(["fsck.fat", "-n", image], env=disk.ENVIRONMENT, text=True, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.split("\n")
    return [line for i, line in enumerate(lines)
            if not ALLOWED.match(line) and not line.startswith(str(image)) and
            not (LONGER.match(line) and may_be_longer.match(lines[i - 1])) and
            not (CUT.match(line) and LONGER.match(lines[i - 1]))]


def content_of(number):
    """Returns what client.c writes in a round."""
    return disk.expected(number, 600 + number * 389 % 9000)


def missing(image, folder, last):
    """Returns the rounds up to the last lasting one whose files are not whole."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["mcopy", "-s", "-n", "-Q", "-i", image, "::home/load", folder],
                   env=disk.ENVIRONMENT, check=False, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    found = {path.name: path.read_bytes() for path in (folder / "load").glob("*")}
    wrong = []
    for number in range(max(0, last - 5), last + 1):
        names = [f"a file with the number {number % 7}"] + ["new.tmp"] * (number == last)
        if not any(found.get(name) == content_of(number) for name in names):
            wrong.append(number)
    return wrong


def examine(before, entries, images):
    """Returns the number of disks that break the rules, and of those without a flushed file."""
    lasting = {}  # number of the entry after which a round is lasting
    for i, entry in enumerate(entries):
        match = entry and re.match(rb"round (\d+) is lasting\0", entry.data)
        if match:
            lasting[i] = int(match[1])
    if len(lasting) < 20:
        sys.exit(f"loss.py: only {len(lasting)} rounds are in the record")
    broken = lossy = 0
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image"
        for left, start, cut in record.images(before, entries, images, seed=1):
            last = max((number for i, number in lasting.items() if i < cut), default=-1)
            part = memoryview(left)[disk.FIRST * 512:]
            image.write_bytes(part)
            lost = missing(image, Path(folder) / "files", last)
            wrong = complaints(image, last) + [f"round {number} is not whole" for number in lost]
            differ = tables.difference(part, disk.FIRST * 512, entries[start:cut])
            wrong += [differ] if differ else []
            broken += bool(wrong)
            lossy += bool(lost)
            if wrong and broken < 4:
                print(f"loss.py: after {cut} entries, round {last}:", *wrong, sep="\n  ")
    return broken, lossy


def main():
    """Returns the status."""
    fat, images, expected, image, *command = sys.argv[1:]
    disk.make(image, fat)
    before = Path(image).read_bytes()
    log = Path(image + ".log")
    log.write_bytes(b"")
    status = subprocess.run(command, check=False).returncode
    if status:
        return status
    entries = record.read(log)
    flushes = entries.count(None)
    broken, lossy = examine(before, entries, int(images))
    log.unlink()
    print(f"loss.py: {len(entries) - flushes} writes and {flushes} flushes are recorded; "
          f"{broken} of {images} disks break the rules, {lossy} of them lack a flushed file")
    return int(not lossy if expected == "broken" else bool(broken))


if __name__ == "__main__":
    sys.exit(main())
