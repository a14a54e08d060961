# SPDX-License-Identifier: BSD-2-Clause
"""The sources of guests' software, and the messages when it is not available."""

import errno
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths
from nova import boot_list, guest
from nova.errors import NovaError

# An apt-get that has a package only after its lists were fetched, and records its requests. Its
# first option names the architecture.
APT = """\
#!/bin/sh
arch=${2#*=}
while [ "$1" = -o ]; do shift 2; done
echo "$arch $@" >> calls
case "$1" in
-qq) [ -e late ] && touch lists
     [ -e broken ] && { echo "W: slow"; echo "E: no network"; echo "E: give up"; } >&2 && exit 100
     touch lists ;;
download) [ -e lists ] || { echo "E: Unable to locate package $2" >&2; exit 100; }
     echo "$arch" > "$2_1_$arch.deb" ;;
esac
"""
# Asks the installed SDK in its argument for its places, as a user without an entry in passwd.
HOMELESS = """\
import pwd, sys
pwd.getpwuid = {}.__getitem__
sys.path.insert(0, sys.argv[1])
from nova import errors, places
try:
    print(places.INSTALLED, places.guests())
except errors.NovaError as error:
    print(places.INSTALLED, error)
"""
UNPACK = """#!/bin/sh
mkdir -p "$3/boot" "$3/bin" && cp "$2" "$3/boot/vmlinuz-1" && cp "$2" "$3/bin/busybox"
"""
DEPENDS = '#!/bin/sh\necho "  Depends: linux-image-1"\n'


class Guest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        programs = self.root / "bin"
        programs.mkdir()
        for name, text in (
            ("apt-get", APT),
            ("apt-cache", DEPENDS),
            ("dpkg-deb", UNPACK),
        ):
            (programs / name).write_text(text.replace(" calls", f" {self.root}/calls")
                                         .replace("-e broken", f"-e {self.root}/broken")
                                         .replace("-e late", f"-e {self.root}/late")
                                         .replace("touch lists", f"touch {self.root}/lists")
                                         .replace("-e lists", f"-e {self.root}/lists"))
            (programs / name).chmod(0o755)
        said = mock.patch.object(guest.build, "say", lambda *_: None)
        guests = mock.patch.object(guest.places, "guests", lambda: self.root / "guest")
        environment = mock.patch.dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}")
        for patch in (said, guests, environment):
            patch.start()
            self.addCleanup(patch.stop)
        os.environ.pop("NOVA_OFFLINE", None)

    def calls(self):
        return (self.root / "calls").read_text().splitlines()

    def test_a_file_of_ones_own_is_left_alone(self):
        self.assertEqual(guest.file("kernel.elf"), "kernel.elf")

    def test_a_kernel_is_fetched_once_after_old_package_lists_are_updated(self):
        for _ in range(2):
            self.assertEqual(Path(guest.file("guest:x86_64/vmlinuz")).read_text(), "amd64\n")
        fetch = "amd64 download linux-image-1"
        self.assertEqual(self.calls(), [fetch, "amd64 -qq update", fetch])

    def test_guests_of_32_bits_have_a_kernel_of_their_own(self):
        (self.root / "lists").touch()
        for arch, debian in (("x86_64", "amd64"), ("x86_32", "i386")):
            path = Path(guest.file(f"guest:{arch}/vmlinuz"))
            self.assertEqual((path.name, path.read_text()), ("vmlinuz", f"{debian}\n"))

    def test_apt_uses_lists_and_a_cache_apart_from_those_of_the_machine(self):
        options = guest._options("x86_32")
        place = self.root / "guest/apt/i386"
        self.assertIn(f"Dir::State::Lists={place}/lists", options)
        self.assertIn(f"Dir::Cache={place}/cache", options)
        self.assertTrue((place / "lists").is_dir() and (place / "cache").is_dir())

    def test_a_source_that_fails_does_not_matter_when_another_one_has_the_package(self):
        (self.root / "broken").touch()
        (self.root / "late").touch()
        self.assertEqual(Path(guest.file("guest:x86_64/vmlinuz")).read_text(), "amd64\n")

    def test_a_kernel_package_without_a_needed_driver_is_refused(self):
        (self.root / "lists").touch()
        with self.assertRaises(NovaError) as caught:
            guest.file("guest:x86_64/initrd")
        self.assertEqual(
            str(caught.exception),
            "the package linux-image-1 has no module drivers/virtio/virtio_ring.ko.",
        )

    def test_drivers_are_loaded_in_the_order_of_their_needs(self):
        drivers = self.root / "lib/modules/6.1/kernel"
        for name in guest.DRIVERS:
            (drivers / name).parent.mkdir(parents=True, exist_ok=True)
            (drivers / f"{name}.ko").write_text(name)
        found = list(guest.drivers(self.root, guest.DRIVERS))
        self.assertLess(found.index("virtio_ring"), found.index("virtio"))
        self.assertLess(found.index("virtio"), found.index("virtio_pci"))
        self.assertEqual(len(found), len(guest.DRIVERS))

    def test_drivers_that_the_kernel_has_built_in_are_not_loaded(self):
        modules = self.root / "lib/modules/6.1"
        (modules / "kernel/fs").mkdir(parents=True)
        (modules / "kernel/fs/ext4.ko").write_text("ext4")
        (modules / "modules.builtin").write_text("kernel/lib/crc16.ko\n")
        self.assertEqual(list(guest.drivers(self.root, ["lib/crc16", "fs/ext4"])), ["ext4"])
        with self.assertRaises(NovaError):
            guest.drivers(self.root, ["lib/crc32", "fs/ext4"])

    def test_files_of_packages_are_copied_or_their_absence_is_reported(self):
        (self.root / "lists").touch()
        unpack = UNPACK.replace("$3/bin/busybox", "$3/boot/memtest86+x64.bin")
        (self.root / "bin/dpkg-deb").write_text(unpack)
        self.assertEqual(Path(guest.file("guest:x86_64/memtest")).read_text(), "amd64\n")
        with self.assertRaises(NovaError) as caught:
            guest.file("guest:x86_64/bios.bin")
        self.assertEqual(
            str(caught.exception),
            "the package seabios has no file usr/share/seabios/bios.bin.",
        )

    def test_each_sector_of_the_disk_contains_its_number(self):
        data = Path(guest.file("guest:x86_64/disk.img")).read_bytes()
        self.assertEqual(len(data), 512 * guest.DISK_SECTORS)
        self.assertEqual(data[512 * 77 :].split(b"\n")[0], b"sector 77")

    def test_without_a_network_one_sentence_says_so(self):
        (self.root / "broken").touch()
        with self.assertRaises(NovaError) as caught:
            guest.file("guest:x86_64/vmlinuz")
        self.assertEqual(
            str(caught.exception),
            "the package linux-image-1 is not available; apt-get update failed, too: no network",
        )

    def test_offline_nothing_is_fetched(self):
        with mock.patch.dict(os.environ, NOVA_OFFLINE="1"):
            with self.assertRaises(NovaError) as caught:
                guest.file("guest:x86_64/vmlinuz")
        self.assertEqual(
            str(caught.exception),
            "a package is not available: linux-image-cloud-amd64; NOVA_OFFLINE is set, so nothing "
            "is downloaded; unset it.",
        )
        self.assertFalse((self.root / "calls").exists())

    def read(self, *own):
        file = self.root / "linux.boot"
        names = ("bin/linux\twords", "guest:x86_64/vmlinuz", "guest:x86_64/initrd")
        file.write_text("\n".join(names))
        with mock.patch.dict(os.environ, NOVA_OFFLINE="1"):
            return boot_list.read(file, own)

    def test_offline_the_missing_packages_and_the_files_that_can_replace_them_are_named(self):
        with self.assertRaises(NovaError) as caught:
            self.read()
        self.assertEqual(
            str(caught.exception),
            "packages are not available: linux-image-cloud-amd64 and busybox-static; NOVA_OFFLINE "
            "is set, so nothing is downloaded; unset it, or give your own files, named vmlinuz and "
            "initrd, with --module.",
        )
        words = "^a package is not available: busybox.*, named initrd, with --module\\.$"
        with self.assertRaisesRegex(NovaError, words):
            self.read("vmlinuz", "other", "linux")

    def test_a_file_that_the_user_gives_is_not_built(self):
        self.assertEqual(
            self.read("initrd", "vmlinuz"),
            [("bin/linux", "words"), ("vmlinuz", ""), ("initrd", "")],
        )
        self.assertFalse((self.root / "guest").exists())

    def refused(self):
        with self.assertRaises(NovaError) as caught:
            guest.file("guest:x86_64/disk.img")
        return str(caught.exception)

    def test_a_folder_that_cannot_be_written_is_named_with_a_remedy(self):
        readonly = OSError(errno.EROFS, os.strerror(errno.EROFS), str(self.root / "guest"))
        with mock.patch.object(Path, "mkdir", side_effect=readonly):
            self.assertEqual(
                self.refused(),
                f"the guest's disk.img cannot be created in {self.root}/guest: "
                "Read-only file system; replace it by a link to a folder that you may write.",
            )

    def test_an_installed_sdk_names_xdg_cache_home_as_the_remedy(self):
        (self.root / "guest").symlink_to("nowhere")
        with mock.patch.object(guest.places, "INSTALLED", True):
            self.assertIn("; XDG_CACHE_HOME=FOLDER names another place for it.", self.refused())

    def test_an_installed_sdk_needs_a_home_only_for_guests(self):
        paths.copy_part("sdk/lib", self.root)
        version = self.root / "sdk/share/nova/version"
        version.parent.mkdir(parents=True)
        version.touch()
        command = [sys.executable, "-c", HOMELESS, str(self.root / "sdk/lib")]
        result = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
        self.assertEqual(result.stdout, "True the user has no home folder: set XDG_CACHE_HOME to a "
                                        "folder.\n", result.stderr)

    def test_a_link_to_nowhere_and_a_file_are_not_folders(self):
        place = self.root / "guest"
        for make in (lambda: place.symlink_to("nowhere"), lambda: place.write_text("")):
            make()
            self.assertIn(f"in {place}: a file or a dangling link is in the way;", self.refused())
            place.unlink()

    def test_an_unknown_guest_is_named(self):
        for name in ("x86_64/windows", "windows", "vmlinuz", "arm/vmlinuz"):
            with self.assertRaises(NovaError) as caught:
                guest.file(f"guest:{name}")
            what = name.rpartition("/")[2]
            self.assertIn(f"there is no guest file 'guest:{what}'", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
