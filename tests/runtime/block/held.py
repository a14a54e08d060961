#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots a system whose client makes 32 reads at once, and holds back the first one in QEMU's disk
until the others have ended: held.py COMMAND...
"""
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OTHERS = 31  # reads
LIMIT_S = 50
PATIENCE_S = 3  # until the client has the completions; the driver's own limit is 10 s


class Control:
    """QEMU's machine protocol at a socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        limit = time.monotonic() + LIMIT_S
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.05)
        self.lines = self.socket.makefile("r", encoding="utf-8")
        self.lines.readline()
        self.order("qmp_capabilities")

    def order(self, command, **arguments):
        """Executes a command, and returns its result."""
        words = {"execute": command, "arguments": arguments}
        self.socket.sendall(json.dumps(words).encode() + b"\n")
        for line in self.lines:
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
        raise RuntimeError(f"{command}: QEMU has ended")

    def disk(self, words):
        """Executes a command of qemu-io at the disk `d`."""
        answer = self.order("human-monitor-command", **{"command-line": f'qemu-io d "{words}"'})
        if answer.strip():
            raise RuntimeError(f"{words}: {answer.strip()}")

    def reads(self):
        """Returns the number of reads that the disk has completed."""
        return self.order("query-blockstats")[0]["stats"]["rd_operations"]


def hold(path):
    """Holds back the first read. @return whether the others ended meanwhile"""
    control = Control(path)
    control.disk("break read_aio first")
    control.order("cont")
    limit = time.monotonic() + LIMIT_S
    while control.reads() < OTHERS and time.monotonic() < limit:
        time.sleep(0.2)
    time.sleep(PATIENCE_S)
    held = control.reads() == OTHERS
    control.disk("resume first")
    return held


def main():
    """Returns the status."""
    command, held = sys.argv[1:], False
    with tempfile.TemporaryDirectory(prefix="nova-") as folder:
        path = Path(folder) / "control"
        command += ["--qemu=-S", "--qemu=-qmp", f"--qemu=unix:{path},server=on,wait=off"]
        with subprocess.Popen(command) as process:
            try:
                held = hold(path)
            except (OSError, RuntimeError) as error:
                print(f"held.py: {error}")
    if not process.returncode and not held:
        print("held.py: no read was held back")
    return process.returncode or not held


sys.exit(main())
