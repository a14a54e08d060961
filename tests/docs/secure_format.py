# SPDX-License-Identifier: BSD-2-Clause
"""The dumps of docs/manual/secure-format.md: `secure_format.py ROOT` seals a small image with known
random bytes, writes each field of it with its meaning, and compares these dumps with the page.
`secure_format.py ROOT --update` writes them into the page. This script lists the fields
independently of the tool; the start page and the blob must contain no bytes outside these fields.

A dump is the block after the comment `<!-- dump: NAME -->`. The script also checks the table of
statuses.
"""

import re
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "sdk/lib"), str(ROOT / "tests/sdk")]

import sealing  # noqa: E402
from nova import seal_blob, seal_image  # noqa: E402

PAGE = "docs/manual/secure-format.md"
DUMP = re.compile(r"(<!-- dump: (\w+) -->\n```text\n).*?(```\n)", re.DOTALL)
STATUSES = re.compile(r"(<!-- table: seal_statuses -->\n).*?(<!-- end of table -->)", re.DOTALL)
WIDTH = 16
FLAGS = "flags: bit 0 is debug, bit 1 is vector-128"
# (bytes, meaning). The number in the field replaces the braces in the meaning.
START = (
    (8, "magic"), (4, "version {}"), (4, "the stub begins at {:#x} of this page"),
    (8, "the file has {:#x} bytes"), (8, "memory: {:#x} bytes"), (4, "virtual CPUs, at most {}"),
    (4, FLAGS), (8, "this page's place: {:#x}"), (8, "the blob's place: {:#x}"),
    (4, "the blob begins at {:#x} of the file"), (4, "the blob's room: {:#x} bytes"),
    (8, "place of the boot parameters: {:#x}"), (4, "{} parts"), (4, "reserved"),
)
START_PART = ((4, "kind {}: {kind}"), (4, "reserved"), (8, "  at {:#x} of the file"),
              (8, "  place {:#x}"), (8, "  {:#x} bytes"))
HEADER = (
    (8, "magic"), (4, "version {}"), (4, "the blob has {} bytes"), (4, "{} machine"),
    (4, "{} bytes of encrypted content"), (12, "nonce of the content"), (4, "reserved"),
)
MACHINE = (
    (32, "SHA-256 of the machine's public key"), (32, "public key of the sealer for this machine"),
    (32, "the blob's key, encrypted"), (16, "its tag"),
)
FIXED = (
    (4, FLAGS), (4, "virtual CPUs, at most {}"), (8, "memory: {:#x} bytes"),
    (8, "entry {:#x}"), (8, "place of the boot parameters: {:#x}"),
    (8, "place of the page tables: {:#x}"), (4, "{} parts"), (4, "{} secret"),
    (4, "{} bytes of phrase"), (4, "{} bytes of secrets"), (8, "place of the blob: {:#x}"),
)
PART = ((4, "kind {}: {kind}"), (4, "reserved"), (8, "  place {:#x}"), (8, "  {:#x} bytes"),
        (32, "  SHA-256"))
FORMATS = {2: "<H", 4: "<I", 8: "<Q"}


def example():
    """Returns a small image, and the private key of its machine."""
    ((private, public),) = sealing.keys()
    return sealing.image([public], initrd=b"", acpi=b"", secrets={b"token": b"1234"}), private


class Dump:
    """Lines of a dump; `at` is the number of bytes that they show."""

    def __init__(self, data, at=0):
        self.data, self.at, self.lines = data, at, []

    def field(self, count, meaning, kind=None):
        part = self.data[self.at:self.at + count]
        if len(part) != count:
            sys.exit(f"{PAGE}: the field '{meaning}' is beyond the end")
        if "{" in meaning:
            (number,) = struct.unpack(FORMATS[count], part)
            meaning = meaning.format(number, kind=seal_blob.KINDS.get(number))
        for offset in range(0, count, WIDTH):
            row = part[offset:offset + WIDTH]
            text = "" if offset else meaning
            self.lines.append(f"{self.at + offset:04x}  {row.hex(' '):47}  {text}".rstrip())
        self.at += count

    def fields(self, rows):
        for count, meaning in rows:
            self.field(count, meaning)

    def text(self):
        return "\n".join(self.lines) + "\n"


def dump_start(data):
    dump = Dump(data)
    dump.fields(START)
    for _ in range(struct.unpack_from("<I", data, 72)[0]):
        dump.fields(START_PART)
    rest = data[dump.at:seal_image.STUB_OFFSET]
    end = seal_image.STUB_OFFSET + len(seal_image.STUB)
    if any(rest) or any(data[end:seal_image.BLOB_OFFSET]):
        sys.exit(f"{PAGE}: the start page has bytes outside its fields and its stub")
    return dump.text()


def dump_blob(data):
    """Returns the dump of a blob up to its encrypted content, and the number of bytes of that."""
    dump = Dump(data)
    dump.fields(HEADER)
    dump.fields(MACHINE)
    content = struct.unpack_from("<I", data, 20)[0]
    length = struct.unpack_from("<I", data, 12)[0]
    dump.field(content, "the content, encrypted")
    dump.field(16, "its tag")
    if dump.at != length or any(data[length:]):
        sys.exit(f"{PAGE}: the blob has bytes outside its fields")
    return dump.text()


def dump_content(plain):
    dump = Dump(plain)
    dump.fields(FIXED)
    parts, secrets, phrase = struct.unpack_from("<III", plain, 40)
    for _ in range(parts):
        dump.fields(PART)
    dump.field(phrase, "the phrase of the disk: swordfish")
    for _ in range(secrets):
        name, value = struct.unpack_from("<HH", plain, dump.at)
        dump.field(2, "the secret's name has {} bytes")
        dump.field(2, "its value has {} bytes")
        dump.field(name, "name: token")
        dump.field(value, "value: 1234")
    if dump.at != len(plain):
        sys.exit(f"{PAGE}: the content has bytes outside its fields")
    return dump.text()


def statuses():
    lines = ["| refusal | status of `UV_ESM` | message |", "|---|---|---|"]
    lines += [f"| `{name}` | `{status}` | {sentence} |"
              for name, (status, sentence) in seal_blob.STATUSES.items()]
    return "\n".join(lines) + "\n"


def filled(text):
    """Returns the page with its dumps and its table."""
    data, private = example()
    blob = seal_image.blob_of(data)
    dumps = {"start": dump_start(data), "blob": dump_blob(blob),
             "content": dump_content(seal_blob.open_bytes(blob, private))}
    found = [name for _, name, _ in DUMP.findall(text)]
    if sorted(found) != sorted(dumps) or not STATUSES.search(text):
        sys.exit(f"{PAGE} has the dumps {', '.join(found)} instead of {', '.join(dumps)}, or no "
                 "table of statuses")
    text = DUMP.sub(lambda match: match.group(1) + dumps[match.group(2)] + match.group(3), text)
    return STATUSES.sub(lambda match: match.group(1) + statuses() + match.group(2), text)


def main(root, update):
    page = root / PAGE
    before = page.read_text(encoding="utf-8")
    after = filled(before)
    if update:
        page.write_text(after, encoding="utf-8")
    elif before != after:
        sys.exit(f"{PAGE} is out of date: python3 tests/docs/secure_format.py . --update")
    print("3 dumps and 1 table")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--update" in sys.argv[2:])
