#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A peer with its own TCP, which retransmits after 0.2 seconds: stream.py KIND
NUMBER COMMAND...

Runs a command that boots a system with a card. The word NETDEV in the command becomes QEMU's option
for the cable. KIND is `echo`: sends streams over IPv4 and IPv6 to target.c, which must send them
back, until programs have been started again NUMBER times; then ends the server; `together`: as
echo, with four streams at once; `wide`: NUMBER times, sends seven streams at once, whose windows
have more frames than the server has buffers; `losses`: sends NUMBER streams over IPv4, accepts the
largest segments, loses some of them and changes its window; `web`: fetches the page of the example
status over both protocols, and ends the machine; or `unread`: sends small segments on connections,
and large datagrams, all of which target.c leaves unread; then sends streams that must come back,
each with at most two resends.

No stream may wait for a timeout of the server's TCP. The length of a wait is the number of pings
that come back in it, at most one per TICK. So the time in which the driver or the machine does not
run is not counted.
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
from peer import OWN, Control, Peer, run_beside

OURS = {4: IP, 16: LINK}
THEIRS = (p.address("10.0.0.2"), p.address("fe80::")[:8] + NAME)
STREAM_BYTES = 40000
STREAM_SECONDS = 120  # limit for a stream; large, because a busy host stops the machine
SEGMENT, IN_FLIGHT = 1000, 8000
AGAIN_SECONDS = 0.2
TICK = 0.05  # seconds between two pings
WAIT_SECONDS = 1.0  # less than lwIP's first timeout
WAIT_WIDE = 0.3  # seconds, less than a period of lwIP's timers
LARGEST = 1460  # bytes of a segment over IPv4 that fills a frame
LARGEST6 = 1440
LOSSES = 0.04  # share of the segments that are lost
TOGETHER, WIDE_TOGETHER = 4, 7  # streams at once
UNREAD_BYTES = 300  # on each connection that the server does not read
UNREAD_SECONDS = 4.0
UNREAD_DATAGRAMS = 20
UNREAD_STREAMS = 4
LARGE = 60000  # bytes of a datagram, 41 frames
UNREAD_RESENDS = 2  # of a stream beside unread data
WIDE = 36000  # bytes in flight of a wide stream: 25 frames; a session has 32 buffers


class Stream:
    """A connection to a port of the other machine."""

    def __init__(self, machine, to, ports, data, losses=None, wide=False):
        self.machine, self.to, self.ports, self.data = machine, to, ports, data
        self.start = random.Random(ports[0]).getrandbits(32)
        self.acked = -1  # bytes that the other machine has confirmed; -1: no connection
        self.sent = 0
        self.highest = 0  # bytes that were sent at least once
        self.expected = 0  # the other machine's next sequence number
        self.got = b""
        self.over = False  # the other machine has ended the connection
        self.due = 0.0
        self.resends = 0  # timeouts after which data was sent again
        self.fast = False  # sends data again after three equal acknowledgements (RFC 5681, 3.2)
        self.equal = 0  # equal acknowledgements since the last progress
        self.losses = losses  # a random.Random, for a stream with losses
        self.wide = wide
        self.largest = LARGEST if len(to) == 4 else LARGEST6
        self.sizes = []  # sizes of the received segments with data
        self.moved = machine.ticks  # time of the last progress
        self.wait = 0  # ticks, the longest time without progress
        self.limit = (WAIT_WIDE if wide else WAIT_SECONDS) / TICK  # for streams without losses

    def transmit(self, flags, offset, data=b""):
        """Sends a segment with the bytes after an offset."""
        self.highest = max(self.highest, offset + len(data) + (flags & p.FIN))
        source = OURS[len(self.to)]
        number = (self.start + 1 + offset) % 2**32
        window, options = 8192, b""
        if self.losses or self.wide:
            window = self.losses.randrange(LARGEST, 2**16) if self.losses else 2**16 - 1
            options = struct.pack(">BBH", 2, 4, self.largest) if flags & p.SYN else b""
        self.machine.send(self.to, p.TCP,
                          p.tcp(source, self.to, self.ports, number, self.expected, flags, data,
                                window, options), source)

    def acknowledge(self):
        """Sends a segment without data, whose number is the next one (RFC 9293, 3.10.7.4), even if
        earlier bytes must be sent again."""
        self.transmit(p.ACK, self.highest)

    def push(self):
        """Sends as much as the window allows. After the timeout, retransmits everything that is not
        confirmed."""
        if time.monotonic() >= self.due:
            self.resends += self.sent > max(self.acked, 0)
            self.sent = max(self.acked, 0)
            self.due = time.monotonic() + AGAIN_SECONDS
            if self.acked < 0:
                self.transmit(p.SYN, -1)
        size, most = (self.largest, WIDE) if self.wide else (SEGMENT, IN_FLIGHT)
        while 0 <= self.acked <= self.sent < len(self.data) and self.sent - len(self.got) < most:
            part = self.data[self.sent:self.sent + size]
            self.transmit(p.ACK | p.PSH, self.sent, part)
            self.sent += len(part)
        if self.losses and self.acked >= 0 and self.sent == len(self.data):
            self.transmit(p.ACK | p.FIN, self.sent)
            self.sent += 1

    def push_bytes(self):
        """Sends all bytes that are not confirmed, each in a segment of its own."""
        if self.acked < 0:
            self.push()
            return
        for offset in range(self.acked, len(self.data)):
            self.transmit(p.ACK | p.PSH, offset, self.data[offset:offset + 1])

    def take(self, segment):
        """Handles a segment, and records the progress."""
        before = self.acked, len(self.got), self.over
        self.take_segment(segment)
        if (self.acked, len(self.got), self.over) != before:
            self.moved = self.machine.ticks

    def take_segment(self, segment):
        """Handles a segment."""
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
            self.acknowledge()
            return
        before = self.acked
        self.acked = max(self.acked, (acked - self.start - 1) % 2**32 if self.acked >= 0 else 0)
        self.equal = self.equal + 1 if before == self.acked and not data else 0
        if self.fast and self.equal == 3:
            self.sent = self.acked
            self.due = time.monotonic() + AGAIN_SECONDS
        if number == self.expected:
            self.got += data
            self.expected = (number + len(data) + (flags & p.FIN)) % 2**32
            self.over = self.over or bool(flags & p.FIN)
            if data:
                self.due = time.monotonic() + AGAIN_SECONDS
        if data or flags & p.FIN:
            self.acknowledge()

    def is_done(self):
        """Returns whether all bytes have come back, or the wait was too long."""
        return len(self.got) >= len(self.data) or self.wait > self.limit

    def abort(self):
        """Ends the connection."""
        self.transmit(p.RST | p.ACK, self.sent)


class Talker(Machine):
    """A machine with connections to the server."""

    def __init__(self, peer):
        super().__init__(peer, ["10.0.0.1", "fe80::1"], False)
        self.streams = {}  # the streams by port
        self.ticks = 0  # pings that came back
        self.ticked = self.ping_due = 0.0
        peer.socket.settimeout(0.05)
        for one in THEIRS:
            self.macs[one] = CARD

    def take(self, protocol, source, to, payload):
        """Passes TCP segments to their stream, counts the answers to pings, and passes all other
        packets to Machine."""
        if protocol == p.TCP:
            stream = self.streams.get(int.from_bytes(payload[2:4], "big"))
            if stream and payload[:2] == struct.pack(">H", stream.ports[1]):
                stream.take(payload)
        elif (protocol, payload[0]) == (p.ICMP, 0):
            if time.monotonic() >= self.ticked + TICK:
                self.ticked = time.monotonic()
                self.ticks += 1
        else:
            super().take(protocol, source, to, payload)

    def theirs(self):
        """Returns the server's IPv4 and IPv6 addresses. The IPv6 address contains the Ethernet
        address, which is not that of the card if the server is behind a switch."""
        mac = self.macs[THEIRS[0]]
        link = THEIRS[1][:8] + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
        self.macs[link] = mac
        return THEIRS[0], link

    def finds_server(self):
        """Returns whether the server answers at both addresses. It may use its IPv6 address only
        after a second in which no other machine has claimed it."""
        return (self.until(lambda: self.ask(b"state"), 30) and
                self.until(lambda: self.ask(b"state", self.theirs()[1]), 30))

    def ping(self):
        """Sends a ping when it is due."""
        if time.monotonic() >= self.ping_due:
            self.ping_due = time.monotonic() + TICK
            self.send(THEIRS[0], p.ICMP, p.echo(8, 1, b"tick"), IP)

    def run(self, streams, complete):
        """Exchanges bytes until each stream has ended, or COMPLETE(stream) is true. Returns whether
        COMPLETE became true for all streams in time."""
        self.streams = {stream.ports[0]: stream for stream in streams}
        end = time.monotonic() + STREAM_SECONDS
        left = streams
        while left and time.monotonic() < end and not self.peer.ended:
            for stream in left:
                stream.push()
                stream.wait = max(stream.wait, self.ticks - stream.moved)
            self.ping()
            self.step()
            left = [stream for stream in left if not complete(stream) and not stream.over]
        return all(complete(stream) for stream in streams)

    def sends_large(self):
        """Sends a large datagram to the server, which reads it. Returns whether an answer comes."""
        datagram = p.udp(IP, THEIRS[0], 4000, 7, bytes(LARGE))
        for number in range(5):
            self.datagrams.clear()
            for part in p.fragments(IP, THEIRS[0], 1000 + number, p.UDP, datagram):
                self.peer.send(p.ethernet(CARD, OWN, p.IP4, part))
            if self.until(lambda: self.datagrams, 0.5):
                return True
        return False

    def ask(self, data, to=THEIRS[0]):
        """Sends a datagram to the server. Returns the answer, or None."""
        source = OURS[len(to)]
        self.datagrams.clear()
        self.send(to, p.UDP, p.udp(source, to, 4000, 7, data), source)
        if self.until(lambda: self.datagrams, 0.5):
            return self.datagrams[-1][1]
        return None


class Rounds:
    """Rounds of AT_ONCE streams each."""

    def __init__(self, machine, at_once, wide=False, fast=False):
        self.machine, self.at_once, self.wide, self.fast = machine, at_once, wide, fast
        self.count = 0  # streams so far
        self.wait = 0  # ticks; the longest wait of all streams
        self.resends = 0  # of the stream that sent again most often

    def run(self):
        """Sends the streams of a round, and ends them. Returns a sentence about an error."""
        streams, theirs = [], self.machine.theirs()
        for number in range(self.count, self.count + self.at_once):
            data = random.Random(number).randbytes(STREAM_BYTES)
            streams.append(Stream(self.machine, theirs[number % 2], (10000 + number % 50000, 7),
                                  data, wide=self.wide))
            streams[-1].fast = self.fast
        self.count += self.at_once
        # The server may have forgotten this machine's address. It then asks for it during the run.
        self.machine.run(streams, Stream.is_done)
        for stream in streams:
            self.wait = max(self.wait, stream.wait)
            self.resends = max(self.resends, stream.resends)
            stream.abort()
            if stream.wait > stream.limit:
                return (f"stream {stream.ports[0] - 10000} waited for a timer of TCP: for "
                        f"{stream.wait} pings of {TICK} s, with {len(stream.got)} of "
                        f"{len(stream.data)} bytes")
            if stream.got != stream.data:
                return (f"stream {stream.ports[0] - 10000} came back with {len(stream.got)} of "
                        f"{len(stream.data)} bytes, or changed")
        return None

    def report(self, what):
        """Prints the result."""
        print(f"stream.py: {self.count} streams, {what}, the longest wait {self.wait * TICK:.2f} s,"
              f" data sent again {self.resends} times", flush=True)


def talk(machine, number, function):
    """Waits for the server, and calls a function. Returns a sentence about an error."""
    if not machine.finds_server():
        return "the server does not answer"
    return function(machine, number)


def end_server(machine):
    """Ends the server."""
    while not machine.peer.ended:
        machine.ask(b"end")


def echo(machine, number, at_once=1):
    """Sends streams while programs restart. Returns a sentence about an error."""
    restarts, wrong = 0, None
    rounds = Rounds(machine, at_once)
    while restarts < number and not wrong:
        wrong = rounds.run()
        answer = machine.ask(b"state")
        restarts = int(answer.split()[4]) if answer else restarts
    rounds.report(f"{restarts} restarts")
    end_server(machine)
    return wrong


def together(machine, number):
    """As echo, with several streams at once."""
    return echo(machine, number, TOGETHER)


def send_wide(machine, number):
    """Sends several streams at once, which fill the server's buffers. Returns a sentence about an
    error."""
    wrong = None
    rounds = Rounds(machine, WIDE_TOGETHER, True)
    for _ in range(number):
        wrong = wrong or rounds.run()
    rounds.report(f"{WIDE_TOGETHER} at once")
    end_server(machine)
    return wrong


def fill(machine, number):
    """Opens NUMBER connections that the server does not read, and sends bytes one by one."""
    streams = [Stream(machine, THEIRS[0], (30000 + i, 9), bytes(UNREAD_BYTES))
               for i in range(number)]
    machine.streams = {stream.ports[0]: stream for stream in streams}
    end = time.monotonic() + UNREAD_SECONDS
    while time.monotonic() < end and not machine.peer.ended:
        for stream in streams:
            stream.push_bytes()
            machine.until(lambda: False, 0.1)
    print("stream.py: confirmed", *(stream.acked for stream in streams), "unread bytes", flush=True)


def unread(machine, number):
    """Sends data that the server does not read, and then streams. Returns a sentence about an
    error."""
    fill(machine, number)
    for i in range(UNREAD_DATAGRAMS):
        datagram = p.udp(IP, THEIRS[0], 4000, 9, bytes(20000))
        for part in p.fragments(IP, THEIRS[0], i + 1, p.UDP, datagram):
            machine.peer.send(p.ethernet(CARD, OWN, p.IP4, part))
        machine.until(lambda: False, 0.1)
    answers = [machine.ask(b"state") for _ in range(10)]
    print("stream.py: the states are", answers, flush=True)
    wrong = None if any(answers) else "the server receives nothing more"
    if not machine.sends_large():
        wrong = wrong or "a socket that holds nothing gets no large datagram"
    rounds = Rounds(machine, 1, fast=True)
    for _ in range(UNREAD_STREAMS):
        wrong = wrong or rounds.run()
    rounds.report("beside unread ones")
    if rounds.resends > UNREAD_RESENDS:
        wrong = wrong or f"a stream was sent again {rounds.resends} times"
    end_server(machine)
    return wrong


def lossy(machine, number):
    """Sends streams with losses, and ends them. Returns a sentence about an error."""
    sizes = []
    for count in range(number):
        data = random.Random(count).randbytes(STREAM_BYTES)
        stream = Stream(machine, THEIRS[0], (10000 + count, 7), data, random.Random(count))
        machine.run([stream], lambda one: one.over)
        if not stream.over or stream.got != data:
            return f"stream {count} came back with {len(stream.got)} bytes, or changed, or no end"
        sizes += stream.sizes
    print(f"stream.py: {len(sizes)} segments, {sizes.count(LARGEST)} of {LARGEST} bytes",
          flush=True)
    end_server(machine)
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
        if not machine.run([stream], lambda one: one.over) or not stream.got:
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
        if kind == "web":
            control = os.path.join(folder, "control")
            command += ["--qemu=-qmp", f"--qemu=unix:{control},server=on,wait=off"]
            return run_beside(peer, command, lambda: web(machine, control), "stream.py")
        function = {"echo": echo, "together": together, "wide": send_wide, "losses": lossy,
                    "unread": unread}[kind]
        return run_beside(peer, command, lambda: talk(machine, int(number), function), "stream.py")


if __name__ == "__main__":
    sys.exit(main())
