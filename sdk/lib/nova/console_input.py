# SPDX-License-Identifier: BSD-2-Clause
"""What a machine's console hears of standard input, and of its end.

A serial line has no end of file. Somebody who sits at one types ctrl-d, which ends a shell: that is
what the system gets when standard input has ended and it says nothing more, for it may wait for
input. A system that has no use for it goes on."""

import contextlib
import os
import termios
import threading
import time

from nova import build

END_OF_INPUT = b"\x04"
QUIET = 2.0  # seconds without a word after which a system may be waiting
PATIENCE = 10.0  # after which a line says that nothing happens
ASLEEP = 30.0  # after which a system that has said nothing is taken for a silent one
POLL = 0.5
ESCAPE = 0x01  # ctrl-a
LEAVE = b"xX"


def make_raw(terminal):
    """Hands on each key as it is typed, ctrl-c too; what is written there stays as it was."""
    mode = termios.tcgetattr(terminal)
    mode[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)
    mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSADRAIN, mode)


class Keys:
    """What somebody types: ctrl-a x leaves the machine, ctrl-a twice is one for the system."""

    def __init__(self, leave):
        self.leave = leave
        self.escaped = False

    def passed(self, data):
        """The part of DATA that is for the system."""
        kept = bytearray()
        for key in data:
            if not self.escaped and key == ESCAPE:
                self.escaped = True
                continue
            if self.escaped and key in LEAVE:
                self.leave()
            elif not self.escaped or key == ESCAPE:
                kept.append(key)
            self.escaped = False
        return bytes(kept)


class Input:
    """Hands what SOURCE, a file descriptor, has to SINK, the pipe or socket of the machine's
    console; without a source it has ended at once. With KEYS it is a terminal. LATE: what comes
    before the system's first word would be lost, and waits for it, ASLEEP at most."""

    def __init__(self, sink, source, keys=None, late=False):
        self.sink = sink
        self.source = source
        self.keys = keys
        self.ended = source is None  # set by the thread, read by the watch
        self.heard = time.monotonic()  # when the system last spoke, or got the end of input
        self.answered = True  # it spoke since it got that
        self.told = False
        self.awake = threading.Event()
        if not late:
            self.awake.set()
        if source is not None:
            threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self):
        """A thread of its own, for both ends may block for as long as they like."""
        self.awake.wait(ASLEEP)
        with contextlib.suppress(OSError, ValueError):  # the machine has gone
            while data := os.read(self.source, 1 << 12):
                if self.keys:
                    data = self.keys.passed(data)
                while data:
                    data = data[os.write(self.sink.fileno(), data) :]
        self.heard = time.monotonic()
        self.ended = True

    def spoke(self):
        """The system said something."""
        self.heard = time.monotonic()
        self.answered = True
        self.awake.set()

    def look(self):
        """Does what is due; called every POLL seconds."""
        quiet = time.monotonic() - self.heard
        if not self.ended or quiet < QUIET:
            return
        if self.answered:
            self.answered = False
            self.heard = time.monotonic()
            with contextlib.suppress(OSError, ValueError):
                os.set_blocking(self.sink.fileno(), False)
                os.write(self.sink.fileno(), END_OF_INPUT)
        elif quiet >= PATIENCE and not self.told:
            self.told = True
            build.say(
                "standard input has ended, and the system says nothing; ctrl-c ends the run, "
                "--timeout S would."
            )
