# SPDX-License-Identifier: BSD-2-Clause
"""The properties that `nova bench` lists for each instruction: its kind, its function, and whether
every kernel needs it."""

import subprocess
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import paths  # noqa: F401
from nova import bench, bench_floor, bench_listing, table, tree
from nova.errors import NovaError


class Kinds(unittest.TestCase):
    """Returns the plugin's classification of an instruction: its header, and bytes from the command
    line."""

    PROGRAM = """
        #include "kinds.h"
        static uint8_t code[15];
        static size_t length;
        const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *i) { return code; }
        size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *i) { return length; }
        int main(int argc, char **argv)
        {
                for (int i = 2; i < argc; i++)
                        code[length++] = (uint8_t)strtoul(argv[i], NULL, 16);
                return (int)kind_of(NULL, argv[1][0] == '6');
        }
    """
    PLAIN, LOCKED, CR3, SERIALISING, MSR = range(5)

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        source, cls.program = Path(cls.folder.name) / "kinds.c", Path(cls.folder.name) / "kinds"
        source.write_text(cls.PROGRAM, encoding="utf-8")
        include = f"-I{bench.FOLDER / 'plugin'}"
        # Uncalled functions are left out, and with them the rest of the plugin interface.
        flags = ["-O2", "-ffunction-sections", "-Wl,--gc-sections", "-w", include]
        subprocess.run(["gcc", *flags, "-o", cls.program, source], check=True)

    def check(self, kind, *codes, bits="64"):
        for code in codes:
            found = subprocess.run([self.program, bits, *code.split()], check=False).returncode
            self.assertEqual(found, kind, code)

    def test_invalidations_serialise(self):
        # INVEPT, INVVPID, INVPCID; INVLPG and its neighbour SWAPGS.
        self.check(self.SERIALISING, "66 0f 38 80 08", "66 0f 38 81 08", "66 41 0f 38 82 08")
        self.check(self.SERIALISING, "0f 01 38")
        self.check(self.PLAIN, "0f 01 f8", "66 0f 38 00 c1", "66 0f 38 83 08")

    def test_cr8_is_not_cr0_and_cr3_has_a_column_of_its_own(self):
        self.check(self.SERIALISING, "0f 22 c0", "0f 22 e0", "41 0f 22 c0")
        self.check(self.CR3, "0f 22 d8", "41 0f 22 d9")
        self.check(self.PLAIN, "44 0f 22 c0", "45 0f 22 c1", "0f 20 d8")
        # Without REX, 0x44 is INC.
        self.check(self.PLAIN, "44", bits="32")

    def test_locks_and_msrs(self):
        self.check(self.LOCKED, "f0 0f b1 0f", "f0 48 0f c1 07", "87 07", "48 87 07")
        self.check(self.MSR, "0f 30", "0f 32")
        self.check(self.PLAIN, "90", "87 c8", "0f b1 0f", "0f 31")

    def test_the_way_out_by_iret_serialises(self):
        self.check(self.SERIALISING, "48 cf", "0f a2", "0f 23 c0")
        self.check(self.SERIALISING, "cf", bits="32")


class Paths(unittest.TestCase):
    """Code of outer() at 0x10, into which the compiler inlined inner() and helper()."""

    ADDR2LINE = (
        "0x10\nouter\na.c:1\n0x11\nhelper\nlist.h:2\ninner\nb.c:3\nouter\na.c:4\n"
        "0x12\nhelper\nlist.h:2 (discriminator 3)\nouter\na.c:5\n0x20\n??\n??:0\n"
    )
    def test_the_linked_kernel_is_beside_the_one_for_qemu(self):
        with tempfile.TemporaryDirectory() as folder:
            kernel, linked = Path(folder) / "k.elf32", Path(folder) / "k.elf"
            self.assertEqual(bench_listing.with_symbols(kernel), kernel)
            linked.touch()
            self.assertEqual(bench_listing.with_symbols(kernel), linked)

    def test_a_path_without_names_says_which_file_is_missing(self):
        program = Path("/bin/true").resolve()
        with self.assertRaisesRegex(NovaError, "has no symbols: put .* beside it, as true.elf"):
            bench_listing.paths_text({"sm_up": [0x10]}, program, False)
        with tempfile.TemporaryDirectory() as folder:
            kernel = Path(folder) / "kernel"
            command = ["gcc", "-x", "c", "-nostdlib", "-Wl,-e0", "-o", str(kernel), "-"]
            subprocess.run(command, input=b"void f(void) {}", check=True)
            with self.assertRaisesRegex(NovaError, "no instruction at 0x10, .* as kernel.elf"):
                bench_listing.paths_text({"sm_up": [0x10]}, kernel, False)

    def test_with_several_operations_the_key_stands_above_each_path(self):
        with tempfile.TemporaryDirectory() as folder:
            kernel = Path(folder) / "kernel"
            command = ["gcc", "-x", "c", "-nostdlib", "-Wl,-ef", "-o", str(kernel), "-"]
            text = b"__attribute__((weak)) void u(void); void g(void) {} void f(void) { u(); }"
            subprocess.run(command, input=text, check=True)
            g, f = (address for address, name in sorted(bench_listing.symbols(kernel))
                    if name in ("f", "g"))
            one = bench_listing.paths_text({"up": [g]}, kernel, True)
            self.assertTrue(one.startswith("function "), one)
            two = bench_listing.paths_text({"up": [g], "down": [f, f]}, kernel, True)
        self.assertRegex(two, r"(?s)\Aup:\nfunction .*\ng +1\n.*\n\ndown:\nfunction .*\nf +2\n")

    def names(self, text=ADDR2LINE):
        functions = [(0x10, "alias"), (0x20, "stub")]
        return bench_listing.Names(functions, bench_listing.read_frames(text))

    def test_an_instruction_belongs_to_the_innermost_function_of_a_source_file(self):
        path = Counter([0x10, 0x11, 0x12, 0x20, 0x21, 0x10])
        self.assertEqual(self.names().summary(path), {"outer": 3, "inner": 1, "stub": 2})

    def test_functions_with_next_to_no_instructions_are_not_shown(self):
        summary = self.names().summary({0x10: 3, 0x20: 0.25, 0x21: 0.21, 0x22: 2.0})
        self.assertEqual(summary, {"outer": 3, "stub": 2.5})
        self.assertEqual(self.names().summary({0x10: 0.04}), {})

    def test_code_has_the_name_of_its_function_and_not_of_an_alias(self):
        self.assertEqual([self.names().code(a) for a in (0x11, 0x20)], ["outer", "stub"])

    def test_a_listing_shows_what_was_inlined_into_a_function(self):
        lines = list(bench_listing._listing([0x10, 0x11], self.names(), {0x10: "nop", 0x11: "ret"}))
        self.assertEqual(lines, ["outer (2)", "    10  nop", "    11  ret  # inner"])


class Floor(unittest.TestCase):
    TEXT = (
        "# a comment\npart\treturns\t2\t3\tin and out\npart\treturns\t4\t0\tkept\n"
        "part\tspace\t2\t2\tCR3\nrow\tcall\t2 returns, 1 space\n"
    )

    def read(self, text=TEXT):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "floor.tsv"
            path.write_text(text, encoding="utf-8")
            return bench_floor.read(path)

    def test_the_floor_of_a_row_is_the_sum_of_its_parts(self):
        model = self.read()
        self.assertEqual([model.floor("call", a) for a in tree.ARCHES], [14, 8])
        self.assertIsNone(model.floor("boot", "x86_64"))

    def test_a_class_without_parts_is_refused(self):
        with self.assertRaisesRegex(NovaError, "call is made of 'spaces', which has no parts"):
            self.read(self.TEXT.replace("1 space", "1 spaces"))

    def test_a_figure_below_its_floor_is_reported(self):
        model = self.read()
        self.assertEqual(bench_floor.complaints(model, {"call": 14}, "x86_64"), [])
        bad = bench_floor.complaints(model, {"call": 13}, "x86_64")
        self.assertEqual(bad, ["call: 13 is below its floor, 14: one of them is wrong"])

    def test_each_record_gets_its_floor(self):
        records = [{"key": "call"}, {"key": "boot"}]
        found = bench_floor.add_to_records(records, self.read(), "x86_32")
        self.assertEqual([record["floor"] for record in found], [8, None])

    def test_the_page_shows_sums_of_classes_with_several_parts(self):
        lines = bench_floor.classes_table(self.read()).splitlines()
        self.assertEqual(lines[4], "| `returns` | all | **6** | **3** |")
        self.assertEqual(len(lines), 6)

    def test_the_table_of_the_first_use_of_a_pd_sums_rows_and_shows_what_is_cleared(self):
        model = self.read(
            "part\treturns\t2\t3\tin and out\npart\troot\t50\t8\tcleared\n"
            "part\ttables\t20\t40\tcleared\nrow\tcreate_pd\t1 returns, 1 root\n"
            "row\tcreate_first_ec\t1 returns, 3 tables\nrow\tcreate_ec\t1 returns\n"
        )
        figures = {"create_pd": 80, "create_first_ec": 100, "create_ec": 10}
        shown = bench_floor.first_use_table(model, {arch: figures for arch in tree.ARCHES})
        both, first, all_of_it = (line.split(" | ", 1)[1] for line in shown.splitlines()[4:])
        self.assertEqual(both, "180 | 114 | 110 | 180 | 134 | 128 |")
        self.assertEqual(first, "90 | 60 | 60 | 90 | 120 | 120 |")
        self.assertEqual(all_of_it, "170 | 112 | 110 | 170 | 131 | 128 |")

    def test_no_published_figure_is_below_its_floor_and_all_rows_have_one(self):
        model, figures = bench_floor.read(bench.FLOORS), bench._read_figures()
        rows = [row for row in table.read_rows(bench.ROWS) if row.unit == "instructions"]
        self.assertEqual({row.key for row in rows} - set(model.rows), {"boot"})
        for arch in tree.ARCHES:
            self.assertEqual(bench_floor.complaints(model, figures[arch], arch), [])
            self.assertLessEqual(set(model.rows), set(figures[arch]))


if __name__ == "__main__":
    unittest.main()
