# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's machine protocol (QMP)."""
import json
import socket
import time

LIMIT_S = 50


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
