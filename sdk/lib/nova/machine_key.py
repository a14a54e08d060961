# SPDX-License-Identifier: BSD-2-Clause
"""`nova machine-key`: makes the key pair of a machine that may run sealed images. They are keys
of X25519 (RFC 7748)."""

import hashlib
import os
import stat
from pathlib import Path

from nova import build, options, seal_files
from nova.errors import EXIT_OK, NovaError
from nova.seal_files import IMAGE, KEY, KINDS, PRIVATE_MAGIC, PUBLIC_MAGIC, kind

NAMES = {PRIVATE_MAGIC: "machine.key", PUBLIC_MAGIC: "machine.pub"}

DESCRIPTION = """\
Makes the key pair of a machine in the folder DIR: machine.pub, for which images are
sealed (nova seal --machine), and machine.key, with which the ultravisor opens
them. machine.key is a secret: give it to that machine only, as a boot module."""


def add_parser(commands):
    parser = commands.add_parser(
        "machine-key",
        prog="nova machine-key",
        help="make the key pair of a machine for sealed images",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova machine-key DIR",
    )
    parser.add_argument("folder", metavar="DIR", help="the folder; created if necessary")
    parser.set_defaults(function=run)


def need_cryptography():
    """Ends the command if the library of Debian's python3-cryptography is missing."""
    try:
        from cryptography.hazmat.primitives.ciphers import aead
    except ImportError as error:
        raise NovaError(
            "Python's library cryptography is missing: apt-get install python3-cryptography."
        ) from error
    return aead


def public_of(private):
    """Returns the public key of a private one."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import x25519

    key = x25519.X25519PrivateKey.from_private_bytes(private).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def shared(private, public):
    """Returns the shared secret of two keys. Returns None if the public key is one of the few keys
    that give no secret."""
    from cryptography.hazmat.primitives.asymmetric import x25519

    try:
        return x25519.X25519PrivateKey.from_private_bytes(private).exchange(
            x25519.X25519PublicKey.from_public_bytes(public)
        )
    except ValueError:
        return None


def identity(public):
    """Returns the SHA-256 sum of a machine's public key, by which a blob names the machine."""
    return hashlib.sha256(public).digest()


def write_secret(path, data):
    """Creates a file that only its owner can read. It must not exist."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as file:
        file.write(data)


def _why_no_key(path, data, magic):
    """Returns why DATA of the file PATH is not a key that begins with MAGIC, and the remedy."""
    name, found = NAMES[magic], kind(data)
    if magic.startswith(data[:len(magic)]):
        return (f"is damaged, with {len(data)} bytes instead of {len(magic) + KEY}: copy it again "
                f"from the {name} that nova machine-key made.")
    if found == IMAGE:
        return f"is a sealed image: name the {name} of a machine."
    if found and os.path.basename(path) == name:
        return f"contains {found}: copy the {name} that was made with it."
    if found:
        return f"is the other half of a key pair: name {name}."
    return f"is not a file of nova machine-key: name the {name} that this command made."


def _read(path, magic):
    what = KINDS[magic].removeprefix("a ")
    try:
        data = seal_files.read(path, seal_files.PIECE)
    except IsADirectoryError as error:
        raise NovaError(f"the {what} {path} is a folder: name the file "
                        f"{os.path.join(path, NAMES[magic])}.") from error
    except OSError as error:
        raise NovaError(f"the {what} {path} cannot be read: {error.strerror}.") from error
    if data[:len(magic)] != magic or len(data) != len(magic) + KEY:
        raise NovaError(f"the {what} {path} {_why_no_key(path, data, magic)}")
    return data[len(magic):]


def read_public(path):
    """Returns the public key in a file."""
    return _read(path, PUBLIC_MAGIC)


def read_private(path):
    """Returns the private key in a file, which only its owner may read."""
    key = _read(path, PRIVATE_MAGIC)
    if os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NovaError(f"other users can read the private key {path}: chmod 600 {path}.")
    return key


def make(folder, random=os.urandom):
    """Makes a key pair in a folder. Tests replace RANDOM."""
    for name in ("machine.key", "machine.pub"):
        if os.path.lexists(folder / name):
            raise NovaError(f"{folder / name} exists already: images sealed for it would be lost, "
                            "so name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    private = random(KEY)
    secret, public = folder / "machine.key", folder / "machine.pub"
    try:
        write_secret(secret, PRIVATE_MAGIC + private)
        public.write_bytes(PUBLIC_MAGIC + public_of(private))
    except FileExistsError:
        raise  # another command has just made the pair
    except BaseException:  # half a pair would stop the next attempt
        secret.unlink(missing_ok=True)
        public.unlink(missing_ok=True)
        raise
    return private


def run(args):
    need_cryptography()
    if not args.folder:
        raise NovaError("DIR is empty: name a folder.")
    folder = Path(args.folder)
    if folder.exists() and not folder.is_dir():
        raise NovaError(f"{folder} is a file: name another folder.")
    try:
        make(folder)
    except OSError as error:
        raise NovaError(f"the folder {folder} cannot be used: {error.strerror}.") from error
    build.say(f"{folder / 'machine.key'} is the machine's secret; seal images for "
              f"{folder / 'machine.pub'}")
    return EXIT_OK
