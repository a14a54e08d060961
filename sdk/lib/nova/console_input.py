# SPDX-License-Identifier: BSD-2-Clause
"""Passes standard input, and its end, to a machine's console. A serial line has no end of file. A
user at a serial line types ctrl-d, which ends a shell. So the system gets ctrl-d when standard
input has ended and the system prints nothing more, because it may be waiting for input. A system
that ignores ctrl-d continues."""

import contextlib
import os
import termios
import threading
import time

from nova import build

END_OF_INPUT = b"\x04"
QUIET = 2.0  # seconds without output after which a system may be waiting
PATIENCE = 10.0  # seconds after which a message reports that nothing happens
POLL = 0.5
ESCAPE = 0x01  # ctrl-a
LEAVE = b"xX"


def make_raw(terminal):
    """Makes a terminal pass on each key as it is typed, including ctrl-c; output is unchanged."""
    mode = termios.tcgetattr(terminal)
    mode[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)
    mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSADRAIN, mode)


class Keys:
    """Keyboard input: ctrl-a x leaves the machine; ctrl-a ctrl-a sends one ctrl-a to the system."""

    def __init__(self, leave):
        self.leave = leave
        self.escaped = False

    def passed(self, data):
        """Returns the part of DATA for the system."""
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
    """Copies SOURCE, a file descriptor, to SINK, the pipe or socket of the machine's console.
    Without a source, input ends at once. With KEYS the source is a terminal. Input waits for the
    system's first output, at most LATE seconds, because firmware and the kernel initialise the
    port, which drops earlier input."""

    def __init__(self, sink, source, keys=None, late=0.0):
        self.sink = sink
        self.source = source
        self.keys = keys
        self.ended = source is None  # set by the thread, read by look()
        self.heard = time.monotonic()  # time at which the system last printed or got the end of
                                       # input
        self.answered = True  # the system has printed since it got the end of input
        self.told = False
        self.awake = threading.Event()
        self.late = late
        if source is not None:
            threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self):
        """Runs in a separate thread because both ends may block without limit."""
        self.awake.wait(self.late)
        with contextlib.suppress(OSError, ValueError):  # the machine has ended
            while data := os.read(self.source, 1 << 12):
                if self.keys:
                    data = self.keys.passed(data)
                while data:
                    data = data[os.write(self.sink.fileno(), data) :]
        self.heard = time.monotonic()
        self.ended = True

    def spoke(self):
        """Records that the system printed something."""
        self.heard = time.monotonic()
        self.answered = True
        self.awake.set()

    def look(self):
        """Performs the actions that are due; called every POLL seconds."""
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
                "standard input has ended, and the system prints nothing; press ctrl-c to end the "
                "run, or use --timeout S."
            )
