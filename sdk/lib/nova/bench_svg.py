# SPDX-License-Identifier: BSD-2-Clause
"""The parts of SVG that plots have: texts, lines, and the picture around them."""

from xml.sax.saxutils import escape

INK, GRID = "#222222", "#dddddd"  # colours


def text(x, y, content, anchor="middle", colour=INK, size=11):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}">{escape(content)}</text>'
    )


def path(commands, colour, width=""):
    """Returns a line along COMMANDS. WIDTH: the line's width, if it is not 1."""
    stroke = f'stroke="{colour}"' + (f' stroke-width="{width}"' if width else "")
    return f'<path d="{commands}" {stroke} fill="none"/>'


def picture(width, height, lines, title=""):
    """Returns the whole file."""
    return "\n".join(
        [
            "<!-- SPDX-License-Identifier: BSD-2-Clause -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif">',
            *([f"<title>{escape(title)}</title>"] if title else []),
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *lines,
            "</svg>\n",
        ]
    )
