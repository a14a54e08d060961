#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes SQLite's source in one file from Debian's source package: source.py FOLDER.

The folder gets sqlite3.c, sqlite3.h and speedtest1.c. If they cannot be made, it gets empty C files
and missing_sqlite.h with the reason, so that the rest of the tree can be built and only the tests
of SQLite fail. The next build tries again, because the file `made` is absent.
"""
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sdk/lib"))

from nova import debian_source  # noqa: E402
from nova.debian_source import Missing  # noqa: E402

SOURCE = debian_source.Source(
    "sqlite3", "sqlite3_3.40.1.orig.tar.xz",
    "aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655")
MADE = {"sqlite3.c": "sqlite3.c", "speedtest1.c": "test/speedtest1.c", "sqlite3.h": "sqlite3.h"}
REASON = "missing_sqlite.h"


def make(unpacked, folder):
    """Makes the files with SQLite's own build description."""
    if not shutil.which("tclsh"):
        raise Missing("tclsh makes it: apt-get install tcl.")
    for command in (["./configure", "--disable-tcl", "CC=gcc"], ["make", "sqlite3.c"]):
        result = subprocess.run(command, cwd=unpacked, check=False, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        if result.returncode:
            sys.stderr.write(result.stdout)
            raise Missing(f"'{' '.join(command)}' failed in SQLite's source; see above.")
    for name, place in MADE.items():
        shutil.copyfile(unpacked / place, folder / name)
    (folder / REASON).unlink(missing_ok=True)


def empty(folder, reason):
    """Makes empty files, and the header with the reason."""
    for name in MADE:
        (folder / name).write_bytes(b"")
    (folder / "sqlite3.h").unlink()
    text = reason.replace("\\", "/").replace('"', "'")
    (folder / REASON).write_text(f'#define REASON "{text}"\n', encoding="utf-8")


def ensure(folder):
    """Makes the files unless they exist. Returns the reason why that was not possible, or None."""
    try:
        debian_source.ensure(folder, SOURCE, [__file__], make,
                             lambda reason: empty(folder, reason))
    except Missing as missing:
        return str(missing)
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
