# SPDX-License-Identifier: BSD-2-Clause
"""`nova doctor`: reports what is missing or unusual on this machine, with remedies."""

import json
import locale
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

from nova import errors, options, places, qemu, tree

OK, MISSING, ODD = "ok", "missing", "odd"
# Purposes without which the basic commands do not work; nova itself installs packages.
NEEDED = ("python", "build", "run")
PURPOSES = {
    "python": "runs nova",
    "build": "for nova build",
    "run": "for nova run",
    "debug": "for nova debug",
    "image": "for nova image and --boot grub",
    "clang": "for --compiler clang",
    "bochs": "for --emulator bochs",
    "secure": "for nova seal and secure virtual machines",
    "crypt": "for encrypted disks of your own guests",
    "docs": "for nova docs",
    "test": "for nova test",
}
# Purposes that an installed SDK does not need.
SOURCE_ONLY = ("docs", "test")
# (name, command that prints its version, minimum)
VERSIONS = (
    ("gcc", ["gcc", "--version"], (10,)),
    ("cmake", ["cmake", "--version"], (3, 25)),
    ("qemu", [qemu.PROGRAM, "--version"], (7, 0)),
    ("gdb", ["gdb", "--version"], (12,)),
)
PYTHON = (3, 10)
# Programs without whose minimum nothing works.
STRICT = ("python", "cmake")
DISK_MIB = 128 if places.INSTALLED else 2048  # some projects; in the tree all presets, twice
MEMORY_MIB = 512 if places.INSTALLED else 2048
HOSTS = ("x86_64", "amd64", "AMD64")
SECONDS = 30

DESCRIPTION = """\
Checks this machine and prints a line for each thing that the kit's
commands need: ok, missing or odd, with a remedy. It changes nothing.

Exit status: 0 if building and running can work, 1 if something required is missing.
--json prints the findings as a list of objects with the members name, state
(ok, missing or odd), needed (whether building and running need it), text and
remedy (empty: nothing to do); members may be added, these stay."""


class Finding(NamedTuple):
    name: str
    state: str
    text: str
    remedy: str = ""
    needed: bool = False


def add_parser(commands):
    parser = commands.add_parser(
        "doctor",
        prog="nova doctor",
        help="report what is missing or odd on this machine",
        description=DESCRIPTION,
        formatter_class=options.Formatter,
        usage="nova doctor [--json]",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(function=doctor)


def _output(command):
    """Returns the output of a command, "" if it does not run."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=SECONDS, check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def packages():
    """Returns a finding per purpose, from the script that installs the packages."""
    purpose, missing = None, {}
    for line in _output([str(tree.SCRIPT), "list-missing"]).splitlines():
        if line.startswith("  "):
            package, _, reason = line.strip().partition(": ")
            missing[purpose].append((package, reason))
        elif line in PURPOSES:
            purpose = line
            missing[purpose] = []
    for purpose, text in PURPOSES.items():
        needed = purpose in NEEDED
        if places.INSTALLED and purpose in SOURCE_ONLY:
            continue
        if purpose not in missing:
            yield Finding(purpose, ODD, text, "the script bin/nova did not run", needed)
        elif missing[purpose]:
            lacks = "; ".join(f"{package} {reason}" for package, reason in missing[purpose])
            names = " ".join(package for package, _ in missing[purpose])
            yield Finding(
                purpose, MISSING, f"{text}: {lacks}", f"apt-get install {names}", needed
            )
        else:
            yield Finding(purpose, OK, text, needed=needed)


def version(text):
    """Returns the first number with a point in a text, as a tuple."""
    match = re.search(r"(\d+(?:\.\d+)+)", text)
    return tuple(int(part) for part in match.group(1).split(".")) if match else ()


def _dotted(numbers):
    return ".".join(map(str, numbers))


def versions():
    """Returns findings about programs that are too old; missing ones are reported already."""
    for name, command, least in (("python", None, PYTHON), *VERSIONS):
        if command and not shutil.which(command[0]):
            continue
        found = version(_output(command)) if command else sys.version_info[:3]
        strict, name = name in STRICT, f"{name} version"
        if not found:
            yield Finding(name, ODD, "its version is unknown", f"try {' '.join(command)}")
        elif found < least:
            text = f"{_dotted(found)} is too old"
            state = MISSING if strict else ODD
            yield Finding(name, state, text, f"install {_dotted(least)} or newer", strict)
        else:
            yield Finding(name, OK, _dotted(found))


def host():
    machine = platform.machine()
    if machine in HOSTS and sys.platform == "linux":
        yield Finding("host", OK, f"{platform.system()} on {machine}", needed=True)
    else:
        text = f"{platform.system()} on {machine} is not supported"
        yield Finding("host", MISSING, text, "use Linux on x86-64", True)


def disk():
    # The build folder may not exist yet.
    folder = places.ROOT
    free = shutil.disk_usage(folder).free >> 20
    if free < DISK_MIB:
        text = f"{free} MiB are free at {folder}"
        yield Finding("disk", ODD, text, f"builds and tests need {DISK_MIB} MiB")
    else:
        yield Finding("disk", OK, f"{free} MiB are free")
    if not places.INSTALLED and not os.access(folder, os.W_OK):
        text = f"{folder} cannot be written"
        yield Finding("tree", ODD, text, "copy it to a folder that you may write, and build there")
    elif not places.INSTALLED:
        yield Finding("tree", OK, "it can be written")
    try:
        with tempfile.TemporaryDirectory(prefix="nova-") as temporary:
            blank = qemu.has_blank(temporary)
    except OSError as error:
        yield Finding("temporary", MISSING, f"no temporary files: {error}", "TMPDIR=/tmp", True)
        return
    if blank:
        yield Finding("temporary", ODD, f"{temporary} has a blank", "set TMPDIR=/tmp")
    else:
        yield Finding("temporary", OK, tempfile.gettempdir())


def memory(path="/proc/meminfo"):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            match = re.search(r"^MemAvailable:\s*(\d+) kB", file.read(), re.MULTILINE)
    except OSError:
        match = None
    if not match:
        yield Finding("memory", ODD, "the size of the memory is unknown")
        return
    free = int(match.group(1)) >> 10
    if free < MEMORY_MIB:
        text = f"{free} MiB are available"
        yield Finding("memory", ODD, text, f"the tests need {MEMORY_MIB} MiB; end other programs")
    else:
        yield Finding("memory", OK, f"{free} MiB are available")


def kvm():
    yield Finding("kvm", OK, "/dev/kvm is not needed: QEMU emulates the machine in software")


def surroundings():
    """Returns findings about settings of the environment that have caused surprises."""
    encoding = locale.getpreferredencoding(False)
    wanted = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if wanted in ("", "C", "POSIX") or "utf" in wanted.lower():
        yield Finding("locale", OK, wanted or encoding)
    else:
        yield Finding("locale", ODD, f"{wanted} is not UTF-8", "set LC_ALL=C.UTF-8")
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") == "dumb":
        yield Finding("terminal", ODD, "TERM names none", "set TERM=xterm")
    else:
        yield Finding("terminal", OK, os.environ.get("TERM") or "none, which is fine for scripts")
    parts = os.environ.get("PATH", "").split(os.pathsep)
    if any(not part or not os.path.isabs(part) for part in parts):
        yield Finding("path", ODD, "PATH names the current folder", "remove empty parts and .")
    elif qemu.has_blank(places.ROOT):
        text = f"the name {places.ROOT} has blanks"
        yield Finding("path", ODD, text, "nova handles them; your own scripts may not")
    else:
        yield Finding("path", OK, "nothing odd")


def emulator():
    """Returns findings about features of Debian's QEMU that others may lack."""
    if not shutil.which(qemu.PROGRAM):
        return
    if places.INSTALLED:
        pass  # nova bench works in the source tree only
    elif re.search(r"^\s*-plugin\b", _output([qemu.PROGRAM, "-help"]), re.MULTILINE):
        yield Finding("qemu plugins", OK, "for nova bench")
    else:
        text = "this QEMU was built without TCG plugins"
        yield Finding("qemu plugins", ODD, text, "nova bench needs Debian's qemu-system-x86")
    if re.search(r"\bsvm\b", _output([qemu.PROGRAM, "-cpu", "help"])):
        yield Finding("qemu svm", OK, "for virtual machines")
    else:
        text = "this QEMU does not model SVM"
        yield Finding("qemu svm", ODD, text, "virtual machines need Debian's qemu-system-x86")


def findings():
    for part in (host, packages, versions, disk, memory, kvm, surroundings, emulator):
        yield from part()


def text(found):
    """Returns aligned lines, each remedy below its finding."""
    width = max(len(finding.name) for finding in found)
    for finding in found:
        yield f"{finding.state:7}  {finding.name:{width}}  {finding.text}".rstrip()
        if finding.remedy:
            yield " " * (11 + width) + f"-> {finding.remedy}"


def doctor(args):
    found = list(findings())
    bad = [finding for finding in found if finding.needed and finding.state == MISSING]
    if args.json:
        print(json.dumps([finding._asdict() for finding in found], indent=2, ensure_ascii=False))
    else:
        print("\n".join(text(found)))
        if bad:
            print("\nBuilding and running cannot work yet: " + ", ".join(f.name for f in bad) + ".")
        elif any(finding.state != OK for finding in found):
            print("\nBuilding and running can work; nova installs the other packages.")
        else:
            print("\nAll is well.")
    return errors.EXIT_FAILED if bad else errors.EXIT_OK
