# SPDX-License-Identifier: BSD-2-Clause
"""Reads the X-macro rows of the public headers, which are the source of tables in the
documentation."""

import re

TABLE = re.compile(r"^#define (NOVA_\w+_ROWS)\(ROW\)(.*?[^\\])$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"\bROW\(((?:[^()\"]|\"(?:[^\"\\]|\\.)*\")*)\)")
CELL = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|([^,\"\s][^,\"]*)")


def cells(text):
    """Returns the cells of one row, strings without quotes."""
    return [quoted or plain.strip() for quoted, plain in CELL.findall(text)]


def tables(text):
    """Returns the tables of a header: {macro: [[cell, …], …]}."""
    return {
        name: [cells(row) for row in ROW.findall(body.replace("\\\n", ""))]
        for name, body in TABLE.findall(text)
    }


def read(*headers):
    """Returns the tables of several headers together."""
    found = {}
    for header in headers:
        found.update(tables(header.read_text(encoding="utf-8")))
    return found
