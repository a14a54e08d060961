# SPDX-License-Identifier: BSD-2-Clause
"""Walks all mapping trees and capabilities of a system with a secure guest, by gdb:
`mappings.py LIST KERNEL SYSTEM-TOOL VMM PLACES GUESTS VCPUS SHARED [ARGUMENTS]`. LIST: the boot
list; VMM: file of the monitor; PLACES: its name in the description, a colon, and functions that
it calls, the last of them once, at the end; GUESTS, VCPUS, SHARED: the minimum numbers of secure
guests, of their virtual CPUs and of their shared pages, each of which at least one walk must find;
ARGUMENTS: of the guest. At each of these places, up to STOPS times before the last place:

- no PD but the ultravisor's, those of its guests, and init's has a mapping of a secure frame;
- no secure frame is mapped in two guests, and each is mapped for guests and not for devices;
- no PD but the ultravisor's has a capability for a secure guest's PD, virtual CPUs or their SCs;
- all capabilities of a secure guest are portals, one for each event of its virtual CPUs, and
  each leads to a thread of the ultravisor.

init's PD has all memory that it has given to programs, and the SCs that it creates for them; it is
trusted."""

import sys
from pathlib import Path

STOPS = 8  # at the functions before the last one; each takes about two seconds
PAGE_BITS = 12
DMA, GUEST = 0x2, 0x4  # MAPPING_… of mapping.h
EXECUTE = 4
VCPU = 2  # EC_VCPU of ec.h
EVENTS = 0x100  # selectors of a virtual CPU's events
NAME = "ultravis"  # the kernel keeps 8 bytes of a name
SECONDS = 300
NUMBERS = ("guests", "vcpus", "shared")


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
        self.vcpus = [ec for ec in objects.of(1) if ec["pd"] in self.guests and ec["kind"] == VCPU]
        self.shared = 0
        self.root = root.address
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
        """Returns the ranges of secure frames. The ultravisor maps each block of its secure memory
        a second time in its own PD, with the permission to execute, which guests need."""
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
                    self.shared += last - first + 1
                    continue
                if mapping["attr"] & (DMA | GUEST) != GUEST:
                    found.append(f"frame {first << PAGE_BITS:#x} has attributes {mapping['attr']}")
                for frame in range(first, last + 1):
                    if owner.setdefault(frame, guest) != guest:
                        found.append(f"two guests have frame {frame << PAGE_BITS:#x}")
        found += self.wrong_capabilities() + self.wrong_portals()
        return found, sum(e - s + 1 for s, e in frames), len(owner)

    def wrong_capabilities(self):
        """Returns messages about capabilities for objects of secure guests."""
        ecs = {ec.address for ec in self.objects.of(1) if ec["pd"] in self.guests}
        scs = {sc.address for sc in self.objects.of(2) if sc["ec"] in ecs}
        secure = self.guests | ecs | scs
        return [f"{self.objects.label_at(pd, 0)} has capabilities for objects of a secure guest: "
                + ", ".join(sorted(hex(address) for address in held & secure))
                for pd, held in self.capabilities.items()
                if held & (secure - scs if pd == self.root else secure)
                and pd != self.ultravisor.address]

    def wrong_portals(self):
        """Returns messages about the capabilities of the secure guests. The kernel sends an event
        of a virtual CPU to the portal at the selector event base + number of the event."""
        found = []
        for guest in self.guests:
            bases = {ec["event_base"]: 0 for ec in self.vcpus if ec["pd"] == guest}
            for mapping in self.objects.mappings(self.objects.found[0][guest], "objects"):
                sel = mapping["sel"]
                base = max((base for base in bases if base <= sel < base + EVENTS), default=None)
                portal = self.objects.found[3].get(mapping["object"])
                if base is None or portal is None:
                    found.append(f"a secure guest has another capability, at selector {sel:#x}")
                    continue
                bases[base] += 1
                pd = self.objects.found[1][portal["ec"]]["pd"]
                if pd != self.ultravisor.address:
                    found.append(f"the portal at selector {sel:#x} of a virtual CPU leads to "
                                 f"{self.objects.label_at(pd, 0)}")
            found += [f"the virtual CPU with the events from {base:#x} has {number} portals"
                      for base, number in bases.items() if number != EVENTS]
        return found


def inside():
    """Runs in gdb: walks at the first STOPS stops, and at the last function."""
    import gdb
    from nova.gdb.commands import Context, Target

    target = Target(gdb.parse_and_eval("$program").string())
    name, _, functions = gdb.parse_and_eval("$places").string().partition(":")
    last = functions.split(",")[-1]
    for place in functions.split(","):
        # Other programs have code at this address, too.
        gdb.Breakpoint(place).condition = f'$_streq($nova_pd(), "{name}")'
    wanted = [int(gdb.parse_and_eval(f"${name}")) for name in NUMBERS]
    stops, most, met = 0, 0, [0] * len(NUMBERS)
    while True:
        gdb.execute("continue", to_string=True)
        where = gdb.selected_frame().name()
        if where != last and stops >= STOPS:
            continue
        walk = Walk(Context(target).objects())
        found, frames, mapped = walk.wrong()
        now = [len(walk.guests), len(walk.vcpus), walk.shared]
        met = list(map(max, met, now))
        stops += 1
        most = max(most, mapped)
        print(f"At {where}: {frames} secure frames, {mapped} of them in guests; guests, "
              f"virtual CPUs, shared pages: {now}.", flush=True)
        for line in found:
            print(f"wrong: {line}")
        if found or where == last:
            break
    if any(number < least for number, least in zip(met, wanted)):
        print(f"wrong: guests, virtual CPUs and shared pages: {met} in place of {wanted}")
    elif not found and frames > 1000 and most:
        print("No other PD has a secure frame or an object of a secure guest, and each portal of "
              "a secure guest leads to the ultravisor.")


def outside(boot, kernel, tool, vmm, places, guests, vcpus, shared, arguments=None):
    """Starts the machine and gdb. Returns the exit status."""
    import argparse

    from nova import boot_list, boot_modules, debug, described, options

    modules = boot_modules.complete(boot_list.read(boot), [], arguments, None)
    parser = argparse.ArgumentParser()
    options.add_machine(parser)
    args = parser.parse_args(["--cpu", "qemu64,+svm,+npt,+rdrand"])
    commands = [f"nova symbols {Path(vmm).name}", f'set $program = "{modules[0].file}"',
                f'set $places = "{places}"',
                *(f"set ${name} = {number}"
                  for name, number in zip(NUMBERS, (guests, vcpus, shared))),
                f"source {Path(__file__).resolve()}"]
    for name, value in (("cmdline", ""), ("ex", commands), ("batch", [""]), ("reset", False),
                        ("console", None), ("timeout", SECONDS), ("arch", "x86_64")):
        setattr(args, name, value)
    cpus, memory = described.machine(modules, options.Default(1), options.Default(128), tool)
    machine = options.machine(args, kernel, modules, cpus=cpus, memory=memory, extra=[],
                              multiboot=0)
    return debug._session(args, machine, modules[0].file, args.arch)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk" / "lib"))
        sys.exit(outside(*sys.argv[1:]))
    inside()
