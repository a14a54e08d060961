# SPDX-License-Identifier: BSD-2-Clause
"""Checks that object files use no FPU registers: fpu.py OBJDUMP MINIMUM FILE [FILE ...]. The check
fails if there are fewer than MINIMUM files, so that it cannot pass without files."""

import re
import subprocess
import sys

HEAD = re.compile(r"^[0-9a-f]+ <(.+)>:$")
REGISTER = re.compile(r"%(?:[xyz]?mm\d|st\b)")


def users(text):
    """Returns the functions of a disassembly that have an instruction with an FPU register."""
    name, found = "", []
    for line in text.splitlines():
        head = HEAD.match(line)
        if head:
            name = head.group(1)
        elif REGISTER.search(line) and name not in found:
            found.append(name)
    return found


def main(objdump, minimum, files):
    bad = 0
    for file in files:
        command = [objdump, "-d", "--no-show-raw-insn", file]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for name in users(text):
            bad += 1
            print(f"{file}: {name}() uses the FPU")
    print(f"{len(files)} files, {bad} functions that use the FPU")
    return 1 if bad or len(files) < minimum else 0


if __name__ == "__main__":
    assert users("0 <f>:\n   0: movups (%rsi),%xmm0\n1 <g>:\n   1: mov %rax,%rbx\n") == ["f"]
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
