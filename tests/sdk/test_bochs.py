# SPDX-License-Identifier: BSD-2-Clause
"""Each way in which a run under Bochs can end leads to the right exit status."""

import io
import time
import unittest
from unittest import mock

import paths  # noqa: F401
import test_runner
from test_runner import WithFolder, build
from nova import bochs
from nova.errors import NovaError
from nova.qemu import Machine


class Bochs(WithFolder):
    def run_stub(self, *args, timeout=60, **kwargs):
        kernel = build(self.folder, *args, **kwargs)
        self.runner = bochs.new_runner(Machine(kernel, cpus=1, emulator="bochs"), timeout)
        return self.runner.run()

    def tearDown(self):
        self.assertIsNotNone(self.runner.process.returncode)

    def test_value_0_is_status_0_and_no_character_is_lost(self):
        outcome = self.run_stub("EXIT")
        self.assertEqual((outcome.status, outcome.text()), (0, "some text\n"))

    def test_any_other_value_is_status_1(self):
        self.assertEqual(self.run_stub("EXIT", value=2).status, 1)

    def test_the_stop_line_is_status_3(self):
        outcome = self.run_stub("LOOP", text="NOVA: stopped\\r\\n")
        self.assertEqual(outcome.status, 3)

    def test_a_triple_fault_is_status_3(self):
        self.assertEqual(self.run_stub("RESET").status, 3)

    def test_the_time_limit_is_status_124(self):
        start = time.monotonic()
        self.assertEqual(self.run_stub("LOOP", timeout=2).status, 124)
        self.assertLess(time.monotonic() - start, 20)

    def test_a_processor_that_bochs_does_not_have_is_status_2_with_its_reason(self):
        kernel = build(self.folder, "EXIT")
        machine = Machine(kernel, cpus=1, emulator="bochs", cpu="no_such_cpu")
        self.runner = bochs.new_runner(machine, 20)
        outcome = self.runner.run()
        self.assertEqual(outcome.status, 2)
        self.assertRegex(
            outcome.message,
            r"^Bochs has no CPU model 'no_such_cpu'\. --cpu accepts: bx_generic, .* \d+ others\.$",
        )

    def test_for_a_misspelt_processor_the_right_name_is_suggested(self):
        machine = Machine(build(self.folder, "EXIT"), cpus=1, emulator="bochs", cpu="rysen")
        self.runner = bochs.new_runner(machine, 20)
        self.assertIn("'rysen'. Did you mean 'ryzen'? --cpu accepts:", self.runner.run().message)


class Inputs(WithFolder):
    """The tests of standard input that do not need QEMU's speed, under Bochs."""

    EMULATOR, CODE = "bochs", test_runner.Inputs.CODE
    run_stub = test_runner.Inputs.run_stub

    def test_all_input_arrives_followed_by_ctrl_d(self):
        result = self.run_stub("INPUT", "ready\\r\\n", 4, timeout=60, input=b"word " * 100)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(result.stdout, b"ready\r\n" + b"word " * 100)

    def test_with_input_a_bochs_that_does_not_start_is_reported_too(self):
        machine = Machine(build(self.folder, "EXIT"), cpus=1, emulator="bochs", cpu="no_such_cpu")
        outcome = bochs.new_runner(machine, 60, io.BytesIO()).run()
        self.assertIn("no CPU model 'no_such_cpu'", outcome.message)
        with mock.patch.object(bochs, "PROGRAM", "no-such-bochs"):
            with self.assertRaisesRegex(NovaError, "^no-such-bochs is missing"):
                bochs.new_runner(machine, 60, io.BytesIO()).run()


class OnTerminal(test_runner.OnTerminal):
    """The results are the same as under QEMU."""

    EMULATOR = "bochs"
    test_the_log_of_qemu_is_shown = None  # only QEMU has the argument -d


if __name__ == "__main__":
    unittest.main()
