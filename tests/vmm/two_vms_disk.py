# SPDX-License-Identifier: BSD-2-Clause
"""Boots the example two-vms with a disk, twice: each guest can access only its own partition, and
the disk keeps what the guests write. In the first boot each guest restarts once, in a new machine.

two_vms_disk.py KERNEL BOOT IMAGE
"""

import re
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))
import terminal

BLOCKS = 16384  # number of blocks of 512 bytes
PARTITIONS = {"left": (64, 4096), "right": (8192, 2048)}  # first block, number of blocks
PROMPT = rb"/ # [^\n]*$"
END = rb"\r\r\n"  # QEMU's terminal adds a carriage return
SHOWN = rb"\n(left|right) has (\w+), (\d+) blocks" + END
LOOK = (
    b"echo $who has $(dd if=/dev/vda bs=512 count=1 2>/dev/null|tr -dc [:alnum:]), "
    b"$(cat /sys/block/vda/size) blocks; echo of $who|dd of=/dev/vda bs=512 conv=sync 2>/dev/null; "
    b"sync; %s -f\r"
)
REBOOT, OFF = LOOK % b"reboot", LOOK % b"poweroff"
# After the end of one guest, the screen shows the other guest.
OTHER = SHOWN + rb".*--- (?:left|right) .*" + PROMPT


def block(number):
    """Returns the initial content of a block."""
    return (b"block %u;" % number).ljust(512, b"%c" % (65 + number % 26))


def make(image):
    """Makes a disk with two partitions, whose first blocks have the guests' names."""
    blocks = [block(i) for i in range(BLOCKS)]
    rows = b"".join(struct.pack("<BxxxBxxxII", 0, 0x83, *PARTITIONS[name])
                    for name in ("left", "right"))
    blocks[0] = bytes(446) + rows + bytes(32) + b"\x55\xaa"
    for name, (first, _) in PARTITIONS.items():
        blocks[first] = (b"new " + name.encode()).ljust(512, b"\0")
    Path(image).write_bytes(b"".join(blocks))
    return blocks


def boot(kernel, boot_list, image, restarts):
    """Runs both guests, which look at their disks and may restart once. Returns what each guest
    found at each look, the status, and the text of the console."""
    again = [(SHOWN + rb".*" + PROMPT, OFF)] if restarts else []
    first = REBOOT if restarts else OFF
    steps = [(PROMPT, first), *again, (OTHER, first), *again]
    machine = f"cpus=2, memory=448, extra=disk.arguments({image!r})"
    seen, status = terminal.play(
        kernel, boot_list, "boot_list.read(sys.argv[3])", terminal.Steps(steps), machine
    )
    found = {}
    for match in re.finditer(SHOWN, seen):
        found.setdefault(match[1].decode(), []).append((match[2].decode(), int(match[3])))
    return found, status, seen.decode("utf-8", "replace")


def main(kernel, boot_list, image):
    """Returns the status."""
    blocks = make(image)
    wrong = []
    for words in (("new", "of"), ("of",)):
        found, status, seen = boot(kernel, boot_list, image, len(words) > 1)
        wanted = {name: [(word + name, count) for word in words]
                  for name, (_, count) in PARTITIONS.items()}
        print(f"status {status}, found {found}")
        if status or found != wanted:
            sys.stdout.write(seen)
            return 1
    for name, (first, _) in PARTITIONS.items():
        blocks[first] = (b"of " + name.encode() + b"\n").ljust(512, b"\0")
    after = Path(image).read_bytes()
    for number in range(BLOCKS):
        if after[512 * number:512 * number + 512] != blocks[number]:
            wrong.append(number)
    print(f"blocks with unexpected content: {wrong[:10]}")
    return 1 if wrong or len(after) != BLOCKS * 512 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
