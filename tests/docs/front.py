# SPDX-License-Identifier: BSD-2-Clause
"""Checks the statements about the tree in its top-level pages: `front.py ROOT`.

README.md: the statements of the specification map, the size of the kernel, the version, and the
virtual CPUs of a guest. sdk.bench checks its figures in instructions. CONTRIBUTING.md: the order of
the kernel's folders. CHANGELOG.md: one line for each entry, and no entry twice in a release.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "sdk/lib"), str(ROOT / "tests/style")]

import check_includes  # noqa: E402
from nova import tree  # noqa: E402

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
ROUNDED = 1000  # lines; README.md gives no exact number, so most commits need not change it


def lines_of_code(texts):
    """Returns the number of lines that are neither empty nor comments."""
    return sum(1 for text in texts for line in COMMENT.sub("", text).splitlines() if line.strip())


def kernel_lines(root):
    files = sorted(path for end in "ch" for path in (root / "hypervisor/src").rglob(f"*.{end}"))
    lines = lines_of_code(path.read_text(encoding="utf-8") for path in files)
    return f"{round(lines, -len(str(ROUNDED)) + 1):,}"


def statements(spec_map):
    """Returns the numbers of all statements, of covered ones, and of those not observable."""
    numbers = re.search(r"^\| all \| (\d+) \| (\d+) \| \d+ \| (\d+) \|$", spec_map, re.MULTILINE)
    return [f"{int(number):,}" for number in numbers.groups()]


def differences(page, text, expected):
    """Returns a complaint about each pattern that the page lacks, or whose number differs.
    EXPECTED: {pattern with one group: the number}."""
    found = []
    for pattern, right in expected.items():
        match = re.search(pattern, " ".join(text.split()))
        if not match:
            found.append(f"{page}: nothing matches '{pattern}'")
        elif match.group(1) != right:
            found.append(f"{page}: '{match.group(0)}' should be {right}")
    return found


def order(text):
    """Returns the folders in the order of a text such as `lib ← arch, memory`."""
    match = re.search(r"`(\w+ ← [^`]+)`", " ".join(text.split()))
    return re.findall(r"\w+", match.group(1)) if match else []


def wrong_order(text, folders):
    """Returns a complaint if CONTRIBUTING.md gives the folders in another order."""
    if order(text) == list(folders):
        return []
    right = " ← ".join(folders)
    return [f"CONTRIBUTING.md: the order of tests/style/check_includes.py is {right}"]


def long_entries(text):
    """Returns a complaint about each entry of CHANGELOG.md that continues on another line."""
    lines = text.splitlines()
    return [
        f"CHANGELOG.md:{number}: the entry takes more than one line"
        for number, line in enumerate(lines, 1)
        if line.startswith("- ") and number < len(lines) and lines[number].startswith("  ")
    ]


def doubled_entries(text):
    """Returns a complaint about each entry that a release of CHANGELOG.md has twice, such as after
    a merge."""
    found, seen = [], set()
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            seen.clear()
        elif line.startswith("- ") and line in seen:
            found.append(f"CHANGELOG.md:{number}: the release has this entry already")
        seen.add(line)
    return found


def figures(root):
    """Returns {pattern in README.md: the number there}."""
    every, covered, hidden = statements((root / "docs/spec-map.md").read_text(encoding="utf-8"))
    header = (root / "roottask/vmm/include/novavmm/vm.h").read_text(encoding="utf-8")
    vcpus = re.search(r"#define NOVA_VM_VCPUS +(\d+)", header).group(1)
    return {
        r"lists ([\d,]+) statements": every,
        r"([\d,]+) of them have a test": covered,
        r"([\d,]+) cannot be observed": hidden,
        r"([\d,]+) lines of C without comments": kernel_lines(root),
        r"Version ([\d.]+\d)": tree.version(),
        r"up to (\d+) virtual CPUs": vcpus,
    }


def main(root):
    text = {
        name: (root / name).read_text(encoding="utf-8")
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
    }
    found = differences("README.md", text["README.md"], figures(root))
    found += wrong_order(text["CONTRIBUTING.md"], check_includes.FOLDERS)
    found += long_entries(text["CHANGELOG.md"]) + doubled_entries(text["CHANGELOG.md"])
    print("\n".join(found))
    print(f"{len(figures(root))} figures, {len(found)} complaints")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
