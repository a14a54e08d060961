# SPDX-License-Identifier: BSD-2-Clause
"""gdb's command `nova` finds the kernel's memory by its page tables, here by made-up ones."""

import unittest

import paths  # noqa: F401
from nova.gdb.paging import KernelMemory, Physical
from nova.gdb.view import Unreadable


class PageTables(unittest.TestCase):
    """The image at 1 GiB + 2 MiB lies at 2 MiB; its first word is the root's address."""

    IMAGE = (0x40200000, 0x40203000)

    def setUp(self):
        self.memory = bytearray(0x300000)
        self.reads = 0
        self.set(0x200000, 0x1000)

    def set(self, address, value):
        self.memory[address : address + 8] = value.to_bytes(8, "little")

    def kernel(self, word):
        def read(address, size):
            self.reads += 1
            if address + size > len(self.memory):
                raise Unreadable(f"there is no physical memory at {address:#x}")
            return bytes(self.memory[address : address + size])

        return KernelMemory(Physical(read), word, self.IMAGE, 0x40000000, 0x40200000)

    def enter(self, table, *steps):
        """Writes entries of tables, the root's first: (index, entry)."""
        for index, entry in steps:
            self.set(table + 8 * index, entry)
            table = entry & ~0xFFF

    def test_the_image_needs_no_tables(self):
        self.set(0x202FF8, 0x1122334455667788)
        self.assertEqual(self.kernel(8).read(0x40202FF8, 8)[:2], b"\x88\x77")
        with self.assertRaises(Unreadable):
            self.kernel(8).read(0x40202FF8, 9)

    def test_pages_of_all_sizes_at_all_levels(self):
        self.enter(0x1000, (256, 0x2003), (0, 0x3003), (5, 0x4003), (7, 0x8063))
        self.set(0x3000 + 8 * 6, 0x200083)
        self.memory[0x8010:0x8012] = b"ab"
        self.memory[0x201234:0x201236] = b"cd"
        kernel = self.kernel(8)
        base = 0xFFFF800000000000
        self.assertEqual(kernel.read(base + (5 << 21) + (7 << 12) + 0x10, 2), b"ab")
        self.assertEqual(kernel.read(base + (6 << 21) + 0x1234, 2), b"cd")
        for hole in (base + (5 << 21), base + (8 << 21), base + (1 << 30), 0):
            with self.assertRaises(Unreadable):
                kernel.read(hole, 1)

    def test_tables_of_three_levels(self):
        self.set(0x200000, 0x1020)
        self.enter(0x1020, (3, 0x2001), (0, 0x3003), (1, 0x5003))
        self.memory[0x5FFF] = 9
        kernel = self.kernel(4)
        self.assertEqual(kernel.read(0xC0001FFF, 1), b"\x09")
        for beyond in (0xC0002000, 0x100000000, -1):
            with self.assertRaises(Unreadable):
                kernel.read(beyond, 1)

    def test_a_read_that_crosses_a_page_boundary_comes_from_both_pages(self):
        self.enter(0x1000, (256, 0x2003), (0, 0x3003), (0, 0x4003), (0, 0x9003))
        self.set(0x4008, 0x7003)
        self.memory[0x9FFF], self.memory[0x7000] = 1, 2
        self.assertEqual(self.kernel(8).read(0xFFFF800000000FFF, 2), b"\x01\x02")

    def test_tables_outside_of_memory_are_reported(self):
        self.enter(0x1000, (256, 0xFFFFFF003))
        with self.assertRaisesRegex(Unreadable, "no physical memory"):
            self.kernel(8).read(0xFFFF800000000000, 1)

    def test_a_guests_tables_are_not_the_kernels(self):
        self.enter(0x1000, (0, 0x2003), (1, 0x3003), (1, 0x200083))
        self.enter(0xA000, (0, 0xB003), (1, 0xC003), (1, 0x0083))  # the address, other memory
        kernel = self.kernel(8)
        self.assertTrue(kernel.is_mapped_by(0x1000))
        self.assertTrue(kernel.is_mapped_by(0x1018))  # the same root, with flags of CR3
        self.assertFalse(kernel.is_mapped_by(0xA000))
        self.assertFalse(kernel.is_mapped_by(0xD000))
        self.assertFalse(kernel.is_mapped_by(0xFFFFFF000))

    def test_memory_is_read_once_until_it_is_forgotten(self):
        kernel = self.kernel(8)
        kernel.read(0x40201000, 8)
        kernel.read(0x40201008, 8)
        self.assertEqual(self.reads, 1)
        kernel.physical.forget()
        kernel.read(0x40201008, 8)
        self.assertEqual(self.reads, 2)


if __name__ == "__main__":
    unittest.main()
