# SPDX-License-Identifier: BSD-2-Clause
"""Downloads the archives of Debian's source packages, from which the build makes libraries."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from nova import build, newlib_patches
from nova.errors import NovaError

POOL = "http://deb.debian.org/debian/pool/main"
STAMP = "made"
# This program downloads as apt-get does, with apt-get's proxies, and checks the sum.
HELPER = "/usr/lib/apt/apt-helper"


class Missing(Exception):
    """The source is not available. One sentence gives the reason and the remedy."""


class Source(NamedTuple):
    """The archive of a source package, and its SHA-256 sum."""

    package: str
    archive: str
    digest: str

    @property
    def place(self):
        """Returns the archive's address on the server."""
        return f"{POOL}/{self.package[0]}/{self.package}/{self.archive}"


def fetch(archive, place, digest):
    """Downloads the archive, whose SHA-256 sum is DIGEST, from PLACE."""
    if os.environ.get("NOVA_OFFLINE"):
        raise Missing(f"NOVA_OFFLINE is set, so put {place} into {archive.parent}.")
    if not Path(HELPER).exists():
        raise Missing(f"there is no apt-helper to download it; put {place} into {archive.parent}.")
    command = [HELPER, "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20",
               "download-file", place, str(archive), f"SHA256:{digest}"]
    result = subprocess.run(command, check=False, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode or not archive.exists():
        lines = [line[3:] for line in result.stdout.splitlines() if line.startswith("E: ")]
        raise Missing(f"{place} cannot be downloaded ({(lines or ['no reason'])[0]}); check the "
                      f"network, or put it into {archive.parent}.")


def check(archive, digest):
    """Removes an archive whose sum is wrong."""
    if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
        archive.unlink()
        raise Missing(f"{archive.name} was damaged and is removed; build again.")


def ensure(folder, source, recipe, make, give_up=None):
    """Makes a library's source files in FOLDER unless they exist.

    The source files depend on the archive, on this module, and on the files of RECIPE. MAKE gets
    the folder of the unpacked archive, and FOLDER. If something is missing, GIVE_UP gets the
    sentence, Missing is raised, and the next call tries again: the file `made` is written last.
    """
    stamp = folder / STAMP
    with build.alone(folder):
        depends = (Path(__file__), *recipe)
        digest = hashlib.sha256(b"".join(Path(one).read_bytes() for one in depends)).hexdigest()
        with contextlib.suppress(OSError):
            if stamp.read_text(encoding="utf-8") == digest:
                return
        stamp.unlink(missing_ok=True)
        try:
            _make(folder, source, make)
        except Missing as missing:
            if give_up:
                give_up(str(missing))
            raise
        stamp.write_text(digest, encoding="utf-8")


def _make(folder, source, make):
    archive = folder / source.archive
    if not archive.exists():
        fetch(archive, source.place, source.digest)
    check(archive, source.digest)
    with tempfile.TemporaryDirectory(prefix=f"nova-{source.package}-") as work:
        with tarfile.open(archive) as tar:
            tar.extractall(work)
        (unpacked,) = (one for one in Path(work).iterdir() if one.is_dir())
        make(unpacked, folder)


def move_parts(unpacked, folder, parts):
    """Replaces files and folders in FOLDER by those of the unpacked source."""
    for part in parts:
        there = folder / part
        if there.is_dir():
            shutil.rmtree(there)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(unpacked / part), str(there))


def main(folder, source, recipe, parts):
    """Makes the parts of a library's source in FOLDER, and applies the patches in the folder
    `patches` beside the file RECIPE. Prints the reason if the source cannot be made. Returns the
    exit status."""
    place = Path(recipe).parent / "patches"
    patches = newlib_patches.files(place)

    def make(unpacked, to):
        newlib_patches.apply(unpacked, newlib_patches.read(place), source.archive)
        move_parts(unpacked, to, parts)

    try:
        ensure(Path(folder), source, [recipe, *patches], make)
    except (Missing, NovaError) as error:
        print(error)
        return 1
    return 0
