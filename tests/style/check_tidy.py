# SPDX-License-Identifier: BSD-2-Clause
"""Checks that clang-tidy finds nothing in the C files of x86_64; .clang-tidy selects its checks.

A file without findings is checked again only when the file, a header that it includes, its compile
command, a .clang-tidy or clang-tidy itself has changed. All clones of a user share the digests of
such files, in ~/.cache/nova/tidy-passed. Delete that file to check all files again.

The static analyzer runs only with the word `deep`: it takes ten times as long as all other checks.
With `deep` the digests are in tidy-passed-deep.
"""

import contextlib
import functools
import hashlib
import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import database
import sources

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova import errors, places  # noqa: E402

ARCH = "x86_64"
COMPILER = "clang"
# Number of digests, about those of thirty states of the tree, above which the oldest are removed.
MOST = 20000
# Files of one run of clang-tidy, which takes as long to start as to check a small file.
TOGETHER = 8
WITHOUT_ANALYZER = "--checks=-clang-analyzer-*"


def digest(*parts):
    """Returns a digest of byte strings."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(b"%d:" % len(part) + part)
    return whole.hexdigest()


@functools.lru_cache(maxsize=None)
def digest_at(name, _time, _size):
    with open(name, "rb") as file:
        return digest(file.read()).encode()


def file_digest(name):
    """Returns the digest of a file's content. Reads the file again only if it has changed."""
    found = os.stat(name)
    return digest_at(name, found.st_mtime_ns, found.st_size)


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


def within(root, name):
    """Returns a name without the location of the tree, so that it is the same in each clone."""
    return name.replace(str(root), "ROOT")


def input_of(entry, root, tool):
    """Returns a digest of everything that clang-tidy's result for a file depends on, or None if it
    is unknown."""
    try:
        read = read_by(entry)
        if not read:
            return None
        contents = [within(root, name).encode() + file_digest(name) for name in read]
    except OSError:
        return None
    return digest(tool, within(root, entry["command"]).encode(), *contents)


def options(deep):
    """Returns clang-tidy's options for the static analyzer."""
    return [] if deep else [WITHOUT_ANALYZER]


def tool_digest(root, deep):
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=False)
    words = repr(options(deep))
    rules = [(root / name).read_bytes() for name in sources.find(root, (".clang-tidy",))]
    return digest(version.stdout, words.encode(), *rules).encode()


def complaint(files, folder, deep):
    """Returns clang-tidy's output for files, or None."""
    result = subprocess.run(
        ["clang-tidy", "--quiet", "-p", str(folder), *options(deep), *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return None if result.returncode == 0 else result.stdout.rstrip() or result.stderr.rstrip()


def groups(entries):
    """Returns the entries in groups of files to check together, enough groups to keep all
    processors busy."""
    most = max(1, min(TOGETHER, len(entries) // (4 * (os.cpu_count() or 1))))
    return [entries[at : at + most] for at in range(0, len(entries), most)]


def complaints(entries, folder, deep):
    """Returns clang-tidy's output or None for each entry of a group."""
    files = [entry["file"] for entry in entries]
    whole = complaint(files, folder, deep)
    if whole is None or len(files) == 1:
        return [whole] * len(files)
    return [complaint([file], folder, deep) for file in files]


def recall(memory):
    """Returns the digests in a file, none if it cannot be read."""
    try:
        return memory.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []


def remember(memory, names):
    """Appends digests. If that fails, on a full disk for example, later runs check their files
    again."""
    with contextlib.suppress(OSError), memory.open("a", encoding="ascii") as file:
        file.writelines(f"{name}\n" for name in names)


def forget(memory, before, names):
    """Removes the older half of the digests BEFORE, except those of NAMES."""
    wanted = set(names)
    kept = [name for name in before[: MOST // 2] if name in wanted]
    new = memory.with_name(f"{memory.name}.{os.getpid()}")
    try:
        new.write_text("\n".join([*kept, *before[MOST // 2 :]]) + "\n", encoding="utf-8")
        new.replace(memory)
    except OSError:  # the file stays as it is
        new.unlink(missing_ok=True)


def is_usable(memory):
    """Returns whether digests can be appended to a file, which is created if it is absent."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        if os.path.exists(memory) and not os.path.isfile(memory):
            return False
        with memory.open("a+", encoding="ascii"):
            return True
    except OSError:
        return False


def memory_of(scratch, deep):
    """Returns the file with the digests, which all clones of the user share. It is in SCRATCH if
    the user has no cache or cannot use the file there."""
    name = "tidy-passed-deep" if deep else "tidy-passed"
    with contextlib.suppress(errors.NovaError):
        if is_usable(places.cache() / name):
            return places.cache() / name
    return scratch / name


def check_entries(entries, root, folder, memory, deep=False):
    """Returns the complaints about the entries' files. MEMORY is a file with the digests of files
    without findings, to which runs in other clones may append at the same time."""
    before = recall(memory)
    known = set(before)
    tool = tool_digest(root, deep)
    lock = threading.Lock()
    names = sources.in_parallel(lambda entry: input_of(entry, root, tool), entries)
    by_file = {entry["file"]: name for entry, name in zip(entries, names)}
    if len(before) > MOST:
        forget(memory, before, names)

    def run(group):
        found = complaints(group, folder, deep)
        # The digest of a file that has changed meanwhile belongs to a text that was not checked.
        passed = [by_file[one["file"]] for one, bad in zip(group, found)
                  if bad is None and by_file[one["file"]] == input_of(one, root, tool)]
        # Each group is recorded at once, so that an interrupted run loses few results.
        with lock:
            remember(memory, filter(None, passed))
        return [bad for bad in found if bad is not None]

    open_ones = [entry for entry in entries if by_file[entry["file"]] not in known]
    return sum(sources.in_parallel(run, groups(open_ones)), [])


def choose(entries):
    """Returns one entry for each C file, in order. Leaves out the files that the build generates:
    the folder of the entries is never built, so these files do not exist."""
    by_file = {entry["file"]: entry for entry in entries if entry["file"].endswith(".c")}
    return [by_file[file] for file in sorted(by_file) if os.path.exists(file)]


def check(root, scratch):
    chosen = choose(database.make(root, scratch, ARCH, COMPILER))
    folder = database.folder(scratch, ARCH, COMPILER)
    deep = sys.argv[3:] == ["deep"]
    return len(chosen), check_entries(chosen, root, folder, memory_of(scratch, deep), deep)


if __name__ == "__main__":
    sources.main(check)
