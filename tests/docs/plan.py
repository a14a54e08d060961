# SPDX-License-Identifier: BSD-2-Clause
"""Writes the programs of the pages, and a description for CMake of the tests that run them:
`plan.py ROOT ARCH COMPILER CONFIG FOLDER` makes FOLDER/plan.cmake.
"""

import re
import sys
from pathlib import Path

import blocks

# Only this build runs the sessions, because each session builds everything that it needs.
SESSION_BUILD = ("x86_64", "GNU", "release")
SECONDS = 900


def pattern(line):
    """Returns a regular expression for a line, without CMake's list separator."""
    return "^" + re.escape(line.rstrip()).replace(";", ".").replace("\\ ", " ") + "\\s*$"


def bracket(text):
    """Quotes any text as one argument of CMake."""
    return f"[==[{text}]==]"


def program(page, name, text, output, folder):
    """Returns the lines for a program that is built and booted."""
    target = f"manual-{blocks.short_name(page)}-{name}"
    file = folder / f"{target}.c"
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
    expected = " ".join(bracket(pattern(line)) for line in output.splitlines() if line.strip())
    kind = "RUNTIME " if "<novart/" in text or "<stdio.h>" in text else ""
    return [
        f"nova_add_roottask({target} {kind}SOURCES {bracket(file)})",
        f"nova_add_boot_test(docs.{target} ROOTTASK {target} CPUS 4 EXPECT {expected} "
        "LABELS docs)",
    ]


def session(root, name, page, which):
    script = root / "tests/docs/session.py"
    return [
        f"add_test(NAME {name} COMMAND ${{NOVA_PYTHON}} -B {bracket(script)} {bracket(root)} "
        f"{page} {which})",
        f"set_tests_properties({name} PROPERTIES LABELS docs TIMEOUT {SECONDS})",
    ]


def sessions(root, found):
    lines = []
    for page, name in blocks.sessions(found):
        lines += session(root, f"docs.session-{blocks.short_name(page)}-{name}", page, name)
    for page in blocks.alone(found):
        lines += session(root, f"docs.shell-{blocks.short_name(page)}", page, "-")
    return lines


def main(root, arch, compiler, config, folder):
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found = blocks.of_tree(root)
        lines = []
        for (page, name), (text, outputs) in blocks.programs(found).items():
            if arch in outputs:
                lines += program(page, name, text, outputs[arch], folder)
    except blocks.PageError as error:
        sys.exit(str(error))
    if (arch, compiler, config) == SESSION_BUILD:
        lines += sessions(root, found)
    (folder / "plan.cmake").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:5], Path(sys.argv[5]))
