# SPDX-License-Identifier: BSD-2-Clause
"""The tests of proofs notice wrong tables and wrong results. They do not run Frama-C here."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
import frama

HEADS = {
    "modules": "module\tmethod\twidths\tprecision\tseconds\tsources\tfunctions\n",
    "faults": "module\tfile\tcode\tfault\n",
    "alarms": "module\twidths\tfunction\talarm\targument\n",
}
GOOD = {
    "modules": "one\teva\t64 32\t5\t60\tone.c\tread\n",
    "faults": "one\tone.c\tx < 1\tx <= 1\n",
    "alarms": f"one\t64\tread\tan alarm\t{'why ' * 10}\n",
}


class Tables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / frama.HERE).mkdir(parents=True)
        self.write(**GOOD)

    def write(self, **tables):
        for name, text in tables.items():
            path = self.root / frama.HERE / f"{name}.tsv"
            path.write_text(f"# a comment\n{HEADS[name]}{text}", encoding="utf-8")

    def test_the_tables_of_the_tree_are_good(self):
        frama.check_names(paths.ROOT)
        for row in frama.rows(paths.ROOT / frama.HERE / "modules.tsv", 7):
            frama.listed(paths.ROOT, frama.find(paths.ROOT, row[0]))
            for file, code, _fault in frama.faults(paths.ROOT, row[0]):
                text = (paths.ROOT / file).read_text(encoding="utf-8")
                self.assertEqual(text.count(code), 1, (file, code))

    def test_rows_that_no_run_would_look_at_are_refused(self):
        frama.check_names(self.root)
        for name, old, new, words in (
            ("modules", "eva", "ewa", "gives one an unknown method or width"),
            ("modules", "64 32", "64 16", "gives one an unknown method or width"),
            ("faults", "one\t", "two\t", "faults.tsv names two"),
            ("alarms", "one\t", "two\t", "alarms.tsv names two with widths 64"),
            ("alarms", "\t64\t", "\t16\t", "alarms.tsv names one with widths 16"),
            ("faults", "\tx <= 1", "", "this row has not 4 fields"),
            ("faults", "x <= 1", "", "this row has not 4 fields"),
        ):
            self.write(**GOOD)
            self.write(**{name: GOOD[name].replace(old, new)})
            with self.assertRaisesRegex(frama.Wrong, words):
                frama.check_names(self.root)

    def test_a_module_needs_a_row_and_a_fault(self):
        with self.assertRaisesRegex(frama.Wrong, "has no module two"):
            frama.find(self.root, "two")
        self.write(faults="")
        with self.assertRaisesRegex(frama.Wrong, "no fault for one"):
            frama.faults(self.root, "one")

    def test_listed_alarms_are_few_and_have_an_argument(self):
        module = frama.find(self.root, "one")
        alarm = frama.Alarm("read", "an alarm")
        self.assertEqual(frama.listed(self.root, module), {"64": {alarm}, "32": set()})
        self.write(alarms=GOOD["alarms"] * (frama.ALARMS_MAX + 1))
        with self.assertRaisesRegex(frama.Wrong, "more than 10 alarms of one"):
            frama.listed(self.root, module)
        self.write(alarms=GOOD["alarms"].replace("why " * 10, "why"))
        with self.assertRaisesRegex(frama.Wrong, "no argument for this alarm"):
            frama.listed(self.root, module)

    def test_a_fault_replaces_code_that_occurs_once(self):
        path, fault = self.root / "one.c", ("one.c", "x < 1", "x <= 1")
        path.write_text("if (x < 1)\n", encoding="utf-8")
        frama.insert(path, fault)
        self.assertEqual(path.read_text(encoding="utf-8"), "if (x <= 1)\n")
        for text in ("", "x < 1 || x < 1"):
            path.write_text(text, encoding="utf-8")
            with self.assertRaisesRegex(frama.Wrong, "does not have this code once: x < 1"):
                frama.insert(path, fault)


class Results(unittest.TestCase):
    MODULE = frama.Module("one", "eva", ["64"], "5", 60, ["one.c"], {"read", "main"})

    def run_eva(self, output, usual=None, table="directory\tfunction\n"):
        with tempfile.TemporaryDirectory() as folder:

            def run(*_):
                if table:
                    (Path(folder) / "alarms.csv").write_text(table, encoding="utf-8")
                return output, set(frama.alarms_in(output.splitlines(True), []))

            with mock.patch.object(frama, "run", run):
                return frama.run_eva(self.MODULE, [], Path(folder), usual)

    def run_wp(self, output):
        module = frama.Module("one", "wp", ["64"], "-", 60, ["one.c"], {"get", "get_all", "put"})
        with mock.patch.object(frama, "run", lambda *_: (output, set())):
            result = frama.run_wp(module, [], Path("/"), None)
            return result.alarms, result.functions

    def test_alarms_of_the_system_s_headers_do_not_count(self):
        lines = ["directory\tfunction\tproperty kind\tproperty"]
        for place in ("FRAMAC_SHARE/libc", "/usr/include", "hypervisor/src"):
            lines.append(f"{place}\tread\tmem_access\t\\valid(a  +  {len(place)})")
        ended = "Values at end of function main:\n  x\n"
        result = self.run_eva(ended, table="\n".join(lines) + "\n")
        self.assertEqual(result.alarms, {frama.Alarm("read", "mem_access: \\valid(a + 14)")})
        self.assertEqual(result.functions, {"main"})

    def test_a_run_of_eva_that_does_not_reach_the_end_is_refused(self):
        endless = "Values at end of function main:\n  NON TERMINATING FUNCTION\n"
        for output in (endless, ""):
            with self.assertRaisesRegex(frama.Wrong, "found no end of the driver"):
                self.run_eva(output)
            usual = frama.Result(set(), {"main"})
            self.assertEqual(self.run_eva(output, usual), frama.Result(set(), set()))
        with self.assertRaisesRegex(frama.Wrong, "Eva has no result"):
            self.run_eva("Values at end of function main:\n  x\n", table=None)

    def test_only_alarms_that_the_unchanged_source_lacks_belong_to_a_fault(self):
        ended = "[eva] Values at end of function main:\n  x\n"
        one = "[eva:alarm] one.c:1: Warning: \n  division by zero\n"
        two = one.replace("one.c:1", "one.c:2")
        usual = self.run_eva(one + ended)
        self.assertEqual(usual.messages, {one})
        self.assertEqual(self.run_eva(one + ended, usual).alarms, set())
        self.assertEqual(self.run_eva(one + two, usual).alarms, {frama.Alarm("", two)})

    def test_a_run_of_a_fault_ends_with_its_first_alarm(self):
        usual, new = "[eva:alarm] one.c:1: usual\n", "[eva:alarm] one.c:2:\n  new\n"
        script = f"printf '%s' '{usual}{new}[eva] on\n'; exec sleep 60"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "tree").mkdir()
            found = frama.run(["sh", "-c", script], 5, Path(folder), {usual})
        self.assertEqual(found, (f"{usual}{new}[eva] on\n", {usual, new}))

    def test_eva_follows_bits_only_if_the_method_needs_it(self):
        for method, expected in (("eva", False), ("bits", True)):
            module = frama.Module("one", method, ["64"], "3", 60, ["one.c"], {"main"})
            with tempfile.TemporaryDirectory() as folder:

                def run(command, *_):
                    (Path(folder) / "alarms.csv").write_text("directory\n", encoding="utf-8")
                    self.assertEqual("bitwise" in command, expected)
                    self.assertIn("-eva-precision 3", " ".join(command))
                    return "Values at end of function main:\n  x\n", set()

                with mock.patch.object(frama, "run", run):
                    frama.METHODS[method](module, [], Path(folder), None)

    def test_a_goal_of_wp_belongs_to_the_longest_name(self):
        goals = "[wp] Goal typed_get_all_ensures : Valid\n[wp] Goal typed_put_ensures : Unknown\n"
        found, functions = self.run_wp(goals + "Proved goals:    1 / 2\n")
        self.assertEqual(found, {frama.Alarm("contract", "put_ensures")})
        self.assertEqual(functions, {"get_all", "put"})
        for count in ("", "Proved goals:    2 / 2\n", "Proved goals:    1 / 3\n"):
            with self.assertRaisesRegex(frama.Wrong, "no result for each goal"):
                self.run_wp(goals + count)

    def test_each_difference_from_the_list_is_wrong(self):
        one, two = frama.Alarm("read", "one"), frama.Alarm("read", "two")
        self.assertEqual(frama.judge(self.MODULE, {one}, frama.Result({one}, {"read", "main"}),
                                     "64"), [])
        self.assertEqual(frama.judge(self.MODULE, {one}, frama.Result({two}, {"main"}), "64"), [
            "width 64: listed but does not occur: read: one",
            "width 64: not analysed to its end: read",
            "width 64: not proved and not listed: read: two",
        ])

    def test_a_run_has_a_limit_of_time(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "tree").mkdir()
            good = ("good\n", set())
            self.assertEqual(frama.run(["echo", "good"], 5, Path(folder)), good)
            for command in (["false"], ["python3", "-c", "for _ in range(10**8): pass"]):
                with self.assertRaisesRegex(frama.Wrong, "frama-c ended with"):
                    frama.run(command, 1, Path(folder))


if __name__ == "__main__":
    unittest.main()
