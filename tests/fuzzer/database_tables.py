# SPDX-License-Identifier: BSD-2-Clause
"""Compares the tables of all PDs that CPUs and devices read with the mapping database: page tables,
second-level tables and I/O bitmaps. Also computes what each account must have been charged."""

from nova.gdb import paging

UTCB, DMA, GUEST = 0x1, 0x2, 0x4  # MAPPING_… of mapping.h
READ, WRITE, EXECUTE = 1, 2, 4  # NOVA_MEM_… of crd.h
PRESENT, PTE_WRITE, PTE_USER, ACCESSED, DIRTY = 1, 2, 4, 1 << 5, 1 << 6
LARGE, NO_EXECUTE = paging.LARGE, 1 << 63
PAGE = 4096
PORTS_OF_PAGE = PAGE * 8
BITMAP_SLOT = 16  # entry of the window's page table for the first page of the I/O bitmap
KERNEL_SLOTS = {4: 3, 8: 256}  # first entry of the root that belongs to the kernel
USER_PAGES = {4: 0xC0000, 8: 0x7FFFFFFFF}
WINDOW_FRAMES = {4: 2, 8: 3}
KINDS = {"dma": DMA, "guest": GUEST}  # second-level tables
VCPU = 2  # EC_VCPU of ec.h
SLOT_ALIGN = 32  # of slab.c


def runs(pieces):
    """Joins pieces (page, count, frame, flags) that continue each other."""
    found = []
    for page, count, frame, flags in pieces:
        last = found[-1] if found else None
        if last and last[3] == flags and last[0] + last[1] == page and last[2] + last[1] == frame:
            found[-1] = (last[0], last[1] + count, last[2], flags)
        else:
            found.append((page, count, frame, flags))
    return found


def second_name(kind):
    return f"table for {kind}"


def words_of(raw, size=8):
    return [int.from_bytes(raw[at : at + size], "little") for at in range(0, len(raw), size)]


class Table:
    """A table of pages in physical memory, with its number of tables below the root. IGNORED:
    flags that the machine sets in entries that lead to tables."""

    ignored = 0

    def __init__(self, physical, levels, wrong):
        self.physical, self.levels, self.wrong = physical, levels, wrong
        self.tables = 0
        self.pieces = []

    def table_flags(self, level):
        """Returns the flags of an entry that leads to a table."""
        raise NotImplementedError

    def page_flags(self, entry, level):
        """Returns the flags of a page that the database determines."""
        raise NotImplementedError

    def read(self, entries, level, base):
        """Collects the pages of a table. Returns the number of entries in use."""
        used = 0
        for index, entry in enumerate(entries):
            if not entry:
                continue
            used += 1
            page = base + (index << 9 * level)
            if level == 0 or entry & LARGE:
                frame = (entry & paging.ADDRESS) >> 12
                self.pieces.append((page, 1 << 9 * level, frame, self.page_flags(entry, level)))
                continue
            if (entry & ~paging.ADDRESS ^ self.table_flags(level)) & ~self.ignored:
                self.wrong(f"the entry {entry:#x} of level {level} at page {page:#x}")
            self.tables += 1
            below = words_of(self.physical.read(entry & paging.ADDRESS, PAGE))
            if not self.read(below, level - 1, page):
                self.wrong(f"the table at page {page:#x} of level {level - 1}, which is empty")
        return used


class PageTable(Table):
    """The user half of a PD's page table."""

    ignored = ACCESSED

    def table_flags(self, level):
        if self.levels == 3 and level == 2:
            return PRESENT
        return PRESENT | PTE_WRITE | PTE_USER

    def page_flags(self, entry, level):
        return entry & ~paging.ADDRESS & ~(LARGE if level else 0)

    @staticmethod
    def wanted(mapping):
        perms = READ | WRITE if mapping.attr & UTCB else mapping.perms
        if not perms:
            return None
        return (PRESENT | PTE_USER | ACCESSED | DIRTY | (PTE_WRITE if perms & WRITE else 0)
                | (0 if perms & EXECUTE else NO_EXECUTE))


class SecondLevel(Table):
    """A table for devices or for guests, in the machine's format."""

    def __init__(self, physical, form, ignored, wrong):
        super().__init__(physical, form["levels"], wrong)
        self.form = form
        self.ignored = ignored

    def table_flags(self, level):
        form = self.form
        top = level == self.levels - 1
        return level * form["table_level"] | form["top_table" if top else "table"]

    def page_flags(self, entry, level):
        return entry & ~paging.ADDRESS & ~(LARGE if level else 0) & ~self.form["ram"]

    def wanted(self, mapping, attribute):
        form, perms = self.form, mapping.perms
        if not mapping.attr & attribute or not perms:
            return None
        if attribute == DMA:
            perms &= ~EXECUTE
        if not perms:
            return None
        return (form["page"] | (form["read"] if perms & READ else 0)
                | (form["write"] if perms & WRITE else 0)
                | (form["execute"] if perms & EXECUTE else form["no_execute"]))


class Tables:
    """Compares the tables of all PDs with a Database."""

    def __init__(self, database):
        self.database = database
        self.objects = database.objects
        self.target = database.objects.target
        self.word = self.target.word
        self.frames = {}  # frames of each PD's tables, without the root of the page table
        self.seen = dict.fromkeys(("page table", *map(second_name, KINDS), "ports"), 0)

    def check(self):
        for pd in self.database.pds:
            self.frames[pd.address] = sum(1 for _ in self.database.object_tables(pd))
            if pd.address == self.objects.kernel_pd.address:
                continue
            self._check_pages(pd)
            for name in KINDS:
                self._check_second(pd, name)
            self._check_ports(pd)

    def summary(self):
        return "entries of " + ", ".join(f"{what} {number}" for what, number in self.seen.items())

    def _compare(self, pd, what, table, wanted, limit):
        """Compares the pages of a table with those of the database; WANTED returns the flags of a
        mapping's pages."""
        expected = []
        for mapping in self.database.in_space(pd, "memory"):
            flags = wanted(mapping)
            count = min(mapping.last + 1, limit) - mapping.first
            if flags is not None and count > 0:
                expected.append((mapping.first, count, mapping.source, flags))
        expected, found = set(runs(expected)), set(runs(table.pieces))
        self.seen[what] += sum(count for _, count, _, _ in found)
        for verb, extra in (("has", found - expected), ("lacks", expected - found)):
            for page, count, frame, flags in sorted(extra):
                self.database.wrong(what, f"{self.database.label(pd)}'s {what} {verb} {count} pages"
                                    f" from {page:#x} on: frame {frame:#x}, flags {flags:#x}")

    def _check_pages(self, pd):
        def wrong(text):
            self.database.wrong("page table", f"{self.database.label(pd)}'s page table has {text}")

        levels = paging.LEVELS[self.word]
        table = PageTable(self.target.physical, levels, wrong)
        field = "memory.tables.root"
        at = pd[field] if self.word == 8 else pd.at(field)
        root = words_of(self.target.read(at, PAGE if self.word == 8 else 32))
        if pd["memory.tables.cr3"] & paging.ROOT[self.word] != self._physical_of(at):
            wrong("another root than CR3")
        kernel = KERNEL_SLOTS[self.word]
        if self.word == 8 and any(entry & PTE_USER for entry in root[kernel:]):
            wrong("a part of the kernel's half for the user")
        table.read(root[:kernel], levels - 1, 0)
        self._compare(pd, "page table", table, table.wanted, USER_PAGES[self.word])
        self.frames[pd.address] += table.tables

    def _physical_of(self, address):
        root = self.target.number("kernel_root_phys")
        return paging.translate(self.target.physical, root, self.word, address)[0]

    def format_of(self, name):
        """Returns the format of second-level tables."""
        layout = self.target.layout("second_level_format")
        raw = self.target.read(self.target.address(f"{name}_format"), layout.size)
        return {path: int.from_bytes(raw[field.offset : field.offset + field.size], "little")
                for path, field in layout.fields.items()}

    def _check_second(self, pd, name):
        what, attribute = second_name(name), KINDS[name]
        form, root = self.format_of(name), pd[f"{name}.root"]

        def wrong(text):
            self.database.wrong(what, f"{self.database.label(pd)}'s {what} has {text}")

        if not form["levels"]:
            return
        ignored = ACCESSED if attribute == GUEST else 0
        table = SecondLevel(self.target.physical, form, ignored, wrong)
        if root:
            table.read(words_of(self.target.read(root, PAGE)), form["levels"] - 1, 0)
            self.frames[pd.address] += 1 + table.tables
        self._compare(pd, what, table, lambda mapping: table.wanted(mapping, attribute),
                      1 << 9 * form["levels"])

    def _check_ports(self, pd):
        """Compares the I/O bitmap that the CPU reads, through the PD's window, with the
        database."""
        bitmap = bytearray(b"\xff" * (2 * PAGE))
        for mapping in self.database.in_space(pd, "ports"):
            for port in range(mapping.first, mapping.last + 1):
                bitmap[port // 8] &= ~(1 << port % 8)
                self.seen["ports"] += 1
        window, found = pd["memory.tables.window"], b""
        for half in range(2):
            own = pd.item("io.bitmap", half)
            entry = self.target.read(window + (BITMAP_SLOT + half) * 8, 8) if window else None
            frame = int.from_bytes(entry, "little") & paging.ADDRESS if entry else None
            if own and frame != self._physical_of(own):
                self.database.wrong("ports", f"the CPU reads another bitmap than that of "
                                    f"{self.database.label(pd)}")
            found += self.target.physical.read(frame, PAGE) if window else b"\xff" * PAGE
            self.frames[pd.address] += bool(own)
        self.frames[pd.address] += WINDOW_FRAMES[self.word] if window else 0
        for at in range(2 * PAGE):
            if found[at] != bitmap[at]:
                self.database.wrong("ports", f"{self.database.label(pd)}'s bitmap has "
                                    f"{found[at]:#x} for the ports from {8 * at:#x} on, not "
                                    f"{bitmap[at]:#x}")


class Accounts:
    """The bytes that each account must have been charged."""

    def __init__(self, database, tables):
        self.database, self.objects = database, database.objects
        self.target = self.objects.target
        self.charged = {}
        self.root = self.target.address("account_root")
        self._add_objects()
        self._add_mappings()
        for pd in database.pds:
            self._add(pd["account"], tables.frames[pd.address] * PAGE)
        self._add_accounts()

    def _add(self, account, amount):
        self.charged[account] = self.charged.get(account, 0) + amount

    def slot(self, struct):
        """Returns the bytes of a slot for a structure."""
        return -(-self.target.layout(struct).size // SLOT_ALIGN) * SLOT_ALIGN

    def object_bytes(self, kind):
        layout = self.target.layout("slab_cache")
        at = self.target.address("object_cache") + kind * layout.size + layout.fields["size"].offset
        return int.from_bytes(self.target.read(at, 4), "little")

    def _add_objects(self):
        more = {0: PAGE if self.target.word == 8 else 0, 1: PAGE}
        for kind in range(5):
            size = self.object_bytes(kind) + more.get(kind, 0)
            for entry in self.objects.of(kind):
                if entry.address == self.objects.kernel_pd.address:
                    continue
                vcpu = kind == 1 and entry["kind"] == VCPU
                self._add(entry["object.account"], size + (self.slot("vcpu") if vcpu else 0))

    def _add_mappings(self):
        for mapping in self.database.listed.values():
            if mapping.space != "objects":
                self._add(mapping.view["account"], self.slot("mapping"))
            elif mapping.has_parent():
                self._add(mapping.pd["account"], self.slot("object_mapping"))
        for ec in self.objects.of(1):  # a UTCB whose page was revoked
            at = ec["utcb_mapping"] if ec["utcb"] and not ec["object.dead"] else 0
            if at and at not in self.database.listed:
                view = self.objects.reader.view("mapping", at)
                self._add(view["account"], self.slot("mapping"))

    def _add_accounts(self):
        """Adds each account's own memory, and its limit to that of its parent."""
        waiting = [account for account in self.charged if account]
        owned = {pd["account"] for pd in self.database.pds
                 if pd["account"] != pd["object.account"]}
        seen = set()
        while waiting:
            address = waiting.pop()
            if address in seen:
                continue
            seen.add(address)
            view = self.objects.reader.view("account", address)
            if address in owned:
                self._add(address, self.slot("account"))
            if view["parent"]:
                self._add(view["parent"], view["limit"])
                waiting.append(view["parent"])

    def check(self):
        """Compares all accounts but the root's. Returns the bytes of the root's account that no
        object, mapping or table explains: memory that the kernel took at the start."""
        for address, charged in self.charged.items():
            used = self.objects.reader.view("account", address)["used"] if address else 0
            if address == self.root:
                rest = used - charged
            elif used != charged:
                self.database.wrong("accounts", f"the account at {address:#x} has {used} bytes in "
                                    f"use, its objects, mappings and tables take {charged}")
        return rest
