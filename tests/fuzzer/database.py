# SPDX-License-Identifier: BSD-2-Clause
"""Boots the fuzzer under gdb and compares the whole mapping database with a model at the end of
each round: `database.py ARCH KERNEL FUZZER CPUS ARGUMENTS`. At each stop of the fuzzer
(compare_now() of main.c) no operation is in progress. Each round has two stops: one after some PDs
of the round were destroyed in the middle of their work, and one after the end of all its PDs. The
second stop must find the same number of objects and mappings in each round."""

import sys
import time
import traceback
from pathlib import Path

SECONDS = 200
ROUNDS_LEAST = 2
TRIES = 10  # until a stop is omitted
WITH_CROWD, LAST = 1, 3  # enum comparing of main.c
HERE = Path(__file__).resolve().parent
COUNTED = ["-icount", "shift=3,sleep=off"]
IOMMU = ["-device", "intel-iommu,intremap=on"]


def word_at(name):
    """Returns the value of a variable of the fuzzer."""
    import gdb

    return int(gdb.parse_and_eval(f"*(unsigned long *)&{name}"))


class Stops:
    """All stops of a run."""

    def __init__(self, target):
        self.target = target
        self.empty = None  # what the first stop after the end of all PDs has found
        self.rest = None
        self.stops = {True: 0, False: 0}
        self.most = 0
        self.tries = 0

    def settled(self):
        """Returns the objects if no operation is in progress, else None."""
        from database_model import open_operations, scs_left
        from nova.gdb.commands import Context

        objects = Context(self.target).objects()
        found = open_operations(objects)
        if found:
            print(f"In progress: {', '.join(found[:4])}.", flush=True)
            return None
        return scs_left(objects).find_all()

    def compare(self, number, crowd):
        """Compares database and tables. Returns whether no operation was in progress."""
        from database_model import Database
        from database_tables import Accounts, Tables

        begin = time.monotonic()
        objects = self.settled()
        if not objects:
            return False
        database = Database(objects)
        database.check_rules()
        tables = Tables(database)
        tables.check()
        rest = Accounts(database, tables).check()
        self.rest = rest if self.rest is None else self.rest
        if rest != self.rest:
            database.wrong("accounts", f"{rest} bytes of the root's account have no owner, at the "
                                       f"first stop {self.rest} had none")
        census = [len(objects.found[kind]) for kind in range(5)]
        counts = [database.count(space) for space in ("memory", "ports", "objects")]
        if not crowd:
            self._compare_with_first(database, census + counts)
        self.stops[crowd] += 1
        self.most = max(self.most, sum(counts)) if crowd else self.most
        print(f"Round {number}, {'with' if crowd else 'without'} suspects: PDs, ECs, SCs, PTs, SMs "
              f"{census}; mappings {counts}; {tables.summary()}; "
              f"{time.monotonic() - begin:.1f} s.", flush=True)
        for line in [text for _, text in database.differences] + objects.reader.problems:
            print(f"wrong: {line}", flush=True)
        if database.differences or objects.reader.problems:
            self.leave(1)
        return True

    def answer(self):
        """Compares at a stop. Returns 1; 0 if the fuzzer must wait and stop again; 2 if it must
        continue, because a thread without an SC stays in the middle of its operation."""
        if self.compare(word_at("comparing_round"), word_at("comparing") == WITH_CROWD):
            self.tries = 0
            return 1
        self.tries += 1
        if self.tries < TRIES:
            return 0
        self.tries = 0
        print("This stop is omitted.", flush=True)
        return 2

    @staticmethod
    def leave(status):
        import gdb

        gdb.execute("kill")
        gdb.execute(f"quit {status}")

    def _compare_with_first(self, database, numbers):
        if self.empty is None:
            self.empty = numbers
        elif numbers != self.empty:
            database.wrong("census", f"objects and mappings {numbers}, in the first round "
                                     f"{self.empty}")

    def conclude(self):
        if min(self.stops.values()) < ROUNDS_LEAST:
            print("wrong: too few rounds were compared", flush=True)
            return False
        print(f"All stops: {sum(self.stops.values())}, at most {self.most} mappings. Database and "
              "tables were compared.", flush=True)
        return True


def inside():
    """Runs in gdb, up to the last stop."""
    import gdb
    from nova.gdb.commands import Target

    sys.path.insert(0, str(HERE))
    stops = Stops(Target(gdb.parse_and_eval("$program").string()))
    gdb.Breakpoint("compare_now").silent = True
    try:
        while True:
            gdb.execute("continue", to_string=True)
            if word_at("comparing") == LAST:
                break
            gdb.execute(f"set var *(unsigned long *)&compared = {stops.answer()}")
    except Exception:  # gdb would go on after an error in a file that it sources
        traceback.print_exc()
        gdb.execute("quit 1")
    if not stops.conclude():
        stops.leave(1)


def outside(arch, kernel, fuzzer, cpus, arguments):
    """Starts the machine and gdb. Returns the exit status."""
    import argparse

    from nova import debug, options, qemu

    parser = argparse.ArgumentParser()
    options.add_machine(parser)
    args = parser.parse_args([])
    commands = [f'set $program = "{fuzzer}"', f"source {Path(__file__).resolve()}",
                "continue"]
    for name, value in (("ex", commands), ("batch", [""]), ("reset", False), ("console", None),
                        ("timeout", SECONDS), ("arch", arch)):
        setattr(args, name, value)
    machine = options.machine(args, kernel, [qemu.Module(fuzzer, arguments)], cpus=int(cpus),
                              memory=128, extra=[*COUNTED, *IOMMU])
    return debug._session(args, machine, fuzzer, arch)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.path.insert(0, str(HERE.parents[1] / "sdk" / "lib"))
        sys.exit(outside(*sys.argv[1:]))
    inside()
