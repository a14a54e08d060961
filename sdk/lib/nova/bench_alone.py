# SPDX-License-Identifier: BSD-2-Clause
"""Boots the kernel of the guests on QEMU without NOVA, for the counts that compare with it."""

import subprocess

from nova import guest, qemu
from nova.errors import EXIT_FAILED, NovaError

ARCH = "x86_64"
# The command line of the kernel, with and without NOVA.
WORDS = "console=ttyS0 reboot=k panic=-1 no_timer_check tsc=reliable"


def boot(what, words, initrd, memory, timeout, extra, cpu="qemu64"):
    """Boots the kernel with WORDS in its command line and MEMORY in MiB until it ends. Returns what
    it printed."""
    command = [qemu.PROGRAM, "-machine", "q35", "-accel", "tcg", "-cpu", cpu, "-smp", "1"]
    command += ["-m", str(memory), "-display", "none", "-nic", "none", "-no-reboot"]
    command += ["-serial", "stdio", "-monitor", "none", *extra]
    command += ["-kernel", guest.file(f"{guest.PREFIX}{ARCH}/vmlinuz"), "-initrd", str(initrd)]
    command += ["-append", f"{WORDS} {words}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NovaError(f"{what} took longer than {timeout} s.", EXIT_FAILED) from error
    return (done.stdout + done.stderr).decode("utf-8", "replace")
