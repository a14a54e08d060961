# SPDX-License-Identifier: BSD-2-Clause
"""`nova docs` of an installed SDK: prints the path of the manual. In NOVA's tree, docs.py makes the
manual."""

from nova import options, places
from nova.errors import EXIT_OK, NovaError


def add_parser(commands):
    if not places.INSTALLED:
        from nova import docs

        docs.add_parser(commands)
        return
    parser = commands.add_parser(
        "docs",
        prog="nova docs",
        help="print the path of the manual",
        description="Prints the path of the manual's first page.",
        formatter_class=options.Formatter,
        usage="nova docs",
    )
    parser.set_defaults(function=run)


def run(_args):
    if not places.MANUAL.exists():
        raise NovaError(
            f"this SDK lacks the manual's HTML: its text begins with {places.PAGES}; run nova "
            "install in NOVA's tree to get the HTML."
        )
    print(places.MANUAL)
    return EXIT_OK
