/* SPDX-License-Identifier: BSD-2-Clause */
/* SeaBIOS, a PC's firmware, as a guest. It detects its machine, starts and counts the virtual CPUs,
 * boots a disk and serves the program from the disk.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/module.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"
#include "novavmm/virtio_block.h"

#define GUEST_MEMORY (32u << 20)
#define DISK_BYTES   (1u << 20) /* the firmware addresses the disk in cylinders of half a MiB */

/* SeaBIOS writes debug output to DEBUG_PORT if a read of this port returns DEBUG_VALUE. */
#define DEBUG_PORT  0x402
#define DEBUG_VALUE 0xe9

/* disk.S */
extern const char disk_begin[], disk_end[];

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_virtio_block disk;

static uint64_t debug_read(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)port;
        (void)bytes;
        return DEBUG_VALUE;
}

static void debug_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        putchar((char)value);
}

static int add_devices(void)
{
        const struct nova_bus_range debug = {DEBUG_PORT, DEBUG_PORT, debug_read, debug_write, NULL};
        void *const data = calloc(1, DISK_BYTES);

        if (!data)
                return nova_vm_no_memory(&vm, DISK_BYTES);
        memcpy(data, disk_begin, (size_t)(disk_end - disk_begin));
        nova_virtio_block_init(&disk, &vm.memory, data, DISK_BYTES, false);

        const int error = nova_bus_add(&vm.ports, &debug);

        return error ? error : nova_pc_add_virtio(&pc, 1, &disk.virtio);
}

static int load(void)
{
        const void *file;
        const char *why;
        size_t bytes;

        if (nova_module_open("bios.bin", &file, &bytes)) {
                printf("The boot module bios.bin is missing.\n");
                return 1;
        }
        why = nova_firmware_load(&vm.memory, file, bytes, &vm.vcpu[0].start);
        return why ? nova_vm_not_loaded(&vm, why) : 0;
}

int main(void)
{
        const struct nova_vm_config config = {.name = "firmware",
                                              .memory = GUEST_MEMORY,
                                              .vcpus = 3,
                                              .local_apic = true,
                                              .report_halt = true};
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (!error)
                error = add_devices();
        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        if (load())
                return 1;
        error = nova_vm_run(&vm);
        if (error) {
                printf("The machine cannot run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        printf("The guest %s.\n", nova_vm_end_text(end));
        return end != NOVA_VM_OFF;
}
