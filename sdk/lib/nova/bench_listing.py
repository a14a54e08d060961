# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench --trace KEY`: every instruction of one operation, and the number of them per function
of the kernel's sources."""

import bisect
import itertools
import subprocess
from collections import Counter

from nova import table
from nova.errors import EXIT_FAILED, NovaError

OUR_SOURCES = (".c", ".S")
LINKED = ".elf"


def output(*command, text=None):
    """Returns the output of one of the binutils; nothing if it cannot read the file."""
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return result.stdout


def symbols(kernel):
    """Returns addresses and names of the kernel's functions, in order."""
    found = []
    for line in output("nm", "-n", "--defined-only", kernel).splitlines():
        address, kind, name = line.split()
        if kind in "tT":
            found.append((int(address, 16), name))
    if not found:
        raise _nameless(kernel, "no symbols")
    return found


def with_symbols(kernel):
    """Returns the linker's output from which a kernel for QEMU was made, or the kernel itself."""
    linked = kernel.resolve().with_suffix(LINKED)
    return linked if linked.exists() else kernel.resolve()


def _nameless(kernel, what):
    """Returns the error for a kernel whose code has no names."""
    return NovaError(
        f"{kernel} has {what}: put the linker's original of this kernel, with symbols, beside it, "
        f"as {kernel.with_suffix(LINKED).name}.",
        EXIT_FAILED,
    )


def read_frames(text):
    """Returns {address: [(function, file), …]} of the output of `addr2line -afi`, the innermost
    first."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        if line.startswith("0x"):
            frames = found.setdefault(int(line, 16), [])
        else:
            file = next(lines).split(" (discriminator")[0].rpartition(":")[0]
            frames.append((line, file))
    return found


class Names:
    """Names of addresses: by debug lines, and by symbols where there are no debug lines."""

    def __init__(self, functions, frames):
        """Takes FUNCTIONS of symbols() and FRAMES of read_frames()."""
        self.symbols = functions
        self.starts = [address for address, _ in functions]
        self.frames = frames

    def _known(self, address):
        frames = self.frames.get(address, [])
        return [frame for frame in frames if frame[0] != "??"]

    def _symbol(self, address):
        place = bisect.bisect_right(self.starts, address) - 1
        return self.symbols[place][1] if place >= 0 else "?"

    def code(self, address):
        """Returns the outermost function at an address; others may be inlined into it."""
        frames = self._known(address)
        return frames[-1][0] if frames else self._symbol(address)

    def source(self, address):
        """Returns the innermost function that a source file defines. So the code of a function in a
        header counts for the function that uses it."""
        for name, file in self._known(address):
            if file.endswith(OUR_SOURCES):
                return name
        return self.code(address)

    def summary(self, executed):
        """Returns {function: instructions} of {address: times}, in order of first occurrence."""
        found = {}
        for address, times in executed.items():
            name = self.source(address)
            found[name] = found.get(name, 0) + times
        shown = {name: round(count, 1) for name, count in found.items()}
        return {name: int(n) if n == int(n) else n for name, n in shown.items() if n}


def names_of(kernel, addresses):
    """Returns the names of a kernel's addresses."""
    lines = "".join(f"{address:#x}\n" for address in sorted(set(addresses)))
    frames = read_frames(output("addr2line", "-afi", "-e", kernel, text=lines))
    return Names(symbols(kernel), frames)


def disassembly(kernel):
    found = {}
    for line in output("objdump", "-d", "--no-show-raw-insn", kernel).splitlines():
        address, colon, instruction = line.partition(":\t")
        if colon:
            found[int(address, 16)] = " ".join(instruction.split())
    return found


def summary_text(summary):
    """Returns a table of the functions of one operation, most instructions first."""
    cells = [["function", "instructions"]]
    cells += [[name, str(count)] for name, count in sorted(summary.items(), key=lambda i: -i[1])]
    cells.append(["all in the kernel", str(sum(summary.values()))])
    return "\n".join(table.lines(cells))


def _listing(path, names, instructions):
    """Yields the instructions, grouped by the function whose code contains them. An instruction of
    an inlined function is followed by the name of this function."""
    for code, group in itertools.groupby(path, key=names.code):
        group = list(group)
        yield f"{code} ({len(group)})"
        for address in group:
            source = names.source(address)
            note = "" if source == code else f"  # {source}"
            yield f"    {address:x}  {instructions.get(address, '?')}{note}"


def paths_text(paths, kernel, only_summary):
    """Returns the text of each operation of {key: path}: every instruction, unless only the
    summary is requested, and the summary. If there are several operations, the key of each is above
    its text."""
    instructions = disassembly(kernel)
    texts = {
        key: _path_text(path, kernel, instructions, only_summary) for key, path in paths.items()
    }
    if len(texts) == 1:
        return "".join(texts.values())
    return "\n\n".join(f"{key}:\n{text}" for key, text in texts.items())


def _path_text(path, kernel, instructions, only_summary):
    names = names_of(kernel, path)
    missing = next((address for address in path if address not in instructions), None)
    if missing is not None:
        raise _nameless(kernel, f"no instruction at {missing:#x}, where the operation ran")
    summary = summary_text(names.summary(Counter(path)))
    if only_summary:
        return summary
    return "\n".join([*_listing(path, names, instructions), "", summary])
