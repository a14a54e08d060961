# SPDX-License-Identifier: BSD-2-Clause
"""The file of a sealed image: its start page, its blob, and the parts that the blob measures.
docs/manual/secure-format.md describes each byte."""

import os
import struct
from typing import NamedTuple

from nova import seal_blob, seal_files
from nova.errors import EXIT_FAILED, NovaError
from nova.seal_blob import PAGE, Part
from nova.seal_files import IMAGE_MAGIC as MAGIC
from nova.seal_files import kind

VERSION = 1
HEADER = struct.Struct("<8sIIQQIIQQIIQII")
ROW = struct.Struct("<IIQQQ")
# Places in the guest's memory. Those of the kernel and the initrd depend on the kernel.
START_AT = 0x8000
PARAMS_AT = 0x10000
COMMAND_LINE_AT = 0x20000
BLOB_AT = 0x30000
TABLES_AT = 0x70000
ACPI_AT = 0xE0000
ACPI_END = 0x100000
STUB_OFFSET = 0x400
BLOB_OFFSET = PAGE
FILE_MAX = 1 << 31
REMEDY = "copy it or seal it again"  # remedy for a damaged image
# seal_stub.S, assembled.
STUB = bytes.fromhex(
    "fafc31c00fa28b35308000008b0d40800000b810f1000081fb41757468740f81"
    "fb4879676f740789f30f01c1eb0589f30f01d989c5be8284000066baf803ac84"
    "c07403eeebf8ac0fbed885db740b39dd7407ac84c075fbebedac84c07403eeeb"
    "f885db751ab908000000c1c50489e8240f3c0a1c692feee2f1b02eeeb00aeef4"
    "ebfd54686520564d2063616e6e6f74206265636f6d65207365637572653a2000"
    "f574686520756c7472617669736f7220726566757365732069747320696d6167"
    "65202855565f45534d2072657475726e656420555f5045524d495353494f4e29"
    "2e0a00b474686520696d616765206973206e6f74207365616c656420666f7220"
    "74686973206d616368696e65202855565f45534d2072657475726e656420555f"
    "4e4f5f4b4559292e0a00fe697473206d6f6e69746f722063616e6e6f74207573"
    "652074686520756c7472617669736f72202855565f45534d2072657475726e65"
    "6420555f46554e4354494f4e292e0a000974686520756c7472617669736f7227"
    "73207265706f7274206861732074686520726561736f6e202855565f45534d20"
    "72657475726e656420555f5245545259292e0a00fc7468657265206973206e6f"
    "20626c6f622061742074686520676976656e2061646472657373202855565f45"
    "534d2072657475726e656420555f504152414d45544552292e0a00c974686520"
    "626f6f7420706172616d657465727320617265206e6f74206174207468652067"
    "6976656e2061646472657373202855565f45534d2072657475726e656420555f"
    "5032292e0a00b569747320737461746520646f6573206e6f7420616c6c6f7720"
    "6974202855565f45534d2072657475726e656420555f494e56414c4944292e0a"
    "000055565f45534d2072657475726e656420307800"
)


class Loaded(NamedTuple):
    """Content for a place in the guest's memory, in whole pages."""

    kind: int
    address: int
    data: bytes


class Start(NamedTuple):
    """The start page: the data that a VMM needs, and all data that is not secret."""

    file_bytes: int
    memory: int
    vcpus: int
    flags: int
    params: int
    rows: tuple  # each has kind, offset in the file, address, number of bytes


def whole_pages(data):
    return data + bytes(-len(data) % PAGE)


def start_page(start):
    """Returns the bytes of a start page."""
    head = HEADER.pack(
        MAGIC, VERSION, STUB_OFFSET, start.file_bytes, start.memory, start.vcpus, start.flags,
        START_AT, BLOB_AT, BLOB_OFFSET, seal_blob.ROOM, start.params, len(start.rows), 0,
    )
    rows = b"".join(ROW.pack(kind, 0, *rest) for kind, *rest in start.rows)
    return whole_pages((head + rows).ljust(STUB_OFFSET, b"\0") + STUB)


def _damaged(path, reason):
    return NovaError(f"{path} is damaged: {reason}; {REMEDY}.", EXIT_FAILED)


def _check_layout(path, start):
    """Checks that the parts are one after the other in the file, as build() writes them."""
    first, *others = start.rows or [None]
    is_good, end = first == (seal_blob.START, 0, START_AT, PAGE), BLOB_OFFSET + seal_blob.ROOM
    for part, offset, _, length in others:
        is_good = is_good and part in seal_blob.KINDS and offset == end and not length % PAGE
        end += length
    if not is_good or end != start.file_bytes:
        raise _damaged(path, "its start page does not name the parts of this file")


def check_public(path, data, start):
    """Checks the numbers of the start page, and the bytes after its stub."""
    parts = tuple(Part(kind, address, length, bytes(32)) for kind, _, address, length in start.rows)
    entry = next((one.address for one in parts if one.kind == seal_blob.KERNEL), 0)
    seal_blob.decode(seal_blob.encode(seal_blob.Content(
        start.flags, start.vcpus, start.memory, entry, start.params, TABLES_AT, BLOB_AT, parts,
        b"", {})))
    if has_own_stub(data) and any(data[STUB_OFFSET + len(STUB):PAGE]):
        raise _damaged(path, "there are bytes after the stub of its start page")


def has_own_stub(data):
    """Returns whether the stub of the image DATA is that of this nova."""
    return data[STUB_OFFSET:PAGE].startswith(STUB)


def check_room(path, data):
    """Checks the bytes after the blob; the blob has been read without an error."""
    blob = blob_of(data)
    if any(blob[seal_blob.read_header(blob)[0]:]):
        raise _damaged(path, "there are bytes after its blob")


def read_start(path, data):
    """Checks and returns the start page of the image DATA in the file PATH."""
    if not data:
        raise _damaged(path, "it is empty")
    if data[:len(MAGIC)] != MAGIC:
        what = f"{kind(data)}, not" if kind(data) else "not"
        raise NovaError(f"{path} is {what} a sealed image: make one with 'nova seal'.")
    if len(data) < PAGE:
        raise _damaged(path, f"it has {len(data)} bytes, and its start page alone has {PAGE}")
    (_, version, _, file_bytes, memory, vcpus, flags, _, _, _, _, params, count,
     _) = HEADER.unpack_from(data)
    if version != VERSION:
        raise NovaError(f"{path} is a sealed image of version {version}, but this nova knows "
                        f"version {VERSION} only: seal it again.")
    if count > seal_blob.PARTS_MAX:
        raise _damaged(path, f"its start page names {count} parts, more than "
                             f"{seal_blob.PARTS_MAX}")
    rows = [ROW.unpack_from(data, HEADER.size + i * ROW.size) for i in range(count)]
    start = Start(file_bytes, memory, vcpus, flags, params,
                  tuple((kind, *rest) for kind, _, *rest in rows))
    # The stub may be that of another release. The digest of the start page in the blob protects it.
    if start_page(start)[:STUB_OFFSET] != data[:STUB_OFFSET]:
        raise _damaged(path, "its start page is not as this nova writes it")
    if file_bytes != len(data):
        raise _damaged(path, f"it has {len(data)} bytes instead of {file_bytes}")
    _check_layout(path, start)
    return start


def read(path):
    """Returns an image's bytes and its start page."""
    try:
        data = seal_files.read(path, FILE_MAX)
    except OSError as error:
        raise NovaError(f"the sealed image {path} cannot be read: {error.strerror}.") from error
    if len(data) > FILE_MAX:
        raise NovaError(f"{path} is not a sealed image: it has more than 2 GiB.")
    return data, read_start(path, data)


def build(policy, loaded, publics, random=os.urandom):
    """Returns the bytes of an image. POLICY is a Content without blob, params, tables and parts;
    LOADED are the parts except the start page, in the order of their addresses."""
    offset = BLOB_OFFSET + seal_blob.ROOM
    rows = [(seal_blob.START, 0, START_AT, PAGE)]
    for one in loaded:
        rows.append((one.kind, offset, one.address, len(one.data)))
        offset += len(one.data)
    if offset > FILE_MAX:
        raise NovaError("the sealed image would have more than 2 GiB: use a smaller initrd.")
    params = next(one.address for one in loaded if one.kind == seal_blob.PARAMS)
    page = start_page(Start(offset, policy.memory, policy.vcpus, policy.flags, params,
                            tuple(rows)))
    content = policy._replace(
        params=params, tables=TABLES_AT, blob=BLOB_AT,
        parts=tuple(Part(one.kind, one.address, len(one.data), seal_blob.digest(one.data))
                    for one in [Loaded(seal_blob.START, START_AT, page), *loaded]),
    )
    seal_blob.decode(seal_blob.encode(content))  # a blob that its reader refuses is never written
    blob = seal_blob.seal(content, publics, random)
    return b"".join([page, blob.ljust(seal_blob.ROOM, b"\0"), *(one.data for one in loaded)])


def blob_of(data):
    """Returns the part of an image that holds its blob."""
    return data[BLOB_OFFSET:BLOB_OFFSET + seal_blob.ROOM]


def _check_rows(path, start, content):
    public = [(kind, address, length) for kind, _, address, length in start.rows]
    if public != [(one.kind, one.address, one.bytes) for one in content.parts]:
        raise _damaged(path, "the parts of its start page and of its blob differ")
    same = (start.memory, start.vcpus, start.flags, start.params, BLOB_AT)
    if same != (content.memory, content.vcpus, content.flags, content.params, content.blob):
        raise _damaged(path, "its start page and its blob differ")


def _check_content(path, data, start, content):
    """Compares a whole image with the content of its blob."""
    check_room(path, data)
    for row, part in zip(start.rows, content.parts):
        measured = seal_blob.digest(data[row[1]:row[1] + row[3]])
        if measured != part.digest:
            verb = "have" if part.kind in seal_blob.PLURALS else "has"
            raise _damaged(path, f"its {seal_blob.KINDS[part.kind]} {verb} another SHA-256 sum "
                                 "than the sealed one (U_PERMISSION)")
    _check_rows(path, start, content)


def check(path, data, start, private):
    """Checks a whole image as the ultravisor and a VMM do. Returns the content of its blob."""
    content = seal_blob.open_blob(blob_of(data), private)
    _check_content(path, data, start, content)
    return content


def rewrap(path, data, start, private, publics, random=os.urandom):
    """Returns the image with a blob for other machines. Does not need the files of the parts."""
    plain = seal_blob.open_bytes(blob_of(data), private)
    _check_content(path, data, start, seal_blob.decode(plain))
    blob = seal_blob.seal_bytes(plain, publics, random).ljust(seal_blob.ROOM, b"\0")
    return data[:BLOB_OFFSET] + blob + data[BLOB_OFFSET + seal_blob.ROOM:]
