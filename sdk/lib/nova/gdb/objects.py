# SPDX-License-Identifier: BSD-2-Clause
"""Finds the kernel's objects: starts from the microhypervisor's own capabilities and the CPUs, and
follows all references between objects and all delegations of capabilities."""

from nova.gdb import view, walk
from nova.gdb.view import Trouble, Unreadable

PD, EC, SC, PT, SM = range(5)
STRUCTS = ("pd", "ec", "sc", "pt", "sm")
SPACES = {"memory": "memory.space", "ports": "io.space", "objects": "object_space.space"}
OBJECTS = SPACES["objects"]
IDLE = 3  # EC_IDLE of enum ec_kind
WAITS_FOR_REPLY = (2, 3)  # EC_REPLY, EC_REPLY_ALONE of enum ec_state
CALLER_NONE = 0  # of enum caller_kind
NO_GSI = -1
CPU_MAX = 64
SEL_BITS = {8: 26, 4: 27}  # bits of a selector, by the size of a word in bytes
NAMED_BITS = 47  # bits of an address in a label; the upper bits of all addresses are equal
PERMISSIONS = 0x1F
PAGE_SIZE = 4096
NOT_BOOTED = "the kernel has not booted yet: let it run first"


def caller(ec):
    """Returns the EC that waits for an EC's reply; 0: none, regardless of the field's value."""
    return ec["caller"] if ec["caller_kind"] != CALLER_NONE else 0


def callee(ec):
    """Returns the EC whose reply an EC waits for; 0: none, regardless of the field's value."""
    return ec["callee"] if ec["state"] in WAITS_FOR_REPLY else 0


class Objects:
    """All objects; `found` has a dictionary of views by address for each kind."""

    def __init__(self, reader):
        self.reader = reader
        self.target = reader.target
        self.found = tuple({} for _ in STRUCTS)
        self.waiting = []
        self.kernel_pd = self._kernel_pd()
        self.cpus = []
        self._find_idle()

    def _kernel_pd(self):
        address = self.target.address("kernel_pd")
        try:
            pd = self.reader.view("pd", address)
        except Unreadable:
            raise Trouble(NOT_BOOTED) from None
        # A PD without its spaces: the kernel is still starting.
        if pd[f"{OBJECTS}.pd"] != address:
            raise Trouble(NOT_BOOTED)
        return pd

    def mappings(self, pd, space):
        """Yields the mappings in SPACE, one of the spaces of a PD, in order."""
        what = f"the {space} of {self.label(pd)}"
        if space == "objects":
            return self._object_mappings(pd, what)
        root = pd.at(f"{SPACES[space]}.tree.root")
        return walk.tree(self.reader, root, "mapping", "in_space", what)

    def children(self, mapping):
        """Yields the mappings that were delegated directly from MAPPING."""
        what = f"the list of mappings derived from mapping {mapping.address:#x}"
        if mapping.struct == "object_mapping":
            return walk.chain(self.reader, mapping["children"], "object_mapping", "next", what)
        root = mapping.at("children.root")
        return walk.tree(self.reader, root, "mapping", "in_parent", what)

    def _object_mappings(self, pd, what):
        # Pointers to the mappings are in the second half of each page of capabilities.
        slots = PAGE_SIZE // self.target.word // 2
        for base, page in self._pages(pd, what):
            for slot, address in enumerate(self.reader.words(page, 2 * slots, what)[slots:]):
                if not address:
                    continue
                mapping = self.reader.try_view("object_mapping", address, what)
                if not mapping:
                    break
                if mapping["sel"] != base + slot:
                    self.reader.complain(f"{what} is broken at selector {base + slot:#x}")
                    break
                yield mapping

    def _pages(self, pd, what):
        """Yields (first selector, address) of an object space's pages. A table or page that appears
        twice is one of the shared empty ones, which are visited once."""
        word = self.target.word
        entries = PAGE_SIZE // word
        top = (1 << SEL_BITS[word]) // (entries * entries // 2)
        tables = [pd["object_space.first"],
                  *self.reader.words(pd["object_space.top"], top, what)[1:]]
        seen = set()
        for index, table in enumerate(tables):
            if table in seen:
                continue
            seen.add(table)
            for slot, page in enumerate(self.reader.words(table, entries, what)):
                if page in seen:
                    continue
                if len(seen) >= view.LIMIT:
                    self.reader.complain(f"{what} does not end")
                    return
                seen.add(page)
                yield (index * entries + slot) * (entries // 2), page

    def capability(self, pd, sel):
        """Returns the capability at a selector as the kernel reads it."""
        word, read = self.target.word, self.reader.word
        entries = PAGE_SIZE // word
        number, slot = divmod(sel, entries // 2)
        index, number = divmod(number, entries)
        table = read(pd["object_space.top"] + index * word) if index else pd["object_space.first"]
        return read(read(table + number * word) + slot * word)

    def _find_idle(self):
        """Finds the CPUs by their idle threads, whose SCs are among the microhypervisor's own
        capabilities."""
        for mapping in self.mappings(self.kernel_pd, "objects"):
            sc = self.add(mapping["object"], "a capability of the microhypervisor", SC)
            ec = sc and self.add(sc["owner"], "the owner of an SC", EC)
            if ec and ec["kind"] == IDLE:
                self._add_cpu(ec["cpu"], "the CPU of an idle thread")

    def _add_cpu(self, address, what):
        if address in (cpu.address for cpu in self.cpus):
            return
        cpu = self.reader.try_view("cpu", address, what)
        if not cpu:
            return
        if cpu["id"] >= CPU_MAX:
            self.reader.complain(f"{what} is not a CPU: {address:#x} has number {cpu['id']}")
            return
        self.cpus.append(cpu)
        self.cpus.sort(key=lambda cpu: cpu["id"])
        self._follow_cpu(cpu)

    def add(self, address, what, kind=None):
        """Returns the view of an object, to be followed later; None if there is none, or if it is
        not of KIND."""
        if not address:
            return None
        head = self.reader.try_view("kobject", address, what)
        if not head:
            return None
        found = head["kind"]
        if found >= len(STRUCTS):
            self.reader.complain(f"{what} is not an object: {address:#x} is of kind {found}")
            return None
        if kind is not None and found != kind:
            return None
        objects = self.found[found]
        if address not in objects:
            entry = self.reader.try_view(STRUCTS[found], address, what)
            if not entry:
                return None
            objects[address] = entry
            self.waiting.append((found, entry))
        return objects[address]

    def want(self, address, kind, what):
        """Adds an object that must be of KIND."""
        if address and not self.add(address, what, kind):
            name = STRUCTS[kind].upper()
            self.reader.complain(f"{what} leads to {address:#x}, which is not {name}")

    def find_all(self):
        follow = (self._follow_pd, self._follow_ec, self._follow_sc, self._follow_pt)
        self.add(self.kernel_pd.address, "the microhypervisor's PD")
        self.add(self.target.number("report_root_ec"), "the roottask's first thread", EC)
        while self.waiting:
            kind, entry = self.waiting.pop()
            (follow + (self._follow_sm,))[kind](entry)
        return self

    def _follow_cpu(self, cpu):
        what = f"CPU {cpu['id']}"
        for field, kind in (("current", EC), ("current_sc", SC), ("current_pd", PD),
                            ("arch.fpu_owner", EC), ("idle_ec", EC), ("idle_sc", SC)):
            self.want(cpu[field], kind, f"{what}'s {field}")
        for _, sc in self.ready(cpu):
            self.want(sc.address, SC, f"{what}'s run queue")
        for ec in walk.heap(self.reader, cpu["timeouts.first"], "ec", "timeout",
                            f"{what}'s deadlines"):
            self.want(ec.address, EC, f"{what}'s deadlines")
        for head in walk.chain(self.reader, cpu["dying"], "kobject", "next",
                               f"{what}'s list of dying objects"):
            self.add(head.address, f"{what}'s list of dying objects")

    def ready(self, cpu):
        """Yields (priority, SC) in scheduling order."""
        what = f"what CPU {cpu['id']} runs next"
        first = cpu["run_queue.first"]
        sc = first and self.reader.try_view("sc", first, what)
        if sc:
            yield sc["prio"], sc
        for priority in reversed(range(cpu.field("run_queue.head").count)):
            first = cpu.item("run_queue.head", priority)
            what = f"CPU {cpu['id']}'s run queue of priority {priority}"
            for sc in walk.ring(self.reader, first, "sc", "next", what):
                yield priority, sc

    def _follow_pd(self, pd):
        for ec in walk.members(self.reader, pd.at("ecs"), "ec", "pd_link",
                               f"the list of ECs of {self.label(pd)}"):
            self.want(ec.address, EC, f"the list of ECs of {self.label(pd)}")
        for space in SPACES:
            for mapping in self.mappings(pd, space):
                if space == "objects":
                    self.add(mapping["object"], f"a capability of {self.label(pd)}")
                self._follow_children(mapping)

    def _follow_children(self, mapping):
        """Follows the delegations from a mapping to find the PDs that received them. Possibly no PD
        holds a capability for such a receiver."""
        waiting, seen = [mapping], set()
        while waiting:
            above = waiting.pop()
            if above.address in seen:
                self.reader.complain(f"mapping {above.address:#x} was delegated from itself")
                return
            seen.add(above.address)
            for child in self.children(above):
                space = child["space"] and self.reader.try_view(
                    "space", child["space"], "the space of a mapping"
                )
                if space:
                    self.want(space["pd"], PD, "the owner of a space")
                elif not child["space"]:
                    # This child has left its space, but its own children are still in their spaces.
                    waiting.append(child)

    def _follow_ec(self, ec):
        name = self.label(ec)
        self._add_cpu(ec["cpu"], f"the CPU of {name}")
        self.want(caller(ec), EC, f"{name}'s caller")
        self.want(callee(ec), EC, f"{name}'s callee")
        for field, kind in (("pd", PD), ("helping", EC),
                            ("donated", SC), ("wait_sm", SM), ("calling", PT), ("created", PD)):
            self.want(ec[field], kind, f"{name}'s {field}")
        for sc in walk.members(self.reader, ec.at("sleepers"), "sc", "link",
                               f"the sleepers of {name}"):
            self.want(sc.address, SC, f"the sleepers of {name}")

    def _follow_sc(self, sc):
        self.want(sc["ec"], EC, f"the EC of {self.label(sc)}")
        self.want(sc["owner"], EC, f"the owner of {self.label(sc)}")

    def _follow_pt(self, pt):
        self.want(pt["ec"], EC, f"the EC of {self.label(pt)}")

    def _follow_sm(self, sm):
        for ec in self.waiters(sm):
            self.want(ec.address, EC, f"the waiters of {self.label(sm)}")

    def waiters(self, sm):
        return walk.members(self.reader, sm.at("waiters"), "ec", "wait_link",
                            f"the waiters of {self.label(sm)}")

    def of(self, kind):
        """Returns the views of a kind, by address."""
        return [self.found[kind][address] for address in sorted(self.found[kind])]

    def label(self, entry):
        """Returns a label for an object: its name, else its description, else its address."""
        struct = entry.struct
        if struct == "pd" and entry.address == self.kernel_pd.address:
            return "kernel"
        if struct == "ec" and entry["kind"] == IDLE:
            return f"idle-{self.cpu_number(entry['cpu'])}"
        if struct == "sc":
            return f"of {self.label_at(entry['owner'], EC)}"
        return entry.text("name") or self._role(struct, entry) or self._by_address(entry)

    def _role(self, struct, entry):
        if struct == "pd" and entry["is_root"]:
            return "root"
        if struct == "ec" and entry.address == self.target.number("report_root_ec"):
            return "root"
        if struct == "sm" and entry["gsi"] != NO_GSI:
            return f"GSI {entry['gsi']}"
        return ""

    @staticmethod
    def _by_address(entry):
        return f"{entry.struct}@{entry.address & (1 << NAMED_BITS) - 1:x}"

    def label_at(self, address, kind):
        """Returns a label for the object at an address; "-" for none."""
        entry = self.found[kind].get(address) if address else None
        return self.label(entry) if entry else f"?{address:x}" if address else "-"

    def cpu_number(self, address):
        try:
            return self.reader.view("cpu", address)["id"]
        except Unreadable:
            return "?"

    def pd_named(self, word):
        """Returns the PD with the name or address WORD."""
        for pd in self.of(PD):
            if word in (self.label(pd), self._by_address(pd)):
                return pd
        try:
            address = self.target.value(word)
        except ValueError:
            address = None
        if address in self.found[PD]:
            return self.found[PD][address]
        names = ", ".join(self.label(pd) for pd in self.of(PD))
        raise Trouble(f"there is no PD '{word}'; there are: {names}")
