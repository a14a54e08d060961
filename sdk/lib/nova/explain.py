# SPDX-License-Identifier: BSD-2-Clause
"""Explains the kernel's line about a roottask's end, and extracts messages from the output of build
tools."""

import re
import subprocess

from nova.errors import meant

LINE = re.compile(rb"event 0x([0-9a-f]+) at 0x([0-9a-f]+), address 0x([0-9a-f]+)")
# A sentence of NovaArguments.cmake, and the lines of the calls, the innermost one first.
CONFIGURING = re.compile(
    r"^CMake Error at [^\n]*\(message\):\n((?:  [^\n]*\n)+)(?:\n)*"
    r"Call Stack [^\n]*\n((?:  [^\n]*\n)+)",
    re.MULTILINE,
)
CALL = re.compile(r"^  (.+?):(\d+|DEFERRED)(?: \(.*)?$", re.MULTILINE)
OWN_FILE = re.compile(r"(^|/)Nova\w+\.cmake(:\d+:EVAL)?$")
# A sentence that begins with the place of the mistake.
PLACED = re.compile(r"(.+?:\d+|\S+): (nova_\w+\(.*)")
UNKNOWN_FUNCTION = re.compile(
    r"^CMake Error at (\S+:\d+) \((nova_\w+)\):\n  Unknown CMake command", re.MULTILINE
)
# The reason for which NovaConfig.cmake refuses a project.
REFUSED = re.compile(
    r"^CMake Error at (\S+:\d+) \(find_package\):\n(?:  [^\n]*\n|\n)*?"
    r"  [^\n]*Reason given by package:\n\n((?:  [^\n]*\n)+)",
    re.MULTILINE,
)
FUNCTIONS = ("nova_add_program", "nova_add_roottask", "nova_add_secure_guest", "nova_add_system",
             "nova_add_boot_test")
# Ninja's lines: a step; and before the output of a failed step, its file and its command.
STEP = re.compile(r"^\[\d+/\d+\] [^\n]*\n(?=\[\d+/\d+\] |ninja: |\Z)", re.MULTILINE)
FAILED = re.compile(r"^FAILED: [^\n]*\n[^\n]*\n", re.MULTILINE)
STOPPED = re.compile(r"^ninja: build stopped: [^\n]*\n", re.MULTILINE)
UNDEFINED = re.compile(r"undefined reference to [`'](\w+)'")
# Remedies for undefined names that are in no library.
BEGINNINGS = {
    "main": "a program with the runtime begins in main(), which is missing.",
    "nova_main": "a roottask begins in nova_main(), which is missing; with RUNTIME it is main().",
}
LIBRARIES = {
    "novavmm": "add LINK Nova::novavmm.",
    "novart": "it belongs to the runtime: use RUNTIME or nova_add_program.",
    "nova": "it belongs to libnova, which NO_LIBNOVA omits.",
}
HANDLER_ENDED = "had a handler that has ended"  # part of the kernel's line
PAGE_FAULT = 14
PROTECTION = 13
STARTUP = 30
BREAKPOINT, OVERFLOW = 3, 4
TRAPS = BREAKPOINT, OVERFLOW  # events whose IP is the address after the instruction
# Specification 7.2.
EVENTS = {
    0: "#DE, a division by zero or a quotient that does not fit",
    1: "#DB, a debug event",
    BREAKPOINT: "#BP, a breakpoint",
    OVERFLOW: "#OF, an overflow",
    5: "#BR, an exceeded bound",
    6: "#UD, an instruction that the CPU does not know",
    7: "#NM, floating point that is not available",
    11: "#NP, a segment that is not present",
    12: "#SS, a bad stack segment or address",
    PROTECTION: "#GP, an instruction or address that the thread may not use",
    PAGE_FAULT: "#PF, a page fault",
    16: "#MF, a floating-point error",
    17: "#AC, an address that is not aligned",
    19: "#XM, a vector floating-point error",
    STARTUP: "STARTUP",
    31: "RECALL",
}


def places(program, addresses):
    """Returns (function, file and line) of each address, "" for unknown parts."""
    if not addresses:
        return []  # without any, addr2line would read addresses from the standard input
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


def shut_down(line, program, subject="the roottask's first thread"):
    """Returns a sentence for the LINE that reports the end of a thread. PROGRAM, its file, may be
    None."""
    match = LINE.search(line)
    if not match:
        return f"{subject} was shut down; see the kernel's line for the reason."
    number, ip, address = (int(group, 16) for group in match.groups())
    at = ip - (number in TRAPS)
    ((function, source),) = places(program, [at]) if program else [("", "")]
    text = f"{subject} was shut down: " + EVENTS.get(number, f"event {number:#x}")
    text += f", at {ip:#x}" if ip or number != STARTUP else ", before its first instruction"
    text += f" in {function}()" if function else ""
    text += f", {source}" if source else ""
    text += f", for address {address:#x}" if number == PAGE_FAULT else ""
    if function == "nova_exit" and number == PROTECTION:
        text += "; it tried to end the system without requesting I/O port 0xf4, as"
        return text + " nova_console_init() does."
    if HANDLER_ENDED.encode() in line:
        return text + "; the thread that handled this event has ended."
    return text + "; no portal handles this event."


def _calling(stack):
    """Returns the innermost place in CMake's STACK that is not in the SDK."""
    calls = CALL.findall(stack)
    file, line = next((call for call in calls if not OWN_FILE.search(call[0])), calls[-1])
    return f"{file}:{line}" if line.isdigit() else file


def configuring(output):
    """Returns the sentences about a project's description in CMake's output, or all of the output
    if there are none."""
    found = ""
    for text, stack in CONFIGURING.findall(output):
        sentence = " ".join(text.split())
        if PLACED.fullmatch(sentence):
            found += f"{sentence}\n"
        elif sentence.startswith("nova_"):
            found += f"{_calling(stack)}: {sentence}\n"
    for place, text in REFUSED.findall(output):
        found += f"{place}: {' '.join(text.split())}\n"
    for place, function in UNKNOWN_FUNCTION.findall(output):
        found += f"{place}: there is no function '{function}'.{meant(function, FUNCTIONS)}\n"
    return found or output


def building(output):
    """Returns the output of the compilers and other tools of a failed build, without Ninja's
    lines."""
    for pattern in (FAILED, STEP, STOPPED):
        output = pattern.sub("", output)
    return output


def _defines(library):
    """Returns the names that a static library defines."""
    command = ["nm", "-g", "--defined-only", "-f", "posix", str(library)]
    try:
        text = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
        ).stdout
    except OSError:
        return set()
    return {line.split(" ", 1)[0] for line in text.splitlines()}


def undefined(output, folder):
    """Returns a sentence about a name that the linker did not find, or None. FOLDER has the SDK's
    libraries."""
    names = sorted(set(UNDEFINED.findall(output)))
    for name in names:
        if name in BEGINNINGS:
            return BEGINNINGS[name]
    for library, remedy in LIBRARIES.items():
        there = _defines(folder / f"lib{library}.a") if names else ()
        for name in names:
            if name in there:
                return f"the linker does not find {name}(): {remedy}"
    return None
