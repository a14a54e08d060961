# SPDX-License-Identifier: BSD-2-Clause
"""Checks that links between pages have a target, and that every page can be reached: `links.py
ROOT`.

It reads all Markdown files of the tree. A link may name a file or folder of the tree, and a heading
of a page. A reader can reach every page in docs from docs/index.md, and docs/index.md from
README.md. On the page of decisions each number occurs once, and every decision that a page mentions
is on that page.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk/lib"))

from nova import doc_pages  # noqa: E402

SKIPPED = ("build", "__pycache__")
DECISIONS = "docs/kernel/decisions.md"
DECISION = re.compile(r"^(\d+)\. ", re.MULTILINE)
MENTION = re.compile(r"\bdecision (\d+)\b")


def pages(root):
    """Returns {path: text} of all Markdown files."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED and name[0] != "."]
        for name in files:
            if name.endswith(".md"):
                path = Path(folder) / name
                found[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    return found


def to_page(path, texts):
    """Returns the page for a path: a folder stands for its README.md."""
    readme = f"{path}/README.md".lstrip("/")
    return path if path in texts else readme if readme in texts else None


def broken(root, texts):
    """Returns a message for each link without a target."""
    found = []
    for page, text in sorted(texts.items()):
        for target in doc_pages.links(text):
            if doc_pages.is_elsewhere(target):
                continue
            path, anchor = doc_pages.resolve(page, target)
            name = to_page(path, texts)
            if path.startswith("..") or not (root / path).exists():
                found.append(f"{page}: {target} is not there")
            elif anchor and (name is None or anchor not in doc_pages.headings(texts[name])):
                found.append(f"{page}: {target}: no such heading")
    return found


def reachable(start, texts):
    """Returns the pages reachable by links from START, including START."""
    seen, to_do = set(), [start]
    while to_do:
        page = to_do.pop()
        if page in seen or page not in texts:
            continue
        seen.add(page)
        for target in doc_pages.links(texts[page]):
            if not doc_pages.is_elsewhere(target):
                to_do.append(to_page(doc_pages.resolve(page, target)[0], texts))
    return seen


def lost(texts):
    """Returns a message for each page of the documentation without a link to it, except a folder's
    README.md, which readers of the folder find."""
    from_index = reachable(doc_pages.INDEX, texts)
    pages_of_docs = {page for page in texts if page.startswith("docs/")}
    found = [
        f"{page}: no link leads here from {doc_pages.INDEX}"
        for page in sorted(pages_of_docs - from_index)
        if not page.endswith("/README.md")
    ]
    if doc_pages.INDEX not in reachable("README.md", texts):
        found.append(f"{doc_pages.INDEX}: no link leads here from README.md")
    return found


def undecided(texts):
    """Returns a message for each decision that occurs twice, and for each mention of one that does
    not exist."""
    numbers = DECISION.findall(texts.get(DECISIONS, ""))
    found = [
        f"{DECISIONS}: decision {number} occurs twice"
        for number in sorted(set(numbers), key=int)
        if numbers.count(number) > 1
    ]
    for page, text in sorted(texts.items()):
        for number in sorted(set(MENTION.findall(text)) - set(numbers), key=int):
            found.append(f"{page}: there is no decision {number}")
    return found


def main(root):
    texts = pages(root)
    found = broken(root, texts) + lost(texts) + undecided(texts)
    print("\n".join(found))
    print(f"{len(texts)} pages, {len(found)} complaints")
    sys.exit(1 if found or not texts else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
