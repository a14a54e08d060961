# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/manual/enlightened.md come from the library's code. `hv_tables.py ROOT` checks
that they are up to date, `hv_tables.py ROOT --update` writes them again.

A table stands between the comments `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

import re
import sys
from pathlib import Path

PAGE = "docs/manual/enlightened.md"
VMM = "roottask/vmm"
HEADER = f"{VMM}/include/novavmm/hv_calls.h"
TABLE = re.compile(r"(<!-- table: (hv_\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
DEFINE = r"^#define +{}(\w+) +\(?(?:UINT64_C\()?1u?\)? << (\d+)\) */\*\*< (.*?) \*/"
CALL = re.compile(r"PARENT_CALL\((0x\w+), (\w+), \"([^\"]+)\"\)"
                  r"|\{(\.code = 0x\w+,.*?)\}", re.DOTALL)

# Checks of nova_hv_execute() in its order: result, what must be true.
CHECKS = (
    ("UNDEFINED", "the hypercall page is enabled; the caller is in protected mode or long mode, "
                  "not virtual-8086 mode, at CPL 0"),
    ("INVALID_CODE", "the code is in the table, or the monitor added it"),
    ("ACCESS_DENIED", "the partition has the privilege"),
    ("INVALID_CODE", "the library has a function for it"),
    ("INVALID_INPUT", "reserved bits, fast, variable part, count, start index, sizes of fast "
                      "parameters"),
    ("UNDEFINED", "XMM registers are permitted, for parameters that need them"),
    ("INVALID_ALIGNMENT", "alignment of input, then of output"),
    ("INVALID_PARAMETER", "the input block, then the output block, lie in RAM, in one page, and "
                          "not in an overlay page; they share no bytes"),
)


def one_line(comment):
    """Returns a comment's text without the stars of its lines."""
    return re.sub(r"\s*\n\s*\*?\s*", " ", comment).strip()


def function(text, name):
    """Returns the body of a function."""
    return re.search(rf"^[\w\s*]*\b{name}\(.*?\n\{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL)[1]


def bits(text, prefix, head):
    """Returns the rows of constants that are one bit each."""
    found = re.findall(DEFINE.format(prefix), text, re.MULTILINE)
    return [head] + [(number, f"`{prefix}{name}`", said) for name, number, said in found]


def privileges(root):
    return bits((root / HEADER).read_text(encoding="utf-8"), "NOVA_HV_PRIVILEGE_",
                ("bit", "privilege", "permits"))


def hints(root):
    return bits((root / HEADER).read_text(encoding="utf-8"), "NOVA_HV_HINT_",
                ("bit", "recommendation", "recommends"))


def leaves(root):
    text = function((root / f"{VMM}/src/hv/cpuid.c").read_text(encoding="utf-8"), "nova_hv_cpuid")
    found = re.findall(r"(?:/\* ((?:(?!\*/).)*) \*/\s*)?case (FIRST_LEAF|LAST_LEAF)(?: \+ (\d))?:"
                       r"(?: /\* (.*?) \*/)?", text, re.DOTALL)
    return [("leaf", "holds")] + [
        (f"0x{0x40000000 + (6 if name == 'LAST_LEAF' else int(number or 0)):08x}",
         one_line(before or after)) for before, name, number, after in found]


def features(root):
    text = (root / f"{VMM}/src/hv/cpuid.c").read_text(encoding="utf-8")
    named = {name: (int(value, 16), said) for name, value, said in
             re.findall(r"^#define (\w+) +(0x[0-9a-f]+)u? +/\* (.*?) \*/", text, re.MULTILINE)}
    rows = [("bit", "feature", "if there is")]
    for needs, name in re.findall(r"if \(hv->(.*?)\)\s+has \|= (\w+);", function(text, "features")):
        value, said = named[name]
        needs = needs.split("& ")[-1] if "&" in needs else f"nova_hv_config.{needs}"
        rows.append((value.bit_length() - 1, said, f"`{needs}`"))
    return rows


def msrs(root):
    text = (root / f"{VMM}/src/hv/numbers.h").read_text(encoding="utf-8")
    found = re.findall(r"/\* ((?:(?!\*/).)*) \*/\s+NOVAVMM_MSR_(\w+) = (0x\w+)", text, re.DOTALL)
    last = dict(re.findall(r"NOVAVMM_MSR_(\w+)_LAST = (0x\w+)", text))
    known = {name: int(value, 16) for name, value in
             re.findall(r"(NOVAVMM_MSR_\w+) = (0x\w+)", text)}
    ranges = [(known[first], known[end], "`nova_hv_config.crashed`" if need == "0" else f"`{need}`")
              for first, end, need in re.findall(
                  r"\{(NOVAVMM_MSR_\w+),\s+(NOVAVMM_MSR_\w+),\s+(\w+),",
                  (root / f"{VMM}/src/hv/msr.c").read_text(encoding="utf-8"))]
    rows = [("MSR", "privilege", "holds")]
    for comment, name, number in found:
        need = [need for first, end, need in ranges if first <= int(number, 16) <= end]
        shown = f"{number} to {last[name]}" if name in last else number
        rows.append((shown, need[0], one_line(comment)))
    return rows


def parameters(body):
    """Returns the sizes and kinds of a call's description."""
    size = dict(re.findall(r"\.(input|input_element|output|output_element) = (\d+)", body))
    said = [f"{text} {size[key]} bytes" for key, text in
            (("input", "input"), ("input_element", "elements of"), ("output", "output"),
             ("output_element", "output elements of")) if key in size]
    said += [kind for kind in ("rep", "variable", "fast") if f".{kind} = true" in body]
    return ", ".join(said)


def calls(root):
    text = (root / f"{VMM}/src/hv/calls.c").read_text(encoding="utf-8")
    text = text[text.index("nova_hv_calls[]"):]
    rows = [("code", "call", "result", "parameters", "privilege")]
    for code, _, name, body in CALL.findall(text[:text.index("\n};")]):
        if code:
            rows.append((code, name, "`ACCESS_DENIED`", "–", "no guest has it"))
            continue
        code = re.search(r"0x\w+", body)[0]
        need = re.search(r"\.privilege = (\w+)", body)
        rows.append((code, re.search(r"\.name = \"(.*?)\"", body)[1],
                     "done" if ".function" in body else "`INVALID_CODE`", parameters(body),
                     f"`{need[1]}`" if need else "–"))
    return rows


def statuses(root):
    text = (root / HEADER).read_text(encoding="utf-8")
    return [("number", "status", "meaning")] + [
        (number, f"`NOVA_HV_{name}`", words) for number, name, words in
        re.findall(r"ROW\((0x\w+), (\w+), \"([^\"]+)\"\)", text)]


def checks(root):
    """Returns the checks, if their results are in the code in this order."""
    text = (root / f"{VMM}/src/hv/call.c").read_text(encoding="utf-8")
    bodies = function(text, "nova_hv_execute") + function(text, "check_and_execute")
    order = re.findall(r"return (?:finish\(frame, )?NOVA_HV_([A-Z_]+)", bodies)
    order += [name for name in re.findall(r"return NOVA_HV_([A-Z_]+)",
                                          function(text, "check_blocks")) if name != "SUCCESS"]
    if order != [result for result, _ in CHECKS]:
        sys.exit(f"the order of checks in the code is {', '.join(order)}: change CHECKS of "
                 "tests/docs/hv_tables.py")
    return [("check", "result")] + [
        (text, "#UD" if result == "UNDEFINED" else f"`{result}`") for result, text in CHECKS
    ] + [("parameters", "a status of the call")]


def refusals(root):
    text = (root / f"{VMM}/src/hv/check.c").read_text(encoding="utf-8")
    found = re.findall(r"(EINVAL|ENOTSUP),\s*((?:\"[^\"]*\"\s*)+)\}", text)
    found += [(error, said) for said, error in
              re.findall(r"\*why = ((?:\"[^\"]*\"\s*)+);\s*return (\w+);", text)]
    return [("error", "message")] + [
        (f"`{error}`", "".join(re.findall(r"\"([^\"]*)\"", said))) for error, said in found]


TABLES = {"hv_privileges": privileges, "hv_hints": hints, "hv_leaves": leaves,
          "hv_features": features, "hv_msrs": msrs, "hv_calls": calls, "hv_statuses": statuses,
          "hv_checks": checks, "hv_refusals": refusals}


def table(rows):
    """Returns the lines of a table, whose first row is its head."""
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0])] + lines[1:]) + "\n"


def main():
    root, update = Path(sys.argv[1]), "--update" in sys.argv
    path = root / PAGE
    page = path.read_text(encoding="utf-8")
    found = [match[1] for match in TABLE.findall(page)]
    empty = [name for name in found if name in TABLES and len(TABLES[name](root)) < 4]
    if sorted(found) != sorted(TABLES) or empty:
        sys.exit(f"{PAGE}: has the tables {found}, without rows: {empty}")
    new = TABLE.sub(lambda match: match[1] + table(TABLES[match[2]](root)) + match[3], page)
    if update:
        path.write_text(new, encoding="utf-8")
    elif new != page:
        sys.exit(f"{PAGE} is not up to date: python3 tests/docs/hv_tables.py . --update")
    print(f"{len(found)} tables")


if __name__ == "__main__":
    main()
