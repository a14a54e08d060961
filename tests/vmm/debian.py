# SPDX-License-Identifier: BSD-2-Clause
"""Boots a Debian from a virtio disk under the example linux, twice, and logs in each time: the
second boot finds the data of the first one, and the discarded blocks are gone from the disk.

debian.py KERNEL BOOT ARCH IMAGE
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/boot"), str(ROOT / "sdk/lib")]
import terminal
from nova import disk, guest, process

# The serial line has a login, too; its lines may be mixed with those of this console.
LOGIN = rb"debian hvc0\s+(debian login: |[^\r\n]*debian ttyS0\s+debian login:\s+debian login: )"
PROMPT = rb"root@debian:~# $"
SECONDS = 600
# The disk has three parts after its file system. The guest discards the first part and fills the
# second one with zeroes. The third one does not change.
PART = 4 << 20
PATTERN = b"kept " * 3 + b"\n"
# Pairs of a pattern and an input. The input is typed once the pattern has appeared after the
# previous pair's pattern.
FIRST = (
    (LOGIN, b"root\r"),
    (PROMPT, b"findmnt -n -o SOURCE,FSTYPE /; echo the first boot was here > note; sync\r"),
    (rb"/dev/vda +ext4\r+\n.*" + PROMPT, b"fstrim -v /; %s\r"),
    (rb"bytes\) trimmed\r+\n.*" + PROMPT, b"seq 1 200000 > /var/many; sync; poweroff\r"),
)
SECOND = (
    (LOGIN, b"root\r"),
    (PROMPT, b"cat note; seq 1 200000 | cmp - /var/many && echo all the same\r"),
    (rb"[\r\n]the first boot was here\r+\n.*all the same\r+\n.*" + PROMPT, b"reboot\r"),
    (LOGIN, b"root\r"),  # in a new machine
    (PROMPT, b"poweroff\r"),
)
END = b"The guest ended after"


def extend(image):
    """Adds the parts to an image. Returns where they begin."""
    with open(image, "ab") as file:
        begin = file.tell()
        file.write(PATTERN * (3 * PART // len(PATTERN)))
    return begin


def compare(image, begin):
    """Returns whether the first two parts are zeroes, and the third part has not changed."""
    with open(image, "rb") as file:
        file.seek(begin)
        seen = file.read()
    kept = PATTERN * (PART // len(PATTERN))
    print(f"debian.py: bytes other than 0 after the file system: {len(seen) - seen.count(0)}")
    return seen == bytes(2 * PART) + kept


def clear(begin):
    """Returns the command that discards the first part, and fills the second one with zeroes."""
    ranges = f"-o {begin} -l {PART}", f"-z -o {begin + PART} -l {PART}"
    return " && ".join(f"blkdiscard -f {where} /dev/vda" for where in ranges).encode()


def with_command(steps, command):
    return [(text, keys.replace(b"%s", command)) for text, keys in steps]


def boot(kernel, boot_list, image, steps):
    """Returns whether all steps were done and the guest ended well."""
    keys = terminal.Steps(steps)
    modules = "disk.with_arguments(boot_list.read(sys.argv[3]), 'linux', 'root=/dev/vda')"
    machine = f"cpus=2, memory=512, extra=disk.arguments({str(image)!r})"
    seen, status = terminal.play(kernel, boot_list, modules, keys, machine, SECONDS)
    sys.stdout.write(seen.decode("utf-8", "replace"))
    print(f"\ndebian.py: status {status}, {len(keys.left)} steps left")
    return status == 0 and not keys.left and END in seen


def main(kernel, boot_list, arch, image):
    process.die_with_parent()
    shutil.copyfile(guest.file(f"{guest.PREFIX}{arch}/debian.img"), image)
    begin = extend(image)
    disk.check(image)
    first = with_command(FIRST, clear(begin))
    good = all(boot(kernel, boot_list, image, steps) for steps in (first, SECOND))
    return 0 if good and compare(image, begin) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
