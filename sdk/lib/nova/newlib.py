# SPDX-License-Identifier: BSD-2-Clause
"""Builds newlib, the C library of programs with the runtime, from Debian's package of its source.

There is one library for each architecture, built by gcc, whichever compiler builds the programs. It
lies in build/newlib/ARCH and is built again when the source or this recipe changes.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

from nova import build, errors, jobs, newlib_patches, options, process, qemu, tree
from nova.errors import NovaError

PACKAGE = "newlib-source"
SOURCES = Path("/usr/src/newlib")
SUMS = Path("/var/lib/dpkg/info/newlib-source.md5sums")
STAMP = "built.json"
# Number of compiler calls of one build, for the progress.
STEPS = {"x86_64": 975, "x86_32": 975}

TARGETS = {"x86_64": "x86_64-elf", "x86_32": "i386-elf"}
MACHINE = {"x86_64": ["-m64"], "x86_32": ["-m32", "-march=i686"]}
OPTIONS = (
    "--disable-multilib --disable-libgloss --disable-nls --disable-shared "
    "--disable-newlib-supplied-syscalls --enable-newlib-io-long-long "
    "--enable-newlib-io-c99-formats --enable-newlib-retargetable-locking "
    "--enable-newlib-global-stdio-streams --enable-newlib-nano-formatted-io --enable-lite-exit "
    "--disable-newlib-fvwrite-in-streamio --disable-newlib-fseek-optimization "
    "--disable-newlib-wide-orient"
).split()
FLAGS = (
    "-Os -g -fno-pic -no-pie -fno-stack-protector -fcf-protection=none -fno-unwind-tables "
    "-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections "
    "-fno-omit-frame-pointer -U__linux__ -U__gnu_linux__ -D__DYNAMIC_REENT__"
).split()
# Removes the folder of the source from the file names that programs contain.
NAMES_FROM = "-fmacro-prefix-map={}/="
TOOLS = {
    "CC": "gcc",
    "AR": "ar",
    "RANLIB": "ranlib",
    "AS": "as",
    "LD": "ld",
    "NM": "nm",
    "STRIP": "strip",
    "OBJDUMP": "objdump",
    "READELF": "readelf",
}
# Parts that the runtime provides: locks, access to a thread's variables, malloc() and functions
# that depend on its internals.
LEFT_OUT = (
    "lock getreent malloc calloc realloc malign valloc mstats msize mallocr freer callocr reallocr "
    "malignr vallocr pvallocr cfreer msizer mallinfor malloptr mallstatsr"
).split()
# Digests of recipes, each with the digest of an earlier recipe that builds the same library. In the
# earlier recipe, the changes to the source were not patch files.
SAME = {
    "995459f89c8761dec81def3403b0f8087e44f724a0871337763a22f1ff9b8118":
        "e1694cd567b53134ba949bd42938af842ce4882dc4106e3dbeb276aa677dcf75",
    "9fb355c1b924eae06fd29e8444d99b62260aaf0a1688148895dd385df34e1f79":
        "0a1f7d49f48e4126c2a70f900ff36d6e14330129f2741b2223035d9e7aa507a8",
}
# Settings on which programs and newlib's headers must agree.
SETTINGS = """
#define __DYNAMIC_REENT__ 1
#define _POSIX_TIMERS 1
#define _POSIX_MONOTONIC_CLOCK 200112L
"""


def add_parser(commands):
    parser = commands.add_parser("newlib", prog="nova newlib", formatter_class=options.Formatter)
    parser.add_argument("--arch", choices=tree.ARCHES, required=True)
    parser.set_defaults(function=run)


def run(args):
    ensure(args.arch)
    return errors.EXIT_OK


def folder(arch):
    return tree.ROOT / "build/newlib" / arch


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _recipe(arch):
    machine = [TARGETS[arch], MACHINE[arch]]
    patches = newlib_patches.read()
    text = json.dumps([*machine, OPTIONS, FLAGS, NAMES_FROM, TOOLS, patches, SETTINGS, LEFT_OUT])
    return _digest(text.encode())


def _archive():
    """Returns the archive with the source; None if there is none. Checks that the archive has the
    sum that Debian's package states."""
    found = sorted(SOURCES.glob("newlib-*.tar.xz"))
    if not found:
        return None
    archive = found[-1]
    with contextlib.suppress(OSError):
        for line in SUMS.read_text(encoding="utf-8").splitlines():
            stated, name = line.split(maxsplit=1)
            if Path("/") / name == archive:
                if hashlib.md5(archive.read_bytes()).hexdigest() != stated:
                    raise NovaError(
                        f"{archive} is damaged: apt-get install --reinstall {PACKAGE}."
                    )
    return archive


def _wanted(arch, archive):
    return {"recipe": _recipe(arch), "source": _digest(archive.read_bytes()) if archive else None}


def _good(arch, wanted):
    """Returns whether the library exists and was built from this recipe and source."""
    try:
        built = json.loads((folder(arch) / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    # If the source is not installed, an existing build of any source is used.
    recipes = (wanted["recipe"], SAME.get(wanted["recipe"]))
    return built["recipe"] in recipes and wanted["source"] in (None, built["source"])


def ensure(arch):
    """Builds the library unless it exists."""
    archive = _archive()
    wanted = _wanted(arch, archive)
    if _good(arch, wanted):
        return
    if not archive:
        raise NovaError(f"the source of the C library is missing: apt-get install {PACKAGE}.")
    folder(arch).parent.mkdir(parents=True, exist_ok=True)
    with build.locked(folder(arch).parent / f".{arch}.lock", folder(arch)):
        if not _good(arch, wanted):
            _build(arch, archive, wanted)


class Beside:
    """A context in which the missing libraries of ARCHES are built, each by a process of its own,
    while the caller does other work. ensure() waits for a library that is being built. The
    processes report nothing: ensure() repeats a build that failed, and reports the error."""

    def __init__(self, arches):
        archive = _archive()
        self.arches = [a for a in arches if archive and not _good(a, _wanted(a, archive))]
        self.running, self.threads, self.used = [], [], []
        self.seconds = 0.0  # elapsed, until the last library was built

    @staticmethod
    def command(arch):
        return [sys.executable, str(Path(__file__).parent), "newlib", "--arch", arch]

    def __enter__(self):
        self.began = time.monotonic()
        if self.arches:
            names = " and ".join(self.arches)
            build.say(f"building newlib for {names}, the C library, beside the first programs")
        for arch in self.arches:
            self.running.append(jobs.start(
                self.command(arch), None, jobs.environment(), stderr=subprocess.DEVNULL,
                preexec_fn=process.die_with_parent,
            ))
            self.threads.append(threading.Thread(target=self._wait, args=(self.running[-1],)))
            self.threads[-1].start()
        return self

    def _wait(self, running):
        with running:
            self.used.append(running.wait_counted())
        self.seconds = time.monotonic() - self.began

    def __exit__(self, kind, *_):
        """Waits for the processes. An exception ends them."""
        for running in self.running if kind else ():
            running.kill()
        for thread in self.threads:
            thread.join()

    def processors(self):
        """Returns the processor seconds of the processes, which have ended."""
        return sum(self.used)


def _unpack(archive, to):
    with tarfile.open(archive) as tar:
        tar.extractall(to)
    (source,) = to.iterdir()
    newlib_patches.apply(source, newlib_patches.read())
    return source


def _compiler_flags(arch):
    command = ["gcc", *MACHINE[arch], "-print-file-name=include"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [*MACHINE[arch], "-nostdinc", "-idirafter", result.stdout.strip(), *FLAGS]


def _configure(arch, source, prefix):
    flags = [*_compiler_flags(arch), NAMES_FROM.format(source)]
    tools = [f"{name}_FOR_TARGET={tool}" for name, tool in TOOLS.items()]
    return [
        str(source / "configure"),
        f"--target={TARGETS[arch]}",
        f"--prefix={prefix}",
        *OPTIONS,
        *tools,
        f"CFLAGS_FOR_TARGET={' '.join(flags)}",
    ]


class _Calls:
    """Reports each call of the compiler to a Progress as a step."""

    def __init__(self, what, total):
        self.progress = build.Progress(what)
        self.total = total
        self.done = 0

    def take(self, line):
        if line.startswith(b"gcc "):
            self.done = min(self.done + 1, self.total)
            self.progress.take(b"[%d/%d]" % (self.done, self.total))

    def end(self):
        self.progress.end()


@contextlib.contextmanager
def _work(arch):
    """Yields a build folder: one beside the library, or a temporary one if newlib's configure would
    refuse the path of the first."""
    beside = folder(arch).with_suffix(".work")
    if qemu.has_blank(beside):
        with tempfile.TemporaryDirectory(prefix="nova-") as temporary:
            if qemu.has_blank(temporary):
                raise NovaError(
                    f"newlib is not built in a path with blanks: {beside} and {temporary} have "
                    "some; set TMPDIR=/tmp."
                )
            yield Path(temporary)
        return
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    yield beside
    shutil.rmtree(beside, ignore_errors=True)


def _build(arch, archive, wanted):
    build.say(f"building newlib for {arch}, the C library, which takes about a minute")
    with _work(arch) as work:
        _build_in(work, arch, archive, wanted)


def _build_in(work, arch, archive, wanted):
    name = f"newlib for {arch}"
    failed = f"building {name} failed."
    (work / "objects").mkdir()
    source = _unpack(archive, work / "source")
    prefix = work / "prefix"
    objects = work / "objects"
    build.step(_configure(arch, source, prefix), f"configuring {name} failed.", folder=objects)
    calls = _Calls(f"building {name}", STEPS[arch])
    jobs = f"-j{os.cpu_count() or 1}"
    build.step(["make", jobs, "all-target-newlib"], failed, calls, objects)
    build.step(["make", "install-target-newlib"], failed, folder=objects)
    _install(arch, source, prefix / TARGETS[arch], wanted)


def _install(arch, source, made, wanted):
    """Writes the stamp last, so that an interrupted build is repeated."""
    to = folder(arch)
    shutil.rmtree(to, ignore_errors=True)
    with open(made / "include/newlib.h", "a", encoding="utf-8") as header:
        header.write(SETTINGS)
    shutil.copy(source / "COPYING.NEWLIB", made)
    for name in ("libg.a", "crt0.o"):
        (made / "lib" / name).unlink(missing_ok=True)
    members = [f"lib_a-{name}.o" for name in LEFT_OUT]
    failed = "emptying the C library failed."
    build.step(["ar", "d", "libc.a", *members], failed, folder=made / "lib")
    shutil.move(made, to)
    (to / STAMP).write_text(json.dumps(wanted), encoding="utf-8")
