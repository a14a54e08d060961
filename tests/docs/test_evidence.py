# SPDX-License-Identifier: BSD-2-Clause
"""evidence.py finds tables that are out of date, proofs, models and flaws that no row names, and
names in rows for which there is no proof, model or test."""

import tempfile
import unittest
from pathlib import Path

import evidence

SPECULATION = """## Flaws

| flaw | CPUs | treatment |
|---|---|---|
| bounds check bypass (Spectre v1) | all | masks |
| Meltdown | Intel | **not treated** |

## Places

| place | actions | order |
"""
COVERAGE = """Counted on 2026-01-02 on the kernel of commit 0123abcd, x86-64, debug, with

| file | lines | QEMU | Bochs | unit | any | % | edges | seen | % |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| boot/a.c | 10 | 1 | 1 | 1 | 5 | 50.0 | 4 | 1 | 25.0 |
| boot/b/c.c | 1990 | 1 | 1 | 1 | 1995 | 50.0 | 0 | 0 | – |
| ../abi/nova/abi/crd.h | 6 | 6 | 6 | 6 | 6 | 100.0 | 0 | 0 | – |
| all | 2006 | 1 | 1 | 1 | 2006 | 97.6 | 4 | 1 | 25.0 |
"""


class Evidence(unittest.TestCase):
    def tree(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return root

    def test_flaws_are_called_by_their_short_names(self):
        self.assertEqual(evidence.flaws(SPECULATION), ["Spectre v1", "Meltdown"])

    def test_what_the_security_page_does_not_name(self):
        page = "| proved | `proofs.elf`, `proofs.gone` | `models.mail` | Meltdown |"
        found = evidence.complaints(page, ["elf", "new"], ["mail", "other"],
                                    ["Meltdown", "Spectre v1"])
        names = ["proofs.new", "proofs.gone", "models.other", "Spectre v1"]
        self.assertEqual(len(found), len(names), found)
        for sentence, name in zip(found, names):
            self.assertIn(name, sentence)

    def test_coverage_is_added_up_by_folder(self):
        shown = evidence.coverage(self.tree({evidence.COVERAGE: COVERAGE}))
        self.assertIn("| the kernel of 0123abcd, 2026-01-02 |", shown)
        self.assertIn("| `boot` | 2,000 | 2,000 | 100.0 % | 4 | 1 | 25.0 % |", shown)
        self.assertIn("| `abi` | 6 | 6 | 100.0 % | 0 | 0 | – |", shown)
        self.assertIn("| all | 2,006 | 2,006 | 100.0 % | 4 | 1 | 25.0 % |", shown)

    def test_totals_are_added_up_by_kernel(self):
        totals = ("arch\tconfig\tcommit\tfirst\tnext\tboots\thypercalls\tsucceeded\tevents\texits\n"
                  "x86_64\tdebug\taaaa\t1\t2\t1\t1000\t500\t7\t8\n"
                  "x86_64\tdebug\tbbbb\t2\t3\t2\t3000\t500\t7\t8\n")
        searched = ("fuzzer\tcommit\tsince\ttotal\tedges\tinputs\n"
                    "a\t-\t0.0\t0.0\t0\t0\nb\tcc\t20.0\t30.0\t5\t5\nc\tcc\t19.9\t30.0\t5\t5\n")
        shown = evidence.random_work(self.tree({"tests/fuzzer/totals.tsv": totals,
                                                "tests/fuzz/searched.tsv": searched}))
        self.assertIn("| x86_64, debug | aaaa, bbbb | 3 | 4,000 | 25.0 % | 14 | 16 |", shown)
        self.assertIn("Of the 3 fuzzers of readers, 2 have a search on record", shown)
        self.assertIn("\n1 found nothing new", shown)

    def test_a_long_run_of_no_test(self):
        files = {"tests/a/CMakeLists.txt": "add(files.loss1000.fat${fat})\nset(${x} storm1000)"}
        names = ["runtime.files.loss1000.fat12", "runtime.block.storm1000", "runtime.block.storm7"]
        self.assertEqual(evidence.unknown_tests(self.tree(files), names), names[2:])


if __name__ == "__main__":
    unittest.main()
