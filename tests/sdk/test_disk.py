# SPDX-License-Identifier: BSD-2-Clause
"""`nova run --disk`: the files that can be a disk, and the way of the user's arguments into a copy
of the system's description."""

import errno
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import disk
from nova.errors import NovaError
from nova.qemu import Module

DESCRIPTION = """\
device disk
        id 1af4:1042

program one
        uses two

program two
        arguments -v
        provides two
"""


class Disk(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def refused(self, function, *arguments):
        with self.assertRaises(NovaError) as caught:
            function(*arguments)
        return str(caught.exception)

    def test_files_that_cannot_be_a_disk_are_refused(self):
        said = self.refused(disk.check, self.file("odd", "x" * 513))
        self.assertIn("has 513 bytes, which is not a multiple of 512: enlarge it with", said)
        self.assertIn("is empty: enlarge it", self.refused(disk.check, self.file("empty", "")))
        said = self.refused(disk.check, self.file("tiny", "x"))
        self.assertIn("has 1 byte, which", said)
        os.mkfifo(self.folder / "pipe")
        for other in (self.folder, self.folder / "pipe", "/dev/null"):
            said = self.refused(disk.check, other)
            self.assertIn("is neither a regular file nor a block device", said)
        with mock.patch("builtins.open", side_effect=PermissionError(errno.EACCES, "denied")):
            said = self.refused(disk.check, self.file("locked", "x" * 512))
        self.assertIn("locked cannot be used: denied", said)
        said = self.refused(disk.check, self.folder / "absent")
        self.assertIn("absent does not exist: create it with 'truncate -s 16M ", said)
        good = self.file("good", "x" * 1024)
        disk.check(good)
        self.assertIn("only QEMU", self.refused(disk.check, good, "bochs"))

    def test_the_option_takes_exactly_one_nonempty_file_name(self):
        for words, says in ((["--disk", ""], "the name of the file is empty"),
                            (["--disk", "a", "--disk", "b"], "the machine has one such disk")):
            result = paths.nova("run", "hello", *words)
            self.assertEqual(result.returncode, 2, words)
            self.assertIn(f"nova: argument --disk: {says}", result.stderr)

    def test_a_comma_in_the_name_is_doubled(self):
        self.assertIn("file=a,,b,format=raw", disk.arguments("a,b")[1])

    def test_a_colon_in_the_name_does_not_begin_a_protocol_of_qemu(self):
        self.assertIn("file=./nbd:b,format=raw", disk.arguments("nbd:b")[1])
        self.assertIn("file=/a:b,format=raw", disk.arguments("/a:b")[1])

    def described(self, program, text):
        found = [Module("init"), Module(str(self.file("own.nova", DESCRIPTION)))]
        return Path(disk.with_arguments(found, program, text)[1].file).read_text(encoding="utf-8")

    def test_arguments_go_to_the_program_in_quotation_marks(self):
        self.assertIn(
            'program one\n        arguments "a#b" "c\\"d"\n        uses two',
            self.described("one", 'a#b c"d'),
        )
        self.assertIn('        arguments -v "more"\n', self.described("two", "more"))

    def test_arguments_change_only_the_description_of_the_system(self):
        files = [self.file("child.nova", "program other\n"), self.file("own", DESCRIPTION)]
        found = [Module("init", "own"), *(Module(str(file)) for file in files)]
        made = disk.with_arguments(found, "two", "x")
        self.assertEqual(made[:2], found[:2])
        self.assertIn('        arguments -v "x"\n', Path(made[2].file).read_text(encoding="utf-8"))

    def test_arguments_come_before_a_comment(self):
        for line in ("arguments -v", 'arguments "a#b" -v', "\targuments\t-v", "arguments"):
            found = [Module(str(self.file("own.nova", f"program one # web\n{line} # why\n")))]
            made = Path(disk.with_arguments(found, "one", "x")[0].file).read_text(encoding="utf-8")
            self.assertEqual(made, f'program one # web\n{line} "x" # why\n')

    def test_blanks_and_indentation_have_no_meaning(self):
        text = "  program\tother\n  program\tone\nprogram two\narguments -v\n"
        found = [Module(str(self.file("own.nova", text)))]
        made = Path(disk.with_arguments(found, "one", "x")[0].file).read_text(encoding="utf-8")
        self.assertEqual(made.splitlines()[1:4],
                         ["  program\tone", '        arguments "x"', "program two"])

    def test_a_comment_in_another_encoding_is_kept(self):
        path = self.folder / "own.nova"
        path.write_bytes(b"program one # \xe9\n")
        made = Path(disk.with_arguments([Module(str(path))], "one", "x")[0].file).read_bytes()
        self.assertEqual(made, b'program one # \xe9\n        arguments "x"\n')

    def test_a_program_that_is_not_there_is_refused(self):
        self.file("own.nova", DESCRIPTION)
        found = [Module(str(self.folder / "own.nova"))]
        self.assertIn("no program three", self.refused(disk.with_arguments, found, "three", "x"))


if __name__ == "__main__":
    unittest.main()
