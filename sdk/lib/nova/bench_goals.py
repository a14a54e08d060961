# SPDX-License-Identifier: BSD-2-Clause
"""A plot of figures against their goals: a bar for each row that has a goal, 1 is the goal."""

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 900, 450, 150, 40, 26
ROW, BAR = 24, 14
MET, MISSED = "#5b8f55", "#c8743c"


def _text(x, y, text, anchor, size=11):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222222" '
        f'font-size="{size}">{escape(text)}</text>'
    )


def _line(x, bottom, colour):
    return f'<path d="M{x:.1f} {TOP - 6}V{bottom}" stroke="{colour}" fill="none"/>'


def bars(rows, figures):
    """Returns (name, figure, goal) of each row that has a goal and a figure."""
    return [
        (row.title.partition(": ")[0], figures[row.key], row.goal)
        for row in rows
        if row.goal is not None and row.key in figures
    ]


def plot(title, rows, figures):
    """Returns the picture, as SVG."""
    found = bars(rows, figures)
    most = max(2.0, *(figure / goal for _, figure, goal in found))
    unit, bottom = (WIDTH - LEFT - RIGHT) / most, TOP + ROW * len(found)
    lines = [_text(20, 20, f"{title}: figures as multiples of their goals", "start", 14)]
    for step in range(int(most) + 1):
        x = LEFT + step * unit
        lines += [_line(x, bottom, "#dddddd"), _text(x, bottom + 16, str(step), "middle", 10)]
    for number, (name, figure, goal) in enumerate(found):
        y, width = TOP + ROW * number, figure / goal * unit
        colour = MET if figure <= goal else MISSED
        lines += [
            _text(LEFT - 8, y + 12, name, "end"),
            f'<rect x="{LEFT}" y="{y + 1}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>',
            _text(LEFT + max(width, unit) + 8, y + 12, f"{figure:,.9g} of {goal:,.9g}", "start"),
        ]
    lines.append(_line(LEFT + unit, bottom, "#222222"))
    height = bottom + BOTTOM
    return "\n".join(
        [
            "<!-- SPDX-License-Identifier: BSD-2-Clause -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" font-family="sans-serif">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *lines,
            "</svg>\n",
        ]
    )
