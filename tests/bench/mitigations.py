# SPDX-License-Identifier: BSD-2-Clause
"""Shows that each action against speculation flaws is executed at its place, and that no action is
executed needlessly: `nova bench --trace` lists the instructions of an operation by function, and
each action is a function of its own.

    mitigations.py SDK/lib/nova ARCH BUILD
"""

import re
import subprocess
import sys

# Instructions of one execution of an action.
SIZES = {
    "speculation_ibrs": 11,
    "speculation_ibpb": 11,
    "speculation_l1d_flush": 11,
    "speculation_fill_return_stack": 34,
    "speculation_overwrite_history": 305,
    "speculation_verw": 2,
    "speculation_divide": 11,
    "cleared_sysret": 2,
    "cleared_sysexit": 3,
    "cleared_iret": 2,
}
# Executions of each action, with mitigations=full. A call between PDs enters the kernel twice,
# leaves it twice and switches twice. An exception enters the kernel, and so does the reply of its
# handler, which is in the same PD. An exit of a guest and the reply of its handler are two entries.
HYPERCALL_EXIT = {"x86_64": "cleared_sysret", "x86_32": "cleared_sysexit"}
EXPECTED = {
    "call_same_pd": {
        "speculation_ibrs": 2,
        "speculation_ibpb": 2,
        "speculation_fill_return_stack": 2,
        "speculation_overwrite_history": 2,
        "exit": 2,
    },
    "call_other_pd": {
        "speculation_ibrs": 2,
        "speculation_ibpb": 4,
        "speculation_fill_return_stack": 4,
        "speculation_overwrite_history": 2,
        "speculation_divide": 2,
        "exit": 2,
    },
    "ud_eip": {
        "speculation_ibrs": 2,
        "speculation_ibpb": 2,
        "speculation_fill_return_stack": 2,
        "speculation_overwrite_history": 2,
        "exit": 1,
        "cleared_iret": 1,
    },
    "guest_cpuid": {
        "speculation_ibrs": 2,
        "speculation_ibpb": 4,
        "speculation_fill_return_stack": 4,
        "speculation_overwrite_history": 2,
        "speculation_l1d_flush": 1,
        "speculation_verw": 1,
        "speculation_divide": 4,
        "exit": 1,
    },
}
# Operations that are also traced with `off` and `auto`. With these modes, no action may be
# executed. Together the operations pass each kind of place for an action, except the places of
# exceptions.
WITHOUT = ("call_same_pd", "call_other_pd", "guest_cpuid")
# Calls with their replies, whose instructions are compared between modes. On a CPU without flaws,
# `auto` may add AUTO_MORE instructions.
CALLS = ("call_same_pd", "call_other_pd")
AUTO_MORE = 6
ROW = re.compile(r"^(\w+) +(\d+)$", re.MULTILINE)
HEAD = re.compile(r"^(\w+):$", re.MULTILINE)
OURS = ("speculation_", "guarded_", "cleared_")


def trace(nova, arch, build, mode, keys):
    """Returns {operation: {function: instructions}}, all from one boot."""
    command = [sys.executable, nova, "bench", "--arch", arch, "--mitigations", mode]
    command += ["--trace", ",".join(keys), "--summary", "--kernel", f"{build}/nova.elf32"]
    command += ["--programs", f"{build}/bin"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"nova bench failed:\n{done.stdout}{done.stderr}")
    _, *parts = HEAD.split(done.stdout)
    found = {key: {name: int(count) for name, count in ROW.findall(text)}
             for key, text in zip(parts[::2], parts[1::2])}
    if tuple(found) != tuple(keys) or not all(found.values()):
        sys.exit(f"nova bench did not trace {', '.join(keys)}:\n{done.stdout}")
    return found


def costs(without):
    """Returns a message for each call that costs too much. without: {mode: {operation: {function:
    instructions}}}. With `off` the kernel does not patch its text (test boot.sites), so no function
    may cost more than with `auto`."""
    found = []
    for key in CALLS:
        off, auto = (without[mode][key] for mode in ("off", "auto"))
        print(f"{key}: {sum(off.values())} instructions with off, {sum(auto.values())} with auto")
        if sum(auto.values()) > sum(off.values()) + AUTO_MORE:
            found.append(f"{key}: auto adds more than {AUTO_MORE} instructions to off")
        added = [name for name, count in off.items() if count > auto.get(name, 0)]
        if added:
            found.append(f"{key}: off adds instructions in {', '.join(added)}")
    return found


def main():
    nova, arch, build = sys.argv[1:]
    bad = []
    treated = trace(nova, arch, build, "full", EXPECTED)
    for key, expected in EXPECTED.items():
        full = treated[key]
        found = {name: full.get(name, 0) / size for name, size in SIZES.items() if name in full}
        wanted = {HYPERCALL_EXIT[arch] if name == "exit" else name: n
                  for name, n in expected.items()}
        if found != wanted:
            bad.append(f"{key}: executed {found}, wanted {wanted}")
    without = {mode: trace(nova, arch, build, mode, WITHOUT) for mode in ("off", "auto")}
    for mode, traced in without.items():
        for key, functions in traced.items():
            more = [name for name in functions if name.startswith(OURS)]
            if more:
                bad.append(f"{key} with {mode}: executed {', '.join(more)}")
    bad += costs(without)
    if bad:
        sys.exit("\n".join(bad))
    print(f"{len(EXPECTED)} operations traced with full, {len(WITHOUT)} with off and auto")


if __name__ == "__main__":
    main()
