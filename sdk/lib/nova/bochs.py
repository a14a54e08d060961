# SPDX-License-Identifier: BSD-2-Clause
"""Runs one machine under Bochs, which models features that QEMU lacks: PCID, x2APIC, #AC and
more."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nova import console_input, errors, process, qemu
from nova.runner import Runner, stop_message

PROGRAM = "bochs"
CPU = "corei7_skylake_x"
# Instructions per second of emulated time: few, so that waits take little real time, but enough to
# boot.
INSTRUCTIONS = 50_000_000
LATE = 30.0  # seconds after which a system without any output gets input
LINGER = 0.3  # seconds in which the serial port sends its remaining output
# Disabled parts; some do not work on a machine without sound or USB.
NO_PLUGINS = ("usb_uhci", "speaker", "gameport", "parallel", "iodebug")

CONFIG = """\
cpu: model={cpu}, count={cpus}, ips={ips}, reset_on_triple_fault=0
megs: {memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
plugin_ctrl: {plugins}
display_library: rfb, options="timeout=0"
sound: driver=dummy
clock: sync=none
ata0-master: type=cdrom, path="{disc}", status=inserted
boot: cdrom
com1: enabled=1, {console}
log: /dev/fd/{log}
panic: action=fatal
error: action=ignore
info: action=report
debug: action=ignore, unmapped=report
"""

# Bochs has no exit device: it logs a write to a port without a device.
EXIT = re.compile(rb"unmapped: 8-bit write to 00f4 = ([0-9a-f]+)")
RESET = b"::Reset(HARDWARE) called"
PANIC = b">>PANIC<<"
COMPLAINT = re.compile(r"^\d+[ep]\[ {6}\] (?:>>PANIC<< )?(.*)$", re.MULTILINE)
TRIPLE_FAULT = b"exception with no resolution"
SWITCHED_OFF = (b"shutdown requested", b"soft power off")
NO_MODEL = "wrong value for parameter 'model'"
MODEL = re.compile(r"^[a-z]\w*$", re.MULTILINE)


def models():
    """Returns the CPU models of Bochs."""
    told = subprocess.run([PROGRAM, "--help", "cpu"], capture_output=True, text=True, check=False)
    return MODEL.findall(told.stderr)


def config(machine, console, log):
    """Returns Bochs' configuration file; console is the other end of its serial port, log a
    descriptor."""
    return CONFIG.format(
        cpu=CPU if machine.cpu in (qemu.Machine.cpu, qemu.CPU_OF_RUNS) else machine.cpu,
        cpus=machine.cpus,
        ips=INSTRUCTIONS,
        memory=machine.memory,
        plugins=", ".join(f"{name}=0" for name in NO_PLUGINS),
        disc=machine.disc,
        console=console,
        log=log,
    )


class BochsRunner(Runner):
    """One run under Bochs. Its serial port writes to a pipe or, if a user sees the console, has a
    connection that also takes input."""

    def __init__(
        self, machine, timeout=None, echo=None, interactive=False, watch_roottask=False
    ):
        super().__init__(machine, timeout, echo, interactive, watch_roottask)
        self.log_rest = b""
        self.resets = 0
        self.panic = b""
        self.console_end = None  # a descriptor
        self.log_end = None

    def _start(self):
        self.log_end, log = os.pipe()
        self.folder = tempfile.TemporaryDirectory(prefix="nova-")
        if self.echo:
            try:
                self._start_connected(log)
            finally:
                os.close(log)
            return
        self.console_end, console = os.pipe()
        try:
            self._start_bochs(f"mode=file, dev=/dev/fd/{console}", [console, log])
        finally:
            os.close(console)
            os.close(log)

    def _start_connected(self, log):
        """Starts Bochs with a socket as its serial port: Bochs has no other bidirectional port that
        waits for a slow reader."""
        with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
            port = server.getsockname()[1]
            self._start_bochs(f"mode=socket-client, dev=127.0.0.1:{port}", [log])
            line = self._accept(server)
        if not line:
            return  # Bochs has ended; its output has the reason
        self.console_end = line.detach()
        source = sys.stdin.fileno() if self.interactive or not sys.stdin.isatty() else None
        keys = console_input.Keys(self._leave) if self.interactive else None
        if keys:
            console_input.make_raw(source)
        sink = os.fdopen(os.dup(self.console_end), "wb", 0)
        self.input = console_input.Input(sink, source, keys, LATE)

    def _accept(self, server):
        """Returns our end of the serial port's connection, or None if Bochs ended first."""
        server.settimeout(0.1)
        while self.process.poll() is None:
            try:
                line = server.accept()[0]
                line.setblocking(True)
                return line
            except TimeoutError:
                pass
        return None

    def _leave(self):
        self.finished = True

    def _start_bochs(self, console, passed):
        setup, orders = Path(self.folder.name, "bochsrc"), Path(self.folder.name, "orders")
        text, output = config(self.machine, console, passed[-1]), os.devnull
        if qemu.RECORDING in os.environ:
            from nova import coverage  # which an installed SDK lacks

            text, output = text + coverage.BOCHS, coverage.blocks_file(self.machine.kernel)
        setup.write_text(text, encoding="utf-8")
        orders.write_text("c\n", encoding="utf-8")
        command = [PROGRAM, "-q", "-f", str(setup), "-rc", str(orders), *self.machine.extra]
        try:
            with open(output, "wb") as stdout:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=subprocess.PIPE,
                    pass_fds=passed,
                    preexec_fn=process.die_with_parent,
                )
        except OSError as error:
            raise errors.NovaError(f"{PROGRAM} is missing: apt-get install bochs.") from error

    def _sources(self):
        console = {} if self.console_end is None else {self.console_end: self._take_console}
        return console | {
            self.log_end: self._take_log,
            self.process.stderr: self._take_complaints,
        }

    def _take_log(self, data):
        *lines, self.log_rest = (self.log_rest + data).split(b"\n")
        for line in lines:
            written = EXIT.search(line)
            if written and self.value is None:
                self.value = int(written.group(1), 16)
                self._end_by(time.monotonic() + LINGER)
            elif PANIC in line:
                self.panic += line
            elif RESET in line:
                self.resets += 1
                self.finished |= self.resets > 1

    def _end(self):
        super()._end()
        for end in (self.console_end, self.log_end):
            if end is not None:
                os.close(end)
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def _verdict(self):
        if self.stopped:
            return errors.EXIT_STOPPED, stop_message(self.console)
        if self.value is not None:
            return (errors.EXIT_FAILED if self.value else errors.EXIT_OK), ""
        if self.resets > 1 or TRIPLE_FAULT in self.panic:
            return errors.EXIT_STOPPED, "the system reset itself (a triple fault?)."
        if self.timed_out or self.finished:
            return super()._verdict()
        if any(text in self.panic for text in SWITCHED_OFF):
            return errors.EXIT_OK, ""
        return errors.EXIT_USAGE, self._failure()

    def _failure(self):
        """Returns the errors of Bochs, from stderr (before it opened its log) or from the log."""
        text = (bytes(self.complaints) + self.panic).decode("utf-8", "replace")
        if NO_MODEL in text:
            return errors.no_model("Bochs", self.machine.cpu, models())
        found = [match.group(1).strip() for match in COMPLAINT.finditer(text)]
        return f"Bochs failed: {'; '.join(found) or 'it gave no reason.'}"


def new_runner(machine, *arguments):
    """Returns the runner for the machine's emulator."""
    return (BochsRunner if machine.emulator == "bochs" else Runner)(machine, *arguments)
