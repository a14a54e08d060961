# SPDX-License-Identifier: BSD-2-Clause
"""Reads tables of statements. A line has a number, a group, the case that shows the statement, and
the statement."""

import re


def anchors(text):
    """Returns the anchors of a page's headings."""
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def errors(text, groups, wrong_case):
    """Returns messages about the lines of a table. GROUPS are the numbers of its groups.
    WRONG_CASE returns a message for a group and a case, or None."""
    found, seen, used = [], set(), set()
    for number, line in enumerate(text.splitlines()[1:], 1):
        fields = line.split("\t")
        if len(fields) != 4 or not all(fields) or fields[0] != str(number):
            found.append(f"{number}: is not number {number} with group, case and statement")
            continue
        _, group, case, statement = fields
        if not group.isdigit() or int(group) not in groups:
            found.append(f"{number}: there is no group {group}")
            continue
        used.add(int(group))
        if statement.lower() in seen:
            found.append(f"{number}: the statement occurs twice")
        seen.add(statement.lower())
        message = wrong_case(int(group), case)
        if message:
            found.append(f"{number}: {message}")
    return found + [f"group {group} has no statement" for group in groups if group not in used]
