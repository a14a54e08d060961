# SPDX-License-Identifier: BSD-2-Clause
"""Checks that cited tests exist: `decisions.py ROOT`. docs/kernel/decisions.md cites tests in
brackets; pages about the kernel and tests/README.md name them as `suite.test`. Each decision must
have a number of its own, and no text after the line that ends its citations.

A citation is `file: case, case` of tests/conformance/cases, `unit, suite: test` of tests/unit,
`stress, file: case`, `tests/device, file: case`, or `name: test` of another test. Names may contain
`*`. A part without a colon belongs to the preceding file, or names tests of ctest.
"""

import fnmatch
import re
import sys
from collections import Counter
from pathlib import Path

PAGE = "docs/kernel/decisions.md"
# Brackets of a citation, which are neither a link nor an index in C.
BRACKETS = re.compile(r"(?<![\w\]])\[([^\]\[]*)\](?!\()")
UNIT = re.compile(r"\bTEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)")
CASE = re.compile(r"\b\w*(?:CASE|GROUP)\w*\(\s*(\w+),\s*(\w*)")
PYTHON = re.compile(r"\bdef test_(\w+)\(")
NAMED = re.compile(r"`(?:unit\.)?(\w+)\.([a-z]\w*_[\w*]*)`")
FILES = (".c", ".cc", ".h", ".py")
NUMBER = re.compile(r"^(\d+)\. ", re.MULTILINE)
# A line of text that follows the end of the citations; decisions with lists may go on.
REST = re.compile(r"^ +\S.*\]\n( {4,5}[A-Za-z`].*)", re.MULTILINE)
NAME = re.compile(r"[a-z][\w*]*_[\w*]*")


def tests(sources, rows):
    """Returns the names of tests by their group. SOURCES: pairs of a file's stem and text; ROWS:
    the text of the benchmark's table."""
    found = {"bench": {row.split("\t")[0] for row in rows.splitlines()}}
    for stem, text in sources:
        for group, name in UNIT.findall(text) + CASE.findall(text):
            for key in (group, stem, stem.removesuffix("_test")):
                found.setdefault(key, set()).update((group, name))
        found.setdefault("", set()).update(PYTHON.findall(text))
    return found


def cited(page):
    """Yields (group, name) of each test that a page cites after the name of a group."""
    for bracket in BRACKETS.findall(page):
        for citation in re.sub(r"\s+", " ", bracket).split("; "):
            group = ""
            for part in citation.split(", "):
                if ": " in part:
                    group, part = part.split(": ", 1)
                if group:
                    for name in NAME.findall(part):
                        yield group, name


def missing(page, found):
    """Returns a message for each cited test that does not exist."""
    everything = set().union(*found.values())
    return [
        f"{PAGE}: there is no test {name} of {group}"
        for group, name in cited(page)
        if not fnmatch.filter(found.get(group, everything), name)
    ]


def stale(name_of_page, page, found):
    """Returns a message for each test that a page names and whose suite has no such test."""
    return [
        f"{name_of_page}: there is no test {name} of {group}"
        for group, name in NAMED.findall(page)
        if group in found and not fnmatch.filter(found[group], name)
    ]


def repeated(page):
    """Returns a message for each number that several decisions have."""
    count = Counter(NUMBER.findall(page))
    return [f"{PAGE}: {n} decisions have the number {name}" for name, n in count.items() if n > 1]


def damaged(page):
    """Returns a message for each text that follows the citations of a decision, as after a merge
    that kept a part of another decision."""
    return [
        f"{PAGE}: text after the citations of a decision: {rest.strip()}"
        for decision in re.split(r"^(?=\d+\. )", page, flags=re.MULTILINE)
        if NUMBER.match(decision)
        for rest in REST.findall(decision)
    ]


def main(root):
    sources = (
        (path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((root / "tests").rglob("*"))
        if path.suffix in FILES
    )
    page = (root / PAGE).read_text(encoding="utf-8")
    rows = (root / "tests/bench/rows.tsv").read_text(encoding="utf-8")
    found = tests(sources, rows)
    complaints = missing(page, found) + repeated(page) + damaged(page)
    for path in [*sorted((root / "docs/kernel").glob("*.md")), root / "tests/README.md"]:
        complaints += stale(str(path.relative_to(root)), path.read_text(encoding="utf-8"), found)
    names = len(list(cited(page)))
    print("\n".join(complaints))
    print(f"{names} names, {len(complaints)} complaints")
    sys.exit(1 if complaints or not names else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
