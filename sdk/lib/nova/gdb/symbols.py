# SPDX-License-Identifier: BSD-2-Clause
"""The programs whose symbols gdb has, besides the kernel's: only one of several programs at
overlapping addresses can be loaded."""

from pathlib import Path

import gdb

from nova import elf
from nova.errors import NovaError
from nova.gdb.view import Trouble


def ranges(path):
    """Returns the (first, last) address of each segment; raises NovaError."""
    return [(at, at + size - 1) for at, size in elf.segments(Path(path)) if size]


def overlap(some, others):
    return any(a <= d and c <= b for a, b in some for c, d in others)


class Programs:
    """The roottask, and modules that are programs."""

    def __init__(self, root, modules):
        self.loaded = {}
        self.left_out = []
        for path in [root, *modules]:
            try:
                where = ranges(path)
            except NovaError:
                continue  # a module may be anything
            if not where or overlap(where, sum(self.loaded.values(), [])):
                self.left_out.append(path)
            else:
                self._load(path, where)

    def _load(self, path, where):
        quoted = path.replace("\\", "\\\\").replace('"', '\\"')
        try:
            gdb.execute(f'add-symbol-file "{quoted}"', to_string=True)
        except gdb.error as error:
            raise Trouble(f"gdb cannot load the symbols of {path}: {error}") from None
        self.loaded[path] = where

    def _drop(self, path):
        quoted = path.replace("\\", "\\\\").replace('"', '\\"')
        gdb.execute(f'remove-symbol-file "{quoted}"', to_string=True)
        del self.loaded[path]

    def _take(self, word):
        """Loads the symbols of a file, or of a known program by its file's name, and drops those
        of programs at overlapping addresses."""
        known = [*self.loaded, *self.left_out]
        path = next((path for path in known if Path(path).name == word), word)
        try:
            where = ranges(path)
        except NovaError as error:
            raise Trouble(str(error)[:-1]) from None
        for other in [other for other in self.loaded if overlap(where, self.loaded[other])]:
            self._drop(other)
            if other not in self.left_out:
                self.left_out.append(other)
        self._load(path, where)
        if path in self.left_out:
            self.left_out.remove(path)

    def command(self, _context, words):
        if words:
            self._take(words[0])
        for path, where in self.loaded.items():
            yield f"{path}, {where[0][0]:#x} and up"
        for path in self.left_out:
            yield f"{path}: not loaded, another program has its addresses"
