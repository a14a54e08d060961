# SPDX-License-Identifier: BSD-2-Clause
"""Recognizes lines of init for a system that needs a machine with more memory, and names the option
of `nova run` for the memory. The system itself cannot know this option."""

import os
import re

INIT = "init"  # the roottask of a system

# Whole lines of init. A line of a program begins with the program's name and is none of these.
LINES = (
    # A mistake in a description: the file's name, which has no colon, and the line's number.
    re.compile(rb"(?!\[)[^:]*:\d+: the programs up to '[^']*' together need \d+ KiB of memory, but "
               rb"the machine has \d+ KiB for programs; give them less, or the machine more\."),
    re.compile(rb"init: too little memory is left for the thread that starts programs; give the "
               rb"machine more\."),
    re.compile(rb"init: [^:]+ cannot start: .+ needs more memory, kernel memory or selectors than "
               rb"are left\."),
)


class Shortage:
    """Reads the console of a machine with the roottask PROGRAM, line by line."""

    def __init__(self, program):
        self.is_init = os.path.basename(program) == INIT
        self.is_told = False

    def line(self, line):
        """Takes one line as bytes without its line end."""
        if self.is_init and not self.is_told:
            self.is_told = any(pattern.fullmatch(line) for pattern in LINES)

    def sentence(self, memory):
        """Returns the remedy for a machine of MEMORY MiB, None if it needs none."""
        if not self.is_told:
            return None
        return f"the machine has {memory} MiB of memory; give it more (nova run --memory MIB)."
