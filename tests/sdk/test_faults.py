# SPDX-License-Identifier: BSD-2-Clause
"""Source lines for reports of faults, from programs that are only compiled here."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import elf, explain, faults
from nova.errors import NovaError

SOURCE = """\
int store(int *at); int first(int a) { return a - 1; }
int %s(int number)
{
        return number + 1;
}
int store(int *at)
{
        return *at = %s(7);
}
void _start(void)
{
        for (;;)
                store((int *)8);
}
"""
BUILD = ["gcc", "-static", "-no-pie", "-nostdlib", "-fcf-protection=none", "-fno-pic"]
BUILD += ["-Wl,--build-id=none", "-O0"]


class Faults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nova test ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.said = []

    def program(self, name, function="next", *options):
        source, program = self.folder / f"{name}.c", self.folder / name
        source.write_text(SOURCE % (function, function), encoding="utf-8")
        subprocess.run([*BUILD, *(options or ["-g"]), source, "-o", program], check=True)
        return program

    def address(self, program, name):
        table = subprocess.run(["nm", program], stdout=subprocess.PIPE, text=True, check=True)
        return int(re.search(rf"(\w+) [Tt] {name}\n", table.stdout).group(1), 16)

    def report(self, program, who="adder", function="next", before=""):
        """Returns the runtime's report when FUNCTION faults in its first instruction. store()
        has called FUNCTION, and _start() has called store()."""
        ip = self.address(program, function)
        code = elf.bytes_at(program, ip - 6, 16)
        words = [f"<{byte:02x}>" if at == 6 else f"{byte:02x}" for at, byte in enumerate(code)]
        frames = [(ip, function), (self.returns(program, "store"), "store"),
                  (self.returns(program, "_start"), "_start")]
        lines = [f"FAULT: program {who}, thread main, CPU 0: #PF, page fault",
                 "  write to 0x8, where nothing is mapped",
                 f"  ip {ip:016x}  sp 0000000000001000  bp 0000000000001000  flags 202",
                 " r11 0000000000000202 r12 0000000000000000", "  code " + " ".join(words)]
        lines += [f"  #{number} {at:016x} {name}+0x{at - self.address(program, name):x}"
                  for number, (at, name) in enumerate(frames)]
        return [f"{before}{line}" for line in lines]

    def returns(self, program, caller):
        """Returns the address after the only call in a function."""
        text = subprocess.run(["objdump", "-d", f"--disassemble={caller}", program],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        lines = [line for line in text.splitlines() if re.match(r" +[0-9a-f]+:\t", line)]
        call = next(number for number, line in enumerate(lines) if "call" in line)
        return int(lines[call + 1].split(":")[0], 16)

    def hear(self, lines, *programs):
        reports = faults.Reports([Module(file) for file in programs], self.said.append)
        for line in lines:
            reports.line(line.encode())
        reports.end()
        return self.said

    def test_lines_of_the_fault_and_its_callers_are_shown_when_the_report_ends(self):
        program = self.program("adder")
        wanted = ["the fault of adder: adder.c:3 in next(), called from adder.c:8 in store(), "
                  "called from adder.c:13 in _start()."]
        self.assertEqual(self.hear(self.report(program), program), wanted)
        self.said.clear()
        self.assertEqual(self.hear([*self.report(program), "", "more"], program), wanted)

    def jump(self, program, to):
        """Returns the report of a jump to an address without code, in place of a call of next()."""
        head, _, registers, *_, first, second, last = self.report(program)
        ip = self.address(program, "next")
        return [head, f"  execution at {to:#x}, where nothing is mapped",
                registers.replace(f"{ip:016x}", f"{to:016x}"), f"  #0 {to:016x}", second, last]

    def test_after_a_jump_to_a_bad_address_its_caller_is_shown(self):
        program, other = self.program("adder"), self.program("other", "prev")
        stripped = self.program("copy", "next", "-g0")
        for to in (0, 0x1234567):
            self.said.clear()
            self.assertEqual(
                self.hear(self.jump(program, to), program),
                [f"the fault of adder: a jump to {to:#x}, called from adder.c:8 in store(), called "
                 "from adder.c:13 in _start()."])
        self.said.clear()
        (sentence,) = self.hear(self.jump(program, 0), other, stripped, program, self.folder)
        self.assertIn("a jump to 0x0, called from adder.c:8 in store()", sentence)
        self.said.clear()
        self.assertEqual(self.hear(self.jump(program, 0)[:-2], program), [])

    def test_reports_with_something_before_each_line(self):
        program = self.program("adder")
        (sentence,) = self.hear(self.report(program, before="family: "), program)
        self.assertIn("adder.c:3 in next()", sentence)

    def test_two_consecutive_reports_are_counted_separately(self):
        program = self.program("adder")
        self.assertEqual(len(self.hear(2 * self.report(program), program)), 2)

    def test_equal_faults_are_looked_up_once(self):
        program = self.program("adder")
        ip = self.address(program, "next")
        line = (f"NOVA: thread 'one' of PD '' was shut down: event 0xe at {ip:#x}, address 0x1, "
                "has no portal that it can call.")
        for lines in (5 * self.report(program), 5 * [line]):
            self.said.clear()
            with mock.patch.object(elf, "bytes_at", side_effect=elf.bytes_at) as read:
                self.assertEqual(len(set(self.hear(lines, program))), 1)
            self.assertEqual((len(self.said), read.call_count), (5, 1))

    def test_of_many_faults_only_the_first_ones_are_explained(self):
        program = self.program("adder")
        last = f"this run has printed more than {faults.EXPLAINED} faults: nova explains no others."
        line = ("NOVA: thread '' of PD '' was shut down: event 0xe at {:#x}, address 0x1, has no "
                "portal that it can call.")
        many = [line.format(at) for at in range(100)]
        for lines in (many, 100 * self.report(program)):
            self.said.clear()
            with mock.patch.object(explain, "places", return_value=[("a", "b")]):
                said = self.hear(lines, program)
            self.assertEqual([len(said) - 1, said.index(last)], 2 * [faults.EXPLAINED])

    def test_of_several_files_the_one_with_the_code_and_the_functions_is_taken(self):
        """The other program's code is equal, byte for byte: only its names differ."""
        program, other = self.program("adder"), self.program("other", "prev")
        (self.folder / "text").write_text("no program", encoding="utf-8")
        for files in ((program, other), (other, program)):
            self.said.clear()
            files = (self.folder / "text", self.folder / "not there", *files)
            (sentence,) = self.hear(self.report(program, "server"), *files)
            self.assertIn("adder.c:3 in next()", sentence)

    def test_of_two_copies_the_one_with_the_programs_name_is_taken(self):
        program = self.program("adder")
        same = self.folder / "copy"
        same.write_bytes(program.read_bytes())
        stripped = self.program("sum-adder", "next", "-g0")
        (sentence,) = self.hear(self.report(program), same, stripped, program)
        self.assertIn("adder.c:3", sentence)

    def test_the_absence_of_lines_is_reported(self):
        program = self.program("adder", "next", "-g0")
        (sentence,) = self.hear(self.report(program), program)
        self.assertEqual(sentence, "the fault of adder: compile adder with -g to see source lines.")

    def test_a_program_that_is_not_among_the_files(self):
        program = self.program("adder")
        self.assertEqual(self.hear(self.report(program)), [])

    def test_text_that_only_looks_like_a_report_does_no_harm(self):
        program = self.program("adder")
        for lines in (
            ["FAULT: program"], ["FAULT: program x, thread y"],
            ["FAULT: program x, thread y", "  "],
            ["FAULT: program x, thread y", "  ip zz  sp", "  code <", "  #0 zz"],
            ["FAULT: program x, thread y", "  code 00", "  ip 0  ", "  #0 0 a+0x0"],
            ["FAULT: program x, thread y", "  code 00", f"  ip {'f' * 99}  ", "  #0 0 a+0x0"],
            ["FAULT: program x, thread y", *(1000 * ["  #1 1 a+0x1"])],
            self.report(program)[:-3],
        ):
            self.assertEqual(self.hear(lines, program), [])

    def shut_down(self, subject, event, ip, *programs, reason="has no portal that it can call"):
        line = (f"NOVA: {subject} was shut down: event {event:#x} at {ip:#x}, address 0x1234, "
                f"{reason}.")
        self.said.clear()
        return self.hear([line], *programs)

    def test_the_kernels_line_about_a_thread_is_explained(self):
        program = self.program("adder")
        ip = self.address(program, "next")
        place = f"#PF, a page fault, at {ip:#x} in next(), adder.c:3, for address 0x1234"
        for subject, name in (
            ("thread '' of PD ''", "a thread without a name"),
            ("thread '' of PD 'root'", "a thread of PD 'root'"),
            ("thread 'one' of PD ''", "thread 'one'"),
            ("thread 'one' of PD 'root'", "thread 'one' of PD 'root'"),
        ):
            self.assertEqual(self.shut_down(subject, 14, ip, program),
                             [f"{name} was shut down: {place}; no portal handles this event."])

    def test_the_instruction_of_a_breakpoint_ends_at_ip(self):
        """INT3 at the end of one function, with IP at the start of the next."""
        program = self.program("adder")
        head, *lines = self.report(program)
        for name in ("#BP, breakpoint", "#OF, overflow"):
            self.said.clear()
            (sentence,) = self.hear([head.replace("#PF, page fault", name), *lines], program)
            self.assertIn("adder.c:1 in first(), called from adder.c:8", sentence)
        ip = self.address(program, "next")
        for event in (3, 4):
            (sentence,) = self.shut_down("thread 'one' of PD ''", event, ip, program)
            self.assertIn(f"at {ip:#x} in first(), adder.c:1;", sentence)

    def test_a_thread_that_never_ran_has_no_place(self):
        self.assertEqual(
            self.shut_down("thread '' of PD 'child'", 30, 0, self.program("adder")),
            ["a thread of PD 'child' was shut down: STARTUP, before its first instruction; no "
             "portal handles this event."],
        )

    def test_an_ended_handler_is_named_as_the_reason(self):
        self.assertEqual(
            self.shut_down("thread 'one' of PD ''", 30, 0, reason=explain.HANDLER_ENDED),
            ["thread 'one' was shut down: STARTUP, before its first instruction; the thread that "
             "handled this event has ended."],
        )

    def test_if_several_programs_have_code_at_the_address_none_is_named(self):
        first, second = self.program("adder"), self.program("other", "more")
        ip = self.address(first, "next")
        self.assertEqual(
            self.shut_down("thread '' of PD ''", 6, ip, first, second),
            [f"a thread without a name was shut down: {explain.EVENTS[6]}, at {ip:#x}; no portal "
             "handles this event."],
        )
        (text,) = self.shut_down("thread '' of PD ''", 6, ip, Path(__file__), first)
        self.assertIn(" in next(), adder.c:3; ", text)

    def test_other_lines_of_the_kernel_are_not_explained(self):
        program = self.program("adder")
        for subject in ("virtual CPU '' of PD 'guest'", "the roottask's first thread"):
            self.assertEqual(self.shut_down(subject, 14, self.address(program, "next")), [])
        text = (paths.ROOT / "hypervisor/src/object/report.c").read_text(encoding="utf-8")
        for part in ('"NOVA: " subject " was shut down: event 0x%lx at 0x%lx, address 0x%lx, %s.',
                     f'"{explain.HANDLER_ENDED}"', 'LINE("%s \'%s\' of PD \'%s\'")'):
            self.assertIn(part, text)

    def test_bytes_of_a_file_that_is_not_a_program(self):
        with self.assertRaises(NovaError):
            elf.bytes_at(Path(__file__), 0, 1)
        self.assertEqual(elf.bytes_at(self.program("adder"), 0x10, 4), b"")


class Module:
    def __init__(self, file):
        self.file = str(file)


class Format(unittest.TestCase):
    def test_the_lines_are_those_of_the_runtime(self):
        text = (paths.ROOT / "roottask/src/fault/format.c").read_text(encoding="utf-8")
        for part in ('"FAULT: program %s, thread %s, CPU %u: %s, %s"', '"  ip %0*zx  sp ',
                     '"  code"', '" <%02x>"', '"  #%u %0*zx"', '" %s+0x%llx"'):
            self.assertIn(part, text)


if __name__ == "__main__":
    unittest.main()
