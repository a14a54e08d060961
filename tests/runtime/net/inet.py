#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Acts as the peers of a program with sockets: inet.py KIND COMMAND...

Runs a command that boots a system with a card on QEMU's own network. Replaces the word NETDEV in
the command by QEMU's option for the network. This option forwards free ports of the host to port 7
of the program, and connections to 10.0.2.100, port 80, to this script. If KIND is `datagrams`,
sends only datagrams. If KIND is `all`, also answers the program's own connection and sends four
streams at once. The program must send back all datagrams and streams.
"""
import random
import socket
import subprocess
import sys
import threading
import time

SIZES = (1, 18, 19, 512, 1471, 1472)
LARGE = (1473, 9000, 30456)  # fragmented by IP; 30456 is the maximum of runtime.net.mtu
STREAMS = 4
STREAM_BYTES = 60000


def free_port(kind):
    """Returns a port of the host that nothing uses."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def send_datagrams(port, sizes, ended):
    """Sends each datagram until it comes back. Returns a sentence about an error, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.3)
        one.connect(("127.0.0.1", port))
        for number in range(50):
            data = random.Random(number).randbytes(sizes[number % len(sizes)])
            for _ in range(100):
                try:
                    one.send(data)
                    if one.recv(65536) == data:
                        break
                except OSError:
                    time.sleep(0.05)
                if ended.is_set():
                    return "the system ended before the datagrams"
            else:
                return f"datagram {number} of {len(data)} bytes did not come back"
    return None


def send_stream(port, number, wrong):
    """Sends and receives a stream; appends a sentence about an error to WRONG."""
    data = random.Random(number).randbytes(STREAM_BYTES)
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=40) as one:
            sender = threading.Thread(target=one.sendall, args=(data,), daemon=True)
            sender.start()
            while len(got) < len(data):
                part = one.recv(65536)
                if not part:
                    break
                got += part
            sender.join(1)
    except OSError as error:
        wrong.append(f"stream {number}: {error}")
    if got != data:
        wrong.append(f"stream {number} came back with {len(got)} bytes, or changed")


def answer(server, wrong):
    """Answers the program's own connection. Returns QEMU's connection, which must stay open."""
    one = None
    try:
        one, _ = server.accept()
        one.settimeout(40)
        one.sendall(b"hello" if one.recv(100) == b"who" else b"what")
    except OSError as error:
        wrong.append(f"the program did not connect: {error}")
    return one


def send_streams(port):
    """Sends and receives streams at once. Returns sentences about errors."""
    wrong = []
    threads = [threading.Thread(target=send_stream, args=(port, number, wrong), daemon=True)
               for number in range(STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    return wrong


def talk(datagrams, streams, server, ended, every):
    """Exchanges all data with the program, and then ends it. Returns sentences about errors."""
    wrong = []
    connection = answer(server, wrong) if every else None
    error = send_datagrams(datagrams, SIZES + LARGE if every else SIZES, ended)
    if error:
        return [*wrong, error]
    if every:
        wrong += send_streams(streams)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for _ in range(100):
            if ended.wait(0.1):
                break
            one.sendto(b"end", ("127.0.0.1", datagrams))
    if connection:
        connection.close()
    return wrong


def main():
    """Returns the exit status."""
    datagrams, streams = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(40)
    netdev = (f"user,id=n,hostfwd=udp:127.0.0.1:{datagrams}-:7,"
              f"hostfwd=tcp:127.0.0.1:{streams}-:7,"
              f"guestfwd=tcp:10.0.2.100:80-tcp:127.0.0.1:{server.getsockname()[1]}")
    command = [word.replace("NETDEV", netdev) for word in sys.argv[2:]]
    ended, wrong = threading.Event(), ["the peer has not ended"]

    def run():
        wrong[:] = talk(datagrams, streams, server, ended, sys.argv[1] == "all")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    status = subprocess.run(command, check=False).returncode
    ended.set()
    thread.join(5)
    for sentence in wrong:
        print("inet.py:", sentence)
    return status or (1 if wrong else 0)


if __name__ == "__main__":
    sys.exit(main())
