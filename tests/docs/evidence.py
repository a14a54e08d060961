# SPDX-License-Identifier: BSD-2-Clause
"""Compares promises.md and SECURITY.md with the evidence: `evidence.py ROOT [--update]`. The
tables of coverage, mutations, random work and long runs in promises.md are written from their
sources. The page about coverage has a row for each source file of the kernel for x86-64, and for no
other. SECURITY.md names each module of the proofs, each model and each flaw of a CPU."""

import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk" / "lib"))

from nova import mutation, mutation_table, table  # noqa: E402

PROMISES = "docs/promises.md"
SECURITY = "SECURITY.md"
COVERAGE = "docs/kernel/coverage.md"
KERNEL = "hypervisor/src"
# Files without code in the kernel for x86-64, or whose code runs in a copy below 1 MiB.
UNCOUNTED = re.compile(r"x86_32/|(asm_offsets\.c|multiboot_header\.S|trampoline\.S)$")
SPECULATION = "docs/kernel/speculation.md"
MARK = "<!-- {}: written by tests/docs/evidence.py -->"
END = "<!-- end of {} -->"
COUNTED = re.compile(r"^Counted on ([\d-]+) on the kernel of commit (\w+), ", re.MULTILINE)
FILE_ROW = re.compile(r"^\| ([\w./]+/[\w.]+) \| (\d+ .*) \|$", re.MULTILINE)
FLAW = re.compile(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)
NAMED = re.compile(r"`(proofs|models)\.([\w-]+)`")
AIM_MINUTES = 20.0  # aim: CPU-minutes of a fuzzer without new coverage
AIM_SHARES = {"kernel": 95, "libnova": 90}  # of caught mutations, in percent
AIM_SHARE = 85
WORD = re.compile(r"[\w.${}-]+")
PREFIX = re.compile(r"^(runtime\.(block\.|net\.)?|soak\.)")


def number(value):
    return f"{value:,}"


def share(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "–"


def coverage(root):
    """Returns a table with a row for each folder of the kernel, and one for all."""
    text = (root / COVERAGE).read_text(encoding="utf-8")
    date, commit = COUNTED.search(text).groups()
    sums = {}
    for file, cells in FILE_ROW.findall(text):
        lines, *_, ran, _, edges, seen, _ = (cell.strip() for cell in cells.split("|"))
        folder = file.removeprefix("../").split("/")[0]
        counts = sums.setdefault(folder, Counter())
        counts.update(lines=int(lines), ran=int(ran), edges=int(edges), seen=int(seen))
    everything = sum(sums.values(), Counter())
    head = [f"the kernel of {commit}, {date}", "lines", "ran", "share", "edges", "taken", "share"]
    body = [
        [
            name,
            *(number(counts[key]) for key in ("lines", "ran")),
            share(counts["ran"], counts["lines"]),
            *(number(counts[key]) for key in ("edges", "seen")),
            share(counts["seen"], counts["edges"]),
        ]
        for name, counts in [*sorted((f"`{k}`", v) for k, v in sums.items()), ("all", everything)]
    ]
    return table.markdown([head, *body])


def uncounted(root):
    """Returns a message for each kernel file without a row, and for each row without a file."""
    rows = {file for file, _ in FILE_ROW.findall((root / COVERAGE).read_text(encoding="utf-8"))}
    kernel = root / KERNEL
    files = {path.relative_to(kernel).as_posix() for path in kernel.rglob("*.[cS]")}
    needed = {file for file in files if not UNCOUNTED.search(file)}
    found = [f"{COVERAGE} has no row for {file}: count again" for file in sorted(needed - rows)]
    gone = [file for file in sorted(rows)
            if not (kernel / file).exists() and not (kernel.parent / file[3:]).exists()]
    return found + [f"{COVERAGE} has a row for {file}, which does not exist" for file in gone]


def mutations():
    """Returns a table with a row for each part of the tree that has mutations."""
    rows = mutation_table.read()
    sums = {}
    for one in mutation.parse(mutation.FILE.read_text(encoding="utf-8")):
        row = rows[one.name]
        kind = "survive" if row.survives() else "open" if row.is_open() else "caught"
        sums.setdefault(one.component(), Counter()).update([kind, "all"])
    head = ["part", "faults", "caught", "caught, test not recorded", "survive with a reason",
            "share caught", "at least"]
    body = []
    for part in mutation.COMPONENTS.values():
        counts = sums[part]
        known = counts["all"] - counts["survive"]
        body.append([part, *(str(counts[key]) for key in ("all", "caught", "open", "survive")),
                     share(known, counts["all"]), f"{AIM_SHARES.get(part, AIM_SHARE)} %"])
    return table.markdown([head, *body])


def rows_of(path):
    """Returns the rows below the head of a table with tabs; # begins a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def random_work(root):
    """Returns a table of the fuzzer's totals by kernel, and one row of the readers' fuzzers."""
    sums = {}
    for arch, config, commit, _, _, boots, calls, good, events, exits in rows_of(
            root / "tests/fuzzer/totals.tsv")[1:]:
        one = sums.setdefault(f"{arch}, {config}", {"counts": Counter(), "commits": []})
        one["counts"].update(boots=int(boots), calls=int(calls), good=int(good),
                             events=int(events), exits=int(exits))
        one["commits"].append(commit)
    head = ["kernel", "commits", "boots", "hypercalls", "succeeded", "events", "exits of guests"]
    body = [
        [name, ", ".join(dict.fromkeys(one["commits"])), number(one["counts"]["boots"]),
         number(one["counts"]["calls"]), share(one["counts"]["good"], one["counts"]["calls"]),
         number(one["counts"]["events"]), number(one["counts"]["exits"])]
        for name, one in sums.items()
    ]
    searched = rows_of(root / "tests/fuzz/searched.tsv")[1:]
    begun = [row for row in searched if float(row[3])]
    ready = [row for row in searched if float(row[2]) >= AIM_MINUTES]
    summary = (f"Of the {len(searched)} fuzzers of readers, {len(begun)} have a search on record, "
               f"and\n{len(ready)} found nothing new in {AIM_MINUTES:.0f} CPU-minutes, the aim.")
    return table.markdown([head, *body], texts=2) + "\n\n" + summary


def endurance(root):
    head = ["test", "commit", "date", "seconds", "result"]
    body = [[f"`{test}`", commit, date, number(int(seconds)), result]
            for test, commit, date, result, seconds in rows_of(root / "tests/endurance.tsv")]
    return table.markdown([head, *body], texts=3, last_texts=1)


def tables(root):
    return {"coverage": coverage(root), "mutations": mutations(),
            "random work": random_work(root), "endurance": endurance(root)}


def unknown_tests(root, names):
    """Returns the names that match no word of the CMake files; ${…} in a word is any text."""
    files = [path for path in (root / "tests").rglob("*")
             if path.name == "CMakeLists.txt" or path.suffix == ".cmake"]
    words = {word for path in files for word in WORD.findall(path.read_text(encoding="utf-8"))}
    fits = [re.sub(r"\\\$\\\{\w+\\\}", ".+", re.escape(word)) for word in words
            if len(re.sub(r"\$\{\w+\}", "", word)) > 6]
    one = re.compile("|".join(fits))
    return [name for name in names if not one.fullmatch(PREFIX.sub("", name))]


def flaws(page):
    """Returns the short names of the flaws of CPUs that the page about speculation lists."""
    part = page.split("## Flaws")[1].split("\n## ")[0]
    names = [name for name in FLAW.findall(part) if name not in ("flaw", "---")]
    return [re.sub(r".*\(([^)]+)\)$", r"\1", name) for name in names]


def complaints(page, modules, models, flaw_names):
    """Returns a message for each module, model or flaw that SECURITY.md does not name, and for each
    name there that does not exist."""
    named = {kind: {name for k, name in NAMED.findall(page) if k == kind}
             for kind in ("proofs", "models")}
    found = []
    for kind, there in (("proofs", set(modules)), ("models", set(models))):
        missing = sorted(there - named[kind])
        found += [f"{SECURITY} does not name {kind}.{name}" for name in missing]
        found += [f"there is no {kind}.{name}" for name in sorted(named[kind] - there)]
    return found + [f"{SECURITY} does not name the flaw {name}" for name in flaw_names
                    if name not in page]


def main(root, update):
    page = root / PROMISES
    before = after = page.read_text(encoding="utf-8")
    for name, shown in tables(root).items():
        after = table.replace_between(after, MARK.format(name), END.format(name), shown)
    if update:
        page.write_text(after, encoding="utf-8")
    elif before != after:
        sys.exit(f"{PROMISES} is out of date: python3 tests/docs/evidence.py . --update")
    modules = [row[0] for row in rows_of(root / "tests/proofs/modules.tsv")[1:]]
    models = [path.stem for path in (root / "tests/models").glob("*.pml")]
    names = flaws((root / SPECULATION).read_text(encoding="utf-8"))
    found = complaints((root / SECURITY).read_text(encoding="utf-8"), modules, models, names)
    tests = [row[0] for row in rows_of(root / "tests/endurance.tsv")]
    found += [f"endurance.tsv: no test is called {name}" for name in unknown_tests(root, tests)]
    found += uncounted(root)
    if not (modules and models and names and tests):
        found.append("a source is empty")
    print("\n".join([*found, f"{len(modules)} modules, {len(models)} models, {len(names)} flaws"]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--update" in sys.argv[2:])
