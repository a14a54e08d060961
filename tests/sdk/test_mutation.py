# SPDX-License-Identifier: BSD-2-Clause
"""The list of mutations fits the kernel, and a line is replaced only where it is meant to be."""

import unittest

import paths  # noqa: F401
from nova import conformance, mutation, tree
from nova.errors import NovaError
from nova.qemu import Machine

ONE = "# why\nname: a b\nfile: x.c\nold: a = 1;\nnew: a = 2;\nareas: ipc hip\ncpus: 1\n"


class Mutations(unittest.TestCase):
    def test_a_paragraph_is_a_mutation(self):
        found = mutation.parse("# comment\n\n" + ONE + "\n" + ONE)
        self.assertEqual(len(found), 2)
        self.assertEqual((found[0].name, found[0].areas, found[0].cpus), ("a b", ["ipc", "hip"], 1))
        self.assertEqual((found[0].arch, found[0].emulator), ("x86_64", "qemu"))

    def test_what_is_missing_or_unknown_is_refused(self):
        for text in (ONE.replace("new", "now"), ONE.replace("name: a b\n", ""),
                     ONE + "emulator: boch\n"):
            with self.assertRaises(NovaError):
                mutation.parse(text)

    def test_only_a_whole_line_that_is_there_once_is_replaced(self):
        one = mutation.parse(ONE)[0]
        self.assertEqual(mutation.apply(one, "x\n  a = 1;\n"), "x\n  a = 2;\n")
        self.assertIsNone(mutation.apply(one, "a = 1;\na = 1;\n"))
        self.assertIsNone(mutation.apply(one, "b; a = 1;\n"))

    def test_areas_are_booted_on_the_machines_that_they_need(self):
        boots = list(mutation.machines("kernel", "program", 4, ["limit", "shortage"]))
        self.assertEqual([one.modules[0].arguments for one in boots],
                         ["area=limit", "area=shortage"])
        self.assertEqual([one.cmdline for one in boots], ["", "kmem=4M"])
        self.assertEqual({(one.cpus, one.cpu) for one in boots}, {(4, Machine.cpu)})

    def test_vmx_is_booted_under_bochs_without_devices_of_qemu(self):
        one = mutation.parse(ONE + "emulator: bochs\n")[0]
        boots = list(mutation.machines("kernel", "program", 1, ["create"], one.emulator))
        self.assertEqual([(boot.emulator, boot.extra) for boot in boots], [("bochs", [])])
        self.assertTrue(issubclass(mutation.RUNNERS[one.emulator], mutation.BochsRunner))

    def test_every_mutation_of_the_list_fits_the_kernel(self):
        found = mutation.parse(mutation.FILE.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(found), 30)
        self.assertEqual(len({one.name for one in found}), len(found))
        for one in found:
            with self.subTest(mutation=one.name):
                text = (tree.ROOT / one.file).read_text(encoding="utf-8")
                self.assertIsNotNone(mutation.apply(one, text), "its line is not there once")
                self.assertTrue(one.file.startswith("hypervisor/src/"))
                self.assertIn(one.arch, tree.ARCHES)
                self.assertLessEqual(set(one.areas), set(conformance.areas()))


if __name__ == "__main__":
    unittest.main()
