# SPDX-License-Identifier: BSD-2-Clause
"""The pictures of the pages: Graphviz draws docs/pictures/NAME.dot as NAME.svg. NAME.term, the text
of a terminal with its title in the first line, becomes a window.

Both are checked in, so that the pages can be read without Graphviz. The picture carries the digest
of its source, so that a test detects an outdated picture. A picture without a source was drawn by
hand: it is its own source."""

import hashlib
import html
import re
import shutil
import subprocess

from nova import tree
from nova.errors import NovaError

FOLDER = tree.ROOT / "docs" / "pictures"
MARK = re.compile(r"<!-- drawn from (\S+), sha256 ([0-9a-f]{64}) -->")
COLUMN, LINE, EDGE, BAR = 7.83, 17, 14, 28  # sizes of a terminal, in pixels
FONT = "Helvetica,Arial,sans-serif"
STYLE = {
    "-G": {"fontname": FONT, "fontsize": 11, "bgcolor": "white", "pad": 0.2},
    "-N": {"fontname": FONT, "fontsize": 11},
    "-E": {"fontname": FONT, "fontsize": 10, "color": "#555555", "fontcolor": "#444444"},
}


def digest(source):
    """Returns the digest of a source, which its picture carries."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def sources(folder):
    """Returns the files of a folder that are drawn, in order."""
    return sorted(path for path in folder.iterdir() if path.suffix in (".dot", ".term"))


def stale(folder):
    """Returns complaints about sources in a folder without a picture, or with an outdated one."""
    found = []
    for source in sources(folder):
        picture = source.with_suffix(".svg")
        if not picture.exists():
            found.append(f"{source.name}: has no picture; nova docs --pictures draws it")
            continue
        mark = MARK.search(picture.read_text(encoding="utf-8"))
        if not mark or mark.groups() != (source.name, digest(source)):
            found.append(f"{picture.name}: differs from its source; nova docs --pictures draws it")
    return found


def terminal(text):
    """Returns a window with the lines of TEXT; its first line is the title. Lines that begin with a
    prompt are the user's input."""
    title, *lines = text.rstrip("\n").split("\n")
    columns = max(map(len, lines))
    width, height = round(columns * COLUMN + 2 * EDGE), BAR + len(lines) * LINE + 2 * EDGE
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" '
        'font-size="13" fill="#d6deeb">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#011627"/>',
        f'<path d="M0 {BAR}V8a8 8 0 0 1 8 -8H{width - 8}a8 8 0 0 1 8 8V{BAR}z" fill="#1d3b53"/>',
    ]
    for number, color in enumerate(("#ff5f56", "#ffbd2e", "#27c93f")):
        out.append(f'<circle cx="{18 + 18 * number}" cy="{BAR / 2:g}" r="5.5" fill="{color}"/>')
    out.append(f'<text x="{width / 2:g}" y="19" text-anchor="middle">{html.escape(title)}</text>')
    for number, line in enumerate(lines):
        if line.strip():
            typed = ' fill="#addb67"' if line.startswith(("$ ", "/ # ")) else ""
            y = BAR + EDGE + LINE * (number + 1) - 5
            out.append(
                f'<text x="{EDGE}" y="{y}" xml:space="preserve"{typed} '
                f'textLength="{len(line) * COLUMN:.1f}">{html.escape(line)}</text>'
            )
    return "\n".join([*out, "</svg>\n"])


def _draw_terminal(source):
    return terminal(source.read_text(encoding="utf-8"))


def _draw_graph(source):
    style = [f"{part}{name}={value}" for part in STYLE for name, value in STYLE[part].items()]
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
    return re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)


def _draw(source):
    body = _draw_graph(source) if source.suffix == ".dot" else _draw_terminal(source)
    head = "<!-- SPDX-License-Identifier: BSD-2-Clause -->\n"
    head += f"<!-- drawn from {source.name}, sha256 {digest(source)} -->\n"
    source.with_suffix(".svg").write_text(head + body, encoding="utf-8")


def draw(folder=FOLDER):
    """Draws all sources of a folder. Returns their number."""
    if not shutil.which("dot"):
        raise NovaError("dot is missing: apt-get install graphviz.")
    for source in sources(folder):
        _draw(source)
    return len(sources(folder))
