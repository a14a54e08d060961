# SPDX-License-Identifier: BSD-2-Clause
"""The search of the HTML pages: an index of the manual's sections and of all public symbols, made
from Doxygen's XML, and a script on each page (docs/doxygen/search.js), which finds parts of words.
Both are files that a page loads, so the search works without a server.
"""

import json
import re
import shutil
import xml.etree.ElementTree as ElementTree

KINDS = {"define": "macro", "enumvalue": "constant", "variable": "field"}
TAG = '<script defer src="search.js"></script>\n</head>'


def text_of(element, skip=()):
    """Returns the text of an element with single blanks, without the children named in SKIP."""
    if element is None:
        return ""

    def pieces(part):
        yield part.text or ""
        for child in part:
            if child.tag not in skip:
                yield " " if child.tag == "sp" else "".join(pieces(child))
            if child.tag in ("para", "codeline", "entry", "listitem", "title"):
                yield " "
            yield child.tail or ""

    return re.sub(r"\s+", " ", "".join(pieces(element))).strip()


def address(compound, identifier):
    """Returns the page and the anchor of Doxygen's IDENTIFIER in a compound."""
    page = "index" if compound == "indexpage" else compound
    anchor = identifier.removeprefix(f"{page}_1")
    return f"{page}.html#{anchor}" if anchor else f"{page}.html"


def sections(compound):
    """Yields an entry for a page and for each section: (title, kind, page's title, address, text).
    """
    identifier, title = compound.get("id"), text_of(compound.find("title"))
    detail = compound.find("detaileddescription")
    nested = ("sect1", "sect2", "sect3", "sect4", "title")
    yield title, "page", "", address(identifier, ""), text_of(detail, nested)
    for section in detail.iter():
        if section.tag in nested[:-1]:
            name, where = text_of(section.find("title")), address(identifier, section.get("id"))
            yield name, "section", title, where, text_of(section, nested)


def described(member):
    """Returns the prose about a symbol, without its example and its parameters."""
    parts = (member.find("briefdescription"), member.find("detaileddescription"))
    return " ".join(text_of(part, ("programlisting", "parameterlist")) for part in parts).strip()


def symbols(compound):
    """Yields an entry for a group, a structure or a union, and for each symbol in it."""
    identifier, name = compound.get("id"), text_of(compound.find("compoundname"))
    title = text_of(compound.find("title")) or f"{compound.get('kind')} {name}"
    yield title, compound.get("kind"), "", address(identifier, ""), described(compound)
    for member in compound.iter("memberdef"):
        kind, symbol = member.get("kind"), text_of(member.find("name"))
        named = symbol and not symbol.startswith("@")  # Doxygen numbers those without a name
        if compound.get("kind") != "group":
            symbol = f"{name}.{symbol}"
        kind = kind if kind != "variable" or compound.get("kind") != "group" else "variable"
        where = address(identifier, member.get("id"))
        if named:
            yield symbol, KINDS.get(kind, kind), title, where, described(member)
        for value in member.findall("enumvalue"):
            where = address(identifier, value.get("id"))
            yield text_of(value.find("name")), "constant", title, where, described(value)


def entries(folder):
    """Returns all entries of the index, from the XML in a folder."""
    found = []
    for path in sorted(folder.glob("*.xml")):
        for compound in ElementTree.parse(path).getroot().iter("compounddef"):
            if compound.get("kind") == "page":
                found += sections(compound)
            elif compound.get("kind") in ("group", "struct", "union"):
                found += symbols(compound)
    return [entry for entry in found if entry[0]]


def reachable(entry, texts):
    """Returns the entry. Removes the anchor from its address if the page has no such anchor. TEXTS:
    {page: HTML}."""
    title, kind, place, where, text = entry
    page, _, anchor = where.partition("#")
    return title, kind, place, where if f'id="{anchor}"' in texts.get(page, "") else page, text


def add(output, folder):
    """Writes the index beside the HTML pages in OUTPUT. Adds the script of FOLDER to each page."""
    html = output / "html"
    texts = {page.name: page.read_text(encoding="utf-8") for page in html.glob("*.html")}
    found = [reachable(entry, texts) for entry in entries(output / "xml")]
    rows = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    (html / "search-index.js").write_text(f"novaSearchIndex = {rows};\n", encoding="utf-8")
    shutil.copyfile(folder / "search.js", html / "search.js")
    for name, text in texts.items():
        (html / name).write_text(text.replace("</head>", TAG, 1), encoding="utf-8")
