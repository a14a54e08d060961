#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks the page states of secure VMs in all interleavings: `pages_model.py COMPILER FOLDER
[--long]`. With --long it makes LONG_RUNS, which take minutes and 3 GiB of memory.

Runs pages_model.c with the ultravisor's page.c and frame.c, then once for each fault of FAULTS in
one of these files, which must break the invariant that the row names."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ULTRAVISOR = ROOT / "roottask/ultravisor"
SOURCES = (HERE / "pages_model.c", HERE / "pages_model.h", HERE / "pages_same.h",
           ULTRAVISOR / "page.c", ULTRAVISOR / "frame.c")
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", f"-I{ULTRAVISOR}",
         f"-I{ROOT / 'roottask/include'}")
# Arguments of each run: frames, pages of the VMM, encryptions, uses, limit of states
# (pages_model.c). The first run has all uses of both pages by both virtual CPUs; the last one does
# not unite equal states.
RUNS = ("1 1 1 rhspw", "1 1 2 rspw", "2 1 0 h", "1 2 2 ho", "1 1 1 orhspwu")
LONG_RUNS = ("1 1 3 rhspwv 32000000", "2 1 1 rhspw 32000000", "1 2 1 rhspw 32000000")
SECONDS = 3600
BROKEN = 3  # status of a run that breaks an invariant

# Source, code in it, the fault, the invariant, the run that finds it.
FAULTS = (
    ("frame.c", "memset(frame_address(frames, frame), 0, FRAME_BYTES);", "",
     "a free frame is zero", 2),
    ("page.c", "page->pins || !pages->ops->unmap(pages, page, gpa, PAGE_SECURE_PLACE)",
     "!pages->ops->unmap(pages, page, gpa, PAGE_SECURE_PLACE)", "a frame in use stays", 1),
    ("page.c", "page->pins || !pages->ops->unmap(pages, page, gpa, PAGE_SECURE_PLACE)",
     "page->pins", "a mapped frame belongs to its page", 1),
    ("page.c", "page->snapshot ? page->version : ++pages->versions",
     "pages->versions ? pages->versions : ++pages->versions", "a nonce is used for one content", 1),
    ("page.c", "frame_address(pages->frames, frame))) {",
     "frame_address(pages->frames, frame)) && !gpa) {",
     "a secure page has the content that its guest has written", 1),
    ("page.c", "give_frame(pages, frame);\n                return NOVA_U_PERMISSION;",
     "return NOVA_U_PERMISSION;", "no frame is lost", 1),
    ("page.c", "if (page->asked)", "if (page)",
     "a page is shared after its guest has accessed it", 2),
    ("page.c", "status != NOVA_U_PERMISSION || !page->asked", "!page->asked",
     "an answer of the VMM loses no page that is out", 3),
    ("page.c", "if (!pages->ops->copy_out(pages, normal, zeros))", "if (!pages->ops)",
     "a shared page begins with zeroes", 2),
    ("page.c", "page->expected = false;", "", "a secure page has the content", 1),
    ("page.c", "{\n        if (!unmap(pages, page, gpa))\n                return NOVA_U_BUSY;",
     "{\n        if (!(pages->versions && gpa & FRAME_BYTES) && !unmap(pages, page, gpa))\n"
     "                return NOVA_U_BUSY;", "a frame in use stays", 0),
    ("page.c", "page->shared = page->asked = false;", "page->shared = false;",
     "a page is shared after its guest has accessed it", 2),
    ("pages_model.h", "if (is_in_flight(page_of(gpa)))", "if (!gpa)",
     "a mapped frame belongs to its page", 1),
    ("pages_model.c", "page->narrow && other_gives_narrow(vcpu)", "page->narrow && !vcpu",
     "a page that is mapped read-only can become writable", 1),
    ("pages_model.c", "vcpu->secure != is_secure_access(page, vcpu->view)", "!page",
     "a mapped page of the VMM is the shared place", 2),
)


class Wrong(Exception):
    """A fault cannot be put into its source."""


def build(compiler, folder, fault=None):
    """Builds the program, with a fault in one of its sources. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for source in SOURCES:
        text = source.read_text(encoding="utf-8")
        if fault and source.name == fault[0]:
            if text.count(fault[1]) != 1:
                raise Wrong(f"{source.name} does not have this once: {fault[1]}")
            text = text.replace(fault[1], fault[2])
        files.append(folder / source.name)
        files[-1].write_text(text, encoding="utf-8")
    program = folder / "pages_model"
    flags = (*FLAGS, *(() if not fault else ("-w",)))
    files = [file for file in files if file.suffix == ".c"]
    subprocess.run([compiler, *flags, "-o", program, *files], check=True)
    return program


def run(program, words):
    """Runs the program. Returns its status and its output."""
    done = subprocess.run([program, *words.split()], capture_output=True, text=True, check=False,
                          timeout=SECONDS)
    return done.returncode, done.stdout + done.stderr


def main(compiler, folder, *options):
    """Prints the result of each run; exits with 1 if one is wrong."""
    program = build(compiler, folder)
    bad = 0
    for words in LONG_RUNS if options else RUNS:
        status, output = run(program, words)
        print(f"{words}: {output.strip()}")
        bad += status != 0 or not re.search(r"^\d{4,} states, all in order$", output, re.MULTILINE)
    for fault in () if options else FAULTS:
        status, output = run(build(compiler, folder / "fault", fault), RUNS[fault[4]])
        found = re.search(r"^broken: (.*)$", output, re.MULTILINE)
        good = status == BROKEN and found and found[1].startswith(fault[3])
        print(f"{fault[0]}: {fault[2] or 'nothing'!r}: {found[1] if found else output.strip()}"
              f"{'' if good else f' INSTEAD OF: {fault[3]}'}")
        bad += not good
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
