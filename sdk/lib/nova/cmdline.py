# SPDX-License-Identifier: BSD-2-Clause
"""Finds words of a kernel command line that the kernel does not know. So `nova` reports a typo even
if the typo keeps the kernel from printing."""

import re

WORDS = ("serial", "noiommu", "mitigations=off", "mitigations=auto", "mitigations=full")
# Words of 2012 that the kernel accepts and ignores.
OLD_WORDS = ("iommu", "keyb", "spinner", "vtlb", "novga", "novpid")
VALUES = (re.compile(r"kmem=0*[1-9]\d*[KkMm]?"),)
SHOWN = "serial, kmem=<n>[K|M], noiommu and mitigations=off|auto|full"


def unknown(text):
    """Returns the words of TEXT that the kernel does not know."""
    return [
        word
        for word in text.split()
        if word not in WORDS + OLD_WORDS and not any(v.fullmatch(word) for v in VALUES)
    ]


def warning(text):
    """Returns a warning about TEXT, or None."""
    words = unknown(text)
    if not words:
        return None
    names = ", ".join(f"'{word}'" for word in words)
    return f"the kernel does not know {names} in --cmdline; it knows {SHOWN}."
