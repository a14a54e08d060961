# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/manual/reference.md come from the rows of the headers, one in limits.md from
their constants. `tables.py ROOT` checks that they are up to date, `tables.py ROOT --update` writes
them again. It also checks that docs/manual/systems.md documents all that a system description can
contain.

A table stands between the comments `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk/lib"))

from nova import doc_rows  # noqa: E402

PAGE = "docs/manual/reference.md"
ABI = "hypervisor/abi/nova/abi"
HEADERS = (f"{ABI}/hypercall.h", f"{ABI}/status.h", f"{ABI}/mtd.h", f"{ABI}/event.h")
HEADERS += ("roottask/vmm/include/novavmm/exit.h",)
SYSTEMS = "docs/manual/systems.md"
DESCRIPTION = "roottask/system/description.h"
LIMITS_PAGE = "docs/manual/limits.md"
TYPES = "hypervisor/abi/nova/abi/types.h"
SERVICE = "roottask/src/service/service.c"
PROTOCOL = "roottask/include/novart/protocol.h"
CHILD = "roottask/src/child/child.c"
VMM = "roottask/vmm/include/novavmm"
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def hypercall(number, name, function, section):
    shown = "extension" if section == "extension" else f"section {section}"
    return number, f"`NOVA_{name}`", function, shown


def cause(name, happened, answer):
    return f"`NOVA_VM_EXIT_{name}`", happened, answer


def event(prefix):
    return lambda number, name, text: (number, f"`{prefix}{name}`", text)


# Name of the table: (rows, head, function from the cells of a row to those of a line).
TABLES = {
    "hypercalls": (
        "NOVA_HYPERCALL_ROWS", ("number", "constant", "hypercall", "specification"), hypercall),
    "statuses": ("NOVA_STATUS_ROWS", ("number", "constant", "says"), event("NOVA_")),
    "mtd": ("NOVA_MTD_ROWS", ("bit", "constant", "state that it moves"), event("NOVA_MTD_")),
    "exceptions": ("NOVA_EXCEPTION_ROWS", ("number", "constant", "event"), event("NOVA_EXC_")),
    "vmx": ("NOVA_VMX_ROWS", ("number", "constant", "event"), event("NOVA_VMX_")),
    "svm": ("NOVA_SVM_ROWS", ("number", "constant", "event"), event("NOVA_SVM_")),
    "exits": ("NOVA_VM_EXIT_ROWS", ("constant", "what happened", "what the library does"), cause),
}


def bytes_of(number):
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if number % unit == 0:
            return f"{number // unit} {name}"
    return f"{number} bytes"


def power(number):
    return f"2^{number.bit_length() - 1}" if number > 0 and not number & (number - 1) else number


def plain(number):
    return f"{number:,}"


def less_one(number):
    return plain(number - 1)


# (limited resource, header, constant, its format, result at the limit)
SYSTEM_REFUSED = "the check refuses the description"
LIMITS = (
    ("programs of a system", DESCRIPTION, "NOVA_SYSTEM_PROGRAMS_MAX", plain, SYSTEM_REFUSED),
    ("devices, known and declared", DESCRIPTION, "NOVA_SYSTEM_DEVICES_MAX", plain, SYSTEM_REFUSED),
    ("ranges of all devices", DESCRIPTION, "NOVA_SYSTEM_RANGES_MAX", plain, SYSTEM_REFUSED),
    ("words of all lists of a description", DESCRIPTION, "NOVA_SYSTEM_WORDS_MAX", plain,
     SYSTEM_REFUSED),
    ("bytes of all words of a description", DESCRIPTION, "NOVA_SYSTEM_TEXT_MAX", bytes_of,
     SYSTEM_REFUSED),
    ("characters of a program's, service's or device's name", DESCRIPTION, "NOVA_SYSTEM_NAME_MAX",
     plain, SYSTEM_REFUSED),
    ("largest CPU number of a description", DESCRIPTION, "NOVA_SYSTEM_CPUS_MAX", less_one,
     SYSTEM_REFUSED),
    ("characters of a child's name", "roottask/include/novart/start_page.h",
     "NOVA_START_NAME_SIZE", less_one, "`EINVAL`"),
    ("memory of a child, unless its parent sets another size", CHILD, "MEMORY", bytes_of,
     "`malloc()` returns `NULL`"),
    ("kernel memory of a child with one CPU, by default; 48 KiB more for each further CPU", CHILD,
     "KERNEL_MEMORY", bytes_of, "`OUT_OF_MEMORY`"),
    ("selectors of a child, by default", CHILD, "SELECTORS", plain, "`NOVA_SEL_NONE`"),
    ("priority of a child's threads, by default", CHILD, "PRIORITY", plain, "reduced to the limit"),
    ("threads of a child", "roottask/src/child/child.h", "CHILD_SCS_MAX", plain, "`EAGAIN`"),
    ("segments of a child's ELF file", "roottask/src/child/elf.h", "ELF_SEGMENTS_MAX", plain,
     "`ENOEXEC`"),
    ("selectors of a root", "roottask/src/selector/sel_map.h", "SEL_MAP_END", power,
     "`NOVA_SEL_NONE`"),
    ("characters of a boot module's name", "roottask/include/novart/module.h",
     "NOVA_MODULE_NAME", less_one, "truncated"),
    ("return addresses of a fault report", "roottask/include/novart/fault.h",
     "NOVA_FAULT_FRAMES", plain, "the report omits the outer ones"),
    ("services of a program", "roottask/src/service/registry.c", "REGISTRY_MAX", plain,
     "`ENOSPC` when the service starts"),
    ("sessions of a service, by default", SERVICE, "SESSIONS", plain,
     "the next client gets `ENFILE`"),
    ("sessions of one client, by default", SERVICE, "CLIENT_SESSIONS", plain, "`EMFILE`"),
    ("largest number of sessions in a service's configuration", SERVICE, "SESSIONS_MAX", plain,
     "`EINVAL` when the service starts"),
    ("pages that a session can share", SERVICE, "SHARE_MAX", plain,
     "`EINVAL` when the service starts"),
    ("characters of a service's name", PROTOCOL, "NOVA_SERVICE_NAME_SIZE", less_one, "`EINVAL`"),
    ("characters of the arguments for a session", PROTOCOL, "NOVA_SESSION_ARGUMENT_SIZE",
     less_one, "`EINVAL`"),
    ("items that one call to a service delegates", "roottask/include/novart/session.h",
     "NOVA_MESSAGE_ITEMS", plain, "`EINVAL`"),
    ("memory of a guest of `novavmm`, in steps of 2 MiB", f"{VMM}/memory.h",
     "NOVA_GUEST_MEMORY_MAX", bytes_of, "`EINVAL`"),
    ("virtual CPUs of a guest", f"{VMM}/vm.h", "NOVA_VM_VCPUS", plain, "`EINVAL`"),
    ("port ranges of a guest's devices; as many memory ranges", f"{VMM}/bus.h", "NOVA_BUS_RANGES",
     plain, "`ENOSPC`"),
    ("alarms of a guest's devices", f"{VMM}/vm.h", "NOVA_VM_ALARMS", plain, "`ENOSPC`"),
    ("virtio devices of a guest's PC", f"{VMM}/pc.h", "NOVA_PC_SLOTS", plain, "`EINVAL`"),
    ("characters of a guest's name", f"{VMM}/vm.h", "NOVA_VM_NAME", less_one, "truncated"),
)


def constant(texts, name):
    """Evaluates a constant of C: numbers, other constants, + - * << and casts."""
    for text in texts:
        match = re.search(rf"^#define {name}[ \t]+([^\n]*?)[ \t]*(?:/\*.*)?$", text, re.MULTILINE)
        if match:
            value = re.sub(r"\(nova_\w+_t\)", "", match.group(1))
            value = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]*\b", r"\1", value)
            value = re.sub(r"\b[A-Za-z_]\w*", lambda m: str(constant(texts, m.group())), value)
            if not re.fullmatch(r"[0-9a-fx()+*<\s-]+", value):
                raise KeyError(f"{name} is {match.group(1)}, which is not a number")
            return eval(value, {"__builtins__": {}})  # pylint: disable=eval-used
    raise KeyError(f"there is no constant {name}")


def limits(root):
    """Returns the table of the limits of runtime and systems."""
    lines = ["| what | limit | at the limit |", "|---|---|---|"]
    types = (root / TYPES).read_text(encoding="utf-8")
    for what, header, name, shown, end in LIMITS:
        number = constant([(root / header).read_text(encoding="utf-8"), types], name)
        lines.append(f"| {what} | {shown(number)} | {end} |")
    return "\n".join(lines) + "\n"


def limits_filled(text, rows):
    """Returns the page about limits with its table."""
    begin, end = "<!-- table: runtime_limits -->\n", "<!-- end of table -->"
    if text.count(begin) != 1 or end not in text.partition(begin)[2]:
        sys.exit(f"{LIMITS_PAGE} has no place for the table runtime_limits")
    before, _, rest = text.partition(begin)
    return before + begin + rows + rest[rest.index(end):]


def table(name, rows):
    macro, head, cells = TABLES[name]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(cells(*row))} |" for row in rows[macro]]
    return "\n".join(lines) + "\n"


def filled(text, rows):
    """Returns the page with all its tables from the rows; KeyError for an unknown table."""

    def replace(match):
        return match.group(1) + table(match.group(2), rows) + match.group(3)

    return TABLE.sub(replace, text)


def unexplained(page, rows):
    """Returns the properties of programs that the page about system descriptions omits."""
    return [row[1] for row in rows["NOVA_SYSTEM_PROPERTY_ROWS"] if f"\n| `{row[1]} " not in page]


def settle(page, before, after, update):
    """Writes the page again, or exits if it is out of date."""
    if update:
        page.write_text(after, encoding="utf-8")
    elif before != after:
        sys.exit(f"{page.name} is out of date: python3 tests/docs/tables.py . --update")


def main(root, update):
    page = root / PAGE
    before = page.read_text(encoding="utf-8")
    names = [name for _, name, _ in TABLE.findall(before)]
    if sorted(names) != sorted(TABLES):
        sys.exit(f"{PAGE} has the tables {', '.join(names)} instead of {', '.join(TABLES)}")
    after = filled(before, doc_rows.read(*(root / header for header in HEADERS)))
    settle(page, before, after, update)
    limits_page = root / LIMITS_PAGE
    text = limits_page.read_text(encoding="utf-8")
    settle(limits_page, text, limits_filled(text, limits(root)), update)
    missing = unexplained((root / SYSTEMS).read_text(encoding="utf-8"),
                          doc_rows.read(root / DESCRIPTION))
    if missing:
        sys.exit(f"{SYSTEMS} does not explain {', '.join(missing)}")
    print(f"{len(names) + 1} tables")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--update" in sys.argv[2:])
