#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The other end of the cable: peer.py KIND FRAMES COMMAND...

Runs a command that boots a system with a card, and exchanges frames with it. The word NETDEV in the
command becomes QEMU's option for the cable, a pair of datagram sockets. KIND is `strict`: frames of
bad lengths come first and do no harm, then each frame must come back, in order; `padded`: as
`strict`, but the card makes all frames at least 60 bytes long; `lossy`: frames may be lost, and are
sent again until they come back; `link`: the cable is pulled for 2.5 seconds, and no frame comes
meanwhile; `quiet`: this end sends nothing; or `bridge`: the system has a second card, whose option
is NETDEV2, and frames go from one cable to the other. A frame from one client of a switch to
another (pair.c) must not arrive at this end, unless it is a broadcast.
"""
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "block"))
from control import Control  # pylint: disable=wrong-import-position

TYPE = b"\x88\xb5"
PAIR = b"\x88\xb6"
OWN, OTHER, THIRD = (bytes.fromhex(f"525400abcde{digit}") for digit in "f12")
WINDOW = 16
EARLY = "the system ended before the client announced itself"
BAD = (1, 6, 13, 1515, 1522, 2036, 2048, 2049, 4096, 16000)


class Peer:
    """The cable's end."""

    def __init__(self, folder, name="n"):
        self.name = name
        self.path = os.path.join(folder, name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path + "-peer")
        self.socket.settimeout(0.2)
        self.ended = False
        self.leaked = False
        self.other = None

    def netdev(self):
        """Returns QEMU's option."""
        return (f"dgram,id={self.name},local.type=unix,local.path={self.path}-qemu,"
                f"remote.type=unix,remote.path={self.path}-peer")

    def end(self):
        """Notes that the machine has ended."""
        self.ended = True
        if self.other:
            self.other.ended = True

    def send(self, frame):
        """Sends a frame. A slow machine gets it later, and a machine that has ended gets
        nothing."""
        while not self.ended:
            try:
                self.socket.sendto(frame, self.path + "-qemu")
                return
            except TimeoutError:
                continue
            except OSError:
                time.sleep(0.01)
                return

    def receive(self):
        """Returns a frame of the client, or None."""
        try:
            frame = self.socket.recv(65536)
        except OSError:
            return None
        if frame[12:14] == PAIR and frame[:6] != b"\xff" * 6:
            self.leaked = True
        return frame if frame[12:14] == TYPE else None

    def receive_one(self, word=None):
        """Returns the next frame that is not a broadcast; None if none comes in 5 seconds, or
        before an announcement."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            frame = self.receive()
            if frame and frame[:6] != b"\xff" * 6:
                return frame
            if frame and word and frame[14:14 + len(word)] == word:
                return None
        return None

    def wait_for(self, word):
        """Waits for an announcement. Returns its sender, or None if the machine ends before."""
        while not self.ended:
            frame = self.receive()
            if frame and frame[:6] == b"\xff" * 6 and frame[14:14 + len(word)] == word:
                return frame[6:12]
        return None


def payload(number, size):
    """Returns the payload of a frame: its number if there is room, and a pattern."""
    head = struct.pack(">I", number) if size >= 4 else b""
    return head + random.Random(number).randbytes(size - len(head))


def inverted(data):
    """Returns the payload that the client sends back."""
    return bytes(byte ^ 0xFF for byte in data)


def strict(peer, frames, least=14):
    """Exchanges frames of all sizes. Returns a sentence about an error. The card pads shorter
    frames to LEAST bytes."""
    client = peer.wait_for(b"hello")
    if not client:
        return EARLY
    for size in BAD:
        peer.send((client + OWN + TYPE + bytes(16000))[:size])
    sizes = [14 + (number * 37) % 1501 for number in range(frames)]
    sizes[-2:] = [14, 1514]
    sent = got = 0
    last = time.monotonic()
    while got < frames:
        while sent < frames and sent - got < WINDOW:
            peer.send(client + OWN + TYPE + payload(sent, sizes[sent] - 14))
            sent += 1
        frame = peer.receive()
        if frame and frame[:6] == b"\xff" * 6:
            continue
        if not frame:
            if peer.ended or time.monotonic() - last > 30:
                return f"only {got} of {frames} frames came back"
            continue
        last = time.monotonic()
        sent_data = payload(got, sizes[got] - 14).ljust(least - 14, b"\0")
        expected = OWN + client + TYPE + inverted(sent_data)
        if frame != expected:
            return f"frame {got} of {sizes[got]} bytes came back with {len(frame)}, or changed"
        got += 1
    return None if peer.wait_for(b"bye") == client else "the client did not end"


def padded(peer, frames):
    """As strict, with frames of 60 bytes or more."""
    return strict(peer, frames, 60)


def lossy(peer, frames):
    """Sends frames until each has come back and the client has ended. Returns a sentence about an
    error."""
    client = peer.wait_for(b"hello")
    if not client:
        return EARLY
    number, due = 0, 0.0
    while not peer.ended:
        frame = peer.receive()
        if frame and frame[14:17] == b"bye":
            if number >= frames:
                return None
            return f"the client ended after {number} frames"
        if frame and frame[14:] == inverted(payload(number, 46 + number % 1000)):
            number += 1
            due = 0.0
        if time.monotonic() >= due:
            peer.send(client + OWN + TYPE + payload(number, 46 + number % 1000))
            due = time.monotonic() + 0.05
    # the client's last words may be lost
    return None if number >= frames else f"the system ended after {number} frames"


def exchange(one, source, two, target, frames):
    """Sends frames for the other cable. Returns whether these frames, and no others, arrive
    there."""
    for number in range(frames):
        frame = target + source + TYPE + payload(number, 46 + number * 37 % 1454)
        one.send(frame)
        if two.receive_one() != frame:
            return False
    return True


def bridge(peer, frames):
    """Machines behind two cards exchange frames. Returns a sentence about an error."""
    other = peer.other
    client, again = peer.wait_for(b"hello"), other.wait_for(b"hello")
    if not (client and again):
        return EARLY
    if again != client:
        return "the client did not announce itself on both cables"
    if not (exchange(peer, OWN, other, OTHER, frames) and
            exchange(other, OTHER, peer, OWN, frames)):
        return "a frame did not arrive at the other cable"
    peer.send(OWN + THIRD + TYPE + bytes(46))  # both addresses are behind the first card
    if not exchange(peer, OWN, other, OTHER, 1):
        return "a frame between machines at one cable arrived at the other cable"
    for _ in range(3):
        other.send(OWN + client + TYPE + bytes(46))
        if not exchange(other, OTHER, peer, OWN, 1):
            return "a frame with the client's source came from a cable"
    for one, source in ((peer, OWN), (other, OTHER)):
        one.send(client + source + TYPE + payload(1, 100))
        if one.receive_one() != source + client + TYPE + inverted(payload(1, 100)):
            return "the client's answer did not arrive at the cable of its machine, and only there"
    for one in (peer, other):
        if one.receive_one(b"bye") is not None:
            return "the client's answer came to both cables"
    return None


def quiet(peer, _=None):
    """Reads all frames, and sends none. Returns None at the end of the machine."""
    while not peer.ended:
        peer.receive()


def link(peer, path):
    """Pulls the cable, and plugs it in again. Returns a sentence about an error."""
    client = peer.wait_for(b"hello")
    if not client:
        return EARLY
    control = Control(path)
    control.order("set_link", name="n", up=False)
    until = time.monotonic() + 2.5  # a switch looks at the cable each second
    late = False
    while time.monotonic() < until:
        frame = peer.receive()
        late = late or (frame and frame[14:18] == b"lost")
    control.order("set_link", name="n", up=True)
    if late:
        return "a frame came without a link"
    return None if peer.wait_for(b"bye") == client else "the client did not end"


def run_beside(peer, command, talk, name):
    """Runs the command that boots the machine at the other end of the cable, and TALK at the same
    time. TALK returns a sentence about an error, or None. Prints this sentence after NAME. Returns
    the exit status."""
    wrong = ["the peer has not ended"]

    def run():
        wrong[0] = talk()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    status = subprocess.run(command, check=False).returncode
    peer.end()
    thread.join(5)
    if peer.leaked:
        wrong[0] = "a frame between two clients came to the card"
    if wrong[0]:
        print(f"{name}:", wrong[0])
    return status or (1 if wrong[0] else 0)


def main():
    """Returns the status."""
    kind, frames, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="nova-net-") as folder:
        peer = Peer(folder)
        if kind == "bridge":
            peer.other = Peer(folder, "m")
            command = [word.replace("NETDEV2", peer.other.netdev()) for word in command]
        command = [word.replace("NETDEV", peer.netdev()) for word in command]
        function = {"strict": strict, "padded": padded, "lossy": lossy, "link": link,
                    "quiet": quiet, "bridge": bridge}[kind]
        number = int(frames)
        if kind == "link":
            number = os.path.join(folder, "control")
            command += ["--qemu=-qmp", f"--qemu=unix:{number},server=on,wait=off"]

        def talk():
            wrong = function(peer, number)
            quiet(peer)  # reads the rest: a full cable would stop the card
            return wrong

        return run_beside(peer, command, talk, "peer.py")


if __name__ == "__main__":
    sys.exit(main())
