# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench secure`: computes figures from counts of instructions."""

import unittest
from unittest import mock

import paths  # noqa: F401
from nova import bench, bench_goals, bench_io, bench_secure, table
from nova.errors import NovaError

NUMBERS = {name: number for number, name in enumerate(bench_secure.NAMES, 1)}


def counts(exits=(), **marks):
    """Returns the counts of an output in which each operation has been executed 10 times. MARKS: an
    operation's instructions outside the guest, for one execution."""
    all_exits = sum(exits)
    head = "section {} times {} host {} guest {} entries {} start {}"
    lines = [head.format(0, 1, 1000 + all_exits, 500, len(exits), 1000)]
    lines += [f"exit 0x81 1 {instructions}" for instructions in exits]
    for name, host in marks.items():
        lines += [head.format(NUMBERS[name], 10, 10 * host, 7, 10, 0), f"exit 0x72 10 {10 * host}"]
    return bench_secure.read("\n".join(lines) + "\n")


class Secure(unittest.TestCase):
    def test_the_numbers_of_operations_are_those_of_the_programs(self):
        text = (bench_io.FOLDER / "secure" / "marks.h").read_text(encoding="utf-8")
        for name, number in NUMBERS.items():
            word = {"page_out": "OUT", "page_in": "IN"}.get(name, name.upper())
            self.assertRegex(text, rf"#define SECURE_{word} +{number}\b")

    def test_marks_have_the_names_of_operations(self):
        found = counts(cpuid=2000, gzip=7)["marks"]
        self.assertEqual(sorted(found), ["cpuid", "gzip"])
        self.assertEqual((found["cpuid"].each(), found["cpuid"].all()), (2000, 20007))

    def test_a_figure_that_was_not_counted_is_not_said_to_be_above_its_limit(self):
        rows = [bench_io.Row("gzip", 80, None, "gzip")]
        with mock.patch.object(bench_io.build, "say") as say, mock.patch("builtins.print"):
            self.assertEqual(bench_io.report(rows, {}, "", False), 1)
        say.assert_called_once_with("gzip: not counted")

    def test_an_operation_that_is_missing_is_named(self):
        with self.assertRaisesRegex(NovaError, "it did not mark port, esm"):
            bench_secure.check(counts(cpuid=1), ("cpuid", "port", "esm"), "it")

    def test_exits_are_compared_with_those_of_a_normal_guest(self):
        secure = counts(cpuid=3000, port=2500, refused=4000, random=9000)
        found = bench_secure.exit_figures(secure, counts(cpuid=2000, port=1000))
        self.assertEqual((found["refused"], found["port"]), (2.0, 2.5))
        self.assertEqual((found["cpuid_normal"], found["cpuid_secure"]), (2000, 3000))
        beside = bench_secure.beside_figure(counts(cpuid=2000, port=1030), counts(cpuid=2000,
                                                                                 port=1000))
        self.assertEqual(beside["beside"], 1.01)

    def test_the_cipher_is_subtracted_from_the_ultracalls(self):
        secure = counts(page_out=5000, page_in=6000, snapshot=4100, vmm_refused=9, share=700,
                        touch=900, port=500, share_all=512 * 3, touch_all=512 * 4, unshare=8,
                        fresh=512 * 2)
        found = bench_secure.page_figures(secure, counts(seal=4000, open=4500),
                                          counts(page_out=1500, page_in=1600))
        self.assertEqual((found["page_out"], found["page_in"]), (1000, 1500))
        self.assertEqual((found["page_out_cipher"], found["page_in_aes"]), (5000, 1600))
        self.assertEqual((found["share"], found["share_many"], found["touch_many"]), (1100, 3, 4))

    def test_the_hash_is_subtracted_from_the_conversion(self):
        found = bench_secure.image_figures((10000, 2), (10000 + 100 * 9000, 102),
                                           counts(hash=8192))
        self.assertEqual((found["hash"], found["convert"]), (2.0, 808))

    def test_unmarked_instructions_belong_to_the_boot_up_to_the_shell(self):
        work = {"read_first": 10, "read": 5, "gzip": 3}
        secure, normal = counts((4000, ), **work), counts((2000, ), **work)
        with self.assertRaisesRegex(NovaError, "exactly one hypercall"):
            bench_secure.conversion(counts((1, 2), **work))
        found = bench_secure.debian_figures(secure, normal)
        self.assertEqual(found["debian"], round(500 / (2000 + 500), 3))
        self.assertEqual(found["debian_all"], round((4000 + 500) / (2000 + 500), 3))
        self.assertEqual((found["gzip"], found["read_outside"]), (1.0, 1.0))

    def test_each_row_has_a_figure(self):
        keys = {row.key for row in bench_io.read_rows(bench_secure.ROWS)}
        self.assertEqual(keys, set(bench._read_figures(bench_secure.FIGURES)[bench_secure.ARCH]))

    def test_the_output_names_each_missed_goal(self):
        rows = [bench_io.Row("hash", 60.0, 50.0, "the hash"),
                bench_io.Row("port", 2.5, 1.7, "a port access"),
                bench_io.Row("aes", float("inf"), None, "with AES")]
        found = {"hash": 50, "port": 2.1, "aes": 7}
        self.assertEqual(bench_secure.text(rows, found).splitlines()[-2:],
                         ["1 of 2 goals are reached.",
                          "missed: a port access: 2.1, the goal is 1.7"])
        self.assertEqual(bench_secure.summary(rows, {"hash": 1}), "1 of 1 goals are reached.")
        self.assertEqual([one["reached"] for one in bench_secure.records(rows, found)],
                         [True, False, None])

    def test_a_run_fails_above_each_reached_goal(self):
        rows = bench_io.read_rows(bench_secure.ROWS)
        published = bench._read_figures(bench_secure.FIGURES)[bench_secure.ARCH]
        above = [row.key for row in rows
                 if bench_secure.reached(row, published) and row.limit > row.goal]
        self.assertEqual(above, [])

    def test_the_page_has_the_figures_with_goal_and_limit(self):
        row = bench_io.Row("hash", 60.0, 50.0, "the hash")
        self.assertEqual(bench_secure.shown([row], {"hash": 1059.2}).splitlines()[-1],
                         "| the hash | 1,059.2 | 50 at most | no | 60 |")
        self.assertIn("| 50 at most | yes |", bench_secure.shown([row], {"hash": 50}))
        text = bench_goals.plot("Title", [row], {"hash": 1059.2})
        self.assertIn(">1,059.2 of 50<", text)
        self.assertIn(bench_goals.MISSED, text)
        self.assertNotIn(bench_goals.MISSED, bench_goals.plot("Title", [row], {"hash": 50}))
        self.assertIn("</svg>", bench_goals.plot("Title", [row], {}))
        other = bench_io.Row("other", 2, None, "the other one: ratio")
        self.assertEqual(bench_goals.bars([row, other], {"hash": 1, "other": 1}),
                         [("the hash", 1, 50.0)])
        with self.assertRaisesRegex(NovaError, "no place for the table"):
            bench_secure.write_page("", {})
        self.assertIn(table.show(None), bench_io.text([row], {}))


if __name__ == "__main__":
    unittest.main()
