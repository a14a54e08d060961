# SPDX-License-Identifier: BSD-2-Clause
"""Walks lists, rings, trees and heaps of the kernel. They may contain garbage, so every walk is
bounded and reports problems. Each walk yields views."""

from nova.gdb import view


def chain(reader, first, struct, path, what):
    """Walks a list that ends with NULL: begins at FIRST, and follows field PATH."""
    seen = set()
    while first:
        if first in seen or len(seen) >= view.LIMIT:
            reader.complain(f"{what} does not end")
            return
        seen.add(first)
        entry = reader.try_view(struct, first, what)
        if not entry:
            return
        yield entry
        first = entry[path]


def ring(reader, first, struct, path, what):
    """Walks a ring without a head, beginning with FIRST (0: empty)."""
    entry = first and reader.try_view(struct, first, what)
    seen = set()
    while entry:
        if entry.address in seen or len(seen) >= view.LIMIT:
            reader.complain(f"{what} does not come back to its first entry")
            return
        seen.add(entry.address)
        yield entry
        if entry[path] == first:
            return
        entry = reader.try_view(struct, entry[path], what)


def members(reader, head, struct, link, what):
    """Walks a ring of structures that contain field LINK. The ring's head lies at address HEAD."""
    seen = {head}
    at = reader.try_view("list", head, what)
    while at:
        back, address = at.address, at["next"]
        if address == head:
            return
        if address in seen or len(seen) > view.LIMIT:
            reader.complain(f"{what} does not come back to its head")
            return
        seen.add(address)
        at = reader.try_view("list", address, what)
        if not at:
            return
        if at["prev"] != back:
            reader.complain(f"{what} is broken at {address:#x}: its back link is wrong")
        entry = reader.try_view(struct, reader.container(struct, link, address), what)
        if not entry:
            return
        yield entry


def tree(reader, root, struct, node, what):
    """Walks an interval tree of structures that contain field NODE, in order. ROOT is the address
    of the pointer to the root. Parent links show whether the tree is intact."""
    seen = set()
    waiting = []
    at, parent = reader.word(root), root | 1
    while at or waiting:
        if at:
            if at in seen or len(seen) >= view.LIMIT:
                reader.complain(f"{what} is not a tree: it comes back to {at:#x}, or has no end")
                return
            seen.add(at)
            entry = reader.try_view(struct, reader.container(struct, node, at), what)
            if entry and entry[f"{node}.parent"] == parent:
                waiting.append(entry)
                at, parent = entry[f"{node}.left"], at
                continue
            if entry:
                reader.complain(f"{what} is broken at {at:#x}: its parent link is wrong")
        if not waiting:
            return
        entry = waiting.pop()
        yield entry
        at, parent = entry[f"{node}.right"], entry.at(node)


def heap(reader, root, struct, node, what):
    """Walks a heap of structures that contain field NODE. ROOT is the address of the first node."""
    waiting = [root] if root else []
    seen = set()
    while waiting:
        at = waiting.pop()
        if at in seen or len(seen) >= view.LIMIT:
            reader.complain(f"{what} is not a heap: it comes back to {at:#x}, or has no end")
            return
        seen.add(at)
        entry = reader.try_view(struct, reader.container(struct, node, at), what)
        if not entry:
            continue
        yield entry
        waiting += [entry[f"{node}.{way}"] for way in ("right", "left") if entry[f"{node}.{way}"]]


def above(reader, node, what):
    """Returns the address of the root pointer of the tree that contains the node at an address, or
    None."""
    for _ in range(256):  # even a balanced tree of 2^64 nodes is less deep
        entry = reader.try_view("tree_node", node, what)
        parent = entry["parent"] if entry else 0
        if parent & 1:
            return parent & ~1
        if not parent:
            return None
        node = parent
    reader.complain(f"{what} does not lead up to a root")
    return None
