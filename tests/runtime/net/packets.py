# SPDX-License-Identifier: BSD-2-Clause
"""Packets of the Internet protocols, as bytes: to build them, and to take them apart."""
import ipaddress
import struct

ALL = b"\xff" * 6
ARP, IP4, IP6 = 0x0806, 0x0800, 0x86DD
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def address(text):
    """Returns the bytes of an address of either protocol."""
    return ipaddress.ip_address(text).packed


def checksum(data):
    """Returns the Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(to, source, kind, payload):
    """Returns a frame."""
    return to + source + struct.pack(">H", kind) + payload


def arp(operation, source, source_ip, target, target_ip):
    """Returns an ARP message."""
    head = struct.pack(">HHBBH", 1, IP4, 6, 4, operation)
    return head + source + source_ip + target + target_ip


def ip4(source, to, protocol, payload, number=1, fragment=0, ttl=64):
    """Returns a packet; FRAGMENT has the flags and the offset."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, fragment, ttl,
                       protocol, 0, source, to)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def fragments(source, to, number, protocol, payload, most=1480):
    """Returns the packets of a payload that is larger than a packet."""
    parts = range(0, len(payload), most)
    return [ip4(source, to, protocol, payload[at:at + most], number,
                at // 8 | (0x2000 if at + most < len(payload) else 0)) for at in parts]


def ip6(source, to, protocol, payload, hops=255):
    """Returns a packet."""
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, hops) + source + to + payload


def pseudo(source, to, protocol, bytes_):
    """Returns the pseudo-header, which transport checksums cover besides the segment."""
    if len(source) == 4:
        return source + to + struct.pack(">BBH", 0, protocol, bytes_)
    return source + to + struct.pack(">II", bytes_, protocol)


def summed(segment, at, source, to, protocol):
    """Returns a segment with its checksum at the offset AT."""
    value = checksum(pseudo(source, to, protocol, len(segment)) + segment)
    if protocol == UDP and not value:
        value = 0xFFFF
    return segment[:at] + struct.pack(">H", value) + segment[at + 2:]


def udp(source, to, from_port, to_port, data):
    """Returns a datagram."""
    segment = struct.pack(">HHHH", from_port, to_port, 8 + len(data), 0) + data
    return summed(segment, 6, source, to, UDP)


def tcp(source, to, ports, sequence, acknowledged, flags, data=b"", window=8192, options=b""):
    """Returns a segment; PORTS are a pair, OPTIONS whole words."""
    words = 5 + len(options) // 4
    segment = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledged, words << 4, flags, window,
                          0, 0) + options + data
    return summed(segment, 16, source, to, TCP)


def echo(kind, number, data):
    """Returns an ICMP echo request (kind 8) or echo reply (kind 0)."""
    message = struct.pack(">BBHHH", kind, 0, 0, 1, number) + data
    return message[:2] + struct.pack(">H", checksum(message)) + message[4:]


def icmp6(source, to, kind, rest):
    """Returns a message of ICMPv6."""
    return summed(struct.pack(">BBH", kind, 0, 0) + rest, 2, source, to, ICMP6)


def router(prefix, mac, lifetime=1800):
    """Returns the body of a router advertisement (RFC 4861, 4.2) with a prefix of 64 bits."""
    return (struct.pack(">BBHII", 64, 0, lifetime, 0, 0) + b"\x01\x01" + mac +
            struct.pack(">BBBBIII", 3, 4, 64, 0xC0, 86400, 14400, 0) + prefix)


def question(name, kind):
    """Returns a DNS question: the name, its kind and its class."""
    parts = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return parts + b"\0" + struct.pack(">HH", kind, 1)


def read_question(data):
    """Returns (number, name, kind) of a DNS query."""
    at, parts = 12, []
    while data[at]:
        parts.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    return struct.unpack(">H", data[:2])[0], ".".join(parts), data[at + 2]


def dns_answer(number, name, kind, error, found):
    """Returns a DNS answer: an error, or addresses."""
    answer = struct.pack(">HHHHHH", number, 0x8180 | error, 1, len(found), 0, 0)
    answer += question(name, kind)
    for one in found:
        answer += struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(one)) + one
    return answer
