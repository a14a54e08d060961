# SPDX-License-Identifier: BSD-2-Clause
"""`nova build`: the project around the current folder, or all of NOVA's tree."""

from nova import build, errors, options, project, tree


def add_parser(commands):
    parser = commands.add_parser(
        "build",
        prog="nova build",
        usage="nova build [OPTION…]",
        help="build a project, or the kernel, the library and the examples",
        description="Builds everything for one architecture into build/ARCH-CONFIG: the project\n"
        "around the current folder, or in NOVA's tree\n"
        "nova.elf32 (for QEMU's -kernel), nova.elf (with symbols), bin/.",
        formatter_class=options.Formatter,
    )
    options.add_build(parser)
    parser.set_defaults(function=run)


def run(args):
    found = project.needed()
    if found:
        folder = found.build(args.arch, args.config, args.compiler)
        build.say(f"everything is built in {folder}")
        return errors.EXIT_OK
    preset = tree.preset_name(args.arch, args.config, args.compiler)
    build.build(preset)
    kernel = tree.kernel(preset)
    if not kernel.exists():
        raise errors.NovaError("the build made no kernel.", errors.EXIT_FAILED)
    build.say(f"the kernel is {kernel.relative_to(tree.ROOT)}")
    return errors.EXIT_OK
