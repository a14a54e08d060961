# SPDX-License-Identifier: BSD-2-Clause
"""Lines of a system description, as nova-system reads them."""

import re

_CONTENT = re.compile(r'(?:"(?:\\["\\]|[^"])*(?:"|$)|[^"#])*')


def content(line):
    """Returns a LINE without its comment and the blanks at its end."""
    return _CONTENT.match(line).group().rstrip()


def begins(line, *words):
    """Returns whether the first words of a LINE are WORDS."""
    return tuple(content(line).split()[: len(words)]) == words


def section(line):
    """Returns whether a LINE begins a section."""
    return begins(line, "machine") or content(line).split()[:1] in (["program"], ["device"])


def with_words(line, words):
    """Returns a LINE with further WORDS before its comment."""
    end = len(content(line))
    return " ".join([line[:end], *words]) + line[end:]
