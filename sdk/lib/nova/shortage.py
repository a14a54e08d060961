# SPDX-License-Identifier: BSD-2-Clause
"""Recognizes lines of a system that needs a machine with more memory, and names the option of `nova
run` for the memory. The system itself cannot know this option."""

# Parts of the lines of init and of the runtime.
PARTS = (b"or the machine more.", b"give the machine more.",
         b"needs more memory, kernel memory or selectors than are left")


class Shortage:
    """Reads the console line by line."""

    def __init__(self):
        self.is_told = False

    def line(self, line):
        """Takes one line as bytes without its line end."""
        self.is_told = self.is_told or any(part in line for part in PARTS)

    def sentence(self, memory):
        """Returns the remedy for a machine of MEMORY MiB, None if it needs none."""
        if not self.is_told:
            return None
        return f"the machine has {memory} MiB of memory; give it more (nova run --memory MIB)."
