# SPDX-License-Identifier: BSD-2-Clause
"""The locations of the SDK's parts and of the user's files."""

import os
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import places


class Cache(unittest.TestCase):
    def test_only_an_absolute_path_names_the_cache(self):
        for given, found in (("/other", "/other/nova"), ("other", "/home/me/.cache/nova"),
                             ("~/other", "/home/me/.cache/nova"), ("", "/home/me/.cache/nova")):
            with mock.patch.dict(os.environ, XDG_CACHE_HOME=given, HOME="/home/me"):
                self.assertEqual(places.cache(), Path(found))


if __name__ == "__main__":
    unittest.main()
