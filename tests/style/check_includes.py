# SPDX-License-Identifier: BSD-2-Clause
"""Checks that includes and calls of the kernel go from higher folders to lower ones, and that a
file includes its own header first, and that only the folders of a width ask the preprocessor how
wide words are.

Every folder has its place in FOLDERS: it may include headers of its own and of earlier folders.
UPWARD lists the permitted upward includes, each with a reason, so that folders form no cycle that
is not listed. A call needs a declaration. If a lower folder declares a function and a higher one
defines it, calls go upward although no include shows it: this is refused unless UPWARD_CALLS has
it. Continuations are called through pointers and need no declaration.
"""

import re

import sources

SOURCE = "hypervisor/src"
FOLDERS = (
    "lib",
    "arch",
    "memory",
    "space",
    "object",
    "sched",
    "ipc",
    "virt",
    "firmware",
    "device",
    "trap",
    "hypercall",
    "boot",
)
PLACE = {folder: number for number, folder in enumerate(FOLDERS)}
# Headers that each architecture has under one name, included without their folder.
WIDTHS = ("arch/x86_64", "arch/x86_32", "virt/x86_64", "virt/x86_32")
# (folder, folder above it): the reason, and the headers.
UPWARD = {
    ("lib", "arch"): (
        "single instructions; the checks of locks ask which CPU they run on",
        ("arch/x86/insn.h", "arch/x86/cpu.h", "arch/x86/msr.h", "divide.h"),
    ),
    ("arch", "memory"): (
        "page tables, FPU states and CPU blocks are made of frames",
        ("memory/frame.h",),
    ),
    ("arch", "space"): ("a TLB flush includes that of the I/O MMUs", ("space/second_level.h",)),
    ("arch", "object"): (
        "entries and exits save and load the registers of ECs, in the address spaces of PDs",
        (
            "object/ec.h",
            "object/pd.h",
            "object/pt.h",
            "object/result.h",
        ),
    ),
    ("arch", "sched"): (
        "entries and exits serve the current CPU and its pending work; a TLB flush waits for mail",
        (
            "sched/cpu.h",
            "sched/mail.h",
            "sched/pending.h",
            "sched/schedule.h",
            "sched/wake.h",
        ),
    ),
    ("arch", "ipc"): ("recalls become events on the way out", ("ipc/event.h",)),
    ("arch", "virt"): ("a switch of ECs leaves a virtual CPU", ("virt/vcpu.h",)),
    ("space", "object"): (
        "a capability names an object, and a space belongs to a PD",
        ("object/object.h", "object/pd.h", "object/reclaim.h"),
    ),
    ("object", "sched"): (
        "ECs and SCs leave queues when they end, and embed their mail",
        ("sched/cpu.h", "sched/mail.h", "sched/schedule.h", "sched/timeout.h", "sched/wake.h"),
    ),
    ("ipc", "virt"): ("the state of a virtual CPU goes by message", ("virt/vcpu.h",)),
}
# Function: the reason why a higher folder defines a function that a lower one declares.
UPWARD_CALLS = {
    "kernel_stop": "all folders can stop the kernel; it stops the other CPUs by NMI",
    "kernel_stop_exception": "as kernel_stop",
}

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
DEFINITION = re.compile(r"^[A-Za-z_][^;{}=#]*?\b(\w+)\([^;{}]*\)\s*\n\{", re.MULTILINE)
DECLARATION = re.compile(r"\b(\w+)\([^;{}]*\)\s*;")
WIDTH = re.compile(
    r"^\s*#\s*(?:el)?if.*\b"
    r"(?:__SIZEOF_\w+|__x86_64__|__i386__|__LP64__|\w+_WORD_BITS|U?INTPTR_MAX)\b"
)
NOISE = re.compile(r"/\*.*?\*/|__attribute__\(\([^;{}]*?\)\)+", re.DOTALL)


def includes(text):
    return [match.group(1) for match in map(INCLUDE.match, text.splitlines()) if match]


def check_own(name, text, has_header):
    """Returns a complaint if a source file (`ipc/call.c`) does not include its own header first."""
    own = name[:-2] + ".h"
    first = includes(text)[:1]
    if name.endswith(".c") and has_header and first not in ([own], [own.split("/")[-1]]):
        return [f"{SOURCE}/{name}: does not include its own header {own} first"]
    return []


def check_width(name, text):
    """Complaints about conditions on the width outside the folders of the widths."""
    if name.rsplit("/", 1)[0] in WIDTHS:
        return []
    return [
        f"{SOURCE}/{name}:{number}: '{line.strip()}' asks for the width outside {', '.join(WIDTHS)}"
        for number, line in enumerate(text.splitlines(), start=1)
        if WIDTH.match(line)
    ]


def arrows(name, text, folder_of):
    """Yields (folder, folder above it, header) of each include that goes upward. folder_of: the
    folder of a header that is included without one."""
    here = name.split("/")[0]
    for header in includes(text):
        there = header.split("/")[0] if "/" in header else folder_of.get(header, here)
        if there in PLACE and PLACE[there] > PLACE[here]:
            yield here, there, header


def check_arrows(files, folder_of, upward):
    """Returns complaints about upward includes that are not in the list, and about entries of the
    list that no file needs. files: text by name."""
    found, used = [], set()
    for name, text in sorted(files.items()):
        if name.split("/")[0] not in PLACE:
            found.append(f"{SOURCE}/{name}: its folder has no place in FOLDERS")
            continue
        for here, there, header in arrows(name, text, folder_of):
            if header in upward.get((here, there), ("", ()))[1]:
                used.add((here, there, header))
            else:
                found.append(f"{SOURCE}/{name}: includes {header}, which stands above it")
    for (here, there), (_, headers) in upward.items():
        found += [
            f"UPWARD: no file of {here} includes {header} any more"
            for header in headers
            if (here, there, header) not in used
        ]
    return found


def check_calls(files, allowed):
    """Returns complaints about functions that a folder defines and only a lower folder declares."""
    declared = {}
    for name, text in files.items():
        if name.endswith(".h"):
            for function in DECLARATION.findall(NOISE.sub("", text)):
                declared.setdefault(function, set()).add(name.split("/")[0])
    found, used = [], set()
    for name, text in sorted(files.items()):
        here = name.split("/")[0]
        for function in DEFINITION.findall(NOISE.sub("", text)) if name.endswith(".c") else ():
            folders = declared.get(function, {here})
            if max(PLACE[folder] for folder in folders) >= PLACE[here]:
                continue
            used.add(function)
            if function not in allowed:
                found.append(f"{SOURCE}/{name}: defines {function}, which a lower folder declares")
    found += [f"UPWARD_CALLS: {name} is not needed" for name in allowed if name not in used]
    return found


def check(root, _scratch):
    folder = root / SOURCE
    names = [str(name) for name in sources.find(folder, (".c", ".h"))]
    files = {name: (folder / name).read_text(encoding="utf-8") for name in names}
    folder_of = {
        name.split("/")[-1]: name.split("/")[0]
        for name in names
        if name.rsplit("/", 1)[0] in WIDTHS
    }
    found = []
    for name, text in files.items():
        found += check_own(name, text, name[:-2] + ".h" in files) + check_width(name, text)
    return len(names), found + check_arrows(files, folder_of, UPWARD) + check_calls(
        files, UPWARD_CALLS
    )


if __name__ == "__main__":
    sources.main(check)
