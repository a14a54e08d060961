#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system, and judges disks that a loss of power could have left.

loss.py [--fails=PATTERN] [--disks=NUMBER] JUDGE DISK COMMAND...

JUDGE is a key of JUDGES. DISK is the image before the boot. The command is `nova
boot-test`; it gets a disk whose writes QEMU records. With --fails the test passes
only if a sentence about a bad disk matches the pattern.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

import judge_blocks
import judge_files
import judge_ledger
import judge_rounds
import record

COUNT = 1000
COUNT_FAILS = 100
JUDGES = {"blocks": judge_blocks.Judge, "files": judge_files.Judge, "ledger": judge_ledger.Judge,
          "rounds": judge_rounds.Judge}


def disk_options(image, log):
    """Returns QEMU's options for a disk whose writes are recorded. The host's files themselves need
    no flushes."""
    node = (f"driver=blklogwrites,node-name=d,file.driver=file,file.filename={image},"
            f"file.cache.no-flush=on,log.driver=file,log.filename={log},log.cache.no-flush=on,"
            "log-super-update-interval=1")
    return ["--qemu=-blockdev", f"--qemu={node}", "--qemu=-device",
            "--qemu=virtio-blk-pci,drive=d,disable-legacy=on"]


def status_of(sentences, pattern):
    """Returns the exit status for the sentences about bad disks. Without a pattern no disk may be
    bad; with a pattern a sentence must match it."""
    if pattern is None:
        return int(bool(sentences))
    return int(not any(re.search(pattern, sentence) for sentence in sentences))


def arguments():
    """Returns the arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fails")
    parser.add_argument("--disks", type=int)
    parser.add_argument("judge", choices=JUDGES)
    parser.add_argument("disk")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args()


def main():
    """Returns the status."""
    args = arguments()
    count = args.disks or (COUNT_FAILS if args.fails else COUNT)
    with tempfile.TemporaryDirectory(prefix="nova-loss-") as folder:
        image, log = os.path.join(folder, "disk"), os.path.join(folder, "log")
        shutil.copyfile(args.disk, image)
        with open(log, "wb"):
            pass
        status = subprocess.run([*args.command, *disk_options(image, log)], check=False).returncode
        if status:
            return status
        entries = record.read(log)
        with open(args.disk, "rb") as file:
            base = file.read()
        judge = JUDGES[args.judge](base, entries, folder)
        wrong = []
        disks = record.images(base, entries, count, seed=18)
        for number, (left, start, cut) in enumerate(disks):
            sentence = judge.judge(left, start, cut)
            if sentence:
                wrong.append(f"disk {number}, after {cut} of {len(entries)} entries: {sentence}")
    flushes = entries.count(None)
    print(f"loss.py: {len(entries) - flushes} writes, {flushes} flushes, {judge.promises} promises")
    print("\n".join([f"loss.py: {len(wrong)} of {count} disks are bad", *wrong[:5]]))
    if not judge.promises:
        print("loss.py: the program promised nothing")
        return 1
    return status_of(wrong, args.fails)


if __name__ == "__main__":
    sys.exit(main())
