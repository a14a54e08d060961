# SPDX-License-Identifier: BSD-2-Clause
"""Walks over many instructions under QEMU, a million in each boot.

endure.py ARCH KERNEL ROOTTASK PREDICT CPU FIRST BOOTS COUNT: the seeds are FIRST, FIRST + 1, …
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sdk/lib"))

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

SECONDS = 300
# QEMU executes some MMX instructions although CR0.TS is set: see CMakeLists.txt.
CMDLINE = "mitigations=full"
PASSED = "# 1 passed, 0 failed"


def walk(machine, seed):
    """Runs one boot. Returns whether its walk passed, and prints the console if not."""
    outcome = Runner(machine, SECONDS).run()
    if PASSED in outcome.text():
        return True
    print(f"seed {seed}: {outcome.message}\n{outcome.text()}")
    return False


def main():
    arch, kernel, roottask, predict, cpu = sys.argv[1:6]
    first, boots, count = map(int, sys.argv[6:])
    passed = 0
    for seed in range(first, first + boots):
        with tempfile.NamedTemporaryFile(suffix=".walk") as module:
            subprocess.run([predict, arch, str(seed), str(count)], stdout=module, check=True)
            machine = Machine(kernel, [roottask, module.name], cmdline=CMDLINE, cpus=1, cpu=cpu)
            passed += walk(machine, seed)
    print(f"{passed} of {boots} walks of {count} instructions passed")
    sys.exit(passed != boots or not boots)


if __name__ == "__main__":
    main()
