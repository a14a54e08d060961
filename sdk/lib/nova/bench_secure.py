# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench secure`: counts the instructions of ultracalls and exits of a secure guest, and of
its conversion. It also counts Debian as a secure guest and, with the same image, as a normal
guest."""

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nova import (
    bench_goals,
    bench_io,
    bench_linux,
    boot_list,
    build,
    process,
    qemu,
    qemu_plugin,
    sealed,
    table,
    tree,
)
from nova.bench_alone import ARCH
from nova.errors import EXIT_FAILED, NovaError
from nova.runner import Runner

GUEST, PLAIN, BESIDE = "bench-secure", "bench-secure-plain", "bench-secure-beside"
CRYPTO, LINUX, NORMAL = "bench-secure-crypto", "bench-secure-linux", "bench-secure-normal"
SYSTEMS = (GUEST, PLAIN, BESIDE, CRYPTO, LINUX, NORMAL)
ROWS = bench_io.FOLDER / "secure.tsv"
FIGURES = bench_io.FOLDER / "secure.json"
SOURCE = bench_io.FOLDER / "secure" / "linux.c"
# Names of the operations of tests/bench/secure/marks.h, in the order of their numbers.
NAMES = (
    "cpuid port refused random fresh share touch unshare share_all touch_all page_out page_in "
    "snapshot vmm_refused esm hash seal open read_first read gzip "
    "other"
).split()
CPU = "qemu64,+svm,+npt,+rdrand"
CPU_AES = CPU + ",+aes,+pclmulqdq,+sse4.1,+ssse3"
# Operations that Debian marks.
DEBIAN = ("read_first", "read", "gzip")
PAGE, PAGES = 4096, 512
# Memory of the machines in MiB.
SMALL, LARGE = 256, 1024
OVER = "the operations are over"
# Debian reads the disk, then compresses its first 4 MiB, which are in memory, and switches off.
WORDS = (
    "run=work,read+head,-c,4194304,/dev/vda>/data+work,gzip+busybox,gzip,-c,/data>/packed"
    "+work,end+poweroff,-f"
)
OFF = "guest switched itself off"
DISK_BYTES = 8 << 20
TIMEOUT = 300
BEGIN = "<!-- secure: written by nova bench secure --update -->"
END = "<!-- end of secure -->"


@dataclass
class Mark:
    """One operation: how often it was marked, instructions outside and inside the guest."""

    times: int
    host: int
    guest: int

    def each(self):
        """Returns the instructions outside the guest of one execution."""
        return self.host / self.times

    def all(self):
        return self.host + self.guest


def read(text):
    """Parses the plugin's output. Returns the counts of unmarked instructions, all exits, and
    `marks`: a Mark by the name of its operation."""
    sections = bench_linux.read_sections(text)
    exits = [one for counts in sections.values() for one in counts["exits"]]
    marks = {
        NAMES[number - 1]: Mark(*(counts[name] for name in ("times", "host", "guest")))
        for number, counts in sections.items()
        if number
    }
    return sections[0] | {"exits": exits, "marks": marks}


def check(counts, needed, what):
    """Raises NovaError if the operations NEEDED are not among the counts."""
    missing = [name for name in needed if name not in counts["marks"]]
    if missing:
        raise NovaError(f"{what} did not mark {', '.join(missing)}.", EXIT_FAILED)
    return counts


@dataclass
class Place:
    """Files that the boots share: the build, the plugin, and a folder for outputs."""

    build: Path
    plugin: Path
    folder: Path

    def modules(self, system):
        """Returns a system's modules. Its image is sealed."""
        return sealed.resolve(boot_list.read(boot_list.path(self.build, system)), "")

    def boot(self, system, needed, done=OVER, memory=SMALL, cpu=CPU, modules=None):
        """Boots a system on one CPU, with MODULES or its own ones. Returns the plugin's counts."""
        results = Path(tempfile.mkdtemp(dir=self.folder)) / "results"
        machine = qemu.Machine(
            kernel=self.build / "nova.elf32",
            modules=modules or self.modules(system),
            cpus=1,
            memory=memory,
            cpu=cpu,
            extra=bench_io.count_options(self.plugin, results),
        )
        runner = Runner(machine, TIMEOUT)
        runner.waiting = build.still_runs(f"the system {system}", TIMEOUT)
        console = runner.run().text()
        if done not in console or not results.exists():
            raise NovaError(f"{system} did not end:\n{console}", EXIT_FAILED)
        return check(read(results.read_text(encoding="utf-8")), needed, system)


def make_disk(path):
    """Writes text of random words, which gzip compresses like a usual file."""
    source = random.Random(1)
    words = [
        "".join(source.choices("etaoinshrdlucmfwypvbgkjqxz", k=source.randint(2, 9)))
        for _ in range(4000)
    ]
    text = " ".join(source.choices(words, k=DISK_BYTES // 6)).encode()
    path.write_bytes((text * 2)[:DISK_BYTES])


def image_pages(modules):
    """Returns the number of pages of the sealed image among a system's modules."""
    image = next(module.file for module in modules if module.file.endswith(sealed.IMAGE))
    return Path(image).stat().st_size // PAGE


def _debian(place, system):
    """Boots Debian from its sealed image. Returns the counts and the image's number of pages."""
    modules = boot_list.read(boot_list.path(place.build, system))
    for at, module in enumerate(modules):
        name = str(module.file)
        if name.startswith(sealed.PREFIX):
            modules[at] = qemu.Module(f"{sealed.PREFIX}{place.folder}/linux.seal", "")
        elif Path(name).name == "secret.img":
            modules[at] = qemu.Module(str(place.folder / "secret.img"), "")
    modules = sealed.resolve(modules, WORDS)
    return place.boot(system, DEBIAN, OFF, LARGE, modules=modules), image_pages(modules)


def _describe_image(folder):
    """Writes the description of Debian's image, with an initrd that has the program of SOURCE."""
    initrd = bench_io.initrd_with(folder, "work", SOURCE)
    lines = (bench_io.FOLDER / "secure" / "linux.seal").read_text(encoding="utf-8")
    (folder / "linux.seal").write_text(
        lines.replace("initrd guest:initrd", f"initrd {initrd}"), encoding="utf-8"
    )
    make_disk(folder / "secret.img")


def exit_figures(secure, plain):
    """Returns the figures of a secure guest's exits, against those of a normal one."""
    marks, other = secure["marks"], plain["marks"]
    cpuid, port = other["cpuid"].each(), other["port"].each()
    return {
        "cpuid_normal": round(cpuid),
        "cpuid_secure": round(marks["cpuid"].each()),
        "refused": round(marks["refused"].each() / cpuid, 2),
        "random": round(marks["random"].each()),
        "port_normal": round(port),
        "port_secure": round(marks["port"].each()),
        "port": round(marks["port"].each() / port, 2),
    }


def page_figures(secure, crypto, with_aes):
    """Returns the figures of ultracalls for pages. CRYPTO: counts of the cipher alone; WITH_AES:
    those of the secure guest on a CPU with instructions for AES."""
    marks, cipher, aes = secure["marks"], crypto["marks"], with_aes["marks"]
    found = {}
    for key, part in (("page_out", "seal"), ("page_in", "open")):
        found[f"{key}_cipher"] = round(marks[key].each())
        found[key] = round(marks[key].each() - cipher[part].each())
        found[f"{key}_aes"] = round(aes[key].each())
    one = marks["share"].each() + marks["touch"].each()
    return {
        **found,
        "snapshot": round(marks["snapshot"].each() - cipher["seal"].each()),
        "vmm_refused": round(marks["vmm_refused"].each()),
        "share": round(one - marks["port"].each()),
        "share_many": round(marks["share_all"].each() / PAGES),
        "touch_many": round(marks["touch_all"].each() / PAGES),
        "unshare": round(marks["unshare"].each()),
        "fresh": round(marks["fresh"].each() / PAGES),
    }


def conversion(counts):
    """Returns the instructions of UV_ESM in a guest that made no other hypercall."""
    found = [one for one in counts["exits"] if one.reason == bench_linux.HYPERCALL]
    if sum(one.times for one in found) != 1:
        raise NovaError("the guest did not make exactly one hypercall.", EXIT_FAILED)
    return found[0].instructions


def debian_figures(secure, normal):
    """Returns the figures of Debian. Its work is marked; the unmarked rest is the start up to the
    shell, and the shutdown."""
    boots = [one["host"] + one["guest"] - one["start"] for one in (secure, normal)]
    converting = conversion(secure)
    found = {
        "debian_millions": round((boots[0] - converting) / 1e6),
        "debian_normal_millions": round(boots[1] / 1e6),
        "debian": round((boots[0] - converting) / boots[1], 3),
        "conversion_millions": round(converting / 1e6),
        "debian_all": round(boots[0] / boots[1], 3),
    }
    for key in DEBIAN:
        pair = [one["marks"][key] for one in (secure, normal)]
        if not pair[1].all():
            raise NovaError(f"Debian did no work ({key}).", EXIT_FAILED)
        found[key] = round(pair[0].all() / pair[1].all(), 3)
    reads = [one["marks"]["read"].host for one in (secure, normal)]
    found["read_outside"] = round(reads[0] / reads[1], 3)
    return found


def image_figures(small, large, crypto):
    """Returns the figures of the conversion. SMALL, LARGE: instructions and number of pages of
    two images."""
    page = crypto["marks"]["hash"].each()
    pages = large[1] - small[1]
    return {
        "hash": round(page / PAGE, 1),
        "convert": round((large[0] - small[0]) / pages - page),
    }


def beside_figure(beside, plain):
    """Returns the cost of a normal guest with an ultravisor, as a ratio to its cost without one."""
    there, here = (
        sum(one["marks"][key].host for key in ("cpuid", "port")) for one in (beside, plain)
    )
    return {"beside": round(there / here, 2)}


def _count(build_folder):
    with tempfile.TemporaryDirectory(prefix="nova-") as name:
        folder = Path(name)
        place = Place(Path(build_folder), qemu_plugin.compile_plugin("guest", folder), folder)
        _describe_image(folder)
        usual, all_names = ("cpuid", "port"), NAMES[: NAMES.index("esm") + 1]
        modules = place.modules(GUEST)
        with ThreadPoolExecutor(2) as pool:
            secure_debian = pool.submit(_debian, place, LINUX)
            normal_debian = pool.submit(_debian, place, NORMAL)
            crypto = pool.submit(place.boot, CRYPTO, ("hash", "seal", "open"))
            plain, beside = (pool.submit(place.boot, one, usual) for one in (PLAIN, BESIDE))
            secure = pool.submit(place.boot, GUEST, all_names, modules=modules)
            with_aes = pool.submit(place.boot, GUEST, all_names, cpu=CPU_AES, modules=modules)
        crypto, plain, beside, secure, with_aes = (
            one.result() for one in (crypto, plain, beside, secure, with_aes)
        )
        (debian, pages), (normal, _) = secure_debian.result(), normal_debian.result()
        small = (secure["marks"]["esm"].host, image_pages(modules))
        return {
            **exit_figures(secure, plain),
            **page_figures(secure, crypto, with_aes),
            **image_figures(small, (conversion(debian), pages), crypto),
            **debian_figures(debian, normal),
            **beside_figure(beside, plain),
        }


def count(build_folder):
    """Returns the figures. BUILD_FOLDER: folder of kernel and systems; None: they are built."""
    process.die_with_parent()
    if not build_folder:
        preset = tree.preset_name(ARCH, "release")
        build.build(preset, ["nova.elf32", *SYSTEMS])
        build_folder = tree.build_dir(preset)
    return _count(build_folder)


def reached(row, found):
    """Returns whether the figure of a row is not above its goal; None: it has no goal or figure."""
    if row.goal is None or row.key not in found:
        return None
    return found[row.key] <= row.goal


def _cells(row, found):
    """Returns the texts of a row: title, figure, goal, whether it is reached, limit."""
    good = reached(row, found)
    return [
        row.title,
        f"{found[row.key]:,}" if row.key in found else "",
        "" if row.goal is None else f"{row.goal:,g} at most",
        "" if good is None else "yes" if good else "no",
        "" if row.limit == float("inf") else f"{row.limit:,g}",
    ]


def _table(rows, found, head):
    return [[head, "figure", "goal", "reached", "limit"], *(_cells(row, found) for row in rows)]


def shown(rows, found):
    """Returns the page's table of the figures."""
    return table.markdown(_table(rows, found, "operation"))


def summary(rows, found):
    """Returns the sentence about the goals, with the figures that miss theirs."""
    judged = [(row, reached(row, found)) for row in rows if reached(row, found) is not None]
    missed = [row for row, good in judged if not good]
    text = f"{len(judged) - len(missed)} of {len(judged)} goals are reached."
    return "\n".join(
        [text, *(f"missed: {row.title}: {found[row.key]:,}, the goal is {row.goal:,g}"
                 for row in missed)]
    )


def text(rows, found):
    """Returns what the run prints: the table, and the sentence about the goals."""
    lines = table.lines(_table(rows, found, "secure guests"))
    return "\n".join([*lines, summary(rows, found)])


def records(rows, found):
    """Returns the rows with their figures for JSON."""
    return [
        one | {"reached": reached(row, found)}
        for row, one in zip(rows, bench_io.records(rows, found), strict=True)
    ]


def plots(figures):
    """Returns {name of the file: its text} of the plot of the published FIGURES."""
    rows = bench_io.read_rows(ROWS)
    return {"secure.svg": bench_goals.plot("Secure guests", rows, figures.get(ARCH, {}))}


def write_page(page, figures):
    """Returns the text of the page with the published FIGURES."""
    text = shown(bench_io.read_rows(ROWS), figures.get(ARCH, {}))
    return table.replace_between(page, BEGIN, END, text)
