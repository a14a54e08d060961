# SPDX-License-Identifier: BSD-2-Clause
"""Converts a header for Doxygen: `doc_headers.py FILE`, its input filter.

The comment at the top becomes the file's description, and sections of the specification become
links. If a macro makes an enumeration from rows, the filter writes the enumeration out, with the
texts of the rows. All symbols of a header go into the group that names the header in
docs/doxygen/groups.dox."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nova import doc_rows  # noqa: E402

TOP = re.compile(r"\A(/\* SPDX[^\n]*\*/\n)/\*\s(.*?)\*/", re.DOTALL)
SECTION = r"(?:[A-Z]\.)?\d+(?:\.\d+)*|extension"
SPEC = re.compile(rf"@spec\s+((?:{SECTION})(?:,\s+(?:{SECTION}))*)")
ENUM = re.compile(
    r"^#define (NOVA_\w+)\((\w+), (\w+), [^)]*\) +(NOVA_\w*?)##\3 = ([^\n]*),\n"
    r"\s+(NOVA_\w+_ROWS)\(\1\)\n#undef \1\n",
    re.MULTILINE,
)
# The macro's form for rows without numbers.
PLAIN_ENUM = re.compile(
    r"^#define (NOVA_\w+)\((\w+), [^)]*\) +(NOVA_\w*?)##\2,\n"
    r"\s+(NOVA_\w+_ROWS)\(\1\)\n#undef \1\n",
    re.MULTILINE,
)
SEVERAL = re.compile(r"^( +[\w ]+?) (\w+(?:, \w+)+); +(/\*\*< .*? \*/)$", re.MULTILINE)
SHARED = re.compile(
    r"^(/\*\*(?!<)(?:(?!\*/).)*\*/\n)((?:#define \w+ [^\n]*[^\\\n]\n){2,})",
    re.MULTILINE | re.DOTALL,
)
GROUP = re.compile(r"@defgroup (\w+) .*?\*/", re.DOTALL)
GROUP_HEADERS = re.compile(r"@par Headers\n(.*?)(?=\n *\*(?:\n|/))", re.DOTALL)
UNDEF = re.compile(r"^#undef (\w+)$", re.MULTILINE)
EXCEPTION = re.compile(r"(?<![\w\\&])#(?=[A-Z]{2}\b)")


def anchor(section):
    """Returns the anchor in the documentation that describes a section."""
    if section == "extension":
        return "manual_extensions"
    return "spec_" + section.replace(".", "_")


def link_sections(text, known):
    """Adds a link to each @spec; a section that is not in the map leads to its chapter."""

    def link(section):
        target = section
        while anchor(target) not in known and "." in target:
            target = target.rpartition(".")[0]
        return f'@ref {anchor(target)} "{section}"' if anchor(target) in known else section

    def replace(match):
        return "@spec " + ", ".join(link(one) for one in re.split(r",\s+", match.group(1)))

    return SPEC.sub(replace, text)


def write_out_enums(text):
    """Replaces macros by the enumerators that they make, each with its row's last cell."""
    rows = doc_rows.tables(text)

    def replace(match):
        _, number, _, prefix, value, table = match.groups()
        lines = []
        for row in rows[table]:
            shown = re.sub(rf"\(?\b{number}\b\)?", row[0], value)
            told = row[-1]
            if table == "NOVA_HYPERCALL_ROWS":
                told = f"hypercall {row[2]} @spec {row[3]}"
            lines.append(f"        {prefix}{row[1]} = {shown}, /**< {told} */\n")
        return "".join(lines)

    def replace_plain(match):
        _, _, prefix, table = match.groups()
        return "".join(
            f"        {prefix}{name}, /**< {what}; the library {answer} */\n"
            for name, what, answer in rows[table]
        )

    return PLAIN_ENUM.sub(replace_plain, ENUM.sub(replace, text))


def one_by_one(text):
    """Splits a declaration into fields, each with the comment after the declaration."""

    def replace(match):
        kind, names, told = match.groups()
        return "\n".join(f"{kind} {name}; {told}" for name in names.split(", "))

    return SEVERAL.sub(replace, text)


def share_comments(text):
    """Copies a comment that precedes several constants to each constant without a comment of its
    own."""

    def replace(match):
        comment, lines = match.groups()
        return "".join(
            line if "/**<" in line else comment + line for line in lines.splitlines(True)
        )

    return SHARED.sub(replace, text)


def drop_private(text):
    """Removes macros that the header undefines."""
    for name in UNDEF.findall(text):
        text = re.sub(rf"^#define {name}\b(?:[^\n]*\\\n)*[^\n]*\n", "", text, flags=re.MULTILINE)
    return text


def groups(text):
    """Returns {header: group} from a file of groups."""
    found = {}
    for match in GROUP.finditer(text):
        for headers in GROUP_HEADERS.findall(match.group(0)):
            found.update(dict.fromkeys(re.findall(r"[\w/]+\.h", headers), match.group(1)))
    return found


def group_of(header, known):
    """Returns the group of a header, given by any path; None if no group of KNOWN names it."""
    for name, group in known.items():
        if f"/{header}".endswith(f"/{name}"):
            return group
    return None


def in_group(text, group):
    """Returns the header with all symbols in a group."""
    if group is None:
        return text
    begin = text.index("#ifndef ")
    return f"{text[:begin]}/** @addtogroup {group}\n *  @{{ */\n{text[begin:]}\n/** @}} */\n"


def convert(text, known, group=None):
    """Returns the header for Doxygen. KNOWN: the anchors of the pages."""
    text = TOP.sub(r"\1/** @file\n * \2*/", text)
    text = drop_private(share_comments(one_by_one(write_out_enums(in_group(text, group)))))
    return EXCEPTION.sub(r"\\#", link_sections(text, known))


def main(header, anchors=None, listed=None):
    known = set(Path(anchors).read_text(encoding="utf-8").split()) if anchors else set()
    group = group_of(header, groups(Path(listed).read_text(encoding="utf-8"))) if listed else None
    sys.stdout.write(convert(Path(header).read_text(encoding="utf-8"), known, group))


if __name__ == "__main__":
    main(sys.argv[-1], *sys.argv[1:-1])
