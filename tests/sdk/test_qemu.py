# SPDX-License-Identifier: BSD-2-Clause
"""The command line that QEMU gets."""

import unittest

import paths  # noqa: F401
from nova import qemu, run


class Qemu(unittest.TestCase):
    def test_commas_inside_a_module_are_doubled(self):
        self.assertEqual(qemu.initrd(["a x,y", "b,c"]), "a x,,y,b,,c")

    def test_options_arrive_and_extra_arguments_come_last(self):
        machine = qemu.Machine("k", ["r"], "serial", 2, 64, "pc", "max", ["-s", "-cpu", "EPYC"])
        words = qemu.arguments(machine, 5, False)
        text = " ".join(words)
        for part in ("-machine pc ", "-smp 2 ", "-m 64M", "-cpu max", "-append serial", "fd=5"):
            self.assertIn(part, text)
        self.assertEqual(words[-3:], ["-s", "-cpu", "EPYC"])

    def test_no_module_and_no_command_line_leave_their_options_out(self):
        words = qemu.arguments(qemu.Machine("k"), 5, False)
        self.assertNotIn("-initrd", words)
        self.assertNotIn("-append", words)

    def test_only_a_terminal_gets_the_monitor(self):
        self.assertIn("mon:stdio", qemu.arguments(qemu.Machine("k"), 5, True))
        self.assertNotIn("mon:stdio", qemu.arguments(qemu.Machine("k"), 5, False))

    def test_the_line_for_people_does_not_wait_for_orders(self):
        self.assertNotIn("-S", qemu.by_hand(qemu.Machine("k")))

    def test_a_file_name_with_blanks_gets_a_link_without(self):
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "my program"
            file.write_text("content", encoding="utf-8")
            link = run.module_file(file, folder)
            self.assertNotIn(" ", link)
            self.assertEqual(Path(link).read_text(encoding="utf-8"), "content")
            self.assertEqual(run.module_file("/a/b", folder), "/a/b")


if __name__ == "__main__":
    unittest.main()
