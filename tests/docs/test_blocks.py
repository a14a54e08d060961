# SPDX-License-Identifier: BSD-2-Clause
"""The tests of code blocks find errors. Small texts test each of them."""

import sys
import unittest
from pathlib import Path

import blocks
import compile as compiler
import plan
import session

ROOT = Path(__file__).resolve().parents[2]


def page(text):
    return blocks.of_page("docs/a.md", text)


def fenced(language, text, mark=""):
    before = f"<!-- block: {mark} -->\n" if mark else ""
    return f"{before}```{language}\n{text}```\n"


class Blocks(unittest.TestCase):
    def test_examples_of_headers_are_fragments(self):
        text = "/**\n * A.\n * @code\n * f();\n *\n *         g();\n * @endcode\n */\n"
        found = blocks.of_header("x/include/nova/a.h", text, "fragment")
        self.assertEqual([(b.line, b.text) for b in found], [(3, "f();\n\n        g();\n")])
        self.assertIn("#include <nova/a.h>", compiler.source(found[0]))
        with self.assertRaises(blocks.PageError):
            blocks.of_header("a.h", text.replace("@endcode", ""), "fragment")

    def test_marks_are_read(self):
        output = fenced("text", "1\n", "output p x86_32")
        found = page("x\n" + fenced("c", "a\n", "program p") + output)
        self.assertEqual([block.kind() for block in found], ["program", "output"])
        self.assertEqual(blocks.programs(found), {("docs/a.md", "p"): ("a\n", {"x86_32": "1\n"})})

    def test_a_block_without_a_test_is_refused(self):
        for text in (
            fenced("cmake", "x\n"),
            fenced("python", "x\n"),
            fenced("c", "x\n", "programme p"),
            fenced("c", "x\n", "not tested:"),
            fenced("sh", "x\n", "program p"),
            fenced("text", "x\n", "session s"),
            fenced("text", "x\n", "output p x86"),
            "<!-- block: fragment-->\n```c\nx\n```\n",
            "```c\nx\n",
        ):
            with self.subTest(text=text), self.assertRaises(blocks.PageError):
                page(text)

    def test_a_program_says_what_it_prints(self):
        for text in (fenced("c", "a\n", "program p"), fenced("", "a\n", "output p")):
            with self.assertRaises(blocks.PageError):
                blocks.programs(page(text))

    def test_expected_lines_are_patterns(self):
        self.assertEqual(plan.pattern("a [1]; b"), r"^a \[1\]. b\s*$")


class Compile(unittest.TestCase):
    def complaints(self, text):
        return compiler.check(ROOT, page(text))

    def test_good_blocks(self):
        self.assertEqual(self.complaints(fenced("c", "int f(void);\n")), [])
        fragment = fenced("c", "status = nova_call(pt, 0);\n", "fragment")
        self.assertEqual(self.complaints(fragment), [])
        self.assertEqual(self.complaints(fenced("sh", "nova run hello --cpus 2\n")), [])
        text = fenced("system", "program x\n", "session s file x.nova")
        self.assertEqual(self.complaints(text), [])
        quote = fenced("c", "include_guard(GLOBAL)\n", "quote sdk/cmake/NovaTargets.cmake")
        self.assertEqual(self.complaints(quote), [])

    def test_a_bad_fragment_among_others_is_named(self):
        good = fenced("c", "extern int a;\nstatus = nova_call(pt, a);\n", "fragment")
        other = fenced("c", "extern char *a;\n*a = 1;\n", "fragment")
        bad = fenced("c", "nova_call(pt);\n", "fragment")
        self.assertEqual(self.complaints(good + other + good), [])
        found = self.complaints(good + other + bad + good)
        self.assertEqual(len(found), 4)
        for complaint in found:
            self.assertRegex(complaint, r"^docs/a[.]md:\d+ [(]\w+, \w+[)]:\n(.*\n)*.*nova_call")
        self.assertEqual(len({complaint.partition(" ")[0] for complaint in found}), 1)

    def test_fragments_with_the_same_headers_are_compiled_at_once(self):
        good = fenced("c", "status = nova_call(pt, 0);\n", "fragment")
        macro = fenced("c", "#define A 1\nstatus = nova_call(pt, A);\n", "fragment")
        self.assertEqual(len(list(compiler.compilations(ROOT, page(good * 5)))), 4)
        self.assertEqual(len(list(compiler.compilations(ROOT, page(good + macro)))), 8)

    def test_bad_blocks(self):
        for text in (
            fenced("c", "int f(void) { return nothing; }\n"),
            fenced("c", "nova_call(pt);\n", "fragment"),
            fenced("sh", "nova run hello --cups 2\n"),
            fenced("sh", "sdk/bin/nova rum\n", "not tested: no"),
            fenced("sh", "if\n"),
            fenced("c", "int not_there;\n", "quote README.md"),
            fenced("c", "x\n", "quote no/such/file"),
            fenced("system", "program x\n        memry 1M\n"),
            fenced("system", "program x\n", "wrong"),
            fenced("system", "program x\n        memry 1M\n", "session s file x.nova"),
            fenced("system", "program x y\n", "wrong") + fenced("text", "a\n", "mistakes"),
        ):
            with self.subTest(text=text):
                self.assertTrue(self.complaints(text))


class Sessions(unittest.TestCase):
    def run_page(self, text):
        found = page(text)
        return session.run(ROOT, blocks.sessions(found)["docs/a.md", "s"])

    def test_commands_share_a_folder_and_a_shell(self):
        text = fenced("sh", "mkdir sub\ncd sub\n", "session s")
        text += fenced("cmake", "a 'b' $c\n", "session s file f.txt")
        text += fenced("sh", "cat f.txt; ls ..\n", "session s")
        text += fenced("text", "a 'b' $c\nsub\n", "session s output")
        self.assertEqual(self.run_page(text), [])

    def test_a_failing_command_and_another_output_are_reported(self):
        self.assertEqual(len(self.run_page(fenced("sh", "false\ntrue\n", "session s"))), 1)
        text = fenced("sh", "echo b; echo a\n", "session s")
        text += fenced("text", "a\nb\n", "session s output")
        self.assertEqual(len(self.run_page(text)), 1)


if __name__ == "__main__":
    sys.exit(unittest.main())
