# SPDX-License-Identifier: BSD-2-Clause
"""Where the instructions of an operation go: how many of its traced sample belong to which function
of the kernel's sources, and the page that shows it for each row that is above its target."""

import bisect
import itertools
import subprocess
from collections import Counter

from nova import table
from nova.errors import EXIT_FAILED, NovaError
from nova.tree import ARCHES

BEGIN = "<!-- paths: written by nova bench --trace --update -->"
END = "<!-- end of the paths -->"
# A function that has so many instructions in a row above its target needs a sentence. It keeps the
# sentence while one has half as many, for some are means of boots that differ.
EXPLAINED_FROM = 5
KEPT_FROM = EXPLAINED_FROM / 2
# Percent of a function's instructions, or a number of them, by which it may differ from what is
# checked in. The shapes of trees differ from one kernel to the next: of the functions that search
# or change them the sum is compared.
TOLERANCE = 10
TREE_TOLERANCE = 40
FEW = 2
TREES = (
    *("tree_search", "tree_find", "tree_find_next", "tree_leftmost", "tree_of", "parent_of"),
    *("tree_insert", "tree_insert_at", "insert_at", "set_parent", "link_to", "update_max"),
    *("tree_remove", "tree_remove_disjoint", "merge_below", "side_append", "side_end"),
    *("update_side", "update_up"),
)
FILE, SENTENCES, REMAINS = (
    f"tests/bench/{name}" for name in ("paths.json", "functions.tsv", "remains.tsv")
)
OUR_SOURCES = (".c", ".S")
LINKED = ".elf"


def _output(*command, told=None):
    """What one of the binutils writes; nothing if it cannot read the file."""
    result = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    return result.stdout


def symbols(kernel):
    """Addresses and names of the kernel's functions, in order."""
    found = []
    for line in _output("nm", "-n", kernel).splitlines():
        address, kind, name = line.split()
        if kind in "tT":
            found.append((int(address, 16), name))
    if not found:
        raise _nameless(kernel, "no symbols")
    return found


def with_symbols(kernel):
    """The file beside a kernel for QEMU as the linker made it, or the kernel itself."""
    linked = kernel.resolve().with_suffix(LINKED)
    return linked if linked.exists() else kernel.resolve()


def _nameless(kernel, what):
    """The error of a kernel whose code has no names."""
    return NovaError(
        f"{kernel} has {what}: put the same kernel as it was linked, with symbols, beside it, as "
        f"{kernel.with_suffix(LINKED).name}.",
        EXIT_FAILED,
    )


def read_frames(text):
    """{address: [(function, file), …]} of what `addr2line -afi` writes, the innermost first."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        if line.startswith("0x"):
            frames = found.setdefault(int(line, 16), [])
        else:
            file = next(lines).split(" (discriminator")[0].rpartition(":")[0]
            frames.append((line, file))
    return found


class Names:
    """Names of addresses: by debug lines, and by symbols where there are none."""

    def __init__(self, functions, frames):
        """FUNCTIONS are symbols(), FRAMES what read_frames() gives."""
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
        """The function whose code it is, with all that the compiler put into it."""
        frames = self._known(address)
        return frames[-1][0] if frames else self._symbol(address)

    def source(self, address):
        """The innermost function of a source file: what a header defines belongs to its user, but
        for the searches in trees."""
        for name, file in self._known(address):
            if file.endswith(OUR_SOURCES) or name in TREES:
                return name
        return self.code(address)

    def summary(self, executed):
        """{function: instructions} of {address: times}, in the order in which they come first."""
        found = {}
        for address, times in executed.items():
            name = self.source(address)
            found[name] = found.get(name, 0) + times
        shown = {name: round(count, 1) for name, count in found.items()}
        return {name: int(n) if n == int(n) else n for name, n in shown.items() if n}


def names_of(kernel, addresses):
    """The names of so many addresses of a kernel."""
    told = "".join(f"{address:#x}\n" for address in sorted(set(addresses)))
    frames = read_frames(_output("addr2line", "-afi", "-e", kernel, told=told))
    return Names(symbols(kernel), frames)


def executed(rows, paths, means):
    """{key: {address: times}}: of a row that is a mean all of its rounds, of another one sample."""
    of_mean = {row.key for row in rows if row.sample == table.MEAN}
    return {key: means[key] if key in of_mean else Counter(path) for key, path in paths.items()}


def summaries(kernel, found):
    """{key: {function: instructions}} of what executed() gives."""
    names = names_of(kernel, itertools.chain.from_iterable(found.values()))
    return {key: names.summary(addresses) for key, addresses in found.items()}


def _disassembly(kernel):
    found = {}
    for line in _output("objdump", "-d", "--no-show-raw-insn", kernel).splitlines():
        address, colon, instruction = line.partition(":\t")
        if colon:
            found[int(address, 16)] = " ".join(instruction.split())
    return found


def summary_text(summary):
    """The functions of one operation, the longest first."""
    cells = [["function", "instructions"]]
    cells += [[name, str(count)] for name, count in sorted(summary.items(), key=lambda i: -i[1])]
    cells.append(["all in the kernel", str(sum(summary.values()))])
    return "\n".join(table.lines(cells))


def _listing(path, names, instructions):
    """Instructions by the function whose code they are, each with the one of the sources."""
    for code, group in itertools.groupby(path, key=names.code):
        group = list(group)
        yield f"{code} ({len(group)})"
        for address in group:
            source = names.source(address)
            note = "" if source == code else f"  # {source}"
            yield f"    {address:x}  {instructions.get(address, '?')}{note}"


def path_text(path, kernel, only_summary):
    """One operation: every instruction, unless only the summary is asked for, and the summary."""
    names, instructions = names_of(kernel, path), _disassembly(kernel)
    missing = next((address for address in path if address not in instructions), None)
    if missing is not None:
        raise _nameless(kernel, f"no instruction at {missing:#x}, where the operation ran")
    summary = summary_text(names.summary(Counter(path)))
    if only_summary:
        return summary
    return "\n".join([*_listing(path, names, instructions), "", summary])


def read_sentences(path):
    """{function or key: its sentence} of a file with two columns."""
    return dict(table.lines_of(path))


def is_above(row, figures, arch):
    figure, target = figures.get(arch, {}).get(row.key), row.target_for(arch)
    return figure is not None and target is not None and figure > target


def above_target(rows, figures, paths):
    """The rows in instructions that are above their target on either architecture."""
    return [
        row
        for row in rows
        if row.unit == table.UNITS[0]
        and any(row.key in paths.get(arch, {}) for arch in ARCHES)
        and any(is_above(row, figures, arch) for arch in ARCHES)
    ]


def sentence_complaints(rows, figures, paths, sentences, remains):
    """What the files of sentences lack."""
    bad, lacking = [], {}
    for row in above_target(rows, figures, paths):
        if row.key not in remains:
            bad.append(f"{REMAINS} does not say why {row.key} is above its target")
        for name in _long_functions([row.key], paths):
            if name not in sentences:
                lacking.setdefault(name, []).append(row.key)
    for name, keys in lacking.items():
        bad.append(f"{SENTENCES} does not say what {name} is needed for ({', '.join(keys)})")
    return bad


def needless(rows, figures, paths, sentences, remains):
    """What in the files of sentences the page has no use for."""
    keys = [row.key for row in above_target(rows, figures, paths)]
    bad = [
        f"{REMAINS} has {key}, which is not above its target: remove the line"
        for key in remains
        if key not in keys
    ]
    long = _long_functions(keys, paths, KEPT_FROM)
    bad += [
        f"{SENTENCES} explains {name}, which has fewer than {KEPT_FROM:g} instructions in each row "
        "above its target: give the line the function's new name, or remove it"
        for name in sentences
        if name not in long
    ]
    return bad


def _is_other(before, now, percent):
    return abs(now - before) > max(FEW, before * percent / 100)


def _row_complaints(old, new):
    """What of one row's functions is not as it is checked in."""
    if old is None:
        yield f"{FILE} lacks its functions"
        return
    for name in {**old, **new}:
        before, now = old.get(name, 0), new.get(name, 0)
        if name not in TREES and _is_other(before, now, TOLERANCE):
            yield f"{name} has {now} instructions, {before} in {FILE}"
    before, now = (sum(found.get(name, 0) for name in TREES) for found in (old, new))
    if _is_other(before, now, TREE_TOLERANCE):
        yield f"trees take {now:.0f} instructions, {before:.0f} in {FILE}"


def complaints(rows, checked_in, found):
    """A sentence for each function whose instructions are not those that are checked in."""
    bad = [
        f"{row.key}: {what}"
        for row, old, new in table.pairs(rows, checked_in, found)
        if new is not None
        for what in _row_complaints(old, new)
    ]
    if bad:
        bad.append("the page tells what is not so: run `nova bench --trace --update`")
    return bad


def _long_functions(keys, paths, least=EXPLAINED_FROM):
    """The functions that have so many instructions in one of these operations, in order."""
    found = {}
    for key in keys:
        for arch in ARCHES:
            for name, count in paths.get(arch, {}).get(key, {}).items():
                if round(count) >= least:
                    found[name] = True
    return list(found)


def _pair(key, paths, value):
    """The two architectures' values of a cell: one if they are the same."""
    wide, narrow = (round(value(paths.get(arch, {}).get(key, {}))) for arch in ARCHES)
    if wide == narrow:
        return str(wide) if wide else ""
    return f"{wide or '–'} ({narrow or '–'})"


def matrix(keys, paths, sentences):
    """Functions of some operations, and why each is needed."""
    long = _long_functions(keys, paths)
    cells = [["instructions", *(f"`{key}`" for key in keys), "what it is needed for"]]
    for name in long:
        counts = [_pair(key, paths, lambda summary, n=name: summary.get(n, 0)) for key in keys]
        cells.append([f"`{name}`", *counts, sentences.get(name, "")])

    def below(summary):
        shown = sum(round(summary.get(name, 0)) for name in long)
        return round(sum(summary.values())) - shown

    rest = f"functions that have fewer than {EXPLAINED_FROM}"
    cells.append(["others", *(_pair(key, paths, below) for key in keys), rest])
    everything = (_pair(key, paths, lambda summary: sum(summary.values())) for key in keys)
    cells.append(["all in the kernel", *everything, ""])
    return table.markdown(cells, last_texts=1)


def remains_table(rows, figures, remains):
    cells = [["operation", "key", "x86_64", "target", "x86_32", "target", "what is above it"]]
    for row in rows:
        numbers = []
        for arch in ARCHES:
            figure, target = figures.get(arch, {}).get(row.key), row.target_for(arch)
            numbers += [table.show(figure), table.show(target)]
        cells.append([row.title, f"`{row.key}`", *numbers, remains.get(row.key, "")])
    return table.markdown(cells, texts=2, last_texts=1)


def write_page(page, families, rows, figures, paths, sentences, remains):
    """The text of a page with the tables of each family of rows between its two marks."""
    above = {row.key: row for row in above_target(rows, figures, paths)}
    parts = []
    for family in families:
        keys = [key for key in family.keys if key in above]
        if keys:
            parts.append(f"## {family.title}")
            parts.append(remains_table([above[key] for key in keys], figures, remains))
            parts.append(matrix(keys, paths, sentences))
    return table.replace_between(page, BEGIN, END, "\n\n".join(["", *parts, ""]))
