# SPDX-License-Identifier: BSD-2-Clause
"""Checks that Doxygen makes the manual without complaint, and that every public symbol has a
description: `symbols.py ROOT` reads the XML that Doxygen writes beside the HTML of the manual. An
installation copies the HTML.

A constant, type or field needs a sentence. A function needs one, too, which mentions

- each parameter: by @param, or by its name in the text. The only parameter of a type of ours needs
  no mention, because the type has a description; nor does a single parameter of another type, which
  is the subject of the sentence;
- its result: by @return or @retval. If the function can change nothing but an object of ours, the
  sentence itself describes the result. "An errno value" is not sufficient: the values must be
  named;
- the section of the specification, in layer 0.

Every symbol and every structure is in a group, and every header is in the list of a group. No
folder of public headers is left out. The page of each group leads to the next one.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

KINDS = ("function", "define", "enum", "typedef", "variable")
LAYER_0 = ("nova/hypercall.h", "nova/extension.h")


def text_of(element):
    return "".join(element.itertext()).strip() if element is not None else ""


def described(member):
    return any(text_of(part) for part in descriptions(member))


def descriptions(member):
    return [member.find("briefdescription"), member.find("detaileddescription")]


def named(member, parameter):
    """Returns whether the name follows @param or is a word of the text."""
    return any(re.search(rf"\b{parameter}\b", text_of(part)) for part in descriptions(member))


def has_return(member):
    for part in descriptions(member):
        if any(section.get("kind") == "return" for section in part.iter("simplesect")):
            return True
        if any(items.get("kind") == "retval" for items in part.iter("parameterlist")):
            return True
    return False


def leaves_open(member):
    """Returns whether a description mentions an errno value without naming any."""
    texts = [
        text_of(section)
        for part in descriptions(member)
        for section in part.iter("simplesect")
        if section.get("kind") == "return"
    ]
    named_ones = any(
        re.search(r"\bE[A-Z0-9]{2,}\b", text_of(items))
        for part in descriptions(member)
        for items in part.iter("parameterlist")
        if items.get("kind") == "retval"
    )
    return not named_ones and any(
        re.search(r"\berrno\b(?!_)", text) and not re.search(r"\bE[A-Z0-9]{2,}\b", text)
        for text in texts
    )


def has_spec(member):
    return any("Specification" in text_of(title) for title in member.iter("title"))


def parameters(member):
    """Returns [(name, type)] of a function."""
    found = []
    for param in member.findall("param"):
        name = text_of(param.find("declname"))
        if name:
            found.append((name, text_of(param.find("type"))))
    return found


def speaks_for_itself(kind, kinds):
    """Returns whether the parameter has a type of ours that no other parameter has."""
    own = re.search(r"\b(struct|enum) nova_\w+|nova_(crd|mtd|qpd)_t", kind)
    return own is not None and kinds.count(kind) == 1


def only_tells(kinds):
    """Returns whether a function has at most one object of ours, and nothing else that it could
    change."""
    others = [kind for kind in kinds if "*" in kind and "const" not in kind]
    return not others or (len(kinds) == 1 and "struct nova_" in kinds[0])


def is_guard(member):
    """Returns whether a symbol guards a header against a second inclusion: such a macro has no
    value."""
    return text_of(member.find("name")).endswith("_H") and not text_of(member.find("initializer"))


def function_complaints(member):
    listed = parameters(member)
    kinds = [kind for _, kind in listed]
    others = [(name, kind) for name, kind in listed if not speaks_for_itself(kind, kinds)]
    found = [
        f"nothing is said about parameter {name}"
        for name, kind in others
        if not named(member, name) and len(others) > 1
    ]
    result = text_of(member.find("type")).replace("static", "").replace("inline", "").split()
    if result and result != ["void"] and not has_return(member) and not only_tells(kinds):
        found.append("nothing is said about what it returns")
    if leaves_open(member):
        found.append("which errno values it returns is not said")
    if member.find("location").get("file", "").endswith(LAYER_0) and not has_spec(member):
        found.append("no section of the specification is named")
    return found


def needs_words(member):
    """Returns whether a symbol needs a description. Guards of headers, unused fields, unnamed
    symbols, and the names of POSIX and C++ need none."""
    name, kind = text_of(member.find("name")), member.get("kind")
    if kind != "variable" and not name.lower().startswith("nova"):
        return False
    if kind == "define" and is_guard(member):
        return False
    if kind == "define" and name.endswith("_INITIALIZER"):
        return False
    if kind == "variable" and re.search(r"\bstruct nova_", text_of(member.find("type"))):
        return False
    return kind in KINDS and not name.startswith("@") and name not in ("reserved", "unused")


def complaints(member):
    """Returns each part that is missing in the description of a symbol."""
    kind = member.get("kind")
    if not needs_words(member):
        return []
    found = [] if described(member) else ["it has no description"]
    if kind == "function" and not found:
        found = function_complaints(member)
    for value in member.findall("enumvalue"):
        if not described(value):
            found.append(f"{text_of(value.find('name'))} has no description")
    return found


def members(folder):
    """Yields (member, name) of every symbol once, although a member of a group occurs in the XML of
    its group and of its file."""
    seen = set()
    for path in sorted(Path(folder).glob("*.xml")):
        root = ElementTree.parse(path).getroot()
        for compound in root.iter("compounddef"):
            outer = compound.find("compoundname")
            if compound.get("kind") in ("struct", "union") and compound.get("id") not in seen:
                seen.add(compound.get("id"))
                yield compound, text_of(outer)
            for member in compound.iter("memberdef"):
                if member.get("id") not in seen:
                    seen.add(member.get("id"))
                    inner = compound.get("kind") in ("struct", "union")
                    name = text_of(member.find("name"))
                    yield member, f"{text_of(outer)}.{name}" if inner else name


def in_groups(folder):
    """Returns the ids of all symbols and structures in the groups that Doxygen writes to FOLDER.
    """
    found = set()
    for path in Path(folder).glob("group__*.xml"):
        root = ElementTree.parse(path).getroot()
        found |= {member.get("id") for member in root.iter("memberdef")}
        found |= {inner.get("refid") for inner in root.iter("innerclass")}
    return found


def homeless(folder):
    """Returns complaints about symbols and structures without a group."""
    grouped, found = in_groups(folder), []
    for member, name in members(folder):
        inside = member.tag == "compounddef" and "::" in name  # a structure inside another one
        of_struct = member.get("id").startswith(("struct", "union")) and member.tag == "memberdef"
        if member.get("id") not in grouped and not inside and not of_struct and needs_group(member):
            where = member.find("location")
            found.append(f"{where.get('file')}:{where.get('line')}: {name}: it is in no group")
    return found


def needs_group(member):
    """Returns whether a symbol belongs to the interface: not a guard, and ours."""
    name = text_of(member.find("name" if member.tag == "memberdef" else "compoundname"))
    guard = member.get("kind") == "define" and is_guard(member)
    return name.lower().startswith("nova") and not guard


def unlisted(root, folders, groups):
    """Returns complaints about headers that no group lists, and about listed headers that do not
    exist."""
    headers = {
        path.relative_to(root / folder).as_posix(): folder
        for folder in folders
        for path in sorted((root / folder).rglob("*.h"))
        if not {"inline", "x86_32"} & set(path.parts)
    }
    found = [f"{headers[name]}/{name}: no group lists it" for name in headers if name not in groups]
    return found + [f"{name}: a group lists it, but it is missing" for name in groups
                    if name not in headers]


def folders_of_headers(root):
    """Returns the folders of public headers, relative to the tree."""
    found = [root / "hypervisor/abi", root / "libnova/include", *root.glob("roottask/**/include")]
    return [folder.relative_to(root).as_posix() for folder in found if any(folder.rglob("*.h"))]


def left_out(root, folders):
    """Returns complaints about folders of public headers that are not among FOLDERS."""
    return [
        f"{folder}: its headers have no API pages; add it to HEADERS of sdk/lib/nova/docs.py"
        for folder in folders_of_headers(root)
        if folder not in folders
    ]


def check(folder):
    """Returns (number of symbols, complaints about them)."""
    count, found = 0, []
    for member, name in members(folder):
        location = member.find("location")
        where = f"{location.get('file')}:{location.get('line')}: {name}"
        count += 1
        if member.tag == "compounddef":
            if not described(member) and "@" not in name:
                found.append(f"{where}: it has no description")
            continue
        found += [f"{where}: {complaint}" for complaint in complaints(member)]
    return count, found


def unlinked(folder, order):
    """Returns complaints about pages of groups that do not lead to the next one."""
    found = []
    for name, title in order[:-1]:
        path = folder / f"group__{name.replace('_', '__')}.html"
        if not path.exists() or "Next page: " not in path.read_text(encoding="utf-8"):
            found.append(f"{path.name}: the group '{title}' has no link to the next page")
    return found


def main(root):
    sys.path.insert(0, str(Path(root) / "sdk/lib"))
    from nova import build, doc_groups, doc_headers, docs

    with build.alone(docs.OUTPUT):
        found = docs.doxygen(Path(root), docs.OUTPUT)
        count, lacking = check(docs.OUTPUT / "xml")
        found += sorted(lacking) + homeless(docs.OUTPUT / "xml")
        order = doc_groups.in_order(docs.GROUPS.read_text(encoding="utf-8"))
        found += unlinked(docs.OUTPUT / "html", order)
    groups = doc_headers.groups(docs.GROUPS.read_text(encoding="utf-8"))
    found += unlisted(Path(root), docs.HEADERS, groups) + left_out(Path(root), docs.HEADERS)
    print("\n".join(found))
    print(f"{count} symbols, {len(found)} complaints")
    sys.exit(1 if found or not count else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
