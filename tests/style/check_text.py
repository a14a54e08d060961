# SPDX-License-Identifier: BSD-2-Clause
"""Checks the SPDX line and the length of lines and files of every source file. Checks source files
and pages for phrases that do not belong in plain English."""

import re

import sources

SPDX = "SPDX-License-Identifier: BSD-2-Clause"
MAX_BYTES = 100
MAX_LINES = 600
# Written so that this file does not find itself.
LEFT_OPEN = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")

# A phrase, and its replacement. Only phrases that are never right belong here.
PHRASES = (
    # Also inside names: the names of tests are sentences.
    (re.compile(r"(?<![A-Za-z])(an" + r"ew)(?![A-Za-z])"), "again"),
    (
        re.compile(
            r"(?<!here )\b((?:is|was) n" + r"o (?:CPU|EC|ELF|PC|PD|SC|address|capability|event|"
            r"file|kernel|median|number|object|operation|program|project|reference|regular|size|"
            r"success|terminal|tree)\b)"
        ),
        "is not a …",
    ),
    (re.compile(r"\b(who(?:ever|m?) (?:begins|begin) to)\b"), "the name of the subject"),
    (re.compile(r"\b(by whatever ca" + r"use)\b"), "for whatever reason"),
    (re.compile(r"\b([Ww]ithout more a" + r"do)\b"), "by default"),
    (re.compile(r"\b(is believed in no" + r"thing)\b"), "is not trusted"),
    (re.compile(r"\b([Ww]ho" + r"(?:m?ever))\b"), "the name of the subject"),
    (re.compile(r"\b([Ss]ome" + r"body)\b"), "the name of the subject"),
    (re.compile(r"\b([Hh]ears (?:that|of|why|nothing|it))\b"), "gets, learns or receives"),
    (re.compile(r"\b(so many (?:are|is|were|was))\b"), "the number of the thing"),
    # The word does not say whether a thread, a program, a guest or a person is meant.
    (re.compile(r"\b([Nn]o" + r"body)\b"), "no thread, no program, or the passive voice"),
    # A resource is available or not.
    (re.compile(r"\b((?:cannot|can|could|to|not) be h" + r"ad)\b"), "is (not) available"),
    # A program reports, a field contains, a function returns.
    (re.compile(r"\b((?:has|have|had) to be to" + r"ld|tel" + r"ls of)\b"), "reports or contains"),
    # Names of tests are sentences, too.
    (re.compile(r"(?<!there)_((?:is|are)_n" + r"o_[a-z]+)"), "is_not_a_…"),
    (re.compile(r"\b([Ww]ho" + r"m)\b"), "the name of the person or program"),
    (re.compile(r"\b(this ma" + r"ny)\b"), "a number of"),
    (re.compile(r"\b(stands? (?:once|twi" + r"ce))\b"), "occurs once"),
    (re.compile(r"\b([Bb]elieves? (?:nothing|an" + r"y))\b"), "checks all, or trusts any"),
    (
        re.compile(
            r"\b([Ff]rom (?:(?:0x)?[0-9]\w*(?: [KMG]iB)?|[A-Z][A-Z0-9_]{2,}) o" + r"n)\b(?! \w)"
        ),
        "N and above, or begins at N",
    ),
    # A verb. The noun is also an identifier, without an article.
    (re.compile(r"\b([Tt]he beg" + r"in)\b(?! and)"), "the beginning, the start"),
    (re.compile(r"\b(of the test's o" + r"wn)\b"), "simulated, or for this test"),
    (
        re.compile(
            r"\b([Tt]he w" + r"ay of (?:an?|the) (?:[\w']+ )?(?:block|call|instruction|interrupt|"
            r"message|page|request|timer))\b"
        ),
        "the path of a …",
    ),
    # The first column of a table has a name.
    (re.compile(r"^(\| wha" + r"t \|)"), "resource, subject, property"),
    # A short execution path of the kernel has one name in all comments and pages.
    (re.compile(r"\b([Ss]traight pa" + r"ths?)\b"), "fast path"),
    (re.compile(r"\b([Uu]p" + r"ped)\b"), "gets an up, or received an up"),
    (re.compile(r"\b([Uu]nder w" + r"ay)\b"), "in progress"),
    # The name of one test contains these words, after "message is".
    (re.compile(r"(?<!message is )\b(on its w" + r"ay)\b"), "in progress, pending or sent"),
    (re.compile(r"\b([Ii]n va" + r"in)\b"), "without success"),
    (re.compile(r"\b([Gg]one for go" + r"od)\b"), "permanently gone, or freed"),
    (re.compile(r"\b([Pp]ure lo" + r"gic)\b"), "makes no hypercalls"),
    (re.compile(r"\b(step's num" + r"ber)\b"), "as many as one step allows"),
    (re.compile(r"\b([Tt]he other on" + r"es)\b"), "the others, or their name"),
    (re.compile(r"\b([Ee]ach (?:third|four" + r"th|fifth|tenth))\b"), "every fourth"),
    # It refers to a preceding sentence, but a comment is read alone.
    (re.compile(r"\b([Tt]he sa" + r"me of)\b"), "the name of the thing"),
    (
        re.compile(r"(?:/\*\*?|//|#|\"\"\") ?(The sa" + r"me(?:,| (?:as|between|for|in|with)\b))"),
        "the name of the thing",
    ),
    # A comment begins with a verb or a noun.
    (re.compile(r"(?:/\*\*?<?|//|\"\"\") ?(Wha" + r"t|Who)\b(?!.*\?)"), "a verb or a noun"),
    (re.compile(r"\b([Cc]heck su" + r"ms?)\b"), "checksum"),
    # A list has its own subject: the options are ...
    (re.compile(r"\b([Kk]nown a" + r"re)\b"), "the options are, the names are"),
    (
        re.compile(
            r"\b((?:caller|card|client|driver|guest|kernel|monitor|parent|program|thread|VMM) "
            r"(?:is|are|was|were) to" + r"ld)\b"
        ),
        "gets, learns or receives",
    ),
    (re.compile(r"\b([Nn]one of th" + r"ose)\b"), "no and the name of the thing"),
    (re.compile(r"\b((?:frames?|itself) to a" + r"ll)\b(?! \w)"), "a broadcast"),
    # A column, and a cell, name their content.
    (re.compile(r"(\| what is (?:the" + r"re|left) \|)"), "content, or the name of the thing"),
    (re.compile(r"(\| that of th" + r"e \w+ \|)"), "the name of the thing"),
    # A sentence begins with its subject; a question ends with its mark.
    (re.compile(r"(?<=[.:;] )((?:Wha" + r"t|Who) [a-z]+ [^?]*\.)"), "the name of the subject"),
    (re.compile(r"\b([Tt]he other wa" + r"y),"), "in the opposite direction or design"),
    (re.compile(r"\b(as (?:it|they) ca" + r"me)\b(?! to)"), "unchanged"),
    (re.compile(r"\b(in each other's pla" + r"ce)\b"), "at the address of the other one"),
    # A thread holds a lock; a caller waits for a reply.
    (
        re.compile(
            r"\b((?:[Cc]alled|die[sd]|ended|ends|hangs|loops) with the lo" + r"ck)\b(?! held)"
        ),
        "with the lock held, while it holds the lock",
    ),
    (re.compile(r"\b(waits? with an? (?:ev" + r"ent|exception))\b"), "waits for the reply to"),
    (re.compile(r"\b((?:file|folder)s? go(?:" + r"es)?)\b(?! \w)"), "is removed"),
    (re.compile(r"\b(comes? in (?:its|their) pla" + r"ce)\b"), "takes its place"),
    (re.compile(r"\b(lines? may co" + r"me)\b"), "may be printed"),
    (re.compile(r"\b(rates? of (?:its|their) o" + r"wn)\b"), "a second, a separate rate"),
    (re.compile(r"\b(libraries of a sys" + r"tem)\b"), "system libraries"),
    # The checks of the tests print: check failed.
    (re.compile(r"(\"not s" + r"o: )"), "check failed: …"),
)


def check_phrases(name, lines):
    """Returns complaints about phrases in a text, be it code or a page."""
    return [
        f"{name}:{number}: '{match.group(1)}': write '{better}'"
        for number, line in enumerate(lines, start=1)
        for phrase, better in PHRASES
        for match in phrase.finditer(line)
    ]


def check_lines(name, lines):
    """Returns all complaints about one file."""
    found = []
    first = lines[1:2] if lines and lines[0].startswith("#!") else lines[:1]
    if not first or SPDX not in first[0]:
        found.append(f"{name}:1: the first line does not say {SPDX}")
    if len(lines) > MAX_LINES:
        found.append(f"{name}: {len(lines)} lines, more than {MAX_LINES}: two files are in it")
    for number, line in enumerate(lines, start=1):
        where = f"{name}:{number}"
        length = len(line.encode())
        if length > MAX_BYTES:
            found.append(f"{where}: {length} bytes, more than {MAX_BYTES}")
        if line != line.rstrip():
            found.append(f"{where}: blanks at the end of the line")
        if "\t" in line:
            found.append(f"{where}: a tabulator")
        if LEFT_OPEN.search(line):
            found.append(f"{where}: something was left open")
    return found


def check(root, _scratch):
    names = sources.find(root, sources.CODE + sources.OTHER, sources.NAMED)
    found = []
    for name in names:
        text = (root / name).read_text(encoding="utf-8")
        if text and not text.endswith("\n"):
            found.append(f"{name}: no line end at the end of the file")
        found += check_lines(name, text.splitlines())
        found += check_phrases(name, text.splitlines())
    pages = [name for name in sources.find(root, (".md", ".txt")) if name not in names]
    for name in pages:
        text = (root / name).read_text(encoding="utf-8")
        found += check_phrases(name, text.splitlines())
    return len(names) + len(pages), found


if __name__ == "__main__":
    sources.main(check)
