# SPDX-License-Identifier: BSD-2-Clause
"""What `nova bench` says of each instruction: its kind, its function, and whether any kernel needs
it."""

import dataclasses
import subprocess
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import paths  # noqa: F401
from nova import bench, bench_floor, bench_paths, bench_trace, table, tree
from nova.errors import NovaError


class Kinds(unittest.TestCase):
    """What the plugin takes an instruction for: its header, and bytes from the command line."""

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
        # What is not called is left out, and with it the rest of the plugin interface.
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

    def test_cr8_is_no_cr0_and_cr3_has_a_column_of_its_own(self):
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
    """Code of outer() at 0x10, into which the compiler put inner() and helper()."""

    ADDR2LINE = (
        "0x10\nouter\na.c:1\n0x11\nhelper\nlist.h:2\ninner\nb.c:3\nouter\na.c:4\n"
        "0x12\nhelper\nlist.h:2 (discriminator 3)\nouter\na.c:5\n0x20\n??\n??:0\n"
    )
    ROW = dataclasses.replace(
        table.read_rows(bench.ROWS)[0],
        **{"key": "call", "target": 100, "target_x86_32": 115, "tolerance": 2, "title": "a call"},
    )
    FIGURES = {"x86_64": {"call": 101}, "x86_32": {"call": 115}}
    PATHS = {"x86_64": {"call": {"outer": 60, "inner": 2}}, "x86_32": {"call": {"outer": 60}}}

    def test_the_linked_kernel_is_beside_the_one_for_qemu(self):
        with tempfile.TemporaryDirectory() as folder:
            kernel, linked = Path(folder) / "k.elf32", Path(folder) / "k.elf"
            self.assertEqual(bench_paths.with_symbols(kernel), kernel)
            linked.touch()
            self.assertEqual(bench_paths.with_symbols(kernel), linked)

    def test_a_path_without_names_says_which_file_is_missing(self):
        program = Path("/bin/true").resolve()
        with self.assertRaisesRegex(NovaError, "has no symbols: put .* beside it, as true.elf"):
            bench_paths.path_text([0x10], program, False)
        with tempfile.TemporaryDirectory() as folder:
            kernel = Path(folder) / "kernel"
            command = ["gcc", "-x", "c", "-nostdlib", "-Wl,-e0", "-o", str(kernel), "-"]
            subprocess.run(command, input=b"void f(void) {}", check=True)
            with self.assertRaisesRegex(NovaError, "no instruction at 0x10, .* as kernel.elf"):
                bench_paths.path_text([0x10], kernel, False)

    def names(self, text=ADDR2LINE):
        functions = [(0x10, "alias"), (0x20, "stub")]
        return bench_paths.Names(functions, bench_paths.read_frames(text))

    def test_an_instruction_belongs_to_the_innermost_function_of_a_source_file(self):
        path = Counter([0x10, 0x11, 0x12, 0x20, 0x21, 0x10])
        self.assertEqual(self.names().summary(path), {"outer": 3, "inner": 1, "stub": 2})

    def test_searches_in_trees_belong_to_no_user(self):
        text = self.ADDR2LINE.replace("helper\nlist.h", "tree_search\ntree.h")
        names = self.names(text)
        self.assertEqual(names.summary({0x10: 1, 0x11: 1, 0x12: 2}), {"outer": 1, "tree_search": 3})

    def test_what_trees_are_searched_by_are_functions_of_the_kernel(self):
        folder = bench.tree.ROOT / "hypervisor" / "src" / "lib"
        text = "".join((folder / name).read_text(encoding="utf-8") for name in ("tree.c", "tree.h"))
        for name in bench_paths.TREES:
            self.assertRegex(text, rf"\b{name}\([a-z]")

    def test_a_mean_has_what_only_some_rounds_do(self):
        rows = [self.ROW, dataclasses.replace(self.ROW, key="end", sample=table.MEAN)]
        paths, means = {"call": [1, 1], "end": [1]}, {"call": {1: 9}, "end": {1: 1, 0x20: 0.25}}
        found = bench_paths.executed(rows, paths, means)
        self.assertEqual(found, {"call": {1: 2}, "end": {1: 1, 0x20: 0.25}})
        summary = self.names().summary({0x10: 3, 0x20: 0.25, 0x21: 0.21, 0x22: 2.0})
        self.assertEqual(summary, {"outer": 3, "stub": 2.5})
        self.assertEqual(self.names().summary({0x10: 0.04}), {})

    def test_code_has_the_name_of_its_function_and_not_of_an_alias(self):
        self.assertEqual([self.names().code(a) for a in (0x11, 0x20)], ["outer", "stub"])

    def test_a_listing_tells_what_was_put_into_a_function(self):
        lines = list(bench_paths._listing([0x10, 0x11], self.names(), {0x10: "nop", 0x11: "ret"}))
        self.assertEqual(lines, ["outer (2)", "    10  nop", "    11  ret  # inner"])

    def complaints(self, sentences, remains, paths=None, figures=None, about="sentence_complaints"):
        given = (figures or self.FIGURES, paths or self.PATHS, sentences, remains)
        return getattr(bench_paths, about)([self.ROW], *given)

    def test_a_long_function_and_a_row_above_its_target_need_sentences(self):
        self.assertEqual(self.complaints({"outer": "why"}, {"call": "what"}), [])
        bad = self.complaints({}, {})
        self.assertEqual(len(bad), 2)
        self.assertIn("outer", bad[1])

    def test_a_row_within_its_targets_needs_none(self):
        within = {"x86_64": {"call": 100}, "x86_32": {"call": 115}}
        self.assertEqual(self.complaints({}, {}, figures=within), [])
        within["x86_32"]["call"] = 116
        self.assertEqual(len(self.complaints({}, {}, figures=within)), 2)

    def test_a_sentence_that_no_table_shows_is_told(self):
        sentences, remains = {"outer": "why", "inner": "why"}, {"call": "what", "met": "what"}
        bad = self.complaints(sentences, remains, about="needless")
        self.assertEqual(len(bad), 2)
        self.assertIn("has met, which is not above its target", bad[0])
        self.assertIn("explains inner, which has fewer than 2.5 instructions in each", bad[1])
        paths = {"x86_64": {"call": {"outer": 60, "inner": 4}}, "x86_32": {}}
        self.assertEqual(len(self.complaints(sentences, remains, paths, about="needless")), 1)
        sentences, remains = {"outer": "why"}, {"call": "what"}
        self.assertEqual(self.complaints(sentences, remains, about="needless"), [])

    def other(self, old, new, row=None):
        return bench_paths.complaints([row or self.ROW], {"call": old}, {"call": new})

    def test_other_instructions_than_the_page_tells_are_worse_in_both_directions(self):
        for outer, bad in ((54, 0), (66, 0), (53, 2), (67, 2)):
            found = self.other({"outer": 60, "inner": 40}, {"outer": outer, "inner": 40})
            self.assertEqual(len(found), bad, outer)
        found = self.other({"outer": 60, "inner": 40}, {"outer": 60, "other": 40})
        self.assertIn("inner has 0 instructions, 40 in", found[0])
        self.assertIn("other has 40 instructions, 0 in", found[1])

    def test_no_function_is_lost_in_a_row_that_searches_trees(self):
        row = dataclasses.replace(self.ROW, tolerance=8)
        old = bench._read_figures(bench.PATHS)["x86_64"]["delegate_page"]
        self.assertEqual(self.other(old, old, row), [])
        for name, count in old.items():
            if count > bench_paths.FEW and name not in bench_paths.TREES:
                found = self.other(old, {**old, name: 0}, row)
                self.assertIn(f"call: {name} has 0 instructions", found[0])

    def test_of_trees_the_sum_is_compared(self):
        old = {"tree_search": 60, "insert_at": 40}
        for new, bad in (((20, 80), 0), ((60, 80), 0), ((60, 81), 2), ((60, 0), 0), ((59, 0), 2)):
            found = self.other(old, dict(zip(old, new)))
            self.assertEqual(len(found), bad, new)
        self.assertIn("trees take 59 instructions, 100 in", found[0])

    def test_a_row_without_checked_in_functions_is_worse(self):
        self.assertEqual(len(bench_paths.complaints([self.ROW], {}, {"call": {"a": 1}})), 2)

    def test_short_functions_are_one_row_and_the_sum_is_that_of_the_sample(self):
        lines = bench_paths.matrix(["call"], self.PATHS, {"outer": "why"}).splitlines()
        self.assertEqual(lines[1], "|---|---:|---|")
        self.assertEqual(lines[2], "| `outer` | 60 | why |")
        self.assertTrue(lines[3].startswith("| others | 2 (–) |"))
        self.assertEqual(lines[4], "| all in the kernel | 62 (60) |  |")

    def test_the_shown_numbers_of_a_mean_have_its_sum(self):
        paths = {"x86_64": {"call": {"outer": 60.4, "second": 10.4, "inner": 3.4}}, "x86_32": {}}
        lines = bench_paths.matrix(["call"], paths, {}).splitlines()
        cells = [line.split("|")[2].split()[0] for line in lines[2:]]
        self.assertEqual(cells, ["60", "10", "4", "74"])

    def test_the_table_of_the_call_has_all_of_its_instructions(self):
        """It is written by hand, by what they are for."""
        page = bench.PAGE.read_text(encoding="utf-8")
        part = page.split("## Where the instructions of a call go")[1].split("\n\n")[2]
        cells = [line.split("|")[2:4] for line in part.splitlines()[2:]]
        numbers = [int(cell) for line in cells for cell in line if cell.strip() != "–"]
        counted = bench._read_figures(bench.PATHS)["x86_64"]["call_same_pd"]
        self.assertEqual(sum(numbers), sum(counted.values()))

    def test_the_page_and_the_sentences_are_those_of_what_is_checked_in(self):
        rows, figures = table.read_rows(bench.ROWS), bench._read_figures()
        self.assertEqual(bench.paths_complaints(rows, figures), [])
        page = bench.PATHS_PAGE.read_text(encoding="utf-8")
        self.assertEqual(bench.paths_page_with(page, rows, figures), page)
        paths = bench._read_figures(bench.PATHS)
        self.assertEqual(table.dumps(paths, 2), bench.PATHS.read_text(encoding="utf-8"))
        for arch in tree.ARCHES:
            self.assertEqual(set(paths[arch]), set(figures[bench_trace.SECTION][arch]))


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

    def test_a_row_costs_the_parts_of_what_it_is_made_of(self):
        model = self.read()
        self.assertEqual([model.floor("call", a) for a in tree.ARCHES], [14, 8])
        self.assertIsNone(model.floor("boot", "x86_64"))

    def test_a_class_without_parts_is_refused(self):
        with self.assertRaisesRegex(NovaError, "call is made of 'spaces', which has no parts"):
            self.read(self.TEXT.replace("1 space", "1 spaces"))

    def test_a_figure_below_its_floor_is_told(self):
        model = self.read()
        self.assertEqual(bench_floor.complaints(model, {"call": 14}, "x86_64"), [])
        bad = bench_floor.complaints(model, {"call": 13}, "x86_64")
        self.assertEqual(bad, ["call: 13 is below its floor, 14: one of them is wrong"])

    def test_records_have_it(self):
        records = [{"key": "call"}, {"key": "boot"}]
        found = bench_floor.add_to_records(records, self.read(), "x86_32")
        self.assertEqual([record["floor"] for record in found], [8, None])

    def test_the_page_shows_sums_of_classes_with_several_parts(self):
        lines = bench_floor.classes_table(self.read()).splitlines()
        self.assertEqual(lines[4], "| `returns` | all | **6** | **3** |")
        self.assertEqual(len(lines), 6)

    def test_the_first_use_of_a_pd_is_sums_of_rows_with_what_is_cleared(self):
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

    def test_what_is_checked_in_is_not_below_it_and_all_rows_have_one(self):
        model, figures = bench_floor.read(bench.FLOORS), bench._read_figures()
        rows = [row for row in table.read_rows(bench.ROWS) if row.unit == "instructions"]
        self.assertEqual({row.key for row in rows} - set(model.rows), {"boot"})
        for arch in tree.ARCHES:
            self.assertEqual(bench_floor.complaints(model, figures[arch], arch), [])
            self.assertLessEqual(set(model.rows), set(figures[arch]))


if __name__ == "__main__":
    unittest.main()
