# SPDX-License-Identifier: BSD-2-Clause
"""The command line that QEMU gets."""

import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import boot_test, qemu
from nova.errors import NovaError
from nova.qemu import Machine, Module, parse_module


class Qemu(unittest.TestCase):
    def test_commas_inside_a_module_are_doubled(self):
        self.assertEqual(qemu.initrd([Module("a", "x,y"), Module("b,c")]), "a x,,y,b,,c")

    def test_options_arrive_and_extra_arguments_come_last(self):
        machine = qemu.Machine("k", ["r"], "serial", 2, 64, "pc", "max", ["-s", "-cpu", "EPYC"])
        words = qemu.arguments(machine, 5, False)
        text = " ".join(words)
        for part in ("-machine pc ", "-smp 2 ", "-m 64M", "-cpu max", "-append serial", "fd=5"):
            self.assertIn(part, text)
        self.assertEqual(words[-3:], ["-s", "-cpu", "EPYC"])

    def test_an_accelerator_of_the_user_replaces_the_default(self):
        for option in ("-accel", "--accel"):
            extra = [option, "tcg,thread=single"]
            words = qemu.by_hand(Machine("k", extra=extra))
            self.assertEqual(words[-2:], extra)
            self.assertNotIn("accel", " ".join(words[:-2]))

    def test_no_module_and_no_command_line_leave_their_options_out(self):
        words = qemu.arguments(qemu.Machine("k"), 5, False)
        self.assertNotIn("-initrd", words)
        self.assertNotIn("-append", words)

    def test_an_image_that_is_open_elsewhere_is_named(self):
        said = (b'qemu-system-x86_64: -device virtio-blk-pci,drive=d: Failed to get "write" lock\n'
                b"Is another process using the image [my [1].img]?\n")
        self.assertEqual(
            qemu.not_started(said),
            "the image my [1].img is open in another QEMU, or attached twice: end the other run, "
            "or attach the image once.",
        )

    def test_a_port_of_the_host_that_is_in_use_is_named(self):
        said = (b"qemu-system-x86_64: -netdev user,id=nova-net,hostfwd=tcp:127.0.0.1:6379-:80: "
                b"Could not set up host forwarding rule 'tcp:127.0.0.1:6379-:80'\n")
        self.assertEqual(
            qemu.not_started(said),
            "port 6379 of this machine is in use, or you may not use it: name another one, of 1024 "
            "or more.",
        )

    def test_a_machine_that_is_too_large_for_the_host_gets_a_remedy(self):
        said = (b"qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate "
                b"memory\n")
        self.assertEqual(
            qemu.not_started(said),
            "this host has too little memory for the machine: name fewer MiB, with --memory or in "
            "the section 'machine' of the description.",
        )

    def test_only_a_terminal_gets_the_monitor(self):
        self.assertIn("mon:stdio", qemu.arguments(qemu.Machine("k"), 5, True))
        self.assertNotIn("mon:stdio", qemu.arguments(qemu.Machine("k"), 5, False))

    def test_the_command_line_that_is_shown_to_people_starts_the_machine_at_once(self):
        self.assertNotIn("-S", qemu.by_hand(qemu.Machine("k")))

    def test_the_socket_of_gdb_may_have_a_comma_in_its_name(self):
        words = qemu.debug_arguments(qemu.Machine("k"), Path("/tmp/a,b/gdb"))
        self.assertIn("socket,id=gdb,path=/tmp/a,,b/gdb,server=on,wait=off", words)

    def test_a_module_is_a_file_and_its_arguments(self):
        for text, file, arguments in (
            ("file", "file", ""),
            (" file  one two ", "file", "one two"),
            ("'my file' it's one", "my file", "it's one"),
            ('"my file"', "my file", ""),
            ("'it's my file' 'one'", "it's my file", "'one'"),
            ("'file'one", "file", "one"),
            ('"dogs\' file" one', "dogs' file", "one"),
        ):
            self.assertEqual(parse_module(text), Module(file, arguments))
        for text in ("", " ", "''", "'my file"):
            with self.assertRaises(NovaError):
                parse_module(text)


class Blanks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.files = []
        for name in ("my kernel", "a b/my module", "a\tb/my module"):
            file = self.folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(name, encoding="utf-8")
            self.files.append(file)

    def test_files_with_blanks_in_their_names_get_links_without_blanks(self):
        kernel, *modules = self.files
        machine = Machine(kernel, [Module(str(module), "some text") for module in modules])
        links = self.folder / "links"
        links.mkdir()
        found = qemu.without_blanks(machine, links)
        self.assertFalse(any(qemu.has_blank(name) for name in found.names()))
        self.assertEqual(len(set(found.names())), 3)
        for name, file in zip(found.names(), self.files):
            self.assertEqual(Path(name).read_text(encoding="utf-8"), file.read_text())
        self.assertEqual([module.arguments for module in found.modules], ["some text"] * 2)

    def test_other_files_keep_their_names(self):
        machine = Machine("/a/kernel", ["/b/module"])
        self.assertEqual(qemu.without_blanks(machine, self.folder).names(), machine.names())

    def test_a_temporary_folder_with_a_blank_is_reported(self):
        with self.assertRaisesRegex(NovaError, "has a blank.*: set TMPDIR"):
            qemu.without_blanks(Machine("k"), "/a folder")

    def test_the_command_line_that_is_shown_to_people_names_files_relative_to_the_tree(self):
        root, qemu_root = self.folder / "a b", boot_test.tree.ROOT
        boot_test.tree.ROOT = root
        try:
            line = boot_test.by_hand(Machine(root / "kernel", [root / "bin/module"]))
        finally:
            boot_test.tree.ROOT = qemu_root
        self.assertTrue(line.startswith(f"cd '{root}' && "), line)
        self.assertIn("-kernel kernel -initrd bin/module", line)


if __name__ == "__main__":
    unittest.main()
