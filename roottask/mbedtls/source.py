#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unpacks mbedTLS's source from Debian's source package, and applies the patches: source.py FOLDER.

Writes `library`, `include` and LICENSE to the folder. If that is impossible, prints the reason and
ends with status 1; CMake calls this program again when it next configures the build.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova import debian_source  # noqa: E402

SOURCE = debian_source.Source(
    "mbedtls", "mbedtls_2.28.3.orig.tar.gz",
    "3b4953aa55a681e084d31892d9904cc5328d6b4958ea57b90ae4b4f94ae69a8d")
PARTS = ("library", "include", "LICENSE")

if __name__ == "__main__":
    sys.exit(debian_source.main(sys.argv[1], SOURCE, __file__, PARTS))
