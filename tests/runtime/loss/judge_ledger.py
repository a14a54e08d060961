# SPDX-License-Identifier: BSD-2-Clause
"""Judges disks with the database of ../sqlite/ledger.c. A disk is good if the host's SQLite opens
the database with its journal and finds it intact, if each transaction exists completely or not at
all, and if each transaction that the program has recorded as committed exists."""
import os
import re
import shutil
import sqlite3
import subprocess

from judge_files import BLOCKS, FIRST, MARK, SECTOR

NAME = "ledger.db"
OPTIONS = {"env": os.environ | {"MTOOLS_SKIP_CHECK": "1"}, "stdout": subprocess.DEVNULL,
           "stderr": subprocess.DEVNULL, "check": False}


def is_committed(number):
    """Returns whether ledger.c commits a transaction. It rolls back the others."""
    return number % 5 != 3


def _text(number, entry):
    length = 1 + (number * 37 + entry * 101) % 1500
    return "".join(chr(ord("a") + (i + number + entry) % 26) for i in range(length))


def expected(last):
    """Returns the entries and the accounts after a transaction."""
    entries, accounts = {}, [1000] * 4
    for number in filter(is_committed, range(1, last + 1)):
        for entry in range(number * 5 % 13):
            entries[number, entry] = _text(number, entry)
        accounts[number % 4] -= number
        accounts[(number + 1) % 4] += number
        for old in [place for place in entries if place[0] == number - 5]:
            del entries[old]
    return entries, accounts


def sentence_about(path, committed):
    """Returns a sentence about a bad database; None for a good one. COMMITTED is the last
    transaction that is known to be committed; -1: none is. In this case the tables may be missing,
    because transaction 0 creates them."""
    if not os.path.exists(path):
        return None if committed < 0 else "the database is lost"
    database = sqlite3.connect(path)
    try:
        wrong = database.execute("PRAGMA integrity_check").fetchall()
        if wrong != [("ok",)]:
            return f"the database is damaged: {wrong[0][0]}"
        if not database.execute("SELECT * FROM sqlite_master").fetchall():
            return None if committed < 0 else "the database is empty"
        ((last,),) = database.execute("SELECT round FROM state")
        entries = {(number, entry): text
                   for number, entry, text in database.execute("SELECT * FROM entries")}
        accounts = [money for (money,) in database.execute("SELECT money FROM accounts "
                                                           "ORDER BY number")]
    except sqlite3.DatabaseError as error:
        return f"the database is damaged: {error}"
    finally:
        database.close()
    after = next(filter(is_committed, range(committed + 1, committed + 3)))
    if last < committed:
        return f"transaction {committed} is lost, {last} is the last one"
    if last not in (committed, after):
        return f"transaction {last} is there before it began"
    if (entries, accounts) != expected(last):
        return f"transaction {last} is not whole"
    return None


class Judge:
    """Finds the last committed transaction at each entry of the record."""

    def __init__(self, _base, entries, folder):
        self.image = os.path.join(folder, "part")
        self.folder = os.path.join(folder, "files")
        self.committed, self.promises = [-1], 0
        for entry in entries:
            last = self.committed[-1]
            if entry and entry.offset <= MARK * SECTOR < entry.offset + len(entry.data):
                mark = re.match(rb"committed (\d+)\n", entry.data[MARK * SECTOR - entry.offset:])
                last = int(mark[1])
                self.promises += 1
            self.committed.append(last)

    def judge(self, disk, _start, cut):
        """Returns a sentence about a bad disk; None for a good one."""
        with open(self.image, "wb") as file:
            file.write(memoryview(disk)[FIRST * SECTOR:(FIRST + BLOCKS) * SECTOR])
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder)
        subprocess.run(["mcopy", "-n", "-Q", "-i", self.image, "::*", self.folder], **OPTIONS)
        for name in os.listdir(self.folder):
            os.rename(os.path.join(self.folder, name), os.path.join(self.folder, name.lower()))
        return sentence_about(os.path.join(self.folder, NAME), self.committed[cut])
