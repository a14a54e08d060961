# SPDX-License-Identifier: BSD-2-Clause
"""Adds source lines to the runtime's reports of faults and to the kernel's lines about threads that
were shut down. These reports contain addresses and functions; the programs' files on the host
contain the source lines (docs/manual/debugging.md)."""

import functools
import re
from pathlib import Path

from nova import elf, explain
from nova.errors import NovaError

HEAD = re.compile(
    r"(?P<before>.*)FAULT: program (?P<program>\S+), thread (?:.*: (?P<trap>#BP|#OF),)?"
)
IP = re.compile(r"  ip ([0-9a-f]+)  ")
ACCESS = re.compile(r"  (?:execution at|read from) 0x([0-9a-f]+), ")
CODE = re.compile(r"  code((?: <?[0-9a-f]{2}>?)+)$")
FRAME = re.compile(r"  #(\d+) ([0-9a-f]+)(?: (\S+)\+0x[0-9a-f]+)?$")
SHUT_DOWN = re.compile(r"NOVA: thread '(?P<name>[^']*)' of PD '(?P<pd>[^']*)' was shut down: ")
SHOWN = 4  # maximum number of frames
EXPLAINED = 16  # maximum number of reports that are explained in a run; any program can print them


class Reports:
    """Reads the console line by line, and calls SAY with a sentence after each report. MODULES are
    the boot modules."""

    def __init__(self, modules, say):
        self.files = [Path(module.file) for module in modules]
        self.say = say
        self.report = None
        self.explained = 0  # number of reports so far; a line of the kernel is a report
        self.program_at = functools.cache(self._only_program_at)
        self.sentence = functools.cache(lambda report: report.sentence(self.files))

    def line(self, line):
        """Takes one line as bytes without its line end."""
        text = line.decode("utf-8", "replace")
        head = HEAD.match(text)
        if self.report and (head or not self.report.take(text)):
            self.end()
        if head:
            self.report = _Report(**head.groupdict())
        thread = SHUT_DOWN.match(text)
        if thread and self._is_next():
            match = explain.LINE.search(line)
            program = self.program_at(int(match.group(2), 16)) if match else None
            self.say(explain.shut_down(line, program, _subject(**thread.groupdict())))

    def end(self):
        """Ends the last report."""
        report, self.report = self.report, None
        sentence = self.sentence(report) if report and self._is_next() else None
        if sentence:
            self.say(sentence)

    def _is_next(self):
        """Counts a report, and returns whether nova explains it. Prints a sentence for the first
        report that nova does not explain."""
        self.explained += 1
        if self.explained == EXPLAINED + 1:
            self.say(f"this run has printed more than {EXPLAINED} faults: nova explains no others.")
        return self.explained <= EXPLAINED

    def _only_program_at(self, address):
        """Returns the only file that has a byte at an address, None if there is not exactly one."""
        found = [file for file in self.files if _has_byte(file, address)]
        return found[0] if len(found) == 1 else None


def _has_byte(file, address):
    """Returns whether a program has code or data at an address."""
    try:
        return bool(elf.bytes_at(file, address, 1))
    except NovaError:
        return False


def _subject(name, pd):
    """Returns words that name the thread in the kernel's line."""
    text = f"thread '{name}'" if name else "a thread"
    if pd:
        text += f" of PD '{pd}'"
    return text if name or pd else text + " without a name"


class _Report:
    """The lines of a report that locate the fault. Any program can print such lines, so they are
    not trusted."""

    def __init__(self, before, program, trap):
        self.before = before
        self.program = program
        self.trap = bool(trap)  # whether IP is the address after the instruction
        self.ip = None
        self.address = None  # of a page fault that was no write
        self.code = b""
        self.code_at = 0  # index of the instruction's first byte
        self.frames = []  # (address, function or None)

    def _key(self):
        place = (self.address, self.ip, self.code, self.code_at)
        return (self.program, self.trap, *place, tuple(self.frames))

    def __eq__(self, other):
        return self._key() == other._key()

    def __hash__(self):
        return hash(self._key())

    def take(self, text):
        """Takes a line; returns false if the report ended before it."""
        text = text.removeprefix(self.before)
        if not text.startswith(" "):
            return False
        ip, code, frame = IP.match(text), CODE.match(text), FRAME.match(text)
        access = ACCESS.match(text)
        if access:
            self.address = int(access.group(1), 16)
        elif ip:
            self.ip = int(ip.group(1), 16)
        elif code:
            words = code.group(1).split()
            marked = [number for number, word in enumerate(words) if word[0] == "<"]
            self.code_at = marked[0] if marked else 0
            self.code = bytes(int(word.strip("<>"), 16) for word in words)
        elif frame and len(self.frames) < 64:
            self.frames.append((int(frame.group(2), 16), frame.group(3)))
        return True

    def _has_jumped(self):
        """Returns whether the CPU could not execute at IP, and the report has the caller."""
        return self.ip is not None and self.ip == self.address and len(self.frames) > 1

    def _has_caller(self, file):
        """Returns whether a file contains the caller, a function with the report's name."""
        address, name = self.frames[1]
        if not _has_byte(file, address - 1):
            return False
        ((function, _),) = explain.places(file, [address - 1])
        return not name or name.partition(".")[0] == function

    def _is_in(self, file):
        """Returns whether a file contains the code of the report at its address. After a jump to
        an address without code, looks for the caller's."""
        if self._has_jumped():
            return self._has_caller(file)
        if self.ip is None or not self.code:
            return False
        try:
            return elf.bytes_at(file, self.ip - self.code_at, len(self.code)) == self.code
        except NovaError:
            return False

    def _places(self, file):
        """Returns (function, file and line) of each frame. A return address lies after its call."""
        addresses = [
            address - bool(number or self.trap) for number, (address, _) in enumerate(self.frames)
        ]
        return explain.places(file, addresses)

    def _likeness(self, file, places):
        """Returns how well a file that contains the code matches the program; other files may
        contain the same code."""
        same = sum(
            bool(name and place[0]) and name.partition(".")[0] == place[0]
            for (_, name), place in zip(self.frames, places)
        )
        named = file.name == self.program, file.stem.endswith(self.program)
        return same, *named

    def sentence(self, files):
        """Returns where the fault happened, or None if no file of FILES contains it."""
        found = [(file, self._places(file)) for file in files if self._is_in(file)]
        if not found or not self.frames:
            return None
        file, places = max(found, key=lambda one: self._likeness(*one))
        if not any(line for _, line in places):
            return f"the fault of {self.program}: compile {file.name} with -g to see source lines."
        texts = [
            " in ".join(filter(None, (line, function and f"{function}()"))) or f"{address:#x}"
            for (address, _), (function, line) in zip(self.frames, places)
        ]
        if self._has_jumped():
            texts[0] = f"a jump to {self.ip:#x}"
        return f"the fault of {self.program}: {', called from '.join(texts[:SHOWN])}."
