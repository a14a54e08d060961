# SPDX-License-Identifier: BSD-2-Clause
"""Converts a console's lines for output that is not a terminal."""


class Lines:
    """A binary stream on OUT that removes the carriage return before each line feed, which a serial
    line sends and only a terminal needs. Other carriage returns stay."""

    def __init__(self, out):
        self.out = out
        self.held = b""  # a carriage return at the end of the data so far

    def write(self, data):
        data = self.held + data
        self.held = b"\r" if data.endswith(b"\r") else b""
        self.out.write(data[: len(data) - len(self.held)].replace(b"\r\n", b"\n"))

    def flush(self):
        self.out.flush()

    def end(self):
        """Marks the end of the stream."""
        self.out.write(self.held)
        self.flush()
