# SPDX-License-Identifier: BSD-2-Clause
"""Extracts the blocks of one language from a page: `extract.py PAGE LANGUAGE [FILE]`."""

import re
import sys
from pathlib import Path

BLOCK = r"^```{}\n(.*?)^```$"


def blocks(text, language):
    """Returns the contents of all blocks of LANGUAGE, in order."""
    return re.findall(BLOCK.format(language), text, re.MULTILINE | re.DOTALL)


def main(page, language, to=None):
    found = blocks(Path(page).read_text(encoding="utf-8"), language)
    if not found:
        sys.exit(f"{page} has no block of {language}")
    text = "\n".join(found)
    if to is None:
        sys.stdout.write(text)
    else:
        Path(to).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
