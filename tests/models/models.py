#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks a model with Spin: `models.py MODEL FOLDER`.

The head of MODEL lists runs. In a run `// holds: WORD…`, Spin must visit all states and find no
error. A run `// fails: WORD… -> CLAIM` has a fault, which Spin must find, and its trail must end
where the fault violates CLAIM. A WORD becomes a macro of the model. The word `live` also checks
that the model's claim about progress holds.

`/* claim: NAME */` names the assertion in its line. Two names need no assertion: `deadlock` and
`progress`."""

import re
import resource
import subprocess
import sys
from pathlib import Path

RUN = re.compile(r"^// (holds|fails):([\w= ]*)(?:-> ([\w-]+))?$", re.MULTILINE)
LISTED = re.compile(r"^// (?:holds|fails):", re.MULTILINE)
CLAIM = re.compile(r"\bassert\(.*/\* claim: ([\w-]+) \*/")
VIOLATED = re.compile(r"^spin: .*\.pml:(\d+), Error: assertion violated$", re.MULTILINE)
# Messages of pan about errors that are not assertions.
OTHERS = {"invalid end state": "deadlock", "acceptance cycle": "progress"}
DEPTH = 2_000_000
MEBIBYTES = 2048  # maximum memory of each run
# Maximum number of states of a run that holds, and of all runs of a model. Unlike the processor
# time, it does not depend on the host. All runs together take about a minute at most.
STATES = 12_000_000
ALL_STATES = 30_000_000
SECONDS = 500  # time limit of a run, also on a busy machine
# Messages of pan when it has not visited all states.
NOT_ALL = ("max search depth too small", "out of memory", "Search not completed",
           "memory limit", "hash table full")


class Wrong(Exception):
    """The head of the model is not understood."""


def claims(text):
    """Returns {number of a line: name of the claim that its assertion checks}."""
    lines = enumerate(text.splitlines(), 1)
    return {number: CLAIM.search(line)[1] for number, line in lines if CLAIM.search(line)}


def runs(text):
    """Returns the runs of a model: ("holds" or "fails", words, violated claim)."""
    found = [(kind, tuple(words.split()), claim) for kind, words, claim in RUN.findall(text)]
    known = {*claims(text).values(), *OTHERS.values()}
    if {kind for kind, *_ in found} != {"holds", "fails"}:
        raise Wrong("the model lists no run that holds, or none that fails")
    if len(found) != len(LISTED.findall(text)):
        raise Wrong("a run in the head of the model is not understood")
    for kind, words, claim in found:
        if (kind == "fails") != (claim in known):
            raise Wrong(f"{kind} {' '.join(words)}: no claim is called {claim!r}")
    return found


def macros(words):
    return [f"-D{word}" for word in words]


def build(model, kind, words, folder):
    """Builds the checker of a run. Only a run that holds takes longer than the compiler."""
    folder.mkdir(parents=True, exist_ok=True)
    for trail in folder.glob("*.trail"):
        trail.unlink()
    subprocess.run(["spin", "-a", *macros(words), str(model)], cwd=folder, check=True)
    level = "-O1" if kind == "holds" else "-O0"
    search = ["-DNFAIR=4"] if "live" in words else ["-DSAFETY"]
    subprocess.run(
        ["gcc", "-w", level, *search, f"-DMEMLIM={MEBIBYTES}", "-DVECTORSZ=4096", "-o", "pan",
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


def violated(model, words, folder, output):
    """Returns the name of the claim that a run violates, by the end of its trail."""
    for sign, name in OTHERS.items():
        if f"pan:1: {sign}" in output:
            return name
    command = ["spin", *macros(words), "-t", "-p", "-k", f"{model.name}.trail", str(model)]
    replayed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    line = VIOLATED.search(replayed.stdout)
    if not line:
        return "no claim: the trail ends without a violated assertion"
    names = claims(model.read_text(encoding="utf-8"))
    return names.get(int(line[1]), f"an assertion without a name, in line {line[1]}")


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


def run(model, kind, words, claim, folder):
    """Makes a run. Returns its output and what is wrong with it, or None."""
    build(model, kind, words, folder)
    try:
        output = check(words, folder)
    except subprocess.TimeoutExpired:
        return "", f"the run took more than {SECONDS} s"
    complaint = judge(kind, output)
    if kind == "fails" and not complaint:
        found = violated(model, words, folder, output)
        complaint = None if found == claim else f"violates {found}, not {claim}"
    return output, complaint


def costs(states):
    """Returns complaints about the states and the memory of all runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, mebibytes = used.ru_utime + used.ru_stime, used.ru_maxrss >> 10
    print(f"{states} of {ALL_STATES} states, {mebibytes} of {MEBIBYTES} MiB, {seconds:.0f} s")
    found = []
    if states > ALL_STATES:
        found.append(f"the model has {states} states, more than {ALL_STATES}")
    if mebibytes > MEBIBYTES:
        found.append(f"a run took {mebibytes} MiB, more than {MEBIBYTES}")
    return found


def main(model, folder):
    wrong = states = 0
    for number, (kind, words, claim) in enumerate(runs(model.read_text(encoding="utf-8"))):
        output, complaint = run(model, kind, words, claim, folder / f"{model.stem}-{number}")
        shown = f"{' '.join(words) or 'as it is'}{f' -> {claim}' if claim else ''}"
        print(f"{model.name}: {kind} {shown}: {complaint or 'as expected'}, "
              f"{stored(output)} states")
        states += stored(output)
        if complaint:
            print(output)
            wrong += 1
    too_much = costs(states)
    print("\n".join(too_much))
    sys.exit(1 if wrong or too_much else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
