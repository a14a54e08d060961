# SPDX-License-Identifier: BSD-2-Clause
"""Chooses the machine for a system description."""

import subprocess

from nova import boot_list, options


def machine(modules, cpus, memory, tool):
    """Returns the number of CPUs and the MiB of memory: the given values, else the values in the
    description among the boot modules, which TOOL (nova-system) reads, else the defaults."""
    found = boot_list.description_of(modules) if tool else None
    if found:
        command = [tool, "--machine", found.file]
        answer = subprocess.run(command, capture_output=True, text=True,
                                errors="replace", check=False)
        if not answer.returncode:  # init reports its errors
            wanted_cpus, wanted_memory = (int(word) for word in answer.stdout.split())
            if isinstance(cpus, options.Default) and wanted_cpus:
                cpus = wanted_cpus
            if isinstance(memory, options.Default) and wanted_memory:
                memory = wanted_memory
    return int(cpus), int(memory)
