# SPDX-License-Identifier: BSD-2-Clause
"""Talks with the server of the template net-server, which returns lines in capital letters."""
import socket

PORT = 7777
PROBE = (b"start\n", b"START\n")
PLACES, LINE_BYTES = 8, 200


def ask(one, line, expected):
    """Returns sentences about an answer that is not the expected one."""
    got = b""
    try:
        one.sendall(line)
        while len(got) < len(expected) and (part := one.recv(65536)):
            got += part
    except OSError as error:
        return [f"{line[:20]!r}: {error}"]
    return [] if got == expected else [f"{line[:20]!r} gives {got[:20]!r}, {len(got)} bytes"]


def check(port, _):
    """Returns sentences about errors."""
    wrong = []
    clients = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(PLACES)]
    for one in clients:
        wrong += ask(one, b"one\ntwo\nthr", b"ONE\nTWO\n")
    for one in clients:
        wrong += ask(one, b"ee\n", b"THREE\n")
    wrong += ask(clients[0], b"a" * (LINE_BYTES - 1) + b"\n", b"A" * (LINE_BYTES - 1) + b"\n")

    # All places are taken: the next client waits until another client's line is too long, which
    # ends that client's connection.
    with socket.create_connection(("127.0.0.1", port), timeout=20) as late:
        late.sendall(b"late\n")
        late.settimeout(0.5)
        try:
            wrong.append(f"a client without a place gets {late.recv(100)!r}")
        except TimeoutError:
            pass
        late.settimeout(20)
        wrong += ask(clients[0], b"b" * LINE_BYTES, b"")
        try:
            if clients[0].recv(100):
                wrong.append("a line that is too long is answered")
        except ConnectionResetError:
            pass
        wrong += ask(late, b"", b"LATE\n")
    for one in clients:
        one.close()
    return wrong
