#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The other end of the cable: peer.py KIND FRAMES COMMAND...

Runs a command that boots a system with a card, and exchanges frames with it. The word NETDEV in the
command becomes QEMU's option for the cable, a pair of datagram sockets. KIND is `strict`: each
frame must come back, in order, and frames of bad lengths before them do no harm; `padded`: in the
same way, but the card makes all frames at least 60 bytes long; or `lossy`: frames may be lost, and
are sent again until they come back; or `link`: the cable is pulled for a second, and no frame
comes meanwhile; or `quiet`: this end sends nothing. Frames between two clients of a switch
(pair.c) must not come to this end if they are for one of them.
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
OWN = bytes.fromhex("525400abcdef")
WINDOW = 16
BAD = (1, 6, 13, 1515, 1522, 2036, 2048, 2049, 4096, 16000)


class Peer:
    """The cable's end."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.path.join(folder, "peer"))
        self.socket.settimeout(0.2)
        self.ended = False
        self.leaked = False

    def netdev(self):
        """Returns QEMU's option."""
        return (f"dgram,id=n,local.type=unix,local.path={self.folder}/qemu,remote.type=unix,"
                f"remote.path={self.folder}/peer")

    def send(self, frame):
        """Sends a frame; a machine that is gone gets nothing. One that is slow gets it later."""
        while not self.ended:
            try:
                self.socket.sendto(frame, os.path.join(self.folder, "qemu"))
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

    def wait_for(self, word):
        """Waits for an announcement. Returns its sender."""
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
    """Returns what the client makes of a payload."""
    return bytes(byte ^ 0xFF for byte in data)


def strict(peer, frames, least=14):
    """Exchanges frames of all sizes. Returns a sentence about an error. The card makes frames LEAST
    bytes long."""
    client = peer.wait_for(b"hello")
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


def quiet(peer, _=None):
    """Reads all frames, and sends none. Returns None at the end of the machine."""
    while not peer.ended:
        peer.receive()


def link(peer, path):
    """Pulls the cable, and plugs it again. Returns a sentence about an error."""
    client = peer.wait_for(b"hello")
    control = Control(path)
    control.order("set_link", name="n", up=False)
    until = time.monotonic() + 1
    late = False
    while time.monotonic() < until:
        frame = peer.receive()
        late = late or (frame and frame[14:18] == b"lost")
    control.order("set_link", name="n", up=True)
    if late:
        return "a frame came without a link"
    return None if peer.wait_for(b"bye") == client else "the client did not end"


def main():
    """Returns the status."""
    kind, frames, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="nova-net-") as folder:
        peer = Peer(folder)
        command = [word.replace("NETDEV", peer.netdev()) for word in command]
        wrong = ["the peer has not ended"]
        function = {"strict": strict, "padded": padded, "lossy": lossy, "link": link,
                    "quiet": quiet}[kind]
        number = int(frames)
        if kind == "link":
            number = os.path.join(folder, "control")
            command += ["--qemu=-qmp", f"--qemu=unix:{number},server=on,wait=off"]

        def talk():
            wrong[0] = function(peer, number)
            quiet(peer)  # a full cable holds up the card

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        status = subprocess.run(command, check=False).returncode
        peer.ended = True
        thread.join(5)
    if peer.leaked:
        wrong[0] = "a frame between two clients came to the card"
    if wrong[0]:
        print("peer.py:", wrong[0])
    return status or (1 if wrong[0] else 0)


if __name__ == "__main__":
    sys.exit(main())
