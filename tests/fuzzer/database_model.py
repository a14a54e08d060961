# SPDX-License-Identifier: BSD-2-Clause
"""A model of the kernel's mapping database at a time when no operation is in progress: what the
spaces of all PDs, the trees of derivation and the tables that the CPUs read must contain. It reads
the kernel's memory through nova.gdb and uses none of the kernel's functions."""

from nova.gdb import walk
from nova.gdb.objects import IDLE, SEL_BITS, SPACES
from nova.gdb.view import Unreadable

UTCB = 0x1  # MAPPING_UTCB of mapping.h
OBJECT_HEAD = 64  # bytes in front of an object, with its first mapping
# Fields of an EC that are not 0 while it is in the middle of a delegation or a revocation.
OPEN = ("revocation.pin", "revocation.owed_end", "transfer.delegation.child")
SHOWN = 12  # messages about one kind of difference


class Mapping:
    """A mapping as the space of a PD lists it."""

    def __init__(self, pd, space, view):
        self.pd, self.space, self.view = pd, space, view
        self.address = view.address
        if space == "objects":
            self.first = self.last = view["sel"]
            self.source = self.source_last = view["object"]
            self.attr = 0
        else:
            self.first, self.last = view["in_space.start"], view["in_space.last"]
            self.source, self.source_last = view["in_parent.start"], view["in_parent.last"]
            self.attr = view["attr"]
        self.perms = view["perms"]

    def has_parent(self):
        return bool(self.view["parent" if self.space == "objects" else "in_parent.parent"])

    def __str__(self):
        return f"{self.first:#x}..{self.last:#x} at {self.address:#x}"


class Database:
    """All mappings of all PDs, and the differences from the rules."""

    def __init__(self, objects):
        self.objects = objects
        self.reader = objects.reader
        self.pds = objects.of(0)
        self.differences = []
        self.listed = {}
        self.spaces = {}
        for pd in self.pds:
            self._read_objects(pd)
            for space in ("memory", "ports"):
                self.spaces[pd.address, space] = [Mapping(pd, space, view) for view
                                                  in objects.mappings(pd, space)]
        for found in self.spaces.values():
            for mapping in found:
                if mapping.address in self.listed:
                    self.wrong("twice", f"two spaces list the mapping {mapping}")
                self.listed[mapping.address] = mapping

    def wrong(self, kind, text):
        if sum(what == kind for what, _ in self.differences) < SHOWN:
            self.differences.append((kind, text))

    def label(self, pd):
        return self.objects.label(pd)

    def in_space(self, pd, space):
        return self.spaces[pd.address, space]

    def count(self, space):
        """Returns the number of mappings of one of the SPACES in all PDs."""
        return sum(len(found) for (_, name), found in self.spaces.items() if name == space)

    # The tables of capabilities, and the mappings in them.

    def object_tables(self, pd):
        """Yields (first selector or None, address) of the tables of an object space. A page of
        capabilities has a first selector. The tables of the kernel's PD above its first selectors
        are the shared empty ones."""
        word, null_top = self.objects.target.word, self.objects.kernel_pd["object_space.top"]
        null_middle = self.reader.word(null_top)
        null_page = self.reader.word(null_middle)
        slots = 4096 // word
        top = pd["object_space.top"]
        middles = [pd["object_space.first"]]
        if top != null_top:
            yield None, top
            count = (1 << SEL_BITS[word]) * 2 // slots // slots
            middles += self.reader.words(top, count, "a table of object spaces")[1:]
        for index, middle in enumerate(middles):
            if middle == null_middle:
                continue
            yield None, middle
            for number, page in enumerate(self.reader.words(middle, slots, "a table of pages")):
                if page != null_page:
                    yield (index * slots + number) * (slots // 2), page

    def _read_objects(self, pd):
        """Reads the mappings of an object space, and compares them with its capabilities."""
        found = self.spaces[pd.address, "objects"] = []
        slots = 4096 // self.objects.target.word // 2
        for base, page in self.object_tables(pd):
            if base is None:
                continue
            words = self.reader.words(page, 2 * slots, f"capabilities of {self.label(pd)}")
            if not any(words):
                self.wrong("objects", f"{self.label(pd)} has an empty page of capabilities")
            for slot, address in enumerate(words[slots:]):
                if address:
                    view = self.reader.view("object_mapping", address)
                    found.append(Mapping(pd, "objects", view))
                self._compare_capability(pd, base + slot, words[slot], found[-1] if address else 0)

    def _compare_capability(self, pd, sel, capability, mapping):
        expected = mapping.source | mapping.perms if mapping else 0
        if mapping and mapping.first != sel:
            self.wrong("objects", f"{self.label(pd)} has mapping {mapping} at selector {sel:#x}")
        if capability != expected:
            self.wrong("objects", f"{self.label(pd)}'s table has {capability:#x} at selector "
                                  f"{sel:#x}, the database {expected:#x}")

    # The rules of the database itself.

    def check_rules(self):
        for (pd, space), found in self.spaces.items():
            for mapping in found:
                self._check_mapping(mapping)
            if space != "objects":
                self._check_order(self.objects.found[0][pd], space, found)
        self._check_trees()

    def _check_order(self, pd, space, found):
        for one, other in zip(found, found[1:]):
            if other.first <= one.last:
                self.wrong("order", f"the {space} of {self.label(pd)} have {one} before {other}")

    def _check_mapping(self, mapping):
        view, pd = mapping.view, mapping.pd
        what = f"mapping {mapping} of the {mapping.space} of {self.label(pd)}"
        utcb = mapping.attr & UTCB
        field = SPACES[mapping.space]
        if mapping.space == "objects":
            field = field.removesuffix(".space")
        if view["space"] != pd.at(field):
            self.wrong("space", f"{what} says that it is in another space")
        if view["pins"] != (1 if utcb else 0):
            self.wrong("pins", f"{what} has {view['pins']} pins")
        if bool(mapping.perms) == bool(utcb):
            self.wrong("permissions", f"{what} has permissions {mapping.perms}")
        if mapping.space != "objects" and (
            mapping.first > mapping.last
            or mapping.last - mapping.first != mapping.source_last - mapping.source
        ):
            self.wrong("range", f"{what} has a wrong range")
        if mapping.space == "ports" and mapping.first != mapping.source:
            self.wrong("range", f"{what} gives other ports: {mapping.source:#x}")
        if not mapping.has_parent() and view["depth"]:
            self.wrong("depth", f"{what} has depth {view['depth']} and no parent")

    def _check_trees(self):
        """Follows the derivations down from all mappings without a parent: each mapping must be
        met once."""
        met = set()
        waiting = []
        for mapping in self.listed.values():
            if not mapping.has_parent():
                self._check_origin(mapping)
                met.add(mapping.address)
                waiting.append(mapping)
        while waiting:
            parent = waiting.pop()
            for view in self.objects.children(parent.view):
                child = self.listed.get(view.address)
                if view.address in met:
                    self.wrong("trees", f"mapping {view.address:#x} has two parents")
                elif not child:
                    self.wrong("trees", f"mapping {view.address:#x}, derived from {parent}, is in "
                                        "no space")
                else:
                    self._check_child(parent, child)
                    waiting.append(child)
                met.add(view.address)
        for address, mapping in self.listed.items():
            if address not in met:
                self.wrong("trees", f"mapping {mapping} of {self.label(mapping.pd)} has no origin")

    def _check_origin(self, mapping):
        """Checks that a mapping may have no parent: one of the kernel's, those with which the root
        PD began, a UTCB, and an object's first one."""
        pd = mapping.pd
        if mapping.space == "objects":
            if mapping.address != mapping.source - OBJECT_HEAD:
                self.wrong("trees", f"mapping {mapping} of {self.label(pd)} has no parent")
        elif pd.address != self.objects.kernel_pd.address and not pd["is_root"] \
                and not mapping.attr & UTCB:
            self.wrong("trees", f"mapping {mapping} of {self.label(pd)} has no parent")

    def _check_child(self, parent, child):
        what = f"mapping {child} of {self.label(child.pd)}, derived from {parent},"
        if child.space != parent.space:
            self.wrong("trees", f"{what} is of another type")
        if child.source < parent.source or child.source_last > parent.source_last:
            self.wrong("trees", f"{what} is not inside")
        if child.perms & ~parent.perms:
            self.wrong("permissions", f"{what} has permissions {child.perms:#x} of "
                                      f"{parent.perms:#x}")
        if child.view["depth"] != parent.view["depth"] + 1:
            self.wrong("depth", f"{what} has depth {child.view['depth']}")
        if child.space == "objects":
            self._check_links(parent, child, what)

    def _check_links(self, parent, child, what):
        view = child.view
        if view["parent"] != parent.address:
            self.wrong("trees", f"{what} says that its parent is {view['parent']:#x}")
        try:
            if self.reader.word(view["link"]) == child.address:
                return
        except Unreadable:
            pass
        self.wrong("trees", f"{what} has a wrong link")


def open_operations(objects):
    """Returns what is still in progress, in words; none if the database must be settled."""
    found = []
    for ec in objects.of(1):
        if ec["kind"] == IDLE:
            continue
        fill = ec["transfer.delegation.fill"] < ec["transfer.delegation.fill_end"]
        parts = [field for field in OPEN if ec[field]] + ["fill"] * fill
        if parts:
            found.append(f"{', '.join(parts)} of {objects.label(ec)}")
    for cpu in objects.cpus:
        number = cpu["id"]
        if cpu["dying"] or any(cpu[f"{batch}.{part}"] for batch in ("filling", "waiting")
                               for part in ("objects", "frames")):
            found.append(f"the end of objects on CPU {number}")
        if cpu["current"] != cpu["idle_ec"] and objects.target.live_ip(cpu, False) is None:
            found.append(f"the kernel on CPU {number}")
    return found


def scs_left(objects):
    """Adds the SCs without capabilities, which their ECs end."""
    for ec in objects.of(1):
        for field in ("sc_due", "sc_stays"):
            for head in walk.chain(objects.reader, ec[field], "kobject", "next",
                                   f"the SCs that {objects.label(ec)} must end"):
                objects.want(head.address, 2, f"{field} of {objects.label(ec)}")
    return objects

