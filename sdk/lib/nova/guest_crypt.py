# SPDX-License-Identifier: BSD-2-Clause
"""The software of a secure guest with an encrypted disk: an initrd with Debian's cryptsetup, and
a LUKS2 disk. The module makes the disk without root privileges and without drivers of the host.

cryptsetup makes the header, with a key that this module gives it. As a script, the module
encrypts the sectors with that key: `guest_crypt.py KEY PLAIN DISK`."""

import os
import subprocess
import sys
from pathlib import Path

ARCH = "x86_64"
# The phrase of the example's disk. It is not secret, because the example is public.
PHRASE = b"the phrase of the encrypted disk"
MOTD = b"This line was on the encrypted disk.\n"

SECTOR = 512
PLAIN_BYTES = 4 << 20
HEADER_SECTORS = 1024
ITERATIONS = 2000  # fixed, so that the guest needs the same time on any host
HEADER = ("--type luks2 --cipher aes-xts-plain64 --key-size 512 --hash sha256 --pbkdf pbkdf2 "
          f"--pbkdf-force-iterations {ITERATIONS} --luks2-metadata-size 16k "
          f"--luks2-keyslots-size 480k --offset {HEADER_SECTORS} --batch-mode").split()

# Packages of cryptsetup and of the libraries that it needs, and their files.
CRYPTSETUP = "cryptsetup-bin"
LOADER = "ld-linux-x86-64.so.2"
LIBRARIES = {
    "libc6": (LOADER, "libc.so.6", "libm.so.6"),
    "libcryptsetup12": ("libcryptsetup.so.12",),
    "libdevmapper1.02.1": ("libdevmapper.so.1.02.1",),
    "libssl3": ("libcrypto.so.3",),
    "libargon2-1": ("libargon2.so.1",),
    "libjson-c5": ("libjson-c.so.5",),
    "libpopt0": ("libpopt.so.0",),
    "libuuid1": ("libuuid.so.1",),
    "libblkid1": ("libblkid.so.1",),
    "libselinux1": ("libselinux.so.1",),
    "libudev1": ("libudev.so.1",),
    "libpcre2-8-0": ("libpcre2-8.so.0",),
}
# Debian's kernel modules for a LUKS2 disk: each one comes after the modules that it needs.
DRIVERS = "drivers/md/dm-mod crypto/gf128mul crypto/ecb crypto/xts drivers/md/dm-crypt".split()
FOLDERS = ("lib", "lib/x86_64-linux-gnu", "lib64", "run", "run/cryptsetup", "secret")

UNLOCK = """\
#!/bin/sh
# Opens the disk with the phrase from the sealed image.
[ -b /dev/vda ] || exit 0
for driver in $(cat /drivers/crypt); do
        insmod /drivers/$driver.ko
done
secret | cryptsetup open --type luks2 --key-file - /dev/vda secret &&
mount -t ext4 /dev/mapper/secret /secret && exit
echo "The encrypted disk cannot be used."
"""


def _library(files, name):
    """Returns the content of a library in the folder of a package's files."""
    from nova.errors import NovaError

    for folder in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"):
        if (files / folder / name).exists():
            return (files / folder / name).read_bytes()
    raise NovaError(f"the package {files.name} has no library {name}.")


def _cryptsetup(folder):
    """Returns the content of cryptsetup and its libraries, from Debian's packages, by name."""
    from nova import guest

    found = {"cryptsetup": (guest.unpack(ARCH, CRYPTSETUP, folder) / "sbin/cryptsetup")
                           .read_bytes()}
    for package, names in LIBRARIES.items():
        files = guest.unpack(ARCH, package, folder)
        found |= {name: _library(files, name) for name in names}
    return found


def _includes():
    from nova import places, tree

    folders = ([places.HOME / "include"] if places.INSTALLED
               else [tree.ROOT / "roottask/include", tree.ROOT / "roottask/vmm/include"])
    return [f"-I{folder}" for folder in folders]


def _secret_program(folder):
    from nova import tools

    to = folder / "secret"
    source = Path(__file__).with_name("guest_secret.c")
    command = ["gcc", "-O2", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-nostdlib",
               "-static", "-no-pie", *_includes(), "-o", str(to), str(source)]
    tools.output(command, "the program that reads the guest's secrets cannot be built")
    return to.read_bytes()


def make_initrd(arch, folder, to):
    """Creates the usual initrd without the drivers of devices that a secure guest must not trust,
    and appends a second archive, with the programs and drivers that open the disk."""
    from nova import guest

    guest.make_initrd(arch, folder, to, trusting=False)
    kernel = guest.unpack(arch, guest.real_package(arch, guest.KERNEL_PACKAGE[arch]), folder)
    drivers = guest.drivers(kernel, DRIVERS)
    archive = b"".join(guest.entry(name, 0o040755) for name in FOLDERS)
    for name, data in _cryptsetup(folder).items():
        place = {"cryptsetup": "bin", LOADER: "lib64"}.get(name, "lib/x86_64-linux-gnu")
        archive += guest.entry(f"{place}/{name}", 0o100755, data)
    for name, data in drivers.items():
        archive += guest.entry(f"drivers/{name}.ko", 0o100644, data)
    archive += guest.entry("drivers/crypt", 0o100644, " ".join(drivers).encode())
    archive += guest.entry("bin/secret", 0o100755, _secret_program(folder))
    archive += guest.entry("bin/unlock", 0o100755, UNLOCK.encode())
    with open(to, "ab") as file:
        file.write(archive + guest.entry("TRAILER!!!", 0))


def make_phrase(_, folder, to):
    del folder
    to.write_bytes(PHRASE)


def _make_plain(folder):
    """Makes a file with an ext4 file system that contains MOTD. Returns its path."""
    from nova import tools

    tools.need({"mke2fs": "e2fsprogs"}, "the disk's file system")
    content, plain = folder / "content", folder / "plain"
    content.mkdir()
    (content / "motd").write_bytes(MOTD)
    with open(plain, "wb") as file:
        file.truncate(PLAIN_BYTES)
    tools.output(["mke2fs", "-q", "-t", "ext4", "-d", str(content), str(plain)],
                 "the disk's file system cannot be made")
    return plain


def make_disk(_, folder, to):
    """Creates the encrypted disk."""
    from nova import tools
    from nova.errors import NovaError

    for name, data in _cryptsetup(folder).items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755)
    key, phrase = folder / "key", folder / "phrase"
    key.write_bytes(os.urandom(64))
    phrase.write_bytes(PHRASE)
    with open(to, "wb") as file:
        file.truncate(HEADER_SECTORS * SECTOR + PLAIN_BYTES)
    tools.output([str(folder / LOADER), "--library-path", str(folder), str(folder / "cryptsetup"),
                  "luksFormat", *HEADER, "--key-file", str(phrase), "--volume-key-file", str(key),
                  str(to)], "cryptsetup cannot make the disk's header")
    # Boot tests run Python with -S, so they cannot import python3-cryptography. A new process can.
    words = [sys.executable, "-X", "utf8", __file__, str(key), str(_make_plain(folder)), str(to)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        reason = done.stdout.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise NovaError(f"the disk cannot be encrypted: {' '.join(reason)}.")


def encrypt(key, plain, disk):
    """Writes the sectors of the file PLAIN after the header of DISK: AES-XTS, with the number of a
    sector as its tweak."""
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError as error:
        raise SystemExit("Python's library cryptography is missing: "
                         "apt-get install python3-cryptography") from error
    data = Path(plain).read_bytes()
    secret = algorithms.AES(Path(key).read_bytes())
    with open(disk, "r+b") as file:
        file.seek(HEADER_SECTORS * SECTOR)
        for at in range(0, len(data), SECTOR):
            tweak = (at // SECTOR).to_bytes(16, "little")
            file.write(Cipher(secret, modes.XTS(tweak)).encryptor().update(data[at:at + SECTOR]))


if __name__ == "__main__":
    encrypt(*sys.argv[1:])
