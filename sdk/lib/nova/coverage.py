# SPDX-License-Identifier: BSD-2-Clause
"""`nova test --coverage`: which lines and branches of the kernel ran.

Under QEMU a plugin (tests/coverage/plugin) sets bits in a map of the kernel's code. Under Bochs,
for VMX, the kernel of the preset x86_64-coverage prints the address of each block that runs. On the
host, gcov counts the lines that the unit tests run. The records of a kernel stay in build/coverage
until the kernel changes, so several runs add up."""

import bisect
import hashlib
import json
import os
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from nova import bench_listing, build, elf, qemu, qemu_plugin, tree
from nova.errors import EXIT_FAILED, EXIT_OK

FOLDER = tree.ROOT / "build" / "coverage"
SOURCE = tree.ROOT / "tests/coverage/plugin"
SOURCES = tree.ROOT / "hypervisor"
# The unit tests of kernel sources: folders of tests/unit.
UNIT = ("kernel", "platform")
# The bits in the plugin's map.
RAN, PASSED, TAKEN = 1, 2, 4
BOTH = PASSED | TAKEN
# Bochs prints the bytes that the kernel writes to port 0xe9. For each block that runs,
# tests/coverage/trace.c writes a line that BLOCK matches.
BOCHS = "port_e9_hack: enabled=1\n"
BLOCK = re.compile(rb"^@([0-9a-f]{16})$", re.MULTILINE)
TRACE = "<__sanitizer_cov_trace_pc>"
# Lines of readelf: the name of the file to which the next rows belong, and a row.
HEADING = re.compile(r"(?:CU: )?(/\S+):$")
ROW = re.compile(r"(\S+)\s+(\d+|-)\s+0x([0-9a-f]+)(?:\s|$)")
# Instructions after which the next one does not run, unless a jump or call leads to it.
ENDS = re.compile(r"(notrack )?(jmp|ret|iret|sysret|sysexit|hlt|ud2)")
CONDITIONAL = re.compile(r"j(?!mp|[er]?cxz)\w+(,p[nt])?")
# Branches of assertions, which only a broken kernel takes, do not count as edges.
CHECK = re.compile(r"\bassert\(")
# Maximum number of lines of a function's head.
HEAD_LINES = 4
HEAD = ("file", "lines", "QEMU", "Bochs", "unit", "any", "%", "edges", "seen", "%")


def begin():
    """Compiles the plugin. Machines that start later write records."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    qemu_plugin.compile_plugin("coverage", FOLDER, SOURCE)
    os.environ[qemu.RECORDING] = str(FOLDER)


def _digest(linked):
    return hashlib.sha256(linked.read_bytes()).hexdigest()[:16]


def ranges(linked):
    """Returns address and size of the kernel's text and of its boot part, which is linked first."""
    boot, text = elf.segments(linked)[:2]
    return text, boot


def plugin(kernel):
    """Returns QEMU's options that load the plugin; none if no kernel with symbols is beside
    KERNEL."""
    linked = bench_listing.with_symbols(Path(kernel))
    if linked.suffix != bench_listing.LINKED or not linked.exists():
        return []
    folder = Path(os.environ[qemu.RECORDING])
    text, boot = ranges(linked)
    record = folder / f"{_digest(linked)}.map"
    with open(record, "ab") as file:
        file.truncate(text[1] + boot[1])
    words = [folder / "coverage.so", f"map={record}"]
    for name, (start, size) in (("text", text), ("boot", boot)):
        words.append(f"{name}={start:#x}:{size}")
    return ["-plugin", ",".join(map(str, words))]


def blocks_file(kernel):
    """Returns the file for the output of Bochs. The number of this process in its name separates
    the records of processes that run at once."""
    linked = bench_listing.with_symbols(Path(kernel))
    return Path(os.environ[qemu.RECORDING]) / f"{_digest(linked)}-{os.getpid()}.blocks"


def run_unit_tests():
    """Runs the unit tests of kernel sources in a build that gcov can count."""
    build.build(tree.COVERAGE_HOST_PRESET, [f"unit-{name}" for name in UNIT])
    status = EXIT_OK
    for name in UNIT:
        folder = tree.build_dir(tree.COVERAGE_HOST_PRESET) / "tests/unit" / name
        command = [folder / f"unit-{name}", "--gtest_brief=1"]
        if subprocess.run(command, cwd=folder, check=False).returncode:
            status = EXIT_FAILED
    return status


def _name(file):
    """Returns the path of a file relative to hypervisor/, or None if the file is elsewhere."""
    path = os.path.normpath(file)
    prefix = f"{SOURCES}/"
    return path.removeprefix(prefix) if path.startswith(prefix) else None


def read_rows(text):
    """Returns {address: (file, line)} from the output of `readelf -wL -W`: where the code of a line
    begins, or None where a file's code ends. Of several rows with the same address, the last
    counts. A heading has the path of the file in the rows after it, except at the start of a unit
    whose first code comes from a header. The path of that header is in another heading."""
    rows, paths, path = {}, {}, ""
    found = []
    for line in text.splitlines():
        row, heading = ROW.match(line), HEADING.match(line)
        if heading:
            path = heading.group(1)
            paths[os.path.basename(path)] = path
        elif row:
            name, number, address = row.groups()
            found.append((int(address, 16), number, name, path))
    for address, number, name, path in found:
        if number == "-":
            rows.setdefault(address, None)
            continue
        file = _name(path if os.path.basename(path) == name else paths.get(name, name))
        rows[address] = (file, int(number)) if file else None
    return rows


def lines_of(addresses, rows):
    """Returns {address: (file, line)} of instructions. An instruction belongs to the last row at or
    before its address."""
    starts, found = sorted(rows), {}
    for address in addresses:
        at = bisect.bisect_right(starts, address) - 1
        place = rows[starts[at]] if at >= 0 else None
        if place:
            found[address] = place
    return found


@dataclass
class Code:
    """A linked kernel: its instructions, and the source line of each."""

    instructions: dict  # {address: text}, in order
    lines: dict  # {address: (file, line)}
    starts: frozenset = frozenset()  # the functions' addresses

    def jumps(self):
        """Returns the addresses of the conditional jumps."""
        words = ((address, text.split()[:1]) for address, text in self.instructions.items())
        return [address for address, [name] in words if CONDITIONAL.fullmatch(name)]

    def lines_of(self, addresses):
        return {self.lines[address] for address in addresses if address in self.lines}


def read_code(linked):
    instructions = {a: text for a, text in bench_listing.disassembly(linked).items() if text}
    # Not addr2line, which names the wrong file for the first code of some units.
    rows = read_rows(bench_listing.output("readelf", "-wL", "-W", linked))
    starts = frozenset(address for address, _ in bench_listing.symbols(linked))
    return Code(instructions, lines_of(instructions, rows), starts)


def ran_in_map(code, record, text, boot):
    """Returns {address: bits} of the instructions for which the plugin's map has bits."""
    found = {}
    for address in code.instructions:
        for (start, size), offset in ((text, 0), (boot, text[1])):
            if start <= address < start + size and record[offset + address - start]:
                found[address] = record[offset + address - start]
    return found


def blocks(code):
    """Yields for each block the return address of its call of TRACE, and its instructions. A block
    ends at the next call of TRACE. Instructions before a function's first call of TRACE belong to
    the function's first block. A block also ends with its function, because the next function may
    be in assembly, which has no calls of TRACE."""
    trace, own, before = None, [], ""
    for address, text in code.instructions.items():
        if address in code.starts or ENDS.match(before):
            if trace:
                yield trace, own
            trace, own = None, []
        elif TRACE in before:
            if trace:
                yield trace, own
                own = []
            trace = address
        own.append(address)
        before = text
    if trace:
        yield trace, own


def ran_in_blocks(code, addresses):
    """Returns the addresses of the instructions in the blocks that have printed their address."""
    return {own for trace, members in blocks(code) if trace in addresses for own in members}


@dataclass
class Figures:
    """The results for one file: sets of line numbers, and counts of edges."""

    code: set = field(default_factory=set)
    qemu: set = field(default_factory=set)
    bochs: set = field(default_factory=set)
    unit: set = field(default_factory=set)
    edges: int = 0
    seen: int = 0
    ways: dict = field(default_factory=dict)  # {line: bits of its jumps, in all copies}

    def any(self):
        return (self.qemu | self.bochs | self.unit) & self.code

    def never(self):
        return sorted(self.code - self.any())

    def one_way(self):
        return sorted(line for line, bits in self.ways.items() if bits and bits & BOTH != BOTH)

    def row(self, name):
        parts = (self.qemu, self.bochs, self.unit)
        counts = [len(part & self.code) for part in parts]
        every, lines = len(self.any()), len(self.code)
        return [
            name, lines, *counts, every, _share(every, lines), self.edges, self.seen,
            _share(self.seen, self.edges),
        ]


def _share(part, whole):
    return f"{100 * part / whole:.1f}" if whole else "–"


class Report:
    """All files; `source` returns the text of a line."""

    def __init__(self, source):
        self.files = defaultdict(Figures)
        self.source = source

    def _add(self, lines, part):
        for name, line in lines:
            getattr(self.files[name], part).add(line)

    def add_map(self, code, ran):
        self._add(code.lines_of(code.instructions), "code")
        self._add(code.lines_of(ran), "qemu")
        for jump in code.jumps():
            place = code.lines.get(jump)
            if place and not CHECK.search(self.source(*place)):
                file, line, bits = self.files[place[0]], place[1], ran.get(jump, 0)
                file.edges += 2
                file.seen += bool(bits & PASSED) + bool(bits & TAKEN)
                file.ways[line] = file.ways.get(line, 0) | bits

    def add_blocks(self, code, ran):
        """Adds the lines that ran in a traced kernel. There, the calls of the trace add code to
        lines without code of their own. So lines of a traced kernel count as code only if no other
        kernel was recorded."""
        if not self.files:
            self._add(code.lines_of(code.instructions), "code")
        self._add(code.lines_of(ran), "bochs")

    def add_gcov(self, text):
        """Adds the counts of gcov. TEXT has one JSON document for each object file."""
        for line in filter(None, text.splitlines()):
            for file in json.loads(line)["files"]:
                name = _name(file["file"])
                ran = {each["line_number"] for each in file["lines"] if each["count"]}
                called = [each for each in file.get("functions", ()) if each["execution_count"]]
                if name:
                    ran |= {each["end_line"] for each in called}
                    ran |= {self._brace(name, each["start_line"]) for each in called}
                    self._add({(name, number) for number in ran}, "unit")

    def total(self):
        """Returns the sum of the figures of all files."""
        total = Figures(edges=sum(f.edges for f in self.files.values()))
        total.seen = sum(file.seen for file in self.files.values())
        for name, file in self.files.items():
            for part in ("code", "qemu", "bochs", "unit"):
                getattr(total, part).update((name, line) for line in getattr(file, part))
        return total

    def table(self):
        """Returns the table as Markdown, the worst files first."""
        known = {name: file for name, file in self.files.items() if file.code}
        worst = sorted(known, key=lambda name: (-len(known[name].never()), name))
        rows = [known[name].row(name) for name in worst] + [self.total().row("all")]
        cells = [HEAD, ["---"] + ["---:"] * (len(HEAD) - 1), *rows]
        return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in cells)

    def _brace(self, name, line):
        """Returns the line of the brace that opens the function whose head begins on LINE. gcov
        counts a function's entry at its head, but in the debug information it is at the brace."""
        lines = range(line, line + HEAD_LINES)
        return next((number for number in lines if self.source(name, number) == "{"), line)

    def _texts(self, choose):
        for name in sorted(self.files):
            for line in choose(self.files[name]):
                yield f"{name}:{line}: {self.source(name, line).strip()}\n"

    def never(self):
        """Yields the text of each source line that never ran."""
        return self._texts(Figures.never)

    def one_way(self):
        """Yields the text of each line that ran, but whose jumps all went in one direction only."""
        return self._texts(Figures.one_way)


class Sources:
    def __init__(self):
        self.files = {}

    def __call__(self, name, line):
        if name not in self.files:
            text = (SOURCES / name).read_text(encoding="utf-8")
            self.files[name] = text.splitlines()
        return self.files[name][line - 1] if line <= len(self.files[name]) else ""


def _add_kernel(found, linked):
    """Adds the records of one kernel. Returns whether there are any."""
    digest = _digest(linked)
    record, texts = FOLDER / f"{digest}.map", list(FOLDER.glob(f"{digest}-*.blocks"))
    if not record.exists() and not texts:
        return False
    code = read_code(linked)
    if record.exists():
        found.add_map(code, ran_in_map(code, record.read_bytes(), *ranges(linked)))
    if texts:
        printed = {int(each, 16) for file in texts for each in BLOCK.findall(file.read_bytes())}
        found.add_blocks(code, ran_in_blocks(code, printed))
    return True


def fresh(records, sources):
    """Returns the RECORDS that are newer than all SOURCES. Older ones may have wrong lines."""
    changed = max(source.stat().st_mtime for source in sources)
    return [record for record in records if record.stat().st_mtime > changed]


def _add_unit(found):
    folder = tree.build_dir(tree.COVERAGE_HOST_PRESET) / "tests/unit"
    records = fresh(sorted(folder.rglob("*.gcda")), (SOURCES / "src").rglob("*.[ch]"))
    if records:
        words = map(str, records)
        found.add_gcov(bench_listing.output("gcov", "--json-format", "--stdout", *words))


def report(presets):
    """Prints the figures of the presets' kernels, and writes the lines that never ran."""
    found = Report(Sources())
    kernels = [tree.kernel(preset).with_suffix(bench_listing.LINKED) for preset in presets]
    recorded = [linked for linked in kernels if linked.exists() and _add_kernel(found, linked)]
    if not recorded:
        print("nova: no test booted a kernel of these presets: nothing is counted", flush=True)
        return
    _add_unit(found)
    print(found.table())
    for what, file, texts in (
        ("lines never ran", "never.txt", found.never()),
        ("lines have a branch that went one way only", "one-way.txt", found.one_way()),
    ):
        texts, path = list(texts), FOLDER / file
        path.write_text("".join(texts), encoding="utf-8")
        print(f"nova: {len(texts)} {what}; {os.path.relpath(path)} lists them", flush=True)
