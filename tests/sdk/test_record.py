# SPDX-License-Identifier: BSD-2-Clause
"""Records have exactly the fields that their classes annotate."""

import unittest

import paths  # noqa: F401
from nova.record import Record


class Point(Record):
    across: int
    down: int = 7
    notes: list = list


class Records(unittest.TestCase):
    def test_fields_are_given_in_order_or_by_name_and_have_defaults(self):
        point = Point(1, notes=["a"])
        self.assertEqual((point.across, point.down, point.notes), (1, 7, ["a"]))
        self.assertEqual(repr(point), "Point(across=1, down=7, notes=['a'])")

    def test_two_records_share_no_default_list(self):
        one, other = Point(1), Point(1)
        one.notes.append("a")
        self.assertEqual(other.notes, [])

    def test_equal_records_have_equal_fields(self):
        self.assertEqual(Point(1, 2), Point(1, down=2))
        self.assertNotEqual(Point(1, 2), Point(1, 3))
        self.assertNotEqual(Point(1), vars(Point(1)))

    def test_a_copy_differs_in_the_changed_fields_only(self):
        point = Point(1, 2)
        self.assertEqual(point.changed(across=3), Point(3, 2))
        self.assertEqual(point, Point(1, 2))

    def test_a_missing_field_an_unknown_one_and_too_many_are_errors(self):
        for values, named in (((), {}), ((1,), {"up": 2}), ((1, 2, [], 4), {})):
            with self.subTest(values=values, named=named), self.assertRaises(TypeError):
                Point(*values, **named)


if __name__ == "__main__":
    unittest.main()
