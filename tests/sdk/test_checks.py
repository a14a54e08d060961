# SPDX-License-Identifier: BSD-2-Clause
"""The style checks find the errors that they check for."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
import check_headers
import check_includes
import check_names
import check_public
import check_text
import check_tidy
import global_names

GOOD = ["/* SPDX-License-Identifier: BSD-2-Clause */", "int x;"]


class Text(unittest.TestCase):
    def one(self, lines, words):
        found = check_text.check_lines("f.c", lines)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def test_a_good_file_passes(self):
        self.assertEqual(check_text.check_lines("f.c", GOOD), [])
        script = ["#!/bin/sh", "# SPDX-License-Identifier: BSD-2-Clause"]
        self.assertEqual(check_text.check_lines("f", script), [])

    def test_licence_line(self):
        self.one(GOOD[1:], "first line")
        self.one([], "first line")

    def test_lengths(self):
        self.one([*GOOD, "x" * 101], "101 bytes")
        self.one([*GOOD, "x" * 99 + "…"], "102 bytes")
        self.one(GOOD * 301, "602 lines")

    def test_blanks_and_open_ends(self):
        self.one([*GOOD, "int y; "], "blanks")
        self.one([*GOOD, "\tint y;"], "tabulator")
        self.one([*GOOD, "/* TO" + "DO: more */"], "left open")

    def test_phrases_that_are_never_right(self):
        def found(line, name="f.md"):
            return check_text.check_phrases(name, [line])

        self.assertEqual(len(found("the session begins an" + "ew")), 1)
        self.assertEqual(len(found("TEST(guest, it_is_begun_an" + "ew_once)")), 1)
        self.assertEqual(len(found("'x' is n" + "o number from 1 to 4")), 1)
        self.assertEqual(found("there is no number that fits; the file is not an ELF file"), [])
        self.assertEqual(len(found("it ends, by whatever ca" + "use")), 1)
        self.assertEqual(len(found("Who" + "ever calls it")), 1)
        self.assertEqual(len(found("some" + "body waits, and so many " + "were there")), 2)
        self.assertEqual(len(found("some" + "body waits", "hypervisor/src/ipc/call.c")), 1)
        self.assertEqual(len(found("no" + "body waits")), 1)
        self.assertEqual(len(found("memory cannot be h" + "ad")), 1)
        self.assertEqual(len(found("the end has to be to" + "ld")), 1)
        self.assertEqual(len(found("The sa" + "me of a UTCB")), 1)
        self.assertEqual(len(found("/* The sa" + "me for a card. */")), 1)
        self.assertEqual(len(found("// Wha" + "t the guest found.")), 1)
        self.assertEqual(found("/* Words that a guest reads. What is it? */ // What?"), [])
        self.assertEqual(len(found("a wrong check su" + "m")), 1)
        self.assertEqual(len(found("at the beg" + "in; from BASE o" + "n")), 2)
        self.assertEqual(len(found("The w" + "ay of a guest's block")), 1)
        self.assertEqual(len(found("| wha" + "t | limit |")), 1)
        self.assertEqual(found("the beginning of RAM on the heap; | x | what |"), [])
        self.assertEqual(len(found("the owner is n" + "o PD")), 1)
        self.assertEqual(len(found("the straight pa" + "th; its NMI is on its w" + "ay")), 2)
        self.assertEqual(len(found("it is up" + "ped; a move is under w" + "ay")), 2)
        self.assertEqual(len(found("pure lo" + "gic waits in va" + "in, gone for go" + "od")), 3)
        self.assertEqual(found("there is no PD; the same UTCB; the page had to be mapped"), [])
        self.assertEqual(len(found("one step's num" + "ber; the other on" + "es")), 2)
        self.assertEqual(len(found("it ends at each four" + "th call")), 1)
        self.assertEqual(found("the number of a step; the others; each second; a fourth"), [])
        self.assertEqual(found("the caller waits for whatever comes"), [])
        self.assertEqual(len(found("TEST(elf, refuses_what_is_n" + "o_image)")), 1)
        self.assertEqual(len(found("the thread for who" + "m it works")), 1)
        self.assertEqual(len(found("ends after this ma" + "ny steps")), 1)
        self.assertEqual(len(found("each number stands on" + "ce")), 1)
        self.assertEqual(len(found("each number stands twi" + "ce")), 1)
        self.assertEqual(len(found("it believes an" + "y length")), 1)
        self.assertEqual(len(found("the ports from 0x1000 o" + "n; selectors from 0 o" + "n")), 2)
        self.assertEqual(found("TEST(x, gives_0_when_there_is_no_map); from 1 on each CPU"), [])
        self.assertEqual(len(found("it is ignored; known a" + "re a and b")), 1)
        self.assertEqual(len(found("the guest is to" + "ld the size")), 1)
        self.assertEqual(len(found("signed by none of th" + "ose")), 1)
        self.assertEqual(len(found("announces itself to a" + "ll, by frames to a" + "ll")), 2)
        self.assertEqual(len(found("| address | what is the" + "re |")), 1)
        self.assertEqual(len(found("| EIO | that of th" + "e client | x |")), 1)
        self.assertEqual(found("frames to all cards; none of the others; | what is there in |"), [])


class Includes(unittest.TestCase):
    WIDTHS = {"thread.h": "arch", "guest_msrs.h": "virt"}

    def found(self, name, text, upward=None):
        return check_includes.check_arrows({name: text}, self.WIDTHS, upward or {})

    def calls(self, allowed=(), upward=None, **files):
        texts = {name.replace("__", "/").replace("_dot_", "."): files[name] for name in files}
        reasons = dict.fromkeys(allowed, "a reason")
        return check_includes.check_calls(texts, reasons, upward or {})

    def test_upwards_is_refused(self):
        self.assertTrue(self.found("lib/list.h", '#include "memory/slab.h"\n'))
        self.assertTrue(self.found("memory/slab.h", '#include "object/sm.h"\n'))
        self.assertTrue(self.found("object/sm.h", ' # include "ipc/call.h"\n'))
        self.assertTrue(self.found("ipc/call.h", '#include "hypercall/dispatch.h"\n'))

    def test_no_folder_is_exempt(self):
        self.assertTrue(self.found("arch/x86/a.c", '#include "object/ec.h"\n'))
        self.assertTrue(self.found("lib/a.c", '#include "arch/x86/cpu.h"\n'))
        self.assertTrue(self.found("space/a.h", '#include "object/b.h"\n'))
        self.assertTrue(self.found("object/a.h", '#include "sched/b.h"\n'))
        self.assertTrue(self.found("firmware/a.c", '#include "boot/b.h"\n'))
        self.assertTrue(self.found("platform/a.h", '#include "lib/b.h"\n'))

    def test_headers_of_a_width_belong_to_their_folder(self):
        self.assertTrue(self.found("lib/a.c", '#include "thread.h"\n'))
        self.assertTrue(self.found("ipc/a.c", '#include "guest_msrs.h"\n'))
        self.assertFalse(self.found("object/a.c", '#include "thread.h"\n'))

    def test_down_and_beside_are_allowed(self):
        self.assertFalse(self.found("hypercall/a.h", '#include "ipc/b.h"\n#include "lib/c.h"\n'))
        self.assertFalse(self.found("object/a.h", '#include "space/b.h"\n#include "object/c.h"\n'))
        self.assertFalse(self.found("memory/a.h", '#include "arch/x86/cpu.h"\n#include "cpu.h"\n'))
        self.assertFalse(self.found("boot/a.h", '#include "object/pd.h"\n'))

    def test_the_list_allows_one_header_and_has_no_superfluous_entry(self):
        upward = {("arch", "object"): ("a reason", ("object/ec.h",))}
        one = '#include "object/ec.h"\n'
        self.assertFalse(self.found("arch/x86/a.c", one, upward))
        self.assertTrue(self.found("arch/x86/a.c", one + '#include "object/sm.h"\n', upward))
        self.assertTrue(self.found("arch/x86/a.c", "", upward))
        self.assertTrue(self.found("memory/a.c", one, upward))

    def test_a_cycle_of_two_folders_is_refused(self):
        files = {"ipc/a.h": '#include "virt/b.h"\n', "virt/b.h": '#include "ipc/a.h"\n'}
        [complaint] = check_includes.check_arrows(files, {}, {})
        self.assertIn("ipc/a.h", complaint)

    def test_a_call_upwards_that_bypasses_the_includes_is_refused(self):
        header, source = "void act(int a) __attribute__((hot));\n", "void act(int a)\n{\n}\n"
        self.assertTrue(self.calls(lib__act_dot_h=header, sched__act_dot_c=source))
        self.assertFalse(self.calls(lib__act_dot_h=header, lib__act_dot_c=source))
        self.assertFalse(self.calls(sched__act_dot_h=header, lib__act_dot_c=source))
        self.assertFalse(self.calls(["act"], lib__act_dot_h=header, sched__act_dot_c=source))
        self.assertTrue(self.calls(["act"], lib__act_dot_h=header, lib__act_dot_c=source))

    ACT = {
        "sched__act_dot_h": "void act(int a);\n",
        "sched__act_dot_c": "void act(int a)\n{\n}\n",
    }

    def test_a_call_upwards_is_refused_however_it_is_declared(self):
        [complaint] = self.calls(lib__a_dot_c="void b(void)\n{\n        act(1);\n}\n", **self.ACT)
        self.assertIn("lib/a.c: calls act, which sched/act.c defines", complaint)
        self.assertTrue(self.calls(lib__a_dot_h="#define A(x) act(x)\n", **self.ACT))
        self.assertTrue(self.calls(lib__a_dot_c="int b = (act)(1);\n", **self.ACT))
        body = "static inline void b(void)\n{\n        act(1);\n}\n"
        self.assertTrue(self.calls(lib__a_dot_h="void act(int a);\n" + body, **self.ACT))
        self.assertFalse(self.calls(["act"], lib__a_dot_c="int b = act(1);\n", **self.ACT))
        self.assertFalse(self.calls(ipc__a_dot_c="int b = act(1);\n", **self.ACT))
        self.assertFalse(self.calls(lib__a_dot_c="int b = x->act(1); /* act(1) */\n", **self.ACT))

    def test_a_function_of_a_listed_header_may_be_called(self):
        upward = {("lib", "sched"): ("a reason", ("sched/act.h",))}
        self.assertFalse(self.calls((), upward, lib__a_dot_c="int b = act(1);\n", **self.ACT))
        self.assertTrue(self.calls((), upward, arch__a_dot_c="int b = act(1);\n", **self.ACT))

    def test_a_second_declaration_in_a_higher_folder_hides_nothing(self):
        low = {"lib__low_dot_h": "void act(int a);\n", "lib__a_dot_c": "int b = act(1);\n"}
        [complaint] = self.calls(**low, **self.ACT)
        self.assertIn("lib/a.c", complaint)

    def test_assembly_that_names_a_function_above_it_is_refused(self):
        for line in ("call    act", "jmp     act", ".quad   act", "jz      act"):
            self.assertTrue(self.calls(arch__entry_dot_S=f"        {line}\n", **self.ACT))
            self.assertTrue(self.calls(arch__entry_dot_inc=f"        {line}\n", **self.ACT))
        self.assertFalse(self.calls(["act"], arch__entry_dot_S="call act\n", **self.ACT))
        self.assertFalse(self.calls(arch__entry_dot_S="/* call act */\n", **self.ACT))
        label = {"virt__enter_dot_S": ".globl enter\nenter:\n"}
        self.assertTrue(self.calls(lib__a_dot_c="int b = enter(1);\n", **label))

    def test_an_include_that_bypasses_the_folder_rules_is_refused(self):
        known = {"sched/cpu.h", "lib/list.h"}

        def wrong(line):
            return check_includes.check_forms("lib/a.c", line + "\n", known)

        for line in (
            '#include "../sched/cpu.h"',
            '#include "arch/x86/../../sched/cpu.h"',
            "#include <sched/cpu.h>",
            "# include <lib/list.h>",
            "#include HEADER",
            '#include_next "sched/cpu.h"',
            '#import "sched/cpu.h"',
            '.include "../sched/cpu.h"',
        ):
            self.assertEqual(len(wrong(line)), 1, line)
        for line in (
            '#include "lib/list.h"',
            "#include <stdint.h>",
            "/* #include <sched/cpu.h> */",
        ):
            self.assertEqual(wrong(line), [], line)

    def test_a_source_file_declares_nothing_of_another(self):
        def wrong(text, **others):
            files = {"lib/a.c": text, "arch/start.S": ".globl base, enter\nbase:\nenter:\n"}
            return check_includes.check_declarations({**files, "arch/link.inc": "end_of = .;\n"})

        for text in (
            "void act(int a);\n",
            "extern void act(int a);\n",
            "extern int object;\n",
            "extern struct cpu cpus[];\n",
            "void b(void)\n{\n        extern int object;\n}\n",
            "extern char base[], object[];\n",
        ):
            self.assertEqual(len(wrong(text)), 1, text)
        for text in (
            "void act(int a);\nvoid act(int a)\n{\n}\n",
            "static void act(int a);\n",
            "_Noreturn void enter(void);\n",
            "extern char base[], end_of[];\n",
            '_Static_assert(sizeof(int) == 4, "a text");\n',
            "int b(void)\n{\nend:\n        act(1);\n}\n",
        ):
            self.assertEqual(wrong(text), [], text)

    def test_every_entry_of_the_list_gives_a_reason(self):
        for reason, headers in check_includes.UPWARD.values():
            self.assertTrue(reason and headers)
        self.assertTrue(all(check_includes.UPWARD_CALLS.values()))

    def test_conditions_on_the_width_stand_in_the_folders_of_the_widths(self):
        for line in ("#if __SIZEOF_POINTER__ == 8", "# elif defined(__i386__)", "#ifdef __LP64__"):
            text = f"int x;\n{line}\n#endif\n"
            [complaint] = check_includes.check_width("arch/x86/insn.h", text)
            self.assertIn("insn.h:2", complaint)
            self.assertFalse(check_includes.check_width("arch/x86_64/tls.h", text))
        self.assertFalse(check_includes.check_width("lib/a.h", "#if KERNEL_CHECKS\n#endif\n"))

    def test_the_own_header_comes_first(self):
        text = '#include "lib/types.h"\n#include "lib/tree.h"\n'
        self.assertTrue(check_includes.check_own("lib/tree.c", text, True))
        self.assertTrue(check_includes.check_own("lib/tree.c", "", True))
        self.assertFalse(check_includes.check_own("lib/tree.c", '#include "lib/tree.h"\n', True))


class Names(unittest.TestCase):
    def wrong(self, name, *heads):
        return check_names.check_local(name, "".join(f"{head}\n{{\n}}\n" for head in heads))

    def test_a_local_function_has_the_prefix_of_its_file(self):
        self.assertFalse(self.wrong("object/sm.c", "static bool sm_is_free(int a)"))
        [complaint] = self.wrong("object/sm.c", "static bool is_free(int a)", "void wake(void)")
        self.assertIn("is_free()", complaint)
        self.assertTrue(self.wrong("object/sm.c", "static bool smart(int a)"))

    def test_neither_attributes_nor_line_ends_nor_declarations_hide_a_function(self):
        for head in (
            "static __attribute__((noinline, section(\".cold\"))) _Noreturn void wake(int a)",
            "static always_inline struct sc *\nwake(int a)",
            "static _Noreturn void wake(int a);\nint b(void)",
        ):
            self.assertEqual(len(self.wrong("object/sm.c", head)), 1, head)
        for head in (
            "/* static\nstatic int wake(void) */ int b(void)",
            "static const struct table all = {one(2)};\nint b(void)",
        ):
            self.assertFalse(self.wrong("object/sm.c", head), head)

    def test_a_continuation_has_its_prefix_after_the_verb(self):
        self.assertFalse(self.wrong("object/reap.c", "static void finish_reap(int a)"))
        self.assertTrue(self.wrong("object/reap.c", "static void finish_call(int a)"))

    def test_files_of_a_folder_may_share_a_prefix(self):
        self.assertFalse(self.wrong("virt/svm/svm_exit.c", "static void svm_inject(int a)"))
        self.assertFalse(self.wrong("sched/schedule.c", "static void sched_bind(int a)"))
        self.assertTrue(self.wrong("sched/schedule.c", "static void schedule_bind(int a)"))


class PublicHeaders(unittest.TestCase):
    HEADERS = ("roottask/vmm/src/vm.h", "roottask/include/novart/time.h")

    def found(self, text):
        return check_public.check_file("a.c", text, self.HEADERS.__contains__)

    def test_a_private_header_of_another_part_is_refused(self):
        self.assertTrue(self.found('#include "start/parent.h"\n'))
        self.assertTrue(self.found('# include "../../src/start/parent.h"\n'))

    def test_own_and_public_headers_are_allowed(self):
        self.assertFalse(self.found('#include <errno.h>\n#include "vm.h"\n'))
        self.assertFalse(self.found('#include "novart/time.h"\n'))


class GlobalNames(unittest.TestCase):
    def offenders(self, text, archive="libmine.a"):
        with tempfile.TemporaryDirectory() as folder:
            source, made = Path(folder, "mine.c"), Path(folder, "lib", archive)
            header = Path(folder, "include/mine.h")
            for file in (made, header):
                file.parent.mkdir()
            header.write_text("int declared(int mentioned);\n", encoding="utf-8")
            source.write_text(text, encoding="utf-8")
            subprocess.run(["gcc", "-c", source, "-o", made.with_suffix(".o")], check=True)
            subprocess.run(["ar", "rc", made, made.with_suffix(".o")], check=True)
            return global_names.offenders(made, ["free", "pthread_*"])[0]

    def test_a_global_name_that_belongs_to_programs_is_found(self):
        text = "int x; static int y; int nova_z; void serial_write(void) { y = 1; }\n"
        self.assertEqual(self.offenders(text), ["serial_write", "x"])

    def test_names_in_the_list_are_allowed(self):
        self.assertEqual(self.offenders("int free, pthread_new, free_all;\n"), ["free_all"])

    def test_a_weak_or_reserved_name_is_found(self):
        text = "__attribute__((weak)) int weak; int _reserved;\n"
        self.assertEqual(self.offenders(text), ["_reserved", "weak"])

    def test_the_c_library_has_reserved_names_and_those_of_its_headers(self):
        text = "int declared, mentioned, _reserved, other;\n"
        self.assertEqual(self.offenders(text, "libc.a"), ["mentioned", "other"])

    def test_a_header_must_declare_what_the_list_says(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "one.h").write_text("#include <two.h>\n", encoding="utf-8")
            Path(folder, "two.h").write_text("int there_is(void);\n", encoding="utf-8")
            entries = list(global_names.rows("# a comment\none.h there_* absent\nlinker _start\n"))
            found = list(global_names.undeclared(entries, [Path(folder)]))
        self.assertEqual(found, ["one.h does not declare absent"])


class Headers(unittest.TestCase):
    def test_a_header_belongs_to_its_architecture(self):
        self.assertFalse(check_headers.for_arch(Path("arch/x86_32/layout.h"), "x86_64"))
        self.assertTrue(check_headers.for_arch(Path("arch/x86_64/layout.h"), "x86_64"))
        self.assertTrue(check_headers.for_arch(Path("arch/x86/cpu.h"), "x86_64"))

    def test_a_header_that_needs_another_first_or_cannot_be_included_twice_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            header = Path(folder) / "h.h"
            contents = (("int x;\n", True), ("later_t x;\n", False), ("enum a { B };\n", False))
            for text, good in contents:
                header.write_text(text, encoding="utf-8")
                found = check_headers.compile_alone(("h", ["gcc", "-x", "c"], header))
                self.assertEqual(not found, good)


class Nothing(unittest.TestCase):
    def test_a_check_that_looked_at_nothing_fails(self):
        for name in ("text", "format", "includes", "names", "public"):
            with self.subTest(check=name), tempfile.TemporaryDirectory() as folder:
                script = paths.ROOT / f"tests/style/check_{name}.py"
                result = subprocess.run(
                    [sys.executable, "-B", str(script), folder, folder],
                    stdout=subprocess.PIPE,
                    check=False,
                )
                self.assertEqual(result.returncode, 1)


class Tidy(unittest.TestCase):
    """A small tree of two files; one includes a header."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.write(".clang-tidy", "Checks: '-*,misc-redundant-expression'\nWarningsAsErrors: '*'\n")
        self.write("a.h", "static inline int one(void) { return 1; }\n")
        self.write("a.c", '#include "a.h"\nint f(int x) { return x + one(); }\n')
        self.write("b.c", "int g(int x) { return x; }\n")
        self.entries = [self.entry("a.c"), self.entry("b.c")]
        database = json.dumps(self.entries)
        self.write("compile_commands.json", database)

    def write(self, name, text):
        (self.root / name).write_text(text, encoding="utf-8")

    def entry(self, name):
        command = f"clang -o {name}.o -c {self.root / name}"
        return {"directory": str(self.root), "file": str(self.root / name), "command": command}

    def looked_at(self, deep=False):
        """Returns the names of the files that clang-tidy checks, and the number of complaints."""
        seen, real = [], check_tidy.complaint

        def complaint(files, folder, deep):
            seen.extend(Path(file).name for file in files)
            return real(files, folder, deep)

        check_tidy.complaint = complaint
        try:
            memory = self.root / "passed"
            found = check_tidy.check_entries(self.entries, self.root, self.root, memory, deep)
        finally:
            check_tidy.complaint = real
        return sorted(seen), len(found)

    def test_only_changed_files_are_checked_again(self):
        self.assertEqual(self.looked_at(), (["a.c", "b.c"], 0))
        self.assertEqual(self.looked_at(), ([], 0))
        self.write("a.h", "static inline int one(void) { return 2; }\n")
        self.assertEqual(self.looked_at(), (["a.c"], 0))
        self.entries[1]["command"] += " -DX"
        self.assertEqual(self.looked_at(), (["b.c"], 0))
        with open(self.root / ".clang-tidy", "a", encoding="utf-8") as file:
            file.write("HeaderFilterRegex: 'a.h'\n")
        self.assertEqual(self.looked_at(), (["a.c", "b.c"], 0))

    def test_another_clone_looks_only_at_what_differs(self):
        memory = self.root / "passed"
        self.assertEqual(self.looked_at(), (["a.c", "b.c"], 0))
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder).resolve()
            for name in (".clang-tidy", "a.h", "a.c", "b.c", "compile_commands.json", "passed"):
                text = (self.root / name).read_text(encoding="utf-8")
                (other / name).write_text(text.replace(str(self.root), folder), encoding="utf-8")
            self.root = other
            self.entries = [self.entry("a.c"), self.entry("b.c")]
            self.assertEqual(self.looked_at(), ([], 0))
            self.write("b.c", "int g(int x) { return x == x; }\n")
            self.assertEqual(self.looked_at(), (["b.c"], 1))
            after = (other / "passed").read_text(encoding="utf-8")
        self.assertEqual(after, memory.read_text(encoding="utf-8"))

    def test_the_digests_are_in_the_users_cache_if_it_can_be_used(self):
        (self.root / "file").touch()
        (self.root / "folder/nova/tidy-passed").mkdir(parents=True)
        (self.root / "pipe/nova").mkdir(parents=True)
        os.mkfifo(self.root / "pipe/nova/tidy-passed")
        good = self.root / "new"
        for value, found in ((good, good / "nova"), ("/proc", self.root), *(
                (self.root / bad, self.root) for bad in ("file", "folder", "pipe"))):
            with mock.patch.dict(os.environ, XDG_CACHE_HOME=str(value)):
                place = check_tidy.memory_of(self.root, False)
            self.assertEqual(place, found / "tidy-passed")

    def test_a_user_without_a_home_has_no_cache(self):
        with mock.patch.dict(os.environ), mock.patch("pwd.getpwuid", side_effect=KeyError):
            os.environ.pop("XDG_CACHE_HOME", None)
            os.environ.pop("HOME", None)
            self.assertEqual(check_tidy.memory_of(self.root, True), self.root / "tidy-passed-deep")

    def test_digests_that_cannot_be_read_or_written_are_not_used(self):
        memory = self.root / "passed"
        memory.write_bytes(b"\xff\0\n" * 9)
        self.assertEqual(self.looked_at(), (["a.c", "b.c"], 0))
        self.assertEqual(self.looked_at(), ([], 0))
        memory.unlink()
        memory.symlink_to("/dev/full")
        with mock.patch.object(check_tidy, "recall", lambda _: ["x", "y"]):
            with mock.patch.object(check_tidy, "MOST", 1):
                with mock.patch.object(Path, "replace", side_effect=OSError):
                    self.assertEqual(self.looked_at(), (["a.c", "b.c"], 0))
        self.assertEqual(list(self.root.glob("passed.*")), [])

    def test_digests_of_other_states_are_kept_up_to_a_limit(self):
        self.assertEqual(self.looked_at(), (["a.c", "b.c"], 0))
        memory = self.root / "passed"
        own = memory.read_text(encoding="utf-8").split()
        others = [f"{number:x}" for number in range(8)]
        memory.write_text("\n".join([*own, *others]) + "\n", encoding="utf-8")
        with mock.patch.object(check_tidy, "MOST", 8):
            self.assertEqual(self.looked_at(), ([], 0))
        self.assertEqual(memory.read_text(encoding="utf-8").split(), [*own, *others[2:]])

    def test_a_file_that_the_build_generates_is_not_checked(self):
        entries = [self.entry("generated.c"), *self.entries, self.entry("a.c"), self.entry("a.S")]
        self.assertEqual(check_tidy.choose(entries), self.entries)

    def test_a_run_that_was_stopped_is_continued(self):
        def stop_at_b(files, *_):
            if files[0].endswith("b.c"):
                raise KeyboardInterrupt

        with mock.patch.object(check_tidy, "complaint", stop_at_b):
            with self.assertRaises(KeyboardInterrupt):
                check_tidy.check_entries(self.entries, self.root, self.root, self.root / "passed")
        self.assertEqual(self.looked_at(), (["b.c"], 0))

    def test_a_file_that_changes_while_it_is_checked_is_checked_again(self):
        bad, real = "int g(int x) { return x == x; }\n", check_tidy.complaint
        good = (self.root / "b.c").read_text(encoding="utf-8")

        def mend(files, *words):
            self.write("b.c", good)
            return real(files, *words)

        self.write("b.c", bad)
        with mock.patch.object(check_tidy, "complaint", mend):
            self.assertEqual(self.looked_at(), (["a.c", "b.c"], 0))
        self.write("b.c", bad)
        self.assertEqual(self.looked_at(), (["b.c"], 1))

    def test_files_that_are_checked_together_have_their_own_complaints(self):
        for number in range(64):
            self.write(f"c{number}.c", f"int h{number}(int x) {{ return x; }}\n")
            self.entries.append(self.entry(f"c{number}.c"))
        self.write("c7.c", "int g(int x) { return x == x; }\n")
        self.write("compile_commands.json", json.dumps(self.entries))
        memory = self.root / "passed"
        with mock.patch.object(check_tidy.os, "cpu_count", lambda: 2):
            self.assertGreater(len(check_tidy.groups(self.entries)[0]), 1)
            found = check_tidy.check_entries(self.entries, self.root, self.root, memory)
        self.assertEqual(len(found), 1)
        self.assertIn("c7.c", found[0])
        self.assertEqual(len(memory.read_text(encoding="utf-8").split()), 65)
        self.assertEqual(self.looked_at(), (["c7.c"], 1))

    def test_the_analyzer_runs_in_a_deep_check_only(self):
        checks = "-*,misc-redundant-expression,clang-analyzer-*"
        self.write(".clang-tidy", f"Checks: '{checks}'\nWarningsAsErrors: '*'\n")
        self.write("b.c", "int g(int x) { int *p = 0; return x ? *p : 1; }\n")
        self.assertEqual(self.looked_at(), (["a.c", "b.c"], 0))
        self.assertEqual(self.looked_at(deep=True), (["a.c", "b.c"], 1))

    def test_a_file_with_complaints_is_checked_each_time(self):
        self.write("b.c", "int g(int x) { return x == x; }\n")
        self.assertEqual(self.looked_at(), (["a.c", "b.c"], 1))
        self.assertEqual(self.looked_at(), (["b.c"], 1))

    def test_a_file_that_does_not_compile_is_checked_each_time(self):
        self.write("b.c", '#include "nothing.h"\n')
        self.assertEqual(self.looked_at(), (["a.c", "b.c"], 1))
        self.assertEqual(self.looked_at(), (["b.c"], 1))


if __name__ == "__main__":
    unittest.main()
