# SPDX-License-Identifier: BSD-2-Clause
"""Lists the definitions of the public headers, so that a test of all of them cannot forget one."""
import re
from pathlib import Path

# Words before a parenthesis at the start of a declaration that are not a function's name.
NO_FUNCTION = {"__attribute__", "NOVA_STATIC_ASSERT", "NOVA_UTCB_OFFSET", "NOVA_DEPRECATED"}
# Bodies of functions that other headers declare, and the start file.
SKIPPED = ("nova/inline/",)


def _without_comments(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"\\\n", " ", text)
    return re.sub(r'"(\\.|[^"\\])*"', '""', text)


def headers(folders):
    """Returns (name for #include, text) of each public header that is not in a folder of
    SKIPPED."""
    found = []
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.h")):
            name = str(path.relative_to(folder))
            if not name.startswith(SKIPPED):
                found.append((name, path.read_text(encoding="utf-8")))
    return found


def functions(text):
    """Returns the names of the functions that TEXT, a header, declares or defines at its outermost
    level."""
    names = []
    depth = 0
    line = ""
    text = re.sub(r'extern\s+""\s*\{', " ", _without_comments(text))
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    text = re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", " ", text)
    for char in text:
        if char == "{":
            depth += 1
            if depth == 1:
                names += _function_of(line)
                line = ""
        elif char == "}":
            depth = max(depth - 1, 0)
        elif depth == 0:
            if char == ";":
                names += _function_of(line)
                line = ""
            else:
                line += char
    return list(dict.fromkeys(names))


def _function_of(declaration):
    found = re.search(r"\b(nova_\w+)\s*\(", declaration)
    if not found or "typedef" in declaration or declaration.split()[0] in NO_FUNCTION:
        return []
    return [found.group(1)]


def types(text):
    """Returns the structures and enumerations that TEXT defines."""
    return re.findall(r"^((?:struct|enum) nova_\w+) \{", _without_comments(text), flags=re.M)


def constants(text):
    """Returns the macros that have a value and no parameters. Leaves out macros that the header
    undefines again, and internal ones, which are between @cond and @endcond."""
    text = _without_comments(re.sub(r"@cond.*?@endcond", " ", text, flags=re.S))
    gone = re.findall(r"^#undef (\w+)", text, flags=re.M)
    found = re.findall(r"^#define (NOVA_[A-Z0-9_]+)[ \t]+(?=\S)", text, flags=re.M)
    return [name for name in found if name not in gone]
