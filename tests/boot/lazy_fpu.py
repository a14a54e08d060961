# SPDX-License-Identifier: BSD-2-Clause
"""Shows that with mitigations=full the CPU does not hold the FPU registers of one PD while a thread
of another PD runs, and that with mitigations=off it holds them: lazy_fpu.py KERNEL ROOTTASK. In one
case of the roottask the thread with the pattern still exists, in the other case it has ended."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova.qemu import Machine, Module  # noqa: E402
from nova.runner import Runner  # noqa: E402

PATTERN = "4c617a79" * 2  # half of a register, as the monitor prints it
MARK = re.compile("SI=(00000000)?5350494e")  # the other thread's register
DUMPS = 3  # number of dumps that must show the other thread


class Reader(Runner):
    """Asks for the registers until they have shown the other thread several times."""

    dumps = ()

    def line(self, text):
        if text.startswith(b"# run"):
            self.ask("info registers")

    def answer(self, text):
        if MARK.search(text):
            self.dumps += (text,)
        self.finished = len(self.dumps) == DUMPS
        if not self.finished:
            self.ask("info registers")


CASES = ("another_pd_runs_while_the_registers_have_a_pattern",
         "another_pd_runs_after_the_end_of_a_thread_with_a_pattern")


def leaves_pattern(kernel, roottask, case, mode):
    """Returns whether the last dump of the other thread's registers has the pattern."""
    module = Module(roottask, f"case={case}")
    machine = Machine(kernel, [module], cpus=1, cmdline=f"serial mitigations={mode}")
    reader = Reader(machine, 60)
    outcome = reader.run()
    if len(reader.dumps) < DUMPS or "XMM07=" not in reader.dumps[-1]:
        sys.exit(f"the registers could not be read: {outcome.message}\n{outcome.text()}")
    return PATTERN in reader.dumps[-1]


def main():
    kernel, roottask = sys.argv[1:]
    wrong = [(case, mode) for case in CASES for mode, expected in (("off", True), ("full", False))
             if leaves_pattern(kernel, roottask, case, mode) != expected]
    for case, mode in wrong:
        print(f"{case}, mitigations={mode}: "
              f"the pattern is {'there' if mode == 'full' else 'gone'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
