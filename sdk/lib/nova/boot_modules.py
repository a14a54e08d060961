# SPDX-License-Identifier: BSD-2-Clause
"""The boot modules of `nova run` and of boot tests: the modules of a boot list, with the arguments
and further modules of the user or of the test."""

import os

from nova import disk, sealed
from nova.errors import NovaError
from nova.qemu import Module


def with_further(modules, further):
    """Returns the boot modules of the program, and the modules of the user. A user's module
    replaces a module of the program with the same file name, because programs find their modules by
    file name. No module replaces the roottask."""
    found, left = list(modules), list(range(1, len(modules)))
    for module in further:
        name = os.path.basename(module.file)
        same = next((i for i in left if sealed.file_name(found[i].file) == name), None)
        if same is None:
            found.append(module)
        else:
            left.remove(same)
            found[same] = module
    return found


def complete(modules, further, arguments, program=None):
    """Returns the boot modules MODULES, with FURTHER ones and with ARGUMENTS unless they are None.
    Seals the images. The arguments are for PROGRAM if the machine has devices of --disk or --net,
    else for the guest of a sealed image if there is one, else for the roottask."""
    is_secure = sealed.has_any(modules)
    if arguments is not None and program:
        modules = disk.with_arguments(modules, program, arguments)
    elif arguments is not None and not is_secure:
        roottask = [Module(one.file, arguments) for one in modules[:1]]  # a test may have none
        modules = roottask + modules[1:]
    modules = with_further(modules, further)
    sealed.check_own_keys(modules)
    if sealed.has_any(modules):
        return sealed.resolve(modules, arguments)
    if is_secure and arguments is not None and not program:
        raise NovaError(
            f"--arguments cannot change your {sealed.IMAGE}, whose command line is sealed: leave "
            "it out, or seal the image again with --command-line."
        )
    return modules
