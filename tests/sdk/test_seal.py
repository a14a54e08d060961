# SPDX-License-Identifier: BSD-2-Clause
"""`nova seal` and `nova machine-key`: their results, and each refusal."""

import os
import stat
import struct
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import sealing
from nova import cli, machine_key, seal, seal_blob, seal_guest, seal_image, sealed
from nova.errors import NovaError
from nova.qemu import Module
from sealing import MIB, PAGE


class Folder(unittest.TestCase):
    """A folder with a kernel, an initrd, tables, a phrase and the keys of two machines."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)
        self.file("vmlinuz", sealing.linux())
        self.file("initrd", b"i" * 5000)
        self.file("acpi", sealing.acpi())
        self.file("phrase", b"swordfish\n")
        self.file("token", b"1234")
        for number, name in enumerate(("one", "two")):
            machine_key.make(self.folder / name, sealing.Repeatable(bytes([number])))

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def path(self, name):
        return str(self.folder / name)

    def words(self, *more, kernel="vmlinuz", out="sealed.img", machines=("one",)):
        """Returns the words of a command that makes an image."""
        publics = [self.path(f"{name}/machine.pub") for name in machines]
        return ["seal", "--kernel", self.path(kernel), "--acpi", self.path("acpi"),
                "--memory", "16", "--machine", *publics, "--out", self.path(out), *more]

    def call(self, *words):
        """Executes a command. Returns what it prints."""
        args = cli.parse([str(word) for word in words])
        with mock.patch("builtins.print") as printed, mock.patch("nova.build.say"):
            self.assertEqual(args.function(args), 0)
        return "\n".join(str(call.args[0]) for call in printed.call_args_list)

    def refused(self, *words):
        with self.assertRaises(NovaError) as caught:
            self.call(*words)
        said = str(caught.exception)
        self.assertRegex(said, r"[.?!]$")
        return said

    def sealed(self, *more, **others):
        self.call(*self.words(*more, **others))
        return self.path(others.get("out", "sealed.img"))


class OwnModules(Folder):
    """The warnings of `nova run` about a sealed image and a key of the user."""

    def warning(self, image, machine, given=("sealed.img", "machine.key")):
        modules = [Module("init"), Module(image), Module(self.path(f"{machine}/machine.key"))]
        return sealed.warning(modules, [one for one in modules if Path(one.file).name in given])

    def test_an_image_for_this_machine_needs_no_warning(self):
        self.assertIsNone(self.warning(self.sealed(), "one"))

    def test_modules_of_nova_are_not_compared(self):
        self.assertIsNone(self.warning(self.path("sealed.img"), "two", given=()))

    def test_an_image_for_another_machine_gets_a_remedy(self):
        image, key = self.sealed(), self.path("two/machine.key")
        for given, remedy in (
            (("sealed.img", "machine.key"),
             f"seal it for the machine.pub that was made with {key}"),
            (("sealed.img",), f"{key} is a key of nova's own, so give your machine.key, too"),
            (("machine.key",), f"nova sealed it for a key other than {key}, so give your own "
                               "image, too"),
        ):
            which = image if "sealed.img" in given else "the image of this system"
            self.assertEqual(self.warning(image, "two", given),
                             f"{which} cannot become secure: the image is not sealed for this "
                             f"machine; {remedy}")

    def test_a_cut_image_gets_a_warning(self):
        image = Path(self.sealed())
        image.write_bytes(image.read_bytes()[:-1])
        self.assertRegex(self.warning(str(image), "one"),
                         "is damaged: .*; copy it or seal it again$")

    def test_without_the_library_nothing_is_compared(self):
        with mock.patch.object(seal_image, "check", side_effect=ImportError):
            self.assertIsNone(self.warning(self.sealed(), "two"))


class MachineKey(Folder):
    def test_the_two_keys_belong_together_and_only_the_owner_can_read_the_private_key(self):
        self.call("machine-key", self.path("new/keys"))
        key = self.path("new/keys/machine.key")
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        private = machine_key.read_private(key)
        public = machine_key.read_public(self.path("new/keys/machine.pub"))
        self.assertEqual(machine_key.public_of(private), public)

    def test_two_pairs_differ(self):
        self.call("machine-key", self.path("a"))
        self.call("machine-key", self.path("b"))
        first, other = (machine_key.read_private(self.path(f"{name}/machine.key")) for name in "ab")
        self.assertNotEqual(first, other)

    def test_an_existing_pair_is_never_replaced(self):
        before = Path(self.path("one/machine.key")).read_bytes()
        said = self.refused("machine-key", self.path("one"))
        self.assertIn("one/machine.key exists already", said)
        os.unlink(self.path("one/machine.key"))
        self.assertIn("machine.pub exists already", self.refused("machine-key", self.path("one")))
        Path(self.path("one/machine.key")).write_bytes(before)

    def test_a_folder_that_cannot_be_made(self):
        self.assertIn("cannot be used", self.refused("machine-key", self.path("token/keys")))
        said = self.refused("machine-key", self.path("token"))
        self.assertIn("token is a file: name another folder.", said)
        with mock.patch.object(machine_key, "make") as make:
            self.assertEqual(self.refused("machine-key", ""), "DIR is empty: name a folder.")
        make.assert_not_called()

    def test_files_that_are_not_keys(self):
        image = self.sealed()
        said = self.refused(*self.words(), "--machine", self.path("absent"))
        self.assertIn("absent cannot be read", said)
        said = self.refused(*self.words(), "--machine", self.path("token"))
        self.assertIn("token is not a file of nova machine-key: name the machine.pub ", said)
        said = self.refused(*self.words(), "--machine", self.path("two/machine.key"))
        self.assertIn("is the other half of a key pair: name machine.pub.", said)
        said = self.refused("seal", image, "--check", self.path("one/machine.pub"))
        self.assertIn("is the other half of a key pair: name machine.key.", said)
        long = self.file("long", Path(self.path("one/machine.pub")).read_bytes() + b"\0")
        self.assertIn("with 49 bytes instead", self.refused(*self.words(), "--machine", long))

    def test_a_private_key_that_others_can_read(self):
        image = self.sealed()
        os.chmod(self.path("one/machine.key"), 0o640)
        said = self.refused("seal", image, "--check", self.path("one/machine.key"))
        self.assertIn("other users can read the private key", said)

    def test_a_public_key_without_a_secret(self):
        zero = self.file("zero", machine_key.PUBLIC_MAGIC + bytes(32))
        self.assertIn("is not a point of the curve", self.refused(*self.words(), "--machine", zero))


class Make(Folder):
    def test_an_image_contains_what_was_given(self):
        image = self.sealed(
            "--initrd", self.path("initrd"), "--command-line", "console=hvc0",
            "--disk-phrase-file", self.path("phrase"), "--secret", f"token={self.path('token')}",
            "--vcpus", "2", "--debug", "--vector-128")
        data, start = seal_image.read(image)
        private = machine_key.read_private(self.path("one/machine.key"))
        content = seal_image.check(image, data, start, private)
        self.assertEqual((content.flags, content.vcpus, content.memory), (3, 2, 16 * MIB))
        self.assertEqual((content.phrase, content.secrets), (b"swordfish", {b"token": b"1234"}))
        self.assertEqual(content.entry, MIB + 0x200)
        self.assertEqual([one.kind for one in content.parts],
                         [seal_blob.START, seal_blob.PARAMS, seal_blob.COMMAND_LINE, seal_blob.ACPI,
                          seal_blob.KERNEL, seal_blob.INITRD])
        parts = {row[0]: data[row[1]:row[1] + row[3]] for row in start.rows}
        self.assertEqual(parts[seal_blob.KERNEL][:3000], sealing.linux()[1024:])
        self.assertEqual(parts[seal_blob.INITRD][:5000], b"i" * 5000)
        self.assertEqual(parts[seal_blob.COMMAND_LINE].rstrip(b"\0"), b"console=hvc0")

    def test_two_images_of_the_same_guest_differ_in_their_blobs_only(self):
        first, other = (Path(self.sealed(out=name)).read_bytes() for name in ("a", "b"))
        self.assertNotEqual(seal_image.blob_of(first), seal_image.blob_of(other))
        end = seal_image.BLOB_OFFSET + seal_blob.ROOM
        self.assertEqual((first[:PAGE], first[end:]), (other[:PAGE], other[end:]))

    def test_no_secret_is_readable_in_the_file(self):
        data = Path(self.sealed("--disk-phrase-file", self.path("phrase"), "--secret",
                                f"token={self.path('phrase')}")).read_bytes()
        self.assertNotIn(b"swordfish", data)
        self.assertNotIn(b"token", data)

    def test_a_missing_argument_is_named(self):
        self.assertIn("no action is given", self.refused("seal"))
        self.assertIn("no action is given", self.refused("seal", self.path("vmlinuz")))
        said = self.refused("seal", "--kernel", "x", "--out", "y")
        self.assertIn("--kernel needs --machine PUB…", said)
        said = self.refused("seal", "--kernel", "x", "--machine", "y")
        self.assertIn("--kernel needs --out FILE", said)
        self.assertIn("--show needs the IMAGE", self.refused("seal", "--show"))
        self.assertIn("--check needs the IMAGE", self.refused("seal", "--check", "key"))
        self.assertIn("--rewrap needs --machine", self.refused("seal", "a", "--rewrap", "key"))

    def test_options_that_do_not_go_together(self):
        said = self.refused("seal", "a", "--show", "--vcpus", "2")
        self.assertIn("--vcpus does not go with --show: leave it out.", said)
        said = self.refused("seal", "a", "--check", "key", "--out", "b")
        self.assertIn("--out does not go with --check", said)
        self.assertIn("IMAGE does not go with --kernel", self.refused(*self.words(), "extra"))
        self.assertIn("not allowed with", self.refused("seal", "a", "--show", "--check", "key"))

    def test_numbers_out_of_range(self):
        self.assertIn("'0' is not a whole number from 1 to 8",
                      self.refused(*self.words(), "--vcpus", "0"))
        self.assertIn("from 2 to 3072 MiB", self.refused(*self.words(), "--memory", "3073"))
        said = self.refused(*self.words(), "--memory", "17")
        self.assertIn("an even number of MiB, not 17: write --memory 18.", said)

    def test_a_phrase_that_is_missing_empty_or_long(self):
        for data, says in ((b"", "is empty"), (b"\n", "is empty"),
                           (b"x" * 513, "has more than 512 bytes: use a smaller file."),
                           (b"x" * 600, "has more than 512 bytes: use a smaller file.")):
            path = self.file("other", data)
            self.assertIn(says, self.refused(*self.words(), "--disk-phrase-file", path))
        said = self.refused(*self.words(), "--disk-phrase-file", self.path("absent"))
        self.assertIn("the phrase", said)
        self.assertIn("absent cannot be read", said)
        self.sealed("--disk-phrase-file", self.file("most", b"x" * 512 + b"\n"))

    def test_secrets_that_are_refused(self):
        token = self.path("token")
        for words, says in ((["token"], "'token' is not a secret: write --secret NAME=FILE."),
                            (["a="], "'a=' is not a secret"),
                            ([f"={token}"], "'' cannot be the name of a secret"),
                            ([f"a b={token}"], "'a b' cannot be the name"),
                            ([f"{'n' * 32}={token}"], "use 1 to 31 letters"),
                            ([f"a={token}"] * 2, "there are two secrets 'a'"),
                            ([f"n{i}={token}" for i in range(17)],
                             "there are 17 secrets, more than 16: put some of them into one file."),
                            (["a=" + self.file("big", bytes(4097))], "has more than 4,096 bytes"),
                            (["a=" + self.path("absent")], "absent cannot be read")):
            given = [word for one in words for word in ("--secret", one)]
            self.assertIn(says, self.refused(*self.words(), *given))
        self.sealed(*[word for i in range(16) for word in
                      ("--secret", f"{'n' * 29}{i:02}={self.file('most', bytes(4096))}")])

    def test_machines_that_are_refused(self):
        said = self.refused(*self.words(machines=("one", "one")))
        self.assertIn("are the same machine: name it once.", said)
        publics = [self.file(f"pub{i}", machine_key.PUBLIC_MAGIC + public)
                   for i, (_, public) in enumerate(sealing.keys(16))]
        said = self.refused(*self.words(), "--machine", *publics)
        self.assertIn("there are 17 machines, more than 16: seal another image for the rest, "
                      "with --rewrap.", said)

    def test_an_image_that_cannot_be_written(self):
        self.assertEqual(self.refused(*self.words(out="absent/sealed.img")),
                         f"there is no folder {self.path('absent')} for the image: create it.")
        os.mkdir(self.path("folder"))
        self.assertEqual(self.refused(*self.words(out="folder")),
                         f"{self.path('folder')} is a folder: name a file in it for the image.")
        os.mkfifo(self.path("pipe"))
        self.assertEqual(self.refused(*self.words(out="pipe")),
                         f"{self.path('pipe')} is not a file: name one after --out.")
        self.assertIn("the image /proc/x cannot be written: ",
                      self.refused(*self.words(out="/proc/x")))

    def test_a_missing_library_is_named_with_its_package(self):
        with mock.patch.dict("sys.modules", {"cryptography.hazmat.primitives.ciphers": None}):
            said = self.refused(*self.words())
        self.assertIn("apt-get install python3-cryptography.", said)

    def test_tables_without_the_tool(self):
        words = [word for word in self.words() if word not in ("--acpi", self.path("acpi"))]
        with mock.patch("nova.build.build"), mock.patch.object(seal, "ACPI_TOOL", "absent"):
            self.assertIn("or give a file with them (--acpi).", self.refused(*words))


class Kernels(unittest.TestCase):
    def read(self, data):
        return seal_guest.read_kernel("vmlinuz", data)

    def refused(self, data):
        with self.assertRaises(NovaError) as caught:
            self.read(data)
        return str(caught.exception)

    def place(self, kernel, line=b"", initrd=b"", acpi=b"", memory=16 * MIB):
        with self.assertRaises(NovaError) as caught:
            seal_guest.place(kernel, line, initrd, acpi, memory)
        return str(caught.exception)

    def test_files_that_are_not_kernels(self):
        self.assertIn("neither a bzImage of Linux nor an ELF file", self.refused(b"MZ" * 500))
        self.assertIn("neither a bzImage", self.refused(sealing.linux()[:600]))
        self.assertIn("neither a bzImage", self.refused(sealing.linux(magic=b"Hdrs")))

    def test_linux_without_a_64_bit_entry(self):
        for field in ({"version": 0x20B}, {"extended": 0}):
            self.assertIn("no 64-bit entry point", self.refused(sealing.linux(**field)))

    def test_linux_that_is_truncated(self):
        self.assertIn("it is truncated", self.refused(sealing.linux(units=1000)))
        self.assertIn("it is truncated", self.refused(sealing.linux(body=100)))

    def test_linux_at_an_odd_address(self):
        for at in (0x90000, MIB + 1, 0xC0000000):
            self.assertIn("guests have no memory", self.refused(sealing.linux(preferred=at)))

    def test_elf_files(self):
        kernel = self.read(sealing.elf())
        self.assertEqual((kernel.part.address, len(kernel.part.data), kernel.entry, kernel.end),
                         (0x200000, PAGE, 0x200010, 0x200000 + 5000))
        apart = self.read(sealing.elf(((0x201000, b"b", 1), (0x200100, b"a", 1)), 0x200100))
        self.assertEqual((apart.part.address, apart.part.data[0x100], apart.part.data[0x1000]),
                         (0x200000, ord("a"), ord("b")))

    def test_elf_files_that_are_refused(self):
        one = (0x200000, b"a" * 10, 10)
        for data, says in (
                (sealing.elf()[:40], "it is truncated"),
                (sealing.elf()[:100], "it is truncated"),
                (sealing.elf()[:-1], "it is truncated"),
                (sealing.elf(bits=1), "not for x86-64"),
                (sealing.elf(machine=3), "not for x86-64"),
                (sealing.elf(()), "it has no segment"),
                (sealing.elf(((0xFF000, b"a", 1),)), "below 1 MiB or above 3 GiB"),
                (sealing.elf(((0xC0000000, b"a", 1),)), "below 1 MiB or above 3 GiB"),
                (sealing.elf(((0x200000, b"ab", 1),)), "it is truncated"),
                (sealing.elf((one, (0x200009, b"a", 1))), "two segments overlap"),
                (sealing.elf((one, (0x10300000, b"a", 1))), "more than 256 MiB apart"),
                (sealing.elf(entry=0x1FFFFF), "its entry point is in no segment")):
            self.assertIn(says, self.refused(data))

    def test_guests_without_enough_room(self):
        kernel = self.read(sealing.linux())
        said = self.place(kernel, memory=2 * MIB)
        self.assertIn("its kernel, which needs 3 MiB, and Linux at least 128 in all: "
                      "write --memory 128.", said)
        said = self.place(kernel, initrd=bytes(14 * MIB))
        self.assertIn("they need 17 MiB, and Linux at least 128 in all", said)
        seal_guest.place(kernel, b"", bytes(13 * MIB), b"", 16 * MIB)
        said = self.place(self.read(sealing.linux(initrd_max=4 * MIB - 1)), initrd=bytes(2 * MIB))
        self.assertIn("too small for kernel and initrd", said)

    def test_a_command_line_and_tables_that_are_too_long(self):
        kernel = self.read(sealing.linux(line_max=100))
        said = self.place(kernel, line=b"x" * 101)
        self.assertIn("the command line has 101 bytes, more than 100", said)
        self.assertIn("more than 2047", self.place(self.read(sealing.elf()), line=b"x" * 2048))
        self.assertIn("more than 128 KiB", self.place(kernel, acpi=bytes(0x20001)))


class Open(Folder):
    def check(self, image, machine="one"):
        return self.call("seal", image, "--check", self.path(f"{machine}/machine.key"))

    def refused_check(self, data, machine="one"):
        path = self.file("changed.img", data)
        return self.refused("seal", path, "--check", self.path(f"{machine}/machine.key"))

    def test_check_names_no_secret_value(self):
        said = self.check(self.sealed("--disk-phrase-file", self.path("phrase"), "--secret",
                                      f"token={self.path('token')}"))
        self.assertIn("is in order: 5 parts, entry 0x100200, a phrase, 1 secret", said)
        self.assertIn("secret token: 4 bytes", said)
        self.assertNotIn("swordfish", said)
        self.assertNotIn("1234", said)

    def test_show_needs_no_key(self):
        said = self.call("seal", self.sealed(machines=("one", "two")), "--show")
        self.assertIn("16 MiB of memory, at most 1 virtual CPU, debug registers off, vector 128 "
                      "refused", said)
        self.assertEqual(said.count("machine "), 2)
        self.assertRegex(said, r"kernel: 4 KiB at 0x100000, SHA-256 [0-9a-f]{64}")

    def test_show_names_the_bits_of_the_policy(self):
        said = self.call("seal", self.sealed("--debug", "--vector-128"), "--show")
        self.assertIn("debug registers the guest's, vector 128 permitted", said)

    def test_another_machine_is_refused(self):
        said = self.refused("seal", self.sealed(), "--check", self.path("two/machine.key"))
        self.assertIn("the image is not sealed for this machine (U_NO_KEY);", said)

    def test_files_that_are_not_images(self):
        self.assertIn("absent cannot be read", self.refused("seal", self.path("absent"), "--show"))
        self.assertIn("is not a sealed image", self.refused("seal", self.path("vmlinuz"), "--show"))
        with mock.patch.object(seal_image, "FILE_MAX", PAGE):
            said = self.refused("seal", self.file("large", bytes(PAGE + 1)), "--show")
        self.assertIn("more than 2 GiB", said)

    def test_an_image_with_the_stub_of_another_release_can_be_read(self):
        data = bytearray(Path(self.sealed()).read_bytes())
        start = seal_image.read_start("image", data)
        data[seal_image.STUB_OFFSET:seal_image.PAGE] = b"\xf4".ljust(
            seal_image.PAGE - seal_image.STUB_OFFSET, b"\0")
        self.assertEqual(seal_image.read_start("image", data), start)
        self.assertIn("another SHA-256 sum", self.refused_check(data))

    def test_images_that_are_damaged_outside_of_their_parts(self):
        data = bytearray(Path(self.sealed()).read_bytes())
        size = f"{len(data) - 1} bytes instead of {len(data)}"
        self.assertIn(f"{size}; copy it or seal it again", self.refused_check(data[:-1]))
        self.assertIn("is damaged: it has 100 bytes", self.refused_check(data[:100]))
        other = bytearray(data)
        other[8] = 2
        self.assertIn("sealed image of version 2", self.refused_check(other))
        other = bytearray(data)
        other[0x48] = 17
        self.assertIn("names 17 parts, more than 16", self.refused_check(other))
        other = bytearray(data)
        other[0x300] = 1
        self.assertIn("its start page is not as this nova writes it", self.refused_check(other))
        other = bytearray(data)
        other[seal_image.BLOB_OFFSET + seal_blob.ROOM - 1] = 1
        self.assertIn("there are bytes after its blob", self.refused_check(other))

    def test_a_changed_bit_in_each_part_is_named(self):
        data = Path(self.sealed("--initrd", self.path("initrd"))).read_bytes()
        start = seal_image.read_start("x", data)
        for kind, offset, _, length in start.rows[1:]:
            for at in (offset, offset + length - 1):
                other = bytearray(data)
                other[at] ^= 0x10
                name = seal_blob.KINDS[kind]
                verb = "have" if name in ("boot parameters", "ACPI tables") else "has"
                self.assertIn(f"its {name} {verb} another SHA-256 sum",
                              self.refused_check(other))

    def test_a_start_page_of_another_image_is_refused(self):
        data = Path(self.sealed()).read_bytes()
        other = Path(self.sealed("--vcpus", "2", out="other.img")).read_bytes()
        self.assertIn("its start page has another", self.refused_check(other[:PAGE] + data[PAGE:]))

    def test_rewrap_gives_the_image_to_another_machine_only(self):
        image = self.sealed("--disk-phrase-file", self.path("phrase"))
        for name in ("vmlinuz", "phrase", "acpi"):
            os.unlink(self.path(name))
        moved = self.path("moved.img")
        self.call("seal", image, "--rewrap", self.path("one/machine.key"), "--machine",
                  self.path("two/machine.pub"), "--out", moved)
        self.assertIn("is in order", self.check(moved, "two"))
        self.assertIn("is not sealed for this machine",
                      self.refused("seal", moved, "--check", self.path("one/machine.key")))
        private = machine_key.read_private(self.path("two/machine.key"))
        opened = seal_blob.open_blob(seal_image.blob_of(Path(moved).read_bytes()), private)
        self.assertEqual(opened.phrase, b"swordfish")

    def test_rewrap_without_the_key_is_refused(self):
        said = self.refused("seal", self.sealed(), "--rewrap", self.path("two/machine.key"),
                            "--machine", self.path("two/machine.pub"), "--out", self.path("x"))
        self.assertIn("is not sealed for this machine (U_NO_KEY)", said)
        self.assertFalse(os.path.exists(self.path("x")))


class Blob(unittest.TestCase):
    """The blob alone: each status."""

    def setUp(self):
        ((self.private, self.public),) = sealing.keys()
        self.content = sealing.content()
        self.blob = seal_blob.seal(self.content, [self.public], sealing.Repeatable())

    def status(self, function, *arguments):
        with self.assertRaises(seal_blob.SealError) as caught:
            function(*arguments)
        return caught.exception.name

    def opened(self, blob):
        return self.status(seal_blob.open_blob, bytes(blob), self.private)

    def with_word(self, offset, value):
        blob = bytearray(self.blob)
        struct.pack_into("<I", blob, offset, value)
        return self.opened(blob)

    def refused(self, **changes):
        plain = seal_blob.encode(self.content._replace(**changes))
        return self.opened(seal_blob.seal_bytes(plain, [self.public]))

    def with_part(self, index, **changes):
        parts = list(self.content.parts)
        parts[index] = parts[index]._replace(**changes)
        return self.refused(parts=tuple(parts))

    def test_the_content_is_what_was_sealed(self):
        self.assertEqual(seal_blob.open_blob(self.blob, self.private), self.content)

    def test_the_header(self):
        self.assertEqual(self.opened(b"NOVABLOC" + self.blob[8:]), "NO_BLOB")
        self.assertEqual(self.opened(b""), "NO_BLOB")
        self.assertEqual(self.opened(self.blob[:8]), "CUT_OFF")
        self.assertEqual(self.opened(self.blob[:-1]), "CUT_OFF")
        self.assertEqual(self.with_word(8, 2), "VERSION")
        self.assertEqual(self.with_word(12, len(self.blob) + 1), "LENGTHS")
        for count in (0, 17, 1 << 31, (1 << 32) - 1):
            self.assertEqual(self.with_word(16, count), "MACHINES")
        self.assertEqual(self.with_word(16, 2), "LENGTHS")
        for count in (0, 63, seal_blob.CONTENT_MAX + 1, (1 << 32) - 1):
            self.assertEqual(self.with_word(20, count), "CONTENT")
        self.assertEqual(self.with_word(36, 1), "RESERVED")

    def test_each_changed_bit_is_refused(self):
        for at in range(len(self.blob)):
            for bit in (0, 7):
                blob = bytearray(self.blob)
                blob[at] ^= 1 << bit
                self.opened(blob)

    def test_keys(self):
        ((_, _), (other, _)) = sealing.keys(2)
        self.assertEqual(self.status(seal_blob.open_blob, self.blob, other), "NO_KEY")
        blob = bytearray(self.blob)
        blob[72:104] = bytes(32)
        self.assertEqual(self.opened(blob), "KEY_DAMAGED")
        blob = bytearray(self.blob)
        blob[104] ^= 1
        self.assertEqual(self.opened(blob), "KEY_DAMAGED")
        blob = bytearray(self.blob)
        blob[-1] ^= 1
        self.assertEqual(self.opened(blob), "DAMAGED")

    def test_a_changed_row_of_another_machine_is_refused_too(self):
        pairs = sealing.keys(2)
        blob = bytearray(seal_blob.seal(self.content, [public for _, public in pairs]))
        blob[seal_blob.HEADER.size + seal_blob.WRAP.size + 40] ^= 1
        self.assertEqual(self.status(seal_blob.open_blob, bytes(blob), pairs[0][0]), "DAMAGED")

    def test_policies(self):
        for flags in range(4):
            plain = seal_blob.encode(self.content._replace(flags=flags))
            self.assertEqual(seal_blob.decode(plain).flags, flags)
        for change in (*({"flags": 1 << bit} for bit in range(2, 32)), {"vcpus": 0},
                       {"vcpus": 65}, {"memory": 0},
                       {"memory": MIB}, {"memory": 0xC0200000}, {"memory": 1 << 63}):
            self.assertEqual(self.refused(**change), "POLICY")

    def test_counts_and_lengths(self):
        self.assertEqual(self.refused(parts=()), "PARTS")
        self.assertEqual(self.refused(parts=self.content.parts * 3), "PARTS")
        many = {b"n%d" % i: b"" for i in range(17)}
        self.assertEqual(self.refused(secrets=many), "SECRETS")
        self.assertEqual(self.refused(phrase=bytes(513)), "PHRASE")
        plain = seal_blob.encode(self.content)
        self.assertEqual(self.status(seal_blob.decode, plain[:63]), "LENGTHS")
        for other in (plain + b"\0", plain[:-1]):
            blob = seal_blob.seal_bytes(other, [self.public])
            self.assertEqual(self.opened(blob), "LENGTHS")

    def test_parts(self):
        for change in ({"kind": 0}, {"kind": 7}, {"bytes": 0}, {"bytes": 4095},
                       {"address": 0x8001}, {"address": 16 * MIB}, {"bytes": 1 << 63},
                       {"address": (1 << 64) - 4096}):
            self.assertEqual(self.with_part(0, **change), "PART")
        self.assertEqual(self.with_part(0, address=0x10000), "OVERLAP")
        self.assertEqual(self.with_part(0, bytes=0x9000), "OVERLAP")
        first, second, *rest = self.content.parts
        self.assertEqual(self.refused(parts=(second, first, *rest)), "OVERLAP")

    def test_a_reserved_field_of_a_part(self):
        plain = bytearray(seal_blob.encode(self.content))
        plain[seal_blob.FIXED.size + 4] = 1
        self.assertEqual(self.opened(seal_blob.seal_bytes(bytes(plain), [self.public])), "PART")

    def test_places(self):
        for change in ({"blob": 0x30001}, {"blob": 0x10000}, {"blob": 16 * MIB - PAGE},
                       {"blob": 1 << 63}, {"tables": 0x70001}, {"tables": 0x30000},
                       {"tables": MIB}, {"tables": (1 << 64) - PAGE}):
            self.assertEqual(self.refused(**change), "PLACE")
        for entry in (0, MIB - 1, MIB + PAGE, 0x8000):
            self.assertEqual(self.refused(entry=entry), "ENTRY")
        self.assertEqual(self.refused(params=0x20000), "PARAMS")
        kinds = [one.kind for one in self.content.parts]
        at = kinds.index(seal_blob.COMMAND_LINE)
        self.assertEqual(self.with_part(at, kind=seal_blob.PARAMS), "PARAMS")
        self.assertEqual(self.with_part(kinds.index(seal_blob.PARAMS), bytes=2 * PAGE), "PARAMS")

    def test_secrets(self):
        for secrets in ({b"": b""}, {b"a b": b""}, {b"n" * 32: b""}, {b"n": bytes(4097)}):
            self.assertEqual(self.refused(secrets=secrets), "SECRET")
        plain = seal_blob.encode(self.content._replace(secrets={b"ab": b"x", b"cd": b"y"}))
        same = plain.replace(b"cdy", b"aby")
        self.assertEqual(self.opened(seal_blob.seal_bytes(same, [self.public])), "SECRET")
        long = plain.replace(b"\2\0\1\0cdy", b"\2\0\2\0cdy")
        self.assertEqual(self.opened(seal_blob.seal_bytes(long, [self.public])), "SECRET")
        short = bytearray(plain)
        struct.pack_into("<I", short, 44, 1)
        self.assertEqual(self.opened(seal_blob.seal_bytes(bytes(short), [self.public])), "SECRET")
        struct.pack_into("<I", short, 44, 3)
        self.assertEqual(self.opened(seal_blob.seal_bytes(bytes(short), [self.public])), "SECRET")

    def test_the_largest_blob_fits_into_its_room(self):
        publics = [public for _, public in sealing.keys(seal_blob.MACHINES_MAX)]
        blob = seal_blob.seal_bytes(bytes(seal_blob.CONTENT_MAX), publics)
        self.assertLessEqual(len(blob), seal_blob.ROOM)
        self.assertGreater(len(blob), seal_blob.ROOM - PAGE)


if __name__ == "__main__":
    unittest.main()
