# SPDX-License-Identifier: BSD-2-Clause
"""Devices that `nova run` attaches, `--disk FILE` and `--net`, and the systems of examples that
have drivers for them."""

import re
from pathlib import Path
from typing import NamedTuple

from nova import boot_list, description, places
from nova.errors import NovaError

VIRTIO = "1af4:"  # the vendor of the devices that these options attach


class Kind(NamedTuple):
    """A kind of device."""

    option: str
    suffix: str  # suffix in the names of examples' systems
    device: str  # name of the section in descriptions that have a driver
    noun: str


DISK = Kind("--disk FILE", "disk", "disk", "disk")
NET = Kind("--net", "net", "card", "network card")
KINDS = (DISK, NET)
ENDINGS = ("-disk-net", *(f"-{kind.suffix}" for kind in KINDS))  # endings of their systems' names

FORWARDED = re.compile(r"(tcp|udp):(\d{1,5}):(\d{1,5})")


def of(args):
    """Returns the kinds of devices that ARGS name; some commands do not have these options."""
    given = (getattr(args, "disk", None), getattr(args, "net", None))
    return [kind for kind, value in zip(KINDS, given) if value]


def options_of(ending):
    """Returns the options that choose systems with this ENDING; "" if it is none of ENDINGS."""
    suffixes = ending.split("-") if ending in ENDINGS else ()
    return " ".join(kind.option for kind in KINDS if kind.suffix in suffixes)


def _declares(text, kind):
    """Returns whether the description TEXT has a device of KIND."""
    return any(description.begins(line, "device", kind.device) for line in text.splitlines())


def plain(names):
    """Returns the systems among NAMES that `nova run` boots without these options. Leaves out
    NAME-net, for example, if NAMES also has NAME."""
    special = {name + ending for name in names for ending in ENDINGS}
    return [name for name in names if name not in special]


def _text(name, folder, base, lists):
    """Returns the text of the description of the system NAME in FOLDER, "" if there is none. The
    boot list in the build directory LISTS names the file. Without a list, in the file's name
    `system` may stand for BASE, the name of the system without devices, as in the templates."""
    if lists and boot_list.path(lists, name).exists():
        files = filter(None, [boot_list.description(lists, name)])
    else:
        stems = (name, f"system{name.removeprefix(base)}")
        files = (Path(folder) / f"{stem}.nova" for stem in stems)
    found = next((file for file in files if file.is_file()), None)
    return found.read_text(encoding="utf-8", errors="replace") if found else ""


def _base(name, folder, names):
    """Returns NAME without its ending, one of ENDINGS, if the result is the name of FOLDER, as in
    the examples, or one of the project's NAMES. Otherwise returns NAME unchanged."""
    known = (Path(folder).name, *names)
    return min((one for one in known if name.removeprefix(one) in ENDINGS), key=len, default=name)


def system(name, folder, kinds, names=(), lists=None):
    """Returns the name of the system to boot for NAME in FOLDER with devices of KINDS: NAME-disk,
    NAME-net, NAME-disk-net, or NAME itself. A project in FOLDER has the systems NAMES, and their
    boot lists in its build directory LISTS."""
    found = _system(name, folder, kinds, names, lists)
    if found:
        return found
    takes = " and ".join(f"a {kind.noun}" for kind in kinds)
    able = [one for one in places.examples()
            if _system(one, places.EXAMPLES / one, kinds, (), None)]
    sections = " and ".join(f"'device {kind.device}'" for kind in kinds)
    raise NovaError(
        f"{name} cannot take {takes}; examples that can are {', '.join(able)}; the description of "
        f"a project needs a section {sections}."
    )


def _system(name, folder, kinds, names, lists):
    base = _base(name, folder, names)
    for found in ("-".join([name, *(kind.suffix for kind in kinds)]), name):
        text = _text(found, folder, base, lists)
        if all(_declares(text, kind) for kind in kinds):
            return found
    return None


def missing(name, folder, given, names=(), lists=None):
    """Yields a sentence for each kind of device that the description of the system NAME in FOLDER
    declares, but that is not among those GIVEN. A project in FOLDER has the systems NAMES, and
    their boot lists in its build directory LISTS."""
    text = _text(name, folder, _base(name, folder, names), lists)
    for kind in KINDS:
        if kind not in given and VIRTIO in text and _declares(text, kind):
            yield (
                f"the machine has no {kind.noun}, which the description declares: "
                f"add {kind.option}"
            )


def card(forwarded, emulator="qemu"):
    """Returns QEMU's arguments for a card on a network of QEMU's own. FORWARDED has ports of the
    host, in the form tcp:HOST:PROGRAM, that lead to ports of the program."""
    if emulator != "qemu":
        raise NovaError("only QEMU has the network of --net; leave out --emulator bochs.")
    ways = [_forward(text) for text in forwarded]
    return [
        *("-netdev", ",".join(["user,id=nova-net", *ways])),
        *("-device", "virtio-net-pci,netdev=nova-net,disable-legacy=on,romfile="),
    ]


def _forward(text):
    match = FORWARDED.fullmatch(text)
    if not match or not all(0 < int(port) < 65536 for port in match.groups()[1:]):
        raise NovaError(
            f"--forward {text} names no ports: write tcp:8080:80 for port 8080 of this machine and "
            "port 80 of the program, or udp:…"
        )
    kind, host, inner = match.groups()
    return f"hostfwd={kind}:127.0.0.1:{host}-:{inner}"
