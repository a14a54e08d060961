# SPDX-License-Identifier: BSD-2-Clause
"""The software of guests: created from Debian's packages when an example that needs it is booted.

A boot list names it `guest:ARCH/NAME`. Packages are downloaded and unpacked, never installed.
"""

import fcntl
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nova import build, places, tools
from nova.boot_list import GUEST as PREFIX
from nova.errors import NovaError

# Debian's names of the architectures, and its kernel packages for guests of each.
DEBIAN = {"x86_64": "amd64", "x86_32": "i386"}
KERNEL_PACKAGE = {"x86_64": "linux-image-cloud-amd64", "x86_32": "linux-image-686-pae"}
SHELL_PACKAGE = "busybox-static"
FIRMWARE_PACKAGE = "seabios"
MEMTEST_PACKAGE = "memtest86+"
MEMTEST = {"x86_64": "boot/memtest86+x64.bin", "x86_32": "boot/memtest86+ia32.bin"}

# Name of the folder for created files. It changes with the sources that create them.
_SOURCES = [Path(__file__).with_name(name)
            for name in ("guest.py", "guest_crypt.py", "guest_secret.c")]
FORM = hashlib.sha256(b"".join(one.read_bytes() for one in _SOURCES)).hexdigest()[:12]
# Drivers that are modules in Debian's kernel; each one comes after those that it needs. A guest
# loads only the drivers for its devices.
DRIVERS = """
drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_modern_dev
drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci drivers/block/virtio_blk
drivers/char/virtio_console
""".split()
# Driver for random bytes. Linux counts them as random, so a guest that does not trust its monitor
# has no such driver.
RANDOM_DRIVER = "drivers/char/hw_random/virtio-rng"
# Drivers for a network card.
NET_DRIVERS = "net/core/failover drivers/net/net_failover drivers/net/virtio_net".split()
# Drivers for a network card that is passed through.
PASS_DRIVERS = "drivers/pps/pps_core drivers/ptp/ptp drivers/net/ethernet/intel/e1000e/e1000e"
# Drivers for the file system of a root disk. Some kernels have them built in.
ROOT_DRIVERS = "crypto/crc32c_generic lib/crc16 fs/mbcache fs/jbd2/jbd2 fs/ext4/ext4".split()

DISK_SECTORS = 2048

# The first process of a guest. By default it starts a shell. The words of the kernel's command line
# change this: "root=DISK" starts the disk's own first process; "run=COMMANDS" runs commands, with
# commas for blanks and + between commands, by a shell that shows its prompt although it reads from
# a pipe; "net=ADDRESS" sets the address of a network card, which is otherwise requested by DHCP. If
# the initrd has a program `unlock`, it opens an encrypted disk before the commands run. A guest
# with secrets starts a shell only if its command line has the word "shell".
INIT = """\
#!/bin/sh
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
if grep -q 0x1af4 /sys/bus/pci/devices/*/vendor 2>/dev/null; then
        for driver in $(cat /drivers/order); do
                insmod /drivers/$driver.ko
        done
fi
[ -c /dev/hvc0 ] && exec </dev/hvc0 >/dev/hvc0 2>&1
stty sane
for word in $(cat /proc/cmdline); do
        case $word in
        root=*) root=${word#root=} ;;
        run=*) commands=${word#run=} ;;
        net=*) address=${word#net=} ;;
        shell) shell=yes ;;
        esac
done
for kind in net:0x1041 pass:0x10d3; do
        [ -f /drivers/${kind%:*} ] || continue
        grep -q ${kind#*:} /sys/bus/pci/devices/*/device 2>/dev/null || continue
        for driver in $(cat /drivers/${kind%:*}); do
                insmod /drivers/$driver.ko
        done
        ip link set lo up
        ip link set eth0 up
        if [ "$address" ]; then
                ip addr add $address dev eth0
        else
                udhcpc -i eth0 -s /bin/lease -n -q
        fi
done
if [ "$root" ]; then
        for driver in $(cat /drivers/root); do
                insmod /drivers/$driver.ko
        done
        if mount -t ext4 $root /root; then
                mount -o move /dev /root/dev
                umount /proc /sys
                exec switch_root /root /sbin/init </root/dev/console >/root/dev/console 2>&1
        fi
        echo "The guest cannot use the disk $root as its root: it must have a file system ext4."
        poweroff -f
fi
[ -x /bin/unlock ] && unlock
if [ "$commands" ]; then
        echo "$commands" | tr ',' ' ' | tr '+' '\\n' | sh -i 2>&1
elif [ -x /bin/unlock ] && [ "$shell" != yes ]; then
        echo "The guest starts no shell: its command line has neither run= nor shell."
else
        setsid -c sh -i
fi
poweroff -f
"""
# The guest's script for an address that it got by DHCP.
LEASE = """\
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add $ip/$mask dev $interface
[ "$router" ] && ip route add default via ${router%% *}
for server in $dns; do
        echo nameserver $server
done >/etc/resolv.conf
"""
FOLDERS = ("bin", "dev", "drivers", "etc", "proc", "root", "sys", "tmp")
COMMANDS = (
    "cat cp date dd dmesg echo free grep head hexdump httpd insmod ip ls mount nc ping ps poweroff "
    "readlink reboot setsid sh sha256sum sleep stty switch_root sync tail tr udhcpc umount uname "
    "uptime vi wc wget"
).split()


class Offline(NovaError):
    """A package is missing, and downloads are not allowed."""

    def __init__(self, packages, names=()):
        self.packages = packages
        files = " and ".join(names)
        own = f", or give your own files, named {files}, with --module" if files else ""
        super().__init__(
            f"{'a package is' if len(packages) == 1 else 'packages are'} not available: "
            f"{' and '.join(packages)}; "
            f"NOVA_OFFLINE is set, so nothing is downloaded; unset it{own}."
        )


def files(names):
    """Returns the files for NAMES in a boot list."""
    found, packages, missing = [], [], []
    for name in names:
        try:
            found.append(file(name))
        except Offline as error:
            packages += [one for one in error.packages if one not in packages]
            missing.append(os.path.basename(name))
    if missing:
        raise Offline(packages, missing)
    return found


def file(name):
    """Returns the file for NAME in a boot list; creates it if it is a guest file."""
    if not name.startswith(PREFIX):
        return name
    arch, _, what = name[len(PREFIX) :].rpartition("/")
    if arch not in DEBIAN or what not in MAKERS:
        raise NovaError(
            f"there is no guest file '{PREFIX}{what}'; there are: {', '.join(MAKERS)}."
        )
    path = places.guests() / FORM / arch / what
    try:
        if not path.exists():
            _make(arch, what, path)
    except OSError as error:
        raise NovaError(_refused(what, error)) from error
    return path


def _refused(what, error):
    """Returns the sentence about a folder of guests that cannot be written."""
    reason = error.strerror or str(error)
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        reason = "a file or a dangling link is in the way"
    remedy = (
        "XDG_CACHE_HOME=FOLDER names another place for it"
        if places.INSTALLED
        else "replace it by a link to a folder that you may write"
    )
    return f"the guest's {what} cannot be created in {places.guests()}: {reason}; {remedy}."


def _make(arch, what, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return
        with tempfile.TemporaryDirectory(prefix="nova-", dir=path.parent) as folder:
            MAKERS[what](arch, Path(folder), Path(folder) / "made")
            os.replace(Path(folder) / "made", path)


def _options(arch):
    """Returns apt options for separate package lists, so that apt knows packages of ARCH on any
    machine and changes nothing there."""
    folder = places.guests() / "apt" / DEBIAN[arch]
    for name in ("lists", "cache"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = (
        f"APT::Architecture={DEBIAN[arch]}",
        f"APT::Architectures::={DEBIAN[arch]}",
        f"Dir::State::Lists={folder}/lists",
        f"Dir::Cache={folder}/cache",
    )
    return [word for option in options for word in ("-o", option)]


def _apt(arch, command, package, folder=None):
    """Runs apt and, if its package lists are missing or old, runs it again with new ones. Some
    sources may fail as long as another one has the package."""
    if os.environ.get("NOVA_OFFLINE"):
        raise Offline([package])
    sentence = f"the package {package} is not available"
    command = [*command[:1], *_options(arch), *command[1:]]
    try:
        return tools.output(command, sentence, folder)
    except NovaError:
        pass
    build.say(f"apt-get fetches its lists of packages for {DEBIAN[arch]}")
    update = ["apt-get", *_options(arch), "-qq", "update"]
    failed = None
    try:
        tools.output(update, f"{sentence}; apt-get update failed, too")
    except NovaError as error:
        failed = error
    try:
        return tools.output(command, sentence, folder)
    except NovaError as error:
        raise failed or error from None


def _real_kernel(arch):
    return real_package(arch, KERNEL_PACKAGE[arch])


def real_package(arch, package):
    """Returns the package with the image, on which the well-known package depends."""
    text = _apt(arch, ["apt-cache", "depends", package], package)
    for line in text.splitlines():
        kind, _, real = line.strip().partition(": ")
        if kind == "Depends":
            return real
    return package


def unpack(arch, package, folder):
    """Downloads a package unless it is here already. Returns the folder of its files."""
    packages = places.guests() / "packages" / DEBIAN[arch]
    packages.mkdir(parents=True, exist_ok=True)
    if not any(packages.glob(f"{package}_*.deb")):
        build.say(f"downloading the guest's package {package}")
        _apt(arch, ["apt-get", "download", package], package, folder)
        for archive in folder.glob(f"{package}_*.deb"):
            os.replace(archive, packages / archive.name)
    archive = max(packages.glob(f"{package}_*.deb"))
    target = folder / package
    tools.output(["dpkg-deb", "-x", str(archive), str(target)], f"{archive.name} is damaged")
    return target


def _make_kernel(arch, folder, to):
    _copy_kernel(unpack(arch, _real_kernel(arch), folder), KERNEL_PACKAGE[arch], to)


def _copy_kernel(files, package, to):
    images = sorted(files.glob("boot/vmlinuz-*"))
    if not images:
        raise NovaError(f"the package {package} has no kernel image.")
    shutil.copy(images[-1], to)


def entry(name, mode, data=b"", number=[0]):
    """Returns one file of an archive for Linux (cpio, newc format)."""
    number[0] += 1
    path = name.encode() + b"\0"
    fields = [number[0], mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return b"".join(part + b"\0" * (-len(part) % 4) for part in (head, data))


def drivers(files, paths):
    """Returns the modules at PATHS by name, except those that the kernel has built in."""
    found = {}
    lists = files.glob("lib/modules/*/modules.builtin")
    built_in = {line for one in lists for line in one.read_text(encoding="ascii").splitlines()}
    for path in paths:
        modules = sorted(files.glob(f"lib/modules/*/kernel/{path}.ko"))
        if modules:
            found[path.rpartition("/")[2]] = modules[-1].read_bytes()
        elif f"kernel/{path}.ko" not in built_in:
            raise NovaError(f"the package {files.name} has no module {path}.ko.")
    return found


def make_initrd(arch, folder, to, package=None, trusting=True):
    """Creates the initrd for the kernel of PACKAGE, or for the usual one. The guest of an initrd
    that is not TRUSTING drives neither an entropy device nor a network card of its monitor."""
    shell = (unpack(arch, SHELL_PACKAGE, folder) / "bin/busybox").read_bytes()
    kernel = unpack(arch, real_package(arch, package or KERNEL_PACKAGE[arch]), folder)
    kinds = {"order": DRIVERS, "root": ROOT_DRIVERS}
    if trusting:
        kinds |= {"order": [*DRIVERS, RANDOM_DRIVER], "net": NET_DRIVERS}
    if package:
        kinds["pass"] = PASS_DRIVERS.split()
    modules = {kind: drivers(kernel, paths) for kind, paths in kinds.items()}
    archive = b"".join(entry(name, 0o040755) for name in FOLDERS)
    archive += entry("bin/busybox", 0o100755, shell)
    archive += b"".join(entry(f"bin/{name}", 0o120777, b"busybox") for name in COMMANDS)
    for kind, found in modules.items():
        for name, data in found.items():
            archive += entry(f"drivers/{name}.ko", 0o100644, data)
        archive += entry(f"drivers/{kind}", 0o100644, " ".join(found).encode())
    archive += entry("bin/lease", 0o100755, LEASE.encode())
    archive += entry("init", 0o100755, INIT.encode())
    to.write_bytes(archive + entry("TRAILER!!!", 0))


# A 32-bit program for Linux: its argument (int, sysenter or syscall) selects how it enters the
# kernel, as user 1000. Linux returns from sysenter and syscall to code of its own in the program,
# which pops three registers.
SYSCALLS = """\
        .section .note.GNU-stack
        .text
        .globl _start
_start: mov 8(%esp), %ebp
        mov $by_int, %edi
        cmpb $'i', (%ebp)
        je 1f
        mov $by_sysenter, %edi
        cmpb $'e', 3(%ebp)
        je 1f
        mov $by_syscall, %edi
1:      mov $213, %eax          # setuid
        mov $1000, %ebx
        int $0x80
        mov $1000, %esi
2:      mov $199, %eax          # getuid
        call *%edi
        cmp $1000, %eax
        jne bad
        dec %esi
        jnz 2b
        xor %edx, %edx
3:      inc %edx
        cmpb $0, (%ebp,%edx)
        jne 3b
        mov %ebp, %ecx
        call write
        mov $text, %ecx
        mov $text_end - text, %edx
        call write
        xor %ebx, %ebx
exit:   mov $1, %eax
        int $0x80
bad:    mov $1, %ebx
        jmp exit
write:  mov $4, %eax
        mov $1, %ebx
        call *%edi
        cmp %edx, %eax
        jne bad
        ret
by_int: int $0x80
        ret
by_sysenter:
        push %ecx
        push %edx
        push %ebp
        mov %esp, %ebp
        sysenter
by_syscall:
        push %ecx
        push %edx
        push %ebp
        mov %ecx, %ebp
        syscall
text:   .ascii ": user 1000 was in the kernel\\n"
text_end:
"""


def _make_initrd_syscalls(arch, folder, to):
    """Creates the initrd of a 64-bit guest, followed by another archive with the program."""
    make_initrd(arch, folder, to)
    source, program = folder / "syscalls.s", folder / "syscalls"
    source.write_text(SYSCALLS, encoding="ascii")
    command = ["gcc", "-m32", "-nostdlib", "-static", "-no-pie", "-o", str(program), str(source)]
    tools.output(command, "the 32-bit program cannot be built")
    archive = entry("bin/syscalls", 0o100755, program.read_bytes()) + entry("TRAILER!!!", 0)
    with open(to, "ab") as file:
        file.write(archive)


def _make_disk(arch, folder, to):
    """Creates a disk to read and write: each sector contains its number."""
    del arch, folder
    to.write_bytes(b"".join((b"sector %u\n" % n).ljust(512, b"\0") for n in range(DISK_SECTORS)))


def _copy(arch, package, name, folder, to):
    """Copies one file of a package."""
    made = unpack(arch, package, folder) / name
    if not made.exists():
        raise NovaError(f"the package {package} has no file {name}.")
    shutil.copy(made, to)


def _make_firmware(arch, folder, to):
    _copy(arch, FIRMWARE_PACKAGE, "usr/share/seabios/bios.bin", folder, to)


def _make_memtest(arch, folder, to):
    _copy(arch, MEMTEST_PACKAGE, MEMTEST[arch], folder, to)


def _other_kernel(arch, package):
    """Returns a maker of another Linux kernel of Debian's, for guests of ARCH on any host."""

    def make(_, folder, to):
        _copy_kernel(unpack(arch, real_package(arch, package), folder), package, to)

    return make


def _make_initrd_amd64(_, folder, to):
    """Creates an initrd for Debian's generic kernel, which has drivers for real devices."""
    make_initrd("x86_64", folder, to, "linux-image-amd64")


def _make_initrd_32(_, folder, to):
    make_initrd("x86_32", folder, to)


def _unpacked(package, pattern):
    """Returns a maker of a file that a package holds compressed, as a boot loader would unpack it.
    """

    def make(_, folder, to):
        found = sorted(unpack("x86_64", package, folder).glob(pattern))
        if not found:
            raise NovaError(f"the package {package} has no file {pattern}.")
        with gzip.open(found[-1]) as packed:
            to.write_bytes(packed.read())

    return make


# Configuration of the disk with GRUB: GRUB and Linux both use the serial port.
GRUB_CONFIG = """\
serial --unit=0 --speed=115200
terminal_output serial
echo GRUB runs.
linux /vmlinuz console=ttyS0 reboot=k panic=-1 no_timer_check run=uname,-s+reboot,-f
initrd /initrd
boot
"""
GRUB_MODULES = "normal iso9660 biosdisk part_msdos serial terminal echo linux"


def _make_grub_disk(_, folder, to):
    """Creates a disk from which a BIOS boots GRUB, and GRUB Linux."""
    tree = folder / "tree"
    (tree / "boot/grub").mkdir(parents=True)
    (tree / "boot/grub/grub.cfg").write_text(GRUB_CONFIG, encoding="ascii")
    for what in ("vmlinuz", "initrd"):
        made = places.guests() / FORM / "x86_64" / what
        if not made.exists():
            MAKERS[what]("x86_64", folder, made)
        shutil.copy(made, tree / what)
    command = ["grub-mkrescue", "--fonts=", "--locales=", "--themes="]
    command += ["-d", "/usr/lib/grub/i386-pc", f"--install-modules={GRUB_MODULES}"]
    command += ["-o", str(to), str(tree)]
    tools.output(command, "the disk with GRUB cannot be created")


# A Debian on a disk: what `docs/manual/guest-disk.md` describes.
DEBIAN_BYTES = 768 << 20
DEBIAN_TOOLS = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs"}
DEBIAN_SETTINGS = """\
chroot "$1" passwd -d root
echo debian >"$1/etc/hostname"
echo "/dev/vda / ext4 defaults 0 1" >"$1/etc/fstab"
rm -rf "$1"/var/lib/apt/lists/*
"""
# The folder has mounted file systems, which do not belong on the disk.
DEBIAN_DISK = """\
copy=$(mktemp -d) && tar -C "$1" --one-file-system -c . | tar -C $copy -x &&
mke2fs -q -t ext4 -d $copy "{}" && rm -rf $copy
"""


def _make_debian(arch, folder, to):
    """Creates a disk with Debian's smallest system that has systemd. Needs no root privileges."""
    tools.need(DEBIAN_TOOLS, "the disk")
    if os.environ.get("NOVA_OFFLINE"):
        raise Offline(["systemd-sysv"])
    with open(to, "wb") as file:
        file.truncate(DEBIAN_BYTES)
    build.say(f"making a disk with Debian for {DEBIAN[arch]}, which takes some minutes")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--format=null"]
    command += ["--include=systemd-sysv,udev", f"--architectures={DEBIAN[arch]}"]
    command += ["--aptopt=APT::Install-Recommends \"false\""]
    command += [f"--dpkgopt=path-exclude=/usr/share/{one}/*" for one in ("doc", "locale", "man")]
    command += [f"--customize-hook={DEBIAN_SETTINGS}"]
    command += [f"--customize-hook={DEBIAN_DISK.format(to)}", "bookworm", "/dev/null"]
    tools.output(command, "the disk with Debian cannot be created", folder)


def _make_machine_key(_, folder, to):
    """Makes the key pair of the machines that this tree boots. The public key lies beside it."""
    words = [sys.executable, "-X", "utf8", str(Path(__file__).parent), "machine-key",
             str(folder / "keys")]
    # Boot tests run without the folder of packages, in which python3-cryptography is.
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise NovaError(done.stdout.decode("utf-8", "replace").strip())
    os.replace(folder / "keys/machine.pub", folder.parent / "machine.pub")
    os.replace(folder / "keys/machine.key", to)


def _crypt(name):
    """Returns a maker of nova.guest_crypt, which few boots need."""

    def make(arch, folder, to):
        from nova import guest_crypt

        getattr(guest_crypt, name)(arch, folder, to)

    return make


MAKERS = {
    "machine.key": _make_machine_key,
    "debian.img": _make_debian,
    "bios.bin": _make_firmware,
    "vmlinuz": _make_kernel,
    "initrd": make_initrd,
    "disk.img": _make_disk,
    "memtest": _make_memtest,
    "initrd-crypt": _crypt("make_initrd"),
    "disk.phrase": _crypt("make_phrase"),
    "secret.img": _crypt("make_disk"),
    "initrd-32": _make_initrd_32,
    "initrd-amd64": _make_initrd_amd64,
    "initrd-syscalls": _make_initrd_syscalls,
    "vmlinuz-cloud": _other_kernel("x86_64", "linux-image-cloud-amd64"),
    "vmlinuz-amd64": _other_kernel("x86_64", "linux-image-amd64"),
    "vmlinuz-686-pae": _other_kernel("x86_32", "linux-image-686-pae"),
    "vmlinuz-686": _other_kernel("x86_32", "linux-image-686"),
    "grub-disk": _make_grub_disk,
    "ipxe.iso": lambda _, folder, to: _copy("x86_64", "ipxe", "usr/lib/ipxe/ipxe.iso", folder, to),
    "xen": _unpacked("xen-hypervisor-4.17-amd64", "boot/xen-*.gz"),
    "mach": _unpacked("gnumach-image-1.8-486", "boot/gnumach-*.gz"),
}
