# SPDX-License-Identifier: BSD-2-Clause
"""Runs `nova boot-test` in forks of a process that has loaded its modules. Otherwise the start of
Python and the loading of modules would take a third of the processor time of a short boot."""

import contextlib
import json
import os
import signal
import socket
import struct
import sys
import threading
import traceback
from pathlib import Path

from nova import boot_test, cli, parts, process
from nova.errors import EXIT_FAILED, NovaError

assert boot_test  # cli loads it by its name

COMMAND = "boot-test"
MODULES = str(Path(__file__).resolve().parent)
FILES = 1 << 12  # number of files that a process may have open
SIZE, STARTED, ENDED = struct.Struct("<I"), struct.Struct("<i"), struct.Struct("<id")


def words_of(command):
    """Returns the arguments of `nova` in a command that runs boot-test of this SDK, else None."""
    known = len(command) > 3 and command[1:4] == ["-S", MODULES, COMMAND]
    return command[3:] if known else None


def _receive(channel, size):
    """Returns SIZE bytes, or nothing at the end of the channel."""
    data = b""
    while len(data) < size:
        more = channel.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data


def _become(request, output):
    """Runs a command in this process, and ends the process."""
    status = 1
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (1, 2):
            os.dup2(output, number)
        os.closerange(3, FILES)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["variables"])
        status = cli.main(request["words"])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _serve(channel):
    """Runs commands, one after the other, until the channel is closed. Ignores ctrl-c, which
    reaches this process, too: the main process then stops the command, and this process must report
    the command's end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process.die_with_parent()
    while True:
        size, outputs, *_ = socket.recv_fds(channel, SIZE.size, 1)
        if not size:
            return
        request = json.loads(_receive(channel, *SIZE.unpack(size)))
        pid = os.fork()
        if not pid:
            _become(request, outputs[0])
        os.close(outputs[0])
        with contextlib.suppress(OSError):  # the child also calls setpgid()
            os.setpgid(pid, pid)
        channel.sendall(STARTED.pack(pid))
        _, status, usage = os.wait4(pid, 0)
        channel.sendall(ENDED.pack(status, usage.ru_utime + usage.ru_stime))


def _lost():
    return NovaError("a process that starts tests has ended.", EXIT_FAILED)


class Fork(process.Leader):
    """A command that a Server has started."""

    def __init__(self, server, request):
        self.server = server
        output, theirs = os.pipe()
        self.stdout = open(output, encoding="utf-8", errors="replace")
        body = json.dumps(request).encode()
        try:
            socket.send_fds(server.channel, [SIZE.pack(len(body))], [theirs])
            server.channel.sendall(body)
            (self.pid,) = server.answer(STARTED)
        except (OSError, EOFError) as error:
            self.stdout.close()
            raise _lost() from error
        finally:
            os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stdout.close()
        if self.returncode is None:
            self.wait_counted()

    def wait_counted(self):
        """Waits for the end of the command. Returns the processor seconds that it used."""
        try:
            status, used = self.server.answer(ENDED)
        except (OSError, EOFError) as error:
            self.returncode = 1
            raise _lost() from error
        self.returncode = os.waitstatus_to_exitcode(status)
        return used


class Server:
    """A process that runs one command at a time. To be created before this process has threads."""

    def __init__(self):
        assert threading.active_count() == 1, "a fork has only one of the threads"
        self.channel, theirs = socket.socketpair()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # the forks have copies of the buffers
        self.pid = os.fork()
        if not self.pid:
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, FILES)
            try:
                _serve(theirs)
            finally:
                os._exit(0)
        theirs.close()

    def answer(self, form):
        """Returns what the process reports."""
        data = _receive(self.channel, form.size)
        if not data:
            raise EOFError
        return form.unpack(data)

    def start(self, words, folder, variables):
        """Starts `nova` with the arguments WORDS. Returns a Fork."""
        return Fork(self, {"words": words, "folder": folder, "variables": variables})

    def close(self):
        with contextlib.suppress(OSError):  # the process may have ended already
            self.channel.shutdown(socket.SHUT_RDWR)
        self.channel.close()
        usage = os.wait4(self.pid, 0)[2]
        parts.set_apart(usage.ru_utime + usage.ru_stime)
