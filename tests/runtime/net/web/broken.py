# SPDX-License-Identifier: BSD-2-Clause
"""Sends malformed, slow and abandoned requests to the example http-files. Afterwards the server
answers as before."""
import random
import socket
import time

import files as served

PORT, PROBE, make_files = served.PORT, served.PROBE, served.make_files

HOST = b"Host: a\r\n\r\n"
STATUSES = (
    (b"GET /hello.txt HTTP/1.1\r\n" + HOST, 200),
    (b"GET /hello.txt HTTP/1.1\n" b"host:a\n\n", 200),
    (b"\r\n\r\nGET /hello.txt HTTP/1.1\r\n" + HOST, 200),
    (b"GET http://any:80/hello.txt HTTP/1.1\r\n" + HOST, 200),
    (b"GET /hello.txt?a=/../b HTTP/1.0\r\n\r\n", 200),
    (b"GET /hello.txt HTTP/1.1\r\n\r\n", 400),
    (b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n" + HOST, 400),
    (b"GET /hello.txt HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
    (b"GET /hello.txt HTTP/1.1\r\nHost: a\rb: c\r\n\r\n", 400),
    (b"GET /hello.txt HTTP/2.0\r\n" + HOST, 505),
    (b"GET /hello.txt\r\n" + HOST, 400),
    (b"GET  /hello.txt HTTP/1.1\r\n" + HOST, 400),
    (b"GET hello.txt HTTP/1.1\r\n" + HOST, 400),
    (b"GET /hello.txt%00 HTTP/1.1\r\n" + HOST, 400),
    (b"GET /hello%2 HTTP/1.1\r\n" + HOST, 400),
    (b"GET /hello\xff HTTP/1.1\r\n" + HOST, 400),
    (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n" + HOST, 414),
    (b"GET /" + b"a" * 5000, 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nlong: " + b"a" * 5000, 431),
    (b"POST /hello.txt HTTP/1.1\r\n" + HOST, 405),
    (b"BREW /hello.txt HTTP/1.1\r\n" + HOST, 501),
    (b"G\x00T /hello.txt HTTP/1.1\r\n" + HOST, 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
    (b"GET / HTTP/1.1\r\nContent-Length: 3\r\n" + HOST + b"abc", 413),
    (b"GET / HTTP/1.1\r\nContent-Length: x\r\n" + HOST, 400),
    (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST, 413),
)
GARBAGE, ABANDONED, IDLE = 100, 30, 20


def connect(port, seconds=25):
    """Returns a connection. QEMU accepts one at a time, and the host tries again after a second."""
    time.sleep(0.01)
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


def read_all(one):
    """Returns all data until the end of a connection."""
    got = b""
    try:
        while part := one.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


def check_statuses(port):
    """Sends each request twice: at once, and with its last 20 bytes one by one."""
    wrong = []
    for request, status in STATUSES:
        for cut in (len(request), max(0, len(request) - 20)):
            with connect(port) as one:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one.sendall(request[:cut])
                for byte in request[cut:]:
                    try:
                        one.send(bytes((byte,)))
                    except OSError:
                        break  # the server has answered already
                line = one.recv(65536)
                if not line.startswith(b"HTTP/1.1 %d " % status):
                    wrong.append(f"{request[:70]!r} gives {line[:40]!r}")
                if status != 200:
                    line += read_all(one)  # the server ends the connection
                    if b"\r\nConnection: close\r\n" not in line:
                        wrong.append(f"{request[:70]!r} gives an incomplete answer: {line!r}")
    return wrong


def check_half_closed(port, files):
    """Sends two requests, and then closes the direction to the server. Both answers must come."""
    with connect(port) as one:
        one.sendall(b"GET /small.bin HTTP/1.1\r\nHost: a\r\n\r\n"
                    b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        one.shutdown(socket.SHUT_WR)
        got = read_all(one)
    first = got.partition(b"\r\n\r\n")[2][:len(files["small.bin"])]
    if first != files["small.bin"] or not got.endswith(b"\r\n\r\nhello\n"):
        return [f"a half-closed connection gets {len(got)} bytes"]
    return []


def check_abandoned(port):
    """Ends connections at random places of request and answer, by RST in some cases."""
    numbers = random.Random(2)
    for number in range(ABANDONED):
        with connect(port) as one:
            if number % 2:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            request = b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n"
            one.sendall(request[:numbers.randrange(len(request) + 20)])
            if number % 3 == 0:
                one.settimeout(0.05)
                try:
                    one.recv(numbers.randrange(1, 100000))
                except OSError:
                    pass


def check_garbage(port):
    """Sends bytes that are not requests, or are damaged requests."""
    numbers = random.Random(3)
    for number in range(GARBAGE):
        data = bytearray(b"GET /folder/../hello.txt HTTP/1.1\r\nHost: a\r\nname: value\r\n\r\n")
        if number % 4 == 0:
            data = bytearray(numbers.randbytes(numbers.randrange(1, 6000)))
        for _ in range(numbers.randrange(1, 5)):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        with connect(port) as one:
            try:
                one.sendall(data)
                one.shutdown(socket.SHUT_WR)
                one.settimeout(5)
                read_all(one)
            except OSError:
                pass


def check_slow(port):
    """Opens more connections than the server can have. Some clients have sent a part of a request,
    and some do not read the answer. The server ends all of these connections, and serves other
    clients in time."""
    wrong = []
    slow = [connect(port) for _ in range(10)]
    began = time.monotonic()
    for one in slow[:5]:
        one.sendall(b"GET /hello.txt HTTP/1.1\r\nHost:")
    for one in slow[5:]:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
    for one in slow[5:]:
        one.recv(1)
    time.sleep(0.5)  # the server has the incomplete requests, too: their clients are not idle
    idle = [connect(port) for _ in range(IDLE)]
    asked = time.monotonic()
    with connect(port) as one:
        one.sendall(b"GET /hello.txt HTTP/1.0\r\n\r\n")
        if not read_all(one).endswith(b"\r\n\r\nhello\n") or time.monotonic() - asked > 8:
            wrong.append("idle connections keep a client waiting")
    for one in slow[:5]:
        if read_all(one):
            wrong.append("a half request was answered")
    if not 5 < time.monotonic() - began < 40:
        wrong.append(f"slow clients have {time.monotonic() - began:.0f} seconds instead of 10")
    for one in slow + idle:
        one.close()
    return wrong


def check(port, files):
    """Returns sentences about errors."""
    wrong = check_statuses(port) + check_half_closed(port, files)
    check_abandoned(port)
    check_garbage(port)
    return (wrong + check_slow(port) + served.check_each(port, files) +
            served.check_parallel(port, files))
