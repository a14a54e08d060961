# SPDX-License-Identifier: BSD-2-Clause
"""Checks that pictures match their sources, and that pages show each of them: `pictures.py ROOT`.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk/lib"))

from nova import doc_pictures  # noqa: E402


def broken(folder):
    """Returns a message for each picture that is not well-formed XML or has no title."""
    found = []
    for picture in sorted(folder.glob("*.svg")):
        try:
            root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
        except ElementTree.ParseError as error:
            found.append(f"{picture.name}: is not well-formed: {error}")
            continue
        if root.find(".//{http://www.w3.org/2000/svg}title") is None:
            found.append(f"{picture.name}: has no title for readers who do not see it")
    return found


def unused(folder, pages):
    """Returns a message for each picture that no page shows."""
    texts = [page.read_text(encoding="utf-8") for page in pages]
    return [
        f"{picture.name}: no page shows it"
        for picture in sorted(folder.glob("*.svg"))
        if not any(f"pictures/{picture.name})" in text for text in texts)
    ]


def main(root):
    folder = root / "docs" / "pictures"
    pages = [root / "README.md", *root.glob("docs/**/*.md")]
    found = doc_pictures.stale(folder) + broken(folder) + unused(folder, pages)
    print("\n".join(found))
    print(f"{len(list(folder.glob('*.svg')))} pictures, {len(found)} complaints")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
