# SPDX-License-Identifier: BSD-2-Clause
"""`nova image`: writes a medium that starts kernel and programs on a real machine."""

import shlex
from pathlib import Path

from nova import build, errors, image_file, media, options, run, sealed
from nova.qemu import CPU_OF_RUNS, Machine

DESCRIPTION = """\
Writes a bootable ISO image with kernel and boot modules, for BIOS and for UEFI, from CD, DVD or a
USB stick. GRUB starts it after two seconds; any key stops the countdown, and e edits the kernel's
command line. Only you can read an image that contains a machine's secret key.

  nova image hello -o hello.iso

Exit status: 0 the image is written, 1 the build failed, 2 wrong usage or
environment."""

ADVICE = """\
Try it in QEMU:      qemu-system-x86_64 -cpu {cpu} -m {memory} -smp {cpus} \
-nographic -cdrom {file}
                     (ctrl-a x leaves it)
To a USB stick:      sudo dd if={file} of=/dev/sdX bs=4M conv=fsync
                     (lsblk shows which sdX it is; everything on it is lost)
Messages come on the first serial port, COM1, at 115200 8N1."""


def add_parser(commands):
    parser = commands.add_parser(
        "image",
        prog="nova image",
        help="write a medium that boots a program on a real machine",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova image [OPTION…] [NAME | --roottask FILE [--module 'FILE ARGS']…]"
        " [-o FILE.iso]",
    )
    run.add_programs(parser)
    parser.add_argument("-o", "--out", metavar="FILE.iso", help="the image (NAME.iso)",
                        dest="output")
    options.add_build(parser)
    parser.add_argument(
        "--cmdline", default="serial", metavar="TEXT", help="the kernel's command line (serial)"
    )
    parser.set_defaults(function=image)


def _check_output(name):
    return image_file.checked(name, "write the image to one, and copy it there with dd")


def _defaults(args):
    """Returns the properties of the machine that are not on the medium."""
    default = Machine(kernel=None)
    for name in ("machine", "cpu", "emulator", "boot"):
        setattr(args, name, getattr(default, name))
    for name in ("cpus", "memory"):
        setattr(args, name, options.Default(getattr(default, name)))


def image(args):
    output = None if args.output is None else _check_output(args.output)
    _defaults(args)
    machine, _ = run.prepare(args)
    output = output or _check_output(f"{Path(args.roottask or args.name).name}.iso")
    secrets = sealed.secret_names(machine.modules)
    media.make_hybrid(machine, output, 0o600 if secrets else 0o666)
    size = output.stat().st_size / (1 << 20)
    build.say(f"{output} is written: {size:.1f} MiB, for BIOS and UEFI, CD and USB stick")
    for name in secrets:
        build.say(f"{output} contains {name}, the machine's secret: keep it like that file.")
    print(ADVICE.format(file=shlex.quote(str(output)), cpu=CPU_OF_RUNS, memory=machine.memory,
                        cpus=machine.cpus))
    return errors.EXIT_OK
