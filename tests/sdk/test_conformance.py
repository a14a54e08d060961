# SPDX-License-Identifier: BSD-2-Clause
"""`nova conformance` does not trust a kernel, and knows which cases a platform may leave out."""

import re
import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import boot_test, conformance, not_raised, tap
from nova.errors import NovaError
from nova.qemu import Machine

CPU = Machine.cpu
ROWS = {"needs 2 CPUs": [["cpus=1"]], "needs a pool": [["!kmem=4M"]], "odd": [["qemu", "pc"]]}
TEXT = """TAP version 13
1..4
# run 1 ipc: a call
ok 1 - ipc: a call [5.2.1-01 D-02]
# run 2 ipc: a reply
not ok 2 - ipc: a reply [5.2.2-01]
  # ipc.c:7 x: expected 0x1 got 0x0
ok 3 - smp: two [3.1-01] # SKIP not raised here: needs 2 CPUs
ok 4 - shortage: few [3.6-11] # SKIP not raised here: needs a pool
"""


def words(**more):
    return not_raised.platform(Machine(kernel="k", **more), "x86_64")


class List(unittest.TestCase):
    def test_a_row_applies_to_machines_that_have_all_its_words(self):
        one, four = words(cpus=1), words(cpus=4)
        self.assertTrue(not_raised.allowed(ROWS, "needs 2 CPUs", one))
        self.assertFalse(not_raised.allowed(ROWS, "needs 2 CPUs", four))
        self.assertTrue(not_raised.allowed(ROWS, "needs a pool", one))
        self.assertFalse(not_raised.allowed(ROWS, "needs a pool", words(cmdline="x kmem=4M")))
        self.assertFalse(not_raised.allowed(ROWS, "odd", one))
        self.assertTrue(not_raised.allowed(ROWS, "odd", words(machine="pc")))

    def test_a_reason_that_the_list_does_not_name_is_not_allowed(self):
        self.assertFalse(not_raised.allowed(ROWS, "no time", words()))

    def test_the_name_of_a_device_is_one_of_the_words_of_a_machine(self):
        self.assertIn("edu", words(extra=["-device", "edu,dma_mask=0xffffffff"]))

    def test_the_list_in_the_tree_is_in_order(self):
        for reason, conditions in not_raised.read().items():
            self.assertTrue(reason and all(conditions))

    def test_the_list_has_only_reasons_of_the_suite_and_excuses_kernels_without_extensions(self):
        files = conformance.FOLDER.glob("*/*.c")
        text = "".join(file.read_text(encoding="utf-8") for file in files)
        reasons = set(re.findall(r'"(needs [^"]+)"', text))
        rows = not_raised.read()
        self.assertLessEqual(set(rows), reasons)
        for reason in reasons:
            if "extension" in reason:
                self.assertTrue(not_raised.allowed(rows, reason, {"foreign"}), reason)

    def test_a_row_without_its_three_fields_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "list.tsv"
            file.write_text("reason\twhere\twhy\nx\tqemu\n", encoding="utf-8")
            with self.assertRaises(NovaError):
                not_raised.read(file)

    def test_a_boot_test_demands_what_the_list_does_not_excuse(self):
        stream = tap.parse("1..2\nok 1 - a\nok 2 - b # SKIP not raised here: needs 2 CPUs\n")
        self.assertEqual(boot_test.tap_complaints(stream, ROWS, words(cpus=1)), [])
        self.assertEqual(len(boot_test.tap_complaints(stream, ROWS, words(cpus=4))), 1)


class Suite(unittest.TestCase):
    def found(self, **more):
        return conformance.cases(TEXT, ROWS, words(**more))[0]

    def test_each_case_has_its_result_statements_and_notes(self):
        found = self.found(cpus=1)
        self.assertEqual(
            [case.result for case in found],
            [tap.PASSED, tap.FAILED, tap.NOT_RAISED, tap.NOT_RAISED],
        )
        self.assertEqual(found[0].ids, ["5.2.1-01", "D-02"])
        self.assertEqual(found[1].notes, ["ipc.c:7 x: expected 0x1 got 0x0"])

    def test_a_case_that_must_be_raised_fails_when_it_is_not(self):
        self.assertEqual(self.found(cpus=4)[2].result, tap.FAILED)

    def test_a_later_boot_raises_what_the_first_could_not(self):
        more = "1..1\nok 1 - shortage: few [3.6-11]\n"
        second, problems = conformance.cases(more, ROWS, words())
        merged = conformance.merge(self.found(cpus=1), second)
        self.assertEqual(problems, [])
        self.assertEqual([case.result for case in merged].count(tap.PASSED), 2)
        self.assertEqual(len(merged), 4)

    def test_a_later_boot_does_not_hide_a_failure(self):
        second, _ = conformance.cases("1..1\nok 1 - ipc: a reply [5.2.2-01]\n", ROWS, words())
        self.assertEqual(conformance.merge(self.found(cpus=1), second)[1].result, tap.FAILED)

    def test_the_table_counts_by_section(self):
        lines = conformance.table(self.found(cpus=1), "x86_64").splitlines()
        row = next(line for line in lines if line.startswith("5.2 "))
        self.assertEqual(row.split()[-4:], ["1", "1", "·", "·"])
        self.assertEqual(lines[-1].split(), ["cases", "1", "1", "2", "·"])

    def test_statements_about_the_other_architecture_do_not_count(self):
        case = conformance.Case("a: b", "a", ["7.1-01", "8.1-01"], tap.PASSED, "", [])
        lines = conformance.table([case], "x86_64").splitlines()
        self.assertFalse([line for line in lines if line.startswith("7.1")])
        self.assertEqual(len([line for line in lines if line.startswith("8.1")]), 1)

    def test_the_tap_output_is_tap_with_the_same_results(self):
        found = self.found(cpus=1)
        again = tap.parse(conformance.stream(found))
        self.assertEqual([case.result for case in again.cases], [case.result for case in found])
        self.assertEqual(again.problems, [])

    def test_an_area_with_a_command_line_of_its_own_gets_its_own_boot(self):
        self.assertEqual(
            conformance.boots([], "", "max"), [("", "max", []), ("kmem=4M", "max", ["shortage"])]
        )
        self.assertEqual(conformance.boots(["ipc"], "serial", CPU), [("serial", CPU, ["ipc"])])
        self.assertEqual(
            conformance.boots(["shortage"], "serial", CPU),
            [("serial kmem=4M", CPU, ["shortage"])],
        )

    def test_an_area_that_needs_it_boots_on_a_cpu_without_virtualization_too(self):
        self.assertEqual(
            conformance.boots(["create", "ipc"], "", CPU),
            [("", CPU, ["create", "ipc"]), ("", "qemu64,-svm", ["create"])],
        )
        self.assertIn(("", "qemu64,-svm", ["create"]), conformance.boots([], "", CPU))

    def test_every_area_has_a_section_title_for_its_statements(self):
        text = (conformance.FOLDER / "spec-statements.tsv").read_text(encoding="utf-8")
        ids = [line.split("\t")[0] for line in text.splitlines()[1:]]
        self.assertTrue({conformance.section(i) for i in ids} <= set(conformance.titles()))


if __name__ == "__main__":
    unittest.main()
