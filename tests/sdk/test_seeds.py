# SPDX-License-Identifier: BSD-2-Clause
"""The figures of the fuzzer's runs add up, and each run begins at the first seed that no earlier
run has used."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
import seeds


class Seeds(unittest.TestCase):
    def test_a_run_goes_on_after_the_last_one_of_its_kernel(self):
        rows = [
            {"arch": "x86_64", "config": "release", "next": "8"},
            {"arch": "x86_64", "config": "release", "next": "5"},
            {"arch": "x86_64", "config": "debug", "next": "20"},
        ]
        self.assertEqual(seeds.next_seed(rows, "x86_64", "release"), 8)
        self.assertEqual(seeds.next_seed(rows, "x86_32", "release"), 1)

    def test_a_table_is_what_was_written(self):
        rows = [dict(zip(seeds.HEAD, "abcdefghij")), dict(zip(seeds.HEAD, "0123456789"))]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "totals.tsv"
            self.assertEqual(seeds.read(file, seeds.HEAD), [])
            seeds.write(file, seeds.HEAD, rows)
            self.assertEqual(seeds.read(file, seeds.HEAD), rows)

    def test_a_boot_is_added_to_the_row_of_its_kernel_only(self):
        name = {"arch": "x86_32", "config": "debug", "commit": "c"}
        other = dict(zip(seeds.HEAD, ("x86_64", "debug", "c", "1", "4", "3", "30", "15", "2", "1")))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "totals.tsv"
            with mock.patch.object(seeds, "TOTALS", file):
                seeds.write(file, seeds.HEAD, [other])
                seeds.add(name, 7, 7, (20, 10, 4, 2))
                seeds.add(name, 7, 8, (1, 1, 0, 0))
            rows = seeds.read(file, seeds.HEAD)
        self.assertEqual(rows[0], other)
        values = [str(rows[1][key]) for key in seeds.HEAD[3:]]
        self.assertEqual(values, ["7", "9", "2", "21", "11", "4", "2"])

    def test_the_clock_counts_instructions_unless_it_is_that_of_the_host(self):
        for words, extra in (([], seeds.COUNTED), (["--host-time"], []),
                             (["--emulator", "bochs"], [])):
            with self.subTest(words=words), \
                    mock.patch("sys.argv", ["seeds.py", *words]), \
                    mock.patch.object(seeds, "Machine") as machine, \
                    mock.patch.object(seeds, "Runner") as runner, \
                    mock.patch.object(seeds.bochs, "new_runner") as other:
                for made in (runner, other):
                    made.return_value.run.return_value.text.return_value = ""
                seeds.boot(Path("build"), 1, 2, seeds.arguments())
                self.assertEqual(machine.call_args.kwargs["extra"], extra)
                self.assertEqual(other.called, "bochs" in words)

    def test_two_boots_of_a_seed_must_have_the_same_output(self):
        for second, status in (("one", 0), ("two", 1)):
            boots = [seeds.Boot(text="one"), seeds.Boot(text=second)]
            with self.subTest(second=second), \
                    mock.patch("sys.argv", ["seeds.py", "--repeat", "1", "--cpus", "8"]), \
                    mock.patch.object(seeds, "boot", side_effect=boots), \
                    mock.patch("builtins.print"):
                self.assertEqual(seeds.main(), status)

    def test_the_totals_of_a_run_are_found(self):
        line = "# total: hypercalls 12, succeeded 6, events 3, exits 0"
        self.assertEqual(seeds.TOTAL.search(line).groups(), ("12", "6", "3", "0"))

    def test_the_checked_in_totals_are_of_all_kernels(self):
        rows = seeds.read(paths.ROOT / "tests/fuzzer/totals.tsv", seeds.HEAD)
        kernels = {(row["arch"], row["config"].split()[0]) for row in rows}
        self.assertEqual(len(kernels), 4)
        for row in rows:
            self.assertGreaterEqual(int(row["succeeded"]) * 10, int(row["hypercalls"]) * 3)


if __name__ == "__main__":
    unittest.main()
