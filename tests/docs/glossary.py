# SPDX-License-Identifier: BSD-2-Clause
"""Checks that pages and sources do not use the synonyms that the glossary avoids: `glossary.py
ROOT`. The last column of each table, "not", lists them. Words with a second, legitimate meaning are
in OTHER_MEANING and not checked; every other word is refused, also inside an identifier."""

import re
import sys
from pathlib import Path

GLOSSARY = "docs/glossary.md"
FOLDERS = ("docs", "examples", "templates", "hypervisor", "libnova", "roottask")
SUFFIXES = (".md", ".c", ".h", ".S")
# The second page compares the terms of other systems.
SKIPPED = (GLOSSARY, "docs/manual/terms.md")
# Words of plain English, of the hardware, of C and of POSIX; words to which another row of the
# glossary gives a meaning; phrases with another meaning, such as the name nova_handler_thread().
OTHER_MEANING = set(
    """
    APIC id;IRQ;VM;VM exit;VMM;add;address space;alloc;attach;back;bindings;boot info;budget
    buffer;cache;call number;call stack;cap;capabilities;capability register;channel;chunk
    client;collect;command;complete;configuration;connection;delegate;delete;descriptor;desk
    distribution;domain;done;errno;error code;event;execute;file descriptor;flush;free;gate
    grant;handle;heap;hypervisor;identify;index;init;initrd;invoke;kernel map;kick;kill;line
    lock;lookup;map;message;method;handler thread;handshake;message buffer;new;notification
    offset;packet;page directory;parent;parse;port;preempt;process;query;queue;reservation
    return;return value;revoke;right;rights;search;send;serialise;server;setup;share;signal
    size;sleep;slot;spinlock;split;start;syscall;system call;task;timeout;trap;unmap;vector
    wake-up;worker
    """.replace("\n", ";").split(";")
)
OTHER_MEANING = {" ".join(word.split()) for word in OTHER_MEANING} - {""}
# Names that others have given: types of content on the web, and members of lwIP's structures.
NAMES = re.compile(r"\bapplication/(json|octet-stream)\b|\bbuffer->payload\b|"
                   r"\bpcb->callback_arg\b")
# Uses that a later change of the page will remove.
EXEMPT = {("docs/kernel/decisions.md", "mapping node")}


def avoided(glossary):
    """Returns the words of the last columns, without the remarks in brackets."""
    words = set()
    for line in glossary.splitlines():
        if line.startswith("| ") and not line.startswith("| word"):
            cell = re.sub(r"\([^)]*\)", "", line.strip().strip("|").split("|")[-1])
            words |= {word.strip() for word in re.split(r"[,;/]", cell)}
    return words - {"–", ""}


def pattern(word):
    """Returns the expression that finds a word, its plural, and both as a part of a name."""
    parts = r"[\s_*-]+".join(re.escape(part) for part in re.split(r"[ -]", word))
    return re.compile(rf"(?<![A-Za-z]){parts}s?(?![A-Za-z])", re.IGNORECASE)


def complaints(glossary, files):
    """Returns messages about avoided words in files, a text by name, and about wrong entries of
    OTHER_MEANING."""
    words = avoided(glossary)
    found = [f"OTHER_MEANING: {word} is not avoided" for word in sorted(OTHER_MEANING - words)]
    lower = {name: text.lower() for name, text in files.items()}
    for word in sorted(words - OTHER_MEANING):
        expression, first = pattern(word), re.split(r"[ -]", word)[0].lower()
        for name, text in files.items():
            if first not in lower[name]:
                continue  # much faster than the expression
            for match in expression.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                if (name, word) not in EXEMPT:
                    found.append(f"{name}:{line}: '{match.group(0)}': see {GLOSSARY}")
    return found


def main(root):
    files = {}
    for path in [root / "README.md", *(p for f in FOLDERS for p in (root / f).rglob("*"))]:
        name = str(path.relative_to(root))
        if path.suffix in SUFFIXES and path.is_file() and name not in SKIPPED:
            files[name] = NAMES.sub("", path.read_text(encoding="utf-8"))
    glossary = (root / GLOSSARY).read_text(encoding="utf-8")
    found = complaints(glossary, files)
    print("\n".join(found))
    checked = len(avoided(glossary) - OTHER_MEANING)
    print(f"{checked} words in {len(files)} files, {len(found)} complaints")
    sys.exit(1 if found or not checked else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
