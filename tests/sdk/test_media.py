# SPDX-License-Identifier: BSD-2-Clause
"""The CD that GRUB boots from: its menu, and the multiboot version that the kernel supports."""

import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import media, qemu
from nova.errors import NovaError


class Media(unittest.TestCase):
    def version(self, content):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            return media.multiboot(file.name)

    def test_an_aligned_header_in_the_first_part_means_multiboot_2(self):
        magic = media.HEADER_MAGIC.to_bytes(4, "little")
        self.assertEqual(self.version(bytes(16) + magic + bytes(12)), 2)
        self.assertEqual(self.version(bytes(12) + magic + bytes(12)), 1)
        self.assertEqual(self.version(bytes(media.HEADER_END) + magic + bytes(12)), 1)
        self.assertEqual(self.version(b""), 1)

    def test_the_menu_quotes_every_word(self):
        text = media.grub_config("/k", 1, "serial  kmem=4M", [("/m", "a b;c $d it's")])
        self.assertIn("  multiboot /k 'serial' 'kmem=4M'\n", text)
        self.assertIn("  module /m 'a' 'b;c' '$d' 'it'\\''s'\n", text)

    def test_version_2_has_its_own_commands(self):
        text = media.grub_config("/k", 2, "", [("/m", "")])
        self.assertIn("  multiboot2 /k\n  module2 /m\n", text)

    def test_a_name_with_blanks_is_one_word_on_the_medium(self):
        self.assertEqual(media._name_on_medium("/a b/my  disk.img"), "my_disk.img")

    def test_a_menu_can_wait_for_somebody(self):
        self.assertIn("set timeout=2\n", media.grub_config("/k", 2, "", [], 2))

    def test_a_missing_kernel_is_one_sentence_and_leaves_no_folder(self):
        machine = qemu.Machine("/does/not/exist", boot="grub")
        before = set(Path(tempfile.gettempdir()).glob("nova-*"))
        with self.assertRaisesRegex(NovaError, "/does/not/exist cannot be read"):
            with media.prepared(machine):
                pass
        self.assertLessEqual(set(Path(tempfile.gettempdir()).glob("nova-*")), before)

    def test_a_direct_boot_needs_no_medium(self):
        machine = qemu.Machine("k")
        with media.prepared(machine) as same:
            self.assertIs(same, machine)


if __name__ == "__main__":
    unittest.main()
