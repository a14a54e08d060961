# SPDX-License-Identifier: BSD-2-Clause
"""The tool `nova seal`, in Python, and the ultravisor's reader, in C with another library, agree on
each blob. NOVA_SEAL_READER names the program of reader.c."""

import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sdk"))

import damaged  # noqa: E402
import paths  # noqa: E402
import sealing  # noqa: E402
from nova import cli, machine_key, seal, seal_blob, seal_image  # noqa: E402
from nova.errors import NovaError  # noqa: E402

HEADER = paths.ROOT / "roottask/ultravisor/seal.h"
# Constants of seal.h, and those of the tool.
CONSTANTS = {
    "FORMAT": seal_blob.VERSION, "MACHINES_MAX": seal_blob.MACHINES_MAX,
    "PARTS_MAX": seal_blob.PARTS_MAX, "SECRETS_MAX": seal_blob.SECRETS_MAX,
    "NAME_MAX": seal_blob.NAME_MAX, "VALUE_MAX": seal_blob.VALUE_MAX,
    "PHRASE_MAX": seal_blob.PHRASE_MAX, "VCPUS_MAX": seal_blob.VCPUS_MAX,
    "MEMORY_UNIT": seal_blob.MEMORY_UNIT, "MEMORY_MAX": seal_blob.MEMORY_MAX,
    "HEADER_BYTES": seal_blob.HEADER.size, "MACHINE_BYTES": seal_blob.WRAP.size,
    "FIXED_BYTES": seal_blob.FIXED.size, "PART_BYTES": seal_blob.PART.size,
    "SECRET_BYTES": seal_blob.SECRET.size, "ROOM_BYTES": seal_blob.ROOM,
    "TABLES_BYTES": seal_blob.TABLES, "KEY_FILE_BYTES": 48,
}
INTERESTING = (0, 1, 2, 4095, 4096, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x30000, 0x70000, 0x100000,
               0x1000000, 0xC0000000, 0xFFFFF000, 0xFFFFFFFF, 1 << 32, 1 << 63, (1 << 64) - 4096,
               (1 << 64) - 1)
CASES = 20000


class Agree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reader = subprocess.Popen([os.environ["NOVA_SEAL_READER"]], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        ((cls.private, cls.public), (cls.other, cls.other_public)) = sealing.keys(2)
        cls.content = sealing.content()
        cls.blob = seal_blob.seal(cls.content, [cls.public, cls.other_public], sealing.Repeatable())

    @classmethod
    def tearDownClass(cls):
        cls.reader.stdin.close()
        cls.reader.stdout.close()
        if cls.reader.wait():
            raise AssertionError(f"the reader ended with status {cls.reader.returncode}")

    def ask(self, command, *words):
        """Returns the reader's answer to a command."""
        print(command, *(bytes(word).hex() or "-" for word in words), file=self.reader.stdin,
              flush=True)
        answer = self.reader.stdout.readline()
        self.assertTrue(answer, "the reader has ended")
        return answer.rstrip("\n")

    def read_by_tool(self, function, *arguments):
        """Returns what the tool reads, written as the reader does."""
        try:
            found = function(*arguments)
        except seal_blob.SealError as error:
            return error.name
        words = ["OK", found.flags, found.vcpus]
        words += [f"{number:#x}" for number in
                  (found.memory, found.entry, found.params, found.tables, found.blob)]
        words.append(found.phrase.hex())
        words += [f"part:{one.kind}:{one.address:#x}:{one.bytes:#x}:{one.digest.hex()}"
                  for one in found.parts]
        words += [f"secret:{name.hex()}:{value.hex()}" for name, value in found.secrets.items()]
        return " ".join(map(str, words))

    def open(self, blob, private=None):
        """Opens a blob with the tool and with the reader. Returns the answer, which must be the
        same."""
        private = private or self.private
        answer = self.ask("open", private, blob)
        self.assertEqual(answer, self.read_by_tool(seal_blob.open_blob, bytes(blob), private))
        return answer

    def rows(self):
        """Returns the reader's statuses and sentences."""
        print("rows", file=self.reader.stdin, flush=True)
        rows = {}
        while line := self.reader.stdout.readline().rstrip("\n"):
            name, *rest = line.split("\t")
            rows[name] = tuple(rest)
        return rows

    def test_both_have_the_same_statuses_and_sentences(self):
        rows = self.rows()
        self.assertEqual(rows.pop("OK")[0], "U_SUCCESS")
        self.assertEqual(rows.pop("NO_MEMORY")[0], "U_RETRY")
        self.assertEqual(rows, seal_blob.STATUSES)

    def test_both_have_the_same_constants(self):
        text = HEADER.read_text(encoding="utf-8")
        for name, value in CONSTANTS.items():
            found = re.search(rf"#define SEAL_{name}\s+(\w+?)u\b", text)
            self.assertEqual(int(found.group(1), 0), value, name)

    def test_the_reader_opens_what_the_tool_has_sealed(self):
        for private in (self.private, self.other):
            answer = self.open(self.blob, private)
            self.assertTrue(answer.startswith("OK 0 2 "))
            self.assertIn(b"swordfish".hex(), answer)

    def test_the_tool_opens_what_c_has_sealed(self):
        plain = seal_blob.encode(self.content)
        blob = bytes.fromhex(self.ask("write", plain, self.public, self.other_public))
        for private in (self.private, self.other):
            self.assertEqual(seal_blob.open_blob(blob, private), self.content)
        self.assertNotEqual(blob, bytes.fromhex(self.ask("write", plain, self.public,
                                                         self.other_public)))

    def test_images_of_all_kinds(self):
        pairs = sealing.keys(16)
        for others in ({"phrase": b""}, {"secrets": {}}, {"flags": 1}, {"flags": 2}, {"vcpus": 8},
                       {"phrase": b"p" * 512},
                       {"secrets": {b"n" * 29 + b"%02d" % i: bytes(4096) for i in range(16)}},
                       {"kernel": sealing.elf()}, {"initrd": b""}, {"acpi": b""}):
            data = sealing.image([public for _, public in pairs], **others)
            blob = seal_image.blob_of(data)
            for private, _ in pairs[::5]:
                self.assertTrue(self.open(blob, private).startswith("OK "), others)

    def test_another_machine(self):
        private = sealing.keys(3)[2][0]
        self.assertEqual(self.open(self.blob, private), "NO_KEY")

    def test_a_changed_bit_of_each_byte(self):
        seen = {}
        for at in range(len(self.blob)):
            blob = bytearray(self.blob)
            blob[at] ^= 1 << at % 8
            answer = self.open(blob)
            self.assertFalse(answer.startswith("OK"), at)
            seen[answer] = seen.get(answer, 0) + 1
        self.assertLessEqual({"NO_BLOB", "VERSION", "LENGTHS", "MACHINES", "CONTENT", "RESERVED",
                              "NO_KEY", "KEY_DAMAGED", "DAMAGED"}, set(seen))

    def test_each_length(self):
        for length in range(len(self.blob)):
            answer = self.open(self.blob[:length])
            self.assertEqual(answer, "NO_BLOB" if length < 8 else "CUT_OFF", length)
        self.assertTrue(self.open(self.blob + bytes(100)).startswith("OK "))

    def said(self, *words):
        """Returns the sentence with which `nova seal` refuses an image."""
        args = cli.parse(["seal", *map(str, words)])
        with self.assertRaises(NovaError) as caught:
            args.function(args)
        return str(caught.exception)

    def test_damaged_blobs_have_the_sentence_of_the_reader_in_the_tool(self):
        data = damaged.image([self.public])
        found, rows = damaged.blobs(data, self.private, self.public), self.rows()
        self.assertEqual({one.reason for one in found} | {"OK", "NO_MEMORY"}, set(rows))
        with tempfile.TemporaryDirectory() as folder:
            key, path = Path(folder, "machine.key"), Path(folder, "sealed.img")
            key.write_bytes(machine_key.PRIVATE_MAGIC + self.private)
            key.chmod(0o600)
            for one in found:
                with self.subTest(one.title):
                    self.assertEqual(self.open(one.data), one.reason)
                    room = one.data.ljust(seal_blob.ROOM, b"\0")
                    self.assertEqual(self.open(room), one.loaded)
                    status, sentence = rows[one.loaded]
                    remedy = seal.OTHER_KEY if one.loaded == "NO_KEY" else seal_image.REMEDY
                    expected = f"{path} cannot be opened: {sentence} ({status}); {remedy}."
                    at = seal_image.BLOB_OFFSET
                    path.write_bytes(data[:at] + room + data[at + len(room):])
                    self.assertEqual(self.said(path, "--check", key), expected)
                    try:
                        seal_blob.read_header(room)
                    except seal_blob.SealError:  # visible without a key
                        self.assertEqual(self.said(path, "--show"), expected)

    def test_points_without_a_secret_in_a_row(self):
        at = seal_blob.HEADER.size + 32
        for point in (bytes(32), b"\1" + bytes(31), b"\xed" + b"\xff" * 30 + b"\x7f",
                      b"\xec" + b"\xff" * 31):
            blob = bytearray(self.blob)
            blob[at:at + 32] = point
            self.assertEqual(self.open(blob), "KEY_DAMAGED")

    def changed(self, choose):
        """Returns decrypted content in which one to three places are changed."""
        plain = bytearray(seal_blob.encode(self.content))
        for _ in range(choose.randint(1, 3)):
            form, size = choose.choice((("<B", 1), ("<H", 2), ("<I", 4), ("<Q", 8)))
            step = choose.choice((1, size))
            at = choose.randrange(0, len(plain) - size + 1, step)
            (old,) = struct.unpack_from(form, plain, at)
            value = choose.choice((choose.choice(INTERESTING), old + 1, old - 1,
                                   old ^ 1 << choose.randrange(8 * size), old + 4096))
            struct.pack_into(form, plain, at, value % (1 << 8 * size))
        if choose.random() < 0.1:
            del plain[choose.randrange(64, len(plain)):]
        return bytes(plain)

    def test_changed_content(self):
        choose, seen = random.Random(1), {}
        for _ in range(CASES):
            plain = self.changed(choose)
            answer = self.ask("plain", plain)
            self.assertEqual(answer, self.read_by_tool(seal_blob.decode, plain), plain.hex())
            name = answer.split(" ")[0]
            seen[name] = seen.get(name, 0) + 1
        expected = {"OK", "POLICY", "PARTS", "SECRETS", "PHRASE", "LENGTHS", "PART", "OVERLAP",
                    "PLACE", "ENTRY", "PARAMS", "SECRET"}
        self.assertEqual(set(seen), expected)


if __name__ == "__main__":
    unittest.main()
