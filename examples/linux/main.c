/* SPDX-License-Identifier: BSD-2-Clause */
/* Debian's own Linux kernel as a guest, up to a shell on the terminal. VCPUS is the number of its
 * virtual CPUs; the example linux-smp defines another number. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/module.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/time.h"
#include "novavmm/entropy.h"
#include "novavmm/guest_disk.h"
#include "novavmm/guest_net.h"
#include "novavmm/guest_pci.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"
#include "novavmm/virtio_block.h"
#include "novavmm/virtio_random.h"

#include "terminal.h"

#define GUEST_MEMORY      (112u << 20)
#define GUEST_MEMORY_DISK (224u << 20) /* in the system with a disk; enough for a distribution */
#define GENERIC           "-amd64"     /* Debian's generic kernel, which has drivers for devices */
#define REPORT_KEY        0x1d         /* ctrl-]: prints the state of the guest */

/* A guest that resets itself more than RESETS_MAX times within a minute gets no new machine,
 * because it probably panics at each boot. */
#define RESETS_MAX 3
#define MINUTE_NS  60000000000

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_virtio_block memory_disk;
static struct nova_guest_disk disk; /* in the system with a disk */
static struct nova_guest_net card;  /* in the system with a network */
static struct nova_guest_pci nic;   /* in the system that passes a PCI function through */
static const char *passed;          /* the function's name in the description, or NULL */
static struct nova_virtio_random random_bytes;

/* Finds a file: a roottask searches all boot modules, a program of a system only its own. */
static int find_module(const char *name, const void **data, size_t *bytes)
{
        return nova_program_is_root() ? nova_module_open(name, data, bytes)
                                      : nova_parent_module(name, data, bytes);
}

static const void *open_module(const char *name, size_t *bytes)
{
        const void *data;

        if (!find_module(name, &data, bytes))
                return data;
        printf("The boot module %s is missing.\n", name);
        return NULL;
}

static void append(char *line, size_t bytes, char **words)
{
        for (; *words; words++) {
                strncat(line, " ", bytes - strlen(line) - 1);
                strncat(line, *words, bytes - strlen(line) - 1);
        }
}

/* Builds Linux's command line: the options that it needs here, then the user's arguments. Words of
 * the form NAME=VALUE at the beginning of the arguments are in the program's environment. On a busy
 * host Linux may miss the ticks with which it tests its timer, so the test is off. Linux's tests of
 * its cryptography are off, too: they take half of the instructions of a boot. */
static const char *command_line(char **argv, char **envp)
{
        static char line[1024];

        snprintf(line, sizeof(line),
                 "console=ttyS0 reboot=k panic=-1 no_timer_check tsc=reliable "
                 "cryptomgr.notests tsc_early_khz=%u",
                 (unsigned)nova_program.hip->tsc_khz);
        append(line, sizeof(line), envp);
        append(line, sizeof(line), argv + 1);
        return line;
}

/* Adds the boot module disk.img, if it exists, as a disk. The guest's writes stay in memory. */
static int add_memory_disk(void)
{
        static void *data;
        static size_t bytes;

        if (!data) { /* the disk stays when the guest restarts */
                const void *from;
                const int error = nova_module_open("disk.img", &from, &bytes);

                if (error)
                        return error == ENOENT ? 0 : error;
                data = malloc(bytes);
                if (!data)
                        return nova_vm_no_memory(&vm, bytes);
                memcpy(data, from, bytes);
        }
        nova_virtio_block_init(&memory_disk, &vm.memory, data, bytes, false);
        return nova_pc_add_virtio(&pc, 2, &memory_disk.virtio);
}

static int add_disk(void)
{
        return disk.block ? nova_guest_disk_attach(&disk, &pc, 2) : add_memory_disk();
}

/* Gives the guest a PCI function, with its memory, messages and DMA. */
static int pass_function(void)
{
        const int error = nova_guest_pci_attach(&nic, &pc, 5, passed);

        if (error)
                printf("The device %s cannot be passed through: %s.\n", passed, nic.function.why);
        return error;
}

/* Adds devices that are faster than a PC's serial port, or that a PC does not have. */
static int add_devices(void)
{
        int error = nova_pc_add_console(&pc, 1);

        if (!error)
                error = add_disk();
        if (!error && nova_entropy_available()) {
                nova_virtio_random_init(&random_bytes, &vm.memory, nova_entropy, NULL);
                error = nova_pc_add_virtio(&pc, 3, &random_bytes.virtio);
        }
        if (!error && card.net)
                error = nova_guest_net_attach(&card, &pc, 4);
        if (!error && passed)
                error = pass_function();
        return error;
}

/* Sets the program's time of day, which the PC's clock passes to Linux. */
static void set_clock(void)
{
        const int error = nova_time_set_by_rtc();

        if (error)
                printf("The guest's date is wrong, because the machine's clock cannot be read: "
                       "%s.\n",
                       strerror(error));
}

static unsigned resets; /* within a minute */

static int make_machine(void)
{
        const struct nova_vm_config config = {
                .name = "linux",
                .memory = disk.block || passed ? GUEST_MEMORY_DISK : GUEST_MEMORY,
                .local_apic = true,
                .vcpus = VCPUS,
                .report_halt = true,
                .report_reset = resets > 0, /* the first reset may be intended */
        };
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        pc.report_key = REPORT_KEY;
        return error ? error : add_devices();
}

static unsigned long long exits; /* number of exits of all machines */

static void destroy_machine(void)
{
        nova_pc_flush(&pc);
        for (unsigned i = 0; i < vm.vcpus; i++)
                exits += vm.vcpu[i].exits;
        if (disk.block)
                printf("The disk served %llu requests after %llu notifications.\n",
                       (unsigned long long)disk.device.requests,
                       (unsigned long long)disk.device.virtio.notifications);
        if (card.net)
                printf("The card sent %llu frames and received %llu.\n",
                       (unsigned long long)card.device.sent,
                       (unsigned long long)card.device.received);
        if (passed)
                printf("The function sent %llu messages.\n", (unsigned long long)nic.messages);
        nova_pc_destroy(&pc);
        nova_guest_pci_detach(&nic);
        nova_guest_disk_detach(&disk);
        nova_guest_net_detach(&card);
        nova_vm_destroy(&vm);
}

/* Returns true if a guest gets a new machine after a reset. */
static bool may_restart(void)
{
        static uint64_t since;
        const uint64_t now = nova_time_ns();

        if (!resets || now - since > MINUTE_NS) {
                since = now;
                resets = 0;
        }
        return ++resets <= RESETS_MAX;
}

static void report_end(enum nova_vm_end end, const char *line)
{
        printf("The guest ended after %llu exits: it %s%s.\n", exits, nova_vm_end_text(end),
               end == NOVA_VM_ERROR ? "; see the report above" : "");
        if (end == NOVA_VM_ERROR && !strstr(line, "earlyprintk"))
                printf("If Linux printed nothing, its file may be damaged: --arguments "
                       "earlyprintk=ttyS0 shows the messages of its decompressor.\n");
        if (end == NOVA_VM_RESET)
                printf("It resets each new machine, as Linux does after a panic, so it gets no "
                       "other one.\n");
}

/* Creates a machine and runs the guest on it until its end. */
static int run_machine(struct nova_linux *image, enum nova_vm_end *end)
{
        int error = make_machine();

        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        image->rsdp = pc.rsdp;

        const char *why = nova_linux_load(&vm.memory, image, &vm.vcpu[0].start);

        if (why)
                return nova_vm_not_loaded(&vm, why);
        error = nova_vm_run(&vm);
        if (error) {
                printf("The machine cannot run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        *end = nova_vm_wait(&vm);
        destroy_machine();
        return 0;
}

/* Returns the service that the first argument names, as in `disk=virtio-blk`, and removes this
 * argument, which is not for Linux. Returns NULL if the argument names no such service. */
static const char *take_service(char **argv, const char *kind)
{
        const size_t bytes = strlen(kind);
        const char *const service =
                argv[1] && !strncmp(argv[1], kind, bytes) ? argv[1] + bytes : NULL;

        for (argv++; service && *argv; argv++)
                argv[0] = argv[1];
        return service;
}

/* Opens the disk and the network of a monitor that is a program of a system. */
static int open_services(char **argv)
{
        const char *service = take_service(argv, "disk=");
        int error = service ? nova_guest_disk_open(&disk, service, NULL) : 0;

        if (error) {
                printf("The disk cannot be opened: %s.\n", strerror(error));
                return error;
        }
        service = take_service(argv, "card=");
        error = service ? nova_guest_net_open(&card, service, NULL) : 0;
        if (error)
                printf("The network cannot be opened: %s.\n", strerror(error));
        passed = take_service(argv, "pass=");
        return error;
}

int main(int argc, char **argv, char **envp)
{
        struct nova_linux image = {.command_line = ""};
        enum nova_vm_end end = NOVA_VM_ERROR;

        (void)argc;
        if (!nova_program_is_root()) {
                terminal_use();
                if (open_services(argv))
                        return 1;
        }
        image.command_line = command_line(argv, envp);
        image.kernel = open_module(passed ? "vmlinuz" GENERIC : "vmlinuz", &image.kernel_bytes);
        image.initrd = open_module(passed ? "initrd" GENERIC : "initrd", &image.initrd_bytes);
        if (!image.kernel || !image.initrd)
                return 1;
        set_clock();
        do {
                if (run_machine(&image, &end))
                        return 1;
        } while (end == NOVA_VM_RESET && may_restart());
        report_end(end, image.command_line);
        return end != NOVA_VM_OFF;
}
