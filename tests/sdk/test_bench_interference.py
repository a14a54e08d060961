# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench interference`: the results of both QEMU plugins, the limits, and the table in
docs/promises.md."""

import json
import unittest

import paths  # noqa: F401
from nova import bench_interference

CONSOLE = """mark 1 call
operation 1 call
times call 64
receiver call 0
bytes call 0
events call 2
mark 2 create_ec
operation 2 create_ec
times create_ec 8
receiver create_ec 4096
bytes create_ec 32
events create_ec 0
"""
CPUS = """cpu 1 0 6400 0 0 0
cpu 2 0 9999 0 0 0
cpu 2 1 800 0 0 0
cpu 2 2 80 0 0 0
cpu 255 1 5000 0 0 0
"""
BUSY = """operation 1 compute
operation 2 call
operation 3 create_ec
times compute 10
pairs compute 100
times call 20
pairs call 50
times create_ec 8
pairs create_ec 10
"""
BUSY_CPUS = """cpu 1 1 40000 0 0 0
cpu 2 0 70000 0 0 0
cpu 2 1 24000 0 0 0
cpu 3 1 3000 0 0 0
"""
SERVER = "server create_ec 777\n"
RUNS = "run 0 700 0x1 0x2\nrun 1 85 0x1 0x2\nrun 2 5000 0x1 0x2\n"


class Interference(unittest.TestCase):
    def row(self, key, *limits):
        names = dict(zip(bench_interference.FIELDS, (*limits, 0, 0), strict=True))
        return bench_interference.Row(key, names, key)

    def found(self):
        return bench_interference.read(CONSOLE, CPUS, RUNS, (BUSY, BUSY_CPUS), SERVER)

    def test_figures_of_each_operation(self):
        found = self.found()
        self.assertEqual(list(found["call"].values()), [85, 0, 0, 200, 0, 0, 0, 2])
        self.assertEqual(list(found["create_ec"].values()), [5000, 777, 100, 0, 10, 4096, 32, 0])

    def test_limits(self):
        found = self.found()
        good = self.row("create_ec", 5000, 777, 100, 200, 10, 4096)
        other = {"create_ec": found["call"]}
        self.assertEqual(len(bench_interference.complaints([good], other)), 3)
        row = self.row("create_ec", 4999, 776, 99, 0, 9, 4095)
        bad = bench_interference.complaints([row], found)
        words = ("call has no row", "wait: 5000", "server: 777", "thread: 100",
                 "guest: 10", "receiver: 4096", "bytes: 32")
        self.assertEqual(len(bad), len(words), bad)
        for sentence, word in zip(bad, words):
            self.assertIn(word, sentence)

    def test_an_operation_without_figures_is_not_a_success(self):
        missing = bench_interference.complaints([self.row("call", 9, 0, 9, 9, 9, 0)], {})
        self.assertEqual(len(missing), 1)
        pairs = (BUSY, BUSY_CPUS)
        for runs, busy, server, field in (
            ("", pairs, SERVER, "wait"),
            (RUNS, ("", ""), SERVER, "busy"),
            (RUNS, pairs, "", "server"),
        ):
            found = bench_interference.read(CONSOLE, CPUS, runs, busy, server)
            row = self.row("create_ec", 9, 999, 999, 99, 99, 9999)
            bad = bench_interference.complaints([row], found)
            self.assertTrue(any(f"{field}: not counted" in sentence for sentence in bad), bad)

    def test_a_message_that_costs_the_receiver_nothing_did_not_arrive(self):
        row, figures = self.row("call", 90, 0, 1, 250, 2, 100), self.found()["call"]
        bad = bench_interference.complaints([row], {"call": {**figures, "events": 0}})
        self.assertEqual(bad, ["call, receiver: not counted"])

    def test_functions_that_keep_the_cpu(self):
        names = bench_interference.KEEPS
        lines = [f"{16 * n:016x} {15:016x} t {name}" for n, name in enumerate(names, 1)]
        options = bench_interference.keep_options("\n".join(lines))
        self.assertEqual(options, ["keep=0x10-0x1f", "keep=0x20-0x2f", "next=0x30-0x3f"])
        with self.assertRaises(bench_interference.NovaError):
            bench_interference.keep_options(lines[0])

    def test_the_table_shows_each_limit_after_its_figure(self):
        rows = [self.row("call", 90, 4, 1, 250, 2, 3)]
        head, line = bench_interference.cells(rows, self.found(), "x86_64")
        cells = ["85", "90", "0", "4", "0", "1", "200", "250", "0", "2", "0", "3", "0", "2"]
        self.assertEqual(line, ["call", *cells])
        self.assertEqual(len(head), len(line))
        self.assertEqual([name for name in head if "limit" in name][-2:],
                         ["another account, bytes (limit 0)", "the guest's events (limit 0)"])

    def test_the_page_shows_the_figures_that_are_published(self):
        figures = json.loads(bench_interference.FIGURES.read_text(encoding="utf-8"))
        page = bench_interference.PAGE.read_text(encoding="utf-8")
        rows = bench_interference.read_rows()
        self.assertEqual(bench_interference.write_page(page, rows, figures), page)
        for arch in bench_interference.WIDTHS:
            self.assertEqual(bench_interference.complaints(rows, figures[arch]), [])


if __name__ == "__main__":
    unittest.main()
