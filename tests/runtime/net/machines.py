#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Simulates the machines at the other end of the cable for programs with sockets: machines.py KIND
COMMAND...

Runs a command that boots a system with a card. The word NETDEV in the command becomes QEMU's option
for the cable. KIND is `router`: an IPv6 router, and a name server, which exchanges datagrams with
the program; `taken`: a machine that has the addresses that the programs want; `unplugged`: the
card has no cable; or `sums`: a machine that returns datagrams with correct checksums.
"""
import json
import os
import socket
import sys
import tempfile
import time

import packets as p
from peer import OWN, Peer, run_beside

IP = p.address("10.0.0.1")
LINK = p.address("fe80::1")
PREFIX = p.address("fd00:1::")
CARD = bytes.fromhex("525400123456")
NAME = bytes.fromhex("505400fffe123456")  # the card's part of IPv6 addresses
NODES = p.address("ff02::1")
NAMES = {
    "both.test": {1: "10.0.0.7", 28: "fd00:2::7"},
    "four.test": {1: "10.0.0.4"},
    "six.test": {28: "fd00:2::6"},
    "broken.test": 2,
    "refused.test": 5,
    "cut.test": 0x200,  # no error, but the answer is truncated
    "silent.test": None,
}


class Machine:
    """A machine with addresses, which answers ARP and the neighbour discovery of IPv6."""

    def __init__(self, peer, addresses, routes=True):
        self.peer = peer
        self.routes = routes
        self.addresses = [p.address(one) for one in addresses]
        self.macs = {}
        self.datagrams = []
        self.echoes = []
        self.solicited = False

    def send(self, to_ip, protocol, payload, source=None):
        """Sends a packet to a neighbour whose Ethernet address is known."""
        v6 = len(to_ip) == 16
        packet = (p.ip6 if v6 else p.ip4)(source or (LINK if v6 else IP), to_ip, protocol, payload)
        mac = self.macs.get(to_ip, p.ALL)
        if v6 and to_ip[0] == 0xFF:
            mac = b"\x33\x33" + to_ip[12:]
        self.peer.send(p.ethernet(mac, OWN, p.IP6 if v6 else p.IP4, packet))

    def step(self):
        """Receives a frame, and answers it."""
        try:
            frame = self.peer.socket.recv(65536)
        except OSError:
            return
        self.take_frame(frame)

    def take_frame(self, frame):
        """Answers a frame."""
        kind, body = int.from_bytes(frame[12:14], "big"), frame[14:]
        if kind == p.ARP:
            self.take_arp(frame[6:12], body)
        elif kind == p.IP4 and body[0] == 0x45:
            self.macs[body[12:16]] = frame[6:12]
            self.take(body[9], body[12:16], body[16:20], body[20:int.from_bytes(body[2:4], "big")])
        elif kind == p.IP6:
            self.macs[body[8:24]] = frame[6:12]
            self.take(body[6], body[8:24], body[24:40], body[40:])

    def take_arp(self, mac, body):
        """Answers a question for one of the addresses."""
        if body[6:8] == b"\0\1" and body[24:28] in self.addresses:
            answer = p.arp(2, OWN, body[24:28], mac, body[14:18])
            self.peer.send(p.ethernet(mac, OWN, p.ARP, answer))

    def take(self, protocol, source, to, payload):
        """Takes a packet."""
        if protocol == p.UDP:
            ports = payload[:2], payload[2:4]
            self.take_datagram(source, to, [int.from_bytes(one, "big") for one in ports],
                               payload[8:])
        elif protocol == p.ICMP6 and payload[0] == 133:
            self.solicited = True
            if self.routes:
                self.announce()
        elif protocol == p.ICMP6 and payload[0] == 135 and payload[8:24] in self.addresses:
            # A machine that has no address yet gets the answer by multicast.
            back = source if any(source) else NODES
            flags = b"\x60\0\0\0" if any(source) else b"\x20\0\0\0"
            body = flags + payload[8:24] + b"\x02\x01" + OWN
            self.send(back, p.ICMP6, p.icmp6(payload[8:24], back, 136, body), payload[8:24])
        elif (protocol, payload[0]) in ((p.ICMP6, 129), (p.ICMP, 0)):
            self.echoes.append((source, payload[8:]))

    def take_datagram(self, source, to, ports, data):
        """Keeps a datagram, or answers a question for a name."""
        if ports[1] != 53:
            self.datagrams.append((source, data))
            return
        number, name, kind = p.read_question(data)
        known = NAMES.get(name, 3)
        if known is None:
            return
        error = known if isinstance(known, int) else 0
        found = [] if error or kind not in known else [p.address(known[kind])]
        answer = p.dns_answer(number, name, kind, error, found)
        self.send(source, p.UDP, p.udp(to, source, 53, ports[0], answer), to)

    def announce(self):
        """Announces the router to all."""
        self.send(NODES, p.ICMP6, p.icmp6(LINK, NODES, 134, p.router(PREFIX, OWN)))

    def until(self, condition, seconds):
        """Takes frames until the condition holds. Returns whether it held. Does not evaluate it
        again after it has held: a condition may ask the program a question, and the answer to
        a second question could be lost."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= end or self.peer.ended:
                return False
            self.step()
        return True


def exchange(machine, to, source, what):
    """Sends a datagram and a ping until both come back. Returns a sentence about an error."""
    v6 = len(to) == 16
    machine.datagrams.clear()
    machine.echoes.clear()
    data = what.encode()
    for _ in range(40):
        machine.send(to, p.UDP, p.udp(source, to, 4000, 7, data), source)
        if v6:
            ping = p.icmp6(source, to, 128, b"\0\1\0\1" + data)
        else:
            ping = p.echo(8, 1, data)
        machine.send(to, p.ICMP6 if v6 else p.ICMP, ping, source)
        if machine.until(lambda: (to, data) in machine.datagrams and (to, data) in machine.echoes,
                         0.3):
            return None
    return f"what went to {what} did not come back: {machine.datagrams} {machine.echoes}"


def report_small(machine, to, source):
    """Reports to the program at TO that its packets to SOURCE were too big, with limits that are
    too small for a link (RFC 8201, 4). Then exchanges datagrams. Returns a sentence about an error.
    """
    for limit in (0, 47, 48, 55, 1279):
        packet = p.ip6(to, source, p.UDP, p.udp(to, source, 7, 4000, b"large"))
        body = limit.to_bytes(4, "big") + packet
        machine.send(to, p.ICMP6, p.icmp6(source, to, 2, body), source)
        wrong = exchange(machine, to, source, f"a program that got the limit {limit}")
        if wrong:
            return wrong
    return None


def router(machine):
    """Exchanges datagrams with the program's addresses. Returns a sentence about an error."""
    own = p.address("10.0.0.2")
    link, far = p.address("fe80::")[:8] + NAME, PREFIX[:8] + NAME
    # The program takes datagrams only after it has got an address and has asked for names.
    if not machine.until(lambda: machine.solicited, 30):
        return "the program did not look for a router"
    for address in (link, far, own):
        machine.macs[address] = CARD
    machine.until(lambda: False, 1)
    wrong = (exchange(machine, link, LINK, "the link's address") or
             report_small(machine, link, LINK) or
             exchange(machine, far, p.address("fd00:1::1"), "the router's network") or
             exchange(machine, own, IP, "IPv4"))
    if wrong:
        return wrong
    while not machine.peer.ended:
        machine.send(own, p.UDP, p.udp(IP, own, 4000, 7, b"end"))
        machine.until(lambda: False, 0.2)
    return None


def taken(machine):
    """Answers until the system has ended."""
    machine.until(lambda: False, 600)


class Returner(Machine):
    """A machine that returns datagrams, and counts those whose checksum is missing or wrong."""

    def __init__(self, peer):
        super().__init__(peer, ["10.0.0.1"], False)
        self.good = self.wrong = 0

    def take(self, protocol, source, to, payload):
        if protocol != p.UDP or to not in self.addresses or len(payload) < 8:
            return
        ports = [int.from_bytes(payload[at:at + 2], "big") for at in (0, 2)]
        if p.udp(source, to, *ports, payload[8:]) == payload:
            self.good += 1
            self.send(source, p.UDP, p.udp(to, source, ports[1], ports[0], payload[8:]), to)
        elif int.from_bytes(payload[4:6], "big") == len(payload):  # not a part of a larger datagram
            self.wrong += 1


def return_all(machine):
    """Returns datagrams until the system has ended. Returns a sentence about an error."""
    machine.until(lambda: False, 600)
    if machine.good < 6 or machine.wrong:
        return f"{machine.good} checksums of datagrams were right, {machine.wrong} wrong or missing"
    return None


def unplug(path, machine):
    """Pulls the cable. Returns a sentence about an error."""
    with socket.socket(socket.AF_UNIX) as control:
        for _ in range(200):
            try:
                control.connect(path)
                break
            except OSError:
                time.sleep(0.02)
        talk = control.makefile("rw", encoding="utf-8")
        talk.readline()
        for command in ({"execute": "qmp_capabilities"},
                        {"execute": "set_link", "arguments": {"name": "card", "up": False}}):
            talk.write(json.dumps(command) + "\n")
            talk.flush()
            answer = {"event": None}
            while "event" in answer:
                answer = json.loads(talk.readline())
            if "return" not in answer:
                return f"QEMU refuses {command}: {answer}"
        machine.until(lambda: False, 600)
    return None


def main():
    """Returns the status."""
    kind, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="nova-net-") as folder:
        peer = Peer(folder)
        addresses = {"router": ["10.0.0.1", "fe80::1", "fd00:1::1"],
                     "taken": ["10.0.0.2", "fd00::2"], "unplugged": [], "sums": []}[kind]
        control = os.path.join(folder, "control")
        command = [word.replace("NETDEV", peer.netdev()).replace("CONTROL", control)
                   for word in command]
        # Only the kind `router` announces a router: otherwise a program that waits for DHCP could
        # get an IPv6 address.
        machine = Machine(peer, addresses, kind == "router")
        functions = {"router": router, "taken": taken,
                     "sums": lambda machine: return_all(Returner(peer)),
                     "unplugged": lambda machine: unplug(control, machine)}
        return run_beside(peer, command, lambda: functions[kind](machine), "machines.py")


if __name__ == "__main__":
    sys.exit(main())
