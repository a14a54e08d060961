# SPDX-License-Identifier: BSD-2-Clause
"""Walks all mapping trees and capabilities of a system with a secure guest, by gdb:
`mappings.py LIST KERNEL SYSTEM-TOOL VMM`. LIST: the boot list; VMM: file of the monitor, which may
call honest_end() before it ends a guest, and calls tap_end() at its end. At each of these places:

- no PD but the ultravisor's, those of its guests, and init's has a mapping of a secure frame;
- no secure frame is mapped in two guests, and each is mapped for guests and not for devices;
- no PD but the ultravisor's has a capability for a secure guest's PD, virtual CPUs or their SCs.

init's PD has all memory that it has given to programs; it is trusted."""

import sys
from pathlib import Path

PLACES = ("honest_end", "tap_end")
STOPS = 8  # of a guest's end; each takes about two seconds
PAGE_BITS = 12
DMA, GUEST = 0x2, 0x4  # MAPPING_… of mapping.h
EXECUTE = 4
VCPU = 2  # EC_VCPU of ec.h
NAME = "ultravis"  # the kernel keeps 8 bytes of a name
SECONDS = 300


class Walk:
    """One walk, with all objects of a stopped system."""

    def __init__(self, objects):
        self.objects = objects
        pds = objects.of(0)
        root = next(pd for pd in pds if pd["is_root"])
        held = {pd.address: self.held(pd) for pd in pds if pd.address != objects.kernel_pd.address}
        self.ultravisor = next(pd for pd in pds if pd.address in held[root.address]
                               and objects.label(pd) == NAME)
        guests = {ec["pd"] for ec in objects.of(1) if ec["kind"] == VCPU}
        self.guests = guests & held[self.ultravisor.address]
        self.trusted = {root.address, objects.kernel_pd.address, self.ultravisor.address}
        self.others = [pd for pd in pds if pd.address not in self.trusted | self.guests]
        self.capabilities = held

    def held(self, pd):
        """Returns the addresses of the objects for which a PD has capabilities."""
        return {mapping["object"] for mapping in self.objects.mappings(pd, "objects")}

    def memory(self, pd):
        """Returns a PD's mappings as (first frame, last frame, mapping)."""
        return [(mapping["in_parent.start"], mapping["in_parent.last"], mapping)
                for mapping in self.objects.mappings(pd, "memory")]

    def frames(self):
        """Returns the ranges of secure frames: blocks of the ultravisor's memory that it has mapped
        in its own PD once more, executable for guests."""
        child = [mapping for _, _, whole in self.memory(self.ultravisor)
                 for mapping in self.objects.children(whole)]
        own = self.ultravisor["memory.space.pd"]
        return [(mapping["in_parent.start"], mapping["in_parent.last"]) for mapping in child
                if mapping["perms"] & EXECUTE and mapping["space"]
                and self.objects.reader.view("space", mapping["space"])["pd"] == own]

    def wrong(self):
        """Returns (messages, number of secure frames, number of frames that guests have)."""
        frames, found, owner = self.frames(), [], {}
        for pd in self.others:
            for first, last, _ in self.memory(pd):
                if any(first <= end and start <= last for start, end in frames):
                    found.append(f"{self.objects.label(pd)} has a mapping of the secure frame "
                                 f"{first << PAGE_BITS:#x}")
        for guest in self.guests:
            for first, last, mapping in self.memory(self.objects.found[0][guest]):
                if not any(start <= first and last <= end for start, end in frames):
                    continue  # a shared page
                if mapping["attr"] & (DMA | GUEST) != GUEST:
                    found.append(f"frame {first << PAGE_BITS:#x} has attributes {mapping['attr']}")
                for frame in range(first, last + 1):
                    if owner.setdefault(frame, guest) != guest:
                        found.append(f"two guests have frame {frame << PAGE_BITS:#x}")
        return found + self.wrong_capabilities(), sum(e - s + 1 for s, e in frames), len(owner)

    def wrong_capabilities(self):
        """Returns messages about capabilities for objects of secure guests."""
        ecs = {ec.address for ec in self.objects.of(1) if ec["pd"] in self.guests}
        secure = self.guests | ecs | {sc.address for sc in self.objects.of(2) if sc["ec"] in ecs}
        return [f"{self.objects.label_at(pd, 0)} has capabilities for objects of a secure guest: "
                + ", ".join(sorted(hex(address) for address in held & secure))
                for pd, held in self.capabilities.items()
                if held & secure and pd != self.ultravisor.address]


def inside():
    """Runs in gdb: walks at each stop up to the end of the test."""
    import gdb
    from nova.gdb.commands import Context, Target

    target = Target(gdb.parse_and_eval("$program").string())
    for place in PLACES:
        # Other programs have code at this address, too.
        gdb.Breakpoint(place).condition = '$_streq($nova_pd(), "vmm")'
    stops, most = 0, 0
    while True:
        gdb.execute("continue", to_string=True)
        where = gdb.selected_frame().name()
        if where == PLACES[0] and stops >= STOPS:
            continue
        found, frames, mapped = Walk(Context(target).objects()).wrong()
        stops += 1
        most = max(most, mapped)
        print(f"At {where}: {frames} secure frames, {mapped} of them in guests.", flush=True)
        for line in found:
            print(f"wrong: {line}")
        if found or where == PLACES[-1]:
            break
    if not found and frames > 1000 and most:
        print("No other PD has a secure frame or an object of a secure guest.")


def outside(boot, kernel, tool, vmm):
    """Starts the machine and gdb. Returns the exit status."""
    import argparse

    from nova import boot_list, boot_modules, debug, described, options

    modules = boot_modules.complete(boot_list.read(boot), [], None, None)
    parser = argparse.ArgumentParser()
    options.add_machine(parser)
    args = parser.parse_args(["--cpu", "qemu64,+svm,+npt,+rdrand"])
    commands = [f"nova symbols {Path(vmm).name}", f'set $program = "{modules[0].file}"',
                f"source {Path(__file__).resolve()}"]
    for name, value in (("cmdline", ""), ("ex", commands), ("batch", [""]), ("reset", False),
                        ("console", None), ("timeout", SECONDS), ("arch", "x86_64")):
        setattr(args, name, value)
    cpus, memory = described.machine(modules, 1, 128, tool)
    machine = options.machine(args, kernel, modules, cpus=cpus, memory=memory, extra=[],
                              multiboot=0)
    return debug._session(args, machine, modules[0].file, args.arch)


if __name__ == "__main__":
    if len(sys.argv) == 5:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk" / "lib"))
        sys.exit(outside(*sys.argv[1:]))
    inside()
