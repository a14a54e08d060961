# SPDX-License-Identifier: BSD-2-Clause
"""The limits and errors of nova-system, which is compiled here."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import paths

FOLDER = paths.ROOT / "roottask/system"


class SystemTool(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(kept.cleanup)
        cls.folder = Path(kept.name)
        cls.tool = cls.folder / "nova-system"
        text = (paths.ROOT / "sdk/cmake/NovaSystem.cmake").read_text(encoding="utf-8")
        names = re.search(r"foreach\(source (.*)\)", text).group(1).split()
        subprocess.run(["gcc", "-std=gnu11", f"-I{FOLDER.parent}", "-o", cls.tool,
                        *(FOLDER / f"{name}.c" for name in names)], check=True)
        cls.description = cls.folder / "system.nova"

    def call(self, *words, **options):
        options = {"stdout": subprocess.PIPE, **options}
        result = subprocess.run([self.tool, *words], stderr=subprocess.PIPE, text=True,
                                check=False, **options)
        return result.returncode, result.stderr

    def test_a_description_of_exactly_1_mib_is_read(self):
        text = "machine\n        cpus 2\n#"
        self.description.write_text(text + " " * ((1 << 20) - len(text)), encoding="utf-8")
        self.assertNotIn("cannot be read", self.call("--machine", self.description)[1])
        self.description.write_text(text + " " * ((1 << 20) + 1 - len(text)), encoding="utf-8")
        self.assertEqual(
            self.call("--machine", self.description),
            (1, f"nova-system: {self.description} cannot be read: it is larger than 1 MiB.\n"))

    def test_too_many_files_are_the_reason_of_a_refusal(self):
        self.description.write_text("", encoding="utf-8")
        self.assertNotIn("files in addition", self.call(self.description, *255 * ["a"])[1])
        self.assertEqual(
            self.call(self.description, *256 * ["a"]),
            (2, "nova-system: a system has at most 255 files in addition to its description, but "
                "there are 256: leave some out.\n"))

    def test_an_output_that_is_full_is_an_error(self):
        self.description.write_text((FOLDER.parents[1] / "examples/server/system.nova")
                                    .read_text(encoding="utf-8"), encoding="utf-8")
        self.assertEqual(self.call("--machine", self.description), (0, ""))
        with open("/dev/full", "w", encoding="utf-8") as full:
            self.assertEqual(
                self.call("--machine", self.description, stdout=full),
                (2, "nova-system: the output cannot be written: No space left on device.\n"))


if __name__ == "__main__":
    unittest.main()
