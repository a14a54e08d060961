#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A machine that attacks a server: hostile.py KIND NUMBER COMMAND...

Runs a command that boots target.c behind a card. The word NETDEV in the command becomes QEMU's
option for the cable. KIND is `frames`: NUMBER frames of all lengths and protocols, most of them
malformed; or `connections`: NUMBER connections that are begun, reset, or never closed. The server
must answer afterwards, and have as many objects of each kind as before.
"""
import random
import struct
import sys
import tempfile
import time

import packets as p
from machines import CARD, IP, LINK, Machine
from peer import OWN, Peer, run_beside

TARGET = p.address("10.0.0.2")
TARGET6 = p.address("fd00::2")
GROUP6 = p.address("ff02::1")
SEED = 20121105
CONNECTIONS = 8  # maximum number that the server keeps open (target.c)


def changed(chance, data):
    """Returns data with random changes."""
    data = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        if data:
            data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF,
                                                               chance.randrange(256)))
    cut = chance.randrange(8)
    if cut == 0:
        del data[chance.randrange(len(data) + 1):]
    elif cut == 1:
        data += chance.randbytes(chance.randrange(64))
    return bytes(data)


def transport(chance, source, to):
    """Returns (protocol, segment), perhaps malformed."""
    v6 = len(to) == 16
    data = chance.randbytes(chance.choice((0, 1, 8, 40, 300, 1400)))
    kind = chance.randrange(4)
    if kind == 0:
        ports = chance.choice((7, 53, 67, 68, 546, chance.randrange(65536)))
        return p.UDP, p.udp(source, to, ports, chance.choice((7, 68, ports)), data)
    if kind == 1:
        segment = struct.pack(">HHIIBBHHH", chance.randrange(65536), 7, chance.getrandbits(32),
                              chance.getrandbits(32), chance.randrange(16) << 4,
                              chance.randrange(64), 8192, 0, chance.randrange(3)) + data
        return p.TCP, p.summed(changed(chance, segment).ljust(20, b"\0"), 16, source, to, p.TCP)
    if not v6:
        message = changed(chance, bytes([chance.choice((0, 3, 4, 5, 8, 11, 13, 17)), 0, 0, 0]) +
                          data).ljust(4, b"\0")
        total = p.checksum(message[:2] + b"\0\0" + message[4:])
        return p.ICMP, message[:2] + struct.pack(">H", total) + message[4:]
    message = chance.choice((128, 129, 1, 2, 3, 4, 130, 131, 132, 133, 134, 135, 136, 137))
    rest = {134: p.router(p.address("fd00:9::"), OWN), 135: b"\0\0\0\0" + TARGET6 + b"\1\1" + OWN,
            136: b"\x60\0\0\0" + source + b"\2\1" + OWN,
            137: b"\0\0\0\0" + source + p.address("fd00:7::7") + b"\2\1" + OWN}.get(message, data)
    return p.ICMP6, p.icmp6(source, to, message, changed(chance, rest))


def packet(chance):
    """Returns (type, packet), perhaps malformed."""
    if chance.randrange(2):
        to, source = chance.choice((TARGET, b"\xff" * 4)), chance.choice((IP, chance.randbytes(4)))
        protocol, segment = transport(chance, source, to)
        fragment = chance.choice((0, 0, 0, 0x2000, chance.getrandbits(16)))
        body = p.ip4(source, to, protocol, segment, chance.randrange(4), fragment)
        if not chance.randrange(4):
            body = changed(chance, body[:20]) + body[20:]
        return p.IP4, body
    to = chance.choice((TARGET6, GROUP6))
    source = chance.choice((LINK, p.address("fd00::1"), chance.randbytes(16)))
    protocol, segment = transport(chance, source, to)
    for _ in range(chance.choice((0, 0, 0, 1, 2, 5))):
        header = chance.choice((0, 43, 44, 60))
        segment = bytes([protocol, chance.choice((0, 0, 1, 255))]) + chance.randbytes(6) + segment
        protocol = header
    body = p.ip6(source, to, protocol, segment, chance.choice((255, 255, 1)))
    return p.IP6, changed(chance, body) if not chance.randrange(4) else body


def frame(chance, number):
    """Returns a frame, perhaps malformed; all lengths occur."""
    kind = number % 4
    if kind == 0:
        # A frame has at least one byte: QEMU takes an empty frame as the end of the cable.
        return (CARD + OWN + chance.randbytes(2000))[:1 + number // 4 % 2000]
    if kind == 1:
        message = changed(chance, p.arp(chance.randrange(4), OWN, chance.choice((IP, TARGET)),
                                        CARD, TARGET))
        return p.ethernet(chance.choice((CARD, p.ALL)), OWN, p.ARP, message)
    ethertype, body = packet(chance)
    return p.ethernet(CARD, OWN, ethertype, body[:1500])


class Attacker(Machine):
    """A machine with TCP of its own."""

    def __init__(self, peer, chance):
        super().__init__(peer, ["10.0.0.1", "fe80::1"])
        self.chance = chance
        self.segments = []

    def take_frame(self, frame):
        """Takes a frame; the server returns some of the malformed ones."""
        try:
            super().take_frame(frame)
        except (IndexError, UnicodeError, struct.error):
            pass

    def take(self, protocol, source, to, payload):
        """Keeps segments of TCP, and handles all other frames as Machine does."""
        if protocol == p.TCP:
            self.segments.append(payload)
        else:
            super().take(protocol, source, to, payload)

    def take_datagram(self, source, to, ports, data):
        """Gives wrong answers to questions for names."""
        if ports[1] != 53:
            self.datagrams.append((source, data))
            return
        answer = p.dns_answer(*p.read_question(data), 0, [self.chance.randbytes(4)])
        answer = data[:2] + changed(self.chance, answer[2:])
        self.send(source, p.UDP, p.udp(to, source, 53, ports[0], answer), to)

    def segment(self, port, sequence, acknowledged, flags, data=b""):
        """Sends a segment to port 7."""
        body = p.tcp(IP, TARGET, (port, 7), sequence, acknowledged, flags, data)
        self.peer.send(p.ethernet(CARD, OWN, p.IP4, p.ip4(IP, TARGET, p.TCP, body)))

    def drain(self):
        """Takes all frames that have come."""
        self.peer.socket.settimeout(0)
        try:
            while True:
                self.take_frame(self.peer.socket.recv(65536))
        except OSError:
            pass
        self.peer.socket.settimeout(0.2)

    def answer_of(self, port, seconds=1):
        """Waits for a segment to a port. Returns (sequence, acknowledged, flags, data) or None."""
        def there():
            return [one for one in self.segments if one[2:4] == struct.pack(">H", port)]

        if not self.until(there, seconds):
            return None
        one = there()[0]
        self.segments.remove(one)
        return (*struct.unpack(">II", one[4:12]), one[13], one[(one[12] >> 4) * 4:])

    def open(self, port, start=None):
        """Opens a connection, with START as the first number. Returns the next numbers of both
        ends, or None."""
        start = self.chance.getrandbits(32) if start is None else start
        self.segments.clear()
        for _ in range(10):
            self.segment(port, start, 0, p.SYN)
            answer = self.answer_of(port)
            if answer and answer[2] == p.SYN | p.ACK and answer[1] == (start + 1) % 2**32:
                self.segment(port, answer[1], answer[0] + 1, p.ACK)
                return answer[1], answer[0] + 1
            if answer and answer[2] == p.ACK:  # an answer for an earlier connection
                self.segment(port, answer[1], 0, p.RST)
        return None

    def wait_for_end(self, port):
        """Waits until the server ends the connection of a port, and ends it, too."""
        while answer := self.answer_of(port, 20):
            if answer[2] & p.FIN:
                self.segment(port, answer[1], answer[0] + 1, p.FIN | p.ACK)
                return True
        return False

    def talk(self, port):
        """Exchanges bytes over a connection. Returns whether they came back."""
        numbers = self.open(port)
        if not numbers:
            return False
        data = self.chance.randbytes(100)
        for _ in range(10):
            self.segment(port, *numbers, p.ACK | p.PSH, data)
            answer = self.answer_of(port)
            while answer and not answer[3]:
                answer = self.answer_of(port)
            if answer and answer[3] == data:
                self.segment(port, numbers[0] + 100, numbers[1] + 100, p.RST | p.ACK)
                return True
        return False

    def ask(self, data):
        """Sends a datagram until an answer comes. Returns the answer."""
        for _ in range(50):
            self.datagrams.clear()
            self.peer.send(p.ethernet(CARD, OWN, p.IP4, p.ip4(
                IP, TARGET, p.UDP, p.udp(IP, TARGET, 4000, 7, data))))
            if self.until(lambda: self.datagrams, 0.5):
                return self.datagrams[-1][1]
        return None

    def ping(self):
        """Returns whether an echo comes back."""
        for _ in range(20):
            self.echoes.clear()
            self.peer.send(p.ethernet(CARD, OWN, p.IP4,
                                      p.ip4(IP, TARGET, p.ICMP, p.echo(8, 9, b"alive"))))
            if self.until(lambda: self.echoes, 0.5):
                return True
        return False

    def state(self):
        """Returns the numbers of the server's objects, or None."""
        answer = self.ask(b"state")
        return [int(one) for one in answer.split()] if answer else None


def attack_frames(attacker, number):
    """Sends frames."""
    for i in range(number):
        attacker.peer.send(frame(attacker.chance, i))
        if i % 4 == 0:
            attacker.drain()
        if attacker.peer.ended:
            return


def attack_connections(attacker, number):
    """Begins connections, which end in one of five ways."""
    for i in range(number):
        port = 10000 + i % 50000
        kind = i % 5
        attacker.segments.clear()
        attacker.segment(port, 1, 0, p.SYN)
        if kind == 1:
            attacker.segment(port, 2, 0, p.RST)
        elif kind > 1:
            answer = attacker.answer_of(port, 0.2)
            if answer and kind > 2:
                attacker.segment(port, 2, answer[0] + 1, p.ACK, b"hello" if kind == 4 else b"")
            elif answer:
                attacker.segment(port, 2, answer[0] + 1, p.RST | p.ACK)
        attacker.drain()
        if attacker.peer.ended:
            return


def reopen(attacker):
    """Opens connections with the port of an earlier one, which the server has ended first. Returns
    a sentence about an error."""
    first = 1 << 30
    for start in (first, first + 100000, first - 100000):
        if not attacker.open(7000, start):
            return f"a port could not be used again with the number {start - first:+}"
        for i in range(CONNECTIONS):
            attacker.open(7001 + i)
        if not attacker.wait_for_end(7000):
            return "the server did not end its oldest connection"
    return None


def judge(attacker, kind, number):
    """Attacks the server, and checks its state afterwards. Returns a sentence about an error."""
    if not any(attacker.talk(5000 + i) or attacker.until(lambda: False, 0.3) for i in range(60)):
        return "the server did not answer before the attack"
    error = reopen(attacker) if kind == "connections" else None
    if error:
        return error
    before = attacker.state()
    start = time.monotonic()
    attack = {"frames": attack_frames, "connections": attack_connections}[kind]
    attack(attacker, number // 2)
    if kind == "connections":
        # Connections that are never closed remain. Their number is the same after each half.
        before = attacker.state()
    attack(attacker, number // 2)
    print(f"hostile.py: {number} {kind} in {time.monotonic() - start:.1f} s", flush=True)
    if not attacker.ping():
        return "no ping came back after the attack"
    if not attacker.talk(6000):
        return "no connection was possible after the attack"
    # A fragment waits 15 s for the other fragments of its packet.
    end, after = time.monotonic() + 40, None
    while time.monotonic() < end and not attacker.peer.ended:
        after = attacker.state()
        print("hostile.py: objects before and after:", before, after, flush=True)
        if after and after[1] <= before[1] + 1 and after[0] <= before[0] + 4096:
            break
        attacker.until(lambda: False, 1)
    else:
        return f"the server had {before} objects before, and {after} after the attack"
    for _ in range(50):
        if attacker.peer.ended:
            break
        attacker.peer.send(p.ethernet(CARD, OWN, p.IP4, p.ip4(
            IP, TARGET, p.UDP, p.udp(IP, TARGET, 4000, 7, b"end"))))
        attacker.until(lambda: False, 0.2)
    return None


def main():
    """Returns the status."""
    kind, number, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="nova-net-") as folder:
        peer = Peer(folder)
        attacker = Attacker(peer, random.Random(SEED))
        command = [word.replace("NETDEV", peer.netdev()) for word in command]
        return run_beside(peer, command, lambda: judge(attacker, kind, int(number)), "hostile.py")


if __name__ == "__main__":
    sys.exit(main())
