# SPDX-License-Identifier: BSD-2-Clause
"""`nova test --coverage`: the records of the plugin, and the figures that are computed from
them."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import bench_listing, coverage, ctest, qemu, scope, tree
from nova.errors import EXIT_FAILED
from nova.runner import Runner

# A kernel with a loop whose jump goes both ways, a branch that is never taken, and a branch that is
# always taken. It ends QEMU by the exit device.
KERNEL = """
        .section .boot, "ax"
        .long 0x1badb002, 0, -0x1badb002
        .globl start
start:  mov $2, %ecx
1:      loop 1b
        jmp text

        .section .text
text:   mov $3, %ecx
again:  dec %ecx
both:   jnz again
        test %ecx, %ecx
passed: jnz never
        test %ecx, %ecx
taken:  jz out
never:  nop
out:    mov $0, %al
        outb %al, $0xf4
"""
# A variant that loops at its end, so that QEMU is killed.
ENDLESS = KERNEL.replace("outb %al, $0xf4", "jmp out")
SCRIPT = """
ENTRY(start)
PHDRS { boot PT_LOAD FLAGS(5); text PT_LOAD FLAGS(5); }
SECTIONS {
        . = 0x100000; .boot : { *(.boot) } :boot
        . = 0x110000; .text : { *(.text) } :text
        /DISCARD/ : { *(.note*) *(.data) *(.bss) }
}
"""
SOURCE = f"{coverage.SOURCES}/src/a.c"


class Plugin(unittest.TestCase):
    def boot(self, source, timeout):
        """Returns the outcome, and {label: bits} of the kernel's labels."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "a.S").write_text(source, encoding="utf-8")
            (folder / "a.ld").write_text(SCRIPT, encoding="utf-8")
            linked, kernel = folder / "a.elf", folder / "a.elf32"
            command = ["gcc", "-m32", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none"]
            command += ["-Wl,-T", str(folder / "a.ld"), "-o", str(linked), str(folder / "a.S")]
            subprocess.run(command, check=True)
            kernel.write_bytes(linked.read_bytes())
            with mock.patch.object(coverage, "FOLDER", folder), mock.patch.dict(os.environ):
                coverage.begin()
                outcome = Runner(qemu.Machine(kernel=kernel, cpus=1, memory=32), timeout).run()
            [record] = folder.glob("*.map")
            text, boot = coverage.ranges(linked)
            code = coverage.Code(bench_listing.disassembly(linked), {})
            ran = coverage.ran_in_map(code, record.read_bytes(), text, boot)
            return outcome, {n: ran.get(a, 0) for a, n in bench_listing.symbols(linked)}

    def test_both_ways_of_a_loop_and_one_way_of_a_branch_are_recorded(self):
        outcome, bits = self.boot(KERNEL, 60)
        self.assertEqual(outcome.value, 0)
        both = coverage.PASSED | coverage.TAKEN
        self.assertEqual(bits["both"], coverage.RAN | both)
        self.assertEqual(bits["passed"], coverage.RAN | coverage.PASSED)
        self.assertEqual(bits["taken"], coverage.RAN | coverage.TAKEN)
        self.assertEqual((bits["start"], bits["never"], bits["out"]), (1, 0, 1))

    def test_a_machine_that_is_killed_loses_nothing(self):
        outcome, bits = self.boot(ENDLESS, 10)
        self.assertNotEqual(outcome.status, 0)
        self.assertEqual((bits["taken"], bits["never"]), (coverage.RAN | coverage.TAKEN, 0))


class Figures(unittest.TestCase):
    def report(self, texts):
        return coverage.Report(lambda _name, line: texts.get(line, ""))

    def code(self, *lines):
        """Returns code with one instruction of each line: (line, text)."""
        instructions = {address: text for address, (_, text) in enumerate(lines)}
        return coverage.Code(
            instructions, {a: ("src/a.c", line) for a, (line, _) in enumerate(lines)}
        )

    def test_a_line_ran_if_one_of_its_instructions_did(self):
        found = self.report({3: "  never();"})
        found.add_map(self.code((1, "nop"), (2, "nop"), (2, "nop"), (3, "nop")), {0: 1, 2: 1})
        self.assertEqual(found.files["src/a.c"].row("a")[:7], ["a", 3, 2, 0, 0, 2, "66.7"])
        self.assertEqual(list(found.never()), ["src/a.c:3: never();\n"])

    def test_each_conditional_jump_has_two_edges(self):
        found = self.report({})
        code = self.code((1, "je 5"), (2, "jne,pn 5"), (3, "jmp 5"), (4, "ja 5"))
        found.add_map(code, {0: coverage.RAN | coverage.BOTH, 1: coverage.RAN | coverage.TAKEN})
        self.assertEqual(found.files["src/a.c"].row("a")[7:], [6, 3, "50.0"])

    def test_a_branch_of_an_assertion_is_not_an_edge(self):
        found = self.report({1: "assert(good);"})
        found.add_map(self.code((1, "je 5")), {0: coverage.RAN | coverage.PASSED})
        self.assertEqual(found.files["src/a.c"].edges, 0)

    def test_copies_of_a_line_that_branch_differently_count_as_both_ways(self):
        found = self.report({2: "if (b)"})
        code = self.code((1, "je 5"), (1, "je 5"), (2, "je 5"), (2, "je 5"), (3, "je 5"))
        passed, taken = coverage.RAN | coverage.PASSED, coverage.RAN | coverage.TAKEN
        found.add_map(code, {0: passed, 1: taken, 2: passed, 3: passed})
        self.assertEqual(list(found.one_way()), ["src/a.c:2: if (b)\n"])

    def test_lines_of_unit_tests_and_bochs_count_among_those_with_code(self):
        found = self.report({})
        found.add_map(self.code((1, "nop"), (2, "nop"), (3, "nop")), {})
        lines = [{"line_number": 1, "count": 4}, {"line_number": 2, "count": 0}]
        lines += [{"line_number": 9, "count": 1}]
        found.add_gcov(json.dumps({"files": [{"file": SOURCE, "lines": lines}]}) + "\n")
        found.add_blocks(self.code((3, "nop")), {0})
        self.assertEqual(found.files["src/a.c"].row("a")[:6], ["a", 3, 0, 1, 1, 2])
        self.assertEqual(found.table().splitlines()[-1].split(" | ")[:2], ["| all", "3"])
    def test_a_call_by_a_unit_test_covers_the_lines_with_the_braces_of_the_function(self):
        texts = {1: "static void f(int a,", 2: "              int b)", 3: "{", 5: "}", 8: "{"}
        found = self.report(texts)
        found.add_map(self.code((3, "push"), (4, "call"), (5, "ret"), (8, "ret")), {})
        lines = [{"line_number": 4, "count": 1}]
        functions = [{"start_line": 1, "end_line": 5, "execution_count": 1}]
        functions += [{"start_line": 7, "end_line": 9, "execution_count": 0}]
        told = {"file": SOURCE, "lines": lines, "functions": functions}
        found.add_gcov(json.dumps({"files": [told]}))
        self.assertEqual(found.files["src/a.c"].any(), {3, 4, 5})


class Records(unittest.TestCase):
    def test_a_record_that_is_older_than_a_source_does_not_count(self):
        with tempfile.TemporaryDirectory() as folder:
            names = ("old.gcda", "a.c", "b.h", "new.gcda")
            files = [Path(folder) / name for name in names]
            for time, file in enumerate(files):
                file.touch()
                os.utime(file, (time, time))
            old, *sources, new = files
            self.assertEqual(coverage.fresh([old, new], sources), [new])


class Lines(unittest.TestCase):
    def rows(self, *lines):
        return coverage.read_rows("\n".join(lines))

    def test_an_instruction_has_the_line_of_the_last_row_before_it(self):
        found = self.rows(
            f"CU: {SOURCE}:", "File name   Line number    Starting address    View    Stmt",
            "a.c     7  0x10               x", "a.c     8  0x10       1", "a.c     9  0x14        ",
            "a.c     -  0x18",
        )
        lines = coverage.lines_of([0x0F, 0x10, 0x12, 0x14, 0x17, 0x18], found)
        places = {0x10: 8, 0x12: 8, 0x14: 9, 0x17: 9}
        self.assertEqual(lines, {at: ("src/a.c", line) for at, line in places.items()})

    def test_the_first_code_of_a_unit_can_be_that_of_a_header(self):
        header = f"{coverage.SOURCES}/src/b.h"
        found = self.rows(f"CU: {SOURCE}:", "b.h  3  0x10  x", "", f"{header}:", "b.h  4  0x14  x")
        self.assertEqual(found, {0x10: ("src/b.h", 3), 0x14: ("src/b.h", 4)})

    def test_the_end_of_one_unit_does_not_hide_the_start_of_another(self):
        found = self.rows(f"{SOURCE}:", "a.c  3  0x14  x", "a.c  -  0x18", "a.c  1  0x10  x",
                          "a.c  -  0x14")
        self.assertEqual(found[0x14], ("src/a.c", 3))

    def test_lines_of_other_sources_are_left_out(self):
        found = self.rows(f"{SOURCE}:", "a.c  3  0x10  x", "/elsewhere/b.c:", "b.c  1  0x14  x")
        self.assertEqual(coverage.lines_of([0x10, 0x14], found), {0x10: ("src/a.c", 3)})


class Blocks(unittest.TestCase):
    TRACE = f"call 99 {coverage.TRACE}"

    def blocks(self, *texts, starts=()):
        return dict(coverage.blocks(coverage.Code(dict(enumerate(texts)), {}, starts)))

    def test_a_block_has_what_comes_before_its_call_and_ends_before_the_next_block(self):
        found = self.blocks("push", self.TRACE, "nop", "je 9", self.TRACE, "nop", "ret", "push")
        self.assertEqual(found, {2: [0, 1, 2, 3, 4], 5: [5, 6]})

    def test_instructions_after_a_jump_belong_to_no_block(self):
        found = self.blocks(self.TRACE, "nop", "jmp 4", "nop", self.TRACE, "ret")
        self.assertEqual(found, {1: [0, 1, 2], 5: [3, 4, 5]})

    def test_a_function_in_assembly_belongs_to_no_block(self):
        found = self.blocks(self.TRACE, "call 9", "mov", "ret", starts=(0, 2))
        self.assertEqual(found, {1: [0, 1]})


class Choice(unittest.TestCase):
    def test_bochs_runs_the_kernel_that_prints_and_qemu_the_others(self):
        def chosen(name, preset, *labels):
            return scope.is_recorded(ctest.Test(preset, 1, name, list(labels), False))

        for name, labels in (("a.bochs-1", ["bochs"]), ("boot.bochs.a", []), ("vmm.a-vmx", [])):
            self.assertTrue(chosen(name, tree.COVERAGE_PRESET, *labels))
            self.assertFalse(chosen(name, "x86_64-debug", *labels))
        self.assertFalse(chosen("a.cpus-1", tree.COVERAGE_PRESET, "conformance"))
        self.assertTrue(chosen("a.cpus-1", "x86_64-debug", "conformance"))

    def test_quick_and_coverage_are_refused_together(self):
        result = subprocess.run(
            [tree.SCRIPT, "test", "--quick", "--coverage"], capture_output=True, text=True,
            check=False,
        )
        self.assertNotEqual(result.returncode, EXIT_FAILED)
        self.assertIn("--quick chooses tests and presets itself", result.stderr)


if __name__ == "__main__":
    unittest.main()
