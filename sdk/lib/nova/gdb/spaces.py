# SPDX-License-Identifier: BSD-2-Clause
"""The listings of one PD: its capabilities, and its mappings with all mappings derived from
them."""

from nova.gdb import view, walk
from nova.gdb.objects import PD, PERMISSIONS, SPACES, STRUCTS
from nova.gdb.view import Unreadable

PAGE_BITS = 12
# The meaning of each permission bit, by kind of object; "": no meaning.
NAMES = {
    "pd": ("pd", "ec", "sc", "pt", "sm"),
    "ec": ("ct", "", "sc", "pt", ""),
    "sc": ("ct", "", "", "", ""),
    "pt": ("call", "", "", "", ""),
    "sm": ("up", "down", "", "", ""),
}
ATTRIBUTES = ((0x1, "UTCB"), (0x2, "DMA"), (0x4, "guest"), (0x8, "whole"),
              (0x10, "barren"))  # MAPPING_… of mapping.h
DEPTH = 64  # maximum depth of shown delegations


def permissions(names, bits):
    return "+".join(name for bit, name in enumerate(names) if name and bits >> bit & 1) or "none"


def caps(objects, pd):
    """Lists a PD's capability space."""
    yield ("selector", "kind", "object", "address", "permissions", "")
    for mapping in objects.mappings(pd, "objects"):
        entry = objects.add(mapping["object"], f"a capability of {objects.label(pd)}")
        if not entry:
            continue
        note = "dead" if entry["object.dead"] else ""
        if pd.address != objects.kernel_pd.address:
            note = note or _check(objects, pd, mapping)
        yield (f"{mapping['sel']:#x}", entry.struct.upper(), objects.label(entry),
               f"{entry.address:#x}", permissions(NAMES[entry.struct], mapping["perms"]), note)


def _check(objects, pd, mapping):
    """Reports differences between table and mapping; the kernel uses the table."""
    sel = mapping["sel"]
    try:
        at = objects.capability(pd, sel)
    except Unreadable as error:
        return f"its table cannot be read: {error}"
    if at == mapping["object"] | mapping["perms"]:
        return ""
    objects.reader.complain(f"selector {sel:#x}: the table and the mapping do not agree")
    return f"the table has {at & ~PERMISSIONS:#x}, permissions {at & PERMISSIONS:#x}"


def _range(space, first, last):
    if space == "memory":
        return f"{first << PAGE_BITS:#x}..{(last + 1 << PAGE_BITS) - 1:#x}"
    return f"{first:#x}" if first == last else f"{first:#x}..{last:#x}"


def _line(objects, space, mapping):
    """Describes a mapping: selectors, their objects or addresses, permissions."""
    if space == "objects":
        text = f"{mapping['sel']:#x}"
        if not mapping["space"]:
            return f"{text}, which was revoked"
        entry = objects.add(mapping["object"], "the object of a mapping")
        kind = entry.struct if entry else STRUCTS[0]
        name = f"{kind.upper()} {objects.label(entry)}" if entry else "?"
        return f"{text} is {name}, {permissions(NAMES[kind], mapping['perms'])}"
    text = _range(space, mapping["in_space.start"], mapping["in_space.last"])
    if space == "ports":
        return f"ports {text}"
    source = _range(space, mapping["in_parent.start"], mapping["in_parent.last"])
    notes = [name for bit, name in ATTRIBUTES if mapping["attr"] & bit]
    rights = permissions("rwx", mapping["perms"]).replace("+", "")
    return f"{text} is {source}, {' '.join([rights, *notes])}"


def _owner(objects, mapping):
    """Returns the name of the PD that owns a mapping's space; if the mapping has left its space,
    returns a text that says so."""
    space = mapping["space"] and objects.reader.try_view(
        "space", mapping["space"], "the space of a mapping"
    )
    return objects.label_at(space["pd"], PD) if space else "no PD any more"


def _parent(objects, mapping):
    """Returns the origin of a mapping in words."""
    if mapping.struct == "object_mapping":
        above = mapping["parent"]
        parent = above and objects.reader.try_view("object_mapping", above, "a parent mapping")
        return f", from {_owner(objects, parent)}" if parent else ""
    node = mapping.at("in_parent")
    if not mapping["in_parent.parent"]:
        return ""
    root = walk.above(objects.reader, node, f"mapping {mapping.address:#x}")
    if root is None:
        return ", from an unknown one"
    parent = objects.reader.try_view(
        "mapping", objects.reader.container("mapping", "children", root), "a parent mapping"
    )
    return f", from {_owner(objects, parent)}" if parent else ""


def mappings(objects, pd, spaces):
    """Lists a PD's mappings and, indented below each, the mappings derived from it."""
    left = view.LIMIT
    for space in spaces:
        yield f"{space} of {objects.label(pd)}:"
        empty = True
        for mapping in objects.mappings(pd, space):
            empty = False
            yield f"  {_line(objects, space, mapping)}{_parent(objects, mapping)}"
            for depth, child in _below(objects, mapping):
                left -= 1
                if left < 0:
                    objects.reader.complain(f"only the first {view.LIMIT} mappings are shown")
                    return
                owner = _owner(objects, child)
                yield f"  {'  ' * depth}- {owner}: {_line(objects, space, child)}"
        if empty:
            yield "  none"


def _below(objects, mapping):
    """Yields (depth, mapping) of all mappings derived from a mapping, parents before children."""
    waiting = [(1, child) for child in reversed(list(objects.children(mapping)))]
    while waiting:
        depth, child = waiting.pop()
        yield depth, child
        if depth == DEPTH:
            objects.reader.complain(f"delegations deeper than {DEPTH} are not shown")
            continue
        deeper = objects.children(child)
        waiting += [(depth + 1, entry) for entry in reversed(list(deeper))]


def space_names(word):
    """Returns the spaces that a WORD of a command names."""
    if not word:
        return tuple(SPACES)
    found = tuple(name for name in SPACES if name.startswith(word))
    if not found:
        raise view.Trouble(f"'{word}' is not one of {', '.join(SPACES)}")
    return found
