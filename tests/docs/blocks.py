# SPDX-License-Identifier: BSD-2-Clause
"""The code blocks of the pages, and the marks that define how each is tested.

A mark is a comment on the line before a block: `<!-- block: WORDS -->`.

    c      (none)              a file: compiles; without an #include it gets those of libnova
           fragment [runtime]  statements: compiles in a function with the declarations of FRAME, or
                               with the headers of the runtime
           program NAME        the blocks of one NAME on a page are a program, which is booted
    asm    (none)              assembles for x86-64
    text   output NAME [ARCH]  what program NAME prints, line by line
    sh     (none)              runs in an empty folder
           session NAME        the blocks of one NAME run one after the other in one folder
    system (none)              a system description without mistakes
           wrong               one with the mistakes that the next block lists
    text   mistakes            the output of nova-system for the block before it, as system.nova
    any    session NAME file F is file F of that folder
           session NAME output is part of the output of the commands before it
           quote FILE          occurs in exactly this form in FILE of the tree
           not tested: REASON  is not tested; `nova` must still parse its commands in it

Blocks with the language `text` or without a language need no mark. Two pages may use the same name
for different sessions or programs. The text between `@code` and `@endcode` in a public header is
also a fragment: it compiles with that header, and with those of libnova or of the runtime.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk/lib"))

from nova import doc_pages  # noqa: E402

MARK = re.compile(r"^<!-- block: (.+?) -->$")
UNTESTED = re.compile(r"not tested: (\S.*)")
PLAIN = ("", "text")
ARCHES = ("x86_64", "x86_32")


class PageError(Exception):
    """A block that cannot be understood; the text shows where."""


@dataclass
class Block:
    page: str
    line: int
    language: str
    text: str
    mark: str = ""
    words: list = field(default_factory=list)

    def where(self):
        return f"{self.page}:{self.line}"

    def kind(self):
        """Returns the kind of test, one of KINDS; "" is the kind of a block without a mark."""
        if UNTESTED.match(self.mark):
            return "untested"
        return self.words[0] if self.words else ""

    def name(self):
        return self.words[1]

    def reason(self):
        return UNTESTED.match(self.mark).group(1)


# Kind: (languages, numbers of words in the mark).
KINDS = {
    "fragment": (("c",), (1, 2)),
    "program": (("c",), (2,)),
    "output": (PLAIN, (2, 3)),
    "session": (None, (2, 3, 4)),
    "quote": (None, (2,)),
    "untested": (None, None),
    "wrong": (("system",), (1,)),
    "mistakes": (PLAIN, (1,)),
    "": (("c", "asm", "sh", "system", *PLAIN), (0,)),
}


def _check(block):
    kind = block.kind()
    if kind not in KINDS:
        raise PageError(f"{block.where()}: '{block.mark}' is not a known mark")
    languages, counts = KINDS[kind]
    if languages is not None and block.language not in languages:
        meant = f"'{block.mark}'" if block.mark else "no mark"
        raise PageError(f"{block.where()}: a block of {block.language or 'text'} with {meant}")
    if counts is not None and len(block.words) not in counts:
        raise PageError(f"{block.where()}: '{block.mark}' has too few or too many words")
    if kind == "session" and block.language != "sh":
        use = block.words[2:]
        if use != ["output"] and (len(use) != 2 or use[0] != "file"):
            raise PageError(f"{block.where()}: is this block of the session a file or output?")
    if kind == "fragment" and block.words[1:] not in ([], ["runtime"]):
        raise PageError(f"{block.where()}: what kind of fragment is this?")
    if kind == "output" and len(block.words) == 3 and block.words[2] not in ARCHES:
        raise PageError(f"{block.where()}: there is no architecture {block.words[2]}")


def _new_block(page, number, fence, before):
    match = MARK.match(before)
    mark = match.group(1) if match else ""
    if not match and "block:" in before:
        raise PageError(f"{page}:{number}: the mark is not understood: {before}")
    return Block(page, number, fence.group(2), "", mark, mark.split())


def of_page(page, text):
    """Returns all blocks of a page, in order."""
    found, block, before = [], None, ""
    for number, line in enumerate(text.splitlines(), start=1):
        fence = doc_pages.FENCE.match(line)
        if block is None and fence:
            block = _new_block(page, number, fence, before)
            end = fence.group(1)
        elif block is not None and line.strip() == end:
            _check(block)
            found.append(block)
            block = None
        elif block is not None:
            block.text += line + "\n"
        before = line
    if block is not None:
        raise PageError(f"{block.where()}: the block does not end")
    return found


CODE = re.compile(r"^[ \t]*\*[ \t]*@code\n(.*?)^[ \t]*\*[ \t]*@endcode$", re.MULTILINE | re.DOTALL)
HEADERS = {
    "libnova/include/nova": "fragment",
    "roottask/include/novart": "fragment runtime",
    "roottask/novanet/include/novanet": "fragment runtime",
    "roottask/novatls/include/novatls": "fragment runtime",
    "roottask/vmm/include/novauv": "fragment runtime",
    "roottask/vmm/include/novavmm": "fragment runtime",
}


def of_header(header, text, mark):
    """Returns the examples in the comments of a header."""
    if text.count("@code") != len(CODE.findall(text)):
        raise PageError(f"{header}: an example does not end, or @code is not alone on its line")
    found = []
    for match in CODE.finditer(text):
        code = re.sub(r"^[ \t]*\* ?", "", match.group(1), flags=re.MULTILINE)
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(header, line, "c", code, mark, mark.split()))
    return found


def of_headers(root=ROOT):
    found = []
    for folder, mark in HEADERS.items():
        for path in sorted((root / folder).rglob("*.h")):
            header = path.relative_to(root).as_posix()
            found += of_header(header, path.read_text(encoding="utf-8"), mark)
    return found


def pages(root):
    """Returns the pages whose blocks are tested."""
    return ["README.md"] + sorted(p.relative_to(root).as_posix() for p in root.glob("docs/**/*.md"))


def of_tree(root=ROOT):
    found = []
    for page in pages(root):
        found += of_page(page, (root / page).read_text(encoding="utf-8"))
    return found


def short_name(page):
    """Returns the part of a test's name that stands for a page."""
    return doc_pages.page_id(page).removeprefix("manual_").replace("_", "-")


def programs(blocks):
    """Returns {(page, name): (source, {arch: output})} of all programs."""
    found = {}
    for block in blocks:
        if block.kind() == "program":
            source, outputs = found.setdefault((block.page, block.name()), ([], {}))
            source.append(block.text)
    for block in blocks:
        if block.kind() == "output":
            key = (block.page, block.name())
            if key not in found:
                raise PageError(f"{block.where()}: the page has no program {block.name()}")
            for arch in block.words[2:] or ARCHES:
                found[key][1][arch] = block.text
    for (page, name), (_, outputs) in found.items():
        if not outputs:
            raise PageError(f"{page}: nothing is said about the output of program {name}")
    return {key: ("\n".join(source), outputs) for key, (source, outputs) in found.items()}


def sessions(blocks):
    """Returns {(page, name): [block, …]} of all sessions."""
    found = {}
    for block in blocks:
        if block.kind() == "session":
            found.setdefault((block.page, block.name()), []).append(block)
    return found


def alone(blocks):
    """Returns {page: [block, …]} of the shell's blocks that run by themselves."""
    found = {}
    for block in blocks:
        if block.language == "sh" and block.kind() == "":
            found.setdefault(block.page, []).append(block)
    return found
