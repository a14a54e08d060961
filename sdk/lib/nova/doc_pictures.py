# SPDX-License-Identifier: BSD-2-Clause
"""The pictures of the pages: docs/pictures/NAME.dot is drawn as NAME.svg by Graphviz.

Both are checked in, so that the pages can be read without Graphviz. The picture carries the
digest of its source, by which a test finds a picture that was not drawn again. A picture without
a source was drawn by hand: it is its own source."""

import hashlib
import re
import shutil
import subprocess

from nova import tree
from nova.errors import NovaError

FOLDER = tree.ROOT / "docs" / "pictures"
MARK = re.compile(r"<!-- drawn from (\S+), sha256 ([0-9a-f]{64}) -->")
FONT = "Helvetica,Arial,sans-serif"
STYLE = {
    "-G": {"fontname": FONT, "fontsize": 11, "bgcolor": "white", "pad": 0.2},
    "-N": {"fontname": FONT, "fontsize": 11},
    "-E": {"fontname": FONT, "fontsize": 10, "color": "#555555", "fontcolor": "#444444"},
}


def digest(source):
    """The digest of a source that its picture carries."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def stale(folder):
    """Complaints about the sources in a folder whose pictures are missing or older."""
    found = []
    for source in sorted(folder.glob("*.dot")):
        picture = source.with_suffix(".svg")
        if not picture.exists():
            found.append(f"{source.name}: has no picture; nova docs --pictures draws it")
            continue
        mark = MARK.search(picture.read_text(encoding="utf-8"))
        if not mark or mark.groups() != (source.name, digest(source)):
            found.append(f"{picture.name}: is older than its source; nova docs --pictures draws it")
    return found


def _draw(source):
    style = [f"{part}{name}={value}" for part, all_ in STYLE.items() for name, value in all_.items()]
    drawn = subprocess.run(
        ["dot", "-Tsvg", *style, str(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if drawn.returncode != 0:
        raise NovaError(f"dot does not draw {source.name}: {drawn.stderr.strip()}.")
    body = drawn.stdout[drawn.stdout.index("<svg") :]
    body = re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)
    head = "<!-- SPDX-License-Identifier: BSD-2-Clause -->\n"
    head += f"<!-- drawn from {source.name}, sha256 {digest(source)} -->\n"
    source.with_suffix(".svg").write_text(head + body, encoding="utf-8")


def draw(folder=FOLDER):
    """Draws all sources of a folder. Returns their number."""
    if not shutil.which("dot"):
        raise NovaError("dot is missing: apt-get install graphviz.")
    sources = sorted(folder.glob("*.dot"))
    for source in sources:
        _draw(source)
    return len(sources)
