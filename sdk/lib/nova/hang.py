# SPDX-License-Identifier: BSD-2-Clause
"""Examines a machine that reached its time limit: the registers and local APICs of all CPUs, and
on request the memory. A hang that occurs once in thousands of boots leaves no other evidence."""

import os
import re
import time
from pathlib import Path

from nova import explain
from nova.runner import Runner

# Seconds for all answers of QEMU's monitor. CTest ends a boot test 15 seconds after its limit.
ANSWER_SECONDS = 10.0
# The environment variable that names the folder for the memory of machines that hang.
MEMORY = "NOVA_HANG_MEMORY"
SAMPLES = 3  # samples of the registers: equal ones show CPUs that stand still
CPU = re.compile(r"^CPU#(\d+)", re.MULTILINE)
IP = re.compile(r"\b[RE]IP=([0-9a-f]+)")
LONG_LISTS = re.compile(r"^(FCW|FPR|[XYZ]MM|Opmask)[^\n]*\n?", re.MULTILINE)
KERNEL_FROM = {"x86_32": 0xC0000000, "x86_64": 0xFFFFFFFF80000000}
LOW = 0xFFFFFFFF  # nova.elf32 has the lower halves of the kernel's addresses


def _memory_file(name):
    """Returns the file for the memory of the machine of the test NAME, None without a folder."""
    folder = os.environ.get(MEMORY)
    return Path(folder).absolute() / f"{name.replace(os.sep, '-')}.memory" if folder else None


def _functions(kernel, arch, registers):
    """Returns a line for each CPU in the text REGISTERS that executes code of the KERNEL."""
    pieces = CPU.split(registers)[1:]
    ips = [(number, IP.search(text)) for number, text in zip(pieces[::2], pieces[1::2])]
    known = [(number, int(ip[1], 16)) for number, ip in ips if ip]
    known = [(number, ip) for number, ip in known if ip >= KERNEL_FROM[arch]]
    places = explain.places(kernel, [ip & LOW for _, ip in known])
    return [
        f"CPU {number} is in the kernel, at {ip:#x} in {function or '?'}(), {source or '?'}"
        for (number, ip), (function, source) in zip(known, places)
    ]


class HangRunner(Runner):
    """A run of the test NAME on a machine for ARCH. At the time limit, it asks QEMU's monitor about
    the machine. `answers` has the answers in the order of the questions."""

    def __init__(self, machine, timeout, arch, name):
        super().__init__(machine, timeout)
        self.arch = arch
        self.questions = ["info registers -a"] * SAMPLES
        self.questions += [f"info lapic {number}" for number in range(machine.cpus)]
        memory = _memory_file(name)
        if memory:
            self.questions.append(f"dump-guest-memory {memory}")
        self.answers = []
        self.asked = False
        self.printed = 0  # bytes of the console at the time limit

    def at_limit(self):
        """Asks the questions, and lets the run continue until their answers have arrived."""
        if self.asked:
            return False
        self.asked, self.printed = True, len(self.console)
        self.deadline = time.monotonic() + ANSWER_SECONDS
        for question in self.questions:
            self.ask(question)
        return True

    def answer(self, text):
        self.answers.append(text.replace("\r", ""))
        if len(self.answers) == len(self.questions):
            self.deadline = time.monotonic()

    def report(self):
        if not self.asked:
            return ""
        lines = [f"{len(self.console) - self.printed} bytes of output came after the limit."]
        for question, text in zip(self.questions, self.answers):
            lines.append(f"-- {question}\n{LONG_LISTS.sub('', text).strip()}")
            lines += _functions(self.machine.kernel, self.arch, text)
        missing = len(self.questions) - len(self.answers)
        if missing:
            lines.append(
                f"QEMU's monitor did not answer {missing} of {len(self.questions)} questions "
                f"within {ANSWER_SECONDS:g} s."
            )
        return "\n".join(lines)
