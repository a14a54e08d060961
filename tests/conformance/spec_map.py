#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes docs/spec-map.md: each statement of the specification and the cases that show it."""
import argparse
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MAP = HERE.parent.parent / "docs" / "spec-map.md"
CASE = re.compile(r'\.area = "(\w+)",\s*\.name = "(\w+)",\s*\.ids = ((?:"[^"]*"\s*)+),'
                  r'\s*\.run = \w+,\s*\.needs = (\w+|\(\(void \*\)0\))\s*\}')
ARCHES = {"x86-32": ("x86_32", "-m32"), "x86-64": ("x86_64", "-m64")}
# The only headers that the suite may include: those of the interface, of its own harness and of the
# compiler.
INCLUDE = re.compile(r'^\s*#\s*include\s*(\S+)', re.MULTILINE)
ALLOWED = re.compile(r'"nova/abi/\w+\.h"|<std(arg|bool|def|int)\.h>')
STATES = ("covered", "uncovered", "not observable")
# Needs that only one architecture meets, and the other architecture. On that one, the case shows
# nothing.
OTHER = {"needs_x86_64": "x86-32", "needs_x86_32": "x86-64"}


def preprocess(path, arch):
    """Returns a file of cases after the preprocessor."""
    folder, option = ARCHES[arch]
    command = [os.environ.get("CC", "gcc"), "-E", "-P", option, "-ffreestanding"]
    command += ["-I", HERE.parent.parent / "hypervisor/abi", "-I", HERE / "harness"]
    command += ["-I", HERE / "harness" / folder, path]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def read_cases():
    """Yields (architecture, area, sentence, ids, need) of every case."""
    for path in sorted((HERE / "cases").glob("*.c")):
        for arch in ARCHES:
            text = preprocess(path, arch)
            found = CASE.findall(text)
            if len(found) != text.count("struct conformance_case ") // 2:
                sys.exit(f"{path.name}: some case cannot be parsed")
            for area, name, strings, needs in found:
                if area != path.stem:
                    sys.exit(f"{path.name}: the area of {name} is {area}, not that of its file")
                ids = " ".join(re.findall(r'"([^"]*)"', strings)).split()
                yield arch, area, name.replace("_", " "), ids, needs


def read_statements():
    """Returns the rows of the statement table: id, section, applies, statement, how."""
    lines = (HERE / "spec-statements.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines[1:] if line.strip()]
    return [(r[0], r[1], r[2], r[4], r[5] if len(r) > 5 else "") for r in rows]


def read_elsewhere():
    """Yields (id, test) for each statement that a test outside of the suite shows. Exits with a
    message if the test does not exist."""
    lines = (HERE / "elsewhere.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines[1:]:
        statement, test, file, word = line.split("\t")
        if word not in (HERE.parent.parent / file).read_text(encoding="utf-8"):
            sys.exit(f"elsewhere.tsv: {file} has no test {test}")
        yield statement, test


def chapter(row):
    """Returns the part of the table that a statement belongs to."""
    if row[0][0].isalpha():
        return row[0][0]
    return ".".join(row[1].split(".")[:2])


def state(row, covered):
    """Returns the state of a statement, one of STATES."""
    if any(covered.get(row[0], {}).values()):
        return "covered"
    return "not observable" if row[4].startswith("not observable: ") else "uncovered"


def totals(rows, covered):
    """Returns the table at the top: counts for each part."""
    parts = {}
    for row in rows:
        counts = parts.setdefault(chapter(row), dict.fromkeys(STATES, 0))
        counts[state(row, covered)] += 1
    lines = ["| section | statements | " + " | ".join(STATES) + " |", "|---" * 5 + "|"]
    whole = dict.fromkeys(STATES, 0)
    for name, counts in parts.items():
        lines.append(f"| {name} | {sum(counts.values())} | "
                     + " | ".join(str(counts[s]) for s in STATES) + " |")
        for key in STATES:
            whole[key] += counts[key]
    lines.append(f"| all | {sum(whole.values())} | "
                 + " | ".join(str(whole[s]) for s in STATES) + " |")
    return lines


def cover(rows):
    """Returns {id: {case: whether it runs on at least one machine of the tests}}, and the number of
    cases of each architecture."""
    known = {row[0]: row[2] for row in rows}
    covered, counts = {}, dict.fromkeys(ARCHES, 0)
    for arch, area, name, ids, needs in read_cases():
        counts[arch] += needs not in OTHER or OTHER[needs] != arch
        if not ids:
            sys.exit(f"{area}: {name}: the case names no statement")
        for statement in ids:
            if statement not in known:
                sys.exit(f"{area}: {name}: {statement} is not in spec-statements.tsv")
            raised = OTHER.get(needs) != arch
            raised &= known[statement] not in ARCHES or known[statement] == arch
            cases = covered.setdefault(statement, {})
            cases[f"{area}: {name}"] = cases.get(f"{area}: {name}", False) or raised
    for statement, test in read_elsewhere():
        if statement not in known:
            sys.exit(f"elsewhere.tsv: {statement} is not in spec-statements.tsv")
        covered.setdefault(statement, {})[f"test {test}"] = True
    return covered, counts


def document():
    """Returns the whole text of the map."""
    rows = read_statements()
    covered, counts = cover(rows)
    lines = ["# Specification map", "",
             "Generated by `tests/conformance/spec_map.py` from the cases; do not edit.",
             f"{counts['x86-32']} cases for x86-32, {counts['x86-64']} for x86-64. A statement",
             "is *covered* if it is named by a case that runs on at least one machine of the",
             "tests, *not observable* if no program can observe it, else *uncovered*.", ""]
    lines += totals(rows, covered)
    lines += ["", "| id | for | statement | cases | state |", "|---|---|---|---|---|"]
    for row in rows:
        cases = "; ".join(covered.get(row[0], {}))
        text = row[3].replace("|", "\\|")
        shown = state(row, covered)
        if shown == "not observable":
            shown = row[4].replace("|", "\\|")
        lines.append(f"| {row[0]} | {row[2]} | {text} | {cases} | {shown} |")
    return "\n".join(lines) + "\n"


def check_includes():
    """Checks that the suite includes nothing of this kernel, so that it runs on other kernels."""
    own = {f'"{path.name}"' for path in HERE.rglob("*.h")}
    for path in sorted(HERE.rglob("*.[chS]")):
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if name not in own and not ALLOWED.fullmatch(name):
                sys.exit(f"{path.name} includes {name}: cases know the ABI headers alone")


def main():
    """Writes the map, or with --check compares it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only report whether it is up to date")
    check = parser.parse_args().check
    check_includes()
    text = document()
    if not check:
        MAP.parent.mkdir(exist_ok=True)
        MAP.write_text(text, encoding="utf-8")
    elif not MAP.exists() or MAP.read_text(encoding="utf-8") != text:
        sys.exit("docs/spec-map.md is out of date: run tests/conformance/spec_map.py")


if __name__ == "__main__":
    main()
