/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor whose guest becomes secure: Linux from a sealed image. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <novart/module.h>
#include <novart/parent.h>
#include <novart/program.h>
#include <novart/time.h>
#include <novavmm/pc.h>
#include <novavmm/secure.h>
#include <novavmm/virtio_block.h>

#include "terminal.h"

#define REPORT_KEY 0x12 /* ctrl-r */

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_secure secure;
static struct nova_virtio_block disk;

/* Finds a file: a roottask searches all boot modules, a program of a system only its own. */
static int find_module(const char *name, const void **data, size_t *bytes)
{
        return nova_program_is_root() ? nova_module_open(name, data, bytes)
                                      : nova_parent_module(name, data, bytes);
}

/* Adds the encrypted disk. The guest's writes stay in memory. */
static int add_disk(void)
{
        const void *from;
        size_t bytes;
        void *data;
        const int error = find_module("secret.img", &from, &bytes);

        if (error)
                return error == ENOENT ? 0 : error;
        data = malloc(bytes);
        if (!data)
                return nova_vm_no_memory(&vm, bytes);
        memcpy(data, from, bytes);
        nova_virtio_block_init(&disk, &vm.memory, data, bytes, false);
        return nova_pc_add_virtio(&pc, 2, &disk.virtio);
}

/* Adds the console and the disk. There is no entropy device: Linux would treat bytes of its
 * untrusted monitor as random. The guest's CPU has RDRAND instead. */
static int add_devices(void)
{
        const int error = nova_pc_add_console(&pc, 1);

        return error ? error : add_disk();
}

static int make_machine(size_t memory, unsigned vcpus)
{
        const struct nova_vm_config config = {
                .name = "linux",
                .memory = memory,
                .local_apic = true,
                .vcpus = vcpus,
                .report_halt = true,
                .secure = secure.uv.session ? &secure : NULL,
        };
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        pc.report_key = REPORT_KEY;
        return error ? error : add_devices();
}

static int run(const void *image, size_t bytes)
{
        const size_t memory = nova_sealed_memory(image, bytes);
        int error = memory ? make_machine(memory, nova_sealed_vcpus(image, bytes)) : 0;
        enum nova_vm_end end;

        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        const char *const why = nova_sealed_load(&vm.memory, image, bytes, &vm.vcpu[0].start);

        if (why)
                return nova_vm_not_loaded(&vm, why);
        error = nova_vm_run(&vm);
        if (error) {
                printf("The machine cannot run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        end = nova_vm_wait(&vm);
        nova_pc_flush(&pc);
        printf("The %s guest %s.\n", nova_secure_is_secure(&secure) ? "secure" : "normal",
               nova_vm_end_text(end));
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return end != NOVA_VM_OFF;
}

/* Prints why the image cannot be read. @return the program's status */
static int refuse_image(int error)
{
        const bool is_root = nova_program_is_root();

        printf("The boot module sealed.img cannot be read: %s", strerror(error));
        if (error == ENOMEM || error == EAGAIN)
                printf("; enlarge %s%s",
                       is_root ? "--memory" : "'kernel-memory' in the description of program ",
                       is_root ? "" : nova_program.name);
        printf(".\n");
        return 1;
}

int main(void)
{
        const void *image;
        size_t bytes;
        int error;

        if (!nova_program_is_root())
                terminal_use();
        error = nova_secure_open(&secure, "ultravisor");
        if (error)
                printf("The guest cannot become secure, because the ultravisor cannot be reached: "
                       "%s.\n",
                       nova_secure_why(error));
        error = find_module("sealed.img", &image, &bytes);
        if (error)
                return refuse_image(error);
        nova_time_set_by_rtc();
        return run(image, bytes);
}
