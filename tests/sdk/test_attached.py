# SPDX-License-Identifier: BSD-2-Clause
"""`nova run --disk` and `--net`: systems that take these devices, and the card with its ports."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import attached, places, project
from nova.attached import DISK, NET
from nova.errors import NovaError

WITH_DISK = "device disk\n        id 1af4:1042\n"
WITH_CARD = "device card\n        id 1af4:1041\n"


class Attached(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)

    def file(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def refused(self, function, *arguments):
        with self.assertRaises(NovaError) as caught:
            function(*arguments)
        return str(caught.exception)

    def test_the_system_with_a_driver_is_chosen(self):
        self.file("own.nova", WITH_DISK + WITH_CARD)
        for kinds in ([DISK], [NET], [DISK, NET]):
            self.assertEqual(attached.system("own", self.folder, kinds), "own")
        self.file("own-disk.nova", WITH_DISK)
        self.file("own-net.nova", WITH_CARD)
        self.file("own-disk-net.nova", WITH_DISK + WITH_CARD)
        self.assertEqual(attached.system("own", self.folder, [DISK]), "own-disk")
        self.assertEqual(attached.system("own", self.folder, [NET]), "own-net")
        self.assertEqual(attached.system("own", self.folder, [DISK, NET]), "own-disk-net")

    def test_the_description_of_a_project_from_a_template_is_found(self):
        self.file("system.nova", WITH_DISK)
        self.assertEqual(attached.system("own", self.folder, [DISK]), "own")

    def test_a_project_from_a_template_may_have_another_system_with_a_driver(self):
        self.file("system.nova", "program one\n")
        self.file("system-net.nova", WITH_CARD)
        self.assertEqual(attached.system("own", self.folder, [NET]), "own-net")
        self.assertIn("a disk", self.refused(attached.system, "own", self.folder, [DISK]))

    def test_the_other_system_of_such_a_project_can_be_named(self):
        own = self.folder.name
        self.file("system.nova", WITH_DISK)
        self.file("system-net.nova", WITH_CARD)
        for name in (own, f"{own}-net"):
            self.assertEqual(attached.system(name, self.folder, [NET]), f"{own}-net")
        self.assertEqual(attached.system(f"{own}-web", self.folder, [DISK]), f"{own}-web")
        said = list(attached.missing(f"{own}-net", self.folder, []))
        self.assertEqual(said, ["the machine has no network card, which the description declares: "
                                "add --net"])

    def test_a_project_boots_the_system_without_devices_unless_they_are_named(self):
        names = ["own", "own-disk", "own-disk-net", "own-net"]
        self.assertEqual(attached.plain(names), ["own"])
        self.assertEqual(attached.plain(["own-net", "other"]), ["own-net", "other"])
        with mock.patch.object(project.boot_list, "names", lambda _: names):
            self.assertEqual(project.choose(self.folder, None), "own")
            self.assertEqual(project.choose(self.folder, "own-net"), "own-net")

    def test_a_system_without_the_device_is_refused_and_systems_that_have_it_are_named(self):
        self.file("own.nova", "program one\n")
        said = self.refused(attached.system, "own", self.folder, [DISK])
        self.assertIn("own cannot take a disk; examples that can are blocks, ", said)
        self.assertIn("linux, linux-smp", said)
        self.assertNotIn("hello", said)
        self.assertIn("the description of a project needs a section 'device disk'", said)
        said = self.refused(attached.system, "own", self.folder, [DISK, NET])
        self.assertIn("own cannot take a disk and a network card; ", said)
        self.assertIn("needs a section 'device disk' and 'device card'", said)

    def test_a_system_that_misses_a_device_is_known(self):
        self.file("system.nova", WITH_DISK + WITH_CARD)
        self.assertEqual(list(attached.missing("own", self.folder, [DISK, NET])), [])
        said = list(attached.missing("own", self.folder, [DISK]))
        self.assertEqual(said, ["the machine has no network card, which the description declares: "
                                "add --net"])
        self.assertEqual(len(list(attached.missing("own", self.folder, []))), 2)
        for name, count in (("notes", 1), ("udp-echo", 1), ("linux", 0), ("hello", 0)):
            said = list(attached.missing(name, places.EXAMPLES / name, []))
            self.assertEqual(len(said), count, name)

    def test_a_description_in_another_encoding_is_read(self):
        (self.folder / "own.nova").write_bytes(b"# \xe9\n" + WITH_CARD.encode())
        self.assertEqual(attached.system("own", self.folder, [NET]), "own")
        self.assertEqual(len(list(attached.missing("own", self.folder, []))), 1)

    def test_a_section_may_have_a_comment_and_other_blanks(self):
        for line in ("device disk # data", "device\tdisk", "  device  disk"):
            self.file("own.nova", line + "\n")
            self.assertEqual(attached.system("own", self.folder, [DISK]), "own")
        self.file("own.nova", "# device disk\n")
        self.refused(attached.system, "own", self.folder, [DISK])

    def list(self, name, *modules):
        """Writes the boot list of a system whose modules are files of the project."""
        (self.folder / "build/boot").mkdir(parents=True, exist_ok=True)
        files = [f"/sdk/init\t{Path(modules[0]).name}"]
        files += [module if ":" in module else str(self.folder / module) for module in modules]
        self.file(f"build/boot/{name}.boot", "\n".join(files) + "\n")

    def test_the_boot_list_of_a_system_names_its_description(self):
        (self.folder / "systems").mkdir()
        self.file("systems/plain", "program one\n")
        self.file("systems/drives", WITH_DISK)
        self.file("child.nova", WITH_CARD)
        self.list("own", "systems/drives", "child.nova", "guest:x86_64/none")
        self.list("own-net", "systems/plain", "child.nova")
        names, lists = ["own", "own-net"], self.folder / "build"
        self.assertEqual(attached.system("own", self.folder, [DISK], names, lists), "own")
        self.refused(attached.system, "own", self.folder, [NET], names, lists)
        said = list(attached.missing("own", self.folder, [], names, lists))
        self.assertEqual(said, ["the machine has no disk, which the description declares: add "
                                "--disk FILE"])

    def test_a_file_that_no_boot_list_names_does_not_count(self):
        self.file("own.nova", WITH_DISK)
        self.file("other.nova", "program one\n")
        self.list("own", "other.nova")
        self.refused(attached.system, "own", self.folder, [DISK], ["own"], self.folder / "build")

    def test_the_examples_are_those_of_the_manual(self):
        for name in ("linux", "linux-smp", "two-vms"):
            folder = places.EXAMPLES / name
            self.assertEqual(attached.system(name, folder, [DISK]), f"{name}-disk")
            self.assertEqual(attached.system(name, folder, [NET]), f"{name}-net")
        folder = places.EXAMPLES / "blocks"
        self.assertEqual(attached.system("blocks", folder, [DISK]), "blocks")

    def test_ports_are_forwarded(self):
        words = attached.card(["tcp:8080:80", "udp:7007:7"])
        self.assertEqual(words[1], "user,id=nova-net,hostfwd=tcp:127.0.0.1:8080-:80,"
                                   "hostfwd=udp:127.0.0.1:7007-:7")

    def test_other_ports_are_refused(self):
        for text in ("8080", "tcp:8080", "tcp:0:80", "tcp:1:65536", "sctp:1:1", "tcp:1:1,id=x"):
            said = self.refused(attached.card, [text])
            self.assertIn(f"--forward {text} names no ports: write tcp:8080:80", said)
        self.assertIn("only QEMU", self.refused(attached.card, [], "bochs"))

    def test_options_that_do_not_fit_are_refused(self):
        result = paths.nova("run", "hello", "--forward", "tcp:1:1")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--forward needs --net", result.stderr)
        for words, says in ((["--forward", "80"], "--forward 80 names no ports"),
                            (["--emulator", "bochs"], "only QEMU has the network")):
            result = paths.nova("run", "linux", "--net", *words)
            self.assertEqual(result.returncode, 2)
            self.assertIn(says, result.stderr)
            self.assertNotIn("building", result.stderr + result.stdout)
        result = paths.nova("run", "hello", "--net")
        self.assertEqual(result.returncode, 2)
        self.assertIn("hello cannot take a network card", result.stderr)


if __name__ == "__main__":
    unittest.main()
