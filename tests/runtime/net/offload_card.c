/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor whose guest is this kernel with the driver virtio-net. The guest's card is that of
 * novavmm, which takes frames with open checksums. The other end of the card's cable returns each
 * frame: a frame with an open checksum unchanged, any other frame marked as having a right
 * checksum. */
#include <stdio.h>

#include "novavmm/virtio_net.h"

#include "../../vmm/loaded.h"

#define GUEST_MEMORY (96u << 20)
#define HELD         16 /* maximum number of frames on the cable */

static struct loaded guest;
static struct nova_virtio_net card;

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

static bool make(void)
{
        static const char *const modules[] = {"init offload.nova", "offload.nova", "pci",
                                              "virtio-net", "net-offload"};
        static const struct nova_vm_config config = {
                .name = "offload", .memory = GUEST_MEMORY, .local_apic = true, .vcpus = 1};
        static const struct nova_virtio_net_cable cable = {prepare,   take, give_back,
                                                           give_back, NULL, take_open};
        static const uint8_t address[NOVA_VIRTIO_NET_ADDRESS] = {2, 0, 0, 0, 0, 1};

        if (!loaded_create(&guest, &config))
                return false;
        nova_virtio_net_init(&card, &guest.vm.memory, address, &cable);
        return !nova_pc_add_virtio(&guest.pc, 4, &card.virtio) &&
               loaded_load(&guest, "nova.elf32", "serial", modules,
                           sizeof(modules) / sizeof(modules[0]));
}

int main(void)
{
        bool ended;

        if (!make())
                return 1;
        ended = loaded_run(&guest);
        printf("The card has sent %u frames with open checksums, and the guest's result is %llu.\n",
               open_count, (unsigned long long)guest.result);
        return !ended || guest.result;
}
