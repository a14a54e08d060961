# SPDX-License-Identifier: BSD-2-Clause
"""Checks that includes and calls of the kernel go from higher folders to lower ones, that a file
includes its own header first, and that only the folders of a width test the width of words in the
preprocessor.

Every folder has its place in FOLDERS: it may include headers of its own and of earlier folders.
UPWARD lists the permitted upward includes, each with a reason, so that folders form no cycle that
is not listed. An include names its file below the kernel's folder, in quotes and without `..`.

A call also goes upward if a higher folder defines the function, no matter which header declares it.
In C it is permitted if a header of UPWARD declares the function, or if UPWARD_CALLS has it; in
assembly, where each mention of a function counts, only by UPWARD_CALLS. A source file must not
declare a symbol that another source file defines; symbols of assembly and linker scripts are
exempt. Continuations are called through pointers and are exempt.
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
        "page tables, FPU states and CPU blocks are made of frames; predictors belong to accounts",
        ("memory/account.h", "memory/frame.h"),
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
    "boot_main": "start.S prepares paging and a stack, then begins the boot in C",
    "ap_main": "as boot_main, for the other CPUs",
    "call_donating": "the CPU enters in arch; the entry code of CALL has one fast path",
    "hypercall_reply": "as call_donating, for REPLY",
    "hypercall_long": "the entry code calls the hypercalls that may switch ECs",
    "hypercall_finish": "the entry code leaves the fast way out when a result needs a decision",
    "trap_dispatch": "the entry code of exceptions and interrupts",
    "trap_in_kernel": "as trap_dispatch, when the kernel was interrupted",
    "trap_fatal": "as trap_dispatch, for NMI, double fault and machine check",
}

INCLUDE = re.compile(r'\s*[#.]\s*include\s+"([^"]+)"')
ANY_INCLUDE = re.compile(r"\s*(?:#\s*(?:include\w*|import)\b|\.include\b)\s*(.*)")
DEFINITION = re.compile(r"^([A-Za-z_][^;{}=#]*?)\b(\w+)\([^;{}]*\)\s*\n\{", re.MULTILINE)
PROTOTYPE = re.compile(
    r"^(?!static|typedef|_Static_assert)(?:\w+[\s*]+)+(\w+)\([^;{}]*\)\s*;", re.MULTILINE
)
EXTERN = re.compile(r"\bextern\b([^;{}]*);")
OBJECT = re.compile(r"(\w+)\s*(?:\[[^\]]*\]|\([^()]*\))*\s*(?:,|$)")
GLOBAL = re.compile(r"\.globl\s+(.*)")
OF_LINKER = re.compile(r"\b(\w+)\s*=\s*[^=;]*;")
CALL = re.compile(r"(?<![.>])\b(\w+)\)?\(")
STRING = re.compile(r'"[^"\n]*"')
ASSEMBLY = (".S", ".inc")
WIDTH = re.compile(
    r"^\s*#\s*(?:el)?if.*\b"
    r"(?:__SIZEOF_\w+|__x86_64__|__i386__|__LP64__|\w+_WORD_BITS|U?INTPTR_MAX)\b"
)
NOISE = re.compile(r"/\*.*?\*/|__attribute__\(\([^;{}]*?\)\)+", re.DOTALL)


def includes(text):
    return [match.group(1) for match in map(INCLUDE.match, text.splitlines()) if match]


def check_forms(name, text, known):
    """Returns complaints about includes whose folder the other checks could not read. known: the
    names of the kernel's files."""
    found = []
    for match in filter(None, map(ANY_INCLUDE.match, NOISE.sub("", text).splitlines())):
        line, what = match.group(0).strip(), match.group(1)
        header = what.strip('"<> ')
        if not INCLUDE.match(line) and not re.match(r"#\s*include\s*<", line):
            found.append(f"{SOURCE}/{name}: '{line}' does not include a file by its name")
        elif ".." in header.split("/"):
            found.append(f"{SOURCE}/{name}: '{line}' leaves its folder by '..'")
        elif what.startswith("<") and (header.split("/")[0] in PLACE or header in known):
            found.append(f"{SOURCE}/{name}: '{line}' includes a file of the kernel without quotes")
    return found


def check_own(name, text, has_header):
    """Returns a complaint if a source file (`ipc/call.c`) does not include its own header first."""
    own = name[:-2] + ".h"
    first = includes(text)[:1]
    if name.endswith(".c") and has_header and first not in ([own], [own.split("/")[-1]]):
        return [f"{SOURCE}/{name}: does not include its own header {own} first"]
    return []


def check_width(name, text):
    """Returns complaints about conditions on the width outside of the folders of the widths."""
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
                found.append(f"{SOURCE}/{name}: includes {header}, which is in a later folder")
    for (here, there), (_, headers) in upward.items():
        found += [
            f"UPWARD: no file of {here} includes {header} any more"
            for header in headers
            if (here, there, header) not in used
        ]
    return found


def definitions(files):
    """Returns the files that define each function which other files can call."""
    found = {}
    for name, text in files.items():
        if name.endswith(ASSEMBLY):
            names = [label for line in GLOBAL.findall(text) for label in re.findall(r"\w+", line)]
        else:
            names = [
                function
                for head, function in DEFINITION.findall(NOISE.sub("", text))
                if name.endswith(".h") or "static" not in head.split()
            ]
        for function in names:
            found.setdefault(function, set()).add(name)
    return found


def called(name, text):
    """Returns the names that a file may call: in assembly, all words."""
    text = PROTOTYPE.sub("", STRING.sub("", NOISE.sub("", text)))
    return set(re.findall(r"\w+", text) if name.endswith(ASSEMBLY) else CALL.findall(text))


def declares(header, function, files):
    """Returns whether the file that an entry of UPWARD names declares a function."""
    word = re.compile(rf"\b{function}\(")
    return any(
        word.search(text)
        for name, text in files.items()
        if name == header or "/" not in header and name.endswith("/" + header)
    )


def check_calls(files, allowed, upward):
    """Returns complaints about functions that a lower folder declares or calls, but a higher folder
    defines."""
    found, used = [], set()

    def complain(function, complaint):
        used.add(function)
        if function not in allowed:
            found.append(f"{SOURCE}/{complaint}")

    defined = definitions(files)
    declared = {}
    for name, text in files.items():
        if name.endswith(".h"):
            for function in PROTOTYPE.findall(NOISE.sub("", text)):
                declared.setdefault(function, set()).add(name.split("/")[0])
    for function, owners in sorted(defined.items()):
        place = min(PLACE[owner.split("/")[0]] for owner in owners)
        owner = min(owners)
        folders = declared.get(function)
        if owner.endswith(".c") and folders and max(PLACE[one] for one in folders) < place:
            complain(function, f"{owner}: defines {function}, which a lower folder declares")
    for name, text in sorted(files.items()):
        here = name.split("/")[0]
        for function in sorted(called(name, text) & defined.keys()):
            owner = min(defined[function])
            there = min((one.split("/")[0] for one in defined[function]), key=PLACE.get)
            headers = () if name.endswith(ASSEMBLY) else upward.get((here, there), ("", ()))[1]
            if PLACE[there] > PLACE[here] and not any(
                declares(header, function, files) for header in headers
            ):
                complain(function, f"{name}: calls {function}, which {owner} defines")
    return found + [f"UPWARD_CALLS: {name} is not needed" for name in allowed if name not in used]


def check_declarations(files):
    """Returns complaints about source files that declare symbols of other source files."""
    of_assembly = set()
    for name, text in files.items():
        if name.endswith((*ASSEMBLY, ".ld")):
            of_assembly |= {word for line in GLOBAL.findall(text) for word in line.split(", ")}
            of_assembly |= set(OF_LINKER.findall(text))
    found = []
    for name, text in sorted(files.items()):
        if not name.endswith(".c"):
            continue
        text = NOISE.sub("", text)
        own = of_assembly | {function for _, function in DEFINITION.findall(text)}
        names = set(PROTOTYPE.findall(text))
        for line in EXTERN.findall(text):
            names.update(OBJECT.findall(line))
        found += [
            f"{SOURCE}/{name}: declares {one}; include the header of the file that defines it"
            for one in sorted(names - own)
        ]
    return found


def check(root, _scratch):
    folder = root / SOURCE
    names = [str(name) for name in sources.find(folder, (".c", ".h", ".ld", *ASSEMBLY))]
    files = {name: (folder / name).read_text(encoding="utf-8") for name in names}
    folder_of = {
        name.split("/")[-1]: name.split("/")[0]
        for name in names
        if name.rsplit("/", 1)[0] in WIDTHS
    }
    found = []
    for name, text in files.items():
        found += check_own(name, text, name[:-2] + ".h" in files) + check_width(name, text)
        found += check_forms(name, text, files)
    found += check_arrows(files, folder_of, UPWARD) + check_declarations(files)
    return len(names), found + check_calls(files, UPWARD_CALLS, UPWARD)


if __name__ == "__main__":
    sources.main(check)
