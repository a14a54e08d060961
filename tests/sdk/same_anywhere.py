# SPDX-License-Identifier: BSD-2-Clause
"""Nothing that is loaded names the folder that it was built in: `same_anywhere.py BUILD`.

A name of another length moves what lies behind it, and figures and addresses with it."""

import sys
from pathlib import Path

from paths import ROOT

from nova import elf

OWN = str(ROOT).encode()


def main(build):
    programs = [build / "nova.elf", *sorted((build / "bin").iterdir())]
    if len(programs) < 10:
        sys.exit(f"{build}/bin has {len(programs) - 1} programs only.")
    if OWN not in programs[0].read_bytes():
        sys.exit("The kernel's debug information does not name the tree: look for another name.")
    named = [path.name for path in programs if OWN in b"\0".join(elf.loaded(path))]
    if named:
        sys.exit(f"loaded with {ROOT} in them: {', '.join(named)}")
    print(f"{len(programs)} programs are the same wherever the tree lies.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
