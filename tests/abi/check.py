#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compiles headers and sources with every compiler, language and width, and checks the code."""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import symbols

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Werror", "-pedantic", "-ffreestanding"]
COMPILERS = {"gcc": ["c11"], "clang": ["c11"], "g++": ["c++17"], "clang++": ["c++17"]}
WIDTHS = ["32", "64"]
# The order gives each language and both families of compilers both widths.
ALONE = {name: COMPILERS[name] for name in ("gcc", "clang", "clang++", "g++")}
# Maximum number of instructions of a layer 0 function: five moves, a shift, an or, the trap, the
# status, results, ret; on x86-32 also loads of the parameters, and four saved registers.
MOST_INSTRUCTIONS = {"64": 12, "32": 24}
TRAP = {"64": "syscall", "32": "sysenter"}
MOVES = {"mov", "movl", "movq", "movzbl", "lea", "or", "shl", "shr", "xor", "ret", "ud2"}
OPERATIONS = {"64": MOVES | {"syscall"}, "32": MOVES | {"sysenter", "push", "pop", "inc", "add"}}
# Functions with parameters or results through pointers. Only they may access memory, apart from
# parameters and saved registers on the stack of x86-32.
POINTERS = {"lookup", "sc_ctrl", "assign_gsi", "name_set", "name_get", "quota_query"}
# The sources of layer 0.
LAYER0 = ("nova/hypercall.h", "nova/extension.h")
# Definitions in layer 0's header that are not hypercalls.
NO_HYPERCALL = {"status_of"}


def compile_text(compiler, standard, width, includes, text, options=(), output=None):
    """Compiles a text; without an output, only looks for complaints. Returns the compiler's
    complaints, or None if it has none."""
    if not shutil.which(compiler):
        return f"{compiler} is missing: install it, or run `nova test`, which does."
    language = "c++" if standard.startswith("c++") else "c"
    command = [compiler, f"-std={standard}", f"-m{width}", *WARNINGS, *options]
    command += [f"-I{folder}" for folder in includes] + ["-x", language]
    command += ["-c", "-", "-o", output] if output else ["-fsyntax-only", "-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    return None if done.returncode == 0 else done.stderr


def variants(languages):
    for compiler, standards in COMPILERS.items():
        for standard in standards:
            if standard[:3] in languages:
                for width in WIDTHS:
                    yield compiler, standard, width


def belongs(header, width):
    """Returns whether a header can be compiled for a width."""
    other = re.search(r"arch/x86_(32|64)/", header)
    return not other or other.group(1) == width


def check_headers(includes, headers, chosen):
    """Compiles a text with headers for the CHOSEN variants, each header twice: its guard must work.
    """
    failures, cases = [], 0
    for compiler, standard, width in chosen:
        names = [header for header in headers if belongs(header, width)]
        text = "".join(f'#include "{name}"\n' for name in names + names) + "extern int nothing;\n"
        # Only libnova's headers depend on NOVA_HEADER_ONLY.
        library = any(name.startswith("nova/") for name in names)
        for options in ((), ("-DNOVA_HEADER_ONLY",))[: 1 + library]:
            cases += 1
            complaint = compile_text(compiler, standard, width, includes, text, options)
            if complaint:
                what = " ".join((compiler, f"-std={standard}", f"-m{width}", *options))
                failures.append(f"{what}:\n{complaint}")
    return failures, cases


def check_header(includes, header):
    """Compiles one header alone. All compilers miss the same includes, so each compiler has one
    width, or the width of the header."""
    widths = [width for width in WIDTHS if belongs(header, width)]
    chosen = [(compiler, standards[0], widths[number % len(widths)])
              for number, (compiler, standards) in enumerate(ALONE.items())]
    return check_headers(includes, [header], chosen)


def check_together(includes, headers):
    """Compiles all headers with every compiler, language and width."""
    return check_headers(includes, headers.split(","), list(variants(("c11", "c++"))))


def check_source(includes, path):
    failures, cases = [], 0
    text = open(path, encoding="utf-8").read()
    for compiler, standard, width in variants(("c11",)):
        cases += 1
        complaint = compile_text(compiler, standard, width, includes, text)
        if complaint:
            failures.append(f"{compiler} -m{width}:\n{complaint}")
    return failures, cases


def functions(listing):
    """Yields name and instructions of each function in objdump's output."""
    name, code = None, []
    for line in listing.splitlines():
        start = re.match(r"[0-9a-f]+ <(\w+)>:", line)
        if start:
            if name:
                yield name, code
            name, code = start.group(1), []
        elif re.match(r"\s+[0-9a-f]+:\t", line):
            code.append(line.split("\t", 1)[1].strip())
    if name:
        yield name, code


def wrong_operand(name, text, width):
    """Returns whether one instruction of a layer 0 function uses memory without need."""
    memory = re.search(r"\((%\w+)", text) or re.search(r"[\s,](%\ws:|0x)[0-9a-f]+(?=,|$)", text)
    if width == "64" and name == "reply" and re.fullmatch(r"mov\s+%\w+,%rsp", text):
        return False
    if width == "64" and "%rsp" in text:
        return True
    if width == "32" and re.search(r",(0x[0-9a-f]+)?\(%esp\)$", text):
        return True
    parameter = width == "32" and memory and memory.group(1) == "%esp"
    return bool(memory) and not parameter and name not in POINTERS


def wrong_code(name, code, width):
    """Returns a complaint about one layer 0 function, or None."""
    # The bytes after the return are padding.
    last = ("ret", "ud2")
    end = next((i for i, text in enumerate(code) if text.startswith(last)), len(code) - 1)
    body = code[: end + 1]
    if sum(text.startswith(TRAP[width]) for text in body) != 1:
        return f"not exactly one {TRAP[width]}"
    if len(body) > MOST_INSTRUCTIONS[width]:
        return f"{len(body)} instructions, at most {MOST_INSTRUCTIONS[width]}"
    for text in body:
        if text.split()[0] not in OPERATIONS[width]:
            return f"'{text}' is not a move between registers"
        if wrong_operand(name, text, width):
            return f"'{text}' uses memory"
    return None


def layer0_names(includes):
    """Returns the functions that must exist: all that layer 0's headers define."""
    names = set()
    for folder in includes:
        for path in [Path(folder) / name for name in LAYER0 if (Path(folder) / name).exists()]:
            names |= set(symbols.functions(path.read_text(encoding="utf-8")))
    if not names:
        sys.exit("nova/hypercall.h is in none of the folders.")
    return {name[len("nova_"):] for name in names} - NO_HYPERCALL


def disassemble(compiler, standard, width, level, includes, text):
    """Returns the compiler's complaints and objdump's listing."""
    options = [level, "-fno-pic", "-fcf-protection=none", "-fno-stack-protector",
               "-fomit-frame-pointer"]
    with tempfile.NamedTemporaryFile(suffix=".o") as output:
        complaint = compile_text(compiler, standard, width, includes, text, options, output.name)
        if complaint:
            return complaint, ""
        return None, subprocess.run(["objdump", "-d", "--no-show-raw-insn", output.name],
                                    text=True, capture_output=True, check=True).stdout


def check_layer0(includes, path):
    failures, cases = [], 0
    text = open(path, encoding="utf-8").read()
    for compiler, standard, width in variants(("c11",)):
        for level in ("-O2", "-Os"):
            complaint, listing = disassemble(compiler, standard, width, level, includes, text)
            where = f"{compiler} -m{width} {level}"
            if complaint:
                failures.append(f"{where}:\n{complaint}")
                continue
            seen = set()
            for function, code in functions(listing):
                if function.startswith("layer0_"):
                    cases += 1
                    name = function[len("layer0_"):]
                    seen.add(name)
                    wrong = wrong_code(name, code, width)
                    if wrong:
                        failures.append(f"{where}: nova_{name}: {wrong}")
            if "wrong" not in seen:
                failures += [f"{where}: nova_{name} is not checked: add it to layer0.c"
                             for name in sorted(layer0_names(includes) - seen)]
    return failures, cases


CHECKS = {
    "header": check_header,
    "together": check_together,
    "source": check_source,
    "layer0": check_layer0,
    "refuse": check_source,
    "refuse-layer0": check_layer0,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-I", dest="includes", action="append", default=[])
    parser.add_argument("kind", choices=CHECKS)
    parser.add_argument("path")
    args = parser.parse_args()

    failures, cases = CHECKS[args.kind](args.includes, args.path)
    if args.kind.startswith("refuse"):
        print(f"{len(failures)} of {cases} variants refused, all must be")
        return 0 if cases and len(failures) == cases else 1
    for failure in failures:
        print(failure)
    print(f"{cases} variants, {len(failures)} failed")
    return 0 if cases and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
