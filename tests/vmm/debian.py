# SPDX-License-Identifier: BSD-2-Clause
"""Boots a Debian from a virtio disk under the example linux, twice, and logs in each time: the
second boot finds what the first one wrote.

debian.py KERNEL BOOT ARCH IMAGE
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/boot"), str(ROOT / "sdk/lib")]
import terminal
from nova import disk, guest, process

LOGIN = rb"debian hvc0\s+debian login: "  # there is one on the serial line, too
PROMPT = rb"root@debian:~# $"
SECONDS = 600
# What is typed once this text has appeared after that of the step before.
FIRST = (
    (LOGIN, b"root\r"),
    (PROMPT, b"findmnt -n -o SOURCE,FSTYPE /; echo the first boot was here > note; sync\r"),
    (rb"/dev/vda +ext4\r+\n.*" + PROMPT, b"seq 1 200000 > /var/many; sync; poweroff\r"),
)
SECOND = (
    (LOGIN, b"root\r"),
    (PROMPT, b"cat note; seq 1 200000 | cmp - /var/many && echo all the same\r"),
    (rb"[\r\n]the first boot was here\r+\n.*all the same\r+\n.*" + PROMPT, b"reboot\r"),
    (LOGIN, b"root\r"),  # in a new machine
    (PROMPT, b"poweroff\r"),
)
END = b"The guest ended after"


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
    disk.check(image)
    return 0 if all(boot(kernel, boot_list, image, steps) for steps in (FIRST, SECOND)) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
