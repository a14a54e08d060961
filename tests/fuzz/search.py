#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Continues the search with one fuzzer of this folder, until some CPU-minutes bring no new
coverage.

libFuzzer begins with the seeds and the checked-in corpus. New coverage means that libFuzzer reports
more edges ("cov:") than ever before; other features, such as how often an edge is taken, do not
count. At the end libFuzzer minimizes the inputs, corpus/NAME.tar.xz gets those that the seeds do
not replace, and searched.tsv gets the figures. Time without new coverage adds up over several runs
as long as no commit changes more than comments in a file that the fuzzer compiles."""

import argparse
import hashlib
import io
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/host"
TABLE = HERE / "searched.tsv"
CORPUS = HERE / "corpus"
HEAD = ("fuzzer", "commit", "since", "total", "edges", "inputs")
UNKNOWN = {"commit": "-", "since": "0.0", "total": "0.0", "edges": "0", "inputs": "0"}
# The archives of all fuzzers together stay below 1 MiB. A larger archive keeps one input per edge.
MAX_ARCHIVE = 36 << 10
# libFuzzer's status after a signal. It may get the signal of ctrl-c before this script does.
STOPPED = 72
COVERED = re.compile(r"#\d+\s+(\w+)\s+cov: (\d+) ")


def read(file):
    """Returns {fuzzer: row}."""
    lines = file.read_text(encoding="utf-8").splitlines()[1:] if file.exists() else []
    rows = (dict(zip(HEAD, line.split("\t"))) for line in lines)
    return {row["fuzzer"]: row for row in rows}


def write(file, rows):
    ordered = (rows[name] for name in sorted(rows))
    lines = ["\t".join(HEAD), *("\t".join(str(row[key]) for key in HEAD) for row in ordered)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Progress:
    """Edges covered, and processor time since they grew. Times of a run are the seconds that
    libFuzzer has used."""

    def __init__(self, edges, since):
        self.edges = edges
        self.earlier = since
        self.begin = self.grown = None

    def see(self, line, used):
        """Takes a message of libFuzzer. Reading the corpus takes no time of the search."""
        found = COVERED.match(line)
        if not found:
            return
        if found[1] == "INITED":
            self.begin = self.grown = used
        if int(found[2]) > self.edges:
            self.edges, self.earlier, self.grown = int(found[2]), 0.0, used

    def since(self, used):
        """Returns the seconds without new edges, with those of earlier runs."""
        return self.earlier + (used - self.grown if self.begin is not None else 0.0)

    def searched(self, used):
        """Returns the seconds that this run has searched."""
        return used - self.begin if self.begin is not None else 0.0


def resume(row, unchanged):
    """Returns the progress of earlier runs if they searched UNCHANGED code."""
    if not unchanged:
        return Progress(0, 0.0)
    return Progress(int(row["edges"]), float(row["since"]) * 60)


def settings(text):
    """Returns {name: values} of the lines that CMakeLists.txt has written about a fuzzer."""
    found = {"max_len": [], "seed": [], "compile": []}
    for line in text.splitlines():
        name, value = line.split(" ", 1)
        found[name].append(value)
    return found


def prerequisites(rules, root):
    """Returns the tree's files in the rules for make that a compiler has written."""
    words = (Path(word) for word in rules.replace("\\\n", " ").split() if not word.endswith(":"))
    files = {Path(os.path.normpath(word)) for word in words}
    inside = (file.relative_to(root) for file in files if file.is_relative_to(root))
    return sorted(str(file) for file in inside if file.parts[0] != "build")


def output(*command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def compiled(compile_arguments):
    """Returns the tree's files that the fuzzer compiles."""
    files = prerequisites(output("clang", "-MM", *compile_arguments), ROOT)
    if output("git", "status", "--porcelain", "--", *files):
        sys.exit("Files of this fuzzer differ from the last commit: commit them first.")
    return files


def without_comments(text):
    return subprocess.run(["gcc", "-w", "-fpreprocessed", "-dD", "-E", "-P", "-x", "c", "-"],
                          input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


def same_code(old, files):
    """Returns whether FILES differ from commit OLD in comments and spaces only."""
    if old == "-":
        return False
    changed = output("git", "diff", "--name-only", old, "HEAD", "--", *files).split()
    old_files = set(output("git", "ls-tree", "-r", "--name-only", old, "--", *changed).split())
    return all(file in old_files
               and without_comments(output("git", "show", f"{old}:{file}"))
               == without_comments((ROOT / file).read_text(encoding="utf-8")) for file in changed)


def pack(folder, seeds, archive):
    """Writes the inputs in FOLDER that are none of SEEDS, and returns their number. The same inputs
    give the same archive."""
    known = {Path(seed).read_bytes() for seed in seeds}
    inputs = sorted({file.read_bytes() for file in folder.iterdir()} - known,
                    key=lambda content: (len(content), content))
    with tarfile.open(archive, "w:xz", format=tarfile.USTAR_FORMAT, preset=9) as tar:
        for number, content in enumerate(inputs):
            member = tarfile.TarInfo(f"{number:04}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return len(inputs)


def unpack(archive, folder):
    """Adds the inputs of an archive to a folder, under the names that libFuzzer gives them."""
    if not archive.exists():
        return
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member).read()
            (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def follow(process, progress, enough):
    """Reads libFuzzer's messages until it ends or ENOUGH holds. Returns the processor time used."""
    used, rest = 0.0, ""
    try:
        while not enough(used):
            if not select.select([process.stderr], [], [], 1.0)[0]:
                used = processor_seconds(process.pid)
                continue
            data = os.read(process.stderr.fileno(), 1 << 16)
            if not data:
                print(rest)
                break
            used = processor_seconds(process.pid)
            *lines, rest = (rest + data.decode(errors="replace")).split("\n")
            for line in lines:
                progress.see(line, used)
                if not COVERED.match(line):
                    print(line, flush=True)
    except KeyboardInterrupt:
        pass
    return used


def search(command, progress, enough):
    """Returns the processor time of a search, or nothing if libFuzzer found a fault."""
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        used = follow(process, progress, enough)
        process.send_signal(signal.SIGINT)
        process.stderr.read()
    return used if process.returncode == STOPPED else None


def minimize(program, options, seeds, work, archive):
    """Reduces WORK to the inputs that add features to those of the seeds. If their archive is too
    large, reduces WORK to the inputs that add edges. Returns the number of inputs in the
    archive."""
    merged = work.with_name("merged")
    for counters in ("1", "0"):
        shutil.rmtree(merged, ignore_errors=True)
        merged.mkdir()
        for seed in seeds:
            shutil.copy(seed, merged)
        subprocess.run([program, "-merge=1", f"-use_counters={counters}", *options, merged, work],
                       stderr=subprocess.DEVNULL, check=True)
        count = pack(merged, seeds, archive)
        if archive.stat().st_size <= MAX_ARCHIVE:
            break
    shutil.rmtree(work)
    merged.rename(work)
    return count


def build(name):
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", "host"], cwd=ROOT, check=True)
    subprocess.run(["cmake", "--build", BUILD, "--target", f"fuzz-{name}"], check=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="fuzzer, such as seal")
    parser.add_argument("--minutes", type=float, default=20.0,
                        help="CPU-minutes without new coverage that end the search (20)")
    parser.add_argument("--limit", type=float, default=float("inf"),
                        help="CPU-minutes that this run may use; the next run goes on")
    return parser.parse_args()


def main():
    args = arguments()
    # A shell starts a job in the background with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    build(args.name)
    program = BUILD / "tests/fuzz/bin" / args.name
    chosen = settings(program.with_suffix(".search").read_text(encoding="utf-8"))
    row = {**UNKNOWN, "fuzzer": args.name, **read(TABLE).get(args.name, {})}
    files = compiled(chosen["compile"])
    progress = resume(row, same_code(row["commit"], files))
    row["commit"] = output("git", "log", "-1", "--format=%h", "--", *files).strip()
    folder = ROOT / "build/fuzz" / args.name
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    archive = CORPUS / f"{args.name}.tar.xz"
    unpack(archive, work)
    for seed in chosen["seed"]:
        shutil.copy(seed, work)
    options = [f"-max_len={chosen['max_len'][0]}", "-timeout=60"]

    def enough(used):
        return (progress.since(used) >= args.minutes * 60
                or progress.searched(used) >= args.limit * 60)

    used = search([program, *options, f"-artifact_prefix={folder}/", work], progress, enough)
    if used is None:
        print(f"The search found a fault. Its input is in {folder}; {work} keeps the others.")
        return 1
    row["inputs"] = minimize(program, options, chosen["seed"], work, archive)
    row["since"] = f"{progress.since(used) / 60:.1f}"
    row["total"] = f"{float(row['total']) + progress.searched(used) / 60:.1f}"
    row["edges"] = progress.edges
    write(TABLE, {**read(TABLE), args.name: row})
    print("\t".join(str(row[key]) for key in HEAD))
    return 0


if __name__ == "__main__":
    sys.exit(main())
