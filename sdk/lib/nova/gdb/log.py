# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's messages, read from their ring."""

from nova.gdb.objects import NOT_BOOTED
from nova.gdb.view import Trouble, Unreadable


def log(reader):
    """Returns the lines; the oldest may lack its beginning."""
    try:
        console = reader.view("console_log", reader.target.address("console_log"))
    except Unreadable:
        raise Trouble(NOT_BOOTED) from None
    ring = console.field("ring")
    written = console["head.written"]
    if not written:
        raise Trouble("the kernel has not printed anything yet")
    kept = min(written, ring.count)
    data = console.bytes[ring.offset : ring.offset + ring.count]
    at = written % ring.count
    text = (data[at:] + data[:at])[-kept:].decode("ascii", "replace")
    return ["".join(c if " " <= c <= "~" else "?" for c in line) for line in text.splitlines()]
