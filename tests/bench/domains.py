# SPDX-License-Identifier: BSD-2-Clause
"""Checks at which entries, exits and switches the kernel executes an IBPB, sets IBRS and flushes
the L1 data cache, and in which function: a plugin of QEMU lists the kernel's instructions, among
them the WRMSR of each of these actions.

    domains.py ARCH KERNEL ROOTTASK
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/lib"))

from nova import bench, bench_listing, bench_trace  # noqa: E402
from nova.qemu import Machine  # noqa: E402
from nova.qemu_plugin import ICOUNT  # noqa: E402
from nova.runner import Runner  # noqa: E402

# The functions that write an MSR, one for each MSR.
ACTIONS = {
    "speculation_ibpb": "IBPB",
    "speculation_ibrs": "IBRS",
    "speculation_l1d_flush": "L1D",
}
# The functions that call them, by place.
PLACES = {
    "speculation_slot_entry_ibpb": "entry",
    "speculation_slot_entry_ibrs": "entry",
    "speculation_slot_guest_ibpb": "guest exit",
    "speculation_slot_guest_ibrs": "guest exit",
    "speculation_switched": "switch",
    "speculation_enter_guest": "guest entry",
}
# A Zen 1 with IBPB that does not report that it is emulated. QEMU does not implement the IBPB, but
# accepts the WRMSR.
ZEN_1 = "max,hypervisor=off,x-force-features=on,vendor=AuthenticAMD,family=23,model=1,ibpb=on"
# The writes in each operation. A call switches to the server's PD and back. With mitigations=auto a
# PD's domain is its account, with mitigations=full the PD itself. A guest operation has two halts.
# Each halt causes an exit to the monitor's PD and five hypercalls of the monitor's threads. The
# monitor's PD shares its account with the guests' PDs. The interrupt ends a thread's slice.
OPERATIONS = ("same_pd", "same_account", "other_account", "same_guest", "other_guest", "interrupt")
CALL = {"entry IBPB": 2, "entry IBRS": 2}
GUEST = {
    "entry IBPB": 10,
    "entry IBRS": 10,
    "switch IBPB": 4,
    "guest entry L1D": 2,
    "guest exit IBPB": 2,
    "guest exit IBRS": 2,
}
EXPECTED = {
    "off": dict.fromkeys(OPERATIONS, {}),
    "auto": {
        "same_pd": {},
        "same_account": {},
        "other_account": {"switch IBPB": 2},
        "same_guest": {"guest exit IBPB": 2},
        "other_guest": {"guest entry IBPB": 2, "guest exit IBPB": 2},
        "interrupt": {},
    },
    "full": {
        "same_pd": CALL,
        "same_account": CALL | {"switch IBPB": 2},
        "other_account": CALL | {"switch IBPB": 2},
        "same_guest": GUEST,
        "other_guest": GUEST | {"guest entry IBPB": 2},
        "interrupt": {"entry IBPB": 1, "entry IBRS": 1},
    },
}


def places(path, kernel):
    """Returns {place and action: number of its WRMSRs in PATH}. PATH: addresses of instructions."""
    names = bench_listing.names_of(kernel, path)
    instructions = bench_listing.disassembly(kernel)
    caller, found = "?", Counter()
    for address in path:
        name = names.code(address)
        if name not in ACTIONS:
            caller = name
        elif instructions[address] == "wrmsr":
            found[f"{PLACES.get(caller, caller)} {ACTIONS[name]}"] += 1
    return dict(found)


def trace(arch, kernel, program, mode):
    """Returns {operation: {place and action: times}}."""
    def run(plugin):
        machine = Machine(kernel=kernel, modules=[program], cpus=1,
                          extra=[*ICOUNT, "-plugin", plugin], cmdline=f"serial mitigations={mode}")
        if mode == "auto":
            machine = machine.changed(cpu=ZEN_1)
        outcome = Runner(machine, 100).run()
        if outcome.status:
            sys.exit(f"{program} failed with {mode}: {outcome.message}\n{outcome.text()}")
        return outcome.text()

    _, paths = bench_trace.count(run, bench.KERNEL_FROM[arch])
    linked = bench_listing.with_symbols(kernel)
    return {key: places(path, linked) for key, path in paths.items()}


def main():
    arch, kernel, program = sys.argv[1], *map(Path, sys.argv[2:])
    bad = []
    for mode, operations in EXPECTED.items():
        found = trace(arch, kernel, program, mode)
        if found != operations:
            bad.append(f"{mode}: executed {found}, wanted {operations}")
    if bad:
        sys.exit("\n".join(bad))
    print(f"{sum(map(len, EXPECTED.values()))} operations traced")


if __name__ == "__main__":
    main()
