# SPDX-License-Identifier: BSD-2-Clause
"""Boots of `nova test` run in forks of a process: they behave like processes of their own."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import boot_test, ctest, errors, forks, jobs, parts, process, tap

COMMAND = [sys.executable, "-S", forks.MODULES, "boot-test"]
WRONG = ["boot-test", "--arch", "x86_64", "--kernel", "/no/such/kernel", "--expect=("]


class Forks(unittest.TestCase):
    def server(self, act=None):
        """Returns a server. ACT, if given, replaces the command."""
        for thread in set(threading.enumerate()) - {threading.current_thread()}:
            thread.join()  # the thread may be a timer of an earlier process
        with mock.patch.object(boot_test, "run", act or boot_test.run):
            server = forks.Server()
        self.addCleanup(server.close)
        return server

    def run_one(self, server, words=tuple(WRONG[:5]), folder="/", variables=None, limit=20):
        """Returns the process after its end, its output, and its processor seconds."""
        running = server.start(list(words), folder, variables or dict(os.environ))
        output, used = jobs.output_of(running, lambda _: None, limit)
        return running, output, used

    def test_only_boots_of_this_sdk_are_recognized(self):
        self.assertEqual(forks.words_of([*COMMAND, "--tap"]), ["boot-test", "--tap"])
        for command in (COMMAND[:3], [*COMMAND[:3], "run"], ["python3", "-B", *COMMAND[2:]],
                        ["python3", "-S", "/other/nova", "boot-test"], []):
            self.assertIsNone(forks.words_of(command))

    def test_the_server_reports_an_error_in_the_same_words_as_a_separate_process(self):
        done = subprocess.run([*COMMAND, *WRONG[1:]], stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, text=True)
        server = self.server()
        for _ in range(2):
            running, output, _ = self.run_one(server, WRONG)
            self.assertEqual((running.returncode, output), (done.returncode, done.stdout))
        self.assertIn("is not a regular expression", done.stdout)

    def test_it_runs_in_its_folder_with_its_environment_and_without_input(self):
        def act(_):
            print(os.getcwd(), os.environ["WORD"], "HOME" in os.environ, repr(sys.stdin.read()))
            os.system("echo $WORD >&2")
            return 3

        with tempfile.TemporaryDirectory() as folder:
            real = str(Path(folder).resolve())
            running, output, _ = self.run_one(self.server(act), folder=real,
                                              variables={"WORD": "one", "PATH": "/bin:/usr/bin"})
        lines = sorted(output.splitlines())
        self.assertEqual(lines, sorted(["one", f"{real} one False ''"]))
        self.assertEqual(running.returncode, 3)

    def test_an_exception_is_a_failure_with_its_place(self):
        def act(_):
            raise ValueError("no such thing")

        running, output, _ = self.run_one(self.server(act))
        self.assertEqual(running.returncode, 1)
        self.assertIn("in act", output)
        self.assertIn("ValueError: no such thing", output)

    def test_a_signal_ends_only_the_command_that_it_hits(self):
        def act(args):
            if args.timeout == 1:
                os.kill(os.getpid(), signal.SIGSEGV)
            return 0

        server = self.server(act)
        crash = self.run_one(server, [*WRONG[:5], "--timeout=1"])[0]
        self.assertEqual(crash.returncode, -signal.SIGSEGV)
        self.assertEqual(self.run_one(server)[0].returncode, 0)

    def test_one_that_does_not_end_is_stopped_with_its_children(self):
        def act(args):
            if args.timeout == 1:
                print("waits", flush=True)
                return os.system("sleep 20 & sleep 20")
            return 0

        server, start = self.server(act), time.monotonic()
        running, output, _ = self.run_one(server, [*WRONG[:5], "--timeout=1"], limit=0.5)
        self.assertLess(time.monotonic() - start, 10)
        self.assertEqual((running.timed_out, output), (True, "waits\n"))
        self.assertEqual(self.run_one(server)[0].returncode, 0)

    def test_the_server_survives_ctrl_c_and_reports_the_end(self):
        server = self.server(lambda _: os.system("sleep 20"))
        running = server.start(WRONG[:5], "/", dict(os.environ))

        def stop(_):
            os.kill(server.pid, signal.SIGINT)
            time.sleep(0.2)
            running.kill()

        jobs.output_of(running, stop, 20)
        self.assertEqual((running.stopped, running.returncode), (True, -signal.SIGKILL))

    def test_its_temporary_folders_end_with_it(self):
        folder = self.run_one(self.server(lambda _: print(process.keep_folder()) or 0))[1].strip()
        self.assertIn("nova-", folder)
        self.assertFalse(Path(folder).exists(), folder)

    def test_its_time_on_the_processors_is_its_own(self):
        def act(args):
            end = time.process_time() + (0.2 if args.timeout == 1 else 0)
            while time.process_time() < end:
                pass
            return 0

        server = self.server(act)
        self.assertGreater(self.run_one(server, [*WRONG[:5], "--timeout=1"])[2], 0.15)
        self.assertLess(self.run_one(server)[2], 0.15)

    def test_the_time_of_all_commands_is_added_once_when_the_server_ends(self):
        with mock.patch.object(parts, "set_apart") as apart:
            server = forks.Server()
            self.run_one(server)
            apart.assert_not_called()
            server.close()
        apart.assert_called_once()

    def test_the_end_of_the_server_is_an_error(self):
        server = self.server()
        os.kill(server.pid, signal.SIGKILL)
        with self.assertRaisesRegex(errors.NovaError, "a process that starts tests has ended"):
            self.run_one(server)

    def test_a_test_that_boots_uses_the_server(self):
        test = ctest.Test("p", 1, "t", [], False, folder=Path("/"))
        test.command, test.properties = [*COMMAND, *WRONG[1:5]], {}
        (job,) = jobs.of([test])
        job.run(lambda *_: None, lambda _: None, self.server(lambda _: print("here") or 0))
        self.assertEqual((test.result, test.output), (tap.PASSED, "here\n"))


if __name__ == "__main__":
    unittest.main()
