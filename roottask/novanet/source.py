#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unpacks lwIP's source from Debian's source package: source.py FOLDER.

The folder gets `src` and COPYING. If that is impossible, prints the reason, and ends with status 1;
the next configuration tries again, because the file `made` is absent.
"""
import contextlib
import fcntl
import hashlib
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova import debian_source  # noqa: E402

ARCHIVE = "lwip_2.1.3+dfsg1.orig.tar.xz"
SUM = "0a8276d09fc4e97bbba2f953d74af2388fc2195ea156be9d7589e297a68fde24"
PLACE = f"http://deb.debian.org/debian/pool/main/l/lwip/{ARCHIVE}"
PARTS = ("src", "COPYING")


def unpack(archive, folder):
    """Replaces the parts in the folder by those of the archive."""
    with tempfile.TemporaryDirectory(prefix="nova-lwip-") as work:
        with tarfile.open(archive) as tar:
            tar.extractall(work)
        (source,) = Path(work).glob("lwip-*")
        for part in PARTS:
            there = folder / part
            if there.is_dir():
                shutil.rmtree(there)
            shutil.move(str(source / part), str(there))


def ensure(folder):
    """Unpacks the source unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "made"
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
        with contextlib.suppress(OSError):
            if stamp.read_text(encoding="utf-8") == recipe:
                return
        stamp.unlink(missing_ok=True)
        archive = folder / ARCHIVE
        if not archive.exists():
            debian_source.fetch(archive, PLACE, SUM)
        debian_source.check(archive, SUM)
        unpack(archive, folder)
        stamp.write_text(recipe, encoding="utf-8")


def main():
    """Returns the status."""
    try:
        ensure(Path(sys.argv[1]))
    except debian_source.Missing as missing:
        print(missing)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
