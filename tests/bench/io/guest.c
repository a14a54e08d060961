/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor of an enlightened guest, which runs the reads of linux.c on a disk of the service
 * virtio-blk. */
#include <stdio.h>
#include <string.h>

#include "novart/parent.h"
#include "novart/program.h"
#include "novavmm/guest_disk.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"

#define GUEST_MEMORY (224u << 20) /* as in the system linux-disk */

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static struct nova_guest_disk disk;

static int make_machine(void)
{
        const struct nova_vm_config config = {
                .name = "linux",
                .memory = GUEST_MEMORY,
                .local_apic = true,
                .vcpus = 1,
                .same_tsc = true,
        };
        const struct nova_hv_config enlightened = {
                .privileges = NOVA_HV_PRIVILEGES_ALL,
                .hints = NOVA_HV_HINTS_ALL,
                .direct_timers = true,
        };
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (!error)
                error = nova_guest_disk_attach(&disk, &pc, 2);
        return error ? error : nova_hv_enable(&hv, &vm, &enlightened);
}

static const char *load(char **words, char **more)
{
        static char line[1024] = "console=ttyS0 reboot=k panic=-1 no_timer_check";
        struct nova_linux image = {.command_line = line, .rsdp = pc.rsdp};

        for (; *more; more++)
                snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", *more);
        for (words++; *words; words++)
                snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", *words);
        if (nova_parent_module("vmlinuz", &image.kernel, &image.kernel_bytes) ||
            nova_parent_module("initrd", &image.initrd, &image.initrd_bytes))
                return "its kernel or its initrd is missing";
        return nova_linux_load(&vm.memory, &image, &vm.vcpu[0].start);
}

int main(int argc, char **argv, char **envp)
{
        int error = nova_guest_disk_open(&disk, "virtio-blk", NULL);
        const char *why;

        (void)argc;
        if (!error)
                error = make_machine();
        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        why = load(argv, envp);
        if (why)
                return nova_vm_not_loaded(&vm, why);
        if (nova_vm_run(&vm))
                return 1;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        printf("%llu exits, %llu interrupts ended with the EOI MSR and %llu in the assist page\n",
               (unsigned long long)vm.vcpu[0].exits, (unsigned long long)hv.vp[0].ends,
               (unsigned long long)hv.vp[0].quiet_ends);
        return end != NOVA_VM_OFF;
}
