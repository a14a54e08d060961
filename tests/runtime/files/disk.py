#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system that uses files of a disk, and checks the disk with the host's tools.

disk.py KIND FAT IMAGE COMMAND...
disk.py make FAT IMAGE

The second form only makes the disk. FAT is the type of the file system that mkfs.fat makes in the
disk's partition: 12, 16 or 32, or 4096 for FAT16 on a disk with blocks of 4096 bytes. KIND is
`write` or `exit` for the files that client.c writes, `full` if client.c removes all its files,
`confined` for the files of that test, or another word. Each run checks the files outside of the
clients' folders.
"""
import os
import struct
import subprocess
import sys

FIRST = 2048  # block where the partition begins
BLOCKS = {"12": 4000, "16": 32000, "32": 70000, "4096": 34000}
ENVIRONMENT = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
                            "MTOOLS_SKIP_CHECK": "1"}


def run(*command, text=None):
    """Runs a tool and returns its output."""
    return subprocess.run(command, input=text, check=True, env=ENVIRONMENT,
                          stdout=subprocess.PIPE).stdout


def make(image, fat):
    """Makes the disk."""
    blocks = BLOCKS[fat]
    kind, size = ("16", 4096) if fat == "4096" else (fat, 512)
    first = FIRST * 512 // size
    with open(image, "wb") as file:
        file.truncate((FIRST + blocks) * 512)
        file.seek(446)
        file.write(struct.pack("<BxxxBxxxII", 0, 0x0C, first, blocks * 512 // size))
        file.seek(510)
        file.write(b"\x55\xaa")
    run("mkfs.fat", "-F", kind, "-S", str(size), "-s", "1", "-i", "4e4f5641", "--offset",
        str(first), image, str(blocks // 2))
    place = f"{image}@@{FIRST * 512}"
    run("mmd", "-i", place, "::home")
    run("mcopy", "-i", place, "-", "::secret.txt", text=b"outside\n")
    run("mcopy", "-i", place, "-", "::home/in.txt", text=b"inside\n")
    run("mmd", "-i", place, "::read")
    run("mcopy", "-i", place, "-", "::read/in.txt", text=b"inside\n")
    return place


def expected(number, size):
    """Returns the data that client.c writes into the file with a number."""
    return bytes((i * 7 + number * 31 + (i >> 9)) & 0xFF for i in range(size))


def damage(image):
    """Returns the complaints of fsck.fat."""
    partition = image + ".part"
    with open(image, "rb") as disk, open(partition, "wb") as file:
        disk.seek(FIRST * 512)
        file.write(disk.read())
    fsck = subprocess.run(["fsck.fat", "-n", partition], env=ENVIRONMENT, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.unlink(partition)
    words = ("wrong", "Dirty", "Reclaim", "differ", "Truncating")
    return [fsck.stdout] if fsck.returncode or any(w in fsck.stdout for w in words) else []


def check(image, place, kind):
    """Returns a sentence about an error of the disk."""
    wrong = damage(image)
    files = {"secret.txt": b"outside\n", "read/in.txt": b"inside\n"}
    if kind == "write":
        written = {"BIG.BIN": expected(1, 100000), "stdio.txt": b"first 1\nsecond\nthird\n",
                   "cut": b"0123\0\0x", "folder/a long name of a file.data": expected(2, 5000),
                   "folder/Renamed": expected(3, 3000)}
        files |= {"home/in.txt": b"inside\n"}
        files |= {"home/out/" + name: content for name, content in written.items()}
    elif kind == "exit":
        written = {"buffered": b"in the buffer\n", "flushed": b"flushed\n", "plain": b"written\n"}
        files |= {"home/out/" + name: content for name, content in written.items()}
    elif kind == "full":
        files |= {"home/in.txt": b"inside\n"}
    elif kind == "confined":
        files |= {"home/out.txt": b"inside\n"}
    for name, content in files.items():
        if run("mtype", "-i", place, "::" + name) != content:
            wrong.append(name)
    return wrong


def main():
    """Returns the status."""
    kind, fat, image, *command = sys.argv[1:]
    place = make(image, fat)
    if kind == "make":
        return 0
    if kind in ("write", "exit", "full"):
        run("mmd", "-i", place, "::home/out")
    status = subprocess.run(command, check=False).returncode
    if status:
        return status
    wrong = check(image, place, kind)
    print("disk.py:", *(wrong or ["the disk is as expected"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
