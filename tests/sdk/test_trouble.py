# SPDX-License-Identifier: BSD-2-Clause
"""A refusal of the operating system is reported in one sentence, with status 2."""

import fcntl
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import build, cli, debian_source, debug, docs, install, newlib
from nova.errors import NovaError

SENTENCE = r"\Anova: [^\n]+[.]\n\Z"


class Trouble(unittest.TestCase):
    def shell(self, command, *buffering):
        """Runs COMMAND with the tool as $nova."""
        environment = dict(os.environ, nova=f"{sys.executable} -X utf8 {paths.ROOT}/sdk/lib/nova")
        environment.pop("PYTHONUNBUFFERED", None)
        environment.update(buffering)
        return subprocess.run(
            ["sh", "-c", command], env=environment, stderr=subprocess.PIPE, text=True, check=False
        )

    def test_an_output_that_is_full(self):
        for buffering in ((), [("PYTHONUNBUFFERED", "1")]):
            for arguments in ("--help", "run --help", "--version"):
                result = self.shell(f"$nova {arguments} >/dev/full", *buffering)
                self.assertEqual(result.returncode, 2)
                self.assertRegex(result.stderr, SENTENCE)
                self.assertIn("No space left", result.stderr)

    def test_a_qemu_that_stays_after_the_end_of_the_system(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / debug.ENDED).touch()
            session = mock.Mock(folder=folder)
            session.qemu.wait.side_effect = subprocess.TimeoutExpired("qemu", 60)
            with self.assertRaisesRegex(NovaError, "QEMU has not ended within 60 s"):
                debug.Session.system_status(session)

    def test_a_doxygen_that_fails_before_it_writes_anything(self):
        done = mock.Mock(returncode=1, stdout="a\nerror: no memory\n")
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(docs, "write_pages", return_value=([], [])), \
                mock.patch.object(docs, "copy_pictures"), \
                mock.patch.object(docs, "THEME", Path(folder)), \
                mock.patch.object(docs.shutil, "which", return_value="doxygen"), \
                mock.patch.object(docs, "settings", return_value=""), \
                mock.patch.object(docs.subprocess, "run", return_value=done):
            warnings = Path(folder) / "warnings"
            warnings.write_text("of the last run\n", encoding="utf-8")
            self.assertEqual(docs.doxygen(paths.ROOT, Path(folder)), ["a", "error: no memory"])

    def test_an_output_without_a_reader(self):
        for buffering in ((), [("PYTHONUNBUFFERED", "1")]):
            command = "{ sleep 0.3; $nova run --help; echo $? >&2; } | true"
            result = self.shell(command, *buffering)
            message = "nova: the output is closed, because its reader has ended.\n2\n"
            self.assertEqual(result.stderr, message)

    def test_errors_that_cannot_be_printed(self):
        self.assertEqual(self.shell("$nova fly 2>/dev/full").returncode, 2)

    def version_after(self, lines):
        """Runs `nova --version` in a program that first executes LINES. Returns status and
        errors."""
        program = (f"import runpy, sys\n{lines}"
                   "sys.argv[1:] = ['--version']\n"
                   f"runpy.run_path({str(paths.ROOT / 'sdk/lib/nova')!r}, run_name='__main__')\n")
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stderr

    def test_ctrl_c_while_python_imports_the_command_ends_it(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "nova"
            place.mkdir()
            shutil.copy(paths.ROOT / "sdk/lib/nova/__main__.py", place)
            (place / "cli.py").write_text("import os, signal\n"
                                          "os.kill(os.getpid(), signal.SIGINT)\n")
            for ignored, wanted in (("", -signal.SIGINT), ("trap '' INT; ", 1)):
                # with an ignored signal, the import of `errors`, which does not exist, fails
                done = subprocess.run(
                    ["sh", "-c", f'{ignored}exec "$0" "$1"', sys.executable, place],
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                    capture_output=True, text=True, check=False,
                )
                self.assertEqual(done.returncode, wanted, done.stderr)
                self.assertNotIn("KeyboardInterrupt", done.stderr)

    def test_ctrl_c_at_the_end_of_a_command_has_no_effect(self):
        """Sends SIGINT while Python ends, from a function that Python calls then."""
        lines = ("import atexit, os, signal\n"
                 "atexit.register(os.kill, os.getpid(), signal.SIGINT)\n")
        self.assertEqual(self.version_after(lines), (0, ""))

    def test_ctrl_c_during_the_clean_up_ends_the_command(self):
        lines = (f"sys.path.insert(0, {str(paths.ROOT / 'sdk/lib')!r})\n"
                 "from nova import process\n"
                 "def interrupt():\n"
                 "    raise KeyboardInterrupt\n"
                 "process.remove_folders = interrupt\n")
        self.assertEqual(self.version_after(lines), (130, ""))

    def test_for_a_misspelt_word_the_right_one_is_suggested(self):
        result = self.shell("$nova debg")
        self.assertEqual(result.returncode, 2)
        self.assertIn("there is no command 'debg'. Did you mean 'debug'?", result.stderr)
        result = self.shell("$nova run hello --confg=debug")
        self.assertIn("'--confg=debug' is not understood. Did you mean '--config'?", result.stderr)
        self.assertNotIn("Did you mean", self.shell("$nova zzz").stderr)

    def test_words_may_stand_before_and_after_an_option(self):
        option = "--arch x86_64"
        for line in (f"unit {option} boot", f"{option} unit boot", f"unit boot {option}"):
            args = cli.parse(["test", *line.split()])
            self.assertEqual(args.words, ["unit", "boot"])
            self.assertEqual(args.arch, "x86_64")
        args = cli.parse(["conformance", "--cpus", "2", "ipc", "--arch", "x86_32", "guest"])
        self.assertEqual(args.words, ["ipc", "guest"])
        result = self.shell("$nova test unit --arch x86_64 --dry boot")
        self.assertIn("'--dry boot' is not understood.", result.stderr)
        result = self.shell("$nova run hello --arch x86_64 tour")
        self.assertEqual(
            result.stderr,
            "nova: nova run takes no further word, but 'tour' follows. See nova run --help.\n",
        )

    def test_an_option_before_the_command(self):
        for line in ("--quiet", "--quiet foo", "--arch x86_64 run hello", "--arch=x86_32 run"):
            result = self.shell(f"$nova {line}")
            self.assertEqual(result.returncode, 2, line)
            self.assertEqual(
                result.stderr,
                f"nova: '{line.split()[0]}' is not an option that precedes the command. "
                "See nova --help.\n",
            )
        self.assertEqual(self.shell("$nova --help run >/dev/null").returncode, 0)

    def test_a_value_that_an_option_does_not_have(self):
        result = self.shell("$nova build --arch x86")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(
            result.stderr,
            "nova: --arch can be x86_64 or x86_32, not 'x86'. See nova build --help.\n",
        )

    def test_a_roottask_without_a_name(self):
        result = self.shell("$nova run --roottask ''")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stderr, "nova: --roottask needs a file name.\n")

    def test_a_folder_that_cannot_be_written(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for part in ("sdk", "examples/hello"):
                paths.copy_part(part, root)
            for name in ("CMakeLists.txt", "CMakePresets.json"):
                shutil.copy(paths.ROOT / name, root / name)
            (root / "build").write_text("no folder", encoding="utf-8")
            result = subprocess.run(
                [sys.executable, str(root / "sdk/lib/nova"), "build"],
                stderr=subprocess.PIPE, text=True, check=False, cwd=root,
            )
            self.assertEqual(result.returncode, 2)
            self.assertRegex(result.stderr, SENTENCE)
            self.assertRegex(result.stderr, r"build/\S+ cannot be used: Not a directory")

    def test_an_installation_tries_its_folder_before_it_builds(self):
        with tempfile.TemporaryDirectory() as place:
            for name, error in (("/proc/nova", OSError), (__file__, NovaError)):
                with mock.patch.multiple(install, docs=mock.DEFAULT, into=mock.DEFAULT) as built:
                    with self.assertRaises(error):
                        install.run(cli.parse(["install", name]))
                built["docs"].ensure.assert_not_called()
            with mock.patch.multiple(install, docs=mock.DEFAULT, into=mock.DEFAULT):
                self.assertEqual(install.run(cli.parse(["install", f"{place}/a/b"])), 0)
            self.assertEqual(list(Path(place).glob("**/*")), [Path(place, "a"), Path(place, "a/b")])

    def test_a_current_folder_that_was_deleted(self):
        with tempfile.TemporaryDirectory() as folder:
            gone = f'"{folder}/gone"'
            result = self.shell(f"mkdir {gone}; cd {gone}; rmdir {gone}; $nova run")
        self.assertEqual(
            (result.returncode, result.stderr.splitlines()[-1:]),
            (2, ["nova: the current folder was deleted: go to another folder."]), result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_the_owner_of_a_file_that_cannot_be_used_is_named(self):
        text = cli._system_error(PermissionError(13, "Permission denied", "/proc/1/cwd/x"))
        self.assertIn("/proc/1/cwd/x cannot be used: Permission denied", text)
        original, cli.os.getuid = os.getuid, lambda: 12345
        try:
            self.assertIn("it belongs to root", cli._system_error(PermissionError(13, "no", "/x")))
        finally:
            cli.os.getuid = original

    def test_a_disk_that_is_full_while_building(self):
        with self.assertRaisesRegex(build.NovaError, "failed: the disk is full[.]") as caught:
            build.step(["sh", "-c", "cat /dev/zero >/dev/full"], "it failed.")
        self.assertEqual(caught.exception.status, 2)


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


class Progress(unittest.TestCase):
    def shown(self, terminal, patience):
        stream = Stream(terminal)
        progress = build.Progress("building it", stream)
        progress.PATIENCE = patience
        progress.next_time -= build.Progress.PATIENCE - patience
        for number in range(1, 101):
            progress.take(b"[%d/100] something\n" % number)
            progress.take(b"other words\n")
        progress.end()
        return stream.getvalue()

    def test_a_terminal_has_one_line_that_is_gone_at_the_end(self):
        text = self.shown(True, 10)
        self.assertNotIn("\n", text)
        self.assertIn("\rnova: building it [57/100] ", text)
        self.assertTrue(text.endswith("\r\033[K"))

    def test_a_file_gets_quarters_of_long_builds_only(self):
        self.assertEqual(self.shown(False, 10), "")
        self.assertEqual(
            self.shown(False, 0),
            "".join(f"nova: building it: {share} %\n" for share in (25, 50, 75, 100)),
        )


class Waiting(unittest.TestCase):
    """A second nova that needs the same folder."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name) / "made"

    def waits(self, lock, action):
        """Calls ACTION while LOCK is held, and releases LOCK at the first report. Returns all
        reports."""
        with open(lock, "w", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            told = mock.Mock(side_effect=lambda _: fcntl.flock(held, fcntl.LOCK_UN))
            with mock.patch.object(build, "say", told):
                action()
        return [call.args[0] for call in told.call_args_list]

    def test_it_says_that_it_waits(self):
        self.folder.mkdir()
        lock, newlib_lock = self.folder / ".lock", self.folder.parent / ".made.lock"
        source = debian_source.Source("thing", "thing.tar.gz", "0")

        def use():
            with build.alone(self.folder):
                pass

        with mock.patch.object(debian_source, "_make"), \
                mock.patch.multiple(newlib, folder=lambda _: self.folder, _build=mock.DEFAULT,
                                    _archive=lambda: "a", _wanted=mock.DEFAULT):
            for file, action in (
                (lock, use),
                (lock, lambda: debian_source.ensure(self.folder, source, [], None)),
                (newlib_lock, lambda: newlib.ensure("made")),
            ):
                self.assertEqual(
                    self.waits(file, action),
                    [f"another nova uses {self.folder}, and this one waits for it"])

    def test_a_folder_that_is_not_in_use_is_not_mentioned(self):
        with mock.patch.object(build, "say") as told, build.alone(self.folder):
            pass
        told.assert_not_called()


if __name__ == "__main__":
    unittest.main()
