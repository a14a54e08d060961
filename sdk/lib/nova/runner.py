# SPDX-License-Identifier: BSD-2-Clause
"""Runs one machine until it ends, and reports how it ended. Leaves no QEMU process behind."""

import contextlib
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import termios
import time

from nova import console_input, errors, process, qemu
from nova.record import Record

STOP_LINE = b"NOVA: stopped"
STOP_REASON = re.compile(rb"NOVA: ([^\r\n]+)\r*\nNOVA: (?:sp|ip) 0x")
SHUT_DOWN_LINE = b"NOVA: the roottask's first thread was shut down"
# Grace period in seconds for other threads' output after the first thread has ended.
GRACE = 2.0
# Seconds after which a system without any output gets input.
LATE = 3.0
# Bytes that are kept of QEMU's error output, and of a console that is only shown.
LAST = 1 << 16
# Seconds between two reports that the run still continues.
PATIENCE = 20.0


class Outcome(Record):
    """Result of a run: the exit status of `nova`, a sentence if needed, the console's output."""

    status: int
    message: str
    console: bytes
    value: int = None  # exit value of the system, if it ended itself

    def text(self):
        return self.console.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def stop_message(console):
    """Returns a sentence for a run whose CONSOLE ends with the kernel's last lines."""
    reasons = STOP_REASON.findall(console)
    if not reasons:
        return "the kernel stopped; see its last lines for the reason."
    reason = reasons[-1].decode("utf-8", "replace").rstrip(".")
    remedy = "; --memory sets more" if "little memory" in reason or "more memory" in reason else ""
    return f"the kernel stopped: {reason}{remedy}."


class Runner:
    """One run. `echo` is the binary stream that shows the console, or None. The end of the
    roottask's first thread ends the run if `watch_roottask` is set; otherwise only `shut_down`
    records it. Only the end of an interactive run's console is kept."""

    def __init__(
        self, machine, timeout=None, echo=None, interactive=False, watch_roottask=False
    ):
        self.machine = machine
        self.timeout = timeout
        self.echo = echo
        self.interactive = interactive
        self.watch_roottask = watch_roottask
        self.console = bytearray()
        self.keeps_all = not interactive  # whether the whole console is kept
        self.complaints = bytearray()  # the end of QEMU's error output
        self.passed = False  # whether the user has seen error output
        self.replies = bytearray()
        self.line_start = 0  # start of the console's last, still incomplete line
        self.stopped = False
        self.finished = False  # set to end the run early
        self.listener = None  # called with each line of the console
        self.value = None  # value written to the exit device
        self.waiting = None  # called every PATIENCE seconds with the seconds so far
        self.timed_out = False
        self.shut_down = b""  # the line that reports the end of the roottask's first thread
        self.started = False
        self.reason = None  # reason of a shutdown, as QEMU names it
        self.process = None
        self.control = None
        self.input = None  # the console's input, if it is not a terminal
        self.deadline = None  # latest end of the run, by the monotonic clock
        self.began = None
        self.words = 0  # number of calls of `waiting`

    def run(self):
        if not any(qemu.has_blank(name) for name in self.machine.names()):
            return self._run()
        import tempfile  # loads many modules, which few boots need

        with tempfile.TemporaryDirectory(prefix="nova-") as folder:
            self.machine = qemu.without_blanks(self.machine, folder)
            return self._run()

    def _run(self):
        saved = termios.tcgetattr(0) if self.interactive else None
        with self._medium() as self.machine:
            try:
                self._start()
                self._watch()
            finally:
                self._end()
                if saved:
                    termios.tcsetattr(0, termios.TCSADRAIN, saved)
        return self._outcome()

    def _medium(self):
        """Returns the context with the machine's boot medium."""
        if self.machine.boot == "direct":
            return contextlib.nullcontext(self.machine)
        from nova import media  # loads modules that few boots need

        return media.prepared(self.machine)

    def _stdin(self):
        """Returns the source of QEMU's input. QEMU gets a terminal only if the terminal also shows
        the console: otherwise the terminal would stay raw, and ctrl-c would have no effect."""
        if self.interactive:
            return None
        return subprocess.PIPE if self.echo else subprocess.DEVNULL

    def _start(self):
        self.control, theirs = socket.socketpair()
        command = qemu.arguments(self.machine, theirs.fileno(), self.interactive)
        try:
            self.process = subprocess.Popen(
                command,
                stdin=self._stdin(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                preexec_fn=process.die_with_parent,
            )
        except OSError as error:
            raise errors.NovaError(f"{command[0]} cannot be started: {error.strerror}.") from error
        finally:
            theirs.close()
        if self.process.stdin:
            source = None if sys.stdin.isatty() else sys.stdin.fileno()
            self.input = console_input.Input(self.process.stdin, source, late=LATE)
        self._order("qmp_capabilities")
        # With -S the user starts the machine, from a debugger.
        if "-S" not in self.machine.extra:
            self._order("cont")

    def line(self, text):
        """Receives a complete line of the console, as bytes without its line end. For
        subclasses."""

    def answer(self, text):
        """Receives the answer of QEMU's monitor to the last ask(). For subclasses."""

    def at_limit(self):
        """Returns, at the time limit, whether the run continues until a deadline that the subclass
        has set. Even then, the run counts as one that did not end in time. For subclasses."""
        return False

    def report(self):
        """Returns text for the user about the machine at the time limit. For subclasses."""
        return ""

    def ask(self, command):
        """Sends a human-readable command to QEMU's monitor."""
        self._order("human-monitor-command", **{"command-line": command})

    def _order(self, command, **arguments):
        order = {"execute": command, "arguments": arguments}
        try:
            self.control.sendall(json.dumps(order).encode() + b"\n")
        except OSError:
            pass  # QEMU has ended; _watch() will detect this

    def _seconds_left(self):
        """Returns the seconds until the time limit, or None."""
        return None if self.deadline is None else max(0, self.deadline - time.monotonic())

    def _sources(self):
        """Returns the file objects to read, with the function that takes the data."""
        return {
            self.process.stdout: self._take_console,
            self.process.stderr: self._take_complaints,
            self.control: self._take_replies,
        }

    def _end_by(self, moment):
        """Makes the run end at MOMENT, a time of the monotonic clock, if not earlier."""
        self.deadline = moment if self.deadline is None else min(moment, self.deadline)

    def _longest_wait(self, left):
        """Performs the actions that are due. Returns the maximum number of seconds to wait for
        input; None: no limit."""
        times = [] if left is None else [left]
        if self.input:
            self.input.look()
            times.append(console_input.POLL)
        if self.waiting:
            passed = time.monotonic() - self.began
            if passed >= (self.words + 1) * PATIENCE:
                self.words += 1
                self.waiting(round(passed))
            times.append(max(0, (self.words + 1) * PATIENCE - passed))
        return min(times, default=None)

    def _watch(self):
        self.began = time.monotonic()
        self.deadline = None if self.timeout is None else self.began + self.timeout
        with selectors.DefaultSelector() as selector:
            for source, take in self._sources().items():
                selector.register(source, selectors.EVENT_READ, take)
            while selector.get_map() and not (self.stopped or self.finished):
                left = self._seconds_left()
                if left == 0:
                    self.timed_out = True
                    if not self.at_limit():
                        return
                    left = self._seconds_left()
                for key, _ in selector.select(self._longest_wait(left)):
                    data = self._read(key.fd)
                    if data:
                        key.data(data)
                    else:
                        selector.unregister(key.fileobj)

    @staticmethod
    def _read(fd):
        try:
            return os.read(fd, 1 << 16)
        except ConnectionResetError:
            return b""

    def _take_complaints(self, data):
        """Keeps the end of the error output. An interactive user sees what QEMU writes after the
        start, such as the log of its argument -d."""
        self.complaints += data
        del self.complaints[:-LAST]
        if self.interactive and self.started:
            shown = b"".join(line for line in data.splitlines(True) if qemu.NOISE not in line)
            self.passed |= bool(shown)
            sys.stderr.buffer.write(shown)
            sys.stderr.flush()

    def _forget(self):
        """Removes the beginning of a console that is only shown, each time it has become long."""
        excess = len(self.console) - LAST
        if excess > LAST and not self.keeps_all:
            del self.console[:excess]
            self.line_start = max(0, self.line_start - excess)

    def _take_console(self, data):
        self._forget()
        before = len(self.console)
        self.console += data
        if self.input:
            self.input.spoke()
        if self.echo:
            self.echo.write(data)
            self.echo.flush()
        end = self.console.rfind(b"\n", before)
        if end < 0:
            return  # a copy of the incomplete line at each read would take quadratic time
        lines = bytes(self.console[self.line_start : end]).split(b"\n")
        self.line_start = end + 1
        for line in lines:
            if self.listener:
                self.listener(line.rstrip())
            line = line.strip()
            self.stopped |= line == STOP_LINE
            if line.startswith(SHUT_DOWN_LINE):
                self._take_shut_down(line)
            self.line(line)

    def _take_shut_down(self, line):
        if self.shut_down:
            return  # the kernel prints it once; a second one comes from the system
        self.shut_down = line
        if self.watch_roottask:
            left = self._seconds_left()
            self.deadline = time.monotonic() + (GRACE if left is None else min(GRACE, left))

    def _take_replies(self, data):
        self.replies += data
        *lines, rest = bytes(self.replies).split(b"\n")
        self.replies = bytearray(rest)
        for line in lines:
            reply = json.loads(line)
            if reply.get("event") == "SHUTDOWN":
                self.reason = reply["data"].get("reason", "")
            elif "return" in reply:
                self.started = True  # QEMU accepts commands only when the whole machine exists
                if isinstance(reply["return"], str):
                    self.answer(reply["return"])

    def _end(self):
        if self.process:
            if self.stopped or self.finished or self.timed_out or sys.exc_info()[0]:
                self.process.kill()
            self.process.wait()
            for stream in (self.process.stdout, self.process.stderr):
                if stream:
                    stream.close()
        if self.control:
            self.control.close()

    def _outcome(self):
        status, message = self._verdict()
        return Outcome(status, message, bytes(self.console), self.value)

    def _verdict(self):
        if self.timed_out and self.shut_down and self.watch_roottask:
            return errors.EXIT_STOPPED, "the roottask's first thread was shut down."
        if self.timed_out:
            return errors.EXIT_TIMEOUT, f"no end within {self.timeout:g} s: the run was stopped."
        if self.stopped:
            return errors.EXIT_STOPPED, stop_message(self.console)
        if self.finished:
            return errors.EXIT_OK, ""
        if not self.started:
            return errors.EXIT_USAGE, qemu.not_started(self.complaints)
        if self.reason == "guest-reset":
            return errors.EXIT_STOPPED, "the system reset itself (a triple fault?)."
        if self.reason:
            return errors.EXIT_OK, ""  # powered off, or left with ctrl-a x
        return self._exit_device()

    def _exit_device(self):
        """Returns the verdict for a value v that the system wrote to the exit device: QEMU then
        ends with status (v << 1) | 1, and without an event."""
        code = self.process.returncode
        if code < 0:
            return errors.EXIT_USAGE, f"QEMU was killed by {signal.Signals(-code).name}."
        if code % 2 == 0:
            return errors.EXIT_USAGE, f"QEMU failed with status {code}: {self._complaint()}"
        self.value = code >> 1
        return (errors.EXIT_FAILED if self.value else errors.EXIT_OK), ""

    def _complaint(self):
        if self.passed:
            return "see its lines above."
        return qemu.complaint(self.complaints)
