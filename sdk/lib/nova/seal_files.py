# SPDX-License-Identifier: BSD-2-Clause
"""The kinds of files that `nova seal` and `nova machine-key` make. Their first bytes distinguish
them."""

IMAGE_MAGIC = b"NOVASEAL"
PRIVATE_MAGIC = b"NOVA-MACHINE-KEY"
PUBLIC_MAGIC = b"NOVA-MACHINE-PUB"
PIECE = 1 << 20  # bytes that are read at once
KEY = 32  # bytes of a key, which follow its magic bytes
IMAGE, PRIVATE, PUBLIC = "a sealed image", "a private key", "a public key"
KINDS = {IMAGE_MAGIC: IMAGE, PRIVATE_MAGIC: PRIVATE, PUBLIC_MAGIC: PUBLIC}


def kind(data):
    """Returns the kind of a file that begins with DATA; None if it is none of KINDS."""
    return next((name for magic, name in KINDS.items() if data.startswith(magic)), None)


def kind_of(path):
    """Returns the kind of the file PATH; None if it has none or cannot be read."""
    try:
        with open(path, "rb") as file:
            return kind(file.read(len(PRIVATE_MAGIC)))
    except OSError:
        return None


def read(path, limit):
    """Returns the content of a file of at most LIMIT bytes, or more than LIMIT bytes of a larger
    one. Reads in pieces, because read() reserves memory for as many bytes as it may return."""
    data = bytearray()
    with open(path, "rb") as file:
        while len(data) <= limit:
            piece = file.read(min(PIECE, limit + 1 - len(data)))
            if not piece:
                break
            data += piece
    return bytes(data)
