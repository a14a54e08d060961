# SPDX-License-Identifier: BSD-2-Clause
"""Seals a small guest for a boot test: `seal_image.py FOLDER NOVA-ACPI` writes sealed.img and the
machine's key. The image contains the ACPI tables of a PC with one virtual CPU."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sdk"))

import paths  # noqa: E402, F401
import sealing  # noqa: E402
from nova import machine_key  # noqa: E402


def main(folder, tool):
    acpi = subprocess.run([tool, "1"], check=True, stdout=subprocess.PIPE).stdout
    ((private, public),) = sealing.keys()
    image = sealing.image([public], kernel=sealing.elf(), acpi=acpi, vcpus=1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "machine.key").write_bytes(machine_key.PRIVATE_MAGIC + private)
    (folder / "sealed.img").write_bytes(image)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
