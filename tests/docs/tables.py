# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/manual/reference.md come from the rows of the headers, four in limits.md from
constants of headers and sources. `tables.py ROOT` checks that they are up to date, `tables.py ROOT
--update` writes them again. It also checks that docs/manual/systems.md documents all that a system
description can contain.

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
CHILD_HEADER = "roottask/include/novart/child.h"
CLIENT = "roottask/src/service/client/block.c"
VMM = "roottask/vmm/include/novavmm"
BLOCK = "roottask/include/novart/service/block.h"
NET = "roottask/include/novart/service/net.h"
FILES = "roottask/include/novart/service/files.h"
DRIVERS = "roottask/services"
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
    "statuses": ("NOVA_STATUS_ROWS", ("number", "constant", "meaning"), event("NOVA_")),
    "mtd": ("NOVA_MTD_ROWS", ("bit", "constant", "transferred state"), event("NOVA_MTD_")),
    "exceptions": ("NOVA_EXCEPTION_ROWS", ("number", "constant", "event"), event("NOVA_EXC_")),
    "vmx": ("NOVA_VMX_ROWS", ("number", "constant", "event"), event("NOVA_VMX_")),
    "svm": ("NOVA_SVM_ROWS", ("number", "constant", "event"), event("NOVA_SVM_")),
    "exits": ("NOVA_VM_EXIT_ROWS", ("constant", "cause", "action of the library"), cause),
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
    ("least memory of a child", CHILD_HEADER, "NOVA_CHILD_MEMORY_MIN", bytes_of, "`EINVAL`"),
    ("least kernel memory of a child", CHILD_HEADER, "NOVA_CHILD_KERNEL_MEMORY_MIN", bytes_of,
     "`EINVAL`"),
    ("least number of a child's selectors", CHILD_HEADER, "NOVA_CHILD_SELECTORS_MIN", plain,
     "`EINVAL`"),
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
    ("port ranges, and separately memory ranges, of a guest's devices", f"{VMM}/bus.h",
     "NOVA_BUS_RANGES", plain, "`ENOSPC`"),
    ("blocks of 2 MiB that overlay pages cut in the RAM of a guest with a function that is passed "
     "through, or of a machine with `secure`", f"{VMM}/memory.h", "NOVA_OVERLAY_BLOCKS", plain,
     "`ENOSPC`; a guest's write of the MSR that moves the page raises #GP"),
    ("alarms of a guest's devices", f"{VMM}/vm.h", "NOVA_VM_ALARMS", plain, "`ENOSPC`"),
    ("virtio devices of a guest's PC", f"{VMM}/pc.h", "NOVA_PC_SLOTS", plain, "`EINVAL`"),
    ("characters of a guest's name", f"{VMM}/vm.h", "NOVA_VM_NAME", less_one, "truncated"),
)


def pages(order):
    return bytes_of(4096 << order)


def seconds(nanoseconds):
    return f"{nanoseconds // 1_000_000_000} s"


def whole(number):
    return f"{plain(number)} bytes"


# The limits of disks and files.
ENDS = "the driver ends, and starts again if its description says `restart`"
STORAGE_LIMITS = (
    ("requests of a block session in flight, or the device's limit if it is lower", BLOCK,
     "NOVA_BLOCK_ENTRIES", plain,
     "`nova_block_submit()` returns `EAGAIN`; in the ring, requests wait for the device"),
    ("segments of a request", BLOCK, "NOVA_BLOCK_SEGMENTS", plain, "`EINVAL`"),
    ("pool of a block session", BLOCK, "NOVA_BLOCK_POOL_ORDER_MAX", pages, "`EINVAL`"),
    ("alignment of a segment in the pool", BLOCK, "NOVA_BLOCK_ALIGN", whole, "`EINVAL`"),
    ("block sessions of a driver", f"{DRIVERS}/block/server.h", "BLOCK_SESSIONS", plain,
     "`ENFILE`"),
    ("requests of a session per turn", f"{DRIVERS}/block/server.c", "TURN", plain,
     "the next session is served"),
    ("attempts of `nova_block_read()` and similar functions while the service ends", CLIENT,
     "TRIES", plain, "`ECONNRESET`, or the error of the last attempt"),
    ("requests that the driver `virtio-blk` gives to its device", f"{DRIVERS}/virtio-blk/main.c",
     "DEPTH_MAX", plain, "further ones wait in the rings"),
    ("requests that the driver `nvme` gives to its device", f"{DRIVERS}/nvme/main.c", "DEPTH",
     plain, "further ones wait in the rings"),
    ("data of a request of `nvme`", f"{DRIVERS}/nvme/controller.c", "TRANSFER", bytes_of,
     "`EINVAL`; `request_max` of `nova_block_get_info()` is this limit in blocks"),
    ("blocks of a request of `ahci`", f"{DRIVERS}/ahci/command.h", "AHCI_BLOCKS_MAX", plain,
     "`EINVAL`"),
    ("time without a completion: `virtio-blk`", f"{DRIVERS}/virtio-blk/main.c", "TIMEOUT_NS",
     seconds, ENDS),
    ("time without a completion: `nvme`", f"{DRIVERS}/nvme/main.c", "TIMEOUT_NS", seconds, ENDS),
    ("time without a completion: `ahci`", f"{DRIVERS}/ahci/main.c", "TIMEOUT_NS", seconds, ENDS),
    ("successive failures of a port of `ahci`, without a successful command between them",
     f"{DRIVERS}/ahci/main.c", "RESTARTS_MAX", plain, ENDS),
    ("partitions of a disk", f"{DRIVERS}/partitions/table.h", "TABLE_PARTITIONS", plain,
     "the service ignores the others and prints a message"),
    ("characters of a partition's name", f"{DRIVERS}/partitions/table.h", "TABLE_NAME", less_one,
     "GPT has no room for longer names"),
    ("grants of `partitions`", f"{DRIVERS}/partitions/server.h", "GRANTS", plain,
     "the service ends with a message"),
    ("mounts of `files`", f"{DRIVERS}/files/volume.h", "VOLUMES", plain,
     "the service ends with a message"),
    ("grants of `files`", f"{DRIVERS}/files/volume.h", "GRANTS", plain,
     "the service ends with a message"),
    ("open files and folders of a program", FILES, "NOVA_FILES_MAX", plain, "`EMFILE`"),
    ("views of files of a program", "roottask/include/novart/file_view.h", "NOVA_FILE_VIEWS", plain,
     "`EMFILE`"),
    ("size of a view of a file", "roottask/include/novart/file_view.h", "NOVA_FILE_VIEW_BYTES",
     bytes_of, "a larger file needs several views"),
    ("pieces of 64 KiB in the cache of `files`", f"{DRIVERS}/files/cache.h", "CACHE_PIECES", plain,
     "the service ends with a message"),
    ("bytes of a path", FILES, "NOVA_FILES_PATH_SIZE", less_one, "`ENAMETOOLONG`"),
    ("bytes of a name in a path", FILES, "NOVA_FILES_NAME_SIZE", less_one, "`ENAMETOOLONG`"),
    ("sector of a FAT disk", f"{DRIVERS}/files/fat/fat.h", "FAT_SECTOR_MAX", bytes_of,
     "the service does not mount it, and prints a message"),
    ("entries of a folder on a FAT disk; a name takes one entry, and one more for "
     "each 13 characters",
     f"{DRIVERS}/files/fat/fat.h", "FAT_FOLDER_MAX", plain, "`ENOSPC`"),
    ("file that `rename()` copies on a FAT disk", f"{DRIVERS}/files/fat/change.c", "COPY_MAX",
     bytes_of, "a loss of power can leave [both names](files.md#loss-of-power)"),
    ("files of a FAT disk to which failed calls of `rename()` have left two names",
     f"{DRIVERS}/files/fat/fat.h", "FAT_SHARED", plain,
     "[the file system is read-only](files.md#loss-of-power)"),
    ("block of a squashfs", f"{DRIVERS}/files/squashfs/squashfs.h", "SQUASHFS_BLOCK_MAX", bytes_of,
     "the service does not mount it, and prints a message"),
    ("requests of a guest's disk in flight", f"{VMM}/virtio_block.h",
     "NOVA_VIRTIO_BLOCK_REQUESTS", plain, "further ones wait in the guest's queue"),
)

LWIP = "roottask/novanet/port/lwipopts.h"
HTTP = "roottask/novanet/src/http_server.c"
HTTP_HEADER = "roottask/novanet/include/novanet/http.h"
NETWORK_LIMITS = (
    ("bytes of a frame", NET, "NOVA_NET_FRAME_MAX", plain,
     "`nova_net_send()` returns `EMSGSIZE`; a longer frame from a card or from a guest is dropped"),
    ("minimum bytes of data in each frame of a packet that a guest lets its card divide",
     f"{VMM}/virtio_net.h", "NOVA_VIRTIO_NET_SEGMENT_MIN", plain,
     "the packet is dropped and counted (`nova_virtio_net::refused`)"),
    ("pool of a session with frames", NET, "NOVA_NET_POOL_ORDER_MAX", pages, "`EINVAL`"),
    ("frames of a session that wait in one direction, with a pool of 512 KiB",
     NET, "NOVA_NET_ENTRIES", plain, "`nova_net_send()` returns `EAGAIN`"),
    ("frames of a session per turn", f"{DRIVERS}/net/server.h", "NET_TURN", plain,
     "the next session is served"),
    ("time until a frame is sent: `virtio-net`", f"{DRIVERS}/virtio-net/main.c", "TIMEOUT_NS",
     seconds, ENDS),
    ("time until a frame is sent: `e1000e`", f"{DRIVERS}/e1000e/main.c", "TIMEOUT_NS", seconds,
     ENDS),
    ("clients and cards of `switch`", f"{DRIVERS}/switch/table.h", "TABLE_PORTS", plain,
     "`ENFILE`"),
    ("cards of `switch`", f"{DRIVERS}/switch/card.h", "CARDS", plain,
     "the service ends with a message"),
    ("clients of `switch` with several addresses", f"{DRIVERS}/switch/options.h", "OPEN_MAX", plain,
     "the service ends with a message"),
    ("clients of `switch` with a rate", f"{DRIVERS}/switch/options.h", "RATES_MAX", plain,
     "the service ends with a message"),
    ("addresses that `switch` learns", f"{DRIVERS}/switch/table.h", "TABLE_ADDRESSES", plain,
     "a new address replaces another one; frames for the replaced address go to all cards and all "
     "clients with several addresses"),
    ("sockets of a program", LWIP, "NUM_SOCKETS", plain, "`ENFILE`"),
    ("sockets of a program that listen", LWIP, "MEMP_NUM_TCP_PCB_LISTEN", plain,
     "`listen()` returns `ENOMEM`"),
    ("connections of a socket that wait for `accept()`", LWIP, "DEFAULT_ACCEPTMBOX_SIZE", plain,
     "further ones are refused"),
    ("bytes of a TCP stream in flight in one direction", LWIP, "TCP_WND", plain, "the sender "
     "waits"),
    ("connections of `nova_http_serve()`", HTTP, "CONNECTIONS", plain,
     "a new one replaces one that has been idle for 250 ms, or waits"),
    ("bytes of a request of HTTP", HTTP_HEADER, "NOVA_HTTP_HEAD_MAX", plain, "status 431 or 414"),
    ("TCP connections of a program", LWIP, "MEMP_NUM_TCP_PCB", plain,
     "a new one replaces the oldest that is not complete, or is refused"),
    ("buffers of a program for received frames; unread data takes at most 96", LWIP,
     "PBUF_POOL_SIZE", plain, "further ones are lost"),
    ("datagrams that wait in a socket, in at most 32 frames", LWIP, "DEFAULT_UDP_RECVMBOX_SIZE",
     plain, "further ones are lost"),
    ("bytes of a datagram; fewer if the card takes only smaller frames", LWIP,
     "LWIP_DATAGRAM_MAX", plain, "`EMSGSIZE`"),
    ("fragments that wait for the rest of their packet, for each of IPv4 and IPv6", LWIP,
     "IP_REASS_MAX_PBUFS", plain, "the oldest packet is lost"),
)


SEAL = "roottask/ultravisor/seal.h"
UV = "roottask/include/novart/service/ultravisor.h"
SEAL_REFUSED = "`nova seal` refuses it; the ultravisor refuses the blob"
SECURE_LIMITS = (
    ("machines that may run a sealed image", SEAL, "SEAL_MACHINES_MAX", plain, SEAL_REFUSED),
    ("parts of a sealed image", SEAL, "SEAL_PARTS_MAX", plain, SEAL_REFUSED),
    ("bytes of the phrase that decrypts a disk", SEAL, "SEAL_PHRASE_MAX", plain, SEAL_REFUSED),
    ("secrets of a sealed image", SEAL, "SEAL_SECRETS_MAX", plain, SEAL_REFUSED),
    ("characters of a secret's name", SEAL, "SEAL_NAME_MAX", plain, SEAL_REFUSED),
    ("bytes of a secret", SEAL, "SEAL_VALUE_MAX", plain, SEAL_REFUSED),
    ("memory of a secure guest, a multiple of 2 MiB", SEAL, "SEAL_MEMORY_MAX", bytes_of,
     SEAL_REFUSED),
    ("virtual CPUs in a blob; `nova seal` accepts 8, as `novavmm` does", SEAL, "SEAL_VCPUS_MAX",
     plain, "the ultravisor refuses the blob"),
    ("machines that the ultravisor can make secure at a time, and sessions", UV, "NOVA_UV_VMS",
     plain, "`nova_vm_create()` returns ENOSPC, `nova_secure_open()` ENFILE"),
    ("machines of a session, and sessions of a monitor (with `vmms=N`, at most 8/N machines, "
     "and one session if N is 5 or more)", UV, "NOVA_UV_SESSION_VMS", plain,
     "`nova_uv_write_pate()` returns U_BUSY, `nova_secure_open()` EMFILE"),
    ("N in `arguments vmms=N` of the ultravisor", UV, "NOVA_UV_VMS", plain,
     "the ultravisor does not start"),
    ("programs that use an ultravisor with `vmms=N`: N, at most", UV, "NOVA_UV_VMS", plain,
     "the build refuses the description; `nova_secure_open()` returns ENOSPC"),
    ("RAM of a monitor's machine with an ultravisor", UV, "NOVA_UV_NORMAL_BYTES", bytes_of,
     "`nova_vm_create()` returns EINVAL"),
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


def limits(root, rows=LIMITS):
    """Returns a table of limits."""
    lines = ["| resource | limit | at the limit |", "|---|---|---|"]
    types = (root / TYPES).read_text(encoding="utf-8")
    for what, header, name, shown, end in rows:
        number = constant([(root / header).read_text(encoding="utf-8"), types], name)
        lines.append(f"| {what} | {shown(number)} | {end} |")
    return "\n".join(lines) + "\n"


def limits_filled(text, rows, name="runtime_limits"):
    """Returns the page about limits with one of its tables."""
    begin, end = f"<!-- table: {name} -->\n", "<!-- end of table -->"
    if text.count(begin) != 1 or end not in text.partition(begin)[2]:
        sys.exit(f"{LIMITS_PAGE} has no place for the table {name}")
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
    after = limits_filled(text, limits(root))
    after = limits_filled(after, limits(root, STORAGE_LIMITS), "storage_limits")
    after = limits_filled(after, limits(root, NETWORK_LIMITS), "network_limits")
    after = limits_filled(after, limits(root, SECURE_LIMITS), "secure_limits")
    settle(limits_page, text, after, update)
    missing = unexplained((root / SYSTEMS).read_text(encoding="utf-8"),
                          doc_rows.read(root / DESCRIPTION))
    if missing:
        sys.exit(f"{SYSTEMS} does not explain {', '.join(missing)}")
    print(f"{len(names) + 4} tables")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--update" in sys.argv[2:])
