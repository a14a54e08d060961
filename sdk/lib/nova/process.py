# SPDX-License-Identifier: BSD-2-Clause
"""Set-up and end of a process: no child outlives it, it has standard streams, and it removes its
temporary folders."""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1

_kept = []  # temporary folders


def die_with_parent():
    """Makes the kernel kill this process when its parent ends for any reason. A child calls
    this."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Leader:
    """A process that leads its own process group: kill() also ends its children, such as death
    tests. Subclasses start it, and wait for it."""

    pid = returncode = None
    stopped = False  # whether kill() ended it
    timed_out = False  # whether expire() ended it

    def kill(self):
        if self.returncode is None:  # later another group may have the number
            self.stopped = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def expire(self):
        self.timed_out = self.returncode is None
        self.kill()


def leave_on_sigterm():
    """Makes SIGTERM raise SystemExit, so that the clean-up of an exception runs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def keep_folder():
    """Returns the path of a new folder, which exists until the command ends."""
    import tempfile  # which few boots need

    _kept.append(tempfile.TemporaryDirectory(prefix="nova-"))
    return Path(_kept[-1].name)


def is_kept(file):
    """Returns whether FILE is directly in a folder of keep_folder()."""
    return any(Path(file).parent == Path(folder.name) for folder in _kept)


def remove_folders():
    """Removes the folders of keep_folder(). Python itself removes them only when a process ends by
    sys.exit() or a return, but a fork (module forks) does not end like this."""
    while _kept:
        _kept.pop().cleanup()


def open_streams():
    """Opens, on the null device, the standard streams that the process was started without."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
        os.set_inheritable(number, True)
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))
