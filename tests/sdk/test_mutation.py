# SPDX-License-Identifier: BSD-2-Clause
"""The list of mutations matches the kernel, and code is replaced only at its place."""

import unittest

import paths  # noqa: F401
from nova import conformance, mutation, tree
from nova.errors import NovaError
from nova.qemu import Machine
from nova.runner import Outcome

ONE = (
    "# why\nname: a b\nfile: x.c\nfunction: one\npattern: a = f(1)\nnew: a = 2\n"
    "areas: ipc hip\ncpus: 1\n"
)
OTHER = "static void two(int a)\n{\n        a = f(1);\n}\n"


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

    def broken(self, body, head="void one(int a)"):
        """Returns the new text of a function beside another one."""
        one = mutation.parse(ONE)[0]
        done = mutation.apply(one, f"{OTHER}\n{head}\n{{\n{body}\n}}\n\n{OTHER}")
        self.assertEqual(done.count("f(1)"), 2)
        return done.split(f"{head}\n{{\n")[1].split("\n}\n")[0]

    def test_the_pattern_is_replaced_in_its_function_only(self):
        self.assertEqual(self.broken("  a = f(1);"), "  a = 2;")
        self.assertEqual(self.broken("  b(); a = f(1); c();"), "  b(); a = 2; c();")
        head = "static int\none(int a,\n    int b)"
        self.assertEqual(self.broken("  a = f(1);", head), "  a = 2;")

    def test_blanks_and_ends_of_lines_do_not_matter(self):
        self.assertEqual(self.broken("\ta  =\n\t\tf( 1 ) ;"), "\ta = 2 ;")

    def refused(self, text, words):
        with self.assertRaisesRegex(NovaError, f"mutation 'a b': {words}; update .*mutations.txt"):
            mutation.apply(mutation.parse(ONE)[0], text)

    def test_what_matches_nothing_or_more_than_one_place_is_one_error(self):
        self.refused(OTHER, "there is no one of x.c")
        self.refused("void one(int a);\n", "there is no one of x.c")
        once = "a = f(1);"
        for body, times in (("", 0), (f"b{once}", 0), ("a = f(12);", 0), (once + once, 2)):
            words = f"'a = f.1.' occurs {times} times in one of x.c, not once"
            self.refused(f"void one(int a)\n{{\n{body}\n}}\n", words)

    def test_a_mutation_that_changes_nothing_is_refused(self):
        one = mutation.parse(ONE.replace("a = 2", "a = f(1)"))[0]
        with self.assertRaisesRegex(NovaError, "it changes nothing"):
            mutation.apply(one, OTHER.replace("two", "one"))

    def test_macros_and_labels_of_assembly_are_functions_too(self):
        for text in ("#define one(x) \\\n        a = f(1)\n#define b a = f(1)\n",
                     "two:\n  a = f(1)\none:\n  a = f(1)\nthree:\n  a = f(1)\n",
                     ".macro one\n  a = f(1)\n.endm\n  a = f(1)\n"):
            done = mutation.apply(mutation.parse(ONE)[0], text)
            self.assertEqual(done.count("a = 2"), 1)
            self.assertEqual(done.split("a = 2")[0].count("f(1)"), text.startswith("two"))

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

    def test_a_mutation_that_must_stop_the_kernel_is_built_for_debug(self):
        plain, stops = mutation.parse(ONE + "\n" + ONE + "stop: assertion 'a' failed\n")
        self.assertEqual(plain.preset(), "x86_64-release")
        self.assertEqual(stops.preset(), "x86_64-debug")

    def test_a_kernel_has_stopped_if_the_sentence_and_the_stop_are_there(self):
        def verdict(console):
            return mutation.stop_line(Outcome(1, "", console), "assertion 'a'")

        line = b"NOVA: assertion 'a' failed at x.c:1 (CPU 0)\r\n"
        self.assertEqual(verdict(line + b"NOVA: stopped\r\n"), line.decode().strip())
        for console in (line, b"NOVA: stopped\n", b"NOVA: b\nNOVA: stopped\n", b"x " + line):
            self.assertIsNone(verdict(console))

    def test_every_mutation_of_the_list_fits_the_kernel(self):
        found = mutation.parse(mutation.FILE.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(found), 30)
        self.assertGreaterEqual(sum(bool(one.stop) for one in found), 10)
        self.assertEqual(len({one.name for one in found}), len(found))
        for one in found:
            with self.subTest(mutation=one.name):
                text = (tree.ROOT / one.file).read_text(encoding="utf-8")
                self.assertNotEqual(mutation.apply(one, text), text)
                self.assertTrue(one.file.startswith("hypervisor/src/"))
                self.assertIn(one.arch, tree.ARCHES)
                self.assertLessEqual(set(one.areas), set(conformance.areas()))


if __name__ == "__main__":
    unittest.main()
