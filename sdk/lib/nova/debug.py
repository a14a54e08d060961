# SPDX-License-Identifier: BSD-2-Clause
"""`nova debug`: boots as `nova run` does, with gdb on the kernel and on the programs."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nova import elf, errors, media, options, process, qemu, run, tree
from nova.errors import NovaError

GDB = "gdb"
# CPU for an x86_32 kernel: gdb needs the register layout of this 32-bit CPU.
QEMU_32 = "qemu-system-i386"
SOCKET = "gdb"
ENDED = "ended"
START_SECONDS = 60
SOCKET_NAME_MAX = 100  # a Unix socket's name has at most 107 bytes

DESCRIPTION = """\
Boots like nova run, in QEMU, and opens gdb with the symbols of the kernel, the
roottask and the modules. gdb has commands of its own for the kernel's objects:
`nova` lists them. The session begins at the roottask's first instruction,
with --reset at the machine's. The console's output appears between gdb's.

  nova debug hello
  nova debug hello -ex 'break nova_main' -ex continue
  nova debug tour --batch 'break nova_main; continue; nova ec; nova caps root'

Exit status: with --batch 0 if every command worked, 1 if one failed (it ends the
script), or the N of `quit N`; if the system ended, its status as with nova run.
2 wrong usage or environment, 124 the time limit of --timeout."""


def add_parser(commands):
    parser = commands.add_parser(
        "debug",
        prog="nova debug",
        help="boot a program under gdb",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova debug [OPTION…] [NAME | --roottask FILE [--module 'FILE ARGS']…] "
        "[-- QEMU ARGUMENTS]",
    )
    run.add_programs(parser)
    parser.add_argument(
        "--batch",
        action="append",
        metavar="COMMANDS",
        help="run gdb's commands, separated by ';', and leave; may be repeated",
    )
    parser.add_argument(
        "-ex",
        action="append",
        default=[],
        metavar="COMMAND",
        help="run one command first; may be repeated",
    )
    parser.add_argument(
        "--reset", action="store_true", help="begin at the machine's first instruction"
    )
    parser.add_argument("--console", metavar="FILE", help="write the console's output to FILE")
    options.add_build(parser, config="debug")
    options.add_machine(parser, cpu=qemu.CPU_OF_RUNS)
    parser.add_argument(
        "--timeout", type=options.seconds, metavar="S", help="end the session after S seconds"
    )
    parser.set_defaults(function=debug)


def commands_of(args):
    """Returns the script: -ex first, then the parts of --batch."""
    lines = list(args.ex)
    for text in args.batch or ():
        lines += [part.strip() for line in text.splitlines() for part in line.split(";")]
    return [line for line in lines if line]


def _check(args):
    if args.emulator != "qemu":
        raise NovaError("nova debug works with QEMU only: omit --emulator.")
    if args.arch == "x86_32" and args.boot == "uefi":
        raise NovaError("nova debug cannot start x86_32 by UEFI: use --boot grub, or omit --boot.")


def _check_gdb():
    """Checks for gdb with Python; gdb-minimal and gdb of some other systems lack it."""
    try:
        done = subprocess.run(
            [GDB, "-nx", "-q", "-batch", "-ex", "python print(6 * 7)"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NovaError(f"{GDB} cannot be started: apt-get install gdb.") from error
    if "42" not in done.stdout:
        raise NovaError("this gdb was built without Python: apt-get install gdb.")


def gdb_command(args, kernel, program, modules, socket):
    """Returns the command line that begins a session (nova.gdb.session)."""
    ended = str(socket.with_name(ENDED))
    setting = {
        "program": os.path.abspath(program),
        "modules": [os.path.abspath(module.file) for module in modules],
        "socket": str(socket),
        "entry": None if args.reset else elf.entry(Path(program)),
        "batch": args.batch is not None,
    }
    lines = [
        f"import sys; sys.path.insert(0, {str(tree.LIBRARY)!r})",
        f"from nova.gdb import session; session.begin({setting!r})",
        f"session.script({commands_of(args)!r}, {args.batch is not None!r}, {ended!r})",
    ]
    command = [GDB, "-q", *(["-nx"] if args.batch is not None else [])]
    for line in lines:
        command += ["-ex", f"python {line}"]
    return [*command, str(kernel)]


class Session:
    """QEMU and gdb of one session; both end with it."""

    def __init__(self, machine, args, folder):
        self.machine = machine
        self.args = args
        self.folder = folder
        self.qemu = None
        self.gdb = None
        self.complaints = open(Path(folder) / "complaints", "w+b")  # closed by close()

    def start_qemu(self, arch):
        socket = Path(self.folder) / SOCKET
        command = qemu.debug_arguments(self.machine, socket)
        if arch == "x86_32":
            command[0] = QEMU_32
        console = open(self.args.console, "wb") if self.args.console else None
        try:
            # Outside the terminal's process group, so that only gdb gets ctrl-c.
            self.qemu = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=self.complaints,
                start_new_session=True, preexec_fn=process.die_with_parent,
            )
        except OSError as error:
            raise NovaError(f"{command[0]} cannot be started: {error.strerror}.") from error
        finally:
            if console:
                console.close()
        end = time.monotonic() + START_SECONDS
        while not socket.exists():
            if self.qemu.poll() is not None or time.monotonic() > end:
                raise NovaError(self._not_started())
            time.sleep(0.02)
        return socket

    def _not_started(self):
        self.complaints.seek(0)
        return qemu.not_started(self.complaints.read())

    def run_gdb(self, command):
        """Returns gdb's exit status; None: the session was interrupted."""
        stdin = subprocess.DEVNULL if self.args.batch is not None else None
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.gdb = subprocess.Popen(command, stdin=stdin, preexec_fn=_for_gdb)
            return self.gdb.wait(self.args.timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            signal.signal(signal.SIGINT, before)

    def system_status(self):
        """Returns the roottask's exit status if it ended the system while a script ran, else None.
        The exit device ends QEMU with an odd status."""
        if not (Path(self.folder) / ENDED).exists():
            return None
        try:
            code = self.qemu.wait(START_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise NovaError(f"QEMU has not ended within {START_SECONDS} s after the system's end: "
                            "run the command again.") from error
        return errors.EXIT_OK if code == 1 else errors.EXIT_FAILED

    def close(self):
        for running in (self.gdb, self.qemu):
            if running and running.poll() is None:
                running.kill()
            if running:
                running.wait()
        self.complaints.close()


def _for_gdb():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    process.die_with_parent()


def _session(args, machine, program, arch):
    folder = tempfile.mkdtemp(prefix="nova-")
    try:
        if len(folder) > SOCKET_NAME_MAX:
            raise NovaError(f"the name of the folder {folder} is too long: set TMPDIR=/tmp.")
        session = Session(qemu.without_blanks(machine, folder), args, folder)
        try:
            with media.prepared(session.machine) as session.machine:
                socket = session.start_qemu(arch)
                kernel = Path(machine.kernel).with_name("nova.elf")
                command = gdb_command(args, kernel, program, machine.modules[1:], socket)
                status = session.run_gdb(command)
                if status is None:
                    raise NovaError(
                        f"no end within {args.timeout:g} s: the session was stopped.",
                        errors.EXIT_TIMEOUT,
                    )
                ended = session.system_status()
        finally:
            session.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if ended is not None and not status:
        return ended
    return status if status >= 0 else errors.EXIT_FAILED


def debug(args):
    _check(args)
    machine, program = run.prepare(args)
    run.check_room(machine.modules, machine.memory)
    _check_gdb()
    sys.stdout.flush()
    return _session(args, machine, program, args.arch)
