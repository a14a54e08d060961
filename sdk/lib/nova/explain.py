# SPDX-License-Identifier: BSD-2-Clause
"""Says in people's words what the kernel's line on a roottask's end says in numbers, and what CMake
wraps into words of its own."""

import re
import subprocess

LINE = re.compile(rb"event 0x([0-9a-f]+) at 0x([0-9a-f]+), address 0x([0-9a-f]+)")
# A sentence of NovaArguments.cmake, and the line that called the function.
CONFIGURING = re.compile(
    r"^CMake Error at [^\n]*\(message\):\n((?:  [^\n]*\n)+)(?:\n)*"
    r"Call Stack [^\n]*\n(?:  [^\n]*\n)*?  ([^\n]+?):(\d+|DEFERRED)(?: \([^\n]*)?\n(?!  )",
    re.MULTILINE,
)
PAGE_FAULT = 14
PROTECTION = 13
# Specification 7.2.
EVENTS = {
    0: "#DE, a division by zero or a quotient that does not fit",
    1: "#DB, a debug event",
    3: "#BP, a breakpoint",
    4: "#OF, an overflow",
    5: "#BR, a bound that was exceeded",
    6: "#UD, an instruction that the CPU does not know",
    7: "#NM, floating point that is not there",
    11: "#NP, a segment that is not present",
    12: "#SS, a bad stack segment or address",
    PROTECTION: "#GP, an instruction or address that the thread may not use",
    PAGE_FAULT: "#PF, a page fault",
    16: "#MF, a floating-point error",
    17: "#AC, an address that is not aligned",
    19: "#XM, a vector floating-point error",
    30: "STARTUP",
    31: "RECALL",
}


def places(program, addresses):
    """(function, file and line) of each address, "" for what is not known."""
    try:
        found = subprocess.run(
            ["addr2line", "-f", "-s", "-e", str(program), *(f"{one:#x}" for one in addresses)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
        ).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        found = []
    words = [word.partition(" (discriminator")[0] if "?" not in word else "" for word in found]
    words += [""] * (2 * len(addresses) - len(words))
    return list(zip(words[::2], words[1::2]))


def shut_down(line, program):
    """A sentence for the LINE that tells the end of the first thread of PROGRAM."""
    match = LINE.search(line)
    if not match:
        return "the roottask's first thread was shut down; the kernel's line says why."
    number, ip, address = (int(group, 16) for group in match.groups())
    ((function, source),) = places(program, [ip])
    text = "the roottask's first thread was shut down: "
    text += EVENTS.get(number, f"event {number:#x}") + f", at {ip:#x}"
    text += f" in {function}()" if function else ""
    text += f", {source}" if source else ""
    text += f", for address {address:#x}" if number == PAGE_FAULT else ""
    if function == "nova_exit" and number == PROTECTION:
        text += "; it wanted to end the system, but never asked for I/O port 0xf4, as"
        return text + " nova_console_init() does."
    return text + "; no portal handles this event."


def configuring(output):
    """The sentences about a project's description in what CMake says, all of it if it has none."""
    found = ""
    for text, file, line in CONFIGURING.findall(output):
        sentence = " ".join(text.split())
        if sentence.startswith("nova_"):
            place = f"{file}:{line}" if line.isdigit() else file
            found += f"{place}: {sentence}\n"
    return found or output
