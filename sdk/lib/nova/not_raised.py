# SPDX-License-Identifier: BSD-2-Clause
"""The conformance cases that a platform may leave out: the rows of
tests/conformance/not-raised.tsv.

A row holds a reason as the cases report it, conditions on the platform, and an explanation. A
condition is a word that must be true, or `!word` for a word that must be false. A case may be left
out only if a row applies."""

from nova import tree
from nova.errors import EXIT_FAILED, NovaError

FILE = tree.ROOT / "tests/conformance/not-raised.tsv"
HEADER = ["reason", "where", "why"]


def read(path=FILE):
    """Returns {reason: [the conditions of a row]}; a reason may have several rows. An installed SDK
    does not contain the kernel's tests, so no case may be left out there."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = {}
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t")
        if len(fields) != len(HEADER) or not all(fields):
            raise NovaError(f"{path.name}:{number} does not have three fields.", EXIT_FAILED)
        if number > 1:
            rows.setdefault(fields[0], []).append(fields[1].split())
    return rows


def platform(machine, arch, emulator="qemu", foreign=False):
    """Returns the words that are true of a run: emulator, architecture, CPU count, machine, CPU
    model, way of booting, words of the kernel's command line and of further QEMU arguments;
    `foreign` for another kernel."""
    words = {emulator, arch, f"cpus={machine.cpus}", machine.machine, machine.cpu}
    words.add(f"boot={machine.boot}")
    words.update(machine.cmdline.split())
    for argument in machine.extra:
        words.update(argument.split(","))
    if foreign:
        words.add("foreign")
    return words


def allowed(rows, reason, words):
    """Returns whether a case may be left out for this reason on a platform for which WORDS are
    true."""
    return any(
        all((word[1:] not in words) if word.startswith("!") else word in words for word in row)
        for row in rows.get(reason, [])
    )
