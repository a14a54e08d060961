# SPDX-License-Identifier: BSD-2-Clause
"""A search with a fuzzer counts the time without new coverage over several runs. The archives of
inputs and the table of searches are complete."""

import re
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
import search

FUZZ = paths.ROOT / "tests/fuzz"
# Imitates libFuzzer: prints messages, then works until a signal stops it.
WORKS = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(72))
print("#2\\tINITED cov: 10 ft: 9 corp: 1/1b", "#3\\tNEW    cov: 12 ft: 9", sep="\\n",
      file=sys.stderr, flush=True)
while True:
    pass
"""


def figures(progress, used):
    return progress.edges, progress.since(used), progress.searched(used)


class Time(unittest.TestCase):
    def test_it_begins_when_the_corpus_is_read(self):
        progress = search.Progress(0, 0.0)
        self.assertEqual(figures(progress, 5.0), (0, 0.0, 0.0))
        progress.see("#2\tpulse  cov: 7 ft: 9 corp: 1/1b", 4.0)
        progress.see("#9\tINITED cov: 8 ft: 9 corp: 1/1b", 6.0)
        self.assertEqual(figures(progress, 10.0), (8, 4.0, 4.0))

    def test_only_more_edges_are_new_coverage(self):
        progress = search.Progress(0, 0.0)
        progress.see("#9\tINITED cov: 8 ft: 9 corp: 1/1b", 1.0)
        progress.see("#11\tNEW    cov: 8 ft: 12 corp: 2/2b", 3.0)
        progress.see("#12\tREDUCE cov: 8 ft: 12 corp: 2/1b", 4.0)
        self.assertEqual(progress.since(5.0), 4.0)
        progress.see("#13\tREDUCE cov: 9 ft: 13 corp: 3/2b", 6.0)
        self.assertEqual(figures(progress, 8.0), (9, 2.0, 7.0))

    def test_it_adds_up_over_runs_of_unchanged_code(self):
        progress = search.resume({"since": "2.5", "edges": "8"}, True)
        progress.see("#9\tINITED cov: 8 ft: 9 corp: 1/1b", 1.0)
        self.assertEqual(figures(progress, 4.0), (8, 153.0, 3.0))
        progress.see("#10\tNEW    cov: 9 ft: 9 corp: 1/1b", 5.0)
        self.assertEqual(figures(progress, 6.0), (9, 1.0, 5.0))

    def test_it_begins_again_when_the_code_has_changed(self):
        progress = search.resume({"since": "2.5", "edges": "80"}, False)
        progress.see("#9\tINITED cov: 8 ft: 9 corp: 1/1b", 1.0)
        self.assertEqual(figures(progress, 4.0), (8, 3.0, 3.0))


class Code(unittest.TestCase):
    def same(self, then, now):
        """Compares a file that had the text THEN, or did not exist, with its text NOW."""
        answers = {"diff": "a.c\n", "ls-tree": "" if then is None else "a.c\n", "show": then}
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a.c").write_text(now, encoding="utf-8")
            with mock.patch.object(search, "ROOT", Path(folder)), \
                 mock.patch.object(search, "output", lambda _, verb, *rest: answers[verb]):
                return search.same_code("c", ["a.c"])

    def test_a_comment_does_not_change_the_code(self):
        self.assertTrue(self.same("int a; /* one */\n#define B 1\n",
                                  "/* Two.\n * Three. */\nint a;\n#define B 1\n"))

    def test_a_change_other_than_a_comment_changes_the_code(self):
        for now in ("int b;\n#define B 1\n", "int a;\n#define B 2\n", "int a;\n"):
            with self.subTest(now=now):
                self.assertFalse(self.same("int a;\n#define B 1\n", now))

    def test_a_new_file_changes_the_code(self):
        self.assertFalse(self.same(None, "int a;\n"))

    def test_a_fuzzer_without_a_search_has_none(self):
        self.assertFalse(search.same_code("-", []))


class Runs(unittest.TestCase):
    def run_program(self, text, enough):
        progress = search.Progress(0, 0.0)
        with mock.patch("builtins.print"):
            used = search.search([sys.executable, "-c", text], progress, enough)
        return progress, used

    def test_a_search_ends_after_enough_processor_time(self):
        progress = search.Progress(0, 0.0)
        with mock.patch("builtins.print"):
            used = search.search([sys.executable, "-c", WORKS], progress,
                                 lambda used: progress.since(used) >= 0.3)
        self.assertEqual(progress.edges, 12)
        self.assertGreaterEqual(progress.since(used), 0.3)

    def test_a_search_that_a_signal_stopped_has_found_no_fault(self):
        text = "import os, sys; sys.stderr.close(); os._exit(72)"
        self.assertEqual(self.run_program(text, lambda used: False)[1], 0.0)

    def test_a_program_that_ends_by_itself_has_found_a_fault(self):
        text = "import sys; sys.exit('ERROR: libFuzzer')"
        self.assertIsNone(self.run_program(text, lambda used: False)[1])


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def inputs(self, name, *contents):
        made = self.folder / name
        made.mkdir()
        for number, content in enumerate(contents):
            (made / f"{name}{number}").write_bytes(content)
        return made

    def test_an_archive_has_each_input_once_without_the_seeds(self):
        seed = self.inputs("seeds", b"seed") / "seeds0"
        archive = self.folder / "a.tar.xz"
        work = self.inputs("work", b"seed", b"two", b"", b"two")
        self.assertEqual(search.pack(work, [seed], archive), 2)
        search.unpack(archive, self.inputs("out"))
        found = sorted(file.read_bytes() for file in (self.folder / "out").iterdir())
        self.assertEqual(found, [b"", b"two"])

    def test_the_same_inputs_give_the_same_archive(self):
        names = [self.folder / "a.tar.xz", self.folder / "b.tar.xz"]
        search.pack(self.inputs("one", b"1", b"22"), [], names[0])
        search.pack(self.inputs("two", b"22", b"1"), [], names[1])
        self.assertEqual(names[0].read_bytes(), names[1].read_bytes())

    def test_an_archive_that_is_missing_has_no_inputs(self):
        search.unpack(self.folder / "a.tar.xz", self.inputs("out"))
        self.assertEqual(list((self.folder / "out").iterdir()), [])

    def test_a_table_is_what_was_written(self):
        rows = {name: {**search.UNKNOWN, "fuzzer": name} for name in ("b", "a")}
        file = self.folder / "searched.tsv"
        self.assertEqual(search.read(file), {})
        search.write(file, rows)
        self.assertEqual(search.read(file), rows)

    def test_the_files_of_a_fuzzer_are_those_of_the_tree(self):
        rules = "a.o: /t/x/a.c \\\n /t/x/../y/b.h /usr/include/c.h /t/build/lwip/d.h\nb.o: /t/e.c\n"
        self.assertEqual(search.prerequisites(rules, Path("/t")), ["e.c", "x/a.c", "y/b.h"])


class Tree(unittest.TestCase):
    def setUp(self):
        self.rows = search.read(search.TABLE)
        self.archives = {file.name.removesuffix(".tar.xz"): file
                         for file in search.CORPUS.iterdir()}

    def test_the_table_has_each_fuzzer(self):
        text = (FUZZ / "CMakeLists.txt").read_text(encoding="utf-8")
        names = re.findall(r"^ *nova_add_fuzz_test\(([a-z0-9-]+) ", text, re.MULTILINE)
        self.assertGreater(len(names), 20)
        self.assertEqual(sorted(self.rows), sorted(names))

    def test_each_archive_has_the_inputs_of_its_row(self):
        for name, row in self.rows.items():
            with self.subTest(name=name):
                self.assertEqual(name in self.archives, row["commit"] != "-")
        for name, archive in self.archives.items():
            with self.subTest(name=name), tarfile.open(archive) as tar:
                self.assertEqual(len(tar.getmembers()), int(self.rows[name]["inputs"]))

    def test_the_archives_are_small(self):
        for archive in self.archives.values():
            self.assertLessEqual(archive.stat().st_size, search.MAX_ARCHIVE)
        self.assertLess(sum(file.stat().st_size for file in self.archives.values()), 1 << 20)


if __name__ == "__main__":
    unittest.main()
