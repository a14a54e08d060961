# SPDX-License-Identifier: BSD-2-Clause
"""Sealed guests are placed in memory as novavmm's loader places them, compiled for the host."""

import ctypes
import subprocess
import tempfile
import unittest
from pathlib import Path

import paths
import sealing
from nova import seal_blob, seal_guest, seal_image
from nova.errors import NovaError
from sealing import MIB

VMM = paths.ROOT / "roottask/vmm"
SOURCES = ("src/guest_memory.c", "src/load/linux.c", "src/registers.c")
INCLUDES = (VMM / "include", VMM / "src", paths.ROOT / "libnova/include",
            paths.ROOT / "hypervisor/abi")
MEMORY = 16 * MIB


class Memory(ctypes.Structure):
    """The beginning of struct nova_guest_memory; the rest is 0: no blocks and no overlays."""

    _fields_ = [("base", ctypes.c_void_p), ("bytes", ctypes.c_size_t),
                ("rest", ctypes.c_uint8 * 4096)]


class Image(ctypes.Structure):
    _fields_ = [("kernel", ctypes.c_char_p), ("kernel_bytes", ctypes.c_size_t),
                ("initrd", ctypes.c_char_p), ("initrd_bytes", ctypes.c_size_t),
                ("command_line", ctypes.c_char_p), ("rsdp", ctypes.c_uint64)]


class Guest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        library = Path(folder.name) / "load.so"
        subprocess.run(
            ["gcc", "-std=gnu11", "-shared", "-fPIC", "-O1", "-o", str(library),
             *(f"-I{one}" for one in INCLUDES), *(str(VMM / one) for one in SOURCES)], check=True)
        cls.load = ctypes.CDLL(str(library)).nova_linux_load
        cls.load.restype = ctypes.c_char_p

    def loaded(self, kernel, initrd, line):
        """Returns the memory into which the library has loaded a guest."""
        ram = ctypes.create_string_buffer(MEMORY)
        memory = Memory(ctypes.cast(ram, ctypes.c_void_p), MEMORY)
        image = Image(kernel, len(kernel), initrd or None, len(initrd), line, seal_image.ACPI_AT)
        why = self.load(ctypes.byref(memory), ctypes.byref(image),
                        ctypes.create_string_buffer(1 << 16))
        self.assertIsNone(why)
        return ram.raw

    def compare(self, kernel, initrd, line):
        ram = self.loaded(kernel, initrd, line)
        placed = seal_guest.place(seal_guest.read_kernel("vmlinuz", kernel), line, initrd,
                                  b"RSD PTR ", MEMORY)
        for part in placed:
            if part.kind != seal_blob.ACPI:
                self.assertEqual(part.data, ram[part.address:part.address + len(part.data)],
                                 seal_blob.KINDS[part.kind])
        return placed

    def test_kernel_initrd_and_parameters_are_where_the_library_loads_them(self):
        placed = self.compare(sealing.linux(body=9000), b"initrd" * 1500, b"console=hvc0 quiet")
        self.assertEqual(len(placed), 5)

    def test_a_guest_without_initrd(self):
        placed = self.compare(sealing.linux(), b"", b"")
        self.assertEqual(len(placed), 4)

    def test_an_initrd_that_the_kernel_can_only_reach_lower(self):
        placed = self.compare(sealing.linux(initrd_max=8 * MIB - 1), b"i" * 5000, b"x")
        self.assertEqual(placed[-1].address, 8 * MIB - 8192)


class Linux(unittest.TestCase):
    """The memory that Linux needs besides its parts."""

    def test_a_memory_with_which_linux_can_panic(self):
        kernel = seal_guest.read_kernel("vmlinuz", sealing.linux())
        for line, initrd, memory, least in (
                (b"", b"", 96, 128), (b"quiet", bytes(13 * MIB), 126, 128),
                (b"", bytes(50 * MIB), 128, 136)):
            self.assertEqual(seal_guest.warning(kernel, line, initrd, memory * MIB),
                             f"with {memory} MiB of memory, Linux can panic for lack of bounce "
                             f"buffers: write --memory {least}.")
            self.assertIsNone(seal_guest.warning(kernel, line, initrd, least * MIB))
        self.assertIsNone(seal_guest.warning(kernel, b"a swiotlb=2048", b"", 96 * MIB))
        # Linux's own 3 MiB, 32 of bounce buffers, the initrd and its files.
        with self.assertRaisesRegex(NovaError, "they need 52 MiB, and Linux at least 134 in all: "
                                               "write --memory 134[.]$"):
            seal_guest.place(kernel, b"", bytes(49 * MIB), b"", 16 * MIB)
        flat = seal_guest.read_kernel("guest", sealing.elf())
        self.assertIsNone(seal_guest.warning(flat, b"", b"", 4 * MIB))


if __name__ == "__main__":
    unittest.main()
