#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks the statements about secure VMs, and the tables of docs/manual/secure.md:
`check_statements.py ROOT MBEDTLS [--update]`. MBEDTLS: folder of mbedTLS's source.

Each statement occurs once, and its case exists: a test and a line, or a section of a page. A boot
test must require the line: it is part of a line that its own EXPECT names, or the name of a case in
its own sources, and the test counts its cases. The page's table of calls has the rows of
ultravisor_calls.h (--update writes it). The page on trust states numbers of lines that are not
exceeded, and the page on terms has each term of the document. The functions for ultracalls pass as
many parameters as their rows have. exits.tsv says for each cause of an exit who handles it, and has
a case for that; it is the source of another table of the page.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk" / "lib"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "docs"))
import statements  # noqa: E402
from nova import doc_rows  # noqa: E402

ROOT = Path(sys.argv[1])

TABLE = "tests/secure/statements.tsv"
PAGE = "docs/manual/secure.md"
TERMS = "docs/manual/terms.md"
TRUST = "docs/manual/secure-trust.md"
EXITS = "tests/secure/exits.tsv"
CAUSES = "roottask/vmm/include/novavmm/exit.h"
CALLS = "roottask/include/novart/service/ultravisor_calls.h"
GROUPS = range(1, 38)
# Headers with a function for each ultracall of a caller: (header, prefix, function that they call).
STUBS = {
    "BY_VMM": ("roottask/include/novart/service/ultravisor.h", "nova_uv_", 4),
    "BY_GUEST": ("roottask/vmm/include/novauv/guest.h", "nova_guest_", 2),
}
WORDS = ("hypercall", "normal memory", "normal page", "shared page", "secure memory",
         "secure page", "SVM", "ultracall")
BOOTS = ("tests/secure", "examples/secure-*", "tests/vmm")
HOSTS = ("tests/secure/test_*.py", "tests/sdk/test_seal*.py")
UNITS = "tests/unit/ultravisor/*_test.cc"

COMMAND = re.compile(r"^ *(set|foreach|endforeach|add_test|set_tests_properties|"
                     r"nova_add_(?:boot|debian|secure)_test)"
                     r"\(((?:\"(?:[^\"\\]|\\.)*\"|#[^\n]*|[^\"()#]|\([^()]*\))*)\)",
                     re.MULTILINE | re.DOTALL)
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)', re.DOTALL)
KEYWORD = re.compile(r"[A-Z_]{3,}$")
CASES = re.compile(r"1\.\.\d+")  # the last line of a test that counts its cases
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
PLACE = re.compile(r"(<!-- table: secure_(\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)

MBEDTLS = ("aes aesni bignum cipher cipher_wrap constant_time ctr_drbg ecp ecp_curves gcm hkdf md "
           "platform_util sha256")
# Trusted parts: (name in the page on trust, files).
PARTS = (
    ("kernel", ("hypervisor/**/*.[chS]",)),
    ("init and its runtime", ("libnova/**/*.[chS]", "roottask/src/**/*.[chS]",
                              "roottask/include/**/*.h", "roottask/init/*.c",
                              "roottask/system/*.[ch]")),
    ("ultravisor without cryptography", ("roottask/ultravisor/[!c]*.[ch]",
                                         "roottask/ultravisor/c[!r]*.[ch]")),
    ("novavmm's files that it uses", ("roottask/vmm/src/*.[ch]",
                                      "roottask/vmm/src/device/lapic*.[ch]",
                                      "roottask/vmm/include/**/*.h")),
    ("its cryptography", ("roottask/ultravisor/crypto*.[ch]",)),
    ("mbedTLS", ()),
    ("service `pci`", ("roottask/services/pci/*.[ch]",)),
)
# Handlers of exits, by their words in exits.tsv.
WHO = {"inside": "ultravisor", "reflected": "monitor", "refused": "ultravisor: ends the guest"}
MOST = 4500  # lines of the ultravisor without cryptography


def literals(text):
    """Returns the names of a source's checks: strings that are, or end, the last argument of
    check(), or the argument of end(), which checks something. Strings that follow each other are
    joined."""
    joined = rf"{STRING.pattern}(?:\s+{STRING.pattern})*"
    return {"".join(STRING.findall(found.group())) for found in
            re.finditer(rf"(?:[,:]\s*|\bend\(){joined}(?=\s*\);)", text)}


class Boots:
    """The boot tests of CMake files: {name: (text of each line that the test expects, strings of
    its own sources if the test counts its cases)}."""

    def __init__(self):
        self.found = {}
        for folder in (place for pattern in BOOTS for place in sorted(ROOT.glob(pattern))):
            for path in [folder / "CMakeLists.txt", *sorted(folder.glob("*.cmake"))]:
                if path.exists():
                    self._read(path.read_text(encoding="utf-8"), folder)

    def _read(self, text, folder):
        """Reads the commands of a file in their order."""
        values, loops = {}, []
        for command, rest in COMMAND.findall(text):
            words = [quoted or plain for quoted, plain in
                     WORD.findall(re.sub(r"(?m)^#.*|\s#.*", "", rest))]
            if command == "foreach":
                loops.append((words[0], words[1:]))
            elif command == "endforeach":
                loops.pop()
            elif command == "set":
                values[words[0]] = self._expanded(words[1:], values)
            else:
                for name in loops[-1][1] if loops else [""]:
                    inner = {**values, loops[-1][0]: [name]} if loops else values
                    self._add(command, self._expanded(words, inner), folder)

    @staticmethod
    def _expanded(words, values):
        """Replaces the variables of words; a word that is one variable becomes its values."""
        found = []
        for word in words:
            alone = re.fullmatch(r"\$\{(\w+)\}", word)
            if alone and alone[1] in values:
                found += values[alone[1]]
            else:
                found.append(re.sub(r"\$\{(\w+)\}",
                                    lambda name: " ".join(values.get(name[1], [name[0]])), word))
        return found

    def _add(self, command, words, folder):
        after = {}
        key = None
        for word in words:
            key = word if KEYWORD.match(word) else key
            after.setdefault(key, []).append(word)
        expected = [plain(word) for word in
                    after.get("EXPECT", [])[1:] + after.get("PASS_REGULAR_EXPRESSION", [])[1:]]
        counts = "TAP" in after or any(CASES.search(line) for line in expected)
        strings = set()
        for source in after.get("SOURCES", [])[1:]:
            if counts:
                strings |= strings_of(folder / source)
        if command.startswith("nova_add"):
            prefix = "" if command == "nova_add_boot_test" else "secure."
            self.found[prefix + words[0]] = (expected, strings)
        elif command == "set_tests_properties" and "PASS_REGULAR_EXPRESSION" in after:
            self.found[words[0]] = (expected, strings)

    def wrong(self, name, line):
        """Returns a message if a test does not print a line, or does not require it."""
        if name not in self.found:
            return f"there is no boot test {name}"
        expected, strings = self.found[name]
        if not line or line in strings or any(line in text for text in expected):
            return None
        return f"the test {name} does not require: {line}"


def plain(pattern):
    """Returns the text that a regular expression of a CMake file matches."""
    return re.sub(r"\\+(.)|\[(.)\]", r"\1\2", pattern).strip("^$")


def strings_of(source):
    """Returns the strings of a source and of its own headers."""
    text = source.read_text(encoding="utf-8")
    found = literals(text)
    for name in re.findall(r'^#include "(\w+\.h)"', text, re.MULTILINE):
        if (source.parent / name).exists():
            found |= literals((source.parent / name).read_text(encoding="utf-8"))
    return found


def tests(patterns, expression):
    """Returns the names of tests in files."""
    return {".".join(match) if isinstance(match, tuple) else match
            for pattern in patterns for path in ROOT.glob(pattern)
            for match in re.findall(expression, path.read_text(encoding="utf-8"))}


def sections():
    """Returns the names of the sections that state something."""
    return {f"{page}#{anchor}" for page in (PAGE, TERMS, TRUST)
            for anchor in statements.anchors((ROOT / page).read_text(encoding="utf-8"))}


class Cases:
    """Tests that a statement can name."""

    def __init__(self):
        self.boots = Boots()
        self.units = tests((UNITS,), r"TEST_F\((\w+),\s*(\w+)\)")
        self.hosts = tests(HOSTS, r"def (test_\w+)\(")
        self.hosts |= tests(("tests/secure/CMakeLists.txt",), r"add_test\(NAME ([\w.-]+)")
        self.stated = sections()

    def wrong(self, case):
        """Returns a message for a case, or None."""
        kind, _, what = case.partition(" ")
        if kind == "open":
            return None if what else "does not say what is missing"
        if kind == "boot":
            return self.boots.wrong(*what.partition(": ")[::2])
        known = {"unit": self.units, "host": self.hosts, "stated": self.stated}
        return None if what in known.get(kind, ()) else f"the case {case} does not exist"


def exits():
    """Returns the rows of the table of exits: [cause, who handles it, action, case]."""
    lines = (ROOT / EXITS).read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t") for line in lines]


def causes():
    """Returns the causes of exits: {name: description}."""
    rows = doc_rows.read(ROOT / CAUSES)["NOVA_VM_EXIT_ROWS"]
    return {name: text for name, text, _ in rows}


def exit_errors(cases):
    """Returns messages about the table of exits."""
    rows = exits()
    found = []
    if [row[0] for row in rows] != list(causes()):
        found.append(f"{EXITS} does not have the causes of {CAUSES} in their order")
    for name, who, _, case in rows:
        if who not in WHO:
            found.append(f"{EXITS}: {name}: {who} is no handler")
        wrong = cases.wrong(case)
        if wrong:
            found.append(f"{EXITS}: {name}: {wrong}")
    return found


def exit_table():
    """Returns the page's table of exits."""
    texts = causes()
    return ["| exit | handled by | action |", "|---|---|---|"] + [
        f"| {texts.get(name, name)} | {WHO.get(who)} | {action} |"
        for name, who, action, _ in exits()]


def kinds():
    """Returns the meanings of the kinds of parameters, by their names."""
    text = (ROOT / CALLS).read_text(encoding="utf-8")
    return dict(re.findall(r"NOVA_UV_IS_(\w+), +/\*\*< (.*?) \*/", text))


def call_table(rows, meaning):
    """Returns the page's table of ultracalls."""
    lines = ["| ultracall | number | caller | another caller gets | parameters |",
             "|---|---|---|---|---|"]
    for name, _, number, caller, elsewhere, *parameters in rows["NOVA_UV_CALL_ROWS"]:
        words = [meaning[kind] for kind in parameters if kind != "NONE"]
        who = {"BY_VMM": "VMM", "BY_GUEST": "guest"}[caller]
        lines.append(f"| `UV_{name}` | {number} | {who} | `U_{elsewhere}` "
                     f"| {'; '.join(words) or '–'} |")
    return lines


def status_table(rows, macro, prefix):
    """Returns the page's table of statuses."""
    return ["| status | value | meaning |", "|---|---|---|"] + [
        f"| `{prefix}{name}` | {value} | {text} |" for name, value, text in rows[macro]]


def tables():
    """Returns the tables of the page that are made of the rows."""
    rows = doc_rows.read(ROOT / CALLS)
    hypercalls = ["| call | number | the VMM |", "|---|---|---|"] + [
        f"| `H_{name}` | {number} | {text} |" for name, number, text in rows["NOVA_H_CALL_ROWS"]]
    return {
        "calls": call_table(rows, kinds()),
        "exits": exit_table(),
        "statuses": status_table(rows, "NOVA_U_STATUS_ROWS", "U_"),
        "hypercalls": hypercalls,
        "answers": status_table(rows, "NOVA_H_STATUS_ROWS", "H_"),
    }


def filled(page):
    """Returns the page with its tables made of the rows."""
    made = tables()
    return PLACE.sub(lambda match: match[1] + "\n".join(made[match[2]]) + "\n" + match[3], page)


def lines_of(path):
    """Returns the number of lines of code in a file: neither blank nor comment."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return sum(1 for line in text.splitlines() if line.strip())


def stub_errors():
    """Returns messages about functions of the headers that do not pass their ultracall's number and
    as many parameters as it has. The library passes a VM's number itself."""
    found = []
    for name, function, _, caller, _, *kinds_of in doc_rows.read(ROOT / CALLS)["NOVA_UV_CALL_ROWS"]:
        header, prefix, most = STUBS[caller]
        needed = len([kind for kind in kinds_of if kind not in ("NONE", "LPID", "SECURE", "NEW")])
        text = (ROOT / header).read_text(encoding="utf-8")
        stub = re.search(rf"\b{prefix}{function}\(([^)]*)\)\s*{{([^}}]*)}}", text)
        passed = stub and re.search(rf"\bNOVA_UV_{name}\b((?:, \w+)*)\)", stub[2])
        words = re.findall(r"\w+", passed[1]) if passed else []
        if len(words) != most or [word == "0" for word in words] != [
                number >= needed for number in range(most)]:
            found.append(f"{header}: {prefix}{function}() does not pass {needed} parameters "
                         f"of UV_{name}")
    return found


def size_errors(mbedtls):
    """Returns messages about the stated numbers of lines."""
    page, found = (ROOT / TRUST).read_text(encoding="utf-8"), []
    for name, patterns in PARTS:
        files = [path for pattern in patterns for path in ROOT.glob(pattern)]
        files = files or [mbedtls / "library" / f"{word}.c" for word in MBEDTLS.split()]
        if not all(path.exists() for path in files):
            found.append(f"the source of {name} is missing")
            continue
        count = sum(lines_of(path) for path in files)
        row = re.search(rf"^\| {re.escape(name)} \| ([\d,]+) \|", page, re.MULTILINE)
        most = int(row[1].replace(",", "")) if row else 0
        if not count <= most <= count * 1.25:
            found.append(f"{TRUST} states {most} lines of {name}, and it has {count}")
        if name.startswith("ultravisor") and count > MOST:
            found.append(f"the ultravisor has {count} lines, more than {MOST}")
    return found


def main():
    """Prints the messages; returns 1 if there is one."""
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    if "--update" in sys.argv:
        page = filled(page)
        (ROOT / PAGE).write_text(page, encoding="utf-8")
    text = (ROOT / TABLE).read_text(encoding="utf-8")
    cases = Cases()
    found = [f"{TABLE}:{line}" for line in
             statements.errors(text, GROUPS, lambda _, case: cases.wrong(case))]
    if len(PLACE.findall(page)) != len(tables()) or filled(page) != page:
        found.append(f"{PAGE}: a table of calls is out of date: check_statements.py --update")
    found += exit_errors(cases) + stub_errors()
    found += size_errors(Path(sys.argv[2]))
    terms = (ROOT / TERMS).read_text(encoding="utf-8")
    found += [f"{TERMS} has no row for {word}" for word in WORDS
              if not re.search(rf"^\| [^|]+ \| {word}\b", terms, re.MULTILINE)]
    missing = len(re.findall(r"\topen ", text))
    print("\n".join(found) or f"{text.count(chr(10)) - 1} statements, {missing} of them open")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
