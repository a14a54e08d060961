# SPDX-License-Identifier: BSD-2-Clause
"""Compiles and checks the code blocks of pages and headers: `compile.py ROOT FOLDER`.

Boot tests and session.py run programs and sessions; blocks.py explains the marks. The output lists
the blocks that are not tested, with their reasons.
"""

import functools
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import blocks
from blocks import ROOT
from nova import cli, errors, newlib

WIDTHS = {"x86_64": "-m64", "x86_32": "-m32"}
COMPILERS = ("gcc", "clang")
OPTIONS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-Wno-unused-parameter")
OPTIONS += ("-O1", "-fno-pic", "-fsyntax-only", "-x", "c")
LIBNOVA = """#include <nova/nova.h>
#include <nova/arch/mmio.h>
#include <nova/arch/port.h>
#include <nova/arch/tsc.h>
#include <nova/console.h>
#include <nova/portal.h>
#include <nova/root.h>
"""
# The environment of a fragment: a roottask with its helpers, and selectors for examples.
FRAME = """static struct nova_root root;
static struct nova_console console;
"""
PARAMETERS = """const struct nova_hip *hip, nova_word_t cpu, struct nova_utcb *utcb,
              nova_sel_t pd, nova_sel_t ec, nova_sel_t sc, nova_sel_t pt, nova_sel_t sm,
              nova_sel_t sel"""
LOCAL = "        enum nova_status status = NOVA_SUCCESS;\n"


HOSTED = re.compile(r"<novart/|<novavmm/|<(stdio|stdlib|pthread)\.h>")
LIBRARY = ("stdio", "stdlib", "string", "time", "pthread", "nova/nova")
HEADERS = ("libnova/include", "hypervisor/abi")


def with_runtime(block):
    """Returns whether a block needs the C library."""
    return "runtime" in block.words or bool(HOSTED.search(block.text))


def runtime_headers(root, own):
    """Returns directives that include the headers of the runtime and of its services. For an
    example in a header of the VMM library, that library's headers replace those of the services."""
    runtime = root / "roottask/include/novart"
    # Services and the VMM library have names in common.
    folders = [runtime, root / "roottask/vmm/include/novavmm" if "<novavmm/" in own
               else runtime / "service"]
    found = [header for folder in folders for header in sorted(folder.glob("*.h"))]
    return "".join(f"#include <{str(header).partition('/include/')[2]}>\n" for header in found)


def own_header(block):
    """Returns the directive that includes the public header that contains a block."""
    own = block.page.partition("/include/")[2] if block.page.endswith(".h") else ""
    return f"#include <{own}>\n" if own else ""


def place(block):
    """Returns the directive that makes the compiler's messages name the page."""
    return f'#line {block.line + 1} "{block.page}"\n'


def prelude(block, root=ROOT):
    """Returns what precedes a fragment's function: headers and, without the runtime, FRAME."""
    own = own_header(block)
    if not with_runtime(block):
        return LIBNOVA + own + FRAME
    headers = "".join(f"#include <{name}.h>\n" for name in LIBRARY) + runtime_headers(root, own)
    return headers + ("" if own in headers else own)


def function(block, number):
    """Returns a fragment as a function."""
    name = f"fragment_{number}"
    parameters = "void" if with_runtime(block) else PARAMETERS
    begin = f"void {name}({parameters});\nvoid {name}({parameters})\n{{\n"
    local = "" if with_runtime(block) else LOCAL
    return begin + local + place(block) + block.text + "}\n"


def source(block, root=ROOT):
    """Returns the file for the compiler."""
    if block.kind() == "fragment":
        return prelude(block, root) + function(block, 0)
    return ("" if "#include" in block.text else LIBNOVA) + place(block) + block.text


@functools.lru_cache(maxsize=None)
def library(root, arch, compiler):
    """Returns options for the headers of the runtime and of its C library."""
    newlib.ensure(arch)
    own = subprocess.run(
        [compiler, "-print-file-name=include"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    parts = ["roottask/include", "roottask/include/libc", "roottask/vmm/include"]
    parts += ["roottask/novanet/include", "roottask/novanet/posix", "roottask/novatls/include"]
    options = ["-nostdinc", *(f"-I{root / part}" for part in parts), "-isystem"]
    options += [str(newlib.folder(arch) / "include"), "-idirafter", own]
    return [*options, "-U__linux__", "-U__gnu_linux__"]


def compiler_options(root, arch, compiler, hosted):
    own = library(root, arch, compiler) if hosted else ["-ffreestanding"]
    include = [f"-I{root / part}" for part in HEADERS]
    return [compiler, WIDTHS[arch], *OPTIONS, *own, *include, "-"]


@dataclass
class Compilation:
    """One run of a compiler: its input, and a name for the messages. HALVES: functions that return
    the compilations of both halves of the input, if it contains several fragments."""

    command: list
    text: str
    where: str
    halves: list | tuple = ()

    def complaints(self):
        """Returns the compiler's messages. Only the messages about a fragment that fails alone
        count, because two fragments may declare different objects with the same name."""
        result = subprocess.run(
            self.command, input=self.text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )
        if result.returncode == 0:
            return []
        if self.halves:
            return sum((half().complaints() for half in self.halves), [])
        return [f"{self.where}:\n{result.stdout.rstrip()}"]


def together(root, found):
    """Returns lists of C blocks. The blocks of a list are compiled in one run. Fragments with the
    same headers share a list, because the headers take most of the time. A fragment with a
    directive has a list of its own, because it could affect others."""
    lists = defaultdict(list)
    for number, block in enumerate(found):
        alone = block.kind() != "fragment" or re.search(r"^\s*#", block.text, re.MULTILINE)
        lists[number if alone else (with_runtime(block), prelude(block, root))].append(block)
    return list(lists.values())


def compilations(root, found):
    """Yields each Compilation."""
    for block in found:
        if block.language == "asm" and block.kind() == "":
            command = ["gcc", "-m64", "-c", "-o", "/dev/null", "-x", "assembler", "-"]
            yield Compilation(command, block.text, block.where())
    files = [one for one in found if one.language == "c" and one.kind() in ("", "fragment")]
    for listed in together(root, files):
        for compiler in COMPILERS:
            for arch in WIDTHS:
                yield compilation(root, listed, arch, compiler)


def compilation(root, listed, arch, compiler):
    """Returns the Compilation of a list of together(), or of a part of one."""
    command = compiler_options(root, arch, compiler, with_runtime(listed[0]))
    first, middle = listed[0], len(listed) // 2
    if not middle:
        return Compilation(command, source(first, root), f"{first.where()} ({compiler}, {arch})")
    text = prelude(first, root)
    text += "".join(function(block, number) for number, block in enumerate(listed))
    halves = [
        functools.partial(compilation, root, half, arch, compiler)
        for half in (listed[:middle], listed[middle:])
    ]
    return Compilation(command, text, "", halves)


def quoted(root, block):
    """Checks that a quotation appears in its file, line by line; indentation does not count."""
    file = root / block.name()
    if not file.is_file():
        return [f"{block.where()}: there is no file {block.name()}"]

    def lines(text):
        return "\n".join(line.strip() for line in text.strip().splitlines())

    if lines(block.text) in lines(file.read_text(encoding="utf-8")):
        return []
    return [f"{block.where()}: these lines are not in {block.name()}"]


def commands(block):
    """Returns the command lines of `nova` in a block of the shell."""
    for line in block.text.replace("\\\n", " ").splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        if words and (words[0] == "nova" or words[0].endswith("/bin/nova")):
            yield words[1:]


def understood(block):
    """Checks that the shell parses the block, and that `nova` parses its own command lines."""
    found = []
    result = subprocess.run(
        ["sh", "-n"], input=block.text, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        found.append(f"{block.where()}: {result.stderr.strip()}")
    for words in commands(block):
        try:
            cli.parse(words)
        except errors.NovaError as error:
            found.append(f"{block.where()}: nova {' '.join(words)}: {error}")
        except SystemExit:
            pass  # --help and --version
    return found


def system_checker(root, folder):
    """Builds nova-system into FOLDER. Returns its path."""
    sources = sorted(str(file) for file in (root / "roottask/system").glob("*.c"))
    program = Path(folder) / "nova-system"
    include = ["-I", str(root / "roottask/system"), "-I", str(root / "roottask")]
    subprocess.run(["gcc", "-o", str(program), *include, *sources], check=True)
    return program


def system_complaints(root, found):
    """Compares nova-system's messages about the descriptions with those on the pages."""
    complaints, said = [], None
    found = [b for b in found if b.language == "system" or b.kind() == "mistakes"]
    with tempfile.TemporaryDirectory() as folder:
        program = system_checker(root, folder) if found else None
        for block in found:
            if block.kind() == "mistakes":
                if block.text != said:
                    complaints.append(f"{block.where()}: nova-system says instead:\n{said}")
                continue
            if block.kind() == "quote":
                continue  # perhaps a part of a description; quoted() compares it
            (Path(folder) / "system.nova").write_text(block.text, encoding="utf-8")
            result = subprocess.run(
                [str(program), "system.nova"], cwd=folder, capture_output=True, text=True,
                check=False,
            )
            said = result.stderr
            if (result.returncode == 0) == (block.kind() == "wrong"):
                complaints.append(f"{block.where()}: status {result.returncode}: {said}")
    return complaints


def check(root, found):
    """Returns all complaints about the blocks."""
    complaints = system_complaints(root, found)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for result in pool.map(Compilation.complaints, list(compilations(root, found))):
            complaints += result
    for block in found:
        if block.kind() == "quote":
            complaints += quoted(root, block)
        if block.language == "sh":
            complaints += understood(block)
    return complaints


def main(root):
    try:
        found = blocks.of_tree(root)
        blocks.programs(found)
        found += blocks.of_headers(root)
        complaints = check(root, found)
    except blocks.PageError as error:
        sys.exit(str(error))
    print("\n".join(complaints))
    for block in found:
        if block.kind() == "untested":
            print(f"not tested: {block.where()} ({block.language or 'text'}): {block.reason()}")
    print(f"{len(found)} blocks, {len(complaints)} complaints")
    sys.exit(1 if complaints or not found else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
