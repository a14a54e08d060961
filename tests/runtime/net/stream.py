#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A peer with its own TCP, which retransmits after 0.2 seconds: stream.py KIND
NUMBER COMMAND...

Runs a command that boots a system with a card. The word NETDEV in the command becomes QEMU's option
for the cable. KIND is `echo`: sends streams to target.c, over IPv4 and IPv6, which must come back,
until programs have been started again NUMBER times, and then ends the server; `losses`: sends
NUMBER streams over IPv4, accepts the largest segments, loses some of them and changes its window;
or `web`: fetches the page of the example status over both protocols, and ends the machine.
"""
import json
import os
import random
import struct
import sys
import tempfile
import time

import packets as p
from machines import CARD, IP, LINK, NAME, Machine
from peer import Control, Peer, run_beside

OURS = {4: IP, 16: LINK}
THEIRS = (p.address("10.0.0.2"), p.address("fe80::")[:8] + NAME)
STREAM_BYTES = 40000
STREAM_SECONDS = 30  # until it has come back, or the test fails
SEGMENT, IN_FLIGHT = 1000, 8000
AGAIN_SECONDS = 0.2
SLOW_SECONDS = 1.2  # less than lwIP's first timeout, more than a restart takes
LARGEST = 1460  # bytes of a segment that fills a frame
LOSSES = 0.04  # share of the segments that are lost
SLOW_SHARE = 8  # one slow stream for this number of restarts is accepted: the host may be busy


class Stream:
    """A connection to a port of the other machine."""

    def __init__(self, machine, to, ports, data, losses=None):
        self.machine, self.to, self.ports, self.data = machine, to, ports, data
        self.start = random.Random(ports[0]).getrandbits(32)
        self.acked = -1  # bytes of ours that have come; -1: the connection is not open
        self.sent = 0
        self.expected = 0  # the other machine's next number
        self.got = b""
        self.over = False  # the other machine has ended the connection
        self.due = 0.0
        self.losses = losses  # a random.Random of a stream with losses
        self.sizes = []  # of the segments with data that have come
        machine.stream = self

    def transmit(self, flags, offset, data=b""):
        """Sends a segment with the bytes after an offset."""
        source = OURS[len(self.to)]
        number = (self.start + 1 + offset) % 2**32
        window, options = 8192, b""
        if self.losses:
            window = self.losses.randrange(LARGEST, 2**16)
            options = struct.pack(">BBH", 2, 4, LARGEST) if flags & p.SYN else b""
        self.machine.send(self.to, p.TCP,
                          p.tcp(source, self.to, self.ports, number, self.expected, flags, data,
                                window, options), source)

    def push(self):
        """Sends what the window allows; retransmits everything after the timeout."""
        if time.monotonic() >= self.due:
            self.sent = max(self.acked, 0)
            self.due = time.monotonic() + AGAIN_SECONDS
            if self.acked < 0:
                self.transmit(p.SYN, -1)
        while 0 <= self.acked <= self.sent < len(self.data) and \
                self.sent - len(self.got) < IN_FLIGHT:
            part = self.data[self.sent:self.sent + SEGMENT]
            self.transmit(p.ACK | p.PSH, self.sent, part)
            self.sent += len(part)
        if self.losses and self.acked >= 0 and self.sent == len(self.data):
            self.transmit(p.ACK | p.FIN, self.sent)
            self.sent += 1

    def take(self, segment):
        """Takes a segment."""
        if segment[:4] != struct.pack(">HH", *reversed(self.ports)):
            return
        number, acked = struct.unpack(">II", segment[4:12])
        flags, data = segment[13], segment[(segment[12] >> 4) * 4:]
        if data:
            self.sizes.append(len(data))
        if data and self.losses and self.losses.random() < LOSSES:
            return
        if flags & p.RST:
            self.over = True
            return
        if flags & p.SYN:
            self.expected, self.acked = (number + 1) % 2**32, max(self.acked, 0)
            self.transmit(p.ACK, self.sent)
            return
        self.acked = max(self.acked, (acked - self.start - 1) % 2**32 if self.acked >= 0 else 0)
        if number == self.expected:
            self.got += data
            self.expected = (number + len(data) + (flags & p.FIN)) % 2**32
            self.over = self.over or bool(flags & p.FIN)
            if data:
                self.due = time.monotonic() + AGAIN_SECONDS
        if data or flags & p.FIN:
            self.transmit(p.ACK, self.sent)

    def run(self, complete):
        """Exchanges bytes until COMPLETE. Returns whether that was in time."""
        end = time.monotonic() + STREAM_SECONDS
        while not complete() and not self.over and time.monotonic() < end:
            if self.machine.peer.ended:
                break
            self.push()
            self.machine.step()
        return bool(complete())

    def abort(self):
        """Ends the connection."""
        self.transmit(p.RST | p.ACK, self.sent)


class Talker(Machine):
    """A machine with a connection."""

    def __init__(self, peer):
        super().__init__(peer, ["10.0.0.1", "fe80::1"], False)
        self.stream = None
        peer.socket.settimeout(0.05)
        for one in THEIRS:
            self.macs[one] = CARD

    def take(self, protocol, source, to, payload):
        """Passes TCP segments to the stream, and all others to Machine."""
        if protocol == p.TCP and self.stream:
            self.stream.take(payload)
        else:
            super().take(protocol, source, to, payload)

    def ask(self, data):
        """Sends a datagram to the server. Returns the answer, or None."""
        self.datagrams.clear()
        self.send(THEIRS[0], p.UDP, p.udp(IP, THEIRS[0], 4000, 7, data), IP)
        if self.until(lambda: self.datagrams, 0.5):
            return self.datagrams[-1][1]
        return None


def echo(machine, number):
    """Sends streams. Returns a sentence about an error."""
    count, restarts, slow, slowest = 0, 0, 0, 0.0
    if not machine.until(lambda: machine.ask(b"state"), 30):
        return "the server does not answer"
    while restarts < number:
        data = random.Random(count).randbytes(STREAM_BYTES)
        stream = Stream(machine, THEIRS[count % 2], (10000 + count % 50000, 7), data)
        begin = time.monotonic()
        # The server may have forgotten this machine's address, and asks for it again.
        if not stream.run(lambda one=stream, all_=data: len(one.got) >= len(all_)) or \
                stream.got != data:
            return (f"stream {count} came back with {len(stream.got)} of {len(data)} bytes, or "
                    f"changed, after {restarts} restarts")
        stream.abort()
        slow += time.monotonic() - begin > SLOW_SECONDS
        slowest = max(slowest, time.monotonic() - begin)
        count += 1
        answer = machine.ask(b"state")
        restarts = int(answer.split()[4]) if answer else restarts
    print(f"stream.py: {count} streams, {restarts} restarts, {slow} took more than "
          f"{SLOW_SECONDS} s, the slowest {slowest:.1f} s", flush=True)
    wrong = "streams wait for timeouts of TCP" if slow * SLOW_SHARE > restarts else None
    while not machine.peer.ended:
        machine.ask(b"end")
    return wrong


def lossy(machine, number):
    """Sends streams with losses, and ends them. Returns a sentence about an error."""
    sizes = []
    if not machine.until(lambda: machine.ask(b"state"), 30):
        return "the server does not answer"
    for count in range(number):
        data = random.Random(count).randbytes(STREAM_BYTES)
        stream = Stream(machine, THEIRS[0], (10000 + count, 7), data, random.Random(count))
        stream.run(lambda one=stream: one.over)
        if not stream.over or stream.got != data:
            return f"stream {count} came back with {len(stream.got)} bytes, or changed, or no end"
        sizes += stream.sizes
    print(f"stream.py: {len(sizes)} segments, {sizes.count(LARGEST)} of {LARGEST} bytes",
          flush=True)
    while not machine.peer.ended:
        machine.ask(b"end")
    if max(sizes) != LARGEST:
        return f"the largest segment has {max(sizes)} bytes"
    return None


def fetch(machine):
    """Fetches a page. Returns a sentence about an error."""
    request = b"GET /status.json HTTP/1.0\r\n\r\n"
    missing = set(THEIRS)
    for i in range(40):
        to = THEIRS[i % 2]
        stream = Stream(machine, to, (20000 + i, 80), request)
        if not stream.run(lambda one=stream: one.over) or not stream.got:
            machine.until(lambda: False, 0.3)  # the server has not started
            continue
        head, _, body = stream.got.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 OK") or "programs" not in json.loads(body):
            return f"the page at {to.hex()} is {stream.got[:200]!r}"
        missing.discard(to)
        if not missing:
            return None
    return f"the server does not answer at {[one.hex() for one in missing]}"


def web(machine, control):
    """Fetches a page, and ends the machine by its monitor."""
    wrong = fetch(machine)
    Control(control).order("quit")
    return wrong


def main():
    """Returns the status."""
    kind, number, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="nova-net-") as folder:
        peer = Peer(folder)
        machine = Talker(peer)
        command = [word.replace("NETDEV", peer.netdev()) for word in command]
        number, function = int(number), {"echo": echo, "losses": lossy, "web": web}[kind]
        if kind == "web":
            number = os.path.join(folder, "control")
            command += ["--qemu=-qmp", f"--qemu=unix:{number},server=on,wait=off"]
        return run_beside(peer, command, lambda: function(machine, number), "stream.py")


if __name__ == "__main__":
    sys.exit(main())
