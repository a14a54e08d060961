# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench --release NAME`: keeps this build's figures as the figures of a release. The plots
show the figures of all releases, and the figures that are published now."""

from dataclasses import dataclass

from nova import bench_svg as svg
from nova import table
from nova.errors import NovaError

FOLDER = "performance"
COMMENT = "# SPDX-License-Identifier: BSD-2-Clause\n"
ABSENT = "-"
# Name of the published figures, after the releases.
PRESENT = "now"
ARCH = "x86_64"


@dataclass
class Chart:
    name: str
    title: str
    keys: tuple
    unit: str = "instructions"


# Figures that share a plot.
CHARTS = (
    Chart(
        "calls",
        "Calls",
        (
            "invalid_hypercall",
            "call_bad_cap",
            "call_same_pd",
            "call_other_pd",
            "call_64_words",
            "sc_ctrl",
        ),
    ),
    Chart(
        "bases",
        "Calls between threads with a storage base",
        ("call_bases", "call_bases_64_words"),
    ),
    Chart("words", "Each further word of a call", ("call_word",)),
    Chart(
        "lookups",
        "Lookups and translation",
        ("lookup_object", "lookup_memory", "translate_object"),
    ),
    Chart("events", "Events", ("ud_eip", "ud_all", "recall_self", "page_fault")),
    Chart(
        "guests",
        "Events of guests",
        ("guest_cpuid", "guest_port", "guest_inject", "guest_memory", "guest_recall"),
    ),
    Chart(
        "delegation",
        "Delegation and revocation",
        (
            "delegate_object",
            "revoke_object",
            "delegate_page",
            "revoke_page",
            "delegate_port",
            "revoke_port",
        ),
    ),
    Chart(
        "tables",
        "The first use of a table",
        (
            "delegate_first_object",
            "revoke_first_object",
            "delegate_first_page",
            "revoke_first_page",
        ),
    ),
    Chart(
        "ranges",
        "Ranges of pages",
        ("delegate_large_page", "revoke_large_page", "delegate_512_pages", "revoke_512_pages"),
    ),
    Chart("threads", "Semaphores and threads", ("sm_up", "sm_down", "wake_higher", "ping_pong")),
    Chart(
        "objects",
        "Creation",
        ("create_sm", "create_pt", "create_sc", "create_ec", "create_pd", "create_first_ec"),
    ),
    Chart(
        "ends",
        "Destruction",
        ("destroy_sm", "destroy_pt", "destroy_sc", "destroy_ec", "destroy_pd", "destroy_used_pd"),
    ),
    Chart(
        "cycles",
        "Creation and destruction",
        ("cycle_sm", "cycle_pt", "cycle_sc", "cycle_ec", "cycle_pd", "cycle_pd_with_ec"),
    ),
    Chart(
        "memory",
        "Kernel memory",
        (
            "memory_pd",
            "memory_ec",
            "memory_sc",
            "memory_pt",
            "memory_sm",
            "memory_mapping",
            "memory_capability",
        ),
        "bytes",
    ),
    Chart(
        "image",
        "Kernel image",
        ("image_text", "image_bss", "image_rodata", "image_boot", "image_data"),
        "bytes",
    ),
    Chart("boot", "From the kernel's entry to the roottask", ("boot",)),
)

# Sizes of a picture, in pixels.
WIDTH, HEIGHT = 760, 360
LEFT, RIGHT, TOP, BOTTOM = 66, 160, 40, 44
LABEL_HEIGHT = 15
STEPS = 5
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8e5aa8", "#b8860b", "#444444", "#2a9d8f")


def read(path):
    """Returns the names of the releases, and {key: figures, None where there was none}."""
    head, *lines = table.lines_of(path)
    figures = {
        key: [None if value == ABSENT else float(value) for value in values]
        for key, *values in lines
    }
    return head[1:], figures


def _text(value):
    return ABSENT if value is None else f"{value:.9g}"


def check_name(name, names):
    """Raises NovaError if NAME is the name of a release before the last one."""
    if name in names[:-1]:
        raise NovaError(f"'{name}' cannot be added: name a release that comes after {names[-1]}.")


def with_release(path, name, current):
    """Returns the text of the file with the release NAME added, or replaced if it is the last."""
    names, figures = read(path)
    check_name(name, names)
    again = names[-1] == name
    keep = len(names) - again
    keys = [*current, *(key for key in figures if key not in current)]
    comments = [
        line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")
    ]
    lines = [*comments, "\t".join(["key", *names[:keep], name])]
    for key in keys:
        old = figures.get(key, [None] * len(names))[:keep]
        lines.append("\t".join([key, *map(_text, old), _text(current.get(key))]))
    return "\n".join(lines) + "\n"


def _ceiling(value):
    """Returns the next round number."""
    power = 10 ** (len(str(int(value))) - 1)
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def _spread(places, lowest):
    """Returns places of labels, in order, far enough apart not to overlap, none below LOWEST.
    """
    result = []
    for place in places:
        result.append(max(place, result[-1] + LABEL_HEIGHT) if result else place)
    for i in range(len(result) - 1, -1, -1):
        result[i] = min(result[i], lowest)
        lowest = result[i] - LABEL_HEIGHT
    return result


class _Picture:
    def __init__(self, names, top):
        self.names, self.top, self.lines = names, top, []

    def x(self, column):
        return LEFT + column * (WIDTH - LEFT - RIGHT) / max(1, len(self.names) - 1)

    def y(self, value):
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top)

    def write(self, *args, **options):
        self.lines.append(svg.text(*args, **options))

    def axes(self, chart):
        self.write(LEFT, 20, f"{chart.title}: {chart.unit}, {ARCH}", "start", size=14)
        for step in range(STEPS + 1):
            value = self.top * step / STEPS
            y = self.y(value)
            self.lines.append(svg.path(f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}", svg.GRID))
            self.write(LEFT - 6, y + 4, f"{value:,.9g}", "end")
        for column, name in enumerate(self.names):
            self.write(self.x(column), HEIGHT - BOTTOM + 18, name, size=10)

    def curve(self, values, colour):
        points = [(self.x(i), self.y(value)) for i, value in enumerate(values) if value is not None]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.lines.append(svg.path(f"M{path}", colour, 2))
        for x, y in points:
            self.lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>')

    def text(self):
        return svg.picture(WIDTH, HEIGHT, self.lines)


def plot(chart, names, figures):
    """Returns one chart as SVG; its curves are those that have a figure now."""
    curves = [
        (figures[key], key.replace("_", " "), colour)
        for key, colour in zip(chart.keys, COLOURS)
        if figures.get(key, [None])[-1] is not None
    ]
    top = _ceiling(max(value for values, _, _ in curves for value in values if value is not None))
    picture = _Picture(names, top)
    picture.axes(chart)
    curves.sort(key=lambda curve: -curve[0][-1])
    places = _spread([picture.y(values[-1]) for values, _, _ in curves], HEIGHT - LABEL_HEIGHT)
    for (values, title, colour), place in zip(curves, places):
        picture.curve(values, colour)
        picture.write(WIDTH - RIGHT + 10, place + 4, f"{values[-1]:,.9g} {title}", "start", colour)
    return picture.text()


def plots(path, current):
    """Returns {name of the file: its text} of all charts; their last point is the published figure.
    """
    names, figures = read(path)
    figures = {
        key: [*figures.get(key, [None] * len(names)), value] for key, value in current.items()
    }
    return {f"{chart.name}.svg": plot(chart, [*names, PRESENT], figures) for chart in CHARTS}
