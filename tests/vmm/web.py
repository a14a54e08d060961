# SPDX-License-Identifier: BSD-2-Clause
"""A server of one file of 10 MiB, for one connection at standard input and output, as QEMU's option
guestfwd starts it. The file's bytes are the same each time."""

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
