# SPDX-License-Identifier: BSD-2-Clause
"""The blob of a sealed image: the data that the ultravisor needs before it runs a secure VM,
encrypted for the machines that may run it. docs/manual/secure-format.md describes each byte. The
reader in C, roottask/ultravisor/seal.c, makes the same checks in the same order.
"""

import hashlib
import os
import re
import struct
from typing import NamedTuple

from nova import machine_key
from nova.errors import EXIT_FAILED, NovaError

PAGE = 4096
MAGIC = b"NOVABLOB"
VERSION = 1
HEADER = struct.Struct("<8sIIII12sI")
WRAP = struct.Struct("<32s32s32s16s")
FIXED = struct.Struct("<IIQQQQIIIIQ")
PART = struct.Struct("<IIQQ32s")
SECRET = struct.Struct("<HH")
TAG = 16
NONCE = 12
KEY = 32
INFO = b"nova sealed image 1"

MACHINES_MAX = 16
PARTS_MAX = 16
SECRETS_MAX = 16
NAME_MAX = 31
VALUE_MAX = 4096
PHRASE_MAX = 512
VCPUS_MAX = 64
MEMORY_UNIT = 2 << 20
MEMORY_MAX = 0xC0000000
# The numbers that options and descriptions may give: the lowest, the highest and their unit.
RANGES = {"memory": (2, MEMORY_MAX >> 20, " MiB"), "vcpus": (1, 8, "")}
CONTENT_MAX = (FIXED.size + PARTS_MAX * PART.size + PHRASE_MAX
               + SECRETS_MAX * (SECRET.size + NAME_MAX + VALUE_MAX))
ROOM = 17 * PAGE  # room for the largest blob
TABLES = 8 * PAGE  # page tables, which the ultravisor fills in

DEBUG, VECTOR_128 = 1, 2  # flags of the policy
START, KERNEL, INITRD, PARAMS, COMMAND_LINE, ACPI = range(1, 7)
KINDS = {START: "start page", KERNEL: "kernel", INITRD: "initrd", PARAMS: "boot parameters",
         COMMAND_LINE: "command line", ACPI: "ACPI tables"}
PLURALS = (PARAMS, ACPI)
NAME = re.compile(rb"[A-Za-z0-9._-]{1,31}")

# Reasons to refuse a blob: name, status of UV_ESM, the rest of a sentence. seal.h lists them, too.
STATUSES = {
    "NO_BLOB": ("U_PARAMETER", "there is no blob"),
    "CUT_OFF": ("U_PERMISSION", "the blob is cut off"),
    "VERSION": ("U_PERMISSION", "the blob has another version"),
    "MACHINES": ("U_PERMISSION", "the blob has no machine or too many of them"),
    "CONTENT": ("U_PERMISSION", "the encrypted part of the blob is too short or too long"),
    "RESERVED": ("U_PERMISSION", "a reserved field of the blob is not 0"),
    "LENGTHS": ("U_PERMISSION", "the lengths in the blob do not agree"),
    "NO_KEY": ("U_NO_KEY", "the image is not sealed for this machine"),
    "KEY_DAMAGED": ("U_PERMISSION", "the blob's key for this machine is damaged"),
    "DAMAGED": ("U_PERMISSION", "the blob is damaged"),
    "POLICY": ("U_PERMISSION", "the policy has an unknown bit, or a wrong number of virtual CPUs "
                               "or bytes of memory"),
    "PARTS": ("U_PERMISSION", "the image has no part or too many of them"),
    "SECRETS": ("U_PERMISSION", "the image has too many secrets"),
    "PHRASE": ("U_PERMISSION", "the phrase is too long"),
    "PART": ("U_PERMISSION", "a part is empty, of unknown kind, not made of whole pages, or "
                             "outside the memory"),
    "OVERLAP": ("U_PERMISSION", "two parts overlap or are out of order"),
    "PLACE": ("U_PERMISSION", "the place of the blob or of the page tables is not free"),
    "ENTRY": ("U_PERMISSION", "the entry is not in the kernel"),
    "PARAMS": ("U_PERMISSION", "the boot parameters are not a part of one page"),
    "SECRET": ("U_PERMISSION", "a secret has a wrong name or length"),
}


class SealError(NovaError):
    """A blob or an image that cannot be opened; `name` is the key of STATUSES."""

    def __init__(self, name):
        self.name = name
        self.status_name, self.sentence = STATUSES[name]
        super().__init__(f"{self.sentence}.", EXIT_FAILED)


class Part(NamedTuple):
    """A range of the guest's memory, in whole pages, and the SHA-256 sum of its content."""

    kind: int
    address: int
    bytes: int
    digest: bytes


class Content(NamedTuple):
    """Content of the encrypted part of a blob."""

    flags: int
    vcpus: int
    memory: int
    entry: int
    params: int
    tables: int
    blob: int
    parts: tuple
    phrase: bytes
    secrets: dict


def flags_of(debug, vector_128):
    """Returns the flags of a policy."""
    return DEBUG * debug | VECTOR_128 * vector_128


def _need(good, name):
    if not good:
        raise SealError(name)


def _hkdf(salt, secret, length):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(hashes.SHA256(), length, salt, INFO).derive(secret)


def _aead(key):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def encode(content):
    """Returns the bytes of the content, which are still plain."""
    secrets = b"".join(
        SECRET.pack(len(name), len(value)) + name + value
        for name, value in content.secrets.items()
    )
    fixed = FIXED.pack(
        content.flags, content.vcpus, content.memory, content.entry, content.params,
        content.tables, len(content.parts), len(content.secrets), len(content.phrase),
        len(secrets), content.blob,
    )
    parts = b"".join(PART.pack(one.kind, 0, one.address, one.bytes, one.digest)
                     for one in content.parts)
    return fixed + parts + content.phrase + secrets


def check_parts(parts, memory):
    """Checks rows of kind, reserved field, address, number of bytes and sum."""
    end = 0
    for kind, reserved, address, length, _ in parts:
        _need(kind in KINDS and not reserved, "PART")
        _need(length and not length % PAGE and not address % PAGE, "PART")
        _need(length <= memory and address <= memory - length, "PART")
        _need(address >= end, "OVERLAP")
        end = address + length


def _is_free(address, length, parts, memory):
    """Returns whether whole pages are in the memory, and in no part."""
    return (not address % PAGE and address <= memory - length
            and all(one.address + one.bytes <= address or one.address >= address + length
                    for one in parts))


def _check_places(content):
    parts, memory = content.parts, content.memory
    _need(_is_free(content.blob, ROOM, parts, memory), "PLACE")
    _need(_is_free(content.tables, TABLES, parts, memory), "PLACE")
    _need(content.tables + TABLES <= content.blob or content.tables >= content.blob + ROOM, "PLACE")
    _need(any(one.kind == KERNEL and one.address <= content.entry < one.address + one.bytes
              for one in parts), "ENTRY")
    _need([(one.address, one.bytes) for one in parts if one.kind == PARAMS]
          == [(content.params, PAGE)], "PARAMS")


def _secrets(data, count):
    found = {}
    for _ in range(count):
        _need(len(data) >= SECRET.size, "SECRET")
        name_bytes, value_bytes = SECRET.unpack_from(data)
        end = SECRET.size + name_bytes + value_bytes
        _need(1 <= name_bytes <= NAME_MAX and value_bytes <= VALUE_MAX, "SECRET")
        _need(end <= len(data), "SECRET")
        name = data[SECRET.size:SECRET.size + name_bytes]
        _need(NAME.fullmatch(name) and name not in found, "SECRET")
        found[name] = data[SECRET.size + name_bytes:end]
        data = data[end:]
    _need(not data, "SECRET")
    return found


def decode(data):
    """Checks and returns the content."""
    _need(len(data) >= FIXED.size, "LENGTHS")
    (flags, vcpus, memory, entry, params, tables, parts, secrets, phrase, secret_bytes,
     blob) = FIXED.unpack_from(data)
    _need(not flags & ~(DEBUG | VECTOR_128) and 1 <= vcpus <= VCPUS_MAX, "POLICY")
    _need(memory and not memory % MEMORY_UNIT and memory <= MEMORY_MAX, "POLICY")
    _need(1 <= parts <= PARTS_MAX, "PARTS")
    _need(secrets <= SECRETS_MAX, "SECRETS")
    _need(phrase <= PHRASE_MAX, "PHRASE")
    at = FIXED.size + parts * PART.size
    _need(at + phrase + secret_bytes == len(data), "LENGTHS")
    rows = [PART.unpack_from(data, FIXED.size + i * PART.size) for i in range(parts)]
    check_parts(rows, memory)
    content = Content(
        flags, vcpus, memory, entry, params, tables, blob,
        tuple(Part(kind, *rest) for kind, _, *rest in rows), data[at:at + phrase], {},
    )
    _check_places(content)
    return content._replace(secrets=_secrets(data[at + phrase:], secrets))


def _wrap_context(identity):
    """Returns the data that the encryption of a machine's key authenticates."""
    return MAGIC + struct.pack("<I", VERSION) + identity


def _wrap(key, public, random):
    """Encrypts KEY for the machine with the public key PUBLIC."""
    identity = machine_key.identity(public)
    own = random(KEY)
    own_public = machine_key.public_of(own)
    shared = machine_key.shared(own, public)
    if shared is None:
        raise NovaError("the public key of a machine is not a point of the curve: make another "
                        "one with 'nova machine-key'.")
    derived = _hkdf(own_public + public, shared, KEY + NONCE)
    sealed = _aead(derived[:KEY]).encrypt(derived[KEY:], key, _wrap_context(identity))
    return WRAP.pack(identity, own_public, sealed[:KEY], sealed[KEY:])


def _unwrap(row, private, public):
    """Decrypts the blob's key in the row of a machine."""
    from cryptography.exceptions import InvalidTag

    identity, own_public, sealed, tag = row
    shared = machine_key.shared(private, own_public)
    _need(shared is not None, "KEY_DAMAGED")
    derived = _hkdf(own_public + public, shared, KEY + NONCE)
    try:
        return _aead(derived[:KEY]).decrypt(derived[KEY:], sealed + tag, _wrap_context(identity))
    except InvalidTag:
        raise SealError("KEY_DAMAGED") from None


def seal_bytes(plain, publics, random=os.urandom):
    """Encrypts bytes with a fresh key for the machines with the keys PUBLICS. RANDOM returns
    random bytes; tests replace it."""
    key, nonce = random(KEY), random(NONCE)
    length = HEADER.size + WRAP.size * len(publics) + len(plain) + TAG
    head = HEADER.pack(MAGIC, VERSION, length, len(publics), len(plain), nonce, 0)
    head += b"".join(_wrap(key, public, random) for public in publics)
    return head + _aead(key).encrypt(nonce, plain, head)


def seal(content, publics, random=os.urandom):
    """Returns the blob of a content."""
    return seal_bytes(encode(content), publics, random)


def read_header(data):
    """Checks the public part. Returns the length of the blob, its nonce, and a row per machine."""
    _need(data[:len(MAGIC)] == MAGIC, "NO_BLOB")
    _need(len(data) >= HEADER.size, "CUT_OFF")
    _, version, length, machines, size, nonce, reserved = HEADER.unpack_from(data)
    _need(version == VERSION, "VERSION")
    _need(1 <= machines <= MACHINES_MAX, "MACHINES")
    _need(FIXED.size <= size <= CONTENT_MAX, "CONTENT")
    _need(not reserved, "RESERVED")
    _need(length == HEADER.size + machines * WRAP.size + size + TAG, "LENGTHS")
    _need(length <= len(data), "CUT_OFF")
    rows = [WRAP.unpack_from(data, HEADER.size + i * WRAP.size) for i in range(machines)]
    return length, nonce, rows


def open_bytes(data, private):
    """Returns the plain bytes of a blob, by the private key of one of its machines."""
    from cryptography.exceptions import InvalidTag

    length, nonce, rows = read_header(data)
    public = machine_key.public_of(private)
    row = next((row for row in rows if row[0] == machine_key.identity(public)), None)
    _need(row, "NO_KEY")
    key = _unwrap(row, private, public)
    at = HEADER.size + len(rows) * WRAP.size
    try:
        return _aead(key).decrypt(nonce, data[at:length], data[:at])
    except InvalidTag:
        raise SealError("DAMAGED") from None


def open_blob(data, private):
    """Returns the content of a blob."""
    return decode(open_bytes(data, private))


def digest(data):
    return hashlib.sha256(data).digest()
