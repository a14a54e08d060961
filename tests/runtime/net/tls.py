#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Servers of TLS on the host: tls.py COMMAND...

Makes certificates, and runs a command that boots a system with a card on QEMU's own network. The
word NETDEV in the command becomes QEMU's option that connects ports of 10.0.2.100 to servers; the
boot module root.pem becomes the certificate that the programs trust.
"""
import contextlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "examples/tls-fetch"))
import serve  # noqa: E402

# Ports, and the certificates of their servers.
PORTS = {443: "good", 444: "stranger", 445: "other", 446: "expired", 447: None, 448: None,
         449: None}


def make(folder):
    """Makes the certificates."""
    serve.make_root(folder)
    serve.make_root(folder, "impostor")
    serve.make_certificate(folder, "good")
    serve.make_certificate(folder, "stranger", root="impostor")
    serve.make_certificate(folder, "other", name="another.test")
    serve.make_certificate(folder, "expired", days=-1)


def trust(command, folder):
    """Replaces the module root.pem in the command's boot list."""
    at = command.index("--list") + 1
    lines = Path(command[at]).read_text(encoding="utf-8").splitlines()
    lines = [str(folder / "root.pem") if line.endswith("/root.pem") else line for line in lines]
    command[at] = str(folder / Path(command[at]).name)
    Path(command[at]).write_text("\n".join(lines) + "\n", encoding="utf-8")


def drip(listener):
    """Begins a record of 4096 bytes, and sends one byte of it per second."""
    connection, _ = listener.accept()
    connection.sendall(bytes.fromhex("1603031000"))
    with contextlib.suppress(OSError):
        while True:
            time.sleep(1)
            connection.sendall(b"\2")


def main():
    """Returns the status of the command."""
    with tempfile.TemporaryDirectory(prefix="nova-tls-") as name:
        folder = Path(name)
        make(folder)
        netdev = "user,id=n"
        listeners, asked = [], []
        for port, certificate in PORTS.items():
            listener = socket.create_server(("127.0.0.1", 0))
            listeners.append(listener)
            netdev += f",guestfwd=tcp:10.0.2.100:{port}-tcp:127.0.0.1:{listener.getsockname()[1]}"
            if certificate:
                def answer(listener=listener, certificate=certificate):
                    asked.append((certificate, serve.answer(listener, folder, certificate)))

                threading.Thread(target=answer, daemon=True).start()
            elif port == 447:
                def talk(listener=listener):
                    connection, _ = listener.accept()
                    connection.sendall(b"220 this is no TLS server, but talks a lot\r\n")
                    listeners.append(connection)

                threading.Thread(target=talk, daemon=True).start()
            elif port == 449:
                threading.Thread(target=drip, args=(listener,), daemon=True).start()
        command = [word.replace("NETDEV", netdev) for word in sys.argv[1:]]
        trust(command, folder)
        status = subprocess.run(command, check=False).returncode
        print("tls.py:", asked)
        return status


if __name__ == "__main__":
    sys.exit(main())
