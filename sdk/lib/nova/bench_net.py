# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench net`: counts the instructions that the kernel and all programs execute for frames
over a switch, and for datagrams and a stream between two programs with a card each. For comparison,
it counts the instructions of Debian's kernel for the datagrams and the stream on the same cards.
Then it counts the instructions for a stream between two guests at a switch, including those of
their monitors and of NOVA, first without the offloads of their cards and then with them. For
comparison, it counts a stream between two Debian kernels, each in a QEMU of its own."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nova import bench_alone, bench_io, boot_list, build, process, qemu, qemu_plugin, tree
from nova.bench_alone import ARCH
from nova.errors import EXIT_FAILED, NovaError
from nova.runner import Runner

FRAMES, SOCKETS, GUESTS = "bench-frames", "bench-sockets", "bench-net-guests"
GUESTS_LARGE = f"{GUESTS}-large"
ROWS = bench_io.FOLDER / "net.tsv"
SOURCE = bench_io.FOLDER / "net" / "linux.c"
# Numbers of the operations in tests/bench/net/net.h.
SMALL_OP, LARGE_OP, ECHO_OP, TCP_OP = "10", "11", "12", "13"
FRAME_COUNT, ECHOES, PACKETS = 4096, 512, 4096
TIMEOUT = 100
DONE = "clients have sent"
# Two cards on one cable. The cards offer only features that both NOVA and Linux use. So they offer
# neither checksums nor larger packets.
PLAIN = (
    "disable-legacy=on,romfile=,csum=off,guest_csum=off,gso=off,host_tso4=off,host_tso6=off,"
    "host_ecn=off,host_ufo=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,"
    "mrg_rxbuf=off"
)
CARDS = [
    *("-netdev", "hubport,id=a,hubid=0", "-netdev", "hubport,id=b,hubid=0"),
    *("-device", f"virtio-net-pci,netdev=a,addr=4,mac=52:54:00:00:00:01,{PLAIN}"),
    *("-device", f"virtio-net-pci,netdev=b,addr=5,mac=52:54:00:00:00:02,{PLAIN}"),
]
# Words of the command line of Debian's kernel: eth0 sends requests, and eth1 answers them in a
# namespace of its own.
WORDS = (
    "mitigations=off cryptomgr.notests quiet net=10.1.0.1/24 "
    "run=net,answer,&+sleep,1+ip,link,set,eth1,netns,$!+net,ask+poweroff,-f"
)


# Command line and memory in MiB of each of two Linux kernels, each in a QEMU of its own.
GUEST_WORDS = (
    "mitigations=off cryptomgr.notests quiet net=10.1.0.{}/24 run=net,{}+poweroff,-f"
)
GUEST_MEMORY = 96


def _counts(results, console, what, needed):
    return bench_io.counts_of(results, console, what, needed, DONE, "sent nothing")


def _with_nova(kernel, boot, plugin, results, cards, needed):
    machine = qemu.Machine(
        kernel=kernel,
        modules=boot_list.read(boot),
        cpus=1,
        memory=bench_io.MEMORY,
        extra=bench_io.count_options(plugin, results, cards),
    )
    console = Runner(machine, TIMEOUT).run().text()
    return _counts(results, console, "the system", needed)


def _of_linux(plugin, folder):
    initrd, results = bench_io.initrd_with(folder, "net", SOURCE), folder / "linux"
    extra = bench_io.count_options(plugin, results, CARDS)
    what = "Debian's kernel"
    text = bench_alone.boot(
        what, WORDS, initrd, bench_io.MEMORY, TIMEOUT, extra, qemu.Machine.cpu
    )
    return _counts(results, text, what, (ECHO_OP, TCP_OP))


def _of_guests(kernel, boot, plugin, folder):
    results = folder / boot.stem
    initrd = bench_io.initrd_with(folder, "net", SOURCE)
    modules = boot_list.read(boot)
    modules[-1] = qemu.Module(str(initrd), modules[-1].arguments)
    machine = qemu.Machine(
        kernel=kernel,
        modules=modules,
        cpus=1,
        memory=bench_io.MEMORY_GUEST,
        extra=bench_io.count_options(plugin, results, icount=bench_io.ICOUNT_CLOSED),
    )
    runner = Runner(machine, TIMEOUT)
    runner.waiting = build.still_runs("the guests", TIMEOUT)
    text = runner.run().text()
    return _counts(results, text, "the guests", (ECHO_OP, TCP_OP))


def _cable(folder, here, there):
    ends = f"local.type=unix,local.path={folder}/{here}"
    ends += f",remote.type=unix,remote.path={folder}/{there}"
    return ["-netdev", f"dgram,id=a,{ends}", CARDS[4], CARDS[5].replace("00:01", f"00:0{here}")]


def _of_two(plugin, folder):
    """Returns the number of instructions of both kernels, the sender and the receiver, together."""
    initrd = bench_io.initrd_with(folder, "net", SOURCE)
    found = {}

    def count(number, word):
        results, what = folder / f"two-{word}", f"Debian's kernel ({word})"
        extra = bench_io.count_options(plugin, results, _cable(folder, number, 3 - number))
        words = GUEST_WORDS.format(number, word)
        text = bench_alone.boot(
            what, words, initrd, GUEST_MEMORY, TIMEOUT, extra, qemu.Machine.cpu
        )
        done = DONE if word == "ask" else "the stream has come"
        found[word] = bench_io.counts_of(results, text, what, (TCP_OP,), done, "sent nothing")

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(count, 2, "count"), pool.submit(count, 1, "ask")]:
            one.result()
    return found["ask"][TCP_OP].all() + found["count"][TCP_OP].all()


def guest_figures(guests, large, two):
    """Returns the figures of a stream between guests. LARGE: counts of guests that use the offloads
    of their cards. TWO: instructions of all packets between two kernels without NOVA."""
    if not two:
        raise NovaError("no instruction of Linux was counted.", EXIT_FAILED)
    counts = (guests[TCP_OP].all(), two, large[TCP_OP].all())
    one, alone, joined = (round(count / PACKETS) for count in counts)
    found = {"guests": one, "guests_linux": alone, "guests_ratio": round(one / alone, 3)}
    return found | {"guests_large": joined, "guests_large_ratio": round(joined / alone, 3)}


def figures(frames, sockets, linux):
    """Returns {key: figure} of the counts."""
    found = {
        "frame_64": round(frames[SMALL_OP].all() / FRAME_COUNT),
        "frame_1514": round(frames[LARGE_OP].all() / FRAME_COUNT),
    }
    for key, number, times in (("echo", ECHO_OP, ECHOES), ("stream", TCP_OP, PACKETS)):
        one, alone = (counts[number].all() / times for counts in (sockets, linux))
        if not alone:
            raise NovaError("no instruction of Linux was counted.", EXIT_FAILED)
        found |= {key: round(one), f"{key}_linux": round(alone)}
        found[f"{key}_ratio"] = round(one / alone, 3)
    return found


def _count(build_folder):
    kernel = Path(build_folder) / "nova.elf32"
    with tempfile.TemporaryDirectory(prefix="nova-") as place:
        folder = Path(place)
        plugin = qemu_plugin.compile_plugin("io", folder)
        boot = boot_list.path(build_folder, FRAMES)
        needed = (SMALL_OP, LARGE_OP)
        frames = _with_nova(kernel, boot, plugin, folder / "frames", [], needed)
        boot = boot_list.path(build_folder, SOCKETS)
        needed = (ECHO_OP, TCP_OP)
        sockets = _with_nova(kernel, boot, plugin, folder / "sockets", CARDS, needed)
        found = figures(frames, sockets, _of_linux(plugin, folder))
        guests, large = (
            _of_guests(kernel, boot_list.path(build_folder, name), plugin, folder)
            for name in (GUESTS, GUESTS_LARGE)
        )
        return found | guest_figures(guests, large, _of_two(plugin, folder))


def run(build_folder, as_json=False):
    """Counts and prints. BUILD_FOLDER: folder of kernel and systems; None: they are built."""
    process.die_with_parent()
    if not build_folder:
        preset = tree.preset_name(ARCH, "release")
        build.build(preset, ["nova.elf32", FRAMES, SOCKETS, GUESTS, GUESTS_LARGE])
        build_folder = tree.build_dir(preset)
    found, rows = _count(build_folder), bench_io.read_rows(ROWS)
    head, kernel = "instructions of frames and packets", "with two cards and without NOVA"
    return bench_io.report(rows, found, WORDS, as_json, head, kernel)
