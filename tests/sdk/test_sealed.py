# SPDX-License-Identifier: BSD-2-Clause
"""Images that are sealed when a system is booted."""

import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths  # makes the tool's modules known
from nova import boot_modules, build, cli, guest, places, project, run, seal_files, sealed
from nova.errors import NovaError
from nova.qemu import Module


class Sealed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nova test ")
        self.addCleanup(self.folder.cleanup)

    def write(self, text):
        path = Path(self.folder.name) / "guest.seal"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def pair(self, folder=""):
        """Makes files like nova's own keys. Returns the file of the private key."""
        folder = Path(self.folder.name) / folder
        folder.mkdir(exist_ok=True)
        for name, magic in (("machine.key", seal_files.PRIVATE_MAGIC),
                            ("machine.pub", seal_files.PUBLIC_MAGIC)):
            (folder / name).write_bytes(magic + bytes(32))
        return folder / "machine.key"

    def command(self, text, kernel="", arguments=""):
        return sealed.command(self.write(text), kernel, arguments, "machine.pub", "out.img")

    def test_the_words_of_a_description_become_options(self):
        found = self.command("# a comment\n\nkernel vmlinuz\ninitrd other/initrd\n"
                             "command-line console=hvc0\nmemory 256\nvcpus 2\ndebug\n"
                             "vector-128\n"
                             "phrase phrase\nsecret token=a\nsecret other=b/c\n")
        self.assertEqual(found, [
            "--kernel", f"{self.folder.name}/vmlinuz", "--initrd",
            f"{self.folder.name}/other/initrd", "--command-line=console=hvc0", "--memory", "256",
            "--vcpus", "2", "--debug", "--vector-128", "--disk-phrase-file",
            f"{self.folder.name}/phrase", "--secret", f"token={self.folder.name}/a",
            "--secret", f"other={self.folder.name}/b/c",
            "--machine", "machine.pub", "--out", "out.img",
        ])

    def test_tabs_and_the_mark_of_utf_8_at_the_start_are_accepted(self):
        found = self.command("\ufeffkernel\tvmlinuz\n\tmemory \t 256\t\n")
        self.assertEqual(found[:4], ["--kernel", f"{self.folder.name}/vmlinuz", "--memory", "256"])

    def test_a_number_of_many_thousand_digits_is_refused(self):
        for digits in ("9" * 5000, "0" * 5000, "9" * 5):
            with self.assertRaisesRegex(sealed.TextError, ":1: 'vcpus' takes a whole number"):
                self.command(f"vcpus {digits}\n")

    def test_arguments_follow_the_command_line(self):
        self.assertIn("--command-line=quiet run=ls",
                      self.command("kernel k\ncommand-line quiet\n", arguments="run=ls"))
        self.assertIn("--command-line=--x", self.command("kernel k\n", arguments="--x"))

    def test_a_guest_of_the_build_is_the_kernel(self):
        self.assertEqual(self.command("memory 8\n", "/build/guest")[:2],
                         ["--kernel", "/build/guest"])

    def test_an_unknown_key_is_refused_with_its_line(self):
        with self.assertRaisesRegex(NovaError, r"guest\.seal:2: 'cpus' is not a word of this "
                                               r"file[.] Did you mean 'vcpus'[?] The words are "
                                               r"kernel, initrd, command-line, memory, vcpus, "
                                               r"debug, vector-128, phrase, secret\.$"):
            self.command("memory 8\ncpus 2\n")

    def test_a_line_with_a_mistake_is_refused_with_its_number(self):
        for text, said in (
            ("memory", "'memory' has no value: write 'memory MIB'"),
            ("secret", "'secret' has no value: write 'secret NAME=FILE'"),
            ("secret token", "'token' is not a secret: write 'secret NAME=FILE'"),
            ("secret token=", "'token=' is not a secret: write 'secret NAME=FILE'"),
            ("vcpus 2", "there is a line 'vcpus' already: leave one out"),
            ("debug no", "'debug' takes no value: leave out 'no'"),
            ("vector-128 yes", "'vector-128' takes no value: leave out 'yes'"),
            ("memory 8M", "'memory' takes a whole number from 2 to 3072 MiB, not '8M'"),
            ("memory 0", "'memory' takes a whole number from 2 to 3072 MiB, not '0'"),
            ("memory 7", "the guest's memory is an even number of MiB, not 7: write 'memory 8'"),
            ("secret a b=c", "'a b' cannot be the name of a secret: use 1 to 31 letters, digits, "
                             "'.', '_' and '-'"),
        ):
            with self.assertRaisesRegex(NovaError, f"guest\\.seal:2: {said}\\.$") as caught:
                self.command(f"vcpus 1\n{text}\n", "k")
            self.assertEqual(caught.exception.status, 1)  # as for other descriptions

    def test_a_number_of_cpus_and_a_second_secret_are_refused_with_their_line(self):
        for text, said in (("vcpus 9", "'vcpus' takes a whole number from 1 to 8, not '9'"),
                           ("secret a=x", "there is a secret 'a' already: give each another name")):
            with self.assertRaisesRegex(NovaError, f"guest\\.seal:2: {said}\\.$"):
                self.command(f"secret a=x\n{text}\n", "k")

    def test_a_description_without_a_line_has_the_defaults(self):
        for text in ("", "# a comment\n"):
            self.assertEqual(self.command(text, "/build/guest"),
                             ["--kernel", "/build/guest", "--machine", "machine.pub", "--out",
                              "out.img"])

    def test_without_a_kernel_there_is_a_sentence(self):
        with self.assertRaisesRegex(NovaError, "the kernel is k, the GUEST of nova_add_system"):
            sealed.command(self.write("kernel other\n"), "/build/k", "", "pub", "out")
        with self.assertRaisesRegex(NovaError, "guest.seal names no kernel"):
            self.command("memory 8\n")

    def test_a_description_that_cannot_be_read_is_refused(self):
        with self.assertRaisesRegex(NovaError, "^the sealed image's description absent.seal "
                                               "cannot be read: No such file or directory[.]$"):
            sealed.command("absent.seal", "", "", "machine.pub", "out.img")
        path = self.write("")
        Path(path).write_bytes(b"NOVASEAL\xff\xfe")
        with self.assertRaisesRegex(NovaError, "guest.seal is not a text file: name a file in "
                                               "which each line begins with one of the words "
                                               "kernel, initrd, "):
            sealed.command(path, "", "", "machine.pub", "out.img")

    def test_only_images_that_must_be_sealed_change(self):
        modules = [Module("init", "a.nova"), Module("sealed:/x/a.seal", "/build/guest")]
        self.assertTrue(sealed.has_any(modules))
        self.assertFalse(sealed.has_any(modules[:1]))
        with mock.patch.object(sealed, "_seal", return_value=Path("/t/sealed.img")) as seal:
            found = sealed.resolve(modules, None)
        seal.assert_called_once_with("/x/a.seal", "/build/guest", "")
        self.assertEqual(found, [modules[0], Module("/t/sealed.img", "")])

    def test_the_reason_of_a_failure_is_one_sentence(self):
        said = subprocess.CompletedProcess([], 2, b"nova: the kernel k cannot be sealed: no.\n")
        with mock.patch.object(guest, "file", return_value=self.pair()), \
                mock.patch.object(subprocess, "run", return_value=said), \
                self.assertRaisesRegex(NovaError, "^guest.seal cannot be sealed: the kernel k "):
            sealed._seal(self.write("memory 8\n"), "k", "")

    def test_a_remedy_names_the_line_of_the_description(self):
        for said, expected in (
            (b"nova: building x86_64-release\nnova: it needs 3 MiB: write --memory 4.\n",
             "it needs 3 MiB: write 'memory 4'."),
            (b"nova: argument --vcpus: '9' is not a whole number from 1 to 8. See nova seal --help."
             b"\n", "'vcpus': '9' is not a whole number from 1 to 8."),
            (b"nova: '=a' is not a secret: write --secret NAME=FILE.\n",
             "'=a' is not a secret: write 'secret NAME=FILE'."),
            (b"nova: --disk-phrase-file needs a file.\n", "'phrase' needs a file."),
            (b"nova: give a file with them (--acpi).\n", "give a file with them (--acpi)."),
        ):
            done = subprocess.CompletedProcess([], 2, said)
            with mock.patch.object(guest, "file", return_value=self.pair()), \
                    mock.patch.object(subprocess, "run", return_value=done), \
                    self.assertRaises(NovaError) as caught:
                sealed._seal(self.write("memory 8\n"), "k", "")
            self.assertEqual(str(caught.exception), f"guest.seal cannot be sealed: {expected}")
            self.assertEqual(caught.exception.status, 1)

    def test_a_warning_about_an_image_names_its_description(self):
        done = subprocess.CompletedProcess(
            [], 0, b"nova: warning: 96 MiB: write --memory 128.\nnova: x is sealed for 1 machine\n")
        with mock.patch.object(guest, "file", return_value=self.pair()), \
                mock.patch.object(subprocess, "run", return_value=done), \
                mock.patch.object(build, "say") as say:
            sealed._seal(self.write("memory 96\n"), "k", "")
        say.assert_called_once_with("warning: guest.seal: 96 MiB: write 'memory 128'.")

    def refused_pair(self, function, *arguments):
        with self.assertRaises(NovaError) as caught:
            function(*arguments)
        return str(caught.exception)

    def test_a_key_of_novas_own_that_is_damaged_gets_a_remedy(self):
        for damaged in ("machine.key", "machine.pub"):
            for data in (None, b"", b"NOVA-MACHINE-KEY" + bytes(20)):
                key = self.pair("guest")
                path = key.with_name(damaged)
                path.unlink()
                if data is not None:
                    path.write_bytes(data)
                said = (f"nova's own key {path} is missing or damaged: delete machine.key and "
                        "machine.pub in this folder; nova makes new ones.")
                with mock.patch.object(places, "guests", return_value=key.parent):
                    self.assertEqual(self.refused_pair(boot_modules.complete, [
                        Module("init"), Module("sealed.img"), Module(str(key))], [], None), said)
                with mock.patch.object(guest, "file", return_value=key):
                    self.assertEqual(self.refused_pair(sealed._seal, "x.seal", "k", ""), said)

    def test_a_key_of_the_user_is_not_compared_with_novas_own(self):
        key = self.pair()
        key.write_bytes(b"")
        with mock.patch.object(places, "guests", return_value=key.parent / "guest"):
            modules = [Module("init"), Module("sealed.img"), Module(str(key))]
            self.assertEqual(boot_modules.complete(modules, [], None), modules)

    def test_only_one_kernel_runs_secure_guests(self):
        modules = [Module("init", "a.nova"), Module("sealed:/x/a.seal", "/build/guest")]
        sealed.check_arch(modules, "x86_64")
        sealed.check_arch(modules[:1], "x86_32")
        with self.assertRaisesRegex(NovaError, "^only the x86_64 kernel runs secure guests: leave "
                                               "out --arch x86_32[.]$"):
            sealed.check_arch(modules, "x86_32")

    def test_an_example_with_a_secure_guest_is_refused_before_its_build(self):
        sealed.check_example(places.EXAMPLES / "secure-hello", "x86_64")
        sealed.check_example(places.EXAMPLES / "tour", "x86_32")
        for name in ("secure-hello", "secure-linux", "secure-two"):
            with self.assertRaisesRegex(NovaError, "^only the x86_64 kernel runs secure guests"):
                sealed.check_example(places.EXAMPLES / name, "x86_32")

    def test_a_project_with_secure_guests_only_is_refused_before_its_configuration(self):
        folder = Path(self.folder.name)
        secure = "nova_add_system(${PROJECT_NAME} DESCRIPTION x.nova\n  SEALED guest.seal)\n"
        other = "nova_add_system(other PROGRAMS one)\n"
        for text, name, is_refused in (
            ("", None, False), (other, None, False), (secure, None, True),
            (secure + other, None, False), (secure + other, "own", True),
            (secure + other, "other", False), (secure, "hello", False),
            ("nova_add_system(own PROGRAMS\n  ultravisor one)\n", "own", False),
        ):
            (folder / "CMakeLists.txt").write_text("project(own LANGUAGES C)\n"
                                                   "find_package(Nova REQUIRED)\n"
                                                   "include(own.cmake)\n", encoding="utf-8")
            (folder / "own.cmake").write_text(text, encoding="utf-8")
            sealed.check_project(folder, name, "x86_64")
            if not is_refused:
                sealed.check_project(folder, name, "x86_32")
                continue
            with self.assertRaisesRegex(NovaError, "^only the x86_64 kernel runs secure guests"):
                sealed.check_project(folder, name, "x86_32")
            here = project.Project(folder, folder / "build")
            for words in [[str(folder)], []] if name is None else [[name]]:
                with mock.patch.object(project, "here", return_value=here), \
                        self.assertRaisesRegex(NovaError, "^only the x86_64 kernel"):
                    run._find(cli.parse(["run", *words, "--arch", "x86_32"]))


if __name__ == "__main__":
    unittest.main()
