# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of a console's lines where no terminal shows them."""


class Lines:
    """A binary stream beside OUT whose lines end as those of files do: a serial line has a carriage
    return before each line feed, which only a terminal needs. Others stay."""

    def __init__(self, out):
        self.out = out
        self.held = b""  # a carriage return whose next character is still to come

    def write(self, data):
        data = self.held + data
        self.held = b"\r" if data.endswith(b"\r") else b""
        self.out.write(data[: len(data) - len(self.held)].replace(b"\r\n", b"\n"))

    def flush(self):
        self.out.flush()

    def end(self):
        """Nothing more comes."""
        self.out.write(self.held)
        self.flush()
