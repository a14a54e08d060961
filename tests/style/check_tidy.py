# SPDX-License-Identifier: BSD-2-Clause
"""Checks that clang-tidy finds nothing in the C files of x86_64; .clang-tidy selects its checks.

A file without findings is checked again only when the file, a header that it includes, its compile
command, a .clang-tidy or clang-tidy itself has changed.

The static analyzer follows a bounded number of states of each function. With the word `deep` it
follows as many as it does by default, which takes seven times as long."""

import functools
import hashlib
import shlex
import subprocess
import sys
import threading

import database
import sources

ARCH = "x86_64"
COMPILER = "clang"
ANALYZER = ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=20000")


def digest(*parts):
    """Returns a digest of byte strings."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(b"%d:" % len(part) + part)
    return whole.hexdigest()


@functools.lru_cache(maxsize=None)
def file_digest(name):
    with open(name, "rb") as file:
        return digest(file.read()).encode()


def read_by(entry):
    """Returns the files that the compiler reads for an entry of the database, or None if it fails.
    """
    words = shlex.split(entry["command"])
    words = words[: words.index("-MD")] if "-MD" in words else words[: words.index("-o")]
    result = subprocess.run(
        [*words, "-M", entry["file"]], cwd=entry["directory"], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, check=False,
    )
    if result.returncode != 0:
        return None
    return result.stdout.partition(":")[2].replace("\\\n", " ").split()


def input_of(entry, tool):
    """Returns a digest of everything that clang-tidy's result for a file depends on, or None if it
    is unknown."""
    try:
        read = read_by(entry)
        if not read:
            return None
        contents = [name.encode() + file_digest(name) for name in read]
    except OSError:
        return None
    return digest(tool, entry["command"].encode(), *contents)


def options(deep):
    """Returns clang-tidy's options for the static analyzer."""
    return [] if deep else [f"--extra-arg={word}" for word in ANALYZER]


def tool_digest(root, deep):
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=False)
    rules = [(root / name).read_bytes() for name in sources.find(root, (".clang-tidy",))]
    return digest(version.stdout, " ".join(options(deep)).encode(), *rules).encode()


def complaint(file, folder, deep):
    """Returns clang-tidy's output for a file, or None."""
    result = subprocess.run(
        ["clang-tidy", "--quiet", "-p", str(folder), *options(deep), file],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return None if result.returncode == 0 else result.stdout.rstrip() or result.stderr.rstrip()


def check_entries(entries, root, folder, memory, deep=False):
    """Returns the complaints about the entries' files. MEMORY is a file with the digests of files
    without findings."""
    known = set(memory.read_text(encoding="utf-8").split()) if memory.exists() else set()
    tool = tool_digest(root, deep)
    lock = threading.Lock()

    def run(entry):
        name = input_of(entry, tool)
        if name and name in known:
            return name, None
        found = complaint(entry["file"], folder, deep)
        # A run that is stopped is not lost: the next one continues it.
        if name and found is None:
            with lock, memory.open("a", encoding="utf-8") as file:
                file.write(name + "\n")
        return name, found

    results = sources.in_parallel(run, entries)
    good = sorted(name for name, found in results if name and found is None)
    memory.write_text("\n".join(good) + "\n", encoding="utf-8")
    return [found for _, found in results if found is not None]


def check(root, scratch):
    entries = database.make(root, scratch, ARCH, COMPILER)
    by_file = {entry["file"]: entry for entry in entries if entry["file"].endswith(".c")}
    chosen = [by_file[file] for file in sorted(by_file)]
    folder = database.folder(scratch, ARCH, COMPILER)
    deep = sys.argv[3:] == ["deep"]
    memory = scratch / ("tidy-passed-deep" if deep else "tidy-passed")
    return len(chosen), check_entries(chosen, root, folder, memory, deep)


if __name__ == "__main__":
    sources.main(check)
