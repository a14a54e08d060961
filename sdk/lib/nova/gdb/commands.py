# SPDX-License-Identifier: BSD-2-Clause
"""The command `nova` of gdb and its listings, and the function $nova_pd()."""

import threading

import gdb

from nova.gdb import listings, spaces, symbols
from nova.gdb.log import log
from nova.gdb.objects import PD, Objects
from nova.gdb.target import Target
from nova.gdb.view import Reader, Trouble

HELP = """\
The kernel's objects, read while the machine is stopped.

nova pd               protection domains
nova ec [PD]          threads: where they are and what they wait for
nova sc               scheduling contexts
nova pt               portals
nova sm [PD]          semaphores and their waiters; with PD, only those
                      for which PD has capabilities
nova cpu              CPUs and what they run
nova run-queue        ready SCs of each CPU, in scheduling order
nova caps [PD]        capabilities of a PD
nova mappings [PD] [memory|ports|objects]
                      mappings of a PD, and delegations from them
nova log              the kernel's messages
nova wait SECONDS     let the machine run, at most SECONDS
nova symbols [FILE]   programs with symbols; with FILE, loads its symbols

PD is a name, as `nova pd` shows it, or an address. Without PD, `nova ec` and
`nova sm` list all, and the others take the PD that runs on the CPU of gdb's
current thread. $nova_pd() is that PD's name:
`break f if $_streq($nova_pd(), "server")` stops there only."""

STARTING = "the kernel is still starting: there is no roottask yet"


class Context:
    """State of one command."""

    def __init__(self, target):
        if not gdb.selected_thread():
            raise Trouble("the machine has ended")
        target.forget()
        self.target = target
        self.reader = Reader(target)

    def objects(self):
        return Objects(self.reader).find_all()

    def current_pd(self, objects):
        """Returns the PD that the selected CPU runs, else the root PD, else the microhypervisor's
        PD."""
        apic = self.target.apic_of_selected()
        for cpu in objects.cpus:
            ec = cpu["arch.apic_id"] == apic and objects.reader.view("ec", cpu["current"])
            if ec and ec["pd"]:
                return objects.add(ec["pd"], "the PD of an EC", PD) or objects.kernel_pd
        roots = [pd for pd in objects.of(PD) if pd["is_root"]]
        return roots[0] if roots else objects.kernel_pd


class Listing(gdb.Command):
    """A subcommand that prints the lines of FUNCTION(context, words)."""

    def __init__(self, name, target, function, words, text):
        self.__doc__ = text
        super().__init__(f"nova {name}", gdb.COMMAND_DATA)
        self.name, self.target, self.function, self.words = name, target, function, words

    def invoke(self, argument, _from_tty):
        words = gdb.string_to_argv(argument)
        if len(words) > self.words:
            raise gdb.GdbError(f"nova {self.name} does not understand '{words[self.words]}'.")
        try:
            context = Context(self.target)
            for line in self.function(context, words):
                print(line)
        except Trouble as error:
            raise gdb.GdbError(f"{error}.") from None
        for problem in context.reader.problems:
            print(f"nova: a structure is damaged: {problem}")


def _table(rows):
    """Returns a function for Listing, which prints the table of ROWS. A word of the command selects
    a PD."""

    def function(context, words):
        objects = context.objects()
        chosen = [objects.pd_named(word) for word in words]
        yield from listings.table(list(rows(objects, *chosen)))
        if not any(pd["is_root"] for pd in objects.of(PD)):
            yield f"nova: {STARTING}."

    return function


def _pd_of(context, objects, words):
    return objects.pd_named(words[0]) if words else context.current_pd(objects)


def _caps(context, words):
    objects = context.objects()
    pd = _pd_of(context, objects, words)
    yield f"capabilities of {objects.label(pd)}:"
    yield from listings.table(list(spaces.caps(objects, pd)))


def _mappings(context, words):
    objects = context.objects()
    which = spaces.space_names(words[1] if len(words) > 1 else "")
    yield from spaces.mappings(objects, _pd_of(context, objects, words[:1]), which)


def _log(context, _words):
    return log(context.reader)


class _Prefix(gdb.Command):
    __doc__ = HELP

    def __init__(self):
        super().__init__("nova", gdb.COMMAND_DATA, prefix=True)

    def invoke(self, argument, _from_tty):
        if argument:
            raise gdb.GdbError(f"there is no command 'nova {argument.split()[0]}'; see: nova")
        print(HELP)


class _CurrentPd(gdb.Function):
    """Returns the name of the PD that runs on the CPU of gdb's current thread, "" if it is
    unknown."""

    def __init__(self, target):
        super().__init__("nova_pd")
        self.target = target

    def invoke(self):
        try:
            context = Context(self.target)
            objects = Objects(context.reader)
            return objects.label(context.current_pd(objects))
        except (Trouble, gdb.error):
            return ""


class _Wait(gdb.Command):
    """Lets the machine run until something stops it, at most SECONDS: nova wait SECONDS. This is
    for scripts."""

    def __init__(self):
        super().__init__("nova wait", gdb.COMMAND_RUNNING)
        self.running = False

    def _interrupt(self):
        if self.running:
            gdb.execute("interrupt")

    def invoke(self, argument, _from_tty):
        try:
            seconds = float(argument)
        except ValueError:
            raise gdb.GdbError("nova wait needs a number of seconds.") from None
        timer = threading.Timer(seconds, gdb.post_event, [self._interrupt])
        timer.daemon = True
        self.running = True
        timer.start()
        try:
            gdb.execute("continue")
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from None
        finally:
            self.running = False
            timer.cancel()


def register(program, modules):
    """Defines the commands. PROGRAM: file of the roottask; MODULES: files of boot modules."""
    target = Target(program)
    programs = symbols.Programs(program, modules)
    _Prefix()
    tables = (
        ("pd", listings.pds, 0, "Protection domains."),
        ("ec", listings.ecs, 1, "Threads: where they are and what they wait for: nova ec [PD]."),
        ("sc", listings.scs, 0, "Scheduling contexts."),
        ("pt", listings.pts, 0, "Portals."),
        ("sm", listings.sms, 1, "Semaphores and their waiters: nova sm [PD]."),
        ("cpu", listings.cpus, 0, "CPUs and what they run."),
        ("run-queue", listings.run_queues, 0, "Ready SCs of each CPU, in scheduling order."),
    )
    for name, rows, words, text in tables:
        Listing(name, target, _table(rows), words, text)
    Listing("caps", target, _caps, 1, "The capabilities of a PD: nova caps [PD].")
    Listing("mappings", target, _mappings, 2,
            "A PD's mappings, and delegations from them:\n"
            "nova mappings [PD] [memory|ports|objects].")
    Listing("log", target, _log, 0, "The kernel's messages.")
    Listing("symbols", target, programs.command, 1,
            "Programs with symbols; nova symbols FILE loads the symbols of FILE.")
    _Wait()
    _CurrentPd(target)
    return programs
