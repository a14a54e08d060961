# SPDX-License-Identifier: BSD-2-Clause
"""Converts the Markdown pages of the tree for Doxygen: headings get names, links become references,
code does not change. The order of the pages is that of the links in docs/index.md. If a folder's
README.md is a page, the folder's other pages are below it. Each page of the index ends with links
to the previous and the next one.
"""

import re
from pathlib import PurePosixPath

from nova import doc_headers

INDEX = "docs/index.md"
TITLES = {"README.md": "The project on one page"}  # title in the sidebar; "NOVA" is the first page
FENCE = re.compile(r"^\s*(```+|~~~+)\s*([\w.+-]*)")
HEADING = re.compile(r"^(#{1,6}) +(.*?)\s*$")
CODE_SPAN = re.compile(r"(`+)(.+?)\1")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
BROKEN_LINK = re.compile(r"\[([^\[\]\n`]+)\n( *)([^\[\]\n`]+)\]\((?=[^)\s]+\))")
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
STATEMENT = re.compile(r"^\| (\w+(?:\.\d+)*-\d+) \|")


def slug(heading):
    """Returns the anchor that Markdown viewers give to a heading."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def headings(text):
    """Returns the anchors of a page in order; repeated ones are numbered."""
    seen, found = {}, []
    for is_code, line in lines_of(text):
        match = None if is_code else HEADING.match(line)
        if match:
            name = slug(match.group(2))
            count = seen.get(name, 0)
            seen[name] = count + 1
            found.append(name if count == 0 else f"{name}-{count}")
    return found


def lines_of(text):
    """Yields (is code, line) for each line; the fences themselves are code."""
    fence = None
    for line in text.splitlines():
        match = FENCE.match(line)
        if fence is None:
            fence = match.group(1) if match else None
            yield fence is not None, line
        else:
            yield True, line
            if match and match.group(1).startswith(fence) and not match.group(2):
                fence = None


def mended(text):
    """Returns the text without comments. Moves each link whose words span two lines to the second
    line."""
    return BROKEN_LINK.sub(r"\n\2[\1 \3](", COMMENT.sub("", text))


def links(text):
    """Returns the targets of a page's links and pictures in order."""
    found = []
    for is_code, line in lines_of(mended(text)):
        if not is_code:
            found += [target for _, _, target in LINK.findall(CODE_SPAN.sub(r"`x`", line))]
    return found


def is_elsewhere(target):
    return re.match(r"[a-z]+:", target) is not None


def resolve(page, target):
    """Returns the file of the tree and the anchor to which a link on PAGE leads."""
    path, _, anchor = target.partition("#")
    parts = []
    for part in (PurePosixPath(page).parent / path).parts if path else PurePosixPath(page).parts:
        if part == "..":
            parts = parts[:-1] if parts and parts[-1] != ".." else [*parts, ".."]
        elif part != ".":
            parts.append(part)
    return "/".join(parts), anchor


def in_order(index, paths):
    """Returns the index, then the pages in its order, then the pages that it does not list."""
    listed = [resolve(INDEX, target)[0] for target in links(index)]
    known = {path: number for number, path in reversed(list(enumerate(listed, start=1)))}
    known[INDEX] = 0
    return sorted(paths, key=lambda path: (known.get(path, len(listed) + 1), path))


def title(path, text):
    """Returns the title of a page, without marks of code."""
    found = next((line[2:] for line in text.splitlines() if line.startswith("# ")), "")
    return TITLES.get(path, found.replace("`", ""))


def neighbours(path, index, titles):
    """Returns links to the previous and the next page in the order of the index. TITLES: {page:
    title}."""
    order = in_order(index, titles)
    listed = {INDEX, *(resolve(INDEX, target)[0] for target in links(index))}
    order = [page for page in order if page in listed]
    if path not in order:
        return ""
    place = order.index(path)
    found = [f'@ref {page_id(page)} "← {titles[page]}"' for page in order[:place][-1:]]
    for page in order[place + 1 : place + 2]:
        found.append(f'@ref {page_id(page)} "Next page: {titles[page]} →"')
    return '\n<div class="neighbours">\n' + "\n".join(found) + "\n</div>\n"


def picture_name(path):
    """Returns the name of a picture, unique among those of all folders."""
    return path.removeprefix("docs/").replace("/", "_")


def page_id(path):
    """Returns Doxygen's name of a page."""
    if path == INDEX:
        return "mainpage"
    stem = path.removeprefix("docs/").removesuffix(".md").removesuffix("/README").lower()
    return re.sub(r"\W", "_", stem)


def place_id(path, anchor):
    """Returns Doxygen's name of a heading of a page."""
    return f"{page_id(path)}_{re.sub(r'[^a-z0-9_]', '_', anchor)}"


def code(text):
    """Returns a piece of code in a line of prose."""
    if "\\" not in text:
        return f"``{text}``"
    for character, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, name)
    return "<code>" + text.replace("\\", "\\\\") + "</code>"


class Page:
    """One page that is being converted for Doxygen. PAGES: the paths of all; SECTIONS: {statement:
    section}."""

    def __init__(self, path, text, pages, sections=()):
        self.path = path
        self.text = mended(text)
        self.pages = pages
        self.sections = dict(sections)
        self.spans = []
        self.anchors = set()
        self.subpages = set()
        self.names = iter(headings(self.text))

    def target(self, target):
        """Returns the page of the manual to which a link leads, or None, and the anchor."""
        path, anchor = resolve(self.path, target)
        if path not in self.pages and f"{path}/README.md" in self.pages:
            path = f"{path}/README.md"
        return (path if path in self.pages else None), anchor

    def link(self, match):
        picture, text, target = match.groups()
        if picture:
            return f"![{text}]({picture_name(resolve(self.path, target)[0])})"
        if is_elsewhere(target):
            return f"[{text}]({target})"
        path, anchor = self.target(target)
        if path is None:
            return text
        shown = self.restored(text, str).replace('"', "'")
        if anchor:
            return f'@ref {place_id(path, anchor)} "{shown}"'
        if self.is_above(path) and path not in self.subpages:
            self.subpages.add(path)
            return f'@subpage {page_id(path)} "{shown}"'
        return f'@ref {page_id(path)} "{shown}"'

    def is_above(self, path):
        """Returns whether this is the README page of the folder that holds the other page."""
        folder, _, name = self.path.rpartition("/")
        return name == "README.md" and path != self.path and path.rpartition("/")[0] == folder != ""

    def prose(self, line):
        """Converts a line outside code. Code in it stays, even text that looks like a Doxygen
        command."""
        self.spans = []

        def keep(match):
            self.spans.append(match.group(2))
            return f"\0{len(self.spans) - 1}\0"

        line = LINK.sub(self.link, CODE_SPAN.sub(keep, line))
        line = re.sub(r"(?<![\w\\&])#(?=\w)", r"\\#", line)
        return self.restored(line, code)

    def restored(self, text, form):
        """Returns the text with the code that prose() removed, each piece formatted by FORM."""
        return re.sub(r"\0(\d+)\0", lambda match: form(self.spans[int(match.group(1))]), text)

    def heading(self, match):
        name = next(self.names)
        label = page_id(self.path) if match.group(1) == "#" else place_id(self.path, name)
        self.anchors.add(label)
        if match.group(1) != "#" and self.path == INDEX:
            return match.group(0)  # with a name, the heading would appear in the sidebar
        told = self.prose(match.group(2)) if match.group(1) != "#" else title(self.path, self.text)
        return f"{match.group(1)} {told} {{#{label}}}"

    def statement(self, match):
        """Converts a row of the specification map: the first row of each section gets an anchor."""
        section = self.sections.pop(match.group(1), None)
        label = doc_headers.anchor(section) if section else None
        if not label or label in self.anchors:
            return match.group(0)
        self.anchors.add(label)
        return f"| @anchor {label} {match.group(1)} |"

    def convert(self):
        out = []
        for is_code, line in lines_of(self.text):
            match = HEADING.match(line)
            if is_code:
                fence = FENCE.match(line)
                plain = fence and fence.group(2) not in ("c", "cpp", "asm", "")
                out.append(f"{fence.group(1)}{{.unparsed}}" if plain else line)
            elif match:
                out.append(self.heading(match))
            else:
                out.append(STATEMENT.sub(self.statement, self.prose(line)))
        return "\n".join(out) + "\n"
