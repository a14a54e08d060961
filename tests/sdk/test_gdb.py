# SPDX-License-Identifier: BSD-2-Clause
"""The walkers behind gdb's command `nova`, over memory that is made up and then broken."""

import collections
import re
import unittest
import unittest.mock

import paths
from nova.gdb import listings, spaces, view, walk
from nova.gdb.log import log
from nova.gdb.objects import Objects
from nova.gdb.view import Field, Layout, Reader, Trouble, Unreadable

WORD = 8
TABLE = 512
NODE = ("parent", "left", "right", "start", "last", "max")
TREE_NODE = {name: WORD for name in NODE}


def _inside(prefix, fields):
    return {f"{prefix}.{name}": size for name, size in fields.items()}


OBJECT = {"object.kind": 1, "object.dead": 1, "object.references": 4, "object.account": WORD,
          "object.next": WORD}
NAME = {"name": (1, 8)}
SPACE = ("tree.root", "pd")
STRUCTS = {
    "list": {"next": WORD, "prev": WORD},
    "tree_node": TREE_NODE,
    "kobject": {"kind": 1, "dead": 1, "references": 4, "account": WORD, "next": WORD},
    "space": {name: WORD for name in SPACE},
    "account": {"used": WORD, "limit": WORD},
    "item": {"value": WORD, "link": 2 * WORD, "next": WORD, **_inside("node", TREE_NODE)},
    "pd": {
        **OBJECT, "account": WORD, "object_space.first": WORD, "object_space.top": WORD,
        **{f"{part}.{name}": WORD for part in ("object_space.space", "memory.space", "io.space")
           for name in SPACE},
        "ecs": 2 * WORD, **NAME, "is_root": 1,
    },
    "ec": {
        **OBJECT, "state": 1, "caller_kind": 1, "kind": 1, "pd": WORD, "cpu": WORD,
        "caller": WORD, "callee": WORD,
        "helping": WORD, "donated": WORD, "sleepers": 2 * WORD, **NAME, "pd_link": 2 * WORD,
        "wait_link": 2 * WORD, "wait_sm": WORD, "calling": WORD, "created": WORD, "regs.ip": WORD,
        "timeout": 3 * WORD, "timeout.key": 8, "vcpu": WORD,
    },
    "vcpu": {"control": WORD},
    "vmcb": {"rip": 8},
    "sc": {**OBJECT, "ec": WORD, "owner": WORD, "cpu": WORD, "next": WORD, "link": 2 * WORD,
           "quantum": 8, "round_end": 8, "used": 8, "place": 1, "prio": 1},
    "pt": {**OBJECT, "ec": WORD, "ip": WORD, "id": WORD, **NAME, "mtd": 4},
    "sm": {**OBJECT, "count": WORD, "waiters": 2 * WORD, **NAME, "gsi": 4},
    "cpu": {"current": WORD, "current_sc": WORD, "current_pd": WORD, "arch.fpu_owner": WORD,
            "special": 1, "run_queue.first": WORD, "run_queue.head": (WORD, 256),
            "idle_ec": WORD, "idle_sc": WORD, "timeouts.first": WORD, "dying": WORD, "id": 4,
            "arch.apic_id": 4},
    "mapping": {**_inside("in_space", TREE_NODE), **_inside("in_parent", TREE_NODE),
                "children.root": WORD, "space": WORD, "perms": 1, "attr": 1},
    "object_mapping": {"parent": WORD, "children": WORD, "next": WORD, "link": WORD, "space": WORD,
                       "object": WORD, "sel": 4, "pins": 4, "depth": 2, "perms": 1},
    "table": {"entry": (WORD, TABLE)},
    "console_log": {"head.written": 4, "ring": (1, 16)},
}
# Nested structures, whose addresses are read.
WITHIN = {"children": "children.root", "in_space": "in_space.parent",
          "in_parent": "in_parent.parent", "node": "node.parent"}


def _layout(name):
    fields, offset = {}, 0
    for path, size in STRUCTS[name].items():
        size, count = size if isinstance(size, tuple) else (size, 1)
        offset += -offset % min(size, WORD)
        # For a structure of several words, the fake keeps only the first word.
        fields[path] = Field(offset, min(size, WORD), path == "gsi", count)
        offset += size * count
    for path, first in WITHIN.items():
        if first in fields:
            fields[path] = fields[first]
    return Layout(offset + -offset % WORD, fields)


LAYOUTS = {name: _layout(name) for name in STRUCTS}


class Fake:
    """A kernel's memory: structures at addresses that the test chooses."""

    word = WORD
    program = "/root"

    def __init__(self):
        self.memory = {}
        self.symbols = {"kernel_pd": 0x1000, "console_log": 0xC000, "svm_ops": 0xD000}
        self.numbers = {}
        self.guest_ip = None
        self.next = 0x10000

    def make(self, struct, address=None, **values):
        if address is None:
            address, self.next = self.next, self.next + 0x1000
        layout = LAYOUTS[struct]
        self.memory.update({address + at: 0 for at in range(layout.size)})
        for name in ("ecs", "sleepers", "pd_link", "wait_link", "waiters", "link"):
            if name in layout.fields:
                at = address + layout.fields[name].offset
                self.poke(at, at)
                self.poke(at + WORD, at)
        for path, value in values.items():
            self.set(struct, address, path.replace("__", "."), value)
        return address

    def poke(self, address, value, size=WORD):
        for at, byte in enumerate((value % (1 << 8 * size)).to_bytes(size, "little")):
            self.memory[address + at] = byte

    def set(self, struct, address, path, value):
        field = LAYOUTS[struct].fields[path]
        if isinstance(value, bytes):
            for at, byte in enumerate(value):
                self.memory[address + field.offset + at] = byte
        else:
            self.poke(address + field.offset, value, field.size)

    def at(self, struct, address, path):
        return address + LAYOUTS[struct].fields[path].offset

    def join(self, head, *links):
        """Makes a ring of list heads."""
        ring = (head, *links)
        for here, there in zip(ring, ring[1:] + ring[:1]):
            self.poke(here, there)
            self.poke(there + WORD, here)

    # The context of the walkers.
    def layout(self, struct):
        return LAYOUTS[struct]

    def read(self, address, size):
        try:
            return bytes(map(self.memory.__getitem__, range(address, address + size)))
        except KeyError:
            raise Unreadable(f"there is no memory at {address:#x}") from None

    def address(self, symbol):
        return self.symbols[symbol]

    def number(self, symbol):
        return self.numbers.get(symbol, 0)

    def value(self, text):
        return int(text, 0)

    def live_ip(self, _cpu, guest):
        return self.guest_ip if guest else None

    def symbol(self, _address):
        return ""

    def thread_of(self, _cpu):
        return 1


class Walks(unittest.TestCase):
    def setUp(self):
        self.fake = Fake()
        self.reader = Reader(self.fake)
        self.items = [self.fake.make("item", value=number) for number in range(5)]
        self.head = self.fake.make("list")
        self.links = [self.fake.at("item", item, "link") for item in self.items]
        self.nodes = [self.fake.at("item", item, "node") for item in self.items]

    def values(self, walker):
        return [entry["value"] for entry in walker]

    def members(self):
        self.fake.join(self.head, *self.links)
        return walk.members(self.reader, self.head, "item", "link", "the list")

    def tree(self):
        return walk.tree(self.reader, self.head, "item", "node", "the tree")

    def make_tree(self):
        """Makes a tree with 3 above 1 and 4, and 1 above 0 and 2."""
        for child, parent, side in ((1, 3, "left"), (4, 3, "right"), (0, 1, "left"),
                                    (2, 1, "right")):
            self.fake.set("item", self.items[parent], f"node.{side}", self.nodes[child])
            self.fake.set("item", self.items[child], "node.parent", self.nodes[parent])
        self.fake.set("item", self.items[3], "node.parent", self.head | 1)
        self.fake.poke(self.head, self.nodes[3])

    def test_lists_rings_and_trees_that_are_whole(self):
        self.assertEqual(self.values(self.members()), [0, 1, 2, 3, 4])
        self.make_tree()
        reader = Reader(self.fake)
        found = walk.tree(reader, self.head, "item", "node", "the tree")
        self.assertEqual(self.values(found), [0, 1, 2, 3, 4])
        for here, there in zip(self.items, self.items[1:] + self.items[:1]):
            self.fake.set("item", here, "next", there)
        reader = Reader(self.fake)
        found = walk.ring(reader, self.items[2], "item", "next", "the ring")
        self.assertEqual(self.values(found), [2, 3, 4, 0, 1])
        self.fake.set("item", self.items[4], "next", 0)
        reader = Reader(self.fake)
        found = walk.chain(reader, self.items[0], "item", "next", "the chain")
        self.assertEqual(self.values(found), [0, 1, 2, 3, 4])
        self.assertEqual(self.reader.problems + reader.problems, [])

    def test_a_list_with_a_cycle_ends_and_is_reported(self):
        walker = self.members()
        self.fake.poke(self.links[4], self.links[1])
        self.assertEqual(self.values(walker), [0, 1, 2, 3, 4])
        self.assertIn("does not come back to its head", self.reader.problems[-1])

    def test_a_list_into_nowhere_ends_and_is_reported(self):
        for garbage in (0, 8, 0xDEADBEEF000, 3):
            reader = Reader(self.fake)
            self.fake.join(self.head, *self.links)
            self.fake.poke(self.links[2], garbage)
            found = walk.members(reader, self.head, "item", "link", "the list")
            self.assertEqual(self.values(found), [0, 1, 2])
            self.assertRegex(reader.problems[0], "the list: (there is no memory|.* not an address)")

    def test_a_wrong_back_pointer_is_reported(self):
        walker = self.members()
        self.fake.poke(self.links[2] + WORD, self.links[4])
        self.assertEqual(self.values(walker), [0, 1, 2, 3, 4])
        self.assertIn("its back link is wrong", self.reader.problems[0])

    def test_broken_trees_end_and_are_reported(self):
        for node, side, garbage in ((0, "left", 3), (0, "left", 0), (4, "right", 4)):
            self.make_tree()
            self.fake.set("item", self.items[node], f"node.{side}", self.nodes[garbage])
            self.reader = Reader(self.fake)
            self.assertLessEqual(len(self.values(self.tree())), 5)
            self.assertEqual(len(self.reader.problems), 1, (node, side, garbage))
            self.fake.set("item", self.items[node], f"node.{side}", 0)
        self.make_tree()
        self.fake.set("item", self.items[0], "node.left", 0x666000)
        self.reader = Reader(self.fake)
        self.assertEqual(self.values(self.tree()), [0, 1, 2, 3, 4])
        self.assertIn("no memory at", self.reader.problems[0])

    def test_a_chain_and_a_ring_without_an_end_are_reported(self):
        for here, there in zip(self.items, self.items[1:] + self.items[1:2]):
            self.fake.set("item", here, "next", there)
        for walker in (walk.chain, walk.ring):
            reader = Reader(self.fake)
            found = walker(reader, self.items[0], "item", "next", "it")
            self.assertEqual(self.values(found), [0, 1, 2, 3, 4])
            self.assertIn("does not", reader.problems[0])

    def test_a_list_that_is_too_long_is_cut_off(self):
        original, view.LIMIT = view.LIMIT, 3
        try:
            self.assertEqual(self.values(self.members()), [0, 1, 2])
            self.assertTrue(self.reader.problems)
        finally:
            view.LIMIT = original

    def test_a_walk_to_the_root_of_a_damaged_tree_ends(self):
        self.make_tree()
        self.assertEqual(walk.above(self.reader, self.nodes[0], "it"), self.head)
        self.fake.set("item", self.items[3], "node.parent", self.nodes[0])
        self.assertIsNone(walk.above(Reader(self.fake), self.nodes[0], "it"))


class Listings(unittest.TestCase):
    """A kernel with a CPU, a root PD, a child that only has memory from it, and their objects."""

    def setUp(self):
        fake = self.fake = Fake()
        # The shared empty tables, to which absent parts of all object spaces point.
        self.no_page = fake.make("table")
        self.no_middle = self.table(self.no_page, 0, self.no_page)
        self.no_top = self.table(self.no_middle, 0, self.no_middle)
        self.kernel = fake.make("pd", 0x1000, object_space__space__pd=0x1000)
        account = fake.make("account", used=2048, limit=1 << 20)
        self.root = fake.make("pd", is_root=1, account=account, object__account=account)
        self.child = fake.make("pd", name=b"child", account=account, object__account=account)
        self.cpu = fake.make("cpu", id=2, arch__apic_id=2)
        idle = fake.make("ec", object__kind=1, kind=3, cpu=self.cpu)
        idle_sc = fake.make("sc", object__kind=2, ec=idle, owner=idle, cpu=self.cpu, place=1)
        self.sm = fake.make("sm", object__kind=4, name=b"lock", gsi=-1)
        self.waiter = self.thread(self.root, b"waiter", state=4, wait_sm=self.sm)
        self.runner = self.thread(self.child, b"runner", state=1)
        fake.join(fake.at("sm", self.sm, "waiters"), fake.at("ec", self.waiter, "wait_link"))
        sc = fake.make("sc", object__kind=2, ec=self.runner, owner=self.runner, cpu=self.cpu,
                       place=1, prio=9, used=5, round_end=7)
        fake.set("sc", sc, "next", sc)
        fake.poke(fake.at("cpu", self.cpu, "run_queue.head") + 9 * WORD, sc)
        fake.set("cpu", self.cpu, "current", idle)
        fake.set("cpu", self.cpu, "current_sc", idle_sc)
        fake.set("pd", self.child, "object_space.first", self.no_middle)
        for pd in (self.kernel, self.root, self.child):
            fake.set("pd", pd, "object_space.top", self.no_top)
        self.hold(self.kernel, 0, object=idle_sc)
        self.cap = self.hold(self.root, 7, object=self.waiter, perms=1)
        self.all = self.map(self.kernel, "memory", 0x100, perms=7)
        self.some = self.map(self.root, "memory", 0x400, parent=self.all, perms=3)
        self.map(self.child, "memory", 0x500, parent=self.some, perms=1)

    def thread(self, pd, name, **values):
        ec = self.fake.make("ec", object__kind=1, kind=1, pd=pd, cpu=self.cpu, name=name,
                            regs__ip=0x400000, **values)
        self.fake.join(self.fake.at("pd", pd, "ecs"), self.fake.at("ec", ec, "pd_link"))
        return ec

    def map(self, pd, part, sel, parent=0, **values):
        """Makes a mapping, the only one of its space and the only child of its parent."""
        fake, tag = self.fake, f"{part}.space"
        mapping = fake.make("mapping", in_space__start=sel, in_space__last=sel,
                            in_parent__start=0x100, in_parent__last=0x100, **values)
        root = fake.at("pd", pd, f"{tag}.tree.root")
        fake.set("mapping", mapping, "in_space.parent", root | 1)
        fake.poke(root, fake.at("mapping", mapping, "in_space"))
        fake.set("pd", pd, f"{tag}.pd", pd)
        fake.set("mapping", mapping, "space", root)
        if parent:
            children = fake.at("mapping", parent, "children.root")
            fake.set("mapping", mapping, "in_parent.parent", children | 1)
            fake.poke(children, fake.at("mapping", mapping, "in_parent"))
        return mapping

    def table(self, entry, slot, value):
        """Makes a table in which one entry differs from the others."""
        table = self.fake.make("table")
        for at in range(TABLE):
            self.fake.poke(table + at * WORD, value if at == slot else entry)
        return table

    def hold(self, pd, sel, **values):
        """Makes the only capability of a PD. The first word of its half of the page is not
        written."""
        fake = self.fake
        space = fake.at("pd", pd, "object_space.space.tree.root")
        mapping = fake.make("object_mapping", sel=sel, space=space, **values)
        page = self.table(0, TABLE // 2 + sel % (TABLE // 2), mapping)
        pages = self.table(self.no_page, sel // (TABLE // 2) % TABLE, page)
        above = sel // (TABLE // 2) // TABLE
        fake.set("pd", pd, "object_space.first", self.no_middle if above else pages)
        if above:
            fake.set("pd", pd, "object_space.top", self.table(self.no_middle, above, pages))
        fake.set("pd", pd, "object_space.space.pd", pd)
        return mapping

    def objects(self):
        self.reader = Reader(self.fake)
        return Objects(self.reader).find_all()

    def text(self, rows):
        return "\n".join(listings.table(list(rows(self.objects()))))

    def test_each_listing_shows_the_objects_of_the_kernel(self):
        self.assertRegex(self.text(listings.pds), r"child +1 +0 +1 .*, its owner's +live")
        text = self.text(listings.ecs)
        self.assertRegex(text, r"waiter +root +2 +global +blocked +0x400000 +SM lock")
        self.assertRegex(text, r"runner +child +2 +global +ready +0x400000 +its turn")
        self.assertRegex(text, r"idle-2 +- +2 +idle +runs")
        self.assertRegex(self.text(listings.scs), r"runner +runner +2 +9 ")
        self.assertRegex(self.text(listings.sms), r"lock +0 +- +waiter")
        self.assertRegex(self.text(listings.run_queues), r"2 +9 +0x\w+ +runner +child")
        self.assertRegex(self.text(listings.cpus), r"2 +1 +2 +idle-2 +- +idle-2 +0 +0")
        self.assertEqual(self.reader.problems, [])

    def test_the_next_thread_is_first_and_the_running_one_is_named(self):
        fake, new = self.fake, self.thread(self.child, b"next", state=1)
        sc = fake.make("sc", object__kind=2, ec=new, owner=new, cpu=self.cpu, place=1, prio=3)
        fake.set("cpu", self.cpu, "run_queue.first", sc)
        lines = self.text(listings.run_queues).splitlines()
        self.assertRegex(lines[1], r"2 +0 +0x\w+ +idle-2 .* runs$")
        self.assertRegex(lines[2], r"2 +3 +0x\w+ +next +child")
        self.assertRegex(lines[3], r"2 +9 +0x\w+ +runner +child +2 ")
        text = self.text(listings.scs)
        self.assertRegex(text, r"idle-2 +idle-2 .* running")
        self.assertRegex(text, r"next +next .* ready")
        fake.set("cpu", self.cpu, "current_sc", sc)
        self.assertRegex(self.text(listings.scs), r"idle-2 +next .* running")
        fake.set("cpu", self.cpu, "special", listings.LENT)
        self.assertRegex(self.text(listings.scs), r"next +next .* running")

    def test_a_pd_without_capabilities_is_found_by_its_memory(self):
        self.assertIn(self.child, self.objects().found[0])

    def test_capabilities_and_mappings_of_a_pd_are_listed(self):
        objects = self.objects()
        root = objects.pd_named("root")
        lines = listings.table(list(spaces.caps(objects, root)))
        self.assertRegex(lines[1], r"0x7 +EC +waiter +0x\w+ +ct")
        lines = list(spaces.mappings(objects, root, ("memory",)))
        self.assertEqual(lines[1], "  0x400000..0x400fff is 0x100000..0x100fff, rw, from kernel")
        self.assertEqual(lines[2], "    - child: 0x500000..0x500fff is 0x100000..0x100fff, r")
        with self.assertRaisesRegex(Trouble, "there is no PD 'x'; there are: kernel, root, child"):
            objects.pd_named("x")

    def test_the_threads_and_semaphores_of_one_pd(self):
        other = self.fake.make("sm", object__kind=4, name=b"other", gsi=-1)
        self.fake.set("ec", self.runner, "wait_sm", other)
        self.hold(self.child, 9, object=other)
        self.hold(self.root, 7, object=self.sm)

        def names(rows, pd):
            objects = self.objects()
            return [row[1] for row in rows(objects, objects.pd_named(pd))][1:]

        for pd, thread, semaphore in (("root", "waiter", "lock"), ("child", "runner", "other")):
            self.assertEqual(names(listings.ecs, pd), [thread])
            self.assertEqual(names(listings.sms, pd), [semaphore])

    def test_the_table_that_differs_from_the_mapping_is_reported(self):
        objects = self.objects()
        notes = [row[-1] for row in spaces.caps(objects, objects.pd_named("root"))]
        self.assertEqual(notes[1], "the table has 0x0, permissions 0x0")
        self.assertIn("do not agree", self.reader.problems[0])
        self.fake.set("pd", self.root, "object_space.first", self.no_middle)
        objects = self.objects()
        self.assertEqual(len(list(spaces.caps(objects, objects.pd_named("root")))), 1)

    def test_capabilities_at_high_selectors_are_listed_with_their_owners(self):
        held = self.hold(self.child, 0x3000007, object=self.waiter, perms=1, parent=self.cap)
        self.fake.set("object_mapping", self.cap, "children", held)
        objects = self.objects()
        lines = listings.table(list(spaces.caps(objects, objects.pd_named("child"))))
        self.assertRegex(lines[1], r"0x3000007 +EC +waiter")
        lines = list(spaces.mappings(objects, objects.pd_named("root"), ("objects",)))
        self.assertEqual(lines[1:], ["  0x7 is EC waiter, ct",
                                     "    - child: 0x3000007 is EC waiter, ct"])
        lines = list(spaces.mappings(objects, objects.pd_named("child"), ("objects",)))
        self.assertEqual(lines[1], "  0x3000007 is EC waiter, ct, from root")
        self.fake.set("object_mapping", held, "space", 0)
        objects = self.objects()
        lines = list(spaces.mappings(objects, objects.pd_named("root"), ("objects",)))
        self.assertEqual(lines[2], "    - no PD any more: 0x3000007, which was revoked")
        self.fake.set("object_mapping", self.cap, "sel", 8)
        self.objects()
        self.assertIn("is broken at selector 0x7", self.reader.problems[0])

    def test_the_empty_tables_of_an_object_space_are_read_once(self):
        self.hold(self.child, 0x3000007, object=self.waiter)
        reads = collections.Counter()
        original = self.fake.read
        self.fake.read = lambda address, size: reads.update([address]) or original(address, size)
        self.objects()
        self.fake.read = original
        self.assertEqual(self.reader.problems, [])
        walks = 4  # the microhypervisor's space is walked twice
        for address in (self.no_page, self.no_middle, self.no_top):
            self.assertLessEqual(reads[address], walks)
            self.assertGreater(reads[address], 0)

    def test_an_object_space_of_garbage_ends(self):
        pages = self.fake.make("table")
        for slot in range(TABLE):
            self.fake.poke(pages + slot * WORD, self.fake.make("table"))
        self.fake.set("pd", self.root, "object_space.first", pages)
        with unittest.mock.patch.object(view, "LIMIT", 20):
            self.objects()
        self.assertIn("the objects of root does not end", self.reader.problems)

    def test_the_number_of_reported_problems_is_limited(self):
        reader = Reader(self.fake)
        for number in range(1000):
            reader.complain(f"problem {number}")
        self.assertEqual(len(reader.problems), view.PROBLEMS + 1)
        self.assertIn("the kernel's file", reader.problems[-1])

    def test_garbage_in_any_field_ends_and_is_survived(self):
        structs = (("pd", self.root), ("ec", self.waiter), ("sm", self.sm), ("cpu", self.cpu),
                   ("mapping", self.some), ("object_mapping", self.cap))
        for struct, address in structs:
            for path, field in LAYOUTS[struct].fields.items():
                before = self.fake.read(address + field.offset, field.size)
                for garbage in (0, 1, 0x77, self.waiter, self.root, address, (1 << 64) - 1):
                    self.fake.poke(address + field.offset, garbage, field.size)
                    with self.subTest(struct=struct, path=path, garbage=garbage):
                        self.every_listing()
                self.fake.poke(address + field.offset, int.from_bytes(before, "little"), field.size)

    def test_a_mapping_that_is_derived_from_itself_is_reported(self):
        root = self.fake.at("mapping", self.all, "children.root")
        self.fake.set("mapping", self.all, "space", 0)
        self.fake.set("mapping", self.all, "in_parent.parent", root | 1)
        self.fake.poke(root, self.fake.at("mapping", self.all, "in_parent"))
        self.every_listing()
        self.assertTrue(any("from itself" in text for text in self.reader.problems))

    def every_listing(self):
        objects = self.objects()
        for rows in (listings.pds, listings.ecs, listings.scs, listings.pts, listings.sms,
                     listings.run_queues, listings.cpus):
            listings.table(list(rows(objects)))
        for pd in objects.of(0):
            list(spaces.caps(objects, pd))
            list(spaces.mappings(objects, pd, ("memory", "ports", "objects")))

    def test_a_thread_on_a_cpu_that_does_not_exist_is_reported(self):
        self.fake.set("ec", self.waiter, "cpu", self.sm)
        self.assertIn("waiter", self.text(listings.ecs))
        self.assertTrue(any("CPU of waiter" in text for text in self.reader.problems))

    def test_a_capability_whose_object_has_an_unknown_kind_is_reported(self):
        self.fake.set("object_mapping", self.cap, "object", self.fake.make("pd", object__kind=77))
        self.assertIn("root", self.text(listings.pds))
        self.assertIn("is not an object", self.reader.problems[0])

    def make_vcpu(self):
        vmcb = self.fake.make("vmcb", rip=0xFFF0)
        vcpu = self.fake.make("vcpu", control=vmcb)
        self.fake.set("ec", self.waiter, "kind", 2)
        self.fake.set("ec", self.waiter, "vcpu", vcpu)
        return vcpu

    def test_the_address_of_a_guest_is_read_from_its_control_block(self):
        self.make_vcpu()
        self.assertRegex(self.text(listings.ecs), r"waiter +root +2 +vcpu +blocked +- ")
        self.fake.numbers["vcpu_ops"] = self.fake.symbols["svm_ops"]
        self.assertRegex(self.text(listings.ecs), r"waiter +root +2 +vcpu +blocked +0xfff0 ")
        self.fake.set("cpu", self.cpu, "current", self.waiter)
        self.fake.guest_ip = 0x7C00
        self.assertRegex(self.text(listings.ecs), r"waiter +root +2 +vcpu +runs +0x7c00 ")
        self.assertEqual(self.reader.problems, [])

    def test_a_guest_without_a_control_block_is_reported(self):
        self.fake.set("vcpu", self.make_vcpu(), "control", 0x6660)
        self.fake.numbers["vcpu_ops"] = self.fake.symbols["svm_ops"]
        self.assertRegex(self.text(listings.ecs), r"waiter +root +2 +vcpu +blocked +- ")
        self.assertIn("the guest of waiter", self.reader.problems[0])

    def test_a_kernel_that_has_not_booted_is_reported(self):
        self.fake.set("pd", self.kernel, "object_space.space.pd", 0)
        with self.assertRaisesRegex(Trouble, "the kernel has not booted yet"):
            self.objects()
        self.fake.memory = {}
        with self.assertRaisesRegex(Trouble, "the kernel has not booted yet"):
            self.objects()

    def test_a_kernel_of_another_version_is_reported(self):
        pd = self.objects().kernel_pd
        with self.assertRaisesRegex(Trouble, "no colour in struct pd: .* different versions"):
            pd["colour"]


class Log(unittest.TestCase):
    def lines(self, written, ring):
        fake = Fake()
        fake.make("console_log", 0xC000, head__written=written, ring=ring)
        return log(Reader(fake))

    def test_the_ring_is_unrolled(self):
        self.assertEqual(self.lines(5, b"one\nt"), ["one", "t"])
        self.assertEqual(self.lines(18, b"xyef hij\nlmnopqr"), ["ef hij", "lmnopqrxy"])

    def test_bytes_that_are_not_text_are_shown_as_such(self):
        self.assertEqual(self.lines(3, b"a\x1bb"), ["a?b"])

    def test_silence_is_reported(self):
        with self.assertRaisesRegex(Trouble, "has not printed anything"):
            self.lines(0, b"")


class DeadThread(dict):
    """The fields of a thread that has ended."""

    def item(self, path, index):
        return self[path][index]


class WhyDead(unittest.TestCase):
    THREAD = DeadThread({"object.dead": 0, "ending": 0, "kind": 0, "event_number": 0xE,
                         "event_qual": (2, 0x1234), "regs.ip": 0x400010})

    def test_an_event_without_a_portal_is_named(self):
        text = listings._why_dead(self.THREAD)
        self.assertIn("event 0xe (#PF) at 0x400010, address 0x1234", text)

    def test_a_destroyed_thread_has_no_event(self):
        thread = DeadThread({**self.THREAD, "ending": 1})
        self.assertEqual(listings._why_dead(thread), "nothing: it was destroyed, or its PD was")


class Names(unittest.TestCase):
    def test_the_attributes_of_mappings_are_those_of_the_kernel(self):
        header = paths.ROOT / "hypervisor/src/space/mapping.h"
        bits = re.findall(r"^#define MAPPING_(\w+) +(0x\w+)", header.read_text(), re.MULTILINE)
        self.assertEqual([(int(bit, 16), name.lower()) for name, bit in bits],
                         [(bit, name.lower()) for bit, name in spaces.ATTRIBUTES])


if __name__ == "__main__":
    unittest.main()
