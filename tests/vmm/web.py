# SPDX-License-Identifier: BSD-2-Clause
"""An HTTP server for one file of 10 MiB, whose bytes are the same each time. It serves one
connection on its standard input and output: QEMU's option guestfwd starts it for each
connection."""

import hashlib
import sys

BYTES = 10 << 20


def data():
    """Returns the file."""
    blocks = (hashlib.sha256(b"%d" % number).digest() for number in range(BYTES // 32))
    return b"".join(blocks)


def main():
    """Returns the status."""
    while sys.stdin.buffer.readline().strip():
        pass
    out = sys.stdout.buffer
    out.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % BYTES)
    out.write(data())
    out.flush()
    sys.stdin.buffer.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
