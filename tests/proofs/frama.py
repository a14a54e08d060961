#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves a module with Frama-C: `frama.py ROOT MODULE FOLDER`. `frama.py ROOT --faults FOLDER`
proves all modules, then each of them with each of its faults.

`modules.tsv` lists the modules. `eva` finds all values that the functions of a module can compute
from any input, and gives an alarm where an access or an operation could be invalid. `bits` does the
same and also follows single bits. `wp` proves the contracts in the module's driver. An alarm or a
contract without a proof fails the test unless `alarms.tsv` lists it with an argument. A row of
`alarms.tsv` that does not occur fails the test, too. A fault of `faults.tsv`, put into a copy of
the source, must give an alarm that the unchanged source does not give. Eva is stopped at the first
such alarm."""

import csv
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path("tests/proofs")
EVERY_FAULT = "--faults"  # the argument in place of a module
ALARMS_MAX = 10  # maximum number of a module's rows in alarms.tsv
ARGUMENT_MIN = 40  # minimum number of characters of an argument in alarms.tsv
LANES = 2
GOAL_SECONDS = 20  # time limit of the prover for a goal
FAULT_SECONDS = 5
MACHDEPS = {"64": ("gcc_x86_64", "-m64"), "32": ("gcc_x86_32", "-m32")}
FOLDERS = ("tests/proofs/stub", "hypervisor/src", "hypervisor/abi", "libnova/include")
FOLDERS += ("roottask", "roottask/vmm/include", "roottask/vmm/src")
FOLDERS += ("hypervisor/src/arch/x86_{width}", "hypervisor/src/virt/x86_{width}")
EVA = ("-eva", "-eva-domains", "octagon,symbolic-locations")
BITS = ("-eva-domains", "bitwise")  # options in addition to EVA
WP = ("-wp", "-wp-rte", "-wp-prover", "z3", "-wp-model", "Typed")
ALARM = re.compile(r"\[eva:alarm\] (?!FRAMAC_SHARE|/usr)")  # not in headers of the system
END = re.compile(r"Values at end of function (\w+):\n(.*)")
GOAL = re.compile(r"\] Goal typed_(\w+) : (\w+)")
COUNT = re.compile(r"Proved goals: +(\d+) / (\d+)")
FACT = re.compile(r"axiom (\w+):")


class Wrong(Exception):
    """A list has an error, or a run fails."""


@dataclass
class Module:
    """A row of modules.tsv."""
    name: str
    method: str
    widths: list
    precision: str  # precision of Eva, 0 to 11: how many states Eva keeps apart
    seconds: int  # CPU time limit of a run
    sources: list
    functions: set  # functions that must be analysed to their end, or proved


@dataclass(frozen=True)
class Alarm:
    """A property that Frama-C could not prove."""
    function: str
    text: str


@dataclass
class Result:
    """The findings of a run."""
    alarms: set
    functions: set  # functions that it analysed to their end, or proved
    messages: set = field(default_factory=set)  # Eva's words for the alarms, with their places


def rows(path, fields):
    """Returns the rows of a table, without its header row."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [line.split("\t") for line in lines if line and not line.startswith("#")][1:]
    for row in found:
        if len(row) != fields or not all(row):
            raise Wrong(f"{path.name}: this row has not {fields} fields: {row}")
    return found


def check_names(root):
    """Checks that each row belongs to a module of modules.tsv with a known method and known widths.
    Runs skip the rows of other modules and widths, so they would not notice a wrong one."""
    widths = {}
    for name, method, known, *_ in rows(root / HERE / "modules.tsv", 7):
        widths[name] = set(known.split())
        if method not in METHODS or not widths[name] <= MACHDEPS.keys():
            raise Wrong(f"modules.tsv gives {name} an unknown method or width")
    for name, *_ in rows(root / HERE / "faults.tsv", 4):
        if name not in widths:
            raise Wrong(f"faults.tsv names {name}, which modules.tsv does not have")
    for name, known, *_ in rows(root / HERE / "alarms.tsv", 5):
        if not set(known.split()) <= widths.get(name, set()):
            raise Wrong(f"alarms.tsv names {name} with widths {known}, which modules.tsv does not "
                        "have")


def find(root, name):
    """Returns a module."""
    for row in rows(root / HERE / "modules.tsv", 7):
        if row[0] == name:
            return Module(name, row[1], row[2].split(), row[3], int(row[4]), row[5].split(),
                          set(row[6].split()))
    raise Wrong(f"modules.tsv has no module {name}")


def listed(root, module):
    """Returns the alarms that the list has for a module: {width: alarms}."""
    name = module.name
    found = [row for row in rows(root / HERE / "alarms.tsv", 5) if row[0] == name]
    if len(found) > ALARMS_MAX:
        raise Wrong(f"alarms.tsv has more than {ALARMS_MAX} alarms of {name}")
    for row in found:
        if len(row[4]) < ARGUMENT_MIN:
            raise Wrong(f"alarms.tsv has no argument for this alarm: {row[:4]}")
    return {width: {Alarm(row[2], row[3]) for row in found if width in row[1].split()}
            for width in module.widths}


def faults(root, name):
    """Returns the faults of a module: (file, code, faulty code)."""
    found = [tuple(row[1:]) for row in rows(root / HERE / "faults.tsv", 4) if row[0] == name]
    if not found:
        raise Wrong(f"faults.tsv has no fault for {name}: its test could not fail")
    return found


def run(command, seconds, place, usual=None):
    """Runs a command of Frama-C, with a limit of CPU time, until it ends. If the usual alarms are
    given, stops it when it reports another alarm. Returns the output and the alarms in it."""
    limited = ["sh", "-c", f'ulimit -t {seconds} && exec "$@"', "sh", *command]
    # Frama-C's provers are found by why3's configuration in HOME.
    environment = dict(os.environ, HOME=str(place), TMPDIR=str(place), LC_ALL="C.UTF-8")
    lines, alarms = [], set()
    with subprocess.Popen(limited, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, cwd=place / "tree") as process:
        for alarm in alarms_in(process.stdout, lines):
            alarms.add(alarm)
            if usual is not None and alarm not in usual:
                process.kill()
                return "".join(lines), alarms
    if process.returncode:
        raise Wrong(f"frama-c ended with {process.returncode} (-9, 137: more than {seconds} s of "
                    f"CPU time):\n{''.join(lines)[-3000:]}")
    return "".join(lines), alarms


def alarms_in(output, lines):
    """Yields each alarm in an output, with its place, and adds the lines of the output to a list.
    """
    alarm = ""
    for line in output:
        lines.append(line)
        if line.startswith("["):
            if alarm:
                yield alarm
            alarm = line if ALARM.match(line) else ""
        elif alarm:
            alarm += line
    if alarm:
        yield alarm


def alarms_of_eva(table):
    """Returns the alarms in a table that Eva's run wrote, without those in headers of the system.
    """
    with open(table, encoding="utf-8", newline="") as lines:
        found = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        Alarm(row["function"], f'{row["property kind"]}: {" ".join(row["property"].split())}')
        for row in found if not row["directory"].startswith(("FRAMAC_SHARE", "/usr"))
    }


def run_eva(module, common, place, usual):
    """Returns the result of a run of Eva. If a fault gives an alarm that the module does not give
    without the fault, the run is stopped there, and the result has only this alarm."""
    table = place / "alarms.csv"
    table.unlink(missing_ok=True)
    bits = BITS if module.method == "bits" else ()
    command = ["frama-c", *common, *EVA, "-eva-precision", module.precision, *bits,
               *module.sources, "-then", "-report-csv", str(table), "-report-no-proven"]
    output, messages = run(command, module.seconds, place, usual and usual.messages)
    if usual and messages - usual.messages:
        return Result({Alarm("", message) for message in messages - usual.messages}, set())
    if not table.exists():
        raise Wrong(f"Eva has no result:\n{output[-3000:]}")
    ended = {name for name, state in END.findall(output) if "NON TERMINATING" not in state}
    if "main" not in ended and not usual:
        raise Wrong("Eva found no end of the driver, so it has checked nothing")
    return Result(alarms_of_eva(table), ended, messages)


def run_wp(module, common, place, usual):
    """Returns the contracts without a proof, and the functions that have a contract."""
    seconds = FAULT_SECONDS if usual else GOAL_SECONDS
    # Other functions that a driver includes have no contract.
    only = ("-wp-fct", ",".join(sorted(module.functions)))
    output, _ = run(["frama-c", *common, *WP, *only, "-wp-timeout", str(seconds), *module.sources],
                    module.seconds, place)
    goals = GOAL.findall(output)
    count = COUNT.search(output)
    proved = sum(state == "Valid" for _, state in goals)
    if not count or not goals or int(count[1]) != proved or int(count[2]) != len(goals):
        raise Wrong(f"WP has no result for each goal:\n{output[-3000:]}")
    functions = {function_of(goal, module.functions) for goal, _ in goals}
    return Result({Alarm("contract", goal) for goal, state in goals if state != "Valid"}, functions)


def function_of(goal, functions):
    """Returns the function to which a goal belongs: the longest name with which the goal begins, as
    nova_crd_type_ensures belongs to nova_crd_type and not to nova_crd."""
    return max((name for name in functions if goal.startswith(f"{name}_")), key=len, default="")


METHODS = {"eva": run_eva, "bits": run_eva, "wp": run_wp}


def analyse(root, module, width, folder, fault=None, usual=None):
    """Analyses a module, or a module with a fault. usual: the result of the module without the
    fault."""
    shutil.rmtree(folder, ignore_errors=True)
    tree = folder / "tree"
    tree.mkdir(parents=True)
    for part in ("hypervisor", "libnova", "roottask", "tests"):
        if fault and fault[0].startswith(part + "/"):
            shutil.copytree(root / part, tree / part)
        else:
            (tree / part).symlink_to(root / part)
    if fault:
        insert(tree / fault[0], fault)
    if module.method == "wp":
        subprocess.run(["why3", "config", "detect"], check=True, capture_output=True,
                       env=dict(os.environ, HOME=str(folder)))
    machdep, option = MACHDEPS[width]
    includes = " ".join(f"-I{part.format(width=width)}" for part in FOLDERS)
    # Frama-C does not know asm inline.
    common = ["-c11", "-machdep", machdep, f"-cpp-extra-args={option} -Dinline= {includes}"]
    return METHODS[module.method](module, common, folder, usual)


def with_fault(path, fault):
    """Returns the text of a source with a fault."""
    text = path.read_text(encoding="utf-8")
    if text.count(fault[1]) != 1:
        raise Wrong(f"{fault[0]} does not have this code once: {fault[1]}")
    return text.replace(fault[1], fault[2])


def insert(path, fault):
    """Puts a fault into the copy of a source."""
    path.write_text(with_fault(path, fault), encoding="utf-8")


def check_facts(root):
    """Proves the axioms of the contracts with the bit vectors of z3."""
    axioms = set(FACT.findall((root / HERE / "facts.h").read_text(encoding="utf-8")))
    path = root / HERE / "facts.smt2"
    names = re.findall(r'^\(echo "(\w+)"\)$', path.read_text(encoding="utf-8"), re.MULTILINE)
    done = subprocess.run(["z3", "-T:60", str(path)], capture_output=True, text=True, check=False)
    expected = "".join(f"{name}\nunsat\n" for name in names)
    if not axioms or axioms - set(names) or done.stdout != expected:
        raise Wrong(f"facts.smt2 does not prove the axioms of facts.h:\n{done.stdout}")


def judge(module, known, result, width):
    """Returns what is wrong with the result of the unchanged module."""
    wrong = [f"width {width}: not proved and not listed: {alarm.function}: {alarm.text}"
             for alarm in result.alarms - known]
    wrong += [f"width {width}: listed but does not occur: {alarm.function}: {alarm.text}"
              for alarm in known - result.alarms]
    wrong += [f"width {width}: not analysed to its end: {name}"
              for name in module.functions - result.functions]
    return sorted(wrong)


def check_module(root, name, folder, every_fault):
    """Prints the findings of a module. Returns whether all are as expected."""
    module = find(root, name)
    known = listed(root, module)
    first = module.widths[0]
    wrong = []
    inserted = faults(root, name)
    # Also without --faults: fails if the source no longer contains the code that a fault replaces.
    for fault in inserted:
        with_fault(root / fault[0], fault)
    if not every_fault:
        inserted = []
    if module.method == "wp":
        check_facts(root)
    with ThreadPoolExecutor(LANES) as lanes:
        results = {width: lanes.submit(analyse, root, module, width, folder / f"{name}-{width}")
                   for width in module.widths}
        usual = results[first].result()
        seeded = [(fault, lanes.submit(analyse, root, module, first,
                                       folder / f"{name}-fault-{number}", fault, usual))
                  for number, fault in enumerate(inserted)]
        for width, result in results.items():
            wrong += judge(module, known[width], result.result(), width)
        for fault, result in seeded:
            seen = result.result().alarms - known[first]
            for alarm in seen:
                print(f"{name}: with '{fault[2]}' instead of '{fault[1]}': {alarm.text.strip()}")
            if not seen:
                wrong.append(f"a fault gives no alarm: {fault}")
    for line in wrong:
        print(f"{name}: {line}")
    print(f"{name}: {len(module.functions)} functions, {len(set().union(*known.values()))} listed "
          f"alarms, widths {' '.join(module.widths)}: {'wrong' if wrong else 'as expected'}",
          flush=True)
    return not wrong


def main(root, name, folder):
    """Returns the exit status."""
    check_names(root)
    every_fault = name == EVERY_FAULT
    names = [row[0] for row in rows(root / HERE / "modules.tsv", 7)] if every_fault else [name]
    return 0 if all([check_module(root, one, folder, every_fault) for one in names]) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3]).resolve()))
    except Wrong as error:
        print(f"{sys.argv[2]}: {error}")
        sys.exit(1)
