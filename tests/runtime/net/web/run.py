#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients of a TCP server: run.py KIND COMMAND...

Makes a disk with a folder `public`, and runs a command that boots a system with this disk and a
card on QEMU's own network. The words NETDEV, DISK and MONITOR in the command become options of
QEMU. NETDEV connects a free port of the host with the server. The script ends the machine by QEMU's
monitor.
KIND: `files` fetches files, several at once; `broken` sends malformed, slow and abandoned requests;
both talk with the example http-files. `lines` talks with the server of the template net-server;
`status` reads the page of the example status.
"""
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import broken
import files as files_kind
import lines
import status as status_kind

KINDS = {"files": files_kind, "broken": broken, "lines": lines,
         "status": status_kind}
START_SECONDS = 40


def free_port():
    """Returns a TCP port of the host that nothing uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for_server(port, probe, ended):
    """Returns whether the server answers. PROBE is a request, and the beginning of its answer. QEMU
    accepts connections before the server does, and then ends them."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and not ended.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
                one.sendall(probe[0])
                if one.recv(len(probe[1])) == probe[1]:
                    return True
        except OSError:
            pass
        time.sleep(0.1)
    return False


def end_machine(path):
    """Ends QEMU by its monitor."""
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(path)
            one.sendall(b"quit\n")
            while one.recv(4096):
                pass
    except OSError:
        pass  # the machine has ended already


def complete(word, words):
    """Returns a word of the command with QEMU's option for the part after its last `=`."""
    option, _, name = word.rpartition("=")
    return f"{option}={words[name]}" if name in words else word


def main():
    """Returns the status."""
    kind, command, ended = KINDS[sys.argv[1]], sys.argv[2:], threading.Event()
    wrong = ["the clients have not ended"]
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        monitor = str(Path(folder) / "monitor")
        words = {"NETDEV": f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:{kind.PORT}",
                 "MONITOR": f"unix:{monitor},server=on,wait=off"}
        files = kind.make_files(Path(folder)) if hasattr(kind, "make_files") else None
        if files:
            words["DISK"] = f"file={folder}/disk,format=raw,if=none,id=d"

        def run():
            try:
                if wait_for_server(port, kind.PROBE, ended):
                    wrong[:] = kind.check(port, files)
                else:
                    wrong[:] = ["the server does not answer"]
            finally:
                end_machine(monitor)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        status = subprocess.run([complete(word, words) for word in command],
                                check=False).returncode
        ended.set()
        thread.join(10)
    for sentence in wrong:
        print("run.py:", sentence)
    return status or (1 if wrong else 0)


if __name__ == "__main__":
    sys.exit(main())
