# SPDX-License-Identifier: BSD-2-Clause
"""Structures of the kernel as the debugger reads them. Their content is not trusted."""

from typing import NamedTuple

# Maximum number of entries followed in one list or tree.
LIMIT = 50_000
# Maximum number of problems reported for one command.
PROBLEMS = 64


class Trouble(Exception):
    """An error message for the user."""


class Unreadable(Trouble):
    """An address where there is no memory."""


class Field(NamedTuple):
    """Location of a number in a structure; count > 1: an array."""

    offset: int
    size: int
    signed: bool = False
    count: int = 1


class Layout(NamedTuple):
    """A structure of the debug information: its fields by path, such as `object.kind`."""

    size: int
    fields: dict


def _field(layout, struct, path):
    try:
        return layout.fields[path]
    except KeyError:
        raise Trouble(
            f"the debug information has no {path} in struct {struct}: "
            "kernel and commands are of different versions"
        ) from None


class View:
    """One structure, read once."""

    def __init__(self, kernel, struct, address):
        self.kernel = kernel
        self.struct = struct
        self.address = address
        self.layout = kernel.layout(struct)
        if address % kernel.word:
            raise Unreadable(f"{address:#x} is not an address of a struct {struct}")
        self.bytes = kernel.read(address, self.layout.size)

    def field(self, path):
        return _field(self.layout, self.struct, path)

    def item(self, path, index):
        """Returns an element of an array."""
        field = self.field(path)
        at = field.offset + index * field.size
        return int.from_bytes(self.bytes[at : at + field.size], "little", signed=field.signed)

    def __getitem__(self, path):
        return self.item(path, 0)

    def at(self, path):
        """Returns the address of a field or of a nested structure."""
        return self.address + self.field(path).offset

    def text(self, path):
        """Returns a string that may lack its terminator."""
        field = self.field(path)
        raw = self.bytes[field.offset : field.offset + field.count].split(b"\0")[0]
        return "".join(chr(byte) if 0x20 <= byte <= 0x7E else "?" for byte in raw)


class Reader:
    """Reads structures for one command, each once, and records problems."""

    def __init__(self, target):
        self.target = target
        self.problems = []
        self.views = {}

    def view(self, struct, address):
        key = (struct, address)
        if key not in self.views:
            self.views[key] = View(self.target, struct, address)
        return self.views[key]

    def try_view(self, struct, address, what):
        """Returns the view, or None with a recorded problem if it cannot be read."""
        try:
            return self.view(struct, address)
        except Unreadable as error:
            self.complain(f"{what}: {error}")
            return None

    def container(self, struct, path, address):
        """Returns the address of the structure whose field at PATH has the given address."""
        return address - _field(self.target.layout(struct), struct, path).offset

    def word(self, address):
        return int.from_bytes(self.target.read(address, self.target.word), "little")

    def words(self, address, count, what):
        """Returns consecutive words, or none with a recorded problem if they cannot be read."""
        size = self.target.word
        try:
            raw = self.target.read(address, count * size)
        except Unreadable as error:
            self.complain(f"{what}: {error}")
            return []
        return [int.from_bytes(raw[at : at + size], "little") for at in range(0, len(raw), size)]

    def complain(self, sentence):
        if sentence in self.problems or len(self.problems) > PROBLEMS:
            return
        if len(self.problems) == PROBLEMS:
            sentence = "there are more problems: does the kernel's file match this kernel?"
        self.problems.append(sentence)
