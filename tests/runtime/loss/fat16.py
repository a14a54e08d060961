# SPDX-License-Identifier: BSD-2-Clause
"""Reads files of a FAT16 file system with long names, for tests that check many disks."""
import struct


class Damaged(Exception):
    """A structure violates the format FAT."""


class Fat16:
    """A file system in memory."""

    def __init__(self, image):
        self.image = image
        sector, cluster, reserved, tables, entries = struct.unpack_from("<HBHBH", image, 11)
        self.cluster = sector * cluster
        table = struct.unpack_from("<H", image, 22)[0] * sector
        self.table = reserved * sector
        self.root = self.table + tables * table
        self.root_bytes = entries * 32
        self.data = self.root + self.root_bytes
        self.clusters = (len(image) - self.data) // self.cluster
        self.longer = set()  # paths of the files with more clusters than their size needs

    def _chain(self, cluster):
        """Returns the content of a chain."""
        parts = []
        while cluster < 0xFFF8:
            if not 2 <= cluster < self.clusters + 2 or len(parts) > self.clusters:
                raise Damaged(f"a chain has cluster {cluster:#x}")
            at = self.data + (cluster - 2) * self.cluster
            parts.append(bytes(self.image[at:at + self.cluster]))
            cluster = struct.unpack_from("<H", self.image, self.table + cluster * 2)[0]
        return b"".join(parts)

    def files(self, content=None, above=""):
        """Returns the content of each file by its path. Fills in `longer`."""
        if content is None:
            content = bytes(self.image[self.root:self.root + self.root_bytes])
        found, long = {}, {}
        for at in range(0, len(content), 32):
            entry = content[at:at + 32]
            if not entry[0]:
                break
            if entry[0] == 0xE5:
                long = {}
            elif entry[11] == 0x0F:
                long[entry[0] & 0x3F] = entry[1:11] + entry[14:26] + entry[28:32]
            elif entry[11] & 8 or entry[:1] == b".":
                long = {}
            else:
                stem, end = entry[:8].decode().rstrip(), entry[8:11].decode().rstrip()
                name = stem + ("." + end if end else "")
                if long:
                    text = b"".join(long[i] for i in sorted(long)).decode("utf-16-le")
                    name = text.split("\0")[0]
                path, long = f"{above}/{name}", {}
                cluster, size = struct.unpack_from("<HI", entry, 26)
                chain = self._chain(cluster) if cluster else b""
                if entry[11] & 0x10:
                    found |= self.files(chain, path)
                elif size > len(chain):
                    raise Damaged(f"the chain of {path} is shorter than the file")
                else:
                    found[path] = chain[:size]
                    if len(chain) - size >= self.cluster:
                        self.longer.add(path)
        return found
