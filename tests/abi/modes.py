#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Links a program that uses every public symbol: with libnova's sources and header-only, in C and
C++, with both compilers, for both widths, without a C library."""
import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import symbols

VARIANTS = (("gcc", "c11"), ("clang", "c11"), ("g++", "c++17"), ("clang++", "c++17"))
FLAGS = ["-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Werror", "-ffreestanding", "-O2",
         "-fno-stack-protector", "-fno-pic", "-fno-pie", "-fcf-protection=none",
         "-fno-asynchronous-unwind-tables", "-ffunction-sections"]
LINK = ["-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,--gc-sections",
        "-Wl,--fatal-warnings"]
# Macros without a value: placeholders for names and code, or options of compilation.
NO_VALUE = {"NOVA_LIBRARY", "NOVA_LIBRARY_ENTRY", "NOVA_STATIC_ASSERT"}


def foreign(name, width):
    other = re.search(r"arch/x86_(32|64)/", name)
    return other is not None and other.group(1) != width


def program(found, width, header_only):
    """Returns the text of a roottask that takes the address or size of every public symbol."""
    mine = [(name, text) for name, text in found if not foreign(name, width)]
    lines = ["/* Every public symbol of libnova. */"]
    lines += [f'#include "{name}"' for name, _ in mine]
    if header_only:
        lines.append('#include "nova/inline/start.h"')
    names = [name for _, text in mine for name in symbols.functions(text)]
    names = [name for name in dict.fromkeys(names) if name != "nova_main"]
    lines += ["typedef void any_function(void);", "any_function *volatile functions[] = {"]
    lines += [f"        (any_function *){name}," for name in names]
    lines += ["};", "volatile unsigned long sizes[] = {"]
    lines += [f"        sizeof({name})," for _, text in mine for name in symbols.types(text)]
    values = [name for _, text in mine for name in symbols.constants(text)]
    # Some are strings, so the program takes their size: the compiler refuses unknown names there,
    # too.
    lines += [f"        sizeof({name}),"
              for name in dict.fromkeys(values) if name not in NO_VALUE]
    lines += ["};", "int nova_main(const struct nova_hip *hip, nova_word_t cpu)", "{",
              "        return hip && cpu ? (int)sizes[0] : functions[0] == 0;", "}"]
    return "\n".join(lines) + "\n", len(names) + len(values)


def run(command, text=None):
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    return None if done.returncode == 0 else f"{' '.join(command)}\n{done.stderr}"


def build(args, variant, width, header_only):
    """Returns a complaint or None, and the number of symbols."""
    compiler, standard = variant
    text, count = program(args.found, width, header_only)
    includes = [f"-I{folder}" for folder in args.includes]
    flags = [f"-m{width}", *FLAGS, *includes]
    with tempfile.TemporaryDirectory() as folder:
        objects = [f"{folder}/all.o"]
        language = "c++" if "++" in compiler else "c"
        mode = ["-DNOVA_HEADER_ONLY"] if header_only else []
        failed = run([compiler, f"-std={standard}", *flags, *mode, "-x", language, "-c", "-",
                      "-o", objects[0]], text)
        c_compiler = compiler.replace("clang++", "clang").replace("g++", "gcc")
        for source in [] if header_only else args.sources:
            if failed:
                break
            objects.append(f"{folder}/{Path(source).stem}.o")
            failed = run([c_compiler, "-std=c11", *flags, "-Wmissing-prototypes", "-c", source,
                          "-o", objects[-1]])
        failed = failed or run([c_compiler, f"-m{width}", *LINK, "-T", args.script, *objects,
                                "-o", f"{folder}/all"])
    return failed, count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-I", dest="includes", action="append", default=[])
    parser.add_argument("--script", required=True, help="linker script of roottasks")
    parser.add_argument("mode", choices=["library", "header-only", "without-library"])
    parser.add_argument("sources", nargs="+", help="libnova's C files")
    args = parser.parse_args()
    args.found = symbols.headers(args.includes)
    refuse = args.mode == "without-library"
    if refuse:
        args.sources = [source for source in args.sources if "format" not in source]

    jobs = [(variant, width) for variant in VARIANTS for width in ("32", "64")]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(
            lambda job: build(args, job[0], job[1], args.mode == "header-only"), jobs))
    complaints = [complaint for complaint, _ in results if complaint]
    for complaint in [] if refuse else complaints:
        print(complaint)
    print(f"{len(jobs)} variants of {results[0][1]} symbols, {len(complaints)} refused")
    return 0 if len(complaints) == (len(jobs) if refuse else 0) else 1


if __name__ == "__main__":
    sys.exit(main())
