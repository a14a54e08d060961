# SPDX-License-Identifier: BSD-2-Clause
"""Links between the API pages: each group's page ends with links to the groups before and after it,
in the order of docs/doxygen/groups.dox. Doxygen has no such links, so they go into its HTML."""

import html
import re

GROUP = re.compile(r"@defgroup (\w+) ([^\n]+)")
END = "</div><!-- contents -->"


def in_order(groups):
    """Returns (name, title) of each group in the text of groups.dox."""
    return [(name, title.strip()) for name, title in GROUP.findall(groups)]


def file_name(group):
    """Returns the name of Doxygen's file for a group."""
    return f"group__{group.replace('_', '__')}.html"


def neighbours(number, order):
    """Returns the links at the end of group NUMBER of the order."""
    found = []
    for name, title in order[max(number - 1, 0) : number]:
        found.append(f'<a href="{file_name(name)}">← {html.escape(title)}</a>')
    for name, title in order[number + 1 : number + 2]:
        found.append(f'<a href="{file_name(name)}">Next page: {html.escape(title)} →</a>')
    return '<div class="neighbours">\n' + "\n".join(found) + "\n</div>\n"


def add(folder, groups):
    """Adds the links to the HTML files in a folder. Does nothing to a page that does not exist."""
    order = in_order(groups)
    for number, (name, _) in enumerate(order):
        path = folder / file_name(name)
        if path.exists():
            page, found, rest = path.read_text(encoding="utf-8").rpartition(END)
            if found:
                text = page + neighbours(number, order) + found + rest
                path.write_text(text, encoding="utf-8")
