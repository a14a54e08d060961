#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system that writes to a disk, and checks the disk: disk.py KIND FROM IMAGE COMMAND...

FROM is an image that image.py wrote. KIND is `complement` if the system replaces each word by its
complement, `versions` if it writes and prints like storm.c, `killed` if mortal_driver.c also makes
the driver crash and hang, `discarded` for discard.c: the blocks that it discards read as zeros, and
the others are as before.
"""
import collections
import re
import shutil
import struct
import subprocess
import sys


def is_version(block, number):
    """Returns whether a block of storm.c was written completely."""
    words = struct.unpack("<128I", block)
    version = words[1] & 0x7FFFFFFF
    rest = [0x80000000 | number * 128 + i + version * 7 for i in range(2, 128)]
    return words[0] == 0x80000000 | number and words[1] >> 31 and list(words[2:]) == rest


def lost_versions(output, after):
    """Compares the versions on the disk with the sums that storm.c printed in a boot. Returns a
    sentence for each printed sum that differs, or one sentence if no sum was printed."""
    lines = re.findall(r"(\d+) blocks from (\d+) have versions with the sum (\w+)", output)
    wrong = [] if lines else ["no program printed its versions"]
    for count, first, expected in lines:
        total = 0
        for number in range(int(first), int(first) + int(count)):
            version = struct.unpack_from("<I", after, number * 512 + 4)[0]
            written = is_version(after[number * 512:number * 512 + 512], number)
            total = (total * 1664525 + (version & 0x7FFFFFFF if written else 0) + 1) % 2**32
        if total != int(expected, 16):
            wrong.append(f"the versions of {count} blocks from {first} have the sum {total:08x}")
    return wrong


def bad_kills(output):
    """Prints how many requests were in flight when a driver crashed or hung, as mortal_driver.c
    reports it. Returns a sentence for each fault: a kind of end does not occur, a crash has no
    count, or too few ends found requests in flight."""
    crashes = re.findall(r" ax 0*fade([0-9a-f]{4}) ", output)
    kinds = {"crashes": [int(number, 16) for number in crashes],
             "hangs": [int(number) for number in
                       re.findall(r"ends with (\d+) requests in flight", output)]}
    for kind, numbers in kinds.items():
        rows = sorted(collections.Counter(numbers).items())
        print(f"disk.py: {len(numbers)} {kind}, by requests in flight:",
              ", ".join(f"{count} with {number}" for number, count in rows))
    every = kinds["crashes"] + kinds["hangs"]
    busy = sum(number > 0 for number in every)
    print(f"disk.py: {busy} of {len(every)} ends found requests in flight")
    wrong = [f"there are no {kind}" for kind, numbers in kinds.items() if not numbers]
    if len(crashes) != len(re.findall(", thread death, ", output)):
        wrong.append("a crash has no count")
    if busy * 100 < len(every) * BUSY_MIN:
        wrong.append(f"fewer than {BUSY_MIN} % of the ends found requests in flight")
    return wrong


def boot(command):
    """Runs a command; prints and returns its output, and returns its status."""
    output = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            output.append(line)
    return process.returncode, "".join(output)


BUSY_MIN = 60  # percent
DISCARDED = {*range(64, 192), *range(256, 888), *range(904, 920)}


def main():
    """Returns the status."""
    kind, source, image, *command = sys.argv[1:]
    if not image.endswith(".img"):
        print(f"disk.py: {image} is not an image")
        return 2
    shutil.copyfile(source, image)
    status, output = boot(command)
    if status:
        return status
    with open(source, "rb") as file:
        before = file.read()
    with open(image, "rb") as file:
        after = file.read()
    wrong, written = [], 0
    for number in range(len(before) // 512):
        old, new = (data[number * 512:number * 512 + 512] for data in (before, after))
        if kind == "complement":
            good = new == bytes(byte ^ 0xFF for byte in old)
        elif kind == "discarded":
            good = new == (bytes(512) if number in DISCARDED else old)
        else:
            good = new == old or is_version(new, number)
        written += new != old
        wrong += [] if good else [number]
    lost = lost_versions(output, after) if kind in ("versions", "killed") else []
    lost += bad_kills(output) if kind == "killed" else []
    if lost:
        print("disk.py:", *lost)
        return 1
    if wrong or len(before) != len(after) or not written:
        print(f"disk.py: {len(wrong)} blocks are not as they were written; first: {wrong[:1]}")
        return 1
    print(f"disk.py: all {written} written blocks are whole")
    return 0


sys.exit(main())
