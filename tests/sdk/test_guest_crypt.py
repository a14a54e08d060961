# SPDX-License-Identifier: BSD-2-Clause
"""The encrypted disk of secure guests."""

import tempfile
import unittest
from pathlib import Path

import paths
from nova import guest_crypt

KEY = bytes.fromhex("2718281828459045235360287471352662497757247093699959574966967627"
                    "3141592653589793238462643383279502884197169399375105820974944592")
# The first bytes of IEEE 1619's vector 10: sector 255 of a disk.
ENCRYPTED = bytes.fromhex("1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b")


class Disk(unittest.TestCase):
    def test_sectors_are_encrypted_as_ieee_1619_says(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "key").write_bytes(KEY)
            (folder / "plain").write_bytes(bytes(range(256)) * 2 * 256)
            header = guest_crypt.HEADER_SECTORS * guest_crypt.SECTOR
            (folder / "disk").write_bytes(b"h" * header)
            guest_crypt.encrypt(folder / "key", folder / "plain", folder / "disk")
            disk = (folder / "disk").read_bytes()
        self.assertEqual(disk[:header], b"h" * header)
        self.assertEqual(len(disk), header + 256 * 512)
        self.assertEqual(disk[header + 255 * 512:][:32], ENCRYPTED)
        self.assertNotEqual(disk[header:][:32], ENCRYPTED)

    def test_the_search_for_secrets_knows_those_of_the_disk(self):
        text = (paths.ROOT / "tests/secure/scan.c").read_text(encoding="utf-8")
        for secret in (guest_crypt.PHRASE.decode(), guest_crypt.MOTD.decode().strip()):
            self.assertIn(f'u"{secret}"', text)


if __name__ == "__main__":
    unittest.main()
