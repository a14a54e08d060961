# SPDX-License-Identifier: BSD-2-Clause
"""A plot of figures against their goals: a bar for each row that has a goal; the goal is at 1."""

from nova import bench_svg as svg

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 900, 450, 150, 40, 26
ROW, BAR = 24, 14
MET, MISSED = "#5b8f55", "#c8743c"


def _line(x, bottom, colour):
    return svg.path(f"M{x:.1f} {TOP - 6}V{bottom}", colour)


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
    most = max([2.0, *(figure / goal for _, figure, goal in found)])
    unit, bottom = (WIDTH - LEFT - RIGHT) / most, TOP + ROW * len(found)
    head = f"{title}: figures as multiples of their goals"
    lines = [svg.text(20, 20, head, "start", size=14)]
    for step in range(int(most) + 1):
        x = LEFT + step * unit
        lines += [_line(x, bottom, svg.GRID), svg.text(x, bottom + 16, str(step), size=10)]
    for number, (name, figure, goal) in enumerate(found):
        y, width = TOP + ROW * number, figure / goal * unit
        colour = MET if figure <= goal else MISSED
        lines += [
            svg.text(LEFT - 8, y + 12, name, "end"),
            f'<rect x="{LEFT}" y="{y + 1}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>',
            svg.text(LEFT + max(width, unit) + 8, y + 12, f"{figure:,.9g} of {goal:,.9g}", "start"),
        ]
    lines.append(_line(LEFT + unit, bottom, svg.INK))
    return svg.picture(WIDTH, bottom + BOTTOM, lines, title)
