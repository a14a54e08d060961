# SPDX-License-Identifier: BSD-2-Clause
"""Seals the images of secure guests at each boot of a system. A sealed image contains the guest's
command line, which contains the arguments of `nova run` or of the boot test.

A boot list names `sealed:FILE`, a tab, and the file of a guest that the build made (or nothing).
FILE has lines of a key and a value: kernel, initrd, command-line, memory, vcpus, debug and
vector-128 (both without a value), phrase, and any number of lines `secret NAME=FILE`. `guest:NAME`
in place of a file names a file that nova.guest provides."""

import os
import re
import subprocess
import sys
from pathlib import Path

from nova import build, process, seal_files
from nova.errors import EXIT_FAILED, NovaError, meant
from nova.qemu import Module

PREFIX = "sealed:"
IMAGE = "sealed.img"
MACHINE_KEY = "machine.key"
PUBLIC_KEY = "machine.pub"
ARCH = "x86_64"
DESCRIPTION = "sealed image's description"
PROJECT = re.compile(r"^\s*project\s*\(\s*([^\s)]+)", re.MULTILINE | re.IGNORECASE)
SYSTEM = re.compile(r"^\s*nova_add_(?:system|roottask)\s*\(([^)]*)\)", re.MULTILINE)
KEYS = ("kernel", "initrd", "command-line", "memory", "vcpus", "debug", "vector-128", "phrase",
        "secret")
WITHOUT_VALUE = ("debug", "vector-128")
# Options of `nova seal` whose keys in a description have other names.
OPTIONS = {"disk-phrase-file": "phrase"}
# The name of the value after each key that needs a value.
NEED_VALUE = {"kernel": "FILE", "initrd": "FILE", "memory": "MIB", "vcpus": "N", "phrase": "FILE",
              "secret": "NAME=FILE"}


class TextError(NovaError):
    """A description of an image that cannot be sealed. The status is the one for a failed build."""

    def __init__(self, sentence):
        super().__init__(sentence, EXIT_FAILED)


def has_any(modules):
    """Returns whether a module is an image that must be sealed."""
    return any(str(module.file).startswith(PREFIX) for module in modules)


def file_name(file):
    """Returns the name by which programs find the boot module FILE of a boot list."""
    return IMAGE if str(file).startswith(PREFIX) else os.path.basename(file)


def check_arch(modules, arch):
    """Refuses secure guests for a kernel that does not run them."""
    if has_any(modules):
        _check_kernel(arch)


def check_example(folder, arch):
    """Refuses an example that seals an image if the kernel does not run secure guests. Runs before
    the build of the example."""
    if " SEALED " in (folder / "CMakeLists.txt").read_text(encoding="utf-8"):
        _check_kernel(arch)


def check_project(folder, name, arch):
    """Refuses the system NAME of a project, or all its systems if each has a secure guest, for a
    kernel that does not run these. Runs before the configuration, so it only knows the text of the
    calls."""
    if arch == ARCH:
        return
    files = (folder / "CMakeLists.txt", *sorted(folder.glob("*.cmake")))
    text = "".join(file.read_text(encoding="utf-8", errors="replace") for file in files
                   if file.is_file())
    project = PROJECT.search(text)
    if project:
        text = text.replace("${PROJECT_NAME}", project[1])
    calls = [words.split() for words in SYSTEM.findall(text)]
    calls = [words for words in calls if words and name in (None, words[0])]
    if calls and all("SEALED" in words for words in calls):
        _check_kernel(arch)


def _check_kernel(arch):
    """Refuses a kernel that does not run secure guests."""
    if arch != ARCH:
        raise NovaError(f"only the {ARCH} kernel runs secure guests: leave out --arch {arch}.")


def _read(path):
    """Returns {key: value} of the file PATH; the value of `secret` is a list."""
    found = {"secret": []}
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise TextError(f"the {DESCRIPTION} {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise TextError(f"the {DESCRIPTION} {path} is not a text file: name a file in which each "
                        f"line begins with one of the words {', '.join(KEYS)}.") from error
    for number, line in enumerate(lines, 1):
        key, value = [*line.split(maxsplit=1), "", ""][:2]
        value = value.strip()
        if not key or key.startswith("#"):
            continue
        _check_line(f"{path}:{number}", key, value, found)
        if key == "secret":
            found[key].append(value)
        else:
            found[key] = value
    return found


def _check_line(where, key, value, found):
    """Refuses a line with KEY and VALUE if the line has a mistake. FOUND has the keys and values of
    the lines before it."""
    if key not in KEYS:
        raise TextError(
            f"{where}: '{key}' is not a word of this file.{meant(key, KEYS)} The words are "
            f"{', '.join(KEYS)}."
        )
    if key in found and key != "secret":
        raise TextError(f"{where}: there is a line '{key}' already: leave one out.")
    if key in NEED_VALUE and not value:
        raise TextError(f"{where}: '{key}' has no value: write '{key} {NEED_VALUE[key]}'.")
    if key in WITHOUT_VALUE and value:
        raise TextError(f"{where}: '{key}' takes no value: leave out '{value}'.")
    if key == "secret" and "=" not in value.strip("="):
        raise TextError(f"{where}: '{value}' is not a secret: write 'secret NAME=FILE'.")
    if key in ("memory", "vcpus"):
        _check_number(where, key, value)
    if key == "secret":
        _check_secret(where, value.partition("=")[0], found[key])


def _check_number(where, key, value):
    """Refuses a VALUE that `nova seal` would refuse, too, but without the place of the line."""
    from nova import seal_blob

    low, high, unit = seal_blob.RANGES[key]
    # Python converts no text of many thousand digits.
    is_number = value.isascii() and value.isdigit() and len(value) < 20
    if not (is_number and low <= int(value) <= high):
        raise TextError(f"{where}: '{key}' takes a whole number from {low} to {high}{unit}, not "
                        f"'{value}'.")
    if key == "memory" and int(value) % 2:
        raise TextError(f"{where}: the guest's memory is an even number of MiB, not {value}: write "
                        f"'memory {int(value) + 1}'.")


def _check_secret(where, name, before):
    """Refuses the NAME of a secret as `nova seal` does. BEFORE are the values of earlier lines."""
    from nova import seal_blob

    if not seal_blob.NAME.fullmatch(name.encode()):
        raise TextError(f"{where}: '{name}' cannot be the name of a secret: use 1 to "
                        f"{seal_blob.NAME_MAX} letters, digits, '.', '_' and '-'.")
    if name in (one.partition("=")[0] for one in before):
        raise TextError(f"{where}: there is a secret '{name}' already: give each another name.")


def _file(name, folder):
    """Returns the path of a file that a description names."""
    from nova import guest

    if name.startswith(guest.PREFIX):
        return str(guest.file(f"{guest.PREFIX}{ARCH}/{name[len(guest.PREFIX):]}"))
    return str(folder / name)


def command(path, kernel, arguments, public, out):
    """Returns the arguments of `nova seal` for the description PATH."""
    read, folder = _read(path), Path(path).parent
    line = " ".join(filter(None, (read.get("command-line", ""), arguments)))
    if not kernel and "kernel" not in read:
        raise TextError(f"{path} names no kernel: write a line 'kernel FILE'.")
    if kernel and "kernel" in read:
        raise TextError(
            f"{path}: the kernel is {os.path.basename(kernel)}, the GUEST of nova_add_system(): "
            "leave out the line 'kernel', or GUEST."
        )
    words = ["--kernel", kernel or _file(read["kernel"], folder)]
    if "initrd" in read:
        words += ["--initrd", _file(read["initrd"], folder)]
    if line:
        words += [f"--command-line={line}"]
    for key in ("memory", "vcpus"):
        if key in read:
            words += [f"--{key}", read[key]]
    words += [f"--{key}" for key in WITHOUT_VALUE if key in read]
    if "phrase" in read:
        words += ["--disk-phrase-file", _file(read["phrase"], folder)]
    for secret in read["secret"]:
        name, equals, file = secret.partition("=")
        words += ["--secret", name + equals + (_file(file, folder) if file else "")]
    return [*words, "--machine", str(public), "--out", str(out)]


def _as_lines(text):
    """Returns the last message of `nova seal` in the output TEXT, with the words of a
    description."""
    message = text.strip().rpartition("\nnova: ")[2].removeprefix("nova: ")
    return _in_words(message.removesuffix(" See nova seal --help."))


def _in_words(message):
    """Replaces each option of `nova seal` in a message with the word of the description from which
    this module made the option."""
    words = "|".join({**OPTIONS, **dict.fromkeys(KEYS)})
    return re.sub(rf"(?:argument )?--({words})\b( \d+| NAME=FILE)?",
                  lambda found: f"'{OPTIONS.get(found[1], found[1])}{found[2] or ''}'", message)


def _is_whole(path, magic):
    """Returns whether a file of nova's own key pair is there and contains a key."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    return data.startswith(magic) and len(data) == len(magic) + seal_files.KEY


def _check_pair(key):
    """Refuses nova's own key pair, with the private key in the file KEY, if a file of it is missing
    or damaged. Returns the file of the public key."""
    public = key.with_name(PUBLIC_KEY)
    for path, magic in ((key, seal_files.PRIVATE_MAGIC), (public, seal_files.PUBLIC_MAGIC)):
        if not _is_whole(path, magic):
            raise NovaError(f"nova's own key {path} is missing or damaged: delete {MACHINE_KEY} "
                            f"and {PUBLIC_KEY} in this folder; nova makes new ones.")
    return public


def check_own_keys(modules):
    """Refuses a system that boots with nova's own key if its pair is not whole."""
    from nova import places

    for file in (Path(module.file) for module in modules):
        if file.name == MACHINE_KEY and file.is_relative_to(places.guests()):
            _check_pair(file)


def _seal(path, kernel, arguments):
    """Returns the file of a new image."""
    from nova import guest

    public = _check_pair(guest.file(f"{guest.PREFIX}{ARCH}/{MACHINE_KEY}"))
    out = process.keep_folder() / IMAGE
    # Boot tests run Python with -S, so they cannot import python3-cryptography. A new process can.
    words = [sys.executable, "-X", "utf8", str(Path(__file__).parent), "seal",
             *command(path, kernel, arguments, public, out)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        text = _as_lines(done.stdout.decode("utf-8", "replace"))
        raise TextError(f"{os.path.basename(path)} cannot be sealed: {text}")
    for text in re.findall("^nova: warning: (.*)", done.stdout.decode("utf-8", "replace"), re.M):
        build.say(f"warning: {os.path.basename(path)}: {_in_words(text)}")
    return out


def resolve(modules, arguments):
    """Returns MODULES with a new file for each image that must be sealed. Its guest gets ARGUMENTS,
    which may be None."""
    return [
        Module(str(_seal(module.file[len(PREFIX):], module.arguments, arguments or "")), "")
        if str(module.file).startswith(PREFIX)
        else module
        for module in modules
    ]


def secret_names(modules):
    """Returns the names of the private keys among MODULES. A file with the name of a private key
    may be a damaged one."""
    files = dict.fromkeys(str(module.file) for module in modules)
    return [os.path.basename(file) for file in files
            if os.path.basename(file) == MACHINE_KEY
            or seal_files.kind_of(file) == seal_files.PRIVATE]


def check_names(modules, further):
    """Refuses an image or a key among the FURTHER modules if the system opens such a file by
    another name: the system would boot with the image or the key that `nova` made. Refuses a key
    that has the name of the image, because a monitor would get the key. Refuses an image or a
    public key that has the name of the private key. For any other module with an unknown name,
    `nova run` only prints a warning."""
    known = {file_name(module.file) for module in modules[1:]}
    for file in (module.file for module in further):
        kind, name = seal_files.kind_of(file), os.path.basename(file)
        right = {IMAGE: seal_files.IMAGE, MACHINE_KEY: seal_files.PRIVATE}.get(name)
        if name in known and right and kind and kind != right:
            raise NovaError(f"the module {file} is {kind}, not {right}: give another file of this "
                            "name.")
    for file in (module.file for module in further if os.path.basename(module.file) not in known):
        kind = seal_files.kind_of(file)
        if kind == seal_files.PUBLIC and MACHINE_KEY in known:
            raise NovaError(f"the module {file} is a public key, but the ultravisor needs the "
                            f"private one: give the {MACHINE_KEY} that was made with it.")
        name = {seal_files.IMAGE: IMAGE, seal_files.PRIVATE: MACHINE_KEY}.get(kind)
        if name in known:
            raise NovaError(f"the module {file} is {kind}, but the system opens it by the name "
                            f"{name}: copy it to a file of this name.")


def warning(modules, further):
    """Returns why the image among MODULES cannot become secure with the key among them, or None.
    Compares them only if the user gave one of them as a FURTHER module."""
    from nova import machine_key, seal_blob, seal_image

    given = [os.path.basename(module.file) for module in further]
    found = {os.path.basename(module.file): module.file for module in modules[1:]}
    image, key = found.get(IMAGE), found.get(MACHINE_KEY)
    if not image or not key or not {IMAGE, MACHINE_KEY} & set(given):
        return None
    try:
        seal_image.check(image, *seal_image.read(image), machine_key.read_private(key))
    except ImportError:  # a machine that only runs images needs no python3-cryptography
        return None
    except seal_blob.SealError as error:
        remedy = _remedy(given, key) if error.name == "NO_KEY" else "copy it or seal it again"
        which = image if IMAGE in given else "the image of this system"
        return f"{which} cannot become secure: {error.sentence}; {remedy}"
    except NovaError as error:
        return str(error).removesuffix(".")
    return None


def _remedy(given, key):
    """Returns the remedy for an image that is not sealed for the machine of KEY."""
    if IMAGE not in given:
        return f"nova sealed it for a key other than {key}, so give your own image, too"
    if MACHINE_KEY not in given:
        return f"{key} is a key of nova's own, so give your {MACHINE_KEY}, too"
    return f"seal it for the machine.pub that was made with {key}"
