# SPDX-License-Identifier: BSD-2-Clause
"""Every way in which a run can end has its exit status, and none leaves a QEMU behind."""

import contextlib
import fcntl
import io
import os
import pty
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import bench, boot_list, boot_test, console_output, described, options
from nova import runner as runner_module
from nova.errors import NovaError
from nova.qemu import Machine, Module
from nova.runner import Runner

BUILD = "gcc -m32 -nostdlib -static -no-pie -Wl,-Ttext=0x100000,-n,--build-id=none".split()
BUILD += ["-Wl,--no-warn-rwx-segments", "-Wa,--noexecstack"]


def build(folder, end, text="some text\\r\\n", value=0):
    """Makes a kernel that ends as END specifies."""
    file = Path(folder) / f"stub-{end}-{value}-{abs(hash(text))}"
    defines = [f"-DEND=END_{end}", f"-DVALUE={value}", f'-DTEXT="{text}"']
    source = str(paths.ROOT / "tests/sdk/stub.S")
    subprocess.run([*BUILD, *defines, source, "-o", str(file)], check=True)
    return file


class WithFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name


class Endings(WithFolder):
    def run_stub(self, *args, timeout=20, **kwargs):
        kernel = build(self.folder, *args, **kwargs)
        return Runner(Machine(kernel, cpus=1, memory=32), timeout).run()

    def test_value_0_is_status_0(self):
        outcome = self.run_stub("EXIT")
        self.assertEqual((outcome.status, outcome.message), (0, ""))
        self.assertEqual(outcome.text(), "some text\n")

    def test_any_other_value_is_status_1(self):
        for value in (1, 2, 0x7F):
            with self.subTest(value=value):
                outcome = self.run_stub("EXIT", value=value)
                self.assertEqual((outcome.status, outcome.value), (1, value))

    def test_switching_off_is_status_0(self):
        self.assertEqual(self.run_stub("POWER").status, 0)

    def test_the_stop_line_ends_the_run_at_once_with_status_3(self):
        start = time.monotonic()
        outcome = self.run_stub("LOOP", text="why\\r\\nNOVA: stopped\\r\\n")
        self.assertEqual(outcome.status, 3)
        self.assertEqual(outcome.text(), "why\nNOVA: stopped\n")
        self.assertLess(time.monotonic() - start, 15)

    def test_a_line_that_only_mentions_the_stop_does_not_end_it(self):
        outcome = self.run_stub("EXIT", text="it says NOVA: stopped\\n")
        self.assertEqual(outcome.status, 0)

    def test_a_reset_is_status_3_and_reported(self):
        outcome = self.run_stub("RESET")
        self.assertEqual(outcome.status, 3)
        self.assertIn("reset", outcome.message)

    def test_time_out_is_status_124_and_reported(self):
        outcome = self.run_stub("LOOP", timeout=1)
        self.assertEqual(outcome.status, 124)
        self.assertIn("1 s", outcome.message)

    def test_a_waiting_user_sees_that_the_run_goes_on(self):
        # The third word is due half a second before the end, so that a busy machine prints it, too.
        runner = Runner(Machine(build(self.folder, "LOOP"), cpus=1, memory=32), 2.3)
        told = []
        runner.waiting = told.append
        with mock.patch.object(runner_module, "PATIENCE", 0.6):
            self.assertEqual(runner.run().status, 124)
        self.assertEqual((len(told), told == sorted(told)), (3, True))

    def test_the_progress_message_of_a_run_names_the_run_and_its_time_limit(self):
        with mock.patch.object(bench.build, "say") as say:
            bench.build.still_runs("the count", 120)(20)
        say.assert_called_once_with("the count still runs after 20 s, at most 120")

    def test_a_count_that_fails_names_the_reason(self):
        for end, text, value, words in (
            ("EXIT", "no newline", 3, "the count failed: .* ended with status 3[.]$"),
            (
                "LOOP",
                "NOVA: stopped\\r\\n",
                0,
                "the kernel stopped; see its last lines for the reason[.]$",
            ),
        ):
            kernel = build(self.folder, end, text=text, value=value)
            with contextlib.redirect_stderr(io.StringIO()) as shown:
                with self.assertRaisesRegex(NovaError, words):
                    bench._console(Machine(kernel, [kernel], cpus=1, memory=32), "the count")
            self.assertRegex(shown.getvalue(), "[^\n]\n$")

    def test_a_kernel_that_stops_is_quoted(self):
        end = "NOVA: sp 0x1 cr0 0x2\\r\\nNOVA: called from 0x3\\r\\nNOVA: stopped\\r\\n"
        for reason, says in (
            ("an assertion failed: x > 1 (CPU 3)", "an assertion failed: x > 1 (CPU 3)."),
            ("there is too little memory", "there is too little memory; --memory sets more."),
            ("the roottask needs 8 KiB more memory than there is",
             "the roottask needs 8 KiB more memory than there is; --memory sets more."),
        ):
            kernel = build(self.folder, "LOOP", text=f"NOVA: 4 CPUs\\r\\nNOVA: {reason}\\r\\n{end}")
            outcome = Runner(Machine(kernel, cpus=1, memory=32), 20).run()
            self.assertEqual((outcome.status, outcome.message), (3, f"the kernel stopped: {says}"))
        text = (paths.ROOT / "hypervisor/src/arch/x86/stop.c").read_text(encoding="utf-8")
        for line in ('"NOVA: sp 0x%zx', '"NOVA: ip 0x%zx'):
            self.assertIn(line, text)

    def test_the_end_of_the_roottask_ends_the_run_if_it_is_watched(self):
        line = "NOVA: the roottask's first thread was shut down: event 0xe"
        kernel = build(self.folder, "LOOP", text=line + "\\r\\n")
        runner = Runner(Machine(kernel, cpus=1, memory=32), 20, watch_roottask=True)
        outcome = runner.run()
        self.assertEqual((outcome.status, runner.shut_down), (3, line.encode()))
        self.assertIn("shut down", outcome.message)
        self.assertEqual(self.run_stub("LOOP", text=line + "\\r\\n", timeout=3).status, 124)
        kernel = build(self.folder, "EXIT", text=line + "\\r\\n")
        runner = Runner(Machine(kernel, cpus=1, memory=32), 20, watch_roottask=True)
        self.assertEqual(runner.run().status, 0)

    def test_the_lines_of_the_console_are_complete_wherever_a_read_ends(self):
        text = b"one\r\n\ntwo\nNOVA: stopped\r\nrest"
        for step in (1, 2, 3, len(text)):
            with self.subTest(step=step):
                runner = Runner(Machine("kernel"))
                lines = []
                runner.line = lines.append
                for at in range(0, len(text), step):
                    runner._take_console(text[at : at + step])
                self.assertEqual(lines, [b"one", b"", b"two", b"NOVA: stopped"])
                self.assertEqual((runner.stopped, bytes(runner.console)), (True, text))

    def test_output_without_a_line_end_takes_linear_time(self):
        runner = Runner(Machine("kernel"))
        start = time.process_time()
        for _ in range(1024):
            runner._take_console(bytes(8192))
        self.assertLess(time.process_time() - start, 10)

    def test_of_a_long_run_only_the_end_of_the_console_is_kept(self):
        runner = Runner(Machine("kernel"), interactive=True)
        lines, text = [], b"a line of the console\r\n" * 40
        runner.line = lines.append
        for _ in range(1000):
            runner._take_console(text[:500])
            runner._take_console(text[500:])
        self.assertLess(len(runner.console), 3 * runner_module.LAST)
        self.assertEqual(set(lines), {b"a line of the console"})
        self.assertEqual(len(lines), 40 * 1000)
        runner._take_console(b"NOVA: the reason\r\nNOVA: sp 0x1\r\nNOVA: stopped\r\n")
        self.assertEqual((runner.stopped, runner_module.stop_message(runner.console)),
                         (True, "the kernel stopped: the reason."))
        runner = Runner(Machine("kernel"), interactive=True)
        for _ in range(100):
            runner._take_console(bytes(8192))  # without a line end
        self.assertLess(len(runner.console), 3 * runner_module.LAST)
        runner = Runner(Machine("kernel"))
        runner._take_console(bytes(4 * runner_module.LAST))
        runner._take_console(b"end")
        self.assertEqual(len(runner.console), 4 * runner_module.LAST + 3)

    def complaints(self, interactive, started, *texts):
        """Returns what the user sees of QEMU's error output, and what the runner keeps."""
        runner = Runner(Machine("kernel"), interactive=interactive)
        runner.started = started
        shown = io.TextIOWrapper(io.BytesIO())
        with mock.patch.object(sys, "stderr", shown):
            for text in texts:
                runner._take_complaints(text)
        return shown.buffer.getvalue(), runner

    def test_the_error_output_of_qemu_is_kept_in_part_and_shown_to_an_interactive_user(self):
        text = b"0: v=0e e=0000 i=0 cpl=3\n" * 1000
        shown, runner = self.complaints(True, True, *10 * [text])
        self.assertEqual((shown, len(runner.complaints)), (10 * text, runner_module.LAST))
        self.assertEqual(runner._complaint(), "see its lines above.")
        noise = b"warning: TCG doesn't support requested feature: CPUID\n"
        for interactive, started, said in ((False, True, text), (True, False, text),
                                           (True, True, noise)):
            shown, runner = self.complaints(interactive, started, said)
            self.assertEqual((shown, bytes(runner.complaints)), (b"", said))
            self.assertNotEqual(runner._complaint(), "see its lines above.")

    def test_files_may_have_blanks_in_their_names(self):
        kernel = build(self.folder, "EXIT")
        folder = Path(self.folder) / "with a blank"
        folder.mkdir()
        kernel = kernel.rename(folder / "my kernel")
        (folder / "my module").write_bytes(b"content")
        machine = Machine(kernel, [Module(folder / "my module", "text")], cpus=1, memory=32)
        self.assertEqual(Runner(machine, 20).run().text(), "some text\n")

    def test_an_impossible_machine_is_status_2_and_reported(self):
        outcome = Runner(Machine(build(self.folder, "EXIT"), cpu="qemu46"), 20).run()
        self.assertEqual(outcome.status, 2)
        self.assertRegex(
            outcome.message,
            r"^QEMU has no CPU model 'qemu46'\. Did you mean 'qemu64'\? --cpu accepts: "
            r".*qemu64.* and \d+ others\.$",
        )
        self.assertNotIn("-v1", outcome.message)
        outcome = Runner(Machine(build(self.folder, "EXIT"), cpu="qemu64,+foo"), 20).run()
        self.assertEqual(
            (outcome.status, outcome.message),
            (2, "QEMU's CPUs have no feature 'foo', which --cpu names; qemu-system-x86_64 -cpu "
             "help lists those that they have."),
        )
        outcome = Runner(Machine("/does/not/exist"), 20).run()
        self.assertEqual(outcome.status, 2)


class IntoFile(WithFolder):
    def test_lines_end_as_in_files_however_the_output_is_cut_into_parts(self):
        for parts in ((b"a\r\nb\rc\r\r\nd\r",), (b"a\r", b"\nb\r", b"c\r\r", b"", b"\nd\r")):
            with self.subTest(parts=parts):
                file = io.BytesIO()
                lines = console_output.Lines(file)
                for part in parts:
                    lines.write(part)
                lines.end()
                self.assertEqual(file.getvalue(), b"a\nb\rc\r\nd\r")

    def test_nova_run_writes_lines_as_in_files(self):
        kernel = build(self.folder, "EXIT", text="one\\r\\ntwo\\r\\n")
        code = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "from nova import faults, run; from nova.qemu import Machine; import types\n"
            "machine = Machine(sys.argv[2], cpus=1, memory=32)\n"
            "run.prepare = lambda *_: (machine, 'own')\n"
            "args = types.SimpleNamespace(emulator='qemu', qemu=[], timeout=20)\n"
            "sys.exit(run.run(args))\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", code, str(paths.ROOT / "sdk/lib"), str(kernel)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
        )
        self.assertEqual((result.returncode, result.stdout), (0, b"one\ntwo\n"))


class NoOrphans(WithFolder):
    CODE = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from nova.qemu import Machine; from nova.runner import Runner\n"
        "Runner(Machine(sys.argv[2], cpus=1, memory=32), None, sys.stdout.buffer).run()\n"
    )

    def start(self):
        kernel = build(self.folder, "LOOP")
        process = subprocess.Popen(
            [sys.executable, "-c", self.CODE, str(paths.ROOT / "sdk/lib"), str(kernel)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A shell that runs the tests in the background may have made them ignore SIGINT.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.addCleanup(process.stdout.close)
        self.assertIn(b"some text", process.stdout.readline())
        return process, kernel

    def qemus(self, kernel):
        """Returns the processes whose command line names the kernel, except the Python one."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if os.fsencode(kernel) in words and b"qemu" in words[0]:
                found.append(entry.name)
        return found

    def ends(self, kernel):
        for _ in range(100):
            if not self.qemus(kernel):
                return True
            time.sleep(0.05)
        return False

    def test_whatever_ends_nova_ends_qemu(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                process, kernel = self.start()
                self.assertTrue(self.qemus(kernel))
                process.send_signal(number)
                process.wait(timeout=60)
                self.assertTrue(self.ends(kernel))


class Inputs(WithFolder):
    """Standard input that is not a terminal, and its end."""

    CODE = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from nova import console_input, process; process.open_streams()\n"
        "console_input.QUIET = 0.5; console_input.PATIENCE = 1.0\n"
        "from nova.qemu import Machine; from nova.bochs import new_runner\n"
        "machine = Machine(sys.argv[2], cpus=1, memory=32, emulator=sys.argv[4])\n"
        "sys.exit(new_runner(machine, float(sys.argv[3]), sys.stdout.buffer).run().status)\n"
    )
    EMULATOR = "qemu"

    def run_stub(self, *arguments, timeout=20, shell="exec \"$@\"", **options):
        kernel = build(self.folder, *arguments)
        command = [sys.executable, "-c", self.CODE, str(paths.ROOT / "sdk/lib"), str(kernel)]
        return subprocess.run(
            ["sh", "-c", shell, "sh", *command, str(timeout), self.EMULATOR],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options,
        )

    def test_all_input_arrives_followed_by_ctrl_d(self):
        result = self.run_stub("INPUT", "ready\\r\\n", 4, input=b"word " * 100)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(result.stdout, b"ready\r\n" + b"word " * 100)

    def test_input_that_ended_before_the_start_is_ctrl_d(self):
        for shell in ('exec "$@" </dev/null', 'exec "$@" <&-'):
            with self.subTest(shell=shell):
                result = self.run_stub("INPUT", "ready\\r\\n", 4, shell=shell)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertEqual(result.stdout, b"ready\r\n")

    def test_the_end_of_input_is_reported_once_and_the_system_runs_on(self):
        result = self.run_stub("LOOP", timeout=5, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 124)
        self.assertEqual(result.stderr.count(b"nova: standard input has ended, and"), 1)

    def test_a_system_that_prints_again_gets_the_end_of_input_again(self):
        """A system may lose input that arrives before it listens, so it gets ctrl-d again. This one
        prints each ctrl-d."""
        result = self.run_stub("INPUT", "ready\\r\\n", 5, timeout=4, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 124)
        self.assertGreater(result.stdout.count(b"\x04"), 1)

    def test_nova_runs_without_standard_streams(self):
        result = self.run_stub("EXIT", shell='exec "$@" <&- >&- 2>&-')
        self.assertEqual(result.returncode, 0)


class OnTerminal(WithFolder):
    CODE = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from nova import run; assert run._on_terminal()\n"
        "from nova.qemu import Machine; from nova.bochs import new_runner\n"
        "machine = Machine(sys.argv[2], cpus=1, memory=32, emulator=sys.argv[3], "
        "extra=sys.argv[4:])\n"
        "sys.exit(new_runner(machine, 60, sys.stdout.buffer, True).run().status)\n"
    )
    EMULATOR = "qemu"

    def start(self, kernel, *extra):
        """Returns the process and both ends of its terminal."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        code = [sys.executable, "-c", self.CODE, str(paths.ROOT / "sdk/lib")]
        process = subprocess.Popen(
            [*code, str(kernel), self.EMULATOR, *extra],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        return process, ours, theirs

    @staticmethod
    def read_until(terminal, text):
        seen = b""
        while text not in seen:
            seen += os.read(terminal, 4096)
        return seen

    def test_ctrl_a_x_leaves_it_and_the_terminal_is_as_before(self):
        process, ours, theirs = self.start(build(self.folder, "LOOP"))
        before = termios.tcgetattr(theirs)
        self.read_until(ours, b"some text")
        os.write(ours, b"\x01x")
        self.assertEqual(process.wait(20), 0)
        self.assertEqual(termios.tcgetattr(theirs), before)

    def test_the_log_of_qemu_is_shown(self):
        process, ours, _ = self.start(build(self.folder, "EXIT"), "-d", "int")
        self.read_until(ours, b"SMM: enter")
        self.read_until(ours, b"some text")
        self.assertEqual(process.wait(20), 0)

    def test_keys_arrive_as_they_are_typed_ctrl_c_and_ctrl_a_too(self):
        process, ours, _ = self.start(build(self.folder, "INPUT", value=4))
        self.read_until(ours, b"some text")
        for typed, heard in ((b"k", b"k"), (b"\x03", b"\x03"), (b"\x01\x01", b"\x01")):
            os.write(ours, typed)
            self.assertEqual(self.read_until(ours, heard).strip(), heard)
        os.write(ours, b"\x04")
        self.assertEqual(process.wait(20), 0)


class OfAnotherSession(unittest.TestCase):
    def test_the_terminal_of_another_session_is_not_used(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        code = ("import sys; sys.path.insert(0, sys.argv[1])\n"
                "from nova import run; sys.exit(7 if run._on_terminal() else 5)\n")
        result = subprocess.run(
            [sys.executable, "-c", code, str(paths.ROOT / "sdk/lib")], stdin=theirs, stdout=theirs,
            stderr=subprocess.PIPE, start_new_session=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (5, b""))


class BootTest(WithFolder):
    def boot(self, text, *arguments, cpus=("--cpus", "1")):
        kernel = build(self.folder, "EXIT", text=text)
        return paths.nova(
            *("boot-test", "--arch", "x86_64", "--kernel", str(kernel), *cpus), *arguments
        )

    def test_expected_lines_have_an_order(self):
        text = "one\\r\\ntwo\\r\\n"
        good = self.boot(text, "--expect", "^one$", "--expect", "^t[wx]o$")
        self.assertEqual(good.returncode, 0, good.stdout)
        bad = self.boot(text, "--expect", "two", "--expect", "one")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("not in this order", bad.stdout)

    def test_a_rejected_line_fails(self):
        self.assertEqual(self.boot("one\\n", "--reject", "o.e").returncode, 1)
        self.assertEqual(self.boot("one\\n", "--reject", "two").returncode, 0)

    def test_the_demanded_status_counts(self):
        result = self.boot("one\\n", "--status", "1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("boot-test: exit status 0 instead of 1\n", result.stdout)
        stopped = "NOVA: no roottask\\r\\nNOVA: sp 0x1\\r\\nNOVA: stopped\\r\\n"
        self.assertIn("boot-test: exit status 3 instead of 0: the kernel stopped: no roottask.\n",
                      self.boot(stopped).stdout)

    def test_tap_has_to_be_complete(self):
        self.assertEqual(self.boot("1..1\\nok 1 - a\\n", "--tap").returncode, 0)
        self.assertEqual(self.boot("1..2\\nok 1 - a\\n", "--tap").returncode, 1)
        self.assertEqual(self.boot("ok\\n", "--tap").returncode, 1)

    def test_the_machine_is_that_of_the_system_description(self):
        tool, description = Path(self.folder) / "tool", Path(self.folder) / "own.nova"
        tool.write_text('#!/bin/sh\ntest "$1" = --machine && cat "$2"\n', encoding="utf-8")
        tool.chmod(0o755)
        description.write_text("3 96\n", encoding="utf-8")
        more = ["--system-tool", str(tool), "--module", str(description), "--expect", "never"]
        for given, seen in (("--memory=64", "-smp 3 -m 64M"), ("--cpus=4", "-smp 4 -m 96M")):
            with self.subTest(given=given):
                self.assertIn(seen, self.boot("one\\n", *more, cpus=[given]).stdout)
        self.assertIn("-smp 4 -m 256M", self.boot("one\\n", *more[2:], cpus=()).stdout)

    def test_the_description_is_the_module_that_the_command_line_names(self):
        files = [Module("init", "own -v"), Module("a/child.nova"), Module("b/own"), Module("own")]
        self.assertIs(boot_list.description_of(files), files[2])
        self.assertIs(boot_list.description_of([Module("init"), *files[1:]]), files[1])
        self.assertIs(boot_list.description_of([Module("hello", "-v"), *files[1:]]), files[1])
        self.assertIsNone(boot_list.description_of([Module("init", "own"), Module("other")]))
        self.assertIsNone(boot_list.description_of([]))
        tool = Path(self.folder) / "tool"
        tool.write_text('#!/bin/sh\ntest "$2" = b/own && echo 3 96\n', encoding="utf-8")
        tool.chmod(0o755)
        self.assertEqual(described.machine(files, options.Default(1), options.Default(2), tool),
                         (3, 96))

    def test_patterns_are_searched_one_after_the_other(self):
        self.assertIsNone(boot_test.find_in_order(["a", "b", "a"], "a\nb\na\n"))
        self.assertEqual(boot_test.find_in_order(["a", "b", "a"], "a\nb\n"), "a")

    def test_a_missing_line_of_a_group_in_any_order_is_found_in_linear_time(self):
        patterns = ["first", "(?=(.*\n)*one)(?=(.*\n)*two)", "(?=(.*\n)*three)", "last"]
        text = "first\n" + "words of a line\n" * 50000
        start = time.monotonic()
        self.assertEqual(boot_test.find_in_order(patterns, text + "two\n"), patterns[1])
        self.assertLess(time.monotonic() - start, 10)
        self.assertIsNone(boot_test.find_in_order(patterns, text + "three\ntwo\none\nlast\n"))


if __name__ == "__main__":
    unittest.main()
