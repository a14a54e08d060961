# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the machines at the other end of the cable do not blame a server for a lost frame,
and report a system that ends early."""
import tempfile
import unittest

import packets as p
from machines import CARD, IP, OWN
from peer import EARLY, Peer, bridge, link, lossy, padded, strict
from stream import THEIRS, Talker


class Once(Peer):
    """A cable to a server that answers one datagram. Then the server's driver ends."""

    def __init__(self, folder):
        super().__init__(folder)
        self.questions = 0
        self.frames = []
        self.socket.close()
        self.socket = self

    def settimeout(self, _):
        """Does nothing: a frame is there at once, or never."""

    def send(self, frame):
        """Counts a question, and answers the first one."""
        self.questions += 1
        if self.questions == 1:
            answer = p.udp(THEIRS[0], IP, 7, 4000, b"here")
            packet = p.ip4(THEIRS[0], IP, p.UDP, answer)
            self.frames.append(p.ethernet(OWN, CARD, p.IP4, packet))

    def recv(self, _):
        """Returns the next frame."""
        if not self.frames:
            raise TimeoutError
        return self.frames.pop()


class Machines(unittest.TestCase):
    def test_a_condition_that_has_held_is_not_examined_again(self):
        with tempfile.TemporaryDirectory(prefix="nova-net-") as folder:
            peer = Once(folder)
            machine = Talker(peer)
            self.assertTrue(machine.until(lambda: machine.ask(b"state"), 5))
            self.assertEqual(peer.questions, 1)

    def test_a_condition_that_never_holds_ends_with_the_time(self):
        with tempfile.TemporaryDirectory(prefix="nova-net-") as folder:
            machine = Talker(Once(folder))
            self.assertFalse(machine.until(lambda: False, 0.05))
            machine.peer.ended = True
            self.assertFalse(machine.until(lambda: False, 60))

    def test_a_system_that_ends_without_an_announcement_is_the_cause(self):
        kinds = (strict, padded, lossy, link, bridge)
        with tempfile.TemporaryDirectory(prefix="nova-net-") as folder:
            peer = Peer(folder)
            peer.other = Peer(folder, "m")
            peer.end()
            for kind in kinds:
                with self.subTest(kind=kind.__name__):
                    self.assertEqual(kind(peer, 2), EARLY)


if __name__ == "__main__":
    unittest.main()
