# SPDX-License-Identifier: BSD-2-Clause
"""Damaged blobs, each with the reason for which the tool and the ultravisor refuse it, and unusual
ones that the ultravisor accepts.

    damaged.py FOLDER NOVA-ACPI  writes the files of a boot test: an image, its machine's key, and
                                 `blobs`, which contains all these blobs
    damaged.py --sentences       prints a regular expression for the ultravisor's line about each
                                 damaged blob
"""

import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sdk"))

import paths  # noqa: E402, F401
import sealing  # noqa: E402
from nova import machine_key, seal_blob, seal_image  # noqa: E402

MEMORY = 8 * sealing.MIB
ALL_BITS = (1 << 32) - 1
HEADER = seal_blob.HEADER.size
WRAP = seal_blob.WRAP.size
# Offsets of fields of the header, and of the decrypted content.
VERSION, LENGTH, MACHINES, CONTENT, RESERVED = 8, 12, 16, 20, 36
VCPUS, SIZE, ENTRY, PARAMS, TABLES, PARTS, SECRETS, PHRASE = 4, 8, 16, 24, 32, 40, 44, 48
KIND, ADDRESS, BYTES = 0, 8, 16  # offsets in a part
FIRST = seal_blob.FIXED.size     # part
SECOND = FIRST + seal_blob.PART.size

# A number at an offset of the blob: title, reason, offset, format, value.
IN_BLOB = (
    ("another mark", "NO_BLOB", 0, "<8s", b"NOVABLOX"),
    ("version 2", "VERSION", VERSION, "<I", 2),
    ("version 0", "VERSION", VERSION, "<I", 0),
    ("no machine", "MACHINES", MACHINES, "<I", 0),
    ("2^32 - 1 machines", "MACHINES", MACHINES, "<I", ALL_BITS),
    ("content of 63 bytes", "CONTENT", CONTENT, "<I", 63),
    ("content of 2^32 - 1 bytes", "CONTENT", CONTENT, "<I", ALL_BITS),
    ("a reserved field that is used", "RESERVED", RESERVED, "<I", 1),
    ("a length of 0", "LENGTHS", LENGTH, "<I", 0),
    ("a length of 2^32 - 1", "LENGTHS", LENGTH, "<I", ALL_BITS),
    ("another machine's row", "NO_KEY", HEADER, "<I", 0x12345678),
    ("a point without a secret", "KEY_DAMAGED", HEADER + 32, "<32s", bytes(32)),
    ("another key", "KEY_DAMAGED", HEADER + 64, "<I", 0x12345678),
    ("other content", "DAMAGED", HEADER + WRAP, "<I", 0x12345678),
)

# A number at an offset of the content, which is then sealed as the tool seals it.
IN_CONTENT = (
    ("an unknown bit of the policy", "POLICY", 0, "<I", 4),
    ("no virtual CPU", "POLICY", VCPUS, "<I", 0),
    ("2^32 - 1 virtual CPUs", "POLICY", VCPUS, "<I", ALL_BITS),
    ("no memory", "POLICY", SIZE, "<Q", 0),
    ("2^64 - 1 bytes of memory", "POLICY", SIZE, "<Q", (1 << 64) - 1),
    ("no part", "PARTS", PARTS, "<I", 0),
    ("17 parts", "PARTS", PARTS, "<I", 17),
    ("2^32 - 1 parts", "PARTS", PARTS, "<I", ALL_BITS),
    ("2^32 - 1 secrets", "SECRETS", SECRETS, "<I", ALL_BITS),
    ("a phrase of 2^32 - 1 bytes", "PHRASE", PHRASE, "<I", ALL_BITS),
    ("a phrase longer than the blob", "LENGTHS", PHRASE, "<I", 512),
    ("a part of unknown kind", "PART", FIRST + KIND, "<I", 7),
    ("a digest of 0 bytes", "PART", FIRST + BYTES, "<Q", 0),
    ("a part of half a page", "PART", FIRST + BYTES, "<Q", 2048),
    ("a part beyond the memory", "PART", FIRST + ADDRESS, "<Q", MEMORY),
    ("a part beyond 2^64", "PART", FIRST + ADDRESS, "<Q", (1 << 64) - 4096),
    ("a part of 2^64 - 4096 bytes", "PART", FIRST + BYTES, "<Q", (1 << 64) - 4096),
    ("two parts at one place", "OVERLAP", SECOND + ADDRESS, "<Q", seal_image.START_AT),
    ("parts in another order", "OVERLAP", FIRST + ADDRESS, "<Q", MEMORY - 4096),
    ("page tables in the blob", "PLACE", TABLES, "<Q", seal_image.BLOB_AT),
    ("page tables beyond the memory", "PLACE", TABLES, "<Q", MEMORY),
    ("an entry outside of the kernel", "ENTRY", ENTRY, "<Q", 0x1000),
    ("boot parameters that are no part", "PARAMS", PARAMS, "<Q", 0x2000),
)

# An unusual number in the content of a blob. The ultravisor accepts this blob.
GOOD = (("page tables in a block without other pages", TABLES, "<Q", 4 * sealing.MIB),)
ACCEPTED = "U_SUCCESS"


class Blob(NamedTuple):
    """A blob. `loaded` is the reason if zero bytes follow the blob, up to the size of its room."""

    title: str
    reason: str
    loaded: str
    data: bytes


def image(publics, acpi=b"RSD PTR "):
    """Returns the image whose blob is damaged."""
    return sealing.image(publics, kernel=sealing.elf(), acpi=acpi, memory=MEMORY)


def _put(data, offset, form, value):
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, value)
    return bytes(changed)


def _read(data, private):
    """Returns an image's blob and the blob's content."""
    room = seal_image.blob_of(data)
    blob = room[:seal_blob.read_header(room)[0]]
    return blob, seal_blob.open_bytes(blob, private)


def unusual(data, private, public):
    """Returns unusual blobs of an image that are not damaged."""
    plain = _read(data, private)[1]
    return [Blob(title, ACCEPTED, ACCEPTED,
                 seal_blob.seal_bytes(_put(plain, *change), [public], sealing.Repeatable()))
            for title, *change in GOOD]


def blobs(data, private, public):
    """Returns all damaged blobs of an image."""
    blob, plain = _read(data, private)
    found = [Blob(title, "CUT_OFF", loaded, blob[:length])
             for title, loaded, length in (("no header", "VERSION", 8),
                                           ("half of a header", "CONTENT", HEADER // 2),
                                           ("half of a blob", "DAMAGED", len(blob) // 2),
                                           ("half of a tag", "DAMAGED", len(blob) - 8))]
    found += [Blob(title, reason, reason, _put(blob, *change))
              for title, reason, *change in IN_BLOB]
    contents = [(title, reason, _put(plain, *change)) for title, reason, *change in IN_CONTENT]
    contents.append(("a secret with a wrong name", "SECRET", plain.replace(b"token", b"to en")))
    contents.append(("two secrets with one name", "SECRET", plain.replace(b"empty", b"token")))
    found += [Blob(title, reason, reason,
                   seal_blob.seal_bytes(content, [public], sealing.Repeatable()))
              for title, reason, content in contents]
    return found


def patterns(found):
    """Yields a regular expression for the ultravisor's line about each blob."""
    for one in found:
        sentence = re.escape(seal_blob.STATUSES[one.loaded][1]).replace("\\ ", " ")
        yield f"^ultravisor: A VM cannot become secure: {sentence}[.]$"


def _record(one):
    """Returns a record of the file `blobs`: title, name of the status, number of bytes, bytes."""
    status = ACCEPTED if one.loaded == ACCEPTED else seal_blob.STATUSES[one.loaded][0]
    return struct.pack("<48s16sI", one.title.encode(), status.encode(), len(one.data)) + one.data


def main(arguments):
    ((private, public),) = sealing.keys()
    acpi = b"RSD PTR "
    if arguments != ["--sentences"]:
        acpi = subprocess.run([arguments[1], "2"], check=True, stdout=subprocess.PIPE).stdout
    data = image([public], acpi)
    found = blobs(data, private, public)
    if arguments == ["--sentences"]:
        print("\n".join(patterns(found)))
        return
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "machine.key").write_bytes(machine_key.PRIVATE_MAGIC + private)
    (folder / "sealed.img").write_bytes(data)
    found += unusual(data, private, public)
    (folder / "blobs").write_bytes(b"".join(map(_record, found)))


if __name__ == "__main__":
    main(sys.argv[1:])
