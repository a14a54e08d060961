# SPDX-License-Identifier: BSD-2-Clause
"""Checks that each file-local function of the kernel has the prefix of its module, so that a
backtrace shows where it belongs.

The module is the stem of the source file (`sm` in sm.c). MODULES names the modules whose public
functions have another prefix for historical reasons. A continuation has the name of its module
after the verb: `finish_hypercall_retry`, `block_on_vmx_exit`.
"""

import re

import sources

SOURCE = "hypervisor/src"
# File, or folder with a slash at its end: the prefix of its functions.
MODULES = {
    "arch/x86_32/descriptors_arch.c": "descriptors",
    "boot/main.c": "kernel",
    "hypercall/capability.c": "hypercall",
    "hypercall/execution.c": "hypercall",
    "hypercall/finish.c": "hypercall",
    "lib/printf.c": "print",
    "sched/schedule.c": "sched",
    "virt/svm/": "svm",
    "virt/vmx/": "vmx",
}
VERBS = "(?:finish|block_on|resume)_"
NOISE = re.compile(
    r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|__attribute__\(\((?:[^()]|\([^()]*\))*\)\)", re.DOTALL
)
LOCAL = re.compile(r"^static\b[^;{}=()]*?\b(\w+)\s*\(", re.MULTILINE)


def module(name):
    """Returns the prefix of the functions of a file."""
    folder = name.rsplit("/", 1)[0] + "/"
    return MODULES.get(name) or MODULES.get(folder) or name.rsplit("/", 1)[-1][:-2]


def check_local(name, text):
    """Returns complaints about the file-local functions of a file."""
    prefix = module(name)
    fits = re.compile(rf"(?:{VERBS})?{prefix}(?:_|$)")
    functions = dict.fromkeys(LOCAL.findall(NOISE.sub("", text)))
    return [
        f"{SOURCE}/{name}: {function}() does not begin with {prefix}_"
        for function in functions
        if not fits.match(function)
    ]


def check(root, _scratch):
    folder = root / SOURCE
    names = [str(name) for name in sources.find(folder, (".c",))]
    found = []
    for name in names:
        found += check_local(name, (folder / name).read_text(encoding="utf-8"))
    return len(names), found


if __name__ == "__main__":
    sources.main(check)
