#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the guest of the example linux with a disk, and checks the disk:
disk.py KIND IMAGE COMMAND...

COMMAND is the one that boots a test. KIND is `keep` (the contents, across a restart of the guest
and a second boot, and blocks that the guest discards), or `exits` (notifications and exits for each
request).
"""
import re
import subprocess
import sys

BLOCKS = 16384  # blocks of 512 bytes
# Time advances with instructions, so that a busy host does not add exits of the timer.
COUNTED = ("-icount", "shift=1")
COPY = 1024  # blocks that the guest copies, the first ones of the disk
COPY_TO = 8192
DISCARD = range(4096, 6144)  # blocks that the guest discards
DISK_LINE = re.compile(r"The disk served (\d+) requests after (\d+) notifications\.")
END_LINE = re.compile(r"The guest ended after (\d+) exits: it switched itself off\.")


class Wrong(Exception):
    """An expectation of the test was not met."""


def block(number):
    """Returns the initial content of a block: its number and a pattern."""
    return (b"block %u;" % number).ljust(512, b"%c" % (65 + number % 26))


def make(image):
    with open(image, "wb") as file:
        file.write(b"".join(map(block, range(BLOCKS))))


def run(command, image, guest, *further):
    """Runs the guest with commands. Returns what it printed."""
    text = "quiet run=" + "+".join(one.replace(" ", ",") for one in guest)
    command = [*command, f"--disk={image}", f"--arguments={text}"]
    command += [f"--qemu={word}" for word in further]
    done = subprocess.run(command, capture_output=True, check=False)
    seen = done.stdout.decode("utf-8", "replace")
    sys.stdout.write(seen + done.stderr.decode("utf-8", "replace"))
    if done.returncode:
        raise Wrong(f"status {done.returncode} instead of 0")
    return seen


def expect(text, *patterns):
    at = 0
    for pattern in patterns:
        found = re.compile(pattern, re.MULTILINE).search(text, at)
        if not found:
            raise Wrong(f"not said, or not in this order: {pattern}")
        at = found.end()


def show(number):
    return f"dd if=/dev/vda bs=512 count=1 skip={number} 2>/dev/null|tr -dc [:alnum:]"


def compare(image):
    with open(image, "rb") as file:
        after = file.read()
    if len(after) != BLOCKS * 512:
        raise Wrong(f"the disk has {len(after)} bytes now")
    for number in range(BLOCKS):
        copied = COPY_TO <= number < COPY_TO + COPY
        source = number - COPY_TO if copied else number
        wanted = b"before\n".ljust(512, b"\0") if source == 9 else block(source)
        if number in DISCARD:
            wanted = bytes(512)
        if after[512 * number:512 * number + 512] != wanted:
            raise Wrong(f"block {number} is not as the guest wrote it")


# The first run of these commands marks block 9 and restarts the guest; the second one continues.
MARK = [
    "grep -q before /dev/vda||mark=1",
    "[ $mark ]&&echo before|dd of=/dev/vda bs=512 seek=9 conv=sync 2>/dev/null",
    "sync",
    "[ $mark ]&&reboot -f",
]


def keep(command, image):
    make(image)
    seen = run(command, image, [
        show(1077),
        show(BLOCKS - 1),
        *MARK,
        show(9),
        f"dd if=/dev/vda of=/dev/vda bs=64k count={COPY // 128} seek={COPY_TO // 128} 2>/dev/null",
        f"busybox blkdiscard -o {DISCARD.start * 512} -l {len(DISCARD) * 512} /dev/vda",
        "cat /sys/block/vda/queue/discard_max_bytes /sys/block/vda/queue/write_zeroes_max_bytes",
        "sync",
        "poweroff -f",
    ])
    expect(seen, "block1077", f"block{BLOCKS - 1}", "^VM: guest linux, vCPU 0 reset the machine by",
           "block1077", "/ # before/ #", "1073741824", "1073741824",
           "^The guest ended after [0-9]+ exits: it switched itself off")
    later = [show(9), show(COPY_TO + 9), show(COPY_TO + 10), "poweroff -f"]
    seen = run(command, image, later)
    expect(seen, "/ # before/ # before/ # block10")
    compare(image)


def counts(seen):
    disk, end = DISK_LINE.search(seen), END_LINE.search(seen)
    if not disk or not end:
        raise Wrong("the counts are missing")
    return int(disk[1]), int(disk[2]), int(end[1])


def one_by_one(count, skip=0):
    skip = f" skip={skip}" if skip else ""
    return f"dd if=/dev/vda of=/dev/null bs=4k iflag=direct count={count}{skip} 2>/dev/null"


def exits(command, image):
    """Checks the numbers of notifications and exits for each request. An idle device needs a
    notification for each request. A busy device finds requests by itself: the disk is slow, so one
    of 8 readers always waits for it. While the device is busy, the guest sleeps between completions
    and its timer causes further exits, so the limit of exits is higher."""
    make(image)
    reader = one_by_one(40, "$(($i*250))")
    side = f"(for i in 0 1 2 3 4 5 6 7;do {reader}& done;wait)"
    slow = ("-set", "drive.nova-disk.throttling.iops-total=50")
    bounds = (
        ("one by one", 2000, one_by_one(2000), COUNTED, 1.01, 6),
        ("8 at once", 320, side, (*slow, *COUNTED), 0.25, 14),
    )
    for name, count, reads, further, most_notifications, most_exits in bounds:
        none = counts(run(command, image, ["poweroff -f"], *further))
        seen = counts(run(command, image, [reads, "poweroff -f"], *further))
        requests, notified, exited = (seen[i] - none[i] for i in range(3))
        if requests < count:
            raise Wrong(f"{name}: only {requests} requests were counted")
        print(f"{name}: {requests} requests, {notified / requests:.3f} notifications and "
              f"{exited / requests:.2f} exits each")
        if notified > most_notifications * requests:
            raise Wrong(f"{name}: more than {most_notifications} notifications for a request")
        if exited > most_exits * requests:
            raise Wrong(f"{name}: more than {most_exits} exits for a request")


def main():
    kind, image, *command = sys.argv[1:]
    try:
        {"keep": keep, "exits": exits}[kind](command, image)
    except Wrong as wrong:
        print(f"disk.py: {wrong}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
