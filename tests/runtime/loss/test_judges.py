# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the judges with constructed disks, and of the reader of the record."""
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import fat16
import judge_blocks
import judge_files
import judge_ledger
import judge_rounds
import loss
import record
import tables
from judge_files import BLOCKS, FIRST, MARK, SECTOR
from record import Write

PLACE = FIRST * SECTOR
A, B = "/A.BIN", "/a long name of a file.data"
SIZE = 3000  # size of each file: 6 clusters
OPTIONS = {"env": os.environ | {"MTOOLS_SKIP_CHECK": "1"}, "check": True}


def content(version, size):
    """Returns the data that files.c writes."""
    return bytes((i * 7 + version * 31 + (i >> 9)) & 0xFF for i in range(size))


def mark(text):
    """Returns the write of a mark."""
    return Write(MARK * SECTOR, text.encode().ljust(SECTOR, b"\0"), False)


class Disk:
    """A disk with an empty file system, or with two files, that a test changes."""

    empty = full = None

    @classmethod
    def make(cls):
        """Makes both disks with the host's tools."""
        with tempfile.TemporaryDirectory() as folder:
            image = Path(folder) / "image"
            subprocess.run([sys.executable, "-B", "disk.py", image], check=True)
            cls.empty = image.read_bytes()
            for version, path in ((1, A), (2, B)):
                subprocess.run(["mcopy", "-i", f"{image}@@{PLACE}", "-", f"::{path[1:]}"],
                               input=content(version, SIZE), **OPTIONS)
            cls.full = image.read_bytes()

    def __init__(self):
        self.bytes = bytearray(self.full)
        self.part = memoryview(self.bytes)[PLACE:PLACE + BLOCKS * SECTOR]
        self.system = fat16.Fat16(self.part)
        self.table_bytes = (self.system.root - self.system.table) // 2

    def entry(self, version):
        """Returns the place of a file's entry in the root folder."""
        entries = range(self.system.root, self.system.data, 32)
        return [at for at in entries if self.part[at] not in (0, 0xE5) and
                not self.part[at + 11] & 8][version - 1]

    def chain(self, version):
        """Returns the clusters of a file."""
        found = [struct.unpack_from("<H", self.part, self.entry(version) + 26)[0]]
        while (after := self.link(found[-1])) < 0xFFF8:
            found.append(after)
        return found

    def link(self, cluster):
        """Returns an entry of the first table."""
        return struct.unpack_from("<H", self.part, self.system.table + cluster * 2)[0]

    def put(self, cluster, value, copies=(0, 1)):
        """Sets an entry of the tables."""
        for copy in copies:
            struct.pack_into("<H", self.part,
                             self.system.table + copy * self.table_bytes + cluster * 2, value)

    def resize(self, version, size):
        """Sets the size of a file."""
        struct.pack_into("<I", self.part, self.entry(version) + 28, size)

    def lengthen(self, version):
        """Adds a cluster to the chain of a file."""
        self.put(self.chain(version)[-1], 100)
        self.put(100, 0xFFFF)

    def second_table(self, data):
        """Replaces all entries of the second table."""
        at = self.system.table + self.table_bytes
        self.part[at + 4:at + self.table_bytes] = data


def setUpModule():  # pylint: disable=invalid-name
    """Makes the disks."""
    Disk.make()


class FilesTest(unittest.TestCase):
    """The judge of files finds all errors and reports no others."""

    def setUp(self):
        self.disk = Disk()

    def judge(self, *turn, entries=None):
        """Returns the judge's sentence about the disk. The record has two flushed files, and then
        the entries TURN."""
        before = [mark(f"flushed 1 {SIZE} {A}\n"), mark(f"flushed 2 {SIZE} {B}\n"), None]
        entries = entries or [*before, *turn]
        with tempfile.TemporaryDirectory() as folder:
            judge = judge_files.Judge(b"", entries, folder)
            return judge.judge(self.disk.bytes, len(before), len(entries))

    def test_whole_files_are_accepted(self):
        self.assertIsNone(self.judge())

    def test_entry_0_in_the_second_table_is_found(self):
        self.disk.put(self.disk.chain(1)[2], 0, copies=[1])
        self.assertIn("of the table differ", self.judge())

    def test_empty_second_table_is_found(self):
        self.disk.second_table(bytes(self.disk.table_bytes - 4))
        self.assertIn("of the table differ", self.judge())

    def test_random_second_table_is_found(self):
        self.disk.second_table(random.Random(1).randbytes(self.disk.table_bytes - 4))
        self.assertTrue(self.judge())

    def test_chain_longer_than_a_flushed_file_is_found(self):
        self.disk.lengthen(1)
        self.assertIn(f"the chain of {A}, which did not change, is longer", self.judge())

    def test_larger_size_is_found(self):
        self.disk.resize(1, SIZE + 10)
        self.assertIn("3010 bytes, instead of", self.judge())

    def test_smaller_size_is_found(self):
        self.disk.resize(2, SIZE - 10)
        self.assertIn("2990 bytes, instead of", self.judge())

    def test_lost_name_is_found(self):
        self.disk.part[self.disk.entry(1)] = 0xE5
        self.assertEqual(self.judge(), f"{A} is lost")

    def test_changed_byte_is_found(self):
        place = self.disk.system.data + (self.disk.chain(2)[3] - 2) * SECTOR
        self.disk.part[place] ^= 1
        self.assertIn(f"{B} has 3000 bytes, instead of", self.judge())

    def test_short_chain_is_found(self):
        self.disk.put(self.disk.chain(1)[2], 0xFFFF)
        self.assertTrue(self.judge())

    def test_common_cluster_is_found(self):
        self.disk.put(self.disk.chain(1)[2], self.disk.chain(2)[3])
        self.assertTrue(self.judge())

    def test_link_after_the_last_cluster_is_found(self):
        self.disk.put(self.disk.chain(1)[2], 0xF000)
        self.assertTrue(self.judge())

    def test_free_cluster_in_a_chain_is_found(self):
        self.disk.put(self.disk.chain(1)[2], 0)
        self.assertTrue(self.judge())

    def test_other_version_is_found(self):
        first = struct.pack("<H", self.disk.chain(2)[0])
        second = struct.pack("<H", self.disk.chain(1)[0])
        self.disk.part[self.disk.entry(1) + 26:self.disk.entry(1) + 28] = first
        self.disk.part[self.disk.entry(2) + 26:self.disk.entry(2) + 28] = second
        self.assertIn(f"{A} has 3000 bytes, instead of", self.judge())

    def test_lost_cluster_is_accepted(self):
        self.disk.put(100, 0xFFFF)
        self.assertIsNone(self.judge())

    def test_difference_is_accepted_where_the_turn_wrote(self):
        sector = self.disk.system.table // SECTOR
        self.disk.put(100, 0xFFFF, copies=[0])
        write = Write(PLACE + sector * SECTOR, bytes(SECTOR), False)
        self.assertIsNone(self.judge(write))
        write.offset += SECTOR
        self.assertIn("copies of sector 0 of the table differ", self.judge(write))

    def test_longer_chain_is_accepted_during_an_append(self):
        self.disk.lengthen(1)
        self.assertIsNone(self.judge(mark(f"either 1 3300 {A}\n")))
        self.assertIsNone(self.judge(mark(f"touch 0 0 {A}\n")))
        self.assertIn(f"chain of {A}", self.judge(mark(f"either 2 3300 {B}\n")))

    def test_append_leaves_the_old_size_or_the_new_one(self):
        append = mark(f"either 1 3050 {A}\n")
        self.assertIsNone(self.judge(append))
        place = self.disk.system.data + (self.disk.chain(1)[-1] - 2) * SECTOR
        self.disk.part[place:place + SECTOR] = content(1, 3072)[-SECTOR:]
        for size, good in ((3000, True), (3050, True), (3010, False), (3060, False)):
            self.disk.resize(1, size)
            self.assertEqual(self.judge(append) is None, good, size)


class LogTest(unittest.TestCase):
    """A log of two files is good, and a log without the writes of one table is not."""

    @staticmethod
    def entries():
        """Returns writes that make the files: data, tables, names, each with a flush."""
        disk = Disk()
        parts = [[], [], []]
        for at in range(0, len(Disk.full), SECTOR):
            data = Disk.full[at:at + SECTOR]
            kind = (at - PLACE >= disk.system.root) + (at - PLACE >= disk.system.data)
            if data != Disk.empty[at:at + SECTOR]:
                parts[(1, 2, 0)[kind]].append(Write(at, data, False))
        marks = [mark(f"flushed 1 {SIZE} {A}\n"), mark(f"flushed 2 {SIZE} {B}\n"), None]
        return [*parts[0], None, *parts[1], None, *parts[2], None, *marks]

    @staticmethod
    def sentences(entries):
        """Judges 60 disks."""
        with tempfile.TemporaryDirectory() as folder:
            judge = judge_files.Judge(Disk.empty, entries, folder)
            disks = record.images(Disk.empty, entries, 60, seed=1)
            return [sentence for disk in disks if (sentence := judge.judge(*disk))]

    def test_both_tables_are_good(self):
        self.assertEqual(self.sentences(self.entries()), [])

    def test_one_table_is_bad(self):
        disk = Disk()
        for copy, pattern in ((1, "the copies of sector 0 of the table differ"), (0, "fsck.fat: ")):
            begin = PLACE + disk.system.table + copy * disk.table_bytes
            left = [entry for entry in self.entries()
                    if not entry or entry.offset not in range(begin, begin + disk.table_bytes)]
            self.assertEqual(loss.status_of(self.sentences(left), pattern), 0)

    def test_no_names_lose_files(self):
        names = Disk().system
        names = range(PLACE + names.root, PLACE + names.data)
        entries = [entry for entry in self.entries() if not entry or entry.offset not in names]
        self.assertEqual(loss.status_of(self.sentences(entries), " is lost$"), 0)


class TableTest(unittest.TestCase):
    """The copies of the table are compared for each type of FAT."""

    def test_each_type_has_its_length(self):
        for short, long in ((2, 0), (0, 2)):
            part = bytearray(6 * SECTOR)
            struct.pack_into("<HBHB", part, 11, SECTOR, 1, 1, 2)
            struct.pack_into("<H", part, 22, short)
            struct.pack_into("<I", part, 36, long)
            self.assertIsNone(tables.difference(part, PLACE, []))
            part[4 * SECTOR + 9] = 1
            self.assertIn("sector 1", tables.difference(part, PLACE, []))
            merged = Write(PLACE, bytes(3 * SECTOR), False)
            self.assertIsNone(tables.difference(part, PLACE, [merged]))
            merged.data = bytes(2 * SECTOR)
            self.assertTrue(tables.difference(part, PLACE, [merged]))


class BlocksTest(unittest.TestCase):
    """The judge of blocks."""

    @staticmethod
    def block(number, turn):
        """Returns the data that blocks.c writes."""
        rest = [number * 128 + i + turn * 7 for i in range(3, 128)]
        return struct.pack("<128I", judge_blocks.MAGIC, number, turn, *rest)

    def test_old_rounds_and_torn_blocks_are_found(self):
        entries = [Write(SECTOR, self.block(1, 1), False), None, Write(0, self.block(0, 1), False),
                   Write(SECTOR, self.block(1, 2), False)]
        judge = judge_blocks.Judge(bytes(2 * SECTOR), entries, None)
        for data, sentence in ((self.block(1, 1), None), (self.block(1, 2), None),
                               (bytes(SECTOR), "block 1 has round 0 instead of 1"),
                               (self.block(1, 2)[:-4] + bytes(4), "block 1 is not whole")):
            self.assertEqual(judge.judge(bytes(SECTOR) + data, 2, 4), sentence)
        self.assertIsNone(judge.judge(bytes(2 * SECTOR), 0, 1))


CLUSTERS_LEFT = """fsck.fat 4.2 (2021-01-31)
{path}
  File size is 3000 bytes, cluster chain length is > 3072 bytes.
  Truncating file to 3000 bytes.

Leaving filesystem unchanged.
image: 3 files, 13/8095 clusters"""


class RoundsTest(unittest.TestCase):
    """The judge of rounds: only a file that changed since the last flush has a longer chain."""

    def complaints(self, text, last):
        """Returns the judge's sentence about an output of fsck.fat after a round."""
        result = subprocess.CompletedProcess([], 1, stdout=text)
        with mock.patch("subprocess.run", return_value=result):
            return judge_rounds.complaints("image", last)

    def test_longer_chains_need_a_change(self):
        for path, last, good in (("/home/load/new.tmp", 5, True), ("/home/journal", -1, True),
                                 ("/HOME/load/other 2", 5, True), ("/home/journal", 5, False),
                                 ("/home/load/other 1", 5, False), ("/home/in.txt", -1, False),
                                 ("/home/load/a file with the number 5", 5, False)):
            found = self.complaints(CLUSTERS_LEFT.format(path=path), last)
            self.assertEqual(not found, good, f"{path}: {found}")

    def test_other_damage_is_found(self):
        damage = "/home/load/new.tmp\n  Contains a free cluster"
        self.assertEqual(len(self.complaints(damage, 5)), 1)
        self.assertEqual(self.complaints("FATs differ but appear to be intact.\n", 5), [])


class LedgerTest(unittest.TestCase):
    """The judge of transactions."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / judge_ledger.NAME

    def write(self, last):
        """Makes the database that ledger.c has after a transaction."""
        self.path.unlink(missing_ok=True)
        database = sqlite3.connect(self.path)
        entries, accounts = judge_ledger.expected(last)
        database.execute("CREATE TABLE entries (round INTEGER, number INTEGER, text TEXT)")
        database.execute("CREATE INDEX texts ON entries (text)")
        database.execute("CREATE TABLE accounts (number INTEGER PRIMARY KEY, money INTEGER)")
        database.execute("CREATE TABLE state (round INTEGER)")
        database.execute("INSERT INTO state VALUES (?)", [last])
        database.executemany("INSERT INTO entries VALUES (?, ?, ?)",
                             [(*place, text) for place, text in entries.items()])
        database.executemany("INSERT INTO accounts VALUES (?, ?)", enumerate(accounts))
        database.commit()
        return database

    def about(self, last, committed, *changes):
        """Returns the sentence about a database after a transaction and changes by the test."""
        database = self.write(last)
        for change in changes:
            database.execute(change)
        database.commit()
        database.close()
        return judge_ledger.sentence_about(self.path, committed)

    def test_a_transaction_may_be_there_before_it_is_known(self):
        for last, committed in ((12, 12), (14, 12), (0, 0), (0, -1), (1, 0)):
            self.assertIsNone(self.about(last, committed))

    def test_a_lost_transaction_is_found(self):
        self.assertEqual(self.about(11, 12), "transaction 12 is lost, 11 is the last one")
        self.path.unlink()
        self.assertEqual(judge_ledger.sentence_about(self.path, 0), "the database is lost")
        self.assertIsNone(judge_ledger.sentence_about(self.path, -1))
        self.path.write_bytes(b"")
        self.assertEqual(judge_ledger.sentence_about(self.path, 0), "the database is empty")

    def test_a_transaction_that_was_rolled_back_is_found(self):
        self.assertIn("before it began", self.about(13, 12))
        self.assertIn("before it began", self.about(15, 12))

    def test_a_part_of_a_transaction_is_found(self):
        for change in ("UPDATE accounts SET money = money - 1 WHERE number = 2",
                       "DELETE FROM entries WHERE round = 12 AND number = 3",
                       "INSERT INTO entries VALUES (7, 0, 'old')",
                       "UPDATE entries SET text = 'x' WHERE round = 11 AND number = 0"):
            self.assertEqual(self.about(12, 12, change), "transaction 12 is not whole")

    def test_damage_is_found(self):
        self.write(12).close()
        good = self.path.read_bytes()
        for place in (0, 4096, 2 * 4096, len(good) - 4096):
            self.path.write_bytes(good[:place] + bytes(64) + good[place + 64:])
            self.assertIn("the database is damaged", judge_ledger.sentence_about(self.path, 12))
        self.path.write_bytes(good[:-4096])
        self.assertIn("the database is damaged", judge_ledger.sentence_about(self.path, 12))

    def test_the_record_says_what_is_committed(self):
        data = bytes(SECTOR) + b"committed 2\n".ljust(SECTOR, b"\0")
        entries = [mark("committed 0\n"), None, Write((MARK - 1) * SECTOR, data, False)]
        judge = judge_ledger.Judge(b"", entries, self.folder)
        self.assertEqual(judge.committed, [-1, 0, 0, 2])
        self.assertEqual(judge.promises, 2)

    def test_the_database_is_read_from_the_disk(self):
        disk = Disk()
        judge = judge_ledger.Judge(b"", [mark("committed 4\n")], self.folder)
        self.assertEqual(judge.judge(disk.bytes, 0, 1), "the database is lost")
        self.write(4).close()
        image = self.folder / "disk"
        image.write_bytes(disk.bytes)
        subprocess.run(["mcopy", "-i", f"{image}@@{PLACE}", self.path, "::"], **OPTIONS)
        self.assertIsNone(judge.judge(image.read_bytes(), 0, 1))


class RecordTest(unittest.TestCase):
    """The reader of the record, and the disks that it makes."""

    def read(self, *entries, magic=record.MAGIC, cut=0):
        """Reads a record of entries: first sector, number of sectors, flags, data."""
        log = struct.pack("<QQQI", magic, 1, len(entries), SECTOR).ljust(SECTOR, b"\0")
        for first, sectors, flags, data in entries:
            log += struct.pack("<QQQQ", first, sectors, flags, len(data)).ljust(SECTOR, b"\0")
            log += data
        with tempfile.NamedTemporaryFile() as file:
            file.write(log[:len(log) - cut])
            file.flush()
            return record.read(file.name)

    def test_entries_are_read(self):
        data = bytes([1]) * SECTOR
        found = self.read((3, 1, 0, data), (0, 0, record.FLUSH, b""),
                          (4, 1, record.FLUSH | record.FUA, data), (0, 0, record.MARK, b""),
                          (5, 2, record.DISCARD, b""))
        self.assertEqual([entry and (entry.offset // SECTOR, len(entry.data), entry.kept)
                          for entry in found],
                         [(3, SECTOR, False), None, None, (4, SECTOR, True),
                          (5, 2 * SECTOR, False)])

    def test_bad_records_are_refused(self):
        entry = (3, 1, 0, bytes(SECTOR))
        for options in ({"magic": 1}, {"cut": 1}):
            with self.assertRaises(ValueError):
                self.read(entry, **options)

    def test_disks_have_what_was_flushed_and_some_of_the_rest(self):
        one, two = bytes([1]) * SECTOR, bytes([2]) * 2 * SECTOR
        entries = [Write(0, one, False), None, Write(SECTOR, two, False),
                   Write(3 * SECTOR, one, True)]
        torn = 0
        for disk, start, cut in record.images(bytes(4 * SECTOR), entries, 200, seed=1):
            self.assertIn((start, cut), [(0, 0), (0, 1), (2, 2), (2, 3), (2, 4)])
            sectors = disk[::SECTOR]
            if start:
                self.assertEqual(sectors[0], 1)
            if cut == 4:
                self.assertEqual(sectors[3], 1)
            if cut <= 2:
                self.assertEqual(sectors[1:], bytes(3))
            torn += sectors[1] != sectors[2]
        self.assertTrue(torn)


class StatusTest(unittest.TestCase):
    """The status of a run."""

    def test_only_the_expected_sentence_passes(self):
        self.assertEqual(loss.status_of([], None), 0)
        self.assertEqual(loss.status_of(["disk 1: x is lost"], None), 1)
        self.assertEqual(loss.status_of([], "is lost"), 1)
        self.assertEqual(loss.status_of(["disk 1: fsck.fat: bad"], "is lost"), 1)
        self.assertEqual(loss.status_of(["disk 1: bad", "disk 2: x is lost"], " is lost$"), 0)


if __name__ == "__main__":
    unittest.main()
