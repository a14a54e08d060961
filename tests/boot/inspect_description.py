# SPDX-License-Identifier: BSD-2-Clause
"""Checks the description that the example inspect prints, after the test has added a driver for
each device of the description.

inspect_description.py KERNEL INSPECT NOVA_SYSTEM
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

DEVICES = (
    *("-drive", "if=none,id=d,file=null-co://,format=raw", "-device", "nvme,drive=d,serial=1"),
    *("-device", "edu", "-device", "edu", "-device", "e1000e", "-device", "qemu-xhci"),
)
DRIVER = """
program driver-{name}
        devices {name}
        uses pci
"""


class Inspect(Runner):
    """Collects the lines that the program prints."""

    lines = ()

    def line(self, text):
        self.lines += (text.decode(),)


def main():
    kernel, inspect, tool = sys.argv[1:]
    wrong = 0
    for machine in ("q35", "pc"):
        run = Inspect(Machine(Path(kernel), [inspect], machine=machine, extra=DEVICES), 30)
        run.run()
        text = "\n".join(line for line in run.lines if not line.startswith("NOVA: ")) + "\n"
        names = re.findall(r"^device (\S+)", text, re.M)
        # Names of programs with devices must differ in their first eight characters.
        text += "".join(DRIVER.format(name=n).replace("driver-", f"d{i}-")
                        for i, n in enumerate(names))
        with tempfile.NamedTemporaryFile("w", suffix=".nova") as file:
            file.write(text)
            file.flush()
            result = subprocess.run([tool, file.name], capture_output=True, text=True, check=False)
        print(f"{machine}: {len(names)} devices: {' '.join(names)}")
        if result.returncode or len(names) < 6:
            print(text + result.stdout + result.stderr)
            wrong += 1
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
