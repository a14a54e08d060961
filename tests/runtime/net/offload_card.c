/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor whose guest is this kernel with the driver virtio-net. The guest's card is novavmm's,
 * which computes checksums. The other end of its cable returns each frame: one with an open
 * checksum as it is, and any other one as checked. */
#include <stdio.h>
#include <string.h>

#include "nova/exit.h"
#include "novavmm/load.h"
#include "novavmm/virtio_net.h"

#include "../../vmm/machine.h"

#define GUEST_MEMORY (96u << 20)
#define HELD         16 /* maximum number of frames on the cable */

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_virtio_net card;
static uint64_t result = 1;

/* A frame on the cable. */
static struct held {
        uint8_t data[NOVA_VIRTIO_NET_FRAME_MAX];
        size_t bytes;
        uint32_t sum;
} held[HELD];
static unsigned first, count, open_count;

static void *prepare(void *unused)
{
        (void)unused;
        return count < HELD ? held[(first + count) % HELD].data : NULL;
}

static void hold(size_t bytes, uint32_t sum)
{
        struct held *const frame = &held[(first + count) % HELD];

        frame->bytes = bytes;
        frame->sum = sum;
        count++;
}

static void take(void *unused, size_t bytes)
{
        (void)unused;
        hold(bytes, NOVA_NET_SUM_RIGHT);
}

static bool take_open(void *unused, size_t bytes, uint32_t sum)
{
        (void)unused;
        hold(bytes, sum);
        open_count++;
        return true;
}

static void give_back(void *unused)
{
        (void)unused;
        while (count) {
                const struct held *const frame = &held[first % HELD];

                if (!nova_virtio_net_receive_sum(&card, frame->data, frame->bytes, frame->sum))
                        return;
                first++;
                count--;
        }
}

/* The port by which the guest reports its end and its status to its emulator: nova_exit(). */
static void exit_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        result = value;
        nova_vm_end_with(&vm, NOVA_VM_OFF);
}

static bool load(void)
{
        static const char *const name[] = {"init", "offload.nova", "pci", "virtio-net",
                                           "net-offload"};
        struct nova_multiboot_module module[sizeof(name) / sizeof(name[0])];
        struct nova_multiboot image = {
                .line = "serial", .module = module, .modules = sizeof(name) / sizeof(name[0])};

        image.kernel = open_module("nova.elf32", &image.kernel_bytes);
        if (!image.kernel)
                return false;
        for (unsigned i = 0; i < image.modules; i++) {
                module[i].line = i ? name[i] : "init offload.nova";
                module[i].data = open_module(name[i], &module[i].bytes);
                if (!module[i].data)
                        return false;
        }

        const char *const why = nova_multiboot_load(&vm.memory, &image, &vm.vcpu[0].start);

        if (why)
                nova_vm_not_loaded(&vm, why);
        return !why;
}

static bool make(void)
{
        static const struct nova_vm_config config = {
                .name = "offload", .memory = GUEST_MEMORY, .local_apic = true, .vcpus = 1};
        static const struct nova_bus_range exit_port = {NOVA_EXIT_PORT, NOVA_EXIT_PORT, NULL,
                                                        exit_write, NULL};
        static const struct nova_virtio_net_cable cable = {prepare,   take, give_back,
                                                           give_back, NULL, take_open};
        static const uint8_t address[NOVA_VIRTIO_NET_ADDRESS] = {2, 0, 0, 0, 0, 1};

        if (!machine_create(&vm, &config, &pc) || nova_bus_add(&vm.ports, &exit_port))
                return false;
        nova_virtio_net_init(&card, &vm.memory, address, &cable);
        return !nova_pc_add_virtio(&pc, 4, &card.virtio) && load();
}

int main(void)
{
        if (!make())
                return 1;
        nova_vm_run(&vm);

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        printf("The card has sent %u frames with open checksums, and the guest's result is %llu.\n",
               open_count, (unsigned long long)result);
        return end != NOVA_VM_OFF || result;
}
