# SPDX-License-Identifier: BSD-2-Clause
"""Walks over many instructions under QEMU, in several boots.

endure.py ARCH KERNEL ROOTTASK PREDICT CPU FIRST LEAST COUNT: walks over COUNT instructions in each
boot, with the seeds FIRST, FIRST + 1, … until at least LEAST instructions were executed. To
continue a run, begin with the next seed.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sdk/lib"))

from nova.qemu import Machine  # noqa: E402
from nova.runner import Runner  # noqa: E402

SECONDS = 1800  # time limit of a boot, also on a busy host
# Against a fault of QEMU, which executes some MMX instructions although CR0.TS is set (see
# tests/traps/CMakeLists.txt).
CMDLINE = "mitigations=full"
PASSED = "# 1 passed, 0 failed"
INSTRUCTIONS = re.compile(r"^# instructions: (\d+)$", re.MULTILINE)
FAILURES = 3  # number of failed walks after which the test ends


def walk(machine, seed):
    """Runs one boot. Returns the number of its instructions, or 0 after it printed the console of a
    walk that failed."""
    outcome = Runner(machine, SECONDS).run()
    found = INSTRUCTIONS.search(outcome.text())
    if PASSED in outcome.text() and found:
        print(f"seed {seed}: {found[1]} instructions", flush=True)
        return int(found[1])
    print(f"seed {seed}: {outcome.message}\n{outcome.text()}", flush=True)
    return 0


def main():
    arch, kernel, roottask, predict, cpu = sys.argv[1:6]
    seed, least, count = map(int, sys.argv[6:])
    done = failed = 0
    while done < least and failed < FAILURES:
        with tempfile.NamedTemporaryFile(suffix=".walk") as module:
            subprocess.run([predict, arch, str(seed), str(count)], stdout=module, check=True)
            machine = Machine(kernel, [roottask, module.name], cmdline=CMDLINE, cpus=1, cpu=cpu)
            executed = walk(machine, seed)
        done += executed
        failed += not executed
        seed += 1
    print(f"{done} instructions, {failed} walks failed; the next seed is {seed}")
    sys.exit(failed != 0 or done < least)


if __name__ == "__main__":
    main()
