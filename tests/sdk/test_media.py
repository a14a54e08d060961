# SPDX-License-Identifier: BSD-2-Clause
"""The CD that GRUB boots from: its menu, the multiboot version that the kernel supports, and the
permissions of its file."""

import errno
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import cli, image, media, qemu, seal_files
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

    def test_a_menu_can_wait_for_a_choice(self):
        self.assertIn("set timeout=2\n", media.grub_config("/k", 2, "", [], 2))

    def test_a_missing_kernel_is_one_sentence_and_leaves_no_folder(self):
        machine = qemu.Machine("/does/not/exist", boot="grub")
        before = set(Path(tempfile.gettempdir()).glob("nova-*"))
        with self.assertRaisesRegex(NovaError, "/does/not/exist cannot be read"):
            with media.prepared(machine):
                pass
        self.assertLessEqual(set(Path(tempfile.gettempdir()).glob("nova-*")), before)

    def test_a_full_folder_for_temporary_files_is_named(self):
        said = (f"the folder for temporary files, {tempfile.gettempdir()}, is full: free space "
                "there, or set TMPDIR to a folder with more space.")
        full = [OSError(code, os.strerror(code)) for code in (errno.ENOSPC, errno.EDQUOT)]
        for error in full:
            with mock.patch("shutil.copyfile", side_effect=error):
                with self.assertRaises(NovaError) as caught:
                    media._copy("module", "copy", "module")
            self.assertEqual(str(caught.exception), said)
        output = f"x: {full[0].strerror}\nfailed\n".encode()
        done = subprocess.CompletedProcess([], 1, b"", output)
        with mock.patch("subprocess.run", return_value=done):
            with self.assertRaises(NovaError) as caught:
                media._write(Path("tree"), Path("image"), [])
        self.assertEqual(str(caught.exception), said)

    def test_a_slow_program_is_one_sentence(self):
        with mock.patch("subprocess.run", side_effect=subprocess.TimeoutExpired("x", 1)):
            with self.assertRaisesRegex(NovaError, "did not end within 120 s: "):
                media._write(Path("tree"), Path("image"), [])

    def test_a_direct_boot_needs_no_medium(self):
        machine = qemu.Machine("k")
        with media.prepared(machine) as same:
            self.assertIs(same, machine)


class Secret(unittest.TestCase):
    """`nova image` of a system with the private key of a machine."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)
        self.image = self.folder / "full.iso"
        self.addCleanup(os.umask, os.umask(0o022))

    def written(self, name, data):
        """Returns the mode of an image with the module NAME, and what `nova image` says of it."""
        module = self.folder / name
        module.write_bytes(data)
        machine = qemu.Machine(module, [module])

        def make(tree, iso, _boots):
            iso.write_bytes((tree / "boot/module0").read_bytes())
            return iso

        with mock.patch.object(image.run, "prepare", return_value=(machine, "")), \
                mock.patch.object(media, "_write", make), mock.patch("builtins.print"), \
                mock.patch.object(image.build, "say") as say:
            image.image(cli.parse(["image", "-o", str(self.image)]))
        self.assertEqual(self.image.read_bytes(), data)
        return self.image.stat().st_mode & 0o777, [call.args[0] for call in say.call_args_list[1:]]

    def test_both_names_of_the_option_name_the_file(self):
        for option in ("-o", "--out"):
            self.assertEqual(cli.parse(["image", option, "a.iso"]).output, "a.iso")
            self.assertEqual(cli.parse(["seal", option, "a.img"]).out, "a.img")

    def test_an_empty_name_is_refused_before_the_build(self):
        with mock.patch.object(image.run, "prepare", side_effect=AssertionError), \
                self.assertRaisesRegex(NovaError, "^the name of the image is empty: name a file.$"):
            image.image(cli.parse(["image", "hello", "--out", ""]))

    def test_only_its_owner_can_read_it(self):
        said = "{} contains {}, the machine's secret: keep it like that file."
        self.assertEqual(self.written("hello", b"x"), (0o644, []))
        for name, data in (("machine.key", b"cut off"),
                           ("other", seal_files.PRIVATE_MAGIC + bytes(32))):
            self.assertEqual(self.written(name, data), (0o600, [said.format(self.image, name)]))
        self.assertEqual(self.written("machine.pub", seal_files.PUBLIC_MAGIC + bytes(32)),
                         (0o644, []))

    def test_a_partial_file_of_an_earlier_image_does_not_make_the_image_readable_for_others(self):
        (self.folder / ".full.iso.part").touch(0o666)
        self.assertEqual(self.written("machine.key", b"x")[0], 0o600)
        self.assertFalse((self.folder / ".full.iso.part").exists())


if __name__ == "__main__":
    unittest.main()
