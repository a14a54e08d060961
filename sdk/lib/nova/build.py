# SPDX-License-Identifier: BSD-2-Clause
"""Configures and builds presets: silent when it works, the tools' own words when it does not."""

import contextlib
import fcntl
import os
import subprocess
import sys

from nova import tree
from nova.errors import EXIT_FAILED, NovaError

STAMP = ".configured"


class BuildError(NovaError):
    """A step of a build failed; `output` is what the tools said."""

    def __init__(self, sentence, output):
        super().__init__(sentence, EXIT_FAILED)
        self.output = output


def say(text):
    """Progress, kept apart from what programs print."""
    print(f"nova: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _alone(preset):
    """Only one build at a time works in a build directory."""
    folder = tree.build_dir(preset)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _step(command, sentence):
    result = subprocess.run(
        command,
        cwd=tree.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode != 0:
        raise BuildError(sentence, result.stdout.decode("utf-8", "replace"))


def _configured(preset):
    """Ninja itself notices every changed description but the presets and toolchain files."""
    folder = tree.build_dir(preset)
    stamp = folder / STAMP
    if not stamp.exists() or not (folder / "build.ninja").exists():
        return False
    sources = [tree.ROOT / "CMakePresets.json", *(tree.ROOT / "sdk/cmake").glob("toolchain-*")]
    return all(source.stat().st_mtime <= stamp.stat().st_mtime for source in sources)


def configure(preset):
    """Afterwards CTest's list of tests is that of the sources as they are."""
    failed = f"configuring {preset} failed."
    with _alone(preset):
        if _configured(preset):
            _step(["ninja", "-C", str(tree.build_dir(preset)), "build.ninja"], failed)
            return
        say(f"configuring {preset}")
        _step(["cmake", "--preset", preset], failed)
        (tree.build_dir(preset) / STAMP).touch()


def build(preset, targets=()):
    """Builds everything, or only the named targets."""
    command = ["cmake", "--build", str(tree.build_dir(preset)), "-j", str(os.cpu_count() or 1)]
    if targets:
        command += ["--target", *targets]
    configure(preset)
    with _alone(preset):
        say(f"building {preset}")
        _step(command, f"building {preset} failed.")
