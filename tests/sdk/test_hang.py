# SPDX-License-Identifier: BSD-2-Clause
"""A boot test that reaches its time limit reports the machine; any other one reports nothing."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import boot_test, hang
from nova.errors import EXIT_TIMEOUT
from nova.qemu import Machine
from nova.record import Record
from test_runner import BUILD, WithFolder, build


class Arguments(Record):
    """The arguments of `nova boot-test` on which the choice of a runner depends."""

    timeout: float = 1.0
    status: int = 0
    arch: str = "x86_64"
    name: str = "some/test"


class Hangs(WithFolder):
    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.dict(os.environ))
        os.environ.pop(hang.MEMORY, None)

    def boot(self, end, timeout=1.0, cpus=1, **arguments):
        """Returns the runner of a stub that ends as END specifies, and the outcome."""
        machine = Machine(build(self.folder, end, **arguments), cpus=cpus, memory=32)
        runner = hang.HangRunner(machine, timeout, "x86_64", "some/test")
        return runner, runner.run()

    def test_a_run_without_an_end_reports_the_registers_and_local_apics_of_all_cpus(self):
        runner, outcome = self.boot("LOOP", cpus=2)
        self.assertEqual(outcome.status, EXIT_TIMEOUT)
        report = runner.report()
        self.assertEqual(report.count("\nCPU#0\n"), hang.SAMPLES)
        self.assertEqual(report.count("\nCPU#1\n"), hang.SAMPLES)
        self.assertRegex(report, r"\n-- info lapic 1\n(?s:.*)\nIRR\b")
        self.assertNotIn("XMM", report)

    def test_a_run_that_ends_reports_nothing(self):
        runner, outcome = self.boot("EXIT", timeout=20)
        self.assertEqual((outcome.status, runner.report()), (0, ""))

    def test_a_system_that_stops_after_its_limit_has_reached_the_limit(self):
        runner, _ = self.boot("EXIT", timeout=20)
        runner.timed_out = runner.stopped = True
        self.assertEqual(runner._outcome().status, EXIT_TIMEOUT)

    def test_the_report_names_functions_of_the_kernel(self):
        source, kernel = Path(self.folder) / "k.S", Path(self.folder) / "kernel"
        source.write_text(".globl standing\n.type standing, @function\nstanding: jmp standing\n"
                          ".size standing, . - standing\n", encoding="ascii")
        command = [*BUILD, "-Wl,-Ttext=0x80200000,-e,standing", source, "-o", kernel]
        subprocess.run(command, check=True)
        text = "\nCPU#0\nRAX=1 RIP=0000000000400000 RFL=2\nCPU#3\nRIP=ffffffff80200000 RFL=2\n"
        lines = hang._functions(kernel, "x86_64", text)
        self.assertEqual(len(lines), 1)
        where = r"^CPU 3 is in the kernel, at 0xffffffff80200000 in standing\(\)"
        self.assertRegex(lines[0], where)

    def test_a_text_without_code_of_the_kernel_starts_no_tool(self):
        with mock.patch.object(hang.explain.subprocess, "run") as run:
            self.assertEqual(hang._functions("kernel", "x86_64", "\nCPU#0\nRIP=400000 RFL=2\n"), [])
        run.assert_not_called()

    def test_a_monitor_that_does_not_answer_is_reported_and_does_not_delay_the_end(self):
        with mock.patch.object(hang, "ANSWER_SECONDS", 0.5), \
                mock.patch.object(hang.HangRunner, "ask", lambda *_: None):
            runner, outcome = self.boot("LOOP")
            report = runner.report()
        self.assertEqual(outcome.status, EXIT_TIMEOUT)
        self.assertRegex(report, r"did not answer 4 of 4 questions within 0.5 s\.$")

    def test_the_named_folder_gets_the_memory(self):
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.dict(os.environ, {hang.MEMORY: folder}):
                self.boot("LOOP")
            self.assertEqual([file.name for file in Path(folder).iterdir()], ["some-test.memory"])
            size = (Path(folder) / "some-test.memory").stat().st_size
        self.assertGreater(size, 32 << 20)

    def test_a_test_that_expects_the_limit_is_not_examined(self):
        machine = Machine(build(self.folder, "LOOP"), cpus=1, memory=32)
        self.assertIsInstance(boot_test._runner(machine, Arguments()), hang.HangRunner)
        usual = boot_test._runner(machine, Arguments(status=EXIT_TIMEOUT))
        self.assertNotIsInstance(usual, hang.HangRunner)
        self.assertEqual(usual.report(), "")

    def test_ctest_waits_longer_than_the_answers_may_take(self):
        text = (paths.ROOT / "sdk/cmake/NovaBootTest.cmake").read_text(encoding="utf-8")
        more = int(re.search(r'EXPR limit "\$\{arg_TIMEOUT\} \+ (\d+)"', text)[1])
        self.assertLess(hang.ANSWER_SECONDS, more - 3)


if __name__ == "__main__":
    unittest.main()
