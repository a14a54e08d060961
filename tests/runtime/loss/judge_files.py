# SPDX-License-Identifier: BSD-2-Clause
"""Judges disks that files.c wrote: fsck.fat finds nothing worse than FAT allows, the copies of the
table differ only where they were written since the last flush, and files that were flushed are
whole."""
import functools
import os
import subprocess

import tables
from fat16 import Damaged, Fat16

SECTOR = 512
FIRST, BLOCKS, MARK = 64, 8192, 64 + 8192  # the partition of files, and the block of the marks
# What fsck.fat may report: lost clusters, a stale count, the dirty flag. Tables that differ and
# chains longer than their files are the traces of a change: FAT cannot change both tables, or the
# chain and the size, at once. fsck.fat does not know which files change, so the judge itself checks
# these two.
ALLOWED = ("fsck.fat ", "  Reclaim", "Reclaimed", "Free cluster summary", "  Auto-corr",
           "FATs differ", "  Using first FAT", "Using first FAT", "Leaving file", "Dirty bit",
           "  Automatically", "/")
LONGER = "cluster chain length is > "


@functools.lru_cache(maxsize=None)
def expected(version, size):
    """Returns the data that files.c and ../files/client.c write."""
    return bytes((i * 7 + version * 31 + (i >> 9)) & 0xFF for i in range(size))


def _complaint(text, image):
    """Returns a sentence of fsck.fat that must not be there; None: there is none."""
    before = ""
    for line in text.splitlines():
        good = not line or line.startswith((*ALLOWED, image)) or LONGER in line
        if not good and not (line.startswith("  Truncating file to ") and LONGER in before):
            return line
        before = line
    return None


def _follow(promises, words):
    """Returns the promises after a mark: the permitted versions and sizes of each file. Without a
    version the file may have changed in any way."""
    verb, version, size, path = words
    promises = dict(promises)
    if verb == "touch":
        promises[path] = []
    elif verb == "either":
        promises[path] = [*promises[path], (int(version), int(size))]
    else:
        promises[path] = [(int(version), int(size))]
    return promises


class Judge:
    """Finds the promises at each entry of the record."""

    def __init__(self, _base, entries, folder):
        self.image, self.entries = os.path.join(folder, "judged"), entries
        self.wanted, self.promises = [{}], 0
        for entry in entries:
            wanted = self.wanted[-1]
            if entry and entry.offset <= MARK * SECTOR < entry.offset + len(entry.data):
                text = entry.data[MARK * SECTOR - entry.offset:].split(b"\n")[0].decode()
                wanted = _follow(wanted, text.split(" ", 3))
                self.promises += text.startswith("flushed")
            self.wanted.append(wanted)

    def _fsck(self, part):
        """Returns a complaint of fsck.fat about a file system; None: there is none."""
        with open(self.image, "wb") as file:
            file.write(part)
        fsck = subprocess.run(["/usr/sbin/fsck.fat", "-n", self.image], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wrong = _complaint(fsck.stdout, self.image)
        return f"fsck.fat: {wrong}" if wrong or fsck.returncode not in (0, 1) else None

    def judge(self, disk, start, cut):
        """Returns a sentence about a bad disk; None for a good one."""
        part = memoryview(disk)[FIRST * SECTOR:(FIRST + BLOCKS) * SECTOR]
        wrong = self._fsck(part) or tables.difference(part, FIRST * SECTOR, self.entries[start:cut])
        if wrong:
            return wrong
        system = Fat16(part)
        try:
            files = system.files()
        except Damaged as error:
            return str(error)
        wanted = self.wanted[cut]
        changing = {path for path, versions in wanted.items() if len(versions) != 1}
        for path in sorted(system.longer - changing):
            return f"the chain of {path}, which did not change, is longer than the file"
        for path, versions in wanted.items():
            if versions and path not in files:
                return f"{path} is lost"
            if versions and not any(files[path] == expected(*version) for version in versions):
                return f"{path} has {len(files[path])} bytes, instead of a version of {versions}"
        return None
