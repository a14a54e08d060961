# SPDX-License-Identifier: BSD-2-Clause
"""Wrong usage ends with status 2 and one sentence, before anything is built."""

import argparse
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import boot_test, bochs, conformance, debug, errors, options, places, run

WRONG = (
    [],
    ["fly"],
    ["run", "--cpus", "0"],
    ["run", "--cpus", "65"],
    ["run", "--cpus", "four"],
    ["run", "--cpus", "-1"],
    ["run", "--cpus"],
    ["run", "--cpu", "4"],
    ["run", "--memory", "7"],
    ["run", "--memory", "1e9"],
    ["run", "--timeout", "0"],
    ["run", "--timeout", "nan"],
    ["run", "--timeout", "soon"],
    ["run", "--arch", "arm"],
    ["run", "--config", "fast"],
    ["run", "--machine", "isapc"],
    ["run", "--compiler", "tcc"],
    ["run", "--arc", "x86_64"],
    ["run", "hello", "--frob"],
    ["run", "no-such-example"],
    ["run", "../hypervisor"],
    ["run", "one", "two"],
    ["run", "hello", "--roottask", "/bin/true"],
    ["run", "--roottask", "/does/not/exist"],
    ["run", "--roottask", __file__],
    ["run", "--roottask", "/bin/true"],
    ["run", "--module", "/does/not/exist with arguments"],
    ["run", "--module", " "],
    ["run", "linux", "--disk", "/does/not/exist"],
    ["run", "linux", "--disk", "/"],
    ["run", "linux", "--disk", "/dev/null"],
    ["run", "hello", "--disk", __file__],
    ["run", "--roottask", __file__, "--disk", __file__],
    ["run", "--module", "'/bin/true"],
    ["build", "hello"],
    ["build", "--", "-s"],
    ["test", "--arch", "arm"],
    ["conformance", "no-such-area"],
    ["conformance", "--kernel", "/does/not/exist"],
    ["conformance", "--kernel", __file__],
    ["bench", "--kernel", ""],
    ["bench", "--kernel", __file__],
    ["bench", "--trace", "--scale"],
    ["bench", "--timeout", "3"],
    ["test", "conformance.zorgle"],
    ["test", "."],
)


class Options(unittest.TestCase):
    def test_wrong_usage_is_one_sentence_and_status_2(self):
        for arguments in WRONG:
            with self.subTest(arguments=arguments):
                result = paths.nova(*arguments)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertEqual(result.stdout, "")
                self.assertRegex(result.stderr, r"\Anova: [^\n]+[.]\n\Z")

    def test_a_wrong_pattern_is_reported_with_its_test_before_the_boot(self):
        for option, keyword in (("--expect", "EXPECT"), ("--reject", "REJECT")):
            result = paths.nova(
                *("boot-test", "--arch", "x86_64", "--kernel", "/does/not/exist"),
                *("--name=mine", f"{option}=fine", f"{option}=client: (length"),
            )
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertRegex(
                result.stderr,
                rf"\Anova: the test 'mine': {keyword} 'client: \(length' is not a "
                r"regular expression: [^\n]+ such as \\\\\( for a parenthesis[.]\n\Z",
            )

    def test_a_number_of_cpus_is_not_a_model(self):
        self.assertIn("for 4 CPUs write --cpus 4.", paths.nova("run", "--cpu", "4").stderr)
        self.assertEqual(options.cpu_model("486"), "486")

    def test_only_machines_that_people_start_have_random_numbers(self):
        """Programs make keys from random numbers. Tests and figures need runs that can be repeated,
        so their machines have no random numbers."""
        parser = argparse.ArgumentParser()
        commands = parser.add_subparsers()
        for module in (run, debug, conformance, boot_test):
            module.add_parser(commands)
        for words, cpu in (
            (["run"], "qemu64,+svm,+npt,+rdrand"),
            (["debug"], "qemu64,+svm,+npt,+rdrand"),
            (["conformance"], "qemu64,+svm,+npt"),
            (["boot-test", "--arch", "x86_64", "--kernel", "k"], "qemu64,+svm,+npt"),
        ):
            with self.subTest(words=words):
                self.assertEqual(parser.parse_args(words).cpu, cpu)
                made = options.machine(parser.parse_args(words), "k", [], emulator="bochs")
                self.assertIn(f"model={bochs.CPU},", bochs.config(made, "console", 3))

    def test_an_sdk_that_lacks_a_kernel_says_how_to_choose_another(self):
        for arch, config, remedy in (
            ("x86_64", "debug", "x86_32-debug, x86_64-release: write --config release."),
            ("x86_32", "release", "x86_32-debug, x86_64-release: write --config debug."),
        ):
            self.lacks(("x86_64-release", "x86_32-debug"), arch, config, remedy)
        self.lacks(("x86_64-debug",), "x86_32", "debug", "write --arch x86_64 --config debug.")
        self.lacks((), "x86_32", "debug", "this SDK contains no kernel: install the SDK again.")

    def lacks(self, presets, arch, config, remedy):
        with tempfile.TemporaryDirectory() as folder:
            for preset in presets:
                (Path(folder) / preset).mkdir()
                (Path(folder) / preset / "nova.elf32").touch()
            with mock.patch.multiple(places, INSTALLED=True, SHARE=Path(folder)):
                with self.assertRaises(errors.NovaError) as refused:
                    places.kernel_folder(arch, config)
        self.assertTrue(str(refused.exception).endswith(remedy), refused.exception)

    def test_a_complaint_names_the_commands_own_help(self):
        self.assertIn("See nova run --help", paths.nova("run", "--frob").stderr)

    def test_help_names_every_command_and_option(self):
        self.helps(["--help"], "run", "build", "test", "conformance", "--version")
        self.helps(["build", "--help"], "--arch", "--config", "--compiler")
        self.helps(["conformance", "--help"], "--arch", "--cpus", "--kernel", "--tap", "NAME")
        self.helps(["seal", "--help"], "--rewrap", "Exit status: 0 done, 1 the image is damaged",
                   "2 wrong usage or environment.")
        self.helps(["test", "--help"], "--arch", "--config", "LABEL", "NAME")
        self.helps(
            ["run", "--help"],
            *("--arch", "--config", "--cpus", "--memory", "--timeout", "--cmdline", "--machine"),
            *("--cpu", "--roottask", "--module", "QEMU ARGUMENTS"),
        )

    def helps(self, arguments, *words):
        result = paths.nova(*arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for word in words:
            self.assertIn(word, result.stdout)

    def test_the_version_is_that_of_the_project(self):
        text = (paths.ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
        result = paths.nova("--version")
        self.assertRegex(result.stdout, r"\Anova \d+[.]\d+[.]\d+\n\Z")
        self.assertIn(f"VERSION {result.stdout.split()[1]} ", text)


if __name__ == "__main__":
    unittest.main()
