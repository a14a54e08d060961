# SPDX-License-Identifier: BSD-2-Clause
"""Checks the ACPI tables of `nova seal --acpi`: the bytes at the address ACPI_AT of the guest's
memory, beginning with the root pointer (ACPI Specification 6.4, chapter 5). A guest finds the
tables by their addresses, checks lengths and sums, and ignores or refuses wrong tables."""

import struct

from nova.errors import NovaError
from nova.seal_image import ACPI_AT, ACPI_END, whole_pages

ROOT_MAGIC = b"RSD PTR "
ROOT = struct.Struct("<8sB6sBIIQ")  # signature, sum, vendor, revision, RSDT, bytes, XSDT
OLD_ROOT_BYTES = 20
HEADER_BYTES = 36
# Addresses in the FADT, in 32 and in 64 bits.
FACS, DSDT, X_FACS, X_DSDT = 36, 40, 132, 140


class _Tables:
    """The file PATH with the tables DATA."""

    def __init__(self, path, data):
        self.path, self.data = path, whole_pages(data)

    def refusal(self, reason):
        return NovaError(f"the ACPI tables {self.path} cannot be sealed: {reason}; make the file "
                         f"again for the address {ACPI_AT:#x}.")

    def summed(self, at, length, name):
        """Returns LENGTH bytes at the offset AT, whose sum must be 0."""
        found = self.data[at:at + length]
        if len(found) < length:
            raise self.refusal(f"its {name} ends outside of the file")
        if sum(found) % 256:
            raise self.refusal(f"the checksum of its {name} is wrong")
        return found

    def table(self, address, signature=None):
        """Returns the signature and the bytes of the table at ADDRESS."""
        at = address - ACPI_AT
        if at < 0 or at + HEADER_BYTES > len(self.data):
            raise self.refusal(f"it names a table at {address:#x}, which is outside of the file")
        found = self.data[at:at + 4]
        if found != signature and (signature or not found.isalnum()):
            wanted = f"the table {signature.decode()}" if signature else "a table"
            raise self.refusal(f"the bytes at {address:#x} are not the signature of {wanted}")
        length, = struct.unpack_from("<I", self.data, at + 4)
        if found == b"FACS":  # the table FACS has no checksum
            return found, self.data[at:at + length]
        if length < HEADER_BYTES:
            raise self.refusal(f"its table {found.decode()} has {length} bytes, too few")
        return found, self.summed(at, length, f"table {found.decode()}")

    def root(self):
        """Checks the root pointer. Returns address, signature and format of the entries of the
        table to which it leads."""
        _, _, _, revision, rsdt, length, xsdt = ROOT.unpack(self.data[:ROOT.size])
        self.summed(0, OLD_ROOT_BYTES, "root pointer")
        if revision < 2 or not xsdt:
            return rsdt, b"RSDT", "I"
        self.summed(0, max(length, ROOT.size), "root pointer")
        return xsdt, b"XSDT", "Q"


def _field(table, form, offset):
    """Returns a number of the FADT, which is shorter in old revisions."""
    end = offset + struct.calcsize(form)
    return struct.unpack_from(form, table, offset)[0] if len(table) >= end else 0


def check(path, data):
    """Refuses DATA of the file PATH if it does not begin with a root pointer, or if a table to
    which the root pointer leads has a wrong address, length or checksum."""
    if not data.startswith(ROOT_MAGIC):
        raise NovaError(f"the file {path} has no ACPI tables: begin it with the root pointer "
                        f"'RSD PTR ', for the address {ACPI_AT:#x}.")
    if len(data) > ACPI_END - ACPI_AT:
        return  # the caller refuses such a file
    tables = _Tables(path, data)
    address, signature, form = tables.root()
    _, listed = tables.table(address, signature)
    entries = listed[HEADER_BYTES:]
    for (entry,) in struct.iter_unpack(f"<{form}", entries[:len(entries) & -struct.calcsize(form)]):
        found, table = tables.table(entry)
        if found == b"FACP":
            for old, new, name in ((FACS, X_FACS, b"FACS"), (DSDT, X_DSDT, b"DSDT")):
                at = _field(table, "<Q", new) or _field(table, "<I", old)
                if at:
                    tables.table(at, name)
