# SPDX-License-Identifier: BSD-2-Clause
"""Debugs the examples with `nova debug`, and checks for objects that must be in each listing:
`debug_session.py ARCH CONFIG`."""

import re
import sys
import unittest

import paths

OPTIONS = []


class Session(unittest.TestCase):
    def debug(self, *arguments):
        result = paths.nova("debug", "--timeout", "200", *OPTIONS, *arguments)
        self.shown = f"status {result.returncode}\n{result.stdout}{result.stderr}"
        return result

    def batch(self, name, commands, *arguments):
        """Returns the output of the script's commands."""
        result = self.debug(name, *arguments, "--batch", commands)
        self.assertEqual(result.returncode, 0, self.shown)
        self.assertNotIn("broken", result.stdout, self.shown)
        return result.stdout

    def assert_lines(self, text, *patterns):
        for pattern in patterns:
            found = re.search(pattern, text, re.MULTILINE)
            self.assertTrue(found, f"no line like {pattern}\n{self.shown}")

    def test_a_roottask_at_its_first_instruction(self):
        text = self.batch(
            "hello",
            "nova pd; nova ec; nova sc; nova cpu; nova run-queue; nova caps; nova caps kernel; "
            "nova mappings root; nova log; echo PD; p $nova_pd()",
            "--cpus", "2",
        )
        self.assert_lines(
            text,
            r"^0x\w+ +root +1 +3 .* root$",
            r"^0x\w+ +root +root +0 +global +runs +0x\w+ <_start> +nothing: it runs$",
            r"^0x\w+ +idle-1 +- +1 +idle +runs",
            r"^0x\w+ +root +root +0 +1 +10000 us .* running$",
            r"^1 +2 +1 +idle-1",
            r"^0 +1 +0x\w+ +root +root +\w+ us +runs$",
            r"^0x20 +PD +root +0x\w+ +pd\+ec\+sc\+pt\+sm$",
            r"^0x21 +EC +root +0x\w+ +ct\+sc\+pt$",
            r"^0x1 +SC +of idle-1 ",
            r"^0x50 +SM +GSI 16 +0x\w+ +up\+down$",
            r"^  0x400000\.\.0x\w+ is 0x\w+\.\.0x\w+, rx, from kernel$",
            r"^  0x20 is PD root",
            r"^NOVA: 2 CPUs;",
            r'PD\$1 = "root"',
        )

    def test_the_tour_at_its_end(self):
        text = self.batch(
            "tour",
            "break nova_exit; continue; nova pd; nova ec; nova sc; nova pt; nova sm; "
            "nova caps root; nova mappings root ports; nova mappings root objects; backtrace; "
            "nova ec kernel; nova sm root",
        )
        self.assert_lines(
            text,
            r"^Thread 1 hit Breakpoint 1, nova_exit",
            r"^0x\w+ +pd@\w+ +1 +0 +0 .* dead$",
            r"^0x\w+ +ec@\w+ +root +3 +local +request .* a call$",
            r"^0x\w+ +ec@\w+ +root +0 +global +blocked .* nothing: it is blocked for ever$",
            r"^0x\w+ +ec@\w+ +pd@\w+ +0 +global +dead ",
            r"^0x\w+ +ec@\w+ +ec@\w+ +3 +2 +10000 us .* (sleeping|running|ready)$",
            r"^0x\w+ +pt@\w+ +ec@\w+ +root +0x41 +0x0 +0x\w+ <nova_portal_entry>$",
            r"^0x\w+ +sm@\w+ +0 +- +-$",
            r"^0x3000 +SM +sm@(\w+) +0x\w+ +up\+down\n(.*\n)*0x30000 +SM +sm@\1 +0x\w+ +up$",
            r"^  ports 0x3f8\.\.0x3ff, from kernel$",
            r"^  0x3000 is SM sm@\w+, up\+down\n    - root: 0x30000 is SM sm@\w+, up$",
            r"^#1 .* nova_main \(",
            # The last listings: the ECs of one PD, and the semaphores that it can name.
            r"^#1 .* nova_main \((.*\n)+address +EC .*\n(0x\w+ +idle-\d+ +.*\n)*"
            r"address +SM .*\n(.*\n)*0x\w+ +sm@\w+ +0 +- +-$",
        )

    def test_a_child_whose_fault_is_served(self):
        text = self.batch(
            "tour", "break report_fault; continue; nova pd; nova ec; nova mappings root memory"
        )
        self.assert_lines(
            text,
            r"^0x\w+ +pd@\w+ +1 +[1-9]\d* +[1-9]\d* .* live$",
            r"^0x\w+ +ec@\w+ +pd@\w+ +0 +global +reply +0x\w+ <child_main.*> +the reply of ec@",
            r"^0x\w+ +ec@(\w+) +root +0 +local +runs +0x\w+ <report_fault.*> +nothing: it runs, "
            r"serves ec@",
            r"^    - pd@\w+: 0x\w+\.\.0x\w+ is 0x\w+\.\.0x\w+, rx$",
        )

    def test_a_program_of_a_system(self):
        text = self.batch(
            "server",
            "nova symbols counter-server; break server.c:add if $_streq($nova_pd(), \"server\"); "
            "continue; nova pd; nova ec; backtrace 1",
            "--cpus", "1",
        )
        self.assert_lines(
            text,
            r"bin/counter-server, 0x400000 and up$",
            r"bin/init: not loaded, another program has its addresses$",
            r"Breakpoint 1[.\d]*, add \(",
            r"^0x\w+ +server +\d+ .* KiB of 128 KiB +live$",
            r"^0x\w+ +counter +server +0 +local +runs +0x\w+ <add> "
            r"+nothing: it runs, serves client$",
            r"^0x\w+ +client +client +0 +global +reply .* the reply of counter$",
            r"^#0 +add \(request=",
        )

    def test_a_thread_on_another_cpu(self):
        text = self.batch(
            "tour", "break count_primes if $_thread == 3; continue; nova cpu; nova ec", "--cpus=4"
        )
        self.assert_lines(
            text,
            r"^Thread 3 hit Breakpoint 1, count_primes",
            r"^2 +3 +2 +ec@\w+ +root +ec@\w+ +2 +0$",
            r"^0x\w+ +ec@\w+ +root +2 +global +runs +0x\w+ <count_primes",
        )

    def test_a_guest_that_hangs_on_the_only_cpu(self):
        text = self.batch(
            "vm-hello",
            "set var *(unsigned short *)&guest_page = 0xfeeb; nova wait 5; nova cpu; nova ec; "
            "nova pd; nova log; echo PD; p $nova_pd()",
            "--cpus", "1",
        )
        self.assert_lines(
            text,
            r"^0 +1 +0 +ec@\w+ +pd@\w+ ",
            r"^0x\w+ +ec@\w+ +pd@\w+ +0 +vcpu +runs +0x1000 +nothing: it runs$",
            r"^0x\w+ +root +root +0 +global +blocked +0x\w+ <.*> ",
            r"^0x\w+ +pd@\w+ +1 +\d+ +1 .* live$",
            r"^NOVA: 1 CPU;",
            r'PD\$1 = "pd@',
        )

    def test_a_guest_that_waits_for_its_monitor(self):
        text = self.batch("vm-hello", "break give_page; continue; nova ec", "--cpus", "1")
        self.assert_lines(
            text, r"^0x\w+ +ec@\w+ +pd@\w+ +0 +vcpu +reply +0x1000 +the reply of ec@\w+$"
        )

    def test_the_end_of_the_system_is_the_status(self):
        result = self.debug("hello", "-ex", "break nova_main", "--batch", "continue; continue; pwd")
        self.assertEqual(result.returncode, 0, self.shown)
        self.assertIn("Breakpoint 1, nova_main", result.stdout, self.shown)
        self.assertIn("Hello from CPU", result.stdout, self.shown)
        self.assertIn("nova: the system has ended; not run: 1 more.", result.stdout, self.shown)

    def test_a_script_can_wait(self):
        text = self.batch("hello", "tbreak nova_main; nova wait 100; nova cpu")
        self.assert_lines(text, "hit Temporary breakpoint 1, nova_main", "^0 +1 +0 +root +root")
        result = self.debug("hello", "--batch", "nova wait soon")
        self.assertIn("needs a number of seconds", result.stdout, self.shown)

    def test_a_failed_command_sets_the_exit_status(self):
        result = self.debug("hello", "--batch", "nova caps absent; nova pd")
        self.assertEqual(result.returncode, 1, self.shown)
        self.assertIn("failed: there is no PD 'absent'; there are:", result.stdout, self.shown)
        self.assertNotIn("capabilities", result.stdout)
        self.assertEqual(self.debug("hello", "--batch", "quit 7").returncode, 7, self.shown)

    def test_a_breakpoint_at_an_unknown_function_fails(self):
        for command in ("break", "tbreak"):
            result = self.debug("hello", "--batch", f"{command} absent; continue")
            self.assertEqual(result.returncode, 1, self.shown)
            self.assertIn(f"nova: '{command} absent' failed: Function \"absent\" not defined.\n",
                          result.stdout, self.shown)
            self.assertEqual(result.stdout.count("absent"), 2, self.shown)
            self.assertNotIn("Hello from CPU", result.stdout, self.shown)

    def test_before_the_boot(self):
        result = self.debug("hello", "--reset", "--batch", "nova pd")
        self.assertEqual(result.returncode, 1, self.shown)
        self.assertIn("the kernel has not booted yet", result.stdout, self.shown)
        text = self.batch("hello", "break nova_main; continue; nova pd", "--reset")
        self.assert_lines(text, r"hit Breakpoint 1, nova_main", r"^0x\w+ +root +1 +3 ")

    def test_an_event_with_flags_of_virtual_8086_mode_and_no_such_frame(self):
        # QEMU 7.2 pushed such a frame. It has the vector, an error code, IP, CS and the flags.
        flags = "*(unsigned long *)($sp + 4 * sizeof(long))"
        result = self.debug(
            "tour", "--cpus", "1", "--batch",
            f"break entry_exception; continue; set var {flags} |= 0x20000; delete; continue",
        )
        self.assertIn("Breakpoint 1, entry_exception", result.stdout, self.shown)
        self.assertIn("The tour ends the system with status 0", result.stdout, self.shown)
        self.assertNotIn("NOVA: stopped", result.stdout, self.shown)

    def test_a_broken_tree_is_survived(self):
        tree = "kernel_pd.io.space.tree.root"
        result = self.debug(
            "hello", "--batch",
            f"set var {tree}->left = {tree}; set var kernel_pd.ecs.next = 8; nova pd; nova ec",
        )
        self.assertEqual(result.returncode, 0, self.shown)
        self.assertIn("a structure is damaged: the ports of kernel is not a tree", result.stdout)
        self.assertIn("a structure is damaged: the list of ECs of kernel", result.stdout)
        self.assertRegex(result.stdout, r"root +root +0 +global", self.shown)


if __name__ == "__main__":
    OPTIONS[:] = ["--arch", sys.argv[1], "--config", sys.argv[2]]
    unittest.main(argv=sys.argv[:1], verbosity=2)
