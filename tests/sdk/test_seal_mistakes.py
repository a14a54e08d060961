# SPDX-License-Identifier: BSD-2-Clause
"""`nova seal` given files of another kind or damaged ones: what the message names, and its
remedy."""

import os
import struct
import subprocess
import unittest
from pathlib import Path
from unittest import mock

import sealing
import test_seal
from nova import machine_key, run, seal, seal_blob, seal_files, seal_image, sealed
from nova.errors import NovaError
from nova.qemu import Module


class Files(test_seal.Folder):
    """A folder with a sealed image."""

    def setUp(self):
        super().setUp()
        self.image = self.sealed("--disk-phrase-file", self.path("phrase"))


class Kernels(Files):
    def compiled(self, name, *words):
        """Returns the file NAME, which gcc makes from a program with WORDS."""
        source = self.file("guest.S", b".globl _start\n_start: hlt\n")
        subprocess.run(["gcc", "-o", self.path(name), source, *words], check=True)
        return name

    def refused_kernel(self, name):
        return self.refused(*self.words(kernel=name)).removeprefix(f"the kernel {self.path(name)} ")

    def test_an_object_file_must_be_linked(self):
        self.assertEqual(self.refused_kernel(self.compiled("guest.o", "-c")),
                         "cannot be sealed: it is an object file: link it.")

    def test_a_file_without_addresses_must_be_linked_for_some(self):
        words = ["-nostdlib", "-static-pie"]
        self.assertEqual(self.refused_kernel(self.compiled("pie", *words)),
                         "cannot be sealed: it is position independent or a shared object: link it "
                         "with -static -no-pie, at 1 MiB or above "
                         "(-Wl,-Ttext-segment=0x200000).")
        self.sealed(kernel=self.compiled("pie", *words, "-Wl,-Ttext-segment=0x200000"))
        words = ["-nostdlib", "-static", "-no-pie", "-Wl,-Ttext-segment=0x10000"]
        self.assertRegex(self.refused_kernel(self.compiled("low", *words)),
                         "link it at another address [(]ld -Ttext-segment=0x200000[)][.]$")

    def test_a_cut_or_empty_file_must_be_built_again(self):
        for data, said in ((sealing.elf()[:40], "it is truncated; build or copy it again."),
                           (sealing.linux()[:2000], "it is truncated; build or copy it again."),
                           (b"", "it is empty; build or copy it again.")):
            self.file("cut", data)
            self.assertEqual(self.refused_kernel("cut"), f"cannot be sealed: {said}")


class Keys(Files):
    def test_a_damaged_key_must_be_copied_again(self):
        for name, words in (("machine.key", ["seal", self.image, "--check"]),
                            ("machine.pub", [*self.words(), "--machine"])):
            data = Path(self.path(f"two/{name}")).read_bytes()
            for cut in (data[:40], data[:5], b"", data + b"x"):
                self.assertRegex(self.refused(*words, self.file("cut", cut)),
                                 f"^the (private|public) key {self.path('cut')} is damaged, with "
                                 f"{len(cut)} bytes instead of 48: copy it again from the {name} "
                                 "that nova machine-key made[.]$")

    def test_a_file_that_is_not_a_key_is_named(self):
        for path, said in ((self.image, "is a sealed image: name the machine.pub of a machine."),
                           (self.path("one"), f"is a folder: name the file {self.path('one')}/"
                                              "machine.pub."),
                           (self.path("one/machine.key"), "is the other half of a key pair: name "
                                                          "machine.pub.")):
            self.assertEqual(self.refused(*self.words(), "--machine", path),
                             f"the public key {path} {said}")


    def test_a_key_with_the_name_of_the_other_one_is_named(self):
        public = Path(self.path("one/machine.pub")).read_bytes()
        os.mkdir(self.path("mixed"))
        key = self.file("mixed/machine.key", public)
        said = (f"the private key {key} contains a public key: copy the machine.key that was made "
                "with it.")
        self.assertEqual(self.refused("seal", self.image, "--check", key), said)
        modules = [Module("init"), Module(self.image), Module(key)]
        self.assertEqual(sealed.warning(modules, modules[2:]), said.removesuffix("."))
        public = self.file("mixed/machine.pub", Path(self.path("one/machine.key")).read_bytes())
        self.assertEqual(self.refused(*self.words(), "--machine", public),
                         f"the public key {public} contains a private key: copy the machine.pub "
                         "that was made with it.")


class Damaged(Files):
    """Each of the three commands that read an image, with images that are damaged."""

    def changed(self, at, data, size=None):
        """Returns the file of an image with DATA at the offset AT, cut to SIZE bytes."""
        image = bytearray(Path(self.image).read_bytes())
        image[at:at + len(data)] = data
        return self.file("changed.img", bytes(image[:size]))

    def opened_by(self, action):
        key = self.path("one/machine.key")
        return {"show": ["--show"], "check": ["--check", key],
                "rewrap": ["--rewrap", key, "--machine", self.path("two/machine.pub"), "--out",
                           self.path("moved.img")]}[action]

    def refused_with_remedy(self, at, data, said, size=None,
                            actions=("show", "check", "rewrap")):
        image = self.changed(at, data, size)
        for action in actions:
            self.assertRegex(self.refused("seal", image, *self.opened_by(action)),
                             f"^{image} (is damaged: |cannot be opened: ){said}.*; copy it or seal "
                             "it again[.]$")
        self.assertFalse(Path(self.path("moved.img")).exists())

    def test_damage_that_needs_no_key_to_be_seen(self):
        room, data = seal_image.BLOB_OFFSET, Path(self.image).read_bytes()
        for at, new, said, size in (
            (0, b"", "it is empty", 0),
            (0, b"", "it has 100 bytes, and its start page alone has 4096", 100),
            (0, b"", "it has [0-9]+ bytes instead of [0-9]+", -1),
            (len(data), b"x", "it has [0-9]+ bytes instead of [0-9]+", None),
            (0x300, b"x", "its start page is not as this nova writes it", None),
            (0x48, b"\x63", "its start page names 99 parts, more than 16", None),
            (room, b"x", "there is no blob", None),
            (room + 8, b"\2", "the blob has another version", None),
            (room + seal_blob.ROOM - 1, b"x", "there are bytes after its blob", None),
        ):
            self.refused_with_remedy(at, new, said, size)

    def test_a_start_page_that_names_parts_of_another_file(self):
        data = Path(self.image).read_bytes()
        start = seal_image.read_start("x", data)
        for number, change in ((0, 0x1000), (1, 0x1000), (3, 1 << 40)):
            rows = list(start.rows)
            kind, offset, address, length = rows[number]
            rows[number] = (kind, offset + change, address, length)
            page = seal_image.start_page(start._replace(rows=tuple(rows)))
            self.refused_with_remedy(0, page, "its start page does not name the parts of this file")
        rows = [(kind, offset, address + (1 << 32), length)
                for kind, offset, address, length in start.rows[1:]]
        page = seal_image.start_page(start._replace(rows=(start.rows[0], *rows)))
        self.refused_with_remedy(0, page, "a part is .*outside the memory", actions=["show"])

    def test_numbers_of_the_start_page_that_no_image_has(self):
        for at, new, said in (
            (0x19, b"\x34", "the policy has .* a wrong number of virtual CPUs or bytes of memory"),
            (0x20, bytes(4), "the policy has .* a wrong number of virtual CPUs or bytes of memory"),
            (0x24, b"\x80", "the policy has an unknown bit"),
            (0x42, b"\2", "the boot parameters are not a part of one page"),
            (4090, b"x", "there are bytes after the stub of its start page"),
        ):
            self.refused_with_remedy(at, new, said, actions=["show"])
            self.refused_with_remedy(at, new, "its start page has another SHA-256 sum",
                                     actions=["check", "rewrap"])

    def test_another_stub_is_that_of_another_release_or_damaged(self):
        self.assertNotIn("stub", self.call("seal", self.image, "--show"))
        self.assertRegex(self.call("seal", self.changed(1100, b"x"), "--show"),
                         "\nstub: not that of this nova; the start page is damaged, or another "
                         "release of nova has sealed the image\nnot checked: ")

    def test_the_public_data_need_no_library(self):
        missing = NovaError("the library is missing.")
        with mock.patch.object(machine_key, "need_cryptography", side_effect=missing):
            self.assertIn("16 MiB of memory", self.call("seal", self.image, "--show"))
            self.assertEqual(self.refused("seal", self.image, "--check", "key"), str(missing))

    def test_a_key_that_is_left_out_is_named(self):
        self.assertEqual(self.refused("seal", self.image, "--check"),
                         "--check needs KEY after it. See nova seal --help.")

    def test_damage_that_only_a_key_shows(self):
        at = len(Path(self.image).read_bytes()) - 1
        self.refused_with_remedy(at, b"x", "its kernel has another SHA-256 sum",
                                 actions=["check", "rewrap"])
        said = self.call("seal", self.changed(at, b"x"), "--show")
        self.assertRegex(said, "\nnot checked: the sealed sums are encrypted; --check KEY compares "
                               "them with these sums$")
        self.refused_with_remedy(seal_image.BLOB_OFFSET + 300, b"xyz", "the blob is damaged",
                                 actions=["check", "rewrap"])

    def test_the_key_of_another_machine_has_another_remedy(self):
        for action in ("--check", "--rewrap"):
            more = ["--machine", self.path("two/machine.pub"), "--out", self.path("moved.img")]
            said = self.refused("seal", self.image, action, self.path("two/machine.key"),
                                *(more if action == "--rewrap" else ()))
            self.assertRegex(said, "not sealed for this machine [(]U_NO_KEY[)]; use the key of a "
                                   "machine that --show prints, or seal it for this machine, too"
                                   "[.]$")

    def test_a_key_that_is_given_as_an_image_is_named(self):
        key = self.path("one/machine.key")
        self.assertEqual(self.refused("seal", key, "--show"),
                         f"{key} is a private key, not a sealed image: make one with 'nova seal'.")


class Order(Files):
    """Arguments in another order than in the usage."""

    def test_an_image_in_the_place_of_a_key_is_named(self):
        key, public, image = self.path("one/machine.key"), self.path("two/machine.pub"), self.image
        more = ["--machine", public, "--out", self.path("moved.img")]
        check = f"nova seal {image} --check KEY"
        rewrap = f"nova seal {image} --rewrap KEY --machine PUB… --out FILE"
        for form, words in ((check, ["--check", image, key]), (check, ["--check", image]),
                            (check, [key, "--check", image]),
                            (rewrap, ["--rewrap", image, key, *more]),
                            (rewrap, ["--rewrap", key, "--machine", public, image, *more[2:]])):
            self.assertEqual(self.refused("seal", *words),
                             f"{image} is a sealed image, in the place of a key: write '{form}'.")
        self.assertEqual(self.refused("seal", "--rewrap", key, *more),
                         "--rewrap needs the IMAGE: write 'nova seal IMAGE --rewrap KEY --machine "
                         "PUB… --out FILE'.")
        self.call("seal", "--rewrap", key, image, *more)

    def test_a_key_is_not_replaced_by_an_image(self):
        for name in ("one/machine.key", "one/machine.pub"):
            before = Path(self.path(name)).read_bytes()
            self.assertRegex(self.refused(*self.words(out=name)),
                             f"/{name} is a (private|public) key: name another file after "
                             "--out[.]$")
            self.assertEqual(Path(self.path(name)).read_bytes(), before)


class Out(Files):
    """Files that --out must not replace."""

    def test_a_file_that_is_sealed_is_not_replaced_by_the_image(self):
        given = {"kernel": "vmlinuz", "initrd": "initrd", "phrase": "phrase", "secret": "token",
                 "file of ACPI tables": "acpi"}
        words = ["--initrd", self.path("initrd"), "--disk-phrase-file", self.path("phrase"),
                 "--secret", f"token={self.path('token')}"]
        for what, name in given.items():
            before = Path(self.path(name)).read_bytes()
            os.symlink(self.folder, self.path("link"))
            for out in (name, f"link/{name}"):
                self.assertEqual(self.refused(*self.words(*words, out=out)),
                                 f"--out would replace the {what} {self.path(name)}: name another "
                                 "file after --out.")
            os.unlink(self.path("link"))
            self.assertEqual(Path(self.path(name)).read_bytes(), before)
        self.sealed(*words)

    def test_an_image_can_be_replaced_by_the_one_for_other_machines(self):
        before = Path(self.image).read_bytes()
        words = ["--machine", self.path("two/machine.pub"), "--out", self.image]
        self.refused("seal", self.image, "--rewrap", self.path("two/machine.key"), *words)
        self.assertEqual(Path(self.image).read_bytes(), before)
        self.call("seal", self.image, "--rewrap", self.path("one/machine.key"), *words)
        self.call("seal", self.image, "--check", self.path("two/machine.key"))


class Acpi(Files):
    """Files of --acpi."""

    def refused_tables(self, data):
        path = self.file("tables", data)
        return self.refused(*self.words(), "--acpi", path).replace(path, "tables")

    def refused_change(self, at, new):
        data = bytearray(sealing.acpi())
        data[at:at + len(new)] = new
        said = self.refused_tables(bytes(data))
        self.assertRegex(said, "; make the file again for the address 0xe0000[.]$")
        return said.removeprefix("the ACPI tables tables cannot be sealed: ").partition(";")[0]

    def test_tables_in_order_are_sealed(self):
        for name, data in (("new", sealing.acpi()), ("old", sealing.acpi(old=True)),
                           ("cut", sealing.acpi().rstrip(b"\0"))):
            self.sealed("--acpi", self.file(name, data))

    def test_a_file_without_a_root_pointer_is_refused(self):
        for data in (b"", b"garbage" * 100, sealing.acpi()[8:]):
            self.assertEqual(self.refused_tables(data),
                             "the file tables has no ACPI tables: begin it with the root pointer "
                             "'RSD PTR ', for the address 0xe0000.")

    def test_each_mistake_is_named(self):
        for at, new, said in (
            (9, b"X", "the checksum of its root pointer is wrong"),
            (33, b"X", "the checksum of its root pointer is wrong"),
            (0x40, b"Y", "the bytes at 0xe0040 are not the signature of the table XSDT"),
            (0x44, b"\xff\xff", "its table XSDT ends outside of the file"),
            (0x44, b"\1", "its table XSDT has 1 bytes, too few"),
            (0x50, b"X", "the checksum of its table XSDT is wrong"),
            (0x80, b"\0", "the bytes at 0xe0080 are not the signature of a table"),
            (0x90, b"X", "the checksum of its table FACP is wrong"),
            (0x200, b"X", "the bytes at 0xe0200 are not the signature of the table FACS"),
            (0x280, b"S", "the bytes at 0xe0280 are not the signature of the table DSDT"),
            (0x2a5, b"X", "the checksum of its table DSDT is wrong"),
        ):
            self.assertEqual(self.refused_change(at, new), said)
        outside = sealing.table(b"XSDT", struct.pack("<Q", seal_image.ACPI_AT - 8))
        self.assertEqual(self.refused_change(0x40, outside),
                         "it names a table at 0xdfff8, which is outside of the file")

    def test_tables_that_are_too_long(self):
        said = self.refused_tables(sealing.acpi().ljust(0x20001, b"\0"))
        self.assertIn("more than 128 KiB, for which there is no room: use smaller tables.", said)


class Names(Files):
    """Modules of `nova run` by names that the system does not open."""

    SYSTEM = [Module("init"), Module("sealed:/x/guest.seal", "kernel"), Module("machine.key")]

    def refused_name(self, file, system=SYSTEM):
        with self.assertRaises(NovaError) as caught:
            sealed.check_names(system, [Module(file)])
        return str(caught.exception).removeprefix(f"the module {file} ")

    def test_an_image_or_a_key_with_another_name_is_refused(self):
        os.rename(self.image, self.path("own.img"))
        self.assertEqual(self.refused_name(self.path("own.img")),
                         "is a sealed image, but the system opens it by the name sealed.img: copy "
                         "it to a file of this name.")
        os.rename(self.path("one/machine.key"), self.path("own.key"))
        self.assertEqual(self.refused_name(self.path("own.key")),
                         "is a private key, but the system opens it by the name machine.key: copy "
                         "it to a file of this name.")
        self.assertEqual(self.refused_name(self.path("one/machine.pub")),
                         "is a public key, but the ultravisor needs the private one: give the "
                         "machine.key that was made with it.")

    def test_a_file_of_another_kind_is_refused(self):
        os.rename(self.path("one/machine.key"), self.path("one/sealed.img"))
        os.rename(self.path("one/machine.pub"), self.path("one/machine.key"))
        self.assertEqual(self.refused_name(self.path("one/sealed.img")),
                         "is a private key, not a sealed image: give another file of this name.")
        self.assertEqual(self.refused_name(self.path("one/machine.key")),
                         "is a public key, not a private key: give another file of this name.")

    def test_other_modules_are_not_refused(self):
        for file in (self.image, self.path("one/machine.key"), self.path("token")):
            sealed.check_names(self.SYSTEM, [Module(file)])
        for file in (self.image, self.path("one/machine.key"), self.path("one/machine.pub")):
            sealed.check_names([Module("init"), Module("disk.img")], [Module(file)])

    def test_nova_run_refuses_it_before_the_boot(self):
        os.rename(self.image, self.path("own.img"))
        words = ["run", "one", "--module", self.path("own.img")]
        with mock.patch.object(run, "_build", lambda *_: ("kernel", self.SYSTEM, False)):
            self.assertIn("copy it to a file of this name.", self.refused(*words))


class Interruptions(test_seal.Folder):
    """Commands that end in the middle."""

    def test_a_failed_attempt_leaves_no_half_pair(self):
        for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
            with mock.patch.object(Path, "write_bytes", side_effect=error):
                with self.assertRaises(type(error)):
                    machine_key.make(self.folder / "half")
            self.assertEqual(os.listdir(self.folder / "half"), [])
        machine_key.make(self.folder / "half")
        self.assertEqual(sorted(os.listdir(self.folder / "half")), ["machine.key", "machine.pub"])

    def test_a_pair_that_appears_meanwhile_is_kept(self):
        before = Path(self.path("one/machine.key")).read_bytes()
        with mock.patch("os.path.lexists", lambda _: False), self.assertRaises(FileExistsError):
            machine_key.make(self.folder / "one")
        self.assertEqual(Path(self.path("one/machine.key")).read_bytes(), before)
        self.assertTrue(os.path.exists(self.path("one/machine.pub")))

    def test_an_interrupted_command_leaves_no_file(self):
        before = sorted(os.listdir(self.folder))
        with mock.patch("os.replace", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                seal.write_image(self.path("sealed.img"), b"image")
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_a_file_is_read_in_pieces_up_to_its_limit(self):
        data = os.urandom(3 * seal_files.PIECE + 5)
        path = self.file("large", data)
        for limit in (0, 1, len(data) - 1, len(data), len(data) + 1, 1 << 60):
            self.assertEqual(seal_files.read(path, limit), data[:limit + 1])
        self.assertEqual(len(seal_files.read("/dev/zero", 100)), 101)


if __name__ == "__main__":
    unittest.main()
