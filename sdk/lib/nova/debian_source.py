# SPDX-License-Identifier: BSD-2-Clause
"""Downloads the archives of Debian's source packages, from which the build makes libraries."""

import hashlib
import os
import subprocess
from pathlib import Path

# It downloads as apt-get does, with its proxies, and checks the sum.
HELPER = "/usr/lib/apt/apt-helper"


class Missing(Exception):
    """The source is not available. One sentence gives the reason and the remedy."""


def fetch(archive, place, digest):
    """Downloads the archive from PLACE, whose SHA-256 sum is DIGEST."""
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
