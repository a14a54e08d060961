#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks a model with Spin: `models.py MODEL FOLDER`.

The head of MODEL lists runs. In a run `// holds: WORD…`, Spin must visit all states and find no
error. A run `// fails: WORD…` has a fault, which Spin must find. A WORD becomes a macro of the
model. The word `live` also checks that the model's claim about progress holds."""

import re
import subprocess
import sys
from pathlib import Path

RUN = re.compile(r"^// (holds|fails):(.*)$", re.MULTILINE)
DEPTH = 2_000_000
MEBIBYTES = 2048
# Maximum number of states of a run that holds. Unlike time, it does not depend on the host's load.
STATES = 12_000_000
SECONDS = 500  # of a run, on a busy machine
# Messages of pan when it has not visited all states.
NOT_ALL = ("max search depth too small", "out of memory", "Search not completed",
           "memory limit", "hash table full")


class Wrong(Exception):
    """The head of the model lacks a kind of run."""


def runs(text):
    """Returns the runs of a model: ("holds" or "fails", words)."""
    found = [(kind, tuple(words.split())) for kind, words in RUN.findall(text)]
    if {kind for kind, _ in found} != {"holds", "fails"}:
        raise Wrong("the model lists no run that holds, or none that fails")
    return found


def build(model, words, folder):
    """Builds the checker of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    macros = [f"-D{word}" for word in words]
    subprocess.run(["spin", "-a", *macros, str(model)], cwd=folder, check=True)
    kind = ["-DNFAIR=4"] if "live" in words else ["-DSAFETY"]
    subprocess.run(
        ["gcc", "-w", "-O0", *kind, f"-DMEMLIM={MEBIBYTES}", "-DVECTORSZ=4096", "-o", "pan",
         "pan.c"], cwd=folder, check=True,
    )


def check(words, folder):
    """Runs the checker. Returns its output."""
    command = ["./pan", f"-m{DEPTH}"] + (["-a", "-f"] if "live" in words else [])
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    return done.stdout + done.stderr


def stored(output):
    """Returns the number of states of a run."""
    found = re.search(r"(\d+) states, stored", output)
    return int(found[1]) if found else 0


def judge(kind, output):
    """Returns what is wrong with a run's output, or None."""
    errors = re.search(r"errors: (\d+)", output)
    if not errors:
        return "the checker ended without a result"
    if kind == "fails":
        return None if int(errors[1]) else "the fault was not found"
    if int(errors[1]):
        return "an error was found"
    cut = next((sign for sign in NOT_ALL if sign in output), None)
    if cut:
        return f"not all states were visited: {cut}"
    return f"the run has more than {STATES} states" if stored(output) > STATES else None


def main(model, folder):
    text = model.read_text(encoding="utf-8")
    wrong = 0
    for number, (kind, words) in enumerate(runs(text)):
        place = folder / f"{model.stem}-{number}"
        build(model, words, place)
        try:
            output = check(words, place)
            complaint = judge(kind, output)
        except subprocess.TimeoutExpired:
            output, complaint = "", f"the run took more than {SECONDS} s"
        print(f"{model.name}: {kind} {' '.join(words) or 'as it is'}: "
              f"{complaint or 'as expected'}, {stored(output)} states")
        if complaint:
            print(output)
            wrong += 1
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
