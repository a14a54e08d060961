/* SPDX-License-Identifier: BSD-2-Clause */
/* Debian's own Linux kernel as a guest, up to a shell on the terminal. VCPUS is the number of its
 * virtual CPUs; the example linux-smp has another one. */
#include <stdio.h>
#include <string.h>

#include "novart/module.h"
#include "novart/program.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"

#define GUEST_MEMORY (112u << 20)

static struct nova_vm vm;
static struct nova_pc pc;

static const void *find(const char *name, size_t *bytes)
{
        struct nova_module module;
        const void *data;

        if (nova_module_find(name, &module) || nova_module_map(&module, &data)) {
                printf("The boot module %s is missing.\n", name);
                return NULL;
        }
        *bytes = module.bytes;
        return data;
}

static void append(char *line, size_t bytes, char **words)
{
        for (; *words; words++) {
                strncat(line, " ", bytes - strlen(line) - 1);
                strncat(line, *words, bytes - strlen(line) - 1);
        }
}

/* What the user gives goes to Linux, after what it needs here. Words with a value that come first
 * are the program's environment. */
static const char *command_line(char **argv, char **envp)
{
        static char line[1024];

        snprintf(line, sizeof(line),
                 "console=ttyS0 reboot=k panic=-1 tsc=reliable tsc_early_khz=%u",
                 (unsigned)nova_program.hip->tsc_khz);
        append(line, sizeof(line), envp);
        append(line, sizeof(line), argv + 1);
        return line;
}

int main(int argc, char **argv, char **envp)
{
        const struct nova_vm_config config = {
                .name = "linux", .memory = GUEST_MEMORY, .local_apic = true, .vcpus = VCPUS};
        struct nova_linux image = {.command_line = command_line(argv, envp)};
        int error;

        (void)argc;
        image.kernel = find("vmlinuz", &image.kernel_bytes);
        image.initrd = find("initrd", &image.initrd_bytes);
        if (!image.kernel || !image.initrd)
                return 1;
        error = nova_vm_create(&vm, &config);
        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (error) {
                printf("The machine cannot be made: %s.\n", strerror(error));
                return 1;
        }

        image.rsdp = pc.rsdp;

        const char *why = nova_linux_load(&vm.memory, &image, &vm.vcpu[0].start);

        if (why) {
                printf("The kernel cannot be loaded: %s.\n", why);
                return 1;
        }
        nova_vm_run(&vm);

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        printf("The guest ended after %llu exits.\n", (unsigned long long)vm.vcpu[0].exits);
        return end == NOVA_VM_ERROR;
}
