# SPDX-License-Identifier: BSD-2-Clause
"""The walk of the page tables finds forbidden mappings."""

import unittest

import paths  # noqa: F401
import walk

HALF = walk.KERNEL_HALF["x86_64"]
GOOD = """ffff80000ee00000: 000000000ee00000 XGPDA---W
ffffffff80201000: 0000000000201000 -G--A----
0000000000400000: 0000000001000000 ----A--U-
0000000000401000: 0000000001001000 X---A--U-
0000000000402000: 8000000001002000 X---A--UW
"""


class Walk(unittest.TestCase):
    def found(self, more="", less=""):
        lines = [line for line in GOOD.splitlines() if not less or less not in line]
        return walk.complaints(walk.parse("\n".join(lines) + "\n" + more), HALF)

    def one(self, words, **change):
        found = self.found(**change)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def test_good_tables_pass(self):
        self.assertEqual(self.found(), [])

    def test_writable_and_executable(self):
        self.one("writable and executable", more="ffffffff80300000: 300000 -G-DA---W")
        self.one("writable and executable", more="0000000000403000: 1003000 ---DA--UW")

    def test_kernel_pages_that_user_mode_may_use(self):
        self.one("accessible in user mode", more="ffffffff80300000: 300000 XG--A--U-")

    def test_a_page_left_from_start_up_is_found(self):
        self.one("below its half", more="0000000000008000: 8000 X---A---W")

    def test_user_memory_in_the_kernel(self):
        self.one("seen by the kernel", more="ffff900000000000: 1001000 XG--A----")
        found = self.found(more="ffff900000000000: 1000000 XGPDA---W")
        self.assertEqual(len(found), 3)

    def test_a_dump_that_lacks_a_kind_of_page_is_reported(self):
        self.one("no writable kernel page", less="ffff80000ee00000")
        self.one("no executable kernel page", less="ffffffff80201000")
        self.one("no executable page of the roottask", less="0000000000400000")
        self.one("no writable page of the roottask", less="0000000000402000")

    def test_pages_outside_of_the_regions(self):
        regions = walk.REGIONS["x86_64"]
        for line, count in (
            ("ffff80000f000000: f000000 XGPDA---W", 0),
            ("ffff80000f000000: f000000 XG-DA---W", 1),
            ("ffff900000000000: f000000 XGPDA---W", 1),
            ("ffffffffc0800000: f000000 XG-DA---W", 1),
        ):
            found = walk.region_complaints(walk.parse(line), HALF, regions)
            self.assertEqual(len(found), count, line)

    def test_a_second_mapping_of_memory_that_is_not_writable(self):
        at = {
            "image_text_start": 0xFFFFFFFF80201000,
            "image_text_end": 0xFFFFFFFF80202000,
            "image_rodata_end": 0xFFFFFFFF80203000,
            "image_end": 0xFFFFFFFF80204000,
        }
        image = """ffffffff80201000: 201000 -G--A----
ffffffff80202000: 202000 XG--A----
ffffffff80203000: 203000 XG-DA---W
"""
        regions = walk.REGIONS["x86_64"]
        self.assertEqual(walk.image_complaints(walk.parse(image), regions, at), [])
        more = walk.parse(image + "ffff800000200000: 200000 XGPDA---W\n")
        self.assertEqual(len(walk.image_complaints(more, regions, at)), 1)
        less = walk.parse(image.replace("202000 XG--A----", "202000 XG-DA---W"))
        self.assertEqual(len(walk.image_complaints(less, regions, at)), 1)

    def test_a_line_that_is_not_understood_is_not_a_success(self):
        with self.assertRaises(SystemExit):
            walk.parse("0000000000400000: 1000 rwx")

    def test_frames_of_pae_tables_come_without_their_flag(self):
        page = walk.parse("00000000c0208000: 8000000000208000 XG-DA---W")[0]
        self.assertEqual((page.frame, page.execute, page.write), (0x208000, False, True))


if __name__ == "__main__":
    unittest.main()
