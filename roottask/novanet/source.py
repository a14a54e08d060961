#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unpacks lwIP's source from Debian's source package, and applies the patches: source.py FOLDER.

The folder gets `src`, `test` and COPYING. If that is impossible, prints the reason, and ends with
status 1; the next configuration tries again.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova import debian_source  # noqa: E402

SOURCE = debian_source.Source(
    "lwip", "lwip_2.1.3+dfsg1.orig.tar.xz",
    "0a8276d09fc4e97bbba2f953d74af2388fc2195ea156be9d7589e297a68fde24")
PARTS = ("src", "test", "COPYING")

if __name__ == "__main__":
    sys.exit(debian_source.main(sys.argv[1], SOURCE, __file__, PARTS))
