# SPDX-License-Identifier: BSD-2-Clause
"""Checks that a program may use every name that C, POSIX and NOVA do not reserve.

`global_names.py ARCHIVE...`: each global name in the archives begins with `nova` or is in the list.
In newlib's own archives it may also begin with `_` or be declared by a header; in the installed
libnovanet.a it may be one of lwIP's, and in libnovatls.a one of mbedTLS's."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

import paths

LIST = Path(__file__).with_name("global_names.txt")
NEWLIB = ("libc.a", "libm.a")
NOVANET = "libnovanet.a"
NOVATLS = "libnovatls.a"
MBEDTLS = "mbedtls_"
LWIP = ("dhcp_", "ethbroadcast", "lwip_", "memp_", "netconn_")  # names in none of lwIP's headers
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
INCLUDED = re.compile(r"^#\s*include <(.+)>", re.MULTILINE)
DECLARED = re.compile(r"\b(\w+)\s*[(;[]")


def rows(text):
    """Yields (header that demands the name or another reason, name or pattern) for each entry."""
    for line in text.splitlines():
        words = line.split()
        if words and not line.startswith("#"):
            yield from ((words[0], name) for name in words[1:])


def symbols(archive):
    """Returns the names that an archive defines for others."""
    command = ["nm", "--format=posix", "--extern-only", "--defined-only", archive]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    # A line has a name, its type, value and size. Lines that name a member of the archive end with
    # a colon or have fewer words.
    lines = (line.split() for line in result.stdout.splitlines() if not line.endswith(":"))
    return {words[0] for words in lines if len(words) > 2}


def declared(folder):
    """Returns the names that the headers in a folder declare."""
    found = set()
    for file in folder.rglob("*.h"):
        text = COMMENT.sub("", file.read_text(encoding="utf-8", errors="replace"))
        found.update(DECLARED.findall(text))
    return found


def offenders(archive, patterns):
    """Returns the forbidden names in an archive, and the patterns that it uses."""
    archive = Path(archive)
    allowed = set()
    if archive.name in NEWLIB:
        allowed = declared(archive.parent.parent / "include")
        allowed |= {name for name in symbols(archive) if name.startswith("_")}
    if archive.name == NOVANET:
        allowed = declared(archive.parents[2] / "include/novanet-posix")
        allowed |= {name for name in symbols(archive) if name.startswith(LWIP)}
    if archive.name == NOVATLS:
        allowed = {name for name in symbols(archive) if name.startswith(MBEDTLS)}
    wrong, used = [], set()
    for name in sorted(symbols(archive)):
        matches = {one for one in patterns if fnmatch.fnmatchcase(name, one)}
        used |= matches
        if not (name.startswith("nova") or matches or name in allowed):
            wrong.append(name)
    return wrong, used


def with_includes(header, folders, seen=None):
    """Returns the text of a header and of the headers that it includes."""
    seen = set() if seen is None else seen
    seen.add(header)
    files = [folder / header for folder in folders if (folder / header).exists()]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    for name in INCLUDED.findall(text):
        if name not in seen:
            text += with_includes(name, folders, seen)
    return text


def undeclared(entries, folders):
    """Yields a message for each entry whose header in the folders does not contain the name."""
    for header, name in entries:
        if "." not in header:
            continue
        if not re.search(rf"\b{name.rstrip('*')}", with_includes(header, folders)):
            yield f"{header} does not declare {name}"


def main(archives):
    entries = list(rows(LIST.read_text(encoding="utf-8")))
    problems, used = [], set()
    for archive in archives:
        if not symbols(archive):
            problems.append(f"{archive} has no global name: it is not the archive to check")
        wrong, needed = offenders(archive, [name for _, name in entries])
        used |= needed
        problems += [f"{archive}: '{name}' belongs to programs" for name in wrong]
    problems += [f"no archive has '{name}'" for _, name in entries if name not in used]
    folders = [Path(one).parent.parent / "include" for one in archives if Path(one).name in NEWLIB]
    folders.append(paths.ROOT / "roottask/include/libc")
    problems += undeclared(entries, folders)
    print("\n".join(problems))
    if problems:
        sys.exit(f"{len(problems)} names are wrong: begin them with novart_ or novavmm_, or name "
                 f"the header that demands them in {LIST.name}.")
    print(f"{len(archives)} archives define only names that a header or a convention gives them.")


if __name__ == "__main__":
    main(sys.argv[1:])
