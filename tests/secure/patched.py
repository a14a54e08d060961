#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the monitor of the example linux able to run secure guests: `patched.py ROOT OUT` writes
its main.c with the changes of linux.patch to OUT. Fails if the patch has MOST changed lines or
more, or if its lines are not in the example."""

import re
import sys
from pathlib import Path

ROOT, OUT = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "sdk/lib"))

from nova import newlib_patches  # noqa: E402

PATCH = "tests/secure/linux.patch"
EXAMPLE = "examples/linux/main.c"
MOST = 15  # lines that are added or removed


def main():
    patch = (ROOT / PATCH).read_text(encoding="utf-8")
    text = (ROOT / EXAMPLE).read_text(encoding="utf-8")
    changed = len(re.findall(r"^[+-](?![+-])", patch, re.MULTILINE))
    if not 0 < changed < MOST:
        return f"{PATCH} changes {changed} lines; fewer than {MOST} must be enough"
    for _, _, old, new in newlib_patches.hunks(patch):
        before, after = ("\n".join(lines) + "\n" for lines in (old, new))
        if text.count(before) != 1:
            return f"{EXAMPLE} does not have these lines of {PATCH} once:\n{before}"
        text = text.replace(before, after)
    OUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
