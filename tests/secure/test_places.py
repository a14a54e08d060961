# SPDX-License-Identifier: BSD-2-Clause
"""Only some files of the library for monitors distinguish secure guests from normal ones, and the
ultravisor looks for pages only under its lock."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "roottask"
FOLDER = ROOT / "vmm/src"
ALLOWED = {"secure.c", "secure_pages.c", "secure.h", "vm.c", "vcpu.c"}
FUNCTION = re.compile(r"^(\w[^;{}]*)\n\{\n(.*?)^\}$", re.MULTILINE | re.DOTALL)
DISTINGUISHES = re.compile(r"(->|\.)secure\b|\bnovavmm_secure_|\bnova_uv_|\bstruct nova_secure\b")


class Places(unittest.TestCase):
    def test_no_other_file_of_novavmm_distinguishes_secure_guests(self):
        files = [file for file in FOLDER.rglob("*") if file.suffix in (".c", ".h")]
        found = {
            file.name for file in files if DISTINGUISHES.search(file.read_text(encoding="utf-8"))
        }
        self.assertEqual(found, ALLOWED)

    def test_two_files_of_novavmm_test_for_secure_mode(self):
        """The other files in ALLOWED call functions of secure.c, which test for it."""
        files = {
            file.name for file in FOLDER.rglob("*.c")
            if re.search(r"(->|\.)secure\b", file.read_text(encoding="utf-8"))
        }
        self.assertEqual(files, {"secure.c", "vm.c"})

    def test_the_ultravisor_looks_for_pages_under_its_lock(self):
        """Another call of the VMM can add a slot at any time. The handlers of server.c run under
        the lock."""
        looks, wrong = 0, []
        for name in ("access.c", "convert.c", "guest.c", "memory.c", "session.c"):
            text = (ROOT / "ultravisor" / name).read_text(encoding="utf-8")
            for head, body in FUNCTION.findall(text):
                at = re.search(r"\bpage_(find|has)\(", body)
                if not at:
                    continue
                looks += 1
                if "vm_lock();" not in body[:at.start()]:
                    wrong.append(f"{name}: {head}")
        self.assertGreater(looks, 12)
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
