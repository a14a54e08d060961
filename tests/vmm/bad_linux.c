/* SPDX-License-Identifier: BSD-2-Clause */
/* A Linux kernel that cannot work: with too little memory, with a header that claims 64 bits, with
 * a damaged payload, or, with the argument "initrd", with an invalid initrd. The monitor reports
 * the error and continues. */
#include <stdio.h>
#include <string.h>

#include "novart/module.h"
#include "novavmm/load.h"

#include "machine.h"

#define MEMORY     (112u << 20)
#define TOO_LITTLE (8u << 20)
#define KERNEL_AT  0x1000000u /* preferred address of Debian's kernels */
#define PAYLOAD    0x100000u  /* a place in the middle of the compressed part */
#define NONSENSE   65536u
#define HEADER     4096u
#define XLOADFLAGS 0x236
#define KERNEL_64  0x01
#define LINE       "console=ttyS0 earlyprintk=ttyS0 reboot=k panic=-1"

static struct nova_vm vm;
static struct nova_pc pc;
static uint8_t nonsense[NONSENSE];

static int find(struct nova_linux *image)
{
        const int error = nova_module_open("vmlinuz", &image->kernel, &image->kernel_bytes);

        if (error)
                printf("The boot module vmlinuz is missing.\n");
        return error;
}

static bool create(const char *name, size_t memory)
{
        const struct nova_vm_config config = {.name = name,
                                              .memory = memory,
                                              .local_apic = true,
                                              .report_halt = true,
                                              .report_reset = true};

        return machine_create(&vm, &config, NULL);
}

static bool judge(const char *name, bool good)
{
        /* The guest's last output may lack a line end. */
        printf("\n%s: %s\n", name, good ? "as expected" : "wrong");
        return good;
}

static bool load(const struct nova_linux *image)
{
        const char *const why = nova_linux_load(&vm.memory, image, &vm.vcpu[0].start);

        if (why)
                nova_vm_not_loaded(&vm, why);
        return !why;
}

static bool run_small(const struct nova_linux *image)
{
        if (!create("small", TOO_LITTLE))
                return false;

        const bool loaded = load(image);

        nova_vm_destroy(&vm);
        return !loaded;
}

/* Loads only the beginning of a 64-bit kernel: the monitor checks the width first. */
static bool run_wide(const struct nova_linux *image)
{
        static uint8_t header[HEADER];
        const struct nova_linux wide = {
                .kernel = header, .kernel_bytes = HEADER, .command_line = LINE};

        memcpy(header, image->kernel, HEADER);
        header[XLOADFLAGS] |= KERNEL_64;
        if (!create("wide", TOO_LITTLE))
                return false;

        const bool loaded = load(&wide);

        nova_vm_destroy(&vm);
        return !loaded;
}

/* Runs a damaged kernel. Its unpacker detects the damage, reports it because of earlyprintk, and
 * halts. */
static bool run_damaged(const struct nova_linux *image)
{
        if (!create("damaged", MEMORY) || nova_pc_create(&pc, &vm) || !load(image))
                return false;
        nova_guest_write(&vm.memory, KERNEL_AT + PAYLOAD, nonsense, sizeof(nonsense));
        nova_vm_run(&vm);

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return judge("damaged", end == NOVA_VM_ERROR);
}

static bool run_initrd(struct nova_linux *image)
{
        image->initrd = nonsense;
        image->initrd_bytes = sizeof(nonsense);
        if (!create("initrd", MEMORY) || nova_pc_create(&pc, &vm))
                return false;
        image->rsdp = pc.rsdp;
        if (!load(image))
                return false;
        nova_vm_run(&vm);

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        return judge("initrd", end == NOVA_VM_RESET);
}

int main(int argc, char **argv)
{
        struct nova_linux image = {.command_line = LINE};

        memset(nonsense, 0x5a, sizeof(nonsense));
        if (find(&image))
                return 1;
        if (argc > 1 && !strcmp(argv[1], "initrd"))
                return !run_initrd(&image);
        return !(run_small(&image) && run_wide(&image) && run_damaged(&image));
}
