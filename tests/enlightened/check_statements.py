# SPDX-License-Identifier: BSD-2-Clause
"""Checks the statements about enlightened guests, and the manual's table of hypercalls:
`check_statements.py ROOT`.

Each statement occurs once, its group exists, and a case that it names is a test, a figure with a
limit, or a section of a page. The table of docs/manual/enlightened.md has a row for each call of
roottask/vmm/src/hv/calls.c, in the order of that file.
"""

import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "docs"))
import statements  # noqa: E402

TABLE = "tests/enlightened/statements.tsv"
TESTS = "tests/unit/vmm"
CALLS = "roottask/vmm/src/hv/calls.c"
PAGE = "docs/manual/enlightened.md"
FIGURES = "tests/bench/enlightened.tsv"
GROUPS = range(1, 36)

BOOTS = ("tests/vmm/enlightened.cmake", "examples/enlightened-hello/CMakeLists.txt",
         "examples/enlightened-linux/CMakeLists.txt")
BOOT = re.compile(r"nova_add_boot_test\(([\w.-]+)")
TEST = re.compile(r"TEST_F\((\w+),\s*(\w+)\)")
CALL = re.compile(r"(PARENT_CALL|NO_CALL)\((0x\w+),[^\"]*\"([^\"]+)\"\)"
                  r"|\{\.code = (0x\w+),(.*?)\.name = \"([^\"]+)\"\}", re.DOTALL)


def cases(root):
    """Returns the set of cases, as `unit SUITE.CASE`, `boot NAME`, `bench FIGURE` and `stated
    PAGE#SECTION`."""
    found = set()
    for path in (root / TESTS).glob("hv_*_test.cc"):
        found |= {"unit " + ".".join(match)
                  for match in TEST.findall(path.read_text(encoding="utf-8"))}
    for path in BOOTS:
        text = (root / path).read_text(encoding="utf-8")
        found |= {f"boot {name}" for name in BOOT.findall(text)}
    for line in (root / FIGURES).read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if line[0] != "#" and fields[1] != "inf":
            found.add(f"bench {fields[0]}")
    found |= {f"stated {PAGE}#{section}"
              for section in statements.anchors((root / PAGE).read_text(encoding="utf-8"))}
    return found


def wrong_case(group, case, known):
    """Returns a message for the case of a statement, or None."""
    if case == "noise" or case.startswith("elsewhere "):
        expected = 35 if case == "noise" else 34
        return None if group == expected else f"{case} belongs to group {expected}"
    if group > 33:
        return f"group {group} has no cases"
    return None if case in known else f"the case {case} does not exist"


def calls(text):
    """Returns (code, name, outcome) of each call in the code's table."""
    found = []
    for kind, code, name, own, body, own_name in CALL.findall(text):
        outcome = "`ACCESS_DENIED`" if kind == "PARENT_CALL" else "`INVALID_CODE`"
        if ".function" in body:
            outcome = "done"
        found.append((code or own, name or own_name, outcome))
    return found


def call_errors(code, page):
    """Returns messages about the manual's table of calls."""
    rows = re.findall(r"^\| (0x\w{4}) \| ([^|]+) \| (`\w+`|done)", page, re.MULTILINE)
    if rows == calls(code):
        return []
    return [f"{PAGE}: {row} is not in the code's table, or not in its place"
            for row, expected in zip(rows + [None], calls(code) + [None]) if row != expected][:1]


def main():
    """Prints the messages; returns 1 if there is one."""
    root = Path(sys.argv[1])
    known = cases(root)
    text = (root / TABLE).read_text(encoding="utf-8")
    found = [f"{TABLE}:{line}" for line in
             statements.errors(text, GROUPS, lambda group, case: wrong_case(group, case, known))]
    found += call_errors((root / CALLS).read_text(encoding="utf-8"),
                         (root / PAGE).read_text(encoding="utf-8"))
    print("\n".join(found) or f"{len(known)} cases")
    return 1 if found or not known else 0


if __name__ == "__main__":
    sys.exit(main())
