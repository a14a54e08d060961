#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes SQLite's source in one file from Debian's source package: source.py FOLDER.

The folder gets sqlite3.c, sqlite3.h and speedtest1.c. If they cannot be made, it gets empty C files
and missing_sqlite.h with the reason, so that the rest of the tree can be built and only the tests
of SQLite fail. The next build tries again, because the file `made` is absent.
"""
import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sdk/lib"))

from nova import debian_source  # noqa: E402
from nova.debian_source import Missing  # noqa: E402

ARCHIVE = "sqlite3_3.40.1.orig.tar.xz"
SUM = "aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655"
PLACE = f"http://deb.debian.org/debian/pool/main/s/sqlite3/{ARCHIVE}"
MADE = {"sqlite3.c": "sqlite3.c", "speedtest1.c": "test/speedtest1.c", "sqlite3.h": "sqlite3.h"}
REASON = "missing_sqlite.h"


def make(archive, folder):
    """Makes the files with SQLite's own build description."""
    if not shutil.which("tclsh"):
        raise Missing("tclsh makes it: apt-get install tcl.")
    with tempfile.TemporaryDirectory(prefix="nova-sqlite-") as work:
        with tarfile.open(archive) as tar:
            tar.extractall(work)
        (source,) = Path(work).iterdir()
        for command in (["./configure", "--disable-tcl", "CC=gcc"], ["make", "sqlite3.c"]):
            result = subprocess.run(command, cwd=source, check=False, text=True,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT)
            if result.returncode:
                sys.stderr.write(result.stdout)
                raise Missing(f"'{' '.join(command)}' failed in SQLite's source; see above.")
        for name, place in MADE.items():
            shutil.copyfile(source / place, folder / name)


def recipe():
    """Returns a digest of all that the files depend on."""
    files = (Path(__file__), Path(debian_source.__file__))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def ensure(folder):
    """Makes the files unless they exist. Returns the reason why that was not possible, or None."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "made"
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            if stamp.read_text(encoding="utf-8") == recipe():
                return None
        archive = folder / ARCHIVE
        stamp.unlink(missing_ok=True)
        try:
            if not archive.exists():
                debian_source.fetch(archive, PLACE, SUM)
            debian_source.check(archive, SUM)
            make(archive, folder)
        except Missing as missing:
            for name in MADE:
                (folder / name).write_bytes(b"")
            (folder / "sqlite3.h").unlink()
            text = str(missing).replace("\\", "/").replace('"', "'")
            (folder / REASON).write_text(f'#define REASON "{text}"\n', encoding="utf-8")
            return str(missing)
        (folder / REASON).unlink(missing_ok=True)
        stamp.write_text(recipe(), encoding="utf-8")
    return None


def main():
    """Returns status 0 also without the source."""
    reason = ensure(Path(sys.argv[1]))
    if reason:
        print(f"nova: the source of SQLite is missing, so its tests will fail: {reason}",
              file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
