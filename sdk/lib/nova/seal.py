# SPDX-License-Identifier: BSD-2-Clause
"""`nova seal`: makes, shows, checks and rewraps the image of a secure VM."""

import os
import subprocess
import tempfile
from pathlib import Path

from nova import (
    build, image_file, machine_key, options, places, seal_acpi, seal_blob, seal_files, seal_guest,
    seal_image, tree,
)
from nova.errors import EXIT_OK, NovaError

MIB = 1 << 20
ACPI_TOOL = "nova-acpi"
WARNING = "warning: "  # beginning of a message about an image that is made in spite of a problem
OTHER_KEY = "use the key of a machine that --show prints, or seal it for this machine, too"

DESCRIPTION = """\
Makes a sealed image of a secure VM: its kernel, initrd, command line and tables, which
the ultravisor measures, and a blob, which is encrypted for the machines that
may run it. The blob contains the sums of all parts, the phrase of the disk and the secrets;
the parts themselves are not encrypted.

  nova seal --kernel FILE [OPTION…] --machine PUB… --out FILE    make an image
  nova seal IMAGE --show                                          print what is not secret
  nova seal IMAGE --check KEY                                     check it as a machine does
  nova seal IMAGE --rewrap KEY --machine PUB… --out FILE          seal it for other machines

The FILE after --out may be the IMAGE of --rewrap: nova replaces it as a whole.

Exit status: 0 done, 1 the image is damaged or not sealed for the machine of KEY, or the
build of the ACPI tables failed, 2 wrong usage or environment."""


def add_parser(commands):
    parser = commands.add_parser(
        "seal",
        prog="nova seal",
        help="make the sealed image of a secure VM",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova seal [OPTION…] [IMAGE]",
    )
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="a sealed image")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--kernel", metavar="FILE", help="64-bit bzImage of Linux, or ELF file")
    what.add_argument("--show", action="store_true", help="print what is not secret in IMAGE")
    what.add_argument("--check", metavar="KEY", help="check IMAGE with a machine's private key")
    what.add_argument("--rewrap", metavar="KEY", help="open IMAGE with KEY, seal it for others")
    parser.add_argument("--initrd", metavar="FILE", help="initial RAM disk")
    parser.add_argument("--command-line", metavar="TEXT", help="the kernel's command line")
    parser.add_argument("--disk-phrase-file", metavar="FILE", help="file with the disk's phrase")
    parser.add_argument("--secret", metavar="NAME=FILE", action="append", help="another secret")
    parser.add_argument(
        "--memory", type=options.number(*seal_blob.RANGES["memory"]), metavar="MIB",
        help="the guest's memory, an even number of MiB (256)",
    )
    parser.add_argument("--vcpus", type=options.number(*seal_blob.RANGES["vcpus"]), metavar="N",
                        help="virtual CPUs, 1 to 8 (1)")
    parser.add_argument("--debug", action="store_true",
                        help="note that the guest may use the debug registers (it always can)")
    parser.add_argument("--vector-128", action="store_true",
                        help="let the monitor send vector 128, which is Linux's int 0x80")
    parser.add_argument("--acpi", metavar="FILE",
                        help="ACPI tables for address 0xe0000 (those of novavmm's PC)")
    parser.add_argument("--machine", metavar="PUB", nargs="+", action="extend",
                        help="public keys of the machines that may run it")
    parser.add_argument("-o", "--out", metavar="FILE", help="the sealed image")
    parser.set_defaults(function=run)


OWN = ("initrd", "command_line", "disk_phrase_file", "secret", "memory", "vcpus", "debug",
       "vector_128", "acpi")
# The form of the command for each action.
FORMS = {
    "--kernel": "nova seal --kernel FILE --machine PUB… --out FILE",
    "--show": "nova seal IMAGE --show",
    "--check": "nova seal IMAGE --check KEY",
    "--rewrap": "nova seal IMAGE --rewrap KEY --machine PUB… --out FILE",
}


def _refuse_others(args, action, names):
    for name in names:
        if getattr(args, name):
            option = "IMAGE" if name == "image" else f"--{name.replace('_', '-')}"
            raise NovaError(f"{option} does not go with {action}: leave it out.")


def _need(args, action, name, metavar):
    if not getattr(args, name):
        raise NovaError(f"{action} needs {metavar}: write '{FORMS[action]}'.")


def _refuse_order(args, action):
    """Refuses an image in the place of a key: --machine also takes an IMAGE after its keys."""
    for path in (args.check, args.rewrap, *(args.machine or ())):
        if path and seal_files.kind_of(path) == seal_files.IMAGE:
            form = FORMS[action].replace("IMAGE", path)
            raise NovaError(f"{path} is a sealed image, in the place of a key: write '{form}'.")


def read_file(path, what, limit, line_end=0):
    """Returns the content of a file, which may have at most LIMIT + LINE_END bytes."""
    try:
        data = seal_files.read(path, limit + line_end)
    except OSError as error:
        raise NovaError(f"the {what} {path} cannot be read: {error.strerror}.") from error
    if len(data) > limit + line_end:
        raise NovaError(f"the {what} {path} has more than {limit:,} bytes: use a smaller file.")
    return data


def read_phrase(path):
    """Returns the phrase of a file, without the line end that editors add."""
    phrase = read_file(path, "phrase", seal_blob.PHRASE_MAX, 1)
    phrase = phrase[:-1] if phrase.endswith(b"\n") else phrase
    if not phrase:
        raise NovaError(f"the phrase {path} is empty: write the disk's phrase into it.")
    if len(phrase) > seal_blob.PHRASE_MAX:
        raise NovaError(f"the phrase {path} has more than {seal_blob.PHRASE_MAX} bytes: use a "
                        "smaller file.")
    return phrase


def read_secrets(given):
    """Returns {name: value} of the words NAME=FILE."""
    if len(given) > seal_blob.SECRETS_MAX:
        raise NovaError(f"there are {len(given)} secrets, more than {seal_blob.SECRETS_MAX}: put "
                        "some of them into one file.")
    found = {}
    for word in given:
        name, equals, path = word.partition("=")
        if not equals or not path:
            raise NovaError(f"'{word}' is not a secret: write --secret NAME=FILE.")
        key = name.encode()
        if not seal_blob.NAME.fullmatch(key):
            raise NovaError(f"'{name}' cannot be the name of a secret: use 1 to "
                            f"{seal_blob.NAME_MAX} letters, digits, '.', '_' and '-'.")
        if key in found:
            raise NovaError(f"there are two secrets '{name}': give each another name.")
        found[key] = read_file(path, "secret", seal_blob.VALUE_MAX)
    return found


def read_machines(paths):
    """Returns the public keys of the machines."""
    if len(paths) > seal_blob.MACHINES_MAX:
        raise NovaError(f"there are {len(paths)} machines, more than {seal_blob.MACHINES_MAX}: "
                        "seal another image for the rest, with --rewrap.")
    found = {}
    for path in paths:
        public = machine_key.read_public(path)
        if public in found:
            raise NovaError(f"{found[public]} and {path} are the same machine: name it once.")
        found[public] = path
    return list(found)


def acpi_tables(vcpus):
    """Returns the ACPI tables that novavmm gives to a PC with VCPUS virtual CPUs."""
    tool = places.HOME / "bin" / ACPI_TOOL
    if not places.INSTALLED:
        preset = tree.preset_name("x86_64", "release")
        build.build(preset, [ACPI_TOOL])
        tool = tree.build_dir(preset) / "host" / ACPI_TOOL
    try:
        return subprocess.run([str(tool), str(vcpus)], check=True, stdout=subprocess.PIPE).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise NovaError(f"{tool} does not make the ACPI tables: install the SDK again, or give a "
                        "file with them (--acpi).") from error


def read_acpi(path):
    """Returns the user's ACPI tables."""
    data = read_file(path, "file of ACPI tables", seal_image.FILE_MAX)
    seal_acpi.check(path, data)
    return data


def _is_same(path, other):
    try:
        return os.path.samefile(path, other)
    except OSError:  # one of them does not exist
        return False


def check_out(args):
    """Refuses a file of --out that must not become an image: a folder, a key, or a file from which
    the image is made. --rewrap may replace its IMAGE, because write_image() replaces a file as a
    whole."""
    image_file.checked(args.out, "name one after --out")
    kind = seal_files.kind_of(args.out)
    if kind in (seal_files.PRIVATE, seal_files.PUBLIC):
        raise NovaError(f"{args.out} is {kind}: name another file after --out.")
    read = [("kernel", args.kernel), ("initrd", args.initrd), ("phrase", args.disk_phrase_file),
            ("file of ACPI tables", args.acpi)]
    read += [("secret", word.partition("=")[2]) for word in args.secret or ()]
    for what, path in read:
        if path and _is_same(path, args.out):
            raise NovaError(f"--out would replace the {what} {path}: name another file after "
                            "--out.")


def write_image(path, data):
    """Writes a file as a whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".nova-", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.chmod(file.name, 0o644)
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise NovaError(f"the image {path} cannot be written: {error.strerror}.") from error


def make(args, random=os.urandom):
    """Makes an image. Tests replace RANDOM."""
    _refuse_others(args, "--kernel", ["image"])
    _need(args, "--kernel", "machine", "--machine PUB…")
    _need(args, "--kernel", "out", "--out FILE")
    check_out(args)
    memory, vcpus = (args.memory or 256) * MIB, args.vcpus or 1
    if memory % seal_blob.MEMORY_UNIT:
        raise NovaError(f"the guest's memory is an even number of MiB, not {args.memory}: write "
                        f"--memory {args.memory + 1}.")
    publics = read_machines(args.machine)
    limit = seal_image.FILE_MAX
    kernel = seal_guest.read_kernel(args.kernel, read_file(args.kernel, "kernel", limit))
    initrd = read_file(args.initrd, "initrd", limit) if args.initrd else b""
    phrase = read_phrase(args.disk_phrase_file) if args.disk_phrase_file else b""
    secrets = read_secrets(args.secret or [])
    line = (args.command_line or "").encode("utf-8", "surrogateescape")
    acpi = read_acpi(args.acpi) if args.acpi else acpi_tables(vcpus)
    loaded = seal_guest.place(kernel, line, initrd, acpi, memory)
    warning = seal_guest.warning(kernel, line, initrd, memory)
    if warning:
        build.say(f"{WARNING}{warning}")
    policy = seal_blob.Content(
        seal_blob.flags_of(args.debug, args.vector_128), vcpus, memory, kernel.entry, 0, 0, 0, (),
        phrase, secrets,
    )
    write_image(args.out, seal_image.build(policy, loaded, publics, random))


def _size(count):
    for unit, name in ((MIB, "MiB"), (1 << 10, "KiB")):
        if count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} bytes"


def show(path, data, start):
    """Yields lines about all public data of the image PATH. Checks all properties of the data that
    need no key."""
    length, _, rows = seal_blob.read_header(seal_image.blob_of(data))
    seal_image.check_room(path, data)
    seal_image.check_public(path, data, start)
    debug = "the guest's" if start.flags & seal_blob.DEBUG else "off"
    vector_128 = "permitted" if start.flags & seal_blob.VECTOR_128 else "refused"
    yield (f"sealed image, version {seal_image.VERSION}: {_size(start.memory)} of memory, "
           f"at most {start.vcpus} virtual CPU{'s' * (start.vcpus > 1)}, debug registers {debug}, "
           f"vector 128 {vector_128}")
    yield f"blob: {length:,} bytes at {seal_image.BLOB_AT:#x}"
    for identity, *_ in rows:
        yield f"machine {identity.hex()}"
    for kind, offset, address, size in start.rows:
        digest = seal_blob.digest(data[offset:offset + size])
        yield (f"{seal_blob.KINDS.get(kind, 'unknown part')}: {_size(size)} at {address:#x}, "
               f"SHA-256 {digest.hex()}")
    if not seal_image.has_own_stub(data):
        yield ("stub: not that of this nova; the start page is damaged, or another release of nova "
               "has sealed the image")
    yield "not checked: the sealed sums are encrypted; --check KEY compares them with these sums"


def _opened(path, function, *arguments):
    """Calls a function that opens the blob of the image PATH."""
    try:
        return function(*arguments)
    except seal_blob.SealError as error:
        remedy = OTHER_KEY if error.name == "NO_KEY" else seal_image.REMEDY
        raise NovaError(f"{path} cannot be opened: {error.sentence} ({error.status_name}); "
                        f"{remedy}.", error.status) from error


def check(path, key):
    """Yields lines about an image that the machine with the private key KEY accepts."""
    data, start = seal_image.read(path)
    private = machine_key.read_private(key)
    content = _opened(path, seal_image.check, path, data, start, private)
    yield (f"{path} is in order: {len(content.parts)} parts, entry {content.entry:#x}, "
           f"{'a' if content.phrase else 'no'} phrase, {len(content.secrets)} "
           f"secret{'s' * (len(content.secrets) != 1)}")
    for name, value in content.secrets.items():
        yield f"secret {name.decode()}: {len(value)} bytes"


def rewrap(args, random=os.urandom):
    """Seals an image for other machines. Tests replace RANDOM."""
    _need(args, "--rewrap", "machine", "--machine PUB…")
    _need(args, "--rewrap", "out", "--out FILE")
    check_out(args)
    data, start = seal_image.read(args.image)
    private = machine_key.read_private(args.rewrap)
    publics = read_machines(args.machine)
    write_image(args.out, _opened(args.image, seal_image.rewrap, args.image, data, start, private,
                                  publics, random))


def run(args):
    if not args.show:
        machine_key.need_cryptography()
    if args.kernel:
        make(args)
        build.say(f"{args.out} is sealed for {len(args.machine)} "
                  f"machine{'s' * (len(args.machine) != 1)}")
        return EXIT_OK
    action = "--show" if args.show else "--check" if args.check else "--rewrap"
    if not (args.show or args.check or args.rewrap):
        raise NovaError("no action is given: add --kernel, --show, --check or --rewrap. "
                        "See nova seal --help.")
    _refuse_order(args, action)
    _refuse_others(args, action, OWN + (() if args.rewrap else ("machine", "out")))
    _need(args, action, "image", "the IMAGE")
    if args.rewrap:
        rewrap(args)
        build.say(f"{Path(args.out)} is sealed for {len(args.machine)} "
                  f"machine{'s' * (len(args.machine) != 1)}")
        return EXIT_OK
    if args.check:
        lines = check(args.image, args.check)
    else:
        lines = _opened(args.image, lambda: list(show(args.image, *seal_image.read(args.image))))
    print("\n".join(lines))
    return EXIT_OK
