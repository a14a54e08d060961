# SPDX-License-Identifier: BSD-2-Clause
"""Sees to it that no child process outlives the command that started it."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Called in a child: the kernel kills it when its parent ends, however that happens."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def leave_on_sigterm():
    """Lets SIGTERM run the clean-up that an exception runs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
