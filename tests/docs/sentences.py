# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the manual's messages about bad guests agree with the messages that the library
prints."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "manual" / "vmm.md"
SOURCES = ROOT / "roottask" / "vmm"
FORMAT = re.compile(r"%[0-9]*l*[a-z]")
# A string, and further ones that follow it.
PIECE = r'"((?:[^"\\\n]|\\.)*)"'
STRING = re.compile(rf"{PIECE}(?:\s*{PIECE})?(?:\s*{PIECE})?")
FEWEST = 20


def printed():
    """Yields all texts of the library, with `…` for inserted values."""
    files = [*SOURCES.rglob("*.c"), *SOURCES.rglob("*.h")]
    for file in files:
        for parts in STRING.findall(file.read_text(encoding="utf-8")):
            yield FORMAT.sub("…", "".join(parts))


def told():
    """Yields the messages in the second columns of the section's tables."""
    section = PAGE.read_text(encoding="utf-8").split("## When a guest goes wrong")[1]
    section = section.split("### A guest that hangs")[0]
    for row in re.findall(r"^\|[^|]+\|(.*`.*)\|$", section, re.MULTILINE):
        yield from re.findall(r"`([^`]+)`", row)


def plain(text):
    """Returns a message without inserted values."""
    return " ".join(text.replace("…", "").split())


def main():
    texts = {plain(text) for text in printed()}
    sentences = list(told())
    bad = []
    for sentence in sentences:
        if not any(text.startswith(plain(sentence)) for text in texts):
            bad.append(sentence)
    for sentence in bad:
        print(f"docs/manual/vmm.md contains `{sentence}`, which nothing prints")
    print(f"{len(sentences)} sentences, {len(bad)} complaints")
    return bool(bad) or len(sentences) < FEWEST


if __name__ == "__main__":
    sys.exit(main())
