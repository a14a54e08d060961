# SPDX-License-Identifier: BSD-2-Clause
"""Configures and builds presets: silent on success, with the tools' own output on failure."""

import contextlib
import errno
import fcntl
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from nova import process, tree
from nova.errors import EXIT_FAILED, NovaError

STAMP = ".configured"
DISK_FULL = os.strerror(errno.ENOSPC)
LAST_LINES = 400  # lines of a failed step's output that are shown


class BuildError(NovaError):
    """A step of a build failed; `output` is the tools' output."""

    def __init__(self, sentence, output):
        super().__init__(sentence, EXIT_FAILED)
        self.output = output


def say(text):
    """Reports progress on stderr, apart from the output of programs."""
    print(f"nova: {text}", file=sys.stderr, flush=True)


def still_runs(what, limit):
    """Returns a function that reports that WHAT still runs. Its argument is the time in seconds
    that WHAT has run, of at most LIMIT."""
    return lambda time: say(f"{what} still runs after {time} s, at most {limit}")


@contextlib.contextmanager
def locked(file, folder):
    """Locks FILE, so that only one process at a time uses FOLDER. Says so if it must wait."""
    with open(file, "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another nova uses {folder}, and this one waits for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alone(folder):
    """Locks a build directory, so that only one build at a time uses it."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock", folder):
        yield


class Progress:
    """Shows the progress of a build: on a terminal one line that is updated, else a line for each
    quarter of a long build."""

    STEP = re.compile(rb"\[(\d+)/(\d+)\]")
    PATIENCE = 10.0  # seconds without a line

    def __init__(self, what, stream=None):
        self.what = what
        self.stream = stream or sys.stderr
        self.on_terminal = self.stream.isatty()
        self.next_share = 25
        self.next_time = time.monotonic() + self.PATIENCE
        self.written = False

    def take(self, line):
        match = self.STEP.match(line)
        if not match:
            return
        done, total = int(match.group(1)), int(match.group(2))
        if self.on_terminal:
            self.stream.write(f"\rnova: {self.what} [{done}/{total}] ")
            self.stream.flush()
            self.written = True
        elif done * 100 >= self.next_share * total and time.monotonic() >= self.next_time:
            share = done * 100 // max(total, 1)
            print(f"nova: {self.what}: {share} %", file=self.stream, flush=True)
            self.next_share = share + 25
            self.next_time = time.monotonic() + self.PATIENCE

    def end(self):
        if self.written:
            self.stream.write("\r\033[K")  # empties the line
            self.stream.flush()


def step(command, sentence, progress=None, folder=tree.ROOT):
    """Runs COMMAND in FOLDER. SENTENCE is the error message."""
    output = []
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=process.die_with_parent,
    ) as running:
        try:
            for line in running.stdout:
                output.append(line)
                if progress:
                    progress.take(line)
        except BaseException:
            running.terminate()
            raise
        finally:
            if progress:
                progress.end()
    if running.returncode == 0:
        return
    text = b"".join(output[-LAST_LINES:]).decode("utf-8", "replace")
    if DISK_FULL in text:
        raise NovaError(f"{sentence[:-1]}: the disk is full.")
    raise BuildError(sentence, text)


def is_copy(folder):
    """Returns whether a build folder was copied together with its tree. Such a folder would build
    the original tree."""
    try:
        text = (folder / "CMakeCache.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    made_in = re.search(r"^CMAKE_CACHEFILE_DIR:INTERNAL=(.*)$", text, re.MULTILINE)
    return bool(made_in) and Path(made_in.group(1)).resolve() != folder.resolve()


def _forget(folder):
    """Removes CMake's cache and files, which contain paths of the other tree."""
    say(f"{folder.name} was copied from another place and is configured again")
    (folder / "CMakeCache.txt").unlink(missing_ok=True)
    (folder / "build.ninja").unlink(missing_ok=True)
    (folder / STAMP).unlink(missing_ok=True)
    import shutil  # which a boot does not need

    shutil.rmtree(folder / "CMakeFiles", ignore_errors=True)


def _configured(preset):
    """Returns whether PRESET is configured and newer than the presets and toolchain files. Ninja
    itself does not detect changes of these files."""
    folder = tree.build_dir(preset)
    stamp = folder / STAMP
    if not stamp.exists() or not (folder / "build.ninja").exists():
        return False
    sources = [tree.ROOT / "CMakePresets.json", *(tree.ROOT / "sdk/cmake").glob("toolchain-*")]
    return all(source.stat().st_mtime <= stamp.stat().st_mtime for source in sources)


def configure(preset):
    """Configures PRESET. Afterwards CTest's list of tests matches the sources."""
    # Imported here because most tests only boot, and it takes long to load.
    from nova import newlib

    failed = f"configuring {preset} failed."
    for arch in tree.ARCHES:
        if preset.startswith(arch):
            newlib.ensure(arch)
    with alone(tree.build_dir(preset)):
        if is_copy(tree.build_dir(preset)):
            _forget(tree.build_dir(preset))
        if _configured(preset):
            step(["ninja", "-C", str(tree.build_dir(preset)), "build.ninja"], failed)
            return
        say(f"configuring {preset}")
        step(["cmake", "--preset", preset], failed)
        (tree.build_dir(preset) / STAMP).touch()


def known_targets(folder):
    """Returns the names of all targets of a configured build directory."""
    command = ["ninja", "-C", str(folder), "-t", "targets", "all"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {line.partition(": ")[0] for line in result.stdout.splitlines()}


def build(preset, targets=()):
    """Builds everything, or only the named targets."""
    command = ["cmake", "--build", str(tree.build_dir(preset)), "-j", str(os.cpu_count() or 1)]
    if targets:
        command += ["--target", *targets]
    configure(preset)
    with alone(tree.build_dir(preset)):
        say(f"building {preset}")
        step(command, f"building {preset} failed.", Progress(f"building {preset}"))
