# SPDX-License-Identifier: BSD-2-Clause
"""The tool's knowledge of the kernel: its options, and its line about the roottask's end."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import (
    attached,
    boot_modules,
    boot_test,
    cli,
    cmdline,
    disk,
    explain,
    options,
    process,
    qemu,
    run,
    shortage,
)
from nova import runner
from nova.errors import NovaError
from nova.qemu import Module

KERNEL = paths.ROOT / "hypervisor/src"
LINE = runner.SHUT_DOWN_LINE + b": event 0x%x at 0x%x, address 0x1234, has no portal"


class Cmdline(unittest.TestCase):
    def test_the_words_are_those_of_the_kernel(self):
        text = (KERNEL / "lib/cmdline.c").read_text(encoding="utf-8")
        words = re.findall(r'word_is\(word, length, "(\w+)"\)', text)
        words += re.findall(r'"(mitigations=\w+)"', text)
        self.assertEqual(sorted(words), sorted(cmdline.WORDS))
        old = re.search(r"old_words\[\] = \{([^}]*)\}", text).group(1)
        self.assertEqual(tuple(re.findall(r'"(\w+)"', old)), cmdline.OLD_WORDS)
        self.assertEqual(re.findall(r'"(\w+=)"', text), ["kmem="])
        self.assertEqual(len(cmdline.VALUES), 1)

    def test_unknown_words_are_named(self):
        self.assertIsNone(cmdline.warning("serial  kmem=64M kmem=8192k kmem=1 vtlb"))
        self.assertEqual(cmdline.unknown("serail kmem=0 kmem= kmem=4G"), [
            "serail", "kmem=0", "kmem=", "kmem=4G"])
        expected = "^the kernel does not know 'foo' in --cmdline; it knows .*serial"
        self.assertRegex(cmdline.warning("foo"), expected)


class Description(unittest.TestCase):
    def test_the_memory_limits_of_descriptions_are_those_of_the_command(self):
        text = (paths.ROOT / "roottask/system/section.c").read_text(encoding="utf-8")
        bounds = re.findall(r"#define MACHINE_M[INAX]+ \(([^M]+) \* MIB\)", text)
        self.assertEqual(bounds, [str(options.MIN_MEMORY), "(1 << 20)"])
        self.assertEqual(qemu.MAX_MEMORY, 1 << 20)


class Pause(unittest.TestCase):
    def test_only_the_tour_is_asked_to_wait_for_keys(self):
        """Linux would interpret the word as an option of its own."""
        built = (Path("kernel"), [Module("file", "given")], True)
        for name, wanted in (("tour", "given pause"), ("linux", "given"), ("restart", "given")):
            with mock.patch.object(run, "_build", lambda *_: built):
                machine, _ = run.prepare(cli.parse(["run", name]), run.PAUSE)
            self.assertEqual(machine.modules[0].arguments, wanted)
            built[1][0] = Module("file", "given")


class Folder(unittest.TestCase):
    """A project from the template net-server in a folder of another name."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        folder = Path(kept.name)
        card = folder / "system-net.nova"
        card.write_text("device card\n        id 1af4:1041\n", encoding="utf-8")
        (folder / "boot").mkdir()
        for name, module in (("lines", "module"), ("lines-net", card)):
            (folder / f"boot/{name}.boot").write_text(f"{paths.NOVA}\n{module}\n",
                                                      encoding="utf-8")
        self.found = mock.Mock(folder=folder, names=lambda *_: ["lines", "lines-net"],
                               build=lambda *_: folder, build_dir=lambda *_: folder)

    def build(self, name, *words):
        """Returns the arguments after the build of the system NAME, and what it says."""
        args = cli.parse(["run", *([name] if name else []), *words])
        with mock.patch.object(run.project, "here", lambda **_: self.found), \
                mock.patch.object(run.build, "say") as say, \
                mock.patch.object(run.places, "kernel", lambda *_: "kernel"):
            run._build(args, [])
        return args, [call.args[0] for call in say.call_args_list]

    def test_with_net_the_system_with_a_card_is_booted(self):
        args, said = self.build(None, "--net")
        self.assertEqual((args.program, args.name, said), ("lines", "lines-net", []))

    def test_the_system_with_a_card_can_be_named(self):
        args, said = self.build("lines-net", "--net")
        self.assertEqual((args.name, said), ("lines-net", []))

    def test_a_missing_card_that_the_description_declares_is_reported(self):
        args, said = self.build("lines-net")
        self.assertEqual(args.name, "lines-net")
        self.assertEqual(said, ["the machine has no network card, which the description declares: "
                                "add --net"])


class Modules(unittest.TestCase):
    def files(self, modules, *further):
        made = [[Module(name, "") for name in names] for names in (modules, further)]
        return [module.file for module in boot_modules.with_further(*made)]

    def test_a_module_of_the_user_replaces_the_one_of_the_same_name(self):
        own = ("bin/linux", "/cache/vmlinuz", "/cache/disk.img")
        self.assertEqual(self.files(own, "my/disk.img", "x"), [*own[:2], "my/disk.img", "x"])
        self.assertEqual(self.files(own, "linux"), [*own, "linux"])

    def test_each_module_of_the_user_replaces_only_one_module(self):
        self.assertEqual(self.files(("r", "a/m", "b/m"), "c/m", "d/m", "e/m"),
                         ["r", "c/m", "d/m", "e/m"])

    def warnings(self, modules, *further):
        made = [[Module(name, "") for name in names] for names in (modules, further)]
        return list(run.warn_of_modules("linux", *made))

    def test_a_module_whose_name_the_system_does_not_have_gets_a_warning(self):
        own = ("bin/linux", "/cache/vmlinuz", "/cache/disk.img")
        self.assertEqual(self.warnings(own, "my/mykernel", "my/disk.img"), [
            "linux has no module 'mykernel'; its modules are vmlinuz, disk.img"])
        self.assertEqual(self.warnings(own, "my/vmlinuz", "my/disk.img"), [])
        self.assertEqual(self.warnings(("bin/r",), "my/kernel", "other/kernel"), [])

    def test_two_modules_of_the_same_name_get_a_warning(self):
        own = ("bin/linux", "/cache/vmlinuz")
        self.assertEqual(self.warnings(own, "a/vmlinuz", "b/vmlinuz"), [
            "2 modules are called vmlinuz; a program that opens one gets the first"])
        self.assertEqual(self.warnings((*own, "2/vmlinuz"), "a/vmlinuz", "b/vmlinuz"), [])

    def test_two_modules_of_the_same_name_in_a_system_are_refused(self):
        modules = [Module(name) for name in ("bin/init", "bin/two.nova", "bin/vmm")]
        twins = [Module("a/sealed.img"), Module("b/sealed.img")]
        with self.assertRaisesRegex(NovaError, "^2 modules are called sealed.img, and the programs "
                                               "of a system .*: leave out all but one[.]$"):
            run.refuse_twins(modules, twins)
        run.refuse_twins(modules, [*twins[:1], Module("a/machine.key")])
        run.refuse_twins([Module("bin/linux"), Module("vmlinuz")], twins)

    def test_modules_of_a_project_that_are_missing_or_empty_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "data.squashfs"
            modules = [Module(str(file))]
            missing = "data.squashfs is missing: create it again, or take it out of the project's C"
            with self.assertRaisesRegex(NovaError, missing):
                run.check_modules(modules, ["other"])
            run.check_modules(modules, ["data.squashfs"])
            file.touch()
            with self.assertRaisesRegex(NovaError, "data.squashfs is empty: write something"):
                run.check_modules(modules, [])
            file.write_bytes(b"1")
            run.check_modules(modules, [])
            file.unlink()
            file.mkdir()
            with self.assertRaisesRegex(NovaError, "data.squashfs cannot be read: Is a directory"):
                run.check_modules(modules, [])

    def test_the_description_of_a_sealed_image_is_looked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "guest.seal"
            modules = [Module(f"sealed:{file}", "kernel")]
            said = "is missing: create it again, or take SEALED out of nova_add_system[(][)]"
            with self.assertRaisesRegex(
                    NovaError, f"^the sealed image's description {file} {said}[.]$"):
                run.check_modules(modules, [])
            for text in (b"", b"# nothing", b"memory 8"):
                file.write_bytes(text)
                run.check_modules(modules, [])

    def test_an_image_that_is_sealed_replaces_the_one_to_be_sealed(self):
        modules = [Module("init"), Module("sealed:/x/guest.seal", "kernel"), Module("machine.key")]
        further = [Module("a/sealed.img"), Module("keys/machine.key")]
        self.assertEqual(list(run.warn_of_modules("one", modules, further)), [])
        self.assertEqual(boot_modules.with_further(modules, further), [modules[0], *further])
        run.check_modules(modules[1:], ["sealed.img", "machine.key"])

    def test_an_image_of_the_user_gets_no_further_arguments(self):
        modules = [Module("init"), Module("sealed:/x/guest.seal", "kernel")]
        with tempfile.TemporaryDirectory() as folder:
            image = Path(folder) / "sealed.img"
            image.write_bytes(b"image")
            words = ["run", "one", "--module", str(image), "--arguments", "quiet"]
            with mock.patch.object(run, "_build", lambda *_: ("kernel", modules, False)), \
                    self.assertRaisesRegex(NovaError, "^--arguments cannot change your sealed"):
                run.prepare(cli.parse(words))

    def boot_test(self, lines, *words):
        """Returns the modules of a boot test with the boot list LINES, or without one, and QEMU's
        arguments."""
        class Known(Exception):
            pass

        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(boot_test.options, "machine", side_effect=Known) as machine, \
                mock.patch.object(boot_test.process, "die_with_parent"):
            file = Path(folder) / "one.boot"
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            listed = ["--list", str(file)] if lines else []
            with self.assertRaises(Known):
                boot_test.run(cli.parse(["boot-test", "--arch=x86_64", "--kernel=k", *listed,
                                         *words]))
        return machine.call_args.args[2], machine.call_args.kwargs["extra"]

    def test_modules_given_to_a_boot_test_replace_those_of_the_same_name(self):
        found, _ = self.boot_test(["init\tone.nova", "sealed:/x/guest.seal\tkernel", "machine.key"],
                                  "--module", "a/sealed.img", "--module", "keys/machine.key")
        self.assertEqual(found, [Module("init", "one.nova"), Module("a/sealed.img"),
                                 Module("keys/machine.key")])

    def test_the_arguments_of_a_boot_test_are_for_the_roottask(self):
        for lines, words, wanted in (
            ([], ["--roottask=r", "--arguments=a b", "--module=r c"], ["r", "a b", "r", "c"]),
            (["r\tx", "m\ty"], ["--arguments=a b"], ["r", "a b", "m", "y"]),
            (["r\tx"], [], ["r", "x"]),
            ([], ["--arguments=a"], []),
        ):
            found, extra = self.boot_test(lines, *words)
            self.assertEqual([word for module in found for word in module], wanted)
            self.assertEqual(extra, [])

    def test_the_arguments_of_a_boot_test_with_a_device_are_for_its_program(self):
        for suffix, words, devices in (("net", ["--net"], attached.card([])),
                                       ("disk", ["--disk=d"], disk.arguments("d"))):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"one-{suffix}.nova"
                file.write_text("program one\n", encoding="utf-8")
                found, extra = self.boot_test([f"init\tone-{suffix}.nova", str(file)], *words,
                                              "--arguments=a b", "--qemu=-s")
            self.assertEqual(extra, [*devices, "-s"])
            self.assertEqual(found[0], Module("init", f"one-{suffix}.nova"))
            self.assertIn('arguments "a" "b"', Path(found[1].file).read_text(encoding="utf-8"))

    def test_the_command_line_that_a_boot_test_shows_names_files_that_remain(self):
        with tempfile.TemporaryDirectory() as folder:
            sealed_image = process.keep_folder() / "sealed.img"
            self.addCleanup(process.remove_folders)
            sealed_image.write_bytes(b"image")
            args = cli.parse(["boot-test", "--arch=x86_64", "--kernel=k", "--name=a/b",
                              f"--list={folder}/boot/one.boot"])
            machine = qemu.Machine("k", ["init", Module(str(sealed_image), "words")])
            found = boot_test.with_lasting_files(machine, args)
            process.remove_folders()
            kept = Path(folder) / "Testing/a-b/sealed.img"
            self.assertEqual(found.modules, [Module("init"), Module(str(kept), "words")])
            self.assertEqual(kept.read_bytes(), b"image")
            self.assertIn(str(kept), boot_test.by_hand(found))

    def test_the_files_of_a_failed_boot_test_last(self):
        machine = qemu.Machine("k", ["init"])
        outcome = runner.Outcome(1, "", b"")
        with mock.patch.object(boot_test, "_modules", return_value=[]), \
                mock.patch.object(boot_test.options, "machine", return_value=machine), \
                mock.patch.object(boot_test, "_runner") as made, \
                mock.patch.object(boot_test.process, "die_with_parent"), \
                mock.patch.object(boot_test, "with_lasting_files") as lasting, \
                mock.patch("builtins.print"), mock.patch("sys.stdout"):
            made.return_value.run.return_value = outcome
            lasting.return_value = machine
            self.assertEqual(boot_test.run(cli.parse(["boot-test", "--arch=x86_64",
                                                      "--kernel=k"])), 1)
        lasting.assert_called_once()

    def test_modules_that_do_not_fit_into_the_memory_are_refused(self):
        with tempfile.NamedTemporaryFile() as file:
            file.truncate((28 << 20) + 1)
            modules = [Module("not there"), Module(file.name)]
            with self.assertRaisesRegex(NovaError, "have 29 MiB, .* of 32 MiB: use --memory 33 or"):
                run.check_room(modules, 32)
            run.check_room(modules, 33)

    def test_an_empty_module_is_named(self):
        with tempfile.NamedTemporaryFile(suffix="-vmlinuz") as file:
            with self.assertRaisesRegex(NovaError, f"^the module {file.name} is empty, .*: copy or "
                                                   "make the file again, or leave it out[.]$"):
                run._modules([f"{file.name} some words"])
            file.write(b"1")
            file.flush()
            self.assertEqual(run._modules([file.name]), [Module(file.name)])


class Names(unittest.TestCase):
    def test_for_a_further_system_of_an_example_the_folder_or_option_is_named(self):
        for name, example, given in (
            ("secure-linux-smp", "secure-linux", None), ("udp-echo-talk", "udp-echo", None),
            ("enlightened-smp4", "enlightened-smp", None), ("linux-net", "linux", "--net"),
            ("two-vms-disk", "two-vms", "--disk FILE"),
        ):
            folder = f"run it in that folder, {run.places.EXAMPLES / example}"
            remedy = f"write nova run {example} {given}" if given else folder
            for found in (None, mock.Mock(names=lambda *_: ["own"], folder=paths.ROOT)):
                with mock.patch.object(run.project, "here", return_value=found), \
                        mock.patch.object(run.boot_list, "is_program", return_value=False), \
                        self.assertRaises(NovaError) as caught:
                    run._find(cli.parse(["run", name]))
                self.assertEqual(str(caught.exception),
                                 f"'{name}' is a system of the example {example}: {remedy}.")
        self.assertIsNone(run.places.example_of("secure"))


class Memory(unittest.TestCase):
    """The remedy of `nova run` for a system that finds too little memory."""

    LINES = (
        b"some name.nova:7: the programs up to 'server' together need 65536 KiB of memory, but the "
        b"machine has 9876 KiB for programs; give them less, or the machine more.",
        b"init: too little memory is left for the thread that starts programs; give the machine "
        b"more.",
        b"init: server cannot start: bin/server needs more memory, kernel memory or selectors than "
        b"are left.",
    )
    REMEDY = "the machine has 16 MiB of memory; give it more (nova run --memory MIB)."

    def said(self, status, line, program="out/bin/init"):
        """Returns what `nova run` says of a system that prints LINE and ends with STATUS."""
        made = mock.Mock(shut_down=b"")
        machine = qemu.Machine("k", memory=16)

        def boot():
            made.listener(line)
            return runner.Outcome(status, "", line)

        made.run = boot
        with mock.patch.object(run, "prepare", return_value=(machine, program)), \
                mock.patch.object(run, "new_runner", return_value=made), \
                mock.patch.object(run.build, "say") as say, mock.patch("sys.stdout"):
            run.run(cli.parse(["run", "hello"]))
        return [call.args[0] for call in say.call_args_list]

    def test_a_message_about_missing_memory_is_followed_by_the_name_of_the_option(self):
        for line in self.LINES:
            self.assertEqual(self.said(1, line), [self.REMEDY])
            self.assertEqual(self.said(0, line), [])
        self.assertEqual(self.said(1, b"init: the system ends with status 1."), [])

    def test_only_lines_of_init_are_recognized(self):
        for line in self.LINES:
            for text in (b"server: " + line, b"[server] " + line, line + b" So it said.",
                         b"I print: " + line):
                self.assertEqual(self.said(1, text), [], text)
            self.assertEqual(self.said(1, line, "out/bin/hello"), [])
        self.assertEqual(self.said(1, b"parent: give the machine more."), [])

    def test_the_recognized_messages_are_those_of_init(self):
        texts = ["".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', self.source(name)))
                 for name in ("system/machine.c", "init/main.c", "init/programs.c")]
        self.assertIn("the programs up to '%s' together need %llu KiB of %s, but the machine has "
                      "%llu KiB for programs; give them less, or %s.the machine more", texts[0])
        self.assertIn(self.LINES[1].decode(), texts[1])
        self.assertIn("init: %s cannot start: %s %s.", texts[2])
        self.assertIn("needs more memory, kernel memory or selectors than are left",
                      self.source("src/child/child.c"))

    def source(self, name):
        return (paths.ROOT / "roottask" / name).read_text(encoding="utf-8")


class Explain(unittest.TestCase):
    SOURCE = 'void _start(void) { }\nvoid nova_exit(void) { }\n'

    def test_the_recognized_line_is_that_of_the_kernel(self):
        text = (KERNEL / "object/report.c").read_text(encoding="utf-8")
        line = runner.SHUT_DOWN_LINE.decode()
        subject = line.removeprefix("NOVA: ").removesuffix(" was shut down")
        self.assertIn(f'LINE("{subject}")', text)
        self.assertIn('"NOVA: " subject " was shut down: event 0x%lx at 0x%lx, address 0x%lx', text)

    def address(self, program, name):
        table = subprocess.run(["nm", program], stdout=subprocess.PIPE, text=True, check=True)
        return int(re.search(rf"(\w+) T {name}\n", table.stdout).group(1), 16)

    def test_names_the_event_and_the_place(self):
        with tempfile.TemporaryDirectory() as folder:
            source, program = Path(folder) / "own.c", Path(folder) / "own"
            source.write_text(self.SOURCE, encoding="utf-8")
            command = ["gcc", "-g", "-static", "-no-pie", "-nostdlib", source, "-o", program]
            subprocess.run(command, check=True)
            start = self.address(program, "_start")
            text = explain.shut_down(LINE % (14, start), program)
            self.assertIn(f"#PF, a page fault, at {start:#x} in _start(), own.c:1", text)
            self.assertIn("for address 0x1234", text)
            text = explain.shut_down(LINE % (13, self.address(program, "nova_exit")), program)
            self.assertIn("nova_console_init()", text)

    def test_without_symbols_the_numbers_stay(self):
        text = explain.shut_down(LINE % (9, 0x400000), "/does/not/exist")
        self.assertIn("event 0x9, at 0x400000; no portal", text)
        self.assertIn("the kernel's line", explain.shut_down(b"something else", "x"))


if __name__ == "__main__":
    unittest.main()
