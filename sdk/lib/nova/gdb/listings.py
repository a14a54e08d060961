# SPDX-License-Identifier: BSD-2-Clause
"""The listings of objects and CPUs: rows of text about the objects that `objects` found."""

from nova.gdb import walk
from nova.gdb.objects import EC, NO_GSI, PD, PT, SC, SM, caller

LOCAL, GLOBAL, VCPU, IDLE = range(4)  # enum ec_kind
KINDS = ("local", "global", "vcpu", "idle")
REQUEST, READY, REPLY, REPLY_ALONE, BLOCKED, DEAD = range(6)  # enum ec_state
STATES = ("request", "ready", "reply", "reply", "blocked", "dead")
# The events that end threads most often.
EVENTS = {
    0x0: "#DE", 0x1: "#DB", 0x3: "#BP", 0x6: "#UD", 0x7: "#NM", 0x8: "#DF", 0xC: "#SS",
    0xD: "#GP", 0xE: "#PF", 0x10: "#MF", 0x11: "#AC", 0x13: "#XM", 0x1E: "STARTUP", 0x1F: "RECALL",
}
PLACES = ("nowhere", "ready", "sleeping")  # enum sc_place
LENT = 0x8  # SPECIAL_LENT


def table(rows):
    """Returns aligned columns; the first row holds their names."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    ]


def _word(words, number):
    return words[number] if 0 <= number < len(words) else f"?{number}"


def _kib(size):
    return f"{size / 1024:.0f} KiB"


def pds(objects):
    yield ("address", "PD", "ECs", "capabilities", "mappings", "kernel memory", "state")
    for pd in objects.of(PD):
        owned = [ec for ec in objects.of(EC) if ec["pd"] == pd.address]
        counts = [sum(1 for _ in objects.mappings(pd, space)) for space in ("objects", "memory")]
        account = objects.reader.try_view("account", pd["account"], "the account of a PD")
        memory = "-"
        if account:
            memory = f"{_kib(account['used'])} of {_kib(account['limit'])}"
            memory += "" if pd["account"] != pd["object.account"] else ", its owner's"
        state = "dead" if pd["object.dead"] else "root" if pd["is_root"] else "live"
        if pd.address == objects.kernel_pd.address:
            memory, state = "-", "microhypervisor"
        yield (f"{pd.address:#x}", objects.label(pd), len(owned), *counts, memory, state)


def running(objects):
    """Returns the CPU that runs each EC, by the EC's address."""
    return {cpu["current"]: cpu for cpu in objects.cpus}


def _why_dead(ec):
    """Returns why an EC has ended. A destroyed EC has no record of its last event."""
    if ec["object.dead"] or ec["ending"]:
        return "nothing: it was destroyed, or its PD was"
    event, address = ec["event_number"], ec.item("event_qual", 1)
    name = f" ({EVENTS[event]})" if event in EVENTS and ec["kind"] != VCPU else ""
    return (
        f"nothing: it was shut down by event {event:#x}{name} at {ec['regs.ip']:#x}, address "
        f"{address:#x}, for which it had no portal to call, or whose handler ended"
    )


def _waits(objects, ec, runners):
    """Returns a text about an EC's activity: what it does or waits for."""
    state = ec["state"]
    if ec["object.dead"] or state == DEAD:
        return _why_dead(ec)
    if ec["helping"]:
        return f"helps {objects.label_at(ec['helping'], EC)}"
    if state == READY:
        serves = f", serves {objects.label_at(caller(ec), EC)}" if caller(ec) else ""
        return _waits_to_run(objects, ec, runners) + serves
    if state == REQUEST:
        return "a call" if ec["kind"] == LOCAL else "an SC"
    if state in (REPLY, REPLY_ALONE):
        alone = ", which runs on an SC of its own" if state == REPLY_ALONE else ""
        return f"the reply of {objects.label_at(ec['callee'], EC)}{alone}"
    if ec["wait_sm"]:
        until = ", with a deadline" if ec["timeout.key"] else ""
        return f"SM {objects.label_at(ec['wait_sm'], SM)}{until}"
    return "nothing: it is blocked for ever"


def _waits_to_run(objects, ec, runners):
    if ec.address in runners:
        return "nothing: it runs"
    return "its turn" if ec["donated"] or _has_sc(objects, ec) else "an SC: it has none"


def _has_sc(objects, ec):
    return any(ec.address in (sc["ec"], sc["owner"]) for sc in objects.of(SC))


def instruction(objects, ec, runners):
    """Returns where an EC continues in user mode, a virtual CPU in its guest; 0 if unknown."""
    guest = ec["kind"] == VCPU
    if ec.address in runners:
        live = objects.target.live_ip(runners[ec.address], guest)
        if live is not None:
            return live
    return _guest_ip(objects, ec) if guest else ec["regs.ip"]


def _guest_ip(objects, ec):
    """Returns the ip of a guest's last exit under SVM; the layout of VMX's control structures is
    not public."""
    if objects.target.number("vcpu_ops") != objects.target.address("svm_ops"):
        return 0
    what = f"the guest of {objects.label(ec)}"
    vcpu = objects.reader.try_view("vcpu", ec["vcpu"], what)
    vmcb = vcpu and objects.reader.try_view("vmcb", vcpu["control"], what)
    return vmcb["rip"] if vmcb else 0


def symbol(objects, pd_address, ip):
    """Returns the name of a place in a program, if the loaded symbols are the symbols of this
    PD."""
    name = objects.target.symbol(ip)
    if not name or pd_address == 0:
        return ""
    pd = objects.found[PD].get(pd_address)
    if not pd or pd["is_root"] or not objects.target.is_root_symbol(ip):
        return name
    # A child may hold another program at the same address, or the root's own pages.
    root = next((other for other in objects.of(PD) if other["is_root"]), None)
    same = root and frame(objects, root, ip) == frame(objects, pd, ip)
    return name if same else ""


def frame(objects, pd, address):
    """Returns the frame that a PD maps at an address, or None."""
    page = address >> 12
    at = objects.reader.word(pd.at("memory.space.tree.root"))
    for _ in range(256):
        entry = at and objects.reader.try_view("mapping", at, "a tree of mappings")
        if not entry:
            return None
        if entry["in_space.start"] <= page <= entry["in_space.last"]:
            return entry["in_parent.start"] + page - entry["in_space.start"]
        at = entry["in_space.left" if page < entry["in_space.start"] else "in_space.right"]
    return None


def place(objects, pd_address, ip):
    if not ip:
        return "-"
    name = symbol(objects, pd_address, ip)
    return f"{ip:#x}" + (f" <{name}>" if name else "")


def ecs(objects, pd=None):
    """Lists all ECs, or those of a PD."""
    runners = running(objects)
    yield ("address", "EC", "PD", "CPU", "kind", "state", "instruction", "waits for")
    for ec in objects.of(EC):
        if pd and ec["pd"] != pd.address:
            continue
        state = "runs" if ec.address in runners else _word(STATES, ec["state"])
        at = "-"
        if ec["kind"] != IDLE:
            program = 0 if ec["kind"] == VCPU else ec["pd"]  # symbols never belong to a guest
            at = place(objects, program, instruction(objects, ec, runners))
        waits = "work" if ec["kind"] == IDLE else _waits(objects, ec, runners)
        yield (f"{ec.address:#x}", objects.label(ec), objects.label_at(ec["pd"], PD),
               objects.cpu_number(ec["cpu"]), _word(KINDS, ec["kind"]), state, at, waits)


def _time(objects, ticks):
    khz = objects.target.number("tsc_khz")
    return f"{ticks * 1000 // khz} us" if khz else f"{ticks} ticks"


def _runs_on(objects, sc):
    """Returns the CPU whose current SC this is, or None."""
    return next((cpu for cpu in objects.cpus if cpu["current_sc"] == sc.address), None)


def _bound_to(objects, sc):
    """Returns the EC of an SC. An SC that runs its owner's call chain runs its CPU's current EC."""
    cpu = _runs_on(objects, sc)
    return cpu["current"] if cpu and not cpu["special"] & LENT else sc["ec"]


def _left(sc):
    """Returns the rest of an SC's quantum at the time when the SC last stopped or was charged."""
    return max(sc["round_end"] - sc["used"], 0)


def _state(objects, sc):
    if sc["object.dead"]:
        return "dead"
    return "running" if _runs_on(objects, sc) else _word(PLACES, sc["place"])


def scs(objects):
    yield ("address", "bound to", "owner", "CPU", "priority", "quantum", "left", "used", "state")
    for sc in objects.of(SC):
        times = [_time(objects, ticks) for ticks in (sc["quantum"], _left(sc), sc["used"])]
        yield (f"{sc.address:#x}", objects.label_at(_bound_to(objects, sc), EC),
               objects.label_at(sc["owner"], EC), objects.cpu_number(sc["cpu"]), sc["prio"],
               *times, _state(objects, sc))


def pts(objects):
    yield ("address", "PT", "EC", "PD", "id", "MTD", "entry")
    for pt in objects.of(PT):
        ec = objects.found[EC].get(pt["ec"])
        pd = ec["pd"] if ec else 0
        yield (f"{pt.address:#x}", objects.label(pt), objects.label_at(pt["ec"], EC),
               objects.label_at(pd, PD), f"{pt['id']:#x}", f"{pt['mtd']:#x}",
               place(objects, pd, pt["ip"]))


def _held(objects, pd):
    """Returns the addresses of all objects for which a PD has a capability."""
    what = f"a capability of {objects.label(pd)}"
    held = [objects.add(mapping["object"], what) for mapping in objects.mappings(pd, "objects")]
    return {entry.address for entry in held if entry}


def sms(objects, pd=None):
    """Lists all semaphores, or those for which a PD has a capability. Omits interrupt semaphores
    without holders and waiters."""
    silent = 0
    held = _held(objects, pd) if pd else None
    yield ("address", "SM", "count", "interrupt", "waiting")
    for sm in objects.of(SM):
        if pd and sm.address not in held:
            continue
        waiting = [objects.label(ec) for ec in objects.waiters(sm)]
        used = waiting or sm["count"] or sm["object.references"] > 1
        if sm["gsi"] != NO_GSI and not used:
            silent += 1
            continue
        gsi = "-" if sm["gsi"] == NO_GSI else f"GSI {sm['gsi']}"
        yield (f"{sm.address:#x}", objects.label(sm), sm["count"], gsi, ", ".join(waiting) or "-")
    if silent:
        yield (f"and {silent} of interrupts", "without holders", "", "", "")


def cpus(objects):
    yield ("CPU", "gdb thread", "APIC", "runs EC", "of PD", "on the SC of", "priority", "dying")
    for cpu in objects.cpus:
        ec = objects.found[EC].get(cpu["current"])
        sc = objects.found[SC].get(cpu["current_sc"])
        thread = objects.target.thread_of(cpu)
        dying = walk.chain(objects.reader, cpu["dying"], "kobject", "next", "a dying list")
        yield (cpu["id"], "-" if thread is None else thread, cpu["arch.apic_id"],
               objects.label_at(cpu["current"], EC),
               objects.label_at(ec["pd"], PD) if ec else "-",
               objects.label_at(sc["owner"], EC) if sc else "-",
               sc["prio"] if sc else "-", sum(1 for _ in dying))


def run_queues(objects):
    yield ("CPU", "priority", "SC", "runs EC", "of PD", "left", "")
    for cpu in objects.cpus:
        current = objects.found[SC].get(cpu["current_sc"])
        entries = [(current["prio"], current, "runs")] if current else []
        entries += [(priority, sc, "") for priority, sc in objects.ready(cpu)]
        for priority, sc, note in entries:
            ec = objects.found[EC].get(cpu["current"] if note else sc["ec"])
            yield (cpu["id"], priority, f"{sc.address:#x}",
                   objects.label(ec) if ec else objects.label_at(sc["ec"], EC),
                   objects.label_at(ec["pd"], PD) if ec else "-",
                   _time(objects, _left(sc)), note)
